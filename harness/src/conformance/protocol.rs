//! What `cargo test`, `cargo nextest` and people expect of a test binary: the arguments and the output of libtest.
//! Refuses to know what the tests are about. Written by hand, since the crates for it bring an argument parser into every user's build.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use super::cache;
use super::outcome::{Outcome, Outcomes};

/// The exit code of libtest for everything but success.
const FAILURE: u8 = 101;

const HELP: &str = "\
Usage: --test TARGET -- [OPTIONS] [FILTERS...]

Runs the tests whose names contain one of the filters; without filters, all of them.

Options:
      --list             List the tests, without starting any server
      --exact            Filters are whole names
      --skip FILTER      Leave out tests whose names contain this; repeatable
      --ignored          Run only tests that are always ignored; there are none
      --include-ignored  Taken for compatibility
      --format FORMAT    pretty or terse
  -q, --quiet            One character a test; the same as --format=terse
  -h, --help             Print this

Of libtest's other options those that change nothing here are taken: --test-threads, --nocapture, --no-capture, --show-output, --color, --test.
";

/// Says why the tests cannot be run at all.
pub(super) fn refuse(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(FAILURE)
}

/// The arguments of a test binary.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Whether tests are only named.
    pub(super) list: bool,
    filters: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    only_ignored: bool,
    terse: bool,
    help: bool,
}

impl Arguments {
    /// Reads them.
    ///
    /// # Errors
    /// An option that is not known, or lacks its value.
    pub(super) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option, Some(value)),
                _ => (word.as_str(), None),
            };
            let mut value = || {
                value
                    .map(str::to_owned)
                    .or_else(|| words.next())
                    .ok_or_else(|| format!("{option} takes a value"))
            };
            match option {
                "--list" => arguments.list = true,
                "--exact" => arguments.exact = true,
                "--ignored" => arguments.only_ignored = true,
                "-q" | "--quiet" => arguments.terse = true,
                "-h" | "--help" => arguments.help = true,
                "--skip" => arguments.skip.push(value()?),
                "--format" => arguments.terse = terse(&value()?)?,
                "--test-threads" | "--color" => drop(value()?),
                "--include-ignored" | "--nocapture" | "--no-capture" | "--show-output"
                | "--test" => {}
                "--" => arguments.filters.extend(words.by_ref()),
                option if option.starts_with('-') => {
                    return Err(format!("{option} is not known; --help names what is"));
                }
                _ => arguments.filters.push(word),
            }
        }
        Ok(arguments)
    }

    /// Does what they ask for. `judge` is called only if some test is to be run, with the names of those.
    pub(super) fn run(
        &self,
        names: &BTreeSet<String>,
        judge: impl FnOnce(&BTreeSet<String>) -> Outcomes,
    ) -> ExitCode {
        let chosen: BTreeSet<String> = names
            .iter()
            .filter(|name| self.chooses(name))
            .cloned()
            .collect();
        let mut out = String::new();
        let passed = if self.help {
            out.push_str(HELP);
            true
        } else if self.list {
            self.list(&chosen, &mut out);
            true
        } else {
            let begun = Instant::now();
            say(&format!(
                "\nrunning {} test{}\n",
                chosen.len(),
                s(chosen.len())
            ));
            let outcomes = match chosen.is_empty() {
                true => Outcomes::new(),
                false => judge(&chosen),
            };
            let told = Told {
                chosen: &chosen,
                outcomes: &outcomes,
                filtered: names.len() - chosen.len(),
                alone: !cache::is_shared(),
            };
            told.tell(self.terse, begun.elapsed().as_secs_f64(), &mut out)
        };
        say(&out);
        ExitCode::from(if passed { 0 } else { FAILURE })
    }

    fn chooses(&self, name: &str) -> bool {
        let matches = |filter: &String| match self.exact {
            true => name == filter,
            false => name.contains(filter.as_str()),
        };
        !self.only_ignored
            && (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
    }

    fn list(&self, chosen: &BTreeSet<String>, out: &mut String) {
        for name in chosen {
            let _ = writeln!(out, "{name}: test");
        }
        if !self.terse {
            let _ = writeln!(
                out,
                "\n{} test{}, 0 benchmarks",
                chosen.len(),
                s(chosen.len())
            );
        }
    }
}

fn terse(format: &str) -> Result<bool, String> {
    match format {
        "terse" => Ok(true),
        "pretty" => Ok(false),
        other => Err(format!("--format {other} is not known: pretty or terse")),
    }
}

fn s(number: usize) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// A reader that went away is no failure.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// What is told at the end.
struct Told<'a> {
    chosen: &'a BTreeSet<String>,
    outcomes: &'a Outcomes,
    filtered: usize,
    /// Whether no other process runs tests of the same run.
    alone: bool,
}

impl Told<'_> {
    fn tell(&self, terse: bool, seconds: f64, out: &mut String) -> bool {
        let of = |name: &String| match self.outcomes.get(name) {
            Some(outcome) => outcome.clone(),
            None => Outcome::Ignored("the run says nothing about it".to_owned()),
        };
        let all: Vec<(&String, Outcome)> =
            self.chosen.iter().map(|name| (name, of(name))).collect();
        match terse {
            true => dots(&all, out),
            false => lines(&all, out),
        }
        let failed: Vec<(&String, &String)> = all
            .iter()
            .filter_map(|(name, outcome)| match outcome {
                Outcome::Failed(message) => Some((*name, message)),
                _ => None,
            })
            .collect();
        failures(&failed, out);
        let passed = all
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Passed)
            .count();
        let ignored = all.len() - passed - failed.len();
        let nothing = self.alone && ignored > 0 && ignored == all.len();
        if nothing {
            out.push_str("\nnothing was verified: every test was ignored\n");
        }
        let ok = failed.is_empty() && !nothing;
        let _ = writeln!(
            out,
            "\ntest result: {}. {passed} passed; {} failed; {ignored} ignored; 0 measured; {} filtered out; finished in {seconds:.2}s\n",
            if ok { "ok" } else { "FAILED" },
            failed.len(),
            self.filtered
        );
        ok
    }
}

fn lines(all: &[(&String, Outcome)], out: &mut String) {
    for (name, outcome) in all {
        let _ = match outcome {
            Outcome::Passed => writeln!(out, "test {name} ... ok"),
            Outcome::Failed(_) => writeln!(out, "test {name} ... FAILED"),
            Outcome::Ignored(why) => writeln!(out, "test {name} ... ignored, {why}"),
        };
    }
}

fn dots(all: &[(&String, Outcome)], out: &mut String) {
    const WIDTH: usize = 88;
    for line in all.chunks(WIDTH) {
        out.extend(line.iter().map(|(_, outcome)| match outcome {
            Outcome::Passed => '.',
            Outcome::Failed(_) => 'F',
            Outcome::Ignored(_) => 'i',
        }));
        out.push('\n');
    }
}

fn failures(failed: &[(&String, &String)], out: &mut String) {
    if failed.is_empty() {
        return;
    }
    out.push_str("\nfailures:\n");
    for (name, message) in failed {
        let _ = write!(out, "\n---- {name} stdout ----\n{message}");
    }
    out.push_str("\n\nfailures:\n");
    for (name, _) in failed {
        let _ = writeln!(out, "    {name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    fn chosen(line: &str) -> Vec<&'static str> {
        let arguments = parse(line).unwrap();
        let names = ["jobs::A-1", "jobs::A-10", "tags::B-1"];
        names
            .into_iter()
            .filter(|name| arguments.chooses(name))
            .collect()
    }

    fn told(outcomes: &[(&str, Outcome)], alone: bool) -> (bool, String) {
        let outcomes: Outcomes = outcomes
            .iter()
            .map(|(name, outcome)| ((*name).to_owned(), outcome.clone()))
            .collect();
        let chosen = outcomes.keys().cloned().collect();
        let told = Told {
            chosen: &chosen,
            outcomes: &outcomes,
            filtered: 3,
            alone,
        };
        let mut text = String::new();
        let ok = told.tell(false, 1.5, &mut text);
        (ok, text)
    }

    #[test]
    fn filters_are_parts_of_names_or_whole_ones() {
        assert_eq!(chosen(""), ["jobs::A-1", "jobs::A-10", "tags::B-1"]);
        assert_eq!(chosen("A-1"), ["jobs::A-1", "jobs::A-10"]);
        assert_eq!(chosen("jobs::A-1 --exact --nocapture"), ["jobs::A-1"]);
        assert_eq!(chosen("tags A-10 --skip=B"), ["jobs::A-10"]);
        assert!(chosen("--ignored").is_empty());
    }

    #[test]
    fn what_libtest_takes_and_changes_nothing_is_taken_and_the_rest_refused() {
        assert!(parse("--test-threads 4 --color=always --show-output --format terse").is_ok());
        assert!(parse("--format json").is_err());
        assert!(parse("--bogus").unwrap_err().contains("--help"));
        assert!(parse("--skip").unwrap_err().contains("value"));
    }

    #[test]
    fn a_list_names_each_test_as_nextest_reads_it() {
        let mut text = String::new();
        let names = BTreeSet::from(["jobs::A-1".to_owned()]);
        parse("--list --format terse")
            .unwrap()
            .list(&names, &mut text);
        assert_eq!(text, "jobs::A-1: test\n");
    }

    #[test]
    fn the_end_is_told_as_libtest_does() {
        let failed = Outcome::Failed("error[A-2] …\n".to_owned());
        let ignored = Outcome::Ignored("untested: no case".to_owned());
        let (ok, text) = told(
            &[("a", Outcome::Passed), ("b", failed), ("c", ignored)],
            true,
        );
        assert!(!ok);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_run_in_which_everything_was_ignored_fails_where_nobody_else_runs_the_rest() {
        let ignored = [("a", Outcome::Ignored("unsupported".to_owned()))];
        assert!(!told(&ignored, true).0);
        assert!(told(&ignored, false).0);
    }
}
