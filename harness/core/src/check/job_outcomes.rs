//! Rules for job requests that may end in more than one way, or whose end shows later.

use serde_json::Value;

use super::initiate_job::is_only_megabyte_aligned;
use super::jobs::{asked, asks_for, begun, known_job, same_job};
use super::rules::{answer, is_disguised, not_accepted, not_refused, refused_otherwise};
use super::subject::{earlier, is_whole_list, items, retrieval, same_vault, success, text, vault};
use super::vaults::judge_permission;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Life, Refusal};
use crate::requirement::Level;
use crate::scenario::{Action, Signing};
use crate::spec::OperationName as O;

/// What may come of job requests.
pub(super) const CHECKS: &[Check] = &[
    Check::new("unknown-archive", &["IJ-AR-002"], judge_unknown_archive),
    Check::new("unaligned-retrieval", &["IJ-RANGE-005"], judge_unaligned),
    Check::new(
        "expedited",
        &["IJ-TIER-001", "IJ-TIER-005"],
        judge_expedited,
    ),
    Check::new(
        "inventory-begun",
        &["IJ-INV-001", "IJ-INV-012"],
        judge_inventory_begun,
    ),
    Check::new("topic-permitted", &["IJ-SNS-004"], judge_topic),
    Check::new("select-permitted", &["IJ-SEL-004"], judge_select),
    Check::new(
        "retrieval-policy",
        &["IJ-POL-001", "IJ-POL-002", "IJ-POL-003"],
        judge_policy,
    ),
    Check::new("no-cancelling", &["IJ-CANCEL-001"], judge_cancel),
    Check::new("refused-without-job", &["IJ-SIDE-001"], judge_side_effect),
];

/// An archive that was never there: no job begins, or the job fails.
fn judge_unknown_archive(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if now.operation == Some(O::InitiateJob) {
        if now.expectation == Expectation::Refuse(vec![Refusal::ArchiveUnknown]) {
            judge_unknown_archive_asked(now, out);
        }
        return;
    }
    let began = begun(now, earlier(evidence));
    let Some(began) =
        began.filter(|seen| seen.expectation.refusals().first() == Some(&Refusal::ArchiveUnknown))
    else {
        return;
    };
    out.also_rests_on(began.index);
    let comes = || {
        Symptom::new(
            "unknown-archive-accepted",
            "a job for an archive that was never there succeeds",
        )
    };
    match (now.operation, now.status()) {
        (Some(O::DescribeJob), Some(200..300)) => {
            match now.member("/StatusCode").and_then(Value::as_str) {
                Some("Failed") => out.held("IJ-AR-002"),
                Some("Succeeded") => out.violated(
                    "IJ-AR-002",
                    comes(),
                    "404, or StatusCode Failed",
                    "StatusCode Succeeded",
                ),
                _ => {}
            }
        }
        (Some(O::GetJobOutput), Some(200..300)) => {
            out.violated("IJ-AR-002", comes(), "no output", answer(now));
        }
        (Some(O::DescribeJob | O::GetJobOutput), Some(500..))
            if !succeeded_before(now, earlier(evidence)) =>
        {
            let symptom = Symptom::new(
                "unknown-archive-crashes",
                "a job for an archive that was never there ends in a server error",
            );
            out.violated(
                "IJ-AR-002",
                symptom,
                "404, or StatusCode Failed",
                answer(now),
            );
        }
        _ => {}
    }
}

/// Whether an earlier description told that the job succeeded: what its output is does not matter then.
fn succeeded_before(now: &Observation, earlier: &[Observation]) -> bool {
    let told = |seen: &Observation| {
        seen.member("/StatusCode").and_then(Value::as_str) == Some("Succeeded")
    };
    earlier.iter().any(|seen| same_job(seen, now) && told(seen))
}

fn judge_unknown_archive_asked(now: &Observation, out: &mut Judgements) {
    let not_found = now.error_code() == Some("ResourceNotFoundException");
    match now.status() {
        Some(404) if not_found => out.held("IJ-AR-002"),
        Some(400..500) => {
            out.held("IJ-AR-002");
            let common = super::errors::common_fault(now);
            let symptom = common.unwrap_or_else(|| refused_otherwise(Refusal::ArchiveUnknown));
            out.graded(
                "IJ-AR-002",
                Level::Should,
                symptom,
                "404 ResourceNotFoundException",
                answer(now),
            );
        }
        // The job may still fail: its description decides.
        Some(200..300) => {}
        _ => out.violated(
            "IJ-AR-002",
            not_refused(now, Refusal::ArchiveUnknown),
            "404 ResourceNotFoundException",
            answer(now),
        ),
    }
}

/// A range that is no node of the tree is retrieved like any other, from an archive that is still there.
fn judge_unaligned(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeJob) else {
        return;
    };
    let Some(began) = begun(now, earlier(evidence)).filter(|began| is_only_megabyte_aligned(began))
    else {
        return;
    };
    let ended = now
        .member("/StatusCode")
        .and_then(Value::as_str)
        .filter(|code| *code != "InProgress");
    let there = retrieval(&now.before, now.action())
        .is_some_and(|(_, _, archive)| archive.life == Life::Live);
    let Some(code) = ended.filter(|_| there) else {
        return;
    };
    out.also_rests_on(began.index);
    let symptom = || {
        Symptom::new(
            "unaligned-retrieval-fails",
            "a job with a range that is no node of the hash tree fails",
        )
    };
    out.judge(
        "IJ-RANGE-005",
        code == "Succeeded",
        symptom,
        "StatusCode Succeeded",
        || format!("StatusCode {code}"),
    );
}

/// An expedited retrieval begins, or there is no capacity for it: both are documented (AMB-03 for the status).
fn judge_expedited(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if now.expectation != Expectation::Either(vec![Refusal::CapacityInsufficient]) {
        return;
    }
    let short = now.error_code() == Some("InsufficientCapacityException");
    if now.succeeded() {
        out.held("IJ-TIER-001");
        out.held("IJ-TIER-005");
    } else if short && matches!(now.status(), Some(400 | 503)) {
        out.inconclusive(
            "IJ-TIER-001",
            "there was no capacity for an expedited retrieval",
        );
        out.held("IJ-TIER-005");
    } else {
        out.violated(
            "IJ-TIER-001",
            not_accepted(now),
            "202 for Tier Expedited",
            answer(now),
        );
    }
}

/// An inventory may be had at once, or not before the first one was taken (AMB-38).
fn judge_inventory_begun(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| asks_for(now, "inventory-retrieval"))
    else {
        return;
    };
    let early = now.expectation == Expectation::Either(vec![Refusal::InventoryAbsent]);
    // What a disguise of the request does is for the rule about that disguise.
    let disguised = is_disguised(&now.record.tweak) && !now.succeeded();
    if disguised || !early && now.expectation != Expectation::Accept {
        return;
    }
    let absent = now.status() == Some(404) && now.error_code() == Some("ResourceNotFoundException");
    if early && absent {
        out.inconclusive("IJ-INV-001", "the vault has no inventory yet");
        return out.held("IJ-INV-012");
    }
    out.judge(
        "IJ-INV-001",
        now.status() == Some(202),
        || not_accepted(now),
        "202 for an inventory job",
        || answer(now),
    );
    if early && now.succeeded() {
        out.held("IJ-INV-012");
    } else if early {
        out.violated(
            "IJ-INV-012",
            not_accepted(now),
            "202, or 404 before the first inventory",
            answer(now),
        );
    }
}

fn judge_topic(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::InitiateJob))
    else {
        return;
    };
    let strange = asked(now, "/SNSTopic").is_some_and(|topic| !topic.starts_with("arn:"));
    if strange
        && matches!(
            now.expectation,
            Expectation::Silent | Expectation::Either(_)
        )
    {
        judge_permission("IJ-SNS-004", now, out);
    }
}

fn judge_select(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| asks_for(now, "select")) else {
        return;
    };
    if now.expectation == Expectation::Silent && now.record.tweak.signing == Signing::Right {
        judge_permission("IJ-SEL-004", now, out);
    }
}

/// What the data retrieval policy does to retrievals: nothing under None, and only to Standard ones otherwise (AMB-45).
fn judge_policy(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| asks_for(now, "archive-retrieval"))
    else {
        return;
    };
    let strategy = now
        .before
        .retrieval_policy
        .as_ref()
        .and_then(|policy| policy.pointer("/Rules/0/Strategy"));
    let Some(strategy) = strategy.and_then(Value::as_str) else {
        return;
    };
    let enforced = now.error_code() == Some("PolicyEnforcedException");
    let standard = asked(now, "/Tier").is_none_or(|tier| tier == "Standard");
    let symptom = || {
        Symptom::new(
            "policy-enforced-wrongly",
            "a retrieval is refused that the data retrieval policy does not limit",
        )
    };
    match (strategy, standard) {
        ("None", _) if enforced || now.succeeded() => {
            out.judge(
                "IJ-POL-003",
                !enforced,
                symptom,
                "no PolicyEnforcedException under Strategy None",
                || answer(now),
            );
        }
        ("BytesPerHour", true) if now.succeeded() || enforced => {
            let status = || {
                Symptom::new(
                    "refused-otherwise",
                    "PolicyEnforcedException comes with another status",
                )
                .about("policy-enforced")
            };
            out.judge(
                "IJ-POL-001",
                now.succeeded() || now.status() == Some(400),
                status,
                "202 or 400",
                || answer(now),
            );
        }
        ("BytesPerHour", false) if now.succeeded() || enforced => {
            out.judge(
                "IJ-POL-002",
                !enforced,
                symptom,
                "no PolicyEnforcedException: it limits Standard retrievals only",
                || answer(now),
            );
        }
        _ => {}
    }
}

/// There is no way to cancel a job.
fn judge_cancel(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let cancelled = Symptom::new(
        "job-cancelled",
        "a job is cancelled by a DELETE that is not documented",
    );
    if is_cancelling(now) && now.succeeded() {
        return out.violated(
            "IJ-CANCEL-001",
            cancelled,
            "no DELETE on a job",
            answer(now),
        );
    }
    if now.operation != Some(O::DescribeJob) || known_job(now).is_none() {
        return;
    }
    let tried = earlier(evidence)
        .iter()
        .rev()
        .find(|seen| is_cancelling(seen) && same_job(seen, now));
    let Some(tried) = tried.filter(|seen| seen.status().is_some() && !seen.succeeded()) else {
        return;
    };
    out.also_rests_on(tried.index);
    out.judge(
        "IJ-CANCEL-001",
        now.succeeded(),
        || cancelled,
        "the job is still there",
        || answer(now),
    );
}

fn is_cancelling(seen: &Observation) -> bool {
    matches!(seen.action(), Action::DescribeJob { .. })
        && seen.record.tweak.method.as_deref() == Some("DELETE")
}

/// After refusals the whole list of jobs has no job that nobody was told of.
fn judge_side_effect(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListJobs).filter(|now| is_whole_list(now)) else {
        return;
    };
    let attempts = earlier(evidence)
        .iter()
        .filter(|seen| seen.operation == Some(O::InitiateJob) && same_vault(seen, now));
    let attempts: Vec<&Observation> = attempts.collect();
    let clear = |seen: &&Observation| seen.status().is_some_and(|status| status < 500);
    let refusals = attempts.iter().filter(|seen| seen.is_refused()).count();
    let (Some(vault), Some(list)) = (vault(&now.before, now.action()), items(now, "JobList"))
    else {
        return;
    };
    if refusals == 0 || !attempts.iter().all(clear) {
        return;
    }
    let known = |id: &str| vault.jobs.values().any(|job| job.id == id);
    let strangers = list
        .iter()
        .filter(|job| text(job, "JobId").is_some_and(|id| !known(id)))
        .count();
    let symptom = || {
        Symptom::new(
            "refused-but-begun",
            "a job begins although its request was refused",
        )
    };
    out.judge(
        "IJ-SIDE-001",
        strangers == 0,
        symptom,
        "only jobs that were accepted",
        || format!("{strangers} others"),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, error, json, status};
    use crate::requirement::Level;

    fn vault() -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(
                "UploadArchive: {vault: v, archive: a, content: {text: abc}}",
                status(201).with("x-amz-archive-id", "A"),
            )
    }

    const UNKNOWN: &str = "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:?a}'}}";

    fn state(code: &str) -> Value {
        json!({"JobId": "J", "StatusCode": code, "Completed": code != "InProgress"})
    }

    #[test]
    fn an_unknown_archive_is_refused_or_its_job_fails() {
        assert!(
            vault()
                .then(UNKNOWN, error(404, "ResourceNotFoundException"))
                .holds("IJ-AR-002")
        );
        let other = vault().then(UNKNOWN, error(400, "InvalidParameterValueException"));
        assert_eq!(
            other.breaks("IJ-AR-002"),
            [("refused-otherwise", Level::Should)]
        );
        let accepted = || vault().then(UNKNOWN, status(202).with("x-amz-job-id", "J"));
        assert!(accepted().said("IJ-AR-002").is_empty());
        let described =
            |code| accepted().then("DescribeJob: {vault: v, job: j}", json(200, state(code)));
        assert!(described("Failed").holds("IJ-AR-002"));
        assert_eq!(
            described("Succeeded").breaks("IJ-AR-002"),
            [("unknown-archive-accepted", Level::Must)]
        );
        let crashed = accepted().then("DescribeJob: {vault: v, job: j}", status(500));
        assert_eq!(
            crashed.breaks("IJ-AR-002"),
            [("unknown-archive-crashes", Level::Must)]
        );
    }

    #[test]
    fn a_range_that_is_no_node_is_retrieved_while_its_archive_is_there() {
        let upload =
            "UploadArchive: {vault: v, archive: b, content: {generated: {seed: 1, length: 3 MiB}}}";
        let retrieve = "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:b}', RetrievalByteRange: 1048576-3145727}}";
        let begun = || {
            vault()
                .then(upload, status(201).with("x-amz-archive-id", "B"))
                .then(retrieve, status(202).with("x-amz-job-id", "J"))
        };
        let ended = |case: Case| {
            case.then(
                "DescribeJob: {vault: v, job: j}",
                json(200, state("Failed")),
            )
        };
        assert_eq!(
            ended(begun()).breaks("IJ-RANGE-005"),
            [("unaligned-retrieval-fails", Level::Must)]
        );
        let deleted = begun().then("DeleteArchive: {vault: v, archive: b}", status(204));
        assert!(ended(deleted).breaks("IJ-RANGE-005").is_empty());
    }

    #[test]
    fn an_inventory_is_there_at_once_or_comes_later() {
        let asked = "InitiateJob: {vault: v, job: i, body: {Type: inventory-retrieval}}";
        let later = vault().then(asked, error(404, "ResourceNotFoundException"));
        assert!(later.holds("IJ-INV-012") && later.breaks("IJ-INV-001").is_empty());
        let at_once = vault().then(asked, status(202).with("x-amz-job-id", "I"));
        assert!(at_once.holds("IJ-INV-012") && at_once.holds("IJ-INV-001"));
        let broken = at_once.then(asked, error(404, "ResourceNotFoundException"));
        assert_eq!(
            broken.breaks("IJ-INV-001"),
            [("refused-valid", Level::Must)]
        );
    }

    #[test]
    fn a_refused_request_leaves_no_job() {
        let refused = || {
            vault().then(
                "InitiateJob: {vault: v, job: j, body: {Type: foo}}",
                error(400, "InvalidParameterValueException"),
            )
        };
        let list = |jobs: Value| json(200, json!({"JobList": jobs, "Marker": null}));
        assert!(
            refused()
                .then("ListJobs: {vault: v}", list(json!([])))
                .holds("IJ-SIDE-001")
        );
        let left = refused().then("ListJobs: {vault: v}", list(json!([state("InProgress")])));
        assert_eq!(
            left.breaks("IJ-SIDE-001"),
            [("refused-but-begun", Level::Should)]
        );
    }
}
