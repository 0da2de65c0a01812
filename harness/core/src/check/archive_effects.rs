//! Rules that only jobs reveal: what was stored comes back as it was, what was deleted does not.

use serde_json::Value;

use super::jobs::begun;
use super::output::{damage, has_range};
use super::rules::{answer, not_accepted};
use super::shape::shorten;
use super::subject::{clock_ahead, earlier, header, job, retrieval, same_vault, vault};
use super::vaults::{is_lost_by_reset, was_made_again};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Archive, Expectation, Job, JobKind, JobStatus, Life, Upload, Vault};
use crate::payload::Content;
use crate::scenario::{Action, Tweak};
use crate::spec::OperationName as O;
use crate::treehash::tree_hash_aligned;
use crate::wire::ObservedBody;

/// What jobs reveal of archives.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "archive-durable",
        &[
            "UA-DUR-001",
            "CMU-CONTENT-001",
            "UMP-ORDER-001",
            "UMP-IDEM-001",
        ],
        judge_bytes,
    ),
    Check::new("archive-kept", &["UA-DUR-001"], judge_kept),
    Check::new("archive-retrieved", &["UA-DUR-001"], judge_retrieved),
    Check::new(
        "archive-description-kept",
        &["UA-DESC-004", "UA-DESC-007", "IMU-DESC-001", "CMU-DESC-001"],
        judge_descriptions,
    ),
    Check::new(
        "deleted-archive-retrieved",
        &["DA-EFFECT-001"],
        judge_deleted,
    ),
    Check::new("output-after-deletion", &["DA-EFFECT-002"], judge_outlived),
    Check::new("deletion-meanwhile", &["DA-EFFECT-003"], judge_meanwhile),
    Check::new(
        "deleted-archive-inventoried",
        &["DA-EFFECT-004"],
        judge_inventory,
    ),
];

/// What a retrieval without any range must bring, and the handle of its archive.
pub(super) fn whole_output(now: &Observation) -> Option<(Content, &str)> {
    if now.operation != Some(O::GetJobOutput) || has_range(now) {
        return None;
    }
    match &job(&now.before, now.action())?.kind {
        JobKind::Archive {
            archive,
            content,
            range,
            ..
        } if range.len() == content.length() => Some((content.clone(), archive)),
        _ => None,
    }
}

/// The upload that became this archive.
fn origin<'a>(vault: &'a Vault, archive: &str) -> Option<(&'a str, &'a Upload)> {
    let (handle, upload) = vault
        .uploads
        .iter()
        .find(|(_, upload)| upload.completed.as_deref() == Some(archive))?;
    Some((handle.as_str(), upload))
}

fn judge_bytes(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::GetJobOutput) && now.succeeded())
    else {
        return;
    };
    let (Some((content, archive)), Some(body)) = (
        whole_output(now),
        now.response().map(|response| &response.body),
    ) else {
        return;
    };
    let Some(vault) = vault(&now.before, now.action()) else {
        return;
    };
    let kept = body.equals(&content);
    let mut judge = |requirement| {
        out.judge(
            requirement,
            kept,
            || damage(now, archive),
            format!("the {} bytes stored", content.length()),
            || difference(body, &content),
        );
    };
    let Some((upload, _)) = origin(vault, archive) else {
        return judge("UA-DUR-001");
    };
    let parts = parts_sent(earlier(evidence), upload, now);
    judge("CMU-CONTENT-001");
    if !parts.is_sorted() {
        judge("UMP-ORDER-001");
    }
    if has_duplicates(&parts) {
        judge("UMP-IDEM-001");
    }
}

/// What was acknowledged cannot be unknown.
fn judge_kept(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.expectation == Expectation::Accept)
        .filter(|now| now.record.tweak == Tweak::default())
    else {
        return;
    };
    let Action::InitiateJob { body, .. } = now.action() else {
        return;
    };
    let retrieval = body
        .document()
        .is_some_and(|document| document.get("ArchiveId").is_some());
    if retrieval && now.status() == Some(404) && !is_lost_by_reset(now, earlier(evidence)) {
        let expected = "202: the upload of the archive was acknowledged";
        out.violated("UA-DUR-001", not_accepted(now), expected, answer(now));
    }
}

/// The retrieval of an archive that is there does not fail.
fn judge_retrieved(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeJob) && now.succeeded())
    else {
        return;
    };
    let earlier = earlier(evidence);
    let Some((job, archive, Life::Live)) = retrieved(now, earlier) else {
        return;
    };
    // That a range which is no node of the tree can be retrieved has a rule of its own (IJ-RANGE-005).
    let node = matches!(&job.kind, JobKind::Archive { range, .. }
        if tree_hash_aligned(*range, archive.content.length()));
    let failed = now.member("/StatusCode").and_then(Value::as_str) == Some("Failed");
    if failed && node && archive.life == Life::Live && !was_made_again(now, earlier) {
        let symptom = Symptom::new(
            "retrieval-fails",
            "the retrieval of an archive that is there fails",
        );
        let expected = "StatusCode Succeeded: the archive was stored and never deleted";
        out.violated("UA-DUR-001", symptom, expected, "StatusCode Failed");
    }
}

/// The first bytes of the parts accepted for an upload, in the order sent.
pub(super) fn parts_sent(earlier: &[Observation], upload: &str, now: &Observation) -> Vec<u64> {
    let first_byte = |seen: &Observation| match seen.action() {
        Action::UploadMultipartPart {
            upload: named,
            range: crate::scenario::RangeClaim::At(first),
            ..
        } if named.handle() == Some(upload) => Some(*first),
        _ => None,
    };
    earlier
        .iter()
        .filter(|seen| same_vault(seen, now) && seen.succeeded())
        .filter_map(first_byte)
        .collect()
}

/// Whether a place was written more than once.
pub(super) fn has_duplicates(places: &[u64]) -> bool {
    places
        .iter()
        .enumerate()
        .any(|(index, place)| places[..index].contains(place))
}

fn difference(body: &ObservedBody, content: &Content) -> String {
    if body.length == content.length() {
        format!("{} other bytes", body.length)
    } else {
        format!("{} bytes", body.length)
    }
}

/// Descriptions come back in inventories and with retrieved archives.
fn judge_descriptions(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::GetJobOutput) && now.succeeded())
    else {
        return;
    };
    let Some(vault) = vault(&now.before, now.action()) else {
        return;
    };
    // That the header is there at all is another rule's business.
    if let Some((_, handle)) = whole_output(now)
        && let Some(archive) = vault.archives.get(handle)
        && let Some(told) = header(now, "x-amz-archive-description")
    {
        judge_description(vault, handle, archive, told, false, out);
    }
    for item in inventory(now).unwrap_or_default() {
        let same_id = |archive: &Archive| {
            item.get("ArchiveId").and_then(Value::as_str) == Some(archive.id.as_str())
        };
        let found = vault
            .archives
            .iter()
            .find(|(_, archive)| same_id(archive) && archive.life != Life::Doubtful);
        if let Some((handle, archive)) = found {
            let told = item
                .get("ArchiveDescription")
                .and_then(Value::as_str)
                .unwrap_or_default();
            judge_description(vault, handle, archive, told, true, out);
        }
    }
}

fn judge_description(
    vault: &Vault,
    handle: &str,
    archive: &Archive,
    told: &str,
    inventory: bool,
    out: &mut Judgements,
) {
    let Some(given) = archive
        .description
        .as_deref()
        .filter(|text| !text.is_empty())
    else {
        return;
    };
    let kept = same_description(told, given);
    let mut judge = |requirement| {
        out.judge(
            requirement,
            kept,
            description_lost,
            format!("description {}", shorten(given)),
            || shorten(told),
        );
    };
    if origin(vault, handle).is_some() {
        judge("CMU-DESC-001");
        judge("IMU-DESC-001");
    } else if inventory {
        judge("UA-DESC-007");
    }
    if origin(vault, handle).is_none() && super::archives::is_of_all_characters(given) {
        judge("UA-DESC-004");
    }
}

/// The archives of a JSON inventory.
fn inventory(now: &Observation) -> Option<&[Value]> {
    let JobKind::Inventory { .. } = job(&now.before, now.action())?.kind else {
        return None;
    };
    now.member("/ArchiveList")?.as_array().map(Vec::as_slice)
}

/// The archive of a retrieval as it stands before this exchange, and as it stood when the job began.
fn retrieved<'a>(
    now: &'a Observation,
    earlier: &'a [Observation],
) -> Option<(&'a Job, &'a Archive, Life)> {
    let (job, handle, archive) = retrieval(&now.before, now.action())?;
    let began = begun(now, earlier)?;
    let then = began
        .before
        .vaults
        .get(began.action().vault()?.handle()?)?
        .archives
        .get(handle)?;
    Some((job, archive, then.life))
}

/// Whether a description is the one that was given. Spaces at the ends may be lost on the way: HTTP strips them.
pub(super) fn same_description(told: &str, given: &str) -> bool {
    told.trim_matches(' ') == given.trim_matches(' ')
}

pub(super) fn description_lost() -> Symptom {
    Symptom::new(
        "description-lost",
        "the description of an archive does not come back as it was given",
    )
}

fn comes_back() -> Symptom {
    Symptom::new(
        "deleted-archive-comes-back",
        "a deleted archive can still be retrieved",
    )
}

/// A deleted archive: no job begins, or the job fails, and its bytes never come back.
fn judge_deleted(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if now.operation == Some(O::InitiateJob) && names_deleted(now) && now.is_refused() {
        return out.held("DA-EFFECT-001");
    }
    let Some((_, _, Life::Gone)) = retrieved(now, earlier(evidence)) else {
        return;
    };
    match now.action() {
        Action::DescribeJob { .. } if now.succeeded() => {
            match now.member("/StatusCode").and_then(Value::as_str) {
                Some("Failed") => out.held("DA-EFFECT-001"),
                Some("Succeeded") => out.violated(
                    "DA-EFFECT-001",
                    comes_back(),
                    "StatusCode Failed: the archive was deleted before",
                    "StatusCode Succeeded",
                ),
                _ => {}
            }
        }
        Action::GetJobOutput { .. } if now.succeeded() => {
            out.violated(
                "DA-EFFECT-001",
                comes_back(),
                "no output: the archive was deleted before the job began",
                answer(now),
            );
        }
        _ => {}
    }
}

fn names_deleted(now: &Observation) -> bool {
    use crate::model::Refusal::ArchiveDeleted;
    now.expectation.refusals().first() == Some(&ArchiveDeleted)
}

/// What a finished job holds outlives its archive.
fn judge_outlived(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::GetJobOutput))
        .filter(|now| now.succeeded() || now.expectation == Expectation::Accept)
    else {
        return;
    };
    let Some((job, archive, Life::Live)) = retrieved(now, earlier(evidence)) else {
        return;
    };
    let finished = job.status == JobStatus::Succeeded
        && job
            .completed_at
            .zip(archive.deleted_at)
            .is_some_and(|(done, deleted)| done <= deleted);
    let (Some((content, handle)), true) =
        (whole_output(now), finished && archive.life == Life::Gone)
    else {
        return;
    };
    let kept = now.succeeded()
        && now
            .response()
            .is_some_and(|response| response.body.equals(&content));
    let symptom = || {
        if now.succeeded() {
            damage(now, handle)
        } else {
            not_accepted(now)
        }
    };
    out.judge(
        "DA-EFFECT-002",
        kept,
        symptom,
        format!(
            "the {} bytes retrieved before the deletion",
            content.length()
        ),
        || answer(now),
    );
}

/// A retrieval under way when its archive goes may end either way.
fn judge_meanwhile(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeJob) && now.succeeded())
    else {
        return;
    };
    let Some((job, archive, Life::Live)) = retrieved(now, earlier(evidence)) else {
        return;
    };
    let overtaken = archive.life == Life::Gone
        && job
            .completed_at
            .zip(archive.deleted_at)
            .is_none_or(|(done, deleted)| done > deleted);
    let Some(code) = now
        .member("/StatusCode")
        .and_then(Value::as_str)
        .filter(|code| overtaken && *code != "InProgress")
    else {
        return;
    };
    let symptom = || Symptom::new("job-end", "a job ends neither Succeeded nor Failed");
    out.judge(
        "DA-EFFECT-003",
        matches!(code, "Succeeded" | "Failed"),
        symptom,
        "Succeeded or Failed",
        || code.to_owned(),
    );
}

/// An inventory later than a deletion does not list what was deleted.
fn judge_inventory(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::GetJobOutput) && now.succeeded())
    else {
        return;
    };
    let (Some(list), Some(vault)) = (inventory(now), vault(&now.before, now.action())) else {
        return;
    };
    let date = now
        .member("/InventoryDate")
        .and_then(Value::as_str)
        .and_then(Timestamp::parse_utc);
    let Some(taken) = date
        .zip(clock_ahead(now))
        .map(|(date, ahead)| date.plus_millis(-ahead))
    else {
        return;
    };
    let deleted = vault
        .archives
        .values()
        .filter(|archive| archive.life == Life::Gone);
    for archive in deleted.filter(|archive| {
        vault.changed_at.is_some_and(|changed| changed <= taken) && !archive.id.is_empty()
    }) {
        let listed = list
            .iter()
            .any(|item| item.get("ArchiveId").and_then(Value::as_str) == Some(archive.id.as_str()));
        let symptom = || {
            Symptom::new(
                "deleted-archive-inventoried",
                "an inventory later than a deletion lists what was deleted",
            )
        };
        out.judge(
            "DA-EFFECT-004",
            !listed,
            symptom,
            "not in an inventory taken after its deletion",
            || format!("{} listed", shorten(&archive.id)),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, error, json, status};
    use crate::requirement::Level;

    const RETRIEVE: &str = "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: \"${archive:a}\"}}";
    const DELETE: &str = "DeleteArchive: {vault: v, archive: a}";
    const DESCRIBE: &str = "DescribeJob: {vault: v, job: j}";
    const OUTPUT: &str = "GetJobOutput: {vault: v, job: j}";

    fn stored(case: Case) -> Case {
        let upload =
            "UploadArchive: {vault: v, archive: a, content: {text: abc}, description: alphabet}";
        let case = case.then("CreateVault: {vault: v}", status(201));
        case.then(upload, status(201).with("x-amz-archive-id", "A"))
    }

    fn begun(case: Case) -> Case {
        case.then(RETRIEVE, status(202).with("x-amz-job-id", "J"))
    }

    fn ended(case: Case, code: &str) -> Case {
        let document = json!({"JobId": "J", "Completed": true, "StatusCode": code});
        case.then(DESCRIBE, json(200, document))
    }

    fn retrieved(case: Case, bytes: &str) -> Case {
        case.then(OUTPUT, status(200).bytes(bytes.into()))
    }

    #[test]
    fn bytes_come_back_as_they_were_stored() {
        let case = |bytes| retrieved(ended(begun(stored(Case::default())), "Succeeded"), bytes);
        assert!(case("abc").holds("UA-DUR-001"));
        assert_eq!(
            case("abd").breaks("UA-DUR-001"),
            [("archive-damaged", Level::Must)]
        );
    }

    #[test]
    fn the_retrieval_of_an_archive_that_is_there_succeeds() {
        let kept = ended(begun(stored(Case::default())), "Failed");
        assert_eq!(
            kept.breaks("UA-DUR-001"),
            [("retrieval-fails", Level::Must)]
        );
        let deleted = begun(stored(Case::default())).then(DELETE, status(204));
        assert!(ended(deleted, "Failed").said("UA-DUR-001").is_empty());
    }

    #[test]
    fn a_part_of_an_archive_is_no_damaged_archive() {
        let ranged = "{GetJobOutput: {vault: v, job: j}, but: {headers: {Range: bytes=0-0}}}";
        let case = ended(begun(stored(Case::default())), "Succeeded");
        let part = case.then(ranged, status(206).bytes(b"a".to_vec()));
        assert!(part.said("UA-DUR-001").is_empty());
    }

    #[test]
    fn a_deleted_archive_is_refused_or_fails_and_never_comes_back() {
        let deleted = || stored(Case::default()).then(DELETE, status(204));
        assert!(
            deleted()
                .then(RETRIEVE, error(404, "ResourceNotFoundException"))
                .holds("DA-EFFECT-001")
        );
        assert!(ended(begun(deleted()), "Failed").holds("DA-EFFECT-001"));
        let back = ended(begun(deleted()), "Succeeded");
        assert_eq!(
            back.breaks("DA-EFFECT-001"),
            [("deleted-archive-comes-back", Level::Must)]
        );
    }

    #[test]
    fn what_was_retrieved_before_the_deletion_stays() {
        let case = || ended(begun(stored(Case::default())), "Succeeded").then(DELETE, status(204));
        assert!(retrieved(case(), "abc").holds("DA-EFFECT-002"));
        assert!(retrieved(case(), "abc").said("DA-EFFECT-001").is_empty());
        let lost = case().then(OUTPUT, error(404, "ResourceNotFoundException"));
        assert_eq!(
            lost.breaks("DA-EFFECT-002"),
            [("refused-valid", Level::Must)]
        );
        let without_vault = case()
            .then("DeleteVault: {vault: v}", status(204))
            .then(OUTPUT, error(404, "ResourceNotFoundException"));
        assert!(without_vault.said("DA-EFFECT-002").is_empty());
    }

    #[test]
    fn a_retrieval_overtaken_by_the_deletion_ends_either_way() {
        let case = |code| {
            ended(
                begun(stored(Case::default())).then(DELETE, status(204)),
                code,
            )
        };
        assert!(case("Succeeded").holds("DA-EFFECT-003") && case("Failed").holds("DA-EFFECT-003"));
        assert!(case("Succeeded").said("DA-EFFECT-001").is_empty());
    }

    #[test]
    fn inventories_tell_descriptions_as_given_and_forget_what_was_deleted() {
        let case = |case: Case, date: &str, archives: Value| {
            let case = case.then(
                "InitiateJob: {vault: v, job: j, body: {Type: inventory-retrieval}}",
                status(202).with("x-amz-job-id", "J"),
            );
            let inventory = json!({"InventoryDate": date, "ArchiveList": archives});
            ended(case, "Succeeded").then(OUTPUT, json(200, inventory))
        };
        let listed = |text| json!([{"ArchiveId": "A", "ArchiveDescription": text}]);
        let later = "2013-02-04T17:47:00Z";
        assert!(case(stored(Case::default()), later, listed("alphabet")).holds("UA-DESC-007"));
        let lost = case(stored(Case::default()), later, listed(""));
        assert_eq!(
            lost.breaks("UA-DESC-007"),
            [("description-lost", Level::Must)]
        );
        let deleted = || stored(Case::default()).then(DELETE, status(204));
        let stale = case(deleted(), later, listed("alphabet"));
        assert_eq!(
            stale.breaks("DA-EFFECT-004"),
            [("deleted-archive-inventoried", Level::Must)]
        );
        let older = case(deleted(), "2013-02-04T17:46:41Z", listed("alphabet"));
        assert!(
            older.said("DA-EFFECT-004").is_empty(),
            "an older inventory may list it"
        );
    }
}
