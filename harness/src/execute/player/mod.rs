//! Runs the steps of one scenario and writes down what happened, request by request.

mod group;
mod learn;
mod name;

pub(crate) use group::{PAGES, Progress, continued, marker, progress};

use std::sync::Arc;
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};

use crevasse_core::check::{Group, Record};
use crevasse_core::payload::Content;
use crevasse_core::scenario::{Action, Naming, Scenario, Step, Tweak};
use crevasse_core::wire::Exchange;

use super::room::Part;
use super::session::Session;
use super::sign::Unsigned;
use super::symbols::{Obstacle, Symbols};
use crate::journal::{JournalError, Kind, Line, Resource};

/// From this length on a content is hashed on a thread of its own.
const LONG: u64 = 4 << 20;

/// What a case left.
pub(crate) struct Performance {
    /// What was sent and came back, in order.
    pub(crate) records: Vec<Record>,
    /// What was made and is still there, as far as is known; latest first.
    pub(crate) left: Vec<Resource>,
    /// Why it ended early, when that was our own fault: nothing may be made that would be forgotten.
    pub(crate) trouble: Result<(), JournalError>,
    /// Whether it was cut short while it waited for a job: then it can go on another day.
    pub(crate) waits: bool,
    /// The room its records take.
    pub(crate) part: Part,
}

/// The hand in one case.
struct Player<'a> {
    session: &'a Session,
    symbols: Symbols,
    records: Vec<Record>,
    made: IndexSet<Resource>,
    /// Names that no other case may take while this one is played.
    claimed: Vec<String>,
    waits: bool,
    part: Part,
}

/// A request ready to be sent, and what its names stood for.
struct Composed {
    unsigned: Unsigned,
    bindings: Bindings,
}

type Bindings = Arc<IndexMap<String, String>>;

/// An exchange and what its names stood for, or why there is none.
type Outcome = Result<(Exchange, Bindings), Obstacle>;

/// Plays a scenario as the case of this name, and leaves what it made where it is. Two performances need two names.
/// `before` is what an earlier performance wrote down until it was cut short while it waited for a job: this one goes on from there.
pub(crate) async fn play(
    session: &Session,
    case: &str,
    scenario: &Scenario,
    before: Vec<Record>,
) -> Performance {
    let mut player = Player {
        session,
        symbols: session.symbols(case),
        records: Vec::new(),
        made: IndexSet::new(),
        claimed: Vec::new(),
        waits: false,
        part: session.room.part(),
    };
    let next = before.last().map_or(0, |record| record.step);
    let trouble = match player.remember(before) {
        Ok(()) => player.steps(&scenario.steps, next).await,
        trouble => trouble,
    };
    player.give_names_back();
    Performance {
        records: player.records,
        left: player.made.into_iter().rev().collect(),
        trouble,
        waits: player.waits,
        part: player.part,
    }
}

impl Player<'_> {
    /// Takes up what an earlier performance learned and made.
    fn remember(&mut self, records: Vec<Record>) -> Result<(), JournalError> {
        for record in records {
            self.symbols.bind_again(&record.bindings);
            if let Some(exchange) = &record.exchange {
                self.learn(&record.action, &record.tweak, exchange)?;
            }
            self.records.push(record);
        }
        Ok(())
    }

    /// Takes step after step from the one of this index on, until the run is told to end.
    async fn steps(&mut self, steps: &[Step], next: usize) -> Result<(), JournalError> {
        for (index, step) in steps.iter().enumerate().skip(next) {
            if self.session.stop.asked() {
                break;
            }
            self.step(index, step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, index: usize, step: &Step) -> Result<(), JournalError> {
        match &step.action {
            Action::AwaitJob { vault, job } => self.await_job(index, vault, job, &step.tweak).await,
            Action::Walk { list } => self.walk(index, list, &step.tweak).await,
            Action::Together { steps } => self.together(index, steps).await,
            Action::During { slow, steps } => self.during(index, slow, steps).await,
            Action::Pause { millis } => {
                self.park(Duration::from_millis(*millis)).await;
                Ok(())
            }
            action => self
                .single(index, action, &step.tweak, None)
                .await
                .map(|_| ()),
        }
    }

    /// Sends one request and learns from its answer; returns the index of its record.
    async fn single(
        &mut self,
        step: usize,
        action: &Action,
        tweak: &Tweak,
        group: Option<Group>,
    ) -> Result<usize, JournalError> {
        let outcome = match self.compose(action, tweak).await? {
            Ok(composed) => {
                let exchange = self.session.exchange(&composed.unsigned).await;
                if group == Some(Group::Await) {
                    self.session.was_a_poll();
                }
                exchange.map(|exchange| (exchange, composed.bindings))
            }
            Err(obstacle) => Err(obstacle),
        };
        self.note(step, action, tweak, group, outcome)
    }

    /// Names what needs a name, composes the request, and writes down what it is about to make.
    async fn compose(
        &mut self,
        action: &Action,
        tweak: &Tweak,
    ) -> Result<Result<Composed, Obstacle>, JournalError> {
        hash_ahead(action).await;
        if let Action::CreateVault { vault, name } = action
            && let Err(obstacle) = self.name(vault, name.as_ref()).await
        {
            return Ok(Err(obstacle));
        }
        let unsigned = match self.session.compose(action, tweak, &mut self.symbols) {
            Ok(unsigned) => unsigned,
            Err(obstacle) => return Ok(Err(obstacle)),
        };
        let length = unsigned.request.body.length();
        self.session.arm.expect_back(length);
        self.announce(action)?;
        Ok(Ok(Composed {
            unsigned,
            bindings: self.symbols.bindings(),
        }))
    }

    /// Journals the vault a request is about to make. Illegal names are not ours before the target takes them.
    fn announce(&mut self, action: &Action) -> Result<(), JournalError> {
        let Action::CreateVault { vault, name } = action else {
            return Ok(());
        };
        if matches!(name, Some(Naming::Raw(_))) {
            return Ok(());
        }
        if let Some(name) = vault
            .handle()
            .and_then(|handle| self.symbols.bound("vault", handle))
        {
            let resource = Resource::vault(name);
            self.session.write(&Line::Intent(resource.clone()))?;
            self.made.insert(resource);
        }
        Ok(())
    }

    /// Writes a request and its answer down, and learns from it.
    fn note(
        &mut self,
        step: usize,
        action: &Action,
        tweak: &Tweak,
        group: Option<Group>,
        outcome: Outcome,
    ) -> Result<usize, JournalError> {
        let (outcome, held) = self.hold(outcome);
        self.learn_from(action, tweak, &outcome)?;
        Ok(self.write_down(step, action, tweak, group, held.and(outcome)))
    }

    /// Learns what an answer tells, of what was made and of whether the operation is answered at all.
    fn learn_from(
        &mut self,
        action: &Action,
        tweak: &Tweak,
        outcome: &Outcome,
    ) -> Result<(), JournalError> {
        let Ok((exchange, _)) = outcome else {
            return Ok(());
        };
        if let Some(name) = action.operation() {
            self.session.heard_of(name, &exchange.reply);
        }
        self.learn(action, tweak, exchange)
    }

    /// Takes an answer in. Without room for its text, the fields that are left tell what was made, and nothing is to be judged by them.
    fn hold(&mut self, mut outcome: Outcome) -> (Outcome, Result<(), Obstacle>) {
        let held = match &mut outcome {
            Ok((exchange, _)) => self.part.hold(exchange),
            Err(_) => true,
        };
        let no_room = || "the answer is too long to be held beside all others".to_owned();
        (outcome, held.then_some(()).ok_or_else(no_room))
    }

    /// Writes a request and its answer down; returns the index of the record.
    fn write_down(
        &mut self,
        step: usize,
        action: &Action,
        tweak: &Tweak,
        group: Option<Group>,
        outcome: Outcome,
    ) -> usize {
        let (exchange, bindings, blocked) = match outcome {
            Ok((exchange, bindings)) => (Some(exchange), bindings, None),
            Err(obstacle) => (None, self.symbols.bindings(), Some(obstacle)),
        };
        let (action, tweak) = (action.clone(), tweak.clone());
        self.records.push(Record {
            step,
            action,
            tweak,
            group,
            bindings,
            exchange,
            blocked,
        });
        self.records.len() - 1
    }

    /// Says of the latest record why its group ended early.
    fn ended(&mut self, reason: String) {
        if let Some(record) = self.records.last_mut() {
            record.blocked.get_or_insert(reason);
        }
    }

    /// Lets time pass while no request of this case is under way; ends early when the run does.
    async fn park(&self, pause: Duration) {
        self.session.stop.or_after(pause).await;
    }

    /// Something that was made.
    fn keep(&mut self, kind: Kind, vault: &str, id: Option<&str>) -> Result<(), JournalError> {
        let resource = Resource {
            kind,
            vault: vault.to_owned(),
            id: id.map(str::to_owned),
        };
        self.session.write(&Line::Made(resource.clone()))?;
        if kind != Kind::Job {
            self.made.insert(resource);
        }
        Ok(())
    }

    /// Something that is gone, and all that was in it.
    fn drop_resource(
        &mut self,
        kind: Kind,
        vault: &str,
        id: Option<&str>,
    ) -> Result<(), JournalError> {
        let resource = Resource {
            kind,
            vault: vault.to_owned(),
            id: id.map(str::to_owned),
        };
        self.made.shift_remove(&resource);
        if kind == Kind::Vault {
            self.made.retain(|other| other.vault != vault);
        }
        self.session.write(&Line::Gone(resource))
    }
}

/// Hashes a long content before it is needed, without keeping other cases from their turn.
async fn hash_ahead(action: &Action) {
    let (Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. }) =
        action
    else {
        return;
    };
    if content.length() >= LONG {
        let content: Content = content.clone();
        let hashing = tokio::task::spawn_blocking(move || (content.sha256(), content.tree_hash()));
        // The hashes stay with the content; a panic shows again where they are needed.
        let _ = hashing.await;
    }
}

#[cfg(test)]
mod tests;
