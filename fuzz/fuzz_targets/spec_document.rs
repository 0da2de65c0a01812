//! Any document, OpenAPI or not, is read or refused: never a panic, never without bound.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse_core::spec::properties::any_document(bytes));
