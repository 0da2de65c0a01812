//! Takes up an interrupted run from its journal: what was done is judged again, what waits goes on, the rest is left to be run.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Take;
use std::path::Path;
use std::time::Duration;

use crevasse_core::check::Record;
use crevasse_core::scenario::Scenario;

use super::Run;
use crate::event::{Event, RunStarted};
use crate::execute::End;
use crate::journal::{Journal, JournalError, Left, Line, Reader, Resource};

/// How long the inventory of a vault that cannot be removed may take before the run goes on without it.
const BRIEFLY: Duration = Duration::from_secs(10);

/// What an earlier run left: nothing, for one that begins.
#[derive(Default)]
pub struct Earlier {
    /// The lines it wrote, to be read once more: all its cases together may be more than memory holds.
    lines: Option<Take<Reader>>,
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
        let lines = Reader::open(folder)?.take(reading.lines);
        journal.write(&Line::Event(Box::new(Event::Resumed { prefix })))?;
        Ok(TakenUp {
            journal,
            run,
            earlier: reading.finish(lines),
        })
    }
}

/// What the lines of a journal told so far.
#[derive(Default)]
struct Reading {
    lines: usize,
    cases: Begun,
    waiting: BTreeMap<String, Vec<Record>>,
    left: Left,
    resumed: usize,
}

impl Reading {
    fn take(&mut self, line: Line) -> Result<(), ResumeError> {
        self.lines += 1;
        self.left.note(&line);
        match &line {
            // It went on, whether or not it came to its end.
            Line::Case { case, .. } => {
                self.waiting.remove(case);
            }
            Line::Event(event) => {
                self.resumed += usize::from(matches!(**event, Event::Resumed { .. }));
            }
            _ => {}
        }
        let ended = self.cases.take(line)?;
        let waits = ended.filter(|ended| ended.end == End::Waits);
        self.waiting
            .extend(waits.map(|waits| (waits.case, waits.records)));
        Ok(())
    }

    /// What is left belongs to nobody but the cases that wait.
    fn finish(self, lines: Take<Reader>) -> Earlier {
        let latest = self.waiting.values().filter_map(|records| records.last());
        let theirs: BTreeSet<&str> = latest
            .flat_map(|record| record.bindings.iter())
            .filter(|(key, _)| key.starts_with("vault:"))
            .map(|(_, name)| name.as_str())
            .collect();
        let mut left = self.left.latest_first();
        left.retain(|resource| !theirs.contains(resource.vault.as_str()));
        Earlier {
            lines: Some(lines),
            left,
            waiting: self.waiting,
        }
    }
}

/// Cases whose lines are being read.
#[derive(Default)]
struct Begun(BTreeMap<String, (Scenario, Vec<Record>)>);

/// A case whose lines are all read.
struct Ended {
    case: String,
    scenario: Scenario,
    records: Vec<Record>,
    end: End,
}

impl Begun {
    /// Takes a line in; tells of the case that ends with it.
    fn take(&mut self, line: Line) -> Result<Option<Ended>, ResumeError> {
        match line {
            Line::Case { case, scenario } => {
                let scenario = Scenario::parse(&scenario).map_err(|error| {
                    let (case, text) = (case.clone(), error.to_string());
                    ResumeError::Scenario { case, text }
                })?;
                self.0.insert(case, (scenario, Vec::new()));
            }
            Line::Record { case, record } => {
                if let Some((_, records)) = self.0.get_mut(&case) {
                    records.push(*record);
                }
            }
            Line::CaseFinished { case } => return Ok(self.end(case, End::Whole)),
            Line::CaseCut { case, waits: true } => return Ok(self.end(case, End::Waits)),
            Line::CaseCut { case, waits: false } => return Ok(self.end(case, End::Cut)),
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self, case: String, end: End) -> Option<Ended> {
        let (scenario, records) = self.0.remove(&case)?;
        Some(Ended {
            case,
            scenario,
            records,
            end,
        })
    }
}

impl Run<'_> {
    /// Removes what an earlier run left, judges its cases again, and says which need not be run any more.
    pub(super) async fn take_up(&mut self, earlier: Earlier) -> BTreeSet<String> {
        self.hand.clear(&earlier.left, BRIEFLY).await;
        self.waiting = earlier.waiting;
        let (mut cases, mut done) = (Begun::default(), BTreeSet::new());
        for line in earlier.lines.into_iter().flatten() {
            let ended = line
                .map_err(ResumeError::from)
                .and_then(|line| cases.take(line));
            match ended {
                Ok(Some(ended)) if ended.end == End::Whole => {
                    done.insert(ended.case.clone());
                    self.judge_again(ended).await;
                }
                Ok(_) => {}
                Err(error) => {
                    self.fault(None, format!("failed to {error}"));
                    break;
                }
            }
        }
        done
    }

    async fn judge_again(&mut self, ended: Ended) {
        let played = self.hand.remembered(ended.records);
        let case = self
            .judge()
            .weigh(ended.case, ended.scenario, played, Duration::ZERO)
            .await;
        self.take(case);
    }
}
