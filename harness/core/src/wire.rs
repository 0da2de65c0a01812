//! What goes over the wire and what comes back: requests as sent, replies as seen, damage included.
//! Refuses to know what any of it means.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::amz_date::Timestamp;
use crate::payload::Content;
use crate::treehash::Digest;

/// Header fields in the order they were sent or received. Names compare without case (RFC 9110, 5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first value under this name. Bytes that were not UTF-8 came in as `\u{FFFD}`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// All values under this name, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// Appends a field, keeping earlier ones of the same name.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Replaces every field of this name by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// What a request carries after its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Nothing: `Content-Length: 0`, or no length at all where the method has none.
    Empty,
    /// A text, sent as it stands (JSON, mostly).
    Text(String),
    /// Described bytes, streamed.
    Content(Content),
}

impl Body {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Text(text) => text.len() as u64,
            Self::Content(content) => content.length(),
        }
    }
}

/// How the body is put on the wire. Anything but `Plain` needs the raw arm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// `Content-Length` and the bytes.
    #[default]
    Plain,
    /// `Transfer-Encoding: chunked`, no length.
    Chunked,
    /// This `Content-Length` is announced, and the body is not sent before an answer came (`Expect: 100-continue`).
    Announced(u64),
    /// The head and half of the body, then the connection is closed for sending.
    Half,
    /// Header names upper-cased on the wire.
    UpperCaseNames,
    /// Header names exactly as given, HTTP/1.1 written by hand.
    Verbatim,
    /// The head damaged in one of several ways that leave what is asked for as it is; the number says in which.
    Garbled(u64),
}

/// A request, ready to be sent: nothing symbolic is left in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The absolute path, percent-encoded, without the query.
    pub path: String,
    /// The query, percent-encoded, without `?`; empty when there is none.
    pub query: String,
    /// The fields in the order they are sent. Credentials never enter a journal: see [`Request::redacted`].
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// How it is framed.
    #[serde(default)]
    pub framing: Framing,
}

impl Request {
    /// Path and query as in the request line.
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The same request without signature, token and key: what may be written down.
    pub fn redacted(&self) -> Self {
        let mut copy = self.clone();
        for (name, value) in &mut copy.headers.0 {
            if name.eq_ignore_ascii_case("authorization")
                || name.eq_ignore_ascii_case("x-amz-security-token")
            {
                "[redacted]".clone_into(value);
            }
        }
        copy
    }
}

/// A body as it was seen: enough to judge it, in constant memory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedBody {
    /// Bytes received.
    pub length: u64,
    /// SHA-256 of the bytes received.
    pub sha256: Digest,
    /// Tree hash of the bytes received.
    pub tree_hash: Digest,
    /// Hash of each MiB received, counted from the first byte of this body.
    pub leaves: Vec<Digest>,
    /// The bytes themselves, up to [`ObservedBody::KEPT`]; lossless when `length` does not exceed it. Clones share them.
    #[serde(with = "bytes_text")]
    pub prefix: Arc<[u8]>,
}

impl ObservedBody {
    /// How many bytes of a body are kept: 1 MiB of text, far above any page of 50 jobs.
    pub const KEPT: usize = 1 << 20;
    /// How many bytes of a body without a textual media type are kept.
    pub const KEPT_BINARY: usize = 4 << 10;

    /// Whether these are exactly the bytes of `content`: same length, same tree hash.
    pub fn equals(&self, content: &Content) -> bool {
        self.length == content.length() && self.tree_hash == content.tree_hash()
    }

    /// The whole body, when it was short enough to keep.
    pub fn bytes(&self) -> Option<&[u8]> {
        (self.length == self.prefix.len() as u64).then_some(&self.prefix[..])
    }

    /// The whole body as text, when it was kept and is UTF-8.
    pub fn text(&self) -> Option<&str> {
        self.bytes()
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The whole body as JSON, when it is that.
    pub fn json(&self) -> Option<Value> {
        self.text().and_then(|text| serde_json::from_str(text).ok())
    }
}

impl fmt::Debug for ObservedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256 {}", self.length, self.sha256)
    }
}

/// A complete HTTP response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The fields in the order received (the HTTP arm lower-cases names and hides framing damage).
    pub headers: Headers,
    /// The body as seen.
    pub body: ObservedBody,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The media type without parameters, lower-case; empty when there is none.
    pub fn media_type(&self) -> String {
        let value = self.headers.value("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// The `code` of a Glacier error body, if there is one.
    pub fn error_code(&self) -> Option<String> {
        self.body.json()?.get("code")?.as_str().map(str::to_owned)
    }
}

/// What kept a response from coming whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing listens there, or the name does not resolve.
    Unreachable,
    /// No response, or no end of it, within the time allowed.
    TimedOut,
    /// The peer closed or reset the connection early.
    Closed,
    /// What came is not HTTP, or breaks its framing.
    NotHttp,
    /// More came than is ever read: headers or body over the limit.
    TooLarge,
    /// TLS could not be set up.
    Tls,
}

/// A response that did not come whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportFault {
    /// Its kind.
    pub kind: FaultKind,
    /// A lowercase fragment that says what happened.
    pub detail: String,
    /// The status line, headers and body received before it, if any.
    pub partial: Option<Box<Response>>,
}

/// The answer to a request. A refused connection is an observation too, so there is no `Result` here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A whole response.
    Response(Response),
    /// Half of one, or none.
    Fault(TransportFault),
}

impl Reply {
    /// The whole response, if it came.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Response(response) => Some(response),
            Self::Fault(_) => None,
        }
    }
}

/// One request as sent and its answer as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What was sent.
    pub request: Request,
    /// What came back.
    pub reply: Reply,
    /// When sending began, by our clock.
    pub sent_at: Timestamp,
    /// When the reply was complete, by our clock.
    pub done_at: Timestamp,
    /// Answers to the same request that were set aside before this one (throttling, 503), oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retried: Vec<u16>,
}

/// Bytes as text in a journal: as they stand when UTF-8, else in hexadecimal behind a NUL.
mod bytes_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.starts_with('\0') => to.serialize_str(text),
            _ => to.serialize_str(
                &bytes
                    .iter()
                    .fold("\0".to_owned(), |text, b| text + &format!("{b:02x}")),
            ),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<[u8]>, D::Error> {
        let text = String::deserialize(from)?;
        let Some(hex) = text.strip_prefix('\0') else {
            return Ok(text.into_bytes().into());
        };
        let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
        let digits = digits.ok_or_else(|| D::Error::custom("hexadecimal digits expected"))?;
        Ok(digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | *d as u8))
            .collect())
    }
}
