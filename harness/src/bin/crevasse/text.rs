//! What is printed for people: colour only where it is wanted, and nothing a target sent unescaped.

use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use clap::ValueEnum;

/// Like `print!`, and no failure when nobody reads any more.
macro_rules! put {
    ($($text:tt)*) => { $crate::text::put(format_args!($($text)*)) };
}

/// Like `println!`, and no failure when nobody reads any more.
macro_rules! putln {
    ($($text:tt)*) => { $crate::text::put(format_args!("{}\n", format_args!($($text)*))) };
}

/// How writing to standard output failed; nothing is written after that.
static FAILED: OnceLock<ErrorKind> = OnceLock::new();

/// Writes to standard output. A reader that left (`… | head`) has seen enough, and the exit code still tells how it ended.
pub(crate) fn put(text: fmt::Arguments<'_>) {
    if FAILED.get().is_none() {
        note(std::io::stdout().write_fmt(text));
    }
}

/// Writes what is still held back; says whether everything that was to be printed was, as far as somebody reads it.
pub(crate) fn all_printed() -> bool {
    if FAILED.get().is_none() {
        note(std::io::stdout().flush());
    }
    matches!(FAILED.get(), None | Some(ErrorKind::BrokenPipe))
}

fn note(written: std::io::Result<()>) {
    let Err(error) = written else { return };
    if FAILED.set(error.kind()).is_ok() && error.kind() != ErrorKind::BrokenPipe {
        eprintln!("error: failed to write to standard output: {error}");
    }
}

/// What failed and why, in one line. Some errors tell their cause themselves: it is not told twice.
pub(crate) fn said_once<'a>(
    chain: impl Iterator<Item = &'a (dyn std::error::Error + 'static)>,
) -> String {
    chain.fold(String::new(), |said, error| match error.to_string() {
        text if said.contains(&text) => said,
        text if said.is_empty() => text,
        text => format!("{said}: {text}"),
    })
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether standard output gets colour.
    pub(crate) fn on_stdout(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::io::stdout().is_terminal()
            }
        }
    }
}

/// Fills lines up to 100 columns, each indented by `indent` spaces.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines = vec![margin.clone()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        let fits = line.len() + word.len() < 100 || line.len() == indent;
        match fits {
            true if line.len() == indent => line.push_str(word),
            true => *line += &format!(" {word}"),
            false => lines.push(format!("{margin}{word}")),
        }
    }
    lines.join("\n")
}

/// Columns of the terminal, as far as COLUMNS tells; 100 elsewhere.
pub(crate) fn width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    columns.unwrap_or(100).clamp(40, 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_an_error_tells_itself_is_told_once() {
        let cause = std::io::Error::other("no room");
        let error = anyhow::Error::new(cause).context("write the journal: no room");
        let error = error.context("failed to begin");
        assert_eq!(
            said_once(error.chain()),
            "failed to begin: write the journal: no room"
        );
    }
}
