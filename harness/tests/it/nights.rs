//! Nights of fuzzing that are killed: the next tells what they found, and nothing stays on the server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crevasse_reference::{Options, fault};
use serde_json::Value;

use crate::command::{crevasse, said};
use crate::interrupted::Reference;

/// What no run of the machine these tests are on may take longer than.
const PATIENCE: Duration = Duration::from_secs(60);

fn fuzz(server: &Reference, corpus: &Path, words: &[&str]) -> Command {
    let mut command = crevasse();
    command.args([
        "fuzz",
        "--endpoint",
        &server.endpoint,
        "-j",
        "2",
        "--corpus",
    ]);
    command.arg(corpus).args(words);
    command
}

/// What the state of a corpus says of findings.
#[derive(Debug, Default)]
struct Findings {
    /// The cause of each by fingerprint.
    causes: BTreeMap<String, String>,
    told: BTreeSet<String>,
}

impl Findings {
    /// Those on disk. A line that is being written does not count.
    fn of(corpus: &Path) -> Self {
        let mut findings = Self::default();
        let text = std::fs::read_to_string(corpus.join("state.jsonl")).unwrap_or_default();
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            let line: Value = serde_json::from_str(line).unwrap();
            if let Some(found) = line.get("found") {
                let text = |name: &str| found[name].as_str().unwrap().to_owned();
                findings.causes.insert(text("fingerprint"), text("cause"));
            }
            if let Some(told) = line.get("told") {
                let fingerprint = told["fingerprint"].as_str().unwrap();
                findings.told.insert(fingerprint.to_owned());
            }
        }
        findings
    }

    /// Found, and nobody was told yet.
    fn pending(&self) -> BTreeSet<&String> {
        let all = self.causes.keys();
        all.filter(|found| !self.told.contains(*found)).collect()
    }
}

/// Kills a night with SIGKILL as soon as it found something that it did not tell yet.
fn kill_with_findings(mut night: Child, corpus: &Path) -> Findings {
    let begun = Instant::now();
    while Findings::of(corpus).pending().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no finding yet");
        assert!(night.try_wait().unwrap().is_none(), "it ended by itself");
        sleep(Duration::from_millis(5));
    }
    night.kill().unwrap();
    night.wait().unwrap();
    Findings::of(corpus)
}

#[test]
fn a_night_that_is_killed_loses_no_finding_and_leaves_nothing() {
    let corpus = tempfile::tempdir().unwrap();
    let server = Reference::start(Options {
        faults: vec![fault::find("archive-hash-linear").unwrap()],
        ..Options::default()
    });
    let night = fuzz(&server, corpus.path(), &["--max-time", "10m"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let before = kill_with_findings(night, corpus.path());
    let next = fuzz(&server, corpus.path(), &["-n", "1"]).output().unwrap();
    let (after, said) = (Findings::of(corpus.path()), said(&next));
    for (fingerprint, cause) in &before.causes {
        assert!(after.told.contains(fingerprint), "{cause}:\n{said}");
        let told_before = |known: &&String| before.causes[*known] == *cause;
        let is_news = !before.told.iter().any(|known| told_before(&known));
        let of_cause = before.causes.iter().filter(|(_, other)| *other == cause);
        let named = of_cause.map(|(known, _)| format!("{known}.yaml"));
        assert!(
            !is_news || named.into_iter().any(|file| said.contains(&file)),
            "{cause} is not told:\n{said}"
        );
    }
    assert_eq!(server.vaults(), Vec::<Value>::new());
}
