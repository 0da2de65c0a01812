//! The regression scenarios, replayed: silent on a right server, and each witness shows its fault.

use std::path::Path;
use std::sync::Arc;

use crevasse::prove::{Proved, Tried, depth, prove, witness};
use crevasse_core::scenario::Scenario;
use crevasse_reference::fault::{self, Fault};

/// Every scenario that is kept because something once went wrong.
fn regressions() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios/regressions");
    let files = std::fs::read_dir(folder).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        Scenario::parse_list(&text).unwrap()
    };
    files.flat_map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_witness_shows_its_fault_and_nothing_on_a_right_server() {
    let faults: Vec<&'static Fault> = fault::all().iter().collect();
    let suite = Arc::new(regressions());
    let proof = prove(suite, Tried::ByItsOwn, faults, 8, |_| {}).await;
    let alive = |fault: &&Proved| !fault.killed && fault.excuse.is_none();
    let alive: Vec<&Proved> = proof.faults.iter().filter(alive).collect();
    assert!(proof.clean.is_empty(), "{:?}", proof.clean);
    assert!(alive.is_empty(), "{alive:#?}");
}

#[test]
fn no_two_regressions_have_one_name() {
    let mut ids: Vec<String> = regressions().into_iter().map(|known| known.id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn many_faults_hide_from_a_test_that_asks_once_and_for_little() {
    let hidden = |fault: &&Fault| witness(fault.id).is_some_and(|known| !depth(known).is_empty());
    let hidden = fault::all().iter().filter(hidden).count();
    assert!(hidden >= 40, "{hidden} faults");
}
