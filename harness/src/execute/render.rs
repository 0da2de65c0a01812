//! From an action to the request that stands for it: where each value goes is the specification's word, tweaks come last.

use std::collections::BTreeMap;

use crevasse_core::payload::Content;
use crevasse_core::scenario::{
    AccountForm, Action, Claim, JsonBody, Marker, Page, PathForm, Ref, SizeClaim, Tweak,
};
use crevasse_core::spec::{Location, Operation, Segment, Spec};
use crevasse_core::treehash::{Digest, sha256};
use crevasse_core::wire::{Body, Framing, Headers, Request};
use indexmap::IndexMap;

use super::sign::flip_last;
use super::symbols::{Obstacle, Symbols};

/// 12 digits of somebody else, for those whose own are not known.
const FOREIGN: &str = "999999999999";

/// What an action says, before it has a place on the wire. Names are those of the built-in specification.
#[derive(Default)]
struct Values {
    /// The parameter in the path, what kind of thing it names, and the reference.
    path: Vec<(&'static str, &'static str, Ref)>,
    query: BTreeMap<String, String>,
    headers: IndexMap<&'static str, String>,
    body: Option<Body>,
}

/// Renders an action that is one request. `authority` is the value of `Host`.
///
/// # Errors
/// Why it cannot be sent: a handle that was never bound, or an action that stands for several requests or none.
pub(crate) fn render(
    action: &Action,
    tweak: &Tweak,
    spec: &Spec,
    symbols: &mut Symbols,
    authority: &str,
) -> Result<Request, Obstacle> {
    let values = values(action, symbols)?;
    let mut request = match (action, action.operation()) {
        (Action::Other { method, path, .. }, _) => other(method, &symbols.fill(path)?),
        (_, Some(name)) => {
            let ours = &Spec::builtin().operations[&name];
            // What a scenario needs and the specification does not define is sent as the built-in one says.
            let definition = spec.operations.get(&name).unwrap_or(ours);
            operation(definition, ours, &values, tweak, symbols)?
        }
        (_, None) => {
            return Err("an action that is no single request cannot be sent as one".to_owned());
        }
    };
    request
        .headers
        .0
        .insert(0, ("Host".to_owned(), authority.to_owned()));
    request.headers.push("x-amz-glacier-version", "2012-06-01");
    request.body = values.body.unwrap_or(Body::Empty);
    if matches!(request.body, Body::Text(_)) {
        request.headers.push("Content-Type", "application/json");
    }
    twist(&mut request, tweak);
    Ok(request)
}

fn other(method: &str, target: &str) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Headers::default(),
        body: Body::Empty,
        framing: Framing::Plain,
    }
}

fn operation(
    definition: &Operation,
    ours: &Operation,
    values: &Values,
    tweak: &Tweak,
    symbols: &mut Symbols,
) -> Result<Request, Obstacle> {
    let path = match tweak.path {
        Some(PathForm::Location) => {
            let vault = values.in_path("vaultName", symbols)?;
            within(&vault, located(ours, values, symbols)?)?
        }
        form => path(definition, ours, values, tweak.account, form, symbols)?,
    };
    let mut query: BTreeMap<String, String> = definition.uri.query().iter().cloned().collect();
    for (name, value) in &values.query {
        query.insert(spelt(definition, Location::Query, name), value.clone());
    }
    let mut headers = Headers::default();
    for (name, value) in &values.headers {
        headers.push(spelt(definition, Location::Header, name), value.clone());
    }
    Ok(Request {
        method: definition.method.clone(),
        path,
        query: written(&query),
        headers,
        body: Body::Empty,
        framing: Framing::Plain,
    })
}

/// The name of a parameter as the definition spells it.
fn spelt(definition: &Operation, location: Location, name: &str) -> String {
    let known = definition
        .parameters
        .iter()
        .find(|known| known.location == location && known.name.eq_ignore_ascii_case(name));
    known.map_or(name, |known| &known.name).to_owned()
}

fn path(
    definition: &Operation,
    ours: &Operation,
    values: &Values,
    account: AccountForm,
    form: Option<PathForm>,
    symbols: &mut Symbols,
) -> Result<String, Obstacle> {
    let mut path = String::new();
    // Parameters of a foreign document have names of their own, but the same places.
    for (theirs, segment) in definition.uri.segments().iter().zip(ours.uri.segments()) {
        path.push('/');
        match (theirs, segment) {
            (Segment::Literal(text), _) => path.push_str(text),
            (_, Segment::Parameter(name)) if name == "accountId" => {
                path.push_str(&account_as(account, symbols)?)
            }
            (_, Segment::Parameter(name)) => {
                let value = values.in_path(name, symbols)?;
                let twisted = form == Some(PathForm::Encoded) && name == "vaultName";
                path.push_str(&if twisted {
                    over_encoded(&value)
                } else {
                    encoded(&value)
                });
            }
            (Segment::Parameter(_), Segment::Literal(text)) => path.push_str(text),
        }
    }
    if form == Some(PathForm::TrailingSlash) {
        path.push('/');
    }
    Ok(path)
}

/// A path that leads to this vault: what a step says of one vault is not asked of another.
fn within(vault: &str, path: String) -> Result<String, Obstacle> {
    let named = path.split('/').skip_while(|segment| *segment != "vaults");
    match named.clone().nth(1) {
        Some(other) if other != encoded(vault) => Err(format!(
            "the Location leads to another vault than `{vault}`"
        )),
        _ => Ok(path),
    }
}

/// The `Location` of the most specific thing the action names, and what the URI has after it.
fn located(ours: &Operation, values: &Values, symbols: &Symbols) -> Result<String, Obstacle> {
    let (parameter, kind, named) = values
        .path
        .last()
        .ok_or("an action that names nothing has no Location")?;
    let location = symbols.location(kind, named);
    let location =
        location.ok_or_else(|| format!("the target gave no Location for the {kind} `{named}`"))?;
    let after_scheme = location
        .split_once("://")
        .map_or(location, |(_, rest)| rest);
    let path = after_scheme
        .find('/')
        .map_or(location, |slash| &after_scheme[slash..]);
    let behind = ours
        .uri
        .segments()
        .iter()
        .skip_while(|segment| **segment != Segment::Parameter((*parameter).to_owned()));
    let tail = behind.skip(1).filter_map(|segment| match segment {
        Segment::Literal(text) => Some(format!("/{text}")),
        Segment::Parameter(_) => None,
    });
    Ok(path.to_owned() + &tail.collect::<String>())
}

fn account_as(form: AccountForm, symbols: &Symbols) -> Result<String, Obstacle> {
    let known = symbols.account();
    Ok(match form {
        AccountForm::Hyphen => "-".to_owned(),
        AccountForm::Numeric => known
            .ok_or("the target never told the account's number")?
            .to_owned(),
        AccountForm::Foreign => known.map_or_else(|| FOREIGN.to_owned(), somebody_else),
        AccountForm::Hyphenated => {
            let digits = known.unwrap_or("123456789012");
            format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..])
        }
    })
}

/// Every digit turned by five.
fn somebody_else(account: &str) -> String {
    account
        .bytes()
        .map(|digit| char::from((digit - b'0' + 5) % 10 + b'0'))
        .collect()
}

/// Percent-encodes what is not unreserved (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Percent-encodes every other character, whether it needs it or not.
fn over_encoded(text: &str) -> String {
    let encode = |(place, character): (usize, char)| match character {
        'A'..='Z' | 'a'..='z' | '0'..='9' if place % 2 == 0 => format!("%{:02X}", character as u8),
        other => encoded(other.encode_utf8(&mut [0; 4])),
    };
    text.chars().enumerate().map(encode).collect()
}

fn written(query: &BTreeMap<String, String>) -> String {
    let pair = |(name, value): (&String, &String)| format!("{}={}", encoded(name), encoded(value));
    query.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Applies what the tweak changes, and frames the body.
fn twist(request: &mut Request, tweak: &Tweak) {
    if let Some(method) = &tweak.method {
        method.clone_into(&mut request.method);
    }
    if let Some(body) = &tweak.body {
        request.body = Body::Text(body.clone());
    }
    if !tweak.query.is_empty() {
        request.query = with_query(&request.query, &tweak.query);
    }
    request.framing = tweak.framing.clone();
    frame(request);
    for (name, value) in &tweak.headers {
        match value {
            Some(value) => request.headers.set(name, value),
            None => request.headers.remove(name),
        }
    }
}

fn with_query(query: &str, changes: &IndexMap<String, Option<String>>) -> String {
    let changed = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        changes.keys().any(|change| encoded(change) == name)
    };
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !changed(pair))
        .map(str::to_owned)
        .collect();
    for (name, value) in changes {
        pairs.extend(
            value
                .as_ref()
                .map(|value| format!("{}={}", encoded(name), encoded(value))),
        );
    }
    pairs.sort();
    pairs.join("&")
}

fn frame(request: &mut Request) {
    match request.framing {
        Framing::Chunked => request.headers.push("Transfer-Encoding", "chunked"),
        Framing::Announced(length) => {
            request.headers.push("Content-Length", length.to_string());
            request.headers.push("Expect", "100-continue");
        }
        _ if request.body != Body::Empty || matches!(request.method.as_str(), "POST" | "PUT") => {
            request
                .headers
                .push("Content-Length", request.body.length().to_string());
        }
        _ => {}
    }
}

impl Values {
    fn of_vault(vault: &Ref) -> Self {
        Self::default().at("vaultName", "vault", vault)
    }

    fn at(mut self, parameter: &'static str, kind: &'static str, named: &Ref) -> Self {
        self.path.push((parameter, kind, named.clone()));
        self
    }

    fn header(mut self, name: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
        self
    }

    fn queried(mut self, name: &str, value: &Option<String>) -> Self {
        self.query
            .extend(value.iter().map(|value| (name.to_owned(), value.clone())));
        self
    }

    fn json(mut self, body: &JsonBody, symbols: &mut Symbols) -> Result<Self, Obstacle> {
        self.body = symbols.body(body)?.map(Body::Text);
        Ok(self)
    }

    fn content(self, content: &Content, tree_hash: &Claim, content_sha256: &Claim) -> Self {
        let (tree, linear) = (|| content.tree_hash(), || content.sha256());
        let tree_hash = claimed(tree_hash, tree, linear);
        let content_sha256 = claimed(content_sha256, linear, tree);
        let body = if content.length() == 0 {
            Body::Empty
        } else {
            Body::Content(content.clone())
        };
        let values = self
            .header("x-amz-sha256-tree-hash", tree_hash)
            .header("x-amz-content-sha256", content_sha256);
        Self {
            body: Some(body),
            ..values
        }
    }

    fn in_path(&self, parameter: &str, symbols: &mut Symbols) -> Result<String, Obstacle> {
        let found = self.path.iter().find(|(name, _, _)| *name == parameter);
        let (_, kind, named) =
            found.ok_or_else(|| format!("the action says nothing of {parameter}"))?;
        symbols.resolve(kind, named)
    }

    fn paged(self, page: &Page, action: &Action, symbols: &mut Symbols) -> Result<Self, Obstacle> {
        let marker = match &page.marker {
            None => None,
            Some(Marker::Literal(text)) => Some(symbols.fill(text)?),
            Some(Marker::Previous) => {
                let list = action.operation().ok_or("a page belongs to a list")?;
                Some(symbols.previous_marker(list)?)
            }
        };
        Ok(self
            .queried("limit", &page.limit)
            .queried("marker", &marker))
    }
}

/// The text of a checksum header: `right` where it tells the truth, `twin` where it tells the other hash.
fn claimed(claim: &Claim, right: impl Fn() -> Digest, twin: impl Fn() -> Digest) -> Option<String> {
    Some(match claim {
        Claim::Right => right().to_string(),
        Claim::Absent => return None,
        Claim::Flipped => {
            let mut text = right().to_string();
            flip_last(&mut text);
            text
        }
        Claim::Linear => twin().to_string(),
        Claim::OfNothing => sha256(b"").to_string(),
        Claim::UpperCase => right().to_string().to_ascii_uppercase(),
        Claim::Literal(text) => text.clone(),
    })
}

fn values(action: &Action, symbols: &mut Symbols) -> Result<Values, Obstacle> {
    use Action as A;
    let of_vault = Values::of_vault;
    Ok(match action {
        A::CreateVault { vault, .. }
        | A::DescribeVault { vault }
        | A::DeleteVault { vault }
        | A::GetVaultNotifications { vault }
        | A::DeleteVaultNotifications { vault }
        | A::ListTagsForVault { vault }
        | A::GetVaultLock { vault }
        | A::AbortVaultLock { vault }
        | A::GetVaultAccessPolicy { vault }
        | A::DeleteVaultAccessPolicy { vault } => of_vault(vault),
        A::SetVaultNotifications { vault, body }
        | A::AddTagsToVault { vault, body }
        | A::RemoveTagsFromVault { vault, body }
        | A::SetVaultAccessPolicy { vault, body }
        | A::InitiateJob { vault, body, .. }
        | A::InitiateVaultLock { vault, body, .. } => of_vault(vault).json(body, symbols)?,
        A::SetDataRetrievalPolicy { body } | A::Other { body, .. } => {
            Values::default().json(body, symbols)?
        }
        A::ListVaults { page } => Values::default().paged(page, action, symbols)?,
        A::ListMultipartUploads { vault, page } => of_vault(vault).paged(page, action, symbols)?,
        A::ListParts {
            vault,
            upload,
            page,
        } => of_vault(vault)
            .at("uploadId", "upload", upload)
            .paged(page, action, symbols)?,
        A::ListJobs {
            vault,
            page,
            completed,
            statuscode,
        } => of_vault(vault)
            .paged(page, action, symbols)?
            .queried("completed", completed)
            .queried("statuscode", statuscode),
        A::DeleteArchive { vault, archive } => of_vault(vault).at("archiveId", "archive", archive),
        A::AbortMultipartUpload { vault, upload } => {
            of_vault(vault).at("uploadId", "upload", upload)
        }
        A::DescribeJob { vault, job } => of_vault(vault).at("jobId", "job", job),
        A::GetJobOutput { vault, job, range } => of_vault(vault)
            .at("jobId", "job", job)
            .header("Range", range.clone()),
        A::CompleteVaultLock { vault, lock } => of_vault(vault).at("lockId", "lock", lock),
        A::InitiateMultipartUpload {
            vault,
            part_size,
            description,
            ..
        } => of_vault(vault)
            .header("x-amz-part-size", part_size.clone())
            .header("x-amz-archive-description", description.clone()),
        A::UploadArchive {
            vault,
            content,
            description,
            tree_hash,
            content_sha256,
            ..
        } => of_vault(vault)
            .header("x-amz-archive-description", description.clone())
            .content(content, tree_hash, content_sha256),
        A::UploadMultipartPart {
            vault,
            upload,
            content,
            range,
            tree_hash,
            content_sha256,
        } => of_vault(vault)
            .at("uploadId", "upload", upload)
            .header("Content-Range", range.header(content.length()))
            .content(content, tree_hash, content_sha256),
        A::CompleteMultipartUpload {
            vault,
            upload,
            size,
            tree_hash,
            ..
        } => completion(of_vault(vault), upload, size, tree_hash, symbols),
        A::GetDataRetrievalPolicy {}
        | A::ListProvisionedCapacity {}
        | A::PurchaseProvisionedCapacity { .. } => Values::default(),
        A::AwaitJob { .. }
        | A::Walk { .. }
        | A::Together { .. }
        | A::During { .. }
        | A::Pause { .. } => {
            return Err("an action that is no single request cannot be sent as one".to_owned());
        }
    })
}

fn completion(
    values: Values,
    upload: &Ref,
    size: &SizeClaim,
    tree_hash: &Claim,
    symbols: &Symbols,
) -> Values {
    let whole = symbols.assembled(upload);
    let length = i128::from(whole.length());
    let size = match size {
        SizeClaim::Right => Some(length.to_string()),
        SizeClaim::Off(by) => Some((length + i128::from(*by)).to_string()),
        SizeClaim::Absent => None,
        SizeClaim::Literal(text) => Some(text.clone()),
    };
    let tree_hash = claimed(tree_hash, || whole.tree_hash(), || whole.sha256());
    values
        .at("uploadId", "upload", upload)
        .header("x-amz-archive-size", size)
        .header("x-amz-sha256-tree-hash", tree_hash)
}

#[cfg(test)]
mod tests;
