//! Conformance as a test target of somebody else's crate: one test per requirement under `cargo test` and `cargo nextest run`.
//!
//! # Ten lines
//!
//! `Cargo.toml` of the emulator. Profiles are not inherited from dependencies, so the last two lines keep a debug run short:
//! unoptimised, hashing alone takes minutes.
//!
//! ```toml
//! [dev-dependencies]
//! crevasse = { version = "0.1", default-features = false }
//!
//! [[test]]
//! name = "conformance"
//! harness = false
//!
//! [profile.dev.package."*"]
//! opt-level = 2
//! ```
//!
//! `tests/conformance.rs`, for a server that is a `tower` service such as a router of axum; no socket is opened:
//!
//! ```no_run
//! # mod my_emulator { pub fn router() -> axum::Router { axum::Router::new() } }
//! fn main() -> std::process::ExitCode {
//!     crevasse::conformance::Suite::service(my_emulator::router).main()
//! }
//! ```
//!
//! For other servers: [`Suite::at`] and [`Suite::at_async`] start one and say its URL, [`Suite::replies`] asks a function in this process.
//!
//! # What the tests are
//!
//! - One test for each of the requirements, named by topic and id: `output::GJO-RANGE-003`. The usual filters, `--skip`, `--exact` and `--list` work;
//!   `--list` starts no server.
//! - A requirement that is broken *fails*, and prints the finding as `crevasse run` does. SHOULD fails under [`Suite::strict`] only.
//! - One that is unsupported, inconclusive, untested or waived is *ignored*, with the reason. Whether it is shows only at run time: `cargo nextest` knows
//!   such tests from `--list` alone, and counts these as passed; their output has the reason.
//! - `baseline::stale` fails when an entry of the [`Suite::baseline`] matches nothing any more.
//! - `run::verified` fails when nothing was verified, or not all that was planned was run.
//! - A run in which every test was ignored fails: it says nothing about the server.
//!
//! All tests are read off one judged run, made when the first of them is asked for. Under nextest, which gives each test a process of its own, the first process
//! judges and the others read what it found; a lock in the temporary folder sees to that.
//!
//! # A baseline
//!
//! A YAML file of known deviations, each with its reason; `crevasse run --baseline-update` writes one, and it can be written by hand:
//!
//! ```yaml
//! - requirement: CV-IDEM-002
//!   reason: fixed in the next release
//! ```

mod cache;
mod outcome;
mod protocol;
mod server;

pub use server::Running;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use crevasse_core::baseline::Baseline;
use crevasse_core::filter::{Filter, Verdicts};
use crevasse_core::requirement::{Registry, RequirementId};
use crevasse_core::scenario::{Need, Profile};
use crevasse_core::wire::{Reply, Request};

use crate::campaign::Stop;
use crate::execute::Target;
use crate::execute::transport::RequestBody;
use crate::journal::Journal;
use crate::run::{Effort, Run, Wanted, keep, runs};
use crate::scenarios;

use outcome::Outcomes;
use server::{Approach, Server};

/// What a test target judges, and how.
///
/// ```no_run
/// use crevasse::conformance::Suite;
///
/// fn main() -> std::process::ExitCode {
///     Suite::at(|| "http://127.0.0.1:5000")
///         .only("op(InitiateJob) | op(GetJobOutput)")
///         .baseline("tests/known-deviations.yaml")
///         .main()
/// }
/// ```
#[derive(Debug)]
pub struct Suite {
    server: Server,
    filter: Option<String>,
    baseline: Option<PathBuf>,
    strict: bool,
    effort: Effort,
}

impl Suite {
    /// Judges a server on the network, which a closure starts, or knows. It is called once, when the first test needs it, and says the URL;
    /// beside it may be something to keep until the end, such as a guard that stops a process when it is dropped: see [`Running`].
    ///
    /// ```no_run
    /// use crevasse::conformance::Suite;
    ///
    /// struct Stop(std::process::Child);
    /// impl Drop for Stop {
    ///     fn drop(&mut self) {
    ///         let _ = self.0.kill();
    ///     }
    /// }
    ///
    /// fn main() -> std::process::ExitCode {
    ///     let start = || {
    ///         let server = std::process::Command::new("my-emulator").arg("--port=5001").spawn();
    ///         ("http://127.0.0.1:5001", Stop(server.expect("it starts")))
    ///     };
    ///     Suite::at(start).main()
    /// }
    /// ```
    pub fn at<R: Into<Running>>(start: impl FnOnce() -> R + 'static) -> Self {
        Self::new(Server::url(start))
    }

    /// The same with an `async` closure, called within a Tokio runtime that lives until the last test is over.
    ///
    /// ```no_run
    /// use crevasse::conformance::Suite;
    /// use crevasse_reference::{Options, Service, serve};
    ///
    /// fn main() -> std::process::ExitCode {
    ///     let start = async || {
    ///         let free = "127.0.0.1:0".parse().unwrap();
    ///         let server = serve(Service::new(Options::default()), free).await.unwrap();
    ///         (server.address, server)
    ///     };
    ///     Suite::at_async(start).main()
    /// }
    /// ```
    pub fn at_async<R: Into<Running>>(start: impl AsyncFnOnce() -> R + 'static) -> Self {
        Self::new(Server::url_async(start))
    }

    /// Judges a `tower` service in this process, such as a router of axum. The closure makes it, within a Tokio runtime.
    ///
    /// ```no_run
    /// use axum::{Router, routing::put};
    /// use crevasse::conformance::Suite;
    ///
    /// fn main() -> std::process::ExitCode {
    ///     Suite::service(|| Router::new().route("/{account}/vaults/{vault}", put(async || "made"))).main()
    /// }
    /// ```
    pub fn service<S, B>(make: impl FnOnce() -> S + 'static) -> Self
    where
        S: tower_service::Service<http::Request<RequestBody>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::new(Server::service(make))
    }

    /// Judges a function in this process, from request to reply. The closure makes it.
    ///
    /// ```no_run
    /// use crevasse::conformance::Suite;
    /// use crevasse_reference::{Options, Service};
    ///
    /// fn main() -> std::process::ExitCode {
    ///     let make = || {
    ///         let service = Service::new(Options::default());
    ///         move |request: &_| service.exchange(request)
    ///     };
    ///     Suite::replies(make).main()
    /// }
    /// ```
    pub fn replies<F>(make: impl FnOnce() -> F + 'static) -> Self
    where
        F: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        Self::new(Server::replies(make))
    }

    fn new(server: Server) -> Self {
        Self {
            server,
            filter: None,
            baseline: None,
            strict: false,
            effort: Effort::of(Profile::Standard),
        }
    }

    /// Changes where the run is aimed: account, region, keys, bounds.
    ///
    /// ```no_run
    /// # use crevasse::conformance::Suite;
    /// let suite = Suite::at(|| "http://127.0.0.1:5000").aim(|target| target.region = "eu-central-1".to_owned());
    /// ```
    pub fn aim(mut self, change: impl FnOnce(&mut Target) + 'static) -> Self {
        self.server.aim = Some(Box::new(change));
        self
    }

    /// Judges only the requirements that a filter selects, as `crevasse run -E` does.
    ///
    /// ```no_run
    /// # use crevasse::conformance::Suite;
    /// let suite = Suite::at(|| "http://127.0.0.1:5000").only("op(GetJobOutput) & level(must)");
    /// ```
    pub fn only(mut self, filter: &str) -> Self {
        self.filter = Some(filter.to_owned());
        self
    }

    /// Accepts the known deviations of a file. Its path is relative to the package, where `cargo test` runs.
    ///
    /// ```no_run
    /// # use crevasse::conformance::Suite;
    /// let suite = Suite::at(|| "http://127.0.0.1:5000").baseline("tests/known-deviations.yaml");
    /// ```
    pub fn baseline(mut self, path: impl Into<PathBuf>) -> Self {
        self.baseline = Some(path.into());
        self
    }

    /// Lets SHOULD fail like MUST.
    ///
    /// ```no_run
    /// # use crevasse::conformance::Suite;
    /// let suite = Suite::at(|| "http://127.0.0.1:5000").strict();
    /// ```
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Changes how much is done: profile, seed, generated cases, concurrent requests, time box.
    ///
    /// ```no_run
    /// # use crevasse::conformance::Suite;
    /// let suite = Suite::at(|| "http://127.0.0.1:5000").effort(|effort| effort.examples = 600);
    /// ```
    pub fn effort(mut self, change: impl FnOnce(&mut Effort)) -> Self {
        change(&mut self.effort);
        self
    }

    /// Does what the command line of a test target asks for, and says how it ended.
    ///
    /// ```no_run
    /// # use crevasse::conformance::Suite;
    /// let code: std::process::ExitCode = Suite::at(|| "http://127.0.0.1:5000").main();
    /// ```
    pub fn main(self) -> ExitCode {
        let arguments = match protocol::Arguments::parse(std::env::args().skip(1)) {
            Ok(arguments) => arguments,
            Err(message) => return protocol::refuse(&message),
        };
        // Under nextest most processes find the run judged, and need not even read the registry.
        if let Some(outcomes) = cache::known().filter(|_| !arguments.list) {
            return arguments.run(&outcomes.keys().cloned().collect(), |_| outcomes);
        }
        match self.tests() {
            Ok(tests) => {
                let names = tests.keys().cloned().collect();
                arguments.run(&names, |chosen| {
                    cache::once(|| self.outcomes(&tests, chosen))
                })
            }
            Err(message) => protocol::refuse(&message),
        }
    }

    /// The tests by name; the two that are about no requirement have none.
    fn tests(&self) -> Result<BTreeMap<String, Option<RequirementId>>, String> {
        let filter: Filter = match &self.filter {
            Some(text) => text
                .parse()
                .map_err(|error| format!("failed to use the filter {text}: {error}"))?,
            None => Filter::all(),
        };
        let requirements = Registry::builtin()
            .iter()
            .filter(|requirement| filter.selects(requirement, &Verdicts::new()));
        let mut tests: BTreeMap<String, Option<RequirementId>> = requirements
            .map(|requirement| (outcome::name(&requirement.id), Some(requirement.id.clone())))
            .collect();
        tests.insert(outcome::VERIFIED.to_owned(), None);
        if self.baseline.is_some() {
            tests.insert(outcome::STALE.to_owned(), None);
        }
        Ok(tests)
    }

    fn outcomes(
        self,
        tests: &BTreeMap<String, Option<RequirementId>>,
        chosen: &BTreeSet<String>,
    ) -> Outcomes {
        let wanted = wanted(tests, chosen);
        self.judge(wanted)
            .unwrap_or_else(|message| outcome::all_failed(tests.keys(), &message))
    }

    fn judge(self, wanted: Wanted) -> Result<Outcomes, String> {
        let baseline = self.known_deviations()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("failed to start: {error}"))?;
        let Approach {
            target,
            arm,
            running,
        } = self.server.approach(&runtime)?;
        let mut needs = BTreeSet::new();
        if target.is_loopback() {
            needs.insert(Need::Irreversible);
        }
        let mut run = Run::new(wanted, self.effort, target, needs);
        run.terms.strict = self.strict;
        run.terms.baseline = baseline;
        let journal = match &running {
            Some(_) => Journal::create(&runs().join(&run.started.run), &run.started)
                .map_err(|error| format!("failed to {error}"))?,
            // What is made in this process is gone with it.
            None => Journal::discarding(),
        };
        let stop = Stop::default();
        let mut judged = runtime
            .block_on(run.judge(arm, journal, &stop, &mut |_| {}))
            .map_err(|unreachable| format!("failed to {unreachable}"))?;
        let report = judged.report();
        keep(&runs(), &report).map_err(|error| format!("failed to keep the report: {error}"))?;
        let here = running.is_none();
        drop(running);
        Ok(outcome::outcomes(&report, &judged.found, here))
    }

    fn known_deviations(&self) -> Result<Baseline, String> {
        let Some(path) = &self.baseline else {
            return Ok(Baseline::default());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        Baseline::parse(&text).map_err(|error| format!("failed to {error} ({})", path.display()))
    }
}

/// What it takes to decide the chosen tests: as little as possible in a process that runs all of them, everything where others ask for the rest.
fn wanted(tests: &BTreeMap<String, Option<RequirementId>>, chosen: &BTreeSet<String>) -> Wanted {
    let of = |names: &mut dyn Iterator<Item = &String>| -> Option<BTreeSet<RequirementId>> {
        names.map(|name| tests[name].clone()).collect()
    };
    let covered: BTreeSet<&RequirementId> = scenarios::written()
        .iter()
        .flat_map(|scenario| &scenario.covers)
        .collect();
    let asked_for = of(&mut chosen.iter())
        .filter(|ids| !cache::is_shared() && ids.iter().all(|id| covered.contains(id)));
    let all = || tests.values().flatten().cloned().collect();
    Wanted {
        selected: asked_for.unwrap_or_else(all),
        ..Wanted::everything()
    }
}
