//! What a plan would do, found out by playing it to a right server in this process: nothing is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use crevasse_core::prices::Usage;
use crevasse_reference::{Options, Service};

use super::{CannotBegin, Earlier, Plan, run};
use crate::event::{Event, Phase, Progress};
use crate::execute::transport::Arm;
use crate::execute::{Hand, Pace, Stop, Target};
use crate::journal::Journal;

/// What a plan would do.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// Cases run.
    pub cases: usize,
    /// What they use of the target, clean-up included; what it takes to try deviations again is not.
    pub usage: Usage,
    /// Why scenarios are left out, and how many.
    pub left_out: BTreeMap<String, usize>,
}

/// Plays a plan to a right server. `tell` hears how far it is.
///
/// # Errors
/// When the server does not answer, which it does.
pub async fn rehearse(
    plan: &Plan,
    target: &Target,
    jobs: usize,
    tell: &mut dyn FnMut(Progress),
) -> Result<Rehearsal, CannotBegin> {
    let keys = target.credentials.clone();
    let service = Service::new(Options {
        job_delay: Duration::ZERO,
        // Off loopback signatures are taken to matter, as they do on Amazon.
        require_auth: keys.filter(|_| !target.is_loopback()),
        ..Options::default()
    });
    let hand = Hand::new(
        target.clone(),
        Arm::in_process(move |request| service.exchange(request)),
        plan.spec.clone(),
        Pace::new(jobs, None),
        Journal::discarding(),
        "crevasse-rehearse".to_owned(),
    );
    let plan = Plan {
        max_time: None,
        max_fail: None,
        reproduce: false,
        ..plan.clone()
    };
    let mut rehearsal = Rehearsal::default();
    let mut listen = |event: Event| match event {
        Event::Skipped { reason, .. } => *rehearsal.left_out.entry(reason).or_default() += 1,
        Event::Progress(progress) => tell(Progress {
            phase: Phase::Rehearsing,
            ..progress
        }),
        _ => {}
    };
    let stop = Stop::default();
    let found = run(hand.clone(), &plan, Earlier::default(), &stop, &mut listen).await?;
    rehearsal.cases = found.cases;
    rehearsal.usage = hand.usage();
    Ok(rehearsal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Terms;
    use crate::generate::{Planned, planned};
    use crate::scenarios;
    use crevasse_core::scenario::{Need, Profile};
    use crevasse_core::spec::Spec;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    fn plan() -> Plan {
        let written = scenarios::written().iter();
        let written = written.filter(|scenario| scenario.profile == Profile::Quick);
        Plan {
            spec: Arc::new(Spec::builtin().clone()),
            scenarios: written
                .cloned()
                .map(Planned::from)
                .chain(planned(1, 3))
                .collect(),
            needs: BTreeSet::from([Need::Exclusive, Need::Irreversible]),
            in_flight: 32,
            max_time: None,
            max_fail: None,
            terms: Terms::default(),
            reproduce: true,
            shrink_time: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn a_rehearsal_counts_the_requests_of_the_run_within_five_percent() {
        let (plan, target) = (plan(), Target::new("http://127.0.0.1:9").unwrap());
        let planned = rehearse(&plan, &target, 8, &mut |_| ())
            .await
            .unwrap()
            .usage;
        let service = Service::new(Options::default());
        let hand = Hand::new(
            target,
            Arm::in_process(move |request| service.exchange(request)),
            plan.spec.clone(),
            Pace::new(8, None),
            Journal::discarding(),
            "crevasse-t".to_owned(),
        );
        let (stop, earlier) = (Stop::default(), Earlier::default());
        let found = run(hand, &plan, earlier, &stop, &mut |_| ()).await;
        let used = found.unwrap().requests.planned;
        let planned = planned.total() - planned.polls;
        assert!(planned > 500, "{planned}");
        assert!(
            planned.abs_diff(used) * 20 <= used,
            "{planned} planned, {used} used"
        );
    }
}
