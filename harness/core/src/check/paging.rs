//! Lists in pages: limits, markers, and that a walk sees everything once.
//!
//! What a vault holds is known: it belongs to the case. Other vaults of the account may come and go, so only those of the case count.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::{Demand, RefusalRule, answer, judge_refusal};
use super::subject::{
    is_first_page, items, limit_sent, marker_given, page, succeeded_rightly, vault,
};
use super::{Check, Evidence, Group, Judgements, Observation, Symptom};
use crate::model::{Life, Model, Refusal};
use crate::requirement::Level;
use crate::scenario::{Action, Marker};
use crate::spec::OperationName as O;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "page-limit",
        requirements: &["COM-PAGE-004", "COM-PAGE-006"],
        judge: limits,
    },
    Check {
        id: "page-marker",
        requirements: &[
            "COM-PAGE-001",
            "COM-PAGE-002",
            "COM-PAGE-009",
            "COM-PAGE-010",
        ],
        judge: first_page,
    },
    Check {
        id: "page-empty",
        requirements: &["COM-PAGE-008"],
        judge: empty,
    },
    Check {
        id: "page-walk",
        requirements: &[
            "COM-PAGE-001",
            "COM-PAGE-002",
            "COM-PAGE-003",
            "COM-PAGE-009",
        ],
        judge: walk,
    },
    Check {
        id: "page-limit-invalid",
        requirements: &["COM-PAGE-005"],
        judge: limit_invalid,
    },
    Check {
        id: "page-marker-unknown",
        requirements: &["COM-PAGE-007"],
        judge: marker_unknown,
    },
];

/// One of the four lists.
struct List {
    /// Where its items are.
    member: &'static str,
    /// The member of an item that tells it from others.
    key: &'static str,
    /// The most items of a page.
    maximum: usize,
    /// How firmly the maximum stands.
    grade: Level,
}

fn list(operation: Option<O>) -> Option<List> {
    let list = |member, key, maximum, grade| {
        Some(List {
            member,
            key,
            maximum,
            grade,
        })
    };
    match operation? {
        O::ListVaults => list("VaultList", "VaultName", 10, Level::Must),
        O::ListJobs => list("JobList", "JobId", 50, Level::Must),
        O::ListParts => list("Parts", "RangeInBytes", 50, Level::Should),
        O::ListMultipartUploads => list("UploadsList", "MultipartUploadId", 50, Level::Should),
        _ => None,
    }
}

/// A page that came.
struct Page<'a> {
    now: &'a Observation,
    list: List,
    items: &'a [Value],
}

impl<'a> Page<'a> {
    fn of(now: &'a Observation) -> Option<Self> {
        let list = list(now.operation).filter(|_| succeeded_rightly(now))?;
        let items = items(now, list.member)?;
        Some(Self { now, list, items })
    }

    /// What tells the items apart. A range is read leniently: its form is for a rule of its own (LP-PARTS-001).
    fn keys(&self) -> impl Iterator<Item = &'a str> {
        let key = self.list.key;
        self.items
            .iter()
            .filter_map(move |item| item.get(key)?.as_str())
            .map(move |text| match key {
                "RangeInBytes" => range_text(text),
                _ => text,
            })
    }

    /// The marker: a text that is not empty.
    fn marker(&self) -> Option<&'a str> {
        marker_given(self.now)
    }

    /// What `Marker` is when it is neither null nor absent.
    fn promise(&self) -> Option<String> {
        self.now.member("/Marker").map(super::shape::brief)
    }
}

fn range_text(text: &str) -> &str {
    let range = text.strip_prefix("bytes ").unwrap_or(text);
    range.split_once('/').map_or(range, |(range, _)| range)
}

/// The keys of what a list must show, as the model remembers it; `None` where that is not known.
fn known(model: &Model, now: &Observation) -> Option<BTreeSet<String>> {
    match now.action() {
        Action::ListVaults { .. } => {
            let live = model
                .vaults
                .values()
                .filter(|vault| vault.life == Life::Live);
            Some(live.map(|vault| vault.name.clone()).collect())
        }
        Action::ListJobs {
            completed: None,
            statuscode: None,
            ..
        } => {
            let vault = vault(model, now.action())?;
            Some(vault.jobs.values().map(|job| job.id.clone()).collect())
        }
        Action::ListMultipartUploads { .. } => {
            let uploads = vault(model, now.action())?.uploads.values();
            let certain = uploads.clone().all(|upload| upload.life != Life::Doubtful);
            certain.then(|| {
                uploads
                    .filter(|upload| upload.life == Life::Live)
                    .map(|upload| upload.id.clone())
                    .collect()
            })
        }
        Action::ListParts { .. } => {
            let parts = super::subject::upload(model, now.action())?.parts.values();
            parts
                .clone()
                .all(|part| part.certain)
                .then(|| parts.map(|part| part.range.to_string()).collect())
        }
        _ => None,
    }
}

/// Whether the whole collection is the case's own.
fn is_own(now: &Observation) -> bool {
    now.operation != Some(O::ListVaults)
}

fn limits(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let Some(limit) = limit_sent(now).filter(|limit| *limit > 0) else {
        return;
    };
    let Some(page) = Page::of(now) else {
        let above = list(now.operation).is_some_and(|list| limit > list.maximum as u64);
        if above && now.status() == Some(400) {
            out.held("COM-PAGE-006");
        }
        return;
    };
    let count = page.items.len();
    let actual = || format!("{count} items");
    if limit <= page.list.maximum as u64 {
        return out.judge(
            "COM-PAGE-004",
            count as u64 <= limit,
            || too_large(now),
            format!("at most {limit} items"),
            actual,
        );
    }
    let more_exist = known(&now.before, now).is_some_and(|known| known.len() > page.list.maximum);
    if count > page.list.maximum {
        out.graded(
            "COM-PAGE-006",
            page.list.grade,
            too_large(now),
            format!("at most {} items", page.list.maximum),
            actual(),
        );
    } else if more_exist {
        out.held("COM-PAGE-006");
    }
}

fn marker_without_more() -> Symptom {
    Symptom::new("marker-without-more", "the last page has a marker")
}

/// The symptom of a page above its limit.
pub(super) fn too_large(now: &Observation) -> Symptom {
    Symptom::new("page-too-large", "a list is not cut at its limit").about(operation(now))
}

fn operation(now: &Observation) -> &'static str {
    now.operation.map_or("", O::as_str)
}

/// The symptom of a page that leaves items out and does not say so.
fn marker_missing(now: &Observation) -> Symptom {
    Symptom::new(
        "marker-missing",
        "a page that leaves items out has no Marker",
    )
    .about(operation(now))
}

fn first_page(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(page) = evidence
        .exchange()
        .filter(|now| is_first_page(now))
        .and_then(Page::of)
    else {
        return;
    };
    let Some(known) = known(&page.now.before, page.now) else {
        return;
    };
    let shown: BTreeSet<&str> = page.keys().collect();
    let left_out = known
        .iter()
        .filter(|key| !shown.contains(key.as_str()))
        .count();
    if left_out > 0 {
        more_exist(&page, &known, left_out, out);
    } else if is_own(page.now) && page.items.len() == known.len() {
        no_more_exist(&page, out);
    }
    if !is_own(page.now) || page.now.operation == Some(O::ListJobs) || known.len() <= 50 {
        return;
    }
    let kept = page.items.len() <= 1000 && (left_out == 0 || page.marker().is_some());
    out.judge(
        "COM-PAGE-010",
        kept,
        || marker_missing(page.now),
        "all items, or a marker to the rest",
        || {
            format!(
                "{} of {} items, Marker {}",
                page.items.len(),
                known.len(),
                page.promise().unwrap_or("null".to_owned())
            )
        },
    );
}

fn more_exist(page: &Page<'_>, known: &BTreeSet<String>, left_out: usize, out: &mut Judgements) {
    // A page with room to spare that leaves items out has lost them: that is for the walk, and for what made them.
    let room =
        limit_sent(page.now).map_or(page.list.maximum, |limit| limit as usize) > page.items.len();
    if room && page.marker().is_none() {
        return;
    }
    out.judge(
        "COM-PAGE-002",
        page.marker().is_some(),
        || marker_missing(page.now),
        "a Marker that is a non-empty string",
        || {
            let marker = page.promise().unwrap_or("null".to_owned());
            format!(
                "Marker {marker} with {left_out} of {} items left out",
                known.len()
            )
        },
    );
}

fn no_more_exist(page: &Page<'_>, out: &mut Judgements) {
    let exactly_full = limit_sent(page.now) == Some(page.items.len() as u64);
    let requirements: &[&str] = if exactly_full {
        &["COM-PAGE-001", "COM-PAGE-009"]
    } else {
        &["COM-PAGE-001"]
    };
    for requirement in requirements {
        out.judge(
            requirement,
            page.promise().is_none(),
            marker_without_more,
            "Marker null",
            || format!("Marker {}", page.promise().unwrap_or_default()),
        );
    }
}

fn empty(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| is_own(now) && is_first_page(now) && succeeded_rightly(now))
    else {
        return;
    };
    let Some(list) = list(now.operation) else {
        return;
    };
    if now.document.is_none() || known(&now.before, now).is_none_or(|known| !known.is_empty()) {
        return;
    }
    let pointer = format!("/{}", list.member);
    let symptom = match now.member(&pointer) {
        // What is listed although it does not exist is a matter of that list.
        Some(Value::Array(items)) if !items.is_empty() => return,
        Some(Value::Array(_)) if now.member("/Marker").is_none() => {
            return out.held("COM-PAGE-008");
        }
        Some(Value::Array(_)) => marker_without_more(),
        _ => Symptom::new("empty-list", "an empty collection is no empty array"),
    };
    let actual = super::shape::brief(now.document.as_deref().unwrap_or(&Value::Null));
    out.violated(
        "COM-PAGE-008",
        symptom,
        format!("{}: [] and Marker null", list.member),
        actual,
    );
}

fn walk(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Group {
        group: Group::Walk,
        members,
        ended,
    } = evidence
    else {
        return;
    };
    let (Some(first), Some(last)) = (members.first(), members.last()) else {
        return;
    };
    let pages: Vec<Page<'_>> = members.iter().filter_map(Page::of).collect();
    if pages.len() < members.len() {
        return broken_walk(&pages, last, out);
    }
    if let Some((symptom, item)) = repeated(&pages) {
        if symptom.id == "walk-repeats" && may_have_moved(item, &pages) {
            return out.inconclusive("COM-PAGE-003", SHARED);
        }
        let actual = format!(
            "{} items on {} pages, some of them twice",
            total(&pages),
            pages.len()
        );
        return out.violated("COM-PAGE-003", symptom, "every item once", actual);
    }
    if let Some(reason) = ended {
        return out.inconclusive("COM-PAGE-003", *reason);
    }
    continuation(&pages, out);
    end(&pages, out);
    completeness(&pages, first, last, out);
}

const SHARED: &str = "other vaults of the account may have come and gone during the walk";

/// Whether a walk met vaults before an item that are not of this case: others may make and delete them meanwhile, and with a marker
/// that counts, what comes after them moves.
fn may_have_moved(item: &str, pages: &[Page<'_>]) -> bool {
    let foreign = |page: &Page<'_>| {
        let own = known(&page.now.after, page.now).unwrap_or_default();
        !is_own(page.now) && page.keys().any(|key| key < item && !own.contains(key))
    };
    pages.iter().any(foreign)
}

fn total(pages: &[Page<'_>]) -> usize {
    pages.iter().map(|page| page.items.len()).sum()
}

/// A page that did not come although the one before it had a marker, for something that cannot be gone meanwhile.
fn broken_walk(pages: &[Page<'_>], last: &Observation, out: &mut Judgements) {
    if !pages.is_empty() && last.is_refused() && !may_complete(last) {
        let symptom = Symptom::new("marker-refused", "the marker of a page is refused");
        out.violated("COM-PAGE-002", symptom, "the next page", answer(last));
    }
}

/// In which way a walk shows an item twice, and which, if it does. An item that never moves comes twice only if the target repeats it.
fn repeated<'a>(pages: &'a [Page<'_>]) -> Option<(Symptom, &'a str)> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let item = pages
        .iter()
        .flat_map(Page::keys)
        .find(|key| !seen.insert(*key))?;
    let starts_over = pages.len() > 1
        && pages[0].keys().next().is_some()
        && pages[0].keys().next() == pages[1].keys().next();
    let symptom = match starts_over {
        true => Symptom::new(
            "marker-ignored",
            "the marker is ignored: the list starts over",
        ),
        false => Symptom::new("walk-repeats", "a walk through the pages shows items twice"),
    };
    Some((symptom, item))
}

/// Whether only jobs in progress are asked for, which may be in progress no more before the next page.
fn may_complete(now: &Observation) -> bool {
    matches!(
        now.action(),
        Action::ListJobs { completed, statuscode, .. }
            if completed.as_deref() == Some("false") || statuscode.as_deref() == Some("InProgress")
    )
}

/// Whether what a marker promised may be gone before the next page: deleted by another case, or a job that is in progress no more.
fn may_shrink(now: &Observation) -> bool {
    may_complete(now) || !(is_own(now) || now.before.alone)
}

/// Markers lead to further items, and the last page has none.
fn continuation(pages: &[Page<'_>], out: &mut Judgements) {
    let empty = pages.iter().skip(1).any(|page| page.items.is_empty());
    if empty && may_shrink(pages[0].now) {
        return;
    }
    if pages.len() > 1 {
        out.judge(
            "COM-PAGE-002",
            !pages[1].items.is_empty(),
            marker_without_more,
            "further items",
            || "an empty page".to_owned(),
        );
    }
    if empty {
        // What is known of other lists was held against their pages one by one.
        let grade = match is_own(pages[0].now) {
            true => Level::Should,
            false => Level::Must,
        };
        out.graded(
            "COM-PAGE-009",
            grade,
            marker_without_more(),
            "no page after a marker is empty",
            "an empty page",
        );
    } else if pages.len() > 1 {
        out.held("COM-PAGE-009");
    }
}

/// The last page promises nothing: its marker is null. One page that is the whole of a known list has been judged as such.
fn end(pages: &[Page<'_>], out: &mut Judgements) {
    let Some(last) = pages
        .last()
        .filter(|last| !is_own(last.now) || pages.len() > 1)
    else {
        return;
    };
    out.judge(
        "COM-PAGE-001",
        last.promise().is_none(),
        marker_without_more,
        "Marker null on the last page",
        || format!("Marker {}", last.promise().unwrap_or_default()),
    );
}

/// What existed from the first page to the last must have been shown.
fn completeness(pages: &[Page<'_>], first: &Observation, last: &Observation, out: &mut Judgements) {
    let (Some(before), Some(after)) = (known(&first.before, first), known(&last.after, last))
    else {
        return;
    };
    let throughout: BTreeSet<&String> = before.intersection(&after).collect();
    let shown: BTreeSet<&str> = pages.iter().flat_map(Page::keys).collect();
    let lost: Vec<&&String> = throughout
        .iter()
        .filter(|key| !shown.contains(key.as_str()))
        .collect();
    // A list of jobs that is one page has a rule of its own (LJ-SCOPE-001).
    if pages.len() == 1 && first.operation == Some(O::ListJobs) {
        return;
    }
    if !lost.is_empty() && lost.iter().all(|item| may_have_moved(item, pages)) {
        out.inconclusive("COM-PAGE-003", SHARED);
    } else if !throughout.is_empty() && (pages.len() > 1 || !lost.is_empty()) {
        let symptom = || {
            Symptom::new(
                "walk-loses",
                "a walk through the pages does not show every item",
            )
        };
        out.judge(
            "COM-PAGE-003",
            lost.is_empty(),
            symptom,
            format!("all {} items", throughout.len()),
            || format!("{} missing, among them {}", lost.len(), lost[0]),
        );
    }
}

const LIMIT_INVALID: &[RefusalRule] = &[RefusalRule {
    requirement: "COM-PAGE-005",
    operations: &[
        O::ListVaults,
        O::ListJobs,
        O::ListParts,
        O::ListMultipartUploads,
    ],
    refusals: &[Refusal::LimitInvalid],
    demand: Demand::Status(&[400]),
}];

fn limit_invalid(evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_refusal(LIMIT_INVALID, evidence, out);
}

fn marker_unknown(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| list(now.operation).is_some())
    else {
        return;
    };
    let literal = page(now.action()).is_some_and(
        |page| matches!(&page.marker, Some(Marker::Literal(text)) if !text.is_empty()),
    );
    if literal && now.expectation.refusals().contains(&Refusal::MarkerInvalid) {
        super::common::permitted("COM-PAGE-007", now, "an unknown marker", out);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as document};

    use super::super::by_hand::{Answer, Case, error, json, status};
    use super::*;

    /// A vault with open uploads of these ids.
    fn uploads(ids: &[&str]) -> Case {
        let initiate = |case: Case, id: &&str| {
            let step = format!(
                "InitiateMultipartUpload: {{vault: v, upload: {id}, part_size: \"1048576\"}}"
            );
            case.then(&step, status(201).with("x-amz-multipart-upload-id", id))
        };
        ids.iter().fold(
            Case::default().then("CreateVault: {vault: v}", status(201)),
            initiate,
        )
    }

    fn page(ids: &[&str], marker: impl Into<Value>) -> Answer {
        let items: Vec<Value> = ids
            .iter()
            .map(|id| document!({"MultipartUploadId": id}))
            .collect();
        json(
            200,
            document!({"UploadsList": items, "Marker": marker.into()}),
        )
    }

    const LIST: &str = "ListMultipartUploads: {vault: v}";
    const TWO: &str = "ListMultipartUploads: {vault: v, page: {limit: \"2\"}}";
    const NEXT: &str = "ListMultipartUploads: {vault: v, page: {limit: \"2\", marker: \"=m\"}}";

    fn walk(pages: Vec<Answer>) -> Case {
        let steps = std::iter::once(TWO).chain(std::iter::repeat(NEXT));
        uploads(&["a", "b", "c"]).together(Group::Walk, steps.zip(pages).collect())
    }

    #[test]
    fn a_walk_shows_everything_once() {
        let right = walk(vec![page(&["a", "b"], "m"), page(&["c"], Value::Null)]);
        for requirement in [
            "COM-PAGE-002",
            "COM-PAGE-003",
            "COM-PAGE-004",
            "COM-PAGE-009",
        ] {
            assert!(right.holds(requirement), "{requirement}");
        }
    }

    #[test]
    fn a_marker_after_the_last_vault_of_all_promises_nothing() {
        let walk = |case: Case| {
            let list = |vaults: Value, marker: Value| {
                json(200, document!({"VaultList": vaults, "Marker": marker}))
            };
            let step = "ListVaults: {page: {limit: \"1\"}}";
            let pages = vec![
                (step, list(document!([{"VaultName": "the-v"}]), "m".into())),
                (step, list(document!([]), Value::Null)),
            ];
            case.then("CreateVault: {vault: v}", status(201))
                .together(Group::Walk, pages)
        };
        let broken = walk(Case::alone()).breaks("COM-PAGE-009");
        assert_eq!(broken, [("marker-without-more", Level::Must)]);
        assert_eq!(walk(Case::default()).breaks("COM-PAGE-009"), []);
    }

    #[test]
    fn vaults_of_others_move_only_what_comes_after_them() {
        let walk = |first: &[&str], second: &[&str]| {
            let page = |names: &[&str], marker: Value| {
                let item = |name: &&str| document!({"VaultName": name});
                let list: Vec<Value> = names.iter().map(item).collect();
                json(200, document!({"VaultList": list, "Marker": marker}))
            };
            let step = "ListVaults: {page: {limit: \"2\"}}";
            let pages = vec![
                (step, page(first, "m".into())),
                (step, page(second, Value::Null)),
            ];
            let own = Case::default()
                .then("CreateVault: {vault: b}", status(201))
                .then("CreateVault: {vault: d}", status(201));
            own.together(Group::Walk, pages)
        };
        let broken = |symptom| [(symptom, Level::Must)];
        assert!(walk(&["the-b", "the-d"], &["the-e"]).holds("COM-PAGE-003"));
        assert_eq!(
            walk(&["the-b", "the-e"], &["the-f"]).breaks("COM-PAGE-003"),
            broken("walk-loses")
        );
        assert_eq!(
            walk(&["the-b", "the-d"], &["the-d", "the-e"]).breaks("COM-PAGE-003"),
            broken("walk-repeats")
        );
        assert!(
            walk(&["the-a", "the-b"], &["the-e"])
                .breaks("COM-PAGE-003")
                .is_empty()
        );
        assert!(
            walk(&["the-a", "the-b"], &["the-b", "the-d"])
                .breaks("COM-PAGE-003")
                .is_empty()
        );
    }

    #[test]
    fn jobs_may_finish_between_the_pages_of_those_in_progress() {
        let walked = |filter: &str| {
            let step = |page: &str| format!("ListJobs: {{vault: v, {filter}, page: {page}}}");
            let job = |id: &str| document!([{"JobId": id, "StatusCode": "InProgress"}]);
            let page = |jobs: Value, marker: Value| {
                json(200, document!({"JobList": jobs, "Marker": marker}))
            };
            let (first, next) = (
                step("{limit: \"1\"}"),
                step("{limit: \"1\", marker: \"=m\"}"),
            );
            let pages = vec![
                (first.as_str(), page(job("j"), document!("m"))),
                (next.as_str(), page(document!([]), Value::Null)),
            ];
            Case::default()
                .then("CreateVault: {vault: v}", status(201))
                .together(Group::Walk, pages)
        };
        assert_eq!(
            walked("completed: 'true'").breaks("COM-PAGE-002"),
            [("marker-without-more", Level::Must)]
        );
        for filter in ["completed: 'false'", "statuscode: InProgress"] {
            assert!(walked(filter).breaks("COM-PAGE-002").is_empty(), "{filter}");
        }
    }

    #[test]
    fn only_a_limit_that_was_sent_counts() {
        let listed = |step: &str| {
            let all = page(&["a", "b", "c"], Value::Null);
            uploads(&["a", "b", "c"])
                .then(step, all)
                .breaks("COM-PAGE-004")
        };
        assert_eq!(listed(TWO), [("page-too-large", Level::Must)]);
        let but =
            |query: &str, plain: &str| format!("{{{plain}, but: {{query: {{limit: {query}}}}}}}");
        assert!(listed(&but("null", TWO)).is_empty());
        assert_eq!(listed(&but("'2'", LIST)), [("page-too-large", Level::Must)]);
    }

    #[test]
    fn pages_may_be_smaller_than_their_limit() {
        let pages = vec![
            page(&["a"], "m"),
            page(&["b"], "m"),
            page(&["c"], Value::Null),
        ];
        assert!(walk(pages).holds("COM-PAGE-003"));
    }

    #[test]
    fn what_a_walk_loses_and_repeats_is_told_apart() {
        let loses = walk(vec![page(&["a", "b"], "m"), page(&[], Value::Null)]);
        assert_eq!(loses.breaks("COM-PAGE-003"), [("walk-loses", Level::Must)]);
        let job = "InitiateJob: {vault: v, job: j, body: {Type: inventory-retrieval}}";
        let list = json(200, document!({"JobList": [], "Marker": null}));
        let one_page = uploads(&[])
            .then(job, status(202).with("x-amz-job-id", "J"))
            .together(Group::Walk, vec![("ListJobs: {vault: v}", list)]);
        assert!(one_page.said("COM-PAGE-003").is_empty());
        assert_eq!(
            one_page.breaks("LJ-SCOPE-001"),
            [("job-not-listed", Level::Must)]
        );
        let repeats = walk(vec![page(&["a", "b"], "m"), page(&["b", "c"], Value::Null)]);
        assert_eq!(
            repeats.breaks("COM-PAGE-003"),
            [("walk-repeats", Level::Must)]
        );
        let ignores = walk(vec![page(&["a", "b"], "m"), page(&["a", "b"], "m")]);
        assert_eq!(
            ignores.breaks("COM-PAGE-003"),
            [("marker-ignored", Level::Must)]
        );
    }

    #[test]
    fn a_marker_that_its_own_list_refuses_leads_nowhere() {
        let refused = walk(vec![
            page(&["a", "b"], "m"),
            error(400, "InvalidParameterValueException"),
        ]);
        assert_eq!(
            refused.breaks("COM-PAGE-002"),
            [("marker-refused", Level::Must)]
        );
    }

    #[test]
    fn a_marker_promises_more() {
        let listed =
            |ids: &[&str], marker: Value| uploads(&["a", "b"]).then(LIST, page(ids, marker));
        assert!(listed(&["a", "b"], Value::Null).holds("COM-PAGE-001"));
        for marker in [document!("m"), document!(""), document!(7)] {
            assert_eq!(
                listed(&["a", "b"], marker).breaks("COM-PAGE-001"),
                [("marker-without-more", Level::Must)]
            );
        }
        let full = uploads(&["a", "b"]).then(TWO, page(&["a", "b"], "m"));
        assert_eq!(
            full.breaks("COM-PAGE-009"),
            [("marker-without-more", Level::Must)]
        );
    }

    #[test]
    fn a_full_page_that_leaves_items_out_has_a_marker() {
        let listed = |marker: Value| uploads(&["a", "b", "c"]).then(TWO, page(&["a", "b"], marker));
        assert!(listed(document!("m")).holds("COM-PAGE-002"));
        assert_eq!(
            listed(Value::Null).breaks("COM-PAGE-002"),
            [("marker-missing", Level::Must)]
        );
        assert_eq!(
            listed(document!("")).breaks("COM-PAGE-002"),
            [("marker-missing", Level::Must)]
        );
    }

    #[test]
    fn the_limit_is_the_most_a_page_holds() {
        let listed = |ids: &[&str]| uploads(&["a", "b", "c"]).then(TWO, page(ids, Value::Null));
        assert_eq!(
            listed(&["a", "b", "c"]).breaks("COM-PAGE-004"),
            [("page-too-large", Level::Must)]
        );
    }

    #[test]
    fn fifty_is_firm_for_vaults_and_expected_for_uploads() {
        let ids: Vec<String> = (0..51).map(|number| format!("u{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let step = "ListMultipartUploads: {vault: v, page: {limit: \"1000\"}}";
        let all = uploads(&ids).then(step, page(&ids, Value::Null));
        assert_eq!(
            all.breaks("COM-PAGE-006"),
            [("page-too-large", Level::Should)]
        );
        assert!(all.holds("COM-PAGE-010"));
        let cut = uploads(&ids).then(step, page(&ids[..50], Value::Null));
        assert_eq!(
            cut.breaks("COM-PAGE-010"),
            [("marker-missing", Level::Must)]
        );
        let refused = uploads(&ids).then(step, error(400, "InvalidParameterValueException"));
        assert!(refused.holds("COM-PAGE-006"));
    }

    #[test]
    fn nothing_is_an_empty_array() {
        let listed = |answer| uploads(&[]).then(LIST, json(200, answer));
        assert!(listed(document!({"UploadsList": [], "Marker": null})).holds("COM-PAGE-008"));
        assert!(listed(document!({"UploadsList": []})).holds("COM-PAGE-008"));
        for answer in [
            document!({"UploadsList": null, "Marker": null}),
            document!({}),
        ] {
            assert_eq!(
                listed(answer).breaks("COM-PAGE-008"),
                [("empty-list", Level::Must)]
            );
        }
    }
}
