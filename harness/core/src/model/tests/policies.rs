//! What policies deny, and when two are the same.

use super::{World, accept, either, silent};
use crate::model::{Refusal as R, equivalent_policies};

/// A world with one archive, and an access policy of one statement.
fn under(statement: &str) -> World {
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let set =
        serde_json::json!({"SetVaultAccessPolicy": {"vault": "v", "body": {"Policy": policy}}});
    World::after(&[
        "CreateVault: {vault: v}",
        "AddTagsToVault: {vault: v, body: {Tags: {LegalHold: 'true'}}}",
        "UploadArchive: {vault: v, archive: a, content: {pattern: 1}}",
        &set.to_string(),
    ])
}

const DELETE: &str = "DeleteArchive: {vault: v, archive: a}";

/// The example of vault-lock-policy, "Deny Deletion Permissions for Archives Less Than 365 Days Old".
#[test]
fn archives_younger_than_a_year_may_be_kept_from_deletion() {
    let mut world = under(
        r#"{"Sid":"deny-based-on-archive-age","Principal":"*","Effect":"Deny","Action":"glacier:DeleteArchive",
            "Resource":["arn:aws:glacier:us-west-2:123456789012:vaults/v"],"Condition":{"NumericLessThan":{"glacier:ArchiveAgeInDays":"365"}}}"#,
    );
    world.expects_rows(&[
        (
            "VL-EFFECT-001 AP-EFFECT-001",
            DELETE,
            either(R::DeniedByPolicy),
        ),
        (
            "AP-EFFECT-001",
            "UploadArchive: {vault: v, archive: b, content: {pattern: 1}}",
            accept(),
        ),
        ("AP-EFFECT-001", "DescribeVault: {vault: v}", accept()),
    ]);
    world.later(366 * 86_400_000);
    assert_eq!(world.expects(DELETE), accept());
}

/// The example of vault-lock-policy, "Deny Deletion Permissions Based on a Tag".
#[test]
fn tags_decide_where_a_policy_says_so() {
    let held = r#"{"Principal":"*","Effect":"Deny","Action":["glacier:DeleteArchive"],"Resource":"*","Condition":{"StringLike":{"glacier:ResourceTag/LegalHold":["true",""]}}}"#;
    assert_eq!(under(held).expects(DELETE), either(R::DeniedByPolicy));
    assert_eq!(
        under(&held.replace("LegalHold", "Other")).expects(DELETE),
        accept()
    );
}

#[test]
fn a_statement_is_about_its_principals_actions_and_resources() {
    let statement = |principal: &str, action: &str, resource: &str, effect: &str| {
        format!(
            r#"{{"Principal":{principal},"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}"#
        )
    };
    let denied = either(R::DeniedByPolicy);
    for (principal, action, resource, effect, expected) in [
        (
            r#""*""#,
            "glacier:DeleteArchive",
            "*",
            "Deny",
            denied.clone(),
        ),
        (
            r#"{"AWS":"*"}"#,
            "glacier:Delete*",
            "${arn:v}",
            "Deny",
            denied.clone(),
        ),
        (
            r#"{"AWS":["012345678901"]}"#,
            "*",
            "arn:aws:glacier:*:*:vaults/?",
            "Deny",
            denied.clone(),
        ),
        (
            r#"{"AWS":"arn:aws:iam::${account}:root"}"#,
            "glacier:deletearchive",
            "*",
            "Deny",
            denied,
        ),
        // Another account, another action, another vault, and permission.
        (
            r#"{"AWS":"arn:aws:iam::999999999999:root"}"#,
            "glacier:*",
            "*",
            "Deny",
            accept(),
        ),
        (r#""*""#, "glacier:DeleteVault", "*", "Deny", accept()),
        (
            r#""*""#,
            "glacier:*",
            "arn:aws:glacier:us-east-1:012345678901:vaults/w",
            "Deny",
            accept(),
        ),
        (r#""*""#, "glacier:*", "*", "Allow", accept()),
        // A user may be the one that asks.
        (
            r#"{"AWS":"arn:aws:iam::012345678901:user/ann"}"#,
            "glacier:*",
            "*",
            "Deny",
            silent(),
        ),
    ] {
        let statement = statement(principal, action, resource, effect);
        assert_eq!(under(&statement).expects(DELETE), expected, "{statement}");
    }
}

#[test]
fn a_condition_that_is_not_known_here_leaves_it_open() {
    let open = r#"{"Principal":"*","Effect":"Deny","Action":"glacier:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}"#;
    assert_eq!(under(open).expects(DELETE), silent());
}

#[test]
fn nobody_is_said_to_be_locked_out_of_the_policies_themselves() {
    let world = under(r#"{"Principal":"*","Effect":"Deny","Action":"glacier:*","Resource":"*"}"#);
    assert_eq!(
        world.expects("DescribeVault: {vault: v}"),
        either(R::DeniedByPolicy)
    );
    assert_eq!(
        world.expects("DeleteVaultAccessPolicy: {vault: v}"),
        silent()
    );
}

/// The canonical forms that GVL-POLICY-001 and GAP-STATUS-001 name, and IAM's other usual ones.
#[test]
fn policies_are_the_same_whatever_their_form() {
    let one = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":["arn:aws:iam::012345678901:root"]},
        "Action":["glacier:A","glacier:B"],"Resource":"r","Condition":{"NumericLessThan":{"k":"365"}}}]}"#;
    let same = [
        one.replace(r#"["arn:aws:iam::012345678901:root"]"#, r#""012345678901""#),
        one.replace(r#""Resource":"r""#, r#""Resource":["r"]"#),
        one.replace(
            r#"["glacier:A","glacier:B"]"#,
            r#"["glacier:B","glacier:A"]"#,
        ),
        one.replace(r#""365""#, "365"),
        one.replace("[{", "{").replace("}]", "}"),
    ];
    for other in &same {
        assert!(equivalent_policies(one, other), "{other}");
    }
    for other in [
        one.replace("Deny", "Allow"),
        one.replace("365", "366"),
        one.replace("glacier:B", "glacier:C"),
    ] {
        assert!(!equivalent_policies(one, &other), "{other}");
    }
    let anybody = r#"{"Statement":{"Effect":"Deny","Principal":"*"}}"#;
    assert!(equivalent_policies(
        anybody,
        &anybody.replace(r#""*""#, r#"{"AWS":"*"}"#)
    ));
    assert!(!equivalent_policies(anybody, "nonsense"));
}
