//! What all cases of a run share: the way to the target, its pace, the clock, the journal and the keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::sleep;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::scenario::{Action, Tweak};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::wire::{Exchange, FaultKind, Framing, Reply, Request, Response};

use super::redact::Redaction;
use super::render::render;
use super::sign::sign;
use super::stop::Stop;
use super::symbols::{Obstacle, Symbols};
use super::transport::{Arm, Transport};
use super::{Clock, Pace, Target};
use crate::event::Learned;
use crate::journal::{Journal, JournalError, Line};

/// How often a request is sent again that the target put off.
const RETRIES: u32 = 4;
/// The longest wait a target may ask for before a request is sent again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After so many requests in a row that reached nobody, the target counts as gone.
const GONE_AFTER: u32 = 20;

/// A run's dealings with its target.
pub(crate) struct Session {
    pub(crate) target: Target,
    pub(crate) arm: Arm,
    pub(crate) spec: Arc<Spec>,
    pub(crate) pace: Pace,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    journal: Journal,
    prefix: String,
    learned: Mutex<Learned>,
    absent: Mutex<BTreeSet<OperationName>>,
    claimed: Mutex<BTreeSet<String>>,
    unreached: AtomicU32,
    gone: Mutex<Option<String>>,
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
            journal,
            prefix,
            learned: Mutex::new(learned),
            absent: Mutex::default(),
            claimed: Mutex::default(),
            unreached: AtomicU32::new(0),
            gone: Mutex::default(),
        }
    }

    /// Keeps what was learned.
    pub(crate) fn learn(&self, learned: Learned) {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = learned;
    }

    /// Sends nothing for these operations any more.
    pub(crate) fn go_without(&self, absent: BTreeSet<OperationName>) {
        *self.absent.lock().unwrap_or_else(PoisonError::into_inner) = absent;
    }

    fn lacks(&self, action: &Action) -> Option<OperationName> {
        let absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
        action.operation().filter(|name| absent.contains(name))
    }

    /// Why the target counts as gone, if it does.
    pub(crate) fn gone(&self) -> Option<String> {
        self.gone
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// An empty symbol table for a case. Names of its vaults begin with the run's prefix and what identifies the case, in characters
    /// that names may have.
    pub(crate) fn symbols(&self, case: &str) -> Symbols {
        let legal = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '.'
            }
        };
        let short: String = case.chars().map(legal).take(80).collect();
        let learned = self
            .learned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let region = learned.region.unwrap_or_else(|| self.target.region.clone());
        Symbols::new(format!("{}-{short}-", self.prefix), learned.account, region)
    }

    /// Appends to the journal.
    pub(crate) fn write(&self, line: &Line) -> Result<(), JournalError> {
        self.journal.write(line)
    }

    /// Renders and signs a request, and makes sure that it can be sent and that it touches nothing but what is ours.
    pub(crate) fn compose(
        &self,
        action: &Action,
        tweak: &Tweak,
        symbols: &mut Symbols,
    ) -> Result<Request, Obstacle> {
        if let Some(name) = self.lacks(action) {
            return Err(format!("the target has no {name}"));
        }
        let mut request = render(action, tweak, &self.spec, symbols, &self.target.authority())?;
        if let Some(name) = self.trespass(&request, symbols) {
            return Err(format!("the vault `{name}` is not one this run made"));
        }
        sign(
            &mut request,
            tweak,
            self.target.credentials.as_ref(),
            &self.target.region,
            self.clock.now(),
        );
        for (name, value) in &tweak.headers {
            if let Some(value) = value
                .as_ref()
                .filter(|_| name.eq_ignore_ascii_case("authorization"))
            {
                request.headers.set(name, value);
            }
        }
        match self.arm.obstacle(&request) {
            Some(obstacle) => Err(obstacle),
            None => Ok(request),
        }
    }

    /// The vault that a request would change although it may be somebody's: a legal name that neither has our prefix nor was made by this case.
    fn trespass(&self, request: &Request, symbols: &Symbols) -> Option<String> {
        if matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            return None;
        }
        let mut segments = request
            .path
            .split('/')
            .skip_while(|segment| *segment != "vaults");
        let name = decoded(segments.nth(1)?);
        let ours = name.starts_with(&self.prefix) || symbols.is_vault(&name);
        (is_legal_vault_name(&name) && !ours).then_some(name)
    }

    /// Sends a request and waits for its answer, again where the target puts it off.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Exchange, Obstacle> {
        let sent_at = self.clock.now();
        let mut retried = Vec::new();
        loop {
            let reply = {
                let _admission = self.pace.admit().await;
                self.pace.turn().await;
                self.arm.send(request).await
            };
            let again = retried.len() < RETRIES as usize && !self.stop.asked();
            match put_off(request, &reply).filter(|_| again) {
                Some((status, wait)) => {
                    sleep(wait.unwrap_or(Duration::from_millis(200 << retried.len()))).await;
                    retried.push(status);
                }
                None => return self.done(request, reply, sent_at, retried),
            }
        }
    }

    /// Sends a request that belongs to a group already admitted.
    pub(crate) async fn exchange_admitted(&self, request: &Request) -> Result<Exchange, Obstacle> {
        self.pace.turn().await;
        let sent_at = self.clock.now();
        let reply = self.arm.send(request).await;
        self.done(request, reply, sent_at, Vec::new())
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
        if let Reply::Fault(fault) = &reply
            && fault.kind == FaultKind::Unreachable
        {
            if self.unreached.fetch_add(1, Ordering::Relaxed) + 1 >= GONE_AFTER {
                let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
                gone.get_or_insert_with(|| fault.detail.clone());
                self.stop.ask();
            }
            return Err(format!("the target could not be reached: {}", fault.detail));
        }
        self.unreached.store(0, Ordering::Relaxed);
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

    /// Takes a vault name that nobody has; false when another case of this run took it first.
    pub(crate) fn claim(&self, name: &str) -> bool {
        self.claimed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned())
    }

    /// Gives a claimed name back once its vault is gone.
    pub(crate) fn unclaim(&self, name: &str) {
        self.claimed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

/// A status that means "later", and how long the target asks to wait; 0 where an idle connection was closed under an idempotent
/// request, which may then be sent once more (RFC 9112, 9.3.1).
fn put_off(request: &Request, reply: &Reply) -> Option<(u16, Option<Duration>)> {
    if request.framing != Framing::Plain {
        return None;
    }
    match reply {
        Reply::Response(response) => {
            is_put_off(response).then(|| (response.status, asked_wait(response)))
        }
        Reply::Fault(fault) => {
            let idempotent = matches!(request.method.as_str(), "GET" | "PUT" | "DELETE");
            let raced = fault.kind == FaultKind::Closed && fault.partial.is_none() && idempotent;
            raced.then_some((0, Some(Duration::ZERO)))
        }
    }
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

fn asked_wait(response: &Response) -> Option<Duration> {
    let seconds = response.headers.value("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
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

/// Whether a name is one a vault can have: 1 to 255 of `A-Z a-z 0-9 _ - .` (guide, "Create Vault").
pub(crate) fn is_legal_vault_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (1..=255).contains(&name.len()) && name.chars().all(legal)
}

fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let digit = |place: usize| {
        bytes
            .get(place)
            .and_then(|byte| (*byte as char).to_digit(16))
    };
    let (mut text, mut place) = (Vec::new(), 0);
    while place < bytes.len() {
        match (bytes[place], digit(place + 1), digit(place + 2)) {
            (b'%', Some(high), Some(low)) => {
                text.push((high << 4 | low) as u8);
                place += 3;
            }
            (byte, _, _) => {
                text.push(byte);
                place += 1;
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
