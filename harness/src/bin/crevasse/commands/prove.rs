//! `crevasse prove`: the mutation score.

use anyhow::{Context, anyhow};
use crevasse::prove::{Proof, choose, prove};
use crevasse::{exit, generate, scenarios};
use crevasse_core::nearest::nearest;
use crevasse_core::scenario::{Profile, Scenario};
use crevasse_reference::fault;

use crate::args::Prove;

pub(crate) fn run(args: &Prove) -> anyhow::Result<u8> {
    let faults = choose(&args.fault).map_err(unknown)?;
    let written = scenarios::written()
        .iter()
        .filter(|scenario| scenario.profile <= Profile::Standard)
        .cloned();
    let suite: Vec<Scenario> = written
        .chain(generate::cases(args.seed, args.max_examples))
        .collect();
    let runtime = super::runtime(args.jobs)?;
    let verbose = args.verbose;
    let proof = runtime.block_on(prove(suite, args.seed, faults, args.jobs, |proved| {
        if verbose || !proved.killed {
            putln!(
                "{}  {:<44} {}",
                if proved.killed { "killed" } else { "ALIVE " },
                proved.id,
                proved.sentence
            );
        }
    }));
    if let Some(path) = args
        .report
        .as_deref()
        .and_then(|report| report.strip_prefix("json="))
    {
        let text =
            serde_json::to_string_pretty(&proof).context("failed to write the proof")? + "\n";
        std::fs::write(path, text).with_context(|| format!("failed to write {path}"))?;
    }
    Ok(conclude(&proof, args.at_least))
}

fn unknown(name: String) -> anyhow::Error {
    let near = nearest(&name, fault::all().iter().map(|fault| fault.id))
        .map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default();
    anyhow!("no fault is called `{name}`{near} `crevasse list faults` names them all")
}

fn conclude(proof: &Proof, at_least: f64) -> u8 {
    putln!(
        "\n{} checks killed nothing: {}",
        proof.idle_checks.len(),
        proof.idle_checks.join(" ")
    );
    putln!(
        "\n{} MUST requirements that are judged and not yet proven to bite",
        proof.unproven.len()
    );
    if !proof.clean.is_empty() {
        let clean: Vec<String> = proof.clean.iter().map(ToString::to_string).collect();
        putln!(
            "deviating on the clean server, so proving nothing: {}",
            clean.join(" ")
        );
    }
    putln!(
        "\n{} of {} faults killed: {:.1} %",
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
