//! Inventories and the passage of time: what a server does on its own, without being asked.

use serde_json::Value;

use super::expect::{DAY_MILLIS, member};
use super::{Inventory, InventoryEntry, Job, JobKind, JobStatus, Life, Model, Vault};
use crate::amz_date::Timestamp;

impl Vault {
    /// Takes an inventory, unless nothing changed since the last one: then its date does not advance (api-job-output-get, InventoryDate).
    pub fn take_inventory(&mut self, now: Timestamp) -> &Inventory {
        let stale = self
            .inventory
            .as_ref()
            .is_none_or(|last| self.changed_at.is_some_and(|changed| changed >= last.date));
        let last = self.inventory.take().filter(|_| !stale);
        let taken = last.unwrap_or_else(|| Inventory {
            date: now,
            entries: self.entries(),
            next: None,
        });
        self.inventory.insert(taken)
    }

    fn entries(&self) -> Vec<InventoryEntry> {
        let live = self
            .archives
            .values()
            .filter(|archive| archive.life == Life::Live);
        live.map(|archive| InventoryEntry {
            id: archive.id.clone(),
            description: archive.description.clone().unwrap_or_default(),
            created: archive.created.1,
            size: archive.content.length(),
            tree_hash: archive.tree_hash,
        })
        .collect()
    }
}

impl Inventory {
    /// The part of it that `InventoryRetrievalParameters` ask for: created on or after StartDate, before EndDate, at most Limit, after Marker.
    pub fn window(&self, parameters: Option<&Value>) -> Self {
        let text = |name: &str| {
            parameters
                .and_then(|p| member(p, name))
                .and_then(Value::as_str)
        };
        let date = |name: &str| {
            text(name).and_then(|text| {
                text.parse::<Timestamp>()
                    .ok()
                    .or_else(|| Timestamp::parse_basic(text))
            })
        };
        let (start, end, marker) = (date("StartDate"), date("EndDate"), text("Marker"));
        // Inventories tell creation dates in whole seconds, so bounds taken from one compare with whole seconds.
        let inside = |entry: &&InventoryEntry| {
            let created = entry.created.whole_seconds();
            start.is_none_or(|start| created >= start) && end.is_none_or(|end| created < end)
        };
        let mut entries: Vec<InventoryEntry> =
            self.entries.iter().filter(inside).cloned().collect();
        if let Some(place) =
            marker.and_then(|marker| entries.iter().position(|entry| entry.id == marker))
        {
            entries.drain(..=place);
        }
        let limit = text("Limit")
            .and_then(|limit| limit.parse::<usize>().ok())
            .unwrap_or(usize::MAX);
        // A limit of nothing is refused; a server told to let it pass must not fall over it.
        let limit = limit.max(1);
        let next = (entries.len() > limit).then(|| entries[limit - 1].id.clone());
        entries.truncate(limit);
        Self {
            date: self.date,
            entries,
            next,
        }
    }

    /// Sum of the sizes of what it lists, with the 32,768 bytes an archive that the real service adds (observed, O-29).
    pub fn size_in_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size + 32_768).sum()
    }
}

impl Model {
    /// Completes a job: an inventory is taken as it begins, so only its state changes here.
    pub fn complete_job(&mut self, vault: &str, job: &str, status: JobStatus, now: Timestamp) {
        if let Some(job) = self
            .vaults
            .get_mut(vault)
            .and_then(|vault| vault.jobs.get_mut(job))
        {
            job.status = status;
            job.completed_at.get_or_insert(now);
        }
    }

    /// Prepares the output of an inventory job from an inventory taken now.
    pub fn prepare_inventory(&mut self, vault: &str, job: &str, now: Timestamp) {
        let Some(vault) = self.vaults.get_mut(vault) else {
            return;
        };
        let whole = vault.take_inventory(now).clone();
        if let Some(Job {
            kind:
                JobKind::Inventory {
                    parameters,
                    prepared,
                    ..
                },
            ..
        }) = vault.jobs.get_mut(job)
        {
            *prepared = Some(whole.window(parameters.as_ref()));
        }
    }

    /// Forgets what the documents let a service forget: jobs a day after their completion, uploads after an
    /// idle day, and unfinished locks a day after their beginning.
    pub fn forget_expired(&mut self, now: Timestamp) {
        let old = |then: Timestamp| now.0 - then.0 > DAY_MILLIS;
        for vault in self.vaults.values_mut() {
            vault
                .jobs
                .retain(|_, job| !job.completed_at.is_some_and(old));
            vault
                .uploads
                .values_mut()
                .filter(|upload| old(upload.active_at))
                .for_each(|upload| upload.life = Life::Gone);
            if vault.lock_at(now).is_none() {
                vault.lock_ended();
            }
        }
    }
}
