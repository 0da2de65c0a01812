//! A source of choices, fixed by seed and case number.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crevasse_core::treehash::sha256;

/// Draws values from proptest strategies, reproducibly.
pub struct Draw {
    runner: TestRunner,
}

impl Draw {
    /// The source of case `number` of a seed.
    pub fn new(seed: u64, number: u64) -> Self {
        let bytes = sha256(format!("crevasse/generate/1/{seed}/{number}").as_bytes()).0;
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self {
            runner: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    /// One value of a strategy.
    ///
    /// # Panics
    /// When the strategy rejects everything it makes.
    pub fn from<S: Strategy>(&mut self, strategy: S) -> S::Value {
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
