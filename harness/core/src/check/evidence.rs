//! What a check is shown.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Expectation, Model};
use crate::scenario::{Action, Tweak};
use crate::spec::{Operation, OperationName};
use crate::wire::{Exchange, Response};

/// Why several exchanges belong to one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Polls of one job.
    Await,
    /// Pages of one list.
    Walk,
    /// Sent at the same time.
    Together,
    /// Sent while a slow request was under way; the slow one comes last.
    During,
}

/// What the hand did for one request of a scenario: written to the journal, read by the judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Index of the scenario's step.
    pub step: usize,
    /// The action of this one request (`AwaitJob` polls appear as `DescribeJob`, pages of a walk as their list with a literal marker).
    pub action: Action,
    /// How it differed from the plain request.
    #[serde(default, rename = "but")]
    pub tweak: Tweak,
    /// The group it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// What symbolic names stood for: `vault:v`, `archive:a`, `archive:?a`, `job:j`, `upload:u`, `lock:l`, `account`, to the characters sent.
    #[serde(default)]
    pub bindings: Arc<IndexMap<String, String>>,
    /// What was sent and came back; `None` when the step could not be sent.
    pub exchange: Option<Exchange>,
    /// Why it could not be sent, or why a group ended early (patience spent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

/// One exchange with all that is known about it.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Its place among the records of the case.
    pub index: usize,
    /// What was done.
    pub record: Record,
    /// The operation asked for; `None` for a request that is none.
    pub operation: Option<OperationName>,
    /// What the model expected.
    pub expectation: Expectation,
    /// The model before it.
    pub before: Arc<Model>,
    /// The model after it.
    pub after: Arc<Model>,
    /// The JSON document of the answer, if it has one.
    pub document: Option<Arc<Value>>,
}

impl Observation {
    /// What was asked for.
    pub fn action(&self) -> &Action {
        &self.record.action
    }

    /// The exchange. Observations always have one.
    pub fn exchange(&self) -> &Exchange {
        self.record
            .exchange
            .as_ref()
            .expect("a record without exchange is no observation")
    }

    /// The whole response, if it came.
    pub fn response(&self) -> Option<&Response> {
        self.exchange().reply.response()
    }

    /// The status code, if a whole response came.
    pub fn status(&self) -> Option<u16> {
        self.response().map(|response| response.status)
    }

    /// Whether a whole 2xx response came.
    pub fn succeeded(&self) -> bool {
        self.response().is_some_and(Response::is_success)
    }

    /// Whether a whole 4xx response came.
    pub fn is_refused(&self) -> bool {
        matches!(self.status(), Some(400..500))
    }

    /// The `code` of a Glacier error body, if there is one.
    pub fn error_code(&self) -> Option<&str> {
        self.document.as_ref()?.get("code")?.as_str()
    }

    /// What a symbolic name of the action stood for, as in `archive:a`.
    pub fn binding(&self, name: &str) -> Option<&str> {
        self.record.bindings.get(name).map(String::as_str)
    }

    /// The member of the answer's document at this JSON pointer; `None` when absent or null.
    pub fn member(&self, pointer: &str) -> Option<&Value> {
        self.document
            .as_ref()?
            .pointer(pointer)
            .filter(|value| !value.is_null())
    }
}

/// What a check is asked to judge.
pub enum Evidence<'a> {
    /// One exchange, with those of the same case before it.
    Exchange {
        /// The exchange.
        now: &'a Observation,
        /// Earlier ones, oldest first.
        earlier: &'a [Observation],
        /// The definition of its operation.
        definition: Option<&'a Operation>,
    },
    /// All exchanges of one step that stands for several requests, once they are complete.
    Group {
        /// Why they belong together.
        group: Group,
        /// They themselves, in the order sent.
        members: &'a [Observation],
        /// Why it ended early, if it did.
        ended: Option<&'a str>,
    },
    /// The whole case, when it is over.
    Case {
        /// All its exchanges.
        all: &'a [Observation],
    },
}

impl<'a> Evidence<'a> {
    /// The exchange, when one is to be judged.
    pub fn exchange(&self) -> Option<&'a Observation> {
        if let Self::Exchange { now, .. } = self {
            Some(now)
        } else {
            None
        }
    }
}
