//! Certificates that must not be trusted, and the two ways to trust them all the same.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::thread;

use crevasse_reference::{Options, ServerHandle, Service, serve};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::command::crevasse;

/// A reference server behind TLS.
struct Secured {
    endpoint: String,
    certificate: PathBuf,
    folder: tempfile::TempDir,
    _reference: ServerHandle,
    _runtime: tokio::runtime::Runtime,
}

impl Secured {
    /// With a certificate for this name, valid until this year.
    fn with(name: &str, until: i32) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let reference = runtime.block_on(serve(Service::new(Options::default()), anywhere));
        let reference = reference.unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2015, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certificate.pem");
        std::fs::write(&path, certificate.pem()).unwrap();
        let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)
            .unwrap();
        let listener = TcpListener::bind(anywhere).unwrap();
        let endpoint = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let (config, to) = (Arc::new(config), reference.address);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // Who does not trust the certificate goes away in the middle.
                thread::spawn(move || pass_on(StreamOwned::new(connection, client), to));
            }
        });
        Self {
            endpoint,
            certificate: path,
            folder,
            _reference: reference,
            _runtime: runtime,
        }
    }

    fn run(&self, more: &[&str]) -> Output {
        let address = self.endpoint.replace("https://localhost", "127.0.0.1");
        crevasse()
            .args([
                "run",
                "--endpoint",
                &self.endpoint,
                "--connect-to",
                &address,
            ])
            .args(["-n", "0", "-E", "op(AddTagsToVault)", "--run-dir"])
            .arg(self.folder.path())
            .args(more)
            .output()
            .unwrap()
    }

    /// What is said about a target that cannot be reached.
    fn refused(&self, more: &[&str]) -> String {
        let output = self.run(more);
        assert_eq!(output.status.code(), Some(6));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Passes one request on, and its answer back.
fn pass_on(mut client: StreamOwned<ServerConnection, TcpStream>, to: SocketAddr) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body)?;
    let mut upstream = TcpStream::connect(to)?;
    let end = head.len() - 2;
    upstream.write_all(&[&head[..end], b"connection: close\r\n\r\n", &body].concat())?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    client.write_all(&answer)?;
    client.conn.send_close_notify();
    client.flush()
}

#[test]
fn a_certificate_that_nobody_signed_is_refused_and_trusted_by_cacert_or_k() {
    let server = Secured::with("localhost", 2090);
    let said = server.refused(&[]);
    assert!(
        said.contains("certificate") && said.contains("--cacert"),
        "{said}"
    );
    let file = server.certificate.to_str().unwrap().to_owned();
    assert_eq!(server.run(&["--cacert", &file]).status.code(), Some(0));
    assert_eq!(server.run(&["-k"]).status.code(), Some(0));
}

#[test]
fn a_certificate_for_another_host_is_refused_though_it_is_trusted() {
    let server = Secured::with("elsewhere.example", 2090);
    let file = server.certificate.to_str().unwrap().to_owned();
    let said = server.refused(&["--cacert", &file]);
    assert!(said.contains("certificate not valid for name"), "{said}");
}

#[test]
fn an_expired_certificate_is_refused_though_it_is_trusted() {
    let server = Secured::with("localhost", 2020);
    let file = server.certificate.to_str().unwrap().to_owned();
    let said = server.refused(&["--cacert", &file]);
    assert!(said.contains("expired"), "{said}");
}

#[test]
fn a_file_that_holds_no_certificate_is_named() {
    let server = Secured::with("localhost", 2090);
    let output = server.run(&["--cacert", "/nowhere/at-all.pem"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/nowhere/at-all.pem"), "{said}");
}
