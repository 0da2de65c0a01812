//! What servers do to clients: one function a trick.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use super::server::{Asked, Trick, honest};

/// Where redirects point to, when a test wants to see that nobody comes.
pub(crate) static ELSEWHERE: OnceLock<String> = OnceLock::new();

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
static BLOCK: [u8; 64 << 10] = [b'x'; 64 << 10];

/// A trick, and what a run must make of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Requests answered right before it.
    pub(crate) after: usize,
    pub(crate) trick: Trick,
    pub(crate) code: i32,
    /// What the run says, on one of its two outputs.
    pub(crate) says: &'static str,
}

const fn case(name: &'static str, trick: Trick, code: i32, says: &'static str) -> Case {
    Case {
        name,
        after: 0,
        trick,
        code,
        says,
    }
}

/// The same, but right until the probe is over.
const fn later(name: &'static str, trick: Trick, code: i32, says: &'static str) -> Case {
    Case {
        after: 50,
        ..case(name, trick, code, says)
    }
}

/// 1 or 5: whether what is seen once is seen again is luck; that it is green is not.
pub(crate) const NEVER_GREEN: i32 = -1;

/// All tricks. Those that begin at once show what the first answer is worth; those that come later that a run ends all the same.
pub(crate) const CASES: &[Case] = &[
    case(
        "an endless body",
        endless_body,
        6,
        "the body of the answer does not end within the limit",
    ),
    later(
        "an endless body, later",
        endless_body,
        1,
        "the target stopped answering: the body of the answer does not end",
    ),
    case(
        "a body one byte a second",
        drip,
        6,
        "the body of the answer did not end within the time allowed",
    ),
    later(
        "a body one byte a second, later",
        drip,
        1,
        "the target stopped answering: the body of the answer did not end",
    ),
    case("a gigabyte of headers", gigabyte_of_headers, 6, "head"),
    case("one header of 100 MB", long_header, 6, "head"),
    case("100,000 headers", many_headers, 6, "head"),
    case("a length larger than the body", length_larger, 6, "before"),
    case(
        "a length smaller than the body",
        length_smaller,
        4,
        "NOTHING VERIFIED",
    ),
    case(
        "a negative length",
        length_negative,
        6,
        "cannot be talked to in HTTP",
    ),
    case(
        "two lengths",
        length_twice,
        6,
        "cannot be talked to in HTTP",
    ),
    case("a length and chunks", length_and_chunks, 6, ""),
    case(
        "broken chunks",
        broken_chunks,
        6,
        "cannot be talked to in HTTP",
    ),
    case("an early close at each byte", early_close, 6, "clos"),
    later(
        "an early close at each byte, later",
        early_close,
        1,
        "the target stopped answering",
    ),
    case("garbage", garbage, 6, "cannot be talked to in HTTP"),
    case(
        "interim answers for ever",
        endless_interim,
        6,
        "no answer within the time allowed",
    ),
    case("a redirect to itself", redirect, 4, "NOTHING VERIFIED"),
    case("a compressed bomb", bomb, 1, "DEVIATES"),
    case("a megabyte of JSON", long_json, 1, "DEVIATES"),
    case("JSON nested 10,000 deep", deep_json, 1, "DEVIATES"),
    case("numbers of 100,000 digits", long_numbers, 1, "DEVIATES"),
    case("keys given twice", duplicate_keys, 1, "DEVIATES"),
    case("invalid UTF-8", invalid_utf8, 1, "DEVIATES"),
    case(
        "another mind each time",
        mind_changer,
        NEVER_GREEN,
        "MUST conform",
    ),
    later("the answer to another request", other_answer, 1, "DEVIATES"),
    case("silence", silence, 6, "no answer within the time allowed"),
    later(
        "silence, later",
        silence,
        1,
        "the target stopped answering: no answer within the time allowed",
    ),
    case("dead for a while", dead_for_a_while, 0, "sent again"),
    case("a clock a day ahead", clock_skew, 0, "CONFORMS"),
    case("put off for ever", put_off, 4, "NOTHING VERIFIED"),
    case("200 and {} to everything", empty_objects, 1, "DEVIATES"),
    case("500 to everything", always_500, 4, "NOTHING VERIFIED"),
    case(
        "keys of somebody else",
        key_unknown,
        2,
        "failed to be let in",
    ),
    case("403 to everything", forbidding, 4, "NOTHING VERIFIED"),
    case("every connection closed", closing, 6, "closed"),
];

fn endless_body(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}\r\n")?;
    loop {
        client.write_all(&BLOCK)?;
    }
}

fn drip(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}Content-Length: 1000000\r\n\r\n")?;
    loop {
        client.write_all(b" ")?;
        sleep(Duration::from_secs(1));
    }
}

fn gigabyte_of_headers(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}")?;
    let value = "x".repeat(1000);
    (0..1 << 20).try_for_each(|number| write!(client, "X-{number}: {value}\r\n"))
}

fn long_header(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}X-Long: ")?;
    (0..1600).try_for_each(|_| client.write_all(&BLOCK))?;
    client.write_all(b"\r\n\r\n")
}

fn many_headers(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}")?;
    (0..100_000).try_for_each(|number| write!(client, "X-{number}: 1\r\n"))?;
    client.write_all(b"\r\n")
}

fn length_larger(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}Content-Length: 100\r\n\r\n{{}}")
}

fn length_smaller(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(
        client,
        "HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\n{{\"code\":\"InternalFailure\"}}"
    )
}

fn length_negative(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "{OK}Content-Length: -2\r\n\r\n{{}}")
}

fn length_twice(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(
        client,
        "{OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} "
    )
}

fn length_and_chunks(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(
        client,
        "{OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{{}}"
    )
}

fn broken_chunks(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(
        client,
        "{OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"
    )
}

fn early_close(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    let answer = format!("{OK}Content-Length: 2\r\n\r\n{{}}");
    client.write_all(&answer.as_bytes()[..asked.number % answer.len()])
}

fn garbage(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    let byte = |place: usize| (((asked.number + 7) * (place + 3) * 2_654_435_761) >> 13) as u8;
    client.write_all(&(0..100_000).map(byte).collect::<Vec<u8>>())
}

fn endless_interim(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    loop {
        client.write_all(b"HTTP/1.1 102 Processing\r\n\r\n")?;
        sleep(Duration::from_millis(1));
    }
}

pub(crate) fn redirect(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    let host = ELSEWHERE.get().map_or("", String::as_str);
    write!(
        client,
        "HTTP/1.1 307 Over There\r\nLocation: {host}/-/vaults\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A gzip stream of which each 13 bytes stand for 2 KiB of zeros.
fn bomb(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    const COPIES: [u8; 13] = *b"\x05\xa3\x60\x14\x8c\x82\x51\x30\x0a\x46\xc1\x28\x18";
    let stream = [
        &b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x63\x18"[..],
        &COPIES.repeat(10_000),
    ]
    .concat();
    write!(
        client,
        "{OK}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        stream.len()
    )?;
    client.write_all(&stream)
}

fn json(client: &mut TcpStream, body: &[u8]) -> io::Result<()> {
    write!(client, "{OK}Content-Length: {}\r\n\r\n", body.len())?;
    client.write_all(body)
}

fn long_json(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    let text = format!("\"{}\",", "x".repeat(97));
    let body = format!("{{\"VaultList\":[{}0]}}", text.repeat(10_000));
    json(client, body.as_bytes())
}

fn deep_json(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    json(
        client,
        ("{\"VaultList\":".repeat(10_000) + "1" + &"}".repeat(10_000)).as_bytes(),
    )
}

fn long_numbers(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    let number = "9".repeat(100_000);
    let body =
        format!("{{\"NumberOfArchives\":{number},\"SizeInBytes\":-{number}.{number}e{number}}}");
    json(client, body.as_bytes())
}

fn duplicate_keys(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    json(
        client,
        b"{\"VaultList\":[],\"VaultList\":{},\"Marker\":null,\"Marker\":1}",
    )
}

fn invalid_utf8(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    json(
        client,
        b"{\"VaultList\":[{\"VaultName\":\"\xff\xfe\xed\xa0\x80\"}]}",
    )
}

fn mind_changer(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    match asked.number % 3 {
        0 => honest(client, asked),
        1 => empty_objects(client, asked),
        _ => always_500(client, asked),
    }
}

fn other_answer(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    let answer = asked.former_answer(client)?;
    client.write_all(&answer)
}

fn silence(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    sleep(Duration::from_secs(60));
    client.shutdown(Shutdown::Both)
}

fn dead_for_a_while(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    match asked.number {
        60..75 => client.shutdown(Shutdown::Both),
        _ => honest(client, asked),
    }
}

fn clock_skew(client: &mut TcpStream, asked: &Asked) -> io::Result<()> {
    let answer = asked.right_answer(client)?;
    let text = String::from_utf8_lossy(&answer[..answer.len().min(2000)]).into_owned();
    let date = text
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("date:"));
    let Some(place) = date.and_then(|date| text.find(date).map(|place| place..place + date.len()))
    else {
        return client.write_all(&answer);
    };
    client.write_all(&answer[..place.start])?;
    client.write_all(b"date: Fri, 31 Dec 2049 23:59:59 GMT")?;
    client.write_all(&answer[place.end..])
}

fn put_off(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(
        client,
        "HTTP/1.1 503 Later\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"
    )
}

fn key_unknown(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    let body = r#"{"code":"UnrecognizedClientException","message":"?","type":"Client"}"#;
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn forbidding(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(client, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
}

fn empty_objects(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    json(client, b"{}")
}

fn always_500(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    write!(
        client,
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
    )
}

pub(crate) fn closing(client: &mut TcpStream, _: &Asked) -> io::Result<()> {
    client.shutdown(Shutdown::Both)
}
