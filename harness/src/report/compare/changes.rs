//! What changed between two runs of one vendor: regressions first.

use std::collections::BTreeSet;

use serde::Serialize;

use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::verdict::Verdict;

use super::rows::{Cell, RequirementRow};
use crate::report::document::Report;

/// What changed from one run to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Conformed or was waived, and deviates now.
    pub regressions: Vec<Change>,
    /// Deviates as before, and in a way it did not before.
    pub new_symptoms: Vec<Change>,
    /// Was not judged before, and deviates.
    pub newly_seen: Vec<Change>,
    /// Deviated, and conforms now.
    pub fixes: Vec<Change>,
    /// Was judged before, and is not now.
    pub newly_untested: Vec<Change>,
    /// All other changes of verdict.
    pub others: Vec<Change>,
}

/// A requirement whose verdict changed, or the ways in which it is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The requirement.
    pub id: RequirementId,
    /// Its level.
    pub level: Level,
    /// What it was.
    pub before: Verdict,
    /// What it is.
    pub after: Verdict,
    /// What is wrong now, or was before it was fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

impl Changes {
    /// The changes by kind, each with its name, the gravest first.
    pub fn by_kind(&self) -> [(&'static str, &[Change]); 6] {
        [
            ("regressions", &self.regressions),
            ("new symptoms", &self.new_symptoms),
            ("deviations not seen before", &self.newly_seen),
            ("newly untested", &self.newly_untested),
            ("fixes", &self.fixes),
            ("other changes", &self.others),
        ]
    }

    /// Whether nothing got worse that was good.
    pub fn is_no_worse(&self) -> bool {
        self.regressions.is_empty() && self.new_symptoms.is_empty()
    }
}

/// The changes, when these are two runs of one vendor.
pub(super) fn between(reports: &[Report], rows: &[RequirementRow]) -> Option<Changes> {
    let [before, after] = reports else {
        return None;
    };
    if vendor(before) != vendor(after) {
        return None;
    }
    let mut changes = Changes::default();
    for row in rows {
        if let [Some(before), Some(after)] = &row.cells[..] {
            changes.enter(row, before, after);
        }
    }
    Some(changes)
}

/// Who a vendor is, whatever the version.
fn vendor(report: &Report) -> &str {
    report
        .target
        .as_ref()
        .map_or(&report.run.endpoint, |target| &target.label)
}

impl Changes {
    fn enter(&mut self, row: &RequirementRow, before: &Cell, after: &Cell) {
        use Verdict::{Conforms, Deviates, Waived};
        let judged = |verdict| matches!(verdict, Conforms | Deviates | Waived);
        let kind = match (before.verdict, after.verdict) {
            (Deviates, Deviates) if symptoms(after).is_subset(&symptoms(before)) => return,
            (Deviates, Deviates) => &mut self.new_symptoms,
            (one, other) if one == other => return,
            (Conforms | Waived, Deviates) => &mut self.regressions,
            (_, Deviates) => &mut self.newly_seen,
            (Deviates, Conforms) => &mut self.fixes,
            (one, other) if judged(one) && !judged(other) => &mut self.newly_untested,
            _ => &mut self.others,
        };
        kind.push(Change {
            id: row.id.clone(),
            level: row.level,
            before: before.verdict,
            after: after.verdict,
            title: title(before, after),
        });
    }
}

fn symptoms(cell: &Cell) -> BTreeSet<&str> {
    cell.findings
        .iter()
        .map(|finding| finding.fingerprint.as_str())
        .collect()
}

/// The title of a finding that is new, else of one that was there before.
fn title(before: &Cell, after: &Cell) -> Option<String> {
    let known = symptoms(before);
    let new = after
        .findings
        .iter()
        .find(|finding| !known.contains(finding.fingerprint.as_str()));
    new.or(before.findings.first())
        .map(|finding| finding.title.clone())
}
