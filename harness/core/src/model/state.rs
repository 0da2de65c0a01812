//! What is remembered: vaults and all that is in them.
//!
//! Everything is keyed by handle. To a judge a handle is the symbolic name of a scenario; to the reference server it is the identifier itself.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value;

use crate::amz_date::Timestamp;
use crate::payload::Content;
use crate::range::ByteRange;
use crate::scenario::Ref;
use crate::treehash::Digest;

/// Whether something still exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Life {
    /// It exists.
    #[default]
    Live,
    /// It was deleted, aborted or completed, and is gone.
    Gone,
    /// The target did what the documents do not allow, or did not answer: nothing is known any more.
    Doubtful,
}

/// All that one account holds in one region.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The 12 digits, once known.
    pub account: Option<String>,
    /// The region, once known.
    pub region: Option<String>,
    /// Whether the target enforces signatures; until that is known a wrong signature is nobody's business.
    pub enforces_signatures: bool,
    /// Whether nothing else of the run is under way, so that vaults of others stay as they are.
    pub alone: bool,
    /// Vaults by handle, deleted ones included.
    pub vaults: IndexMap<String, Vault>,
    /// The data retrieval policy set last, as sent (`{"Rules": […]}`); `None` before any was set.
    pub retrieval_policy: Option<Value>,
    /// Units of provisioned capacity by handle.
    pub capacity: IndexMap<String, Capacity>,
}

/// A vault.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    /// Its name on the wire.
    pub name: String,
    /// Whether it exists.
    pub life: Life,
    /// Earliest and latest time at which it can have been created.
    pub created: (Timestamp, Timestamp),
    /// `CreationDate` as first told, if it was.
    pub creation_date: Option<String>,
    /// Archives by handle, deleted ones included.
    pub archives: IndexMap<String, Archive>,
    /// Multipart uploads by handle, finished ones included.
    pub uploads: IndexMap<String, Upload>,
    /// Jobs by handle.
    pub jobs: IndexMap<String, Job>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The notification configuration as sent.
    pub notifications: Option<Value>,
    /// The access policy, as the text sent.
    pub access_policy: Option<String>,
    /// Policies, of access and of locks, that may or may not count.
    pub doubtful_policies: Vec<String>,
    /// The lock, if one was initiated and not aborted.
    pub lock: Option<Lock>,
    /// Lock ids given before the present one.
    pub former_locks: Vec<String>,
    /// The inventory that counts: the last one a server took. A judge never knows one.
    pub inventory: Option<Inventory>,
    /// When its archives last changed (an upload completed, a deletion), as the latest possible time.
    pub changed_at: Option<Timestamp>,
    /// Whether an inventory job was accepted, after which `LastInventoryDate` may be set.
    pub inventoried: bool,
    /// Whether something happened to its sub-resources that the model cannot follow.
    pub doubtful: bool,
}

/// An archive.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Its id on the wire.
    pub id: String,
    /// Its bytes.
    pub content: Content,
    /// Tree hash of its bytes.
    pub tree_hash: Digest,
    /// Its description; `None` when none was given.
    pub description: Option<String>,
    /// Earliest and latest time at which it can have been created.
    pub created: (Timestamp, Timestamp),
    /// Whether it exists.
    pub life: Life,
    /// When it was deleted, as the earliest possible time.
    pub deleted_at: Option<Timestamp>,
}

/// A multipart upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Its id on the wire.
    pub id: String,
    /// `Location` of its initiation.
    pub location: Option<String>,
    /// Size of every part but the last, in bytes.
    pub part_size: u64,
    /// Description given at initiation.
    pub description: Option<String>,
    /// Earliest and latest time of initiation.
    pub created: (Timestamp, Timestamp),
    /// `CreationDate` as first told, if it was.
    pub creation_date: Option<String>,
    /// Parts by first byte.
    pub parts: BTreeMap<u64, Part>,
    /// When it was last used for certain: initiated, or given a part.
    pub active_at: Timestamp,
    /// Whether it is still open.
    pub life: Life,
    /// The archive it became, by handle.
    pub completed: Option<String>,
}

/// A part.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its place in the archive.
    pub range: ByteRange,
    /// Its bytes.
    pub content: Content,
    /// Tree hash of its bytes.
    pub tree_hash: Digest,
    /// Whether it is known to have been stored.
    pub certain: bool,
}

/// What a job is for.
#[derive(Clone, Debug)]
pub enum JobKind {
    /// Retrieval of an archive.
    Archive {
        /// The archive, by handle.
        archive: String,
        /// Its id on the wire.
        archive_id: String,
        /// Its bytes when the job began.
        content: Content,
        /// Its tree hash.
        tree_hash: Digest,
        /// Its description.
        description: Option<String>,
        /// `RetrievalByteRange`, or the whole.
        range: ByteRange,
    },
    /// Inventory of the vault.
    Inventory {
        /// `Format`: `JSON` or `CSV`.
        format: String,
        /// `InventoryRetrievalParameters` as sent.
        parameters: Option<Value>,
        /// What a server prepared as the output. A judge never knows it.
        prepared: Option<Inventory>,
    },
    /// Anything else that was accepted.
    Other,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobStatus {
    /// Being worked on, as far as is known.
    #[default]
    InProgress,
    /// Its output can be had.
    Succeeded,
    /// It failed.
    Failed,
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id on the wire.
    pub id: String,
    /// `Location` of its initiation.
    pub location: Option<String>,
    /// What it is for.
    pub kind: JobKind,
    /// `Description` as sent.
    pub description: Option<String>,
    /// `SNSTopic` as sent.
    pub topic: Option<String>,
    /// `Tier` as sent.
    pub tier: Option<String>,
    /// Earliest and latest time of initiation.
    pub created: (Timestamp, Timestamp),
    /// Its state when last seen.
    pub status: JobStatus,
    /// When it was first seen completed, or was completed.
    pub completed_at: Option<Timestamp>,
    /// Its description when it was first seen completed.
    pub described: Option<Value>,
    /// Whether something it stands on is in doubt.
    pub doubtful: bool,
}

/// The state of a vault lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// Initiated, to be completed within 24 hours.
    InProgress,
    /// For good.
    Locked,
}

/// A vault lock.
#[derive(Clone, Debug)]
pub struct Lock {
    /// Its handle.
    pub handle: String,
    /// Its id on the wire.
    pub id: String,
    /// The policy, as the text sent.
    pub policy: String,
    /// Its state.
    pub state: LockState,
    /// Earliest and latest time of initiation.
    pub created: (Timestamp, Timestamp),
    /// `CreationDate` as first told, if it was.
    pub creation_date: Option<String>,
}

/// A unit of provisioned capacity.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// Its id on the wire.
    pub id: String,
    /// Earliest and latest time of purchase.
    pub bought: (Timestamp, Timestamp),
}

/// A list of the archives of a vault at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// When it was taken.
    pub date: Timestamp,
    /// What it lists, in the order it is served.
    pub entries: Vec<InventoryEntry>,
    /// Where the next page begins, when a limit cut it.
    pub next: Option<String>,
}

/// A line of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryEntry {
    /// The archive's id.
    pub id: String,
    /// Its description, empty when it has none.
    pub description: String,
    /// When it was created.
    pub created: Timestamp,
    /// Its size in bytes.
    pub size: u64,
    /// Its tree hash.
    pub tree_hash: Digest,
}

impl Model {
    /// Whether a job retrieves an archive that was deleted before the job was asked for.
    pub fn retrieves_deleted(&self, vault: &Ref, job: &Job) -> bool {
        let JobKind::Archive { archive, .. } = &job.kind else {
            return false;
        };
        let deleted = self
            .archive(vault, archive)
            .and_then(|(_, archive)| archive.deleted_at);
        deleted.is_some_and(|deleted| deleted < job.created.0)
    }

    /// The vault of this handle that exists.
    pub fn live_vault(&self, handle: &str) -> Option<&Vault> {
        self.vaults
            .get(handle)
            .filter(|vault| vault.life == Life::Live)
    }

    /// Archives that exist, with the handles of their vaults and their own.
    pub fn live_archives(&self) -> impl Iterator<Item = (&str, &str, &Archive)> {
        self.vaults.iter().flat_map(|(v, vault)| {
            let live = vault
                .archives
                .iter()
                .filter(|(_, archive)| archive.life == Life::Live);
            live.map(move |(a, archive)| (v.as_str(), a.as_str(), archive))
        })
    }
}
