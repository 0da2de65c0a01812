//! What hangs on a vault: tags, lock, access policy, notifications.

use serde_json::Value;

use super::{Given, Reasons, document, member, query, text};
use crate::amz_date::Timestamp;
use crate::model::lookup::placeholder;
use crate::model::{Life, LockState, Model, Refusal, Vault, policy};
use crate::scenario::{Action, JsonBody, Ref, Tweak};

const EVENTS: [&str; 2] = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"];

impl Model {
    pub(super) fn expect_resources(
        &self,
        action: &Action,
        tweak: &Tweak,
        now: Timestamp,
        reasons: &mut Reasons,
    ) {
        let known = action
            .vault()
            .and_then(|vault| self.vault(vault))
            .filter(|vault| vault.life != Life::Gone);
        if known.is_some_and(|vault| vault.doubtful) {
            return reasons.block("what hangs on the vault is in doubt");
        }
        match action {
            Action::AddTagsToVault { body, .. } => {
                expect_tag_operation(tweak, "add", reasons, |reasons| {
                    expect_tags(known, body, reasons);
                });
            }
            Action::RemoveTagsFromVault { body, .. } => {
                expect_tag_operation(tweak, "remove", reasons, |reasons| {
                    expect_tag_keys(body, reasons);
                });
            }
            Action::InitiateVaultLock { body, .. } => {
                expect_policy(body, reasons);
                match known
                    .and_then(|vault| vault.lock_at(now))
                    .map(|lock| lock.state)
                {
                    Some(LockState::InProgress) => reasons.must(Refusal::LockInProgress),
                    Some(LockState::Locked) => reasons.must(Refusal::LockLocked),
                    None => {}
                }
            }
            Action::GetVaultLock { .. } => absent(
                known,
                |vault| vault.lock_at(now).is_none(),
                Refusal::NoLock,
                reasons,
            ),
            Action::AbortVaultLock { .. } => {
                let locked = known
                    .and_then(|vault| vault.lock_at(now))
                    .is_some_and(|lock| lock.state == LockState::Locked);
                reasons.must_when(locked, Refusal::LockAbortWhenLocked);
            }
            Action::CompleteVaultLock { lock, .. } => {
                expect_lock_completion(known, lock, now, reasons);
            }
            Action::SetVaultAccessPolicy { body, .. } => expect_policy(body, reasons),
            Action::GetVaultAccessPolicy { .. } => absent(
                known,
                |vault| vault.access_policy.is_none(),
                Refusal::NoAccessPolicy,
                reasons,
            ),
            Action::SetVaultNotifications { body, .. } => expect_notifications(body, reasons),
            Action::GetVaultNotifications { .. } => absent(
                known,
                |vault| vault.notifications.is_none(),
                Refusal::NoNotifications,
                reasons,
            ),
            Action::DeleteVaultNotifications { .. }
                if known.is_some_and(|vault| vault.notifications.is_none()) =>
            {
                reasons.may(Refusal::NoNotifications);
            }
            _ => {}
        }
    }
}

fn absent(
    vault: Option<&Vault>,
    missing: impl Fn(&Vault) -> bool,
    refusal: Refusal,
    reasons: &mut Reasons,
) {
    reasons.must_when(vault.is_some_and(missing), refusal);
}

fn expect_lock_completion(
    vault: Option<&Vault>,
    lock: &Ref,
    now: Timestamp,
    reasons: &mut Reasons,
) {
    let Some(vault) = vault else { return };
    let Some(current) = vault.lock_at(now) else {
        return reasons.must(Refusal::LockAbsent);
    };
    let right = match lock {
        Ref::Handle(handle) => *handle == current.handle,
        Ref::UnknownLike(_) => false,
        Ref::Literal(text) => match placeholder(text, "lock") {
            Some(named) => named.handle() == Some(current.handle.as_str()),
            None => *text == current.id,
        },
    };
    match current.state {
        LockState::InProgress => reasons.must_when(!right, Refusal::LockIdWrong),
        LockState::Locked => reasons.must_when(!right, Refusal::LockIdWrongWhenLocked),
    }
}

fn expect_tag_operation(
    tweak: &Tweak,
    implied: &str,
    reasons: &mut Reasons,
    body: impl FnOnce(&mut Reasons),
) {
    match query(tweak, "operation") {
        Given::AsImplied => body(reasons),
        Given::Set(text) if text == implied => body(reasons),
        Given::Removed | Given::Set(_) => reasons.must(Refusal::TagOperationInvalid),
    }
}

fn expect_tags(vault: Option<&Vault>, body: &JsonBody, reasons: &mut Reasons) {
    let document = match document(body, Refusal::TagsMissing) {
        Ok(document) => document,
        Err(refusal) => return reasons.must(refusal),
    };
    let Some(tags) = member(&document, "Tags") else {
        return reasons.must(Refusal::TagsMissing);
    };
    let Some(tags) = tags.as_object() else {
        return reasons.must(Refusal::MemberOfWrongType);
    };
    reasons.must_when(!(1..=10).contains(&tags.len()), Refusal::TagCountInvalid);
    for (key, value) in tags {
        expect_tag(key, value, reasons);
    }
    let Some(vault) = vault else { return };
    let new = tags
        .keys()
        .filter(|key| !vault.tags.contains_key(*key))
        .count();
    match vault.tags.len() + new {
        _ if new == 0 => {}
        0..=10 => {}
        11..=50 => reasons.may(Refusal::TagLimitExceeded),
        _ => reasons.must(Refusal::TagLimitExceeded),
    }
}

fn expect_tag(key: &str, value: &Value, reasons: &mut Reasons) {
    let Some(value) = value.as_str() else {
        return reasons.must(Refusal::MemberOfWrongType);
    };
    reasons.must_when(
        !(1..=128).contains(&key.chars().count()),
        Refusal::TagKeyLength,
    );
    match value.chars().count() {
        0..=255 => {}
        256 => reasons.silent(),
        _ => reasons.must(Refusal::TagValueLength),
    }
    reasons.must_when(key.starts_with("aws:"), Refusal::TagKeyReserved);
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_./=+-@".contains(c);
    let rest = key.strip_prefix("aws:").unwrap_or(key);
    reasons.must_when(
        !rest
            .chars()
            .chain(value.chars())
            .all(|c| allowed(c) || c == ':'),
        Refusal::TagCharacters,
    );
    if rest.contains(':') || value.contains(':') {
        reasons.silent();
    }
}

fn expect_tag_keys(body: &JsonBody, reasons: &mut Reasons) {
    let document = match document(body, Refusal::TagKeysMissing) {
        Ok(document) => document,
        Err(refusal) => return reasons.must(refusal),
    };
    let Some(keys) = member(&document, "TagKeys") else {
        return reasons.must(Refusal::TagKeysMissing);
    };
    let Some(keys) = keys.as_array() else {
        return reasons.must(Refusal::MemberOfWrongType);
    };
    reasons.must_when(!(1..=10).contains(&keys.len()), Refusal::TagKeyCountInvalid);
    reasons.must_when(
        !keys.iter().all(Value::is_string),
        Refusal::MemberOfWrongType,
    );
    if keys
        .iter()
        .filter_map(Value::as_str)
        .any(|key| key.is_empty() || key.chars().count() > 128)
    {
        reasons.silent();
    }
}

fn expect_policy(body: &JsonBody, reasons: &mut Reasons) {
    let document = match document(body, Refusal::PolicyMissing) {
        Ok(document) => document,
        Err(refusal) => return reasons.must(refusal),
    };
    let Some(policy) = member(&document, "Policy") else {
        return reasons.must(Refusal::PolicyMissing);
    };
    match policy.as_str() {
        None => reasons.must(Refusal::MemberOfWrongType),
        Some(text) => {
            if let Err(refusal) = policy::valid_policy(text) {
                reasons.must(refusal);
            }
            // "20 KB" can be read as 20,000 bytes and as 20,480.
            if (20_001..=policy::LARGEST).contains(&text.len()) {
                reasons.silent();
            }
        }
    }
}

fn expect_notifications(body: &JsonBody, reasons: &mut Reasons) {
    let document = match document(body, Refusal::TopicMissing) {
        Ok(document) => document,
        Err(refusal) => return reasons.must(refusal),
    };
    if document.get("vaultNotificationConfig").is_some() {
        return reasons.silent();
    }
    match text(&document, "SNSTopic", reasons) {
        None => reasons.must_when(
            member(&document, "SNSTopic").is_none(),
            Refusal::TopicMissing,
        ),
        Some(topic) if topic.starts_with("arn:") || topic.starts_with("${topic:") => {
            reasons.may(Refusal::TopicInvalid);
        }
        Some(_) => reasons.silent(),
    }
    match member(&document, "Events") {
        None => reasons.must(Refusal::EventsMissing),
        Some(Value::Array(events)) if events.is_empty() => reasons.must(Refusal::EventsMissing),
        Some(Value::Array(events)) => {
            reasons.must_when(
                !events.iter().all(Value::is_string),
                Refusal::MemberOfWrongType,
            );
            let known = |event: &Value| event.as_str().is_none_or(|event| EVENTS.contains(&event));
            reasons.must_when(!events.iter().all(known), Refusal::EventUnknown);
        }
        Some(_) => reasons.must(Refusal::MemberOfWrongType),
    }
}
