//! The built-in specification, and what a strict document may not say.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::sample::{Index, select};

use super::*;

fn route(method: &str, path: &str, query: &str) -> Option<OperationName> {
    Spec::builtin()
        .match_route(method, path, query)
        .map(|(operation, _)| operation.name)
}

#[test]
fn all_33_operations_are_built_in() {
    let spec = Spec::builtin();
    assert_eq!(spec.name, "glacier-2012-06-01");
    let mut names: Vec<OperationName> = spec.operations.keys().copied().collect();
    names.sort();
    assert_eq!(names, OperationName::ALL);
}

#[test]
fn every_operation_is_reached_by_its_own_uri() {
    for operation in Spec::builtin().operations.values() {
        let (path, query) = operation
            .uri
            .as_str()
            .split_once('?')
            .unwrap_or((operation.uri.as_str(), ""));
        let path = path.replace(['{', '}'], "");
        assert_eq!(route(&operation.method, &path, query), Some(operation.name));
    }
}

#[test]
fn tags_are_told_apart_by_their_query() {
    let tags = "/-/vaults/v/tags";
    assert_eq!(
        route("POST", tags, "operation=add"),
        Some(OperationName::AddTagsToVault)
    );
    assert_eq!(
        route("POST", tags, "operation=remove"),
        Some(OperationName::RemoveTagsFromVault)
    );
    assert_eq!(route("POST", tags, ""), None);
    assert_eq!(
        route("GET", tags, "operation=add"),
        Some(OperationName::ListTagsForVault)
    );
}

#[test]
fn other_methods_and_paths_are_no_operation() {
    assert_eq!(route("PATCH", "/-/vaults/v", ""), None);
    assert_eq!(route("put", "/-/vaults/v", ""), None);
    assert_eq!(route("GET", "/-/vaults/v/", ""), None);
    assert_eq!(route("GET", "/-/policies/retrieval-limit-policy", ""), None);
}

#[test]
fn a_job_description_with_every_member_null_that_may_be_is_admitted() {
    let job = serde_json::json!({
        "Action": "InventoryRetrieval", "ArchiveId": null, "ArchiveSHA256TreeHash": null, "ArchiveSizeInBytes": null,
        "Completed": false, "CompletionDate": null, "CreationDate": "2016-09-01T09:16:45.612Z",
        "InventoryRetrievalParameters": {"EndDate": null, "Format": "JSON", "Limit": null, "Marker": null, "StartDate": null},
        "InventorySizeInBytes": null, "JobDescription": null, "JobId": "j", "RetrievalByteRange": null,
        "SHA256TreeHash": null, "SNSTopic": null, "StatusCode": "InProgress", "StatusMessage": null,
        "VaultARN": "arn:aws:glacier:us-east-1:012345678901:vaults/201407",
    });
    let schema = Spec::builtin().operations[&OperationName::DescribeJob]
        .response_body
        .schema()
        .unwrap();
    assert_eq!(schema.violations(&job), []);
    let mut wrong = job;
    wrong["Completed"] = "false".into();
    wrong["StatusCode"] = "Running".into();
    let pointers: Vec<String> = schema
        .violations(&wrong)
        .into_iter()
        .map(|violation| violation.pointer)
        .collect();
    assert_eq!(pointers, ["/Completed", "/StatusCode"]);
}

#[test]
fn the_headers_of_a_download_depend_on_its_status() {
    let output = &Spec::builtin().operations[&OperationName::GetJobOutput];
    let range = output.response_header("content-range").unwrap();
    assert_eq!(
        (range.required, range.when.as_deref()),
        (false, Some("status 206"))
    );
    assert_eq!(range.violations("bytes 0-1/2"), []);
    assert_eq!(range.violations("bytes 0-1/*").len(), 1);
    let kind = output.response_header("Content-Type").unwrap();
    assert!(kind.required && kind.violations("Text/CSV; charset=utf-8").is_empty());
    assert_eq!(kind.violations("text/html").len(), 1);
    assert!(output.succeeds_with(200) && output.succeeds_with(206) && !output.succeeds_with(204));
}

#[test]
fn error_codes_carry_every_status_that_documents_give() {
    let errors = &Spec::builtin().operations[&OperationName::InitiateJob].errors;
    assert_eq!(errors["InsufficientCapacityException"], [503, 400]);
    assert_eq!(errors["ResourceNotFoundException"], [404]);
    assert_eq!(errors["ServiceUnavailableException"], [500]);
}

fn refusal(from: &str, to: &str) -> String {
    assert!(BUILTIN.contains(from), "{from}");
    Spec::parse_strict(&BUILTIN.replacen(from, to, 1))
        .unwrap_err()
        .to_string()
}

#[test]
fn what_could_not_be_enforced_is_refused_with_its_line_and_pointer() {
    let line = BUILTIN
        .lines()
        .position(|line| line.contains("operationId: DeleteVault"))
        .unwrap()
        + 1;
    let seen = refusal(
        "operationId: DeleteVault\n",
        "operationId: DeleteVault\n      deprecated: true\n",
    );
    let place = format!("openapi.yaml:{}: a member deprecated", line + 1);
    assert!(seen.contains(&place), "{seen}");
    assert!(
        seen.contains("at /paths/~1{accountId}~1vaults~1{vaultName}/delete/deprecated"),
        "{seen}"
    );
    for (from, to, expected) in [
        (
            "Completed: {type: boolean}",
            "Completed: {type: boolean, readOnly: true}",
            "keyword readOnly",
        ),
        (
            "Completed: {type: boolean}",
            "Completed: {type: bool}",
            "a type that JSON does not have",
        ),
        ("'^\\d+-\\d+$'", "'(?=a)'", "/pattern"),
        (
            "operationId: DeleteVault\n",
            "operationId: DeleteVoult\n",
            "DeleteVoult",
        ),
        (
            "operationId: DeleteVault\n",
            "operationId: CreateVault\n",
            "defined twice",
        ),
        (
            "/{accountId}/vaults:",
            "/{account}/vaults:",
            "the path names",
        ),
        ("  4XX:", "  default:", "a status that is not judged"),
        (
            "ThrottlingException: [400]",
            "ThrottlingException: [200]",
            "an error status",
        ),
        (
            "#/components/parameters/Version",
            "#/components/parameters/Vorsion",
            "where nothing is",
        ),
        ("openapi: 3.1.0", "openapi: 3.0.3", "OpenAPI 3.1"),
        ("- sigv4: []", "- basic: []", "sigv4"),
        ("max: 10}", "max: ten}", "whole number"),
    ] {
        let seen = refusal(from, to);
        assert!(seen.contains(expected), "{seen}");
    }
}

#[test]
fn schemas_in_a_circle_are_an_error() {
    let seen = refusal(
        "Completed: {type: boolean}",
        "Completed: {$ref: '#/components/schemas/Job'}",
    );
    assert!(seen.contains("circle"), "{seen}");
}

#[test]
fn a_document_cut_short_is_an_error_or_a_smaller_one() {
    for end in (0..BUILTIN.len()).step_by(997) {
        if let Ok(spec) = Spec::parse_strict(&BUILTIN[..end]) {
            panic!(
                "components come last, so {} operations cannot be read from {end} bytes",
                spec.operations.len()
            );
        }
    }
}

/// The fixtures of the checkout, and our own document: where mutations begin.
fn seeds() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/specs");
    let files = std::fs::read_dir(folder).expect("the fixtures of the checkout");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let texts = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a text"));
    texts.chain([BUILTIN.to_owned()]).collect()
}

#[test]
fn the_fixtures_are_loaded_or_refused() {
    let seeds = seeds();
    assert!(seeds.len() > 9);
    seeds
        .iter()
        .for_each(|seed| properties::any_document(seed.as_bytes()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cuts a stretch out of a document and puts noise and a stretch of another in its place.
    #[test]
    fn mutated_documents_are_loaded_or_refused(
        seed in select(seeds()),
        other in select(seeds()),
        noise in vec(any::<u8>(), 0..8),
        cuts in any::<[Index; 4]>(),
    ) {
        let span = |text: &str, a: usize, b: usize| {
            let (a, b) = (cuts[a].index(text.len()), cuts[b].index(text.len()));
            (a.min(b), a.max(b))
        };
        let (from, to) = span(&seed, 0, 1);
        let (begin, end) = span(&other, 2, 3);
        let parts = [&seed.as_bytes()[..from], &noise, &other.as_bytes()[begin..end], &seed.as_bytes()[to..]];
        properties::any_document(&parts.concat());
    }

    /// Replaces some lines of a document by others of it.
    #[test]
    fn documents_with_lines_exchanged_are_loaded_or_refused(
        seed in select(seeds()),
        picks in vec(any::<[Index; 2]>(), 1..6),
    ) {
        let mut lines: Vec<&str> = seed.lines().collect();
        for [a, b] in picks {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines[a] = lines[b];
        }
        properties::any_document(lines.join("\n").as_bytes());
    }
}
