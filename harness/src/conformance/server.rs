//! The ways to a server under test. Each is gone only when a test needs it.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use tokio::runtime::Runtime;

use crevasse_core::wire::{FaultKind, Reply, Request, TransportFault};

use crate::execute::transport::{Arm, RequestBody};
use crate::execute::{Target, credentials};

/// What the endpoint of a server in this process is called.
const HERE: &str = "http://localhost";

/// A server that answers: its URL, and what keeps it running until it is dropped.
///
/// ```
/// use crevasse::conformance::Running;
///
/// let known: Running = "http://127.0.0.1:5000".into();
/// let guarded: Running = ("http://127.0.0.1:5000", std::io::empty()).into();
/// let listening: Running = std::net::SocketAddr::from(([127, 0, 0, 1], 5000)).into();
/// ```
pub struct Running {
    url: String,
    _guards: Vec<Box<dyn Any>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").field(&self.url).finish()
    }
}

impl From<String> for Running {
    fn from(url: String) -> Self {
        Self {
            url,
            _guards: Vec::new(),
        }
    }
}

impl From<&str> for Running {
    fn from(url: &str) -> Self {
        url.to_owned().into()
    }
}

impl From<SocketAddr> for Running {
    fn from(address: SocketAddr) -> Self {
        format!("http://{address}").into()
    }
}

impl<R: Into<Running>, G: 'static> From<(R, G)> for Running {
    fn from((running, guard): (R, G)) -> Self {
        let mut running = running.into();
        running._guards.push(Box::new(guard));
        running
    }
}

/// Changes where a run is aimed.
type Aim = Box<dyn FnOnce(&mut Target)>;
type Starting = Pin<Box<dyn Future<Output = Running>>>;

enum Way {
    Url(Box<dyn FnOnce() -> Running>),
    UrlAsync(Box<dyn FnOnce() -> Starting>),
    InProcess(Box<dyn FnOnce(&Target) -> Arm>),
}

/// A server that may have to be started.
pub(super) struct Server {
    way: Way,
    /// What the author wants changed about where the run is aimed.
    pub(super) aim: Option<Aim>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.way {
            Way::Url(_) | Way::UrlAsync(_) => "Server(url)",
            Way::InProcess(_) => "Server(in process)",
        })
    }
}

/// A server that was started, and the way to it.
pub(super) struct Approach {
    pub(super) target: Target,
    pub(super) arm: Arm,
    /// What keeps it running; nothing for one in this process.
    pub(super) running: Option<Running>,
}

impl Server {
    fn new(way: Way) -> Self {
        Self { way, aim: None }
    }

    pub(super) fn url<R: Into<Running>>(start: impl FnOnce() -> R + 'static) -> Self {
        Self::new(Way::Url(Box::new(|| start().into())))
    }

    pub(super) fn url_async<R: Into<Running>>(start: impl AsyncFnOnce() -> R + 'static) -> Self {
        Self::new(Way::UrlAsync(Box::new(|| {
            Box::pin(async move { start().await.into() })
        })))
    }

    pub(super) fn replies<F>(make: impl FnOnce() -> F + 'static) -> Self
    where
        F: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        Self::new(Way::InProcess(Box::new(|_| {
            let answer = make();
            Arm::in_process(move |request| caught(&answer, request))
        })))
    }

    pub(super) fn service<S, B>(make: impl FnOnce() -> S + 'static) -> Self
    where
        S: tower_service::Service<http::Request<RequestBody>, Response = http::Response<B>>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::new(Way::InProcess(Box::new(|target| {
            Arm::service(make(), target.limits)
        })))
    }

    /// Starts it.
    pub(super) fn approach(self, runtime: &Runtime) -> Result<Approach, String> {
        // A closure that is not async may block, or have a runtime of its own: neither goes within ours.
        let running = match self.way {
            Way::Url(start) => start(),
            Way::UrlAsync(start) => runtime.block_on(start()),
            Way::InProcess(make) => {
                let _within = runtime.enter();
                let target = target(HERE, self.aim)?;
                let arm = make(&target);
                return Ok(Approach {
                    target,
                    arm,
                    running: None,
                });
            }
        };
        let target = target(&running.url, self.aim)?;
        let arm = target.arm().map_err(|error| format!("failed to {error}"))?;
        Ok(Approach {
            target,
            arm,
            running: Some(running),
        })
    }
}

fn target(endpoint: &str, aim: Option<Aim>) -> Result<Target, String> {
    let mut target = Target::new(endpoint).map_err(|error| format!("failed to {error}"))?;
    target.credentials = credentials(target.is_loopback());
    if let Some(aim) = aim {
        aim(&mut target);
    }
    Ok(target)
}

/// A server that panics is an observation like a connection that breaks.
fn caught(answer: &(impl Fn(&Request) -> Reply + Send + Sync), request: &Request) -> Reply {
    catch_unwind(AssertUnwindSafe(|| answer(request))).unwrap_or_else(|_| {
        Reply::Fault(TransportFault {
            kind: FaultKind::Closed,
            detail: "the server panicked".to_owned(),
            partial: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> Runtime {
        Runtime::new().unwrap()
    }

    #[test]
    fn a_guard_lives_as_long_as_the_approach_and_no_longer() {
        let guard = std::rc::Rc::new(());
        let theirs = std::rc::Rc::clone(&guard);
        let approach = Server::url(move || ("http://127.0.0.1:1", theirs))
            .approach(&runtime())
            .unwrap();
        assert_eq!(std::rc::Rc::strong_count(&guard), 2);
        drop(approach);
        assert_eq!(std::rc::Rc::strong_count(&guard), 1);
    }

    #[test]
    fn a_sync_closure_may_have_a_runtime_of_its_own() {
        let start = || runtime().block_on(async { "http://127.0.0.1:1".to_owned() });
        assert!(Server::url(start).approach(&runtime()).is_ok());
    }

    #[test]
    fn an_endpoint_that_is_none_says_so() {
        let wrong = Server::url(|| "127.0.0.1:5000").approach(&runtime());
        let message = wrong.map(|_| ()).unwrap_err();
        assert!(message.starts_with("failed to read"), "{message}");
    }
}
