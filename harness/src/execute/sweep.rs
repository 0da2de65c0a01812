//! Undoes what a run did, in reverse order: removes what it made and proves it gone, and puts back what it changed.

use indexmap::IndexMap;

use crevasse_core::scenario::{Action, JsonBody, Ref, Tweak};
use crevasse_core::wire::{Exchange, Reply, Response};

use super::session::Session;
use super::symbols::Obstacle;
use crate::event::Leak;
use crate::journal::{JournalError, Kind, Line, Resource};

impl Session {
    /// Removes resources, latest first as given, and then the vaults they are in. Tells what is still there, and why.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) async fn sweep(&self, left: &[Resource]) -> Result<Vec<Leak>, JournalError> {
        let mut stuck: IndexMap<&Resource, String> = IndexMap::new();
        for resource in left.iter().filter(|resource| resource.kind != Kind::Vault) {
            if let Err(reason) = self.remove(resource).await? {
                stuck.insert(resource, reason);
            }
        }
        let mut leaks = Vec::new();
        for vault in left.iter().filter(|resource| resource.kind == Kind::Vault) {
            match self.remove(vault).await? {
                Ok(()) => stuck.retain(|inside, _| inside.vault != vault.vault),
                Err(reason) => leaks.push(leak(vault, reason)),
            }
        }
        leaks.extend(
            stuck
                .into_iter()
                .map(|(resource, reason)| leak(resource, reason)),
        );
        Ok(leaks)
    }

    /// Undoes one resource; says why when it is still there.
    async fn remove(&self, resource: &Resource) -> Result<Result<(), String>, JournalError> {
        if self.is_deserted() {
            return Ok(Err("the target stopped answering".to_owned()));
        }
        let Some(removal) = removal(resource) else {
            return Ok(Ok(()));
        };
        let removed = self.ask(&removal).await;
        let acknowledged = removed.and_then(|exchange| acknowledged(&exchange.reply));
        let described = self.described(resource).await;
        let gone = match (acknowledged, described) {
            (Ok(()), Some(reply)) if reply.response().is_some_and(Response::is_success) => {
                Err("its deletion was acknowledged, and it is still described".to_owned())
            }
            // A server may fail when asked to delete a vault that is not there.
            (Err(_), Some(reply)) if reply.response().is_some_and(is_absent) => Ok(()),
            (acknowledged, _) => acknowledged,
        };
        if gone.is_ok() {
            self.write(&Line::Gone(resource.clone()))?;
            if resource.kind == Kind::Vault {
                self.unclaim(&resource.vault);
            }
        }
        Ok(gone)
    }

    /// What the target says of a vault after its deletion, whatever it made of that.
    async fn described(&self, resource: &Resource) -> Option<Reply> {
        if resource.kind != Kind::Vault {
            return None;
        }
        let describe = Action::DescribeVault {
            vault: literal(&resource.vault),
        };
        let exchange = self.ask(&describe).await.ok()?;
        Some(exchange.reply)
    }

    /// Asks for something that no case asks for, whether or not the run is over.
    pub(crate) async fn ask(&self, action: &Action) -> Result<Exchange, Obstacle> {
        let mut symbols = self.symbols("");
        symbols.own(action);
        let request = self.compose(action, &Tweak::default(), &mut symbols)?;
        self.converse(&request, None).await
    }
}

fn literal(text: &str) -> Ref {
    Ref::Literal(text.to_owned())
}

/// What undoes a resource; nothing does a job.
fn removal(resource: &Resource) -> Option<Action> {
    let vault = literal(&resource.vault);
    let id = resource.id.as_deref().unwrap_or_default();
    Some(match resource.kind {
        Kind::Archive => Action::DeleteArchive {
            vault,
            archive: literal(id),
        },
        Kind::Upload => Action::AbortMultipartUpload {
            vault,
            upload: literal(id),
        },
        Kind::Lock => Action::AbortVaultLock { vault },
        Kind::Vault => Action::DeleteVault { vault },
        Kind::RetrievalPolicy => Action::SetDataRetrievalPolicy {
            body: JsonBody::Json(serde_json::from_str(id).unwrap_or_default()),
        },
        Kind::Job => return None,
    })
}

/// Whether the answer to a removal means that nothing is there any more; says what it means otherwise.
fn acknowledged(reply: &Reply) -> Result<(), String> {
    let gone = |response: &Response| response.is_success() || is_absent(response);
    match reply.response() {
        Some(response) if gone(response) => Ok(()),
        _ => Err(answer(reply)),
    }
}

/// A 404 of the API, whatever its document says: one without comes from a server that has no such route.
fn is_absent(response: &Response) -> bool {
    response.status == 404 && response.body.json().is_some_and(|body| body.is_object())
}

pub(crate) fn answer(reply: &Reply) -> String {
    match reply {
        Reply::Fault(fault) => fault.detail.clone(),
        Reply::Response(response) => {
            let document = response.body.json().unwrap_or_default();
            let message = document
                .get("message")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            let code = response.error_code().unwrap_or_default();
            format!("{} {code} {message}", response.status)
                .trim()
                .to_owned()
        }
    }
}

fn leak(resource: &Resource, reason: String) -> Leak {
    let kind = match resource.kind {
        Kind::Vault => "vault",
        Kind::Archive => "archive",
        Kind::Upload => "upload",
        Kind::Job => "job",
        Kind::Lock => "lock",
        Kind::RetrievalPolicy => "policy",
    };
    let id = resource.id.as_deref();
    let (name, reason) = match (resource.kind, id) {
        (Kind::RetrievalPolicy, Some(former)) => (
            "data-retrieval".to_owned(),
            format!("the target did not take the former one back, {former}: {reason}"),
        ),
        (_, Some(id)) => (format!("{}/{id}", resource.vault), reason),
        (_, None) => (resource.vault.clone(), reason),
    };
    Leak {
        kind: kind.to_owned(),
        name,
        reason,
    }
}
