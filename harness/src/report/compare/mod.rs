//! Reports side by side: a vendor matrix, or what changed between two runs of one vendor.
//! Refuses to compare what has nothing in common, and names what cannot be compared.

mod changes;
#[cfg(feature = "cli")]
mod html;
mod markdown;
mod rows;
mod terminal;

pub use changes::{Change, Changes};
#[cfg(feature = "cli")]
pub(super) use rows::names;
pub use rows::{Cell, CellFinding, OperationCell, OperationRow, RequirementRow};

use std::collections::BTreeSet;

use serde::Serialize;

use super::document::{OperationCounts, Report, SCHEMA};
use super::words::{self, MustShares};

/// Names the format of a comparison and its version.
pub const COMPARISON: &str = "crevasse.comparison/1";

/// Reports side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// [`COMPARISON`].
    pub schema: &'static str,
    /// The reports, in the order given.
    pub columns: Vec<Column>,
    /// Operations by report, those that differ first.
    pub operations: Vec<OperationRow>,
    /// Requirements by report, those that differ first.
    pub requirements: Vec<RequirementRow>,
    /// From the first to the second, when both are runs of one vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// What cannot be compared, and what to bear in mind.
    pub remarks: Vec<String>,
}

/// A report as a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// What heads it: no two columns are called the same.
    pub name: String,
    /// The endpoint.
    pub endpoint: String,
    /// The run.
    pub run: String,
    /// When it began.
    pub started: String,
    /// Its profile.
    pub profile: String,
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: String,
    /// The shares of MUST requirements that conform.
    pub must: MustShares,
    /// Operations in numbers.
    pub operations: OperationCounts,
}

/// Why reports cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Fewer than two.
    #[error("compare {0} report: it takes two or more")]
    TooFew(usize),
    /// A document of another kind or version.
    #[error("compare {name}: it is of the schema {schema:?}, and {SCHEMA} is understood")]
    Schema {
        /// The column it would be.
        name: String,
        /// What it says it is.
        schema: String,
    },
    /// No requirement that all of them hold.
    #[error("compare reports of different registries: no requirement is in all of them")]
    NothingInCommon,
}

impl Comparison {
    /// Lays reports side by side. Where their registries differ, what all of them hold is compared and the rest is named in the remarks.
    ///
    /// # Errors
    /// Fewer than two reports, one of a version that is not understood, or no requirement in common.
    pub fn of(reports: &[Report]) -> Result<Self, CompareError> {
        admit(reports)?;
        let requirements = rows::requirements(reports);
        if !requirements.iter().any(RequirementRow::comparable) {
            return Err(CompareError::NothingInCommon);
        }
        Ok(Self {
            schema: COMPARISON,
            columns: columns(reports),
            operations: rows::operations(reports),
            changes: changes::between(reports, &requirements),
            remarks: remarks(reports, &requirements),
            requirements,
        })
    }

    /// The requirements on which the reports differ.
    pub fn differences(&self) -> impl Iterator<Item = &RequirementRow> {
        self.requirements.iter().filter(|row| row.differs)
    }

    /// Renders it as JSON, with a newline at the end.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers serialise") + "\n"
    }

    /// Renders it for a terminal.
    pub fn terminal(&self, style: super::terminal::Style) -> String {
        terminal::render(self, style)
    }

    /// Renders it as Markdown that fits the summary of a CI step.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// Renders it as one page that needs nothing else.
    #[cfg(feature = "cli")]
    pub fn html(&self) -> String {
        html::render(self)
    }
}

fn admit(reports: &[Report]) -> Result<(), CompareError> {
    if reports.len() < 2 {
        return Err(CompareError::TooFew(reports.len()));
    }
    match reports.iter().find(|report| report.schema != SCHEMA) {
        Some(report) => Err(CompareError::Schema {
            name: words::label(report),
            schema: report.schema.clone(),
        }),
        None => Ok(()),
    }
}

fn columns(reports: &[Report]) -> Vec<Column> {
    let labels: Vec<String> = reports.iter().map(words::label).collect();
    let once = |label: &String| labels.iter().filter(|other| *other == label).count() == 1;
    let columns = reports.iter().zip(&labels).enumerate();
    columns
        .map(|(place, (report, label))| {
            let name = if once(label) {
                label.clone()
            } else {
                format!("{label} #{}", place + 1)
            };
            column(report, name)
        })
        .collect()
}

fn column(report: &Report, name: String) -> Column {
    Column {
        name,
        endpoint: report.run.endpoint.clone(),
        run: report.run.id.clone(),
        started: report.run.started.clone(),
        profile: report.run.profile.clone(),
        seed: report.run.seed,
        verdict: report.summary.verdict.clone(),
        must: MustShares::of(&report.summary.must),
        operations: report.summary.operations,
    }
}

fn remarks(reports: &[Report], requirements: &[RequirementRow]) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut varying = |what: &str, values: BTreeSet<&str>| {
        if values.len() > 1 {
            let values: Vec<_> = values.into_iter().collect();
            remarks.push(format!("{what} differ: {}", values.join(", ")));
        }
    };
    let of = |part: fn(&Report) -> &str| reports.iter().map(part).collect::<BTreeSet<_>>();
    varying("requirement registries", of(|report| &report.spec.registry));
    varying("specifications", of(|report| &report.spec.digest));
    varying("profiles", of(|report| &report.run.profile));
    varying("versions of Crevasse", of(|report| &report.tool.version));
    remarks.extend(incomparable(requirements));
    let incomplete = reports.iter().filter(|report| !report.run.complete);
    remarks.extend(
        incomplete.map(|report| format!("the run of {} is incomplete", words::label(report))),
    );
    remarks
}

/// The requirements that some of the reports do not hold: not compared, and said so.
fn incomparable(requirements: &[RequirementRow]) -> Option<String> {
    let missing: Vec<&str> = requirements
        .iter()
        .filter(|row| !row.comparable())
        .map(|row| row.id.as_str())
        .collect();
    let some = !missing.is_empty();
    some.then(|| {
        format!(
            "not compared, since not in every report: {}",
            missing.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
