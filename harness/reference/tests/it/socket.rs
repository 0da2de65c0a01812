//! The server on a socket, seen by a client that writes HTTP by hand.

use crevasse_core::payload::{Content, Payload};
use crevasse_core::treehash::MIB;
use crevasse_reference::{Options, ServerHandle, Service, fault, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response by hand: status, header lines, body.
struct Seen {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let field = |line: &'_ str| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value.len())
        };
        let line = self.head.lines().find(|line| field(line).is_some())?;
        line.split_once(": ").map(|(_, value)| value)
    }
}

async fn start(options: Options) -> (ServerHandle, TcpStream) {
    let server = serve(Service::new(options), "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let stream = TcpStream::connect(server.address).await.unwrap();
    (server, stream)
}

async fn send(stream: &mut TcpStream, first: &str, headers: &[(&str, String)], body: &[u8]) {
    let mut text =
        format!("{first} HTTP/1.1\r\nHost: localhost\r\nX-AMZ-GLACIER-VERSION: 2012-06-01\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
}

async fn receive(stream: &mut TcpStream) -> Seen {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut seen = Seen {
        status,
        head,
        body: Vec::new(),
    };
    let length: usize = seen
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    seen.body = vec![0; length];
    stream.read_exact(&mut seen.body).await.unwrap();
    seen
}

async fn ask(stream: &mut TcpStream, first: &str, headers: &[(&str, String)], body: &[u8]) -> Seen {
    send(stream, first, headers, body).await;
    receive(stream).await
}

fn length(body: &[u8]) -> (&'static str, String) {
    ("Content-Length", body.len().to_string())
}

fn checksums(content: &Content) -> Vec<(&'static str, String)> {
    vec![
        ("Content-Length", content.length().to_string()),
        ("x-amz-content-sha256", content.sha256().to_string()),
        ("x-amz-sha256-tree-hash", content.tree_hash().to_string()),
    ]
}

fn options() -> Options {
    Options {
        job_delay: std::time::Duration::ZERO,
        ..Options::default()
    }
}

/// COM-HDR-*, UA-STATUS-001, GJO-RANGE-002, on one connection kept alive.
#[tokio::test]
async fn one_connection_uploads_and_downloads() {
    let (server, mut stream) = start(options()).await;
    let made = ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, Some("/123456789012/vaults/v"))
    );
    let content = Content::from(Payload::Pattern {
        length: 3 * MIB + 1,
    });
    let bytes = content.to_bytes();
    let uploaded = ask(
        &mut stream,
        "POST /-/vaults/v/archives",
        &checksums(&content),
        &bytes,
    )
    .await;
    assert_eq!(
        uploaded.status,
        201,
        "{}",
        String::from_utf8_lossy(&uploaded.body)
    );
    assert_eq!(uploaded.header("content-length"), Some("0"));
    let archive = uploaded.header("x-amz-archive-id").unwrap();
    let body = format!(r#"{{"Type":"archive-retrieval","ArchiveId":"{archive}"}}"#);
    let job = ask(
        &mut stream,
        "POST /-/vaults/v/jobs",
        &[length(body.as_bytes())],
        body.as_bytes(),
    )
    .await;
    let job = job.header("x-amz-job-id").unwrap().to_owned();
    let output = format!("GET /-/vaults/v/jobs/{job}/output");
    let whole = ask(&mut stream, &output, &[], b"").await;
    assert!(whole.status == 200 && whole.body == bytes);
    let part = ask(
        &mut stream,
        &output,
        &[("Range", "bytes=1048576-3145728".to_owned())],
        b"",
    )
    .await;
    assert!(part.status == 206 && part.body == bytes[1 << 20..]);
    assert_eq!(
        part.header("content-range"),
        Some("bytes 1048576-3145728/3145729")
    );
    let ids =
        [&made, &uploaded, &whole, &part].map(|seen| seen.header("x-amzn-requestid").unwrap());
    assert!((0..4).all(|a| (a + 1..4).all(|b| ids[a] != ids[b])));
    server.stop().await;
}

/// UA-SIZE-003: refused before a byte of the body was asked for.
#[tokio::test]
async fn what_the_head_forbids_is_refused_before_the_body() {
    let (server, mut stream) = start(options()).await;
    ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    let content = Content::from(Payload::Zeros { length: 1 });
    let mut headers = checksums(&content);
    headers[0].1 = "4294967297".to_owned();
    headers.push(("Expect", "100-continue".to_owned()));
    let refused = ask(&mut stream, "POST /-/vaults/v/archives", &headers, b"").await;
    assert_eq!(refused.status, 400);
    let text = String::from_utf8(refused.body).unwrap();
    assert!(
        text.contains("Invalid Content-Length: 4294967297"),
        "{text}"
    );
    server.stop().await;
}

/// UA-SIZE-004, and the answer reaches a client that sent its body all the same.
#[tokio::test]
async fn a_chunked_upload_is_refused() {
    let (server, mut stream) = start(options()).await;
    ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    let mut headers = checksums(&Content::from(Payload::Text("abc".to_owned())));
    headers[0] = ("Transfer-Encoding", "chunked".to_owned());
    let refused = ask(
        &mut stream,
        "POST /-/vaults/v/archives",
        &headers,
        b"3\r\nabc\r\n0\r\n\r\n",
    )
    .await;
    assert_eq!(refused.status, 400);
    server.stop().await;
}

/// LP-PARTS-003: half a part is none.
#[tokio::test]
async fn a_part_that_breaks_off_is_not_stored() {
    let (server, mut stream) = start(options()).await;
    ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    let headers = [length(b""), ("x-amz-part-size", "1048576".to_owned())];
    let begun = ask(
        &mut stream,
        "POST /-/vaults/v/multipart-uploads",
        &headers,
        b"",
    )
    .await;
    let uri = begun.header("location").unwrap().to_owned();
    let content = Content::from(Payload::Pattern { length: 1000 });
    let mut headers = checksums(&content);
    headers.push(("Content-Range", "bytes 0-999/*".to_owned()));
    let mut broken = TcpStream::connect(server.address).await.unwrap();
    send(
        &mut broken,
        &format!("PUT {uri}"),
        &headers,
        &content.to_bytes()[..500],
    )
    .await;
    drop(broken);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let listed = ask(&mut stream, &format!("GET {uri}"), &[], b"").await;
    let document: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(document["Parts"], serde_json::json!([]));
    server.stop().await;
}

/// SURF-TIMEOUT-001.
#[tokio::test]
async fn a_body_that_does_not_come_times_out() {
    let body_timeout = std::time::Duration::from_millis(50);
    let (server, mut stream) = start(Options {
        body_timeout,
        ..options()
    })
    .await;
    ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    let headers = checksums(&Content::from(Payload::Pattern { length: 1000 }));
    let refused = ask(&mut stream, "POST /-/vaults/v/archives", &headers, b"half").await;
    assert_eq!(refused.status, 408);
    server.stop().await;
}

fn faulty(id: &str) -> Options {
    Options {
        faults: vec![fault::find(id).unwrap()],
        ..options()
    }
}

/// Everything that comes until the server closes, or for a fifth of a second.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut seen = Vec::new();
    let reading = stream.read_to_end(&mut seen);
    let patience = std::time::Duration::from_millis(200);
    let ended = tokio::time::timeout(patience, reading).await.is_ok();
    (seen, ended)
}

/// What comes from a server with a wire fault, and whether it closes the connection.
async fn damaged(id: &str, first: &str) -> (String, bool) {
    let (server, mut stream) = start(faulty(id)).await;
    ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    send(&mut stream, first, &[], b"").await;
    let (seen, ended) = rest(&mut stream).await;
    drop(server);
    (String::from_utf8_lossy(&seen).into_owned(), ended)
}

#[tokio::test]
async fn wire_faults_reach_the_wire() {
    let (seen, ended) = damaged("vault-list-never-ends", "GET /-/vaults").await;
    assert!(
        seen.starts_with("HTTP/1.1 200") && !seen.ends_with('}') && !ended,
        "{seen}"
    );
    let (seen, ended) = damaged("job-list-is-no-http", "GET /-/vaults/v/jobs").await;
    assert!(seen.starts_with('\u{15}') && ended, "{seen}");
    let (seen, ended) = damaged("tags-unanswered", "GET /-/vaults/v/tags").await;
    assert!(seen.is_empty() && !ended, "{seen}");
    let (seen, _) = damaged("no-content-with-a-body", "DELETE /-/vaults/v/access-policy").await;
    assert!(
        seen.starts_with("HTTP/1.1 204") && seen.ends_with("{}"),
        "{seen}"
    );
    let (seen, ended) = damaged("content-length-too-great", "GET /-/vaults").await;
    let (head, body) = seen.split_once("\r\n\r\n").unwrap();
    let announced = format!("Content-Length: {}", body.len() + 1);
    assert!(head.contains(&announced) && ended, "{seen}");
}

#[tokio::test]
async fn an_output_is_cut_and_its_connection_closed() {
    let (server, mut stream) = start(faulty("output-cut-in-the-middle")).await;
    ask(&mut stream, "PUT /-/vaults/v", &[length(b"")], b"").await;
    let body = br#"{"Type":"inventory-retrieval"}"#;
    let job = ask(&mut stream, "POST /-/vaults/v/jobs", &[length(body)], body).await;
    let job = job.header("x-amz-job-id").unwrap().to_owned();
    send(
        &mut stream,
        &format!("GET /-/vaults/v/jobs/{job}/output"),
        &[],
        b"",
    )
    .await;
    let (seen, ended) = rest(&mut stream).await;
    let seen = String::from_utf8(seen).unwrap();
    assert!(
        ended && seen.contains("VaultARN") && !seen.ends_with('}'),
        "{seen}"
    );
    server.stop().await;
}

/// GJO-DESC-001: uploads at the same time keep their own descriptions, unless a fault crosses them.
#[tokio::test]
async fn uploads_at_the_same_time_cross_only_by_a_fault() {
    for (options, expected) in [
        (options(), "slow"),
        (faulty("descriptions-crossed-under-load"), "quick"),
    ] {
        let (server, mut slow) = start(options).await;
        ask(&mut slow, "PUT /-/vaults/v", &[length(b"")], b"").await;
        let content = Content::from(Payload::Pattern { length: 1000 });
        let bytes = content.to_bytes();
        let described = |text: &str| {
            let mut headers = checksums(&content);
            headers.push(("x-amz-archive-description", text.to_owned()));
            headers
        };
        send(
            &mut slow,
            "POST /-/vaults/v/archives",
            &described("slow"),
            &bytes[..500],
        )
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let mut quick = TcpStream::connect(server.address).await.unwrap();
        ask(
            &mut quick,
            "POST /-/vaults/v/archives",
            &described("quick"),
            &bytes,
        )
        .await;
        slow.write_all(&bytes[500..]).await.unwrap();
        let archive = receive(&mut slow)
            .await
            .header("x-amz-archive-id")
            .unwrap()
            .to_owned();
        let body = format!(r#"{{"Type":"archive-retrieval","ArchiveId":"{archive}"}}"#);
        let job = ask(
            &mut slow,
            "POST /-/vaults/v/jobs",
            &[length(body.as_bytes())],
            body.as_bytes(),
        )
        .await;
        let job = job.header("x-amz-job-id").unwrap().to_owned();
        let output = ask(
            &mut slow,
            &format!("GET /-/vaults/v/jobs/{job}/output"),
            &[],
            b"",
        )
        .await;
        assert_eq!(output.header("x-amz-archive-description"), Some(expected));
        server.stop().await;
    }
}

/// The server of the tests beside this one takes names in capitals, which is how they are all sent.
#[tokio::test]
async fn header_names_in_capitals_are_told_from_others_only_by_a_fault() {
    let (server, mut stream) = start(faulty("header-names-compared-with-case")).await;
    let shouted = ask(&mut stream, "GET /-/vaults", &[], b"").await;
    assert_eq!(shouted.status, 400);
    let plain =
        "GET /-/vaults HTTP/1.1\r\nHost: localhost\r\nx-amz-glacier-version: 2012-06-01\r\n\r\n";
    stream.write_all(plain.as_bytes()).await.unwrap();
    assert_eq!(receive(&mut stream).await.status, 200);
    server.stop().await;
}
