//! What an answer teaches the hand: ids, locations, markers, and what now exists.

use serde_json::Value;

use crevasse_core::scenario::{Action, RangeClaim, Ref, Tweak};
use crevasse_core::wire::{Exchange, Response};

use super::Player;
use crate::execute::symbols::start_of;
use crate::journal::{JournalError, Kind};

impl Player<'_> {
    /// Learns from a success. A request with another method asked for something else, whatever it answers.
    pub(super) fn learn(
        &mut self,
        action: &Action,
        tweak: &Tweak,
        exchange: &Exchange,
    ) -> Result<(), JournalError> {
        let Some(response) = exchange
            .reply
            .response()
            .filter(|response| response.is_success())
        else {
            return Ok(());
        };
        if tweak.method.is_some() {
            return Ok(());
        }
        self.learn_tellings(action, exchange, response);
        let Some(vault) = action
            .vault()
            .and_then(|vault| self.symbols.resolve("vault", vault).ok())
        else {
            return Ok(());
        };
        self.learn_creations(action, response, &vault)?;
        self.learn_removals(action, &vault)
    }

    fn learn_creations(
        &mut self,
        action: &Action,
        response: &Response,
        vault: &str,
    ) -> Result<(), JournalError> {
        match action {
            Action::CreateVault { vault: named, .. } => {
                let location = response.headers.value("location");
                if let Some(handle) = named.handle() {
                    self.symbols.bind("vault", handle, vault, location);
                }
                self.keep(Kind::Vault, vault, None)
            }
            Action::UploadArchive { archive, .. } => {
                self.made(Kind::Archive, archive, vault, response)
            }
            Action::CompleteMultipartUpload {
                upload, archive, ..
            } => {
                self.made(Kind::Archive, archive, vault, response)?;
                self.gone(Kind::Upload, upload, vault)
            }
            Action::InitiateMultipartUpload { upload, .. } => {
                self.made(Kind::Upload, upload, vault, response)
            }
            Action::InitiateJob { job, body, .. } => {
                let tier = body
                    .document()
                    .and_then(|body| Some(body.get("Tier")?.as_str()?.to_owned()));
                self.symbols.note_tier(job, tier.as_deref());
                self.made(Kind::Job, job, vault, response)
            }
            Action::InitiateVaultLock { lock, .. } => self.made(Kind::Lock, lock, vault, response),
            _ => Ok(()),
        }
    }

    fn learn_removals(&mut self, action: &Action, vault: &str) -> Result<(), JournalError> {
        match action {
            Action::DeleteVault { .. } => self.drop_resource(Kind::Vault, vault, None),
            Action::DeleteArchive { archive, .. } => self.gone(Kind::Archive, archive, vault),
            Action::AbortMultipartUpload { upload, .. } => self.gone(Kind::Upload, upload, vault),
            // A lock that is complete is nothing that could be removed any more.
            Action::CompleteVaultLock { lock, .. } => self.gone(Kind::Lock, lock, vault),
            Action::AbortVaultLock { .. } => {
                let locks = self
                    .made
                    .iter()
                    .filter(|made| made.kind == Kind::Lock && made.vault == vault);
                let ids: Vec<String> = locks.filter_map(|lock| lock.id.clone()).collect();
                ids.iter()
                    .try_for_each(|id| self.drop_resource(Kind::Lock, vault, Some(id)))
            }
            _ => Ok(()),
        }
    }

    /// What is only told: parts, markers, dates.
    fn learn_tellings(&mut self, action: &Action, exchange: &Exchange, response: &Response) {
        match action {
            Action::UploadMultipartPart {
                upload,
                content,
                range,
                ..
            } => {
                let start = match range {
                    RangeClaim::At(start) => Some(*start),
                    _ => exchange
                        .request
                        .headers
                        .value("content-range")
                        .and_then(start_of),
                };
                if let (Some(handle), Some(start)) = (upload.handle(), start) {
                    self.symbols.add_part(handle, start, content);
                }
            }
            Action::CreateVault { .. } => {
                self.symbols
                    .note_account(response.headers.value("location").unwrap_or_default());
            }
            Action::DescribeVault { .. } => {
                let document = response.body.json().unwrap_or_default();
                self.symbols.note_account(
                    document
                        .get("VaultARN")
                        .and_then(Value::as_str)
                        .unwrap_or_default(),
                );
            }
            Action::DescribeJob { job, .. } => {
                if let (Some(handle), Some(document)) = (job.handle(), response.body.json()) {
                    self.symbols.note_description(handle, &document);
                }
            }
            Action::GetJobOutput { .. } => {
                if let Some(document) = response.body.json() {
                    self.symbols.note_inventory(&document);
                }
            }
            Action::ListVaults { .. }
            | Action::ListParts { .. }
            | Action::ListMultipartUploads { .. }
            | Action::ListJobs { .. } => {
                let marker = super::marker(&self.session.spec, action, response);
                self.symbols.note_marker(action, marker);
            }
            _ => {}
        }
    }

    fn made(
        &mut self,
        kind: Kind,
        handle: &str,
        vault: &str,
        response: &Response,
    ) -> Result<(), JournalError> {
        let (word, header) = words(kind);
        let Some(id) = response.headers.value(header).filter(|id| !id.is_empty()) else {
            return Ok(());
        };
        self.symbols
            .bind(word, handle, id, response.headers.value("location"));
        self.keep(kind, vault, Some(id))
    }

    fn gone(&mut self, kind: Kind, named: &Ref, vault: &str) -> Result<(), JournalError> {
        match self.symbols.resolve(words(kind).0, named) {
            Ok(id) => self.drop_resource(kind, vault, Some(&id)),
            Err(_) => Ok(()),
        }
    }
}

/// The word bindings use, and the header that carries the id.
fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Archive => ("archive", "x-amz-archive-id"),
        Kind::Upload => ("upload", "x-amz-multipart-upload-id"),
        Kind::Job => ("job", "x-amz-job-id"),
        Kind::Lock => ("lock", "x-amz-lock-id"),
        Kind::Vault => ("vault", ""),
        Kind::RetrievalPolicy => ("policy", ""),
    }
}
