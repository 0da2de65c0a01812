//! The clock: the only place where the time is read.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crevasse_core::amz_date::Timestamp;

/// Wall time as the system tells it, except that it never runs backwards.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    latest: AtomicI64,
}

impl Clock {
    /// Starts.
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
            latest: AtomicI64::new(0),
        }
    }

    /// The time, UTC.
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let millis = since.as_millis() as i64;
        Timestamp(self.latest.fetch_max(millis, Ordering::Relaxed).max(millis))
    }

    /// How long ago it was started.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_run_backwards_when_the_systems_does() {
        let clock = Clock::start();
        let future = clock.now().plus_millis(3_600_000);
        clock.latest.store(future.0, Ordering::Relaxed);
        assert_eq!(clock.now(), future);
    }
}
