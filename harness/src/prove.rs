//! The proof that the checks bite: the suite against every fault of the reference server, and a score.
//! Refuses to count a kill by a check that has nothing to do with the fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crevasse_core::check;
use crevasse_core::requirement::{Level, Registry, RequirementId};
use crevasse_core::scenario::{Need, Scenario};
use crevasse_core::spec::Spec;
use crevasse_reference::fault::{self, Fault};
use crevasse_reference::{Options, Service};

use crate::campaign::{self, Found, Plan, Stop};
use crate::execute::transport::Arm;
use crate::execute::{Hand, Pace, Target, credentials};
use crate::journal::Journal;

/// Names the format of a proof and its version.
pub const SCHEMA: &str = "crevasse.proof/1";

/// What came of the suite against every fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// [`SCHEMA`].
    pub schema: String,
    /// The seed of what was generated.
    pub seed: u64,
    /// Every fault.
    pub faults: Vec<Proved>,
    /// Requirements that deviated on the clean server: they prove nothing.
    pub clean: Vec<RequirementId>,
    /// Checks that killed no fault.
    pub idle_checks: Vec<String>,
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
    /// Whether one of these requirements deviated that holds on the clean server.
    pub killed: bool,
    /// The checks that saw it, with the requirements they named: the row of the matrix.
    pub seen_by: BTreeMap<String, Vec<RequirementId>>,
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

/// Runs the scenarios against the clean server and against every chosen fault, `jobs` servers at a time. `tell` hears of each fault as it is done.
pub async fn prove(
    scenarios: Vec<Scenario>,
    seed: u64,
    faults: Vec<&'static Fault>,
    jobs: usize,
    mut tell: impl FnMut(&Proved),
) -> Proof {
    let suite = Arc::new(scenarios);
    let clean = deviating(&run(Arc::clone(&suite), Vec::new()).await);
    let room = Arc::new(Semaphore::new(jobs.max(1)));
    let mut tasks = JoinSet::new();
    for fault in faults {
        let (suite, room) = (covering(&suite, fault), Arc::clone(&room));
        let permit = room.acquire_owned().await;
        // A campaign tells of events as it goes and stays on its thread.
        let runtime = tokio::runtime::Handle::current();
        tasks.spawn_blocking(move || {
            let _permit = permit;
            (fault, runtime.block_on(run(suite, vec![fault])))
        });
    }
    let mut proved = Vec::new();
    while let Some(done) = tasks.join_next().await {
        if let Ok((fault, found)) = done {
            let outcome = judge(fault, &found, &clean);
            tell(&outcome);
            proved.push(outcome);
        }
    }
    proved.sort_by(|a, b| a.id.cmp(&b.id));
    conclude(proved, clean, seed)
}

/// The scenarios that are there for what a fault breaks; all of them where none says so.
fn covering(suite: &Arc<Vec<Scenario>>, fault: &Fault) -> Arc<Vec<Scenario>> {
    let about = |scenario: &&Scenario| {
        scenario
            .covers
            .iter()
            .any(|id| fault.breaks.contains(&id.as_str()))
    };
    let chosen: Vec<Scenario> = suite.iter().filter(about).cloned().collect();
    if chosen.is_empty() {
        Arc::clone(suite)
    } else {
        Arc::new(chosen)
    }
}

/// One run in process, without trying anything again.
async fn run(suite: Arc<Vec<Scenario>>, faults: Vec<&'static Fault>) -> Found {
    let service = Service::new(Options {
        faults,
        seed: Some(1),
        ..Options::default()
    });
    let mut target = Target::new("http://127.0.0.1:1").expect("a loopback address is an endpoint");
    target.credentials = credentials(true);
    target.patience.standard = Duration::from_secs(2);
    target.patience.expedited = Duration::from_secs(2);
    target.patience.bulk = Duration::from_secs(2);
    let spec = Arc::new(Spec::builtin().clone());
    let hand = Hand::new(
        target,
        Arm::in_process(move |request| service.exchange(request)),
        Arc::clone(&spec),
        Pace::new(64, None),
        Journal::discarding(),
        "crevasse-prove".to_owned(),
    );
    let plan = Plan {
        spec,
        scenarios: suite.to_vec(),
        needs: BTreeSet::from([Need::Exclusive, Need::Irreversible, Need::Regions]),
        in_flight: 256,
        max_time: Some(Duration::from_secs(60)),
        max_fail: None,
        reproduce: false,
        shrink_time: Duration::ZERO,
    };
    // A fault may go as far as not answering at all; then nothing was found, and that is what is told.
    campaign::run(hand, &plan, &Stop::default(), &mut |_| {})
        .await
        .unwrap_or_default()
}

fn deviating(found: &Found) -> BTreeSet<RequirementId> {
    found
        .ledger
        .deviations
        .values()
        .map(|deviation| deviation.requirement.clone())
        .collect()
}

fn judge(fault: &'static Fault, found: &Found, clean: &BTreeSet<RequirementId>) -> Proved {
    let breaks: Vec<RequirementId> = fault
        .breaks
        .iter()
        .map(|id| RequirementId::of(id))
        .collect();
    let mut seen_by: BTreeMap<String, Vec<RequirementId>> = BTreeMap::new();
    for deviation in found
        .ledger
        .deviations
        .values()
        .filter(|deviation| !clean.contains(&deviation.requirement))
    {
        let named = seen_by.entry(deviation.check.to_string()).or_default();
        if !named.contains(&deviation.requirement) {
            named.push(deviation.requirement.clone());
        }
    }
    let killed = seen_by
        .values()
        .flatten()
        .any(|requirement| breaks.contains(requirement));
    Proved {
        id: fault.id.to_owned(),
        sentence: fault.sentence.to_owned(),
        seam: fault.seam.to_string(),
        origin: fault.origin.to_owned(),
        breaks,
        killed,
        seen_by,
    }
}

fn conclude(faults: Vec<Proved>, clean: BTreeSet<RequirementId>, seed: u64) -> Proof {
    let biting: BTreeSet<&str> = faults
        .iter()
        .filter(|fault| fault.killed)
        .flat_map(|fault| fault.seen_by.keys().map(String::as_str))
        .collect();
    let proven: BTreeSet<&RequirementId> = faults
        .iter()
        .flat_map(|fault| fault.seen_by.values().flatten())
        .collect();
    let judged: BTreeSet<&str> = check::all()
        .flat_map(|check| check.requirements.iter().copied())
        .collect();
    let must = Registry::builtin().iter().filter(|requirement| {
        requirement.level == Level::Must && judged.contains(requirement.id.as_str())
    });
    let unproven = must
        .filter(|requirement| !proven.contains(&requirement.id))
        .map(|requirement| requirement.id.clone())
        .collect();
    let idle_checks = check::all()
        .map(|check| check.id)
        .filter(|id| !biting.contains(id))
        .map(str::to_owned)
        .collect();
    Proof {
        schema: SCHEMA.to_owned(),
        seed,
        faults,
        clean: clean.into_iter().collect(),
        idle_checks,
        unproven,
    }
}

/// The faults of these names, or all.
///
/// # Errors
/// A name that no fault has.
pub fn choose(names: &[String]) -> Result<Vec<&'static Fault>, String> {
    if names.is_empty() {
        return Ok(fault::all().iter().collect());
    }
    names
        .iter()
        .map(|name| fault::find(name).ok_or_else(|| name.clone()))
        .collect()
}
