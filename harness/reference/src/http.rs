//! The server on a socket: HTTP/1.1 by hyper, damage by hand.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use crevasse_core::payload::Content;
use crevasse_core::wire::Headers;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::render::{Answer, AnswerBody, WireDamage};
use crate::{RequestHead, Service};

/// Bytes of a body made at a time.
const FRAME: u64 = 256 << 10;

/// How long connections get to finish when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// A server at work. Dropping it stops it at once.
#[derive(Debug)]
pub struct ServerHandle {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    work: JoinHandle<()>,
}

impl ServerHandle {
    /// Stops listening, lets requests under way finish for a few seconds, and returns when all is over.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.work).await;
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// Listens on an address, port 0 meaning any free one, and answers until stopped.
///
/// # Errors
/// When the address cannot be listened on.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use crevasse_reference::{Options, Service, serve};
///
/// let server = serve(Service::new(Options::default()), "127.0.0.1:0".parse().unwrap()).await?;
/// assert!(server.address.port() > 0);
/// server.stop().await;
/// # Ok::<(), std::io::Error>(()) }).unwrap();
/// ```
pub async fn serve(service: Service, address: SocketAddr) -> io::Result<ServerHandle> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn(accept(listener, service, stopped));
    Ok(ServerHandle {
        address,
        stop,
        work,
    })
}

async fn accept(listener: TcpListener, service: Service, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, service.clone(), stopped.clone()));
                }
            }
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

async fn connection(stream: TcpStream, service: Service, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let raw = Raw::default();
    let wire = Wire {
        stream,
        raw: raw.clone(),
        written: 0,
    };
    let answer = service_fn(move |request| respond(service.clone(), raw.clone(), request));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .keep_alive(true)
        .half_close(true)
        .serve_connection(TokioIo::new(wire), answer);
    let mut served = std::pin::pin!(served);
    // A connection that breaks has nobody left to tell.
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopped.changed() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

async fn respond(
    service: Service,
    raw: Raw,
    request: Request<Incoming>,
) -> Result<Response<Sent>, io::Error> {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let head = RequestHead {
        method: parts.method.as_str().to_owned(),
        target: target.to_owned(),
        headers: headers(&parts.headers, raw.shouted.swap(false, Ordering::Relaxed)),
    };
    let answer = service.call(head, body).await;
    match answer.wire {
        WireDamage::None | WireDamage::CutAfter(_) => response(answer),
        WireDamage::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
        WireDamage::Silence => std::future::pending().await,
        _ => {
            raw.put(by_hand(&answer));
            response(Answer {
                wire: WireDamage::None,
                ..answer
            })
        }
    }
}

/// Header values that are no text keep what of them is; names that came in capitals are given back theirs.
fn headers(fields: &hyper::HeaderMap, shouted: bool) -> Headers {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let name = name.as_str();
        let name = if shouted {
            name.to_ascii_uppercase()
        } else {
            name.to_owned()
        };
        (name, value)
    };
    Headers(fields.iter().map(field).collect())
}

fn response(answer: Answer) -> Result<Response<Sent>, io::Error> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers.iter() {
        response = response.header(name, value);
    }
    let cut = match answer.wire {
        WireDamage::CutAfter(at) => Some(at),
        _ => None,
    };
    response
        .body(Sent::new(answer.body, cut))
        .map_err(io::Error::other)
}

/// An answer written by hand, for damage that hyper does not do.
fn by_hand(answer: &Answer) -> Written {
    let body = match &answer.body {
        AnswerBody::Text(text) => text.clone().into_bytes(),
        AnswerBody::Content(content) => content.to_bytes(),
    };
    match &answer.wire {
        WireDamage::Garbage(bytes) => Written {
            bytes: bytes.clone(),
            stays: false,
        },
        WireDamage::LengthOff(by) => {
            let length = (body.len() as u64).saturating_add_signed(*by);
            Written {
                bytes: whole(answer, length, &body),
                stays: false,
            }
        }
        _ => {
            let half = &body[..body.len() / 2];
            Written {
                bytes: whole(answer, body.len() as u64, half),
                stays: true,
            }
        }
    }
}

fn whole(answer: &Answer, length: u64, body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {} Damaged\r\n", answer.status);
    let fields = answer.headers.iter();
    for (name, value) in fields.filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {length}\r\n\r\n"));
    [text.into_bytes(), body.to_vec()].concat()
}

/// A body on its way: made a frame at a time, and cut where a fault says so.
struct Sent {
    content: Option<Content>,
    text: Option<Bytes>,
    at: u64,
    length: u64,
    cut: Option<u64>,
    flushed: bool,
}

impl Sent {
    fn new(body: AnswerBody, cut: Option<u64>) -> Self {
        let length = body.length();
        let (content, text) = match body {
            AnswerBody::Content(content) => (Some(content), None),
            AnswerBody::Text(text) => (None, Some(Bytes::from(text))),
        };
        Self {
            content,
            text,
            at: 0,
            length,
            cut,
            flushed: false,
        }
    }

    fn next(&mut self, size: u64) -> Bytes {
        let from = self.at;
        self.at += size;
        match (&self.text, &self.content) {
            (Some(text), _) => text.slice(from as usize..(from + size) as usize),
            (None, Some(content)) => {
                let mut bytes = vec![0; size as usize];
                content.read_at(from, &mut bytes);
                bytes.into()
            }
            (None, None) => Bytes::new(),
        }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let end = self.cut.unwrap_or(self.length).min(self.length);
        let size = (end - self.at).min(FRAME);
        if size > 0 {
            return Poll::Ready(Some(Ok(Frame::data(self.next(size)))));
        }
        if end < self.length && !self.flushed {
            // What was written goes out before the end of the connection is known.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let cut = end < self.length;
        Poll::Ready(cut.then(|| Err(io::ErrorKind::ConnectionAborted.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length - self.at)
    }
}

/// Bytes that are written in the place of an answer.
struct Written {
    bytes: Vec<u8>,
    /// Whether the connection stays open afterwards, with nothing more coming.
    stays: bool,
}

/// What a connection and its requests tell each other past hyper.
#[derive(Clone, Default)]
struct Raw {
    /// Bytes that a request leaves for its connection to write.
    left: Arc<Mutex<Option<Written>>>,
    /// Whether header names of the request came in capitals, which hyper does not tell.
    shouted: Arc<AtomicBool>,
}

impl Raw {
    fn put(&self, written: Written) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
    }

    /// Looks at bytes that came, of which only the beginning can be a head.
    fn note(&self, bytes: &[u8]) {
        const SHOUTED: &[u8] = b"\r\nX-AMZ-";
        let mut head = bytes[..bytes.len().min(4096)].windows(SHOUTED.len());
        if head.any(|window| window == SHOUTED) {
            self.shouted.store(true, Ordering::Relaxed);
        }
    }
}

/// A connection that writes what was left for it instead of what hyper writes.
struct Wire {
    stream: TcpStream,
    raw: Raw,
    written: usize,
}

impl Wire {
    /// Writes what was left; `None` when nothing was.
    fn poll_raw(&mut self, context: &mut Context<'_>) -> Option<Poll<io::Result<usize>>> {
        let raw = self.raw.clone();
        let raw = raw.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = raw.as_ref()?;
        while self.written < left.bytes.len() {
            let stream = Pin::new(&mut self.stream);
            match stream.poll_write(context, &left.bytes[self.written..]) {
                Poll::Ready(Ok(written)) => self.written += written,
                other => return Some(other),
            }
        }
        if left.stays {
            return Some(Poll::Pending);
        }
        Some(Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let known = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.raw.note(&buffer.filled()[known..]);
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(written) = self.poll_raw(context) {
            return Poll::Ready(ready!(written));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
