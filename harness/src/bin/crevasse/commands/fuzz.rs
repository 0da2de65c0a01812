//! `crevasse fuzz`: nights of fuzzing, and what is new since the last.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use crevasse::campaign::{self, Stop};
use crevasse::event::{RunStarted, TargetFacts, Terms};
use crevasse::execute::{Hand, Pace, Patience, Target};
use crevasse::exit;
use crevasse::fuzz::{FuzzError, Night, Plan, SETTLERS, Tidings, fuzz};
use crevasse::journal::Journal;
use crevasse::report::Report;
use crevasse::report::assemble::assemble;
use crevasse::report::document::FindingFacts;
use crevasse::report::replay;
use crevasse::report::terminal::{self, Style};
use crevasse::run::{keep, now, runs, started};
use crevasse::scenarios;
use crevasse_core::baseline::Baseline;
use crevasse_core::filter::Verdicts;
use crevasse_core::requirement::{Registry, RequirementId};
use crevasse_core::scenario::{Profile, Scenario};
use crevasse_core::spec::Spec;
use crevasse_reference::ServerHandle;

use super::interrupt;
use super::reports::Outputs;
use super::run::{aim, endpoint, failure, rate};
use super::{failed, read, serve};
use crate::args::Fuzz;
use crate::text::width;

/// Leaks named, at most.
const LEAKS: usize = 10;
/// Where journals of nights that ended before they had cleaned up lie, in the corpus folder.
const NIGHTS: &str = "nights";

pub(crate) fn run(args: &Fuzz) -> anyhow::Result<u8> {
    let runtime = super::runtime(SETTLERS)?;
    runtime.block_on(night(args))
}

async fn night(args: &Fuzz) -> anyhow::Result<u8> {
    let plan = plan(args)?;
    let outputs = Outputs::parse(&args.report, None)?;
    let (target, server) = target(args).await?;
    let mut run = started(&target, &plan.spec, plan.seed, args.jobs);
    run.shard = plan.shard;
    run.options = args.aim.options();
    let journal = match &server {
        // What the embedded server holds is gone with it.
        Some(_) => Journal::discarding(),
        None => begin_journal(&args.corpus, &target, &run).await?,
    };
    let rate = rate(&args.aim)?;
    let arm = target.arm()?;
    let spec = Arc::clone(&plan.spec);
    let pace = Pace::new(args.jobs, rate);
    let hand = Hand::new(target, arm, spec, pace, journal, run.prefix.clone());
    let stop = Stop::default();
    interrupt::listen(stop.clone()).context("failed to listen for signals")?;
    putln!("fuzzing {} · seed {}", run.endpoint, plan.seed);
    let style = Style {
        color: args.color.on_stdout(),
        width: width(),
        ..Style::default()
    };
    let place = Place {
        endpoint: run.endpoint.clone(),
        built_in: server.is_some(),
        options: match &server {
            Some(_) => args
                .fault
                .iter()
                .map(|id| format!("--fault={id}"))
                .collect(),
            None => run.options.clone(),
        },
        right: server.is_some() && args.fault.is_empty(),
    };
    let mut tell = |tidings: Tidings<'_>| say(&tidings, &place, style);
    let night = match fuzz(hand.clone(), &plan, &args.corpus, &stop, &mut tell).await {
        Ok(night) => night,
        Err(FuzzError::CannotBegin(why)) => return Err(failure(&why).into()),
        Err(error) => return Err(failed(error)),
    };
    if !args.report.is_empty() {
        let report = report(args, &plan, &run, &night, &place, hand.trouble());
        // For `replay`, which is told the id of the run.
        keep(&runs(), &report)
            .with_context(|| format!("failed to keep the report in {}", runs().display()))?;
        outputs.write(&report)?;
    }
    if night.found.leaks.is_empty() && hand.trouble().is_none() {
        forget(&args.corpus, &run);
    }
    Ok(conclude(&night, hand.trouble()))
}

/// Where a night is.
struct Place {
    endpoint: String,
    /// Whether it is the reference server in this process.
    built_in: bool,
    /// The options of `crevasse replay` that lead there.
    options: Vec<String>,
    /// Whether it is known to be right.
    right: bool,
}

impl Place {
    /// The command that plays a scenario in a file there.
    fn again(&self, file: &Path) -> String {
        let endpoint = (!self.built_in).then_some(self.endpoint.as_str());
        replay(
            [file.display().to_string().as_str()],
            endpoint,
            &self.options,
        )
    }
}

/// The report of a night: everything that was judged, known or new.
fn report(
    args: &Fuzz,
    plan: &Plan,
    run: &RunStarted,
    night: &Night,
    place: &Place,
    trouble: Option<String>,
) -> Report {
    let mut found = night.found.clone();
    found.terms = Terms {
        operations: plan.spec.operations.keys().copied().collect(),
        strict: args.strict,
        today: plan.today.clone(),
        baseline: plan.baseline.clone(),
        target: place.right.then(TargetFacts::built_in),
        built_in: place.right,
        ..Terms::default()
    };
    found.faults.extend(trouble);
    assemble(run, &found)
}

fn plan(args: &Fuzz) -> anyhow::Result<Plan> {
    let baseline = match &args.baseline {
        Some(path) => Baseline::parse(&read(path)?)
            .with_context(|| format!("failed to use {}", path.display()))?,
        None => Baseline::default(),
    };
    Ok(Plan {
        seed: args.seed,
        spec: Arc::new(Spec::builtin().clone()),
        seeds: seeds(args)?,
        in_flight: campaign::IN_FLIGHT,
        max_time: args.max_time.0,
        max_cases: args.max_examples,
        shard: args.shard,
        baseline,
        today: now().iso()[..10].to_owned(),
    })
}

/// The written scenarios that cover nothing but what the filter selects, and that may run beside others.
fn seeds(args: &Fuzz) -> anyhow::Result<Vec<Scenario>> {
    let filter = super::filter(args.filter.as_deref())?;
    if filter.needs_verdicts() {
        bail!("verdict(…) asks for an earlier report, which fuzzing has none of");
    }
    let selected: BTreeSet<&RequirementId> = Registry::builtin()
        .iter()
        .filter(|requirement| filter.selects(requirement, &Verdicts::new()))
        .map(|requirement| &requirement.id)
        .collect();
    let suits = |scenario: &&Scenario| {
        let covered = scenario.covers.iter().all(|id| selected.contains(id));
        covered && scenario.needs.is_empty() && scenario.profile <= Profile::Standard
    };
    Ok(scenarios::written().iter().filter(suits).cloned().collect())
}

async fn target(args: &Fuzz) -> anyhow::Result<(Target, Option<ServerHandle>)> {
    let (mut target, server) = match endpoint(&args.aim)? {
        Some(_) if !args.fault.is_empty() => {
            bail!("--fault is for the embedded reference server, not for an endpoint")
        }
        Some(endpoint) => (aim(&args.aim, &endpoint)?, None),
        None => {
            let server = serve::embedded(&args.fault).await?;
            let target = aim(&args.aim, &format!("http://{}", server.address))?;
            (target, Some(server))
        }
    };
    if target.is_loopback() {
        // Who waits a minute for each job of an emulator tries little in a night.
        let short = Duration::from_secs(5);
        target.patience = Patience {
            expedited: short,
            standard: short,
            bulk: short,
        };
    }
    Ok((target, server))
}

/// Removes what nights left behind that were killed, and begins a journal for this one.
async fn begin_journal(
    corpus: &Path,
    target: &Target,
    run: &RunStarted,
) -> anyhow::Result<Journal> {
    let nights = corpus.join(NIGHTS);
    for folder in std::fs::read_dir(&nights).into_iter().flatten().flatten() {
        match campaign::clean_up(target.clone(), &folder.path()).await {
            Ok(done) if done.leaks.is_empty() => drop(std::fs::remove_dir_all(folder.path())),
            Ok(done) => eprintln!(
                "{} left of an earlier night cannot be removed",
                done.leaks.len()
            ),
            Err(error) => eprintln!("failed to {error}"),
        }
    }
    let folder = nights.join(&run.run);
    Journal::guarding(&folder, run)
        .with_context(|| format!("failed to begin the journal in {}", folder.display()))
}

fn forget(corpus: &Path, run: &RunStarted) {
    let folder = corpus.join(NIGHTS).join(&run.run);
    if let Err(error) = std::fs::remove_dir_all(&folder).or_else(absent) {
        eprintln!("failed to remove {}: {error}", folder.display());
    }
}

fn absent(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn say(tidings: &Tidings<'_>, place: &Place, style: Style) {
    match tidings {
        Tidings::Begun {
            night,
            entries,
            elsewhere,
        } => {
            putln!("night {night} of this corpus · {entries} entries\n");
            // The port of the built-in server is another each night.
            if let Some(last) = elsewhere.as_ref().filter(|_| !place.built_in) {
                putln!(
                    "note: the last night was at {last}, this one is at {}: a corpus belongs to one target, and what was found there is not told again here\n",
                    place.endpoint
                );
            }
        }
        Tidings::New(finding, path) => {
            let named = FindingFacts {
                id: path.display().to_string(),
                ..(*finding).clone()
            };
            let again = match finding.repro.scenario.is_empty() {
                true => "no case alone shows what is seen over a whole night".to_owned(),
                false => place.again(path),
            };
            putln!("{}", terminal::finding(&named, &again, style));
        }
    }
    // Whoever is told may not lose it: the state says next that it was.
    if let Err(error) = std::io::stdout().flush() {
        eprintln!("failed to write to standard output: {error}");
    }
}

fn conclude(night: &Night, trouble: Option<String>) -> u8 {
    let status = night.status;
    let faults: Vec<&String> = night.found.faults.iter().chain(&trouble).collect();
    for fault in &faults {
        putln!("note: fault of crevasse: {fault}");
    }
    for leak in night.found.leaks.iter().take(LEAKS) {
        putln!(
            "note: left behind: {} {} ({})",
            leak.kind,
            leak.name,
            leak.reason
        );
    }
    if let Some(more) = night.found.leaks.len().checked_sub(LEAKS + 1) {
        putln!("note: and {} more", more + 1);
    }
    if let Some(gone) = &night.found.gone {
        putln!("note: the target is gone: {gone}");
    }
    if night.waiting > 0 {
        putln!(
            "note: {} more are tried again by the next night",
            night.waiting
        );
    }
    putln!(
        "{} new causes, {} more findings of known causes, {} known before, {} never seen again · {} cases, {} requests · {} entries, {} features · {:.0} s",
        night.news.len(),
        night.siblings,
        status.known,
        night.unconfirmed,
        status.cases,
        status.requests,
        status.entries,
        status.features,
        night.found.seconds
    );
    let codes = [
        (night.found.interrupted, exit::INTERRUPTED),
        (!faults.is_empty(), exit::OUR_FAULT),
        (night.found.gone.is_some(), exit::UNREACHABLE),
        (!night.news.is_empty(), exit::DEVIATES),
        (!night.verified, exit::NOTHING_VERIFIED),
    ];
    let apply = codes.iter().filter(|(applies, _)| *applies);
    exit::weightiest(apply.map(|(_, code)| *code))
}
