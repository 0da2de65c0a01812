use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Few cases for what hashes mebibytes: the edges are many times likelier than by chance.
fn heavy() -> ProptestConfig {
    ProptestConfig::with_cases(48)
}

/// Lengths up to some mebibytes, near a boundary as often as not.
fn length() -> impl Strategy<Value = u64> {
    let near = (0..5_u64, -2..=2_i64).prop_map(|(mib, off)| (mib * MIB).saturating_add_signed(off));
    prop_oneof![near, 0..4 * MIB, 0..100_u64]
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        (0..3_u64, length()).prop_map(|(seed, length)| Payload::Generated { seed, length }),
        length().prop_map(|length| Payload::Pattern { length }),
        length().prop_map(|length| Payload::Zeros { length }),
        ".{0,40}".prop_map(Payload::Text),
        vec(any::<u8>(), 0..300).prop_map(|bytes| Payload::Bytes(bytes.into())),
    ]
}

/// Text that is nearly a range.
fn range_text() -> impl Strategy<Value = String> {
    let number = prop_oneof!["[0-9]{0,3}", "[0-9]{19,21}"];
    let spec =
        (number.clone(), "[ -]{0,2}", number).prop_map(|(first, dash, last)| first + &dash + &last);
    let list = vec(spec, 0..3).prop_map(|specs| specs.join(","));
    ("(bytes|Bytes|items|)[ =]{0,2}", list, "(/\\*|/[0-9]{1,3}|)")
        .prop_map(|(unit, list, total)| unit + &list + &total)
}

fn range_below(end: u64) -> impl Strategy<Value = ByteRange> {
    (0..end, 1..=end).prop_filter_map("empty", |(start, end)| ByteRange::new(start, end))
}

proptest! {
    #![proptest_config(heavy())]

    #[test]
    fn streaming_equals_the_definition(payload in payload(), cuts in vec(any::<usize>(), 0..6)) {
        every_way_to_hash_agrees(&Content::from(payload).to_bytes(), &cuts);
    }

    #[test]
    fn parts_of_a_power_of_two_mebibytes_combine(payload in payload(), power in 0..4_u32) {
        parts_combine_to_the_whole(&payload.into(), power);
    }

    #[test]
    fn a_content_is_the_bytes_it_describes(
        payloads in vec(payload(), 0..4),
        start in length(),
        length in length(),
    ) {
        contents_are_sequences_of_bytes(&payloads, start, length);
    }

    #[test]
    fn a_generated_part_is_stored_as_its_description(
        part in (any::<u64>(), 0..600_u64, length()),
        cuts in vec(any::<usize>(), 0..6),
        flip in (any::<usize>(), prop_oneof![Just(0), any::<u8>()]),
    ) {
        generated_content_is_recognised(part, &cuts, flip);
    }
}

proptest! {
    #[test]
    fn a_range_is_aligned_if_a_node_stands_on_it(
        mebibytes in 1..70_u64,
        ragged in prop_oneof![Just(0), Just(1), 0..MIB],
        start in 0..70_u64,
        width in 1..70_u64,
        off in prop_oneof![9 => Just(0), 1 => 1..MIB],
    ) {
        let size = mebibytes * MIB - ragged;
        let end = ((start + width) * MIB).min(size);
        if let Some(range) = ByteRange::new(start * MIB + off, end) {
            alignment_is_being_a_node(range, size);
        }
    }

    #[test]
    fn any_range_header_is_read(
        text in prop_oneof![range_text(), any::<String>()],
        size in prop_oneof![0..1200_u64, any::<u64>()],
    ) {
        range_header_resolves_inside(&text, size);
        texts_are_read_without_panic(&text);
    }

    #[test]
    fn ranges_are_read_as_written(
        range in prop_oneof![range_below(100), range_below(u64::MAX)],
        total in proptest::option::of(prop_oneof![0..100_u64, any::<u64>()]),
    ) {
        range_texts_round_trip(range, total);
    }

    #[test]
    fn numbers_of_bytes_are_read_as_written(
        (unit, count, off) in (0..7_u32, any::<u16>(), -70..70_i64),
        any in any::<u64>(),
    ) {
        let near = (u64::from(count) << (8 * unit)).saturating_add_signed(off);
        for bytes in [near, any] {
            prop_assert_eq!(ByteCount(bytes).to_string().parse(), Ok(ByteCount(bytes)));
        }
    }

    #[test]
    fn any_text_is_a_number_of_bytes_or_not(text in "[0-9.]{0,22}( |[KMGT]iB|B|[+-]|[0-9]){0,6}") {
        texts_are_read_without_panic(&text);
    }
}

#[test]
fn every_megabyte_aligned_range_of_small_archives_is_decided_by_structure() {
    for size in [
        1,
        MIB - 1,
        MIB,
        MIB + 1,
        5 * MIB,
        6 * MIB + MIB / 2,
        7 * MIB,
        16 * MIB,
        17 * MIB + 1,
    ] {
        let bounds: Vec<u64> = (0..=size.div_ceil(MIB))
            .map(|mib| (mib * MIB).min(size))
            .collect();
        for &start in &bounds {
            for range in bounds.iter().filter_map(|&end| ByteRange::new(start, end)) {
                assert!(megabyte_aligned(range, size));
                alignment_is_being_a_node(range, size);
            }
        }
    }
}
