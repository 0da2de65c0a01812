//! Judges the emulator that CREVASSE_ENDPOINT names, one test per requirement; says so and does nothing where it names none.
//!
//! `CREVASSE_ENDPOINT=http://127.0.0.1:5000 cargo run -p crevasse --example by_url -- output::`

use std::process::ExitCode;

use crevasse::conformance::Suite;

fn main() -> ExitCode {
    match std::env::var("CREVASSE_ENDPOINT") {
        Ok(endpoint) => Suite::at(|| endpoint).main(),
        Err(_) => {
            eprintln!("skipped: CREVASSE_ENDPOINT is not set, such as to http://127.0.0.1:5000");
            ExitCode::SUCCESS
        }
    }
}
