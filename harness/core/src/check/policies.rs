//! Vault access policies, and what access and lock policies have in common: size, form, effect.

use super::documents::{Kept, accepted, latest, not_found, sent_policy, shown, told};
use super::rules::{AcceptanceRule, Demand, RefusalRule, judge_acceptance, judge_refusal};
use super::subject::{earlier, live_vault, success};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Refusal, equivalent_policies};
use crate::requirement::Level;
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "access-policy-accepted",
        requirements: &[
            "SAP-STATUS-001",
            "GAP-STATUS-001",
            "DAP-STATUS-001",
            "DAP-IDEM-001",
            "POL-SIZE-002",
        ],
        judge: accepts,
    },
    Check {
        id: "access-policy-refused",
        requirements: &[
            "SAP-SIZE-001",
            "SAP-VALID-001",
            "SAP-VALID-002",
            "SAP-404-001",
        ],
        judge: refuses,
    },
    Check {
        id: "access-policy-absent",
        requirements: &["GAP-404-001", "DAP-STATUS-001", "SUB-SCOPE-001"],
        judge: absent,
    },
    Check {
        id: "access-policy-told",
        requirements: &[
            "GAP-STATUS-001",
            "SAP-OVER-001",
            "POL-SIZE-002",
            "SUB-SCOPE-001",
        ],
        judge: tells,
    },
    Check {
        id: "policies-independent",
        requirements: &["VL-INDEP-001"],
        judge: independent,
    },
    Check {
        id: "access-policy-effect",
        requirements: &["AP-EFFECT-001"],
        judge: effect,
    },
];

const ACCESS: Kept = Kept {
    what: "access policy",
    get: O::GetVaultAccessPolicy,
    set: &[O::SetVaultAccessPolicy],
    delete: O::DeleteVaultAccessPolicy,
    absent: Refusal::NoAccessPolicy,
    when_absent: &[not_found(
        "GAP-404-001",
        &[O::GetVaultAccessPolicy],
        &[Refusal::NoAccessPolicy],
    )],
    when_deleted: "DAP-STATUS-001",
    lingers: true,
    is_set: |vault| vault.access_policy.is_some(),
    member: "Policy",
};

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule {
        requirement: "SAP-STATUS-001",
        operation: O::SetVaultAccessPolicy,
        applies: None,
    },
    AcceptanceRule {
        requirement: "POL-SIZE-002",
        operation: O::SetVaultAccessPolicy,
        applies: Some(is_large),
    },
    AcceptanceRule {
        requirement: "POL-SIZE-002",
        operation: O::InitiateVaultLock,
        applies: Some(is_large),
    },
    AcceptanceRule {
        requirement: "GAP-STATUS-001",
        operation: O::GetVaultAccessPolicy,
        applies: None,
    },
    AcceptanceRule {
        requirement: "DAP-STATUS-001",
        operation: O::DeleteVaultAccessPolicy,
        applies: None,
    },
    AcceptanceRule {
        requirement: "DAP-IDEM-001",
        operation: O::DeleteVaultAccessPolicy,
        applies: Some(has_none),
    },
];

/// The size from which a policy shows that 20 KB are taken.
const LARGE: usize = 18_000;

fn is_large(now: &Observation) -> bool {
    sent_policy(now).is_some_and(|policy| policy.len() >= LARGE)
}

fn has_none(now: &Observation) -> bool {
    live_vault(&now.before, now.action()).is_some_and(|vault| vault.access_policy.is_none())
}

fn accepts(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_acceptance(ACCEPTED, evidence, out);
}

const SET: &[O] = &[O::SetVaultAccessPolicy];

const REFUSED: &[RefusalRule] = &[
    RefusalRule {
        requirement: "SAP-SIZE-001",
        operations: SET,
        refusals: &[Refusal::PolicyTooLarge],
        demand: Demand::Status(&[400]),
    },
    RefusalRule {
        requirement: "SAP-VALID-001",
        operations: SET,
        refusals: &[Refusal::PolicyInvalid],
        demand: Demand::Status(&[400]),
    },
    RefusalRule {
        requirement: "SAP-VALID-002",
        operations: SET,
        refusals: &[Refusal::PolicyMissing],
        demand: Demand::Status(&[400]),
    },
    not_found(
        "SAP-404-001",
        &[
            O::SetVaultAccessPolicy,
            O::GetVaultAccessPolicy,
            O::DeleteVaultAccessPolicy,
        ],
        &[Refusal::VaultUnknown],
    ),
];

fn refuses(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(REFUSED, evidence, out);
}

fn absent(evidence: &Evidence<'_>, out: &mut Judgements) {
    ACCESS.judge_absence(evidence, out);
}

/// Judges that the answer tells `policy` in its member `Policy`, as text. Tells whether it does.
pub(super) fn judge_policy(
    requirement: &'static str,
    policy: &str,
    now: &Observation,
    out: &mut Judgements,
) -> bool {
    let expected = "Policy: the policy that was set, as a string";
    let given = match told(now, "Policy") {
        Ok(given) => given,
        Err(symptom) => {
            out.violated(requirement, symptom, expected, shown(now));
            return false;
        }
    };
    let Some(text) = given.as_str() else {
        let symptom = Symptom::new(
            "policy-not-text",
            "policies are told as JSON objects instead of strings",
        );
        out.violated(requirement, symptom, expected, super::shape::brief(given));
        return false;
    };
    if !equivalent_policies(text, policy) {
        let operation = now.operation.map_or("", O::as_str);
        let symptom = Symptom::new(
            "policy-altered",
            format!("{operation} tells another policy than was set"),
        )
        .about(operation);
        out.violated(
            requirement,
            symptom,
            super::shape::shorten(policy),
            super::shape::shorten(text),
        );
        return false;
    }
    out.held(requirement);
    if text != policy {
        let symptom = Symptom::new(
            "policy-rewritten",
            "policies come back equivalent, but not as they were sent",
        );
        out.graded(
            requirement,
            Level::Should,
            symptom,
            super::shape::shorten(policy),
            super::shape::shorten(text),
        );
    }
    true
}

fn tells(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::GetVaultAccessPolicy) else {
        return;
    };
    let past = earlier(evidence);
    let Some(policy) = live_vault(&now.before, now.action())
        .filter(|vault| vault.access_policy.is_some())
        .and_then(|_| sent_policy(latest(now, past, SET)?))
    else {
        return;
    };
    let shows = |other: &str| {
        now.member("/Policy")
            .and_then(|text| text.as_str())
            .is_some_and(|text| equivalent_policies(text, other))
    };
    let former = accepted(now, past)
        .filter(|past| past.operation == Some(O::SetVaultAccessPolicy))
        .nth(1)
        .and_then(sent_policy);
    let former = former.filter(|former| !equivalent_policies(former, &policy));
    if former.as_ref().is_some_and(|former| shows(former)) {
        let symptom = Symptom::new("policy-kept", "setting a policy again does not replace it");
        return out.violated(
            "SAP-OVER-001",
            symptom,
            super::shape::shorten(&policy),
            shown(now),
        );
    }
    if lock_policy(now, past)
        .is_some_and(|lock| !equivalent_policies(&lock, &policy) && shows(&lock))
    {
        return;
    }
    if judge_policy("GAP-STATUS-001", &policy, now, out) {
        if former.is_some() {
            out.held("SAP-OVER-001");
        }
        if policy.len() >= LARGE {
            out.held("POL-SIZE-002");
        }
    }
}

/// The policy of the lock that the vault has.
fn lock_policy(now: &Observation, past: &[Observation]) -> Option<String> {
    live_vault(&now.before, now.action())?.lock.as_ref()?;
    sent_policy(latest(now, past, &[O::InitiateVaultLock])?)
}

/// Judges that neither of the two policies of a vault stands in for the other.
fn independent(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let past = earlier(evidence);
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    let access = vault
        .access_policy
        .as_ref()
        .and_then(|_| sent_policy(latest(now, past, SET)?));
    let lock = lock_policy(now, past);
    let (own, other) = match now.operation {
        Some(O::GetVaultAccessPolicy) => (access, lock),
        Some(O::GetVaultLock) => (lock, access),
        _ => return,
    };
    let touched = latest(
        now,
        past,
        &[O::SetVaultAccessPolicy, O::DeleteVaultAccessPolicy],
    )
    .is_some();
    let told = now.member("/Policy").and_then(|text| text.as_str());
    match (own, other, told) {
        (None, Some(_), None) if now.status() == Some(404) => out.held("VL-INDEP-001"),
        (own, Some(other), Some(told))
            if own
                .as_ref()
                .is_none_or(|own| !equivalent_policies(own, &other)) =>
        {
            if equivalent_policies(told, &other) {
                let symptom = Symptom::new(
                    "policies-mixed-up",
                    "access policy and lock policy of a vault are one document",
                );
                out.violated(
                    "VL-INDEP-001",
                    symptom,
                    own.map_or("404".to_owned(), |own| super::shape::shorten(&own)),
                    shown(now),
                );
            } else if own.is_some_and(|own| equivalent_policies(told, &own)) {
                out.held("VL-INDEP-001");
            }
        }
        (Some(own), None, Some(told)) if touched && equivalent_policies(told, &own) => {
            out.held("VL-INDEP-001");
        }
        _ => {}
    }
}

/// A Deny may be enforced or not; it must not break the request.
fn effect(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::UploadArchive))
    else {
        return;
    };
    let has_policy =
        live_vault(&now.before, now.action()).is_some_and(|vault| vault.access_policy.is_some());
    if has_policy && now.expectation.refusals() == [Refusal::DeniedByPolicy] {
        super::common::permitted("AP-EFFECT-001", now, "a Deny in the access policy", out);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as document;

    use super::super::by_hand::{Case, error, json, status};
    use super::*;

    fn policy(action: &str) -> String {
        format!(r#"{{"Statement":[{{"Effect":"Deny","Principal":"*","Action":["{action}"]}}]}}"#)
    }

    fn set(action: &str) -> String {
        format!(
            "SetVaultAccessPolicy: {{vault: v, body: {{Policy: '{}'}}}}",
            policy(action)
        )
    }

    fn vault() -> Case {
        Case::default().then("CreateVault: {vault: v}", status(201))
    }

    fn told(policy: &str) -> super::super::by_hand::Answer {
        json(200, document!({"Policy": policy}))
    }

    const GET: &str = "GetVaultAccessPolicy: {vault: v}";

    #[test]
    fn an_equivalent_policy_keeps_the_rule_and_verbatim_is_expected() {
        let case = vault()
            .then(&set("a"), status(204))
            .then(GET, told(&policy("a").replace(r#"["a"]"#, r#""a""#)));
        assert_eq!(
            case.breaks("GAP-STATUS-001"),
            [("policy-rewritten", Level::Should)]
        );
        let object = vault()
            .then(&set("a"), status(204))
            .then(GET, json(200, document!({"Policy": {"Statement": []}})));
        assert_eq!(
            object.breaks("GAP-STATUS-001"),
            [("policy-not-text", Level::Must)]
        );
    }

    #[test]
    fn the_second_policy_replaces_the_first() {
        let twice = |shown: &str| {
            vault()
                .then(&set("a"), status(204))
                .then(&set("b"), status(204))
                .then(GET, told(&policy(shown)))
        };
        assert!(twice("b").holds("SAP-OVER-001"));
        assert_eq!(
            twice("a").breaks("SAP-OVER-001"),
            [("policy-kept", Level::Must)]
        );
        assert_eq!(
            twice("c").breaks("GAP-STATUS-001"),
            [("policy-altered", Level::Must)]
        );
    }

    #[test]
    fn a_lock_policy_is_no_access_policy() {
        let lock = format!(
            "InitiateVaultLock: {{vault: v, lock: l, body: {{Policy: '{}'}}}}",
            policy("lock")
        );
        let locked = || vault().then(&lock, status(201).with("x-amz-lock-id", "l"));
        assert!(
            locked()
                .then(GET, error(404, "ResourceNotFoundException"))
                .holds("VL-INDEP-001")
        );
        let mixed = locked()
            .then(&set("access"), status(204))
            .then(GET, told(&policy("lock")));
        assert_eq!(
            mixed.breaks("VL-INDEP-001"),
            [("policies-mixed-up", Level::Must)]
        );
        assert!(mixed.breaks("GAP-STATUS-001").is_empty());
    }
}
