//! Multipart uploads: the algebra of parts, and the ends an upload can come to.

use super::{World, accept, either, refuse, silent};
use crate::model::{Expectation, Refusal as R};

const OPEN: [&str; 3] = [
    "CreateVault: {vault: v}",
    "CreateVault: {vault: w}",
    "InitiateMultipartUpload: {vault: v, upload: u, part_size: '2097152', description: d}",
];

fn part(at: &str, length: &str) -> String {
    format!(
        "UploadMultipartPart: {{vault: v, upload: u, range: {{at: {at}}}, content: {{pattern: {length}}}}}"
    )
}

fn with_parts(parts: &[(&str, &str)]) -> World {
    let mut world = World::after(&OPEN);
    for (at, length) in parts {
        assert_eq!(world.plays(&part(at, length)), accept());
    }
    world
}

const COMPLETE: &str = "CompleteMultipartUpload: {vault: v, upload: u, archive: a}";

#[test]
fn a_part_size_is_a_power_of_two_mebibytes() {
    let world = World::after(&OPEN);
    let initiate = |size: &str| {
        world.expects(&format!(
            "InitiateMultipartUpload: {{vault: v, upload: n, part_size: '{size}'}}"
        ))
    };
    for k in 0..=12 {
        assert_eq!(
            initiate(&(1_048_576_u64 << k).to_string()),
            accept(),
            "IMU-SIZE-001: 2^{k}"
        );
    }
    // IMU-SIZE-002 to -005.
    for size in [
        "3145728",
        "524288",
        "1",
        "0",
        "8589934592",
        "1048577",
        "10485759",
        "-1048576",
    ] {
        assert_eq!(initiate(size), refuse(R::PartSizeInvalid), "{size}");
    }
    let huge = "9".repeat(40);
    assert_eq!(initiate(&huge), refuse(R::PartSizeInvalid), "IMU-SIZE-004");
    assert_eq!(initiate("+1048576"), silent(), "IMU-SIZE-001: a sign");
    assert_eq!(
        initiate("1MiB"),
        refuse(R::PartSizeMalformed),
        "IMU-SIZE-007"
    );
    world.expects_rows(&[
        ("IMU-SIZE-006", "InitiateMultipartUpload: {vault: v, upload: n}", refuse(R::PartSizeMissing)),
        (
            "IMU-SIZE-006",
            "{InitiateMultipartUpload: {vault: v, upload: n, part_size: '1048576'}, but: {headers: {x-amz-part-size: ~}}}",
            refuse(R::PartSizeMissing),
        ),
        ("IMU-404-001", "InitiateMultipartUpload: {vault: '?v', upload: n, part_size: '1048576'}", refuse(R::VaultUnknown)),
    ]);
}

#[test]
fn a_part_begins_at_a_multiple_of_the_part_size_and_is_no_longer() {
    let world = World::after(&OPEN);
    let sent = |text: &str| {
        world.expects(&format!(
            "UploadMultipartPart: {{vault: v, upload: u, {text}}}"
        ))
    };
    let rows = [
        (
            "UMP-STATUS-001",
            "range: {at: 2 MiB}, content: {pattern: 2 MiB}",
            accept(),
        ),
        (
            "UMP-SIZE-001",
            "range: {at: 0}, content: {pattern: 1 MiB}",
            accept(),
        ),
        (
            "UMP-SIZE-002",
            "range: {at: 4 MiB}, content: {pattern: 1}",
            accept(),
        ),
        (
            "UMP-RANGE-002",
            "range: absent, content: {pattern: 1}",
            refuse(R::PartRangeMissing),
        ),
        (
            "UMP-RANGE-003",
            "range: {at: 1 MiB}, content: {pattern: 1 MiB}",
            refuse(R::PartMisaligned),
        ),
        (
            "UMP-RANGE-004",
            "range: {at: 0}, content: {pattern: 2 MiB + 1}",
            refuse(R::PartTooLong),
        ),
        (
            "UMP-RANGE-005",
            "range: {literal: bytes 0-9/*}, content: {pattern: 9}",
            refuse(R::PartLengthMismatch),
        ),
        (
            "UMP-RANGE-006",
            "range: {literal: bytes=0-8/*}, content: {pattern: 9}",
            refuse(R::PartRangeMalformed),
        ),
        (
            "UMP-RANGE-006",
            "range: {literal: 0-8/*}, content: {pattern: 9}",
            refuse(R::PartRangeMalformed),
        ),
        (
            "UMP-RANGE-006",
            "range: {literal: bytes 8-0/*}, content: {pattern: 9}",
            refuse(R::PartRangeMalformed),
        ),
        (
            "UMP-RANGE-007",
            "range: {literal: bytes 0-8/9}, content: {pattern: 9}",
            silent(),
        ),
        (
            "UMP-HASH-001",
            "range: {at: 0}, content: {pattern: 9}, tree_hash: flipped",
            refuse(R::TreeHashMismatch),
        ),
        (
            "UMP-HASH-002",
            "range: {at: 0}, content: {pattern: 9}, content_sha256: flipped",
            refuse(R::ContentHashMismatch),
        ),
        (
            "UMP-HASH-003",
            "range: {at: 0}, content: {pattern: 9}, tree_hash: absent",
            refuse(R::TreeHashMissing),
        ),
        (
            "UMP-HASH-004",
            "range: {at: 0}, content: {pattern: 9}, content_sha256: absent",
            refuse(R::ContentHashMissing),
        ),
    ];
    for (requirement, text, expected) in rows {
        let text = text
            .replace("at: 2 MiB", "at: 2097152")
            .replace("at: 4 MiB", "at: 4194304")
            .replace("at: 1 MiB", "at: 1048576");
        assert_eq!(sent(&text), expected, "{requirement}: {text}");
    }
    // Required by the prose, not by the table (AMB-30).
    let chunked = "{UploadMultipartPart: {vault: v, upload: u, range: {at: 0}, content: {pattern: 9}}, but: {framing: chunked}}";
    assert_eq!(world.expects(chunked), either(R::LengthMissing));
}

#[test]
fn the_ten_thousand_and_first_part_is_one_too_many() {
    let world = World::after(&[
        "CreateVault: {vault: v}",
        "InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}",
    ]);
    let numbered = |number: u64| world.expects(&part(&((number - 1) * 1_048_576).to_string(), "1"));
    assert_eq!(numbered(10_000), accept(), "UMP-LIMIT-001");
    assert_eq!(numbered(10_001), refuse(R::TooManyParts), "UMP-LIMIT-001");
}

#[test]
fn parts_make_an_archive_when_they_cover_it_and_only_the_last_is_short() {
    type Case = (
        &'static str,
        &'static [(&'static str, &'static str)],
        Expectation,
    );
    let cases: [Case; 7] = [
        (
            "CMU-STATUS-001",
            &[("0", "2 MiB"), ("2097152", "2 MiB")],
            accept(),
        ),
        ("CMU-SMALL-001", &[("0", "7")], accept()),
        (
            "UMP-ORDER-001",
            &[("2097152", "1"), ("0", "2 MiB")],
            accept(),
        ),
        ("CMU-EMPTY-001", &[], refuse(R::NoParts)),
        (
            "CMU-GAP-001",
            &[("0", "2 MiB"), ("4194304", "2 MiB")],
            refuse(R::PartsMissing),
        ),
        (
            "CMU-GAP-002",
            &[("2097152", "2 MiB")],
            refuse(R::PartsMissing),
        ),
        (
            "CMU-PART-001",
            &[("0", "1 MiB"), ("2097152", "2 MiB")],
            refuse(R::PartShort),
        ),
    ];
    for (requirement, parts, expected) in cases {
        assert_eq!(
            with_parts(parts).expects(COMPLETE),
            expected,
            "{requirement}"
        );
    }
}

#[test]
fn a_completion_tells_the_size_and_tree_hash_of_all_parts() {
    let world = with_parts(&[("0", "2 MiB"), ("2097152", "7")]);
    let complete = |claims: &str| {
        world.expects(&format!(
            "CompleteMultipartUpload: {{vault: v, upload: u, archive: a, {claims}}}"
        ))
    };
    let rows = [
        (
            "CMU-HASH-001",
            "tree_hash: flipped",
            refuse(R::TreeHashMismatch),
        ),
        (
            "CMU-HASH-001",
            "tree_hash: linear",
            refuse(R::TreeHashMismatch),
        ),
        (
            "CMU-HASH-003",
            "tree_hash: absent",
            refuse(R::TreeHashMissing),
        ),
        (
            "CMU-SIZE-001",
            "size: {off: -1}",
            refuse(R::ArchiveSizeMismatch),
        ),
        ("CMU-SIZE-001", "size: {literal: '2097159'}", accept()),
        (
            "CMU-SIZE-001",
            "size: {literal: '2097152'}",
            refuse(R::ArchiveSizeMismatch),
        ),
        (
            "CMU-SIZE-002",
            "size: absent",
            refuse(R::ArchiveSizeMissing),
        ),
        ("CMU-SIZE-001", "size: {literal: '+2097159'}", silent()),
        (
            "CMU-SIZE-003",
            "size: {literal: many}",
            refuse(R::ArchiveSizeMalformed),
        ),
        (
            "CMU-SIZE-003",
            "size: {literal: '-1'}",
            refuse(R::ArchiveSizeMalformed),
        ),
    ];
    for (requirement, claims, expected) in rows {
        assert_eq!(complete(claims), expected, "{requirement}: {claims}");
    }
}

#[test]
fn an_archive_is_its_parts_in_the_order_of_their_ranges() {
    let mut world = with_parts(&[("2097152", "7"), ("0", "2 MiB")]);
    world.plays(COMPLETE);
    let archive = &world.model.vaults["v"].archives["a"];
    let whole = [pattern(2 << 20), pattern(7)].concat();
    assert_eq!(archive.content.to_bytes(), whole, "CMU-CONTENT-001");
    assert_eq!(
        archive.tree_hash,
        crate::treehash::tree_hash(&whole),
        "TH-ALG-008"
    );
    assert_eq!(archive.description.as_deref(), Some("d"), "CMU-DESC-001");
}

/// Byte `i` is `(31 i + 7) mod 251`, as the payload vectors have it.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| ((31 * i + 7) % 251) as u8).collect()
}

#[test]
fn a_range_sent_again_replaces_the_earlier_data() {
    let mut world = with_parts(&[("0", "7")]);
    world.plays(
        "UploadMultipartPart: {vault: v, upload: u, range: {at: 0}, content: {text: renewed}}",
    );
    world.plays(COMPLETE);
    assert_eq!(
        world.model.vaults["v"].archives["a"].content.to_bytes(),
        b"renewed",
        "UMP-IDEM-001"
    );
}

#[test]
fn an_upload_that_failed_to_complete_stays_open() {
    let mut world = with_parts(&[("0", "2 MiB"), ("4194304", "7")]);
    assert_eq!(world.plays(COMPLETE), refuse(R::PartsMissing));
    assert_eq!(
        world.plays(&part("2097152", "2 MiB")),
        accept(),
        "CMU-RETRY-002"
    );
    assert_eq!(
        world.plays("CompleteMultipartUpload: {vault: v, upload: u, archive: a, size: {off: 1}}"),
        refuse(R::ArchiveSizeMismatch)
    );
    assert_eq!(world.plays(COMPLETE), accept(), "CMU-RETRY-001");
}

#[test]
fn a_completed_upload_is_over() {
    let mut world = with_parts(&[("0", "7")]);
    world.plays(COMPLETE);
    world.expects_rows(&[
        ("CMU-IDEM-001", COMPLETE, either(R::UploadCompleted)),
        (
            "CMU-AFTER-001",
            "ListParts: {vault: v, upload: u}",
            refuse(R::UploadCompleted),
        ),
        (
            "UMP-404-002",
            "UploadMultipartPart: {vault: v, upload: u, range: {at: 0}, content: {pattern: 7}}",
            refuse(R::UploadCompleted),
        ),
        (
            "AMU-DONE-001",
            "AbortMultipartUpload: {vault: v, upload: u}",
            refuse(R::UploadCompleted),
        ),
    ]);
    world.plays(COMPLETE);
    assert_eq!(world.model.live_archives().count(), 1, "CMU-IDEM-001");
}

#[test]
fn an_aborted_upload_is_over() {
    let mut world = with_parts(&[("0", "7")]);
    assert_eq!(
        world.plays("AbortMultipartUpload: {vault: v, upload: u}"),
        accept(),
        "AMU-STATUS-001"
    );
    world.expects_rows(&[
        (
            "AMU-IDEM-001",
            "AbortMultipartUpload: {vault: v, upload: u}",
            either(R::UploadAborted),
        ),
        (
            "AMU-EFFECT-001",
            "ListParts: {vault: v, upload: u}",
            refuse(R::UploadAborted),
        ),
        ("CMU-404-001", COMPLETE, refuse(R::UploadAborted)),
    ]);
}

#[test]
fn an_upload_belongs_to_its_vault() {
    let world = with_parts(&[("0", "7")]);
    world.expects_rows(&[
        (
            "LP-STATUS-001",
            "ListParts: {vault: v, upload: u}",
            accept(),
        ),
        (
            "LP-404-001",
            "ListParts: {vault: v, upload: '?u'}",
            refuse(R::UploadUnknown),
        ),
        (
            "LP-404-002",
            "ListParts: {vault: w, upload: u}",
            refuse(R::UploadForeign),
        ),
        (
            "AMU-404-001",
            "AbortMultipartUpload: {vault: v, upload: '?u'}",
            refuse(R::UploadUnknown),
        ),
        (
            "CMU-404-001",
            "CompleteMultipartUpload: {vault: v, upload: '?u', archive: a}",
            refuse(R::UploadUnknown),
        ),
        (
            "UMP-404-003",
            "UploadMultipartPart: {vault: w, upload: u, range: {at: 0}, content: {pattern: 7}}",
            refuse(R::UploadForeign),
        ),
        (
            "LMU-STATUS-001",
            "ListMultipartUploads: {vault: v}",
            accept(),
        ),
        (
            "LP-STATUS-001",
            "ListParts: {vault: v, upload: '=id-of-u'}",
            accept(),
        ),
    ]);
}

#[test]
fn an_upload_may_be_removed_after_a_day_without_activity() {
    let mut world = World::after(&OPEN);
    let list = "ListParts: {vault: v, upload: u}";
    world.later(20 * 3_600_000);
    world.plays(&part("0", "2 MiB"));
    world.later(20 * 3_600_000);
    world.expects_rows(&[("IMU-EXP-001", list, accept())]);
    let mut server = world.clone();
    world.later(5 * 3_600_000);
    world.expects_rows(&[("IMU-EXP-001", list, either(R::UploadUnknown))]);
    server.model.forget_expired(server.now);
    server.expects_rows(&[("IMU-EXP-001", list, accept())]);
    server.later(5 * 3_600_000);
    server.model.forget_expired(server.now);
    server.expects_rows(&[("IMU-EXP-001", list, refuse(R::UploadAborted))]);
}
