//! What a foreign document defines, what it gets wrong, and what no document of its kind can say.

use serde::Serialize;

use super::document::Format;
use super::foreign::{self, Definition, Resolver};
use super::note::{Note, Severity};
use super::{OperationName, SpecError};

/// What no description of this API can say, whatever its format.
const BEYOND_ANY: [&str; 9] = [
    "that a tree hash is the hash of the bytes it came with, whole, in parts or in a range",
    "that a range starts and ends on a mebibyte, or at the end of the archive",
    "that a part fits the part size its upload began with",
    "that a job goes from InProgress to Succeeded or Failed, and its output is there only then",
    "that a list, walked by its markers, shows every item once",
    "that repeating a request changes nothing, or makes another archive",
    "that what was deleted is gone and what was stored is still there",
    "which cause leads to which error code",
    "that the account in the path is the one that signed",
];
/// What OpenAPI of either generation cannot say.
const BEYOND_OPENAPI: [&str; 2] = [
    "two operations with one method and path, told apart by a query",
    "when a response header that is not always there must be there",
];
/// What Swagger 2.0 cannot say besides.
const BEYOND_SWAGGER: [&str; 2] = [
    "a member that is null",
    "a response that is bytes, CSV or JSON after one schema",
];

/// What is to be said about a foreign document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintReport {
    /// The document.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// The operations it defines, in its order.
    pub defines: Vec<Definition>,
    /// The operations it does not define.
    pub lacks: Vec<OperationName>,
    /// Where it is wrong, where it is silent, and what was ignored.
    pub notes: Vec<Note>,
    /// What a document of its kind cannot say of this API.
    pub inexpressible: Vec<&'static str>,
}

impl LintReport {
    /// Goes through the notes of one severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Note> {
        self.notes
            .iter()
            .filter(move |note| note.severity == severity)
    }
}

/// Examines a document that others wrote, and those it links to if it is an index.
///
/// `resolver` finds the text of a linked document by the last segment of its link.
///
/// # Errors
/// A text that is no such document at all: too large, cut short, or of another kind.
pub fn lint(name: &str, text: &str, resolver: Resolver<'_>) -> Result<LintReport, SpecError> {
    let loaded = foreign::load(name, text, resolver)?;
    let lacks = OperationName::ALL
        .into_iter()
        .filter(|name| !loaded.definitions.contains_key(name));
    Ok(LintReport {
        name: name.to_owned(),
        format: loaded.format,
        lacks: lacks.collect(),
        defines: loaded.definitions.into_values().collect(),
        notes: loaded.notes,
        inexpressible: inexpressible(loaded.format),
    })
}

fn inexpressible(format: Format) -> Vec<&'static str> {
    let swagger = matches!(format, Format::Swagger20 | Format::ApisJson);
    let mut list = [&BEYOND_ANY[..], &BEYOND_OPENAPI].concat();
    list.extend(BEYOND_SWAGGER.iter().filter(|_| swagger));
    list
}
