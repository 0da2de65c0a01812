use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::execute::Target;
use crevasse_core::payload::{Content, Payload};
use crevasse_core::treehash::sha256;
use crevasse_core::wire::{Body, Framing, Headers};

/// Serves one connection after another with `serve`.
async fn target<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Target
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            serve(stream).await;
        }
    });
    let mut target = Target::new(&format!("http://127.0.0.1:{port}")).unwrap();
    target.limits.request = Duration::from_millis(600);
    target.limits.idle = Duration::from_millis(200);
    target
}

/// Answers every request with these bytes, then closes.
async fn answering(answer: &'static [u8]) -> Target {
    target(move |mut stream| async move {
        request_head(&mut stream).await;
        let _ = stream.write_all(answer).await;
    })
    .await
}

async fn request_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

fn request(method: &str, path: &str, body: Body) -> Request {
    let mut headers = Headers::default();
    headers.push("Host", "localhost");
    if body != Body::Empty {
        headers.push("Content-Length", body.length().to_string());
    }
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers,
        body,
        framing: Framing::Plain,
    }
}

fn raw(request: &Request) -> Request {
    Request {
        framing: Framing::Verbatim,
        ..request.clone()
    }
}

/// What both arms make of an answer to a plain GET.
async fn both(target: &Target) -> [Reply; 2] {
    let arm = target.arm().unwrap();
    let plain = request("GET", "/-/vaults", Body::Empty);
    [arm.send(&plain).await, arm.send(&raw(&plain)).await]
}

async fn both_fault(target: &Target, expected: FaultKind) -> [TransportFault; 2] {
    both(target).await.map(|reply| match reply {
        Reply::Fault(fault) => {
            assert_eq!(fault.kind, expected, "{fault:?}");
            fault
        }
        Reply::Response(response) => panic!("{response:?}"),
    })
}

#[tokio::test]
async fn a_whole_answer_is_read_and_hashed() {
    let target =
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: 1\r\nX-A: 2\r\n\r\ntrue").await;
    for reply in both(&target).await {
        let response = reply.response().unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(
            response.headers.values("x-a").collect::<Vec<_>>(),
            ["1", "2"]
        );
        assert_eq!(response.body.sha256, sha256(b"true"));
        assert_eq!(response.body.text(), Some("true"));
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target =
        answering(b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n").await;
    for reply in both(&target).await {
        assert_eq!(reply.response().unwrap().status, 307);
    }
}

#[tokio::test]
async fn a_connection_closed_early_is_told_with_what_came() {
    let target = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    for fault in both_fault(&target, FaultKind::Closed).await {
        assert_eq!(fault.partial.unwrap().body.length, 4);
    }
    both_fault(&answering(b"").await, FaultKind::Closed).await;
}

#[tokio::test]
async fn garbage_is_not_http() {
    both_fault(
        &answering(b"220 mail.example ESMTP\r\n").await,
        FaultKind::NotHttp,
    )
    .await;
    both_fault(
        &answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n").await,
        FaultKind::NotHttp,
    )
    .await;
}

#[tokio::test]
async fn nothing_that_listens_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    both_fault(
        &Target::new(&format!("http://127.0.0.1:{port}")).unwrap(),
        FaultKind::Unreachable,
    )
    .await;
}

#[tokio::test]
async fn silence_and_slow_drips_end_in_time() {
    let silent = target(|mut stream| async move {
        request_head(&mut stream).await;
        tokio::time::sleep(Duration::from_secs(20)).await;
    });
    let arm = silent.await.arm().unwrap();
    let plain = request("GET", "/", Body::Empty);
    assert!(
        matches!(arm.send(&plain).await, Reply::Fault(fault) if fault.kind == FaultKind::TimedOut)
    );
    let dripping = target(|mut stream| async move {
        request_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            .await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    for fault in both_fault(&dripping.await, FaultKind::TimedOut).await {
        assert!(fault.partial.unwrap().body.length > 0);
    }
}

#[tokio::test]
async fn an_endless_body_or_head_is_cut() {
    let mut endless = target(|mut stream| async move {
        request_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    endless.limits.body = 100_000;
    for fault in both_fault(&endless, FaultKind::TooLarge).await {
        assert!(fault.partial.unwrap().body.length < 1_000_000);
    }
    let headers = target(|mut stream| async move {
        request_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let field = format!("X-Long: {}\r\n", "y".repeat(8000));
        while stream.write_all(field.as_bytes()).await.is_ok() {}
    });
    both_fault(&headers.await, FaultKind::TooLarge).await;
}

/// Answers with the request's head and the SHA-256 of its body, of `Content-Length` bytes and, where asked, all until the client ends.
async fn echoing() -> Target {
    target(|mut stream| async move {
        let head = request_head(&mut stream).await;
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        let mut body = vec![0; length.unwrap_or_default()];
        let _ = stream.read_exact(&mut body).await;
        if head.contains("X-Until-Close") {
            let _ = stream.read_to_end(&mut body).await;
        }
        let text = format!("{head}{}", sha256(&body));
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

async fn echoed(request: &Request) -> String {
    let arm = echoing().await.arm().unwrap();
    let reply = arm.send(request).await;
    reply
        .response()
        .unwrap_or_else(|| panic!("{reply:?}"))
        .body
        .text()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn described_bodies_stream_through_either_arm() {
    for length in [5, 300_000, 3 << 20] {
        let content = Content::from(Payload::Generated { seed: 1, length });
        let plain = request(
            "POST",
            "/-/vaults/v/archives",
            Body::Content(content.clone()),
        );
        for request in [raw(&plain), plain] {
            assert!(
                echoed(&request)
                    .await
                    .ends_with(&content.sha256().to_string()),
                "{length}"
            );
        }
    }
}

#[tokio::test]
async fn what_a_client_would_change_goes_out_as_written() {
    let mut odd = request("GET", "/-/vaults/../vaults/./a", Body::Empty);
    assert!(
        echoed(&odd)
            .await
            .starts_with("GET /-/vaults/../vaults/./a HTTP/1.1\r\n")
    );
    odd.path = "/-/vaults//%2e".to_owned();
    assert!(
        echoed(&odd)
            .await
            .starts_with("GET /-/vaults//%2e HTTP/1.1\r\n")
    );
    odd.headers.push("x-twice", "1");
    odd.headers.push("X-Twice", "2");
    assert!(echoed(&odd).await.contains("x-twice: 1\r\nX-Twice: 2\r\n"));
    odd.framing = Framing::UpperCaseNames;
    assert!(echoed(&odd).await.contains("X-TWICE: 1\r\nX-TWICE: 2\r\n"));
}

#[tokio::test]
async fn a_plain_request_carries_its_fields() {
    let mut plain = request("GET", "/-/vaults/a%20b", Body::Empty);
    plain.query = "limit=1&marker=a%2Fb".to_owned();
    plain
        .headers
        .push("x-amz-archive-description", "two  spaces \u{e9}");
    let text = echoed(&plain).await;
    assert!(
        text.starts_with("GET /-/vaults/a%20b?limit=1&marker=a%2Fb HTTP/1.1\r\n"),
        "{text}"
    );
    assert!(
        text.contains("x-amz-archive-description: two  spaces \u{e9}\r\n"),
        "{text}"
    );
    assert!(text.contains("host: localhost\r\n"), "{text}");
}

#[tokio::test]
async fn half_a_body_and_chunks_are_framed_as_told() {
    let content = Body::Text("0123456789".to_owned());
    let mut half = request("POST", "/", content);
    half.framing = Framing::Half;
    half.headers.remove("content-length");
    half.headers.push("X-Until-Close", "yes");
    assert!(echoed(&half).await.ends_with(&sha256(b"01234").to_string()));
    half.framing = Framing::Chunked;
    let arm = answering(b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n")
        .await
        .arm()
        .unwrap();
    assert_eq!(arm.send(&half).await.response().unwrap().status, 411);
}

#[tokio::test]
async fn an_announced_body_waits_for_an_answer() {
    let mut announced = request("POST", "/", Body::Text("x".to_owned()));
    announced.headers.set("Content-Length", "5000000000");
    announced.headers.push("Expect", "100-continue");
    announced.framing = Framing::Announced(5_000_000_000);
    for (answer, status) in [
        (&b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"[..], 400),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 100),
    ] {
        let arm = answering(answer).await.arm().unwrap();
        assert_eq!(
            arm.send(&announced).await.response().unwrap().status,
            status
        );
    }
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let target = answering(
        b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    )
    .await;
    for reply in both(&target).await {
        assert_eq!(reply.response().unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_large_upload_that_is_refused_early_gets_its_answer() {
    let refusing = target(|mut stream| async move {
        request_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
            .await;
        let _ = stream.shutdown().await;
        let mut sink = vec![0; 1 << 20];
        while stream.read(&mut sink).await.is_ok_and(|count| count > 0) {}
    });
    let content = Content::from(Payload::Zeros { length: 64 << 20 });
    let reply = refusing
        .await
        .arm()
        .unwrap()
        .send(&request("POST", "/", Body::Content(content)))
        .await;
    assert_eq!(reply.response().unwrap().status, 400);
}

#[tokio::test]
async fn a_body_in_two_halves_arrives_whole() {
    let content = Content::from(Payload::Pattern { length: 1_000_001 });
    let slow = request("POST", "/", Body::Content(content.clone()));
    let arm = echoing().await.arm().unwrap();
    let begun = arm.begin(&slow).await.unwrap();
    let reply = begun.finish().await;
    assert!(
        reply
            .response()
            .unwrap()
            .body
            .text()
            .unwrap()
            .ends_with(&content.sha256().to_string())
    );
}

#[tokio::test]
async fn a_field_with_a_line_break_is_never_sent() {
    let mut split = request("GET", "/", Body::Empty);
    split
        .headers
        .push("x-amz-archive-description", "a\r\nHost: b");
    let arm = Target::new("http://127.0.0.1:1").unwrap().arm().unwrap();
    assert!(arm.obstacle(&split).unwrap().contains("line break"));
}
