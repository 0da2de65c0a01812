//! Rules for what the description of a job repeats of its request and of its archive.

use serde_json::Value;

use super::describe_job::{described, is_inventory, judge_text, retrieval_described, state};
use super::documents::sent;
use super::jobs::{
    Retrieval, asked, begun, given, member_missing, member_wrong, retrieval_range_ignored,
};
use super::shape::{brief, shorten};
use super::subject::{earlier, live_vault};
use super::{Check, Evidence, Judgements, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, Refusal};
use crate::range::{ByteRange, parse_retrieval_range};
use crate::requirement::Level;
use crate::spec::OperationName as O;
use crate::treehash::Digest;

/// What a description repeats.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "job-archive",
        &[
            "DJ-AR-001",
            "DJ-AR-002",
            "DJ-AR-003",
            "DJ-AR-010",
            "DJ-AR-011",
        ],
        judge_archive,
    ),
    Check::new(
        "job-range",
        &["DJ-AR-004", "DJ-AR-005", "IJ-RANGE-009"],
        judge_range,
    ),
    Check::new(
        "job-tier",
        &["IJ-TIER-002", "IJ-TIER-004", "DJ-INV-005"],
        judge_tier,
    ),
    Check::new("job-description-kept", &["IJ-DESC-001"], judge_description),
    Check::new("job-topic", &["IJ-SNS-001"], judge_topic),
    Check::new("job-without-topic", &["DJ-SNS-001"], judge_absent),
    Check::new(
        "inventory-job",
        &["DJ-INV-001", "DJ-INV-002"],
        judge_inventory,
    ),
    Check::new(
        "inventory-parameters",
        &["DJ-INV-003", "DJ-INV-004"],
        judge_inventory_parameters,
    ),
];

/// Members that only other kinds of job have.
fn judge_null(
    requirement: &'static str,
    document: &Value,
    names: &[&'static str],
    out: &mut Judgements,
) {
    let told = names
        .iter()
        .copied()
        .find(|name| given(document, &format!("/{name}")).is_some());
    let symptom = || {
        let name = told.unwrap_or_default();
        Symptom::new(
            "member-unexpected",
            format!("DescribeJob tells {name} where it does not apply"),
        )
        .about(format!("DescribeJob.{name}"))
    };
    out.judge(
        requirement,
        told.is_none(),
        symptom,
        "null or absent",
        || {
            told.map_or_else(String::new, |name| {
                format!("{name}: {}", brief(&document[name]))
            })
        },
    );
}

fn judge_archive(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document, retrieval)) = retrieval_described(evidence) else {
        return;
    };
    judge_text("DJ-AR-001", now, "ArchiveId", retrieval.archive_id, out);
    let size = given(document, "/ArchiveSizeInBytes");
    let told = || brief(size.unwrap_or(&Value::Null));
    let kept = size.and_then(Value::as_u64) == Some(retrieval.size());
    let symptom = || {
        if size.is_none() {
            member_missing("ArchiveSizeInBytes")
        } else {
            member_wrong("ArchiveSizeInBytes")
        }
    };
    out.judge(
        "DJ-AR-002",
        kept,
        symptom,
        format!("ArchiveSizeInBytes: {}", retrieval.size()),
        told,
    );
    judge_archive_hash(document, retrieval, out);
    judge_null("DJ-AR-010", document, &["InventorySizeInBytes"], out);
    judge_null(
        "DJ-AR-011",
        document,
        &[
            "InventoryRetrievalParameters",
            "SelectParameters",
            "OutputLocation",
            "JobOutputPath",
        ],
        out,
    );
}

fn judge_archive_hash(document: &Value, retrieval: Retrieval<'_>, out: &mut Judgements) {
    let right = retrieval.tree_hash;
    let expected = format!("ArchiveSHA256TreeHash: {right}");
    match given(document, "/ArchiveSHA256TreeHash").and_then(Value::as_str) {
        None => out.violated(
            "DJ-AR-003",
            member_missing("ArchiveSHA256TreeHash"),
            expected,
            "null or absent",
        ),
        Some(told) => {
            let symptom = || super::treehash::wrong_hash(retrieval.content, told);
            out.judge(
                "DJ-AR-003",
                told.parse::<Digest>() == Ok(right),
                symptom,
                expected,
                || shorten(told),
            );
        }
    }
}

fn judge_range(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document, retrieval)) = retrieval_described(evidence) else {
        return;
    };
    let asked = begun(now, earlier(evidence)).and_then(|began| asked(began, "/RetrievalByteRange"));
    let requirements: &[&'static str] = match &asked {
        None => &["DJ-AR-004"],
        Some(_) if retrieval.is_whole() && state(document) == Some("Succeeded") => {
            &["DJ-AR-005", "IJ-RANGE-009"]
        }
        Some(_) => &["DJ-AR-005"],
    };
    let told = given(document, "/RetrievalByteRange").and_then(Value::as_str);
    let kept = told.and_then(parse_retrieval_range) == Some(retrieval.range);
    let whole = told.is_none()
        || told.and_then(parse_retrieval_range) == ByteRange::whole(retrieval.size());
    for &requirement in requirements {
        let symptom = || match (&asked, told) {
            (Some(_), _) if whole && !retrieval.is_whole() => retrieval_range_ignored(),
            (_, None) => member_missing("RetrievalByteRange"),
            _ => member_wrong("RetrievalByteRange"),
        };
        let actual = || told.map_or_else(|| "null or absent".to_owned(), shorten);
        out.judge(
            requirement,
            kept,
            symptom,
            format!("RetrievalByteRange: {}", retrieval.range),
            actual,
        );
    }
}

fn judge_tier(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let tier = given(document, "/Tier").and_then(Value::as_str);
    let told = || tier.unwrap_or("null or absent").to_owned();
    if is_inventory(now) {
        let kept = tier.is_none_or(|tier| ["Expedited", "Standard", "Bulk"].contains(&tier));
        return out.judge(
            "DJ-INV-005",
            kept,
            || member_wrong("Tier"),
            "no Tier, or the name of one",
            told,
        );
    }
    let Some(began) = begun(now, earlier(evidence)) else {
        return;
    };
    match (asked(began, "/Tier"), tier) {
        (Some(asked), _) => {
            let symptom = || {
                Symptom::new(
                    "tier-ignored",
                    "jobs do not tell the tier that was asked for",
                )
            };
            out.judge(
                "IJ-TIER-004",
                tier == Some(asked.as_str()),
                symptom,
                format!("Tier: {asked}"),
                told,
            );
        }
        (None, Some(tier)) => {
            out.judge(
                "IJ-TIER-002",
                tier == "Standard",
                || member_wrong("Tier"),
                "Tier: Standard",
                || tier.to_owned(),
            );
        }
        (None, None) => {
            out.held("IJ-TIER-002");
            out.graded(
                "IJ-TIER-002",
                Level::Should,
                member_missing("Tier"),
                "Tier: Standard",
                "null or absent",
            );
        }
    }
}

fn judge_description(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, _)) = described(evidence) else {
        return;
    };
    let asked = begun(now, earlier(evidence)).and_then(|began| asked(began, "/Description"));
    if let Some(asked) = asked.filter(|text| !text.is_empty()) {
        judge_text("IJ-DESC-001", now, "JobDescription", &asked, out);
    }
}

/// A topic the target took is told again; one it did not take decides nothing (AMB-53).
fn judge_topic(evidence: &Evidence<'_>, out: &mut Judgements) {
    if let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::InitiateJob))
    {
        let arn = asked(now, "/SNSTopic").is_some_and(|topic| topic.starts_with("arn:"));
        let refused = now.is_refused();
        if arn && refused && now.expectation == Expectation::Either(vec![Refusal::TopicInvalid]) {
            out.inconclusive("IJ-SNS-001", "the target does not know the topic");
        }
    }
    let Some((now, _)) = described(evidence) else {
        return;
    };
    let asked = begun(now, earlier(evidence)).and_then(|began| asked(began, "/SNSTopic"));
    if let Some(asked) = asked.filter(|topic| topic.starts_with("arn:")) {
        judge_text("IJ-SNS-001", now, "SNSTopic", &asked, out);
    }
}

/// What was not given is not told.
fn judge_absent(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence) else {
        return;
    };
    let Some(sent) = begun(now, earlier(evidence)).and_then(sent) else {
        return;
    };
    let unconfigured =
        live_vault(&now.before, now.action()).is_some_and(|vault| vault.notifications.is_none());
    let names = [("Description", "JobDescription"), ("SNSTopic", "SNSTopic")];
    let absent = names
        .iter()
        .filter(|(asked, _)| given(&sent, &format!("/{asked}")).is_none())
        .map(|(_, told)| *told);
    let absent: Vec<&'static str> = absent.collect();
    if unconfigured && !absent.is_empty() {
        judge_null("DJ-SNS-001", document, &absent, out);
    }
}

fn judge_inventory(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document)) = described(evidence).filter(|(now, _)| is_inventory(now)) else {
        return;
    };
    let foreign = [
        "ArchiveId",
        "ArchiveSizeInBytes",
        "ArchiveSHA256TreeHash",
        "RetrievalByteRange",
        "SHA256TreeHash",
    ];
    judge_null("DJ-INV-001", document, &foreign, out);
    let size = given(document, "/InventorySizeInBytes");
    match state(document) {
        Some("InProgress") => {
            out.judge(
                "DJ-INV-002",
                size.is_none(),
                || member_wrong("InventorySizeInBytes"),
                "no InventorySizeInBytes while InProgress",
                || brief(size.unwrap_or(&Value::Null)),
            );
        }
        Some("Succeeded") if size.is_none() => {
            let expected = "InventorySizeInBytes: the bytes of the output";
            out.violated(
                "DJ-INV-002",
                member_missing("InventorySizeInBytes"),
                expected,
                "null or absent",
            );
        }
        _ => {}
    }
}

/// Dates are told as the same instants, everything else as the same text.
fn same_value(name: &str, asked: &str, told: &str) -> bool {
    let instant = |text: &str| Timestamp::parse_utc(text).or_else(|| Timestamp::parse_basic(text));
    if name.ends_with("Date") {
        instant(asked).is_some() && instant(asked) == instant(told)
    } else {
        asked == told
    }
}

fn judge_inventory_parameters(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = described(evidence).filter(|(now, _)| is_inventory(now)) else {
        return;
    };
    let Some(sent) = begun(now, earlier(evidence)).and_then(sent) else {
        return;
    };
    let told = given(document, "/InventoryRetrievalParameters");
    let format = given(&sent, "/Format").and_then(Value::as_str);
    let asked: Vec<(&str, &str)> = ["StartDate", "EndDate", "Limit"]
        .into_iter()
        .filter_map(|name| {
            Some((
                name,
                given(&sent, &format!("/InventoryRetrievalParameters/{name}"))?.as_str()?,
            ))
        })
        .chain(format.map(|format| ("Format", format)))
        .collect();
    if given(&sent, "/InventoryRetrievalParameters").is_none() {
        judge_plain_parameters(told, out);
    }
    let of = |name: &str| {
        told.and_then(|told| given(told, &format!("/{name}")))
            .and_then(Value::as_str)
    };
    let wrong = asked
        .iter()
        .find(|(name, asked)| !of(name).is_some_and(|told| same_value(name, asked, told)));
    if asked.is_empty() {
        return;
    }
    let symptom = || {
        let title = "DescribeJob does not tell what inventory jobs were asked for";
        Symptom::new("inventory-parameters-lost", title)
    };
    let expected = wrong.map_or_else(String::new, |(name, asked)| format!("{name}: {asked}"));
    out.judge("DJ-INV-003", wrong.is_none(), symptom, expected, || {
        brief(told.unwrap_or(&Value::Null))
    });
}

/// Without parameters an object with nothing but its format; null for all of it is tolerated.
fn judge_plain_parameters(told: Option<&Value>, out: &mut Judgements) {
    let symptom = || member_wrong("InventoryRetrievalParameters");
    let expected = "an object with Format JSON or CSV and nothing else";
    let Some(told) = told else {
        return out.graded(
            "DJ-INV-004",
            Level::May,
            symptom(),
            expected,
            "null or absent",
        );
    };
    let format = given(told, "/Format").and_then(Value::as_str);
    let rest = ["StartDate", "EndDate", "Limit", "Marker"]
        .iter()
        .all(|name| given(told, &format!("/{name}")).is_none());
    out.judge(
        "DJ-INV-004",
        matches!(format, Some("JSON" | "CSV")) && rest,
        symptom,
        expected,
        || brief(told),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, json, status};
    use crate::requirement::Level;

    /// A job of an archive of three bytes, described so beside what every description tells.
    fn described(parameters: &str, told: Value) -> Case {
        let body = format!("{{Type: archive-retrieval, ArchiveId: '${{archive:a}}'{parameters}}}");
        job(&body, told)
    }

    fn inventory(parameters: &str, told: Value) -> Case {
        job(&format!("{{Type: inventory-retrieval{parameters}}}"), told)
    }

    fn job(body: &str, told: Value) -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(
                "UploadArchive: {vault: v, archive: a, content: {text: abc}}",
                status(201).with("x-amz-archive-id", "A"),
            )
            .then(
                &format!("InitiateJob: {{vault: v, job: j, body: {body}}}"),
                status(202).with("x-amz-job-id", "J"),
            )
            .then("DescribeJob: {vault: v, job: j}", json(200, told))
    }

    #[test]
    fn an_archive_job_tells_its_archive() {
        // SHA-256 of "abc", the first example of FIPS 180-2.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let right = described(
            "",
            json!({"ArchiveId": "A", "ArchiveSizeInBytes": 3, "ArchiveSHA256TreeHash": hash, "RetrievalByteRange": "0-2"}),
        );
        for requirement in [
            "DJ-AR-001",
            "DJ-AR-002",
            "DJ-AR-003",
            "DJ-AR-004",
            "DJ-AR-010",
            "DJ-AR-011",
        ] {
            assert!(right.holds(requirement), "{requirement}");
        }
        let wrong = described(
            "",
            json!({"ArchiveId": "B", "ArchiveSizeInBytes": 0, "InventorySizeInBytes": 0}),
        );
        assert_eq!(wrong.breaks("DJ-AR-001"), [("member-wrong", Level::Must)]);
        assert_eq!(wrong.breaks("DJ-AR-002"), [("member-wrong", Level::Must)]);
        assert_eq!(
            wrong.breaks("DJ-AR-003"),
            [("null-job-hashes", Level::Must)]
        );
        assert_eq!(wrong.breaks("DJ-AR-004"), [("member-missing", Level::Must)]);
        assert_eq!(
            wrong.breaks("DJ-AR-010"),
            [("member-unexpected", Level::Must)]
        );
    }

    #[test]
    fn a_tier_is_told_and_standard_without_one() {
        assert!(described(", Tier: Bulk", json!({"Tier": "Bulk"})).holds("IJ-TIER-004"));
        assert_eq!(
            described(", Tier: Bulk", json!({"Tier": "Standard"})).breaks("IJ-TIER-004"),
            [("tier-ignored", Level::Must)]
        );
        assert!(described("", json!({"Tier": "Standard"})).holds("IJ-TIER-002"));
        assert_eq!(
            described("", json!({"Tier": null})).breaks("IJ-TIER-002"),
            [("member-missing", Level::Should)]
        );
        assert_eq!(
            described("", json!({"Tier": "Bulk"})).breaks("IJ-TIER-002"),
            [("member-wrong", Level::Must)]
        );
        assert!(inventory("", json!({"Tier": null})).holds("DJ-INV-005"));
    }

    #[test]
    fn inventory_parameters_are_told_as_the_same_instants() {
        let asked = ", Format: JSON, InventoryRetrievalParameters: {StartDate: '20120320T170343Z', Limit: '2'}";
        let told = json!({"InventoryRetrievalParameters": {"Format": "JSON", "StartDate": "2012-03-20T17:03:43.000Z", "Limit": "2"}});
        assert!(inventory(asked, told).holds("DJ-INV-003"));
        let lost = inventory(
            asked,
            json!({"InventoryRetrievalParameters": {"Format": "JSON", "Limit": "2"}}),
        );
        assert_eq!(
            lost.breaks("DJ-INV-003"),
            [("inventory-parameters-lost", Level::Must)]
        );
        assert!(
            inventory(
                "",
                json!({"InventoryRetrievalParameters": {"Format": "JSON", "Limit": null}})
            )
            .holds("DJ-INV-004")
        );
        assert_eq!(
            inventory("", json!({})).breaks("DJ-INV-004"),
            [("member-wrong", Level::May)]
        );
    }

    #[test]
    fn what_was_not_given_is_not_told() {
        assert!(
            described("", json!({"SNSTopic": null, "JobDescription": null})).holds("DJ-SNS-001")
        );
        assert_eq!(
            described("", json!({"JobDescription": "x"})).breaks("DJ-SNS-001"),
            [("member-unexpected", Level::Must)]
        );
        assert!(
            described(", Description: mine", json!({"JobDescription": "mine"}))
                .holds("IJ-DESC-001")
        );
        assert_eq!(
            described(", Description: mine", json!({})).breaks("IJ-DESC-001"),
            [("member-missing", Level::Must)]
        );
    }
}
