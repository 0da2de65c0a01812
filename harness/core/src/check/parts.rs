//! Rules for uploading parts.

use super::archives::{content, judge_returned_hash};
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, RefusalCase, RefusalRule, judge_acceptance, judge_refusal,
    judge_refusal_cases,
};
use super::subject::{success, upload};
use super::vaults::judge_permission;
use super::{Check, Evidence, Group, Judgements, Observation};
use crate::model::{Expectation, Part, Refusal};
use crate::scenario::{Action, RangeClaim};
use crate::spec::OperationName as O;

/// Uploading parts.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "part-accepted",
        &[
            "UMP-STATUS-001",
            "UMP-RANGE-001",
            "UMP-SIZE-001",
            "UMP-SIZE-002",
            "UMP-ORDER-001",
            "UMP-ORDER-002",
            "UMP-IDEM-001",
            "UMP-IDEM-002",
        ],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "part-refused",
        &[
            "UMP-RANGE-002",
            "UMP-RANGE-003",
            "UMP-RANGE-004",
            "UMP-RANGE-005",
            "UMP-HASH-001",
            "UMP-HASH-002",
            "UMP-HASH-003",
            "UMP-HASH-004",
            "UMP-404-001",
            "UMP-404-002",
            "UMP-404-003",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new("part-range-refused", &["UMP-RANGE-006"], |evidence, out| {
        judge_refusal_cases(MALFORMED, evidence, out);
    }),
    Check::new("part-hash", &["UMP-HDR-001"], judge_hash),
    Check::new(
        "part-permitted",
        &["UMP-RANGE-007", "UMP-LIMIT-001"],
        judge_permitted,
    ),
];

const fn part(
    requirement: &'static str,
    applies: Option<fn(&Observation) -> bool>,
) -> AcceptanceRule {
    AcceptanceRule {
        requirement,
        operation: O::UploadMultipartPart,
        applies,
    }
}

const ACCEPTED: &[AcceptanceRule] = &[
    part("UMP-STATUS-001", None),
    part("UMP-RANGE-001", None),
    part("UMP-SIZE-001", Some(is_short)),
    part("UMP-SIZE-002", Some(is_short_and_last)),
    part("UMP-ORDER-001", Some(comes_out_of_order)),
    part(
        "UMP-ORDER-002",
        Some(|now| now.record.group == Some(Group::Together)),
    ),
    part(
        "UMP-IDEM-001",
        Some(|now| {
            replaced(now)
                .is_some_and(|old| content(now).is_some_and(|new| new.tree_hash() != old.tree_hash))
        }),
    ),
    part(
        "UMP-IDEM-002",
        Some(|now| {
            replaced(now)
                .is_some_and(|old| content(now).is_some_and(|new| new.tree_hash() == old.tree_hash))
        }),
    ),
];

const fn refused(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::UploadMultipartPart],
        refusals,
        demand,
    }
}

const REFUSED: &[RefusalRule] = &[
    refused("UMP-RANGE-002", &[Refusal::PartRangeMissing], BAD_REQUEST),
    refused("UMP-RANGE-003", &[Refusal::PartMisaligned], Demand::Refused),
    refused("UMP-RANGE-004", &[Refusal::PartTooLong], Demand::Refused),
    refused("UMP-RANGE-005", &[Refusal::PartLengthMismatch], BAD_REQUEST),
    refused(
        "UMP-HASH-001",
        &[Refusal::TreeHashMismatch],
        Demand::Refused,
    ),
    refused(
        "UMP-HASH-002",
        &[Refusal::ContentHashMismatch],
        Demand::Refused,
    ),
    refused("UMP-HASH-003", &[Refusal::TreeHashMissing], BAD_REQUEST),
    refused("UMP-HASH-004", &[Refusal::ContentHashMissing], BAD_REQUEST),
    refused(
        "UMP-404-001",
        &[Refusal::UploadUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
    refused(
        "UMP-404-002",
        &[Refusal::UploadAborted, Refusal::UploadCompleted],
        Demand::Refused,
    ),
    refused("UMP-404-003", &[Refusal::UploadForeign], Demand::Refused),
];

/// A concrete total is malformed only by permission, so it is judged elsewhere.
const MALFORMED: &[RefusalCase] = &[(
    |now| matches!(now.expectation, Expectation::Refuse(_)),
    refused("UMP-RANGE-006", &[Refusal::PartRangeMalformed], BAD_REQUEST),
)];

fn first_byte(now: &Observation) -> Option<u64> {
    match now.action() {
        Action::UploadMultipartPart {
            range: RangeClaim::At(first),
            ..
        } => Some(*first),
        _ => None,
    }
}

fn is_short(now: &Observation) -> bool {
    let part_size = upload(&now.before, now.action()).map(|upload| upload.part_size);
    content(now)
        .zip(part_size)
        .is_some_and(|(sent, size)| sent.length() < size)
}

fn is_short_and_last(now: &Observation) -> bool {
    is_short(now) && !comes_out_of_order(now)
}

fn comes_out_of_order(now: &Observation) -> bool {
    let last = upload(&now.before, now.action())
        .and_then(|upload| upload.parts.keys().next_back().copied());
    first_byte(now)
        .zip(last)
        .is_some_and(|(first, last)| first < last)
}

/// The part of the same range that was there before.
fn replaced(now: &Observation) -> Option<&Part> {
    let old = upload(&now.before, now.action())?
        .parts
        .get(&first_byte(now)?)?;
    (old.certain && old.range.len() == content(now)?.length()).then_some(old)
}

fn judge_hash(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::UploadMultipartPart) else {
        return;
    };
    if let Some(content) = content(now) {
        judge_returned_hash("UMP-HDR-001", now, content, out);
    }
}

/// What may be accepted or refused: a concrete total, and a place beyond 10,000 parts.
fn judge_permitted(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::UploadMultipartPart))
    else {
        return;
    };
    if now.expectation.refusals() == [Refusal::TooManyParts] {
        judge_permission("UMP-LIMIT-001", now, out);
    }
    let Action::UploadMultipartPart {
        range: RangeClaim::Literal(text),
        ..
    } = now.action()
    else {
        return;
    };
    let total = text
        .split_once('/')
        .map(|(_, total)| total)
        .unwrap_or_default();
    if !total.is_empty() && total.bytes().all(|digit| digit.is_ascii_digit()) {
        judge_permission("UMP-RANGE-007", now, out);
    }
}
