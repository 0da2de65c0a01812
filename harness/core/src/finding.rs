//! Findings: deviations with a stable name, counted once, grouped by cause.
//! Refuses to know how they are printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::check::{Cause, Judgement, Outcome, Symptom};
use crate::requirement::{Level, RequirementId};
use crate::spec::OperationName;
use crate::treehash::sha256;

/// Names a deviation across runs, seeds and versions: a hash of requirement, operation, check and symptom class, and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// The fingerprint of a deviation: the first 16 hexadecimal digits of a SHA-256.
    pub fn new(
        requirement: &RequirementId,
        operation: Option<OperationName>,
        check: &str,
        symptom: &Symptom,
    ) -> Self {
        let operation = operation.map_or_else(|| "-".to_owned(), |name| name.to_string());
        let text = format!(
            "crevasse/1\n{requirement}\n{operation}\n{check}\n{}\n{}",
            symptom.id, symptom.subject
        );
        Self(sha256(text.as_bytes()).to_string()[..16].to_owned())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a deviation was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The case.
    pub case: String,
    /// Indices of its records, the decisive one last.
    pub records: Vec<usize>,
    /// What the rule demands here.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// All sightings of one deviation.
#[derive(Clone, Debug)]
pub struct Deviation {
    /// Its name.
    pub fingerprint: Fingerprint,
    /// The rule.
    pub requirement: RequirementId,
    /// The operation.
    pub operation: Option<OperationName>,
    /// The check that saw it.
    pub check: &'static str,
    /// In which way.
    pub symptom: Symptom,
    /// How firmly.
    pub grade: Level,
    /// How often it was seen.
    pub count: usize,
    /// The sighting of the smallest case id: the same whatever the order of events.
    pub first: Sighting,
    /// The smallest ids of cases that showed it, [`CASES_REMEMBERED`] at most.
    pub cases: BTreeSet<String>,
}

/// How many cases a deviation remembers.
pub const CASES_REMEMBERED: usize = 16;

impl Deviation {
    /// What it shares with others.
    pub fn cause(&self) -> Cause {
        Cause::of(&self.symptom, self.operation)
    }
}

/// What is known of one requirement.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often it was kept.
    pub held: usize,
    /// How often it was broken, at its own level.
    pub violated: usize,
    /// How often only a weaker part of it was broken.
    pub weakly_violated: usize,
    /// Why it could not be judged, when it could not.
    pub inconclusive: Vec<String>,
    /// An exchange that held it: case and record. The smallest case id.
    pub witness: Option<(String, usize)>,
}

/// Adds up judgements. The outcome does not depend on the order in which cases finish.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Tallies by requirement.
    pub tallies: BTreeMap<RequirementId, Tally>,
    /// Deviations by fingerprint.
    pub deviations: BTreeMap<Fingerprint, Deviation>,
}

impl Ledger {
    /// Enters a judgement of a case. `level` tells a requirement's own level.
    pub fn enter(
        &mut self,
        case: &str,
        judgement: &Judgement,
        level: impl Fn(&RequirementId) -> Level,
    ) {
        let tally = self
            .tallies
            .entry(judgement.requirement.clone())
            .or_default();
        match &judgement.outcome {
            Outcome::Held => {
                tally.held += 1;
                let record = judgement.records.last().copied().unwrap_or_default();
                let seen = (case.to_owned(), record);
                if tally.witness.as_ref().is_none_or(|witness| seen < *witness) {
                    tally.witness = Some(seen);
                }
            }
            Outcome::Inconclusive { reason } => {
                if !tally.inconclusive.contains(reason) {
                    tally.inconclusive.push(reason.clone());
                    tally.inconclusive.sort();
                }
            }
            Outcome::Violated {
                symptom,
                grade,
                expected,
                actual,
            } => {
                if *grade >= level(&judgement.requirement) {
                    tally.violated += 1;
                } else {
                    tally.weakly_violated += 1;
                }
                let sighting = Sighting {
                    case: case.to_owned(),
                    records: judgement.records.clone(),
                    expected: expected.clone(),
                    actual: actual.clone(),
                };
                self.deviate(judgement, symptom, *grade, sighting);
            }
        }
    }

    fn deviate(
        &mut self,
        judgement: &Judgement,
        symptom: &Symptom,
        grade: Level,
        sighting: Sighting,
    ) {
        let fingerprint = Fingerprint::new(
            &judgement.requirement,
            judgement.operation,
            judgement.check,
            symptom,
        );
        match self.deviations.get_mut(&fingerprint) {
            Some(known) => {
                known.count += 1;
                known.cases.insert(sighting.case.clone());
                if known.cases.len() > CASES_REMEMBERED {
                    known.cases.pop_last();
                }
                known.grade = known.grade.max(grade);
                if (&sighting.case, &sighting.records) < (&known.first.case, &known.first.records) {
                    known.symptom = symptom.clone();
                    known.first = sighting;
                }
            }
            None => {
                let deviation = Deviation {
                    fingerprint: fingerprint.clone(),
                    requirement: judgement.requirement.clone(),
                    operation: judgement.operation,
                    check: judgement.check,
                    symptom: symptom.clone(),
                    grade,
                    count: 1,
                    cases: BTreeSet::from([sighting.case.clone()]),
                    first: sighting,
                };
                self.deviations.insert(fingerprint, deviation);
            }
        }
    }

    /// Deviations by cause, weightiest cause first: level, then number of operations and requirements touched.
    pub fn causes(&self) -> Vec<Vec<&Deviation>> {
        let mut causes: IndexMap<String, Vec<&Deviation>> = IndexMap::new();
        for deviation in self.deviations.values() {
            causes
                .entry(deviation.cause().key)
                .or_default()
                .push(deviation);
        }
        let mut causes: Vec<Vec<&Deviation>> = causes.into_values().collect();
        for cause in &mut causes {
            cause.sort_by_key(|deviation| {
                (
                    std::cmp::Reverse(deviation.grade),
                    std::cmp::Reverse(deviation.count),
                    deviation.fingerprint.clone(),
                )
            });
        }
        causes.sort_by_key(|cause| {
            (
                std::cmp::Reverse(cause[0].grade),
                std::cmp::Reverse(cause.len()),
                cause[0].requirement.clone(),
            )
        });
        causes
    }
}
