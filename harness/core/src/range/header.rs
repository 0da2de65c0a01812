//! The `Range` request header: RFC 9110 section 14.2, and 14.35 of the RFC 2616 that the guide cites.

use super::{ByteRange, saturating};

/// What a `Range` header asks for.
///
/// Numbers beyond 64 bits count as the largest that fits: no representation is that long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeHeader {
    /// `bytes=first-last`, both included, `first` not after `last`.
    Single {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte, which may lie beyond the end.
        last: u64,
    },
    /// `bytes=first-`: from an offset to the end.
    From {
        /// Offset of the first byte.
        first: u64,
    },
    /// `bytes=-length`: that many bytes at the end.
    Suffix {
        /// Bytes asked for.
        length: u64,
    },
    /// Several valid ranges.
    Multiple,
    /// Not a valid set of byte ranges; a server ignores the header.
    Invalid,
}

/// What a [`RangeHeader`] comes to for a representation of a given size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// These bytes, all of them inside the representation.
    Partial(ByteRange),
    /// The range has no byte in common with the representation.
    Unsatisfiable,
    /// The header does not count: the whole representation is due.
    Ignored,
    /// Several ranges, which no document of this protocol speaks of.
    Multiple,
}

/// Reads the value of a `Range` header.
///
/// ```
/// use crevasse_core::range::{ByteRange, RangeHeader, Resolved, parse_range_header};
///
/// let header = parse_range_header("bytes=4-9");
/// assert_eq!(header, RangeHeader::Single { first: 4, last: 9 });
/// assert_eq!(header.resolve(6), Resolved::Partial(ByteRange::new(4, 6).unwrap()));
/// assert_eq!(parse_range_header("0-100/493"), RangeHeader::Invalid);
/// ```
pub fn parse_range_header(text: &str) -> RangeHeader {
    match byte_range_set(text) {
        None => RangeHeader::Invalid,
        Some(set) => only(set.map(range_spec)),
    }
}

impl RangeHeader {
    /// Applies the header to a representation of `size` bytes; an end beyond it is moved to the last byte.
    pub fn resolve(&self, size: u64) -> Resolved {
        match *self {
            Self::Single { first, last } => partial(first, last.saturating_add(1).min(size)),
            Self::From { first } => partial(first, size),
            Self::Suffix { length: 0 } => Resolved::Unsatisfiable,
            // RFC 9110 14.1.2 calls a suffix of an empty representation satisfiable; all of it is nothing.
            Self::Suffix { .. } if size == 0 => Resolved::Ignored,
            Self::Suffix { length } => partial(size.saturating_sub(length), size),
            Self::Multiple => Resolved::Multiple,
            Self::Invalid => Resolved::Ignored,
        }
    }
}

fn partial(start: u64, end: u64) -> Resolved {
    ByteRange::new(start, end).map_or(Resolved::Unsatisfiable, Resolved::Partial)
}

/// Splits off the unit, whose name knows no case, and lists what is between the commas; empty elements,
/// which a recipient skips (RFC 9110 section 5.6.1), left out.
fn byte_range_set(text: &str) -> Option<impl Iterator<Item = &str>> {
    let (unit, set) = trim(text).split_once('=')?;
    unit.eq_ignore_ascii_case("bytes")
        .then(|| set.split(',').map(trim).filter(|spec| !spec.is_empty()))
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Judges the set: one invalid range spoils it all.
fn only(specs: impl Iterator<Item = Option<RangeHeader>>) -> RangeHeader {
    let mut found = None;
    for spec in specs {
        found = match (found, spec) {
            (_, None) => return RangeHeader::Invalid,
            (None, spec) => spec,
            (Some(_), Some(_)) => Some(RangeHeader::Multiple),
        };
    }
    found.unwrap_or(RangeHeader::Invalid)
}

fn range_spec(spec: &str) -> Option<RangeHeader> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let length = saturating(last)?;
        return Some(RangeHeader::Suffix { length });
    }
    let first = saturating(first)?;
    if last.is_empty() {
        return Some(RangeHeader::From { first });
    }
    let last = saturating(last)?;
    (first <= last).then_some(RangeHeader::Single { first, last })
}
