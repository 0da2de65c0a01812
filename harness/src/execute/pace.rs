//! How fast requests may go out: so many at a time, so many in a time.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Requests in a time, as in `--rate-limit 100/m`, or as many as the target takes: `auto`.
///
/// ```
/// use crevasse::execute::Rate;
/// let rate: Rate = "100/m".parse().unwrap();
/// assert_eq!(rate.interval(), std::time::Duration::from_millis(600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// So many requests in so many seconds.
    Steady {
        /// The requests.
        requests: NonZeroU32,
        /// The seconds.
        seconds: u32,
    },
    /// Slower whenever the target puts requests off, and slowly faster again.
    Auto,
}

/// Says why a text is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a rate: write 10/s, 100/m, 1000/h or auto")]
pub struct NotARate(String);

impl Rate {
    /// The time from one request to the next.
    pub fn interval(&self) -> Duration {
        match self {
            Self::Steady { requests, seconds } => {
                Duration::from_secs((*seconds).into()) / requests.get()
            }
            Self::Auto => Duration::ZERO,
        }
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let wrong = || NotARate(text.to_owned());
        let (requests, unit) = text.split_once('/').ok_or_else(wrong)?;
        let requests = requests.trim().parse().map_err(|_| wrong())?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        Ok(Self::Steady { requests, seconds })
    }
}

/// When the next request may go out.
#[derive(Debug)]
struct Turns {
    interval: Duration,
    next: Instant,
}

/// The interval that the first refusal brings, and the longest one.
const SLOWER: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(5));

/// Admits requests. A case that waits for a job holds no admission, so any number may wait.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    rate: Option<(Rate, Mutex<Turns>)>,
    admitted: AtomicU64,
}

impl Pace {
    /// At most `jobs` requests at a time, and no more than the rate allows.
    pub fn new(jobs: usize, rate: Option<Rate>) -> Self {
        Self {
            permits: Semaphore::new(jobs.max(1)),
            rate: rate.map(|rate| {
                let (interval, next) = (rate.interval(), Instant::now());
                (rate, Mutex::new(Turns { interval, next }))
            }),
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
        if let Some((_, turns)) = &self.rate {
            let turn = {
                let mut turns = turns.lock().await;
                let turn = turns.next.max(Instant::now());
                turns.next = turn + turns.interval;
                turn
            };
            sleep_until(turn).await;
        }
    }

    /// The target put a request off, for as long as it says: under `auto` all requests go out at half the rate from here on.
    pub(crate) async fn slow_down(&self, asked: Option<Duration>) {
        if let Some((Rate::Auto, turns)) = &self.rate {
            let mut turns = turns.lock().await;
            turns.interval = (turns.interval * 2).clamp(SLOWER.0, SLOWER.1);
            turns.next = turns.next.max(Instant::now() + asked.unwrap_or_default());
        }
    }

    /// The target answered: under `auto` requests go out a little faster again.
    pub(crate) async fn speed_up(&self) {
        if let Some((Rate::Auto, turns)) = &self.rate {
            let mut turns = turns.lock().await;
            turns.interval = turns.interval.mul_f64(0.97);
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
    async fn a_target_that_puts_requests_off_is_asked_more_slowly_and_then_faster_again() {
        let pace = Pace::new(8, Some(Rate::Auto));
        let interval = async || match &pace.rate {
            Some((_, turns)) => turns.lock().await.interval,
            None => Duration::MAX,
        };
        assert_eq!(interval().await, Duration::ZERO);
        pace.slow_down(None).await;
        pace.slow_down(None).await;
        assert_eq!(interval().await, Duration::from_millis(40));
        pace.speed_up().await;
        assert!(interval().await < Duration::from_millis(40));
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
