//! Deviations, tried again on fresh resources and made small: what does not repeat is no finding.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task::JoinSet;

use crevasse_core::check::{Outcome, Record};
use crevasse_core::finding::Fingerprint;
use crevasse_core::scenario::Scenario;

use super::{Case, Judge, Run};
use crate::event::Reproduction;
use crate::event::{Event, Violation};
use crate::execute::join_all;
use crate::shrink::shrink;

/// How often a deviation is tried again.
const TRIES: u32 = 3;
/// Candidates tried for one deviation at most.
const CANDIDATES: usize = 60;
/// Causes made small at most; the rest keeps the case they were found in.
const MADE_SMALL: usize = 40;

/// One sighting: the records up to the decisive one, what was demanded and what came.
struct Sight {
    records: Vec<Record>,
    expected: String,
    actual: String,
}

fn sight(case: &Case, wanted: &Fingerprint) -> Option<Sight> {
    case.judged.judgements.iter().find_map(|judgement| {
        let Outcome::Violated {
            symptom,
            expected,
            actual,
            ..
        } = &judgement.outcome
        else {
            return None;
        };
        let fingerprint = Fingerprint::new(
            &judgement.requirement,
            judgement.operation,
            judgement.check,
            symptom,
        );
        let last = judgement
            .records
            .iter()
            .max()
            .copied()
            .unwrap_or(case.records.len().saturating_sub(1));
        (fingerprint == *wanted).then(|| Sight {
            records: case.records.iter().take(last + 1).cloned().collect(),
            expected: expected.clone(),
            actual: actual.clone(),
        })
    })
}

impl Run<'_> {
    /// Tries every deviation again; what repeats is kept, and the first of each cause made small.
    pub(super) async fn try_again(&mut self) {
        let seen = self.repeat_cases().await;
        if self.stop.asked() {
            return;
        }
        let deadline = self.hand.elapsed() + self.plan.shrink_time;
        self.settle(&seen);
        self.make_small(deadline).await;
    }

    fn trial(&self) -> Judge {
        Judge {
            trial: true,
            ..self.judge()
        }
    }

    /// Runs each case that deviated three more times, all at once.
    async fn repeat_cases(&mut self) -> BTreeMap<Fingerprint, u32> {
        let first: BTreeSet<String> = self
            .found
            .ledger
            .deviations
            .values()
            .map(|deviation| deviation.first.case.clone())
            .collect();
        let mut tasks = JoinSet::new();
        let mut seen: BTreeMap<Fingerprint, u32> = BTreeMap::new();
        let mut queue = first.into_iter().filter_map(|case| {
            self.kept
                .get(&case)
                .map(|(scenario, _)| (case, scenario.clone()))
        });
        let mut queue: Vec<(String, Scenario)> = queue
            .by_ref()
            .flat_map(|(case, scenario)| {
                (1..=TRIES).map(move |n| (format!("{case}~{n}"), scenario.clone()))
            })
            .collect();
        let exclusive = |scenario: &Scenario| {
            scenario
                .needs
                .contains(&crevasse_core::scenario::Need::Exclusive)
        };
        let (alone, together): (Vec<_>, Vec<_>) = queue
            .drain(..)
            .partition(|(_, scenario)| exclusive(scenario));
        let mut together = together.into_iter();
        loop {
            while tasks.len() < self.plan.in_flight && !self.stop.asked() {
                let Some((id, scenario)) = together.next() else {
                    break;
                };
                let judge = self.trial();
                tasks.spawn(async move { judge.run(id, scenario).await });
            }
            match self.until_interrupted(tasks.join_next()).await {
                None => break,
                Some(Ok(case)) => self.count(&case, &mut seen),
                Some(Err(panic)) => {
                    self.fault(None, format!("a repeated case ended in a panic: {panic}"))
                }
            }
        }
        for (id, scenario) in alone {
            let judge = self.trial();
            let case = self.until_interrupted(judge.run(id, scenario)).await;
            self.count(&case, &mut seen);
        }
        seen
    }

    /// Counts what a repeated case showed again of what was first seen in it.
    fn count(&self, case: &Case, seen: &mut BTreeMap<Fingerprint, u32>) {
        let origin = case
            .id
            .rsplit_once('~')
            .map_or(case.id.as_str(), |(origin, _)| origin);
        let shown: BTreeSet<Fingerprint> = case
            .judged
            .judgements
            .iter()
            .filter_map(Violation::of)
            .map(|violation| violation.fingerprint)
            .collect();
        for fingerprint in shown {
            let first = self
                .found
                .ledger
                .deviations
                .get(&fingerprint)
                .map(|known| &known.first.case);
            if first.is_some_and(|first| first == origin) {
                *seen.entry(fingerprint).or_default() += 1;
            }
        }
    }

    /// What was not seen again each time is flaky; the rest keeps the case it was found in, until something smaller is found.
    fn settle(&mut self, seen: &BTreeMap<Fingerprint, u32>) {
        for (fingerprint, deviation) in &self.found.ledger.deviations {
            let times = seen.get(fingerprint).copied().unwrap_or_default();
            (self.tell)(Event::Reproduced {
                fingerprint: fingerprint.clone(),
                seen: times,
                tried: TRIES,
            });
            if times < TRIES {
                self.found.flaky.insert(
                    fingerprint.clone(),
                    format!(
                        "flaky {times}/{TRIES}: {}, got {}",
                        deviation.first.expected, deviation.first.actual
                    ),
                );
                continue;
            }
            let Some((scenario, records)) = self.kept.get(&deviation.first.case) else {
                continue;
            };
            let last = deviation
                .first
                .records
                .iter()
                .max()
                .copied()
                .unwrap_or_default();
            let reproduction = Reproduction {
                times: format!("{times}/{TRIES}"),
                scenario: scenario.clone(),
                records: records.iter().take(last + 1).cloned().collect(),
                expected: deviation.first.expected.clone(),
                actual: deviation.first.actual.clone(),
            };
            self.found
                .reproductions
                .insert(fingerprint.clone(), reproduction);
        }
    }

    /// The first deviation of each symptom that repeats, weightiest causes first.
    fn leads(&self) -> Vec<Fingerprint> {
        let mut symptoms = BTreeSet::new();
        let causes = self.found.ledger.causes().into_iter().flatten();
        causes
            .filter(|deviation| !self.found.flaky.contains_key(&deviation.fingerprint))
            .filter(|deviation| {
                symptoms.insert((deviation.symptom.id, deviation.symptom.subject.clone()))
            })
            .map(|deviation| deviation.fingerprint.clone())
            .take(MADE_SMALL)
            .collect()
    }

    /// Shrinks the leading deviation of each symptom, all at once, until the time is up.
    async fn make_small(&mut self, deadline: Duration) {
        let leads = self.leads();
        let judge = self.trial();
        let small = leads.into_iter().filter_map(|fingerprint| {
            let scenario = self.found.reproductions.get(&fingerprint)?.scenario.clone();
            let judge = judge.clone();
            Some(async move {
                let small = smallest(&judge, scenario, &fingerprint, deadline).await;
                (fingerprint, small)
            })
        });
        let small: Vec<_> = self
            .until_interrupted(join_all(small.collect::<Vec<_>>()))
            .await;
        for (fingerprint, small) in small {
            let known = self.found.reproductions.get_mut(&fingerprint);
            if let (Some(known), Some((scenario, sight))) = (known, small) {
                known.scenario = scenario;
                known.records = sight.records;
                known.expected = sight.expected;
                known.actual = sight.actual;
            }
        }
    }
}

/// The smallest scenario that still shows the deviation, with its sighting; `None` when nothing smaller was found.
async fn smallest(
    judge: &Judge,
    scenario: Scenario,
    wanted: &Fingerprint,
    deadline: Duration,
) -> Option<(Scenario, Sight)> {
    let mut tried = 0;
    let mut last: Option<Sight> = None;
    let case = format!("small-{}", &wanted.0[..8]);
    let shrunk = shrink(scenario.clone(), async |candidate: &Scenario| {
        tried += 1;
        if tried > CANDIDATES || judge.hand.elapsed() > deadline {
            return None;
        }
        let case = judge
            .run(format!("{case}-{tried}"), candidate.clone())
            .await;
        let found = sight(&case, wanted);
        let fails = found.is_some();
        last = found.or(last.take());
        Some(fails)
    })
    .await;
    last.filter(|_| shrunk.steps != scenario.steps)
        .map(|sight| (shrunk, sight))
}
