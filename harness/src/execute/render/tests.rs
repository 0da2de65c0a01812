use super::*;
use crevasse_core::payload::Payload;
use crevasse_core::scenario::{Scenario, Step};
use crevasse_core::treehash::tree_hash;

fn symbols() -> Symbols {
    let mut symbols = Symbols::new(
        "crevasse-x7k2p9-a-".to_owned(),
        Some("111122223333".to_owned()),
        "us-east-1".to_owned(),
    );
    symbols.bind("vault", "v", "examplevault", None);
    symbols.bind(
        "archive",
        "a",
        "NkbByEejwEggmBz2fTHgJrg0XBoDfjP4q6iu87",
        None,
    );
    symbols.bind(
        "upload",
        "u",
        "OW2fM5iVylEpFEMM9",
        Some("/111122223333/vaults/examplevault/multipart-uploads/OW2fM5iVylEpFEMM9"),
    );
    symbols.bind(
        "job",
        "j",
        "HkF9p6o7yjhFx",
        Some("http://host/111122223333/vaults/examplevault/jobs/HkF9p6o7yjhFx"),
    );
    symbols
}

/// Reads a step by way of the scenario it stands in.
fn step(action: &str, tweak: &str) -> Step {
    let text = format!("id: a\ntitle: t\nsteps:\n- {action}\n  but: {tweak}\n");
    Scenario::parse(&text).unwrap().steps.remove(0)
}

fn but(action: &str, tweak: &str) -> Result<Request, Obstacle> {
    let Step { action, tweak } = step(action, tweak);
    render(
        &action,
        &tweak,
        Spec::builtin(),
        &mut symbols(),
        "localhost:5000",
    )
}

fn plain(action: &str) -> Request {
    but(action, "{}").unwrap()
}

#[test]
fn each_value_goes_where_the_guide_has_it() {
    for (action, method, target) in [
        ("DescribeVault: {vault: v}", "GET", "/-/vaults/examplevault"),
        (
            "DeleteArchive: {vault: v, archive: a}",
            "DELETE",
            "/-/vaults/examplevault/archives/NkbByEejwEggmBz2fTHgJrg0XBoDfjP4q6iu87",
        ),
        (
            "ListParts: {vault: v, upload: u, page: {limit: '1', marker: '=a/b'}}",
            "GET",
            "/-/vaults/examplevault/multipart-uploads/OW2fM5iVylEpFEMM9?limit=1&marker=a%2Fb",
        ),
        (
            "ListJobs: {vault: v, completed: 'false', statuscode: InProgress}",
            "GET",
            "/-/vaults/examplevault/jobs?completed=false&statuscode=InProgress",
        ),
        (
            "GetJobOutput: {vault: v, job: j}",
            "GET",
            "/-/vaults/examplevault/jobs/HkF9p6o7yjhFx/output",
        ),
        (
            "RemoveTagsFromVault: {vault: v}",
            "POST",
            "/-/vaults/examplevault/tags?operation=remove",
        ),
        (
            "GetDataRetrievalPolicy: {}",
            "GET",
            "/-/policies/data-retrieval",
        ),
        (
            "PurchaseProvisionedCapacity: {unit: c}",
            "POST",
            "/-/provisioned-capacity",
        ),
        (
            "DescribeVault: {vault: '=a b/ä'}",
            "GET",
            "/-/vaults/a%20b%2F%C3%A4",
        ),
        (
            "Other: {method: PATCH, path: '/-/vaults/${vault:v}?x=1'}",
            "PATCH",
            "/-/vaults/examplevault?x=1",
        ),
    ] {
        let request = plain(action);
        assert_eq!(
            (request.method.as_str(), request.target().as_str()),
            (method, target)
        );
        assert_eq!(
            request.headers.value("x-amz-glacier-version"),
            Some("2012-06-01")
        );
        assert_eq!(request.headers.value("host"), Some("localhost:5000"));
    }
}

#[test]
fn the_guides_part_is_rendered_as_in_the_guide() {
    let request = plain(
        "UploadMultipartPart: {vault: v, upload: u, content: {generated: {seed: 1, length: 4 MiB}}, range: {at: 8388608}}",
    );
    assert_eq!(request.method, "PUT");
    assert_eq!(
        request.headers.value("content-range"),
        Some("bytes 8388608-12582911/*")
    );
    assert_eq!(request.headers.value("content-length"), Some("4194304"));
    let content = Content::from(Payload::Generated {
        seed: 1,
        length: 4 << 20,
    });
    let tree = tree_hash(&content.to_bytes()).to_string();
    assert_eq!(
        request.headers.value("x-amz-sha256-tree-hash"),
        Some(tree.as_str())
    );
    let linear = sha256(&content.to_bytes()).to_string();
    assert_eq!(
        request.headers.value("x-amz-content-sha256"),
        Some(linear.as_str())
    );
}

#[test]
fn a_claim_lies_in_its_own_way() {
    // SHA-256 of "abc" is that of FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let header = |claim: &str| {
        let action = format!(
            "UploadArchive: {{vault: v, archive: b, content: {{text: abc}}, tree_hash: {claim}}}"
        );
        plain(&action)
            .headers
            .value("x-amz-sha256-tree-hash")
            .map(str::to_owned)
    };
    assert_eq!(header("right").as_deref(), Some(ABC));
    assert_eq!(header("flipped").unwrap(), format!("{}c", &ABC[..63]));
    assert_eq!(header("upper_case").unwrap(), ABC.to_uppercase());
    assert_eq!(header("of_nothing").as_deref(), Some(NOTHING));
    assert_eq!(header("{literal: zzz}").as_deref(), Some("zzz"));
    assert_eq!(header("absent"), None);
}

#[test]
fn a_completion_claims_the_sum_and_the_hash_of_the_parts() {
    let whole = Content::from(Payload::Generated {
        seed: 9,
        length: (2 << 20) + 5,
    });
    let mut symbols = symbols();
    let cut = |start, end| whole.slice(crevasse_core::range::ByteRange::new(start, end).unwrap());
    symbols.add_part("u", 1 << 20, &cut(1 << 20, (2 << 20) + 5));
    symbols.add_part("u", 0, &cut(0, 1 << 20));
    let mut completed = |size: &str| {
        let action =
            format!("CompleteMultipartUpload: {{vault: v, upload: u, archive: b, size: {size}}}");
        let action = step(&action, "{}").action;
        render(
            &action,
            &Tweak::default(),
            Spec::builtin(),
            &mut symbols,
            "h",
        )
        .unwrap()
        .headers
    };
    let right = completed("right");
    assert_eq!(right.value("x-amz-archive-size"), Some("2097157"));
    assert_eq!(
        right.value("x-amz-sha256-tree-hash"),
        Some(tree_hash(&whole.to_bytes()).to_string().as_str())
    );
    assert_eq!(
        completed("{off: -1}").value("x-amz-archive-size"),
        Some("2097156")
    );
    assert_eq!(completed("absent").value("x-amz-archive-size"), None);
}

#[test]
fn tweaks_come_last() {
    let list = "ListVaults: {page: {limit: '5'}}";
    for (tweak, target) in [
        ("{query: {limit: null}}", "/-/vaults"),
        ("{query: {limit: '0', a b: c}}", "/-/vaults?a%20b=c&limit=0"),
        ("{account: numeric}", "/111122223333/vaults?limit=5"),
        ("{account: hyphenated}", "/1111-2222-3333/vaults?limit=5"),
        ("{account: foreign}", "/666677778888/vaults?limit=5"),
        ("{path: trailing_slash}", "/-/vaults/?limit=5"),
    ] {
        assert_eq!(but(list, tweak).unwrap().target(), target);
    }
    let odd = but(
        list,
        "{method: PATCH, body: '{', headers: {x-amz-glacier-version: null, X-New: '1'}}",
    )
    .unwrap();
    assert_eq!(
        (odd.method.as_str(), odd.body),
        ("PATCH", Body::Text("{".to_owned()))
    );
    assert_eq!(odd.headers.value("content-length"), Some("1"));
    assert_eq!(
        (
            odd.headers.value("x-amz-glacier-version"),
            odd.headers.value("x-new")
        ),
        (None, Some("1"))
    );
}

#[test]
fn a_location_is_followed_wherever_its_path_begins() {
    for (action, path) in [
        (
            "ListParts: {vault: v, upload: u}",
            "/111122223333/vaults/examplevault/multipart-uploads/OW2fM5iVylEpFEMM9",
        ),
        (
            "DescribeJob: {vault: v, job: j}",
            "/111122223333/vaults/examplevault/jobs/HkF9p6o7yjhFx",
        ),
        (
            "GetJobOutput: {vault: v, job: j}",
            "/111122223333/vaults/examplevault/jobs/HkF9p6o7yjhFx/output",
        ),
    ] {
        assert_eq!(but(action, "{path: location}").unwrap().path, path);
    }
    assert!(
        but("DeleteArchive: {vault: v, archive: a}", "{path: location}")
            .unwrap_err()
            .contains("no Location")
    );
    assert!(
        but("ListParts: {vault: \"?v\", upload: u}", "{path: location}")
            .unwrap_err()
            .contains("another vault")
    );
}

#[test]
fn an_encoded_vault_name_means_the_same() {
    let path = but("DescribeVault: {vault: v}", "{path: encoded}")
        .unwrap()
        .path;
    assert_eq!(path, "/-/vaults/%65x%61m%70l%65v%61u%6Ct");
}

#[test]
fn bodies_are_framed_as_told() {
    let upload = "UploadArchive: {vault: v, archive: b, content: {text: abc}}";
    let chunked = but(upload, "{framing: chunked}").unwrap();
    assert_eq!(
        (
            chunked.headers.value("content-length"),
            chunked.headers.value("transfer-encoding")
        ),
        (None, Some("chunked"))
    );
    let announced = but(upload, "{framing: {announced: 4294967297}}").unwrap();
    assert_eq!(
        announced.headers.value("content-length"),
        Some("4294967297")
    );
    assert_eq!(announced.headers.value("expect"), Some("100-continue"));
    assert_eq!(
        plain("CreateVault: {vault: v}")
            .headers
            .value("content-length"),
        Some("0")
    );
    assert_eq!(
        plain("DeleteVault: {vault: v}")
            .headers
            .value("content-length"),
        None
    );
}

#[test]
fn a_handle_that_was_never_bound_cannot_be_sent() {
    for action in [
        "DescribeJob: {vault: v, job: other}",
        "DescribeJob: {vault: v, job: '?other'}",
        "InitiateJob: {vault: v, job: k, body: {Type: archive-retrieval, ArchiveId: '${archive:none}'}}",
        "ListJobs: {vault: v, page: {marker: previous}}",
    ] {
        assert!(but(action, "{}").is_err(), "{action}");
    }
}
