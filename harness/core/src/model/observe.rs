//! Following what the target did: what it acknowledged is remembered, what it should not have done is in doubt.

use serde_json::Value;

use super::expect::{Given, header, member};
use super::{
    Archive, Capacity, Expectation, Job, JobKind, JobStatus, Life, Lock, LockState, Made, Model,
    Observed, Part, Upload, Vault,
};
use crate::amz_date::Timestamp;
use crate::payload::Content;
use crate::range::{ByteRange, ContentRange, parse_retrieval_range};
use crate::scenario::{Action, JsonBody, RangeClaim, Ref, Tweak, is_legal_vault_name};
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
        // What another region holds is not remembered here.
        if self.is_elsewhere(tweak) {
            return;
        }
        self.learn_account(seen);
        if tweak.method.is_some() {
            return;
        }
        let damaged = matches!(tweak.framing, Framing::Half | Framing::Garbled(_));
        if seen.accepted {
            let sound = expected.allows_success() && !matches!(expected, Expectation::Blocked(_));
            self.accepted(action, tweak, sound && !damaged, seen);
        } else if seen.leaves_open() && expected.allows_success() && !damaged {
            self.doubt(action, seen);
        } else {
            self.refused(action, seen);
        }
    }

    /// Account and region stand in every ARN and Location.
    fn learn_account(&mut self, seen: &Observed) {
        if let Some(text) = seen.made.as_ref().and_then(|made| made.location.as_deref()) {
            let account = text
                .trim_start_matches('/')
                .split('/')
                .next()
                .unwrap_or_default();
            self.learn(account, None);
        }
        const ARNS: [&str; 4] = [
            "/VaultARN",
            "/VaultList/0/VaultARN",
            "/JobList/0/VaultARN",
            "/UploadsList/0/VaultARN",
        ];
        let told = seen.document.as_deref();
        let arn = told.and_then(|told| ARNS.iter().find_map(|arn| told.pointer(arn)?.as_str()));
        let fields: Vec<&str> = arn.unwrap_or_default().split(':').collect();
        if let ["arn", _, "glacier", region, account, _, ..] = fields.as_slice() {
            self.learn(account, Some(region));
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
            self.region = region
                .filter(|region| !region.is_empty())
                .map(str::to_owned);
        }
    }

    fn vault_mut(&mut self, vault: &Ref) -> Option<&mut Vault> {
        let home = self.home(vault)?.to_owned();
        self.vaults.get_mut(&home)
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
                let description = stored_description(tweak, description.as_deref());
                self.archive_made(vault, archive, content.clone(), description, sound, seen);
            }
            Action::DeleteArchive { vault, archive } => {
                self.archive_deleted(vault, archive, sound, seen);
            }
            Action::InitiateMultipartUpload {
                vault,
                upload,
                part_size,
                description,
            } => {
                let description = stored_description(tweak, description.as_deref());
                self.upload_begun(
                    vault,
                    upload,
                    sent_header(tweak, "x-amz-part-size", part_size.as_deref()),
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
            } => self.part_stored(
                vault,
                upload,
                content,
                &sent_range(tweak, range),
                sound,
                seen,
            ),
            Action::CompleteMultipartUpload {
                vault,
                upload,
                archive,
                ..
            } => self.upload_completed(vault, upload, archive, sound, seen),
            Action::AbortMultipartUpload { vault, upload } => {
                self.upload_aborted(vault, upload, sound);
            }
            Action::InitiateJob { vault, job, body } => {
                self.job_begun(vault, job, body, sound, seen);
            }
            Action::DescribeVault { vault } => self.vault_described(vault, seen),
            Action::DescribeJob { vault, job } => self.job_described(vault, job, seen),
            Action::ListJobs { vault, .. } => self.jobs_listed(vault, seen),
            Action::ListParts { vault, upload, .. } => self.upload_described(vault, upload, seen),
            Action::SetDataRetrievalPolicy { body } => {
                self.retrieval_policy = body.document().and_then(|d| member(&d, "Policy").cloned());
            }
            Action::PurchaseProvisionedCapacity { unit } => self.capacity_bought(unit, seen),
            Action::ListProvisionedCapacity {} => self.capacity_listed(seen),
            other => self.resource_changed(other, tweak, sound, seen),
        }
    }

    fn vault_created(&mut self, vault: &Ref, sound: bool, seen: &Observed) {
        let Some(handle) = vault.handle() else { return };
        let known = self.vaults.get_mut(handle);
        match known.filter(|known| known.life != Life::Gone) {
            Some(known) if known.life == Life::Doubtful && sound => {
                known.shown_to_exist();
                // Perhaps since now, perhaps since it was made first.
                known.created.1 = seen.done_at;
                known.creation_date = None;
            }
            Some(_) => {}
            None => {
                let life = if sound { Life::Live } else { Life::Doubtful };
                self.vaults
                    .insert(handle.to_owned(), Vault::named_by(handle, life, seen));
            }
        }
    }

    /// A vault that was deleted although it held archives: the fault is told once, not again by all that is missing afterwards.
    fn vault_deleted(&mut self, vault: &Ref, sound: bool) {
        if let Some(vault) = self.vault_mut(vault) {
            let life = if sound { Life::Gone } else { Life::Doubtful };
            vault.life = life;
            let uploads = vault.uploads.values_mut();
            uploads
                .filter(|upload| upload.life != Life::Gone)
                .for_each(|upload| upload.life = life);
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
        let Some((vault, handle)) = self.vault_of_archive(through, archive) else {
            return;
        };
        let Some(known) = vault.archives.get_mut(&handle) else {
            return;
        };
        if known.life == Life::Gone {
            return;
        }
        known.life = if sound { Life::Gone } else { Life::Doubtful };
        known.deleted_at = Some(seen.sent_at);
        vault.changed_at = Some(seen.done_at);
        // Where two archives have one id, which is a fault of its own, nobody knows which is gone.
        let id = known.id.clone();
        let namesakes = vault.archives.values_mut().filter(|other| other.id == id);
        namesakes
            .filter(|other| other.life == Life::Live)
            .for_each(|other| other.life = Life::Doubtful);
    }

    /// The vault an archive is in, and its handle there.
    fn vault_of_archive(&mut self, through: &Ref, archive: &Ref) -> Option<(&mut Vault, String)> {
        let handle = self.handle_of::<Archive>(archive)?.to_owned();
        let home = self.archive(through, &handle)?.0.to_owned();
        Some((self.vaults.get_mut(&home)?, handle))
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
            active_at: seen.done_at,
            life: if sound { Life::Live } else { Life::Doubtful },
            completed: None,
        };
        vault.uploads.insert(handle.to_owned(), upload);
    }

    fn upload_mut(&mut self, through: &Ref, upload: &Ref) -> Option<&mut Upload> {
        let handle = self.handle_of::<Upload>(upload)?.to_owned();
        let home = self.upload(through, &handle)?.0.to_owned();
        self.vaults.get_mut(&home)?.uploads.get_mut(&handle)
    }

    fn part_stored(
        &mut self,
        vault: &Ref,
        upload: &Ref,
        content: &Content,
        range: &RangeClaim,
        sound: bool,
        seen: &Observed,
    ) {
        let Some(upload) = self.upload_mut(vault, upload) else {
            return;
        };
        upload.active_at = seen.done_at;
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
            return self.same_archive(vault, &first, archive, seen);
        }
        known.life = Life::Gone;
        known.completed = Some(archive.to_owned());
        let (content, description) = (known.assembled(), known.description.clone());
        self.archive_made(vault, archive, content, description, sound, seen);
    }

    /// A completion that was repeated names the archive it made a second time, or makes another.
    fn same_archive(&mut self, vault: &Ref, first: &str, again: &str, seen: &Observed) {
        if let Some(vault) = self.vault_mut(vault)
            && let Some(known) = vault
                .archives
                .get(first)
                .cloned()
                .filter(|_| !vault.archives.contains_key(again))
        {
            let named = seen.made.as_ref().map(|made| made.id.clone());
            vault.archives.insert(
                again.to_owned(),
                Archive {
                    id: named.unwrap_or_else(|| known.id.clone()),
                    life: Life::Doubtful,
                    ..known
                },
            );
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
        let id = member(parameters, "ArchiveId")?.as_str()?;
        let (handle, _, archive) = self.archive_called(vault, id)?;
        let asked = member(parameters, "RetrievalByteRange")
            .and_then(Value::as_str)
            .and_then(parse_retrieval_range);
        let range = asked.or_else(|| ByteRange::whole(archive.content.length()))?;
        (range.end <= archive.content.length()).then(|| JobKind::Archive {
            archive: handle,
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
            if vault.life == Life::Doubtful && is_legal_vault_name(&vault.name) {
                vault.shown_to_exist();
            }
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
        let Some(handle) = self.handle_of::<Job>(job).map(str::to_owned) else {
            return;
        };
        if let Some(job) = self
            .vault_mut(vault)
            .and_then(|vault| vault.jobs.get_mut(&handle))
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

    /// Units that were bought before this run count too.
    fn capacity_listed(&mut self, seen: &Observed) {
        let listed = seen
            .document
            .as_ref()
            .and_then(|document| document.get("ProvisionedCapacityList")?.as_array().cloned());
        for unit in listed.unwrap_or_default() {
            let text = |name: &str| unit.get(name).and_then(Value::as_str);
            let Some(id) = text("CapacityId") else {
                continue;
            };
            let bought = text("StartDate").and_then(Timestamp::parse_utc);
            let known = self.capacity.values().any(|unit| unit.id == id);
            if let (Some(bought), false) = (bought, known) {
                let unit = Capacity {
                    id: id.to_owned(),
                    bought: (bought, bought),
                };
                self.capacity.insert(id.to_owned(), unit);
            }
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
        if changes_what_hangs(action) && (!sound || super::expect::is_disputed(action)) {
            return vault.doubt_what_hangs(action);
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

    /// The target refused: a vault of whose existence nothing was known is not there, and a name that cannot be is remembered as such.
    fn refused(&mut self, action: &Action, seen: &Observed) {
        match action {
            Action::DescribeVault { vault } if seen.status == 404 => {
                let known = self.vault_mut(vault);
                if let Some(vault) = known.filter(|vault| vault.life == Life::Doubtful) {
                    vault.life = Life::Gone;
                }
            }
            Action::CreateVault { vault, .. } => {
                let Some(handle) = vault.handle() else { return };
                let never = Vault::named_by(handle, Life::Gone, seen);
                if never.name != handle && !is_legal_vault_name(&never.name) {
                    self.vaults.entry(handle.to_owned()).or_insert(never);
                }
            }
            _ => {}
        }
    }

    /// No answer, or a server error: whatever this could have changed is in doubt.
    fn doubt(&mut self, action: &Action, seen: &Observed) {
        match action {
            Action::CreateVault { vault, .. } => {
                let Some(handle) = vault.handle() else { return };
                let known = self.vault(vault).map(|known| known.life);
                if matches!(known, None | Some(Life::Gone)) {
                    let perhaps = Vault::named_by(handle, Life::Doubtful, seen);
                    self.vaults.insert(handle.to_owned(), perhaps);
                }
            }
            Action::DeleteVault { vault } => {
                let known = self.vault_mut(vault);
                if let Some(vault) = known.filter(|vault| vault.life == Life::Live) {
                    vault.life = Life::Doubtful;
                }
            }
            Action::UploadArchive {
                vault,
                archive,
                content,
                ..
            } => self.archive_perhaps_made(vault, archive, content.clone(), seen),
            Action::DeleteArchive { vault, archive } => {
                if let Some((vault, handle)) = self.vault_of_archive(vault, archive) {
                    vault.doubt_archive(&handle);
                }
            }
            Action::InitiateMultipartUpload { vault, upload, .. } => {
                let unnamed = Observed {
                    made: Some(Made::unknown()),
                    ..seen.clone()
                };
                self.upload_begun(vault, upload, None, None, false, &unnamed);
            }
            Action::CompleteMultipartUpload {
                vault,
                upload,
                archive,
                ..
            } => {
                self.archive_perhaps_made(vault, archive, Content::empty(), seen);
                self.doubt_upload(vault, upload);
            }
            Action::UploadMultipartPart { vault, upload, .. }
            | Action::AbortMultipartUpload { vault, upload } => self.doubt_upload(vault, upload),
            Action::InitiateJob { .. } => self.doubt_what_hangs(action),
            other if changes_what_hangs(other) => self.doubt_what_hangs(other),
            _ => {}
        }
    }

    fn doubt_what_hangs(&mut self, action: &Action) {
        if let Some(vault) = action
            .vault()
            .cloned()
            .and_then(|vault| self.vault_mut(&vault))
        {
            vault.doubt_what_hangs(action);
        }
    }

    /// An archive that may be there, under an id that nobody knows.
    fn archive_perhaps_made(
        &mut self,
        vault: &Ref,
        archive: &str,
        content: Content,
        seen: &Observed,
    ) {
        let unnamed = Observed {
            made: Some(Made::unknown()),
            ..seen.clone()
        };
        let known = self.vault(vault);
        if known.is_some_and(|vault| !vault.archives.contains_key(archive)) {
            self.archive_made(vault, archive, content, None, false, &unnamed);
        }
    }

    fn doubt_upload(&mut self, vault: &Ref, upload: &Ref) {
        if let Some(upload) = self.upload_mut(vault, upload) {
            upload.life = Life::Doubtful;
        }
    }
}

impl Made {
    /// Something whose id nobody was told.
    fn unknown() -> Self {
        Self {
            id: String::new(),
            location: None,
        }
    }
}

impl Observed {
    /// Whether the answer leaves open what was done: none came, or the server failed. 501 and 503 say that nothing was.
    fn leaves_open(&self) -> bool {
        self.status == 0 || self.status >= 500 && !matches!(self.status, 501 | 503)
    }
}

/// The range a part is sent with, whatever the action says of it.
fn sent_range(tweak: &Tweak, claim: &RangeClaim) -> RangeClaim {
    match header(tweak, "content-range") {
        Given::AsImplied => claim.clone(),
        Given::Removed => RangeClaim::Absent,
        Given::Set(text) => RangeClaim::Literal(text.to_owned()),
    }
}

fn sent_header<'a>(tweak: &'a Tweak, name: &str, implied: Option<&'a str>) -> Option<&'a str> {
    match header(tweak, name) {
        Given::AsImplied => implied,
        Given::Removed => None,
        Given::Set(text) => Some(text),
    }
}

/// HTTP takes the spaces around a header away (RFC 9110, 5.5).
fn stored_description(tweak: &Tweak, implied: Option<&str>) -> Option<String> {
    super::expect::described(tweak, implied).map(|text| text.trim_matches(' ').to_owned())
}

fn place(claim: &RangeClaim, content: &Content) -> Option<ByteRange> {
    match claim {
        RangeClaim::At(at) => ByteRange::new(*at, at.saturating_add(content.length())),
        RangeClaim::Literal(text) => ContentRange::parse(text).map(|place| place.range),
        RangeClaim::Absent => None,
    }
}

/// Operations that change tags, notifications, policies or locks.
fn changes_what_hangs(action: &Action) -> bool {
    matches!(
        action,
        Action::AddTagsToVault { .. }
            | Action::RemoveTagsFromVault { .. }
            | Action::SetVaultNotifications { .. }
            | Action::DeleteVaultNotifications { .. }
            | Action::SetVaultAccessPolicy { .. }
            | Action::DeleteVaultAccessPolicy { .. }
            | Action::InitiateVaultLock { .. }
            | Action::AbortVaultLock { .. }
            | Action::CompleteVaultLock { .. }
    )
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
    /// A vault that holds nothing, called as the answer or the bindings say.
    fn named_by(handle: &str, life: Life, seen: &Observed) -> Self {
        let bound = seen.bindings.get(&format!("vault:{handle}")).cloned();
        let told = || seen.made.as_ref().map(|made| made.id.clone());
        Self {
            name: bound.or_else(told).unwrap_or_else(|| handle.to_owned()),
            life,
            created: (seen.sent_at, seen.done_at),
            ..Self::default()
        }
    }

    /// It is there after all. What it held before it was in doubt may not be.
    fn shown_to_exist(&mut self) {
        self.life = Life::Live;
        self.doubtful |= self.tags.len() + self.jobs.len() > 0
            || self.lock.is_some()
            || self.access_policy.is_some()
            || self.notifications.is_some();
        let handles: Vec<String> = self.archives.keys().cloned().collect();
        handles.iter().for_each(|handle| self.doubt_archive(handle));
        let open = self.uploads.values_mut();
        open.filter(|upload| upload.life == Life::Live)
            .for_each(|upload| upload.life = Life::Doubtful);
        self.jobs.values_mut().for_each(|job| job.doubtful = true);
    }

    /// A change may have happened: a policy that may count now does not end the one before it.
    fn doubt_what_hangs(&mut self, action: &Action) {
        self.doubtful = true;
        if let Action::SetVaultAccessPolicy { body, .. } | Action::InitiateVaultLock { body, .. } =
            action
        {
            self.doubtful_policies.extend(policy_text(body));
        }
    }

    fn doubt_archive(&mut self, handle: &str) {
        let known = self.archives.get_mut(handle);
        if let Some(archive) = known.filter(|archive| archive.life == Life::Live) {
            archive.life = Life::Doubtful;
        }
    }

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

    /// A lock that is no more leaves its id behind, which is valid no longer (IVL-STATE-004).
    pub(super) fn lock_ended(&mut self) {
        if let Some(lock) = self.lock.take() {
            self.former_locks.push(lock.id);
        }
    }
}
