//! What nights remember of each other: the entries of the corpus and every finding, in an append-only file that is on disk before anything
//! goes on. Killed at any moment, it loses nothing that was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::corpus::{self, Corpus, Entry};
use super::novelty::Feature;
use crate::report::document::FindingFacts;

/// Names the format and its version; the first line says it.
pub const SCHEMA: &str = "crevasse.fuzz/1";

const FILE: &str = "state.jsonl";
const ENTRIES: &str = "entries";
const FINDINGS: &str = "findings";

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first.
    Header { schema: String },
    /// A night begins.
    Night { seed: u64, endpoint: String },
    /// An entry was kept; its scenario is in a file.
    Kept {
        entry: String,
        features: BTreeSet<Feature>,
    },
    /// An entry was pruned.
    Dropped { entry: String },
    /// A deviation was seen for the first time.
    Found(Box<FindingFacts>),
    /// It was tried again: what is told of it, or that it did not show.
    Settled {
        finding: Box<FindingFacts>,
        shown: bool,
    },
    /// Somebody was told.
    Told { fingerprint: String },
}

/// How far a finding got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Seen once.
    Found,
    /// Tried again, and it did not show.
    Unconfirmed,
    /// Seen again; nobody was told.
    Confirmed,
    /// Told.
    Told,
}

/// A corpus folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system refuses.
    #[error("use the corpus in {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process is at it.
    #[error("use the corpus in {0}: another fuzzer is at work there")]
    Taken(PathBuf),
    /// Another program's file, or another version's.
    #[error("read {path}: line {line} is not one of {SCHEMA}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// The open folder.
#[derive(Debug)]
pub(super) struct State {
    folder: PathBuf,
    file: File,
    nights: u64,
    /// Where the last night was.
    endpoint: Option<String>,
    findings: IndexMap<String, (Stage, FindingFacts)>,
}

impl State {
    /// Opens a corpus folder, or makes one. A last line that was cut off is dropped.
    ///
    /// # Errors
    /// When it cannot be read or written, or another process has it open.
    pub(super) fn open(folder: &Path) -> Result<(Self, Corpus), StateError> {
        for name in [ENTRIES, FINDINGS] {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(failed(&path))?;
        }
        let path = folder.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Taken(folder.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed(&path))?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = end.map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(failed(&path))?;
        file.seek(SeekFrom::End(0)).map_err(failed(&path))?;
        let mut state = Self {
            folder: folder.to_owned(),
            file,
            nights: 0,
            endpoint: None,
            findings: IndexMap::new(),
        };
        let listed = state.take(&String::from_utf8_lossy(&bytes[..whole]))?;
        let corpus = Corpus::read(&folder.join(ENTRIES), listed);
        if whole == 0 {
            let schema = SCHEMA.to_owned();
            state.write(&Line::Header { schema })?;
        }
        Ok((state, corpus))
    }

    /// Takes what the lines say; gives the entries that are left.
    fn take(&mut self, text: &str) -> Result<Vec<(String, BTreeSet<Feature>)>, StateError> {
        let mut entries: IndexMap<String, BTreeSet<Feature>> = IndexMap::new();
        for (place, line) in text.lines().enumerate() {
            let foreign = || StateError::Foreign {
                path: self.folder.join(FILE),
                line: place + 1,
            };
            let line: Line = serde_json::from_str(line).map_err(|_| foreign())?;
            if (place == 0) != matches!(&line, Line::Header { schema } if schema == SCHEMA) {
                return Err(foreign());
            }
            match line {
                Line::Header { .. } => {}
                Line::Night { endpoint, .. } => {
                    self.nights += 1;
                    self.endpoint = Some(endpoint);
                }
                Line::Kept { entry, features } => drop(entries.insert(entry, features)),
                Line::Dropped { entry } => drop(entries.shift_remove(&entry)),
                other => self.follow(other),
            }
        }
        Ok(entries.into_iter().collect())
    }

    fn follow(&mut self, line: Line) {
        match line {
            Line::Found(finding) => {
                let fingerprint = finding.fingerprint.clone();
                let known = self.findings.get(&fingerprint).map(|(stage, _)| stage);
                if matches!(known, None | Some(Stage::Unconfirmed)) {
                    self.findings.insert(fingerprint, (Stage::Found, *finding));
                }
            }
            Line::Settled { finding, shown } => {
                let stage = if shown {
                    Stage::Confirmed
                } else {
                    Stage::Unconfirmed
                };
                let fingerprint = finding.fingerprint.clone();
                self.findings.insert(fingerprint, (stage, *finding));
            }
            Line::Told { fingerprint } => {
                if let Some((stage, _)) = self.findings.get_mut(&fingerprint) {
                    *stage = Stage::Told;
                }
            }
            _ => {}
        }
    }

    /// A night begins; says which it is, from 1.
    pub(super) fn begin_night(&mut self, seed: u64, endpoint: &str) -> Result<u64, StateError> {
        let endpoint = endpoint.to_owned();
        self.write(&Line::Night { seed, endpoint })?;
        self.nights += 1;
        Ok(self.nights)
    }

    /// Where the last night was, if there was one.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// Keeps an entry of the corpus.
    pub(super) fn keep(&mut self, entry: &Entry) -> Result<(), StateError> {
        let path = corpus::file(&self.folder.join(ENTRIES), &entry.id);
        corpus::write(&path, &entry.scenario).map_err(failed(&path))?;
        self.write(&Line::Kept {
            entry: entry.id.clone(),
            features: entry.features.clone(),
        })
    }

    /// Drops entries of the corpus.
    pub(super) fn drop_entries(&mut self, ids: Vec<String>) -> Result<(), StateError> {
        for entry in ids {
            let path = corpus::file(&self.folder.join(ENTRIES), &entry);
            self.write(&Line::Dropped { entry })?;
            if path.exists() {
                fs::remove_file(&path).map_err(failed(&path))?;
            }
        }
        Ok(())
    }

    /// How far a finding got, if it was seen in any night.
    pub(super) fn stage(&self, fingerprint: &str) -> Option<Stage> {
        self.findings.get(fingerprint).map(|(stage, _)| *stage)
    }

    /// The findings at a stage, in the order found.
    pub(super) fn at(&self, wanted: Stage) -> Vec<FindingFacts> {
        let all = self.findings.values();
        all.filter(|(stage, _)| *stage == wanted)
            .map(|(_, finding)| finding.clone())
            .collect()
    }

    /// How many findings got how far.
    pub(super) fn counts(&self) -> BTreeMap<Stage, usize> {
        let mut counts = BTreeMap::new();
        for (stage, _) in self.findings.values() {
            *counts.entry(*stage).or_default() += 1;
        }
        counts
    }

    /// A deviation was seen that no night knew, or that had not shown again.
    pub(super) fn found(&mut self, finding: FindingFacts) -> Result<(), StateError> {
        self.enter(Line::Found(Box::new(finding)))
    }

    /// It was tried again.
    pub(super) fn settled(&mut self, finding: FindingFacts, shown: bool) -> Result<(), StateError> {
        self.enter(Line::Settled {
            finding: Box::new(finding),
            shown,
        })
    }

    /// Somebody was told; its scenario lies in a file of its own from now on.
    pub(super) fn told(&mut self, fingerprint: &str) -> Result<(), StateError> {
        let fingerprint = fingerprint.to_owned();
        self.enter(Line::Told { fingerprint })
    }

    /// Writes the scenario of a finding where people and `replay` find it.
    pub(super) fn lay_out(&self, finding: &FindingFacts) -> Result<PathBuf, StateError> {
        let path = corpus::file(&self.folder.join(FINDINGS), &finding.fingerprint);
        fs::write(&path, &finding.repro.scenario).map_err(failed(&path))?;
        Ok(path)
    }

    fn enter(&mut self, line: Line) -> Result<(), StateError> {
        self.write(&line)?;
        self.follow(line);
        Ok(())
    }

    /// Appends a line and waits until it is on disk.
    fn write(&mut self, line: &Line) -> Result<(), StateError> {
        let path = self.folder.join(FILE);
        let mut text = serde_json::to_string(line).map_err(|error| failed(&path)(error.into()))?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .map_err(failed(&path))?;
        self.file.sync_data().map_err(failed(&path))
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::File { path, source }
}

#[cfg(test)]
#[path = "state/tests.rs"]
mod tests;
