//! Hashing what streams by: leaves as they fill, and the linear SHA-256 beside them.

use sha2::{Digest as _, Sha256};

use super::{Digest, LEAF, combine, hash_leaves, leaves_of};

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
    linear: Sha256,
    leaves: LeafHasher,
}

impl TreeHasher {
    /// Starts with nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a hasher that leaves out the linear SHA-256, which is half of the work.
    pub fn tree_only() -> LeafHasher {
        LeafHasher::new()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.linear.update(bytes);
        self.leaves.update(bytes);
    }

    /// Counts the bytes taken so far.
    pub fn length(&self) -> u64 {
        self.leaves.length()
    }

    /// Ends the stream.
    pub fn finish(self) -> Hashed {
        let tree = self.leaves.finish();
        Hashed {
            length: tree.length,
            sha256: Digest(self.linear.finalize().into()),
            tree_hash: tree.tree_hash,
            leaves: tree.leaves,
        }
    }
}

/// Hashes a stream into its leaves and tree hash alone; see [`TreeHasher::tree_only`].
#[derive(Clone, Default)]
pub struct LeafHasher {
    open: Sha256,
    filled: usize,
    length: u64,
    leaves: Vec<Digest>,
}

impl LeafHasher {
    /// Starts with nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let bytes = self.top_up(bytes);
        let (whole, rest) = bytes.split_at(bytes.len() - bytes.len() % LEAF);
        self.leaves.extend(hash_leaves(&leaves_of(whole)));
        self.absorb(rest);
    }

    /// Counts the bytes taken so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Ends the stream.
    pub fn finish(mut self) -> HashedTree {
        if self.filled > 0 {
            self.close();
        }
        HashedTree {
            length: self.length,
            tree_hash: combine(&self.leaves),
            leaves: self.leaves,
        }
    }

    /// Completes the open leaf as far as the bytes reach, and returns those that are left.
    fn top_up<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if self.filled == 0 {
            return bytes;
        }
        let (head, rest) = bytes.split_at(bytes.len().min(LEAF - self.filled));
        self.absorb(head);
        rest
    }

    /// Takes bytes that end within the open leaf, or exactly with it.
    fn absorb(&mut self, bytes: &[u8]) {
        self.open.update(bytes);
        self.filled += bytes.len();
        if self.filled == LEAF {
            self.close();
        }
    }

    fn close(&mut self) {
        let leaf = self.open.finalize_reset().into();
        self.leaves.push(Digest(leaf));
        self.filled = 0;
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
