//! The command. Parses, dispatches, and exits: alone, and once.

#[macro_use]
mod text;
mod args;
mod commands;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod heap;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;
use crevasse::exit;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    heap::share();
    let outcome = catch_unwind(AssertUnwindSafe(|| commands::dispatch(args::Args::parse())));
    let code = match outcome {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            eprintln!("error: {}", text::said_once(failure.chain()));
            failure
                .downcast_ref::<commands::Failure>()
                .map_or(exit::USAGE, |failure| failure.code)
        }
        Err(_) => {
            eprintln!(
                "error: a fault of crevasse itself; please report the message above with the command line"
            );
            exit::OUR_FAULT
        }
    };
    ExitCode::from(if text::all_printed() {
        code
    } else {
        exit::weightiest([code, exit::USAGE])
    })
}
