//! Rules for inventories in CSV: columns, quotes, and how quotes and backslashes are escaped.

use super::archive_effects::{description_lost, same_description};
use super::inventory::{full_inventory, inventory_format, judge_archive, known_archive};
use super::shape::shorten;
use super::subject::{earlier, live_vault};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::inventory::{COLUMNS, CsvInventory, CsvRow, Listed, parse_csv, written};
use crate::model::{Archive, Vault};

/// Inventories in CSV.
pub(super) const CHECKS: &[Check] = &[
    Check::new("inventory-csv", &["INV-CSV-001", "INV-CSV-002"], judge_rows),
    Check::new(
        "inventory-csv-quotes",
        &["INV-CSV-003", "INV-CSV-004", "INV-CSV-005"],
        judge_quotes,
    ),
];

/// A CSV inventory with the vault it is of.
fn inventory<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Vault, CsvInventory)> {
    let now = evidence.exchange().filter(|now| now.document.is_none())?;
    let text = now
        .response()?
        .body
        .text()
        .filter(|_| inventory_format(now) == Some("CSV"))?;
    Some((now, live_vault(&now.before, now.action())?, parse_csv(text)))
}

fn unreadable() -> Symptom {
    Symptom::new(
        "inventory-unreadable",
        "inventories in CSV cannot be read as that",
    )
    .about("CSV")
}

fn judge_rows(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, vault, read)) = inventory(evidence) else {
        return;
    };
    if let Some(fault) = read.faults.first() {
        return out.violated(
            "INV-CSV-001",
            unreadable(),
            "lines of five fields",
            format!("line {} is none", fault.line),
        );
    }
    judge_header(&read, out);
    let json = full_inventory(now, earlier(evidence));
    for row in &read.rows {
        let listed = row.listed();
        let Some(archive) = listed.id.as_deref().and_then(|id| known_archive(vault, id)) else {
            continue;
        };
        judge_archive("INV-CSV-001", archive, &listed, out);
        let json = json
            .as_ref()
            .and_then(|json| json.listing.archive(&archive.id));
        match json {
            Some(json) => judge_as_in_json(row, json, out),
            None => judge_plain(row, archive, out),
        }
    }
}

/// Whether nothing of a description is to be escaped, nor ends the field: how that is done is for other rules.
fn is_plain(description: &str, row: &CsvRow) -> bool {
    !description.contains(['"', '\\']) && (row.description().quoted || !description.contains(','))
}

fn judge_as_in_json(row: &CsvRow, json: &Listed, out: &mut Judgements) {
    let listed = row.listed();
    let told = listed.description.as_deref().unwrap_or_default();
    let expected = json.description.as_deref().unwrap_or_default();
    let difference = if listed.created_at() != json.created_at() {
        let told = listed.created.as_deref().unwrap_or_default();
        format!("CreationDate {}", shorten(told))
    } else if is_plain(expected, row) && told != expected {
        format!("ArchiveDescription {}", shorten(told))
    } else {
        return;
    };
    let symptom = Symptom::new(
        "inventories-disagree",
        "CSV and JSON inventories tell different values",
    );
    let expected = "the values of the JSON inventory";
    out.violated("INV-CSV-001", symptom, expected, difference);
}

/// Where no JSON inventory was seen, a description is to be what was given.
fn judge_plain(row: &CsvRow, archive: &Archive, out: &mut Judgements) {
    let told = row.listed().description.unwrap_or_default();
    let given = archive.description.as_deref().unwrap_or_default();
    if is_plain(given, row) && !same_description(&told, given) {
        let expected = format!("description {}", shorten(given));
        out.violated("INV-CSV-001", description_lost(), expected, shorten(&told));
    }
}

fn judge_header(read: &CsvInventory, out: &mut Judgements) {
    let names = read.header.as_deref().unwrap_or_default();
    let kept = names == COLUMNS;
    let symptom = || {
        Symptom::new(
            "csv-header",
            "inventories in CSV have no header of the five columns in their order",
        )
    };
    out.judge("INV-CSV-002", kept, symptom, COLUMNS.join(","), || {
        if names.is_empty() {
            "no header".to_owned()
        } else {
            shorten(&names.join(","))
        }
    });
}

fn judge_quotes(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, vault, read)) = inventory(evidence) else {
        return;
    };
    for row in &read.rows {
        let id = row.fields[0].value();
        let Some(archive) = known_archive(vault, &id) else {
            continue;
        };
        judge_description(row, archive, out);
    }
}

fn judge_description(row: &CsvRow, archive: &Archive, out: &mut Judgements) {
    let Some(given) = archive
        .description
        .as_deref()
        .map(|text| text.trim_matches(' '))
    else {
        return;
    };
    let field = row.description();
    let raw = field.raw.trim_matches(' ');
    let literal = written(given);
    let right = literal.trim_matches('"') == raw.trim_matches('"') && field.quoted;
    let as_it_stands = if field.quoted {
        format!("\"{raw}\"")
    } else {
        raw.to_owned()
    };
    let (quote, backslash, comma) = (
        given.contains('"'),
        given.contains('\\'),
        given.contains(','),
    );
    if comma || quote {
        let symptom = || {
            Symptom::new(
                "csv-unquoted",
                "fields with commas or quotes are not enclosed in quotes",
            )
        };
        out.judge(
            "INV-CSV-003",
            field.quoted,
            symptom,
            format!("{} in quotes", shorten(given)),
            || shorten(&as_it_stands),
        );
    }
    if !field.quoted {
        return;
    }
    let doubled = quote && raw.replace("\"\"", "\"") == given;
    let escaped = backslash && raw.replace("\\\\", "\\").replace("\\\"", "\"") == given && !right;
    let symptom = || match (doubled, escaped) {
        (true, _) => Symptom::new(
            "csv-quotes-doubled",
            "quotes in CSV fields are doubled instead of escaped by a backslash",
        ),
        (_, true) => Symptom::new(
            "csv-backslash-escaped",
            "backslashes in CSV fields are escaped",
        ),
        _ => description_lost(),
    };
    let examples = [
        ("INV-CSV-004", quote && !escaped),
        ("INV-CSV-005", backslash && !(doubled && quote)),
    ];
    for (requirement, _) in examples.into_iter().filter(|(_, applies)| *applies) {
        out.judge(requirement, right, symptom, shorten(&literal), || {
            shorten(&as_it_stands)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::amz_date::Timestamp;
    use crate::check::{Judgements, Outcome};
    use crate::model::Life;
    use crate::payload::Content;
    use crate::requirement::Level;

    fn archive(description: &str) -> Archive {
        let content = Content::empty();
        Archive {
            id: "A".to_owned(),
            tree_hash: content.tree_hash(),
            content,
            description: Some(description.to_owned()),
            created: (Timestamp(0), Timestamp(0)),
            life: Life::Live,
            deleted_at: None,
        }
    }

    /// What is said of a description that stands so in a CSV inventory: requirements with the symptom, or none.
    fn said(description: &str, field: &str) -> Vec<(String, &'static str)> {
        let read = parse_csv(&format!("A,{field},2012-05-15T17:21:39Z,5,f2ca\n"));
        let mut out = Judgements::new("test", None, vec![], |_| Level::Must);
        judge_description(&read.rows[0], &archive(description), &mut out);
        let symptom = |outcome: &Outcome| match outcome {
            Outcome::Violated {
                symptom:
                    Symptom {
                        id: Cow::Borrowed(id),
                        ..
                    },
                ..
            } => *id,
            _ => "",
        };
        out.into_inner()
            .iter()
            .map(|said| (said.requirement.to_string(), symptom(&said.outcome)))
            .collect()
    }

    fn kept(requirements: &[&str]) -> Vec<(String, &'static str)> {
        requirements
            .iter()
            .map(|id| ((*id).to_owned(), ""))
            .collect()
    }

    /// The examples of api-initiate-job-post: a comma in quotes, `1\"2` for 1"2, `1\\"2` for 1\"2.
    #[test]
    fn the_examples_of_the_guide_are_kept() {
        assert_eq!(said("a,b", r#""a,b""#), kept(&["INV-CSV-003"]));
        assert_eq!(
            said("1\"2", r#""1\"2""#),
            kept(&["INV-CSV-003", "INV-CSV-004"])
        );
        assert_eq!(
            said("1\\\"2", r#""1\\"2""#),
            kept(&["INV-CSV-003", "INV-CSV-004", "INV-CSV-005"])
        );
        assert_eq!(said(r"end\", r#""end\""#), kept(&["INV-CSV-005"]));
        assert_eq!(said("plain", "plain"), []);
    }

    #[test]
    fn a_plain_description_stays_as_it_was_given_where_no_json_tells_it() {
        let broken = |given: &str, field: &str| {
            let read = parse_csv(&format!("A,{field},2012-05-15T17:21:39Z,5,f2ca\n"));
            let mut out = Judgements::new("test", None, vec![], |_| Level::Must);
            judge_plain(&read.rows[0], &archive(given), &mut out);
            !out.into_inner().is_empty()
        };
        assert!(
            !broken("=1+1", "=1+1") && !broken("a,b", "\"a,b\"") && !broken(" spaced ", "spaced")
        );
        assert!(broken("=1+1", "\"'=1+1\"") && broken("a,b", "\"a b\"") && broken("", "none"));
        assert!(
            !broken("1\"2", "\"1\"\"2\""),
            "how quotes are escaped is for other rules"
        );
    }

    #[test]
    fn the_csv_of_everybody_else_is_recognised() {
        assert_eq!(
            said("1\"2", r#""1""2""#)[1],
            ("INV-CSV-004".to_owned(), "csv-quotes-doubled")
        );
        assert_eq!(
            said(r"1\2", r#""1\\2""#),
            [("INV-CSV-005".to_owned(), "csv-backslash-escaped")]
        );
        assert_eq!(
            said("a,b", "a,b"),
            [("INV-CSV-003".to_owned(), "csv-unquoted")]
        );
        assert_eq!(
            said("1\"2", r#""12""#)[1],
            ("INV-CSV-004".to_owned(), "description-lost")
        );
    }
}
