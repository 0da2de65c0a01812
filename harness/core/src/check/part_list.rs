//! Rules for lists of parts.

use serde_json::Value;

use super::rules::{
    AcceptanceRule, Demand, NOT_FOUND, RefusalRule, judge_acceptance, judge_refusal,
    judge_refusal_graded,
};
use super::shape::{Kind, Member, judge_members, shorten};
use super::subject::{limit_sent, same_vault, success, success_after, text, upload, vault_name};
use super::vault_description::{arn_names, judge_object, plausible};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Life, Refusal, Upload};
use crate::requirement::Level;
use crate::scenario::Action;
use crate::spec::OperationName as O;

/// Lists of parts.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "part-list-accepted",
        &["LP-STATUS-001", "LP-LIMIT-002"],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "part-list-refused",
        &[
            "LP-404-001",
            "LP-404-002",
            "CMU-AFTER-001",
            "AMU-EFFECT-001",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new("part-list-refused-rightly", &["LP-404-001"], judge_softly),
    Check::new(
        "part-list-members",
        &["LP-STATUS-001", "LP-BODY-001"],
        judge_body,
    ),
    Check::new(
        "part-list-upload",
        &["LP-BODY-001", "LP-BODY-003", "LP-BODY-004"],
        judge_identity,
    ),
    Check::new(
        "part-list-description",
        &[
            "LP-BODY-002",
            "IMU-DESC-001",
            "IMU-DESC-003",
            "IMU-DESC-004",
        ],
        judge_description,
    ),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("LP-STATUS-001", O::ListParts),
    AcceptanceRule::example("LP-LIMIT-002", O::ListParts, |now| {
        limit_sent(now) == Some(1)
    }),
];

const fn refused(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::ListParts],
        refusals,
        demand,
    }
}

const REFUSED: &[RefusalRule] = &[
    refused("LP-404-001", &[Refusal::UploadUnknown], NOT_FOUND),
    refused(
        "LP-404-001",
        &[Refusal::UploadAborted, Refusal::UploadCompleted],
        Demand::Refused,
    ),
    refused(
        "CMU-AFTER-001",
        &[Refusal::UploadCompleted],
        Demand::Refused,
    ),
    refused("AMU-EFFECT-001", &[Refusal::UploadAborted], Demand::Refused),
    refused("LP-404-002", &[Refusal::UploadForeign], Demand::Refused),
];

fn judge_softly(evidence: &Evidence<'_>, out: &mut Judgements) {
    let rules = [refused(
        "LP-404-001",
        &[Refusal::UploadAborted, Refusal::UploadCompleted],
        NOT_FOUND,
    )];
    if evidence.exchange().is_some_and(Observation::is_refused) {
        judge_refusal_graded(Level::Should, &rules, evidence, out);
    }
}

fn judge_body(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListParts) else {
        return;
    };
    let Some(document) = now
        .document
        .as_deref()
        .filter(|document| document.is_object())
    else {
        return judge_object("LP-STATUS-001", now, out);
    };
    let members = [
        Member::required("CreationDate", Kind::Text),
        Member::required("MultipartUploadId", Kind::Text),
        Member::required("Parts", Kind::List),
        Member::required("VaultARN", Kind::Text),
        Member::optional("ArchiveDescription", Kind::Text),
        Member::optional("Marker", Kind::Text),
    ];
    judge_members("LP-STATUS-001", "ListParts", document, &members, out);
    judge_members(
        "LP-BODY-001",
        "ListParts",
        document,
        &[Member::required("PartSizeInBytes", Kind::Count)],
        out,
    );
}

/// The upload of a list of parts, when it is known to be open.
pub(super) fn open_upload(now: &Observation) -> Option<&Upload> {
    upload(&now.before, now.action()).filter(|upload| upload.life == Life::Live)
}

fn judge_identity(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListParts) else {
        return;
    };
    let Some((upload, document)) = open_upload(now).zip(now.document.as_deref()) else {
        return;
    };
    if let Some(size) = now.member("/PartSizeInBytes").and_then(Value::as_u64) {
        out.judge(
            "LP-BODY-001",
            size == upload.part_size,
            || other("PartSizeInBytes"),
            format!("PartSizeInBytes {}", upload.part_size),
            || size.to_string(),
        );
    }
    if let Some((id, arn)) = text(document, "MultipartUploadId").zip(text(document, "VaultARN")) {
        let name = vault_name(now).unwrap_or_default();
        let member = if id == upload.id {
            "VaultARN"
        } else {
            "MultipartUploadId"
        };
        let expected = format!("upload {} of vault {name}", shorten(&upload.id));
        out.judge(
            "LP-BODY-003",
            id == upload.id && arn_names(arn, name),
            || other(member),
            expected,
            || format!("upload {} of {arn}", shorten(id)),
        );
    }
    if let Some(told) = text(document, "CreationDate") {
        judge_creation("LP-BODY-004", upload, told, out);
    }
}

/// The symptom of an upload that is described otherwise than it was begun.
pub(super) fn other(member: &'static str) -> Symptom {
    Symptom::new(
        "upload-misdescribed",
        format!("the {member} of a multipart upload is not what it was begun with"),
    )
    .about(member)
}

/// The time of initiation, told the same each time.
pub(super) fn judge_creation(
    requirement: &'static str,
    upload: &Upload,
    told: &str,
    out: &mut Judgements,
) {
    let moved = upload
        .creation_date
        .as_deref()
        .filter(|known| *known != told);
    let Some(within) = plausible(told, upload.created) else {
        return;
    };
    let expected = moved.map_or_else(
        || format!("a time near {}", upload.created.0),
        |known| format!("{known}, as before"),
    );
    out.judge(
        requirement,
        within && moved.is_none(),
        || other("CreationDate"),
        expected,
        || told.to_owned(),
    );
}

/// Judges the description of an upload as listed. An empty text for none is only unexpected.
pub(super) fn judge_listed_description(
    requirements: &[&'static str],
    given: Option<&str>,
    told: Option<&str>,
    out: &mut Judgements,
) {
    let trimmed = |text: Option<&str>| text.unwrap_or_default().trim_matches(' ').to_owned();
    let kept = trimmed(given) == trimmed(told);
    let words = |text: Option<&str>| {
        text.map_or_else(
            || "no ArchiveDescription".to_owned(),
            |text| format!("ArchiveDescription `{}`", shorten(text)),
        )
    };
    for requirement in requirements.iter().copied() {
        if kept && given.is_none() && told == Some("") {
            let symptom = Symptom::new(
                "description-empty",
                "an upload without description is listed with an empty one",
            );
            out.graded(
                requirement,
                Level::Should,
                symptom,
                "null or no ArchiveDescription",
                "an empty text",
            );
        } else {
            out.judge(
                requirement,
                kept,
                || other("ArchiveDescription"),
                words(given),
                || words(told),
            );
        }
    }
}

fn judge_description(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::ListParts) else {
        return;
    };
    let Some(upload) = open_upload(now) else {
        return;
    };
    let told = now.member("/ArchiveDescription").and_then(Value::as_str);
    let given = upload.description.as_deref();
    judge_listed_description(&["LP-BODY-002"], given, told, out);
    if let Some(text) = given {
        judge_listed_description(&["IMU-DESC-001"], given, told, out);
        if super::archives::is_of_all_characters(text) {
            judge_listed_description(&["IMU-DESC-004"], given, told, out);
        }
    }
    if sent_description(now, earlier).is_some_and(|sent| sent.starts_with(' ')) {
        let symptom = || {
            Symptom::new(
                "leading-spaces",
                "leading spaces of an upload's description are kept",
            )
        };
        out.judge(
            "IMU-DESC-003",
            told.is_none_or(|told| !told.starts_with(' ')),
            symptom,
            "no leading spaces",
            || format!("`{}`", shorten(told.unwrap_or_default())),
        );
    }
}

/// The description as it was sent, spaces and all.
fn sent_description<'a>(now: &Observation, earlier: &'a [Observation]) -> Option<&'a str> {
    let handle = now.action().upload()?.handle()?;
    earlier.iter().rev().find_map(|seen| match seen.action() {
        Action::InitiateMultipartUpload {
            upload,
            description,
            ..
        } if upload == handle && same_vault(seen, now) => description.as_deref(),
        _ => None,
    })
}
