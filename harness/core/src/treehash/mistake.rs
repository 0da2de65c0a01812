//! The classic ways to get a tree hash wrong, recognised by the value they give.

use std::fmt;

use super::{Digest, LEAF, MIB, TreeHasher, combine, parent, reduce, sha256};

/// The longest content in bytes that [`diagnose`] looks into.
pub const DIAGNOSABLE: u64 = 64 * MIB;

const DECIMAL: usize = 1_000_000;

/// A wrong way to compute a tree hash that has been seen in the wild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mistake {
    /// Plain SHA-256 of everything.
    LinearSha256,
    /// An unpaired node is hashed with itself, as in a block chain.
    OddNodeDuplicated,
    /// An unpaired node is hashed once more on its way up.
    OddNodeRehashed,
    /// Pairs are hashed as 128 hexadecimal digits instead of 64 raw bytes.
    HexPairs,
    /// All leaves are hashed at once instead of in pairs.
    FlatConcatenation,
    /// Leaves of 1,000,000 bytes instead of 1,048,576.
    DecimalChunks,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinearSha256 => "plain SHA-256 of the whole content instead of the tree hash",
            Self::OddNodeDuplicated => "an unpaired node is hashed with itself instead of promoted",
            Self::OddNodeRehashed => "an unpaired node is hashed again instead of promoted",
            Self::HexPairs => "pairs are hashed as hexadecimal text instead of raw bytes",
            Self::FlatConcatenation => "all leaves are hashed at once instead of in pairs",
            Self::DecimalChunks => "leaves are 1,000,000 bytes instead of 1,048,576",
        })
    }
}

/// Names the mistake that turns a content of `length` bytes into `claimed`.
///
/// `read_at` fills a buffer from an offset. `None` when the claim is right, when no known mistake explains
/// it, or when the content is longer than [`DIAGNOSABLE`].
pub fn diagnose(length: u64, read_at: impl Fn(u64, &mut [u8]), claimed: Digest) -> Option<Mistake> {
    if length > DIAGNOSABLE {
        return None;
    }
    let mut hasher = TreeHasher::new();
    for_each_chunk(length, LEAF, &read_at, |chunk| hasher.update(chunk));
    let truth = hasher.finish();
    if truth.tree_hash == claimed {
        return None;
    }
    if truth.sha256 == claimed {
        return Some(Mistake::LinearSha256);
    }
    wrongly_combined(&truth.leaves, claimed).or_else(|| {
        let decimal = decimal_leaves(length, &read_at);
        (combine(&decimal) == claimed).then_some(Mistake::DecimalChunks)
    })
}

fn wrongly_combined(leaves: &[Digest], claimed: Digest) -> Option<Mistake> {
    type Combine = fn(&[Digest]) -> Digest;
    let suspects: [(Mistake, Combine); 4] = [
        (Mistake::OddNodeDuplicated, |nodes| {
            reduce(nodes, parent, |odd| parent(odd, odd))
        }),
        (Mistake::OddNodeRehashed, |nodes| {
            reduce(nodes, parent, |odd| sha256(&odd.0))
        }),
        (Mistake::HexPairs, |nodes| {
            reduce(nodes, hex_parent, |odd| odd)
        }),
        (Mistake::FlatConcatenation, |nodes| {
            sha256(&nodes.iter().flat_map(|node| node.0).collect::<Vec<_>>())
        }),
    ];
    suspects
        .iter()
        .find(|(_, combine)| combine(leaves) == claimed)
        .map(|(mistake, _)| *mistake)
}

fn hex_parent(left: Digest, right: Digest) -> Digest {
    sha256(format!("{left}{right}").as_bytes())
}

fn decimal_leaves(length: u64, read_at: &impl Fn(u64, &mut [u8])) -> Vec<Digest> {
    let mut leaves = Vec::new();
    for_each_chunk(length, DECIMAL, read_at, |chunk| leaves.push(sha256(chunk)));
    leaves
}

fn for_each_chunk(
    length: u64,
    size: usize,
    read_at: &impl Fn(u64, &mut [u8]),
    mut take: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; size];
    for start in (0..length).step_by(size) {
        let chunk = &mut buffer[..(length - start).min(size as u64) as usize];
        read_at(start, chunk);
        take(chunk);
    }
}
