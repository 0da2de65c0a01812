//! The seams: where faults hook into the server, and what they remember.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crevasse_core::model::{Model, Refusal};
use crevasse_core::payload::Content;
use crevasse_core::scenario::Action;
use crevasse_core::spec::OperationName;
use serde_json::Value;

use super::Fault;
use crate::page::Entry;
use crate::realm::Realm;
use crate::render::{Draft, Effect, Refused, Told};
use crate::service::Asked;

/// What the server decided to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Accept,
    Refuse(Refused),
}

/// What a fault remembers: counters and values by name.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    counts: BTreeMap<String, u64>,
    values: BTreeMap<String, Value>,
    contents: BTreeMap<String, Content>,
}

impl Memory {
    /// Counts once more, and says how often that makes.
    pub(crate) fn count(&mut self, name: &str) -> u64 {
        let count = self.counts.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// How often something was counted.
    pub(crate) fn counted(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// Keeps a value and returns the one kept before.
    pub(crate) fn keep(&mut self, name: &str, value: Value) -> Option<Value> {
        self.values.insert(name.to_owned(), value)
    }

    /// Keeps a content, or forgets the one kept.
    pub(crate) fn keep_content(&mut self, name: &str, content: Option<Content>) {
        match content {
            Some(content) => self.contents.insert(name.to_owned(), content),
            None => self.contents.remove(name),
        };
    }

    /// The content kept under a name.
    pub(crate) fn kept_content(&self, name: &str) -> Option<&Content> {
        self.contents.get(name)
    }

    /// Takes out the value kept under a name.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    /// The value kept under a name.
    pub(crate) fn kept(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }
}

/// A place in the course of a request where a fault does its work.
#[derive(Clone, Copy)]
pub(crate) enum Hook {
    /// Alters the request as it is understood: before the body came (`early`), and when it is there.
    Request(fn(&mut Asked, &mut Memory)),
    /// Alters what is remembered before the request is judged.
    Before(fn(&mut Realm, &Asked, &mut Memory)),
    /// These reasons do not count for these operations; no operations stand for all.
    Accepts(&'static [OperationName], &'static [Refusal]),
    /// For these reasons another status and code are given.
    Says(&'static [Refusal], u16, &'static str),
    /// Alters the decision.
    Decides(fn(&mut Decision, &Asked, &Model, &mut Memory)),
    /// Alters what is remembered after the request took effect.
    After(fn(&mut Realm, &Asked, &Effect, &mut Memory)),
    /// Alters a list before it is cut into pages.
    Lists(fn(&mut Vec<Entry>, &Asked, &Model, &mut Memory)),
    /// Alters the answer.
    Replies(fn(&mut Draft, &Told<'_>, &mut Memory)),
}

/// The faults of one server, each with its memory.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<(&'static Fault, Mutex<Memory>)>,
}

impl Faults {
    pub(crate) fn new(faults: &[&'static Fault]) -> Self {
        let active = faults.iter().map(|fault| (*fault, Mutex::default()));
        Self {
            active: active.collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    fn hooks(&self, mut visit: impl FnMut(Hook, MutexGuard<'_, Memory>)) {
        for (fault, memory) in &self.active {
            for hook in fault.hooks {
                visit(*hook, memory.lock().unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    pub(crate) fn request(&self, asked: &mut Asked) {
        self.hooks(|hook, mut memory| {
            if let Hook::Request(alter) = hook {
                alter(asked, &mut memory);
            }
        });
    }

    pub(crate) fn before(&self, realm: &mut Realm, asked: &Asked) {
        self.hooks(|hook, mut memory| {
            if let Hook::Before(alter) = hook {
                alter(realm, asked, &mut memory);
            }
        });
    }

    /// Takes away the reasons that do not count.
    pub(crate) fn accept(&self, reasons: &mut Vec<Refusal>, action: &Action) {
        self.hooks(|hook, _| {
            if let Hook::Accepts(operations, refusals) = hook {
                let named = action.operation();
                let concerned = operations.is_empty()
                    || named.is_some_and(|operation| operations.contains(&operation));
                reasons.retain(|reason| !(concerned && refusals.contains(reason)));
            }
        });
    }

    pub(crate) fn decide(&self, decision: &mut Decision, asked: &Asked, model: &Model) {
        self.hooks(|hook, mut memory| match hook {
            Hook::Says(refusals, status, code) => say(decision, refusals, status, code),
            Hook::Decides(alter) => alter(decision, asked, model, &mut memory),
            _ => {}
        });
    }

    pub(crate) fn after(&self, realm: &mut Realm, asked: &Asked, effect: &Effect) {
        self.hooks(|hook, mut memory| {
            if let Hook::After(alter) = hook {
                alter(realm, asked, effect, &mut memory);
            }
        });
    }

    pub(crate) fn list(&self, entries: &mut Vec<Entry>, asked: &Asked, model: &Model) {
        self.hooks(|hook, mut memory| {
            if let Hook::Lists(alter) = hook {
                alter(entries, asked, model, &mut memory);
            }
        });
    }

    pub(crate) fn reply(&self, draft: &mut Draft, told: &Told<'_>) {
        self.hooks(|hook, mut memory| {
            if let Hook::Replies(alter) = hook {
                alter(draft, told, &mut memory);
            }
        });
    }
}

fn say(decision: &mut Decision, refusals: &[Refusal], status: u16, code: &str) {
    if let Decision::Refuse(refused) = decision
        && refused
            .reason
            .is_some_and(|reason| refusals.contains(&reason))
    {
        refused.status = status;
        code.clone_into(&mut refused.code);
    }
}
