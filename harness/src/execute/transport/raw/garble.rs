//! Heads that are damaged, and still ask for what they asked for: whoever takes one has to do just that.
//! The request line stays, so that nothing else is touched, and so do the fields that give the body its length.

/// Ways of damage.
type Way = fn(&str, &mut Vec<u8>);

const WAYS: [Way; 12] = [
    |_, fields| fields.extend(b"a line that is no field\r\n"),
    |_, fields| fields.extend(b"x-damage : a space before the colon\r\n"),
    |_, fields| fields.extend(b"x-damage: \x00\x01\x7f\r\n"),
    |_, fields| fields.extend("x-damage: \u{e4}\u{f6}\u{20ac}\r\n".as_bytes()),
    |_, fields| fields.extend(b"x-damage: \xff\xfe\xc3\r\n"),
    |_, fields| fields.extend(b": a field without a name\r\n"),
    |_, fields| fields.extend(b"x-damage: folded\r\n over two lines\r\n"),
    |_, fields| *fields = String::from_utf8_lossy(fields).replace("\r\n", "\n").into(),
    |_, fields| fields.extend(format!("x-damage: {}\r\n", "x".repeat(48 << 10)).bytes()),
    |_, fields| fields.extend((0..400).flat_map(|n| format!("x-damage-{n}: {n}\r\n").into_bytes())),
    |length, fields| fields.extend(format!("{length}\r\n").bytes()),
    |_, fields| fields.extend(b"host: second.invalid\r\n"),
];

/// A head, ended by an empty line, damaged in one of the ways.
pub(super) fn garbled(head: &[u8], way: u64) -> Vec<u8> {
    let text = String::from_utf8_lossy(head);
    let (line, fields) = text.split_once("\r\n").unwrap_or((&text, ""));
    let fields = fields.strip_suffix("\r\n").unwrap_or(fields);
    let is_length = |field: &&str| field.to_ascii_lowercase().starts_with("content-length:");
    let length = fields.split("\r\n").find(is_length);
    let mut damaged = fields.as_bytes().to_vec();
    WAYS[(way % WAYS.len() as u64) as usize](length.unwrap_or("content-length: 0"), &mut damaged);
    [line.as_bytes(), b"\r\n", &damaged, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "PUT /-/vaults/v HTTP/1.1\r\nhost: a\r\nContent-Length: 3\r\n\r\n";

    #[test]
    fn every_way_damages_and_leaves_the_request_line() {
        for way in 0..WAYS.len() as u64 {
            let damaged = garbled(HEAD.as_bytes(), way);
            assert_ne!(damaged, HEAD.as_bytes(), "{way}");
            assert!(
                damaged.starts_with(b"PUT /-/vaults/v HTTP/1.1\r\n"),
                "{way}"
            );
            assert!(
                damaged.ends_with(b"\r\n\r\n") || damaged.ends_with(b"\n\r\n"),
                "{way}"
            );
        }
    }

    #[test]
    fn the_length_is_said_twice_and_the_same() {
        let damaged = String::from_utf8(garbled(HEAD.as_bytes(), 10)).unwrap();
        assert_eq!(damaged.matches("Content-Length: 3\r\n").count(), 2);
    }
}
