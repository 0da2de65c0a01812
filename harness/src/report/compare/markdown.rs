//! A comparison as Markdown: the shares by vendor, then what differs, cut where a CI step summary ends.

use super::{Comparison, OperationCell, RequirementRow};
use crate::report::markdown::{LIMIT, escaped};
use crate::report::words::{mark, plural};

/// Kept free for what is said at the end.
const RESERVE: usize = 4_000;

/// Renders a comparison as Markdown of at most [`LIMIT`] bytes.
pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = shares(comparison) + &changes(comparison) + &operations(comparison);
    text += &format!(
        "\n### Requirements that differ\n\n{}",
        head("requirement", comparison)
    );
    let (mut written, mut left) = (0, 0);
    for row in comparison.differences() {
        let line = requirement(row);
        if text.len() + line.len() > LIMIT - RESERVE {
            left += 1;
        } else {
            text += &line;
            written += 1;
        }
    }
    if written == 0 {
        text += "\nNone.\n";
    }
    if left > 0 {
        text += &format!("\n_{} cut to keep this short._\n", plural(left, "more row"));
    }
    text + &remarks(comparison)
}

fn shares(comparison: &Comparison) -> String {
    let mut text = "## Glacier vault API: compatibility\n\nMUST requirements that conform:\n\n\
                    | target | of those of supported operations | of all | operations supported | verdict |\n|:--|--:|--:|--:|:--|\n"
        .to_owned();
    for column in &comparison.columns {
        text += &format!(
            "| {} | {} | {} | {} of {} | {} |\n",
            escaped(&column.name),
            column.must.of_supported.in_words(),
            column.must.of_all.in_words(),
            column.operations.supported,
            column.operations.total,
            escaped(&column.verdict),
        );
    }
    text
}

fn changes(comparison: &Comparison) -> String {
    let Some(changes) = &comparison.changes else {
        return String::new();
    };
    let mut text = String::new();
    for (name, kind) in changes
        .by_kind()
        .into_iter()
        .filter(|(_, kind)| !kind.is_empty())
    {
        text += &format!("\n### {}: {name}\n\n", kind.len());
        for change in kind.iter().take(100) {
            let title = change
                .title
                .as_deref()
                .map(|title| format!(": {}", escaped(title)))
                .unwrap_or_default();
            text += &format!(
                "- {} {}, {} → {}{title}\n",
                change.id,
                change.level,
                change.before.as_str(),
                change.after.as_str()
            );
        }
        if kind.len() > 100 {
            text += &format!("- and {} more\n", kind.len() - 100);
        }
    }
    text
}

fn head(what: &str, comparison: &Comparison) -> String {
    let names: String = comparison
        .columns
        .iter()
        .map(|column| format!(" {} |", escaped(&column.name)))
        .collect();
    format!(
        "| {what} |{names}\n|:--|{}\n",
        ":--|".repeat(comparison.columns.len())
    )
}

fn operations(comparison: &Comparison) -> String {
    let rows: String = comparison
        .operations
        .iter()
        .map(|row| {
            format!(
                "| {} |{}\n",
                row.name,
                row.cells.iter().map(operation).collect::<String>()
            )
        })
        .collect();
    format!(
        "\n### Operations\n\n{}{rows}",
        head("operation", comparison)
    )
}

fn operation(cell: &OperationCell) -> String {
    match cell.supported {
        Some(true) => format!(
            " {} of {} MUST conform, {} deviate |",
            cell.must.conform, cell.must.of, cell.deviate
        ),
        Some(false) => " – not there |".to_owned(),
        None => " not looked at |".to_owned(),
    }
}

fn requirement(row: &RequirementRow) -> String {
    let cells = row.cells.iter().map(|cell| match cell {
        Some(cell) => format!(" {} {} |", mark(cell.verdict), cell.verdict.as_str()),
        None => " not in its registry |".to_owned(),
    });
    format!(
        "| {} {} |{}\n",
        row.id,
        row.level,
        cells.collect::<String>()
    )
}

fn remarks(comparison: &Comparison) -> String {
    let lines = comparison
        .remarks
        .iter()
        .map(|remark| format!("- {}\n", escaped(remark)));
    let lines: String = lines.collect();
    if lines.is_empty() {
        lines
    } else {
        format!("\n### To bear in mind\n\n{lines}")
    }
}
