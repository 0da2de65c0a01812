//! What belongs to the account: the data retrieval policy and provisioned capacity.

use std::collections::BTreeSet;

use serde_json::Value;

use super::documents::{sent, shown, told};
use super::rules::{
    AcceptanceRule, Demand, RefusalRule, answer, judge_acceptance, judge_refusal,
    judge_refusal_graded, not_accepted, not_refused,
};
use super::subject::{earlier, header, success};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::Refusal;
use crate::requirement::Level;
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "account-accepted",
        &[
            "SDRP-STATUS-001",
            "SDRP-STRAT-001",
            "SDRP-BPH-003",
            "GDRP-STATUS-001",
            "LPC-STATUS-001",
        ],
        accepts,
    ),
    Check::new(
        "retrieval-policy-refused",
        &[
            "SDRP-STRAT-002",
            "SDRP-BPH-001",
            "SDRP-BPH-002",
            "SDRP-BPH-003",
            "SDRP-RULES-001",
            "SDRP-MISS-001",
        ],
        refuses,
    ),
    Check::new(
        "retrieval-policy-told",
        &[
            "GDRP-STATUS-001",
            "GDRP-ECHO-001",
            "SDRP-STRAT-001",
            "SDRP-ATOMIC-001",
        ],
        tells,
    ),
    Check::new("retrieval-policy-rate", &["GDRP-BPH-001"], rate),
    Check::new("retrieval-policy-default", &["GDRP-DEF-001"], default),
    Check::new("retrieval-policy-scope", &["SDRP-SCOPE-001"], scope),
    Check::new(
        "capacity-accepted",
        &["PPC-STATUS-001", "PPC-LIMIT-001"],
        purchase,
    ),
    Check::new("capacity-id", &["PPC-STATUS-001", "PPC-ID-001"], unit),
    Check::new(
        "capacity-list",
        &[
            "LPC-STATUS-001",
            "LPC-EMPTY-001",
            "LPC-NOPAGE-001",
            "PPC-LIMIT-001",
        ],
        units,
    ),
    Check::new("capacity-listed", &["PPC-ID-001", "LPC-DATE-003"], bought),
    Check::new("capacity-dates", &["LPC-DATE-001", "LPC-DATE-002"], term),
];

/// The only rule of a policy, sent (`{"Policy": {"Rules": […]}}`) or told.
fn rule(document: &Value) -> Option<&Value> {
    match document.pointer("/Policy/Rules")?.as_array()?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

fn strategy(rule: &Value) -> Option<&str> {
    rule.get("Strategy")?.as_str()
}

fn bytes_per_hour(rule: &Value) -> Option<u64> {
    rule.get("BytesPerHour")?.as_u64()
}

fn sends(now: &Observation, is_so: impl Fn(&Value) -> bool) -> bool {
    sent(now).as_ref().and_then(rule).is_some_and(is_so)
}

fn is_extreme(now: &Observation) -> bool {
    sends(now, |rule| {
        matches!(bytes_per_hour(rule), Some(1 | 9_223_372_036_854_775_807))
    })
}

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("SDRP-STATUS-001", O::SetDataRetrievalPolicy),
    AcceptanceRule::general("SDRP-STRAT-001", O::SetDataRetrievalPolicy),
    AcceptanceRule::example("SDRP-BPH-003", O::SetDataRetrievalPolicy, is_extreme),
    AcceptanceRule::general("GDRP-STATUS-001", O::GetDataRetrievalPolicy),
    AcceptanceRule::general("LPC-STATUS-001", O::ListProvisionedCapacity),
];

fn accepts(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_acceptance(ACCEPTED, evidence, out);
}

const SET: &[O] = &[O::SetDataRetrievalPolicy];
const BAD: Demand = Demand::Status(&[400]);

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new("SDRP-STRAT-002", SET, &[Refusal::StrategyUnknown], BAD),
    RefusalRule::new("SDRP-BPH-001", SET, &[Refusal::BytesPerHourMissing], BAD),
    RefusalRule::new("SDRP-BPH-002", SET, &[Refusal::BytesPerHourUnexpected], BAD),
    RefusalRule::new("SDRP-RULES-001", SET, &[Refusal::RuleCountInvalid], BAD),
    RefusalRule::new(
        "SDRP-MISS-001",
        SET,
        &[Refusal::RetrievalPolicyMissing, Refusal::MemberOfWrongType],
        BAD,
    ),
];

/// Out of range is a SHOULD, no integer a rule of its own.
const OUT_OF_RANGE: &[RefusalRule] = &[RefusalRule::new(
    "SDRP-BPH-003",
    SET,
    &[Refusal::BytesPerHourInvalid],
    BAD,
)];
const NO_INTEGER: &[RefusalRule] = &[RefusalRule::new(
    "SDRP-MISS-001",
    SET,
    &[Refusal::BytesPerHourInvalid],
    BAD,
)];

fn refuses(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(REFUSED, evidence, out);
    let Some(now) = evidence.exchange() else {
        return;
    };
    if sends(now, is_integral) {
        judge_refusal_graded(Level::Should, OUT_OF_RANGE, evidence, out);
    } else {
        judge_refusal(NO_INTEGER, evidence, out);
    }
}

/// Whether `BytesPerHour` is written as an integer, however large.
fn is_integral(rule: &Value) -> bool {
    rule.get("BytesPerHour")
        .filter(|rate| rate.is_number())
        .is_some_and(|rate| {
            rate.to_string()
                .bytes()
                .all(|b| b == b'-' || b.is_ascii_digit())
        })
}

/// Requests to set the policy that were answered with this outcome, newest first.
fn settings(past: &[Observation], accepted: bool) -> impl Iterator<Item = &Observation> {
    past.iter().rev().filter(move |past| {
        past.operation == Some(O::SetDataRetrievalPolicy) && past.succeeded() == accepted
    })
}

fn same_rule(one: &Value, other: &Value) -> bool {
    strategy(one) == strategy(other) && bytes_per_hour(one) == bytes_per_hour(other)
}

fn tells(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::GetDataRetrievalPolicy) else {
        return;
    };
    let past = earlier(evidence);
    let Some(set) = settings(past, true).next() else {
        return;
    };
    if let Err(symptom) = told(now, "Policy") {
        return out.violated(
            "GDRP-STATUS-001",
            symptom,
            "Policy with one rule",
            shown(now),
        );
    }
    let Some(given) = now.document.as_deref().and_then(rule) else {
        let symptom = Symptom::new(
            "retrieval-policy-rules",
            "a retrieval policy is not told as one rule",
        );
        return out.violated(
            "GDRP-STATUS-001",
            symptom,
            "Policy.Rules with one rule",
            shown(now),
        );
    };
    out.held("GDRP-STATUS-001");
    let Some(document) = sent(set) else { return };
    let Some(expected) = rule(&document) else {
        return;
    };
    if same_rule(given, expected) {
        return told_rightly(set, past, expected, out);
    }
    let was_there = was_set_or_told(given, past.iter().filter(|seen| seen.index < set.index));
    let refused = settings(past, false).find(|past| {
        past.index > set.index && sends(past, |rule| strategy(rule) == strategy(given))
    });
    if refused.is_some() && !was_there {
        let symptom = Symptom::new(
            "refused-yet-done",
            "a refused request changes the retrieval policy",
        )
        .about("retrieval policy");
        return out.violated(
            "SDRP-ATOMIC-001",
            symptom,
            expected.to_string(),
            given.to_string(),
        );
    }
    // A few minutes are allowed, in which one of the policies before may be told: at once is a SHOULD.
    let waited = now.exchange().sent_at.0 - set.exchange().done_at.0;
    let invented = !was_there && is_known_from_the_start(past);
    let grade = if invented || waited > 5 * 60_000 {
        Level::Must
    } else {
        Level::Should
    };
    let symptom = Symptom::new(
        "retrieval-policy-not-told",
        "the retrieval policy is not the one that was set",
    );
    out.graded(
        "GDRP-ECHO-001",
        grade,
        symptom,
        expected.to_string(),
        given.to_string(),
    );
}

/// Whether a rule is among those that were set, or told, in these.
fn was_set_or_told<'a>(given: &Value, mut past: impl Iterator<Item = &'a Observation>) -> bool {
    past.any(|seen| {
        let told = seen.document.as_deref().and_then(rule);
        seen.succeeded()
            && (sends(seen, |rule| same_rule(rule, given))
                || told.is_some_and(|told| same_rule(told, given)))
    })
}

/// Whether the policy was told before any was set.
fn is_known_from_the_start(past: &[Observation]) -> bool {
    let first = past.iter().find(|seen| {
        seen.succeeded()
            && matches!(
                seen.operation,
                Some(O::SetDataRetrievalPolicy | O::GetDataRetrievalPolicy)
            )
    });
    first.is_some_and(|first| first.operation == Some(O::GetDataRetrievalPolicy))
}

fn told_rightly(set: &Observation, past: &[Observation], expected: &Value, out: &mut Judgements) {
    out.held("GDRP-ECHO-001");
    out.held("SDRP-STRAT-001");
    let differs = |refused: &Observation| {
        refused.index > set.index && !sends(refused, |rule| same_rule(rule, expected))
    };
    if settings(past, false).any(differs) {
        out.held("SDRP-ATOMIC-001");
    }
}

fn rate(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::GetDataRetrievalPolicy) else {
        return;
    };
    let Some(rule) = now.document.as_deref().and_then(rule) else {
        return;
    };
    let rate = rule.get("BytesPerHour").filter(|rate| !rate.is_null());
    let kept = match strategy(rule) {
        Some("BytesPerHour") => rate.is_some_and(Value::is_number),
        Some(_) => rate.is_none(),
        None => return,
    };
    let symptom = || {
        Symptom::new(
            "bytes-per-hour-told",
            "BytesPerHour does not go with the strategy BytesPerHour",
        )
    };
    out.judge(
        "GDRP-BPH-001",
        kept,
        symptom,
        "a number with BytesPerHour, else none",
        || rule.to_string(),
    );
}

/// Before any policy was set there is no limit. Only an account that this case alone uses can show that.
fn default(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::GetDataRetrievalPolicy) else {
        return;
    };
    if now.before.retrieval_policy.is_some() || settings(earlier(evidence), true).next().is_some() {
        return;
    }
    match now.document.as_deref().and_then(rule).and_then(strategy) {
        Some("None" | "FreeTier") => out.held("GDRP-DEF-001"),
        _ => out.inconclusive(
            "GDRP-DEF-001",
            "another policy may have been set before this run",
        ),
    }
}

/// The policy takes minutes to take effect, or none: reading it back at once must work either way.
fn scope(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::GetDataRetrievalPolicy))
    else {
        return;
    };
    if settings(earlier(evidence), true).next().is_some() {
        super::common::permitted("SDRP-SCOPE-001", now, "a retrieval policy just set", out);
    }
}

/// Units that a list shows as not expired.
fn active(list: &Observation) -> Option<usize> {
    let units = list.member("/ProvisionedCapacityList")?.as_array()?;
    let now = list.exchange().done_at;
    let expired = |unit: &&Value| date(unit, "ExpirationDate").is_some_and(|end| end < now);
    Some(units.len() - units.iter().filter(expired).count())
}

fn date(unit: &Value, member: &str) -> Option<Timestamp> {
    Timestamp::parse_utc(unit.get(member)?.as_str()?)
}

/// Units known just before this: those last listed and those bought since.
fn known_units(past: &[Observation]) -> Option<usize> {
    let list = past
        .iter()
        .rev()
        .find(|past| past.operation == Some(O::ListProvisionedCapacity) && past.succeeded())?;
    let since = past.iter().filter(|past| {
        past.index > list.index && past.operation == Some(O::PurchaseProvisionedCapacity)
    });
    Some(active(list)? + since.filter(|past| past.succeeded()).count())
}

/// Whether a purchase was accepted that the limit forbids, which is told where it was.
fn is_oversold(past: &[Observation]) -> bool {
    let over = |(place, seen): (usize, &Observation)| {
        let purchase = seen.operation == Some(O::PurchaseProvisionedCapacity) && seen.succeeded();
        purchase && known_units(&past[..place]).is_some_and(|units| units >= 2)
    };
    past.iter().enumerate().any(over)
}

const LIMIT: &[RefusalRule] = &[RefusalRule::new(
    "PPC-LIMIT-001",
    &[O::PurchaseProvisionedCapacity],
    &[Refusal::CapacityLimitExceeded],
    Demand::Answer(&[(400, "LimitExceededException")]),
)];

/// Two units at most. What other owners of the account bought is known from the list alone, so without one nothing is said.
fn purchase(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::PurchaseProvisionedCapacity))
    else {
        return;
    };
    match known_units(earlier(evidence)) {
        Some(0 | 1) => out.judge(
            "PPC-STATUS-001",
            now.status() == Some(201),
            || not_accepted(now),
            "201 with fewer than two units",
            || answer(now),
        ),
        Some(_) if now.succeeded() => {
            let symptom = not_refused(now, Refusal::CapacityLimitExceeded);
            out.violated(
                "PPC-LIMIT-001",
                symptom,
                "400 LimitExceededException with two units",
                answer(now),
            );
        }
        Some(_) => judge_refusal(LIMIT, evidence, out),
        None => {}
    }
}

fn unit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::PurchaseProvisionedCapacity) else {
        return;
    };
    let Some(id) = header(now, "x-amz-capacity-id").filter(|id| !id.is_empty()) else {
        let operation = "PurchaseProvisionedCapacity";
        let symptom = Symptom::new(
            "identifier-missing",
            format!("{operation} answers without x-amz-capacity-id"),
        )
        .about(operation);
        return out.violated(
            "PPC-STATUS-001",
            symptom,
            "a non-empty x-amz-capacity-id",
            "none",
        );
    };
    out.held("PPC-STATUS-001");
    let mut others = earlier(evidence)
        .iter()
        .filter(|past| past.operation == now.operation && past.succeeded())
        .peekable();
    if others.peek().is_some() {
        let symptom = || Symptom::new("capacity-id-repeated", "two units of capacity have one id");
        let is_new = others.all(|past| header(past, "x-amz-capacity-id") != Some(id));
        out.judge("PPC-ID-001", is_new, symptom, "an id of its own", || {
            id.to_owned()
        });
    }
}

fn units(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListProvisionedCapacity) else {
        return;
    };
    let expected = "ProvisionedCapacityList: an array of {CapacityId, StartDate, ExpirationDate}";
    let list = match told(now, "ProvisionedCapacityList") {
        Ok(list) => list,
        // Without units nothing but the inference speaks for an array.
        Err(symptom) if now.before.capacity.is_empty() => {
            return out.violated("LPC-EMPTY-001", symptom, "an empty array", shown(now));
        }
        Err(symptom) => return out.violated("LPC-STATUS-001", symptom, expected, shown(now)),
    };
    let text = |unit: &Value, name: &str| unit.get(name).is_some_and(Value::is_string);
    let whole = |unit: &Value| {
        ["CapacityId", "StartDate", "ExpirationDate"]
            .iter()
            .all(|name| text(unit, name))
    };
    let kept = list.as_array().is_some_and(|units| units.iter().all(whole));
    let symptom = || {
        Symptom::new(
            "capacity-list",
            "provisioned capacity is not told as documented",
        )
    };
    out.judge("LPC-STATUS-001", kept, symptom, expected, || shown(now));
    if let Some(units) = active(now).filter(|units| *units > 2 && !is_oversold(earlier(evidence))) {
        let symptom = Symptom::new(
            "refused-yet-done",
            "an account has more units of provisioned capacity than it was sold",
        );
        let symptom = symptom.about("provisioned capacity");
        out.violated(
            "PPC-LIMIT-001",
            symptom,
            "two active units at most",
            format!("{units} units"),
        );
    }
    if list.as_array().is_some_and(Vec::is_empty) {
        out.held("LPC-EMPTY-001");
    }
    let marker = now.member("/Marker");
    let symptom = || {
        Symptom::new(
            "capacity-paged",
            "the list of provisioned capacity has a marker",
        )
    };
    out.judge(
        "LPC-NOPAGE-001",
        marker.is_none(),
        symptom,
        "no Marker",
        || shown(now),
    );
}

/// Every unit bought in this case is in the list, from the time of its purchase.
fn bought(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListProvisionedCapacity) else {
        return;
    };
    let Some(units) = now
        .member("/ProvisionedCapacityList")
        .and_then(Value::as_array)
    else {
        return;
    };
    let ids: BTreeSet<&str> = units
        .iter()
        .filter_map(|unit| unit.get("CapacityId")?.as_str())
        .collect();
    let purchases = earlier(evidence)
        .iter()
        .filter(|past| past.operation == Some(O::PurchaseProvisionedCapacity) && past.succeeded());
    for purchase in purchases {
        let Some(id) = header(purchase, "x-amz-capacity-id").filter(|id| !id.is_empty()) else {
            continue;
        };
        let symptom = || Symptom::new("capacity-unlisted", "a unit that was bought is not listed");
        out.judge(
            "PPC-ID-001",
            ids.contains(id),
            symptom,
            format!("CapacityId {id}"),
            || shown(now),
        );
        let started = units
            .iter()
            .find(|unit| unit["CapacityId"] == id)
            .and_then(|unit| date(unit, "StartDate"));
        let answered = header(purchase, "date").and_then(Timestamp::parse_http);
        if let (Some(started), Some(answered)) = (started, answered) {
            let symptom = || {
                Symptom::new(
                    "capacity-start",
                    "a unit of capacity does not start when it is bought",
                )
            };
            let close = (started.0 - answered.0).abs() <= 5 * 60_000;
            out.judge(
                "LPC-DATE-003",
                close,
                symptom,
                format!("about {answered}"),
                || format!("StartDate {started}"),
            );
        }
    }
}

const DAY: i64 = 86_400_000;

fn term(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListProvisionedCapacity) else {
        return;
    };
    for unit in now
        .member("/ProvisionedCapacityList")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let (Some(start), Some(end)) = (date(unit, "StartDate"), date(unit, "ExpirationDate")) {
            judge_term(start, end, out);
        }
    }
}

fn judge_term(start: Timestamp, end: Timestamp, out: &mut Judgements) {
    let symptom = Symptom::new("capacity-term", "a unit of capacity does not last a month");
    let actual = format!("from {start} to {end}");
    let month_later = start.plus_month();
    let exactly = (end.0 - month_later.0).abs() <= 1000;
    if !(28 * DAY..=33 * DAY).contains(&(end.0 - start.0)) {
        return out.graded(
            "LPC-DATE-001",
            Level::Must,
            symptom,
            "28 to 33 days",
            actual,
        );
    }
    match start.iso()[8..10].parse::<u8>().unwrap_or_default() {
        31 => out.judge(
            "LPC-DATE-002",
            exactly,
            || symptom,
            format!("to {month_later}"),
            || actual,
        ),
        // Of the 29th and the 30th the documents say nothing.
        29 | 30 => out.held("LPC-DATE-001"),
        _ => out.judge(
            "LPC-DATE-001",
            exactly,
            || symptom,
            format!("to {month_later}, to the second"),
            || actual,
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as document};

    use super::super::by_hand::{Answer, Case, error, json, status};
    use super::*;

    const GET: &str = "GetDataRetrievalPolicy: {}";
    const LIST: &str = "ListProvisionedCapacity: {}";

    fn set(rule: &str) -> String {
        format!("SetDataRetrievalPolicy: {{body: {{Policy: {{Rules: [{rule}]}}}}}}")
    }

    fn told(rule: Value) -> Answer {
        json(200, document!({"Policy": {"Rules": [rule]}}))
    }

    #[test]
    fn the_policy_set_last_is_told_and_null_is_no_rate() {
        let case = Case::default().then(&set("{Strategy: FreeTier}"), status(204));
        let case = case.then(
            GET,
            told(document!({"Strategy": "FreeTier", "BytesPerHour": null})),
        );
        assert!(
            case.holds("GDRP-ECHO-001")
                && case.holds("GDRP-BPH-001")
                && case.holds("GDRP-STATUS-001")
        );
    }

    #[test]
    fn another_policy_at_once_is_expected_otherwise_and_tolerated() {
        let case = Case::default().then(&set("{Strategy: FreeTier}"), status(204));
        let case = case.then(GET, told(document!({"Strategy": "None"})));
        assert_eq!(
            case.breaks("GDRP-ECHO-001"),
            [("retrieval-policy-not-told", Level::Should)]
        );
    }

    #[test]
    fn a_policy_that_nobody_ever_set_is_told_by_no_right_server() {
        let case = |first: Value, then: Value| {
            let large = "{Strategy: BytesPerHour, BytesPerHour: 9223372036854775807}";
            let case = Case::default().then(GET, told(first));
            case.then(&set(large), status(204)).then(GET, told(then))
        };
        let rate = |rate: u64| document!({"Strategy": "BytesPerHour", "BytesPerHour": rate});
        let none = || document!({"Strategy": "None"});
        let invented = case(none(), rate(9_223_372_036_854_775_808)).breaks("GDRP-ECHO-001");
        assert_eq!(invented, [("retrieval-policy-not-told", Level::Must)]);
        let late = case(none(), none()).breaks("GDRP-ECHO-001");
        assert_eq!(late, [("retrieval-policy-not-told", Level::Should)]);
    }

    #[test]
    fn a_refused_policy_changes_nothing() {
        let case = |told_rule: Value| {
            let set_first = Case::default().then(
                &set("{Strategy: BytesPerHour, BytesPerHour: 1048576}"),
                status(204),
            );
            let refused = set_first.then(
                &set("{Strategy: None, BytesPerHour: 1}"),
                error(400, "InvalidParameterValueException"),
            );
            refused.then(GET, told(told_rule))
        };
        assert!(
            case(document!({"Strategy": "BytesPerHour", "BytesPerHour": 1048576}))
                .holds("SDRP-ATOMIC-001")
        );
        let changed = case(document!({"Strategy": "None"})).breaks("SDRP-ATOMIC-001");
        assert_eq!(changed, [("refused-yet-done", Level::Should)]);
    }

    #[test]
    fn a_rate_out_of_range_should_be_refused_and_one_in_range_must_be_taken() {
        let rate = |rate: &str, answer| {
            let rule = format!("{{Strategy: BytesPerHour, BytesPerHour: {rate}}}");
            Case::default().then(&set(&rule), answer)
        };
        assert_eq!(
            rate("0", status(204)).breaks("SDRP-BPH-003"),
            [("accepted", Level::Should)]
        );
        assert_eq!(
            rate("9223372036854775808", status(204)).breaks("SDRP-BPH-003"),
            [("accepted", Level::Should)]
        );
        let largest = rate(
            "9223372036854775807",
            error(400, "InvalidParameterValueException"),
        );
        assert_eq!(
            largest.breaks("SDRP-BPH-003"),
            [("refused-valid", Level::Must)]
        );
        assert_eq!(
            rate("1.5", status(204)).breaks("SDRP-MISS-001"),
            [("accepted", Level::Should)]
        );
        assert!(rate("1.5", status(204)).said("SDRP-BPH-003").is_empty());
    }

    fn unit(id: &str, start: &str, end: &str) -> Value {
        document!({"CapacityId": id, "StartDate": start, "ExpirationDate": end})
    }

    fn units(units: Vec<Value>) -> Answer {
        json(200, document!({"ProvisionedCapacityList": units}))
    }

    #[test]
    fn a_unit_lasts_a_month() {
        let lasting =
            |start: &str, end: &str| Case::default().then(LIST, units(vec![unit("a", start, end)]));
        // awscli's example.
        assert!(
            lasting("2020-02-18T19:59:24.912Z", "2020-03-18T19:59:24.000Z").holds("LPC-DATE-001")
        );
        let thirty_days =
            lasting("2020-01-18T00:00:00.000Z", "2020-02-17T00:00:00.000Z").breaks("LPC-DATE-001");
        assert_eq!(thirty_days, [("capacity-term", Level::Should)]);
        let day =
            lasting("2020-01-18T00:00:00.000Z", "2020-01-19T00:00:00.000Z").breaks("LPC-DATE-001");
        assert_eq!(day, [("capacity-term", Level::Must)]);
        // The last day of the next month (api-ListProvisionedCapacity).
        assert!(
            lasting("2019-08-31T10:00:00.000Z", "2019-09-30T10:00:00.000Z").holds("LPC-DATE-002")
        );
    }

    #[test]
    fn a_third_unit_is_refused_whoever_bought_the_others() {
        let held: Vec<Value> = ["a", "b"]
            .map(|id| unit(id, "2013-02-01T00:00:00.000Z", "2013-03-01T00:00:00.000Z"))
            .into();
        let bought = |answer| {
            Case::default()
                .then(LIST, units(held.clone()))
                .then("PurchaseProvisionedCapacity: {unit: c}", answer)
        };
        assert!(bought(error(400, "LimitExceededException")).holds("PPC-LIMIT-001"));
        let third = bought(status(201).with("x-amz-capacity-id", "c")).breaks("PPC-LIMIT-001");
        assert_eq!(third, [("accepted", Level::Must)]);
    }

    #[test]
    fn a_unit_that_was_refused_is_not_listed() {
        let held: Vec<Value> = ["a", "b", "c"]
            .map(|id| unit(id, "2013-02-01T00:00:00.000Z", "2013-03-01T00:00:00.000Z"))
            .into();
        let bought = |answer| {
            let case = Case::default().then(LIST, units(held[..2].to_vec()));
            let case = case.then("PurchaseProvisionedCapacity: {unit: c}", answer);
            case.then(LIST, units(held.clone()))
        };
        let refused = bought(error(400, "LimitExceededException"));
        assert_eq!(
            refused.breaks("PPC-LIMIT-001"),
            [("refused-yet-done", Level::Must)]
        );
        let sold = bought(status(201).with("x-amz-capacity-id", "c"));
        assert_eq!(sold.breaks("PPC-LIMIT-001"), [("accepted", Level::Must)]);
    }

    #[test]
    fn what_is_bought_is_listed() {
        let bought = |listed: Vec<Value>| {
            let case = Case::default().then(LIST, units(vec![]));
            case.then(
                "PurchaseProvisionedCapacity: {unit: a}",
                status(201).with("x-amz-capacity-id", "a"),
            )
            .then(LIST, units(listed))
        };
        let there = bought(vec![unit(
            "a",
            "2013-02-04T17:46:41.000Z",
            "2013-03-04T17:46:41.000Z",
        )]);
        assert!(there.holds("PPC-ID-001") && there.holds("LPC-DATE-003"));
        assert_eq!(
            bought(vec![]).breaks("PPC-ID-001"),
            [("capacity-unlisted", Level::Must)]
        );
    }
}
