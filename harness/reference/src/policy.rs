//! What this server answers where the documents allow several answers, or none.

use crevasse_core::model::{Expectation, Life, Model, Refusal, Vault, is_disputed};
use crevasse_core::range::{Resolved, parse_range_header};
use crevasse_core::scenario::{Action, JsonBody};
use serde_json::Value;

use crate::page;
use crate::realm::{Place, Realm};

/// Vaults an account may have in a region (api-vault-put).
const MOST_VAULTS: usize = 1000;

/// The reasons for which this server refuses an action, in the order it meets them.
pub(crate) fn reasons(
    action: &Action,
    expected: &Expectation,
    realm: &Realm,
    place: &Place,
) -> Vec<Refusal> {
    let either = matches!(expected, Expectation::Either(_));
    let counts = |refusal: &&Refusal| !tolerated(action, **refusal, either);
    let mut reasons: Vec<Refusal> = expected.refusals().iter().filter(counts).copied().collect();
    let own = own_reasons(action, realm, place);
    // A deleted archive has no bytes left by which a range could be judged.
    if own.contains(&Refusal::ArchiveDeleted) {
        reasons.insert(0, Refusal::ArchiveDeleted);
    }
    reasons.extend(own);
    reasons
}

/// Reasons that the documents allow and that do not count here.
fn tolerated(action: &Action, refusal: Refusal, either: bool) -> bool {
    match refusal {
        Refusal::LimitTooLarge
        | Refusal::VaultRecentlyWritten
        | Refusal::TopicInvalid
        | Refusal::CapacityInsufficient
        | Refusal::PolicyEnforced
        | Refusal::InventoryAbsent
        | Refusal::OutputRangeMalformed
        | Refusal::FilterContradictory
        | Refusal::MarkerInvalid
        | Refusal::InventoryMarkerInvalid => true,
        Refusal::VaultUnknown => matches!(action, Action::DeleteVault { .. }),
        Refusal::NoNotifications => matches!(action, Action::DeleteVaultNotifications { .. }),
        Refusal::TagLimitExceeded
        | Refusal::CapacityLimitExceeded
        | Refusal::UploadAborted
        | Refusal::UploadCompleted => either,
        _ => false,
    }
}

/// Reasons that are this server's own choice.
fn own_reasons(action: &Action, realm: &Realm, place: &Place) -> Vec<Refusal> {
    // What parsers read differently is read by none here.
    if is_disputed(action) {
        return vec![Refusal::JsonMalformed];
    }
    let mut reasons = Vec::new();
    reasons.extend(bad_marker(action, place));
    reasons.extend(match action {
        Action::CreateVault { vault, .. } => too_many_vaults(vault.handle(), &realm.model),
        Action::InitiateJob { body, .. } => bad_job(action, body, &realm.model),
        Action::SetVaultNotifications { body, .. } => bad_notifications(body),
        Action::AddTagsToVault { body, .. } => long_value(body),
        Action::CompleteMultipartUpload { .. } => completed_otherwise(action, &realm.model),
        Action::GetJobOutput { .. } => bad_output_range(action, realm),
        _ => None,
    });
    reasons
}

fn bad_marker(action: &Action, place: &Place) -> Option<Refusal> {
    let marker = page::marker(page::page_of(action)?)?;
    let known = page::key_in(marker, action, place);
    known.is_none().then_some(Refusal::MarkerInvalid)
}

fn too_many_vaults(vault: Option<&str>, model: &Model) -> Option<Refusal> {
    let new = model.live_vault(vault?).is_none();
    let live = |vault: &&Vault| vault.life == Life::Live;
    let full = || model.vaults.values().filter(live).count() >= MOST_VAULTS;
    (new && full()).then_some(Refusal::VaultLimitExceeded)
}

fn bad_job(action: &Action, body: &JsonBody, model: &Model) -> Option<Refusal> {
    let document = body.document()?;
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let vault = model.live_vault(action.vault()?.handle()?)?;
    if text("/Type") == Some("select") {
        return Some(Refusal::SelectUnsupported);
    }
    // An inventory is of no archive: that one is named at all is what is wrong then.
    let retrieves = text("/Type") != Some("inventory-retrieval");
    let archive = text("/ArchiveId").filter(|_| retrieves);
    let archive = archive.and_then(|id| vault.archives.get(id));
    if archive.is_some_and(|archive| archive.life == Life::Gone) {
        return Some(Refusal::ArchiveDeleted);
    }
    // Symbolic names are for scenarios: to a server they are texts like any other.
    let symbolic = |pointer| text(pointer).is_some_and(|text: &str| text.starts_with("${"));
    if symbolic("/ArchiveId") {
        return Some(Refusal::ArchiveUnknown);
    }
    let window =
        ["StartDate", "EndDate"].map(|name| format!("/InventoryRetrievalParameters/{name}"));
    if window.iter().any(|pointer| symbolic(pointer)) {
        return Some(Refusal::DateInvalid);
    }
    if text("/SNSTopic").is_some_and(|topic| !plausible(topic)) {
        return Some(Refusal::TopicInvalid);
    }
    let marker = text("/InventoryRetrievalParameters/Marker");
    let unknown = marker.is_some_and(|marker| !vault.archives.contains_key(marker));
    unknown.then_some(Refusal::InventoryMarkerInvalid)
}

/// Whether a text can be the ARN of an SNS topic.
fn plausible(topic: &str) -> bool {
    let fields: Vec<&str> = topic.splitn(6, ':').collect();
    matches!(fields.as_slice(), ["arn", _, "sns", _, _, name] if !name.is_empty())
}

fn bad_notifications(body: &JsonBody) -> Option<Refusal> {
    let document = body.document()?;
    if document.get("vaultNotificationConfig").is_some() {
        return Some(Refusal::TopicMissing);
    }
    let topic = document.get("SNSTopic").and_then(Value::as_str)?;
    (!plausible(topic)).then_some(Refusal::TopicInvalid)
}

/// A tag value of 256 characters: AWS takes it elsewhere, the guide says 255 (AMB-13).
fn long_value(body: &JsonBody) -> Option<Refusal> {
    let document = body.document()?;
    let tags = document.get("Tags")?.as_object()?;
    let long = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.chars().count() > 255)
    };
    tags.values().any(long).then_some(Refusal::TagValueLength)
}

/// A completed upload can be completed again, but not as another archive.
fn completed_otherwise(action: &Action, model: &Model) -> Option<Refusal> {
    use crevasse_core::scenario::{Claim, SizeClaim};
    let Action::CompleteMultipartUpload {
        vault,
        upload,
        size,
        tree_hash,
        ..
    } = action
    else {
        return None;
    };
    let (_, known) = model.upload(vault, upload.handle()?)?;
    let same = (size, tree_hash) == (&SizeClaim::Right, &Claim::Right);
    (known.completed.is_some() && !same).then_some(Refusal::UploadCompleted)
}

/// The model of a judge does not know how long an inventory is; this server does.
fn bad_output_range(action: &Action, realm: &Realm) -> Option<Refusal> {
    let Action::GetJobOutput {
        job,
        range: Some(range),
        ..
    } = action
    else {
        return None;
    };
    let output = realm.outputs.get(job.handle()?)?;
    let resolved = parse_range_header(range).resolve(output.length());
    (resolved == Resolved::Unsatisfiable).then_some(Refusal::OutputRangeBeyond)
}
