//! Rules for downloads beside their bytes: when there is an output, how long it stays, and what its headers tell.

use super::archive_effects::{description_lost, same_description};
use super::describe_job::{described, state};
use super::jobs::same_job;
use super::output::{Download, has_range};
use super::rules::{Demand, RefusalRule, answer, is_odd, judge_refusal, not_accepted};
use super::shape::shorten;
use super::subject::{earlier, header, live_vault};
use super::vaults::was_made_again;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, JobKind, Refusal};
use crate::spec::OperationName as O;

/// State and headers of downloads.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "output-refused",
        &[
            "GJO-STATE-001",
            "GJO-STATE-002",
            "GJO-STATE-003",
            "GJO-STATE-004",
            "GJO-404-001",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new("output-too-early", &["GJO-STATE-001"], judge_early),
    Check::new("output-kept", &["GJO-STATE-006"], judge_kept),
    Check::new("output-repeatable", &["GJO-IDEM-001"], judge_repeatable),
    Check::new(
        "output-type",
        &["GJO-TYPE-001", "GJO-TYPE-002", "GJO-TYPE-003"],
        judge_type,
    ),
    Check::new(
        "output-accept-ranges",
        &["GJO-ACCEPT-001"],
        judge_accept_ranges,
    ),
    Check::new(
        "output-description",
        &["GJO-DESC-001", "GJO-DESC-002"],
        judge_description,
    ),
];

const fn refused(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule::new(requirement, &[O::GetJobOutput], refusals, demand)
}

const REFUSED: &[RefusalRule] = &[
    refused("GJO-STATE-001", &[Refusal::JobNotReady], Demand::Refused),
    refused(
        "GJO-STATE-002",
        &[Refusal::JobNotReady],
        Demand::Answer(&[(400, "InvalidParameterValueException")]),
    ),
    refused("GJO-STATE-003", &[Refusal::JobFailed], Demand::Refused),
    refused(
        "GJO-STATE-004",
        &[Refusal::JobUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
    refused("GJO-404-001", &[Refusal::JobForeign], Demand::Refused),
];

fn is_download(seen: &Observation) -> bool {
    seen.operation == Some(O::GetJobOutput)
}

/// A job that had an output is not in progress afterwards.
fn judge_early(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, _)) =
        described(evidence).filter(|(_, document)| state(document) == Some("InProgress"))
    else {
        return;
    };
    let Some(early) = earlier(evidence)
        .iter()
        .find(|seen| is_download(seen) && same_job(seen, now) && seen.succeeded())
    else {
        return;
    };
    out.also_rests_on(early.index);
    let symptom = Symptom::new(
        "output-before-completion",
        "a job has an output while it is in progress",
    );
    out.violated(
        "GJO-STATE-001",
        symptom,
        "4xx while InProgress",
        answer(early),
    );
}

/// What could be downloaded once can be downloaded again, for a day at least.
fn judge_kept(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| is_download(now) && now.expectation == Expectation::Accept)
    else {
        return;
    };
    let before = earlier(evidence)
        .iter()
        .rev()
        .find(|seen| is_download(seen) && same_job(seen, now) && seen.succeeded());
    let Some(before) = before.filter(|_| live_vault(&now.before, now.action()).is_some()) else {
        return;
    };
    // A range that was never served may be refused for what it is.
    let of_its_own = has_range(now) && asks(before) != asks(now) && now.status() != Some(404);
    // Other ways to write a request have rules of their own, and so has what a second creation of the vault does to its jobs.
    let of_another_rule = is_odd(&now.record.tweak) || was_made_again(now, earlier(evidence));
    if (of_its_own || of_another_rule) && !now.succeeded() {
        return;
    }
    out.also_rests_on(before.index);
    let symptom = || match now.status() {
        Some(400..500) => Symptom::new(
            "output-not-kept",
            "the output of a job can be downloaded only once",
        ),
        _ => not_accepted(now),
    };
    if !has_range(now) || !now.succeeded() {
        out.judge(
            "GJO-STATE-006",
            now.succeeded(),
            symptom,
            "the output again",
            || answer(now),
        );
    }
}

/// The `Range` sent.
fn asks(seen: &Observation) -> Option<&str> {
    seen.exchange().request.headers.value("range")
}

fn judge_repeatable(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| is_download(now) && now.succeeded())
    else {
        return;
    };
    let same = |seen: &&Observation| {
        is_download(seen) && same_job(seen, now) && seen.succeeded() && asks(seen) == asks(now)
    };
    let Some(before) = earlier(evidence).iter().rev().find(same) else {
        return;
    };
    let (Some(first), Some(second)) = (before.response(), now.response()) else {
        return;
    };
    out.also_rests_on(before.index);
    let symptom = || {
        Symptom::new(
            "output-changes",
            "the same download brings other bytes the second time",
        )
    };
    out.judge(
        "GJO-IDEM-001",
        first.body.sha256 == second.body.sha256,
        symptom,
        "the same bytes as before",
        || format!("{} bytes after {}", second.body.length, first.body.length),
    );
}

fn judge_type(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence) else {
        return;
    };
    let Some(response) = download.response() else {
        return;
    };
    let (requirement, expected) = match &download.job.kind {
        JobKind::Archive { .. } => ("GJO-TYPE-001", "application/octet-stream"),
        JobKind::Inventory { format, .. } if format == "CSV" => ("GJO-TYPE-003", "text/csv"),
        JobKind::Inventory { .. } => ("GJO-TYPE-002", "application/json"),
        JobKind::Other => return,
    };
    if response.media_type() == "multipart/byteranges" {
        return;
    }
    let told = response.media_type();
    let symptom = || match requirement {
        "GJO-TYPE-003" if download.now.document.is_some() => format_ignored(),
        _ => Symptom::new(
            "output-media-type",
            format!("outputs that must be {expected} have another media type"),
        )
        .about(expected),
    };
    out.judge(
        requirement,
        told == expected,
        symptom,
        format!("Content-Type: {expected}"),
        || {
            header(download.now, "content-type").map_or_else(
                || "no Content-Type".to_owned(),
                |text| format!("Content-Type: {text}"),
            )
        },
    );
}

/// The symptom of inventories that come in JSON whatever was asked for.
pub(super) fn format_ignored() -> Symptom {
    Symptom::new(
        "inventory-format-ignored",
        "inventories come in JSON whatever Format asks for",
    )
}

fn judge_accept_ranges(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence).filter(|download| download.response().is_some())
    else {
        return;
    };
    let told = header(download.now, "accept-ranges");
    let symptom = || {
        Symptom::new(
            "accept-ranges-missing",
            "downloads do not carry Accept-Ranges: bytes",
        )
    };
    out.judge(
        "GJO-ACCEPT-001",
        told == Some("bytes"),
        symptom,
        "Accept-Ranges: bytes",
        || {
            told.map_or_else(
                || "no Accept-Ranges".to_owned(),
                |text| format!("Accept-Ranges: {text}"),
            )
        },
    );
}

/// The description of an archive comes with its bytes; a missing one is only expected, another one is wrong.
fn judge_description(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence).filter(|download| download.response().is_some())
    else {
        return;
    };
    let JobKind::Archive { description, .. } = &download.job.kind else {
        return;
    };
    let told = header(download.now, "x-amz-archive-description").filter(|text| !text.is_empty());
    match (
        description
            .as_deref()
            .filter(|text| !text.trim().is_empty()),
        told,
    ) {
        (None, told) => {
            let symptom = || {
                Symptom::new(
                    "description-invented",
                    "an archive without description is retrieved with one",
                )
            };
            out.judge(
                "GJO-DESC-002",
                told.is_none(),
                symptom,
                "no x-amz-archive-description",
                || shorten(told.unwrap_or_default()),
            );
        }
        (Some(given), None) => {
            let symptom = Symptom::new(
                "description-header-missing",
                "downloads do not carry the description of the archive",
            );
            out.violated(
                "GJO-DESC-001",
                symptom,
                format!("x-amz-archive-description: {}", shorten(given)),
                "no such header",
            );
        }
        (Some(given), Some(told)) => {
            out.judge(
                "GJO-DESC-001",
                same_description(told, given),
                description_lost,
                format!("x-amz-archive-description: {}", shorten(given)),
                || shorten(told),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::by_hand::{Answer, Case, error, json, status};
    use crate::requirement::Level;

    const OUTPUT: &str = "GetJobOutput: {vault: v, job: j}";

    fn begun(description: &str) -> Case {
        let upload =
            format!("UploadArchive: {{vault: v, archive: a, content: {{text: abc}}{description}}}");
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(&upload, status(201).with("x-amz-archive-id", "A"))
            .then("InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}", status(202).with("x-amz-job-id", "J"))
    }

    fn described(case: Case, state: &str) -> Case {
        let completed = state != "InProgress";
        case.then(
            "DescribeJob: {vault: v, job: j}",
            json(
                200,
                json!({"JobId": "J", "StatusCode": state, "Completed": completed}),
            ),
        )
    }

    fn bytes() -> Answer {
        status(200).bytes(b"abc".to_vec())
    }

    #[test]
    fn before_completion_there_is_no_output() {
        let refused = begun("").then(OUTPUT, error(400, "InvalidParameterValueException"));
        assert!(refused.holds("GJO-STATE-001") && refused.holds("GJO-STATE-002"));
        let odd = begun("").then(OUTPUT, error(404, "ResourceNotFoundException"));
        assert!(odd.holds("GJO-STATE-001"));
        assert_eq!(
            odd.breaks("GJO-STATE-002"),
            [("refused-otherwise", Level::Should)]
        );
        let early = described(begun("").then(OUTPUT, bytes()), "InProgress");
        assert_eq!(
            early.breaks("GJO-STATE-001"),
            [("output-before-completion", Level::Must)]
        );
        assert!(
            described(begun("").then(OUTPUT, bytes()), "Succeeded")
                .said("GJO-STATE-001")
                .is_empty()
        );
    }

    #[test]
    fn an_output_stays() {
        let once = || described(begun(""), "Succeeded").then(OUTPUT, bytes());
        let twice = once().then(OUTPUT, bytes());
        assert!(twice.holds("GJO-STATE-006") && twice.holds("GJO-IDEM-001"));
        let gone = once().then(OUTPUT, error(404, "ResourceNotFoundException"));
        assert_eq!(
            gone.breaks("GJO-STATE-006"),
            [("output-not-kept", Level::Must)]
        );
        assert!(
            gone.breaks("GJO-STATUS-001").is_empty(),
            "and no echo of it"
        );
        let otherwise = "{GetJobOutput: {vault: v, job: j}, but: {path: encoded}}";
        let gone = || error(400, "VaultNotFound");
        let strange = once().then(otherwise, gone());
        assert!(
            strange.said("GJO-STATE-006").is_empty(),
            "how a path is written has a rule of its own"
        );
        let again = once().then("CreateVault: {vault: v}", status(201));
        let reset = again.then(OUTPUT, gone());
        assert!(
            reset.said("GJO-STATE-006").is_empty() && reset.breaks("GJO-STATUS-001").is_empty(),
            "what a reset lost was kept until then"
        );
        let other = once().then(OUTPUT, status(200).bytes(b"abd".to_vec()));
        assert_eq!(
            other.breaks("GJO-IDEM-001"),
            [("output-changes", Level::Must)]
        );
    }

    #[test]
    fn headers_tell_type_and_description() {
        let answer = || {
            bytes()
                .with("content-type", "application/octet-stream; charset=binary")
                .with("accept-ranges", "bytes")
        };
        let plain = described(begun(""), "Succeeded").then(OUTPUT, answer());
        assert!(
            ["GJO-TYPE-001", "GJO-ACCEPT-001", "GJO-DESC-002"]
                .iter()
                .all(|id| plain.holds(id))
        );
        let told = described(begun(", description: mine"), "Succeeded")
            .then(OUTPUT, answer().with("x-amz-archive-description", "mine"));
        assert!(told.holds("GJO-DESC-001"));
        let silent = described(begun(", description: mine"), "Succeeded").then(OUTPUT, bytes());
        assert_eq!(
            silent.breaks("GJO-DESC-001"),
            [("description-header-missing", Level::Should)]
        );
        assert_eq!(
            silent.breaks("GJO-TYPE-001"),
            [("output-media-type", Level::Must)]
        );
    }
}
