//! Knowing described content again while it streams in, so that it is stored as its description.

use super::content::Content;
use super::source::{Formula, HEADER};

const BUFFER: usize = 16 << 10;

/// Watches bytes go by and says which formula they follow from the first byte on. Every byte is compared:
/// what it says is exactly what it saw.
///
/// ```
/// use crevasse_core::payload::{Content, Payload, Recognizer};
///
/// let archive = Content::from(Payload::Generated { seed: 7, length: 100_000 });
/// let mut recognizer = Recognizer::new();
/// archive.to_bytes().chunks(1000).for_each(|chunk| assert!(recognizer.feed(chunk)));
/// assert_eq!(recognizer.finish(), Some(archive));
/// ```
#[derive(Clone, Debug)]
pub struct Recognizer {
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// Too few bytes to tell.
    Waiting(Vec<u8>),
    /// All bytes so far follow the formula from the offset on.
    Following {
        formula: Formula,
        offset: u64,
        length: u64,
    },
    /// Some byte followed no formula.
    Lost,
}

impl Default for Recognizer {
    fn default() -> Self {
        Self {
            state: State::Waiting(Vec::new()),
        }
    }
}

impl Recognizer {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and says whether there still is hope. Once there is none, nothing brings it back,
    /// and the chunk that ended it was not taken: what was is in [`Recognizer::so_far`] just before.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        let state = std::mem::replace(&mut self.state, State::Lost);
        self.state = state.follow(bytes);
        !matches!(self.state, State::Lost)
    }

    /// Describes everything taken; empty once hope is lost.
    pub fn so_far(&self) -> Content {
        match &self.state {
            State::Waiting(head) => Content::from(head.as_slice()),
            State::Following {
                formula,
                offset,
                length,
            } => Content::of_formula(*formula, *offset, *length),
            State::Lost => Content::empty(),
        }
    }

    /// Ends the stream; `None` when it followed no formula, or was too short to tell.
    pub fn finish(self) -> Option<Content> {
        matches!(self.state, State::Following { .. }).then(|| self.so_far())
    }
}

impl State {
    fn follow(self, bytes: &[u8]) -> Self {
        match self {
            Self::Waiting(mut head) => {
                head.extend_from_slice(bytes);
                Self::identify(head)
            }
            Self::Following {
                formula,
                offset,
                length,
            } if follows(formula, formula.advance(offset, length), bytes) => Self::Following {
                formula,
                offset,
                length: length + bytes.len() as u64,
            },
            Self::Following { .. } | Self::Lost => Self::Lost,
        }
    }

    fn identify(head: Vec<u8>) -> Self {
        let Some(header) = head.first_chunk::<HEADER>() else {
            return Self::Waiting(head);
        };
        match Formula::identify(header) {
            Some((formula, offset)) if follows(formula, offset, &head) => Self::Following {
                formula,
                offset,
                length: head.len() as u64,
            },
            _ => Self::Lost,
        }
    }
}

/// Compares bytes with a formula from an offset on.
fn follows(formula: Formula, offset: u64, bytes: &[u8]) -> bool {
    let mut expected = [0; BUFFER];
    let mut at = offset;
    bytes.chunks(BUFFER).all(|chunk| {
        let expected = &mut expected[..chunk.len()];
        formula.fill(at, expected);
        at = formula.advance(at, chunk.len() as u64);
        chunk == expected
    })
}
