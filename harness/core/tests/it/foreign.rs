//! Documents that others wrote: our fixtures, and those of the world where they are at hand.

use std::collections::BTreeSet;

use crevasse_core::spec::{LintReport, OperationName, Severity, Spec, lint};

use crate::shared;

fn fixture(name: &str) -> String {
    let path = format!("{}/../../fixtures/specs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture that is there")
}

fn linked(segment: &str) -> Option<String> {
    Some(fixture(segment)).filter(|_| segment != "lost.md")
}

/// Lints a fixture, whose link to `lost.md` leads nowhere.
fn linted(name: &str) -> LintReport {
    lint(name, &fixture(name), &|segment| {
        (segment != "lost.md").then(|| linked(segment))?
    })
    .unwrap()
}

/// The rules that were noted of a document, with the lines where.
fn noted(report: &LintReport, document: &str) -> BTreeSet<(usize, String)> {
    let here = report.notes.iter().filter(|note| note.document == document);
    here.map(|note| (note.line, note.rule.to_owned())).collect()
}

/// The faults that a fixture owns up to in its comments.
fn admitted(name: &str) -> BTreeSet<(usize, String)> {
    let text = fixture(name);
    let lines = text.lines().enumerate();
    let comments = lines.filter_map(|(at, line)| Some((at + 1, line.split_once("# fault: ")?.1)));
    comments
        .flat_map(|(line, rules)| rules.split(' ').map(move |rule| (line, rule.to_owned())))
        .collect()
}

#[test]
fn every_fault_is_noted_where_it_stands_and_nothing_else() {
    for name in [
        "index.yaml",
        "list-jobs.md",
        "job-output.md",
        "converted.yaml",
        "circle.yaml",
        "tidy.json",
    ] {
        assert_eq!(noted(&linted(name), name), admitted(name), "{name}");
    }
}

fn defined(report: &LintReport) -> Vec<&'static str> {
    report
        .defines
        .iter()
        .map(|definition| definition.operation.as_str())
        .collect()
}

#[test]
fn an_index_leads_to_its_descriptions_by_their_last_segment() {
    let report = linted("index.yaml");
    assert_eq!(
        defined(&report),
        ["ListJobs", "InitiateJob", "GetJobOutput"]
    );
    assert_eq!(report.lacks.len(), 30);
    let of_index = |severity| {
        report
            .of(severity)
            .filter(|note| note.document == "index.yaml")
            .count()
    };
    assert_eq!(of_index(Severity::Wrong), 5);
    assert_eq!(of_index(Severity::Silent), 1);
}

#[test]
fn a_description_may_stand_among_words() {
    let report = linted("job-output.md");
    assert_eq!(defined(&report), ["GetJobOutput"]);
    assert_eq!(report.defines[0].line, 13);
}

#[test]
fn what_a_converter_got_wrong_is_named() {
    let report = linted("converted.yaml");
    assert_eq!(
        defined(&report),
        [
            "UploadArchive",
            "InitiateJob",
            "AddTagsToVault",
            "RemoveTagsFromVault",
            "GetVaultAccessPolicy"
        ]
    );
}

#[test]
fn a_path_may_stand_among_the_components() {
    let text = fixture("tidy.json").replace(
        "\"/{account}/VAULTS/{name}\": {",
        "\"/{account}/VAULTS/{name}\": {\"$ref\": \"#/x-item\"}}, \"x-item\": {",
    );
    let text = text.replacen("    }\n  }\n}", "    }\n}", 1);
    let report = lint("tidy.json", &text, &|_| None).unwrap();
    assert_eq!(defined(&report), ["CreateVault"]);
    assert_eq!(report.notes, []);
}

#[test]
fn names_and_case_are_no_fault() {
    let report = linted("tidy.json");
    assert_eq!(defined(&report), ["CreateVault"]);
}

#[test]
fn our_own_document_is_free_of_faults_when_read_as_a_foreign_one() {
    let text = include_str!("../../specs/glacier/openapi.yaml");
    let report = lint("openapi.yaml", text, &|_| None).unwrap();
    assert_eq!(report.lacks, []);
    assert_eq!(report.notes, []);
}

#[test]
fn a_foreign_document_picks_operations_and_the_built_in_ones_judge() {
    let spec = Spec::load_foreign("converted.yaml", &fixture("converted.yaml"), &linked).unwrap();
    assert!(spec.foreign && spec.name == "converted.yaml");
    assert_eq!(spec.dropped, linted("converted.yaml").notes);
    for (name, operation) in &spec.operations {
        assert_eq!(operation, &Spec::builtin().operations[name]);
    }
    let (operation, _) = spec
        .match_route("POST", "/-/vaults/v/tags", "operation=remove")
        .unwrap();
    assert_eq!(operation.name, OperationName::RemoveTagsFromVault);
    assert!(spec.match_route("GET", "/-/vaults", "").is_none());
}

#[test]
fn what_a_format_cannot_say_is_told() {
    let says = |name: &str| linted(name).inexpressible;
    assert!(
        says("tidy.json")
            .iter()
            .any(|text| text.contains("tree hash"))
    );
    assert!(says("list-jobs.md").contains(&"a member that is null"));
    assert!(!says("converted.yaml").contains(&"a member that is null"));
}

#[test]
fn broken_documents_are_errors() {
    for (name, text, expected) in [
        (
            "cut-short.yaml",
            fixture("cut-short.yaml"),
            "cut-short.yaml:",
        ),
        ("bomb.yaml", fixture("bomb.yaml"), "limit exceeded"),
        (
            "other-service.yaml",
            fixture("other-service.yaml"),
            "no operation of this service",
        ),
        (
            "huge",
            "openapi: 3.1.0\n".repeat(1_200_000),
            "more than the 16777216",
        ),
        ("binary", "\u{0}\u{1}ELF\u{7f}".to_owned(), "binary"),
        (
            "deep",
            format!("openapi: 3.1.0\npaths: {}", "[".repeat(10_000)),
            "deep:",
        ),
        ("prose", "Just words.".to_owned(), "neither OpenAPI"),
        ("empty", String::new(), "neither OpenAPI"),
    ] {
        let error = Spec::load_foreign(name, &text, &|_| None)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("read ") && error.contains(expected),
            "{error}"
        );
    }
}

/// Lints one of the published documents.
fn published(name: &str) -> Option<LintReport> {
    let text = shared::text(&format!("spec-inputs/{name}"))?;
    let resolver = |segment: &str| shared::text(&format!("spec-inputs/listings/{segment}"));
    Some(lint(name, &text, &resolver).unwrap())
}

fn counted(report: &LintReport, rule: &str) -> usize {
    report.notes.iter().filter(|note| note.rule == rule).count()
}

#[test]
fn the_published_index_defines_two_operations() {
    let Some(report) = published("apis.yaml") else {
        return;
    };
    assert_eq!(defined(&report), ["ListJobs", "GetJobOutput"]);
    let bases: Vec<usize> = report
        .notes
        .iter()
        .filter(|note| note.rule == "malformed-base-url")
        .map(|note| note.line)
        .collect();
    assert_eq!(bases, [26, 55]);
    assert_eq!(counted(&report, "response-member-as-parameter"), 24 + 8);
    assert_eq!(counted(&report, "parameter-without-name"), 1);
    assert_eq!(counted(&report, "definitions-not-a-mapping"), 2);
    assert_eq!(counted(&report, "version-header-missing"), 2);
    assert_eq!(counted(&report, "link-unresolved"), 0);
}

#[test]
fn the_published_swagger_documents_define_what_they_list() {
    for (name, operations) in [
        ("listings/apis.md", 4),
        ("listings/accountid-vaults-vaultname-jobs-post.md", 1),
        ("listings/accountidvaultsvaultnamejobs-get-openapi.md", 4),
        ("listings/openapi.md", 4),
    ] {
        let Some(report) = published(name) else {
            return;
        };
        assert_eq!(report.defines.len(), operations, "{name}");
    }
    let Some(all) = published("listings/openapi-all-operations.md") else {
        return;
    };
    use OperationName as O;
    let lacks = [
        O::InitiateMultipartUpload,
        O::AddTagsToVault,
        O::ListTagsForVault,
        O::RemoveTagsFromVault,
        O::ListProvisionedCapacity,
    ];
    assert_eq!(all.lacks, lacks);
    assert_eq!(counted(&all, "malformed-path"), 1);
}

#[test]
fn the_published_conversion_defines_all_and_invents_statuses_for_each() {
    let Some(report) = published("openapi-directory-glacier.yaml") else {
        return;
    };
    assert_eq!(report.lacks, []);
    for rule in [
        "status-invented",
        "no-response-headers",
        "version-header-missing",
    ] {
        assert_eq!(counted(&report, rule), 33, "{rule}");
    }
    let wrapped = report
        .notes
        .iter()
        .filter(|note| note.rule == "body-wrapped");
    assert!(
        wrapped
            .clone()
            .any(|note| note.text.contains("jobParameters"))
    );
    let bytes: Vec<&str> = report
        .notes
        .iter()
        .filter(|note| note.rule == "binary-as-json")
        .map(|note| note.pointer.split('/').nth(3).unwrap())
        .collect();
    assert_eq!(bytes, ["put", "get", "post"]);
}
