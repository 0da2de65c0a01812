//! What an exchange says about a job: the request that began it, what it must bring, and the symptoms that several families share.

use serde_json::Value;

use super::documents::sent;
use super::subject::{job, same_vault};
use super::{Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Archive, Job, JobKind, Model};
use crate::payload::Content;
use crate::range::{ByteRange, parse_retrieval_range};
use crate::scenario::{Action, Ref};
use crate::spec::OperationName as O;
use crate::treehash::Digest;

/// An archive retrieval, as the model remembers it.
#[derive(Clone, Copy)]
pub(super) struct Retrieval<'a> {
    /// The handle of the archive.
    pub(super) archive: &'a str,
    /// Its id on the wire.
    pub(super) archive_id: &'a str,
    /// Its bytes.
    pub(super) content: &'a Content,
    /// Its tree hash.
    pub(super) tree_hash: Digest,
    /// What is retrieved of them.
    pub(super) range: ByteRange,
}

impl<'a> Retrieval<'a> {
    /// The retrieval a job is, unless it is something else.
    pub(super) fn of(job: &'a Job) -> Option<Self> {
        match &job.kind {
            JobKind::Archive {
                archive,
                archive_id,
                content,
                tree_hash,
                range,
                ..
            } => Some(Self {
                archive,
                archive_id,
                content,
                tree_hash: *tree_hash,
                range: *range,
            }),
            _ => None,
        }
    }

    /// The size of the archive.
    pub(super) fn size(&self) -> u64 {
        self.content.length()
    }

    /// Whether the whole archive is retrieved.
    pub(super) fn is_whole(&self) -> bool {
        self.range.len() == self.size()
    }
}

/// The job an exchange describes or downloads, as known before it, when there is no doubt about it.
pub(super) fn known_job(now: &Observation) -> Option<&Job> {
    job(&now.before, now.action())
}

/// The handle of the job an exchange describes or downloads.
pub(super) fn job_handle(action: &Action) -> Option<&str> {
    job_ref(action)?.handle()
}

/// The job an exchange describes or downloads, as the scenario names it.
pub(super) fn job_ref(action: &Action) -> Option<&Ref> {
    match action {
        Action::DescribeJob { job, .. } | Action::GetJobOutput { job, .. } => Some(job),
        _ => None,
    }
}

/// Whether both exchanges describe or download the same job.
pub(super) fn same_job(one: &Observation, other: &Observation) -> bool {
    same_vault(one, other)
        && job_ref(one.action()).is_some()
        && job_ref(one.action()) == job_ref(other.action())
}

/// The exchange that began the job of this one.
pub(super) fn begun<'a>(now: &Observation, earlier: &'a [Observation]) -> Option<&'a Observation> {
    let handle = job_handle(now.action())?;
    let began = |seen: &&Observation| {
        matches!(seen.action(), Action::InitiateJob { job, .. } if job == handle)
            && seen.succeeded()
            && same_vault(seen, now)
    };
    earlier.iter().rev().find(began)
}

/// A member that is neither null nor absent.
pub(super) fn given<'a>(document: &'a Value, pointer: &str) -> Option<&'a Value> {
    document.pointer(pointer).filter(|value| !value.is_null())
}

/// A text parameter of a job request.
pub(super) fn asked(now: &Observation, pointer: &str) -> Option<String> {
    given(&sent(now)?, pointer)?.as_str().map(str::to_owned)
}

/// What `Type` a job request asks for.
pub(super) fn asks_for(now: &Observation, kind: &str) -> bool {
    now.operation == Some(O::InitiateJob) && asked(now, "/Type").as_deref() == Some(kind)
}

/// The archive a job request names, when it is in the vault of the request.
pub(super) fn named_archive<'a>(model: &'a Model, action: &Action) -> Option<&'a Archive> {
    let Action::InitiateJob { vault, body, .. } = action else {
        return None;
    };
    let document = body.document()?;
    let id = document.get("ArchiveId")?.as_str()?;
    let (_, home, archive) = model.archive_called(vault, id)?;
    (Some(home) == vault.handle()).then_some(archive)
}

/// `RetrievalByteRange` of a job request, and the size of its archive.
pub(super) fn asked_range(now: &Observation) -> Option<(ByteRange, u64)> {
    let range = parse_retrieval_range(&asked(now, "/RetrievalByteRange")?)?;
    Some((
        range,
        named_archive(&now.before, now.action())?.content.length(),
    ))
}

/// A time in an answer.
pub(super) fn time(now: &Observation, pointer: &str) -> Option<Timestamp> {
    Timestamp::parse_utc(now.member(pointer)?.as_str()?)
}

/// The symptom of jobs that bring the whole archive whatever range was asked for.
pub(super) fn retrieval_range_ignored() -> Symptom {
    Symptom::new(
        "retrieval-range-ignored",
        "RetrievalByteRange is ignored: jobs bring the whole archive",
    )
}

/// The symptom of hashes that descriptions leave out.
pub(super) fn null_job_hashes() -> Symptom {
    Symptom::new(
        "null-job-hashes",
        "descriptions of jobs lack the tree hashes",
    )
}

/// The symptom of a member that is null or absent where it must have a value.
pub(super) fn member_missing(name: &'static str) -> Symptom {
    if name.ends_with("TreeHash") {
        return null_job_hashes();
    }
    Symptom::new("member-missing", format!("DescribeJob lacks {name}"))
        .about(format!("DescribeJob.{name}"))
}

/// The symptom of a member with another value.
pub(super) fn member_wrong(name: &'static str) -> Symptom {
    Symptom::new(
        "member-wrong",
        format!("{name} of DescribeJob is not what it must be"),
    )
    .about(format!("DescribeJob.{name}"))
}

/// Whether an earlier answer showed that `RetrievalByteRange` is not even read.
pub(super) fn ranges_were_ignored(earlier: &[Observation]) -> bool {
    earlier
        .iter()
        .enumerate()
        .any(|(place, seen)| shows_ignored_range(seen, &earlier[..place]))
}

/// A description of a ranged job that does not tell its range.
fn shows_ignored_range(seen: &Observation, earlier: &[Observation]) -> bool {
    if seen.operation != Some(O::DescribeJob) || !seen.succeeded() {
        return false;
    }
    let asked = begun(seen, earlier).and_then(asked_range);
    let partial = asked.filter(|(range, size)| range.len() < *size);
    let told = seen
        .member("/RetrievalByteRange")
        .and_then(Value::as_str)
        .and_then(parse_retrieval_range);
    partial.is_some_and(|(range, size)| {
        told.is_none() || (told != Some(range) && told == ByteRange::whole(size))
    })
}
