//! Rules for the tree hash that a description of a retrieval tells: there for nodes of the tree of the archive, and only for them.

use serde_json::Value;

use super::describe_job::{retrieval_described, state};
use super::jobs::{Retrieval, begun, given, null_job_hashes, retrieval_range_ignored};
use super::shape::{brief, shorten};
use super::subject::earlier;
use super::treehash::wrong_hash;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::payload::Content;
use crate::range::{ByteRange, parse_retrieval_range};
use crate::treehash::{Digest, MIB, tree_hash_aligned};

/// Tree hashes of jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "job-hash",
        &[
            "DJ-AR-006",
            "DJ-AR-007",
            "DJ-AR-012",
            "TH-RANGE-001",
            "TH-RANGE-003",
            "TH-RANGE-004",
            "IJ-RANGE-009",
        ],
        judge_hash,
    ),
    Check::new(
        "job-hash-absent",
        &["DJ-AR-008", "TH-RANGE-001", "TH-RANGE-003"],
        judge_unaligned,
    ),
    Check::new("job-hash-in-progress", &["DJ-AR-009"], judge_in_progress),
    Check::new("job-hash-by-structure", &["TH-RANGE-005"], judge_structure),
];

/// Whether the range is a node at the end of the tree that is not full.
pub(super) fn is_ragged(range: ByteRange, size: u64) -> bool {
    tree_hash_aligned(range, size)
        && range.end == size
        && !(range.len().is_multiple_of(MIB) && (range.len() / MIB).is_power_of_two())
}

/// Whether equal leaves let a range that is no node have the tree hash of one.
pub(super) fn looks_like_a_node(content: &Content, range: ByteRange) -> bool {
    let (size, length) = (content.length(), range.len());
    if tree_hash_aligned(range, size)
        || !length.is_multiple_of(MIB)
        || !(length / MIB).is_power_of_two()
    {
        return false;
    }
    let node = ByteRange {
        start: range.start - range.start % length,
        end: range.start - range.start % length + length,
    };
    node.end <= size && content.recall_tree_hash_of(node) == content.recall_tree_hash_of(range)
}

/// The symptom of a hash that is not that of the range retrieved.
fn wrong_job_hash(retrieval: Retrieval<'_>, told: &str) -> Symptom {
    if !retrieval.is_whole() && told.parse() == Ok(retrieval.tree_hash) {
        return Symptom::new(
            "archive-hash-on-part",
            "a part of an archive is told with the tree hash of the whole",
        );
    }
    wrong_hash(&retrieval.content.slice(retrieval.range), told)
}

/// Whether the description shows that the range asked for was not even read.
fn range_lost(document: &Value, retrieval: Retrieval<'_>) -> bool {
    let told = given(document, "/RetrievalByteRange")
        .and_then(Value::as_str)
        .and_then(parse_retrieval_range);
    !retrieval.is_whole() && (told.is_none() || told == ByteRange::whole(retrieval.size()))
}

fn missing(document: &Value, retrieval: Retrieval<'_>) -> Symptom {
    if range_lost(document, retrieval) && given(document, "/ArchiveSHA256TreeHash").is_some() {
        retrieval_range_ignored()
    } else {
        null_job_hashes()
    }
}

fn starts_odd(range: ByteRange) -> bool {
    (range.start / MIB) % 2 == 1
}

/// The rules that a succeeded job with a range that is a node is an example of.
fn illustrated(retrieval: Retrieval<'_>, explicit: bool) -> Vec<&'static str> {
    let range = retrieval.range;
    let ragged = is_ragged(range, retrieval.size());
    let examples = [
        ("DJ-AR-006", retrieval.is_whole()),
        ("IJ-RANGE-009", retrieval.is_whole() && explicit),
        ("DJ-AR-007", !retrieval.is_whole() && !ragged),
        ("DJ-AR-012", !retrieval.is_whole() && ragged),
        ("TH-RANGE-001", true),
        ("TH-RANGE-003", starts_odd(range)),
        ("TH-RANGE-004", ragged && retrieval.size() > MIB),
    ];
    examples
        .into_iter()
        .filter(|(_, applies)| *applies)
        .map(|(requirement, _)| requirement)
        .collect()
}

fn succeeded<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Value, Retrieval<'a>)> {
    retrieval_described(evidence).filter(|(_, document, _)| state(document) == Some("Succeeded"))
}

fn judge_hash(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document, retrieval)) = succeeded(evidence) else {
        return;
    };
    if !tree_hash_aligned(retrieval.range, retrieval.size()) {
        return;
    }
    let right = retrieval.content.recall_tree_hash_of(retrieval.range);
    let explicit = begun(now, earlier(evidence))
        .is_some_and(|began| super::jobs::asked_range(began).is_some());
    let told = given(document, "/SHA256TreeHash").and_then(Value::as_str);
    for requirement in illustrated(retrieval, explicit) {
        let expected = format!("SHA256TreeHash: {right}");
        let structural = requirement.starts_with("TH-RANGE");
        match told {
            // A ragged last node without hash is tolerated here; TH-RANGE-004 demands it (AMB-07).
            None if requirement == "DJ-AR-012" => {}
            None => out.violated(
                requirement,
                missing(document, retrieval),
                expected,
                "null or absent",
            ),
            // That it is there is what the structure demands; what it is stands in the other rules.
            Some(told) if structural && told.parse::<Digest>().is_ok() => out.held(requirement),
            Some(told) => {
                let kept = told.parse::<Digest>() == Ok(right);
                out.judge(
                    requirement,
                    kept,
                    || wrong_job_hash(retrieval, told),
                    expected,
                    || shorten(told),
                );
            }
        }
    }
}

fn judge_unaligned(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document, retrieval)) = retrieval_described(evidence) else {
        return;
    };
    if tree_hash_aligned(retrieval.range, retrieval.size()) {
        return;
    }
    let told = given(document, "/SHA256TreeHash");
    let symptom = || {
        if range_lost(document, retrieval) {
            retrieval_range_ignored()
        } else {
            Symptom::new(
                "hash-of-unaligned-range",
                "a range that is no node of the hash tree gets a tree hash",
            )
        }
    };
    let done = state(document) == Some("Succeeded");
    // A null that stands for every hash says nothing about alignment.
    let tells_hashes = given(document, "/ArchiveSHA256TreeHash").is_some();
    let requirements = [
        ("DJ-AR-008", true),
        ("TH-RANGE-001", done),
        ("TH-RANGE-003", done && starts_odd(retrieval.range)),
    ];
    for (requirement, _) in requirements.into_iter().filter(|(_, applies)| *applies) {
        if told.is_some() || tells_hashes {
            let expected = format!("no SHA256TreeHash for {}", retrieval.range);
            out.judge(requirement, told.is_none(), symptom, expected, || {
                brief(told.unwrap_or(&Value::Null))
            });
        }
    }
}

/// While a whole archive is being retrieved its hash may be there already, but no other.
fn judge_in_progress(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document, retrieval)) = retrieval_described(evidence) else {
        return;
    };
    if state(document) != Some("InProgress") || !retrieval.is_whole() {
        return;
    }
    let told = given(document, "/SHA256TreeHash").and_then(Value::as_str);
    let kept = told.is_none_or(|told| told.parse() == Ok(retrieval.tree_hash));
    let expected = "null, or the tree hash of the archive";
    out.judge(
        "DJ-AR-009",
        kept,
        || wrong_hash(retrieval.content, told.unwrap_or_default()),
        expected,
        || shorten(told.unwrap_or_default()),
    );
}

/// Equal bytes elsewhere do not make a range a node.
fn judge_structure(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document, retrieval)) = succeeded(evidence) else {
        return;
    };
    if !looks_like_a_node(retrieval.content, retrieval.range) {
        return;
    }
    let told = given(document, "/SHA256TreeHash");
    let symptom = || {
        Symptom::new(
            "alignment-by-value",
            "equal hashes are taken for tree-hash alignment",
        )
    };
    out.judge(
        "TH-RANGE-005",
        told.is_none(),
        symptom,
        "no SHA256TreeHash",
        || brief(told.unwrap_or(&Value::Null)),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, json, status};
    use super::*;
    use crate::payload::Payload;
    use crate::requirement::Level;

    fn mebibytes(start: u64, end: u64) -> ByteRange {
        ByteRange {
            start: start * MIB,
            end: end * MIB,
        }
    }

    /// The 28 ranges of section 5.2 of the vectors: three nodes end with the ragged archive, and none of them is a full node.
    #[test]
    fn ragged_nodes_of_six_and_a_half_mebibytes_are_those_that_end_with_it() {
        let size = 13 * MIB / 2;
        let to_the_end = |start: u64| ByteRange {
            start: start * MIB,
            end: size,
        };
        let ragged: Vec<u64> = (0..7)
            .filter(|&start| is_ragged(to_the_end(start), size))
            .collect();
        assert_eq!(ragged, [0, 4, 6]);
        assert!(!is_ragged(mebibytes(4, 6), size));
        assert!(!is_ragged(mebibytes(4, 8), 8 * MIB));
    }

    #[test]
    fn only_equal_leaves_make_an_unaligned_range_look_like_a_node() {
        let zeros = Content::from(Payload::Zeros {
            length: 13 * MIB / 2,
        });
        let pattern = Content::from(Payload::Pattern {
            length: 13 * MIB / 2,
        });
        assert!(looks_like_a_node(&zeros, mebibytes(1, 3)));
        assert!(!looks_like_a_node(&zeros, mebibytes(2, 4)));
        assert!(!looks_like_a_node(&zeros, mebibytes(1, 4)));
        assert!(!looks_like_a_node(&pattern, mebibytes(1, 3)));
    }

    /// A succeeded job for a range of the 6.5 MiB of F1, described with this hash.
    fn told(range: &str, hash: Value) -> Case {
        let body = format!(
            "{{Type: archive-retrieval, ArchiveId: '${{archive:a}}', RetrievalByteRange: {range}}}"
        );
        let document = json!({
            "JobId": "J", "StatusCode": "Succeeded", "Completed": true, "RetrievalByteRange": range, "SHA256TreeHash": hash,
            "ArchiveSHA256TreeHash": ARCHIVE,
        });
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(
                "UploadArchive: {vault: v, archive: a, content: {pattern: 6.5 MiB}}",
                status(201).with("x-amz-archive-id", "A"),
            )
            .then(
                &format!("InitiateJob: {{vault: v, job: j, body: {body}}}"),
                status(202).with("x-amz-job-id", "J"),
            )
            .then("DescribeJob: {vault: v, job: j}", json(200, document))
    }

    const ARCHIVE: &str = "6fc4d8ad8ecc22fbf0ac660a58411cf4892593862a9a31bab040264b99949386";

    /// Rows of section 5.2 of the vectors.
    #[test]
    fn a_hash_is_told_for_nodes_and_for_nothing_else() {
        let node = told(
            "1048576-2097151",
            json!("d50d98efacff4cc59dedce2c1b0add120d2c6264418cc699883fa1fd389ac7a9"),
        );
        assert!(
            node.holds("DJ-AR-007") && node.holds("TH-RANGE-001") && node.holds("TH-RANGE-003")
        );
        let ragged = told(
            "4194304-6815743",
            json!("b1e7f3ff5a4f5852cc1b5211050dc0ad9665df5e48cbe893f56c21f5491046d5"),
        );
        assert!(ragged.holds("DJ-AR-012") && ragged.holds("TH-RANGE-004"));
        let none = told("1048576-3145727", Value::Null);
        assert!(
            none.holds("DJ-AR-008") && none.holds("TH-RANGE-001") && none.holds("TH-RANGE-003")
        );
        let undue = told(
            "1048576-3145727",
            json!("cad245ffaa53c56105754684bb6af1aa8a9972df3d4fb17e00cad6081b154f1d"),
        );
        assert_eq!(
            undue.breaks("DJ-AR-008"),
            [("hash-of-unaligned-range", Level::Must)]
        );
    }

    #[test]
    fn the_wrong_hash_of_a_range_is_named() {
        assert_eq!(
            told("1048576-2097151", json!(ARCHIVE)).breaks("DJ-AR-007"),
            [("archive-hash-on-part", Level::Must)]
        );
        assert_eq!(
            told("1048576-2097151", Value::Null).breaks("DJ-AR-007"),
            [("null-job-hashes", Level::Must)]
        );
        let ragged = told("4194304-6815743", Value::Null);
        assert!(ragged.breaks("DJ-AR-012").is_empty(), "tolerated there");
        assert_eq!(
            ragged.breaks("TH-RANGE-004"),
            [("null-job-hashes", Level::Must)]
        );
    }
}
