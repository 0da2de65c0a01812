//! The raw arm: HTTP/1.1 written and read by hand, for what an HTTP client refuses to send and hides on arrival.
//! Each request has a connection of its own.

use std::future::pending;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, timeout, timeout_at};

use crevasse_core::wire::{Body, FaultKind, Framing, Headers, Reply, Request, Response};

use super::http::chunk;
use super::intake::{Intake, TooLong};
use super::{Ceiling, Limits, Transport, allowance, fault};
use crate::execute::target::Target;
use unframe::{Damage, Progress, Unframe};

mod garble;
mod unframe;

/// Fields of an answer's head, at most.
const FIELDS: usize = 512;

/// Sends bytes as written.
#[derive(Clone, Debug)]
pub struct RawArm {
    address: (String, u16),
    limits: Limits,
    ceiling: Ceiling,
}

/// A request of which the head and half of the body were sent.
#[derive(Debug)]
pub struct Begun {
    connection: Result<Connection, Reply>,
    request: Request,
    half: u64,
    limits: Limits,
}

#[derive(Debug)]
struct Connection {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
}

impl RawArm {
    /// An arm for a target, whose endpoint must be plain http.
    pub fn new(target: &Target, ceiling: Ceiling) -> Self {
        Self {
            address: target.address(),
            limits: target.limits,
            ceiling,
        }
    }

    fn limits_now(&self) -> Limits {
        Limits {
            body: self.ceiling.over(self.limits.body),
            ..self.limits
        }
    }

    async fn connect(&self) -> Result<Connection, Reply> {
        let (host, port) = &self.address;
        let connecting = TcpStream::connect((host.as_str(), *port));
        let stream = match timeout(self.limits.connect, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(fault(FaultKind::Unreachable, error.to_string(), None)),
            Err(_) => {
                return Err(fault(
                    FaultKind::Unreachable,
                    "no connection within the time allowed",
                    None,
                ));
            }
        };
        // Without it only small writes are slower.
        let _ = stream.set_nodelay(true);
        let (from, to) = stream.into_split();
        Ok(Connection { from, to })
    }

    /// Sends the head and half of the body.
    pub async fn begin(&self, request: &Request) -> Begun {
        let half = request.body.length() / 2;
        let connection = match self.connect().await {
            Ok(mut connection) => {
                let sending = send_first(&mut connection.to, request, half);
                let sent = timeout(self.limits.request + allowance(half), sending).await;
                match sent {
                    // An error here shows again when the rest is sent, beside whatever answer came before it.
                    Ok(_) => Ok(connection),
                    Err(_) => Err(fault(
                        FaultKind::TimedOut,
                        "half of the request was not taken within the time allowed",
                        None,
                    )),
                }
            }
            Err(reply) => Err(reply),
        };
        Begun {
            connection,
            request: request.clone(),
            half,
            limits: self.limits_now(),
        }
    }
}

impl Transport for RawArm {
    async fn send(&self, request: &Request) -> Reply {
        let Connection { from, mut to } = match self.connect().await {
            Ok(connection) => connection,
            Err(reply) => return reply,
        };
        let receiving = receive(from, request, self.limits_now());
        tokio::select! {
            reply = receiving => reply,
            // A server may refuse a request before it has all of it: what matters is its answer, however sending went.
            () = async { let _ = send_all(&mut to, request).await; pending().await } => unreachable!(),
        }
    }
}

impl Begun {
    /// Sends the rest and waits for the answer.
    pub async fn finish(self) -> Reply {
        let Connection { from, mut to } = match self.connection {
            Ok(connection) => connection,
            Err(reply) => return reply,
        };
        let rest = async {
            let _ = send_body(
                &mut to,
                &self.request.body,
                self.half,
                self.request.body.length(),
            )
            .await;
            pending().await
        };
        tokio::select! {
            reply = receive(from, &self.request, self.limits) => reply,
            () = rest => unreachable!(),
        }
    }
}

fn head(request: &Request) -> Vec<u8> {
    let head = plain_head(request);
    match request.framing {
        Framing::Garbled(way) => garble::garbled(&head, way),
        _ => head,
    }
}

fn plain_head(request: &Request) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target());
    for (name, value) in request.headers.iter() {
        match request.framing {
            Framing::UpperCaseNames => head.push_str(&name.to_ascii_uppercase()),
            _ => head.push_str(name),
        }
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

async fn send_first(to: &mut OwnedWriteHalf, request: &Request, end: u64) -> io::Result<()> {
    to.write_all(&head(request)).await?;
    send_body(to, &request.body, 0, end).await
}

async fn send_all(to: &mut OwnedWriteHalf, request: &Request) -> io::Result<()> {
    let length = request.body.length();
    match request.framing {
        Framing::Plain | Framing::UpperCaseNames | Framing::Verbatim | Framing::Garbled(_) => {
            send_first(to, request, length).await
        }
        Framing::Announced(_) => send_first(to, request, 0).await,
        Framing::Half => {
            send_first(to, request, length / 2).await?;
            to.shutdown().await
        }
        Framing::Chunked => {
            to.write_all(&head(request)).await?;
            send_chunks(to, &request.body).await
        }
    }
}

async fn send_body(to: &mut OwnedWriteHalf, body: &Body, start: u64, end: u64) -> io::Result<()> {
    let mut sent = start;
    while sent < end {
        let mut piece = piece(body, sent);
        piece.truncate((end - sent).min(piece.len() as u64) as usize);
        to.write_all(&piece).await?;
        sent += piece.len() as u64;
    }
    to.flush().await
}

async fn send_chunks(to: &mut OwnedWriteHalf, body: &Body) -> io::Result<()> {
    let mut sent = 0;
    while sent < body.length() {
        let piece = piece(body, sent);
        to.write_all(format!("{:x}\r\n", piece.len()).as_bytes())
            .await?;
        to.write_all(&piece).await?;
        to.write_all(b"\r\n").await?;
        sent += piece.len() as u64;
    }
    to.write_all(b"0\r\n\r\n").await
}

/// The next bytes of a body from an offset on.
pub(super) fn piece(body: &Body, offset: u64) -> Vec<u8> {
    match body {
        Body::Empty => Vec::new(),
        Body::Text(text) => text.as_bytes()[offset as usize..].to_vec(),
        Body::Content(content) => chunk(content, offset),
    }
}

/// Reads one answer, interim ones (1xx) skipped; to a request that waits with its body, `100 Continue` is the answer.
async fn receive(from: OwnedReadHalf, request: &Request, limits: Limits) -> Reply {
    let begun = Instant::now();
    let until = begun + limits.request + allowance(request.body.length());
    let mut incoming = Incoming {
        from,
        buffer: Vec::new(),
    };
    loop {
        let (status, headers) = match incoming.head(until).await {
            Ok(head) => head,
            Err(reply) => return reply,
        };
        let waiting = matches!(request.framing, Framing::Announced(_)) && status == 100;
        if (100..200).contains(&status) && !waiting {
            continue;
        }
        let intake = Intake::new(&super::http::readable_as(&headers), limits.body);
        let unframe = if waiting {
            Ok(Unframe::nothing())
        } else {
            Unframe::of(&request.method, status, &headers)
        };
        let (ended, intake) = match unframe {
            Ok(unframe) => incoming.body(unframe, intake, limits).await,
            Err(damage) => (Err(damage.into()), intake),
        };
        let response = Response {
            status,
            headers,
            body: intake.finish(),
        };
        return match ended {
            Ok(()) => Reply::Response(response),
            Err((kind, detail)) => fault(kind, detail, Some(response)),
        };
    }
}

/// What kept an answer from ending.
type Cut = (FaultKind, String);

struct Incoming {
    from: OwnedReadHalf,
    buffer: Vec<u8>,
}

impl Incoming {
    /// Reads more; says how many bytes came, none at the end of the stream.
    async fn more(&mut self, until: Instant) -> Result<usize, Cut> {
        self.buffer.reserve(64 << 10);
        match timeout_at(until, self.from.read_buf(&mut self.buffer)).await {
            Ok(Ok(count)) => Ok(count),
            Ok(Err(error)) => Err((FaultKind::Closed, error.to_string())),
            Err(_) => Err((
                FaultKind::TimedOut,
                "the answer did not end within the time allowed".to_owned(),
            )),
        }
    }

    async fn head(&mut self, until: Instant) -> Result<(u16, Headers), Reply> {
        loop {
            match parse(&self.buffer) {
                Ok(Some((status, headers, length))) => {
                    self.buffer.drain(..length);
                    return Ok((status, headers));
                }
                Ok(None) if self.buffer.len() > Limits::HEAD => {
                    return Err(fault(
                        FaultKind::TooLarge,
                        "the head of the answer exceeds 256 KiB",
                        None,
                    ));
                }
                Ok(None) => {}
                Err(error) => {
                    return Err(fault(
                        FaultKind::NotHttp,
                        format!("the answer is not HTTP: {error}"),
                        None,
                    ));
                }
            }
            match self.more(until).await {
                Ok(0) if self.buffer.is_empty() => {
                    return Err(fault(
                        FaultKind::Closed,
                        "the connection was closed without an answer",
                        None,
                    ));
                }
                Ok(0) => {
                    return Err(fault(
                        FaultKind::Closed,
                        "the connection was closed within the head of the answer",
                        None,
                    ));
                }
                Ok(_) => {}
                Err((kind, detail)) => return Err(fault(kind, detail, None)),
            }
        }
    }

    async fn body(
        &mut self,
        mut unframe: Unframe,
        mut intake: Intake,
        limits: Limits,
    ) -> (Result<(), Cut>, Intake) {
        let begun = Instant::now();
        loop {
            let mut fits = Ok(());
            let progress = unframe.feed(&self.buffer, &mut |bytes| {
                if fits.is_ok() {
                    fits = intake.take(bytes);
                }
            });
            self.buffer.clear();
            if fits == Err(TooLong) {
                let detail = "the body of the answer does not end within the limit".to_owned();
                return (Err((FaultKind::TooLarge, detail)), intake);
            }
            match progress {
                Ok(Progress::Ended) => return (Ok(()), intake),
                Ok(Progress::Wanting) => {}
                Err(damage) => return (Err(damage.into()), intake),
            }
            let until = begun + limits.request + allowance(intake.length());
            match self.more(until.min(Instant::now() + limits.idle)).await {
                Ok(0) => return (unframe.close().map_err(Into::into), intake),
                Ok(_) => {}
                Err(cut) => return (Err(cut), intake),
            }
        }
    }
}

impl From<Damage> for Cut {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Short => (
                FaultKind::Closed,
                "the connection was closed before the body had ended".to_owned(),
            ),
            Damage::Framing(text) => (FaultKind::NotHttp, text.to_owned()),
        }
    }
}

type Parsed = (u16, Headers, usize);

fn parse(bytes: &[u8]) -> Result<Option<Parsed>, httparse::Error> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(bytes)? else {
        return Ok(None);
    };
    let field = |field: &httparse::Header<'_>| {
        (
            field.name.to_owned(),
            String::from_utf8_lossy(field.value).into_owned(),
        )
    };
    let headers = Headers(response.headers.iter().map(field).collect());
    Ok(Some((response.code.unwrap_or_default(), headers, length)))
}
