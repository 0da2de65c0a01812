//! The reports asked for on the command line: parsed before a run, written after it.

use std::path::{Path, PathBuf};

use anyhow::Context;
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
            let format = format.parse::<Format>().map_err(failed)?;
            outputs.push((format, PathBuf::from(path)));
        }
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to make {}", folder.display()))?;
            outputs.extend(Format::ALL.map(|format| (format, folder.join(format.file_name()))));
        }
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
