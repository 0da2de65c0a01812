//! The report as Markdown that fits the summary of a CI step: the verdict, the counts, causes with their findings folded away.

use crevasse_core::verdict::Verdict;

use super::document::{CauseFacts, Counts, FindingFacts, Report, RequirementFacts};
use super::time_line::time_line;
use super::words::{
    MustShares, Weight, again, clip, label, left_behind, not_there, number, plural, stale, to_go_on,
};
use super::{printable, terminal, visible};

/// What a step summary takes, in bytes.
pub const LIMIT: usize = 64_000;
/// Kept free for what is said at the end, and before that for the titles of causes that do not fit.
const RESERVE: usize = 8_000;
const TITLES: usize = 8_000;
/// Findings of a cause in full; the others are named.
const IN_FULL: usize = 3;
/// Requirements named in one list.
const NAMED: usize = 60;

/// Renders a report as Markdown of at most [`LIMIT`] bytes; what does not fit is counted.
pub fn render(report: &Report) -> String {
    let mut text = summary(report);
    let mut written = 0;
    let findings = report.by_cause();
    for cause in &report.causes {
        let about = findings
            .get(cause.id.as_str())
            .map_or(&[][..], Vec::as_slice);
        let section = section(report, cause, about);
        if text.len() + section.len() > LIMIT - RESERVE - TITLES {
            break;
        }
        text += &section;
        written += 1;
    }
    text += &titles(&report.causes[written..]);
    text + &remarks(report)
}

/// Causes of which nothing but the title fits.
fn titles(causes: &[CauseFacts]) -> String {
    if causes.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n### {} in short\n\nThe HTML and JSON reports tell all of them.\n\n",
        plural(causes.len(), "more cause")
    );
    for (place, cause) in causes.iter().enumerate() {
        let line = format!(
            "- {}: {} ({})\n",
            cause.id,
            escaped(&clip(&cause.title, 200)),
            cause.level
        );
        if text.len() + line.len() > TITLES - 100 {
            return text + &format!("- … and {}\n", plural(causes.len() - place, "more cause"));
        }
        text += &line;
    }
    text
}

fn summary(report: &Report) -> String {
    let shares = MustShares::of(&report.summary.must);
    let (summary, run) = (&report.summary, &report.run);
    format!(
        "## Crevasse: {} {}\n\n\
         **{} of the MUST requirements of supported operations conform**, {} of all.\n\
         {} in {}; {} of {} operations supported, {} exercised; {}, {} in {:.1} s, seed {}.\n\n{}",
        escaped(&label(report)),
        escaped(&summary.verdict),
        shares.of_supported.in_words(),
        shares.of_all.in_words(),
        plural(summary.findings, "finding"),
        plural(summary.causes, "cause"),
        summary.operations.supported,
        summary.operations.total,
        summary.operations.exercised,
        plural(summary.cases, "case"),
        plural(summary.exchanges, "exchange"),
        run.seconds,
        run.seed,
        counts_table(report)
    )
}

fn counts_table(report: &Report) -> String {
    let heads: Vec<_> = Verdict::ALL
        .iter()
        .map(|verdict| verdict.as_str())
        .collect();
    let rule = "--:|".repeat(heads.len());
    let row = |name: &str, counts: &Counts| {
        let cells = Verdict::ALL.map(|verdict| number(counts, verdict).to_string());
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    format!(
        "| level | {} |\n|:--|{rule}\n{}{}{}",
        heads.join(" | "),
        row("MUST", &report.summary.must),
        row("SHOULD", &report.summary.should),
        row("MAY", &report.summary.may),
    )
}

fn section(report: &Report, cause: &CauseFacts, about: &[&FindingFacts]) -> String {
    let weight = about
        .first()
        .map_or(Weight::Note, |finding| Weight::of(finding));
    let operations: Vec<_> = cause.operations.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "\n### {}: {}\n\n{} · {} · {} · {}\n",
        cause.id,
        escaped(&cause.title),
        weight.as_str(),
        cause.level,
        plural(about.len(), "finding"),
        if operations.is_empty() {
            "all operations".to_owned()
        } else {
            operations.join(", ")
        },
    );
    text.extend(
        about
            .iter()
            .take(IN_FULL)
            .map(|finding| in_full(report, finding)),
    );
    text + &also(about.get(IN_FULL..).unwrap_or_default())
}

fn in_full(report: &Report, finding: &FindingFacts) -> String {
    let mut rows = vec![
        ("rule", format!("{} ({})", finding.rule, finding.level)),
        ("source", finding.source.clone()),
    ];
    if let Some(last) = finding.exchanges.last() {
        rows.push(("sent", terminal::sent(last)));
    }
    rows.extend(
        time_line(&finding.exchanges)
            .into_iter()
            .map(|line| ("at once", line)),
    );
    rows.push(("expected", finding.expected.clone()));
    rows.push(("got", finding.actual.clone()));
    rows.push(("reproduced", finding.reproduced.clone()));
    rows.extend(finding.waived.clone().map(|reason| ("waived", reason)));
    rows.push(("again", again(report, finding)));
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("| {name} | {} |\n", escaped(value)))
        .collect();
    format!(
        "\n<details><summary><b>{}</b> {}: {}</summary>\n\n| | |\n|:--|:--|\n{rows}\n{}\n</details>\n",
        finding.requirements[0],
        finding.id,
        escaped(&finding.title),
        script(finding)
    )
}

/// The script in a fence that is longer than any in it.
fn script(finding: &FindingFacts) -> String {
    if finding.repro.curl.is_empty() {
        return String::new();
    }
    let lines: Vec<_> = finding
        .repro
        .curl
        .iter()
        .map(|line| visible(line))
        .collect();
    let lines = lines.join("\n");
    let longest = lines
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}sh\n{lines}\n{fence}\n")
}

fn also(rest: &[&FindingFacts]) -> String {
    let ids = rest
        .iter()
        .map(|finding| finding.requirements[0].to_string());
    list("\nAlso: ", ids.collect())
}

fn list(head: &str, mut names: Vec<String>) -> String {
    names.dedup();
    if names.is_empty() {
        return String::new();
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{head}{}{more}\n", names.join(", "))
}

fn remarks(report: &Report) -> String {
    let undecided = report
        .requirements
        .iter()
        .filter(|facts| facts.verdict == Verdict::Inconclusive);
    let mut lines = list("\nInconclusive: ", undecided.map(undecided_line).collect());
    let remarks: Vec<String> = not_there(report)
        .chain(left_behind(report))
        .chain(stale(report))
        .chain(report.notes.iter().cloned())
        .chain(to_go_on(report))
        .collect();
    for remark in remarks.iter().take(10) {
        lines += &format!("\n- {}", escaped(&clip(remark, 200)));
    }
    if remarks.len() > 10 {
        lines += &format!("\n- and {} more remarks", remarks.len() - 10);
    }
    clip(lines.trim_end(), RESERVE / 4) + "\n"
}

fn undecided_line(facts: &RequirementFacts) -> String {
    match &facts.reason {
        Some(reason) => format!("{} ({})", facts.id, escaped(&clip(reason, 60))),
        None => facts.id.to_string(),
    }
}

/// Foreign text as Markdown shows it: no markup, no table cell ended, no mention.
pub(super) fn escaped(text: &str) -> String {
    printable(text).chars().fold(String::new(), |mut shown, c| {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '@' => shown.push_str("&#64;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '~' | '\\' | '#' | '!' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_golden_report() {
        insta::assert_snapshot!(render(&sample::report()));
    }

    #[test]
    fn ten_thousand_findings_fit_and_the_cut_is_said() {
        let text = render(&sample::large(10_000, 20));
        assert!(text.len() <= LIMIT, "{} bytes", text.len());
        assert!(text.contains("more causes in short") && text.contains("- … and "));
    }

    #[test]
    fn the_weightiest_causes_come_first() {
        let text = render(&sample::report());
        let place = |id: &str| text.find(&format!("### {id}:")).unwrap();
        assert!(place("C1") < place("C2") && place("C2") < place("C3"));
    }

    #[test]
    fn a_hostile_text_stays_text() {
        let text = render(&sample::report());
        let outside_fences: String = text.split("```").step_by(2).collect();
        assert!(!outside_fences.contains("<script>") && !text.contains('\u{1b}'));
        assert_eq!(escaped("a|b`c\n<i>"), "a\\|b\\`c\\\\n&lt;i&gt;");
    }

    #[test]
    fn a_fence_cannot_be_closed_from_within() {
        let mut report = sample::report();
        report.findings[0].repro.curl = vec!["# ````".to_owned()];
        assert!(render(&report).contains("`````sh\n# ````\n`````"));
    }
}
