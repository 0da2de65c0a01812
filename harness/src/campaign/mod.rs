//! A run from beginning to end: ask what is there, run the cases, judge them, try deviations again and make them small, clean up.
//! Tells what happens as events; refuses to know who listens.

mod account;
mod again;
mod capability;
mod clean_up;
mod soundness;

pub use capability::{Capabilities, probe};
pub use clean_up::{CleanUpError, CleanedUp, clean_up};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crevasse_core::check::{self, Judged, Outcome, Record};
use crevasse_core::finding::{Fingerprint, Ledger};
use crevasse_core::model::Model;
use crevasse_core::requirement::{Level, Registry, RequirementId};
use crevasse_core::scenario::{Action, Need, Scenario, Step, Tweak};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{FaultKind, Reply};

use crate::event::{
    Capability, CaseJudged, Event, Leak, Learned, Phase, Progress, Reproduction, RunFinished,
};
use crate::execute::Hand;
pub use crate::execute::Stop;
use crate::journal::Line;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The operations judged, and what is known of them.
    pub spec: Arc<Spec>,
    /// The scenarios, written and generated.
    pub scenarios: Vec<Scenario>,
    /// Which needs of scenarios this run meets.
    pub needs: BTreeSet<Need>,
    /// Cases under way at once; most of them wait for jobs.
    pub in_flight: usize,
    /// No case begins after this time.
    pub max_time: Option<Duration>,
    /// No case begins after this many deviations.
    pub max_fail: Option<usize>,
    /// Whether deviations are tried again and made small.
    pub reproduce: bool,
    /// How long making small may take in all.
    pub shrink_time: Duration,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Found {
    /// What the target told about itself.
    pub learned: Learned,
    /// Every judgement, added up.
    pub ledger: Ledger,
    /// What is there.
    pub capabilities: Vec<Capability>,
    /// Operations asked for by cases.
    pub exercised: BTreeSet<OperationName>,
    /// Cases run.
    pub cases: usize,
    /// Requests answered.
    pub exchanges: usize,
    /// Deviations seen again, by fingerprint.
    pub reproductions: BTreeMap<Fingerprint, Reproduction>,
    /// Deviations that did not repeat, and how often they did.
    pub flaky: BTreeMap<Fingerprint, String>,
    /// Why requirements were not tried.
    pub reasons: BTreeMap<RequirementId, String>,
    /// What could not be removed.
    pub leaks: Vec<Leak>,
    /// Faults of our own.
    pub faults: Vec<String>,
    /// How long it took.
    pub seconds: f64,
    /// Whether everything that was planned was run.
    pub complete: bool,
    /// Whether the user ended it.
    pub interrupted: bool,
    /// Why the target counts as gone, when it stopped answering in the middle of the run.
    pub gone: Option<String>,
}

/// How long cases under way may go on after the time box.
const GRACE: Duration = Duration::from_secs(10);

/// The target did not answer, or not in HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reach {endpoint}: {cause}")]
pub struct Unreachable {
    /// The endpoint.
    pub endpoint: String,
    /// What happened.
    pub cause: String,
}

/// A case that was run and judged.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) scenario: Scenario,
    pub(crate) records: Vec<Record>,
    pub(crate) judged: Judged,
    pub(crate) seconds: f64,
}

/// Runs a plan.
///
/// # Errors
/// When the target cannot be reached at all; nothing was judged then.
pub async fn run(
    hand: Hand,
    plan: &Plan,
    stop: &Stop,
    tell: &mut dyn FnMut(Event),
) -> Result<Found, Unreachable> {
    let mut run = Run {
        hand,
        plan,
        stop,
        tell,
        found: Found::default(),
        capabilities: Capabilities::default(),
        absent: BTreeSet::new(),
        kept: BTreeMap::new(),
        total: 0,
    };
    run.probe().await?;
    let (together, alone) = run.choose();
    run.total = together.len() + alone.len();
    run.phase(Phase::Cases);
    run.found.complete = true;
    run.all_at_once(together).await;
    run.phase(Phase::ExclusiveCases);
    run.one_by_one(alone).await;
    run.found.gone = run.hand.gone();
    if plan.reproduce && !stop.asked() && run.found.gone.is_none() {
        run.phase(Phase::Reproducing);
        run.hand.go_on();
        run.try_again().await;
    }
    run.phase(Phase::CleaningUp);
    Ok(run.finish())
}

struct Run<'a> {
    hand: Hand,
    plan: &'a Plan,
    stop: &'a Stop,
    tell: &'a mut dyn FnMut(Event),
    found: Found,
    capabilities: Capabilities,
    /// Operations that are not there beyond doubt: not asked for, and not judged.
    absent: BTreeSet<OperationName>,
    /// Cases that deviated, for another look.
    kept: BTreeMap<String, (Scenario, Vec<Record>)>,
    total: usize,
}

impl Run<'_> {
    /// Asks whether anybody is there, what there is, who we are to it, and whether it looks at signatures.
    async fn probe(&mut self) -> Result<(), Unreachable> {
        self.phase(Phase::Probing);
        let mut scenario = probe();
        scenario
            .steps
            .retain(|step| self.plan.allows(std::slice::from_ref(step)));
        let first = Scenario {
            steps: scenario.steps.drain(..1).collect(),
            ..scenario.clone()
        };
        let hello = self.hand.try_out("hello", &first).await;
        self.reachable(&hello)?;
        let mut unsigned = Step::from(first.steps[0].action.clone());
        unsigned.tweak = Tweak {
            signing: crevasse_core::scenario::Signing::Absent,
            ..Tweak::default()
        };
        scenario.steps.insert(0, unsigned);
        let records = self.hand.try_out("probe", &scenario).await;
        hello
            .iter()
            .chain(&records)
            .for_each(|record| self.capabilities.learn(record));
        self.learn(&records);
        self.hand.go_without(self.absent.clone());
        self.found.capabilities = self
            .capabilities
            .tell(self.plan.spec.operations.keys().copied());
        for capability in self.found.capabilities.clone() {
            self.say(Event::Capability(capability));
        }
        Ok(())
    }

    fn reachable(&self, records: &[Record]) -> Result<(), Unreachable> {
        let reply = records
            .iter()
            .find_map(|record| record.exchange.as_ref())
            .map(|exchange| &exchange.reply);
        let cause = match reply {
            Some(Reply::Response(_)) => return Ok(()),
            Some(Reply::Fault(fault)) if fault.kind == FaultKind::TooLarge => return Ok(()),
            Some(Reply::Fault(fault)) => fault.detail.clone(),
            None => records
                .iter()
                .find_map(|record| record.blocked.clone())
                .unwrap_or_else(|| "nothing could be sent".to_owned()),
        };
        Err(Unreachable {
            endpoint: self.hand.endpoint().to_owned(),
            cause,
        })
    }

    fn learn(&mut self, records: &[Record]) {
        let judged = check::judge(records, &self.plan.spec, &Model::default());
        self.absent = self.capabilities.surely_absent(&judged.observations);
        let last = judged.observations.last();
        let refused = records
            .iter()
            .find_map(|record| record.exchange.as_ref())
            .and_then(|exchange| exchange.reply.response());
        let enforces = refused.is_some_and(|response| {
            matches!(response.status, 400 | 401 | 403) && response.error_code().is_some()
        });
        self.found.learned = Learned {
            account: last.and_then(|last| last.after.account.clone()),
            region: last.and_then(|last| last.after.region.clone()),
            enforces_signatures: enforces,
        };
        self.hand.learned(&self.found.learned);
        self.say(Event::Learned(self.found.learned.clone()));
    }

    /// The scenarios to run together and those to run alone. What is left out says why.
    fn choose(&mut self) -> (Vec<Scenario>, Vec<Scenario>) {
        let mut needs = self.plan.needs.clone();
        if self.found.learned.enforces_signatures {
            needs.insert(Need::Signatures);
        }
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        for scenario in &self.plan.scenarios {
            let missing = scenario
                .needs
                .iter()
                .find(|need| **need != Need::Exclusive && !needs.contains(need));
            match missing {
                Some(need) => self.skip(scenario, *need),
                None if !self.plan.allows(&scenario.steps) => {
                    self.skip(scenario, Need::Irreversible)
                }
                None if scenario.needs.contains(&Need::Exclusive) => alone.push(scenario.clone()),
                None => together.push(scenario.clone()),
            }
        }
        // The longest chains of jobs begin first: the rest fills the time they wait.
        together.sort_by_key(|scenario| std::cmp::Reverse(jobs_awaited(&scenario.steps)));
        (together, alone)
    }

    fn skip(&mut self, scenario: &Scenario, need: Need) {
        let reason = match need {
            Need::Irreversible => "cannot be undone or costs money: off loopback only with --allow",
            Need::Signatures => "the target does not enforce signatures",
            Need::Regions => "the target is not known to serve several regions",
            Need::Exclusive => "runs alone",
        };
        for requirement in &scenario.covers {
            self.found
                .reasons
                .entry(requirement.clone())
                .or_insert_with(|| reason.to_owned());
        }
        self.say(Event::Skipped {
            scenario: scenario.id.clone(),
            reason: reason.to_owned(),
        });
    }

    fn over(&self) -> bool {
        let late = self
            .plan
            .max_time
            .is_some_and(|max| self.hand.elapsed() >= max);
        let enough = self
            .plan
            .max_fail
            .is_some_and(|max| self.found.ledger.deviations.len() >= max);
        self.stop.asked() || late || enough || self.hand.is_cut_short()
    }

    async fn all_at_once(&mut self, scenarios: Vec<Scenario>) {
        let mut tasks = JoinSet::new();
        let mut waiting = scenarios.into_iter();
        loop {
            while tasks.len() < self.plan.in_flight && !self.over() {
                let Some(scenario) = waiting.next() else {
                    break;
                };
                self.say(Event::CaseStarted {
                    case: scenario.id.clone(),
                });
                let judge = self.judge();
                tasks.spawn(async move { judge.run(scenario.id.clone(), scenario).await });
            }
            match self.until_over(tasks.join_next()).await {
                None => break,
                Some(Ok(case)) => self.take(case),
                Some(Err(panic)) => self.fault(None, format!("a case ended in a panic: {panic}")),
            }
        }
        self.found.complete &= waiting.count() == 0;
    }

    async fn one_by_one(&mut self, scenarios: Vec<Scenario>) {
        for scenario in scenarios {
            if self.over() {
                self.found.complete = false;
                return;
            }
            self.say(Event::CaseStarted {
                case: scenario.id.clone(),
            });
            let former = self.retrieval_policy(&scenario).await;
            let judge = self.judge();
            let case = self
                .until_over(judge.run(scenario.id.clone(), scenario))
                .await;
            self.take(case);
            self.restore(former).await;
        }
    }

    /// Waits for something, and cuts cases short once the run is over: at once when the user says so, a little later when time is up.
    async fn until_over<T>(&self, awaited: impl Future<Output = T>) -> T {
        let boxed = self
            .plan
            .max_time
            .map(|max| (max + GRACE).saturating_sub(self.hand.elapsed()));
        let end = async {
            tokio::select! {
                () = self.stop.wait() => {}
                () = tokio::time::sleep(boxed.unwrap_or(Duration::MAX)) => {}
            }
        };
        self.until(end, awaited).await
    }

    /// Waits for something, and cuts cases short as soon as the user says so.
    async fn until_interrupted<T>(&self, awaited: impl Future<Output = T>) -> T {
        self.until(self.stop.wait(), awaited).await
    }

    async fn until<T>(&self, end: impl Future<Output = ()>, awaited: impl Future<Output = T>) -> T {
        let cut = async {
            end.await;
            self.hand.cut_short();
            std::future::pending().await
        };
        tokio::select! {
            output = awaited => output,
            never = cut => never,
        }
    }

    fn judge(&self) -> Judge {
        let mut spec = (*self.plan.spec).clone();
        spec.operations
            .retain(|name, _| !self.absent.contains(name));
        let learned = &self.found.learned;
        let start = Model {
            account: learned.account.clone(),
            region: learned.region.clone(),
            enforces_signatures: learned.enforces_signatures,
            ..Model::default()
        };
        Judge {
            hand: self.hand.clone(),
            spec: Arc::new(spec),
            start: Arc::new(start),
            trial: false,
        }
    }

    fn take(&mut self, case: Case) {
        let mut told = CaseJudged {
            case: case.id.clone(),
            title: case.scenario.title.clone(),
            exchanges: case.judged.observations.len(),
            held: 0,
            violations: Vec::new(),
            inconclusive: Vec::new(),
            blocked: case.judged.blocked.clone(),
            seconds: case.seconds,
        };
        told.tell(&case.judged.judgements);
        for judgement in &case.judged.judgements {
            self.found.ledger.enter(&case.id, judgement, own_level);
        }
        self.found.cases += 1;
        self.found.exchanges += case.judged.observations.len();
        self.found.exercised.extend(
            case.judged
                .observations
                .iter()
                .filter_map(|seen| seen.operation),
        );
        case.records
            .iter()
            .for_each(|record| self.capabilities.learn(record));
        self.note_blocked(&case);
        for mistake in soundness::mistakes(&case.judged.observations) {
            self.fault(Some(case.id.clone()), mistake);
        }
        if case
            .judged
            .judgements
            .iter()
            .any(|judgement| matches!(judgement.outcome, Outcome::Violated { .. }))
        {
            self.kept.insert(case.id, (case.scenario, case.records));
        }
        self.say(Event::CaseJudged(told));
        self.phase(Phase::Cases);
    }

    /// A requirement whose scenario got stuck before it applied is inconclusive, and says on what.
    fn note_blocked(&mut self, case: &Case) {
        let Some((_, why)) = case.judged.blocked.first() else {
            return;
        };
        for requirement in &case.scenario.covers {
            self.found
                .reasons
                .entry(requirement.clone())
                .or_insert_with(|| format!("blocked: {why} (case {})", case.id));
        }
    }

    fn fault(&mut self, case: Option<String>, message: String) {
        let place = case
            .as_ref()
            .map(|case| format!("in case {case}: "))
            .unwrap_or_default();
        self.found.faults.push(format!("{place}{message}"));
        self.say(Event::Fault { case, message });
    }

    /// Tells whoever listens, and the journal what cannot be judged again from records.
    fn say(&mut self, event: Event) {
        if !matches!(
            event,
            Event::CaseStarted { .. } | Event::CaseJudged(_) | Event::Progress(_)
        ) {
            self.hand
                .tell_journal(&Line::Event(Box::new(event.clone())));
        }
        (self.tell)(event);
    }

    fn phase(&mut self, phase: Phase) {
        (self.tell)(Event::Progress(Progress {
            phase,
            done: self.found.cases,
            total: self.total,
            exchanges: self.hand.requests(),
            findings: self.found.ledger.deviations.len(),
        }));
    }

    fn finish(mut self) -> Found {
        self.found.leaks = self.hand.leaks();
        for leak in self.found.leaks.clone() {
            self.say(Event::Leak(leak));
        }
        let names: Vec<OperationName> = self.plan.spec.operations.keys().copied().collect();
        let known = std::mem::replace(&mut self.found.capabilities, self.capabilities.tell(names));
        let news: Vec<Capability> = self
            .found
            .capabilities
            .iter()
            .filter(|capability| !known.contains(capability))
            .cloned()
            .collect();
        for capability in news {
            self.say(Event::Capability(capability));
        }
        self.drop_absent();
        self.found.interrupted = self.stop.asked();
        self.found.complete &= !self.found.interrupted && self.found.gone.is_none();
        self.found.seconds = self.hand.elapsed().as_secs_f64();
        self.say(Event::RunFinished(RunFinished {
            seconds: self.found.seconds,
            complete: self.found.complete,
            interrupted: self.found.interrupted,
        }));
        self.found
    }

    /// An operation that turned out not to be there cannot have deviated.
    fn drop_absent(&mut self) {
        let capabilities = &self.capabilities;
        let there = |operation: Option<OperationName>| {
            operation.is_none_or(|name| capabilities.supports(name))
        };
        self.found
            .ledger
            .deviations
            .retain(|_, deviation| there(deviation.operation));
        let left: BTreeSet<RequirementId> = self
            .found
            .ledger
            .deviations
            .values()
            .map(|deviation| deviation.requirement.clone())
            .collect();
        for (requirement, tally) in &mut self.found.ledger.tallies {
            if !left.contains(requirement) {
                tally.violated = 0;
                tally.weakly_violated = 0;
            }
        }
        self.found
            .exercised
            .retain(|name| capabilities.supports(*name));
    }
}

/// Runs a scenario and judges it: what a task needs to own.
#[derive(Clone)]
pub(crate) struct Judge {
    hand: Hand,
    spec: Arc<Spec>,
    start: Arc<Model>,
    /// Whether its cases are tries, which the journal does not keep.
    trial: bool,
}

impl Judge {
    pub(crate) async fn run(&self, id: String, scenario: Scenario) -> Case {
        let begun = self.hand.elapsed();
        let records = match self.trial {
            true => self.hand.try_out(&id, &scenario).await,
            false => self.hand.play(&id, &scenario).await,
        };
        let (spec, start) = (Arc::clone(&self.spec), Arc::clone(&self.start));
        let judging = tokio::task::spawn_blocking(move || {
            let judged = check::judge(&records, &spec, &start);
            (records, judged)
        });
        let (records, judged) = judging
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        Case {
            id,
            scenario,
            records,
            judged,
            seconds: (self.hand.elapsed() - begun).as_secs_f64(),
        }
    }
}

fn jobs_awaited(steps: &[Step]) -> usize {
    let waits = |step: &&Step| matches!(step.action, Action::AwaitJob { .. });
    steps.iter().filter(waits).count()
}

fn own_level(requirement: &RequirementId) -> Level {
    Registry::builtin()
        .get(requirement)
        .map_or(Level::May, |known| known.level)
}

#[cfg(test)]
mod tests;
