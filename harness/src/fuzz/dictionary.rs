//! Words to mutate with: the steps, the values of their fields and the tweaks of all seeds.

use std::collections::BTreeMap;

use serde_json::Value;

use crevasse_core::scenario::{Action, Scenario, Step, Tweak};

/// Everything seen in seeds, each once, in the order seen.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    steps: BTreeMap<String, Vec<Value>>,
    tweaks: Vec<Value>,
    fields: BTreeMap<String, Vec<Value>>,
}

impl Dictionary {
    /// The dictionary of some scenarios.
    pub(super) fn of<'a>(scenarios: impl IntoIterator<Item = &'a Scenario>) -> Self {
        let mut dictionary = Self::default();
        for step in scenarios.into_iter().flat_map(|scenario| &scenario.steps) {
            dictionary.learn(step);
        }
        dictionary
    }

    fn learn(&mut self, step: &Step) {
        match &step.action {
            Action::Together { steps } => steps.iter().for_each(|step| self.learn(step)),
            Action::During { slow, steps } => {
                self.learn(slow);
                steps.iter().for_each(|step| self.learn(step));
            }
            _ => {}
        }
        let tree = tree(step);
        if step.tweak != Tweak::default() {
            push(&mut self.tweaks, &tree["but"]);
        }
        if let Some((name, fields)) = action(&tree) {
            self.learn_fields(fields);
            if !matches!(step.action, Action::Pause { .. }) {
                push(self.steps.entry(name.clone()).or_default(), &tree);
            }
        }
    }

    fn learn_fields(&mut self, value: &Value) {
        let Value::Object(members) = value else {
            return;
        };
        for (name, member) in members {
            push(self.fields.entry(name.clone()).or_default(), member);
            self.learn_fields(member);
        }
    }

    /// Steps of seeds, by what they do; pauses left out, which take time and do nothing.
    pub(super) fn steps(&self) -> &BTreeMap<String, Vec<Value>> {
        &self.steps
    }

    /// Tweaks of seeds.
    pub(super) fn tweaks(&self) -> &[Value] {
        &self.tweaks
    }

    /// Values that a field of this name had in seeds.
    pub(super) fn values(&self, field: &str) -> &[Value] {
        self.fields.get(field).map_or(&[], Vec::as_slice)
    }
}

/// A step as a tree that can be changed anywhere.
pub(super) fn tree(step: &Step) -> Value {
    serde_json::to_value(step).expect("a step is a tree of texts and numbers")
}

/// The action of a step's tree: its name and its fields.
pub(super) fn action(tree: &Value) -> Option<(&String, &Value)> {
    tree.as_object()?.iter().find(|(name, _)| *name != "but")
}

fn push(list: &mut Vec<Value>, value: &Value) {
    if !list.contains(value) {
        list.push(value.clone());
    }
}
