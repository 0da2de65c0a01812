//! Rules for the description of a job: its form, its dates and states, and what it repeats of the request.

use std::collections::BTreeSet;

use serde_json::Value;

use super::jobs::{Retrieval, given, known_job, member_missing, member_wrong};
use super::rules::{AcceptanceRule, Demand, RefusalRule, answer, judge_acceptance, judge_refusal};
use super::shape::{brief, shorten};
use super::subject::{earlier, live_vault, success, vault_name};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{JobKind, Refusal};
use crate::requirement::Level;
use crate::scenario::{Action, PathForm};
use crate::spec::OperationName as O;

/// Descriptions of jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new("job-described", &["DJ-STATUS-001"], |evidence, out| {
        judge_acceptance(ACCEPTED, evidence, out);
    }),
    Check::new(
        "job-description-refused",
        &["DJ-404-001", "DJ-404-002"],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new("job-description-status", &["DJ-STATUS-001"], judge_status),
    Check::new("job-description-members", &["DJ-BODY-001"], judge_members),
    Check::new("job-description-types", &["DJ-TYPE-001"], judge_types),
    Check::new("job-description-alike", &["DJ-BODY-002"], judge_alike),
    Check::new(
        "job-identity",
        &["DJ-ACTION-001", "DJ-ID-001"],
        judge_identity,
    ),
    Check::new("job-list-by-slash", &["DJ-LIST-001"], judge_empty_id),
];

const ACCEPTED: &[AcceptanceRule] = &[AcceptanceRule::example(
    "DJ-STATUS-001",
    O::DescribeJob,
    |now| now.record.tweak.path.is_none(),
)];

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new(
        "DJ-404-001",
        &[O::DescribeJob],
        &[Refusal::JobUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
    RefusalRule::new(
        "DJ-404-002",
        &[O::DescribeJob],
        &[Refusal::JobForeign],
        Demand::Refused,
    ),
];

/// A description that came rightly, and the document it is.
pub(super) fn described<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Value)> {
    let now = success(evidence, O::DescribeJob)?;
    let document = now
        .document
        .as_deref()
        .filter(|document| document.is_object())?;
    known_job(now).map(|_| (now, document))
}

/// The retrieval that is described.
pub(super) fn retrieval_described<'a>(
    evidence: &Evidence<'a>,
) -> Option<(&'a Observation, &'a Value, Retrieval<'a>)> {
    let (now, document) = described(evidence)?;
    Some((now, document, Retrieval::of(known_job(now)?)?))
}

/// `StatusCode` of a description.
pub(super) fn state(document: &Value) -> Option<&str> {
    document.get("StatusCode")?.as_str()
}

/// Whether the job that is described is an inventory.
pub(super) fn is_inventory(now: &Observation) -> bool {
    known_job(now).is_some_and(|job| matches!(job.kind, JobKind::Inventory { .. }))
}

/// 200 or 201 is demanded, since both stand on the page; 200 is expected (AMB-02).
fn judge_status(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeJob) else {
        return;
    };
    let symptom = || {
        Symptom::new(
            "success-status",
            "DescribeJob succeeds with another status than 200",
        )
        .about("DescribeJob")
    };
    match (
        now.status(),
        now.document.as_deref().is_some_and(Value::is_object),
    ) {
        (Some(200), true) => {}
        (Some(201), true) => out.graded(
            "DJ-STATUS-001",
            Level::Should,
            symptom(),
            "200",
            answer(now),
        ),
        (Some(200 | 201), false) => {
            let shape = Symptom::new("not-an-object", "a description of a job is no JSON object");
            out.violated(
                "DJ-STATUS-001",
                shape,
                "a JSON object",
                format!("{} bytes", now.response().map_or(0, |r| r.body.length)),
            );
        }
        _ => out.violated("DJ-STATUS-001", symptom(), "200 (or 201)", answer(now)),
    }
}

const ALWAYS: &[&str] = &[
    "Action",
    "Completed",
    "CreationDate",
    "JobId",
    "StatusCode",
    "VaultARN",
];
const OF_RETRIEVALS: &[&str] = &[
    "ArchiveId",
    "ArchiveSizeInBytes",
    "ArchiveSHA256TreeHash",
    "RetrievalByteRange",
];

fn judge_members(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let retrieval = known_job(now).and_then(Retrieval::of).is_some();
    let wanted = ALWAYS
        .iter()
        .chain(OF_RETRIEVALS.iter().filter(|_| retrieval));
    let missing: Vec<&'static str> = wanted
        .copied()
        .filter(|name| given(document, &format!("/{name}")).is_none())
        .collect();
    for name in &missing {
        out.violated(
            "DJ-BODY-001",
            member_missing(name),
            format!("{name} with a value"),
            "null or absent",
        );
    }
    if missing.is_empty() {
        out.held("DJ-BODY-001");
    }
}

const NUMBERS: &[&str] = &["ArchiveSizeInBytes", "InventorySizeInBytes"];
const OBJECTS: &[&str] = &[
    "InventoryRetrievalParameters",
    "SelectParameters",
    "OutputLocation",
];
const TEXTS: &[&str] = &[
    "Action",
    "ArchiveId",
    "ArchiveSHA256TreeHash",
    "CompletionDate",
    "CreationDate",
    "JobDescription",
    "JobId",
    "JobOutputPath",
    "RetrievalByteRange",
    "SHA256TreeHash",
    "SNSTopic",
    "StatusCode",
    "StatusMessage",
    "Tier",
    "VaultARN",
];

/// What a value is, in words, and whether one is that.
type Kind = (&'static str, fn(&Value) -> bool);

fn kind_of(name: &str) -> Option<Kind> {
    match name {
        "Completed" => Some(("a boolean", Value::is_boolean)),
        _ if NUMBERS.contains(&name) => Some(("a number", Value::is_u64)),
        _ if OBJECTS.contains(&name) => Some(("an object", Value::is_object)),
        _ if TEXTS.contains(&name) => Some(("a string", Value::is_string)),
        _ => None,
    }
}

fn judge_types(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document)) = described(evidence) else {
        return;
    };
    let mut sound = true;
    for (name, value) in document
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
    {
        let Some((phrase, fits)) = kind_of(name) else {
            continue;
        };
        if !fits(value) {
            sound = false;
            let symptom = Symptom::new(
                "member-type",
                format!("{name} of DescribeJob is not {phrase}"),
            )
            .about(format!("DescribeJob.{name}"));
            out.violated(
                "DJ-TYPE-001",
                symptom,
                format!("{name}: {phrase}"),
                brief(value),
            );
        }
    }
    if sound {
        out.held("DJ-TYPE-001");
    }
}

/// Members that newer editions added or that appear irregularly (AMB-20).
const IRREGULAR: &[&str] = &[
    "JobOutputPath",
    "OutputLocation",
    "SelectParameters",
    "NextInventoryRetrievalMarker",
    "StatusMessage",
    "Tier",
];

fn members(document: &Value) -> BTreeSet<&str> {
    let names = document
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys().map(String::as_str));
    names.filter(|name| !IRREGULAR.contains(name)).collect()
}

/// Archive and inventory jobs are described by the same members.
fn judge_alike(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let other = earlier(evidence).iter().rev().find(|seen| {
        let kinds =
            seen.operation == Some(O::DescribeJob) && seen.succeeded() && known_job(seen).is_some();
        kinds && is_inventory(seen) != is_inventory(now)
    });
    let Some((other, told)) = other.and_then(|other| Some((other, other.document.as_deref()?)))
    else {
        return;
    };
    out.also_rests_on(other.index);
    let (these, those) = (members(document), members(told));
    let odd: Vec<&str> = these.symmetric_difference(&those).copied().collect();
    let symptom = || {
        Symptom::new(
            "members-left-out",
            "members that do not apply are left out instead of null",
        )
    };
    out.judge(
        "DJ-BODY-002",
        odd.is_empty(),
        symptom,
        "the same members for both kinds of job",
        || format!("only one has {}", odd.join(", ")),
    );
}

fn judge_identity(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, _)) = described(evidence) else {
        return;
    };
    let Some(job) = known_job(now) else { return };
    let action = if is_inventory(now) {
        "InventoryRetrieval"
    } else {
        "ArchiveRetrieval"
    };
    judge_text("DJ-ACTION-001", now, "Action", action, out);
    judge_text("DJ-ID-001", now, "JobId", &job.id, out);
    if let (Some(name), Some(arn)) = (
        vault_name(now),
        now.member("/VaultARN").and_then(Value::as_str),
    ) {
        let kept = arn.ends_with(&format!(":vaults/{name}"));
        out.judge(
            "DJ-ID-001",
            kept,
            || member_wrong("VaultARN"),
            format!("VaultARN of {name}"),
            || shorten(arn),
        );
    }
}

/// Judges that a member is this text.
pub(super) fn judge_text(
    requirement: &'static str,
    now: &Observation,
    name: &'static str,
    expected: &str,
    out: &mut Judgements,
) {
    let value = now.member(&format!("/{name}"));
    let symptom = || {
        if value.is_none() {
            member_missing(name)
        } else {
            member_wrong(name)
        }
    };
    let kept = value.and_then(Value::as_str) == Some(expected);
    out.judge(
        requirement,
        kept,
        symptom,
        format!("{name}: {}", shorten(expected)),
        || brief(value.unwrap_or(&Value::Null)),
    );
}

/// An empty job id asks for the list of jobs, or for nothing that is there (AMB-56).
fn judge_empty_id(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let slash = matches!(now.action(), Action::ListJobs { .. })
        && now.record.tweak.path == Some(PathForm::TrailingSlash);
    if !slash || live_vault(&now.before, now.action()).is_none() {
        return;
    }
    let list = now.status() == Some(200) && now.member("/JobList").is_some_and(Value::is_array);
    let refused = now.is_refused();
    let symptom = || {
        Symptom::new(
            "empty-job-id",
            "an empty job id is answered neither with the list of jobs nor with a refusal",
        )
    };
    out.judge(
        "DJ-LIST-001",
        list || refused,
        symptom,
        "the list of jobs, or a 4xx",
        || answer(now),
    );
}
