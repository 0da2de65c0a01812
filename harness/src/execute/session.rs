//! What all cases of a run share: the way to the target, its pace, the clock, the journal and the keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::sync::SemaphorePermit;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::prices::Usage;
use crevasse_core::scenario::{Action, Tweak, is_legal_vault_name};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{Exchange, FaultKind, Framing, Reply, Request, Response};

use super::patience::Punctuality;
use super::purse::{Beyond, Budget, Purse};
use super::redact::Redaction;
use super::render::render;
use super::room::Room;
use super::sign::Unsigned;
use super::stop::Stop;
use super::symbols::{Obstacle, Symbols};
use super::transport::{Arm, Begun, Transport};
use super::{Clock, Pace, Target};
use crate::event::Learned;
use crate::journal::{Journal, JournalError, Line};

/// How often a request is sent again that the target put off.
const RETRIES: usize = 4;
/// The longest that a request is put off in all, whatever the target asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After so many requests in a row that were put off to the end, none waits any more, until one is answered.
const WORN_OUT_AFTER: u32 = 3;
/// After so many requests in a row without a whole answer, the target counts as gone.
const GONE_AFTER: u32 = 20;
/// After so many requests that took all the time allowed, and one more for so many answered, the target counts as gone too: nobody
/// has a day for a run.
const TIMED_OUT_AT_MOST: (u32, u32) = (64, 32);
/// After so many in a row that took all the time allowed, while nothing was answered for so long, it does as well.
const SILENT: (u32, Duration) = (3, Duration::from_secs(60));
/// After so many requests in a row that took all the time allowed, an operation is not asked for any more.
const SILENT_AFTER: u32 = 8;

/// Why a request is not sent whose turn came after the end.
const TOO_LATE: &str = "the run ended before it was sent";

/// A run's dealings with its target.
pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) arm: Arm,
    pub(crate) spec: Arc<Spec>,
    pub(crate) pace: Pace,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    pub(crate) room: Room,
    journal: Journal,
    prefix: String,
    learned: Mutex<Learned>,
    absent: Mutex<BTreeSet<OperationName>>,
    claimed: Mutex<BTreeSet<String>>,
    answered: AtomicU32,
    unanswered: AtomicU32,
    /// When something was answered last, in milliseconds since the run began.
    heard_at: AtomicU64,
    timed_out: AtomicU32,
    worn_out: AtomicU32,
    silent: Mutex<BTreeMap<OperationName, u32>>,
    punctuality: Mutex<Punctuality>,
    gone: Mutex<Option<String>>,
    purse: Mutex<Purse>,
    redaction: Redaction,
}

impl Session {
    /// A session that knows nothing of its target yet. `prefix` begins the names of all vaults it makes.
    pub(crate) fn new(
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
        Self {
            redaction: Redaction::of(target.credentials.as_ref()),
            target,
            arm,
            spec,
            pace,
            clock: Clock::start(),
            stop: Stop::default(),
            room: Room::default(),
            journal,
            prefix,
            learned: Mutex::new(learned),
            absent: Mutex::default(),
            claimed: Mutex::default(),
            answered: AtomicU32::new(0),
            unanswered: AtomicU32::new(0),
            heard_at: AtomicU64::new(0),
            timed_out: AtomicU32::new(0),
            worn_out: AtomicU32::new(0),
            silent: Mutex::default(),
            punctuality: Mutex::default(),
            gone: Mutex::default(),
            purse: Mutex::default(),
        }
    }

    /// Keeps what was learned; what the target did not tell of its account stays as it was.
    pub(crate) fn learn(&self, learned: Learned) {
        let mut known = lock(&self.learned);
        let account = learned.account.or_else(|| known.account.take());
        *known = Learned { account, ..learned };
    }

    /// Sends nothing for these operations any more.
    pub(crate) fn go_without(&self, absent: BTreeSet<OperationName>) {
        *lock(&self.absent) = absent;
    }

    /// Why nothing is sent for an operation, if so.
    fn lacks(&self, action: &Action) -> Option<Obstacle> {
        let name = action.operation()?;
        let absent = lock(&self.absent);
        if absent.contains(&name) {
            return Some(format!("the target has no {name}"));
        }
        let silent = lock(&self.silent);
        (silent.get(&name).copied().unwrap_or_default() >= SILENT_AFTER).then(|| {
            format!("the target did not answer {name} in time {SILENT_AFTER} times in a row")
        })
    }

    /// Takes note of whether an operation was answered in time.
    pub(crate) fn heard_of(&self, name: OperationName, reply: &Reply) {
        let mut silent = lock(&self.silent);
        let times = silent.entry(name).or_default();
        match reply {
            Reply::Fault(fault) if fault.kind == FaultKind::TimedOut => *times += 1,
            _ => *times = 0,
        }
    }

    /// Gives operations another chance that were not answered in time.
    pub(crate) fn listen_again(&self) {
        lock(&self.silent).clear();
    }

    /// Whether jobs were over in time so far.
    pub(crate) fn punctuality(&self) -> MutexGuard<'_, Punctuality> {
        lock(&self.punctuality)
    }

    /// Whether nobody answers any more: then asking on is a waste of time.
    pub(crate) fn is_deserted(&self) -> bool {
        self.gone().is_some() && self.unanswered.load(Ordering::Relaxed) > 0
    }

    /// Why the target counts as gone, if it does.
    pub(crate) fn gone(&self) -> Option<String> {
        lock(&self.gone).clone()
    }

    /// An empty symbol table for a case. Names of its vaults begin with the run's prefix and what identifies the case, in characters
    /// that no rule has anything to say about: a try of a case gets no other answers for the name it has. Ids of
    /// scenarios have no two hyphens in a row.
    pub(crate) fn symbols(&self, case: &str) -> Symbols {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let case = case.replace('~', "--");
        let short: String = case.chars().map(plain).take(80).collect();
        let learned = lock(&self.learned).clone();
        let region = learned.region.unwrap_or_else(|| self.target.region.clone());
        Symbols::new(format!("{}-{short}-", self.prefix), learned.account, region)
            .with_topic(self.target.sns_topic.clone())
    }

    /// Appends to the journal.
    pub(crate) fn write(&self, line: &Line) -> Result<(), JournalError> {
        lock(&self.purse).count(line);
        self.journal.write(line)
    }

    /// Ends the run as soon as it goes beyond a bound.
    pub(crate) fn keep_within(&self, budget: Budget) {
        lock(&self.purse).budget = budget;
    }

    /// What was used so far.
    pub(crate) fn usage(&self) -> Usage {
        lock(&self.purse).usage.clone()
    }

    /// The bound that ended the run, if one did.
    pub(crate) fn spent(&self) -> Option<Beyond> {
        lock(&self.purse).spent.clone()
    }

    /// The latest request only asked whether a job is complete.
    pub(crate) fn was_a_poll(&self) {
        lock(&self.purse).usage.polls += 1;
    }

    /// Adds a request to what was used.
    fn pay(&self, request: &Request, reply: &Reply) {
        if lock(&self.purse).pay(&self.spec, request, reply) {
            self.stop.ask();
        }
    }

    /// Renders a request, and makes sure that it can be sent and that it touches nothing but what is ours.
    pub(crate) fn compose(
        &self,
        action: &Action,
        tweak: &Tweak,
        symbols: &mut Symbols,
    ) -> Result<Unsigned, Obstacle> {
        if let Some(obstacle) = self.lacks(action) {
            return Err(obstacle);
        }
        let request = render(action, tweak, &self.spec, symbols, &self.target.authority())?;
        if let Some(name) = self.trespass(&request, symbols) {
            return Err(format!("the vault `{name}` is not one this run made"));
        }
        match self.arm.obstacle(&request) {
            Some(obstacle) => Err(obstacle),
            None => Ok(Unsigned {
                request,
                tweak: tweak.clone(),
            }),
        }
    }

    fn signed(&self, unsigned: &Unsigned) -> Request {
        let Target {
            credentials,
            region,
            ..
        } = &self.target;
        unsigned.signed(credentials.as_ref(), region, self.clock.now())
    }

    /// The vault that a request would change although it may be somebody's: a legal name that neither has our prefix nor was made by this case.
    fn trespass(&self, request: &Request, symbols: &Symbols) -> Option<String> {
        if matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            return None;
        }
        // Servers decode a path before they take it apart, or after.
        let before = decoded(&request.path);
        let whole = before.split('/').map(str::to_owned).collect();
        let apart: Vec<String> = request.path.split('/').map(decoded).collect();
        let vault = |segments: Vec<String>| {
            let mut segments = segments.into_iter().skip_while(|it| it != "vaults");
            segments.nth(1)
        };
        let somebodys = |name: &String| {
            let ours = name.starts_with(&self.prefix) || symbols.is_vault(name);
            is_legal_vault_name(name) && !ours
        };
        [whole, apart].into_iter().filter_map(vault).find(somebodys)
    }

    /// Sends a request of a case and waits for its answer, again where the target puts it off. Nothing is sent once the run is over.
    pub(crate) async fn exchange(&self, unsigned: &Unsigned) -> Result<Exchange, Obstacle> {
        self.converse(unsigned, Some(&self.stop)).await
    }

    /// The same until this stop is asked for.
    pub(crate) async fn converse(
        &self,
        unsigned: &Unsigned,
        stop: Option<&Stop>,
    ) -> Result<Exchange, Obstacle> {
        let over = || stop.is_some_and(Stop::asked);
        let (mut retried, mut waited) = (Vec::new(), Duration::ZERO);
        let mut first = None;
        loop {
            let (request, reply, sent_at) = {
                let _admission = self.pace.admit().await;
                self.pace.turn().await;
                if over() && retried.is_empty() {
                    return Err(TOO_LATE.to_owned());
                }
                let sent_at = *first.get_or_insert_with(|| self.clock.now());
                let request = self.signed(unsigned);
                let reply = self.arm.send(&request).await;
                (request, reply, sent_at)
            };
            let Some((status, wait)) = self.put_off(&request, &reply, &retried) else {
                self.worn_out.store(0, Ordering::Relaxed);
                self.pace.speed_up().await;
                return self.done(&request, reply, sent_at, retried);
            };
            self.pace.slow_down(wait).await;
            let wait = wait.unwrap_or(Duration::from_millis(200 << retried.len()));
            waited += wait;
            let enough = retried.len() == RETRIES || waited > LONGEST_WAIT;
            if enough || over() || self.is_worn_out() {
                self.worn_out.fetch_add(1, Ordering::Relaxed);
                return self.done(&request, reply, sent_at, retried);
            }
            self.pay(&request, &reply);
            match stop {
                Some(stop) => stop.or_after(wait).await,
                None => tokio::time::sleep(wait).await,
            }
            retried.push(status);
        }
    }

    fn is_worn_out(&self) -> bool {
        self.worn_out.load(Ordering::Relaxed) >= WORN_OUT_AFTER
    }

    /// Sends a request that belongs to a group already admitted.
    pub(crate) async fn exchange_admitted(
        &self,
        unsigned: &Unsigned,
    ) -> Result<Exchange, Obstacle> {
        self.pace.turn().await;
        if self.stop.asked() {
            return Err(TOO_LATE.to_owned());
        }
        let sent_at = self.clock.now();
        let request = self.signed(unsigned);
        let reply = self.arm.send(&request).await;
        self.done(&request, reply, sent_at, Vec::new())
    }

    /// Sends the head and half of the body of a request that was admitted; gives it as it was sent.
    pub(crate) async fn begin(&self, unsigned: &Unsigned) -> Option<(Request, Begun)> {
        self.pace.turn().await;
        let request = self.signed(unsigned);
        let begun = self.arm.begin(&request).await?;
        Some((request, begun))
    }

    /// Waits until there is room for a group of requests that must be under way together.
    pub(crate) async fn admission(&self) -> SemaphorePermit<'_> {
        self.pace.admit().await
    }

    /// Makes an exchange of an answer, or says why there is none.
    pub(crate) fn done(
        &self,
        request: &Request,
        reply: Reply,
        sent_at: Timestamp,
        retried: Vec<u16>,
    ) -> Result<Exchange, Obstacle> {
        self.pay(request, &reply);
        self.count(request, &reply);
        if let Reply::Fault(fault) = &reply
            && fault.kind == FaultKind::Unreachable
        {
            return Err(format!("the target could not be reached: {}", fault.detail));
        }
        if let (Framing::Announced(_), Some(why)) = (&request.framing, asked_for_the_body(&reply)) {
            return Err(why.to_owned());
        }
        let exchange = Exchange {
            request: request.clone(),
            reply,
            sent_at,
            done_at: self.clock.now(),
            retried,
        };
        Ok(self.redaction.apply(exchange))
    }

    /// Counts what shows that nobody is there any more. A request that is damaged on purpose may well get no answer.
    fn count(&self, request: &Request, reply: &Reply) {
        let now = self.clock.elapsed().as_millis() as u64;
        let Reply::Fault(fault) = reply else {
            self.unanswered.store(0, Ordering::Relaxed);
            self.heard_at.store(now, Ordering::Relaxed);
            self.answered.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if fault.kind != FaultKind::Unreachable && request.framing != Framing::Plain {
            return;
        }
        let in_a_row = self.unanswered.fetch_add(1, Ordering::Relaxed) + 1;
        let late = u32::from(fault.kind == FaultKind::TimedOut);
        let in_all = self.timed_out.fetch_add(late, Ordering::Relaxed) + late;
        let (few, per) = TIMED_OUT_AT_MOST;
        let allowed = few + self.answered.load(Ordering::Relaxed) / per;
        let silence = Duration::from_millis(now - self.heard_at.load(Ordering::Relaxed).min(now));
        let silent = late > 0 && in_a_row >= SILENT.0 && silence >= SILENT.1;
        if silent || in_a_row >= GONE_AFTER || in_all >= allowed {
            let mut gone = lock(&self.gone);
            gone.get_or_insert_with(|| fault.detail.clone());
            self.stop.ask();
        }
    }

    /// A status that means "later", and how long the target asks to wait. 0 stands for a connection that was refused by a target that
    /// had answered before, or one that may have been closed for having been idle while an idempotent request was sent on it: that is
    /// sent once more, and whoever closes again means it (RFC 9112, 9.3.1).
    fn put_off(
        &self,
        request: &Request,
        reply: &Reply,
        retried: &[u16],
    ) -> Option<(u16, Option<Duration>)> {
        if request.framing != Framing::Plain {
            return None;
        }
        match reply {
            Reply::Response(response) => is_put_off(response)
                .then(|| (response.status, asked_wait(response, self.clock.now()))),
            Reply::Fault(fault) => {
                let idempotent = matches!(request.method.as_str(), "GET" | "PUT" | "DELETE");
                let closed = fault.kind == FaultKind::Closed && fault.partial.is_none();
                let raced = closed && idempotent && self.target.reuse && !retried.contains(&0);
                let restarting = fault.kind == FaultKind::Unreachable
                    && self.answered.load(Ordering::Relaxed) > 0;
                let wait = raced.then_some(Duration::ZERO);
                (raced || restarting).then_some((0, wait))
            }
        }
    }

    /// Takes a vault name that nobody has; false when another case of this run took it first.
    pub(crate) fn claim(&self, name: &str) -> bool {
        lock(&self.claimed).insert(name.to_owned())
    }

    /// Gives a claimed name back once its vault is gone.
    pub(crate) fn unclaim(&self, name: &str) {
        lock(&self.claimed).remove(name);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_put_off(response: &Response) -> bool {
    match response.status {
        408 | 429 => true,
        // No capacity for an expedited retrieval is an answer of its own.
        503 => response.error_code().as_deref() != Some("InsufficientCapacityException"),
        400 => response.error_code().as_deref() == Some("ThrottlingException"),
        _ => false,
    }
}

/// How long a target asks to wait, in seconds or by a date (RFC 9110, 10.2.3), or a little longer than anybody is ready to.
fn asked_wait(response: &Response, now: Timestamp) -> Option<Duration> {
    let told = response.headers.value("retry-after")?.trim();
    let until = || Timestamp::parse_http(told).map(|then| (then.0 - now.0).max(0) as u64);
    let seconds = told.parse().ok().map(Duration::from_secs);
    let wait = seconds.or_else(|| until().map(Duration::from_millis))?;
    Some(wait.min(LONGEST_WAIT + Duration::from_secs(1)))
}

/// A target that wants an announced body says nothing about whether it would take it.
fn asked_for_the_body(reply: &Reply) -> Option<&'static str> {
    match reply {
        Reply::Response(response) if response.status == 100 => {
            Some("the target asked for the announced body, which is too long to be sent")
        }
        Reply::Fault(fault) if fault.kind == FaultKind::TimedOut && fault.partial.is_none() => {
            Some("the target waits for the announced body, which is too long to be sent")
        }
        _ => None,
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
