//! AWS Signature Version 4 for the service `glacier`: signing, signing wrongly on purpose, and verifying.
//! Refuses to know the time and where keys come from.
//!
//! Ours because we must sign wrongly on demand (scope, date, headers left out) and verify as a server does; guarded by the published vectors.
//! Source: the Glacier guide, "Signing Requests", and the AWS General Reference, "Signature Version 4 signing process".

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use crate::amz_date::Timestamp;
use crate::treehash::sha256;
use crate::wire::Headers;

/// How far the time of a signature may be off, in milliseconds (observed on the real service: five minutes).
pub const MAX_SKEW_MILLIS: i64 = 5 * 60 * 1000;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Keys to sign with. `Debug` shows the key id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Keys that are nobody's: the examples of the AWS documentation.
    pub fn nobodys() -> Self {
        Self {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, …)", self.access_key_id)
    }
}

/// What a signature is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The time of signing.
    pub time: Timestamp,
    /// The region, as in `us-east-1`.
    pub region: String,
    /// The service: `glacier`.
    pub service: String,
}

impl Scope {
    /// The credential scope: `<date>/<region>/<service>/aws4_request`.
    pub fn credential(&self) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            &self.time.basic()[..8],
            self.region,
            self.service
        )
    }
}

/// The head of a request, as far as a signature covers it.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a str,
    /// The path as sent.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: &'a str,
    /// The header fields.
    pub headers: &'a Headers,
}

/// Computes the `Authorization` value of a request over its `host`, `date` and `x-amz-*` headers.
///
/// `payload_hash` is the lower-case SHA-256 of the body; for the two upload operations the value of `x-amz-content-sha256`.
pub fn authorization(
    head: Head<'_>,
    payload_hash: &str,
    credentials: &Credentials,
    scope: &Scope,
) -> String {
    let signed = signed_names(head.headers);
    let signature = signature(head, &signed, payload_hash, credentials, scope);
    let (id, scope) = (&credentials.access_key_id, scope.credential());
    format!(
        "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={}, Signature={signature}",
        signed.join(";")
    )
}

fn signed_names(headers: &Headers) -> Vec<String> {
    let mut names: Vec<String> = headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    names.retain(|name| name == "host" || name == "date" || name.starts_with("x-amz-"));
    names.sort();
    names.dedup();
    names
}

fn signature(
    head: Head<'_>,
    signed: &[String],
    payload_hash: &str,
    credentials: &Credentials,
    scope: &Scope,
) -> String {
    let canonical = canonical_request(head, signed, payload_hash);
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        scope.time.basic(),
        scope.credential(),
        sha256(canonical.as_bytes())
    );
    let date = mac(
        format!("AWS4{}", credentials.secret_access_key).as_bytes(),
        &scope.time.basic()[..8],
    );
    let key = [scope.region.as_str(), &scope.service, "aws4_request"]
        .iter()
        .fold(date, |key, part| mac(&key, part));
    mac(&key, &to_sign)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The canonical form of a request: what both sides must derive alike.
pub fn canonical_request(head: Head<'_>, signed: &[String], payload_hash: &str) -> String {
    let headers: String = signed
        .iter()
        .map(|name| format!("{name}:{}\n", canonical_value(head.headers, name)))
        .collect();
    let (path, query) = (canonical_path(head.path), canonical_query(head.query));
    format!(
        "{}\n{path}\n{query}\n{headers}\n{}\n{payload_hash}",
        head.method,
        signed.join(";")
    )
}

/// Values trimmed, runs of spaces collapsed, several fields joined by commas.
fn canonical_value(headers: &Headers, name: &str) -> String {
    let values: Vec<String> = headers
        .values(name)
        .map(|v| v.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    values.join(",")
}

/// Dot segments removed, then every character of the path as sent encoded once more (all services but S3).
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
    {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    let encoded: String = segments
        .iter()
        .map(|segment| format!("/{}", utf8_percent_encode(segment, UNRESERVED)))
        .collect();
    if encoded.is_empty() || path.ends_with('/') {
        encoded + "/"
    } else {
        encoded
    }
}

/// Parameters sorted by name, then value, names and values encoded; a name without `=` gets an empty value.
fn canonical_query(query: &str) -> String {
    let reencode = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&decoded, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (reencode(name), reencode(value)))
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// No, or no complete, authentication data.
    #[error("request is missing authentication data")]
    Missing,
    /// The access key id is not known.
    #[error("the access key id is not known")]
    UnknownKey,
    /// The signature, its scope or what it covers is wrong.
    #[error("the signature does not match")]
    Invalid,
    /// The time of signing is too far off.
    #[error("the signature expired or is not yet current")]
    Skewed,
    /// The session token is not the one that goes with the key.
    #[error("the security token is expired or invalid")]
    Token,
}

/// The parts of an `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The access key id.
    pub access_key_id: String,
    /// The date of the scope, `YYYYMMDD`.
    pub date: String,
    /// The region of the scope.
    pub region: String,
    /// The service of the scope.
    pub service: String,
    /// The names of the headers covered.
    pub signed: Vec<String>,
    /// The signature.
    pub signature: String,
}

impl Authorization {
    /// Reads the header of a request; `None` when it has none or it is not of Signature Version 4.
    pub fn of(headers: &Headers) -> Option<Self> {
        let rest = headers.value("authorization")?.strip_prefix(ALGORITHM)?;
        let field = |name: &str| {
            rest.split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let mut credential = field("Credential")?.rsplitn(5, '/');
        let end = credential.next()?;
        let (service, region, date) = (credential.next()?, credential.next()?, credential.next()?);
        let access_key_id = credential.next().filter(|_| end == "aws4_request")?;
        Some(Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            signed: field("SignedHeaders")?
                .split(';')
                .map(str::to_owned)
                .collect(),
            signature: field("Signature")?.to_owned(),
        })
    }
}

/// Verifies a request against the one pair of keys a server knows. `now` is the server's wall time.
///
/// # Errors
/// The first thing that is wrong, in the order data, key, token, time, signature.
pub fn verify(
    head: Head<'_>,
    payload_hash: &str,
    known: &Credentials,
    now: Timestamp,
) -> Result<Authorization, AuthFailure> {
    let claim = Authorization::of(head.headers).ok_or(AuthFailure::Missing)?;
    if claim.access_key_id != known.access_key_id {
        return Err(AuthFailure::UnknownKey);
    }
    if head.headers.value("x-amz-security-token") != known.session_token.as_deref() {
        return Err(AuthFailure::Token);
    }
    let time = signing_time(head.headers).ok_or(AuthFailure::Missing)?;
    if (time.0 - now.0).abs() > MAX_SKEW_MILLIS {
        return Err(AuthFailure::Skewed);
    }
    let scope = Scope {
        time,
        region: claim.region.clone(),
        service: "glacier".to_owned(),
    };
    let covers_host = claim.signed.iter().any(|name| name == "host");
    let right = signature(head, &claim.signed, payload_hash, known, &scope);
    let sound = covers_host
        && claim.service == "glacier"
        && claim.date == time.basic()[..8]
        && claim.signature == right;
    if sound {
        Ok(claim)
    } else {
        Err(AuthFailure::Invalid)
    }
}

/// `x-amz-date`, which overrides `Date`; a `Date` alone may be in ISO 8601 basic form or an HTTP date.
fn signing_time(headers: &Headers) -> Option<Timestamp> {
    match headers.value("x-amz-date") {
        Some(text) => Timestamp::parse_basic(text),
        None => headers
            .value("date")
            .and_then(|text| Timestamp::parse_basic(text).or_else(|| Timestamp::parse_http(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide_keys() -> Credentials {
        Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
        }
    }

    /// The Create Vault example of the guide, "Example Signature Calculation" (AUTH-SIG-006).
    fn guide_request() -> (Headers, Scope) {
        let mut headers = Headers::default();
        headers.push("Host", "glacier.us-east-1.amazonaws.com");
        headers.push("x-amz-date", "20120525T002453Z");
        headers.push("x-amz-glacier-version", "2012-06-01");
        let time = Timestamp::parse_basic("20120525T002453Z").unwrap();
        (
            headers,
            Scope {
                time,
                region: "us-east-1".to_owned(),
                service: "glacier".to_owned(),
            },
        )
    }

    #[test]
    fn the_guides_create_vault_example_gets_the_guides_signature() {
        let (headers, scope) = guide_request();
        let head = Head {
            method: "PUT",
            path: "/-/vaults/examplevault",
            query: "",
            headers: &headers,
        };
        let value = authorization(head, &sha256(b"").to_string(), &guide_keys(), &scope);
        assert!(
            value.ends_with(
                "Signature=3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a"
            ),
            "{value}"
        );
    }

    #[test]
    fn what_was_signed_is_verified_and_what_was_changed_is_not() {
        let (mut headers, scope) = guide_request();
        let hash = sha256(b"").to_string();
        fn head(headers: &Headers) -> Head<'_> {
            Head {
                method: "PUT",
                path: "/-/vaults/examplevault",
                query: "",
                headers,
            }
        }
        let value = authorization(head(&headers), &hash, &guide_keys(), &scope);
        headers.push("Authorization", value);
        let verified =
            |headers: &Headers, now| verify(head(headers), &hash, &guide_keys(), now).map(|_| ());
        assert_eq!(verified(&headers, scope.time), Ok(()));
        let late = scope.time.plus_millis(600_000);
        assert_eq!(verified(&headers, late), Err(AuthFailure::Skewed));
        headers.set("x-amz-glacier-version", "2012-06-02");
        assert_eq!(verified(&headers, scope.time), Err(AuthFailure::Invalid));
        headers.remove("authorization");
        assert_eq!(verified(&headers, scope.time), Err(AuthFailure::Missing));
    }

    #[test]
    fn consecutive_spaces_of_a_value_count_as_one() {
        let mut headers = Headers::default();
        headers.push("x-amz-archive-description", "  two  spaces ");
        assert_eq!(
            canonical_value(&headers, "x-amz-archive-description"),
            "two spaces"
        );
    }

    #[test]
    fn a_path_is_encoded_once_more_and_a_query_sorted() {
        assert_eq!(canonical_path("/-/vaults/a%20b"), "/-/vaults/a%2520b");
        assert_eq!(canonical_path("/"), "/");
        assert_eq!(
            canonical_query("marker=b%2Fc&limit=1&x"),
            "limit=1&marker=b%2Fc&x="
        );
    }
}
