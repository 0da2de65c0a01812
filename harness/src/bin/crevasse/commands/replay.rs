//! `crevasse replay`: a finding or a scenario again, step by step, with what changed.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use crevasse::event::RunStarted;
use crevasse::execute::{Hand, Pace};
use crevasse::exit;
use crevasse::journal::Journal;
use crevasse::report::document::FindingFacts;
use crevasse::report::printable;
use crevasse::run::started;
use crevasse_core::check::rules::NO_ANSWER;
use crevasse_core::check::{self, Judged, Outcome, Record};
use crevasse_core::finding::Fingerprint;
use crevasse_core::model::Model;
use crevasse_core::requirement::{Level, Registry};
use crevasse_core::scenario::Scenario;
use crevasse_core::spec::Spec;
use crevasse_core::wire::Reply;

use super::load::{LATEST, load};
use super::read;
use super::run::{aim, endpoint};
use super::serve::embedded;
use crate::args::Replay;

pub(crate) fn run(args: &Replay) -> anyhow::Result<u8> {
    let again = Again::of(args)?;
    let runtime = super::runtime(0)?;
    let (records, judged) = runtime.block_on(play(args, &again.scenario))?;
    putln!(
        "{}: {}",
        again.scenario.id,
        printable(&again.scenario.title)
    );
    for (place, record) in records.iter().enumerate() {
        tell(place, record, again.recorded(place), &judged);
    }
    Ok(again.conclude(&judged))
}

/// What is played again, and what it looked like before.
struct Again {
    scenario: Scenario,
    finding: Option<FindingFacts>,
}

impl Again {
    fn of(args: &Replay) -> anyhow::Result<Self> {
        let path = Path::new(&args.what);
        if path.exists() {
            let scenario = Scenario::parse(&read(path)?)
                .with_context(|| format!("failed to read {} as a scenario", path.display()))?;
            return Ok(Self {
                scenario,
                finding: None,
            });
        }
        let from = args.from.as_deref().unwrap_or(Path::new(LATEST));
        let report = load(from)?.report;
        let known = report
            .findings
            .iter()
            .map(|finding| finding.id.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let found = report
            .findings
            .into_iter()
            .find(|finding| finding.id == args.what || finding.fingerprint == args.what);
        let Some(finding) = found else {
            bail!(
                "there is neither a file nor a finding called {} (in {}: {})",
                args.what,
                from.display(),
                if known.is_empty() { "none" } else { &known }
            );
        };
        let scenario = Scenario::parse(&finding.repro.scenario)
            .with_context(|| format!("failed to read the scenario of {}", finding.id))?;
        Ok(Self {
            scenario,
            finding: Some(finding),
        })
    }

    /// The status this request got when the finding was made.
    fn recorded(&self, place: usize) -> Option<String> {
        let record = self.finding.as_ref()?.exchanges.get(place)?;
        Some(outcome(record))
    }

    fn conclude(&self, judged: &Judged) -> u8 {
        let violated: Vec<(Fingerprint, Level)> = judged
            .judgements
            .iter()
            .filter_map(|judgement| match &judgement.outcome {
                Outcome::Violated { grade, .. } => Some((judgement.fingerprint()?, *grade)),
                _ => None,
            })
            .collect();
        let again = match &self.finding {
            Some(finding) => violated
                .iter()
                .any(|(fingerprint, _)| fingerprint.0 == finding.fingerprint),
            None => violated.iter().any(|(_, grade)| *grade == Level::Must),
        };
        let what = self
            .finding
            .as_ref()
            .map_or("a MUST deviation", |_| "the deviation");
        putln!(
            "\n{what} {}",
            if again {
                "shows again"
            } else {
                "does not show"
            }
        );
        if again {
            exit::DEVIATES
        } else {
            exit::AS_EXPECTED
        }
    }
}

async fn play(args: &Replay, scenario: &Scenario) -> anyhow::Result<(Vec<Record>, Judged)> {
    let (target, _server) = match endpoint(&args.aim)? {
        Some(endpoint) => (aim(&args.aim, &endpoint)?, None),
        None => {
            let server = embedded().await?;
            (
                aim(&args.aim, &format!("http://{}", server.address))?,
                Some(server),
            )
        }
    };
    let spec = Arc::new(Spec::builtin().clone());
    let run: RunStarted = started(&target, &spec, 0, 1);
    let arm = target.arm()?;
    let hand = Hand::new(
        target,
        arm,
        Arc::clone(&spec),
        Pace::new(1, None),
        Journal::discarding(),
        run.prefix,
    );
    let records = hand.try_out("replay", scenario).await;
    let judged = check::judge(&records, &spec, &Model::default());
    Ok((records, judged))
}

fn tell(place: usize, record: &Record, recorded: Option<String>, judged: &Judged) {
    let got = outcome(record);
    let line = record
        .exchange
        .as_ref()
        .map_or_else(String::new, |exchange| {
            format!(
                "{} {}",
                exchange.request.method,
                printable(&exchange.request.target())
            )
        });
    putln!("\n{:>3}  {line}", place + 1);
    let before = match recorded {
        Some(before) if before != got => format!("   (was: {})", printable(&before)),
        _ => String::new(),
    };
    putln!("     {}{before}", printable(&got));
    for judgement in judged
        .judgements
        .iter()
        .filter(|judgement| judgement.records.last() == Some(&place))
    {
        if let Outcome::Violated {
            expected, actual, ..
        } = &judgement.outcome
        {
            let rule = Registry::builtin()
                .get(&judgement.requirement)
                .map_or("", |requirement| requirement.statement.as_str());
            putln!(
                "     {}: {rule}\n       expected {}\n       got      {}",
                judgement.requirement,
                printable(expected),
                printable(actual)
            );
        }
    }
}

fn outcome(record: &Record) -> String {
    match (&record.exchange, &record.blocked) {
        (Some(exchange), _) => match &exchange.reply {
            Reply::Response(response) => {
                let code = response
                    .error_code()
                    .map(|code| format!(" {code}"))
                    .unwrap_or_default();
                format!("{}{code}, {} bytes", response.status, response.body.length)
            }
            Reply::Fault(fault) => format!("{NO_ANSWER}: {}", fault.detail),
        },
        (None, Some(why)) => format!("not sent: {why}"),
        (None, None) => "not sent".to_owned(),
    }
}
