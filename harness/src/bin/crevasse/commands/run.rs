//! `crevasse run`: the main job.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use crevasse::campaign::{Stop, Unreachable};
use crevasse::event::{Event, TargetFacts};
use crevasse::execute::{Target, credentials};
use crevasse::exit;
use crevasse::found::Found;
use crevasse::journal::Journal;
use crevasse::report::terminal::{Style, render};
use crevasse::run::{Effort, Judged, Run, Wanted, keep, runs};
use crevasse_core::baseline::Baseline;
use crevasse_core::filter::{Filter, Verdicts};
use crevasse_core::scenario::Need;
use crevasse_core::spec::Spec;

use super::load::load;
use super::progress::Line;
use super::serve::embedded;
use super::{Failure, read, reports, spec};
use crate::args::{Aim, Run as Asked};

pub(crate) fn run(args: &Asked) -> anyhow::Result<u8> {
    let runtime = super::runtime(0)?;
    runtime.block_on(judge(args))
}

async fn judge(args: &Asked) -> anyhow::Result<u8> {
    let wanted = wanted(args)?;
    let (baseline, label) = (baseline(args)?, target_facts(args)?);
    let outputs = reports::Outputs::parse(&args.report, args.report_dir.as_deref())?;
    let (target, server) = match endpoint(&args.aim)? {
        Some(endpoint) => (aim(&args.aim, &endpoint)?, None),
        None => {
            let server = embedded().await?;
            (
                aim(&args.aim, &format!("http://{}", server.address))?,
                Some(server),
            )
        }
    };
    let needs = needs(args, &target, server.is_some());
    let mut run = Run::new(wanted, effort(args)?, target, needs);
    run.terms.strict = args.strict;
    run.terms.baseline = baseline;
    run.terms.target = label;
    let runs = args.run_dir.clone().unwrap_or_else(runs);
    let folder = runs.join(&run.started.run);
    let journal = Journal::create(&folder, &run.started)
        .with_context(|| format!("failed to begin the journal in {}", folder.display()))?;
    let stop = Stop::default();
    interrupt(stop.clone());
    let mut line = Line::new(args.verbosity.detail());
    let judged = run
        .judge(run.target.arm()?, journal, &stop, &mut |event: Event| {
            line.follow(&event);
        })
        .await;
    line.clear();
    finish(args, judged.map_err(gone)?, &runs, &outputs)
}

pub(crate) fn gone(unreachable: Unreachable) -> anyhow::Error {
    let hint = "is the server running, and is this the right port?";
    Failure {
        code: exit::UNREACHABLE,
        message: format!("failed to {unreachable}; {hint}"),
    }
    .into()
}

/// What the command line asks to be judged.
fn wanted(args: &Asked) -> anyhow::Result<Wanted> {
    let spec = match &args.spec {
        Some(path) => Arc::new(spec::load(path, args.spec_dir.as_deref())?),
        None => Arc::new(Spec::builtin().clone()),
    };
    let filter: Filter = args
        .filter
        .as_deref()
        .map_or(Ok(Filter::all()), str::parse)?;
    let level = args.level.as_deref().map(str::parse).transpose()?;
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
        rate: args.aim.rate_limit.as_deref().map(str::parse).transpose()?,
        max_time: args.max_time.map(|time| time.0),
        max_fail: args.max_fail.or(args.fail_fast.then_some(1)),
        reproduce: !args.no_reproduce,
        shard: args.shard,
        ..usual
    })
}

/// Ctrl-C asks for the end; a second one leaves at once.
pub(crate) fn interrupt(stop: Stop) {
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
    args: &Asked,
    mut judged: Judged,
    runs: &Path,
    outputs: &reports::Outputs,
) -> anyhow::Result<u8> {
    if let Some(path) = args.baseline.as_ref().filter(|_| args.baseline_update) {
        let baseline = updated(&judged.found);
        std::fs::write(path, baseline.to_yaml())
            .with_context(|| format!("failed to write {}", path.display()))?;
        judged.accept(baseline);
    }
    let report = judged.report();
    keep(runs, &report)
        .with_context(|| format!("failed to keep the report in {}", runs.display()))?;
    outputs.write(&report)?;
    let style = Style {
        color: args.color.on_stdout(),
        width: crate::text::width(),
        detail: args.verbosity.detail(),
    };
    put!("{}", render(&report, style));
    Ok(report.summary.exit_code)
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

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetFile {
    label: String,
    #[serde(default)]
    version: Option<String>,
}

fn target_facts(args: &Asked) -> anyhow::Result<Option<TargetFacts>> {
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
