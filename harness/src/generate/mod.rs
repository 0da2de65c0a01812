//! Generated scenarios: the only room that draws numbers. Case N depends on (seed, N) alone.
//! Refuses to know any target: it asks the ideal model only, never observations.

mod draw;
mod families;
mod history;
mod large;
mod overlap;
mod planned;
mod sequence;
mod values;

pub use draw::Draw;
pub use large::large_archive;
pub use planned::{Planned, planned};

use crevasse_core::scenario::{Profile, Scenario, Step};

type Family = fn(&mut Draw) -> Vec<Step>;

/// Families of cases with their weights: what they explore, and how often one is drawn.
const FAMILIES: [(u32, &str, Family); 7] = [
    (5, "ranges", families::ranges),
    (4, "multipart", families::multipart),
    (2, "job-filters", families::job_filters),
    (2, "inventories", families::inventories),
    (1, "tags", families::tags),
    (6, "sequence", sequence::sequence),
    (2, "overlap", overlap::overlap),
];

/// Makes case `number` of a seed.
///
/// ```
/// use crevasse::generate::case;
/// assert_eq!(case(42, 7), case(42, 7));
/// assert_ne!(case(42, 7).steps, case(43, 7).steps);
/// ```
pub fn case(seed: u64, number: u64) -> Scenario {
    let mut draw = Draw::new("generate", seed, number);
    let (_, name, family) = draw.weighted(&FAMILIES, |(weight, _, _)| *weight);
    Scenario {
        id: format!("generated-{number:05}-{name}"),
        title: format!("generated: {name}, case {number} of seed {seed}"),
        covers: Vec::new(),
        needs: Vec::new(),
        profile: Profile::Quick,
        steps: family(&mut draw),
    }
}

/// The first `count` cases of a seed.
pub fn cases(seed: u64, count: u64) -> impl Iterator<Item = Scenario> {
    (0..count).map(move |number| case(seed, number))
}

/// Makes a sequence out of bytes: each choice is made by the next few, so that a fuzzer that changes some changes some steps.
///
/// ```
/// use crevasse::generate::of_bytes;
/// assert_eq!(of_bytes(b"the same").steps, of_bytes(b"the same").steps);
/// ```
pub fn of_bytes(bytes: &[u8]) -> Scenario {
    Scenario {
        id: "of-bytes".to_owned(),
        title: "generated: a sequence out of bytes".to_owned(),
        covers: Vec::new(),
        needs: Vec::new(),
        profile: Profile::Quick,
        steps: sequence::sequence(&mut Draw::of_bytes(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_depends_on_seed_and_number_alone() {
        let forwards: Vec<Scenario> = cases(1, 50).collect();
        let mut backwards: Vec<Scenario> = (0..50).rev().map(|number| case(1, number)).collect();
        backwards.reverse();
        assert_eq!(forwards, backwards);
    }

    #[test]
    fn every_family_turns_up_among_the_first_hundred() {
        let all: Vec<String> = cases(1, 100).map(|scenario| scenario.id).collect();
        for (_, name, _) in FAMILIES {
            assert!(all.iter().any(|id| id.ends_with(name)), "{name}");
        }
    }

    #[test]
    fn a_generated_case_can_be_written_down_and_read_back() {
        for scenario in cases(3, 100) {
            let text = scenario.to_yaml();
            assert_eq!(Scenario::parse(&text), Ok(scenario), "{text}");
        }
    }
}
