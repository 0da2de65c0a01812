//! Scenarios: what is intended, over symbolic handles, so that it replays anywhere.
//! Refuses to know any id a server gave, any time, and any answer.

mod claim;
mod step;

pub use claim::{Claim, RangeClaim, SizeClaim};
pub use step::{
    AccountForm, Action, JsonBody, Marker, Naming, Page, PathForm, Ref, Signing, Step, Tweak,
    is_legal_vault_name,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::requirement::RequirementId;
use crate::yaml::{self, YamlError};

/// How much of a target's time a scenario may take; profiles include the smaller ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Seconds: no waiting for jobs beyond the fastest.
    Quick,
    /// The default.
    #[default]
    Standard,
    /// Everything, large archives included.
    Thorough,
}

/// What a scenario cannot do without, beyond a target that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Runs alone: it sets or reads what belongs to the account.
    Exclusive,
    /// Cannot be undone, or costs money: on loopback endpoints, elsewhere by `--allow`.
    Irreversible,
    /// A target that enforces signatures.
    Signatures,
    /// A second region on the same endpoint.
    Regions,
}

/// A list of steps with a name.
///
/// ```
/// # use crevasse_core::scenario::Scenario;
/// let scenario: Scenario = serde_json::from_str(r#"{
///     "id": "vault-twice", "title": "creating a vault again changes nothing",
///     "steps": [{"CreateVault": {"vault": "v"}}, {"CreateVault": {"vault": "v"}}]
/// }"#).unwrap();
/// assert_eq!(scenario.steps.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Unique, in kebab-case.
    pub id: String,
    /// One sentence that says what is tried.
    pub title: String,
    /// The requirements that this scenario is there to make apply; a test holds it to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<RequirementId>,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// The smallest profile that runs it.
    #[serde(default)]
    pub profile: Profile,
    /// The steps in order.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Reads a scenario from YAML.
    ///
    /// # Errors
    /// What is wrong: with line and column where the YAML is, with the scenario's id where its words are.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        Self::of_tree(yaml::tree(text)?)
    }

    /// Reads a list of scenarios from YAML.
    ///
    /// # Errors
    /// What is wrong: with line and column where the YAML is, with the scenario's id where its words are.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, YamlError> {
        match yaml::tree(text)? {
            Value::Array(list) => list.into_iter().map(Self::of_tree).collect(),
            _ => Err(misread("a list of scenarios expected".to_owned())),
        }
    }

    /// By way of a tree: a YAML reader would want tags for variants, which people do not write.
    fn of_tree(tree: Value) -> Result<Self, YamlError> {
        let id = tree
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or("a scenario without id")
            .to_owned();
        serde_json::from_value(tree).map_err(|error| misread(format!("{id}: {error}")))
    }

    /// Writes it as YAML that [`Scenario::parse`] reads.
    pub fn to_yaml(&self) -> String {
        // By way of a JSON value: a YAML writer would turn variants into tags, which people do not write.
        let value = serde_json::to_value(self).expect("a scenario is a tree of texts and numbers");
        serde_yaml::to_string(&value).expect("a tree of texts and numbers can be written")
    }
}

fn misread(text: String) -> YamlError {
    YamlError { text, at: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Framing;

    const TEXT: &str = "\
- id: announced
  title: a body that is too large is refused before it is sent
  steps:
  - CreateVault: {vault: v}
  - UploadArchive: {vault: v, archive: a, content: {zeros: 1}}
    but: {framing: {announced: 4294967297}, signing: {skewed: -900}}
";

    #[test]
    fn variants_are_maps_of_one_key_and_are_written_back_so() {
        let list = Scenario::parse_list(TEXT).unwrap();
        assert_eq!(
            list[0].steps[1].tweak.framing,
            Framing::Announced(4_294_967_297)
        );
        assert_eq!(Scenario::parse(&list[0].to_yaml()).unwrap(), list[0]);
    }

    #[test]
    fn an_error_names_the_scenario() {
        let error = Scenario::parse_list(&TEXT.replace("framing", "frame")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("announced: unknown field `frame`"),
            "{error}"
        );
    }
}
