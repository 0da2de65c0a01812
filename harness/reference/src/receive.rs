//! Bodies as they come in: hashed on the way, generated payloads kept as their descriptions.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use crevasse_core::payload::{Content, Intake};
use crevasse_core::treehash::TreeHasher;
use http_body::Body;

/// The longest body that is read as a text: far above a policy of 20 KB.
const LONGEST_TEXT: usize = 1 << 20;

/// A body, or what became of it.
#[derive(Clone, Debug)]
pub(crate) enum Received {
    /// It has not come yet.
    Awaited,
    /// A text; one that is no UTF-8 or too long is replaced by a character that no JSON begins with.
    Text(String),
    /// Bytes to be stored.
    Content(Content),
    /// The store is full.
    Overfull,
    /// It stopped coming.
    TimedOut,
    /// The client went away.
    Broken,
}

impl Received {
    pub(crate) fn text(bytes: Vec<u8>) -> Self {
        Self::Text(String::from_utf8(bytes).unwrap_or_else(|_| NO_JSON.to_owned()))
    }
}

const NO_JSON: &str = "\u{FFFD}";

/// Reads a body to be stored, of which at most `room` bytes are kept as such.
pub(crate) async fn content<B>(body: B, room: u64, patience: Duration) -> Received
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let (mut intake, mut hasher) = (Intake::new(), TreeHasher::new());
    loop {
        match next(body.as_mut(), patience).await {
            Next::Data(bytes) => {
                hasher.update(&bytes);
                intake.feed(&bytes);
                if intake.held() > room {
                    return Received::Overfull;
                }
            }
            Next::End => break,
            Next::TimedOut => return Received::TimedOut,
            Next::Broken => return Received::Broken,
        }
    }
    let (content, hashed) = (intake.finish(), hasher.finish());
    content.note_hashes(hashed.sha256, hashed.tree_hash);
    Received::Content(content)
}

/// Reads a body as a text.
pub(crate) async fn text<B>(body: B, patience: Duration) -> Received
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let mut text = Vec::new();
    loop {
        match next(body.as_mut(), patience).await {
            Next::Data(bytes) => text.extend_from_slice(bytes.chunk()),
            Next::End => return Received::text(text),
            Next::TimedOut => return Received::TimedOut,
            Next::Broken => return Received::Broken,
        }
        if text.len() > LONGEST_TEXT {
            return Received::Text(NO_JSON.to_owned());
        }
    }
}

/// Reads and forgets a body that was refused, so that the client gets to read the answer.
pub(crate) async fn discard<B>(body: B, patience: Duration)
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    while let Next::Data(_) = next(body.as_mut(), patience).await {}
}

enum Next {
    Data(Bytes),
    End,
    TimedOut,
    Broken,
}

async fn next<B>(mut body: std::pin::Pin<&mut B>, patience: Duration) -> Next
where
    B: Body<Data = Bytes>,
{
    loop {
        let frame = poll_fn(|context| body.as_mut().poll_frame(context));
        match tokio::time::timeout(patience, frame).await {
            Err(_) => return Next::TimedOut,
            Ok(None) => return Next::End,
            Ok(Some(Err(_))) => return Next::Broken,
            // Trailers are no data.
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Next::Data(data);
                }
            }
        }
    }
}
