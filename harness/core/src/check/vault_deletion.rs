//! Rules for what a deleted vault leaves behind, and when a vault can be deleted.

use serde_json::Value;

use super::rules::{answer, is_odd, not_refused};
use super::subject::{clock_ahead, earlier, live_vault, same_vault, vault};
use super::vaults::{judge_permission, unless_crashed};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, Life, Refusal, Vault};
use crate::spec::OperationName as O;

/// Deleting vaults.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "vault-deleted",
        &["DV-STATUS-001", "DV-NONEMPTY-001"],
        judge_presence,
    ),
    Check::new(
        "vault-emptied",
        &["DV-STATUS-002", "DV-NONEMPTY-003"],
        judge_emptied,
    ),
    Check::new("vault-deleted-again", &["DV-IDEM-001"], judge_deleted_again),
    Check::new(
        "vault-leftovers",
        &["DV-POLICY-001", "DV-POLICY-002"],
        judge_leftovers,
    ),
];

/// A deleted vault is gone, one whose deletion was refused is still there.
fn judge_presence(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeVault))
    else {
        return;
    };
    let tells = matches!(now.status(), Some(200..300 | 404)) && !is_odd(&now.record.tweak);
    if !tells {
        return;
    }
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
                !now.succeeded(),
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
    let answered = now.status().is_some_and(|status| status < 500);
    if let Some(shown) = shown_empty(now, earlier(evidence), vault).filter(|_| answered) {
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
/// A vault that says it was created since then is another (created again, it began anew: CV-IDEM-002): its inventory says nothing of ours.
pub(super) fn inventoried_since(described: &Observation, changed_at: Timestamp) -> bool {
    let is_since = |member| {
        let date = described
            .member(member)
            .and_then(Value::as_str)
            .and_then(Timestamp::parse_utc);
        date.zip(clock_ahead(described))
            .is_some_and(|(date, ahead)| date.plus_millis(-ahead) >= changed_at)
    };
    is_since("/LastInventoryDate") && !is_since("/CreationDate")
}

/// Idempotent says the page, `ResourceNotFoundException` its list of errors: both pass (AMB-10).
fn judge_deleted_again(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DeleteVault))
    else {
        return;
    };
    if now.expectation.refusals() != [Refusal::VaultUnknown] || is_odd(&now.record.tweak) {
        return;
    }
    let kept = now.status() == Some(204)
        || (now.status() == Some(404) && now.error_code() == Some("ResourceNotFoundException"));
    let symptom = || {
        let title = "deleting a vault that does not exist is answered neither 204 nor 404";
        unless_crashed(now, Symptom::new("missing-vault-deletion", title))
    };
    out.judge(
        "DV-IDEM-001",
        kept,
        symptom,
        "204 (or 404 ResourceNotFoundException)",
        || answer(now),
    );
}

/// Whether these are all the reasons there are to refuse a request that was not answered by success.
fn is_refused_for(now: &Observation, reasons: &[Refusal]) -> bool {
    now.status().is_some() && now.expectation.refusals() == reasons
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
                && (now.succeeded() || is_refused_for(now, &[Refusal::NoAccessPolicy])) =>
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::by_hand::{Case, error, json, status};
    use crate::requirement::Level;

    const CREATE: &str = "CreateVault: {vault: v}";
    const DELETE: &str = "DeleteVault: {vault: v}";
    const DESCRIBE: &str = "DescribeVault: {vault: v}";

    #[test]
    fn deleting_what_is_not_there_is_answered_204_or_404() {
        let again = |answer| {
            Case::default()
                .then(CREATE, status(201))
                .then(DELETE, status(204))
                .then(DELETE, answer)
        };
        assert!(again(status(204)).holds("DV-IDEM-001"));
        assert!(again(error(404, "ResourceNotFoundException")).holds("DV-IDEM-001"));
        assert_eq!(
            again(error(400, "x")).breaks("DV-IDEM-001"),
            [("missing-vault-deletion", Level::Should)]
        );
    }

    #[test]
    fn a_full_vault_stays_when_its_deletion_is_refused() {
        let upload = "UploadArchive: {vault: v, archive: a, content: {text: abc}}";
        let full = || {
            Case::default()
                .then(CREATE, status(201))
                .then(upload, status(201).with("x-amz-archive-id", "A"))
        };
        let refused = || full().then(DELETE, error(400, "InvalidParameterValueException"));
        assert!(
            refused()
                .then(DESCRIBE, json(200, json!({})))
                .holds("DV-NONEMPTY-001")
        );
        let gone = refused().then(DESCRIBE, error(404, "ResourceNotFoundException"));
        assert_eq!(
            gone.breaks("DV-NONEMPTY-001"),
            [("refused-but-deleted", Level::Must)]
        );
        let unasked = refused().then(DESCRIBE, error(400, "BadRequest"));
        assert!(unasked.holds("DV-NONEMPTY-001"));
        let elsewhere = "{DescribeVault: {vault: v}, but: {path: trailing_slash}}";
        let unrouted = refused().then(elsewhere, error(404, "ResourceNotFoundException"));
        assert!(unrouted.holds("DV-NONEMPTY-001"));
        let deleted = full()
            .then(DELETE, status(204))
            .then(DESCRIBE, error(404, "ResourceNotFoundException"));
        assert_eq!(
            deleted.breaks("DV-NONEMPTY-001"),
            [("accepted", Level::Must)],
            "and no echo of it"
        );
        assert!(deleted.said("DSV-404-001").is_empty());
    }

    #[test]
    fn tags_go_with_the_vault() {
        let tag = "AddTagsToVault: {vault: v, body: {Tags: {a: b}}}";
        let case = Case::default()
            .then(CREATE, status(201))
            .then(tag, status(204))
            .then(DELETE, status(204));
        let case = case.then(CREATE, status(201)).then(
            "ListTagsForVault: {vault: v}",
            json(200, json!({"Tags": {"a": "b"}})),
        );
        assert_eq!(
            case.breaks("DV-POLICY-002"),
            [("survives-deletion", Level::Should)]
        );
    }
}
