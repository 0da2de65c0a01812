//! One judged run for many processes: nextest gives each test a process of its own, and names the run they belong to.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crevasse_core::treehash::sha256;

use super::outcome::Outcomes;
use crate::run::runs;

/// What nextest calls its run.
const RUN_ID: &str = "NEXTEST_RUN_ID";
/// Runs older than this are over.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Whether this process runs only some of the tests of a run.
pub(super) fn is_shared() -> bool {
    std::env::var_os(RUN_ID).is_some()
}

/// What another process of the same run found, if one has.
pub(super) fn known() -> Option<Outcomes> {
    read(&place()?)
}

/// Judges, or waits for the process that does and reads what it found.
pub(super) fn once(judge: impl FnOnce() -> Outcomes) -> Outcomes {
    match place() {
        Some(place) => once_at(&place, judge),
        None => judge(),
    }
}

/// Where the outcomes of this test target in this run are kept.
fn place() -> Option<PathBuf> {
    let run = std::env::var(RUN_ID).ok()?;
    let target = std::env::current_exe().ok()?;
    let key = format!("{run} {}", target.display());
    let name = sha256(key.as_bytes()).to_string();
    Some(runs().join("nextest").join(format!("{name}.json")))
}

fn once_at(place: &Path, judge: impl FnOnce() -> Outcomes) -> Outcomes {
    // The lock goes with its file, also when a process is killed.
    let Ok(_lock) = locked(place) else {
        return judge();
    };
    if let Some(outcomes) = read(place) {
        return outcomes;
    }
    let outcomes = judge();
    // Who cannot read it judges again: slower, and as right.
    let _ = write(place, &outcomes);
    outcomes
}

fn locked(place: &Path) -> io::Result<File> {
    let folder = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    forget_old(folder);
    let file = File::create(place.with_extension("lock"))?;
    file.lock()?;
    Ok(file)
}

fn read(place: &Path) -> Option<Outcomes> {
    serde_json::from_slice(&fs::read(place).ok()?).ok()
}

fn write(place: &Path, outcomes: &Outcomes) -> io::Result<()> {
    let unfinished = place.with_extension("unfinished");
    fs::write(&unfinished, serde_json::to_vec(outcomes)?)?;
    fs::rename(unfinished, place)
}

fn forget_old(folder: &Path) {
    let Some(since) = SystemTime::now().checked_sub(DAY) else {
        return;
    };
    let old = |entry: &fs::DirEntry| {
        let changed = entry.metadata().and_then(|about| about.modified());
        changed.is_ok_and(|changed| changed < since)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(old) {
        let _ = fs::remove_file(entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Outcome;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn one_of_many_judges_and_the_others_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("run.json");
        let judged = AtomicUsize::new(0);
        let judge = || {
            judged.fetch_add(1, Ordering::SeqCst);
            Outcomes::from([("a".to_owned(), Outcome::Ignored("why".to_owned()))])
        };
        std::thread::scope(|scope| {
            let one = || once_at(&place, judge);
            let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            for each in all {
                assert_eq!(
                    each.join().unwrap()["a"],
                    Outcome::Ignored("why".to_owned())
                );
            }
        });
        assert_eq!(judged.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn half_a_file_of_a_killed_process_is_judged_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("run.json");
        fs::write(&place, "{\"a\":").unwrap();
        assert!(once_at(&place, Outcomes::new).is_empty());
        assert_eq!(fs::read_to_string(&place).unwrap(), "{}");
    }
}
