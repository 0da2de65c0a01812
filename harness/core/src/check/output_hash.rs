//! Rules for the tree hash that a download carries: there when both the retrieval and the download are nodes of the tree of the archive.

use super::job_hashes::{is_ragged, looks_like_a_node};
use super::job_output::tiles;
use super::jobs::Retrieval;
use super::output::{Download, Likeness, damage};
use super::shape::shorten;
use super::treehash::{hash_missing, wrong_hash};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::range::{ByteRange, RangeHeader};
use crate::requirement::Level;
use crate::treehash::{Digest, MIB, combine, megabyte_aligned, tree_hash_aligned};

/// Tree hashes of downloads.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "output-hash",
        &[
            "GJO-HASH-001",
            "GJO-HASH-002",
            "GJO-HASH-003",
            "GJO-HASH-004",
            "GJO-HASH-009",
            "GJO-HASH-012",
            "GJO-HASH-013",
            "TH-RANGE-004",
        ],
        judge_due,
    ),
    Check::new(
        "output-hash-absent",
        &["GJO-HASH-005", "GJO-HASH-006", "GJO-HASH-007"],
        judge_undue,
    ),
    Check::new("output-hash-right", &["GJO-HASH-008"], judge_right),
    Check::new(
        "output-hash-by-structure",
        &["TH-RANGE-005"],
        judge_structure,
    ),
    Check::new(
        "inventory-hash",
        &["GJO-HASH-010", "GJO-HASH-008"],
        judge_inventory,
    ),
    Check::new("output-hashes-combine", &["GJO-HASH-011"], judge_chunks),
];

/// A download of a part or all of an archive.
struct Hashed<'a> {
    download: Download<'a>,
    retrieval: Retrieval<'a>,
    /// The bytes asked for, counted from the start of the archive: all, where a Range that need not be honoured is not (AMB-24).
    absolute: ByteRange,
    told: Option<&'a str>,
}

impl<'a> Hashed<'a> {
    fn of(evidence: &Evidence<'a>) -> Option<Self> {
        let download = Download::of(evidence)?;
        let told = download
            .response()?
            .headers
            .value("x-amz-sha256-tree-hash")
            .filter(|told| !told.is_empty());
        let retrieval = download.retrieval?;
        let whole = ByteRange::whole(retrieval.range.len());
        let asked = match download.now.status() {
            Some(200) if !is_single(&download) => whole?,
            _ => download.asked()?,
        };
        let absolute = asked
            .offset_by(retrieval.range.start)
            .filter(|absolute| retrieval.range.contains(*absolute))?;
        Some(Self {
            download,
            retrieval,
            absolute,
            told,
        })
    }

    fn is_partial(&self) -> bool {
        self.absolute.len() < self.retrieval.range.len()
    }

    /// Whether the whole archive is to come.
    fn is_all(&self) -> bool {
        self.retrieval.is_whole() && !self.is_partial()
    }

    fn size(&self) -> u64 {
        self.retrieval.size()
    }

    /// What the body is, next to what was stored.
    fn likeness(&self) -> Likeness {
        let stored = super::output::Output::Stored(self.retrieval);
        let asked = ByteRange {
            start: self.absolute.start - self.retrieval.range.start,
            end: self.absolute.end - self.retrieval.range.start,
        };
        self.download
            .response()
            .map_or(Likeness::Unknown, |response| {
                Likeness::of_answer(response, &stored, asked)
            })
    }

    /// Why the hash is missing or another one: another body, or the hash itself.
    fn symptom(&self) -> Symptom {
        match (self.likeness(), self.told) {
            (Likeness::Right, None) => hash_missing(self.download.now),
            (Likeness::Right, Some(told)) => wrong_part_hash(self.retrieval, self.absolute, told),
            (Likeness::Unknown | Likeness::Empty, _) if self.download.is_damaged() => {
                damage(self.download.now, self.retrieval.archive)
            }
            (Likeness::Unknown, _) if self.is_all() => {
                damage(self.download.now, self.retrieval.archive)
            }
            (other, _) => other.symptom(),
        }
    }
}

/// Whether one closed range is asked for, which is to be honoured.
fn is_single(download: &Download<'_>) -> bool {
    matches!(download.header, Some(RangeHeader::Single { .. }))
}

/// The symptom of a hash that is not that of the bytes it comes with.
fn wrong_part_hash(retrieval: Retrieval<'_>, absolute: ByteRange, told: &str) -> Symptom {
    let told_hash: Option<Digest> = told.parse().ok();
    if absolute.len() < retrieval.size() && told_hash == Some(retrieval.tree_hash) {
        return Symptom::new(
            "archive-hash-on-part",
            "a part of an archive is told with the tree hash of the whole",
        );
    }
    wrong_hash(&retrieval.content.slice(absolute), told)
}

/// The rules that a download with a hash is an example of.
fn illustrated(hashed: &Hashed<'_>) -> Vec<(&'static str, Level)> {
    let (job, bytes, size) = (hashed.retrieval.range, hashed.absolute, hashed.size());
    let whole_job = hashed.retrieval.is_whole();
    let ragged = is_ragged(bytes, size) && bytes.len() < size;
    let plain = hashed.download.header.is_none();
    let explicit = is_single(&hashed.download);
    let ragged_job = !whole_job && is_ragged(job, size);
    let examples = [
        ("GJO-HASH-001", Level::Must, whole_job && plain),
        (
            "GJO-HASH-012",
            Level::Must,
            whole_job && explicit && !hashed.is_partial(),
        ),
        (
            "GJO-HASH-002",
            if ragged { Level::Should } else { Level::Must },
            whole_job && hashed.is_partial(),
        ),
        ("GJO-HASH-009", Level::Must, whole_job && ragged),
        ("TH-RANGE-004", Level::Must, whole_job && ragged),
        (
            "GJO-HASH-003",
            Level::Must,
            !whole_job && !ragged_job && !hashed.is_partial(),
        ),
        (
            "GJO-HASH-004",
            Level::Must,
            !whole_job && !ragged_job && hashed.is_partial(),
        ),
        ("GJO-HASH-013", Level::Should, ragged_job),
    ];
    examples
        .into_iter()
        .filter(|(.., applies)| *applies)
        .map(|(requirement, grade, _)| (requirement, grade))
        .collect()
}

fn judge_due(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(hashed) = Hashed::of(evidence) else {
        return;
    };
    let due = tree_hash_aligned(hashed.retrieval.range, hashed.size())
        && tree_hash_aligned(hashed.absolute, hashed.size());
    if !due {
        return;
    }
    let right = hashed
        .retrieval
        .content
        .recall_tree_hash_of(hashed.absolute);
    let kept = hashed.told.is_some_and(|told| told.parse() == Ok(right))
        && hashed.likeness() == Likeness::Right;
    let expected = format!("x-amz-sha256-tree-hash: {right}");
    for (requirement, grade) in illustrated(&hashed) {
        let actual = hashed
            .told
            .map_or_else(|| "no such header".to_owned(), shorten);
        if kept {
            out.held(requirement);
        } else if hashed.told.is_some() {
            out.violated(requirement, hashed.symptom(), expected.clone(), actual);
        } else {
            out.graded(
                requirement,
                grade,
                hashed.symptom(),
                expected.clone(),
                actual,
            );
        }
    }
}

/// No hash where a range is no node. Only what the documents agree on is demanded (AMB-04).
fn judge_undue(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(hashed) = Hashed::of(evidence) else {
        return;
    };
    let (job, bytes, size) = (hashed.retrieval.range, hashed.absolute, hashed.size());
    let requirement = match (
        tree_hash_aligned(job, size),
        megabyte_aligned(bytes, size),
        tree_hash_aligned(bytes, size),
    ) {
        (false, ..) => "GJO-HASH-005",
        (true, false, _) => "GJO-HASH-006",
        (true, true, false) => "GJO-HASH-007",
        (true, true, true) => return,
    };
    let like = hashed.likeness();
    if hashed.told.is_none() && like != Likeness::Right {
        return;
    }
    let symptom = || match like {
        Likeness::Right => Symptom::new(
            "hash-on-unaligned-range",
            "downloads that are no node of the hash tree carry a tree hash",
        )
        .about(requirement),
        _ => hashed.symptom(),
    };
    out.judge(
        requirement,
        hashed.told.is_none(),
        symptom,
        format!("no x-amz-sha256-tree-hash for {bytes}"),
        || shorten(hashed.told.unwrap_or_default()),
    );
}

/// Whatever is told is the tree hash of the bytes it comes with.
fn judge_right(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(hashed) = Hashed::of(evidence) else {
        return;
    };
    let (Some(told), Some(response)) = (hashed.told, hashed.download.response()) else {
        return;
    };
    let right = response.body.tree_hash;
    let symptom = || match hashed.likeness() {
        Likeness::Right => wrong_part_hash(hashed.retrieval, hashed.absolute, told),
        Likeness::WholeArchive => wrong_hash(hashed.retrieval.content, told),
        Likeness::WholeOutput => wrong_part_hash(hashed.retrieval, hashed.retrieval.range, told),
        _ => hashed.symptom(),
    };
    out.judge(
        "GJO-HASH-008",
        told.parse() == Ok(right),
        symptom,
        format!("x-amz-sha256-tree-hash: {right}"),
        || shorten(told),
    );
}

fn judge_structure(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(hashed) = Hashed::of(evidence).filter(|hashed| hashed.retrieval.is_whole()) else {
        return;
    };
    if !looks_like_a_node(hashed.retrieval.content, hashed.absolute)
        || hashed.likeness() != Likeness::Right
    {
        return;
    }
    let symptom = || {
        Symptom::new(
            "alignment-by-value",
            "equal hashes are taken for tree-hash alignment",
        )
    };
    out.judge(
        "TH-RANGE-005",
        hashed.told.is_none(),
        symptom,
        "no x-amz-sha256-tree-hash",
        || shorten(hashed.told.unwrap_or_default()),
    );
}

/// An inventory carries none (AMB-50); one that is there must be right.
fn judge_inventory(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence).filter(|download| download.retrieval.is_none())
    else {
        return;
    };
    let Some(response) = download.response() else {
        return;
    };
    let told = response
        .headers
        .value("x-amz-sha256-tree-hash")
        .filter(|told| !told.is_empty());
    let symptom = || Symptom::new("inventory-hash-told", "inventories carry a tree hash");
    out.judge(
        "GJO-HASH-010",
        told.is_none(),
        symptom,
        "no x-amz-sha256-tree-hash",
        || shorten(told.unwrap_or_default()),
    );
    if let Some(told) = told {
        let right = response.body.tree_hash;
        let symptom = || {
            Symptom::new(
                "inventory-hash-wrong",
                "the tree hash of an inventory is not that of its bytes",
            )
        };
        out.judge(
            "GJO-HASH-008",
            told.parse() == Ok(right),
            symptom,
            right.to_string(),
            || shorten(told),
        );
    }
}

/// The size of the chunks an archive was downloaded in, when they are equal powers of two MiB.
fn chunk(pieces: &[(ByteRange, &Observation)]) -> Option<u64> {
    let (last, rest) = pieces.split_last()?;
    let size = rest.first()?.0.len();
    let even = rest.iter().all(|(range, _)| range.len() == size) && last.0.len() <= size;
    (even && size.is_multiple_of(MIB) && (size / MIB).is_power_of_two()).then_some(size)
}

/// The hashes of equal chunks combine to that of the archive.
fn judge_chunks(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(hashed) = Hashed::of(evidence).filter(|hashed| hashed.retrieval.is_whole()) else {
        return;
    };
    let Some(pieces) = tiles(&hashed.download) else {
        return;
    };
    let Some(size) = chunk(&pieces) else { return };
    for (_, seen) in &pieces {
        out.also_rests_on(seen.index);
    }
    let grade = if hashed.size().is_multiple_of(size) {
        Level::Must
    } else {
        Level::Should
    };
    let expected = format!("tree hashes that combine to {}", hashed.retrieval.tree_hash);
    let told = |seen: &Observation| {
        seen.response().and_then(|response| {
            response
                .headers
                .value("x-amz-sha256-tree-hash")?
                .parse()
                .ok()
        })
    };
    let hashes: Vec<Option<Digest>> = pieces.iter().map(|(_, seen)| told(seen)).collect();
    let Some(hashes) = hashes.into_iter().collect::<Option<Vec<Digest>>>() else {
        let symptom = match hashed.likeness() {
            Likeness::Right => hash_missing(hashed.download.now),
            other => other.symptom(),
        };
        return out.graded(
            "GJO-HASH-011",
            grade,
            symptom,
            expected,
            "a chunk without x-amz-sha256-tree-hash",
        );
    };
    let combined = combine(&hashes);
    if combined == hashed.retrieval.tree_hash {
        out.held("GJO-HASH-011");
    } else {
        let symptom = match hashed.likeness() {
            Likeness::Right
                if hashed.told.is_some_and(|told| {
                    told.parse()
                        == Ok(hashed
                            .retrieval
                            .content
                            .recall_tree_hash_of(hashed.absolute))
                }) =>
            {
                Symptom::new(
                    "chunk-hashes-do-not-combine",
                    "tree hashes of chunks do not combine to that of the archive",
                )
            }
            _ => hashed.symptom(),
        };
        out.graded(
            "GJO-HASH-011",
            grade,
            symptom,
            expected,
            format!("they combine to {combined}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::by_hand::{Case, json, status};
    use super::*;
    use crate::payload::{Content, Payload};

    /// AMB-24: a suffix may be ignored, and then the hash is that of the whole.
    #[test]
    fn a_range_that_may_be_ignored_asks_for_the_whole_when_it_is() {
        let whole = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
        let asked = |range: &str, code: u16, bytes: &[u8], hash: &str| {
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .then("UploadArchive: {vault: v, archive: a, content: {text: '0123456789'}}", status(201).with("x-amz-archive-id", "A"))
                .then("InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}", status(202).with("x-amz-job-id", "J"))
                .then("DescribeJob: {vault: v, job: j}", json(200, json!({"JobId": "J", "StatusCode": "Succeeded", "Completed": true})))
                .then(&format!("GetJobOutput: {{vault: v, job: j, range: '{range}'}}"), status(code).bytes(bytes.to_vec()).with("x-amz-sha256-tree-hash", hash))
        };
        let ignored = asked("bytes=-3", 200, b"0123456789", whole);
        assert!(ignored.said("GJO-HASH-006").is_empty() && ignored.holds("GJO-HASH-008"));
        let kept = asked("bytes=-3", 206, b"789", whole);
        assert_eq!(kept.breaks("GJO-HASH-006").len(), 1);
        assert_eq!(
            asked("bytes=7-9", 206, b"789", whole)
                .breaks("GJO-HASH-006")
                .len(),
            1
        );
    }

    #[test]
    fn the_hash_of_the_whole_on_a_part_is_named() {
        let content = Content::from(Payload::Pattern {
            length: 13 * MIB / 2,
        });
        let whole = ByteRange {
            start: 0,
            end: content.length(),
        };
        let retrieval = Retrieval {
            archive: "a",
            archive_id: "id",
            content: &content,
            tree_hash: content.tree_hash(),
            range: whole,
        };
        let part = ByteRange {
            start: MIB,
            end: 2 * MIB,
        };
        // The tree hash and the linear hash of 6.5 MiB of F1, section 3 of the vectors.
        let tree = "6fc4d8ad8ecc22fbf0ac660a58411cf4892593862a9a31bab040264b99949386";
        let linear = "8caea707defa61372b0cb45e9e558f0b08eba30d2fc6bca2c0fbf1e09094142b";
        assert_eq!(
            wrong_part_hash(retrieval, part, tree).id,
            "archive-hash-on-part"
        );
        assert_eq!(
            wrong_part_hash(retrieval, whole, linear).id,
            "linear-sha256"
        );
        assert_eq!(
            wrong_part_hash(retrieval, part, linear).id,
            "tree-hash-wrong"
        );
    }
}
