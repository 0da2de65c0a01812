//! The wish to end a run early: made from anywhere, heard everywhere.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Ends a run early: no case begins any more, cases under way end after their present request, what was made is removed, and what
/// was judged is reported. Clones are the same handle.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Asks for the end.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether the end was asked for.
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for so long, or until the end is asked for.
    pub(crate) async fn or_after(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.wait() => {}
        }
    }

    /// Takes it back.
    pub(crate) fn take_back(&self) {
        self.0.send_replace(false);
    }

    /// Waits until the end is asked for.
    pub async fn wait(&self) {
        // This handle keeps the sender alive, so waiting ends by asking alone.
        let _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_hears_it_before_and_after() {
        let stop = Stop::default();
        let other = stop.clone();
        let waiting = tokio::spawn(async move { other.wait().await });
        assert!(!stop.asked());
        stop.ask();
        waiting.await.unwrap();
        stop.wait().await;
        assert!(stop.asked());
    }
}
