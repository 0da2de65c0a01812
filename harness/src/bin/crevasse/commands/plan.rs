//! `crevasse plan`: what a run would do and cost. Budgets: what it may.

use anyhow::{Context, bail};
use crevasse::campaign::{Plan, Rehearsal, rehearse};
use crevasse::execute::{Budget, Target};
use crevasse::exit;
use crevasse::run::Run;
use crevasse_core::prices::{Prices, Usage};

use super::run::prepare;
use super::{Failure, mib, read};
use crate::args::Run as Asked;

pub(crate) fn run(args: &Asked) -> anyhow::Result<u8> {
    let runtime = super::runtime(0)?;
    runtime.block_on(async {
        let (run, _server) = prepare(args).await?;
        let (target, plan) = (&run.target, run.plan());
        let rehearsal = rehearse(&plan, target, args.jobs).await?;
        let prices = prices(args)?;
        put!("{}", text(args, target, &plan, &rehearsal, &prices));
        let beyond = bounds(args, prices)?.beyond(&rehearsal.usage);
        if let Some(beyond) = beyond {
            putln!("\nbeyond the budget: {beyond}");
            return Ok(exit::INCOMPLETE);
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
    let rehearsal = rehearse(&run.plan(), &run.target, args.jobs).await?;
    match budget.beyond(&rehearsal.usage) {
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

fn text(
    args: &Asked,
    target: &Target,
    plan: &Plan,
    rehearsal: &Rehearsal,
    prices: &Prices,
) -> String {
    let usage = &rehearsal.usage;
    let mut lines = cases(args, target, plan, rehearsal);
    lines.extend(use_of_target(usage));
    lines.push(format!("time          {}", time(args, target, usage)));
    lines.extend(cost(usage, prices));
    lines.join("\n") + "\n"
}

fn cases(args: &Asked, target: &Target, plan: &Plan, rehearsal: &Rehearsal) -> Vec<String> {
    let mut lines = vec![
        format!(
            "A run against {} would do this; nothing was sent.\n",
            target.endpoint()
        ),
        format!(
            "cases         {}, about {} operations; seed {}, {} requests at a time",
            rehearsal.cases,
            plan.spec.operations.len(),
            args.seed.unwrap_or(1),
            args.jobs
        ),
    ];
    let left_out = rehearsal.left_out.iter();
    lines.extend(
        left_out.map(|(reason, times)| format!("              {times} left out: {reason}")),
    );
    lines
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
