//! Values biased to where implementations break: mebibyte edges, tree nodes, ends, and just beyond each.

use proptest::prelude::*;

use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::ByteRange;
use crevasse_core::treehash::{MIB, tree_hash_aligned};

use super::Draw;

/// Archive sizes: one byte, either side of each mebibyte edge, odd numbers of leaves, ragged ends. Small ones are commoner, since bytes cost time.
pub(super) fn size(max_mib: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(1u64),
        3 => 2..MIB,
        4 => (1..=max_mib, -1i64..=1).prop_map(|(mib, off)| (mib * MIB).saturating_add_signed(off)),
        3 => (0..max_mib, 1..MIB).prop_map(|(mib, rest)| mib * MIB + rest),
    ]
}

/// A payload of this length that no other case has.
pub(super) fn payload(draw: &mut Draw, length: u64) -> Content {
    let seed = draw.from(1..u64::from(u32::MAX));
    Content::from(if draw.once_in(8) {
        Payload::Pattern { length }
    } else {
        Payload::Generated { seed, length }
    })
}

/// A megabyte-aligned range of an archive: single leaves, tree nodes, ranges that are no node, ranges to the end.
pub(super) fn aligned_range(draw: &mut Draw, size: u64) -> ByteRange {
    let leaves = size.div_ceil(MIB);
    if draw.once_in(2) {
        return node(draw, size);
    }
    let first = draw.below(leaves);
    let last = first + draw.below(leaves - first);
    mib_range(first, last + 1, size)
}

/// A range that is a node of the archive's tree.
fn node(draw: &mut Draw, size: u64) -> ByteRange {
    let leaves = size.div_ceil(MIB);
    let width = 1 << draw.below(u64::from(leaves.next_power_of_two().trailing_zeros()) + 1);
    let first = draw.below(leaves.div_ceil(width)) * width;
    let range = mib_range(first, first + width, size);
    debug_assert!(tree_hash_aligned(range, size));
    range
}

fn mib_range(first: u64, end: u64, size: u64) -> ByteRange {
    ByteRange::new(first * MIB, (end * MIB).min(size)).expect("there is a byte in it")
}

/// A `RetrievalByteRange` that must be refused: misaligned at either end.
pub(super) fn misaligned_range(draw: &mut Draw, size: u64) -> Option<ByteRange> {
    if size <= MIB + 1 {
        return ByteRange::new(1, size);
    }
    let off = draw.from(1..MIB);
    if draw.once_in(2) {
        ByteRange::new(off, size)
    } else {
        ByteRange::new(0, off)
    }
}

/// Ends that numbers of 31, 32 and 53 bits cannot hold, and more. RFC 9110, 14.1.2: "recipients MUST anticipate potentially large decimal numerals".
const FAR: [u64; 5] = [(1 << 31) - 1, 1 << 31, 1 << 32, 1 << 53, 1 << 59];

/// A `Range` header for an output of this size: pieces of every kind, and headers that are none.
pub(super) fn range_header(draw: &mut Draw, size: u64) -> String {
    match draw.below(16) {
        0 => "bytes=0-0".to_owned(),
        1 => format!("bytes={0}-{0}", size - 1),
        2..=4 => header(aligned_range(draw, size)),
        5 | 6 => header(any_range(draw, size)),
        7 => format!("bytes=0-{}", size - 1),
        8 => format!("bytes={}-{}", size - 1, size + draw.below(3 * MIB)),
        9 => format!("bytes={}-{}", size + MIB, size + MIB + draw.below(MIB)),
        10 => format!("bytes={}-", draw.below(size)),
        11 => format!("bytes=-{}", 1 + draw.below(size + 10)),
        12 => draw
            .one_of(&[
                "bytes 0-9/100",
                "0-9",
                "items=0-9",
                "bytes=a-b",
                "bytes=9-5",
            ])
            .to_owned(),
        13 => "bytes=0-0,2-3".to_owned(),
        // All but the first byte and the last: whatever the server puts together, its seams are inside.
        14 if size > 2 => format!("bytes=1-{}", size - 2),
        _ => format!("bytes={}-{}", draw.below(size), draw.one_of(&FAR)),
    }
}

/// Any range with a byte in it.
pub(super) fn any_range(draw: &mut Draw, size: u64) -> ByteRange {
    let start = draw.below(size);
    let length = 1 + draw.below(size - start);
    ByteRange::new(start, start + length).expect("there is a byte in it")
}

/// The header that asks for a range.
pub(super) fn header(range: ByteRange) -> String {
    format!("bytes={range}")
}

/// Consecutive pieces that make up the whole: equal ones of a power of two mebibytes, or cut anywhere.
pub(super) fn partition(draw: &mut Draw, size: u64) -> Vec<ByteRange> {
    let mut cuts: Vec<u64> = if draw.once_in(2) {
        let width = MIB << draw.below(2);
        (1..size.div_ceil(width))
            .map(|piece| piece * width)
            .collect()
    } else {
        (0..1 + draw.below(3))
            .map(|_| draw.below(size))
            .filter(|cut| *cut > 0)
            .collect()
    };
    cuts.sort_unstable();
    cuts.dedup();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([size]);
    starts
        .zip(ends)
        .filter_map(|(start, end)| ByteRange::new(start, end))
        .collect()
}

/// A description: none, plain, full of what inventories must quote, or what some code takes for nothing or for an encoding.
pub(super) fn description(draw: &mut Draw) -> Option<String> {
    let texts = [
        "plain",
        "a,b",
        "say \"hi\"",
        "back\\slash",
        "1\\\"2",
        "50% + more = <ok> & 'fine'",
        "trailing\\",
        "{\"json\": true}",
        "null",
        "0",
        "=?UTF-8?B?aGVsbG8=?=",
        "a%41+b",
    ];
    match draw.below(3) {
        0 => None,
        1 => Some(draw.one_of(&texts).to_owned()),
        _ => Some(draw.from("[!-~]([ -~]{0,40}[!-~])?")),
    }
}

/// The pieces of one size that make up a whole; the last may be smaller.
pub(super) fn pieces(length: u64, size: u64) -> impl Iterator<Item = ByteRange> {
    let starts = (0..length).step_by(size as usize);
    starts.filter_map(move |start| ByteRange::new(start, (start + size).min(length)))
}
