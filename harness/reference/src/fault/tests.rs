use std::collections::BTreeSet;

use crevasse_core::requirement::{Level, Registry};

use super::*;

#[test]
fn there_are_enough_faults_of_different_names_and_sentences() {
    let ids: BTreeSet<&str> = all().iter().map(|fault| fault.id).collect();
    let sentences: BTreeSet<&str> = all().iter().map(|fault| fault.sentence).collect();
    assert!(all().len() >= 140, "{} faults", all().len());
    assert_eq!((ids.len(), sentences.len()), (all().len(), all().len()));
}

#[test]
fn ids_are_in_kebab_case() {
    let plain = |id: &str| {
        id.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let odd: Vec<&Fault> = all().iter().filter(|fault| !plain(fault.id)).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

/// A fault that breaks only permissions could never be found.
#[test]
fn every_fault_breaks_requirements_that_can_fail() {
    let known = |id: &&&str| Registry::builtin().get(**id).is_some();
    for fault in all() {
        assert!(!fault.breaks.is_empty(), "{fault:?}");
        let unknown: Vec<&&str> = fault.breaks.iter().filter(|id| !known(id)).collect();
        assert!(unknown.is_empty(), "{fault:?}: {unknown:?}");
        let demanded = |id: &&str| {
            Registry::builtin()
                .get(*id)
                .is_some_and(|requirement| requirement.level != Level::May)
        };
        assert!(fault.breaks.iter().all(demanded), "{fault:?}");
    }
}

#[test]
fn origins_are_numbers_of_known_defects_or_own() {
    let numbered = |origin: &str| {
        origin
            .strip_prefix('B')
            .is_some_and(|number| number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let odd: Vec<&Fault> = all()
        .iter()
        .filter(|fault| fault.origin != "own" && !numbered(fault.origin))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
fn every_seam_has_faults_and_every_fault_a_hook() {
    for seam in [Seam::Model, Seam::Reply, Seam::Wire] {
        assert!(all().iter().any(|fault| fault.seam == seam), "{seam}");
    }
    assert!(all().iter().all(|fault| !fault.hooks.is_empty()));
}
