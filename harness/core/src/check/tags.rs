//! Tags: what adding and removing leaves behind, and the limits of keys, values and numbers.
//!
//! A list that is not what it should be is blamed on the request that touched the differing key last.

use std::collections::BTreeMap;

use serde_json::Value;

use super::documents::sent;
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, NOT_FOUND, RefusalRule, answer, judge_acceptance,
    judge_refusal,
};
use super::subject::{earlier, live_vault, same_vault, success};
use super::vaults::{is_lost_by_reset, wiped};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Life, Refusal};
use crate::requirement::Level;
use crate::scenario::Ref;
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "tags-accepted",
        requirements: &[
            "ATV-STATUS-001",
            "ATV-VALUE-001",
            "ATV-VALUE-002",
            "ATV-KEY-001",
            "ATV-KEY-003",
            "ATV-KEY-005",
            "ATV-LIMIT-003",
            "ATV-LIMIT-010",
            "RTV-STATUS-001",
            "RTV-IDEM-001",
            "LTV-STATUS-001",
        ],
        judge: accepted,
    },
    Check {
        id: "tags-refused",
        requirements: &[
            "ATV-OP-001",
            "ATV-VALUE-002",
            "ATV-LIMIT-002",
            "ATV-LIMIT-004",
            "ATV-KEY-001",
            "ATV-KEY-002",
            "ATV-KEY-004",
            "ATV-MISS-001",
            "ATV-404-001",
            "RTV-LIMIT-001",
        ],
        judge: refused,
    },
    Check {
        id: "tags-limit",
        requirements: &["ATV-LIMIT-001"],
        judge: limit,
    },
    Check {
        id: "tags-listed",
        requirements: &[
            "LTV-STATUS-001",
            "LTV-EMPTY-001",
            "ATV-OVER-001",
            "ATV-MERGE-001",
            "ATV-CASE-001",
            "ATV-OP-001",
            "ATV-ATOMIC-001",
            "ATV-KEY-003",
            "ATV-KEY-005",
            "ATV-LIMIT-002",
            "ATV-LIMIT-010",
            "RTV-STATUS-001",
            "SUB-SCOPE-001",
        ],
        judge: listed,
    },
];

type Tags = BTreeMap<String, String>;

/// The tags a request would add.
fn added(now: &Observation) -> Option<Tags> {
    if now.operation != Some(O::AddTagsToVault) {
        return None;
    }
    map(sent(now)?.get("Tags")?)
}

/// The keys a request would remove.
fn removed(now: &Observation) -> Option<Vec<String>> {
    if now.operation != Some(O::RemoveTagsFromVault) {
        return None;
    }
    let keys = sent(now)?;
    keys.get("TagKeys")?
        .as_array()?
        .iter()
        .map(|key| Some(key.as_str()?.to_owned()))
        .collect()
}

fn map(tags: &Value) -> Option<Tags> {
    tags.as_object()?
        .iter()
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn held_before(now: &Observation) -> usize {
    live_vault(&now.before, now.action()).map_or(0, |vault| vault.tags.len())
}

fn any_tag(now: &Observation, has: impl Fn(&str, &str) -> bool) -> bool {
    added(now).is_some_and(|tags| tags.iter().any(|(key, value)| has(key, value)))
}

fn beyond_ascii(text: &str) -> bool {
    !text.is_ascii()
}

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("ATV-STATUS-001", O::AddTagsToVault),
    AcceptanceRule::example("ATV-VALUE-001", O::AddTagsToVault, |now| {
        any_tag(now, |_, value| value.is_empty())
    }),
    AcceptanceRule::example("ATV-VALUE-002", O::AddTagsToVault, |now| {
        any_tag(now, |_, value| value.len() == 255 && value.is_ascii())
    }),
    AcceptanceRule::example("ATV-KEY-001", O::AddTagsToVault, |now| {
        any_tag(now, |key, _| {
            matches!(key.len(), 1 | 128) && key.is_ascii() && only_letters(key)
        })
    }),
    AcceptanceRule::example("ATV-KEY-003", O::AddTagsToVault, |now| {
        any_tag(now, |key, value| {
            let plain = only_letters(key) && only_letters(value);
            !plain && !is_long(key, value)
        })
    }),
    AcceptanceRule::example("ATV-KEY-005", O::AddTagsToVault, |now| {
        any_tag(now, |key, value| {
            is_long(key, value) && (beyond_ascii(key) || beyond_ascii(value))
        })
    }),
    AcceptanceRule::example("ATV-LIMIT-003", O::AddTagsToVault, overwrites_when_full),
    AcceptanceRule::example("ATV-LIMIT-010", O::AddTagsToVault, fits_in_ten),
    AcceptanceRule::general("RTV-STATUS-001", O::RemoveTagsFromVault),
    AcceptanceRule::example("RTV-IDEM-001", O::RemoveTagsFromVault, removes_nothing),
    AcceptanceRule::general("LTV-STATUS-001", O::ListTagsForVault),
];

/// Whether more bytes than the 128 and 255 that count characters.
fn is_long(key: &str, value: &str) -> bool {
    key.len() > 128 || value.len() > 255
}

fn only_letters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn fits_in_ten(now: &Observation) -> bool {
    added(now).is_some_and(|tags| tags.len() == 10) && held_before(now) == 0
}

fn overwrites_when_full(now: &Observation) -> bool {
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return false;
    };
    vault.tags.len() == 50
        && added(now).is_some_and(|tags| {
            !tags.is_empty() && tags.keys().all(|key| vault.tags.contains_key(key))
        })
}

fn removes_nothing(now: &Observation) -> bool {
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return false;
    };
    removed(now).is_some_and(|keys| keys.iter().all(|key| !vault.tags.contains_key(key)))
}

fn accepted(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_acceptance(ACCEPTED, evidence, out);
}

const ADD: &[O] = &[O::AddTagsToVault];
const TAGGING: &[O] = &[O::AddTagsToVault, O::RemoveTagsFromVault];

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new(
        "ATV-OP-001",
        TAGGING,
        &[Refusal::TagOperationInvalid],
        Demand::Refused,
    ),
    RefusalRule::new(
        "ATV-VALUE-002",
        ADD,
        &[Refusal::TagValueLength],
        BAD_REQUEST,
    ),
    RefusalRule::new(
        "ATV-LIMIT-004",
        ADD,
        &[Refusal::TagCountInvalid],
        BAD_REQUEST,
    ),
    // Between 10 and 50 tags a server may stop, but then it must say why.
    RefusalRule::new(
        "ATV-LIMIT-002",
        ADD,
        &[Refusal::TagLimitExceeded],
        Demand::Answer(&[(400, "LimitExceededException")]),
    ),
    RefusalRule::new("ATV-KEY-001", ADD, &[Refusal::TagKeyLength], BAD_REQUEST),
    RefusalRule::new(
        "ATV-KEY-002",
        ADD,
        &[Refusal::TagKeyReserved],
        Demand::Refused,
    ),
    RefusalRule::new("ATV-KEY-004", ADD, &[Refusal::TagCharacters], BAD_REQUEST),
    RefusalRule::new("ATV-MISS-001", ADD, &[Refusal::TagsMissing], BAD_REQUEST),
    RefusalRule::new(
        "RTV-LIMIT-001",
        &[O::RemoveTagsFromVault],
        &[Refusal::TagKeyCountInvalid, Refusal::TagKeysMissing],
        BAD_REQUEST,
    ),
    RefusalRule::new(
        "ATV-404-001",
        &[
            O::AddTagsToVault,
            O::ListTagsForVault,
            O::RemoveTagsFromVault,
        ],
        &[Refusal::VaultUnknown],
        NOT_FOUND,
    ),
];

fn refused(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(REFUSED, evidence, out);
}

/// How many tags a vault takes: at least 10, at most 50.
fn limit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::AddTagsToVault))
    else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    let Some(tags) = added(now).filter(|tags| tags.len() <= 10) else {
        return;
    };
    let after = vault.tags.len()
        + tags
            .keys()
            .filter(|key| !vault.tags.contains_key(*key))
            .count();
    if !(11..=50).contains(&after) || !now.expectation.allows_success() {
        return;
    }
    let full = now.error_code() == Some("LimitExceededException");
    if now.succeeded() && after == 50 {
        out.held("ATV-LIMIT-001");
    } else if full {
        let symptom = Symptom::new("tag-limit-low", "a vault takes fewer than 50 tags");
        out.graded(
            "ATV-LIMIT-001",
            Level::Should,
            symptom,
            "50 tags",
            format!("{} on the {after}th", answer(now)),
        );
    }
}

/// What happened to the tags of a vault since they were last listed rightly.
#[derive(Default)]
struct Story<'a> {
    /// Requests that changed tags, or tried, oldest first.
    requests: Vec<&'a Observation>,
}

impl<'a> Story<'a> {
    fn before(now: &Observation, earlier: &'a [Observation]) -> Self {
        let mut requests = Vec::new();
        for past in earlier.iter().filter(|past| same_vault(past, now)) {
            match past.operation {
                Some(O::ListTagsForVault) if past.succeeded() => requests.clear(),
                Some(O::AddTagsToVault | O::RemoveTagsFromVault) => requests.push(past),
                _ => {}
            }
        }
        Self { requests }
    }

    fn accepted(&self) -> impl Iterator<Item = &'a Observation> {
        self.requests
            .iter()
            .copied()
            .filter(|past| past.succeeded())
    }

    fn refused(&self) -> impl Iterator<Item = &'a Observation> {
        self.requests
            .iter()
            .copied()
            .filter(|past| past.is_refused())
    }
}

fn overwrites(past: &Observation) -> bool {
    let Some(vault) = live_vault(&past.before, past.action()) else {
        return false;
    };
    added(past).is_some_and(|tags| {
        tags.iter()
            .any(|(key, value)| vault.tags.get(key).is_some_and(|old| old != value))
    })
}

fn merges(past: &Observation) -> bool {
    let Some(vault) = live_vault(&past.before, past.action()) else {
        return false;
    };
    added(past).is_some_and(|tags| vault.tags.keys().any(|key| !tags.contains_key(key)))
}

fn differ_in_case(tags: &Tags) -> bool {
    tags.keys().any(|key| {
        tags.keys()
            .any(|other| key != other && key.eq_ignore_ascii_case(other))
    })
}

fn listed(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListTagsForVault) else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    let story = Story::before(now, earlier(evidence));
    let Some(actual) = now
        .document
        .as_deref()
        .and_then(|document| map(document.get("Tags")?))
    else {
        let requirement = if vault.tags.is_empty() {
            "LTV-EMPTY-001"
        } else {
            "LTV-STATUS-001"
        };
        let symptom = Symptom::new(
            "tags-not-a-map",
            "ListTagsForVault does not answer with a map of strings",
        );
        let actual = now
            .response()
            .and_then(|response| response.body.text())
            .map(super::shape::shorten);
        return out.violated(
            requirement,
            symptom,
            "{\"Tags\": {…}}",
            actual.unwrap_or_default(),
        );
    };
    if actual == vault.tags {
        if others(now).any(|tags| !tags.is_empty() && *tags != actual) {
            out.held("SUB-SCOPE-001");
        }
        return as_expected(&vault.tags, &story, out);
    }
    let (requirement, symptom) = if is_of_another(now, &actual) {
        ("SUB-SCOPE-001", shared())
    } else if actual.is_empty() && is_lost_by_reset(now, earlier(evidence)) {
        ("LTV-STATUS-001", wiped())
    } else {
        blame(&vault.tags, &actual, &story)
    };
    out.violated(requirement, symptom, told(&vault.tags), told(&actual));
}

/// The tags of the other vaults.
fn others(now: &Observation) -> impl Iterator<Item = &Tags> {
    let own = now.action().vault().and_then(Ref::handle);
    let vaults = now.before.vaults.iter();
    vaults
        .filter(move |(handle, vault)| Some(handle.as_str()) != own && vault.life == Life::Live)
        .map(|(_, vault)| &vault.tags)
}

/// Whether a wrong list is exactly that of another vault.
fn is_of_another(now: &Observation, actual: &Tags) -> bool {
    !actual.is_empty() && others(now).any(|tags| tags == actual)
}

/// The symptom of one vault showing the tags of another.
fn shared() -> Symptom {
    Symptom::new("vaults-share", "the tags of one vault show in another").about("tags")
}

fn told(tags: &Tags) -> String {
    super::shape::shorten(&format!("{} tags: {tags:?}", tags.len()))
}

/// Everything that led to a right list was done rightly.
fn as_expected(tags: &Tags, story: &Story<'_>, out: &mut Judgements) {
    let mut held = vec![if tags.is_empty() {
        "LTV-EMPTY-001"
    } else {
        "LTV-STATUS-001"
    }];
    for past in story.accepted() {
        held.extend(overwrites(past).then_some("ATV-OVER-001"));
        held.extend(merges(past).then_some("ATV-MERGE-001"));
        held.extend(
            (past.operation == Some(O::RemoveTagsFromVault) && !removes_nothing(past))
                .then_some("RTV-STATUS-001"),
        );
        held.extend(any_tag(past, is_long).then_some("ATV-KEY-005"));
        held.extend(
            any_tag(past, |key, value| {
                !is_long(key, value) && (beyond_ascii(key) || beyond_ascii(value))
            })
            .then_some("ATV-KEY-003"),
        );
    }
    for past in story.refused() {
        match past.expectation.refusals() {
            [Refusal::TagOperationInvalid] => held.push("ATV-OP-001"),
            [Refusal::TagLimitExceeded] => held.push("ATV-LIMIT-002"),
            _ if added(past).is_some_and(|tags| tags.len() > 1) => held.push("ATV-ATOMIC-001"),
            _ => {}
        }
    }
    held.extend(differ_in_case(tags).then_some("ATV-CASE-001"));
    held.extend((tags.len() == 10).then_some("ATV-LIMIT-010"));
    held.sort_unstable();
    held.dedup();
    held.into_iter()
        .for_each(|requirement| out.held(requirement));
}

fn folded(key: &str, tags: &Tags) -> bool {
    tags.keys()
        .any(|other| other != key && other.eq_ignore_ascii_case(key))
}

/// Which rule a wrong list breaks, and what went wrong, by the first key that differs.
fn blame(expected: &Tags, actual: &Tags, story: &Story<'_>) -> (&'static str, Symptom) {
    if let Some(refused) = effect_of_refused(expected, actual, story) {
        return refused;
    }
    for (key, value) in expected {
        match actual.get(key) {
            Some(other) if other == value => {}
            Some(_) if story.accepted().any(overwrites) => {
                return (
                    "ATV-OVER-001",
                    Symptom::new(
                        "tag-kept",
                        "adding a key again does not overwrite its value",
                    ),
                );
            }
            _ if folded(key, expected) => {
                return (
                    "ATV-CASE-001",
                    Symptom::new("tags-folded", "keys that differ in case are one tag"),
                );
            }
            None if beyond_ascii(key) || is_long(key, value) => return altered(key, value),
            Some(_) => return altered(key, value),
            None if lost_by_adding(key, story) => {
                return (
                    "ATV-MERGE-001",
                    Symptom::new("tags-replaced", "adding tags drops those that were there"),
                );
            }
            None if story
                .accepted()
                .any(|past| removed(past).is_some_and(|keys| !keys.contains(key))) =>
            {
                return (
                    "RTV-STATUS-001",
                    Symptom::new("tags-overremoved", "removing tags removes others too"),
                );
            }
            None => {
                return (
                    "LTV-STATUS-001",
                    Symptom::new("tag-not-listed", "a tag that was added is not listed"),
                );
            }
        }
    }
    let removed_key = |key: &String| {
        story
            .accepted()
            .any(|past| removed(past).is_some_and(|keys| keys.contains(key)))
    };
    if actual.keys().any(removed_key) {
        return (
            "RTV-STATUS-001",
            Symptom::new("tag-not-removed", "a tag that was removed is still listed"),
        );
    }
    (
        "LTV-STATUS-001",
        Symptom::new(
            "tag-invented",
            "a tag is listed that was never added to this vault",
        ),
    )
}

fn altered(key: &str, value: &str) -> (&'static str, Symptom) {
    let requirement = if is_long(key, value) {
        "ATV-KEY-005"
    } else {
        "ATV-KEY-003"
    };
    (
        requirement,
        Symptom::new("tag-altered", "a tag does not come back as it was added"),
    )
}

fn lost_by_adding(key: &str, story: &Story<'_>) -> bool {
    story
        .accepted()
        .filter(|past| merges(past))
        .any(|past| added(past).is_some_and(|tags| !tags.contains_key(key)))
}

/// Whether the list shows what a refused request asked for.
fn effect_of_refused(
    expected: &Tags,
    actual: &Tags,
    story: &Story<'_>,
) -> Option<(&'static str, Symptom)> {
    let took_effect = |past: &&Observation| {
        let came = added(past).is_some_and(|tags| {
            tags.iter()
                .any(|(k, v)| actual.get(k) == Some(v) && expected.get(k) != Some(v))
        });
        let went = removed(past).is_some_and(|keys| {
            keys.iter()
                .any(|key| expected.contains_key(key) && !actual.contains_key(key))
        });
        came || went
    };
    let culprit = story.refused().find(took_effect)?;
    let symptom = Symptom::new("refused-yet-done", "a refused request changes tags").about("tags");
    Some(match culprit.expectation.refusals() {
        [Refusal::TagOperationInvalid] => ("ATV-OP-001", symptom),
        [Refusal::TagLimitExceeded] => ("ATV-LIMIT-002", symptom),
        _ => ("ATV-ATOMIC-001", symptom),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as document};

    use super::super::by_hand::{Answer, Case, error, json, status};
    use crate::requirement::Level;

    const LIST: &str = "ListTagsForVault: {vault: v}";

    fn add(tags: &str) -> String {
        format!("AddTagsToVault: {{vault: v, body: {{Tags: {tags}}}}}")
    }

    fn tags(tags: Value) -> Answer {
        json(200, document!({"Tags": tags}))
    }

    /// A vault to which these tags were added, one request each.
    fn tagged(requests: &[&str]) -> Case {
        let vault = Case::default().then("CreateVault: {vault: v}", status(201));
        requests
            .iter()
            .fold(vault, |case, tags| case.then(&add(tags), status(204)))
    }

    #[test]
    fn adding_keeps_what_is_there_and_overwrites_what_is_named() {
        let case = tagged(&["{a: \"1\"}", "{b: \"2\"}", "{a: \"3\"}"])
            .then(LIST, tags(document!({"b": "2", "a": "3"})));
        for requirement in ["LTV-STATUS-001", "ATV-MERGE-001", "ATV-OVER-001"] {
            assert!(case.holds(requirement), "{requirement}");
        }
    }

    #[test]
    fn each_wrong_list_is_blamed_on_what_was_done() {
        let merged = tagged(&["{a: \"1\"}", "{b: \"2\"}"]).then(LIST, tags(document!({"b": "2"})));
        assert_eq!(
            merged.breaks("ATV-MERGE-001"),
            [("tags-replaced", Level::Must)]
        );
        let kept = tagged(&["{a: \"1\"}", "{a: \"2\"}"]).then(LIST, tags(document!({"a": "1"})));
        assert_eq!(kept.breaks("ATV-OVER-001"), [("tag-kept", Level::Must)]);
        let folded =
            tagged(&["{Key: \"1\", key: \"2\"}"]).then(LIST, tags(document!({"key": "2"})));
        assert_eq!(
            folded.breaks("ATV-CASE-001"),
            [("tags-folded", Level::Must)]
        );
        let mangled = tagged(&["{größe: \"1\"}"]).then(LIST, tags(document!({"gr??e": "1"})));
        assert_eq!(
            mangled.breaks("ATV-KEY-003"),
            [("tag-altered", Level::Must)]
        );
    }

    #[test]
    fn removing_takes_what_is_named() {
        let removed = |left: Value| {
            let case = tagged(&["{a: \"1\", b: \"2\"}"]);
            case.then(
                "RemoveTagsFromVault: {vault: v, body: {TagKeys: [a]}}",
                status(204),
            )
            .then(LIST, tags(left))
        };
        assert!(removed(document!({"b": "2"})).holds("RTV-STATUS-001"));
        assert_eq!(
            removed(document!({"a": "1", "b": "2"})).breaks("RTV-STATUS-001"),
            [("tag-not-removed", Level::Must)]
        );
        assert_eq!(
            removed(document!({})).breaks("RTV-STATUS-001"),
            [("tags-overremoved", Level::Must)]
        );
    }

    #[test]
    fn a_refused_request_adds_nothing() {
        let refused = |listed: Value| {
            let case = tagged(&["{kept: \"1\"}"]);
            case.then(
                &add("{good: x, \"b*d\": y}"),
                error(400, "InvalidParameterValueException"),
            )
            .then(LIST, tags(listed))
        };
        assert!(refused(document!({"kept": "1"})).holds("ATV-ATOMIC-001"));
        let partly = refused(document!({"kept": "1", "good": "x"})).breaks("ATV-ATOMIC-001");
        assert_eq!(partly, [("refused-yet-done", Level::Should)]);
    }

    #[test]
    fn an_unknown_operation_does_nothing() {
        let step =
            "{AddTagsToVault: {vault: v, body: {Tags: {k: x}}}, but: {query: {operation: ad}}}";
        let refused = |listed: Value| {
            tagged(&[])
                .then(step, error(400, "InvalidParameterValueException"))
                .then(LIST, tags(listed))
        };
        assert!(refused(document!({})).holds("ATV-OP-001"));
        assert_eq!(
            refused(document!({"k": "x"})).breaks("ATV-OP-001"),
            [("refused-yet-done", Level::Must)]
        );
        assert_eq!(
            tagged(&[]).then(step, status(204)).breaks("ATV-OP-001"),
            [("accepted", Level::Must)]
        );
    }

    #[test]
    fn a_limit_between_ten_and_fifty_is_tolerated_when_it_is_told() {
        let ten: Vec<String> = (0..10).map(|number| format!("k{number}: x")).collect();
        let full = format!("{{{}}}", ten.join(", "));
        let eleventh = |answer| tagged(&[&full]).then(&add("{k10: x}"), answer);
        let told = eleventh(error(400, "LimitExceededException"));
        assert!(told.holds("ATV-LIMIT-002"));
        assert_eq!(
            told.breaks("ATV-LIMIT-001"),
            [("tag-limit-low", Level::Should)]
        );
        let otherwise =
            eleventh(error(400, "InvalidParameterValueException")).breaks("ATV-LIMIT-002");
        assert_eq!(otherwise, [("refused-otherwise", Level::Must)]);
    }

    #[test]
    fn no_tags_are_an_empty_map() {
        assert!(
            tagged(&[])
                .then(LIST, tags(document!({})))
                .holds("LTV-EMPTY-001")
        );
        let null = tagged(&[]).then(LIST, tags(Value::Null));
        assert_eq!(
            null.breaks("LTV-EMPTY-001"),
            [("tags-not-a-map", Level::Must)]
        );
    }
}
