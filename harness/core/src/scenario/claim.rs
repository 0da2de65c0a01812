//! What a request claims about its body: rightly, wrongly, or not at all.

use serde::{Deserialize, Serialize};

/// A checksum header relative to the body it goes with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The right value.
    #[default]
    Right,
    /// No header.
    Absent,
    /// The right value with its last hexadecimal digit changed.
    Flipped,
    /// The plain SHA-256 where a tree hash belongs (equal up to 1 MiB), and the other way round.
    Linear,
    /// The hash of nothing, `e3b0c442…`.
    OfNothing,
    /// The right value in upper case.
    UpperCase,
    /// This text.
    Literal(String),
}

/// The `Content-Range` of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeClaim {
    /// `bytes N-M/*`, where N is this offset and M follows from the length of the body.
    At(u64),
    /// No header.
    Absent,
    /// This text.
    Literal(String),
}

impl RangeClaim {
    /// The header that goes out with a body of this length; `None` for none. An end beyond 64 bits is the largest there is.
    pub fn header(&self, length: u64) -> Option<String> {
        match self {
            Self::At(first) => {
                let last = first.saturating_add(length).saturating_sub(1).max(*first);
                Some(format!("bytes {first}-{last}/*"))
            }
            Self::Absent => None,
            Self::Literal(text) => Some(text.clone()),
        }
    }
}

/// The `x-amz-archive-size` of a completion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeClaim {
    /// The sum of the parts uploaded.
    #[default]
    Right,
    /// The sum of the parts plus this many bytes.
    Off(i64),
    /// No header.
    Absent,
    /// This text.
    Literal(String),
}
