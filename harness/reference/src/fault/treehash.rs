//! Checksums computed, compared or reported wrongly.

use crevasse_core::model::Refusal as R;
use crevasse_core::payload::Content;
use crevasse_core::range::ByteRange;
use crevasse_core::scenario::{Action, Claim};
use crevasse_core::spec::OperationName as O;
use crevasse_core::treehash::{Digest, MIB, combine, megabyte_aligned, sha256};
use serde_json::Value;

use super::means::{archive, done, fault, jobs, refused_for, retrieves, text, upload_id, vault};
use super::{Decision, Fault, Hook, Seam};
use crate::realm::Realm;
use crate::service::Asked;

const MAKES: &[O] = &[O::UploadArchive, O::CompleteMultipartUpload];
const HASH: &str = "x-amz-sha256-tree-hash";
const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Stores another hash with the archive just made.
fn store(realm: &mut Realm, asked: &Asked, wrong: fn(&Content) -> Digest) {
    if let Some(archive) = archive(realm, asked) {
        archive.tree_hash = wrong(&archive.content);
    }
}

/// Reduces leaves pair by pair.
fn reduced(
    leaves: Vec<Digest>,
    pair: fn(Digest, Digest) -> Digest,
    lone: fn(Digest) -> Digest,
) -> Digest {
    let mut level = leaves;
    while level.len() > 1 {
        let node = |nodes: &[Digest]| match *nodes {
            [left, right] => pair(left, right),
            _ => lone(nodes[0]),
        };
        level = level.chunks(2).map(node).collect();
    }
    level.first().copied().unwrap_or_else(|| sha256(b""))
}

fn parent(left: Digest, right: Digest) -> Digest {
    sha256(&[left.0, right.0].concat())
}

/// Hashes leaves cut at other places.
fn cut(content: &Content, places: impl Fn(u64) -> u64) -> Digest {
    let mut leaves = Vec::new();
    let mut start = 0;
    while start < content.length() {
        let end = places(start).min(content.length());
        let mut leaf = vec![0; (end - start) as usize];
        content.read_at(start, &mut leaf);
        leaves.push(sha256(&leaf));
        start = end;
    }
    combine(&leaves)
}

fn linear(content: &Content) -> Digest {
    content.sha256()
}

fn literal(claim: &Claim) -> Option<Digest> {
    match claim {
        Claim::Literal(text) => text.parse().ok(),
        _ => None,
    }
}

/// Lets a mismatch pass where the claim has something to it.
fn excuse(decision: &mut Decision, asked: &Asked, excused: fn(Digest, &Content) -> bool) {
    let (Action::UploadArchive {
        tree_hash, content, ..
    }
    | Action::UploadMultipartPart {
        tree_hash, content, ..
    }) = &asked.action
    else {
        return;
    };
    let mismatch = refused_for(decision, R::TreeHashMismatch);
    if mismatch && literal(tree_hash).is_some_and(|claim| excused(claim, content)) {
        *decision = Decision::Accept;
    }
}

/// Makes a fault that computes the hash of archives in a way of its own, and so refuses nothing.
const fn miscomputed(
    id: &'static str,
    origin: &'static str,
    breaks: &'static [&'static str],
    sentence: &'static str,
    hooks: &'static [Hook],
) -> Fault {
    fault(id, origin, Seam::Model, breaks, sentence, hooks)
}

const LENIENT: Hook = Hook::Accepts(MAKES, &[R::TreeHashMismatch]);

pub(super) static FAULTS: &[Fault] = &[
    miscomputed(
        "archive-hash-linear",
        "B001",
        &["UA-HDR-003", "TH-ALG-002"],
        "the plain SHA-256 of an archive is stored and returned as its tree hash",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| store(realm, asked, linear)),
        ],
    ),
    miscomputed(
        "odd-node-duplicated",
        "own",
        &["TH-ALG-004"],
        "an unpaired node is hashed with itself",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    reduced(content.leaves(), parent, |odd| parent(odd, odd))
                });
            }),
        ],
    ),
    miscomputed(
        "odd-node-rehashed",
        "own",
        &["TH-ALG-004"],
        "an unpaired node is hashed once more on its way up",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    reduced(content.leaves(), parent, |odd| sha256(&odd.0))
                });
            }),
        ],
    ),
    miscomputed(
        "pairs-hashed-as-text",
        "own",
        &["TH-ALG-003"],
        "two nodes are joined as 128 hexadecimal digits instead of 64 bytes",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    reduced(
                        content.leaves(),
                        |left, right| sha256(format!("{left}{right}").as_bytes()),
                        |odd| odd,
                    )
                });
            }),
        ],
    ),
    miscomputed(
        "leaves-hashed-flat",
        "own",
        &["TH-ALG-003"],
        "all leaves are hashed at once, which is right for two of them",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| match content.leaves().as_slice() {
                    [leaf] => *leaf,
                    leaves => sha256(&leaves.iter().flat_map(|leaf| leaf.0).collect::<Vec<_>>()),
                });
            }),
        ],
    ),
    miscomputed(
        "leaves-decimal",
        "own",
        &["TH-ALG-001", "TH-ALG-002"],
        "leaves are cut at every 1,000,000 bytes",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    cut(content, |start| start + 1_000_000)
                });
            }),
        ],
    ),
    miscomputed(
        "leaves-per-buffer",
        "B011",
        &["TH-ALG-001"],
        "a leaf is whatever one read of 64 KiB gave",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| cut(content, |start| start + 65_536));
            }),
        ],
    ),
    miscomputed(
        "leaf-carry-off-by-one",
        "B012",
        &["TH-ALG-002", "TH-ALG-005"],
        "from the third mebibyte on leaves begin one byte late",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    cut(content, |start| {
                        if start == 2 * MIB {
                            3 * MIB + 1
                        } else {
                            start + MIB
                        }
                    })
                });
            }),
        ],
    ),
    miscomputed(
        "last-leaf-padded",
        "own",
        &["TH-ALG-001", "TH-ALG-002"],
        "the last leaf is filled with zeros to a whole mebibyte",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    let missing = content.length().next_multiple_of(MIB) - content.length();
                    let zeros = Content::from(vec![0_u8; missing as usize]);
                    Content::concat(&[content.clone(), zeros]).tree_hash()
                });
            }),
        ],
    ),
    miscomputed(
        "right-child-first",
        "own",
        &["TH-ALG-003"],
        "the right child is hashed before the left",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    reduced(
                        content.leaves(),
                        |left, right| parent(right, left),
                        |odd| odd,
                    )
                });
            }),
        ],
    ),
    miscomputed(
        "promotion-ends-at-one-level",
        "own",
        &["TH-ALG-005"],
        "a node that was promoted once is duplicated at the next level, which shows from five leaves on",
        &[
            LENIENT,
            Hook::After(|realm, asked, _, _| {
                store(realm, asked, |content| {
                    let leaves = content.leaves();
                    let pairs: Vec<Digest> = leaves.chunks(2).map(combine).collect();
                    if leaves.len() > 4 && leaves.len() % 2 == 1 && pairs.len() % 2 == 1 {
                        reduced(pairs, parent, |odd| parent(odd, odd))
                    } else {
                        combine(&leaves)
                    }
                });
            }),
        ],
    ),
    fault(
        "upload-hash-not-compared",
        "B002",
        Seam::Model,
        &["UA-HASH-001"],
        "the tree hash of an upload is stored as claimed and never compared",
        &[
            Hook::Accepts(&[O::UploadArchive], &[R::TreeHashMismatch]),
            Hook::After(|realm, asked, _, _| {
                if let Action::UploadArchive { tree_hash, .. } = &asked.action
                    && let (Some(claim), Some(archive)) =
                        (literal(tree_hash), archive(realm, asked))
                {
                    archive.tree_hash = claim;
                }
            }),
        ],
    ),
    fault(
        "completion-hash-not-compared",
        "B004",
        Seam::Model,
        &["CMU-HASH-001"],
        "the tree hash of a completion becomes that of the archive, whatever it is",
        &[
            Hook::Accepts(&[O::CompleteMultipartUpload], &[R::TreeHashMismatch]),
            Hook::After(|realm, asked, _, _| {
                if let Action::CompleteMultipartUpload { tree_hash, .. } = &asked.action
                    && let (Some(claim), Some(archive)) =
                        (literal(tree_hash), archive(realm, asked))
                {
                    archive.tree_hash = claim;
                }
            }),
        ],
    ),
    fault(
        "part-hash-linear",
        "B005",
        Seam::Model,
        &["UMP-HDR-001", "LP-PARTS-002"],
        "the hash of a part is its plain SHA-256, in the answer and in ListParts",
        &[
            Hook::Accepts(&[O::UploadMultipartPart], &[R::TreeHashMismatch]),
            Hook::After(|realm, asked, _, _| {
                if let Action::UploadMultipartPart { content, .. } = &asked.action {
                    let upload = vault(realm, asked)
                        .and_then(|vault| vault.uploads.get_mut(upload_id(asked)));
                    let parts = upload
                        .into_iter()
                        .flat_map(|upload| upload.parts.values_mut());
                    parts
                        .filter(|part| part.content == *content)
                        .for_each(|part| part.tree_hash = linear(content));
                }
            }),
            Hook::Replies(|draft, told, _| {
                if let (true, Action::UploadMultipartPart { content, .. }) =
                    (done(told, O::UploadMultipartPart), &told.asked.action)
                {
                    draft.headers.set(HASH, linear(content).to_string());
                }
            }),
        ],
    ),
    fault(
        "part-hash-not-compared",
        "B005",
        Seam::Model,
        &["UMP-HASH-001"],
        "the tree hash of a part is never compared with the part",
        &[Hook::Accepts(
            &[O::UploadMultipartPart],
            &[R::TreeHashMismatch],
        )],
    ),
    fault(
        "one-hash-for-archive-and-range",
        "B007",
        Seam::Reply,
        &["DJ-AR-003"],
        "jobs tell no ArchiveSHA256TreeHash, only the hash of what is retrieved",
        &[Hook::Replies(|draft, told, _| {
            jobs(draft, told).into_iter().for_each(|job| {
                job["ArchiveSHA256TreeHash"] = Value::Null;
            });
        })],
    ),
    fault(
        "job-hashes-and-size-are-placeholders",
        "B008",
        Seam::Reply,
        &["DJ-AR-002", "DJ-AR-003"],
        "a finished archive job tells a size of 0 and no hashes",
        &[Hook::Replies(|draft, told, _| {
            let finished = jobs(draft, told)
                .into_iter()
                .filter(|job| retrieves(job) && job["Completed"] == true);
            for job in finished {
                job["ArchiveSizeInBytes"] = Value::from(0);
                job["ArchiveSHA256TreeHash"] = Value::Null;
                job["SHA256TreeHash"] = Value::Null;
            }
        })],
    ),
    fault(
        "large-uploads-not-compared",
        "B010",
        Seam::Model,
        &["UA-HASH-001", "UA-HASH-006"],
        "tree hashes are compared for bodies of one leaf only",
        &[Hook::Decides(|decision, asked, _, _| {
            excuse(decision, asked, |_, content| content.length() > MIB);
        })],
    ),
    fault(
        "large-uploads-not-compared-past-four-mebibytes",
        "B013",
        Seam::Model,
        &["UA-HASH-001"],
        "tree hashes are not compared for bodies of more than 4 MiB, where the count of leaves overflows",
        &[Hook::Decides(|decision, asked, _, _| {
            excuse(decision, asked, |_, content| content.length() > 4 * MIB);
        })],
    ),
    fault(
        "completion-takes-the-hash-of-nothing",
        "B014",
        Seam::Model,
        &["CMU-HASH-001"],
        "a completion with the hash of an empty body is accepted",
        &[Hook::Decides(|decision, asked, _, _| {
            if let Action::CompleteMultipartUpload {
                tree_hash: Claim::Literal(text),
                ..
            } = &asked.action
            {
                let mismatch = refused_for(decision, R::TreeHashMismatch);
                if mismatch && text == NOTHING {
                    *decision = Decision::Accept;
                }
            }
        })],
    ),
    fault(
        "linear-hash-will-do",
        "B015",
        Seam::Model,
        &["UA-HASH-006"],
        "a plain SHA-256 is accepted where a tree hash belongs",
        &[Hook::Decides(|decision, asked, _, _| {
            excuse(decision, asked, |claim, content| claim == linear(content));
        })],
    ),
    fault(
        "body-never-hashed",
        "B016",
        Seam::Model,
        &["UA-HASH-001", "UA-HASH-005"],
        "neither checksum of an upload is compared with the bytes that came",
        &[Hook::Accepts(
            &[O::UploadArchive],
            &[R::TreeHashMismatch, R::ContentHashMismatch],
        )],
    ),
    fault(
        "content-hash-ignored",
        "B134",
        Seam::Model,
        &["UMP-HASH-002", "UA-HASH-005"],
        "x-amz-content-sha256 is never compared with the body",
        &[Hook::Accepts(&[], &[R::ContentHashMismatch])],
    ),
    fault(
        "part-content-hash-ignored-when-resent",
        "own",
        Seam::Model,
        &["UMP-HASH-002"],
        "x-amz-content-sha256 is compared only on the first attempt at a part",
        &[Hook::Decides(|decision, asked, _, memory| {
            let mismatch = refused_for(decision, R::ContentHashMismatch);
            if mismatch && !asked.early && memory.count(upload_id(asked)) > 1 {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "missing-checksums-filled-in",
        "B049",
        Seam::Model,
        &["UA-HASH-003", "UMP-HASH-003"],
        "uploads without checksum headers are accepted",
        &[Hook::Accepts(
            &[O::UploadArchive, O::UploadMultipartPart],
            &[R::TreeHashMissing, R::ContentHashMissing],
        )],
    ),
    fault(
        "completion-hash-filled-in",
        "B020",
        Seam::Model,
        &["CMU-HASH-003"],
        "a completion without tree hash is accepted, and the hash computed",
        &[Hook::Accepts(
            &[O::CompleteMultipartUpload],
            &[R::TreeHashMissing],
        )],
    ),
    fault(
        "malformed-hash-accepted",
        "own",
        Seam::Model,
        &["UA-HASH-007"],
        "a tree hash that is no hash counts as none and is accepted",
        &[Hook::Accepts(&[O::UploadArchive], &[R::TreeHashMalformed])],
    ),
    fault(
        "hashes-in-upper-case",
        "B018",
        Seam::Reply,
        &["TH-ALG-006"],
        "x-amz-sha256-tree-hash is written in upper case",
        &[Hook::Replies(|draft, _, _| {
            if let Some(hash) = draft.headers.value(HASH).map(str::to_uppercase) {
                draft.headers.set(HASH, hash);
            }
        })],
    ),
    fault(
        "range-hash-is-that-of-the-archive",
        "own",
        Seam::Reply,
        &["DJ-AR-007"],
        "SHA256TreeHash of a ranged job is the hash of the whole archive",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told)
                .into_iter()
                .filter(|job| job["SHA256TreeHash"].is_string())
            {
                job["SHA256TreeHash"] = job["ArchiveSHA256TreeHash"].clone();
            }
        })],
    ),
    fault(
        "loose-range-gets-a-hash",
        "own",
        Seam::Reply,
        &["DJ-AR-008"],
        "SHA256TreeHash is told for ranges that are no node of the tree",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told)
                .into_iter()
                .filter(|job| retrieves(job) && job["SHA256TreeHash"].is_null())
            {
                job["SHA256TreeHash"] = sha256(text(job, "RetrievalByteRange").as_bytes())
                    .to_string()
                    .into();
            }
        })],
    ),
    fault(
        "ragged-range-has-no-hash",
        "own",
        Seam::Reply,
        &["TH-RANGE-001", "TH-RANGE-004"],
        "SHA256TreeHash is null for a range that ends with the archive off a mebibyte",
        &[Hook::Replies(|draft, told, _| {
            for job in jobs(draft, told) {
                let size = job["ArchiveSizeInBytes"].as_u64().unwrap_or_default();
                let range =
                    crevasse_core::range::parse_retrieval_range(text(job, "RetrievalByteRange"));
                let ragged =
                    |range: ByteRange| range.start > 0 && range.end == size && size % MIB != 0;
                if range.is_some_and(|range| ragged(range) && megabyte_aligned(range, size)) {
                    job["SHA256TreeHash"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "completion-tells-no-hash",
        "own",
        Seam::Reply,
        &["CMU-HDR-002"],
        "the answer to a completion has no x-amz-sha256-tree-hash",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::CompleteMultipartUpload) {
                draft.headers.remove(HASH);
            }
        })],
    ),
    fault(
        "upload-echoes-the-content-hash",
        "own",
        Seam::Reply,
        &["UA-HDR-003"],
        "the tree hash in the answer to an upload is x-amz-content-sha256",
        &[Hook::Replies(|draft, told, _| {
            if let (true, Action::UploadArchive { content, .. }) =
                (done(told, O::UploadArchive), &told.asked.action)
            {
                draft.headers.set(HASH, linear(content).to_string());
            }
        })],
    ),
];
