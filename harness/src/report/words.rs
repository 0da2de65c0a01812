//! The words, marks and shares that every format has in common.

use indexmap::IndexMap;
use serde::Serialize;

use crevasse_core::requirement::{Level, Registry, RequirementId};
use crevasse_core::verdict::Verdict;
use crevasse_core::wire::{Exchange, FaultKind, Reply};

use super::document::{Counts, FindingFacts, LeakFacts, Report, RequirementFacts, StaleFacts};
use super::merge::SHARDS;
use super::printable;
use super::script::quoted;
use crate::exit;

/// How loudly a finding is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// A MUST that fails the run.
    Error,
    /// A SHOULD, or a weaker part of a MUST graded so.
    Warning,
    /// Known and accepted.
    Waived,
    /// What can fail nobody.
    Note,
}

impl Weight {
    /// Weighs a finding.
    pub fn of(finding: &FindingFacts) -> Self {
        match finding.level {
            _ if finding.waived.is_some() => Self::Waived,
            Level::Must if finding.fails => Self::Error,
            Level::Should => Self::Warning,
            _ => Self::Note,
        }
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Waived => "waived",
            Self::Note => "note",
        }
    }
}

/// Whether it is of several runs, none of which has its id.
fn is_merged(report: &Report) -> bool {
    report.run.id.contains(SHARDS)
}

/// A text as one word of a shell, in quotes where it takes them.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/@%+".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// The command that plays a finding of a report again, at the target of the report.
pub(crate) fn again(report: &Report, finding: &FindingFacts) -> String {
    let endpoint = (!report.run.built_in).then_some(report.run.endpoint.as_str());
    let finding = [finding.id.as_str(), "--from", &report.run.id];
    replay(finding, endpoint, &report.run.options)
}

/// The command that plays something at an endpoint, or at the built-in server, reached by these options.
pub fn replay<'a>(
    what: impl IntoIterator<Item = &'a str>,
    endpoint: Option<&'a str>,
    options: &'a [String],
) -> String {
    let what = ["crevasse", "replay"].into_iter().chain(what);
    let there = endpoint.map(|endpoint| ["--endpoint", endpoint]);
    let options = options.iter().map(String::as_str);
    let words = what.chain(there.into_iter().flatten()).chain(options);
    words.map(word).collect::<Vec<_>>().join(" ")
}

/// The options of the run that this test takes, as they follow a command.
fn options(report: &Report, wanted: impl Fn(&str) -> bool) -> String {
    let options = report.run.options.iter().filter(|option| wanted(option));
    options.map(|option| format!(" {}", word(option))).collect()
}

/// What `crevasse run` needs to find the run again.
fn kept(report: &Report) -> String {
    options(report, |option| option.starts_with("--run-dir="))
}

/// The command that removes what the run left: like the run, it has to reach the target, but nothing it does needs leave.
fn clean_up(report: &Report) -> String {
    let options = options(report, |option| !option.starts_with("--allow="));
    format!("crevasse cleanup {}{options}", report.run.id)
}

/// How a run goes on that did not come to its end, and how what it left there is removed.
pub(super) fn to_go_on(report: &Report) -> Option<String> {
    let begun = !report.run.complete && report.summary.exit_code != exit::UNREACHABLE;
    (begun && !report.run.built_in && !is_merged(report)).then(|| {
        format!(
            "`crevasse run --resume {}{}` goes on with this run, `{}` removes what it left",
            report.run.id,
            kept(report),
            clean_up(report)
        )
    })
}

/// Operations that are not there while others are, a line for all that answer alike. Those that were to be there come first.
pub(super) fn not_there(report: &Report) -> impl Iterator<Item = String> {
    let mut alike: IndexMap<(bool, &str), Vec<&str>> = IndexMap::new();
    let some = report.operations.iter().any(|facts| facts.supported);
    for facts in report.operations.iter().filter(|facts| !facts.supported) {
        alike
            .entry((!facts.expected, &facts.reason))
            .or_default()
            .push(facts.name.as_str());
    }
    alike.sort_keys();
    alike
        .into_iter()
        .filter(move |_| some)
        .map(|((unnamed, reason), names)| {
            let fails = if unnamed {
                ""
            } else {
                "; the file of the target names them, so the run fails"
            };
            format!("not there: {} ({reason}){fails}", names.join(", "))
        })
}

/// What stays at the target, a line for all that stay for one reason.
pub(crate) fn left_behind(report: &Report) -> impl Iterator<Item = String> {
    let mut alike: IndexMap<(&str, String), Vec<&LeakFacts>> = IndexMap::new();
    for leak in &report.leaks {
        let reason = leak.reason.replace(&leak.name, "…");
        alike.entry((&leak.kind, reason)).or_default().push(leak);
    }
    let again = match is_merged(report) {
        true => "`crevasse cleanup` of its shard tries again".to_owned(),
        false => format!("`{}` tries again", clean_up(report)),
    };
    alike.into_iter().map(move |((kind, _), leaks)| {
        let LeakFacts { name, reason, .. } = leaks[0];
        match leaks.len() - 1 {
            0 => format!("left behind: {kind} {name} ({reason}); {again}"),
            more => format!("left behind: {kind} {name} ({reason}) and {more} more alike; {again}"),
        }
    })
}

/// Entries of the baseline that match nothing any more, or expired.
pub(crate) fn stale(report: &Report) -> impl Iterator<Item = String> {
    let line =
        |stale: &StaleFacts| format!("stale baseline entry {} ({})", stale.entry, stale.reason);
    report.stale.iter().map(line)
}

/// Why a requirement neither conforms nor fails the run.
pub(crate) fn undecided(facts: &RequirementFacts, findings: &[&FindingFacts]) -> String {
    let waived = findings
        .first()
        .and_then(|finding| finding.waived.as_ref())
        .filter(|_| facts.verdict == Verdict::Waived);
    let why = match (facts.verdict, findings.first()) {
        (Verdict::Deviates, Some(finding)) => {
            Some(format!("{} (does not fail the run)", finding.title))
        }
        _ => waived.or(facts.reason.as_ref()).cloned(),
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    printable(&format!("{}{why}", facts.verdict.as_str()))
}

/// One character for a verdict, for those who do not see colour.
pub(super) fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Conforms => "✓",
        Verdict::Deviates => "✗",
        Verdict::Waived => "w",
        Verdict::Unsupported => "–",
        Verdict::Inconclusive => "?",
        Verdict::Untested => "·",
    }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many conform.
    pub conform: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    /// Whole percents, rounded down: 100 means all. `None` of none.
    pub fn percent(self) -> Option<usize> {
        (self.conform * 100).checked_div(self.of)
    }

    /// `96% (202 of 210)`.
    pub fn in_words(self) -> String {
        match self.percent() {
            Some(percent) => format!("{percent}% ({} of {})", self.conform, self.of),
            None => "none".to_owned(),
        }
    }
}

/// The two shares of MUST requirements that conform. They answer different questions, so they are never shown without their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MustShares {
    /// Of those that speak of an operation the target has; not yet tested ones count.
    pub of_supported: Share,
    /// Of all that the specification defines.
    pub of_all: Share,
}

impl MustShares {
    /// Counts them from verdicts.
    pub fn of(must: &Counts) -> Self {
        let conform = number(must, Verdict::Conforms);
        let all: usize = must.values().sum();
        let supported = all - number(must, Verdict::Unsupported);
        Self {
            of_supported: Share {
                conform,
                of: supported,
            },
            of_all: Share { conform, of: all },
        }
    }
}

/// How many have a verdict.
pub(super) fn number(counts: &Counts, verdict: Verdict) -> usize {
    counts.get(&verdict).copied().unwrap_or_default()
}

/// What a target is called: its label and version, else its endpoint.
pub(super) fn label(report: &Report) -> String {
    match &report.target {
        Some(target) => match &target.version {
            Some(version) => format!("{} {version}", target.label),
            None => target.label.clone(),
        },
        None => report.run.endpoint.clone(),
    }
}

/// `1 finding`, `2 findings`.
pub(super) fn plural(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The rule of a requirement, as the registry states it; empty for one it does not know.
pub(super) fn statement(id: &RequirementId) -> &'static str {
    Registry::builtin()
        .get(id)
        .map_or("", |requirement| &requirement.statement)
}

/// The first characters of a text, and `…` where it was cut.
pub(super) fn clip(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// What came, in a few words.
pub(super) fn answer(exchange: &Exchange) -> String {
    match &exchange.reply {
        Reply::Response(response) => match response.error_code() {
            Some(code) => format!("{} {}", response.status, clip(&code, 60)),
            None => response.status.to_string(),
        },
        Reply::Fault(fault) => in_short(fault.kind).to_owned(),
    }
}

/// What kept an answer from coming, in a few words.
pub(super) fn in_short(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unreachable => "unreachable",
        FaultKind::TimedOut => "no answer in time",
        FaultKind::Closed => "connection closed",
        FaultKind::NotHttp => "not HTTP",
        FaultKind::TooLarge => "endless",
        FaultKind::Tls => "no TLS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_for_one_reason_is_one_line() {
        let mut report = crate::report::sample::report();
        let leak = |name: &str| LeakFacts {
            kind: "vault".to_owned(),
            name: name.to_owned(),
            reason: format!("409 {name} is not empty"),
        };
        report.run.id = "abc".to_owned();
        report.leaks = ["v-1", "v-2", "v-3"].map(leak).to_vec();
        let told: Vec<String> = left_behind(&report).collect();
        let line = "left behind: vault v-1 (409 v-1 is not empty) and 2 more alike; `crevasse cleanup abc` tries again";
        assert_eq!(told, [line]);
    }

    #[test]
    fn what_is_to_be_typed_names_the_run_and_its_endpoint_while_there_is_one() {
        let mut report = crate::report::sample::report();
        (report.run.id, report.run.complete) = ("abc".to_owned(), false);
        let finding = &report.findings[0];
        let line = "crevasse replay F1 --from abc --endpoint http://127.0.0.1:5000";
        assert_eq!(again(&report, finding), line);
        assert!(to_go_on(&report).is_some_and(|line| line.contains("--resume abc`")));
        report.run.options = ["--host-header=glacier.example", "--run-dir=my runs"]
            .map(str::to_owned)
            .to_vec();
        let finding = &report.findings[0];
        let options = " --host-header=glacier.example '--run-dir=my runs'";
        assert_eq!(again(&report, finding), format!("{line}{options}"));
        report.run.options.clear();
        report.run.built_in = true;
        let finding = &report.findings[0];
        assert_eq!(again(&report, finding), "crevasse replay F1 --from abc");
        assert_eq!(to_go_on(&report), None);
    }

    #[test]
    fn a_share_is_never_rounded_up() {
        let share = Share {
            conform: 249,
            of: 250,
        };
        assert_eq!(share.percent(), Some(99));
        assert_eq!(Share { conform: 0, of: 0 }.in_words(), "none");
    }

    #[test]
    fn unsupported_requirements_count_in_one_share_only() {
        let must = Counts::from([
            (Verdict::Conforms, 8),
            (Verdict::Unsupported, 10),
            (Verdict::Untested, 2),
        ]);
        let shares = MustShares::of(&must);
        assert_eq!(shares.of_supported.in_words(), "80% (8 of 10)");
        assert_eq!(shares.of_all.in_words(), "40% (8 of 20)");
    }

    #[test]
    fn every_verdict_has_a_mark_of_its_own() {
        let marks: std::collections::BTreeSet<_> = Verdict::ALL.into_iter().map(mark).collect();
        assert_eq!(marks.len(), Verdict::ALL.len());
    }
}
