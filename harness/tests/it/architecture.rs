//! Who may know whom: the table of CONTRIBUTING.md, held against the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms it uses; no other may it use. `core::x` is a module of crevasse-core, a bare name one of the library, `reference` the reference server.
const TABLE: &[(&str, &[&str])] = &[
    ("core::amz_date", &[]),
    ("core::glob", &[]),
    ("core::nearest", &[]),
    ("core::yaml", &[]),
    ("core::range", &[]),
    ("core::treehash", &["core::range"]),
    ("core::payload", &["core::treehash", "core::range"]),
    (
        "core::properties",
        &[
            "core::amz_date",
            "core::inventory",
            "core::payload",
            "core::range",
            "core::scenario",
            "core::sigv4",
            "core::spec",
            "core::treehash",
            "core::wire",
        ],
    ),
    ("core::spec", &["core::yaml"]),
    (
        "core::requirement",
        &["core::spec", "core::yaml", "core::nearest"],
    ),
    (
        "core::filter",
        &[
            "core::requirement",
            "core::spec",
            "core::glob",
            "core::nearest",
        ],
    ),
    (
        "core::wire",
        &["core::amz_date", "core::payload", "core::treehash"],
    ),
    (
        "core::sigv4",
        &["core::amz_date", "core::wire", "core::treehash"],
    ),
    (
        "core::scenario",
        &[
            "core::payload",
            "core::wire",
            "core::spec",
            "core::requirement",
            "core::yaml",
        ],
    ),
    ("core::inventory", &["core::amz_date"]),
    (
        "core::model",
        &[
            "core::amz_date",
            "core::glob",
            "core::scenario",
            "core::payload",
            "core::range",
            "core::treehash",
            "core::wire",
        ],
    ),
    (
        "core::check",
        &[
            "core::amz_date",
            "core::inventory",
            "core::model",
            "core::payload",
            "core::range",
            "core::requirement",
            "core::scenario",
            "core::spec",
            "core::treehash",
            "core::wire",
        ],
    ),
    (
        "core::finding",
        &[
            "core::check",
            "core::requirement",
            "core::spec",
            "core::treehash",
        ],
    ),
    (
        "core::baseline",
        &["core::finding", "core::requirement", "core::yaml"],
    ),
    ("core::verdict", &["core::finding"]),
    (
        "reference",
        &[
            "core::amz_date",
            "core::model",
            "core::payload",
            "core::range",
            "core::scenario",
            "core::sigv4",
            "core::spec",
            "core::treehash",
            "core::wire",
        ],
    ),
    ("core::prices", &["core::spec", "core::yaml"]),
    ("exit", &[]),
    ("shard", &[]),
    (
        "event",
        &[
            "core::amz_date",
            "core::baseline",
            "core::check",
            "core::finding",
            "core::requirement",
            "core::scenario",
            "core::spec",
            "shard",
        ],
    ),
    (
        "found",
        &[
            "core::finding",
            "core::requirement",
            "core::spec",
            "event",
            "journal",
        ],
    ),
    ("scenarios", &["core::scenario"]),
    (
        "generate",
        &[
            "core::amz_date",
            "core::model",
            "core::payload",
            "core::range",
            "core::scenario",
            "core::treehash",
        ],
    ),
    (
        "shrink",
        &[
            "core::payload",
            "core::range",
            "core::scenario",
            "core::treehash",
        ],
    ),
    ("journal", &["core::check", "event"]),
    (
        "execute",
        &[
            "event",
            "core::amz_date",
            "core::check",
            "core::payload",
            "core::prices",
            "core::scenario",
            "core::sigv4",
            "core::spec",
            "core::treehash",
            "core::wire",
            "journal",
        ],
    ),
    (
        "campaign",
        &[
            "core::check",
            "core::finding",
            "core::model",
            "core::prices",
            "core::requirement",
            "core::scenario",
            "core::spec",
            "core::wire",
            "event",
            "execute",
            "found",
            "generate",
            "journal",
            "reference",
            "shrink",
        ],
    ),
    (
        "report",
        &[
            "core::amz_date",
            "core::baseline",
            "core::check",
            "core::finding",
            "core::nearest",
            "core::payload",
            "core::range",
            "core::requirement",
            "core::scenario",
            "core::sigv4",
            "core::spec",
            "core::treehash",
            "core::verdict",
            "core::wire",
            "event",
            "exit",
            "found",
            "shard",
        ],
    ),
];

/// Rooms that may use all of the library and the core.
const ABOVE: &[&str] = &[
    "conformance",
    "fuzz",
    "properties",
    "prove",
    "replay",
    "run",
    "lib",
];

#[test]
fn every_room_uses_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for (room, used) in edges() {
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == room) else {
            if !ABOVE.contains(&room.as_str()) {
                wrong.push(format!("{room} is not in the table"));
            }
            continue;
        };
        let others = used
            .iter()
            .filter(|other| **other != room && !allowed.contains(&other.as_str()));
        wrong.extend(others.map(|other| format!("{room} uses {other}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_table_allows_nothing_that_nobody_needs() {
    let edges = edges();
    let mut idle = Vec::new();
    for (room, allowed) in TABLE {
        let used = edges.get(*room).cloned().unwrap_or_default();
        let others = allowed.iter().filter(|other| !used.contains(**other));
        idle.extend(others.map(|other| format!("{room} does not use {other}")));
    }
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn nobody_in_the_libraries_exits_or_reads_the_command_line() {
    for (file, text) in sources() {
        let text = without_tests(&text);
        assert!(!text.contains("process::exit"), "{} exits", file.display());
        assert!(
            !text.contains("use clap"),
            "{} knows the command line",
            file.display()
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The sources of the three libraries; the command has rooms of its own under `src/bin`.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for dir in ["src", "core/src", "reference/src"] {
        collect(&root().join(dir), &mut files);
    }
    files
}

fn collect(dir: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).expect("the sources are there") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() && (path.ends_with("bin") || path.ends_with("tests")) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            files.push((
                path.clone(),
                fs::read_to_string(&path).expect("a source is text"),
            ));
        }
    }
}

fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources() {
        let (package, room) = room(&file);
        let used = edges.entry(room).or_default();
        for line in without_tests(&text)
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            let own = if package == "core" { "core::" } else { "" };
            if package != "reference" {
                used.extend(after(line, "crate::").map(|name| format!("{own}{name}")));
            }
            used.extend(after(line, "crevasse_core::").map(|name| format!("core::{name}")));
            if line.contains("crevasse_reference::") {
                used.insert("reference".to_owned());
            }
        }
    }
    edges
}

fn room(file: &Path) -> (&'static str, String) {
    let relative = file.strip_prefix(root()).expect("below the package");
    let parts: Vec<String> = relative
        .iter()
        .map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned())
        .collect();
    match parts
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["core", "src", name, ..] => (
            "core",
            if *name == "lib" {
                "lib".to_owned()
            } else {
                format!("core::{name}")
            },
        ),
        ["reference", ..] => ("reference", "reference".to_owned()),
        [_, name, ..] => ("library", (*name).to_owned()),
        _ => unreachable!("a source lies in a src folder"),
    }
}

/// The identifiers that follow a path prefix, as `crate::a` or `crate::{a, b::c}`.
fn after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    let starts = line.match_indices(prefix).filter(|(at, _)| {
        !line[..*at].ends_with(|c: char| c == '_' || c == '$' || c.is_alphanumeric())
    });
    starts.flat_map(move |(at, _)| {
        let rest = &line[at + prefix.len()..];
        let list = rest
            .strip_prefix('{')
            .and_then(|list| list.split_once('}'))
            .map_or(rest, |(list, _)| list);
        let names = if rest.starts_with('{') {
            list.split(',').collect()
        } else {
            vec![list]
        };
        names
            .into_iter()
            .map(|name| {
                name.trim()
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect::<String>()
            })
            .filter(|name| name.starts_with(|c: char| c.is_lowercase()))
            .collect::<Vec<_>>()
    })
}

fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
        .to_owned()
}
