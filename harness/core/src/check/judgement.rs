//! The words a check speaks in: held, violated with a symptom, or could not be judged.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::requirement::{Level, RequirementId};
use crate::spec::OperationName;

/// What kind of wrong it is: the family that makes several findings one cause.
///
/// `id` and `subject` are part of fingerprints, so they hold no values, ids or sizes of the run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symptom {
    /// In kebab-case: `range-ignored`.
    pub id: Cow<'static, str>,
    /// What it is about, where the id alone would lump different causes together: a refusal, a member, an operation.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub subject: Cow<'static, str>,
    /// A sentence for people, as the title of a cause: "the Range header is ignored".
    pub title: String,
}

impl Symptom {
    /// A symptom that means one cause wherever it is seen.
    pub fn new(id: &'static str, title: impl Into<String>) -> Self {
        Self {
            id: Cow::Borrowed(id),
            subject: Cow::Borrowed(""),
            title: title.into(),
        }
    }

    /// The same symptom, one cause for each subject.
    pub fn about(self, subject: impl Into<Cow<'static, str>>) -> Self {
        Self {
            subject: subject.into(),
            ..self
        }
    }
}

/// How it came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The requirement applied and was kept.
    Held,
    /// It applied and was broken.
    Violated {
        /// In which way.
        symptom: Symptom,
        /// How firmly: the requirement's own level, or that of a part of it, which its text or the ambiguity it stands under grades otherwise:
        /// weaker ("null is a SHOULD deviation") or firmer ("MUST part: never more than 1,000").
        grade: Level,
        /// What the rule demands here, for people.
        expected: String,
        /// What came, for people.
        actual: String,
    },
    /// It applied, and the evidence does not decide.
    Inconclusive {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Whether another outcome says the same but for values and reasons.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Violated { symptom, grade, .. },
                Self::Violated {
                    symptom: its,
                    grade: as_firmly,
                    ..
                },
            ) => (&symptom.id, &symptom.subject, grade) == (&its.id, &its.subject, as_firmly),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// One judgement of one requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The requirement.
    pub requirement: RequirementId,
    /// The check that judged.
    pub check: &'static str,
    /// The operation it was judged on.
    pub operation: Option<OperationName>,
    /// How it came out.
    pub outcome: Outcome,
    /// Indices of the records it rests on, the decisive one last.
    pub records: Vec<usize>,
}

/// Collects what one check says about one piece of evidence.
pub struct Judgements {
    check: &'static str,
    operation: Option<OperationName>,
    records: Vec<usize>,
    level: fn(&str) -> Level,
    said: Vec<Judgement>,
}

impl Judgements {
    /// An empty collection for a check that looks at these records. `level` tells a requirement's own level.
    pub fn new(
        check: &'static str,
        operation: Option<OperationName>,
        records: Vec<usize>,
        level: fn(&str) -> Level,
    ) -> Self {
        Self {
            check,
            operation,
            records,
            level,
            said: Vec::new(),
        }
    }

    /// The requirement was kept.
    pub fn held(&mut self, requirement: &'static str) {
        self.push(requirement, Outcome::Held);
    }

    /// The requirement was broken.
    pub fn violated(
        &mut self,
        requirement: &'static str,
        symptom: Symptom,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let grade = (self.level)(requirement);
        self.graded(requirement, grade, symptom, expected, actual);
    }

    /// The part of the requirement that is graded `grade` was broken (a MUST requirement with a SHOULD part, say).
    pub fn graded(
        &mut self,
        requirement: &'static str,
        grade: Level,
        symptom: Symptom,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let outcome = Outcome::Violated {
            symptom,
            grade,
            expected: told(expected.into()),
            actual: told(actual.into()),
        };
        self.push(requirement, outcome);
    }

    /// Held when `kept`, else violated.
    pub fn judge(
        &mut self,
        requirement: &'static str,
        kept: bool,
        symptom: impl FnOnce() -> Symptom,
        expected: impl Into<String>,
        actual: impl FnOnce() -> String,
    ) {
        if kept {
            self.held(requirement);
        } else {
            self.violated(requirement, symptom(), expected, actual());
        }
    }

    /// The requirement applies, but this evidence does not decide it.
    pub fn inconclusive(&mut self, requirement: &'static str, reason: impl Into<String>) {
        self.push(
            requirement,
            Outcome::Inconclusive {
                reason: reason.into(),
            },
        );
    }

    /// Adds an earlier record that what follows rests on as well.
    pub fn also_rests_on(&mut self, record: usize) {
        if !self.records.contains(&record) {
            self.records.insert(0, record);
        }
    }

    /// What was said.
    pub fn into_inner(self) -> Vec<Judgement> {
        self.said
    }

    /// Says it, unless it was said of this evidence before: a list may break a rule with each of its ten thousand items.
    fn push(&mut self, requirement: &'static str, outcome: Outcome) {
        let same = |said: &Judgement| {
            said.requirement.as_str() == requirement && said.outcome.is_like(&outcome)
        };
        if self.said.iter().any(same) {
            return;
        }
        self.said.push(Judgement {
            requirement: RequirementId::of(requirement),
            check: self.check,
            operation: self.operation,
            outcome,
            records: self.records.clone(),
        });
    }
}

/// Characters that are told of what was expected or came: a target may send a word of a megabyte.
const TOLD: usize = 2000;

fn told(mut text: String) -> String {
    if let Some((cut, _)) = text.char_indices().nth(TOLD) {
        text.truncate(cut);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_of_each_piece_of_evidence() {
        let mut out = Judgements::new("check", None, vec![0], |_| Level::Must);
        let symptom = |subject: &'static str| Symptom::new("wrong", "it is wrong").about(subject);
        for item in 0..10_000 {
            out.held("COM-HDR-001");
            out.violated(
                "COM-HDR-001",
                symptom("member"),
                "a string",
                item.to_string(),
            );
        }
        out.violated("COM-HDR-001", symptom("other"), "a string", "7");
        out.held("COM-HDR-002");
        let said = out.into_inner();
        assert_eq!(said.len(), 4);
        assert!(matches!(&said[1].outcome, Outcome::Violated { actual, .. } if actual == "0"));
    }
}
