//! Empties vaults of ours of what no journal knows by its id: what was asked for right before a run was killed.

use std::time::Duration;

use serde_json::{Value, json};

use crevasse_core::scenario::{Action, JsonBody, Page, Ref};
use crevasse_core::wire::Response;

use super::patience::Polls;
use super::session::Session;
use super::symbols::Obstacle;
use crate::event::Leak;
use crate::journal::{JournalError, Kind, Line, Resource};

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
        let mut leaks = self.sweep(left).await?;
        let full = |vault: &&Resource| {
            let is_it = |leak: &Leak| leak.kind == "vault" && leak.name == vault.vault;
            vault.kind == Kind::Vault && leaks.iter().any(is_it)
        };
        let full: Vec<Resource> = left.iter().filter(full).cloned().collect();
        for vault in full {
            leaks.retain(|leak| leak.name.split('/').next() != Some(&vault.vault));
            let emptied = self.empty(&vault.vault, patience).await?;
            let mut still = self.sweep(std::slice::from_ref(&vault)).await?;
            if let (Some(leak), Err(why)) = (still.first_mut(), emptied) {
                leak.reason = format!("{}; {why}", leak.reason);
            }
            leaks.extend(still);
        }
        Ok(leaks)
    }

    async fn empty(
        &self,
        vault: &str,
        patience: Duration,
    ) -> Result<Result<(), Obstacle>, JournalError> {
        let named = || Ref::Literal(vault.to_owned());
        // A lock that is being tried out binds its vault; where there is none, this is refused.
        let _ = self.ask(&Action::AbortVaultLock { vault: named() }).await;
        for upload in self.uploads(vault).await {
            let (vault, upload) = (named(), Ref::Literal(upload));
            let _ = self
                .ask(&Action::AbortMultipartUpload { vault, upload })
                .await;
        }
        let archives = match self.inventory(vault, patience).await? {
            Ok(archives) => archives,
            Err(why) => return Ok(Err(why)),
        };
        for archive in archives {
            let (vault, archive) = (named(), Ref::Literal(archive));
            let _ = self.ask(&Action::DeleteArchive { vault, archive }).await;
        }
        Ok(Ok(()))
    }

    async fn uploads(&self, vault: &str) -> Vec<String> {
        let list = Action::ListMultipartUploads {
            vault: Ref::Literal(vault.to_owned()),
            page: Page::default(),
        };
        match self.success(&list).await {
            Ok(response) => ids(&response, "UploadsList", "MultipartUploadId"),
            Err(_) => Vec::new(),
        }
    }

    /// The archives that an inventory of the vault names, which may take hours.
    async fn inventory(
        &self,
        vault: &str,
        patience: Duration,
    ) -> Result<Result<Vec<String>, Obstacle>, JournalError> {
        let named = || Ref::Literal(vault.to_owned());
        let initiate = Action::InitiateJob {
            vault: named(),
            job: "inventory".to_owned(),
            body: JsonBody::Json(json!({"Type": "inventory-retrieval", "Format": "JSON"})),
        };
        let id = match self.success(&initiate).await {
            Ok(response) => response.headers.value("x-amz-job-id").map(str::to_owned),
            Err(why) => return Ok(Err(format!("no inventory: {why}"))),
        };
        let Some(id) = id else {
            return Ok(Err("no inventory: the job has no id".to_owned()));
        };
        self.write(&Line::Made(Resource {
            kind: Kind::Job,
            vault: vault.to_owned(),
            id: Some(id.clone()),
        }))?;
        let job = || Ref::Literal(id.clone());
        let describe = Action::DescribeJob {
            vault: named(),
            job: job(),
        };
        let mut polls = Polls::new(patience);
        loop {
            let described = self.success(&describe).await;
            if described.is_ok_and(|response| super::player::is_complete(&response)) {
                break;
            }
            match polls.next().filter(|_| !self.stop.asked()) {
                Some(pause) => self.stop.or_after(pause).await,
                None => return Ok(Err("its inventory is not there yet".to_owned())),
            }
        }
        let output = Action::GetJobOutput {
            vault: named(),
            job: job(),
            range: None,
        };
        let answer = self.success(&output).await;
        Ok(answer.map(|response| ids(&response, "ArchiveList", "ArchiveId")))
    }

    async fn success(&self, action: &Action) -> Result<Response, Obstacle> {
        let exchange = self.ask(action).await?;
        match exchange.reply.response() {
            Some(response) if response.is_success() => Ok(response.clone()),
            _ => Err(super::sweep::answer(&exchange.reply)),
        }
    }
}

fn ids(response: &Response, list: &str, id: &str) -> Vec<String> {
    let document = response.body.json().unwrap_or_default();
    let entries = document.get(list).and_then(Value::as_array);
    let id = |entry: &Value| entry.get(id)?.as_str().map(str::to_owned);
    entries.into_iter().flatten().filter_map(id).collect()
}
