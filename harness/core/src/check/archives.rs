//! Rules for uploading archives in one request, and for deleting them.

use super::location::{identifier, identifier_missing, judge_location};
use super::rules::{
    AcceptanceRule, BAD_REQUEST, Demand, NOT_FOUND, RefusalCase, RefusalRule, answer,
    judge_acceptance, judge_refusal, judge_refusal_cases, not_accepted,
};
use super::subject::{
    deleted_archive, description, earlier, header, live_vault, same_vault, success, vault_name,
};
use super::treehash::{hash_missing, wrong_hash};
use super::vaults::unless_crashed;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Life, Refusal};
use crate::payload::Content;
use crate::scenario::{Action, Claim, JsonBody};
use crate::spec::OperationName as O;
use crate::treehash::MIB;

/// Uploading and deleting archives.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "archive-accepted",
        &[
            "UA-STATUS-001",
            "UA-HASH-008",
            "UA-SIZE-001",
            "UA-DESC-002",
            "UA-DESC-004",
            "UA-DESC-006",
            "UA-USE-001",
            "DA-STATUS-001",
            "DA-IDEM-001",
        ],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "archive-refused",
        &[
            "UA-404-001",
            "UA-HASH-001",
            "UA-HASH-002",
            "UA-HASH-003",
            "UA-HASH-004",
            "UA-HASH-005",
            "UA-HASH-007",
            "UA-SIZE-002",
            "UA-SIZE-003",
            "UA-SIZE-004",
            "UA-DESC-003",
            "UA-DESC-005",
            "TH-ALG-009",
            "DA-404-001",
            "DA-XVAULT-001",
        ],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new("linear-hash-refused", &["UA-HASH-006"], |evidence, out| {
        judge_refusal_cases(LINEAR, evidence, out);
    }),
    Check::new("archive-undescribed", &["UA-DESC-001"], judge_undescribed),
    Check::new("archive-made", &["UA-HDR-001", "UA-HDR-002"], judge_headers),
    Check::new("archive-hash", &["UA-HDR-003"], judge_hash),
    Check::new(
        "archive-id",
        &["UA-ID-001", "UA-ID-002", "UA-ID-003"],
        judge_id,
    ),
    Check::new(
        "archive-refused-without-id",
        &["UA-HASH-001"],
        judge_nothing_made,
    ),
    Check::new("archive-immutable", &["UA-IMMUT-001"], judge_immutable),
    Check::new(
        "unknown-archive-deleted",
        &["DA-404-002"],
        judge_unknown_deleted,
    ),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("UA-STATUS-001", O::UploadArchive),
    AcceptanceRule::example("UA-HASH-008", O::UploadArchive, |now| {
        content(now).is_some_and(|sent| sent.length() > MIB)
    }),
    AcceptanceRule::example("UA-SIZE-001", O::UploadArchive, |now| {
        content(now).is_some_and(|sent| sent.length() == 1)
    }),
    AcceptanceRule::example("UA-DESC-002", O::UploadArchive, |now| {
        described(now).is_some_and(|text| text.len() == 1024)
    }),
    AcceptanceRule::example("UA-DESC-004", O::UploadArchive, |now| {
        described(now).is_some_and(is_of_all_characters)
    }),
    AcceptanceRule::example("UA-DESC-006", O::UploadArchive, repeats_a_description),
    AcceptanceRule::example("UA-USE-001", O::DeleteArchive, is_fresh_deletion),
    AcceptanceRule::example("UA-USE-001", O::InitiateJob, is_fresh_retrieval),
    AcceptanceRule::example("DA-STATUS-001", O::DeleteArchive, names_live_archive),
    AcceptanceRule::example("DA-IDEM-001", O::DeleteArchive, is_repeated_deletion),
];

const fn upload(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::UploadArchive],
        refusals,
        demand,
    }
}

const fn deletion(
    requirement: &'static str,
    refusals: &'static [Refusal],
    demand: Demand,
) -> RefusalRule {
    RefusalRule {
        requirement,
        operations: &[O::DeleteArchive],
        refusals,
        demand,
    }
}

const INVALID: Demand = Demand::Answer(&[(400, "InvalidParameterValueException")]);
const MISSING: Demand = Demand::Answer(&[(400, "MissingParameterValueException")]);

const REFUSED: &[RefusalRule] = &[
    upload("UA-404-001", &[Refusal::VaultUnknown], NOT_FOUND),
    upload("UA-HASH-001", &[Refusal::TreeHashMismatch], Demand::Refused),
    upload("UA-HASH-002", &[Refusal::TreeHashMismatch], INVALID),
    upload("UA-HASH-003", &[Refusal::TreeHashMissing], BAD_REQUEST),
    upload("UA-HASH-004", &[Refusal::ContentHashMissing], MISSING),
    upload(
        "UA-HASH-005",
        &[Refusal::ContentHashMismatch],
        Demand::Refused,
    ),
    upload("UA-HASH-007", &[Refusal::TreeHashMalformed], BAD_REQUEST),
    upload("UA-SIZE-002", &[Refusal::BodyEmpty], Demand::Refused),
    upload("UA-SIZE-003", &[Refusal::BodyTooLarge], INVALID),
    upload("UA-SIZE-004", &[Refusal::LengthMissing], Demand::Refused),
    upload(
        "UA-DESC-003",
        &[Refusal::DescriptionTooLong],
        Demand::Refused,
    ),
    upload(
        "UA-DESC-005",
        &[Refusal::DescriptionIllegal],
        Demand::Refused,
    ),
    // The hash of nothing belongs to no archive, since there is no empty one.
    upload("TH-ALG-009", &[Refusal::BodyEmpty], Demand::Refused),
    deletion("DA-404-001", &[Refusal::VaultUnknown], NOT_FOUND),
    deletion("DA-XVAULT-001", &[Refusal::ArchiveForeign], Demand::Refused),
];

const LINEAR: &[RefusalCase] = &[(
    claims_linear,
    upload("UA-HASH-006", &[Refusal::TreeHashMismatch], Demand::Refused),
)];

fn claims_linear(now: &Observation) -> bool {
    matches!(now.action(), Action::UploadArchive { tree_hash: Claim::Linear, content, .. } if content.length() > MIB)
}

/// The bytes an upload sends.
pub(super) fn content(now: &Observation) -> Option<&Content> {
    match now.action() {
        Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. } => {
            Some(content)
        }
        _ => None,
    }
}

fn described(now: &Observation) -> Option<&str> {
    description(now.action())
}

/// Every printable ASCII character is in it.
pub(super) fn is_of_all_characters(text: &str) -> bool {
    (' '..='~').all(|character| text.contains(character))
}

fn repeats_a_description(now: &Observation) -> bool {
    let Some((text, vault)) = described(now).zip(live_vault(&now.before, now.action())) else {
        return false;
    };
    vault
        .archives
        .values()
        .any(|archive| archive.life == Life::Live && archive.description.as_deref() == Some(text))
}

fn names_live_archive(now: &Observation) -> bool {
    deleted_archive(&now.before, now.action()).is_some_and(|archive| archive.life == Life::Live)
}

fn is_fresh_deletion(now: &Observation) -> bool {
    let uninventoried =
        live_vault(&now.before, now.action()).is_some_and(|vault| !vault.inventoried);
    uninventoried && names_live_archive(now)
}

fn is_repeated_deletion(now: &Observation) -> bool {
    deleted_archive(&now.before, now.action()).is_some_and(|archive| archive.life == Life::Gone)
}

fn is_fresh_retrieval(now: &Observation) -> bool {
    let Action::InitiateJob { body, .. } = now.action() else {
        return false;
    };
    let uninventoried =
        live_vault(&now.before, now.action()).is_some_and(|vault| !vault.inventoried);
    let plain = now.record.tweak.headers.is_empty();
    uninventoried && plain && job_type(body).as_deref() == Some("archive-retrieval")
}

fn job_type(body: &JsonBody) -> Option<String> {
    Some(body.document()?.get("Type")?.as_str()?.to_owned())
}

fn judge_headers(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::UploadArchive) else {
        return;
    };
    let Some(id) = identifier(now, "x-amz-archive-id") else {
        return out.violated(
            "UA-HDR-001",
            identifier_missing(now, "x-amz-archive-id"),
            "a non-empty x-amz-archive-id",
            "none",
        );
    };
    out.held("UA-HDR-001");
    if let Some(vault) = vault_name(now) {
        judge_location(
            "UA-HDR-002",
            now,
            &format!("/vaults/{vault}/archives/{id}"),
            out,
        );
    }
}

/// An upload without description is taken as one with a description is.
fn judge_undescribed(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| {
        now.operation == Some(O::UploadArchive)
            && now.expectation == Expectation::Accept
            && described(now).is_none()
    }) else {
        return;
    };
    let described_one = |seen: &Observation| {
        seen.operation == Some(O::UploadArchive) && seen.succeeded() && described(seen).is_some()
    };
    if now.succeeded() {
        out.held("UA-DESC-001");
    } else if now.status().is_some_and(|status| status < 500)
        && earlier(evidence).iter().any(described_one)
    {
        let expected = "201: the description is optional";
        out.violated("UA-DESC-001", not_accepted(now), expected, answer(now));
    }
}

fn judge_hash(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::UploadArchive) else {
        return;
    };
    let Some(content) = content(now) else { return };
    judge_returned_hash("UA-HDR-003", now, content, out);
}

/// Judges that `x-amz-sha256-tree-hash` is there and that of `content`.
pub(super) fn judge_returned_hash(
    requirement: &'static str,
    now: &Observation,
    content: &Content,
    out: &mut Judgements,
) {
    let right = content.tree_hash();
    let Some(told) = header(now, "x-amz-sha256-tree-hash") else {
        return out.violated(
            requirement,
            hash_missing(now),
            format!("x-amz-sha256-tree-hash: {right}"),
            "no such header",
        );
    };
    let kept = told.parse() == Ok(right);
    out.judge(
        requirement,
        kept,
        || wrong_hash(content, told),
        format!("x-amz-sha256-tree-hash: {right}"),
        || told.to_owned(),
    );
}

/// The archive id a success gave, unless it repeats a completion that had given it before.
pub(super) fn new_archive(now: &Observation) -> Option<&str> {
    let made = matches!(now.operation, Some(O::UploadArchive))
        || now.operation == Some(O::CompleteMultipartUpload)
            && now.expectation == Expectation::Accept;
    identifier(now, "x-amz-archive-id").filter(|_| made && now.succeeded())
}

fn judge_id(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let Some(id) = new_archive(now) else { return };
    let url_safe = id.len() == 138
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let odd = || {
        Symptom::new(
            "archive-id-form",
            "archive ids are not 138 characters of A-Z, a-z, 0-9, - and _",
        )
    };
    out.judge(
        "UA-ID-002",
        url_safe,
        odd,
        "138 characters of [A-Za-z0-9_-]",
        || format!("{} characters: {id}", id.len()),
    );
    for requirement in ["UA-ID-001", "UA-ID-003"] {
        let others = || {
            earlier(evidence).iter().filter(|other| {
                new_archive(other).is_some()
                    && same_vault(other, now) == (requirement == "UA-ID-001")
            })
        };
        let Some(last) = others().next_back() else {
            continue;
        };
        let twin = others().find(|other| new_archive(other) == Some(id));
        out.also_rests_on(twin.unwrap_or(last).index);
        out.judge(
            requirement,
            twin.is_none(),
            shared_id,
            "an id no other archive has",
            || format!("{id} again"),
        );
    }
}

fn shared_id() -> Symptom {
    Symptom::new("archive-id-shared", "two uploads share one archive id")
}

fn judge_nothing_made(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::UploadArchive))
    else {
        return;
    };
    let refused = now.expectation == Expectation::Refuse(vec![Refusal::TreeHashMismatch])
        && now.status().is_some_and(|status| status >= 400);
    if let Some(id) = identifier(now, "x-amz-archive-id").filter(|_| refused) {
        let symptom = Symptom::new(
            "refused-but-stored",
            "a refused upload is answered with an archive id",
        );
        out.violated(
            "UA-HASH-001",
            symptom,
            "no x-amz-archive-id on a refusal",
            id,
        );
    }
}

/// PUT and POST on the URI of an archive change nothing: they are refused, or its content is what it was.
fn judge_immutable(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    match now.action() {
        Action::Other { method, path, .. }
            if addresses_archive(method, path) && now.is_refused() =>
        {
            out.held("UA-IMMUT-001");
        }
        Action::GetJobOutput { .. } if now.succeeded() => {
            judge_unchanged(now, earlier(evidence), out);
        }
        _ => {}
    }
}

fn judge_unchanged(now: &Observation, earlier: &[Observation], out: &mut Judgements) {
    let Some((content, handle)) = super::archive_effects::whole_output(now) else {
        return;
    };
    let attempt = earlier.iter().find(|seen| {
        matches!(seen.action(), Action::Other { method, path, .. } if addresses_archive(method, path) && path.contains(&format!("${{archive:{handle}}}")))
    });
    let Some(attempt) = attempt else { return };
    out.also_rests_on(attempt.index);
    let described = live_vault(&now.before, now.action())
        .and_then(|vault| vault.archives.get(handle)?.description.as_deref());
    let same = now.response().is_some_and(|response| {
        let told = response.headers.value("x-amz-archive-description");
        response.body.equals(&content) && (told.is_none() || told == described)
    });
    let symptom = || {
        Symptom::new(
            "archive-changed",
            "a request to the URI of an archive changes it",
        )
    };
    out.judge(
        "UA-IMMUT-001",
        same,
        symptom,
        format!(
            "the {} bytes uploaded, and their description",
            content.length()
        ),
        || "other bytes, or another description".to_owned(),
    );
}

fn addresses_archive(method: &str, path: &str) -> bool {
    matches!(method, "PUT" | "POST" | "PATCH") && path.contains("/archives/${archive:")
}

/// The documents are silent on ids that were never given: 204 and 404 both pass (AMB-39).
fn judge_unknown_deleted(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::DeleteArchive))
    else {
        return;
    };
    if now.expectation.refusals() != [Refusal::ArchiveUnknown] {
        return;
    }
    let kept = matches!(now.status(), Some(204 | 404));
    let symptom = || {
        let title = "deleting an archive id that was never given is answered neither 204 nor 404";
        unless_crashed(now, Symptom::new("unknown-archive-deletion", title))
    };
    out.judge("DA-404-002", kept, symptom, "204 or 404", || answer(now));
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{Answer, Case, error, status};
    use crate::requirement::Level;

    fn vault() -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then("CreateVault: {vault: w}", status(201))
    }

    fn upload(case: Case, vault: &str, rest: &str, answer: Answer) -> Case {
        let handle = format!("a{}", rest.len() + vault.len());
        case.then(&format!("UploadArchive: {{vault: {vault}, archive: {handle}, content: {{text: same}}{rest}}}"), answer)
    }

    #[test]
    fn a_wrong_tree_hash_is_refused_and_the_code_is_only_expected() {
        let tried = |answer| upload(vault(), "v", ", tree_hash: flipped", answer);
        let right = tried(error(400, "InvalidParameterValueException"));
        assert!(right.holds("UA-HASH-001") && right.holds("UA-HASH-002"));
        let odd = tried(error(404, "ResourceNotFoundException"));
        assert!(odd.holds("UA-HASH-001"));
        assert_eq!(
            odd.breaks("UA-HASH-002"),
            [("refused-otherwise", Level::Should)]
        );
        let accepted = tried(status(201).with("x-amz-archive-id", "A"));
        assert_eq!(accepted.breaks("UA-HASH-001"), [("accepted", Level::Must)]);
        assert!(
            accepted.said("UA-HDR-001").is_empty(),
            "what must be refused has no right headers"
        );
    }

    #[test]
    fn equal_uploads_get_ids_of_their_own() {
        let twice = |second: &str, through: &str| {
            let case = upload(vault(), "v", "", status(201).with("x-amz-archive-id", "A"));
            upload(
                case,
                through,
                ", description: d",
                status(201).with("x-amz-archive-id", second),
            )
        };
        assert!(twice("B", "v").holds("UA-ID-001"));
        assert_eq!(
            twice("A", "v").breaks("UA-ID-001"),
            [("archive-id-shared", Level::Must)]
        );
        assert!(twice("A", "v").said("UA-ID-003").is_empty());
        assert_eq!(
            twice("A", "w").breaks("UA-ID-003"),
            [("archive-id-shared", Level::Must)]
        );
    }

    #[test]
    fn an_archive_id_that_was_never_given_is_deleted_or_not_found() {
        let case = |answer| {
            upload(vault(), "v", "", status(201).with("x-amz-archive-id", "A"))
                .then("DeleteArchive: {vault: v, archive: \"?a\"}", answer)
        };
        assert!(case(status(204)).holds("DA-404-002"));
        assert!(case(error(404, "ResourceNotFoundException")).holds("DA-404-002"));
        assert_eq!(
            case(status(500)).breaks("DA-404-002"),
            [("crashed", Level::May)]
        );
    }

    #[test]
    fn a_vault_that_is_unknown_says_so_whatever_the_archive() {
        let case = vault().then(
            "DeleteArchive: {vault: \"?v\", archive: \"?a\"}",
            error(404, "ResourceNotFoundException"),
        );
        assert!(case.holds("DA-404-001"));
    }

    #[test]
    fn deleting_again_is_no_error() {
        let case = |answer| {
            let case = upload(vault(), "v", "", status(201).with("x-amz-archive-id", "A"));
            case.then("DeleteArchive: {vault: v, archive: a1}", status(204))
                .then("DeleteArchive: {vault: v, archive: a1}", answer)
        };
        assert!(case(status(204)).holds("DA-IDEM-001"));
        assert_eq!(
            case(error(404, "ResourceNotFoundException")).breaks("DA-IDEM-001"),
            [("refused-valid", Level::Must)]
        );
    }

    #[test]
    fn a_refused_request_to_the_uri_of_an_archive_changes_nothing() {
        let case = upload(vault(), "v", "", status(201).with("x-amz-archive-id", "A"));
        let path = "/-/vaults/${vault:v}/archives/${archive:a1}";
        assert!(
            case.then(
                &format!("Other: {{method: PUT, path: \"{path}\", body: x}}"),
                error(404, "x")
            )
            .holds("UA-IMMUT-001")
        );
    }
}
