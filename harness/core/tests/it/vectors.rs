//! The oracle against the vectors of `fixtures/vectors`, none of which it computed.

use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::{
    ByteRange, ContentRange, Resolved, parse_range_header, parse_retrieval_range,
};
use crevasse_core::treehash::{
    Digest, MIB, Mistake, TreeHasher, combine, megabyte_aligned, tree_hash, tree_hash_aligned,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    pattern_starts: String,
    whole: Vec<Whole>,
    mistakes: Vec<Wrong>,
    confirmed: Vec<Confirmed>,
    ranges: Vec<Of<Ranged>>,
    nodes: Of<Node>,
    levels: Of<Vec<Digest>>,
    two_stage: Of<TwoStage>,
    multipart: Multipart,
}

/// Rows about the pattern of one length.
#[derive(Deserialize)]
struct Of<T> {
    length: u64,
    of: Vec<T>,
}

#[derive(Deserialize)]
struct Whole {
    length: u64,
    leaves: usize,
    pattern: Hashes,
    zeros: Hashes,
}

#[derive(Deserialize)]
struct Hashes {
    tree_hash: Digest,
    sha256: Digest,
}

#[derive(Deserialize)]
struct Wrong {
    length: u64,
    odd_node_duplicated: Digest,
    odd_node_rehashed: Digest,
    hex_pairs: Digest,
    flat_concatenation: Digest,
    decimal_chunks: Digest,
}

#[derive(Deserialize)]
struct Confirmed {
    text: String,
    length: usize,
    tree_hash: Digest,
    by: String,
}

#[derive(Deserialize)]
struct Ranged {
    range: ByteRange,
    aligned: bool,
    tree_hash: Digest,
}

#[derive(Deserialize)]
struct Node {
    range: ByteRange,
    tree_hash: Digest,
}

#[derive(Deserialize)]
struct TwoStage {
    retrieval: String,
    retrieval_aligned: bool,
    download: Option<String>,
    absolute: ByteRange,
    absolute_aligned: bool,
    header: bool,
    tree_hash: Digest,
}

#[derive(Deserialize)]
struct Multipart {
    length: u64,
    root: Digest,
    of: Vec<Parts>,
}

#[derive(Deserialize)]
struct Parts {
    part_size: u64,
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    content_range: String,
    tree_hash: Digest,
    sha256: Digest,
}

#[derive(Deserialize)]
struct Generated {
    seed: u64,
    blocks: Vec<Block>,
    linear: Vec<Linear>,
    ranges: Vec<Stretch>,
}

#[derive(Deserialize)]
struct Block {
    place: u64,
    starts: String,
    sha256: Digest,
}

#[derive(Deserialize)]
struct Linear {
    length: u64,
    sha256: Digest,
}

#[derive(Deserialize)]
struct Stretch {
    start: u64,
    length: u64,
    tree_hash: Digest,
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vectors");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).expect("the vectors are there");
    serde_yaml::from_str(&text).expect("the vectors have the layout of this file")
}

fn vectors() -> Vectors {
    read("treehash.yaml")
}

fn pattern(length: u64) -> Content {
    Content::from(Payload::Pattern { length })
}

fn bytes_of(hex: &str) -> Vec<u8> {
    match serde_yaml::from_str(&format!("bytes: '{hex}'")).expect("hexadecimal digits") {
        Payload::Bytes(bytes) => bytes.to_vec(),
        other => panic!("{other:?} is not bytes"),
    }
}

#[test]
fn the_pattern_is_the_one_of_the_vectors() {
    let starts = bytes_of(&vectors().pattern_starts);
    assert_eq!(pattern(starts.len() as u64).to_bytes(), starts);
}

#[test]
fn whole_contents_have_the_hashes_of_the_vectors_however_they_are_hashed() {
    for row in vectors().whole {
        let length = row.length;
        let zeros = Content::from(Payload::Zeros { length });
        for (content, expected) in [(pattern(length), row.pattern), (zeros, row.zeros)] {
            let bytes = content.to_bytes();
            let mut hasher = TreeHasher::new();
            bytes.chunks(100_000).for_each(|chunk| hasher.update(chunk));
            let streamed = hasher.finish();
            assert_eq!(tree_hash(&bytes), expected.tree_hash, "{content:?}");
            assert_eq!(streamed.tree_hash, expected.tree_hash, "{content:?}");
            assert_eq!(streamed.sha256, expected.sha256, "{content:?}");
            assert_eq!(streamed.leaves.len(), row.leaves, "{content:?}");
            assert_eq!(content.tree_hash(), expected.tree_hash, "{content:?}");
            assert_eq!(content.hashed(), streamed, "{content:?}");
        }
    }
}

#[test]
fn classic_mistakes_are_called_by_their_names() {
    for row in vectors().mistakes {
        let content = pattern(row.length);
        for (wrong, mistake) in [
            (content.sha256(), Mistake::LinearSha256),
            (row.odd_node_duplicated, Mistake::OddNodeDuplicated),
            (row.odd_node_rehashed, Mistake::OddNodeRehashed),
            (row.hex_pairs, Mistake::HexPairs),
            (row.flat_concatenation, Mistake::FlatConcatenation),
            (row.decimal_chunks, Mistake::DecimalChunks),
        ] {
            let visible = wrong != content.tree_hash();
            let named = content.diagnose(wrong);
            assert_eq!(named, visible.then_some(mistake), "{content:?}");
        }
        assert_eq!(content.diagnose(Digest([0; 32])), None);
    }
}

#[test]
fn what_the_service_returned_is_what_the_oracle_computes() {
    for row in vectors().confirmed {
        let bytes: Vec<u8> = row.text.bytes().cycle().take(row.length).collect();
        assert_eq!(tree_hash(&bytes), row.tree_hash, "{}", row.by);
    }
}

#[test]
fn megabyte_aligned_ranges_have_the_hashes_and_the_alignment_of_the_vectors() {
    for table in vectors().ranges {
        let (archive, bytes) = (pattern(table.length), pattern(table.length).to_bytes());
        for row in table.of {
            let range = row.range;
            assert!(megabyte_aligned(range, table.length), "{range}");
            assert_eq!(
                tree_hash_aligned(range, table.length),
                row.aligned,
                "{range}"
            );
            assert_eq!(archive.tree_hash_of(range), row.tree_hash, "{range}");
            let cut = &bytes[range.start as usize..range.end as usize];
            assert_eq!(tree_hash(cut), row.tree_hash, "{range}");
        }
    }
}

#[test]
fn no_other_ranges_are_tree_hash_aligned_than_those_of_the_vectors() {
    let Of { length, of } = vectors().nodes;
    let bounds = || (0..=length).step_by(MIB as usize);
    let all = bounds().flat_map(|start| bounds().map(move |end| ByteRange::new(start, end)));
    let aligned: Vec<ByteRange> = all
        .flatten()
        .filter(|&range| tree_hash_aligned(range, length))
        .collect();
    assert_eq!(
        aligned,
        of.iter().map(|node| node.range).collect::<Vec<_>>()
    );
    for node in of {
        assert_eq!(pattern(length).tree_hash_of(node.range), node.tree_hash);
    }
}

#[test]
fn each_level_of_a_tree_combines_to_the_same_root() {
    let levels = vectors().levels;
    let archive = pattern(levels.length);
    assert_eq!(archive.leaves(), levels.of[0]);
    for level in levels.of {
        assert_eq!(combine(&level), archive.tree_hash());
    }
}

#[test]
fn a_download_range_counts_from_the_start_of_the_retrieved_range() {
    let Of { length, of } = vectors().two_stage;
    for row in of {
        let retrieval = parse_retrieval_range(&row.retrieval).unwrap();
        let absolute = match row.download.as_deref().map(parse_range_header) {
            None => retrieval,
            Some(header) => match header.resolve(retrieval.len()) {
                Resolved::Partial(download) => download.offset_by(retrieval.start).unwrap(),
                other => panic!("{other:?}"),
            },
        };
        let aligned = [retrieval, absolute].map(|range| tree_hash_aligned(range, length));
        assert_eq!(absolute, row.absolute);
        assert_eq!(aligned, [row.retrieval_aligned, row.absolute_aligned]);
        assert_eq!(aligned == [true, true], row.header);
        assert_eq!(pattern(length).tree_hash_of(absolute), row.tree_hash);
    }
}

#[test]
fn parts_have_the_hashes_of_the_vectors_and_combine_to_the_root() {
    let multipart = vectors().multipart;
    let archive = pattern(multipart.length);
    for Parts { part_size, parts } in multipart.of {
        let ranges: Vec<_> = ByteRange::parts(multipart.length, part_size).collect();
        assert_eq!(ranges.len(), parts.len());
        for (range, part) in ranges.into_iter().zip(&parts) {
            let sent = ContentRange { range, total: None };
            assert_eq!(sent.to_string(), part.content_range);
            assert_eq!(ContentRange::parse(&part.content_range), Some(sent));
            assert_eq!(archive.slice(range).tree_hash(), part.tree_hash);
            assert_eq!(archive.slice(range).sha256(), part.sha256);
        }
        let hashes: Vec<Digest> = parts.iter().map(|part| part.tree_hash).collect();
        assert_eq!(combine(&hashes), multipart.root);
    }
}

#[test]
fn generated_payloads_are_the_bytes_of_the_vectors() {
    let Generated {
        seed,
        blocks,
        linear,
        ..
    } = read("generated.yaml");
    let generated = |length| Content::from(Payload::Generated { seed, length });
    for Block {
        place,
        starts,
        sha256,
    } in blocks
    {
        for turn in [0, 1, 41_943_040 / 251] {
            let start = (turn * 251 + place) * MIB;
            let range = ByteRange::new(start, start + MIB).unwrap();
            let block = generated(u64::MAX).slice(range);
            assert!(block.to_bytes().starts_with(&bytes_of(&starts)));
            assert_eq!(block.sha256(), sha256);
        }
    }
    for Linear { length, sha256 } in linear {
        assert_eq!(generated(length).sha256(), sha256, "{length}");
    }
}

#[test]
fn generated_archives_of_any_size_have_the_tree_hashes_of_the_vectors() {
    let Generated { seed, ranges, .. } = read("generated.yaml");
    let endless = Content::from(Payload::Generated {
        seed,
        length: u64::MAX,
    });
    for Stretch {
        start,
        length,
        tree_hash,
    } in ranges
    {
        let range = ByteRange::new(start, start + length).unwrap();
        assert_eq!(endless.tree_hash_of(range), tree_hash, "{range}");
    }
}
