//! Hashes of stretches of formulas that were computed before, anywhere in this process: suites send the same contents over and over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::forest::Plot;
use crate::treehash::Digest;

/// Which hash of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    /// Plain SHA-256.
    Linear,
    /// The root of its hash tree.
    Tree,
}

/// Stretches kept at most; some 100 bytes each.
const ROOM: usize = 1 << 16;

static KNOWN: Mutex<BTreeMap<(Hash, Plot), Digest>> = Mutex::new(BTreeMap::new());

fn known() -> MutexGuard<'static, BTreeMap<(Hash, Plot), Digest>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hash of a stretch, if it was computed before.
pub(super) fn recall(hash: Hash, plot: Plot) -> Option<Digest> {
    known().get(&(hash, plot)).copied()
}

/// Keeps a hash while there is room.
pub(super) fn keep(hash: Hash, plot: Plot, digest: Digest) {
    let mut known = known();
    if known.len() < ROOM {
        known.insert((hash, plot), digest);
    }
}
