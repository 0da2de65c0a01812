//! The report for a terminal: summary first and last, and each cause like a good compiler error.

use indexmap::{IndexMap, IndexSet};

use crevasse_core::check::Record;
use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::verdict::Verdict;

use super::document::{CauseFacts, Counts, FindingFacts, Report};
use super::time_line::time_line;
use super::words::{again, label, left_behind, not_there, number, stale, to_go_on};
use super::{printable, visible};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The verdict line alone.
    Quiet,
    /// A finding a cause, of those that the baseline does not waive.
    #[default]
    Normal,
    /// Every finding, and every requirement that was not decided.
    Verbose,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to colour.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// How much is said.
    pub detail: Detail,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
            detail: Detail::Normal,
        }
    }
}

/// Renders a report for a terminal.
pub fn render(report: &Report, style: Style) -> String {
    let mut page = Page {
        style,
        text: String::new(),
    };
    if style.detail > Detail::Quiet {
        page.heading(report);
        page.counts(report);
        page.causes(report);
        page.remarks(report);
    }
    page.verdict(report);
    page.text
}

/// Renders one finding as the report shows it; `again` is the command that plays it again.
pub fn finding(finding: &FindingFacts, again: &str, style: Style) -> String {
    let mut page = Page {
        style,
        text: String::new(),
    };
    page.finding(finding, None, again);
    page.text
}

struct Page {
    style: Style,
    text: String,
}

const LABEL: usize = 11;

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.style.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    fn heading(&mut self, report: &Report) {
        let run = &report.run;
        let endpoint = printable(&run.endpoint);
        let who = match &report.target {
            Some(_) => format!(" ({})", printable(&label(report))),
            None => String::new(),
        };
        self.line(&format!(
            "{} {} judged {endpoint}{who} · profile {} · seed {}",
            report.tool.name, report.tool.version, run.profile, run.seed
        ));
        self.line("");
    }

    fn counts(&mut self, report: &Report) {
        let heads: String = Verdict::ALL
            .iter()
            .map(|verdict| format!("{:>13}", verdict.as_str()))
            .collect();
        self.line(&format!("{:8}{heads}", ""));
        for (level, counts) in [
            ("MUST", &report.summary.must),
            ("SHOULD", &report.summary.should),
            ("MAY", &report.summary.may),
        ] {
            let cells: String = Verdict::ALL
                .iter()
                .map(|verdict| self.cell(*verdict, counts))
                .collect();
            self.line(&format!("{level:8}{cells}"));
        }
        let operations = report.summary.operations;
        self.line(&format!(
            "\n{} of {} operations supported, {} exercised · {} cases · {} exchanges",
            operations.supported,
            operations.total,
            operations.exercised,
            report.summary.cases,
            report.summary.exchanges
        ));
    }

    fn cell(&self, verdict: Verdict, counts: &Counts) -> String {
        let count = counts.get(&verdict).copied().unwrap_or_default();
        let text = format!("{count:>13}");
        match verdict {
            Verdict::Deviates if count > 0 => self.paint("31", &text),
            Verdict::Conforms if count > 0 => self.paint("32", &text),
            _ => text,
        }
    }

    fn causes(&mut self, report: &Report) {
        let mut findings = report.by_cause();
        let all = self.style.detail == Detail::Verbose;
        let mut waived = 0;
        for cause in &report.causes {
            let about = findings.remove(cause.id.as_str()).unwrap_or_default();
            if !all && about.iter().all(|finding| finding.waived.is_some()) {
                waived += 1;
                continue;
            }
            let shown = if all { about.len() } else { 1 };
            self.line("");
            for (place, finding) in about.iter().take(shown).enumerate() {
                let again = again(report, finding);
                self.finding(finding, (place == 0).then_some(cause), &again);
            }
            self.also(&about, shown);
        }
        if waived > 0 {
            self.line("");
            let waived = count(waived, "cause");
            self.row(
                "waived",
                &format!("{waived} by the baseline: -v shows them"),
            );
        }
    }

    /// A finding; the first of a cause is headed by it.
    fn finding(&mut self, finding: &FindingFacts, cause: Option<&CauseFacts>, again: &str) {
        let kind = match finding.level {
            _ if finding.waived.is_some() => self.paint("36", "waived"),
            Level::Must if finding.fails => self.paint("31;1", "error"),
            Level::Must | Level::Should if finding.fails => self.paint("33;1", "warning"),
            Level::Should => self.paint("33;1", "warning"),
            _ => self.paint("36;1", "note"),
        };
        let name = &finding.requirements[0];
        let (place, title) = cause.map_or((String::new(), &finding.title), |cause| {
            (format!("{}: ", cause.id), &cause.title)
        });
        let heading = self.bold(&printable(title));
        self.line(&format!("{kind}[{name}] {place}{heading}"));
        if *title != finding.title {
            self.row("such as", &finding.title);
        }
        self.row("rule", &format!("{} ({})", finding.rule, finding.level));
        self.row("source", &finding.source);
        if let Some(last) = finding.exchanges.last() {
            self.row("sent", &sent(last));
        }
        for line in time_line(&finding.exchanges) {
            self.row("at once", &line);
        }
        self.row("expected", &finding.expected);
        self.row("got", &finding.actual);
        self.row(
            "seen",
            &format!(
                "{}, reproduced {}",
                times(finding.count),
                finding.reproduced
            ),
        );
        if let Some(reason) = &finding.waived {
            self.row("waived", reason);
        }
        // In one line, however long: it is there to be pasted.
        let label = self.label("again");
        self.line(&format!("  {label}{}", visible(again)));
    }

    /// The other findings of a cause: what each shows, and the requirements it breaks.
    fn also(&mut self, about: &[&FindingFacts], shown: usize) {
        let mut rest: IndexMap<&str, IndexSet<String>> = IndexMap::new();
        for finding in about.iter().skip(shown) {
            let broken = broken(finding, &about[0].requirements[0]);
            rest.entry(&finding.title).or_default().extend(broken);
        }
        for (title, broken) in rest {
            let broken: Vec<String> = broken.into_iter().collect();
            let broken = broken.join(" ");
            if about.first().is_some_and(|lead| lead.title == title) {
                self.row("also", &broken);
            } else {
                self.row("also", &format!("{title} ({broken})"));
            }
        }
    }

    fn label(&self, label: &str) -> String {
        self.paint("2", &format!("{label:<LABEL$}"))
    }

    fn row(&mut self, label: &str, value: &str) {
        let value = printable(value);
        let room = self.style.width.saturating_sub(LABEL + 2).max(20);
        let mut lines = fill(&value, room).into_iter();
        let first = lines.next().unwrap_or_default();
        let label = self.label(label);
        self.line(&format!("  {label}{first}"));
        for line in lines {
            self.line(&format!("{:width$}{line}", "", width = LABEL + 2));
        }
    }

    fn remarks(&mut self, report: &Report) {
        let mut remarks: Vec<String> = report.notes.clone();
        remarks.extend(
            not_there(report)
                .chain(stale(report))
                .chain(left_behind(report)),
        );
        let all = self.style.detail == Detail::Verbose;
        let undecided = report
            .requirements
            .iter()
            .filter(|facts| facts.verdict == Verdict::Inconclusive)
            .filter(|facts| all || facts.unsettled);
        remarks.extend(undecided.map(|facts| {
            format!(
                "{} inconclusive: {}",
                facts.id,
                facts.reason.as_deref().unwrap_or("no reason")
            )
        }));
        remarks.extend(to_go_on(report));
        if !remarks.is_empty() {
            self.line("");
        }
        for remark in remarks {
            self.row("note", &remark);
        }
    }

    fn verdict(&mut self, report: &Report) {
        let summary = &report.summary;
        let verdict = summary.verdict.to_uppercase();
        let verdict = match summary.exit_code {
            0 => self.paint("32;1", &verdict),
            1 | 3 => self.paint("31;1", &verdict),
            _ => self.paint("33;1", &verdict),
        };
        let must = |verdict| number(&summary.must, verdict);
        let total: usize = summary.must.values().sum();
        if self.style.detail > Detail::Quiet {
            self.line("");
        }
        self.line(&format!(
            "{verdict}  {} of {total} MUST conform, {} deviate · {} in {}{} · {:.1} s · seed {}",
            must(Verdict::Conforms),
            must(Verdict::Deviates),
            count(summary.findings, "finding"),
            count(summary.causes, "cause"),
            waived(report),
            report.run.seconds,
            report.run.seed
        ));
    }
}

/// How many of the findings the baseline waives, where it waives any.
fn waived(report: &Report) -> String {
    let all = report.findings.len();
    match report
        .findings
        .iter()
        .filter(|it| it.waived.is_some())
        .count()
    {
        0 => String::new(),
        waived if waived == all => ", all waived".to_owned(),
        waived => format!(", {waived} waived"),
    }
}

/// The requirements a finding breaks. Of the one that heads its cause as well the operation tells them apart.
fn broken(finding: &FindingFacts, heads: &RequirementId) -> Vec<String> {
    let name = |id: &RequirementId| match finding.operation {
        Some(operation) if id == heads => format!("{id} of {operation}"),
        _ => id.to_string(),
    };
    finding.requirements.iter().map(name).collect()
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn times(number: usize) -> String {
    if number == 1 {
        "once".to_owned()
    } else {
        format!("{number} times")
    }
}

/// The request in one line: method, target and the headers that say what was asked.
pub(super) fn sent(record: &Record) -> String {
    let Some(exchange) = &record.exchange else {
        return "nothing".to_owned();
    };
    let request = &exchange.request;
    let telling = |name: &str| {
        let name = name.to_ascii_lowercase();
        let routine = [
            "x-amz-date",
            "x-amz-glacier-version",
            "x-amz-content-sha256",
            "x-amz-security-token",
        ];
        !routine.contains(&name.as_str())
            && (name.starts_with("x-amz-") || name == "range" || name == "content-range")
    };
    let headers = request
        .headers
        .iter()
        .filter(|(name, _)| telling(name))
        .map(|(name, value)| format!(" · {name}: {value}"));
    let body = match &request.body {
        crevasse_core::wire::Body::Text(text) => format!(" · {text}"),
        body if body.length() > 0 => format!(" · {} bytes", body.length()),
        _ => String::new(),
    };
    format!(
        "{} {}{}{body}",
        request.method,
        request.target(),
        headers.collect::<String>()
    )
}

/// Breaks a text into lines of at most `width` characters, at spaces only: what is longer may be there to be copied.
fn fill(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use crevasse_core::spec::OperationName;

    use super::*;
    use crate::report::sample;

    #[test]
    fn the_rule_that_heads_a_cause_is_named_again_with_another_operation() {
        let mut report = sample::report();
        let mut other = report.findings[0].clone();
        other.operation = Some(OperationName::ListJobs);
        let rule = other.requirements[0].clone();
        report.findings.push(other);
        let text = render(&report, Style::default());
        assert!(text.contains(&format!("{rule} of ListJobs")), "{text}");
    }

    #[test]
    fn a_cause_that_the_baseline_waives_is_counted_and_told_only_when_asked_for() {
        let mut report = sample::report();
        for finding in &mut report.findings {
            finding.waived = Some("known for years".to_owned());
        }
        let text = render(&report, Style::default());
        assert!(!text.contains("known for years"), "{text}");
        assert!(text.contains("by the baseline: -v shows them"), "{text}");
        let detail = Detail::Verbose;
        let all = render(
            &report,
            Style {
                detail,
                ..Style::default()
            },
        );
        assert!(
            all.contains("known for years") && !all.contains("-v shows"),
            "{all}"
        );
    }

    #[test]
    fn a_word_longer_than_the_line_stays_whole() {
        assert_eq!(
            fill("GET /a/very/long/path again", 8),
            ["GET", "/a/very/long/path", "again"]
        );
    }

    #[test]
    fn the_line_to_be_pasted_is_never_broken() {
        let mut report = sample::report();
        report.run.endpoint = format!("http://{}.example", "x".repeat(90));
        let text = render(&report, Style::default());
        let whole = format!("again      {}", again(&report, &report.findings[0]));
        assert!(text.contains(&whole), "{text}");
    }
}
