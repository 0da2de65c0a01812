//! Findings: deviations with a stable name, counted once, grouped by cause.
//! Refuses to know how they are printed.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::check::rules::NO_ANSWER;
use crate::check::{Cause, Judgement, Outcome, Symptom};
use crate::requirement::{Level, Registry, Requirement, RequirementId};
use crate::spec::OperationName;
use crate::treehash::sha256;

/// What findings break that no document has a rule for: see [`ROBUSTNESS_RULE`].
pub const ROBUSTNESS: RequirementId = RequirementId::of("ROBUST-ANSWER-001");
/// What robustness demands.
pub const ROBUSTNESS_RULE: &str = "A request is answered: in time, whole, by no failure of the server, and no slower than before.";
/// Why it demands that.
pub const ROBUSTNESS_SOURCE: &str = "no document: what every client relies on";

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

impl Judgement {
    /// The name of the deviation that it tells of, if it does.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let Outcome::Violated { symptom, .. } = &self.outcome else {
            return None;
        };
        let (requirement, operation) = (&self.requirement, self.operation);
        Some(Fingerprint::new(
            requirement,
            operation,
            self.check,
            symptom,
        ))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a deviation was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// Its name.
    pub fingerprint: Fingerprint,
    /// The rule.
    pub requirement: RequirementId,
    /// The operation.
    pub operation: Option<OperationName>,
    /// The check that saw it.
    pub check: Cow<'static, str>,
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

/// How many reasons a tally remembers: some tell what the target said, which may be another thing each time.
pub const REASONS_REMEMBERED: usize = 16;

/// How many cases a deviation remembers.
pub const CASES_REMEMBERED: usize = 16;

impl Deviation {
    /// Whether it was seen once, in an answer that did not come: a connection lost once shows nothing.
    pub fn is_lost_answer(&self) -> bool {
        self.count == 1 && self.first.actual.starts_with(NO_ANSWER)
    }

    /// Whether it fails a run that nobody waives it in; `strict` adds SHOULD to MUST.
    pub fn fails(&self, strict: bool) -> bool {
        let demanded = if strict { Level::Should } else { Level::Must };
        let requirement = Registry::builtin().get(&self.requirement);
        requirement.is_none_or(Requirement::can_fail) && self.grade >= demanded
    }

    /// What it shares with others.
    pub fn cause(&self) -> Cause {
        Cause::of(&self.symptom, self.operation)
    }
}

/// What is known of one requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// How often it was kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub held: usize,
    /// How often it was broken, at its own level.
    #[serde(skip_serializing_if = "is_zero")]
    pub violated: usize,
    /// How often only a weaker part of it was broken.
    #[serde(skip_serializing_if = "is_zero")]
    pub weakly_violated: usize,
    /// Why it could not be judged, when it could not: the first [`REASONS_REMEMBERED`] by the alphabet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inconclusive: Vec<String>,
    /// An exchange that held it: case and record. The smallest case id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<(String, usize)>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Deviation {
    /// One sighting of it.
    fn seen(judgement: &Judgement, symptom: &Symptom, grade: Level, first: Sighting) -> Self {
        let (requirement, operation) = (&judgement.requirement, judgement.operation);
        Self {
            fingerprint: Fingerprint::new(requirement, operation, judgement.check, symptom),
            requirement: requirement.clone(),
            operation,
            check: Cow::Borrowed(judgement.check),
            symptom: symptom.clone(),
            grade,
            count: 1,
            cases: BTreeSet::from([first.case.clone()]),
            first,
        }
    }

    /// Counts more sightings of the same.
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.cases.extend(other.cases);
        while self.cases.len() > CASES_REMEMBERED {
            self.cases.pop_last();
        }
        self.grade = self.grade.max(other.grade);
        if (&other.first.case, &other.first.records) < (&self.first.case, &self.first.records) {
            self.symptom = other.symptom;
            self.first = other.first;
        }
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.held += other.held;
        self.violated += other.violated;
        self.weakly_violated += other.weakly_violated;
        other
            .inconclusive
            .iter()
            .for_each(|reason| self.undecided(reason));
        if let Some(seen) = &other.witness {
            self.witnessed(seen);
        }
    }

    fn witnessed(&mut self, seen: &(String, usize)) {
        if self.witness.as_ref().is_none_or(|witness| seen < witness) {
            self.witness = Some(seen.clone());
        }
    }

    fn undecided(&mut self, reason: &String) {
        if let Err(place) = self.inconclusive.binary_search(reason) {
            self.inconclusive.insert(place, reason.clone());
            self.inconclusive.truncate(REASONS_REMEMBERED);
        }
    }
}

/// Adds up judgements. The outcome does not depend on the order in which cases finish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
                tally.witnessed(&seen);
            }
            Outcome::Inconclusive { reason } => {
                tally.undecided(reason);
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
                let first = Sighting {
                    case: case.to_owned(),
                    records: judgement.records.clone(),
                    expected: expected.clone(),
                    actual: actual.clone(),
                };
                self.deviate(Deviation::seen(judgement, symptom, *grade, first));
            }
        }
    }

    /// Adds what another ledger says, about other cases.
    pub fn merge(&mut self, other: &Self) {
        for (requirement, tally) in &other.tallies {
            self.tallies
                .entry(requirement.clone())
                .or_default()
                .add(tally);
        }
        for deviation in other.deviations.values() {
            self.deviate(deviation.clone());
        }
    }

    /// Whether one of these deviations remembers the case.
    pub fn remembers(&self, case: &str, shown: &[Fingerprint]) -> bool {
        shown
            .iter()
            .filter_map(|it| self.deviations.get(it))
            .any(|known| known.cases.contains(case))
    }

    fn deviate(&mut self, seen: Deviation) {
        match self.deviations.get_mut(&seen.fingerprint) {
            Some(known) => known.add(seen),
            None => {
                self.deviations.insert(seen.fingerprint.clone(), seen);
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
        weightiest_first(causes.into_values().collect())
    }
}

/// Causes, and the deviations of each, the weightiest first. None may be empty.
pub fn weightiest_first(mut causes: Vec<Vec<&Deviation>>) -> Vec<Vec<&Deviation>> {
    for cause in &mut causes {
        cause.sort_by_key(|deviation| {
            (
                Reverse(deviation.grade),
                Reverse(deviation.count),
                deviation.fingerprint.clone(),
            )
        });
    }
    causes.sort_by_key(|cause| {
        (
            Reverse(cause[0].grade),
            Reverse(cause.len()),
            cause[0].requirement.clone(),
        )
    });
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(outcome: Outcome) -> Judgement {
        Judgement {
            requirement: RequirementId::of("GJO-RANGE-003"),
            check: "output-range",
            operation: Some(OperationName::GetJobOutput),
            outcome,
            records: vec![4],
        }
    }

    fn broken(grade: Level) -> Judgement {
        judgement(Outcome::Violated {
            symptom: Symptom::new("range-ignored", "the Range header is ignored"),
            grade,
            expected: "bytes 0-9".to_owned(),
            actual: "everything".to_owned(),
        })
    }

    /// What a case says, in a ledger of its own and in a common one.
    fn enter(common: &mut Ledger, case: &str, said: &[Judgement]) -> Ledger {
        let mut own = Ledger::default();
        for judgement in said {
            own.enter(case, judgement, |_| Level::Must);
            common.enter(case, judgement, |_| Level::Must);
        }
        own
    }

    #[test]
    fn ledgers_of_single_cases_merge_into_the_one_of_all_in_any_order() {
        let undecided = judgement(Outcome::Inconclusive {
            reason: "a timeout".to_owned(),
        });
        let mut common = Ledger::default();
        let own = [
            enter(
                &mut common,
                "b",
                &[judgement(Outcome::Held), undecided.clone()],
            ),
            enter(
                &mut common,
                "a",
                &[broken(Level::Should), judgement(Outcome::Held)],
            ),
            enter(
                &mut common,
                "c",
                &[broken(Level::Must), broken(Level::Must), undecided],
            ),
        ];
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let mut merged = Ledger::default();
            for place in order {
                merged.merge(&own[place]);
            }
            assert_eq!(merged, common);
        }
        let deviation = common.deviations.values().next().unwrap();
        assert_eq!((deviation.count, deviation.grade), (3, Level::Must));
        assert_eq!(deviation.first.case, "a");
    }

    #[test]
    fn a_ledger_reads_back_as_it_was_written() {
        let mut ledger = Ledger::default();
        enter(
            &mut ledger,
            "a",
            &[broken(Level::Must), judgement(Outcome::Held)],
        );
        let text = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
    }
}
