//! The registry of requirements: what a conforming service does, how firmly the documents say so, and where.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::nearest::nearest;
use crate::spec::OperationName;
use crate::yaml::{self, YamlError};

const REQUIREMENTS: &str = include_str!("../specs/glacier/requirements.yaml");
const AMBIGUITIES: &str = include_str!("../specs/glacier/ambiguities.yaml");
const UNTESTED: &str = include_str!("../specs/glacier/untested.yaml");

/// The stable name of a requirement, such as `GJO-RANGE-003`; never reused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequirementId(Cow<'static, str>);

impl RequirementId {
    /// Names a requirement in a constant.
    ///
    /// ```
    /// use crevasse_core::requirement::RequirementId;
    /// const RANGE: RequirementId = RequirementId::of("GJO-RANGE-003");
    /// assert_eq!(RANGE.to_string(), "GJO-RANGE-003");
    /// ```
    ///
    /// # Panics
    /// If `id` is not of the form of a requirement id.
    pub const fn of(id: &'static str) -> Self {
        assert!(is_id(id), "a requirement id has the form GJO-RANGE-003");
        Self(Cow::Borrowed(id))
    }

    /// Spells the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Upper-case letters, digits and single hyphens, and three digits at the end.
const fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut digits) = (0, 0);
    let mut before = b'-';
    while at < bytes.len() {
        match bytes[at] {
            b'0'..=b'9' => digits += 1,
            b'A'..=b'Z' => digits = 0,
            b'-' if before != b'-' => digits = 0,
            _ => return false,
        }
        before = bytes[at];
        at += 1;
    }
    digits == 3 && at > 4 && bytes[at - 4] == b'-'
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that cannot be a requirement id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a requirement id, which has the form GJO-RANGE-003")]
pub struct MalformedId(pub String);

impl FromStr for RequirementId {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for RequirementId {
    type Error = MalformedId;

    fn try_from(text: String) -> Result<Self, MalformedId> {
        if is_id(&text) {
            Ok(Self(Cow::Owned(text)))
        } else {
            Err(MalformedId(text))
        }
    }
}

impl From<RequirementId> for String {
    fn from(id: RequirementId) -> Self {
        id.0.into_owned()
    }
}

/// How firmly the documents state a requirement; the strongest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// A permission: any outcome it allows conforms.
    May,
    /// Expected, and a warning where it is not so.
    Should,
    /// Demanded: a deviation fails the run.
    Must,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        })
    }
}

/// What a level may be spelt as: `MUST`, `SHOULD`, `MAY`, in any case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a level, which is must, should or may")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let levels = [Self::Must, Self::Should, Self::May];
        let named = levels
            .into_iter()
            .find(|level| level.to_string().eq_ignore_ascii_case(text));
        named.ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

/// Where a requirement is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// The developer guide.
    Guide,
    /// The service model that Amazon's SDKs are made from.
    Model,
    /// What the real service was publicly seen to do.
    Observed,
    /// What follows from context only.
    Inferred,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Guide => "guide",
            Self::Model => "model",
            Self::Observed => "observed",
            Self::Inferred => "inferred",
        })
    }
}

/// What it takes to decide a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// A request and its answer.
    Direct,
    /// A job that reached a state.
    Job,
    /// State inside the service: an inventory run, a second region, an overload.
    State,
    /// Enforced signatures and accounts.
    Auth,
    /// A notification or storage service beside it.
    External,
    /// Hours, or a clock to turn.
    Clock,
    /// More than 50 MiB, or many resources.
    Large,
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Direct => "direct",
            Self::Job => "job",
            Self::State => "state",
            Self::Auth => "auth",
            Self::External => "external",
            Self::Clock => "clock",
            Self::Large => "large",
        })
    }
}

/// One rule that a test can decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its stable name.
    pub id: RequirementId,
    /// The operations it speaks of; empty means every one.
    pub operations: Vec<OperationName>,
    /// The group it is listed under, such as `get-job-output`.
    pub topic: String,
    /// How firmly the documents state it.
    pub level: Level,
    /// Where it is known from.
    pub evidence: Vec<Evidence>,
    /// What it takes to decide it.
    pub probe: Probe,
    /// The rule.
    pub statement: String,
    /// How a test may decide it.
    pub how_to_test: String,
    /// The page, and where on it.
    pub source: String,
    /// The ids of the ambiguities that bear on it.
    #[serde(default)]
    pub ambiguity: Vec<String>,
    /// How it is graded where documents disagree: the text of those ambiguities.
    #[serde(skip)]
    pub grading: Option<String>,
    /// The line in `requirements.yaml` where it begins, from 1.
    #[serde(skip)]
    pub line: usize,
}

impl Requirement {
    /// Tells whether a deviation from it may be held against a target: never where it is only inferred, or a permission.
    pub fn can_fail(&self) -> bool {
        let inferred = self.evidence.iter().all(|seen| *seen == Evidence::Inferred);
        !inferred && self.level > Level::May
    }

    /// Tells whether it speaks of `operation`.
    pub fn concerns(&self, operation: OperationName) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }
}

/// Where documents contradict each other or say nothing, and how that is graded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ambiguity {
    /// Its stable name, such as `AMB-04`.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// Which outcomes pass, in a sentence or two.
    pub grading: String,
}

/// Why a registry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Not the YAML that was wanted.
    #[error("read the registry: {0}")]
    Yaml(#[from] YamlError),
    /// An entry that contradicts another, or itself.
    #[error("read the registry: {text} at line {line}")]
    Entry {
        /// What is wrong.
        text: String,
        /// Where the entry begins, from 1.
        line: usize,
    },
}

/// Returns the requirements that no run is sure to decide, each with the reason.
///
/// ```
/// use crevasse_core::requirement::{RequirementId, untested};
/// assert!(untested()[&RequirementId::of("CVL-EXP-001")].contains("24 hours"));
/// ```
pub fn untested() -> &'static BTreeMap<RequirementId, String> {
    static REASONS: OnceLock<BTreeMap<RequirementId, String>> = OnceLock::new();
    REASONS.get_or_init(|| {
        yaml::parse(UNTESTED).expect("the reasons that are compiled in are well-formed")
    })
}

/// All requirements, in the order of their file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    requirements: IndexMap<RequirementId, Requirement>,
    ambiguities: IndexMap<String, Ambiguity>,
    digest: String,
}

impl Registry {
    /// Returns the registry that is compiled in.
    ///
    /// ```
    /// use crevasse_core::requirement::{Level, Registry};
    /// let rule = Registry::builtin().get("GJO-RANGE-001").unwrap();
    /// assert_eq!(rule.level, Level::Must);
    /// ```
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Registry> = OnceLock::new();
        BUILTIN.get_or_init(|| {
            Self::parse(REQUIREMENTS, AMBIGUITIES)
                .expect("the registry that is compiled in is sound")
        })
    }

    /// Reads a registry: its requirements, and the ambiguities they refer to.
    ///
    /// # Errors
    /// Unknown members, levels or operations, an id that stands twice, a requirement without an operation that exists,
    /// and a reference to no ambiguity, each with its line.
    pub fn parse(requirements: &str, ambiguities: &str) -> Result<Self, RegistryError> {
        let mut registry = Self {
            requirements: IndexMap::new(),
            ambiguities: IndexMap::new(),
            digest: crate::spec::digest(&[requirements, ambiguities]),
        };
        for ambiguity in yaml::parse::<Vec<Ambiguity>>(ambiguities)? {
            registry.ambiguities.insert(ambiguity.id.clone(), ambiguity);
        }
        let entries = yaml::parse::<Vec<Requirement>>(requirements)?;
        for (requirement, line) in entries.into_iter().zip(entry_lines(requirements)) {
            registry.admit(requirement, line)?;
        }
        Ok(registry)
    }

    fn admit(&mut self, mut requirement: Requirement, line: usize) -> Result<(), RegistryError> {
        let wrong = |text: String| RegistryError::Entry { text, line };
        let id = requirement.id.clone();
        let mut grading = Vec::new();
        for name in &requirement.ambiguity {
            let ambiguity = self.ambiguities.get(name);
            let ambiguity = ambiguity
                .ok_or_else(|| wrong(format!("{id} refers to {name}, which is not there")))?;
            grading.push(ambiguity.grading.as_str());
        }
        if requirement.evidence.is_empty() {
            return Err(wrong(format!("{id} has no evidence")));
        }
        requirement.grading = Some(grading.join(" ")).filter(|text| !text.is_empty());
        requirement.line = line;
        match self.requirements.insert(id.clone(), requirement) {
            None => Ok(()),
            Some(_) => Err(wrong(format!("{id} stands twice"))),
        }
    }

    /// Looks a requirement up by its id.
    pub fn get(&self, id: impl AsRef<str>) -> Option<&Requirement> {
        self.requirements.get(id.as_ref())
    }

    /// A requirement's own level; a MAY for what is not in here, since nobody is held to it.
    pub fn level(&self, id: impl AsRef<str>) -> Level {
        self.get(id).map_or(Level::May, |known| known.level)
    }

    /// Looks an ambiguity up by its id, such as `AMB-04`.
    pub fn ambiguity(&self, id: &str) -> Option<&Ambiguity> {
        self.ambiguities.get(id)
    }

    /// Goes through the requirements in the order of their file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Requirement> {
        self.requirements.values()
    }

    /// Counts the requirements.
    pub fn len(&self) -> usize {
        self.requirements.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Finds the id that `text` was probably meant to be, if one is near: "did you mean …?"
    pub fn nearest(&self, text: &str) -> Option<&RequirementId> {
        let id = nearest(
            &text.to_ascii_uppercase(),
            self.requirements.keys().map(RequirementId::as_str),
        )?;
        self.requirements.get_key_value(id).map(|(id, _)| id)
    }

    /// Identifies the texts this was read from: `sha256:` and 64 hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl AsRef<str> for RequirementId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for RequirementId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The lines, from 1, on which the items of the outermost list begin.
fn entry_lines(text: &str) -> impl Iterator<Item = usize> {
    let items = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("- "));
    items.map(|(line, _)| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "\
- id: XX-A-001
  operations: [CreateVault]
  topic: vaults
  level: MUST
  evidence: [guide]
  probe: direct
  statement: s
  how_to_test: h
  source: p
";

    fn refusal(from: &str, to: &str) -> String {
        Registry::parse(&ENTRY.replace(from, to), "[]")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_registry_holds_522_requirements_in_file_order() {
        let registry = Registry::builtin();
        assert_eq!(registry.len(), 522);
        assert!(
            registry
                .iter()
                .is_sorted_by_key(|requirement| requirement.line)
        );
        assert_eq!(registry.iter().next().unwrap().id.as_str(), "COM-HDR-001");
    }

    #[test]
    fn a_line_points_at_its_entry() {
        let lines: Vec<&str> = REQUIREMENTS.lines().collect();
        for requirement in Registry::builtin().iter() {
            assert_eq!(
                lines[requirement.line - 1],
                format!("- id: {}", requirement.id)
            );
        }
    }

    #[test]
    fn every_ambiguity_has_its_grading_joined() {
        let registry = Registry::builtin();
        let status = registry.get("DJ-STATUS-001").unwrap();
        let [ambiguity] = &status.ambiguity[..] else {
            panic!("one ambiguity")
        };
        assert_eq!(
            status.grading.as_ref(),
            Some(&registry.ambiguity(ambiguity).unwrap().grading)
        );
        let graded = registry
            .iter()
            .filter(|requirement| requirement.grading.is_some());
        assert_eq!(graded.count(), 204);
    }

    #[test]
    fn inferred_rules_and_permissions_cannot_fail_anybody() {
        let answers = [
            ("COM-HDR-001", true),      // MUST, guide and observed
            ("CMU-HDR-002", true),      // SHOULD, model
            ("DV-NONEMPTY-002", true),  // SHOULD, observed
            ("COM-PAGE-005", false),    // SHOULD, but inferred
            ("DV-POLICY-002", false),   // SHOULD, but inferred
            ("DV-NONEMPTY-003", false), // MAY, guide and observed
            ("COM-PAGE-007", false),    // MAY, and inferred
        ];
        for (id, can_fail) in answers {
            let requirement = Registry::builtin().get(id).expect(id);
            assert_eq!(requirement.can_fail(), can_fail, "{id}");
        }
    }

    #[test]
    fn must_is_the_strongest_level() {
        assert!(Level::Must > Level::Should && Level::Should > Level::May);
        assert_eq!("must".parse(), Ok(Level::Must));
        assert_eq!(Level::Should.to_string(), "SHOULD");
        assert!("shall".parse::<Level>().is_err());
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_with_its_place() {
        assert!(Registry::parse(ENTRY, "[]").is_ok());
        assert!(refusal("topic", "topik").contains("topik"));
        assert!(refusal("topic", "topik").contains("line 3"));
        assert!(refusal("CreateVault", "CreateVoult").contains("CreateVoult"));
        assert!(refusal("MUST", "SHALL").contains("SHALL"));
        assert!(refusal("[guide]", "[]").contains("no evidence"));
        assert!(refusal("XX-A-001", "xx").contains("xx"));
        assert!(refusal("  source: p", "  source: p\n  ambiguity: [AMB-99]").contains("AMB-99"));
        let twice = Registry::parse(&[ENTRY, ENTRY].concat(), "[]").unwrap_err();
        assert_eq!(
            twice.to_string(),
            "read the registry: XX-A-001 stands twice at line 10"
        );
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let nearest = |text| Registry::builtin().nearest(text).map(RequirementId::as_str);
        assert_eq!(nearest("gjo-range-003"), Some("GJO-RANGE-003"));
        assert_eq!(nearest("GJO-RAGNE-003"), Some("GJO-RANGE-003"));
        assert_eq!(nearest("the quick brown fox"), None);
    }

    #[test]
    fn an_id_has_one_form() {
        for good in ["GJO-RANGE-003", "AMU-404-001", "COM-X1-010"] {
            assert_eq!(good.parse::<RequirementId>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "001",
            "-001",
            "GJO",
            "GJO-RANGE-03",
            "GJO--RANGE-003",
            "gjo-range-003",
            "A-0003",
        ] {
            assert!(bad.parse::<RequirementId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_digest_follows_the_texts() {
        let digest = |text: &str| Registry::parse(text, "[]").unwrap().digest().to_owned();
        assert_ne!(
            digest(ENTRY),
            digest(&ENTRY.replace("source: p", "source: q"))
        );
        assert_eq!(digest(ENTRY).len(), "sha256:".len() + 64);
    }
}
