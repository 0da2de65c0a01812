//! Signatures: what is judged only where a target enforces them.

use super::rules::{answer, not_refused};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Refusal};
use crate::scenario::{AccountForm, Signing};
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check::new("signature", &["AUTH-SIG-001", "AUTH-HASH-001"], right),
    Check::new(
        "signature-wrong",
        &[
            "AUTH-SIG-001",
            "AUTH-SIG-002",
            "AUTH-SIG-003",
            "AUTH-SIG-004",
            "COM-ACC-003",
        ],
        wrong,
    ),
    Check::new("signature-late", &["AUTH-SIG-005", "AUTH-TOK-001"], late),
    Check::new(
        "signature-dates",
        &["AUTH-DATE-001", "AUTH-DATE-002"],
        dates,
    ),
];

/// An exchange with a target that enforces signatures.
fn enforced<'a>(evidence: &Evidence<'a>) -> Option<&'a Observation> {
    evidence
        .exchange()
        .filter(|now| now.before.enforces_signatures && now.operation.is_some())
}

fn right(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = enforced(evidence).filter(|now| now.record.tweak.signing == Signing::Right)
    else {
        return;
    };
    if now.expectation != Expectation::Accept {
        return;
    }
    let upload = matches!(
        now.operation,
        Some(O::UploadArchive | O::UploadMultipartPart)
    );
    let refused =
        super::errors::capability_fault(now).filter(|symptom| symptom.id == "signature-refused");
    let about = ["AUTH-SIG-001", "AUTH-HASH-001"];
    for requirement in &about[..if upload { 2 } else { 1 }] {
        match &refused {
            Some(symptom) => out.violated(
                requirement,
                symptom.clone(),
                "a success for a right signature",
                answer(now),
            ),
            None if now.succeeded() => out.held(requirement),
            None => {}
        }
    }
}

/// The rule a wrong signature is about: the requirement, why it is refused, and the code, where one is fixed.
fn rule(now: &Observation) -> Option<(&'static str, Refusal, Option<&'static str>)> {
    if now.record.tweak.signing == Signing::Right {
        let foreign = now.record.tweak.account == AccountForm::Foreign;
        return foreign.then_some((
            "COM-ACC-003",
            Refusal::AccountForeign,
            Some("AccessDeniedException"),
        ));
    }
    Some(match now.record.tweak.signing {
        Signing::WrongService => ("AUTH-SIG-001", Refusal::SignatureInvalid, None),
        Signing::Flipped => (
            "AUTH-SIG-002",
            Refusal::SignatureInvalid,
            Some("InvalidSignatureException"),
        ),
        Signing::Absent => (
            "AUTH-SIG-003",
            Refusal::AuthenticationMissing,
            Some("MissingAuthenticationTokenException"),
        ),
        Signing::UnknownKey => (
            "AUTH-SIG-004",
            Refusal::KeyUnknown,
            Some("UnrecognizedClientException"),
        ),
        _ => return None,
    })
}

fn wrong(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = enforced(evidence) else {
        return;
    };
    let Some((requirement, refusal, code)) = rule(now) else {
        return;
    };
    let statuses: &[u16] = if refusal == Refusal::AccountForeign {
        &[403]
    } else {
        &[400, 403]
    };
    let expected = format!(
        "{} {}",
        statuses
            .iter()
            .map(u16::to_string)
            .collect::<Vec<_>>()
            .join(" or "),
        code.unwrap_or("a refusal")
    );
    let symptom = match now.response().filter(|_| now.is_refused()) {
        None => not_refused(now, refusal),
        Some(response) => {
            if code.is_none() || now.error_code() == code && statuses.contains(&response.status) {
                return out.held(requirement);
            }
            super::errors::common_fault(now)
                .unwrap_or_else(|| super::rules::refused_otherwise(refusal))
        }
    };
    out.violated(requirement, symptom, expected, answer(now));
}

/// A skewed clock and an expired token: refused, or not looked at.
fn late(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = enforced(evidence) else {
        return;
    };
    match now.record.tweak.signing {
        Signing::Skewed(seconds) if seconds.unsigned_abs() > 300 => {
            super::common::permitted("AUTH-SIG-005", now, "a signature made at another time", out);
        }
        Signing::ExpiredToken => {
            super::common::permitted("AUTH-TOK-001", now, "an expired session token", out);
        }
        _ => {}
    }
}

fn dates(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = enforced(evidence).filter(|now| now.expectation == Expectation::Accept) else {
        return;
    };
    let (requirement, symptom) = match now.record.tweak.signing {
        Signing::WrongDate => (
            "AUTH-DATE-001",
            Symptom::new("date-preferred", "Date is preferred to x-amz-date"),
        ),
        Signing::DateOnly => (
            "AUTH-DATE-002",
            Symptom::new(
                "date-not-enough",
                "a Date in ISO 8601 basic form is not enough to sign with",
            ),
        ),
        _ => return,
    };
    out.judge(
        requirement,
        now.succeeded(),
        || symptom,
        "a success",
        || answer(now),
    );
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{Case, error, status};
    use crate::requirement::Level;

    #[test]
    fn a_date_is_enough_to_sign_with_where_nothing_else_may_be_refused() {
        let dated = "{DescribeVault: {vault: v}, but: {signing: date_only}}";
        let described = |answer| {
            Case::enforcing_signatures()
                .then("CreateVault: {vault: v}", status(201))
                .then(dated, answer)
        };
        assert!(described(status(200)).holds("AUTH-DATE-002"));
        assert_eq!(
            described(error(403, "InvalidSignatureException")).breaks("AUTH-DATE-002"),
            [("date-not-enough", Level::Should)]
        );
    }

    #[test]
    fn a_job_that_is_not_ready_says_nothing_of_dates() {
        let early = Case::enforcing_signatures()
            .then("CreateVault: {vault: v}", status(201))
            .then(
                "InitiateJob: {vault: v, job: j, body: {Type: inventory-retrieval}}",
                status(202).with("x-amz-job-id", "J"),
            )
            .then(
                "{GetJobOutput: {vault: v, job: j}, but: {signing: date_only}}",
                error(400, "InvalidParameterValueException"),
            );
        assert!(early.said("AUTH-DATE-002").is_empty());
    }
}
