//! The three ways Glacier writes a time: ISO 8601 in bodies, ISO 8601 basic in signatures, IMF-fixdate in `Date`.
//! Refuses to know what time it is: that is for whoever holds a clock.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A point in time, UTC, in milliseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use crevasse_core::amz_date::Timestamp;
/// let t: Timestamp = "2017-02-10T12:00:00.250Z".parse().unwrap();
/// assert_eq!(t.iso(), "2017-02-10T12:00:00.250Z");
/// assert_eq!(t.basic(), "20170210T120000Z");
/// assert_eq!(t.http(), "Fri, 10 Feb 2017 12:00:00 GMT");
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Writes `YYYY-MM-DDThh:mm:ss.sssZ`, as Glacier bodies do.
    pub fn iso(self) -> String {
        self.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
    }

    /// Writes `YYYY-MM-DDThh:mm:ssZ`, as Glacier inventories do.
    pub fn iso_seconds(self) -> String {
        self.strftime("%Y-%m-%dT%H:%M:%SZ")
    }

    /// Writes `YYYYMMDDThhmmssZ`, the form of `x-amz-date`.
    pub fn basic(self) -> String {
        self.strftime("%Y%m%dT%H%M%SZ")
    }

    /// Writes an IMF-fixdate (RFC 9110, 5.6.7), the form of `Date`.
    pub fn http(self) -> String {
        self.strftime("%a, %d %b %Y %H:%M:%S GMT")
    }

    /// Reads `YYYYMMDDThhmmssZ`.
    pub fn parse_basic(text: &str) -> Option<Self> {
        civil("%Y%m%dT%H%M%SZ", text)
    }

    /// Reads a `Date` header in any of the three forms of RFC 9110, 5.6.7 (the full dates of RFC 2616, 3.3.1).
    pub fn parse_http(text: &str) -> Option<Self> {
        [
            "%a, %d %b %Y %H:%M:%S GMT",
            "%A, %d-%b-%y %H:%M:%S GMT",
            "%a %b %e %H:%M:%S %Y",
        ]
        .iter()
        .find_map(|format| civil(format, text))
    }

    /// Reads what an answer tells: a date and time of ISO 8601, in UTC by `Z` or by an offset of zero (COM-DATE-001 demands UTC; that
    /// it is written as `Z` is a SHOULD, COM-DATE-002 that there are milliseconds).
    pub fn parse_utc(text: &str) -> Option<Self> {
        const ZONES: [&str; 7] = ["Z", "+00:00", "-00:00", "+0000", "-0000", "+00", "-00"];
        let time = ZONES.iter().find_map(|zone| text.strip_suffix(zone))?;
        let whole = time.contains('T').then(|| format!("{time}Z"))?;
        let time: jiff::Timestamp = whole.parse().ok()?;
        Some(Self(time.as_millisecond()))
    }

    /// The same time, later by this many milliseconds.
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The same time without its fraction of a second.
    pub fn whole_seconds(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// One calendar month later; a day the next month lacks becomes that month's last day (api-ListProvisionedCapacity).
    pub fn plus_month(self) -> Self {
        let civil = self.civil();
        let later = civil
            .checked_add(jiff::Span::new().months(1))
            .unwrap_or(civil);
        later
            .to_zoned(TimeZone::UTC)
            .map_or(self, |z| Self(z.timestamp().as_millisecond()))
    }

    fn civil(self) -> DateTime {
        jiff::Timestamp::from_millisecond(self.0)
            .unwrap_or_default()
            .to_zoned(TimeZone::UTC)
            .datetime()
    }

    fn strftime(self, format: &str) -> String {
        self.civil().strftime(format).to_string()
    }
}

fn civil(format: &str, text: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime(format, text).ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// Says why a text is not an ISO 8601 UTC time of the form Glacier documents.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("read `{0}` as an ISO 8601 UTC time (YYYY-MM-DDThh:mm:ss[.sss]Z)")]
pub struct NotATime(String);

impl FromStr for Timestamp {
    type Err = NotATime;

    /// Reads `YYYY-MM-DDThh:mm:ss[.fraction]Z`.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let shaped = text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z');
        shaped
            .then(|| text.parse::<jiff::Timestamp>().ok())
            .flatten()
            .map(|t| Self(t.as_millisecond()))
            .ok_or_else(|| NotATime(text.to_owned()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_bought_on_the_31st_expires_on_the_last_day_of_the_next_month() {
        let bought: Timestamp = "2019-01-31T10:00:00Z".parse().unwrap();
        assert_eq!(bought.plus_month().iso(), "2019-02-28T10:00:00.000Z");
    }

    #[test]
    fn the_date_header_of_the_guide_is_read() {
        let t = Timestamp::parse_http("Wed, 10 Feb 2016 12:00:00 GMT").unwrap();
        assert_eq!(t.iso_seconds(), "2016-02-10T12:00:00Z");
        assert!(Timestamp::parse_http("2016-02-10").is_none());
    }

    #[test]
    fn an_answer_may_tell_utc_by_an_offset_of_zero() {
        let told = Timestamp::parse_utc("2016-02-10T12:00:00.5+00:00");
        assert_eq!(told, "2016-02-10T12:00:00.5Z".parse().ok());
        for same in [
            "2016-02-10T12:00:00.500Z",
            "2016-02-10T12:00:00.5+0000",
            "2016-02-10T12:00:00.5-00",
            "20160210T120000,5Z",
        ] {
            assert_eq!(Timestamp::parse_utc(same), told, "{same}");
        }
        assert!(Timestamp::parse_utc("2016-02-10T12:00Z").is_some());
        for other in [
            "2016-02-10T12:00:00+01:00",
            "2016-02-10 12:00:00Z",
            "2016-02-30T12:00:00Z",
            "2016-02-10",
            "Z",
        ] {
            assert_eq!(Timestamp::parse_utc(other), None, "{other}");
        }
    }

    #[test]
    fn a_local_time_is_not_a_utc_time() {
        assert!("2016-02-10T12:00:00+01:00".parse::<Timestamp>().is_err());
        assert!("2016-02-10 12:00:00Z".parse::<Timestamp>().is_err());
    }
}
