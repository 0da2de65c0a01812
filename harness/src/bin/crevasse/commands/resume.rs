//! Earlier runs: where they are, and what they were asked to do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{ArgMatches, CommandFactory, FromArgMatches};
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

const NOT_UNDERSTOOD: &str = "failed to understand the options of the run";

/// Options that say what a run is: they cannot be others when it goes on.
const LASTING: [&str; 14] = [
    "endpoint",
    "account",
    "region",
    "sns_topic",
    "seed",
    "max_examples",
    "archive_size",
    "profile",
    "filter",
    "since",
    "level",
    "shard",
    "allow",
    "spec",
];

/// What the run of this journal was asked to do, and what is asked for now besides.
pub(crate) fn order(folder: &Path) -> anyhow::Result<Run> {
    let run = earlier(folder)?;
    order_of(&run, std::env::args_os().skip(2))
}

fn order_of(run: &RunStarted, now: impl Iterator<Item = OsString>) -> anyhow::Result<Run> {
    let mut words: Vec<OsString> = vec!["crevasse".into(), "run".into()];
    words.extend(run.arguments.iter().map(OsString::from));
    let then = understood(&words)?;
    words.extend(now);
    let now = understood(&words)?;
    let other = other_options(&then, &now);
    if !other.is_empty() {
        bail!(
            "{} cannot be another for the run {}, which goes on: leave it out, or begin a new run",
            other.join(", "),
            run.run
        );
    }
    let args = Args::from_arg_matches(&now).context(NOT_UNDERSTOOD)?;
    match args.command {
        Command::Run(order) if order.aim.endpoint.is_some() => Ok(*order),
        _ => bail!(
            "the run {} was against the built-in reference server, which ended with it: there is nothing to go on with",
            run.run
        ),
    }
}

fn understood(words: &[OsString]) -> anyhow::Result<ArgMatches> {
    let matches = Args::command().try_get_matches_from(words);
    matches.context(NOT_UNDERSTOOD)
}

/// Those of the options that last which are not as they were.
fn other_options(then: &ArgMatches, now: &ArgMatches) -> Vec<String> {
    let value = |matches: &ArgMatches, id: &str| {
        let run = matches.subcommand_matches("run")?;
        let raw = run.get_raw(id)?;
        Some(raw.map(OsString::from).collect::<Vec<_>>())
    };
    let changed = LASTING
        .iter()
        .filter(|id| value(then, id) != value(now, id));
    changed
        .map(|id| format!("--{}", id.replace('_', "-")))
        .collect()
}

#[cfg(test)]
mod tests {
    use crevasse::execute::Target;
    use crevasse::run::started;
    use crevasse_core::spec::Spec;

    use super::*;

    fn resumed(words: &[&str]) -> anyhow::Result<Run> {
        let target = Target::new("http://127.0.0.1:9").unwrap();
        let mut run = started(&target, Spec::builtin(), 1, 1);
        run.arguments = ["--endpoint=http://127.0.0.1:9", "--seed", "1"]
            .map(str::to_owned)
            .to_vec();
        order_of(&run, words.iter().map(OsString::from))
    }

    #[test]
    fn what_a_run_is_stays_and_how_it_goes_on_may_change() {
        let refused = resumed(&["--seed", "5", "-n", "3"]).unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with("--seed, --max-examples cannot"), "{text}");
        assert_eq!(resumed(&["--seed", "1", "-j", "3"]).unwrap().jobs, 3);
    }
}
