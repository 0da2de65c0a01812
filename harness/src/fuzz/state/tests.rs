use super::*;
use crevasse_core::requirement::{Level, RequirementId};

fn finding(fingerprint: &str) -> FindingFacts {
    FindingFacts {
        id: String::new(),
        fingerprint: fingerprint.to_owned(),
        title: "something is wrong".to_owned(),
        requirements: vec![RequirementId::of("CV-STATUS-001")],
        level: Level::Must,
        fails: true,
        operation: None,
        check: "a-check".to_owned(),
        rule: String::new(),
        source: String::new(),
        expected: "this".to_owned(),
        actual: "that".to_owned(),
        count: 1,
        reproduced: "3/3".to_owned(),
        waived: None,
        cause: "wrong".to_owned(),
        case: "fuzz-1-1".to_owned(),
        exchanges: Vec::new(),
        repro: Default::default(),
    }
}

#[test]
fn what_was_found_and_not_told_is_there_after_any_end() {
    let folder = tempfile::tempdir().unwrap();
    let (mut state, _) = State::open(folder.path()).unwrap();
    for name in ["a", "b", "c", "d"] {
        state.found(finding(name)).unwrap();
    }
    state.settled(finding("b"), true).unwrap();
    state.settled(finding("c"), true).unwrap();
    state.told("c").unwrap();
    state.settled(finding("d"), false).unwrap();
    drop(state);
    let (state, _) = State::open(folder.path()).unwrap();
    let stages = ["a", "b", "c", "d", "e"].map(|name| state.stage(name));
    use Stage::{Confirmed, Found, Told, Unconfirmed};
    assert_eq!(
        stages,
        [
            Some(Found),
            Some(Confirmed),
            Some(Told),
            Some(Unconfirmed),
            None
        ]
    );
}

#[test]
fn a_line_cut_off_in_the_middle_is_dropped_and_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (mut state, _) = State::open(folder.path()).unwrap();
    state.found(finding("a")).unwrap();
    drop(state);
    let path = folder.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"told\":{\"finger");
    fs::write(&path, &bytes).unwrap();
    let (mut state, _) = State::open(folder.path()).unwrap();
    state.found(finding("b")).unwrap();
    drop(state);
    let (state, _) = State::open(folder.path()).unwrap();
    assert_eq!(state.at(Stage::Found).len(), 2);
}

#[test]
fn two_fuzzers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (_first, _) = State::open(folder.path()).unwrap();
    let second = State::open(folder.path());
    assert!(matches!(second, Err(StateError::Taken(_))));
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    for text in [
        "something else\n",
        "{\"header\":{\"schema\":\"crevasse.fuzz/9\"}}\n",
    ] {
        fs::write(&path, text).unwrap();
        assert!(matches!(
            State::open(folder.path()),
            Err(StateError::Foreign { line: 1, .. })
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn the_lines_of_this_version_are_these() {
    let lines = [
        Line::Header {
            schema: SCHEMA.to_owned(),
        },
        Line::Night {
            seed: 1,
            endpoint: "http://127.0.0.1:5000".to_owned(),
        },
        Line::Kept {
            entry: "0123456789abcdef".to_owned(),
            features: BTreeSet::from(["a".to_owned()]),
        },
        Line::Dropped {
            entry: "0123456789abcdef".to_owned(),
        },
        Line::Told {
            fingerprint: "3f2a9c01d4e5b677".to_owned(),
        },
    ];
    let written: Vec<String> = lines
        .iter()
        .map(|line| serde_json::to_string(line).unwrap())
        .collect();
    assert_eq!(written.join("\n") + "\n", include_str!("golden.jsonl"));
}
