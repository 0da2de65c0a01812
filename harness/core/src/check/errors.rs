//! Error answers: their shape, their codes, and which code goes with which status.
//!
//! Every defect of error answers has one symptom whatever was asked, and the refusal rows of all families name it before their own.

use serde_json::Value;

use super::rules::{
    Demand, NOT_FOUND, RefusalRule, answer, crashed, judge_refusal, judge_refusal_graded,
};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Refusal};
use crate::requirement::Level;
use crate::spec::OperationName as O;
use crate::wire::Response;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "error-body",
        requirements: &["COM-ERR-001", "COM-ERR-002"],
        judge: body,
    },
    Check {
        id: "error-type",
        requirements: &["COM-ERR-003"],
        judge: kind,
    },
    Check {
        id: "error-code",
        requirements: &["COM-ERR-004"],
        judge: code,
    },
    Check {
        id: "error-status",
        requirements: &[
            "COM-ERR-005",
            "COM-ERR-006",
            "COM-ERR-007",
            "COM-ERR-008",
            "COM-ERR-009",
            "COM-ERR-011",
        ],
        judge: status,
    },
    Check {
        id: "required-missing",
        requirements: &["COM-ERR-007"],
        judge: required_missing,
    },
    Check {
        id: "json-malformed",
        requirements: &["COM-ERR-010"],
        judge: malformed,
    },
    Check {
        id: "vault-unknown",
        requirements: &["COM-ERR-014"],
        judge: vault_unknown,
    },
    Check {
        id: "error-message",
        requirements: &["COM-ERR-012", "COM-ERR-013"],
        judge: message,
    },
    Check {
        id: "error-type-header",
        requirements: &["COM-ERR-015"],
        judge: type_header,
    },
    Check {
        id: "crash",
        requirements: &["COM-ERR-011"],
        judge: crash,
    },
];

/// Codes with the statuses that the documents give them (api-error-responses; the service model where it differs).
const CODES: &[(&str, &[u16])] = &[
    ("AccessDeniedException", &[403]),
    ("BadRequest", &[400]),
    ("ExpiredTokenException", &[403, 400]),
    ("InsufficientCapacityException", &[503, 400]),
    // The guide prints this one for CompleteVaultLock.
    ("InvalidParameter", &[400]),
    ("InvalidParameterValueException", &[400]),
    ("InvalidSignatureException", &[403, 400]),
    ("LimitExceededException", &[400]),
    ("MissingAuthenticationTokenException", &[400, 403]),
    ("MissingParameterValueException", &[400]),
    ("NoLongerSupportedException", &[400]),
    ("PolicyEnforcedException", &[400]),
    ("RequestTimeoutException", &[408]),
    ("ResourceNotFoundException", &[404]),
    ("SerializationException", &[400]),
    ("ServiceUnavailableException", &[500]),
    ("ThrottlingException", &[400]),
    ("UnrecognizedClientException", &[400, 403]),
];

/// Codes whose status a requirement fixes.
const MAPPED: &[(&str, &str)] = &[
    ("ResourceNotFoundException", "COM-ERR-005"),
    ("InvalidParameterValueException", "COM-ERR-006"),
    ("MissingParameterValueException", "COM-ERR-007"),
    ("LimitExceededException", "COM-ERR-008"),
    ("AccessDeniedException", "COM-ERR-009"),
    ("ServiceUnavailableException", "COM-ERR-011"),
    ("ThrottlingException", "COM-ERR-011"),
    ("RequestTimeoutException", "COM-ERR-011"),
];

const AUTHENTICATION: &[&str] = &[
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
];

/// What is wrong with a refusal whatever it refuses: its body, its code, or the status of its code.
pub(super) fn common_fault(now: &Observation) -> Option<Symptom> {
    let status = now.status()?;
    match now.error_code() {
        None => Some(not_glacier()),
        Some(code) => code_fault(code).or_else(|| status_fault(code, status)),
    }
}

/// What a refusal of a valid request tells about the target as a whole: that the operation is not there, or the signature not accepted.
pub(super) fn capability_fault(now: &Observation) -> Option<Symptom> {
    if is_unrouted(now) {
        return Some(unsupported());
    }
    AUTHENTICATION
        .contains(&now.error_code()?)
        .then(|| Symptom::new("signature-refused", "a right signature is refused"))
}

/// Whether a server answers that it knows no such route or method, instead of Glacier.
pub(super) fn is_unrouted(now: &Observation) -> bool {
    match now.status() {
        Some(404) => now
            .document
            .as_ref()
            .is_none_or(|document| !document.is_object()),
        Some(405 | 501) => true,
        _ => false,
    }
}

pub(super) fn unsupported() -> Symptom {
    Symptom::new("unsupported", "operations are not implemented")
}

pub(super) fn not_glacier() -> Symptom {
    Symptom::new(
        "error-body-not-glacier",
        "errors do not come as {\"code\", \"message\", \"type\"}",
    )
}

fn code_fault(code: &str) -> Option<Symptom> {
    let bare = code
        .rsplit(['#', '/'])
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    if bare != code {
        return Some(Symptom::new(
            "error-code-prefixed",
            "error codes carry a prefix or a suffix",
        ));
    }
    let known = CODES.iter().any(|(name, _)| *name == code);
    (!known).then(|| {
        Symptom::new(
            "error-code-unknown",
            "error codes are not the documented ones",
        )
    })
}

fn status_fault(code: &str, status: u16) -> Option<Symptom> {
    let (name, statuses) = CODES.iter().find(|(name, _)| *name == code)?;
    (!statuses.contains(&status)).then(|| {
        Symptom::new("error-status", format!("{name} comes with another status")).about(*name)
    })
}

/// An error answer to an operation whose shape may be judged.
///
/// A 404, 405 or 501 without JSON from an operation that never succeeded here says that the operation is not there, which is no defect of its
/// error bodies; 411, 413 and their like are refusals of the protocol below.
fn refusal<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Response)> {
    let Evidence::Exchange { now, earlier, .. } = evidence else {
        return None;
    };
    let operation = now.operation?;
    let response = now.response().filter(|response| response.status >= 300)?;
    let json = now.document.is_some();
    let worked = || {
        earlier
            .iter()
            .any(|past| past.operation == Some(operation) && past.succeeded())
    };
    let of_the_protocol = matches!(response.status, 408 | 411 | 413 | 414 | 417 | 431 | 505)
        || is_protocol_abuse(now);
    let not_there = matches!(response.status, 404 | 405 | 501);
    (json || !(of_the_protocol || not_there && !worked())).then_some((now, response))
}

/// Whether the request is broken below the operation: a header or framing that an HTTP server may refuse by itself.
fn is_protocol_abuse(now: &Observation) -> bool {
    use crate::wire::Framing as F;
    let request = &now.exchange().request;
    let printable = |value: &str| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    matches!(
        now.record.tweak.framing,
        F::Half | F::Announced(_) | F::Verbatim | F::Garbled(_)
    ) || request.headers.iter().any(|(_, value)| !printable(value))
        || request.path.len() > 2048
}

/// The document of a refusal, when it has the member that makes it one of Glacier's and is no failure of the server.
fn glacier_refusal<'a>(
    evidence: &Evidence<'a>,
) -> Option<(&'a Observation, &'a Response, &'a Value)> {
    let (now, response) = refusal(evidence)?;
    let document = now
        .document
        .as_deref()
        .filter(|document| document.get("code").is_some_and(Value::is_string))?;
    // 416 is tolerated for ranges (AMB-22), and no document gives it a code.
    if response.status == 416 {
        return None;
    }
    (response.status < 500 || is_known(document)).then_some((now, response, document))
}

fn is_known(document: &Value) -> bool {
    document["code"]
        .as_str()
        .is_some_and(|code| CODES.iter().any(|(name, _)| *name == code))
}

fn body(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, response)) = refusal(evidence) else {
        return;
    };
    let expected = "a 4xx or 5xx status with a JSON object as application/json";
    match now.document.as_deref() {
        // What becomes of paths that no document writes is left open (AMB-56).
        _ if response.status < 400 && now.record.tweak.path.is_some() => return,
        _ if response.status < 400 => {
            let symptom = Symptom::new("redirect", "requests are redirected");
            return out.violated("COM-ERR-001", symptom, expected, answer(now));
        }
        Some(Value::Object(_)) if response.media_type() == "application/json" => {
            out.held("COM-ERR-001");
        }
        Some(Value::Object(_)) => {
            let actual = format!(
                "{} with Content-Type {:?}",
                response.status,
                response.media_type()
            );
            out.violated(
                "COM-ERR-001",
                super::common::json_media_type(),
                expected,
                actual,
            );
        }
        _ => return out.violated("COM-ERR-001", not_glacier(), expected, described(response)),
    }
    if response.status < 500 {
        members(now, out);
    }
}

fn described(response: &Response) -> String {
    match response.body.length {
        0 => format!("{} without a body", response.status),
        length => format!(
            "{} with {length} bytes of {:?}",
            response.status,
            response.media_type()
        ),
    }
}

fn members(now: &Observation, out: &mut Judgements) {
    let document = now.document.as_deref().unwrap_or(&Value::Null);
    let lacking: Vec<_> = ["code", "message", "type"]
        .into_iter()
        .filter(|name| !document[*name].is_string())
        .collect();
    let symptom = match lacking.first() {
        None => return out.held("COM-ERR-002"),
        Some(&"code") => not_glacier(),
        Some(name) => {
            Symptom::new("error-member-missing", format!("error bodies lack {name}")).about(*name)
        }
    };
    let actual = super::shape::shorten(&document.to_string());
    out.violated(
        "COM-ERR-002",
        symptom,
        "string members code, message and type",
        actual,
    );
}

fn kind(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, response, document)) = glacier_refusal(evidence) else {
        return;
    };
    let Some(kind) = document["type"].as_str() else {
        return;
    };
    let allowed: &[&str] = if response.status < 500 {
        &["Client"]
    } else {
        &["Client", "Server", "Unknown"]
    };
    let symptom = || Symptom::new("error-type", "the type of errors is not the documented one");
    out.judge(
        "COM-ERR-003",
        allowed.contains(&kind),
        symptom,
        format!("type {}", allowed.join(" or ")),
        || format!("{} with type {kind:?}", response.status),
    );
}

fn code(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, response, document)) = glacier_refusal(evidence) else {
        return;
    };
    // Where the documents foresee no refusal, no code is the wrong one.
    if response.status >= 500 || now.expectation.refusals().is_empty() {
        return;
    }
    let code = document["code"].as_str().unwrap_or_default();
    match code_fault(code) {
        None => out.held("COM-ERR-004"),
        Some(symptom) => out.violated(
            "COM-ERR-004",
            symptom,
            "the bare name of a documented exception",
            format!("code {code:?}"),
        ),
    }
}

fn status(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, response, document)) = glacier_refusal(evidence) else {
        return;
    };
    let code = document["code"].as_str().unwrap_or_default();
    let Some((_, requirement)) = MAPPED.iter().find(|(name, _)| *name == code) else {
        return;
    };
    match status_fault(code, response.status) {
        None => out.held(requirement),
        Some(symptom) => out.violated(
            requirement,
            symptom,
            format!("{} with {code}", statuses(code)),
            response.status.to_string(),
        ),
    }
}

fn statuses(code: &str) -> String {
    let statuses = CODES
        .iter()
        .find(|(name, _)| *name == code)
        .map_or(&[][..], |(_, statuses)| *statuses);
    statuses
        .iter()
        .map(u16::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}

/// The two cases in which no other code is defensible: an upload without its tree hash, a job without its type.
const MISSING: &[Refusal] = &[
    Refusal::TreeHashMissing,
    Refusal::JobTypeMissing,
    Refusal::JobParametersMissing,
];

const MISSING_STATUS: &[RefusalRule] = &[RefusalRule {
    requirement: "COM-ERR-007",
    operations: &[
        O::UploadArchive,
        O::CompleteMultipartUpload,
        O::UploadMultipartPart,
        O::InitiateJob,
    ],
    refusals: MISSING,
    demand: Demand::Status(&[400]),
}];

const MISSING_CODE: &[RefusalRule] = &[RefusalRule {
    requirement: "COM-ERR-007",
    operations: &[
        O::UploadArchive,
        O::CompleteMultipartUpload,
        O::UploadMultipartPart,
        O::InitiateJob,
    ],
    refusals: MISSING,
    demand: Demand::CodeIfRefused(&["MissingParameterValueException"]),
}];

fn required_missing(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(MISSING_STATUS, evidence, out);
    judge_refusal_graded(Level::Should, MISSING_CODE, evidence, out);
}

const MALFORMED: &[RefusalRule] = &[RefusalRule {
    requirement: "COM-ERR-010",
    operations: &[],
    refusals: &[Refusal::JsonMalformed],
    demand: Demand::Answer(&[(400, "SerializationException")]),
}];

fn malformed(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(MALFORMED, evidence, out);
}

const VAULT_UNKNOWN: &[RefusalRule] = &[RefusalRule {
    requirement: "COM-ERR-014",
    // CreateVault makes it; what DeleteVault answers is disputed (AMB-10).
    operations: &[
        O::DescribeVault,
        O::UploadArchive,
        O::DeleteArchive,
        O::InitiateMultipartUpload,
        O::UploadMultipartPart,
        O::CompleteMultipartUpload,
        O::AbortMultipartUpload,
        O::ListParts,
        O::ListMultipartUploads,
        O::InitiateJob,
        O::DescribeJob,
        O::ListJobs,
        O::GetJobOutput,
        O::SetVaultNotifications,
        O::GetVaultNotifications,
        O::DeleteVaultNotifications,
        O::AddTagsToVault,
        O::ListTagsForVault,
        O::RemoveTagsFromVault,
        O::InitiateVaultLock,
        O::GetVaultLock,
        O::AbortVaultLock,
        O::CompleteVaultLock,
        O::SetVaultAccessPolicy,
        O::GetVaultAccessPolicy,
        O::DeleteVaultAccessPolicy,
    ],
    refusals: &[Refusal::VaultUnknown],
    demand: NOT_FOUND,
}];

fn vault_unknown(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(VAULT_UNKNOWN, evidence, out);
}

fn message(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, response, document)) = glacier_refusal(evidence) else {
        return;
    };
    let (Some(message), 404) = (document["message"].as_str(), response.status) else {
        return;
    };
    let (requirement, what, named) = match now.expectation.refusals() {
        [Refusal::VaultUnknown] => ("COM-ERR-012", "vault", super::subject::vault_name(now)),
        [Refusal::JobUnknown] => ("COM-ERR-013", "job", job_sent(now)),
        _ => return,
    };
    let Some(named) = named.filter(|named| !named.is_empty()) else {
        return;
    };
    let symptom = || {
        Symptom::new(
            "error-message",
            format!("the message for a missing {what} does not name it"),
        )
        .about(what)
    };
    let actual = || format!("message {:?}", super::shape::shorten(message));
    out.judge(
        requirement,
        message.contains(named),
        symptom,
        format!("a message that contains {named}"),
        actual,
    );
}

fn job_sent(now: &Observation) -> Option<&str> {
    use crate::scenario::Action as A;
    let (A::DescribeJob { job, .. } | A::GetJobOutput { job, .. }) = now.action() else {
        return None;
    };
    now.binding(&format!("job:{job}"))
}

fn type_header(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, response, document)) = glacier_refusal(evidence) else {
        return;
    };
    let code = document["code"].as_str().unwrap_or_default();
    let header = response.headers.value("x-amzn-errortype");
    let symptom = || {
        Symptom::new(
            "error-type-header",
            "x-amzn-ErrorType contradicts the code in the body",
        )
    };
    out.judge(
        "COM-ERR-015",
        header.is_none_or(|header| header == code),
        symptom,
        format!("no header, or {code}"),
        || format!("x-amzn-ErrorType: {}", header.unwrap_or_default()),
    );
}

/// The documents know one failure of the server, and say nothing of requests that cause it. Where a family says what is right, it judges; this is the rest.
fn crash(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if now.operation.is_none() || now.expectation != Expectation::Silent {
        return;
    }
    let documented = now.document.as_deref().is_some_and(is_known);
    if now
        .status()
        .is_some_and(|status| status >= 500 && status != 501)
        && !documented
    {
        out.violated(
            "COM-ERR-011",
            crashed(now),
            "any answer but a failure of the server",
            answer(now),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as document;

    use super::super::by_hand::{Answer, Case, error, json, status};
    use super::*;

    const DESCRIBE: &str = "DescribeVault: {vault: v}";

    /// An answer about a vault that was never made.
    fn missing(answer: Answer) -> Case {
        Case::default().then(DESCRIBE, answer)
    }

    fn html(code: u16) -> Answer {
        status(code)
            .with("content-type", "text/html")
            .bytes(b"<html>no</html>".to_vec())
    }

    #[test]
    fn the_guides_error_is_right_in_everything() {
        let answer = json(
            404,
            document!({"code": "ResourceNotFoundException", "type": "Client",
                "message": "Vault not found for ARN: arn:aws:glacier:us-west-2:012345678901:vaults/the-v"}),
        );
        let case = missing(answer);
        for requirement in [
            "COM-ERR-001",
            "COM-ERR-002",
            "COM-ERR-003",
            "COM-ERR-004",
            "COM-ERR-005",
            "COM-ERR-012",
            "COM-ERR-014",
        ] {
            assert!(case.holds(requirement), "{requirement}");
        }
    }

    #[test]
    fn a_page_that_says_not_found_says_nothing_about_error_bodies_of_glacier() {
        assert!(missing(html(404)).said("COM-ERR-001").is_empty());
        let worked = Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(DESCRIBE, json(200, document!({})))
            .then("DescribeVault: {vault: w}", html(404));
        assert_eq!(
            worked.breaks("COM-ERR-001"),
            [("error-body-not-glacier", Level::Must)]
        );
    }

    #[test]
    fn a_refusal_in_a_foreign_body_has_one_cause() {
        let case = missing(json(
            404,
            document!({"__type": "ResourceNotFoundException", "message": "no"}),
        ));
        for requirement in ["COM-ERR-002", "COM-ERR-014", "DSV-404-001"] {
            assert_eq!(
                case.breaks(requirement),
                [("error-body-not-glacier", Level::Must)],
                "{requirement}"
            );
        }
    }

    #[test]
    fn a_known_code_with_another_status_has_one_cause() {
        let case = missing(error(400, "ResourceNotFoundException"));
        assert_eq!(case.breaks("COM-ERR-005"), [("error-status", Level::Must)]);
        assert_eq!(case.breaks("COM-ERR-014"), [("error-status", Level::Must)]);
        assert!(case.holds("COM-ERR-004"));
    }

    #[test]
    fn codes_are_bare_names_of_the_documents() {
        let broken = |code| missing(error(404, code)).breaks("COM-ERR-004");
        assert_eq!(
            broken("com.amazonaws.glacier#ResourceNotFoundException"),
            [("error-code-prefixed", Level::Must)]
        );
        assert_eq!(
            broken("ResourceNotFoundException:http://x"),
            [("error-code-prefixed", Level::Must)]
        );
        assert_eq!(
            broken("ResourceNotFound"),
            [("error-code-unknown", Level::Must)]
        );
    }

    #[test]
    fn a_crash_is_judged_for_its_json_alone() {
        let case = missing(html(500));
        assert_eq!(
            case.breaks("COM-ERR-001"),
            [("error-body-not-glacier", Level::Must)]
        );
        assert!(case.said("COM-ERR-002").is_empty() && case.said("COM-ERR-003").is_empty());
        assert_eq!(
            case.breaks("COM-ERR-014"),
            [("crashed-refusing", Level::Must)]
        );
    }

    #[test]
    fn a_crash_over_one_of_several_reasons_is_named_by_none_of_them() {
        let step = "{InitiateJob: {vault: \"?none\", job: j, body: {}}, but: {headers: {x-amz-glacier-version: null}}}";
        let case = Case::default().then(step, html(500));
        assert_eq!(case.breaks("COM-VER-002"), [("crashed", Level::Should)]);
    }

    #[test]
    fn a_range_that_cannot_be_satisfied_may_have_any_code() {
        let response = missing(error(416, "InvalidRange"));
        assert!(response.said("COM-ERR-004").is_empty());
    }

    #[test]
    fn a_missing_header_is_400_and_should_say_so() {
        let upload =
            "UploadArchive: {vault: v, archive: a, content: {pattern: 10}, tree_hash: absent}";
        let refused = |answer| {
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .then(upload, answer)
        };
        assert!(refused(error(400, "MissingParameterValueException")).holds("COM-ERR-007"));
        let defensible =
            refused(error(400, "InvalidParameterValueException")).breaks("COM-ERR-007");
        assert_eq!(defensible, [("refused-otherwise", Level::Should)]);
        let taken = refused(status(201)).breaks("COM-ERR-007");
        assert_eq!(taken, [("accepted", Level::Must)]);
    }

    #[test]
    fn an_operation_that_is_not_there_is_one_cause() {
        let absent = Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(DESCRIBE, html(404));
        assert_eq!(
            absent.breaks("SURF-URI-001"),
            [("unsupported", Level::Must)]
        );
        assert_eq!(
            absent.breaks("DSV-STATUS-001"),
            [("unsupported", Level::Must)]
        );
    }
}
