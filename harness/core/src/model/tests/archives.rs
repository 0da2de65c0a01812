//! Archives: bodies, checksums, descriptions, deletion.

use super::{World, accept, either, refuse, silent};
use crate::model::Refusal as R;

fn world() -> World {
    World::after(&[
        "CreateVault: {vault: v}",
        "CreateVault: {vault: w}",
        "UploadArchive: {vault: v, archive: a, content: {pattern: 1 KiB}}",
        "UploadArchive: {vault: v, archive: gone, content: {pattern: 1 KiB}}",
        "DeleteArchive: {vault: v, archive: gone}",
    ])
}

#[test]
fn an_upload_needs_a_body_its_length_and_both_checksums() {
    world().expects_rows(&[
        ("UA-STATUS-001", "UploadArchive: {vault: v, archive: b, content: {pattern: 1 MiB + 1}}", accept()),
        ("UA-SIZE-001", "UploadArchive: {vault: v, archive: b, content: {pattern: 1}}", accept()),
        ("UA-SIZE-002", "UploadArchive: {vault: v, archive: b, content: {pattern: 0}}", refuse(R::BodyEmpty)),
        (
            "UA-SIZE-003",
            "{UploadArchive: {vault: v, archive: b, content: {pattern: 1}}, but: {framing: {announced: 4294967297}}}",
            refuse(R::BodyTooLarge),
        ),
        (
            "UA-SIZE-004",
            "{UploadArchive: {vault: v, archive: b, content: {pattern: 1}}, but: {framing: chunked}}",
            refuse(R::LengthMissing),
        ),
        (
            "UA-HASH-001",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 3}, tree_hash: flipped}",
            refuse(R::TreeHashMismatch),
        ),
        (
            "UA-HASH-003",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 3}, tree_hash: absent}",
            refuse(R::TreeHashMissing),
        ),
        (
            "UA-HASH-004",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 3}, content_sha256: absent}",
            refuse(R::ContentHashMissing),
        ),
        (
            "UA-HASH-005",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 3}, content_sha256: of_nothing}",
            refuse(R::ContentHashMismatch),
        ),
        // Up to 1 MiB both hashes are the same (TH-ALG-001).
        (
            "UA-HASH-006",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 1 MiB}, tree_hash: linear}",
            accept(),
        ),
        (
            "UA-HASH-006",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 1 MiB + 1}, tree_hash: linear}",
            refuse(R::TreeHashMismatch),
        ),
        (
            "UA-HASH-007",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 3}, tree_hash: {literal: 12ab}}",
            refuse(R::TreeHashMalformed),
        ),
        (
            "TH-ALG-007",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 3}, tree_hash: upper_case}",
            silent(),
        ),
    ]);
}

/// The vector of the signing page, "Welcome to Amazon Glacier." (AMB-34): below 1 MiB both hashes are the same.
#[test]
fn a_checksum_is_judged_by_what_it_is_whoever_wrote_it() {
    let right = "726e392cb4d09924dbad1cc0ba3b00c3643d03d14cb4b823e2f041cff612a628";
    let upload = |hash: &str| {
        let action =
            "UploadArchive: {vault: v, archive: b, content: {text: Welcome to Amazon Glacier.}}";
        format!("{{{action}, but: {{headers: {{X-Amz-SHA256-Tree-Hash: {hash}}}}}}}")
    };
    assert_eq!(world().expects(&upload(right)), accept());
    assert_eq!(
        world().expects(&upload(&right.replace("26e3", "26e4"))),
        refuse(R::TreeHashMismatch)
    );
    assert_eq!(
        world().expects(&upload(&right[1..])),
        refuse(R::TreeHashMalformed)
    );
    assert_eq!(world().expects(&upload("~")), refuse(R::TreeHashMissing));
}

#[test]
fn a_description_has_up_to_1024_printable_ascii_characters() {
    let upload = |description: &str| {
        let action = serde_json::json!({"UploadArchive": {"vault": "v", "archive": "b", "content": {"pattern": 1}, "description": description}});
        world().expects(&action.to_string())
    };
    assert_eq!(upload(&"x".repeat(1024)), accept(), "UA-DESC-002");
    assert_eq!(
        upload(&"x".repeat(1025)),
        refuse(R::DescriptionTooLong),
        "UA-DESC-003"
    );
    let all: String = (' '..='~').collect();
    assert_eq!(upload(&all), accept(), "UA-DESC-004");
    for illegal in ["tab\there", "caf\u{e9}", "\u{7f}"] {
        assert_eq!(
            upload(illegal),
            refuse(R::DescriptionIllegal),
            "UA-DESC-005: {illegal:?}"
        );
    }
}

#[test]
fn deleting_is_idempotent_and_keeps_to_its_vault() {
    world().expects_rows(&[
        (
            "DA-STATUS-001",
            "DeleteArchive: {vault: v, archive: a}",
            accept(),
        ),
        (
            "DA-IDEM-001",
            "DeleteArchive: {vault: v, archive: gone}",
            accept(),
        ),
        (
            "DA-404-001",
            "DeleteArchive: {vault: '?v', archive: a}",
            refuse(R::VaultUnknown),
        ),
        (
            "DA-404-002",
            "DeleteArchive: {vault: v, archive: '?a'}",
            either(R::ArchiveUnknown),
        ),
        (
            "DA-XVAULT-001",
            "DeleteArchive: {vault: w, archive: a}",
            refuse(R::ArchiveForeign),
        ),
        (
            "DA-STATUS-001",
            "DeleteArchive: {vault: v, archive: '=id-of-a'}",
            accept(),
        ),
        // What no service shaped may be refused in any way.
        (
            "DA-404-002",
            "DeleteArchive: {vault: v, archive: '=x'}",
            silent(),
        ),
    ]);
}

#[test]
fn spaces_around_a_description_are_no_part_of_it() {
    let world = World::after(&[
        "CreateVault: {vault: v}",
        "UploadArchive: {vault: v, archive: a, content: {pattern: 1}, description: '  in  between '}",
    ]);
    assert_eq!(
        world.model.vaults["v"].archives["a"].description.as_deref(),
        Some("in  between"),
        "UA-DESC-004"
    );
}
