//! Three ways to put a request to a target: an HTTP client, bytes written by hand, and a call within the process.
//! Every one is bounded in time and memory, and a breach of a bound is an observation, not an error.

mod http;
mod intake;
mod raw;
mod service;

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crevasse_core::wire::{FaultKind, Reply, Request, Response, TransportFault};

use super::target::{Target, TargetError};

pub use http::HttpArm;
pub use raw::{Begun, RawArm};
pub use service::RequestBody;

/// What every server is to take of a URI, in octets (RFC 9110, 4.1).
const LONGEST_TARGET: usize = 8000;

/// Puts requests to a target.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for its answer. There is no `Result`: a refused connection is an observation.
    fn send(&self, request: &Request) -> impl Future<Output = Reply> + Send;
}

/// What an answer may take at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To set a connection up.
    pub connect: Duration,
    /// From the first byte sent to the last received, plus a second for each MiB that moves either way.
    pub request: Duration,
    /// Between two bytes of an answer that has begun.
    pub idle: Duration,
    /// Bytes of an answer's body, beyond all bytes that were uploaded before.
    pub body: u64,
}

/// How long a body may be that is read: it grows with what was uploaded, since that may come back.
#[derive(Clone, Debug, Default)]
pub struct Ceiling(Arc<AtomicU64>);

impl Ceiling {
    fn raise(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn over(&self, base: u64) -> u64 {
        base.saturating_add(self.0.load(Ordering::Relaxed))
    }
}

impl Limits {
    /// Bytes of an answer's head, status line included.
    pub const HEAD: usize = 256 << 10;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            idle: Duration::from_secs(15),
            body: 64 << 20,
        }
    }
}

/// The network: an HTTP client for what one would send, the raw arm for the rest.
#[derive(Debug)]
pub struct Network {
    http: HttpArm,
    raw: Option<RawArm>,
    ceiling: Ceiling,
}

/// A server in this process: from a request to its answer, without a socket.
#[derive(Clone)]
pub struct InProcess {
    answer: Arc<dyn Fn(&Request) -> Answering + Send + Sync>,
    /// Why a request never gets as far as this server, if it does not.
    obstacle: fn(&Request) -> Option<&'static str>,
}

type Answering = Pin<Box<dyn Future<Output = Reply> + Send>>;

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// A way to a target.
#[derive(Debug)]
pub enum Arm {
    /// Over TCP.
    Network(Box<Network>),
    /// By a call.
    InProcess(InProcess),
}

impl Arm {
    /// The network arms for a target. Bytes can be written by hand only where neither TLS nor a proxy is in between.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn network(target: &Target) -> Result<Self, TargetError> {
        let ceiling = Ceiling::default();
        let raw =
            (!target.is_tls() && !target.proxied).then(|| RawArm::new(target, ceiling.clone()));
        let http = HttpArm::new(target, ceiling.clone())?;
        Ok(Self::Network(Box::new(Network { http, raw, ceiling })))
    }

    /// An arm that calls a server in this process.
    ///
    /// ```
    /// use crevasse::execute::transport::Arm;
    /// use crevasse_reference::{Options, Service};
    ///
    /// let service = Service::new(Options::default());
    /// let arm = Arm::in_process(move |request| service.exchange(request));
    /// ```
    pub fn in_process(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::InProcess(InProcess {
            answer: Arc::new(move |request| Box::pin(ready(answer(request)))),
            obstacle: |_| None,
        })
    }

    /// So many bytes are uploaded, and may come back.
    pub(crate) fn expect_back(&self, bytes: u64) {
        if let Self::Network(network) = self {
            network.ceiling.raise(bytes);
        }
    }

    /// Says why this request cannot be put to the target at all, if it cannot.
    pub fn obstacle(&self, request: &Request) -> Option<String> {
        if request
            .headers
            .iter()
            .any(|(name, value)| breaks_a_line(name) || breaks_a_line(value))
        {
            return Some("a header field cannot hold a line break".to_owned());
        }
        if request.path.len() + request.query.len() > LONGEST_TARGET {
            return Some(format!(
                "HTTP itself may refuse a URI of more than {LONGEST_TARGET} octets (RFC 9110, 4.1)"
            ));
        }
        match self {
            Self::Network(network) if network.raw.is_none() && !network.http.carries(request) => {
                Some(
                    "what an HTTP client refuses to send needs a plain http endpoint and no proxy"
                        .to_owned(),
                )
            }
            Self::Network(_) => None,
            Self::InProcess(server) => (server.obstacle)(request).map(str::to_owned),
        }
    }

    /// Sends the head and half of the body, so that something else can happen before the rest; `None` when this arm cannot.
    pub async fn begin(&self, request: &Request) -> Option<Begun> {
        match self {
            Self::Network(network) => Some(network.raw.as_ref()?.begin(request).await),
            Self::InProcess(_) => None,
        }
    }
}

impl Transport for Arm {
    async fn send(&self, request: &Request) -> Reply {
        match self {
            Self::Network(network) => match &network.raw {
                Some(raw) if !network.http.carries(request) || is_large(request) => {
                    raw.send(request).await
                }
                _ => network.http.send(request).await,
            },
            Self::InProcess(server) => (server.answer)(request).await,
        }
    }
}

/// A server may refuse a large body before it has all of it; an HTTP client then often sees the reset and not the answer.
fn is_large(request: &Request) -> bool {
    request.body.length() > 256 << 10
}

fn breaks_a_line(text: &str) -> bool {
    text.contains(['\r', '\n'])
}

/// A response that did not come whole.
fn fault(kind: FaultKind, detail: impl Into<String>, partial: Option<Response>) -> Reply {
    Reply::Fault(TransportFault {
        kind,
        detail: detail.into(),
        partial: partial.map(Box::new),
    })
}

/// A second for each MiB, so that large bodies have the time they need and slow drips have not.
fn allowance(bytes: u64) -> Duration {
    Duration::from_millis(bytes / (1 << 20) * 1000)
}

#[cfg(test)]
mod tests;
