//! Baselines: deviations that are known and accepted, each with a reason.
//! Refuses to know what day it is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::finding::{Deviation, Fingerprint};
use crate::requirement::{Registry, RequirementId};
use crate::yaml::{self, YamlError};

/// A known deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The one deviation it is about. A new symptom has a new fingerprint, and fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// The requirement it is about: beside a fingerprint for readers; alone it waives every symptom of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<RequirementId>,
    /// Why it is accepted.
    pub reason: String,
    /// Where it is tracked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The last day it counts, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// A list of known deviations, as kept in a file beside the tests of a server.
///
/// ```
/// use crevasse_core::baseline::Baseline;
/// let text = "- requirement: CV-IDEM-002\n  reason: fixed in the next release\n";
/// assert_eq!(Baseline::parse(text).unwrap().entries.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline {
    /// The entries in order.
    pub entries: Vec<Entry>,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not the YAML that was wanted.
    #[error("read the baseline: {0}")]
    Yaml(#[from] YamlError),
    /// An entry that says nothing one could match.
    #[error("use entry {0} of the baseline: it names neither a fingerprint nor a requirement")]
    Empty(usize),
    /// An entry without a reason.
    #[error("use entry {0} of the baseline: it gives no reason")]
    NoReason(usize),
    /// An entry about a requirement that there is not.
    #[error("use entry {0} of the baseline: no requirement is called {1}")]
    Unknown(usize, RequirementId),
    /// A day that is none.
    #[error("use entry {0} of the baseline: `{1}` is not a day of the form YYYY-MM-DD")]
    Day(usize, String),
}

impl Baseline {
    /// Reads a baseline, strictly.
    ///
    /// # Errors
    /// Malformed YAML, unknown fields, and entries that cannot match or give no reason.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        if text
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
        {
            return Ok(Self::default());
        }
        let baseline: Self = yaml::parse(text)?;
        for (place, entry) in baseline.entries.iter().enumerate() {
            entry.check(place + 1)?;
        }
        Ok(baseline)
    }

    /// Writes it as YAML, under a comment that says what it is.
    pub fn to_yaml(&self) -> String {
        let head = "# Deviations that are known and accepted. A finding that is not listed fails the run; an entry that matches none is stale.\n";
        head.to_owned() + &serde_yaml::to_string(self).expect("texts serialise")
    }

    /// The entry that waives a deviation on this day (`YYYY-MM-DD`).
    pub fn waives(&self, deviation: &Deviation, today: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.counts(today) && entry.is_about(deviation))
    }

    /// Entries that match nothing that was found among requirements that were judged, or that expired. Of entries that name no
    /// requirement that is known only when everything was judged.
    pub fn stale<'a>(
        &'a self,
        found: &[&Deviation],
        judged: &BTreeSet<RequirementId>,
        everything: bool,
        today: &str,
    ) -> Vec<&'a Entry> {
        let gone = |entry: &&Entry| {
            let known = entry
                .requirement
                .as_ref()
                .map_or(everything, |id| judged.contains(id));
            !entry.counts(today)
                || known && !found.iter().any(|deviation| entry.is_about(deviation))
        };
        self.entries.iter().filter(gone).collect()
    }

    /// The baseline that accepts what was found and forgets what is stale: known reasons are kept, new ones ask to be written.
    pub fn updated(&self, found: &[&Deviation], stale: &[&Entry], today: &str) -> Self {
        let entry = |deviation: &&Deviation| {
            let known = self.entries.iter().find(|entry| entry.is_about(deviation));
            Entry {
                fingerprint: Some(deviation.fingerprint.clone()),
                requirement: Some(deviation.requirement.clone()),
                reason: known.map_or_else(
                    || format!("accepted on {today}: {}", deviation.symptom.title),
                    |entry| entry.reason.clone(),
                ),
                link: known.and_then(|entry| entry.link.clone()),
                expires: known
                    .filter(|entry| entry.counts(today))
                    .and_then(|entry| entry.expires.clone()),
            }
        };
        let about_nothing_found = |entry: &&Entry| {
            !stale.contains(entry) && !found.iter().any(|deviation| entry.is_about(deviation))
        };
        let kept = self.entries.iter().filter(about_nothing_found).cloned();
        Self {
            entries: found.iter().map(entry).chain(kept).collect(),
        }
    }
}

impl Entry {
    fn check(&self, place: usize) -> Result<(), BaselineError> {
        if self.fingerprint.is_none() && self.requirement.is_none() {
            return Err(BaselineError::Empty(place));
        }
        if self.reason.trim().is_empty() {
            return Err(BaselineError::NoReason(place));
        }
        if let Some(id) = self
            .requirement
            .as_ref()
            .filter(|id| Registry::builtin().get(id).is_none())
        {
            return Err(BaselineError::Unknown(place, id.clone()));
        }
        match self
            .expires
            .as_deref()
            .filter(|day| day.parse::<jiff::civil::Date>().is_err())
        {
            Some(day) => Err(BaselineError::Day(place, day.to_owned())),
            None => Ok(()),
        }
    }

    fn counts(&self, today: &str) -> bool {
        self.expires.as_deref().is_none_or(|last| today <= last)
    }

    fn is_about(&self, deviation: &Deviation) -> bool {
        match (&self.fingerprint, &self.requirement) {
            (Some(fingerprint), _) => *fingerprint == deviation.fingerprint,
            (None, Some(requirement)) => *requirement == deviation.requirement,
            (None, None) => false,
        }
    }
}
