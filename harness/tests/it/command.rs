//! The command under test: the one built with the tests, or the one that `CREVASSE` names, for measuring.

use std::process::{Command, Output};

/// The path of the command.
pub(crate) fn path() -> String {
    std::env::var("CREVASSE").unwrap_or(env!("CARGO_BIN_EXE_crevasse").to_owned())
}

pub(crate) fn crevasse() -> Command {
    Command::new(path())
}

/// What a command wrote, to both its outputs.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}
