//! Rules for the tree hash, and the symptoms that name how it went wrong.

use serde_json::Value;

use super::archives::content;
use super::rules::{AcceptanceRule, judge_acceptance};
use super::subject::{header, success, upload};
use super::vaults::judge_permission;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::payload::Content;
use crate::requirement::Level;
use crate::scenario::{Action, Claim};
use crate::spec::OperationName as O;
use crate::treehash::{Digest, MIB, Mistake};

/// The tree hash.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "tree-hash-structure",
        &[
            "TH-ALG-001",
            "TH-ALG-002",
            "TH-ALG-003",
            "TH-ALG-004",
            "TH-ALG-005",
        ],
        judge_structure,
    ),
    Check::new("hash-form", &["TH-ALG-006"], judge_form),
    Check::new("hash-upper-case", &["TH-ALG-007"], judge_upper_case),
    Check::new("hash-of-parts", &["TH-ALG-008"], |evidence, out| {
        judge_acceptance(OF_PARTS, evidence, out);
    }),
];

const OF_PARTS: &[AcceptanceRule] = &[AcceptanceRule {
    requirement: "TH-ALG-008",
    operation: O::CompleteMultipartUpload,
    applies: Some(has_several_parts),
}];

fn has_several_parts(now: &Observation) -> bool {
    upload(&now.before, now.action()).is_some_and(|upload| upload.parts.len() > 1)
}

/// The symptom of a creation that does not tell the tree hash.
pub(super) fn hash_missing(now: &Observation) -> Symptom {
    let operation = now
        .operation
        .map_or_else(String::new, |name| name.to_string());
    Symptom::new(
        "hash-header-missing",
        format!("{operation} answers without x-amz-sha256-tree-hash"),
    )
    .about(operation)
}

/// The symptom of a tree hash that is not that of `content`: the mistake behind it, if it is a classic.
pub(super) fn wrong_hash(content: &Content, told: &str) -> Symptom {
    match told
        .parse()
        .ok()
        .and_then(|told: Digest| content.diagnose(told))
    {
        Some(mistake) => mistaken(mistake),
        None => Symptom::new("tree-hash-wrong", "a tree hash is not that of the content"),
    }
}

fn mistaken(mistake: Mistake) -> Symptom {
    match mistake {
        Mistake::LinearSha256 => {
            Symptom::new("linear-sha256", "the plain SHA-256 is used as tree hash")
        }
        Mistake::OddNodeDuplicated => Symptom::new(
            "odd-node-duplicated",
            "an unpaired node of the hash tree is paired with itself",
        ),
        Mistake::OddNodeRehashed => Symptom::new(
            "odd-node-rehashed",
            "an unpaired node of the hash tree is hashed once more",
        ),
        Mistake::HexPairs => Symptom::new(
            "hex-pairs",
            "nodes of the hash tree are made of hexadecimal text",
        ),
        Mistake::FlatConcatenation => Symptom::new(
            "flat-hash",
            "the leaves of the hash tree are hashed all at once",
        ),
        Mistake::DecimalChunks => Symptom::new(
            "decimal-chunks",
            "the hash tree has leaves of 1,000,000 bytes",
        ),
    }
}

/// The rules a content of this length is an example of.
fn illustrated(length: u64) -> Vec<&'static str> {
    let leaves = length.div_ceil(MIB);
    let applies = [
        ("TH-ALG-001", (1..=MIB).contains(&length)),
        ("TH-ALG-002", leaves > 1 && !length.is_multiple_of(MIB)),
        ("TH-ALG-003", leaves > 1),
        ("TH-ALG-004", promotions(leaves) > 0),
        ("TH-ALG-005", promotions(leaves) > 1),
    ];
    applies
        .into_iter()
        .filter(|(_, applies)| *applies)
        .map(|(requirement, _)| requirement)
        .collect()
}

/// Over how many levels in a row a node is promoted, at most.
fn promotions(leaves: u64) -> u32 {
    let (mut nodes, mut run, mut longest) = (leaves, 0, 0);
    while nodes > 1 {
        run = if nodes.is_multiple_of(2) { 0 } else { run + 1 };
        longest = longest.max(run);
        nodes = nodes.div_ceil(2);
    }
    longest
}

/// The rules a mistake breaks.
fn broken(mistake: Mistake) -> &'static [&'static str] {
    match mistake {
        Mistake::LinearSha256 => &["TH-ALG-002", "TH-ALG-003"],
        Mistake::HexPairs | Mistake::FlatConcatenation => &["TH-ALG-003"],
        Mistake::OddNodeDuplicated | Mistake::OddNodeRehashed => &["TH-ALG-004", "TH-ALG-005"],
        Mistake::DecimalChunks => &["TH-ALG-001", "TH-ALG-002"],
    }
}

/// Whether a wrong hash that no known mistake explains is held against a rule: the most special one that its length
/// illustrates, and that about the last leaf.
fn suspected(requirement: &str, illustrated: &[&str]) -> bool {
    requirement == "TH-ALG-002" || illustrated.last() == Some(&requirement)
}

fn judge_structure(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) =
        success(evidence, O::UploadArchive).or_else(|| success(evidence, O::UploadMultipartPart))
    else {
        return;
    };
    let (Some(content), Some(told)) = (content(now), header(now, "x-amz-sha256-tree-hash")) else {
        return;
    };
    let right = content.tree_hash();
    let mistake = told
        .parse()
        .ok()
        .filter(|told| *told != right)
        .and_then(|told: Digest| content.diagnose(told));
    let shown = illustrated(content.length());
    for requirement in shown.iter().copied() {
        if told.parse() == Ok(right) {
            out.held(requirement);
        } else if mistake.map_or_else(
            || suspected(requirement, &shown),
            |mistake| broken(mistake).contains(&requirement),
        ) {
            out.violated(
                requirement,
                wrong_hash(content, told),
                right.to_string(),
                told,
            );
        }
    }
}

/// Every tree hash an answer tells.
fn hashes_told(now: &Observation) -> Vec<&str> {
    let mut told: Vec<&str> = header(now, "x-amz-sha256-tree-hash").into_iter().collect();
    if let Some(document) = now.document.as_deref() {
        collect(document, &mut told);
    }
    told
}

fn collect<'a>(value: &'a Value, told: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text)
                        if matches!(name.as_str(), "SHA256TreeHash" | "ArchiveSHA256TreeHash") =>
                    {
                        told.push(text);
                    }
                    _ => collect(member, told),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, told)),
        _ => {}
    }
}

/// 64 hexadecimal digits are demanded, lower case is expected.
fn judge_form(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.succeeded() && now.operation.is_some())
    else {
        return;
    };
    let told = hashes_told(now);
    if let Some(odd) = told.iter().find(|hash| hash.parse::<Digest>().is_err()) {
        let symptom = Symptom::new("hash-form", "a tree hash is not 64 hexadecimal digits");
        out.violated(
            "TH-ALG-006",
            symptom,
            "64 hexadecimal digits",
            format!("`{}`", super::shape::shorten(odd)),
        );
    } else if let Some(upper) = told
        .iter()
        .find(|hash| hash.bytes().any(|digit| digit.is_ascii_uppercase()))
    {
        let symptom = Symptom::new("hash-case", "tree hashes are written in upper case");
        out.graded(
            "TH-ALG-006",
            Level::Should,
            symptom,
            "lower-case digits",
            *upper,
        );
    } else if !told.is_empty() {
        out.held("TH-ALG-006");
    }
}

fn judge_upper_case(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let claim = match now.action() {
        Action::UploadArchive { tree_hash, .. }
        | Action::UploadMultipartPart { tree_hash, .. }
        | Action::CompleteMultipartUpload { tree_hash, .. } => tree_hash,
        _ => return,
    };
    if *claim == Claim::UpperCase {
        judge_permission("TH-ALG-007", now, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{Case, status};
    use super::*;

    const VAULT: &str = "CreateVault: {vault: v}";

    fn upload(length: &str, told: &str) -> Case {
        let step =
            format!("UploadArchive: {{vault: v, archive: a, content: {{pattern: {length}}}}}");
        let answer = status(201)
            .with("x-amz-archive-id", "A")
            .with("x-amz-sha256-tree-hash", told);
        Case::default().then(VAULT, status(201)).then(&step, answer)
    }

    /// treehash-vectors, 3.
    #[test]
    fn a_right_hash_illustrates_what_its_length_can_show() {
        let three = "81a3077073609f2b1b874527a1643f699ea522b188a05975fbf0a07009ddd50e";
        let case = upload("3 MiB", three);
        assert!(case.holds("TH-ALG-003") && case.holds("TH-ALG-004") && case.holds("UA-HDR-003"));
        assert!(case.said("TH-ALG-001").is_empty() && case.said("TH-ALG-002").is_empty());
        assert!(
            case.said("TH-ALG-005").is_empty(),
            "its last leaf rises one level only"
        );
    }

    /// treehash-vectors, 3.1: the odd node paired with itself.
    #[test]
    fn a_duplicated_odd_node_is_named_once() {
        let case = upload(
            "3 MiB",
            "4d33d969fae283d9ae2116e9b28e1742db4b5e323d71f2473b6b22531de4107a",
        );
        assert_eq!(
            case.breaks("TH-ALG-004"),
            [("odd-node-duplicated", Level::Must)]
        );
        assert_eq!(
            case.breaks("UA-HDR-003"),
            [("odd-node-duplicated", Level::Must)]
        );
        assert!(case.said("TH-ALG-003").is_empty());
    }

    #[test]
    fn a_node_is_promoted_over_two_levels_with_five_and_nine_leaves() {
        assert_eq!(
            [1, 2, 3, 4, 5, 6, 7, 8, 9].map(promotions),
            [0, 0, 1, 0, 2, 1, 1, 0, 3]
        );
    }

    /// treehash-vectors, 3: the plain SHA-256 of 2 MiB.
    #[test]
    fn the_plain_hash_in_place_of_the_tree_hash_is_recognised() {
        let case = upload(
            "2 MiB",
            "4695b93998d2be3cae3354ad1d00a054abc3de0241a6fa2e632f7824108f45a2",
        );
        assert_eq!(case.breaks("TH-ALG-003"), [("linear-sha256", Level::Must)]);
    }

    #[test]
    fn upper_case_is_unexpected_and_other_forms_are_wrong() {
        let upper = "CA358758F6D27E6CF45272937977A748FD88391DB679CEDA7DC7BF1F005EE879";
        let case = upload("1", upper);
        assert_eq!(case.breaks("TH-ALG-006"), [("hash-case", Level::Should)]);
        assert!(case.holds("UA-HDR-003"), "hashes are compared without case");
        assert_eq!(
            upload("1", "ca35").breaks("TH-ALG-006"),
            [("hash-form", Level::Must)]
        );
    }
}
