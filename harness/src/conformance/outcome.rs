//! What becomes of each test: a function of the report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crevasse_core::requirement::{Registry, RequirementId};
use crevasse_core::verdict::Verdict;

use crate::found::Found;
use crate::report::assemble::is_nothing_verified;
use crate::report::document::{Report, RequirementFacts};
use crate::report::terminal::{Style, finding};
use crate::report::{again, printable, stale_entries, undecided};

/// The test that no entry of the baseline is stale.
pub(super) const STALE: &str = "baseline::stale";
/// The test that the run verified something, and all that was planned.
pub(super) const VERIFIED: &str = "run::verified";

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It holds.
    Passed,
    /// It does not, and this is the finding.
    Failed(String),
    /// It was not decided, for this reason.
    Ignored(String),
}

/// What became of each test, by name.
pub(super) type Outcomes = BTreeMap<String, Outcome>;

/// The name of the test about a requirement.
pub(super) fn name(id: &RequirementId) -> String {
    let known = Registry::builtin().get(id);
    let topic = known.map_or("unknown", |requirement| &requirement.topic);
    format!("{topic}::{id}")
}

/// Every test fails for one and the same reason: nothing was judged.
pub(super) fn all_failed<'a>(names: impl Iterator<Item = &'a String>, message: &str) -> Outcomes {
    names
        .map(|name| (name.clone(), Outcome::Failed(format!("{message}\n"))))
        .collect()
}

/// The outcomes that a report tells of what was found; `here` where the server is in this process, and answers to nobody else.
pub(super) fn outcomes(report: &Report, found: &Found, here: bool) -> Outcomes {
    let mut outcomes: Outcomes = report
        .requirements
        .iter()
        .map(|facts| (name(&facts.id), outcome(report, facts, here)))
        .collect();
    outcomes.insert(VERIFIED.to_owned(), verified(report, found));
    outcomes.insert(STALE.to_owned(), stale(report));
    outcomes
}

fn outcome(report: &Report, facts: &RequirementFacts, here: bool) -> Outcome {
    let about: Vec<_> = report.findings_about(facts).collect();
    match facts.verdict {
        _ if about.iter().any(|finding| finding.fails) => {
            let again = |about| match here {
                true => this_test_again(&name(&facts.id)),
                false => again(report, about),
            };
            let print = |about| finding(about, &again(about), Style::default());
            Outcome::Failed(about.into_iter().map(print).collect())
        }
        Verdict::Conforms => Outcome::Passed,
        _ if facts.unsettled => Outcome::Failed(undecided(facts, &about) + "\n"),
        _ => Outcome::Ignored(undecided(facts, &about)),
    }
}

/// The command that runs one test of this target again. Cargo calls the file of a target by its name and a hash.
fn this_test_again(test: &str) -> String {
    let file = std::env::current_exe().unwrap_or_default();
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let target = stem.rsplit_once('-').map_or(&*stem, |(name, _)| name);
    format!("cargo test --test {target} -- --exact {test}")
}

fn verified(report: &Report, found: &Found) -> Outcome {
    let supported = report.operations.iter().map(|facts| facts.supported);
    let mut wrong: Vec<String> = Vec::new();
    if is_nothing_verified(&report.requirements, supported) {
        let why = "no operation is there, or no requirement could be decided";
        wrong.push(format!("nothing was verified: {why}"));
    }
    if !report.run.complete {
        wrong.push("the run is incomplete: not everything that was planned was run".to_owned());
    }
    let faults = found.faults.iter().chain(&found.gone);
    wrong.extend(faults.map(|fault| printable(fault)));
    match wrong.is_empty() {
        true => Outcome::Passed,
        false => Outcome::Failed(wrong.join("\n") + "\n"),
    }
}

fn stale(report: &Report) -> Outcome {
    let lines: String = stale_entries(report)
        .map(|line| printable(&line) + "\n")
        .collect();
    match lines.is_empty() {
        true => Outcome::Passed,
        false => Outcome::Failed(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::StaleFacts;
    use crate::report::sample::report;

    #[test]
    fn a_deviation_fails_with_the_finding_as_the_command_prints_it() {
        let report = report();
        let all = outcomes(&report, &Found::default(), false);
        let finding = report
            .findings
            .iter()
            .find(|finding| finding.fails)
            .unwrap();
        let Outcome::Failed(text) = &all[&name(&finding.requirements[0])] else {
            panic!("{finding:?} fails");
        };
        let printed = crate::report::terminal::render(&report, Style::default());
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("error["), "{text}");
        assert!(text.contains("expected"), "{text}");
        assert!(
            printed.contains(text.lines().nth(1).unwrap()),
            "{printed}\n{text}"
        );
    }

    #[test]
    fn what_a_server_in_this_process_did_is_seen_again_by_the_test_alone() {
        let report = report();
        for (here, command) in [(true, "cargo test --test "), (false, "crevasse replay ")] {
            let all = outcomes(&report, &Found::default(), here);
            let failed = all.iter().filter_map(|(test, outcome)| match outcome {
                Outcome::Failed(text) if text.starts_with("error[") => Some((test, text)),
                _ => None,
            });
            let mut failed = failed.peekable();
            assert!(failed.peek().is_some());
            for (test, text) in failed {
                assert!(text.contains(command), "{text}");
                let named = text.contains(&format!(" -- --exact {test}\n"));
                assert_eq!(named, here, "{text}");
            }
        }
    }

    #[test]
    fn what_was_not_decided_is_ignored_and_says_why() {
        let report = report();
        let all = outcomes(&report, &Found::default(), false);
        for facts in &report.requirements {
            let fails = report.findings_about(facts).any(|finding| finding.fails);
            match &all[&name(&facts.id)] {
                Outcome::Passed => assert_eq!(facts.verdict, Verdict::Conforms),
                Outcome::Failed(_) => assert!(fails),
                Outcome::Ignored(why) => {
                    assert!(why.starts_with(facts.verdict.as_str()), "{why}");
                }
            }
        }
    }

    #[test]
    fn a_server_without_any_operation_verifies_nothing_whatever_conforms() {
        let mut report = report();
        let of = |report: &Report| outcomes(report, &Found::default(), false)[VERIFIED].clone();
        let fails = |outcome| matches!(outcome, Outcome::Failed(why) if why.contains("nothing was verified"));
        assert!(!fails(of(&report)));
        for facts in &mut report.operations {
            facts.supported = false;
        }
        assert!(fails(of(&report)));
    }

    #[test]
    fn a_stale_entry_and_a_run_that_verified_nothing_are_a_test_each() {
        let mut report = report();
        report.stale = vec![StaleFacts {
            entry: "CV-IDEM-002".to_owned(),
            reason: "fixed soon".to_owned(),
        }];
        report
            .requirements
            .iter_mut()
            .for_each(|facts| facts.verdict = Verdict::Untested);
        let all = outcomes(&report, &Found::default(), false);
        let stale = "stale baseline entry CV-IDEM-002 (fixed soon)\n";
        assert_eq!(all[STALE], Outcome::Failed(stale.to_owned()));
        assert!(
            matches!(&all[VERIFIED], Outcome::Failed(why) if why.starts_with("nothing was verified"))
        );
    }
}
