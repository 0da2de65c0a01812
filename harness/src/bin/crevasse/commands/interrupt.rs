//! Ctrl-C, a closed terminal, a polite kill.

use crevasse::campaign::Stop;
use crevasse::exit;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

/// The first asks for the end, the second leaves at once.
pub(crate) fn listen(stop: Stop) {
    tokio::spawn(async move {
        while next().await.is_ok() {
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
}

#[cfg(unix)]
async fn next() -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = hangup.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn next() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
