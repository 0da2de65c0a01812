//! Notification configurations: set, replaced, told, removed. Whether anything is ever published is beyond one endpoint.

use std::collections::BTreeSet;

use serde_json::Value;

use super::documents::{Kept, accepted, latest, not_found, sent, shown, told};
use super::errors::is_unrouted;
use super::rules::{
    AcceptanceRule, Demand, RefusalRule, answer, judge_acceptance, judge_refusal, not_accepted,
};
use super::subject::{earlier, live_vault, success};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Refusal};
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "notifications-accepted",
        &[
            "SVN-STATUS-001",
            "SVN-BODY-001",
            "SVN-EVENT-001",
            "GVN-STATUS-001",
            "DVN-STATUS-001",
        ],
        accepts,
    ),
    Check::new(
        "notifications-refused",
        &["SVN-EVENT-002", "SVN-EVENT-003", "SVN-404-001"],
        refuses,
    ),
    Check::new(
        "notifications-absent",
        &["GVN-404-001", "DVN-STATUS-001", "SUB-SCOPE-001"],
        absent,
    ),
    Check::new(
        "notifications-removed-again",
        &["DVN-IDEM-001"],
        removed_again,
    ),
    Check::new(
        "notifications-told",
        &[
            "GVN-STATUS-001",
            "SVN-BODY-001",
            "SVN-EVENT-001",
            "SVN-OVER-001",
        ],
        tells,
    ),
];

const SET: &[O] = &[O::SetVaultNotifications];

const NOTIFICATIONS: Kept = Kept {
    what: "notification configuration",
    get: O::GetVaultNotifications,
    set: SET,
    delete: O::DeleteVaultNotifications,
    absent: Refusal::NoNotifications,
    when_absent: &[not_found(
        "GVN-404-001",
        &[O::GetVaultNotifications],
        &[Refusal::NoNotifications],
    )],
    when_deleted: "DVN-STATUS-001",
    lingers: true,
    is_set: |vault| vault.notifications.is_some(),
    member: "SNSTopic",
};

fn has_one(now: &Observation) -> bool {
    live_vault(&now.before, now.action()).is_some_and(|vault| vault.notifications.is_some())
}

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("GVN-STATUS-001", O::GetVaultNotifications),
    AcceptanceRule::example("DVN-STATUS-001", O::DeleteVaultNotifications, has_one),
];

/// Setting a configuration whose topic is all that a target may object to (AMB-53): only what it once took shows that it can.
fn sets(now: &Observation, earlier: &[Observation], out: &mut Judgements) {
    let topic_alone = now
        .expectation
        .refusals()
        .iter()
        .all(|refusal| *refusal == Refusal::TopicInvalid);
    if now.operation != Some(O::SetVaultNotifications)
        || !topic_alone
        || !matches!(
            now.expectation,
            Expectation::Accept | Expectation::Either(_)
        )
    {
        return;
    }
    let took = earlier
        .iter()
        .any(|past| past.operation == now.operation && past.succeeded());
    for requirement in ["SVN-STATUS-001", "SVN-BODY-001", "SVN-EVENT-001"] {
        if !took && may_refuse_the_topic(now) {
            out.inconclusive(
                requirement,
                format!("the topic was refused: {}", answer(now)),
            );
        } else {
            out.judge(
                requirement,
                now.status() == Some(204),
                || not_accepted(now),
                "204",
                || answer(now),
            );
        }
    }
}

/// A refusal that can be about a topic that does not exist, which no document describes: not one that could not read the body, or misses a member of it.
fn may_refuse_the_topic(now: &Observation) -> bool {
    const OF_THE_BODY: &[&str] = &["MissingParameterValueException", "SerializationException"];
    let of_the_body = now
        .error_code()
        .is_some_and(|code| OF_THE_BODY.contains(&code));
    now.is_refused() && !is_unrouted(now) && !of_the_body
}

fn accepts(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_acceptance(ACCEPTED, evidence, out);
    if let Evidence::Exchange { now, earlier, .. } = evidence {
        sets(now, earlier, out);
    }
}

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new(
        "SVN-EVENT-002",
        SET,
        &[Refusal::EventUnknown],
        Demand::Status(&[400]),
    ),
    RefusalRule::new(
        "SVN-EVENT-003",
        SET,
        &[Refusal::EventsMissing, Refusal::TopicMissing],
        Demand::Status(&[400]),
    ),
    not_found(
        "SVN-404-001",
        &[
            O::SetVaultNotifications,
            O::GetVaultNotifications,
            O::DeleteVaultNotifications,
        ],
        &[Refusal::VaultUnknown],
    ),
];

fn refuses(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(REFUSED, evidence, out);
}

fn absent(evidence: &Evidence<'_>, out: &mut Judgements) {
    NOTIFICATIONS.judge_absence(evidence, out);
}

/// Removing nothing: 204, or 404 as the page does not call it idempotent (AMB-36).
fn removed_again(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DeleteVaultNotifications))
    else {
        return;
    };
    // Nothing else speaks against it: no policy, no odd way to ask.
    if now.expectation == Expectation::Either(vec![Refusal::NoNotifications]) {
        let symptom = || {
            Symptom::new(
                "removal-not-idempotent",
                "removing a notification configuration that is not there fails",
            )
        };
        out.judge(
            "DVN-IDEM-001",
            matches!(now.status(), Some(204 | 404)),
            symptom,
            "204 or 404",
            || answer(now),
        );
    }
}

/// Topic and events, in no order.
fn configuration(document: &Value) -> Option<(String, BTreeSet<String>)> {
    let events = document.get("Events")?.as_array()?;
    let events = events
        .iter()
        .map(|event| event.as_str().map(str::to_owned))
        .collect::<Option<_>>()?;
    Some((document.get("SNSTopic")?.as_str()?.to_owned(), events))
}

fn tells(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::GetVaultNotifications).filter(|now| has_one(now)) else {
        return;
    };
    let past = earlier(evidence);
    let Some(set) = latest(now, past, SET)
        .and_then(sent)
        .as_ref()
        .and_then(configuration)
    else {
        return;
    };
    let expected = format!("SNSTopic {} and Events {:?}", set.0, set.1);
    if let Err(symptom) = told(now, "SNSTopic").and_then(|_| told(now, "Events")) {
        return out.violated("GVN-STATUS-001", symptom, expected, shown(now));
    }
    let former = accepted(now, past)
        .filter(|past| past.operation == Some(O::SetVaultNotifications))
        .nth(1);
    let former = former
        .and_then(sent)
        .as_ref()
        .and_then(configuration)
        .filter(|former| *former != set);
    let given = now.document.as_deref().and_then(configuration);
    if given.as_ref() == Some(&set) {
        ["GVN-STATUS-001", "SVN-BODY-001", "SVN-EVENT-001"]
            .into_iter()
            .for_each(|requirement| out.held(requirement));
        if former.is_some() {
            out.held("SVN-OVER-001");
        }
    } else if former.is_some_and(|former| mixes(given.as_ref(), &former, &set)) {
        let symptom = Symptom::new(
            "configuration-kept",
            "setting a notification configuration again does not replace it",
        );
        out.violated("SVN-OVER-001", symptom, expected, shown(now));
    } else {
        let symptom = Symptom::new(
            "configuration-altered",
            "a notification configuration is told otherwise than it was set",
        );
        out.violated("GVN-STATUS-001", symptom, expected, shown(now));
    }
}

type Configuration = (String, BTreeSet<String>);

/// Whether something of the former configuration is left that the new one does not have.
fn mixes(given: Option<&Configuration>, former: &Configuration, set: &Configuration) -> bool {
    given.is_some_and(|(topic, events)| {
        let old_topic = *topic == former.0 && former.0 != set.0;
        old_topic
            || events
                .iter()
                .any(|event| former.1.contains(event) && !set.1.contains(event))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json as document;

    use super::super::by_hand::{Case, error, json, status};
    use crate::requirement::Level;

    const ARCHIVES: &str = "ArchiveRetrievalCompleted";
    const INVENTORIES: &str = "InventoryRetrievalCompleted";
    const GET: &str = "GetVaultNotifications: {vault: v}";

    fn set(topic: &str, events: &str) -> String {
        format!(
            "SetVaultNotifications: {{vault: v, body: {{SNSTopic: 'arn:aws:sns:us-east-1:1:{topic}', Events: [{events}]}}}}"
        )
    }

    fn vault() -> Case {
        Case::default().then("CreateVault: {vault: v}", status(201))
    }

    fn told(topic: &str, events: &[&str]) -> super::super::by_hand::Answer {
        json(
            200,
            document!({"SNSTopic": format!("arn:aws:sns:us-east-1:1:{topic}"), "Events": events}),
        )
    }

    #[test]
    fn the_order_of_events_does_not_matter() {
        let both = vault().then(
            &set("t", &format!("{ARCHIVES}, {INVENTORIES}")),
            status(204),
        );
        assert!(
            both.then(GET, told("t", &[INVENTORIES, ARCHIVES]))
                .holds("GVN-STATUS-001")
        );
    }

    #[test]
    fn the_second_configuration_replaces_the_first() {
        let twice = |topic: &str, events: &[&str]| {
            let case = vault()
                .then(&set("t", ARCHIVES), status(204))
                .then(&set("u", INVENTORIES), status(204));
            case.then(GET, told(topic, events))
        };
        assert!(twice("u", &[INVENTORIES]).holds("SVN-OVER-001"));
        for (topic, events) in [("t", vec![ARCHIVES]), ("u", vec![ARCHIVES, INVENTORIES])] {
            assert_eq!(
                twice(topic, &events).breaks("SVN-OVER-001"),
                [("configuration-kept", Level::Must)]
            );
        }
    }

    #[test]
    fn a_topic_that_is_refused_from_the_first_decides_nothing() {
        let refused = vault().then(
            &set("t", ARCHIVES),
            error(400, "InvalidParameterValueException"),
        );
        assert!(refused.breaks("SVN-STATUS-001").is_empty());
        let later = vault().then(&set("t", ARCHIVES), status(204));
        let later = later.then(
            &set("t", INVENTORIES),
            error(400, "InvalidParameterValueException"),
        );
        assert_eq!(
            later.breaks("SVN-STATUS-001"),
            [("refused-valid", Level::Must)]
        );
    }

    #[test]
    fn removing_nothing_is_204_or_404() {
        let removed = |answer| vault().then("DeleteVaultNotifications: {vault: v}", answer);
        assert!(removed(status(204)).holds("DVN-IDEM-001"));
        assert!(removed(error(404, "ResourceNotFoundException")).holds("DVN-IDEM-001"));
        let refused = removed(error(400, "InvalidParameterValueException")).breaks("DVN-IDEM-001");
        assert_eq!(refused, [("removal-not-idempotent", Level::Should)]);
        let odd = "{DeleteVaultNotifications: {vault: v}, but: {path: trailing_slash}}";
        let unrouted = vault().then(odd, error(400, "BadRequest"));
        assert!(unrouted.said("DVN-IDEM-001").is_empty());
    }

    #[test]
    fn removing_nothing_may_be_denied_by_a_policy() {
        let policy = r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"glacier:DeleteVaultNotifications"}]}"#;
        let denying = format!("SetVaultAccessPolicy: {{vault: v, body: {{Policy: '{policy}'}}}}");
        let denied = vault().then(&denying, status(204)).then(
            "DeleteVaultNotifications: {vault: v}",
            error(403, "AccessDeniedException"),
        );
        assert!(denied.said("DVN-IDEM-001").is_empty());
    }
}
