use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::execute::transport::Arm;
use crate::execute::{Pace, Target};
use crate::journal::Journal;
use crevasse_core::sigv4::Credentials;
use crevasse_core::treehash::sha256;
use crevasse_core::wire::{Headers, ObservedBody, Request, Response, TransportFault};
use crevasse_reference::{Options, Service};

fn hand(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Hand {
    hand_at(Target::new("http://127.0.0.1:9").unwrap(), answer)
}

fn hand_at(target: Target, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Hand {
    let spec = Arc::new(Spec::builtin().clone());
    let (pace, prefix) = (Pace::new(4, None), "crevasse-x7k2p9".to_owned());
    Hand::new(
        target,
        Arm::in_process(answer),
        spec,
        pace,
        Journal::discarding(),
        prefix,
    )
}

fn plan(steps: &[&str]) -> Plan {
    plan_of("[]", steps)
}

/// The same of scenarios that need something.
fn plan_of(needs: &str, steps: &[&str]) -> Plan {
    let scenario = |(place, steps): (usize, &&str)| {
        let head = format!("id: case-{place}\ntitle: t\nneeds: {needs}");
        Planned::from(Scenario::parse(&format!("{head}\nsteps:\n{steps}")).unwrap())
    };
    Plan {
        spec: Arc::new(Spec::builtin().clone()),
        scenarios: steps.iter().enumerate().map(scenario).collect(),
        needs: BTreeSet::from([Need::Exclusive, Need::Irreversible]),
        in_flight: 8,
        max_time: None,
        max_fail: None,
        terms: Terms::default(),
        reproduce: true,
        shrink_time: Duration::from_secs(5),
    }
}

const TWO: &[&str] = &[
    "- CreateVault: {vault: v}\n- DescribeVault: {vault: v}\n- DeleteVault: {vault: v}\n",
    "- CreateVault: {vault: v}\n- AddTagsToVault: {vault: v, body: {Tags: {a: b}}}\n- ListTagsForVault: {vault: v}\n",
];

async fn run_on(hand: Hand, plan: &Plan) -> (Result<Found, CannotBegin>, Vec<Event>) {
    let mut events = Vec::new();
    let found = run(
        hand,
        plan,
        Earlier::default(),
        &Stop::default(),
        &mut |event| events.push(event),
    )
    .await;
    (found, events)
}

fn page(status: u16, body: &str) -> Reply {
    Reply::Response(Response {
        status,
        headers: Headers(vec![("content-type".to_owned(), "text/html".to_owned())]),
        body: ObservedBody {
            length: body.len() as u64,
            sha256: sha256(body.as_bytes()),
            tree_hash: sha256(body.as_bytes()),
            leaves: vec![sha256(body.as_bytes())],
            prefix: body.as_bytes().into(),
        },
    })
}

#[tokio::test]
async fn the_reference_conforms_and_is_left_as_it_was() {
    let service = Service::new(Options::default());
    let hand = hand(move |request| service.exchange(request));
    let (found, events) = run_on(hand.clone(), &plan(TWO)).await;
    let found = found.unwrap();
    assert!(
        found.ledger.deviations.is_empty(),
        "{:?}",
        found.ledger.deviations
    );
    assert!(found.ledger.tallies.values().any(|tally| tally.held > 0));
    assert!(found.complete && found.faults.is_empty() && found.leaks.is_empty());
    assert!(
        found
            .capabilities
            .iter()
            .all(|capability| capability.supported)
    );
    assert_eq!(found.learned.account.as_deref(), Some("123456789012"));
    assert!(matches!(events.last(), Some(Event::RunFinished(end)) if end.complete));
}

#[tokio::test]
async fn the_account_of_a_target_that_does_not_tell_it_is_the_one_that_was_said() {
    let mut target = Target::new("http://127.0.0.1:9").unwrap();
    target.account = Some("111122223333".to_owned());
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let hand = hand_at(target, move |request| {
        let told = request.path.starts_with("/111122223333/vaults/");
        seen.fetch_add(usize::from(told), Ordering::Relaxed);
        page(200, "nothing")
    });
    let written = "- CreateVault: {vault: v}\n  but: {account: numeric}\n";
    run_on(hand, &plan(&[written])).await.0.unwrap();
    assert!(asked.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_plain_file_server_supports_nothing_and_deviates_in_nothing() {
    let hand = hand(|request| match request.method.as_str() {
        "GET" => page(404, "<!DOCTYPE html><title>404</title>"),
        _ => page(501, "<!DOCTYPE html><title>501</title>"),
    });
    let (found, _) = run_on(hand, &plan(TWO)).await;
    let found = found.unwrap();
    assert!(
        found.capabilities.iter().all(|known| !known.supported),
        "{:?}",
        found.capabilities
    );
    assert!(found.ledger.deviations.is_empty());
}

#[tokio::test]
async fn a_target_that_is_not_there_is_no_finding() {
    let hand = hand(|_| {
        Reply::Fault(TransportFault {
            kind: FaultKind::Unreachable,
            detail: "connection refused".to_owned(),
            partial: None,
        })
    });
    let (found, _) = run_on(hand, &plan(TWO)).await;
    assert!(
        found
            .unwrap_err()
            .to_string()
            .contains("connection refused")
    );
}

#[tokio::test]
async fn a_server_that_knows_other_keys_is_not_judged() {
    let keys = |id: &str| {
        Some(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
        })
    };
    let service = Service::new(Options {
        require_auth: keys("AKIDTHEIRS"),
        ..Options::default()
    });
    let (mut target, spec) = (Target::new("http://127.0.0.1:9").unwrap(), Spec::builtin());
    target.credentials = keys("AKIDOURS");
    let hand = Hand::new(
        target,
        Arm::in_process(move |request| service.exchange(request)),
        Arc::new(spec.clone()),
        Pace::new(4, None),
        Journal::discarding(),
        "crevasse-x7k2p9".to_owned(),
    );
    let (found, events) = run_on(hand, &plan(TWO)).await;
    let why = found.unwrap_err();
    assert!(
        matches!(&why, CannotBegin::NotLetIn { answer, .. } if answer.starts_with("400 UnrecognizedClientException to a")),
        "{why}"
    );
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::CaseJudged(_)))
    );
}

#[tokio::test]
async fn a_deviation_is_tried_again_and_made_small() {
    let service = Service::new(Options::default());
    let hand = hand(move |request| match service.exchange(request) {
        Reply::Response(mut response) if request.method == "DELETE" && response.status == 204 => {
            response.status = 200;
            Reply::Response(response)
        }
        reply => reply,
    });
    let (found, events) = run_on(hand, &plan(TWO)).await;
    let found = found.unwrap();
    let deleted = found
        .ledger
        .deviations
        .values()
        .find(|known| known.operation == Some(OperationName::DeleteVault))
        .unwrap();
    let again = &found.reproductions[&deleted.fingerprint];
    assert_eq!(again.times.to_string(), "3/3");
    assert!(
        again.sight.scenario.steps.len() < 3,
        "{:?}",
        again.sight.scenario
    );
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Reproduced {
            seen: 3,
            tried: 3,
            ..
        }
    )));
}

#[tokio::test]
async fn what_happens_once_alone_is_flaky() {
    let service = Service::new(Options::default());
    let hand = hand(move |request| match service.exchange(request) {
        Reply::Response(mut response)
            if request.method == "DELETE" && request.path.ends_with("case-0-v") =>
        {
            response.status = 500;
            Reply::Response(response)
        }
        reply => reply,
    });
    let (found, _) = run_on(hand, &plan(TWO)).await;
    let found = found.unwrap();
    assert!(!found.flaky.is_empty() && found.reproductions.is_empty());
    assert!(
        found
            .flaky
            .values()
            .all(|doubt| doubt.why.starts_with("flaky 0/30"))
    );
}

#[tokio::test]
async fn a_run_that_has_seen_enough_cuts_short_what_waits_and_leaves_nothing() {
    let service = Service::new(Options {
        job_delay: Duration::from_secs(3600),
        ..Options::default()
    });
    let is_case = |request: &Request| request.path.contains("case-0-v");
    let hand = hand(move |request| match service.exchange(request) {
        Reply::Response(mut response) if request.method == "PUT" && is_case(request) => {
            response.status = 200;
            Reply::Response(response)
        }
        reply => reply,
    });
    let waits = "- CreateVault: {vault: v}\n- InitiateJob: {vault: v, job: j, body: {Type: inventory-retrieval}}\n- AwaitJob: {vault: v, job: j}\n";
    let plan = Plan {
        max_fail: Some(1),
        reproduce: false,
        ..plan(&[TWO[0], waits])
    };
    let found = run_on(hand, &plan).await.0.unwrap();
    assert_eq!(found.cases, 2);
    assert!(!found.complete && !found.interrupted);
    assert_eq!(
        (found.unresolved, found.waiting),
        (0, 0),
        "the job is not waited for"
    );
    assert!(found.leaks.is_empty(), "{:?}", found.leaks);
}

#[tokio::test]
async fn who_lets_us_do_nothing_is_not_judged() {
    let hand = hand(|_| {
        match page(
            403,
            r#"{"code":"AccessDeniedException","message":"no","type":"Client"}"#,
        ) {
            Reply::Response(mut response) => {
                response.headers = Headers(vec![(
                    "content-type".to_owned(),
                    "application/json".to_owned(),
                )]);
                Reply::Response(response)
            }
            fault => fault,
        }
    });
    let why = run_on(hand, &plan(TWO)).await.0.unwrap_err();
    assert!(
        matches!(&why, CannotBegin::NotLetIn { answer, .. } if answer == "403 AccessDeniedException to whatever was asked for"),
        "{why}"
    );
}

#[tokio::test]
async fn what_happens_now_and_then_is_a_finding_when_it_came_thrice() {
    let (service, deletions) = (Service::new(Options::default()), AtomicUsize::new(0));
    let hand = hand(move |request| {
        let is_fifth = request.method == "DELETE"
            && request.path.contains("case-0")
            && deletions.fetch_add(1, Ordering::SeqCst) % 5 == 0;
        match service.exchange(request) {
            Reply::Response(mut response) if is_fifth => {
                response.status = 200;
                Reply::Response(response)
            }
            reply => reply,
        }
    });
    let (found, _) = run_on(hand, &plan(TWO)).await;
    let found = found.unwrap();
    assert!(found.flaky.is_empty(), "{:?}", found.flaky);
    let times = found.reproductions.values().map(|again| again.times);
    assert!(
        times
            .clone()
            .all(|times| times.seen == 3 && (10..20).contains(&times.tried)),
        "{:?}",
        times.collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn an_interrupted_run_ends_soon_and_says_so() {
    let service = Service::new(Options::default());
    let hand = hand(move |request| service.exchange(request));
    let stop = Stop::default();
    let user = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        user.ask();
    });
    let plan = plan(&[
        "- CreateVault: {vault: v}\n- Pause: {millis: 3600000}\n- DescribeVault: {vault: v}\n",
    ]);
    let found = run(hand, &plan, Earlier::default(), &stop, &mut |_| ())
        .await
        .unwrap();
    assert!(found.interrupted && !found.complete && found.leaks.is_empty());
}

#[tokio::test]
async fn a_panic_of_ours_in_a_case_that_runs_alone_ends_that_case_only() {
    let service = Service::new(Options::default());
    let hand = hand(move |request| {
        assert!(!request.path.contains("case-0"), "a mistake of ours");
        service.exchange(request)
    });
    let plan = plan_of("[exclusive]", TWO);
    let (found, _) = run_on(hand, &plan).await;
    let found = found.unwrap();
    assert_eq!((found.cases, found.faults.len()), (1, 1));
}

#[tokio::test]
async fn the_retrieval_policy_is_as_it_was_after_deviations_were_tried_again() {
    let service = Arc::new(Service::new(Options::default()));
    let served = Arc::clone(&service);
    let hand = hand(move |request| match served.exchange(request) {
        Reply::Response(mut response) if request.method == "PUT" && response.is_success() => {
            response.status = 299;
            Reply::Response(response)
        }
        reply => reply,
    });
    let policy = async || {
        let asked = hand.ask(&Action::GetDataRetrievalPolicy {}).await;
        asked.and_then(|answer| answer.body.json())
    };
    let before = policy().await;
    let steps = "- SetDataRetrievalPolicy: {body: {Policy: {Rules: [{Strategy: None}]}}}\n";
    let plan = plan_of("[exclusive]", &[steps]);
    let (found, _) = run_on(hand.clone(), &plan).await;
    assert!(!found.unwrap().reproductions.is_empty());
    assert!(before.is_some());
    assert_eq!(policy().await, before);
}

#[tokio::test]
async fn what_cannot_be_undone_is_left_out_where_it_is_not_allowed() {
    let service = Service::new(Options::default());
    let asked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&asked);
    let hand = hand(move |request| {
        if request.method == "PUT" && request.path.ends_with("/data-retrieval") {
            seen.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        service.exchange(request)
    });
    let mut plan =
        plan(&["- SetDataRetrievalPolicy: {body: {Policy: {Rules: [{Strategy: FreeTier}]}}}\n"]);
    plan.needs.remove(&Need::Irreversible);
    let (found, events) = run_on(hand, &plan).await;
    assert_eq!(found.unwrap().cases, 0);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Skipped { .. }))
    );
    assert!(!asked.load(std::sync::atomic::Ordering::Relaxed));
}
