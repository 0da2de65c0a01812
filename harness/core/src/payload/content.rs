//! The algebra of contents: joined, cut, compared and hashed by description.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2::{Digest as _, Sha256};

use super::forest::{Forest, Plot};
use super::memo::{self, Hash};
use super::source::{Formula, Piece, Source};
use super::{ByteCount, Payload};
use crate::range::ByteRange;
use crate::treehash::{Digest, Hashed, Mistake, TreeHasher, combine, diagnose};

/// Bytes read at a time.
const BUFFER: usize = 64 << 10;

/// A sequence of bytes made of stretches of payloads. Cheap to clone; equal when the bytes are equal.
///
/// ```
/// use crevasse_core::payload::{Content, Payload};
/// use crevasse_core::range::ByteRange;
///
/// let archive = Content::from(Payload::Generated { seed: 7, length: 40 << 40 });
/// let middle = archive.slice(ByteRange::new(3 << 20, 5 << 20).unwrap());
/// assert_eq!(middle.length(), 2 << 20);
/// assert_eq!(middle.tree_hash(), archive.tree_hash_of(ByteRange::new(3 << 20, 5 << 20).unwrap()));
/// ```
#[derive(Clone)]
pub struct Content {
    shared: Arc<Shared>,
}

struct Shared {
    pieces: Vec<Placed>,
    length: u64,
    sha256: OnceLock<Digest>,
    tree_hash: OnceLock<Digest>,
    parts: Mutex<BTreeMap<ByteRange, Digest>>,
    mistakes: Mutex<BTreeMap<Digest, Option<Mistake>>>,
}

/// What is known of a key, or else computed and remembered, up to 1,024 keys.
fn recall<K: Ord, V: Copy>(
    known: &Mutex<BTreeMap<K, V>>,
    key: K,
    compute: impl FnOnce() -> V,
) -> V {
    let locked = || known.lock().unwrap_or_else(PoisonError::into_inner);
    let found = locked().get(&key).copied();
    found.unwrap_or_else(|| {
        let value = compute();
        let mut known = locked();
        if known.len() < 1024 {
            known.insert(key, value);
        }
        value
    })
}

struct Placed {
    start: u64,
    piece: Piece,
}

impl Content {
    /// Makes the content of no bytes.
    pub fn empty() -> Self {
        Self::concat(&[])
    }

    /// Joins contents in order. What goes on where the last one stopped becomes one stretch again.
    ///
    /// # Panics
    /// When the length does not fit 64 bits.
    pub fn concat(contents: &[Self]) -> Self {
        Self::try_concat(contents).expect("the length of a content fits 64 bits")
    }

    /// Joins contents in order; `None` when the length does not fit 64 bits.
    pub fn try_concat(contents: &[Self]) -> Option<Self> {
        let pieces = contents
            .iter()
            .flat_map(|content| content.shared.pieces.iter());
        Self::join(pieces.map(|placed| placed.piece.clone()))
    }

    /// Cuts out a range.
    ///
    /// # Panics
    /// When the range reaches beyond the end.
    pub fn slice(&self, range: ByteRange) -> Self {
        Self::joined(self.pieces_of(range))
    }

    /// Counts the bytes.
    pub fn length(&self) -> u64 {
        self.shared.length
    }

    /// Fills a buffer with the bytes from `offset` on.
    ///
    /// # Panics
    /// When the buffer would reach beyond the end.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) {
        let Some(range) = ByteRange::new(offset, offset.saturating_add(into.len() as u64)) else {
            return;
        };
        let mut rest = into;
        for piece in self.pieces_of(range) {
            let (now, later) = rest.split_at_mut(piece.length as usize);
            piece.read_at(0, now);
            rest = later;
        }
    }

    /// Reads everything into memory.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length() as usize];
        self.read_at(0, &mut bytes);
        bytes
    }

    /// Hashes everything with plain SHA-256, in time that grows with the length; clones share what was once computed.
    pub fn sha256(&self) -> Digest {
        let known = || {
            let plot = self.plot();
            let recalled = plot.and_then(|plot| memo::recall(Hash::Linear, plot));
            recalled.unwrap_or_else(|| {
                let hash = self.linear();
                if let Some(plot) = plot {
                    memo::keep(Hash::Linear, plot, hash);
                }
                hash
            })
        };
        *self.shared.sha256.get_or_init(known)
    }

    fn linear(&self) -> Digest {
        let mut linear = Sha256::new();
        for Placed { piece, .. } in self.shared.pieces.iter() {
            feed(piece, |bytes| linear.update(bytes));
        }
        Digest(linear.finalize().into())
    }

    /// The stretch of a formula that all of it is, if it is one.
    fn plot(&self) -> Option<Plot> {
        match self.shared.pieces.as_slice() {
            [Placed { piece, .. }] => piece.plot(),
            _ => None,
        }
    }

    /// Notes hashes that were computed while the bytes went by, so that they are not computed again. The caller
    /// answers for them.
    pub fn note_hashes(&self, sha256: Digest, tree_hash: Digest) {
        self.shared.sha256.get_or_init(|| sha256);
        self.shared.tree_hash.get_or_init(|| tree_hash);
    }

    /// Computes the tree hash. Of generated content each distinct subtree is hashed once, so that no length
    /// takes much longer than its period of 251 mebibytes; and clones share what was once computed.
    pub fn tree_hash(&self) -> Digest {
        let root = || match ByteRange::whole(self.length()) {
            Some(range) => self.tree_hash_of(range),
            None => combine(&[]),
        };
        *self.shared.tree_hash.get_or_init(root)
    }

    /// Computes the tree hash that the bytes of a range have on their own.
    ///
    /// # Panics
    /// When the range reaches beyond the end.
    pub fn tree_hash_of(&self, range: ByteRange) -> Digest {
        Forest::default().root(self, range)
    }

    /// Recalls the tree hash of a range, or computes and remembers it: clones share what was once computed, up to 1,024 ranges.
    ///
    /// # Panics
    /// When the range reaches beyond the end.
    pub fn recall_tree_hash_of(&self, range: ByteRange) -> Digest {
        recall(&self.shared.parts, range, || self.tree_hash_of(range))
    }

    /// Hashes each mebibyte; none for an empty content. Takes 32 bytes per mebibyte.
    pub fn leaves(&self) -> Vec<Digest> {
        Forest::default().leaves(self)
    }

    /// Computes everything that one pass over the bytes would say.
    pub fn hashed(&self) -> Hashed {
        let mut hasher = TreeHasher::new();
        for Placed { piece, .. } in self.shared.pieces.iter() {
            feed(piece, |bytes| hasher.update(bytes));
        }
        hasher.finish()
    }

    /// Names the classic mistake behind a wrong tree hash of this content; see [`diagnose`]. Clones share what was once found out.
    pub fn diagnose(&self, claimed: Digest) -> Option<Mistake> {
        let read_at = |offset, into: &mut [u8]| self.read_at(offset, into);
        recall(&self.shared.mistakes, claimed, || {
            diagnose(self.length(), read_at, claimed)
        })
    }

    /// Lists the stretches in order, each as a range of the shortest payload that has it. What repeats is
    /// described within its first period; bytes that read as text are text.
    pub fn segments(&self) -> impl Iterator<Item = (Payload, ByteRange)> {
        self.shared
            .pieces
            .iter()
            .map(|placed| placed.piece.describe())
    }

    /// Describes `length` bytes of a formula from an offset on.
    pub(super) fn of_formula(formula: Formula, offset: u64, length: u64) -> Self {
        let piece = Piece::new(Source::Formula(formula), length);
        Self::joined([piece.slice(offset, length)])
    }

    /// Cuts out the stretches of a range, which must lie inside.
    pub(super) fn pieces_of(&self, range: ByteRange) -> impl Iterator<Item = Piece> {
        assert!(
            range.end <= self.length(),
            "{range} is not inside {} bytes",
            self.length()
        );
        let first = self
            .shared
            .pieces
            .partition_point(|placed| placed.start <= range.start)
            - 1;
        self.shared.pieces[first..]
            .iter()
            .take_while(move |placed| placed.start < range.end)
            .map(move |Placed { start, piece }| {
                let from = range.start.saturating_sub(*start);
                let to = piece.length.min(range.end - start);
                piece.slice(from, to - from)
            })
    }

    /// Joins pieces that are known to have a length.
    fn joined(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self::join(pieces).expect("a part of a content is no longer than it")
    }

    fn join(pieces: impl IntoIterator<Item = Piece>) -> Option<Self> {
        let mut joined: Vec<Placed> = Vec::new();
        let mut length: u64 = 0;
        for piece in pieces.into_iter().filter(|piece| piece.length > 0) {
            let start = length;
            length = length.checked_add(piece.length)?;
            match joined.last_mut() {
                Some(last) if last.piece.goes_on_with(&piece) => last.piece.length += piece.length,
                _ => joined.push(Placed { start, piece }),
            }
        }
        let shared = Shared {
            pieces: joined,
            length,
            sha256: OnceLock::new(),
            tree_hash: OnceLock::new(),
            parts: Mutex::default(),
            mistakes: Mutex::default(),
        };
        Some(Self {
            shared: Arc::new(shared),
        })
    }
}

/// Reads a stretch through, from memory without a copy.
fn feed(piece: &Piece, mut take: impl FnMut(&[u8])) {
    if let Some(bytes) = piece.bytes() {
        return take(bytes);
    }
    let mut buffer = vec![0; BUFFER];
    for start in (0..piece.length).step_by(BUFFER) {
        let chunk = &mut buffer[..(piece.length - start).min(BUFFER as u64) as usize];
        piece.read_at(start, chunk);
        take(chunk);
    }
}

impl From<Payload> for Content {
    fn from(payload: Payload) -> Self {
        Self::from(&payload)
    }
}

impl From<&Payload> for Content {
    fn from(payload: &Payload) -> Self {
        Self::joined([payload.piece()])
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Payload::Bytes(bytes.into()))
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        Self::from(Payload::Bytes(bytes.into()))
    }
}

/// Compares the bytes, but reads only what the descriptions do not settle.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.length() == other.length()
            && self
                .shared_cuts(other)
                .all(|range| self.agrees_with(other, range))
    }
}

impl Eq for Content {}

impl Content {
    /// Lists the longest ranges that both contents hold in one stretch.
    fn shared_cuts(&self, other: &Self) -> impl Iterator<Item = ByteRange> {
        let starts = |content: &Self| {
            content
                .shared
                .pieces
                .iter()
                .map(|placed| placed.start)
                .collect()
        };
        let mut cuts: Vec<u64> = starts(self);
        cuts.extend::<Vec<u64>>(starts(other));
        cuts.push(self.length());
        cuts.sort_unstable();
        cuts.dedup();
        (1..cuts.len()).filter_map(move |index| ByteRange::new(cuts[index - 1], cuts[index]))
    }

    /// Compares a range that is one stretch in both contents.
    fn agrees_with(&self, other: &Self, range: ByteRange) -> bool {
        self.pieces_of(range)
            .zip(other.pieces_of(range))
            .all(|(one, other)| one.starts_like(&other) || same_bytes(&one, &other))
    }
}

/// Reads and compares two stretches of the same length.
fn same_bytes(one: &Piece, other: &Piece) -> bool {
    let mut buffers = [vec![0; BUFFER], vec![0; BUFFER]];
    (0..one.length).step_by(BUFFER).all(|start| {
        let size = (one.length - start).min(BUFFER as u64) as usize;
        let [left, right] = buffers.each_mut().map(|buffer| &mut buffer[..size]);
        one.read_at(start, left);
        other.read_at(start, right);
        left == right
    })
}

/// Says the length, and what the first few stretches are.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        write!(f, "Content({}", ByteCount(self.length()))?;
        for (index, Placed { piece, .. }) in self.shared.pieces.iter().take(SHOWN).enumerate() {
            f.write_str(if index == 0 { ": " } else { ", " })?;
            match &piece.source {
                Source::Formula(formula) => write!(f, "{formula:?}")?,
                Source::Bytes(_) => write!(f, "Bytes")?,
            }
            write!(f, " {}+{}", piece.offset, piece.length)?;
        }
        match self.shared.pieces.len().saturating_sub(SHOWN) {
            0 => f.write_str(")"),
            more => write!(f, ", {more} more)"),
        }
    }
}
