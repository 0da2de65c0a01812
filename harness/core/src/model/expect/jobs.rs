//! Jobs: what starts one, who may see it, and when its output can be had.

use serde_json::Value;

use super::{Given, Number, Reasons, document, expect_page, member, query, text};
use crate::amz_date::Timestamp;
use crate::model::{Archive, Job, JobKind, JobStatus, Life, Model, Refusal};
use crate::range::{RangeHeader, Resolved, parse_range_header, parse_retrieval_range};
use crate::scenario::{Action, JsonBody, Ref, Tweak};
use crate::treehash::on_megabytes;

const TIERS: [&str; 3] = ["Expedited", "Standard", "Bulk"];
const STATES: [&str; 3] = ["InProgress", "Succeeded", "Failed"];

impl Model {
    pub(super) fn expect_jobs(
        &self,
        action: &Action,
        tweak: &Tweak,
        now: Timestamp,
        reasons: &mut Reasons,
    ) {
        match action {
            Action::InitiateJob { vault, body, .. } => {
                match document(body, Refusal::JobParametersMissing) {
                    Err(refusal) => reasons.must(refusal),
                    Ok(parameters) => self.expect_parameters(vault, &parameters, body, reasons),
                }
            }
            Action::DescribeJob { vault, job } => {
                self.visible_job(vault, job, now, reasons);
            }
            Action::ListJobs {
                page,
                completed,
                statuscode,
                ..
            } => {
                expect_page(page, tweak, 50, reasons);
                expect_filters(
                    filter(tweak, "completed", completed),
                    filter(tweak, "statuscode", statuscode),
                    reasons,
                );
            }
            Action::GetJobOutput { vault, job, range } => {
                if let Some(job) = self.visible_job(vault, job, now, reasons) {
                    if self.retrieves_deleted(vault, job) {
                        return self.expect_failure(job, reasons);
                    }
                    expect_output(job, range.as_deref(), tweak, reasons);
                }
            }
            _ => {}
        }
    }

    fn visible_job(
        &self,
        vault: &Ref,
        named: &Ref,
        now: Timestamp,
        reasons: &mut Reasons,
    ) -> Option<&Job> {
        let known = self
            .handle_of::<Job>(named)
            .and_then(|handle| self.job(vault, handle));
        let Some((home, job)) = known else {
            reasons.must_name_something(named, Refusal::JobUnknown);
            return None;
        };
        if Some(home) != self.home(vault) {
            reasons.must(Refusal::JobForeign);
            return None;
        }
        if job.doubtful {
            reasons.block("the job is in doubt");
            return None;
        }
        // "At least 24 hours" after its completion a job is there; nobody says how much longer (AMB-42).
        if job
            .completed_at
            .is_some_and(|done| now.0 - done.0 > super::DAY_MILLIS)
        {
            reasons.may(Refusal::JobExpired);
        }
        Some(job)
    }

    /// A job for an archive that was deleted before it: it fails, sooner or later (DA-EFFECT-001).
    fn expect_failure(&self, job: &Job, reasons: &mut Reasons) {
        match job.status {
            JobStatus::InProgress => {
                reasons.may(Refusal::JobNotReady);
                reasons.may(Refusal::JobFailed);
            }
            JobStatus::Failed => reasons.must(Refusal::JobFailed),
            JobStatus::Succeeded => {
                reasons.block("the archive was deleted before the job that retrieved it");
            }
        }
    }

    fn expect_parameters(
        &self,
        vault: &Ref,
        parameters: &Value,
        body: &JsonBody,
        reasons: &mut Reasons,
    ) {
        if parameters.get("jobParameters").is_some() {
            // Beside a Type it is one more unknown member.
            return match member(parameters, "Type") {
                None => reasons.must(Refusal::JobParametersWrapped),
                Some(_) => reasons.silent(),
            };
        }
        if repeats_a_member(body)
            || has_others(
                parameters,
                &[
                    "Type",
                    "ArchiveId",
                    "Description",
                    "Format",
                    "InventoryRetrievalParameters",
                    "OutputLocation",
                    "RetrievalByteRange",
                    "SelectParameters",
                    "SNSTopic",
                    "Tier",
                ],
            )
        {
            reasons.silent();
        }
        match text(parameters, "Type", reasons) {
            None if member(parameters, "Type").is_none() => {
                return reasons.must(Refusal::JobTypeMissing);
            }
            None => return,
            Some("archive-retrieval") => self.expect_archive_retrieval(vault, parameters, reasons),
            Some("inventory-retrieval") => {
                self.expect_inventory_retrieval(vault, parameters, reasons);
            }
            Some("select") => return reasons.silent(),
            Some(_) => return reasons.must(Refusal::JobTypeUnknown),
        }
        let description = text(parameters, "Description", reasons).unwrap_or_default();
        let legal =
            description.len() <= 1024 && description.chars().all(|c| (' '..='~').contains(&c));
        reasons.must_when(!legal, Refusal::JobDescriptionInvalid);
        // Pages disagree on whether the policy spares expedited and bulk retrievals, and inventories (AMB-45).
        if self.retrievals_are_limited() {
            reasons.may(Refusal::PolicyEnforced);
        }
        if let Some(topic) = text(parameters, "SNSTopic", reasons) {
            let plausible = topic.starts_with("arn:") || topic.starts_with("${topic:");
            if plausible {
                reasons.may(Refusal::TopicInvalid);
            } else {
                reasons.silent();
            }
        }
    }

    fn expect_archive_retrieval(&self, vault: &Ref, parameters: &Value, reasons: &mut Reasons) {
        let tier = text(parameters, "Tier", reasons);
        reasons.must_when(
            tier.is_some_and(|tier| !TIERS.contains(&tier)),
            Refusal::TierUnknown,
        );
        if tier == Some("Expedited") {
            reasons.may(Refusal::CapacityInsufficient);
        }
        // These belong to inventories; what they do here no page says.
        if ["Format", "InventoryRetrievalParameters"]
            .iter()
            .any(|name| member(parameters, name).is_some())
        {
            reasons.silent();
        }
        let Some(id) = text(parameters, "ArchiveId", reasons) else {
            return reasons.must_when(
                member(parameters, "ArchiveId").is_none(),
                Refusal::ArchiveIdMissing,
            );
        };
        let range = text(parameters, "RetrievalByteRange", reasons);
        match self.archive_called(vault, id) {
            None => reasons.must(Refusal::ArchiveUnknown),
            Some((_, home, _)) if Some(home) != self.home(vault) => {
                reasons.must(Refusal::ArchiveForeign);
            }
            Some((.., archive)) if archive.life == Life::Doubtful => {
                reasons.block("the archive is in doubt");
            }
            Some((.., archive)) => {
                if archive.life == Life::Gone {
                    reasons.may(Refusal::ArchiveDeleted);
                }
                expect_retrieval_range(range, archive, reasons);
            }
        }
    }

    fn retrievals_are_limited(&self) -> bool {
        let strategy = self
            .retrieval_policy
            .as_ref()
            .and_then(|policy| policy.pointer("/Rules/0/Strategy"));
        strategy.is_some_and(|strategy| strategy != "None")
    }

    fn expect_inventory_retrieval(&self, vault: &Ref, parameters: &Value, reasons: &mut Reasons) {
        reasons.must_when(
            member(parameters, "ArchiveId").is_some(),
            Refusal::ArchiveIdUnexpected,
        );
        reasons.must_when(
            member(parameters, "RetrievalByteRange").is_some(),
            Refusal::RetrievalRangeUnexpected,
        );
        let format = text(parameters, "Format", reasons);
        reasons.must_when(
            format.is_some_and(|format| !["JSON", "CSV"].contains(&format)),
            Refusal::FormatUnknown,
        );
        if member(parameters, "Tier").is_some() {
            reasons.silent();
        }
        match member(parameters, "InventoryRetrievalParameters") {
            None => {}
            Some(window) if window.is_object() => expect_window(window, reasons),
            Some(_) => reasons.must(Refusal::MemberOfWrongType),
        }
        if !self.vault(vault).is_some_and(|vault| vault.inventoried) {
            reasons.may(Refusal::InventoryAbsent);
        }
    }
}

fn expect_window(window: &Value, reasons: &mut Reasons) {
    for name in ["StartDate", "EndDate"] {
        if let Some(date) = text(window, name, reasons) {
            expect_date(date, reasons);
        }
    }
    // The page says string. What a number does it does not say.
    if member(window, "Limit").is_some_and(Value::is_number) {
        return reasons.silent();
    }
    match text(window, "Limit", reasons).map(Number::read) {
        Some(Number::Not | Number::Minus | Number::Whole(Some(0))) => {
            reasons.must(Refusal::InventoryLimitInvalid);
        }
        // How large it may be no page says.
        Some(Number::Plus | Number::Whole(None)) => reasons.silent(),
        Some(Number::Whole(Some(_))) | None => {}
    }
    if text(window, "Marker", reasons).is_some_and(|marker| !marker.starts_with("${")) {
        reasons.may(Refusal::InventoryMarkerInvalid);
    }
}

/// ISO 8601 in UTC, as the page writes it. Other forms of ISO 8601 are neither promised nor ruled out.
fn expect_date(date: &str, reasons: &mut Reasons) {
    if date.starts_with("${") || date.parse::<Timestamp>().is_ok() {
        return;
    }
    if Timestamp::parse_basic(date).is_some() || date.parse::<jiff::Timestamp>().is_ok() {
        reasons.silent();
    } else {
        reasons.must(Refusal::DateInvalid);
    }
}

/// Megabyte aligned, within the archive (api-jobParameters). An end beyond it that is not even aligned is refused for that: alignment
/// is demanded more firmly.
fn expect_retrieval_range(text: Option<&str>, archive: &Archive, reasons: &mut Reasons) {
    let Some(text) = text else { return };
    let Some(range) = parse_retrieval_range(text) else {
        return reasons.must(Refusal::RetrievalRangeMalformed);
    };
    let size = archive.content.length();
    if on_megabytes(range, size) {
        reasons.must_when(range.end > size, Refusal::RetrievalRangeBeyond);
    } else {
        reasons.must(Refusal::RetrievalRangeMisaligned);
    }
}

fn filter<'a>(tweak: &'a Tweak, name: &str, implied: &'a Option<String>) -> Option<&'a str> {
    match query(tweak, name) {
        Given::AsImplied => implied.as_deref(),
        Given::Removed => None,
        Given::Set(text) => Some(text),
    }
}

fn expect_filters(completed: Option<&str>, statuscode: Option<&str>, reasons: &mut Reasons) {
    reasons.must_when(
        statuscode.is_some_and(|code| !STATES.contains(&code)),
        Refusal::StatusCodeUnknown,
    );
    reasons.must_when(
        completed.is_some_and(|text| !["true", "false"].contains(&text)),
        Refusal::CompletedInvalid,
    );
    let contradictory = match (completed, statuscode) {
        (Some("true"), Some("InProgress")) => true,
        (Some("false"), Some(code)) => code != "InProgress",
        _ => false,
    };
    if contradictory {
        reasons.may(Refusal::FilterContradictory);
    }
}

fn expect_output(job: &Job, range: Option<&str>, tweak: &Tweak, reasons: &mut Reasons) {
    match job.status {
        JobStatus::InProgress => return reasons.may(Refusal::JobNotReady),
        JobStatus::Failed => return reasons.must(Refusal::JobFailed),
        JobStatus::Succeeded => {}
    }
    let header = match super::header(tweak, "range") {
        Given::AsImplied => range,
        Given::Removed => None,
        Given::Set(text) => Some(text),
    };
    let Some(header) = header.map(parse_range_header) else {
        return;
    };
    if matches!(
        header,
        RangeHeader::Invalid
            | RangeHeader::Multiple
            | RangeHeader::From { .. }
            | RangeHeader::Suffix { .. }
    ) {
        reasons.may(Refusal::OutputRangeMalformed);
    }
    if let Some(size) = job.output_length()
        && matches!(header.resolve(size), Resolved::Unsatisfiable)
    {
        reasons.may(Refusal::OutputRangeBeyond);
    }
}

impl Job {
    /// Bytes of the whole output, where it is known: of an archive job its range, of a prepared inventory nothing yet.
    pub fn output_length(&self) -> Option<u64> {
        match &self.kind {
            JobKind::Archive { range, .. } => Some(range.len()),
            JobKind::Inventory { .. } => self
                .described
                .as_ref()?
                .get("InventorySizeInBytes")?
                .as_u64(),
            JobKind::Other => None,
        }
    }
}

/// Whether a text names a member twice: which one counts is not documented.
fn repeats_a_member(body: &JsonBody) -> bool {
    let JsonBody::Text(written) = body else {
        return false;
    };
    let Some(Value::Object(members)) = body.document() else {
        return false;
    };
    members
        .keys()
        .any(|name| written.matches(&format!("\"{name}\"")).count() > 1)
}

/// Whether there are members that no document names.
fn has_others(document: &Value, known: &[&str]) -> bool {
    document
        .as_object()
        .is_some_and(|members| members.keys().any(|name| !known.contains(&name.as_str())))
}
