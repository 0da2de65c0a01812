//! `crevasse replay`: a finding or a scenario again, step by step, with what changed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use crevasse::campaign::{Stop, irreversible};
use crevasse::event::RunStarted;
use crevasse::execute::{Hand, Pace, Target};
use crevasse::exit;
use crevasse::journal::Journal;
use crevasse::replay::{Replayed, replay};
use crevasse::report::document::FindingFacts;
use crevasse::report::{Report, printable};
use crevasse::run::started;
use crevasse::scenarios::written;
use crevasse_core::check::rules::NO_ANSWER;
use crevasse_core::check::{Group, Judgement, Outcome, Record};
use crevasse_core::requirement::{Level, Registry};
use crevasse_core::scenario::Scenario;
use crevasse_core::spec::Spec;
use crevasse_core::wire::{Exchange, Reply};
use crevasse_reference::ServerHandle;

use super::load::{LATEST, load};
use super::run::{aim, endpoint, failure};
use super::serve::embedded;
use super::{Failure, interrupt, read};
use crate::args::Replay;

pub(crate) fn run(args: &Replay) -> anyhow::Result<u8> {
    let again = Again::of(args)?;
    let runtime = super::runtime(0)?;
    let replayed = runtime.block_on(play(args, &again))?;
    putln!(
        "{}: {}",
        again.scenario.id,
        printable(&again.scenario.title)
    );
    tell_all(&again, &replayed.records, &replayed.judgements);
    Ok(again.conclude(&replayed))
}

/// What is played again, and what it looked like before.
struct Again {
    scenario: Scenario,
    finding: Option<FindingFacts>,
    place: Option<Place>,
}

/// Where a finding was made.
struct Place {
    built_in: bool,
    endpoint: String,
}

/// The scenario that a file holds, alone or as the only one of a list.
fn in_file(path: &Path) -> anyhow::Result<Scenario> {
    let text = read(path)?;
    match Scenario::parse_list(&text).as_deref() {
        Ok([scenario]) => Ok(scenario.clone()),
        Ok(list) => bail!(
            "{} is a list of {} scenarios, and one is played at a time: save the one that is meant to a file of its own",
            path.display(),
            list.len()
        ),
        Err(_) => Scenario::parse(&text)
            .with_context(|| format!("failed to read {} as a scenario", path.display())),
    }
}

impl Again {
    fn of(args: &Replay) -> anyhow::Result<Self> {
        let path = Path::new(&args.what);
        if path.exists() {
            return Ok(Self::alone(in_file(path)?));
        }
        if let Some(scenario) = written().iter().find(|scenario| scenario.id == args.what) {
            return Ok(Self::alone(scenario.clone()));
        }
        let from = args.from.as_deref().unwrap_or(Path::new(LATEST));
        let report = load(from, args.run_dir.as_deref())?.report;
        let Some(finding) = wanted(&report, &args.what) else {
            bail!(
                "there is neither a file, a written scenario nor a finding called {} ({} has {})",
                args.what,
                match from == Path::new(LATEST) {
                    true => format!("the latest run, {},", report.run.id),
                    false => from.display().to_string(),
                },
                known(&report)
            );
        };
        let scenario = Scenario::parse(&finding.repro.scenario)
            .with_context(|| format!("failed to read the scenario of {}", finding.id))?;
        Ok(Self {
            scenario,
            finding: Some(finding.clone()),
            place: Some(Place {
                built_in: report.run.built_in,
                endpoint: report.run.endpoint,
            }),
        })
    }

    /// A scenario of which nothing is known but its steps.
    fn alone(scenario: Scenario) -> Self {
        Self {
            scenario,
            finding: None,
            place: None,
        }
    }

    /// The status this request got when the finding was made.
    fn recorded(&self, place: usize) -> Option<String> {
        let record = self.finding.as_ref()?.exchanges.get(place)?;
        Some(outcome(record))
    }

    fn conclude(&self, replayed: &Replayed) -> u8 {
        let judgements = replayed.judgements.iter();
        let held = judgements
            .clone()
            .filter(|judgement| judgement.outcome == Outcome::Held);
        let mut violated =
            judgements.filter(|judgement| matches!(judgement.outcome, Outcome::Violated { .. }));
        let all_asked = replayed.records.iter().all(|it| it.exchange.is_some());
        let (shows, code) = match &self.finding {
            Some(finding) => {
                let is_it = |judgement: &Judgement| {
                    let fingerprint = judgement.fingerprint();
                    fingerprint.is_some_and(|print| print.0 == finding.fingerprint)
                };
                let of_its_rule =
                    |judgement: &Judgement| finding.requirements.contains(&judgement.requirement);
                match violated.clone().any(is_it) {
                    true => ("the deviation shows again", exit::DEVIATES),
                    false if violated.any(of_its_rule) => (
                        "the deviation does not show as it did, but another from its rule does",
                        exit::DEVIATES,
                    ),
                    false if all_asked || held.into_iter().any(of_its_rule) => {
                        ("the deviation does not show", exit::AS_EXPECTED)
                    }
                    false => (
                        "whether the deviation shows could not be found out: not all steps could be sent",
                        exit::NOTHING_VERIFIED,
                    ),
                }
            }
            None => match violated.any(is_must) {
                true => ("a MUST deviation shows", exit::DEVIATES),
                false if held.count() > 0 => ("no MUST deviation shows", exit::AS_EXPECTED),
                false => ("nothing could be judged", exit::NOTHING_VERIFIED),
            },
        };
        putln!("\n{shows}");
        code
    }
}

/// The finding of a report with this id or fingerprint, or the first of the cause with this id.
fn wanted<'a>(report: &'a Report, name: &str) -> Option<&'a FindingFacts> {
    let cause = report.causes.iter().find(|cause| cause.id == name);
    let id = cause.and_then(|cause| cause.findings.first());
    let id = id.map_or(name, String::as_str);
    let mut findings = report.findings.iter();
    findings.find(|finding| finding.id == id || finding.fingerprint == id)
}

/// The findings that a report has.
fn known(report: &Report) -> String {
    match report.findings.as_slice() {
        [] => "none".to_owned(),
        [only] => only.id.clone(),
        [first, .., last] => format!("{} to {}", first.id, last.id),
    }
}

/// Who is asked: the endpoint that is said, else that of the report, else the reference server.
async fn asked(
    args: &Replay,
    place: Option<&Place>,
) -> anyhow::Result<(Target, Option<ServerHandle>)> {
    let endpoint = match (endpoint(&args.aim)?, place) {
        (Some(_), _) if !args.fault.is_empty() => {
            bail!("--fault is for the built-in reference server, not for an endpoint")
        }
        (Some(endpoint), _) => endpoint,
        (None, Some(place)) if !place.built_in && args.fault.is_empty() => {
            if !aim(&args.aim, &place.endpoint)?.is_loopback() {
                bail!(
                    "the report was made of {0}; say --endpoint {0} if it is meant",
                    place.endpoint
                );
            }
            place.endpoint.clone()
        }
        _ => {
            let server = embedded(&args.fault).await?;
            let target = aim(&args.aim, &format!("http://{}", server.address))?;
            return Ok((target, Some(server)));
        }
    };
    Ok((aim(&args.aim, &endpoint)?, None))
}

async fn play(args: &Replay, again: &Again) -> anyhow::Result<Replayed> {
    let scenario = &again.scenario;
    let (target, server) = asked(args, again.place.as_ref()).await?;
    is_allowed(args, &target, scenario)?;
    match &server {
        Some(_) => putln!("asked: the built-in reference server"),
        None => putln!("asked: {}", target.endpoint()),
    }
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
    let stop = Stop::default();
    interrupt::listen(stop.clone()).context("failed to listen for signals")?;
    let cut = async {
        stop.wait().await;
        hand.cut_short();
        std::future::pending().await
    };
    let replayed = tokio::select! {
        replayed = replay(hand.clone(), &spec, scenario.clone()) => replayed,
        never = cut => never,
    };
    for leak in hand.leaks() {
        eprintln!(
            "note: left behind: {} {} ({})",
            leak.kind, leak.name, leak.reason
        );
    }
    if stop.asked() {
        return Err(Failure {
            code: exit::INTERRUPTED,
            message: "interrupted before it was over".to_owned(),
        }
        .into());
    }
    replayed.map_err(|why| match failure(&why) {
        Failure { code, message } if args.aim.endpoint.is_none() && again.place.is_some() => {
            let message = format!("{message} --endpoint says where it is now");
            Failure { code, message }.into()
        }
        failure => failure.into(),
    })
}

/// What cannot be undone or costs money is asked of nobody off loopback unless that is allowed.
fn is_allowed(args: &Replay, target: &Target, scenario: &Scenario) -> anyhow::Result<()> {
    let asked = irreversible(&scenario.steps);
    let missing: Vec<String> = asked
        .iter()
        .filter(|name| !target.is_loopback() && !args.allow.contains(name))
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(",");
    bail!("off loopback this cannot be undone or costs money; say --allow {missing} if it is meant")
}

fn is_must(judgement: &Judgement) -> bool {
    matches!(
        judgement.outcome,
        Outcome::Violated {
            grade: Level::Must,
            ..
        }
    )
}

/// What is told of each step: polls that show nothing new are passed over, and a violation stands where it shows first.
fn tell_all(again: &Again, records: &[Record], judgements: &[Judgement]) {
    let mut told = BTreeSet::new();
    for (place, record) in records.iter().enumerate() {
        let here = judgements
            .iter()
            .filter(|judgement| judgement.records.last() == Some(&place));
        let new: Vec<&Judgement> = here
            .filter(|judgement| {
                let fingerprint = judgement.fingerprint();
                fingerprint.is_some_and(|fingerprint| told.insert(fingerprint))
            })
            .collect();
        if new.is_empty() && is_polled_again(record, records.get(place + 1)) {
            continue;
        }
        tell(place, record, again.recorded(place));
        new.into_iter().for_each(tell_violation);
    }
}

/// Whether the next request is another poll of the same job.
fn is_polled_again(record: &Record, next: Option<&Record>) -> bool {
    let is_poll = |record: &Record| record.group == Some(Group::Await);
    next.is_some_and(|next| is_poll(record) && is_poll(next) && record.step == next.step)
}

fn tell(place: usize, record: &Record, recorded: Option<String>) {
    let got = outcome(record);
    let line = match &record.exchange {
        Some(Exchange { request, .. }) => {
            format!("{} {}", request.method, printable(&request.target()))
        }
        None => record
            .action
            .operation()
            .map_or_else(String::new, |name| name.to_string()),
    };
    putln!("\n{:>3}  {line}", place + 1);
    let before = match recorded {
        Some(before) if before != got => format!("   (was: {})", printable(&before)),
        _ => String::new(),
    };
    putln!("     {}{before}", printable(&got));
}

fn tell_violation(judgement: &Judgement) {
    let Outcome::Violated {
        expected, actual, ..
    } = &judgement.outcome
    else {
        return;
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_list_only_a_single_scenario_can_be_meant() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenarios.yaml");
        let one = "- {id: a, title: t, steps: [{ListVaults: {}}]}\n";
        std::fs::write(&file, one).unwrap();
        assert_eq!(in_file(&file).unwrap().id, "a");
        std::fs::write(&file, one.repeat(2)).unwrap();
        let why = in_file(&file).unwrap_err().to_string();
        assert!(why.contains("a list of 2 scenarios"), "{why}");
    }
}
