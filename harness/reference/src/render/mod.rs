//! Answers: what an outcome looks like on the wire.

mod documents;
mod errors;
mod inventory;
mod output;
mod reply;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::{Made, Refusal};
use crevasse_core::payload::Content;
use crevasse_core::scenario::{Action, Ref};
use crevasse_core::wire::Headers;
use serde_json::Value;

pub(crate) use documents::{describe_job, describe_vault, status_code};
pub(crate) use errors::{Refused, limit_of_store, message};
pub(crate) use inventory::text as inventory_text;
pub(crate) use output::Output;
pub(crate) use reply::reply;

use crate::page::Cut;
use crate::realm::{Place, Realm};
use crate::service::Asked;

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields, `Content-Length` included where the answer has one.
    pub headers: Headers,
    /// The body.
    pub body: AnswerBody,
    /// What goes wrong on the way.
    pub wire: WireDamage,
}

/// What an answer carries after its head.
#[derive(Clone, Debug)]
pub enum AnswerBody {
    /// A text, which may be empty.
    Text(String),
    /// Described bytes, made while they are sent.
    Content(Content),
}

impl AnswerBody {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Content(content) => content.length(),
        }
    }
}

/// What goes wrong with an answer on its way: only faults damage one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WireDamage {
    /// Nothing.
    #[default]
    None,
    /// The connection is closed without an answer.
    Closed,
    /// The connection is closed after this many bytes of the body.
    CutAfter(u64),
    /// Nothing ever comes.
    Silence,
    /// The head and half of the body come, and nothing more.
    Stall,
    /// These bytes come instead, and the connection is closed.
    Garbage(Vec<u8>),
    /// `Content-Length` is off by this many bytes.
    LengthOff(i64),
}

/// An answer in the making, as faults may still change it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: DraftBody,
    pub(crate) wire: WireDamage,
}

/// A body in the making.
#[derive(Clone, Debug)]
pub(crate) enum DraftBody {
    Empty,
    Json(Value),
    Text(String),
    Content(Content),
}

impl Draft {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Headers::default(),
            body: DraftBody::Empty,
            wire: WireDamage::None,
        }
    }

    pub(crate) fn json(status: u16, document: Value) -> Self {
        let mut draft = Self::empty(status);
        draft.headers.push("Content-Type", "application/json");
        draft.body = DraftBody::Json(document);
        draft
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The JSON document of the body, if it is one.
    pub(crate) fn document(&mut self) -> Option<&mut Value> {
        if let DraftBody::Json(document) = &mut self.body {
            Some(document)
        } else {
            None
        }
    }

    /// A member of the JSON document, if it is there.
    pub(crate) fn member(&mut self, pointer: &str) -> Option<&mut Value> {
        self.document()?.pointer_mut(pointer)
    }

    /// Writes the answer down. 204 has no length (RFC 9110, 8.6).
    pub(crate) fn finish(mut self) -> Answer {
        let body = match self.body {
            DraftBody::Empty => AnswerBody::Text(String::new()),
            DraftBody::Json(document) => AnswerBody::Text(document.to_string()),
            DraftBody::Text(text) => AnswerBody::Text(text),
            DraftBody::Content(content) => AnswerBody::Content(content),
        };
        if self.status != 204 || body.length() > 0 {
            self.headers
                .set("Content-Length", body.length().to_string());
        }
        Answer {
            status: self.status,
            headers: self.headers,
            body,
            wire: self.wire,
        }
    }
}

/// What became of an action.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    /// What it made.
    pub(crate) made: Option<Made>,
    /// When.
    pub(crate) now: Timestamp,
}

/// All that an answer is written from.
pub(crate) struct Told<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) effect: Option<&'a Effect>,
    pub(crate) place: &'a Place,
    pub(crate) now: Timestamp,
    /// The page, when the answer is one.
    pub(crate) page: Option<&'a Cut>,
    /// The job output, when the answer is some of one.
    pub(crate) output: Option<&'a Output>,
}

impl Told<'_> {
    /// The handle of the vault the request goes through.
    pub(crate) fn vault(&self) -> &str {
        self.asked.vault()
    }
}

/// Writes the answer to an action that succeeded; `None` when what it is about is not there, which only faults can bring about.
pub(crate) fn success(told: &Told<'_>, realm: &mut Realm) -> Option<Draft> {
    if let Some(made) = told.effect.and_then(|effect| effect.made.as_ref()) {
        return Some(creation(told, made, realm));
    }
    let (vault, place) = (told.vault(), told.place);
    Some(match &told.asked.action {
        Action::DescribeVault { .. } => {
            Draft::json(200, describe_vault(realm.model.vaults.get(vault)?, place))
        }
        Action::UploadMultipartPart { content, .. } => {
            Draft::empty(204).with("x-amz-sha256-tree-hash", content.tree_hash().to_string())
        }
        Action::DescribeJob { job, .. } => {
            let home = realm
                .model
                .job(&Ref::Handle(vault.to_owned()), job.handle()?)?
                .0
                .to_owned();
            Draft::json(200, describe_job(realm, &home, job.handle()?, place)?)
        }
        Action::GetJobOutput { .. } => output::draft(told.output?),
        Action::ListVaults { .. }
        | Action::ListParts { .. }
        | Action::ListMultipartUploads { .. }
        | Action::ListJobs { .. } => Draft::json(200, documents::list(told, told.page?, realm)?),
        other => match documents::resource(other, realm, told.now) {
            Some(document) => Draft::json(200, document),
            None => Draft::empty(204),
        },
    })
}

/// Writes the answer to an action that made something: its id in a header, and no body.
fn creation(told: &Told<'_>, made: &Made, realm: &Realm) -> Draft {
    let (status, header) = match &told.asked.action {
        Action::UploadArchive { .. } | Action::CompleteMultipartUpload { .. } => {
            (201, "x-amz-archive-id")
        }
        Action::InitiateMultipartUpload { .. } => (201, "x-amz-multipart-upload-id"),
        Action::InitiateJob { .. } => (202, "x-amz-job-id"),
        Action::InitiateVaultLock { .. } => (201, "x-amz-lock-id"),
        Action::PurchaseProvisionedCapacity { .. } => (201, "x-amz-capacity-id"),
        _ => return Draft::empty(201).with("Location", made.location.clone().unwrap_or_default()),
    };
    let mut draft = Draft::empty(status).with(header, made.id.clone());
    if let Some(location) = &made.location {
        draft.headers.push("Location", location.clone());
    }
    let vault = realm.model.vaults.get(told.vault());
    if let Some(archive) = vault.and_then(|vault| vault.archives.get(&made.id)) {
        draft
            .headers
            .push("x-amz-sha256-tree-hash", archive.tree_hash.to_string());
    }
    draft
}

/// Writes the answer to an action that is refused.
pub(crate) fn refusal(refused: &Refused) -> Draft {
    Draft::json(refused.status, refused.document())
}
