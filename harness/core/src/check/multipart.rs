//! Rules for beginning multipart uploads.

use super::archives::is_of_all_characters;
use super::location::{identifier, judge_made};
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, RefusalCase, RefusalRule, judge_acceptance, judge_refusal,
    judge_refusal_cases, judge_refusal_graded,
};
use super::subject::{description, earlier, success};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::Refusal;
use crate::requirement::Level;
use crate::scenario::{Action, PathForm};
use crate::spec::OperationName as O;
use crate::treehash::MIB;

/// Beginning multipart uploads.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "upload-accepted",
        &[
            "IMU-STATUS-001",
            "IMU-SIZE-001",
            "IMU-DESC-001",
            "IMU-DESC-004",
            "IMU-HDR-002",
        ],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "upload-refused",
        &[
            "IMU-404-001",
            "IMU-SIZE-006",
            "IMU-SIZE-007",
            "IMU-DESC-002",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new(
        "part-size-refused",
        &[
            "IMU-SIZE-002",
            "IMU-SIZE-003",
            "IMU-SIZE-004",
            "IMU-SIZE-005",
        ],
        |evidence, out| judge_refusal_cases(SIZES, evidence, out),
    ),
    Check::new(
        "upload-description-refused",
        &["IMU-DESC-004"],
        |evidence, out| judge_refusal_graded(Level::Should, ILLEGAL, evidence, out),
    ),
    Check::new("upload-made", &["IMU-HDR-001"], judge_headers),
    Check::new("upload-id", &["IMU-ID-001"], judge_id),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("IMU-STATUS-001", O::InitiateMultipartUpload),
    AcceptanceRule::example("IMU-SIZE-001", O::InitiateMultipartUpload, |now| {
        part_size(now).is_some_and(|size| size != MIB)
    }),
    AcceptanceRule::example("IMU-DESC-001", O::InitiateMultipartUpload, |now| {
        described(now).is_some_and(|text| text.len() == 1024)
    }),
    AcceptanceRule::example("IMU-DESC-004", O::InitiateMultipartUpload, |now| {
        described(now).is_some_and(is_of_all_characters)
    }),
    AcceptanceRule::example("IMU-HDR-002", O::UploadMultipartPart, goes_to_location),
    AcceptanceRule::example("IMU-HDR-002", O::ListParts, goes_to_location),
    AcceptanceRule::example("IMU-HDR-002", O::CompleteMultipartUpload, goes_to_location),
];

const fn begin(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::InitiateMultipartUpload],
        refusals,
        demand,
    }
}

const REFUSED: &[RefusalRule] = &[
    begin(
        "IMU-404-001",
        &[Refusal::VaultUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
    begin("IMU-SIZE-006", &[Refusal::PartSizeMissing], BAD_REQUEST),
    begin("IMU-SIZE-007", &[Refusal::PartSizeMalformed], BAD_REQUEST),
    begin(
        "IMU-DESC-002",
        &[Refusal::DescriptionTooLong],
        Demand::Refused,
    ),
];

const ILLEGAL: &[RefusalRule] = &[begin(
    "IMU-DESC-004",
    &[Refusal::DescriptionIllegal],
    Demand::Refused,
)];

const SIZES: &[RefusalCase] = &[
    (
        |now| is_size(now, |size| size < MIB),
        begin("IMU-SIZE-003", &[Refusal::PartSizeInvalid], BAD_REQUEST),
    ),
    (
        |now| is_size(now, |size| size > 4096 * MIB),
        begin("IMU-SIZE-004", &[Refusal::PartSizeInvalid], BAD_REQUEST),
    ),
    (
        |now| is_size(now, |size| is_between(size) && !size.is_multiple_of(MIB)),
        begin("IMU-SIZE-005", &[Refusal::PartSizeInvalid], BAD_REQUEST),
    ),
    (
        |now| is_size(now, |size| is_between(size) && size.is_multiple_of(MIB)),
        begin("IMU-SIZE-002", &[Refusal::PartSizeInvalid], BAD_REQUEST),
    ),
];

fn is_between(size: u64) -> bool {
    (MIB..=4096 * MIB).contains(&size)
}

fn is_size(now: &Observation, fits: fn(u64) -> bool) -> bool {
    part_size(now).is_some_and(fits)
}

fn part_size(now: &Observation) -> Option<u64> {
    let Action::InitiateMultipartUpload { part_size, .. } = now.action() else {
        return None;
    };
    part_size.as_ref()?.parse().ok()
}

fn described(now: &Observation) -> Option<&str> {
    description(now.action())
}

fn goes_to_location(now: &Observation) -> bool {
    now.record.tweak.path == Some(PathForm::Location)
}

fn judge_headers(evidence: &Evidence<'_>, out: &mut Judgements) {
    if let Some(now) = success(evidence, O::InitiateMultipartUpload) {
        judge_made(
            "IMU-HDR-001",
            now,
            "x-amz-multipart-upload-id",
            "multipart-uploads",
            out,
        );
    }
}

fn judge_id(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::InitiateMultipartUpload) else {
        return;
    };
    let Some(id) = identifier(now, "x-amz-multipart-upload-id") else {
        return;
    };
    let begun = |seen: &&Observation| seen.operation == now.operation && seen.succeeded();
    let others: Vec<&Observation> = earlier(evidence).iter().filter(begun).collect();
    let Some(last) = others.last() else { return };
    let twin = others
        .iter()
        .find(|other| identifier(other, "x-amz-multipart-upload-id") == Some(id));
    out.also_rests_on(twin.unwrap_or(last).index);
    let symptom = || Symptom::new("upload-id-shared", "two multipart uploads share one id");
    out.judge(
        "IMU-ID-001",
        twin.is_none(),
        symptom,
        "an id no other upload has",
        || format!("{id} again"),
    );
}
