//! The words scenarios are written in: one action an operation, a few that stand for several requests, and tweaks.

use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Claim, RangeClaim, SizeClaim};
use crate::payload::Content;
use crate::spec::OperationName;
use crate::wire::Framing;

/// Names a vault, archive, upload, job or lock.
///
/// As text: `a` is the handle `a`; `?a` an id shaped like that of `a` that was never issued; `=x` the literal `x`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Ref {
    /// What an earlier step of the scenario made.
    Handle(String),
    /// A well-formed id that was never issued: that of this handle with several characters changed.
    UnknownLike(String),
    /// These characters, percent-encoded as the URI needs. `${…}` is filled in as in bodies.
    Literal(String),
}

impl Ref {
    /// The handle, when it is one.
    pub fn handle(&self) -> Option<&str> {
        if let Self::Handle(handle) = self {
            Some(handle)
        } else {
            None
        }
    }
}

impl From<String> for Ref {
    fn from(text: String) -> Self {
        match text.split_at_checked(1) {
            Some(("?", like)) => Self::UnknownLike(like.to_owned()),
            Some(("=", literal)) => Self::Literal(literal.to_owned()),
            _ => Self::Handle(text),
        }
    }
}

impl From<&str> for Ref {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Ref> for String {
    fn from(named: Ref) -> Self {
        named.to_string()
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle(handle) => f.write_str(handle),
            Self::UnknownLike(handle) => write!(f, "?{handle}"),
            Self::Literal(text) => write!(f, "={text}"),
        }
    }
}

impl FromStr for Ref {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text))
    }
}

/// Whether a name is one a vault can have: 1 to 255 of `A-Z a-z 0-9 _ - .` (api-vault-put).
///
/// ```
/// use crevasse_core::scenario::is_legal_vault_name;
/// assert!(is_legal_vault_name("my.vault-1_a") && !is_legal_vault_name("my vault"));
/// ```
pub fn is_legal_vault_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=255).contains(&name.len()) && name.bytes().all(allowed)
}

/// How a vault handle gets its name. Without one it is `<run prefix>-<case>-<handle>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// `<run prefix>-<case>-` and this text instead of the handle.
    Suffix(String),
    /// This text, and then the name it would have without.
    Lead(String),
    /// Padded with `x` to this many characters; 1 means a single character no vault of the account has yet.
    Length(usize),
    /// Exactly this text; for names that must be refused.
    Raw(String),
}

/// Paging parameters of a list, as texts, so that illegal ones can be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// `marker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<Marker>,
}

/// A page marker. As text: `previous`, or `=` and a literal (`=` alone is the empty marker).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Marker {
    /// The `Marker` of the latest reply of the same list operation.
    Previous,
    /// These characters; `${…}` is filled in as in bodies.
    Literal(String),
}

impl From<String> for Marker {
    fn from(text: String) -> Self {
        match text.strip_prefix('=') {
            Some(literal) => Self::Literal(literal.to_owned()),
            None if text == "previous" => Self::Previous,
            None => Self::Literal(text),
        }
    }
}

impl From<Marker> for String {
    fn from(marker: Marker) -> Self {
        match marker {
            Marker::Previous => "previous".to_owned(),
            Marker::Literal(text) => format!("={text}"),
        }
    }
}

/// The body of a JSON operation.
///
/// In any string of it `${archive:a}`, `${archive:?a}`, `${vault:v}`, `${job:j}`, `${upload:u}`, `${lock:l}`, `${arn:v}` (a vault's ARN), `${account}`,
/// `${topic:name}` (the ARN of an SNS topic), `${created:a}` (`CreationDate` of that archive in the latest JSON inventory that listed it) and
/// `${marker:j}` (where the inventory of that job goes on, as the latest `DescribeJob` of it told: `NextInventoryRetrievalMarker` or
/// `InventoryRetrievalParameters.Marker`) stand for what only the target knows. A step with one that is not known is blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JsonBody {
    /// No body at all.
    #[default]
    Absent,
    /// This text, well-formed or not.
    Text(String),
    /// This document, written compactly.
    Json(Value),
}

impl JsonBody {
    /// The document a server would read: the value, or the text parsed; `None` when absent or malformed.
    pub fn document(&self) -> Option<Value> {
        match self {
            Self::Absent => None,
            Self::Text(text) => serde_json::from_str(text).ok(),
            Self::Json(value) => Some(value.clone()),
        }
    }
}

/// One thing to do. The first 33 are the operations; the others stand for several requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Action {
    /// PUT vault.
    CreateVault {
        /// The vault.
        vault: Ref,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Naming>,
    },
    /// GET vault.
    DescribeVault {
        /// The vault.
        vault: Ref,
    },
    /// DELETE vault.
    DeleteVault {
        /// The vault.
        vault: Ref,
    },
    /// GET vaults.
    ListVaults {
        /// Paging.
        #[serde(default)]
        page: Page,
    },
    /// POST archive.
    UploadArchive {
        /// Where to.
        vault: Ref,
        /// The handle of the archive made.
        archive: String,
        /// The bytes sent.
        content: Content,
        /// `x-amz-archive-description`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// `x-amz-sha256-tree-hash`.
        #[serde(default)]
        tree_hash: Claim,
        /// `x-amz-content-sha256`.
        #[serde(default)]
        content_sha256: Claim,
    },
    /// DELETE archive.
    DeleteArchive {
        /// Through this vault.
        vault: Ref,
        /// The archive.
        archive: Ref,
    },
    /// POST multipart-uploads.
    InitiateMultipartUpload {
        /// Where to.
        vault: Ref,
        /// The handle of the upload made.
        upload: String,
        /// `x-amz-part-size`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part_size: Option<String>,
        /// `x-amz-archive-description`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// PUT part.
    UploadMultipartPart {
        /// Through this vault.
        vault: Ref,
        /// The upload.
        upload: Ref,
        /// The bytes sent.
        content: Content,
        /// `Content-Range`.
        range: RangeClaim,
        /// `x-amz-sha256-tree-hash`.
        #[serde(default)]
        tree_hash: Claim,
        /// `x-amz-content-sha256`.
        #[serde(default)]
        content_sha256: Claim,
    },
    /// POST multipart-uploads/{id}.
    CompleteMultipartUpload {
        /// Through this vault.
        vault: Ref,
        /// The upload.
        upload: Ref,
        /// The handle of the archive made.
        archive: String,
        /// `x-amz-archive-size`.
        #[serde(default)]
        size: SizeClaim,
        /// `x-amz-sha256-tree-hash`, of the parts uploaded in ascending order.
        #[serde(default)]
        tree_hash: Claim,
    },
    /// DELETE multipart-uploads/{id}.
    AbortMultipartUpload {
        /// Through this vault.
        vault: Ref,
        /// The upload.
        upload: Ref,
    },
    /// GET multipart-uploads/{id}.
    ListParts {
        /// Through this vault.
        vault: Ref,
        /// The upload.
        upload: Ref,
        /// Paging.
        #[serde(default)]
        page: Page,
    },
    /// GET multipart-uploads.
    ListMultipartUploads {
        /// The vault.
        vault: Ref,
        /// Paging.
        #[serde(default)]
        page: Page,
    },
    /// POST jobs.
    InitiateJob {
        /// The vault.
        vault: Ref,
        /// The handle of the job made.
        job: String,
        /// The job parameters.
        #[serde(default)]
        body: JsonBody,
    },
    /// GET job.
    DescribeJob {
        /// Through this vault.
        vault: Ref,
        /// The job.
        job: Ref,
    },
    /// GET jobs.
    ListJobs {
        /// The vault.
        vault: Ref,
        /// Paging.
        #[serde(default)]
        page: Page,
        /// `completed`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        completed: Option<String>,
        /// `statuscode`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        statuscode: Option<String>,
    },
    /// GET job output.
    GetJobOutput {
        /// Through this vault.
        vault: Ref,
        /// The job.
        job: Ref,
        /// `Range`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<String>,
    },
    /// PUT notification-configuration.
    SetVaultNotifications {
        /// The vault.
        vault: Ref,
        /// The configuration.
        #[serde(default)]
        body: JsonBody,
    },
    /// GET notification-configuration.
    GetVaultNotifications {
        /// The vault.
        vault: Ref,
    },
    /// DELETE notification-configuration.
    DeleteVaultNotifications {
        /// The vault.
        vault: Ref,
    },
    /// POST tags?operation=add.
    AddTagsToVault {
        /// The vault.
        vault: Ref,
        /// `{"Tags": {…}}`.
        #[serde(default)]
        body: JsonBody,
    },
    /// GET tags.
    ListTagsForVault {
        /// The vault.
        vault: Ref,
    },
    /// POST tags?operation=remove.
    RemoveTagsFromVault {
        /// The vault.
        vault: Ref,
        /// `{"TagKeys": […]}`.
        #[serde(default)]
        body: JsonBody,
    },
    /// POST lock-policy.
    InitiateVaultLock {
        /// The vault.
        vault: Ref,
        /// The handle of the lock id given.
        lock: String,
        /// `{"Policy": "…"}`.
        #[serde(default)]
        body: JsonBody,
    },
    /// GET lock-policy.
    GetVaultLock {
        /// The vault.
        vault: Ref,
    },
    /// DELETE lock-policy.
    AbortVaultLock {
        /// The vault.
        vault: Ref,
    },
    /// POST lock-policy/{lockId}.
    CompleteVaultLock {
        /// The vault.
        vault: Ref,
        /// The lock id.
        lock: Ref,
    },
    /// PUT access-policy.
    SetVaultAccessPolicy {
        /// The vault.
        vault: Ref,
        /// `{"Policy": "…"}`.
        #[serde(default)]
        body: JsonBody,
    },
    /// GET access-policy.
    GetVaultAccessPolicy {
        /// The vault.
        vault: Ref,
    },
    /// DELETE access-policy.
    DeleteVaultAccessPolicy {
        /// The vault.
        vault: Ref,
    },
    /// PUT policies/data-retrieval.
    SetDataRetrievalPolicy {
        /// `{"Policy": {"Rules": […]}}`.
        #[serde(default)]
        body: JsonBody,
    },
    /// GET policies/data-retrieval.
    GetDataRetrievalPolicy {},
    /// GET provisioned-capacity.
    ListProvisionedCapacity {},
    /// POST provisioned-capacity.
    PurchaseProvisionedCapacity {
        /// The handle of the unit bought.
        unit: String,
    },

    /// Describes a job until it is complete or patience is spent. One exchange a poll.
    AwaitJob {
        /// Through this vault.
        vault: Ref,
        /// The job.
        job: Ref,
    },
    /// Follows `Marker` from the first page to the last. One exchange a page; `list` must be a list action.
    Walk {
        /// The list, its limit and its filters.
        list: Box<Action>,
    },
    /// Sends all of these at once, on connections of their own.
    Together {
        /// What is sent.
        steps: Vec<Step>,
    },
    /// Sends the head and half of the body of one step, does the others, then sends the rest.
    During {
        /// The slow one.
        slow: Box<Step>,
        /// What happens meanwhile.
        steps: Vec<Step>,
    },
    /// Lets time pass, where dates must differ.
    Pause {
        /// How long, in milliseconds.
        millis: u64,
    },
    /// A request that is none of the operations.
    Other {
        /// The method.
        method: String,
        /// The path, with `${…}` filled in as in bodies.
        path: String,
        /// The body.
        #[serde(default)]
        body: JsonBody,
    },
}

/// How the account is written in the URI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountForm {
    /// `-`.
    #[default]
    Hyphen,
    /// The account's 12 digits, as learned from the target.
    Numeric,
    /// 12 digits of somebody else.
    Foreign,
    /// 1234-5678-9012.
    Hyphenated,
}

/// How the path is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathForm {
    /// Some unreserved characters of the vault name percent-encoded.
    Encoded,
    /// A slash at the end.
    TrailingSlash,
    /// The `Location` the target gave when it made the upload or job this step names.
    Location,
}

/// How the request is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// Signature Version 4, rightly.
    #[default]
    Right,
    /// No authentication data.
    Absent,
    /// One digit of the signature changed.
    Flipped,
    /// Signed for service `s3`.
    WrongService,
    /// Signed with an access key nobody has.
    UnknownKey,
    /// Signed at a time this many seconds off.
    Skewed(i64),
    /// Signed with a session token that expired.
    ExpiredToken,
    /// A wrong `Date` beside the right `x-amz-date`.
    WrongDate,
    /// `Date` in ISO 8601 basic form and no `x-amz-date`.
    DateOnly,
}

/// How a request differs from the plain one that its action stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tweak {
    /// How the account is written.
    #[serde(skip_serializing_if = "is_default")]
    pub account: AccountForm,
    /// Headers set; `null` removes one that would be sent.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Option<String>>,
    /// Query parameters set; `null` removes one that would be sent.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, Option<String>>,
    /// How the path is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathForm>,
    /// Another method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A body for an operation that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How the body is framed.
    #[serde(skip_serializing_if = "is_default")]
    pub framing: Framing,
    /// How the request is signed.
    #[serde(skip_serializing_if = "is_default")]
    pub signing: Signing,
    /// Another region in the credential scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An action and how it is twisted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "IndexMap<String, Value>")]
pub struct Step {
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
    /// How the request differs from the plain one.
    #[serde(skip_serializing_if = "is_default", rename = "but")]
    pub tweak: Tweak,
}

impl TryFrom<IndexMap<String, Value>> for Step {
    type Error = String;

    /// Takes `Action: {…}` and, where there is one, `but: {…}`; a member of another name is a mistake of whoever wrote it.
    fn try_from(mut members: IndexMap<String, Value>) -> Result<Self, String> {
        let tweak = members.shift_remove("but").map(serde_json::from_value);
        let tweak = tweak.transpose().map_err(|error| error.to_string())?;
        if members.len() != 1 {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            let names = names.join("`, `");
            return Err(format!(
                "a step is one action and, if need be, `but`, not `{names}`"
            ));
        }
        let action = serde_json::from_value(members.into_iter().collect());
        Ok(Self {
            action: action.map_err(|error| error.to_string())?,
            tweak: tweak.unwrap_or_default(),
        })
    }
}

impl From<Action> for Step {
    fn from(action: Action) -> Self {
        Self {
            action,
            tweak: Tweak::default(),
        }
    }
}

impl Action {
    /// The operation this action asks for; `None` for those that stand for several requests or for none.
    pub fn operation(&self) -> Option<OperationName> {
        use OperationName as O;
        Some(match self {
            Self::CreateVault { .. } => O::CreateVault,
            Self::DescribeVault { .. } => O::DescribeVault,
            Self::DeleteVault { .. } => O::DeleteVault,
            Self::ListVaults { .. } => O::ListVaults,
            Self::UploadArchive { .. } => O::UploadArchive,
            Self::DeleteArchive { .. } => O::DeleteArchive,
            Self::InitiateMultipartUpload { .. } => O::InitiateMultipartUpload,
            Self::UploadMultipartPart { .. } => O::UploadMultipartPart,
            Self::CompleteMultipartUpload { .. } => O::CompleteMultipartUpload,
            Self::AbortMultipartUpload { .. } => O::AbortMultipartUpload,
            Self::ListParts { .. } => O::ListParts,
            Self::ListMultipartUploads { .. } => O::ListMultipartUploads,
            Self::InitiateJob { .. } => O::InitiateJob,
            Self::DescribeJob { .. } => O::DescribeJob,
            Self::ListJobs { .. } => O::ListJobs,
            Self::GetJobOutput { .. } => O::GetJobOutput,
            Self::SetVaultNotifications { .. } => O::SetVaultNotifications,
            Self::GetVaultNotifications { .. } => O::GetVaultNotifications,
            Self::DeleteVaultNotifications { .. } => O::DeleteVaultNotifications,
            Self::AddTagsToVault { .. } => O::AddTagsToVault,
            Self::ListTagsForVault { .. } => O::ListTagsForVault,
            Self::RemoveTagsFromVault { .. } => O::RemoveTagsFromVault,
            Self::InitiateVaultLock { .. } => O::InitiateVaultLock,
            Self::GetVaultLock { .. } => O::GetVaultLock,
            Self::AbortVaultLock { .. } => O::AbortVaultLock,
            Self::CompleteVaultLock { .. } => O::CompleteVaultLock,
            Self::SetVaultAccessPolicy { .. } => O::SetVaultAccessPolicy,
            Self::GetVaultAccessPolicy { .. } => O::GetVaultAccessPolicy,
            Self::DeleteVaultAccessPolicy { .. } => O::DeleteVaultAccessPolicy,
            Self::SetDataRetrievalPolicy { .. } => O::SetDataRetrievalPolicy,
            Self::GetDataRetrievalPolicy {} => O::GetDataRetrievalPolicy,
            Self::ListProvisionedCapacity {} => O::ListProvisionedCapacity,
            Self::PurchaseProvisionedCapacity { .. } => O::PurchaseProvisionedCapacity,
            Self::AwaitJob { .. }
            | Self::Walk { .. }
            | Self::Together { .. }
            | Self::During { .. }
            | Self::Pause { .. }
            | Self::Other { .. } => return None,
        })
    }

    /// The JSON body this action sends, if it is one that has any.
    pub fn json_body(&self) -> Option<&JsonBody> {
        match self {
            Self::InitiateJob { body, .. }
            | Self::SetVaultNotifications { body, .. }
            | Self::AddTagsToVault { body, .. }
            | Self::RemoveTagsFromVault { body, .. }
            | Self::InitiateVaultLock { body, .. }
            | Self::SetVaultAccessPolicy { body, .. }
            | Self::SetDataRetrievalPolicy { body }
            | Self::Other { body, .. } => Some(body),
            _ => None,
        }
    }

    /// The multipart upload it names, if any.
    pub fn upload(&self) -> Option<&Ref> {
        match self {
            Self::UploadMultipartPart { upload, .. }
            | Self::CompleteMultipartUpload { upload, .. }
            | Self::AbortMultipartUpload { upload, .. }
            | Self::ListParts { upload, .. } => Some(upload),
            _ => None,
        }
    }

    /// The vault this action goes through, if any.
    pub fn vault(&self) -> Option<&Ref> {
        match self {
            Self::CreateVault { vault, .. }
            | Self::DescribeVault { vault }
            | Self::DeleteVault { vault }
            | Self::UploadArchive { vault, .. }
            | Self::DeleteArchive { vault, .. }
            | Self::InitiateMultipartUpload { vault, .. }
            | Self::UploadMultipartPart { vault, .. }
            | Self::CompleteMultipartUpload { vault, .. }
            | Self::AbortMultipartUpload { vault, .. }
            | Self::ListParts { vault, .. }
            | Self::ListMultipartUploads { vault, .. }
            | Self::InitiateJob { vault, .. }
            | Self::DescribeJob { vault, .. }
            | Self::ListJobs { vault, .. }
            | Self::GetJobOutput { vault, .. }
            | Self::SetVaultNotifications { vault, .. }
            | Self::GetVaultNotifications { vault }
            | Self::DeleteVaultNotifications { vault }
            | Self::AddTagsToVault { vault, .. }
            | Self::ListTagsForVault { vault }
            | Self::RemoveTagsFromVault { vault, .. }
            | Self::InitiateVaultLock { vault, .. }
            | Self::GetVaultLock { vault }
            | Self::AbortVaultLock { vault }
            | Self::CompleteVaultLock { vault, .. }
            | Self::SetVaultAccessPolicy { vault, .. }
            | Self::GetVaultAccessPolicy { vault }
            | Self::DeleteVaultAccessPolicy { vault }
            | Self::AwaitJob { vault, .. } => Some(vault),
            Self::Walk { list } => list.vault(),
            _ => None,
        }
    }
}
