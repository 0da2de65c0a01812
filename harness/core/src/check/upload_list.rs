//! Rules for lists of multipart uploads.

use serde_json::Value;

use super::listed_parts::judge_page;
use super::part_list::{judge_creation, judge_listed_description, other};
use super::rules::{AcceptanceRule, judge_acceptance};
use super::shape::{Kind, Member, brief, judge_members, shorten};
use super::subject::{
    earlier, is_whole_list, items, live_vault, success, success_after, text, vault_name,
};
use super::vault_description::{arn_names, judge_object};
use super::vaults::{is_lost_by_reset, wiped};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Life, Upload};
use crate::spec::OperationName as O;

/// Lists of multipart uploads.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "upload-list-accepted",
        &["LMU-STATUS-001"],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new("upload-list-members", &["LMU-STATUS-001"], judge_body),
    Check::new(
        "upload-list-values",
        &["LMU-BODY-001", "LMU-BODY-002"],
        judge_values,
    ),
    Check::new("upload-list-parts", &["LMU-BODY-002"], judge_listed_parts),
    Check::new("upload-list-scope", &["LMU-SCOPE-001"], judge_scope),
    Check::new(
        "upload-list-open",
        &[
            "LMU-DONE-001",
            "CMU-AFTER-002",
            "AMU-EFFECT-001",
            "LMU-ORDER-001",
        ],
        judge_open,
    ),
    Check::new("upload-list-limit", &["LMU-LIMIT-001"], judge_limit),
];

const ACCEPTED: &[AcceptanceRule] = &[AcceptanceRule::general(
    "LMU-STATUS-001",
    O::ListMultipartUploads,
)];

const ELEMENT: &[Member] = &[
    Member::required("CreationDate", Kind::Text),
    Member::required("MultipartUploadId", Kind::Text),
    Member::required("PartSizeInBytes", Kind::Count),
    Member::required("VaultARN", Kind::Text),
    Member::optional("ArchiveDescription", Kind::Text),
];

fn judge_body(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListMultipartUploads) else {
        return;
    };
    let Some(document) = now
        .document
        .as_deref()
        .filter(|document| document.is_object())
    else {
        return judge_object("LMU-STATUS-001", now, out);
    };
    let members = [
        Member::required("UploadsList", Kind::List),
        Member::optional("Marker", Kind::Text),
    ];
    if judge_members(
        "LMU-STATUS-001",
        "ListMultipartUploads",
        document,
        &members,
        out,
    ) {
        for item in items(now, "UploadsList").unwrap_or_default() {
            judge_members(
                "LMU-STATUS-001",
                "ListMultipartUploads.UploadsList",
                item,
                ELEMENT,
                out,
            );
        }
    }
}

fn id(item: &Value) -> Option<&str> {
    text(item, "MultipartUploadId")
}

/// The listed items with the open uploads they stand for.
fn known(now: &Observation) -> Vec<(&Value, &Upload)> {
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return Vec::new();
    };
    let of_item = |item: &Value| {
        vault
            .uploads
            .values()
            .find(|upload| upload.life == Life::Live && Some(upload.id.as_str()) == id(item))
    };
    items(now, "UploadsList")
        .unwrap_or_default()
        .iter()
        .filter_map(|item| Some((item, of_item(item)?)))
        .collect()
}

fn judge_values(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListMultipartUploads) else {
        return;
    };
    for (item, upload) in known(now) {
        let told = text(item, "ArchiveDescription");
        match upload.description.as_deref() {
            None => judge_listed_description(&["LMU-BODY-001"], None, told, out),
            given => judge_listed_description(&["LMU-BODY-002"], given, told, out),
        }
        let size = Member::required("PartSizeInBytes", Kind::Count);
        judge_members(
            "LMU-BODY-002",
            "ListMultipartUploads.UploadsList",
            item,
            &[size],
            out,
        );
        if let Some(size) = item.get("PartSizeInBytes").and_then(Value::as_u64) {
            out.judge(
                "LMU-BODY-002",
                size == upload.part_size,
                || other("PartSizeInBytes"),
                format!("PartSizeInBytes {}", upload.part_size),
                || size.to_string(),
            );
        }
        if let Some((arn, name)) = text(item, "VaultARN").zip(vault_name(now)) {
            out.judge(
                "LMU-BODY-002",
                arn_names(arn, name),
                || other("VaultARN"),
                format!("VaultARN …:vaults/{name}"),
                || arn.to_owned(),
            );
        }
        if let Some(told) = text(item, "CreationDate") {
            judge_creation("LMU-BODY-002", upload, told, out);
        }
    }
}

/// An element says what ListParts said of the same upload.
fn judge_listed_parts(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::ListMultipartUploads) else {
        return;
    };
    for (item, upload) in known(now) {
        let of_upload = |seen: &&Observation| {
            seen.operation == Some(O::ListParts)
                && seen.succeeded()
                && seen.member("/MultipartUploadId").and_then(Value::as_str) == Some(&upload.id)
        };
        let Some(parts) = earlier.iter().rev().find(of_upload) else {
            continue;
        };
        let compared = [
            "CreationDate",
            "PartSizeInBytes",
            "VaultARN",
            "ArchiveDescription",
        ];
        let differs = |member: &&&str| {
            item.get(**member).filter(|value| !value.is_null())
                != parts.member(&format!("/{member}"))
        };
        let differing = compared.iter().find(differs).copied();
        let words = |value: Option<&Value>| {
            format!(
                "{} {}",
                differing.unwrap_or_default(),
                value.map_or_else(|| "null".to_owned(), brief)
            )
        };
        let expected = words(parts.member(&format!("/{}", differing.unwrap_or_default())));
        let symptom = || {
            let member = differing.unwrap_or_default();
            Symptom::new(
                "upload-lists-differ",
                format!("ListParts and ListMultipartUploads differ in {member}"),
            )
            .about(member)
        };
        let expected = if differing.is_none() {
            "what ListParts says".to_owned()
        } else {
            expected
        };
        out.judge(
            "LMU-BODY-002",
            differing.is_none(),
            symptom,
            expected,
            || words(item.get(differing.unwrap_or_default())),
        );
    }
}

/// No upload of another vault is listed.
fn judge_scope(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListMultipartUploads) else {
        return;
    };
    let Some(here) = now.action().vault().and_then(|named| named.handle()) else {
        return;
    };
    let elsewhere = now
        .before
        .vaults
        .iter()
        .filter(|(handle, _)| handle.as_str() != here);
    let foreign: Vec<&Upload> = elsewhere
        .flat_map(|(_, vault)| vault.uploads.values())
        .filter(|upload| !upload.id.is_empty())
        .collect();
    if foreign.is_empty() || live_vault(&now.before, now.action()).is_none() {
        return;
    }
    let listed = items(now, "UploadsList").unwrap_or_default();
    let own = |id: &str| {
        live_vault(&now.before, now.action())
            .is_some_and(|vault| vault.uploads.values().any(|upload| upload.id == id))
    };
    let stray = foreign
        .iter()
        .find(|upload| !own(&upload.id) && listed.iter().any(|item| id(item) == Some(&upload.id)));
    let symptom = || Symptom::new("foreign-uploads", "uploads of another vault are listed");
    out.judge(
        "LMU-SCOPE-001",
        stray.is_none(),
        symptom,
        "uploads of this vault alone",
        || {
            stray.map_or_else(String::new, |upload| {
                format!("{} of another vault", shorten(&upload.id))
            })
        },
    );
}

/// Open uploads are listed, whatever the order; finished ones are not.
fn judge_open(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListMultipartUploads) else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    let ids: Vec<&str> = items(now, "UploadsList")
        .unwrap_or_default()
        .iter()
        .filter_map(id)
        .collect();
    if ids.len() > 1 {
        out.held("LMU-ORDER-001");
    }
    for upload in vault
        .uploads
        .values()
        .filter(|upload| !upload.id.is_empty())
    {
        let listed = ids.contains(&upload.id.as_str());
        match upload.life {
            Life::Live if listed => out.held("LMU-DONE-001"),
            Life::Live if is_whole_list(now) => {
                let symptom = match is_lost_by_reset(now, earlier(evidence)) {
                    true => wiped(),
                    false => Symptom::new("upload-unlisted", "an open upload is not listed"),
                };
                out.violated(
                    "LMU-DONE-001",
                    symptom,
                    format!("{} listed", shorten(&upload.id)),
                    format!("{} other uploads", ids.len()),
                );
            }
            Life::Gone if !listed && !is_whole_list(now) => {}
            Life::Gone => judge_finished(upload, listed, out),
            _ => {}
        }
    }
}

fn judge_finished(upload: &Upload, listed: bool, out: &mut Judgements) {
    let (requirement, how) = if upload.completed.is_some() {
        ("CMU-AFTER-002", "completed")
    } else {
        ("AMU-EFFECT-001", "aborted")
    };
    let symptom = || {
        Symptom::new(
            "finished-upload-listed",
            format!("an upload is still listed after it was {how}"),
        )
        .about(how)
    };
    for requirement in [requirement, "LMU-DONE-001"] {
        out.judge(
            requirement,
            !listed,
            symptom,
            format!("not listed: it was {how}"),
            || format!("{} listed", shorten(&upload.id)),
        );
    }
}

fn judge_limit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListMultipartUploads) else {
        return;
    };
    let (Some(count), Some(vault)) = (
        items(now, "UploadsList").map(<[Value]>::len),
        live_vault(&now.before, now.action()),
    ) else {
        return;
    };
    let known = vault
        .uploads
        .values()
        .filter(|upload| upload.life == Life::Live)
        .count();
    judge_page("ListMultipartUploads", now, count, known, out);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, json, status};
    use crate::requirement::Level;

    const LIST: &str = "ListMultipartUploads: {vault: v}";

    fn begun() -> Case {
        let case = Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then("CreateVault: {vault: w}", status(201));
        let begin = |vault: &str, upload: &str| {
            format!(
                "InitiateMultipartUpload: {{vault: {vault}, upload: {upload}, part_size: \"4194304\", description: four}}"
            )
        };
        let case = case.then(
            &begin("v", "u"),
            status(201).with("x-amz-multipart-upload-id", "U"),
        );
        case.then(
            &begin("w", "x"),
            status(201).with("x-amz-multipart-upload-id", "X"),
        )
    }

    fn element(id: &str) -> Value {
        json!({
            "ArchiveDescription": "four", "CreationDate": "2013-02-04T17:46:42.000Z", "MultipartUploadId": id,
            "PartSizeInBytes": 4194304, "VaultARN": "arn:aws:glacier:us-east-1:012345678901:vaults/the-v",
        })
    }

    fn list(elements: &[Value]) -> super::super::by_hand::Answer {
        json(200, json!({"UploadsList": elements, "Marker": null}))
    }

    #[test]
    fn an_upload_is_listed_as_it_was_begun() {
        let case = begun().then(LIST, list(&[element("U")]));
        assert!(
            case.holds("LMU-STATUS-001")
                && case.holds("LMU-BODY-002")
                && case.holds("LMU-DONE-001")
                && case.holds("LMU-SCOPE-001")
        );
        let mut text = element("U");
        text["PartSizeInBytes"] = json!("4194304");
        assert_eq!(
            begun().then(LIST, list(&[text])).breaks("LMU-STATUS-001"),
            [("member-type", Level::Must)]
        );
        let mut bare = element("U");
        bare["ArchiveDescription"] = Value::Null;
        assert_eq!(
            begun().then(LIST, list(&[bare])).breaks("LMU-BODY-002"),
            [("upload-misdescribed", Level::Must)]
        );
    }

    #[test]
    fn uploads_of_other_vaults_and_finished_ones_are_not_listed() {
        assert_eq!(
            begun()
                .then(LIST, list(&[element("U"), element("X")]))
                .breaks("LMU-SCOPE-001"),
            [("foreign-uploads", Level::Must)]
        );
        assert_eq!(
            begun().then(LIST, list(&[])).breaks("LMU-DONE-001"),
            [("upload-unlisted", Level::Must)]
        );
        let aborted = || begun().then("AbortMultipartUpload: {vault: v, upload: u}", status(204));
        assert!(aborted().then(LIST, list(&[])).holds("AMU-EFFECT-001"));
        assert_eq!(
            aborted()
                .then(LIST, list(&[element("U")]))
                .breaks("AMU-EFFECT-001"),
            [("finished-upload-listed", Level::Must)]
        );
    }
}
