//! Scenario files: read or refused, and written as they are read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse_core::properties::bytes::scenario(bytes));
