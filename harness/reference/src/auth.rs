//! Who asks, and from where: Signature Version 4 and the region of its scope.

use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::Refusal;
use crevasse_core::sigv4::{AuthFailure, Authorization, Credentials, Head, verify};
use crevasse_core::wire::Headers;

use crate::route::RequestHead;

const DEFAULT_REGION: &str = "us-east-1";

/// The region of the credential scope, signed rightly or not.
pub(crate) fn region(headers: &Headers) -> String {
    let legal = |region: &String| {
        !region.is_empty()
            && region
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    Authorization::of(headers)
        .map(|claim| claim.region)
        .filter(legal)
        .unwrap_or_else(|| DEFAULT_REGION.to_owned())
}

/// The partition that a region belongs to, as ARNs name it.
pub(crate) fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 4] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-iso-", "aws-iso"),
    ];
    let known = PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    known.map_or("aws", |(_, partition)| partition)
}

/// Why a request is not let in. Without a payload hash its signature cannot be told right from wrong, and only the rest is judged.
pub(crate) fn refusal(
    head: &RequestHead,
    payload_hash: Option<&str>,
    known: &Credentials,
    now: Timestamp,
) -> Option<Refusal> {
    let (path, query) = head.split();
    let signed = Head {
        method: &head.method,
        path,
        query,
        headers: &head.headers,
    };
    match verify(signed, payload_hash.unwrap_or_default(), known, now) {
        Ok(_) => None,
        Err(AuthFailure::Missing) => Some(Refusal::AuthenticationMissing),
        Err(AuthFailure::UnknownKey) => Some(Refusal::KeyUnknown),
        Err(AuthFailure::Invalid) if payload_hash.is_none() => None,
        Err(AuthFailure::Invalid) => Some(Refusal::SignatureInvalid),
        Err(AuthFailure::Skewed) => Some(Refusal::SignatureExpired),
        Err(AuthFailure::Token) => Some(Refusal::TokenExpired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_name_the_partition_of_the_region() {
        assert_eq!(partition("us-east-1"), "aws");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
    }
}
