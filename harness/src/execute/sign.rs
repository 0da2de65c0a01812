//! Signs a request, or wrongly signs it on purpose.

use crevasse_core::amz_date::Timestamp;
use crevasse_core::scenario::{Signing, Tweak};
use crevasse_core::sigv4::{Credentials, Head, Scope, authorization};
use crevasse_core::treehash::{Digest, sha256};
use crevasse_core::wire::{Body, Request};

/// An access key that nobody has.
const UNKNOWN_KEY: &str = "AKIANOBODYHASTHISKEY";
/// A session token that was never valid, so that it is no secret and no longer good.
const EXPIRED_TOKEN: &str = "FwoGZXIvYXdzEXPIREDTOKENOFNOBODY";
const DAY: i64 = 24 * 3600 * 1000;

/// A request that is ready but for its signature: that is made when its turn comes, since it is good for a few minutes only.
#[derive(Clone, Debug)]
pub(crate) struct Unsigned {
    /// The request.
    pub(crate) request: Request,
    /// How it is to be signed.
    pub(crate) tweak: Tweak,
}

impl Unsigned {
    /// The request as it is sent now. A header of the scenario's own goes before what we would sign with.
    pub(crate) fn signed(
        &self,
        keys: Option<&Credentials>,
        region: &str,
        now: Timestamp,
    ) -> Request {
        let mut request = self.request.clone();
        sign(&mut request, &self.tweak, keys, region, now);
        let own = self.tweak.headers.iter().find_map(|(name, value)| {
            let named = name.eq_ignore_ascii_case("authorization");
            value.as_ref().filter(|_| named)
        });
        if let Some(value) = own {
            request.headers.set("authorization", value);
        }
        request
    }
}

/// Adds date, token and signature as the tweak says. Without keys nothing is added: the target takes unsigned requests or none.
pub(crate) fn sign(
    request: &mut Request,
    tweak: &Tweak,
    keys: Option<&Credentials>,
    region: &str,
    now: Timestamp,
) {
    let Some(keys) = keys.filter(|_| tweak.signing != Signing::Absent) else {
        return;
    };
    let mut keys = keys.clone();
    match tweak.signing {
        Signing::UnknownKey => UNKNOWN_KEY.clone_into(&mut keys.access_key_id),
        Signing::ExpiredToken => keys.session_token = Some(EXPIRED_TOKEN.to_owned()),
        _ => {}
    }
    let time = match tweak.signing {
        Signing::Skewed(seconds) => now.plus_millis(seconds.saturating_mul(1000)),
        _ => now,
    };
    date(request, &tweak.signing, time);
    if let Some(token) = &keys.session_token {
        request.headers.set("x-amz-security-token", token);
    }
    let service = if tweak.signing == Signing::WrongService {
        "s3"
    } else {
        "glacier"
    };
    let region = tweak.region.as_deref().unwrap_or(region);
    let scope = Scope {
        time,
        region: region.to_owned(),
        service: service.to_owned(),
    };
    let mut value = authorization(head(request), &payload_hash(request), &keys, &scope);
    if tweak.signing == Signing::Flipped {
        flip_last(&mut value);
    }
    request.headers.push("Authorization", value);
}

fn head(request: &Request) -> Head<'_> {
    Head {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers: &request.headers,
    }
}

fn date(request: &mut Request, signing: &Signing, time: Timestamp) {
    match signing {
        Signing::DateOnly => return request.headers.set("Date", time.basic()),
        Signing::WrongDate => request
            .headers
            .set("Date", time.plus_millis(-2 * DAY).http()),
        _ => {}
    }
    request.headers.set("x-amz-date", time.basic());
}

/// What `x-amz-content-sha256` claims, right or wrong; else the hash of the body (guide, "Signing Requests").
fn payload_hash(request: &Request) -> String {
    match request.headers.value("x-amz-content-sha256") {
        Some(claimed) => claimed.to_owned(),
        None => body_hash(&request.body).to_string(),
    }
}

fn body_hash(body: &Body) -> Digest {
    match body {
        Body::Empty => sha256(b""),
        Body::Text(text) => sha256(text.as_bytes()),
        Body::Content(content) => content.sha256(),
    }
}

/// Changes the last hexadecimal digit of a text into another.
pub(super) fn flip_last(hex: &mut String) {
    let last = hex
        .pop()
        .and_then(|digit| digit.to_digit(16))
        .unwrap_or_default();
    hex.extend(char::from_digit(last ^ 1, 16));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::sigv4::{AuthFailure, verify};
    use crevasse_core::wire::{Framing, Headers};

    const NOW: Timestamp = Timestamp(1_486_728_000_000);

    fn keys() -> Credentials {
        Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
        }
    }

    fn signed(signing: Signing, region: Option<&str>) -> Request {
        let mut headers = Headers::default();
        headers.push("Host", "127.0.0.1:5000");
        headers.push("x-amz-glacier-version", "2012-06-01");
        let mut request = Request {
            method: "POST".to_owned(),
            path: "/-/vaults/v/tags".to_owned(),
            query: "operation=add".to_owned(),
            headers,
            body: Body::Text("{}".to_owned()),
            framing: Framing::Plain,
        };
        let tweak = Tweak {
            signing,
            region: region.map(str::to_owned),
            ..Tweak::default()
        };
        sign(&mut request, &tweak, Some(&keys()), "us-east-1", NOW);
        request
    }

    fn verdict(signing: Signing) -> Result<String, AuthFailure> {
        let request = signed(signing, None);
        verify(head(&request), &payload_hash(&request), &keys(), NOW).map(|found| found.region)
    }

    #[test]
    fn a_right_signature_is_verified_and_each_wrong_one_is_wrong_in_its_way() {
        for right in [
            Signing::Right,
            Signing::WrongDate,
            Signing::DateOnly,
            Signing::Skewed(-240),
        ] {
            assert_eq!(verdict(right), Ok("us-east-1".to_owned()), "{right:?}");
        }
        for (wrong, failure) in [
            (Signing::Absent, AuthFailure::Missing),
            (Signing::Flipped, AuthFailure::Invalid),
            (Signing::WrongService, AuthFailure::Invalid),
            (Signing::UnknownKey, AuthFailure::UnknownKey),
            (Signing::Skewed(900), AuthFailure::Skewed),
            (Signing::ExpiredToken, AuthFailure::Token),
        ] {
            assert_eq!(verdict(wrong), Err(failure), "{wrong:?}");
        }
    }

    #[test]
    fn the_region_of_a_tweak_is_signed_for() {
        let request = signed(Signing::Right, Some("eu-west-1"));
        let found = verify(head(&request), &payload_hash(&request), &keys(), NOW).unwrap();
        assert_eq!(found.region, "eu-west-1");
    }

    #[test]
    fn nothing_is_signed_without_keys() {
        let mut request = signed(Signing::Absent, None);
        sign(&mut request, &Tweak::default(), None, "us-east-1", NOW);
        assert_eq!(request.headers.value("authorization"), None);
        assert_eq!(request.headers.value("x-amz-date"), None);
    }
}
