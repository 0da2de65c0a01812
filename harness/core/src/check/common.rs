//! What every answer has in common: headers, media types, JSON, dates, ARNs, account and version.
//!
//! A defect here has one symptom for all operations: it lives in one place of a server.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;

use super::rules::{Demand, RefusalRule, answer, is_odd, judge_refusal};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, Refusal};
use crate::requirement::Level;
use crate::scenario::AccountForm;
use crate::spec::OperationName as O;
use crate::wire::{FaultKind, Framing, Reply, Response};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "request-id",
        requirements: &["COM-HDR-001"],
        judge: request_id,
    },
    Check {
        id: "request-id-unique",
        requirements: &["COM-HDR-002"],
        judge: request_id_unique,
    },
    Check {
        id: "date-header",
        requirements: &["COM-HDR-003"],
        judge: date_header,
    },
    Check {
        id: "content-length",
        requirements: &["COM-HDR-004"],
        judge: content_length,
    },
    Check {
        id: "json-media-type",
        requirements: &["COM-HDR-005"],
        judge: media_type,
    },
    Check {
        id: "bodiless",
        requirements: &["COM-HDR-006"],
        judge: bodiless,
    },
    Check {
        id: "header-case",
        requirements: &["COM-HDR-007"],
        judge: header_case,
    },
    Check {
        id: "api-version",
        requirements: &["COM-VER-001"],
        judge: version,
    },
    Check {
        id: "api-version-missing",
        requirements: &["COM-VER-002"],
        judge: version_missing,
    },
    Check {
        id: "api-version-unknown",
        requirements: &["COM-VER-003"],
        judge: version_unknown,
    },
    Check {
        id: "account-hyphen",
        requirements: &["COM-ACC-001"],
        judge: account_hyphen,
    },
    Check {
        id: "account-numeric",
        requirements: &["COM-ACC-002"],
        judge: account_numeric,
    },
    Check {
        id: "account-hyphenated",
        requirements: &["COM-ACC-004"],
        judge: account_hyphenated,
    },
    Check {
        id: "vault-arn",
        requirements: &["COM-ACC-005"],
        judge: vault_arn,
    },
    Check {
        id: "location-account",
        requirements: &["COM-LOC-001"],
        judge: location,
    },
    Check {
        id: "null-members",
        requirements: &["COM-NULL-001"],
        judge: null_members,
    },
    Check {
        id: "dates",
        requirements: &["COM-DATE-001", "COM-DATE-002"],
        judge: dates,
    },
    Check {
        id: "json",
        requirements: &["COM-JSON-001"],
        judge: json,
    },
];

/// The answer of an operation: a success, or an error with a JSON document. Anything else may come from the HTTP server beneath it.
fn answered<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Response)> {
    let now = evidence.exchange().filter(|now| now.operation.is_some())?;
    let response = now.response()?;
    (response.is_success() || now.document.is_some()).then_some((now, response))
}

/// A success whose body is a JSON document of the API, not the output of a job.
fn api_document<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a Value)> {
    let now = evidence.exchange().filter(|now| {
        now.succeeded() && now.operation.is_some_and(|name| name != O::GetJobOutput)
    })?;
    Some((now, now.document.as_deref()?))
}

/// Whether an earlier exchange shows that the operation works when it is asked for plainly.
fn worked_plainly(now: &Observation, earlier: &[Observation]) -> bool {
    let plain = |past: &&Observation| past.record.tweak == crate::scenario::Tweak::default();
    earlier
        .iter()
        .filter(plain)
        .any(|past| past.operation == now.operation && past.succeeded())
}

/// Holds a permission: whatever is decided, the target must not fail over it.
pub(super) fn permitted(
    requirement: &'static str,
    now: &Observation,
    subject: &'static str,
    out: &mut Judgements,
) {
    let symptom =
        || Symptom::new("crashed-over", format!("server failure over {subject}")).about(subject);
    judge_permission(requirement, now, symptom, out);
}

/// Judges a permission: success, any refusal and 501, which says that nothing is there, are allowed, another failure of the server is not.
pub(super) fn judge_permission(
    requirement: &'static str,
    now: &Observation,
    symptom: impl FnOnce() -> Symptom,
    out: &mut Judgements,
) {
    let Some(status) = now.status() else {
        return out.inconclusive(requirement, "no complete answer came");
    };
    out.judge(
        requirement,
        status < 500 || status == 501,
        symptom,
        "a success or a 4xx refusal",
        || answer(now),
    );
}

/// Holds that a request in a form of its own is accepted; decides nothing unless the plain form was accepted before.
pub(super) fn judge_form(
    requirement: &'static str,
    symptom: Symptom,
    evidence: &Evidence<'_>,
    out: &mut Judgements,
) {
    let Evidence::Exchange { now, earlier, .. } = evidence else {
        return;
    };
    if now.expectation != Expectation::Accept {
        return;
    }
    if now.succeeded() {
        out.held(requirement);
    } else if worked_plainly(now, earlier) {
        out.violated(
            requirement,
            symptom,
            "a success, as for the plain request",
            answer(now),
        );
    }
}

fn request_id(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, response)) = answered(evidence) else {
        return;
    };
    let given = response
        .headers
        .value("x-amzn-requestid")
        .is_some_and(|id| !id.trim().is_empty());
    let symptom = || Symptom::new("request-id-missing", "answers carry no x-amzn-RequestId");
    out.judge(
        "COM-HDR-001",
        given,
        symptom,
        "a non-empty x-amzn-RequestId",
        || format!("{} without it", response.status),
    );
}

fn request_id_unique(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Case { all } = evidence else {
        return;
    };
    let mut seen = std::collections::BTreeMap::new();
    for now in all.iter().filter(|now| now.operation.is_some()) {
        let id = now
            .response()
            .and_then(|response| response.headers.value("x-amzn-requestid"));
        let Some(id) = id.map(str::trim).filter(|id| !id.is_empty()) else {
            continue;
        };
        if let Some(first) = seen.insert(id, now.index) {
            out.also_rests_on(now.index);
            out.also_rests_on(first);
            let symptom = Symptom::new(
                "request-id-repeated",
                "x-amzn-RequestId does not tell requests apart",
            );
            return out.violated(
                "COM-HDR-002",
                symptom,
                "a value of its own for each request",
                format!("{id} twice"),
            );
        }
    }
    if let (true, Some(last)) = (seen.len() > 1, seen.values().max()) {
        out.also_rests_on(*last);
        out.held("COM-HDR-002");
    }
}

fn date_header(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, response)) = answered(evidence) else {
        return;
    };
    let expected = "a Date such as Wed, 10 Feb 2016 12:00:00 GMT";
    match response.headers.value("date") {
        None => out.violated(
            "COM-HDR-003",
            Symptom::new("date-missing", "answers carry no Date"),
            expected,
            "no Date",
        ),
        Some(date) => {
            let symptom = || Symptom::new("date-malformed", "the Date of answers is no HTTP date");
            out.judge(
                "COM-HDR-003",
                Timestamp::parse_http(date).is_some(),
                symptom,
                expected,
                || format!("Date: {date}"),
            );
        }
    }
}

/// What came of an answer that its sender ended: all of it, or what there was when the connection was closed.
/// Whoever ran out of time may have ended it himself.
pub(super) fn ended(now: &Observation) -> Option<&Response> {
    match &now.exchange().reply {
        Reply::Response(response) => Some(response),
        Reply::Fault(fault) if matches!(fault.kind, FaultKind::Closed | FaultKind::NotHttp) => {
            fault.partial.as_deref()
        }
        Reply::Fault(_) => None,
    }
}

pub(super) fn wrong_length() -> Symptom {
    Symptom::new(
        "content-length",
        "Content-Length is not the length of the body",
    )
}

fn content_length(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.operation.is_some()) else {
        return;
    };
    let Some(response) = ended(now) else {
        return;
    };
    let announced = response
        .headers
        .value("content-length")
        .and_then(|length| length.trim().parse::<u64>().ok());
    let Some(announced) = announced.filter(|_| response.status != 204) else {
        return;
    };
    out.judge(
        "COM-HDR-004",
        announced == response.body.length,
        wrong_length,
        format!("{announced} bytes as announced"),
        || format!("{} bytes", response.body.length),
    );
}

pub(super) fn json_media_type() -> Symptom {
    Symptom::new(
        "json-media-type",
        "JSON bodies are not declared as application/json",
    )
}

fn media_type(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, response)) = answered(evidence) else {
        return;
    };
    let object = now.document.as_deref().is_some_and(Value::is_object);
    // The output of a job has the media type of that output; `{}` stands for no body at all (AMB-57).
    if !object
        || response.body.length <= 2
        || now.operation == Some(O::GetJobOutput) && response.is_success()
    {
        return;
    }
    let kind = response.media_type();
    let kept =
        kind == "application/json" || kind == "text/json" && now.operation == Some(O::ListParts);
    out.judge(
        "COM-HDR-005",
        kept,
        json_media_type,
        "Content-Type: application/json",
        || format!("Content-Type: {kind:?}"),
    );
}

fn bodiless(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.operation.is_some()) else {
        return;
    };
    let Some(response) = now.response() else {
        return;
    };
    match response.status {
        204 => {
            let announced = response
                .headers
                .value("content-length")
                .is_some_and(|length| length.trim() != "0");
            let symptom = || Symptom::new("body-on-204", "204 answers have a body");
            out.judge(
                "COM-HDR-006",
                response.body.length == 0 && !announced,
                symptom,
                "no body",
                || described(response),
            );
        }
        201 | 202 if now.operation != Some(O::DescribeJob) => {
            let empty = now.document.as_deref().is_some_and(|document| {
                document.as_object().is_some_and(serde_json::Map::is_empty)
            });
            let symptom = || Symptom::new("body-on-creation", "creations answer with a document");
            let kept = response.body.length == 0 || empty;
            out.judge("COM-HDR-006", kept, symptom, "no body, or {}", || {
                described(response)
            });
        }
        _ => {}
    }
}

fn described(response: &Response) -> String {
    match response.body.text() {
        Some(text) if !text.is_empty() => super::shape::shorten(text),
        _ if response.body.length > 0 => format!("{} bytes", response.body.length),
        _ => format!(
            "Content-Length: {}",
            response.headers.value("content-length").unwrap_or_default()
        ),
    }
}

fn header_case(evidence: &Evidence<'_>, out: &mut Judgements) {
    if evidence.exchange().is_some_and(|now| {
        now.operation.is_some() && now.record.tweak.framing == Framing::UpperCaseNames
    }) {
        let symptom = Symptom::new(
            "header-names-with-case",
            "header names are compared with case",
        );
        judge_form("COM-HDR-007", symptom, evidence, out);
    }
}

fn version(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.operation.is_some()) else {
        return;
    };
    let sent = now
        .exchange()
        .request
        .headers
        .value("x-amz-glacier-version");
    if sent != Some("2012-06-01") || now.expectation != Expectation::Accept {
        return;
    }
    if now.succeeded() {
        return out.held("COM-VER-001");
    }
    let message = now
        .member("/message")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if message.contains("version") {
        let symptom = Symptom::new(
            "version-refused",
            "x-amz-glacier-version: 2012-06-01 is refused",
        );
        out.violated(
            "COM-VER-001",
            symptom,
            "a success",
            format!("{}: {message}", answer(now)),
        );
    }
}

const VERSION_MISSING: &[RefusalRule] = &[RefusalRule {
    requirement: "COM-VER-002",
    operations: &[],
    refusals: &[Refusal::VersionMissing],
    demand: Demand::Answer(&[(400, "MissingParameterValueException")]),
}];

fn version_missing(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(VERSION_MISSING, evidence, out);
}

fn version_unknown(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.operation.is_some()) else {
        return;
    };
    let sent = now
        .exchange()
        .request
        .headers
        .value("x-amz-glacier-version");
    if sent.is_some_and(|version| version != "2012-06-01") {
        permitted("COM-VER-003", now, "an unknown API version", out);
    }
}

fn account_hyphen(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Exchange { now, earlier, .. } = evidence else {
        return;
    };
    if now.record.tweak.account != AccountForm::Hyphen
        || now.operation.is_none()
        || now.expectation != Expectation::Accept
    {
        return;
    }
    let numeric = |past: &&Observation| {
        past.record.tweak.account == AccountForm::Numeric && past.operation == now.operation
    };
    if now.succeeded() {
        out.held("COM-ACC-001");
    } else if let Some(past) = earlier.iter().filter(numeric).find(|past| past.succeeded())
        && !is_odd(&now.record.tweak)
    {
        out.also_rests_on(past.index);
        let symptom = Symptom::new(
            "account-hyphen",
            "the hyphen is not taken for the account of the caller",
        );
        out.violated(
            "COM-ACC-001",
            symptom,
            "a success, as with the 12 digits",
            answer(now),
        );
    }
}

fn account_numeric(evidence: &Evidence<'_>, out: &mut Judgements) {
    if evidence.exchange().is_some_and(|now| {
        now.operation.is_some() && now.record.tweak.account == AccountForm::Numeric
    }) {
        let symptom = Symptom::new(
            "account-numeric",
            "the 12 digits of the account are not taken for it",
        );
        judge_form("COM-ACC-002", symptom, evidence, out);
    }
}

fn account_hyphenated(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if now.operation.is_some() && now.record.tweak.account == AccountForm::Hyphenated {
        permitted("COM-ACC-004", now, "an account written with hyphens", out);
    }
}

/// The form of a vault's ARN. Whether a vault may have its name is what other rules are about.
static VAULT_ARN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^arn:aws[a-z0-9-]*:glacier:[a-z0-9-]+:[0-9]{12}:vaults/.+$").expect("a constant")
});

fn vault_arn(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = api_document(evidence) else {
        return;
    };
    // A list shows vaults of others too, whose names may be what another rule is about.
    let foreign = |arn: &&Value| {
        let own = |name: &String| arn.as_str().is_some_and(|arn| arn.ends_with(name.as_str()));
        let mut names = now.after.vaults.values().map(|vault| &vault.name);
        now.operation == Some(O::ListVaults) && !names.any(own)
    };
    let mut any = false;
    for arn in members(document)
        .filter(|(name, value)| *name == "VaultARN" && !value.is_null())
        .map(|(_, value)| value)
        .filter(|arn| !foreign(arn))
    {
        any = true;
        if !arn.as_str().is_some_and(|arn| VAULT_ARN.is_match(arn)) {
            let symptom = Symptom::new("vault-arn", "vault ARNs are malformed");
            let expected = "arn:aws:glacier:<region>:<12 digits>:vaults/<name>";
            return out.violated("COM-ACC-005", symptom, expected, super::shape::brief(arn));
        }
        let mut fields = arn.as_str().unwrap_or_default().split(':').skip(1);
        let (told, region) = (fields.next(), fields.nth(1).unwrap_or_default());
        let own = partition(region);
        if own.is_some() && told != own {
            let symptom = Symptom::new(
                "vault-arn-partition",
                "vault ARNs name the partition of other regions",
            );
            let expected = format!("arn:{}:glacier:{region}:…", own.unwrap_or_default());
            let told = super::shape::brief(arn);
            return out.graded("COM-ACC-005", Level::Should, symptom, expected, told);
        }
    }
    if any {
        out.held("COM-ACC-005");
    }
}

/// The partition of a region that is known to lie outside of `aws`.
fn partition(region: &str) -> Option<&'static str> {
    let known = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")];
    let own = known.iter().find(|(prefix, _)| region.starts_with(prefix));
    own.map(|(_, partition)| *partition)
}

/// Every member of every object in a document, echoes of what a client said left out.
fn members(document: &Value) -> Box<dyn Iterator<Item = (&str, &Value)> + '_> {
    const ECHOED: &[&str] = &[
        "InventoryRetrievalParameters",
        "OutputLocation",
        "SelectParameters",
        "Tags",
        "Policy",
    ];
    match document {
        Value::Array(items) => Box::new(items.iter().flat_map(members)),
        Value::Object(object) => Box::new(
            object
                .iter()
                .filter(|(name, _)| !ECHOED.contains(&name.as_str()))
                .flat_map(|(name, value)| {
                    std::iter::once((name.as_str(), value)).chain(members(value))
                }),
        ),
        _ => Box::new(std::iter::empty()),
    }
}

fn location(evidence: &Evidence<'_>, out: &mut Judgements) {
    let creations = [
        O::CreateVault,
        O::UploadArchive,
        O::InitiateMultipartUpload,
        O::CompleteMultipartUpload,
        O::InitiateJob,
    ];
    let Some(now) = evidence.exchange().filter(|now| {
        now.succeeded() && now.operation.is_some_and(|name| creations.contains(&name))
    }) else {
        return;
    };
    let Some(location) = super::subject::header(now, "location") else {
        return;
    };
    match location_fault(location) {
        None => out.held("COM-LOC-001"),
        Some(symptom) => out.violated(
            "COM-LOC-001",
            symptom,
            "a path that begins with the 12 digits of the account",
            format!("Location: {location}"),
        ),
    }
}

/// What is wrong with the beginning of a Location; where it leads is for each operation to say.
pub(super) fn location_fault(location: &str) -> Option<Symptom> {
    let account = location.split('/').nth(1).unwrap_or_default();
    if !location.starts_with('/') {
        return Some(Symptom::new(
            "location-absolute",
            "Location is no relative path",
        ));
    }
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match account {
        "-" => Symptom::new(
            "location-hyphen",
            "Location shows a hyphen instead of the account",
        ),
        _ => Symptom::new(
            "location-without-account",
            "Location does not begin with the account",
        ),
    })
}

/// Members that are there for every kind and state, with null where they do not apply.
const JOB_MEMBERS: &[&str] = &[
    "Action",
    "ArchiveId",
    "ArchiveSHA256TreeHash",
    "ArchiveSizeInBytes",
    "Completed",
    "CompletionDate",
    "CreationDate",
    "InventorySizeInBytes",
    "JobDescription",
    "JobId",
    "RetrievalByteRange",
    "SHA256TreeHash",
    "SNSTopic",
    "StatusCode",
    "VaultARN",
];

fn null_members(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) = api_document(evidence) else {
        return;
    };
    let members: &[&str] = match now.operation {
        Some(O::DescribeJob) => JOB_MEMBERS,
        Some(O::DescribeVault) => &["LastInventoryDate"],
        Some(O::ListVaults | O::ListJobs | O::ListParts | O::ListMultipartUploads) => &["Marker"],
        _ => return,
    };
    let omitted: Vec<_> = members
        .iter()
        .filter(|name| document.get(**name).is_none())
        .copied()
        .collect();
    let symptom = || {
        Symptom::new(
            "members-omitted",
            "members that do not apply are omitted instead of null",
        )
    };
    out.judge(
        "COM-NULL-001",
        omitted.is_empty(),
        symptom,
        "null where a member does not apply",
        || format!("no {}", omitted.join(", ")),
    );
}

const DATES: &[&str] = &[
    "CreationDate",
    "CompletionDate",
    "LastInventoryDate",
    "ExpirationDate",
    "StartDate",
];

fn dates(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, document)) = api_document(evidence) else {
        return;
    };
    let dates = members(document).filter(|(name, value)| DATES.contains(name) && !value.is_null());
    for (name, date) in dates {
        judge_date(name, date, out);
    }
}

/// How a date is written.
#[derive(Debug, PartialEq, Eq)]
enum Dated {
    Milliseconds,
    Otherwise,
    OtherZone,
    NotIso,
}

/// A time as the pages write it.
static MILLISECONDS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").expect("a constant"));

fn dated(date: &Value) -> Dated {
    let in_utc = |date: &&str| Timestamp::parse_utc(date).is_some();
    match date.as_str().filter(in_utc) {
        None => Dated::NotIso,
        Some(date) if MILLISECONDS.is_match(date) => Dated::Milliseconds,
        Some(date) if date.ends_with('Z') => Dated::Otherwise,
        Some(_) => Dated::OtherZone,
    }
}

fn judge_date(name: &str, date: &Value, out: &mut Judgements) {
    let actual = format!("{name}: {}", super::shape::brief(date));
    match dated(date) {
        Dated::NotIso => {
            let symptom = Symptom::new("date-not-iso", "dates in bodies are not ISO 8601 in UTC");
            out.violated(
                "COM-DATE-001",
                symptom,
                "a string such as 2013-03-20T17:03:43.221Z",
                actual,
            );
        }
        Dated::OtherZone => {
            let symptom = Symptom::new("date-without-z", "dates in bodies do not end in Z");
            out.graded(
                "COM-DATE-001",
                Level::Should,
                symptom,
                "a date that ends in Z",
                actual,
            );
        }
        Dated::Milliseconds => {
            out.held("COM-DATE-001");
            out.held("COM-DATE-002");
        }
        Dated::Otherwise => {
            out.held("COM-DATE-001");
            let symptom = Symptom::new("date-precision", "dates in bodies have no milliseconds");
            out.violated(
                "COM-DATE-002",
                symptom,
                "milliseconds, as in 2013-03-20T17:03:43.221Z",
                actual,
            );
        }
    }
}

fn json(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.operation.is_some()) else {
        return;
    };
    let Some(response) = now
        .response()
        .filter(|response| response.media_type() == "application/json")
    else {
        return;
    };
    let output = now.operation == Some(O::GetJobOutput) && response.is_success();
    // Longer bodies than are kept cannot be read again.
    let Some(bytes) = response
        .body
        .bytes()
        .filter(|bytes| !bytes.is_empty() && !output)
    else {
        return;
    };
    let symptom = || match response.is_success() {
        true => Symptom::new(
            "json-malformed",
            "bodies declared as JSON are no JSON objects in UTF-8",
        ),
        false => super::errors::not_glacier(),
    };
    let kept = now.document.as_deref().is_some_and(Value::is_object);
    out.judge("COM-JSON-001", kept, symptom, "a JSON object", || {
        super::shape::shorten(&String::from_utf8_lossy(bytes))
    });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as document};

    use super::super::by_hand::{Case, error, json, status};
    use super::*;

    fn described(members: Value) -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then("DescribeVault: {vault: v}", json(200, members))
    }

    #[test]
    fn request_ids_are_there_and_differ() {
        let answer = |id| status(201).with("x-amzn-RequestId", id);
        let create = "CreateVault: {vault: v}";
        let twice = |a, b| {
            Case::default()
                .then(create, answer(a))
                .then(create, answer(b))
        };
        assert!(twice("a", "b").holds("COM-HDR-001"));
        assert!(twice("a", "b").holds("COM-HDR-002"));
        let repeated = twice("a", "a").said("COM-HDR-002");
        assert_eq!(repeated[0].records, [0, 1]);
        assert_eq!(
            twice("a", "").breaks("COM-HDR-001"),
            [("request-id-missing", Level::Must)]
        );
    }

    #[test]
    fn an_error_page_of_the_http_server_needs_no_request_id() {
        let case = Case::default().then(
            "DescribeVault: {vault: v}",
            status(404).with("content-type", "text/html"),
        );
        assert!(case.said("COM-HDR-001").is_empty());
        let case = Case::default().then(
            "DescribeVault: {vault: v}",
            error(404, "ResourceNotFoundException"),
        );
        assert_eq!(
            case.breaks("COM-HDR-001"),
            [("request-id-missing", Level::Must)]
        );
    }

    #[test]
    fn a_creation_answers_with_nothing_or_an_empty_object() {
        let created = |answer| Case::default().then("CreateVault: {vault: v}", answer);
        assert!(created(status(201)).holds("COM-HDR-006"));
        assert!(created(json(201, document!({}))).holds("COM-HDR-006"));
        let telling = created(json(201, document!({"Location": "/1"})));
        assert_eq!(
            telling.breaks("COM-HDR-006"),
            [("body-on-creation", Level::Must)]
        );
    }

    #[test]
    fn nothing_follows_a_204() {
        let deleted = |answer| {
            let case = Case::default().then("CreateVault: {vault: v}", status(201));
            case.then("DeleteVault: {vault: v}", answer)
        };
        assert!(deleted(status(204).with("content-length", "0")).holds("COM-HDR-006"));
        let announced = deleted(status(204).with("content-length", "2")).breaks("COM-HDR-006");
        assert_eq!(announced, [("body-on-204", Level::Must)]);
    }

    #[test]
    fn dates_are_iso_8601_in_utc() {
        for (date, form) in [
            (document!("2013-03-20T17:03:43.221Z"), Dated::Milliseconds),
            (document!("2013-03-20T17:03:43Z"), Dated::Otherwise),
            (document!("2013-03-20T17:03:43.221000Z"), Dated::Otherwise),
            (document!("2013-03-20T17:03:43+00:00"), Dated::OtherZone),
            (document!("2013-03-20T17:03:43"), Dated::NotIso),
            (document!("2013-03-20 17:03:43Z"), Dated::NotIso),
            (document!("Wed, 20 Mar 2013 17:03:43 GMT"), Dated::NotIso),
            (document!(1363799023), Dated::NotIso),
        ] {
            assert_eq!(dated(&date), form, "{date}");
        }
    }

    #[test]
    fn a_date_without_z_is_expected_otherwise_and_tolerated() {
        let case = described(document!({"CreationDate": "2013-03-20T17:03:43+00:00"}));
        assert_eq!(
            case.breaks("COM-DATE-001"),
            [("date-without-z", Level::Should)]
        );
        let echo = described(document!({"InventoryRetrievalParameters": {"StartDate": "2013"}}));
        assert!(echo.said("COM-DATE-001").is_empty());
    }

    #[test]
    fn vault_arns_have_the_numeric_account() {
        let arn = |arn: &str| described(document!({"VaultARN": arn}));
        assert!(
            arn("arn:aws:glacier:us-west-2:012345678901:vaults/examplevault").holds("COM-ACC-005")
        );
        assert!(
            arn("arn:aws-cn:glacier:cn-north-1:012345678901:vaults/v.w-x_y").holds("COM-ACC-005")
        );
        for wrong in [
            "arn:aws:glacier:us-west-2:-:vaults/v",
            "arn:aws:glacier:us-west-2:012345678901:v",
            "v",
        ] {
            assert_eq!(
                arn(wrong).breaks("COM-ACC-005"),
                [("vault-arn", Level::Must)],
                "{wrong}"
            );
        }
        assert_eq!(
            arn("arn:aws:glacier:us-gov-west-1:012345678901:vaults/v").breaks("COM-ACC-005"),
            [("vault-arn-partition", Level::Should)]
        );
    }

    #[test]
    fn locations_begin_with_the_account() {
        let located = |location| {
            Case::default().then(
                "CreateVault: {vault: v}",
                status(201).with("location", location),
            )
        };
        assert!(located("/111122223333/vaults/the-v").holds("COM-LOC-001"));
        assert_eq!(
            located("/-/vaults/the-v").breaks("COM-LOC-001"),
            [("location-hyphen", Level::Must)]
        );
        let absolute = located("http://127.0.0.1/111122223333/vaults/the-v").breaks("COM-LOC-001");
        assert_eq!(absolute, [("location-absolute", Level::Must)]);
        assert_eq!(
            located("/vaults/the-v").breaks("COM-LOC-001"),
            [("location-without-account", Level::Must)]
        );
    }

    #[test]
    fn another_form_of_a_request_is_judged_against_the_plain_one() {
        let form = "{DescribeVault: {vault: v}, but: {account: numeric}}";
        let plain = described(document!({}));
        assert_eq!(
            plain
                .then(form, error(404, "ResourceNotFoundException"))
                .breaks("COM-ACC-002"),
            [("account-numeric", Level::Must)]
        );
        let never = Case::default().then("CreateVault: {vault: v}", status(201));
        assert!(
            never
                .then(form, error(404, "ResourceNotFoundException"))
                .said("COM-ACC-002")
                .is_empty()
        );
    }
}
