//! How contents are written in scenarios: a payload is a map with exactly one key, a stretch of a payload
//! says `slice` and `of`, and several in a row are a list.

use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ByteCount, Content, Payload};
use crate::range::ByteRange;

/// The map with all keys it may have.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    generated: Option<Generated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<ByteCount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zeros: Option<ByteCount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slice: Option<ByteRange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<Payload>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    seed: u64,
    length: ByteCount,
}

/// Says why a map is no payload or no content.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("read a payload: one of generated, pattern, zeros, text and bytes is expected")]
    NotOne,
    #[error("read the bytes of a payload: pairs of hexadecimal digits are expected")]
    NotHexadecimal,
    #[error("read a slice: first-last within the {length} bytes of its payload is expected")]
    Outside { length: u64 },
    #[error("read a content: its length does not fit 64 bits")]
    TooLong,
}

impl TryFrom<Written> for Payload {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let bytes = written.bytes.as_deref().map(from_hex).transpose()?;
        let mut given = [
            written.generated.map(|it| Self::Generated {
                seed: it.seed,
                length: it.length.0,
            }),
            written
                .pattern
                .map(|length| Self::Pattern { length: length.0 }),
            written.zeros.map(|length| Self::Zeros { length: length.0 }),
            written.text.map(Self::Text),
            bytes.map(Self::Bytes),
        ]
        .into_iter()
        .flatten();
        let whole = written.slice.is_none() && written.of.is_none();
        match (given.next(), given.next()) {
            (Some(payload), None) if whole => Ok(payload),
            _ => Err(Error::NotOne),
        }
    }
}

impl TryFrom<Written> for Content {
    type Error = Error;

    fn try_from(mut written: Written) -> Result<Self, Self::Error> {
        let (slice, of) = (written.slice.take(), written.of.take());
        match (slice, of, Payload::try_from(written)) {
            (None, None, payload) => payload.map(Self::from),
            (Some(range), Some(of), Err(Error::NotOne)) if range.end <= of.length() => {
                Ok(Self::from(of).slice(range))
            }
            (Some(_), Some(of), Err(Error::NotOne)) => Err(Error::Outside {
                length: of.length(),
            }),
            _ => Err(Error::NotOne),
        }
    }
}

impl From<Payload> for Written {
    fn from(payload: Payload) -> Self {
        let mut written = Self::default();
        match payload {
            Payload::Generated { seed, length } => {
                let length = ByteCount(length);
                written.generated = Some(Generated { seed, length });
            }
            Payload::Pattern { length } => written.pattern = Some(ByteCount(length)),
            Payload::Zeros { length } => written.zeros = Some(ByteCount(length)),
            Payload::Text(text) => written.text = Some(text),
            Payload::Bytes(bytes) => written.bytes = Some(to_hex(&bytes)),
        }
        written
    }
}

impl From<(Payload, ByteRange)> for Written {
    fn from((payload, range): (Payload, ByteRange)) -> Self {
        if range.len() == payload.length() {
            return Self::from(payload);
        }
        Self {
            slice: Some(range),
            of: Some(payload),
            ..Self::default()
        }
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut segments: Vec<Written> = self.segments().map(Written::from).collect();
        match segments.pop() {
            Some(only) if segments.is_empty() => only.serialize(serializer),
            last => {
                segments.extend(last);
                segments.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Content;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a payload, a slice of one, or a list of these")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map))?;
        Content::try_from(written).map_err(de::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut contents = Vec::new();
        while let Some(content) = list.next_element()? {
            contents.push(content);
        }
        Content::try_concat(&contents).ok_or_else(|| de::Error::custom(Error::TooLong))
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Result<Arc<[u8]>, Error> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some((value(high)? << 4 | value(low)?) as u8),
        _ => None,
    };
    let bytes: Option<Arc<[u8]>> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or(Error::NotHexadecimal)
}
