//! One scenario played again by itself, as a run or a night would play it: who is there is found out first, and answers that never
//! came are looked for too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crevasse_core::check::{Judgement, Record};
use crevasse_core::scenario::Scenario;
use crevasse_core::spec::Spec;

use crate::campaign::{CannotBegin, Plan, Stop, account, meet};
use crate::event::Terms;
use crate::execute::Hand;
use crate::fuzz::every_judgement;

/// What playing a scenario again showed.
#[derive(Debug)]
pub struct Replayed {
    /// What was sent and what came, step by step.
    pub records: Vec<Record>,
    /// What the rules say of it, failures to answer included.
    pub judgements: Vec<Judgement>,
}

/// Plays a scenario on fresh resources and judges it.
///
/// # Errors
/// When the target cannot be reached at all or does not know our keys; nothing was played then.
pub async fn replay(
    hand: Hand,
    spec: &Arc<Spec>,
    scenario: Scenario,
) -> Result<Replayed, CannotBegin> {
    let plan = Plan {
        spec: Arc::clone(spec),
        scenarios: Vec::new(),
        needs: BTreeSet::new(),
        in_flight: 1,
        max_time: None,
        max_fail: None,
        terms: Terms::default(),
        reproduce: false,
        shrink_time: Duration::ZERO,
    };
    let (judge, _) = meet(hand.clone(), &plan, &Stop::default()).await?;
    let former = account::retrieval_policy(&hand, &[&scenario]).await;
    let case = judge.run("replay".to_owned(), scenario).await;
    account::restore(&hand, former).await;
    Ok(Replayed {
        judgements: every_judgement(&case),
        records: case.records,
    })
}
