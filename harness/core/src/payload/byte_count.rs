//! Numbers of bytes as people write them: `6.5 MiB`, `1 MiB + 1`, `512`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes.
///
/// Text is a sum of terms, each a decimal number with an optional unit `B`, `KiB`, `MiB`, `GiB` or `TiB`.
/// `MB` and its like are refused: the guide means 1,048,576 bytes by it, the rest of the world 1,000,000.
///
/// ```
/// use crevasse_core::payload::ByteCount;
///
/// assert_eq!("6.5 MiB".parse(), Ok(ByteCount(6_815_744)));
/// assert_eq!("4 GiB - 1".parse(), Ok(ByteCount(4_294_967_295)));
/// assert_eq!(ByteCount(1_048_577).to_string(), "1 MiB + 1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteCount(pub u64);

/// Says why a text is no number of bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseByteCountError {
    /// A term is not a decimal number and a unit.
    #[error("read {0:?} as a number of bytes: write 512, 6.5 MiB or 1 MiB + 1")]
    Term(String),
    /// A fraction of a byte, less than nothing, or more than 64 bits hold.
    #[error("read {0:?} as a number of bytes: it is not a whole number that fits 64 bits")]
    Value(String),
}

const UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Distance from a round number up to which it is named.
const NEAR: u64 = 64;

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match round(self.0).or_else(|| nearly_round(self.0)) {
            Some(text) => f.pad(&text),
            None => f.pad(&self.0.to_string()),
        }
    }
}

/// Writes a whole number of quarters of the largest unit that allows it.
fn round(bytes: u64) -> Option<String> {
    let (name, unit) = UNITS
        .into_iter()
        .filter(|(_, unit)| *unit > 1)
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(unit / 4))?;
    let quarter = ["", ".25", ".5", ".75"][(bytes % unit / (unit / 4)) as usize];
    Some(format!("{}{quarter} {name}", bytes / unit))
}

/// Writes a round number of at least a mebibyte, and what it is off by.
fn nearly_round(bytes: u64) -> Option<String> {
    let off = |by: u64| {
        let (below, above) = (bytes.checked_sub(by)?, bytes.checked_add(by)?);
        let large =
            |bytes| round(bytes).filter(|_| bytes >= 1 << 20 && bytes.is_multiple_of(1 << 18));
        large(below)
            .map(|text| format!("{text} + {by}"))
            .or_else(|| large(above).map(|text| format!("{text} - {by}")))
    };
    (1..=NEAR).find_map(off)
}

impl FromStr for ByteCount {
    type Err = ParseByteCountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut total: i128 = 0;
        let mut rest = text;
        let mut sign = 1;
        loop {
            let end = rest.find(['+', '-']).unwrap_or(rest.len());
            let (term, tail) = rest.split_at(end);
            total += sign * term_value(term)?;
            let Some(operator) = tail.chars().next() else {
                break;
            };
            sign = if operator == '+' { 1 } else { -1 };
            rest = &tail[1..];
        }
        let value = || ParseByteCountError::Value(text.to_owned());
        total.try_into().map(Self).map_err(|_| value())
    }
}

fn term_value(term: &str) -> Result<i128, ParseByteCountError> {
    let term = term.trim();
    let malformed = || ParseByteCountError::Term(term.to_owned());
    let (number, name) = term.split_at(
        term.find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(term.len()),
    );
    let unit = match name.trim_start() {
        "" => 1,
        name => UNITS
            .into_iter()
            .find_map(|(known, unit)| (known == name).then_some(unit))
            .ok_or_else(malformed)?,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| text.parse::<u64>().map_err(|_| malformed());
    let scale = 10_u128
        .checked_pow(fraction.len() as u32)
        .filter(|scale| *scale < 1 << 64)
        .ok_or_else(malformed)?;
    let part = u128::from(digits(fraction)?) * u128::from(unit);
    if !part.is_multiple_of(scale) {
        return Err(ParseByteCountError::Value(term.to_owned()));
    }
    let bytes = u128::from(digits(whole)?) * u128::from(unit) + part / scale;
    Ok(bytes as i128)
}

impl Serialize for ByteCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        match text.parse::<u64>() {
            Ok(bytes) => serializer.serialize_u64(bytes),
            Err(_) => serializer.serialize_str(&text),
        }
    }
}

impl<'de> Deserialize<'de> for ByteCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = ByteCount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes such as 512, 6.5 MiB or 1 MiB + 1")
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteCount, E> {
        Ok(ByteCount(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteCount, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers_are_written_with_their_unit() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1 KiB"),
            (1025, "1025"),
            (1_048_575, "1 MiB - 1"),
            (1_048_576, "1 MiB"),
            (1_048_577, "1 MiB + 1"),
            (3_100_000, "3100000"),
            (6_815_744, "6.5 MiB"),
            (11_534_353, "11 MiB + 17"),
            (1_342_177_280, "1.25 GiB"),
            (43_980_465_111_040, "40 TiB"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(ByteCount(bytes).to_string(), text);
            assert_eq!(text.parse(), Ok(ByteCount(bytes)));
        }
    }

    #[test]
    fn terms_add_up() {
        for (text, bytes) in [
            ("1MiB+1KiB-1", 1_049_599),
            (" 2 GiB  - 1 MiB ", 2_146_435_072),
            ("0.000244140625 MiB", 256),
            ("12 B", 12),
            ("007", 7),
            ("16777216 TiB - 1", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(ByteCount(bytes)), "{text:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_or_no_number_is_refused() {
        for text in [
            "",
            " ",
            "MiB",
            "1 MB",
            "1 mib",
            "1 M",
            "-1",
            "1 MiB +",
            "1..5 KiB",
            ".5 KiB",
            "5. KiB",
            "0x10",
            "1e6",
            "1_000",
            "1,000",
            "1 KiB KiB",
        ] {
            let error = text.parse::<ByteCount>().unwrap_err();
            assert!(matches!(error, ParseByteCountError::Term(_)), "{text:?}");
        }
        for text in ["0.1 MiB", "1.5", "1 - 2", "16777216 TiB"] {
            let error = text.parse::<ByteCount>().unwrap_err();
            assert!(matches!(error, ParseByteCountError::Value(_)), "{text:?}");
        }
    }

    #[test]
    fn numbers_and_texts_are_read_and_the_shorter_way_is_written() {
        for (yaml, bytes) in [
            ("512\n", 512),
            ("6.5 MiB\n", 6_815_744),
            ("1 MiB + 1\n", 1_048_577),
        ] {
            assert_eq!(
                serde_yaml::from_str::<ByteCount>(yaml).unwrap(),
                ByteCount(bytes)
            );
            assert_eq!(serde_yaml::to_string(&ByteCount(bytes)).unwrap(), yaml);
        }
        assert!(serde_yaml::from_str::<ByteCount>("-5").is_err());
        assert!(serde_yaml::from_str::<ByteCount>("1.5").is_err());
    }
}
