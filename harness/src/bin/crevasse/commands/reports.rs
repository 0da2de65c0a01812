//! The reports asked for on the command line: parsed before a run, written after it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use crevasse::report::{Format, Report, write};

use super::failed;

/// Formats and the files they go to.
#[derive(Debug, Default)]
pub(crate) struct Outputs(Vec<(Format, PathBuf)>);

impl Outputs {
    /// Reads `FORMAT=PATH`, and all formats for a folder.
    pub(crate) fn parse(wanted: &[String], folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut outputs = Vec::new();
        for text in wanted {
            let (format, path) = text.split_once('=').with_context(|| {
                format!("a report is FORMAT=PATH, such as json=report.json, not `{text}`")
            })?;
            if path == "-" {
                bail!("a report goes to a file, and `{text}` names none");
            }
            let format = format.parse::<Format>().map_err(failed)?;
            outputs.push((format, PathBuf::from(path)));
        }
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to make {}", folder.display()))?;
            outputs.extend(Format::ALL.map(|format| (format, folder.join(format.file_name()))));
        }
        outputs
            .iter()
            .try_for_each(|(_, path)| can_be_written(path))?;
        Ok(Self(outputs))
    }

    /// Writes them all.
    pub(crate) fn write(&self, report: &Report) -> anyhow::Result<()> {
        for (format, path) in &self.0 {
            std::fs::write(path, write(report, *format))
                .with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(())
    }
}

/// Writes a file that somebody may have written in: what was there stays in place until all that is new is written.
pub(crate) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let unfinished = path.with_added_extension("unfinished");
    let written =
        std::fs::write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, &path));
    written
        .inspect_err(|_| drop(std::fs::remove_file(&unfinished)))
        .with_context(|| format!("failed to write {}", path.display()))
}

/// Makes sure of a file before the work that it is for; one that is not there yet is not there after this either.
pub(crate) fn can_be_written(path: &Path) -> anyhow::Result<()> {
    let there = path.symlink_metadata().ok();
    // To open a pipe is to begin with it.
    if there
        .as_ref()
        .is_some_and(|there| !there.is_file() && !there.is_dir())
    {
        return Ok(());
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("failed to write {}", path.display()))?;
    if there.is_none() {
        std::fs::remove_file(path)
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}
