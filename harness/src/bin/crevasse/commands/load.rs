//! Reports that are there already: a file of JSON, or what the journal of a run tells.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use crevasse::exit;
use crevasse::found::Found;
use crevasse::journal::{FILE, Reader};
use crevasse::report::Report;
use crevasse::report::assemble::assemble;
use crevasse::report::document::SCHEMA;
use crevasse::run::runs;

use super::{failed, read};

/// The name of the latest run, where a run is asked for.
pub(crate) const LATEST: &str = "latest";

/// The report in the folder of a run.
const REPORT: &str = "report.json";

/// A report, and why it does not tell the whole run, if it does not.
pub(crate) struct Loaded {
    pub(crate) report: Report,
    pub(crate) cut: Option<Cut>,
}

/// What of a journal could not be read.
pub(crate) struct Cut {
    /// What is wrong, and what could be read.
    pub(crate) message: String,
    /// The exit code that says so.
    pub(crate) code: u8,
}

/// Loads a report by its file, or by the journal, the folder or the id of its run. Runs are kept in `run_dir`, if not where they
/// usually are.
pub(crate) fn load(name: &Path, run_dir: Option<&Path>) -> anyhow::Result<Loaded> {
    let mut path = locate(name, run_dir)?;
    // Runs within a process keep no journal.
    if path.is_dir() && !path.join(FILE).exists() && path.join(REPORT).exists() {
        path.push(REPORT);
    }
    if path.is_dir() || is_journal(&path)? {
        return recorded(&path);
    }
    let report: Report = serde_json::from_str(&read(&path)?)
        .with_context(|| format!("failed to read {} as a report ({SCHEMA})", path.display()))?;
    if report.schema != SCHEMA {
        bail!(
            "failed to read {}: it is of the schema {:?}, and {SCHEMA} is understood",
            path.display(),
            report.schema
        );
    }
    Ok(Loaded { report, cut: None })
}

fn locate(name: &Path, run_dir: Option<&Path>) -> anyhow::Result<PathBuf> {
    if name.exists() {
        return Ok(name.to_owned());
    }
    let folder = run_dir.map_or_else(runs, Path::to_path_buf);
    let run = if name == Path::new(LATEST) {
        let id = std::fs::read_to_string(folder.join(LATEST))
            .context("failed to find an earlier run; name its report or its folder")?;
        folder.join(id.trim())
    } else {
        folder.join(name)
    };
    if !run.is_dir() {
        bail!(
            "there is neither a file nor a run called {} (of the runs in {}, where only the latest stay; --run-dir names another folder, and the file of a written JSON report does as well)",
            name.display(),
            folder.display()
        );
    }
    Ok(run)
}

/// Whether a file begins as journals do.
fn is_journal(path: &Path) -> anyhow::Result<bool> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .with_context(|| format!("failed to read {}", path.display()))?;
    Ok(head.starts_with(b"{\"header\"") || path.extension().is_some_and(|end| end == "jsonl"))
}

fn recorded(path: &Path) -> anyhow::Result<Loaded> {
    let mut journal = Reader::open(path).map_err(failed)?;
    let (mut found, broken) = Found::recorded(&mut journal);
    let read = format!(
        "{} lines with {} judged cases could be read",
        journal.lines_read(),
        found.cases
    );
    let cut = if let Some(error) = broken {
        Some(Cut {
            message: format!("failed to {error}; {read}"),
            code: exit::USAGE,
        })
    } else if !found.ended {
        let message = format!("the journal stops before the run ended; {read}");
        let code = exit::INCOMPLETE;
        Some(Cut { message, code })
    } else {
        None
    };
    if let Some(cut) = &cut {
        found.terms.notes.insert(0, cut.message.clone());
    }
    let report = assemble(journal.run(), &found);
    Ok(Loaded { report, cut })
}
