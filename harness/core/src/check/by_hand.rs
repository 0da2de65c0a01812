//! Cases made by hand, to try checks on: what was done, what came back, what the checks say.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::{Group, Judgement, Outcome, Record, Symptom, judge};
use crate::amz_date::Timestamp;
use crate::model::Model;
use crate::requirement::Level;
use crate::scenario::{Action, JsonBody, Ref, Step};
use crate::spec::Spec;
use crate::treehash::TreeHasher;
use crate::wire::{
    Body, Exchange, FaultKind, Framing, Headers, ObservedBody, Reply, Request, Response,
    TransportFault,
};

/// An answer.
#[derive(Clone)]
pub(super) struct Answer {
    status: u16,
    headers: Headers,
    body: Vec<u8>,
}

/// Answers with this status and nothing else.
pub(super) fn status(status: u16) -> Answer {
    Answer {
        status,
        headers: Headers::default(),
        body: Vec::new(),
    }
}

/// Answers with an error body.
pub(super) fn error(status: u16, code: &str) -> Answer {
    json(
        status,
        serde_json::json!({"code": code, "message": "no", "type": "Client"}),
    )
}

/// Answers with a JSON document.
pub(super) fn json(status: u16, document: Value) -> Answer {
    let answer = Answer {
        body: document.to_string().into_bytes(),
        ..self::status(status)
    };
    answer.with("content-type", "application/json")
}

impl Answer {
    /// The same with one more header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same with these bytes as its body.
    pub(super) fn bytes(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    fn response(self) -> Response {
        let mut hasher = TreeHasher::new();
        hasher.update(&self.body);
        let hashed = hasher.finish();
        let body = ObservedBody {
            length: hashed.length,
            sha256: hashed.sha256,
            tree_hash: hashed.tree_hash,
            leaves: hashed.leaves,
            prefix: self.body.into(),
        };
        Response {
            status: self.status,
            headers: self.headers,
            body,
        }
    }
}

/// A case that grows step by step. Vault `v` is called `the-v`; times go on by a second a step.
#[derive(Default)]
pub(super) struct Case {
    records: Vec<Record>,
    step: usize,
    enforces_signatures: bool,
    alone: bool,
}

impl Case {
    /// A case of a target that is known to look at signatures.
    pub(super) fn enforcing_signatures() -> Self {
        Self {
            enforces_signatures: true,
            ..Self::default()
        }
    }

    /// A case beside which nothing else is under way.
    pub(super) fn alone() -> Self {
        Self {
            alone: true,
            ..Self::default()
        }
    }

    /// Adds a step, written as in scenarios, and its answer.
    pub(super) fn then(mut self, step: &str, answer: Answer) -> Self {
        self.step += 1;
        self.push(step, answer, None)
    }

    /// Adds the steps of a group.
    pub(super) fn together(mut self, group: Group, steps: Vec<(&str, Answer)>) -> Self {
        self.step += 1;
        let first = self.records.len();
        for (step, answer) in steps {
            self = self.push(step, answer, Some(group));
        }
        if group == Group::Together {
            self.overlap(first);
        }
        self
    }

    /// Lets the connection have been closed after the last answer, whatever length that announced.
    pub(super) fn closed(mut self) -> Self {
        let exchange = self
            .records
            .last_mut()
            .and_then(|last| last.exchange.as_mut());
        let reply = &mut exchange.expect("an exchange").reply;
        if let Reply::Response(response) = reply {
            *reply = Reply::Fault(TransportFault {
                kind: FaultKind::Closed,
                detail: "closed within the body".to_owned(),
                partial: Some(Box::new(response.clone())),
            });
        }
        self
    }

    /// Lets the last request have been sent again, since a connection was closed under it.
    pub(super) fn sent_again(mut self) -> Self {
        let last = self.records.last_mut();
        let exchange = last.and_then(|last| last.exchange.as_mut());
        exchange.expect("an exchange").retried = vec![0];
        self
    }

    /// Lets the requests from the `first` on all be under way as long as the last.
    fn overlap(&mut self, first: usize) {
        let mut exchanges: Vec<&mut Exchange> = self.records[first..]
            .iter_mut()
            .filter_map(|record| record.exchange.as_mut())
            .collect();
        let ends = exchanges.iter().map(|exchange| exchange.done_at).max();
        let begins = exchanges.iter().map(|exchange| exchange.sent_at).min();
        for exchange in &mut exchanges {
            (exchange.sent_at, exchange.done_at) = begins.zip(ends).expect("a group has members");
        }
    }

    fn push(mut self, step: &str, answer: Answer, group: Option<Group>) -> Self {
        let tree: Value = serde_yaml::from_str(step).expect("a step in YAML");
        let step: Step = serde_json::from_value(tree).expect("a step");
        let at = Timestamp(1_360_000_000_000 + 1000 * self.records.len() as i64);
        let answer = answer.with("date", &at.http());
        self.records.push(Record {
            step: self.step,
            bindings: Arc::new(bindings(&step.action)),
            exchange: Some(Exchange {
                request: request(&step),
                reply: Reply::Response(answer.response()),
                sent_at: at,
                done_at: at.plus_millis(10),
                retried: Vec::new(),
            }),
            action: step.action,
            tweak: step.tweak,
            group,
            blocked: None,
        });
        self
    }

    /// What is said of a requirement.
    pub(super) fn said(&self, requirement: &str) -> Vec<Judgement> {
        let spec = Spec::builtin();
        let model = Model {
            enforces_signatures: self.enforces_signatures,
            alone: self.alone,
            ..Model::default()
        };
        let judged = judge(&self.records, spec, &model);
        let of_it = |judgement: &Judgement| judgement.requirement.as_str() == requirement;
        judged.judgements.into_iter().filter(of_it).collect()
    }

    /// Whether a requirement was kept at least once and never broken.
    pub(super) fn holds(&self, requirement: &str) -> bool {
        let said = self.said(requirement);
        !said.is_empty()
            && said
                .iter()
                .all(|judgement| judgement.outcome == Outcome::Held)
    }

    /// The symptoms under which a requirement was broken, and how firmly each.
    pub(super) fn breaks(&self, requirement: &str) -> Vec<(&'static str, Level)> {
        let broken = |judgement: &Judgement| match &judgement.outcome {
            Outcome::Violated {
                symptom:
                    Symptom {
                        id: Cow::Borrowed(id),
                        ..
                    },
                grade,
                ..
            } => Some((*id, *grade)),
            _ => None,
        };
        self.said(requirement).iter().filter_map(broken).collect()
    }
}

fn bindings(action: &Action) -> IndexMap<String, String> {
    let named = action.vault().map(Ref::to_string);
    named
        .map(|vault| (format!("vault:{vault}"), format!("the-{vault}")))
        .into_iter()
        .collect()
}

fn request(step: &Step) -> Request {
    let mut headers = Headers::default();
    if let Action::GetJobOutput {
        range: Some(range), ..
    } = &step.action
    {
        headers.push("range", range.as_str());
    }
    for (name, value) in &step.tweak.headers {
        headers.remove(name);
        if let Some(value) = value {
            headers.push(name, value);
        }
    }
    Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: query(step),
        headers,
        body: match step.action.json_body() {
            None | Some(JsonBody::Absent) => Body::Empty,
            Some(JsonBody::Text(text)) => Body::Text(text.clone()),
            Some(JsonBody::Json(document)) => Body::Text(document.to_string()),
        },
        framing: Framing::Plain,
    }
}

fn query(step: &Step) -> String {
    let page = super::subject::page(&step.action);
    let marker = page.and_then(|page| page.marker.clone());
    let marker = marker.map(|marker| String::from(marker).trim_start_matches('=').to_owned());
    let limit = page.and_then(|page| page.limit.clone());
    let (completed, statuscode) = match &step.action {
        Action::ListJobs {
            completed,
            statuscode,
            ..
        } => (completed.clone(), statuscode.clone()),
        _ => (None, None),
    };
    let implied = [
        ("limit", limit),
        ("marker", marker),
        ("completed", completed),
        ("statuscode", statuscode),
    ];
    let mut pairs: IndexMap<&str, Option<String>> = implied.into_iter().collect();
    for (name, value) in &step.tweak.query {
        pairs.insert(name, value.clone());
    }
    let written = pairs
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    written.collect::<Vec<_>>().join("&")
}
