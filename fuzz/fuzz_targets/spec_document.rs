//! Any document, OpenAPI or not, is read or refused: never a panic, never without bound.
#![no_main]

use crevasse_core::spec::properties::any_document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| any_document(bytes));
