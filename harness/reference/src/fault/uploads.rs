//! Archives and multipart uploads: sizes, descriptions, parts and their assembly.

use crevasse_core::model::{Life, Refusal as R, Upload};
use crevasse_core::payload::Content;
use crevasse_core::range::{ByteRange, ContentRange, parse_retrieval_range};
use crevasse_core::scenario::{Action, RangeClaim};
use crevasse_core::spec::OperationName as O;
use crevasse_core::treehash::MIB;
use serde_json::Value;

use super::means::{
    archive, asks, done, fault, items, refuse, refuse_parameter, refused_for, text, upload_id,
    vault, vaults,
};
use super::{Decision, Fault, Hook, Memory, Seam};
use crate::realm::Realm;
use crate::render::{Draft, Told};
use crate::service::Asked;

/// The description of an upload that is begun or made.
fn description(action: &mut Action) -> Option<&mut String> {
    match action {
        Action::UploadArchive { description, .. }
        | Action::InitiateMultipartUpload { description, .. } => description.as_mut(),
        _ => None,
    }
}

fn upload<'a>(realm: &'a mut Realm, asked: &Asked) -> Option<&'a mut Upload> {
    vault(realm, asked)?.uploads.get_mut(upload_id(asked))
}

/// Where a part is said to go.
fn place(asked: &Asked) -> Option<ByteRange> {
    match &asked.action {
        Action::UploadMultipartPart {
            range: RangeClaim::Literal(text),
            ..
        } => ContentRange::parse(text).map(|place| place.range),
        _ => None,
    }
}

/// Remembers the order in which parts of an upload arrived.
fn note_arrival(asked: &Asked, memory: &mut Memory) {
    let Some(place) = place(asked).filter(|_| asks(asked, O::UploadMultipartPart)) else {
        return;
    };
    let mut order = memory
        .take(upload_id(asked))
        .unwrap_or_else(|| Value::Array(Vec::new()));
    let starts = order.as_array_mut();
    if let Some(starts) = starts.filter(|starts| !starts.contains(&Value::from(place.start))) {
        starts.push(Value::from(place.start));
    }
    memory.keep(upload_id(asked), order);
}

fn arrivals(asked: &Asked, memory: &Memory) -> Vec<u64> {
    let order = memory.kept(upload_id(asked)).and_then(Value::as_array);
    order
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let byte = rest
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(byte.map_or('%', char::from));
        rest = &rest[at + if byte.is_some() { 3 } else { 1 }..];
    }
    (decoded + rest).replace('+', " ")
}

fn is_text(content: &Content) -> bool {
    content.length() > 4 * MIB || String::from_utf8(content.to_bytes()).is_ok()
}

/// Tells the places of listed parts otherwise.
fn retell_places(draft: &mut Draft, told: &Told<'_>, tell: fn(ByteRange) -> String) {
    if !done(told, O::ListParts) {
        return;
    }
    for part in items(draft).into_iter().flatten() {
        if let Some(range) = parse_retrieval_range(text(part, "RangeInBytes")) {
            part["RangeInBytes"] = tell(range).into();
        }
    }
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "empty-archive-accepted",
        "B148",
        Seam::Model,
        &["UA-SIZE-002"],
        "an archive of zero bytes is accepted",
        &[Hook::Accepts(&[O::UploadArchive], &[R::BodyEmpty])],
    ),
    fault(
        "one-byte-archive-refused",
        "own",
        Seam::Model,
        &["UA-SIZE-001"],
        "an archive of one byte is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if matches!(&asked.action, Action::UploadArchive { content, .. } if content.length() == 1)
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "length-not-required",
        "own",
        Seam::Model,
        &["UA-SIZE-004"],
        "an upload without Content-Length is accepted",
        &[Hook::Accepts(&[O::UploadArchive], &[R::LengthMissing])],
    ),
    fault(
        "long-description-accepted",
        "B146",
        Seam::Model,
        &["UA-DESC-003", "IMU-DESC-002"],
        "descriptions may have any length",
        &[Hook::Accepts(&[], &[R::DescriptionTooLong])],
    ),
    fault(
        "description-of-1024-refused",
        "own",
        Seam::Model,
        &["UA-DESC-002"],
        "a description must be shorter than 1,024 characters",
        &[Hook::Decides(|decision, asked, _, _| {
            if matches!(&asked.action, Action::UploadArchive { description: Some(text), .. } if text.len() == 1024)
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "illegal-description-blanked",
        "B146",
        Seam::Model,
        &["UA-DESC-005"],
        "a description with characters that are not allowed counts as empty",
        &[Hook::Request(|asked, _| {
            if let Some(text) = description(&mut asked.action)
                && !text.chars().all(|c| (' '..='~').contains(&c))
            {
                text.clear();
            }
        })],
    ),
    fault(
        "description-decoded",
        "B131",
        Seam::Model,
        &["UA-DESC-004", "UA-DESC-007"],
        "percent signs and pluses in a description are decoded",
        &[Hook::Request(|asked, _| {
            if let Some(text) = description(&mut asked.action) {
                *text = percent_decoded(text);
            }
        })],
    ),
    fault(
        "description-cut-at-255",
        "own",
        Seam::Model,
        &["UA-DESC-004"],
        "descriptions end after 255 characters",
        &[Hook::Request(|asked, _| {
            if let Some(text) = description(&mut asked.action)
                && text.is_char_boundary(255)
            {
                text.truncate(255);
            }
        })],
    ),
    fault(
        "description-loses-backslashes",
        "own",
        Seam::Model,
        &["UA-DESC-004", "IMU-DESC-004"],
        "backslashes in a description are dropped",
        &[Hook::Request(|asked, _| {
            if let Some(text) = description(&mut asked.action) {
                *text = text.replace('\\', "");
            }
        })],
    ),
    fault(
        "archive-id-from-content",
        "B098",
        Seam::Reply,
        &["UA-ID-001"],
        "the same bytes get the same archive id",
        &[Hook::Replies(|draft, told, memory| {
            if let (
                true,
                Action::UploadArchive {
                    content, archive, ..
                },
            ) = (done(told, O::UploadArchive), &told.asked.action)
            {
                let key = content.tree_hash().to_string();
                let id = memory
                    .kept(&key)
                    .and_then(Value::as_str)
                    .unwrap_or(archive)
                    .to_owned();
                draft.headers.set("x-amz-archive-id", id.clone());
                draft.headers.set(
                    "Location",
                    told.place
                        .location(told.vault(), &format!("/archives/{id}")),
                );
                memory.keep(&key, Value::from(id));
            }
        })],
    ),
    fault(
        "same-content-stored-once",
        "B108",
        Seam::Model,
        &["UA-DUR-001", "UA-USE-001"],
        "an upload of bytes that the vault has already is acknowledged and not stored",
        &[Hook::After(|realm, asked, _, _| {
            if let Action::UploadArchive {
                content, archive, ..
            } = &asked.action
            {
                let hash = content.tree_hash();
                let Some(vault) = vault(realm, asked) else {
                    return;
                };
                let known = vault.archives.iter().any(|(id, other)| {
                    id != archive && other.life == Life::Live && other.content.tree_hash() == hash
                });
                if known {
                    vault.archives.shift_remove(archive);
                }
            }
        })],
    ),
    fault(
        "fifth-upload-lost",
        "own",
        Seam::Model,
        &["UA-DUR-001"],
        "every fifth upload is acknowledged and not stored",
        &[Hook::After(|realm, asked, _, memory| {
            if let Action::UploadArchive { archive, .. } = &asked.action
                && memory.count("uploads") % 5 == 0
                && let Some(vault) = vault(realm, asked)
            {
                vault.archives.shift_remove(archive);
            }
        })],
    ),
    fault(
        "archive-must-be-text",
        "B127",
        Seam::Model,
        &["UA-STATUS-001"],
        "an archive that is no UTF-8 is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if let (true, Action::UploadArchive { content, .. }) =
                (asks(asked, O::UploadArchive), &asked.action)
                && !is_text(content)
            {
                refuse(decision, 400, "SerializationException");
            }
        })],
    ),
    fault(
        "part-must-be-text",
        "B128",
        Seam::Model,
        &["UMP-STATUS-001"],
        "a part that is no UTF-8 is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if let (true, Action::UploadMultipartPart { content, .. }) =
                (asks(asked, O::UploadMultipartPart), &asked.action)
                && !is_text(content)
            {
                refuse(decision, 400, "SerializationException");
            }
        })],
    ),
    fault(
        "part-hash-optional-when-replaced",
        "own",
        Seam::Model,
        &["UMP-HASH-003"],
        "a part that is sent again needs no tree hash",
        &[Hook::Decides(|decision, asked, model, _| {
            let upload = model
                .vaults
                .get(asked.vault())
                .and_then(|vault| vault.uploads.get(upload_id(asked)));
            let there = |place: ByteRange| {
                upload.is_some_and(|upload| upload.parts.contains_key(&place.start))
            };
            if refused_for(decision, R::TreeHashMissing) && place(asked).is_some_and(there) {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "refused-part-replaces",
        "own",
        Seam::Model,
        &["LP-PARTS-002"],
        "a part that is refused takes the place of the one that was there",
        &[Hook::Before(|realm, asked, _| {
            if let (true, Some(place), Action::UploadMultipartPart { content, .. }) = (
                asks(asked, O::UploadMultipartPart),
                place(asked),
                &asked.action,
            ) && let Some(upload) = upload(realm, asked)
                && let Some(part) = upload.parts.get_mut(&place.start)
                && content.length() == part.range.len()
            {
                part.content = content.clone();
                part.tree_hash = content.tree_hash();
            }
        })],
    ),
    fault(
        "refused-completion-drops-description",
        "own",
        Seam::Model,
        &["CMU-DESC-001"],
        "an archive has no description when its completion was refused before",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                if asks(asked, O::CompleteMultipartUpload) && *decision != Decision::Accept {
                    memory.count(upload_id(asked));
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if let Action::CompleteMultipartUpload { archive, .. } = &asked.action
                    && memory.counted(upload_id(asked)) > 0
                    && let Some(vault) = vault(realm, asked)
                    && let Some(archive) = vault.archives.get_mut(archive)
                {
                    archive.description = None;
                }
            }),
        ],
    ),
    fault(
        "repeated-completion-counted",
        "own",
        Seam::Reply,
        &["DSV-INV-005"],
        "NumberOfArchives counts each completion, not each archive",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::CompleteMultipartUpload) && memory.count(upload_id(told.asked)) > 1 {
                memory.count(told.vault());
            }
            let repeated = memory.counted(told.vault());
            for vault in vaults(draft, told) {
                if let Some(count) = vault["NumberOfArchives"].as_u64() {
                    vault["NumberOfArchives"] = Value::from(count + repeated);
                }
            }
        })],
    ),
    fault(
        "deleted-archive-not-found",
        "B097",
        Seam::Model,
        &["DA-IDEM-001"],
        "an archive cannot be deleted twice",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::DeleteArchive { vault, archive } = &asked.action {
                let known = archive.handle().and_then(|id| model.archive(vault, id));
                if known.is_some_and(|(_, archive)| archive.life == Life::Gone) {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }
        })],
    ),
    fault(
        "archive-deleted-through-any-vault",
        "B107",
        Seam::Model,
        &["DA-XVAULT-001"],
        "an archive can be deleted through a vault that it is not in",
        &[Hook::Accepts(&[O::DeleteArchive], &[R::ArchiveForeign])],
    ),
    fault(
        "archive-deletion-without-effect",
        "own",
        Seam::Model,
        &["DA-EFFECT-001", "DA-EFFECT-004"],
        "a deleted archive stays",
        &[Hook::After(|realm, asked, _, _| {
            if let Action::DeleteArchive { archive, .. } = &asked.action {
                let known =
                    vault(realm, asked).and_then(|vault| vault.archives.get_mut(archive.handle()?));
                if let Some(archive) = known {
                    archive.life = Life::Live;
                }
            }
        })],
    ),
    fault(
        "twins-deleted-together",
        "own",
        Seam::Model,
        &["UA-DUR-001", "INV-JSON-007"],
        "deleting an archive deletes those of the same content too",
        &[Hook::After(|realm, asked, _, _| {
            let Action::DeleteArchive { archive, .. } = &asked.action else {
                return;
            };
            let Some(vault) = vault(realm, asked) else {
                return;
            };
            let deleted = archive.handle().and_then(|id| vault.archives.get(id));
            let Some(deleted) = deleted
                .filter(|archive| archive.life == Life::Gone)
                .cloned()
            else {
                return;
            };
            for twin in vault.archives.values_mut() {
                if twin.content == deleted.content && twin.life == Life::Live {
                    (twin.life, twin.deleted_at) = (Life::Gone, deleted.deleted_at);
                }
            }
        })],
    ),
    fault(
        "deletion-answers-200",
        "own",
        Seam::Reply,
        &["DA-STATUS-001"],
        "DeleteArchive answers 200",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::DeleteArchive) {
                draft.status = 200;
            }
        })],
    ),
    fault(
        "stored-and-answered-500",
        "B150",
        Seam::Reply,
        &["UA-STATUS-001"],
        "every third upload is stored and answered 500",
        &[Hook::Replies(|draft, told, memory| {
            if done(told, O::UploadArchive) && memory.count("uploads") % 3 == 0 {
                *draft = Draft::json(
                    500,
                    serde_json::json!({"code": "ServiceUnavailableException", "message": "Try again.", "type": "Server"}),
                );
            }
        })],
    ),
    fault(
        "descriptions-crossed-under-load",
        "B133",
        Seam::Model,
        &["UA-DESC-007", "GJO-DESC-001"],
        "the description of an upload is that of the request that began last: uploads at the same time cross",
        &[Hook::Request(|asked, memory| {
            if let Action::UploadArchive { description, .. } = &mut asked.action {
                if asked.early {
                    memory.keep("description", serde_json::json!(description));
                } else {
                    *description = memory
                        .kept("description")
                        .and_then(Value::as_str)
                        .map(str::to_owned);
                }
            }
        })],
    ),
    fault(
        "completed-archive-empty",
        "B052",
        Seam::Model,
        &["CMU-CONTENT-001", "UMP-ORDER-001"],
        "an archive made of parts has no bytes",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::CompleteMultipartUpload)
                && let Some(archive) = archive(realm, asked)
            {
                archive.content = Content::empty();
            }
        })],
    ),
    fault(
        "uploads-of-a-vault-share-their-parts",
        "own",
        Seam::Model,
        &["LP-PARTS-001", "LP-PARTS-002"],
        "a part is stored in every open upload of the vault that has parts of this size",
        &[Hook::After(|realm, asked, _, _| {
            let Some(from) = upload(realm, asked).filter(|_| asks(asked, O::UploadMultipartPart))
            else {
                return;
            };
            let (size, parts) = (from.part_size, from.parts.clone());
            let uploads = vault(realm, asked)
                .into_iter()
                .flat_map(|vault| vault.uploads.values_mut());
            for other in uploads.filter(|it| it.part_size == size && it.life == Life::Live) {
                other.parts.extend(parts.clone());
            }
        })],
    ),
    fault(
        "parts-joined-as-they-came",
        "own",
        Seam::Model,
        &["CMU-CONTENT-001", "UMP-ORDER-001"],
        "an archive is its parts in the order of their arrival",
        &[Hook::After(|realm, asked, _, memory| {
            note_arrival(asked, memory);
            if !asks(asked, O::CompleteMultipartUpload) {
                return;
            }
            let starts = arrivals(asked, memory);
            let parts = upload(realm, asked)
                .map(|upload| upload.parts.clone())
                .unwrap_or_default();
            let joined: Vec<Content> = starts
                .iter()
                .filter_map(|start| parts.get(start))
                .map(|part| part.content.clone())
                .collect();
            if let Some(archive) = archive(realm, asked) {
                archive.content = Content::concat(&joined);
            }
        })],
    ),
    fault(
        "gaps-accepted",
        "B053",
        Seam::Model,
        &["CMU-GAP-001", "CMU-EMPTY-001"],
        "an upload is completed whatever ranges are missing, even all of them",
        &[Hook::Accepts(
            &[O::CompleteMultipartUpload],
            &[R::PartsMissing, R::NoParts],
        )],
    ),
    fault(
        "gap-at-the-beginning-accepted",
        "own",
        Seam::Model,
        &["CMU-GAP-002"],
        "an upload without its first range is completed",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::CompleteMultipartUpload { vault, upload, .. } = &asked.action {
                let known = upload.handle().and_then(|id| model.upload(vault, id));
                let headless = known.is_some_and(|(_, upload)| upload.part_at(0).is_none());
                if headless && refused_for(decision, R::PartsMissing) {
                    *decision = Decision::Accept;
                }
            }
        })],
    ),
    fault(
        "short-parts-accepted",
        "own",
        Seam::Model,
        &["CMU-PART-001"],
        "an upload with a short part in the middle is completed",
        &[Hook::Accepts(
            &[O::CompleteMultipartUpload],
            &[R::PartShort],
        )],
    ),
    fault(
        "archive-size-not-compared",
        "own",
        Seam::Model,
        &["CMU-SIZE-001"],
        "x-amz-archive-size is never compared with the parts",
        &[Hook::Accepts(
            &[O::CompleteMultipartUpload],
            &[R::ArchiveSizeMismatch],
        )],
    ),
    fault(
        "archive-size-optional",
        "own",
        Seam::Model,
        &["CMU-SIZE-002"],
        "a completion without x-amz-archive-size is accepted",
        &[Hook::Accepts(
            &[O::CompleteMultipartUpload],
            &[R::ArchiveSizeMissing],
        )],
    ),
    fault(
        "archive-size-need-not-be-a-number",
        "own",
        Seam::Model,
        &["CMU-SIZE-003"],
        "an x-amz-archive-size that is no number counts as right",
        &[Hook::Accepts(
            &[O::CompleteMultipartUpload],
            &[R::ArchiveSizeMalformed],
        )],
    ),
    fault(
        "completion-not-repeatable",
        "B055",
        Seam::Model,
        &["CMU-IDEM-001"],
        "a repeated completion is not found",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::CompleteMultipartUpload { vault, upload, .. } = &asked.action {
                let known = upload.handle().and_then(|id| model.upload(vault, id));
                if known.is_some_and(|(_, upload)| upload.completed.is_some()) {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }
        })],
    ),
    fault(
        "repeated-completion-makes-another-archive",
        "own",
        Seam::Model,
        &["CMU-IDEM-001"],
        "a repeated completion makes a second archive",
        &[Hook::Before(|realm, asked, _| {
            if asks(asked, O::CompleteMultipartUpload)
                && let Some(upload) =
                    upload(realm, asked).filter(|upload| upload.completed.is_some())
            {
                upload.completed = None;
                upload.life = Life::Live;
            }
        })],
    ),
    fault(
        "failed-completion-ends-the-upload",
        "own",
        Seam::Model,
        &["CMU-RETRY-001"],
        "an upload is gone after a completion that failed",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                if asks(asked, O::CompleteMultipartUpload)
                    && matches!(decision, Decision::Refuse(_))
                {
                    memory.keep(upload_id(asked), Value::Bool(true));
                }
            }),
            Hook::Before(|realm, asked, memory| {
                if memory.kept(upload_id(asked)) == Some(&Value::Bool(true))
                    && let Some(upload) = upload(realm, asked)
                {
                    upload.life = Life::Gone;
                }
            }),
        ],
    ),
    fault(
        "multipart-description-lost",
        "own",
        Seam::Model,
        &["CMU-DESC-001", "IMU-DESC-001"],
        "an archive made of parts has no description",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::CompleteMultipartUpload)
                && let Some(archive) = archive(realm, asked)
            {
                archive.description = None;
            }
        })],
    ),
    fault(
        "completed-upload-still-listed",
        "own",
        Seam::Model,
        &["CMU-AFTER-002", "LMU-DONE-001"],
        "a completed upload stays in ListMultipartUploads",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::CompleteMultipartUpload)
                && let Some(upload) = upload(realm, asked)
            {
                upload.life = Life::Live;
            }
        })],
    ),
    fault(
        "completed-upload-still-has-parts",
        "own",
        Seam::Model,
        &["CMU-AFTER-001"],
        "ListParts works after the completion",
        &[Hook::Accepts(&[O::ListParts], &[R::UploadCompleted])],
    ),
    fault(
        "aborted-upload-still-listed",
        "own",
        Seam::Model,
        &["AMU-EFFECT-001"],
        "an aborted upload stays",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::AbortMultipartUpload)
                && let Some(upload) = upload(realm, asked)
            {
                upload.life = Life::Live;
            }
        })],
    ),
    fault(
        "abort-of-nothing-succeeds",
        "B056",
        Seam::Model,
        &["AMU-404-001"],
        "an upload that never was can be aborted",
        &[Hook::Accepts(
            &[O::AbortMultipartUpload],
            &[R::UploadUnknown],
        )],
    ),
    fault(
        "completed-upload-aborted",
        "own",
        Seam::Model,
        &["AMU-DONE-001"],
        "a completed upload can be aborted",
        &[Hook::Accepts(
            &[O::AbortMultipartUpload],
            &[R::UploadCompleted],
        )],
    ),
    fault(
        "parts-taken-after-the-end",
        "own",
        Seam::Model,
        &["UMP-404-002"],
        "an upload that was aborted or completed takes parts",
        &[Hook::Accepts(
            &[O::UploadMultipartPart],
            &[R::UploadAborted, R::UploadCompleted],
        )],
    ),
    fault(
        "upload-usable-through-any-vault",
        "own",
        Seam::Model,
        &["UMP-404-003"],
        "a part can be uploaded through another vault",
        &[Hook::Accepts(
            &[O::UploadMultipartPart],
            &[R::UploadForeign],
        )],
    ),
    fault(
        "part-size-unchecked",
        "B061",
        Seam::Model,
        &[
            "IMU-SIZE-002",
            "IMU-SIZE-003",
            "IMU-SIZE-004",
            "IMU-SIZE-005",
            "IMU-SIZE-007",
        ],
        "any part size is accepted",
        &[Hook::Accepts(
            &[O::InitiateMultipartUpload],
            &[R::PartSizeInvalid, R::PartSizeMalformed],
        )],
    ),
    fault(
        "part-size-any-multiple",
        "own",
        Seam::Model,
        &["IMU-SIZE-002"],
        "a part size of 3 MiB is accepted, as every whole number of mebibytes",
        &[Hook::Decides(|decision, asked, _, _| {
            if let Action::InitiateMultipartUpload {
                part_size: Some(size),
                ..
            } = &asked.action
            {
                let whole = size
                    .parse::<u64>()
                    .is_ok_and(|size| size > 0 && size % MIB == 0 && size <= 4 << 30);
                if whole && refused_for(decision, R::PartSizeInvalid) {
                    *decision = Decision::Accept;
                }
            }
        })],
    ),
    fault(
        "part-size-any-power-of-two",
        "own",
        Seam::Model,
        &["IMU-SIZE-003", "IMU-SIZE-004"],
        "every power of two is accepted as a part size, also below 1 MiB and above 4 GiB",
        &[Hook::Decides(|decision, asked, _, _| {
            if let Action::InitiateMultipartUpload {
                part_size: Some(size),
                ..
            } = &asked.action
            {
                let power = size.parse::<u64>().is_ok_and(u64::is_power_of_two);
                if power && refused_for(decision, R::PartSizeInvalid) {
                    *decision = Decision::Accept;
                }
            }
        })],
    ),
    fault(
        "largest-part-size-refused",
        "own",
        Seam::Model,
        &["IMU-SIZE-001"],
        "a part size of 4 GiB does not fit 32 bits and is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            if matches!(&asked.action, Action::InitiateMultipartUpload { part_size: Some(size), .. } if size == "4294967296")
            {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "part-size-optional",
        "B065",
        Seam::Model,
        &["IMU-SIZE-006"],
        "an upload without x-amz-part-size is begun",
        &[Hook::Accepts(
            &[O::InitiateMultipartUpload],
            &[R::PartSizeMissing],
        )],
    ),
    fault(
        "part-length-not-compared",
        "B063",
        Seam::Model,
        &["UMP-RANGE-005"],
        "Content-Range is never compared with the length of the part",
        &[Hook::Accepts(
            &[O::UploadMultipartPart],
            &[R::PartLengthMismatch],
        )],
    ),
    fault(
        "misaligned-part-accepted",
        "own",
        Seam::Model,
        &["UMP-RANGE-003"],
        "a part may begin anywhere",
        &[Hook::Accepts(
            &[O::UploadMultipartPart],
            &[R::PartMisaligned],
        )],
    ),
    fault(
        "long-part-accepted",
        "own",
        Seam::Model,
        &["UMP-RANGE-004"],
        "a part may be longer than the part size",
        &[Hook::Accepts(&[O::UploadMultipartPart], &[R::PartTooLong])],
    ),
    fault(
        "short-part-refused-at-once",
        "own",
        Seam::Model,
        &["UMP-SIZE-001", "UMP-SIZE-002"],
        "a part shorter than the part size is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            if let Action::UploadMultipartPart {
                vault,
                upload,
                content,
                ..
            } = &asked.action
            {
                let known = upload.handle().and_then(|id| model.upload(vault, id));
                if known.is_some_and(|(_, upload)| content.length() < upload.part_size) {
                    refuse_parameter(decision);
                }
            }
        })],
    ),
    fault(
        "part-range-optional",
        "own",
        Seam::Model,
        &["UMP-RANGE-002"],
        "a part without Content-Range is the first",
        &[Hook::Request(|asked, _| {
            if let Action::UploadMultipartPart { range, content, .. } = &mut asked.action
                && *range == RangeClaim::Absent
            {
                *range = RangeClaim::Literal(format!(
                    "bytes 0-{}/*",
                    content.length().saturating_sub(1)
                ));
            }
        })],
    ),
    fault(
        "range-grammar-of-downloads-accepted",
        "own",
        Seam::Model,
        &["UMP-RANGE-006"],
        "bytes=0-9/* counts as a Content-Range",
        &[Hook::Request(|asked, _| {
            if let Action::UploadMultipartPart {
                range: RangeClaim::Literal(text),
                ..
            } = &mut asked.action
            {
                *text = text.replace("bytes=", "bytes ");
            }
        })],
    ),
    fault(
        "range-in-bytes-verbatim",
        "B028",
        Seam::Reply,
        &["LP-PARTS-001"],
        "ListParts echoes Content-Range as RangeInBytes",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListParts) {
                items(draft).into_iter().flatten().for_each(|part| {
                    part["RangeInBytes"] = format!("bytes {}/*", text(part, "RangeInBytes")).into();
                });
            }
        })],
    ),
    fault(
        "places-wrap-at-four-gib",
        "own",
        Seam::Reply,
        &["LP-PARTS-001"],
        "ListParts tells the places of parts in 32 bits",
        &[Hook::Replies(|draft, told, _| {
            retell_places(draft, told, |range| {
                let [first, last] = [range.start, range.end - 1].map(|at| at % (1 << 32));
                format!("{first}-{last}")
            });
        })],
    ),
    fault(
        "part-sizes-wrap-at-two-gib",
        "own",
        Seam::Reply,
        &["LP-BODY-001", "LMU-BODY-002"],
        "part sizes are told in 32 bits, with a sign",
        &[Hook::Replies(|draft, told, _| {
            let wrapped = |size: &mut Value| {
                if let Some(bytes) = size.as_u64() {
                    *size = (bytes as u32).cast_signed().into();
                }
            };
            if done(told, O::ListParts) {
                draft
                    .document()
                    .and_then(|it| it.get_mut("PartSizeInBytes"))
                    .map(wrapped);
            } else if done(told, O::ListMultipartUploads) {
                let uploads = items(draft).into_iter().flatten();
                uploads
                    .filter_map(|it| it.get_mut("PartSizeInBytes"))
                    .for_each(wrapped);
            }
        })],
    ),
    fault(
        "range-in-bytes-exclusive",
        "B031",
        Seam::Reply,
        &["LP-PARTS-001"],
        "the end of RangeInBytes is the byte after the last",
        &[Hook::Replies(|draft, told, _| {
            retell_places(draft, told, |range| {
                format!("{}-{}", range.start, range.end)
            });
        })],
    ),
    fault(
        "part-listed-once-per-upload",
        "B059",
        Seam::Reply,
        &["UMP-IDEM-001", "LP-PARTS-001"],
        "a part that was uploaded again is listed twice",
        &[
            Hook::After(|_, asked, _, memory| {
                if let Some(place) = place(asked) {
                    memory.count(&format!("{}/{place}", upload_id(asked)));
                }
            }),
            Hook::Replies(|draft, told, memory| {
                if done(told, O::ListParts) {
                    let Some(parts) = items(draft) else { return };
                    let doubled = parts.iter().flat_map(|part| {
                        let key =
                            format!("{}/{}", upload_id(told.asked), text(part, "RangeInBytes"));
                        vec![
                            part.clone();
                            usize::try_from(memory.counted(&key)).unwrap_or(1).max(1)
                        ]
                    });
                    *parts = doubled.collect();
                }
            }),
        ],
    ),
    fault(
        "part-uploaded-again-ignored",
        "own",
        Seam::Model,
        &["UMP-IDEM-001"],
        "the first upload of a range counts, not the last",
        &[
            Hook::Before(|realm, asked, memory| {
                let first = place(asked).and_then(|place| {
                    upload(realm, asked)?
                        .parts
                        .get(&place.start)
                        .map(|part| part.content.clone())
                });
                memory.keep_content(upload_id(asked), first);
            }),
            Hook::After(|realm, asked, _, memory| {
                if let (Some(place), Some(first)) =
                    (place(asked), memory.kept_content(upload_id(asked)).cloned())
                    && let Some(part) =
                        upload(realm, asked).and_then(|upload| upload.parts.get_mut(&place.start))
                {
                    part.tree_hash = first.tree_hash();
                    part.content = first;
                }
            }),
        ],
    ),
    fault(
        "part-uploaded-again-appended",
        "own",
        Seam::Model,
        &["UMP-IDEM-001", "CMU-CONTENT-001"],
        "a range that is uploaded again is added to what it had",
        &[
            Hook::Before(|realm, asked, memory| {
                let first = place(asked).and_then(|place| {
                    upload(realm, asked)?
                        .parts
                        .get(&place.start)
                        .map(|part| part.content.clone())
                });
                memory.keep_content(upload_id(asked), first);
            }),
            Hook::After(|realm, asked, _, memory| {
                if let (Some(place), Some(first)) =
                    (place(asked), memory.kept_content(upload_id(asked)).cloned())
                    && let Some(part) =
                        upload(realm, asked).and_then(|upload| upload.parts.get_mut(&place.start))
                {
                    part.content = Content::concat(&[first, part.content.clone()]);
                    part.tree_hash = part.content.tree_hash();
                }
            }),
        ],
    ),
    fault(
        "parts-sorted-as-text",
        "B058",
        Seam::Reply,
        &["LP-ORDER-001"],
        "ListParts sorts ranges as texts, 10485760 before 2097152",
        &[Hook::Lists(|entries, asked, _, _| {
            if asks(asked, O::ListParts) {
                entries.sort_by(|a, b| a.id.cmp(&b.id));
            }
        })],
    ),
    fault(
        "parts-listed-as-they-came",
        "own",
        Seam::Reply,
        &["LP-ORDER-001"],
        "ListParts lists parts in the order of their arrival",
        &[
            Hook::After(|_, asked, _, memory| note_arrival(asked, memory)),
            Hook::Lists(|entries, asked, _, memory| {
                if asks(asked, O::ListParts) {
                    let starts = arrivals(asked, memory);
                    entries.sort_by_key(|entry| {
                        starts
                            .iter()
                            .position(|start| start.to_string() == entry.id)
                    });
                }
            }),
        ],
    ),
    fault(
        "part-size-as-text",
        "own",
        Seam::Reply,
        &["LP-BODY-001", "LMU-BODY-002"],
        "PartSizeInBytes is a string",
        &[Hook::Replies(|draft, _, _| {
            let size = |document: &mut Value| {
                if let Some(size) = document.get_mut("PartSizeInBytes") {
                    *size = Value::from(size.to_string());
                }
            };
            if let Some(document) = draft.document() {
                size(document);
            }
            items(draft).into_iter().flatten().for_each(size);
        })],
    ),
    fault(
        "missing-upload-description-empty",
        "own",
        Seam::Reply,
        &["LP-BODY-002", "LMU-BODY-001"],
        "the description of an upload that has none is an empty string",
        &[Hook::Replies(|draft, _, _| {
            let blank = |document: &mut Value| {
                if document.get("ArchiveDescription") == Some(&Value::Null) {
                    document["ArchiveDescription"] = "".into();
                }
            };
            if let Some(document) = draft.document() {
                blank(document);
            }
            items(draft).into_iter().flatten().for_each(blank);
        })],
    ),
    fault(
        "upload-date-moves-with-its-parts",
        "own",
        Seam::Model,
        &["LP-BODY-004"],
        "CreationDate of an upload is the time of its last part",
        &[Hook::After(|realm, asked, effect, _| {
            if asks(asked, O::UploadMultipartPart)
                && let Some(upload) = upload(realm, asked)
            {
                upload.created = (effect.now, effect.now);
            }
        })],
    ),
    fault(
        "illegal-upload-description-accepted",
        "own",
        Seam::Model,
        &["IMU-DESC-004"],
        "an upload is begun whatever characters its description has",
        &[Hook::Accepts(
            &[O::InitiateMultipartUpload],
            &[R::DescriptionIllegal],
        )],
    ),
];
