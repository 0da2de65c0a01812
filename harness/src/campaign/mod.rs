//! A run from beginning to end: ask what is there, run the cases, judge them, try deviations again and make them small, clean up.
//! Tells what happens as events; refuses to know who listens.

pub(crate) mod account;
pub(crate) mod again;
mod capability;
mod clean_up;
mod rehearse;
mod resume;
pub(crate) mod soundness;

pub use account::irreversible;
pub use capability::{Capabilities, probe};
pub use clean_up::{CleanUpError, CleanedUp, clean_up};
pub use rehearse::{Rehearsal, rehearse};
pub use resume::{Earlier, ResumeError, TakenUp};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use crevasse_core::check::{self, Judged, Record};
use crevasse_core::finding::{Fingerprint, Ledger};
use crevasse_core::model::Model;
use crevasse_core::prices::Usage;
use crevasse_core::requirement::{Registry, RequirementId};
use crevasse_core::scenario::{Action, Need, Scenario, Signing, Step, Tweak};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{Exchange, FaultKind, Reply};

use crate::event::{CaseJudged, Event, Learned, Phase, Progress, Requests, RunFinished, Terms};
pub use crate::execute::Stop;
use crate::execute::{End, Hand, Part, Played};
pub use crate::found::Found;
use crate::generate::Planned;
use crate::journal::Line;

/// Cases under way at once, unless a plan says otherwise: most of them wait for jobs, and what is asked at once is bounded elsewhere.
pub const IN_FLIGHT: usize = 96;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The operations judged, and what is known of them.
    pub spec: Arc<Spec>,
    /// The scenarios, written and generated.
    pub scenarios: Vec<Planned>,
    /// Which needs of scenarios this run meets.
    pub needs: BTreeSet<Need>,
    /// Cases under way at once; most of them wait for jobs.
    pub in_flight: usize,
    /// No case begins after this time.
    pub max_time: Option<Duration>,
    /// No case begins after this many deviations that fail the run.
    pub max_fail: Option<usize>,
    /// By what terms it is reported on: what fails the run, and what is known.
    pub terms: Terms,
    /// Whether deviations are tried again and made small.
    pub reproduce: bool,
    /// How long making small may take in all.
    pub shrink_time: Duration,
}

/// How long cases under way may go on after the time box.
const GRACE: Duration = Duration::from_secs(10);

/// Why nothing can be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotBegin {
    /// Nobody is there.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The target does not know our keys, or gives them leave for nothing: whatever it refused, it would say nothing about it.
    #[error("be let in by {endpoint}: it answered {answer}")]
    NotLetIn {
        /// The endpoint.
        endpoint: String,
        /// Status and code of the answer, and to what.
        answer: String,
    },
}

/// Codes that say of a request that is signed right that its key is not known. A bare denial may be about what was asked for.
const KEY_REFUSED: [&str; 6] = [
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "MissingAuthenticationTokenException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
];

/// The target did not answer, or not in HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("talk to {endpoint}: {cause}")]
pub struct Unreachable {
    /// The endpoint, and the way to it if that is another.
    pub endpoint: String,
    /// Its kind.
    pub kind: FaultKind,
    /// What happened.
    pub cause: String,
}

/// A case that was run and judged.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) scenario: Scenario,
    pub(crate) records: Vec<Record>,
    pub(crate) judged: Judged,
    pub(crate) seconds: Duration,
    pub(crate) end: End,
    pub(crate) part: Part,
}

/// Makes a target's acquaintance: what it is like, and a judge of cases tried one by one that the journal does not keep.
///
/// # Errors
/// When the target cannot be reached at all or does not know our keys.
pub(crate) async fn meet(
    hand: Hand,
    plan: &Plan,
    stop: &Stop,
) -> Result<(Judge, Found), CannotBegin> {
    let mut ignore = |_: Event| {};
    let mut run = Run::new(hand, plan, stop, &mut ignore);
    run.probe().await?;
    Ok((run.trial_judge(), run.found))
}

/// Runs a plan; what an earlier run of the same plan left is not done again.
///
/// # Errors
/// When the target cannot be reached at all or does not know our keys; nothing was judged then.
pub async fn run(
    hand: Hand,
    plan: &Plan,
    earlier: Earlier,
    stop: &Stop,
    tell: &mut dyn FnMut(Event),
) -> Result<Found, CannotBegin> {
    let mut run = Run::new(hand, plan, stop, tell);
    run.probe().await?;
    let (mut together, mut alone) = run.choose();
    run.total = together.len() + alone.len();
    let done = run.take_up(earlier).await;
    for scenarios in [&mut together, &mut alone] {
        scenarios.retain(|planned| !done.contains(&planned.scenario().id));
    }
    let (together, alone) = match run.capabilities.are_none() {
        true => (Vec::new(), Vec::new()),
        false => (together, alone),
    };
    run.phase(Phase::Cases);
    run.all_at_once(together).await;
    run.phase(Phase::ExclusiveCases);
    run.one_by_one(alone).await;
    let used = run.hand.usage();
    let over = stop.asked() || run.hand.gone().is_some() || run.hand.spent().is_some();
    if plan.reproduce && !over {
        run.phase(Phase::Reproducing);
        run.hand.go_on();
        run.try_again().await;
    }
    let again = run.hand.usage().total() - used.total();
    run.phase(Phase::CleaningUp);
    run.hand.come_back().await;
    if stop.asked() {
        run.hand.give_up_waiting().await;
    }
    Ok(run.finish(&used, again))
}

struct Run<'a> {
    hand: Hand,
    plan: &'a Plan,
    stop: &'a Stop,
    /// Asked for once there are as many deviations as the user wants.
    enough: Stop,
    tell: &'a mut dyn FnMut(Event),
    /// What was said so far, added up.
    found: Found,
    /// Whether everything that was planned was run.
    complete: bool,
    capabilities: Capabilities,
    /// Operations that are not there beyond doubt: not asked for, and not judged.
    absent: BTreeSet<OperationName>,
    /// The specification without them.
    judged: Arc<Spec>,
    /// Cases that deviations remember, for another look.
    kept: BTreeMap<String, Scenario>,
    /// What cases of an earlier run wrote down that waited for their jobs.
    waiting: BTreeMap<String, Vec<Record>>,
    total: usize,
}

impl<'a> Run<'a> {
    fn new(hand: Hand, plan: &'a Plan, stop: &'a Stop, tell: &'a mut dyn FnMut(Event)) -> Self {
        Self {
            hand,
            plan,
            stop,
            enough: Stop::default(),
            tell,
            found: Found::default(),
            complete: true,
            capabilities: Capabilities::default(),
            absent: BTreeSet::new(),
            judged: Arc::clone(&plan.spec),
            kept: BTreeMap::new(),
            waiting: BTreeMap::new(),
            total: 0,
        }
    }
}

impl<'a> Run<'a> {
    /// Asks whether anybody is there, what there is, who we are to it, and whether it looks at signatures.
    async fn probe(&mut self) -> Result<(), CannotBegin> {
        self.phase(Phase::Probing);
        let mut scenario = probe();
        scenario
            .steps
            .retain(|step| self.plan.allows(std::slice::from_ref(step)));
        let hello = self.greet(&scenario).await?;
        let first = scenario.steps.remove(0).action;
        let signed = |signing| Step {
            action: first.clone(),
            tweak: Tweak {
                signing,
                ..Tweak::default()
            },
        };
        scenario
            .steps
            .splice(0..0, [Signing::Absent, Signing::Flipped].map(signed));
        let records = self.hand.try_out("probe", &scenario).await;
        hello
            .iter()
            .chain(&records)
            .for_each(|record| self.capabilities.learn(record));
        if let Some(answer) = shut_out(hello.iter().chain(&records)) {
            return Err(self.not_let_in(format!("{answer} to whatever was asked for")));
        }
        self.learn(&records);
        self.hand.go_without(self.absent.clone());
        for capability in self.capabilities.tell(self.defined()) {
            self.say(Event::Capability(capability));
        }
        Ok(())
    }

    /// Makes sure that somebody answers the first request of a probe, or the second where that answer breaks off; and that we are let in.
    async fn greet(&self, probe: &Scenario) -> Result<Vec<Record>, CannotBegin> {
        let only = |step: usize| Scenario {
            steps: vec![probe.steps[step].clone()],
            ..probe.clone()
        };
        let mut hello = self.hand.try_out("hello", &only(0)).await;
        if hello.iter().any(breaks_off) {
            hello.extend(self.hand.try_out("hello-again", &only(1)).await);
        }
        self.reachable(&hello)?;
        match hello.iter().find_map(key_refused) {
            Some(answer) => {
                Err(self.not_let_in(format!("{answer} to a request that is signed right")))
            }
            None => Ok(hello),
        }
    }

    fn not_let_in(&self, answer: String) -> CannotBegin {
        CannotBegin::NotLetIn {
            endpoint: self.hand.endpoint().to_owned(),
            answer,
        }
    }

    /// The operations that the specification defines.
    fn defined(&self) -> Vec<OperationName> {
        self.plan.spec.operations.keys().copied().collect()
    }

    /// Whether a whole answer came; if none did, why the first did not.
    fn reachable(&self, records: &[Record]) -> Result<(), Unreachable> {
        let mut why = None;
        for record in records {
            match record.exchange.as_ref().map(|exchange| &exchange.reply) {
                Some(Reply::Response(_)) => return Ok(()),
                Some(Reply::Fault(fault)) => {
                    why.get_or_insert((fault.kind, fault.detail.clone()));
                }
                None => {
                    let blocked = record.blocked.clone().unwrap_or_default();
                    why.get_or_insert((FaultKind::Unreachable, blocked));
                }
            }
        }
        let nothing = || (FaultKind::Unreachable, "nothing could be sent".to_owned());
        let (kind, cause) = why.unwrap_or_else(nothing);
        Err(Unreachable {
            endpoint: self.hand.way(),
            kind,
            cause,
        })
    }

    fn learn(&mut self, records: &[Record]) {
        let judged = check::judge(records, &self.plan.spec, &Model::default());
        self.absent = self.capabilities.surely_absent(&judged.observations);
        Arc::make_mut(&mut self.judged)
            .operations
            .retain(|name, _| !self.absent.contains(name));
        let last = judged.observations.last();
        let learned = Learned {
            account: last.and_then(|last| last.after.account.clone()),
            region: last.and_then(|last| last.after.region.clone()),
            enforces_signatures: records.iter().any(enforces_signatures),
        };
        self.hand.learned(&learned);
        self.say(Event::Learned(learned));
    }

    /// The scenarios to run together and those to run alone. What is left out says why.
    fn choose(&mut self) -> (Vec<&'a Planned>, Vec<&'a Planned>) {
        let mut needs = self.plan.needs.clone();
        if self.found.learned.enforces_signatures {
            needs.insert(Need::Signatures);
        }
        let (mut together, mut alone) = (Vec::new(), Vec::new());
        let plan = self.plan;
        for planned in &plan.scenarios {
            let scenario = &*planned.scenario();
            let missing = scenario
                .needs
                .iter()
                .find(|need| **need != Need::Exclusive && !needs.contains(need));
            match missing {
                Some(need) => self.skip(scenario, *need),
                None if !self.plan.allows(&scenario.steps) => {
                    self.skip(scenario, Need::Irreversible)
                }
                None if scenario.needs.contains(&Need::Exclusive) => alone.push(planned),
                None => together.push((jobs_awaited(&scenario.steps), planned)),
            }
        }
        // The longest chains of jobs begin first: the rest fills the time they wait.
        together.sort_by_key(|(jobs, _)| std::cmp::Reverse(*jobs));
        let together = together.into_iter().map(|(_, planned)| planned);
        (together.collect(), alone)
    }

    fn skip(&mut self, scenario: &Scenario, need: Need) {
        let reason = match need {
            Need::Irreversible => "cannot be undone or costs money: off loopback only with --allow",
            Need::Signatures => "the target does not enforce signatures",
            Need::Regions => "the target is not known to serve several regions",
            Need::Exclusive => "runs alone",
        };
        self.say(Event::Skipped {
            scenario: scenario.id.clone(),
            reason: reason.to_owned(),
            covers: scenario.covers.clone(),
        });
    }

    fn over(&self) -> bool {
        let late = self
            .plan
            .max_time
            .is_some_and(|max| self.hand.elapsed() >= max);
        self.stop.asked() || late || self.hand.is_cut_short()
    }

    async fn all_at_once(&mut self, plans: Vec<&Planned>) {
        let mut tasks = JoinSet::new();
        let mut waiting = plans.into_iter();
        loop {
            while tasks.len() < self.plan.in_flight && !self.over() {
                let Some(planned) = waiting.next() else {
                    break;
                };
                let scenario = planned.scenario().into_owned();
                self.say(Event::CaseStarted {
                    case: scenario.id.clone(),
                });
                let judge = self.judge();
                let before = self.waiting.remove(&scenario.id).unwrap_or_default();
                tasks
                    .spawn(async move { judge.go_on(scenario.id.clone(), scenario, before).await });
            }
            let Some(played) = self.until_over(tasks.join_next()).await else {
                break;
            };
            if let Some(case) = self.sound(played) {
                self.take(case);
            }
        }
        self.complete &= waiting.count() == 0;
    }

    async fn one_by_one(&mut self, plans: Vec<&Planned>) {
        for planned in plans {
            if self.over() {
                self.complete = false;
                return;
            }
            let scenario = planned.scenario().into_owned();
            self.say(Event::CaseStarted {
                case: scenario.id.clone(),
            });
            let judge = self.judge();
            let before = self.waiting.remove(&scenario.id).unwrap_or_default();
            let former = account::retrieval_policy(&self.hand, &[&scenario]).await;
            let playing = async move { judge.go_on(scenario.id.clone(), scenario, before).await };
            let played = self.until_over(tokio::spawn(playing)).await;
            account::restore(&self.hand, former).await;
            if let Some(case) = self.sound(played) {
                self.take(case);
            }
        }
    }

    /// What a task of cases came to. That it panicked is a fault of ours, and ends nothing but this task.
    fn sound<T>(&mut self, played: Result<T, JoinError>) -> Option<T> {
        played
            .map_err(|panic| self.fault(None, format!("a case ended in a panic: {panic}")))
            .ok()
    }

    /// Waits for something, and cuts cases short once the run is over: at once when the user says so, a little later when time is up.
    async fn until_over<T>(&self, awaited: impl Future<Output = T>) -> T {
        let boxed = self
            .plan
            .max_time
            .map(|max| (max + GRACE.min(max)).saturating_sub(self.hand.elapsed()));
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
        let learned = &self.found.learned;
        let start = Model {
            account: learned.account.clone(),
            region: learned.region.clone(),
            enforces_signatures: learned.enforces_signatures,
            ..Model::default()
        };
        Judge {
            hand: self.hand.clone(),
            spec: Arc::clone(&self.judged),
            start: Arc::new(start),
            given_up: [self.stop.clone(), self.enough.clone()],
            trial: false,
        }
    }

    fn take(&mut self, case: Case) {
        case.records
            .iter()
            .for_each(|record| self.capabilities.learn(record));
        self.complete &= case.end == End::Whole;
        let told = case.told();
        let once = again::had_once(&case);
        for mistake in soundness::mistakes(&case.judged.observations) {
            self.fault(Some(case.id.clone()), mistake);
        }
        let shown: Vec<Fingerprint> = told.ledger.deviations.keys().cloned().collect();
        self.say(Event::CaseJudged(Box::new(told)));
        if self.found.ledger.remembers(&case.id, &shown) {
            self.kept.insert(case.id, case.scenario);
        }
        once.into_iter().for_each(|event| self.say(event));
        if self.plan.max_fail.is_some_and(|max| self.failing() >= max) {
            self.enough.ask();
            self.hand.cut_short();
        }
        self.phase(Phase::Cases);
    }

    /// Deviations so far that fail the run.
    fn failing(&self) -> usize {
        let Terms {
            strict,
            baseline,
            today,
            ..
        } = &self.plan.terms;
        let deviations = self.found.ledger.deviations.values();
        deviations
            .filter(|it| it.fails(*strict) && baseline.waives(it, today).is_none())
            .count()
    }

    fn fault(&mut self, case: Option<String>, message: String) {
        self.say(Event::Fault { case, message });
    }

    /// Adds up what happened, writes it down and tells whoever listens.
    fn say(&mut self, event: Event) {
        self.found.follow(&event);
        if !matches!(event, Event::CaseStarted { .. }) {
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

    fn finish(mut self, used: &Usage, again: u64) -> Found {
        // Where no operation is there, no vault was ever made.
        for leak in self.hand.leaks() {
            if !self.capabilities.are_none() {
                self.say(Event::Leak(leak));
            }
        }
        for capability in self.capabilities.tell(self.defined()) {
            if !self.found.capabilities.contains(&capability) {
                self.say(Event::Capability(capability));
            }
        }
        let (interrupted, gone) = (self.stop.asked(), self.hand.gone());
        let spent = self.hand.spent().map(|beyond| beyond.to_string());
        self.say(Event::RunFinished(RunFinished {
            seconds: to_the_millisecond(self.hand.elapsed()),
            complete: self.complete && !interrupted && gone.is_none() && spent.is_none(),
            interrupted,
            gone,
            spent,
            requests: Requests {
                planned: used.total() - used.polls,
                polls: used.polls,
                again,
            },
        }));
        self.found
    }
}

/// Seconds that a report reads back as they were written.
fn to_the_millisecond(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

impl Case {
    /// Requests that were answered only when they were sent again, by what put them off last.
    fn put_off(&self) -> BTreeMap<u16, usize> {
        let mut times = BTreeMap::new();
        let exchanges = self
            .records
            .iter()
            .filter_map(|record| record.exchange.as_ref());
        for status in exchanges.filter_map(|exchange| exchange.retried.last()) {
            *times.entry(*status).or_default() += 1;
        }
        times
    }

    /// What came of it.
    fn told(&self) -> CaseJudged {
        let observations = &self.judged.observations;
        let own_level = |id: &RequirementId| Registry::builtin().level(id);
        let mut ledger = Ledger::default();
        for judgement in &self.judged.judgements {
            ledger.enter(&self.id, judgement, own_level);
        }
        CaseJudged {
            case: self.id.clone(),
            title: self.scenario.title.clone(),
            covers: self.scenario.covers.clone(),
            exchanges: observations.len(),
            exercised: observations
                .iter()
                .filter_map(|seen| seen.operation)
                .collect(),
            ledger,
            blocked: self.judged.blocked.clone(),
            put_off: self.put_off(),
            waits: self.end == End::Waits,
            seconds: to_the_millisecond(self.seconds),
        }
    }
}

/// Runs a scenario and judges it: what a task needs to own.
#[derive(Clone)]
pub(crate) struct Judge {
    hand: Hand,
    spec: Arc<Spec>,
    start: Arc<Model>,
    /// When nothing is left waiting, since nobody will go on with it: the user ends the run, or has seen enough.
    given_up: [Stop; 2],
    /// Whether its cases are tries, which the journal does not keep.
    trial: bool,
}

impl Judge {
    pub(crate) async fn run(&self, id: String, scenario: Scenario) -> Case {
        self.go_on(id, scenario, Vec::new()).await
    }

    /// The same from where an earlier performance was cut short.
    async fn go_on(&self, id: String, scenario: Scenario, before: Vec<Record>) -> Case {
        let begun = self.hand.elapsed();
        let played = match self.trial {
            true => self.hand.trial(&id, &scenario).await,
            false => {
                let wait = || !self.given_up.iter().any(Stop::asked);
                self.hand.take_up(&id, &scenario, before, wait).await
            }
        };
        let seconds = self.hand.elapsed() - begun;
        self.weigh(id, scenario, played, seconds).await
    }

    /// Judges what was played.
    async fn weigh(
        &self,
        id: String,
        scenario: Scenario,
        played: Played,
        seconds: Duration,
    ) -> Case {
        let spec = Arc::clone(&self.spec);
        let start = Model {
            alone: scenario.needs.contains(&Need::Exclusive),
            ..(*self.start).clone()
        };
        let Played { records, end, part } = played;
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
            seconds,
            end,
            part,
        }
    }
}

fn jobs_awaited(steps: &[Step]) -> usize {
    let waits = |step: &&Step| matches!(step.action, Action::AwaitJob { .. });
    steps.iter().filter(waits).count()
}

/// The answer that refuses the key of a request, if it does.
fn key_refused(record: &Record) -> Option<String> {
    let response = record.exchange.as_ref()?.reply.response()?;
    let code = response.error_code()?;
    let refused = matches!(response.status, 400 | 401 | 403) && KEY_REFUSED.contains(&&*code);
    refused.then(|| format!("{} {code}", response.status))
}

/// The refusal that all requests met alike, as who has leave for nothing does. Requests that are twisted on purpose tell nothing.
fn shut_out<'a>(records: impl Iterator<Item = &'a Record>) -> Option<String> {
    let plain = records.filter(|record| record.tweak == Tweak::default());
    let exchanges = plain.filter_map(|record| record.exchange.as_ref());
    let denial = |exchange: &Exchange| {
        let response = exchange.reply.response()?;
        let code = response.error_code()?;
        matches!(response.status, 401 | 403).then(|| format!("{} {code}", response.status))
    };
    let denials: Option<BTreeSet<String>> = exchanges.map(denial).collect();
    let mut denials = denials?.into_iter();
    denials.next().filter(|_| denials.next().is_none())
}

/// Whether an answer began and did not end.
fn breaks_off(record: &Record) -> bool {
    match record.exchange.as_ref().map(|exchange| &exchange.reply) {
        Some(Reply::Fault(fault)) => fault.partial.is_some() || fault.kind == FaultKind::TooLarge,
        _ => false,
    }
}

/// Whether a request was refused that is not signed, or wrongly. A target that lets one kind pass and not the other is to be held to both.
fn enforces_signatures(record: &Record) -> bool {
    let response = record
        .exchange
        .as_ref()
        .and_then(|exchange| exchange.reply.response());
    record.tweak.signing != Signing::Right
        && response.is_some_and(|response| {
            matches!(response.status, 400 | 401 | 403) && response.error_code().is_some()
        })
}

#[cfg(test)]
mod tests;
