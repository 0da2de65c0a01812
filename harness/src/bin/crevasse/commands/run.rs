//! `crevasse run`: the main job.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use crevasse::campaign::{self, Found, Plan, Stop, Unreachable};
use crevasse::event::{Event, RunStarted, TargetFacts, Terms};
use crevasse::execute::{Hand, Pace, Target, credentials};
use crevasse::journal::{self, Journal};
use crevasse::report::Report;
use crevasse::report::assemble::assemble;
use crevasse::report::terminal::{Style, render};
use crevasse::report::{Format, write};
use crevasse::{exit, generate, scenarios};
use crevasse_core::amz_date::Timestamp;
use crevasse_core::baseline::Baseline;
use crevasse_core::filter::{Filter, Verdicts};
use crevasse_core::requirement::{Registry, RequirementId};
use crevasse_core::scenario::{Need, Profile, Scenario};
use crevasse_core::spec::{OperationName, Spec};

use super::load::load;
use super::progress::Line;
use super::serve::embedded;
use super::{Failure, read, reports, spec};
use crate::args::{Aim, Run};

pub(crate) fn run(args: &Run) -> anyhow::Result<u8> {
    let runtime = super::runtime(0)?;
    runtime.block_on(judge(args))
}

async fn judge(args: &Run) -> anyhow::Result<u8> {
    let wanted = Wanted::of(args)?;
    let outputs = reports::Outputs::parse(&args.report, args.report_dir.as_deref())?;
    let (target, _server) = match endpoint(&args.aim)? {
        Some(endpoint) => (aim(&args.aim, &endpoint)?, None),
        None => {
            let server = embedded().await?;
            (
                aim(&args.aim, &format!("http://{}", server.address))?,
                Some(server),
            )
        }
    };
    let reference = _server.is_some();
    let scenarios = wanted.scenarios(args);
    let plan = plan(args, &wanted, &target, reference, scenarios);
    let terms = Event::Terms(Box::new(terms(args, &wanted)?));
    let mut started = started(&target, &wanted.spec, args.seed(), args.jobs);
    started.profile = args.profile.into();
    let folder = runs(args.run_dir.as_deref()).join(&started.run);
    let journal = Journal::create(&folder, &started)
        .with_context(|| format!("failed to begin the journal in {}", folder.display()))?;
    journal.write(&journal::Line::Event(Box::new(terms.clone())))?;
    let rate = args.aim.rate_limit.as_deref().map(str::parse).transpose()?;
    let arm = target.arm()?;
    let hand = Hand::new(
        target,
        arm,
        Arc::clone(&wanted.spec),
        Pace::new(args.jobs, rate),
        journal,
        started.prefix.clone(),
    );
    let stop = Stop::default();
    interrupt(stop.clone());
    let mut line = Line::new(args.verbosity());
    let found = campaign::run(hand.clone(), &plan, &stop, &mut |event: Event| {
        line.follow(&event);
    })
    .await;
    line.clear();
    match found {
        Ok(mut found) => {
            found.follow(&terms);
            finish(args, &started, &mut found, &hand, &outputs)
        }
        Err(unreachable) => Err(gone(unreachable)),
    }
}

fn gone(unreachable: Unreachable) -> anyhow::Error {
    let hint = "is the server running, and is this the right port?";
    Failure {
        code: exit::UNREACHABLE,
        message: format!("failed to {unreachable}; {hint}"),
    }
    .into()
}

/// What is judged: specification, filter, baseline.
struct Wanted {
    spec: Arc<Spec>,
    selected: BTreeSet<RequirementId>,
    baseline: Baseline,
}

impl Wanted {
    fn of(args: &Run) -> anyhow::Result<Self> {
        let spec = match &args.spec {
            Some(path) => Arc::new(spec::load(path, args.spec_dir.as_deref())?),
            None => Arc::new(Spec::builtin().clone()),
        };
        let filter: Filter = args
            .filter
            .as_deref()
            .map_or(Ok(Filter::all()), str::parse)?;
        let verdicts = verdicts(args, &filter)?;
        let level = args.level.as_deref().map(str::parse).transpose()?;
        let chosen = Registry::builtin().iter().filter(|requirement| {
            filter.selects(requirement, &verdicts)
                && level.is_none_or(|level: crevasse_core::requirement::Level| {
                    requirement.level >= level
                })
        });
        let selected: BTreeSet<RequirementId> =
            chosen.map(|requirement| requirement.id.clone()).collect();
        if selected.is_empty() {
            bail!("the filter selects no requirement");
        }
        let baseline = match &args.baseline {
            Some(path) if path.exists() => Baseline::parse(&read(path)?)
                .with_context(|| format!("failed to use {}", path.display()))?,
            Some(path) if !args.baseline_update => bail!(
                "there is no baseline {}; --baseline-update writes one",
                path.display()
            ),
            _ => Baseline::default(),
        };
        Ok(Self {
            spec,
            selected,
            baseline,
        })
    }

    fn is_everything(&self) -> bool {
        self.selected.len() == Registry::builtin().len()
    }

    /// Scenarios that cover something wanted and use some operation that the specification defines, and the generated ones.
    fn scenarios(&self, args: &Run) -> Vec<Scenario> {
        let profile: Profile = args.profile.into();
        let wanted = |scenario: &&Scenario| {
            let covers =
                self.is_everything() || scenario.covers.iter().any(|id| self.selected.contains(id));
            scenario.profile <= profile && covers && self.touches(scenario)
        };
        let written = scenarios::written().iter().filter(wanted).cloned();
        let generated =
            generate::cases(args.seed(), args.examples()).filter(|scenario| self.touches(scenario));
        written.chain(generated).collect()
    }

    fn touches(&self, scenario: &Scenario) -> bool {
        let defined = |name: OperationName| self.spec.operations.contains_key(&name);
        scenario
            .steps
            .iter()
            .any(|step| operations(&step.action).into_iter().any(defined))
    }
}

/// The operations an action asks for, those inside of groups included.
fn operations(action: &crevasse_core::scenario::Action) -> Vec<OperationName> {
    use crevasse_core::scenario::Action as A;
    match action {
        A::AwaitJob { .. } => vec![OperationName::DescribeJob],
        A::Walk { list } => operations(list),
        A::Together { steps } => steps
            .iter()
            .flat_map(|step| operations(&step.action))
            .collect(),
        A::During { slow, steps } => steps
            .iter()
            .chain([&**slow])
            .flat_map(|step| operations(&step.action))
            .collect(),
        action => action.operation().into_iter().collect(),
    }
}

fn verdicts(args: &Run, filter: &Filter) -> anyhow::Result<Verdicts> {
    match &args.since {
        Some(path) => {
            let report = load(path)?.report;
            Ok(report
                .requirements
                .into_iter()
                .map(|facts| (facts.id, facts.verdict.as_str().to_owned()))
                .collect())
        }
        None if filter.needs_verdicts() => {
            bail!("verdict(…) asks for an earlier report: name it by --since REPORT.json")
        }
        None => Ok(Verdicts::new()),
    }
}

/// The endpoint to aim at. One from the environment is announced, and off loopback refused unless it is said on the command line too.
pub(crate) fn endpoint(aim: &Aim) -> anyhow::Result<Option<String>> {
    if let Some(endpoint) = &aim.endpoint {
        return Ok(Some(endpoint.clone()));
    }
    let Some(endpoint) = std::env::var("AWS_ENDPOINT_URL")
        .ok()
        .filter(|value| !value.is_empty())
    else {
        return Ok(None);
    };
    eprintln!("endpoint {endpoint}, from AWS_ENDPOINT_URL");
    if !Target::new(&endpoint)?.is_loopback() {
        bail!(
            "an endpoint off loopback is not taken from the environment alone; say --endpoint {endpoint} if it is meant"
        );
    }
    Ok(Some(endpoint))
}

/// The target as the command line and the environment describe it.
pub(crate) fn aim(aim: &Aim, endpoint: &str) -> anyhow::Result<Target> {
    let mut target = Target::new(endpoint)?;
    target.account = aim.account.clone();
    if let Some(region) = aim
        .region
        .clone()
        .or_else(|| std::env::var("AWS_REGION").ok())
    {
        target.region = region;
    }
    target.credentials = credentials(target.is_loopback());
    target.host_header = aim.host_header.clone();
    target.insecure = aim.insecure;
    target.cacert = aim.cacert.clone();
    target.limits.request = aim.request_timeout.0;
    target.limits.connect = aim.connect_timeout.0;
    Ok(target)
}

fn plan(
    args: &Run,
    wanted: &Wanted,
    target: &Target,
    reference: bool,
    scenarios: Vec<Scenario>,
) -> Plan {
    let mut needs = BTreeSet::from([Need::Exclusive]);
    if target.is_loopback() || !args.allow.is_empty() {
        needs.insert(Need::Irreversible);
    }
    if reference {
        needs.insert(Need::Regions);
    }
    Plan {
        spec: Arc::clone(&wanted.spec),
        scenarios,
        needs,
        in_flight: 96,
        max_time: args.max_time.map(|time| time.0),
        max_fail: args.max_fail.or(args.fail_fast.then_some(1)),
        reproduce: !args.no_reproduce,
        shrink_time: Duration::from_secs(20),
    }
}

/// Ctrl-C asks for the end; a second one leaves at once.
fn interrupt(stop: Stop) {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if stop.asked() {
                std::process::exit(i32::from(exit::INTERRUPTED));
            }
            eprintln!(
                "\ninterrupted: no case begins any more; what was made is removed. Once more leaves at once."
            );
            stop.ask();
        }
    });
}

/// Reports on what was found, under a baseline brought up to date where that is asked for.
fn finish(
    args: &Run,
    started: &RunStarted,
    found: &mut Found,
    hand: &Hand,
    outputs: &reports::Outputs,
) -> anyhow::Result<u8> {
    if let Some(path) = args.baseline.as_ref().filter(|_| args.baseline_update) {
        let baseline = updated(found);
        std::fs::write(path, baseline.to_yaml())
            .with_context(|| format!("failed to write {}", path.display()))?;
        let terms = Terms {
            baseline,
            ..found.terms.clone()
        };
        tell(hand, found, Event::Terms(Box::new(terms)));
    }
    if let Some(message) = hand.trouble() {
        found.follow(&Event::Fault {
            case: None,
            message,
        });
    }
    let report = assemble(started, found);
    keep(&runs(args.run_dir.as_deref()), &report)?;
    outputs.write(&report)?;
    let style = Style {
        color: args.color.on_stdout(),
        width: crate::text::width(),
        detail: args.verbosity(),
    };
    put!("{}", render(&report, style));
    Ok(report.summary.exit_code)
}

/// Adds to what was found what the command knows, and writes it down.
fn tell(hand: &Hand, found: &mut Found, event: Event) {
    found.follow(&event);
    hand.tell_journal(&journal::Line::Event(Box::new(event)));
}

/// The baseline that accepts what was found and repeats.
fn updated(found: &Found) -> Baseline {
    let accepted: Vec<_> = found
        .ledger
        .deviations
        .values()
        .filter(|deviation| !found.flaky.contains_key(&deviation.fingerprint))
        .collect();
    let terms = &found.terms;
    terms.baseline.updated(&accepted, &terms.today)
}

/// What a report of this run says and no exchange tells.
fn terms(args: &Run, wanted: &Wanted) -> anyhow::Result<Terms> {
    let left_out = wanted.spec.foreign.then(|| {
        format!(
            "{} items of {} took no part; `crevasse spec lint` names them",
            wanted.spec.dropped.len(),
            wanted.spec.name
        )
    });
    Ok(Terms {
        operations: wanted.spec.operations.keys().copied().collect(),
        selected: if wanted.is_everything() {
            BTreeSet::new()
        } else {
            wanted.selected.clone()
        },
        strict: args.strict,
        today: now().iso()[..10].to_owned(),
        baseline: wanted.baseline.clone(),
        target: target_facts(args)?,
        notes: left_out.into_iter().collect(),
    })
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetFile {
    label: String,
    #[serde(default)]
    version: Option<String>,
}

fn target_facts(args: &Run) -> anyhow::Result<Option<TargetFacts>> {
    let Some(path) = &args.target else {
        return Ok(None);
    };
    let file: TargetFile = serde_yaml::from_str(&read(path)?)
        .with_context(|| format!("failed to read {} as a target file", path.display()))?;
    Ok(Some(TargetFacts {
        label: file.label,
        version: file.version,
    }))
}

/// Where runs keep what `replay` and `cleanup` need: one folder a run, and the name of the latest.
pub(crate) fn runs(wanted: Option<&Path>) -> PathBuf {
    wanted.map_or_else(|| std::env::temp_dir().join("crevasse"), Path::to_path_buf)
}

fn keep(runs: &Path, report: &Report) -> anyhow::Result<()> {
    let path = runs.join(&report.run.id).join("report.json");
    std::fs::write(&path, write(report, Format::Json))
        .with_context(|| format!("failed to write {}", path.display()))?;
    std::fs::write(runs.join("latest"), &report.run.id).context("failed to note the latest run")
}

/// A new run against a target.
pub(crate) fn started(target: &Target, spec: &Spec, seed: u64, jobs: usize) -> RunStarted {
    let run = run_id();
    RunStarted {
        prefix: format!("crevasse-{run}"),
        run,
        seed,
        profile: Profile::Standard,
        endpoint: target.endpoint().to_owned(),
        jobs,
        spec: spec.name.clone(),
        spec_digest: spec.digest.clone(),
        started: now(),
    }
}

fn now() -> Timestamp {
    crevasse::execute::Clock::start().now()
}

/// Eight characters that no other run has: the time in milliseconds and the process, hashed.
fn run_id() -> String {
    let text = format!("{}-{}", now().0, std::process::id());
    let digits = crevasse_core::treehash::sha256(text.as_bytes());
    digits
        .0
        .iter()
        .take(8)
        .map(|byte| char::from(b"abcdefghijklmnopqrstuvwxyz234567"[usize::from(byte % 32)]))
        .collect()
}
