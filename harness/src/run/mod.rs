//! A run from what is asked for to its report: what the command and somebody's `cargo test` have in common.
//! Refuses to know who asked, and what becomes of the report.

mod kept;
mod wanted;

pub use kept::{keep, runs};
pub use wanted::Wanted;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::baseline::Baseline;
use crevasse_core::payload::ByteCount;
use crevasse_core::scenario::{Need, Profile};
use crevasse_core::spec::{OperationName, Spec};

use crate::campaign::{self, CannotBegin, Earlier, Plan, Stop, Unreachable, irreversible};
use crate::event::{Event, RunStarted, Terms};
use crate::execute::transport::Arm;
use crate::execute::{Clock, Hand, Pace, Rate, Target};
use crate::found::Found;
use crate::generate::{Planned, large_archive};
use crate::journal::{Journal, Line};
use crate::report::Report;
use crate::report::assemble::assemble;
use crate::shard::Shard;

/// How much a run does, and how fast.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// The seed of everything generated: the same seed, the same cases.
    pub seed: u64,
    /// How much of the target's time it takes.
    pub profile: Profile,
    /// Generated cases.
    pub examples: u64,
    /// Requests under way at once.
    pub jobs: usize,
    /// Requests in a time.
    pub rate: Option<Rate>,
    /// No case begins after this time.
    pub max_time: Option<Duration>,
    /// No case begins after this many deviations.
    pub max_fail: Option<usize>,
    /// Whether deviations are tried again and made small.
    pub reproduce: bool,
    /// The share of the cases that this process runs.
    pub shard: Shard,
    /// The size of an archive that goes up in parts and down in ranges besides.
    pub archive_size: Option<ByteCount>,
}

impl Effort {
    /// What a run does that nobody asked for anything particular: the same each time.
    pub fn of(profile: Profile) -> Self {
        let examples = match profile {
            Profile::Quick => 10,
            Profile::Standard => 60,
            Profile::Thorough => 3000,
        };
        Self {
            seed: 1,
            profile,
            examples,
            jobs: 8,
            rate: None,
            max_time: None,
            max_fail: None,
            reproduce: true,
            shard: Shard::WHOLE,
            archive_size: None,
        }
    }
}

/// A run that can begin.
#[derive(Clone, Debug)]
pub struct Run {
    /// What is judged.
    pub wanted: Wanted,
    /// How much it does.
    pub effort: Effort,
    /// Where it is aimed.
    pub target: Target,
    /// Needs of scenarios that it meets beyond being alone.
    pub needs: BTreeSet<Need>,
    /// Of the operations that cannot be undone or cost money, those allowed off loopback; none means all, where the needs say so.
    pub allowed: BTreeSet<OperationName>,
    /// Its id, and what the names of its vaults begin with.
    pub started: RunStarted,
    /// By what terms it is reported on.
    pub terms: Terms,
}

impl Run {
    /// A run under an id of its own, reported on without a baseline.
    pub fn new(wanted: Wanted, effort: Effort, target: Target, needs: BTreeSet<Need>) -> Self {
        let mut started = started(&target, &wanted.spec, effort.seed, effort.jobs);
        started.profile = effort.profile;
        started.shard = effort.shard;
        let terms = Terms {
            operations: wanted.spec.operations.keys().copied().collect(),
            selected: wanted.narrowed(),
            strict: false,
            today: now().iso()[..10].to_owned(),
            baseline: Baseline::default(),
            target: None,
            built_in: false,
            notes: wanted.dropped().into_iter().collect(),
        };
        Self {
            wanted,
            effort,
            target,
            needs,
            allowed: BTreeSet::new(),
            started,
            terms,
        }
    }

    /// Runs and judges the cases of it. `tell` hears of everything as it happens.
    ///
    /// # Errors
    /// When the target cannot be reached at all or does not know our keys.
    pub async fn judge(
        &self,
        arm: Arm,
        journal: Journal,
        stop: &Stop,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Judged, CannotBegin> {
        let hand = self.hand(arm, journal);
        self.go_on(hand, Earlier::default(), stop, tell).await
    }

    /// The hand that plays it.
    pub fn hand(&self, arm: Arm, journal: Journal) -> Hand {
        Hand::new(
            self.target.clone(),
            arm,
            Arc::clone(&self.wanted.spec),
            Pace::new(self.effort.jobs, self.effort.rate),
            journal,
            self.started.prefix.clone(),
        )
    }

    /// The same as [`Self::judge`] from where an earlier run of it was interrupted.
    ///
    /// # Errors
    /// When the target cannot be reached at all or does not know our keys.
    pub async fn go_on(
        &self,
        hand: Hand,
        earlier: Earlier,
        stop: &Stop,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Judged, CannotBegin> {
        let terms = Event::Terms(Box::new(self.terms.clone()));
        hand.tell_journal(&Line::Event(Box::new(terms.clone())));
        let plan = self.plan();
        let run = campaign::run(hand.clone(), &plan, earlier, stop, tell);
        let mut found = run.await.inspect_err(|why| {
            if let CannotBegin::Unreachable(unreachable) = why {
                hand.tell_journal(&Line::Event(Box::new(told(unreachable))));
            }
        })?;
        found.follow(&terms);
        Ok(Judged {
            found,
            hand,
            started: self.started.clone(),
        })
    }

    /// The report of a run whose target could not be reached.
    pub fn unreached(&self, unreachable: &Unreachable) -> Report {
        let mut found = Found::default();
        found.follow(&Event::Terms(Box::new(self.terms.clone())));
        found.follow(&told(unreachable));
        assemble(&self.started, &found)
    }

    /// What it is to do.
    pub fn plan(&self) -> Plan {
        let mut needs = self.needs.clone();
        needs.insert(Need::Exclusive);
        let size = self.effort.archive_size;
        let large = size.map(|size| Planned::from(large_archive(self.effort.seed, size)));
        let mut scenarios = self.wanted.scenarios(&self.effort);
        if !self.target.is_loopback() && !self.allowed.is_empty() {
            scenarios.retain(|it| irreversible(&it.scenario().steps).is_subset(&self.allowed));
        }
        Plan {
            spec: Arc::clone(&self.wanted.spec),
            scenarios: self
                .effort
                .shard
                .share(large.into_iter().chain(scenarios).collect()),
            needs,
            in_flight: campaign::IN_FLIGHT,
            max_time: self.effort.max_time,
            max_fail: self.effort.max_fail,
            terms: self.terms.clone(),
            reproduce: self.effort.reproduce,
            shrink_time: Duration::from_secs(20),
        }
    }
}

/// A run that is over.
pub struct Judged {
    /// What it found.
    pub found: Found,
    hand: Hand,
    started: RunStarted,
}

impl Judged {
    /// Reports under another baseline from now on; the journal says so.
    pub fn accept(&mut self, baseline: Baseline) {
        let terms = Event::Terms(Box::new(Terms {
            baseline,
            ..self.found.terms.clone()
        }));
        self.found.follow(&terms);
        self.hand.tell_journal(&Line::Event(Box::new(terms)));
    }

    /// The report, with what went wrong on our side until now.
    pub fn report(&mut self) -> Report {
        if let Some(message) = self.hand.trouble() {
            self.found.follow(&Event::Fault {
                case: None,
                message,
            });
        }
        assemble(&self.started, &self.found)
    }
}

/// A new run against a target.
pub fn started(target: &Target, spec: &Spec, seed: u64, jobs: usize) -> RunStarted {
    let run = run_id();
    RunStarted {
        prefix: format!("crevasse-{run}"),
        run,
        seed,
        profile: Profile::Standard,
        endpoint: target.endpoint().to_owned(),
        jobs,
        spec: spec.name.clone(),
        spec_digest: spec.digest.clone(),
        started: now(),
        shard: Shard::WHOLE,
        arguments: Vec::new(),
        options: Vec::new(),
    }
}

fn told(unreachable: &Unreachable) -> Event {
    let message = unreachable.to_string();
    Event::Unreachable { message }
}

/// What time it is.
pub fn now() -> Timestamp {
    Clock::start().now()
}

/// Eight characters that no other run has: the time in milliseconds, the process, and how many it had before, hashed.
fn run_id() -> String {
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let before = BEFORE.fetch_add(1, Ordering::Relaxed);
    let text = format!("{}-{}-{before}", now().0, std::process::id());
    let digits = crevasse_core::treehash::sha256(text.as_bytes());
    digits
        .0
        .iter()
        .take(8)
        .map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]))
        .collect()
}
