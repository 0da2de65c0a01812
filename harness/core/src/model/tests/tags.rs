//! Tags: keys, values, and how many.

use serde_json::{Map, json};

use super::{World, accept, either, refuse, silent};
use crate::model::{Expectation, Refusal as R};

fn numbered(range: std::ops::Range<usize>) -> String {
    let tags: Map<_, _> = range.map(|n| (format!("k{n}"), json!("v"))).collect();
    json!({"AddTagsToVault": {"vault": "v", "body": {"Tags": tags}}}).to_string()
}

/// A vault with this many tags.
fn holding(count: usize) -> World {
    let mut world = World::after(&["CreateVault: {vault: v}"]);
    for first in (0..count).step_by(10) {
        world.plays(&numbered(first..count.min(first + 10)));
    }
    world
}

fn tagged(key: &str, value: &str) -> Expectation {
    let step = json!({"AddTagsToVault": {"vault": "v", "body": {"Tags": {key: value}}}});
    holding(0).expects(&step.to_string())
}

#[test]
fn a_key_has_1_to_128_characters_and_a_value_up_to_255() {
    let e = "\u{e9}";
    for (requirement, key, value, expected) in [
        ("ATV-VALUE-001", "k".to_owned(), String::new(), accept()),
        ("ATV-VALUE-002", "k".to_owned(), "x".repeat(255), accept()),
        ("ATV-VALUE-002", "k".to_owned(), "x".repeat(256), silent()),
        (
            "ATV-VALUE-002",
            "k".to_owned(),
            "x".repeat(257),
            refuse(R::TagValueLength),
        ),
        ("ATV-KEY-001", "k".repeat(128), "v".to_owned(), accept()),
        (
            "ATV-KEY-001",
            String::new(),
            "v".to_owned(),
            refuse(R::TagKeyLength),
        ),
        (
            "ATV-KEY-001",
            "k".repeat(129),
            "v".to_owned(),
            refuse(R::TagKeyLength),
        ),
        ("ATV-KEY-005", e.repeat(128), e.repeat(255), accept()),
        (
            "ATV-KEY-002",
            "aws:k".to_owned(),
            "v".to_owned(),
            refuse(R::TagKeyReserved),
        ),
        (
            "ATV-KEY-003",
            "Größe _./=+-@9".to_owned(),
            "値".to_owned(),
            accept(),
        ),
        (
            "ATV-KEY-004",
            "k".to_owned(),
            "a*b".to_owned(),
            refuse(R::TagCharacters),
        ),
        (
            "ATV-KEY-004",
            "a\nb".to_owned(),
            "v".to_owned(),
            refuse(R::TagCharacters),
        ),
        ("ATV-KEY-004", "a:b".to_owned(), "v".to_owned(), silent()),
    ] {
        assert_eq!(
            tagged(&key, &value),
            expected,
            "{requirement}: {key:?} {value:?}"
        );
    }
}

#[test]
fn a_vault_holds_10_tags_for_certain_and_never_more_than_50() {
    assert_eq!(
        holding(9).expects(&numbered(9..10)),
        accept(),
        "ATV-LIMIT-010"
    );
    assert_eq!(
        holding(10).expects(&numbered(10..11)),
        either(R::TagLimitExceeded),
        "ATV-LIMIT-001"
    );
    assert_eq!(
        holding(49).expects(&numbered(49..50)),
        either(R::TagLimitExceeded),
        "ATV-LIMIT-001"
    );
    assert_eq!(
        holding(50).expects(&numbered(50..51)),
        refuse(R::TagLimitExceeded),
        "ATV-LIMIT-002"
    );
    assert_eq!(
        holding(50).expects(&numbered(0..10)),
        accept(),
        "ATV-LIMIT-003"
    );
}

#[test]
fn a_request_carries_1_to_10_tags() {
    assert_eq!(
        holding(0).expects(&numbered(0..0)),
        refuse(R::TagCountInvalid),
        "ATV-LIMIT-004"
    );
    assert_eq!(
        holding(0).expects(&numbered(0..10)),
        accept(),
        "ATV-LIMIT-004"
    );
    let many = Expectation::Refuse(vec![R::TagCountInvalid, R::TagLimitExceeded]);
    assert_eq!(holding(0).expects(&numbered(0..11)), many, "ATV-LIMIT-004");
}

#[test]
fn the_parameter_operation_decides_and_bodies_must_say_something() {
    holding(3).expects_rows(&[
        (
            "ATV-OP-001",
            "{AddTagsToVault: {vault: v, body: {Tags: {k: v}}}, but: {query: {operation: ~}}}",
            refuse(R::TagOperationInvalid),
        ),
        (
            "ATV-OP-001",
            "{AddTagsToVault: {vault: v, body: {Tags: {k: v}}}, but: {query: {operation: set}}}",
            refuse(R::TagOperationInvalid),
        ),
        (
            "ATV-MISS-001",
            "AddTagsToVault: {vault: v, body: {}}",
            refuse(R::TagsMissing),
        ),
        (
            "ATV-MISS-001",
            "AddTagsToVault: {vault: v}",
            refuse(R::TagsMissing),
        ),
        (
            "COM-ERR-010",
            "AddTagsToVault: {vault: v, body: '{\"Tags\":'}",
            refuse(R::JsonMalformed),
        ),
        (
            "RTV-STATUS-001",
            "RemoveTagsFromVault: {vault: v, body: {TagKeys: [k1]}}",
            accept(),
        ),
        (
            "RTV-IDEM-001",
            "RemoveTagsFromVault: {vault: v, body: {TagKeys: [other]}}",
            accept(),
        ),
        (
            "RTV-LIMIT-001",
            "RemoveTagsFromVault: {vault: v, body: {TagKeys: []}}",
            refuse(R::TagKeyCountInvalid),
        ),
        (
            "RTV-LIMIT-001",
            "RemoveTagsFromVault: {vault: v, body: {TagKeys: [a, b, c, d, e, f, g, h, i, j, k]}}",
            refuse(R::TagKeyCountInvalid),
        ),
        // The example on the page says `TagsKeys`; the field is `TagKeys` (AMB-14).
        (
            "RTV-STATUS-001",
            "RemoveTagsFromVault: {vault: v, body: {TagsKeys: [k1]}}",
            refuse(R::TagKeysMissing),
        ),
        ("LTV-STATUS-001", "ListTagsForVault: {vault: v}", accept()),
    ]);
}

#[test]
fn tags_are_merged_overwritten_and_removed() {
    let world = World::after(&[
        "CreateVault: {vault: v}",
        "AddTagsToVault: {vault: v, body: {Tags: {a: '1', A: '2', b: '3'}}}",
        "AddTagsToVault: {vault: v, body: {Tags: {a: '4', c: '5'}}}",
        "RemoveTagsFromVault: {vault: v, body: {TagKeys: [b, d]}}",
    ]);
    let tags: Vec<_> = world.model.vaults["v"]
        .tags
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    // ATV-MERGE-001, ATV-OVER-001, ATV-CASE-001, RTV-STATUS-001.
    assert_eq!(tags, [("A", "2"), ("a", "4"), ("c", "5")]);
}
