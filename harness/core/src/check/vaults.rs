//! Rules for making and deleting vaults.

use serde_json::Value;

use super::location::judge_location;
use super::rules::{
    AcceptanceRule, Demand, RefusalCase, RefusalRule, answer, judge_acceptance, judge_refusal,
    judge_refusal_cases, judge_refusal_graded, not_refused,
};
use super::shape::brief;
use super::subject::{clock_ahead, earlier, live_vault, same_vault, success, vault, vault_name};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, Life, Refusal, Vault};
use crate::requirement::Level;
use crate::scenario::Action;
use crate::spec::OperationName as O;

/// Making and deleting vaults.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "vault-accepted",
        requirements: &[
            "CV-STATUS-001",
            "CV-IDEM-001",
            "CV-NAME-001",
            "CV-NAME-002",
            "CV-NAME-004",
            "DSV-STATUS-001",
            "DV-STATUS-001",
        ],
        judge: |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    },
    Check {
        id: "vault-refused",
        requirements: &["DSV-404-001", "DV-NONEMPTY-001", "DV-NONEMPTY-002"],
        judge: |evidence, out| judge_refusal(REFUSED, evidence, out),
    },
    Check {
        id: "vault-name-refused",
        requirements: &["CV-NAME-003", "CV-NAME-005"],
        judge: judge_names,
    },
    Check {
        id: "vault-location",
        requirements: &["CV-LOC-001"],
        judge: judge_vault_location,
    },
    Check {
        id: "vault-made-again",
        requirements: &["CV-IDEM-002"],
        judge: judge_made_again,
    },
    Check {
        id: "vault-name-case",
        requirements: &["CV-NAME-006"],
        judge: judge_case,
    },
    Check {
        id: "vault-body-permitted",
        requirements: &["CV-BODY-001"],
        judge: judge_body,
    },
    Check {
        id: "vault-deleted",
        requirements: &["DV-STATUS-001", "DV-NONEMPTY-001"],
        judge: judge_presence,
    },
    Check {
        id: "vault-emptied",
        requirements: &["DV-STATUS-002", "DV-NONEMPTY-003"],
        judge: judge_emptied,
    },
    Check {
        id: "vault-deleted-again",
        requirements: &["DV-IDEM-001"],
        judge: judge_deleted_again,
    },
    Check {
        id: "vault-leftovers",
        requirements: &["DV-POLICY-001", "DV-POLICY-002"],
        judge: judge_leftovers,
    },
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule {
        requirement: "CV-STATUS-001",
        operation: O::CreateVault,
        applies: None,
    },
    AcceptanceRule {
        requirement: "CV-IDEM-001",
        operation: O::CreateVault,
        applies: Some(|now| live_vault(&now.before, now.action()).is_some()),
    },
    AcceptanceRule {
        requirement: "CV-NAME-001",
        operation: O::CreateVault,
        applies: Some(|now| has_length(now, 1)),
    },
    AcceptanceRule {
        requirement: "CV-NAME-002",
        operation: O::CreateVault,
        applies: Some(|now| has_length(now, 255)),
    },
    AcceptanceRule {
        requirement: "CV-NAME-004",
        operation: O::CreateVault,
        applies: Some(has_rare_characters),
    },
    AcceptanceRule {
        requirement: "DSV-STATUS-001",
        operation: O::DescribeVault,
        applies: None,
    },
    AcceptanceRule {
        requirement: "DV-STATUS-001",
        operation: O::DeleteVault,
        applies: Some(never_written),
    },
];

const REFUSED: &[RefusalRule] = &[
    RefusalRule {
        requirement: "DSV-404-001",
        operations: &[O::DescribeVault],
        refusals: &[Refusal::VaultUnknown],
        demand: Demand::Answer(&[(404, "ResourceNotFoundException")]),
    },
    RefusalRule {
        requirement: "DV-NONEMPTY-001",
        operations: &[O::DeleteVault],
        refusals: &[Refusal::VaultNotEmpty],
        demand: Demand::Refused,
    },
    RefusalRule {
        requirement: "DV-NONEMPTY-002",
        operations: &[O::DeleteVault],
        refusals: &[Refusal::VaultNotEmpty],
        demand: Demand::Answer(&[(400, "InvalidParameterValueException")]),
    },
];

const fn name_refused(requirement: &'static str, demand: Demand) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::CreateVault],
        refusals: &[Refusal::VaultNameInvalid],
        demand,
    }
}

const NAMES: &[RefusalCase] = &[
    (has_long_name, name_refused("CV-NAME-003", Demand::Refused)),
    (has_short_name, name_refused("CV-NAME-005", Demand::Refused)),
];

fn has_length(now: &Observation, length: usize) -> bool {
    vault_name(now).is_some_and(|name| name.chars().count() == length)
}

fn has_long_name(now: &Observation) -> bool {
    vault_name(now).is_some_and(|name| name.chars().count() > 255)
}

fn has_short_name(now: &Observation) -> bool {
    !has_long_name(now)
}

fn has_rare_characters(now: &Observation) -> bool {
    vault_name(now)
        .is_some_and(|name| name.contains(|c: char| c.is_ascii_uppercase() || c == '_' || c == '.'))
}

/// Nothing was ever stored in it, as far as this case knows: no archive, no upload.
fn never_written(now: &Observation) -> bool {
    live_vault(&now.before, now.action())
        .is_some_and(|vault| vault.archives.is_empty() && vault.uploads.is_empty())
}

/// A 4xx is demanded; that it is a 400 is only expected (AMB-09).
fn judge_names(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal_cases(NAMES, evidence, out);
    let Some(now) = evidence.exchange().filter(|now| {
        now.status()
            .is_some_and(|status| (400..500).contains(&status))
    }) else {
        return;
    };
    let requirement = if has_long_name(now) {
        "CV-NAME-003"
    } else {
        "CV-NAME-005"
    };
    judge_refusal_graded(
        Level::Should,
        &[name_refused(requirement, Demand::Status(&[400]))],
        evidence,
        out,
    );
}

fn judge_vault_location(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::CreateVault) else {
        return;
    };
    if let Some(name) = vault_name(now) {
        judge_location("CV-LOC-001", now, &format!("/vaults/{name}"), out);
    }
}

/// Whether this vault was made once more while it existed, since it last came into being.
pub(super) fn made_again(now: &Observation, earlier: &[Observation]) -> bool {
    earlier
        .iter()
        .rev()
        .filter(|before| same_vault(before, now))
        .take_while(|before| !(before.operation == Some(O::DeleteVault) && before.succeeded()))
        .any(|before| {
            before.operation == Some(O::CreateVault)
                && before.succeeded()
                && live_vault(&before.before, before.action()).is_some()
        })
}

/// The symptom of a creation that resets what exists.
pub(super) fn wiped() -> Symptom {
    Symptom::new("vault-wiped", "creating a vault again resets it")
}

fn judge_made_again(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    if !made_again(now, earlier(evidence)) {
        return;
    }
    if let Some((kept, expected, actual)) = what_is_left(now, vault) {
        out.judge("CV-IDEM-002", kept, wiped, expected, || actual);
    }
}

/// What an answer tells about something that the vault had before it was made again.
fn what_is_left(now: &Observation, vault: &Vault) -> Option<(bool, String, String)> {
    let document = || now.document.as_deref().map_or_else(|| answer(now), brief);
    match now.action() {
        Action::DescribeVault { .. } if now.succeeded() => {
            let (told, known) = (
                now.member("/CreationDate")?.as_str()?,
                vault.creation_date.as_ref()?,
            );
            Some((
                told == known,
                format!("CreationDate {known}, as before"),
                format!("CreationDate {told}"),
            ))
        }
        Action::ListTagsForVault { .. } if now.succeeded() && !vault.tags.is_empty() => {
            let kept = vault.tags.iter().all(|(key, value)| {
                now.member("/Tags")
                    .and_then(|tags| tags.get(key))
                    .and_then(Value::as_str)
                    == Some(value)
            });
            Some((
                kept,
                format!("the {} tags it had", vault.tags.len()),
                document(),
            ))
        }
        Action::GetVaultNotifications { .. } if vault.notifications.is_some() => {
            left(now, "its notification configuration")
        }
        Action::GetVaultAccessPolicy { .. } if vault.access_policy.is_some() => {
            left(now, "its access policy")
        }
        Action::InitiateJob { .. }
            if now.expectation == Expectation::Accept && !vault.archives.is_empty() =>
        {
            left(now, "its archives")
        }
        _ => None,
    }
}

fn left(now: &Observation, what: &str) -> Option<(bool, String, String)> {
    let status = now.status()?;
    (now.succeeded() || status == 404)
        .then(|| (now.succeeded(), format!("{what}, as before"), answer(now)))
}

/// Another vault whose name differs from this one only by case exists too.
fn twin<'a>(now: &'a Observation, name: &str) -> Option<&'a Vault> {
    let differs_by_case =
        |vault: &&Vault| vault.name != name && vault.name.eq_ignore_ascii_case(name);
    now.before
        .vaults
        .values()
        .filter(|vault| vault.life == Life::Live)
        .find(differs_by_case)
}

fn judge_case(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let (Some(name), Some(told)) = (
        vault_name(now),
        now.member("/VaultName").and_then(Value::as_str),
    ) else {
        return;
    };
    if live_vault(&now.before, now.action()).is_some() && twin(now, name).is_some() {
        out.judge(
            "CV-NAME-006",
            told == name,
            case_folded,
            format!("VaultName {name}"),
            || format!("VaultName {told}"),
        );
    }
}

/// The symptom of names that are compared without case.
pub(super) fn case_folded() -> Symptom {
    Symptom::new("vault-name-case", "the case of vault names is lost")
}

/// Judges a permission: success and any 4xx are allowed, a failure of the server is not.
pub(super) fn judge_permission(requirement: &'static str, now: &Observation, out: &mut Judgements) {
    let Some(status) = now.status() else {
        return out.inconclusive(requirement, "no complete answer came");
    };
    let operation = now
        .operation
        .map_or_else(String::new, |name| name.to_string());
    let symptom = || {
        Symptom::new("crashed", format!("server error on a {operation} request"))
            .about(operation.clone())
    };
    out.judge(
        requirement,
        status < 500,
        symptom,
        "success or a 4xx refusal",
        || answer(now),
    );
}

fn judge_body(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::CreateVault))
    else {
        return;
    };
    if now
        .record
        .tweak
        .body
        .as_ref()
        .is_some_and(|body| !body.is_empty())
    {
        judge_permission("CV-BODY-001", now, out);
    }
}

/// A deleted vault is gone, one whose deletion was refused is still there.
fn judge_presence(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeVault))
    else {
        return;
    };
    let Some(status) = now.status().filter(|status| *status < 500) else {
        return;
    };
    let last = earlier(evidence).iter().rev().find(|before| {
        same_vault(before, now)
            && matches!(before.operation, Some(O::DeleteVault | O::CreateVault))
            && before.status().is_some()
    });
    let Some(last) = last.filter(|last| last.operation == Some(O::DeleteVault)) else {
        return;
    };
    let Some(known) = vault(&now.before, now.action()) else {
        return;
    };
    let refused_full =
        last.expectation == Expectation::Refuse(vec![Refusal::VaultNotEmpty]) && !last.succeeded();
    out.also_rests_on(last.index);
    match known.life {
        Life::Gone if last.succeeded() => {
            out.judge(
                "DV-STATUS-001",
                status == 404,
                || not_refused(now, Refusal::VaultUnknown),
                "404: the vault was deleted",
                || answer(now),
            );
        }
        Life::Live if refused_full => {
            let symptom = || {
                Symptom::new(
                    "refused-but-deleted",
                    "a vault is gone although its deletion was refused",
                )
            };
            out.judge(
                "DV-NONEMPTY-001",
                now.succeeded(),
                symptom,
                "200: the deletion was refused",
                || answer(now),
            );
        }
        _ => {}
    }
}

/// A vault whose archives were all deleted: 204 or 400 before a new inventory, 204 after it.
fn judge_emptied(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DeleteVault))
    else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    if vault.archives.is_empty()
        || vault
            .archives
            .values()
            .any(|archive| archive.life != Life::Gone)
    {
        return;
    }
    if let Some(shown) = shown_empty(now, earlier(evidence), vault) {
        out.also_rests_on(shown.index);
        let symptom = || {
            Symptom::new(
                "emptied-vault-kept",
                "a vault cannot be deleted although its last inventory shows it empty",
            )
        };
        out.judge(
            "DV-STATUS-002",
            now.succeeded(),
            symptom,
            "204: inventoried empty and not written since",
            || answer(now),
        );
    }
    judge_permission("DV-NONEMPTY-003", now, out);
}

/// The description that shows the vault empty by an inventory later than its last change.
fn shown_empty<'a>(
    now: &Observation,
    earlier: &'a [Observation],
    vault: &Vault,
) -> Option<&'a Observation> {
    let described = earlier.iter().rev().find(|seen| {
        same_vault(seen, now) && seen.operation == Some(O::DescribeVault) && seen.succeeded()
    })?;
    let empty = described
        .member("/NumberOfArchives")
        .and_then(Value::as_u64)
        == Some(0);
    (empty && inventoried_since(described, vault.changed_at?)).then_some(described)
}

/// Whether the `LastInventoryDate` of a description is surely later than a time by our clock.
pub(super) fn inventoried_since(described: &Observation, changed_at: Timestamp) -> bool {
    let date = described
        .member("/LastInventoryDate")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<Timestamp>().ok());
    date.zip(clock_ahead(described))
        .is_some_and(|(date, ahead)| date.plus_millis(-ahead) >= changed_at)
}

/// Idempotent says the page, `ResourceNotFoundException` its list of errors: both pass (AMB-10).
fn judge_deleted_again(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DeleteVault))
    else {
        return;
    };
    if now.expectation.refusals() != [Refusal::VaultUnknown] {
        return;
    }
    let code = now.response().and_then(|response| response.error_code());
    let kept = now.status() == Some(204)
        || (now.status() == Some(404) && code.as_deref() == Some("ResourceNotFoundException"));
    let symptom = || {
        Symptom::new(
            "missing-vault-deletion",
            "deleting a vault that does not exist is answered neither 204 nor 404",
        )
    };
    out.judge(
        "DV-IDEM-001",
        kept,
        symptom,
        "204 (or 404 ResourceNotFoundException)",
        || answer(now),
    );
}

/// What was set on a vault before it was deleted and made anew.
fn judge_leftovers(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    let had = |setter: O| set_before_deletion(now, earlier(evidence), setter);
    let survives = |what: &str| {
        Symptom::new(
            "survives-deletion",
            format!("{what} of a deleted vault comes back with a new vault of the same name"),
        )
        .about(what.to_owned())
    };
    match now.operation {
        Some(O::GetVaultAccessPolicy)
            if vault.access_policy.is_none()
                && had(O::SetVaultAccessPolicy)
                && now.status().is_some() =>
        {
            out.judge(
                "DV-POLICY-001",
                now.status() == Some(404),
                || survives("the access policy"),
                "404: a new vault has no policy",
                || answer(now),
            );
        }
        Some(O::GetVaultNotifications)
            if vault.notifications.is_none()
                && had(O::SetVaultNotifications)
                && now.status().is_some() =>
        {
            out.judge(
                "DV-POLICY-002",
                !now.succeeded(),
                || survives("the notification configuration"),
                "404: a new vault has none",
                || answer(now),
            );
        }
        Some(O::ListTagsForVault)
            if vault.tags.is_empty() && had(O::AddTagsToVault) && now.succeeded() =>
        {
            let tags = now
                .member("/Tags")
                .and_then(Value::as_object)
                .map_or(0, serde_json::Map::len);
            out.judge(
                "DV-POLICY-002",
                tags == 0,
                || survives("tags"),
                "no tags on a new vault",
                || format!("{tags} tags"),
            );
        }
        _ => {}
    }
}

fn set_before_deletion(now: &Observation, earlier: &[Observation], setter: O) -> bool {
    let of_this = |wanted: O| {
        move |seen: &Observation| {
            same_vault(seen, now) && seen.operation == Some(wanted) && seen.succeeded()
        }
    };
    let deleted = earlier.iter().rposition(of_this(O::DeleteVault));
    deleted.is_some_and(|end| earlier[..end].iter().any(of_this(setter)))
}
