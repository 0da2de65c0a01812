//! Knowing described content again while it streams in, so that it is stored as its description.

use super::content::Content;
use super::source::{Formula, HEADER};
use crate::treehash::MIB;

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
#[derive(Clone, Debug, Default)]
pub struct Recognizer {
    taken: Taken,
    lost: bool,
}

#[derive(Clone, Debug)]
enum Taken {
    /// Too few bytes to tell.
    Few(Vec<u8>),
    /// Bytes that follow the formula from the offset on.
    Stretch {
        formula: Formula,
        offset: u64,
        length: u64,
    },
}

impl Default for Taken {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Recognizer {
    /// Starts with nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and says `true`, or says `false` and takes none of them: then they do not go on
    /// as it began, and no later bytes are taken either.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        if !self.lost {
            match self.taken.follow(bytes) {
                Some(taken) => self.taken = taken,
                None => self.lost = true,
            }
        }
        !self.lost
    }

    /// Describes everything taken.
    pub fn so_far(&self) -> Content {
        match &self.taken {
            Taken::Few(bytes) => Content::from(bytes.as_slice()),
            Taken::Stretch {
                formula,
                offset,
                length,
            } => Content::of_formula(*formula, *offset, *length),
        }
    }

    /// Ends the stream; `None` when some of it followed no formula, or it was too short to tell.
    pub fn finish(self) -> Option<Content> {
        let told = matches!(self.taken, Taken::Stretch { .. }) && !self.lost;
        told.then(|| self.so_far())
    }
}

impl Taken {
    fn follow(&self, bytes: &[u8]) -> Option<Self> {
        match self {
            Self::Few(head) => Self::identify([head.as_slice(), bytes].concat()),
            &Self::Stretch {
                formula,
                offset,
                length,
            } => follows(formula, formula.advance(offset, length), bytes).then(|| Self::Stretch {
                formula,
                offset,
                length: length + bytes.len() as u64,
            }),
        }
    }

    fn identify(head: Vec<u8>) -> Option<Self> {
        let Some(header) = head.first_chunk::<HEADER>() else {
            return Some(Self::Few(head));
        };
        let (formula, offset) = Formula::identify(header)?;
        follows(formula, offset, &head).then_some(Self::Stretch {
            formula,
            offset,
            length: head.len() as u64,
        })
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

/// Takes in a body of any kind: what a formula makes is kept as its description, the rest as bytes.
///
/// ```
/// use crevasse_core::payload::{Content, Intake, Payload};
///
/// let mut intake = Intake::new();
/// intake.feed(&Content::from(Payload::Zeros { length: 3 << 20 }).to_bytes());
/// assert_eq!(intake.held(), 0);
/// intake.feed(b"and more");
/// assert_eq!(intake.held(), 8);
/// assert_eq!(intake.finish().length(), (3 << 20) + 8);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Intake {
    recognizer: Recognizer,
    rest: Vec<u8>,
}

impl Intake {
    /// Starts with nothing taken.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !self.recognizer.feed(bytes) {
            self.rest.extend_from_slice(bytes);
        }
    }

    /// Counts the bytes kept as such, which is what memory grows by.
    pub fn held(&self) -> u64 {
        self.rest.len() as u64
    }

    /// Ends the body.
    pub fn finish(self) -> Content {
        let described = self.recognizer.so_far();
        if self.rest.is_empty() {
            return described;
        }
        // A short beginning is not worth a description: one stretch of memory is hashed without copies.
        if described.length() < MIB {
            return Content::from([described.to_bytes(), self.rest].concat());
        }
        Content::concat(&[described, self.rest.into()])
    }
}
