use super::*;

fn range(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start, end).unwrap()
}

#[test]
fn a_range_is_never_empty() {
    assert_eq!(ByteRange::new(5, 5), None);
    assert_eq!(ByteRange::new(6, 5), None);
    assert_eq!(ByteRange::inclusive(6, 5), None);
    assert_eq!(ByteRange::inclusive(0, u64::MAX), None);
    assert_eq!(ByteRange::whole(0), None);
    assert_eq!(ByteRange::inclusive(5, 5).map(ByteRange::len), Some(1));
}

#[test]
fn ranges_contain_and_move() {
    assert!(range(2, 9).contains(range(2, 9)));
    assert!(!range(2, 9).contains(range(1, 9)));
    assert!(!range(2, 9).contains(range(2, 10)));
    assert_eq!(range(2, 9).offset_by(10), Some(range(12, 19)));
    assert_eq!(range(2, 9).offset_by(u64::MAX - 8), None);
}

#[test]
fn parts_cover_everything_once_and_the_last_is_what_is_left() {
    let parts: Vec<_> = ByteRange::parts(10, 4).collect();
    assert_eq!(parts, [range(0, 4), range(4, 8), range(8, 10)]);
    assert_eq!(ByteRange::parts(8, 4).count(), 2);
    assert_eq!(ByteRange::parts(0, 4).count(), 0);
    let last = ByteRange::parts(u64::MAX, 1 << 63).last();
    assert_eq!(last, Some(range(1 << 63, u64::MAX)));
}

#[test]
fn a_retrieval_range_is_two_exact_numbers() {
    assert_eq!(
        parse_retrieval_range("0-1048575"),
        ByteRange::whole(1 << 20)
    );
    assert_eq!(parse_retrieval_range("7-7"), ByteRange::new(7, 8));
    for bad in [
        "",
        "-",
        "0-",
        "-5",
        "5",
        "5-4",
        "0 - 5",
        " 0-5",
        "0-5 ",
        "+0-5",
        "0-+5",
        "0--5",
        "0-5-6",
        "bytes=0-5",
        "0x0-0x5",
        "0-18446744073709551615",
        "0-18446744073709551616",
        "\u{0660}-5",
    ] {
        assert_eq!(parse_retrieval_range(bad), None, "{bad:?}");
    }
}

#[test]
fn a_range_is_its_inclusive_text_in_json() {
    assert_eq!(serde_json::to_string(&range(0, 6)).unwrap(), "\"0-5\"");
    assert_eq!(
        serde_json::from_str::<ByteRange>("\"0-5\"").unwrap(),
        range(0, 6)
    );
    assert!(serde_json::from_str::<ByteRange>("\"5-0\"").is_err());
}

#[test]
fn the_examples_of_rfc_9110_section_14_1_2_resolve_as_it_says() {
    // "assuming a representation of length 10000"
    let size = 10_000;
    let resolved = |text| parse_range_header(text).resolve(size);
    let partial = |first, last| Resolved::Partial(ByteRange::inclusive(first, last).unwrap());
    assert_eq!(resolved("bytes=0-499"), partial(0, 499));
    assert_eq!(resolved("bytes=500-999"), partial(500, 999));
    assert_eq!(resolved("bytes=-500"), partial(9500, 9999));
    assert_eq!(resolved("bytes=9500-"), partial(9500, 9999));
    assert_eq!(resolved("bytes=0-0,-1"), Resolved::Multiple);
    assert_eq!(
        resolved("bytes= 0-999, 4500-5499, -1000"),
        Resolved::Multiple
    );
    assert_eq!(resolved("bytes=500-600,601-999"), Resolved::Multiple);
}

#[test]
fn an_end_beyond_the_representation_is_clamped_and_a_start_beyond_it_is_not() {
    let single = RangeHeader::Single {
        first: 5,
        last: 100,
    };
    assert_eq!(single.resolve(10), Resolved::Partial(range(5, 10)));
    assert_eq!(single.resolve(5), Resolved::Unsatisfiable);
    assert_eq!(
        RangeHeader::From { first: 10 }.resolve(10),
        Resolved::Unsatisfiable
    );
    let suffix = RangeHeader::Suffix { length: 100 };
    assert_eq!(suffix.resolve(10), Resolved::Partial(range(0, 10)));
    assert_eq!(suffix.resolve(0), Resolved::Ignored);
    assert_eq!(
        RangeHeader::Suffix { length: 0 }.resolve(10),
        Resolved::Unsatisfiable
    );
}

#[test]
fn the_unit_knows_no_case_and_empty_list_elements_are_skipped() {
    let single = RangeHeader::Single { first: 0, last: 1 };
    for text in [
        "Bytes=0-1",
        " bytes=0-1\t",
        "bytes=0-1,",
        "bytes=, ,0-1",
        "bytes= 0-1",
    ] {
        assert_eq!(parse_range_header(text), single, "{text:?}");
    }
}

#[test]
fn what_is_not_a_set_of_byte_ranges_is_ignored() {
    for text in [
        // Seen against the real service, which answered 200 with everything.
        "bytes 0-4194303/235812776",
        "0-100/493",
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-0",
        "bytes=0-1,5-4",
        "bytes=0-1,x",
        "bytes=0-1;2-3",
        "bytes=0 -1",
        "bytes=0- 1",
        "bytes=--1",
        "bytes=+0-1",
        "bytes =0-1",
        "byte=0-1",
        "items=0-1",
        "bytes=0-1-2",
        "bytes=0x0-1",
        "bytes=\u{0660}-1",
    ] {
        assert_eq!(parse_range_header(text), RangeHeader::Invalid, "{text:?}");
        assert_eq!(parse_range_header(text).resolve(10), Resolved::Ignored);
    }
}

#[test]
fn numbers_beyond_64_bits_are_the_largest_that_fits() {
    let huge = "99999999999999999999999";
    let from_zero = parse_range_header(&format!("bytes=0-{huge}"));
    assert_eq!(from_zero.resolve(10), Resolved::Partial(range(0, 10)));
    let beyond = parse_range_header(&format!("bytes={huge}-{huge}"));
    assert_eq!(beyond.resolve(u64::MAX), Resolved::Unsatisfiable);
    let suffix = parse_range_header(&format!("bytes=-{huge}"));
    assert_eq!(suffix.resolve(10), Resolved::Partial(range(0, 10)));
}

#[test]
fn a_content_range_is_read_by_its_grammar_alone() {
    let read = ContentRange::parse("bytes 4-9/10").unwrap();
    assert_eq!((read.range, read.total), (range(4, 10), Some(10)));
    assert_eq!(read.to_string(), "bytes 4-9/10");
    for bad in [
        "",
        "bytes",
        "bytes 0-9",
        "bytes=0-9/*",
        "bytes 0-9/",
        "bytes 0-9/**",
        "bytes 9-0/*",
        "bytes 0-9/9",
        "bytes */10",
        "bytes  0-9/*",
        "bytes 0-9/* ",
        "bytes 0-9 /*",
        "items 0-9/*",
        "0-9/*",
        "bytes -9/*",
        "bytes 0-/*",
        "bytes 0-9/-1",
        "bytes 0-18446744073709551616/*",
    ] {
        assert_eq!(ContentRange::parse(bad), None, "{bad:?}");
    }
}
