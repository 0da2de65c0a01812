//! Ctrl-C, a closed terminal, a polite kill.

use crevasse::campaign::Stop;
use crevasse::exit;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The first asks for the end, the second leaves at once. From here on none goes unheard.
pub(crate) fn listen(stop: Stop) -> std::io::Result<()> {
    let mut wishes = Wishes::new()?;
    tokio::spawn(async move {
        while wishes.next().await.is_ok() {
            if stop.asked() {
                std::process::exit(i32::from(exit::INTERRUPTED));
            }
            // Where the terminal is gone there is nobody to be told.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                b"\ninterrupted: no case begins any more; what was made is removed. Once more leaves at once.\n",
            );
            stop.ask();
        }
    });
    Ok(())
}

/// The ways to ask for the end.
#[cfg(unix)]
struct Wishes {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
}

#[cfg(unix)]
impl Wishes {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> std::io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => Ok(()),
            _ = self.hangup.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }
}

#[cfg(not(unix))]
struct Wishes;

#[cfg(not(unix))]
impl Wishes {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> std::io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}
