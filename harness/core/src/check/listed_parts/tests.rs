//! Lists of parts, right and wrong.

use serde_json::json;

use super::super::Group;
use super::super::by_hand::{Answer, Case, error, json, status};
use crate::requirement::Level;

const LIST: &str = "ListParts: {vault: v, upload: u}";
/// SHA-256 of `abc` (FIPS 180-2, B.1) and of nothing.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn begun() -> Case {
    let begin = "InitiateMultipartUpload: {vault: v, upload: u, part_size: \"1048576\"}";
    let case = Case::default().then("CreateVault: {vault: v}", status(201));
    case.then(begin, status(201).with("x-amz-multipart-upload-id", "U"))
}

fn part(at: u64, text: &str) -> String {
    format!(
        "UploadMultipartPart: {{vault: v, upload: u, content: {{text: {text}}}, range: {{at: {at}}}}}"
    )
}

fn list(parts: &[(&str, &str)], marker: Option<&str>) -> Answer {
    let item =
        |(range, hash): &(&str, &str)| json!({"RangeInBytes": range, "SHA256TreeHash": hash});
    let parts: Vec<_> = parts.iter().map(item).collect();
    json(
        200,
        json!({"MultipartUploadId": "U", "PartSizeInBytes": 1048576, "Parts": parts, "Marker": marker}),
    )
}

#[test]
fn a_part_is_listed_by_its_inclusive_range_and_hash() {
    let case = |answer| {
        begun()
            .then(&part(0, "abc"), status(204))
            .then(LIST, answer)
    };
    let right = case(list(&[("0-2", ABC)], None));
    assert!(right.holds("LP-PARTS-001") && right.holds("LP-PARTS-002"));
    assert_eq!(
        case(list(&[("bytes 0-2/*", ABC)], None)).breaks("LP-PARTS-001"),
        [("part-range-form", Level::Must)]
    );
    assert_eq!(
        case(list(&[("0-3", ABC)], None)).breaks("LP-PARTS-001")[0],
        ("part-range-wrong", Level::Must)
    );
    assert_eq!(
        case(list(&[("0-2", NOTHING)], None)).breaks("LP-PARTS-002"),
        [("tree-hash-wrong", Level::Must)]
    );
    assert_eq!(
        case(list(&[], None)).breaks("LP-PARTS-001"),
        [("parts-dropped", Level::Must)]
    );
    assert!(
        case(list(&[], Some("m"))).breaks("LP-PARTS-001").is_empty(),
        "it may stand on the next page"
    );
}

#[test]
fn the_later_data_of_a_range_count() {
    let case = |hash| {
        begun()
            .then(&part(0, "xyz"), status(204))
            .then(&part(0, "abc"), status(204))
            .then(LIST, list(&[("0-2", hash)], None))
    };
    assert!(case(ABC).holds("UMP-IDEM-001"));
    let xyz = crate::treehash::sha256(b"xyz").to_string();
    assert_eq!(
        case(&xyz).breaks("UMP-IDEM-001"),
        [("part-not-replaced", Level::Must)]
    );
    assert_eq!(
        case(&xyz).breaks("LP-PARTS-002"),
        [("part-not-replaced", Level::Must)]
    );
}

#[test]
fn a_refused_part_is_not_listed() {
    let wrong = "UploadMultipartPart: {vault: v, upload: u, content: {text: abc}, range: {at: 0}, tree_hash: flipped}";
    let case = |answer| {
        begun()
            .then(wrong, error(400, "InvalidParameterValueException"))
            .then(LIST, answer)
    };
    assert!(case(list(&[], None)).holds("LP-PARTS-003"));
    let stored = case(list(&[("0-2", ABC)], None));
    assert_eq!(
        stored.breaks("LP-PARTS-003"),
        [("refused-part-stored", Level::Must)]
    );
    assert_eq!(
        stored.breaks("UMP-HASH-001"),
        [("refused-part-stored", Level::Must)]
    );
}

#[test]
fn an_unfinished_part_is_not_listed() {
    let slow = part(0, "abc");
    let case = |answer| begun().together(Group::During, vec![(LIST, answer), (&slow, status(204))]);
    assert!(case(list(&[], None)).holds("LP-PARTS-003"));
    assert_eq!(
        case(list(&[("0-2", ABC)], None)).breaks("LP-PARTS-003"),
        [("unfinished-part-listed", Level::Must)]
    );
}

#[test]
fn parts_are_sorted_by_number_and_not_as_text() {
    let case = |answer| begun().then(LIST, answer);
    assert!(
        case(list(
            &[("2097152-2097153", ABC), ("10485760-10485761", ABC)],
            None
        ))
        .holds("LP-ORDER-001")
    );
    let text = case(list(
        &[("10485760-10485761", ABC), ("2097152-2097153", ABC)],
        None,
    ));
    assert_eq!(
        text.breaks("LP-ORDER-001"),
        [("parts-unsorted", Level::Must)]
    );
}

#[test]
fn a_page_of_one_needs_a_marker_when_more_exist() {
    let one = "ListParts: {vault: v, upload: u, page: {limit: \"1\"}}";
    let case = |answer| {
        begun()
            .then(&part(0, "abc"), status(204))
            .then(&part(1 << 20, "abc"), status(204))
            .then(one, answer)
    };
    assert!(case(list(&[("0-2", ABC)], Some("m"))).holds("LP-LIMIT-002"));
    assert!(
        case(list(&[("0-2", ABC)], None))
            .breaks("LP-LIMIT-002")
            .contains(&("marker-missing", Level::Must))
    );
    let both = case(list(&[("0-2", ABC), ("1048576-1048578", ABC)], None));
    assert!(
        both.breaks("LP-LIMIT-002")
            .contains(&("page-too-large", Level::Must))
    );
}

#[test]
fn fifty_one_parts_fill_a_page_of_fifty_or_of_a_thousand() {
    let full = || {
        (0..51).fold(begun(), |case, i| {
            case.then(&part(i << 20, "abc"), status(204))
        })
    };
    let ranges: Vec<String> = (0..51u64)
        .map(|i| format!("{}-{}", i << 20, (i << 20) + 2))
        .collect();
    let items: Vec<(&str, &str)> = ranges.iter().map(|range| (range.as_str(), ABC)).collect();
    assert!(
        full()
            .then(LIST, list(&items[..50], Some("m")))
            .holds("LP-LIMIT-001")
    );
    assert_eq!(
        full().then(LIST, list(&items, None)).breaks("LP-LIMIT-001"),
        [("page-too-large", Level::Should)]
    );
    assert_eq!(
        full()
            .then(LIST, list(&items[..50], None))
            .breaks("LP-LIMIT-001"),
        [("marker-missing", Level::Must)]
    );
}
