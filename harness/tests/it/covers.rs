//! The written scenarios on the reference server: every one makes apply what it says it is there for, and nothing deviates.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crevasse::event::Learned;
use crevasse::execute::{Hand, Pace, Target, credentials};
use crevasse::journal::Journal;
use crevasse::scenarios::written;
use crevasse_core::check::{Judgement, Outcome, judge};
use crevasse_core::model::Model;
use crevasse_core::requirement::{RequirementId, untested};
use crevasse_core::scenario::{Need, Scenario};
use crevasse_core::spec::Spec;
use crevasse_reference::{Options, Service, serve};
use tokio::task::JoinSet;

const ACCOUNT: &str = "123456789012";

/// What a scenario did not do that it is there for.
async fn shortcomings(hand: &Hand, scenario: &Scenario, start: &Model) -> Vec<String> {
    let records = hand.play(&scenario.id, scenario).await;
    let judged = judge(&records, Spec::builtin(), start);
    let deviates = |judgement: &Judgement| match &judgement.outcome {
        Outcome::Violated {
            expected, actual, ..
        } => Some(format!(
            "{}: {} deviates ({}): {expected} expected, {actual} came",
            scenario.id, judgement.requirement, judgement.check
        )),
        _ => None,
    };
    let held: BTreeSet<&RequirementId> = judged
        .judgements
        .iter()
        .filter(|judgement| judgement.outcome == Outcome::Held)
        .map(|judgement| &judgement.requirement)
        .collect();
    let idle = scenario
        .covers
        .iter()
        .filter(|id| !held.contains(id) && !untested().contains_key(*id))
        .map(|id| format!("{}: {id} did not apply", scenario.id));
    judged
        .judgements
        .iter()
        .filter_map(deviates)
        .chain(idle)
        .collect()
}

/// All scenarios that an open server, or one that enforces signatures, is fit for.
async fn all_shortcomings(enforces: bool) -> Vec<String> {
    let keys = credentials(true).expect("loopback endpoints have keys");
    let options = Options {
        require_auth: enforces.then(|| keys.clone()),
        // Long enough that what is asked of a job in progress comes before its end, however busy the machine.
        job_delay: Duration::from_millis(700),
        ..Options::default()
    };
    let address = "127.0.0.1:0".parse().unwrap();
    let server = serve(Service::new(options), address).await.unwrap();
    let mut target = Target::new(&format!("http://{}", server.address)).unwrap();
    target.credentials = Some(keys);
    let (arm, spec) = (target.arm().unwrap(), Arc::new(Spec::builtin().clone()));
    let pace = Pace::new(4, None);
    let hand = Hand::new(
        target,
        arm,
        spec,
        pace,
        Journal::discarding(),
        "it".to_owned(),
    );
    hand.learned(&Learned {
        account: Some(ACCOUNT.to_owned()),
        region: Some("us-east-1".to_owned()),
        enforces_signatures: enforces,
    });
    let start = Model {
        account: Some(ACCOUNT.to_owned()),
        region: Some("us-east-1".to_owned()),
        enforces_signatures: enforces,
        ..Model::default()
    };
    let fit = |scenario: &&Scenario| scenario.needs.contains(&Need::Signatures) == enforces;
    let (alone, together): (Vec<_>, Vec<_>) = written()
        .iter()
        .filter(fit)
        .partition(|scenario| scenario.needs.contains(&Need::Exclusive));
    // Most of the time is spent waiting for jobs; more at once would wait for each other.
    let (mut found, mut tasks) = (Vec::new(), JoinSet::new());
    for scenario in together {
        if tasks.len() == 8 {
            found.extend(tasks.join_next().await.unwrap().unwrap());
        }
        let (hand, start) = (hand.clone(), start.clone());
        tasks.spawn(async move { shortcomings(&hand, scenario, &start).await });
    }
    found.extend(tasks.join_all().await.concat());
    for scenario in alone {
        found.extend(shortcomings(&hand, scenario, &start).await);
    }
    found.sort();
    server.stop().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_shows_what_it_covers_and_nothing_deviates() {
    let found = all_shortcomings(false).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_about_signatures_shows_what_it_covers() {
    let found = all_shortcomings(true).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}
