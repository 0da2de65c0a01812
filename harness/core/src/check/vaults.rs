//! Rules for making and deleting vaults.

use serde_json::Value;

use super::location::judge_location;
use super::rules::{
    AcceptanceRule, Demand, RefusalCase, RefusalRule, answer, crashed, judge_acceptance,
    judge_refusal, judge_refusal_cases, judge_refusal_graded,
};
use super::shape::brief;
use super::subject::{
    earlier, is_whole_list, items, live_vault, same_vault, success, text, vault_name,
};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Life, Model, Refusal, Vault};
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
    Check::new("vault-regions", &["CV-NAME-007"], judge_regions),
    Check::new("vault-name-case", &["CV-NAME-006"], judge_case),
    Check::new("vault-body-permitted", &["CV-BODY-001"], judge_body),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("CV-STATUS-001", O::CreateVault),
    AcceptanceRule::example("CV-IDEM-001", O::CreateVault, |now| !is_new(now)),
    AcceptanceRule::example("CV-NAME-001", O::CreateVault, |now| {
        is_new(now) && has_length(now, 1)
    }),
    AcceptanceRule::example("CV-NAME-002", O::CreateVault, |now| {
        is_new(now) && has_length(now, 255)
    }),
    AcceptanceRule::example("CV-NAME-004", O::CreateVault, |now| {
        is_new(now) && has_rare_characters(now)
    }),
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

/// Whether the vault is not there yet: a second creation that is refused tells nothing of the name.
fn is_new(now: &Observation) -> bool {
    live_vault(&now.before, now.action()).is_none()
}

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
    let rare = |c: char| c.is_ascii_uppercase() || c == '_' || c == '.';
    vault_name(now).is_some_and(|name| name.contains(rare) || name.starts_with('-'))
}

/// Nothing was ever stored in it, as far as this case knows: no archive, no upload.
fn never_written(now: &Observation) -> bool {
    live_vault(&now.before, now.action())
        .is_some_and(|vault| vault.archives.is_empty() && vault.uploads.is_empty())
}

/// A 4xx is demanded; that it is a 400 is only expected (AMB-09).
fn judge_names(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal_cases(NAMES, evidence, out);
    let Some(now) = evidence.exchange().filter(|now| now.is_refused()) else {
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

/// The latest creation of this vault while it existed, since it last came into being.
fn made_again<'a>(now: &Observation, earlier: &'a [Observation]) -> Option<&'a Observation> {
    let deleted = |seen: &&Observation| seen.operation == Some(O::DeleteVault) && seen.succeeded();
    let created = |seen: &&Observation| seen.operation == Some(O::CreateVault) && seen.succeeded();
    earlier
        .iter()
        .rev()
        .filter(|seen| same_vault(seen, now))
        .take_while(|seen| !deleted(seen))
        .filter(created)
        .find(|seen| live_vault(&seen.before, seen.action()).is_some())
}

/// Whether this vault was made once more while it existed, since it last came into being.
pub(super) fn was_made_again(now: &Observation, earlier: &[Observation]) -> bool {
    made_again(now, earlier).is_some()
}

/// Whether a creation that reset the vault accounts for what is missing here.
pub(super) fn is_lost_by_reset(now: &Observation, earlier: &[Observation]) -> bool {
    matches!(what_is_left(now, earlier), Some((_, false, _, _)))
}

/// The symptom of a creation that resets what exists.
pub(super) fn wiped() -> Symptom {
    Symptom::new("vault-wiped", "creating a vault again resets it")
}

fn judge_made_again(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if let Some((again, kept, expected, actual)) = what_is_left(now, earlier(evidence)) {
        out.also_rests_on(again.index);
        out.judge("CV-IDEM-002", kept, wiped, expected, || actual);
    }
}

type Left<'a> = (&'a Observation, bool, String, String);

/// What an answer tells about something that the vault had when it was made again.
fn what_is_left<'a>(now: &Observation, earlier: &'a [Observation]) -> Option<Left<'a>> {
    let vault = live_vault(&now.before, now.action())?;
    // What would be refused anyway says nothing about what a creation did.
    if now.expectation != Expectation::Accept {
        return None;
    }
    let again = made_again(now, earlier)?;
    let then = live_vault(&again.before, again.action())?;
    let (kept, expected, actual) = match now.action() {
        Action::DescribeVault { .. } => described_date(now, vault),
        Action::ListTagsForVault { .. } => listed_tags(now, vault, then),
        Action::GetVaultNotifications { .. } => (then.notifications.is_some()
            && then.notifications == vault.notifications)
            .then(|| found(now, "its notification configuration"))?,
        Action::GetVaultAccessPolicy { .. } => (then.access_policy.is_some()
            && then.access_policy == vault.access_policy)
            .then(|| found(now, "its access policy"))?,
        Action::ListMultipartUploads { .. } => listed_uploads(now, vault, then),
        Action::ListParts { upload, .. } if now.expectation == Expectation::Accept => then
            .uploads
            .contains_key(upload.handle()?)
            .then(|| found(now, "its uploads"))?,
        Action::InitiateJob { body, .. } => {
            let document = body.document()?;
            let archive = Model::archive_ref(document.get("ArchiveId")?.as_str()?);
            then.archives
                .contains_key(archive.handle()?)
                .then(|| found(now, "its archives"))?
        }
        _ => None,
    }?;
    Some((again, kept, expected, actual))
}

type Compared = Option<(bool, String, String)>;

fn described_date(now: &Observation, vault: &Vault) -> Compared {
    let (told, known) = (
        now.member("/CreationDate")?.as_str()?,
        vault.creation_date.as_ref()?,
    );
    let expected = format!("CreationDate {known}, as before");
    now.succeeded()
        .then(|| (told == known, expected, format!("CreationDate {told}")))
}

fn listed_tags(now: &Observation, vault: &Vault, then: &Vault) -> Compared {
    let unchanged = |(key, value): &(&String, &String)| vault.tags.get(*key) == Some(*value);
    let tags: Vec<_> = then.tags.iter().filter(unchanged).collect();
    if tags.is_empty() || !now.succeeded() {
        return None;
    }
    let told = |key: &str| now.member("/Tags")?.get(key)?.as_str();
    let kept = tags
        .iter()
        .all(|(key, value)| told(key) == Some(value.as_str()));
    let actual = now.document.as_deref().map_or_else(|| answer(now), brief);
    Some((kept, format!("the {} tags it had", tags.len()), actual))
}

fn listed_uploads(now: &Observation, vault: &Vault, then: &Vault) -> Compared {
    let open = |vault: &Vault, handle: &String| {
        let upload = vault.uploads.get(handle)?;
        (upload.life == Life::Live && !upload.id.is_empty()).then(|| upload.id.clone())
    };
    let both = |handle| open(then, handle).and_then(|_| open(vault, handle));
    let ids: Vec<String> = then.uploads.keys().filter_map(both).collect();
    if ids.is_empty() || !now.succeeded() || !is_whole_list(now) {
        return None;
    }
    let listed = items(now, "UploadsList")?;
    let told = |id: &String| {
        listed
            .iter()
            .any(|item| text(item, "MultipartUploadId") == Some(id))
    };
    let actual = format!("{} uploads", listed.len());
    Some((
        ids.iter().all(told),
        format!("the {} uploads it had", ids.len()),
        actual,
    ))
}

/// Something that is found, or not.
fn found(now: &Observation, what: &str) -> Compared {
    let told = now.succeeded() || now.status()? == 404;
    told.then(|| (now.succeeded(), format!("{what}, as before"), answer(now)))
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

/// A vault of the same name in another region comes and goes without this one noticing.
fn judge_regions(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DescribeVault))
    else {
        return;
    };
    let here = now.record.tweak.region.is_none() && live_vault(&now.before, now.action()).is_some();
    let deleted_elsewhere = |seen: &&Observation| {
        seen.operation == Some(O::DeleteVault)
            && seen.succeeded()
            && seen.record.tweak.region.is_some()
            && vault_name(seen) == vault_name(now)
    };
    let Some(other) = earlier(evidence)
        .iter()
        .find(deleted_elsewhere)
        .filter(|_| here)
    else {
        return;
    };
    if now.status().is_none_or(|status| status >= 500) {
        return;
    }
    out.also_rests_on(other.index);
    let expected = "200: the deletion was in another region";
    out.judge(
        "CV-NAME-007",
        now.succeeded(),
        regions_shared,
        expected,
        || answer(now),
    );
}

/// The symptom of regions that are one.
pub(super) fn regions_shared() -> Symptom {
    Symptom::new("regions-shared", "vaults of one region are seen in another")
}

/// The symptom of names that are compared without case.
pub(super) fn case_folded() -> Symptom {
    Symptom::new("vault-name-case", "the case of vault names is lost")
}

/// Judges a permission over which the operation may not fail.
pub(super) fn judge_permission(requirement: &'static str, now: &Observation, out: &mut Judgements) {
    super::common::judge_permission(requirement, now, || crashed(now), out);
}

/// The symptom, unless the server failed: that is a cause of its own.
pub(super) fn unless_crashed(now: &Observation, symptom: Symptom) -> Symptom {
    if now.status().is_some_and(|status| status >= 500) {
        crashed(now)
    } else {
        symptom
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::by_hand::{Answer, Case, error, json, status};
    use crate::requirement::Level;

    const CREATE: &str = "CreateVault: {vault: v}";

    #[test]
    fn illegal_names_are_refused_and_deserve_a_400() {
        let tried = |name: &str, answer| {
            Case::default().then(
                &format!("CreateVault: {{vault: v, name: {{raw: \"{name}\"}}}}"),
                answer,
            )
        };
        assert!(
            tried("a b", error(400, "InvalidParameterValueException"))
                .said("CV-NAME-003")
                .is_empty()
        );
        assert!(tried("a b", error(400, "InvalidParameterValueException")).holds("CV-NAME-005"));
        let odd = tried("a b", error(404, "ResourceNotFoundException"));
        assert_eq!(
            odd.breaks("CV-NAME-005"),
            [("refused-otherwise", Level::Should)]
        );
        let accepted = tried("a b", status(201));
        assert_eq!(accepted.breaks("CV-NAME-005"), [("accepted", Level::Must)]);
        assert!(accepted.said("CV-STATUS-001").is_empty());
    }

    #[test]
    fn what_a_reset_lost_is_told_by_the_rule_about_resets_alone() {
        let notify = "SetVaultNotifications: {vault: v, body: {SNSTopic: \"${topic:t}\", Events: [ArchiveRetrievalCompleted]}}";
        let ask = "GetVaultNotifications: {vault: v}";
        let case = |answer: Answer| {
            Case::default()
                .then(CREATE, status(201))
                .then(notify, status(204))
                .then(CREATE, status(201))
                .then(ask, answer)
        };
        let lost = case(error(404, "ResourceNotFoundException"));
        assert_eq!(lost.breaks("CV-IDEM-002"), [("vault-wiped", Level::Must)]);
        assert!(case(json(200, json!({}))).holds("CV-IDEM-002"));
        let anew = Case::default()
            .then(CREATE, status(201))
            .then(CREATE, status(201))
            .then(notify, status(204));
        let anew = anew.then(ask, error(404, "ResourceNotFoundException"));
        assert!(
            anew.said("CV-IDEM-002").is_empty(),
            "it was set after the second creation"
        );
    }

    /// One rule for both symptoms: a permission is one wherever it is judged.
    #[test]
    fn a_permission_is_broken_by_a_failure_and_not_by_501_or_silence() {
        let with_body = "{CreateVault: {vault: v}, but: {body: '{}'}}";
        let unknown_marker = "ListVaults: {page: {marker: =unknown}}";
        for (step, requirement, symptom) in [
            (with_body, "CV-BODY-001", "crashed"),
            (unknown_marker, "COM-PAGE-007", "crashed-over"),
        ] {
            let answered = |answer| Case::default().then(step, answer);
            assert!(answered(error(400, "BadRequest")).holds(requirement));
            assert!(answered(status(501)).holds(requirement), "{requirement}");
            let failed = answered(status(500)).breaks(requirement);
            let broken: Vec<_> = failed.iter().map(|(id, _)| *id).collect();
            assert_eq!(broken, [symptom]);
            let silent = answered(status(200)).closed().said(requirement);
            let open = |said: &super::super::Judgement| {
                matches!(said.outcome, super::super::Outcome::Inconclusive { .. })
            };
            assert!(
                !silent.is_empty() && silent.iter().all(open),
                "{requirement}"
            );
        }
    }

    #[test]
    fn a_location_names_the_vault() {
        let made =
            |location: &str| Case::default().then(CREATE, status(201).with("location", location));
        assert!(made("/012345678901/vaults/the-v").holds("CV-LOC-001"));
        assert_eq!(
            made("/012345678901/vaults/other").breaks("CV-LOC-001"),
            [("location-wrong", Level::Must)]
        );
        assert_eq!(
            Case::default()
                .then(CREATE, status(201))
                .breaks("CV-LOC-001"),
            [("location-missing", Level::Must)]
        );
    }
}
