//! A finding as a page shows it: the rule, why it is believed, what came, and how to see it again.

use std::collections::BTreeMap;

use minijinja::Value;
use serde::Serialize;

use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::scenario::Scenario;

use super::exchange::{self, Shown};
use super::picture::{Picture, Ranges};
use super::story::{self, Told};
use super::template::{fill, markup};
use crate::report::document::{FindingFacts, Report};
use crate::report::words::{Weight, clip, plural};
use crate::report::{printable, visible};

/// Exchanges of a finding in full, the decisive one among them.
const EXCHANGES: usize = 4;

/// What a template needs to show a finding.
#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    operation: Option<&'static str>,
    count: usize,
    rule: &'a str,
    level: Level,
    source: &'a str,
    page: Option<String>,
    endpoint: String,
    check: &'a str,
    case: &'a str,
    fingerprint: &'a str,
    waived: Option<&'a str>,
    requirement: &'a RequirementId,
    weight: Weight,
    title: String,
    others: Vec<&'a RequirementId>,
    evidence: String,
    seen: String,
    expected: String,
    actual: String,
    picture: Option<PictureView>,
    story: Vec<Told>,
    steps_after: usize,
    exchanges: Vec<Shown>,
    left_out: usize,
    script: String,
    scenario: String,
}

#[derive(Serialize)]
struct PictureView {
    drawing: Value,
    picture: Picture,
}

/// Shows findings with what the report knows of their requirements.
pub(super) struct Findings {
    evidence: BTreeMap<RequirementId, String>,
    /// Empty where the target ended with the run.
    endpoint: String,
}

impl Findings {
    /// Those of a report.
    pub(super) fn of(report: &Report) -> Self {
        let evidence = report
            .requirements
            .iter()
            .map(|facts| (facts.id.clone(), facts.evidence.clone()));
        Self {
            evidence: evidence.collect(),
            endpoint: match report.run.built_in {
                true => String::new(),
                false => printable(&report.run.endpoint),
            },
        }
    }

    /// A finding in full, as markup.
    pub(super) fn in_full(&self, finding: &FindingFacts) -> String {
        let scenario = scenario(finding);
        let requirement = &finding.requirements[0];
        let evidence = self
            .evidence
            .get(requirement)
            .map(|words| evidence(words))
            .unwrap_or_default();
        let ranges = Ranges::of(&finding.exchanges, scenario.as_ref());
        let story = story::tell(&finding.exchanges, scenario.as_ref());
        let steps = scenario.as_ref().map_or(0, |it| it.steps.len());
        fill(
            "finding.html",
            View {
                id: &finding.id,
                operation: finding.operation.map(|name| name.as_str()),
                count: finding.count,
                rule: &finding.rule,
                level: finding.level,
                source: &finding.source,
                page: guide_page(&finding.source),
                endpoint: self.endpoint.clone(),
                check: &finding.check,
                case: &finding.case,
                fingerprint: &finding.fingerprint,
                waived: finding.waived.as_deref(),
                requirement,
                weight: Weight::of(finding),
                title: printable(&finding.title),
                others: finding.requirements.iter().skip(1).collect(),
                evidence,
                seen: seen(finding),
                expected: printable(&finding.expected),
                actual: printable(&finding.actual),
                picture: ranges.map(|ranges| picture(&ranges)),
                steps_after: steps.saturating_sub(story.len()),
                story,
                exchanges: exchanges(finding),
                left_out: finding.exchanges.len().saturating_sub(EXCHANGES),
                script: script(finding),
                scenario: finding.repro.scenario.clone(),
            },
        )
    }
}

fn picture(ranges: &Ranges) -> PictureView {
    let mut picture = ranges.picture();
    let drawing = markup(std::mem::take(&mut picture.drawing));
    PictureView { drawing, picture }
}

/// The scenario, when it can be read and the exchanges are of its steps.
fn scenario(finding: &FindingFacts) -> Option<Scenario> {
    let scenario: Scenario = serde_yaml::from_str(&finding.repro.scenario).ok()?;
    let fits = finding.exchanges.iter().all(|record| {
        let step = scenario
            .steps
            .get(record.step)
            .map(|step| step.action.operation());
        step.is_some_and(|operation| operation.is_none() || operation == record.action.operation())
    });
    fits.then_some(scenario)
}

fn exchanges(finding: &FindingFacts) -> Vec<Shown> {
    let all = finding.exchanges.len();
    let shown = finding
        .exchanges
        .iter()
        .enumerate()
        .skip(all.saturating_sub(EXCHANGES));
    shown
        .filter_map(|(place, record)| exchange::show(record, place + 1 == all))
        .collect()
}

fn script(finding: &FindingFacts) -> String {
    let lines: Vec<String> = finding
        .repro
        .curl
        .iter()
        .map(|line| visible(line))
        .collect();
    lines.join("\n")
}

/// Where a rule is known from, in words.
fn evidence(words: &str) -> String {
    let known = words.split('+').map(|word| match word {
        "guide" => "the developer guide",
        "model" => "Amazon's own service model",
        "observed" => "what the real service was publicly seen to do",
        "inferred" => "context only",
        other => other,
    });
    match &known.collect::<Vec<_>>()[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        known => known.join(", "),
    }
}

/// Where the page of the developer guide that a source names first is found.
fn guide_page(source: &str) -> Option<String> {
    let name = source
        .trim_start_matches('\'')
        .split([' ', ',', ';', '('])
        .next()?;
    let of_the_guide =
        name.contains('-') && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    of_the_guide.then(|| format!("docs.aws.amazon.com/amazonglacier/latest/dev/{name}.html"))
}

fn seen(finding: &FindingFacts) -> String {
    let times = plural(finding.count, "time");
    format!(
        "Seen {times} in this run, reproduced {} on fresh resources",
        printable(&finding.reproduced)
    )
}

/// A finding as a row of a table.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    id: &'a str,
    weight: Weight,
    requirement: &'a RequirementId,
    operation: Option<&'static str>,
    count: usize,
    title: String,
    cause: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// A row with as many characters of the title as there is room for; `cause` where the table is of several.
    pub(super) fn of(finding: &'a FindingFacts, characters: usize, cause: Option<&'a str>) -> Self {
        Self {
            id: &finding.id,
            weight: Weight::of(finding),
            requirement: &finding.requirements[0],
            operation: finding.operation.map(|name| name.as_str()),
            count: finding.count,
            title: if characters == 0 {
                String::new()
            } else {
                clip(&printable(&finding.title), characters)
            },
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_script_is_shown_as_it_is_to_be_copied() {
        let mut finding = sample::report().findings.remove(0);
        finding.repro.curl = vec![r"printf 'a\nb'".to_owned(), "exit".to_owned()];
        assert_eq!(script(&finding), "printf 'a\\nb'\nexit");
    }

    #[test]
    fn evidence_reads_as_a_sentence() {
        assert_eq!(evidence("inferred"), "context only");
        let all = "the developer guide, Amazon's own service model and what the real service was publicly seen to do";
        assert_eq!(evidence("guide+model+observed"), all);
    }

    #[test]
    fn the_page_of_a_source_is_found_where_it_names_one() {
        let page = guide_page("api-error-responses, example notes").unwrap();
        assert!(page.ends_with("/dev/api-error-responses.html"), "{page}");
        assert_eq!(guide_page("not documented; observed (aws-cli 3413)"), None);
    }

    #[test]
    fn a_scenario_of_other_steps_than_the_exchanges_tells_no_story() {
        let mut finding = sample::report().findings.remove(0);
        assert!(scenario(&finding).is_some());
        finding.exchanges[4].step = 0;
        assert_eq!(scenario(&finding), None);
    }
}
