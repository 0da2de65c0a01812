//! Tree hashes of described content: equal subtrees are grown once.

use std::collections::BTreeMap;

use super::content::Content;
use super::memo::{self, Hash};
use super::source::{Formula, PERIOD, Piece, Source};
use crate::range::ByteRange;
use crate::treehash::{Digest, MIB, combine, hash_leaves, tree_hash};

/// Leaves that are generated and hashed as one batch.
const BATCH: usize = 8;

/// The subtrees over formulas that are known so far. Offsets lie in the first period of their formula, so
/// a tree of any size has no more than 251 distinct subtrees on a level, beside those on its ragged edge.
#[derive(Default)]
pub(super) struct Forest {
    known: BTreeMap<Plot, Digest>,
}

/// What a subtree stands on: a formula, an offset within its first period, and a length.
pub(super) type Plot = (Formula, u64, u64);

impl Forest {
    /// Finds the root of the tree over a range of a content.
    pub(super) fn root(&mut self, content: &Content, range: ByteRange) -> Digest {
        let mut pieces = content.pieces_of(range);
        match (pieces.next(), pieces.next()) {
            (Some(piece), None) => self.root_of_piece(&piece),
            _ if range.len() <= 2 * MIB => {
                // Two leaves at once take no longer than one: they are hashed side by side.
                let mut leaves = vec![0; range.len() as usize];
                content.read_at(range.start, &mut leaves);
                tree_hash(&leaves)
            }
            _ => {
                let middle = range.start + left_width(range.len());
                let half = |start, end| ByteRange { start, end };
                let left = self.root(content, half(range.start, middle));
                let right = self.root(content, half(middle, range.end));
                combine(&[left, right])
            }
        }
    }

    /// Lists the leaves of a content.
    pub(super) fn leaves(&mut self, content: &Content) -> Vec<Digest> {
        if let Some(range) = ByteRange::whole(content.length()) {
            self.plant_all(content, range);
        }
        ByteRange::parts(content.length(), MIB)
            .map(|leaf| self.root(content, leaf))
            .collect()
    }

    /// Hashes in batches the leaves of the one stretch that many contents are.
    fn plant_all(&mut self, content: &Content, range: ByteRange) {
        let mut pieces = content.pieces_of(range);
        if let (Some(piece), None) = (pieces.next(), pieces.next())
            && let Source::Formula(formula) = piece.source
        {
            self.plant((formula, piece.offset, piece.length));
        }
    }

    fn root_of_piece(&mut self, piece: &Piece) -> Digest {
        match (&piece.source, piece.bytes()) {
            (Source::Formula(formula), _) => {
                let plot = (*formula, piece.offset, piece.length);
                memo::recall(Hash::Tree, plot).unwrap_or_else(|| {
                    self.plant(plot);
                    let root = self.grow(plot);
                    memo::keep(Hash::Tree, plot, root);
                    root
                })
            }
            (_, Some(bytes)) => tree_hash(bytes),
            (_, None) => unreachable!("what is no formula is in memory"),
        }
    }

    /// Hashes the distinct leaves of a plot.
    fn plant(&mut self, (formula, offset, length): Plot) {
        let leaf = |index| {
            let start = index * MIB;
            (
                formula,
                formula.advance(offset, start),
                MIB.min(length - start),
            )
        };
        let count = length.div_ceil(MIB);
        let ragged = count.saturating_sub(1);
        let mut distinct: Vec<Plot> = (0..count.min(PERIOD)).chain([ragged]).map(leaf).collect();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.retain(|plot| !self.knows(*plot));
        let mut buffer = vec![0; distinct.len().min(BATCH) * MIB as usize];
        for batch in distinct.chunks(BATCH) {
            self.known
                .extend(batch.iter().copied().zip(hash_plots(batch, &mut buffer)));
        }
    }

    /// Whether a leaf was hashed before, for this forest or any other.
    fn knows(&mut self, leaf: Plot) -> bool {
        if let Some(hash) = memo::recall(Hash::Tree, leaf) {
            self.known.insert(leaf, hash);
        }
        self.known.contains_key(&leaf)
    }

    /// Finds the root of the tree over a plot whose leaves are planted.
    fn grow(&mut self, plot: Plot) -> Digest {
        if let Some(root) = self.known.get(&plot) {
            return *root;
        }
        let (formula, offset, length) = plot;
        let left = left_width(length);
        let right = (formula, formula.advance(offset, left), length - left);
        let root = combine(&[self.grow((formula, offset, left)), self.grow(right)]);
        self.known.insert(plot, root);
        root
    }
}

/// Measures the left subtree of a tree over more than one leaf: the largest power of two that leaves a rest.
fn left_width(length: u64) -> u64 {
    let below = length.div_ceil(MIB) - 1;
    MIB << below.ilog2()
}

/// Hashes a batch of leaves, each written to its place in one buffer that all batches share.
fn hash_plots(plots: &[Plot], buffer: &mut [u8]) -> Vec<Digest> {
    let places = buffer.chunks_mut(MIB as usize);
    let leaves: Vec<&[u8]> = places
        .zip(plots)
        .map(|(place, &(formula, offset, length))| {
            let leaf = &mut place[..length as usize];
            formula.fill(offset, leaf);
            &*leaf
        })
        .collect();
    hash_leaves(&leaves)
}
