//! Job outputs: ranges, checksums, media types, and what is served when.

use crevasse_core::model::{Job, JobKind, JobStatus, Life, Refusal as R};
use crevasse_core::payload::Content;
use crevasse_core::range::{ByteRange, ContentRange};
use crevasse_core::scenario::Action;
use crevasse_core::spec::OperationName as O;
use crevasse_core::treehash::{MIB, megabyte_aligned, tree_hash_aligned};
use serde_json::Value;

use super::means::{
    asks, done, fault, job_id, jobs, named, refuse, refuse_parameter, refused_for, say, vault,
};
use super::{Decision, Fault, Hook, Seam};
use crate::render::{Draft, DraftBody, Output, Told, WireDamage, inventory_text};

const HASH: &str = "x-amz-sha256-tree-hash";

/// The output of an archive, when some of it is served.
fn archived<'a>(told: &Told<'a>) -> Option<&'a Output> {
    told.output.filter(|output| output.archive.is_some())
}

/// An inventory, when some of it is served.
fn inventoried<'a>(told: &Told<'a>) -> Option<&'a Output> {
    told.output.filter(|output| output.archive.is_none())
}

/// Serves other bytes under the `Content-Range` that goes with them.
fn serve(draft: &mut Draft, output: &Output, range: ByteRange) {
    let total = Some(output.whole.length());
    draft
        .headers
        .set("Content-Range", ContentRange { range, total }.to_string());
    draft.body = DraftBody::Content(output.whole.slice(range));
}

/// Serves all of it, as if no range had been asked for.
fn serve_all(draft: &mut Draft, output: &Output) {
    draft.status = 200;
    draft.headers.remove("Content-Range");
    draft.body = DraftBody::Content(output.whole.clone());
}

fn total(draft: &mut Draft, range: ByteRange, total: Option<u64>) {
    draft
        .headers
        .set("Content-Range", ContentRange { range, total }.to_string());
}

/// Forgets the checksum where something holds of the output.
fn no_checksum(draft: &mut Draft, told: &Told<'_>, when: fn(&Output) -> bool) {
    if archived(told).is_some_and(when) {
        draft.headers.remove(HASH);
    }
}

/// The bytes from 4 MiB on come from the beginning again.
fn wrapped(content: &Content) -> Content {
    const EDGE: u64 = 4 * MIB;
    let Some(late) = ByteRange::new(EDGE, content.length()) else {
        return content.clone();
    };
    let early = ByteRange {
        start: 0,
        end: EDGE,
    };
    let again = ByteRange {
        start: 0,
        end: late.len().min(EDGE),
    };
    let rest = late.len().saturating_sub(EDGE);
    let tail = ByteRange::new(content.length() - rest, content.length());
    let tail = tail.map_or_else(Content::empty, |tail| content.slice(tail));
    Content::concat(&[content.slice(early), content.slice(again), tail])
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "range-ignored",
        "B025",
        Seam::Model,
        &["GJO-STATUS-002", "GJO-SIZE-003"],
        "every download is the whole output, whatever the Range",
        &[Hook::Request(|asked, _| {
            if let Action::GetJobOutput { range, .. } = &mut asked.action {
                *range = None;
            }
        })],
    ),
    fault(
        "range-end-exclusive",
        "own",
        Seam::Reply,
        &["GJO-SIZE-003", "GJO-RANGE-012"],
        "the last byte of a Range is left out",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = told.output {
                let shorter = output
                    .part
                    .and_then(|part| ByteRange::new(part.start, part.end - 1));
                if let Some(part) = shorter {
                    serve(draft, output, part);
                }
            }
        })],
    ),
    fault(
        "range-past-the-end-closes",
        "B022",
        Seam::Wire,
        &["GJO-RANGE-006"],
        "a Range beyond the output makes the server drop the connection",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal == Some(R::OutputRangeBeyond) {
                draft.wire = WireDamage::Closed;
            }
        })],
    ),
    fault(
        "range-past-the-end-416",
        "B023",
        Seam::Model,
        &["GJO-RANGE-007"],
        "a Range beyond the output is answered 416 without a body",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal == Some(R::OutputRangeBeyond) {
                *draft = Draft::empty(416);
            }
        })],
    ),
    fault(
        "range-past-the-end-is-the-last-byte",
        "own",
        Seam::Model,
        &["GJO-RANGE-020"],
        "a Range beyond the output is answered 206 with the last byte",
        &[
            Hook::Accepts(&[O::GetJobOutput], &[R::OutputRangeBeyond]),
            Hook::Replies(|draft, told, _| {
                let Action::GetJobOutput {
                    range: Some(range), ..
                } = &told.asked.action
                else {
                    return;
                };
                let resolved = |output: &&Output| {
                    crevasse_core::range::parse_range_header(range).resolve(output.whole.length())
                };
                let beyond = |output: &&Output| {
                    resolved(output) == crevasse_core::range::Resolved::Unsatisfiable
                };
                if let Some(output) = told.output.filter(beyond) {
                    let length = output.whole.length();
                    draft.status = 206;
                    if let Some(last) = ByteRange::new(length.saturating_sub(1), length) {
                        serve(draft, output, last);
                    }
                }
            }),
        ],
    ),
    fault(
        "content-range-taken-for-range",
        "B029",
        Seam::Model,
        &["GJO-RANGE-008"],
        "a Range in the grammar of Content-Range counts",
        &[Hook::Request(|asked, _| {
            if let Action::GetJobOutput {
                range: Some(range), ..
            } = &mut asked.action
                && let Some(place) = ContentRange::parse(range)
            {
                *range = format!("bytes={}", place.range);
            }
        })],
    ),
    fault(
        "output-cut-in-the-middle",
        "B032",
        Seam::Wire,
        &["GJO-SIZE-001", "GJO-STATUS-001"],
        "the connection is closed within the body of an output",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = told.output {
                draft.wire = WireDamage::CutAfter(output.served().length() / 2);
            }
        })],
    ),
    fault(
        "large-output-stalls",
        "own",
        Seam::Wire,
        &["GJO-SIZE-001", "GJO-STATUS-001"],
        "outputs of more than 4 MiB stop halfway and never end",
        &[Hook::Replies(|draft, told, _| {
            if told
                .output
                .is_some_and(|output| output.served().length() > 4 * MIB)
            {
                draft.wire = WireDamage::Stall;
            }
        })],
    ),
    fault(
        "output-length-short",
        "own",
        Seam::Wire,
        &["GJO-SIZE-003", "GJO-SIZE-004"],
        "Content-Length of a partial output is one byte too small",
        &[Hook::Replies(|draft, told, _| {
            if told
                .output
                .is_some_and(|output| output.part.is_some_and(|part| part.len() > 1))
            {
                draft.wire = WireDamage::LengthOff(-1);
            }
        })],
    ),
    fault(
        "archive-output-empty",
        "B067",
        Seam::Reply,
        &["GJO-SIZE-001", "UA-DUR-001"],
        "the output of an archive job has no bytes",
        &[Hook::Replies(|draft, told, _| {
            if archived(told).is_some() {
                draft.body = DraftBody::Empty;
            }
        })],
    ),
    fault(
        "output-loses-its-last-byte-past-four-mebibytes",
        "own",
        Seam::Reply,
        &["GJO-SIZE-001"],
        "the whole output of more than 4 MiB ends one byte early",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told).filter(|output| output.part.is_none()) {
                let length = output.whole.length();
                if length > 4 * MIB {
                    draft.body = DraftBody::Content(output.whole.slice(ByteRange {
                        start: 0,
                        end: length - 1,
                    }));
                }
            }
        })],
    ),
    fault(
        "offsets-wrap-at-four-mebibytes",
        "own",
        Seam::Reply,
        &["GJO-SIZE-001", "GJO-RANGE-012"],
        "from 4 MiB on the bytes of the beginning come again",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told) {
                let wrong = wrapped(&output.whole);
                let served = output
                    .part
                    .map_or_else(|| wrong.clone(), |part| wrong.slice(part));
                draft.body = DraftBody::Content(served);
            }
        })],
    ),
    fault(
        "second-download-rotated",
        "own",
        Seam::Reply,
        &["GJO-IDEM-001"],
        "the second whole download of an output begins with its second byte",
        &[Hook::Replies(|draft, told, memory| {
            if let Some(output) = told.output.filter(|output| output.part.is_none()) {
                let again = memory.count(job_id(told.asked)) == 2;
                if let Some(rest) = ByteRange::new(1, output.whole.length()).filter(|_| again) {
                    let first = output.whole.slice(ByteRange { start: 0, end: 1 });
                    draft.body =
                        DraftBody::Content(Content::concat(&[output.whole.slice(rest), first]));
                }
            }
        })],
    ),
    fault(
        "output-served-once",
        "own",
        Seam::Model,
        &["GJO-STATE-006"],
        "an output is gone once it was downloaded whole",
        &[Hook::Decides(|decision, asked, _, memory| {
            let whole = matches!(&asked.action, Action::GetJobOutput { range: None, .. });
            let ready = *decision == super::Decision::Accept;
            if whole && ready && memory.count(job_id(asked)) > 1 {
                refuse(decision, 404, "ResourceNotFoundException");
            }
        })],
    ),
    fault(
        "ranges-capped-at-a-mebibyte",
        "own",
        Seam::Reply,
        &["GJO-SIZE-003"],
        "no partial answer has more than 1 MiB",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = told.output {
                let long = output.part.filter(|part| part.len() > MIB);
                if let Some(part) = long {
                    serve(
                        draft,
                        output,
                        ByteRange {
                            start: part.start,
                            end: part.start + MIB,
                        },
                    );
                }
            }
        })],
    ),
    fault(
        "ranges-begin-at-mebibytes",
        "own",
        Seam::Reply,
        &["GJO-SIZE-003", "GJO-RANGE-012"],
        "the first byte of a partial answer is moved down to a mebibyte",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = told.output
                && let Some(part) = output.part
            {
                serve(
                    draft,
                    output,
                    ByteRange {
                        start: part.start / MIB * MIB,
                        end: part.end,
                    },
                );
            }
        })],
    ),
    fault(
        "content-range-total-of-the-archive",
        "own",
        Seam::Reply,
        &["GJO-RANGE-003"],
        "the total in Content-Range is the size of the archive, also of a ranged retrieval",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told) {
                let size = output
                    .archive
                    .as_ref()
                    .map(|archive| archive.content.length());
                if let Some(part) = output.part {
                    total(draft, part, size);
                }
            }
        })],
    ),
    fault(
        "content-range-without-total",
        "own",
        Seam::Reply,
        &["GJO-RANGE-002", "GJO-RANGE-003"],
        "the total in Content-Range is an asterisk",
        &[Hook::Replies(|draft, told, _| {
            if let Some(part) = told.output.and_then(|output| output.part) {
                total(draft, part, None);
            }
        })],
    ),
    fault(
        "content-range-end-exclusive",
        "own",
        Seam::Reply,
        &["GJO-RANGE-002"],
        "the last position in Content-Range is one too far",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = told.output
                && let Some(part) = output.part
            {
                total(
                    draft,
                    ByteRange {
                        start: part.start,
                        end: part.end + 1,
                    },
                    Some(output.whole.length()),
                );
            }
        })],
    ),
    fault(
        "content-range-missing",
        "own",
        Seam::Reply,
        &["GJO-RANGE-002"],
        "partial answers have no Content-Range",
        &[Hook::Replies(|draft, _, _| {
            draft.headers.remove("Content-Range");
        })],
    ),
    fault(
        "range-counts-from-the-archive",
        "own",
        Seam::Reply,
        &["GJO-RANGE-001"],
        "the Range of a ranged retrieval counts from the first byte of the archive",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told)
                && let (Some(part), Some(archive)) = (output.part, &output.archive)
            {
                draft.body = DraftBody::Content(archive.content.slice(part));
            }
        })],
    ),
    fault(
        "partial-answers-say-200",
        "own",
        Seam::Reply,
        &["GJO-STATUS-002"],
        "a partial answer has status 200",
        &[Hook::Replies(|draft, _, _| {
            if draft.status == 206 {
                draft.status = 200;
            }
        })],
    ),
    fault(
        "whole-outputs-say-206",
        "own",
        Seam::Reply,
        &["GJO-STATUS-001"],
        "an output without Range has status 206",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = told.output.filter(|output| output.part.is_none()) {
                draft.status = 206;
                if let Some(whole) = output.served_range() {
                    serve(draft, output, whole);
                }
            }
        })],
    ),
    fault(
        "range-end-not-clamped",
        "own",
        Seam::Model,
        &["GJO-RANGE-005"],
        "a Range that ends beyond the output is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::GetJobOutput {
                vault,
                job,
                range: Some(range),
            } = &asked.action
            {
                let job = job.handle().and_then(|job| model.job(vault, job));
                let size = job.and_then(|(_, job)| job.output_length());
                let last = range
                    .rsplit('-')
                    .next()
                    .and_then(|last| last.parse::<u64>().ok());
                if matches!((size, last), (Some(size), Some(last)) if last >= size) {
                    refuse_parameter(decision);
                }
            }
        })],
    ),
    fault(
        "accept-ranges-missing",
        "own",
        Seam::Reply,
        &["GJO-ACCEPT-001"],
        "outputs do not say Accept-Ranges",
        &[Hook::Replies(|draft, _, _| {
            draft.headers.remove("Accept-Ranges");
        })],
    ),
    fault(
        "archive-output-called-json",
        "own",
        Seam::Reply,
        &["GJO-TYPE-001"],
        "the media type of an archive is application/json",
        &[Hook::Replies(|draft, told, _| {
            if archived(told).is_some() {
                draft.headers.set("Content-Type", "application/json");
            }
        })],
    ),
    fault(
        "csv-called-plain-text",
        "own",
        Seam::Reply,
        &["GJO-TYPE-003"],
        "the media type of a CSV inventory is text/plain",
        &[Hook::Replies(|draft, _, _| {
            if draft.headers.value("content-type") == Some("text/csv") {
                draft.headers.set("Content-Type", "text/plain");
            }
        })],
    ),
    fault(
        "inventory-called-octets",
        "own",
        Seam::Reply,
        &["GJO-TYPE-002"],
        "the media type of a JSON inventory is application/octet-stream",
        &[Hook::Replies(|draft, told, _| {
            if inventoried(told).is_some_and(|output| output.media_type == "application/json") {
                draft
                    .headers
                    .set("Content-Type", "application/octet-stream");
            }
        })],
    ),
    fault(
        "inventory-range-ignored",
        "own",
        Seam::Reply,
        &["GJO-RANGE-011"],
        "Range works for archives, and not for inventories",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = inventoried(told).filter(|output| output.part.is_some()) {
                serve_all(draft, output);
            }
        })],
    ),
    fault(
        "inventory-range-made-whole-json",
        "B088",
        Seam::Reply,
        &["GJO-RANGE-011", "GJO-SIZE-003"],
        "a range of an inventory is answered with a small document of its own",
        &[Hook::Replies(|draft, told, _| {
            if inventoried(told).is_some_and(|output| output.part.is_some()) {
                say(draft, 206, "application/json", r#"{"ArchiveList":[]}"#);
            }
        })],
    ),
    fault(
        "inventory-has-a-checksum",
        "own",
        Seam::Reply,
        &["GJO-HASH-010"],
        "inventories carry x-amz-sha256-tree-hash",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = inventoried(told) {
                draft
                    .headers
                    .set(HASH, output.served().tree_hash().to_string());
            }
        })],
    ),
    fault(
        "every-range-has-a-checksum",
        "B017",
        Seam::Reply,
        &["GJO-HASH-006"],
        "every partial answer carries the tree hash of its bytes, aligned or not",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told) {
                draft
                    .headers
                    .set(HASH, output.served().tree_hash().to_string());
            }
        })],
    ),
    fault(
        "range-checksum-is-that-of-the-archive",
        "B019",
        Seam::Reply,
        &["GJO-HASH-002", "GJO-HASH-008"],
        "the checksum of an aligned range is the tree hash of the archive",
        &[Hook::Replies(|draft, told, _| {
            if let Some(archive) = archived(told).and_then(|output| output.archive.as_ref())
                && draft.headers.value(HASH).is_some()
            {
                draft.headers.set(HASH, archive.tree_hash.to_string());
            }
        })],
    ),
    fault(
        "download-checksum-linear",
        "own",
        Seam::Reply,
        &["GJO-HASH-008"],
        "the checksum of a download is the plain SHA-256 of its bytes",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told)
                && draft.headers.value(HASH).is_some()
            {
                draft
                    .headers
                    .set(HASH, output.served().sha256().to_string());
            }
        })],
    ),
    fault(
        "loose-retrieval-has-a-checksum",
        "own",
        Seam::Reply,
        &["GJO-HASH-005", "GJO-HASH-008"],
        "the whole output of a retrieval that is not tree-hash aligned carries the tree hash of the archive",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told).filter(|output| output.part.is_none())
                && let Some(archive) = &output.archive
            {
                draft.headers.set(HASH, archive.tree_hash.to_string());
            }
        })],
    ),
    fault(
        "checksum-by-mebibytes",
        "own",
        Seam::Reply,
        &["GJO-HASH-007"],
        "every range between mebibytes carries its tree hash, a node of the tree or not",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = archived(told) {
                let aligned = output
                    .served_range()
                    .is_some_and(|served| megabyte_aligned(served, output.whole.length()));
                if aligned {
                    draft
                        .headers
                        .set(HASH, output.served().tree_hash().to_string());
                }
            }
        })],
    ),
    fault(
        "checksum-on-whole-outputs-only",
        "own",
        Seam::Reply,
        &["GJO-HASH-002"],
        "aligned ranges carry no checksum",
        &[Hook::Replies(|draft, told, _| {
            no_checksum(draft, told, |output| {
                output
                    .part
                    .is_some_and(|part| part.len() < output.whole.length())
            });
        })],
    ),
    fault(
        "ranged-retrieval-has-no-checksum",
        "own",
        Seam::Reply,
        &["GJO-HASH-003", "GJO-HASH-004"],
        "nothing of a ranged retrieval carries a checksum, aligned or not",
        &[Hook::Replies(|draft, told, _| {
            no_checksum(draft, told, |output| {
                output
                    .archive
                    .as_ref()
                    .is_some_and(|archive| archive.range.len() < archive.content.length())
            });
        })],
    ),
    fault(
        "ragged-end-has-no-checksum",
        "own",
        Seam::Reply,
        &["GJO-HASH-009"],
        "a range that ends with the archive off a mebibyte carries no checksum",
        &[Hook::Replies(|draft, told, _| {
            no_checksum(draft, told, |output| {
                output.part.is_some_and(|part| {
                    part.start > 0 && part.end == output.whole.length() && part.end % MIB != 0
                })
            });
        })],
    ),
    fault(
        "checksum-missing-for-a-whole-range",
        "own",
        Seam::Reply,
        &["GJO-HASH-012"],
        "a Range that covers the whole output loses the checksum",
        &[Hook::Replies(|draft, told, _| {
            no_checksum(draft, told, |output| {
                output
                    .part
                    .is_some_and(|part| part.len() == output.whole.length())
            });
        })],
    ),
    fault(
        "checksum-of-large-nodes-only",
        "own",
        Seam::Reply,
        &["GJO-HASH-011", "GJO-HASH-002"],
        "ranges of one mebibyte that begin at an odd one carry no checksum",
        &[Hook::Replies(|draft, told, _| {
            no_checksum(draft, told, |output| {
                output.part.is_some_and(|part| {
                    (part.start / MIB) % 2 == 1 && tree_hash_aligned(part, output.whole.length())
                })
            });
        })],
    ),
    fault(
        "description-header-missing",
        "B035",
        Seam::Reply,
        &["GJO-DESC-001"],
        "outputs of archives carry no x-amz-archive-description",
        &[Hook::Replies(|draft, _, _| {
            draft.headers.remove("x-amz-archive-description");
        })],
    ),
    fault(
        "description-header-of-the-job",
        "own",
        Seam::Reply,
        &["GJO-DESC-001", "GJO-DESC-002"],
        "x-amz-archive-description is always there, and says archive",
        &[Hook::Replies(|draft, told, _| {
            if archived(told).is_some() {
                draft.headers.set("x-amz-archive-description", "archive");
            }
        })],
    ),
    fault(
        "unfinished-output-served",
        "own",
        Seam::Model,
        &["GJO-STATE-001"],
        "the output of a job in progress can be had",
        &[Hook::Accepts(&[O::GetJobOutput], &[R::JobNotReady])],
    ),
    fault(
        "unfinished-inventory-served-after-another",
        "own",
        Seam::Model,
        &["GJO-STATE-001"],
        "the output of an inventory job in progress can be had once the vault has another inventory",
        &[Hook::Decides(|decision, asked, model, _| {
            let refused = refused_for(decision, R::JobNotReady);
            let inventory = |job: &Job| matches!(job.kind, JobKind::Inventory { .. });
            let jobs = || {
                model
                    .vaults
                    .get(asked.vault())
                    .into_iter()
                    .flat_map(|vault| &vault.jobs)
            };
            let own = jobs().any(|(id, job)| id == job_id(asked) && inventory(job));
            let another =
                jobs().any(|(_, job)| inventory(job) && job.status == JobStatus::Succeeded);
            if refused && own && another {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "unfinished-output-served-in-parts",
        "own",
        Seam::Model,
        &["GJO-STATE-001"],
        "a range of the output of a job in progress can be had",
        &[Hook::Decides(|decision, asked, _, _| {
            let refused = refused_for(decision, R::JobNotReady);
            if refused && matches!(&asked.action, Action::GetJobOutput { range: Some(_), .. }) {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "unfinished-output-not-found",
        "B071",
        Seam::Model,
        &["GJO-STATE-002"],
        "the output of a job in progress is not found",
        &[Hook::Says(
            &[R::JobNotReady],
            404,
            "ResourceNotFoundException",
        )],
    ),
    fault(
        "failed-output-served",
        "own",
        Seam::Model,
        &["GJO-STATE-003"],
        "the output of a failed job can be had",
        &[Hook::Accepts(&[O::GetJobOutput], &[R::JobFailed])],
    ),
    fault(
        "job-uri-gives-the-output",
        "B078",
        Seam::Model,
        &["DJ-STATUS-001"],
        "the URI of a finished job gives its output instead of its description",
        &[
            Hook::Request(|asked, memory| {
                if let Action::DescribeJob { vault, job } = &asked.action
                    && memory.kept(job.handle().unwrap_or_default()).is_some()
                {
                    asked.action = Action::GetJobOutput {
                        vault: vault.clone(),
                        job: job.clone(),
                        range: None,
                    };
                }
            }),
            Hook::Replies(|draft, told, memory| {
                for job in jobs(draft, told) {
                    if job["Completed"] == true {
                        memory.keep(job_id(told.asked), Value::Bool(true));
                    }
                }
            }),
        ],
    ),
    fault(
        "output-read-from-the-vault",
        "B074",
        Seam::Model,
        &["DA-EFFECT-002"],
        "an output is gone when its archive is",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::GetJobOutput { vault, job, .. } = &asked.action {
                let job = job.handle().and_then(|job| model.job(vault, job));
                let Some((home, JobKind::Archive { archive, .. })) =
                    job.map(|(home, job)| (home, &job.kind))
                else {
                    return;
                };
                let known = model.archive(&named(home), archive);
                if known.is_some_and(|(_, archive)| archive.life == Life::Gone) {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }
        })],
    ),
    fault(
        "inventory-read-from-the-vault",
        "B074",
        Seam::Model,
        &["GJO-IDEM-001"],
        "an inventory is taken anew for every download",
        &[Hook::Before(|realm, asked, _| {
            if asks(asked, O::GetJobOutput) {
                let id = job_id(asked).to_owned();
                let job = vault(realm, asked).and_then(|vault| vault.jobs.get(&id));
                let Some((JobKind::Inventory { format, .. }, Some(done))) =
                    job.map(|job| (job.kind.clone(), job.completed_at))
                else {
                    return;
                };
                realm.model.prepare_inventory(asked.vault(), &id, done);
                let inventory = vault(realm, asked).and_then(|vault| vault.inventory.clone());
                let arn = format!(
                    "arn:aws:glacier:{}:123456789012:vaults/{}",
                    asked.region,
                    asked.vault()
                );
                if let Some(inventory) = inventory {
                    realm.outputs.insert(
                        id,
                        inventory_text(&inventory, &format, &arn)
                            .into_bytes()
                            .into(),
                    );
                }
            }
        })],
    ),
    fault(
        "inventory-truncated",
        "B089",
        Seam::Reply,
        &["INV-JSON-001", "DJ-INV-002"],
        "inventories end after 1,000 bytes",
        &[Hook::Replies(|draft, told, _| {
            if let Some(output) = inventoried(told)
                .filter(|output| output.part.is_none() && output.whole.length() > 1000)
            {
                draft.body = DraftBody::Content(output.whole.slice(ByteRange {
                    start: 0,
                    end: 1000,
                }));
            }
        })],
    ),
    fault(
        "whole-output-has-a-content-range",
        "own",
        Seam::Reply,
        &["GJO-RANGE-004"],
        "an output served whole with 200 carries Content-Range",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::GetJobOutput)
                && draft.status == 200
                && let Some((output, whole)) = told
                    .output
                    .and_then(|output| Some((output, output.served_range()?)))
            {
                total(draft, whole, Some(output.whole.length()));
            }
        })],
    ),
    fault(
        "output-length-long",
        "own",
        Seam::Wire,
        &["GJO-SIZE-004"],
        "Content-Length of an output is one byte too great",
        &[Hook::Replies(|draft, told, _| {
            if told.output.is_some() {
                draft.wire = WireDamage::LengthOff(1);
            }
        })],
    ),
];
