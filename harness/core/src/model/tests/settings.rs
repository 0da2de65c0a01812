//! Locks and notification configurations.

use super::{World, accept, either, refuse, silent};
use crate::model::Refusal as R;

const POLICY: &str = r#"'{"Version":"2012-10-17","Statement":[{"Principal":"*","Effect":"Deny","Action":"glacier:DeleteArchive","Resource":["${arn:v}"],"Condition":{"NumericLessThan":{"glacier:ArchiveAgeInDays":"365"}}}]}'"#;

fn initiate(lock: &str) -> String {
    format!("InitiateVaultLock: {{vault: v, lock: {lock}, body: {{Policy: {POLICY}}}}}")
}

#[test]
fn a_lock_is_initiated_completed_and_then_there_for_good() {
    let mut world = World::after(&["CreateVault: {vault: v}"]);
    world.expects_rows(&[
        ("GVL-404-001", "GetVaultLock: {vault: v}", refuse(R::NoLock)),
        ("AVL-IDEM-001", "AbortVaultLock: {vault: v}", accept()),
        (
            "CVL-NONE-001",
            "CompleteVaultLock: {vault: v, lock: l}",
            refuse(R::LockAbsent),
        ),
    ]);
    assert_eq!(world.plays(&initiate("l")), accept(), "IVL-STATUS-001");
    assert_eq!(
        world.expects(&initiate("m")),
        refuse(R::LockInProgress),
        "IVL-STATE-002"
    );
    world.expects_rows(&[
        ("GVL-STATUS-001", "GetVaultLock: {vault: v}", accept()),
        (
            "CVL-BADID-001",
            "CompleteVaultLock: {vault: v, lock: '?l'}",
            refuse(R::LockIdWrong),
        ),
        (
            "CVL-BADID-001",
            "CompleteVaultLock: {vault: v, lock: '=x'}",
            refuse(R::LockIdWrong),
        ),
        (
            "CVL-STATUS-001",
            "CompleteVaultLock: {vault: v, lock: '=${lock:l}'}",
            accept(),
        ),
    ]);
    assert_eq!(
        world.plays("CompleteVaultLock: {vault: v, lock: l}"),
        accept(),
        "CVL-STATUS-001"
    );
    assert_eq!(
        world.expects(&initiate("m")),
        refuse(R::LockLocked),
        "IVL-STATE-003"
    );
    world.later(25 * 3_600_000);
    world.expects_rows(&[
        (
            "CVL-IDEM-001",
            "CompleteVaultLock: {vault: v, lock: l}",
            accept(),
        ),
        (
            "CVL-BADID-002",
            "CompleteVaultLock: {vault: v, lock: '?l'}",
            refuse(R::LockIdWrongWhenLocked),
        ),
        (
            "AVL-LOCKED-001",
            "AbortVaultLock: {vault: v}",
            refuse(R::LockAbortWhenLocked),
        ),
    ]);
}

#[test]
fn an_aborted_lock_leaves_nothing_but_an_id_that_is_not_valid_any_more() {
    let mut world = World::after(&[
        "CreateVault: {vault: v}",
        &initiate("l"),
        "AbortVaultLock: {vault: v}",
    ]);
    world.expects_rows(&[
        (
            "AVL-STATUS-001",
            "GetVaultLock: {vault: v}",
            refuse(R::NoLock),
        ),
        ("AVL-IDEM-001", "AbortVaultLock: {vault: v}", accept()),
    ]);
    assert_eq!(world.plays(&initiate("m")), accept(), "IVL-STATE-004");
    world.expects_rows(&[(
        "IVL-STATE-004",
        "CompleteVaultLock: {vault: v, lock: l}",
        refuse(R::LockIdWrong),
    )]);
    assert_eq!(world.model.vaults["v"].former_locks, ["id-of-l"]);
}

#[test]
fn a_lock_that_was_not_completed_in_24_hours_is_gone() {
    let mut world = World::after(&["CreateVault: {vault: v}", &initiate("l")]);
    world.later(24 * 3_600_000);
    world.expects_rows(&[
        (
            "CVL-EXP-001",
            "CompleteVaultLock: {vault: v, lock: l}",
            refuse(R::LockAbsent),
        ),
        ("CVL-EXP-001", "GetVaultLock: {vault: v}", refuse(R::NoLock)),
    ]);
    assert_eq!(world.expects(&initiate("m")), accept(), "CVL-EXP-001");
}

#[test]
fn a_policy_is_a_document_in_a_string_of_at_most_20_kilobytes() {
    let mut world = World::after(&["CreateVault: {vault: v}"]);
    world.expects_rows(&[
        (
            "IVL-POLICY-001",
            "InitiateVaultLock: {vault: v, lock: l, body: {Policy: nonsense}}",
            refuse(R::PolicyInvalid),
        ),
        (
            "IVL-POLICY-003",
            "InitiateVaultLock: {vault: v, lock: l, body: {}}",
            refuse(R::PolicyMissing),
        ),
        (
            "SAP-VALID-001",
            "SetVaultAccessPolicy: {vault: v, body: {Policy: '{}'}}",
            refuse(R::PolicyInvalid),
        ),
        (
            "SAP-VALID-002",
            "SetVaultAccessPolicy: {vault: v}",
            refuse(R::PolicyMissing),
        ),
        (
            "GAP-404-001",
            "GetVaultAccessPolicy: {vault: v}",
            refuse(R::NoAccessPolicy),
        ),
        (
            "DAP-IDEM-001",
            "DeleteVaultAccessPolicy: {vault: v}",
            accept(),
        ),
    ]);
    assert_eq!(world.expects(&padded(18_000)), accept(), "POL-SIZE-002");
    // 20 KB are 20,000 bytes, or 20,480.
    assert_eq!(world.expects(&padded(20_200)), silent(), "SAP-SIZE-001");
    assert_eq!(
        world.expects(&padded(20_481)),
        refuse(R::PolicyTooLarge),
        "SAP-SIZE-001"
    );
    world.plays(&padded(300));
    world.expects_rows(&[(
        "GAP-STATUS-001",
        "GetVaultAccessPolicy: {vault: v}",
        accept(),
    )]);
    world.plays("DeleteVaultAccessPolicy: {vault: v}");
    world.expects_rows(&[(
        "DAP-STATUS-001",
        "GetVaultAccessPolicy: {vault: v}",
        refuse(R::NoAccessPolicy),
    )]);
}

/// A request to set a policy of this many bytes.
fn padded(bytes: usize) -> String {
    let policy = |sid: &str| {
        format!(
            r#"{{"Statement":{{"Sid":"{sid}","Effect":"Allow","Principal":"*","Action":"glacier:ListJobs","Resource":"*"}}}}"#
        )
    };
    let text = policy(&"x".repeat(bytes - policy("").len()));
    serde_json::json!({"SetVaultAccessPolicy": {"vault": "v", "body": {"Policy": text}}})
        .to_string()
}

#[test]
fn one_document_does_not_change_the_other() {
    let mut world = World::after(&["CreateVault: {vault: v}", &initiate("l")]);
    world.expects_rows(&[(
        "VL-INDEP-001",
        "GetVaultAccessPolicy: {vault: v}",
        refuse(R::NoAccessPolicy),
    )]);
    world.plays("DeleteVaultAccessPolicy: {vault: v}");
    world.expects_rows(&[("VL-INDEP-001", "GetVaultLock: {vault: v}", accept())]);
}

#[test]
fn notifications_need_a_topic_and_documented_events() {
    let mut world = World::after(&["CreateVault: {vault: v}"]);
    let topic = "SNSTopic: 'arn:aws:sns:us-east-1:012345678901:t'";
    let set = |body: String| {
        world.expects(&format!(
            "SetVaultNotifications: {{vault: v, body: {{{body}}}}}"
        ))
    };
    let fine = format!("{topic}, Events: [ArchiveRetrievalCompleted, InventoryRetrievalCompleted]");
    // Whether the topic exists only SNS knows (AMB-53).
    assert_eq!(set(fine.clone()), either(R::TopicInvalid), "SVN-EVENT-001");
    let unknown = format!("{topic}, Events: [VaultDeleted]");
    assert_eq!(
        set(unknown).refusals().first(),
        Some(&R::EventUnknown),
        "SVN-EVENT-002"
    );
    assert!(
        !set(format!("{topic}, Events: []")).allows_success(),
        "SVN-EVENT-003"
    );
    assert!(!set(topic.to_owned()).allows_success(), "SVN-EVENT-003");
    assert_eq!(
        set("Events: [ArchiveRetrievalCompleted]".to_owned()),
        refuse(R::TopicMissing),
        "SVN-EVENT-003"
    );
    world.expects_rows(&[
        (
            "GVN-404-001",
            "GetVaultNotifications: {vault: v}",
            refuse(R::NoNotifications),
        ),
        // Not called idempotent (AMB-36).
        (
            "DVN-IDEM-001",
            "DeleteVaultNotifications: {vault: v}",
            either(R::NoNotifications),
        ),
    ]);
    world.plays(&format!(
        "SetVaultNotifications: {{vault: v, body: {{{fine}}}}}"
    ));
    world.expects_rows(&[
        (
            "GVN-STATUS-001",
            "GetVaultNotifications: {vault: v}",
            accept(),
        ),
        (
            "DVN-STATUS-001",
            "DeleteVaultNotifications: {vault: v}",
            accept(),
        ),
    ]);
}
