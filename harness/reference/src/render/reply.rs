//! Answers as an observer without a socket sees them, damage included.

use std::sync::Arc;

use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::ByteRange;
use crevasse_core::wire::{FaultKind, ObservedBody, Reply, Response, TransportFault};

use super::{Answer, AnswerBody, WireDamage};

/// What an observer makes of an answer.
pub(crate) fn reply(answer: &Answer) -> Reply {
    let length = answer.body.length();
    match &answer.wire {
        WireDamage::None => Reply::Response(response(answer, length)),
        WireDamage::Closed => fault(FaultKind::Closed, "the connection was closed", None),
        WireDamage::Silence => fault(FaultKind::TimedOut, "nothing came in time", None),
        WireDamage::Garbage(_) => fault(FaultKind::NotHttp, "the answer is not HTTP", None),
        WireDamage::Stall => {
            let partial = response(answer, length / 2);
            fault(
                FaultKind::TimedOut,
                "the body did not end in time",
                Some(partial),
            )
        }
        WireDamage::CutAfter(at) if *at < length => {
            let partial = response(answer, *at);
            fault(
                FaultKind::Closed,
                "the connection was closed within the body",
                Some(partial),
            )
        }
        WireDamage::CutAfter(_) => Reply::Response(response(answer, length)),
        WireDamage::LengthOff(by) => off(answer, length, *by),
    }
}

/// A length that is too small hides the end of the body; one that is too great leaves its reader waiting.
fn off(answer: &Answer, length: u64, by: i64) -> Reply {
    let announced = length.saturating_add_signed(by);
    let mut seen = response(answer, announced.min(length));
    seen.headers.set("Content-Length", announced.to_string());
    if announced > length {
        fault(
            FaultKind::Closed,
            "the body is shorter than announced",
            Some(seen),
        )
    } else {
        Reply::Response(seen)
    }
}

fn fault(kind: FaultKind, detail: &str, partial: Option<Response>) -> Reply {
    Reply::Fault(TransportFault {
        kind,
        detail: detail.to_owned(),
        partial: partial.map(Box::new),
    })
}

fn response(answer: &Answer, length: u64) -> Response {
    let content = match &answer.body {
        AnswerBody::Text(text) => Content::from(Payload::Text(text.clone())),
        AnswerBody::Content(content) => content.clone(),
    };
    let content = match ByteRange::whole(length) {
        Some(range) if range.end < content.length() => content.slice(range),
        Some(_) => content,
        None => Content::empty(),
    };
    let mut response = Response {
        status: answer.status,
        headers: answer.headers.clone(),
        body: observed(&content, 0),
    };
    let kept = kept(&response.media_type());
    response.body.prefix = prefix(&content, kept);
    response
}

fn kept(media_type: &str) -> usize {
    let textual = media_type.starts_with("text/") || media_type == "application/json";
    if textual {
        ObservedBody::KEPT
    } else {
        ObservedBody::KEPT_BINARY
    }
}

fn observed(content: &Content, kept: usize) -> ObservedBody {
    let leaves = content.leaves();
    let tree_hash = crevasse_core::treehash::combine(&leaves);
    ObservedBody {
        length: content.length(),
        sha256: content.sha256(),
        tree_hash,
        leaves,
        prefix: prefix(content, kept),
    }
}

fn prefix(content: &Content, kept: usize) -> Arc<[u8]> {
    let mut bytes = vec![0; kept.min(usize::try_from(content.length()).unwrap_or(kept))];
    content.read_at(0, &mut bytes);
    bytes.into()
}
