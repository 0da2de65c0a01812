//! `crevasse compare` and `crevasse report`: what is made from reports that are there already.

use std::path::Path;

use anyhow::{Context, bail};
use crevasse::exit;
use crevasse::report::terminal::{Detail, Style, render};
use crevasse::report::{Comparison, Report};

use super::read;
use super::reports::Outputs;
use crate::args::{Compare, Render};
use crate::text::width;

pub(crate) fn compare(args: &Compare) -> anyhow::Result<u8> {
    let reports = args
        .reports
        .iter()
        .map(|path| load(path))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let comparison = Comparison::of(&reports)?;
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
    print!(
        "{}",
        comparison.terminal(Style {
            color: args.color.on_stdout(),
            width: width(),
            detail: Detail::Normal
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
    let report = load(&args.from)?;
    Outputs::parse(&args.report, args.report_dir.as_deref())?.write(&report)?;
    print!(
        "{}",
        render(
            &report,
            Style {
                color: args.color.on_stdout(),
                width: width(),
                detail: Detail::Normal
            }
        )
    );
    Ok(exit::AS_EXPECTED)
}

/// Reads a report that `--report json=…` wrote.
pub(crate) fn load(path: &Path) -> anyhow::Result<Report> {
    serde_json::from_str(&read(path)?).with_context(|| {
        format!(
            "failed to read {} as a report (crevasse.report/1)",
            path.display()
        )
    })
}
