//! Checks: pure judgements of what was seen, each citing the requirements it judges.
//! Refuses to know how anything was sent, and never says more than the evidence does.

mod evidence;
mod fold;
mod judgement;
pub mod rules;

pub use evidence::{Evidence, Group, Observation, Record};
pub use fold::{Judged, judge};
pub use judgement::{Judgement, Judgements, Outcome, Symptom};

/// A judgement by a rule.
///
/// Checks are data: an id, the requirements it may judge, and a function of the evidence. A check that does not apply says nothing.
#[derive(Clone, Copy)]
pub struct Check {
    /// Unique, in kebab-case, part of fingerprints: never renamed.
    pub id: &'static str,
    /// The requirements it judges.
    pub requirements: &'static [&'static str],
    /// The judgement.
    pub judge: fn(&Evidence<'_>, &mut Judgements),
}

/// Every check there is, family by family.
pub fn all() -> impl Iterator<Item = &'static Check> {
    let families: [&'static [Check]; 0] = [];
    families.into_iter().flatten()
}
