//! Servers stricter than the documents: what is right, refused or answered as if something were wrong with it.

use crevasse_core::model::{JobStatus, Life, Model, Upload};
use crevasse_core::scenario::Action;
use crevasse_core::spec::OperationName as O;
use crevasse_core::treehash::{MIB, sha256};
use serde_json::{Value, json};

use super::means::{
    asks, done, fault, items, job_id, jobs, refuse, refuse_parameter, segment, sent, text,
    upload_id,
};
use super::{Decision, Fault, Hook, Seam};
use crate::render::Refused;
use crate::route;
use crate::service::Asked;

fn upload<'a>(model: &'a Model, asked: &Asked) -> Option<&'a Upload> {
    let vault = model.vaults.get(asked.vault())?;
    vault.uploads.get(upload_id(asked))
}

/// The job parameter of this name, empty when there is none.
fn parameter(asked: &Asked, name: &str) -> String {
    if asks(asked, O::InitiateJob) {
        text(&sent(asked), name).to_owned()
    } else {
        String::new()
    }
}

/// The strategy that a data retrieval policy sets.
fn strategy(policy: &Value) -> &str {
    let rule = policy.pointer("/Policy/Rules/0");
    rule.map(|rule| text(rule, "Strategy")).unwrap_or_default()
}

fn missing(decision: &mut Decision) {
    refuse(decision, 400, "MissingParameterValueException");
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "empty-vault-kept",
        "own",
        Seam::Model,
        &["DV-STATUS-001"],
        "a vault that nothing was ever written to cannot be deleted",
        &[Hook::Decides(|decision, asked, model, _| {
            let fresh = model
                .vaults
                .get(asked.vault())
                .is_some_and(|vault| vault.archives.is_empty());
            if asks(asked, O::DeleteVault) && fresh {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "vaults-of-all-regions-listed",
        "own",
        Seam::Reply,
        &["LV-SCOPE-001"],
        "ListVaults also shows a vault of another region",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListVaults)
                && let Some(list) = items(draft)
                && let Some(mut foreign) = list.first().cloned()
            {
                let arn = text(&foreign, "VaultARN").replace(&told.asked.region, "eu-west-1");
                foreign["VaultARN"] = arn.into();
                list.push(foreign);
            }
        })],
    ),
    fault(
        "description-required",
        "own",
        Seam::Model,
        &["UA-DESC-001"],
        "an upload without description is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if let Action::UploadArchive {
                description: None, ..
            } = &asked.action
            {
                missing(decision);
            }
        })],
    ),
    fault(
        "description-taken-once",
        "own",
        Seam::Model,
        &["UA-DESC-006"],
        "a second archive of the same description is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::UploadArchive {
                description: Some(wanted),
                ..
            } = &asked.action
            {
                let vault = model.vaults.get(asked.vault());
                let taken = vault.is_some_and(|vault| {
                    let mut archives = vault.archives.values();
                    archives.any(|archive| archive.description.as_ref() == Some(wanted))
                });
                if taken {
                    refuse_parameter(decision);
                }
            }
        })],
    ),
    fault(
        "refused-upload-has-an-id",
        "own",
        Seam::Reply,
        &["UA-HASH-001"],
        "the refusal of an upload tells an archive id",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_some() && told.asked.action.operation() == Some(O::UploadArchive) {
                draft.headers.set("x-amz-archive-id", "a".repeat(138));
            }
        })],
    ),
    fault(
        "archive-changed-by-put",
        "own",
        Seam::Model,
        &["UA-IMMUT-001"],
        "PUT on the URI of an archive changes its description",
        &[
            Hook::Request(|asked, memory| {
                if asked.head.method == "PUT" && segment(asked, 3) == "archives" {
                    memory.keep(&segment(asked, 2), Value::Bool(true));
                }
            }),
            Hook::Replies(|draft, told, memory| {
                const DESCRIPTION: &str = "x-amz-archive-description";
                let changed = memory.kept(told.vault()).is_some();
                if changed && draft.headers.value(DESCRIPTION).is_some() {
                    draft.headers.set(DESCRIPTION, "changed");
                }
            }),
        ],
    ),
    fault(
        "upload-id-reused",
        "own",
        Seam::Reply,
        &["IMU-ID-001"],
        "every initiation in a vault is answered with the id of the first",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::InitiateMultipartUpload) {
                const ID: &str = "x-amz-multipart-upload-id";
                let vault = told.vault().to_owned();
                match memory.kept(&vault).and_then(Value::as_str) {
                    Some(first) => draft.headers.set(ID, first.to_owned()),
                    None => {
                        let own = draft.headers.value(ID).unwrap_or_default();
                        memory.keep(&vault, own.into());
                    }
                }
            }
        })],
    ),
    fault(
        "small-completion-refused",
        "own",
        Seam::Model,
        &["CMU-SMALL-001"],
        "an upload of less than a mebibyte in all cannot be completed",
        &[Hook::Decides(|decision, asked, model, _| {
            let small = upload(model, asked).is_some_and(|upload| {
                let parts = upload.parts.values();
                parts.map(|part| part.content.length()).sum::<u64>() < MIB
            });
            if asks(asked, O::CompleteMultipartUpload) && small {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "large-parts-never-complete",
        "own",
        Seam::Model,
        &["TH-ALG-008", "CMU-STATUS-001"],
        "the hash of an archive in parts of more than a mebibyte is never found right",
        &[Hook::Decides(|decision, asked, model, _| {
            let several = upload(model, asked)
                .is_some_and(|upload| upload.part_size > MIB && upload.parts.len() > 1);
            if asks(asked, O::CompleteMultipartUpload) && several {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "begun-upload-not-abortable",
        "own",
        Seam::Model,
        &["AMU-STATUS-001"],
        "an upload that has parts cannot be aborted",
        &[Hook::Decides(|decision, asked, model, _| {
            let begun = upload(model, asked).is_some_and(|upload| !upload.parts.is_empty());
            if asks(asked, O::AbortMultipartUpload) && begun {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "no-uploads-no-list",
        "own",
        Seam::Model,
        &["LMU-STATUS-001"],
        "ListMultipartUploads answers 404 where no upload is open",
        &[Hook::Decides(|decision, asked, model, _| {
            let none = model.vaults.get(asked.vault()).is_some_and(|vault| {
                let mut uploads = vault.uploads.values();
                !uploads.any(|upload| upload.life == Life::Live)
            });
            if asks(asked, O::ListMultipartUploads) && none {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "no-jobs-no-list",
        "own",
        Seam::Model,
        &["LJ-STATUS-001"],
        "ListJobs answers 404 where there is no job",
        &[Hook::Decides(|decision, asked, model, _| {
            let vault = model.vaults.get(asked.vault());
            let none = vault.is_some_and(|vault| vault.jobs.is_empty());
            if asks(asked, O::ListJobs) && none {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "parts-listed-under-another-id",
        "own",
        Seam::Reply,
        &["LP-BODY-003"],
        "ListParts tells the upload id in lower case",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListParts)
                && let Some(id) = draft.member("/MultipartUploadId")
            {
                *id = text(&json!({"id": id.clone()}), "id").to_lowercase().into();
            }
        })],
    ),
    fault(
        "uploads-of-all-vaults-listed",
        "own",
        Seam::Model,
        &["LMU-SCOPE-001"],
        "ListMultipartUploads also shows the upload that was begun last in any vault",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::InitiateMultipartUpload)
                && let Some(id) = draft.headers.value("x-amz-multipart-upload-id")
            {
                memory.keep("last", json!([told.vault(), id]));
            }
            if done(told, O::ListMultipartUploads)
                && let Some([vault, id]) = memory
                    .kept("last")
                    .and_then(Value::as_array)
                    .map(Vec::as_slice)
                && *vault != told.vault()
                && let Some(list) = items(draft)
            {
                let mut foreign = list.first().cloned().unwrap_or_default();
                if foreign.is_object() {
                    foreign["MultipartUploadId"] = id.clone();
                    list.push(foreign);
                }
            }
        })],
    ),
    fault(
        "part-listed-while-it-comes",
        "own",
        Seam::Model,
        &["LP-PARTS-003"],
        "ListParts shows a part of which only the head has come",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                if let Action::UploadMultipartPart { .. } = &asked.action {
                    let headers = &asked.head.headers;
                    let range = headers.value("content-range").unwrap_or_default();
                    let range = range.trim_start_matches("bytes ").trim_end_matches("/*");
                    if asked.early && *decision == Decision::Accept {
                        memory.keep(upload_id(asked), range.into());
                    } else {
                        memory.take(upload_id(asked));
                    }
                }
            }),
            Hook::Replies(|draft, told, memory| {
                if done(told, O::ListParts)
                    && let Some(range) = memory.kept(upload_id(told.asked))
                    && let Some(list) = items(draft)
                {
                    list.push(
                        json!({"RangeInBytes": range.clone(), "SHA256TreeHash": "0".repeat(64)}),
                    );
                }
            }),
        ],
    ),
    fault(
        "numeric-account-has-vaults-of-its-own",
        "own",
        Seam::Model,
        &["COM-ACC-001", "COM-ACC-002"],
        "DescribeVault under the account's 12 digits knows no vault that was made under the hyphen",
        &[Hook::Decides(|decision, asked, _, _| {
            let numeric = segment(asked, 0)
                .bytes()
                .all(|digit| digit.is_ascii_digit());
            if asks(asked, O::DescribeVault) && numeric {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "one-event-at-a-time",
        "own",
        Seam::Model,
        &["SVN-EVENT-001"],
        "a notification configuration of two events is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            let events = sent(asked)["Events"].as_array().map_or(0, Vec::len);
            if asks(asked, O::SetVaultNotifications) && events > 1 {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "no-limit-means-no-retrieval",
        "own",
        Seam::Model,
        &["IJ-POL-003"],
        "once the strategy None was set every retrieval is refused",
        &[Hook::Decides(|decision, asked, _, memory| {
            if asks(asked, O::SetDataRetrievalPolicy) {
                memory.keep("strategy", strategy(&sent(asked)).into());
            }
            let none = memory.kept("strategy").is_some_and(|known| known == "None");
            if none && parameter(asked, "Type") == "archive-retrieval" {
                refuse(decision, 400, "PolicyEnforcedException");
            }
        })],
    ),
    fault(
        "inventory-needs-a-format",
        "own",
        Seam::Model,
        &["IJ-INV-001"],
        "an inventory is refused where no format is asked for",
        &[Hook::Decides(|decision, asked, _, _| {
            if parameter(asked, "Type") == "inventory-retrieval"
                && parameter(asked, "Format").is_empty()
            {
                missing(decision);
            }
        })],
    ),
    fault(
        "job-in-progress-is-202",
        "own",
        Seam::Reply,
        &["DJ-STATUS-001"],
        "the description of a job in progress has status 202",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::DescribeJob)
                && jobs(draft, told)
                    .iter()
                    .any(|job| job["Completed"] == false)
            {
                draft.status = 202;
            }
        })],
    ),
    fault(
        "job-forgotten-once-downloaded",
        "own",
        Seam::Model,
        &["DJ-RETAIN-001"],
        "a job whose output was downloaded is not described any more",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                if asks(asked, O::DescribeJob) && memory.kept(job_id(asked)).is_some() {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }),
            Hook::Replies(|_, told, memory| {
                if done(told, O::GetJobOutput) {
                    memory.keep(job_id(told.asked), Value::Bool(true));
                }
            }),
        ],
    ),
    fault(
        "job-described-as-of-another-vault",
        "own",
        Seam::Reply,
        &["DJ-ID-001"],
        "VaultARN of a described job has a slash at its end",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::DescribeJob)
                && let Some(arn) = draft.member("/VaultARN")
            {
                *arn = format!("{}/", arn.as_str().unwrap_or_default()).into();
            }
        })],
    ),
    fault(
        "every-success-is-200",
        "own",
        Seam::Reply,
        &[
            "CV-STATUS-001",
            "IMU-STATUS-001",
            "CMU-STATUS-001",
            "AMU-STATUS-001",
            "ATV-STATUS-001",
            "SAP-STATUS-001",
            "SVN-STATUS-001",
            "SDRP-STATUS-001",
        ],
        "whatever succeeds has status 200",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal.is_none() && (201..300).contains(&draft.status) && draft.status != 206 {
                draft.status = 200;
            }
        })],
    ),
    fault(
        "right-tree-hash-beside-another-hash-refused",
        "own",
        Seam::Model,
        &["UA-HASH-008"],
        "an upload is refused where its two checksums differ, as they do from two mebibytes on",
        &[Hook::Decides(|decision, asked, _, _| {
            if let Action::UploadArchive { content, .. } = &asked.action
                && content.length() > MIB
                && !asked.early
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "lock-without-dates",
        "own",
        Seam::Reply,
        &["GVL-STATUS-001"],
        "a lock tells no dates",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetVaultLock)
                && let Some(lock) = draft.document().and_then(Value::as_object_mut)
            {
                lock.retain(|name, _| !name.ends_with("Date"));
            }
        })],
    ),
    fault(
        "location-of-an-upload-has-a-slash",
        "own",
        Seam::Reply,
        &["IMU-HDR-002"],
        "the Location of a multipart upload ends with a slash that leads nowhere",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::InitiateMultipartUpload)
                && let Some(location) = draft.headers.value("location").map(|to| format!("{to}/"))
            {
                draft.headers.set("Location", location);
            }
        })],
    ),
    fault(
        "vault-once-filled-kept",
        "own",
        Seam::Model,
        &["DV-STATUS-002"],
        "a vault that ever had an archive can never be deleted",
        &[Hook::Decides(|decision, asked, model, _| {
            let filled = model
                .vaults
                .get(asked.vault())
                .is_some_and(|vault| !vault.archives.is_empty());
            if asks(asked, O::DeleteVault) && filled {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "no-parts-no-list",
        "own",
        Seam::Model,
        &["LP-STATUS-001"],
        "ListParts answers 404 before the first part has come",
        &[Hook::Decides(|decision, asked, model, _| {
            let bare = upload(model, asked).is_some_and(|upload| upload.parts.is_empty());
            if asks(asked, O::ListParts) && bare {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "job-in-progress-not-found",
        "own",
        Seam::Model,
        &["DJ-STATUS-001"],
        "a job is described only when it is done",
        &[Hook::Decides(|decision, asked, model, _| {
            let vault = model.vaults.get(asked.vault());
            let job = vault.and_then(|vault| vault.jobs.get(job_id(asked)));
            let going_on = job.is_some_and(|job| job.status == JobStatus::InProgress);
            if asks(asked, O::DescribeJob) && going_on {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "job-kept-under-the-account-as-written",
        "own",
        Seam::Model,
        &["IJ-HDR-002"],
        "a job that was begun under the hyphen is not found under the 12 digits of its Location",
        &[
            Hook::After(|_, asked, _, memory| {
                if asks(asked, O::InitiateJob) {
                    memory.keep(job_id(asked), asked.route.account().into());
                }
            }),
            Hook::Decides(|decision, asked, _, memory| {
                let account = memory.kept(job_id(asked)).and_then(Value::as_str);
                if asks(asked, O::DescribeJob)
                    && account.is_some_and(|account| account != asked.route.account())
                {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }),
        ],
    ),
    fault(
        "vault-made-under-digits-not-found-by-hyphen",
        "own",
        Seam::Model,
        &["COM-ACC-001"],
        "DescribeVault under the hyphen knows no vault that was made under the account's 12 digits",
        &[
            Hook::After(|_, asked, _, memory| {
                if asks(asked, O::CreateVault) && asked.route.account() != "-" {
                    memory.keep(asked.vault(), Value::Bool(true));
                }
            }),
            Hook::Decides(|decision, asked, _, memory| {
                let elsewhere = memory.kept(asked.vault()).is_some();
                if asks(asked, O::DescribeVault) && elsewhere && asked.route.account() == "-" {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }),
        ],
    ),
    fault(
        "tags-of-a-later-version",
        "own",
        Seam::Model,
        &["COM-VER-001"],
        "ListTagsForVault is refused for the version of the API that has it",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::ListTagsForVault) && *decision == Decision::Accept {
                const MESSAGE: &str = "There are no tags in version 2012-06-01 of this API.";
                *decision = Decision::Refuse(Refused::with(
                    400,
                    "InvalidParameterValueException",
                    MESSAGE,
                ));
            }
        })],
    ),
    fault(
        "header-names-compared-with-case",
        "own",
        Seam::Model,
        &["COM-HDR-007"],
        "header names are known as the documents write them, and not in capitals",
        &[Hook::Decides(|decision, asked, _, _| {
            let shouted = |(name, _): (&str, &str)| name.starts_with("X-AMZ-");
            if asked.head.headers.iter().any(shouted) {
                missing(decision);
            }
        })],
    ),
    fault(
        "uploads-signed-as-if-empty",
        "own",
        Seam::Model,
        &["AUTH-HASH-001"],
        "the signature of an upload is expected over the hash of an empty body",
        &[Hook::Request(|asked, _| {
            if asked.action.operation().is_some_and(route::stores) {
                asked.payload_hash = Some(sha256(b"").to_string());
            }
        })],
    ),
    fault(
        "spaces-of-signed-headers-counted",
        "B124",
        Seam::Model,
        &["AUTH-SIG-001"],
        "the signature of a description with two spaces in a row is never found right",
        &[Hook::Request(|asked, _| {
            let description = asked.head.headers.value("x-amz-archive-description");
            if description.is_some_and(|text| text.contains("  ")) {
                // Another canonical request, whatever it is that differs.
                asked.payload_hash = Some("spaces".to_owned());
            }
        })],
    ),
];
