//! A comparison for a terminal: the shares by vendor, then what differs.

use crevasse_core::verdict::Verdict;

use super::{Changes, Comparison, RequirementRow};
use crate::report::printable;
use crate::report::terminal::{Detail, Style};
use crate::report::words::{clip, mark, plural};

/// The widest a column is.
const WIDEST: usize = 24;
/// What a requirement and its level take.
const HEAD: usize = 26;

/// Renders a comparison for a terminal.
pub(super) fn render(comparison: &Comparison, style: Style) -> String {
    let page = Page {
        comparison,
        style,
        columns: columns(comparison, style),
    };
    let mut lines = page.shares();
    if style.detail > Detail::Quiet {
        lines.extend(page.changes());
        lines.extend(page.operations());
        lines.extend(page.requirements());
        lines.extend(
            comparison
                .remarks
                .iter()
                .map(|remark| format!("note  {}", printable(remark))),
        );
    }
    lines
        .iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

struct Page<'a> {
    comparison: &'a Comparison,
    style: Style,
    columns: Vec<String>,
}

/// What heads the columns: names where they fit, else numbers that the first lines explain.
fn columns(comparison: &Comparison, style: Style) -> Vec<String> {
    let names: Vec<String> = comparison
        .columns
        .iter()
        .map(|column| clip(&printable(&column.name), WIDEST - 1))
        .collect();
    let widths: usize = names
        .iter()
        .map(|name| name.chars().count().max(14) + 2)
        .sum();
    if HEAD + widths <= style.width {
        names
    } else {
        (1..=names.len())
            .map(|number| format!("[{number}]"))
            .collect()
    }
}

impl Page<'_> {
    fn shares(&self) -> Vec<String> {
        let mut lines = vec!["MUST requirements that conform".to_owned()];
        let numbered = self.columns.iter().enumerate();
        for ((place, _), column) in numbered.zip(&self.comparison.columns) {
            lines.push(format!(
                "  [{}] {}: {} of those of supported operations, {} of all · {} of {} operations · {}",
                place + 1,
                printable(&column.name),
                column.must.of_supported.in_words(),
                column.must.of_all.in_words(),
                column.operations.supported,
                column.operations.total,
                printable(&column.verdict),
            ));
        }
        lines.push(String::new());
        lines
    }

    fn changes(&self) -> Vec<String> {
        let Some(changes) = &self.comparison.changes else {
            return vec![];
        };
        let mut lines: Vec<String> = changes
            .by_kind()
            .into_iter()
            .flat_map(|(name, kind)| self.kind(name, kind))
            .collect();
        if *changes == Changes::default() {
            lines.push("nothing changed".to_owned());
        }
        lines.push(String::new());
        lines
    }

    fn kind(&self, name: &str, kind: &[super::Change]) -> Vec<String> {
        if kind.is_empty() {
            return vec![];
        }
        let mut lines = vec![format!("{name}: {}", kind.len())];
        lines.extend(kind.iter().map(|change| {
            let title = change
                .title
                .as_deref()
                .map(|title| format!(": {}", printable(title)))
                .unwrap_or_default();
            format!(
                "  {} {} {} → {}{title}",
                change.id,
                change.level,
                change.before.as_str(),
                change.after.as_str()
            )
        }));
        lines
    }

    fn operations(&self) -> Vec<String> {
        let all = self.style.detail == Detail::Verbose;
        let rows = self
            .comparison
            .operations
            .iter()
            .filter(|row| all || row.differs);
        let mut lines: Vec<String> = rows
            .map(|row| {
                let cells = row.cells.iter().map(|cell| match cell.supported {
                    Some(true) => format!(
                        "✓ {} ✗ {} of {}",
                        cell.must.conform, cell.deviate, cell.must.of
                    ),
                    Some(false) => format!("{} not there", mark(Verdict::Unsupported)),
                    None => "?".to_owned(),
                });
                self.row(row.name.as_str(), cells)
            })
            .collect();
        self.table("MUST by operation", &mut lines)
    }

    fn requirements(&self) -> Vec<String> {
        let all = self.style.detail == Detail::Verbose;
        let rows = self
            .comparison
            .requirements
            .iter()
            .filter(|row| all || row.differs);
        let mut lines: Vec<String> = rows.map(|row| self.requirement(row)).collect();
        let same = self
            .comparison
            .requirements
            .iter()
            .filter(|row| row.comparable() && !row.differs)
            .count();
        let mut table = self.table("requirement", &mut lines);
        table.push(format!(
            "{} with the same verdict everywhere",
            plural(same, "requirement")
        ));
        table
    }

    fn requirement(&self, row: &RequirementRow) -> String {
        let cells = row.cells.iter().map(|cell| match cell {
            Some(cell) => format!("{} {}", mark(cell.verdict), cell.verdict.as_str()),
            None => "not in its registry".to_owned(),
        });
        self.row(&format!("{} {}", row.id, row.level), cells)
    }

    fn table(&self, head: &str, lines: &mut Vec<String>) -> Vec<String> {
        if lines.is_empty() {
            return vec![];
        }
        let mut table = vec![self.row(head, self.columns.iter().cloned())];
        table.append(lines);
        table.push(String::new());
        table
    }

    fn row(&self, head: &str, cells: impl Iterator<Item = String>) -> String {
        let cells = cells.zip(&self.columns).map(|(cell, column)| {
            let width = column.chars().count().max(14) + 2;
            format!("{cell:<width$}")
        });
        format!("{head:<HEAD$}{}", cells.collect::<String>())
    }
}
