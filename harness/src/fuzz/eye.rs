//! What in a case is a finding: a broken MUST or SHOULD that can fail anybody and that nobody waives, and every failure to answer.

use std::collections::BTreeSet;

use crevasse_core::baseline::Baseline;
use crevasse_core::check::{Judgement, Outcome};
use crevasse_core::finding::{Deviation, Ledger};
use crevasse_core::requirement::{Level, Registry, RequirementId};

use super::robust;
use crate::campaign::Case;
use crate::event::Sight;
use crate::found::{Reproduction, Times};

/// Whoever looks at cases.
#[derive(Clone, Debug, Default)]
pub(super) struct Eye {
    /// Deviations that are accepted.
    pub(super) baseline: Baseline,
    /// Today, `YYYY-MM-DD`.
    pub(super) today: String,
}

impl Eye {
    /// The findings of a case.
    pub(super) fn findings(&self, case: &Case) -> Vec<Deviation> {
        let all = every_judgement(case);
        all.iter()
            .filter_map(|judgement| deviation(&case.id, judgement))
            .filter(|deviation| self.counts(deviation))
            .collect()
    }

    /// Whether a deviation is a finding.
    pub(super) fn counts(&self, deviation: &Deviation) -> bool {
        deviation.fails(true) && self.baseline.waives(deviation, &self.today).is_none()
    }
}

/// Every judgement of a case, those of robustness included.
pub(crate) fn every_judgement(case: &Case) -> Vec<Judgement> {
    let judged = &case.judged;
    let violated = |judgement: &&Judgement| matches!(judgement.outcome, Outcome::Violated { .. });
    let blamed: BTreeSet<usize> = judged
        .judgements
        .iter()
        .filter(violated)
        .filter_map(|judgement| judgement.records.last().copied())
        .collect();
    let mut all = judged.judgements.clone();
    all.extend(robust::failures(&judged.observations, &blamed));
    all
}

/// The deviation that one judgement tells of, if it does.
pub(super) fn deviation(case: &str, judgement: &Judgement) -> Option<Deviation> {
    let mut ledger = Ledger::default();
    ledger.enter(case, judgement, own_level);
    ledger.deviations.into_values().next()
}

/// A requirement's own level; what no registry knows is robustness, which is a must.
pub(super) fn own_level(requirement: &RequirementId) -> Level {
    Registry::builtin()
        .get(requirement)
        .map_or(Level::Must, |known| known.level)
}

/// A deviation as seen in a case: its scenario, and its records up to the decisive one.
pub(super) fn reproduction(case: &Case, deviation: &Deviation, times: Times) -> Reproduction {
    let last = deviation.first.records.iter().max().copied();
    let shown = last.map_or(case.records.len(), |last| case.records.len().min(last + 1));
    let sight = Sight {
        scenario: case.scenario.clone(),
        records: case.part.shown(&case.records[..shown]),
        expected: deviation.first.expected.clone(),
        actual: deviation.first.actual.clone(),
    };
    Reproduction { times, sight }
}
