//! `crevasse compare` and `crevasse report`: what is made from reports that are there already.

use std::path::Path;

use anyhow::{Context, bail};
use crevasse::exit;
use crevasse::report::terminal::{Detail, Style, render};
use crevasse::report::{Comparison, Report};

use super::failed;
use super::load::{Loaded, load};
use super::reports::Outputs;
use crate::args::{Compare, Render};
use crate::text::width;

pub(crate) fn compare(args: &Compare) -> anyhow::Result<u8> {
    let reports = args
        .reports
        .iter()
        .map(|path| whole(path, args.run_dir.as_deref()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let comparison = Comparison::of(&reports).map_err(failed)?;
    for text in &args.report {
        let (format, path) = text.split_once('=').with_context(|| {
            format!("a report is FORMAT=PATH, such as html=matrix.html, not `{text}`")
        })?;
        let rendered = match format {
            "json" => comparison.json(),
            "markdown" => comparison.markdown(),
            "html" => comparison.html(),
            other => {
                bail!("no matrix format is called `{other}`; there are json, markdown and html")
            }
        };
        std::fs::write(path, rendered).with_context(|| format!("failed to write {path}"))?;
    }
    put!(
        "{}",
        comparison.terminal(Style {
            color: args.color.on_stdout(),
            width: width(),
            detail: if args.verbose {
                Detail::Verbose
            } else {
                Detail::Normal
            }
        })
    );
    let worse = comparison
        .changes
        .as_ref()
        .is_some_and(|changes| !changes.is_no_worse());
    Ok(if worse {
        exit::DEVIATES
    } else {
        exit::AS_EXPECTED
    })
}

pub(crate) fn report(args: &Render) -> anyhow::Result<u8> {
    let Loaded { report, cut } = load(&args.from, args.run_dir.as_deref())?;
    Outputs::parse(&args.report, args.report_dir.as_deref())?.write(&report)?;
    put!(
        "{}",
        render(
            &report,
            Style {
                color: args.color.on_stdout(),
                width: width(),
                detail: args.verbosity.detail()
            }
        )
    );
    Ok(cut.map_or(exit::AS_EXPECTED, |cut| {
        eprintln!("error: {}", cut.message);
        cut.code
    }))
}

/// A report, with a warning when it does not tell the whole run.
fn whole(path: &Path, run_dir: Option<&Path>) -> anyhow::Result<Report> {
    let Loaded { report, cut } = load(path, run_dir)?;
    if let Some(cut) = cut {
        eprintln!("warning: {}: {}", path.display(), cut.message);
    }
    Ok(report)
}
