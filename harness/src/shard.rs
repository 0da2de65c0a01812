//! A share of the work: the I-th of N processes that each take every N-th case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A share, written `2/4`.
///
/// ```
/// use crevasse::shard::Shard;
/// let second: Shard = "2/3".parse().unwrap();
/// assert_eq!(second.share((0..7).collect()), [1, 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u64,
    of: u64,
}

/// What is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a shard: I/N is expected, I from 1 to N")]
pub struct NoShard(String);

impl Shard {
    /// The whole.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// All shares of the whole that this one is of.
    pub fn all(self) -> impl Iterator<Item = Self> {
        let of = self.of;
        (0..of).map(move |index| Self { index, of })
    }

    /// Whether this is everything.
    pub fn is_whole(&self) -> bool {
        self.of == 1
    }

    /// Every N-th item, from the I-th on.
    pub fn share<T>(self, items: Vec<T>) -> Vec<T> {
        items
            .into_iter()
            .skip(self.index as usize)
            .step_by(self.of as usize)
            .collect()
    }

    /// The number among those of all shards of the `place`-th item of this one, both from 0.
    pub fn number(self, place: u64) -> u64 {
        place * self.of + self.index
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = NoShard;

    fn try_from(text: String) -> Result<Self, NoShard> {
        text.parse()
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let wrong = || NoShard(text.to_owned());
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let index: u64 = index.parse().map_err(|_| wrong())?;
        let of: u64 = of.parse().map_err(|_| wrong())?;
        match (1..=of).contains(&index) {
            true => Ok(Self {
                index: index - 1,
                of,
            }),
            false => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_everything_and_nothing_twice() {
        let mut all: Vec<u64> = (1..=4)
            .flat_map(|index| {
                let shard: Shard = format!("{index}/4").parse().unwrap();
                shard.share((0..10).collect())
            })
            .collect();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_of_a_shard_are_those_of_its_share() {
        let shard: Shard = "3/4".parse().unwrap();
        let numbers: Vec<u64> = (0..3).map(|place| shard.number(place)).collect();
        assert_eq!(numbers, shard.share((0..12).collect()));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for wrong in ["", "1", "0/2", "3/2", "1/0", "a/2", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
