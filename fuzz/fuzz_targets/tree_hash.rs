//! Every way to hash bytes agrees with the definition of the tree hash.
#![no_main]

use crevasse_core::properties::every_way_to_hash_agrees;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Vec<u16>, u8)| {
    let (seed, cuts, mib) = input;
    // Repeated to a few mebibytes: trees of one leaf say little.
    let length = usize::from(mib % 6) * (1 << 20) / 2 + seed.len();
    let bytes: Vec<u8> = seed.iter().copied().cycle().take(if seed.is_empty() { 0 } else { length }).collect();
    let cuts: Vec<usize> = cuts.into_iter().map(|cut| usize::from(cut) * 61).collect();
    every_way_to_hash_agrees(&bytes, &cuts);
});
