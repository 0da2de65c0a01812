//! Any reply to any operation is judged without panic, and each time alike.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| crevasse::properties::reply(bytes));
