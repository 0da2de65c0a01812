//! What is printed for people: colour only where it is wanted, and nothing a target sent unescaped.

use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write};

use clap::ValueEnum;

/// Like `print!`, and no failure when nobody reads any more.
macro_rules! put {
    ($($text:tt)*) => { $crate::text::put(format_args!($($text)*)) };
}

/// Like `println!`, and no failure when nobody reads any more.
macro_rules! putln {
    ($($text:tt)*) => { $crate::text::put(format_args!("{}\n", format_args!($($text)*))) };
}

/// Writes to standard output. A reader that left (`… | head`) has seen enough, and the exit code still tells how it ended.
pub(crate) fn put(text: fmt::Arguments<'_>) {
    match std::io::stdout().write_fmt(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("error: failed to write to standard output: {error}");
        }
        _ => {}
    }
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
