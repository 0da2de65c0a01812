//! The report, version 1: what every format is made from, and what is read back by `compare`, `merge` and filters.
//! Shapes as documented in the README; readers ignore unknown fields.

use std::collections::BTreeMap;
use std::io;

use indexmap::IndexMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crevasse_core::check::Record;
use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::spec::OperationName;
use crevasse_core::verdict::Verdict;

use crate::shard::Shard;

pub use crate::event::TargetFacts;

/// Names the format and its version.
pub const SCHEMA: &str = "crevasse.report/1";

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What was judged by.
    pub spec: SpecFacts,
    /// What was run.
    pub run: RunFacts,
    /// What a vendor matrix calls the target, from the target file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetFacts>,
    /// The counts, and how it ended.
    pub summary: Summary,
    /// Which operations are there.
    pub operations: Vec<OperationFacts>,
    /// Every requirement of the operations that the specification defines.
    pub requirements: Vec<RequirementFacts>,
    /// Deviations, each once.
    pub findings: Vec<FindingFacts>,
    /// What several findings share, weightiest first.
    pub causes: Vec<CauseFacts>,
    /// Resources that could not be removed.
    pub leaks: Vec<LeakFacts>,
    /// Baseline entries that match nothing any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<StaleFacts>,
    /// What the target cannot be blamed for: faults of Crevasse itself, and notes on foreign specifications.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Report {
    /// The findings of each cause, in their order.
    pub fn by_cause(&self) -> BTreeMap<&str, Vec<&FindingFacts>> {
        let mut causes: BTreeMap<&str, Vec<&FindingFacts>> = BTreeMap::new();
        for finding in &self.findings {
            causes.entry(&finding.cause).or_default().push(finding);
        }
        causes
    }

    /// The document as JSON, for people to look into as well.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report serialises") + "\n"
    }

    /// Writes what [`Report::to_json`] gives, without having it whole in memory.
    ///
    /// # Errors
    /// When `to` cannot be written to.
    pub fn write_json(&self, mut to: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut to, self)?;
        to.write_all(b"\n")?;
        to.flush()
    }

    /// The findings about a requirement.
    pub fn findings_about(&self, facts: &RequirementFacts) -> impl Iterator<Item = &FindingFacts> {
        self.findings
            .iter()
            .filter(|finding| facts.findings.contains(&finding.id))
    }
}

/// Who wrote a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `crevasse`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecFacts {
    /// The name of the specification.
    pub name: String,
    /// `sha256:` of its text.
    pub digest: String,
    /// `sha256:` of the requirement registry.
    #[serde(default)]
    pub registry: String,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The id of the run.
    pub id: String,
    /// The seed of everything generated.
    pub seed: u64,
    /// `quick`, `standard` or `thorough`.
    pub profile: String,
    /// The endpoint.
    pub endpoint: String,
    /// Concurrent requests.
    pub jobs: usize,
    /// When it began, ISO 8601 UTC.
    pub started: String,
    /// How long it took.
    pub seconds: f64,
    /// Whether everything that was planned was run.
    pub complete: bool,
    /// Whether the target was the right reference server in the process of the run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub built_in: bool,
    /// The share of the cases that it ran.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
    /// Options of its command line that it takes beside the endpoint to see anything again: `--host-header=…`, `--run-dir=…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// Counts by verdict.
pub type Counts = IndexMap<Verdict, usize>;

/// The counts, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `conforms`, `deviates`, `nothing verified`, `incomplete`, …
    pub verdict: String,
    /// The exit code of the run.
    pub exit_code: u8,
    /// Cases run.
    pub cases: usize,
    /// Requests answered.
    pub exchanges: usize,
    /// Findings.
    pub findings: usize,
    /// Causes.
    pub causes: usize,
    /// MUST requirements by verdict.
    pub must: Counts,
    /// SHOULD requirements by verdict.
    pub should: Counts,
    /// MAY requirements by verdict.
    pub may: Counts,
    /// Operations.
    pub operations: OperationCounts,
}

/// Operations in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationCounts {
    /// Defined by the specification.
    pub total: usize,
    /// There, as the probe saw it.
    pub supported: usize,
    /// Asked for at least once beyond the probe.
    pub exercised: usize,
}

/// What a probe said of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationFacts {
    /// The operation.
    pub name: OperationName,
    /// Whether it is there.
    pub supported: bool,
    /// What that rests on.
    pub reason: String,
    /// Whether the file that describes the target names it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub expected: bool,
}

impl OperationFacts {
    /// Whether the target was said to have it, and has it not: then the run is not as expected.
    pub fn is_missing(&self) -> bool {
        self.expected && !self.supported
    }
}

/// A requirement and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementFacts {
    /// Its id.
    pub id: RequirementId,
    /// The operations it speaks of, `(all operations)` for every one.
    pub operation: String,
    /// Its level.
    pub level: Level,
    /// Where it is known from, joined by `+`.
    pub evidence: String,
    /// The verdict.
    pub verdict: Verdict,
    /// How often it held.
    pub held: usize,
    /// How often it was broken.
    pub violated: usize,
    /// The findings about it, by id.
    pub findings: Vec<String>,
    /// An exchange that held it: case and record, `output-ranges#12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// Why it has this verdict, where that needs saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a demand was seen broken, and then not each time: nobody knows whether it holds, so the run is not as expected.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsettled: bool,
}

fn is_false(it: &bool) -> bool {
    !it
}

fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RequirementId>, D::Error> {
    let requirements = Vec::deserialize(from)?;
    match requirements.is_empty() {
        true => Err(D::Error::custom(
            "a finding breaks one requirement at least",
        )),
        false => Ok(requirements),
    }
}

/// A deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingFacts {
    /// Its id in this report: `F1`.
    pub id: String,
    /// Its name across runs.
    pub fingerprint: String,
    /// What is wrong, in a sentence.
    pub title: String,
    /// The requirement it breaks, first; never empty.
    #[serde(deserialize_with = "one_or_more")]
    pub requirements: Vec<RequirementId>,
    /// How firmly.
    pub level: Level,
    /// Whether it fails the run.
    pub fails: bool,
    /// The operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationName>,
    /// The check that saw it.
    pub check: String,
    /// The rule, as the registry states it.
    pub rule: String,
    /// Where the rule stands.
    pub source: String,
    /// What the rule demands here.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// How often it was seen.
    pub count: usize,
    /// `3/3`, or why it was not run again.
    pub reproduced: String,
    /// Why it does not fail the run, when the baseline waives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// Its cause, by id.
    pub cause: String,
    /// The case it was first seen in.
    pub case: String,
    /// The exchanges it rests on, the decisive one last.
    pub exchanges: Vec<Record>,
    /// How to see it again.
    pub repro: Repro,
}

/// How to see a finding again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repro {
    /// The lines of a POSIX script; empty when curl cannot say it.
    pub curl: Vec<String>,
    /// The scenario, as YAML for `crevasse replay`.
    pub scenario: String,
}

/// What several findings share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseFacts {
    /// Its id in this report: `C1`.
    pub id: String,
    /// The symptom family, stable across runs.
    pub symptom: String,
    /// What is wrong, in a sentence.
    pub title: String,
    /// The strongest level of its findings.
    pub level: Level,
    /// Its findings, by id.
    pub findings: Vec<String>,
    /// The operations it touches.
    pub operations: Vec<OperationName>,
}

/// A resource that could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakFacts {
    /// What it is: `vault`, `archive`, …
    pub kind: String,
    /// Its name or id.
    pub name: String,
    /// Why it is still there.
    pub reason: String,
}

/// A baseline entry that matches nothing any more, or expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleFacts {
    /// The fingerprint or requirement it names.
    pub entry: String,
    /// The reason it gave, after `expired on DAY: ` where that is why it counts no more.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use crate::report::sample::report;

    use super::*;

    #[test]
    fn a_finding_that_breaks_nothing_is_no_report() {
        let mut tree = serde_json::to_value(report()).unwrap();
        assert!(serde_json::from_value::<Report>(tree.clone()).is_ok());
        tree["findings"][0]["requirements"] = serde_json::json!([]);
        let refused = serde_json::from_value::<Report>(tree).unwrap_err();
        assert!(refused.to_string().contains("one requirement at least"));
    }
}
