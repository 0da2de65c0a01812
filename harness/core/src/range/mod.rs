//! Byte ranges: their algebra, and the three texts the protocol writes them in.

mod content_range;
mod header;

pub use content_range::ContentRange;
pub use header::{RangeHeader, Resolved, parse_range_header};

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A range of at least one byte, `[start, end)`. Text is the protocol's inclusive form.
///
/// ```
/// use crevasse_core::range::ByteRange;
///
/// let second_mebibyte = ByteRange::new(1 << 20, 2 << 20).unwrap();
/// assert_eq!(second_mebibyte.to_string(), "1048576-2097151");
/// assert_eq!(Some(second_mebibyte), ByteRange::inclusive(1048576, 2097151));
/// ```
// The fields are public because nearly every rule of the protocol is arithmetic on them; whoever writes
// them directly answers for `start < end`, all constructors guarantee it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last byte; greater than `start`.
    pub end: u64,
}

#[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
impl ByteRange {
    /// Makes the range `[start, end)`; `None` when it would be empty.
    pub fn new(start: u64, end: u64) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Makes the range from `first` to `last`, both included; `None` when `last` comes before `first`, or is
    /// the largest number there is.
    pub fn inclusive(first: u64, last: u64) -> Option<Self> {
        Self::new(first, last.checked_add(1)?)
    }

    /// Makes the range of everything in `size` bytes; `None` for nothing.
    pub fn whole(size: u64) -> Option<Self> {
        Self::new(0, size)
    }

    /// Counts the bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// Names the first byte.
    pub fn first(self) -> u64 {
        self.start
    }

    /// Names the last byte, which is still inside.
    pub fn last(self) -> u64 {
        self.end - 1
    }

    /// Says whether all of `inner` lies inside.
    pub fn contains(self, inner: Self) -> bool {
        self.start <= inner.start && inner.end <= self.end
    }

    /// Moves the range up: from offsets in a retrieved range to offsets in its archive, say. `None` when it
    /// would end beyond what 64 bits can count.
    pub fn offset_by(self, bytes: u64) -> Option<Self> {
        Self::new(self.start.checked_add(bytes)?, self.end.checked_add(bytes)?)
    }

    /// Cuts everything in `size` bytes into consecutive parts of `part` bytes, the last of what is left.
    ///
    /// # Panics
    /// When `part` is zero.
    pub fn parts(size: u64, part: u64) -> impl Iterator<Item = Self> {
        assert!(part > 0, "a part has at least one byte");
        (0..size.div_ceil(part)).map(move |index| Self {
            start: index * part,
            end: size.min((index * part).saturating_add(part)),
        })
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first(), self.last())
    }
}

impl Serialize for ByteRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_retrieval_range(&text)
            .ok_or_else(|| de::Error::custom(format_args!("{text:?} is no range first-last")))
    }
}

/// Reads the `RetrievalByteRange` of a job: `first-last`, digits only, both included.
pub fn parse_retrieval_range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.split_once('-')?;
    ByteRange::inclusive(whole_number(first)?, whole_number(last)?)
}

/// Reads one or more digits that fit: no sign, no space.
pub(crate) fn whole_number(digits: &str) -> Option<u64> {
    is_all_digits(digits).then(|| digits.parse().ok())?
}

/// Reads one or more digits; a number too large for 64 bits becomes the largest that fits.
fn saturating(digits: &str) -> Option<u64> {
    is_all_digits(digits).then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Says whether a text is one or more digits and nothing else: no sign, no space.
pub(crate) fn is_all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
