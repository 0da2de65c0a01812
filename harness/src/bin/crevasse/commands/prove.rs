//! `crevasse prove`: the mutation score.

use std::sync::Arc;

use anyhow::Context;
use crevasse::prove::{Proof, Proved, Tried, find_witnesses, prove};
use crevasse::{exit, generate, scenarios};
use crevasse_core::scenario::{Profile, Scenario};
use crevasse_reference::fault;
use serde_json::{Value, json};

use super::reports::can_be_written;
use super::serve::faults;
use crate::args::Prove;

pub(crate) fn run(args: &Prove) -> anyhow::Result<u8> {
    let mut files = args.report.iter().chain(&args.witnesses);
    files.try_for_each(|path| can_be_written(path))?;
    let faults = match args.fault.as_slice() {
        [] => fault::all().iter().collect(),
        names => faults(names)?,
    };
    let written = scenarios::written()
        .iter()
        .filter(|scenario| scenario.profile <= Profile::Standard)
        .cloned();
    let suite: Arc<Vec<Scenario>> = Arc::new(
        written
            .chain(generate::cases(args.seed, args.max_examples))
            .collect(),
    );
    let runtime = super::runtime(args.jobs)?;
    let quiet = args.quiet;
    let tell = |proved: &Proved| {
        if !(quiet && proved.killed) {
            putln!("{}", line(proved));
        }
    };
    let proof = runtime.block_on(prove(
        Arc::clone(&suite),
        Tried::ByAll,
        faults,
        args.jobs,
        tell,
    ));
    if let Some(path) = &args.witnesses {
        let found = runtime.block_on(find_witnesses(suite, &proof, args.jobs));
        std::fs::write(path, list(&found))
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    if let Some(path) = &args.report {
        let text =
            serde_json::to_string_pretty(&proof).context("failed to write the proof")? + "\n";
        std::fs::write(path, text)
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    if args.fault.is_empty() {
        tell_idle(&proof);
    }
    Ok(conclude(&proof, args.at_least))
}

/// The list that is committed, a step a line. JSON is YAML.
fn list(witnesses: &[Scenario]) -> String {
    let head = "# For each fault a short scenario that shows it; written by `crevasse prove --witnesses`.\n";
    witnesses
        .iter()
        .fold(head.to_owned(), |text, witness| text + &entry(witness))
}

fn entry(witness: &Scenario) -> String {
    let steps = witness.steps.iter().map(|step| {
        let mut tree = json!(step);
        drop_defaults(&mut tree);
        format!("    - {tree}\n")
    });
    let needs = match witness.needs.as_slice() {
        [] => String::new(),
        needs => format!("  needs: {}\n", json!(needs)),
    };
    format!(
        "\n- id: {}\n  title: {}\n  covers: {}\n{needs}  steps:\n{}",
        witness.id,
        json!(witness.title),
        json!(witness.covers),
        steps.collect::<String>()
    )
}

/// Takes away claims that are right, as they are where nothing is said.
fn drop_defaults(tree: &mut Value) {
    match tree {
        Value::Object(members) => {
            members.retain(|name, value| {
                !(["tree_hash", "content_sha256", "size"].contains(&name.as_str())
                    && value == "right")
            });
            members.values_mut().for_each(drop_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}

fn line(proved: &Proved) -> String {
    let killers: Vec<&str> = proved.killers().collect();
    if proved.killed {
        return format!("killed  {:<46} by {}", proved.id, killers.join(", "));
    }
    let broken: Vec<String> = proved.breaks.iter().map(ToString::to_string).collect();
    let why = match &proved.excuse {
        Some(excuse) => excuse.clone(),
        None => format!("no deviation from {}", broken.join(", ")),
    };
    format!("ALIVE   {:<46} {}: {why}", proved.id, proved.sentence)
}

/// Names what all faults together did not prove.
fn tell_idle(proof: &Proof) {
    let unproven: Vec<String> = proof.unproven.iter().map(ToString::to_string).collect();
    tell("checks killed nothing", &proof.idle_checks);
    tell(
        "of them judge a MUST requirement and are not yet proven",
        &proof.unproven_checks,
    );
    tell("MUST requirements are not yet proven to bite", &unproven);
}

/// Says what came of it all, the score last.
fn conclude(proof: &Proof, at_least: f64) -> u8 {
    let clean: Vec<String> = proof.clean.iter().map(ToString::to_string).collect();
    tell(
        "requirements deviate on the clean server and prove nothing",
        &clean,
    );
    let deep = proof.faults.iter().filter(|fault| !fault.depth.is_empty());
    putln!(
        "{} faults need state, size or repetition to show",
        deep.count()
    );
    putln!(
        "{} of {} faults killed: {:.1} %",
        proof.killed(),
        proof.faults.len(),
        100.0 * proof.score()
    );
    let enough = proof.score() * 100.0 >= at_least && !proof.faults.is_empty();
    if enough && proof.clean.is_empty() {
        exit::AS_EXPECTED
    } else {
        exit::DEVIATES
    }
}

fn tell(what: &str, names: &[String]) {
    if !names.is_empty() {
        putln!("{} {what}: {}\n", names.len(), names.join(" "));
    }
}
