//! `crevasse run`: the main job.

use std::collections::BTreeSet;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use crevasse::campaign::{CannotBegin, Earlier, Stop, TakenUp};
use crevasse::event::{Event, RunStarted, TargetFacts};
use crevasse::execute::{Rate, Target, credentials};
use crevasse::exit;
use crevasse::journal::Journal;
use crevasse::report::assemble::up_to_date;
use crevasse::report::terminal::{Detail, Style, render};
use crevasse::run::{Effort, Judged, Run, Wanted, keep, runs};
use crevasse_core::baseline::{Baseline, Entry};
use crevasse_core::filter::{Filter, Verdicts};
use crevasse_core::scenario::Need;
use crevasse_core::spec::Spec;
use crevasse_core::wire::FaultKind;
use crevasse_reference::ServerHandle;

use super::load::load;
use super::progress::Line;
use super::serve::embedded;
use super::target_file::TargetFile;
use super::{Failure, failed, interrupt, read, reports, resume, spec};
use crate::args::{Aim, Run as Asked};

pub(crate) fn run(args: &Asked) -> anyhow::Result<u8> {
    let runtime = super::runtime(0)?;
    match &args.resume {
        Some(run) => {
            let folder = resume::folder(run, args.run_dir.as_deref());
            let order = resume::order(&folder)?;
            runtime.block_on(judge(&order, Some(&folder)))
        }
        None => runtime.block_on(judge(args, None)),
    }
}

/// Judges; goes on with the run in `earlier`, if there is one.
async fn judge(args: &Asked, earlier: Option<&Path>) -> anyhow::Result<u8> {
    let outputs = reports::Outputs::parse(&args.report, args.report_dir.as_deref())?;
    if let Some(path) = args.baseline.as_ref().filter(|_| args.baseline_update) {
        reports::can_be_written(path)?;
    }
    let (mut run, server) = prepare(args).await?;
    let budget = super::plan::budget(args, &run).await?;
    let runs = args.run_dir.clone().unwrap_or_else(runs);
    let taken = match earlier {
        Some(folder) => take_up(folder, &run)?,
        None => begin(args, &mut run, &runs)?,
    };
    run.started = taken.run;
    let detail = args.verbosity.detail();
    if detail > Detail::Quiet {
        let RunStarted {
            run,
            seed,
            endpoint,
            ..
        } = &run.started;
        let who = server.as_ref().map(|_| TargetFacts::built_in().label);
        let who = who.map(|who| format!(", {who}")).unwrap_or_default();
        eprintln!("run {run} · seed {seed} · {endpoint}{who}");
    }
    let hand = run.hand(run.target.arm()?, taken.journal);
    hand.keep_within(budget);
    let stop = Stop::default();
    interrupt::listen(stop.clone()).context("failed to listen for signals")?;
    let mut line = Line::new(detail);
    if let Some(size) = args.archive_size {
        line.watch(hand.clone(), 2 * size.0);
    }
    let judged = run
        .go_on(hand, taken.earlier, &stop, &mut |event: Event| {
            line.follow(&event);
        })
        .await;
    line.clear();
    match judged {
        Ok(judged) => finish(args, judged, &runs, &outputs),
        Err(why) => {
            if let CannotBegin::Unreachable(unreachable) = &why {
                outputs.write(&run.unreached(unreachable))?;
            }
            Err(failure(&why).into())
        }
    }
}

/// Understands the command line; without an endpoint a reference server is started.
pub(crate) async fn prepare(args: &Asked) -> anyhow::Result<(Run, Option<ServerHandle>)> {
    let (wanted, baseline) = (wanted(args)?, baseline(args)?);
    let (mut target, server) = match endpoint(&args.aim)? {
        Some(endpoint) => (aim(&args.aim, &endpoint)?, None),
        None => {
            let server = embedded(&[]).await?;
            let endpoint = format!("http://{}", server.address);
            (aim(&args.aim, &endpoint)?, Some(server))
        }
    };
    let file = args.target.as_deref().map(TargetFile::read).transpose()?;
    if let Some(file) = &file {
        file.describe(&mut target)?;
    }
    let needs = needs(args, &target, server.is_some());
    let mut run = Run::new(wanted, effort(args)?, target, needs);
    run.allowed = args.allow.iter().copied().collect();
    run.terms.strict = args.strict;
    run.terms.baseline = baseline;
    let built_in = server.is_some().then(TargetFacts::built_in);
    run.terms.built_in = server.is_some();
    run.terms.target = file.map(TargetFile::facts).or(built_in);
    Ok((run, server))
}

fn begin(args: &Asked, run: &mut Run, runs: &Path) -> anyhow::Result<TakenUp> {
    let told = std::env::var("AWS_ENDPOINT_URL").ok();
    let told = told.as_deref().filter(|_| args.aim.endpoint.is_none());
    run.started.arguments = resume::arguments(told);
    run.started.options = args.options();
    let by_file = run.target.host_header.iter();
    let by_file = by_file.filter(|_| args.aim.host_header.is_none());
    let by_file = by_file.map(|name| format!("--host-header={name}"));
    run.started.options.extend(by_file);
    let folder = runs.join(&run.started.run);
    let journal = Journal::create(&folder, &run.started)
        .with_context(|| format!("failed to begin the journal in {}", folder.display()))?;
    Ok(TakenUp {
        journal,
        run: run.started.clone(),
        earlier: Earlier::default(),
    })
}

fn take_up(folder: &Path, run: &Run) -> anyhow::Result<TakenUp> {
    let taken = Earlier::take_up(folder)
        .with_context(|| format!("failed to go on with the run in {}", folder.display()))?;
    if taken.run.spec_digest != run.started.spec_digest {
        bail!("the run was judged by another specification; its cases cannot be added to");
    }
    Ok(taken)
}

/// How a command ends that could not begin, with a hint at what may help.
pub(crate) fn failure(why: &CannotBegin) -> Failure {
    let (code, hint) = match why {
        CannotBegin::Unreachable(unreachable) => (exit::UNREACHABLE, at_hand(unreachable.kind)),
        CannotBegin::NotLetIn { .. } if credentials(false).is_none() => (
            exit::USAGE,
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set, so it was signed with placeholder keys",
        ),
        CannotBegin::NotLetIn { .. } => (
            exit::USAGE,
            "does it know the keys that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold, do they have leave for its vaults, and is the clock right?",
        ),
    };
    Failure {
        code,
        message: format!("failed to {why}; {hint}"),
    }
}

/// What may help to reach a target.
fn at_hand(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unreachable => "is the server running, and is this the right port?",
        FaultKind::Tls => {
            "a server without TLS is at http://…; --cacert FILE trusts a certificate, -k any"
        }
        FaultKind::TimedOut => "--request-timeout gives it more time",
        FaultKind::TooLarge => "no server of this API answers like that: is this the right port?",
        _ => {
            "something listens there, but it cannot be talked to in HTTP; a server with TLS is at https://…"
        }
    }
}

/// What the command line asks to be judged.
fn wanted(args: &Asked) -> anyhow::Result<Wanted> {
    let spec = match &args.spec {
        Some(path) => Arc::new(spec::load(path, args.spec_dir.as_deref())?),
        None => Arc::new(Spec::builtin().clone()),
    };
    let filter = super::filter(args.filter.as_deref())?;
    let level = args.level.as_deref().map(str::parse);
    let level = level.transpose().map_err(failed)?;
    Wanted::choose(spec, &filter, level, &verdicts(args, &filter)?)
        .context("the filter selects no requirement")
}

fn baseline(args: &Asked) -> anyhow::Result<Baseline> {
    match &args.baseline {
        Some(path) if path.exists() => Baseline::parse(&read(path)?)
            .with_context(|| format!("failed to use {}", path.display())),
        Some(path) if !args.baseline_update => bail!(
            "there is no baseline {}; --baseline-update writes one",
            path.display()
        ),
        _ => Ok(Baseline::default()),
    }
}

fn verdicts(args: &Asked, filter: &Filter) -> anyhow::Result<Verdicts> {
    match &args.since {
        Some(path) => {
            let report = load(path, args.run_dir.as_deref())?.report;
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
    if !parse(&endpoint)?.is_loopback() {
        bail!(
            "an endpoint off loopback is not taken from the environment alone; say --endpoint {endpoint} if it is meant"
        );
    }
    Ok(Some(endpoint))
}

/// Reads an endpoint. What has no scheme was probably meant to have that of emulators.
fn parse(endpoint: &str) -> anyhow::Result<Target> {
    Target::new(endpoint).map_err(|error| {
        let meant = format!("http://{endpoint}");
        match !endpoint.contains("://") && Target::new(&meant).is_ok() {
            true => anyhow!("failed to read {endpoint:?} as an endpoint: did you mean {meant}?"),
            false => failed(error),
        }
    })
}

fn resolve(address: &str) -> anyhow::Result<SocketAddr> {
    let mut found = address
        .to_socket_addrs()
        .with_context(|| format!("failed to find {address}, which --connect-to names"))?;
    found
        .next()
        .with_context(|| format!("{address} has no address"))
}

/// The target as the command line and the environment describe it.
pub(crate) fn aim(aim: &Aim, endpoint: &str) -> anyhow::Result<Target> {
    let mut target = parse(endpoint)?;
    if let Some(address) = &aim.connect_to {
        target = target.connecting_to(resolve(address)?);
    }
    target.account = aim.account.clone();
    if let Some(region) = aim
        .region
        .clone()
        .or_else(|| std::env::var("AWS_REGION").ok())
    {
        target.region = region;
    }
    target.credentials = credentials(target.is_loopback());
    target.sns_topic = aim.sns_topic.clone();
    target.host_header = aim.host_header.clone();
    target.reuse = !aim.no_reuse;
    target.proxied = aim.proxy_from_env;
    target.insecure = aim.insecure;
    if let Some(path) = &aim.cacert {
        read(path)?;
    }
    target.cacert = aim.cacert.clone();
    target.limits.request = aim.request_timeout.0;
    target.limits.connect = aim.connect_timeout.0;
    Ok(target)
}

/// How fast a target is asked.
pub(crate) fn rate(aim: &Aim) -> anyhow::Result<Option<Rate>> {
    let rate = aim.rate_limit.as_deref().map(str::parse);
    rate.transpose().map_err(failed)
}

fn needs(args: &Asked, target: &Target, reference: bool) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    if target.is_loopback() || !args.allow.is_empty() {
        needs.insert(Need::Irreversible);
    }
    if reference {
        needs.insert(Need::Regions);
    }
    needs
}

fn effort(args: &Asked) -> anyhow::Result<Effort> {
    let usual = Effort::of(args.profile.into());
    Ok(Effort {
        seed: args.seed.unwrap_or(usual.seed),
        examples: args.max_examples.unwrap_or(usual.examples),
        jobs: args.jobs,
        rate: rate(&args.aim)?,
        max_time: args.max_time.map(|time| time.0),
        max_fail: args.max_fail.or(args.fail_fast.then_some(1)),
        reproduce: !args.no_reproduce,
        shard: args.shard,
        archive_size: args.archive_size,
        ..usual
    })
}

/// Reports on what was found, under a baseline brought up to date where that is asked for. The verdict is said whatever can be written.
fn finish(
    args: &Asked,
    mut judged: Judged,
    runs: &Path,
    outputs: &reports::Outputs,
) -> anyhow::Result<u8> {
    let accepted = accept(args, &mut judged);
    let report = judged.report();
    let kept = keep(runs, &report)
        .with_context(|| format!("failed to keep the report in {}", runs.display()));
    let written = outputs.write(&report).with_context(|| {
        let id = &report.run.id;
        format!("the run is over, and `crevasse report {id} --report …` writes reports of it")
    });
    let style = Style {
        color: args.color.on_stdout(),
        width: crate::text::width(),
        detail: args.verbosity.detail(),
    };
    put!("{}", render(&report, style));
    accepted.and(kept).and(written)?;
    Ok(report.summary.exit_code)
}

/// Takes what was found for known from now on, if that is asked for.
fn accept(args: &Asked, judged: &mut Judged) -> anyhow::Result<()> {
    let Some(path) = args.baseline.as_ref().filter(|_| args.baseline_update) else {
        return Ok(());
    };
    let baseline = up_to_date(&judged.found);
    reports::replace(path, &baseline.to_yaml())?;
    if args.verbosity.detail() > Detail::Quiet {
        let known = &judged.found.terms.baseline.entries;
        let named = |entry: &&Entry| known.iter().any(|it| it.fingerprint == entry.fingerprint);
        let before = baseline.entries.iter().filter(named).count();
        let all = baseline.entries.len();
        eprintln!(
            "{}: {} known deviations, {} of them new",
            path.display(),
            all,
            all - before
        );
    }
    judged.accept(baseline);
    Ok(())
}
