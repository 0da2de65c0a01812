//! What a download is: the bytes that were asked for, or which others.

use super::jobs::{Retrieval, known_job, retrieval_range_ignored, same_job};
use super::subject::{earlier, live_vault};
use super::vaults::was_made_again;
use super::{Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Job, JobStatus};
use crate::range::{ByteRange, RangeHeader, Resolved, parse_range_header};
use crate::spec::OperationName as O;
use crate::treehash::{Digest, MIB, combine, tree_hash};
use crate::wire::{ObservedBody, Response};

/// The whole output of a job, as far as it is known.
pub(super) enum Output<'a> {
    /// As it must be: this part of this archive.
    Stored(Retrieval<'a>),
    /// As it came without `Range`, where that is not what was stored or nobody knows what it must be.
    Seen(&'a ObservedBody),
}

impl Output<'_> {
    /// Bytes of all of it.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Stored(retrieval) => retrieval.range.len(),
            Self::Seen(body) => body.length,
        }
    }

    /// The tree hash of a part of it, if enough is known.
    pub(super) fn tree_hash_of(&self, range: ByteRange) -> Option<Digest> {
        if range.end > self.length() {
            return None;
        }
        match self {
            Self::Stored(retrieval) if range.len() == retrieval.size() => Some(retrieval.tree_hash),
            Self::Stored(retrieval) => {
                let absolute = range.offset_by(retrieval.range.start)?;
                Some(retrieval.content.recall_tree_hash_of(absolute))
            }
            Self::Seen(body) if range.len() == body.length => Some(body.tree_hash),
            Self::Seen(body) => part_of_seen(body, range),
        }
    }
}

/// From the bytes kept, or from the hashes of whole leaves.
fn part_of_seen(body: &ObservedBody, range: ByteRange) -> Option<Digest> {
    if let Some(bytes) = body.prefix.get(range.start as usize..range.end as usize) {
        return Some(tree_hash(bytes));
    }
    let aligned = range.start.is_multiple_of(MIB)
        && (range.end.is_multiple_of(MIB) || range.end == body.length);
    let leaves = body
        .leaves
        .get((range.start / MIB) as usize..range.end.div_ceil(MIB) as usize)?;
    aligned.then(|| combine(leaves))
}

/// What a body is, next to what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// What was asked for; or as long as that, where the bytes are not known.
    Right,
    /// The whole output.
    WholeOutput,
    /// The whole archive, though the job was for a part of it.
    WholeArchive,
    /// One byte less, one more, or one off.
    OffByOne,
    /// The range asked for, of the archive instead of the output.
    OfArchive,
    /// Nothing.
    Empty,
    /// Anything else.
    Unknown,
}

impl Likeness {
    /// Compares a body with the range of an output that was asked for.
    pub(super) fn of(body: &ObservedBody, output: &Output<'_>, asked: ByteRange) -> Self {
        let is = |range: ByteRange| {
            body.length == range.len() && output.tree_hash_of(range) == Some(body.tree_hash)
        };
        let unknowable = output.tree_hash_of(asked).is_none() && asked.end <= output.length();
        if is(asked) || (unknowable && body.length == asked.len()) {
            return Self::Right;
        }
        if ByteRange::whole(output.length()).is_some_and(is) {
            return Self::WholeOutput;
        }
        if let Output::Stored(retrieval) = output {
            if !retrieval.is_whole()
                && body.length == retrieval.size()
                && body.tree_hash == retrieval.tree_hash
            {
                return Self::WholeArchive;
            }
            if is_of_archive(body, *retrieval, asked) {
                return Self::OfArchive;
            }
        }
        match body.length {
            0 => Self::Empty,
            _ if neighbours(asked).any(is) => Self::OffByOne,
            _ => Self::Unknown,
        }
    }

    /// Compares the body of an answer. A longer one under 200 claims to be the whole output (RFC 9110, 15.3.1), even where the bytes differ.
    pub(super) fn of_answer(response: &Response, output: &Output<'_>, asked: ByteRange) -> Self {
        let like = Self::of(&response.body, output, asked);
        let is_whole = response.status == 200 && response.body.length > asked.len();
        if like == Self::Unknown && is_whole && asked.len() < output.length() {
            Self::WholeOutput
        } else {
            like
        }
    }

    /// The cause it points to.
    pub(super) fn symptom(self) -> Symptom {
        match self {
            Self::WholeOutput => Symptom::new(
                "range-ignored",
                "the Range header of downloads is ignored: the whole output comes",
            ),
            Self::WholeArchive => retrieval_range_ignored(),
            Self::OffByOne => {
                Symptom::new("range-off-by-one", "a downloaded range is one byte off")
            }
            Self::OfArchive => Symptom::new(
                "range-of-archive",
                "Range is counted from the start of the archive, not of the output",
            ),
            Self::Empty => Symptom::new("output-empty", "the output of a job is empty"),
            Self::Right | Self::Unknown => Symptom::new(
                "output-wrong",
                "a download brings other bytes than asked for",
            ),
        }
    }
}

fn neighbours(asked: ByteRange) -> impl Iterator<Item = ByteRange> {
    let ByteRange { start, end } = asked;
    let off = [
        (Some(start), end.checked_sub(1)),
        (Some(start), end.checked_add(1)),
        (Some(start + 1), end.checked_add(1)),
    ];
    let before = [
        (start.checked_sub(1), end.checked_sub(1)),
        (Some(start + 1), Some(end)),
        (start.checked_sub(1), Some(end)),
    ];
    off.into_iter()
        .chain(before)
        .filter_map(|(start, end)| ByteRange::new(start?, end?))
}

fn is_of_archive(body: &ObservedBody, retrieval: Retrieval<'_>, asked: ByteRange) -> bool {
    retrieval.range.start > 0
        && asked.end <= retrieval.size()
        && body.length == asked.len()
        && body.tree_hash == retrieval.content.recall_tree_hash_of(asked)
}

/// A download of the output of a job that is known to be there.
pub(super) struct Download<'a> {
    /// The exchange.
    pub(super) now: &'a Observation,
    /// Those before it.
    pub(super) earlier: &'a [Observation],
    /// The job.
    pub(super) job: &'a Job,
    /// What it retrieves, unless it is an inventory.
    pub(super) retrieval: Option<Retrieval<'a>>,
    /// What is known of its whole output.
    pub(super) output: Option<Output<'a>>,
    /// The `Range` sent.
    pub(super) header: Option<RangeHeader>,
}

impl<'a> Download<'a> {
    /// The download an exchange is; `None` where it may rightly be refused for what it is, or nothing certain is known.
    pub(super) fn of(evidence: &Evidence<'a>) -> Option<Self> {
        let now = evidence
            .exchange()
            .filter(|now| now.operation == Some(O::GetJobOutput))?;
        Self::seen(now, earlier(evidence))
    }

    /// The same of an exchange before the one that is judged.
    pub(super) fn seen(now: &'a Observation, earlier: &'a [Observation]) -> Option<Self> {
        let job = known_job(now)?;
        let ready = job.status == JobStatus::Succeeded
            || (now.succeeded() && job.status == JobStatus::InProgress);
        let may_lead_nowhere = now.record.tweak.path.is_some() && !now.succeeded();
        // What a second creation of the vault does to its jobs has a rule of its own.
        let may_be_lost = !now.succeeded() && was_made_again(now, earlier);
        if !ready
            || may_lead_nowhere
            || may_be_lost
            || matches!(
                now.expectation,
                Expectation::Refuse(_) | Expectation::Blocked(_)
            )
        {
            return None;
        }
        let retrieval = Retrieval::of(job);
        let whole = whole_download(now, earlier);
        let output = match (retrieval, whole) {
            (Some(retrieval), Some(body)) if !is_stored(body, retrieval) => {
                Some(Output::Seen(body))
            }
            (Some(retrieval), _) => Some(Output::Stored(retrieval)),
            (None, body) => body.map(Output::Seen),
        };
        let header = now
            .exchange()
            .request
            .headers
            .value("range")
            .map(parse_range_header);
        Some(Self {
            now,
            earlier,
            job,
            retrieval,
            output,
            header,
        })
    }

    /// The successful response.
    pub(super) fn response(&self) -> Option<&'a Response> {
        self.now.response().filter(|response| response.is_success())
    }

    /// Bytes of the whole output, if known.
    pub(super) fn total(&self) -> Option<u64> {
        self.output
            .as_ref()
            .map(Output::length)
            .or_else(|| self.job.output_length())
    }

    /// What the `Range` sent stands for.
    pub(super) fn resolved(&self) -> Option<Resolved> {
        Some(self.header?.resolve(self.total()?))
    }

    /// The part of the output that is asked for, if it is one range or no range.
    pub(super) fn asked(&self) -> Option<ByteRange> {
        match self.header {
            None => ByteRange::whole(self.total()?),
            Some(_) => match self.resolved()? {
                Resolved::Partial(range) => Some(range),
                _ => None,
            },
        }
    }

    /// Whether a proper part of the output is asked for.
    pub(super) fn is_partial(&self) -> bool {
        self.header.is_some()
            && self
                .asked()
                .zip(self.total())
                .is_some_and(|(asked, total)| asked.len() < total)
    }

    /// What the body is; `None` without a successful response or where nothing is known of the output.
    pub(super) fn likeness(&self) -> Option<Likeness> {
        Some(Likeness::of_answer(
            self.response()?,
            self.output.as_ref()?,
            self.asked()?,
        ))
    }

    /// Whether an earlier download showed that what was stored does not come back as it was.
    pub(super) fn is_damaged(&self) -> bool {
        matches!((&self.output, self.retrieval), (Some(Output::Seen(body)), Some(retrieval)) if !is_whole_archive(body, retrieval))
            || self
                .retrieval
                .is_some_and(|retrieval| archive_is_damaged(self.now, self.earlier, retrieval))
    }

    /// Whether an earlier download of this job brought the whole archive instead of a part.
    pub(super) fn retrieval_range_was_ignored(&self) -> bool {
        matches!((&self.output, self.retrieval), (Some(Output::Seen(body)), Some(retrieval)) if !retrieval.is_whole() && is_whole_archive(body, retrieval))
    }

    /// Says that it cannot be judged, when that is because of an archive that is known to be damaged.
    pub(super) fn excused(&self, requirement: &'static str, out: &mut Judgements) -> bool {
        let damaged = self.is_damaged();
        if damaged {
            out.inconclusive(
                requirement,
                "the archive does not come back as it was stored",
            );
        }
        damaged
    }
}

/// The body of an earlier download without `Range`.
fn whole_download<'a>(now: &Observation, earlier: &'a [Observation]) -> Option<&'a ObservedBody> {
    let plain = |seen: &&Observation| {
        same_job(seen, now)
            && seen.operation == Some(O::GetJobOutput)
            && seen.status() == Some(200)
            && !has_range(seen)
    };
    earlier
        .iter()
        .rev()
        .find(plain)?
        .response()
        .map(|response| &response.body)
}

/// Whether a `Range` was sent.
pub(super) fn has_range(seen: &Observation) -> bool {
    seen.exchange().request.headers.value("range").is_some()
}

fn is_whole_archive(body: &ObservedBody, retrieval: Retrieval<'_>) -> bool {
    body.length == retrieval.size() && body.tree_hash == retrieval.tree_hash
}

fn is_stored(body: &ObservedBody, retrieval: Retrieval<'_>) -> bool {
    if retrieval.is_whole() {
        return is_whole_archive(body, retrieval);
    }
    body.length == retrieval.range.len()
        && body.tree_hash == retrieval.content.recall_tree_hash_of(retrieval.range)
}

/// Whether an earlier job for the whole archive brought something else.
fn archive_is_damaged(
    now: &Observation,
    earlier: &[Observation],
    retrieval: Retrieval<'_>,
) -> bool {
    let whole = earlier.iter().filter(|seen| {
        seen.operation == Some(O::GetJobOutput) && seen.status() == Some(200) && !has_range(seen)
    });
    whole
        .filter(|seen| seen.action().vault() == now.action().vault())
        .any(|seen| {
            let other = known_job(seen)
                .and_then(Retrieval::of)
                .filter(|other| other.archive == retrieval.archive && other.is_whole());
            other
                .zip(seen.response())
                .is_some_and(|(other, response)| !is_whole_archive(&response.body, other))
        })
}

/// The symptom of an archive that does not come back as it was stored, in one request or in parts.
pub(super) fn damage(now: &Observation, archive: &str) -> Symptom {
    let assembled = live_vault(&now.before, now.action()).is_some_and(|vault| {
        vault
            .uploads
            .values()
            .any(|upload| upload.completed.as_deref() == Some(archive))
    });
    if assembled {
        Symptom::new(
            "archive-misassembled",
            "an archive is not its parts in the order of their ranges",
        )
    } else {
        Symptom::new(
            "archive-damaged",
            "an archive does not come back as it was uploaded",
        )
    }
}

/// A body in a few words.
pub(super) fn bytes(body: &ObservedBody) -> String {
    format!("{} bytes", body.length)
}

/// What a body is as bytes of a content, for tests.
#[cfg(test)]
pub(super) fn observed(content: &crate::payload::Content) -> ObservedBody {
    let hashed = content.hashed();
    ObservedBody {
        length: content.length(),
        sha256: hashed.sha256,
        tree_hash: hashed.tree_hash,
        leaves: hashed.leaves,
        prefix: content
            .to_bytes()
            .into_iter()
            .take(ObservedBody::KEPT_BINARY)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Content, Payload};

    const SIZE: u64 = 13 * MIB / 2;

    fn archive() -> Content {
        Content::from(Payload::Pattern { length: SIZE })
    }

    fn range(first: u64, last: u64) -> ByteRange {
        ByteRange::inclusive(first, last).unwrap()
    }

    fn retrieval(content: &Content, range: ByteRange) -> Retrieval<'_> {
        Retrieval {
            archive: "a",
            archive_id: "id",
            content,
            tree_hash: content.tree_hash(),
            range,
        }
    }

    /// Rows of section 5.5 of the vectors: the hash of a download is that of the archive's bytes it stands for.
    #[test]
    fn a_download_is_counted_from_the_start_of_the_output() {
        let content = archive();
        let output = Output::Stored(retrieval(&content, range(2_097_152, 4_194_303)));
        let hash = |asked: ByteRange| output.tree_hash_of(asked).unwrap().to_string();
        assert_eq!(
            hash(range(0, 1_048_575)),
            "ee5ce4e1e982384eae0b671d1d52dbca6fe6f39e7b932a4703cd623b22e0eabe"
        );
        assert_eq!(
            hash(range(512, 1535)),
            "ff29997907aed0fcb4456a2e4b450fa978bfbcae5e79678279cfd70f928b03b1"
        );
        assert_eq!(output.tree_hash_of(range(0, 2_097_152)), None);
    }

    #[test]
    fn what_comes_instead_of_a_range_is_recognised() {
        let content = archive();
        let output = Output::Stored(retrieval(&content, range(2_097_152, 4_194_303)));
        let asked = range(0, 1_048_575);
        let like = |part: ByteRange| Likeness::of(&observed(&content.slice(part)), &output, asked);
        assert_eq!(like(range(2_097_152, 3_145_727)), Likeness::Right);
        assert_eq!(like(range(2_097_152, 4_194_303)), Likeness::WholeOutput);
        assert_eq!(like(range(0, SIZE - 1)), Likeness::WholeArchive);
        assert_eq!(like(range(2_097_152, 3_145_726)), Likeness::OffByOne);
        assert_eq!(like(range(2_097_152, 3_145_728)), Likeness::OffByOne);
        assert_eq!(like(range(2_097_153, 3_145_728)), Likeness::OffByOne);
        assert_eq!(like(range(0, 1_048_575)), Likeness::OfArchive);
        assert_eq!(like(range(5_000_000, 6_048_575)), Likeness::Unknown);
        assert_eq!(
            Likeness::of(&observed(&Content::empty()), &output, asked),
            Likeness::Empty
        );
    }

    #[test]
    fn parts_of_a_body_that_was_seen_are_known_from_its_first_bytes_and_its_leaves() {
        let content = archive();
        let body = observed(&content);
        let seen = Output::Seen(&body);
        for known in [
            range(0, 1023),
            range(100, 4095),
            range(1_048_576, 3_145_727),
            range(4_194_304, SIZE - 1),
            range(0, SIZE - 1),
        ] {
            assert_eq!(
                seen.tree_hash_of(known),
                Some(content.tree_hash_of(known)),
                "{known}"
            );
        }
        assert_eq!(seen.tree_hash_of(range(5000, 6000)), None);
        let unknowable = observed(&content.slice(range(5000, 6000)));
        assert_eq!(
            Likeness::of(&unknowable, &seen, range(5000, 6000)),
            Likeness::Right
        );
    }
}
