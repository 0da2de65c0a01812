//! The SHA-256 tree hash: whole, streaming, from parts, and which ranges of an archive have one.
//!
//! The algorithm is that of the developer guide, "Computing Checksums": leaves of one mebibyte, pairs
//! hashed from left to right as 64 raw bytes, an unpaired last node promoted unchanged.

mod align;
mod digest;
mod hasher;
mod lanes;
mod mistake;

pub(crate) use align::on_megabytes;
pub use align::{megabyte_aligned, tree_hash_aligned};
pub use digest::{Digest, ParseDigestError};
pub use hasher::{Hashed, HashedTree, LeafHasher, TreeHasher};
pub use mistake::{DIAGNOSABLE, Mistake, diagnose};

use sha2::{Digest as _, Sha256};

/// One mebibyte in bytes, the size of a leaf: "1 MB" in the developer guide always means 1024 × 1024.
pub const MIB: u64 = 1 << 20;

const LEAF: usize = MIB as usize;

/// Hashes bytes with plain SHA-256.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Hashes bytes into their tree hash. Up to one mebibyte it equals [`sha256`], for no bytes too.
///
/// ```
/// use crevasse_core::treehash::{sha256, tree_hash};
///
/// assert_eq!(tree_hash(b"test\n"), sha256(b"test\n"));
/// assert_ne!(tree_hash(&[7; (1 << 20) + 1]), sha256(&[7; (1 << 20) + 1]));
/// ```
pub fn tree_hash(bytes: &[u8]) -> Digest {
    combine(&hash_leaves(&leaves_of(bytes)))
}

/// Combines nodes from left to right into their root.
///
/// The nodes are the leaves of a content, or the tree hashes of its consecutive parts, all but the last of
/// one and the same power-of-two number of mebibytes. No nodes give the SHA-256 of nothing.
pub fn combine(nodes: &[Digest]) -> Digest {
    reduce(nodes, parent, |odd| odd)
}

/// Hashes a batch of independent messages, each usually one leaf.
///
/// Neighbours of one length are hashed side by side, where the processor can.
pub fn hash_leaves(batch: &[&[u8]]) -> Vec<Digest> {
    let mut leaves = Vec::with_capacity(batch.len());
    while leaves.len() < batch.len() {
        let rest = &batch[leaves.len()..];
        if let Some(alike) = begin_alike(rest) {
            leaves.extend(lanes::hash_side_by_side::<{ lanes::LANES }>(alike));
        } else if let Some(alike) = begin_alike(rest) {
            leaves.extend(lanes::hash_side_by_side::<2>(alike));
        } else {
            leaves.push(sha256(rest[0]));
        }
    }
    leaves
}

/// The first messages of a batch, if they are of one length.
fn begin_alike<'a, const N: usize>(batch: &[&'a [u8]]) -> Option<[&'a [u8]; N]> {
    let first = *batch.first_chunk::<N>()?;
    let alike = first.iter().all(|message| message.len() == first[0].len());
    alike.then_some(first)
}

/// Hashes two neighbours into the node above them.
fn parent(left: Digest, right: Digest) -> Digest {
    let mut both = [0; 64];
    both[..32].copy_from_slice(&left.0);
    both[32..].copy_from_slice(&right.0);
    sha256(&both)
}

fn leaves_of(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(LEAF).collect()
}

/// Reduces a level to its root; how pairs and a lone last node rise is what implementations get wrong.
fn reduce(
    nodes: &[Digest],
    pair: impl Fn(Digest, Digest) -> Digest,
    lone: impl Fn(Digest) -> Digest,
) -> Digest {
    let mut level = nodes.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|nodes| match *nodes {
                [left, right] => pair(left, right),
                _ => lone(nodes[0]),
            })
            .collect();
    }
    level.first().copied().unwrap_or_else(|| sha256(b""))
}
