//! The filter language of `-E`: which requirements are meant.
//!
//! ```text
//! filter := and ( ('|' | 'or') and )*      and := not ( ('&' | 'and') not )*      not := ('!' | 'not')* atom
//! atom   := '(' filter ')' | 'all' | WORD '(' VALUE ')' | ID          VALUE may hold * for any characters
//! WORD   := op | level | topic | evidence | probe | id | verdict
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::glob;
use crate::nearest::nearest;
use crate::requirement::{Evidence, Level, Registry, Requirement, RequirementId};
use crate::spec::OperationName;

/// A choice of requirements.
///
/// ```
/// use crevasse_core::{filter::Filter, requirement::Registry};
/// let filter: Filter = "op(InitiateJob) & level(must) & !id(IJ-TIER-*)".parse().unwrap();
/// let chosen = Registry::builtin().iter().filter(|r| filter.selects(r, &Default::default())).count();
/// assert!(chosen > 10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    All,
    Op(OperationName),
    Level(Level),
    Topic(String),
    Evidence(Evidence),
    Probe(String),
    Id(String),
    Verdict(String),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// Verdicts of an earlier report by requirement, for `verdict(…)`.
pub type Verdicts = BTreeMap<RequirementId, String>;

/// Says where a filter cannot be understood, and what is near.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("understand the filter at character {at}: {what}")]
pub struct FilterError {
    /// The character, from 1.
    pub at: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Filter {
    /// The filter that selects everything.
    pub fn all() -> Self {
        Self(Node::All)
    }

    /// Whether a requirement is meant.
    pub fn selects(&self, requirement: &Requirement, verdicts: &Verdicts) -> bool {
        self.0.selects(requirement, verdicts)
    }

    /// Whether it asks for the verdicts of an earlier report.
    pub fn needs_verdicts(&self) -> bool {
        self.0.needs_verdicts()
    }
}

impl Node {
    fn selects(&self, requirement: &Requirement, verdicts: &Verdicts) -> bool {
        match self {
            Self::All => true,
            Self::Op(name) => requirement.concerns(*name),
            Self::Level(level) => requirement.level == *level,
            Self::Topic(topic) => requirement.topic == *topic,
            Self::Evidence(evidence) => requirement.evidence.contains(evidence),
            Self::Probe(probe) => requirement.probe.to_string() == *probe,
            Self::Id(pattern) => matches_pattern(pattern, requirement.id.as_str()),
            Self::Verdict(verdict) => verdicts.get(&requirement.id) == Some(verdict),
            Self::Not(node) => !node.selects(requirement, verdicts),
            Self::And(nodes) => nodes.iter().all(|node| node.selects(requirement, verdicts)),
            Self::Or(nodes) => nodes.iter().any(|node| node.selects(requirement, verdicts)),
        }
    }

    fn needs_verdicts(&self) -> bool {
        match self {
            Self::Verdict(_) => true,
            Self::Not(node) => node.needs_verdicts(),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(Self::needs_verdicts),
            _ => false,
        }
    }
}

/// `*` stands for any characters; case counts for nothing.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    glob::matches(&pattern.to_ascii_uppercase(), &text.to_ascii_uppercase())
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        let node = parser.or()?;
        match parser.peek() {
            None => Ok(Self(node)),
            Some(c) => {
                Err(parser.error(format!("`{c}` is not expected here; join terms by & or |")))
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.and()?];
        while self.eat("|") || self.eat_word("or") {
            nodes.push(self.and()?);
        }
        Ok(if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::Or(nodes)
        })
    }

    fn and(&mut self) -> Result<Node, FilterError> {
        let mut nodes = vec![self.not()?];
        while self.eat("&") || self.eat_word("and") {
            nodes.push(self.not()?);
        }
        Ok(if nodes.len() == 1 {
            nodes.remove(0)
        } else {
            Node::And(nodes)
        })
    }

    fn not(&mut self) -> Result<Node, FilterError> {
        self.depth += 1;
        if self.depth > 64 {
            return Err(self.error("nested too deeply".to_owned()));
        }
        let node = if self.eat("!") || self.eat_word("not") {
            Node::Not(Box::new(self.not()?))
        } else {
            self.atom()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node, FilterError> {
        if self.eat("(") {
            let node = self.or()?;
            return if self.eat(")") {
                Ok(node)
            } else {
                Err(self.error("`)` expected".to_owned()))
            };
        }
        let word = self.word();
        if word.is_empty() {
            return Err(
                self.error("a term such as op(InitiateJob) or GJO-RANGE-003 expected".to_owned())
            );
        }
        if !self.eat("(") {
            return if word == "all" {
                Ok(Node::All)
            } else {
                self.id(&word)
            };
        }
        let value = self.word();
        if !self.eat(")") {
            return Err(self.error("`)` expected".to_owned()));
        }
        self.term(&word, &value)
    }

    fn term(&self, word: &str, value: &str) -> Result<Node, FilterError> {
        match word {
            "op" => self.operation(value),
            "level" => value
                .parse()
                .map(Node::Level)
                .map_err(|_| self.unknown("level", value, &["must", "should", "may"])),
            "topic" => self.topic(value),
            "evidence" => self.evidence(value),
            "probe" => self.one_of("probe", value, PROBES).map(Node::Probe),
            "id" => self.id(value),
            "verdict" => self.one_of("verdict", value, VERDICTS).map(Node::Verdict),
            other => Err(self.unknown(
                "term",
                other,
                &["op", "level", "topic", "evidence", "probe", "id", "verdict"],
            )),
        }
    }

    fn operation(&self, value: &str) -> Result<Node, FilterError> {
        let names = OperationName::ALL.map(OperationName::as_str);
        let found = OperationName::ALL
            .into_iter()
            .find(|name| name.as_str().eq_ignore_ascii_case(value));
        found
            .map(Node::Op)
            .ok_or_else(|| self.unknown("operation", value, &names))
    }

    fn topic(&self, value: &str) -> Result<Node, FilterError> {
        let topics: BTreeSet<&str> = Registry::builtin()
            .iter()
            .map(|r| r.topic.as_str())
            .collect();
        let topics: Vec<&str> = topics.into_iter().collect();
        self.one_of("topic", value, &topics).map(Node::Topic)
    }

    fn evidence(&self, value: &str) -> Result<Node, FilterError> {
        let all = [
            Evidence::Guide,
            Evidence::Model,
            Evidence::Observed,
            Evidence::Inferred,
        ];
        let found = all
            .into_iter()
            .find(|evidence| evidence.to_string() == value);
        found.map(Node::Evidence).ok_or_else(|| {
            self.unknown(
                "evidence",
                value,
                &["guide", "model", "observed", "inferred"],
            )
        })
    }

    fn id(&self, value: &str) -> Result<Node, FilterError> {
        let registry = Registry::builtin();
        if registry
            .iter()
            .any(|known| matches_pattern(value, known.id.as_str()))
        {
            return Ok(Node::Id(value.to_owned()));
        }
        let near = registry
            .nearest(value)
            .map(|id| format!("; did you mean {id}?"))
            .unwrap_or_default();
        Err(self.error(format!("no requirement is called {value}{near}")))
    }

    fn one_of(&self, kind: &str, value: &str, known: &[&str]) -> Result<String, FilterError> {
        known
            .contains(&value)
            .then(|| value.to_owned())
            .ok_or_else(|| self.unknown(kind, value, known))
    }

    fn unknown(&self, kind: &str, value: &str, known: &[&str]) -> FilterError {
        let near = nearest(value, known.iter().copied())
            .map_or(".".to_owned(), |near| format!("; did you mean {near}?"));
        self.error(format!(
            "no {kind} is called `{value}`{near} There are: {}",
            known.join(", ")
        ))
    }

    fn peek(&mut self) -> Option<char> {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest.chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        self.peek();
        let found = self.text[self.at..].starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.peek();
        let rest = &self.text[self.at..];
        let found = rest
            .strip_prefix(word)
            .is_some_and(|after| !after.starts_with(is_word));
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn word(&mut self) -> String {
        self.peek();
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn error(&self, what: String) -> FilterError {
        FilterError {
            at: self.text[..self.at].chars().count() + 1,
            what,
        }
    }
}

const PROBES: &[&str] = &[
    "direct", "job", "state", "auth", "external", "clock", "large",
];
const VERDICTS: &[&str] = &[
    "conforms",
    "deviates",
    "waived",
    "unsupported",
    "inconclusive",
    "untested",
];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '*' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Vec<&'static str> {
        let filter: Filter = text.parse().unwrap();
        let verdicts = Verdicts::from([(RequirementId::of("CV-IDEM-002"), "deviates".to_owned())]);
        let registry = Registry::builtin().iter();
        registry
            .filter(|r| filter.selects(r, &verdicts))
            .map(|r| r.id.as_str())
            .collect()
    }

    #[test]
    fn terms_join_by_and_or_and_not_with_the_usual_strength() {
        assert_eq!(
            chosen("CV-IDEM-001 | CV-IDEM-002 & level(may)"),
            ["CV-IDEM-001"]
        );
        assert_eq!(
            chosen("(CV-IDEM-001 or CV-IDEM-002) and not level(may)"),
            ["CV-IDEM-001", "CV-IDEM-002"]
        );
        assert_eq!(chosen("verdict(deviates)"), ["CV-IDEM-002"]);
        assert_eq!(chosen("all").len(), Registry::builtin().len());
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        assert_eq!(chosen("id(cv-idem-*)"), ["CV-IDEM-001", "CV-IDEM-002"]);
        assert_eq!(
            chosen("id(CV-*-002)").len(),
            chosen("id(CV-*)")
                .iter()
                .filter(|id| id.ends_with("002"))
                .count()
        );
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_place_and_the_nearest_word() {
        let error = "op(InitateJob)".parse::<Filter>().unwrap_err();
        assert!(error.what.contains("did you mean InitiateJob?"), "{error}");
        let error = "topic(zzzzzzzzzz)".parse::<Filter>().unwrap_err();
        assert!(error.what.contains("`zzzzzzzzzz`. There are: "), "{error}");
        assert_eq!(error.what.matches("errors").count(), 1, "{error}");
        let error = "level(must) level(may)".parse::<Filter>().unwrap_err();
        assert_eq!(error.at, 13);
        for text in [
            "",
            "(",
            "op(",
            "!",
            "op()",
            "GJO-RANGE-999",
            "ä(ö)",
            &"!".repeat(1000),
        ] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }
}
