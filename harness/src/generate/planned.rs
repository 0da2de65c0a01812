//! A scenario of a plan. Generated ones are numbers until their turn comes: steps of all cases at once would be most of a long run's memory.

use std::borrow::Cow;

use crevasse_core::scenario::Scenario;

use super::case;

/// A scenario that is written down, or one to be generated.
#[derive(Clone, Debug)]
pub enum Planned {
    /// Written down.
    Written(Box<Scenario>),
    /// To be made by [`case`].
    Generated {
        /// The seed.
        seed: u64,
        /// Which case of it.
        number: u64,
    },
}

impl Planned {
    /// The scenario; a generated one is made anew each time.
    pub fn scenario(&self) -> Cow<'_, Scenario> {
        match self {
            Self::Written(scenario) => Cow::Borrowed(scenario),
            Self::Generated { seed, number } => Cow::Owned(case(*seed, *number)),
        }
    }
}

impl From<Scenario> for Planned {
    fn from(scenario: Scenario) -> Self {
        Self::Written(Box::new(scenario))
    }
}

/// The first `count` cases of a seed, none of them made yet.
///
/// ```
/// use crevasse::generate::{case, planned};
/// let third = planned(1, 3).last().unwrap();
/// assert_eq!(*third.scenario(), case(1, 2));
/// ```
pub fn planned(seed: u64, count: u64) -> impl Iterator<Item = Planned> {
    (0..count).map(move |number| Planned::Generated { seed, number })
}
