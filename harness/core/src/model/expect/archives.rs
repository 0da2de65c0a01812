//! Archives: what an upload must bring, and what a deletion finds.

use super::{Given, Reasons, expect_description, header};
use crate::model::{Archive, Life, Model, Refusal};
use crate::payload::Content;
use crate::scenario::{Action, Claim, Ref, Tweak};
use crate::treehash::MIB;
use crate::wire::Framing;

/// The largest body of one request: 4 GiB.
const LARGEST: u64 = 4 << 30;

impl Model {
    pub(super) fn expect_archives(&self, action: &Action, tweak: &Tweak, reasons: &mut Reasons) {
        match action {
            Action::UploadArchive {
                content,
                description,
                tree_hash,
                content_sha256,
                ..
            } => {
                expect_description(described(tweak, description.as_deref()), reasons);
                reasons.must_when(content.length() == 0, Refusal::BodyEmpty);
                expect_length(tweak, Reasons::must, reasons);
                expect_body(content, tree_hash, content_sha256, tweak, reasons);
            }
            Action::DeleteArchive { vault, archive } => {
                self.expect_deleted(vault, archive, reasons);
            }
            _ => {}
        }
    }

    fn expect_deleted(&self, vault: &Ref, archive: &Ref, reasons: &mut Reasons) {
        let known = self
            .handle_of::<Archive>(archive)
            .and_then(|handle| self.archive(vault, handle));
        match known {
            None => reasons.may_name_nothing(archive, Refusal::ArchiveUnknown),
            Some((home, _)) if Some(home) != self.home(vault) => {
                reasons.must(Refusal::ArchiveForeign);
            }
            Some((_, known)) if known.life == Life::Doubtful => reasons.silent(),
            // Deleted already or not: the operation is idempotent.
            Some(_) => {}
        }
    }
}

/// A body whose length is not told beforehand.
pub(super) fn expect_length(
    tweak: &Tweak,
    firmly: fn(&mut Reasons, Refusal),
    reasons: &mut Reasons,
) {
    match header(tweak, "content-length") {
        Given::AsImplied => {}
        Given::Removed => return firmly(reasons, Refusal::LengthMissing),
        Given::Set(_) => reasons.silent(),
    }
    if tweak.framing == Framing::Chunked {
        firmly(reasons, Refusal::LengthMissing);
    }
}

/// The description that is sent.
pub(in crate::model) fn described<'a>(
    tweak: &'a Tweak,
    implied: Option<&'a str>,
) -> Option<&'a str> {
    match header(tweak, "x-amz-archive-description") {
        Given::AsImplied => implied,
        Given::Removed => None,
        Given::Set(text) => Some(text),
    }
}

/// Length and checksums of a body that is stored.
pub(super) fn expect_body(
    content: &Content,
    tree_hash: &Claim,
    linear: &Claim,
    tweak: &Tweak,
    reasons: &mut Reasons,
) {
    match tweak.framing {
        Framing::Announced(length) if length > LARGEST => {
            return reasons.must(Refusal::BodyTooLarge);
        }
        Framing::Announced(_) => reasons.silent(),
        _ => {}
    }
    let tree_hash = claimed(tweak, "x-amz-sha256-tree-hash", tree_hash);
    match judge_claim(&tree_hash, content, true) {
        Claimed::Right => {}
        Claimed::Absent => reasons.must(Refusal::TreeHashMissing),
        Claimed::Malformed => reasons.must(Refusal::TreeHashMalformed),
        Claimed::Wrong => reasons.must(Refusal::TreeHashMismatch),
        Claimed::Unsaid => reasons.silent(),
    }
    match judge_claim(
        &claimed(tweak, "x-amz-content-sha256", linear),
        content,
        false,
    ) {
        Claimed::Right => {}
        Claimed::Absent => reasons.must(Refusal::ContentHashMissing),
        Claimed::Malformed | Claimed::Wrong => reasons.must(Refusal::ContentHashMismatch),
        Claimed::Unsaid => reasons.silent(),
    }
}

/// A claim, or what a tweak put in its place.
pub(super) fn claimed(tweak: &Tweak, name: &str, implied: &Claim) -> Claim {
    match header(tweak, name) {
        Given::AsImplied => implied.clone(),
        Given::Removed => Claim::Absent,
        Given::Set(text) => Claim::Literal(text.to_owned()),
    }
}

pub(super) enum Claimed {
    Right,
    Absent,
    Malformed,
    Wrong,
    /// Upper-case hexadecimal digits: the documents are silent.
    Unsaid,
}

/// Whether a claim is the tree hash (or the plain SHA-256) of a content.
pub(super) fn judge_claim(claim: &Claim, content: &Content, tree: bool) -> Claimed {
    let right = || {
        if tree {
            content.tree_hash()
        } else {
            content.sha256()
        }
    };
    match claim {
        Claim::Right => Claimed::Right,
        Claim::Absent => Claimed::Absent,
        Claim::UpperCase => Claimed::Unsaid,
        Claim::Flipped => Claimed::Wrong,
        Claim::Linear if content.length() <= MIB => Claimed::Right,
        Claim::Linear => Claimed::Wrong,
        Claim::OfNothing if content.length() == 0 => Claimed::Right,
        Claim::OfNothing => Claimed::Wrong,
        Claim::Literal(text) => match text.parse::<crate::treehash::Digest>() {
            Err(_) => Claimed::Malformed,
            Ok(digest) if digest != right() => Claimed::Wrong,
            Ok(digest) if digest.to_string() == *text => Claimed::Right,
            Ok(_) => Claimed::Unsaid,
        },
    }
}
