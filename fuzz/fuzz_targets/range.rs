//! Ranges in headers and job parameters: read without panic, inside what exists, written back as read.
#![no_main]

use crevasse_core::properties::{alignment_is_being_a_node, range_header_resolves_inside, range_texts_round_trip, texts_are_read_without_panic};
use crevasse_core::range::ByteRange;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, u64, u64, u64)| {
    let (text, size, start, end) = input;
    texts_are_read_without_panic(text);
    range_header_resolves_inside(text, size);
    if let Some(range) = ByteRange::new(start, end) {
        range_texts_round_trip(range, (size >= range.end).then_some(size));
        let small = size % (1 << 27);
        if let Some(range) = ByteRange::new(start % (small + 1), end % (small + 1)) {
            alignment_is_being_a_node(range, small);
        }
    }
});
