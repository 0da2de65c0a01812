//! The command line, as typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crevasse_core::payload::ByteCount;

/// Finds the cracks in any service that claims to speak the Amazon Glacier vault API.
#[derive(Debug, Parser)]
#[command(name = "crevasse", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 as expected · 1 deviates (or stale baseline under --strict) · 2 usage, config or spec error · \
3 a fault of Crevasse itself · 4 nothing was verified · 5 incomplete · 6 target unreachable · 130 interrupted";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what an OpenAPI document or an APIs.json index defines, gets wrong and cannot express.
    Spec(Spec),
    /// Print the SHA-256 tree hash of a file, of a range of it, or of its parts.
    Treehash(Treehash),
    /// Write a generated payload, or a range of it, to standard output.
    Payload(Payload),
    /// Explain a requirement: the rule, where it stands, and what covers it.
    Explain(Explain),
    /// List operations, requirements, checks, faults or scenarios.
    List(List),
}

/// How a list or an explanation is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Spec {
    #[command(subcommand)]
    pub(crate) command: SpecCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// What it defines, what is wrong with it, and what it cannot express.
    Lint(SpecFile),
    /// The operations derived from it.
    Show(SpecFile),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SpecFile {
    /// OpenAPI 3.x, Swagger 2.0 or APIs.json; YAML or JSON. Without it: the built-in specification.
    pub(crate) file: Option<PathBuf>,
    /// Where the documents that an index links to are found, by the last segment of their links.
    #[arg(long, value_name = "DIR")]
    pub(crate) spec_dir: Option<PathBuf>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Treehash {
    /// The file; `-` for standard input.
    pub(crate) file: PathBuf,
    /// Only these bytes, `FIRST-LAST` inclusive, as in RetrievalByteRange.
    #[arg(long, value_name = "FIRST-LAST")]
    pub(crate) range: Option<String>,
    /// One line a part of this size ("1 MiB", 4194304), then that of the whole.
    #[arg(long, value_name = "SIZE", conflicts_with = "range")]
    pub(crate) part_size: Option<ByteCount>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Payload {
    /// The seed; `pattern` for byte i = (31 i + 7) mod 251, `zeros` for zeros.
    pub(crate) seed: String,
    /// How long the whole payload is ("6.5 MiB", 6815744).
    pub(crate) length: ByteCount,
    /// Only these bytes of it, `FIRST-LAST` inclusive.
    #[arg(long, value_name = "FIRST-LAST")]
    pub(crate) range: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The requirement, such as GJO-RANGE-003, or an ambiguity, such as AMB-04.
    pub(crate) id: String,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// What to list.
    #[arg(value_enum)]
    pub(crate) what: Listed,
    /// Only requirements that this selects, and what concerns them: 'op(InitiateJob) & level(must)'.
    #[arg(short = 'E', long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// The 33 operations.
    Operations,
    /// The requirement registry.
    Requirements,
    /// The checks.
    Checks,
    /// The faults of the reference server.
    Faults,
    /// The written scenarios.
    Scenarios,
}
