//! What a campaign holds of a target: it plays scenarios, and keeps account of what is left behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crevasse_core::check::Record;
use crevasse_core::prices::Usage;
use crevasse_core::scenario::{Action, Scenario};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{Reply, Response};

use super::room::Part;
use super::session::{Session, lock};
use super::target::Target;
use super::transport::Arm;
use super::{Beyond, Budget, Pace, player};
use crate::event::{Leak, Learned};
use crate::journal::{Journal, JournalError, Line, Resource};

/// Plays scenarios against one target. Clones share connections, pace, clock and journal.
#[derive(Clone)]
pub struct Hand {
    session: Arc<Session>,
    leaks: Arc<Mutex<Vec<Leak>>>,
    /// What was not removed since nobody answered.
    abandoned: Arc<Mutex<Vec<Resource>>>,
    /// What cases made that wait for jobs.
    waiting: Arc<Mutex<Vec<Resource>>>,
    trouble: Arc<Mutex<Option<String>>>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All its steps were taken.
    Whole,
    /// The run was over before.
    Cut,
    /// The run was over while it waited for a job; what it made is still there.
    Waits,
}

/// What came of playing a case.
#[derive(Debug)]
pub struct Played {
    /// What was sent and came back, in order.
    pub records: Vec<Record>,
    /// How it ended.
    pub end: End,
    /// The room its records take, until they are judged.
    pub(crate) part: Part,
}

impl Hand {
    /// A hand for a target. `prefix` begins the names of all vaults it makes.
    pub fn new(
        target: Target,
        arm: Arm,
        spec: Arc<Spec>,
        pace: Pace,
        journal: Journal,
        prefix: String,
    ) -> Self {
        Self {
            session: Arc::new(Session::new(target, arm, spec, pace, journal, prefix)),
            leaks: Arc::default(),
            abandoned: Arc::default(),
            waiting: Arc::default(),
            trouble: Arc::default(),
        }
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &str {
        self.session.target.endpoint()
    }

    /// The endpoint, and by which way it is asked if by another.
    pub(crate) fn way(&self) -> String {
        self.session.target.way()
    }

    /// Requests sent so far, those of probes and of clean-up included.
    pub fn requests(&self) -> u64 {
        self.session.pace.requests()
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.session.clock.elapsed()
    }

    /// Takes note of account and region.
    pub fn learned(&self, learned: &Learned) {
        self.session.learn(learned.clone());
    }

    /// Sends no request of these operations: the target does not have them.
    pub fn go_without(&self, absent: BTreeSet<OperationName>) {
        self.session.go_without(absent);
    }

    /// Cuts cases under way short, waiting ones at once: each ends after its present request.
    pub fn cut_short(&self) {
        self.session.stop.ask();
    }

    /// Whether cases are being cut short.
    pub fn is_cut_short(&self) -> bool {
        self.session.stop.asked()
    }

    /// Lets the cases that begin now run to their end again.
    pub fn go_on(&self) {
        if self.trouble().is_none() && self.spent().is_none() {
            self.session.stop.take_back();
        }
    }

    /// Asks again for operations that were not answered in time.
    pub(crate) fn listen_again(&self) {
        self.session.listen_again();
    }

    /// Why the target counts as gone, if it does: many requests in a row reached nobody.
    pub fn gone(&self) -> Option<String> {
        self.session.gone()
    }

    /// Ends the run as soon as it uses more than it may. Clean-up goes on.
    pub fn keep_within(&self, budget: Budget) {
        self.session.keep_within(budget);
    }

    /// What was used so far.
    pub fn usage(&self) -> Usage {
        self.session.usage()
    }

    /// The bound that ended the run, if one did.
    pub fn spent(&self) -> Option<Beyond> {
        self.session.spent()
    }

    /// What could not be removed so far.
    pub fn leaks(&self) -> Vec<Leak> {
        lock(&self.leaks).clone()
    }

    /// What went wrong on our side: a journal that cannot be written.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// Plays a scenario on fresh resources under the name `case`, writes its records to the journal, and removes what it made.
    pub async fn play(&self, case: &str, scenario: &Scenario) -> Vec<Record> {
        let played = self.take_up(case, scenario, Vec::new(), || false).await;
        played.records
    }

    /// The same from where the records `before` end, which an earlier performance wrote down until it was cut short while it waited
    /// for a job. When that happens again, and `wait` says so, what was made stays for another day.
    pub async fn take_up(
        &self,
        case: &str,
        scenario: &Scenario,
        before: Vec<Record>,
        wait: impl Fn() -> bool,
    ) -> Played {
        let performance = player::play(&self.session, case, scenario, before).await;
        self.settle(performance.trouble);
        let can_wait = performance.waits && self.trouble().is_none();
        let end = match self.session.stop.asked() {
            true if can_wait && wait() => End::Waits,
            true => End::Cut,
            false => End::Whole,
        };
        self.settle(self.write_down(case, scenario, &performance.records, end));
        match end {
            End::Waits => lock(&self.waiting).extend(performance.left),
            End::Cut | End::Whole => self.remove(&performance.left).await,
        }
        Played {
            records: performance.records,
            end,
            part: performance.part,
        }
    }

    /// The same without a word in the journal but on what it makes: for tries whose outcome alone counts.
    pub async fn try_out(&self, case: &str, scenario: &Scenario) -> Vec<Record> {
        self.trial(case, scenario).await.records
    }

    /// The same, with the room that its records take.
    pub(crate) async fn trial(&self, case: &str, scenario: &Scenario) -> Played {
        let performance = player::play(&self.session, case, scenario, Vec::new()).await;
        self.settle(performance.trouble);
        let end = match self.session.stop.asked() {
            true => End::Cut,
            false => End::Whole,
        };
        self.remove(&performance.left).await;
        Played {
            records: performance.records,
            end,
            part: performance.part,
        }
    }

    /// What was written down by an earlier hand, and is to be judged once more.
    pub(crate) fn remembered(&self, records: Vec<Record>) -> Played {
        Played {
            records,
            end: End::Whole,
            part: self.session.room.part(),
        }
    }

    /// Removes what cases made that wait for jobs: nobody will go on with them.
    pub async fn give_up_waiting(&self) {
        let left = std::mem::take(&mut *lock(&self.waiting));
        self.remove(&left).await;
    }

    /// Removes resources, latest first as given. What cannot be removed is a leak.
    pub async fn remove(&self, left: &[Resource]) {
        if self.session.is_deserted() {
            lock(&self.abandoned).extend_from_slice(left);
            return;
        }
        self.sweep(left).await;
    }

    /// The same, and empties vaults that hold what no journal knows of, unless their inventories take longer than this.
    pub async fn clear(&self, left: &[Resource], patience: Duration) {
        match self.session.clear(left, patience).await {
            Ok(leaks) => lock(&self.leaks).extend(leaks),
            Err(error) => self.settle(Err(error)),
        }
    }

    async fn sweep(&self, left: &[Resource]) {
        match self.session.sweep(left).await {
            Ok(leaks) => lock(&self.leaks).extend(leaks),
            Err(error) => self.settle(Err(error)),
        }
    }

    /// Comes back for what was not removed since nobody answered, in case somebody does now.
    pub async fn come_back(&self) {
        let left = std::mem::take(&mut *lock(&self.abandoned));
        if left.is_empty() {
            return;
        }
        self.ask(&Action::ListVaults {
            page: Default::default(),
        })
        .await;
        self.sweep(&left).await;
    }

    /// Notes something of ours that is still there.
    pub fn leak(&self, leak: Leak) {
        lock(&self.leaks).push(leak);
    }

    /// Asks for something that no case asks for; nothing when no whole answer came.
    pub async fn ask(&self, action: &Action) -> Option<Response> {
        match self.session.ask(action).await.ok()?.reply {
            Reply::Response(response) => Some(response),
            Reply::Fault(_) => None,
        }
    }

    /// Writes a line to the journal beside those of cases.
    pub fn tell_journal(&self, line: &Line) {
        self.settle(self.session.write(line));
    }

    fn write_down(
        &self,
        case: &str,
        scenario: &Scenario,
        records: &[Record],
        end: End,
    ) -> Result<(), JournalError> {
        let case = || case.to_owned();
        self.session.write(&Line::Case {
            case: case(),
            scenario: scenario.to_yaml(),
        })?;
        for record in records {
            self.session.write(&Line::Record {
                case: case(),
                record: Box::new(record.clone()),
            })?;
        }
        self.session.write(&match end {
            End::Whole => Line::CaseFinished { case: case() },
            End::Waits | End::Cut => Line::CaseCut {
                case: case(),
                waits: end == End::Waits,
            },
        })
    }

    /// Without a journal nothing may be made any more: it would be forgotten.
    fn settle(&self, written: Result<(), JournalError>) {
        if let Err(error) = written {
            lock(&self.trouble).get_or_insert_with(|| error.to_string());
            self.session.stop.ask();
        }
    }
}
