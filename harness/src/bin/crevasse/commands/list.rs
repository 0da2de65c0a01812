//! `crevasse list`: what there is.

use crevasse::{exit, prove, scenarios};
use crevasse_core::check;
use crevasse_core::filter::Verdicts;
use crevasse_core::requirement::{Registry, Requirement};
use crevasse_core::spec::Spec;
use crevasse_reference::fault;

use serde_json::{Value, json};

use crate::args::{Format, List, Listed};

pub(crate) fn run(args: &List) -> anyhow::Result<u8> {
    let filter = super::filter(args.filter.as_deref())?;
    if filter.needs_verdicts() {
        anyhow::bail!(
            "a list knows no verdicts; verdict(…) is for `run --filter … --since REPORT`"
        );
    }
    let chosen: Vec<&Requirement> = Registry::builtin()
        .iter()
        .filter(|requirement| filter.selects(requirement, &Verdicts::new()))
        .collect();
    let rows = match args.what {
        Listed::Operations => operations(&chosen),
        Listed::Requirements => chosen
            .iter()
            .map(|requirement| requirement_row(requirement))
            .collect(),
        Listed::Checks => checks(&chosen),
        Listed::Faults => faults(&chosen),
        Listed::Scenarios => written(&chosen, args.filter.is_none()),
    };
    match args.format {
        Format::Json => putln!(
            "{:#}",
            Value::from_iter(rows.into_iter().map(|row| row.json))
        ),
        Format::Text => rows.iter().for_each(|row| putln!("{}", row.text)),
    }
    Ok(exit::AS_EXPECTED)
}

struct Row {
    text: String,
    json: Value,
}

fn operations(chosen: &[&Requirement]) -> Vec<Row> {
    let spec = Spec::builtin();
    let about = |name| {
        chosen
            .iter()
            .filter(|requirement| requirement.operations.contains(&name))
            .count()
    };
    let rows = spec
        .operations
        .values()
        .filter(|operation| about(operation.name) > 0);
    rows.map(|operation| Row {
        text: format!(
            "{:<28} {:<7} {}",
            operation.name, operation.method, operation.uri
        ),
        json: json!({
            "name": operation.name, "method": operation.method, "uri": operation.uri.to_string(),
            "success_status": operation.success_status, "requirements": about(operation.name),
        }),
    })
    .collect()
}

/// The operations a requirement speaks of, for people.
pub(crate) fn operations_of(requirement: &Requirement) -> String {
    if requirement.operations.is_empty() {
        return "all operations".to_owned();
    }
    requirement
        .operations
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn requirement_row(requirement: &Requirement) -> Row {
    let statement = &requirement.statement;
    Row {
        text: format!(
            "{:<18} {:<7} {:<9} {statement}",
            requirement.id.as_str(),
            requirement.level,
            requirement.probe
        ),
        json: json!(requirement),
    }
}

fn about(chosen: &[&Requirement], ids: &[&str]) -> bool {
    chosen
        .iter()
        .any(|requirement| ids.contains(&requirement.id.as_str()))
}

fn checks(chosen: &[&Requirement]) -> Vec<Row> {
    let rows = check::all().filter(|check| about(chosen, check.requirements));
    rows.map(|check| Row {
        text: format!("{:<36} {}", check.id, check.requirements.join(" ")),
        json: json!({"id": check.id, "requirements": check.requirements}),
    })
    .collect()
}

fn faults(chosen: &[&Requirement]) -> Vec<Row> {
    fault::all()
        .iter()
        .filter(|fault| about(chosen, fault.breaks))
        .map(fault_row)
        .collect()
}

fn fault_row(fault: &fault::Fault) -> Row {
    let witness = prove::witness(fault.id);
    let depth: Vec<String> = witness
        .map(prove::depth)
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let hidden = match depth.as_slice() {
        [] => String::new(),
        depth => format!(" (needs {})", depth.join(", ")),
    };
    Row {
        text: format!(
            "{:<46} {:<6} {:<5} {}{hidden}",
            fault.id,
            fault.seam.to_string(),
            fault.origin,
            fault.sentence
        ),
        json: json!({
            "id": fault.id, "sentence": fault.sentence, "seam": fault.seam.to_string(),
            "breaks": fault.breaks, "origin": fault.origin, "depth": depth, "witness": witness,
        }),
    }
}

/// The table of faults, for `serve --fault list`.
pub(crate) fn print_faults() {
    fault::all()
        .iter()
        .for_each(|fault| putln!("{}", fault_row(fault).text));
}

fn written(chosen: &[&Requirement], everything: bool) -> Vec<Row> {
    let about = |covers: &[crevasse_core::requirement::RequirementId]| {
        everything
            || chosen
                .iter()
                .any(|requirement| covers.contains(&requirement.id))
    };
    let rows = scenarios::written()
        .iter()
        .filter(|scenario| about(&scenario.covers));
    rows.map(|scenario| Row {
        text: format!(
            "{:<44} {:>3} steps  {}",
            scenario.id,
            scenario.steps.len(),
            scenario.title
        ),
        json: json!(scenario),
    })
    .collect()
}
