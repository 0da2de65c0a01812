//! What an answer told: the few things the model follows, whoever saw them.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::amz_date::Timestamp;

/// The identifier a successful creation gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The archive, upload, job, lock or capacity id; for a vault its name.
    pub id: String,
    /// The `Location`, if any.
    pub location: Option<String>,
}

/// The answer to one action, as far as memory needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Whether it succeeded (2xx).
    pub accepted: bool,
    /// The status code; 0 when no whole response came.
    pub status: u16,
    /// What was made.
    pub made: Option<Made>,
    /// When the request was sent.
    pub sent_at: Timestamp,
    /// When the answer had come.
    pub done_at: Timestamp,
    /// The JSON document of the answer, if it has one.
    pub document: Option<Arc<Value>>,
    /// What the symbolic names of the action stood for: `vault:v`, `archive:?a`, `job:j`, … to the characters sent.
    pub bindings: Arc<IndexMap<String, String>>,
}
