//! Following what the target did: what it acknowledged is remembered, what it should not have done is in doubt.

use serde_json::Value;

use super::expect::member;
use super::{
    Archive, Capacity, Expectation, Job, JobKind, JobStatus, Life, Lock, LockState, Made, Model,
    Observed, Part, Upload, Vault,
};
use crate::amz_date::Timestamp;
use crate::payload::Content;
use crate::range::{ByteRange, ContentRange, parse_retrieval_range};
use crate::scenario::{Action, JsonBody, RangeClaim, Ref, Tweak};
use crate::wire::Framing;

impl Model {
    /// Follows an answer. `expected` is what [`Model::expect`] said before it.
    pub fn observe(
        &mut self,
        action: &Action,
        tweak: &Tweak,
        expected: &Expectation,
        seen: &Observed,
    ) {
        self.learn_account(action, seen);
        if tweak.method.is_some() {
            return;
        }
        if seen.accepted {
            let sound = expected.allows_success() && !matches!(expected, Expectation::Blocked(_));
            self.accepted(action, tweak, sound, seen);
        } else if seen.status == 0 || seen.status >= 500 || matches!(tweak.framing, Framing::Half) {
            self.doubt(action);
        }
    }

    /// Account and region stand in every ARN and Location.
    fn learn_account(&mut self, action: &Action, seen: &Observed) {
        if let Some(text) = seen.made.as_ref().and_then(|made| made.location.as_deref()) {
            let account = text
                .trim_start_matches('/')
                .split('/')
                .next()
                .unwrap_or_default();
            self.learn(account, None);
        }
        let arn = seen
            .document
            .as_ref()
            .and_then(|document| document.get("VaultARN"))
            .and_then(Value::as_str);
        if let (Some(arn), Action::DescribeVault { .. }) = (arn, action) {
            let parts: Vec<&str> = arn.split(':').collect();
            if let [_, _, _, region, account, ..] = parts.as_slice() {
                self.learn(account, Some(region));
            }
        }
    }

    fn learn(&mut self, account: &str, region: Option<&str>) {
        if self.account.is_none()
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
        {
            self.account = Some(account.to_owned());
        }
        if self.region.is_none() {
            self.region = region.map(str::to_owned);
        }
    }

    fn vault_mut(&mut self, vault: &Ref) -> Option<&mut Vault> {
        self.vaults.get_mut(vault.handle()?)
    }

    fn accepted(&mut self, action: &Action, tweak: &Tweak, sound: bool, seen: &Observed) {
        match action {
            Action::CreateVault { vault, .. } => self.vault_created(vault, sound, seen),
            Action::DeleteVault { vault } => self.vault_deleted(vault, sound),
            Action::UploadArchive {
                vault,
                archive,
                content,
                description,
                ..
            } => {
                let description =
                    super::expect::described(tweak, description.as_deref()).map(str::to_owned);
                self.archive_made(vault, archive, content.clone(), description, sound, seen);
            }
            Action::DeleteArchive { vault, archive } => {
                self.archive_deleted(vault, archive, sound, seen)
            }
            Action::InitiateMultipartUpload {
                vault,
                upload,
                part_size,
                description,
            } => {
                let description =
                    super::expect::described(tweak, description.as_deref()).map(str::to_owned);
                self.upload_begun(
                    vault,
                    upload,
                    part_size.as_deref(),
                    description,
                    sound,
                    seen,
                );
            }
            Action::UploadMultipartPart {
                vault,
                upload,
                content,
                range,
                ..
            } => self.part_stored(vault, upload, content, range, sound),
            Action::CompleteMultipartUpload {
                vault,
                upload,
                archive,
                ..
            } => self.upload_completed(vault, upload, archive, sound, seen),
            Action::AbortMultipartUpload { vault, upload } => {
                self.upload_aborted(vault, upload, sound)
            }
            Action::InitiateJob { vault, job, body } => {
                self.job_begun(vault, job, body, sound, seen)
            }
            Action::DescribeVault { vault } => self.vault_described(vault, seen),
            Action::DescribeJob { vault, job } => self.job_described(vault, job, seen),
            Action::ListJobs { vault, .. } => self.jobs_listed(vault, seen),
            Action::ListParts { vault, upload, .. } => self.upload_described(vault, upload, seen),
            Action::SetDataRetrievalPolicy { body } => {
                self.retrieval_policy = body.document().and_then(|d| member(&d, "Policy").cloned())
            }
            Action::PurchaseProvisionedCapacity { unit } => self.capacity_bought(unit, seen),
            other => self.resource_changed(other, tweak, sound, seen),
        }
    }

    fn vault_created(&mut self, vault: &Ref, sound: bool, seen: &Observed) {
        let Some(handle) = vault.handle() else { return };
        if self
            .vaults
            .get(handle)
            .is_some_and(|known| known.life == Life::Live)
        {
            return;
        }
        let name = seen.bindings.get(&format!("vault:{handle}")).cloned();
        let made = Vault {
            name: name
                .or_else(|| seen.made.as_ref().map(|made| made.id.clone()))
                .unwrap_or_else(|| handle.to_owned()),
            life: if sound { Life::Live } else { Life::Doubtful },
            created: (seen.sent_at, seen.done_at),
            ..Vault::default()
        };
        self.vaults.insert(handle.to_owned(), made);
    }

    /// A vault that was deleted although it held archives: the fault is told once, not again by all that is missing afterwards.
    fn vault_deleted(&mut self, vault: &Ref, sound: bool) {
        if let Some(vault) = self.vault_mut(vault) {
            vault.life = if sound { Life::Gone } else { Life::Doubtful };
            vault
                .uploads
                .values_mut()
                .for_each(|upload| upload.life = Life::Gone);
        }
    }

    fn archive_made(
        &mut self,
        vault: &Ref,
        handle: &str,
        content: Content,
        description: Option<String>,
        sound: bool,
        seen: &Observed,
    ) {
        let Some(vault) = self.vault_mut(vault) else {
            return;
        };
        let Some(Made { id, .. }) = &seen.made else {
            return;
        };
        let archive = Archive {
            id: id.clone(),
            tree_hash: content.tree_hash(),
            content,
            description,
            created: (seen.sent_at, seen.done_at),
            life: if sound { Life::Live } else { Life::Doubtful },
            deleted_at: None,
        };
        vault.changed_at = Some(seen.done_at);
        vault.archives.insert(handle.to_owned(), archive);
    }

    fn archive_deleted(&mut self, through: &Ref, archive: &Ref, sound: bool, seen: &Observed) {
        let Some(handle) = archive.handle() else {
            return;
        };
        let Some(home) = self
            .archive(through, handle)
            .map(|(home, _)| home.to_owned())
        else {
            return;
        };
        let Some(vault) = self.vaults.get_mut(&home) else {
            return;
        };
        let Some(known) = vault.archives.get_mut(handle) else {
            return;
        };
        if known.life == Life::Gone {
            return;
        }
        known.life = if sound { Life::Gone } else { Life::Doubtful };
        known.deleted_at = Some(seen.sent_at);
        vault.changed_at = Some(seen.done_at);
    }

    fn upload_begun(
        &mut self,
        vault: &Ref,
        handle: &str,
        part_size: Option<&str>,
        description: Option<String>,
        sound: bool,
        seen: &Observed,
    ) {
        let Some(vault) = self.vault_mut(vault) else {
            return;
        };
        let Some(made) = &seen.made else { return };
        let part_size = part_size
            .and_then(|size| size.parse().ok())
            .filter(|size| *size > 0);
        let upload = Upload {
            id: made.id.clone(),
            location: made.location.clone(),
            part_size: part_size.unwrap_or(crate::treehash::MIB),
            description,
            created: (seen.sent_at, seen.done_at),
            creation_date: None,
            parts: Default::default(),
            life: if sound { Life::Live } else { Life::Doubtful },
            completed: None,
        };
        vault.uploads.insert(handle.to_owned(), upload);
    }

    fn upload_mut(&mut self, through: &Ref, upload: &Ref) -> Option<&mut Upload> {
        let handle = upload.handle()?;
        let home = self.upload(through, handle)?.0.to_owned();
        self.vaults.get_mut(&home)?.uploads.get_mut(handle)
    }

    fn part_stored(
        &mut self,
        vault: &Ref,
        upload: &Ref,
        content: &Content,
        range: &RangeClaim,
        sound: bool,
    ) {
        let Some(upload) = self.upload_mut(vault, upload) else {
            return;
        };
        let Some(range) = place(range, content) else {
            upload.life = Life::Doubtful;
            return;
        };
        if !sound {
            upload.life = Life::Doubtful;
        }
        let part = Part {
            range,
            content: content.clone(),
            tree_hash: content.tree_hash(),
            certain: sound,
        };
        upload.parts.insert(range.start, part);
    }

    fn upload_completed(
        &mut self,
        vault: &Ref,
        upload: &Ref,
        archive: &str,
        sound: bool,
        seen: &Observed,
    ) {
        let Some(known) = self.upload_mut(vault, upload) else {
            return;
        };
        if let Some(first) = known.completed.clone() {
            return self.same_archive(vault, &first, archive);
        }
        known.life = Life::Gone;
        known.completed = Some(archive.to_owned());
        let (content, description) = (known.assembled(), known.description.clone());
        self.archive_made(vault, archive, content, description, sound, seen);
    }

    /// A completion that was repeated names the archive it made a second time.
    fn same_archive(&mut self, vault: &Ref, first: &str, again: &str) {
        if let Some(vault) = self.vault_mut(vault) {
            if let Some(known) = vault
                .archives
                .get(first)
                .cloned()
                .filter(|_| !vault.archives.contains_key(again))
            {
                vault.archives.insert(
                    again.to_owned(),
                    Archive {
                        life: Life::Doubtful,
                        ..known
                    },
                );
            }
        }
    }

    fn upload_aborted(&mut self, vault: &Ref, upload: &Ref, sound: bool) {
        if let Some(upload) = self.upload_mut(vault, upload) {
            upload.life = if sound { Life::Gone } else { Life::Doubtful };
        }
    }

    fn job_begun(
        &mut self,
        vault: &Ref,
        handle: &str,
        body: &JsonBody,
        sound: bool,
        seen: &Observed,
    ) {
        let Some(made) = &seen.made else { return };
        let parameters = body.document().unwrap_or_default();
        let text = |name: &str| {
            member(&parameters, name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let kind = self.job_kind(vault, &parameters);
        let doubtful = !sound || matches!(kind, JobKind::Other);
        let Some(vault) = self.vault_mut(vault) else {
            return;
        };
        vault.inventoried |= matches!(kind, JobKind::Inventory { .. });
        let job = Job {
            id: made.id.clone(),
            location: made.location.clone(),
            kind,
            description: text("Description"),
            topic: text("SNSTopic"),
            tier: text("Tier"),
            created: (seen.sent_at, seen.done_at),
            status: JobStatus::InProgress,
            completed_at: None,
            described: None,
            doubtful,
        };
        vault.jobs.insert(handle.to_owned(), job);
    }

    fn job_kind(&self, vault: &Ref, parameters: &Value) -> JobKind {
        match member(parameters, "Type").and_then(Value::as_str) {
            Some("archive-retrieval") => {
                self.retrieval(vault, parameters).unwrap_or(JobKind::Other)
            }
            Some("inventory-retrieval") => JobKind::Inventory {
                format: member(parameters, "Format")
                    .and_then(Value::as_str)
                    .unwrap_or("JSON")
                    .to_owned(),
                parameters: member(parameters, "InventoryRetrievalParameters").cloned(),
                prepared: None,
            },
            _ => JobKind::Other,
        }
    }

    fn retrieval(&self, vault: &Ref, parameters: &Value) -> Option<JobKind> {
        let named = Self::archive_ref(member(parameters, "ArchiveId")?.as_str()?);
        let handle = named.handle()?;
        let (_, archive) = self.archive(vault, handle)?;
        let asked = member(parameters, "RetrievalByteRange")
            .and_then(Value::as_str)
            .and_then(parse_retrieval_range);
        let range = asked.or_else(|| ByteRange::whole(archive.content.length()))?;
        (range.end <= archive.content.length()).then(|| JobKind::Archive {
            archive: handle.to_owned(),
            archive_id: archive.id.clone(),
            content: archive.content.clone(),
            tree_hash: archive.tree_hash,
            description: archive.description.clone(),
            range,
        })
    }

    fn vault_described(&mut self, vault: &Ref, seen: &Observed) {
        let date = seen
            .document
            .as_ref()
            .and_then(|document| document.get("CreationDate")?.as_str().map(str::to_owned));
        if let Some(vault) = self.vault_mut(vault) {
            vault.creation_date = vault.creation_date.take().or(date);
        }
    }

    fn upload_described(&mut self, vault: &Ref, upload: &Ref, seen: &Observed) {
        let date = seen
            .document
            .as_ref()
            .and_then(|document| document.get("CreationDate")?.as_str().map(str::to_owned));
        if let Some(upload) = self.upload_mut(vault, upload) {
            upload.creation_date = upload.creation_date.take().or(date);
        }
    }

    fn job_described(&mut self, vault: &Ref, job: &Ref, seen: &Observed) {
        let Some(document) = seen.document.as_deref() else {
            return;
        };
        let Some(handle) = job.handle() else { return };
        if let Some(job) = self
            .vault_mut(vault)
            .and_then(|vault| vault.jobs.get_mut(handle))
        {
            job.follow(document, seen.done_at);
        }
    }

    fn jobs_listed(&mut self, vault: &Ref, seen: &Observed) {
        let Some(listed) = seen
            .document
            .as_ref()
            .and_then(|document| document.get("JobList")?.as_array().cloned())
        else {
            return;
        };
        let Some(vault) = self.vault_mut(vault) else {
            return;
        };
        for document in listed {
            let named = document.get("JobId").and_then(Value::as_str);
            if let Some(job) = vault
                .jobs
                .values_mut()
                .find(|job| Some(job.id.as_str()) == named)
            {
                job.follow(&document, seen.done_at);
            }
        }
    }

    fn capacity_bought(&mut self, unit: &str, seen: &Observed) {
        if let Some(made) = &seen.made {
            let bought = Capacity {
                id: made.id.clone(),
                bought: (seen.sent_at, seen.done_at),
            };
            self.capacity.insert(unit.to_owned(), bought);
        }
    }

    /// Tags, notifications, policies and locks.
    fn resource_changed(&mut self, action: &Action, tweak: &Tweak, sound: bool, seen: &Observed) {
        let Some(vault) = action.vault().cloned() else {
            return;
        };
        let Some(vault) = self.vault_mut(&vault) else {
            return;
        };
        let changes = !matches!(
            action,
            Action::ListTagsForVault { .. }
                | Action::GetVaultLock { .. }
                | Action::GetVaultAccessPolicy { .. }
                | Action::GetVaultNotifications { .. }
                | Action::ListMultipartUploads { .. }
        );
        if changes && (!sound || super::expect::is_disputed(action)) {
            vault.doubtful = true;
            return;
        }
        let tags_as_meant = tweak.query.get("operation").is_none();
        match action {
            Action::AddTagsToVault { body, .. } if tags_as_meant => vault.add_tags(body),
            Action::RemoveTagsFromVault { body, .. } if tags_as_meant => vault.remove_tags(body),
            Action::SetVaultNotifications { body, .. } => vault.notifications = body.document(),
            Action::DeleteVaultNotifications { .. } => vault.notifications = None,
            Action::SetVaultAccessPolicy { body, .. } => vault.access_policy = policy_text(body),
            Action::DeleteVaultAccessPolicy { .. } => vault.access_policy = None,
            Action::InitiateVaultLock { lock, body, .. } => vault.lock_begun(lock, body, seen),
            Action::GetVaultLock { .. } => vault.lock_described(seen),
            Action::AbortVaultLock { .. } => vault.lock_ended(),
            Action::CompleteVaultLock { .. } => {
                if let Some(lock) = &mut vault.lock {
                    lock.state = LockState::Locked;
                }
            }
            _ => {}
        }
    }

    /// No answer, or a server error: whatever this could have changed is in doubt.
    fn doubt(&mut self, action: &Action) {
        match action {
            Action::CreateVault { vault, .. } | Action::DeleteVault { vault } => {
                let known = self.vault_mut(vault);
                if let Some(vault) = known {
                    vault.life = Life::Doubtful;
                }
            }
            Action::DeleteArchive { vault, archive } => {
                if let Some(archive) = archive
                    .handle()
                    .and_then(|handle| self.vault_mut(vault)?.archives.get_mut(handle))
                {
                    archive.life = Life::Doubtful;
                }
            }
            Action::UploadMultipartPart { vault, upload, .. }
            | Action::CompleteMultipartUpload { vault, upload, .. }
            | Action::AbortMultipartUpload { vault, upload } => {
                if let Some(upload) = self.upload_mut(vault, upload) {
                    upload.life = Life::Doubtful;
                }
            }
            Action::AddTagsToVault { vault, .. }
            | Action::RemoveTagsFromVault { vault, .. }
            | Action::SetVaultNotifications { vault, .. }
            | Action::DeleteVaultNotifications { vault }
            | Action::SetVaultAccessPolicy { vault, .. }
            | Action::DeleteVaultAccessPolicy { vault }
            | Action::InitiateVaultLock { vault, .. }
            | Action::AbortVaultLock { vault }
            | Action::CompleteVaultLock { vault, .. } => {
                if let Some(vault) = self.vault_mut(vault) {
                    vault.doubtful = true;
                }
            }
            _ => {}
        }
    }
}

fn place(claim: &RangeClaim, content: &Content) -> Option<ByteRange> {
    match claim {
        RangeClaim::At(at) => ByteRange::new(*at, at + content.length()),
        RangeClaim::Literal(text) => ContentRange::parse(text).map(|place| place.range),
        RangeClaim::Absent => None,
    }
}

fn policy_text(body: &JsonBody) -> Option<String> {
    body.document()?.get("Policy")?.as_str().map(str::to_owned)
}

impl Job {
    /// Follows a description of this job: a completed one stays so.
    fn follow(&mut self, document: &Value, now: Timestamp) {
        let status = match document.get("StatusCode").and_then(Value::as_str) {
            Some("Succeeded") => JobStatus::Succeeded,
            Some("Failed") => JobStatus::Failed,
            _ => return,
        };
        if self.completed_at.is_none() {
            self.status = status;
            self.completed_at = Some(now);
            self.described = Some(document.clone());
        }
    }
}

impl Vault {
    fn add_tags(&mut self, body: &JsonBody) {
        let document = body.document().unwrap_or_default();
        let tags = document.get("Tags").and_then(Value::as_object);
        for (key, value) in tags.into_iter().flatten() {
            self.tags
                .insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
        }
    }

    fn remove_tags(&mut self, body: &JsonBody) {
        let document = body.document().unwrap_or_default();
        let keys = document.get("TagKeys").and_then(Value::as_array);
        for key in keys.into_iter().flatten().filter_map(Value::as_str) {
            self.tags.remove(key);
        }
    }

    fn lock_begun(&mut self, handle: &str, body: &JsonBody, seen: &Observed) {
        let Some(made) = &seen.made else {
            self.doubtful = true;
            return;
        };
        self.lock_ended();
        self.lock = Some(Lock {
            handle: handle.to_owned(),
            id: made.id.clone(),
            policy: policy_text(body).unwrap_or_default(),
            state: LockState::InProgress,
            created: (seen.sent_at, seen.done_at),
            creation_date: None,
        });
    }

    fn lock_described(&mut self, seen: &Observed) {
        let date = seen
            .document
            .as_ref()
            .and_then(|document| document.get("CreationDate")?.as_str().map(str::to_owned));
        if let Some(lock) = &mut self.lock {
            lock.creation_date = lock.creation_date.take().or(date);
        }
    }

    fn lock_ended(&mut self) {
        if let Some(lock) = self.lock.take() {
            self.former_locks.push(lock.id);
        }
    }
}
