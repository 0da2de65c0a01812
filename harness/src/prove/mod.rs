//! The proof that the checks bite: the suite against every fault of the reference server, and a score.
//! Refuses to count a kill by a check that has nothing to do with the fault.

mod ground;
mod witness;

pub use witness::{Depth, depth, find_witnesses, witness, witnesses};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crevasse_core::check::{self, Check};
use crevasse_core::requirement::{Level, Registry, RequirementId};
use crevasse_core::scenario::{Need, Scenario};
use crevasse_reference::fault::Fault;

use crate::found::Found;
use ground::Ground;

/// Names the format of a proof and its version.
pub const SCHEMA: &str = "crevasse.proof/1";

/// What came of the suite against every fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// [`SCHEMA`].
    pub schema: String,
    /// Every fault: the rows of the matrix.
    pub faults: Vec<Proved>,
    /// Requirements that deviated on the clean server: they prove nothing.
    pub clean: Vec<RequirementId>,
    /// Checks that killed no fault.
    pub idle_checks: Vec<String>,
    /// Those of them that judge a MUST requirement: not yet proven.
    pub unproven_checks: Vec<String>,
    /// MUST requirements that are judged and that no fault here breaks visibly: not yet proven.
    pub unproven: Vec<RequirementId>,
}

/// What came of one fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// The fault.
    pub id: String,
    /// What it does.
    pub sentence: String,
    /// Where it hooks in.
    pub seam: String,
    /// Where it came from.
    pub origin: String,
    /// The requirements it breaks.
    pub breaks: Vec<RequirementId>,
    /// What hides it from a test that asks once and for little: `state`, `size`, `repetition`, by its witness.
    pub depth: Vec<String>,
    /// Why no client can see it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excuse: Option<String>,
    /// Whether one of these requirements deviated that holds on the clean server.
    pub killed: bool,
    /// The cases in which one of these requirements deviated first, one a deviation.
    pub cases: BTreeSet<String>,
    /// The checks that saw it, with the requirements they named: the row of the matrix.
    pub seen_by: BTreeMap<String, Vec<RequirementId>>,
}

impl Proved {
    /// The checks that killed it: they named a requirement that it breaks.
    pub fn killers(&self) -> impl Iterator<Item = &str> {
        let kills = |named: &[RequirementId]| named.iter().any(|id| self.breaks.contains(id));
        self.seen_by
            .iter()
            .filter(move |(_, named)| kills(named))
            .map(|(check, _)| check.as_str())
    }
}

impl Proof {
    /// Faults killed.
    pub fn killed(&self) -> usize {
        self.faults.iter().filter(|fault| fault.killed).count()
    }

    /// The share of faults killed, from 0 to 1.
    pub fn score(&self) -> f64 {
        self.killed() as f64 / self.faults.len().max(1) as f64
    }
}

/// Scenarios that a fault is tried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// All of them.
    ByAll,
    /// The one that bears its id.
    ByItsOwn,
}

/// Runs the scenarios against the clean server and against every chosen fault, `jobs` servers at a time. `tell` hears of each fault as it is done.
pub async fn prove(
    suite: Arc<Vec<Scenario>>,
    tried: Tried,
    faults: Vec<&'static Fault>,
    jobs: usize,
    mut tell: impl FnMut(&Proved),
) -> Proof {
    let clean = deviating_when_clean(&suite).await;
    let told: Vec<RequirementId> = clean.iter().cloned().collect();
    let try_it = move |fault: &'static Fault| {
        let own = |scenario: &&Scenario| scenario.id == fault.id;
        let own: Vec<Scenario> = suite.iter().filter(own).cloned().collect();
        let suite = match tried {
            Tried::ByAll => &suite,
            Tried::ByItsOwn => &own,
        };
        Handle::current().block_on(try_fault(suite, fault, &clean))
    };
    let mut proved = Vec::new();
    side_by_side(faults, jobs, try_it, |outcome: Proved| {
        tell(&outcome);
        proved.push(outcome);
    })
    .await;
    proved.sort_by(|a, b| a.id.cmp(&b.id));
    conclude(proved, told)
}

/// What deviates on servers without a fault: of these requirements nothing is proven.
async fn deviating_when_clean(suite: &Arc<Vec<Scenario>>) -> BTreeSet<RequirementId> {
    let mut clean = BTreeSet::new();
    let suite = Arc::clone(suite);
    let run =
        move |ground: Ground| Handle::current().block_on(ground.run(&suite, Vec::new(), None));
    let grounds = Ground::ALL.to_vec();
    side_by_side(grounds, Ground::ALL.len(), run, |found: Found| {
        clean.extend(deviating(&found));
    })
    .await;
    clean
}

/// Works on items side by side, each on a thread of its own: a campaign tells of events as it goes and stays where it began.
async fn side_by_side<I: Send + 'static, T: Send + 'static>(
    items: Vec<I>,
    jobs: usize,
    work: impl Fn(I) -> T + Send + Sync + 'static,
    mut done: impl FnMut(T),
) {
    let (work, room) = (Arc::new(work), Arc::new(Semaphore::new(jobs.max(1))));
    let mut tasks = JoinSet::new();
    for item in items {
        let (work, room) = (Arc::clone(&work), Arc::clone(&room));
        tasks.spawn(async move {
            let _permit = room.acquire_owned().await;
            tokio::task::spawn_blocking(move || work(item)).await
        });
    }
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Ok(outcome)) => done(outcome),
            Ok(Err(panic)) | Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// The whole suite on the open server; while nothing saw the fault, what is there for it on the guarded one, and behind a socket.
async fn try_fault(
    suite: &[Scenario],
    fault: &'static Fault,
    clean: &BTreeSet<RequirementId>,
) -> Proved {
    let covering = covering(suite, fault);
    let mut proved = unseen(fault);
    for ground in Ground::ALL {
        let scenarios = if ground == Ground::Open {
            suite
        } else {
            &covering
        };
        if proved.killed {
            break;
        }
        proved.see(&ground.run(scenarios, vec![fault], None).await, clean);
    }
    proved
}

/// The scenarios that are there for what a fault breaks, and those about signatures.
fn covering(suite: &[Scenario], fault: &Fault) -> Vec<Scenario> {
    let about = |scenario: &&Scenario| {
        let mut covers = scenario.covers.iter();
        covers.any(|id| fault.breaks.contains(&id.as_str()))
            || scenario.needs.contains(&Need::Signatures)
    };
    suite.iter().filter(about).cloned().collect()
}

fn deviating(found: &Found) -> impl Iterator<Item = RequirementId> {
    let deviations = found.ledger.deviations.values();
    deviations.map(|deviation| deviation.requirement.clone())
}

fn unseen(fault: &Fault) -> Proved {
    let breaks = fault.breaks.iter().map(|id| RequirementId::of(id));
    Proved {
        id: fault.id.to_owned(),
        sentence: fault.sentence.to_owned(),
        seam: fault.seam.to_string(),
        origin: fault.origin.to_owned(),
        breaks: breaks.collect(),
        depth: witness(fault.id)
            .map(depth)
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect(),
        excuse: fault.excuse.map(str::to_owned),
        killed: false,
        cases: BTreeSet::new(),
        seen_by: BTreeMap::new(),
    }
}

impl Proved {
    /// Takes in what a run found beyond what deviates on the clean server anyway.
    fn see(&mut self, found: &Found, clean: &BTreeSet<RequirementId>) {
        for deviation in found.ledger.deviations.values() {
            let requirement = &deviation.requirement;
            if clean.contains(requirement) {
                continue;
            }
            let named = self.seen_by.entry(deviation.check.to_string()).or_default();
            if !named.contains(requirement) {
                named.push(requirement.clone());
            }
            if self.breaks.contains(requirement) {
                self.killed = true;
                self.cases.insert(deviation.first.case.clone());
            }
        }
    }
}

fn conclude(faults: Vec<Proved>, clean: Vec<RequirementId>) -> Proof {
    let biting: BTreeSet<&str> = faults.iter().flat_map(Proved::killers).collect();
    let proven: BTreeSet<&RequirementId> = faults
        .iter()
        .flat_map(|fault| fault.seen_by.values().flatten())
        .collect();
    let judged: BTreeSet<&str> = check::all()
        .flat_map(|check| check.requirements.iter().copied())
        .collect();
    let unproven = Registry::builtin()
        .iter()
        .filter(|known| known.level == Level::Must && judged.contains(known.id.as_str()))
        .filter(|known| !proven.contains(&known.id))
        .map(|known| known.id.clone())
        .collect();
    let idle: Vec<&Check> = check::all()
        .filter(|check| !biting.contains(check.id))
        .collect();
    let names = |checks: &[&Check]| checks.iter().map(|check| check.id.to_owned()).collect();
    let demanding: Vec<&Check> = idle
        .iter()
        .copied()
        .filter(|check| demands(check))
        .collect();
    Proof {
        schema: SCHEMA.to_owned(),
        clean,
        idle_checks: names(&idle),
        unproven_checks: names(&demanding),
        unproven,
        faults,
    }
}

/// Whether a check judges a MUST requirement.
fn demands(check: &Check) -> bool {
    let must = |id: &&&str| {
        let known = Registry::builtin().get(**id);
        known.is_some_and(|requirement| requirement.level == Level::Must)
    };
    check.requirements.iter().filter(must).count() > 0
}
