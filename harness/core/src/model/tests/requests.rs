//! What is the same for all requests: version, signature, account, region, pages, JSON.

use super::{World, accept, either, refuse, silent};
use crate::model::{Expectation, Refusal as R};

fn world() -> World {
    World::after(&["CreateVault: {vault: v}"])
}

#[test]
fn the_version_header_is_required() {
    world().expects_rows(&[
        (
            "COM-VER-001",
            "{ListVaults: {}, but: {headers: {x-amz-glacier-version: 2012-06-01}}}",
            accept(),
        ),
        (
            "COM-VER-002",
            "{ListVaults: {}, but: {headers: {x-amz-glacier-version: ~}}}",
            refuse(R::VersionMissing),
        ),
        (
            "COM-VER-003",
            "{ListVaults: {}, but: {headers: {x-amz-glacier-version: 2011-01-01}}}",
            either(R::VersionUnknown),
        ),
    ]);
}

#[test]
fn signatures_and_accounts_count_where_they_are_enforced() {
    let mut enforcing = world();
    enforcing.model.enforces_signatures = true;
    let rows = [
        (
            "AUTH-SIG-001",
            "signing: wrong_service",
            refuse(R::SignatureInvalid),
        ),
        (
            "AUTH-SIG-002",
            "signing: flipped",
            refuse(R::SignatureInvalid),
        ),
        (
            "AUTH-SIG-003",
            "signing: absent",
            refuse(R::AuthenticationMissing),
        ),
        (
            "AUTH-SIG-004",
            "signing: unknown_key",
            refuse(R::KeyUnknown),
        ),
        (
            "AUTH-SIG-005",
            "signing: {skewed: -9223372036854775808}",
            refuse(R::SignatureExpired),
        ),
        ("COM-ACC-003", "account: foreign", refuse(R::AccountForeign)),
    ];
    for (requirement, twist, expected) in rows {
        let text = format!("{{ListVaults: {{}}, but: {{{twist}}}}}");
        assert_eq!(enforcing.expects(&text), expected, "{requirement}");
        assert_eq!(
            world().expects(&text),
            silent(),
            "{requirement} where nothing is enforced"
        );
    }
    for twist in [
        "signing: wrong_date",
        "signing: date_only",
        "account: numeric",
        "framing: upper_case_names",
    ] {
        let text = format!("{{ListVaults: {{}}, but: {{{twist}}}}}");
        assert_eq!(
            enforcing.expects(&text),
            accept(),
            "AUTH-DATE-001, AUTH-DATE-002, COM-ACC-002, COM-HDR-007: {twist}"
        );
    }
    let skewed = |seconds: i64| {
        enforcing.expects(&format!(
            "{{ListVaults: {{}}, but: {{signing: {{skewed: {seconds}}}}}}}"
        ))
    };
    assert_eq!(skewed(-240), accept(), "AUTH-SIG-005");
    assert!(
        skewed(600).refusals().contains(&R::SignatureExpired),
        "AUTH-SIG-005"
    );
}

/// CV-NAME-007: the same name in another region is another vault.
#[test]
fn what_happens_in_another_region_is_not_remembered() {
    let mut world = world();
    let elsewhere = "{DeleteVault: {vault: v}, but: {region: eu-west-1}}";
    assert_eq!(world.plays(elsewhere), silent());
    world.expects_rows(&[("CV-NAME-007", "DescribeVault: {vault: v}", accept())]);
    assert_eq!(
        world.plays("{DeleteVault: {vault: v}, but: {region: us-east-1}}"),
        accept()
    );
}

#[test]
fn a_limit_is_a_number_from_1_to_the_maximum() {
    let limited =
        |limit: &str| world().expects(&format!("ListVaults: {{page: {{limit: '{limit}'}}}}"));
    assert_eq!(limited("1"), accept(), "LV-LIMIT-002");
    assert_eq!(limited("10"), accept(), "LV-LIMIT-002");
    assert_eq!(limited("11"), either(R::LimitTooLarge), "COM-PAGE-006");
    let huge = "9".repeat(40);
    assert_eq!(limited(&huge), either(R::LimitTooLarge), "COM-PAGE-006");
    assert_eq!(limited("+5"), silent(), "COM-PAGE-005: a sign");
    for limit in ["0", "-1", "abc"] {
        assert_eq!(
            limited(limit),
            refuse(R::LimitInvalid),
            "COM-PAGE-005: {limit}"
        );
    }
    world().expects_rows(&[
        (
            "LJ-LIMIT-002",
            "ListJobs: {vault: v, page: {limit: '50'}}",
            accept(),
        ),
        (
            "COM-PAGE-006",
            "ListJobs: {vault: v, page: {limit: '51'}}",
            either(R::LimitTooLarge),
        ),
        (
            "COM-PAGE-005",
            "{ListVaults: {}, but: {query: {limit: none}}}",
            refuse(R::LimitInvalid),
        ),
        (
            "LV-MARKER-003",
            "ListVaults: {page: {marker: '='}}",
            accept(),
        ),
        (
            "COM-PAGE-007",
            "ListVaults: {page: {marker: '=garbage'}}",
            either(R::MarkerInvalid),
        ),
        (
            "COM-PAGE-007",
            "{ListVaults: {}, but: {query: {marker: garbage}}}",
            either(R::MarkerInvalid),
        ),
        (
            "COM-PAGE-002",
            "ListVaults: {page: {marker: previous}}",
            either(R::MarkerInvalid),
        ),
    ]);
}

#[test]
fn bodies_are_well_formed_objects_of_the_right_types() {
    let sent = |body: &str| world().expects(&format!("AddTagsToVault: {{vault: v, body: {body}}}"));
    assert_eq!(sent("'{'"), refuse(R::JsonMalformed), "COM-ERR-010");
    assert_eq!(sent("[]"), refuse(R::MemberOfWrongType));
    assert_eq!(sent("{Tags: [k]}"), refuse(R::MemberOfWrongType));
    assert_eq!(sent("{Tags: {k: 1}}"), refuse(R::MemberOfWrongType));
    assert_eq!(sent("{Tags: ~}"), refuse(R::TagsMissing), "IJ-BODY-004");
    let typed = "{AddTagsToVault: {vault: v, body: {Tags: {k: v}}}, but: {headers: {content-type: application/x-www-form-urlencoded}}}";
    assert_eq!(world().expects(typed), accept(), "IJ-BODY-003");
}

#[test]
fn what_no_document_speaks_of_is_nobodys_mistake() {
    for text in [
        "{DescribeVault: {vault: v}, but: {method: PATCH}}",
        "{DescribeVault: {vault: v}, but: {path: trailing_slash}}",
        "{UploadArchive: {vault: v, archive: a, content: {pattern: 9}}, but: {framing: half}}",
        "{CreateVault: {vault: v}, but: {body: '{}'}}",
        "Other: {method: GET, path: /nowhere}",
    ] {
        assert_eq!(world().expects(text), silent(), "{text}");
    }
}

/// Of several reasons none can be singled out.
#[test]
fn all_reasons_are_told_in_the_usual_order() {
    let text = "{UploadArchive: {vault: '?v', archive: a, content: {pattern: 9}, tree_hash: flipped}, but: {headers: {x-amz-glacier-version: ~}}}";
    let all = Expectation::Refuse(vec![
        R::VersionMissing,
        R::VaultUnknown,
        R::TreeHashMismatch,
    ]);
    assert_eq!(world().expects(text), all);
    // That nothing is in a vault that does not exist is no reason of its own.
    assert_eq!(
        world().expects("ListParts: {vault: '?v', upload: u}"),
        refuse(R::VaultUnknown)
    );
}
