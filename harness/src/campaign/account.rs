//! What belongs to the account is left as it was found, and what cannot be undone is asked for only where it may be.

use std::collections::BTreeSet;

use crevasse_core::scenario::{Action, Need, Scenario, Step};
use crevasse_core::spec::OperationName;

use super::Plan;
use crate::execute::Hand;
use crate::journal::{Line, Resource};

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

/// The data retrieval policy of the account, where one of these scenarios is going to change it. The journal keeps it until it is put
/// back, however the run ends.
pub(crate) async fn retrieval_policy(hand: &Hand, scenarios: &[&Scenario]) -> Option<Resource> {
    let mut asked = scenarios.iter().map(|it| irreversible(&it.steps));
    if !asked.any(|asked| asked.contains(&OperationName::SetDataRetrievalPolicy)) {
        return None;
    }
    let answer = hand.ask(&Action::GetDataRetrievalPolicy {}).await?;
    let policy = answer
        .body
        .json()
        .filter(|policy| answer.is_success() && policy.is_object())?;
    let former = Resource::retrieval_policy(&policy);
    hand.tell_journal(&Line::Intent(former.clone()));
    Some(former)
}

/// Puts the policy back that was there before.
pub(crate) async fn restore(hand: &Hand, former: Option<Resource>) {
    if let Some(policy) = former {
        hand.remove(&[policy]).await;
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
