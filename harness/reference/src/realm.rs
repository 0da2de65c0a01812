//! All that one account holds in one region, and what happens to it as time passes.

use std::collections::BTreeMap;
use std::time::Duration;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::{Inventory, Job, JobKind, JobStatus, Life, Model};
use crevasse_core::payload::Content;
use crevasse_core::treehash::{Digest, tree_hash_aligned};
use serde_json::Value;

use crate::auth::partition;
use crate::render::inventory_text;

/// How often the day-old is looked for, in virtual milliseconds.
const SWEEP_MILLIS: i64 = 60_000;

/// Whose and where: what ARNs and Locations are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Place {
    /// The ARN of a vault.
    pub(crate) fn arn(&self, vault: &str) -> String {
        let Self { account, region } = self;
        let partition = partition(region);
        format!("arn:{partition}:glacier:{region}:{account}:vaults/{vault}")
    }

    /// The `Location` of a vault, or of what is in it.
    pub(crate) fn location(&self, vault: &str, rest: &str) -> String {
        format!("/{}/vaults/{vault}{rest}", self.account)
    }
}

/// What is remembered of one region.
#[derive(Debug, Default)]
pub(crate) struct Realm {
    pub(crate) model: Model,
    /// Jobs in progress by the time they are due.
    due: BTreeMap<(Timestamp, String), String>,
    /// Inventories as texts, by job.
    pub(crate) outputs: BTreeMap<String, Content>,
    /// Tree hashes of retrieved ranges, by job; `None` for those that are not aligned.
    hashes: BTreeMap<String, Option<Digest>>,
    /// Bytes held as such, by the archive or upload that holds them and the place they begin at.
    held: BTreeMap<String, BTreeMap<u64, u64>>,
    swept: Timestamp,
    /// Whether what a right server has no more use for is kept all the same: faults may want it.
    hoards: bool,
}

impl Realm {
    /// A region that holds nothing yet.
    pub(crate) fn new(hoards: bool) -> Self {
        Self {
            hoards,
            ..Self::default()
        }
    }

    /// Lets happen what is due: jobs end, the day-old is forgotten, capacity runs out.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((due, job), vault) = entry.remove_entry();
            let status = self.outcome(&vault, &job);
            self.model.complete_job(&vault, &job, status, due);
        }
        if now.0 - self.swept.0 >= SWEEP_MILLIS {
            self.swept = now;
            self.model.forget_expired(now);
            self.model
                .capacity
                .retain(|_, unit| unit.bought.1.plus_month() > now);
            self.drop_forgotten();
            self.drop_expired();
        }
    }

    /// A retrieval whose archive was deleted meanwhile fails (the documents allow either, DJ-FAIL-001).
    fn outcome(&self, vault: &str, job: &str) -> JobStatus {
        let vault = self.model.vaults.get(vault);
        let kind = vault.and_then(|vault| Some(&vault.jobs.get(job)?.kind));
        let deleted = match (vault, kind) {
            (Some(vault), Some(JobKind::Archive { archive, .. })) => vault
                .archives
                .get(archive)
                .is_none_or(|archive| archive.life == Life::Gone),
            _ => false,
        };
        if deleted {
            JobStatus::Failed
        } else {
            JobStatus::Succeeded
        }
    }

    fn drop_forgotten(&mut self) {
        let model = &self.model;
        let known = |job: &String| {
            model
                .vaults
                .values()
                .any(|vault| vault.jobs.contains_key(job))
        };
        self.outputs.retain(|job, _| known(job));
        self.hashes.retain(|job, _| known(job));
    }

    /// Frees what uploads hold that nobody finished in time.
    fn drop_expired(&mut self) {
        let vaults = self.model.vaults.iter();
        let gone = vaults.flat_map(|(vault, known)| {
            let uploads = known.uploads.iter();
            uploads
                .filter(|(_, upload)| upload.life == Life::Gone && !upload.parts.is_empty())
                .map(|(upload, _)| (vault.clone(), upload.clone()))
        });
        for (vault, upload) in gone.collect::<Vec<_>>() {
            self.drop_upload(&vault, &upload);
        }
    }

    /// Frees what an upload holds that is over, its parts too unless they are hoarded. Tells the bytes.
    pub(crate) fn drop_upload(&mut self, vault: &str, upload: &str) -> u64 {
        let known = self.model.vaults.get_mut(vault);
        if let Some(over) = known
            .and_then(|vault| vault.uploads.get_mut(upload))
            .filter(|_| !self.hoards)
        {
            over.parts.clear();
        }
        self.release(upload)
    }

    /// Starts the work on a job that was accepted: an inventory is taken now, and the end is due after a while.
    pub(crate) fn start(
        &mut self,
        vault: &str,
        job: &str,
        place: &Place,
        now: Timestamp,
        delay: Duration,
    ) {
        self.take_inventory(vault, job, place, now);
        let due = now.plus_millis(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX));
        self.due.insert((due, job.to_owned()), vault.to_owned());
        self.pass(now);
    }

    fn take_inventory(&mut self, vault: &str, job: &str, place: &Place, now: Timestamp) {
        let Some(asked) = self.inventory_parameters(vault, job) else {
            return;
        };
        self.model.prepare_inventory(vault, job, now);
        let resumed = self.resumable(vault, asked);
        let whole = self
            .model
            .vaults
            .get(vault)
            .and_then(|vault| vault.inventory.clone());
        let Some(Job { kind, .. }) = self.job_mut(vault, job) else {
            return;
        };
        if let (
            JobKind::Inventory {
                format, prepared, ..
            },
            Some(whole),
        ) = (kind, whole)
        {
            let window = whole.window(resumed.as_ref());
            let text = inventory_text(&window, format, &place.arn(vault));
            *prepared = Some(window);
            self.outputs
                .insert(job.to_owned(), Content::from(text.into_bytes()));
        }
    }

    fn inventory_parameters(&self, vault: &str, job: &str) -> Option<Option<Value>> {
        match &self.model.vaults.get(vault)?.jobs.get(job)?.kind {
            JobKind::Inventory { parameters, .. } => Some(parameters.clone()),
            _ => None,
        }
    }

    /// The parameters with a marker that the inventory lists: where the marked archive is gone, the one listed before it.
    fn resumable(&self, vault: &str, parameters: Option<Value>) -> Option<Value> {
        let mut parameters = parameters?;
        let Some(marker) = parameters
            .get("Marker")
            .and_then(Value::as_str)
            .map(str::to_owned)
        else {
            return Some(parameters);
        };
        let vault = self.model.vaults.get(vault)?;
        let listed: &Inventory = vault.inventory.as_ref()?;
        let end = vault.archives.get_index_of(&marker).map_or(0, |at| at + 1);
        let before = vault.archives.keys().take(end).rev();
        let place = before
            .into_iter()
            .find(|id| listed.entries.iter().any(|entry| entry.id == **id));
        parameters["Marker"] = place.map_or(Value::Null, |id| Value::from(id.as_str()));
        Some(parameters)
    }

    fn job_mut(&mut self, vault: &str, job: &str) -> Option<&mut Job> {
        self.model.vaults.get_mut(vault)?.jobs.get_mut(job)
    }

    /// The tree hash of what an archive job retrieves, when its range is a node of the archive's tree (api-job-output-get).
    pub(crate) fn range_hash(&mut self, vault: &str, job: &str) -> Option<Digest> {
        if let Some(known) = self.hashes.get(job) {
            return *known;
        }
        let kind = &self.model.vaults.get(vault)?.jobs.get(job)?.kind;
        let JobKind::Archive {
            content,
            tree_hash,
            range,
            ..
        } = kind
        else {
            return None;
        };
        let whole = range.len() == content.length();
        let aligned = tree_hash_aligned(*range, content.length());
        let hash = match (whole, aligned) {
            (true, _) => Some(*tree_hash),
            (false, true) => Some(content.tree_hash_of(*range)),
            (false, false) => None,
        };
        self.hashes.insert(job.to_owned(), hash);
        hash
    }

    /// Notes bytes that an archive or upload holds as such, in place of those it held there before.
    pub(crate) fn hold(&mut self, owner: &str, at: u64, bytes: u64) {
        if let Some(before) = self.held.get_mut(owner) {
            before.insert(at, bytes);
        } else if bytes > 0 {
            self.held.insert(owner.to_owned(), [(at, bytes)].into());
        }
    }

    /// What an owner held, handed on or freed.
    pub(crate) fn release(&mut self, owner: &str) -> u64 {
        let held = self.held.remove(owner).unwrap_or_default();
        held.values().sum()
    }

    /// Bytes held as such.
    pub(crate) fn holds(&self) -> u64 {
        self.held.values().flat_map(BTreeMap::values).sum()
    }
}
