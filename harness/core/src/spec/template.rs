//! The URI of an operation: literal segments, named ones, and a query that tells operations apart.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A text that stands as it is.
    Literal(String),
    /// A parameter, by name.
    Parameter(String),
}

/// A path such as `/{accountId}/vaults/{vaultName}/tags?operation=add`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriTemplate {
    text: String,
    segments: Vec<Segment>,
    query: Vec<(String, String)>,
}

impl UriTemplate {
    /// Reads a template. The query may be written after `?`, or after `#` as some converters do.
    ///
    /// # Errors
    /// A path that is not absolute, or a segment that is neither a literal nor `{name}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, query) = text.split_once(['?', '#']).unwrap_or((text, ""));
        let segments = path
            .strip_prefix('/')
            .ok_or("a path that does not begin with /")?;
        let segments = segments.split('/').map(segment).collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            segments,
            query: pairs(query),
        })
    }

    /// Spells the template as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments of the path, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The query that a request must carry to be this operation, decoded.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Names the parameters in the path, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// Matches the path and query of a request and returns the values in the path, percent-decoded once.
    /// A value is never empty; slashes are neither added, removed nor merged.
    pub fn matches(&self, path: &str, query: &str) -> Option<IndexMap<String, String>> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let sent = pairs(query);
        if parts.len() != self.segments.len() || !self.query.iter().all(|pair| sent.contains(pair))
        {
            return None;
        }
        let mut values = IndexMap::new();
        for (segment, part) in self.segments.iter().zip(parts) {
            match segment {
                Segment::Literal(text) => (decode(part) == *text).then_some(())?,
                Segment::Parameter(name) if !part.is_empty() => {
                    values.insert(name.clone(), decode(part).into_owned());
                }
                Segment::Parameter(_) => return None,
            }
        }
        Some(values)
    }

    /// Tells whether both are the same URI, the names of parameters and the case of letters aside.
    pub fn resembles(&self, other: &Self) -> bool {
        let alike = |pair: (&Segment, &Segment)| match pair {
            (Segment::Literal(a), Segment::Literal(b)) => a.eq_ignore_ascii_case(b),
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            _ => false,
        };
        self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(alike)
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for UriTemplate {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

fn segment(text: &str) -> Result<Segment, String> {
    let name = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    match name {
        Some(name) if !name.is_empty() && !name.contains(['{', '}']) => {
            Ok(Segment::Parameter(name.to_owned()))
        }
        None if !text.contains(['{', '}']) => Ok(Segment::Literal(text.to_owned())),
        _ => Err(format!(
            "a segment {text:?} that is neither a literal nor one parameter"
        )),
    }
}

/// Splits a query into names and values, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let text = |text: &str| decode(&text.replace('+', " ")).into_owned();
        (text(name), text(value))
    };
    parts.map(pair).collect()
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> UriTemplate {
        UriTemplate::parse(text).unwrap()
    }

    #[test]
    fn values_are_decoded_once() {
        let vault = template("/{accountId}/vaults/{vaultName}");
        let values = vault.matches("/-/vaults/a%2Fb%2520c", "x=y").unwrap();
        assert_eq!(values["vaultName"], "a/b%20c");
        assert_eq!(values["accountId"], "-");
    }

    #[test]
    fn a_path_matches_segment_by_segment() {
        let vault = template("/{accountId}/vaults/{vaultName}");
        for path in [
            "/-/vaults",
            "/-/vaults/",
            "/-/vaults/a/",
            "//vaults/a",
            "/-/Vaults/a",
            "-/vaults/a",
            "",
        ] {
            assert_eq!(vault.matches(path, ""), None, "{path}");
        }
    }

    #[test]
    fn a_literal_query_must_be_sent() {
        let add = template("/{accountId}/vaults/{vaultName}/tags?operation=add");
        assert!(
            add.matches("/-/vaults/a/tags", "x=1&operation=add")
                .is_some()
        );
        assert!(add.matches("/-/vaults/a/tags", "operation=%61dd").is_some());
        for query in ["", "operation=remove", "operation", "Operation=add"] {
            assert_eq!(add.matches("/-/vaults/a/tags", query), None, "{query}");
        }
    }

    #[test]
    fn names_and_case_do_not_tell_templates_apart() {
        let ours = template("/{accountId}/vaults/{vaultName}/tags?operation=add");
        assert!(ours.resembles(&template("/{AccountID}/Vaults/{name}/tags#operation=add")));
        assert!(!ours.resembles(&template("/{accountId}/vaults/{vaultName}/jobs")));
        assert!(!ours.resembles(&template("/{accountId}/vaults/fixed/tags")));
        assert_eq!(
            ours.parameters().collect::<Vec<_>>(),
            ["accountId", "vaultName"]
        );
    }

    #[test]
    fn other_templates_are_refused() {
        for text in ["", "Synta", "/a{b}", "/{}", "/{a}{b}", "/{a"] {
            assert!(UriTemplate::parse(text).is_err(), "{text}");
        }
    }
}
