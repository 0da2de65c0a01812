//! `crevasse merge`: one report from the shards of one run.

use anyhow::Context;
use crevasse::report::merge::merge;
use crevasse::report::terminal::{Style, render};
use crevasse::run::{keep, runs};

use super::failed;
use super::load::load;
use super::reports::Outputs;
use crate::args::Merge;
use crate::text::width;

pub(crate) fn run(args: &Merge) -> anyhow::Result<u8> {
    let reports = args
        .reports
        .iter()
        .map(|path| load(path, args.run_dir.as_deref()).map(|loaded| loaded.report))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let outputs = Outputs::parse(&args.report, args.report_dir.as_deref())?;
    let merged = merge(&reports).map_err(failed)?;
    let runs = args.run_dir.clone().unwrap_or_else(runs);
    // For `replay`, which is told this id.
    keep(&runs, &merged)
        .with_context(|| format!("failed to keep the report in {}", runs.display()))?;
    outputs.write(&merged)?;
    let style = Style {
        color: args.color.on_stdout(),
        width: width(),
        ..Style::default()
    };
    put!("{}", render(&merged, style));
    Ok(merged.summary.exit_code)
}
