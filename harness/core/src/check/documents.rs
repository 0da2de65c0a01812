//! Documents that a vault has one of: access policy, lock policy, notification configuration. What was set, what is told, what must be gone.

use serde_json::Value;

use super::rules::{NOT_FOUND, RefusalRule, judge_refusal};
use super::subject::{earlier, live_vault, same_vault};
use super::{Evidence, Judgements, Observation, Symptom};
use crate::model::{Life, Refusal, Vault};
use crate::spec::OperationName as O;
use crate::wire::Body;

/// The JSON document a request carried, as it went out.
pub(super) fn sent(now: &Observation) -> Option<Value> {
    let Body::Text(text) = &now.exchange().request.body else {
        return None;
    };
    serde_json::from_str(text).ok()
}

/// The policy a request carried, as text.
pub(super) fn sent_policy(now: &Observation) -> Option<String> {
    Some(sent(now)?.get("Policy")?.as_str()?.to_owned())
}

/// Earlier requests about the same vault that succeeded, newest first.
pub(super) fn accepted<'a>(
    now: &'a Observation,
    earlier: &'a [Observation],
) -> impl Iterator<Item = &'a Observation> {
    earlier
        .iter()
        .rev()
        .filter(move |past| same_vault(past, now) && past.succeeded())
}

/// Earlier requests about the same vault that were refused, newest first.
pub(super) fn refused<'a>(
    now: &'a Observation,
    earlier: &'a [Observation],
) -> impl Iterator<Item = &'a Observation> {
    earlier
        .iter()
        .rev()
        .filter(move |past| same_vault(past, now) && past.is_refused())
}

/// The latest of these operations that succeeded on the same vault.
pub(super) fn latest<'a>(
    now: &'a Observation,
    earlier: &'a [Observation],
    operations: &[O],
) -> Option<&'a Observation> {
    accepted(now, earlier).find(|past| {
        past.operation
            .is_some_and(|name| operations.contains(&name))
    })
}

/// A member of the answer, or what is wrong when it is not there.
pub(super) fn told<'a>(now: &'a Observation, name: &'static str) -> Result<&'a Value, Symptom> {
    if let Some(value) = now.member(&format!("/{name}")) {
        return Ok(value);
    }
    let inside = |object: &serde_json::Map<String, Value>| {
        object.keys().any(|key| key.eq_ignore_ascii_case(name))
    };
    let wrapped = now
        .document
        .as_deref()
        .and_then(Value::as_object)
        .is_some_and(|root| {
            root.len() == 1
                && root
                    .values()
                    .all(|only| only.as_object().is_some_and(inside))
        });
    if wrapped {
        return Err(Symptom::new(
            "output-wrapped",
            "answers wrap the documented object in another",
        ));
    }
    let operation = now.operation.map_or("", O::as_str);
    Err(
        Symptom::new("member-missing", format!("{operation} lacks {name}"))
            .about(format!("{operation}.{name}")),
    )
}

/// The text of the answer, for people.
pub(super) fn shown(now: &Observation) -> String {
    now.response()
        .and_then(|response| response.body.text())
        .map(super::shape::shorten)
        .unwrap_or_default()
}

/// A document that a vault has one of, and the rules about its absence.
pub(super) struct Kept {
    /// What it is called, as a subject.
    pub(super) what: &'static str,
    /// The operation that reads it.
    pub(super) get: O,
    /// The operations that make it.
    pub(super) set: &'static [O],
    /// The operation that removes it.
    pub(super) delete: O,
    /// Why reading it is refused.
    pub(super) absent: Refusal,
    /// The requirement on reading it when there is none.
    pub(super) when_absent: &'static [RefusalRule],
    /// The requirement on reading it after its removal.
    pub(super) when_deleted: &'static str,
    /// Whether the documents let it show for a short while after its removal.
    pub(super) lingers: bool,
    /// Whether a vault has one.
    pub(super) is_set: fn(&Vault) -> bool,
    /// The member that shows it.
    pub(super) member: &'static str,
}

/// How long what was removed may show at most, in milliseconds: "allow a short delay" (DAP-STATUS-001, DVN-STATUS-001).
const SHORT_DELAY: i64 = 2_000;

/// A row that wants 404 ResourceNotFoundException where there is no such document.
pub(super) const fn not_found(
    requirement: &'static str,
    operations: &'static [O],
    refusals: &'static [Refusal],
) -> RefusalRule {
    RefusalRule::new(requirement, operations, refusals, NOT_FOUND)
}

impl Kept {
    /// Judges the answer to a request for a document that is not there.
    pub(super) fn judge_absence(&self, evidence: &Evidence<'_>, out: &mut Judgements) {
        let Some(now) = evidence
            .exchange()
            .filter(|now| now.operation == Some(self.get))
        else {
            return;
        };
        if now.expectation.refusals() != [self.absent] || now.expectation.allows_success() {
            return;
        }
        let past = earlier(evidence);
        let deletion = latest(now, past, &[self.set, &[self.delete]].concat())
            .filter(|last| last.operation == Some(self.delete))
            .filter(|_| latest(now, past, self.set).is_some());
        let deleted = deletion.is_some();
        let elsewhere = self.is_set_elsewhere(now);
        let waited =
            deletion.map(|deletion| now.exchange().sent_at.0 - deletion.exchange().done_at.0);
        let early = self.lingers && waited.is_some_and(|waited| waited < SHORT_DELAY);
        if now.succeeded() && self.is_shown(now) && early {
            let why = "it shows at once after its removal, which may take a short while";
            return out.inconclusive(self.when_deleted, why);
        }
        if now.succeeded() && self.is_shown(now) && (deleted || elsewhere.is_some()) {
            return match elsewhere {
                Some(other) if self.shows(now, other, past) => {
                    out.violated("SUB-SCOPE-001", self.shared(), "404", shown(now));
                }
                _ if deleted => out.violated(
                    self.when_deleted,
                    self.undeleted(),
                    "404 after its removal",
                    shown(now),
                ),
                _ => judge_refusal(self.when_absent, evidence, out),
            };
        }
        judge_refusal(self.when_absent, evidence, out);
        if now.status() == Some(404) {
            if deleted {
                out.held(self.when_deleted);
            }
            if elsewhere.is_some() {
                out.held("SUB-SCOPE-001");
            }
        }
    }

    fn is_shown(&self, now: &Observation) -> bool {
        now.member(&format!("/{}", self.member)).is_some()
    }

    /// The symptom of one vault showing what another has.
    pub(super) fn shared(&self) -> Symptom {
        Symptom::new(
            "vaults-share",
            format!("the {} of one vault shows in another", self.what),
        )
        .about(self.what)
    }

    fn undeleted(&self) -> Symptom {
        Symptom::new(
            "removal-without-effect",
            format!("a removed {} is still there", self.what),
        )
        .about(self.what)
    }

    /// Another vault that has such a document.
    fn is_set_elsewhere<'a>(&self, now: &'a Observation) -> Option<&'a str> {
        let own = now.action().vault()?.handle()?;
        live_vault(&now.before, now.action())?;
        let others = now
            .before
            .vaults
            .iter()
            .filter(|(handle, vault)| *handle != own && vault.life == Life::Live);
        others
            .filter(|(_, vault)| (self.is_set)(vault))
            .map(|(handle, _)| handle.as_str())
            .next()
    }

    /// Whether the answer is what was set for the vault of this handle.
    fn shows(&self, now: &Observation, handle: &str, past: &[Observation]) -> bool {
        let of_it = |past: &&Observation| {
            past.action().vault().and_then(|vault| vault.handle()) == Some(handle)
                && past.succeeded()
        };
        let setting = past
            .iter()
            .rev()
            .filter(of_it)
            .find(|past| past.operation.is_some_and(|name| self.set.contains(&name)));
        let set = setting
            .and_then(sent)
            .and_then(|document| document.get(self.member).cloned());
        set.is_some() && set.as_ref() == now.member(&format!("/{}", self.member))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as document;

    use super::super::by_hand::{Case, error, json, status};
    use crate::requirement::Level;

    const SET: &str = r#"SetVaultAccessPolicy: {vault: v, body: {Policy: '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a"}]}'}}"#;
    const POLICY: &str = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a"}]}"#;

    fn vaults() -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then("CreateVault: {vault: w}", status(201))
    }

    #[test]
    fn a_wrapped_answer_is_told_from_one_that_lacks_the_member() {
        let get = |answer| {
            vaults()
                .then(SET, status(204))
                .then("GetVaultAccessPolicy: {vault: v}", json(200, answer))
        };
        assert!(get(document!({"Policy": POLICY})).holds("GAP-STATUS-001"));
        let wrapped = get(document!({"policy": {"Policy": POLICY}})).breaks("GAP-STATUS-001");
        assert_eq!(wrapped, [("output-wrapped", Level::Must)]);
        let null = get(document!({"Policy": null})).breaks("GAP-STATUS-001");
        assert_eq!(null, [("member-missing", Level::Must)]);
    }

    #[test]
    fn a_document_that_stays_after_its_removal_is_one_cause() {
        let deleted = |answer| {
            let case = vaults()
                .then(SET, status(204))
                .then("DeleteVaultAccessPolicy: {vault: v}", status(204));
            case.then("GetVaultAccessPolicy: {vault: v}", answer)
        };
        let gone = deleted(error(404, "ResourceNotFoundException"));
        assert!(gone.holds("DAP-STATUS-001") && gone.holds("GAP-404-001"));
        let there = json(200, document!({"Policy": POLICY}));
        let at_once = deleted(there.clone());
        assert!(at_once.breaks("DAP-STATUS-001").is_empty());
        let nothing = deleted(json(200, document!({"Policy": null})));
        assert_eq!(nothing.breaks("GAP-404-001"), [("accepted", Level::Must)]);
        let later = at_once
            .then("DescribeVault: {vault: v}", status(200))
            .then("GetVaultAccessPolicy: {vault: v}", there);
        assert_eq!(
            later.breaks("DAP-STATUS-001"),
            [("removal-without-effect", Level::Must)]
        );
        assert!(later.said("GAP-404-001").is_empty());
    }

    #[test]
    fn a_document_of_another_vault_is_told_from_an_invented_one() {
        let other = |answer| {
            vaults()
                .then(SET, status(204))
                .then("GetVaultAccessPolicy: {vault: w}", answer)
        };
        assert!(other(error(404, "ResourceNotFoundException")).holds("SUB-SCOPE-001"));
        let shared = other(json(200, document!({"Policy": POLICY}))).breaks("SUB-SCOPE-001");
        assert_eq!(shared, [("vaults-share", Level::Must)]);
        let empty = other(json(200, document!({"Policy": null})));
        assert_eq!(empty.breaks("GAP-404-001"), [("accepted", Level::Must)]);
        assert!(empty.said("SUB-SCOPE-001").is_empty());
    }
}
