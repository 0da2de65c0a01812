//! The judge: replays the records of a case through the model and shows each piece of evidence to every check.

use std::sync::Arc;

use super::{Check, Evidence, Group, Judgement, Judgements, Observation, Outcome, Record};
use crate::model::{Made, Model, Observed};
use crate::requirement::{Level, Registry};
use crate::scenario::Action;
use crate::spec::{OperationName, Spec};
use crate::wire::{Exchange, Framing, Response};

/// A case, judged.
#[derive(Debug, Default)]
pub struct Judged {
    /// Every exchange with what was expected of it.
    pub observations: Vec<Observation>,
    /// Every judgement.
    pub judgements: Vec<Judgement>,
    /// What could not be sent, and why, by step.
    pub blocked: Vec<(usize, String)>,
}

/// Judges the records of one case, in order, from an empty model (or one that already knows account and region).
///
/// Operations that `spec` does not define are followed by the model and not judged.
pub fn judge(records: &[Record], spec: &Spec, start: &Model) -> Judged {
    let mut judged = Judged::default();
    let mut model = Arc::new(start.clone());
    for run in runs(records) {
        judged.blocked.extend(
            records[run.clone()]
                .iter()
                .filter_map(|r| Some((r.step, r.blocked.clone()?))),
        );
        let first = judged.observations.len();
        let mut most_lenient: Option<Telling> = None;
        // A rule is broken by concurrent requests when no order in which they can have taken effect keeps it.
        for order in possible_orders(records, run.clone(), &model) {
            let telling = tell(records, &order, &mut judged.observations, &model, spec);
            if most_lenient
                .as_ref()
                .is_none_or(|best| telling.violations < best.violations)
            {
                most_lenient = Some(telling);
            }
            if most_lenient
                .as_ref()
                .is_some_and(|best| best.violations == 0)
            {
                break;
            }
        }
        if let Some(best) = most_lenient {
            judged.observations.truncate(first);
            judged.observations.extend(best.observations);
            judged.judgements.extend(best.judgements);
            model = best.model;
        }
    }
    let evidence = Evidence::Case {
        all: &judged.observations,
    };
    let said = show(&evidence, None, Vec::new());
    judged.judgements.extend(said);
    judged
}

/// Neighbouring records that belong to one group of one step.
fn runs(records: &[Record]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, record) in records.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if record.group.is_some() && records[run.start].step == record.step => {
                run.end = index + 1;
            }
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

/// What is to be said of a run if its requests took effect in one order.
struct Telling {
    observations: Vec<Observation>,
    judgements: Vec<Judgement>,
    violations: usize,
    model: Arc<Model>,
}

/// Follows the requests of a run in an order, after those observed before.
fn tell(
    records: &[Record],
    order: &[usize],
    observations: &mut Vec<Observation>,
    model: &Arc<Model>,
    spec: &Spec,
) -> Telling {
    let first = observations.len();
    let mut model = Arc::clone(model);
    let seen = order
        .iter()
        .filter_map(|&index| observe(index, &records[index], &mut model));
    observations.extend(seen);
    observations[first..].sort_by_key(|observation| observation.index);
    let last = order.iter().max().map(|&index| &records[index]);
    let judgements = judge_run(observations, first, last, spec);
    let violated = |judgement: &&Judgement| matches!(judgement.outcome, Outcome::Violated { .. });
    Telling {
        observations: observations.split_off(first),
        violations: judgements.iter().filter(violated).count(),
        judgements,
        model,
    }
}

/// The orders in which concurrent requests can have taken effect: those that the model allows, else that of completion.
/// What surrounds others ends after them, so that of its orders the first that is allowed stands alone.
fn possible_orders(
    records: &[Record],
    run: std::ops::Range<usize>,
    model: &Arc<Model>,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = run.clone().collect();
    let concurrent = matches!(
        records[run.start].group,
        Some(Group::Together | Group::During)
    );
    if !concurrent {
        return vec![order];
    }
    order.sort_by_key(|&index| {
        records[index]
            .exchange
            .as_ref()
            .map(|exchange| exchange.done_at)
    });
    let allowed = |order: &[usize]| {
        let mut model = Arc::clone(model);
        order.iter().all(|&index| {
            observe(index, &records[index], &mut model).is_none_or(|seen| allows(&seen))
        })
    };
    // Five concurrent requests have 120 orders; beyond that the order of completion stands alone.
    let mut possible = match order.len() {
        ..=5 => permutations(&order),
        _ => Vec::new(),
    };
    possible.retain(|candidate| allowed(candidate));
    if records[run.start].group == Some(Group::During) {
        possible.truncate(1);
    }
    if possible.is_empty() {
        possible.push(order);
    }
    possible
}

fn allows(seen: &Observation) -> bool {
    use crate::model::Expectation as E;
    match &seen.expectation {
        E::Accept => seen.succeeded(),
        E::Refuse(_) => !seen.succeeded(),
        E::Either(_) | E::Silent | E::Blocked(_) => true,
    }
}

/// All orders, that of the input first.
fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.len() <= 1 {
        return vec![items.to_vec()];
    }
    let mut all = Vec::new();
    for (place, &head) in items.iter().enumerate() {
        let rest: Vec<usize> = items
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != place)
            .map(|(_, v)| *v)
            .collect();
        all.extend(
            permutations(&rest)
                .into_iter()
                .map(|tail| [vec![head], tail].concat()),
        );
    }
    all
}

fn observe(index: usize, record: &Record, model: &mut Arc<Model>) -> Option<Observation> {
    let exchange = record.exchange.as_ref()?;
    let observed = observed(record, exchange);
    let before = Arc::clone(model);
    let expectation = before.expect(&record.action, &record.tweak, exchange.sent_at);
    Arc::make_mut(model).observe(&record.action, &record.tweak, &expectation, &observed);
    Some(Observation {
        index,
        record: record.clone(),
        operation: operation(record),
        expectation,
        before,
        after: Arc::clone(model),
        document: observed.document,
    })
}

/// The operation a record asks for; none when its method was replaced.
fn operation(record: &Record) -> Option<OperationName> {
    record
        .action
        .operation()
        .filter(|_| record.tweak.method.is_none())
}

fn observed(record: &Record, exchange: &Exchange) -> Observed {
    let response = exchange.reply.response();
    Observed {
        accepted: response.is_some_and(Response::is_success),
        status: response.map_or(0, |response| response.status),
        made: response
            .filter(|response| response.is_success())
            .and_then(|response| made(&record.action, record, response)),
        sent_at: exchange.sent_at,
        done_at: exchange.done_at,
        document: response
            .and_then(|response| response.body.json())
            .map(Arc::new),
        bindings: Arc::clone(&record.bindings),
    }
}

fn made(action: &Action, record: &Record, response: &Response) -> Option<Made> {
    let header = match action {
        Action::CreateVault { vault, .. } => {
            let id = record.bindings.get(&format!("vault:{vault}"))?.clone();
            return Some(Made {
                id,
                location: response.headers.value("location").map(str::to_owned),
            });
        }
        Action::UploadArchive { .. } | Action::CompleteMultipartUpload { .. } => "x-amz-archive-id",
        Action::InitiateMultipartUpload { .. } => "x-amz-multipart-upload-id",
        Action::InitiateJob { .. } => "x-amz-job-id",
        Action::InitiateVaultLock { .. } => "x-amz-lock-id",
        Action::PurchaseProvisionedCapacity { .. } => "x-amz-capacity-id",
        _ => return None,
    };
    let id = response
        .headers
        .value(header)
        .filter(|id| !id.is_empty())?
        .to_owned();
    Some(Made {
        id,
        location: response.headers.value("location").map(str::to_owned),
    })
}

fn judge_run(
    observations: &[Observation],
    first: usize,
    last: Option<&Record>,
    spec: &Spec,
) -> Vec<Judgement> {
    let mut said = Vec::new();
    for place in first..observations.len() {
        let (earlier, rest) = observations.split_at(place);
        let now = &rest[0];
        let definition = now.operation.and_then(|name| spec.operations.get(&name));
        let undefined = now.operation.is_some() && definition.is_none();
        if undefined || is_damaged(now) {
            continue;
        }
        said.extend(show(
            &Evidence::Exchange {
                now,
                earlier,
                definition,
            },
            now.operation,
            vec![now.index],
        ));
    }
    let members = &observations[first..];
    if let Some((group, name)) =
        last.and_then(|record| Some((record.group?, record.action.operation())))
        && !members.is_empty()
        && name.is_none_or(|name| spec.operations.contains_key(&name))
    {
        let ended = last.and_then(|record| record.blocked.as_deref());
        let indices = members.iter().map(|member| member.index).collect();
        said.extend(show(
            &Evidence::Group {
                group,
                members,
                ended,
            },
            name,
            indices,
        ));
    }
    said
}

/// Whether a request came to the server as another than its action says, so that no answer is wrong by what was asked for.
fn is_damaged(now: &Observation) -> bool {
    matches!(
        now.record.tweak.framing,
        Framing::Half | Framing::Garbled(_)
    )
}

fn show(
    evidence: &Evidence<'_>,
    operation: Option<OperationName>,
    records: Vec<usize>,
) -> Vec<Judgement> {
    super::all()
        .flat_map(|check| ask(check, evidence, operation, records.clone()))
        .collect()
}

fn ask(
    check: &Check,
    evidence: &Evidence<'_>,
    operation: Option<OperationName>,
    records: Vec<usize>,
) -> Vec<Judgement> {
    let mut judgements = Judgements::new(check.id, operation, records, own_level);
    (check.judge)(evidence, &mut judgements);
    let said = judgements.into_inner();
    debug_assert!(
        said.iter()
            .all(|judgement| check.requirements.contains(&judgement.requirement.as_str())),
        "{} judges what it does not cite",
        check.id
    );
    said
}

fn own_level(requirement: &str) -> Level {
    Registry::builtin()
        .get(requirement)
        .map_or(Level::May, |known| known.level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::by_hand::{Answer, Case, json, status};

    fn breaks(case: &Case, requirement: &str) -> bool {
        !case.breaks(requirement).is_empty()
    }

    fn not_found(message: &str) -> Answer {
        let document = serde_json::json!({"code": "ResourceNotFoundException", "type": "Client", "message": message});
        json(404, document)
    }

    #[test]
    fn of_two_reasons_to_refuse_a_concurrent_request_either_may_be_told() {
        let begin =
            "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: gone}}";
        let told = |message: &str| {
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .together(
                    Group::Together,
                    vec![
                        ("DeleteVault: {vault: v}", status(204)),
                        (begin, not_found(message)),
                    ],
                )
        };
        let other = "The archive ID was not found: gone";
        assert!(!breaks(&told(other), "COM-ERR-012"));
        let alone = Case::default().then(begin, not_found(other));
        assert!(breaks(&alone, "COM-ERR-012"));
    }

    #[test]
    fn what_a_server_makes_of_a_damaged_request_breaks_no_rule() {
        let describe = |but: &str| {
            let step = format!("{{DescribeVault: {{vault: v}}{but}}}");
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .then(&step, status(431))
        };
        assert!(breaks(&describe(""), "DSV-STATUS-001"));
        let damaged = describe(", but: {framing: {garbled: 7}}");
        assert!(!breaks(&damaged, "DSV-STATUS-001"));
    }
}
