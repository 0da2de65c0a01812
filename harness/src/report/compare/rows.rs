//! The rows of a comparison: operations and requirements, with a cell for each report.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::spec::OperationName;
use crevasse_core::verdict::Verdict;

use crate::report::document::{FindingFacts, Report, RequirementFacts};
use crate::report::words::{Share, statement};

/// A requirement by report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequirementRow {
    /// The requirement.
    pub id: RequirementId,
    /// Its level.
    pub level: Level,
    /// The operations it speaks of.
    pub operation: String,
    /// The rule.
    pub statement: &'static str,
    /// What became of it in each report; `None` where a report does not hold it.
    pub cells: Vec<Option<Cell>>,
    /// Whether verdicts differ.
    pub differs: bool,
}

impl RequirementRow {
    /// Whether every report holds the requirement.
    pub fn comparable(&self) -> bool {
        self.cells.iter().all(Option::is_some)
    }
}

/// What became of a requirement in one report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The verdict.
    pub verdict: Verdict,
    /// The findings behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<CellFinding>,
    /// An exchange that held it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// Why it has this verdict, where that needs saying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A finding, as far as a matrix cites it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CellFinding {
    /// Its id in its report.
    pub id: String,
    /// Its name across runs.
    pub fingerprint: String,
    /// What is wrong.
    pub title: String,
    /// What the rule demands.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// Where the rule stands.
    pub source: String,
}

/// An operation by report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationRow {
    /// The operation.
    pub name: OperationName,
    /// What each report says of it.
    pub cells: Vec<OperationCell>,
    /// Whether they differ.
    pub differs: bool,
}

/// An operation in one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OperationCell {
    /// Whether it is there; `None` when nobody looked.
    pub supported: Option<bool>,
    /// The MUST requirements about it that conform.
    pub must: Share,
    /// The MUST requirements about it that deviate.
    pub deviate: usize,
}

/// Requirements by report: those that differ first, then in the order of the reports.
pub(super) fn requirements(reports: &[Report]) -> Vec<RequirementRow> {
    let known: Vec<IndexMap<&RequirementId, &RequirementFacts>> = reports
        .iter()
        .map(|report| {
            report
                .requirements
                .iter()
                .map(|facts| (&facts.id, facts))
                .collect()
        })
        .collect();
    let found: Vec<IndexMap<&str, &FindingFacts>> = reports
        .iter()
        .map(|report| {
            report
                .findings
                .iter()
                .map(|finding| (finding.id.as_str(), finding))
                .collect()
        })
        .collect();
    let ids: IndexSet<&RequirementId> = known
        .iter()
        .flat_map(|known| known.keys().copied())
        .collect();
    let row = |id: &&RequirementId| {
        let facts: Vec<Option<&RequirementFacts>> =
            known.iter().map(|known| known.get(id).copied()).collect();
        requirement(&facts, &found)
    };
    let mut rows: Vec<RequirementRow> = ids.iter().map(row).collect();
    rows.sort_by_key(|row| !row.differs);
    rows
}

fn requirement(
    facts: &[Option<&RequirementFacts>],
    found: &[IndexMap<&str, &FindingFacts>],
) -> RequirementRow {
    let known: Vec<&RequirementFacts> = facts.iter().flatten().copied().collect();
    let cells = facts.iter().zip(found);
    let differs =
        known.len() == facts.len() && known.iter().any(|facts| facts.verdict != known[0].verdict);
    RequirementRow {
        id: known[0].id.clone(),
        level: known[0].level,
        operation: known[0].operation.clone(),
        statement: statement(&known[0].id),
        cells: cells
            .map(|(facts, found)| facts.map(|facts| cell(facts, found)))
            .collect(),
        differs,
    }
}

fn cell(facts: &RequirementFacts, found: &IndexMap<&str, &FindingFacts>) -> Cell {
    let findings = facts
        .findings
        .iter()
        .filter_map(|id| found.get(id.as_str()));
    Cell {
        verdict: facts.verdict,
        findings: findings.map(|finding| cited(finding)).collect(),
        witness: facts.witness.clone(),
        reason: facts.reason.clone(),
    }
}

fn cited(finding: &FindingFacts) -> CellFinding {
    CellFinding {
        id: finding.id.clone(),
        fingerprint: finding.fingerprint.clone(),
        title: finding.title.clone(),
        expected: finding.expected.clone(),
        actual: finding.actual.clone(),
        source: finding.source.clone(),
    }
}

/// Operations by report: those that differ first, then in the order of the specification.
pub(super) fn operations(reports: &[Report]) -> Vec<OperationRow> {
    let mut rows: Vec<OperationRow> = OperationName::ALL
        .into_iter()
        .map(|name| operation(name, reports))
        .filter(|row| row.cells.iter().any(|cell| cell.supported.is_some()))
        .collect();
    rows.sort_by_key(|row| !row.differs);
    rows
}

fn operation(name: OperationName, reports: &[Report]) -> OperationRow {
    let cells: Vec<OperationCell> = reports
        .iter()
        .map(|report| operation_cell(name, report))
        .collect();
    let seen: BTreeSet<_> = cells
        .iter()
        .map(|cell| (cell.supported, cell.must.conform, cell.deviate))
        .collect();
    OperationRow {
        name,
        differs: seen.len() > 1,
        cells,
    }
}

fn operation_cell(name: OperationName, report: &Report) -> OperationCell {
    let probe = report.operations.iter().find(|facts| facts.name == name);
    let about = || {
        report
            .requirements
            .iter()
            .filter(move |facts| names(facts).any(|named| named == name))
    };
    let must = || about().filter(|facts| facts.level == Level::Must);
    OperationCell {
        supported: probe.map(|facts| facts.supported),
        must: Share {
            conform: must()
                .filter(|facts| facts.verdict == Verdict::Conforms)
                .count(),
            of: must().count(),
        },
        deviate: must()
            .filter(|facts| facts.verdict == Verdict::Deviates)
            .count(),
    }
}

/// The operations a requirement names; none when it speaks of all.
pub(in crate::report) fn names(facts: &RequirementFacts) -> impl Iterator<Item = OperationName> {
    let words = facts.operation.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter_map(|word| word.parse().ok())
}
