//! The model against the documents: each row is a request in a scenario's words, the requirement that speaks of it, and what it demands.

mod account;
mod archives;
mod following;
mod inventories;
mod jobs;
mod policies;
mod requests;
mod settings;
mod tags;
mod uploads;
mod vaults;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::{Expectation, Made, Model, Observed, Refusal};
use crate::amz_date::Timestamp;
use crate::requirement::Registry;
use crate::scenario::{Action, Step};

/// A model and the time at which the next request is sent. Every request takes a second.
#[derive(Clone)]
struct World {
    model: Model,
    now: Timestamp,
}

/// A requirement, a request in YAML, and the expectation it leads to.
type Row = (&'static str, &'static str, Expectation);

fn accept() -> Expectation {
    Expectation::Accept
}

fn refuse(refusal: Refusal) -> Expectation {
    Expectation::Refuse(vec![refusal])
}

fn either(refusal: Refusal) -> Expectation {
    Expectation::Either(vec![refusal])
}

fn silent() -> Expectation {
    Expectation::Silent
}

/// A step in YAML, or in JSON.
fn step(text: &str) -> Step {
    let tree: Value = serde_json::from_str(text)
        .or_else(|_| serde_yaml::from_str(text))
        .unwrap_or_else(|error| panic!("{error}: {text}"));
    serde_json::from_value(tree).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl World {
    fn new() -> Self {
        let model = Model {
            region: Some("us-east-1".to_owned()),
            ..Model::default()
        };
        Self {
            model,
            now: Timestamp(1_480_000_000_000),
        }
    }

    /// A world in which these requests were answered as they should be.
    fn after(steps: &[&str]) -> Self {
        let mut world = Self::new();
        for text in steps {
            let expected = world.plays(text);
            assert!(expected.allows_success(), "{text}: {expected:?}");
        }
        world
    }

    fn expects(&self, text: &str) -> Expectation {
        let step = step(text);
        self.model.expect(&step.action, &step.tweak, self.now)
    }

    /// Sends a request to a target that takes it whenever it may.
    fn plays(&mut self, text: &str) -> Expectation {
        let accepted = self.expects(text).allows_success();
        self.answered(text, if accepted { 200 } else { 400 }, None)
    }

    /// Sends a request that is answered like this; 0 is no answer. Tells what was expected.
    fn answered(&mut self, text: &str, status: u16, document: Option<Value>) -> Expectation {
        let Step { action, tweak } = step(text);
        let expected = self.model.expect(&action, &tweak, self.now);
        let accepted = (200..300).contains(&status);
        let seen = Observed {
            accepted,
            status,
            made: made(&action).filter(|_| accepted),
            sent_at: self.now,
            done_at: self.now.plus_millis(500),
            document: document.map(Arc::new),
            bindings: Arc::new(IndexMap::new()),
        };
        self.model.observe(&action, &tweak, &expected, &seen);
        self.later(1000);
        expected
    }

    fn later(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    fn expects_rows(&self, rows: &[Row]) {
        for (requirement, text, expected) in rows {
            for id in requirement.split(' ') {
                assert!(
                    Registry::builtin().get(id).is_some(),
                    "{id} is no requirement"
                );
            }
            assert_eq!(self.expects(text), *expected, "{requirement}: {text}");
        }
    }
}

/// What a target that takes the request says it made: the id of `a` is `id-of-a`.
fn made(action: &Action) -> Option<Made> {
    let id = match action {
        Action::CreateVault { vault, .. } => vault.to_string(),
        Action::UploadArchive { archive, .. } | Action::CompleteMultipartUpload { archive, .. } => {
            format!("id-of-{archive}")
        }
        Action::InitiateMultipartUpload { upload, .. } => format!("id-of-{upload}"),
        Action::InitiateJob { job, .. } => format!("id-of-{job}"),
        Action::InitiateVaultLock { lock, .. } => format!("id-of-{lock}"),
        Action::PurchaseProvisionedCapacity { unit } => format!("id-of-{unit}"),
        _ => return None,
    };
    let location = Some(format!("/012345678901/of/{id}"));
    Some(Made { id, location })
}
