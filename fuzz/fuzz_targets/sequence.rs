//! Bytes become a sequence of operations, played on the reference server in process and judged. With CREVASSE_FAULT=ID the server has
//! that fault, and a run must end in a crash: the finding.
#![no_main]

use std::sync::OnceLock;

use crevasse_reference::fault::{self, Fault};

fn fault() -> Option<&'static Fault> {
    static FAULT: OnceLock<Option<&Fault>> = OnceLock::new();
    *FAULT.get_or_init(|| {
        let id = std::env::var("CREVASSE_FAULT").ok()?;
        Some(fault::find(&id).unwrap_or_else(|| panic!("no fault is called {id}")))
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match fault() {
    None => crevasse::properties::sequence(bytes),
    Some(fault) => {
        let scenario = crevasse::generate::of_bytes(bytes);
        let found = crevasse::properties::deviations(&scenario, vec![fault]);
        assert!(found.is_empty(), "{found:#?} in\n{}", scenario.to_yaml());
    }
});
