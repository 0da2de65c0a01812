//! Hashing what streams by: leaves as they fill, and the linear SHA-256 beside them.

use super::lanes::{Block, Chain, advance};
use super::{Digest, LEAF, MIB, combine};

/// Blocks in a leaf.
const BLOCKS: usize = LEAF / size_of::<Block>();

/// Hashes a stream into its tree hash and its linear SHA-256 in one pass.
///
/// Memory does not grow with the content but for the leaves themselves, 32 bytes per mebibyte.
///
/// ```
/// use crevasse_core::treehash::{TreeHasher, sha256, tree_hash};
///
/// let bytes = vec![42; 3_000_000];
/// let mut hasher = TreeHasher::new();
/// bytes.chunks(4096).for_each(|chunk| hasher.update(chunk));
/// let hashed = hasher.finish();
/// assert_eq!(hashed.tree_hash, tree_hash(&bytes));
/// assert_eq!(hashed.sha256, sha256(&bytes));
/// assert_eq!(hashed.leaves.len(), 3);
/// ```
#[derive(Clone, Default)]
pub struct TreeHasher {
    cutter: Cutter,
    both: Both,
}

impl TreeHasher {
    /// Starts with nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a hasher that leaves out the linear SHA-256, and takes half the time without it.
    pub fn tree_only() -> LeafHasher {
        LeafHasher::new()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.cutter.cut(bytes, |blocks| self.both.absorb(blocks));
    }

    /// Counts the bytes taken so far.
    pub fn length(&self) -> u64 {
        self.cutter.length
    }

    /// Ends the stream.
    pub fn finish(self) -> Hashed {
        let length = self.length();
        let (sha256, leaves) = self.both.finish(self.cutter.rest(), length);
        Hashed {
            length,
            sha256,
            tree_hash: combine(&leaves),
            leaves,
        }
    }
}

/// Hashes a stream into its leaves and tree hash alone; see [`TreeHasher::tree_only`].
///
/// Holds every other leaf back, one mebibyte at most, to hash it side by side with the next.
#[derive(Clone, Default)]
pub struct LeafHasher {
    cutter: Cutter,
    pair: Pair,
}

impl LeafHasher {
    /// Starts with nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.cutter.cut(bytes, |blocks| self.pair.absorb(blocks));
    }

    /// Counts the bytes taken so far.
    pub fn length(&self) -> u64 {
        self.cutter.length
    }

    /// Ends the stream.
    pub fn finish(self) -> HashedTree {
        let length = self.length();
        let leaves = self.pair.finish(self.cutter.rest(), length);
        HashedTree {
            length,
            tree_hash: combine(&leaves),
            leaves,
        }
    }
}

/// Cuts a stream into blocks.
#[derive(Clone)]
struct Cutter {
    open: Block,
    length: u64,
}

impl Default for Cutter {
    fn default() -> Self {
        Self {
            open: [0; size_of::<Block>()],
            length: 0,
        }
    }
}

impl Cutter {
    /// Passes on the blocks that the next bytes complete.
    fn cut(&mut self, bytes: &[u8], mut take: impl FnMut(&[Block])) {
        let filled = self.filled();
        self.length += bytes.len() as u64;
        let missing = (size_of::<Block>() - filled) % size_of::<Block>();
        let (head, bytes) = bytes.split_at(bytes.len().min(missing));
        self.open[filled..][..head.len()].copy_from_slice(head);
        if head.len() < missing {
            return;
        }
        if missing > 0 {
            take(&[self.open]);
        }
        let (blocks, rest) = bytes.as_chunks();
        take(blocks);
        self.open[..rest.len()].copy_from_slice(rest);
    }

    /// Gives the bytes of the open block.
    fn rest(&self) -> &[u8] {
        &self.open[..self.filled()]
    }

    fn filled(&self) -> usize {
        (self.length % size_of::<Block>() as u64) as usize
    }
}

/// The linear chain and that of the open leaf, which take the same blocks.
#[derive(Clone, Default)]
struct Both {
    chains: [Chain; 2],
    filled: usize,
    leaves: Vec<Digest>,
}

impl Both {
    fn absorb(&mut self, mut blocks: &[Block]) {
        while !blocks.is_empty() {
            let (now, later) = blocks.split_at(blocks.len().min(BLOCKS - self.filled));
            advance(&mut self.chains, [now]);
            self.filled += now.len();
            if self.filled == BLOCKS {
                self.close(&[], MIB);
            }
            blocks = later;
        }
    }

    fn finish(mut self, rest: &[u8], length: u64) -> (Digest, Vec<Digest>) {
        if !length.is_multiple_of(MIB) {
            self.close(rest, length % MIB);
        }
        (self.chains[0].finish(rest, length), self.leaves)
    }

    fn close(&mut self, rest: &[u8], length: u64) {
        let leaf = std::mem::take(&mut self.chains[1]);
        self.leaves.push(leaf.finish(rest, length));
        self.filled = 0;
    }
}

/// Two neighbouring leaves: the first is held until the second comes, then both are hashed side by side.
#[derive(Clone, Default)]
struct Pair {
    first: Vec<Block>,
    chains: [Chain; 2],
    hashed: usize,
    leaves: Vec<Digest>,
}

impl Pair {
    fn absorb(&mut self, mut blocks: &[Block]) {
        while !blocks.is_empty() {
            let holding = self.first.len() < BLOCKS;
            let filled = if holding {
                self.first.len()
            } else {
                self.hashed
            };
            let (now, later) = blocks.split_at(blocks.len().min(BLOCKS - filled));
            if holding {
                self.first.extend_from_slice(now);
            } else {
                self.hash_beside(now);
            }
            blocks = later;
        }
    }

    /// Hashes blocks of the second leaf, and as many of the first.
    fn hash_beside(&mut self, second: &[Block]) {
        let first = &self.first[self.hashed..][..second.len()];
        advance(&mut self.chains, [first, second]);
        self.hashed += second.len();
        if self.hashed == BLOCKS {
            let pair = std::mem::take(&mut self.chains);
            self.leaves.extend(pair.map(|leaf| leaf.finish(&[], MIB)));
            self.hashed = 0;
            self.first.clear();
        }
    }

    fn finish(mut self, rest: &[u8], length: u64) -> Vec<Digest> {
        let [mut first, second] = self.chains;
        first.advance(&self.first[self.hashed..]);
        let last = if self.first.len() == BLOCKS {
            self.leaves.push(first.finish(&[], MIB));
            second
        } else {
            first
        };
        if !length.is_multiple_of(MIB) {
            self.leaves.push(last.finish(rest, length % MIB));
        }
        self.leaves
    }
}

/// What one pass over a content says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// Bytes in the content.
    pub length: u64,
    /// Plain SHA-256 of the content, the `x-amz-content-sha256` of its upload.
    pub sha256: Digest,
    /// Tree hash of the content, the `x-amz-sha256-tree-hash` of its upload.
    pub tree_hash: Digest,
    /// SHA-256 of each mebibyte in order; none for an empty content.
    pub leaves: Vec<Digest>,
}

/// What one pass says when the linear SHA-256 is not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedTree {
    /// Bytes in the content.
    pub length: u64,
    /// Tree hash of the content.
    pub tree_hash: Digest,
    /// SHA-256 of each mebibyte in order; none for an empty content.
    pub leaves: Vec<Digest>,
}

#[cfg(test)]
mod tests {
    use super::super::{leaves_of, sha256};
    use super::*;

    /// Lengths on, before and behind what is special: blocks, leaves and pairs of leaves.
    fn lengths() -> impl Iterator<Item = usize> {
        let special = [0, 64, LEAF, 2 * LEAF, 3 * LEAF];
        special
            .into_iter()
            .flat_map(|length| [length.saturating_sub(1), length, length + 1, length + 65])
    }

    #[test]
    fn streams_of_any_length_and_cut_hash_as_with_sha2() {
        let bytes: Vec<u8> = (0..3 * LEAF + 65).map(|at| (at % 251) as u8).collect();
        for length in lengths() {
            let bytes = &bytes[..length];
            let leaves: Vec<Digest> = leaves_of(bytes).into_iter().map(sha256).collect();
            for chunk in [61, 64, 4096, 1_000_000, LEAF + 64, 4 * LEAF] {
                let (mut both, mut tree) = (TreeHasher::new(), TreeHasher::tree_only());
                for chunk in bytes.chunks(chunk) {
                    both.update(chunk);
                    tree.update(chunk);
                }
                let (both, tree) = (both.finish(), tree.finish());
                assert_eq!(both.sha256, sha256(bytes), "{length} by {chunk}");
                assert_eq!(both.leaves, leaves, "{length} by {chunk}");
                assert_eq!(tree.leaves, leaves, "{length} by {chunk}");
            }
        }
    }
}
