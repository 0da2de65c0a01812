//! The story of a finding: the steps of its scenario in words, with what came of each.

use serde::Serialize;
use serde_json::Value;

use crevasse_core::check::Record;
use crevasse_core::scenario::{Scenario, Step};

use super::picture::bytes;
use crate::report::time_line::{overlaps, time_line};
use crate::report::words::{answer, clip};

/// How much of a parameter is shown.
const SHOWN: usize = 160;

/// A step and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Told {
    /// What is done.
    pub(super) action: String,
    /// With which parameters.
    pub(super) with: Vec<(String, String)>,
    /// What came of it, answer by answer.
    pub(super) outcomes: Vec<String>,
    /// When its requests were under way, where they overlapped; each line ends with its answer.
    pub(super) time_line: Vec<String>,
    /// Whether this is where it went wrong.
    pub(super) decisive: bool,
}

/// Tells the story up to where it went wrong: the steps of the scenario, or those of the exchanges when there is no scenario to read.
pub(super) fn tell(records: &[Record], scenario: Option<&Scenario>) -> Vec<Told> {
    let last = records.last().map(|record| record.step);
    match scenario.filter(|scenario| !scenario.steps.is_empty()) {
        Some(scenario) => {
            let shown = last.map_or(scenario.steps.len(), |last| last + 1);
            let steps = scenario.steps.iter().take(shown).enumerate();
            let told = |(place, step): (usize, &Step)| {
                let of_step: Vec<&Record> = records
                    .iter()
                    .filter(|record| record.step == place)
                    .collect();
                told(step, &of_step, last == Some(place))
            };
            steps.map(told).collect()
        }
        None => records
            .iter()
            .map(|record| {
                let step = Step {
                    action: record.action.clone(),
                    tweak: record.tweak.clone(),
                };
                told(&step, &[record], last == Some(record.step))
            })
            .collect(),
    }
}

fn told(step: &Step, records: &[&Record], decisive: bool) -> Told {
    let (action, with) = in_words(step);
    let one_by_one: Vec<&Record> = records.iter().copied().filter(|it| !overlaps(it)).collect();
    Told {
        action,
        with,
        outcomes: outcomes(&one_by_one),
        time_line: time_line(records.iter().copied()),
        decisive,
    }
}

/// The name of a step, and its parameters where they are not the plain ones.
fn in_words(step: &Step) -> (String, Vec<(String, String)>) {
    let written = serde_json::to_value(step).unwrap_or_default();
    let mut name = String::new();
    let mut with = Vec::new();
    for (key, value) in written.as_object().into_iter().flatten() {
        if name.is_empty() {
            name.clone_from(key);
            with.extend(parameters(value));
        } else {
            with.push((key.clone(), shown(value)));
        }
    }
    (name, with)
}

fn parameters(action: &Value) -> impl Iterator<Item = (String, String)> + '_ {
    let members = action.as_object().into_iter().flatten();
    let plain = |value: &Value| {
        value.is_null()
            || value == "right"
            || value.as_object().is_some_and(serde_json::Map::is_empty)
    };
    members
        .filter(move |(_, value)| !plain(value))
        .map(|(name, value)| {
            let value = reference(name, value).unwrap_or_else(|| shown(value));
            (name.replace('_', " "), value)
        })
}

/// A vault, archive, upload, job or lock as people would name it, where it is not simply one that an earlier step made.
fn reference(name: &str, value: &Value) -> Option<String> {
    let named = matches!(name, "vault" | "archive" | "upload" | "job" | "lock");
    let text = value.as_str().filter(|_| named)?;
    let unknown = |like| format!("one like {like} that was never made");
    let literal = |text| clip(text, SHOWN);
    let said = text.strip_prefix('?').map(unknown);
    said.or_else(|| text.strip_prefix('=').map(literal))
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(content) if content.contains_key("generated") => {
            generated(&content["generated"])
        }
        _ => value.to_string(),
    };
    clip(&text, SHOWN)
}

fn generated(payload: &Value) -> String {
    let length = match payload["length"].as_u64() {
        Some(length) => bytes(length),
        None => payload["length"]
            .as_str()
            .unwrap_or("some bytes")
            .to_owned(),
    };
    format!("{length} generated from seed {}", payload["seed"])
}

/// What came: equal answers in a row are counted.
fn outcomes(records: &[&Record]) -> Vec<String> {
    let mut outcomes: Vec<(String, usize)> = Vec::new();
    for record in records {
        let outcome = outcome(record);
        match outcomes.last_mut() {
            Some((same, count)) if *same == outcome => *count += 1,
            _ => outcomes.push((outcome, 1)),
        }
    }
    let counted = |(outcome, count): (String, usize)| {
        if count > 1 {
            format!("{outcome} × {count}")
        } else {
            outcome
        }
    };
    outcomes.into_iter().map(counted).collect()
}

fn outcome(record: &Record) -> String {
    let Some(exchange) = &record.exchange else {
        return format!(
            "not sent: {}",
            record.blocked.as_deref().unwrap_or("no reason")
        );
    };
    answer(exchange)
}

#[cfg(test)]
mod tests {
    use crevasse_core::check::Group;

    use super::*;
    use crate::report::sample;

    #[test]
    fn a_story_has_every_step_and_marks_the_decisive_one() {
        let finding = &sample::report().findings[0];
        let scenario = serde_yaml::from_str(&finding.repro.scenario).unwrap();
        let story = tell(&finding.exchanges, Some(&scenario));
        let steps: Vec<(&str, &str, bool)> = story
            .iter()
            .map(|told| {
                (
                    told.action.as_str(),
                    told.outcomes[0].as_str(),
                    told.decisive,
                )
            })
            .collect();
        assert_eq!(
            steps,
            [
                ("CreateVault", "201", false),
                ("UploadArchive", "201", false),
                ("InitiateJob", "202", false),
                ("AwaitJob", "200", false),
                ("GetJobOutput", "200", true),
            ]
        );
        assert!(story[1].with.contains(&(
            "content".to_owned(),
            "6.5 MiB generated from seed 42".to_owned()
        )));
        assert!(
            story[4]
                .with
                .contains(&("range".to_owned(), "bytes=0-1048575".to_owned()))
        );
    }

    #[test]
    fn what_overlapped_is_drawn_on_a_time_line_instead() {
        let mut records = sample::report().findings[0].exchanges[..2].to_vec();
        for (record, (sent_at, done_at)) in records.iter_mut().zip([(0, 60), (40, 240)]) {
            record.step = 7;
            record.group = Some(Group::Together);
            let exchange = record.exchange.as_mut().unwrap();
            exchange.sent_at.0 = 1_700_000_000_000 + sent_at;
            exchange.done_at.0 = 1_700_000_000_000 + done_at;
        }
        let told = told(
            &Step::from(records[0].action.clone()),
            &[&records[0], &records[1]],
            true,
        );
        assert!(told.outcomes.is_empty());
        assert_eq!(
            told.time_line,
            [
                "======.................. 0-60 ms CreateVault: 201",
                "....==================== 40-240 ms UploadArchive: 201",
            ]
        );
    }

    #[test]
    fn equal_answers_are_counted() {
        let poll = sample::report().findings[0].exchanges[3].clone();
        assert_eq!(outcomes(&[&poll, &poll, &poll]), ["200 × 3"]);
    }
}
