//! The verdict lattice: what is said of a requirement when all judgements are in.

use serde::{Deserialize, Serialize};

use crate::finding::Tally;

/// What is said of a requirement at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It held wherever it applied, at least once.
    Conforms,
    /// It was broken.
    Deviates,
    /// It was broken only in ways that the baseline knows.
    Waived,
    /// Every operation it speaks of is not there at all.
    Unsupported,
    /// It could not be judged.
    Inconclusive,
    /// It never applied.
    Untested,
}

impl Verdict {
    /// All verdicts, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Conforms,
        Self::Deviates,
        Self::Waived,
        Self::Unsupported,
        Self::Inconclusive,
        Self::Untested,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Deviates => "deviates",
            Self::Waived => "waived",
            Self::Unsupported => "unsupported",
            Self::Inconclusive => "inconclusive",
            Self::Untested => "untested",
        }
    }

    /// Concludes from what was counted.
    ///
    /// `unwaived` says whether a deviation at the requirement's own level is left that the baseline does not know,
    /// `supported` whether the target has at least one of the operations.
    pub fn conclude(tally: Option<&Tally>, unwaived: bool, supported: bool) -> Self {
        let Some(tally) = tally else {
            return if supported {
                Self::Untested
            } else {
                Self::Unsupported
            };
        };
        match tally {
            Tally { violated: 1.., .. } if unwaived => Self::Deviates,
            Tally { violated: 1.., .. } => Self::Waived,
            Tally { held: 1.., .. } => Self::Conforms,
            _ if !supported => Self::Unsupported,
            Tally {
                weakly_violated: 0,
                inconclusive,
                ..
            } if inconclusive.is_empty() => Self::Untested,
            _ => Self::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(held: usize, violated: usize) -> Tally {
        Tally {
            held,
            violated,
            ..Tally::default()
        }
    }

    #[test]
    fn one_violation_outweighs_any_number_of_times_it_held() {
        assert_eq!(
            Verdict::conclude(Some(&tally(100, 1)), true, true),
            Verdict::Deviates
        );
        assert_eq!(
            Verdict::conclude(Some(&tally(100, 1)), false, true),
            Verdict::Waived
        );
        assert_eq!(
            Verdict::conclude(Some(&tally(1, 0)), false, true),
            Verdict::Conforms
        );
    }

    #[test]
    fn what_never_applied_does_not_hold() {
        assert_eq!(Verdict::conclude(None, false, true), Verdict::Untested);
        assert_eq!(
            Verdict::conclude(Some(&tally(0, 0)), false, true),
            Verdict::Untested
        );
        assert_eq!(Verdict::conclude(None, false, false), Verdict::Unsupported);
    }

    #[test]
    fn what_could_not_be_judged_is_inconclusive() {
        let blocked = Tally {
            inconclusive: vec!["blocked".to_owned()],
            ..Tally::default()
        };
        assert_eq!(
            Verdict::conclude(Some(&blocked), false, true),
            Verdict::Inconclusive
        );
    }
}
