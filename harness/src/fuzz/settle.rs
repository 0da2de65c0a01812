//! Suspects, tried again on fresh resources and made small: what does not show a second time is no news.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crevasse_core::finding::{Deviation, Fingerprint};
use crevasse_core::scenario::Scenario;

use super::eye::{self, Eye};
use crate::campaign::again::{TRIES, smallest};
use crate::campaign::{Case, Judge};
use crate::execute::join_all;
use crate::found::{Reproduction, Times};
use crate::shrink::Shrinking;

/// A scenario, and what it showed that nobody knew.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    /// Names its tries.
    pub(super) name: String,
    pub(super) scenario: Scenario,
    pub(super) wanted: BTreeSet<Fingerprint>,
    /// Those that are worth making small.
    pub(super) leads: BTreeSet<Fingerprint>,
}

/// What became of one finding.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) fingerprint: Fingerprint,
    /// Where it showed again; nothing when it never did.
    pub(super) shown: Option<(Deviation, Reproduction)>,
}

/// Tries a suspect again, and makes its leads small until the deadline.
pub(super) async fn settle(
    judge: Judge,
    eye: Eye,
    suspect: Suspect,
    deadline: Option<Duration>,
) -> Vec<Settled> {
    let mut shown: BTreeMap<Fingerprint, (Deviation, Reproduction)> = BTreeMap::new();
    let tries = (1..=TRIES).map(|number| {
        let name = format!("{}~{number}", suspect.name);
        judge.run(name, suspect.scenario.clone())
    });
    for case in join_all(tries).await {
        count(&eye, &case, &suspect.wanted, &mut shown);
    }
    let mut settled = Vec::new();
    for fingerprint in suspect.wanted {
        let Some((deviation, mut known)) = shown.remove(&fingerprint) else {
            let shown = None;
            settled.push(Settled { fingerprint, shown });
            continue;
        };
        let small = suspect.leads.contains(&fingerprint) && !known.times.is_now_and_then();
        if let Some(deadline) = deadline.filter(|_| small) {
            make_small(&judge, &eye, &fingerprint, &mut known, deadline).await;
        }
        settled.push(Settled {
            fingerprint,
            shown: Some((deviation, known)),
        });
    }
    settled
}

fn count(
    eye: &Eye,
    case: &Case,
    wanted: &BTreeSet<Fingerprint>,
    shown: &mut BTreeMap<Fingerprint, (Deviation, Reproduction)>,
) {
    let mut here: BTreeSet<Fingerprint> = BTreeSet::new();
    for deviation in eye.findings(case) {
        let fingerprint = deviation.fingerprint.clone();
        if !wanted.contains(&fingerprint) || !here.insert(fingerprint.clone()) {
            continue;
        }
        let (_, known) = shown.entry(fingerprint).or_insert_with(|| {
            let times = Times {
                seen: 0,
                tried: TRIES,
            };
            let reproduction = eye::reproduction(case, &deviation, times);
            (deviation, reproduction)
        });
        known.times.seen += 1;
    }
}

async fn make_small(
    judge: &Judge,
    eye: &Eye,
    wanted: &Fingerprint,
    known: &mut Reproduction,
    deadline: Duration,
) {
    let sighted = |case: &Case| {
        let mut found = eye.findings(case).into_iter();
        found.find(|deviation| deviation.fingerprint == *wanted)
    };
    let decisive = known.sight.records.last().map_or(0, |record| record.step);
    let search = Shrinking::new(&known.sight.scenario, decisive);
    let name = format!("small-{}", &wanted.0[..8]);
    let shows = |case: &Case| sighted(case).is_some();
    let small = smallest(judge.clone(), search, name, shows, deadline).await;
    if let Some((case, deviation)) = small.and_then(|case| sighted(&case).map(|seen| (case, seen)))
    {
        *known = eye::reproduction(&case, &deviation, known.times);
    }
}
