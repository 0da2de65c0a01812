//! The command line, as typed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crevasse::report::terminal::Detail;
use crevasse::shard::Shard;
use crevasse_core::nearest::nearest;
use crevasse_core::payload::ByteCount;
use crevasse_core::scenario::Profile as Size;
use crevasse_core::spec::OperationName;

use crate::text::Color;

/// Finds the cracks in any service that claims to speak the Amazon Glacier vault API.
#[derive(Debug, Parser)]
#[command(name = "crevasse", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 as expected · 1 deviates (or stale baseline under --strict) · 2 usage, config or spec error, or output that cannot be written · \
3 a fault of Crevasse itself · 4 nothing was verified · 5 incomplete · 6 target unreachable · 130 interrupted";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge an endpoint; without one, the embedded reference server.
    Run(Box<Run>),
    /// Fuzz an endpoint night after night, and tell what is new since the last; without one, the embedded reference server.
    Fuzz(Fuzz),
    /// Run the reference server, right or wrong on demand, for clients to be tested against.
    Serve(Serve),
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
    /// Run the suite against every fault of the reference server: killed or alive, and the score.
    Prove(Prove),
    /// Say what a run with these options would do and cost, without sending anything.
    Plan(Box<Run>),
    /// Remove what an interrupted run left behind, from its journal.
    Cleanup(Cleanup),
    /// Play a finding or a scenario again, step by step, and show what changed.
    Replay(Replay),
    /// Render other formats from a JSON report, without the network.
    Report(Render),
    /// Make one report of those of the shards of one run.
    Merge(Merge),
    /// Lay reports side by side: a vendor matrix, or what changed between two runs of one vendor.
    Compare(Compare),
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

/// Where to aim, and as whom. Credentials come from the AWS environment variables.
#[derive(Debug, clap::Args)]
pub(crate) struct Aim {
    /// The endpoint to judge, such as http://127.0.0.1:5000. Also read from AWS_ENDPOINT_URL, for loopback addresses.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The account's 12 digits, where the target does not tell them.
    #[arg(long, value_name = "DIGITS", value_parser = account)]
    pub(crate) account: Option<String>,
    /// The region that requests are signed for; AWS_REGION, or us-east-1.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The SNS topic that notifications name, where the target takes none that does not exist.
    #[arg(long, value_name = "ARN")]
    pub(crate) sns_topic: Option<String>,
    /// The Host header, where a server routes by name.
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) host_header: Option<String>,
    /// Where to connect to instead of to the endpoint's host; name, certificate and signature stay the endpoint's.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) connect_to: Option<String>,
    /// Use a connection for one request only.
    #[arg(long)]
    pub(crate) no_reuse: bool,
    /// Go through the proxies that the environment names; without this they are ignored.
    #[arg(long)]
    pub(crate) proxy_from_env: bool,
    /// Longest time for one request, without what large bodies take.
    #[arg(long, value_name = "TIME", default_value = REQUEST)]
    pub(crate) request_timeout: Time,
    /// Longest time for a connection to be made.
    #[arg(long, value_name = "TIME", default_value = CONNECT)]
    pub(crate) connect_timeout: Time,
    /// Requests per second or minute: 100/s, 600/m; or `auto`: slower whenever the target puts requests off.
    #[arg(long, value_name = "RATE")]
    pub(crate) rate_limit: Option<String>,
    /// Certificates to trust beside the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Do not verify certificates.
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
}

impl Aim {
    /// The options by which another command reaches the same target, each as one word. The endpoint is said otherwise.
    pub(crate) fn options(&self) -> Vec<String> {
        let cacert = self.cacert.as_ref().map(|path| path.display().to_string());
        let unless = |time: Time, usual| (time.to_string() != usual).then(|| time.to_string());
        let values = [
            ("account", self.account.clone()),
            ("region", self.region.clone()),
            ("sns-topic", self.sns_topic.clone()),
            ("host-header", self.host_header.clone()),
            ("connect-to", self.connect_to.clone()),
            ("request-timeout", unless(self.request_timeout, REQUEST)),
            ("connect-timeout", unless(self.connect_timeout, CONNECT)),
            ("rate-limit", self.rate_limit.clone()),
            ("cacert", cacert),
        ];
        let flags = [
            ("no-reuse", self.no_reuse),
            ("proxy-from-env", self.proxy_from_env),
            ("insecure", self.insecure),
        ];
        let values = values
            .into_iter()
            .filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set);
        values
            .chain(flags.map(|(name, _)| format!("--{name}")))
            .collect()
    }
}

impl Run {
    /// The same for a run, with what it was allowed to do and where it is kept.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = self.aim.options();
        if !self.allow.is_empty() {
            let names: Vec<&str> = self.allow.iter().map(|name| name.as_str()).collect();
            options.push(format!("--allow={}", names.join(",")));
        }
        let kept = self.run_dir.as_ref();
        options.extend(kept.map(|folder| format!("--run-dir={}", folder.display())));
        options
    }
}

/// How long to wait for an answer, and for a connection, unless told otherwise.
const REQUEST: &str = "20s";
const CONNECT: &str = "5s";

/// A time with its unit: 500ms, 30s, 10m, 6h. A bare number is seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time(pub(crate) Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            other => {
                return Err(format!(
                    "`{other}` is no unit of time: write 500ms, 30s, 10m or 6h"
                ));
            }
        };
        let number: u64 = digits
            .parse()
            .map_err(|_| format!("`{text}` is no time: write 500ms, 30s, 10m or 6h"))?;
        number
            .checked_mul(unit)
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| format!("`{text}` is too long"))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        match millis % 1000 {
            0 => write!(f, "{}s", millis / 1000),
            _ => write!(f, "{millis}ms"),
        }
    }
}

/// How much of a target's time a run takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Seconds.
    Quick,
    /// The default.
    #[default]
    Standard,
    /// Everything, large archives included.
    Thorough,
}

impl From<Profile> for Size {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Quick => Self::Quick,
            Profile::Standard => Self::Standard,
            Profile::Thorough => Self::Thorough,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) aim: Aim,
    /// Go on with an interrupted or incomplete run: its id, or its folder. Options given besides override its own, but for those that
    /// say what the run is: endpoint, seed, profile, filter, shard and such.
    #[arg(long, value_name = "RUN")]
    pub(crate) resume: Option<PathBuf>,
    /// Seed of everything generated: the same seed, the same cases.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Requests under way at once. Waiting for jobs does not count.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 8, value_parser = some)]
    pub(crate) jobs: usize,
    /// Generated cases; without it as many as the profile has.
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) max_examples: Option<u64>,
    /// No case begins after this time; what is left out makes the run incomplete.
    #[arg(long, value_name = "TIME")]
    pub(crate) max_time: Option<Time>,
    /// Neither begin nor go on with a run that sends more requests. What it takes to try deviations again cannot be planned, but counts.
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<u64>,
    /// The same for bytes of bodies, up and down.
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_bytes: Option<ByteCount>,
    /// The same for vaults, archives, uploads and locks that are there at once.
    #[arg(long, value_name = "N")]
    pub(crate) max_live: Option<u64>,
    /// The same for what a run costs on Amazon, in US dollars.
    #[arg(long, value_name = "USD")]
    pub(crate) max_cost: Option<f64>,
    /// Prices other than the built-in list prices of us-east-1.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Beside all else, an archive of this size: up in parts, down in ranges, every byte verified. "16 GiB" needs no more memory than 1 MiB.
    #[arg(long, value_name = "SIZE")]
    pub(crate) archive_size: Option<ByteCount>,
    /// How much of the target's time to take.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) profile: Profile,
    /// Which requirements to judge: 'op(InitiateJob) & level(must)', 'GJO-RANGE-003', 'topic(tags)'.
    #[arg(short = 'E', long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// An earlier report, for verdict(…) in a filter.
    #[arg(long, value_name = "REPORT")]
    pub(crate) since: Option<PathBuf>,
    /// Only requirements of this level or a stronger one: must, should, may.
    #[arg(long)]
    pub(crate) level: Option<String>,
    /// Let SHOULD fail the run like MUST, and stale baseline entries too.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Stop at the first deviation.
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Stop after this many deviations.
    #[arg(long, value_name = "N", value_parser = some)]
    pub(crate) max_fail: Option<usize>,
    /// Do not try deviations again, nor make them small.
    #[arg(long)]
    pub(crate) no_reproduce: bool,
    /// Write a report: json=PATH, html=, junit=, markdown=, sarif=, badge=, line=. Repeatable.
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(crate) report: Vec<String>,
    /// Write reports of all formats into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) report_dir: Option<PathBuf>,
    /// Deviations that are known and accepted.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Accept what this run finds: write it to the baseline.
    #[arg(long, requires = "baseline")]
    pub(crate) baseline_update: bool,
    /// A YAML file with the target's `label` and `version`, for matrices; the `operations` it is said to have, without which the run
    /// fails; its `host_header`; and `patience` by tier: {Standard: 6h}.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// The share of the cases that this process runs, as 2/4; `crevasse merge` makes one report of all shares.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub(crate) shard: Shard,
    /// Operations that cannot be undone or cost money, allowed off loopback.
    #[arg(long, value_name = "OP", value_delimiter = ',', value_parser = operation)]
    pub(crate) allow: Vec<OperationName>,
    /// The specification to judge by: a folder (strictly), or a foreign document (leniently).
    #[arg(long, value_name = "PATH")]
    pub(crate) spec: Option<PathBuf>,
    /// Where the documents that an index links to are found.
    #[arg(long, value_name = "DIR")]
    pub(crate) spec_dir: Option<PathBuf>,
    /// Where runs keep their journals; each in a folder of its own.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// When to colour.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// How much is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Verbosity {
    /// Print the verdict alone.
    #[arg(short, long)]
    quiet: bool,
    /// Print every finding, and what was not decided.
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

impl Verbosity {
    /// How much is said.
    pub(crate) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Fuzz {
    #[command(flatten)]
    pub(crate) aim: Aim,
    /// Where sequences worth mutating, findings and what is known of them are kept; one folder a target.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: PathBuf,
    /// No case begins after this time.
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub(crate) max_time: Time,
    /// No more cases than these.
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) max_examples: Option<u64>,
    /// What every choice is drawn from, together with the number of the night.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Requests under way at once. Waiting for jobs does not count.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 8, value_parser = some)]
    pub(crate) jobs: usize,
    /// Which written scenarios an empty corpus begins with: those that cover nothing but these requirements. Everything is judged.
    #[arg(short = 'E', long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Let SHOULD count like MUST in the verdict of reports. What is new is told of both.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Deviations that are known and accepted.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// The share of this process, as 2/4: each share needs a corpus folder of its own.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub(crate) shard: Shard,
    /// Write a report of all that was judged this night: json=PATH, html=, junit=, markdown=, sarif=, badge=. Repeatable.
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(crate) report: Vec<String>,
    /// What the embedded reference server gets wrong; repeatable.
    #[arg(long, value_name = "ID")]
    pub(crate) fault: Vec<String>,
    /// When to colour.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// How long jobs take.
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub(crate) job_delay: Time,
    /// Hours pass this many times faster.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    /// What to get wrong; repeatable. `list` names the faults.
    #[arg(long, value_name = "ID")]
    pub(crate) fault: Vec<String>,
    /// Verify signatures, with the keys of the AWS environment variables.
    #[arg(long)]
    pub(crate) require_auth: bool,
    /// Bytes kept of bodies that are no generated payloads.
    #[arg(long, value_name = "SIZE", default_value = "1 GiB")]
    pub(crate) max_store: ByteCount,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Spec {
    #[command(subcommand)]
    pub(crate) command: SpecCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// What it defines, what is wrong with it, and what it cannot express. Ends with 0 whatever is wrong with a document that can be
    /// read, and with 2 for one that cannot.
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

#[derive(Debug, clap::Args)]
pub(crate) struct Render {
    /// A report written by `run --report json=PATH`, or a run: its id, its folder or its journal. Without it the latest run.
    #[arg(default_value = "latest")]
    pub(crate) from: PathBuf,
    /// What to write: json=PATH, html=, junit=, markdown=, sarif=, badge=, line=. Repeatable.
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(crate) report: Vec<String>,
    /// Where runs are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Write all formats into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) report_dir: Option<PathBuf>,
    /// When to colour.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Merge {
    /// Reports written by `run --shard I/N --report json=PATH`, or runs by id, folder or journal.
    #[arg(required = true)]
    pub(crate) reports: Vec<PathBuf>,
    /// Where runs are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Write the merged report: json=PATH, html=, junit=, markdown=, sarif=, badge=. Repeatable.
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(crate) report: Vec<String>,
    /// Write reports of all formats into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) report_dir: Option<PathBuf>,
    /// When to colour.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// Reports written by `run --report json=PATH`, or runs by id, folder or journal: two or more.
    #[arg(required = true, num_args = 2..)]
    pub(crate) reports: Vec<PathBuf>,
    /// Where runs are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Write the matrix: json=PATH, markdown=, html=. Repeatable.
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(crate) report: Vec<String>,
    /// When to colour.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,
    /// Print what is the same too.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// A scenario file, the id of a written scenario (`list scenarios`), or a finding: its id in a report (F1) or its fingerprint,
    /// or that of its cause (C1). Without --endpoint a finding is played at the loopback endpoint that its report was made of,
    /// a scenario at the built-in reference server.
    pub(crate) what: String,
    /// The report or the run the finding is in; without it the latest run.
    #[arg(long, value_name = "REPORT")]
    pub(crate) from: Option<PathBuf>,
    /// Where runs are kept.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// What the built-in reference server gets wrong, where it is the one that is asked; repeatable.
    #[arg(long, value_name = "ID")]
    pub(crate) fault: Vec<String>,
    /// Operations that cannot be undone or cost money, allowed off loopback.
    #[arg(long, value_name = "OP", value_delimiter = ',', value_parser = operation)]
    pub(crate) allow: Vec<OperationName>,
    #[command(flatten)]
    pub(crate) aim: Aim,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Cleanup {
    /// The run: its id, or its folder.
    pub(crate) run: PathBuf,
    /// Where runs keep their journals.
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) aim: Aim,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Prove {
    /// Only these faults; repeatable.
    #[arg(long, value_name = "ID")]
    pub(crate) fault: Vec<String>,
    /// Seed of the generated cases.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Generated cases beside the written ones.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 30)]
    pub(crate) max_examples: u64,
    /// Servers at a time; most of their time goes by waiting for jobs.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 20, value_parser = some)]
    pub(crate) jobs: usize,
    /// The score in percent below which the command ends with 1.
    #[arg(long, value_name = "PERCENT", default_value_t = 98.0)]
    pub(crate) at_least: f64,
    /// Write the whole matrix of faults and checks: json=PATH.
    #[arg(long, value_name = "json=PATH", value_parser = json_path)]
    pub(crate) report: Option<PathBuf>,
    /// Write a short scenario for each fault that was killed; takes a while.
    #[arg(long, value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
    /// Print survivors and the score, not every fault.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

fn operation(text: &str) -> Result<OperationName, String> {
    let known = OperationName::ALL.map(|name| (name, name.to_string()));
    let named = known.iter().find(|(_, name)| name == text);
    named.map(|(operation, _)| *operation).ok_or_else(|| {
        let near = nearest(text, known.iter().map(|(_, name)| name.as_str()));
        near.map_or_else(
            || "`crevasse list operations` names them".to_owned(),
            |near| format!("did you mean {near}?"),
        )
    })
}

fn some(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a whole number from 1 on is wanted".to_owned())
}

pub(crate) fn host(text: &str) -> Result<String, String> {
    let belongs = |byte: u8| byte.is_ascii_graphic() && !b"/?#@\\,".contains(&byte);
    match !text.is_empty() && text.bytes().all(belongs) {
        true => Ok(text.to_owned()),
        false => Err("a Host header is NAME or NAME:PORT".to_owned()),
    }
}

fn account(text: &str) -> Result<String, String> {
    let is_number = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number
        .then(|| text.to_owned())
        .ok_or_else(|| "an account is 12 digits".to_owned())
}

fn json_path(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("json=") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("a proof is written as json=PATH only".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Box<Run> {
        let words = ["crevasse", "run"].into_iter().chain(line.split(' '));
        match Args::try_parse_from(words).unwrap().command {
            Command::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_leads_to_a_target_is_said_again_however_it_was_spelt_and_nothing_else() {
        let line = "-kq --account 111122223333 --seed 7 --request-timeout=2500ms --connect-timeout 1m --allow CompleteVaultLock,DeleteVault --run-dir runs";
        let again = [
            "--account=111122223333",
            "--request-timeout=2500ms",
            "--connect-timeout=60s",
            "--insecure",
            "--allow=CompleteVaultLock,DeleteVault",
            "--run-dir=runs",
        ];
        assert_eq!(run(line).options(), again);
        assert_eq!(run(&again.join(" ")).options(), again);
        assert_eq!(run("--seed 7").options(), [""; 0]);
    }
}
