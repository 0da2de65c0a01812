//! The HTTP arm: a client that does nothing on its own: no redirects, no retries, no proxy, no decompression, HTTP/1.1 alone.

use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use tokio::time::{Instant, timeout_at};

use crevasse_core::payload::Content;
use crevasse_core::wire::{Body, FaultKind, Framing, Headers, Reply, Request, Response};

use super::intake::{Intake, TooLong};
use super::{Ceiling, Limits, Transport, allowance, fault};
use crate::execute::target::{Target, TargetError};

/// Bytes of a body read at a time.
pub(super) const CHUNK: u64 = 256 << 10;

/// Sends what an HTTP client would send.
#[derive(Clone, Debug)]
pub struct HttpArm {
    client: Client,
    endpoint: String,
    limits: Limits,
    ceiling: Ceiling,
}

impl HttpArm {
    /// A client for a target.
    ///
    /// # Errors
    /// When its certificates cannot be read, or TLS is not compiled in.
    pub fn new(target: &Target, ceiling: Ceiling) -> Result<Self, TargetError> {
        #[cfg(feature = "tls")]
        choose_cryptography();
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(target.limits.connect)
            // A server may close an idle connection whenever it likes (RFC 9112, 9.3.1): the shorter we keep one, the rarer the race.
            .pool_idle_timeout(Duration::from_secs(1));
        let (endpoint, elsewhere) = target.root();
        if let Some((name, address)) = elsewhere {
            builder = builder.resolve(&name, address);
        }
        if !target.proxied {
            builder = builder.no_proxy();
        }
        if !target.reuse {
            builder = builder.pool_max_idle_per_host(0);
        }
        if target.is_tls() {
            builder = trust(builder, target)?;
        }
        let client = builder
            .build()
            .map_err(|error| TargetError::Tls(reason(&error)))?;
        Ok(Self {
            client,
            endpoint,
            limits: target.limits,
            ceiling,
        })
    }

    /// Whether this arm puts the request on the wire as it stands; what it would change or refuse is for the raw arm.
    pub fn carries(&self, request: &Request) -> bool {
        request.framing == Framing::Plain
            && self.url(request).is_some()
            && plain(&request.headers, &request.body)
    }

    fn url(&self, request: &Request) -> Option<Url> {
        let url = Url::parse(&format!("{}{}", self.endpoint, request.target())).ok()?;
        let same = url.path() == request.path && url.query().unwrap_or_default() == request.query;
        (same && Method::from_bytes(request.method.as_bytes()).is_ok()).then_some(url)
    }

    async fn answer(&self, request: &Request) -> Result<reqwest::Response, Reply> {
        let unsendable = || {
            fault(
                FaultKind::NotHttp,
                "the request is none an HTTP client sends",
                None,
            )
        };
        let url = self.url(request).ok_or_else(unsendable)?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| unsendable())?;
        let fields = fields(&request.headers).ok_or_else(unsendable)?;
        let mut sent = self.client.request(method, url).headers(fields);
        sent = match &request.body {
            Body::Empty => sent,
            Body::Text(text) => sent.body(text.clone()),
            Body::Content(content) => sent.body(reqwest::Body::wrap(Stream::of(content))),
        };
        let until = Instant::now() + self.limits.request + allowance(request.body.length());
        match timeout_at(until, sent.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(fault(kind(&error), reason(&error), None)),
            Err(_) => Err(fault(
                FaultKind::TimedOut,
                "no answer within the time allowed",
                None,
            )),
        }
    }

    async fn read(&self, mut response: reqwest::Response) -> Reply {
        let begun = Instant::now();
        let mut head = Head::of(response.status().as_u16(), response.headers());
        if head.size > Limits::HEAD {
            return fault(
                FaultKind::TooLarge,
                "the head of the answer exceeds 256 KiB",
                None,
            );
        }
        let mut intake = Intake::new(&head.media_type, self.ceiling.over(self.limits.body));
        loop {
            let allowed = begun + self.limits.request + allowance(intake.length());
            let until = allowed.min(Instant::now() + self.limits.idle);
            let (kind, detail) = match timeout_at(until, response.chunk()).await {
                Ok(Ok(Some(chunk))) => match intake.take(&chunk) {
                    Ok(()) => continue,
                    Err(TooLong) => (
                        FaultKind::TooLarge,
                        "the body of the answer does not end within the limit".to_owned(),
                    ),
                },
                Ok(Ok(None)) => return Reply::Response(head.with(intake)),
                Ok(Err(error)) => (kind(&error), reason(&error)),
                Err(_) => (
                    FaultKind::TimedOut,
                    "the body of the answer did not end within the time allowed".to_owned(),
                ),
            };
            return fault(kind, detail, Some(head.with(intake)));
        }
    }
}

impl Transport for HttpArm {
    async fn send(&self, request: &Request) -> Reply {
        match self.answer(request).await {
            Ok(response) => self.read(response).await,
            Err(reply) => reply,
        }
    }
}

/// TLS computes by `ring`, unless the process chose before: the other choice takes a minute of C to build.
#[cfg(feature = "tls")]
fn choose_cryptography() {
    // Refused where there is a choice already, which is as good.
    _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(feature = "tls")]
fn trust(
    builder: reqwest::ClientBuilder,
    target: &Target,
) -> Result<reqwest::ClientBuilder, TargetError> {
    let mut builder = builder.tls_danger_accept_invalid_certs(target.insecure);
    if let Some(path) = &target.cacert {
        let pem = std::fs::read(path)
            .map_err(|error| TargetError::Tls(format!("{}: {error}", path.display())))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem);
        builder = builder
            .tls_certs_merge(certificates.map_err(|error| TargetError::Tls(reason(&error)))?);
    }
    Ok(builder)
}

#[cfg(not(feature = "tls"))]
fn trust(_: reqwest::ClientBuilder, _: &Target) -> Result<reqwest::ClientBuilder, TargetError> {
    Err(TargetError::Tls(
        "https is not compiled in: build with the feature `tls`".to_owned(),
    ))
}

/// Whether the fields are ones that a client sends as they stand: legal, none twice, the length that of the body.
fn plain(headers: &Headers, body: &Body) -> bool {
    let names: BTreeSet<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    let length = headers.value("content-length").map(str::parse::<u64>);
    let measured = match length {
        Some(Ok(length)) => length == body.length(),
        Some(Err(_)) => false,
        None => *body == Body::Empty,
    };
    let own = [
        "connection",
        "expect",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    measured
        && names.len() == headers.0.len()
        && !own.iter().any(|name| names.contains(*name))
        && headers.value("host").is_some()
        && fields(headers).is_some()
}

pub(super) fn fields(headers: &Headers) -> Option<HeaderMap> {
    let field = |(name, value): (&str, &str)| {
        let trimmed = value.trim_matches([' ', '\t']) == value;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .ok()
            .filter(|_| trimmed)?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    headers.iter().map(field).collect()
}

/// Status and fields of an answer whose body is still on its way.
pub(super) struct Head {
    status: u16,
    headers: Headers,
    pub(super) media_type: String,
    size: usize,
}

impl Head {
    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
        let field = |(name, value): (&HeaderName, &HeaderValue)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        };
        let headers = Headers(headers.iter().map(field).collect());
        Self {
            status,
            media_type: readable_as(&headers),
            size: headers
                .iter()
                .map(|(name, value)| name.len() + value.len() + 4)
                .sum(),
            headers,
        }
    }

    pub(super) fn with(&mut self, intake: Intake) -> Response {
        let headers = std::mem::take(&mut self.headers);
        Response {
            status: self.status,
            headers,
            body: intake.finish(),
        }
    }
}

/// The media type of a body that can be read as it comes; what is compressed is nothing but bytes, since nobody here unpacks it.
pub(super) fn readable_as(headers: &Headers) -> String {
    let coding = headers.value("content-encoding").unwrap_or("identity");
    match coding.trim().eq_ignore_ascii_case("identity") {
        true => media_type(headers),
        false => "application/octet-stream".to_owned(),
    }
}

fn media_type(headers: &Headers) -> String {
    let value = headers.value("content-type").unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// A described body, read chunk by chunk as the connection takes it.
struct Stream {
    content: Content,
    sent: u64,
}

impl Stream {
    fn of(content: &Content) -> Self {
        Self {
            content: content.clone(),
            sent: 0,
        }
    }
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let chunk = chunk(&self.content, self.sent);
        self.sent += chunk.len() as u64;
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.content.length()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.length() - self.sent)
    }
}

/// The next bytes of a content from an offset on; none at its end.
pub(super) fn chunk(content: &Content, offset: u64) -> Vec<u8> {
    let mut chunk = vec![0; CHUNK.min(content.length() - offset) as usize];
    content.read_at(offset, &mut chunk);
    chunk
}

/// Tells from a client's error what happened on the wire. The client names most of it in words alone.
fn kind(error: &reqwest::Error) -> FaultKind {
    let text = reason(error);
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if error.is_connect() {
        let tls = says(&["certificate", "tls", "TLS", "handshake", "corrupt message"]);
        return if tls {
            FaultKind::Tls
        } else {
            FaultKind::Unreachable
        };
    }
    if says(&["message head is too large"]) {
        FaultKind::TooLarge
    } else if says(&[
        "connection closed",
        "end of file",
        "reset",
        "roken pipe",
        "unexpected EOF",
        "connection error",
    ]) {
        FaultKind::Closed
    } else {
        FaultKind::NotHttp
    }
}

/// The words of an error and its causes, without the URL.
fn reason(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    words.dedup();
    // What the client calls its own part in it says nothing to anybody.
    if words.len() > 1 {
        words.retain(|words| !words.starts_with("client error ("));
    }
    if words.is_empty() {
        error.to_string()
    } else {
        words.join(": ")
    }
}
