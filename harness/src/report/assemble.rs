//! Makes the report document out of what a run left: one function of facts, the same live and from a journal.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crevasse_core::baseline::{Baseline, Entry};
use crevasse_core::finding::{
    Deviation, Fingerprint, ROBUSTNESS, ROBUSTNESS_RULE, ROBUSTNESS_SOURCE, Tally,
};
use crevasse_core::requirement::{Level, Registry, Requirement, RequirementId};
use crevasse_core::spec::OperationName;
use crevasse_core::verdict::Verdict;

use super::causes::{by_cause, shared};
use super::document::{
    CauseFacts, Counts, FindingFacts, LeakFacts, OperationCounts, OperationFacts, Report, Repro,
    RequirementFacts, RunFacts, SCHEMA, SpecFacts, StaleFacts, Summary, Tool,
};
use super::script::{Claim, script};
use crate::event::{Capability, Leak, RunStarted, Terms};
use crate::exit;
use crate::found::{Doubt, Found, Reproduction, Untried};

/// Makes the report.
pub fn assemble(run: &RunStarted, found: &Found) -> Report {
    let terms = &found.terms;
    let desk = Desk { found, terms };
    let causes = desk.causes();
    let order: Vec<&Deviation> = causes.iter().flatten().copied().collect();
    let ids: BTreeMap<&Fingerprint, String> = order
        .iter()
        .enumerate()
        .map(|(place, deviation)| (&deviation.fingerprint, format!("F{}", place + 1)))
        .collect();
    let requirements: Vec<RequirementFacts> = desk
        .requirements()
        .map(|requirement| desk.requirement(requirement, &ids))
        .collect();
    let findings = desk.findings(&causes, &ids);
    let stale_entries = desk.stale(&requirements);
    let summary = desk.summary(&requirements, &findings, causes.len(), &stale_entries);
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool {
            name: "crevasse".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        spec: SpecFacts {
            name: run.spec.clone(),
            digest: run.spec_digest.clone(),
            registry: Registry::builtin().digest().to_owned(),
        },
        run: run_facts(run, found),
        target: terms.target.clone(),
        summary,
        operations: desk.operations().collect(),
        requirements,
        causes: desk.cause_facts(&causes, &ids),
        findings,
        leaks: found.leaks.iter().map(leak).collect(),
        stale: stale_entries
            .into_iter()
            .map(|entry| stale(entry, &found.terms.today))
            .collect(),
        notes: notes(found),
    }
}

/// The baseline of a run, brought up to date: what the report finds is accepted, and what was not judged keeps its entry.
pub fn up_to_date(found: &Found) -> Baseline {
    let terms = &found.terms;
    let desk = Desk { found, terms };
    let ids = BTreeMap::new();
    let requirements: Vec<RequirementFacts> = desk
        .requirements()
        .map(|requirement| desk.requirement(requirement, &ids))
        .collect();
    let accepted: Vec<&Deviation> = desk.counted().collect();
    let stale = desk.stale(&requirements);
    terms.baseline.updated(&accepted, &stale, &terms.today)
}

fn run_facts(run: &RunStarted, found: &Found) -> RunFacts {
    RunFacts {
        id: run.run.clone(),
        seed: run.seed,
        profile: format!("{:?}", run.profile).to_lowercase(),
        endpoint: run.endpoint.clone(),
        jobs: run.jobs,
        started: run.started.iso(),
        seconds: found.seconds,
        complete: found.is_complete(),
        built_in: found.terms.built_in,
        shard: run.shard,
        options: run.options.clone(),
    }
}

/// An entry that counts no more, or matches nothing: `reason` says which, where it is the day.
fn stale(entry: &Entry, today: &str) -> StaleFacts {
    let names = [
        entry.requirement.as_ref().map(ToString::to_string),
        entry.fingerprint.as_ref().map(ToString::to_string),
    ];
    StaleFacts {
        entry: names.into_iter().flatten().collect::<Vec<_>>().join(" "),
        reason: match &entry.expires {
            Some(last) if last.as_str() < today => format!("expired on {last}: {}", entry.reason),
            _ => entry.reason.clone(),
        },
    }
}

fn leak(leak: &Leak) -> LeakFacts {
    LeakFacts {
        kind: leak.kind.clone(),
        name: leak.name.clone(),
        reason: leak.reason.clone(),
    }
}

fn notes(found: &Found) -> Vec<String> {
    let faults = found
        .faults
        .iter()
        .map(|fault| format!("fault of crevasse: {fault}"));
    let gone = found
        .gone
        .iter()
        .map(|why| format!("the target stopped answering: {why}"));
    let unreachable = found
        .unreachable
        .iter()
        .map(|why| format!("failed to {why}"));
    let spent = found
        .spent
        .iter()
        .map(|bound| format!("the run was ended by its budget: {bound}"));
    let waiting = (found.waiting > 0).then(|| {
        format!(
            "{} cases wait for their jobs: `crevasse run --resume` goes on with them",
            found.waiting
        )
    });
    let unresolved = (found.unresolved > 0).then(|| {
        format!(
            "jobs of {} cases were not over in time: `patience` in the file of `--target` gives them more",
            found.unresolved
        )
    });
    faults
        .chain(nobody(&found.capabilities))
        .chain(gone)
        .chain(unreachable)
        .chain(spent)
        .chain(topic_refused(found))
        .chain(put_off(&found.put_off))
        .chain(waiting)
        .chain(unresolved)
        .chain(found.terms.notes.iter().cloned())
        .collect()
}

/// That nothing of the vault API is there, with the answer that came instead: alike whatever was asked, it is nobody's who speaks it.
fn nobody(capabilities: &[Capability]) -> Option<String> {
    const DOUBT: &str = "Is this the endpoint of a Glacier service? \
        A server that goes by the host's name wants `--host-header glacier.REGION.amazonaws.com`";
    let mut answers: BTreeMap<&str, usize> = BTreeMap::new();
    for capability in capabilities {
        *answers.entry(&capability.reason).or_default() += 1;
    }
    let (answer, times) = answers.into_iter().max_by_key(|(_, times)| *times)?;
    if capabilities.iter().all(|capability| !capability.supported) {
        return Some(format!(
            "no operation of the vault API is there, or works: most {answer}. {DOUBT}"
        ));
    }
    (times > 1 && times == capabilities.len())
        .then(|| format!("every operation of the vault API {answer}. {DOUBT}"))
}

/// That no topic was ever taken, which documents allow: what depends on one was not judged.
fn topic_refused(found: &Found) -> Option<String> {
    let tally = found.ledger.tallies.get("SVN-STATUS-001")?;
    let why = tally.inconclusive.first().filter(|_| tally.held == 0)?;
    Some(format!(
        "SetVaultNotifications never succeeded, {why}: `--sns-topic ARN` names a topic that the target knows"
    ))
}

/// What a retry must not hide.
fn put_off(times: &BTreeMap<u16, usize>) -> Option<String> {
    let all: usize = times.values().sum();
    let told = times.iter().map(|(status, times)| match status {
        0 => format!("connection refused or closed ×{times}"),
        status => format!("{status} ×{times}"),
    });
    let told = told.collect::<Vec<_>>().join(", ");
    (all > 0).then(|| format!("{all} requests were answered only when sent again: {told}"))
}

struct Desk<'a> {
    found: &'a Found,
    terms: &'a Terms,
}

impl<'a> Desk<'a> {
    fn defines(&self, operation: &OperationName) -> bool {
        self.terms.operations.contains(operation)
    }

    fn operations(&self) -> impl Iterator<Item = OperationFacts> {
        let target = self.terms.target.as_ref();
        let capabilities = self.found.capabilities.iter();
        capabilities.map(move |capability| OperationFacts {
            name: capability.operation,
            supported: capability.supported,
            reason: capability.reason.clone(),
            expected: target.is_some_and(|facts| facts.operations.contains(&capability.operation)),
        })
    }

    /// Every requirement that the specification's operations bear on and that was asked for.
    fn requirements(&self) -> impl Iterator<Item = &'static Requirement> {
        let terms = self.terms;
        Registry::builtin().iter().filter(move |requirement| {
            let defined = requirement.operations.is_empty()
                || requirement
                    .operations
                    .iter()
                    .any(|name| terms.operations.contains(name));
            defined && (terms.selected.is_empty() || terms.selected.contains(&requirement.id))
        })
    }

    /// Deviations that repeat and that were asked for.
    fn counted(&self) -> impl Iterator<Item = &'a Deviation> {
        let wanted: BTreeSet<&RequirementId> = self
            .requirements()
            .map(|requirement| &requirement.id)
            .collect();
        let found = self.found;
        found.ledger.deviations.values().filter(move |deviation| {
            let by_rule = wanted.contains(&deviation.requirement);
            (by_rule || deviation.requirement == ROBUSTNESS)
                && !found.flaky.contains_key(&deviation.fingerprint)
        })
    }

    /// The same by cause; what the baseline waives comes last.
    fn causes(&self) -> Vec<Vec<&'a Deviation>> {
        let counted: BTreeSet<&Fingerprint> = self.counted().map(|it| &it.fingerprint).collect();
        let counts = |deviation: &Deviation| counted.contains(&deviation.fingerprint);
        let mut causes = by_cause(self.found, counts);
        let is_waived = |deviation: &&Deviation| self.waiver(deviation).is_some();
        for cause in &mut causes {
            cause.sort_by_key(is_waived);
        }
        causes.sort_by_key(|cause| cause.iter().all(is_waived));
        causes
    }

    fn waiver(&self, deviation: &Deviation) -> Option<&'a str> {
        self.terms
            .baseline
            .waives(deviation, &self.terms.today)
            .map(|entry| entry.reason.as_str())
    }

    fn is_supported(&self, name: &OperationName) -> bool {
        let probed = self
            .found
            .capabilities
            .iter()
            .find(|facts| facts.operation == *name);
        probed.is_none_or(|facts| facts.supported)
    }

    /// A requirement's level; where the part of it was broken that is firmer than the rest, the level of that.
    fn level(&self, requirement: &Requirement, verdict: Verdict, own: &[&Deviation]) -> Level {
        let broken = matches!(verdict, Verdict::Deviates | Verdict::Waived);
        let settled = own
            .iter()
            .filter(|deviation| broken && !self.found.flaky.contains_key(&deviation.fingerprint));
        let grades = settled.map(|deviation| deviation.grade);
        grades.fold(requirement.level, Level::max)
    }

    fn requirement(
        &self,
        requirement: &Requirement,
        ids: &BTreeMap<&Fingerprint, String>,
    ) -> RequirementFacts {
        let tally = self.found.ledger.tallies.get(&requirement.id);
        let deviations: Vec<&Deviation> = self
            .found
            .ledger
            .deviations
            .values()
            .filter(|deviation| deviation.requirement == requirement.id)
            .collect();
        let doubt = self.doubt(requirement, &deviations);
        let (verdict, reason) = match doubt {
            Some(doubt) => (Verdict::Inconclusive, Some(doubt.why.clone())),
            None => self.verdict(requirement, tally, &deviations),
        };
        let witness = tally
            .and_then(|tally| tally.witness.as_ref())
            .filter(|_| verdict == Verdict::Conforms);
        let named: Vec<String> = requirement
            .operations
            .iter()
            .filter(|name| self.defines(name))
            .map(ToString::to_string)
            .collect();
        let evidence: Vec<String> = requirement
            .evidence
            .iter()
            .map(ToString::to_string)
            .collect();
        RequirementFacts {
            id: requirement.id.clone(),
            operation: if named.is_empty() {
                "(all operations)".to_owned()
            } else {
                named.join(", ")
            },
            level: self.level(requirement, verdict, &deviations),
            evidence: evidence.join("+"),
            verdict,
            held: tally.map_or(0, |tally| tally.held),
            violated: tally.map_or(0, |tally| tally.violated + tally.weakly_violated),
            findings: deviations
                .iter()
                .filter_map(|deviation| ids.get(&deviation.fingerprint).cloned())
                .collect(),
            witness: witness.map(|(case, record)| format!("{case}#{record}")),
            reason,
            unsettled: doubt.is_some_and(|doubt| doubt.unsettles)
                && requirement.level == Level::Must
                && requirement.can_fail(),
        }
    }

    /// Of a rule's deviations, those that nobody waives: which repeated, and which did not.
    fn unwaived(
        &self,
        requirement: &Requirement,
        deviations: &[&'a Deviation],
    ) -> (Vec<&'a Deviation>, Vec<&'a Deviation>) {
        deviations
            .iter()
            .filter(|deviation| deviation.grade >= requirement.level)
            .filter(|deviation| self.waiver(deviation).is_none())
            .partition(|deviation| !self.found.flaky.contains_key(&deviation.fingerprint))
    }

    /// Why it is open whether a rule holds: it was seen broken, and never each time again.
    fn doubt(&self, requirement: &Requirement, deviations: &[&'a Deviation]) -> Option<&'a Doubt> {
        let (settled, flaky) = self.unwaived(requirement, deviations);
        let once = flaky.first().filter(|_| settled.is_empty())?;
        self.found.flaky.get(&once.fingerprint)
    }

    fn verdict(
        &self,
        requirement: &Requirement,
        tally: Option<&Tally>,
        deviations: &[&'a Deviation],
    ) -> (Verdict, Option<String>) {
        let supported = requirement.operations.is_empty()
            || requirement
                .operations
                .iter()
                .any(|name| self.is_supported(name));
        let (settled, _) = self.unwaived(requirement, deviations);
        let verdict = Verdict::conclude(tally, !settled.is_empty(), supported);
        match (verdict, self.found.untried.get(&requirement.id)) {
            (Verdict::Untested, Some(Untried::Blocked(why))) => {
                (Verdict::Inconclusive, Some(why.clone()))
            }
            (Verdict::Untested, Some(Untried::NotRun(why))) => (verdict, Some(why.clone())),
            (Verdict::Untested, None) => (verdict, Some(untried(requirement))),
            (Verdict::Unsupported, _) => (verdict, self.absence(requirement)),
            (Verdict::Inconclusive, _) => {
                let blocked = tally.and_then(|tally| tally.inconclusive.first().cloned());
                let weaker = || "only a weaker part of it was judged".to_owned();
                (verdict, Some(blocked.unwrap_or_else(weaker)))
            }
            (Verdict::Waived, _) => {
                let waiver = deviations
                    .iter()
                    .filter(|deviation| deviation.grade >= requirement.level)
                    .find_map(|deviation| self.waiver(deviation));
                (verdict, waiver.map(str::to_owned))
            }
            (Verdict::Conforms | Verdict::Deviates, _) => (verdict, None),
        }
    }

    fn absence(&self, requirement: &Requirement) -> Option<String> {
        let probed = self
            .found
            .capabilities
            .iter()
            .find(|facts| requirement.operations.contains(&facts.operation));
        probed.map(|facts| format!("{} is not there: {}", facts.operation, facts.reason))
    }

    fn findings(
        &self,
        causes: &[Vec<&Deviation>],
        ids: &BTreeMap<&Fingerprint, String>,
    ) -> Vec<FindingFacts> {
        let numbered = causes
            .iter()
            .enumerate()
            .flat_map(|(place, cause)| cause.iter().map(move |deviation| (place + 1, *deviation)));
        numbered
            .map(|(cause, deviation)| {
                self.finding(
                    deviation,
                    ids[&deviation.fingerprint].clone(),
                    format!("C{cause}"),
                )
            })
            .collect()
    }

    fn finding(&self, deviation: &Deviation, id: String, cause: String) -> FindingFacts {
        let waived = self.waiver(deviation).map(str::to_owned);
        let fails = waived.is_none() && deviation.fails(self.terms.strict);
        let again = self.found.reproductions.get(&deviation.fingerprint);
        FindingFacts {
            id,
            fails,
            waived,
            cause,
            ..finding(deviation, again)
        }
    }

    fn cause_facts(
        &self,
        causes: &[Vec<&Deviation>],
        ids: &BTreeMap<&Fingerprint, String>,
    ) -> Vec<CauseFacts> {
        let fact = |(place, cause): (usize, &Vec<&Deviation>)| {
            let lead = cause[0];
            let operations: BTreeSet<OperationName> = cause
                .iter()
                .filter_map(|deviation| deviation.operation)
                .collect();
            let shared = shared(cause);
            let alone = cause.iter().all(|it| it.symptom == lead.symptom);
            CauseFacts {
                id: format!("C{}", place + 1),
                symptom: shared.key,
                title: if alone {
                    lead.symptom.title.clone()
                } else {
                    shared.title
                },
                level: lead.grade,
                findings: cause
                    .iter()
                    .map(|deviation| ids[&deviation.fingerprint].clone())
                    .collect(),
                operations: operations.into_iter().collect(),
            }
        };
        causes.iter().enumerate().map(fact).collect()
    }

    /// Entries that match nothing that was seen: what was seen and did not come again is known all the same.
    fn stale(&self, requirements: &[RequirementFacts]) -> Vec<&'a Entry> {
        let seen: Vec<&Deviation> = self.found.ledger.deviations.values().collect();
        let judged = requirements
            .iter()
            .filter(|facts| !matches!(facts.verdict, Verdict::Untested | Verdict::Inconclusive));
        let judged: BTreeSet<RequirementId> = judged.map(|facts| facts.id.clone()).collect();
        let everything = self.terms.selected.is_empty() && self.found.is_complete();
        let baseline = &self.terms.baseline;
        baseline.stale(&seen, &judged, everything, &self.terms.today)
    }

    fn summary(
        &self,
        requirements: &[RequirementFacts],
        findings: &[FindingFacts],
        causes: usize,
        stale: &[&Entry],
    ) -> Summary {
        let code = self.code(requirements, findings, stale);
        Summary {
            verdict: verdict_word(code).to_owned(),
            exit_code: code,
            cases: self.found.cases,
            exchanges: self.found.exchanges,
            findings: findings.len(),
            causes,
            must: counts(requirements, Level::Must),
            should: counts(requirements, Level::Should),
            may: counts(requirements, Level::May),
            operations: OperationCounts {
                total: self.terms.operations.len(),
                supported: self
                    .found
                    .capabilities
                    .iter()
                    .filter(|facts| facts.supported)
                    .count(),
                exercised: self
                    .found
                    .exercised
                    .iter()
                    .filter(|name| self.defines(name))
                    .count(),
            },
        }
    }

    fn code(
        &self,
        requirements: &[RequirementFacts],
        findings: &[FindingFacts],
        stale: &[&Entry],
    ) -> u8 {
        let mut codes = Vec::new();
        if self.found.interrupted {
            codes.push(exit::INTERRUPTED);
        }
        if self.found.unreachable.is_some() {
            codes.push(exit::UNREACHABLE);
        }
        if !self.found.faults.is_empty() {
            codes.push(exit::OUR_FAULT);
        }
        if findings.iter().any(|finding| finding.fails)
            || self.operations().any(|facts| facts.is_missing())
            || (self.terms.strict && !stale.is_empty())
        {
            codes.push(exit::DEVIATES);
        }
        if !self.found.is_complete() || requirements.iter().any(|facts| facts.unsettled) {
            codes.push(exit::INCOMPLETE);
        }
        let supported = self.found.capabilities.iter().map(|facts| facts.supported);
        if is_nothing_verified(requirements, supported) {
            codes.push(exit::NOTHING_VERIFIED);
        }
        exit::weightiest(codes)
    }
}

/// Whether a run says nothing of its target: no requirement was decided, or none of the operations asked for is there.
/// Such a server is none of the vault API, whatever else its answers keep to.
pub(crate) fn is_nothing_verified(
    requirements: &[RequirementFacts],
    supported: impl Iterator<Item = bool>,
) -> bool {
    let decided = |facts: &RequirementFacts| {
        matches!(
            facts.verdict,
            Verdict::Conforms | Verdict::Deviates | Verdict::Waived
        )
    };
    let supported: Vec<bool> = supported.collect();
    let none_there = !supported.is_empty() && !supported.contains(&true);
    none_there || !requirements.iter().any(decided)
}

/// What a report says of a deviation, seen again or not. It has no id there yet, and its cause is the key of that.
pub fn finding(deviation: &Deviation, again: Option<&Reproduction>) -> FindingFacts {
    let requirement = Registry::builtin().get(&deviation.requirement);
    let (expected, actual) = again.map_or(
        (&deviation.first.expected, &deviation.first.actual),
        |again| (&again.sight.expected, &again.sight.actual),
    );
    let title = deviation.symptom.title.clone();
    let claim = Claim {
        title: &format!("{}: {title}", deviation.requirement),
        expected,
        got: actual,
    };
    let (rule, source) = requirement.map_or((ROBUSTNESS_RULE, ROBUSTNESS_SOURCE), |known| {
        (known.statement.as_str(), known.source.as_str())
    });
    FindingFacts {
        id: String::new(),
        fingerprint: deviation.fingerprint.to_string(),
        requirements: vec![deviation.requirement.clone()],
        level: deviation.grade,
        fails: deviation.fails(false),
        operation: deviation.operation,
        check: deviation.check.to_string(),
        rule: rule.to_owned(),
        source: source.to_owned(),
        expected: expected.clone(),
        actual: actual.clone(),
        count: deviation.count,
        reproduced: again
            .map(|again| again.times)
            .unwrap_or_default()
            .to_string(),
        waived: None,
        cause: deviation.cause().key,
        case: deviation.first.case.clone(),
        exchanges: again.map_or_else(Vec::new, |again| again.sight.records.clone()),
        repro: Repro {
            curl: again
                .and_then(|again| script(&again.sight.records, claim))
                .unwrap_or_default(),
            scenario: again.map_or_else(String::new, |again| again.sight.scenario.to_yaml()),
        },
        title,
    }
}

/// What a report says in a word, by its exit code.
pub(super) fn verdict_word(code: u8) -> &'static str {
    match code {
        exit::AS_EXPECTED => "conforms",
        exit::DEVIATES => "deviates",
        exit::OUR_FAULT => "fault of crevasse",
        exit::NOTHING_VERIFIED => "nothing verified",
        exit::INCOMPLETE => "incomplete",
        exit::UNREACHABLE => "unreachable",
        exit::INTERRUPTED => "interrupted",
        _ => "not run",
    }
}

/// Requirements of a level by verdict.
pub(super) fn counts(requirements: &[RequirementFacts], level: Level) -> Counts {
    let of = |verdict| {
        requirements
            .iter()
            .filter(|facts| facts.level == level && facts.verdict == verdict)
            .count()
    };
    Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict, of(verdict)))
        .collect::<IndexMap<_, _>>()
}

/// Why a requirement was never tried, from what it takes to try it.
fn untried(requirement: &Requirement) -> String {
    format!("no case made it apply (it takes: {})", requirement.probe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, TargetFacts};
    use crate::report::sample::broken;
    use crevasse_core::baseline::Baseline;
    use crevasse_core::check::Symptom;

    #[test]
    fn a_server_without_any_operation_is_never_as_expected() {
        let kept = [RequirementFacts {
            id: RequirementId::of("COM-HDR-002"),
            operation: "(all operations)".to_owned(),
            level: Level::Must,
            evidence: "guide".to_owned(),
            verdict: Verdict::Conforms,
            held: 1,
            violated: 0,
            findings: Vec::new(),
            witness: None,
            reason: None,
            unsettled: false,
        }];
        assert!(is_nothing_verified(&kept, [false, false].into_iter()));
        assert!(!is_nothing_verified(&kept, [false, true].into_iter()));
        assert!(is_nothing_verified(&[], [true].into_iter()));
    }

    #[test]
    fn an_operation_that_the_file_of_the_target_names_and_that_is_not_there_fails_the_run() {
        let code = |operations: &[OperationName]| {
            let mut found = Found {
                complete: true,
                ..Found::default()
            };
            let (there, absent) = (OperationName::ListVaults, OperationName::CreateVault);
            found.capabilities = [(there, true), (absent, false)]
                .map(|(operation, supported)| Capability {
                    operation,
                    supported,
                    reason: "answered".to_owned(),
                })
                .to_vec();
            found.terms.target = Some(TargetFacts {
                operations: operations.iter().copied().collect(),
                ..TargetFacts::named("mine")
            });
            let desk = Desk {
                found: &found,
                terms: &found.terms,
            };
            desk.code(&[], &[], &[])
        };
        assert_eq!(code(&[OperationName::ListVaults]), exit::NOTHING_VERIFIED);
        assert_eq!(code(&[OperationName::CreateVault]), exit::DEVIATES);
    }

    /// What is said of a rule that was seen broken, and when tried again was as it should be.
    fn seen_once(baseline: &str) -> (RequirementFacts, u8) {
        let mut found = Found {
            complete: true,
            ..Found::default()
        };
        let symptom = Symptom::new("wrong-status", "another status");
        let judgement = broken(OperationName::DeleteVault, symptom);
        found.ledger.enter("a", &judgement, |_| Level::Must);
        let fingerprint = found.ledger.deviations.keys().next().unwrap().clone();
        found.follow(&Event::Reproduced {
            fingerprint,
            seen: 1,
            tried: 3,
            sight: None,
        });
        let terms = Terms {
            baseline: Baseline::parse(baseline).unwrap(),
            strict: true,
            ..Terms::default()
        };
        let desk = Desk {
            found: &found,
            terms: &terms,
        };
        let known = Registry::builtin().get(&judgement.requirement).unwrap();
        let facts = desk.requirement(known, &BTreeMap::new());
        let all = std::slice::from_ref(&facts);
        let code = desk.code(all, &[], &desk.stale(all));
        (facts, code)
    }

    #[test]
    fn a_demand_seen_broken_and_not_again_is_settled_by_nobody() {
        let (facts, code) = seen_once("[]");
        let reason = facts.reason.as_deref();
        assert_eq!(reason, Some("flaky 1/3: 204, got 200"));
        assert_eq!(
            (facts.verdict, code),
            (Verdict::Inconclusive, exit::INCOMPLETE)
        );
    }

    #[test]
    fn what_the_baseline_waives_comes_last_however_heavy() {
        let mut found = Found::default();
        for operation in [OperationName::DeleteVault, OperationName::ListVaults] {
            let symptom = Symptom::new("wrong-status", "another status");
            let judgement = broken(operation, symptom.about(operation.to_string()));
            found.ledger.enter("a", &judgement, |_| Level::Must);
        }
        let order = |baseline: &str| {
            let terms = Terms {
                baseline: Baseline::parse(baseline).unwrap(),
                operations: OperationName::ALL.into(),
                ..Terms::default()
            };
            let (found, terms) = (&found, &terms);
            let causes = Desk { found, terms }.causes();
            let leads = causes.iter().map(|cause| cause[0].fingerprint.clone());
            leads.collect::<Vec<_>>()
        };
        let by_weight = order("[]");
        let [heavy, light] = &by_weight[..] else {
            panic!("two causes")
        };
        let waived = format!("- {{fingerprint: {heavy}, reason: known}}");
        assert_eq!(order(&waived), [light.clone(), heavy.clone()]);
    }

    fn entries(found: &Found) -> Vec<String> {
        let entry = |entry: Entry| {
            [
                entry.requirement.map(|id| id.to_string()),
                entry.fingerprint.map(|it| it.0),
            ]
        };
        let entries = up_to_date(found).entries.into_iter().flat_map(entry);
        entries.flatten().collect()
    }

    #[test]
    fn a_baseline_brought_up_to_date_forgets_only_what_was_judged() {
        let judgement = broken(
            OperationName::DeleteVault,
            Symptom::new("wrong-status", "another status"),
        );
        let mut found = Found {
            complete: true,
            ..Found::default()
        };
        found.terms.operations = [OperationName::DeleteVault].into();
        found.ledger.enter("a", &judgement, |_| Level::Must);
        let fingerprint = found.ledger.deviations.keys().next().unwrap().0.clone();
        let known =
            "[{requirement: CV-IDEM-002, reason: r}, {fingerprint: 0123456789abcdef, reason: r}]";
        found.terms.baseline = Baseline::parse(known).unwrap();
        let broken = ["DV-STATUS-001".to_owned(), fingerprint];
        // CV-IDEM-002 was not judged; what names no rule is stale once all rules were looked at.
        assert_eq!(
            entries(&found),
            [&broken[..], &["CV-IDEM-002".to_owned()]].concat()
        );
        found.terms.selected = [RequirementId::of("DV-STATUS-001")].into();
        assert_eq!(entries(&found).last().unwrap(), "0123456789abcdef");
    }

    #[test]
    fn a_demand_that_is_known_to_break_now_and_then_is_waived() {
        let (facts, code) = seen_once("[{requirement: DV-STATUS-001, reason: now and then}]");
        assert_eq!((facts.verdict, code), (Verdict::Waived, exit::AS_EXPECTED));
    }
}
