//! The built-in documents against the collected facts.

use crevasse_core::requirement::Registry;
use serde_yaml::Value;

use crate::shared;

fn facts(path: &str) -> Option<Value> {
    shared::text(path).map(|text| serde_yaml::from_str(&text).expect("the facts are YAML"))
}

#[test]
fn ids_levels_and_statements_are_those_of_the_facts() {
    let Some(facts) = facts("facts/requirements.yaml") else {
        return;
    };
    let facts = facts.as_sequence().unwrap();
    assert_eq!(facts.len(), Registry::builtin().len());
    for (fact, ours) in facts.iter().zip(Registry::builtin().iter()) {
        assert_eq!(fact["id"], ours.id.as_str());
        assert_eq!(fact["level"], ours.level.to_string());
        assert_eq!(fact["probe"], ours.probe.to_string());
        let evidence: Vec<String> = ours.evidence.iter().map(ToString::to_string).collect();
        assert_eq!(fact["evidence"], evidence.join("+"));
        let statement = fact["statement"].as_str().unwrap();
        assert_eq!(
            statement.replace("operations.yaml", "openapi.yaml"),
            ours.statement
        );
    }
}
