//! The scenarios worth mutating: each showed something that none before it did. One file each.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crevasse_core::scenario::Scenario;
use crevasse_core::treehash::sha256;

use super::novelty::Feature;
use crate::generate::Draw;
use crate::shrink::weight;

/// Of the entries kept latest, this many are drawn as often as all others together.
const LATEST: usize = 32;

/// A scenario kept, and all it showed.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The first 16 digits of the hash of its steps.
    pub(super) id: String,
    pub(super) scenario: Scenario,
    pub(super) features: BTreeSet<Feature>,
}

/// The entries in the order they were kept.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    entries: Vec<Entry>,
    seen: BTreeSet<Feature>,
}

impl Corpus {
    /// What there is of the entries that are said to be in `folder`. A file that is gone or that nobody can read any more is no entry.
    pub(super) fn read(folder: &Path, listed: Vec<(String, BTreeSet<Feature>)>) -> Self {
        let mut corpus = Self::default();
        for (id, features) in listed {
            let text = fs::read_to_string(file(folder, &id)).unwrap_or_default();
            if let Ok(scenario) = Scenario::parse(&text) {
                corpus.keep(Entry {
                    id,
                    scenario,
                    features,
                });
            }
        }
        corpus
    }

    /// The scenarios in the order they were kept.
    pub(super) fn scenarios(&self) -> impl Iterator<Item = &Scenario> {
        self.entries.iter().map(|entry| &entry.scenario)
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many different things they showed.
    pub(super) fn features(&self) -> usize {
        self.seen.len()
    }

    /// Whether some of these features were never seen.
    pub(super) fn is_new(&self, features: &BTreeSet<Feature>) -> bool {
        !features.is_subset(&self.seen)
    }

    /// Keeps an entry.
    pub(super) fn keep(&mut self, entry: Entry) {
        self.seen.extend(entry.features.iter().cloned());
        self.entries.push(entry);
    }

    /// An entry drawn, one of the latest as often as any other. Nothing when there is none.
    pub(super) fn draw(&self, draw: &mut Draw) -> Option<&Entry> {
        let all = self.entries.len();
        let from = match draw.once_in(2) {
            true => all.saturating_sub(LATEST),
            false => 0,
        };
        self.entries
            .get(from + draw.below((all - from) as u64) as usize)
    }

    /// Drops entries that show nothing that lighter ones do not show together, and tells which.
    pub(super) fn prune(&mut self) -> Vec<String> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|place| weight(&self.entries[*place].scenario));
        let mut covered: BTreeSet<&Feature> = BTreeSet::new();
        let mut dropped = BTreeSet::new();
        for place in order {
            let features = &self.entries[place].features;
            if features.iter().all(|feature| covered.contains(feature)) {
                dropped.insert(place);
            }
            covered.extend(features);
        }
        let ids: Vec<String> = dropped
            .iter()
            .map(|place| self.entries[*place].id.clone())
            .collect();
        self.entries.retain(|entry| !ids.contains(&entry.id));
        ids
    }
}

/// The id of a scenario as an entry.
pub(super) fn id(scenario: &Scenario) -> String {
    let steps = serde_json::to_string(&scenario.steps).expect("steps are a tree");
    sha256(steps.as_bytes()).to_string()[..16].to_owned()
}

/// Where an entry lies.
pub(super) fn file(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.yaml"))
}

/// Writes a scenario so that after a crash it is there as a whole or not at all.
pub(super) fn write(path: &Path, scenario: &Scenario) -> std::io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = fs::File::create(&draft)?;
    file.write_all(scenario.to_yaml().as_bytes())?;
    file.sync_data()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;

    fn entry(number: u64, features: &[&str]) -> Entry {
        let scenario = generate::case(1, number);
        Entry {
            id: id(&scenario),
            scenario,
            features: features.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn an_entry_is_read_back_as_it_was_written_and_a_lost_file_is_no_entry() {
        let folder = tempfile::tempdir().unwrap();
        let kept = entry(1, &["a"]);
        write(&file(folder.path(), &kept.id), &kept.scenario).unwrap();
        let listed = vec![
            (kept.id.clone(), kept.features.clone()),
            ("lost".to_owned(), BTreeSet::new()),
        ];
        let corpus = Corpus::read(folder.path(), listed);
        assert_eq!(corpus.len(), 1);
        assert_eq!(corpus.entries[0].scenario, kept.scenario);
        assert!(!corpus.is_new(&kept.features));
    }

    #[test]
    fn pruning_keeps_every_feature() {
        let mut corpus = Corpus::default();
        for (number, features) in [
            (1, &["a", "b"][..]),
            (2, &["b"]),
            (3, &["a", "c"]),
            (4, &["b", "c"]),
        ] {
            corpus.keep(entry(number, features));
        }
        let before = corpus.features();
        let dropped = corpus.prune();
        assert!(!dropped.is_empty());
        let left: BTreeSet<&Feature> = corpus
            .entries
            .iter()
            .flat_map(|entry| &entry.features)
            .collect();
        assert_eq!(left.len(), before);
    }
}
