//! Multipart uploads: part sizes, the algebra of parts, and the three ends an upload can come to.

use super::archives::{Claimed, claimed, described, expect_body, expect_length, judge_claim};
use super::{DAY_MILLIS, Given, Number, Reasons, expect_description, expect_page, header};
use crate::amz_date::Timestamp;
use crate::model::{Life, Model, Part, Refusal, Upload};
use crate::payload::Content;
use crate::range::ContentRange;
use crate::scenario::{Action, Claim, RangeClaim, Ref, SizeClaim, Tweak};
use crate::treehash::MIB;

/// The largest page that no document contradicts: the API pages say 50, the guide 1,000 (AMB-16).
const PAGE: u64 = 50;

impl Model {
    pub(super) fn expect_uploads(
        &self,
        action: &Action,
        tweak: &Tweak,
        now: Timestamp,
        reasons: &mut Reasons,
    ) {
        if let Some((vault, upload)) = action.vault().zip(action.upload()) {
            self.may_be_removed(vault, upload, now, reasons);
        }
        match action {
            Action::InitiateMultipartUpload {
                part_size,
                description,
                ..
            } => {
                expect_description(described(tweak, description.as_deref()), reasons);
                expect_part_size(part_size.as_deref(), tweak, reasons);
            }
            Action::UploadMultipartPart {
                vault,
                upload,
                content,
                range,
                tree_hash,
                content_sha256,
            } => {
                let open = self.open_upload(vault, upload, reasons);
                // The table calls Content-Length not required, the prose does (AMB-30).
                expect_length(tweak, Reasons::may, reasons);
                expect_body(content, tree_hash, content_sha256, tweak, reasons);
                expect_place(open, range, content, tweak, reasons);
            }
            Action::CompleteMultipartUpload {
                vault,
                upload,
                size,
                tree_hash,
                ..
            } => {
                self.expect_completion(vault, upload, size, tree_hash, tweak, reasons);
            }
            Action::AbortMultipartUpload { vault, upload } => {
                self.expect_abort(vault, upload, reasons);
            }
            Action::ListParts {
                vault,
                upload,
                page,
            } => {
                self.open_upload(vault, upload, reasons);
                expect_page(page, tweak, PAGE, reasons);
            }
            Action::ListMultipartUploads { page, .. } => expect_page(page, tweak, PAGE, reasons),
            _ => {}
        }
    }

    fn known_upload(&self, vault: &Ref, upload: &Ref) -> Option<(&str, &Upload)> {
        self.upload(vault, self.handle_of::<Upload>(upload)?)
    }

    /// The upload, if it is there and of this vault; else the reason why it cannot be used.
    fn open_upload(&self, vault: &Ref, upload: &Ref, reasons: &mut Reasons) -> Option<&Upload> {
        let known = self.known_upload(vault, upload);
        match known {
            None => reasons.must_name_something(upload, Refusal::UploadUnknown),
            Some((home, _)) if Some(home) != self.home(vault) => {
                reasons.must(Refusal::UploadForeign);
            }
            Some((_, upload)) if upload.life == Life::Doubtful => {
                reasons.block("the upload is in doubt");
            }
            Some((_, upload)) if upload.completed.is_some() => {
                reasons.must(Refusal::UploadCompleted);
            }
            Some((_, upload)) if upload.life == Life::Gone => reasons.must(Refusal::UploadAborted),
            Some((_, upload)) => return Some(upload),
        }
        None
    }

    /// After a day without activity an upload may be removed (IMU-EXP-001, AMB-42).
    fn may_be_removed(&self, vault: &Ref, upload: &Ref, now: Timestamp, reasons: &mut Reasons) {
        let known = self.known_upload(vault, upload);
        let idle = |upload: &Upload| now.0 - upload.active_at.0 > DAY_MILLIS;
        if known.is_some_and(|(_, upload)| upload.life == Life::Live && idle(upload)) {
            reasons.may(Refusal::UploadUnknown);
        }
    }

    fn expect_completion(
        &self,
        vault: &Ref,
        upload: &Ref,
        size: &SizeClaim,
        tree_hash: &Claim,
        tweak: &Tweak,
        reasons: &mut Reasons,
    ) {
        let known = self.known_upload(vault, upload);
        if let Some((home, known)) = known
            && Some(home) == self.home(vault)
            && known.completed.is_some()
            && known.life != Life::Doubtful
        {
            let plain = tweak.headers.is_empty();
            return match (size, tree_hash) {
                (SizeClaim::Right, Claim::Right) if plain => {
                    reasons.may(Refusal::UploadCompleted);
                }
                _ => reasons.silent(),
            };
        }
        let open = self.open_upload(vault, upload, reasons);
        let assembled = open
            .map(|open| open.assembled())
            .unwrap_or_else(Content::empty);
        let size = match header(tweak, "x-amz-archive-size") {
            Given::AsImplied => size.clone(),
            Given::Removed => SizeClaim::Absent,
            Given::Set(text) => SizeClaim::Literal(text.to_owned()),
        };
        match &size {
            SizeClaim::Right | SizeClaim::Off(0) => {}
            SizeClaim::Off(_) => reasons.must(Refusal::ArchiveSizeMismatch),
            SizeClaim::Absent => reasons.must(Refusal::ArchiveSizeMissing),
            SizeClaim::Literal(text) => match Number::read(text) {
                Number::Not | Number::Minus => reasons.must(Refusal::ArchiveSizeMalformed),
                Number::Plus => reasons.silent(),
                Number::Whole(size) => reasons.must_when(
                    open.is_some() && size != Some(assembled.length()),
                    Refusal::ArchiveSizeMismatch,
                ),
            },
        }
        if let Some(open) = open {
            open.expect_whole(reasons);
        }
        match judge_claim(
            &claimed(tweak, "x-amz-sha256-tree-hash", tree_hash),
            &assembled,
            true,
        ) {
            Claimed::Right => {}
            Claimed::Absent => reasons.must(Refusal::TreeHashMissing),
            Claimed::Malformed => reasons.must(Refusal::TreeHashMalformed),
            Claimed::Wrong => reasons.must_when(open.is_some(), Refusal::TreeHashMismatch),
            Claimed::Unsaid => reasons.silent(),
        }
    }

    fn expect_abort(&self, vault: &Ref, upload: &Ref, reasons: &mut Reasons) {
        let known = self.known_upload(vault, upload);
        match known {
            None => reasons.must_name_something(upload, Refusal::UploadUnknown),
            Some((home, _)) if Some(home) != self.home(vault) => {
                reasons.must(Refusal::UploadForeign);
            }
            Some((_, upload)) if upload.life == Life::Doubtful => {
                reasons.block("the upload is in doubt");
            }
            Some((_, upload)) if upload.completed.is_some() => {
                reasons.must(Refusal::UploadCompleted);
            }
            Some((_, upload)) if upload.life == Life::Gone => reasons.may(Refusal::UploadAborted),
            Some(_) => {}
        }
    }
}

impl Upload {
    /// The parts in order, one after the other, whatever is missing between them.
    pub fn assembled(&self) -> Content {
        Content::concat(
            &self
                .parts
                .values()
                .map(|part| part.content.clone())
                .collect::<Vec<_>>(),
        )
    }

    /// Parts must cover everything from the first byte on, and all but the last be of the part size.
    fn expect_whole(&self, reasons: &mut Reasons) {
        if self.parts.values().any(|part| !part.certain) {
            return reasons.block("a part is in doubt");
        }
        let Some(last) = self.parts.values().last() else {
            return reasons.must(Refusal::NoParts);
        };
        let mut next = 0;
        for part in self.parts.values() {
            reasons.must_when(part.range.start > next, Refusal::PartsMissing);
            next = part.range.start.saturating_add(self.part_size);
            let short = part.range.len() < self.part_size && part.range != last.range;
            reasons.must_when(short, Refusal::PartShort);
        }
    }

    /// The part that begins here.
    pub fn part_at(&self, start: u64) -> Option<&Part> {
        self.parts.get(&start)
    }
}

/// A power of two MiB, from 1 MiB to 4 GiB (api-multipart-initiate-upload).
fn expect_part_size(implied: Option<&str>, tweak: &Tweak, reasons: &mut Reasons) {
    let sent = match header(tweak, "x-amz-part-size") {
        Given::AsImplied => implied,
        Given::Removed => None,
        Given::Set(text) => Some(text),
    };
    match sent.map(Number::read) {
        None => reasons.must(Refusal::PartSizeMissing),
        Some(Number::Not) => reasons.must(Refusal::PartSizeMalformed),
        Some(Number::Minus) => reasons.must(Refusal::PartSizeInvalid),
        Some(Number::Plus) => reasons.silent(),
        Some(Number::Whole(size)) => {
            let legal =
                size.is_some_and(|size| size.is_power_of_two() && (MIB..=4 << 30).contains(&size));
            reasons.must_when(!legal, Refusal::PartSizeInvalid);
        }
    }
}

/// Where a part goes: aligned to the part size, no longer than it, as long as it says.
fn expect_place(
    open: Option<&Upload>,
    implied: &RangeClaim,
    content: &Content,
    tweak: &Tweak,
    reasons: &mut Reasons,
) {
    let text = match header(tweak, "content-range") {
        Given::AsImplied if matches!(implied, RangeClaim::At(_)) && content.length() == 0 => {
            return reasons.must(Refusal::BodyEmpty);
        }
        Given::AsImplied => implied.header(content.length()),
        Given::Removed => None,
        Given::Set(text) => Some(text.to_owned()),
    };
    let Some(text) = text else {
        return reasons.must(Refusal::PartRangeMissing);
    };
    let Some(place) = ContentRange::parse(&text) else {
        return reasons.must(Refusal::PartRangeMalformed);
    };
    if place.total.is_some() {
        reasons.silent();
    }
    reasons.must_when(
        place.range.len() != content.length(),
        Refusal::PartLengthMismatch,
    );
    if let Some(open) = open {
        reasons.must_when(
            place.range.start % open.part_size != 0,
            Refusal::PartMisaligned,
        );
        reasons.must_when(place.range.len() > open.part_size, Refusal::PartTooLong);
        reasons.must_when(
            place.range.start / open.part_size >= 10_000,
            Refusal::TooManyParts,
        );
    }
}
