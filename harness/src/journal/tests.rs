use super::*;
use crevasse_core::amz_date::Timestamp;
use crevasse_core::scenario::Profile;

pub(super) fn run() -> RunStarted {
    RunStarted {
        run: "x7k2p9".to_owned(),
        seed: 42,
        profile: Profile::Standard,
        endpoint: "http://127.0.0.1:5000".to_owned(),
        jobs: 2,
        spec: "glacier-2012-06-01".to_owned(),
        spec_digest: "sha256:00".to_owned(),
        prefix: "crevasse-x7k2p9".to_owned(),
        started: Timestamp(1_486_728_000_250),
        shard: crate::shard::Shard::WHOLE,
        arguments: Vec::new(),
        options: Vec::new(),
    }
}

fn record() -> Record {
    let text = include_str!("record.json");
    serde_json::from_str(text).unwrap()
}

fn archive(id: &str) -> Resource {
    Resource {
        kind: Kind::Archive,
        vault: "crevasse-x7k2p9-a-v".to_owned(),
        id: Some(id.to_owned()),
    }
}

fn lines() -> Vec<Line> {
    vec![
        Line::Case {
            case: "a".to_owned(),
            scenario: "id: a\ntitle: t\nsteps: []\n".to_owned(),
        },
        Line::Intent(Resource::vault("crevasse-x7k2p9-a-v")),
        Line::Made(Resource::vault("crevasse-x7k2p9-a-v")),
        Line::Record {
            case: "a".to_owned(),
            record: Box::new(record()),
        },
        Line::Made(archive("one")),
        Line::CaseFinished {
            case: "a".to_owned(),
        },
        Line::Event(Box::new(Event::Reproduced {
            fingerprint: crevasse_core::finding::Fingerprint("0123456789abcdef".to_owned()),
            seen: 3,
            tried: 3,
            sight: None,
        })),
    ]
}

fn written() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::create(folder.path(), &run()).unwrap();
    for line in lines() {
        journal.write(&line).unwrap();
    }
    let path = journal.path().unwrap().to_owned();
    (folder, path)
}

#[test]
fn what_was_written_is_read_back() {
    let (folder, _) = written();
    let mut reader = Reader::open(folder.path()).unwrap();
    assert_eq!(reader.run(), &run());
    assert_eq!(
        reader.by_ref().map(Result::unwrap).collect::<Vec<_>>(),
        lines()
    );
    assert!(!reader.truncated());
    assert_eq!(reader.lines_read(), 8);
}

#[test]
fn version_1_is_the_format_of_the_golden_file() {
    let (_folder, path) = written();
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        include_str!("golden.jsonl")
    );
}

#[test]
fn a_line_cut_off_by_a_crash_loses_itself_alone() {
    let (folder, path) = written();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 9]).unwrap();
    let mut reader = Reader::open(folder.path()).unwrap();
    assert_eq!(
        reader.by_ref().map(Result::unwrap).count(),
        lines().len() - 1
    );
    assert!(reader.truncated());
}

#[test]
fn a_broken_line_in_the_middle_is_an_error_that_names_it() {
    let (_folder, path) = written();
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replacen("{\"intent\"", "{\"intend\"", 1);
    std::fs::write(&path, text).unwrap();
    let error = Reader::open(&path)
        .unwrap()
        .find_map(Result::err)
        .unwrap()
        .to_string();
    assert!(error.starts_with("read line 3 of the journal"), "{error}");
}

#[test]
fn another_version_or_anything_else_is_no_journal() {
    let (_folder, path) = written();
    for text in [
        "",
        "{}",
        "text",
        &std::fs::read_to_string(&path)
            .unwrap()
            .replacen("journal/1", "journal/2", 1),
    ] {
        std::fs::write(&path, text).unwrap();
        assert!(
            matches!(Reader::open(&path), Err(JournalError::NotAJournal { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_journal_is_never_overwritten() {
    let (folder, _) = written();
    assert!(matches!(
        Journal::create(folder.path(), &run()),
        Err(JournalError::File { .. })
    ));
}

#[test]
fn intents_are_on_disk_before_anything_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::create(folder.path(), &run()).unwrap();
    journal.write(&Line::Intent(Resource::vault("v"))).unwrap();
    let read: Vec<Line> = Reader::open(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(leftovers(&read), [Resource::vault("v")]);
}

#[test]
fn leftovers_are_what_was_made_and_not_removed_latest_first() {
    let mut lines = lines();
    lines.push(Line::Made(archive("two")));
    lines.push(Line::Gone(archive("one")));
    assert_eq!(
        leftovers(&lines),
        [archive("two"), Resource::vault("crevasse-x7k2p9-a-v")]
    );
    lines.push(Line::Gone(Resource::vault("crevasse-x7k2p9-a-v")));
    assert_eq!(leftovers(&lines), []);
}

#[test]
fn a_journal_goes_on_after_its_last_whole_line() {
    let (folder, path) = written();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 9]).unwrap();
    let gone = Line::Gone(archive("one"));
    Journal::reopen(folder.path())
        .unwrap()
        .write(&gone)
        .unwrap();
    let mut expected = lines();
    expected.pop();
    expected.push(gone);
    let mut reader = Reader::open(folder.path()).unwrap();
    assert_eq!(
        reader.by_ref().map(Result::unwrap).collect::<Vec<_>>(),
        expected
    );
    assert!(!reader.truncated());
}
