//! Deviations, tried again on fresh resources and made small: what does not repeat is no finding.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crevasse_core::check::{Judgement, Outcome};
use crevasse_core::finding::{Deviation, Fingerprint};
use crevasse_core::scenario::{Action, Need, Scenario, Step};
use crevasse_core::spec::OperationName;

use super::account::{self, irreversible};
use super::{Case, Judge, Run};
use crate::event::{Event, Sight};
use crate::execute::{End, join_all};
use crate::shrink::{Shrinking, weight};

/// How often a deviation is tried again, and has to come again.
pub(crate) const TRIES: u32 = 3;
/// So often in all when it comes now and then, or not in every case that showed it: a server that loses every fifth upload has a
/// defect, and one whose counts are wrong once somebody else has asked for them.
const PATIENCE: u32 = 30;
/// Cases that showed a deviation too, to try when the first does not show it again.
const OTHERS: usize = 3;
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

/// What a case shows of units of provisioned capacity that it bought: an account has two at most, so it is not tried again.
pub(super) fn had_once(case: &Case) -> Vec<Event> {
    use OperationName::{ListProvisionedCapacity, PurchaseProvisionedCapacity};
    if !irreversible(&case.scenario.steps).contains(&PurchaseProvisionedCapacity) {
        return Vec::new();
    }
    let about = [ListProvisionedCapacity, PurchaseProvisionedCapacity].map(Some);
    let judgements = case.judged.judgements.iter();
    let shown: BTreeSet<Fingerprint> = judgements
        .filter(|judgement| about.contains(&judgement.operation))
        .filter_map(Judgement::fingerprint)
        .collect();
    let told = |fingerprint: Fingerprint| Event::Reproduced {
        sight: sight(case, &fingerprint).map(Box::new),
        fingerprint,
        seen: 0,
        tried: 0,
    };
    shown.into_iter().map(told).collect()
}

/// A case to try again, and what it is tried for.
struct Trial {
    case: String,
    scenario: Scenario,
    /// Others that showed some of the same, shortest first.
    others: Vec<Scenario>,
    /// Deviations it showed.
    wanted: Vec<Fingerprint>,
    /// Those of them that are made small.
    leads: Vec<Fingerprint>,
}

/// How often a deviation came again.
#[derive(Default)]
struct Again {
    seen: u32,
    tried: u32,
    /// The last sighting, where it came as often as it has to.
    sight: Option<Sight>,
}

/// What trying a case again showed.
struct Retried {
    seen: BTreeMap<Fingerprint, Again>,
    /// What could be made small.
    small: Vec<(Fingerprint, Sight)>,
}

impl Run<'_> {
    /// Tries every deviation again; what repeats is kept, and the first of each symptom made small.
    pub(super) async fn try_again(&mut self) {
        self.hand.listen_again();
        let together = self.trials(|scenario| !is_alone(scenario), &BTreeSet::new());
        let mut retried = self.together_again(together).await;
        if self.stop.asked() {
            return;
        }
        self.hand.go_on();
        let deadline = self.hand.elapsed() + self.plan.shrink_time / 4;
        let repeated = retried.iter().flat_map(Retried::repeated).collect();
        for trial in self.trials(is_alone, &repeated) {
            let former = account::retrieval_policy(&self.hand, &trial.scenarios()).await;
            let trying = tokio::spawn(trial.run(self.trial_judge(), deadline, None));
            let done = self.until_interrupted(trying).await;
            account::restore(&self.hand, former).await;
            retried.extend(self.sound(done));
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

    /// Few and short cases of a kind that show every deviation but those that have repeated: what shows most for its length comes
    /// first.
    fn trials(
        &self,
        kind: impl Fn(&Scenario) -> bool,
        repeated: &BTreeSet<&Fingerprint>,
    ) -> Vec<Trial> {
        let leads = self.leads();
        let mut showing: BTreeMap<&String, BTreeSet<&Fingerprint>> = BTreeMap::new();
        let unsettled = self.unsettled();
        for deviation in unsettled.filter(|it| !repeated.contains(&it.fingerprint)) {
            for case in &deviation.cases {
                showing
                    .entry(case)
                    .or_default()
                    .insert(&deviation.fingerprint);
            }
        }
        showing.retain(|case, _| self.kept.get(*case).is_some_and(&kind));
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
                others: self.others(case, &wanted),
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

    fn others(&self, case: &String, wanted: &[Fingerprint]) -> Vec<Scenario> {
        let alone = is_alone(&self.kept[case]);
        let deviations = wanted
            .iter()
            .filter_map(|it| self.found.ledger.deviations.get(it));
        let showing: BTreeSet<&String> = deviations
            .flat_map(|it| &it.cases)
            .filter(|it| *it != case)
            .collect();
        let mut others: Vec<&Scenario> = showing
            .into_iter()
            .filter_map(|case| self.kept.get(case))
            .filter(|other| is_alone(other) == alone)
            .collect();
        others.sort_by_key(|other| length(other));
        others.into_iter().take(OTHERS).cloned().collect()
    }

    /// Deviations of which nobody knows yet whether they come again.
    fn unsettled(&self) -> impl Iterator<Item = &Deviation> {
        let deviations = self.found.ledger.deviations.values();
        deviations.filter(|known| !self.found.reproductions.contains_key(&known.fingerprint))
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
        let done = self.until(end, trying).await;
        done.into_iter()
            .filter_map(|done| self.sound(done))
            .collect()
    }

    /// What repeated keeps its smallest sighting; what did not is told without one. Of what could not be tried nothing is told.
    fn settle(&mut self, retried: Vec<Retried>) {
        let mut again: BTreeMap<Fingerprint, Again> = BTreeMap::new();
        for done in retried {
            again.extend(done.smallest());
        }
        let unsettled = self
            .unsettled()
            .map(|deviation| deviation.fingerprint.clone());
        for fingerprint in unsettled.collect::<Vec<_>>() {
            let Some(again) = again.remove(&fingerprint).filter(|again| again.tried > 0) else {
                continue;
            };
            self.say(Event::Reproduced {
                fingerprint,
                seen: again.seen,
                tried: again.tried,
                sight: again.sight.map(Box::new),
            });
        }
    }
}

impl Retried {
    /// The deviations that came again as often as they have to.
    fn repeated(&self) -> impl Iterator<Item = &Fingerprint> {
        let seen = self.seen.iter();
        seen.filter_map(|(fingerprint, again)| again.sight.is_some().then_some(fingerprint))
    }

    /// How often each deviation came again, with its smallest sighting.
    fn smallest(mut self) -> BTreeMap<Fingerprint, Again> {
        for (fingerprint, small) in self.small {
            if let Some(sight) = self
                .seen
                .get_mut(&fingerprint)
                .and_then(|again| again.sight.as_mut())
            {
                *sight = small;
            }
        }
        self.seen
    }
}

/// How long a case takes to play and to read: a job to wait for counts like five steps, and requests at once like ten, since how
/// they meet is luck.
fn length(scenario: &Scenario) -> usize {
    let races =
        |step: &&Step| matches!(step.action, Action::Together { .. } | Action::During { .. });
    let races = scenario.steps.iter().filter(races).count();
    (scenario.steps.len() + 5 * super::jobs_awaited(&scenario.steps) + 10 * races).max(1)
}

fn is_alone(scenario: &Scenario) -> bool {
    scenario.needs.contains(&Need::Exclusive)
}

impl Trial {
    fn is_alone(&self) -> bool {
        is_alone(&self.scenario)
    }

    fn scenarios(&self) -> Vec<&Scenario> {
        std::iter::once(&self.scenario)
            .chain(&self.others)
            .collect()
    }

    /// Repeats the case, then makes small what came again. `repeating` is dropped in between.
    async fn run(
        self,
        judge: Judge,
        deadline: Duration,
        repeating: Option<mpsc::Sender<()>>,
    ) -> Retried {
        let alone = self.is_alone();
        let seen = self.repeat(&judge, deadline).await;
        drop(repeating);
        let repeated = self
            .leads
            .iter()
            .filter_map(|lead| Some((lead, seen.get(lead)?.sight.as_ref()?)));
        let smaller: Vec<_> = repeated
            .map(|(lead, sight)| {
                let decisive = sight.records.last().map_or(0, |record| record.step);
                let search = Shrinking::new(&sight.scenario, decisive);
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

    /// Plays the case, then those that showed the same, until everything came again as often as it has to, or has had its chances.
    async fn repeat(&self, judge: &Judge, deadline: Duration) -> BTreeMap<Fingerprint, Again> {
        let mut again: BTreeMap<Fingerprint, Again> = BTreeMap::new();
        let cases = self.scenarios().into_iter().cycle();
        for (round, scenario) in (0..PATIENCE / TRIES).zip(cases) {
            let missing =
                |it: &&Fingerprint| again.get(it).is_none_or(|again| again.sight.is_none());
            let missing: Vec<Fingerprint> = self.wanted.iter().filter(missing).cloned().collect();
            let late = round > 0 && judge.hand.elapsed() > deadline;
            if missing.is_empty() || late || judge.hand.is_cut_short() {
                break;
            }
            let played = self.round(judge, scenario, round).await;
            for fingerprint in missing {
                again
                    .entry(fingerprint.clone())
                    .or_default()
                    .count(&played, &fingerprint);
            }
        }
        again
    }

    async fn round(&self, judge: &Judge, scenario: &Scenario, round: u32) -> Vec<Case> {
        let runs = (1..=TRIES).map(|n| {
            let (judge, scenario) = (judge.clone(), scenario.clone());
            let id = format!("{}~{}", self.case, round * TRIES + n);
            async move { judge.run(id, scenario).await }
        });
        all(self.is_alone(), runs.collect()).await
    }
}

impl Again {
    /// Adds a round of tries of one case. One that shows it each time does not answer for others that never did, and one that was cut
    /// short says nothing.
    fn count(&mut self, played: &[Case], wanted: &Fingerprint) {
        if played.iter().all(|case| shows(case, wanted)) {
            *self = Self::default();
        }
        for case in played.iter().filter(|case| case.end == End::Whole) {
            if self.seen < TRIES {
                self.tried += 1;
                self.seen += u32::from(shows(case, wanted));
            }
            if self.seen == TRIES && self.sight.is_none() {
                self.sight = sight(case, wanted);
            }
        }
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
