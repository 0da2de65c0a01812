use std::collections::BTreeSet;

use super::*;
use crate::range::ByteRange;
use crate::treehash::{MIB, sha256};

fn generated(seed: u64, length: u64) -> Content {
    Content::from(Payload::Generated { seed, length })
}

fn range(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start, end).unwrap()
}

fn from_yaml(text: &str) -> Result<Content, String> {
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn no_two_mebibytes_within_the_period_are_equal_nor_those_of_two_seeds() {
    let leaves = [0, 1, u64::MAX].map(|seed| generated(seed, 251 * MIB).leaves());
    let distinct: BTreeSet<_> = leaves.iter().flatten().collect();
    assert_eq!(distinct.len(), 3 * 251);
}

#[test]
fn generated_content_repeats_after_251_mebibytes() {
    let archive = generated(7, 1000 * MIB);
    let first = archive.slice(range(5, 2 * MIB));
    assert_eq!(archive.slice(range(251 * MIB + 5, 253 * MIB)), first);
    assert_ne!(archive.slice(range(250 * MIB + 5, 252 * MIB)), first);
}

#[test]
fn contents_are_equal_when_their_bytes_are() {
    let text = |text: &str| Content::from(Payload::Text(text.into()));
    assert_eq!(Content::concat(&[text("ab"), text("c")]), text("abc"));
    assert_ne!(Content::concat(&[text("ab"), text("d")]), text("abc"));
    assert_ne!(text("ab"), text("abc"));
    assert_eq!(
        Content::from(Payload::Zeros { length: 3 }),
        Content::from(&[0, 0, 0][..])
    );
    assert_eq!(
        generated(7, 3 * MIB),
        Content::from(generated(7, 3 * MIB).to_bytes())
    );
    assert_eq!(text(""), Content::empty());
}

#[test]
fn huge_contents_are_compared_without_reading_them() {
    let archive = generated(7, 40 << 40);
    let parts: Vec<Content> = ByteRange::parts(40 << 40, 4 << 30)
        .map(|part| archive.slice(part))
        .collect();
    let joined = Content::concat(&parts);
    assert_eq!(joined, archive);
    assert_eq!(joined.segments().count(), 1);
    let swapped = Content::concat(&[parts[1].clone(), parts[0].clone()]);
    assert_ne!(swapped, archive.slice(range(0, 8 << 30)));
}

#[test]
fn parts_that_are_recognised_one_by_one_become_one_archive_again() {
    let archive = generated(7, 600 * MIB + 17);
    let recognised = |part: ByteRange| {
        let mut recognizer = Recognizer::new();
        assert!(recognizer.feed(&archive.slice(part).to_bytes()));
        recognizer.finish().unwrap()
    };
    let last_parts = [
        range(512 * MIB, 576 * MIB),
        range(576 * MIB, 600 * MIB + 17),
    ];
    let tail = Content::concat(&last_parts.map(recognised));
    let stored = Content::concat(&[archive.slice(range(0, 512 * MIB)), tail]);
    assert_eq!(stored.segments().count(), 1);
    assert_eq!(stored, archive);
}

#[test]
fn the_pattern_and_zeros_are_recognised_from_wherever_they_start() {
    for whole in [
        Payload::Pattern { length: 9 * MIB },
        Payload::Zeros { length: 9 * MIB },
    ] {
        let part = Content::from(whole).slice(range(3 * MIB + 1, 5 * MIB));
        let mut bytes = part.to_bytes();
        let mut recognizer = Recognizer::new();
        assert!(recognizer.feed(&bytes));
        assert_eq!(recognizer.finish(), Some(part));
        *bytes.last_mut().unwrap() ^= 1;
        assert!(!Recognizer::new().feed(&bytes));
    }
}

#[test]
fn an_intake_keeps_what_follows_no_formula_and_nothing_else() {
    let mut intake = Intake::new();
    let described = generated(3, 2 * MIB).to_bytes();
    intake.feed(&described);
    assert_eq!(intake.held(), 0);
    intake.feed(b"then something else");
    assert_eq!(intake.held(), 19);
    let content = intake.finish();
    assert_eq!(
        content.to_bytes(),
        [&described[..], b"then something else"].concat()
    );
    assert_eq!(content.segments().count(), 2);
}

#[test]
fn what_is_joined_of_many_stretches_hashes_like_its_bytes() {
    let stretches = [
        generated(1, 300 * MIB + 5).slice(range(MIB + 7, 4 * MIB)),
        Content::from(Payload::Pattern {
            length: 3 * MIB - 9,
        })
        .slice(range(100, 2 * MIB)),
        Content::from(vec![42; 1_234_567]).slice(range(1, 1_200_000)),
        Content::from(Payload::Zeros { length: 5 * MIB }),
    ];
    let joined = Content::concat(&stretches);
    let bytes = joined.to_bytes();
    assert_eq!(joined.sha256(), sha256(&bytes));
    assert_eq!(joined.hashed(), Content::from(bytes).hashed());
}

#[test]
fn contents_are_written_as_payloads_slices_and_lists() {
    for (yaml, length) in [
        ("pattern: 6.5 MiB\n", 6_815_744),
        ("text: |\n  test\n", 5),
        ("slice: 2-3\nof:\n  zeros: 10\n", 2),
        ("bytes: 00ff\n", 2),
        (
            "- generated:\n    seed: 7\n    length: 1 MiB + 1\n- text: ab\n",
            1_048_579,
        ),
        ("[]\n", 0),
    ] {
        let content = from_yaml(yaml).unwrap();
        assert_eq!(content.length(), length, "{yaml}");
        let written = serde_yaml::to_string(&content).unwrap();
        assert_eq!(from_yaml(&written).unwrap(), content, "{written}");
    }
    let archive = generated(7, 40 << 40).slice(range(300 * MIB, 301 * MIB));
    let written = serde_yaml::to_string(&archive).unwrap();
    let within_the_period =
        "slice: 51380224-52428799\nof:\n  generated:\n    seed: 7\n    length: 50 MiB\n";
    assert_eq!(written, within_the_period);
}

#[test]
fn what_is_no_content_is_refused_with_the_reason() {
    for (yaml, reason) in [
        ("{}", "one of generated, pattern, zeros, text and bytes"),
        (
            "{zeros: 1, text: a}",
            "one of generated, pattern, zeros, text and bytes",
        ),
        (
            "{slice: 0-1}",
            "one of generated, pattern, zeros, text and bytes",
        ),
        (
            "{slice: 0-1, of: {zeros: 9}, text: a}",
            "one of generated, pattern",
        ),
        ("{slice: 0-9, of: {zeros: 9}}", "within the 9 bytes"),
        ("{slice: 5-4, of: {zeros: 9}}", "no range first-last"),
        ("{bytes: 0f0}", "hexadecimal"),
        ("{bytes: +f}", "hexadecimal"),
        ("{pattern: 3 MB}", "number of bytes"),
        ("{patern: 3}", "unknown field"),
        ("{generated: {seed: 1}}", "missing field `length`"),
        ("7", "a payload, a slice of one, or a list"),
        ("[{zeros: 16777216 TiB - 1}, {zeros: 1}]", "64 bits"),
    ] {
        let error = from_yaml(yaml).unwrap_err();
        assert!(error.contains(reason), "{yaml}: {error}");
    }
}

#[test]
fn what_is_printed_for_debugging_is_short() {
    let payload = Payload::Bytes(vec![1; 100_000].into());
    assert_eq!(format!("{payload:?}"), "Bytes(100000)");
    let text = Payload::Text("x".repeat(1000));
    assert_eq!(format!("{text:?}"), "Text(1000)");
    let seeded = Payload::Generated {
        seed: 7,
        length: MIB + 1,
    };
    assert_eq!(format!("{seeded:?}"), "Generated(7, 1 MiB + 1)");
    let pieces: Vec<Content> = (0..100).map(|seed| generated(seed, MIB)).collect();
    assert!(format!("{:?}", Content::concat(&pieces)).len() < 120);
}

#[test]
#[should_panic(expected = "not all in Zeros(10)")]
fn reading_a_payload_beyond_its_end_is_a_bug() {
    Payload::Zeros { length: 10 }.read_at(9, &mut [0; 2]);
}

#[test]
#[should_panic(expected = "5-10 is not inside 10 bytes")]
fn cutting_a_content_beyond_its_end_is_a_bug() {
    generated(1, 10).slice(range(5, 11));
}

#[test]
fn what_is_recalled_is_what_was_computed() {
    let content = generated(7, 6815744);
    for part in [range(0, 6815744), range(1 << 20, 3 << 20), range(5, 1000)] {
        let hash = content.tree_hash_of(part);
        assert_eq!(content.recall_tree_hash_of(part), hash);
        assert_eq!(content.clone().recall_tree_hash_of(part), hash, "and again");
    }
}
