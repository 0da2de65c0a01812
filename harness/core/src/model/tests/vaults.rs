//! Vaults: names, existence, deletion.

use super::{World, accept, either, refuse, silent};
use crate::model::Refusal as R;

#[test]
fn a_vault_name_has_1_to_255_characters_of_letters_digits_and_three_marks() {
    World::new().expects_rows(&[
        ("CV-STATUS-001", "CreateVault: {vault: v}", accept()),
        (
            "CV-NAME-001",
            "CreateVault: {vault: v, name: {length: 1}}",
            accept(),
        ),
        (
            "CV-NAME-002",
            "CreateVault: {vault: v, name: {length: 255}}",
            accept(),
        ),
        (
            "CV-NAME-003",
            "CreateVault: {vault: v, name: {length: 256}}",
            refuse(R::VaultNameInvalid),
        ),
        (
            "CV-NAME-004",
            "CreateVault: {vault: v, name: {raw: A_b-9.z}}",
            accept(),
        ),
        (
            "CV-NAME-004",
            "CreateVault: {vault: v, name: {raw: .x}}",
            accept(),
        ),
        (
            "CV-NAME-005",
            "CreateVault: {vault: v, name: {raw: bad name}}",
            refuse(R::VaultNameInvalid),
        ),
        (
            "CV-NAME-005",
            "CreateVault: {vault: v, name: {suffix: 'a:b'}}",
            refuse(R::VaultNameInvalid),
        ),
        (
            "CV-NAME-005",
            "CreateVault: {vault: v, name: {raw: bäd}}",
            refuse(R::VaultNameInvalid),
        ),
        // AMB-09: URI normalisation eats these.
        (
            "CV-NAME-004",
            "CreateVault: {vault: v, name: {raw: ..}}",
            silent(),
        ),
    ]);
}

#[test]
fn a_vault_that_does_not_exist_is_not_found() {
    let world = World::after(&[
        "CreateVault: {vault: v}",
        "CreateVault: {vault: gone}",
        "DeleteVault: {vault: gone}",
    ]);
    world.expects_rows(&[
        ("DSV-STATUS-001", "DescribeVault: {vault: v}", accept()),
        (
            "DSV-404-001",
            "DescribeVault: {vault: never}",
            refuse(R::VaultUnknown),
        ),
        (
            "DSV-404-001",
            "DescribeVault: {vault: '?v'}",
            refuse(R::VaultUnknown),
        ),
        (
            "DSV-404-001",
            "DescribeVault: {vault: gone}",
            refuse(R::VaultUnknown),
        ),
        (
            "COM-ERR-014",
            "ListJobs: {vault: gone}",
            refuse(R::VaultUnknown),
        ),
        (
            "COM-ERR-014",
            "ListTagsForVault: {vault: gone}",
            refuse(R::VaultUnknown),
        ),
        (
            "IVL-404-001",
            "GetVaultLock: {vault: gone}",
            refuse(R::VaultUnknown),
        ),
        // Deleting is idempotent, and ResourceNotFoundException declared (AMB-10).
        (
            "DV-IDEM-001",
            "DeleteVault: {vault: gone}",
            either(R::VaultUnknown),
        ),
        ("CV-IDEM-001", "CreateVault: {vault: v}", accept()),
        ("DSV-STATUS-001", "DescribeVault: {vault: '=v'}", accept()),
        (
            "DSV-STATUS-001",
            "DescribeVault: {vault: '=${vault:v}'}",
            accept(),
        ),
    ]);
}

/// AMB-09: other operations answer 400 or 404 to a name that cannot be.
#[test]
fn a_name_that_cannot_be_is_refused_as_such_or_as_unknown() {
    let both = crate::model::Expectation::Refuse(vec![R::VaultUnknown, R::VaultNameInvalid]);
    let mut world = World::new();
    assert_eq!(world.expects("DescribeVault: {vault: '=testz:z'}"), both);
    let step = super::step("CreateVault: {vault: bad, name: {raw: 'testz:z'}}");
    let seen = crate::model::Observed {
        status: 400,
        bindings: std::sync::Arc::new([("vault:bad".to_owned(), "testz:z".to_owned())].into()),
        ..Default::default()
    };
    let expected = world.model.expect(&step.action, &step.tweak, world.now);
    world
        .model
        .observe(&step.action, &step.tweak, &expected, &seen);
    assert_eq!(world.expects("DescribeVault: {vault: bad}"), both);
}

#[test]
fn a_vault_can_be_deleted_when_it_never_held_anything() {
    let mut world = World::after(&["CreateVault: {vault: v}"]);
    world.expects_rows(&[("DV-STATUS-001", "DeleteVault: {vault: v}", accept())]);
    world.plays("UploadArchive: {vault: v, archive: a, content: {pattern: 1}}");
    world.expects_rows(&[(
        "DV-NONEMPTY-001",
        "DeleteVault: {vault: v}",
        refuse(R::VaultNotEmpty),
    )]);
    world.plays("DeleteArchive: {vault: v, archive: a}");
    // Until its next inventory the vault may count as not empty.
    world.expects_rows(&[(
        "DV-NONEMPTY-003",
        "DeleteVault: {vault: v}",
        either(R::VaultRecentlyWritten),
    )]);
}

/// DV-STATUS-001 and DV-NONEMPTY-001 speak of archives alone.
#[test]
fn what_an_open_upload_does_to_a_deletion_no_page_says() {
    let mut world = World::after(&[
        "CreateVault: {vault: v}",
        "InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}",
    ]);
    let delete = "DeleteVault: {vault: v}";
    assert_eq!(world.expects(delete), silent());
    world.plays("UploadArchive: {vault: v, archive: a, content: {pattern: 1}}");
    assert_eq!(world.expects(delete), refuse(R::VaultNotEmpty));
    world.plays("DeleteArchive: {vault: v, archive: a}");
    assert_eq!(world.expects(delete), silent());
    world.plays("AbortMultipartUpload: {vault: v, upload: u}");
    assert_eq!(world.expects(delete), either(R::VaultRecentlyWritten));
}

#[test]
fn what_a_vault_held_does_not_survive_its_deletion() {
    let world = World::after(&[
        "CreateVault: {vault: v}",
        "AddTagsToVault: {vault: v, body: {Tags: {k: v}}}",
        "SetVaultAccessPolicy: {vault: v, body: {Policy: '{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"glacier:*\",\"Resource\":\"*\"}}'}}",
        "DeleteVault: {vault: v}",
        "CreateVault: {vault: v}",
    ]);
    world.expects_rows(&[(
        "DV-POLICY-001",
        "GetVaultAccessPolicy: {vault: v}",
        refuse(R::NoAccessPolicy),
    )]);
    assert!(world.model.vaults["v"].tags.is_empty(), "DV-POLICY-002");
}

#[test]
fn creating_a_vault_again_changes_nothing() {
    let mut world = World::after(&[
        "CreateVault: {vault: v}",
        "UploadArchive: {vault: v, archive: a, content: {pattern: 1}}",
    ]);
    let before = world.model.vaults["v"].created;
    world.plays("CreateVault: {vault: v}");
    assert_eq!(world.model.vaults["v"].created, before, "CV-IDEM-002");
    assert_eq!(world.model.live_archives().count(), 1, "CV-IDEM-002");
}
