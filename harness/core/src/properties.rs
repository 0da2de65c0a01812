//! What must hold of the oracle for every input, as functions of plain values: for property tests and fuzz targets.
//!
//! Each function panics when its property fails, and does nothing else. What they compare with is written
//! here a second time, as plainly as possible: a tree that is built node by node, a content that is a `Vec`.

pub mod bytes;

use crate::amz_date::Timestamp;
use crate::inventory::{parse_csv, parse_json, written};
use crate::payload::{ByteCount, Content, Intake, Payload, Recognizer};
use crate::range::{
    ByteRange, ContentRange, RangeHeader, Resolved, parse_range_header, parse_retrieval_range,
};
use crate::scenario::Scenario;
use crate::sigv4::{AuthFailure, Credentials, Head, Scope, authorization, verify};
use crate::treehash::{
    Digest, MIB, TreeHasher, combine, megabyte_aligned, sha256, tree_hash, tree_hash_aligned,
};
use crate::wire::Headers;

/// Every way to hash the bytes, in chunks cut at `cuts`, gives the tree hash that the definition gives.
pub fn every_way_to_hash_agrees(bytes: &[u8], cuts: &[usize]) {
    let expected = root_by_definition(bytes);
    assert_eq!(tree_hash(bytes), expected);
    let (mut both, mut tree) = (TreeHasher::new(), TreeHasher::tree_only());
    for chunk in cut(bytes, cuts) {
        both.update(chunk);
        tree.update(chunk);
    }
    let (both, tree) = (both.finish(), tree.finish());
    assert_eq!((both.tree_hash, tree.tree_hash), (expected, expected));
    assert_eq!(both.length, bytes.len() as u64);
    assert_eq!(both.sha256, sha256(bytes));
    assert_eq!(both.leaves, tree.leaves);
    assert_eq!(combine(&both.leaves), expected);
    assert_eq!(Content::from(bytes).hashed(), both);
}

/// The tree hashes of parts of 2^`power` mebibytes combine to the tree hash of the whole.
pub fn parts_combine_to_the_whole(content: &Content, power: u32) {
    let parts: Vec<Digest> = ByteRange::parts(content.length(), MIB << power)
        .map(|part| content.tree_hash_of(part))
        .collect();
    assert_eq!(combine(&parts), content.tree_hash());
}

/// A range of an archive of `size` bytes is tree-hash aligned exactly if a node of the tree, built in full,
/// stands on its bytes. For archives of some thousand mebibytes at most.
pub fn alignment_is_being_a_node(range: ByteRange, size: u64) {
    let is_node = nodes(size).contains(&range);
    assert_eq!(tree_hash_aligned(range, size), is_node, "{range} of {size}");
    assert!(!is_node || megabyte_aligned(range, size));
}

/// A `Range` header is read without a panic, and resolves to bytes that exist or to none.
pub fn range_header_resolves_inside(text: &str, size: u64) {
    let header = parse_range_header(text);
    let Resolved::Partial(range) = header.resolve(size) else {
        return;
    };
    assert!(range.start < range.end && range.end <= size);
    match header {
        RangeHeader::Single { first, last } => {
            assert_eq!((range.first(), range.last()), (first, last.min(size - 1)));
        }
        RangeHeader::From { first } => {
            assert_eq!((range.first(), range.end), (first, size));
        }
        RangeHeader::Suffix { length } => {
            assert_eq!((range.len(), range.end), (length.min(size), size));
        }
        RangeHeader::Multiple | RangeHeader::Invalid => panic!("{text:?} is not one range"),
    }
}

/// What is written of a range is read back the same, in all three texts.
pub fn range_texts_round_trip(range: ByteRange, total: Option<u64>) {
    let text = range.to_string();
    assert_eq!(parse_retrieval_range(&text), Some(range));
    let single = RangeHeader::Single {
        first: range.first(),
        last: range.last(),
    };
    assert_eq!(parse_range_header(&format!("bytes={text}")), single);
    let written = ContentRange { range, total };
    let possible = total.is_none_or(|total| range.end <= total);
    let read = ContentRange::parse(&written.to_string());
    assert_eq!(read, possible.then_some(written));
}

/// Any text is read as a `Content-Range`, a retrieval range and a number of bytes without a panic; what is read is written
/// and read back the same.
pub fn texts_are_read_without_panic(text: &str) {
    if let Some(read) = ContentRange::parse(text) {
        assert_eq!(ContentRange::parse(&read.to_string()), Some(read));
    }
    if let Some(read) = parse_retrieval_range(text) {
        assert_eq!(parse_retrieval_range(&read.to_string()), Some(read));
    }
    if let Ok(read) = text.parse::<ByteCount>() {
        assert_eq!(read.to_string().parse(), Ok(read));
    }
}

/// Contents behave like vectors of bytes when they are joined and a range is cut out, and survive being written down.
pub fn contents_are_sequences_of_bytes(payloads: &[Payload], start: u64, length: u64) {
    let joined = Content::concat(&payloads.iter().map(Content::from).collect::<Vec<_>>());
    let mut bytes = Vec::new();
    for payload in payloads {
        let mut part = vec![0; payload.length() as usize];
        payload.read_at(0, &mut part);
        bytes.extend(part);
    }
    assert_eq!(joined.to_bytes(), bytes);
    assert_eq!(joined, Content::from(bytes.as_slice()));
    assert_eq!(joined.sha256(), sha256(&bytes));
    assert_eq!(joined.tree_hash(), root_by_definition(&bytes));
    let text = serde_json::to_string(&joined).expect("a content is JSON");
    assert_eq!(
        serde_json::from_str::<Content>(&text).ok(),
        Some(joined.clone()),
        "{text}"
    );

    let end = start.saturating_add(length).min(joined.length());
    if let Some(range) = ByteRange::new(start, end) {
        let (slice, expected) = (joined.slice(range), &bytes[start as usize..end as usize]);
        assert_eq!(slice.to_bytes(), expected);
        assert_eq!(joined.tree_hash_of(range), root_by_definition(expected));
        let rest = [(0, start), (end, joined.length())];
        let [before, after] = rest.map(|(start, end)| {
            ByteRange::new(start, end).map_or_else(Content::empty, |range| joined.slice(range))
        });
        assert_eq!(Content::concat(&[before, slice, after]), joined);
    }
}

/// A stretch of generated content that starts with a block, fed in chunks cut at `cuts`, is known again as itself; with the bits
/// of `flips` turned in the byte at `position` it is known as nothing or as what it became (the head of a block names its seed),
/// and no byte is lost.
pub fn generated_content_is_recognised(
    (seed, block, length): (u64, u64, u64),
    cuts: &[usize],
    (position, flips): (usize, u8),
) {
    let Some(range) = ByteRange::new(block * MIB, block * MIB + length) else {
        return;
    };
    let payload = Payload::Generated {
        seed,
        length: range.end,
    };
    let stretch = Content::from(payload).slice(range);
    let mut bytes = stretch.to_bytes();
    let at = position % bytes.len();
    bytes[at] ^= flips;
    let (mut recognizer, mut intake) = (Recognizer::new(), Intake::new());
    for chunk in cut(&bytes, cuts) {
        recognizer.feed(chunk);
        intake.feed(chunk);
    }
    let long_enough = length >= 24;
    match (recognizer.finish(), flips) {
        (known, 0) => assert_eq!(known, long_enough.then_some(stretch)),
        (known, _) => assert!(known.is_none_or(|known| known.to_bytes() == bytes)),
    }
    assert!(intake.held() == 0 || flips != 0);
    assert_eq!(intake.finish().to_bytes(), bytes);
}

/// An inventory in CSV is read back as it was written, whatever printable characters stand in the descriptions.
pub fn csv_inventories_round_trip(descriptions: &[String], crlf: bool) {
    let end = if crlf { "\r\n" } else { "\n" };
    let line = |(index, description): (usize, &String)| {
        format!(
            "A{index},{},2012-05-15T17:21:39Z,{index},f2ca{end}",
            written(description)
        )
    };
    // Without a header a first description that reads like one would be taken for it.
    let header = format!("ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash{end}");
    let rows = descriptions.iter().enumerate().map(line);
    let text: String = std::iter::once(header).chain(rows).collect();
    let read = parse_csv(&text);
    assert_eq!(
        (read.header.is_some(), &read.faults),
        (true, &vec![]),
        "{text}"
    );
    let told: Vec<_> = read
        .listing()
        .archives
        .into_iter()
        .filter_map(|listed| listed.description)
        .collect();
    assert_eq!(told, descriptions, "{text}");
}

/// Any text is read as an inventory, in either format, without a panic; every line of a CSV is a header, a row, a fault or empty.
pub fn inventories_are_read_without_panic(text: &str) {
    let _ = parse_json(text);
    let read = parse_csv(text);
    let lines = text
        .split('\n')
        .filter(|line| !matches!(*line, "" | "\r"))
        .count();
    assert_eq!(
        usize::from(read.header.is_some()) + read.rows.len() + read.faults.len(),
        lines
    );
}

/// Any text is read as scenarios or refused, without a panic; what was read is read again from how it is written.
pub fn scenarios_are_written_as_read(text: &str) {
    let one = Scenario::parse(text).into_iter();
    for scenario in one.chain(Scenario::parse_list(text).into_iter().flatten()) {
        let written = scenario.to_yaml();
        assert_eq!(Scenario::parse(&written), Ok(scenario), "{written}");
    }
}

/// What was signed is let in, whatever it is, also with its parameters in another order and its values spaced otherwise; not with another method.
pub fn signatures_cover_the_canonical_form(
    method: &str,
    path: &str,
    query: &str,
    mut fields: Vec<(String, String)>,
) {
    let routine = [
        "authorization",
        "date",
        "x-amz-date",
        "x-amz-security-token",
    ];
    // Names are tokens (RFC 9110, 5.6.2): HTTP carries no others, and `;` parts the names that are signed.
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    fields.retain(|(name, _)| !name.is_empty() && name.chars().all(token));
    fields.retain(|(name, _)| !routine.contains(&name.to_ascii_lowercase().as_str()));
    let (mut headers, time) = (Headers(fields), Timestamp(1_337_905_493_000));
    headers.set("Host", "glacier.us-east-1.amazonaws.com");
    headers.push("x-amz-date", time.basic());
    let keys = Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "a secret".to_owned(),
        session_token: None,
    };
    let scope = Scope {
        time,
        region: "us-east-1".to_owned(),
        service: "glacier".to_owned(),
    };
    let hash = sha256(b"").to_string();
    let head = Head {
        method,
        path,
        query,
        headers: &headers,
    };
    let signature = authorization(head, &hash, &keys, &scope);
    let judged = |head: Head<'_>| {
        let mut headers = head.headers.clone();
        headers.push("Authorization", signature.clone());
        let headers = &headers;
        verify(Head { headers, ..head }, &hash, &keys, time).map(|_| ())
    };
    // The date is parsed as well, by then without the white space that HTTP takes off.
    let spaced = headers.iter().map(|(name, value)| match name {
        "x-amz-date" => (name.to_owned(), value.to_owned()),
        _ => (name.to_owned(), format!("  {value} ")),
    });
    let reversed = query.split('&').rev().collect::<Vec<_>>().join("&");
    let same = Head {
        query: &reversed,
        headers: &Headers(spaced.collect()),
        ..head
    };
    assert_eq!(judged(same), Ok(()));
    let other = format!("X{method}");
    let other = Head {
        method: &other,
        ..head
    };
    assert_eq!(judged(other), Err(AuthFailure::Invalid), "{signature}");
}

fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(bytes.len());
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts
        .zip(&ends)
        .map(|(start, &end)| &bytes[start..end])
        .collect()
}

/// Hashes from the top: the left subtree is the largest perfect one that leaves a rest.
fn root_by_definition(bytes: &[u8]) -> Digest {
    let leaf = MIB as usize;
    if bytes.len() <= leaf {
        return sha256(bytes);
    }
    let mut left = leaf;
    while 2 * left < bytes.len() {
        left *= 2;
    }
    let (left, right) = bytes.split_at(left);
    let children = [root_by_definition(left), root_by_definition(right)];
    sha256(&children.map(|child| child.0).concat())
}

/// Builds the tree over `size` bytes from the leaves up, and lists the bytes under each of its nodes.
fn nodes(size: u64) -> Vec<ByteRange> {
    let mut level: Vec<ByteRange> = ByteRange::parts(size, MIB).collect();
    let mut nodes = level.clone();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| ByteRange {
                start: pair[0].start,
                end: pair[pair.len() - 1].end,
            })
            .collect();
        nodes.extend(&level);
    }
    nodes
}

#[cfg(test)]
mod tests;
