//! Secrets do not leave the hand: neither as sent, nor as a target may echo them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crevasse_core::sigv4::Credentials;
use crevasse_core::wire::{Exchange, Reply, Request, Response};

const HIDDEN: &str = "[redacted]";

/// Keys shorter than this are nobody's: `test` and `testing` are what emulators are asked with, and turn up in bodies as plain words.
const SHORTEST: usize = 8;

/// Removes keys, tokens and signatures from what is written down.
#[derive(Clone, Default)]
pub(crate) struct Redaction {
    /// Each secret in every spelling it may be echoed in.
    secrets: Vec<String>,
}

impl Redaction {
    /// Hides these keys.
    pub(crate) fn of(keys: Option<&Credentials>) -> Self {
        let secrets = keys.into_iter().flat_map(|keys| {
            let id = Some(&keys.access_key_id);
            let secret = Some(&keys.secret_access_key);
            [id, secret, keys.session_token.as_ref()]
        });
        Self {
            secrets: secrets
                .flatten()
                .filter(|secret| secret.len() >= SHORTEST)
                .flat_map(|secret| spellings(secret))
                .collect(),
        }
    }

    /// The exchange as it may be written down.
    pub(crate) fn apply(&self, exchange: Exchange) -> Exchange {
        let mut all = self.clone();
        all.secrets.extend(signature(&exchange.request));
        let reply = match exchange.reply {
            Reply::Response(response) => Reply::Response(all.response(response)),
            Reply::Fault(mut fault) => {
                fault.detail = all.text(fault.detail);
                fault.partial = fault
                    .partial
                    .map(|partial| Box::new(all.response(*partial)));
                Reply::Fault(fault)
            }
        };
        Exchange {
            request: exchange.request.redacted(),
            reply,
            ..exchange
        }
    }

    fn response(&self, mut response: Response) -> Response {
        for (name, value) in &mut response.headers.0 {
            *name = self.text(std::mem::take(name));
            *value = self.text(std::mem::take(value));
        }
        for secret in &self.secrets {
            blank(Arc::make_mut(&mut response.body.prefix), secret.as_bytes());
        }
        response
    }

    fn text(&self, text: String) -> String {
        self.secrets
            .iter()
            .fold(text, |text, secret| match text.contains(secret.as_str()) {
                true => text.replace(secret.as_str(), HIDDEN),
                false => text,
            })
    }
}

/// Overwrites every occurrence, so that what follows stays where it was.
fn blank(bytes: &mut [u8], secret: &[u8]) {
    let mut from = 0;
    let next = |bytes: &[u8]| bytes.windows(secret.len()).position(|part| part == secret);
    while let Some(place) = next(&bytes[from..]) {
        bytes[from + place..][..secret.len()].fill(b'*');
        from += place + secret.len();
    }
}

/// A secret as it is, as JSON may escape it, and percent-encoded.
fn spellings(secret: &str) -> BTreeSet<String> {
    let encoded = |upper: bool| -> String {
        let byte = |byte: u8| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        };
        secret.bytes().map(byte).collect()
    };
    let json = secret.replace('/', "\\/");
    BTreeSet::from([secret.to_owned(), json, encoded(true), encoded(false)])
}

/// The signature that a request carries.
fn signature(request: &Request) -> Option<String> {
    let (_, after) = request
        .headers
        .value("authorization")?
        .split_once("Signature=")?;
    let digits = after.split([',', ' ']).next().unwrap_or_default();
    (!digits.is_empty()).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::amz_date::Timestamp;
    use crevasse_core::treehash::sha256;
    use crevasse_core::wire::{Body, Framing, Headers, ObservedBody, Request};

    #[test]
    fn keys_tokens_and_signatures_are_hidden_wherever_they_turn_up() {
        let keys = Credentials {
            access_key_id: "AKIDSECRET".to_owned(),
            secret_access_key: "very/secret".to_owned(),
            session_token: Some("a-long-token".to_owned()),
        };
        let sent = [
            ("X-Amz-Security-Token", "a-long-token"),
            (
                "Authorization",
                "AWS4 Credential=AKIDSECRET/x, Signature=0badc0de",
            ),
        ];
        let echo = r#"a-long-token very/secret very\/secret very%2Fsecret very%2fsecret 0badc0de a-long-token"#;
        let text = serde_json::to_string(
            &Redaction::of(Some(&keys)).apply(echoed(&sent, echo.as_bytes().to_vec())),
        )
        .unwrap();
        for secret in ["a-long-token", "secret", "AKIDSECRET", "0badc0de"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }

    #[test]
    fn what_comes_after_a_secret_stays_where_it_was() {
        let mut body = b"ab secret secret cd".to_vec();
        blank(&mut body, b"secret");
        assert_eq!(body, b"ab ****** ****** cd");
    }

    #[test]
    fn keys_that_are_plain_words_hide_nothing() {
        let keys = Credentials {
            access_key_id: "testing".to_owned(),
            secret_access_key: "testing".to_owned(),
            session_token: None,
        };
        let exchange = echoed(&[], b"testing".to_vec());
        let kept = Redaction::of(Some(&keys)).apply(exchange);
        assert_eq!(kept.reply.response().unwrap().body.prefix[..], *b"testing");
    }

    fn fields(of: &[(&str, &str)]) -> Headers {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Headers(of.iter().map(owned).collect())
    }

    /// An exchange with a target that answers what it was sent, and this body.
    fn echoed(sent: &[(&str, &str)], body: Vec<u8>) -> Exchange {
        Exchange {
            request: Request {
                method: "GET".to_owned(),
                path: "/".to_owned(),
                query: String::new(),
                headers: fields(sent),
                body: Body::Empty,
                framing: Framing::Plain,
            },
            reply: Reply::Response(Response {
                status: 200,
                headers: fields(sent),
                body: ObservedBody {
                    length: body.len() as u64,
                    sha256: sha256(&body),
                    tree_hash: sha256(&body),
                    leaves: vec![sha256(&body)],
                    prefix: body.into(),
                },
            }),
            sent_at: Timestamp(0),
            done_at: Timestamp(1),
            retried: Vec::new(),
        }
    }
}
