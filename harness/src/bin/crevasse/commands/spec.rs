//! `crevasse spec`: what a document defines, gets wrong and cannot express.

use std::path::Path;

use crevasse::exit;
use crevasse_core::spec::{self, Spec as Loaded};
use serde_json::json;

use super::read;
use crate::args::{Format, Spec, SpecCommand, SpecFile};

pub(crate) fn run(args: &Spec) -> anyhow::Result<u8> {
    match &args.command {
        SpecCommand::Lint(file) => lint(file),
        SpecCommand::Show(file) => show(file),
    }
}
