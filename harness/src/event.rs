//! What a run tells as it goes: terminal, journal and reports are listeners.
//! Refuses to know what any listener makes of it.

use serde::{Deserialize, Serialize};

use crevasse_core::amz_date::Timestamp;
use crevasse_core::check::{Judgement, Outcome, Record};
use crevasse_core::finding::Fingerprint;
use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::scenario::{Profile, Scenario};
use crevasse_core::spec::OperationName;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The target answered, and the run begins.
    RunStarted(RunStarted),
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
    },
    /// The first request of a case is about to be sent.
    CaseStarted {
        /// The case.
        case: String,
    },
    /// A case is over and judged.
    CaseJudged(CaseJudged),
    /// Where the run stands. Sent after each case, and whenever a phase begins.
    Progress(Progress),
    /// A deviation was tried again on fresh resources.
    Reproduced {
        /// The deviation.
        fingerprint: Fingerprint,
        /// How often it was seen again.
        seen: u32,
        /// Out of how many tries.
        tried: u32,
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

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseJudged {
    /// The case.
    pub case: String,
    /// What it tried, in a sentence.
    pub title: String,
    /// Requests answered.
    pub exchanges: usize,
    /// Judgements that held.
    pub held: usize,
    /// Judgements that did not.
    pub violations: Vec<Violation>,
    /// What could not be judged, and why.
    pub inconclusive: Vec<Undecided>,
    /// Steps that could not be sent or waits that ended early, and why.
    pub blocked: Vec<(usize, String)>,
    /// How long it took, parked time included.
    pub seconds: f64,
}

/// A broken requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The deviation it is a sighting of.
    pub fingerprint: Fingerprint,
    /// The requirement.
    pub requirement: RequirementId,
    /// The operation.
    pub operation: Option<OperationName>,
    /// The check.
    pub check: String,
    /// How firmly.
    pub grade: Level,
    /// What is wrong, as the title of a cause.
    pub title: String,
    /// What the rule demands here.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// Indices of the records it rests on, the decisive one last.
    pub records: Vec<usize>,
}

/// A requirement that applied and could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The requirement.
    pub requirement: RequirementId,
    /// Why.
    pub reason: String,
}

/// What a run is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
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
    /// Requests answered.
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
}

/// A deviation, seen again.
#[derive(Clone, Debug)]
pub struct Reproduction {
    /// `3/3`.
    pub times: String,
    /// The smallest scenario found that shows it.
    pub scenario: Scenario,
    /// Its records, up to the decisive one.
    pub records: Vec<Record>,
    /// What the rule demands there.
    pub expected: String,
    /// What came there.
    pub actual: String,
}

impl CaseJudged {
    /// Enters judgements by outcome.
    pub fn tell(&mut self, judgements: &[Judgement]) {
        for judgement in judgements {
            match &judgement.outcome {
                Outcome::Held => self.held += 1,
                Outcome::Violated { .. } => self.violations.extend(Violation::of(judgement)),
                Outcome::Inconclusive { reason } => self.inconclusive.push(Undecided {
                    requirement: judgement.requirement.clone(),
                    reason: reason.clone(),
                }),
            }
        }
    }
}

impl Violation {
    /// The violation that a judgement tells of, if it does.
    pub fn of(judgement: &Judgement) -> Option<Self> {
        let Outcome::Violated {
            symptom,
            grade,
            expected,
            actual,
        } = &judgement.outcome
        else {
            return None;
        };
        let (requirement, operation) = (&judgement.requirement, judgement.operation);
        Some(Self {
            fingerprint: Fingerprint::new(requirement, operation, judgement.check, symptom),
            requirement: requirement.clone(),
            operation,
            check: judgement.check.to_owned(),
            grade: *grade,
            title: symptom.title.clone(),
            expected: expected.clone(),
            actual: actual.clone(),
            records: judgement.records.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::check::Symptom;

    fn violated() -> Judgement {
        let symptom = Symptom::new("range-ignored", "the Range header is ignored");
        Judgement {
            requirement: RequirementId::of("GJO-RANGE-003"),
            check: "output-range",
            operation: Some(OperationName::GetJobOutput),
            outcome: Outcome::Violated {
                symptom,
                grade: Level::Must,
                expected: "bytes 0-9".to_owned(),
                actual: "everything".to_owned(),
            },
            records: vec![2, 5],
        }
    }

    #[test]
    fn a_case_counts_what_held_and_tells_what_did_not() {
        let held = Judgement {
            outcome: Outcome::Held,
            ..violated()
        };
        let mut case = CaseJudged {
            case: "a".to_owned(),
            title: "something".to_owned(),
            exchanges: 6,
            held: 0,
            violations: Vec::new(),
            inconclusive: Vec::new(),
            blocked: vec![(3, "the handle `j` was never bound".to_owned())],
            seconds: 0.25,
        };
        case.tell(&[held.clone(), violated(), held]);
        assert_eq!(case.held, 2);
        assert_eq!(case.violations[0].records, [2, 5]);
        let event = Event::CaseJudged(case);
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
