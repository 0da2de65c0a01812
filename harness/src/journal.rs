//! The journal of a run: append-only lines of JSON, written before and after everything that matters.
//! From it a run is judged again, a report is made, and what an interrupted run left behind is removed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crevasse_core::check::Record;

use crate::event::{Event, RunStarted};

mod guard;

use guard::Guard;

pub use guard::{Left, leftovers};

/// Names the format and its version; the first line of a journal says it.
pub const SCHEMA: &str = "crevasse.journal/1";

/// The file of a journal in its run folder.
pub const FILE: &str = "journal.jsonl";

/// What kind of thing a run made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A vault. Its id is its name.
    Vault,
    /// An archive.
    Archive,
    /// A multipart upload.
    Upload,
    /// A job. Jobs cannot be removed; they end by themselves.
    Job,
    /// A vault lock.
    Lock,
    /// The data retrieval policy of the account as it was before the run changed it: its id is the policy, as JSON; it is in no vault.
    RetrievalPolicy,
}

impl Kind {
    /// Whether it is to be undone once it is asked for, whatever the answer was.
    fn counts_from_intent(self) -> bool {
        matches!(self, Self::Vault | Self::RetrievalPolicy)
    }
}

/// Something a run made or changed, or was about to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// Its kind.
    pub kind: Kind,
    /// The name of the vault it is, or is in; empty when it is the account's.
    pub vault: String,
    /// Its id, once the target gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Resource {
    /// A vault.
    pub fn vault(name: &str) -> Self {
        Self {
            kind: Kind::Vault,
            vault: name.to_owned(),
            id: None,
        }
    }

    /// The data retrieval policy of the account.
    pub fn retrieval_policy(former: &Value) -> Self {
        Self {
            kind: Kind::RetrievalPolicy,
            vault: String::new(),
            id: Some(former.to_string()),
        }
    }
}

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Header {
        /// [`SCHEMA`].
        schema: String,
        /// What the run is.
        run: RunStarted,
    },
    /// A resource is about to be asked for.
    Intent(Resource),
    /// The target says it made it.
    Made(Resource),
    /// It is gone: the target said so.
    Gone(Resource),
    /// A case begins.
    Case {
        /// The case.
        case: String,
        /// Its scenario as YAML.
        scenario: String,
    },
    /// One request of a case and its answer.
    Record {
        /// The case.
        case: String,
        /// What was sent and came back.
        record: Box<Record>,
    },
    /// All records of a case are written.
    CaseFinished {
        /// The case.
        case: String,
    },
    /// All records so far of a case are written that was cut short.
    CaseCut {
        /// The case.
        case: String,
        /// Whether it waits for a job, with all it made, and can go on.
        waits: bool,
    },
    /// Something that cannot be judged again from the records: capabilities, leaks, reproductions, the end.
    Event(Box<Event>),
}

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refuses.
    #[error("open or write the journal {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("write the journal {path}: another run or clean-up is at work on it")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It is not a journal, or one of another version.
    #[error("read {path} as a journal: the first line is not that of {SCHEMA}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A line before the last is broken.
    #[error(
        "read line {line} of the journal {path}: {text}; `crevasse cleanup` goes by the other lines"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        text: String,
    },
}

/// A journal that is being written, or a place that forgets everything.
#[derive(Debug, Default)]
pub struct Journal {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// Whether a last line was dropped that had no end.
    cut_off: bool,
}

#[derive(Debug)]
struct Writer {
    file: BufWriter<File>,
    /// Where the journal is there for cleaning up alone.
    guard: Option<Guard>,
}

impl Journal {
    /// Creates the folder and the journal of a run in it.
    ///
    /// # Errors
    /// When the folder or file cannot be made, or a journal is there already.
    pub fn create(folder: &Path, run: &RunStarted) -> Result<Self, JournalError> {
        Self::begin(folder, run, None)
    }

    /// The same for a run that is only to be cleaned up after: it keeps no line but those about resources, and is written anew
    /// without what is gone before it grows large.
    ///
    /// # Errors
    /// When the folder or file cannot be made, or a journal is there already.
    pub fn guarding(folder: &Path, run: &RunStarted) -> Result<Self, JournalError> {
        Self::begin(folder, run, Some(Guard::new(header(run))))
    }

    fn begin(folder: &Path, run: &RunStarted, guard: Option<Guard>) -> Result<Self, JournalError> {
        let path = folder.join(FILE);
        let failed = |source| JournalError::File {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        alone(&path, &file)?;
        let journal = Self::of(path, file, guard, false);
        journal.write(&header(run))?;
        Ok(journal)
    }

    /// Opens the journal of an earlier run to go on with it, for this process alone. A last line that was cut off is dropped.
    ///
    /// # Errors
    /// When it cannot be opened for reading and writing, or another process writes it.
    pub fn reopen(path: &Path) -> Result<Self, JournalError> {
        let path = file_of(path);
        let failed = |source| JournalError::File {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        // Whoever writes it may be in the middle of a line, which is not to be taken for one that was cut off.
        alone(&path, &file)?;
        let cut_off = cut_to_whole_lines(&mut file).map_err(failed)?;
        Ok(Self::of(path, file, None, cut_off))
    }

    fn of(path: PathBuf, file: File, guard: Option<Guard>, cut_off: bool) -> Self {
        let file = BufWriter::new(file);
        let writer = Mutex::new(Writer { file, guard });
        Self {
            open: Some(Open {
                path,
                writer,
                cut_off,
            }),
        }
    }

    /// A journal that keeps nothing: for runs within a test, where nothing outlives the process.
    pub fn discarding() -> Self {
        Self::default()
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.open.as_ref().map(|open| open.path.as_path())
    }

    /// Whether the last line was cut off and dropped when the journal was opened again.
    pub fn was_cut_off(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.cut_off)
    }

    /// Appends a line. An intent is in the file when this returns, and with it all lines before: they outlive this process, however
    /// it ends.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, line: &Line) -> Result<(), JournalError> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let failed = |source| JournalError::File {
            path: open.path.clone(),
            source,
        };
        let mut writer = open.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Writer { file, guard } = &mut *writer;
        if guard.as_mut().is_some_and(|guard| !guard.note(line)) {
            return Ok(());
        }
        put(line, file).map_err(failed)?;
        if !matches!(line, Line::Record { .. }) {
            file.flush().map_err(failed)?;
        }
        if let Some(guard) = guard.as_mut().filter(|guard| guard.is_due()) {
            *file = guard.write_anew(&open.path).map_err(failed)?;
        }
        Ok(())
    }
}

fn header(run: &RunStarted) -> Line {
    Line::Header {
        schema: SCHEMA.to_owned(),
        run: run.clone(),
    }
}

/// A line as it stands in the file.
fn put(line: &Line, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

/// A journal that is being read, line by line.
pub struct Reader {
    path: PathBuf,
    lines: io::Split<Box<dyn BufRead + Send>>,
    ahead: Option<io::Result<Vec<u8>>>,
    number: usize,
    broken: usize,
    truncated: bool,
    run: RunStarted,
}

impl Reader {
    /// Opens a journal: the file itself, or the folder it is in.
    ///
    /// # Errors
    /// When it cannot be opened, is no journal, or is one of another version.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let path = file_of(path);
        let file = File::open(&path).map_err(|source| JournalError::File {
            path: path.clone(),
            source,
        })?;
        Self::of(path, Box::new(BufReader::new(file)))
    }

    /// Reads what was opened already; the path is for messages.
    pub(crate) fn of(path: PathBuf, source: Box<dyn BufRead + Send>) -> Result<Self, JournalError> {
        let mut lines = source.split(b'\n');
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        match serde_json::from_slice(&first) {
            Ok(Line::Header { schema, run }) if schema == SCHEMA => {
                let ahead = lines.next();
                Ok(Self {
                    path,
                    lines,
                    ahead,
                    number: 1,
                    broken: 0,
                    truncated: false,
                    run,
                })
            }
            _ => Err(JournalError::NotAJournal { path }),
        }
    }

    /// What the run is.
    pub fn run(&self) -> &RunStarted {
        &self.run
    }

    /// Whether the last line was cut off, once all lines were read. What it said is lost; all before it counts.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// Lines read so far.
    pub fn lines_read(&self) -> usize {
        self.number - self.broken
    }
}

impl Iterator for Reader {
    type Item = Result<Line, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = match self.ahead.take()? {
            Ok(bytes) => bytes,
            Err(source) => {
                return Some(Err(JournalError::File {
                    path: self.path.clone(),
                    source,
                }));
            }
        };
        self.ahead = self.lines.next();
        match serde_json::from_slice(&bytes) {
            Err(_) if self.ahead.is_none() => {
                self.truncated = true;
                None
            }
            read => {
                self.number += 1;
                self.broken += usize::from(read.is_err());
                Some(read.map_err(|error| JournalError::Broken {
                    path: self.path.clone(),
                    line: self.number,
                    text: error.to_string(),
                }))
            }
        }
    }
}

/// The file of a journal, named itself or by the folder it is in.
fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(FILE)
    } else {
        path.to_owned()
    }
}

/// Takes a file for this process alone, as long as it is open.
fn alone(path: &Path, file: &File) -> Result<(), JournalError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy {
            path: path.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Drops what stands behind the last line break, and goes there; says whether anything did.
fn cut_to_whole_lines(file: &mut File) -> io::Result<bool> {
    let (whole, length) = (whole_lines(file)?, file.metadata()?.len());
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok(whole < length)
}

/// Bytes up to and with the last line break.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = vec![0; 64 << 10];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(place) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + place as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
