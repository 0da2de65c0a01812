//! The reports asked for on the command line: parsed before a run, written after it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use crevasse::report::Report;
use crevasse_core::nearest::nearest;

/// Formats and the files they go to.
#[derive(Debug, Default)]
pub(crate) struct Outputs(Vec<(&'static str, PathBuf)>);

const FORMATS: [(&str, &str); 1] = [("json", "report.json")];

impl Outputs {
    /// Reads `FORMAT=PATH`, and all formats for a folder.
    pub(crate) fn parse(wanted: &[String], folder: Option<&Path>) -> anyhow::Result<Self> {
        let mut outputs = Vec::new();
        for text in wanted {
            let (format, path) = text.split_once('=').with_context(|| format!("a report is FORMAT=PATH, such as json=report.json, not `{text}`"))?;
            outputs.push((known(format)?, PathBuf::from(path)));
        }
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
            outputs.extend(FORMATS.iter().map(|(format, name)| (*format, folder.join(name))));
        }
        Ok(Self(outputs))
    }

    /// Writes them all.
    pub(crate) fn write(&self, report: &Report) -> anyhow::Result<()> {
        for (format, path) in &self.0 {
            std::fs::write(path, rendered(format, report)).with_context(|| format!("failed to write {}", path.display()))?;
        }
        Ok(())
    }
}

fn known(format: &str) -> anyhow::Result<&'static str> {
    let names = FORMATS.map(|(name, _)| name);
    match names.iter().find(|name| **name == format) {
        Some(name) => Ok(name),
        None => {
            let near = nearest(format, names).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            bail!("no report format is called `{format}`{near} There are: {}", names.join(", "))
        }
    }
}

fn rendered(format: &str, report: &Report) -> String {
    match format {
        "json" => serde_json::to_string_pretty(report).expect("a report is a tree of texts and numbers") + "\n",
        _ => unreachable!("formats are known by name"),
    }
}
