//! Rules for the list of the jobs of a vault: what is in it, and what filters and limits leave of it.

use serde_json::Value;

use super::job_filter::Filter;
use super::jobs::given;
use super::rules::{AcceptanceRule, Demand, RefusalRule, judge_acceptance, judge_refusal};
use super::shape::{Kind, Member, brief, judge_members};
use super::subject::{
    earlier, header, is_first_page, is_whole_list, items, limit_sent, live_vault, marker_given,
    same_vault, success, text,
};
use super::vaults::was_made_again;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Expectation, Job, Refusal};
use crate::requirement::Level;
use crate::spec::OperationName as O;

/// Lists of jobs.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "jobs-listed",
        &["LJ-STATUS-001", "LJ-LIMIT-002"],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "jobs-refused",
        &["LJ-FILTER-002", "LJ-FILTER-005", "LJ-404-001"],
        |evidence, out| judge_refusal(REFUSED, evidence, out),
    ),
    Check::new("job-list-form", &["LJ-STATUS-001"], judge_form),
    Check::new("job-list-agrees", &["LJ-BODY-001"], judge_agreement),
    Check::new("job-list-late", &["LJ-BODY-001"], judge_lateness),
    Check::new("job-list-scope", &["LJ-SCOPE-001"], judge_scope),
    Check::new(
        "job-list-limit",
        &["LJ-LIMIT-001", "LJ-LIMIT-002"],
        judge_limit,
    ),
    Check::new("job-list-order", &["LJ-ORDER-001"], judge_order),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("LJ-STATUS-001", O::ListJobs),
    AcceptanceRule::example("LJ-LIMIT-002", O::ListJobs, |now| {
        limit_sent(now).is_some() && (!now.succeeded() || items(now, "JobList").is_some())
    }),
];

const REFUSED: &[RefusalRule] = &[
    RefusalRule::new(
        "LJ-FILTER-002",
        &[O::ListJobs],
        &[Refusal::StatusCodeUnknown],
        Demand::Answer(&[(400, "InvalidParameterValueException")]),
    ),
    RefusalRule::new(
        "LJ-FILTER-005",
        &[O::ListJobs],
        &[Refusal::CompletedInvalid],
        Demand::Status(&[400]),
    ),
    RefusalRule::new(
        "LJ-404-001",
        &[O::ListJobs],
        &[Refusal::VaultUnknown],
        Demand::Answer(&[(404, "ResourceNotFoundException")]),
    ),
];

/// The most jobs on one page.
const PAGE: usize = 50;

/// A list of jobs that came rightly.
fn listed<'a>(evidence: &Evidence<'a>) -> Option<(&'a Observation, &'a [Value])> {
    let now = success(evidence, O::ListJobs)?;
    items(now, "JobList").map(|list| (now, list))
}

/// The jobs that are known to be there.
pub(super) fn known(now: &Observation) -> Option<Vec<&Job>> {
    let vault = live_vault(&now.before, now.action())?;
    Some(
        vault
            .jobs
            .values()
            .filter(|job| !job.doubtful && !job.id.is_empty())
            .collect(),
    )
}

fn judge_form(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListJobs) else {
        return;
    };
    let members = [
        Member::required("JobList", Kind::List),
        Member::optional("Marker", Kind::Text),
    ];
    let nothing = Value::Null;
    judge_members(
        "LJ-STATUS-001",
        "ListJobs",
        now.document.as_deref().unwrap_or(&nothing),
        &members,
        out,
    );
}

fn list_disagrees() -> Symptom {
    Symptom::new(
        "list-disagrees",
        "ListJobs tells other values than DescribeJob",
    )
}

/// How much later than the completion of a job a list is to show it, in milliseconds.
const LATENESS: i64 = 2000;

/// A list that shows a job in progress is told by the target's own clock to be older than the completion that is described.
fn judge_lateness(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeJob) else {
        return;
    };
    let told = |name| now.member(name).and_then(Value::as_str);
    let completed = told("/CompletionDate").and_then(Timestamp::parse_utc);
    let (Some(id), Some(completed)) = (told("/JobId"), completed) else {
        return;
    };
    let is_late = |seen: &&Observation| {
        let answered = header(seen, "date").and_then(Timestamp::parse_http);
        answered.is_some_and(|answered| answered >= completed.plus_millis(LATENESS))
    };
    let in_progress = |seen: &&Observation| {
        seen.operation == Some(O::ListJobs)
            && seen.succeeded()
            && same_vault(seen, now)
            && items(seen, "JobList").is_some_and(|list| {
                list.iter().any(|item| {
                    text(item, "JobId") == Some(id)
                        && text(item, "StatusCode") == Some("InProgress")
                })
            })
    };
    let lists = earlier(evidence).iter().rev();
    if let Some(list) = lists.filter(in_progress).find(is_late) {
        out.also_rests_on(list.index);
        out.violated(
            "LJ-BODY-001",
            list_disagrees(),
            format!("completed since {completed}, as DescribeJob tells"),
            "StatusCode InProgress in a later list",
        );
    }
}

/// A completed job is listed with the values its description tells.
fn judge_agreement(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, list)) = listed(evidence) else {
        return;
    };
    for item in list {
        let Some(id) = text(item, "JobId") else {
            continue;
        };
        let described = earlier(evidence).iter().rev().find(|seen| {
            seen.operation == Some(O::DescribeJob)
                && same_vault(seen, now)
                && seen.member("/JobId").and_then(Value::as_str) == Some(id)
                && seen.member("/Completed") == Some(&Value::Bool(true))
        });
        let Some((described, document)) =
            described.and_then(|seen| Some((seen, seen.document.as_deref()?)))
        else {
            continue;
        };
        out.also_rests_on(described.index);
        let odd = difference(item, document);
        let told = |value: &Value, name: &str| {
            brief(given(value, &format!("/{name}")).unwrap_or(&Value::Null))
        };
        let expected = odd.map_or_else(String::new, |name| {
            format!("{name}: {}", told(document, name))
        });
        out.judge(
            "LJ-BODY-001",
            odd.is_none(),
            list_disagrees,
            expected,
            || odd.map_or_else(String::new, |name| format!("{name}: {}", told(item, name))),
        );
    }
}

/// The first member, by name, in which two descriptions differ. Null is absent, in members of members too.
fn difference<'a>(one: &'a Value, other: &'a Value) -> Option<&'a str> {
    let names = [one, other]
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|members| members.keys().map(String::as_str));
    let mut odd = names.filter(|name| {
        *name != "NextInventoryRetrievalMarker" && !agree(one.get(*name), other.get(*name))
    });
    odd.next()
}

fn agree<'a>(one: Option<&'a Value>, other: Option<&'a Value>) -> bool {
    let given = |value: Option<&'a Value>| value.filter(|value| !value.is_null());
    match (given(one), given(other)) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let mut names = one.keys().chain(other.keys());
            names.all(|name| agree(one.get(name), other.get(name)))
        }
        (one, other) => one == other,
    }
}

/// All jobs of the vault, where a page holds them all, and none of another vault on any page.
fn judge_scope(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, list)) = listed(evidence) else {
        return;
    };
    let room = limit_sent(now).is_none_or(|limit| (list.len() as u64) < limit);
    let whole = is_whole_list(now) && Filter::of(now).is_none() && room;
    let Some(known) = known(now).filter(|_| whole) else {
        return judge_foreign(now, list, out);
    };
    let nobody_has_jobs = now
        .before
        .vaults
        .values()
        .all(|vault| vault.jobs.is_empty());
    let ids: Vec<&str> = list.iter().filter_map(|item| text(item, "JobId")).collect();
    let missing = known
        .iter()
        .filter(|job| !ids.contains(&job.id.as_str()))
        .count();
    // What a second creation of the vault does to its jobs has a rule of its own.
    if nobody_has_jobs || missing > 0 && was_made_again(now, earlier(evidence)) {
        return;
    }
    if missing > 0 {
        out.violated(
            "LJ-SCOPE-001",
            Symptom::new("job-not-listed", "ListJobs leaves out jobs of the vault"),
            format!("all {} jobs", known.len()),
            format!("{missing} are missing"),
        );
    } else if foreign(now, list) == 0 {
        out.held("LJ-SCOPE-001");
    } else {
        judge_foreign(now, list, out);
    }
}

fn judge_foreign(now: &Observation, list: &[Value], out: &mut Judgements) {
    let others = foreign(now, list);
    if others > 0 {
        let symptom = Symptom::new("foreign-job-listed", "ListJobs lists jobs of another vault");
        out.violated(
            "LJ-SCOPE-001",
            symptom,
            "only jobs of this vault",
            format!("{others} of another"),
        );
    }
}

/// How many of the listed jobs are known to be of another vault, and of no job of this one; none where those of this one are not known.
fn foreign(now: &Observation, list: &[Value]) -> usize {
    let Some(known) = known(now) else {
        return 0;
    };
    let ids: Vec<&str> = list.iter().filter_map(|item| text(item, "JobId")).collect();
    let own = |id: &str| known.iter().any(|job| job.id == id);
    let all = now.before.vaults.values();
    all.flat_map(|vault| vault.jobs.values())
        .filter(|job| ids.contains(&job.id.as_str()) && !own(&job.id) && !job.doubtful)
        .count()
}

fn judge_limit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, list)) =
        listed(evidence).filter(|(now, _)| now.expectation == Expectation::Accept)
    else {
        return;
    };
    let filter = Filter::of(now);
    let asked = limit_sent(now).map(|limit| limit as usize);
    let (requirement, most) = asked.map_or(("LJ-LIMIT-001", PAGE), |limit| ("LJ-LIMIT-002", limit));
    if list.len() > most {
        return out.violated(
            requirement,
            super::paging::too_large(now),
            format!("at most {most} jobs"),
            format!("{} jobs", list.len()),
        );
    }
    let more = known(now).is_some_and(|known| known.len() > most)
        && is_first_page(now)
        && filter.is_none();
    // What a second creation of the vault does to its jobs has a rule of its own.
    let gone = list.len() < most && was_made_again(now, earlier(evidence));
    if !more || gone {
        return;
    }
    let lost = || {
        Symptom::new(
            "marker-missing",
            "a page of jobs has no Marker although there are more",
        )
        .about("ListJobs")
    };
    out.judge(
        requirement,
        marker_given(now).is_some(),
        lost,
        "a Marker: there are more jobs",
        || "Marker null or absent".to_owned(),
    );
    if asked.is_none() && list.len() < PAGE {
        let short = Symptom::new("page-short", "a page of jobs holds fewer than it could")
            .about("ListJobs");
        out.graded(
            requirement,
            Level::Should,
            short,
            "50 jobs",
            format!("{} jobs", list.len()),
        );
    }
}

/// By time of initiation, in either direction (AMB-19).
fn judge_order(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((_, list)) = listed(evidence) else {
        return;
    };
    let dates: Option<Vec<Timestamp>> = list
        .iter()
        .map(|item| Timestamp::parse_utc(text(item, "CreationDate")?))
        .collect();
    let Some(dates) = dates else { return };
    let mut different = dates.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < 3 {
        return;
    }
    let kept = dates.is_sorted() || dates.iter().rev().is_sorted();
    let symptom = || {
        Symptom::new(
            "jobs-unordered",
            "ListJobs does not order jobs by the time they began",
        )
    };
    out.judge(
        "LJ-ORDER-001",
        kept,
        symptom,
        "CreationDate ascending or descending",
        || "neither".to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_and_absent_members_agree() {
        let one = json!({"JobId": "j", "SNSTopic": null, "NextInventoryRetrievalMarker": "m"});
        assert_eq!(difference(&one, &json!({"JobId": "j"})), None);
        assert_eq!(
            difference(&one, &json!({"JobId": "j", "Tier": "Bulk"})),
            Some("Tier")
        );
        let window = |window| json!({"InventoryRetrievalParameters": window});
        let (one, other) = (
            json!({"Limit": null, "Format": "JSON"}),
            json!({"Format": "JSON", "Marker": null}),
        );
        assert_eq!(difference(&window(one), &window(other)), None);
        let other = json!({"Format": "CSV"});
        assert_eq!(
            difference(&window(json!({"Format": "JSON"})), &window(other)),
            Some("InventoryRetrievalParameters")
        );
    }
}
