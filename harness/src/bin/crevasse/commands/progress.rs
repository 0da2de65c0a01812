//! The live line: on a terminal, on standard error, and nowhere else.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crevasse::event::{Event, Phase};
use crevasse::execute::Hand;
use crevasse::report::terminal::Detail;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::mib;

/// Follows a run in one line.
pub(crate) struct Line {
    bar: Option<ProgressBar>,
}

impl Line {
    /// A line where there is a terminal and nobody asked for quiet; else nothing.
    pub(crate) fn new(detail: Detail) -> Self {
        let wanted = std::io::stderr().is_terminal()
            && detail > Detail::Quiet
            && std::env::var_os("CI").is_none();
        let bar = wanted.then(|| {
            let style = ProgressStyle::with_template(
                "{spinner} {msg}  {pos}/{len} cases  {prefix}{elapsed}",
            )
            .expect("the template is well-formed");
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style)
        });
        Self { bar }
    }

    /// Shows besides how many of so many bytes have moved, how fast, and how long the rest takes.
    pub(crate) fn watch(&self, hand: Hand, total: u64) {
        let Some(bar) = self.bar.clone() else { return };
        tokio::spawn(async move {
            let begun = Instant::now();
            while !bar.is_finished() {
                let usage = hand.usage();
                let moved = usage.up + usage.down;
                bar.set_prefix(moving(moved, total, begun.elapsed().as_secs_f64()));
                bar.tick();
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }

    /// Takes note of an event.
    pub(crate) fn follow(&mut self, event: &Event) {
        if let (Some(bar), Event::Progress(progress)) = (&self.bar, event) {
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
            bar.set_message(format!(
                "{} · {} requests · {} deviations",
                phase(progress.phase),
                progress.exchanges,
                progress.findings
            ));
            bar.tick();
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Bytes moved out of a total, and, once some have, the rate and the time left at that rate.
fn moving(moved: u64, total: u64, seconds: f64) -> String {
    let (moved, total) = (moved as f64, total as f64);
    let rate = moved / seconds.max(0.001);
    let so_far = format!("{:.0} of {:.0} MiB", mib(moved), mib(total));
    if rate < 1.0 {
        return format!("{so_far}  ");
    }
    let left = (total - moved).max(0.0) / rate;
    format!("{so_far} · {:.0} MiB/s · {left:.0} s left  ", mib(rate))
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Rehearsing => "trying the plan on the built-in server",
        Phase::Probing => "asking what is there",
        Phase::Cases => "running cases",
        Phase::ExclusiveCases => "running cases that must be alone",
        Phase::Reproducing => "trying deviations again",
        Phase::CleaningUp => "cleaning up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_anything_moved_nobody_knows_how_long_it_takes() {
        assert_eq!(moving(0, 1 << 30, 2.0), "0 of 1024 MiB  ");
    }

    #[test]
    fn half_of_it_in_ten_seconds_leaves_ten_more() {
        assert_eq!(
            moving(512 << 20, 1 << 30, 10.0),
            "512 of 1024 MiB · 51 MiB/s · 10 s left  "
        );
    }
}
