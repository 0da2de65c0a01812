//! Empties vaults of ours of what no journal knows by its id: what was asked for right before a run was killed.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};

use crevasse_core::scenario::{Action, JsonBody, Page, Ref};
use crevasse_core::wire::Response;

use super::join_all;
use super::patience::Polls;
use super::player::{self, Progress};
use super::session::Session;
use super::symbols::Obstacle;
use crate::event::Leak;
use crate::journal::{JournalError, Kind, Line, Resource};

/// Why a vault could not be emptied.
enum Hindered {
    /// The target does not do its part.
    Target(Obstacle),
    /// Without a journal nothing may be made any more.
    Journal(JournalError),
}

impl From<Obstacle> for Hindered {
    fn from(obstacle: Obstacle) -> Self {
        Self::Target(obstacle)
    }
}

impl From<JournalError> for Hindered {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Session {
    /// Removes resources, and empties those vaults that cannot be removed as they are, unless their inventories take longer than this.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn clear(
        &self,
        left: &[Resource],
        patience: Duration,
    ) -> Result<Vec<Leak>, JournalError> {
        let (mut leaks, mut full) = (Vec::new(), Vec::new());
        for inside in by_vault(left) {
            let stuck = self.sweep(&inside).await?;
            let there = stuck.iter().any(|leak| leak.kind == "vault");
            let vault = |resource: &Resource| there && resource.kind == Kind::Vault;
            match inside.into_iter().find(vault) {
                Some(vault) => full.push(vault),
                None => leaks.extend(stuck),
            }
        }
        // Side by side: each may wait for its inventory for hours.
        let emptied = full
            .iter()
            .map(|vault| self.empty_and_remove(vault, patience));
        for still in join_all(emptied).await {
            leaks.extend(still?);
        }
        Ok(leaks)
    }

    async fn empty_and_remove(
        &self,
        vault: &Resource,
        patience: Duration,
    ) -> Result<Vec<Leak>, JournalError> {
        let hindrance = match self.empty(&vault.vault, patience).await {
            Ok(()) => None,
            Err(Hindered::Target(why)) => Some(why),
            Err(Hindered::Journal(error)) => return Err(error),
        };
        let mut still = self.sweep(std::slice::from_ref(vault)).await?;
        if let (Some(leak), Some(why)) = (still.first_mut(), hindrance) {
            leak.reason = format!("{}; {why}", leak.reason);
        }
        Ok(still)
    }

    async fn empty(&self, vault: &str, patience: Duration) -> Result<(), Hindered> {
        // A lock that is being tried out binds its vault; where there is none, this is refused.
        let _ = self
            .ask(&Action::AbortVaultLock {
                vault: literal(vault),
            })
            .await;
        for upload in self.uploads(vault).await {
            let (vault, upload) = (literal(vault), literal(&upload));
            let _ = self
                .ask(&Action::AbortMultipartUpload { vault, upload })
                .await;
        }
        for archive in self.inventory(vault, patience).await? {
            let (vault, archive) = (literal(vault), literal(&archive));
            let _ = self.ask(&Action::DeleteArchive { vault, archive }).await;
        }
        Ok(())
    }

    /// The uploads that the target lists, as far as it does.
    async fn uploads(&self, vault: &str) -> Vec<String> {
        let list = Action::ListMultipartUploads {
            vault: literal(vault),
            page: Page::default(),
        };
        let (mut uploads, mut seen, mut page) = (Vec::new(), BTreeSet::new(), list.clone());
        for _ in 0..player::PAGES {
            let Ok(response) = self.success(&page).await else {
                break;
            };
            uploads.extend(ids(&response, "UploadsList", "MultipartUploadId").unwrap_or_default());
            let marker = player::marker(&self.spec, &list, &response);
            match marker.filter(|marker| seen.insert(marker.clone())) {
                Some(marker) if !self.stop.asked() => page = player::continued(&list, marker),
                _ => break,
            }
        }
        uploads
    }

    /// The archives that an inventory of the vault names, which may take hours.
    async fn inventory(&self, vault: &str, patience: Duration) -> Result<Vec<String>, Hindered> {
        let job = self.begin_inventory(vault).await?;
        self.complete(vault, &job, patience).await?;
        let output = Action::GetJobOutput {
            vault: literal(vault),
            job: literal(&job),
            range: None,
        };
        let response = self.success(&output).await?;
        let archives = ids(&response, "ArchiveList", "ArchiveId");
        Ok(archives.map_err(|why| format!("its inventory {why}"))?)
    }

    /// Begins an inventory of the vault, and says as which job.
    async fn begin_inventory(&self, vault: &str) -> Result<String, Hindered> {
        let initiate = Action::InitiateJob {
            vault: literal(vault),
            job: "inventory".to_owned(),
            body: JsonBody::Json(json!({"Type": "inventory-retrieval", "Format": "JSON"})),
        };
        let begun = self.success(&initiate).await;
        let begun = begun.map_err(|why| format!("no inventory: {why}"))?;
        let job = begun.headers.value("x-amz-job-id");
        let job = job.ok_or_else(|| "no inventory: the job has no id".to_owned())?;
        self.write(&Line::Made(Resource {
            kind: Kind::Job,
            vault: vault.to_owned(),
            id: Some(job.to_owned()),
        }))?;
        Ok(job.to_owned())
    }

    /// Waits for an inventory.
    async fn complete(&self, vault: &str, job: &str, patience: Duration) -> Result<(), Obstacle> {
        let describe = Action::DescribeJob {
            vault: literal(vault),
            job: literal(job),
        };
        let mut polls = Polls::new(patience);
        loop {
            let described = self.success(&describe).await;
            if described.is_ok_and(|response| player::progress(&response) == Progress::Over) {
                return Ok(());
            }
            match polls.next().filter(|_| !self.stop.asked()) {
                Some(pause) => self.stop.or_after(pause).await,
                None => return Err("its inventory is not there yet".to_owned()),
            }
        }
    }

    async fn success(&self, action: &Action) -> Result<Response, Obstacle> {
        let exchange = self.ask(action).await?;
        match exchange.reply.response() {
            Some(response) if response.is_success() => Ok(response.clone()),
            _ => Err(super::sweep::answer(&exchange.reply)),
        }
    }
}

/// Vaults, each with what is in it, in the order given.
fn by_vault(left: &[Resource]) -> impl Iterator<Item = Vec<Resource>> {
    let mut vaults: IndexMap<&str, Vec<Resource>> = IndexMap::new();
    for resource in left {
        let inside = vaults.entry(&resource.vault).or_default();
        inside.push(resource.clone());
    }
    vaults.into_values()
}

fn literal(text: &str) -> Ref {
    Ref::Literal(text.to_owned())
}

/// The ids of what a document lists; what is wrong with a document that cannot be read.
fn ids(response: &Response, list: &str, id: &str) -> Result<Vec<String>, Obstacle> {
    let body = &response.body;
    if body.bytes().is_none() {
        return Err(format!("of {} bytes is too long to be read", body.length));
    }
    let document = body.json().ok_or_else(|| "is not JSON".to_owned())?;
    let entries = document.get(list).and_then(Value::as_array);
    let id = |entry: &Value| entry.get(id)?.as_str().map(str::to_owned);
    Ok(entries.into_iter().flatten().filter_map(id).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crevasse_core::spec::Spec;
    use crevasse_core::wire::{ObservedBody, Reply, Request};
    use crevasse_reference::{Options, Service};

    use super::*;
    use crate::execute::transport::Arm;
    use crate::execute::{Pace, Target};
    use crate::journal::Journal;

    const VAULT: &str = "crevasse-x7k2p9-a-v";

    fn session(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Session {
        Session::new(
            Target::new("http://127.0.0.1:9").unwrap(),
            Arm::in_process(answer),
            Arc::new(Spec::builtin().clone()),
            Pace::new(1, None),
            Journal::discarding(),
            "crevasse-x7k2p9".to_owned(),
        )
    }

    /// A vault that holds an archive, and more uploads than a page has, of which no journal knows.
    async fn filled(session: &Session) {
        let vault = || literal(VAULT);
        let create = Action::CreateVault {
            vault: vault(),
            name: None,
        };
        session.success(&create).await.unwrap();
        let archive = Action::UploadArchive {
            vault: vault(),
            archive: "a".to_owned(),
            content: vec![1, 2, 3].into(),
            description: None,
            tree_hash: Default::default(),
            content_sha256: Default::default(),
        };
        session.success(&archive).await.unwrap();
        for _ in 0..60 {
            let upload = Action::InitiateMultipartUpload {
                vault: vault(),
                upload: "u".to_owned(),
                part_size: Some("1048576".to_owned()),
                description: None,
            };
            session.success(&upload).await.unwrap();
        }
    }

    async fn cleared(session: &Session) -> Vec<Leak> {
        let left = [Resource::vault(VAULT)];
        session.clear(&left, Duration::from_secs(5)).await.unwrap()
    }

    #[tokio::test]
    async fn a_vault_is_emptied_of_all_pages_of_uploads_and_of_its_archives() {
        let service = Service::new(Options::default());
        let aborted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&aborted);
        let session = session(move |request| {
            let aborts = request.method == "DELETE" && request.path.contains("/multipart-uploads/");
            count.fetch_add(usize::from(aborts), Ordering::Relaxed);
            service.exchange(request)
        });
        filled(&session).await;
        assert_eq!(cleared(&session).await, []);
        assert_eq!(aborted.load(Ordering::Relaxed), 60);
    }

    #[tokio::test]
    async fn a_vault_whose_inventory_is_longer_than_what_is_kept_is_told_of() {
        let service = Service::new(Options::default());
        let session = session(move |request| {
            let mut reply = service.exchange(request);
            if let Reply::Response(response) = &mut reply
                && request.path.ends_with("/output")
            {
                response.body.length = ObservedBody::KEPT as u64 + 9;
            }
            reply
        });
        filled(&session).await;
        let leaks = cleared(&session).await;
        let [leak] = &leaks[..] else {
            panic!("{leaks:?}");
        };
        let why = "; its inventory of 1048585 bytes is too long to be read";
        assert!(leak.reason.ends_with(why), "{leak:?}");
    }
}
