//! What belongs to the account: the data retrieval policy and provisioned capacity.

use serde_json::Value;

use super::{Reasons, document, member, text};
use crate::amz_date::Timestamp;
use crate::model::{Capacity, Model, Refusal};
use crate::scenario::{Action, JsonBody};

/// Units of provisioned capacity an account may hold.
const UNITS: usize = 2;

impl Model {
    pub(super) fn expect_account(&self, action: &Action, now: Timestamp, reasons: &mut Reasons) {
        match action {
            Action::SetDataRetrievalPolicy { body } => expect_retrieval_policy(body, reasons),
            Action::PurchaseProvisionedCapacity { .. } if self.units_at(now) >= UNITS => {
                reasons.must(Refusal::CapacityLimitExceeded);
            }
            // Units bought before this run are not known of, unless a list told.
            Action::PurchaseProvisionedCapacity { .. } => {
                reasons.may(Refusal::CapacityLimitExceeded);
            }
            _ => {}
        }
    }

    /// Units whose month is not over for certain.
    fn units_at(&self, now: Timestamp) -> usize {
        let active = |unit: &&Capacity| now < unit.bought.0.plus_month();
        self.capacity.values().filter(active).count()
    }
}

fn expect_retrieval_policy(body: &JsonBody, reasons: &mut Reasons) {
    let document = match document(body, Refusal::RetrievalPolicyMissing) {
        Ok(document) => document,
        Err(refusal) => return reasons.must(refusal),
    };
    let Some(policy) = member(&document, "Policy") else {
        return reasons.must(Refusal::RetrievalPolicyMissing);
    };
    if !policy.is_object() {
        return reasons.must(Refusal::MemberOfWrongType);
    }
    let Some(rules) = member(policy, "Rules") else {
        return reasons.must(Refusal::RetrievalPolicyMissing);
    };
    let Some(rules) = rules.as_array() else {
        return reasons.must(Refusal::MemberOfWrongType);
    };
    match rules.as_slice() {
        [rule] => expect_rule(rule, reasons),
        _ => reasons.must(Refusal::RuleCountInvalid),
    }
}

fn expect_rule(rule: &Value, reasons: &mut Reasons) {
    if !rule.is_object() {
        return reasons.must(Refusal::MemberOfWrongType);
    }
    let bytes = member(rule, "BytesPerHour");
    match text(rule, "Strategy", reasons) {
        None => reasons.must_when(
            member(rule, "Strategy").is_none(),
            Refusal::RetrievalPolicyMissing,
        ),
        Some("BytesPerHour") => match bytes {
            None => reasons.must(Refusal::BytesPerHourMissing),
            Some(bytes) => reasons.must_when(
                bytes.as_i64().is_none_or(|bytes| bytes <= 0),
                Refusal::BytesPerHourInvalid,
            ),
        },
        Some("FreeTier" | "None") => {
            reasons.must_when(bytes.is_some(), Refusal::BytesPerHourUnexpected);
        }
        Some(_) => reasons.must(Refusal::StrategyUnknown),
    }
}
