use serde_json::json;

use crate::check::by_hand::{Answer, Case, error, json, status};
use crate::payload::Payload;
use crate::requirement::Level;

/// The bytes of F1 from `start` to before `end`.
fn pattern(start: u64, end: u64) -> Vec<u8> {
    let mut bytes = vec![0; (end - start) as usize];
    Payload::Pattern { length: end }.read_at(start, &mut bytes);
    bytes
}

/// A vault with an archive of this size and a succeeded job for a range of it.
fn done(size: u64, range: Option<&str>) -> Case {
    let upload = format!("UploadArchive: {{vault: v, archive: a, content: {{pattern: {size}}}}}");
    let range = range.map_or(String::new(), |range| {
        format!(", RetrievalByteRange: {range}")
    });
    let body = format!("{{Type: archive-retrieval, ArchiveId: '${{archive:a}}'{range}}}");
    Case::default()
        .then("CreateVault: {vault: v}", status(201))
        .then(&upload, status(201).with("x-amz-archive-id", "A"))
        .then(
            &format!("InitiateJob: {{vault: v, job: j, body: {body}}}"),
            status(202).with("x-amz-job-id", "J"),
        )
        .then(
            "DescribeJob: {vault: v, job: j}",
            json(
                200,
                json!({"JobId": "J", "StatusCode": "Succeeded", "Completed": true}),
            ),
        )
}

fn whole(case: Case, bytes: Vec<u8>) -> Case {
    case.then("GetJobOutput: {vault: v, job: j}", status(200).bytes(bytes))
}

fn part(case: Case, range: &str, answer: Answer) -> Case {
    case.then(
        &format!("GetJobOutput: {{vault: v, job: j, range: '{range}'}}"),
        answer,
    )
}

fn partial(first: u64, last: u64, total: u64) -> Answer {
    status(206)
        .bytes(pattern(first, last + 1))
        .with("content-range", &format!("bytes {first}-{last}/{total}"))
}

#[test]
fn a_download_is_as_long_as_it_says() {
    let told = |length: &str| {
        let output = status(200).bytes(pattern(0, 5000));
        done(5000, None).then(
            "GetJobOutput: {vault: v, job: j}",
            output.with("content-length", length),
        )
    };
    assert!(told("5000").holds("GJO-SIZE-004"));
    let cut_off = told("5001").closed();
    assert_eq!(
        cut_off.breaks("GJO-SIZE-004"),
        [("content-length", Level::Must)]
    );
    assert_eq!(
        whole(done(5000, None), pattern(0, 5000)).breaks("GJO-SIZE-004"),
        [("length-missing", Level::Should)]
    );
}

#[test]
fn a_part_of_the_output_is_told_and_brought() {
    let case = part(
        whole(done(5000, None), pattern(0, 5000)),
        "bytes=10-19",
        partial(10, 19, 5000),
    );
    let case = part(case, "bytes=4990-9999", partial(4990, 4999, 5000));
    let case = part(case, "bytes=0-0", partial(0, 0, 5000));
    for requirement in [
        "GJO-STATUS-001",
        "GJO-SIZE-001",
        "IJ-AR-004",
        "GJO-STATUS-002",
        "GJO-SIZE-003",
        "GJO-RANGE-001",
        "GJO-RANGE-002",
        "GJO-RANGE-003",
        "GJO-RANGE-004",
        "GJO-RANGE-005",
        "GJO-RANGE-013",
    ] {
        assert!(
            case.holds(requirement),
            "{requirement}: {:?}",
            case.breaks(requirement)
        );
    }
}

#[test]
fn a_range_that_is_ignored_is_one_cause() {
    let case = part(
        whole(done(5000, None), pattern(0, 5000)),
        "bytes=10-19",
        status(200).bytes(pattern(0, 5000)),
    );
    for requirement in [
        "GJO-STATUS-002",
        "GJO-SIZE-003",
        "GJO-RANGE-001",
        "GJO-RANGE-002",
        "GJO-RANGE-003",
    ] {
        assert_eq!(
            case.breaks(requirement),
            [("range-ignored", Level::Must)],
            "{requirement}"
        );
    }
    assert!(case.holds("GJO-SIZE-001"));
}

#[test]
fn one_byte_too_few_is_named() {
    let short = status(206)
        .bytes(pattern(10, 19))
        .with("content-range", "bytes 10-18/5000");
    let case = part(done(5000, None), "bytes=10-19", short);
    assert_eq!(
        case.breaks("GJO-SIZE-003"),
        [("range-off-by-one", Level::Must)]
    );
    assert_eq!(
        case.breaks("GJO-RANGE-002"),
        [("content-range-wrong", Level::Must)]
    );
    assert!(case.holds("GJO-RANGE-003"));
}

#[test]
fn a_retrieval_range_that_is_ignored_is_another_cause() {
    const MIB: u64 = 1 << 20;
    let case = whole(done(2 * MIB, Some("1048576-2097151")), pattern(0, 2 * MIB));
    assert_eq!(
        case.breaks("GJO-SIZE-002"),
        [("retrieval-range-ignored", Level::Must)]
    );
    let case = part(case, "bytes=0-9", partial(0, 9, 2 * MIB));
    assert_eq!(
        case.breaks("GJO-RANGE-001"),
        [("retrieval-range-ignored", Level::Must)]
    );
    assert!(case.holds("GJO-STATUS-002") && case.holds("GJO-SIZE-003"));
}

#[test]
fn a_damaged_archive_does_not_echo_in_its_parts() {
    let case = whole(done(5000, None), b"other bytes".to_vec());
    assert_eq!(
        case.breaks("GJO-SIZE-001"),
        [("archive-damaged", Level::Must)]
    );
    assert_eq!(
        case.breaks("UA-DUR-001"),
        [("archive-damaged", Level::Must)]
    );
    let right = status(206)
        .bytes(b"other".to_vec())
        .with("content-range", "bytes 0-4/11");
    let case = part(
        part(case, "bytes=0-4", right),
        "bytes=100-109",
        error(400, "InvalidParameterValueException"),
    );
    assert!(case.holds("GJO-SIZE-003") && case.holds("GJO-RANGE-003"));
    assert!(case.breaks("GJO-STATUS-002").is_empty());
}

#[test]
fn pieces_make_up_the_output() {
    let case = part(
        whole(done(30, None), pattern(0, 30)),
        "bytes=0-9",
        partial(0, 9, 30),
    );
    let case = part(
        part(case, "bytes=10-19", partial(10, 19, 30)),
        "bytes=20-29",
        partial(20, 29, 30),
    );
    assert!(case.holds("GJO-RANGE-012"));
    let case = part(
        part(done(20, None), "bytes=0-9", partial(1, 10, 20)),
        "bytes=10-19",
        partial(10, 19, 20),
    );
    assert_eq!(
        case.breaks("GJO-RANGE-012"),
        [("range-off-by-one", Level::Must)]
    );
}

#[test]
fn a_valid_download_that_crashes_is_no_matter_of_its_bytes() {
    let case = part(done(5000, None), "bytes=0-9", status(500));
    assert_eq!(case.breaks("GJO-STATUS-002"), [("crashed", Level::Must)]);
    assert!(case.said("GJO-SIZE-003").is_empty());
}
