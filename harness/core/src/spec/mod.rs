//! What the service offers: operations, their parameters, bodies, statuses and errors.

mod circle;
mod document;
mod foreign;
mod lint;
mod locate;
mod note;
mod operation;
#[cfg(any(test, feature = "properties"))]
pub mod properties;
mod reader;
mod schema;
mod survey;
mod template;

use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::Serialize;

pub use document::Format;
pub use foreign::{Definition, Resolver};
pub use lint::{LintReport, lint};
pub use note::{Note, Severity};
pub use operation::{
    BodyKind, Location, Operation, OperationName, Paging, Parameter, ResponseHeader,
    UnknownOperation,
};
pub use schema::{Additional, JsonType, Pattern, Schema, SchemaViolation};
pub use template::{Segment, UriTemplate};

/// The text of the built-in specification.
pub const BUILTIN: &str = include_str!("../../specs/glacier/openapi.yaml");

/// The operations that a document defines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// What it is called, such as `glacier-2012-06-01`.
    pub name: String,
    /// What it was read from: `sha256:` and 64 hex digits.
    pub digest: String,
    /// The operations, in the order of the document.
    pub operations: IndexMap<OperationName, Operation>,
    /// Whether others wrote the document; its operations are then the built-in ones of the same name.
    pub foreign: bool,
    /// What a foreign document says that did not take part, and what it does not say.
    pub dropped: Vec<Note>,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Its text is not what it should be.
    #[error("read {document}{}: {text}", line.map(|line| format!(":{line}")).unwrap_or_default())]
    Unread {
        /// The document.
        document: String,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        text: String,
    },
    /// An entry that cannot be honoured.
    #[error("read {document}:{line}: {text} at {}", if pointer.is_empty() { "/" } else { pointer })]
    Entry {
        /// The document.
        document: String,
        /// The line, from 1.
        line: usize,
        /// The JSON pointer (RFC 6901) to the entry.
        pointer: String,
        /// What is wrong.
        text: String,
    },
}

impl Spec {
    /// Returns the specification that is compiled in: all 33 operations.
    ///
    /// ```
    /// use crevasse_core::spec::{OperationName, Spec};
    /// let (operation, path) = Spec::builtin().match_route("GET", "/-/vaults/photos/jobs", "limit=5").unwrap();
    /// assert_eq!(operation.name, OperationName::ListJobs);
    /// assert_eq!(path["vaultName"], "photos");
    /// ```
    pub fn builtin() -> &'static Self {
        static SPEC: OnceLock<Spec> = OnceLock::new();
        SPEC.get_or_init(|| {
            Self::parse_strict(BUILTIN).expect("the specification that is compiled in is sound")
        })
    }

    /// Reads an OpenAPI 3.1 document in the dialect of the built-in one.
    ///
    /// # Errors
    /// Every entry that this suite could not enforce, with its line and pointer: an unknown keyword, a pattern that does
    /// not compile, a parameter that the path does not name, a `$ref` that leads nowhere or in a circle.
    pub fn parse_strict(text: &str) -> Result<Self, SpecError> {
        let document = document::Document::read("openapi.yaml", text)?;
        reader::spec(&document, digest(&[text]))
    }

    /// Reads a document that others wrote: OpenAPI 3, Swagger 2.0 or an APIs.json index of such, as YAML or JSON, also
    /// between `---` lines of a Markdown file. Operations are recognised by method and URI, the names of parameters and
    /// the case of letters aside, and judged by the built-in semantics.
    ///
    /// `resolver` finds the text of a document that an index links to, by the last segment of the link.
    ///
    /// # Errors
    /// A text that is no such document: too large, cut short, of another kind, or without any operation of this
    /// service. Lesser faults are noted in `dropped`.
    pub fn load_foreign(name: &str, text: &str, resolver: Resolver<'_>) -> Result<Self, SpecError> {
        let loaded = foreign::load(name, text, resolver)?;
        if loaded.definitions.is_empty() {
            return Err(SpecError::Unread {
                document: name.to_owned(),
                line: None,
                text: "no operation of this service is defined".to_owned(),
            });
        }
        Ok(loaded.into_spec(name))
    }

    /// Finds the operation that a request asks for and the values in its path, percent-decoded once.
    /// `path` and `query` are as sent; `method` compares with case (RFC 9110, 9.1).
    pub fn match_route(
        &self,
        method: &str,
        path: &str,
        query: &str,
    ) -> Option<(&Operation, IndexMap<String, String>)> {
        let candidates = self
            .operations
            .values()
            .filter(|operation| operation.method == method);
        let matches = candidates
            .filter_map(|operation| Some((operation, operation.uri.matches(path, query)?)));
        matches.max_by_key(|(operation, values)| {
            (operation.uri.query().len(), std::cmp::Reverse(values.len()))
        })
    }
}

/// Identifies texts: `sha256:` and 64 hex digits.
pub(crate) fn digest(texts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let hex = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests;
