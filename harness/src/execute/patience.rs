//! How long a job may take before it counts as unresolved, and how often it is asked after.

use std::collections::BTreeSet;
use std::time::Duration;

/// How long jobs may take, by tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// `Expedited`.
    pub expedited: Duration,
    /// `Standard`, and jobs that name no tier.
    pub standard: Duration,
    /// `Bulk`.
    pub bulk: Duration,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Patience {
    /// What the guide promises, and a margin: 1-5 minutes, 3-5 hours, 5-12 hours ("Archive Retrieval Options").
    pub fn of_the_guide() -> Self {
        Self {
            expedited: 15 * MINUTE,
            standard: 8 * 60 * MINUTE,
            bulk: 18 * 60 * MINUTE,
        }
    }

    /// What an emulator takes that feigns a delay.
    pub fn of_an_emulator() -> Self {
        Self {
            expedited: MINUTE,
            standard: MINUTE,
            bulk: MINUTE,
        }
    }

    /// The patience for a tier, as named in a request.
    pub fn with(&self, tier: Option<&str>) -> Duration {
        match tier {
            Some("Expedited") => self.expedited,
            Some("Bulk") => self.bulk,
            _ => self.standard,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::of_an_emulator()
    }
}

/// What jobs have in common that take equally long: the tier they were asked for with, and what they do.
pub(crate) type JobKind = (Option<String>, Option<String>);

/// Whether jobs are over in time. A target that is late with the first of a kind is not waited for again until one was over.
#[derive(Debug, Default)]
pub(crate) struct Punctuality {
    over: BTreeSet<JobKind>,
    late: BTreeSet<JobKind>,
}

impl Punctuality {
    /// A job was over.
    pub(crate) fn over(&mut self, kind: JobKind) {
        self.over.insert(kind);
    }

    /// A job was still in progress when patience was spent.
    pub(crate) fn late(&mut self, kind: JobKind) {
        self.late.insert(kind);
    }

    /// Whether waiting for such a job is a waste of time.
    pub(crate) fn is_hopeless(&self, kind: &JobKind) -> bool {
        self.late.contains(kind) && !self.over.contains(kind)
    }
}

/// Pauses between two polls of a job: each half as long again as the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Polls {
    pause: Duration,
    waited: Duration,
    patience: Duration,
}

impl Polls {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);

    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            pause: Self::FIRST,
            waited: Duration::ZERO,
            patience,
        }
    }
}

impl Iterator for Polls {
    type Item = Duration;

    /// The next pause; none when patience is spent. Who waits for hours asks every few minutes.
    fn next(&mut self) -> Option<Duration> {
        let left = self
            .patience
            .checked_sub(self.waited)
            .filter(|left| !left.is_zero())?;
        let pause = self.pause.min(left);
        self.waited += pause;
        self.pause = (self.pause * 3 / 2).min(Self::LONGEST.max(self.waited / 30));
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_job_is_hopeless_when_one_was_late_and_none_was_over() {
        let kind = |tier: &str| (Some(tier.to_owned()), Some("InventoryRetrieval".to_owned()));
        let mut punctuality = Punctuality::default();
        assert!(!punctuality.is_hopeless(&kind("Bulk")));
        punctuality.late(kind("Bulk"));
        assert!(punctuality.is_hopeless(&kind("Bulk")));
        assert!(!punctuality.is_hopeless(&kind("Standard")));
        punctuality.over(kind("Bulk"));
        assert!(!punctuality.is_hopeless(&kind("Bulk")));
    }

    #[test]
    fn polls_back_off_and_fill_the_patience_exactly() {
        let pauses: Vec<_> = Polls::new(Duration::from_secs(10)).collect();
        assert_eq!(
            pauses[..2],
            [Duration::from_millis(50), Duration::from_millis(75)]
        );
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(2)));
        assert_eq!(pauses.iter().sum::<Duration>(), Duration::from_secs(10));
    }

    #[test]
    fn five_hours_take_few_polls() {
        assert!(Polls::new(Duration::from_secs(5 * 3600)).count() < 300);
    }

    #[test]
    fn a_tier_nobody_named_is_standard() {
        let patience = Patience::of_the_guide();
        assert_eq!(patience.with(None), patience.standard);
        assert_eq!(patience.with(Some("Bulk")), patience.bulk);
    }
}
