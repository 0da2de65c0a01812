//! What a run costs on Amazon: a table of list prices, and an account of what was asked for.
//! Refuses to know who asked.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::spec::OperationName;
use crate::yaml::{self, YamlError};

const BUILTIN: &str = include_str!("../specs/prices.yaml");

/// Bytes that are priced as one.
const GB: f64 = 1e9;
/// Operations that are charged as uploads.
const UPLOADS: [OperationName; 4] = [
    OperationName::UploadArchive,
    OperationName::InitiateMultipartUpload,
    OperationName::UploadMultipartPart,
    OperationName::CompleteMultipartUpload,
];

/// A table of prices, with its date and where it is from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The date they held on, `YYYY-MM-DD`.
    pub as_of: String,
    /// The region they hold in.
    pub region: String,
    /// Where they are from.
    pub source: String,
    /// What they are in.
    pub currency: String,
    /// A GB stored for a month.
    pub storage_per_gb_month: f64,
    /// Months that are charged at least.
    pub least_months: f64,
    /// A thousand uploads.
    pub uploads_per_1000: f64,
    /// Retrievals by tier.
    pub retrieval: BTreeMap<String, Retrieval>,
    /// A GB sent out.
    pub transfer_out_per_gb: f64,
    /// A unit of provisioned capacity.
    pub capacity_unit: f64,
}

/// The prices of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retrieval {
    /// A thousand jobs.
    pub per_1000: f64,
    /// A GB retrieved.
    pub per_gb: f64,
}

/// What was asked of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Requests by operation; those that are none under nothing.
    pub requests: BTreeMap<Option<OperationName>, u64>,
    /// Requests that only asked whether a job is complete.
    pub polls: u64,
    /// Bytes of request bodies.
    pub up: u64,
    /// Bytes of answers' bodies.
    pub down: u64,
    /// Bytes of archives stored.
    pub stored: u64,
    /// Jobs accepted, by tier.
    pub jobs: BTreeMap<String, u64>,
    /// Bytes of archives read out.
    pub retrieved: u64,
    /// Units of capacity bought.
    pub units: u64,
    /// Resources that were there at once, at most.
    pub live: u64,
}

impl Usage {
    /// All requests.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    fn of(&self, names: &[OperationName]) -> u64 {
        let times = |name: &OperationName| self.requests.get(&Some(*name));
        names.iter().filter_map(times).sum()
    }
}

impl Prices {
    /// The table that comes with Crevasse.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in table is well-formed")
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When it is not of this form.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        yaml::parse(text)
    }

    /// What usage costs, item by item. Retrieved bytes count under the dearest tier that was used: which job brought which is not known.
    pub fn bill(&self, usage: &Usage) -> Vec<(String, f64)> {
        let items = self.items(usage);
        items
            .map(|(item, amount)| (item.to_string(), amount))
            .collect()
    }

    /// What usage costs in all.
    pub fn cost(&self, usage: &Usage) -> f64 {
        self.items(usage).map(|(_, amount)| amount).sum()
    }

    fn items<'a>(&'a self, usage: &'a Usage) -> impl Iterator<Item = (Item<'a>, f64)> {
        let used = usage.jobs.keys();
        let used = used.filter_map(|tier| self.retrieval.get(tier));
        let dearest = used.map(|tier| tier.per_gb).fold(0.0, f64::max);
        let uploads = usage.of(&UPLOADS) as f64 / 1000.0;
        let stored = usage.stored as f64 / GB * self.storage_per_gb_month;
        let job = |(tier, jobs): (&'a String, &u64)| {
            let price = self.retrieval.get(tier).map_or(0.0, |tier| tier.per_1000);
            (Item::Jobs(tier), *jobs as f64 / 1000.0 * price)
        };
        let kept = [
            (Item::Uploads, uploads * self.uploads_per_1000),
            (Item::Storage(self.least_months), stored * self.least_months),
        ];
        let sent_out = usage.down as f64 / GB * self.transfer_out_per_gb;
        let taken = [
            (Item::Retrieved, usage.retrieved as f64 / GB * dearest),
            (Item::SentOut, sent_out),
            (Item::Capacity, usage.units as f64 * self.capacity_unit),
        ];
        kept.into_iter()
            .chain(usage.jobs.iter().map(job))
            .chain(taken)
    }
}

/// What is charged for.
enum Item<'a> {
    Uploads,
    /// For so many months.
    Storage(f64),
    /// Of this tier.
    Jobs(&'a str),
    Retrieved,
    SentOut,
    Capacity,
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uploads => f.write_str("uploads"),
            Self::Storage(months) => write!(f, "storage for {months} months"),
            Self::Jobs(tier) => write!(f, "{tier} jobs"),
            Self::Retrieved => f.write_str("bytes retrieved"),
            Self::SentOut => f.write_str("bytes sent out"),
            Self::Capacity => f.write_str("provisioned capacity"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_date_a_source_and_all_tiers() {
        let prices = Prices::builtin();
        assert!(prices.as_of.len() == 10 && prices.source.starts_with("https://"));
        let tiers: Vec<&str> = prices.retrieval.keys().map(String::as_str).collect();
        assert_eq!(tiers, ["Bulk", "Expedited", "Standard"]);
    }

    #[test]
    fn a_bill_adds_up() {
        let mut usage = Usage {
            stored: 2_000_000_000,
            retrieved: 1_000_000_000,
            units: 1,
            ..Usage::default()
        };
        usage
            .requests
            .insert(Some(OperationName::UploadArchive), 2000);
        usage.requests.insert(Some(OperationName::ListVaults), 5000);
        usage.jobs.insert("Expedited".to_owned(), 100);
        let prices = Prices::builtin();
        let expected = 2.0 * 0.03 + 2.0 * 0.0036 * 3.0 + 1.0 + 0.03 + 100.0;
        assert!((prices.cost(&usage) - expected).abs() < 1e-9);
        assert_eq!(usage.total(), 7000);
    }
}
