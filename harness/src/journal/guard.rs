//! What a journal guards: resources that are to be removed, should the run end before it did so itself.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use indexmap::IndexSet;

use super::{Kind, Line, Resource, put};

/// Lines after which a journal may be written anew.
const MANY: usize = 2000;

/// What a run made, or may have made, and did not remove: latest first, so that removing in this order works.
pub fn leftovers<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Vec<Resource> {
    let mut left = Left::default();
    lines.into_iter().for_each(|line| left.note(line));
    left.latest_first()
}

/// Resources that are there, in the order made, as the lines of a journal told so far.
#[derive(Debug, Default)]
pub struct Left(IndexSet<Resource>);

impl Left {
    /// What is to be removed, in an order in which it can be.
    pub fn latest_first(self) -> Vec<Resource> {
        self.0.into_iter().rev().collect()
    }

    /// Takes note of a line; those that do not tell of resources say nothing.
    pub fn note(&mut self, line: &Line) {
        match line {
            Line::Intent(resource) if resource.kind.counts_from_intent() => {
                self.0.insert(resource.clone());
            }
            Line::Made(resource) if resource.kind != Kind::Job => {
                self.0.insert(resource.clone());
            }
            Line::Gone(resource) => {
                self.0.shift_remove(resource);
                if resource.kind == Kind::Vault {
                    self.0.retain(|other| other.vault != resource.vault);
                }
            }
            _ => {}
        }
    }
}

/// Follows a journal that is there for cleaning up alone.
#[derive(Debug)]
pub(super) struct Guard {
    header: Line,
    left: Left,
    /// Lines in the file.
    lines: usize,
}

impl Guard {
    pub(super) fn new(header: Line) -> Self {
        Self {
            header,
            left: Left::default(),
            lines: 0,
        }
    }

    /// Takes note of a line, and says whether it belongs in the journal.
    pub(super) fn note(&mut self, line: &Line) -> bool {
        self.left.note(line);
        let kept = matches!(
            line,
            Line::Header { .. } | Line::Intent(_) | Line::Made(_) | Line::Gone(_)
        );
        self.lines += usize::from(kept);
        kept
    }

    /// Whether most lines of a large file tell of what is gone.
    pub(super) fn is_due(&self) -> bool {
        self.lines >= MANY && self.lines >= 2 * self.left.0.len()
    }

    /// Puts a file in place of the journal that has only what is there. Killed at any moment, one of the two is whole and in place.
    pub(super) fn write_anew(&mut self, path: &Path) -> io::Result<BufWriter<File>> {
        let unfinished = path.with_extension("unfinished");
        let file = File::create(&unfinished)?;
        file.try_lock()?;
        let mut writer = BufWriter::new(file);
        put(&self.header, &mut writer)?;
        for resource in &self.left.0 {
            let line = match resource.kind.counts_from_intent() {
                true => Line::Intent(resource.clone()),
                false => Line::Made(resource.clone()),
            };
            put(&line, &mut writer)?;
        }
        writer.flush()?;
        writer.get_ref().sync_all()?;
        std::fs::rename(unfinished, path)?;
        self.lines = 1 + self.left.0.len();
        Ok(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::run;
    use super::super::{FILE, Journal, Reader};
    use super::*;

    fn vault(number: usize) -> Resource {
        Resource::vault(&format!("v{number}"))
    }

    fn archive(number: usize) -> Resource {
        Resource {
            kind: Kind::Archive,
            id: Some("a".to_owned()),
            ..vault(number)
        }
    }

    fn left(folder: &Path) -> Vec<Resource> {
        let lines: Vec<Line> = Reader::open(folder).unwrap().map(Result::unwrap).collect();
        leftovers(&lines)
    }

    #[test]
    fn a_night_of_any_length_has_a_short_journal_that_knows_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::guarding(folder.path(), &run()).unwrap();
        let (file, mut most) = (folder.path().join(FILE), 0);
        for number in 0..4000 {
            journal.write(&Line::Intent(vault(number))).unwrap();
            journal.write(&Line::Made(vault(number))).unwrap();
            journal.write(&Line::Made(archive(number))).unwrap();
            if number >= 3 && number % 1000 != 0 {
                journal.write(&Line::Gone(vault(number - 3))).unwrap();
            }
            most = most.max(file.metadata().unwrap().len());
        }
        assert!(most < 300_000, "{most}");
        let there = [3999, 3998, 3997, 2997, 1997, 997];
        let both = there
            .into_iter()
            .flat_map(|number| [archive(number), vault(number)]);
        assert_eq!(left(folder.path()), both.collect::<Vec<_>>());
    }

    #[test]
    fn a_policy_is_to_be_put_back_until_it_is() {
        let policy = Resource::retrieval_policy(&serde_json::json!({"Policy": {}}));
        let mut lines = vec![Line::Intent(policy.clone())];
        assert_eq!(leftovers(&lines), vec![policy.clone()]);
        lines.push(Line::Gone(policy));
        assert_eq!(leftovers(&lines), []);
    }

    #[test]
    fn what_is_killed_while_it_writes_anew_leaves_the_old_journal() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::guarding(folder.path(), &run()).unwrap();
        journal.write(&Line::Made(vault(1))).unwrap();
        std::fs::write(folder.path().join("journal.unfinished"), "{\"hea").unwrap();
        assert_eq!(left(folder.path()), [vault(1)]);
    }

    #[test]
    fn a_journal_written_anew_is_still_of_one_process_alone() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::guarding(folder.path(), &run()).unwrap();
        for _ in 0..MANY {
            journal.write(&Line::Intent(vault(1))).unwrap();
        }
        let lines = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(lines.lines().count() < MANY);
        assert!(Journal::reopen(folder.path()).is_err());
        drop(journal);
        assert!(Journal::reopen(folder.path()).is_ok());
    }
}
