//! Identifiers as the service makes them: long, of URL-safe characters, never the same twice.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crevasse_core::treehash::sha256;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The length of an archive id in characters (observed, O-39).
pub(crate) const ARCHIVE: usize = 138;
/// The length of a job or upload id in characters (observed, O-39).
pub(crate) const JOB: usize = 92;
/// The length of a lock id in characters (guide examples).
pub(crate) const LOCK: usize = 32;
/// The length of a capacity id in characters (guide examples).
pub(crate) const CAPACITY: usize = 24;
/// The length of a request id in characters (guide examples).
pub(crate) const REQUEST: usize = 47;

/// Makes identifiers, always the same from the same seed.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: u64,
    made: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self {
            seed: seed.unwrap_or_else(|| RandomState::new().hash_one("ids")),
            made: AtomicU64::new(0),
        }
    }

    /// Makes an id of this many characters.
    pub(crate) fn make(&self, length: usize) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        (0..)
            .flat_map(|block: u64| self.block(number, block))
            .take(length)
            .collect()
    }

    fn block(&self, number: u64, block: u64) -> impl Iterator<Item = char> + use<> {
        let text = format!("{}/{number}/{block}", self.seed);
        let digest = sha256(text.as_bytes()).0;
        digest
            .into_iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_ids_and_no_two_are_alike() {
        let (one, other) = (Ids::new(Some(7)), Ids::new(Some(7)));
        let made: Vec<String> = (0..100).map(|_| one.make(ARCHIVE)).collect();
        assert!(made.iter().all(|id| *id == other.make(ARCHIVE)));
        assert!(made.iter().all(|id| id.len() == 138));
        let distinct: std::collections::BTreeSet<&String> = made.iter().collect();
        assert_eq!(distinct.len(), made.len());
    }
}
