//! The report as JUnit XML in the dialect of Jenkins: a suite per topic, a test case per requirement.
//! Refuses to decide: `<failure>` is what fails the run, `<error>` any other way in which it is not as expected, `<skipped>` all else
//! that does not conform.

use std::time::Duration;

use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crevasse_core::requirement::Registry;
use crevasse_core::verdict::Verdict;

use super::assemble::verdict_word;
use super::document::{FindingFacts, Report, RequirementFacts};
use super::words::{again, clip, label, statement, undecided};
use super::{printable, visible};
use crate::exit;

/// How much of a rule a test case's name shows.
const NAME: usize = 90;

/// Renders a report as JUnit XML. What XML cannot say is left out.
pub fn render(report: &Report) -> String {
    let mut document = quick_junit::Report::new(format!("crevasse {}", printable(&label(report))));
    document.set_time(seconds(report.run.seconds));
    for (topic, requirements) in by_topic(report) {
        document.add_test_suite(suite(report, topic, &requirements));
    }
    let code = report.summary.exit_code;
    let explained = code == exit::DEVIATES && report.findings.iter().any(|it| it.fails);
    if code != exit::AS_EXPECTED && !explained {
        document.add_test_suite(not_as_expected(report));
    }
    document
        .to_string()
        .expect("a document in memory can be written")
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn by_topic(report: &Report) -> IndexMap<&str, Vec<&RequirementFacts>> {
    let mut topics: IndexMap<&str, Vec<&RequirementFacts>> = IndexMap::new();
    for facts in &report.requirements {
        let known = Registry::builtin().get(&facts.id);
        let topic = known.map_or("unknown", |requirement| &requirement.topic);
        topics.entry(topic).or_default().push(facts);
    }
    topics
}

fn suite(report: &Report, topic: &str, requirements: &[&RequirementFacts]) -> TestSuite {
    let mut suite = TestSuite::new(format!("glacier.{topic}"));
    suite.add_property(("seed", report.run.seed.to_string().as_str()));
    suite.add_property(("profile", report.run.profile.as_str()));
    suite.add_property(("endpoint", printable(&report.run.endpoint).as_str()));
    for facts in requirements {
        suite.add_test_case(case(report, topic, facts));
    }
    suite
}

fn case(report: &Report, topic: &str, facts: &RequirementFacts) -> TestCase {
    let rule = clip(statement(&facts.id), NAME);
    let name = format!("{} {rule}", facts.id);
    let mut case = TestCase::new(name.trim_end(), status(report, facts));
    case.set_classname(format!("glacier.{topic}"));
    case.add_property(Property::new("level", facts.level.to_string()));
    case.add_property(Property::new("evidence", printable(&facts.evidence)));
    case.add_property(Property::new("seed", report.run.seed.to_string()));
    if let Some(witness) = &facts.witness {
        case.add_property(Property::new("witness", printable(witness)));
    }
    case
}

fn status(report: &Report, facts: &RequirementFacts) -> TestCaseStatus {
    let findings: Vec<&FindingFacts> = report.findings_about(facts).collect();
    match findings.iter().find(|finding| finding.fails) {
        Some(failing) => failure(report, failing, &findings),
        None if facts.verdict == Verdict::Conforms => TestCaseStatus::success(),
        None => skipped(report, facts, &findings),
    }
}

fn failure(report: &Report, failing: &FindingFacts, findings: &[&FindingFacts]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(printable(&failing.title));
    status.set_type(failing.level.to_string());
    let bodies: Vec<String> = findings
        .iter()
        .map(|finding| body(report, finding))
        .collect();
    status.set_description(bodies.join("\n"));
    status
}

fn skipped(
    report: &Report,
    facts: &RequirementFacts,
    findings: &[&FindingFacts],
) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(undecided(facts, findings));
    let bodies: Vec<String> = findings
        .iter()
        .map(|finding| body(report, finding))
        .collect();
    if !bodies.is_empty() {
        status.set_description(bodies.join("\n"));
    }
    status
}

fn body(report: &Report, finding: &FindingFacts) -> String {
    let rows = [
        ("finding", format!("{} {}", finding.id, finding.title)),
        ("rule", format!("{} ({})", finding.rule, finding.level)),
        ("source", finding.source.clone()),
        ("expected", finding.expected.clone()),
        ("got", finding.actual.clone()),
        ("reproduced", finding.reproduced.clone()),
        ("again", again(report, finding)),
    ];
    let rows = rows.map(|(name, value)| format!("{name:<11}{}\n", printable(&value)));
    let script: String = finding
        .repro
        .curl
        .iter()
        .map(|line| format!("  {}\n", visible(line)))
        .collect();
    rows.concat() + &script
}

/// What no test case of a requirement tells: a run that says too little of its target is not green.
fn not_as_expected(report: &Report) -> TestSuite {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(match report.summary.exit_code {
        exit::OUR_FAULT => "a fault of Crevasse itself, not of the target",
        exit::DEVIATES => "the target or the baseline is not as expected",
        code => verdict_word(code),
    });
    let notes: Vec<String> = report.notes.iter().map(|note| printable(note)).collect();
    status.set_description(notes.join("\n"));
    let mut case = TestCase::new("the run came to its end", status);
    case.set_classname("crevasse");
    let mut suite = TestSuite::new("crevasse");
    suite.add_test_case(case);
    suite
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
    fn nothing_that_xml_forbids_is_left() {
        let xml = render(&sample::report());
        let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert_eq!(xml.chars().find(|c| !allowed(*c)), None);
        assert!(!xml.contains("<script>"));
    }

    #[test]
    fn only_what_fails_the_run_is_a_failure() {
        let report = sample::report();
        let failing: std::collections::BTreeSet<_> = report
            .findings
            .iter()
            .filter(|finding| finding.fails)
            .map(|finding| &finding.requirements[0])
            .collect();
        let xml = render(&report);
        assert_eq!(xml.matches("<failure ").count(), failing.len());
        assert_eq!(xml.matches("<error ").count(), 0);
    }

    #[test]
    fn a_run_that_tells_too_little_is_not_green() {
        let mut report = sample::report();
        report.findings.clear();
        for code in [exit::NOTHING_VERIFIED, exit::UNREACHABLE, exit::INCOMPLETE] {
            report.summary.exit_code = code;
            assert_eq!(render(&report).matches("<error ").count(), 1);
        }
        report.summary.exit_code = exit::AS_EXPECTED;
        assert_eq!(render(&report).matches("<error ").count(), 0);
    }

    #[test]
    fn a_fault_of_crevasse_is_an_error_and_no_failure_of_the_target() {
        let mut report = sample::report();
        report.findings.clear();
        report.summary.exit_code = exit::OUR_FAULT;
        let xml = render(&report);
        assert_eq!(xml.matches("<error ").count(), 1);
        assert_eq!(xml.matches("<failure ").count(), 0);
    }
}
