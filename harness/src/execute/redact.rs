//! Secrets do not leave the hand: neither as sent, nor as a target may echo them.

use crevasse_core::sigv4::Credentials;
use crevasse_core::wire::{Exchange, Reply, Response};

const HIDDEN: &str = "[redacted]";

/// Removes keys and tokens from what is written down.
#[derive(Clone, Default)]
pub(crate) struct Redaction {
    secrets: Vec<String>,
}

impl Redaction {
    /// Hides the secrets of these keys.
    pub(crate) fn of(keys: Option<&Credentials>) -> Self {
        let secrets = keys.map(|keys| {
            [
                Some(keys.secret_access_key.clone()),
                keys.session_token.clone(),
            ]
        });
        Self {
            secrets: secrets
                .into_iter()
                .flatten()
                .flatten()
                .filter(|secret| !secret.is_empty())
                .collect(),
        }
    }

    /// The exchange as it may be written down.
    pub(crate) fn apply(&self, exchange: Exchange) -> Exchange {
        let reply = match exchange.reply {
            Reply::Response(response) => Reply::Response(self.response(response)),
            Reply::Fault(mut fault) => {
                fault.partial = fault
                    .partial
                    .map(|partial| Box::new(self.response(*partial)));
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
        for secret in &self.secrets {
            for (_, value) in &mut response.headers.0 {
                if value.contains(secret.as_str()) {
                    *value = value.replace(secret.as_str(), HIDDEN);
                }
            }
            let body = &mut response.body.prefix;
            while let Some(place) = body
                .windows(secret.len())
                .position(|bytes| bytes == secret.as_bytes())
            {
                body.splice(
                    place..place + secret.len(),
                    std::iter::repeat_n(b'*', secret.len()),
                );
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::amz_date::Timestamp;
    use crevasse_core::treehash::sha256;
    use crevasse_core::wire::{Body, Framing, Headers, ObservedBody, Request};

    #[test]
    fn keys_and_tokens_are_hidden_wherever_they_turn_up() {
        let keys = Credentials {
            access_key_id: "AKID".to_owned(),
            secret_access_key: "very/secret".to_owned(),
            session_token: Some("a-token".to_owned()),
        };
        let sent = |name: &str, value: &str| Headers(vec![(name.to_owned(), value.to_owned())]);
        let echo = b"you sent a-token and very/secret and a-token".to_vec();
        let exchange = Exchange {
            request: Request {
                method: "GET".to_owned(),
                path: "/".to_owned(),
                query: String::new(),
                headers: sent("X-Amz-Security-Token", "a-token"),
                body: Body::Empty,
                framing: Framing::Plain,
            },
            reply: Reply::Response(Response {
                status: 200,
                headers: sent("x-echo", "a-token"),
                body: ObservedBody {
                    length: echo.len() as u64,
                    sha256: sha256(&echo),
                    tree_hash: sha256(&echo),
                    leaves: vec![sha256(&echo)],
                    prefix: echo,
                },
            }),
            sent_at: Timestamp(0),
            done_at: Timestamp(1),
            retried: Vec::new(),
        };
        let text = serde_json::to_string(&Redaction::of(Some(&keys)).apply(exchange)).unwrap();
        assert!(
            !text.contains("a-token") && !text.contains("very/secret"),
            "{text}"
        );
    }
}
