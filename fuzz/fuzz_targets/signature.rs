//! Signatures: what was signed is let in in every form that is the same request, and in no other.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse_core::properties::bytes::signature(bytes));
