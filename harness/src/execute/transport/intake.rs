//! A response body on its way in: hashed as it streams, kept only as far as judging needs.

use crevasse_core::treehash::TreeHasher;
use crevasse_core::wire::ObservedBody;

/// Takes a body chunk by chunk, in constant memory.
pub(crate) struct Intake {
    hasher: TreeHasher,
    prefix: Vec<u8>,
    kept: usize,
    limit: u64,
}

/// A text up to this length grows as it comes.
const SHORT: usize = 16 << 10;

/// More came than is ever read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Intake {
    /// Begins a body of this media type, of which at most `limit` bytes are read.
    pub(crate) fn new(media_type: &str, limit: u64) -> Self {
        let kept = if textual(media_type) {
            ObservedBody::KEPT
        } else {
            ObservedBody::KEPT_BINARY
        };
        Self {
            hasher: TreeHasher::new(),
            prefix: Vec::new(),
            kept,
            limit,
        }
    }

    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.hasher.update(bytes);
        let room = self.kept - self.prefix.len();
        let bytes = &bytes[..bytes.len().min(room)];
        // A text that is not short is given all its room at once: growing by and by leaves holes of every size behind.
        if self.prefix.len() + bytes.len() > SHORT {
            self.prefix.reserve_exact(room);
        }
        self.prefix.extend_from_slice(bytes);
        if self.hasher.length() > self.limit {
            return Err(TooLong);
        }
        Ok(())
    }

    /// Bytes taken so far.
    pub(crate) fn length(&self) -> u64 {
        self.hasher.length()
    }

    /// Ends the body, whole or not.
    pub(crate) fn finish(self) -> ObservedBody {
        let hashed = self.hasher.finish();
        ObservedBody {
            length: hashed.length,
            sha256: hashed.sha256,
            tree_hash: hashed.tree_hash,
            leaves: hashed.leaves,
            prefix: self.prefix.into(),
        }
    }
}

/// Whether people could read a body of this media type; one without a type may be an error text.
fn textual(media_type: &str) -> bool {
    media_type.is_empty()
        || media_type.starts_with("text/")
        || ["json", "xml", "csv", "html"]
            .iter()
            .any(|form| media_type.contains(form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::treehash::{sha256, tree_hash};

    #[test]
    fn a_binary_body_is_hashed_whole_and_kept_in_part() {
        let bytes = vec![9; 3 << 20];
        let mut intake = Intake::new("application/octet-stream", u64::MAX);
        bytes
            .chunks(70_000)
            .for_each(|chunk| intake.take(chunk).unwrap());
        let body = intake.finish();
        assert_eq!(
            (body.sha256, body.tree_hash),
            (sha256(&bytes), tree_hash(&bytes))
        );
        assert_eq!(body.prefix.len(), ObservedBody::KEPT_BINARY);
        assert_eq!(body.bytes(), None);
    }

    #[test]
    fn a_text_is_kept_and_no_body_outgrows_its_limit() {
        for media_type in ["application/json", "text/csv", ""] {
            let mut intake = Intake::new(media_type, 10_000);
            intake.take(&[b'x'; 10_000]).unwrap();
            assert_eq!(intake.take(b"y"), Err(TooLong));
            assert_eq!(intake.finish().prefix.len(), 10_001);
        }
    }
}
