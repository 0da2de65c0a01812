//! What no rule of the documents covers and every client relies on: a request is answered, in time, and by no failure of the server;
//! and answers do not grow slower the longer a server runs.

use std::collections::{BTreeMap, BTreeSet};

use crevasse_core::check::{Judgement, Observation, Outcome, Symptom};
use crevasse_core::finding::ROBUSTNESS;
use crevasse_core::requirement::Level;
use crevasse_core::spec::OperationName;
use crevasse_core::wire::{FaultKind, Framing, Reply};

/// The check that fingerprints of these judgements name.
const CHECK: &str = "robustness";

/// Codes by which a server says itself, and as documented, that it cannot now.
const EXCUSED: [&str; 2] = [
    "ServiceUnavailableException",
    "InsufficientCapacityException",
];

/// Failures to answer that no violation in `blamed` rests on.
pub(super) fn failures(observations: &[Observation], blamed: &BTreeSet<usize>) -> Vec<Judgement> {
    observations
        .iter()
        .filter(|seen| !blamed.contains(&seen.index))
        .filter_map(failure)
        .collect()
}

fn failure(seen: &Observation) -> Option<Judgement> {
    let operation = seen.operation;
    let name = operation.map_or("an unknown request", OperationName::as_str);
    let (id, title, actual) = match &seen.exchange().reply {
        Reply::Response(response) => {
            let code = response.error_code().unwrap_or_default();
            let failed = response.status >= 500 && !matches!(response.status, 501 | 505);
            if !failed || EXCUSED.contains(&code.as_str()) {
                return None;
            }
            let actual = format!("{} {code}", response.status);
            ("crashed", format!("{name} fails in the server"), actual)
        }
        Reply::Fault(fault) if is_whole(&seen.record.tweak.framing) => {
            let (id, what) = match fault.kind {
                FaultKind::TimedOut => ("hung", "is not answered in time"),
                FaultKind::Closed => ("closed", "ends with a closed connection"),
                FaultKind::NotHttp => ("not-http", "is answered by what is not HTTP"),
                FaultKind::TooLarge => ("endless", "is answered without end"),
                FaultKind::Unreachable | FaultKind::Tls => return None,
            };
            (id, format!("{name} {what}"), fault.detail.clone())
        }
        Reply::Fault(_) => return None,
    };
    let symptom = Symptom::new(id, title).about(name);
    let expected = "an answer that is no failure of the server";
    Some(judgement(
        operation,
        symptom,
        expected,
        actual.trim(),
        vec![seen.index],
    ))
}

/// Whether a request is one that a server has to answer: it came whole and undamaged.
fn is_whole(framing: &Framing) -> bool {
    matches!(
        framing,
        Framing::Plain | Framing::UpperCaseNames | Framing::Chunked
    )
}

fn judgement(
    operation: Option<OperationName>,
    symptom: Symptom,
    expected: &str,
    actual: &str,
    records: Vec<usize>,
) -> Judgement {
    Judgement {
        requirement: ROBUSTNESS,
        check: CHECK,
        operation,
        outcome: Outcome::Violated {
            symptom,
            grade: Level::Must,
            expected: expected.to_owned(),
            actual: actual.to_owned(),
        },
        records,
    }
}

/// Answers looked at together.
const SAMPLE: usize = 200;
/// How many times slower the fastest of a sample must be than the middle of the first.
const FACTOR: i64 = 8;
/// And by how much, in milliseconds.
const MARGIN: i64 = 50;

/// Follows how long small requests take, by operation.
#[derive(Debug, Default)]
pub(super) struct Growth {
    by_operation: BTreeMap<OperationName, Pace>,
}

#[derive(Debug, Default)]
struct Pace {
    first: Option<i64>,
    sample: Vec<i64>,
    slow: u32,
}

impl Growth {
    /// Takes note of an exchange. Two samples in a row whose fastest answer was far slower than those of the beginning are a failure:
    /// load makes some answers slow, never all of them.
    pub(super) fn note(&mut self, seen: &Observation) -> Option<Judgement> {
        let operation = seen.operation?;
        let exchange = seen.exchange();
        if exchange.request.body.length() > 1 << 16 || !exchange.retried.is_empty() {
            return None;
        }
        let millis = exchange.done_at.0 - exchange.sent_at.0;
        let pace = self.by_operation.entry(operation).or_default();
        let (before, now) = pace.note(millis)?;
        let symptom = Symptom::new("slower", format!("{operation} grows slower and slower"))
            .about(operation.as_str());
        let actual = format!("{before} ms in the beginning, {now} ms and more by now");
        let expected = "answers that take as long as they did";
        Some(judgement(
            seen.operation,
            symptom,
            expected,
            &actual,
            vec![seen.index],
        ))
    }
}

impl Pace {
    fn note(&mut self, millis: i64) -> Option<(i64, i64)> {
        self.sample.push(millis);
        if self.sample.len() < SAMPLE {
            return None;
        }
        let mut sample = std::mem::take(&mut self.sample);
        sample.sort_unstable();
        let Some(first) = self.first else {
            self.first = Some(sample[SAMPLE / 2]);
            return None;
        };
        let fastest = sample[0];
        let slow = fastest > first * FACTOR && fastest > first + MARGIN;
        self.slow = if slow { self.slow + 1 } else { 0 };
        (self.slow >= 2).then_some((first, fastest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paced(rounds: &[i64]) -> bool {
        let mut pace = Pace::default();
        let samples = rounds.iter().flat_map(|millis| [*millis; SAMPLE]);
        samples
            .into_iter()
            .any(|millis| pace.note(millis).is_some())
    }

    #[test]
    fn answers_that_stay_slow_are_told_and_one_slow_time_is_not() {
        assert!(paced(&[5, 6, 80, 90]));
        assert!(!paced(&[5, 80, 6, 90, 5]));
        assert!(!paced(&[5, 30, 30, 30]));
    }

    #[test]
    fn one_fast_answer_in_a_sample_is_enough() {
        let mut pace = Pace::default();
        let load = |place: usize| if place.is_multiple_of(SAMPLE) { 5 } else { 500 };
        let first = (0..SAMPLE).map(|_| 5);
        assert!(
            first
                .chain((0..4 * SAMPLE).map(load))
                .all(|millis| pace.note(millis).is_none())
        );
    }
}
