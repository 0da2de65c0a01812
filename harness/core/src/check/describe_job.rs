//! Rules for the description of a job: its form, its dates and states, and what it repeats of the request.

use std::collections::BTreeSet;

use serde_json::Value;

use super::jobs::{
    Retrieval, begun, given, known_job, member_missing, member_wrong, parameters,
    retrieval_range_ignored, same_job, time,
};
use super::rules::{
    AcceptanceRule, Demand, RefusalRule, answer, judge_acceptance, judge_refusal, not_accepted,
};
use super::shape::{brief, shorten};
use super::subject::{earlier, header, live_vault, success, vault_name};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, JobKind, JobStatus, Life, Refusal};
use crate::range::{ByteRange, parse_retrieval_range};
use crate::requirement::Level;
use crate::scenario::{Action, PathForm};
use crate::spec::OperationName as O;
use crate::treehash::Digest;

/// Descriptions of jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new("job-described", &["DJ-STATUS-001"], |evidence, out| {
        judge_acceptance(ACCEPTED, evidence, out)
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
    Check::new(
        "job-archive",
        &[
            "DJ-AR-001",
            "DJ-AR-002",
            "DJ-AR-003",
            "DJ-AR-010",
            "DJ-AR-011",
        ],
        judge_archive,
    ),
    Check::new(
        "job-range",
        &["DJ-AR-004", "DJ-AR-005", "IJ-RANGE-009"],
        judge_range,
    ),
    Check::new(
        "job-tier",
        &["IJ-TIER-002", "IJ-TIER-004", "DJ-INV-005"],
        judge_tier,
    ),
    Check::new("job-description-kept", &["IJ-DESC-001"], judge_description),
    Check::new("job-topic", &["IJ-SNS-001"], judge_topic),
    Check::new("job-without-topic", &["DJ-SNS-001"], judge_absent),
    Check::new(
        "inventory-job",
        &["DJ-INV-001", "DJ-INV-002"],
        judge_inventory,
    ),
    Check::new(
        "inventory-parameters",
        &["DJ-INV-003", "DJ-INV-004"],
        judge_inventory_parameters,
    ),
    Check::new("job-list-by-slash", &["DJ-LIST-001"], judge_empty_id),
];

const ACCEPTED: &[AcceptanceRule] = &[AcceptanceRule::general("DJ-STATUS-001", O::DescribeJob)];

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

fn is_inventory(now: &Observation) -> bool {
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

fn kind_of(name: &str) -> Option<(&'static str, fn(&Value) -> bool)> {
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
fn judge_text(
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
        .and_then(|text| text.parse::<Timestamp>().ok());
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
    if live_vault(&now.before, now.action()).is_none() || now.expectation != Expectation::Accept {
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
            out.inconclusive("DJ-RETAIN-001", "the run is shorter than 24 hours")
        }
        Some(_) => out.violated(
            "DJ-RETAIN-001",
            not_accepted(now),
            "200 within 24 hours of completion",
            answer(now),
        ),
    }
}

/// Members that only other kinds of job have.
fn judge_null(
    requirement: &'static str,
    document: &Value,
    names: &[&'static str],
    out: &mut Judgements,
) {
    let told = names
        .iter()
        .copied()
        .find(|name| given(document, &format!("/{name}")).is_some());
    let symptom = || {
        let name = told.unwrap_or_default();
        Symptom::new(
            "member-unexpected",
            format!("DescribeJob tells {name} where it does not apply"),
        )
        .about(format!("DescribeJob.{name}"))
    };
    out.judge(
        requirement,
        told.is_none(),
        symptom,
        "null or absent",
        || {
            told.map_or_else(String::new, |name| {
                format!("{name}: {}", brief(&document[name]))
            })
        },
    );
}

fn judge_archive(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document, retrieval)) = retrieval_described(evidence) else {
        return;
    };
    judge_text("DJ-AR-001", now, "ArchiveId", retrieval.archive_id, out);
    let size = given(document, "/ArchiveSizeInBytes");
    let told = || brief(size.unwrap_or(&Value::Null));
    let kept = size.and_then(Value::as_u64) == Some(retrieval.size());
    let symptom = || {
        if size.is_none() {
            member_missing("ArchiveSizeInBytes")
        } else {
            member_wrong("ArchiveSizeInBytes")
        }
    };
    out.judge(
        "DJ-AR-002",
        kept,
        symptom,
        format!("ArchiveSizeInBytes: {}", retrieval.size()),
        told,
    );
    judge_archive_hash(document, retrieval, out);
    judge_null("DJ-AR-010", document, &["InventorySizeInBytes"], out);
    judge_null(
        "DJ-AR-011",
        document,
        &[
            "InventoryRetrievalParameters",
            "SelectParameters",
            "OutputLocation",
            "JobOutputPath",
        ],
        out,
    );
}

fn judge_archive_hash(document: &Value, retrieval: Retrieval<'_>, out: &mut Judgements) {
    let right = retrieval.tree_hash;
    let expected = format!("ArchiveSHA256TreeHash: {right}");
    match given(document, "/ArchiveSHA256TreeHash").and_then(Value::as_str) {
        None => out.violated(
            "DJ-AR-003",
            member_missing("ArchiveSHA256TreeHash"),
            expected,
            "null or absent",
        ),
        Some(told) => {
            let symptom = || super::treehash::wrong_hash(retrieval.content, told);
            out.judge(
                "DJ-AR-003",
                told.parse::<Digest>() == Ok(right),
                symptom,
                expected,
                || shorten(told),
            );
        }
    }
}

fn judge_range(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document, retrieval)) = retrieval_described(evidence) else {
        return;
    };
    let asked = begun(now, earlier(evidence))
        .and_then(|began| super::jobs::asked(began, "/RetrievalByteRange"));
    let requirements: &[&'static str] = match &asked {
        None => &["DJ-AR-004"],
        Some(_) if retrieval.is_whole() && state(document) == Some("Succeeded") => {
            &["DJ-AR-005", "IJ-RANGE-009"]
        }
        Some(_) => &["DJ-AR-005"],
    };
    let told = given(document, "/RetrievalByteRange").and_then(Value::as_str);
    let kept = told.and_then(parse_retrieval_range) == Some(retrieval.range);
    let whole = told.is_none()
        || told.and_then(parse_retrieval_range) == ByteRange::whole(retrieval.size());
    for &requirement in requirements {
        let symptom = || match (&asked, told) {
            (Some(_), _) if whole && !retrieval.is_whole() => retrieval_range_ignored(),
            (_, None) => member_missing("RetrievalByteRange"),
            _ => member_wrong("RetrievalByteRange"),
        };
        let actual = || told.map_or_else(|| "null or absent".to_owned(), shorten);
        out.judge(
            requirement,
            kept,
            symptom,
            format!("RetrievalByteRange: {}", retrieval.range),
            actual,
        );
    }
}

fn judge_tier(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let tier = given(document, "/Tier").and_then(Value::as_str);
    let told = || tier.unwrap_or("null or absent").to_owned();
    if is_inventory(now) {
        let kept = tier.is_none_or(|tier| ["Expedited", "Standard", "Bulk"].contains(&tier));
        return out.judge(
            "DJ-INV-005",
            kept,
            || member_wrong("Tier"),
            "no Tier, or the name of one",
            told,
        );
    }
    let Some(began) = begun(now, earlier(evidence)) else {
        return;
    };
    match (super::jobs::asked(began, "/Tier"), tier) {
        (Some(asked), _) => {
            let symptom = || {
                Symptom::new(
                    "tier-ignored",
                    "jobs do not tell the tier that was asked for",
                )
            };
            out.judge(
                "IJ-TIER-004",
                tier == Some(asked.as_str()),
                symptom,
                format!("Tier: {asked}"),
                told,
            );
        }
        (None, Some(tier)) => {
            out.judge(
                "IJ-TIER-002",
                tier == "Standard",
                || member_wrong("Tier"),
                "Tier: Standard",
                || tier.to_owned(),
            );
        }
        (None, None) => {
            out.held("IJ-TIER-002");
            out.graded(
                "IJ-TIER-002",
                Level::Should,
                member_missing("Tier"),
                "Tier: Standard",
                "null or absent",
            );
        }
    }
}

fn judge_description(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, _)) = described(evidence) else {
        return;
    };
    let asked =
        begun(now, earlier(evidence)).and_then(|began| super::jobs::asked(began, "/Description"));
    if let Some(asked) = asked.filter(|text| !text.is_empty()) {
        judge_text("IJ-DESC-001", now, "JobDescription", &asked, out);
    }
}

/// A topic the target took is told again; one it did not take decides nothing (AMB-53).
fn judge_topic(evidence: &Evidence<'_>, out: &mut Judgements) {
    if let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::InitiateJob))
    {
        let arn =
            super::jobs::asked(now, "/SNSTopic").is_some_and(|topic| topic.starts_with("arn:"));
        let refused = now
            .status()
            .is_some_and(|status| (400..500).contains(&status));
        if arn && refused && now.expectation == Expectation::Either(vec![Refusal::TopicInvalid]) {
            out.inconclusive("IJ-SNS-001", "the target does not know the topic");
        }
    }
    let Some((now, _)) = described(evidence) else {
        return;
    };
    let asked =
        begun(now, earlier(evidence)).and_then(|began| super::jobs::asked(began, "/SNSTopic"));
    if let Some(asked) = asked.filter(|topic| topic.starts_with("arn:")) {
        judge_text("IJ-SNS-001", now, "SNSTopic", &asked, out);
    }
}

/// What was not given is not told.
fn judge_absent(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let Some(sent) = begun(now, earlier(evidence)).and_then(parameters) else {
        return;
    };
    let unconfigured =
        live_vault(&now.before, now.action()).is_some_and(|vault| vault.notifications.is_none());
    let names = [("Description", "JobDescription"), ("SNSTopic", "SNSTopic")];
    let absent = names
        .iter()
        .filter(|(asked, _)| given(&sent, &format!("/{asked}")).is_none())
        .map(|(_, told)| *told);
    let absent: Vec<&'static str> = absent.collect();
    if unconfigured && !absent.is_empty() {
        judge_null("DJ-SNS-001", document, &absent, out);
    }
}

fn judge_inventory(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document)) = described(evidence).filter(|(now, _)| is_inventory(now)) else {
        return;
    };
    let foreign = [
        "ArchiveId",
        "ArchiveSizeInBytes",
        "ArchiveSHA256TreeHash",
        "RetrievalByteRange",
        "SHA256TreeHash",
    ];
    judge_null("DJ-INV-001", document, &foreign, out);
    let size = given(document, "/InventorySizeInBytes");
    match state(document) {
        Some("InProgress") => {
            out.judge(
                "DJ-INV-002",
                size.is_none(),
                || member_wrong("InventorySizeInBytes"),
                "no InventorySizeInBytes while InProgress",
                || brief(size.unwrap_or(&Value::Null)),
            );
        }
        Some("Succeeded") if size.is_none() => {
            let expected = "InventorySizeInBytes: the bytes of the output";
            out.violated(
                "DJ-INV-002",
                member_missing("InventorySizeInBytes"),
                expected,
                "null or absent",
            );
        }
        _ => {}
    }
}

/// Dates are told as the same instants, everything else as the same text.
fn same_value(name: &str, asked: &str, told: &str) -> bool {
    let instant = |text: &str| {
        text.parse::<Timestamp>()
            .ok()
            .or_else(|| Timestamp::parse_basic(text))
    };
    if name.ends_with("Date") {
        instant(asked).is_some() && instant(asked) == instant(told)
    } else {
        asked == told
    }
}

fn judge_inventory_parameters(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence).filter(|(now, _)| is_inventory(now)) else {
        return;
    };
    let Some(sent) = begun(now, earlier(evidence)).and_then(parameters) else {
        return;
    };
    let told = given(document, "/InventoryRetrievalParameters");
    let format = given(&sent, "/Format").and_then(Value::as_str);
    let asked: Vec<(&str, &str)> = ["StartDate", "EndDate", "Limit"]
        .into_iter()
        .filter_map(|name| {
            Some((
                name,
                given(&sent, &format!("/InventoryRetrievalParameters/{name}"))?.as_str()?,
            ))
        })
        .chain(format.map(|format| ("Format", format)))
        .collect();
    if given(&sent, "/InventoryRetrievalParameters").is_none() {
        judge_plain_parameters(told, out);
    }
    let of = |name: &str| {
        told.and_then(|told| given(told, &format!("/{name}")))
            .and_then(Value::as_str)
    };
    let wrong = asked
        .iter()
        .find(|(name, asked)| !of(name).is_some_and(|told| same_value(name, asked, told)));
    if asked.is_empty() {
        return;
    }
    let symptom = || {
        let name = wrong.map_or("", |(name, _)| *name);
        let title =
            format!("DescribeJob does not tell {name} of an inventory job as it was asked for");
        Symptom::new("inventory-parameters-lost", title)
    };
    let expected = wrong.map_or_else(String::new, |(name, asked)| format!("{name}: {asked}"));
    out.judge("DJ-INV-003", wrong.is_none(), symptom, expected, || {
        brief(told.unwrap_or(&Value::Null))
    });
}

/// Without parameters an object with nothing but its format; null for all of it is tolerated.
fn judge_plain_parameters(told: Option<&Value>, out: &mut Judgements) {
    let symptom = || member_wrong("InventoryRetrievalParameters");
    let expected = "an object with Format JSON or CSV and nothing else";
    let Some(told) = told else {
        return out.graded(
            "DJ-INV-004",
            Level::May,
            symptom(),
            expected,
            "null or absent",
        );
    };
    let format = given(told, "/Format").and_then(Value::as_str);
    let rest = ["StartDate", "EndDate", "Limit", "Marker"]
        .iter()
        .all(|name| given(told, &format!("/{name}")).is_none());
    out.judge(
        "DJ-INV-004",
        matches!(format, Some("JSON" | "CSV")) && rest,
        symptom,
        expected,
        || brief(told),
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
    let refused = now
        .status()
        .is_some_and(|status| (400..500).contains(&status));
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
