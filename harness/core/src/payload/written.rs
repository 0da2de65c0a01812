//! How payloads are written in scenarios: a map with exactly one key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ByteCount, Payload};

/// The map; as many keys as it has, one may be there.
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
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    seed: u64,
    length: ByteCount,
}

/// Says why a map is no payload.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("read a payload: one of generated, pattern, zeros, text and bytes is expected")]
    NotOne,
    #[error("read the bytes of a payload: pairs of hexadecimal digits are expected")]
    NotHexadecimal,
}

impl TryFrom<Written> for Payload {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let bytes = written.bytes.as_deref().map(from_hex).transpose()?;
        let mut given = [
            written
                .generated
                .map(|Generated { seed, length }| Self::Generated {
                    seed,
                    length: length.0,
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
        match (given.next(), given.next()) {
            (Some(payload), None) => Ok(payload),
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
