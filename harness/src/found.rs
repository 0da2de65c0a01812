//! What a run found: its events, added up. The same live and from a journal, since there is nothing else to add up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crevasse_core::finding::{Deviation, Fingerprint, Ledger};
use crevasse_core::requirement::{Registry, RequirementId};
use crevasse_core::spec::OperationName;

use crate::event::{
    Capability, CaseJudged, Event, Leak, Learned, Requests, RunFinished, Sight, Terms,
};
use crate::journal::{JournalError, Line, Reader};

/// Why a deviation that was seen fails nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What was seen, and how often.
    pub why: String,
    /// Whether it leaves its rule open. A connection that was lost once says nothing of a rule.
    pub unsettles: bool,
}

/// What a run found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// By what terms it is reported on.
    pub terms: Terms,
    /// What the target told about itself.
    pub learned: Learned,
    /// Every judgement, added up.
    pub ledger: Ledger,
    /// What is there.
    pub capabilities: Vec<Capability>,
    /// Operations asked for by cases.
    pub exercised: BTreeSet<OperationName>,
    /// Cases run.
    pub cases: usize,
    /// Requests answered.
    pub exchanges: usize,
    /// Deviations seen again, by fingerprint.
    pub reproductions: BTreeMap<Fingerprint, Reproduction>,
    /// Deviations that did not repeat, and how often they did. They fail nobody.
    pub flaky: BTreeMap<Fingerprint, Doubt>,
    /// Why nothing was judged of requirements that something was to be judged of.
    pub untried: BTreeMap<RequirementId, Untried>,
    /// What could not be removed.
    pub leaks: Vec<Leak>,
    /// Faults of our own.
    pub faults: Vec<String>,
    /// How long it took.
    pub seconds: f64,
    /// Whether the run said that it is over, and nothing happened since.
    pub ended: bool,
    /// Whether everything that was planned was run.
    pub complete: bool,
    /// Whether the user ended it.
    pub interrupted: bool,
    /// Why the target counts as gone, when it stopped answering in the middle of the run.
    pub gone: Option<String>,
    /// Why the target could not be reached at all.
    pub unreachable: Option<String>,
    /// The bound of its budget that ended the run.
    pub spent: Option<String>,
    /// Requests sent.
    pub requests: Requests,
    /// Requests that were answered only when they were sent again, by what put them off: a status, or 0 for a connection lost.
    pub put_off: BTreeMap<u16, usize>,
    /// Cases that wait for their jobs and can go on.
    pub waiting: usize,
    /// Cases with a job that was not over in time.
    pub unresolved: usize,
}

/// Why nothing was judged of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untried {
    /// No case for it was run.
    NotRun(String),
    /// A case for it got stuck before it applied.
    Blocked(String),
}

/// A deviation, seen again.
#[derive(Clone, Debug, PartialEq)]
pub struct Reproduction {
    /// How often.
    pub times: Times,
    /// What shows it.
    pub sight: Sight,
}

/// How often a deviation came again: `3/17`, or `not run again`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Tries that showed it.
    pub seen: u32,
    /// All tries.
    pub tried: u32,
}

impl Times {
    /// Whether it took more tries than it was seen in.
    pub(crate) fn is_now_and_then(self) -> bool {
        self.seen != self.tried
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tried {
            0 => f.write_str("not run again"),
            tried => write!(f, "{}/{tried}", self.seen),
        }
    }
}

impl Found {
    /// Takes in what happened next.
    pub fn follow(&mut self, event: &Event) {
        match event {
            Event::Terms(terms) => self.terms = (**terms).clone(),
            Event::Resumed { .. } => {
                *self = Self {
                    terms: std::mem::take(&mut self.terms),
                    ..Self::default()
                }
            }
            Event::Unreachable { message } => {
                self.unreachable = Some(message.clone());
                (self.ended, self.complete) = (true, true);
            }
            Event::Learned(learned) => self.learned = learned.clone(),
            Event::Capability(capability) => self.capability(capability),
            Event::Skipped { reason, covers, .. } => {
                self.untried(covers, &Untried::NotRun(reason.clone()));
            }
            Event::CaseJudged(case) => self.case(case),
            Event::Reproduced {
                fingerprint,
                seen,
                tried,
                sight,
            } => {
                let times = Times {
                    seen: *seen,
                    tried: *tried,
                };
                self.tried_again(fingerprint, times, sight.as_deref());
            }
            Event::Leak(leak) => self.leaks.push(leak.clone()),
            Event::Fault { case, message } => {
                let place = case.as_ref().map(|case| format!("in case {case}: "));
                self.faults
                    .push(format!("{}{message}", place.unwrap_or_default()));
            }
            Event::RunFinished(end) => self.end(end),
            Event::CaseStarted { .. } | Event::Progress(_) => {}
        }
    }

    /// Adds up what a journal tells, up to a line that cannot be read.
    pub fn recorded(journal: &mut Reader) -> (Self, Option<JournalError>) {
        let mut found = Self::default();
        for line in journal {
            match line {
                Ok(Line::Event(event)) => found.follow(&event),
                Ok(_) => {}
                Err(error) => return (found, Some(error)),
            }
        }
        (found, None)
    }

    fn capability(&mut self, news: &Capability) {
        let known = self
            .capabilities
            .iter_mut()
            .find(|known| known.operation == news.operation);
        match known {
            Some(known) => *known = news.clone(),
            None => self.capabilities.push(news.clone()),
        }
    }

    fn untried(&mut self, covers: &[RequirementId], why: &Untried) {
        for requirement in covers {
            self.untried
                .entry(requirement.clone())
                .or_insert_with(|| why.clone());
        }
    }

    /// A requirement whose scenario got stuck before it applied is inconclusive, and says on what.
    fn case(&mut self, case: &CaseJudged) {
        self.ended = false;
        self.ledger.merge(&case.ledger);
        self.cases += 1;
        self.exchanges += case.exchanges;
        self.exercised.extend(&case.exercised);
        for (status, times) in &case.put_off {
            *self.put_off.entry(*status).or_default() += times;
        }
        self.waiting += usize::from(case.waits);
        self.unresolved += usize::from(case.is_unresolved());
        if let Some((_, why)) = case.blocked.first() {
            let why = format!("blocked: {why} (case {})", case.case);
            self.untried(&case.covers, &Untried::Blocked(why));
        }
    }

    /// Whether everything that was planned was run, and every job was over in time.
    pub fn is_complete(&self) -> bool {
        self.complete && self.unresolved == 0
    }

    /// What was not seen again as often as it has to is flaky.
    fn tried_again(&mut self, fingerprint: &Fingerprint, times: Times, sight: Option<&Sight>) {
        if let Some(sight) = sight.cloned() {
            self.reproductions
                .insert(fingerprint.clone(), Reproduction { times, sight });
        } else if let Some(known) = self.ledger.deviations.get(fingerprint) {
            let (expected, actual) = (&known.first.expected, &known.first.actual);
            let lost = times.seen == 0 && known.is_lost_answer();
            let what = if lost { "unanswered" } else { "flaky" };
            let doubt = Doubt {
                why: format!("{what} {times}: {expected}, got {actual}"),
                unsettles: !lost,
            };
            self.flaky.insert(fingerprint.clone(), doubt);
        }
    }

    fn end(&mut self, end: &RunFinished) {
        self.ended = true;
        self.seconds = end.seconds;
        self.complete = end.complete;
        self.interrupted = end.interrupted;
        self.gone = end.gone.clone();
        self.spent = end.spent.clone();
        self.requests = end.requests;
        self.drop_absent();
        if self.gone.is_some() {
            self.doubt_what_was_seen_once();
        }
    }

    /// A target that stopped answering before anything could be tried again may have been going down when it answered oddly.
    fn doubt_what_was_seen_once(&mut self) {
        let once = self.ledger.deviations.values().filter(|deviation| {
            deviation.count == 1 && !self.reproductions.contains_key(&deviation.fingerprint)
        });
        for Deviation {
            fingerprint, first, ..
        } in once
        {
            self.flaky
                .entry(fingerprint.clone())
                .or_insert_with(|| Doubt {
                    why: format!(
                        "flaky: {}, got {}, once before the target stopped answering",
                        first.expected, first.actual
                    ),
                    unsettles: true,
                });
        }
    }

    /// An operation that turned out not to be there cannot have deviated.
    fn drop_absent(&mut self) {
        let absent: BTreeSet<OperationName> = self
            .capabilities
            .iter()
            .filter(|known| !known.supported)
            .map(|known| known.operation)
            .collect();
        let is_there = |deviation: &Deviation| {
            let operation = deviation.operation;
            operation.is_none_or(|name| !absent.contains(&name))
        };
        let Ledger {
            tallies,
            deviations,
        } = &mut self.ledger;
        let dropped = deviations.values().filter(|it| !is_there(it));
        let dropped: BTreeSet<RequirementId> = dropped.map(|it| it.requirement.clone()).collect();
        deviations.retain(|_, deviation| is_there(deviation));
        for requirement in dropped {
            let own = Registry::builtin().level(&requirement);
            let tally = tallies.entry(requirement.clone()).or_default();
            (tally.violated, tally.weakly_violated) = (0, 0);
            for left in deviations
                .values()
                .filter(|it| it.requirement == requirement)
            {
                match left.grade >= own {
                    true => tally.violated += left.count,
                    false => tally.weakly_violated += left.count,
                }
            }
        }
        self.exercised.retain(|name| !absent.contains(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::broken;
    use crevasse_core::check::{Outcome, Symptom};
    use crevasse_core::requirement::Level;

    const DELETED: OperationName = OperationName::DeleteVault;

    /// A case in which this operation deviated, and which then got stuck.
    fn case(name: &str) -> Event {
        let mut ledger = Ledger::default();
        let judgement = broken(DELETED, Symptom::new("wrong-status", "another status"));
        ledger.enter(name, &judgement, |_| Level::Must);
        Event::CaseJudged(Box::new(CaseJudged {
            case: name.to_owned(),
            title: "t".to_owned(),
            covers: vec![RequirementId::of("DV-NONEMPTY-001")],
            exchanges: 3,
            exercised: BTreeSet::from([DELETED]),
            ledger,
            blocked: vec![(3, "nothing was there".to_owned())],
            put_off: BTreeMap::from([(503, 2)]),
            waits: false,
            seconds: 0.5,
        }))
    }

    fn reproduced(found: &Found, seen: u32, sight: Option<Sight>) -> Event {
        Event::Reproduced {
            fingerprint: found.ledger.deviations.keys().next().unwrap().clone(),
            seen,
            tried: 3,
            sight: sight.map(Box::new),
        }
    }

    fn end(complete: bool) -> Event {
        Event::RunFinished(RunFinished {
            seconds: 1.25,
            complete,
            interrupted: false,
            gone: None,
            spent: None,
            requests: Requests::default(),
        })
    }

    #[test]
    fn what_was_seen_once_by_a_target_that_then_stopped_answering_fails_nobody() {
        let flaky = |gone: Option<&str>| {
            let mut found = Found::default();
            found.follow(&case("a"));
            let Event::RunFinished(mut end) = end(false) else {
                unreachable!()
            };
            end.gone = gone.map(str::to_owned);
            found.follow(&Event::RunFinished(end));
            found.flaky.len()
        };
        assert_eq!((flaky(None), flaky(Some("connection refused"))), (0, 1));
    }

    #[test]
    fn cases_add_up_and_one_that_got_stuck_says_why() {
        let mut found = Found::default();
        [case("b"), case("a"), end(true)]
            .iter()
            .for_each(|event| found.follow(event));
        let deviation = found.ledger.deviations.values().next().unwrap();
        assert_eq!((deviation.count, deviation.first.case.as_str()), (2, "a"));
        assert_eq!((found.cases, found.exchanges), (2, 6));
        let why = &found.untried[&RequirementId::of("DV-NONEMPTY-001")];
        let blocked = "blocked: nothing was there (case b)".to_owned();
        assert_eq!(*why, Untried::Blocked(blocked));
        assert!(found.ended && found.complete);
        found.follow(&case("c"));
        assert!(!found.ended, "a run that goes on is not over");
    }

    #[test]
    fn what_was_said_before_a_run_was_taken_up_does_not_count_twice() {
        let (mut found, prefix) = (Found::default(), "crevasse-x7k2p9.1".to_owned());
        let resumed = Event::Resumed { prefix };
        [case("a"), resumed, case("a"), end(true)]
            .iter()
            .for_each(|event| found.follow(event));
        assert_eq!((found.cases, found.put_off[&503]), (1, 2));
    }

    #[test]
    fn what_did_not_come_again_each_time_is_flaky() {
        let mut found = Found::default();
        found.follow(&case("a"));
        found.follow(&reproduced(&found.clone(), 2, None));
        let doubt = found.flaky.values().next().unwrap();
        assert_eq!(doubt.why, "flaky 2/3: 204, got 200");
        assert!(found.reproductions.is_empty());
    }

    #[test]
    fn a_connection_lost_once_is_not_flaky() {
        for (seen, why, unsettles) in [(0, "unanswered 0/3: ", false), (1, "flaky 1/3: ", true)] {
            let mut judgement = broken(DELETED, Symptom::new("no-answer-valid", "no answer"));
            if let Outcome::Violated { actual, .. } = &mut judgement.outcome {
                *actual = "no complete response: connection reset by peer".to_owned();
            }
            let mut found = Found::default();
            found.ledger.enter("a", &judgement, |_| Level::Must);
            found.follow(&reproduced(&found.clone(), seen, None));
            let doubt = found.flaky.values().next().unwrap();
            assert!(doubt.why.starts_with(why), "{doubt:?}");
            assert_eq!(doubt.unsettles, unsettles);
        }
    }

    #[test]
    fn an_operation_that_is_not_there_cannot_have_deviated() {
        let mut found = Found::default();
        found.follow(&case("a"));
        for supported in [true, false] {
            found.follow(&Event::Capability(Capability {
                operation: DELETED,
                supported,
                reason: "answers 404 with HTML".to_owned(),
            }));
        }
        found.follow(&end(true));
        assert_eq!(found.capabilities.len(), 1);
        assert!(found.ledger.deviations.is_empty() && found.exercised.is_empty());
        assert!(
            found
                .ledger
                .tallies
                .values()
                .all(|tally| tally.violated == 0)
        );
    }
}
