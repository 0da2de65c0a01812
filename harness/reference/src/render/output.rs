//! Job outputs, whole or in part, and the checksum that goes with some of them.

use crevasse_core::model::{Job, JobKind};
use crevasse_core::payload::Content;
use crevasse_core::range::{ByteRange, ContentRange, Resolved, parse_range_header};
use crevasse_core::treehash::{Digest, tree_hash_aligned};

use super::{Draft, DraftBody};

/// The output of a job, and what of it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// All of it.
    pub(crate) whole: Content,
    /// The part asked for.
    pub(crate) part: Option<ByteRange>,
    /// The archive it comes from; an inventory comes from none.
    pub(crate) archive: Option<Retrieved>,
    pub(crate) media_type: &'static str,
}

/// The archive that an output comes from.
#[derive(Clone, Debug)]
pub(crate) struct Retrieved {
    /// Its bytes.
    pub(crate) content: Content,
    /// Its tree hash, as stored.
    pub(crate) tree_hash: Digest,
    /// What of it was retrieved.
    pub(crate) range: ByteRange,
    pub(crate) description: Option<String>,
}

impl Output {
    /// The output of an archive job.
    pub(crate) fn of(job: &Job, inventory: Option<&Content>, range: Option<&str>) -> Option<Self> {
        let (whole, archive, media_type) = match &job.kind {
            JobKind::Archive {
                content,
                tree_hash,
                description,
                range,
                ..
            } => {
                let retrieved = Retrieved {
                    content: content.clone(),
                    tree_hash: *tree_hash,
                    range: *range,
                    description: description.clone(),
                };
                (
                    retrieved_of(content, *range),
                    Some(retrieved),
                    "application/octet-stream",
                )
            }
            JobKind::Inventory { format, .. } => {
                let media_type = if format == "CSV" {
                    "text/csv"
                } else {
                    "application/json"
                };
                (inventory?.clone(), None, media_type)
            }
            JobKind::Other => (Content::empty(), None, "application/octet-stream"),
        };
        let asked = range.map(|range| parse_range_header(range).resolve(whole.length()));
        let part = match asked {
            Some(Resolved::Partial(part)) => Some(part),
            _ => None,
        };
        Some(Self {
            whole,
            part,
            archive,
            media_type,
        })
    }

    /// The bytes that are sent.
    pub(crate) fn served(&self) -> Content {
        self.part
            .map_or_else(|| self.whole.clone(), |part| self.whole.slice(part))
    }

    /// What of the output is sent; `None` when it is empty.
    pub(crate) fn served_range(&self) -> Option<ByteRange> {
        self.part.or_else(|| ByteRange::whole(self.whole.length()))
    }

    /// The checksum that is sent: when both the retrieved and the downloaded range are tree-hash aligned (api-job-output-get).
    pub(crate) fn checksum(&self) -> Option<Digest> {
        let archive = self.archive.as_ref()?;
        let served = self.served_range()?;
        let aligned = tree_hash_aligned(archive.range, archive.content.length())
            && tree_hash_aligned(served, self.whole.length());
        aligned.then(|| self.hash_of(served, archive))
    }

    fn hash_of(&self, served: ByteRange, archive: &Retrieved) -> Digest {
        if served.len() == archive.content.length() {
            archive.tree_hash
        } else {
            self.whole.tree_hash_of(served)
        }
    }
}

/// A range of an archive; a whole one stays the same content, which knows its hashes.
fn retrieved_of(content: &Content, range: ByteRange) -> Content {
    if range.len() == content.length() {
        content.clone()
    } else {
        content.slice(range)
    }
}

/// Writes the answer.
pub(super) fn draft(output: &Output) -> Draft {
    let mut draft = Draft::empty(if output.part.is_some() { 206 } else { 200 });
    draft.headers.push("Content-Type", output.media_type);
    draft.headers.push("Accept-Ranges", "bytes");
    if let Some(range) = output.part {
        let total = Some(output.whole.length());
        let sent = ContentRange { range, total };
        draft.headers.push("Content-Range", sent.to_string());
    }
    if let Some(checksum) = output.checksum() {
        draft
            .headers
            .push("x-amz-sha256-tree-hash", checksum.to_string());
    }
    let description = output
        .archive
        .as_ref()
        .and_then(|archive| archive.description.as_ref());
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        draft.headers.push("x-amz-archive-description", description);
    }
    draft.body = DraftBody::Content(output.served());
    draft
}
