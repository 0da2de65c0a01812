//! Room for the text of answers: how much of it a run holds at once, in all its cases together.
//! An answer that finds none is not judged: half a document is no document, and the target did not halve it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crevasse_core::check::Record;
use crevasse_core::wire::{Exchange, ObservedBody, Reply};

/// What texts may weigh together that are still to be judged.
const JUDGED: u64 = 32 << 20;
/// What texts may weigh together that are kept to be shown, until the run ends.
const SHOWN: u64 = 16 << 20;
/// Texts up to this length are held whatever else is: there are only so many.
const SHORT: usize = 1 << 10;
/// What each value of a document weighs once it is read, for a text of values alone grows most.
const VALUE: u64 = 64;

/// The room of a run. Clones are the same room.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    judged: Arc<AtomicU64>,
    shown: Arc<AtomicU64>,
}

/// What one case takes of it, until this is dropped.
#[derive(Debug)]
pub(crate) struct Part {
    room: Room,
    taken: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            judged: Arc::new(AtomicU64::new(JUDGED)),
            shown: Arc::new(AtomicU64::new(SHOWN)),
        }
    }
}

impl Room {
    /// A part that nothing is in yet.
    pub(crate) fn part(&self) -> Part {
        Part {
            room: self.clone(),
            taken: 0,
        }
    }
}

impl Part {
    /// Takes an answer in. False when there is no room for its text, which is gone then.
    pub(crate) fn hold(&mut self, exchange: &mut Exchange) -> bool {
        let Some(body) = body(&mut exchange.reply) else {
            return true;
        };
        let weight = weight(body);
        let fits = take(&self.room.judged, weight);
        match fits {
            true => self.taken += weight,
            false => body.prefix = Arc::default(),
        }
        fits
    }

    /// Records as they are shown until the run ends: without the rest of long texts once there is no room for more.
    pub(crate) fn shown(&self, records: &[Record]) -> Vec<Record> {
        let mut shown = records.to_vec();
        let exchanges = shown
            .iter_mut()
            .filter_map(|record| record.exchange.as_mut());
        for body in exchanges.filter_map(|exchange| body(&mut exchange.reply)) {
            if body.prefix.len() > SHORT && !take(&self.room.shown, body.prefix.len() as u64) {
                body.prefix = body.prefix[..SHORT].into();
            }
        }
        shown
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.room.judged.fetch_add(self.taken, Ordering::Relaxed);
    }
}

fn take(left: &AtomicU64, weight: u64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(weight)
    })
    .is_ok()
}

fn body(reply: &mut Reply) -> Option<&mut ObservedBody> {
    match reply {
        Reply::Response(response) => Some(&mut response.body),
        Reply::Fault(fault) => fault.partial.as_mut().map(|partial| &mut partial.body),
    }
}

/// What a body weighs while it is judged: its text as it came, which all that look at it share, and once more as it is read.
fn weight(body: &ObservedBody) -> u64 {
    let whole = body.bytes().is_some();
    if body.prefix.len() <= SHORT || !whole && body.prefix.len() <= ObservedBody::KEPT_BINARY {
        return 0;
    }
    let ends_a_value = |byte: &&u8| matches!(byte, b',' | b':' | b'[' | b'{');
    let values = match whole {
        true => body.prefix.iter().filter(ends_a_value).count() as u64,
        false => 0,
    };
    2 * body.prefix.len() as u64 + VALUE * values
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crevasse_core::amz_date::Timestamp;
    use crevasse_core::scenario::{Action, Tweak};
    use crevasse_core::treehash::{sha256, tree_hash};
    use crevasse_core::wire::{Body, Framing, Headers, Request, Response};

    use super::*;

    fn answered(text: &str) -> Exchange {
        let body = ObservedBody {
            length: text.len() as u64,
            sha256: sha256(text.as_bytes()),
            tree_hash: tree_hash(text.as_bytes()),
            leaves: Vec::new(),
            prefix: text.as_bytes().into(),
        };
        Exchange {
            request: Request {
                method: "GET".to_owned(),
                path: "/-/vaults".to_owned(),
                query: String::new(),
                headers: Headers::default(),
                body: Body::Empty,
                framing: Framing::Plain,
            },
            reply: Reply::Response(Response {
                status: 200,
                headers: Headers::default(),
                body,
            }),
            sent_at: Timestamp(0),
            done_at: Timestamp(0),
            retried: Vec::new(),
        }
    }

    fn kept(exchange: &Exchange) -> usize {
        exchange.reply.response().unwrap().body.prefix.len()
    }

    /// An inventory of a MiB, as it may really come.
    fn inventory() -> String {
        let archive = format!(r#"{{"ArchiveId":"{}","Size":1}},"#, "a".repeat(330));
        archive.repeat((1 << 20) / archive.len())
    }

    #[test]
    fn several_inventories_of_a_mib_are_held_at_once() {
        let room = Room::default();
        let mut part = room.part();
        let mut answers = vec![answered(&inventory()); 8];
        assert!(answers.iter_mut().all(|answer| part.hold(answer)));
    }

    #[test]
    fn no_more_text_is_held_than_there_is_room_for_until_cases_are_judged() {
        let room = Room::default();
        let mut parts: Vec<Part> = (0..100).map(|_| room.part()).collect();
        let mut answers = vec![answered(&"x".repeat(1 << 20)); 100];
        let held = parts.iter_mut().zip(&mut answers);
        let held = held.filter_map(|(part, answer)| part.hold(answer).then_some(()));
        assert_eq!(held.count() as u64, JUDGED / (2 << 20));
        assert_eq!(answers.iter().map(kept).sum::<usize>(), 16 << 20);
        drop(parts);
        assert!(room.part().hold(&mut answered(&"x".repeat(1 << 20))));
    }

    #[test]
    fn a_text_weighs_what_reading_it_takes() {
        let mut values = answered(&format!("[{}0]", "0,".repeat(1 << 19)));
        assert!(!Room::default().part().hold(&mut values));
        let mut short = answered("[0,0,0]");
        let room = Room::default();
        room.judged.store(0, Ordering::Relaxed);
        assert!(room.part().hold(&mut short));
    }

    #[test]
    fn what_is_shown_is_bounded_for_the_whole_run() {
        let (room, record) = (Room::default(), |exchange| Record {
            step: 0,
            action: Action::ListVaults {
                page: Default::default(),
            },
            tweak: Tweak::default(),
            group: None,
            bindings: Arc::default(),
            exchange: Some(exchange),
            blocked: None,
        });
        let records = vec![record(answered(&"x".repeat(1 << 20))); 40];
        let shown = room.part().shown(&records);
        let lengths = shown
            .iter()
            .map(|record| kept(record.exchange.as_ref().unwrap()));
        assert_eq!(lengths.sum::<usize>(), (16 << 20) + 24 * SHORT);
    }
}
