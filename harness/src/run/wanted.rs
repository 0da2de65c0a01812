//! What is judged: a specification, the requirements asked for, and the scenarios that bear on them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crevasse_core::filter::{Filter, Verdicts};
use crevasse_core::requirement::{Level, Registry, RequirementId};
use crevasse_core::scenario::{Action, Scenario};
use crevasse_core::spec::{OperationName, Spec};

use super::Effort;
use crate::generate::{Planned, planned};
use crate::scenarios;

/// What is judged.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The specification judged by.
    pub spec: Arc<Spec>,
    /// The requirements asked for.
    pub selected: BTreeSet<RequirementId>,
}

impl Wanted {
    /// Every requirement of the built-in specification.
    ///
    /// ```
    /// use crevasse::run::Wanted;
    /// assert!(Wanted::everything().is_everything());
    /// ```
    pub fn everything() -> Self {
        Self {
            spec: Arc::new(Spec::builtin().clone()),
            selected: Registry::builtin()
                .iter()
                .map(|requirement| requirement.id.clone())
                .collect(),
        }
    }

    /// What a filter and a lowest level select; nothing when they select no requirement. `verdicts` are those of an earlier run.
    pub fn choose(
        spec: Arc<Spec>,
        filter: &Filter,
        level: Option<Level>,
        verdicts: &Verdicts,
    ) -> Option<Self> {
        let selected: BTreeSet<RequirementId> = Registry::builtin()
            .iter()
            .filter(|requirement| {
                filter.selects(requirement, verdicts)
                    && level.is_none_or(|level| requirement.level >= level)
            })
            .map(|requirement| requirement.id.clone())
            .collect();
        (!selected.is_empty()).then_some(Self { spec, selected })
    }

    /// Whether no requirement is left out.
    pub fn is_everything(&self) -> bool {
        self.selected.len() == Registry::builtin().len()
    }

    /// The requirements asked for as reports take them: empty when none is left out.
    pub(super) fn narrowed(&self) -> BTreeSet<RequirementId> {
        match self.is_everything() {
            true => BTreeSet::new(),
            false => self.selected.clone(),
        }
    }

    /// What of a foreign specification takes no part, in a sentence.
    pub(super) fn dropped(&self) -> Option<String> {
        self.spec.foreign.then(|| {
            format!(
                "{} items of {} took no part; `crevasse spec lint` names them",
                self.spec.dropped.len(),
                self.spec.name
            )
        })
    }

    /// Scenarios that cover something wanted and use some operation that the specification defines, and the generated ones.
    pub fn scenarios(&self, effort: &Effort) -> Vec<Planned> {
        let wanted = |scenario: &&Scenario| {
            let covers =
                self.is_everything() || scenario.covers.iter().any(|id| self.selected.contains(id));
            scenario.profile <= effort.profile && covers && self.touches(scenario)
        };
        let written = scenarios::written().iter().filter(wanted).cloned();
        let generated = planned(effort.seed, effort.examples)
            .filter(|planned| self.touches(&planned.scenario()));
        written.map(Planned::from).chain(generated).collect()
    }

    fn touches(&self, scenario: &Scenario) -> bool {
        let defined = |name: OperationName| self.spec.operations.contains_key(&name);
        scenario
            .steps
            .iter()
            .any(|step| operations(&step.action).into_iter().any(defined))
    }
}

/// The operations an action asks for, those inside of groups included.
fn operations(action: &Action) -> Vec<OperationName> {
    match action {
        Action::AwaitJob { .. } => vec![OperationName::DescribeJob],
        Action::Walk { list } => operations(list),
        Action::Together { steps } => steps
            .iter()
            .flat_map(|step| operations(&step.action))
            .collect(),
        Action::During { slow, steps } => steps
            .iter()
            .chain([&**slow])
            .flat_map(|step| operations(&step.action))
            .collect(),
        action => action.operation().into_iter().collect(),
    }
}
