//! One file a command.

mod cleanup;
mod compare;
mod explain;
mod fuzz;
mod interrupt;
mod list;
mod load;
mod merge;
mod payload;
mod plan;
mod progress;
mod prove;
mod replay;
mod reports;
mod resume;
mod run;
mod serve;
mod spec;
mod target_file;
mod treehash;

use std::fmt;
use std::path::Path;

use anyhow::{Context, anyhow};
use crevasse_core::filter::Filter;
use crevasse_core::treehash::MIB;

use crate::args::{Args, Command};

/// A failure with an exit code of its own. Any other error is one of usage.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What to say.
    pub(crate) message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Does what was asked and says how it ended.
pub(crate) fn dispatch(args: Args) -> anyhow::Result<u8> {
    match args.command {
        Command::Run(run) => run::run(&run),
        Command::Fuzz(fuzz) => fuzz::run(&fuzz),
        Command::Serve(serve) => serve::run(&serve),
        Command::Spec(spec) => spec::run(&spec),
        Command::Treehash(treehash) => treehash::run(&treehash),
        Command::Payload(payload) => payload::run(&payload),
        Command::Explain(explain) => explain::run(&explain),
        Command::List(list) => list::run(&list),
        Command::Prove(prove) => prove::run(&prove),
        Command::Plan(order) => plan::run(&order),
        Command::Cleanup(cleanup) => cleanup::run(&cleanup),
        Command::Replay(replay) => replay::run(&replay),
        Command::Report(render) => compare::report(&render),
        Command::Merge(args) => merge::run(&args),
        Command::Compare(args) => compare::compare(&args),
    }
}

/// An error of a library, which is a fragment, as a sentence.
pub(crate) fn failed(error: impl fmt::Display) -> anyhow::Error {
    anyhow!("failed to {error}")
}

/// The filter that was typed; without one, that of everything.
pub(crate) fn filter(text: Option<&str>) -> anyhow::Result<Filter> {
    text.map_or(Ok(Filter::all()), str::parse).map_err(failed)
}

/// Reads a text file, saying which one when that fails.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let bytes =
        std::fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    String::from_utf8(bytes)
        .with_context(|| format!("failed to read {} as UTF-8 text", path.display()))
}

/// The threads everything runs on. Few of them: each keeps memory of its own, and judging is bound by the processors anyway.
/// `campaigns` is how many campaigns block a thread each.
pub(crate) fn runtime(campaigns: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(cores.min(4))
        .max_blocking_threads(cores.min(4) + campaigns);
    builder.enable_all().build().context("failed to start")
}

/// Bytes, or bytes a second, in MiB.
fn mib(bytes: f64) -> f64 {
    bytes / MIB as f64
}
