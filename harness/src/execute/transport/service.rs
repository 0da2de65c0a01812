//! The service arm: what an HTTP server would make of a request, handed to a `tower` service in this process, and its answer read back.
//! Adds what every HTTP server adds under a service (`Date`, `Content-Length`), so that nobody is blamed for a layer that is not there.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, DATE, HeaderValue};
use http_body::{Frame, SizeHint};
use tokio::time::timeout;
use tower_service::Service;

use crevasse_core::wire::{Body, FaultKind, Framing, Headers, Reply, Request};

use super::http::{Head, fields};
use super::intake::{Intake, TooLong};
use super::raw::piece;
use super::{Arm, InProcess, Limits, allowance, fault};
use crate::execute::Clock;

/// The body of a request as a service in this process reads it.
#[derive(Debug)]
pub struct RequestBody {
    body: Body,
    sent: u64,
    /// Where the client goes away, when it does.
    cut: Option<u64>,
}

impl RequestBody {
    fn of(request: &Request) -> Self {
        Self {
            body: request.body.clone(),
            sent: 0,
            cut: (request.framing == Framing::Half).then(|| request.body.length() / 2),
        }
    }

    fn end(&self) -> u64 {
        self.cut.unwrap_or_else(|| self.body.length())
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut bytes = piece(&self.body, self.sent);
        bytes.truncate((self.end() - self.sent) as usize);
        self.sent += bytes.len() as u64;
        Poll::Ready(match (bytes.is_empty(), self.cut) {
            (false, _) => Some(Ok(Frame::data(bytes.into()))),
            (true, Some(_)) => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            (true, None) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.cut.is_none() && self.sent == self.body.length()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.length() - self.sent)
    }
}

impl Arm {
    /// An arm that calls a `tower` service, such as a router of axum, bounded like a server on the network. Call it within a Tokio runtime.
    ///
    /// What an HTTP server refuses before any service sees it, such as a second `Content-Length`, cannot be sent this way.
    pub fn service<S, B>(service: S, limits: Limits) -> Self
    where
        S: Service<http::Request<RequestBody>, Response = http::Response<B>>
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
        Self::InProcess(InProcess {
            answer: std::sync::Arc::new(move |request| {
                let (service, asked, length) =
                    (service.clone(), asked(request), request.body.length());
                Box::pin(async move {
                    match asked {
                        Some(asked) => exchange(service, asked, limits, length).await,
                        None => fault(FaultKind::NotHttp, OBSTACLE, None),
                    }
                })
            }),
            obstacle,
        })
    }
}

const OBSTACLE: &str = "what an HTTP server refuses before a service sees it needs a socket";

fn obstacle(request: &Request) -> Option<&'static str> {
    match request.framing {
        Framing::Announced(_) => Some("a body that is announced and not sent needs a socket"),
        _ if lengths_disagree(request) || asked(request).is_none() => Some(OBSTACLE),
        _ => None,
    }
}

fn lengths_disagree(request: &Request) -> bool {
    let mut lengths = request.headers.values("content-length");
    let first = lengths.next();
    lengths.next().is_some()
        || first.is_some_and(|length| length.parse() != Ok(request.body.length()))
}

/// The request as a server's HTTP library hands it on.
fn asked(request: &Request) -> Option<http::Request<RequestBody>> {
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(request.target());
    let every = request.headers.iter();
    let single = |field: (&str, &str)| fields(&Headers(vec![(field.0.into(), field.1.into())]));
    for field in every {
        for (name, value) in &single(field)? {
            builder = builder.header(name, value);
        }
    }
    builder.body(RequestBody::of(request)).ok()
}

/// A call as a task of its own: a service that panics or never ends is an observation.
async fn exchange<S, B>(
    service: S,
    asked: http::Request<RequestBody>,
    limits: Limits,
    length: u64,
) -> Reply
where
    S: Service<http::Request<RequestBody>, Response = http::Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let allowed = limits.request + allowance(length);
    let mut task = tokio::spawn(call(service, asked, limits, allowed));
    match timeout(allowed, &mut task).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(panic)) => fault(FaultKind::Closed, panic.to_string(), None),
        Err(_) => {
            task.abort();
            fault(
                FaultKind::TimedOut,
                "no answer within the time allowed",
                None,
            )
        }
    }
}

async fn call<S, B>(
    mut service: S,
    asked: http::Request<RequestBody>,
    limits: Limits,
    allowed: Duration,
) -> Reply
where
    S: Service<http::Request<RequestBody>, Response = http::Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let gone =
        |error: Box<dyn Error + Send + Sync>| fault(FaultKind::Closed, error.to_string(), None);
    if let Err(error) = poll_fn(|context| service.poll_ready(context)).await {
        return gone(error.into());
    }
    match service.call(asked).await {
        Ok(response) => read(response, limits.body, allowed).await,
        Err(error) => gone(error.into()),
    }
}

async fn read<B>(response: http::Response<B>, limit: u64, patience: Duration) -> Reply
where
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (mut parts, body) = response.into_parts();
    complete(&mut parts, body.size_hint().exact());
    let mut head = Head::of(parts.status.as_u16(), &parts.headers);
    let mut intake = Intake::new(&head.media_type, limit);
    let mut body = pin!(body);
    loop {
        let frame = poll_fn(|context| body.as_mut().poll_frame(context));
        let (kind, detail) = match timeout(patience, frame).await {
            Ok(None) => return Reply::Response(head.with(intake)),
            // Trailers are no data.
            Ok(Some(Ok(frame))) => match frame.into_data().map(|data| take(&mut intake, data)) {
                Ok(Err(TooLong)) => (
                    FaultKind::TooLarge,
                    "the body of the answer does not end within the limit".to_owned(),
                ),
                _ => continue,
            },
            Ok(Some(Err(error))) => (FaultKind::Closed, error.into().to_string()),
            Err(_) => (
                FaultKind::TimedOut,
                "the body of the answer did not end within the time allowed".to_owned(),
            ),
        };
        return fault(kind, detail, Some(head.with(intake)));
    }
}

fn take(intake: &mut Intake, mut data: impl Buf) -> Result<(), TooLong> {
    while data.has_remaining() {
        let chunk = data.chunk();
        intake.take(chunk)?;
        let taken = chunk.len();
        data.advance(taken);
    }
    Ok(())
}

/// What an HTTP server adds to an answer on its way out (RFC 9110, 6.6.1 and 8.6).
fn complete(parts: &mut http::response::Parts, length: Option<u64>) {
    let now = Clock::start().now().http();
    let headers = &mut parts.headers;
    if let (false, Ok(date)) = (headers.contains_key(DATE), HeaderValue::try_from(now)) {
        headers.insert(DATE, date);
    }
    let bodiless = parts.status.is_informational() || parts.status.as_u16() == 204;
    if let (false, Some(length), false) = (bodiless, length, headers.contains_key(CONTENT_LENGTH)) {
        headers.insert(CONTENT_LENGTH, length.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::transport::Transport;
    use axum::Router;
    use axum::body::Bytes as Whole;
    use axum::routing::{any, get};

    fn request(method: &str, path: &str, body: Body) -> Request {
        let length = body.length().to_string();
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: "a=b%20c".to_owned(),
            headers: Headers(vec![("content-length".to_owned(), length)]),
            body,
            framing: Framing::Plain,
        }
    }

    fn arm() -> Arm {
        let limits = Limits {
            request: Duration::from_millis(300),
            ..Limits::default()
        };
        let router = Router::new()
            .route("/echo", any(|body: Whole| async move { body }))
            .route("/panic", get(|| async { panic!("a bug") as () }))
            .route("/never", get(std::future::pending::<()>));
        Arm::service(router, limits)
    }

    #[tokio::test]
    async fn a_service_gets_the_body_and_its_answer_is_completed_as_a_server_does() {
        let sent = request("PUT", "/echo", Body::Text("hello".to_owned()));
        let reply = arm().send(&sent).await;
        let response = reply.response().unwrap();
        assert_eq!((response.status, response.body.length), (200, 5));
        assert_eq!(response.headers.value("content-length"), Some("5"));
        assert!(response.headers.value("date").is_some());
    }

    #[tokio::test]
    async fn a_handler_that_panics_or_never_ends_is_an_observation() {
        for (path, kind) in [
            ("/panic", FaultKind::Closed),
            ("/never", FaultKind::TimedOut),
        ] {
            match arm().send(&request("GET", path, Body::Empty)).await {
                Reply::Fault(fault) => assert_eq!(fault.kind, kind),
                reply => panic!("{reply:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_client_that_goes_away_is_an_error_of_the_body() {
        let mut half = request("PUT", "/echo", Body::Text("hello".to_owned()));
        half.framing = Framing::Half;
        let reply = arm().send(&half).await;
        assert_eq!(reply.response().unwrap().status, 400);
    }

    #[test]
    fn what_no_service_ever_sees_is_an_obstacle() {
        let sent = request("PUT", "/echo", Body::Text("hello".to_owned()));
        assert_eq!(obstacle(&sent), None);
        let twice = |name: &str, value: &str| {
            let mut request = sent.clone();
            request.headers.push(name, value);
            obstacle(&request)
        };
        assert!(twice("Content-Length", "5").is_some());
        assert!(twice("a b", "c").is_some());
        assert_eq!(twice("x-twice", "c"), None);
        let spaced = Request {
            path: "/a b".to_owned(),
            ..sent.clone()
        };
        assert!(obstacle(&spaced).is_some());
    }
}
