//! What a run used of its target, and what it may use.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use crevasse_core::prices::{Prices, Usage};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{Body, Reply, Request, Response};

use crate::journal::{Kind, Line, Resource};

/// Bounds of what a run may use; what is `None` is not bounded.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// Requests, polls included.
    pub requests: Option<u64>,
    /// Bytes of bodies, up and down.
    pub bytes: Option<u64>,
    /// Resources alive at once.
    pub live: Option<u64>,
    /// What it costs by these prices.
    pub cost: Option<(f64, Prices)>,
}

/// A bound that usage goes beyond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// What is bounded: `requests`, `bytes`, `live`, `cost`.
    pub what: &'static str,
    used: String,
    bound: String,
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of --max-{} {}", self.used, self.what, self.bound)
    }
}

impl Budget {
    /// Whether nothing is bounded.
    pub fn is_unlimited(&self) -> bool {
        self.requests.is_none()
            && self.bytes.is_none()
            && self.live.is_none()
            && self.cost.is_none()
    }

    /// The first bound that usage goes beyond.
    pub fn beyond(&self, usage: &Usage) -> Option<Beyond> {
        let counts = [
            ("requests", usage.total(), self.requests),
            ("bytes", usage.up + usage.down, self.bytes),
            ("live", usage.live, self.live),
        ];
        let over = counts.into_iter().find_map(|(what, used, bound)| {
            let bound = bound.filter(|bound| used > *bound)?;
            let (used, bound) = (used.to_string(), bound.to_string());
            Some(Beyond { what, used, bound })
        });
        over.or_else(|| {
            let (bound, prices) = self.cost.as_ref()?;
            let cost = prices.cost(usage);
            (cost > *bound).then(|| Beyond {
                what: "cost",
                used: format!("{cost:.2}"),
                bound: format!("{bound:.2}"),
            })
        })
    }
}

/// Adds up what is used.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    pub(crate) budget: Budget,
    pub(crate) usage: Usage,
    /// The first bound that was broken.
    pub(crate) spent: Option<Beyond>,
    /// Resources that are there, by vault.
    live: HashMap<String, HashSet<Resource>>,
}

impl Purse {
    /// A request was sent; says whether a bound is broken by now.
    pub(crate) fn pay(&mut self, spec: &Spec, request: &Request, reply: &Reply) -> bool {
        let asked = spec.operations.values().find(|operation| {
            operation.method == request.method
                && operation
                    .uri
                    .matches(&request.path, &request.query)
                    .is_some()
        });
        let name = asked.map(|operation| operation.name);
        *self.usage.requests.entry(name).or_default() += 1;
        self.usage.up += request.body.length();
        if let Reply::Response(response) = reply {
            self.usage.down += response.body.length;
            if let Some(name) = name.filter(|_| response.is_success()) {
                self.charge(name, request, response);
            }
        }
        if self.spent.is_none() {
            self.spent = self.budget.beyond(&self.usage);
        }
        self.spent.is_some()
    }

    fn charge(&mut self, name: OperationName, request: &Request, response: &Response) {
        use OperationName as O;
        match name {
            O::UploadArchive | O::UploadMultipartPart => {
                self.usage.stored += request.body.length();
            }
            O::InitiateJob => *self.usage.jobs.entry(tier(request)).or_default() += 1,
            O::GetJobOutput => self.usage.retrieved += response.body.length,
            O::PurchaseProvisionedCapacity => self.usage.units += 1,
            _ => {}
        }
    }

    /// Something was made, or is gone.
    pub(crate) fn count(&mut self, line: &Line) {
        match line {
            Line::Made(made) if made.kind != Kind::Job => {
                let inside = self.live.entry(made.vault.clone()).or_default();
                inside.insert(made.clone());
                let live = self.live.values().map(|inside| inside.len() as u64).sum();
                self.usage.live = self.usage.live.max(live);
            }
            Line::Gone(gone) if gone.kind == Kind::Vault => {
                self.live.remove(&gone.vault);
            }
            Line::Gone(gone) => {
                if let Some(inside) = self.live.get_mut(&gone.vault) {
                    inside.remove(gone);
                }
            }
            _ => {}
        }
    }
}

/// The tier of an archive retrieval; inventories have none.
fn tier(request: &Request) -> String {
    let Body::Text(text) = &request.body else {
        return "Standard".to_owned();
    };
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let member = |name: &str| document.get(name).and_then(Value::as_str);
    match (member("Type"), member("Tier")) {
        (Some("inventory-retrieval"), _) => "Inventory".to_owned(),
        (_, Some(tier)) => tier.to_owned(),
        _ => "Standard".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn usage(requests: u64) -> Usage {
        Usage {
            requests: BTreeMap::from([(None, requests)]),
            ..Usage::default()
        }
    }

    #[test]
    fn a_budget_is_kept_to_the_last_request_and_not_beyond() {
        let budget = Budget {
            requests: Some(10),
            ..Budget::default()
        };
        assert_eq!(budget.beyond(&usage(10)), None);
        let beyond = budget.beyond(&usage(11)).unwrap();
        assert_eq!(beyond.to_string(), "11 of --max-requests 10");
        assert!(Budget::default().is_unlimited() && !budget.is_unlimited());
    }

    #[test]
    fn what_was_in_a_vault_goes_with_it() {
        let mut purse = Purse::default();
        let archive = Resource {
            kind: Kind::Archive,
            vault: "v".to_owned(),
            id: Some("a".to_owned()),
        };
        purse.count(&Line::Made(Resource::vault("v")));
        purse.count(&Line::Made(archive));
        purse.count(&Line::Gone(Resource::vault("v")));
        purse.count(&Line::Made(Resource::vault("w")));
        purse.count(&Line::Made(Resource::vault("w")));
        assert_eq!((purse.usage.live, purse.live.len()), (2, 1));
    }
}
