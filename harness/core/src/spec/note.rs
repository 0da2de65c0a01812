//! What there is to say about a foreign document.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::document::Node;

/// No more notes than this are taken of one load.
const MOST_NOTES: usize = 1_000;

/// What kind of remark a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document says what the service does not do.
    Wrong,
    /// The document says nothing of what the service does.
    Silent,
    /// What the document says has no bearing and was left out.
    Ignored,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Wrong => "wrong",
            Self::Silent => "silent",
            Self::Ignored => "ignored",
        })
    }
}

/// A remark on an entry of a foreign document. Nothing that was noted took part in what was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Note {
    /// What kind of remark it is.
    pub severity: Severity,
    /// The kind of entry, in words joined by hyphens: `status-invented`.
    pub rule: &'static str,
    /// The document.
    pub document: String,
    /// The JSON pointer (RFC 6901) to the entry.
    pub pointer: String,
    /// The line of the entry, from 1, as near as the layout of the document lets on.
    pub line: usize,
    /// The remark.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            severity,
            rule,
            document,
            line,
            text,
            ..
        } = self;
        write!(f, "{document}:{line}: {severity}: {text} [{rule}]")
    }
}

/// The notes of one load, each once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// By document, pointer and rule.
    taken: IndexMap<(String, String, &'static str), Note>,
}

impl Notes {
    pub(super) fn wrong(&mut self, node: &Node<'_>, rule: &'static str, text: impl Into<String>) {
        self.take(Severity::Wrong, node, rule, text.into());
    }

    pub(super) fn silent(&mut self, node: &Node<'_>, rule: &'static str, text: impl Into<String>) {
        self.take(Severity::Silent, node, rule, text.into());
    }

    pub(super) fn ignored(&mut self, node: &Node<'_>, rule: &'static str, text: impl Into<String>) {
        self.take(Severity::Ignored, node, rule, text.into());
    }

    fn take(&mut self, severity: Severity, node: &Node<'_>, rule: &'static str, text: String) {
        let (severity, rule, text) = match self.taken.len() {
            0..MOST_NOTES => (severity, rule, text),
            MOST_NOTES => (
                Severity::Ignored,
                "notes-omitted",
                "there is more to say than is listed".to_owned(),
            ),
            _ => return,
        };
        let note = self
            .taken
            .entry((node.document().name.to_owned(), node.pointer.clone(), rule));
        note.or_insert_with(|| node.note(severity, rule, text));
    }

    pub(super) fn into_vec(self) -> Vec<Note> {
        self.taken.into_values().collect()
    }
}
