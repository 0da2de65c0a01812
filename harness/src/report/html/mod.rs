//! The report as one page that needs nothing else: readable without scripts, small at any number of findings.

mod exchange;
mod finding;
mod map;
mod picture;
mod story;
pub(super) mod template;

use minijinja::Value;
use serde::Serialize;

use crevasse_core::requirement::Level;
use crevasse_core::verdict::Verdict;

use super::document::{
    CauseFacts, Counts, FindingFacts, Report, RequirementFacts, RunFacts, SpecFacts, Summary, Tool,
};
use super::printable;
use super::words::{
    MustShares, Share, Weight, label, left_behind, mark, not_there, number, stale, statement,
};
use finding::{Findings, Row};
use template::{fill, markup};

/// Findings in full: of one cause, and of all.
const OF_A_CAUSE: usize = 3;
const IN_ALL: usize = 200;
/// What findings in full may take, in bytes of markup.
const BUDGET: usize = 700_000;
/// Rows that have room for a title, and how many characters of it.
const WORDED_ROWS: usize = 600;
const WORDS: usize = 70;

/// Renders a report as a page. The first findings of each cause are there in full, the others as rows.
pub fn render(report: &Report) -> String {
    let mut room = Room {
        findings: IN_ALL,
        bytes: BUDGET,
        worded: WORDED_ROWS,
    };
    let (causes, further) = causes(report, &mut room);
    fill("report.html", Page::of(report, causes, further))
}

/// What is left of the space for details.
struct Room {
    findings: usize,
    bytes: usize,
    worded: usize,
}

impl Room {
    fn takes(&mut self, text: &str) -> bool {
        let fits = self.findings > 0 && text.len() <= self.bytes;
        if fits {
            self.findings -= 1;
            self.bytes -= text.len();
        }
        fits
    }

    /// How many characters of a title the next row may have.
    fn words(&mut self) -> usize {
        let before = self.worded;
        self.worded = before.saturating_sub(1);
        if before > 0 { WORDS } else { 0 }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    report: Head<'a>,
    name: String,
    endpoint: String,
    verdict: String,
    tone: &'static str,
    shares: [Meter; 2],
    verdicts: [Legend; 6],
    counts: [CountRow; 3],
    map: Vec<map::Family>,
    causes: Vec<Cause<'a>>,
    further: Vec<Row<'a>>,
    requirements: Vec<Requirement<'a>>,
    remarks: Vec<String>,
}

/// What a page says of the run itself: never the findings, which may be many.
#[derive(Serialize)]
struct Head<'a> {
    run: &'a RunFacts,
    tool: &'a Tool,
    spec: &'a SpecFacts,
    summary: &'a Summary,
}

#[derive(Serialize)]
struct Meter {
    name: &'static str,
    share: Share,
    percent: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Legend {
    word: &'static str,
    mark: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct CountRow {
    level: Level,
    cells: [usize; 6],
}

#[derive(Serialize)]
struct Cause<'a> {
    cause: &'a CauseFacts,
    title: String,
    weight: Weight,
    operations: String,
    number: usize,
    in_full: Vec<Value>,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Requirement<'a> {
    facts: &'a RequirementFacts,
    statement: &'static str,
    mark: &'static str,
    evidence: String,
    because: String,
}

impl<'a> Page<'a> {
    fn of(report: &'a Report, causes: Vec<Cause<'a>>, further: Vec<Row<'a>>) -> Self {
        let shares = MustShares::of(&report.summary.must);
        let summary = &report.summary;
        Self {
            report: Head {
                run: &report.run,
                tool: &report.tool,
                spec: &report.spec,
                summary,
            },
            name: printable(&label(report)),
            endpoint: printable(&report.run.endpoint),
            verdict: printable(&summary.verdict),
            tone: tone(summary.exit_code),
            shares: [
                meter("of supported operations", shares.of_supported),
                meter("of all operations", shares.of_all),
            ],
            verdicts: Verdict::ALL.map(legend),
            counts: [
                count_row(Level::Must, &summary.must),
                count_row(Level::Should, &summary.should),
                count_row(Level::May, &summary.may),
            ],
            map: map::of(report),
            causes,
            further,
            requirements: report.requirements.iter().map(requirement).collect(),
            remarks: remarks(report),
        }
    }
}

fn tone(exit_code: u8) -> &'static str {
    match exit_code {
        0 => "good",
        1 | 3 => "bad",
        _ => "unsure",
    }
}

fn meter(name: &'static str, share: Share) -> Meter {
    Meter {
        name,
        share,
        percent: share.percent(),
    }
}

pub(super) fn legend(verdict: Verdict) -> Legend {
    let meaning = match verdict {
        Verdict::Conforms => "held wherever it applied, at least once",
        Verdict::Deviates => "was broken",
        Verdict::Waived => "was broken only in ways the baseline accepts",
        Verdict::Unsupported => "its operation is not there at all",
        Verdict::Inconclusive => "could not be judged",
        Verdict::Untested => "never applied in this run",
    };
    Legend {
        word: verdict.as_str(),
        mark: mark(verdict),
        meaning,
    }
}

fn count_row(level: Level, counts: &Counts) -> CountRow {
    CountRow {
        level,
        cells: Verdict::ALL.map(|verdict| number(counts, verdict)),
    }
}

/// The causes that have findings in full, and rows for the findings of the others.
fn causes<'a>(report: &'a Report, room: &mut Room) -> (Vec<Cause<'a>>, Vec<Row<'a>>) {
    let findings = Findings::of(report);
    let (mut causes, mut further) = (Vec::new(), Vec::new());
    let mut of_cause = report.by_cause();
    for cause in &report.causes {
        let about = of_cause.remove(cause.id.as_str()).unwrap_or_default();
        let in_full: Vec<Value> = about
            .iter()
            .take(OF_A_CAUSE)
            .map_while(|finding| Some(findings.in_full(finding)).filter(|text| room.takes(text)))
            .map(markup)
            .collect();
        if in_full.is_empty() {
            further.extend(
                about
                    .iter()
                    .map(|finding| Row::of(finding, room.words(), Some(&cause.id))),
            );
        } else {
            causes.push(section(cause, &about, in_full, room));
        }
    }
    (causes, further)
}

fn section<'a>(
    cause: &'a CauseFacts,
    about: &[&'a FindingFacts],
    in_full: Vec<Value>,
    room: &mut Room,
) -> Cause<'a> {
    let operations: Vec<_> = cause.operations.iter().map(ToString::to_string).collect();
    let rows = about.iter().skip(in_full.len());
    Cause {
        cause,
        title: printable(&cause.title),
        weight: Weight::of(about[0]),
        operations: if operations.is_empty() {
            "all operations".to_owned()
        } else {
            operations.join(", ")
        },
        number: about.len(),
        rows: rows
            .map(|finding| Row::of(finding, room.words(), None))
            .collect(),
        in_full,
    }
}

fn requirement(facts: &RequirementFacts) -> Requirement<'_> {
    let because = match (&facts.witness, &facts.reason) {
        (_, Some(reason)) => printable(reason),
        (Some(witness), None) => {
            format!("held {} times, first at {}", facts.held, printable(witness))
        }
        (None, None) => String::new(),
    };
    Requirement {
        facts,
        statement: statement(&facts.id),
        mark: mark(facts.verdict),
        evidence: facts.evidence.replace('+', ", "),
        because,
    }
}

fn remarks(report: &Report) -> Vec<String> {
    let told = not_there(report)
        .chain(left_behind(report))
        .chain(stale(report));
    let remarks = told.chain(report.notes.iter().cloned());
    remarks.take(200).map(|remark| printable(&remark)).collect()
}

#[cfg(test)]
mod tests;
