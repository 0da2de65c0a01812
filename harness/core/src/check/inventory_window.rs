//! Rules for inventories of a part of a vault: dates, limits, and walking on by marker.

use std::collections::BTreeSet;

use serde_json::Value;

use super::describe_job::{described, state};
use super::inventory::{Inventoried, full_inventory};
use super::jobs::{begun, given, same_job};
use super::subject::earlier;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::inventory::{Listed, Listing};
use crate::model::Life;
use crate::requirement::Level;
use crate::spec::OperationName as O;

/// Parts of inventories.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "inventory-window",
        &["IJ-INV-005", "IJ-INV-006", "IJ-INV-007", "IJ-INV-013"],
        judge_window,
    ),
    Check::new(
        "inventory-limit",
        &["IJ-INV-008", "IJ-INV-013"],
        judge_limit,
    ),
    Check::new("inventory-marker", &["IJ-INV-010"], judge_marker),
    Check::new("inventory-walk", &["IJ-INV-010", "IJ-INV-014"], judge_walk),
];

/// The inventory an exchange brings, in JSON or CSV.
fn seen<'a>(evidence: &Evidence<'a>) -> Option<Inventoried<'a>> {
    Inventoried::seen(evidence.exchange()?, earlier(evidence))
}

/// A date that a job was asked to begin or end at.
fn bound(inventory: &Inventoried<'_>, name: &str) -> Option<Timestamp> {
    let text = inventory.window(name)?;
    text.parse().ok().or_else(|| Timestamp::parse_basic(text))
}

/// Whether an archive was created within the dates that a job was asked for.
fn is_inside(part: &Inventoried<'_>, listed: &Listed) -> bool {
    match (bound(part, "StartDate"), bound(part, "EndDate")) {
        (None, None) => true,
        (start, end) => listed.created_at().is_some_and(|at| {
            start.is_none_or(|start| at >= start) && end.is_none_or(|end| at < end)
        }),
    }
}

fn ids(listing: &Listing) -> Vec<&str> {
    listing
        .archives
        .iter()
        .filter_map(|listed| listed.id.as_deref())
        .collect()
}

/// Judges by the dates that the full inventory tells, not by our clock.
fn judge_window(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(part) = seen(evidence) else {
        return;
    };
    let (start, end) = (bound(&part, "StartDate"), bound(&part, "EndDate"));
    let limited = part.window("Limit").is_some() || part.window("Marker").is_some();
    let requirement = match (start, end, limited) {
        (None, None, _) => return,
        (_, _, true) => "IJ-INV-013",
        (Some(_), None, _) => "IJ-INV-005",
        (None, Some(_), _) => "IJ-INV-006",
        (Some(_), Some(_), _) => "IJ-INV-007",
    };
    let full = full_inventory(part.now, earlier(evidence));
    let Some(full) = full.filter(|full| {
        let is_later = part.listing.taken() >= full.listing.taken();
        full.listing.archives.len() > 1 && (is_later || part.is_of_those_in(full))
    }) else {
        return out.inconclusive(requirement, "no full inventory lists two archives");
    };
    out.also_rests_on(full.now.index);
    let (expected, left_out): (Vec<&Listed>, Vec<&Listed>) = full
        .listing
        .archives
        .iter()
        .partition(|listed| is_inside(&part, listed));
    let told: BTreeSet<&str> = ids(&part.listing).into_iter().collect();
    let leaked = left_out
        .iter()
        .filter(|listed| listed.id.as_deref().is_some_and(|id| told.contains(id)))
        .count();
    let live = |listed: &&&Listed| {
        part.known(listed)
            .is_some_and(|archive| archive.life == Life::Live)
    };
    let missing = expected
        .iter()
        .filter(live)
        .filter(|listed| !listed.id.as_deref().is_some_and(|id| told.contains(id)))
        .count();
    let symptom = || match leaked {
        n if n > 0 && n == left_out.len() => Symptom::new(
            "inventory-window-ignored",
            "StartDate and EndDate of inventory jobs are ignored",
        ),
        _ => Symptom::new(
            "inventory-window-wrong",
            "StartDate or EndDate of inventory jobs cut at another place",
        ),
    };
    let kept = leaked == 0 && (limited || missing == 0);
    if kept && told.is_empty() && missing > 0 && part.window("Marker").is_none() {
        let symptom = Symptom::new(
            "inventory-limit-before-window",
            "Limit of inventory jobs is applied before StartDate and EndDate",
        );
        let expected = format!("some of the {missing} archives created in the window");
        return out.graded(requirement, Level::Should, symptom, expected, "none");
    }
    out.judge(
        requirement,
        kept,
        symptom,
        format!("the {} archives created in the window", expected.len()),
        || format!("{leaked} from outside, {missing} missing"),
    );
}

fn judge_limit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(part) = seen(evidence) else {
        return;
    };
    let Some(limit) = part
        .window("Limit")
        .and_then(|limit| limit.parse::<usize>().ok())
    else {
        return;
    };
    let window = part.window("StartDate").is_some() || part.window("EndDate").is_some();
    let requirement = if window { "IJ-INV-013" } else { "IJ-INV-008" };
    let listed = part.listing.archives.len();
    let enough = full_inventory(part.now, earlier(evidence))
        .is_some_and(|full| full.listing.archives.len() > limit);
    if listed > limit || enough {
        let symptom = || {
            Symptom::new(
                "inventory-limit-ignored",
                "Limit of inventory jobs is ignored",
            )
        };
        out.judge(
            requirement,
            listed <= limit,
            symptom,
            format!("at most {limit} archives"),
            || format!("{listed} archives"),
        );
    } else {
        out.inconclusive(
            requirement,
            "no full inventory lists more archives than the limit",
        );
    }
}

/// The members that may tell where an inventory goes on (AMB-37).
const PLACES: [&str; 2] = [
    "/NextInventoryRetrievalMarker",
    "/InventoryRetrievalParameters/Marker",
];

/// The member that tells it on a first page, where it cannot be the marker of the request.
fn place(document: &Value) -> Option<&'static str> {
    PLACES
        .into_iter()
        .find(|place| given(document, place).is_some())
}

/// A first page that was cut tells where to go on.
fn judge_marker(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, document)) =
        described(evidence).filter(|(_, document)| state(document) == Some("Succeeded"))
    else {
        return;
    };
    let Some(asked) = begun(now, earlier(evidence)).and_then(super::documents::sent) else {
        return;
    };
    let of = |name: &str| {
        given(&asked, &format!("/InventoryRetrievalParameters/{name}")).and_then(Value::as_str)
    };
    let (Some(limit), None) = (
        of("Limit").and_then(|limit| limit.parse::<usize>().ok()),
        of("Marker"),
    ) else {
        return;
    };
    let Some(full) =
        full_inventory(now, earlier(evidence)).filter(|full| full.listing.archives.len() >= 3)
    else {
        return;
    };
    if of("StartDate").is_some() || of("EndDate").is_some() {
        return;
    }
    out.also_rests_on(full.now.index);
    let more = full.listing.archives.len() > limit;
    let told = place(document).is_some();
    let symptom = || match more {
        true => Symptom::new(
            "inventory-marker-missing",
            "an inventory that a limit cut has no marker to go on by",
        ),
        false => Symptom::new(
            "inventory-marker-left",
            "an inventory that is complete has a marker to go on by",
        ),
    };
    out.judge(
        "IJ-INV-010",
        told == more,
        symptom,
        if more { "a marker" } else { "no marker" },
        || {
            if told {
                "a marker".to_owned()
            } else {
                "null or absent".to_owned()
            }
        },
    );
}

/// A page of an inventory.
struct Page<'a> {
    inventory: Inventoried<'a>,
    /// The description of its job when it had succeeded.
    document: &'a Value,
}

fn page<'a>(now: &'a Observation, earlier: &'a [Observation]) -> Option<Page<'a>> {
    let inventory =
        Inventoried::seen(now, earlier).filter(|inventory| inventory.window("Limit").is_some())?;
    let done = |seen: &&Observation| {
        seen.operation == Some(O::DescribeJob)
            && same_job(seen, now)
            && seen.member("/StatusCode").and_then(Value::as_str) == Some("Succeeded")
    };
    let document = earlier.iter().rev().find(done)?.document.as_deref()?;
    Some(Page {
        inventory,
        document,
    })
}

/// The pages up to this one, first to last, and the member that tells the next marker.
fn pages<'a>(
    now: &'a Observation,
    earlier: &'a [Observation],
) -> Option<(Vec<Page<'a>>, &'static str)> {
    let mut pages = vec![page(now, earlier)?];
    while let Some(sent) = pages
        .last()
        .and_then(|page| page.inventory.window("Marker").map(str::to_owned))
    {
        if pages.len() > earlier.len() {
            return None;
        }
        let leads = |page: &Page<'_>| {
            PLACES.iter().any(|place| {
                given(page.document, place).and_then(Value::as_str) == Some(sent.as_str())
            })
        };
        let other = |page: &Page<'_>| {
            !pages
                .iter()
                .any(|known| known.inventory.now.index == page.inventory.now.index)
        };
        let before = (0..earlier.len()).rev().find_map(|place| {
            let (before, rest) = earlier.split_at(place);
            page(&rest[0], before).filter(|page| leads(page) && other(page))
        })?;
        pages.push(before);
    }
    pages.reverse();
    let place = place(pages[0].document)?;
    Some((pages, place))
}

/// Pages go on where the one before ended, and end when all is listed.
fn judge_walk(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let Some((pages, place)) = pages(now, earlier(evidence)) else {
        return;
    };
    let Some(full) =
        full_inventory(now, earlier(evidence)).filter(|full| full.listing.archives.len() >= 3)
    else {
        return;
    };
    if pages.len() < 2 {
        return;
    }
    if pages
        .iter()
        .any(|page| !page.inventory.is_of_those_in(&full))
    {
        return out.inconclusive(
            "IJ-INV-014",
            "the pages are of inventories taken at different times",
        );
    }
    let dates = |page: &Page<'_>| ["StartDate", "EndDate"].map(|name| bound(&page.inventory, name));
    if pages.iter().any(|page| dates(page) != dates(&pages[0])) {
        return out.inconclusive("IJ-INV-014", "the pages are of different dates");
    }
    for page in &pages {
        out.also_rests_on(page.inventory.now.index);
    }
    let listed: Vec<&str> = pages
        .iter()
        .flat_map(|page| ids(&page.inventory.listing))
        .collect();
    let once: BTreeSet<&str> = listed.iter().copied().collect();
    let inside = full.listing.archives.iter();
    let all: BTreeSet<&str> = inside
        .filter(|listed| is_inside(&pages[0].inventory, listed))
        .filter_map(|listed| listed.id.as_deref())
        .collect();
    let repeats = Symptom::new(
        "inventory-marker-ignored",
        "the marker of inventory jobs is ignored: archives come again",
    );
    if once.len() < listed.len() {
        out.violated(
            "IJ-INV-014",
            repeats.clone(),
            "every archive once",
            format!("{} listed again", listed.len() - once.len()),
        );
        return out.violated(
            "IJ-INV-010",
            repeats,
            "the archives after the marker",
            "archives that were listed before",
        );
    }
    let Some(last) = pages.last() else { return };
    let more = given(last.document, place).is_some();
    let ends = Symptom::new(
        "inventory-marker-left",
        "an inventory that is complete has a marker to go on by",
    );
    let short = Symptom::new(
        "inventory-walk-short",
        "an inventory ends before all archives are listed",
    );
    match (once == all, more) {
        (true, false) => {
            out.held("IJ-INV-010");
            out.held("IJ-INV-014");
        }
        (true, true) => out.violated("IJ-INV-010", ends, "no marker on the last page", "a marker"),
        (false, false) => out.violated(
            "IJ-INV-014",
            short,
            format!("{} archives", all.len()),
            format!("{} archives", once.len()),
        ),
        (false, true) => out.held("IJ-INV-010"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Case, json, status};
    use crate::requirement::Level;

    const DATES: [&str; 3] = [
        "2013-02-04T17:46:41Z",
        "2013-02-04T17:46:42Z",
        "2013-02-04T17:46:43Z",
    ];

    fn listing(archives: &[usize]) -> Value {
        let item = |n: &usize| json!({"ArchiveId": format!("A{n}"), "ArchiveDescription": "", "CreationDate": DATES[*n], "Size": 1, "SHA256TreeHash": ""});
        json!({"VaultARN": "arn", "InventoryDate": "2013-02-04T17:46:45Z", "ArchiveList": archives.iter().map(item).collect::<Vec<_>>()})
    }

    /// A vault with three archives.
    fn vault() -> Case {
        let upload = |case: Case, n: usize| {
            let step = format!("UploadArchive: {{vault: v, archive: a{n}, content: {{text: x}}}}");
            case.then(
                &step,
                status(201).with("x-amz-archive-id", &format!("A{n}")),
            )
        };
        (0..3).fold(
            Case::default().then("CreateVault: {vault: v}", status(201)),
            upload,
        )
    }

    /// An inventory with these parameters: begun, succeeded with this marker, and downloaded.
    fn inventory(case: Case, job: &str, window: &str, marker: Value, archives: &[usize]) -> Case {
        let body =
            format!("{{Type: inventory-retrieval, InventoryRetrievalParameters: {{{window}}}}}");
        let told = json!({"JobId": job, "StatusCode": "Succeeded", "Completed": true, "InventoryRetrievalParameters": {"Marker": marker}});
        case.then(
            &format!("InitiateJob: {{vault: v, job: {job}, body: {body}}}"),
            status(202).with("x-amz-job-id", job),
        )
        .then(
            &format!("DescribeJob: {{vault: v, job: {job}}}"),
            json(200, told),
        )
        .then(
            &format!("GetJobOutput: {{vault: v, job: {job}}}"),
            json(200, listing(archives)),
        )
    }

    fn full() -> Case {
        inventory(vault(), "i", "", Value::Null, &[0, 1, 2])
    }

    #[test]
    fn a_window_includes_its_start_and_excludes_its_end() {
        let window = |window: &str, archives: &[usize]| {
            inventory(full(), "k", window, Value::Null, archives)
        };
        let (from, to) = (
            format!("StartDate: '{}'", DATES[1]),
            format!("EndDate: '{}'", DATES[2]),
        );
        assert!(window(&from, &[1, 2]).holds("IJ-INV-005"));
        assert!(window(&to, &[0, 1]).holds("IJ-INV-006"));
        let both = format!("{from}, {to}");
        assert!(window(&both, &[1]).holds("IJ-INV-007"));
        assert_eq!(
            window(&both, &[1, 2]).breaks("IJ-INV-007"),
            [("inventory-window-wrong", Level::Must)]
        );
        assert_eq!(
            window(&both, &[0, 1, 2]).breaks("IJ-INV-007"),
            [("inventory-window-ignored", Level::Must)]
        );
        assert_eq!(
            window(&both, &[]).breaks("IJ-INV-007"),
            [("inventory-window-wrong", Level::Must)]
        );
        let limited = |archives: &[usize]| window(&format!("{both}, Limit: '1'"), archives);
        assert!(limited(&[1]).holds("IJ-INV-013"));
        assert_eq!(
            limited(&[]).breaks("IJ-INV-013"),
            [("inventory-limit-before-window", Level::Should)]
        );
    }

    #[test]
    fn pages_of_a_window_are_those_of_what_is_in_it() {
        let window = format!("EndDate: '{}', Limit: '1'", DATES[2]);
        let first = inventory(full(), "p", &window, json!("m1"), &[0]);
        let next = format!("{window}, Marker: m1");
        let walked = |archives: &[usize]| {
            let first = inventory(full(), "p", &window, json!("m1"), &[0]);
            inventory(first, "q", &next, Value::Null, archives)
        };
        assert!(first.breaks("IJ-INV-014").is_empty());
        assert!(walked(&[1]).holds("IJ-INV-014"));
        assert_eq!(
            walked(&[]).breaks("IJ-INV-014"),
            [("inventory-walk-short", Level::Must)]
        );
        let widened = inventory(first, "q", "Limit: '1', Marker: m1", Value::Null, &[1, 2]);
        assert!(widened.breaks("IJ-INV-014").is_empty());
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let first = || inventory(full(), "p", "Limit: '2'", json!("m1"), &[0, 1]);
        assert!(first().holds("IJ-INV-008") && first().holds("IJ-INV-010"));
        let walked = inventory(first(), "q", "Limit: '2', Marker: m1", Value::Null, &[2]);
        assert!(walked.holds("IJ-INV-010") && walked.holds("IJ-INV-014"));
        let repeated = inventory(first(), "q", "Limit: '2', Marker: m1", json!("m1"), &[0, 1]);
        assert_eq!(
            repeated.breaks("IJ-INV-014"),
            [("inventory-marker-ignored", Level::Must)]
        );
        let short = inventory(full(), "p", "Limit: '2'", json!("m1"), &[0]);
        let short = inventory(short, "q", "Limit: '2', Marker: m1", Value::Null, &[1]);
        assert_eq!(
            short.breaks("IJ-INV-014"),
            [("inventory-walk-short", Level::Must)]
        );
        let endless = inventory(first(), "q", "Limit: '2', Marker: m1", json!("m2"), &[2]);
        assert_eq!(
            endless.breaks("IJ-INV-010"),
            [("inventory-marker-left", Level::Must)]
        );
        let cut = inventory(full(), "p", "Limit: '2'", Value::Null, &[0, 1]);
        assert_eq!(
            cut.breaks("IJ-INV-010"),
            [("inventory-marker-missing", Level::Must)]
        );
        let ignored = inventory(full(), "p", "Limit: '2'", Value::Null, &[0, 1, 2]);
        assert_eq!(
            ignored.breaks("IJ-INV-008"),
            [("inventory-limit-ignored", Level::Must)]
        );
    }
}
