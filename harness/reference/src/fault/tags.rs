//! Tags: merging, limits, and the operation in the query.

use crevasse_core::model::{Life, Refusal as R};
use crevasse_core::scenario::{Action, JsonBody};
use crevasse_core::spec::OperationName as O;
use serde_json::{Map, Value};

use super::means::{
    asks, done, edit, fault, named, refuse, refuse_parameter, refused_for, segment, sent, vault,
};
use super::{Decision, Fault, Hook, Seam};
use crate::service::Asked;

/// Takes a request on the tags URI, whose query names no operation, for one of the two.
fn route_to(asked: &mut Asked, operation: O) {
    let vault = segment(asked, 2);
    asked
        .route
        .path
        .insert("vaultName".to_owned(), vault.clone());
    asked
        .route
        .path
        .insert("accountId".to_owned(), segment(asked, 0));
    asked.route.operation = Ok(operation);
    let (vault, body) = (named(&vault), JsonBody::Absent);
    asked.action = if operation == O::AddTagsToVault {
        Action::AddTagsToVault { vault, body }
    } else {
        Action::RemoveTagsFromVault { vault, body }
    };
}

/// The tags that were sent.
fn tags(asked: &Asked) -> Map<String, Value> {
    sent(asked)
        .get("Tags")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "tags-replaced",
        "own",
        Seam::Model,
        &["ATV-MERGE-001"],
        "adding tags removes those that were there",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::AddTagsToVault) {
                let added = tags(asked);
                if let Some(vault) = vault(realm, asked) {
                    vault.tags.retain(|key, _| added.contains_key(key));
                }
            }
        })],
    ),
    fault(
        "tags-never-overwritten",
        "own",
        Seam::Model,
        &["ATV-OVER-001"],
        "a tag that is there keeps its value",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::AddTagsToVault) {
                    let before = vault(realm, asked).map(|vault| serde_json::json!(vault.tags));
                    memory.keep("tags", before.unwrap_or_default());
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::AddTagsToVault) {
                    let before = memory.take("tags").unwrap_or_default();
                    let Some(vault) = vault(realm, asked) else {
                        return;
                    };
                    for (key, value) in before.as_object().into_iter().flatten() {
                        vault
                            .tags
                            .insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
                    }
                }
            }),
        ],
    ),
    fault(
        "tags-without-limit",
        "own",
        Seam::Model,
        &["ATV-LIMIT-002"],
        "a vault takes more than 50 tags",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagLimitExceeded])],
    ),
    fault(
        "tags-counted-before-adding",
        "own",
        Seam::Model,
        &["ATV-LIMIT-002"],
        "a vault takes any number of tags as long as it has fewer than 50",
        &[Hook::Decides(|decision, asked, model, _| {
            let refused = refused_for(decision, R::TagLimitExceeded);
            let held = model
                .vaults
                .get(asked.vault())
                .map_or(0, |vault| vault.tags.len());
            if refused && held < 50 {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "tag-values-unchecked-when-replaced",
        "own",
        Seam::Model,
        &["ATV-VALUE-002"],
        "the new value of a tag that is there may have any length",
        &[Hook::Decides(|decision, asked, model, _| {
            let held = model.vaults.get(asked.vault()).map(|vault| &vault.tags);
            let replaces = tags(asked)
                .keys()
                .all(|key| held.is_some_and(|held| held.contains_key(key)));
            if replaces && refused_for(decision, R::TagValueLength) {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "nine-tags-at-most",
        "own",
        Seam::Model,
        &["ATV-LIMIT-010", "ATV-LIMIT-001"],
        "a vault takes 9 tags and no more",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::AddTagsToVault) {
                let held = model
                    .vaults
                    .get(asked.vault())
                    .map(|vault| vault.tags.clone())
                    .unwrap_or_default();
                let new = tags(asked)
                    .keys()
                    .filter(|key| !held.contains_key(*key))
                    .count();
                if held.len() + new > 9 {
                    refuse(decision, 400, "LimitExceededException");
                }
            }
        })],
    ),
    fault(
        "overwriting-counts-as-adding",
        "own",
        Seam::Model,
        &["ATV-LIMIT-003"],
        "a vault with 50 tags takes no new values either",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::AddTagsToVault)
                && model
                    .vaults
                    .get(asked.vault())
                    .is_some_and(|vault| vault.tags.len() >= 50)
            {
                refuse(decision, 400, "LimitExceededException");
            }
        })],
    ),
    fault(
        "eleven-tags-in-one-request",
        "own",
        Seam::Model,
        &["ATV-LIMIT-004"],
        "one request may add none, or more than 10 tags",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagCountInvalid])],
    ),
    fault(
        "eleven-keys-in-one-request",
        "own",
        Seam::Model,
        &["RTV-LIMIT-001"],
        "one request may remove none, or more than 10 tags",
        &[Hook::Accepts(
            &[O::RemoveTagsFromVault],
            &[R::TagKeyCountInvalid],
        )],
    ),
    fault(
        "tag-operation-defaults-to-remove",
        "B109",
        Seam::Model,
        &["ATV-OP-001"],
        "a tag request without a known operation removes tags",
        &[Hook::Request(|asked, _| {
            if asked.route.operation == Err(R::TagOperationInvalid) {
                route_to(asked, O::RemoveTagsFromVault);
            }
        })],
    ),
    fault(
        "tag-operation-by-substring",
        "B110",
        Seam::Model,
        &["ATV-OP-001"],
        "every query that holds operation=add adds tags",
        &[Hook::Request(|asked, _| {
            if asked.route.operation == Err(R::TagOperationInvalid)
                && asked.head.split().1.contains("operation=add")
            {
                route_to(asked, O::AddTagsToVault);
            }
        })],
    ),
    fault(
        "empty-tag-value-refused",
        "own",
        Seam::Model,
        &["ATV-VALUE-001"],
        "a tag must have a value",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::AddTagsToVault) && tags(asked).values().any(|value| value == "") {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "long-tag-value-accepted",
        "own",
        Seam::Model,
        &["ATV-VALUE-002"],
        "tag values may have any length",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagValueLength])],
    ),
    fault(
        "long-tag-key-accepted",
        "own",
        Seam::Model,
        &["ATV-KEY-001"],
        "tag keys may have any length, even none",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagKeyLength])],
    ),
    fault(
        "tag-key-of-128-refused",
        "own",
        Seam::Model,
        &["ATV-KEY-001"],
        "a tag key must be shorter than 128 characters",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::AddTagsToVault)
                && tags(asked).keys().any(|key| key.chars().count() == 128)
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "tag-lengths-in-bytes",
        "own",
        Seam::Model,
        &["ATV-KEY-005"],
        "tag lengths count bytes",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::AddTagsToVault)
                && tags(asked).iter().any(|(key, value)| {
                    key.len() > 128 || value.as_str().is_some_and(|value| value.len() > 255)
                })
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "tags-must-be-ascii",
        "own",
        Seam::Model,
        &["ATV-KEY-003"],
        "tags with letters beyond ASCII are refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::AddTagsToVault)
                && tags(asked).iter().any(|(key, value)| {
                    !key.is_ascii() || !value.as_str().unwrap_or_default().is_ascii()
                })
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "reserved-tag-accepted",
        "own",
        Seam::Model,
        &["ATV-KEY-002"],
        "tag keys may begin with aws:",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagKeyReserved])],
    ),
    fault(
        "tag-characters-unchecked",
        "own",
        Seam::Model,
        &["ATV-KEY-004"],
        "tags may have any characters",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagCharacters])],
    ),
    fault(
        "tag-keys-without-case",
        "own",
        Seam::Model,
        &["ATV-CASE-001"],
        "tag keys are lower-cased",
        &[Hook::Request(|asked, _| {
            edit(asked, O::AddTagsToVault, |body| {
                if let Some(tags) = body["Tags"].as_object() {
                    body["Tags"] = tags
                        .iter()
                        .map(|(key, value)| (key.to_lowercase(), value.clone()))
                        .collect::<Map<_, _>>()
                        .into();
                }
            });
        })],
    ),
    fault(
        "refused-tags-kept",
        "own",
        Seam::Model,
        &["ATV-ATOMIC-001"],
        "of tags that are refused together the good ones are kept",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                if asks(asked, O::AddTagsToVault) && matches!(decision, Decision::Refuse(_)) {
                    memory.keep(asked.vault(), Value::Object(tags(asked)));
                }
            }),
            Hook::Before(|realm, asked, memory| {
                let left = memory.take(asked.vault()).unwrap_or_default();
                let good = |(key, value): &(&String, &Value)| {
                    (1..=128).contains(&key.len())
                        && value.as_str().is_some_and(|value| value.len() <= 255)
                };
                let Some(vault) = vault(realm, asked) else {
                    return;
                };
                for (key, value) in left.as_object().into_iter().flatten().filter(good) {
                    vault
                        .tags
                        .insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
                }
            }),
        ],
    ),
    fault(
        "tags-optional",
        "own",
        Seam::Model,
        &["ATV-MISS-001"],
        "a tag request without Tags is accepted",
        &[Hook::Accepts(&[O::AddTagsToVault], &[R::TagsMissing])],
    ),
    fault(
        "removing-an-unknown-tag-fails",
        "own",
        Seam::Model,
        &["RTV-IDEM-001"],
        "a tag that is not there cannot be removed",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::RemoveTagsFromVault) {
                let held = model
                    .vaults
                    .get(asked.vault())
                    .map(|vault| vault.tags.clone())
                    .unwrap_or_default();
                let body = sent(asked);
                let keys = body["TagKeys"].as_array().cloned().unwrap_or_default();
                if !keys
                    .iter()
                    .filter_map(Value::as_str)
                    .all(|key| held.contains_key(key))
                {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }
        })],
    ),
    fault(
        "all-tags-removed",
        "own",
        Seam::Model,
        &["RTV-STATUS-001"],
        "removing a tag removes all",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::RemoveTagsFromVault)
                && let Some(vault) = vault(realm, asked)
            {
                vault.tags.clear();
            }
        })],
    ),
    fault(
        "only-the-first-tag-removed",
        "own",
        Seam::Model,
        &["RTV-STATUS-001"],
        "of several keys to remove only the first counts",
        &[Hook::Request(|asked, _| {
            edit(asked, O::RemoveTagsFromVault, |body| {
                if let Some(keys) = body["TagKeys"].as_array_mut()
                    && keys.len() <= 10
                {
                    keys.truncate(1);
                }
            });
        })],
    ),
    fault(
        "no-tags-null",
        "own",
        Seam::Reply,
        &["LTV-EMPTY-001"],
        "the tags of a vault that has none are null",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListTagsForVault)
                && let Some(tags) = draft
                    .member("/Tags")
                    .filter(|tags| tags.as_object().is_some_and(Map::is_empty))
            {
                *tags = Value::Null;
            }
        })],
    ),
    fault(
        "tags-as-pairs",
        "own",
        Seam::Reply,
        &["LTV-STATUS-001"],
        "tags are a list of Key and Value",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListTagsForVault)
                && let Some(tags) = draft.member("/Tags")
            {
                let pairs: Vec<Value> = tags
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, value)| serde_json::json!({"Key": key, "Value": value}))
                    .collect();
                *tags = pairs.into();
            }
        })],
    ),
    fault(
        "tags-shared-by-vaults",
        "own",
        Seam::Model,
        &["SUB-SCOPE-001"],
        "all vaults have the same tags",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::AddTagsToVault) {
                let tags = vault(realm, asked)
                    .map(|vault| vault.tags.clone())
                    .unwrap_or_default();
                realm
                    .model
                    .vaults
                    .values_mut()
                    .filter(|vault| vault.life == Life::Live)
                    .for_each(|vault| vault.tags.clone_from(&tags));
            }
        })],
    ),
];
