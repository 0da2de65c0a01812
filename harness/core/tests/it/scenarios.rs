//! The written scenarios: all can be read, have names of their own, and cover requirements that exist.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crevasse_core::check;
use crevasse_core::requirement::Registry;
use crevasse_core::scenario::{Action, Scenario, Step};

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/scenarios");
    let entries = std::fs::read_dir(folder).expect("there are written scenarios");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ext| ext == "yaml"));
    files.sort();
    files
}

fn read(file: &PathBuf) -> Vec<Scenario> {
    let text = std::fs::read_to_string(file).unwrap();
    Scenario::parse_list(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn written() -> Vec<Scenario> {
    files().iter().flat_map(read).collect()
}

#[test]
fn scenarios_have_names_of_their_own_in_kebab_case() {
    let mut seen = BTreeSet::new();
    for scenario in written() {
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(scenario.id.chars().all(kebab), "{}", scenario.id);
        assert!(seen.insert(scenario.id.clone()), "{} twice", scenario.id);
        assert!(
            !scenario.steps.is_empty() && !scenario.title.is_empty(),
            "{}",
            scenario.id
        );
    }
}

#[test]
fn scenarios_cover_requirements_that_exist() {
    for scenario in written() {
        for id in &scenario.covers {
            assert!(
                Registry::builtin().get(id).is_some(),
                "{} covers {id}",
                scenario.id
            );
        }
    }
}

#[test]
fn what_a_scenario_covers_some_check_can_judge() {
    let judged: BTreeSet<&str> = check::all()
        .flat_map(|check| check.requirements)
        .copied()
        .collect();
    for scenario in written() {
        for id in &scenario.covers {
            assert!(judged.contains(id.as_str()), "{} covers {id}", scenario.id);
        }
    }
}

#[test]
fn scenarios_survive_being_written_and_read() {
    for scenario in written() {
        let again = Scenario::parse(&scenario.to_yaml());
        let again = again.unwrap_or_else(|error| panic!("{}: {error}", scenario.id));
        assert_eq!(again, scenario);
    }
}

/// Bytes that a scenario sends in archives and parts.
fn sent(steps: &[Step]) -> u64 {
    steps.iter().map(|step| of_action(&step.action)).sum()
}

fn of_action(action: &Action) -> u64 {
    match action {
        Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. } => {
            content.length()
        }
        Action::Together { steps } => sent(steps),
        Action::During { slow, steps } => sent(std::slice::from_ref(slow)) + sent(steps),
        _ => 0,
    }
}

#[test]
fn all_scenarios_together_send_less_than_a_fast_run_can_bear() {
    let total: u64 = written().iter().map(|scenario| sent(&scenario.steps)).sum();
    assert!(total < 300 << 20, "{} MiB", total >> 20);
}
