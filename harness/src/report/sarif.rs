//! The report as SARIF 2.1.0: a rule per requirement that was broken, a result per finding, at the requirement's line in the registry.

use indexmap::IndexMap;
use serde::Serialize;

use crevasse_core::requirement::{Level, Registry, Requirement, RequirementId};

use super::document::{FindingFacts, Report};
use super::words::{Weight, label};
use super::{printable, words};
use crate::exit;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Where the rules stand, from the root of the repository of Crevasse.
const REGISTRY: &str = "specs/glacier/requirements.yaml";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    automation_details: AutomationDetails,
    invocations: [Invocation; 1],
    results: Vec<ResultEntry>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: String,
    version: String,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: Vec<String>,
    evidence: Vec<String>,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct AutomationDetails {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    start_time_utc: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultEntry {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: IndexMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[Suppression; 1]>,
    occurrence_count: usize,
    properties: ResultProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Serialize)]
struct LogicalLocation {
    name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
}

#[derive(Serialize)]
struct ResultProperties {
    finding: String,
    cause: String,
    expected: String,
    actual: String,
    reproduced: String,
}

/// Renders a report as SARIF, with a newline at the end.
pub fn render(report: &Report) -> String {
    let ids = broken(report);
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: tool(report, &ids),
            automation_details: AutomationDetails {
                id: printable(&format!("crevasse/{}/{}", label(report), report.run.id)),
            },
            invocations: [invocation(report)],
            results: report
                .findings
                .iter()
                .map(|finding| result(finding, &ids))
                .collect(),
        }],
    };
    serde_json::to_string_pretty(&log).expect("texts and numbers serialise") + "\n"
}

/// The requirements that findings name first, in the order of the findings, with their places.
fn broken(report: &Report) -> IndexMap<&RequirementId, ()> {
    let named = report
        .findings
        .iter()
        .map(|finding| &finding.requirements[0]);
    named.map(|id| (id, ())).collect()
}

fn tool(report: &Report, ids: &IndexMap<&RequirementId, ()>) -> Tool {
    let known = ids.keys().map(|id| match Registry::builtin().get(id) {
        Some(requirement) => rule(requirement),
        None => unknown_rule(id),
    });
    Tool {
        driver: Driver {
            name: report.tool.name.clone(),
            version: report.tool.version.clone(),
            rules: known.collect(),
        },
    }
}

fn rule(requirement: &Requirement) -> Rule {
    let mut help = format!("Stands in: {}.", requirement.source);
    if let Some(grading) = &requirement.grading {
        help += &format!(" Graded: {grading}");
    }
    help += &format!(" How to test: {}", requirement.how_to_test);
    let level = requirement.level.to_string();
    Rule {
        id: requirement.id.to_string(),
        short_description: Text {
            text: format!("{level}: {}", words::clip(&requirement.statement, 120)),
        },
        full_description: Text {
            text: requirement.statement.clone(),
        },
        help: Text { text: help },
        default_configuration: Configuration {
            level: default_level(requirement),
        },
        properties: RuleProperties {
            tags: vec![
                "glacier".to_owned(),
                requirement.topic.clone(),
                level.to_lowercase(),
            ],
            evidence: requirement
                .evidence
                .iter()
                .map(ToString::to_string)
                .collect(),
        },
    }
}

fn default_level(requirement: &Requirement) -> &'static str {
    match requirement.level {
        Level::Must if requirement.can_fail() => "error",
        Level::Should if requirement.can_fail() => "warning",
        _ => "note",
    }
}

/// A rule of another registry than the one compiled in.
fn unknown_rule(id: &RequirementId) -> Rule {
    let text = || Text {
        text: format!("{id}, which this version of the registry does not hold."),
    };
    Rule {
        id: id.to_string(),
        short_description: text(),
        full_description: text(),
        help: text(),
        default_configuration: Configuration { level: "note" },
        properties: RuleProperties {
            tags: vec!["glacier".to_owned()],
            evidence: vec![],
        },
    }
}

fn invocation(report: &Report) -> Invocation {
    let code = report.summary.exit_code;
    Invocation {
        execution_successful: !matches!(
            code,
            exit::OUR_FAULT | exit::USAGE | exit::UNREACHABLE | exit::INTERRUPTED
        ),
        exit_code: code,
        start_time_utc: report.run.started.clone(),
    }
}

fn result(finding: &FindingFacts, ids: &IndexMap<&RequirementId, ()>) -> ResultEntry {
    let id = &finding.requirements[0];
    ResultEntry {
        rule_id: id.to_string(),
        rule_index: ids.get_index_of(id).unwrap_or_default(),
        level: level(finding),
        message: Text {
            text: message(finding),
        },
        locations: [location(finding)],
        partial_fingerprints: IndexMap::from([("crevasse/v1", finding.fingerprint.clone())]),
        suppressions: finding.waived.as_ref().map(|reason| {
            [Suppression {
                kind: "external",
                justification: printable(reason),
            }]
        }),
        occurrence_count: finding.count.max(1),
        properties: ResultProperties {
            finding: finding.id.clone(),
            cause: finding.cause.clone(),
            expected: printable(&finding.expected),
            actual: printable(&finding.actual),
            reproduced: printable(&finding.reproduced),
        },
    }
}

fn level(finding: &FindingFacts) -> &'static str {
    match (Weight::of(finding), finding.level) {
        (Weight::Error, _) | (Weight::Waived, Level::Must) => "error",
        (Weight::Warning, _) | (Weight::Waived, Level::Should) => "warning",
        _ => "note",
    }
}

fn message(finding: &FindingFacts) -> String {
    let operation = finding
        .operation
        .map(|name| format!("{name}: "))
        .unwrap_or_default();
    printable(&format!(
        "{operation}{}. Expected {}; got {}.",
        finding.title, finding.expected, finding.actual
    ))
}

fn location(finding: &FindingFacts) -> Location {
    let line = Registry::builtin()
        .get(&finding.requirements[0])
        .map_or(1, |requirement| requirement.line);
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: REGISTRY },
            region: Region { start_line: line },
        },
        logical_locations: finding
            .operation
            .map(|name| LogicalLocation {
                name: name.to_string(),
                kind: "function",
            })
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::sample;
    use super::*;

    fn run() -> Value {
        let log: Value = serde_json::from_str(&render(&sample::report())).unwrap();
        log["runs"][0].clone()
    }

    #[test]
    fn the_golden_report() {
        insta::assert_snapshot!(render(&sample::report()));
    }

    #[test]
    fn a_result_points_at_the_line_of_its_requirement() {
        let path = format!("{}/../{REGISTRY}", env!("CARGO_MANIFEST_DIR"));
        let registry = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = registry.lines().collect();
        for result in run()["results"].as_array().unwrap() {
            let line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
                .as_u64()
                .unwrap();
            let id = result["ruleId"].as_str().unwrap();
            assert_eq!(lines[line as usize - 1], format!("- id: {id}"));
        }
    }

    #[test]
    fn a_result_points_at_its_rule_by_place_too() {
        let run = run();
        for result in run["results"].as_array().unwrap() {
            let place = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(
                run["tool"]["driver"]["rules"][place]["id"],
                result["ruleId"]
            );
        }
    }

    #[test]
    fn what_is_waived_is_suppressed_and_says_why() {
        let suppressed: Vec<Value> = run()["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|result| !result["suppressions"].is_null())
            .cloned()
            .collect();
        assert_eq!(suppressed.len(), 1);
        assert_eq!(
            suppressed[0]["suppressions"][0]["justification"],
            "tracked as icebox 17"
        );
    }
}
