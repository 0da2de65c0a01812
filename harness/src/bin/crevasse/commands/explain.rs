//! `crevasse explain`: why a requirement stands, and what watches over it.

use anyhow::bail;
use crevasse::{exit, scenarios};
use crevasse_core::check;
use crevasse_core::requirement::{Registry, Requirement};
use crevasse_core::spec::Spec;
use crevasse_reference::fault;

use serde_json::json;

use super::list::operations_of;
use crate::args::{Explain, Format};
use crate::text::wrap;

pub(crate) fn run(args: &Explain) -> anyhow::Result<u8> {
    let registry = Registry::builtin();
    let id = args.id.to_ascii_uppercase();
    if let Some(ambiguity) = registry.ambiguity(&id) {
        match args.format {
            Format::Text => putln!(
                "{}  {}\n\n{}",
                ambiguity.id,
                ambiguity.title,
                wrap(&ambiguity.grading, 2)
            ),
            Format::Json => putln!("{:#}", json!(ambiguity)),
        }
        return Ok(exit::AS_EXPECTED);
    }
    let Some(requirement) = registry.get(&id) else {
        bail!(unknown(&args.id));
    };
    match args.format {
        Format::Text => put!("{}", Explained::of(requirement).text()),
        Format::Json => putln!("{:#}", Explained::of(requirement).json()),
    }
    Ok(exit::AS_EXPECTED)
}

/// What else has this name, and where it is listed; else what is near.
fn unknown(name: &str) -> String {
    let operation = Spec::builtin().operations.keys();
    let mut operations = operation.map(|operation| operation.as_str());
    if let Some(operation) = operations.find(|known| known.eq_ignore_ascii_case(name)) {
        return format!(
            "{operation} is an operation: `crevasse list requirements -E 'op({operation})'` names what is demanded of it"
        );
    }
    let kind = if fault::find(name).is_some() {
        "fault"
    } else if check::all().any(|check| check.id == name) {
        "check"
    } else if scenarios::written().iter().any(|it| it.id == name) {
        "scenario"
    } else {
        let near = Registry::builtin().nearest(&name.to_ascii_uppercase());
        let near = near.map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
        return format!(
            "no requirement is called {name}{near} `crevasse list requirements` names them all"
        );
    };
    format!("{name} is a {kind}: `crevasse list {kind}s --format json` says what it is about")
}

/// A requirement and all that refers to it.
struct Explained<'a> {
    requirement: &'a Requirement,
    checks: Vec<&'static str>,
    faults: Vec<&'static fault::Fault>,
    scenarios: Vec<&'static str>,
}

impl<'a> Explained<'a> {
    fn of(requirement: &'a Requirement) -> Self {
        let id = requirement.id.as_str();
        let written = scenarios::written()
            .iter()
            .filter(|scenario| scenario.covers.contains(&requirement.id));
        Self {
            requirement,
            checks: check::all()
                .filter(|check| check.requirements.contains(&id))
                .map(|check| check.id)
                .collect(),
            faults: fault::all()
                .iter()
                .filter(|fault| fault.breaks.contains(&id))
                .collect(),
            scenarios: written.map(|scenario| scenario.id.as_str()).collect(),
        }
    }

    fn text(&self) -> String {
        let r = self.requirement;
        let evidence: Vec<String> = r.evidence.iter().map(ToString::to_string).collect();
        let mut text = format!(
            "{}  {}  {}\n\n{}\n\n",
            r.id,
            r.level,
            operations_of(r),
            wrap(&r.statement, 2)
        );
        let mut row = |name: &str, value: &str| {
            text += &format!("  {name:<10}{}\n", wrap(value, 12).trim_start());
        };
        row("evidence", &evidence.join(", "));
        row("source", &r.source);
        row("probe", &r.probe.to_string());
        row("tested by", &r.how_to_test);
        if let Some(grading) = &r.grading {
            row(
                "graded",
                &format!("{} ({})", grading, r.ambiguity.join(", ")),
            );
        }
        if !r.can_fail() {
            row(
                "note",
                "can never fail a run: it is a permission, or only inferred",
            );
        }
        row("checks", &or_none(&self.checks));
        row("scenarios", &or_none(&self.scenarios));
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|fault| format!("{}: {}", fault.id, fault.sentence))
            .collect();
        row(
            "faults",
            &if faults.is_empty() {
                "none".to_owned()
            } else {
                faults.join("; ")
            },
        );
        text
    }

    fn json(&self) -> serde_json::Value {
        let mut value = json!(self.requirement);
        value["grading"] = json!(self.requirement.grading);
        value["checks"] = json!(self.checks);
        value["scenarios"] = json!(self.scenarios);
        value["faults"] = self.faults.iter().map(|fault| fault.id).collect();
        value
    }
}

fn or_none(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
