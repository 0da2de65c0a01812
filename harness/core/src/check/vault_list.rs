//! Rules for lists of vaults: their order, their pages, and what stands on them.

use serde_json::Value;

use super::rules::{AcceptanceRule, judge_acceptance};
use super::shape::{Kind, Member, brief, judge_members};
use super::subject::{
    is_first_page, is_whole_list, items, limit_sent, marker_given, marker_sent, parameter_sent,
    same_vault, success, success_after, text, vault_name,
};
use super::vault_description::{MEMBERS, judge_object};
use super::vaults::regions_shared;
use super::{Check, Evidence, Group, Judgements, Observation, Symptom};
use crate::model::Life;
use crate::requirement::Level;
use crate::spec::OperationName as O;

/// Lists of vaults.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "vault-list-accepted",
        &["LV-STATUS-001", "LV-MARKER-003", "LV-LIMIT-002"],
        |evidence, out| judge_acceptance(ACCEPTED, evidence, out),
    ),
    Check::new(
        "vault-list-members",
        &["LV-STATUS-001", "LV-BODY-001"],
        judge_body,
    ),
    Check::new("vault-list-described", &["LV-BODY-001"], judge_described),
    Check::new("vault-list-between", &["LV-BODY-001"], judge_between),
    Check::new("vault-list-order", &["LV-ORDER-001"], judge_order),
    Check::new(
        "vault-list-limit",
        &["LV-LIMIT-001", "LV-LIMIT-002"],
        judge_limit,
    ),
    Check::new(
        "vault-list-marker",
        &["LV-MARKER-001", "LV-MARKER-002"],
        judge_marker,
    ),
    Check::new(
        "vault-list-empty-marker",
        &["LV-MARKER-003"],
        judge_empty_marker,
    ),
    Check::new("vault-list-scope", &["LV-SCOPE-001"], judge_scope),
    Check::new("vault-list-elsewhere", &["LV-SCOPE-001"], judge_elsewhere),
    Check::new("vault-list-fresh", &["LV-FRESH-001"], judge_fresh),
];

const ACCEPTED: &[AcceptanceRule] = &[
    AcceptanceRule::general("LV-STATUS-001", O::ListVaults),
    AcceptanceRule::example("LV-LIMIT-002", O::ListVaults, |now| {
        limit_sent(now).is_some() && lists(now)
    }),
    AcceptanceRule::example("LV-MARKER-003", O::ListVaults, |now| {
        marker_sent(now).is_some_and(|marker| marker.is_empty()) && lists(now)
    }),
];

/// Whether an answer can show that a list was asked for rightly: a success without a list shows nothing.
fn lists(now: &Observation) -> bool {
    !now.succeeded() || items(now, "VaultList").is_some()
}

/// The most vaults on one page.
const PAGE: usize = 10;

fn names(now: &Observation) -> Vec<&str> {
    items(now, "VaultList")
        .unwrap_or_default()
        .iter()
        .filter_map(|item| text(item, "VaultName"))
        .collect()
}

fn judge_body(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListVaults) else {
        return;
    };
    let Some(document) = now
        .document
        .as_deref()
        .filter(|document| document.is_object())
    else {
        return judge_object("LV-STATUS-001", now, out);
    };
    let members = [
        Member::required("VaultList", Kind::List),
        Member::optional("Marker", Kind::Text),
    ];
    if judge_members("LV-STATUS-001", "ListVaults", document, &members, out) {
        for item in items(now, "VaultList").unwrap_or_default() {
            judge_members("LV-BODY-001", "ListVaults.VaultList", item, MEMBERS, out);
        }
    }
}

/// An element says what the description of the same vault said, when nothing happened to the vault since.
fn judge_described(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::ListVaults) else {
        return;
    };
    for item in items(now, "VaultList").unwrap_or_default() {
        let described = text(item, "VaultName")
            .and_then(|name| last_description(earlier, name))
            .filter(|described| !is_inventoried(described));
        if let Some(described) = described {
            judge_agreement(item, described, out);
        }
    }
}

/// Of a vault that was inventoried only two descriptions that say the same tell what a list between them is to say.
fn judge_between(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::DescribeVault) else {
        return;
    };
    let Some(name) = now.member("/VaultName").and_then(Value::as_str) else {
        return;
    };
    let same = |described: &&Observation| {
        let told = described.document.as_deref();
        told.is_some_and(|told| difference(told, now).is_none()) && is_inventoried(described)
    };
    let Some(described) = last_description(earlier, name).filter(same) else {
        return;
    };
    let lists = earlier
        .iter()
        .filter(|seen| seen.index > described.index && is_page(seen));
    for list in lists {
        let items = items(list, "VaultList").unwrap_or_default();
        if let Some(item) = items
            .iter()
            .find(|item| text(item, "VaultName") == Some(name))
        {
            out.also_rests_on(list.index);
            judge_agreement(item, now, out);
        }
    }
}

/// The member in which an element of the list, or another description, differs from a description.
fn difference(item: &Value, described: &Observation) -> Option<&'static str> {
    let compared = [
        "CreationDate",
        "VaultARN",
        "LastInventoryDate",
        "NumberOfArchives",
        "SizeInBytes",
    ];
    compared.into_iter().find(|member| {
        item.get(*member).filter(|value| !value.is_null())
            != described.member(&format!("/{member}"))
    })
}

fn judge_agreement(item: &Value, described: &Observation, out: &mut Judgements) {
    let Some(member) = difference(item, described) else {
        return out.held("LV-BODY-001");
    };
    let words = |value: Option<&Value>| {
        let value = value.map_or_else(|| "null".to_owned(), brief);
        format!("{member} {value}")
    };
    let symptom = Symptom::new(
        "list-contradicts-description",
        format!("ListVaults and DescribeVault differ in {member}"),
    );
    out.violated(
        "LV-BODY-001",
        symptom.about(member),
        words(described.member(&format!("/{member}"))),
        words(item.get(member)),
    );
}

/// The description of the vault of this name, if only descriptions and lists came after it.
fn last_description<'a>(earlier: &'a [Observation], name: &str) -> Option<&'a Observation> {
    let place = earlier.iter().rposition(|seen| {
        seen.operation == Some(O::DescribeVault)
            && seen.succeeded()
            && seen.member("/VaultName").and_then(Value::as_str) == Some(name)
    })?;
    let described = &earlier[place];
    let quiet = |seen: &Observation| {
        !same_vault(seen, described) || seen.operation == Some(O::DescribeVault)
    };
    earlier[place..].iter().all(quiet).then_some(described)
}

/// Whether an inventory of the vault was asked for before: it may be taken, and counted, at any time after.
fn is_inventoried(described: &Observation) -> bool {
    let action = described.action().vault();
    let vault = action.and_then(|named| described.before.vaults.get(named.handle()?));
    vault.is_none_or(|vault| vault.inventoried)
}

fn unsorted() -> Symptom {
    Symptom::new(
        "vaults-unsorted",
        "vaults are not listed in ASCII order of their names",
    )
}

fn judge_order(evidence: &Evidence<'_>, out: &mut Judgements) {
    let mut names: Vec<&str> = Vec::new();
    match evidence {
        Evidence::Exchange { .. } => names.extend(
            success(evidence, O::ListVaults)
                .map(self::names)
                .unwrap_or_default(),
        ),
        Evidence::Group {
            group: Group::Walk,
            members,
            ..
        } if members.len() > 1 && members.iter().all(is_page) => {
            // Order within a page is judged on the page.
            if members.iter().all(|page| self::names(page).is_sorted()) {
                names.extend(members.iter().flat_map(self::names));
            }
        }
        _ => return,
    }
    if let Some(pair) = names.windows(2).find(|pair| pair[0] > pair[1]) {
        out.violated(
            "LV-ORDER-001",
            unsorted(),
            format!("{} before {}", pair[1], pair[0]),
            format!("{} before {}", pair[0], pair[1]),
        );
    } else if names.len() > 1 {
        out.held("LV-ORDER-001");
    }
}

fn is_page(now: &Observation) -> bool {
    now.operation == Some(O::ListVaults) && now.succeeded()
}

fn judge_limit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListVaults) else {
        return;
    };
    let Some(count) = items(now, "VaultList").map(<[Value]>::len) else {
        return;
    };
    let known = now
        .before
        .vaults
        .values()
        .filter(|vault| vault.life == Life::Live)
        .count();
    let (requirement, most) = match (parameter_sent(now, "limit"), limit_sent(now)) {
        (None, _) => ("LV-LIMIT-001", PAGE),
        (Some(_), Some(limit @ 1..=10)) => ("LV-LIMIT-002", limit as usize),
        _ => return,
    };
    let ignored =
        Symptom::new("page-too-large", "a list is not cut at its limit").about("ListVaults");
    if count > most {
        return out.violated(
            requirement,
            ignored,
            format!("at most {most} vaults"),
            format!("{count} vaults"),
        );
    }
    if known <= most || !is_first_page(now) {
        if marker_given(now).is_some() || count == most {
            out.held(requirement);
        }
        return;
    }
    judge_full_page(requirement, now, count, most, out);
}

/// A first page of a list known to be longer.
fn judge_full_page(
    requirement: &'static str,
    now: &Observation,
    count: usize,
    most: usize,
    out: &mut Judgements,
) {
    if marker_given(now).is_none() {
        let symptom = Symptom::new(
            "marker-missing",
            "a page that leaves items out has no Marker",
        )
        .about("ListVaults");
        return out.violated(
            requirement,
            symptom,
            "a Marker, since more vaults exist",
            format!("{count} vaults and no Marker"),
        );
    }
    if count < most {
        let symptom = Symptom::new("page-too-small", "a page holds fewer items than it could")
            .about("ListVaults");
        return out.graded(
            requirement,
            Level::Should,
            symptom,
            format!("{most} vaults"),
            format!("{count} vaults"),
        );
    }
    out.held(requirement);
}

fn judge_marker(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListVaults) else {
        return;
    };
    if let Some(given) = marker_given(now) {
        let symptom = || Symptom::new("marker-no-arn", "the Marker of ListVaults is no vault ARN");
        out.judge(
            "LV-MARKER-001",
            arn_name(given).is_some(),
            symptom,
            "the ARN of a vault",
            || given.to_owned(),
        );
    }
    let Some(sent) = marker_sent(now) else { return };
    if let Some(name) = arn_name(&sent) {
        let before = names(now).iter().any(|listed| *listed < name);
        let symptom = || match before {
            true => {
                let title = "the marker is ignored: the list starts over";
                Symptom::new("marker-ignored", title)
            }
            false => {
                let title = "a page of vaults begins with the vault its marker names";
                Symptom::new("marker-inclusive", title)
            }
        };
        out.judge(
            "LV-MARKER-002",
            !names(now).contains(&name),
            symptom,
            format!("vaults after {name}"),
            || format!("{name} again"),
        );
    }
}

/// The name in the ARN of a vault: `arn:<partition>:glacier:<region>:<account>:vaults/<name>`.
fn arn_name(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [scheme, partition, "glacier", region, account, resource] = parts[..] else {
        return None;
    };
    let sound = scheme == "arn" && partition.starts_with("aws") && !region.is_empty();
    let sound = sound && account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    resource
        .strip_prefix("vaults/")
        .filter(|name| sound && !name.is_empty())
}

/// The vaults of this case that a list without marker showed are not missing from one with an empty marker.
fn judge_empty_marker(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::ListVaults) else {
        return;
    };
    if marker_sent(now).is_none_or(|marker| !marker.is_empty()) {
        return;
    }
    let plain = earlier.iter().rev().find(|seen| {
        is_page(seen) && marker_sent(seen).is_none() && limit_sent(seen) == limit_sent(now)
    });
    let Some(plain) = plain else { return };
    let (shown, last) = (names(now), names(now).last().copied());
    let reached = |name: &str| marker_given(now).is_none() || last.is_some_and(|last| name < last);
    let own = |name: &str| {
        now.before
            .vaults
            .values()
            .any(|vault| vault.life == Life::Live && vault.name == name)
    };
    let missing = names(plain)
        .into_iter()
        .find(|name| own(name) && reached(name) && !shown.contains(name));
    let symptom = || {
        Symptom::new(
            "empty-marker",
            "an empty marker does not list from the first vault",
        )
    };
    out.judge(
        "LV-MARKER-003",
        missing.is_none(),
        symptom,
        "the list from its beginning",
        || format!("{} is left out", missing.unwrap_or_default()),
    );
}

/// All vaults on a page are of one account and region.
fn judge_scope(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListVaults) else {
        return;
    };
    let owner = |item: &Value| {
        text(item, "VaultARN").and_then(|arn| Some(arn.rsplit_once(":vaults/")?.0.to_owned()))
    };
    let owners: Option<Vec<String>> = items(now, "VaultList")
        .unwrap_or_default()
        .iter()
        .map(owner)
        .collect();
    let Some(owners) = owners.filter(|owners| !owners.is_empty()) else {
        return;
    };
    let other = owners.iter().find(|owner| **owner != owners[0]);
    let symptom = || {
        Symptom::new(
            "foreign-vaults",
            "vaults of another account or region are listed",
        )
    };
    out.judge(
        "LV-SCOPE-001",
        other.is_none(),
        symptom,
        format!("vaults of {} alone", owners[0]),
        || format!("one of {}", other.map_or("", String::as_str)),
    );
}

/// Vaults that this case made in another region alone are not listed here.
fn judge_elsewhere(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::ListVaults) else {
        return;
    };
    let here = |name: &str| now.before.vaults.values().any(|vault| vault.name == name);
    let made_elsewhere = |seen: &Observation| {
        seen.operation == Some(O::CreateVault)
            && seen.succeeded()
            && seen.record.tweak.region.is_some()
    };
    for made in earlier.iter().filter(|seen| made_elsewhere(seen)) {
        let Some(name) = vault_name(made).filter(|name| !here(name)) else {
            continue;
        };
        let listed = names(now).contains(&name);
        if listed || is_whole_list(now) {
            let expected = format!("{name} not listed: it is in another region");
            out.judge("LV-SCOPE-001", !listed, regions_shared, expected, || {
                "listed".to_owned()
            });
        }
    }
}

/// Vaults of this case stand on lists that show their place, deleted ones on none.
fn judge_fresh(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListVaults) else {
        return;
    };
    let shown = names(now);
    for vault in now
        .before
        .vaults
        .values()
        .filter(|vault| !vault.name.is_empty())
    {
        let listed = shown.contains(&vault.name.as_str());
        match vault.life {
            Life::Live if listed => out.held("LV-FRESH-001"),
            Life::Live if shows_place(now, &shown, &vault.name) => {
                let symptom = Symptom::new("vault-unlisted", "a vault that exists is not listed");
                out.violated(
                    "LV-FRESH-001",
                    symptom,
                    format!("{} on the list", vault.name),
                    "not listed",
                );
            }
            Life::Gone if listed && !lives_again(now, &vault.name) => {
                let symptom =
                    Symptom::new("deleted-vault-listed", "a deleted vault is still listed");
                out.violated(
                    "LV-FRESH-001",
                    symptom,
                    format!("{} not listed after its deletion", vault.name),
                    "listed",
                );
            }
            Life::Gone if is_whole_list(now) => out.held("LV-FRESH-001"),
            _ => {}
        }
    }
}

/// Whether a vault of this name would have to stand on this page: the whole list, or neighbours on both sides.
fn shows_place(now: &Observation, shown: &[&str], name: &str) -> bool {
    let between = shown.is_sorted()
        && shown.first().is_some_and(|first| *first < name)
        && shown.last().is_some_and(|last| name < *last);
    is_whole_list(now) || between
}

fn lives_again(now: &Observation, name: &str) -> bool {
    now.before
        .vaults
        .values()
        .any(|vault| vault.life != Life::Gone && vault.name == name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Group;
    use super::super::by_hand::{Answer, Case, json, status};
    use super::arn_name;
    use crate::requirement::Level;

    #[test]
    fn a_marker_is_the_arn_of_a_vault() {
        let guide = "arn:aws:glacier:us-west-2:012345678901:vaults/examplevault3";
        assert_eq!(arn_name(guide), Some("examplevault3"));
        assert_eq!(
            arn_name("arn:aws-cn:glacier:cn-north-1:012345678901:vaults/v"),
            Some("v")
        );
        assert_eq!(arn_name("examplevault3"), None);
        assert_eq!(arn_name("arn:aws:s3:us-west-2:012345678901:vaults/v"), None);
    }

    fn page(names: &[&str], marker: Option<&str>) -> Answer {
        let item = |name: &&str| {
            let arn = format!("arn:aws:glacier:us-east-1:012345678901:vaults/{name}");
            json!({"CreationDate": "2013-02-04T17:46:40.000Z", "VaultARN": arn, "VaultName": name})
        };
        let list: Vec<Value> = names.iter().map(item).collect();
        json(200, json!({"VaultList": list, "Marker": marker}))
    }

    fn vaults(handles: &[&str]) -> Case {
        let create = |case: Case, handle: &&str| {
            case.then(&format!("CreateVault: {{vault: {handle}}}"), status(201))
        };
        handles.iter().fold(Case::default(), create)
    }

    #[test]
    fn a_list_between_two_equal_descriptions_says_the_same() {
        let counted = |name: &str, archives: u64| {
            json!({
                "CreationDate": "2013-02-04T17:46:40.000Z", "LastInventoryDate": "2013-02-05T00:00:00.000Z",
                "NumberOfArchives": archives, "SizeInBytes": archives * 40_000, "VaultName": name,
                "VaultARN": format!("arn:aws:glacier:us-east-1:012345678901:vaults/{name}"),
            })
        };
        let told = |listed: u64, after: u64| {
            let inventory = "InitiateJob: {vault: v, job: i, body: {Type: inventory-retrieval}}";
            let list = json!({"VaultList": [counted("the-v", listed)], "Marker": null});
            vaults(&["v"])
                .then(inventory, status(202).with("x-amz-job-id", "I"))
                .then("DescribeVault: {vault: v}", json(200, counted("the-v", 2)))
                .then("ListVaults: {}", json(200, list))
                .then(
                    "DescribeVault: {vault: v}",
                    json(200, counted("the-v", after)),
                )
        };
        assert!(told(2, 2).holds("LV-BODY-001"));
        let differs = [("list-contradicts-description", Level::Must)];
        assert_eq!(told(1, 2).breaks("LV-BODY-001"), differs);
        assert!(
            told(1, 3).breaks("LV-BODY-001").is_empty(),
            "another inventory was taken"
        );
    }

    #[test]
    fn upper_case_precedes_lower_case() {
        let listed = |names: &[&str]| vaults(&[]).then("ListVaults: {}", page(names, None));
        assert!(listed(&["-x", "0", "B", "_y", "a"]).holds("LV-ORDER-001"));
        assert_eq!(
            listed(&["a", "B"]).breaks("LV-ORDER-001"),
            [("vaults-unsorted", Level::Must)]
        );
    }

    #[test]
    fn order_counts_across_pages() {
        let step = "ListVaults: {page: {limit: \"2\"}}";
        let walk = |second: &[&str]| {
            let pages = vec![
                (step, page(&["a", "c"], Some("m"))),
                (step, page(second, None)),
            ];
            vaults(&[]).together(Group::Walk, pages)
        };
        assert!(walk(&["d", "e"]).holds("LV-ORDER-001"));
        assert_eq!(
            walk(&["b", "e"]).breaks("LV-ORDER-001"),
            [("vaults-unsorted", Level::Must)]
        );
    }

    #[test]
    fn a_deleted_vault_is_not_listed_and_a_live_one_is() {
        let case = || vaults(&["v", "w"]).then("DeleteVault: {vault: v}", status(204));
        assert!(
            case()
                .then("ListVaults: {}", page(&["the-w"], None))
                .holds("LV-FRESH-001")
        );
        let stale = case().then("ListVaults: {}", page(&["the-v", "the-w"], None));
        assert_eq!(
            stale.breaks("LV-FRESH-001"),
            [("deleted-vault-listed", Level::Must)]
        );
        let lost = case().then("ListVaults: {}", page(&["other"], None));
        assert_eq!(
            lost.breaks("LV-FRESH-001"),
            [("vault-unlisted", Level::Must)]
        );
        let cut = case().then("ListVaults: {}", page(&["other"], Some("m")));
        assert!(
            cut.breaks("LV-FRESH-001").is_empty(),
            "it may stand on the next page"
        );
    }

    #[test]
    fn eleven_vaults_need_a_marker() {
        let handles = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
        let listed = |count: usize, marker| {
            let names: Vec<String> = handles[..count]
                .iter()
                .map(|handle| format!("the-{handle}"))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            vaults(&handles).then("ListVaults: {}", page(&names, marker))
        };
        assert!(listed(10, Some("m")).holds("LV-LIMIT-001"));
        assert_eq!(
            listed(11, None).breaks("LV-LIMIT-001"),
            [("page-too-large", Level::Must)]
        );
        assert_eq!(
            listed(10, None).breaks("LV-LIMIT-001"),
            [("marker-missing", Level::Must)]
        );
        assert_eq!(
            listed(9, Some("m")).breaks("LV-LIMIT-001"),
            [("page-too-small", Level::Should)]
        );
    }

    #[test]
    fn a_page_begins_after_the_vault_its_marker_names() {
        let marker = "arn:aws:glacier:us-east-1:012345678901:vaults/b";
        let step = format!("ListVaults: {{page: {{marker: \"={marker}\"}}}}");
        assert!(
            vaults(&[])
                .then(&step, page(&["c"], None))
                .holds("LV-MARKER-002")
        );
        let inclusive = vaults(&[]).then(&step, page(&["b", "c"], None));
        assert_eq!(
            inclusive.breaks("LV-MARKER-002"),
            [("marker-inclusive", Level::Should)]
        );
    }
}
