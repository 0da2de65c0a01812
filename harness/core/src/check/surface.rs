//! The surface: methods, paths and queries, known and unknown.

use super::common::{judge_form, permitted};
use super::errors::{is_unrouted, unsupported};
use super::rules::answer;
use super::{Check, Evidence, Judgements, Symptom};
use crate::model::{Expectation, Refusal};
use crate::scenario::PathForm;

pub(super) const CHECKS: &[Check] = &[
    Check::new("operation-there", &["SURF-URI-001"], there),
    Check::new("route-unknown", &["SURF-URI-002"], unknown_route),
    Check::new("path-encoding", &["SURF-URI-003"], encoding),
    Check::new("query-unknown", &["SURF-QUERY-001"], query),
    Check::new("body-late", &["SURF-TIMEOUT-001"], late),
];

/// An operation is there once anything of it was seen to work, or to refuse as Glacier does.
fn there(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Exchange { now, earlier, .. } = evidence else {
        return;
    };
    let (Some(name), Some(response)) = (now.operation, now.response()) else {
        return;
    };
    if response.is_success() {
        return out.held("SURF-URI-001");
    }
    let worked = earlier
        .iter()
        .any(|past| past.operation == Some(name) && past.succeeded());
    if now.expectation == Expectation::Accept && is_unrouted(now) && !worked {
        let expected = format!(
            "{name} at {} {}",
            now.exchange().request.method,
            now.exchange().request.path
        );
        out.violated("SURF-URI-001", unsupported(), expected, answer(now));
    }
}

fn unknown_route(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange().filter(|now| now.operation.is_none()) else {
        return;
    };
    let unknown = [Refusal::RouteUnknown, Refusal::MethodUnknown];
    if now
        .expectation
        .refusals()
        .iter()
        .any(|refusal| unknown.contains(refusal))
        || now.expectation == Expectation::Silent
    {
        permitted("SURF-URI-002", now, "an unknown route or method", out);
    }
}

fn encoding(evidence: &Evidence<'_>, out: &mut Judgements) {
    if evidence
        .exchange()
        .is_some_and(|now| now.record.tweak.path == Some(PathForm::Encoded))
    {
        let symptom = Symptom::new(
            "path-not-decoded",
            "percent-encoded characters of a path are not decoded",
        );
        judge_form("SURF-URI-003", symptom, evidence, out);
    }
}

fn query(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Exchange {
        now,
        definition: Some(definition),
        ..
    } = evidence
    else {
        return;
    };
    let known = |name: &str| {
        let defined = definition
            .parameters
            .iter()
            .any(|parameter| parameter.name.eq_ignore_ascii_case(name));
        defined || name == "operation" || name.to_ascii_lowercase().starts_with("x-amz-")
    };
    let tweak = &now.record.tweak;
    let added = |set: &indexmap::IndexMap<String, Option<String>>| {
        set.iter()
            .any(|(name, value)| value.is_some() && !known(name))
    };
    let unknown = added(&tweak.query)
        || tweak
            .headers
            .iter()
            .any(|(name, _)| name.to_ascii_lowercase().starts_with("x-unknown"));
    if unknown && now.expectation.allows_success() {
        permitted(
            "SURF-QUERY-001",
            now,
            "an unknown query parameter or header",
            out,
        );
    }
}

/// Only a body that never came can be answered like this.
fn late(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    if now.expectation.refusals() != [Refusal::RequestTimeout] {
        return;
    }
    match now.status() {
        Some(408) => out.held("SURF-TIMEOUT-001"),
        Some(200..300) => {
            let symptom = Symptom::new("half-body-taken", "half a body is taken for the whole");
            out.violated(
                "SURF-TIMEOUT-001",
                symptom,
                "408 RequestTimeoutException, or the connection closed",
                answer(now),
            );
        }
        _ => out.inconclusive(
            "SURF-TIMEOUT-001",
            format!("the body was not waited for: {}", answer(now)),
        ),
    }
}
