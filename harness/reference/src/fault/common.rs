//! What all answers share: headers, dates, locations, version, account and signature; and answers that do not arrive.

use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::Refusal as R;
use crevasse_core::spec::OperationName as O;
use serde_json::{Value, json};

use super::means::{done, every_text, fault, refuse, text};
use super::{Fault, Hook, Seam};
use crate::render::{Draft, DraftBody, Told, WireDamage};

/// Rewrites every time in a document that is written with milliseconds.
fn every_date(draft: &mut Draft, alter: fn(Timestamp) -> Value) {
    let Some(document) = draft.document() else {
        return;
    };
    every_text(document, &mut |value| {
        let date = value
            .as_str()
            .filter(|text| text.len() == 24)
            .and_then(|text| text.parse().ok());
        if let Some(date) = date {
            *value = alter(date);
        }
    });
}

/// Rewrites `Location`.
fn relocate(draft: &mut Draft, alter: impl FnOnce(&str) -> String) {
    if let Some(location) = draft.headers.value("location").map(alter) {
        draft.headers.set("Location", location);
    }
}

/// Takes the members that are null out of a document.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Whether an operation succeeded that answers by headers alone.
fn created(told: &Told<'_>) -> bool {
    told.effect.is_some_and(|effect| effect.made.is_some())
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "request-id-constant",
        "B038",
        Seam::Reply,
        &["COM-HDR-002"],
        "all answers have the same x-amzn-RequestId",
        &[Hook::Replies(|draft, _, _| {
            draft.headers.set("x-amzn-RequestId", "reference");
        })],
    ),
    fault(
        "request-id-repeated-now-and-then",
        "own",
        Seam::Reply,
        &["COM-HDR-002"],
        "every fourth answer has the x-amzn-RequestId of the one before",
        &[Hook::Replies(|draft, _, memory| {
            let id = draft
                .headers
                .value("x-amzn-requestid")
                .unwrap_or_default()
                .to_owned();
            let before = memory.keep("id", id.into());
            if let (0, Some(Value::String(id))) = (memory.count("answers") % 4, before) {
                draft.headers.set("x-amzn-RequestId", id);
            }
        })],
    ),
    fault(
        "request-id-missing-on-errors",
        "own",
        Seam::Reply,
        &["COM-HDR-001"],
        "errors have no x-amzn-RequestId",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_some() {
                draft.headers.remove("x-amzn-RequestId");
            }
        })],
    ),
    fault(
        "date-header-iso",
        "own",
        Seam::Reply,
        &["COM-HDR-003"],
        "Date is in ISO 8601",
        &[Hook::Replies(|draft, told, _| {
            draft.headers.set("Date", told.now.iso());
        })],
    ),
    fault(
        "content-length-too-small",
        "own",
        Seam::Wire,
        &["COM-HDR-004", "COM-JSON-001"],
        "Content-Length of JSON bodies is one byte too small",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_none() && matches!(draft.body, DraftBody::Json(_)) {
                draft.wire = WireDamage::LengthOff(-1);
            }
        })],
    ),
    fault(
        "content-length-too-great",
        "own",
        Seam::Wire,
        &["COM-HDR-004"],
        "Content-Length of JSON bodies is one byte too great",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_none() && matches!(draft.body, DraftBody::Json(_)) {
                draft.wire = WireDamage::LengthOff(1);
            }
        })],
    ),
    fault(
        "json-without-media-type",
        "own",
        Seam::Reply,
        &["COM-HDR-005"],
        "JSON bodies have no Content-Type",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_none() && matches!(draft.body, DraftBody::Json(_)) {
                draft.headers.remove("Content-Type");
            }
        })],
    ),
    fault(
        "json-called-amazon-json",
        "own",
        Seam::Reply,
        &["COM-HDR-005"],
        "the media type of JSON bodies is application/x-amz-json-1.1",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_none() && matches!(draft.body, DraftBody::Json(_)) {
                draft
                    .headers
                    .set("Content-Type", "application/x-amz-json-1.1");
            }
        })],
    ),
    fault(
        "no-content-with-a-body",
        "own",
        Seam::Wire,
        &["COM-HDR-006"],
        "answers of status 204 have a body",
        &[Hook::Replies(|draft, _, _| {
            if draft.status == 204 {
                draft.body = DraftBody::Json(json!({}));
                draft.wire = WireDamage::LengthOff(0);
            }
        })],
    ),
    fault(
        "creations-with-a-document",
        "own",
        Seam::Reply,
        &["COM-HDR-006"],
        "creations answer with a document of what was made",
        &[Hook::Replies(|draft, told, _| {
            if let Some(made) = told.effect.and_then(|effect| effect.made.as_ref()) {
                draft.headers.set("Content-Type", "application/json");
                draft.body = DraftBody::Json(json!({"Id": made.id}));
            }
        })],
    ),
    fault(
        "ids-in-the-body-alone",
        "B050",
        Seam::Reply,
        &["UA-HDR-001", "IMU-HDR-001", "IJ-HDR-001"],
        "what creations tell is in their bodies and in no header",
        &[Hook::Replies(|draft, told, _| {
            if created(told) {
                let told = [
                    "x-amz-archive-id",
                    "x-amz-multipart-upload-id",
                    "x-amz-job-id",
                ]
                .map(|name| draft.headers.value(name).map(str::to_owned));
                for name in [
                    "x-amz-archive-id",
                    "x-amz-multipart-upload-id",
                    "x-amz-job-id",
                ] {
                    draft.headers.remove(name);
                }
                draft.body = DraftBody::Json(
                    json!({"archiveId": told[0], "uploadId": told[1], "jobId": told[2]}),
                );
            }
        })],
    ),
    fault(
        "location-without-account",
        "B037",
        Seam::Reply,
        &["IJ-HDR-001", "COM-LOC-001"],
        "the Location of a job begins with two slashes where the account should be",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::InitiateJob) {
                relocate(draft, |location| {
                    location.replacen(&told.place.account, "", 1)
                });
            }
        })],
    ),
    fault(
        "location-with-hyphen",
        "own",
        Seam::Reply,
        &["COM-LOC-001", "CV-LOC-001"],
        "Location names the account by a hyphen",
        &[Hook::Replies(|draft, told, _| {
            relocate(draft, |location| {
                location.replacen(&told.place.account, "-", 1)
            });
        })],
    ),
    fault(
        "location-absolute",
        "own",
        Seam::Reply,
        &["COM-LOC-001", "CV-LOC-001"],
        "Location is an absolute URL",
        &[Hook::Replies(|draft, _, _| {
            relocate(draft, |location| format!("http://localhost{location}"));
        })],
    ),
    fault(
        "location-missing",
        "own",
        Seam::Reply,
        &["CV-LOC-001", "UA-HDR-002", "IMU-HDR-001"],
        "creations have no Location",
        &[Hook::Replies(|draft, _, _| {
            draft.headers.remove("Location");
        })],
    ),
    fault(
        "location-of-the-list",
        "own",
        Seam::Reply,
        &["UA-HDR-002", "IMU-HDR-001", "CMU-HDR-001"],
        "the Location of what is in a vault lacks its id",
        &[Hook::Replies(|draft, told, _| {
            if created(told) && !done(told, O::CreateVault) {
                relocate(draft, |location| {
                    location
                        .rsplit_once('/')
                        .map(|(list, _)| list.to_owned())
                        .unwrap_or_default()
                });
            }
        })],
    ),
    fault(
        "dates-local",
        "B142",
        Seam::Reply,
        &["DSV-BODY-003", "DJ-DATE-001"],
        "dates are of Tokyo, and say that they are UTC",
        &[Hook::Replies(|draft, _, _| {
            every_date(draft, |date| date.plus_millis(9 * 3_600_000).iso().into());
        })],
    ),
    fault(
        "dates-without-milliseconds",
        "B143",
        Seam::Reply,
        &["COM-DATE-002"],
        "dates have whole seconds",
        &[Hook::Replies(|draft, _, _| {
            every_date(draft, |date| date.iso_seconds().into());
        })],
    ),
    fault(
        "dates-as-numbers",
        "own",
        Seam::Reply,
        &["COM-DATE-001"],
        "dates are seconds since 1970",
        &[Hook::Replies(|draft, _, _| {
            every_date(draft, |date| (date.0 / 1000).into());
        })],
    ),
    fault(
        "dates-with-offset",
        "own",
        Seam::Reply,
        &["COM-DATE-001"],
        "dates end in +00:00",
        &[Hook::Replies(|draft, _, _| {
            every_date(draft, |date| date.iso().replace('Z', "+00:00").into());
        })],
    ),
    fault(
        "vault-date-is-now",
        "own",
        Seam::Reply,
        &["DSV-BODY-003"],
        "CreationDate of a vault is the time of the question",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::DescribeVault)
                && let Some(date) = draft.member("/CreationDate")
            {
                *date = told.now.iso().into();
            }
        })],
    ),
    fault(
        "nulls-left-out",
        "own",
        Seam::Reply,
        &["COM-NULL-001"],
        "members that do not apply are left out",
        &[Hook::Replies(|draft, _, _| {
            if let Some(document) = draft.document() {
                without_nulls(document);
            }
        })],
    ),
    fault(
        "json-with-trailing-comma",
        "own",
        Seam::Reply,
        &["COM-JSON-001"],
        "JSON documents end with a comma before the brace",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_none() {
                let text = draft.document().map(|document| document.to_string());
                if let Some(text) = text {
                    draft.body = DraftBody::Text(text.trim_end_matches('}').to_owned() + ",}");
                }
            }
        })],
    ),
    fault(
        "version-not-required",
        "B046",
        Seam::Model,
        &["COM-VER-002"],
        "a request without x-amz-glacier-version is accepted",
        &[Hook::Accepts(&[], &[R::VersionMissing])],
    ),
    fault(
        "numeric-account-refused",
        "own",
        Seam::Model,
        &["COM-ACC-002"],
        "the account can only be written as a hyphen",
        &[Hook::Decides(|decision, asked, _, _| {
            if asked.route.account() != "-" {
                refuse(decision, 403, "AccessDeniedException");
            }
        })],
    ),
    fault(
        "any-account-accepted",
        "own",
        Seam::Model,
        &["COM-ACC-003"],
        "the account in the URI is never compared with the credentials",
        &[Hook::Accepts(&[], &[R::AccountForeign])],
    ),
    fault(
        "anybody-let-in",
        "own",
        Seam::Model,
        &["AUTH-SIG-003"],
        "requests without authentication data are accepted",
        &[Hook::Accepts(&[], &[R::AuthenticationMissing])],
    ),
    fault(
        "any-key-let-in",
        "own",
        Seam::Model,
        &["AUTH-SIG-004"],
        "an access key that nobody has is accepted",
        &[Hook::Accepts(&[], &[R::KeyUnknown])],
    ),
    fault(
        "signatures-not-compared",
        "own",
        Seam::Model,
        &["AUTH-SIG-002", "AUTH-SIG-001"],
        "any signature of a known key is accepted",
        &[Hook::Accepts(&[], &[R::SignatureInvalid])],
    ),
    fault(
        "every-tenth-request-fails",
        "own",
        Seam::Model,
        &["DSV-STATUS-001", "UA-STATUS-001"],
        "every tenth request that would succeed is answered 500",
        &[Hook::Decides(|decision, asked, _, memory| {
            if !asked.early
                && *decision == super::Decision::Accept
                && memory.count("requests") % 10 == 0
            {
                refuse(decision, 500, "ServiceUnavailableException");
            }
        })],
    ),
    fault(
        "every-seventh-answer-lost",
        "own",
        Seam::Wire,
        &["DSV-STATUS-001", "UA-STATUS-001"],
        "every seventh connection is closed without an answer",
        &[Hook::Replies(|draft, _, memory| {
            if memory.count("answers") % 7 == 0 {
                draft.wire = WireDamage::Closed;
            }
        })],
    ),
    fault(
        "vault-list-never-ends",
        "own",
        Seam::Wire,
        &["LV-STATUS-001"],
        "the body of ListVaults stops halfway",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListVaults) {
                draft.wire = WireDamage::Stall;
            }
        })],
    ),
    fault(
        "job-list-is-no-http",
        "own",
        Seam::Wire,
        &["LJ-STATUS-001"],
        "ListJobs is answered by bytes that are no HTTP",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListJobs) {
                draft.wire = WireDamage::Garbage(b"\x15\x03\x01\x00\x02\x02\x16".to_vec());
            }
        })],
    ),
    fault(
        "tags-unanswered",
        "own",
        Seam::Wire,
        &["LTV-STATUS-001"],
        "ListTagsForVault is never answered",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListTagsForVault) {
                draft.wire = WireDamage::Silence;
            }
        })],
    ),
    fault(
        "members-of-vaults-in-lower-case",
        "own",
        Seam::Reply,
        &["DSV-BODY-001", "LV-BODY-001"],
        "DescribeVault and ListVaults write their members in camel case",
        &[Hook::Replies(|draft, told, _| {
            for vault in super::means::vaults(draft, told) {
                let name = text(vault, "VaultName").to_owned();
                *vault = json!({"creationDate": vault["CreationDate"], "vaultARN": vault["VaultARN"], "vaultName": name});
            }
        })],
    ),
];
