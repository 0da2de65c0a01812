//! From a request to an action: which operation it asks for, and with what.
//! Refuses to know whether it may succeed.

use crevasse_core::model::Refusal;
use crevasse_core::payload::{Content, Payload};
use crevasse_core::scenario::{
    Action, Claim, JsonBody, Marker, Naming, Page, RangeClaim, Ref, SizeClaim, Tweak,
};
use crevasse_core::spec::{OperationName, Spec};
use crevasse_core::treehash::Digest;
use crevasse_core::wire::{Framing, Headers};
use indexmap::IndexMap;

use crate::receive::Received;

/// The largest body of one request: 4 GiB (api-archive-post).
const LARGEST: u64 = 4 << 30;

/// What a request says before its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method.
    pub method: String,
    /// Path and query, percent-encoded, as sent.
    pub target: String,
    /// The header fields.
    pub headers: Headers,
}

impl RequestHead {
    /// Path and query as sent.
    pub fn split(&self) -> (&str, &str) {
        self.target.split_once('?').unwrap_or((&self.target, ""))
    }

    /// The announced length of the body, if it is one.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.headers.value("content-length")?.trim().parse().ok()
    }

    /// The value of a header, as HTTP hands it over: without the spaces around it.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .value(name)
            .map(|value| value.trim_matches([' ', '\t']))
    }
}

/// Where a request leads.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) operation: Result<OperationName, Refusal>,
    pub(crate) path: IndexMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
}

impl Route {
    /// Finds the operation of a request, or the reason why there is none.
    pub(crate) fn of(head: &RequestHead) -> Self {
        let (path, query) = head.split();
        let known = Spec::builtin().match_route(&head.method, path, query);
        let (operation, path) = match known {
            Some((operation, values)) => (Ok(operation.name), values),
            None => (Err(unrouted(&head.method, path)), IndexMap::new()),
        };
        Self {
            operation,
            path,
            query: pairs(query),
        }
    }

    /// The vault named in the path; empty when there is none.
    pub(crate) fn vault(&self) -> Ref {
        self.value("vaultName")
    }

    /// The account written in the path, as sent.
    pub(crate) fn account(&self) -> &str {
        self.path.get("accountId").map_or("-", String::as_str)
    }

    fn value(&self, name: &str) -> Ref {
        Ref::Handle(self.path.get(name).cloned().unwrap_or_default())
    }

    fn query(&self, name: &str) -> Option<String> {
        let sent = self.query.iter().find(|(known, _)| known == name);
        sent.map(|(_, value)| value.clone())
    }

    fn page(&self) -> Page {
        Page {
            limit: self.query("limit"),
            marker: self.query("marker").map(Marker::Literal),
        }
    }
}

/// Whether the body of an operation is stored.
pub(crate) fn stores(operation: OperationName) -> bool {
    matches!(
        operation,
        OperationName::UploadArchive | OperationName::UploadMultipartPart
    )
}

/// The action of a routed request. Before the body has come, its checksums count as right and its length as announced.
pub(crate) fn action(
    operation: OperationName,
    route: &Route,
    head: &RequestHead,
    received: &Received,
) -> Action {
    use OperationName as O;
    match operation {
        O::CreateVault
        | O::DescribeVault
        | O::DeleteVault
        | O::ListVaults
        | O::UploadArchive
        | O::DeleteArchive => vault_action(operation, route, head, received),
        O::InitiateMultipartUpload
        | O::UploadMultipartPart
        | O::CompleteMultipartUpload
        | O::AbortMultipartUpload
        | O::ListParts
        | O::ListMultipartUploads => upload_action(operation, route, head, received),
        O::InitiateJob | O::DescribeJob | O::ListJobs | O::GetJobOutput => {
            job_action(operation, route, head, received)
        }
        _ => resource_action(operation, route, received),
    }
}

/// How the head differs from a plain one, as far as the model asks.
pub(crate) fn tweak(operation: OperationName, head: &RequestHead) -> Tweak {
    let framing = match head.content_length() {
        _ if !stores(operation) => Framing::Plain,
        None => Framing::Chunked,
        Some(length) if length > LARGEST => Framing::Announced(length),
        Some(_) => Framing::Plain,
    };
    Tweak {
        framing,
        ..Tweak::default()
    }
}

fn vault_action(
    operation: OperationName,
    route: &Route,
    head: &RequestHead,
    received: &Received,
) -> Action {
    let vault = route.vault();
    match operation {
        OperationName::CreateVault => Action::CreateVault {
            name: vault.handle().map(|name| Naming::Raw(name.to_owned())),
            vault,
        },
        OperationName::DescribeVault => Action::DescribeVault { vault },
        OperationName::DeleteVault => Action::DeleteVault { vault },
        OperationName::ListVaults => Action::ListVaults { page: route.page() },
        OperationName::UploadArchive => Action::UploadArchive {
            vault,
            archive: String::new(),
            content: content(head, received),
            description: head.header("x-amz-archive-description").map(str::to_owned),
            tree_hash: tree_hash_claim(head, received),
            content_sha256: linear_claim(head, received),
        },
        _ => Action::DeleteArchive {
            vault,
            archive: route.value("archiveId"),
        },
    }
}

fn upload_action(
    operation: OperationName,
    route: &Route,
    head: &RequestHead,
    received: &Received,
) -> Action {
    let (vault, upload) = (route.vault(), route.value("uploadId"));
    let page = route.page();
    match operation {
        OperationName::InitiateMultipartUpload => Action::InitiateMultipartUpload {
            vault,
            upload: String::new(),
            part_size: head.header("x-amz-part-size").map(str::to_owned),
            description: head.header("x-amz-archive-description").map(str::to_owned),
        },
        OperationName::UploadMultipartPart => Action::UploadMultipartPart {
            vault,
            upload,
            content: content(head, received),
            range: match head.header("content-range") {
                Some(text) => RangeClaim::Literal(text.to_owned()),
                None => RangeClaim::Absent,
            },
            tree_hash: tree_hash_claim(head, received),
            content_sha256: linear_claim(head, received),
        },
        OperationName::CompleteMultipartUpload => Action::CompleteMultipartUpload {
            vault,
            upload,
            archive: String::new(),
            size: match head.header("x-amz-archive-size") {
                Some(text) => SizeClaim::Literal(text.to_owned()),
                None => SizeClaim::Absent,
            },
            tree_hash: claim(head.header("x-amz-sha256-tree-hash"), |_| false),
        },
        OperationName::AbortMultipartUpload => Action::AbortMultipartUpload { vault, upload },
        OperationName::ListParts => Action::ListParts {
            vault,
            upload,
            page,
        },
        _ => Action::ListMultipartUploads { vault, page },
    }
}

fn job_action(
    operation: OperationName,
    route: &Route,
    head: &RequestHead,
    received: &Received,
) -> Action {
    let (vault, job) = (route.vault(), route.value("jobId"));
    match operation {
        OperationName::InitiateJob => Action::InitiateJob {
            vault,
            job: String::new(),
            body: received.json(),
        },
        OperationName::DescribeJob => Action::DescribeJob { vault, job },
        OperationName::ListJobs => Action::ListJobs {
            vault,
            page: route.page(),
            completed: route.query("completed"),
            statuscode: route.query("statuscode"),
        },
        _ => Action::GetJobOutput {
            vault,
            job,
            range: head.header("range").map(str::to_owned),
        },
    }
}

fn resource_action(operation: OperationName, route: &Route, received: &Received) -> Action {
    use OperationName as O;
    let (vault, body) = (route.vault(), received.json());
    match operation {
        O::SetVaultNotifications => Action::SetVaultNotifications { vault, body },
        O::GetVaultNotifications => Action::GetVaultNotifications { vault },
        O::DeleteVaultNotifications => Action::DeleteVaultNotifications { vault },
        O::AddTagsToVault => Action::AddTagsToVault { vault, body },
        O::ListTagsForVault => Action::ListTagsForVault { vault },
        O::RemoveTagsFromVault => Action::RemoveTagsFromVault { vault, body },
        O::InitiateVaultLock => Action::InitiateVaultLock {
            vault,
            lock: String::new(),
            body,
        },
        O::GetVaultLock => Action::GetVaultLock { vault },
        O::AbortVaultLock => Action::AbortVaultLock { vault },
        O::CompleteVaultLock => Action::CompleteVaultLock {
            vault,
            lock: route.value("lockId"),
        },
        O::SetVaultAccessPolicy => Action::SetVaultAccessPolicy { vault, body },
        O::GetVaultAccessPolicy => Action::GetVaultAccessPolicy { vault },
        O::DeleteVaultAccessPolicy => Action::DeleteVaultAccessPolicy { vault },
        O::SetDataRetrievalPolicy => Action::SetDataRetrievalPolicy { body },
        O::GetDataRetrievalPolicy => Action::GetDataRetrievalPolicy {},
        O::ListProvisionedCapacity => Action::ListProvisionedCapacity {},
        _ => Action::PurchaseProvisionedCapacity {
            unit: String::new(),
        },
    }
}

/// The body, or so many zeros as it is said to have bytes while it has not come.
fn content(head: &RequestHead, received: &Received) -> Content {
    received.content().cloned().unwrap_or_else(|| {
        Content::from(Payload::Zeros {
            length: head.content_length().unwrap_or(1),
        })
    })
}

fn tree_hash_claim(head: &RequestHead, received: &Received) -> Claim {
    let right = |said: Digest| {
        received
            .content()
            .is_none_or(|body| body.tree_hash() == said)
    };
    claim(head.header("x-amz-sha256-tree-hash"), right)
}

fn linear_claim(head: &RequestHead, received: &Received) -> Claim {
    let right = |said: Digest| received.content().is_none_or(|body| body.sha256() == said);
    claim(head.header("x-amz-content-sha256"), right)
}

/// What a checksum header claims. Hexadecimal digits compare without case (TH-ALG-007).
fn claim(header: Option<&str>, right: impl Fn(Digest) -> bool) -> Claim {
    match header {
        None => Claim::Absent,
        Some(text) => match text.parse() {
            Ok(digest) if right(digest) => Claim::Right,
            _ => Claim::Literal(text.to_owned()),
        },
    }
}

impl Received {
    fn json(&self) -> JsonBody {
        match self {
            Self::Text(text) if text.is_empty() => JsonBody::Absent,
            Self::Text(text) => JsonBody::Text(text.clone()),
            _ => JsonBody::Absent,
        }
    }

    fn content(&self) -> Option<&Content> {
        if let Self::Content(content) = self {
            Some(content)
        } else {
            None
        }
    }
}

/// Why no operation has this URI with this method.
fn unrouted(method: &str, path: &str) -> Refusal {
    let query = "operation=add&operation=remove";
    let known = |(_, operation): &(&OperationName, &crevasse_core::spec::Operation)| {
        operation.uri.matches(path, query).is_some()
    };
    match Spec::builtin().operations.iter().find(known) {
        None => Refusal::RouteUnknown,
        Some(_) if method == "POST" && path.ends_with("/tags") => Refusal::TagOperationInvalid,
        Some(_) => Refusal::MethodUnknown,
    }
}

/// Splits a query into names and values, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Decodes `%41` and `+`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%').then(|| after.first_chunk::<2>()).flatten();
        let hex = hex.and_then(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?));
        bytes.push(hex.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, target: &str) -> Route {
        Route::of(&RequestHead {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Headers::default(),
        })
    }

    #[test]
    fn an_unknown_uri_a_wrong_method_and_a_wrong_tag_operation_are_told_apart() {
        let refusal = |method, target| route(method, target).operation.unwrap_err();
        assert_eq!(refusal("GET", "/-/nothing"), Refusal::RouteUnknown);
        assert_eq!(refusal("PATCH", "/-/vaults/a"), Refusal::MethodUnknown);
        assert_eq!(
            refusal("POST", "/-/vaults/a/tags?operation=ad"),
            Refusal::TagOperationInvalid
        );
        assert_eq!(refusal("PUT", "/-/vaults/a/tags"), Refusal::MethodUnknown);
    }

    #[test]
    fn queries_are_decoded_once() {
        assert_eq!(decoded("a%2Fb+c%2520%zz%"), "a/b c%20%zz%");
    }

    #[test]
    fn a_vault_name_is_decoded_once() {
        let route = route("GET", "/-/vaults/a%2Eb");
        assert_eq!(route.vault(), Ref::Handle("a.b".to_owned()));
    }
}
