//! The judge: replays the records of a case through the model and shows each piece of evidence to every check.

use std::ops::Range;
use std::sync::Arc;

use super::{Check, Evidence, Group, Judgement, Judgements, Observation, Outcome, Record};
use crate::model::{Expectation, Made, Model, Observed};
use crate::requirement::Registry;
use crate::scenario::{Action, PathForm};
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

/// How many orders of concurrent requests are tried in a case that breaks rules in each of them.
const TRIES: usize = 300;

/// Judges the records of one case, in order, from an empty model (or one that already knows account and region).
///
/// Operations that `spec` does not define are followed by the model and not judged.
pub fn judge(records: &[Record], spec: &Spec, start: &Model) -> Judged {
    let told = Telling {
        observations: Vec::new(),
        judgements: Vec::new(),
        model: Arc::new(start.clone()),
    };
    let blocked = records.iter();
    let blocked = blocked.filter_map(|record| Some((record.step, record.blocked.clone()?)));
    let told = follow(records, &runs(records), told, spec, &mut { TRIES });
    Judged {
        observations: told.observations,
        judgements: told.judgements,
        blocked: blocked.collect(),
    }
}

/// Follows runs to the end of the case. Where requests were concurrent, what comes later may show in which order they took effect:
/// a rule is broken when no order keeps it, so that the order that breaks fewest rules in the whole case is the one that is told.
fn follow(
    records: &[Record],
    runs: &[Range<usize>],
    mut told: Telling,
    spec: &Spec,
    tries: &mut usize,
) -> Telling {
    for (place, run) in runs.iter().enumerate() {
        let orders = possible_orders(records, run.clone(), &told.model);
        let [order] = &orders[..] else {
            return most_lenient(&orders, told.violations(), |order| {
                *tries = tries.saturating_sub(1);
                let mut branch = told.clone();
                branch.go_on(records, order, spec);
                let whole = follow(records, &runs[place + 1..], branch, spec, tries);
                (whole, *tries > 0)
            });
        };
        told.go_on(records, order, spec);
    }
    told.end();
    told
}

/// The telling of the first order that breaks no more rules than were broken before; else of the one that breaks fewest.
fn most_lenient(
    orders: &[Vec<usize>],
    unavoidable: usize,
    mut tell: impl FnMut(&[usize]) -> (Telling, bool),
) -> Telling {
    let (mut best, mut go_on) = tell(&orders[0]);
    for order in &orders[1..] {
        if best.violations() <= unavoidable || !go_on {
            break;
        }
        let other;
        (other, go_on) = tell(order);
        if other.violations() < best.violations() {
            best = other;
        }
    }
    best
}

/// Neighbouring records that belong to one group of one step.
fn runs(records: &[Record]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
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

/// What is to be said of the records so far, if concurrent ones took effect in a certain order.
#[derive(Clone)]
struct Telling {
    observations: Vec<Observation>,
    judgements: Vec<Judgement>,
    model: Arc<Model>,
}

impl Telling {
    /// Takes in the requests of a run in an order.
    fn go_on(&mut self, records: &[Record], order: &[usize], spec: &Spec) {
        let first = self.observations.len();
        let model = &mut self.model;
        let seen = order
            .iter()
            .filter_map(|&index| observe(index, &records[index], model));
        self.observations.extend(seen);
        // What took effect before another is earlier than that, whichever was sent first.
        self.judgements
            .extend(judge_each(&self.observations, first, spec));
        self.observations[first..].sort_by_key(|observation| observation.index);
        if let Some(last) = order.iter().max() {
            let members = &self.observations[first..];
            self.judgements
                .extend(judge_group(members, &records[*last], spec));
        }
    }

    /// Judges the case as a whole.
    fn end(&mut self) {
        let evidence = Evidence::Case {
            all: &self.observations,
        };
        self.judgements.extend(show(&evidence, None, Vec::new()));
    }

    fn violations(&self) -> usize {
        let violated =
            |judgement: &&Judgement| matches!(judgement.outcome, Outcome::Violated { .. });
        self.judgements.iter().filter(violated).count()
    }
}

/// The orders in which concurrent requests can have taken effect: those that the model allows, else that of completion.
/// What ended before another began comes before it. What surrounds others ends after them, so that of its orders the first that is allowed stands alone.
fn possible_orders(records: &[Record], run: Range<usize>, model: &Arc<Model>) -> Vec<Vec<usize>> {
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
    let mut search = Search {
        records,
        effort: EFFORT,
        found: Vec::new(),
    };
    search.go_on(&mut Vec::new(), &order, model);
    let mut possible = search.found;
    if records[run.start].group == Some(Group::During) {
        possible.truncate(1);
    }
    if possible.is_empty() {
        possible.push(order);
    }
    possible
}

/// How many orders are looked for: five concurrent requests have as many.
const ORDERS: usize = 120;
/// How many requests are taken in for that.
const EFFORT: usize = 2000;

/// Looks for orders that the model allows, those that begin like the given one first.
struct Search<'a> {
    records: &'a [Record],
    effort: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn go_on(&mut self, order: &mut Vec<usize>, rest: &[usize], model: &Arc<Model>) {
        if rest.is_empty() {
            return self.found.push(order.clone());
        }
        for &next in rest {
            if self.found.len() == ORDERS || self.effort == 0 {
                return;
            }
            if self.is_too_early(next, rest) {
                continue;
            }
            self.effort -= 1;
            let mut model = Arc::clone(model);
            let seen = observe(next, &self.records[next], &mut model);
            if seen.is_none_or(|seen| allows(&seen)) {
                let rest: Vec<usize> = rest.iter().copied().filter(|it| *it != next).collect();
                order.push(next);
                self.go_on(order, &rest, &model);
                order.pop();
            }
        }
    }

    /// Whether another request that is still to come had ended when this one began.
    fn is_too_early(&self, next: usize, rest: &[usize]) -> bool {
        let exchange = |index: usize| self.records[index].exchange.as_ref();
        exchange(next).is_some_and(|next| {
            let mut others = rest.iter().filter_map(|&other| exchange(other));
            others.any(|other| other.done_at < next.sent_at)
        })
    }
}

fn allows(seen: &Observation) -> bool {
    use crate::model::Expectation as E;
    match &seen.expectation {
        E::Accept => seen.succeeded(),
        E::Refuse(_) => !seen.succeeded(),
        E::Either(_) | E::Silent | E::Blocked(_) => true,
    }
}

fn observe(index: usize, record: &Record, model: &mut Arc<Model>) -> Option<Observation> {
    let exchange = record.exchange.as_ref()?;
    let observed = observed(record, exchange);
    let before = Arc::clone(model);
    let expectation = match may_be_done_already(record, exchange) {
        true => Expectation::Blocked("an earlier try of it may have taken effect".to_owned()),
        false => before.expect(&record.action, &record.tweak, exchange.sent_at),
    };
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

/// Whether a deletion finds nothing that was sent again after a connection was closed under it.
fn may_be_done_already(record: &Record, exchange: &Exchange) -> bool {
    let deletes = matches!(
        record.action,
        Action::DeleteVault { .. }
            | Action::DeleteArchive { .. }
            | Action::AbortMultipartUpload { .. }
            | Action::AbortVaultLock { .. }
            | Action::DeleteVaultAccessPolicy { .. }
            | Action::DeleteVaultNotifications { .. }
    );
    let response = exchange.reply.response();
    deletes
        && exchange.retried.contains(&0)
        && response.is_some_and(|response| response.status == 404)
}

/// The operation a record asks for; none when its method was replaced, or the Location it went to does not name what was made.
fn operation(record: &Record) -> Option<OperationName> {
    record
        .action
        .operation()
        .filter(|_| record.tweak.method.is_none() && !is_astray(record))
}

/// Whether a request went to a Location that leads to another operation, or names nothing that was made: an answer from there tells
/// nothing of the operation.
fn is_astray(record: &Record) -> bool {
    let leads_there = |exchange: &Exchange| {
        let request = &exchange.request;
        let is_named = |id: &String| request.path.contains(id);
        match Spec::builtin().match_route(&request.method, &request.path, &request.query) {
            Some((found, _)) => Some(found.name) == record.action.operation(),
            None => made_inside(record).any(is_named),
        }
    };
    record.tweak.path == Some(PathForm::Location)
        && !record.exchange.as_ref().is_none_or(leads_there)
}

/// The ids of what was made in vaults.
fn made_inside(record: &Record) -> impl Iterator<Item = &String> {
    let inside = |name: &str| {
        ["archive:", "upload:", "job:"]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    let made = record.bindings.iter();
    made.filter(move |(name, _)| inside(name)).map(|(_, id)| id)
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

/// Judges requests one by one, from the first of a run on.
fn judge_each(observations: &[Observation], first: usize, spec: &Spec) -> Vec<Judgement> {
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
    said
}

/// Judges requests that belong together, `last` the last of them.
fn judge_group(members: &[Observation], last: &Record, spec: &Spec) -> Vec<Judgement> {
    let Some(group) = last.group.filter(|_| !members.is_empty()) else {
        return Vec::new();
    };
    let operation = last.action.operation();
    if operation.is_some_and(|name| !spec.operations.contains_key(&name)) {
        return Vec::new();
    }
    let indices = members.iter().map(|member| member.index).collect();
    let evidence = Evidence::Group {
        group,
        members,
        ended: last.blocked.as_deref(),
    };
    show(&evidence, operation, indices)
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
    let own_level = |requirement: &str| Registry::builtin().level(requirement);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::by_hand::{Answer, Case, error, json, status};

    fn breaks(case: &Case, requirement: &str) -> bool {
        !case.breaks(requirement).is_empty()
    }

    fn not_found(message: &str) -> Answer {
        let document = serde_json::json!({"code": "ResourceNotFoundException", "type": "Client", "message": message});
        json(404, document)
    }

    #[test]
    fn a_deletion_that_was_sent_again_may_find_nothing() {
        let upload = "InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}";
        let aborted = |answer: Answer| {
            let begun = status(201).with("x-amz-multipart-upload-id", "an-upload");
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .then(upload, begun)
                .then("AbortMultipartUpload: {vault: v, upload: u}", answer)
        };
        let gone = || aborted(not_found("no such upload"));
        assert!(breaks(&gone(), "AMU-STATUS-001"));
        assert!(!breaks(&gone().sent_again(), "AMU-STATUS-001"));
        let failed = aborted(error(400, "InvalidParameterValueException")).sent_again();
        assert!(breaks(&failed, "AMU-STATUS-001"));
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
    fn what_comes_later_shows_in_which_order_concurrent_requests_took_effect() {
        let stored = || {
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .then(
                    "UploadArchive: {vault: v, archive: a, content: {text: abc}}",
                    status(201).with("x-amz-archive-id", "A"),
                )
        };
        let delete = ("DeleteArchive: {vault: v, archive: a}", status(204));
        let begin = (
            "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}",
            status(202).with("x-amz-job-id", "J"),
        );
        let succeeded = |case: Case| {
            let job =
                serde_json::json!({"JobId": "J", "Completed": true, "StatusCode": "Succeeded"});
            case.then("DescribeJob: {vault: v, job: j}", json(200, job))
        };
        let at_once = stored().together(Group::Together, vec![delete.clone(), begin.clone()]);
        assert!(!breaks(&succeeded(at_once), "DA-EFFECT-001"));
        let one_by_one = stored().then(delete.0, delete.1).then(begin.0, begin.1);
        assert!(breaks(&succeeded(one_by_one), "DA-EFFECT-001"));
    }

    #[test]
    fn of_many_concurrent_requests_one_can_have_come_last_that_ended_first() {
        let adds: Vec<String> = (0..6)
            .map(|add| {
                let tags: Vec<String> = (0..10).map(|n| format!("k{add}{n}: v")).collect();
                format!(
                    "AddTagsToVault: {{vault: v, body: {{Tags: {{{}}}}}}}",
                    tags.join(", ")
                )
            })
            .collect();
        let told = |accepted: usize| {
            let answer = |place| match place + accepted < adds.len() {
                true => error(400, "LimitExceededException"),
                false => status(204),
            };
            let steps = adds.iter().enumerate();
            let steps = steps.map(|(place, add)| (add.as_str(), answer(place)));
            let case = Case::default().then("CreateVault: {vault: v}", status(201));
            case.together(Group::Together, steps.collect())
        };
        assert!(!breaks(&told(5), "ATV-LIMIT-010"));
        assert!(breaks(&told(0), "ATV-LIMIT-010"));
        assert!(breaks(&told(6), "ATV-LIMIT-002"));
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
