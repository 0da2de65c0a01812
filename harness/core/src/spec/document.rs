//! A document as a tree whose nodes know where they stand; YAML or JSON, alone or between `---` lines of a Markdown file.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::foreign::Definition;
use super::locate::Lines;
use super::note::{Note, Severity};
use super::{OperationName, SpecError};
use crate::yaml::{self, YamlError};

/// How many `$ref`s may lead from one to the next.
const LONGEST_CHAIN: usize = 16;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Format {
    /// OpenAPI 3.0.
    #[serde(rename = "OpenAPI 3.0")]
    OpenApi30,
    /// OpenAPI 3.1 and later.
    #[serde(rename = "OpenAPI 3.1")]
    OpenApi31,
    /// Swagger 2.0.
    #[serde(rename = "Swagger 2.0")]
    Swagger20,
    /// An index of APIs after APIs.json.
    #[serde(rename = "APIs.json")]
    ApisJson,
}

impl Format {
    fn of(root: &Value) -> Option<Self> {
        let version = |key: &str| root.get(key).map(plain);
        match (version("openapi").as_deref(), version("swagger").as_deref()) {
            (Some(version), _) if version == "3.0" || version.starts_with("3.0.") => {
                Some(Self::OpenApi30)
            }
            (Some(version), _) if version.starts_with("3.") => Some(Self::OpenApi31),
            (None, Some("2.0" | "2")) => Some(Self::Swagger20),
            (None, None) if root.get("apis").is_some_and(Value::is_array) => Some(Self::ApisJson),
            _ => None,
        }
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A document that was read.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) name: &'a str,
    pub(crate) format: Format,
    lines: Lines<'a>,
    lines_before: usize,
    root: Value,
}

impl<'a> Document<'a> {
    /// Reads the text of a document.
    pub(crate) fn read(name: &'a str, text: &'a str) -> Result<Self, SpecError> {
        let (lines_before, text) = matter(text.strip_prefix('\u{feff}').unwrap_or(text));
        let unread = |error: YamlError| SpecError::Unread {
            document: name.to_owned(),
            line: error.at.map(|(line, _)| line + lines_before),
            text: error.text,
        };
        let root = tree(text).map_err(unread)?;
        let format = Format::of(&root).ok_or_else(|| SpecError::Unread {
            document: name.to_owned(),
            line: None,
            text: "neither OpenAPI 3, Swagger 2.0 nor an APIs.json index".to_owned(),
        })?;
        Ok(Self {
            name,
            format,
            lines: Lines::of(text),
            lines_before,
            root,
        })
    }

    /// The outermost node.
    pub(crate) fn root(&self) -> Node<'_> {
        Node {
            document: self,
            pointer: String::new(),
            value: &self.root,
        }
    }

    /// Takes out the `$ref`s of the nodes at these places.
    pub(super) fn drop_references(&mut self, places: &BTreeSet<String>) {
        for place in places {
            let node = self.root.pointer_mut(place);
            if let Some(Value::Object(members)) = node {
                members.shift_remove("$ref");
            }
        }
    }

    /// The line in the file where the value under `pointer` begins, from 1, as near as its layout lets on.
    pub(crate) fn line(&self, pointer: &str) -> usize {
        self.lines.line(pointer) + self.lines_before
    }
}

fn tree(text: &str) -> Result<Value, YamlError> {
    if !text.trim_start().starts_with('{') {
        return yaml::tree(text);
    }
    yaml::json(text).or_else(|error| yaml::tree(text).map_err(|_| error))
}

/// Cuts the document out of a Markdown file, where it stands between `---` lines; tells how many lines come before it.
fn matter(text: &str) -> (usize, &str) {
    let mut fences = Vec::new();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            fences.push((number, start, start + line.len()));
        }
        start += line.len();
    }
    let Some((number, before, begin)) = fences.first() else {
        return (0, text);
    };
    let prose = |line: &str| !line.trim().is_empty() && !line.starts_with(['#', '%']);
    let front = !text[..*before].lines().any(prose);
    match fences.get(1) {
        Some((_, end, _)) => (number + 1, &text[*begin..*end]),
        None if front => (number + 1, &text[*begin..]),
        None => (0, text),
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    document: &'a Document<'a>,
    pub(crate) pointer: String,
    pub(crate) value: &'a Value,
}

impl<'a> Node<'a> {
    pub(crate) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// A remark on this node.
    pub(crate) fn note(&self, severity: Severity, rule: &'static str, text: String) -> Note {
        Note {
            severity,
            rule,
            document: self.document.name.to_owned(),
            pointer: self.pointer.clone(),
            line: self.document.line(&self.pointer),
            text,
        }
    }

    /// The definition of an operation that stands here.
    pub(crate) fn definition(&self, operation: OperationName) -> Definition {
        Definition {
            operation,
            document: self.document.name.to_owned(),
            pointer: self.pointer.clone(),
            line: self.document.line(&self.pointer),
        }
    }

    fn at(&self, token: &str, value: &'a Value) -> Self {
        Self {
            document: self.document,
            pointer: format!("{}/{}", self.pointer, escape(token)),
            value,
        }
    }

    /// The node under a pointer from here; this node where nothing is.
    pub(crate) fn below(&self, pointer: &str) -> Self {
        let found = self.value.pointer(pointer).map(|value| Self {
            document: self.document,
            pointer: format!("{}{pointer}", self.pointer),
            value,
        });
        found.unwrap_or_else(|| self.clone())
    }

    /// A member of an object.
    pub(crate) fn member(&self, key: &str) -> Option<Self> {
        self.value
            .as_object()?
            .get(key)
            .map(|value| self.at(key, value))
    }

    /// The members of an object; none for anything else.
    pub(crate) fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members
            .map(|(key, value)| (key.as_str(), self.at(key, value)))
            .collect()
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> Vec<Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items
            .map(|(index, value)| self.at(&index.to_string(), value))
            .collect()
    }

    /// The text of a member.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }

    /// An error at this node.
    pub(crate) fn wrong(&self, text: impl Into<String>) -> SpecError {
        SpecError::Entry {
            document: self.document.name.to_owned(),
            line: self.document.line(&self.pointer),
            pointer: self.pointer.clone(),
            text: text.into(),
        }
    }

    /// Follows `$ref`s within the document to what they stand for; a node that is none stands for itself.
    pub(crate) fn resolved(&self) -> Result<Self, SpecError> {
        let mut node = self.clone();
        for _ in 0..LONGEST_CHAIN {
            let Some(target) = node.text("$ref") else {
                return Ok(node);
            };
            let pointer = target.strip_prefix('#').ok_or_else(|| {
                node.wrong(format!(
                    "a $ref to {target:?}, which is not in this document"
                ))
            })?;
            let pointer = percent_encoding::percent_decode_str(pointer)
                .decode_utf8_lossy()
                .into_owned();
            let value = self.document.root.pointer(&pointer);
            let value = value
                .ok_or_else(|| node.wrong(format!("a $ref to {target:?}, where nothing is")))?;
            node = Self {
                document: self.document,
                pointer,
                value,
            };
        }
        Err(self.wrong("a chain of $refs that does not end"))
    }
}

/// Writes a token of a JSON pointer (RFC 6901, section 3).
pub(crate) fn escape(token: &str) -> Cow<'_, str> {
    if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_may_stand_between_lines_of_a_markdown_file() {
        let body = "openapi: 3.1.0\npaths: {}\n";
        for text in [
            body.to_owned(),
            format!("---\n{body}"),
            format!("---\n{body}---"),
            format!("# A comment\n---\n{body}---\n"),
            format!("# Title\n\nWords.\n\n---\n{body}---\nmore words: [\n"),
            "{\"openapi\": \"3.1.0\",\n\t\"paths\": {}}".to_owned(),
            format!("\u{feff}{body}"),
        ] {
            let document = Document::read("a.md", &text).unwrap();
            assert_eq!(document.format, Format::OpenApi31);
            let line = text
                .lines()
                .position(|line| line.contains("paths"))
                .unwrap()
                + 1;
            assert_eq!(document.line("/paths"), line, "{text}");
        }
    }

    #[test]
    fn the_format_is_told_by_its_version_member() {
        let format = |text: &str| {
            Document::read("a", text)
                .map(|document| document.format)
                .ok()
        };
        assert_eq!(format("openapi: 3.0.0"), Some(Format::OpenApi30));
        assert_eq!(format("swagger: '2.0'"), Some(Format::Swagger20));
        assert_eq!(format("swagger: 2.0"), Some(Format::Swagger20));
        assert_eq!(format("name: x\napis: []"), Some(Format::ApisJson));
        for other in ["", "x", "[]", "openapi: 4.0.0", "openapi: 3", "apis: {}"] {
            assert_eq!(format(other), None, "{other}");
        }
    }

    #[test]
    fn an_error_counts_the_lines_before_the_document() {
        let error = Document::read("a.md", "Title\n---\nopenapi: 3.1.0\nx: @\n---\n").unwrap_err();
        assert!(error.to_string().contains("a.md:4"), "{error}");
    }

    #[test]
    fn references_are_followed_within_bounds() {
        let text = "openapi: 3.1.0\na: {$ref: '#/b~1c'}\nb/c: {x: 1}\nd: {$ref: '#/d'}\ne: {$ref: 'other.yaml'}\nf: {$ref: '#/g'}\n";
        let document = Document::read("a", text).unwrap();
        let follow = |key| document.root().member(key).unwrap().resolved();
        assert_eq!(follow("a").unwrap().pointer, "/b~1c");
        for wrong in ["d", "e", "f"] {
            let error = follow(wrong).unwrap_err().to_string();
            assert!(error.contains("$ref"), "{error}");
        }
    }
}
