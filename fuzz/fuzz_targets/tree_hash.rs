//! Every way to hash bytes agrees with the definition of the tree hash.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse_core::properties::bytes::tree_hash(bytes));
