//! Rules for starting jobs: what is accepted, what is refused, and what the answer tells.

use serde_json::Value;

use super::documents::sent;
use super::jobs::{
    asked, asked_range, asks_for, known_job, ranges_were_ignored, retrieval_range_ignored,
};
use super::location::{identifier, judge_made};
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, RefusalCase, RefusalRule, answer, judge_acceptance,
    judge_refusal, judge_refusal_cases, judge_refusal_graded,
};
use super::subject::{earlier, header, success};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Refusal};
use crate::requirement::Level;
use crate::scenario::PathForm;
use crate::spec::OperationName as O;
use crate::treehash::{MIB, tree_hash_aligned};

/// Starting jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "job-accepted",
        &[
            "IJ-STATUS-001",
            "IJ-BODY-001",
            "IJ-BODY-004",
            "IJ-RANGE-001",
            "IJ-RANGE-002",
            "IJ-RANGE-005",
            "IJ-RANGE-009",
            "IJ-TIER-001",
        ],
        judge_accepted,
    ),
    Check::new("job-media-type", &["IJ-BODY-003"], judge_media_type),
    Check::new(
        "job-refused",
        &[
            "IJ-BODY-002",
            "IJ-BODY-005",
            "IJ-BODY-006",
            "IJ-TYPE-001",
            "IJ-TYPE-002",
            "IJ-AR-001",
            "IJ-AR-003",
            "IJ-RANGE-006",
            "IJ-RANGE-010",
            "IJ-TIER-003",
            "IJ-INV-002",
            "IJ-INV-004",
            "IJ-INV-009",
            "IJ-INV-011",
            "IJ-DESC-002",
            "IJ-404-001",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new(
        "job-refused-thus",
        &["IJ-RANGE-010", "IJ-INV-002"],
        judge_unexpected_members,
    ),
    Check::new(
        "retrieval-range-refused",
        &[
            "IJ-RANGE-003",
            "IJ-RANGE-004",
            "IJ-RANGE-007",
            "IJ-RANGE-008",
        ],
        judge_range_refused,
    ),
    Check::new("job-made", &["IJ-HDR-001", "IJ-HDR-003"], judge_made_job),
    Check::new("job-location", &["IJ-HDR-002"], judge_location_used),
    Check::new("job-id", &["IJ-ID-001"], judge_id),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("IJ-STATUS-001", O::InitiateJob),
    AcceptanceRule::general("IJ-BODY-001", O::InitiateJob),
    AcceptanceRule::example("IJ-BODY-004", O::InitiateJob, has_explicit_null),
    AcceptanceRule::example("IJ-RANGE-001", O::InitiateJob, is_aligned_at_both_ends),
    AcceptanceRule::example("IJ-RANGE-002", O::InitiateJob, is_aligned_by_the_end),
    AcceptanceRule::example("IJ-RANGE-005", O::InitiateJob, is_only_megabyte_aligned),
    AcceptanceRule::example("IJ-RANGE-009", O::InitiateJob, is_explicitly_whole),
    AcceptanceRule::example("IJ-TIER-001", O::InitiateJob, |now| {
        asks_for(now, "archive-retrieval") && asked(now, "/Tier").is_some()
    }),
];

const fn refused(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule::new(requirement, &[O::InitiateJob], refusals, demand)
}

const REFUSED: &[RefusalRule] = &[
    refused("IJ-BODY-002", &[Refusal::JobParametersWrapped], BAD_REQUEST),
    refused(
        "IJ-BODY-005",
        &[Refusal::JobParametersMissing],
        Demand::Answer(&[(400, "MissingParameterValueException")]),
    ),
    refused(
        "IJ-BODY-006",
        &[Refusal::JsonMalformed],
        Demand::Answer(&[(400, "SerializationException")]),
    ),
    refused("IJ-TYPE-001", &[Refusal::JobTypeMissing], BAD_REQUEST),
    refused("IJ-TYPE-002", &[Refusal::JobTypeUnknown], BAD_REQUEST),
    refused("IJ-AR-001", &[Refusal::ArchiveIdMissing], BAD_REQUEST),
    refused("IJ-AR-003", &[Refusal::ArchiveForeign], Demand::Refused),
    refused(
        "IJ-RANGE-006",
        &[Refusal::RetrievalRangeMisaligned],
        Demand::CodeIfRefused(&["InvalidParameterValueException"]),
    ),
    refused(
        "IJ-RANGE-010",
        &[Refusal::RetrievalRangeUnexpected],
        Demand::Refused,
    ),
    refused("IJ-TIER-003", &[Refusal::TierUnknown], BAD_REQUEST),
    refused(
        "IJ-INV-002",
        &[Refusal::ArchiveIdUnexpected],
        Demand::Refused,
    ),
    refused("IJ-INV-004", &[Refusal::FormatUnknown], BAD_REQUEST),
    refused("IJ-INV-009", &[Refusal::InventoryLimitInvalid], BAD_REQUEST),
    refused("IJ-INV-011", &[Refusal::DateInvalid], BAD_REQUEST),
    refused(
        "IJ-DESC-002",
        &[Refusal::JobDescriptionInvalid],
        BAD_REQUEST,
    ),
    refused(
        "IJ-404-001",
        &[Refusal::VaultUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
];

/// That it is refused is demanded; that the status is 400 is expected.
const REFUSED_THUS: &[RefusalRule] = &[
    refused(
        "IJ-RANGE-010",
        &[Refusal::RetrievalRangeUnexpected],
        BAD_REQUEST,
    ),
    refused("IJ-INV-002", &[Refusal::ArchiveIdUnexpected], BAD_REQUEST),
];

const RANGES_REFUSED: &[RefusalCase] = &[
    (
        starts_unaligned,
        refused(
            "IJ-RANGE-003",
            &[Refusal::RetrievalRangeMisaligned],
            BAD_REQUEST,
        ),
    ),
    (
        ends_unaligned,
        refused(
            "IJ-RANGE-004",
            &[Refusal::RetrievalRangeMisaligned],
            BAD_REQUEST,
        ),
    ),
    (
        |_| true,
        refused(
            "IJ-RANGE-007",
            &[Refusal::RetrievalRangeMalformed],
            BAD_REQUEST,
        ),
    ),
    (
        |_| true,
        refused(
            "IJ-RANGE-008",
            &[Refusal::RetrievalRangeBeyond],
            BAD_REQUEST,
        ),
    ),
];

fn judge_accepted(evidence: &Evidence<'_>, out: &mut Judgements) {
    if !evidence.exchange().is_some_and(has_content_type) {
        judge_acceptance(ACCEPTED, evidence, out);
    }
}

/// The same body begins a job whatever it is said to be (AMB-44).
fn judge_media_type(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| asks_for(now, "archive-retrieval") && has_content_type(now))
    else {
        return;
    };
    if now.expectation != Expectation::Accept || now.status().is_none() {
        return;
    }
    let symptom = || {
        Symptom::new(
            "media-type-matters",
            "the media type of a body decides whether a job begins",
        )
    };
    out.judge(
        "IJ-BODY-003",
        now.succeeded(),
        symptom,
        "202 whatever the Content-Type",
        || answer(now),
    );
}

fn has_content_type(now: &Observation) -> bool {
    now.record
        .tweak
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("content-type"))
}

fn has_explicit_null(now: &Observation) -> bool {
    let document = sent(now);
    document
        .as_ref()
        .and_then(Value::as_object)
        .is_some_and(|members| members.values().any(Value::is_null))
}

fn is_aligned_at_both_ends(now: &Observation) -> bool {
    asked_range(now)
        .is_some_and(|(range, size)| range.len() < size && range.end.is_multiple_of(MIB))
}

fn is_aligned_by_the_end(now: &Observation) -> bool {
    asked_range(now).is_some_and(|(range, size)| {
        range.len() < size && range.end == size && !size.is_multiple_of(MIB)
    })
}

/// Whether a range is asked for that is megabyte aligned and no node of the tree.
pub(super) fn is_only_megabyte_aligned(now: &Observation) -> bool {
    asked_range(now).is_some_and(|(range, size)| !tree_hash_aligned(range, size))
}

fn is_explicitly_whole(now: &Observation) -> bool {
    asked_range(now).is_some_and(|(range, size)| range.len() == size)
}

fn starts_unaligned(now: &Observation) -> bool {
    asked_range(now).is_some_and(|(range, _)| !range.start.is_multiple_of(MIB))
}

fn ends_unaligned(now: &Observation) -> bool {
    !starts_unaligned(now)
}

fn judge_unexpected_members(evidence: &Evidence<'_>, out: &mut Judgements) {
    let refused = evidence.exchange().is_some_and(Observation::is_refused);
    if refused {
        judge_refusal_graded(Level::Should, REFUSED_THUS, evidence, out);
    }
}

/// A range that must be refused, and is accepted because ranges are not read at all, is a matter of that.
fn judge_range_refused(evidence: &Evidence<'_>, out: &mut Judgements) {
    let ignored = evidence.exchange().is_some_and(Observation::succeeded)
        && ranges_were_ignored(earlier(evidence));
    if !ignored {
        return judge_refusal_cases(RANGES_REFUSED, evidence, out);
    }
    let Some(now) = evidence.exchange() else {
        return;
    };
    let [only] = now.expectation.refusals() else {
        return;
    };
    let broken = RANGES_REFUSED
        .iter()
        .filter(|(applies, rule)| rule.refusals.contains(only) && applies(now));
    for (_, rule) in broken {
        out.violated(
            rule.requirement,
            retrieval_range_ignored(),
            format!("400 because {}", only.phrase()),
            answer(now),
        );
    }
}

fn judge_made_job(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::InitiateJob) else {
        return;
    };
    judge_made("IJ-HDR-001", now, "x-amz-job-id", "jobs", out);
    if asks_for(now, "select") {
        return;
    }
    let path = header(now, "x-amz-job-output-path").filter(|path| !path.is_empty());
    let symptom = || {
        Symptom::new(
            "output-path-told",
            "jobs without an output location tell x-amz-job-output-path",
        )
    };
    out.judge(
        "IJ-HDR-003",
        path.is_none(),
        symptom,
        "no x-amz-job-output-path",
        || path.unwrap_or_default().to_owned(),
    );
}

/// The `Location` of a job leads to its description.
fn judge_location_used(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeJob))
    else {
        return;
    };
    if now.record.tweak.path != Some(PathForm::Location) || known_job(now).is_none() {
        return;
    }
    out.judge(
        "IJ-HDR-002",
        now.succeeded(),
        super::rules::location_dead,
        "200 at the Location of the job",
        || answer(now),
    );
}

fn judge_id(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::InitiateJob) else {
        return;
    };
    let Some(id) = identifier(now, "x-amz-job-id") else {
        return;
    };
    let others = earlier(evidence)
        .iter()
        .filter(|seen| seen.operation == Some(O::InitiateJob) && seen.succeeded());
    let ids: Vec<&str> = others
        .filter_map(|seen| identifier(seen, "x-amz-job-id"))
        .collect();
    if ids.is_empty() {
        return;
    }
    let symptom = || Symptom::new("job-id-repeated", "two jobs get the same id");
    out.judge(
        "IJ-ID-001",
        !ids.contains(&id),
        symptom,
        "an id no other job has",
        || "the id of an earlier job".to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{Case, error, json, status};
    use crate::requirement::Level;

    const MIB: u64 = 1 << 20;

    fn vault() -> Case {
        let upload = format!(
            "UploadArchive: {{vault: v, archive: a, content: {{zeros: {}}}}}",
            13 * MIB / 2
        );
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(&upload, status(201).with("x-amz-archive-id", "A"))
    }

    fn ranged(range: &str) -> String {
        format!(
            "InitiateJob: {{vault: v, job: j, body: {{Type: archive-retrieval, ArchiveId: '${{archive:a}}', RetrievalByteRange: {range}}}}}"
        )
    }

    /// The ranges of IJ-RANGE-001 to -004, of an archive of 6.5 MiB.
    #[test]
    fn a_range_is_judged_by_what_it_is_an_example_of() {
        let accepted = |range| vault().then(&ranged(range), status(202).with("x-amz-job-id", "J"));
        assert!(
            accepted("1048576-3145727").holds("IJ-RANGE-001")
                && accepted("1048576-3145727").holds("IJ-RANGE-005")
        );
        assert!(accepted("4194304-6815743").holds("IJ-RANGE-002"));
        assert!(accepted("0-6815743").holds("IJ-RANGE-009"));
        assert_eq!(
            accepted("1-1048575").breaks("IJ-RANGE-003"),
            [("accepted", Level::Must)]
        );
        // One less than a MiB, and one more than the archive.
        for range in ["0-1048574", "0-6815744"] {
            assert_eq!(
                accepted(range).breaks("IJ-RANGE-004"),
                [("accepted", Level::Must)]
            );
        }
        let refused =
            |range| vault().then(&ranged(range), error(400, "InvalidParameterValueException"));
        assert!(
            refused("524288-1572863").holds("IJ-RANGE-003")
                && refused("0-6815742").holds("IJ-RANGE-004")
        );
        assert!(refused("abc").holds("IJ-RANGE-007") && refused("0-7340031").holds("IJ-RANGE-008"));
        assert_eq!(
            refused("1048576-3145727").breaks("IJ-RANGE-005"),
            [("refused-valid", Level::Must)]
        );
    }

    #[test]
    fn ranges_that_nobody_reads_are_one_cause() {
        let described = serde_json::json!({"JobId": "J", "StatusCode": "InProgress", "Completed": false, "RetrievalByteRange": null});
        let case = vault()
            .then(&ranged("0-1048575"), status(202).with("x-amz-job-id", "J"))
            .then("DescribeJob: {vault: v, job: j}", json(200, described))
            .then(&ranged("1-1048575"), status(202).with("x-amz-job-id", "K"));
        assert_eq!(
            case.breaks("DJ-AR-005"),
            [("retrieval-range-ignored", Level::Must)]
        );
        assert_eq!(
            case.breaks("IJ-RANGE-003"),
            [("retrieval-range-ignored", Level::Must)]
        );
    }

    #[test]
    fn a_stranger_in_an_inventory_request_must_be_refused_and_deserves_a_400() {
        let asked = "InitiateJob: {vault: v, job: i, body: {Type: inventory-retrieval}}";
        let odd = "InitiateJob: {vault: v, job: k, body: {Type: inventory-retrieval, ArchiveId: '${archive:a}'}}";
        let begun = || vault().then(asked, status(202).with("x-amz-job-id", "I"));
        assert!(
            begun()
                .then(odd, error(400, "InvalidParameterValueException"))
                .holds("IJ-INV-002")
        );
        let other = begun().then(odd, error(404, "ResourceNotFoundException"));
        assert_eq!(
            other.breaks("IJ-INV-002"),
            [("refused-otherwise", Level::Should)]
        );
        let accepted = begun().then(odd, status(202).with("x-amz-job-id", "K"));
        assert_eq!(accepted.breaks("IJ-INV-002"), [("accepted", Level::Must)]);
    }

    #[test]
    fn ids_are_new_and_stand_in_the_location() {
        let asked = "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}";
        let made = |id: &str| {
            status(202)
                .with("x-amz-job-id", id)
                .with("location", &format!("/123456789012/vaults/the-v/jobs/{id}"))
        };
        let two = vault().then(asked, made("J")).then(asked, made("K"));
        assert!(two.holds("IJ-HDR-001") && two.holds("IJ-HDR-003") && two.holds("IJ-ID-001"));
        let same = vault().then(asked, made("J")).then(asked, made("J"));
        assert_eq!(same.breaks("IJ-ID-001"), [("job-id-repeated", Level::Must)]);
    }
}
