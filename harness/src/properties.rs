//! What must hold of the library for every input, on raw bytes: for fuzz targets, and for `cargo test` on the committed corpus.
//! Each function panics when its property fails, and does nothing else.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crevasse_core::check::{self, Outcome, Record};
use crevasse_core::model::Model;
use crevasse_core::scenario::Scenario;
use crevasse_core::spec::Spec;
use crevasse_core::treehash::{MIB, sha256, tree_hash};
use crevasse_core::wire::{Headers, ObservedBody, Reply, Response};
use crevasse_reference::fault::Fault;
use crevasse_reference::{Options, Service};

use crate::campaign::{Capabilities, probe, soundness};
use crate::execute::transport::Arm;
use crate::execute::{Hand, Pace, Patience, Target, credentials};
use crate::generate;
use crate::journal::{Journal, Line, Reader, leftovers};

/// Something that holds of all bytes.
pub type Property = fn(&[u8]);

/// Every target by name.
pub const TARGETS: [(&str, Property); 3] = [
    ("journal", journal),
    ("reply", reply),
    ("sequence", sequence),
];

/// Any file is read as a journal or refused; lines that were read are written as they were read, and what is left over was made.
pub fn journal(bytes: &[u8]) {
    let source = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let Ok(reader) = Reader::of(PathBuf::from("any"), source) else {
        return;
    };
    let lines: Vec<Line> = reader.map_while(Result::ok).collect();
    for line in &lines {
        let text = serde_json::to_string(line).expect("a line serialises");
        assert_eq!(
            serde_json::from_str::<Line>(&text).ok().as_ref(),
            Some(line)
        );
    }
    for resource in leftovers(&lines) {
        let made = |line: &Line| matches!(line, Line::Intent(made) | Line::Made(made) if *made == resource);
        assert!(lines.iter().any(made), "{resource:?}");
    }
}

/// Any reply to any operation is judged without a panic, each time alike, and kept by the journal as it came.
///
/// The first byte says to which request of the probe it is the reply (or to all), the next two are the status, then come header lines, an empty one and the body.
pub fn reply(bytes: &[u8]) {
    let [place, low, high, rest @ ..] = bytes else {
        return;
    };
    let reply = Reply::Response(response(u16::from_le_bytes([*low, *high]), rest));
    let mut records = asked().to_vec();
    let chosen = usize::from(*place) % (records.len() + 1);
    for (index, record) in records.iter_mut().enumerate() {
        if chosen == index || chosen == asked().len() {
            let exchange = record.exchange.as_mut().expect("the probe was answered");
            exchange.reply = reply.clone();
        }
    }
    let mut capabilities = Capabilities::default();
    records.iter().for_each(|record| capabilities.learn(record));
    let judge = || check::judge(&records, Spec::builtin(), &start());
    assert_eq!(judge().judgements, judge().judgements);
    let decisive = &records[chosen.min(records.len() - 1)];
    let text = serde_json::to_string(decisive).expect("a record serialises");
    assert_eq!(
        serde_json::from_str::<Record>(&text).ok().as_ref(),
        Some(decisive)
    );
}

/// Bytes become a sequence of operations, and the reference server has no deviation in it, nor have we sent anything wrong.
pub fn sequence(bytes: &[u8]) {
    let scenario = generate::of_bytes(bytes);
    let deviations = deviations(&scenario, Vec::new());
    assert!(
        deviations.is_empty(),
        "{deviations:#?} in\n{}",
        scenario.to_yaml()
    );
}

/// What a scenario shows to be wrong with a reference server that has these faults.
pub fn deviations(scenario: &Scenario, faults: Vec<&'static Fault>) -> Vec<String> {
    let judged = check::judge(&played(scenario, faults), Spec::builtin(), &start());
    let violated = judged
        .judgements
        .iter()
        .filter(|judgement| matches!(judgement.outcome, Outcome::Violated { .. }))
        .map(|judgement| format!("{judgement:?}"));
    violated
        .chain(soundness::mistakes(&judged.observations))
        .collect()
}

const ACCOUNT: &str = "123456789012";

/// What is known of the reference server before anything is asked.
fn start() -> Model {
    Model {
        account: Some(ACCOUNT.to_owned()),
        region: Some("us-east-1".to_owned()),
        ..Model::default()
    }
}

/// The probe as a right server answers it.
fn asked() -> &'static [Record] {
    static ASKED: OnceLock<Vec<Record>> = OnceLock::new();
    ASKED.get_or_init(|| {
        let mut records = played(&probe(), Vec::new());
        records.retain(|record| record.exchange.is_some());
        records
    })
}

fn played(scenario: &Scenario, faults: Vec<&'static Fault>) -> Vec<Record> {
    let service = Service::new(Options {
        job_delay: Duration::ZERO,
        seed: Some(1),
        faults,
        ..Options::default()
    });
    let mut target = Target::new("http://127.0.0.1:1").expect("a loopback address is an endpoint");
    target.credentials = credentials(true);
    let moment = Duration::from_millis(200);
    target.patience = Patience {
        expedited: moment,
        standard: moment,
        bulk: moment,
    };
    let hand = Hand::new(
        target,
        Arm::in_process(move |request| service.exchange(request)),
        Arc::new(Spec::builtin().clone()),
        Pace::new(8, None),
        Journal::discarding(),
        "crevasse-fuzz".to_owned(),
    );
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a thread can wait");
    }
    RUNTIME.with(|runtime| runtime.block_on(hand.try_out("case", scenario)))
}

fn response(status: u16, rest: &[u8]) -> Response {
    let gap = rest.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match gap {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (rest, &b""[..]),
    };
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        (name.to_owned(), value.trim().to_owned())
    };
    let head = String::from_utf8_lossy(head);
    Response {
        status,
        headers: Headers(head.lines().map(field).collect()),
        body: ObservedBody {
            length: body.len() as u64,
            sha256: sha256(body),
            tree_hash: tree_hash(body),
            leaves: body.chunks(MIB as usize).map(sha256).collect(),
            prefix: body[..body.len().min(ObservedBody::KEPT)].into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crevasse_reference::fault;

    use super::*;

    fn inputs(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        let inputs = fs::read_dir(folder.join(target)).unwrap();
        inputs
            .map(|input| fs::read(input.unwrap().path()).unwrap())
            .collect()
    }

    #[test]
    fn every_committed_input_of_every_target_has_its_property() {
        for (name, property) in TARGETS {
            assert!(!inputs(name).is_empty(), "{name} has no inputs");
            inputs(name).iter().for_each(|input| property(input));
        }
    }

    #[test]
    fn sequences_out_of_the_committed_bytes_find_faults() {
        let scenarios: Vec<Scenario> = inputs("sequence")
            .iter()
            .map(|input| generate::of_bytes(input))
            .collect();
        for id in FOUND {
            let fault = fault::find(id).unwrap_or_else(|| panic!("{id} is a fault"));
            let seen = |scenario| !deviations(scenario, vec![fault]).is_empty();
            assert!(scenarios.iter().any(seen), "{id} goes unseen");
        }
    }

    /// Of every kind: hashes, parts, downloads, jobs, vaults, lists, policies, errors and answers that are no HTTP.
    const FOUND: [&str; 18] = [
        "archive-hash-linear",
        "leaves-decimal",
        "gaps-accepted",
        "short-part-refused-at-once",
        "content-range-without-total",
        "range-checksum-is-that-of-the-archive",
        "output-read-from-the-vault",
        "finished-job-begins-again",
        "inventory-parameters-on-archive-jobs",
        "vault-counters-live",
        "deleted-vault-still-listed",
        "last-item-lost-on-a-full-page",
        "lock-policy-embedded",
        "notifications-must-be-wrapped",
        "missing-job-410",
        "request-id-missing-on-errors",
        "dates-without-milliseconds",
        "job-list-is-no-http",
    ];
}
