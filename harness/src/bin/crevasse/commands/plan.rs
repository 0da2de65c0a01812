//! `crevasse plan`: what a run would do and cost. Budgets: what it may.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use crevasse::campaign::{Rehearsal, rehearse};
use crevasse::event::Event;
use crevasse::execute::{Budget, Target};
use crevasse::exit;
use crevasse::run::Run;
use crevasse_core::prices::{Prices, Usage};
use crevasse_core::requirement::Registry;

use super::progress::Line;
use super::run::prepare;
use super::{Failure, mib, read};
use crate::args::Run as Asked;

/// What a plan off loopback assumes where there is nothing to sign with.
const NO_KEYS: &str =
    "requests would not be signed: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set";

pub(crate) fn run(args: &Asked) -> anyhow::Result<u8> {
    if !args.report.is_empty() || args.report_dir.is_some() {
        bail!("a plan finds nothing to report on: leave out --report and --report-dir");
    }
    if args.resume.is_some() {
        bail!(
            "a plan is for a run that begins; it cannot tell what is left of an earlier one: leave out --resume"
        );
    }
    let runtime = super::runtime(0)?;
    runtime.block_on(async {
        let (run, _server) = prepare(args).await?;
        let rehearsal = rehearsed(args, &run).await?;
        let prices = prices(args)?;
        put!("{}", text(args, &run, &rehearsal, &prices));
        let beyond = bounds(args, prices)?.beyond(&rehearsal.usage);
        if let Some(beyond) = beyond {
            putln!("\nbeyond the budget: {beyond}");
            return Ok(exit::USAGE);
        }
        Ok(exit::AS_EXPECTED)
    })
}

/// What a run may use. A plan that goes beyond it is refused.
pub(crate) async fn budget(args: &Asked, run: &Run) -> anyhow::Result<Budget> {
    let budget = bounds(args, prices(args)?)?;
    if budget.is_unlimited() {
        return Ok(budget);
    }
    match budget.beyond(&rehearsed(args, run).await?.usage) {
        None => Ok(budget),
        Some(beyond) => Err(Failure {
            code: exit::USAGE,
            message: format!(
                "the plan goes beyond its budget and was not begun: {beyond}; `crevasse plan` says what it would do"
            ),
        }
        .into()),
    }
}

async fn rehearsed(args: &Asked, run: &Run) -> anyhow::Result<Rehearsal> {
    let mut line = Line::new(args.verbosity.detail());
    let mut tell = |progress| line.follow(&Event::Progress(progress));
    let rehearsal = rehearse(&run.plan(), &run.target, args.jobs, &mut tell).await;
    line.clear();
    Ok(rehearsal?)
}

fn bounds(args: &Asked, prices: Prices) -> anyhow::Result<Budget> {
    if args
        .max_cost
        .is_some_and(|cost| !cost.is_finite() || cost < 0.0)
    {
        bail!("--max-cost takes an amount from 0 on");
    }
    Ok(Budget {
        requests: args.max_requests,
        bytes: args.max_bytes.map(|bytes| bytes.0),
        live: args.max_live,
        cost: args.max_cost.map(|cost| (cost, prices)),
    })
}

fn prices(args: &Asked) -> anyhow::Result<Prices> {
    match &args.prices {
        Some(path) => Prices::parse(&read(path)?)
            .with_context(|| format!("failed to read {} as a table of prices", path.display())),
        None => Ok(Prices::builtin()),
    }
}

fn text(args: &Asked, run: &Run, rehearsal: &Rehearsal, prices: &Prices) -> String {
    let usage = &rehearsal.usage;
    let mut lines = cases(args, run, rehearsal);
    lines.extend(use_of_target(usage));
    lines.push(format!("time          {}", time(args, &run.target, usage)));
    lines.extend(cost(usage, prices));
    lines.join("\n") + "\n"
}

fn cases(args: &Asked, run: &Run, rehearsal: &Rehearsal) -> Vec<String> {
    let mut lines = vec![
        format!(
            "A run against {} would do this; nothing was sent.\n",
            run.target.endpoint()
        ),
        format!(
            "cases         {}, about {}; seed {}, {} requests at a time",
            rehearsal.cases,
            about(run),
            args.seed.unwrap_or(1),
            args.jobs
        ),
    ];
    if !rehearsal.left_out.is_empty() {
        lines.push(
            "              left out, by what is assumed of a target that was not asked:".to_owned(),
        );
    }
    let left_out = rehearsal.left_out.iter();
    lines.extend(left_out.map(|(reason, times)| format!("              {times}: {reason}")));
    if run.target.credentials.is_none() {
        lines.push(format!("              {NO_KEYS}"));
    }
    lines
}

/// The operations that the requirements to be judged speak of; some speak of all.
fn about(run: &Run) -> String {
    let wanted = &run.wanted;
    let defined = wanted.spec.operations.keys();
    let chosen = Registry::builtin()
        .iter()
        .filter(|requirement| wanted.selected.contains(&requirement.id));
    let named: BTreeSet<_> = chosen.flat_map(|it| &it.operations).collect();
    match defined.filter(|name| named.contains(name)).count() {
        0 => "all operations".to_owned(),
        1 => "1 operation".to_owned(),
        some => format!("{some} operations"),
    }
}

fn use_of_target(usage: &Usage) -> [String; 4] {
    let plain = usage.total() - usage.polls;
    let (up, down) = (mib(usage.up as f64), mib(usage.down as f64));
    [
        format!(
            "requests      {plain}; besides at least {} to ask whether jobs are complete, and more to try deviations again",
            usage.polls
        ),
        format!("bytes         {up:.1} MiB up, {down:.1} MiB down"),
        format!("jobs          {}", jobs(usage)),
        format!(
            "alive         {} vaults, archives, uploads and locks at once, at most; all are removed at the end",
            usage.live
        ),
    ]
}

fn jobs(usage: &Usage) -> String {
    let told = usage
        .jobs
        .iter()
        .map(|(tier, times)| format!("{times} {tier}"));
    let told = told.collect::<Vec<_>>().join(", ");
    if told.is_empty() {
        "none".to_owned()
    } else {
        told
    }
}

/// The time that requests take, by what is usual near and far, and what jobs are waited for.
fn time(args: &Asked, target: &Target, usage: &Usage) -> String {
    let each = if target.is_loopback() { 0.004 } else { 0.12 };
    let requests = usage.total() as f64 * each / args.jobs.max(1) as f64;
    let patience = target.patience;
    let waits = if target.is_loopback() {
        "jobs as long as the target takes".to_owned()
    } else if usage.jobs.is_empty() {
        "no jobs".to_owned()
    } else {
        format!(
            "jobs 1-5 minutes (Expedited), 3-5 hours (Standard, inventories), 5-12 hours (Bulk), side by side; given up after {} h",
            patience.bulk.max(patience.standard).as_secs() / 3600
        )
    };
    format!("about {:.0} s of requests; {waits}", requests.ceil())
}

fn cost(usage: &Usage, prices: &Prices) -> Vec<String> {
    let mut lines = vec![format!(
        "cost          {:.2} {} on Amazon, {}, by the prices of {}",
        prices.cost(usage),
        prices.currency,
        prices.region,
        prices.as_of
    )];
    let items = prices
        .bill(usage)
        .into_iter()
        .filter(|(_, amount)| *amount > 0.0);
    lines.extend(items.map(|(item, amount)| format!("              {amount:>9.4}  {item}")));
    lines.push(format!("              prices: {}", prices.source));
    lines
}
