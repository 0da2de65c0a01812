//! Where a run is aimed: endpoint, account, region, keys and bounds.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use reqwest::Url;

use crevasse_core::sigv4::Credentials;

use super::patience::Patience;
use super::transport::{Arm, Limits};

/// A target.
///
/// ```
/// use crevasse::execute::Target;
/// let target = Target::new("http://127.0.0.1:5000/").unwrap();
/// assert_eq!(target.endpoint(), "http://127.0.0.1:5000");
/// assert!(target.is_loopback());
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    endpoint: String,
    url: Url,
    /// The account's 12 digits, where they are known beforehand.
    pub account: Option<String>,
    /// The region requests are signed for.
    pub region: String,
    /// The keys; without them nothing is signed.
    pub credentials: Option<Credentials>,
    /// The topic that notifications are to name, where it must exist.
    pub sns_topic: Option<String>,
    /// The `Host` header, where a server routes by name.
    pub host_header: Option<String>,
    /// Where connections are made instead of to the host of the endpoint.
    connect_to: Option<SocketAddr>,
    /// Whether connections are used for more than one request.
    pub reuse: bool,
    /// Whether requests go through the proxies that the environment names.
    pub proxied: bool,
    /// What an answer may take.
    pub limits: Limits,
    /// Certificates are not verified.
    pub insecure: bool,
    /// A file of certificates to trust beside the system's.
    pub cacert: Option<PathBuf>,
    /// How long jobs may take.
    pub patience: Patience,
}

/// Why a target cannot be aimed at.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The endpoint is not a URL of this kind.
    #[error("read {endpoint:?} as an endpoint: {text}")]
    Endpoint {
        /// The endpoint.
        endpoint: String,
        /// What is wrong.
        text: String,
    },
    /// TLS cannot be set up.
    #[error("set up TLS: {0}")]
    Tls(String),
}

impl Target {
    /// Reads an endpoint: `http` or `https`, a host, and neither path nor credentials.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn new(endpoint: &str) -> Result<Self, TargetError> {
        let wrong = |text: &str| TargetError::Endpoint {
            endpoint: endpoint.to_owned(),
            text: text.to_owned(),
        };
        let url = Url::parse(endpoint).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("http:// or https:// and a host expected"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let host = url.host_str().unwrap_or_default();
            return Err(TargetError::Endpoint {
                // Without them: what is refused is printed.
                endpoint: format!("{}://…@{host}", url.scheme()),
                text: "credentials do not belong into an endpoint".to_owned(),
            });
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "the vault API lives at the root of a host: no path, query or fragment",
            ));
        }
        let mut target = Self {
            endpoint: url.as_str().trim_end_matches('/').to_owned(),
            url,
            account: None,
            region: "us-east-1".to_owned(),
            credentials: None,
            sns_topic: None,
            host_header: None,
            connect_to: None,
            reuse: true,
            proxied: false,
            limits: Limits::default(),
            insecure: false,
            cacert: None,
            patience: Patience::default(),
        };
        target.patience = target.usual_patience();
        Ok(target)
    }

    /// The same target, at another address.
    pub fn connecting_to(mut self, address: SocketAddr) -> Self {
        self.connect_to = Some(address);
        self.patience = self.usual_patience();
        self
    }

    fn usual_patience(&self) -> Patience {
        if self.is_loopback() {
            Patience::of_an_emulator()
        } else {
            Patience::of_the_guide()
        }
    }

    /// The endpoint, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The endpoint, and by which way it is asked if by another.
    pub(crate) fn way(&self) -> String {
        let endpoint = &self.endpoint;
        match self.connect_to {
            Some(address) => format!("{endpoint} at {address}"),
            None if self.proxied => format!("{endpoint}, by whatever proxy the environment names"),
            None => endpoint.clone(),
        }
    }

    /// Whether it is this machine, by the address connected to, by that of the endpoint, or by the name `localhost`.
    pub fn is_loopback(&self) -> bool {
        if let Some(address) = self.connect_to {
            return address.ip().is_loopback();
        }
        let host = self.host();
        host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether the endpoint is https.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host without brackets, and the port.
    pub(crate) fn address(&self) -> (String, u16) {
        if let Some(address) = self.connect_to {
            return (address.ip().to_string(), address.port());
        }
        (
            self.host().to_owned(),
            self.url.port_or_known_default().unwrap_or(80),
        )
    }

    /// What an HTTP client is told as the root of all URLs, and the name that it must take for another address. Over TLS the name
    /// stays, since certificates are for names.
    pub(crate) fn root(&self) -> (String, Option<(String, SocketAddr)>) {
        match self.connect_to {
            None => (self.endpoint.clone(), None),
            Some(address) if self.is_tls() => {
                let host = self.url.host_str().unwrap_or_default();
                let root = format!("https://{host}:{}", address.port());
                (root, Some((host.to_owned(), address)))
            }
            Some(address) => (format!("http://{address}"), None),
        }
    }

    fn host(&self) -> &str {
        self.url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
    }

    /// The value of `Host`.
    pub(crate) fn authority(&self) -> String {
        let own = || match (self.url.host_str().unwrap_or_default(), self.url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        self.host_header.clone().unwrap_or_else(own)
    }

    /// Builds the way to it.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn arm(&self) -> Result<Arm, TargetError> {
        Arm::network(self)
    }
}

/// The keys of the AWS environment variables; on loopback, where none are set, ones that are nobody's.
pub fn credentials(loopback: bool) -> Option<Credentials> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    ) {
        (Some(access_key_id), Some(secret_access_key)) => Some(Credentials {
            access_key_id,
            secret_access_key,
            session_token: variable("AWS_SESSION_TOKEN"),
        }),
        _ => loopback.then(Credentials::nobodys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_by_address_and_not_by_what_a_name_contains() {
        for near in [
            "http://127.0.0.1:1",
            "http://127.8.9.1",
            "http://[::1]:5000",
            "https://localhost",
        ] {
            assert!(Target::new(near).unwrap().is_loopback(), "{near}");
        }
        for far in [
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://0.0.0.0:1",
        ] {
            assert!(!Target::new(far).unwrap().is_loopback(), "{far}");
        }
    }

    #[test]
    fn who_connects_elsewhere_still_asks_for_the_endpoint() {
        let here = SocketAddr::from(([127, 0, 0, 1], 8443));
        let target = Target::new("https://glacier.example").unwrap();
        let target = target.connecting_to(here);
        assert!(target.is_loopback());
        assert_eq!(target.authority(), "glacier.example");
        let (root, name) = target.root();
        assert_eq!(root, "https://glacier.example:8443");
        assert_eq!(name.unwrap().0, "glacier.example");
        let plain = Target::new("http://glacier.example").unwrap();
        assert_eq!(plain.connecting_to(here).root().0, "http://127.0.0.1:8443");
    }

    #[test]
    fn an_endpoint_is_a_host_and_nothing_else() {
        for wrong in [
            "127.0.0.1:5000",
            "ftp://host",
            "http://u:p@host",
            "http://host/path",
            "http://host/?q",
            "http://",
            "",
        ] {
            assert!(Target::new(wrong).is_err(), "{wrong}");
        }
        let secret = Target::new("http://me:secret@host:1/").unwrap_err();
        assert!(!secret.to_string().contains("secret"), "{secret}");
        let target = Target::new("http://[::1]:5000/").unwrap();
        assert_eq!(target.address(), ("::1".to_owned(), 5000));
        assert_eq!(target.authority(), "[::1]:5000");
        assert_eq!(Target::new("https://host").unwrap().address().1, 443);
    }
}
