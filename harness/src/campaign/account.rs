//! What belongs to the account is left as it was found, and what cannot be undone is asked for only where it may be.

use std::collections::BTreeSet;

use serde_json::Value;

use crevasse_core::scenario::{Action, JsonBody, Need, Scenario, Step};
use crevasse_core::spec::OperationName;

use super::Plan;
use crate::event::Leak;
use crate::execute::Hand;

impl Plan {
    /// Whether steps ask for nothing that cannot be undone or costs money, or the run may.
    pub(crate) fn allows(&self, steps: &[Step]) -> bool {
        self.needs.contains(&Need::Irreversible) || irreversible(steps).is_empty()
    }
}

/// The operations among these steps that cannot be undone or cost money.
pub fn irreversible(steps: &[Step]) -> BTreeSet<OperationName> {
    let of = |step: &Step| match &step.action {
        Action::CompleteVaultLock { .. }
        | Action::PurchaseProvisionedCapacity { .. }
        | Action::SetDataRetrievalPolicy { .. } => step.action.operation().into_iter().collect(),
        Action::Together { steps } => irreversible(steps),
        Action::During { slow, steps } => {
            &irreversible(std::slice::from_ref(&**slow)) | &irreversible(steps)
        }
        _ => BTreeSet::new(),
    };
    steps.iter().flat_map(of).collect()
}

/// The data retrieval policy of the account, where one of these scenarios is going to change it.
pub(crate) async fn retrieval_policy(hand: &Hand, scenarios: &[&Scenario]) -> Option<Value> {
    let mut asked = scenarios.iter().map(|it| irreversible(&it.steps));
    if !asked.any(|asked| asked.contains(&OperationName::SetDataRetrievalPolicy)) {
        return None;
    }
    let answer = hand.ask(&Action::GetDataRetrievalPolicy {}).await?;
    answer
        .body
        .json()
        .filter(|policy| answer.is_success() && policy.is_object())
}

/// Puts the policy back that was there before.
pub(crate) async fn restore(hand: &Hand, former: Option<Value>) {
    let Some(policy) = former else { return };
    let set = Action::SetDataRetrievalPolicy {
        body: JsonBody::Json(policy),
    };
    let answer = hand.ask(&set).await;
    if !answer.is_some_and(|answer| answer.is_success()) {
        hand.leak(Leak {
            kind: "policy".to_owned(),
            name: "data-retrieval".to_owned(),
            reason: "the target did not take its former data retrieval policy back".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_undone_is_found_inside_of_groups_too() {
        let text = "id: a\ntitle: t\nsteps:\n- Together: {steps: [{DescribeVault: {vault: v}}, {CompleteVaultLock: {vault: v, lock: l}}]}\n";
        let scenario = Scenario::parse(text).unwrap();
        assert_eq!(
            irreversible(&scenario.steps),
            BTreeSet::from([OperationName::CompleteVaultLock])
        );
        let harmless = Scenario::parse(&text.replace(
            "CompleteVaultLock: {vault: v, lock: l}",
            "GetVaultLock: {vault: v}",
        ))
        .unwrap();
        assert!(irreversible(&harmless.steps).is_empty());
    }
}
