//! Rules for the state of a job and its dates, from its beginning until it is forgotten.

use serde_json::Value;

use super::describe_job::{described, retrieval_described, state};
use super::jobs::{begun, given, known_job, member_missing, member_wrong, same_job, time};
use super::rules::{answer, is_odd, not_accepted};
use super::shape::brief;
use super::subject::{earlier, header, live_vault};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, JobStatus, Life};
use crate::spec::OperationName as O;

/// States of jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new("job-dates", &["DJ-DATE-001", "DJ-DATE-002"], judge_dates),
    Check::new(
        "job-state",
        &[
            "DJ-STATE-001",
            "DJ-STATE-002",
            "DJ-STATE-004",
            "DJ-FAIL-001",
        ],
        judge_state,
    ),
    Check::new("job-stays-completed", &["DJ-STATE-003"], judge_stays),
    Check::new("job-retained", &["DJ-RETAIN-001"], judge_retained),
];

const FIVE_MINUTES: i64 = 300_000;

fn judge_dates(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let created = time(now, "/CreationDate");
    if let Some((began, at)) =
        begun(now, earlier(evidence)).and_then(|began| Some((began, date(began)?)))
    {
        out.also_rests_on(began.index);
        let near = created.is_some_and(|created| (created.0 - at.0).abs() <= FIVE_MINUTES);
        out.judge(
            "DJ-DATE-001",
            near,
            || member_wrong("CreationDate"),
            format!("about {at}"),
            || brief(document.get("CreationDate").unwrap_or(&Value::Null)),
        );
    }
    let completion = given(document, "/CompletionDate");
    let completed_at = completion
        .and_then(Value::as_str)
        .and_then(Timestamp::parse_utc);
    let (kept, expected) = match state(document) {
        Some("InProgress") => (completion.is_none(), "no CompletionDate while InProgress"),
        Some("Succeeded" | "Failed") => {
            let after = completed_at
                .is_some_and(|at| created.is_none_or(|created| at.0 + 1000 >= created.0));
            (
                after,
                "CompletionDate: an ISO 8601 UTC time not before CreationDate",
            )
        }
        _ => return,
    };
    let symptom = || {
        if completion.is_none() {
            member_missing("CompletionDate")
        } else {
            member_wrong("CompletionDate")
        }
    };
    out.judge("DJ-DATE-002", kept, symptom, expected, || {
        brief(completion.unwrap_or(&Value::Null))
    });
}

/// When an answer was made, by the clock of the target; by ours where it does not tell.
fn date(seen: &Observation) -> Option<Timestamp> {
    header(seen, "date")
        .and_then(Timestamp::parse_http)
        .or(Some(seen.exchange().done_at))
}

fn judge_state(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document)) = described(evidence) else {
        return;
    };
    let code = state(document);
    let known = matches!(code, Some("InProgress" | "Succeeded" | "Failed"));
    let told = || brief(document.get("StatusCode").unwrap_or(&Value::Null));
    let symptom = || {
        if code.is_none() {
            member_missing("StatusCode")
        } else {
            member_wrong("StatusCode")
        }
    };
    out.judge(
        "DJ-STATE-001",
        known,
        symptom,
        "InProgress, Succeeded or Failed",
        told,
    );
    let Some(code) = code.filter(|_| known) else {
        return;
    };
    let completed = given(document, "/Completed");
    let expected = code != "InProgress";
    let symptom = || {
        if completed.is_none() {
            member_missing("Completed")
        } else {
            member_wrong("Completed")
        }
    };
    let kept = completed.and_then(Value::as_bool) == Some(expected);
    out.judge(
        "DJ-STATE-002",
        kept,
        symptom,
        format!("Completed: {expected} with {code}"),
        || brief(completed.unwrap_or(&Value::Null)),
    );
    if code == "Failed" {
        let kept = completed.and_then(Value::as_bool) == Some(true);
        out.judge(
            "DJ-FAIL-001",
            kept,
            || member_wrong("Completed"),
            "Completed: true with Failed",
            || "not true".to_owned(),
        );
    }
    if code == "Succeeded" {
        if succeeded_without_archive(evidence) {
            out.held("DJ-FAIL-001");
        }
        let message = given(document, "/StatusMessage");
        let kept = message.is_none_or(|message| message == "Succeeded");
        out.judge(
            "DJ-STATE-004",
            kept,
            || member_wrong("StatusMessage"),
            "StatusMessage: Succeeded",
            || brief(message.unwrap_or(&Value::Null)),
        );
    }
}

/// Whether the archive went while the job was under way: then it may succeed or fail.
fn succeeded_without_archive(evidence: &Evidence<'_>) -> bool {
    let Some((now, _, retrieval)) = retrieval_described(evidence) else {
        return false;
    };
    let gone = live_vault(&now.before, now.action())
        .and_then(|vault| vault.archives.get(retrieval.archive));
    let under_way = known_job(now).is_some_and(|job| job.status == JobStatus::InProgress);
    let lived = begun(now, earlier(evidence)).is_some_and(|began| {
        live_vault(&began.before, began.action())
            .and_then(|vault| vault.archives.get(retrieval.archive))
            .is_some_and(|archive| archive.life == Life::Live)
    });
    under_way && lived && gone.is_some_and(|archive| archive.life == Life::Gone)
}

const RESULTS: &[&str] = &[
    "StatusCode",
    "CompletionDate",
    "SHA256TreeHash",
    "InventorySizeInBytes",
    "ArchiveSizeInBytes",
    "ArchiveSHA256TreeHash",
    "RetrievalByteRange",
];

/// A completed job stays as it is.
fn judge_stays(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let completed = |seen: &&Observation| {
        same_job(seen, now)
            && seen.operation == Some(O::DescribeJob)
            && seen.succeeded()
            && seen.member("/Completed") == Some(&Value::Bool(true))
    };
    let Some((first, told)) = earlier(evidence)
        .iter()
        .find(completed)
        .and_then(|first| Some((first, first.document.as_deref()?)))
    else {
        return;
    };
    out.also_rests_on(first.index);
    let changed = RESULTS
        .iter()
        .find(|name| given(document, &format!("/{name}")) != given(told, &format!("/{name}")));
    let symptom = || Symptom::new("completed-job-changes", "a completed job changes");
    out.judge(
        "DJ-STATE-003",
        changed.is_none(),
        symptom,
        "the same results as before",
        || changed.copied().unwrap_or_default().to_owned(),
    );
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A completed job is there for a day; that it still is after a day takes a day to see.
fn judge_retained(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeJob))
    else {
        return;
    };
    let Some(done) = known_job(now).and_then(|job| job.completed_at) else {
        return;
    };
    // Whoever does not know a job in a request of another form does not know that form.
    let plain = now.expectation == Expectation::Accept
        && now.record.tweak.path.is_none()
        && !is_odd(&now.record.tweak);
    if live_vault(&now.before, now.action()).is_none() || !plain {
        return;
    }
    let age = now.exchange().sent_at.0 - done.0;
    let symptom = || Symptom::new("job-forgotten", "a completed job is forgotten within a day");
    match now.status() {
        Some(404) if age < DAY => out.violated(
            "DJ-RETAIN-001",
            symptom(),
            "200 within 24 hours of completion",
            answer(now),
        ),
        Some(404) | None | Some(500..) => {}
        Some(_) if now.succeeded() && age >= DAY => out.held("DJ-RETAIN-001"),
        Some(_) if now.succeeded() => {
            out.inconclusive("DJ-RETAIN-001", "the run is shorter than 24 hours");
        }
        Some(_) => out.violated(
            "DJ-RETAIN-001",
            not_accepted(now),
            "200 within 24 hours of completion",
            answer(now),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, json, status};
    use crate::requirement::Level;

    const DESCRIBE: &str = "DescribeJob: {vault: v, job: j}";

    fn begun() -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then("UploadArchive: {vault: v, archive: a, content: {text: abc}}", status(201).with("x-amz-archive-id", "A"))
            .then("InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}", status(202).with("x-amz-job-id", "J"))
    }

    fn described(told: Value) -> Case {
        begun().then(DESCRIBE, json(200, told))
    }

    #[test]
    fn completed_is_the_opposite_of_in_progress() {
        let right = described(
            json!({"StatusCode": "Succeeded", "Completed": true, "StatusMessage": "Succeeded"}),
        );
        assert!(
            ["DJ-STATE-001", "DJ-STATE-002", "DJ-STATE-004"]
                .iter()
                .all(|id| right.holds(id))
        );
        let text = described(json!({"StatusCode": "InProgress", "Completed": "false"}));
        assert_eq!(text.breaks("DJ-STATE-002"), [("member-wrong", Level::Must)]);
        let odd = described(json!({"StatusCode": "Done", "Completed": true}));
        assert_eq!(odd.breaks("DJ-STATE-001"), [("member-wrong", Level::Must)]);
        assert!(odd.said("DJ-STATE-002").is_empty());
    }

    #[test]
    fn dates_fit_the_state() {
        // Cases made by hand begin at 2013-02-04T17:46:40Z.
        let at = |created: &str, completed: Value, state: &str| {
            described(
                json!({"StatusCode": state, "Completed": state != "InProgress", "CreationDate": created, "CompletionDate": completed}),
            )
        };
        let right = at(
            "2013-02-04T17:46:42.100Z",
            json!("2013-02-04T17:46:42.000Z"),
            "Succeeded",
        );
        assert!(right.holds("DJ-DATE-001") && right.holds("DJ-DATE-002"));
        let early = at(
            "2013-02-04T17:46:42Z",
            json!("2013-02-04T17:46:40Z"),
            "Succeeded",
        );
        assert_eq!(early.breaks("DJ-DATE-002"), [("member-wrong", Level::Must)]);
        let local = at("2013-02-04T18:46:42Z", Value::Null, "InProgress");
        assert_eq!(local.breaks("DJ-DATE-001"), [("member-wrong", Level::Must)]);
        assert!(local.holds("DJ-DATE-002"));
    }

    #[test]
    fn a_completed_job_does_not_change() {
        let done = json!({"JobId": "J", "StatusCode": "Succeeded", "Completed": true, "CompletionDate": "2013-02-04T17:46:42Z"});
        assert!(
            described(done.clone())
                .then(DESCRIBE, json(200, done.clone()))
                .holds("DJ-STATE-003")
        );
        let back = described(done).then(
            DESCRIBE,
            json(200, json!({"StatusCode": "InProgress", "Completed": false})),
        );
        assert_eq!(
            back.breaks("DJ-STATE-003"),
            [("completed-job-changes", Level::Should)]
        );
    }
}
