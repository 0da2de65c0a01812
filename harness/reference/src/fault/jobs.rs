//! Jobs: what starts one, how it is described, and who gets to see it.

use crevasse_core::model::{JobStatus, Refusal as R};
use crevasse_core::range::{ByteRange, parse_retrieval_range};
use crevasse_core::scenario::Action;
use crevasse_core::spec::OperationName as O;
use crevasse_core::treehash::{MIB, tree_hash_aligned};
use serde_json::{Value, json};

use super::means::{
    asks, done, edit, fault, items, job_id, jobs, refuse, refuse_parameter, refused_for, retrieves,
    sent, text,
};
use super::{Decision, Fault, Hook, Seam};
use crate::page::Entry;
use crate::realm::Realm;
use crate::service::Asked;

/// The range that an archive retrieval asks for, and the size of its archive.
fn asked_range(asked: &Asked, model: &crevasse_core::model::Model) -> Option<(ByteRange, u64)> {
    let document = sent(asked);
    let vault = asked.action.vault()?;
    let (_, archive) = model.archive(vault, text(&document, "ArchiveId"))?;
    let range = parse_retrieval_range(text(&document, "RetrievalByteRange"))?;
    Some((range, archive.content.length()))
}

/// Lets a misaligned range pass.
fn excuse_range(
    decision: &mut Decision,
    asked: &Asked,
    model: &crevasse_core::model::Model,
    excused: fn(ByteRange, u64) -> bool,
) {
    let misaligned = refused_for(decision, R::RetrievalRangeMisaligned);
    if misaligned && asked_range(asked, model).is_some_and(|(range, size)| excused(range, size)) {
        *decision = Decision::Accept;
    }
}

/// Refuses a range that is right.
fn object_to_range(
    decision: &mut Decision,
    asked: &Asked,
    model: &crevasse_core::model::Model,
    refused: fn(ByteRange, u64) -> bool,
) {
    if asks(asked, O::InitiateJob)
        && asked_range(asked, model).is_some_and(|(range, size)| refused(range, size))
    {
        refuse_parameter(decision);
    }
}

/// Removes members of the job parameters.
fn drop_member(asked: &mut Asked, name: &str) {
    edit(asked, O::InitiateJob, |body| {
        if let Some(members) = body.as_object_mut() {
            members.shift_remove(name);
        }
    });
}

/// Lets the failed jobs of a vault succeed.
fn revive_jobs(realm: &mut Realm, asked: &Asked) {
    let vault = realm.model.vaults.get_mut(asked.vault());
    let failed = vault
        .into_iter()
        .flat_map(|vault| vault.jobs.values_mut())
        .filter(|job| job.status == JobStatus::Failed);
    failed.for_each(|job| job.status = JobStatus::Succeeded);
}

/// Edits the window of an inventory request.
fn edit_window(asked: &mut Asked, alter: fn(&mut Value)) {
    edit(asked, O::InitiateJob, |body| {
        if let Some(window) = body
            .get_mut("InventoryRetrievalParameters")
            .filter(|window| window.is_object())
        {
            alter(window);
        }
    });
}

/// Moves a bound of the window by a second.
fn move_bound(window: &mut Value, name: &str) {
    let bound: Option<crevasse_core::amz_date::Timestamp> = text(window, name).parse().ok();
    if let Some(bound) = bound {
        window[name] = bound.plus_millis(1000).iso_seconds().into();
    }
}

/// Whether a described retrieval is of a range that is no node of the hash tree.
fn is_loose(job: &Value) -> bool {
    let range = parse_retrieval_range(text(job, "RetrievalByteRange"));
    let size = job["ArchiveSizeInBytes"].as_u64();
    range
        .zip(size)
        .is_some_and(|(range, size)| !tree_hash_aligned(range, size))
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "retrieval-range-ignored",
        "B026",
        Seam::Model,
        &["GJO-SIZE-002", "DJ-AR-005"],
        "RetrievalByteRange is ignored",
        &[Hook::Request(|asked, _| {
            drop_member(asked, "RetrievalByteRange");
        })],
    ),
    fault(
        "unknown-archive-retrieved",
        "B068",
        Seam::Model,
        &["IJ-AR-002"],
        "a retrieval of an archive that never was is accepted, and succeeds",
        &[Hook::Accepts(&[O::InitiateJob], &[R::ArchiveUnknown])],
    ),
    fault(
        "unknown-job-crashes",
        "B070",
        Seam::Model,
        &["DJ-404-001", "GJO-STATE-004"],
        "a job id that never was is answered 500",
        &[Hook::Says(&[R::JobUnknown], 500, "InternalFailure")],
    ),
    fault(
        "jobs-of-a-missing-vault-listed",
        "B076",
        Seam::Model,
        &["LJ-404-001"],
        "ListJobs of a vault that is not there is an empty list",
        &[Hook::Accepts(&[O::ListJobs], &[R::VaultUnknown])],
    ),
    fault(
        "archive-jobs-have-an-inventory-size",
        "B073",
        Seam::Reply,
        &["DJ-AR-010"],
        "every finished job tells InventorySizeInBytes 10000",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if job["Completed"] == true {
                    job["InventorySizeInBytes"] = 10_000.into();
                }
            }
        })],
    ),
    fault(
        "archive-size-as-text",
        "own",
        Seam::Reply,
        &["DJ-TYPE-001"],
        "ArchiveSizeInBytes is a string",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| retrieves(job)) {
                job["ArchiveSizeInBytes"] = job["ArchiveSizeInBytes"].to_string().into();
            }
        })],
    ),
    fault(
        "inventory-size-as-text",
        "B044",
        Seam::Reply,
        &["DJ-TYPE-001", "DJ-INV-002"],
        "InventorySizeInBytes is a string",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if job["InventorySizeInBytes"].is_u64() {
                    job["InventorySizeInBytes"] = job["InventorySizeInBytes"].to_string().into();
                }
            }
        })],
    ),
    fault(
        "listed-jobs-lose-their-descriptions",
        "B087",
        Seam::Reply,
        &["LJ-BODY-001"],
        "ListJobs leaves out JobDescription and InventoryRetrievalParameters",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListJobs) {
                for job in items(draft).into_iter().flatten() {
                    job["JobDescription"] = Value::Null;
                    job["InventoryRetrievalParameters"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "listed-jobs-never-finish",
        "own",
        Seam::Reply,
        &["LJ-BODY-001", "LJ-FILTER-001"],
        "ListJobs tells every job as it was when it began",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListJobs) {
                for job in items(draft).into_iter().flatten() {
                    job["StatusCode"] = "InProgress".into();
                    job["Completed"] = false.into();
                    job["CompletionDate"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "listed-jobs-end-when-described",
        "own",
        Seam::Reply,
        &["LJ-BODY-001"],
        "ListJobs tells a job in progress until its description was asked for after its end",
        &[Hook::Replies(|draft, told, memory| {
            let described = done(told, O::DescribeJob);
            for job in jobs(draft, told) {
                let name = text(job, "JobId").to_owned();
                if described {
                    memory.keep(&name, job["StatusCode"].clone());
                } else if memory.kept(&name).is_none_or(|state| state == "InProgress") {
                    job["StatusCode"] = "InProgress".into();
                    job["Completed"] = false.into();
                    job["CompletionDate"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "foreign-archive-retrieved",
        "own",
        Seam::Model,
        &["IJ-AR-003"],
        "an archive of another vault can be retrieved",
        &[Hook::Accepts(&[O::InitiateJob], &[R::ArchiveForeign])],
    ),
    fault(
        "deleted-archive-retrieved",
        "own",
        Seam::Model,
        &["DA-EFFECT-001"],
        "a deleted archive can be retrieved, and is",
        &[
            Hook::Accepts(&[O::InitiateJob], &[R::ArchiveDeleted]),
            Hook::Before(|realm, asked, _| revive_jobs(realm, asked)),
        ],
    ),
    fault(
        "deleted-archive-retrieved-again",
        "own",
        Seam::Model,
        &["DA-EFFECT-001"],
        "a deleted archive can be retrieved when it was retrieved before",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                let document = sent(asked);
                let archive = text(&document, "ArchiveId");
                let deleted = refused_for(decision, R::ArchiveDeleted);
                if *decision == Decision::Accept && asks(asked, O::InitiateJob) {
                    memory.count(archive);
                } else if deleted && memory.counted(archive) > 0 {
                    *decision = Decision::Accept;
                }
            }),
            Hook::Before(|realm, asked, _| revive_jobs(realm, asked)),
        ],
    ),
    fault(
        "downloaded-jobs-leave-the-list",
        "own",
        Seam::Reply,
        &["LJ-SCOPE-001"],
        "a job is not listed any more once its output was downloaded",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::GetJobOutput) {
                memory.count(job_id(told.asked));
            } else if done(told, O::ListJobs)
                && let Some(jobs) = items(draft)
            {
                jobs.retain(|job| memory.counted(text(job, "JobId")) == 0);
            }
        })],
    ),
    fault(
        "equal-jobs-share-an-id",
        "own",
        Seam::Reply,
        &["IJ-ID-001"],
        "the same parameters get the id of the job they got before",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::InitiateJob) {
                let key = format!("{}/{}", told.vault(), sent(told.asked));
                let id = memory
                    .kept(&key)
                    .and_then(Value::as_str)
                    .unwrap_or(job_id(told.asked))
                    .to_owned();
                draft.headers.set("x-amz-job-id", id.clone());
                draft.headers.set(
                    "Location",
                    told.place.location(told.vault(), &format!("/jobs/{id}")),
                );
                memory.keep(&key, id.into());
            }
        })],
    ),
    fault(
        "wrapped-parameters-accepted",
        "own",
        Seam::Model,
        &["IJ-BODY-002"],
        "job parameters inside a jobParameters member are accepted",
        &[Hook::Request(|asked, _| {
            edit(asked, O::InitiateJob, |body| {
                if let Some(inner) = body
                    .get("jobParameters")
                    .filter(|inner| inner.is_object())
                    .cloned()
                {
                    *body = inner;
                }
            });
        })],
    ),
    fault(
        "null-members-count",
        "own",
        Seam::Model,
        &["IJ-BODY-004"],
        "a job parameter that is null is of the wrong type",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::InitiateJob)
                && sent(asked)
                    .as_object()
                    .is_some_and(|members| members.values().any(Value::is_null))
            {
                refuse(decision, 400, "SerializationException");
            }
        })],
    ),
    fault(
        "job-body-must-be-called-json",
        "own",
        Seam::Model,
        &["IJ-BODY-003"],
        "job parameters count only under Content-Type application/json",
        &[Hook::Decides(|decision, asked, _, _| {
            let called = asked
                .head
                .headers
                .value("content-type")
                .unwrap_or("application/json");
            if asks(asked, O::InitiateJob)
                && !called.starts_with("application/json")
                && !called.starts_with("application/x-amz-json")
            {
                refuse(decision, 400, "SerializationException");
            }
        })],
    ),
    fault(
        "retrieval-range-start-unchecked",
        "own",
        Seam::Model,
        &["IJ-RANGE-003"],
        "a RetrievalByteRange may begin off a mebibyte",
        &[Hook::Decides(|decision, asked, model, _| {
            excuse_range(decision, asked, model, |range, size| {
                range.start % MIB != 0 && (range.end % MIB == 0 || range.end == size)
            });
        })],
    ),
    fault(
        "retrieval-range-end-unchecked",
        "own",
        Seam::Model,
        &["IJ-RANGE-004"],
        "a RetrievalByteRange may end off a mebibyte",
        &[Hook::Decides(|decision, asked, model, _| {
            excuse_range(decision, asked, model, |range, _| range.start % MIB == 0);
        })],
    ),
    fault(
        "retrieval-range-must-end-at-a-mebibyte",
        "own",
        Seam::Model,
        &["IJ-RANGE-002"],
        "a RetrievalByteRange that ends with the archive off a mebibyte is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            object_to_range(decision, asked, model, |range, size| {
                range.end == size && size % MIB != 0
            });
        })],
    ),
    fault(
        "retrieval-range-must-be-a-node",
        "own",
        Seam::Model,
        &["IJ-RANGE-005"],
        "a RetrievalByteRange that is no node of the tree is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            object_to_range(decision, asked, model, |range, size| {
                !tree_hash_aligned(range, size)
            });
        })],
    ),
    fault(
        "retrieval-range-of-everything-refused",
        "own",
        Seam::Model,
        &["IJ-RANGE-009"],
        "a RetrievalByteRange that is the whole archive is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            object_to_range(decision, asked, model, |range, size| range.len() == size);
        })],
    ),
    fault(
        "retrieval-range-beyond-accepted",
        "own",
        Seam::Model,
        &["IJ-RANGE-008"],
        "a RetrievalByteRange beyond the archive is accepted",
        &[Hook::Accepts(&[O::InitiateJob], &[R::RetrievalRangeBeyond])],
    ),
    fault(
        "retrieval-range-malformed-ignored",
        "own",
        Seam::Model,
        &["IJ-RANGE-007"],
        "a RetrievalByteRange that is none is ignored",
        &[Hook::Accepts(
            &[O::InitiateJob],
            &[R::RetrievalRangeMalformed],
        )],
    ),
    fault(
        "retrieval-range-told-exclusive",
        "own",
        Seam::Reply,
        &["DJ-AR-005", "DJ-AR-004"],
        "the end of RetrievalByteRange is told as the byte after the last",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if let Some(range) = parse_retrieval_range(text(job, "RetrievalByteRange")) {
                    job["RetrievalByteRange"] = format!("{}-{}", range.start, range.end).into();
                }
            }
        })],
    ),
    fault(
        "retrieval-range-of-everything-null",
        "own",
        Seam::Reply,
        &["DJ-AR-004"],
        "RetrievalByteRange is null when the whole archive is retrieved",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| retrieves(job)) {
                let whole = parse_retrieval_range(text(job, "RetrievalByteRange"))
                    .is_some_and(|range| Some(range.len()) == job["ArchiveSizeInBytes"].as_u64());
                if whole {
                    job["RetrievalByteRange"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "ranged-jobs-tell-the-size-of-the-range",
        "own",
        Seam::Reply,
        &["DJ-AR-002"],
        "ArchiveSizeInBytes of a ranged job is the length of its range",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| retrieves(job)) {
                if let Some(range) = parse_retrieval_range(text(job, "RetrievalByteRange")) {
                    job["ArchiveSizeInBytes"] = range.len().into();
                }
            }
        })],
    ),
    fault(
        "archive-id-in-inventory-accepted",
        "own",
        Seam::Model,
        &["IJ-INV-002"],
        "an inventory request may have an ArchiveId",
        &[Hook::Accepts(&[O::InitiateJob], &[R::ArchiveIdUnexpected])],
    ),
    fault(
        "retrieval-range-in-inventory-accepted",
        "own",
        Seam::Model,
        &["IJ-RANGE-010"],
        "an inventory request may have a RetrievalByteRange",
        &[Hook::Accepts(
            &[O::InitiateJob],
            &[R::RetrievalRangeUnexpected],
        )],
    ),
    fault(
        "job-type-unchecked",
        "own",
        Seam::Model,
        &["IJ-TYPE-002"],
        "a job of any Type is begun",
        &[Hook::Accepts(&[O::InitiateJob], &[R::JobTypeUnknown])],
    ),
    fault(
        "job-type-optional",
        "own",
        Seam::Model,
        &["IJ-TYPE-001"],
        "a job without Type is an inventory",
        &[Hook::Request(|asked, _| {
            edit(asked, O::InitiateJob, |body| {
                if body.get("Type").is_none_or(Value::is_null)
                    && body.get("jobParameters").is_none()
                {
                    body["Type"] = "inventory-retrieval".into();
                }
            });
        })],
    ),
    fault(
        "tier-not-reported",
        "own",
        Seam::Reply,
        &["IJ-TIER-004"],
        "Tier is always told as Standard",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| retrieves(job)) {
                job["Tier"] = "Standard".into();
            }
        })],
    ),
    fault(
        "default-tier-is-bulk",
        "own",
        Seam::Model,
        &["IJ-TIER-002"],
        "a retrieval without Tier is a Bulk job",
        &[Hook::Request(|asked, _| {
            edit(asked, O::InitiateJob, |body| {
                if text(body, "Type") == "archive-retrieval"
                    && body.get("Tier").is_none_or(Value::is_null)
                {
                    body["Tier"] = "Bulk".into();
                }
            });
        })],
    ),
    fault(
        "expedited-refused",
        "own",
        Seam::Model,
        &["IJ-TIER-001"],
        "the tier Expedited is unknown",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::InitiateJob) && text(&sent(asked), "Tier") == "Expedited" {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "tier-unchecked",
        "own",
        Seam::Model,
        &["IJ-TIER-003"],
        "any Tier is accepted",
        &[Hook::Accepts(&[O::InitiateJob], &[R::TierUnknown])],
    ),
    fault(
        "format-unchecked",
        "own",
        Seam::Model,
        &["IJ-INV-004"],
        "any inventory Format is accepted",
        &[Hook::Accepts(&[O::InitiateJob], &[R::FormatUnknown])],
    ),
    fault(
        "csv-asked-json-given",
        "B086",
        Seam::Model,
        &["IJ-INV-003"],
        "every inventory is JSON",
        &[Hook::Request(|asked, _| {
            edit(asked, O::InitiateJob, |body| {
                if body.get("Format").is_some() {
                    body["Format"] = "JSON".into();
                }
            });
        })],
    ),
    fault(
        "inventory-window-ignored",
        "B085",
        Seam::Model,
        &["IJ-INV-005", "IJ-INV-006", "IJ-INV-008", "DJ-INV-003"],
        "InventoryRetrievalParameters are ignored",
        &[Hook::Request(|asked, _| {
            drop_member(asked, "InventoryRetrievalParameters");
        })],
    ),
    fault(
        "csv-inventory-window-ignored",
        "own",
        Seam::Model,
        &["IJ-INV-007", "IJ-INV-008"],
        "InventoryRetrievalParameters are ignored for inventories in CSV",
        &[Hook::Request(|asked, _| {
            edit(asked, O::InitiateJob, |body| {
                if text(body, "Format") == "CSV" {
                    body["InventoryRetrievalParameters"] = Value::Null;
                }
            });
        })],
    ),
    fault(
        "inventory-start-exclusive",
        "own",
        Seam::Model,
        &["IJ-INV-005"],
        "an archive made at StartDate is left out",
        &[Hook::Request(|asked, _| {
            edit_window(asked, |window| move_bound(window, "StartDate"));
        })],
    ),
    fault(
        "inventory-end-inclusive",
        "own",
        Seam::Model,
        &["IJ-INV-006"],
        "an archive made at EndDate is listed",
        &[Hook::Request(|asked, _| {
            edit_window(asked, |window| move_bound(window, "EndDate"));
        })],
    ),
    fault(
        "inventory-limit-off-by-one",
        "own",
        Seam::Model,
        &["IJ-INV-008"],
        "an inventory lists one archive more than its Limit",
        &[Hook::Request(|asked, _| {
            edit_window(asked, |window| {
                if let Ok(limit) = text(window, "Limit").parse::<u64>() {
                    window["Limit"] = (limit + 1).to_string().into();
                }
            });
        })],
    ),
    fault(
        "inventory-limit-ignored-beside-dates",
        "own",
        Seam::Model,
        &["IJ-INV-013"],
        "Limit counts only without StartDate and EndDate",
        &[Hook::Request(|asked, _| {
            edit_window(asked, |window| {
                if window["StartDate"].is_string() || window["EndDate"].is_string() {
                    window["Limit"] = Value::Null;
                }
            });
        })],
    ),
    fault(
        "inventory-end-ignored-beside-start",
        "own",
        Seam::Model,
        &["IJ-INV-007"],
        "EndDate counts only without StartDate",
        &[Hook::Request(|asked, _| {
            edit_window(asked, |window| {
                if window["StartDate"].is_string() {
                    window["EndDate"] = Value::Null;
                }
            });
        })],
    ),
    fault(
        "inventory-marker-ignored",
        "own",
        Seam::Model,
        &["IJ-INV-014"],
        "every page of an inventory is the first",
        &[Hook::Request(|asked, _| {
            edit_window(asked, |window| window["Marker"] = Value::Null);
        })],
    ),
    fault(
        "inventory-marker-untold",
        "own",
        Seam::Reply,
        &["IJ-INV-010"],
        "a job never tells where its inventory goes on",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if let Some(marker) = job.pointer_mut("/InventoryRetrievalParameters/Marker") {
                    *marker = Value::Null;
                }
            }
        })],
    ),
    fault(
        "inventory-limit-zero-accepted",
        "own",
        Seam::Model,
        &["IJ-INV-009"],
        "an inventory Limit below 1 is accepted",
        &[Hook::Accepts(
            &[O::InitiateJob],
            &[R::InventoryLimitInvalid],
        )],
    ),
    fault(
        "inventory-dates-unchecked",
        "own",
        Seam::Model,
        &["IJ-INV-011"],
        "StartDate and EndDate may be anything",
        &[Hook::Accepts(&[O::InitiateJob], &[R::DateInvalid])],
    ),
    fault(
        "inventory-limit-told-as-number",
        "own",
        Seam::Reply,
        &["DJ-INV-003"],
        "InventoryRetrievalParameters.Limit comes back as a number",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                let limit = job.pointer_mut("/InventoryRetrievalParameters/Limit");
                if let Some(limit) = limit
                    && let Some(number) = limit.as_str().and_then(|text| text.parse::<u64>().ok())
                {
                    *limit = number.into();
                }
            }
        })],
    ),
    fault(
        "inventory-parameters-on-archive-jobs",
        "own",
        Seam::Reply,
        &["DJ-AR-011"],
        "archive jobs have InventoryRetrievalParameters",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| retrieves(job)) {
                job["InventoryRetrievalParameters"] = json!({"Format": "JSON"});
            }
        })],
    ),
    fault(
        "inventory-jobs-have-an-archive",
        "own",
        Seam::Reply,
        &["DJ-INV-001"],
        "inventory jobs have an ArchiveId and an ArchiveSizeInBytes of 0",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| !retrieves(job)) {
                job["ArchiveId"] = "".into();
                job["ArchiveSizeInBytes"] = 0.into();
            }
        })],
    ),
    fault(
        "inventory-jobs-have-a-tier-of-no-name",
        "own",
        Seam::Reply,
        &["DJ-INV-005"],
        "inventory jobs have the Tier None, as a text",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| !retrieves(job)) {
                job["Tier"] = "None".into();
            }
        })],
    ),
    fault(
        "inventory-size-before-the-end",
        "own",
        Seam::Reply,
        &["DJ-INV-002"],
        "InventorySizeInBytes is 0 while the job is in progress",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told).into_iter().filter(|job| !retrieves(job)) {
                if job["Completed"] == false {
                    job["InventorySizeInBytes"] = 0.into();
                }
            }
        })],
    ),
    fault(
        "csv-size-off-by-one",
        "own",
        Seam::Reply,
        &["DJ-INV-006"],
        "InventorySizeInBytes of a CSV inventory forgets the last line end",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                let csv = job.pointer("/InventoryRetrievalParameters/Format")
                    == Some(&Value::from("CSV"));
                if let Some(size) = job["InventorySizeInBytes"].as_u64().filter(|_| csv) {
                    job["InventorySizeInBytes"] = (size - 1).into();
                }
            }
        })],
    ),
    fault(
        "action-in-the-words-of-the-request",
        "own",
        Seam::Reply,
        &["DJ-ACTION-001"],
        "Action is archive-retrieval or inventory-retrieval",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                let word = if retrieves(job) {
                    "archive-retrieval"
                } else {
                    "inventory-retrieval"
                };
                job["Action"] = word.into();
            }
        })],
    ),
    fault(
        "completion-date-from-the-beginning",
        "own",
        Seam::Reply,
        &["DJ-DATE-002"],
        "CompletionDate is there while a job is in progress",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if job["CompletionDate"].is_null() {
                    job["CompletionDate"] = job["CreationDate"].clone();
                }
            }
        })],
    ),
    fault(
        "completed-as-text",
        "own",
        Seam::Reply,
        &["DJ-STATE-002", "DJ-TYPE-001"],
        "Completed is a string",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                job["Completed"] = job["Completed"].to_string().into();
            }
        })],
    ),
    fault(
        "completed-always-false",
        "own",
        Seam::Reply,
        &["DJ-STATE-002"],
        "Completed stays false",
        &[Hook::Replies(|draft, told, _| {
            jobs(draft, told)
                .into_iter()
                .for_each(|job| job["Completed"] = false.into());
        })],
    ),
    fault(
        "status-code-complete",
        "own",
        Seam::Reply,
        &["DJ-STATE-001"],
        "the StatusCode of a finished job is Complete",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if job["StatusCode"] == "Succeeded" {
                    job["StatusCode"] = "Complete".into();
                }
            }
        })],
    ),
    fault(
        "finished-job-begins-again",
        "own",
        Seam::Reply,
        &["DJ-STATE-003"],
        "every third description of a finished job says that it is in progress",
        &[Hook::Replies(|draft, told, memory| {
            for job in jobs(draft, told) {
                if job["Completed"] == true && memory.count(text(job, "JobId")) % 3 == 0 {
                    job["Completed"] = false.into();
                    job["StatusCode"] = "InProgress".into();
                    job["CompletionDate"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "job-visible-in-every-vault",
        "own",
        Seam::Model,
        &["DJ-404-002", "GJO-404-001"],
        "a job can be seen through any vault",
        &[Hook::Accepts(
            &[O::DescribeJob, O::GetJobOutput],
            &[R::JobForeign],
        )],
    ),
    fault(
        "jobs-of-all-vaults-listed",
        "own",
        Seam::Reply,
        &["LJ-SCOPE-001"],
        "ListJobs lists the jobs of all vaults",
        &[Hook::Lists(|entries, asked, model, _| {
            if asks(asked, O::ListJobs) {
                let others = model
                    .vaults
                    .iter()
                    .filter(|(id, _)| id.as_str() != asked.vault())
                    .flat_map(|(_, vault)| vault.jobs.iter());
                entries.extend(others.map(|(id, job)| Entry {
                    key: format!("{:020}.{id}", i64::MAX - job.created.1.0),
                    id: id.clone(),
                }));
                entries.sort_by(|a, b| a.key.cmp(&b.key));
            }
        })],
    ),
    fault(
        "jobs-in-progress-not-listed",
        "own",
        Seam::Reply,
        &["LJ-SCOPE-001"],
        "ListJobs lists finished jobs only",
        &[Hook::Lists(|entries, asked, model, _| {
            if let Action::ListJobs { vault, .. } = &asked.action {
                entries.retain(|entry| {
                    model
                        .job(vault, &entry.id)
                        .is_none_or(|(_, job)| job.status != JobStatus::InProgress)
                });
            }
        })],
    ),
    fault(
        "jobs-listed-by-id",
        "own",
        Seam::Reply,
        &["LJ-ORDER-001"],
        "ListJobs sorts jobs by their ids",
        &[Hook::Lists(|entries, asked, _, _| {
            if asks(asked, O::ListJobs) {
                entries.sort_by(|a, b| a.id.cmp(&b.id));
            }
        })],
    ),
    fault(
        "filters-after-paging",
        "own",
        Seam::Model,
        &["LJ-FILTER-006"],
        "ListJobs cuts the page first, filters what is on it, and takes a page that is not full for the last",
        &[
            Hook::Request(|asked, _| {
                if let Action::ListJobs { statuscode, .. } = &mut asked.action
                    && statuscode.as_ref().is_some_and(|code| {
                        ["InProgress", "Succeeded", "Failed"].contains(&code.as_str())
                    })
                {
                    *statuscode = None;
                }
            }),
            Hook::Replies(|draft, told, _| {
                if done(told, O::ListJobs) {
                    let code = told
                        .asked
                        .route
                        .query
                        .iter()
                        .find(|(name, _)| name == "statuscode")
                        .map(|(_, code)| code.as_str());
                    if let (Some(code), Some(items)) = (code, items(draft)) {
                        let cut = items.len();
                        items.retain(|job| text(job, "StatusCode") == code);
                        if items.len() < cut {
                            draft.document().into_iter().for_each(|list| {
                                list["Marker"] = Value::Null;
                            });
                        }
                    }
                }
            }),
        ],
    ),
    fault(
        "statuscode-ignored",
        "own",
        Seam::Model,
        &["LJ-FILTER-001"],
        "ListJobs does not filter by statuscode",
        &[Hook::Request(|asked, _| {
            if let Action::ListJobs { statuscode, .. } = &mut asked.action {
                *statuscode = None;
            }
        })],
    ),
    fault(
        "completed-ignored",
        "own",
        Seam::Model,
        &["LJ-FILTER-003"],
        "ListJobs does not filter by completed",
        &[Hook::Request(|asked, _| {
            if let Action::ListJobs { completed, .. } = &mut asked.action {
                *completed = None;
            }
        })],
    ),
    fault(
        "statuscode-ignored-beside-completed",
        "own",
        Seam::Model,
        &["LJ-FILTER-004"],
        "of two filters together only completed counts",
        &[Hook::Request(|asked, _| {
            if let Action::ListJobs {
                completed: Some(_),
                statuscode,
                ..
            } = &mut asked.action
            {
                *statuscode = None;
            }
        })],
    ),
    fault(
        "statuscode-unchecked",
        "own",
        Seam::Model,
        &["LJ-FILTER-002"],
        "an unknown statuscode gives an empty list",
        &[Hook::Accepts(&[O::ListJobs], &[R::StatusCodeUnknown])],
    ),
    fault(
        "completed-unchecked",
        "own",
        Seam::Model,
        &["LJ-FILTER-005"],
        "a completed that is neither true nor false gives an empty list",
        &[Hook::Accepts(&[O::ListJobs], &[R::CompletedInvalid])],
    ),
    fault(
        "job-topic-forgotten",
        "own",
        Seam::Model,
        &["IJ-SNS-001"],
        "SNSTopic of a job is not kept",
        &[Hook::Request(|asked, _| drop_member(asked, "SNSTopic"))],
    ),
    fault(
        "job-topic-inherited",
        "own",
        Seam::Model,
        &["DJ-SNS-001"],
        "a job without a topic has that of the job before it in the vault",
        &[Hook::Request(|asked, memory| {
            let vault = asked.vault().to_owned();
            edit(asked, O::InitiateJob, |body| match body.get("SNSTopic") {
                Some(topic) => {
                    memory.keep(&vault, topic.clone());
                }
                None => {
                    if let Some(topic) = memory.kept(&vault) {
                        body["SNSTopic"] = topic.clone();
                    }
                }
            });
        })],
    ),
    fault(
        "job-description-cut",
        "own",
        Seam::Model,
        &["IJ-DESC-001"],
        "job descriptions end after 255 characters",
        &[Hook::Request(|asked, _| {
            edit(asked, O::InitiateJob, |body| {
                if let Some(text) = body["Description"].as_str().filter(|text| {
                    text.is_char_boundary(255) && text.len() > 255 && text.len() <= 1024
                }) {
                    body["Description"] = text[..255].to_owned().into();
                }
            });
        })],
    ),
    fault(
        "job-description-unchecked",
        "own",
        Seam::Model,
        &["IJ-DESC-002"],
        "job descriptions may be of any length and characters",
        &[Hook::Accepts(
            &[O::InitiateJob],
            &[R::JobDescriptionInvalid],
        )],
    ),
    fault(
        "missing-job-description-empty",
        "own",
        Seam::Reply,
        &["DJ-SNS-001"],
        "the description of a job that has none is an empty string",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if job["JobDescription"].is_null() {
                    job["JobDescription"] = "".into();
                }
            }
        })],
    ),
    fault(
        "empty-job-body-is-an-inventory",
        "own",
        Seam::Model,
        &["IJ-BODY-005"],
        "a job without parameters is an inventory",
        &[Hook::Request(|asked, _| {
            if asks(asked, O::InitiateJob)
                && asked.action.json_body() == Some(&crevasse_core::scenario::JsonBody::Absent)
                && let Action::InitiateJob { body, .. } = &mut asked.action
            {
                *body =
                    crevasse_core::scenario::JsonBody::Json(json!({"Type": "inventory-retrieval"}));
            }
        })],
    ),
    fault(
        "loose-retrieval-fails",
        "own",
        Seam::Reply,
        &["IJ-RANGE-005"],
        "a job with a range that is no node of the hash tree is accepted, and fails",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                if job["StatusCode"] == "Succeeded" && is_loose(job) {
                    job["StatusCode"] = "Failed".into();
                }
            }
        })],
    ),
    fault(
        "job-description-without-vault",
        "own",
        Seam::Reply,
        &["DJ-BODY-001"],
        "DescribeJob tells no VaultARN",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::DescribeJob)
                && let Some(arn) = draft.member("/VaultARN")
            {
                *arn = Value::Null;
            }
        })],
    ),
];
