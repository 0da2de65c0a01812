//! Where the body of an answer ends: RFC 9112, section 6.3, without forgiving.

use crevasse_core::wire::Headers;

/// Bytes of a chunk's size line, and of all trailers, at most.
const LINE: usize = 4096;

/// Takes bytes off the wire and passes on those of the body.
#[derive(Debug)]
pub(super) struct Unframe(State);

#[derive(Debug)]
enum State {
    /// So many bytes are still to come.
    Length(u64),
    /// Everything until the connection is closed.
    UntilClose,
    /// The size line of a chunk, as far as it came.
    Size(Vec<u8>),
    /// So many bytes of the chunk are still to come.
    Chunk(u64),
    /// The line break after a chunk, of which so many bytes are still to come.
    AfterChunk(u8),
    /// The line of a trailer as far as it came, and the bytes of trailers before it.
    Trailer(Vec<u8>, usize),
    /// There is no body; bytes that came with the head are none of the protocol, and are passed on to be seen.
    NoBody,
    /// Over.
    Ended,
}

/// How far a body is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is over.
    Ended,
    /// More must come.
    Wanting,
}

/// What is wrong with a body's frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// The connection was closed before the body had ended.
    Short,
    /// The frame itself is broken.
    Framing(&'static str),
}

impl Unframe {
    /// A body of no bytes.
    pub(super) fn nothing() -> Self {
        Self(State::Ended)
    }

    /// Tells from an answer's head how its body ends.
    pub(super) fn of(method: &str, status: u16, headers: &Headers) -> Result<Self, Damage> {
        if status == 204 {
            return Ok(Self(State::NoBody));
        }
        if method == "HEAD" || matches!(status, 100..200 | 304) {
            return Ok(Self::nothing());
        }
        let mut lengths = headers
            .values("content-length")
            .flat_map(|value| value.split(','))
            .map(str::trim);
        let length = lengths.next();
        let codings: Vec<&str> = headers.values("transfer-encoding").collect();
        match (codings.as_slice(), length) {
            ([], None) => Ok(Self(State::UntilClose)),
            ([], Some(first)) if lengths.all(|other| other == first) => match digits(first, 10) {
                Some(0) => Ok(Self(State::NoBody)),
                Some(length) => Ok(Self(State::Length(length))),
                None => Err(Damage::Framing("Content-Length is not a number")),
            },
            ([], Some(_)) => Err(Damage::Framing("two different Content-Length values")),
            (_, Some(_)) => Err(Damage::Framing("both Content-Length and Transfer-Encoding")),
            ([coding], None) if coding.trim().eq_ignore_ascii_case("chunked") => {
                Ok(Self(State::Size(Vec::new())))
            }
            _ => Err(Damage::Framing("a Transfer-Encoding other than chunked")),
        }
    }

    /// Takes what came. Bytes after the end of a body are not looked at.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        pass: &mut dyn FnMut(&[u8]),
    ) -> Result<Progress, Damage> {
        while !bytes.is_empty() && !matches!(self.0, State::Ended) {
            bytes = self.step(bytes, pass)?;
        }
        Ok(if matches!(self.0, State::Ended | State::NoBody) {
            Progress::Ended
        } else {
            Progress::Wanting
        })
    }

    /// The connection was closed.
    pub(super) fn close(&self) -> Result<(), Damage> {
        match self.0 {
            State::UntilClose | State::NoBody | State::Ended => Ok(()),
            _ => Err(Damage::Short),
        }
    }

    /// Takes some of the bytes, at least one, and returns the rest.
    fn step<'a>(
        &mut self,
        bytes: &'a [u8],
        pass: &mut dyn FnMut(&[u8]),
    ) -> Result<&'a [u8], Damage> {
        let (next, rest) = match std::mem::replace(&mut self.0, State::Ended) {
            State::Ended => (State::Ended, &bytes[bytes.len()..]),
            whole @ (State::UntilClose | State::NoBody) => {
                pass(bytes);
                (whole, &bytes[bytes.len()..])
            }
            State::Length(left) => {
                let (left, rest) = passed(left, bytes, pass);
                (
                    if left == 0 {
                        State::Ended
                    } else {
                        State::Length(left)
                    },
                    rest,
                )
            }
            State::Chunk(left) => {
                let (left, rest) = passed(left, bytes, pass);
                (
                    if left == 0 {
                        State::AfterChunk(2)
                    } else {
                        State::Chunk(left)
                    },
                    rest,
                )
            }
            State::AfterChunk(left) => (after_chunk(left, bytes[0])?, &bytes[1..]),
            State::Size(mut line) => {
                let rest = gather(&mut line, bytes)?;
                (
                    if line.ends_with(b"\n") {
                        chunk_of(&line)?
                    } else {
                        State::Size(line)
                    },
                    rest,
                )
            }
            State::Trailer(mut line, before) => {
                let rest = gather(&mut line, bytes)?;
                (trailer(line, before)?, rest)
            }
        };
        self.0 = next;
        Ok(rest)
    }
}

fn passed<'a>(left: u64, bytes: &'a [u8], pass: &mut dyn FnMut(&[u8])) -> (u64, &'a [u8]) {
    let (now, rest) = bytes.split_at(left.min(bytes.len() as u64) as usize);
    pass(now);
    (left - now.len() as u64, rest)
}

fn after_chunk(left: u8, byte: u8) -> Result<State, Damage> {
    match (left, byte) {
        (2, b'\r') => Ok(State::AfterChunk(1)),
        (1, b'\n') => Ok(State::Size(Vec::new())),
        _ => Err(Damage::Framing("a chunk is longer than its size")),
    }
}

/// Appends to a line up to and with its line feed.
fn gather<'a>(line: &mut Vec<u8>, bytes: &'a [u8]) -> Result<&'a [u8], Damage> {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| at + 1);
    line.extend_from_slice(&bytes[..end]);
    if line.len() > LINE {
        return Err(Damage::Framing("a line between chunks exceeds 4 KiB"));
    }
    Ok(&bytes[end..])
}

fn chunk_of(line: &[u8]) -> Result<State, Damage> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let size = text.split(';').next().unwrap_or_default().trim();
    match digits(size, 16) {
        Some(0) => Ok(State::Trailer(Vec::new(), 0)),
        Some(size) => Ok(State::Chunk(size)),
        None => Err(Damage::Framing(
            "the size of a chunk is not a hexadecimal number",
        )),
    }
}

fn trailer(line: Vec<u8>, before: usize) -> Result<State, Damage> {
    match line.as_slice() {
        b"\r\n" | b"\n" => Ok(State::Ended),
        ended if ended.ends_with(b"\n") && before + ended.len() > LINE => {
            Err(Damage::Framing("trailers exceed 4 KiB"))
        }
        ended if ended.ends_with(b"\n") => Ok(State::Trailer(Vec::new(), before + ended.len())),
        _ => Ok(State::Trailer(line, before)),
    }
}

/// Reads digits and nothing else: no sign, no space.
fn digits(text: &str, radix: u32) -> Option<u64> {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    u64::from_str_radix(text, radix).ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&str, &str)]) -> Result<Unframe, Damage> {
        let headers = Headers(
            fields
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        );
        Unframe::of("GET", 200, &headers)
    }

    /// Feeds byte by byte, the hardest way.
    fn body(unframe: &mut Unframe, bytes: &[u8]) -> (Result<Progress, Damage>, Vec<u8>) {
        let mut seen = Vec::new();
        let mut progress = Ok(Progress::Wanting);
        for byte in bytes {
            progress = unframe.feed(&[*byte], &mut |bytes| seen.extend_from_slice(bytes));
            if progress != Ok(Progress::Wanting) {
                break;
            }
        }
        (progress, seen)
    }

    #[test]
    fn the_chunked_example_of_rfc_9112_is_read() {
        let mut unframe = of(&[("Transfer-Encoding", "chunked")]).unwrap();
        let wire = b"4\r\nWiki\r\n7;ext=1\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\nX: y\r\n\r\n";
        let (progress, seen) = body(&mut unframe, wire);
        assert_eq!(
            (progress, seen.as_slice()),
            (Ok(Progress::Ended), &b"Wikipedia in \r\nchunks."[..])
        );
    }

    #[test]
    fn bytes_after_a_head_without_body_are_seen() {
        let headers = Headers(vec![("content-length".to_owned(), "0".to_owned())]);
        for status in [201, 204] {
            let mut unframe = Unframe::of("POST", status, &headers).unwrap();
            let mut seen = Vec::new();
            let progress = unframe.feed(b"{}", &mut |bytes| seen.extend_from_slice(bytes));
            assert_eq!(
                (progress, seen.as_slice()),
                (Ok(Progress::Ended), &b"{}"[..])
            );
        }
    }

    #[test]
    fn a_body_that_stops_early_is_short_and_one_without_length_ends_with_the_connection() {
        let mut counted = of(&[("content-length", "5")]).unwrap();
        assert_eq!(body(&mut counted, b"abc").0, Ok(Progress::Wanting));
        assert_eq!(counted.close(), Err(Damage::Short));
        let mut open = of(&[]).unwrap();
        assert_eq!(body(&mut open, b"abc").0, Ok(Progress::Wanting));
        assert_eq!(open.close(), Ok(()));
    }

    #[test]
    fn damaged_frames_are_told_and_not_guessed() {
        for fields in [
            &[("content-length", "5"), ("content-length", "6")][..],
            &[("content-length", "+5")],
            &[("content-length", "-1")],
            &[("content-length", "5"), ("transfer-encoding", "chunked")],
            &[("transfer-encoding", "gzip")],
        ] {
            assert!(matches!(of(fields), Err(Damage::Framing(_))), "{fields:?}");
        }
        for wire in [
            &b"zz\r\n"[..],
            b"1\r\nabc",
            b"ffffffffffffffffff\r\n",
            b"\r\n",
        ] {
            let mut unframe = of(&[("transfer-encoding", "chunked")]).unwrap();
            assert!(
                matches!(body(&mut unframe, wire).0, Err(Damage::Framing(_))),
                "{wire:?}"
            );
        }
        assert!(of(&[("content-length", "5, 5")]).is_ok());
    }

    #[test]
    fn an_endless_size_line_is_cut() {
        let mut unframe = of(&[("transfer-encoding", "chunked")]).unwrap();
        let progress = unframe.feed(&[b'1'; 5000], &mut |_| {});
        assert!(matches!(progress, Err(Damage::Framing(_))));
    }

    #[test]
    fn answers_that_have_no_body_end_at_once() {
        let headers = Headers(vec![("content-length".to_owned(), "5".to_owned())]);
        for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304)] {
            let unframe = Unframe::of(method, status, &headers).unwrap();
            assert_eq!(unframe.close(), Ok(()));
        }
    }
}
