//! Errors told wrongly: statuses, codes, messages and shapes.

use crevasse_core::model::Refusal as R;
use serde_json::{Value, json};

use super::means::{fault, say};
use super::{Fault, Hook, Seam};
use crate::render::{Draft, DraftBody, Told};

/// Edits the document of an error.
fn edit(draft: &mut Draft, told: &Told<'_>, alter: impl FnOnce(&mut Value)) {
    if told.refusal.is_some()
        && let Some(document) = draft.document()
    {
        alter(document);
    }
}

const MISSING: &[R] = &[
    R::VersionMissing,
    R::TreeHashMissing,
    R::ContentHashMissing,
    R::LengthMissing,
    R::PartSizeMissing,
    R::PartRangeMissing,
    R::ArchiveSizeMissing,
    R::JobParametersMissing,
    R::JobTypeMissing,
    R::ArchiveIdMissing,
    R::TagsMissing,
    R::TagKeysMissing,
    R::PolicyMissing,
    R::TopicMissing,
    R::EventsMissing,
    R::BytesPerHourMissing,
    R::RetrievalPolicyMissing,
];

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "missing-vault-has-a-code-of-its-own",
        "B040",
        Seam::Model,
        &["COM-ERR-014", "COM-ERR-004"],
        "a vault that is not there is answered 404 VaultNotFound",
        &[Hook::Says(&[R::VaultUnknown], 404, "VaultNotFound")],
    ),
    fault(
        "missing-vault-400",
        "B047",
        Seam::Model,
        &["COM-ERR-005", "COM-ERR-014"],
        "a vault that is not there is answered 400",
        &[Hook::Says(
            &[R::VaultUnknown],
            400,
            "ResourceNotFoundException",
        )],
    ),
    fault(
        "missing-upload-400",
        "own",
        Seam::Model,
        &["UMP-404-001", "LP-404-001"],
        "an upload that never was is answered 400",
        &[Hook::Says(
            &[R::UploadUnknown],
            400,
            "InvalidParameterValueException",
        )],
    ),
    fault(
        "missing-job-410",
        "own",
        Seam::Model,
        &["DJ-404-001", "GJO-STATE-004"],
        "a job that never was is answered 410",
        &[Hook::Says(
            &[R::JobUnknown],
            410,
            "ResourceNotFoundException",
        )],
    ),
    fault(
        "errors-typed-and-without-code",
        "B047",
        Seam::Reply,
        &["COM-ERR-002"],
        "errors have __type and message, and no code",
        &[Hook::Replies(|draft, told, _| {
            edit(draft, told, |error| {
                *error = json!({"__type": error["code"], "message": error["message"]});
            });
        })],
    ),
    fault(
        "errors-wrapped",
        "own",
        Seam::Reply,
        &["COM-ERR-002"],
        "errors are inside a member error",
        &[Hook::Replies(|draft, told, _| {
            edit(draft, told, |error| {
                *error = json!({"error": error.clone()});
            });
        })],
    ),
    fault(
        "errors-in-capitals",
        "own",
        Seam::Reply,
        &["COM-ERR-002"],
        "the members of errors are Code, Message and Type",
        &[Hook::Replies(|draft, told, _| {
            edit(
                draft,
                told,
                |error| *error = json!({"Code": error["code"], "Message": error["message"], "Type": error["type"]}),
            );
        })],
    ),
    fault(
        "error-type-sender",
        "own",
        Seam::Reply,
        &["COM-ERR-003"],
        "the type of errors is Sender",
        &[Hook::Replies(|draft, told, _| {
            edit(draft, told, |error| error["type"] = "Sender".into());
        })],
    ),
    fault(
        "error-type-server",
        "own",
        Seam::Reply,
        &["COM-ERR-003"],
        "the type of all errors is Server",
        &[Hook::Replies(|draft, told, _| {
            edit(draft, told, |error| error["type"] = "Server".into());
        })],
    ),
    fault(
        "error-code-with-namespace",
        "own",
        Seam::Reply,
        &["COM-ERR-004"],
        "codes have a namespace before them",
        &[Hook::Replies(|draft, told, _| {
            edit(draft, told, |error| {
                error["code"] = format!(
                    "com.amazonaws.glacier#{}",
                    error["code"].as_str().unwrap_or_default()
                )
                .into();
            });
        })],
    ),
    fault(
        "error-message-null",
        "own",
        Seam::Reply,
        &["COM-ERR-002"],
        "errors have no message",
        &[Hook::Replies(|draft, told, _| {
            edit(draft, told, |error| error["message"] = Value::Null);
        })],
    ),
    fault(
        "errors-as-xml",
        "own",
        Seam::Reply,
        &["COM-ERR-001"],
        "errors are XML, as of S3",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_some() {
                let status = draft.status;
                say(
                    draft,
                    status,
                    "text/xml",
                    "<Error><Code>InvalidRequest</Code></Error>",
                );
            }
        })],
    ),
    fault(
        "errors-as-a-page",
        "own",
        Seam::Reply,
        &["COM-ERR-001"],
        "what is not found is told as a page of HTML",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_some() && draft.status == 404 {
                say(draft, 404, "text/html", "<h1>Not Found</h1>");
            }
        })],
    ),
    fault(
        "errors-empty",
        "own",
        Seam::Reply,
        &["COM-ERR-001", "COM-ERR-002"],
        "errors have no body",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_some() {
                draft.headers.remove("Content-Type");
                draft.body = DraftBody::Empty;
            }
        })],
    ),
    fault(
        "errors-without-media-type",
        "own",
        Seam::Reply,
        &["COM-ERR-001"],
        "errors have no Content-Type",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_some() {
                draft.headers.remove("Content-Type");
            }
        })],
    ),
    fault(
        "malformed-json-500",
        "own",
        Seam::Model,
        &["COM-ERR-010", "IJ-BODY-006"],
        "a body that is no JSON is answered 500",
        &[Hook::Says(&[R::JsonMalformed], 500, "InternalFailure")],
    ),
    fault(
        "malformed-json-invalid-parameter",
        "own",
        Seam::Model,
        &["COM-ERR-010", "IJ-BODY-006"],
        "a body that is no JSON is an InvalidParameterValueException",
        &[Hook::Says(
            &[R::JsonMalformed],
            400,
            "InvalidParameterValueException",
        )],
    ),
    fault(
        "limit-exceeded-429",
        "own",
        Seam::Model,
        &["COM-ERR-008"],
        "LimitExceededException has status 429",
        &[Hook::Says(
            &[
                R::TagLimitExceeded,
                R::CapacityLimitExceeded,
                R::VaultLimitExceeded,
            ],
            429,
            "LimitExceededException",
        )],
    ),
    fault(
        "access-denied-401",
        "own",
        Seam::Model,
        &["COM-ERR-009", "IVL-STATE-002"],
        "AccessDeniedException has status 401",
        &[Hook::Says(
            &[
                R::LockInProgress,
                R::LockLocked,
                R::LockIdWrongWhenLocked,
                R::LockAbortWhenLocked,
                R::DeniedByPolicy,
                R::AccountForeign,
            ],
            401,
            "AccessDeniedException",
        )],
    ),
    fault(
        "missing-parameter-422",
        "own",
        Seam::Model,
        &["COM-ERR-007"],
        "MissingParameterValueException has status 422",
        &[Hook::Says(MISSING, 422, "MissingParameterValueException")],
    ),
    fault(
        "missing-parameter-invalid",
        "own",
        Seam::Model,
        &["COM-ERR-007", "CMU-HASH-003"],
        "a parameter that is missing is an InvalidParameterValueException",
        &[Hook::Says(MISSING, 400, "InvalidParameterValueException")],
    ),
    fault(
        "invalid-parameter-422",
        "own",
        Seam::Reply,
        &["COM-ERR-006"],
        "InvalidParameterValueException has status 422",
        &[Hook::Replies(|draft, told, _| {
            let mut invalid = false;
            edit(draft, told, |error| {
                invalid = error["code"] == "InvalidParameterValueException";
            });
            if invalid {
                draft.status = 422;
            }
        })],
    ),
    fault(
        "not-found-without-the-vault",
        "own",
        Seam::Reply,
        &["COM-ERR-012"],
        "the message of a vault that is not there does not name it",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal == Some(R::VaultUnknown) {
                edit(draft, told, |error| error["message"] = "Not found".into());
            }
        })],
    ),
    fault(
        "not-found-without-the-job",
        "own",
        Seam::Reply,
        &["COM-ERR-013"],
        "the message of a job that is not there does not name it",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal == Some(R::JobUnknown) {
                edit(draft, told, |error| error["message"] = "Not found".into());
            }
        })],
    ),
    fault(
        "upload-mismatch-403",
        "own",
        Seam::Model,
        &["UA-HASH-002"],
        "a wrong tree hash of an upload is answered 403",
        &[Hook::Says(&[R::TreeHashMismatch], 403, "BadDigest")],
    ),
    fault(
        "finished-upload-400",
        "own",
        Seam::Model,
        &["CMU-404-001", "LP-404-001"],
        "an upload that was aborted or completed is answered 400",
        &[Hook::Says(
            &[R::UploadAborted, R::UploadCompleted],
            400,
            "InvalidParameterValueException",
        )],
    ),
    fault(
        "stray-job-parameter-404",
        "own",
        Seam::Model,
        &["IJ-INV-002", "IJ-RANGE-010"],
        "an archive or a range in the parameters of an inventory is answered 404",
        &[Hook::Says(
            &[R::ArchiveIdUnexpected, R::RetrievalRangeUnexpected],
            404,
            "ResourceNotFoundException",
        )],
    ),
];
