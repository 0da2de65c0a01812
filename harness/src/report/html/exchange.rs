//! An exchange as a page shows it: the request as sent without its secrets, the answer as received.

use serde::Serialize;

use crevasse_core::check::Record;
use crevasse_core::wire::{Body, Headers, ObservedBody, Reply, Response};

use super::picture::bytes;
use crate::report::printable;
use crate::report::words::{clip, in_short};

/// How much of a body is shown.
const BODY: usize = 1_200;
/// How many header fields are shown.
const FIELDS: usize = 40;
/// How many bytes of a binary body are shown.
const BINARY: usize = 48;

/// An exchange to look at.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    /// Method and target.
    pub(super) request: String,
    /// The fields sent.
    pub(super) sent: Vec<(String, String)>,
    /// The body sent.
    pub(super) sent_body: String,
    /// The status, or what kept an answer from coming.
    pub(super) answer: String,
    /// The fields received.
    pub(super) received: Vec<(String, String)>,
    /// The body received.
    pub(super) received_body: String,
    /// Length and hashes of the body received.
    pub(super) received_facts: Vec<(&'static str, String)>,
    /// When it was sent and how long it took.
    pub(super) time: String,
    /// Whether it is the one that decides.
    pub(super) decisive: bool,
}

/// Shows the exchange of a record, if it has one.
pub(super) fn show(record: &Record, decisive: bool) -> Option<Shown> {
    let exchange = record.exchange.as_ref()?;
    let request = exchange.request.redacted();
    let (answer, response) = answer(&exchange.reply);
    let took = exchange.done_at.0.saturating_sub(exchange.sent_at.0);
    let retried = match &exchange.retried[..] {
        [] => String::new(),
        set_aside => format!(", after {set_aside:?} set aside"),
    };
    Some(Shown {
        request: format!("{} {}", request.method, printable(&request.target())),
        sent: fields(&request.headers),
        sent_body: sent_body(&request.body),
        answer,
        received: response
            .map(|response| fields(&response.headers))
            .unwrap_or_default(),
        received_body: response
            .map(|response| received_body(&response.body))
            .unwrap_or_default(),
        received_facts: response
            .map(|response| facts(&response.body))
            .unwrap_or_default(),
        time: format!(
            "sent {}, answered after {took} ms{retried}",
            exchange.sent_at
        ),
        decisive,
    })
}

fn answer(reply: &Reply) -> (String, Option<&Response>) {
    match reply {
        Reply::Response(response) => (response.status.to_string(), Some(response)),
        Reply::Fault(fault) => {
            let words = format!("{}: {}", in_short(fault.kind), printable(&fault.detail));
            (words, fault.partial.as_deref())
        }
    }
}

fn fields(headers: &Headers) -> Vec<(String, String)> {
    let mut fields: Vec<_> = headers
        .iter()
        .take(FIELDS)
        .map(|(name, value)| (clip(&printable(name), 80), printable(value)))
        .collect();
    let more = headers.0.len().saturating_sub(FIELDS);
    if more > 0 {
        fields.push(("…".to_owned(), format!("{more} more")));
    }
    fields
}

fn sent_body(body: &Body) -> String {
    match body {
        Body::Empty => String::new(),
        Body::Text(text) => clip(text, BODY),
        Body::Content(content) => {
            let pieces: Vec<String> = content
                .segments()
                .take(4)
                .map(|(payload, range)| format!("bytes {range} of {payload:?}"))
                .collect();
            format!(
                "{}: {}",
                bytes(content.length()),
                clip(&pieces.join(", "), BODY)
            )
        }
    }
}

fn received_body(body: &ObservedBody) -> String {
    match std::str::from_utf8(&body.prefix) {
        Ok(text) => clip(text, BODY),
        Err(_) => {
            let start = &body.prefix[..body.prefix.len().min(BINARY)];
            let hex: Vec<String> = start.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{} …", hex.join(" "))
        }
    }
}

fn facts(body: &ObservedBody) -> Vec<(&'static str, String)> {
    if body.length == 0 {
        return vec![("length", "no body".to_owned())];
    }
    vec![
        ("length", bytes(body.length)),
        ("SHA-256", body.sha256.to_string()),
        ("tree hash", body.tree_hash.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn credentials_are_not_shown() {
        let record = &sample::report().findings[0].exchanges[0];
        let shown = show(record, true).unwrap();
        let authorization = shown
            .sent
            .iter()
            .find(|(name, _)| name == "Authorization")
            .unwrap();
        assert_eq!(authorization.1, "[redacted]");
        assert!(!format!("{shown:?}").contains("SECRET"));
    }

    #[test]
    fn a_binary_body_is_shown_in_hexadecimal() {
        let record = &sample::report().findings[0].exchanges[4];
        let shown = show(record, true).unwrap();
        assert_eq!(shown.received_body, "d3 07 ff 00 …");
        assert_eq!(shown.received_facts[0].1, "4 MiB");
    }

    #[test]
    fn a_thousand_fields_are_counted() {
        let mut record = sample::report().findings[0].exchanges[0].clone();
        let exchange = record.exchange.as_mut().unwrap();
        for _ in 0..1_000 {
            exchange.request.headers.push("x", "y".repeat(10_000));
        }
        let shown = show(&record, true).unwrap();
        assert_eq!(shown.sent.last().unwrap().1, "964 more");
    }
}
