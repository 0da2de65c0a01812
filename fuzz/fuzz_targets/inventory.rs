//! Inventories in CSV and JSON: read without panic, and written as they are read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse_core::properties::bytes::inventory(bytes));
