//! Plays scenarios: one request after the other, ids bound as they come, polls and pages followed, everything written down and removed again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crevasse_core::check::{Group, Record};
use crevasse_core::scenario::{Action, Marker, Naming, Page, Ref, Scenario, Step, Tweak};
use crevasse_core::spec::Spec;
use crevasse_core::wire::{Exchange, Reply, Request, Response};

use super::clock::Clock;
use super::pace::Pace;
use super::patience::Polls;
use super::render::render;
use super::sign::sign;
use super::symbols::{Obstacle, Symbols, start_of};
use super::target::Target;
use super::transport::{Arm, Transport};
use crate::event::{Leak, Learned};
use crate::journal::{Journal, Kind, Line, Resource};

/// Pages of one walk at most.
const MOST_PAGES: usize = 300;
/// Times a throttled request is sent again.
const MOST_RETRIES: u32 = 2;

/// Plays scenarios against one target. Clones share sockets, pace, clock and journal.
#[derive(Clone, Debug)]
pub struct Hand {
    desk: Arc<Desk>,
}

#[derive(Debug)]
struct Desk {
    target: Target,
    arm: Arm,
    spec: Arc<Spec>,
    pace: Pace,
    clock: Clock,
    journal: Journal,
    prefix: String,
    learned: Mutex<Learned>,
    leaks: Mutex<Vec<Leak>>,
    trouble: Mutex<Option<String>>,
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
        let learned = Learned {
            account: target.account.clone(),
            ..Learned::default()
        };
        let desk = Desk {
            target,
            arm,
            spec,
            pace,
            clock: Clock::start(),
            journal,
            prefix,
            learned: Mutex::new(learned),
            leaks: Mutex::default(),
            trouble: Mutex::default(),
        };
        Self {
            desk: Arc::new(desk),
        }
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &str {
        self.desk.target.endpoint()
    }

    /// Requests sent so far, those of probes and of clean-up included.
    pub fn requests(&self) -> u64 {
        self.desk.pace.requests()
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.desk.clock.elapsed()
    }

    /// Takes note of account and region.
    pub fn learned(&self, learned: &Learned) {
        *lock(&self.desk.learned) = learned.clone();
    }

    /// What could not be removed so far.
    pub fn leaks(&self) -> Vec<Leak> {
        lock(&self.desk.leaks).clone()
    }

    /// What went wrong on our side: a journal that cannot be written.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.desk.trouble).clone()
    }

    /// Plays a scenario on fresh resources under the name `case`, and removes what it made.
    pub async fn play(&self, case: &str, scenario: &Scenario) -> Vec<Record> {
        let learned = lock(&self.desk.learned).clone();
        let symbols = Symbols::new(
            self.stem(case),
            learned.account,
            self.desk.target.region.clone(),
        );
        let mut player = Player {
            desk: &self.desk,
            case: case.to_owned(),
            symbols,
            records: Vec::new(),
            made: Vec::new(),
        };
        self.desk.write(&Line::Case {
            case: case.to_owned(),
            scenario: scenario.to_yaml(),
        });
        for (place, step) in scenario.steps.iter().enumerate() {
            player.step(place, step).await;
        }
        self.desk.write(&Line::CaseFinished {
            case: case.to_owned(),
        });
        player.clean_up().await;
        player.records
    }

    /// What the names of a case's vaults begin with: the run's prefix and what identifies the case, in characters that vault names may have.
    fn stem(&self, case: &str) -> String {
        let legal = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '.'
            }
        };
        let short: String = case.chars().map(legal).take(80).collect();
        format!("{}-{short}-", self.desk.prefix)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    fn write(&self, line: &Line) {
        if let Err(error) = self.journal.write(line) {
            lock(&self.trouble).get_or_insert_with(|| error.to_string());
        }
    }

    /// Renders and signs; the request is complete but for its sending.
    fn prepare(
        &self,
        action: &Action,
        tweak: &Tweak,
        symbols: &mut Symbols,
    ) -> Result<Request, Obstacle> {
        let mut request = render(action, tweak, &self.spec, symbols, &self.target.authority())?;
        sign(
            &mut request,
            tweak,
            self.target.credentials.as_ref(),
            &self.target.region,
            self.clock.now(),
        );
        self.arm.obstacle(&request).map_or(Ok(request), Err)
    }

    /// Sends, and sends again when the target asks for patience. What was set aside is told.
    async fn exchange(&self, request: Request) -> Exchange {
        let mut retried = Vec::new();
        loop {
            self.pace.turn().await;
            let sent_at = self.clock.now();
            let reply = self.arm.send(&request).await;
            let done_at = self.clock.now();
            match throttled(&reply).filter(|_| (retried.len() as u32) < MOST_RETRIES) {
                Some((status, pause)) => {
                    retried.push(status);
                    tokio::time::sleep(
                        pause.unwrap_or(Duration::from_millis(200 << retried.len())),
                    )
                    .await;
                }
                None => {
                    return Exchange {
                        request: request.redacted(),
                        reply,
                        sent_at,
                        done_at,
                        retried,
                    };
                }
            }
        }
    }
}

/// Whether an answer asks to come back later, and when: at most five seconds are waited.
fn throttled(reply: &Reply) -> Option<(u16, Option<Duration>)> {
    let response = reply.response()?;
    let asks = matches!(response.status, 429 | 503)
        || response.error_code().as_deref() == Some("ThrottlingException");
    let after = response
        .headers
        .value("retry-after")
        .and_then(|text| text.trim().parse::<u64>().ok());
    asks.then_some((
        response.status,
        after.map(|seconds| Duration::from_secs(seconds.min(5))),
    ))
}

/// One case under way.
struct Player<'a> {
    desk: &'a Desk,
    case: String,
    symbols: Symbols,
    records: Vec<Record>,
    made: Vec<Resource>,
}

impl Player<'_> {
    async fn step(&mut self, place: usize, step: &Step) {
        match &step.action {
            Action::Pause { millis } => tokio::time::sleep(Duration::from_millis(*millis)).await,
            Action::AwaitJob { vault, job } => self.await_job(place, vault, job, &step.tweak).await,
            Action::Walk { list } => self.walk(place, list, &step.tweak).await,
            Action::Together { steps } => self.together(place, steps).await,
            Action::During { slow, steps } => self.during(place, slow, steps).await,
            action => {
                self.send(place, action, &step.tweak, None).await;
            }
        }
    }

    /// Sends one request and writes it down. Returns the response, if a whole one came.
    async fn send(
        &mut self,
        place: usize,
        action: &Action,
        tweak: &Tweak,
        group: Option<Group>,
    ) -> Option<Response> {
        let request = match self.ready(action, tweak).await {
            Ok(request) => request,
            Err(why) => {
                self.block(place, action, tweak, group, why);
                return None;
            }
        };
        let exchange = {
            let _admitted = self.desk.pace.admit().await;
            self.desk.exchange(request).await
        };
        self.seen(place, action, tweak, group, exchange)
    }

    /// Names what is about to be made, writes the intent down, and renders.
    async fn ready(&mut self, action: &Action, tweak: &Tweak) -> Result<Request, Obstacle> {
        if let Action::CreateVault {
            vault: Ref::Handle(handle),
            name,
        } = action
        {
            self.name_vault(handle, name.as_ref()).await?;
        }
        let request = self.desk.prepare(action, tweak, &mut self.symbols)?;
        if let Some(resource) = self.intended(action) {
            self.desk.write(&Line::Intent(resource));
        }
        Ok(request)
    }

    /// A name of ours, or one that nobody has yet.
    async fn name_vault(&mut self, handle: &str, naming: Option<&Naming>) -> Result<(), Obstacle> {
        if self.symbols.bound("vault", handle).is_some() {
            return Ok(());
        }
        let stem = self.symbols.stem().to_owned();
        let name = match naming {
            None => format!("{stem}{handle}"),
            Some(Naming::Suffix(text)) => format!("{stem}{text}"),
            Some(Naming::Length(1)) => self.unused_character().await?,
            Some(Naming::Length(length)) => format!("{:x<length$}", format!("{stem}{handle}"))
                .chars()
                .take(*length)
                .collect(),
            Some(Naming::Raw(text)) => {
                if !text.starts_with(&stem) && self.is_there(text).await {
                    return Err(format!(
                        "a vault named {text:?} is there already, and not ours"
                    ));
                }
                text.clone()
            }
        };
        self.symbols.bind("vault", handle, &name, None);
        Ok(())
    }

    async fn unused_character(&mut self) -> Result<String, Obstacle> {
        for character in ('a'..='z').chain('A'..='Z').chain('0'..='9') {
            if !self.is_there(&character.to_string()).await {
                return Ok(character.to_string());
            }
        }
        Err("every name of one character is taken".to_owned())
    }

    async fn is_there(&mut self, name: &str) -> bool {
        let action = Action::DescribeVault {
            vault: Ref::Literal(name.to_owned()),
        };
        let response = self.quietly(&action).await;
        response.is_some_and(|response| response.is_success())
    }

    /// A request that is no part of the case: looking before naming, and cleaning up.
    async fn quietly(&mut self, action: &Action) -> Option<Response> {
        let request = self
            .desk
            .prepare(action, &Tweak::default(), &mut self.symbols)
            .ok()?;
        let _admitted = self.desk.pace.admit().await;
        match self.desk.exchange(request).await.reply {
            Reply::Response(response) => Some(response),
            Reply::Fault(_) => None,
        }
    }

    fn intended(&self, action: &Action) -> Option<Resource> {
        let kind = match action {
            Action::CreateVault { .. } => Kind::Vault,
            Action::UploadArchive { .. } | Action::CompleteMultipartUpload { .. } => Kind::Archive,
            Action::InitiateMultipartUpload { .. } => Kind::Upload,
            Action::InitiateJob { .. } => Kind::Job,
            Action::InitiateVaultLock { .. } => Kind::Lock,
            Action::PurchaseProvisionedCapacity { .. } => Kind::Capacity,
            _ => return None,
        };
        Some(Resource {
            kind,
            vault: self.vault_name(action),
            id: None,
        })
    }

    fn vault_name(&self, action: &Action) -> String {
        let named = action.vault().map(ToString::to_string).unwrap_or_default();
        self.symbols
            .bound("vault", &named)
            .unwrap_or_default()
            .to_owned()
    }

    fn block(
        &mut self,
        step: usize,
        action: &Action,
        tweak: &Tweak,
        group: Option<Group>,
        why: Obstacle,
    ) {
        let record = Record {
            step,
            action: action.clone(),
            tweak: tweak.clone(),
            group,
            bindings: self.symbols.bindings(),
            exchange: None,
            blocked: Some(why),
        };
        self.write(record);
    }

    fn seen(
        &mut self,
        step: usize,
        action: &Action,
        tweak: &Tweak,
        group: Option<Group>,
        exchange: Exchange,
    ) -> Option<Response> {
        let response = exchange.reply.response().cloned();
        let bindings = self.symbols.bindings();
        if let Some(response) = response.as_ref().filter(|response| response.is_success()) {
            self.bind(action, response);
            self.remember(action, response);
        }
        if matches!(action, Action::CreateVault { .. })
            && response
                .as_ref()
                .is_none_or(|response| response.status >= 500)
        {
            self.own(Resource::vault(&self.vault_name(action)));
        }
        let record = Record {
            step,
            action: action.clone(),
            tweak: tweak.clone(),
            group,
            bindings,
            exchange: Some(exchange),
            blocked: None,
        };
        self.write(record);
        response
    }

    fn write(&mut self, record: Record) {
        self.desk.write(&Line::Record {
            case: self.case.clone(),
            record: Box::new(record.clone()),
        });
        self.records.push(record);
    }

    /// Binds the id that a reply gives to the handle that asked for it.
    fn bind(&mut self, action: &Action, response: &Response) {
        let header = |name: &str| {
            response
                .headers
                .value(name)
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
        };
        let location = header("location");
        let (kind, own, handle, id) = match action {
            Action::CreateVault { .. } => {
                return self.own(Resource::vault(&self.vault_name(action)));
            }
            Action::UploadArchive { archive, .. }
            | Action::CompleteMultipartUpload { archive, .. } => (
                "archive",
                Kind::Archive,
                archive,
                header("x-amz-archive-id"),
            ),
            Action::InitiateMultipartUpload { upload, .. } => (
                "upload",
                Kind::Upload,
                upload,
                header("x-amz-multipart-upload-id"),
            ),
            Action::InitiateJob { job, .. } => ("job", Kind::Job, job, header("x-amz-job-id")),
            Action::InitiateVaultLock { lock, .. } => {
                ("lock", Kind::Lock, lock, header("x-amz-lock-id"))
            }
            Action::PurchaseProvisionedCapacity { unit } => (
                "capacity",
                Kind::Capacity,
                unit,
                header("x-amz-capacity-id"),
            ),
            _ => return,
        };
        if let Some(id) = id {
            self.symbols.bind(kind, handle, &id, location.as_deref());
            self.own(Resource {
                kind: own,
                vault: self.vault_name(action),
                id: Some(id),
            });
        }
    }

    fn own(&mut self, resource: Resource) {
        self.desk.write(&Line::Made(resource.clone()));
        if !self.made.contains(&resource) {
            self.made.push(resource);
        }
    }

    /// Keeps what later steps refer to: parts, tiers, markers, dates.
    fn remember(&mut self, action: &Action, response: &Response) {
        let document = || response.body.json();
        match action {
            Action::UploadMultipartPart {
                upload, content, ..
            } => {
                let sent = self.records_place(action);
                if let (Some(handle), Some(start)) = (upload.handle(), sent) {
                    self.symbols.add_part(handle, start, content);
                }
            }
            Action::InitiateJob { job, body, .. } => {
                let tier = body
                    .document()
                    .and_then(|body| body.get("Tier")?.as_str().map(str::to_owned));
                self.symbols.note_tier(job, tier.as_deref());
            }
            Action::DescribeJob { job, .. } => {
                if let (Some(handle), Some(document)) = (job.handle(), document()) {
                    self.symbols.note_description(handle, &document);
                }
            }
            Action::GetJobOutput { .. } => {
                if let Some(document) = document() {
                    self.symbols.note_inventory(&document);
                }
            }
            _ => self.note_marker(action, response),
        }
    }

    fn note_marker(&mut self, action: &Action, response: &Response) {
        if let Some(name) = action.operation().filter(|_| page(action).is_some()) {
            self.symbols.note_marker(name, marker(response));
        }
    }

    /// Where a part went, by what it said itself.
    fn records_place(&self, action: &Action) -> Option<u64> {
        use crevasse_core::scenario::RangeClaim as R;
        match action {
            Action::UploadMultipartPart {
                range: R::At(at), ..
            } => Some(*at),
            Action::UploadMultipartPart {
                range: R::Literal(text),
                ..
            } => start_of(text),
            _ => None,
        }
    }

    /// Polls until the job is complete or patience is spent. Between polls no request is under way, so others go on.
    async fn await_job(&mut self, place: usize, vault: &Ref, job: &Ref, tweak: &Tweak) {
        let describe = Action::DescribeJob {
            vault: vault.clone(),
            job: job.clone(),
        };
        let patience = self.desk.target.patience.with(self.symbols.tier(job));
        let mut polls = Polls::new(patience);
        loop {
            let Some(response) = self.send(place, &describe, tweak, Some(Group::Await)).await
            else {
                return;
            };
            if !response.is_success() || is_complete(&response) {
                return;
            }
            match polls.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => {
                    return self.end_group(format!(
                        "the job is still in progress after {} s",
                        patience.as_secs()
                    ));
                }
            }
        }
    }

    fn end_group(&mut self, why: String) {
        if let Some(record) = self.records.last_mut() {
            record.blocked = Some(why);
        }
    }

    /// Follows markers from page to page.
    async fn walk(&mut self, place: usize, list: &Action, tweak: &Tweak) {
        let mut action = list.clone();
        let mut seen = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(response) = self.send(place, &action, tweak, Some(Group::Walk)).await else {
                return;
            };
            let Some(next) = marker(&response).filter(|_| response.is_success()) else {
                return;
            };
            if seen.contains(&next) {
                return self.end_group("the same Marker came twice".to_owned());
            }
            set_marker(&mut action, &next);
            seen.push(next);
        }
        self.end_group(format!("more than {MOST_PAGES} pages"));
    }

    /// Sends all steps at the same time, each on a connection of its own.
    async fn together(&mut self, place: usize, steps: &[Step]) {
        let mut requests = Vec::new();
        for step in steps {
            match self.ready(&step.action, &step.tweak).await {
                Ok(request) => requests.push((step, request)),
                Err(why) => {
                    self.block(place, &step.action, &step.tweak, Some(Group::Together), why)
                }
            }
        }
        let _admitted = self.desk.pace.admit().await;
        let exchanges = join_all(
            requests
                .iter()
                .map(|(_, request)| self.desk.exchange(request.clone())),
        )
        .await;
        for ((step, _), exchange) in requests.into_iter().zip(exchanges) {
            self.seen(
                place,
                &step.action,
                &step.tweak,
                Some(Group::Together),
                exchange,
            );
        }
    }

    /// Sends half of one request, plays the others, and sends the rest.
    async fn during(&mut self, place: usize, slow: &Step, steps: &[Step]) {
        let group = Some(Group::During);
        let request = match self.ready(&slow.action, &slow.tweak).await {
            Ok(request) => request,
            Err(why) => return self.block(place, &slow.action, &slow.tweak, group, why),
        };
        self.desk.pace.turn().await;
        let sent_at = self.desk.clock.now();
        let Some(begun) = self.desk.arm.begin(&request).await else {
            return self.block(
                place,
                &slow.action,
                &slow.tweak,
                group,
                "half a request cannot be sent this way".to_owned(),
            );
        };
        for step in steps {
            self.send(place, &step.action, &step.tweak, group).await;
        }
        let reply = begun.finish().await;
        let exchange = Exchange {
            request: request.redacted(),
            reply,
            sent_at,
            done_at: self.desk.clock.now(),
            retried: Vec::new(),
        };
        self.seen(place, &slow.action, &slow.tweak, group, exchange);
    }

    /// Removes what the case made, latest first, and proves it gone. What cannot be removed is a leak.
    async fn clean_up(&mut self) {
        let mut made = std::mem::take(&mut self.made);
        made.reverse();
        let vaults: Vec<String> = made
            .iter()
            .filter(|resource| resource.kind == Kind::Vault)
            .map(|resource| resource.vault.clone())
            .collect();
        for resource in made
            .iter()
            .filter(|resource| vaults.contains(&resource.vault))
        {
            if let Some(action) = removal(resource) {
                self.quietly(&action).await;
            }
        }
        for vault in vaults {
            self.remove_vault(&vault).await;
        }
    }

    async fn remove_vault(&mut self, name: &str) {
        let vault = Ref::Literal(name.to_owned());
        let answer = self.quietly(&Action::DeleteVault { vault }).await;
        if self.is_there(name).await {
            let reason = match answer {
                Some(response) if response.is_success() => {
                    "the target said it was deleted, and still describes it".to_owned()
                }
                Some(response) => format!(
                    "DeleteVault answered {} {}",
                    response.status,
                    response.error_code().unwrap_or_default()
                ),
                None => "DeleteVault was not answered".to_owned(),
            };
            lock(&self.desk.leaks).push(Leak {
                kind: "vault".to_owned(),
                name: name.to_owned(),
                reason,
            });
        } else {
            self.desk.write(&Line::Gone(Resource::vault(name)));
        }
    }
}

/// How a resource inside a vault is removed. Jobs end by themselves, and locks that are completed stay.
fn removal(resource: &Resource) -> Option<Action> {
    let vault = Ref::Literal(resource.vault.clone());
    let id = || resource.id.clone().map(Ref::Literal);
    Some(match resource.kind {
        Kind::Archive => Action::DeleteArchive {
            vault,
            archive: id()?,
        },
        Kind::Upload => Action::AbortMultipartUpload {
            vault,
            upload: id()?,
        },
        Kind::Lock => Action::AbortVaultLock { vault },
        Kind::Vault | Kind::Job | Kind::Capacity => return None,
    })
}

fn is_complete(response: &Response) -> bool {
    let Some(document) = response.body.json() else {
        return true;
    };
    let status = document
        .get("StatusCode")
        .and_then(serde_json::Value::as_str);
    document.get("Completed") == Some(&serde_json::Value::Bool(true))
        || !matches!(status, Some("InProgress"))
}

fn marker(response: &Response) -> Option<String> {
    response
        .body
        .json()?
        .get("Marker")?
        .as_str()
        .map(str::to_owned)
}

fn page(action: &Action) -> Option<&Page> {
    match action {
        Action::ListVaults { page }
        | Action::ListParts { page, .. }
        | Action::ListMultipartUploads { page, .. }
        | Action::ListJobs { page, .. } => Some(page),
        _ => None,
    }
}

fn set_marker(action: &mut Action, next: &str) {
    if let Action::ListVaults { page }
    | Action::ListParts { page, .. }
    | Action::ListMultipartUploads { page, .. }
    | Action::ListJobs { page, .. } = action
    {
        page.marker = Some(Marker::Literal(next.to_owned()));
    }
}

/// Drives futures that borrow, all at once.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures
        .into_iter()
        .map(|future| (Box::pin(future), None))
        .collect();
    std::future::poll_fn(|context| {
        for (future, output) in pending.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        if pending.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}
