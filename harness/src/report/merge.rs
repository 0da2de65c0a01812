//! One report out of those of the shards of one run: what each of them saw counts once.
//! Refuses to judge: a verdict here follows from the verdicts there.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::spec::OperationName;
use crevasse_core::verdict::Verdict;

use super::assemble::{counts, is_nothing_verified, verdict_word};
use super::document::{
    CauseFacts, FindingFacts, OperationFacts, Report, RequirementFacts, StaleFacts, Summary,
};
use crate::exit;
use crate::shard::Shard;

/// Why reports cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("merge no reports at all")]
    Nothing,
    /// They do not judge by the same rules.
    #[error("merge reports of different {0}: shards of one run have the same")]
    Different(&'static str),
    /// Two reports are on the same share.
    #[error("merge two reports of shard {0}")]
    Twice(Shard),
}

/// Stands in the id of a merged report between that of its first shard and the number of the others.
pub const SHARDS: char = '+';

/// Merges the reports of shards. The order of the shards changes nothing but which of equal sightings is shown.
///
/// # Errors
/// When there is none, they judge by different specifications, requirements, profiles or seeds, or one share comes twice.
pub fn merge(reports: &[Report]) -> Result<Report, MergeError> {
    let first = reports.first().ok_or(MergeError::Nothing)?;
    are_alike(first, reports)?;
    let mut findings = findings(reports);
    let causes = renumber(&mut findings, reports);
    let requirements = requirements(reports, &findings);
    let stale = stale(reports, &requirements, &findings);
    let mut merged = Report {
        operations: operations(reports),
        leaks: reports
            .iter()
            .flat_map(|report| report.leaks.clone())
            .collect(),
        notes: in_any(reports, |report| &report.notes),
        stale,
        requirements,
        findings,
        causes,
        ..first.clone()
    };
    let runs = || reports.iter().map(|report| &report.run);
    if let Some(more) = reports.len().checked_sub(2) {
        // Findings are numbered anew: those of no shard are meant by these numbers.
        merged.run.id = format!("{}{SHARDS}{}", first.run.id, more + 1);
    }
    merged.run.jobs = runs().map(|run| run.jobs).sum();
    merged.run.seconds = runs().map(|run| run.seconds).fold(0.0, f64::max);
    let missing = missing(reports);
    merged.run.complete = runs().all(|run| run.complete) && missing.is_empty();
    merged.run.shard = Shard::WHOLE;
    let missing = missing
        .iter()
        .map(|shard| format!("shard {shard} is not among the reports"));
    merged
        .notes
        .extend(missing.chain(several_endpoints(reports)));
    let started = runs().map(|run| &run.started).min();
    merged.run.started = started.cloned().unwrap_or_default();
    merged.summary = summary(reports, &merged);
    Ok(merged)
}

fn are_alike(first: &Report, reports: &[Report]) -> Result<(), MergeError> {
    let differs =
        |what: fn(&Report) -> &str| reports.iter().any(|other| what(other) != what(first));
    if differs(|report| &report.spec.digest) {
        return Err(MergeError::Different("specifications"));
    }
    if differs(|report| &report.spec.registry) {
        return Err(MergeError::Different("requirements"));
    }
    if differs(|report| &report.run.profile) {
        return Err(MergeError::Different("profiles"));
    }
    if reports.iter().any(|other| other.run.seed != first.run.seed) {
        return Err(MergeError::Different("seeds"));
    }
    are_shares_of_one(reports)
}

fn are_shares_of_one(reports: &[Report]) -> Result<(), MergeError> {
    let all: BTreeSet<Shard> = reports[0].run.shard.all().collect();
    let mut seen = BTreeSet::new();
    for Report { run, .. } in reports {
        if !all.contains(&run.shard) {
            return Err(MergeError::Different("numbers of shards"));
        }
        if !seen.insert(run.shard) {
            return Err(MergeError::Twice(run.shard));
        }
    }
    Ok(())
}

/// The shares that nobody reported on.
fn missing(reports: &[Report]) -> BTreeSet<Shard> {
    let seen: BTreeSet<Shard> = reports.iter().map(|report| report.run.shard).collect();
    let all = reports.iter().flat_map(|report| report.run.shard.all());
    all.filter(|shard| !seen.contains(shard)).collect()
}

fn several_endpoints(reports: &[Report]) -> Option<String> {
    let all: BTreeSet<&str> = reports.iter().map(|report| &*report.run.endpoint).collect();
    let all: Vec<&str> = all.into_iter().collect();
    (all.len() > 1).then(|| format!("the shards asked different endpoints: {}", all.join(", ")))
}

/// Every finding once, by fingerprint: the shortest sighting that was seen again, and all counts. Each knows its symptom as its cause.
fn findings(reports: &[Report]) -> Vec<FindingFacts> {
    let mut all: IndexMap<String, FindingFacts> = IndexMap::new();
    for report in reports {
        for finding in &report.findings {
            let cause = report.causes.iter().find(|cause| cause.id == finding.cause);
            let symptom =
                cause.map_or_else(|| finding.cause.clone(), |cause| cause.symptom.clone());
            let finding = FindingFacts {
                cause: symptom,
                ..finding.clone()
            };
            match all.get_mut(&finding.fingerprint) {
                Some(known) => join(known, finding),
                None => drop(all.insert(finding.fingerprint.clone(), finding)),
            }
        }
    }
    all.into_values().collect()
}

fn join(known: &mut FindingFacts, other: FindingFacts) {
    let count = known.count + other.count;
    let level = known.level.max(other.level);
    let fails = known.fails || other.fails;
    let waived = known.waived.clone().filter(|_| other.waived.is_some());
    let worth = |finding: &FindingFacts| {
        let steps = finding.exchanges.len();
        (
            steps == 0,
            steps,
            finding.repro.scenario.len(),
            finding.case.clone(),
        )
    };
    if worth(&other) < worth(known) {
        *known = other;
    }
    known.count = count;
    known.level = level;
    known.fails = fails;
    known.waived = waived;
}

/// Numbers findings by cause, weightiest cause first and what is waived last, as in the report of one run.
fn renumber(findings: &mut Vec<FindingFacts>, reports: &[Report]) -> Vec<CauseFacts> {
    let mut by_symptom: BTreeMap<String, Vec<FindingFacts>> = BTreeMap::new();
    for finding in findings.drain(..) {
        let symptom = finding.cause.clone();
        by_symptom.entry(symptom).or_default().push(finding);
    }
    let mut causes: Vec<(String, Vec<FindingFacts>)> = by_symptom.into_iter().collect();
    for (_, members) in &mut causes {
        members.sort_by_key(|finding| {
            (
                finding.waived.is_some(),
                std::cmp::Reverse(finding.level),
                std::cmp::Reverse(finding.count),
                finding.fingerprint.clone(),
            )
        });
    }
    causes.sort_by_key(|(_, members)| {
        (
            members[0].waived.is_some(),
            std::cmp::Reverse(members[0].level),
            std::cmp::Reverse(members.len()),
            members[0].requirements.clone(),
        )
    });
    let mut facts = Vec::new();
    for (place, (symptom, members)) in causes.into_iter().enumerate() {
        let id = format!("C{}", place + 1);
        let first = findings.len();
        findings.extend(
            members
                .into_iter()
                .enumerate()
                .map(|(place, finding)| FindingFacts {
                    id: format!("F{}", first + place + 1),
                    cause: id.clone(),
                    ..finding
                }),
        );
        facts.push(cause(id, symptom, &findings[first..], reports));
    }
    facts
}

fn cause(id: String, symptom: String, members: &[FindingFacts], reports: &[Report]) -> CauseFacts {
    let operations: BTreeSet<OperationName> = members
        .iter()
        .filter_map(|finding| finding.operation)
        .collect();
    let told = reports
        .iter()
        .flat_map(|report| &report.causes)
        .find(|cause| cause.symptom == symptom);
    CauseFacts {
        id,
        title: told.map_or_else(|| members[0].title.clone(), |cause| cause.title.clone()),
        symptom,
        level: members[0].level,
        findings: members.iter().map(|finding| finding.id.clone()).collect(),
        operations: operations.into_iter().collect(),
    }
}

fn requirements(reports: &[Report], findings: &[FindingFacts]) -> Vec<RequirementFacts> {
    let mut all: IndexMap<&RequirementId, Vec<&RequirementFacts>> = IndexMap::new();
    for facts in reports.iter().flat_map(|report| &report.requirements) {
        all.entry(&facts.id).or_default().push(facts);
    }
    all.into_values()
        .map(|seen| requirement(&seen, findings))
        .collect()
}

fn requirement(seen: &[&RequirementFacts], findings: &[FindingFacts]) -> RequirementFacts {
    let lead = seen
        .iter()
        .min_by_key(|facts| rank(facts))
        .expect("a requirement is in the report that named it");
    let about = |finding: &&FindingFacts| finding.requirements.contains(&lead.id);
    RequirementFacts {
        held: seen.iter().map(|facts| facts.held).sum(),
        violated: seen.iter().map(|facts| facts.violated).sum(),
        findings: findings
            .iter()
            .filter(about)
            .map(|finding| finding.id.clone())
            .collect(),
        ..(*lead).clone()
    }
}

/// Which verdict speaks for all. One that was broken and did not repeat stays undecided, whatever others saw.
fn rank(facts: &RequirementFacts) -> u8 {
    match facts.verdict {
        Verdict::Deviates => 0,
        Verdict::Waived => 1,
        Verdict::Inconclusive if facts.violated > 0 => 2,
        Verdict::Conforms => 3,
        Verdict::Inconclusive => 4,
        Verdict::Untested => 5,
        Verdict::Unsupported => 6,
    }
}

fn operations(reports: &[Report]) -> Vec<OperationFacts> {
    let mut all: IndexMap<OperationName, OperationFacts> = IndexMap::new();
    for facts in reports.iter().flat_map(|report| &report.operations) {
        let known = all.entry(facts.name).or_insert_with(|| facts.clone());
        if facts.supported && !known.supported {
            *known = facts.clone();
        }
    }
    all.into_values().collect()
}

fn in_any<T: Clone + PartialEq>(reports: &[Report], of: fn(&Report) -> &Vec<T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for item in reports.iter().flat_map(of) {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all
}

/// Entries that match nothing that any shard found: a rule can be waived for what was seen and did not come again.
fn stale(
    reports: &[Report],
    requirements: &[RequirementFacts],
    findings: &[FindingFacts],
) -> Vec<StaleFacts> {
    let waived = |entry: &StaleFacts| {
        let mut waived = requirements
            .iter()
            .filter(|it| it.verdict == Verdict::Waived);
        waived.any(|facts| facts.id.as_str() == entry.entry)
    };
    let matches = |entry: &StaleFacts, finding: &FindingFacts| {
        let words: Vec<&str> = entry.entry.split(' ').collect();
        let by_rule = words.len() == 1 && words[0] == finding.requirements[0].as_str();
        by_rule || words.contains(&finding.fingerprint.as_str())
    };
    let mut stale = in_any(reports, |report| &report.stale);
    stale.retain(|entry| !waived(entry) && !findings.iter().any(|finding| matches(entry, finding)));
    stale
}

fn summary(reports: &[Report], merged: &Report) -> Summary {
    let total = |of: fn(&Summary) -> usize| reports.iter().map(|report| of(&report.summary)).sum();
    let mut operations = merged.summary.operations;
    operations.supported = merged
        .operations
        .iter()
        .filter(|facts| facts.supported)
        .count();
    let exercised = reports
        .iter()
        .map(|report| report.summary.operations.exercised);
    operations.exercised = exercised.max().unwrap_or_default();
    let code = code(reports, merged);
    Summary {
        verdict: verdict_word(code).to_owned(),
        exit_code: code,
        cases: total(|summary| summary.cases),
        exchanges: total(|summary| summary.exchanges),
        findings: merged.findings.len(),
        causes: merged.causes.len(),
        must: counts(&merged.requirements, Level::Must),
        should: counts(&merged.requirements, Level::Should),
        may: counts(&merged.requirements, Level::May),
        operations,
    }
}

/// The code of the whole: what stopped one shard stops it; that one shard verified nothing does not matter when another did.
fn code(reports: &[Report], merged: &Report) -> u8 {
    let own =
        |code: &u8| ![exit::DEVIATES, exit::INCOMPLETE, exit::NOTHING_VERIFIED].contains(code);
    let of = |report: &Report| report.summary.exit_code;
    let mut codes: Vec<u8> = reports.iter().map(of).filter(own).collect();
    let fails = |finding: &FindingFacts| finding.fails && finding.waived.is_none();
    let lacking = |report: &Report| report.operations.iter().any(OperationFacts::is_missing);
    // A shard that deviates and has neither a failing finding nor a missing operation does so for stale entries, under --strict.
    let stale = |report: &Report| {
        of(report) == exit::DEVIATES && !report.findings.iter().any(fails) && !lacking(report)
    };
    let still_stale = !merged.stale.is_empty() && reports.iter().any(stale);
    if merged.findings.iter().any(fails) || lacking(merged) || still_stale {
        codes.push(exit::DEVIATES);
    }
    if !merged.run.complete || merged.requirements.iter().any(|facts| facts.unsettled) {
        codes.push(exit::INCOMPLETE);
    }
    let supported = merged.operations.iter().map(|facts| facts.supported);
    if is_nothing_verified(&merged.requirements, supported) {
        codes.push(exit::NOTHING_VERIFIED);
    }
    exit::weightiest(codes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// The golden report, as that of a share.
    fn shard(index: usize, of: usize) -> Report {
        let mut report = sample::report();
        report.run.shard = format!("{index}/{of}").parse().unwrap();
        report
    }

    /// The golden report, of which one shard saw the findings with even numbers and the other those with odd ones.
    fn shards() -> [Report; 2] {
        [0, 1].map(|which| {
            let mut report = shard(which + 1, 2);
            let mut place = 0;
            report.findings.retain(|_| {
                place += 1;
                place % 2 == which
            });
            let left: Vec<String> = report
                .findings
                .iter()
                .map(|finding| finding.id.clone())
                .collect();
            for facts in &mut report.requirements {
                facts.findings.retain(|id| left.contains(id));
                if facts.verdict == Verdict::Deviates && facts.findings.is_empty() {
                    facts.verdict = Verdict::Untested;
                    facts.violated = 0;
                }
            }
            report
        })
    }

    #[test]
    fn shards_of_a_run_merge_into_its_findings_and_verdicts() {
        let whole = sample::report();
        let [a, b] = shards();
        let merged = merge(&[a, b]).unwrap();
        let prints = |report: &Report| -> BTreeSet<String> {
            report
                .findings
                .iter()
                .map(|finding| finding.fingerprint.clone())
                .collect()
        };
        assert_eq!(prints(&merged), prints(&whole));
        assert_eq!(
            merged.summary.must,
            counts(&whole.requirements, Level::Must)
        );
        assert_eq!(merged.summary.exit_code, whole.summary.exit_code);
        assert_eq!(merged.summary.cases, 2 * whole.summary.cases);
    }

    #[test]
    fn the_order_of_shards_does_not_matter() {
        let [a, b] = shards();
        let (one, other) = (
            merge(&[a.clone(), b.clone()]).unwrap(),
            merge(&[b, a]).unwrap(),
        );
        assert_eq!(one.findings, other.findings);
        assert_eq!(one.causes, other.causes);
        assert_eq!(one.summary, other.summary);
    }

    #[test]
    fn ids_are_numbered_anew_and_lead_to_each_other() {
        let [a, b] = shards();
        let merged = merge(&[b, a]).unwrap();
        for (place, finding) in merged.findings.iter().enumerate() {
            assert_eq!(finding.id, format!("F{}", place + 1));
            let cause = merged
                .causes
                .iter()
                .find(|cause| cause.id == finding.cause)
                .unwrap();
            assert!(cause.findings.contains(&finding.id));
        }
    }

    #[test]
    fn the_same_finding_of_two_shards_is_one_with_both_counts() {
        let whole = sample::report();
        let merged = merge(&[shard(1, 2), shard(2, 2)]).unwrap();
        assert_eq!(merged.findings.len(), whole.findings.len());
        let count = |report: &Report| -> usize {
            report.findings.iter().map(|finding| finding.count).sum()
        };
        assert_eq!(count(&merged), 2 * count(&whole));
    }

    #[test]
    fn what_one_shard_alone_could_not_verify_fails_nobody_and_an_interrupted_one_speaks_for_all() {
        let mut idle = shard(2, 2);
        idle.findings.clear();
        idle.causes.clear();
        for facts in &mut idle.requirements {
            facts.verdict = Verdict::Untested;
            facts.findings.clear();
        }
        idle.summary.exit_code = exit::NOTHING_VERIFIED;
        let other = shard(1, 2);
        assert_eq!(
            merge(&[idle.clone(), other.clone()])
                .unwrap()
                .summary
                .exit_code,
            exit::DEVIATES
        );
        let mut alone = idle.clone();
        alone.run.shard = Shard::WHOLE;
        assert_eq!(
            merge(&[alone]).unwrap().summary.exit_code,
            exit::NOTHING_VERIFIED
        );
        idle.summary.exit_code = exit::INTERRUPTED;
        assert_eq!(
            merge(&[other, idle]).unwrap().summary.exit_code,
            exit::INTERRUPTED
        );
    }

    #[test]
    fn a_share_that_is_missing_leaves_the_whole_incomplete_and_one_that_comes_twice_is_refused() {
        let shares = |shares: &[(usize, usize)]| {
            let reports: Vec<Report> = shares
                .iter()
                .map(|(index, of)| shard(*index, *of))
                .collect();
            merge(&reports)
        };
        let merged = shares(&[(1, 3), (3, 3)]).unwrap();
        let missing = "shard 2/3 is not among the reports".to_owned();
        assert!(!merged.run.complete && merged.notes.contains(&missing));
        assert!(shares(&[(2, 2), (1, 2)]).unwrap().run.complete);
        let twice = MergeError::Twice("1/2".parse().unwrap());
        assert_eq!(shares(&[(1, 2), (1, 2)]), Err(twice));
        let numbers = Err(MergeError::Different("numbers of shards"));
        assert_eq!(shares(&[(1, 2), (2, 3)]), numbers);
    }

    #[test]
    fn reports_by_other_rules_are_refused() {
        let (one, mut other) = (sample::report(), sample::report());
        other.spec.digest = "sha256:00".to_owned();
        assert_eq!(
            merge(&[one, other]),
            Err(MergeError::Different("specifications"))
        );
        assert_eq!(merge(&[]), Err(MergeError::Nothing));
    }

    #[test]
    fn an_entry_is_stale_only_when_no_shard_found_it() {
        let [mut a, b] = shards();
        let found = b.findings[0].clone();
        let entry = format!("{} {}", found.requirements[0], found.fingerprint);
        a.stale = vec![StaleFacts {
            entry,
            reason: "known".to_owned(),
        }];
        let merged = merge(&[a, b.clone()]).unwrap();
        assert_eq!(merged.stale, b.stale);
    }
}
