//! What a campaign holds of a target: it plays scenarios, and keeps account of what is left behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crevasse_core::check::Record;
use crevasse_core::scenario::{Action, Scenario};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{Reply, Response};

use super::session::Session;
use super::target::Target;
use super::transport::Arm;
use super::{Pace, player};
use crate::event::{Leak, Learned};
use crate::journal::{Journal, JournalError, Line, Resource};

/// Plays scenarios against one target. Clones share connections, pace, clock and journal.
#[derive(Clone)]
pub struct Hand {
    session: Arc<Session>,
    leaks: Arc<Mutex<Vec<Leak>>>,
    trouble: Arc<Mutex<Option<String>>>,
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
            trouble: Arc::default(),
        }
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &str {
        self.session.target.endpoint()
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
        self.session.stop.take_back();
    }

    /// Why the target counts as gone, if it does: many requests in a row reached nobody.
    pub fn gone(&self) -> Option<String> {
        self.session.gone()
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
        let records = self.try_out(case, scenario).await;
        self.settle(self.write_down(case, scenario, &records));
        records
    }

    /// The same without a word in the journal but on what it makes: for tries whose outcome alone counts.
    pub async fn try_out(&self, case: &str, scenario: &Scenario) -> Vec<Record> {
        let performance = player::play(&self.session, case, scenario).await;
        self.settle(performance.trouble);
        self.remove(&performance.left).await;
        performance.records
    }

    /// Removes resources, latest first as given. What cannot be removed is a leak.
    pub async fn remove(&self, left: &[Resource]) {
        match self.session.sweep(left).await {
            Ok(leaks) => lock(&self.leaks).extend(leaks),
            Err(error) => self.settle(Err(error)),
        }
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
        self.session.write(&Line::CaseFinished { case: case() })
    }

    fn settle(&self, written: Result<(), JournalError>) {
        if let Err(error) = written {
            lock(&self.trouble).get_or_insert_with(|| error.to_string());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
