//! Content described rather than stored: by seed and length, by formula, or by its bytes.
//!
//! What is described can be read at any offset, cut, joined and hashed without ever being held in memory.

mod byte_count;
mod content;
mod forest;
mod memo;
mod recognize;
mod source;
mod written;

pub use byte_count::{ByteCount, ParseByteCountError};
pub use content::Content;
pub use recognize::{Intake, Recognizer};

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use source::{Formula, Piece, Source};

/// What a request carries, as a scenario writes it: a map with one key.
///
/// ```
/// use crevasse_core::payload::Payload;
///
/// let read = |text| serde_yaml::from_str::<Payload>(text).unwrap();
/// assert_eq!(read("generated: {seed: 7, length: 3 MiB}"), Payload::Generated { seed: 7, length: 3145728 });
/// assert_eq!(read("pattern: 1 MiB + 1"), Payload::Pattern { length: 1048577 });
/// assert_eq!(read("zeros: 512"), Payload::Zeros { length: 512 });
/// assert_eq!(read("text: Welcome to Amazon Glacier."), Payload::Text("Welcome to Amazon Glacier.".into()));
/// assert_eq!(read("bytes: 00ff"), Payload::Bytes([0x00, 0xff].into()));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "written::Written", into = "written::Written")]
pub enum Payload {
    /// Bytes that look random and say where they belong: every mebibyte names its seed and its place in a
    /// period of 251 mebibytes, so that a [`Recognizer`] knows it again.
    Generated {
        /// Tells contents apart.
        seed: u64,
        /// Bytes in all.
        length: u64,
    },
    /// Byte `i` is `(31 i + 7) mod 251`: simple enough to be made by hand in any language.
    Pattern {
        /// Bytes in all.
        length: u64,
    },
    /// Nothing but zeros. All mebibytes are equal, so hashes of unaligned ranges can equal those of nodes.
    Zeros {
        /// Bytes in all.
        length: u64,
    },
    /// The text in UTF-8.
    Text(String),
    /// These bytes, written as hexadecimal digits.
    Bytes(Arc<[u8]>),
}

impl Payload {
    /// Counts the bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Generated { length, .. } | Self::Pattern { length } | Self::Zeros { length } => {
                *length
            }
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Fills a buffer with the bytes from `offset` on.
    ///
    /// # Panics
    /// When the buffer would reach beyond the end.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) {
        let end = offset.checked_add(into.len() as u64);
        assert!(
            end.is_some_and(|end| end <= self.length()),
            "{} bytes at {offset} are not all in {self:?}",
            into.len()
        );
        match self {
            Self::Generated { seed, .. } => Formula::Generated(*seed).fill(offset, into),
            Self::Pattern { .. } => Formula::Pattern.fill(offset, into),
            Self::Zeros { .. } => into.fill(0),
            Self::Text(text) => copy_from(text.as_bytes(), offset, into),
            Self::Bytes(bytes) => copy_from(bytes, offset, into),
        }
    }

    fn piece(&self) -> Piece {
        let source = match self {
            Self::Generated { seed, .. } => Source::Formula(Formula::Generated(*seed)),
            Self::Pattern { .. } => Source::Formula(Formula::Pattern),
            Self::Zeros { .. } => Source::Formula(Formula::Zeros),
            Self::Text(text) => Source::Bytes(text.as_bytes().into()),
            Self::Bytes(bytes) => Source::Bytes(Arc::clone(bytes)),
        };
        Piece::new(source, self.length())
    }
}

fn copy_from(bytes: &[u8], offset: u64, into: &mut [u8]) {
    into.copy_from_slice(&bytes[offset as usize..][..into.len()]);
}

/// Says what it is, in a few words however long it is.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = ByteCount(self.length());
        match self {
            Self::Generated { seed, .. } => write!(f, "Generated({seed}, {length})"),
            Self::Pattern { .. } => write!(f, "Pattern({length})"),
            Self::Zeros { .. } => write!(f, "Zeros({length})"),
            Self::Text(text) if text.chars().count() <= 32 => write!(f, "Text({text:?})"),
            Self::Text(_) => write!(f, "Text({length})"),
            Self::Bytes(_) => write!(f, "Bytes({length})"),
        }
    }
}

#[cfg(test)]
mod tests;
