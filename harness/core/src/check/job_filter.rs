//! Rules for the filters of the list of jobs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::list_jobs::known;
use super::shape::brief;
use super::subject::{items, text};
use super::{Check, Evidence, Group, Judgements, Observation, Symptom};
use crate::model::{Expectation, Job, JobStatus};
use crate::spec::OperationName as O;

/// Filters of the list of jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "job-list-filter",
        &["LJ-FILTER-001", "LJ-FILTER-003", "LJ-FILTER-004"],
        judge_filter,
    ),
    Check::new(
        "job-list-filtered-pages",
        &["LJ-FILTER-006"],
        judge_filtered_walk,
    ),
];

/// What a list is asked to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    completed: Option<String>,
    statuscode: Option<String>,
}

impl Filter {
    /// The filters of a request.
    pub(super) fn of(now: &Observation) -> Self {
        let query = &now.exchange().request.query;
        let value = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .into_iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_owned())
        };
        Self {
            completed: value("completed"),
            statuscode: value("statuscode"),
        }
    }

    /// Whether there are none.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn keeps_code(&self, code: &str) -> bool {
        let completed = if code == "InProgress" {
            "false"
        } else {
            "true"
        };
        self.completed
            .as_deref()
            .is_none_or(|wanted| wanted == completed)
            && self
                .statuscode
                .as_deref()
                .is_none_or(|wanted| wanted == code)
    }

    fn is_contradictory(&self) -> bool {
        !["InProgress", "Succeeded", "Failed"]
            .iter()
            .any(|code| self.keeps_code(code))
    }

    fn keeps(&self, item: &Value) -> bool {
        let code = text(item, "StatusCode");
        let completed = item
            .get("Completed")
            .and_then(Value::as_bool)
            .map(|completed| completed.to_string());
        (self.completed.is_none() || self.completed == completed)
            && self
                .statuscode
                .as_deref()
                .is_none_or(|wanted| Some(wanted) == code)
    }
}

fn filter_ignored(filter: &Filter) -> Symptom {
    let name = if filter.statuscode.is_some() {
        "statuscode"
    } else {
        "completed"
    };
    Symptom::new(
        "filter-ignored",
        format!("the {name} filter of ListJobs is ignored"),
    )
    .about(name)
}

/// Every job listed passes the filters.
fn judge_filter(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::ListJobs))
    else {
        return;
    };
    let filter = Filter::of(now);
    if filter.is_none()
        || !matches!(
            &now.expectation,
            Expectation::Accept | Expectation::Either(_)
        )
    {
        return;
    }
    let requirement = match (&filter.statuscode, &filter.completed) {
        (Some(_), Some(_)) => "LJ-FILTER-004",
        (Some(_), None) => "LJ-FILTER-001",
        _ => "LJ-FILTER-003",
    };
    let Some(list) = items(now, "JobList").filter(|_| now.succeeded()) else {
        if filter.is_contradictory() && now.status() == Some(400) {
            out.held(requirement);
        }
        return;
    };
    let leaked = list.iter().find(|item| !filter.keeps(item));
    let expected = "only jobs that match the filters";
    let told = || {
        leaked.map_or_else(String::new, |item| {
            format!("a job with StatusCode {}", brief(&item["StatusCode"]))
        })
    };
    if leaked.is_some() || decides(now, &filter) {
        out.judge(
            requirement,
            leaked.is_none(),
            || filter_ignored(&filter),
            expected,
            told,
        );
    }
}

/// Whether there are jobs that the filter must drop and, unless it drops all, one that it must keep and kept.
fn decides(now: &Observation, filter: &Filter) -> bool {
    let Some(known) = known(now) else {
        return false;
    };
    let kept = items(now, "JobList").is_some_and(|list| !list.is_empty());
    let missed = |job: &&&Job| match job.status {
        JobStatus::Succeeded => filter.keeps_code("Succeeded"),
        JobStatus::Failed => filter.keeps_code("Failed"),
        JobStatus::InProgress => false,
    };
    !known.is_empty() && (kept || known.iter().filter(missed).count() == 0)
}

/// Pages with a filter are the matching jobs, each once.
fn judge_filtered_walk(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Group {
        group: Group::Walk,
        members,
        ended: None,
    } = evidence
    else {
        return;
    };
    let Some(first) = members
        .first()
        .filter(|first| first.operation == Some(O::ListJobs))
    else {
        return;
    };
    let filter = Filter::of(first);
    if filter.is_none() || !members.iter().all(Observation::succeeded) {
        return;
    }
    let ids: Vec<&str> = members
        .iter()
        .filter_map(|page| items(page, "JobList"))
        .flatten()
        .filter_map(|item| text(item, "JobId"))
        .collect();
    let Some(known) = known(first) else { return };
    let status = |job: &&&Job| match job.status {
        JobStatus::Succeeded => filter.keeps_code("Succeeded"),
        JobStatus::Failed => filter.keeps_code("Failed"),
        JobStatus::InProgress => false,
    };
    let must: Vec<&str> = known
        .iter()
        .filter(status)
        .map(|job| job.id.as_str())
        .collect();
    let missing = must.iter().filter(|id| !ids.contains(id)).count();
    let repeated = ids.len() - ids.iter().collect::<BTreeSet<_>>().len();
    if must.is_empty() {
        return;
    }
    let symptom = || {
        Symptom::new(
            "filtered-pages-incomplete",
            "pages of a filtered list of jobs are not the matching jobs, each once",
        )
    };
    out.judge(
        "LJ-FILTER-006",
        missing == 0 && repeated == 0,
        symptom,
        format!("{} matching jobs, each once", must.len()),
        || format!("{missing} missing, {repeated} repeated"),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, json, status};
    use super::*;
    use crate::requirement::Level;

    fn filter(completed: Option<&str>, statuscode: Option<&str>) -> Filter {
        Filter {
            completed: completed.map(str::to_owned),
            statuscode: statuscode.map(str::to_owned),
        }
    }

    #[test]
    fn filters_are_combined() {
        let both = filter(Some("true"), Some("Succeeded"));
        assert!(both.keeps(&json!({"Completed": true, "StatusCode": "Succeeded"})));
        assert!(!both.keeps(&json!({"Completed": true, "StatusCode": "Failed"})));
        assert!(!both.keeps(&json!({"StatusCode": "Succeeded"})));
        assert!(!both.is_contradictory());
        assert!(filter(Some("true"), Some("InProgress")).is_contradictory());
        assert!(filter(Some("false"), Some("Failed")).is_contradictory());
    }

    #[test]
    fn a_filter_that_is_ignored_shows_in_what_it_leaves() {
        let job = |id: &str, code: &str| json!({"JobId": id, "StatusCode": code, "Completed": code != "InProgress"});
        let begun = |case: Case, id: &str| {
            let step = format!(
                "InitiateJob: {{vault: v, job: {id}, body: {{Type: inventory-retrieval}}}}"
            );
            case.then(&step, status(202).with("x-amz-job-id", id))
        };
        let list = |step: &str, jobs: Value| {
            let case = Case::default().then("CreateVault: {vault: v}", status(201));
            let case = begun(begun(case, "J"), "K").then(
                "DescribeJob: {vault: v, job: J}",
                json(200, job("J", "Succeeded")),
            );
            case.then(step, json(200, json!({"JobList": jobs, "Marker": null})))
        };
        let completed = "ListJobs: {vault: v, completed: 'true'}";
        assert!(list(completed, json!([job("J", "Succeeded")])).holds("LJ-FILTER-003"));
        let all = json!([job("J", "Succeeded"), job("K", "InProgress")]);
        assert_eq!(
            list(completed, all.clone()).breaks("LJ-FILTER-003"),
            [("filter-ignored", Level::Must)]
        );
        assert_eq!(
            list("ListJobs: {vault: v, statuscode: Failed}", all).breaks("LJ-FILTER-001"),
            [("filter-ignored", Level::Must)]
        );
        let contradictory = "ListJobs: {vault: v, completed: 'true', statuscode: InProgress}";
        assert!(list(contradictory, json!([])).holds("LJ-FILTER-004"));
        assert!(
            list(completed, json!([])).said("LJ-FILTER-003").is_empty(),
            "nothing was left, though one job matches"
        );
    }
}
