//! Rules for completing and aborting multipart uploads.

use super::archive_effects::{has_duplicates, parts_sent};
use super::archives::judge_returned_hash;
use super::location::{identifier, judge_made};
use super::part_list::open_upload;
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, NOT_FOUND, RefusalCase, RefusalRule, answer, crashed,
    judge_acceptance, judge_refusal, judge_refusal_cases, judge_refusal_graded, not_accepted,
};
use super::subject::{earlier, header, live_vault, same_vault, success};
use super::vaults::unless_crashed;
use super::{Check, Evidence, Group, Judgements, Observation, Symptom};
use crate::model::{Expectation, Life, Refusal, Upload};
use crate::payload::Content;
use crate::requirement::Level;
use crate::spec::OperationName as O;
use crate::treehash::MIB;

/// Completing and aborting multipart uploads.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "completion-accepted",
        &[
            "CMU-STATUS-001",
            "CMU-SMALL-001",
            "UMP-SIZE-002",
            "AMU-STATUS-001",
        ],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "completion-retried",
        &["CMU-RETRY-001", "CMU-RETRY-002"],
        judge_retried,
    ),
    Check::new(
        "completion-of-parts",
        &["UMP-ORDER-001", "UMP-IDEM-001"],
        judge_assembled,
    ),
    Check::new(
        "completion-refused",
        &[
            "CMU-HASH-001",
            "CMU-HASH-002",
            "CMU-HASH-003",
            "CMU-SIZE-001",
            "CMU-SIZE-002",
            "CMU-SIZE-003",
            "CMU-GAP-001",
            "CMU-PART-001",
            "CMU-EMPTY-001",
            "CMU-404-001",
            "LP-404-002",
            "AMU-DONE-001",
            "AMU-404-001",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new(
        "completion-of-gap-refused",
        &["CMU-GAP-002"],
        |evidence, out| judge_refusal_cases(GAPS, evidence, out),
    ),
    Check::new("completion-refused-rightly", &["CMU-404-001"], judge_softly),
    Check::new(
        "completion-made",
        &["CMU-HDR-001", "CMU-HDR-002", "CMU-HASH-001"],
        judge_headers,
    ),
    Check::new("completion-repeated", &["CMU-IDEM-001"], judge_repeated),
    Check::new("abort-repeated", &["AMU-IDEM-001"], judge_abort_repeated),
    Check::new("abort-in-flight", &["AMU-INFLIGHT-001"], judge_in_flight),
];

const fn complete(
    requirement: &'static str,
    applies: Option<fn(&Observation) -> bool>,
) -> AcceptanceRule {
    AcceptanceRule {
        requirement,
        operation: O::CompleteMultipartUpload,
        applies,
    }
}

const ACCEPTED: &[AcceptanceRule] = &[
    complete("CMU-STATUS-001", None),
    complete(
        "CMU-SMALL-001",
        Some(|now| {
            open_upload(now).is_some_and(|upload| upload.parts.len() == 1 && total(upload) < MIB)
        }),
    ),
    complete(
        "UMP-SIZE-002",
        Some(|now| {
            open_upload(now).is_some_and(|upload| {
                upload.parts.len() > 1 && !total(upload).is_multiple_of(upload.part_size)
            })
        }),
    ),
    AcceptanceRule::general("AMU-STATUS-001", O::AbortMultipartUpload),
];

const fn refused(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::CompleteMultipartUpload],
        refusals,
        demand,
    }
}

const fn abort(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::AbortMultipartUpload],
        refusals,
        demand,
    }
}

const REFUSED: &[RefusalRule] = &[
    refused(
        "CMU-HASH-001",
        &[Refusal::TreeHashMismatch],
        Demand::Refused,
    ),
    refused(
        "CMU-HASH-002",
        &[Refusal::TreeHashMismatch],
        Demand::Answer(&[(400, "InvalidParameterValueException")]),
    ),
    refused(
        "CMU-HASH-003",
        &[Refusal::TreeHashMissing],
        Demand::Answer(&[(400, "MissingParameterValueException")]),
    ),
    refused(
        "CMU-SIZE-001",
        &[Refusal::ArchiveSizeMismatch],
        Demand::Refused,
    ),
    refused("CMU-SIZE-002", &[Refusal::ArchiveSizeMissing], BAD_REQUEST),
    refused(
        "CMU-SIZE-003",
        &[Refusal::ArchiveSizeMalformed],
        BAD_REQUEST,
    ),
    refused("CMU-GAP-001", &[Refusal::PartsMissing], Demand::Refused),
    refused("CMU-PART-001", &[Refusal::PartShort], Demand::Refused),
    refused("CMU-EMPTY-001", &[Refusal::NoParts], Demand::Refused),
    refused("CMU-404-001", &[Refusal::UploadUnknown], NOT_FOUND),
    refused("CMU-404-001", &[Refusal::UploadAborted], Demand::Refused),
    refused("LP-404-002", &[Refusal::UploadForeign], Demand::Refused),
    abort("LP-404-002", &[Refusal::UploadForeign], Demand::Refused),
    abort("AMU-DONE-001", &[Refusal::UploadCompleted], Demand::Refused),
    abort("AMU-404-001", &[Refusal::UploadUnknown], NOT_FOUND),
];

const GAPS: &[RefusalCase] = &[(
    begins_late,
    refused("CMU-GAP-002", &[Refusal::PartsMissing], Demand::Refused),
)];

/// How soon a completion or an abort must be repeated to be sure that the service remembers it, in milliseconds.
const SHORT_TIME: i64 = 5000;

fn begins_late(now: &Observation) -> bool {
    open_upload(now)
        .and_then(|upload| upload.parts.keys().next())
        .is_some_and(|first| *first > 0)
}

fn total(upload: &Upload) -> u64 {
    upload.parts.values().map(|part| part.range.len()).sum()
}

/// Whether both are about the same upload.
fn same_upload(one: &Observation, other: &Observation) -> bool {
    same_vault(one, other)
        && one.action().upload().is_some()
        && one.action().upload() == other.action().upload()
}

/// The latest completion of the same upload that was refused, as it had to be.
fn failed_completion<'a>(now: &Observation, earlier: &'a [Observation]) -> Option<&'a Observation> {
    let failed = |seen: &&Observation| {
        same_upload(seen, now)
            && seen.operation == Some(O::CompleteMultipartUpload)
            && seen.status().is_some_and(|status| status >= 400)
            && matches!(seen.expectation, Expectation::Refuse(_))
    };
    earlier.iter().rev().find(failed)
}

/// Whether a completion that failed accounts for the loss of an upload.
pub(super) fn is_lost_by_failure(now: &Observation, earlier: &[Observation]) -> bool {
    let refused = now.is_refused();
    refused && retried(now, earlier).is_some()
}

fn judge_retried(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.status().is_some()) else {
        return;
    };
    let Some((requirement, failed)) = retried(now, earlier(evidence)) else {
        return;
    };
    out.also_rests_on(failed.index);
    let symptom = || {
        if now.status().is_some_and(|status| status >= 500) {
            return not_accepted(now);
        }
        Symptom::new(
            "upload-lost-by-failure",
            "a completion that fails ends the upload",
        )
    };
    let expected = "success: the completion before it failed and changed nothing";
    out.judge(requirement, now.succeeded(), symptom, expected, || {
        answer(now)
    });
}

/// The failed completion after which this exchange must find the upload as it was, and the rule that says so.
fn retried<'a>(
    now: &Observation,
    earlier: &'a [Observation],
) -> Option<(&'static str, &'a Observation)> {
    let completes = now.operation == Some(O::CompleteMultipartUpload);
    let relevant = completes || now.operation == Some(O::ListParts);
    let failed = failed_completion(now, earlier)?;
    let requirement = match failed.expectation.refusals() {
        [Refusal::PartsMissing] if completes => "CMU-RETRY-002",
        [
            Refusal::ArchiveSizeMismatch
            | Refusal::TreeHashMismatch
            | Refusal::TreeHashMissing
            | Refusal::ArchiveSizeMissing,
        ] => "CMU-RETRY-001",
        _ => return None,
    };
    (relevant && now.expectation == Expectation::Accept).then_some((requirement, failed))
}

/// A completion over parts that came in another order, or more than once.
fn judge_assembled(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::CompleteMultipartUpload))
    else {
        return;
    };
    let accept = now.expectation == Expectation::Accept
        && now.status().is_some()
        && failed_completion(now, earlier(evidence)).is_none();
    let Some(handle) = now
        .action()
        .upload()
        .and_then(|named| named.handle())
        .filter(|_| accept)
    else {
        return;
    };
    let parts = parts_sent(earlier(evidence), handle, now);
    if !parts.is_sorted() {
        out.judge(
            "UMP-ORDER-001",
            now.succeeded(),
            || not_accepted(now),
            "201: the ranges decide, not the order",
            || answer(now),
        );
    }
    if has_duplicates(&parts) {
        out.judge(
            "UMP-IDEM-001",
            now.succeeded(),
            || not_accepted(now),
            "201: the later data of a range count",
            || answer(now),
        );
    }
}

/// Of uploads that were aborted any 4xx is enough; 404 is expected.
fn judge_softly(evidence: &Evidence<'_>, out: &mut Judgements) {
    let rules = [refused(
        "CMU-404-001",
        &[Refusal::UploadAborted],
        Demand::Status(&[404]),
    )];
    if evidence.exchange().is_some_and(Observation::is_refused) {
        judge_refusal_graded(Level::Should, &rules, evidence, out);
    }
}

fn judge_headers(evidence: &Evidence<'_>, out: &mut Judgements) {
    if let Some(now) = success(evidence, O::CompleteMultipartUpload) {
        judge_made("CMU-HDR-001", now, "x-amz-archive-id", "archives", out);
        if let Some(upload) =
            open_upload(now).filter(|upload| upload.parts.values().all(|part| part.certain))
        {
            judge_told_hash(now, &upload.assembled(), out);
        }
    } else if let Some((now, id)) = refused_with_id(evidence) {
        let symptom = Symptom::new(
            "refused-but-stored",
            "a refused upload is answered with an archive id",
        );
        out.violated(
            "CMU-HASH-001",
            symptom,
            format!("no x-amz-archive-id with {}", answer(now)),
            id,
        );
    }
}

fn refused_with_id<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a str)> {
    let now = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::CompleteMultipartUpload) && !now.succeeded())?;
    let wrong_hash = now.expectation == Expectation::Refuse(vec![Refusal::TreeHashMismatch]);
    Some((
        now,
        identifier(now, "x-amz-archive-id").filter(|_| wrong_hash)?,
    ))
}

/// The header is expected; where it stands it must be right (AMB-28).
fn judge_told_hash(now: &Observation, content: &Content, out: &mut Judgements) {
    let right = content.tree_hash();
    match header(now, "x-amz-sha256-tree-hash") {
        Some(told) if told.parse() != Ok(right) => {
            out.graded(
                "CMU-HDR-002",
                Level::Must,
                super::treehash::wrong_hash(content, told),
                right.to_string(),
                told,
            );
        }
        _ => judge_returned_hash("CMU-HDR-002", now, content, out),
    }
}

/// The success that this exchange repeats, if it is recent enough.
fn repeated<'a>(
    evidence: &Evidence<'a>,
    operation: O,
) -> Option<(&'a Observation, &'a Observation)> {
    let now = evidence
        .exchange()
        .filter(|now| now.operation == Some(operation))?;
    let first = |seen: &&Observation| {
        same_upload(seen, now)
            && seen.operation == Some(operation)
            && seen.succeeded()
            && seen.expectation == Expectation::Accept
    };
    let first = earlier(evidence).iter().rev().find(first)?;
    let soon = now.exchange().sent_at.0 - first.exchange().done_at.0 <= SHORT_TIME;
    soon.then_some((now, first))
}

/// Whether the archive of this id still exists: no document says what repeating a completion does after its archive was deleted.
fn is_there(now: &Observation, id: &str) -> bool {
    live_vault(&now.before, now.action()).is_some_and(|vault| {
        let mut archives = vault.archives.values();
        archives.any(|archive| archive.id == id && archive.life == Life::Live)
    })
}

fn judge_repeated(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, first)) = repeated(evidence, O::CompleteMultipartUpload) else {
        return;
    };
    if now.expectation.refusals() != [Refusal::UploadCompleted] {
        return;
    }
    let Some(id) = identifier(first, "x-amz-archive-id").filter(|id| is_there(now, id)) else {
        return;
    };
    out.also_rests_on(first.index);
    let told = identifier(now, "x-amz-archive-id");
    let symptom = || match now.succeeded() {
        true => Symptom::new(
            "second-archive",
            "a repeated completion makes a second archive",
        ),
        false => {
            let title = "a completion repeated at once is refused";
            unless_crashed(now, Symptom::new("completion-not-idempotent", title))
        }
    };
    let kept = now.status() == Some(201) && told == Some(id);
    out.judge(
        "CMU-IDEM-001",
        kept,
        symptom,
        format!("201 and archive {id} again"),
        || {
            told.map_or_else(
                || answer(now),
                |told| format!("{} and archive {told}", answer(now)),
            )
        },
    );
}

fn judge_abort_repeated(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, first)) = repeated(evidence, O::AbortMultipartUpload) else {
        return;
    };
    if now.expectation.refusals() != [Refusal::UploadAborted] {
        return;
    }
    out.also_rests_on(first.index);
    let symptom = || {
        let title = "an abort repeated at once is refused";
        unless_crashed(now, Symptom::new("abort-not-idempotent", title))
    };
    out.judge(
        "AMU-IDEM-001",
        now.status() == Some(204),
        symptom,
        "204 again",
        || answer(now),
    );
}

/// A part under way while its upload is aborted: anything but a failure of the server.
fn judge_in_flight(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Group {
        group: Group::During,
        members,
        ..
    } = evidence
    else {
        return;
    };
    let Some((slow, others)) = members.split_last() else {
        return;
    };
    let aborts = |seen: &&Observation| {
        seen.operation == Some(O::AbortMultipartUpload)
            && seen.succeeded()
            && same_upload(seen, slow)
    };
    if slow.operation != Some(O::UploadMultipartPart) || !others.iter().any(|seen| aborts(&seen)) {
        return;
    }
    // The connection may be closed under a part that nobody wants any more: that is a failed part too.
    out.judge(
        "AMU-INFLIGHT-001",
        slow.status().is_none_or(|status| status < 500),
        || crashed(slow),
        "no failure of the server",
        || answer(slow),
    );
}

#[cfg(test)]
mod tests {
    use super::super::Group;
    use super::super::by_hand::{Answer, Case, error, status};
    use crate::requirement::Level;

    const COMPLETE: &str = "CompleteMultipartUpload: {vault: v, upload: u, archive: a}";
    const COMPLETE_AGAIN: &str = "CompleteMultipartUpload: {vault: v, upload: u, archive: b}";

    fn begun() -> Case {
        let begin = "InitiateMultipartUpload: {vault: v, upload: u, part_size: \"1048576\"}";
        let case = Case::default().then("CreateVault: {vault: v}", status(201));
        case.then(begin, status(201).with("x-amz-multipart-upload-id", "U"))
    }

    fn with_part() -> Case {
        let part =
            "UploadMultipartPart: {vault: v, upload: u, content: {text: abc}, range: {at: 0}}";
        begun().then(part, status(204))
    }

    fn made(id: &str) -> Answer {
        status(201).with("x-amz-archive-id", id).with(
            "location",
            &format!("/012345678901/vaults/the-v/archives/{id}"),
        )
    }

    #[test]
    fn of_completions_together_none_makes_a_second_archive() {
        let both = |other| {
            let steps = vec![(COMPLETE, made("A")), (COMPLETE_AGAIN, made(other))];
            with_part().together(Group::Together, steps)
        };
        assert!(both("A").breaks("CMU-IDEM-001").is_empty());
        assert_eq!(
            both("B").breaks("CMU-IDEM-001"),
            [("second-archive", Level::Should)]
        );
    }

    #[test]
    fn a_completion_repeated_at_once_names_the_same_archive() {
        let again = |answer| with_part().then(COMPLETE, made("A")).then(COMPLETE, answer);
        assert!(again(made("A")).holds("CMU-IDEM-001"));
        assert_eq!(
            again(made("B")).breaks("CMU-IDEM-001"),
            [("second-archive", Level::Should)]
        );
        assert_eq!(
            again(error(404, "x")).breaks("CMU-IDEM-001"),
            [("completion-not-idempotent", Level::Should)]
        );
        let gone = with_part()
            .then(COMPLETE, made("A"))
            .then("DeleteArchive: {vault: v, archive: a}", status(204))
            .then(COMPLETE, error(404, "x"));
        assert!(gone.said("CMU-IDEM-001").is_empty());
    }

    #[test]
    fn a_failed_completion_leaves_the_upload_open() {
        let wrong =
            "CompleteMultipartUpload: {vault: v, upload: u, archive: w, tree_hash: flipped}";
        let then = |answer| {
            with_part()
                .then(wrong, error(400, "InvalidParameterValueException"))
                .then(COMPLETE, answer)
        };
        assert!(then(made("A")).holds("CMU-RETRY-001"));
        let lost = then(error(404, "ResourceNotFoundException"));
        assert_eq!(
            lost.breaks("CMU-RETRY-001"),
            [("upload-lost-by-failure", Level::Must)]
        );
        assert!(
            lost.said("CMU-STATUS-001").is_empty(),
            "one cause is enough"
        );
    }

    #[test]
    fn parts_that_begin_late_are_a_gap_of_both_kinds() {
        let part = "UploadMultipartPart: {vault: v, upload: u, content: {text: abc}, range: {at: 1048576}}";
        let late = |answer| begun().then(part, status(204)).then(COMPLETE, answer);
        assert!(
            late(error(400, "x")).holds("CMU-GAP-001")
                && late(error(400, "x")).holds("CMU-GAP-002")
        );
        assert_eq!(
            late(made("A")).breaks("CMU-GAP-002"),
            [("accepted", Level::Must)]
        );
    }

    #[test]
    fn the_tree_hash_of_a_completion_is_expected_and_must_be_right() {
        let case = |answer: Answer| with_part().then(COMPLETE, answer);
        assert_eq!(
            case(made("A")).breaks("CMU-HDR-002"),
            [("hash-header-missing", Level::Should)]
        );
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(case(made("A").with("x-amz-sha256-tree-hash", abc)).holds("CMU-HDR-002"));
        let zero = "0".repeat(64);
        assert_eq!(
            case(made("A").with("x-amz-sha256-tree-hash", &zero)).breaks("CMU-HDR-002"),
            [("tree-hash-wrong", Level::Must)]
        );
    }

    #[test]
    fn aborted_uploads_need_a_refusal_and_deserve_a_404() {
        let abort = "AbortMultipartUpload: {vault: v, upload: u}";
        let case = |answer| with_part().then(abort, status(204)).then(COMPLETE, answer);
        assert!(case(error(404, "ResourceNotFoundException")).holds("CMU-404-001"));
        assert_eq!(
            case(error(400, "InvalidParameterValueException")).breaks("CMU-404-001"),
            [("refused-otherwise", Level::Should)]
        );
        assert!(
            case(made("A"))
                .breaks("CMU-404-001")
                .contains(&("accepted", Level::Must))
        );
    }
}
