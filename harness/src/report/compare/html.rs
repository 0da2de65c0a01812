//! A comparison as one page: the matrix, and for each deviation the finding that its cell leads to.

use serde::Serialize;

use super::{Cell, Change, Changes, Column, Comparison, OperationRow, RequirementRow};
use crate::report::html::template::fill;
use crate::report::html::{Legend, legend};
use crate::report::printable;
use crate::report::words::{clip, mark};
use crevasse_core::verdict::Verdict;

/// How much of what was expected and came a deviation shows.
const SHOWN: usize = 300;

#[derive(Serialize)]
struct Page<'a> {
    title: String,
    columns: Vec<ColumnView<'a>>,
    verdicts: [Legend; 6],
    changes: Option<Vec<Kind<'a>>>,
    operations: &'a [OperationRow],
    requirements: Vec<Row<'a>>,
    differing: usize,
    deviations: Vec<Deviation<'a>>,
    remarks: &'a [String],
}

#[derive(Serialize)]
struct ColumnView<'a> {
    #[serde(flatten)]
    column: &'a Column,
    percent: Option<usize>,
    of_all: String,
}

#[derive(Serialize)]
struct Kind<'a> {
    name: &'static str,
    number: usize,
    changes: &'a [Change],
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    level: String,
    statement: &'static str,
    differs: bool,
    cells: Vec<CellView>,
}

#[derive(Default, Serialize)]
struct CellView {
    verdict: Option<&'static str>,
    mark: &'static str,
    leads_to: Option<String>,
}

#[derive(Serialize)]
struct Deviation<'a> {
    anchor: String,
    requirement: &'a str,
    level: String,
    column: &'a str,
    rule: &'static str,
    source: &'a str,
    finding: &'a str,
    title: String,
    more: usize,
    expected: String,
    actual: String,
}

/// Renders a comparison as a page that needs nothing else.
pub(super) fn render(comparison: &Comparison) -> String {
    let names: Vec<String> = comparison
        .columns
        .iter()
        .map(|column| printable(&column.name))
        .collect();
    fill(
        "compare.html",
        Page {
            title: names.join(" · "),
            columns: comparison.columns.iter().map(column).collect(),
            verdicts: Verdict::ALL.map(legend),
            changes: comparison.changes.as_ref().map(kinds),
            operations: &comparison.operations,
            requirements: comparison.requirements.iter().map(row).collect(),
            differing: comparison.differences().count(),
            deviations: comparison
                .requirements
                .iter()
                .flat_map(|row| deviations(row, &comparison.columns))
                .collect(),
            remarks: &comparison.remarks,
        },
    )
}

fn column(column: &Column) -> ColumnView<'_> {
    ColumnView {
        column,
        percent: column.must.of_supported.percent(),
        of_all: column.must.of_all.in_words(),
    }
}

fn kinds(changes: &Changes) -> Vec<Kind<'_>> {
    let kinds = changes
        .by_kind()
        .into_iter()
        .filter(|(_, kind)| !kind.is_empty());
    kinds
        .map(|(name, changes)| Kind {
            name,
            number: changes.len(),
            changes,
        })
        .collect()
}

fn row(row: &RequirementRow) -> Row<'_> {
    let cells = row.cells.iter().enumerate();
    Row {
        id: row.id.as_str(),
        level: row.level.to_string(),
        statement: row.statement,
        differs: row.differs,
        cells: cells
            .map(|(place, cell)| {
                cell.as_ref()
                    .map(|cell| view(row, place, cell))
                    .unwrap_or_default()
            })
            .collect(),
    }
}

fn view(row: &RequirementRow, place: usize, cell: &Cell) -> CellView {
    CellView {
        verdict: Some(cell.verdict.as_str()),
        mark: mark(cell.verdict),
        leads_to: (!cell.findings.is_empty()).then(|| anchor(row, place)),
    }
}

fn anchor(row: &RequirementRow, place: usize) -> String {
    format!("{}-{}", row.id, place + 1)
}

/// The first finding of each cell, which stands for the others.
fn deviations<'a>(
    row: &'a RequirementRow,
    columns: &'a [Column],
) -> impl Iterator<Item = Deviation<'a>> {
    let cells = row.cells.iter().zip(columns).enumerate();
    cells.filter_map(move |(place, (cell, column))| {
        let findings = &cell.as_ref()?.findings;
        let finding = findings.first()?;
        Some(Deviation {
            anchor: anchor(row, place),
            requirement: row.id.as_str(),
            level: row.level.to_string(),
            column: &column.name,
            rule: row.statement,
            source: &finding.source,
            finding: &finding.id,
            title: printable(&finding.title),
            more: findings.len() - 1,
            expected: clip(&printable(&finding.expected), SHOWN),
            actual: clip(&printable(&finding.actual), SHOWN),
        })
    })
}
