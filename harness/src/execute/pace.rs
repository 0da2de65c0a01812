//! How fast requests may go out: so many at a time, so many in a time.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Requests in a time, as in `--rate-limit 100/m`.
///
/// ```
/// use crevasse::execute::Rate;
/// let rate: Rate = "100/m".parse().unwrap();
/// assert_eq!(rate.interval(), std::time::Duration::from_millis(600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    requests: NonZeroU32,
    seconds: u32,
}

/// Says why a text is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a rate: write 10/s, 100/m or 1000/h")]
pub struct NotARate(String);

impl Rate {
    /// The time from one request to the next.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.seconds.into()) / self.requests.get()
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let wrong = || NotARate(text.to_owned());
        let (requests, unit) = text.split_once('/').ok_or_else(wrong)?;
        let requests = requests.trim().parse().map_err(|_| wrong())?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        Ok(Self { requests, seconds })
    }
}

/// Admits requests. A case that waits for a job holds no admission, so any number may wait.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    rate: Option<(Duration, Mutex<Instant>)>,
    admitted: AtomicU64,
}

impl Pace {
    /// At most `jobs` requests at a time, and no more than the rate allows.
    pub fn new(jobs: usize, rate: Option<Rate>) -> Self {
        Self {
            permits: Semaphore::new(jobs.max(1)),
            rate: rate.map(|rate| (rate.interval(), Mutex::new(Instant::now()))),
            admitted: AtomicU64::new(0),
        }
    }

    /// Waits until there is room for one more that is under way, or for a group that must be under way together.
    pub(crate) async fn admit(&self) -> SemaphorePermit<'_> {
        self.permits
            .acquire()
            .await
            .expect("the semaphore is never closed")
    }

    /// Waits for the next turn under the rate, and counts the request.
    pub(crate) async fn turn(&self) {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        if let Some((interval, next)) = &self.rate {
            let turn = {
                let mut next = next.lock().await;
                let turn = (*next).max(Instant::now());
                *next = turn + *interval;
                turn
            };
            sleep_until(turn).await;
        }
    }

    /// Requests sent so far, those of probes and of clean-up included.
    pub fn requests(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rate_spreads_requests() {
        let pace = Pace::new(8, Some("200/s".parse().unwrap()));
        let begun = Instant::now();
        for _ in 0..11 {
            pace.turn().await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(50));
        assert_eq!(pace.requests(), 11);
    }

    #[tokio::test]
    async fn no_more_are_under_way_than_admitted() {
        let pace = Pace::new(2, None);
        let held = (pace.admit().await, pace.admit().await);
        let third = tokio::time::timeout(Duration::from_millis(20), pace.admit());
        assert!(third.await.is_err());
        drop(held);
        drop(pace.admit().await);
    }

    #[test]
    fn rates_without_a_unit_or_of_nothing_are_refused() {
        for wrong in ["", "10", "0/s", "-1/s", "10/d", "1.5/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
