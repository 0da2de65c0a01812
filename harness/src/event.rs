//! What a run tells as it goes: terminal, journal and reports are listeners.
//! Refuses to know what any listener makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crevasse_core::amz_date::Timestamp;
use crevasse_core::baseline::Baseline;
use crevasse_core::check::Record;
use crevasse_core::finding::{Fingerprint, Ledger};
use crevasse_core::requirement::RequirementId;
use crevasse_core::scenario::{Profile, Scenario};
use crevasse_core::spec::OperationName;

use crate::shard::Shard;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// By what terms the run is reported on. The last word counts.
    Terms(Box<Terms>),
    /// The run is taken up after an interruption, from the journal: what counts of it is said again, and what was said before is not
    /// added up.
    Resumed {
        /// What the names of resources begin with from here on.
        prefix: String,
    },
    /// The target could not be reached at all.
    Unreachable {
        /// Why, in a lowercase fragment that fits after "failed to".
        message: String,
    },
    /// What the target told about itself.
    Learned(Learned),
    /// What the probe found out about one operation.
    Capability(Capability),
    /// A scenario is not run, for a reason that lies in the target or in how the run was asked for.
    Skipped {
        /// The scenario.
        scenario: String,
        /// A lowercase fragment.
        reason: String,
        /// The requirements it was there for.
        #[serde(default)]
        covers: Vec<RequirementId>,
    },
    /// The first request of a case is about to be sent.
    CaseStarted {
        /// The case.
        case: String,
    },
    /// A case is over and judged.
    CaseJudged(Box<CaseJudged>),
    /// Where the run stands. Sent after each case, and whenever a phase begins.
    Progress(Progress),
    /// A deviation was tried again on fresh resources.
    Reproduced {
        /// The deviation.
        fingerprint: Fingerprint,
        /// How often it was seen again.
        seen: u32,
        /// Out of how many tries; 0 where it cannot be had again.
        tried: u32,
        /// What shows it, when it was seen as often as it has to be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sight: Option<Box<Sight>>,
    },
    /// A resource of ours that is still there.
    Leak(Leak),
    /// A fault of Crevasse itself; it is no news about the target.
    Fault {
        /// The case it happened in, if in one.
        case: Option<String>,
        /// What happened, in a lowercase fragment.
        message: String,
    },
    /// The run is over.
    RunFinished(RunFinished),
}

/// What a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Its id.
    pub run: String,
    /// The seed of everything generated.
    pub seed: u64,
    /// How much of the target's time it may take.
    pub profile: Profile,
    /// The endpoint.
    pub endpoint: String,
    /// Concurrent requests.
    pub jobs: usize,
    /// The name of the specification judged by.
    pub spec: String,
    /// `sha256:` and the digest of its text.
    pub spec_digest: String,
    /// What the names of all resources of the run begin with.
    pub prefix: String,
    /// When it began.
    pub started: Timestamp,
    /// The share of the cases that it runs.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
    /// The arguments of the command line after `run`: what it takes to go on with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Those options of the command line that lead to the target and to where the run is kept, each as one word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// By what terms a run is reported on: what a report says and no exchange tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The operations that the specification defines.
    pub operations: BTreeSet<OperationName>,
    /// Requirements looked at; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub selected: BTreeSet<RequirementId>,
    /// Whether SHOULD counts like MUST.
    pub strict: bool,
    /// The day of the run, `YYYY-MM-DD`, for entries of the baseline that expire.
    pub today: String,
    /// Known deviations.
    pub baseline: Baseline,
    /// The target, when a file describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetFacts>,
    /// Whether it is the right reference server in the process of the run: that is gone with it, and each run has another.
    #[serde(default)]
    pub built_in: bool,
    /// What people should know besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The target as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// Its name in a matrix.
    pub label: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The operations that it is said to have. None are said to be missing where the file names none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub operations: BTreeSet<OperationName>,
}

impl TargetFacts {
    /// A target of which only its name is known.
    pub fn named(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            version: None,
            operations: BTreeSet::new(),
        }
    }

    /// What the right reference server in the process of a run is called.
    pub fn built_in() -> Self {
        Self::named("the built-in reference server")
    }
}

/// What the target told about itself: where a judge's model starts from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The account's 12 digits.
    pub account: Option<String>,
    /// The region, as its ARNs name it.
    pub region: Option<String>,
    /// Whether a wrong signature is refused.
    pub enforces_signatures: bool,
}

/// Whether an operation is there at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// The operation.
    pub operation: OperationName,
    /// Whether it is there.
    pub supported: bool,
    /// What that rests on: the answer in a few words.
    pub reason: String,
}

/// How it begins why a wait ended for a job that was in progress for longer than a target is given.
pub const LATE: &str = "the job was not over in time";

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseJudged {
    /// The case.
    pub case: String,
    /// What it tried, in a sentence.
    pub title: String,
    /// The requirements it was there for.
    pub covers: Vec<RequirementId>,
    /// Requests answered.
    pub exchanges: usize,
    /// Operations asked for.
    pub exercised: BTreeSet<OperationName>,
    /// Its judgements, added up.
    pub ledger: Ledger,
    /// Steps that could not be sent or waits that ended early, and why.
    pub blocked: Vec<(usize, String)>,
    /// Requests that were answered only when they were sent again, by what put them off: a status, or 0 for a connection lost.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub put_off: BTreeMap<u16, usize>,
    /// Whether it waits for a job and can go on.
    #[serde(default)]
    pub waits: bool,
    /// How long it took, parked time included.
    pub seconds: f64,
}

impl CaseJudged {
    /// Whether a job of it was not over in time: then it settles less than it was to.
    pub fn is_unresolved(&self) -> bool {
        self.blocked.iter().any(|(_, why)| why.starts_with(LATE))
    }
}

/// What a run is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Playing a plan to a right server in this process.
    Rehearsing,
    /// Asking each operation whether it is there.
    Probing,
    /// Running cases.
    Cases,
    /// Running cases that must be alone.
    ExclusiveCases,
    /// Trying deviations again.
    Reproducing,
    /// Removing what is left.
    CleaningUp,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What it is busy with.
    pub phase: Phase,
    /// Cases done.
    pub done: usize,
    /// Cases known so far.
    pub total: usize,
    /// Requests sent.
    pub exchanges: u64,
    /// Different deviations.
    pub findings: usize,
}

/// A resource of ours that is still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// `vault`, `archive`, `upload`, `lock` or `capacity`.
    pub kind: String,
    /// Its name or id, with that of its vault.
    pub name: String,
    /// Why it is still there.
    pub reason: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// How long it took.
    pub seconds: f64,
    /// Whether everything that was planned was run.
    pub complete: bool,
    /// Whether the user ended it.
    pub interrupted: bool,
    /// Why the target counts as gone, when it stopped answering in the middle of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// The bound of its budget that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<String>,
    /// Requests sent.
    #[serde(default)]
    pub requests: Requests,
}

/// Requests of a run, clean-up included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Those that `crevasse plan` counts.
    pub planned: u64,
    /// Those that only asked whether a job is complete.
    pub polls: u64,
    /// Those that tried deviations again or made them small.
    pub again: u64,
}

/// One sighting of a deviation, as it is shown: the smallest known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// The scenario that shows it.
    pub scenario: Scenario,
    /// Its records, up to the decisive one.
    pub records: Vec<Record>,
    /// What the rule demands there.
    pub expected: String,
    /// What came there.
    pub actual: String,
}
