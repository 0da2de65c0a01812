use proptest::prelude::*;

use super::*;
use crate::properties;

const REST: &str = "2012-05-15T17:21:39.339Z,2140123,f13b3c1a";

fn description(line: &str) -> String {
    let read = parse_csv(line);
    assert_eq!(read.faults, []);
    read.listing().archives[0].description.clone().unwrap()
}

/// api-initiate-job-post: "1\"2" is returned as `1\"2`, and a backslash is returned without a backslash before it.
#[test]
fn a_quote_is_escaped_by_a_backslash_and_a_backslash_by_nothing() {
    assert_eq!(description(&format!(r#"A,"1\"2",{REST}"#)), "1\"2");
    assert_eq!(description(&format!(r#"A,"1\2",{REST}"#)), r"1\2");
    assert_eq!(description(&format!(r#"A,"1\\"2",{REST}"#)), r#"1\"2"#);
    assert_eq!(
        description(&format!(r#"A,"ends in \",{REST}"#)),
        r"ends in \"
    );
    assert_eq!(description(&format!(r#"A,"a\",\"b",{REST}"#)), r#"a","b"#);
}

#[test]
fn quotes_are_optional_and_lines_end_either_way() {
    let quoted = format!("\"A\",\"plain\",\"2012-05-15T17:21:39Z\",\"5\",\"f2ca\"\r\nB,,{REST}\n");
    let read = parse_csv(&quoted);
    let listing = read.listing();
    assert_eq!((read.header, read.faults), (None, vec![]));
    assert_eq!(listing.archive("A").unwrap().size, Some(5));
    assert_eq!(
        listing.archive("B").unwrap().description.as_deref(),
        Some("")
    );
    assert_eq!(
        listing.archive("A").unwrap().created_at(),
        "2012-05-15T17:21:39Z".parse().ok()
    );
}

#[test]
fn a_header_may_name_the_columns_in_another_order() {
    let text = "Size,ArchiveDescription,ArchiveId,CreationDate,SHA256TreeHash\n5,\"a,b\",A,2012-05-15T17:21:39Z,f2ca\n";
    let read = parse_csv(text);
    let listed = read.row("A").unwrap().listed();
    assert_eq!(
        (listed.size, listed.description.as_deref()),
        (Some(5), Some("a,b"))
    );
    let usual = format!("{}\nA,x,{REST}\n", COLUMNS.join(","));
    assert_eq!(parse_csv(&usual).header.unwrap(), COLUMNS);
}

#[test]
fn a_line_without_five_fields_is_a_fault_with_its_number() {
    let read = parse_csv(&format!("A,x,{REST}\nA,x\n\"A\"\"B\",x,{REST}\n"));
    assert_eq!(read.rows.len(), 1);
    assert_eq!(read.faults, [CsvFault { line: 2 }, CsvFault { line: 3 }]);
}

#[test]
fn doubled_quotes_stay_as_they_stand() {
    let read = parse_csv(&format!(r#"A,"1""2",{REST}"#));
    assert_eq!(read.rows[0].description().raw, r#"1""2"#);
}

/// The output of an inventory job against the real service (O-27a): compact, whole seconds, empty description.
#[test]
fn a_json_inventory_is_read_with_its_dates_as_written() {
    let text = r#"{"VaultARN":"arn:aws:glacier:us-east-1:012345678901:vaults/examplevault","InventoryDate":"2016-01-02T03:04:05Z","ArchiveList":[{"ArchiveId":"x","ArchiveDescription":"","CreationDate":"2016-01-01T03:04:05Z","Size":1,"SHA256TreeHash":"01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"}]}"#;
    let listing = parse_json(text).unwrap();
    assert_eq!(listing.taken(), "2016-01-02T03:04:05Z".parse().ok());
    let listed = listing.archive("x").unwrap();
    assert_eq!(
        (listed.size, listed.description.as_deref()),
        (Some(1), Some(""))
    );
}

#[test]
fn members_of_the_wrong_type_are_absent() {
    let listing =
        parse_json(r#"{"VaultARN": 7, "ArchiveList": [{"ArchiveId": null, "Size": "5"}]}"#)
            .unwrap();
    assert_eq!(
        listing,
        Listing {
            archives: vec![Listed::default()],
            ..Listing::default()
        }
    );
    assert_eq!(parse_json("[]"), Err(JsonFault::NotAnObject));
    assert_eq!(parse_json("{"), Err(JsonFault::NotAnObject));
    assert_eq!(
        parse_json(r#"{"ArchiveList": [7]}"#),
        Err(JsonFault::NoArchiveList)
    );
    assert_eq!(
        parse_json(r#"{"ArchiveList": null}"#),
        Err(JsonFault::NoArchiveList)
    );
}

proptest! {
    #[test]
    fn any_description_survives_being_written(descriptions in prop::collection::vec("[ -~]{0,60}", 0..5), crlf: bool) {
        properties::csv_inventories_round_trip(&descriptions, crlf);
    }

    #[test]
    fn nothing_makes_the_readers_panic(text in "(?s).{0,300}") {
        properties::inventories_are_read_without_panic(&text);
    }

    #[test]
    fn nothing_like_csv_makes_the_reader_panic(text in "[A\",\\\\\r\n]{0,80}") {
        properties::inventories_are_read_without_panic(&text);
    }
}
