//! What faults have in common: finding their place in a request, a memory or an answer.

use crevasse_core::model::{Archive, Refusal, Vault};
use crevasse_core::payload::Content;
use crevasse_core::scenario::{Action, JsonBody, Ref};
use crevasse_core::spec::OperationName;
use serde_json::Value;

use super::{Decision, Fault, Hook, Seam};
use crate::realm::Realm;
use crate::render::{Draft, DraftBody, Refused, Told};
use crate::service::Asked;

/// Makes a fault.
pub(super) const fn fault(
    id: &'static str,
    origin: &'static str,
    seam: Seam,
    breaks: &'static [&'static str],
    sentence: &'static str,
    hooks: &'static [Hook],
) -> Fault {
    Fault {
        id,
        sentence,
        seam,
        breaks,
        origin,
        excuse: None,
        hooks,
    }
}

/// Whether this is the answer to such an operation, and a success.
pub(super) fn done(told: &Told<'_>, operation: OperationName) -> bool {
    told.refusal.is_none() && told.asked.action.operation() == Some(operation)
}

/// Whether such an operation is asked for, and all of it has come.
pub(super) fn asks(asked: &Asked, operation: OperationName) -> bool {
    !asked.early && asked.action.operation() == Some(operation)
}

/// Whether a request is refused for this reason.
pub(super) fn refused_for(decision: &Decision, reason: Refusal) -> bool {
    matches!(decision, Decision::Refuse(refused) if refused.reason == Some(reason))
}

/// Refuses what was accepted.
pub(super) fn refuse(decision: &mut Decision, status: u16, code: &str) {
    if *decision == Decision::Accept {
        *decision = Decision::Refuse(Refused::with(status, code, "Refused by a fault."));
    }
}

/// Refuses what was accepted, as a wrong parameter.
pub(super) fn refuse_parameter(decision: &mut Decision) {
    refuse(decision, 400, "InvalidParameterValueException");
}

/// The JSON body of an action.
pub(super) fn body_of(action: &mut Action) -> Option<&mut JsonBody> {
    match action {
        Action::InitiateJob { body, .. }
        | Action::SetVaultNotifications { body, .. }
        | Action::AddTagsToVault { body, .. }
        | Action::RemoveTagsFromVault { body, .. }
        | Action::InitiateVaultLock { body, .. }
        | Action::SetVaultAccessPolicy { body, .. }
        | Action::SetDataRetrievalPolicy { body } => Some(body),
        _ => None,
    }
}

/// Edits the JSON body of such an operation, if it is an object.
pub(super) fn edit(asked: &mut Asked, operation: OperationName, alter: impl FnOnce(&mut Value)) {
    if !asks(asked, operation) {
        return;
    }
    if let Some(body) = body_of(&mut asked.action)
        && let Some(mut document) = body.document().filter(Value::is_object)
    {
        alter(&mut document);
        *body = JsonBody::Json(document);
    }
}

/// The JSON document that was sent.
pub(super) fn sent(asked: &Asked) -> Value {
    let body = asked.action.json_body();
    body.and_then(JsonBody::document).unwrap_or_default()
}

/// The items of a list.
pub(super) fn items(draft: &mut Draft) -> Option<&mut Vec<Value>> {
    const LISTS: [&str; 4] = ["VaultList", "JobList", "UploadsList", "Parts"];
    let document = draft.document()?.as_object_mut()?;
    let name = LISTS.iter().find(|name| document.contains_key(**name))?;
    document.get_mut(*name)?.as_array_mut()
}

/// Every description of a job in an answer: the one described, or those listed.
pub(super) fn jobs<'a>(draft: &'a mut Draft, told: &Told<'_>) -> Vec<&'a mut Value> {
    if done(told, OperationName::DescribeJob) {
        draft.document().into_iter().collect()
    } else if done(told, OperationName::ListJobs) {
        items(draft).into_iter().flatten().collect()
    } else {
        Vec::new()
    }
}

/// Every description of a vault in an answer.
pub(super) fn vaults<'a>(draft: &'a mut Draft, told: &Told<'_>) -> Vec<&'a mut Value> {
    if done(told, OperationName::DescribeVault) {
        draft.document().into_iter().collect()
    } else if done(told, OperationName::ListVaults) {
        items(draft).into_iter().flatten().collect()
    } else {
        Vec::new()
    }
}

/// The member of a document as text; empty when it is none.
pub(super) fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether a description is of an archive retrieval.
pub(super) fn retrieves(job: &Value) -> bool {
    text(job, "Action") == "ArchiveRetrieval"
}

/// Visits every string in a document.
pub(super) fn every_text(value: &mut Value, alter: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::String(_) => alter(value),
        Value::Array(items) => items.iter_mut().for_each(|item| every_text(item, alter)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|item| every_text(item, alter)),
        _ => {}
    }
}

/// The vault a request goes through.
pub(super) fn vault<'a>(realm: &'a mut Realm, asked: &Asked) -> Option<&'a mut Vault> {
    realm.model.vaults.get_mut(asked.vault())
}

/// The archive that an upload or completion made just now.
pub(super) fn archive<'a>(realm: &'a mut Realm, asked: &Asked) -> Option<&'a mut Archive> {
    let (Action::UploadArchive { archive, .. } | Action::CompleteMultipartUpload { archive, .. }) =
        &asked.action
    else {
        return None;
    };
    vault(realm, asked)?.archives.get_mut(archive)
}

/// The upload that a request is about.
pub(super) fn upload_id(asked: &Asked) -> &str {
    let (Action::UploadMultipartPart { upload, .. }
    | Action::CompleteMultipartUpload { upload, .. }
    | Action::AbortMultipartUpload { upload, .. }
    | Action::ListParts { upload, .. }) = &asked.action
    else {
        return "";
    };
    upload.handle().unwrap_or_default()
}

/// The job that a request is about.
pub(super) fn job_id(asked: &Asked) -> &str {
    match &asked.action {
        Action::DescribeJob { job, .. } | Action::GetJobOutput { job, .. } => {
            job.handle().unwrap_or_default()
        }
        Action::InitiateJob { job, .. } => job,
        _ => "",
    }
}

/// A segment of the path as sent, counted from the account.
pub(super) fn segment(asked: &Asked, index: usize) -> String {
    let (path, _) = asked.head.split();
    path.split('/')
        .nth(index + 1)
        .unwrap_or_default()
        .to_owned()
}

/// The inventory that a job just prepared.
fn prepared<'a>(realm: &'a mut Realm, asked: &Asked) -> Option<&'a mut Content> {
    let begun = asks(asked, OperationName::InitiateJob);
    realm.outputs.get_mut(job_id(asked)).filter(|_| begun)
}

/// Reads the inventory that a job just prepared as JSON, and writes it back.
pub(super) fn rewrite_inventory(realm: &mut Realm, asked: &Asked, alter: impl FnOnce(&mut Value)) {
    let Some(output) = prepared(realm, asked) else {
        return;
    };
    if let Ok(mut document) = serde_json::from_slice(&output.to_bytes()) {
        alter(&mut document);
        *output = document.to_string().into_bytes().into();
    }
}

/// Reads the inventory that a job just prepared as CSV, and writes it back.
pub(super) fn rewrite_csv(realm: &mut Realm, asked: &Asked, alter: impl FnOnce(String) -> String) {
    let Some(output) = prepared(realm, asked) else {
        return;
    };
    let text = String::from_utf8(output.to_bytes()).unwrap_or_default();
    if text.starts_with("ArchiveId,") {
        *output = alter(text).into_bytes().into();
    }
}

/// Puts a text in the place of a body.
pub(super) fn say(draft: &mut Draft, status: u16, media_type: &str, text: &str) {
    draft.status = status;
    draft.headers.set("Content-Type", media_type);
    draft.body = DraftBody::Text(text.to_owned());
}

/// A name as a reference to what it names.
pub(super) fn named(name: &str) -> Ref {
    Ref::Handle(name.to_owned())
}
