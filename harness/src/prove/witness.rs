//! Witnesses: for every fault a short scenario that shows it, committed, and what it takes to see the fault at all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crevasse_core::payload::Content;
use crevasse_core::scenario::{Action, Scenario, Step};
use crevasse_core::treehash::MIB;
use crevasse_reference::fault::{self, Fault};
use tokio::runtime::Handle;

use super::ground::Ground;
use super::{Proof, Proved, side_by_side};
use crate::found::Found;
use crate::shrink::weight;

const WITNESSES: &str = include_str!("../../fixtures/scenarios/regressions/faults.yaml");

/// How long making one witness small may take.
const SHRINKING: Duration = Duration::from_secs(20);

/// Cases that a witness is looked for in.
const CASES: usize = 3;

/// The witnesses there are. Each bears the id of its fault, and covers the requirement that shows it.
///
/// ```
/// use crevasse::prove::witnesses;
/// assert!(witnesses().iter().any(|witness| witness.id == "hashes-in-upper-case"));
/// ```
pub fn witnesses() -> &'static [Scenario] {
    static ALL: OnceLock<Vec<Scenario>> = OnceLock::new();
    ALL.get_or_init(|| {
        Scenario::parse_list(WITNESSES)
            .unwrap_or_else(|error| panic!("the witnesses are sound: {error}"))
    })
}

/// The witness of a fault.
pub fn witness(fault: &str) -> Option<&'static Scenario> {
    static BY_ID: OnceLock<BTreeMap<&'static str, &'static Scenario>> = OnceLock::new();
    let by_id = BY_ID.get_or_init(|| {
        let named = witnesses().iter().map(|known| (known.id.as_str(), known));
        named.collect()
    });
    by_id.get(fault).copied()
}

/// What hides a fault from a test that asks once and for little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Nothing shorter than six steps is known to show it.
    State,
    /// It takes more than a mebibyte.
    Size,
    /// It takes the same request twice.
    Repetition,
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::State => "state",
            Self::Size => "size",
            Self::Repetition => "repetition",
        })
    }
}

/// What it takes to see what a scenario shows.
pub fn depth(witness: &Scenario) -> Vec<Depth> {
    let steps: Vec<&Step> = witness
        .steps
        .iter()
        .filter(|step| !matches!(step.action, Action::Pause { .. }))
        .collect();
    let repeats = (1..steps.len()).any(|place| steps[..place].contains(&steps[place]));
    let tells = [
        (steps.len() > 5, Depth::State),
        (steps.iter().any(|step| is_large(&step.action)), Depth::Size),
        (repeats, Depth::Repetition),
    ];
    tells
        .into_iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, depth)| depth)
        .collect()
}

fn is_large(action: &Action) -> bool {
    let over = |content: &Content| content.length() > MIB;
    match action {
        Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. } => {
            over(content)
        }
        Action::Together { steps } => steps.iter().any(|step| is_large(&step.action)),
        Action::During { slow, steps } => {
            is_large(&slow.action) || steps.iter().any(|step| is_large(&step.action))
        }
        _ => false,
    }
}

/// Looks for witnesses of the faults that were killed, `jobs` at a time.
pub async fn find_witnesses(
    suite: Arc<Vec<Scenario>>,
    proof: &Proof,
    jobs: usize,
) -> Vec<Scenario> {
    let killed = proof.faults.iter().filter(|proved| proved.killed);
    let killed = killed.filter_map(|proved| Some((fault::find(&proved.id)?, proved.clone())));
    let find =
        move |(fault, proved)| Handle::current().block_on(find_witness(&suite, fault, &proved));
    let mut found: Vec<Scenario> = Vec::new();
    side_by_side(killed.collect(), jobs, find, |one| found.extend(one)).await;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The smallest scenario to be had from the shortest cases that killed a fault.
async fn find_witness(
    suite: &[Scenario],
    fault: &'static Fault,
    proved: &Proved,
) -> Option<Scenario> {
    let mut cases: Vec<Scenario> = suite
        .iter()
        .filter(|scenario| proved.cases.contains(&scenario.id))
        .cloned()
        .collect();
    cases.sort_by_key(weight);
    let shortest = &cases[..cases.len().min(CASES)];
    let mut known: Vec<Scenario> = Vec::new();
    for ground in Ground::ALL {
        let found = ground.run(shortest, vec![fault], Some(SHRINKING)).await;
        known.extend(shown(&found, proved));
        if !known.is_empty() {
            break;
        }
    }
    let smallest = match known.into_iter().min_by_key(weight) {
        Some(smallest) => smallest,
        None => first_alone(&cases, fault, proved).await?,
    };
    Some(Scenario {
        id: fault.id.to_owned(),
        title: fault.sentence.to_owned(),
        ..smallest
    })
}

/// The first case that shows what a fault breaks when it has a server for itself: what happens once in a while cannot be tried again.
async fn first_alone(
    cases: &[Scenario],
    fault: &'static Fault,
    proved: &Proved,
) -> Option<Scenario> {
    for ground in Ground::ALL {
        for case in cases {
            let found = ground
                .run(std::slice::from_ref(case), vec![fault], None)
                .await;
            let mut deviations = found.ledger.deviations.values();
            let shows = deviations.find(|known| proved.breaks.contains(&known.requirement));
            if let Some(deviation) = shows {
                return Some(Scenario {
                    covers: vec![deviation.requirement.clone()],
                    ..case.clone()
                });
            }
        }
    }
    None
}

/// The scenarios that showed what a fault breaks, each covering just that.
fn shown(found: &Found, proved: &Proved) -> impl Iterator<Item = Scenario> {
    found
        .ledger
        .deviations
        .iter()
        .filter(|(_, deviation)| proved.breaks.contains(&deviation.requirement))
        .filter_map(|(fingerprint, deviation)| {
            let reproduction = found.reproductions.get(fingerprint)?;
            Some(Scenario {
                covers: vec![deviation.requirement.clone()],
                ..reproduction.sight.scenario.clone()
            })
        })
}
