//! Rules for making and deleting vaults.

use serde_json::Value;

use super::location::judge_location;
use super::rules::{
    AcceptanceRule, Demand, RefusalCase, RefusalRule, answer, judge_acceptance, judge_refusal,
    judge_refusal_cases, judge_refusal_graded,
};
use super::shape::brief;
use super::subject::{earlier, live_vault, same_vault, success, vault_name};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Life, Refusal, Vault};
use crate::requirement::Level;
use crate::scenario::Action;
use crate::spec::OperationName as O;

/// Making and deleting vaults.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "vault-accepted",
        &[
            "CV-STATUS-001",
            "CV-IDEM-001",
            "CV-NAME-001",
            "CV-NAME-002",
            "CV-NAME-004",
            "DSV-STATUS-001",
            "DV-STATUS-001",
        ],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "vault-refused",
        &["DSV-404-001", "DV-NONEMPTY-001", "DV-NONEMPTY-002"],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new(
        "vault-name-refused",
        &["CV-NAME-003", "CV-NAME-005"],
        judge_names,
    ),
    Check::new("vault-location", &["CV-LOC-001"], judge_vault_location),
    Check::new("vault-made-again", &["CV-IDEM-002"], judge_made_again),
    Check::new("vault-name-case", &["CV-NAME-006"], judge_case),
    Check::new("vault-body-permitted", &["CV-BODY-001"], judge_body),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("CV-STATUS-001", O::CreateVault),
    AcceptanceRule::example("CV-IDEM-001", O::CreateVault, |now| {
        live_vault(&now.before, now.action()).is_some()
    }),
    AcceptanceRule::example("CV-NAME-001", O::CreateVault, |now| has_length(now, 1)),
    AcceptanceRule::example("CV-NAME-002", O::CreateVault, |now| has_length(now, 255)),
    AcceptanceRule::example("CV-NAME-004", O::CreateVault, has_rare_characters),
    AcceptanceRule::general("DSV-STATUS-001", O::DescribeVault),
    AcceptanceRule::example("DV-STATUS-001", O::DeleteVault, never_written),
];

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new(
        "DSV-404-001",
        &[O::DescribeVault],
        &[Refusal::VaultUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
    RefusalRule::new(
        "DV-NONEMPTY-001",
        &[O::DeleteVault],
        &[Refusal::VaultNotEmpty],
        Demand::Refused,
    ),
    RefusalRule::new(
        "DV-NONEMPTY-002",
        &[O::DeleteVault],
        &[Refusal::VaultNotEmpty],
        Demand::Answer(&[(400, "InvalidParameterValueException")]),
    ),
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
