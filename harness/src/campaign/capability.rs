//! Which operations a target has at all, from what it answered: never from a name or a version.

use std::collections::BTreeMap;

use crevasse_core::check::Record;
use crevasse_core::scenario::{Scenario, Tweak};
use crevasse_core::spec::OperationName;
use crevasse_core::wire::{Reply, Response};

use crate::event::Capability;

/// The scenario that asks every operation once, cheaply and without harm.
const PROBE: &str = include_str!("probe.yaml");

/// The scenario that asks every operation once. Purchases and policies of the account are asked for in ways that must be refused, or not at all.
pub fn probe() -> Scenario {
    Scenario::parse(PROBE).expect("the built-in probe is well-formed")
}

/// What the answers to each operation told so far.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    seen: BTreeMap<OperationName, Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    spoke: Option<String>,
    strange: Option<String>,
}

impl Capabilities {
    /// Takes the answer to a request into account. Requests that are twisted on purpose tell nothing.
    pub fn learn(&mut self, record: &Record) {
        let (Some(name), Some(exchange)) = (record.action.operation(), &record.exchange) else {
            return;
        };
        if record.tweak != Tweak::default() {
            return;
        }
        let seen = self.seen.entry(name).or_default();
        match &exchange.reply {
            Reply::Response(response) if speaks_glacier(response) => {
                seen.spoke.get_or_insert_with(|| answer(response));
            }
            Reply::Response(response) => {
                seen.strange.get_or_insert_with(|| answer(response));
            }
            Reply::Fault(fault) => {
                seen.strange.get_or_insert_with(|| fault.detail.clone());
            }
        }
    }

    /// Whether an operation is there. One that was never asked for is given the benefit of the doubt.
    pub fn supports(&self, name: OperationName) -> bool {
        self.seen
            .get(&name)
            .is_none_or(|seen| seen.spoke.is_some() || seen.strange.is_none())
    }

    /// What is known of these operations.
    pub fn tell(&self, names: impl IntoIterator<Item = OperationName>) -> Vec<Capability> {
        let tell = |operation| {
            let seen = self.seen.get(&operation);
            let reason = match seen {
                Some(Seen {
                    spoke: Some(answer),
                    ..
                }) => format!("answered {answer}"),
                Some(Seen {
                    strange: Some(answer),
                    ..
                }) => format!("only ever answered {answer}"),
                _ => "not asked for".to_owned(),
            };
            Capability {
                operation,
                supported: self.supports(operation),
                reason,
            }
        };
        names.into_iter().map(tell).collect()
    }
}

/// A success, or a refusal that carries an error code where any generation of SDKs looks for it.
fn speaks_glacier(response: &Response) -> bool {
    match response.status {
        200..300 => response.media_type() != "text/html",
        400..500 => names_an_error(response),
        _ => false,
    }
}

fn names_an_error(response: &Response) -> bool {
    let document = response.body.json();
    let named = |name: &str| {
        document
            .as_ref()
            .and_then(|document| document.get(name))
            .is_some_and(serde_json::Value::is_string)
    };
    named("code") || named("__type") || response.headers.value("x-amzn-errortype").is_some()
}

fn answer(response: &Response) -> String {
    match response.error_code() {
        Some(code) => format!("{} {code}", response.status),
        None if response.media_type().is_empty() => response.status.to_string(),
        None => format!("{} with {}", response.status, response.media_type()),
    }
}
