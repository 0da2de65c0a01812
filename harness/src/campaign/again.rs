//! Deviations, tried again on fresh resources and made small: what does not repeat is no finding.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crevasse_core::check::{Judgement, Outcome};
use crevasse_core::finding::Fingerprint;
use crevasse_core::scenario::{Need, Scenario};

use super::{Case, Judge, Run};
use crate::event::{Event, Sight};
use crate::execute::join_all;
use crate::shrink::{Shrinking, weight};

/// How often a deviation is tried again.
pub(crate) const TRIES: u32 = 3;
/// Candidates tried for one deviation at most.
const CANDIDATES: usize = 60;
/// Symptoms made small at most; the rest keeps the case they were found in.
const MADE_SMALL: usize = 100;

/// Whether a deviation shows in a case.
fn shows(case: &Case, wanted: &Fingerprint) -> bool {
    let mut shown = case
        .judged
        .judgements
        .iter()
        .filter_map(Judgement::fingerprint);
    shown.any(|fingerprint| fingerprint == *wanted)
}

/// The sighting of a deviation in a case, if it shows there.
fn sight(case: &Case, wanted: &Fingerprint) -> Option<Sight> {
    case.judged.judgements.iter().find_map(|judgement| {
        let Outcome::Violated {
            expected, actual, ..
        } = &judgement.outcome
        else {
            return None;
        };
        let last = judgement.records.iter().max();
        let last = last.map_or(case.records.len(), |last| last + 1);
        (judgement.fingerprint()? == *wanted).then(|| Sight {
            scenario: case.scenario.clone(),
            records: case
                .part
                .shown(&case.records[..last.min(case.records.len())]),
            expected: expected.clone(),
            actual: actual.clone(),
        })
    })
}

/// A case to try again, and what it is tried for.
struct Trial {
    case: String,
    scenario: Scenario,
    /// Deviations it showed.
    wanted: Vec<Fingerprint>,
    /// Those of them that are made small.
    leads: Vec<Fingerprint>,
}

/// What trying a case again showed.
struct Retried {
    /// How often each deviation came again, and the last sighting where it always did.
    seen: BTreeMap<Fingerprint, (u32, Option<Sight>)>,
    /// What could be made small.
    small: Vec<(Fingerprint, Sight)>,
}

impl Run<'_> {
    /// Tries every deviation again; what repeats is kept, and the first of each symptom made small.
    pub(super) async fn try_again(&mut self) {
        let (alone, together): (Vec<_>, Vec<_>) =
            self.trials().into_iter().partition(Trial::is_alone);
        let mut retried = self.together_again(together).await;
        if self.stop.asked() {
            return;
        }
        self.hand.go_on();
        let deadline = self.hand.elapsed() + self.plan.shrink_time / 4;
        for trial in alone {
            let trying = trial.run(self.trial_judge(), deadline, None);
            retried.push(self.until_interrupted(trying).await);
        }
        if !self.stop.asked() {
            self.settle(retried);
        }
    }

    pub(super) fn trial_judge(&self) -> Judge {
        Judge {
            trial: true,
            ..self.judge()
        }
    }

    /// Few and short cases that show every deviation: what shows most for its length comes first.
    fn trials(&self) -> Vec<Trial> {
        let leads = self.leads();
        let mut showing: BTreeMap<&String, BTreeSet<&Fingerprint>> = BTreeMap::new();
        for deviation in self.found.ledger.deviations.values() {
            for case in &deviation.cases {
                showing
                    .entry(case)
                    .or_default()
                    .insert(&deviation.fingerprint);
            }
        }
        showing.retain(|case, _| self.kept.contains_key(*case));
        let mut trials = Vec::new();
        while let Some(case) = showing
            .iter()
            .filter(|(_, shown)| !shown.is_empty())
            .max_by_key(|(case, shown)| {
                let worth = shown.len() * 1000 / length(&self.kept[**case]);
                (worth, Reverse(**case))
            })
            .map(|(case, _)| *case)
        {
            let wanted = showing.remove(case).unwrap_or_default();
            for shown in showing.values_mut() {
                shown.retain(|fingerprint| !wanted.contains(fingerprint));
            }
            let wanted: Vec<Fingerprint> = wanted.into_iter().cloned().collect();
            trials.push(Trial {
                case: case.clone(),
                scenario: self.kept[case].clone(),
                leads: wanted
                    .iter()
                    .filter(|it| leads.contains(it))
                    .cloned()
                    .collect(),
                wanted,
            });
        }
        trials
    }

    /// The first deviation of each cause, then of each symptom.
    fn leads(&self) -> BTreeSet<Fingerprint> {
        let mut symptoms = BTreeSet::new();
        let causes = self.found.ledger.causes();
        let firsts = causes.iter().filter_map(|cause| cause.first());
        firsts
            .chain(causes.iter().flatten())
            .filter(|deviation| {
                symptoms.insert((
                    deviation.symptom.id.clone(),
                    deviation.symptom.subject.clone(),
                ))
            })
            .map(|deviation| deviation.fingerprint.clone())
            .take(MADE_SMALL)
            .collect()
    }

    /// Tries cases again, many at once: some wait for jobs while others are repeated or made small.
    /// When the time for making small is up and everything has repeated, what is still under way is cut short.
    async fn together_again(&mut self, trials: Vec<Trial>) -> Vec<Retried> {
        let deadline = self.hand.elapsed() + self.plan.shrink_time;
        // Each trial holds a sender until it has repeated: the channel closes when all have.
        let (repeating, mut repeated) = mpsc::channel(1);
        let mut waiting: VecDeque<_> = trials
            .into_iter()
            .map(|trial| (trial, repeating.clone()))
            .collect();
        drop(repeating);
        let time_is_up = async {
            tokio::time::sleep(self.plan.shrink_time).await;
            repeated.recv().await;
        };
        let end = async {
            tokio::select! {
                () = self.stop.wait() => {}
                () = time_is_up => {}
            }
        };
        let trying = async {
            let (mut tasks, mut ended) = (JoinSet::new(), Vec::new());
            loop {
                while tasks.len() < self.plan.in_flight.div_ceil(TRIES as usize) {
                    let Some((trial, repeating)) = waiting.pop_front() else {
                        break;
                    };
                    tasks.spawn(trial.run(self.trial_judge(), deadline, Some(repeating)));
                }
                match tasks.join_next().await {
                    None => break ended,
                    Some(result) => ended.push(result),
                }
            }
        };
        let mut retried = Vec::new();
        for result in self.until(end, trying).await {
            match result {
                Ok(done) => retried.push(done),
                Err(panic) => {
                    self.fault(None, format!("a repeated case ended in a panic: {panic}"))
                }
            }
        }
        retried
    }

    /// What repeated keeps its smallest sighting; what did not is told without one.
    fn settle(&mut self, retried: Vec<Retried>) {
        let mut again: BTreeMap<Fingerprint, (u32, Option<Sight>)> = BTreeMap::new();
        for done in retried {
            again.extend(done.smallest());
        }
        let deviations: Vec<Fingerprint> = self.found.ledger.deviations.keys().cloned().collect();
        for fingerprint in deviations {
            let (seen, sight) = again.remove(&fingerprint).unwrap_or_default();
            self.say(Event::Reproduced {
                fingerprint,
                seen,
                tried: TRIES,
                sight: sight.map(Box::new),
            });
        }
    }
}

impl Retried {
    /// How often each deviation came again, and its smallest sighting where it always did.
    fn smallest(mut self) -> BTreeMap<Fingerprint, (u32, Option<Sight>)> {
        for (fingerprint, small) in self.small {
            if let Some((_, Some(sight))) = self.seen.get_mut(&fingerprint) {
                *sight = small;
            }
        }
        self.seen
    }
}

/// How long a case takes to play and to read: a job to wait for counts like five steps.
fn length(scenario: &Scenario) -> usize {
    (scenario.steps.len() + 5 * super::jobs_awaited(&scenario.steps)).max(1)
}

impl Trial {
    fn is_alone(&self) -> bool {
        self.scenario.needs.contains(&Need::Exclusive)
    }

    /// Repeats the case, then makes small what came again each time. `repeating` is dropped in between.
    async fn run(
        self,
        judge: Judge,
        deadline: Duration,
        repeating: Option<mpsc::Sender<()>>,
    ) -> Retried {
        let alone = self.is_alone();
        let seen = self.repeat(&judge).await;
        drop(repeating);
        let repeated = self.leads.iter().filter_map(|lead| {
            let (_, sight) = seen.get(lead)?;
            Some((lead, sight.as_ref()?))
        });
        let smaller: Vec<_> = repeated
            .map(|(lead, sight)| {
                let decisive = sight.records.last().map_or(0, |record| record.step);
                let search = Shrinking::new(&self.scenario, decisive);
                let shows = |case: &Case| shows(case, lead);
                let name = format!("small-{}", &lead.0[..8]);
                smallest(judge.clone(), search, name, shows, deadline)
            })
            .collect();
        let cases = all(alone, smaller).await;
        let small = self
            .wanted
            .iter()
            .filter_map(|wanted| smallest_sight(&cases, wanted))
            .collect();
        Retried { seen, small }
    }

    /// How often each deviation came again, and the last sighting where it always did.
    async fn repeat(&self, judge: &Judge) -> BTreeMap<Fingerprint, (u32, Option<Sight>)> {
        let runs: Vec<_> = (1..=TRIES)
            .map(|n| {
                let (judge, scenario) = (judge.clone(), self.scenario.clone());
                let id = format!("{}~{n}", self.case);
                async move { judge.run(id, scenario).await }
            })
            .collect();
        let mut seen: BTreeMap<Fingerprint, (u32, Option<Sight>)> = BTreeMap::new();
        for case in all(self.is_alone(), runs).await {
            for fingerprint in self.wanted.iter().filter(|it| shows(&case, it)) {
                let (times, last) = seen.entry(fingerprint.clone()).or_default();
                *times += 1;
                if *times == TRIES {
                    *last = sight(&case, fingerprint);
                }
            }
        }
        seen
    }
}

/// Waits for all: at once, or one after another where nothing else may run.
async fn all<F: Future>(alone: bool, futures: Vec<F>) -> Vec<F::Output> {
    if !alone {
        return join_all(futures).await;
    }
    let mut outputs = Vec::new();
    for future in futures {
        outputs.push(future.await);
    }
    outputs
}

/// The smallest case that still shows what is searched for; `None` when nothing smaller was found. The names of cases begin with `name`.
pub(crate) async fn smallest(
    judge: Judge,
    mut search: Shrinking,
    name: String,
    shows: impl Fn(&Case) -> bool,
    deadline: Duration,
) -> Option<Case> {
    let mut smallest = None;
    for tried in 1..=CANDIDATES {
        if judge.hand.elapsed() > deadline {
            break;
        }
        let Some(candidate) = search.candidate() else {
            break;
        };
        let case = judge.run(format!("{name}-{tried}"), candidate).await;
        if shows(&case) {
            search.fails(&case.scenario);
            smallest = Some(case);
        }
    }
    smallest
}

/// What shows a deviation in the smallest of these cases: one made small for another deviation may show this one too.
fn smallest_sight(cases: &[Option<Case>], wanted: &Fingerprint) -> Option<(Fingerprint, Sight)> {
    let seen = cases.iter().flatten().filter(|case| shows(case, wanted));
    let smallest = seen.min_by_key(|case| weight(&case.scenario))?;
    Some((wanted.clone(), sight(smallest, wanted)?))
}
