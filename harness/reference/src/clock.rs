//! Virtual time: the real one, scaled, plus what was skipped by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crevasse_core::amz_date::Timestamp;

/// The clock of a server. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use crevasse_reference::Clock;
///
/// let clock = Clock::new(0.0);
/// let before = clock.now();
/// clock.advance(Duration::from_secs(3600));
/// assert_eq!(clock.now().0 - before.0, 3_600_000);
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    scale: f64,
    began: Instant,
    began_at: Timestamp,
    skipped: Arc<AtomicI64>,
}

impl Clock {
    /// Starts a clock at the present time on which `scale` seconds pass in one real second.
    pub fn new(scale: f64) -> Self {
        Self::from(wall(), scale)
    }

    /// Starts a clock at another time.
    pub(crate) fn from(began_at: Timestamp, scale: f64) -> Self {
        Self {
            scale,
            began: Instant::now(),
            began_at,
            skipped: Arc::default(),
        }
    }

    /// Tells the virtual time.
    pub fn now(&self) -> Timestamp {
        let passed = self.began.elapsed().as_secs_f64() * 1000.0 * self.scale;
        self.began_at
            .plus_millis(passed as i64)
            .plus_millis(self.skipped.load(Ordering::Relaxed))
    }

    /// Skips time.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.skipped.fetch_add(millis, Ordering::Relaxed);
    }
}

/// Tells the time by which signatures are judged.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_millis() as i64))
}
