//! The properties on raw bytes: what fuzz targets call, and `cargo test` on the committed corpus.
//! Numbers are the first bytes, little endian and zero where there are too few; what is left is text, malformed UTF-8 replaced.

use super::{
    alignment_is_being_a_node, csv_inventories_round_trip, every_way_to_hash_agrees,
    inventories_are_read_without_panic, range_header_resolves_inside, range_texts_round_trip,
    scenarios_are_written_as_read, signatures_cover_the_canonical_form,
    texts_are_read_without_panic,
};
use crate::range::ByteRange;
use crate::spec::properties::any_document;

/// Something that holds of all bytes.
pub type Property = fn(&[u8]);

/// Every target by name.
pub const TARGETS: [(&str, Property); 6] = [
    ("inventory", inventory),
    ("range", range),
    ("scenario", scenario),
    ("signature", signature),
    ("spec_document", any_document),
    ("tree_hash", tree_hash),
];

/// Inventories in both formats; the lines as descriptions, too.
pub fn inventory(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    inventories_are_read_without_panic(&text);
    let printable = |line: &str| line.chars().filter(|c| !c.is_control()).collect();
    let lines: Vec<String> = text.lines().map(printable).collect();
    csv_inventories_round_trip(&lines, lines.len().is_multiple_of(2));
}

/// Ranges in headers and job parameters: read without panic, inside what exists, written back as read.
pub fn range(mut bytes: &[u8]) {
    let (size, start, end) = (number(&mut bytes), number(&mut bytes), number(&mut bytes));
    let text = String::from_utf8_lossy(bytes);
    texts_are_read_without_panic(&text);
    range_header_resolves_inside(&text, size);
    if let Some(range) = ByteRange::new(start, end) {
        range_texts_round_trip(range, (size >= range.end).then_some(size));
    }
    // The tree is built in full: no more than some mebibytes of it.
    let small = size % (1 << 27);
    if let Some(range) = ByteRange::new(start % (small + 1), end % (small + 1)) {
        alignment_is_being_a_node(range, small);
    }
}

/// A scenario, or a list of them.
pub fn scenario(bytes: &[u8]) {
    scenarios_are_written_as_read(&String::from_utf8_lossy(bytes));
}

/// Lines: method, path, query, then header fields.
pub fn signature(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (method, path, query) = (line(), line(), line());
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        (name.to_owned(), value.to_owned())
    };
    signatures_cover_the_canonical_form(&method, &path, &query, lines.map(field).collect());
}

/// Every way to hash bytes agrees with the definition of the tree hash.
pub fn tree_hash(mut bytes: &[u8]) {
    let (half_mebibytes, cuts) = (number(&mut bytes) % 6, number(&mut bytes));
    // Repeated to a few mebibytes: trees of one leaf say little.
    let length = match bytes.is_empty() {
        true => 0,
        false => half_mebibytes as usize * (1 << 19) + bytes.len(),
    };
    let repeated: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
    let cuts: Vec<usize> = cuts
        .to_le_bytes()
        .chunks(2)
        .map(|pair| usize::from(pair[0]) * 61 + usize::from(pair[1]) * 8191)
        .collect();
    every_way_to_hash_agrees(&repeated, &cuts);
}

fn number(bytes: &mut &[u8]) -> u64 {
    let (head, rest) = bytes.split_at(bytes.len().min(8));
    *bytes = rest;
    head.iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_committed_input_of_every_target_has_its_property() {
        for (name, property) in super::TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
            let inputs = fs::read_dir(folder.join(name)).unwrap();
            let inputs: Vec<_> = inputs.map(|input| input.unwrap().path()).collect();
            assert!(!inputs.is_empty(), "{name} has no inputs");
            for input in inputs {
                property(&fs::read(&input).unwrap());
            }
        }
    }
}
