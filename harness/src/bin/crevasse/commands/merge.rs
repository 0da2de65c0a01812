//! `crevasse merge`: one report from the shards of one run.

use crevasse::report::merge::merge;
use crevasse::report::terminal::{Style, render};

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
    outputs.write(&merged)?;
    let style = Style {
        color: args.color.on_stdout(),
        width: width(),
        ..Style::default()
    };
    put!("{}", render(&merged, style));
    Ok(merged.summary.exit_code)
}
