//! Following targets that are wrong or silent: what is in doubt is not judged, what is certain stays so.

use serde_json::json;

use super::{World, accept, refuse};
use crate::model::{Expectation, Life, Refusal as R};

fn world() -> World {
    World::after(&["CreateVault: {vault: v}"])
}

fn is_open(expected: &Expectation) -> bool {
    matches!(expected, Expectation::Blocked(_) | Expectation::Silent)
}

const UPLOAD: &str = "UploadArchive: {vault: v, archive: a, content: {pattern: 9}}";
const RETRIEVE: &str =
    "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}";

#[test]
fn what_should_have_been_refused_is_in_doubt() {
    let mut world = world();
    let wrong = UPLOAD.replace("9}", "9}, tree_hash: flipped");
    assert_eq!(
        world.answered(&wrong, 201, None),
        refuse(R::TreeHashMismatch)
    );
    assert!(is_open(&world.expects(RETRIEVE)));
    assert!(is_open(&world.expects("DeleteVault: {vault: v}")));
}

#[test]
fn what_was_refused_without_reason_was_not_made() {
    let mut world = world();
    assert_eq!(world.answered(UPLOAD, 403, None), accept());
    assert_eq!(world.expects("DeleteVault: {vault: v}"), accept());
    world.plays(UPLOAD);
    world.answered("DeleteArchive: {vault: v, archive: a}", 404, None);
    assert_eq!(world.expects(RETRIEVE), accept());
}

#[test]
fn what_was_not_answered_may_or_may_not_have_happened() {
    for status in [0, 500, 504] {
        let mut world = world();
        world.answered(UPLOAD, status, None);
        assert!(
            is_open(&world.expects("DeleteVault: {vault: v}")),
            "{status}"
        );
        world.plays(&UPLOAD.replace("archive: a", "archive: b"));
        world.answered("DeleteArchive: {vault: v, archive: b}", status, None);
        assert!(
            is_open(&world.expects(&RETRIEVE.replace(":a}", ":b}"))),
            "{status}"
        );
    }
}

/// 503 InsufficientCapacityException is a refusal, and 501 says that nothing is there.
#[test]
fn some_server_errors_say_that_nothing_happened() {
    for status in [501, 503] {
        let mut world = world();
        world.answered(UPLOAD, status, None);
        assert_eq!(
            world.expects("DeleteVault: {vault: v}"),
            accept(),
            "{status}"
        );
    }
}

#[test]
fn a_crash_over_what_must_be_refused_leaves_nothing_behind() {
    let mut world = world();
    world.answered(&UPLOAD.replace("9}", "9}, tree_hash: flipped"), 500, None);
    assert_eq!(world.expects("DeleteVault: {vault: v}"), accept());
}

#[test]
fn a_description_settles_whether_a_vault_exists() {
    let mut world = World::new();
    world.answered("CreateVault: {vault: v}", 0, None);
    assert!(is_open(&world.expects("DescribeVault: {vault: v}")));
    let mut there = world.clone();
    there.answered(
        "DescribeVault: {vault: v}",
        200,
        Some(json!({"VaultName": "v"})),
    );
    assert_eq!(there.expects("ListTagsForVault: {vault: v}"), accept());
    world.answered("DescribeVault: {vault: v}", 404, None);
    assert_eq!(
        world.expects("ListTagsForVault: {vault: v}"),
        refuse(R::VaultUnknown)
    );
}

#[test]
fn parts_that_should_have_been_refused_make_no_certain_archive() {
    let mut world = world();
    world.plays("InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}");
    world.answered(
        "UploadMultipartPart: {vault: v, upload: u, range: {at: 7}, content: {pattern: 9}}",
        204,
        None,
    );
    assert!(is_open(&world.expects(
        "CompleteMultipartUpload: {vault: v, upload: u, archive: a}"
    )));
}

/// UMP-RANGE-003: whatever stands in a scenario, the judge says something.
#[test]
fn a_part_may_claim_to_begin_where_no_archive_reaches() {
    for at in [u64::MAX, u64::MAX - 3] {
        let mut world = world();
        world.plays("InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}");
        let part = format!(
            "UploadMultipartPart: {{vault: v, upload: u, range: {{at: {at}}}, content: {{pattern: 9}}}}"
        );
        let expected = world.answered(&part, 204, None);
        assert!(matches!(expected, Expectation::Refuse(_)), "{expected:?}");
        assert!(is_open(&world.expects("ListParts: {vault: v, upload: u}")));
    }
}

#[test]
fn half_a_body_leaves_an_upload_as_it_was() {
    let mut world = world();
    world.plays("InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}");
    let half = "{UploadMultipartPart: {vault: v, upload: u, range: {at: 0}, content: {pattern: 9}}, but: {framing: half}}";
    for status in [0, 408] {
        world.answered(half, status, None);
        assert_eq!(
            world.model.vaults["v"].uploads["u"].parts.len(),
            0,
            "LP-PARTS-003"
        );
        assert_eq!(
            world.expects("ListParts: {vault: v, upload: u}"),
            accept(),
            "LP-PARTS-003"
        );
    }
}

#[test]
fn account_and_region_are_learned_from_answers() {
    let mut world = World::new();
    world.model.region = None;
    let list = json!({"VaultList": [{"VaultARN": "arn:aws:glacier:eu-west-1:012345678901:vaults/x"}], "Marker": null});
    world.answered("ListVaults: {}", 200, Some(list));
    assert_eq!(world.model.account.as_deref(), Some("012345678901"));
    assert_eq!(world.model.region.as_deref(), Some("eu-west-1"));
}

#[test]
fn a_deleted_vault_that_held_archives_is_in_doubt() {
    let mut world = world();
    world.plays(UPLOAD);
    assert_eq!(
        world.answered("DeleteVault: {vault: v}", 204, None),
        refuse(R::VaultNotEmpty)
    );
    assert_eq!(world.model.vaults["v"].life, Life::Doubtful);
    assert!(is_open(&world.expects("DescribeVault: {vault: v}")));
}

/// DV-NONEMPTY-001: that it was deleted is told once, and not again by the upload that a server kept.
#[test]
fn an_upload_in_a_vault_that_should_not_have_been_deleted_is_in_doubt() {
    let mut world = world();
    world.plays("InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}");
    world.plays("InitiateMultipartUpload: {vault: v, upload: over, part_size: '1048576'}");
    world.plays("AbortMultipartUpload: {vault: v, upload: over}");
    world.plays(UPLOAD);
    world.answered("DeleteVault: {vault: v}", 204, None);
    world.plays("CreateVault: {vault: v}");
    assert!(is_open(&world.expects("ListParts: {vault: v, upload: u}")));
    assert_eq!(
        world.expects("ListParts: {vault: v, upload: over}"),
        refuse(R::UploadAborted)
    );
}

/// UA-STATUS-001 against AMB-55: a policy may count that was accepted while it was in doubt.
#[test]
fn a_policy_that_may_count_may_deny() {
    let policy = r#"SetVaultAccessPolicy: {vault: v, body: {Policy: '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"glacier:UploadArchive","Resource":"*"}]}'}}"#;
    for status in [0, 204] {
        let mut world = world();
        world.answered("DeleteVaultNotifications: {vault: v}", 500, None);
        world.answered(policy, status, None);
        assert!(is_open(&world.expects(UPLOAD)), "{status}");
    }
}

#[test]
fn reading_the_output_of_a_job_in_doubt_puts_nothing_else_in_doubt() {
    let mut world = world();
    world.plays(UPLOAD);
    let garbled = format!("{{{RETRIEVE}, but: {{framing: {{garbled: 23}}}}}}");
    world.answered(&garbled, 202, None);
    world.answered("GetJobOutput: {vault: v, job: j}", 200, None);
    assert!(!world.model.vaults["v"].doubtful);
}

/// DSV-BODY-003: a vault whose deletion is in doubt may be another one once it is made again.
#[test]
fn a_vault_made_again_after_a_doubtful_deletion_may_have_another_date() {
    let mut world = world();
    let at = |date: &str| Some(json!({"CreationDate": date}));
    world.answered("DescribeVault: {vault: v}", 200, at("2026-11-27T08:21:11Z"));
    assert!(world.model.vaults["v"].creation_date.is_some());
    world.plays(UPLOAD);
    world.answered("DeleteVault: {vault: v}", 204, None);
    world.plays("CreateVault: {vault: v}");
    assert_eq!(world.model.vaults["v"].creation_date, None);
}

#[test]
fn of_two_archives_with_one_id_nobody_knows_which_was_deleted() {
    let mut world = world();
    world.plays(UPLOAD);
    world.plays(&UPLOAD.replace("archive: a", "archive: b"));
    let archives = &mut world.model.vaults["v"].archives;
    archives["b"].id = archives["a"].id.clone();
    world.plays("DeleteArchive: {vault: v, archive: a}");
    assert_eq!(world.model.vaults["v"].archives["b"].life, Life::Doubtful);
}
