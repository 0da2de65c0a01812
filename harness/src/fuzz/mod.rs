//! Black-box fuzzing of an endpoint, night after night: sequences that showed something new are kept and mutated, every exchange is judged as
//! in a run, and what was found is on disk before anything goes on.
//! Refuses to know who is told.

mod corpus;
mod dictionary;
mod eye;
mod handles;
mod mutate;
mod novelty;
mod robust;
mod settle;
mod state;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};

use crevasse_core::baseline::Baseline;
use crevasse_core::check::Outcome;
use crevasse_core::finding::Deviation;
use crevasse_core::scenario::{Need, Scenario};
use crevasse_core::spec::Spec;

use crate::campaign::{self, CannotBegin, Case, Found, Judge, Stop, meet};
use crate::event::Terms;
use crate::execute::Hand;
use crate::found::{Reproduction, Times};
use crate::generate::{self, Draw};
use crate::report::assemble;
use crate::report::document::FindingFacts;
use crate::shard::Shard;

use corpus::{Corpus, Entry};
use dictionary::Dictionary;
use eye::Eye;
use mutate::{Pool, mutate};
use robust::Growth;
use settle::{Settled, Suspect, settle};
use state::{Stage, State};

pub(crate) use eye::every_judgement;
pub use state::{SCHEMA, StateError};

/// What choices are made for here. Those that make a case afresh are others: else the choice to make one would choose its family.
const PURPOSE: &str = "fuzz";
/// One in so many candidates is generated afresh.
const FRESH: u64 = 6;
/// Suspects tried again at a time; each blocks a thread.
pub const SETTLERS: usize = 4;
/// How long making one finding small may take.
const SHRINK: Duration = Duration::from_secs(20);
/// How long cases under way may go on when the time is up.
const GRACE: Duration = Duration::from_secs(10);
/// Numbers of candidates of one night; the next begins after them.
const NIGHT: u64 = 1 << 40;

/// What a night is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What every choice is drawn from, with the number of the night.
    pub seed: u64,
    /// The specification judged by.
    pub spec: Arc<Spec>,
    /// What an empty corpus begins with, and what mutations take their words from.
    pub seeds: Vec<Scenario>,
    /// Cases under way at once.
    pub in_flight: usize,
    /// No case begins after this time.
    pub max_time: Duration,
    /// No more cases begin than these.
    pub max_cases: Option<u64>,
    /// Which part of all candidates is this process's.
    pub shard: Shard,
    /// Deviations that are accepted.
    pub baseline: Baseline,
    /// Today, `YYYY-MM-DD`.
    pub today: String,
}

/// Why a night cannot be.
#[derive(Debug, thiserror::Error)]
pub enum FuzzError {
    /// The corpus folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// Nobody is there.
    #[error(transparent)]
    CannotBegin(#[from] CannotBegin),
}

/// What a night tells as it goes.
#[derive(Debug)]
pub enum Tidings<'a> {
    /// It begins, the how many-th in this corpus folder.
    Begun {
        /// The night.
        night: u64,
        /// Entries of the corpus.
        entries: usize,
        /// Where the last night was, if it was elsewhere.
        elsewhere: Option<String>,
    },
    /// A finding of a cause that nobody was told of before, with the file its scenario is in.
    New(&'a FindingFacts, &'a Path),
}

/// Where a night stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Cases run.
    pub cases: usize,
    /// Requests sent.
    pub requests: u64,
    /// Entries of the corpus.
    pub entries: usize,
    /// Different things seen.
    pub features: usize,
    /// Findings that are new.
    pub news: usize,
    /// Findings of earlier nights.
    pub known: usize,
}

/// What a night left.
#[derive(Debug, Default)]
pub struct Night {
    /// Where it stood at its end.
    pub status: Status,
    /// What is new, in the order found: the first finding of each cause that nobody was told of.
    pub news: Vec<FindingFacts>,
    /// New findings of causes that were told of before.
    pub siblings: usize,
    /// Findings that the next night tries again, since this one ended before.
    pub waiting: usize,
    /// Findings that never showed again.
    pub unconfirmed: usize,
    /// Everything judged this night, known or new, as a run would have found it.
    pub found: Found,
    /// Whether anything was judged at all.
    pub verified: bool,
}

/// Fuzzes for a night, with the corpus in `folder`.
///
/// # Errors
/// When the corpus cannot be read or written, or the target cannot be reached at all.
pub async fn fuzz(
    hand: Hand,
    plan: &Plan,
    folder: &Path,
    stop: &Stop,
    tell: &mut dyn FnMut(Tidings<'_>),
) -> Result<Night, FuzzError> {
    let (mut state, mut corpus) = State::open(folder)?;
    let campaign = campaign_plan(plan);
    let (judge, found) = meet(hand.clone(), &campaign, stop).await?;
    state.drop_entries(corpus.prune())?;
    let last = state.endpoint().map(str::to_owned);
    let night = state.begin_night(plan.seed, hand.endpoint())?;
    tell(Tidings::Begun {
        night,
        entries: corpus.len(),
        elsewhere: last.filter(|last| last != hand.endpoint()),
    });
    let mut fuzzer = Fuzzer {
        known: state
            .counts()
            .get(&Stage::Told)
            .copied()
            .unwrap_or_default(),
        eye: Eye {
            baseline: plan.baseline.clone(),
            today: plan.today.clone(),
        },
        dictionary: Dictionary::of(&plan.seeds),
        first: first(plan, &corpus),
        hand,
        judge,
        plan,
        campaign,
        stop,
        tell,
        state,
        corpus,
        night,
        drawn: 0,
        suspects: VecDeque::new(),
        tried: BTreeSet::new(),
        shrunk: BTreeSet::new(),
        causes: BTreeSet::new(),
        growth: Growth::default(),
        out: Night {
            found,
            ..Night::default()
        },
    };
    fuzzer.take_up();
    fuzzer.run().await?;
    Ok(fuzzer.finish())
}

/// What is run as it is before anything is mutated: the corpus, or its seeds.
fn first(plan: &Plan, corpus: &Corpus) -> VecDeque<Scenario> {
    let of_corpus: Vec<Scenario> = corpus.scenarios().cloned().collect();
    let all = if of_corpus.is_empty() {
        plan.seeds.clone()
    } else {
        of_corpus
    };
    plan.shard.share(all).into()
}

/// The plan of the campaign that a night amounts to: nothing that belongs to the account, nothing that cannot be undone.
fn campaign_plan(plan: &Plan) -> campaign::Plan {
    campaign::Plan {
        spec: Arc::clone(&plan.spec),
        scenarios: Vec::new(),
        needs: BTreeSet::<Need>::new(),
        in_flight: plan.in_flight,
        max_time: Some(plan.max_time),
        max_fail: None,
        terms: Terms::default(),
        reproduce: true,
        shrink_time: SHRINK,
    }
}

/// Where candidates come from.
#[derive(Clone, Copy)]
struct Source<'a> {
    seed: u64,
    night: u64,
    corpus: &'a Corpus,
    dictionary: &'a Dictionary,
    campaign: &'a campaign::Plan,
}

impl Source<'_> {
    /// Candidate `number` of the night: it depends on seed, night, number and the corpus alone.
    fn candidate(self, number: u64) -> Scenario {
        let number = self.night * NIGHT + number;
        let mut draw = Draw::new(PURPOSE, self.seed, number);
        let fresh = draw.once_in(FRESH);
        let (Some(base), Some(other)) = (self.corpus.draw(&mut draw), self.corpus.draw(&mut draw))
        else {
            return generate::case(self.seed, number);
        };
        if fresh {
            return generate::case(self.seed, number);
        }
        let pool = Pool {
            dictionary: self.dictionary,
            other: &other.scenario,
        };
        let variant = mutate(&mut draw, &base.scenario, &pool);
        let bare = Scenario {
            id: "fuzzed".to_owned(),
            title: format!("fuzzed: candidate {number} of seed {}", self.seed),
            covers: Vec::new(),
            ..variant
        };
        // What cannot be undone is asked of nobody by chance.
        match self.campaign.allows(&bare.steps) {
            true => bare,
            false => base.scenario.clone(),
        }
    }
}

/// Cases under way, taken as they end: one that waits for a job keeps no other from beginning.
#[derive(Default)]
struct UnderWay {
    cases: JoinSet<Case>,
    /// What each plays, told when it ends in a panic.
    scenarios: HashMap<Id, Scenario>,
}

impl UnderWay {
    fn begin(&mut self, scenario: Scenario, case: impl Future<Output = Case> + Send + 'static) {
        let id = self.cases.spawn(case).id();
        self.scenarios.insert(id, scenario);
    }

    /// The next case that ends; of one that panicked, why and in which scenario.
    async fn next(&mut self) -> Option<Result<Case, String>> {
        let ended = self.cases.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(panic) => panic.id(),
        };
        let played = self.scenarios.remove(&id).expect("noted as it began");
        let told = |panic| format!("{panic}, by this scenario:\n{}", played.to_yaml());
        Some(ended.map(|(_, case)| case).map_err(told))
    }
}

struct Fuzzer<'a> {
    hand: Hand,
    judge: Judge,
    eye: Eye,
    plan: &'a Plan,
    campaign: campaign::Plan,
    stop: &'a Stop,
    tell: &'a mut dyn FnMut(Tidings<'_>),
    state: State,
    corpus: Corpus,
    dictionary: Dictionary,
    first: VecDeque<Scenario>,
    night: u64,
    drawn: u64,
    suspects: VecDeque<Suspect>,
    /// Findings tried again this night.
    tried: BTreeSet<String>,
    /// Causes of which one finding was made small, or is about to be.
    shrunk: BTreeSet<String>,
    /// Causes that somebody was told of.
    causes: BTreeSet<String>,
    growth: Growth,
    known: usize,
    out: Night,
}

impl Fuzzer<'_> {
    /// Takes up what an earlier night found and had no time to try again.
    fn take_up(&mut self) {
        let told = self.state.at(Stage::Told).into_iter();
        self.causes.extend(told.map(|known| known.cause));
        self.shrunk.extend(self.causes.iter().cloned());
        for finding in self.state.at(Stage::Found) {
            if let Ok(scenario) = Scenario::parse(&finding.repro.scenario) {
                self.suspect(scenario, &[finding]);
            }
        }
    }

    async fn run(&mut self) -> Result<(), FuzzError> {
        for finding in self.state.at(Stage::Confirmed) {
            self.announce(finding)?;
        }
        let mut under_way = UnderWay::default();
        let mut settlers: JoinSet<Vec<Settled>> = JoinSet::new();
        loop {
            while under_way.cases.len() < self.plan.in_flight && !self.over() {
                self.begin(&mut under_way);
            }
            while settlers.len() < SETTLERS && !self.over() && !self.suspects.is_empty() {
                self.send_settler(&mut settlers, true);
            }
            match self.until_over(under_way.next(), &mut settlers).await? {
                Some(Ok(case)) => self.take(case)?,
                Some(Err(panic)) => self.out.found.faults.push(panic),
                None => break,
            }
        }
        self.settle_rest(settlers).await
    }

    fn over(&self) -> bool {
        let late = self.hand.elapsed() >= self.plan.max_time;
        let enough = self.plan.max_cases.is_some_and(|max| self.drawn >= max);
        self.stop.asked() || late || enough || self.hand.is_cut_short()
    }

    /// Waits for something, taking what settlers bring meanwhile; cuts cases short at once when the user says so, a little later when time is up.
    async fn until_over<T>(
        &mut self,
        awaited: impl Future<Output = T>,
        settlers: &mut JoinSet<Vec<Settled>>,
    ) -> Result<T, FuzzError> {
        tokio::pin!(awaited);
        loop {
            let left = (self.plan.max_time + GRACE).saturating_sub(self.hand.elapsed());
            let cut = self.hand.is_cut_short();
            let settled = tokio::select! {
                output = &mut awaited => return Ok(output),
                Some(settled) = settlers.join_next() => Some(settled),
                () = self.stop.wait(), if !cut => None,
                () = tokio::time::sleep(left), if !cut => None,
            };
            match settled {
                Some(Ok(settled)) => self.conclude(settled)?,
                Some(Err(panic)) => self.out.found.faults.push(panic.to_string()),
                None => self.hand.cut_short(),
            }
        }
    }

    /// Begins the next case.
    fn begin(&mut self, under_way: &mut UnderWay) {
        let number = self.plan.shard.number(self.drawn);
        self.drawn += 1;
        let scenario = self
            .first
            .pop_front()
            .unwrap_or_else(|| self.source().candidate(number));
        let judge = self.judge.clone();
        let (name, copy) = (format!("fuzz-{}-{number}", self.night), scenario.clone());
        under_way.begin(scenario, async move { judge.run(name, copy).await });
    }

    fn source(&self) -> Source<'_> {
        Source {
            seed: self.plan.seed,
            night: self.night,
            corpus: &self.corpus,
            dictionary: &self.dictionary,
            campaign: &self.campaign,
        }
    }

    /// Takes a case that is over: what it showed, and what it found.
    fn take(&mut self, case: Case) -> Result<(), FuzzError> {
        self.out.found.cases += 1;
        self.out.found.exchanges += case.judged.observations.len();
        for judgement in every_judgement(&case) {
            self.out.verified |= !matches!(judgement.outcome, Outcome::Inconclusive { .. });
            let ledger = &mut self.out.found.ledger;
            ledger.enter(&case.id, &judgement, eye::own_level);
        }
        let asked = case
            .judged
            .observations
            .iter()
            .filter_map(|seen| seen.operation);
        self.out.found.exercised.extend(asked);
        self.note_findings(&case)?;
        self.note_growth(&case)?;
        self.note_news(case)?;
        Ok(())
    }

    /// Findings that no night knew are on disk before anything goes on.
    fn note_findings(&mut self, case: &Case) -> Result<(), FuzzError> {
        let mut new: Vec<FindingFacts> = Vec::new();
        for deviation in self.eye.findings(case) {
            let name = deviation.fingerprint.to_string();
            let stage = self.state.stage(&name);
            let is_new = matches!(stage, None | Some(Stage::Unconfirmed));
            if !is_new || !self.tried.insert(name) {
                continue;
            }
            let seen = eye::reproduction(case, &deviation, Times::default());
            let facts = assemble::finding(&deviation, Some(&seen));
            self.state.found(facts.clone())?;
            new.push(facts);
        }
        if !new.is_empty() {
            self.suspect(case.scenario.clone(), &new);
        }
        Ok(())
    }

    fn suspect(&mut self, scenario: Scenario, findings: &[FindingFacts]) {
        let print = |finding: &FindingFacts| {
            crevasse_core::finding::Fingerprint(finding.fingerprint.clone())
        };
        let mut leads = BTreeSet::new();
        for finding in findings {
            self.tried.insert(finding.fingerprint.clone());
            if self.shrunk.insert(finding.cause.clone()) {
                leads.insert(print(finding));
            }
        }
        let name = format!("again-{}-{}", self.night, self.tried.len());
        self.suspects.push_back(Suspect {
            name,
            scenario,
            wanted: findings.iter().map(print).collect(),
            leads,
        });
    }

    /// Growing slowness is seen over a whole night and in no case alone, so it is not tried again.
    fn note_growth(&mut self, case: &Case) -> Result<(), FuzzError> {
        for seen in &case.judged.observations {
            let Some(judgement) = self.growth.note(seen) else {
                continue;
            };
            let Some(deviation) = eye::deviation(&case.id, &judgement) else {
                continue;
            };
            if self.state.stage(&deviation.fingerprint.0).is_none() && self.eye.counts(&deviation) {
                self.confirm(&deviation, None)?;
            }
        }
        Ok(())
    }

    /// Keeps the scenario when it showed something new.
    fn note_news(&mut self, case: Case) -> Result<(), FuzzError> {
        let features = novelty::features(&case.judged.observations);
        if !self.corpus.is_new(&features) {
            return Ok(());
        }
        let entry = Entry {
            id: corpus::id(&case.scenario),
            scenario: case.scenario,
            features,
        };
        self.state.keep(&entry)?;
        self.corpus.keep(entry);
        Ok(())
    }

    fn send_settler(&mut self, settlers: &mut JoinSet<Vec<Settled>>, shrink: bool) {
        let Some(suspect) = self.suspects.pop_front() else {
            return;
        };
        let deadline = (self.hand.elapsed() + SHRINK).min(self.plan.max_time);
        let (judge, eye) = (self.judge.clone(), self.eye.clone());
        // Making small asks through a closure, and so stays on its thread.
        let runtime = tokio::runtime::Handle::current();
        settlers.spawn_blocking(move || {
            runtime.block_on(settle(judge, eye, suspect, shrink.then_some(deadline)))
        });
    }

    /// Time is up: what was found is tried again, and no longer made small. Not when the user wants the end.
    async fn settle_rest(&mut self, mut settlers: JoinSet<Vec<Settled>>) -> Result<(), FuzzError> {
        self.out.found.gone = self.hand.gone();
        let end = self.stop.asked() || self.out.found.gone.is_some();
        if !end {
            self.hand.go_on();
        }
        loop {
            while !end && settlers.len() < SETTLERS && !self.suspects.is_empty() {
                self.send_settler(&mut settlers, false);
            }
            let cut = self.hand.is_cut_short();
            let settled = tokio::select! {
                settled = settlers.join_next() => settled,
                () = self.stop.wait(), if !cut => {
                    self.hand.cut_short();
                    self.suspects.clear();
                    continue;
                }
            };
            match settled {
                None => return Ok(()),
                Some(Ok(settled)) => self.conclude(settled)?,
                Some(Err(panic)) => self.out.found.faults.push(panic.to_string()),
            }
        }
    }

    fn conclude(&mut self, settled: Vec<Settled>) -> Result<(), FuzzError> {
        for one in settled {
            match one.shown {
                Some((deviation, again)) => self.confirm(&deviation, Some(&again))?,
                None if self.hand.is_cut_short() => {}
                None => self.dismiss(&one.fingerprint.0)?,
            }
        }
        Ok(())
    }

    fn confirm(
        &mut self,
        deviation: &Deviation,
        again: Option<&Reproduction>,
    ) -> Result<(), FuzzError> {
        let facts = assemble::finding(deviation, again);
        self.state.settled(facts.clone(), true)?;
        if let Some(again) = again {
            let kept = (deviation.fingerprint.clone(), again.clone());
            self.out.found.reproductions.extend([kept]);
        }
        self.announce(facts)
    }

    fn dismiss(&mut self, fingerprint: &str) -> Result<(), FuzzError> {
        let found = self.state.at(Stage::Found);
        if let Some(facts) = found
            .into_iter()
            .find(|known| known.fingerprint == fingerprint)
        {
            self.state.settled(facts, false)?;
        }
        Ok(())
    }

    /// Tells of a finding whose cause is new, and then notes that somebody was told: killed in between it is told twice, and never lost.
    fn announce(&mut self, facts: FindingFacts) -> Result<(), FuzzError> {
        let path: PathBuf = self.state.lay_out(&facts)?;
        let is_news = self.causes.insert(facts.cause.clone());
        if is_news {
            (self.tell)(Tidings::New(&facts, &path));
        }
        self.state.told(&facts.fingerprint)?;
        match is_news {
            true => self.out.news.push(facts),
            false => self.out.siblings += 1,
        }
        Ok(())
    }

    fn status(&self) -> Status {
        Status {
            cases: self.out.found.cases,
            requests: self.hand.requests(),
            entries: self.corpus.len(),
            features: self.corpus.features(),
            news: self.out.news.len(),
            known: self.known,
        }
    }

    fn finish(mut self) -> Night {
        let counts = self.state.counts();
        let count = |stage| counts.get(&stage).copied().unwrap_or_default();
        self.out.status = self.status();
        self.out.waiting = count(Stage::Found);
        self.out.unconfirmed = count(Stage::Unconfirmed);
        self.out.found.leaks = self.hand.leaks();
        self.out.found.seconds = self.hand.elapsed().as_secs_f64();
        self.out.found.interrupted = self.stop.asked();
        self.out.found.complete = !self.out.found.interrupted && self.out.found.gone.is_none();
        self.out
    }
}

#[cfg(test)]
mod tests;
