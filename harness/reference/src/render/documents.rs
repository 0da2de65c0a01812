//! JSON documents, members in the order of the real service, those that do not apply null (O-27).

use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::{Job, JobKind, JobStatus, LockState, Model, Upload, Vault};
use crevasse_core::range::ByteRange;
use crevasse_core::scenario::{Action, Ref};
use serde_json::{Map, Value, json};

use super::Told;
use crate::page::{Cut, Entry, marker_for};
use crate::realm::{Place, Realm};

/// A lock that is not completed ends after 24 hours.
const LOCK_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The state of a job as it is written.
pub(crate) fn status_code(status: JobStatus) -> &'static str {
    match status {
        JobStatus::InProgress => "InProgress",
        JobStatus::Succeeded => "Succeeded",
        JobStatus::Failed => "Failed",
    }
}

/// Describes a vault; its counters are those of the last inventory.
pub(crate) fn describe_vault(vault: &Vault, place: &Place) -> Value {
    let inventory = vault.inventory.as_ref();
    json!({
        "CreationDate": vault.created.1.iso(),
        "LastInventoryDate": inventory.map(|inventory| inventory.date.iso()),
        "NumberOfArchives": inventory.map_or(0, |inventory| inventory.entries.len()),
        "SizeInBytes": inventory.map_or(0, |inventory| inventory.size_in_bytes()),
        "VaultARN": place.arn(&vault.name),
        "VaultName": vault.name,
    })
}

/// Describes a job.
pub(crate) fn describe_job(
    realm: &mut Realm,
    vault: &str,
    id: &str,
    place: &Place,
) -> Option<Value> {
    let range_hash = realm.range_hash(vault, id).map(|hash| hash.to_string());
    let job = realm.model.vaults.get(vault)?.jobs.get(id)?;
    let (action, archive) = match &job.kind {
        JobKind::Inventory { .. } => ("InventoryRetrieval", None),
        JobKind::Archive {
            archive_id,
            content,
            tree_hash,
            range,
            ..
        } => (
            "ArchiveRetrieval",
            Some((archive_id, content.length(), tree_hash.to_string(), *range)),
        ),
        JobKind::Other => ("ArchiveRetrieval", None),
    };
    let archive = archive.as_ref();
    let done = job.status != JobStatus::InProgress;
    let succeeded = job.status == JobStatus::Succeeded;
    let size = realm.outputs.get(id).map(|output| output.length());
    Some(json!({
        "Action": action,
        "ArchiveId": archive.map(|(id, ..)| id),
        "ArchiveSHA256TreeHash": archive.map(|(_, _, hash, _)| hash),
        "ArchiveSizeInBytes": archive.map(|(_, size, ..)| size),
        "Completed": done,
        "CompletionDate": job.completed_at.map(Timestamp::iso),
        "CreationDate": job.created.1.iso(),
        "InventoryRetrievalParameters": inventory_parameters(job),
        "InventorySizeInBytes": size.filter(|_| succeeded),
        "JobDescription": job.description,
        "JobId": job.id,
        "RetrievalByteRange": archive.map(|(.., range)| range.to_string()),
        "SHA256TreeHash": range_hash,
        "SNSTopic": job.topic,
        "StatusCode": status_code(job.status),
        "StatusMessage": status_message(job.status),
        "Tier": tier(job),
        "VaultARN": place.arn(vault),
    }))
}

fn status_message(status: JobStatus) -> Option<&'static str> {
    match status {
        JobStatus::InProgress => None,
        JobStatus::Succeeded => Some("Succeeded"),
        JobStatus::Failed => Some("The archive was deleted."),
    }
}

fn tier(job: &Job) -> Option<&str> {
    let inventory = matches!(job.kind, JobKind::Inventory { .. });
    (!inventory).then(|| job.tier.as_deref().unwrap_or("Standard"))
}

/// The parameters of an inventory job; `Marker` is where the next page begins, once it is known (AMB-37).
fn inventory_parameters(job: &Job) -> Option<Value> {
    let JobKind::Inventory {
        format,
        parameters,
        prepared,
    } = &job.kind
    else {
        return None;
    };
    let said = |name: &str| parameters.as_ref().and_then(|p| p.get(name)).cloned();
    let ended = prepared
        .as_ref()
        .filter(|_| job.status == JobStatus::Succeeded);
    Some(json!({
        "EndDate": said("EndDate"),
        "Format": format,
        "Limit": said("Limit"),
        "Marker": ended.and_then(|inventory| inventory.next.clone()),
        "StartDate": said("StartDate"),
    }))
}

/// Writes a page of a list.
pub(super) fn list(told: &Told<'_>, page: &Cut, realm: &mut Realm) -> Option<Value> {
    let action = &told.asked.action;
    let items: Vec<Value> = page
        .entries
        .iter()
        .filter_map(|entry| item(entry, told, realm))
        .collect();
    let marker = page
        .next
        .as_ref()
        .map(|key| marker_for(key, action, told.place));
    Some(match action {
        Action::ListVaults { .. } => json!({ "Marker": marker, "VaultList": items }),
        Action::ListMultipartUploads { .. } => json!({ "Marker": marker, "UploadsList": items }),
        Action::ListJobs { .. } => json!({ "JobList": items, "Marker": marker }),
        Action::ListParts { upload, .. } => {
            let upload = upload_of(&realm.model, told.vault(), upload.handle()?)?;
            let mut document = describe_upload(upload, told);
            document.insert("Marker".to_owned(), json!(marker));
            document.insert("Parts".to_owned(), Value::Array(items));
            Value::Object(document)
        }
        _ => return None,
    })
}

fn item(entry: &Entry, told: &Told<'_>, realm: &mut Realm) -> Option<Value> {
    let (vault, place) = (told.vault(), told.place);
    match &told.asked.action {
        Action::ListVaults { .. } => {
            Some(describe_vault(realm.model.vaults.get(&entry.id)?, place))
        }
        Action::ListJobs { .. } => {
            let home = realm
                .model
                .job(&Ref::Handle(vault.to_owned()), &entry.id)?
                .0
                .to_owned();
            describe_job(realm, &home, &entry.id, place)
        }
        Action::ListMultipartUploads { .. } => {
            let upload = upload_of(&realm.model, vault, &entry.id)?;
            Some(Value::Object(describe_upload(upload, told)))
        }
        Action::ListParts { upload, .. } => {
            let upload = upload_of(&realm.model, vault, upload.handle()?)?;
            let part = upload.parts.get(&entry.id.parse().ok()?)?;
            let (range, hash): (ByteRange, String) = (part.range, part.tree_hash.to_string());
            Some(json!({ "RangeInBytes": range.to_string(), "SHA256TreeHash": hash }))
        }
        _ => None,
    }
}

fn upload_of<'a>(model: &'a Model, vault: &str, upload: &str) -> Option<&'a Upload> {
    model.vaults.get(vault)?.uploads.get(upload)
}

fn describe_upload(upload: &Upload, told: &Told<'_>) -> Map<String, Value> {
    let document = json!({
        "ArchiveDescription": upload.description,
        "CreationDate": upload.created.1.iso(),
        "MultipartUploadId": upload.id,
        "PartSizeInBytes": upload.part_size,
        "VaultARN": told.place.arn(told.vault()),
    });
    match document {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What hangs on a vault or account, for actions that read it; `None` for actions without a document.
pub(super) fn resource(action: &Action, realm: &Realm, now: Timestamp) -> Option<Value> {
    let vault = action.vault().and_then(|vault| realm.model.vault(vault));
    match action {
        Action::ListTagsForVault { .. } => Some(json!({ "Tags": vault?.tags })),
        Action::GetVaultLock { .. } => Some(lock(vault?, now)?),
        Action::GetVaultAccessPolicy { .. } => {
            Some(json!({ "Policy": vault?.access_policy.as_ref()? }))
        }
        Action::GetVaultNotifications { .. } => {
            let set = vault?.notifications.as_ref()?;
            Some(json!({ "Events": set.get("Events"), "SNSTopic": set.get("SNSTopic") }))
        }
        Action::GetDataRetrievalPolicy {} => Some(retrieval_policy(&realm.model)),
        Action::ListProvisionedCapacity {} => Some(capacities(&realm.model)),
        _ => None,
    }
}

fn lock(vault: &Vault, now: Timestamp) -> Option<Value> {
    let lock = vault.lock_at(now)?;
    let created = lock.created.1;
    let (state, ends) = match lock.state {
        LockState::InProgress => ("InProgress", Some(created.plus_millis(LOCK_MILLIS).iso())),
        LockState::Locked => ("Locked", None),
    };
    Some(json!({
        "CreationDate": created.iso(),
        "ExpirationDate": ends,
        "Policy": lock.policy,
        "State": state,
    }))
}

/// The policy set last; before any, the documented default, No Retrieval Limit (AMB-45).
fn retrieval_policy(model: &Model) -> Value {
    let rule = model
        .retrieval_policy
        .as_ref()
        .and_then(|policy| policy.pointer("/Rules/0"));
    let said = |name: &str| {
        rule.and_then(|rule| rule.get(name))
            .filter(|value| !value.is_null())
    };
    let strategy = said("Strategy").cloned().unwrap_or_else(|| json!("None"));
    let rule = match said("BytesPerHour") {
        Some(bytes) => json!({ "BytesPerHour": bytes, "Strategy": strategy }),
        None => json!({ "Strategy": strategy }),
    };
    json!({ "Policy": { "Rules": [rule] } })
}

/// Units of capacity; each lasts a calendar month, to the second (AMB-46).
fn capacities(model: &Model) -> Value {
    let units = model.capacity.values().map(|unit| {
        let bought = unit.bought.1;
        json!({
            "CapacityId": unit.id,
            "ExpirationDate": bought.plus_month().whole_seconds().iso(),
            "StartDate": bought.iso(),
        })
    });
    json!({ "ProvisionedCapacityList": units.collect::<Vec<_>>() })
}
