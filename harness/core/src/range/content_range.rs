//! The `Content-Range` header: `bytes first-last/*` of an uploaded part, `bytes first-last/total` of a download.

use std::fmt;

use super::{ByteRange, whole_number};

/// A `Content-Range`: which bytes these are, and of how many when that is said.
///
/// ```
/// use crevasse_core::range::{ByteRange, ContentRange};
///
/// let part = ContentRange::parse("bytes 0-4194303/*").unwrap();
/// assert_eq!(part.range, ByteRange::whole(4 << 20).unwrap());
/// assert_eq!(part.total, None);
/// assert_eq!(part.to_string(), "bytes 0-4194303/*");
/// assert_eq!(ContentRange::parse("bytes=0-4194303"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentRange {
    /// The bytes that the body holds.
    pub range: ByteRange,
    /// Size of the whole representation; `None` is written `*`.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads a header value by the grammar of RFC 9110 section 14.4, where the name of the unit knows no
    /// case. `None` when it is malformed, when `last` comes before `first`, or not before the total.
    pub fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.split_once(' ')?;
        let (range, total) = rest.split_once('/')?;
        let range = super::parse_retrieval_range(range)?;
        let total = match total {
            "*" => None,
            digits => Some(whole_number(digits)?),
        };
        let possible = total.is_none_or(|total| range.end <= total);
        (unit.eq_ignore_ascii_case("bytes") && possible).then_some(Self { range, total })
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "bytes {}/{total}", self.range),
            None => write!(f, "bytes {}/*", self.range),
        }
    }
}
