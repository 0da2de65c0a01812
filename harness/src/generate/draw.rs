//! A source of choices, fixed by seed and case number.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crevasse_core::treehash::sha256;

/// Draws values from proptest strategies, reproducibly.
pub struct Draw {
    runner: TestRunner,
    /// The bytes that decide, two a draw, where somebody chose them.
    chosen: Option<std::vec::IntoIter<u8>>,
    drawn: u64,
}

impl Draw {
    /// The source of case `number` of a seed, for a purpose: the choices for one purpose tell nothing of those for another.
    pub fn new(purpose: &str, seed: u64, number: u64) -> Self {
        Self {
            runner: runner(&format!("crevasse/{purpose}/1/{seed}/{number}")),
            chosen: None,
            drawn: 0,
        }
    }

    /// A source that decides each draw by the next two bytes, so that a change of some changes some draws, and by nothing but its number after them.
    ///
    /// proptest has a source of given bytes, too; it halves them with every shuffle, and draws zeros forever once they are spent.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self {
            chosen: Some(Vec::from(bytes).into_iter()),
            ..Self::new("bytes", 0, 0)
        }
    }

    fn decide(&mut self) {
        self.drawn += 1;
        if let Some(bytes) = &mut self.chosen {
            let number = self.drawn;
            self.runner = match (bytes.next(), bytes.next()) {
                (Some(one), other) => runner(&format!("crevasse/bytes/1/{one}/{other:?}")),
                (None, _) => runner(&format!("crevasse/spent/1/{number}")),
            };
        }
    }

    /// One value of a strategy.
    ///
    /// # Panics
    /// When the strategy rejects everything it makes.
    pub fn from<S: Strategy>(&mut self, strategy: S) -> S::Value {
        self.decide();
        strategy
            .new_tree(&mut self.runner)
            .expect("strategies here do not reject")
            .current()
    }

    /// A number of a range, its end left out.
    pub fn below(&mut self, end: u64) -> u64 {
        self.from(0..end.max(1))
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of a slice.
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// One of a slice, by weight.
    pub fn weighted<T: Copy>(&mut self, items: &[T], weight: impl Fn(&T) -> u32) -> T {
        let total: u32 = items.iter().map(&weight).sum();
        let mut at = self.below(u64::from(total)) as u32;
        let chosen = items
            .iter()
            .find(|item| match at.checked_sub(weight(item)) {
                None => true,
                Some(rest) => {
                    at = rest;
                    false
                }
            });
        *chosen.expect("weights add up to their total")
    }

    /// A slice in another order.
    pub fn shuffled<T: Clone + std::fmt::Debug + 'static>(&mut self, items: Vec<T>) -> Vec<T> {
        self.from(proptest::strategy::Just(items).prop_shuffle())
    }
}

fn runner(seed: &str) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &sha256(seed.as_bytes()).0);
    TestRunner::new_with_rng(Config::default(), rng)
}
