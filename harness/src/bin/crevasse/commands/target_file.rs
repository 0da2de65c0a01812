//! The file of `--target`: what a target is called, what it is said to have, and what it takes to ask it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, anyhow};
use crevasse::event::TargetFacts;
use crevasse::execute::{Patience, Target};
use crevasse_core::spec::OperationName;
use serde::Deserialize;

use super::read;
use crate::args::{Time, host};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetFile {
    label: String,
    #[serde(default)]
    version: Option<String>,
    /// The operations that it is said to have: without one of them a run fails.
    #[serde(default)]
    operations: BTreeSet<OperationName>,
    /// The Host header, where a server routes by name. The command line may name another.
    #[serde(default)]
    host_header: Option<String>,
    /// How long jobs may take before they count as unresolved, by tier: `{Expedited: 10m, Standard: 6h}`.
    #[serde(default)]
    patience: BTreeMap<Tier, String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Tier {
    Expedited,
    Standard,
    Bulk,
}

impl TargetFile {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        serde_yaml::from_str(&read(path)?)
            .with_context(|| format!("failed to read {} as a target file", path.display()))
    }

    pub(crate) fn facts(self) -> TargetFacts {
        TargetFacts {
            label: self.label,
            version: self.version,
            operations: self.operations,
        }
    }

    /// Tells a target what the file says of it.
    pub(crate) fn describe(&self, target: &mut Target) -> anyhow::Result<()> {
        if let (None, Some(name)) = (&target.host_header, &self.host_header) {
            let name =
                host(name).map_err(|error| anyhow!("host_header of the target file: {error}"))?;
            target.host_header = Some(name);
        }
        self.bear(&mut target.patience)
    }

    /// Makes a run as patient as the file says.
    fn bear(&self, patience: &mut Patience) -> anyhow::Result<()> {
        for (tier, time) in &self.patience {
            let time: Time = time.parse().map_err(|error: String| anyhow!(error))?;
            match tier {
                Tier::Expedited => patience.expedited = time.0,
                Tier::Standard => patience.standard = time.0,
                Tier::Bulk => patience.bulk = time.0,
            }
        }
        Ok(())
    }
}
