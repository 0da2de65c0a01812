//! The formats a report is written in, by name.

use std::fmt;
use std::str::FromStr;

use crevasse_core::nearest::nearest;

use super::document::Report;
use super::{badge, html, junit, markdown, sarif};

/// A format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The document itself, version 1.
    Json,
    /// One page that needs nothing else.
    Html,
    /// JUnit XML as Jenkins reads it.
    Junit,
    /// Markdown for a CI step summary.
    Markdown,
    /// SARIF 2.1.0.
    Sarif,
    /// An SVG badge.
    Badge,
    /// One line of text, for a vendor's README.
    Line,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Json,
        Self::Html,
        Self::Junit,
        Self::Markdown,
        Self::Sarif,
        Self::Badge,
        Self::Line,
    ];

    /// Its name, as `--report` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Sarif => "sarif",
            Self::Badge => "badge",
            Self::Line => "line",
        }
    }

    /// The name of its file in a directory of reports.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Json => "report.json",
            Self::Html => "report.html",
            Self::Junit => "junit.xml",
            Self::Markdown => "report.md",
            Self::Sarif => "report.sarif",
            Self::Badge => "badge.svg",
            Self::Line => "line.txt",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFormat {
    /// And one has a name like it.
    #[error("find a report format named {0:?}: did you mean {1}?")]
    Near(String, &'static str),
    /// And none has a name like it.
    #[error(
        "find a report format named {0:?}: there are json, html, junit, markdown, sarif, badge and line"
    )]
    Far(String),
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        if let Some(format) = Self::ALL.into_iter().find(|format| format.as_str() == text) {
            return Ok(format);
        }
        Err(match nearest(text, Self::ALL.map(Self::as_str)) {
            Some(near) => UnknownFormat::Near(text.to_owned(), near),
            None => UnknownFormat::Far(text.to_owned()),
        })
    }
}

/// Writes a report in a format. The same report gives the same bytes.
///
/// # Panics
/// Never on a report that [`serde`] read: its parts are texts, numbers and lists of them.
pub fn write(report: &Report, format: Format) -> String {
    match format {
        Format::Json => report.to_json(),
        Format::Html => html::render(report),
        Format::Junit => junit::render(report),
        Format::Markdown => markdown::render(report),
        Format::Sarif => sarif::render(report),
        Format::Badge => badge::render(report),
        Format::Line => badge::one_line(report) + "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest() {
        let wrong = |text: &str| text.parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            wrong("makrdown"),
            "find a report format named \"makrdown\": did you mean markdown?"
        );
        assert!(wrong("spreadsheet").ends_with("badge and line"));
    }

    #[test]
    fn no_format_lets_a_secret_or_an_escape_sequence_out() {
        let report = sample::report();
        for format in Format::ALL {
            let text = write(&report, format);
            assert!(!text.contains('\u{1b}'), "{format}");
            assert!(
                format == Format::Json || !text.contains("SECRET"),
                "{format}"
            );
            let markup = matches!(format, Format::Html | Format::Junit | Format::Badge);
            assert!(!markup || !text.contains("<script>alert"), "{format}");
        }
    }

    #[test]
    fn the_document_reads_back() {
        let report = sample::report();
        assert_eq!(
            serde_json::from_str::<Report>(&write(&report, Format::Json)).unwrap(),
            report
        );
    }
}
