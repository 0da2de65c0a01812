//! Takes up an interrupted run from its journal: what was done is judged again, what waits goes on, the rest is left to be run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crevasse_core::check::Record;
use crevasse_core::scenario::Scenario;

use super::Run;
use crate::event::{Event, RunStarted};
use crate::journal::{Journal, JournalError, Line, Reader, Resource, leftovers};

/// How long the inventory of a vault that cannot be removed may take before the run goes on without it.
const BRIEFLY: Duration = Duration::from_secs(10);

/// What an earlier run left: nothing, for one that begins.
#[derive(Default)]
pub struct Earlier {
    cases: Vec<(String, Scenario, Vec<Record>)>,
    waiting: BTreeMap<String, Vec<Record>>,
    left: Vec<Resource>,
}

/// Why a run cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// Its journal cannot be read or gone on with.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A scenario in it cannot be read.
    #[error("read the scenario of case {case} in the journal: {text}")]
    Scenario {
        /// The case.
        case: String,
        /// What is wrong.
        text: String,
    },
}

/// A run that is taken up.
pub struct TakenUp {
    /// The journal, to be gone on with.
    pub journal: Journal,
    /// The run, under its new prefix.
    pub run: RunStarted,
    /// What it left.
    pub earlier: Earlier,
}

impl Earlier {
    /// Reads what the run in `folder` left, and opens its journal to go on with it.
    ///
    /// # Errors
    /// When the journal cannot be read or is being written.
    pub fn take_up(folder: &Path) -> Result<TakenUp, ResumeError> {
        let journal = Journal::reopen(folder)?;
        let mut reader = Reader::open(folder)?;
        let mut run = reader.run().clone();
        let mut reading = Reading::default();
        for line in reader.by_ref() {
            reading.take(line?)?;
        }
        run.prefix = format!("{}.{}", run.prefix, reading.resumed + 1);
        let prefix = run.prefix.clone();
        journal.write(&Line::Event(Box::new(Event::Resumed { prefix })))?;
        Ok(TakenUp {
            journal,
            run,
            earlier: reading.finish(),
        })
    }
}

/// What the lines of a journal told so far.
#[derive(Default)]
struct Reading {
    open: BTreeMap<String, (Scenario, Vec<Record>)>,
    earlier: Earlier,
    resources: Vec<Line>,
    resumed: usize,
}

impl Reading {
    fn take(&mut self, line: Line) -> Result<(), ResumeError> {
        match line {
            Line::Case { case, scenario } => {
                let scenario = Scenario::parse(&scenario).map_err(|error| {
                    let (case, text) = (case.clone(), error.to_string());
                    ResumeError::Scenario { case, text }
                })?;
                self.earlier.waiting.remove(&case);
                self.open.insert(case, (scenario, Vec::new()));
            }
            Line::Record { case, record } => {
                let open = self.open.get_mut(&case);
                open.into_iter()
                    .for_each(|(_, records)| records.push((*record).clone()));
            }
            Line::CaseFinished { case } => {
                if let Some((scenario, records)) = self.open.remove(&case) {
                    self.earlier.cases.push((case, scenario, records));
                }
            }
            Line::CaseCut { case, waits } => {
                let cut = self.open.remove(&case).filter(|_| waits);
                self.earlier
                    .waiting
                    .extend(cut.map(|(_, records)| (case, records)));
            }
            line @ (Line::Intent(_) | Line::Made(_) | Line::Gone(_)) => self.resources.push(line),
            Line::Event(event) => {
                self.resumed += usize::from(matches!(*event, Event::Resumed { .. }));
            }
            Line::Header { .. } => {}
        }
        Ok(())
    }

    /// What is left belongs to nobody but the cases that wait.
    fn finish(mut self) -> Earlier {
        let latest = self
            .earlier
            .waiting
            .values()
            .filter_map(|records| records.last());
        let theirs: BTreeSet<&str> = latest
            .flat_map(|record| record.bindings.iter())
            .filter(|(key, _)| key.starts_with("vault:"))
            .map(|(_, name)| name.as_str())
            .collect();
        let mut left = leftovers(&self.resources);
        left.retain(|resource| !theirs.contains(resource.vault.as_str()));
        self.earlier.left = left;
        self.earlier
    }
}

impl Run<'_> {
    /// Removes what an earlier run left, judges its cases again, and says which need not be run any more.
    pub(super) async fn take_up(&mut self, earlier: Earlier) -> BTreeSet<String> {
        self.hand.clear(&earlier.left, BRIEFLY).await;
        self.waiting = earlier.waiting;
        let mut done = BTreeSet::new();
        for (id, scenario, records) in earlier.cases {
            let played = self.hand.remembered(records);
            let case = self
                .judge()
                .weigh(id.clone(), scenario, played, Duration::ZERO)
                .await;
            self.take(case);
            done.insert(id);
        }
        done
    }
}
