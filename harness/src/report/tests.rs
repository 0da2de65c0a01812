//! Every format of one recorded run: the reference server that compares no tree hash, judged on the rules of upload hashes.

use std::path::Path;

use crevasse_core::requirement::Registry;

use super::assemble::assemble;
use super::terminal::{Style, render};
use super::{Comparison, Format, Report, printable, write};
use crate::found::Found;
use crate::journal::Reader;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../fixtures/journals/upload-hash-not-compared.jsonl"
);

fn golden() -> Report {
    let mut journal = Reader::open(Path::new(GOLDEN)).unwrap();
    let (found, broken) = Found::recorded(&mut journal);
    assert!(broken.is_none() && found.ended && !journal.truncated());
    assemble(journal.run(), &found)
}

/// A page without the style and the script that every page has.
fn body(page: &str) -> &str {
    let (start, end) = (page.find("<body"), page.rfind("<script>"));
    &page[start.unwrap()..end.unwrap()]
}

/// Without what changes whenever a rule is added to the registry, and not the reports.
fn steady(text: &str) -> String {
    let line = |line: &str| match line.split_once("\"startLine\": ") {
        Some((before, _)) => format!("{before}\"startLine\": [line]\n"),
        None => format!("{line}\n"),
    };
    let text = text.replace(Registry::builtin().digest(), "[registry]");
    text.lines().map(line).collect()
}

#[test]
fn every_format_of_the_golden_journal() {
    let report = golden();
    for format in Format::ALL {
        let text = write(&report, format);
        let text = if format == Format::Html {
            body(&text)
        } else {
            &text
        };
        insta::assert_snapshot!(format!("journal_{format}"), steady(text));
    }
    insta::assert_snapshot!("journal_terminal", render(&report, Style::default()));
}

#[test]
fn a_run_compared_with_itself_says_that_nothing_changed() {
    let comparison = Comparison::of(&[golden(), golden()]).unwrap();
    assert!(comparison.changes.unwrap().is_no_worse());
}

#[test]
fn escape_sequences_of_a_hostile_target_are_shown_and_not_obeyed() {
    assert_eq!(printable("\u{1b}[2Jgone\r\n"), "\\u{1b}[2Jgone\\r\\n");
    assert_eq!(printable("\u{202e}txt\u{ffff}"), "\\u{202e}txt\\u{ffff}");
}

#[test]
fn a_long_value_is_cut_and_says_so() {
    assert!(printable(&"ä".repeat(1000)).ends_with("… (800 bytes more)"));
}
