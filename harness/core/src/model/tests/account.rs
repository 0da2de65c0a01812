//! The data retrieval policy and provisioned capacity.

use serde_json::json;

use super::{World, accept, either, refuse};
use crate::model::Refusal as R;

#[test]
fn a_retrieval_policy_has_one_rule_and_a_number_where_it_belongs() {
    let rows = [
        (
            "SDRP-STRAT-001",
            "Policy: {Rules: [{Strategy: FreeTier}]}",
            accept(),
        ),
        (
            "SDRP-STRAT-001",
            "Policy: {Rules: [{Strategy: None, BytesPerHour: ~}]}",
            accept(),
        ),
        (
            "SDRP-STRAT-002",
            "Policy: {Rules: [{Strategy: Cheap}]}",
            refuse(R::StrategyUnknown),
        ),
        (
            "SDRP-BPH-001",
            "Policy: {Rules: [{Strategy: BytesPerHour}]}",
            refuse(R::BytesPerHourMissing),
        ),
        (
            "SDRP-BPH-002",
            "Policy: {Rules: [{Strategy: None, BytesPerHour: 1}]}",
            refuse(R::BytesPerHourUnexpected),
        ),
        (
            "SDRP-BPH-003",
            "Policy: {Rules: [{Strategy: BytesPerHour, BytesPerHour: 1}]}",
            accept(),
        ),
        (
            "SDRP-BPH-003",
            "Policy: {Rules: [{Strategy: BytesPerHour, BytesPerHour: 9223372036854775807}]}",
            accept(),
        ),
        (
            "SDRP-BPH-003",
            "Policy: {Rules: [{Strategy: BytesPerHour, BytesPerHour: 0}]}",
            refuse(R::BytesPerHourInvalid),
        ),
        (
            "SDRP-BPH-003",
            "Policy: {Rules: [{Strategy: BytesPerHour, BytesPerHour: 9223372036854775808}]}",
            refuse(R::BytesPerHourInvalid),
        ),
        (
            "SDRP-MISS-001",
            "Policy: {Rules: [{Strategy: BytesPerHour, BytesPerHour: 1.5}]}",
            refuse(R::BytesPerHourInvalid),
        ),
        (
            "SDRP-RULES-001",
            "Policy: {Rules: []}",
            refuse(R::RuleCountInvalid),
        ),
        (
            "SDRP-RULES-001",
            "Policy: {Rules: [{Strategy: None}, {Strategy: None}]}",
            refuse(R::RuleCountInvalid),
        ),
        (
            "SDRP-MISS-001",
            "Policy: {}",
            refuse(R::RetrievalPolicyMissing),
        ),
        (
            "SDRP-MISS-001",
            "Other: ~",
            refuse(R::RetrievalPolicyMissing),
        ),
        (
            "SDRP-MISS-001",
            "Policy: {Rules: [{BytesPerHour: 1}]}",
            refuse(R::RetrievalPolicyMissing),
        ),
    ];
    for (requirement, body, expected) in rows {
        let text = format!("SetDataRetrievalPolicy: {{body: {{{body}}}}}");
        assert_eq!(
            World::new().expects(&text),
            expected,
            "{requirement}: {body}"
        );
    }
}

#[test]
fn without_a_limit_no_retrieval_is_refused_for_it() {
    let mut world = World::after(&[
        "CreateVault: {vault: v}",
        "UploadArchive: {vault: v, archive: a, content: {pattern: 1}}",
    ]);
    let retrieval = "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}";
    world.plays("SetDataRetrievalPolicy: {body: {Policy: {Rules: [{Strategy: FreeTier}]}}}");
    world.expects_rows(&[("IJ-POL-001", retrieval, either(R::PolicyEnforced))]);
    world.plays("SetDataRetrievalPolicy: {body: {Policy: {Rules: [{Strategy: None}]}}}");
    world.expects_rows(&[("IJ-POL-003", retrieval, accept())]);
}

#[test]
fn an_account_has_at_most_two_units_at_a_time() {
    let mut world = World::new();
    let buy = |unit: &str| format!("PurchaseProvisionedCapacity: {{unit: {unit}}}");
    // Units of before are not known of.
    assert_eq!(
        world.plays(&buy("x")),
        either(R::CapacityLimitExceeded),
        "PPC-STATUS-001"
    );
    let listed = json!({"ProvisionedCapacityList": [
        {"CapacityId": "id-of-x", "StartDate": "2016-11-24T15:06:40.000Z", "ExpirationDate": "2016-12-24T15:06:40.000Z"},
        {"CapacityId": "older", "StartDate": "2016-11-20T00:00:00.000Z", "ExpirationDate": "2016-12-20T00:00:00.000Z"},
    ]});
    world.answered("ListProvisionedCapacity: {}", 200, Some(listed));
    assert_eq!(
        world.expects(&buy("y")),
        refuse(R::CapacityLimitExceeded),
        "PPC-LIMIT-001"
    );
    world.later(27 * 86_400_000);
    assert_eq!(
        world.expects(&buy("y")),
        either(R::CapacityLimitExceeded),
        "PPC-LIMIT-001"
    );
}
