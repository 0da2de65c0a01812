//! Steps made of earlier ones: the same again, and the same with a flaw for which it must be refused.

use serde_json::{Value, json};

use crevasse_core::scenario::{Action, Claim, JsonBody, RangeClaim, SizeClaim, Step};

use super::Draw;

/// The step again; what it makes is another thing, by this handle.
pub(super) fn again(step: &Step, fresh: impl FnOnce(&str) -> String) -> Step {
    let mut step = step.clone();
    match &mut step.action {
        Action::UploadArchive { archive, .. } | Action::CompleteMultipartUpload { archive, .. } => {
            *archive = fresh("a");
        }
        Action::InitiateMultipartUpload { upload, .. } => *upload = fresh("u"),
        Action::InitiateJob { job, .. } => *job = fresh("j"),
        Action::InitiateVaultLock { lock, .. } => *lock = fresh("l"),
        _ => {}
    }
    step
}

/// Puts a flaw into what a step sends; `None` where it sends nothing that could have one.
pub(super) fn flawed(draw: &mut Draw, mut step: Step) -> Option<Step> {
    match &mut step.action {
        Action::UploadArchive {
            tree_hash,
            content_sha256,
            ..
        } => *either(draw, tree_hash, content_sha256) = wrong_claim(draw),
        Action::UploadMultipartPart {
            content,
            range: range @ RangeClaim::At(_),
            tree_hash,
            content_sha256,
            ..
        } => {
            if draw.once_in(2) {
                *range = off_by_one(draw, range, content.length());
            } else {
                *either(draw, tree_hash, content_sha256) = wrong_claim(draw);
            }
        }
        Action::CompleteMultipartUpload {
            size, tree_hash, ..
        } => {
            if draw.once_in(2) {
                *size = SizeClaim::Off(draw.one_of(&[-1, 1]));
            } else {
                *tree_hash = wrong_claim(draw);
            }
        }
        Action::InitiateMultipartUpload { part_size, .. } => {
            let wrong = draw.one_of(&[None, Some("0"), Some("1048577"), Some("3145728")]);
            *part_size = wrong.map(str::to_owned);
        }
        Action::InitiateJob { body, .. } => {
            let (member, value) = draw.one_of(&[
                ("RetrievalByteRange", "1-2"),
                ("Tier", "Fast"),
                ("Format", "XML"),
            ]);
            spoil(body, &[member], value.into())?;
        }
        Action::AddTagsToVault { body, .. } => {
            let (key, value) = draw.one_of(&[("aws:x", 1), ("a", 257), ("", 1)]);
            spoil(body, &["Tags", key], "x".repeat(value).into())?;
        }
        Action::RemoveTagsFromVault { body, .. } => spoil(body, &["TagKeys"], json!([]))?,
        Action::SetVaultNotifications { body, .. } => {
            spoil(body, &["Events"], json!(["ArchiveRetrievalBegun"]))?;
        }
        Action::SetVaultAccessPolicy { body, .. } | Action::InitiateVaultLock { body, .. } => {
            spoil(body, &["Policy"], "{".into())?;
        }
        _ => return None,
    }
    Some(step)
}

/// Sets a member of a document, where there is one.
fn spoil(body: &mut JsonBody, path: &[&str], value: Value) -> Option<()> {
    let JsonBody::Json(document) = body else {
        return None;
    };
    let (member, parents) = path.split_last()?;
    let inner = parents
        .iter()
        .try_fold(document, |value, parent| value.get_mut(parent))?;
    inner.as_object_mut()?.insert((*member).to_owned(), value);
    Some(())
}

fn either<T>(draw: &mut Draw, one: T, other: T) -> T {
    if draw.once_in(2) { one } else { other }
}

fn wrong_claim(draw: &mut Draw) -> Claim {
    match draw.below(4) {
        0 => Claim::Absent,
        1 => Claim::OfNothing,
        _ => Claim::Flipped,
    }
}

/// The range of a part, its end one byte away from where the body ends.
fn off_by_one(draw: &mut Draw, range: &RangeClaim, length: u64) -> RangeClaim {
    let other = if draw.once_in(2) {
        length + 1
    } else {
        length.saturating_sub(1).max(1)
    };
    match range.header(other) {
        Some(header) => RangeClaim::Literal(header),
        None => RangeClaim::Absent,
    }
}
