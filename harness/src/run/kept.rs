//! What runs leave for `crevasse replay`, `report` and `cleanup`: one folder a run, and the name of the latest.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::report::Report;

/// So many runs are kept where nobody says where, besides those that left something behind: nights must not fill a disk.
const KEPT: usize = 20;

/// Where runs are kept when nobody says where.
pub fn runs() -> PathBuf {
    std::env::temp_dir().join("crevasse")
}

/// Keeps a report in the folder of its run, and notes it as the latest. In [`runs`], the oldest go.
///
/// # Errors
/// When the file system refuses.
pub fn keep(at: &Path, report: &Report) -> io::Result<()> {
    let folder = at.join(&report.run.id);
    fs::create_dir_all(&folder)?;
    let file = fs::File::create(folder.join("report.json"))?;
    report.write_json(io::BufWriter::new(file))?;
    fs::write(at.join("latest"), &report.run.id)?;
    if at == runs() {
        forget(at, KEPT)?;
    }
    Ok(())
}

/// Removes all but the latest runs that came to their end. One that may go on, or left something behind, stays, and so does what is
/// none of ours.
fn forget(at: &Path, kept: usize) -> io::Result<()> {
    let mut ended = Vec::new();
    for entry in fs::read_dir(at)? {
        let folder = entry?.path();
        if let Ok(report) = fs::symlink_metadata(folder.join("report.json")) {
            ended.push((Reverse(report.modified()?), folder));
        }
    }
    ended.sort();
    for (_, folder) in ended.into_iter().skip(kept) {
        if is_over(&folder) {
            // Another run may be at it as well, and a folder with other files in it is not removed.
            let _ = fs::remove_file(folder.join("journal.jsonl"));
            let _ = fs::remove_file(folder.join("report.json"));
            let _ = fs::remove_dir(&folder);
        }
    }
    Ok(())
}

/// Whether a run needs its journal no more: it was complete, and nothing of it is left.
fn is_over(folder: &Path) -> bool {
    #[derive(Deserialize)]
    struct Kept {
        run: Run,
        leaks: Vec<IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Run {
        complete: bool,
    }
    let report = fs::read(folder.join("report.json"));
    let kept = report.map(|report| serde_json::from_slice::<Kept>(&report));
    matches!(kept, Ok(Ok(kept)) if kept.run.complete && kept.leaks.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    use super::*;

    const OVER: &str = r#"{"run": {"complete": true}, "leaks": []}"#;

    fn run(at: &Path, seconds_ago: u64, name: &str, report: &str) {
        let folder = at.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("journal.jsonl"), "").unwrap();
        let mut file = fs::File::create(folder.join("report.json")).unwrap();
        file.write_all(report.as_bytes()).unwrap();
        let written = SystemTime::now() - Duration::from_secs(seconds_ago);
        file.set_modified(written).unwrap();
    }

    #[test]
    fn the_oldest_go_unless_somebody_needs_them() {
        let at = tempfile::tempdir().unwrap();
        let leaky = OVER.replace("[]", r#"[{"kind": "vault"}]"#);
        run(at.path(), 5, "oldest", OVER);
        run(at.path(), 4, "cut", &OVER.replace("true", "false"));
        run(at.path(), 3, "leaky", &leaky);
        run(at.path(), 2, "damaged", "{");
        run(at.path(), 1, "latest", OVER);
        fs::create_dir(at.path().join("killed")).unwrap();
        forget(at.path(), 1).unwrap();
        let left = fs::read_dir(at.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["cut", "damaged", "killed", "latest", "leaky"]);
    }
}
