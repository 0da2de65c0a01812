//! Which operations a target has at all, from what it answered: never from a name or a version.

use std::collections::{BTreeMap, BTreeSet};

use crevasse_core::check::{Observation, Record};
use crevasse_core::model::Expectation;
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
    failed: Option<String>,
    strange: Option<String>,
    broken: Option<String>,
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
        if seen.spoke.is_some() {
            return;
        }
        match &exchange.reply {
            Reply::Response(response) if speaks_glacier(response) => {
                seen.spoke = Some(answer(response));
            }
            Reply::Response(response) if fails(response) => {
                seen.failed.get_or_insert_with(|| answer(response));
            }
            Reply::Response(response) => {
                seen.strange.get_or_insert_with(|| answer(response));
            }
            Reply::Fault(fault) => {
                seen.broken.get_or_insert_with(|| fault.detail.clone());
            }
        }
    }

    /// Whether an operation is there. One that was never asked for is given the benefit of the doubt; so is one that fails, and one
    /// whose answers never came whole, for a server that lacks an operation says so. Where there are none, there is no doubt.
    pub fn supports(&self, name: OperationName) -> bool {
        let there = |seen: &Seen| seen.spoke.is_some() || seen.failed.is_some();
        let maybe = |seen: &Seen| there(seen) || seen.strange.is_none();
        self.seen.get(&name).is_none_or(maybe) && !self.are_none()
    }

    /// Whether there are answers, and none to any operation is one of the vault API.
    pub fn are_none(&self) -> bool {
        let spoke = self.seen.values().any(|seen| seen.spoke.is_some());
        let answered = |seen: &Seen| seen.strange.is_some() || seen.failed.is_some();
        !spoke && self.seen.values().any(answered)
    }

    /// The operations that are not there beyond doubt: a request that had to succeed was answered, and never as the vault API does.
    /// Any other refusal may be about what was asked for.
    pub fn surely_absent(&self, probed: &[Observation]) -> BTreeSet<OperationName> {
        let surely = |seen: &&Observation| {
            seen.expectation == Expectation::Accept && seen.response().is_some()
        };
        let names = probed
            .iter()
            .filter(surely)
            .filter_map(|seen| seen.operation);
        names.filter(|name| !self.supports(*name)).collect()
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
                Some(
                    Seen {
                        failed: Some(answer),
                        ..
                    }
                    | Seen {
                        strange: Some(answer),
                        ..
                    },
                ) => format!("only ever answered {answer}"),
                Some(Seen {
                    broken: Some(detail),
                    ..
                }) => format!("never answered: {detail}"),
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

/// A success that is no page for people, or a refusal that carries an error code where any generation of SDKs looks for it.
fn speaks_glacier(response: &Response) -> bool {
    match response.status {
        200..300 => !is_page(response),
        400..500 => names_an_error(response),
        _ => false,
    }
}

/// A failure on the way (500, 503 …), or a refusal of what was sent without an error code: 501, 404 and 405 would say that the
/// operation is not there (RFC 9110, 15.6.1 and 15.6.2).
fn fails(response: &Response) -> bool {
    match response.status {
        400 => !is_page(response),
        501 => false,
        status => (500..600).contains(&status),
    }
}

/// Whether the body is HTML. The media type alone says little: some frameworks write `text/html` over whatever they send.
fn is_page(response: &Response) -> bool {
    let start = response
        .body
        .prefix
        .trim_ascii_start()
        .get(..5)
        .unwrap_or_default()
        .to_ascii_lowercase();
    response.media_type() == "text/html"
        && (start.starts_with(b"<!doc") || start.starts_with(b"<html"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::amz_date::Timestamp;
    use crevasse_core::scenario::{Action, Ref};
    use crevasse_core::treehash::sha256;
    use crevasse_core::wire::{Body, Exchange, Framing, Headers, ObservedBody, Request};

    const DESCRIBE: fn() -> Action = || Action::DescribeVault {
        vault: Ref::from("v"),
    };
    const OTHER: fn() -> Action = || Action::DeleteVault {
        vault: Ref::from("v"),
    };

    fn record(action: fn() -> Action, status: u16, media_type: &str, body: &str) -> Record {
        let response = Response {
            status,
            headers: Headers(vec![("content-type".to_owned(), media_type.to_owned())]),
            body: ObservedBody {
                length: body.len() as u64,
                sha256: sha256(body.as_bytes()),
                tree_hash: sha256(body.as_bytes()),
                leaves: vec![sha256(body.as_bytes())],
                prefix: body.as_bytes().into(),
            },
        };
        let request = Request {
            method: "GET".to_owned(),
            path: "/-/vaults/v".to_owned(),
            query: String::new(),
            headers: Headers::default(),
            body: Body::Empty,
            framing: Framing::Plain,
        };
        Record {
            step: 0,
            action: action(),
            tweak: Tweak::default(),
            group: None,
            bindings: Default::default(),
            exchange: Some(Exchange {
                request,
                reply: Reply::Response(response),
                sent_at: Timestamp(0),
                done_at: Timestamp(1),
                retried: Vec::new(),
            }),
            blocked: None,
        }
    }

    fn answered(status: u16, media_type: &str, body: &str) -> bool {
        let mut capabilities = Capabilities::default();
        capabilities.learn(&record(DESCRIBE, status, media_type, body));
        capabilities.supports(OperationName::DescribeVault)
    }

    #[test]
    fn a_file_server_has_no_operation_of_the_vault_api() {
        assert!(!answered(
            404,
            "text/html",
            "<!DOCTYPE html><title>404 Not Found</title>"
        ));
        assert!(!answered(405, "text/plain", "method not allowed"));
        assert!(!answered(501, "", ""));
        assert!(!answered(
            200,
            "text/html;charset=utf-8",
            "\n<!doctype html>"
        ));
    }

    #[test]
    fn a_refusal_with_a_code_or_a_success_whatever_its_type_shows_that_an_operation_is_there() {
        assert!(answered(
            404,
            "application/json",
            r#"{"code":"ResourceNotFoundException"}"#
        ));
        assert!(answered(
            400,
            "application/json",
            r#"{"__type":"VaultNotFound"}"#
        ));
        assert!(answered(201, "text/html; charset=utf-8", ""));
    }

    /// Of an operation that always answers so, beside one that works.
    fn there_beside_another(status: u16, media_type: &str, body: &str) -> bool {
        let mut capabilities = Capabilities::default();
        capabilities.learn(&record(OTHER, 200, "application/json", "{}"));
        capabilities.learn(&record(DESCRIBE, status, media_type, body));
        capabilities.supports(OperationName::DescribeVault)
    }

    #[test]
    fn an_operation_that_always_fails_is_there_where_others_are() {
        let code = r#"{"code":"ServiceUnavailableException"}"#;
        assert!(there_beside_another(500, "application/json", code));
        assert!(there_beside_another(503, "text/html", "<!doctype html>"));
        assert!(there_beside_another(400, "application/json", "{}"));
        assert!(!there_beside_another(501, "application/json", code));
        assert!(!there_beside_another(404, "text/html", "<!doctype html>"));
        assert!(!answered(500, "application/json", code));
    }

    #[test]
    fn the_probe_asks_for_every_operation_but_the_one_that_costs_money() {
        let asked: BTreeSet<OperationName> = probe()
            .steps
            .iter()
            .filter_map(|step| step.action.operation())
            .collect();
        let all = OperationName::ALL
            .into_iter()
            .filter(|name| *name != OperationName::PurchaseProvisionedCapacity);
        assert_eq!(asked, all.collect());
    }
}
