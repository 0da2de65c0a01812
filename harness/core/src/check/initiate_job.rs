//! Rules for starting jobs: what is accepted, what is refused, and what the answer tells.

use serde_json::Value;

use super::jobs::{
    asked, asked_range, asks_for, begun, known_job, parameters, ranges_were_ignored,
    retrieval_range_ignored,
};
use super::location::{identifier, judge_made};
use super::rules::{
    AcceptanceRule, Demand, RefusalCase, RefusalRule, answer, judge_acceptance, judge_refusal,
    judge_refusal_cases, judge_refusal_graded, not_accepted, not_refused, refused_otherwise,
};
use super::subject::{earlier, header, is_whole_list, items, same_vault, success, text, vault};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Refusal};
use crate::requirement::Level;
use crate::scenario::{Action, PathForm, Signing};
use crate::spec::OperationName as O;
use crate::treehash::{MIB, tree_hash_aligned};

/// Starting jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "job-accepted",
        &[
            "IJ-STATUS-001",
            "IJ-BODY-001",
            "IJ-BODY-003",
            "IJ-BODY-004",
            "IJ-RANGE-001",
            "IJ-RANGE-002",
            "IJ-RANGE-005",
            "IJ-RANGE-009",
            "IJ-TIER-001",
        ],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
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

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("IJ-STATUS-001", O::InitiateJob),
    AcceptanceRule::general("IJ-BODY-001", O::InitiateJob),
    AcceptanceRule::example("IJ-BODY-003", O::InitiateJob, has_content_type),
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

const BAD_REQUEST: Demand = Demand::Status(&[400]);

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

fn has_content_type(now: &Observation) -> bool {
    now.record
        .tweak
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("content-type"))
}

fn has_explicit_null(now: &Observation) -> bool {
    let document = parameters(now);
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

fn is_only_megabyte_aligned(now: &Observation) -> bool {
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
    let refused = evidence
        .exchange()
        .and_then(Observation::status)
        .is_some_and(|status| (400..500).contains(&status));
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
    let symptom = || Symptom::new("location-dead", "the Location of a job does not lead to it");
    out.judge(
        "IJ-HDR-002",
        now.succeeded(),
        symptom,
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
            out.violated("IJ-AR-002", comes(), "no output", answer(now))
        }
        (Some(O::DescribeJob | O::GetJobOutput), Some(500..)) => {
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

fn judge_unknown_archive_asked(now: &Observation, out: &mut Judgements) {
    let not_found = now
        .response()
        .and_then(|response| response.error_code())
        .as_deref()
        == Some("ResourceNotFoundException");
    match now.status() {
        Some(404) if not_found => out.held("IJ-AR-002"),
        Some(400..500) => {
            out.held("IJ-AR-002");
            let symptom = refused_otherwise(Refusal::ArchiveUnknown);
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

/// A range that is no node of the tree is retrieved like any other.
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
    let (Some(code), Some(_)) = (ended, known_job(now)) else {
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
    let short = now
        .response()
        .and_then(|response| response.error_code())
        .as_deref()
        == Some("InsufficientCapacityException");
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
    if !early && now.expectation != Expectation::Accept {
        return;
    }
    let absent = now.status() == Some(404)
        && now
            .response()
            .and_then(|response| response.error_code())
            .as_deref()
            == Some("ResourceNotFoundException");
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
        super::vaults::judge_permission("IJ-SNS-004", now, out);
    }
}

fn judge_select(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| asks_for(now, "select")) else {
        return;
    };
    if now.expectation == Expectation::Silent && now.record.tweak.signing == Signing::Right {
        super::vaults::judge_permission("IJ-SEL-004", now, out);
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
    let enforced = now
        .response()
        .and_then(|response| response.error_code())
        .as_deref()
        == Some("PolicyEnforcedException");
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
        .find(|seen| is_cancelling(seen) && super::jobs::same_job(seen, now));
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
    let refusals = attempts
        .iter()
        .filter(|seen| {
            seen.status()
                .is_some_and(|status| (400..500).contains(&status))
        })
        .count();
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
