//! Where bytes come from: formulas that know the byte at every offset, or memory.

use std::sync::Arc;

use super::forest::Plot;
use super::{Payload, copy_from};
use crate::range::ByteRange;
use crate::treehash::MIB;

/// Blocks after which generated content repeats. A prime, so that equal subtrees of a tree over generated
/// blocks are those whose first blocks agree, 251 on each level, and a hash tree of 40 TiB has 251 distinct
/// leaves; and more blocks than a test can swap, skip or repeat by accident without being found out.
pub(super) const PERIOD: u64 = 251;

const PATTERN_PERIOD: u64 = 251;

/// Opens each generated block, before the seed and the place of the block, all in little-endian.
const MAGIC: u64 = u64::from_le_bytes(*b"CREVASSE");

/// Bytes that open a generated block and say which one it is.
pub(super) const HEADER: usize = 24;

/// Content that is a periodic function of the offset, without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Formula {
    Generated(u64),
    Pattern,
    Zeros,
}

impl Formula {
    /// Bytes after which the content repeats.
    fn period(self) -> u64 {
        match self {
            Self::Generated(_) => PERIOD * MIB,
            Self::Pattern => PATTERN_PERIOD,
            Self::Zeros => 1,
        }
    }

    /// Moves an offset on, and back into the first period: equal results have equal content.
    pub(super) fn advance(self, offset: u64, by: u64) -> u64 {
        let period = self.period();
        (offset % period + by % period) % period
    }

    /// Fills a buffer with the bytes from `offset` on.
    pub(super) fn fill(self, offset: u64, into: &mut [u8]) {
        match self {
            Self::Generated(seed) => fill_generated(seed, offset, into),
            Self::Pattern => fill_pattern(offset, into),
            Self::Zeros => into.fill(0),
        }
    }

    /// Recognises the formula, and how far into it, from the first [`HEADER`] bytes of a content.
    pub(super) fn identify(head: &[u8; HEADER]) -> Option<(Self, u64)> {
        let word = |index: usize| {
            let bytes = head[8 * index..][..8].try_into();
            u64::from_le_bytes(bytes.expect("a header is three words"))
        };
        if word(0) == MAGIC && word(2) < PERIOD {
            return Some((Self::Generated(word(1)), word(2) * MIB));
        }
        if head == &[0; HEADER] {
            return Some((Self::Zeros, 0));
        }
        let offset = (0..PATTERN_PERIOD).find(|&at| pattern(at) == head[0])?;
        Some((Self::Pattern, offset))
    }
}

fn pattern(offset: u64) -> u8 {
    ((offset % PATTERN_PERIOD * 31 + 7) % PATTERN_PERIOD) as u8
}

fn fill_pattern(offset: u64, into: &mut [u8]) {
    let period: [u8; PATTERN_PERIOD as usize] =
        std::array::from_fn(|index| pattern(offset % PATTERN_PERIOD + index as u64));
    for chunk in into.chunks_mut(period.len()) {
        chunk.copy_from_slice(&period[..chunk.len()]);
    }
}

fn fill_generated(seed: u64, offset: u64, mut into: &mut [u8]) {
    let mut offset = offset % (PERIOD * MIB);
    while !into.is_empty() {
        let left = (MIB - offset % MIB) as usize;
        let (now, later) = into.split_at_mut(left.min(into.len()));
        Block::new(seed, offset / MIB).fill((offset % MIB) as usize, now);
        offset = (offset / MIB + 1) % PERIOD * MIB;
        into = later;
    }
}

/// One mebibyte of generated content: a header in the clear, which alone tells all blocks of all seeds
/// apart, then words made from their position.
struct Block {
    header: [u64; HEADER / 8],
    key: u64,
}

impl Block {
    fn new(seed: u64, place: u64) -> Self {
        Self {
            header: [MAGIC, seed, place],
            key: scatter(scatter(seed) ^ place),
        }
    }

    /// Makes the word at a position. In a block all words differ: the counter is multiplied by an odd
    /// number, and each step after that can be undone.
    fn word(&self, position: u64) -> u64 {
        stir(self.key.wrapping_add(position.wrapping_mul(GOLDEN)))
    }

    /// Fills a buffer with the bytes from `offset` on, all within the block.
    fn fill(&self, offset: usize, into: &mut [u8]) {
        let (head, rest) = into.split_at_mut((offset.next_multiple_of(8) - offset).min(into.len()));
        let before = self.word((offset / 8) as u64).to_le_bytes();
        head.copy_from_slice(&before[offset % 8..][..head.len()]);
        self.fill_words(offset.div_ceil(8) as u64, rest);
        if offset < HEADER {
            self.write_header(offset, into);
        }
    }

    fn fill_words(&self, first: u64, into: &mut [u8]) {
        let mut counter = self.key.wrapping_add(first.wrapping_mul(GOLDEN));
        let mut words = into.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&stir(counter).to_le_bytes());
            counter = counter.wrapping_add(GOLDEN);
        }
        let last = words.into_remainder();
        last.copy_from_slice(&stir(counter).to_le_bytes()[..last.len()]);
    }

    fn write_header(&self, offset: usize, into: &mut [u8]) {
        let header = self.header.map(u64::to_le_bytes);
        for (byte, said) in into.iter_mut().zip(&header.as_flattened()[offset..]) {
            *byte = *said;
        }
    }
}

/// The odd number next to 2^64 divided by the golden ratio: steps of it spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes with one multiplication, which is what eight bytes may cost; the odd factor is from SplitMix64.
fn stir(mut x: u64) -> u64 {
    x ^= x >> 32;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 29
}

/// Mixes thoroughly, once a block: the finalizer of SplitMix64, every step of which can be undone.
fn scatter(x: u64) -> u64 {
    let mut x = x.wrapping_add(GOLDEN);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

/// What a stretch of content is made of.
#[derive(Clone)]
pub(super) enum Source {
    Formula(Formula),
    Bytes(Arc<[u8]>),
}

/// A stretch of a source.
#[derive(Clone)]
pub(super) struct Piece {
    pub(super) source: Source,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Piece {
    pub(super) fn new(source: Source, length: u64) -> Self {
        Self {
            source,
            offset: 0,
            length,
        }
    }

    /// Cuts out `length` bytes from `start` on, which must lie inside.
    pub(super) fn slice(&self, start: u64, length: u64) -> Self {
        Self {
            source: self.source.clone(),
            offset: self.offset_at(start),
            length,
        }
    }

    /// Fills a buffer with the bytes from `start` on, which must lie inside.
    pub(super) fn read_at(&self, start: u64, into: &mut [u8]) {
        match &self.source {
            Source::Formula(formula) => formula.fill(self.offset_at(start), into),
            Source::Bytes(bytes) => copy_from(bytes, self.offset_at(start), into),
        }
    }

    /// Describes the stretch as a range of a payload.
    pub(super) fn describe(&self) -> (Payload, ByteRange) {
        let start = match self.source {
            Source::Formula(_) => self.offset,
            Source::Bytes(_) => 0,
        };
        let range = ByteRange {
            start,
            end: start.saturating_add(self.length),
        };
        (self.payload(range.end), range)
    }

    /// Makes the payload of the source that has this length.
    fn payload(&self, length: u64) -> Payload {
        match self.source {
            Source::Formula(Formula::Generated(seed)) => Payload::Generated { seed, length },
            Source::Formula(Formula::Pattern) => Payload::Pattern { length },
            Source::Formula(Formula::Zeros) => Payload::Zeros { length },
            Source::Bytes(_) => written_bytes(self.bytes().unwrap_or_default()),
        }
    }

    /// Gives the bytes when they are in memory.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Formula(_) => None,
            Source::Bytes(bytes) => Some(&bytes[self.offset as usize..][..self.length as usize]),
        }
    }

    /// Names the stretch when it is one of a formula.
    pub(super) fn plot(&self) -> Option<Plot> {
        match self.source {
            Source::Formula(formula) => Some((formula, self.offset, self.length)),
            Source::Bytes(_) => None,
        }
    }

    /// Says whether `next` is the stretch that follows in the same source.
    pub(super) fn goes_on_with(&self, next: &Self) -> bool {
        self.same_source(next) && self.offset_at(self.length) == next.offset
    }

    /// Says whether both read the same source at the same place; false proves nothing.
    pub(super) fn starts_like(&self, other: &Self) -> bool {
        self.same_source(other) && self.offset == other.offset
    }

    fn same_source(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (Source::Formula(one), Source::Formula(other)) => one == other,
            (Source::Bytes(one), Source::Bytes(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn offset_at(&self, start: u64) -> u64 {
        match &self.source {
            Source::Formula(formula) => formula.advance(self.offset, start),
            Source::Bytes(_) => self.offset + start,
        }
    }
}

/// Chooses the form in which bytes are easier to read.
fn written_bytes(bytes: &[u8]) -> Payload {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n') => {
            Payload::Text(text.to_owned())
        }
        _ => Payload::Bytes(bytes.into()),
    }
}
