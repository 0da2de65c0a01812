//! Vault locks: initiated, completed within 24 hours or aborted, and for good once complete.

use serde_json::Value;

use super::documents::{Kept, latest, not_found, refused, sent_policy, shown, told};
use super::policies::judge_policy;
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, RefusalRule, answer, judge_acceptance, judge_refusal,
    not_refused,
};
use super::subject::{earlier, header, live_vault, success};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, Lock, LockState, Refusal, Vault, equivalent_policies};
use crate::scenario::Action;
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "lock-accepted",
        requirements: &[
            "IVL-STATUS-001",
            "GVL-STATUS-001",
            "AVL-STATUS-001",
            "AVL-IDEM-001",
            "CVL-STATUS-001",
            "CVL-IDEM-001",
        ],
        judge: accepts,
    },
    Check {
        id: "lock-refused",
        requirements: &[
            "IVL-STATE-002",
            "IVL-STATE-003",
            "IVL-POLICY-001",
            "IVL-POLICY-002",
            "IVL-POLICY-003",
            "IVL-404-001",
            "AVL-LOCKED-001",
            "CVL-BADID-001",
            "CVL-BADID-002",
            "CVL-NONE-001",
        ],
        judge: refuses,
    },
    Check {
        id: "lock-id",
        requirements: &["IVL-STATUS-001", "IVL-STATE-004"],
        judge: identifier,
    },
    Check {
        id: "lock-absent",
        requirements: &["GVL-404-001", "AVL-STATUS-001", "SUB-SCOPE-001"],
        judge: absent,
    },
    Check {
        id: "lock-members",
        requirements: &["GVL-STATUS-001", "GVL-STATE-001"],
        judge: members,
    },
    Check {
        id: "lock-state",
        requirements: &[
            "IVL-STATE-001",
            "CVL-STATUS-001",
            "CVL-BADID-001",
            "AVL-LOCKED-001",
        ],
        judge: state,
    },
    Check {
        id: "lock-policy",
        requirements: &[
            "GVL-POLICY-001",
            "IVL-STATE-001",
            "IVL-STATE-002",
            "IVL-STATE-003",
            "POL-SIZE-002",
        ],
        judge: policy,
    },
    Check {
        id: "lock-dates",
        requirements: &["GVL-DATE-001", "GVL-DATE-002", "GVL-DATE-003"],
        judge: dates,
    },
    Check {
        id: "lock-effect",
        requirements: &["VL-EFFECT-001", "VL-EFFECT-002"],
        judge: effect,
    },
];

const LOCK: Kept = Kept {
    what: "lock",
    get: O::GetVaultLock,
    set: &[O::InitiateVaultLock],
    delete: O::AbortVaultLock,
    absent: Refusal::NoLock,
    when_absent: &[not_found(
        "GVL-404-001",
        &[O::GetVaultLock],
        &[Refusal::NoLock],
    )],
    when_deleted: "AVL-STATUS-001",
    lingers: false,
    is_set: |vault| vault.lock.is_some(),
    member: "Policy",
};

fn lock(now: &Observation) -> Option<&Lock> {
    live_vault(&now.before, now.action())?.lock.as_ref()
}

fn has_no_lock(now: &Observation) -> bool {
    live_vault(&now.before, now.action()).is_some_and(|vault| vault.lock.is_none())
}

fn is_locked(now: &Observation) -> bool {
    lock(now).is_some_and(|lock| lock.state == LockState::Locked)
}

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule {
        requirement: "IVL-STATUS-001",
        operation: O::InitiateVaultLock,
        applies: None,
    },
    AcceptanceRule {
        requirement: "GVL-STATUS-001",
        operation: O::GetVaultLock,
        applies: None,
    },
    AcceptanceRule {
        requirement: "AVL-STATUS-001",
        operation: O::AbortVaultLock,
        applies: None,
    },
    AcceptanceRule {
        requirement: "AVL-IDEM-001",
        operation: O::AbortVaultLock,
        applies: Some(has_no_lock),
    },
    AcceptanceRule {
        requirement: "CVL-STATUS-001",
        operation: O::CompleteVaultLock,
        applies: None,
    },
    AcceptanceRule {
        requirement: "CVL-IDEM-001",
        operation: O::CompleteVaultLock,
        applies: Some(is_locked),
    },
];

fn accepts(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_acceptance(ACCEPTED, evidence, out);
}

const INITIATE: &[O] = &[O::InitiateVaultLock];
const COMPLETE: &[O] = &[O::CompleteVaultLock];
const DENIED: Demand = Demand::Answer(&[(403, "AccessDeniedException")]);

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new(
        "IVL-STATE-002",
        INITIATE,
        &[Refusal::LockInProgress],
        DENIED,
    ),
    RefusalRule::new(
        "IVL-STATE-003",
        INITIATE,
        &[Refusal::LockLocked],
        Demand::Refused,
    ),
    RefusalRule::new(
        "IVL-POLICY-001",
        INITIATE,
        &[Refusal::PolicyInvalid],
        Demand::Answer(&[(400, "InvalidParameterValueException")]),
    ),
    RefusalRule::new(
        "IVL-POLICY-002",
        INITIATE,
        &[Refusal::PolicyTooLarge],
        Demand::Refused,
    ),
    RefusalRule::new(
        "IVL-POLICY-003",
        INITIATE,
        &[Refusal::PolicyMissing],
        BAD_REQUEST,
    ),
    RefusalRule::new(
        "AVL-LOCKED-001",
        &[O::AbortVaultLock],
        &[Refusal::LockAbortWhenLocked],
        DENIED,
    ),
    // The guide prints `InvalidParameter`, a code that stands nowhere else: the status decides.
    RefusalRule::new(
        "CVL-BADID-001",
        COMPLETE,
        &[Refusal::LockIdWrong],
        BAD_REQUEST,
    ),
    RefusalRule::new(
        "CVL-BADID-002",
        COMPLETE,
        &[Refusal::LockIdWrongWhenLocked],
        DENIED,
    ),
    RefusalRule::new(
        "CVL-NONE-001",
        COMPLETE,
        &[Refusal::LockAbsent],
        Demand::Refused,
    ),
    not_found(
        "IVL-404-001",
        &[
            O::InitiateVaultLock,
            O::GetVaultLock,
            O::AbortVaultLock,
            O::CompleteVaultLock,
        ],
        &[Refusal::VaultUnknown],
    ),
];

fn refuses(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(REFUSED, evidence, out);
}

fn identifier(evidence: &Evidence<'_>, out: &mut Judgements) {
    if let Some(now) = success(evidence, O::InitiateVaultLock) {
        return identifier_given(now, out);
    }
    // An id from before an abort completes nothing.
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::CompleteVaultLock))
    else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()).filter(|vault| vault.lock.is_some())
    else {
        return;
    };
    if !names_former(now, vault) || now.expectation.allows_success() {
        return;
    }
    let refused = now.is_refused();
    let expected = "a refusal of the lock id that was aborted";
    out.judge(
        "IVL-STATE-004",
        refused,
        || not_refused(now, Refusal::LockIdWrong),
        expected,
        || answer(now),
    );
}

fn names_former(now: &Observation, vault: &Vault) -> bool {
    let Action::CompleteVaultLock { lock, .. } = now.action() else {
        return false;
    };
    let id = now.binding(&format!("lock:{lock}"));
    id.is_some_and(|id| vault.former_locks.iter().any(|former| former == id))
}

fn identifier_given(now: &Observation, out: &mut Judgements) {
    let Some(id) = header(now, "x-amz-lock-id").filter(|id| !id.is_empty()) else {
        let symptom = Symptom::new(
            "identifier-missing",
            "InitiateVaultLock answers without x-amz-lock-id",
        )
        .about("InitiateVaultLock");
        return out.violated(
            "IVL-STATUS-001",
            symptom,
            "a non-empty x-amz-lock-id",
            "none",
        );
    };
    out.held("IVL-STATUS-001");
    let Some(vault) =
        live_vault(&now.before, now.action()).filter(|vault| !vault.former_locks.is_empty())
    else {
        return;
    };
    let symptom = || Symptom::new("lock-id-reused", "a new lock gets the id of an aborted one");
    let is_new = vault.former_locks.iter().all(|former| former != id);
    out.judge(
        "IVL-STATE-004",
        is_new,
        symptom,
        "another id than before",
        || id.to_owned(),
    );
}

fn absent(evidence: &Evidence<'_>, out: &mut Judgements) {
    LOCK.judge_absence(evidence, out);
}

/// The lock that an answer describes, as remembered.
fn described<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Lock)> {
    let now = success(evidence, O::GetVaultLock)?;
    Some((now, lock(now)?))
}

fn members(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, lock)) = described(evidence) else {
        return;
    };
    let expires = (lock.state == LockState::InProgress).then_some("ExpirationDate");
    for name in ["State", "CreationDate"].into_iter().chain(expires) {
        match told(now, name) {
            Err(symptom) => out.violated("GVL-STATUS-001", symptom, name, shown(now)),
            Ok(_) => out.held("GVL-STATUS-001"),
        }
    }
    let Some(state) = now.member("/State") else {
        return;
    };
    let known = matches!(state.as_str(), Some("InProgress" | "Locked"));
    let symptom = || {
        Symptom::new(
            "lock-state-unknown",
            "the state of a lock is neither InProgress nor Locked",
        )
    };
    out.judge(
        "GVL-STATE-001",
        known,
        symptom,
        "InProgress or Locked",
        || super::shape::brief(state),
    );
}

fn state(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, lock)) = described(evidence) else {
        return;
    };
    let Some(state) = now.member("/State").and_then(Value::as_str) else {
        return;
    };
    let past = earlier(evidence);
    let was_refused =
        |operation: O| refused(now, past).any(|past| past.operation == Some(operation));
    match (lock.state, state) {
        (LockState::InProgress, "InProgress") => {
            out.held("IVL-STATE-001");
            if was_refused(O::CompleteVaultLock) {
                out.held("CVL-BADID-001");
            }
        }
        (LockState::InProgress, "Locked") if was_refused(O::CompleteVaultLock) => {
            let symptom = Symptom::new("refused-yet-done", "a refused request changes the lock")
                .about("lock");
            out.violated("CVL-BADID-001", symptom, "State InProgress", "State Locked");
        }
        (LockState::Locked, "Locked") => {
            out.held("CVL-STATUS-001");
            if was_refused(O::AbortVaultLock) {
                out.held("AVL-LOCKED-001");
            }
        }
        (LockState::Locked, _) => {
            let symptom = Symptom::new(
                "completion-without-effect",
                "a completed lock is not Locked",
            );
            out.violated(
                "CVL-STATUS-001",
                symptom,
                "State Locked",
                format!("State {state}"),
            );
        }
        (LockState::InProgress, _) => {
            let symptom = Symptom::new("lock-state", "an initiated lock is not InProgress");
            out.violated(
                "IVL-STATE-001",
                symptom,
                "State InProgress",
                format!("State {state}"),
            );
        }
    }
}

fn policy(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, lock)) = described(evidence) else {
        return;
    };
    let past = earlier(evidence);
    let Some(set) = latest(now, past, INITIATE).and_then(sent_policy) else {
        return;
    };
    let told = now.member("/Policy").and_then(Value::as_str);
    let initiations = || {
        refused(now, past)
            .filter(|past| past.operation == Some(O::InitiateVaultLock) && lock_stood(past))
    };
    let others = || {
        initiations()
            .filter_map(sent_policy)
            .filter(|other| !equivalent_policies(other, &set))
    };
    let refusal = if lock.state == LockState::Locked {
        "IVL-STATE-003"
    } else {
        "IVL-STATE-002"
    };
    if told.is_some_and(|told| others().any(|other| equivalent_policies(told, &other))) {
        let symptom =
            Symptom::new("refused-yet-done", "a refused request changes the lock").about("lock");
        return out.violated(refusal, symptom, super::shape::shorten(&set), shown(now));
    }
    // Told instead of the lock policy, the access policy is a mix-up of the two, and judged as that.
    let access = latest(now, past, &[O::SetVaultAccessPolicy]).and_then(sent_policy);
    let mixed_up = |access: &String| {
        !equivalent_policies(access, &set)
            && told.is_some_and(|told| equivalent_policies(told, access))
    };
    if access.as_ref().is_some_and(mixed_up) {
        return;
    }
    if judge_policy("GVL-POLICY-001", &set, now, out) {
        out.held("IVL-STATE-001");
        if others().next().is_some() {
            out.held(refusal);
        }
        if set.len() >= 18_000 {
            out.held("POL-SIZE-002");
        }
    }
}

/// Whether there was a lock when this was sent.
fn lock_stood(past: &Observation) -> bool {
    lock(past).is_some()
}

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

fn dates(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, lock)) = described(evidence) else {
        return;
    };
    let date = |name: &str| {
        now.member(name)
            .and_then(Value::as_str)
            .and_then(Timestamp::parse_utc)
    };
    let Some(created) = date("/CreationDate") else {
        return;
    };
    creation(now, created, earlier(evidence), out);
    if lock.state == LockState::Locked {
        let symptom = || Symptom::new("lock-expires", "a completed lock has an expiration date");
        return out.judge(
            "GVL-DATE-002",
            now.member("/ExpirationDate").is_none(),
            symptom,
            "ExpirationDate null",
            || shown(now),
        );
    }
    if let Some(expires) = date("/ExpirationDate") {
        let lasting = expires.0 - created.0;
        let symptom = || {
            Symptom::new(
                "lock-expiration",
                "a lock does not expire 24 hours after it was initiated",
            )
        };
        out.judge(
            "GVL-DATE-001",
            (lasting - 24 * HOUR).abs() <= MINUTE,
            symptom,
            "24 hours after CreationDate",
            || format!("CreationDate {created}, ExpirationDate {expires}"),
        );
    }
}

/// `CreationDate` is when the lock was initiated, by the target's own clock, and stays what it was.
fn creation(now: &Observation, created: Timestamp, past: &[Observation], out: &mut Judgements) {
    let Some(initiated) = latest(now, past, INITIATE) else {
        return;
    };
    let tells = |past: &&Observation| {
        past.index > initiated.index && past.operation == Some(O::GetVaultLock)
    };
    let told_before = super::documents::accepted(now, past)
        .filter(tells)
        .filter_map(|past| past.member("/CreationDate")?.as_str())
        .last();
    let symptom = || {
        Symptom::new(
            "lock-creation-date",
            "CreationDate of a lock is not when it was initiated",
        )
    };
    if let Some(before) = told_before {
        let same = now.member("/CreationDate").and_then(Value::as_str) == Some(before);
        return out.judge(
            "GVL-DATE-003",
            same,
            symptom,
            format!("CreationDate {before}, as before"),
            || created.to_string(),
        );
    }
    let Some(answered) = header(initiated, "date").and_then(Timestamp::parse_http) else {
        return;
    };
    let close = (created.0 - answered.0).abs() <= 5 * MINUTE;
    out.judge(
        "GVL-DATE-003",
        close,
        symptom,
        format!("about {answered}, when it was initiated"),
        || created.to_string(),
    );
}

const DENIED_DELETION: &[RefusalRule] = &[RefusalRule::new(
    "VL-EFFECT-001",
    &[O::DeleteArchive],
    &[Refusal::DeniedByPolicy],
    DENIED,
)];

fn effect(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DeleteArchive))
    else {
        return;
    };
    judge_refusal(DENIED_DELETION, evidence, out);
    let denies = now.expectation.refusals() == [Refusal::DeniedByPolicy];
    if denies && lock(now).is_some() && now.succeeded() {
        let symptom = not_refused(now, Refusal::DeniedByPolicy);
        out.violated(
            "VL-EFFECT-001",
            symptom,
            "403 AccessDeniedException",
            answer(now),
        );
    }
    let past = earlier(evidence);
    let denied =
        refused(now, past).any(|past| past.action() == now.action() && past.status() == Some(403));
    let aborted = latest(now, past, &[O::InitiateVaultLock, O::AbortVaultLock])
        .is_some_and(|last| last.operation == Some(O::AbortVaultLock));
    if denied && aborted && has_no_lock(now) && now.expectation == Expectation::Accept {
        let symptom = || Symptom::new("lock-outlives-abort", "an aborted lock is still enforced");
        out.judge(
            "VL-EFFECT-002",
            now.succeeded(),
            symptom,
            "204 after the lock was aborted",
            || answer(now),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as document};

    use super::super::by_hand::{Answer, Case, error, json, status};
    use crate::requirement::Level;

    const GET: &str = "GetVaultLock: {vault: v}";

    fn policy(action: &str) -> String {
        format!(r#"{{"Statement":[{{"Effect":"Deny","Principal":"*","Action":"{action}"}}]}}"#)
    }

    fn initiate(lock: &str) -> String {
        format!(
            "InitiateVaultLock: {{vault: v, lock: {lock}, body: {{Policy: '{}'}}}}",
            policy(lock)
        )
    }

    fn complete(lock: &str) -> String {
        format!("CompleteVaultLock: {{vault: v, lock: {lock}}}")
    }

    fn locked() -> Case {
        let vault = Case::default().then("CreateVault: {vault: v}", status(201));
        vault.then(&initiate("l"), status(201).with("x-amz-lock-id", "id-l"))
    }

    /// What GetVaultLock tells; the case began on 2013-02-04 at 17:46:40.
    fn told(lock: &str, state: &str, expires: Value) -> Answer {
        json(
            200,
            document!({"Policy": policy(lock), "State": state, "CreationDate": "2013-02-04T17:46:41.000Z", "ExpirationDate": expires}),
        )
    }

    fn in_progress() -> Answer {
        told("l", "InProgress", document!("2013-02-05T17:46:41.000Z"))
    }

    #[test]
    fn a_lock_in_progress_is_told_with_its_end() {
        let case = locked().then(GET, in_progress());
        for requirement in [
            "GVL-STATUS-001",
            "GVL-STATE-001",
            "IVL-STATE-001",
            "GVL-POLICY-001",
            "GVL-DATE-001",
            "GVL-DATE-003",
        ] {
            assert!(case.holds(requirement), "{requirement}");
        }
        let early = locked().then(
            GET,
            told("l", "InProgress", document!("2013-02-05T17:40:00.000Z")),
        );
        assert_eq!(
            early.breaks("GVL-DATE-001"),
            [("lock-expiration", Level::Must)]
        );
        let never = locked().then(GET, told("l", "InProgress", Value::Null));
        assert_eq!(
            never.breaks("GVL-STATUS-001"),
            [("member-missing", Level::Must)]
        );
        let unlocked = locked().then(
            GET,
            told("l", "Unlocked", document!("2013-02-05T17:46:41.000Z")),
        );
        assert_eq!(
            unlocked.breaks("GVL-STATE-001"),
            [("lock-state-unknown", Level::Must)]
        );
    }

    #[test]
    fn a_second_lock_is_refused_and_changes_nothing() {
        let second = |answer, shown: &str| {
            let expires = document!("2013-02-05T17:46:41.000Z");
            locked()
                .then(&initiate("m"), answer)
                .then(GET, told(shown, "InProgress", expires))
        };
        let denied = || error(403, "AccessDeniedException");
        assert!(second(denied(), "l").holds("IVL-STATE-002"));
        assert_eq!(
            second(denied(), "m").breaks("IVL-STATE-002"),
            [("refused-yet-done", Level::Must)]
        );
        let otherwise =
            second(error(400, "InvalidParameterValueException"), "l").breaks("IVL-STATE-002");
        assert_eq!(otherwise, [("refused-otherwise", Level::Must)]);
        let replaced = second(status(201).with("x-amz-lock-id", "id-m"), "m");
        assert_eq!(
            replaced.breaks("IVL-STATE-002"),
            [("accepted", Level::Must)]
        );
        assert!(
            replaced.breaks("GVL-POLICY-001").is_empty(),
            "an echo of what was told already"
        );
    }

    #[test]
    fn a_completed_lock_stays() {
        let completed = || {
            locked()
                .then(GET, in_progress())
                .then(&complete("l"), status(204))
        };
        let case = completed()
            .then(&complete("l"), status(204))
            .then(GET, told("l", "Locked", Value::Null));
        for requirement in [
            "CVL-STATUS-001",
            "CVL-IDEM-001",
            "GVL-DATE-002",
            "GVL-DATE-003",
        ] {
            assert!(case.holds(requirement), "{requirement}");
        }
        let unchanged = completed().then(GET, in_progress());
        assert_eq!(
            unchanged.breaks("CVL-STATUS-001"),
            [("completion-without-effect", Level::Must)]
        );
        let expiring = completed().then(
            GET,
            told("l", "Locked", document!("2013-02-05T17:46:41.000Z")),
        );
        assert_eq!(
            expiring.breaks("GVL-DATE-002"),
            [("lock-expires", Level::Should)]
        );
        let other = completed().then(
            &complete("\"=other\""),
            error(400, "InvalidParameterValueException"),
        );
        assert_eq!(
            other.breaks("CVL-BADID-002"),
            [("refused-otherwise", Level::Must)]
        );
        let aborted = completed().then("AbortVaultLock: {vault: v}", status(204));
        assert_eq!(
            aborted.breaks("AVL-LOCKED-001"),
            [("accepted", Level::Must)]
        );
    }

    #[test]
    fn a_wrong_id_completes_nothing() {
        let wrong = |state: &str| {
            let case = locked().then(
                &complete("\"=other\""),
                error(400, "InvalidParameterValueException"),
            );
            case.then(GET, told("l", state, document!("2013-02-05T17:46:41.000Z")))
        };
        assert!(wrong("InProgress").holds("CVL-BADID-001"));
        assert_eq!(
            wrong("Locked").breaks("CVL-BADID-001"),
            [("refused-yet-done", Level::Must)]
        );
    }

    #[test]
    fn a_new_lock_has_a_new_id() {
        let again = |id: &str| {
            let aborted = locked().then("AbortVaultLock: {vault: v}", status(204));
            aborted.then(&initiate("m"), status(201).with("x-amz-lock-id", id))
        };
        assert!(again("id-m").holds("IVL-STATE-004"));
        assert_eq!(
            again("id-l").breaks("IVL-STATE-004"),
            [("lock-id-reused", Level::Must)]
        );
    }

    #[test]
    fn a_lock_id_comes_as_a_header() {
        let vault = Case::default().then("CreateVault: {vault: v}", status(201));
        let case = vault.then(&initiate("l"), json(201, document!({"lockId": "x"})));
        assert!(
            case.breaks("IVL-STATUS-001")
                .contains(&("identifier-missing", Level::Must))
        );
    }

    #[test]
    fn an_aborted_lock_denies_nothing_but_an_access_policy_may() {
        const DELETE: &str = "DeleteArchive: {vault: v, archive: a}";
        const UPLOAD: &str = "UploadArchive: {vault: v, archive: a, content: {text: abc}}";
        let denying = policy("glacier:DeleteArchive");
        let lock =
            format!("InitiateVaultLock: {{vault: v, lock: l, body: {{Policy: '{denying}'}}}}");
        let aborted = |access: Option<&str>, answer| {
            let vault = Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .then(UPLOAD, status(201).with("x-amz-archive-id", "A"))
                .then(&lock, status(201).with("x-amz-lock-id", "id-l"))
                .then(DELETE, error(403, "AccessDeniedException"))
                .then("AbortVaultLock: {vault: v}", status(204));
            let vault = match access {
                Some(access) => vault.then(access, status(204)),
                None => vault,
            };
            vault.then(DELETE, answer)
        };
        let denied = || error(403, "AccessDeniedException");
        assert!(aborted(None, status(204)).holds("VL-EFFECT-002"));
        assert_eq!(
            aborted(None, denied()).breaks("VL-EFFECT-002"),
            [("lock-outlives-abort", Level::Should)]
        );
        let access = format!("SetVaultAccessPolicy: {{vault: v, body: {{Policy: '{denying}'}}}}");
        let by_policy = aborted(Some(&access), denied());
        assert!(by_policy.said("VL-EFFECT-002").is_empty());
    }

    #[test]
    fn an_aborted_lock_is_gone() {
        let aborted = |answer| {
            locked()
                .then("AbortVaultLock: {vault: v}", status(204))
                .then(GET, answer)
        };
        assert!(aborted(error(404, "ResourceNotFoundException")).holds("AVL-STATUS-001"));
        assert!(
            aborted(in_progress())
                .breaks("AVL-STATUS-001")
                .contains(&("removal-without-effect", Level::Must))
        );
    }
}
