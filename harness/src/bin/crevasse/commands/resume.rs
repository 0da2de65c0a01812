//! Earlier runs: where they are, and what they were asked to do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Parser;
use crevasse::event::RunStarted;
use crevasse::journal::Reader;

use crate::args::{Args, Command, Run};
use crevasse::run::runs;

/// The folder of a run, which is named by its path or by its id.
pub(crate) fn folder(run: &Path, run_dir: Option<&Path>) -> PathBuf {
    if run.exists() {
        run.to_path_buf()
    } else {
        run_dir.map_or_else(runs, Path::to_path_buf).join(run)
    }
}

/// What an earlier run was, from its journal.
pub(crate) fn earlier(folder: &Path) -> anyhow::Result<RunStarted> {
    let reader = Reader::open(folder).context("failed to find the run")?;
    Ok(reader.run().clone())
}

/// The arguments of this process after the name of the command; `endpoint` is where they lead when the environment says it.
pub(crate) fn arguments(endpoint: Option<&str>) -> Vec<String> {
    let typed = std::env::args_os().skip(2);
    let mut typed: Vec<String> = typed
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    typed.extend(endpoint.map(|endpoint| format!("--endpoint={endpoint}")));
    typed
}

/// What the run of this journal was asked to do, and what is asked for now besides.
pub(crate) fn order(folder: &Path) -> anyhow::Result<Run> {
    let run = earlier(folder)?;
    let now = std::env::args_os().skip(2);
    let words: Vec<OsString> = ["crevasse", "run"]
        .into_iter()
        .map(OsString::from)
        .chain(run.arguments.iter().map(OsString::from))
        .chain(now)
        .collect();
    let args =
        Args::try_parse_from(words).context("failed to understand the options of the run")?;
    match args.command {
        Command::Run(order) if order.aim.endpoint.is_some() => Ok(*order),
        _ => bail!(
            "the run {} was against the built-in reference server, which ended with it: there is nothing to go on with",
            run.run
        ),
    }
}
