//! Thirty-two bytes of SHA-256, written as 64 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A SHA-256 or tree hash. Text is 64 hexadecimal digits: written in lower case, read in either.
///
/// ```
/// use crevasse_core::treehash::{Digest, sha256};
///
/// let text = "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b";
/// let digest: Digest = text.to_uppercase().parse()?;
/// assert_eq!(digest, sha256(b"\n"));
/// assert_eq!(digest.to_string(), text);
/// # Ok::<(), crevasse_core::treehash::ParseDigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// Says that a text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read a SHA-256 digest: 64 hexadecimal digits are expected")]
pub struct ParseDigestError;

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
        let text: String = self
            .0
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect();
        f.pad(&text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return Err(ParseDigestError);
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = nibble(digits[0])? << 4 | nibble(digits[1])?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Result<u8, ParseDigestError> {
    let value = char::from(digit).to_digit(16).ok_or(ParseDigestError)?;
    Ok(value as u8)
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_64_hexadecimal_digits_is_no_digest() {
        let good = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(good.parse::<Digest>().is_ok());
        for bad in [
            "",
            &good[1..],
            &format!("{good}0"),
            &good.replace('e', "g"),
            &good.replacen("e3", "+3", 1),
            &format!(" {}", &good[1..]),
            &good.replacen("e3", "\u{e9}", 1),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(ParseDigestError), "{bad:?}");
        }
    }

    #[test]
    fn a_digest_is_a_string_in_json() {
        let text = format!("\"{}\"", "0a".repeat(32));
        let digest: Digest = serde_json::from_str(&text).unwrap();
        assert_eq!(digest, Digest([10; 32]));
        assert_eq!(serde_json::to_string(&digest).unwrap(), text);
        assert!(serde_json::from_str::<Digest>("\"0a\"").is_err());
    }
}
