//! How many generated cases a second the harness runs and judges: on the reference server in this process, and over loopback HTTP.
//!
//! Run with `cargo bench -p crevasse --bench cases`. Jobs take no time here, so that nothing waits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crevasse::campaign::{self, Earlier, Plan, Stop};
use crevasse::event::Terms;
use crevasse::execute::transport::Arm;
use crevasse::execute::{Hand, Pace, Target};
use crevasse::generate::planned;
use crevasse::journal::Journal;
use crevasse_core::scenario::Need;
use crevasse_core::spec::Spec;
use crevasse_reference::{Options, Service, serve};

const ROUNDS: usize = 5;
const CASES: usize = 300;

#[tokio::main]
async fn main() {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let target = Target::new("http://127.0.0.1:1").expect("an endpoint");
        let service = service();
        let arm = Arm::in_process(move |request| service.exchange(request));
        here.push(cases_a_second(target, arm).await);

        let free = ([127, 0, 0, 1], 0).into();
        let server = serve(self::service(), free).await.expect("a free port");
        let target = Target::new(&format!("http://{}", server.address)).expect("an endpoint");
        let arm = Arm::network(&target).expect("plain HTTP needs no certificates");
        there.push(cases_a_second(target, arm).await);
    }
    println!("in process: {:.0} cases/s", median(here));
    println!("over loopback HTTP: {:.0} cases/s", median(there));
}

fn service() -> Service {
    Service::new(Options {
        job_delay: Duration::ZERO,
        ..Options::default()
    })
}

async fn cases_a_second(target: Target, arm: Arm) -> f64 {
    let spec = Arc::new(Spec::builtin().clone());
    let hand = Hand::new(
        target,
        arm,
        Arc::clone(&spec),
        Pace::new(8, None),
        Journal::discarding(),
        "crevasse-bench".to_owned(),
    );
    let plan = Plan {
        spec,
        scenarios: planned(1, CASES as u64).collect(),
        needs: BTreeSet::from([Need::Exclusive, Need::Irreversible, Need::Regions]),
        in_flight: 96,
        max_time: None,
        max_fail: None,
        terms: Terms::default(),
        reproduce: false,
        shrink_time: Duration::ZERO,
    };
    let begun = Instant::now();
    let found = campaign::run(
        hand,
        &plan,
        Earlier::default(),
        &Stop::default(),
        &mut |_| {},
    )
    .await;
    assert_eq!(found.map(|found| found.cases), Ok(CASES));
    CASES as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
