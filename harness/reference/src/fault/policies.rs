//! Locks, access policies, notifications, and what belongs to the account.

use crevasse_core::model::{LockState, Model, Refusal as R};
use crevasse_core::scenario::Action;
use crevasse_core::spec::OperationName as O;
use serde_json::{Value, json};

use super::means::{
    asks, done, edit, fault, refuse, refuse_parameter, refused_for, say, sent, text, vault,
};
use super::{Decision, Fault, Hook, Seam};
use crate::render::{Draft, Told};
use crate::service::Asked;

/// The state of the lock of the vault.
fn lock_state(asked: &Asked, model: &Model) -> Option<LockState> {
    let vault = model.vaults.get(asked.vault())?;
    vault.lock.as_ref().map(|lock| lock.state)
}

/// Answers a read that was refused because nothing is set.
fn read_all_the_same(draft: &mut Draft, told: &Told<'_>, reason: R, document: Value) {
    if told.refusal == Some(reason) && told.asked.head.method == "GET" {
        draft.status = 200;
        draft.body = crate::render::DraftBody::Json(document);
    }
}

/// The same document with its members in reverse.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .rev()
            .map(|(name, value)| (name.clone(), reversed(value)))
            .collect(),
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

/// Rewrites the policy that a read returns.
fn rewrite_policy(draft: &mut Draft, told: &Told<'_>, operation: O, alter: fn(&str) -> Value) {
    if done(told, operation)
        && let Some(policy) = draft.member("/Policy")
    {
        let altered = policy.as_str().map(alter);
        *policy = altered.unwrap_or_default();
    }
}

fn capacities(draft: &mut Draft) -> impl Iterator<Item = &mut Value> {
    draft
        .member("/ProvisionedCapacityList")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn embedded(policy: &str) -> Value {
    serde_json::from_str(policy).unwrap_or_default()
}

fn encoded_twice(policy: &str) -> Value {
    Value::from(policy).to_string().into()
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "lock-id-in-the-body",
        "B034",
        Seam::Reply,
        &["IVL-STATUS-001"],
        "the lock id is in the body and in no header",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::InitiateVaultLock) {
                let id = draft
                    .headers
                    .value("x-amz-lock-id")
                    .unwrap_or_default()
                    .to_owned();
                draft.headers.remove("x-amz-lock-id");
                draft.body = crate::render::DraftBody::Json(json!({"lockId": id}));
            }
        })],
    ),
    fault(
        "no-lock-is-unlocked",
        "B112",
        Seam::Reply,
        &["GVL-404-001", "GVL-STATE-001"],
        "GetVaultLock without lock answers 200 with the State Unlocked",
        &[Hook::Replies(|draft, told, _| {
            read_all_the_same(
                draft,
                told,
                R::NoLock,
                json!({"CreationDate": null, "ExpirationDate": null, "Policy": null, "State": "Unlocked"}),
            );
        })],
    ),
    fault(
        "policies-not-enforced",
        "B113",
        Seam::Model,
        &["VL-EFFECT-001"],
        "what a lock policy denies is allowed",
        &[Hook::Accepts(&[], &[R::DeniedByPolicy])],
    ),
    fault(
        "lock-not-in-effect-before-completion",
        "own",
        Seam::Model,
        &["VL-EFFECT-001"],
        "a lock policy denies only once it is completed",
        &[Hook::Decides(|decision, asked, model, _| {
            if refused_for(decision, R::DeniedByPolicy)
                && lock_state(asked, model) == Some(LockState::InProgress)
            {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "aborted-lock-still-denies",
        "own",
        Seam::Model,
        &["VL-EFFECT-002"],
        "what an aborted lock denied stays denied",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::AbortVaultLock) {
                    let denied = vault(realm, asked).and_then(|vault| {
                        vault
                            .lock
                            .as_ref()
                            .map(|lock| lock.policy.contains("DeleteArchive"))
                    });
                    if denied == Some(true) {
                        memory.keep(asked.vault(), Value::Bool(true));
                    }
                }
            }),
            Hook::Decides(|decision, asked, _, memory| {
                if asks(asked, O::DeleteArchive) && memory.kept(asked.vault()).is_some() {
                    refuse(decision, 403, "AccessDeniedException");
                }
            }),
        ],
    ),
    fault(
        "lock-overwritten",
        "B115",
        Seam::Model,
        &["IVL-STATE-002", "IVL-STATE-003"],
        "a lock is replaced by a new one, in progress or completed",
        &[Hook::Accepts(
            &[O::InitiateVaultLock],
            &[R::LockInProgress, R::LockLocked],
        )],
    ),
    fault(
        "completed-lock-overwritten",
        "own",
        Seam::Model,
        &["IVL-STATE-003"],
        "a completed lock is replaced by a new one",
        &[Hook::Accepts(&[O::InitiateVaultLock], &[R::LockLocked])],
    ),
    fault(
        "any-lock-id-completes",
        "B116",
        Seam::Model,
        &["CVL-BADID-001", "CVL-BADID-002"],
        "a lock is completed by any id",
        &[Hook::Accepts(
            &[O::CompleteVaultLock],
            &[R::LockIdWrong, R::LockIdWrongWhenLocked],
        )],
    ),
    fault(
        "former-lock-id-completes",
        "own",
        Seam::Model,
        &["IVL-STATE-004"],
        "a lock is completed by the id of one that was aborted",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::CompleteVaultLock { vault, lock } = &asked.action {
                let former = model.vault(vault).is_some_and(|vault| {
                    vault
                        .former_locks
                        .iter()
                        .any(|id| lock.handle() == Some(id))
                });
                if former && refused_for(decision, R::LockIdWrong) {
                    *decision = Decision::Accept;
                }
            }
        })],
    ),
    fault(
        "completed-lock-forgets-its-id",
        "own",
        Seam::Model,
        &["CVL-BADID-002"],
        "a completed lock takes any id",
        &[Hook::Accepts(
            &[O::CompleteVaultLock],
            &[R::LockIdWrongWhenLocked],
        )],
    ),
    fault(
        "wrong-lock-id-not-found",
        "own",
        Seam::Model,
        &["CVL-BADID-001"],
        "a wrong lock id is answered 404",
        &[Hook::Says(
            &[R::LockIdWrong],
            404,
            "ResourceNotFoundException",
        )],
    ),
    fault(
        "lock-completed-once",
        "own",
        Seam::Model,
        &["CVL-IDEM-001"],
        "a lock cannot be completed twice",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::CompleteVaultLock)
                && lock_state(asked, model) == Some(LockState::Locked)
            {
                refuse(decision, 403, "AccessDeniedException");
            }
        })],
    ),
    fault(
        "completing-no-lock-succeeds",
        "own",
        Seam::Model,
        &["CVL-NONE-001"],
        "a lock that is not there can be completed",
        &[Hook::Accepts(&[O::CompleteVaultLock], &[R::LockAbsent])],
    ),
    fault(
        "aborting-no-lock-fails",
        "own",
        Seam::Model,
        &["AVL-IDEM-001"],
        "a lock that is not there cannot be aborted",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::AbortVaultLock) && lock_state(asked, model).is_none() {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "completed-lock-aborted",
        "own",
        Seam::Model,
        &["AVL-LOCKED-001"],
        "a completed lock can be aborted",
        &[Hook::Accepts(
            &[O::AbortVaultLock],
            &[R::LockAbortWhenLocked],
        )],
    ),
    fault(
        "aborted-lock-stays",
        "own",
        Seam::Model,
        &["AVL-STATUS-001", "IVL-STATE-004"],
        "an aborted lock stays",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::AbortVaultLock) {
                    let lock = vault(realm, asked).and_then(|vault| {
                        vault
                            .lock
                            .as_ref()
                            .map(|lock| json!([lock.id, lock.policy, lock.created.1.0]))
                    });
                    memory.keep("lock", lock.unwrap_or_default());
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::AbortVaultLock) {
                    let kept = memory.take("lock").unwrap_or_default();
                    let Some(([id, policy], created)) = kept.as_array().and_then(|kept| {
                        Some(([kept[0].as_str()?, kept[1].as_str()?], kept[2].as_i64()?))
                    }) else {
                        return;
                    };
                    let created = crevasse_core::amz_date::Timestamp(created);
                    if let Some(vault) = vault(realm, asked) {
                        vault.lock = Some(crevasse_core::model::Lock {
                            handle: id.to_owned(),
                            id: id.to_owned(),
                            policy: policy.to_owned(),
                            state: LockState::InProgress,
                            created: (created, created),
                            creation_date: None,
                        });
                    }
                }
            }),
        ],
    ),
    fault(
        "lock-completion-without-effect",
        "own",
        Seam::Model,
        &["CVL-STATUS-001"],
        "a completed lock is still in progress",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::CompleteVaultLock)
                && let Some(lock) = vault(realm, asked).and_then(|vault| vault.lock.as_mut())
            {
                lock.state = LockState::InProgress;
            }
        })],
    ),
    fault(
        "completed-lock-expires",
        "own",
        Seam::Reply,
        &["GVL-DATE-002"],
        "a completed lock has an ExpirationDate",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetVaultLock) {
                let created = draft.member("/CreationDate").map(|date| date.clone());
                if let (Some(date), Some(created)) = (
                    draft
                        .member("/ExpirationDate")
                        .filter(|date| date.is_null()),
                    created,
                ) {
                    *date = created;
                }
            }
        })],
    ),
    fault(
        "lock-expires-after-an-hour",
        "own",
        Seam::Reply,
        &["GVL-DATE-001"],
        "ExpirationDate of a lock is an hour after its CreationDate",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetVaultLock) {
                let created = draft.member("/CreationDate").and_then(|date| {
                    date.as_str()?
                        .parse::<crevasse_core::amz_date::Timestamp>()
                        .ok()
                });
                if let (Some(date), Some(created)) = (
                    draft
                        .member("/ExpirationDate")
                        .filter(|date| date.is_string()),
                    created,
                ) {
                    *date = created.plus_millis(3_600_000).iso().into();
                }
            }
        })],
    ),
    fault(
        "lock-date-of-its-completion",
        "own",
        Seam::Model,
        &["GVL-DATE-003"],
        "CreationDate of a completed lock is a minute late",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::CompleteVaultLock)
                && let Some(lock) = vault(realm, asked).and_then(|vault| vault.lock.as_mut())
            {
                lock.created.1 = lock.created.0.plus_millis(60_000);
            }
        })],
    ),
    fault(
        "lock-state-misspelt",
        "own",
        Seam::Reply,
        &["GVL-STATE-001", "IVL-STATE-001"],
        "the State of a lock in progress is InProgess, as one page spells it",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetVaultLock)
                && let Some(state) = draft
                    .member("/State")
                    .filter(|state| *state == "InProgress")
            {
                *state = "InProgess".into();
            }
        })],
    ),
    fault(
        "lock-policy-embedded",
        "own",
        Seam::Reply,
        &["GVL-POLICY-001"],
        "Policy of a lock is an object instead of a string",
        &[Hook::Replies(|draft, told, _| {
            rewrite_policy(draft, told, O::GetVaultLock, embedded);
        })],
    ),
    fault(
        "access-policy-sets-the-lock",
        "own",
        Seam::Model,
        &["VL-INDEP-001"],
        "setting the access policy replaces the lock policy",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::SetVaultAccessPolicy)
                && let Some(vault) = vault(realm, asked)
                && let (Some(lock), Some(policy)) = (&mut vault.lock, &vault.access_policy)
            {
                lock.policy.clone_from(policy);
            }
        })],
    ),
    fault(
        "policy-without-principal",
        "B118",
        Seam::Model,
        &["IVL-POLICY-001", "SAP-VALID-001"],
        "a policy of any form is accepted",
        &[Hook::Accepts(
            &[O::InitiateVaultLock, O::SetVaultAccessPolicy],
            &[R::PolicyInvalid],
        )],
    ),
    fault(
        "policy-without-limit",
        "own",
        Seam::Model,
        &["SAP-SIZE-001", "IVL-POLICY-002"],
        "a policy of any size is accepted",
        &[Hook::Accepts(
            &[O::InitiateVaultLock, O::SetVaultAccessPolicy],
            &[R::PolicyTooLarge],
        )],
    ),
    fault(
        "policy-of-two-kilobytes-refused",
        "own",
        Seam::Model,
        &["POL-SIZE-002"],
        "a policy above 2 KB is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if (asks(asked, O::SetVaultAccessPolicy) || asks(asked, O::InitiateVaultLock))
                && text(&sent(asked), "Policy").len() > 2048
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "policy-optional",
        "own",
        Seam::Model,
        &["SAP-VALID-002", "IVL-POLICY-003"],
        "a policy request without Policy is accepted",
        &[Hook::Accepts(
            &[O::InitiateVaultLock, O::SetVaultAccessPolicy],
            &[R::PolicyMissing],
        )],
    ),
    fault(
        "unset-access-policy-null",
        "B121",
        Seam::Reply,
        &["GAP-404-001"],
        "an access policy that is not set is null",
        &[Hook::Replies(|draft, told, _| {
            read_all_the_same(draft, told, R::NoAccessPolicy, json!({"Policy": null}));
        })],
    ),
    fault(
        "access-policy-reordered",
        "B122",
        Seam::Reply,
        &["GAP-STATUS-001"],
        "an access policy comes back with its members in another order",
        &[Hook::Replies(|draft, told, _| {
            rewrite_policy(draft, told, O::GetVaultAccessPolicy, |policy| {
                reversed(&embedded(policy)).to_string().into()
            });
        })],
    ),
    fault(
        "access-policy-encoded-twice",
        "own",
        Seam::Reply,
        &["GAP-STATUS-001"],
        "an access policy comes back as a JSON string within the string",
        &[Hook::Replies(|draft, told, _| {
            rewrite_policy(draft, told, O::GetVaultAccessPolicy, encoded_twice);
        })],
    ),
    fault(
        "access-policy-wrapped",
        "B041",
        Seam::Reply,
        &["GAP-STATUS-001"],
        "an access policy comes back inside a member policy",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetVaultAccessPolicy)
                && let Some(document) = draft.document()
            {
                *document = json!({"policy": document.clone()});
            }
        })],
    ),
    fault(
        "first-access-policy-stays",
        "own",
        Seam::Model,
        &["SAP-OVER-001"],
        "an access policy is never replaced",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::SetVaultAccessPolicy) {
                    let policy = vault(realm, asked).and_then(|vault| vault.access_policy.clone());
                    memory.keep("policy", json!(policy));
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::SetVaultAccessPolicy)
                    && let (Some(Value::String(policy)), Some(vault)) =
                        (memory.take("policy"), vault(realm, asked))
                {
                    vault.access_policy = Some(policy);
                }
            }),
        ],
    ),
    fault(
        "deleted-access-policy-stays",
        "own",
        Seam::Model,
        &["DAP-STATUS-001"],
        "deleting the access policy has no effect",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::DeleteVaultAccessPolicy) {
                    let policy = vault(realm, asked).and_then(|vault| vault.access_policy.clone());
                    memory.keep("policy", json!(policy));
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::DeleteVaultAccessPolicy)
                    && let (Some(Value::String(policy)), Some(vault)) =
                        (memory.take("policy"), vault(realm, asked))
                {
                    vault.access_policy = Some(policy);
                }
            }),
        ],
    ),
    fault(
        "deleting-no-access-policy-fails",
        "own",
        Seam::Model,
        &["DAP-IDEM-001"],
        "an access policy that is not set cannot be deleted",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::DeleteVaultAccessPolicy)
                && model
                    .vaults
                    .get(asked.vault())
                    .is_some_and(|vault| vault.access_policy.is_none())
            {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "unset-notifications-empty",
        "B119",
        Seam::Reply,
        &["GVN-404-001"],
        "a notification configuration that is not set is an empty body",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal == Some(R::NoNotifications) && told.asked.head.method == "GET" {
                say(draft, 200, "application/json", "");
            }
        })],
    ),
    fault(
        "notifications-wrapped",
        "B041",
        Seam::Reply,
        &["GVN-STATUS-001"],
        "a notification configuration comes back inside vaultNotificationConfig",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetVaultNotifications)
                && let Some(document) = draft.document()
            {
                *document = json!({"vaultNotificationConfig": document.clone()});
            }
        })],
    ),
    fault(
        "last-topic-serves-all-vaults",
        "own",
        Seam::Reply,
        &["GVN-STATUS-001"],
        "every vault with notifications tells the topic that was set last, for whichever vault",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::SetVaultNotifications) {
                memory.keep("topic", sent(told.asked)["SNSTopic"].clone());
            } else if done(told, O::GetVaultNotifications)
                && let (Some(document), Some(topic)) = (draft.document(), memory.kept("topic"))
            {
                document["SNSTopic"] = topic.clone();
            }
        })],
    ),
    fault(
        "notifications-must-be-wrapped",
        "own",
        Seam::Model,
        &["SVN-BODY-001", "GVN-STATUS-001"],
        "a notification configuration counts only inside vaultNotificationConfig",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::SetVaultNotifications)
                && sent(asked).get("vaultNotificationConfig").is_none()
                && let Some(vault) = vault(realm, asked)
            {
                vault.notifications = None;
            }
        })],
    ),
    fault(
        "notifications-accumulate",
        "own",
        Seam::Model,
        &["SVN-OVER-001"],
        "a second notification configuration adds its events to the first",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::SetVaultNotifications) {
                    let set = vault(realm, asked).and_then(|vault| vault.notifications.clone());
                    memory.keep(
                        "events",
                        set.and_then(|set| set.get("Events").cloned())
                            .unwrap_or_default(),
                    );
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::SetVaultNotifications) {
                    let before = memory.take("events").unwrap_or_default();
                    let events = vault(realm, asked).and_then(|vault| {
                        vault
                            .notifications
                            .as_mut()?
                            .get_mut("Events")?
                            .as_array_mut()
                    });
                    if let Some(events) = events {
                        for event in before.as_array().into_iter().flatten() {
                            if !events.contains(event) {
                                events.push(event.clone());
                            }
                        }
                    }
                }
            }),
        ],
    ),
    fault(
        "one-event-only",
        "own",
        Seam::Model,
        &["SVN-EVENT-001", "GVN-STATUS-001"],
        "of two events only the first is kept",
        &[Hook::Request(|asked, _| {
            edit(asked, O::SetVaultNotifications, |body| {
                if let Some(events) = body.get_mut("Events").and_then(Value::as_array_mut) {
                    events.truncate(1);
                }
            });
        })],
    ),
    fault(
        "unknown-event-accepted",
        "own",
        Seam::Model,
        &["SVN-EVENT-002"],
        "any event is accepted",
        &[Hook::Accepts(
            &[O::SetVaultNotifications],
            &[R::EventUnknown],
        )],
    ),
    fault(
        "no-events-accepted",
        "own",
        Seam::Model,
        &["SVN-EVENT-003"],
        "a notification configuration without events or topic is accepted",
        &[Hook::Accepts(
            &[O::SetVaultNotifications],
            &[R::EventsMissing, R::TopicMissing],
        )],
    ),
    fault(
        "deleted-notifications-stay",
        "own",
        Seam::Model,
        &["DVN-STATUS-001"],
        "deleting the notification configuration has no effect",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::DeleteVaultNotifications) {
                    let set = vault(realm, asked).and_then(|vault| vault.notifications.clone());
                    memory.keep("set", set.unwrap_or_default());
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::DeleteVaultNotifications) {
                    let set = memory.take("set").filter(|set| !set.is_null());
                    if let Some(vault) = vault(realm, asked) {
                        vault.notifications = set;
                    }
                }
            }),
        ],
    ),
    fault(
        "retrieval-policy-not-kept",
        "own",
        Seam::Reply,
        &["GDRP-ECHO-001"],
        "the data retrieval policy is always FreeTier",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetDataRetrievalPolicy)
                && let Some(rule) = draft.member("/Policy/Rules/0")
            {
                *rule = json!({"Strategy": "FreeTier"});
            }
        })],
    ),
    fault(
        "default-retrieval-policy-limits",
        "own",
        Seam::Reply,
        &["GDRP-DEF-001"],
        "before any was set the data retrieval policy allows 1 byte per hour",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::SetDataRetrievalPolicy) {
                memory.keep("set", Value::Bool(true));
            }
            if done(told, O::GetDataRetrievalPolicy)
                && memory.kept("set").is_none()
                && let Some(rule) = draft.member("/Policy/Rules/0")
            {
                *rule = json!({"BytesPerHour": 1, "Strategy": "BytesPerHour"});
            }
        })],
    )
    .excused(
        "nobody can know from outside whether a policy was set before: another default is no proof",
    ),
    fault(
        "bytes-per-hour-as-text",
        "own",
        Seam::Reply,
        &["GDRP-BPH-001"],
        "BytesPerHour is a string",
        &[Hook::Replies(|draft, _, _| {
            if let Some(bytes) = draft.member("/Policy/Rules/0/BytesPerHour") {
                *bytes = bytes.to_string().into();
            }
        })],
    ),
    fault(
        "bytes-per-hour-in-32-bits",
        "own",
        Seam::Reply,
        &["GDRP-ECHO-001"],
        "BytesPerHour loses what is beyond 32 bits",
        &[Hook::Replies(|draft, _, _| {
            if let Some(bytes) = draft.member("/Policy/Rules/0/BytesPerHour") {
                *bytes = (bytes.as_u64().unwrap_or_default() & 0xffff_ffff).into();
            }
        })],
    ),
    fault(
        "bytes-per-hour-optional",
        "own",
        Seam::Model,
        &["SDRP-BPH-001"],
        "the strategy BytesPerHour needs no BytesPerHour",
        &[Hook::Accepts(
            &[O::SetDataRetrievalPolicy],
            &[R::BytesPerHourMissing],
        )],
    ),
    fault(
        "bytes-per-hour-with-any-strategy",
        "own",
        Seam::Model,
        &["SDRP-BPH-002"],
        "BytesPerHour goes with every strategy",
        &[Hook::Accepts(
            &[O::SetDataRetrievalPolicy],
            &[R::BytesPerHourUnexpected],
        )],
    ),
    fault(
        "bytes-per-hour-unchecked",
        "own",
        Seam::Model,
        &["SDRP-BPH-003"],
        "BytesPerHour may be 0 or negative",
        &[Hook::Accepts(
            &[O::SetDataRetrievalPolicy],
            &[R::BytesPerHourInvalid],
        )],
    ),
    fault(
        "two-rules-accepted",
        "own",
        Seam::Model,
        &["SDRP-RULES-001"],
        "a data retrieval policy may have any number of rules",
        &[Hook::Accepts(
            &[O::SetDataRetrievalPolicy],
            &[R::RuleCountInvalid],
        )],
    ),
    fault(
        "strategy-unchecked",
        "own",
        Seam::Model,
        &["SDRP-STRAT-002"],
        "any strategy is accepted",
        &[Hook::Accepts(
            &[O::SetDataRetrievalPolicy],
            &[R::StrategyUnknown],
        )],
    ),
    fault(
        "refused-retrieval-policy-kept",
        "own",
        Seam::Model,
        &["SDRP-ATOMIC-001"],
        "a data retrieval policy that is refused counts all the same",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                if asks(asked, O::SetDataRetrievalPolicy) && matches!(decision, Decision::Refuse(_))
                {
                    memory.keep("refused", sent(asked)["Policy"].clone());
                }
            }),
            Hook::Before(|realm, _, memory| {
                if let Some(policy) = memory.take("refused").filter(|policy| policy.is_object()) {
                    realm.model.retrieval_policy = Some(policy);
                }
            }),
        ],
    ),
    fault(
        "third-unit-sold",
        "B145",
        Seam::Model,
        &["PPC-LIMIT-001"],
        "an account can buy more than two units of capacity",
        &[Hook::Accepts(
            &[O::PurchaseProvisionedCapacity],
            &[R::CapacityLimitExceeded],
        )],
    ),
    fault(
        "refused-unit-listed",
        "own",
        Seam::Reply,
        &["PPC-LIMIT-001"],
        "a unit of capacity whose purchase was refused is listed",
        &[Hook::Replies(|draft, told, memory| {
            if told.refusal == Some(R::CapacityLimitExceeded) {
                memory.count("refused");
            }
            let list = draft.member("/ProvisionedCapacityList");
            if let Some(list) = list.and_then(Value::as_array_mut)
                && memory.counted("refused") > 0
                && let Some(mut unit) = list.last().cloned()
            {
                unit["CapacityId"] = format!("{}-2", text(&unit, "CapacityId")).into();
                list.push(unit);
            }
        })],
    ),
    fault(
        "capacity-lasts-a-year",
        "B145",
        Seam::Reply,
        &["LPC-DATE-001"],
        "a unit of capacity lasts a year",
        &[Hook::Replies(|draft, _, _| {
            for unit in capacities(draft) {
                let start = text(unit, "StartDate")
                    .parse::<crevasse_core::amz_date::Timestamp>()
                    .ok();
                if let Some(start) = start {
                    unit["ExpirationDate"] = start.plus_millis(365 * 86_400_000).iso().into();
                }
            }
        })],
    ),
    fault(
        "capacity-begins-at-midnight",
        "own",
        Seam::Reply,
        &["LPC-DATE-003"],
        "StartDate of a unit is the midnight before",
        &[Hook::Replies(|draft, _, _| {
            for unit in capacities(draft) {
                let day = text(unit, "StartDate")
                    .get(..10)
                    .unwrap_or_default()
                    .to_owned();
                unit["StartDate"] = format!("{day}T00:00:00.000Z").into();
            }
        })],
    ),
    fault(
        "capacity-list-is-an-object",
        "own",
        Seam::Reply,
        &["LPC-STATUS-001"],
        "ProvisionedCapacityList is an object, as one syntax block shows it",
        &[Hook::Replies(|draft, _, _| {
            if let Some(list) = draft.member("/ProvisionedCapacityList") {
                *list = list.get(0).cloned().unwrap_or_else(|| json!({}));
            }
        })],
    ),
    fault(
        "capacity-listed-under-another-id",
        "own",
        Seam::Reply,
        &["PPC-ID-001"],
        "the ids in ListProvisionedCapacity are not those of the purchases",
        &[Hook::Replies(|draft, _, _| {
            for unit in capacities(draft) {
                unit["CapacityId"] = text(unit, "CapacityId").to_lowercase().into();
            }
        })],
    ),
    fault(
        "capacity-id-missing",
        "own",
        Seam::Reply,
        &["PPC-STATUS-001"],
        "a purchase tells no x-amz-capacity-id",
        &[Hook::Replies(|draft, _, _| {
            draft.headers.remove("x-amz-capacity-id");
        })],
    ),
];
