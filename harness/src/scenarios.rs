//! The written scenarios, compiled in.

use std::sync::OnceLock;

use crevasse_core::scenario::Scenario;

/// One file an area, by its name under `fixtures/scenarios/`.
macro_rules! areas {
    ($($area:literal)*) => {
        const AREAS: &[(&str, &str)] =
            &[$(($area, include_str!(concat!("../fixtures/scenarios/", $area, ".yaml"))),)*];
    };
}

areas! {
    "vaults" "archives" "multipart" "common" "paging" "tags" "lock" "policies" "notifications" "account" "auth"
    "boundaries" "jobs" "output" "inventory"
}

/// Every written scenario, area by area.
///
/// ```
/// let ids: Vec<_> = crevasse::scenarios::written().iter().map(|scenario| &scenario.id).collect();
/// assert!(ids.contains(&&"vault-created".to_owned()));
/// ```
pub fn written() -> &'static [Scenario] {
    static WRITTEN: OnceLock<Vec<Scenario>> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        AREAS
            .iter()
            .flat_map(|(area, text)| read(area, text))
            .collect()
    })
}

fn read(area: &str, text: &str) -> Vec<Scenario> {
    Scenario::parse_list(text)
        .unwrap_or_else(|error| panic!("the scenarios of {area} are sound: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_of_scenarios_is_compiled_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scenarios");
        let names = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let areas =
            |name: std::ffi::OsString| name.to_str()?.strip_suffix(".yaml").map(str::to_owned);
        let there: BTreeSet<String> = names.filter_map(areas).collect();
        let compiled: BTreeSet<String> = AREAS.iter().map(|(area, _)| (*area).to_owned()).collect();
        assert_eq!(compiled, there);
    }

    #[test]
    fn no_two_scenarios_have_one_name() {
        let ids: BTreeSet<&str> = written()
            .iter()
            .map(|scenario| scenario.id.as_str())
            .collect();
        assert_eq!(ids.len(), written().len());
    }
}
