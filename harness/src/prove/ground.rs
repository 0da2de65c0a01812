//! The servers a fault is tried on, and the run of the suite against one of them.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crevasse_core::scenario::{Need, Scenario};
use crevasse_core::spec::Spec;
use crevasse_reference::fault::Fault;
use crevasse_reference::{Options, Service, serve};

use crate::campaign::{self, Earlier, Plan, Stop};
use crate::event::Terms;
use crate::execute::transport::Arm;
use crate::execute::{Hand, Pace, Target, credentials};
use crate::found::Found;
use crate::generate::Planned;
use crate::journal::Journal;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ground {
    /// Called in process; lets everybody in.
    Open,
    /// Called in process; enforces signatures, and stands in a region of another partition.
    Guarded,
    /// The open server behind a socket, where requests really overlap and answers really break off.
    Socket,
}

/// How long a job is waited for: those of a right server here take a twentieth of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an answer is waited for, on however busy a machine.
const ANSWER: Duration = Duration::from_secs(10);

impl Ground {
    pub(super) const ALL: [Self; 3] = [Self::Open, Self::Guarded, Self::Socket];

    /// Runs scenarios against a server with these faults. With a `shrink_time` what deviates is tried again and made small.
    /// A fault may go as far as not answering at all; then nothing was found, and that is what is told.
    pub(super) async fn run(
        self,
        scenarios: &[Scenario],
        faults: Vec<&'static Fault>,
        shrink_time: Option<Duration>,
    ) -> Found {
        let service = Service::new(self.options(faults));
        if self != Self::Socket {
            let target = self.target("http://127.0.0.1:1");
            let arm = Arm::in_process(move |request| service.exchange(request));
            return self.campaign(target, arm, scenarios, shrink_time).await;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let Ok(server) = serve(service, address).await else {
            return Found::default();
        };
        let target = self.target(&format!("http://{}", server.address));
        let Ok(arm) = target.arm() else {
            return Found::default();
        };
        let found = self.campaign(target, arm, scenarios, shrink_time).await;
        server.stop().await;
        found
    }

    fn options(self, faults: Vec<&'static Fault>) -> Options {
        Options {
            faults,
            seed: Some(1),
            require_auth: (self == Self::Guarded).then(|| credentials(true)).flatten(),
            ..Options::default()
        }
    }

    fn target(self, endpoint: &str) -> Target {
        let mut target = Target::new(endpoint).expect("a loopback address is an endpoint");
        target.credentials = credentials(true);
        if self == Self::Guarded {
            "cn-north-1".clone_into(&mut target.region);
        }
        target.patience.standard = PATIENCE;
        target.patience.expedited = PATIENCE;
        target.patience.bulk = PATIENCE;
        target.limits.request = ANSWER;
        target.limits.idle = ANSWER;
        target
    }

    async fn campaign(
        self,
        target: Target,
        arm: Arm,
        scenarios: &[Scenario],
        shrink_time: Option<Duration>,
    ) -> Found {
        let spec = Arc::new(Spec::builtin().clone());
        let hand = Hand::new(
            target,
            arm,
            Arc::clone(&spec),
            Pace::new(64, None),
            Journal::discarding(),
            "crevasse-prove".to_owned(),
        );
        let plan = Plan {
            spec,
            scenarios: scenarios.iter().cloned().map(Planned::from).collect(),
            needs: BTreeSet::from([Need::Exclusive, Need::Irreversible, Need::Regions]),
            in_flight: 256,
            max_time: Some(Duration::from_secs(60)),
            max_fail: None,
            terms: Terms::default(),
            reproduce: shrink_time.is_some(),
            shrink_time: shrink_time.unwrap_or_default(),
        };
        let (earlier, stop) = (Earlier::default(), Stop::default());
        campaign::run(hand, &plan, earlier, &stop, &mut |_| {})
            .await
            .unwrap_or_default()
    }
}
