//! The live line: on a terminal, on standard error, and nowhere else.

use std::io::IsTerminal;

use crevasse::event::{Event, Phase};
use crevasse::report::terminal::Detail;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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
            let style =
                ProgressStyle::with_template("{spinner} {msg}  {pos}/{len} cases  {elapsed}")
                    .expect("the template is well-formed");
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style)
        });
        Self { bar }
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

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Probing => "asking what is there",
        Phase::Cases => "running cases",
        Phase::ExclusiveCases => "running cases that must be alone",
        Phase::Reproducing => "trying deviations again",
        Phase::CleaningUp => "cleaning up",
    }
}
