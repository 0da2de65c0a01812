//! Ranges in headers and job parameters: read without panic, inside what exists, written back as read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse_core::properties::bytes::range(bytes));
