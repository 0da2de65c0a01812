//! Steps that stand for several requests: polls, pages, and what happens at the same time.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::check::Group;
use crevasse_core::scenario::{Action, Marker, Page, Ref, Step, Tweak};
use crevasse_core::spec::Spec;
use crevasse_core::wire::{Request, Response};

use super::{Composed, Outcome, Player};
use crate::event::LATE;
use crate::execute::join_all;
use crate::execute::patience::Polls;
use crate::execute::symbols::Obstacle;
use crate::execute::transport::Begun;
use crate::journal::JournalError;

/// What a target is given to take in the first half of a request, before others come.
const HEAD_START: Duration = Duration::from_millis(100);
/// Descriptions in a row that may leave open whether a job is over, before nobody waits for it any more.
const UNTOLD: u32 = 3;
/// Pages of a walk, at most.
pub(crate) const PAGES: usize = 1000;

impl Player<'_> {
    /// Describes a job until it is complete or patience is spent.
    pub(super) async fn await_job(
        &mut self,
        step: usize,
        vault: &Ref,
        job: &Ref,
        tweak: &Tweak,
    ) -> Result<(), JournalError> {
        let describe = Action::DescribeJob {
            vault: vault.clone(),
            job: job.clone(),
        };
        let tier = self.symbols.tier(job).map(str::to_owned);
        let patience = self.session.target.patience.with(tier.as_deref());
        let (mut polls, mut untold) = (Polls::new(patience), 0);
        loop {
            let record = self
                .single(step, &describe, tweak, Some(Group::Await))
                .await?;
            if self.session.stop.asked() && self.records[record].exchange.is_none() {
                // Its turn came after the end: whoever goes on asks it again.
                self.records.truncate(record);
                self.waits = true;
                return Ok(());
            }
            let Some(response) = self.success(record) else {
                self.ended("the job could not be described".to_owned());
                return Ok(());
            };
            let kind = (tier.clone(), action(response));
            match progress(response) {
                Progress::Over => {
                    self.session.punctuality().over(kind);
                    return Ok(());
                }
                Progress::Under => untold = 0,
                Progress::Untold if untold < UNTOLD => untold += 1,
                Progress::Untold => {
                    self.ended("the description does not tell whether the job is over".to_owned());
                    return Ok(());
                }
            }
            if self.session.punctuality().is_hopeless(&kind) {
                self.ended(format!("{LATE}, like others of its kind"));
                return Ok(());
            }
            match polls.next() {
                Some(pause) => self.park(pause).await,
                None => {
                    let seconds = patience.as_secs();
                    self.session.punctuality().late(kind);
                    self.ended(format!("{LATE}: still in progress after {seconds} s"));
                    return Ok(());
                }
            }
            if self.session.stop.asked() {
                self.waits = true;
                return Ok(());
            }
        }
    }

    /// The answer to a request, if it is a success.
    fn success(&self, record: usize) -> Option<&Response> {
        let exchange = self.records[record].exchange.as_ref()?;
        exchange
            .reply
            .response()
            .filter(|response| response.is_success())
    }

    /// Follows a list from page to page.
    pub(super) async fn walk(
        &mut self,
        step: usize,
        list: &Action,
        tweak: &Tweak,
    ) -> Result<(), JournalError> {
        let mut seen = BTreeSet::new();
        let mut page = list.clone();
        for _ in 0..PAGES {
            let record = self.single(step, &page, tweak, Some(Group::Walk)).await?;
            let Some(response) = self.success(record) else {
                self.ended("a page did not come".to_owned());
                return Ok(());
            };
            let Some(marker) = marker(&self.session.spec, list, response) else {
                return Ok(());
            };
            if !seen.insert(marker.clone()) {
                self.ended("a marker came a second time".to_owned());
                return Ok(());
            }
            page = continued(list, marker);
            if self.session.stop.asked() {
                self.ended("the run ended before the list did".to_owned());
                return Ok(());
            }
        }
        self.ended(format!("the list did not end within {PAGES} pages"));
        Ok(())
    }

    /// Sends all steps at once, and learns from the answers in the order they came.
    pub(super) async fn together(
        &mut self,
        step: usize,
        steps: &[Step],
    ) -> Result<(), JournalError> {
        let mut composed = Vec::new();
        for member in steps {
            composed.push(self.compose(&member.action, &member.tweak).await?);
        }
        let outcomes = self.send_at_once(composed).await;
        let outcomes: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| self.hold(outcome))
            .collect();
        let done_at =
            |outcome: &Outcome| outcome.as_ref().ok().map(|(exchange, _)| exchange.done_at);
        let mut order: Vec<usize> = (0..steps.len()).collect();
        order.sort_by_key(|place| done_at(&outcomes[*place].0));
        for place in order {
            let Step { action, tweak, .. } = &steps[place];
            self.learn_from(action, tweak, &outcomes[place].0)?;
        }
        for (member, (outcome, held)) in steps.iter().zip(outcomes) {
            let group = Some(Group::Together);
            self.write_down(
                step,
                &member.action,
                &member.tweak,
                group,
                held.and(outcome),
            );
        }
        Ok(())
    }

    async fn send_at_once(&self, composed: Vec<Result<Composed, Obstacle>>) -> Vec<Outcome> {
        let session = self.session;
        let send = |composed: Result<Composed, Obstacle>| async move {
            let Composed { unsigned, bindings } = composed?;
            Ok((session.exchange_admitted(&unsigned).await?, bindings))
        };
        let _admission = session.admission().await;
        join_all(composed.into_iter().map(send)).await
    }

    /// Sends the head and half of the body of one step, does the others, then sends the rest.
    pub(super) async fn during(
        &mut self,
        step: usize,
        slow: &Step,
        steps: &[Step],
    ) -> Result<(), JournalError> {
        let composed = self.compose(&slow.action, &slow.tweak).await?;
        let sent_at = self.session.clock.now();
        let begun = match &composed {
            Ok(Composed { unsigned, .. }) => {
                let _admission = self.session.admission().await;
                self.session.begin(unsigned).await
            }
            Err(_) => None,
        };
        if begun.is_some() {
            tokio::time::sleep(HEAD_START).await;
        }
        for member in steps {
            self.single(step, &member.action, &member.tweak, Some(Group::During))
                .await?;
        }
        let outcome = self.finish(composed, begun, sent_at).await;
        let group = Some(Group::During);
        self.note(step, &slow.action, &slow.tweak, group, outcome)?;
        Ok(())
    }

    /// Sends the rest of a request that was begun.
    async fn finish(
        &self,
        composed: Result<Composed, Obstacle>,
        begun: Option<(Request, Begun)>,
        sent_at: Timestamp,
    ) -> Outcome {
        let Composed { bindings, .. } = composed?;
        let cannot = "a request in two halves needs a plain http endpoint and no proxy";
        let (request, begun) = begun.ok_or_else(|| cannot.to_owned())?;
        let _admission = self.session.admission().await;
        let reply = begun.finish().await;
        let exchange = self.session.done(&request, reply, sent_at, Vec::new())?;
        Ok((exchange, bindings))
    }
}

/// The marker of the next page, if there is one.
pub(crate) fn marker(spec: &Spec, list: &Action, response: &Response) -> Option<String> {
    let definition = spec.operations.get(&list.operation()?);
    let member = definition
        .and_then(|known| known.paging.as_ref())
        .map_or("Marker", |paging| &paging.next);
    let document = response.body.json()?;
    document
        .get(member)?
        .as_str()
        .filter(|marker| !marker.is_empty())
        .map(str::to_owned)
}

/// What a description tells of the progress of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Over,
    Under,
    Untold,
}

/// The progress of a job, from its description.
pub(crate) fn progress(response: &Response) -> Progress {
    let document = response.body.json().unwrap_or_default();
    let completed = document.get("Completed").and_then(Value::as_bool);
    let status = document.get("StatusCode").and_then(Value::as_str);
    match (completed, status) {
        (Some(true), _) => Progress::Over,
        (_, Some(status)) if status != "InProgress" => Progress::Over,
        (None, None) => Progress::Untold,
        _ => Progress::Under,
    }
}

/// What a job does, from its description.
fn action(response: &Response) -> Option<String> {
    let document = response.body.json().unwrap_or_default();
    document.get("Action")?.as_str().map(str::to_owned)
}

/// The same list from a marker on.
pub(crate) fn continued(list: &Action, marker: String) -> Action {
    let mut list = list.clone();
    if let Some(page) = page_of(&mut list) {
        page.marker = Some(Marker::Literal(marker));
    }
    list
}

fn page_of(list: &mut Action) -> Option<&mut Page> {
    match list {
        Action::ListVaults { page }
        | Action::ListParts { page, .. }
        | Action::ListMultipartUploads { page, .. }
        | Action::ListJobs { page, .. } => Some(page),
        _ => None,
    }
}
