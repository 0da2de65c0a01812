//! Archives: what an upload must bring, and what a deletion finds.

use super::{Given, Reasons, expect_description, header};
use crate::amz_date::Timestamp;
use crate::model::{Life, Model, Refusal, Vault};
use crate::payload::Content;
use crate::scenario::{Action, Claim, Ref, Tweak};
use crate::treehash::MIB;
use crate::wire::Framing;

/// The largest body of one request: 4 GiB.
const LARGEST: u64 = 4 << 30;

impl Model {
    pub(super) fn expect_archives(
        &self,
        action: &Action,
        tweak: &Tweak,
        now: Timestamp,
        reasons: &mut Reasons,
    ) {
        match action {
            Action::UploadArchive {
                vault,
                content,
                description,
                tree_hash,
                content_sha256,
                ..
            } => {
                expect_description(described(tweak, description.as_deref()), reasons);
                reasons.must_when(content.length() == 0, Refusal::BodyEmpty);
                expect_body(content, tree_hash, content_sha256, tweak, reasons);
                self.may_be_denied(vault, "glacier:UploadArchive", None, now, reasons);
            }
            Action::DeleteArchive { vault, archive } => {
                self.expect_deleted(vault, archive, now, reasons)
            }
            _ => {}
        }
    }

    fn expect_deleted(&self, vault: &Ref, archive: &Ref, now: Timestamp, reasons: &mut Reasons) {
        let Some(handle) = archive.handle() else {
            return reasons.may(Refusal::ArchiveUnknown);
        };
        match self.archive(vault, handle) {
            None => reasons.may(Refusal::ArchiveUnknown),
            Some((home, _)) if Some(home) != vault.handle() => {
                reasons.must(Refusal::ArchiveForeign)
            }
            Some((_, known)) if known.life == Life::Doubtful => reasons.silent(),
            Some((_, known)) => {
                let age = known.created.0;
                self.may_be_denied(vault, "glacier:DeleteArchive", Some(age), now, reasons);
            }
        }
    }

    /// Policies: a Deny refuses. Whether a target evaluates policies at all is another question (AMB-55).
    pub(super) fn may_be_denied(
        &self,
        vault: &Ref,
        action: &str,
        created: Option<Timestamp>,
        now: Timestamp,
        reasons: &mut Reasons,
    ) {
        let denied = |vault: &Vault| vault.denies(action, created, now);
        if self.vault(vault).is_some_and(denied) {
            reasons.may(Refusal::DeniedByPolicy);
        }
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
        Framing::Chunked => reasons.must(Refusal::LengthMissing),
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
