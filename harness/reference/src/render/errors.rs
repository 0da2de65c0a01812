//! Refusals in the words of the real service (ambiguities, O-nn); where it was never heard, in words of our own.

use crevasse_core::model::{Model, Refusal};
use crevasse_core::scenario::{Action, Claim, Page, RangeClaim, Ref, SizeClaim};
use serde_json::{Value, json};

use crate::page;
use crate::realm::Place;
use crate::service::Asked;

/// A refusal as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Why, when the model knows the reason.
    pub(crate) reason: Option<Refusal>,
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(reason: Refusal, message: String) -> Self {
        Self {
            reason: Some(reason),
            status: reason.status(),
            code: reason.code().to_owned(),
            message,
        }
    }

    /// One that no document foresees.
    pub(crate) fn with(status: u16, code: &str, message: &str) -> Self {
        Self {
            reason: None,
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    pub(super) fn document(&self) -> Value {
        let server = matches!(
            self.code.as_str(),
            "ServiceUnavailableException" | "InsufficientCapacityException"
        );
        let kind = if server { "Server" } else { "Client" };
        json!({ "code": self.code, "message": self.message, "type": kind })
    }
}

/// The store is full of bytes that cannot be described.
pub(crate) fn limit_of_store() -> Refused {
    Refused::with(
        400,
        "LimitExceededException",
        "The store of this server is full: it keeps generated payloads at no cost, and so many other bytes.",
    )
}

/// Says why a request is refused.
pub(crate) fn message(reason: Refusal, asked: &Asked, model: &Model, place: &Place) -> String {
    use Refusal as R;
    let arn = || place.arn(asked.vault());
    match reason {
        R::VersionMissing => "Required parameter missing: API version".to_owned(),
        R::AccountForeign => format!("Access denied for account ID: {}", asked.route.account()),
        R::JsonMalformed | R::MemberOfWrongType => "SerializationException".to_owned(),
        R::VaultUnknown => format!("Vault not found for ARN: {}", arn()),
        R::VaultNotEmpty | R::VaultRecentlyWritten => {
            format!("Vault not empty or recently written to: {}", arn())
        }
        R::ArchiveForeign => format!("Invalid vault name: {}", arn()),
        R::InventoryAbsent => format!(
            "Inventory retrieval jobs for vault {} cannot be initiated yet, as Amazon Glacier has not yet generated an initial inventory for this vault.",
            arn()
        ),
        R::NoAccessPolicy => format!("No vault access policy is set for: {}", arn()),
        R::NoNotifications => format!("No notification configuration is set for vault: {}", arn()),
        R::NoLock | R::LockAbsent => format!("No vault lock policy is set for: {}", arn()),
        R::PolicyInvalid | R::PolicyTooLarge
            if matches!(asked.action, Action::InitiateVaultLock { .. }) =>
        {
            "The specified vault lock policy is invalid. Provide a valid policy.".to_owned()
        }
        other => missing(other)
            .or_else(|| about_body(other, asked, model))
            .or_else(|| about_id(other, &asked.action))
            .or_else(|| about_filter(other, &asked.action))
            .unwrap_or_else(|| sentence(other)),
    }
}

fn missing(reason: Refusal) -> Option<String> {
    let parameter = match reason {
        Refusal::TreeHashMissing => "x-amz-sha256-tree-hash",
        Refusal::ContentHashMissing => "x-amz-content-sha256",
        Refusal::LengthMissing => "Content-Length",
        Refusal::PartRangeMissing => "Content-Range",
        Refusal::ArchiveSizeMissing => "x-amz-archive-size",
        Refusal::JobParametersMissing => "Job Parameters",
        Refusal::JobTypeMissing => "type",
        Refusal::ArchiveIdMissing => "archiveId",
        Refusal::TagsMissing => "Tags",
        Refusal::TagKeysMissing => "TagKeys",
        Refusal::PolicyMissing | Refusal::RetrievalPolicyMissing => "Policy",
        Refusal::TopicMissing => "SNSTopic",
        Refusal::EventsMissing => "Events",
        Refusal::BytesPerHourMissing => "BytesPerHour",
        _ => return None,
    };
    Some(format!("Required parameter missing: {parameter}"))
}

fn about_body(reason: Refusal, asked: &Asked, model: &Model) -> Option<String> {
    use Refusal as R;
    let length = || asked.head.content_length().unwrap_or_default();
    Some(match (reason, &asked.action) {
        (R::BodyEmpty | R::BodyTooLarge, _) => format!("Invalid Content-Length: {}", length()),
        (R::TreeHashMismatch, Action::CompleteMultipartUpload { tree_hash, .. })
        | (
            R::TreeHashMalformed,
            Action::UploadArchive { tree_hash, .. }
            | Action::UploadMultipartPart { tree_hash, .. }
            | Action::CompleteMultipartUpload { tree_hash, .. },
        ) => {
            format!("Invalid x-amz-sha256-tree-hash: {}", said(tree_hash))
        }
        (
            R::TreeHashMismatch,
            Action::UploadArchive {
                tree_hash, content, ..
            }
            | Action::UploadMultipartPart {
                tree_hash, content, ..
            },
        ) => {
            let (expected, computed) = (said(tree_hash), content.tree_hash());
            format!("Checksum mismatch: expected {expected}, computed {computed}")
        }
        (
            R::ContentHashMismatch,
            Action::UploadArchive { content_sha256, .. }
            | Action::UploadMultipartPart { content_sha256, .. },
        ) => {
            format!("Invalid x-amz-content-sha256: {}", said(content_sha256))
        }
        (
            R::PartSizeMissing | R::PartSizeMalformed | R::PartSizeInvalid,
            Action::InitiateMultipartUpload { part_size, .. },
        ) => format!(
            "Invalid part size: {}. Part size must not be null, must be a power of two and be between 1048576 and 4294967296 bytes.",
            part_size.as_deref().unwrap_or("null")
        ),
        (R::PartLengthMismatch, Action::UploadMultipartPart { range, content, .. }) => format!(
            "Content-Range: {} is incompatible with Content-Length: {}",
            range_text(range),
            content.length()
        ),
        (
            R::PartRangeMalformed | R::PartMisaligned | R::PartTooLong,
            Action::UploadMultipartPart { range, .. },
        ) => {
            format!("Invalid Content-Range: {}", range_text(range))
        }
        (
            R::TooManyParts,
            Action::UploadMultipartPart {
                vault,
                upload,
                range,
                ..
            },
        ) => format!(
            "This is part number {} for the current multipart upload. It exceeds the limit of 10000 parts.",
            part_number(model, vault, upload, range)
        ),
        (
            R::ArchiveSizeMalformed | R::ArchiveSizeMismatch,
            Action::CompleteMultipartUpload {
                size: SizeClaim::Literal(size),
                ..
            },
        ) => {
            format!("Invalid x-amz-archive-size: {size}")
        }
        _ => return None,
    })
}

fn said(claim: &Claim) -> &str {
    if let Claim::Literal(text) = claim {
        text
    } else {
        "null"
    }
}

fn range_text(range: &RangeClaim) -> &str {
    if let RangeClaim::Literal(text) = range {
        text
    } else {
        "null"
    }
}

fn part_number(model: &Model, vault: &Ref, upload: &Ref, range: &RangeClaim) -> u64 {
    let place = crevasse_core::range::ContentRange::parse(range_text(range));
    let upload = upload
        .handle()
        .and_then(|upload| model.upload(vault, upload));
    match (place, upload) {
        (Some(place), Some((_, upload))) => place.range.start / upload.part_size + 1,
        _ => 10_001,
    }
}

fn about_id(reason: Refusal, action: &Action) -> Option<String> {
    use Refusal as R;
    let id = |named: &Ref| named.handle().unwrap_or_default().to_owned();
    Some(match (reason, action) {
        (R::ArchiveUnknown | R::ArchiveDeleted, Action::InitiateJob { body, .. }) => {
            let id = body
                .document()
                .and_then(|d| Some(d.get("ArchiveId")?.as_str()?.to_owned()));
            format!("The archive ID was not found: {}", id.unwrap_or_default())
        }
        (R::ArchiveUnknown, Action::DeleteArchive { archive, .. }) => {
            format!("The archive ID was not found: {}", id(archive))
        }
        (
            R::UploadUnknown | R::UploadAborted | R::UploadCompleted | R::UploadForeign,
            Action::UploadMultipartPart { upload, .. }
            | Action::CompleteMultipartUpload { upload, .. }
            | Action::AbortMultipartUpload { upload, .. }
            | Action::ListParts { upload, .. },
        ) => format!("The upload ID was not found: {}", id(upload)),
        (
            R::JobUnknown | R::JobForeign | R::JobExpired,
            Action::DescribeJob { job, .. } | Action::GetJobOutput { job, .. },
        ) => format!("The job ID was not found: {}", id(job)),
        (R::JobNotReady | R::JobFailed, Action::GetJobOutput { job, .. }) => {
            format!(
                "The job is not currently available for download: {}",
                id(job)
            )
        }
        (R::OutputRangeBeyond, Action::GetJobOutput { range, .. }) => format!(
            "The start of the range is larger than size of retrieved data: {}",
            range.as_deref().unwrap_or_default()
        ),
        (R::LockIdWrong | R::LockIdWrongWhenLocked, Action::CompleteVaultLock { lock, .. }) => {
            format!("Invalid lock ID: {}", id(lock))
        }
        _ => return None,
    })
}

fn about_filter(reason: Refusal, action: &Action) -> Option<String> {
    let page: Option<&Page> = page::page_of(action);
    Some(match (reason, action) {
        (Refusal::StatusCodeUnknown, Action::ListJobs { statuscode, .. }) => format!(
            "The job status code is not valid: {}",
            statuscode.as_deref().unwrap_or_default()
        ),
        (Refusal::CompletedInvalid, Action::ListJobs { completed, .. }) => format!(
            "Invalid value for completed: {}",
            completed.as_deref().unwrap_or_default()
        ),
        (Refusal::LimitInvalid, _) => format!("Invalid limit: {}", page?.limit.as_deref()?),
        (Refusal::MarkerInvalid, _) => format!("Invalid marker: {}", page::marker(page?)?),
        _ => return None,
    })
}

/// The reason as a sentence.
fn sentence(reason: Refusal) -> String {
    let phrase = reason.phrase();
    let (head, rest) = phrase.split_at(phrase.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}.", head.to_uppercase())
}
