//! What a case showed that can be new: of each exchange the operation and the situation it was asked in, status and error code, the set of
//! headers, the shape of the body, and how long it took.
//! Refuses to know whether any of it is right.

use std::collections::BTreeSet;

use serde_json::Value;

use crevasse_core::check::Observation;
use crevasse_core::model::Expectation;
use crevasse_core::treehash::sha256;
use crevasse_core::wire::{Reply, Response};

/// One thing that can be seen, as the first 16 digits of a hash.
pub(super) type Feature = String;

/// Everything that a case showed.
pub(super) fn features(observations: &[Observation]) -> BTreeSet<Feature> {
    observations.iter().flat_map(of_exchange).collect()
}

fn of_exchange(seen: &Observation) -> [Feature; 4] {
    let operation = seen
        .operation
        .map_or_else(|| "-".to_owned(), |name| name.to_string());
    let answer = answer(seen);
    let response = response(seen);
    let headers = response.map(header_set).unwrap_or_default();
    let shape = response.map(body_shape).unwrap_or_default();
    let situation = situation(&seen.expectation);
    [
        format!("situation {operation} {situation} {answer}"),
        format!("headers {operation} {answer} {headers}"),
        format!("body {operation} {answer} {shape}"),
        format!("latency {operation} {}", latency_class(seen)),
    ]
    .map(|text| sha256(text.as_bytes()).to_string()[..16].to_owned())
}

/// What came, whole or in part.
fn response(seen: &Observation) -> Option<&Response> {
    match &seen.exchange().reply {
        Reply::Response(response) => Some(response),
        Reply::Fault(fault) => fault.partial.as_deref(),
    }
}

fn answer(seen: &Observation) -> String {
    match &seen.exchange().reply {
        Reply::Response(response) => {
            let code = response.error_code().unwrap_or_default();
            format!("{} {code}", response.status)
        }
        Reply::Fault(fault) => format!("{:?}", fault.kind),
    }
}

/// What the model makes of the request: the same answer for another reason is another thing seen.
fn situation(expectation: &Expectation) -> String {
    let word = match expectation {
        Expectation::Accept => "accept",
        Expectation::Refuse(_) => "refuse",
        Expectation::Either(_) => "either",
        Expectation::Silent => "silent",
        Expectation::Blocked(_) => "blocked",
    };
    let reasons = expectation.refusals().iter().map(|reason| reason.word());
    [word]
        .into_iter()
        .chain(reasons)
        .collect::<Vec<_>>()
        .join("+")
}

fn header_set(response: &Response) -> String {
    let names = response
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase());
    let names: BTreeSet<String> = names.collect();
    names.into_iter().collect::<Vec<_>>().join(",")
}

/// The members of a document and their types, without a value; else media type and length class.
fn body_shape(response: &Response) -> String {
    match response.body.json() {
        Some(document) => shape(&document),
        None => format!(
            "{} {}",
            response.media_type(),
            u64::BITS - response.body.length.leading_zeros().min(u64::BITS)
        ),
    }
}

fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(items) => format!(
            "[{}{}]",
            items.first().map(shape).unwrap_or_default(),
            ["", "", ",…"][items.len().min(2)]
        ),
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", shape(value)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// Powers of ten of a second, from one second on: below that the machine tells more than the target.
fn latency_class(seen: &Observation) -> u32 {
    let exchange = seen.exchange();
    let millis = (exchange.done_at.0 - exchange.sent_at.0).max(1) as u64;
    (millis / 1000)
        .checked_ilog10()
        .map_or(0, |power| power + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_shape_has_names_and_types_and_no_values() {
        assert_eq!(
            shape(&json!({"b": ["x", "y", "z"], "a": 1, "c": null})),
            "{a:number,b:[text,…],c:null}"
        );
        assert_eq!(
            shape(&json!({"Marker": "abc", "List": []})),
            shape(&json!({"List": [], "Marker": "def"}))
        );
        assert_ne!(shape(&json!([1])), shape(&json!([1, 2])));
    }
}
