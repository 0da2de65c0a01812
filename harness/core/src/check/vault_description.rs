//! Rules for what a description of a vault says.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::answer;
use super::shape::{Kind, Member, brief, judge_members};
use super::subject::{earlier, live_vault, same_vault, success, vault_name};
use super::vault_deletion::inventoried_since;
use super::vaults::{case_folded, judge_permission, was_made_again, wiped};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::model::{Archive, Life, Vault};
use crate::requirement::Level;
use crate::spec::OperationName as O;

/// Descriptions of vaults.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "vault-members",
        &["DSV-STATUS-001", "DSV-BODY-001"],
        judge_body,
    ),
    Check::new("vault-identity", &["DSV-BODY-002"], judge_identity),
    Check::new("vault-created", &["DSV-BODY-003"], judge_created),
    Check::new(
        "vault-uninventoried",
        &["DSV-INV-001", "DSV-INV-002", "DSV-INV-003"],
        judge_uninventoried,
    ),
    Check::new("vault-counts", &["DSV-INV-004"], judge_counts),
    Check::new(
        "vault-inventoried",
        &["DSV-INV-005", "DSV-INV-007"],
        judge_inventoried,
    ),
    Check::new("vault-lag", &["DSV-INV-006", "UA-INV-001"], judge_lag),
];

/// The members of a vault, in a description and in a list.
pub(super) const MEMBERS: &[Member] = &[
    Member::required("CreationDate", Kind::Text),
    Member::required("VaultARN", Kind::Text),
    Member::required("VaultName", Kind::Text),
    Member::optional("LastInventoryDate", Kind::Text),
];

/// How far clocks may be apart before a time is wrong: less than any difference of time zones.
const TOLERANCE: i64 = 10 * 60 * 1000;

fn judge_body(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(document) = now
        .document
        .as_deref()
        .filter(|document| document.is_object())
    else {
        return judge_object("DSV-STATUS-001", now, out);
    };
    judge_members("DSV-BODY-001", "DescribeVault", document, MEMBERS, out);
}

/// Judges that a successful answer has a JSON object as its body.
pub(super) fn judge_object(requirement: &'static str, now: &Observation, out: &mut Judgements) {
    let operation = now
        .operation
        .map_or_else(String::new, |name| name.to_string());
    let is_object = now.document.as_deref().is_some_and(Value::is_object);
    let symptom = || {
        Symptom::new(
            "no-document",
            format!("the answer of {operation} is no JSON object"),
        )
        .about(operation.clone())
    };
    out.judge(requirement, is_object, symptom, "a JSON object", || {
        now.document
            .as_deref()
            .map_or_else(|| format!("{} without one", answer(now)), brief)
    });
}

fn judge_identity(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(name) = vault_name(now) else { return };
    let (Some(told), Some(arn)) = (
        now.member("/VaultName").and_then(Value::as_str),
        now.member("/VaultARN").and_then(Value::as_str),
    ) else {
        return;
    };
    let symptom = || {
        if told != name && told.eq_ignore_ascii_case(name) {
            return case_folded();
        }
        Symptom::new("vault-identity", "a vault is described under another name")
    };
    let expected = format!("VaultName {name}, VaultARN …:vaults/{name}");
    out.judge(
        "DSV-BODY-002",
        told == name && arn_names(arn, name),
        symptom,
        expected,
        || format!("VaultName {told}, VaultARN {arn}"),
    );
}

/// Whether an ARN is that of a vault of this name.
pub(super) fn arn_names(arn: &str, name: &str) -> bool {
    arn.strip_suffix(name)
        .is_some_and(|head| head.ends_with(":vaults/"))
}

/// The same text at every telling, and a time at which the vault can have come into being.
fn judge_created(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    let Some(told) = now.member("/CreationDate").and_then(Value::as_str) else {
        return;
    };
    if let Some(known) = vault
        .creation_date
        .as_deref()
        .filter(|known| *known != told)
    {
        let again = was_made_again(now, earlier(evidence));
        let symptom = || {
            if again {
                wiped()
            } else {
                Symptom::new("creation-date-moves", "the CreationDate of a vault changes")
            }
        };
        return out.violated(
            "DSV-BODY-003",
            symptom(),
            format!("CreationDate {known}, as before"),
            format!("CreationDate {told}"),
        );
    }
    if let Some(within) = plausible(told, vault.created) {
        let symptom = || {
            Symptom::new(
                "creation-date-wrong",
                "the CreationDate of a vault is not the time of its creation",
            )
        };
        out.judge(
            "DSV-BODY-003",
            within,
            symptom,
            format!("a time near {}", vault.created.0),
            || told.to_owned(),
        );
    }
}

/// Whether a time told lies within what we saw, clocks being clocks; `None` when it is no time (another rule's business).
pub(super) fn plausible(told: &str, window: (Timestamp, Timestamp)) -> Option<bool> {
    let told = Timestamp::parse_utc(told)?;
    Some(told >= window.0.plus_millis(-TOLERANCE) && told <= window.1.plus_millis(TOLERANCE))
}

fn judge_uninventoried(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    if let Some(date) = now.member("/LastInventoryDate") {
        judge_inventory_date(now, vault, date, out);
    } else {
        out.held("DSV-INV-001");
        judge_uncounted("DSV-INV-002", now, "NumberOfArchives", out);
        judge_uncounted("DSV-INV-003", now, "SizeInBytes", out);
    }
}

/// Null is expected before any inventory; that a date is a date, and not before the vault, is demanded.
fn judge_inventory_date(now: &Observation, vault: &Vault, date: &Value, out: &mut Judgements) {
    let created = now
        .member("/CreationDate")
        .and_then(Value::as_str)
        .and_then(Timestamp::parse_utc);
    let told = date.as_str().and_then(Timestamp::parse_utc);
    let sound =
        told.is_some_and(|told| created.is_none_or(|created| told >= created.whole_seconds()));
    if !sound {
        let symptom = Symptom::new(
            "inventory-date-wrong",
            "LastInventoryDate is no time after the creation of the vault",
        );
        return out.graded(
            "DSV-INV-001",
            Level::Must,
            symptom,
            "an ISO 8601 UTC time not before CreationDate, or null",
            brief(date),
        );
    }
    if !vault.inventoried && vault.archives.is_empty() {
        let symptom = Symptom::new(
            "inventory-imagined",
            "a vault that was never inventoried has a LastInventoryDate",
        );
        return out.violated(
            "DSV-INV-001",
            symptom,
            "null before the first inventory",
            brief(date),
        );
    }
    out.held("DSV-INV-001");
}

fn judge_uncounted(
    requirement: &'static str,
    now: &Observation,
    member: &'static str,
    out: &mut Judgements,
) {
    let count = now.member(&format!("/{member}"));
    let kept = count.is_none_or(|count| count.as_u64() == Some(0));
    let symptom = || {
        Symptom::new(
            "counted-before-inventory",
            "archives are counted before the first inventory",
        )
    };
    out.judge(
        requirement,
        kept,
        symptom,
        format!("{member} null or 0 while LastInventoryDate is null"),
        || format!("{member} {}", brief(count.unwrap_or(&Value::Null))),
    );
}

fn judge_counts(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let counts = [
        Member::optional("NumberOfArchives", Kind::Count),
        Member::optional("SizeInBytes", Kind::Count),
    ];
    if let Some(document) = now
        .document
        .as_deref()
        .filter(|document| document.is_object())
    {
        judge_members("DSV-INV-004", "DescribeVault", document, &counts, out);
    }
}

/// After an inventory later than the last change the counts are those of the archives there are.
fn judge_inventoried(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(vault) = live_vault(&now.before, now.action()) else {
        return;
    };
    // What a repeated completion names is the archive that the first one made.
    let settled = |archive: &Archive| archive.life != Life::Doubtful;
    let archives = || vault.archives.values();
    let named_before =
        |archive: &Archive| archives().any(|other| settled(other) && other.id == archive.id);
    let certain = archives().all(|archive| settled(archive) || named_before(archive));
    if !certain
        || !vault
            .changed_at
            .is_some_and(|changed| inventoried_since(now, changed))
    {
        return;
    }
    let live = vault
        .archives
        .values()
        .filter(|archive| archive.life == Life::Live);
    let (archives, bytes) = live.fold((0, 0), |(n, b), archive| {
        (n + 1, b + archive.content.length())
    });
    let shrunk = vault
        .archives
        .values()
        .any(|archive| archive.life == Life::Gone);
    let requirement = if shrunk { "DSV-INV-007" } else { "DSV-INV-005" };
    let count = |member| now.member(member).and_then(Value::as_u64);
    let (told, size) = (count("/NumberOfArchives"), count("/SizeInBytes"));
    let before = size_with_more(now, vault, earlier(evidence));
    let dropped = size.zip(before).is_none_or(|(now, then)| now < then);
    let kept = told == Some(archives) && size.is_some_and(|size| size >= bytes) && dropped;
    let symptom = || {
        Symptom::new(
            "counts-stale",
            "an inventory does not bring the counts of a vault up to date",
        )
    };
    let words = |told: Option<u64>| told.map_or_else(|| "null".to_owned(), |n| n.to_string());
    out.judge(
        requirement,
        kept,
        symptom,
        match before {
            Some(before) => {
                format!("{archives} archives of {bytes} bytes at least, and less than {before}")
            }
            None => format!("{archives} archives of at least {bytes} bytes"),
        },
        || format!("{} archives of {} bytes", words(told), words(size)),
    );
}

/// What an earlier description told of the size of the vault when it had all of these archives, and others besides that had bytes.
fn size_with_more(now: &Observation, vault: &Vault, earlier: &[Observation]) -> Option<u64> {
    let live = |vault: &Vault| -> BTreeSet<String> {
        let live = vault
            .archives
            .iter()
            .filter(|(_, it)| it.life == Life::Live);
        live.map(|(handle, _)| handle.clone()).collect()
    };
    let left = live(vault);
    let with_more = |then: &&Observation| {
        let described = then.operation == Some(O::DescribeVault) && then.succeeded();
        let vault = live_vault(&then.before, then.action()).filter(|_| described);
        vault.is_some_and(|vault| {
            let had = live(vault);
            let told = then.member("/NumberOfArchives").and_then(Value::as_u64);
            let others = had
                .difference(&left)
                .filter_map(|it| vault.archives.get(it));
            let counted = vault
                .changed_at
                .is_some_and(|at| inventoried_since(then, at));
            counted
                && told == Some(had.len() as u64)
                && left.is_subset(&had)
                && others.map(|it| it.content.length()).sum::<u64>() > 0
        })
    };
    let then = earlier
        .iter()
        .rev()
        .filter(|then| same_vault(then, now))
        .find(with_more)?;
    then.member("/SizeInBytes")?.as_u64()
}

/// Counts may lag behind: any number from none to all archives there ever were is allowed.
fn judge_lag(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(vault) =
        live_vault(&now.before, now.action()).filter(|vault| !vault.archives.is_empty())
    else {
        return;
    };
    judge_permission("UA-INV-001", now, out);
    let count = now
        .member("/NumberOfArchives")
        .map_or(Some(0), Value::as_u64);
    let most = vault.archives.len() as u64;
    let symptom = || {
        Symptom::new(
            "counts-invented",
            "a vault counts more archives than were ever stored in it",
        )
    };
    out.judge(
        "DSV-INV-006",
        count.is_some_and(|count| count <= most),
        symptom,
        format!("null or up to {most}"),
        || {
            format!(
                "NumberOfArchives {}",
                now.member("/NumberOfArchives")
                    .map_or_else(String::new, brief)
            )
        },
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::by_hand::{Case, json, status};
    use crate::requirement::Level;

    const CREATE: &str = "CreateVault: {vault: v}";
    const DESCRIBE: &str = "DescribeVault: {vault: v}";

    fn description(created: &str, changes: serde_json::Value) -> serde_json::Value {
        let mut document = json!({
            "CreationDate": created, "LastInventoryDate": null, "NumberOfArchives": 0, "SizeInBytes": 0,
            "VaultARN": "arn:aws:glacier:us-east-1:012345678901:vaults/the-v", "VaultName": "the-v",
        });
        for (name, value) in changes.as_object().expect("an object") {
            document[name] = value.clone();
        }
        document
    }

    fn described(changes: serde_json::Value) -> Case {
        let case = Case::default().then(CREATE, status(201));
        case.then(
            DESCRIBE,
            json(200, description("2013-02-04T17:46:40.000Z", changes)),
        )
    }

    #[test]
    fn null_and_zero_are_both_right_before_an_inventory() {
        for count in [json!(null), json!(0)] {
            let case = described(json!({"NumberOfArchives": count, "SizeInBytes": count}));
            assert!(
                case.holds("DSV-INV-002") && case.holds("DSV-INV-003") && case.holds("DSV-INV-004")
            );
            assert!(
                case.holds("DSV-BODY-001")
                    && case.holds("DSV-BODY-002")
                    && case.holds("DSV-BODY-003")
            );
        }
        let counted = described(json!({"NumberOfArchives": 1}));
        assert_eq!(
            counted.breaks("DSV-INV-002"),
            [("counted-before-inventory", Level::Should)]
        );
        assert_eq!(
            described(json!({"SizeInBytes": "0"})).breaks("DSV-INV-004"),
            [("member-type", Level::Must)]
        );
    }

    #[test]
    fn an_inventory_date_is_unexpected_and_must_be_a_date() {
        let early = described(json!({"LastInventoryDate": "2013-02-04T17:46:41.000Z"}));
        assert_eq!(
            early.breaks("DSV-INV-001"),
            [("inventory-imagined", Level::Should)]
        );
        let before = described(json!({"LastInventoryDate": "2012-01-01T00:00:00Z"}));
        assert_eq!(
            before.breaks("DSV-INV-001"),
            [("inventory-date-wrong", Level::Must)]
        );
        assert!(described(json!({})).holds("DSV-INV-001"));
    }

    #[test]
    fn a_time_in_another_zone_is_not_the_time_of_creation() {
        let case = Case::default().then(CREATE, status(201));
        let case = case.then(
            DESCRIBE,
            json(200, description("2013-02-04T18:46:40.000Z", json!({}))),
        );
        assert_eq!(
            case.breaks("DSV-BODY-003"),
            [("creation-date-wrong", Level::Must)]
        );
    }

    #[test]
    fn a_vault_that_is_reset_by_its_creation_is_one_cause() {
        let again = |date| {
            let case = described(json!({})).then(CREATE, status(201));
            case.then(DESCRIBE, json(200, description(date, json!({}))))
        };
        let kept = again("2013-02-04T17:46:40.000Z");
        assert!(kept.holds("CV-IDEM-001") && kept.holds("CV-IDEM-002"));
        let reset = again("2013-02-04T17:46:42.000Z");
        assert_eq!(reset.breaks("CV-IDEM-002"), [("vault-wiped", Level::Must)]);
        assert_eq!(reset.breaks("DSV-BODY-003"), [("vault-wiped", Level::Must)]);
    }

    #[test]
    fn the_size_of_a_vault_shrinks_with_its_archives() {
        let left = |size: u64| {
            let upload = |case: Case, id: &str| {
                let step =
                    format!("UploadArchive: {{vault: v, archive: {id}, content: {{text: abc}}}}");
                case.then(&step, status(201).with("x-amz-archive-id", id))
            };
            let describe = |case: Case, date: &str, archives: u64, size: u64| {
                let counts = json!({"LastInventoryDate": date, "NumberOfArchives": archives, "SizeInBytes": size});
                let document = description("2013-02-04T17:46:40.000Z", counts);
                case.then(DESCRIBE, json(200, document))
            };
            let case = upload(Case::default().then(CREATE, status(201)), "a");
            let case = describe(upload(case, "b"), "2013-02-04T17:46:44.000Z", 2, 65542);
            let case = case.then("DeleteArchive: {vault: v, archive: a}", status(204));
            describe(case, "2013-02-04T17:46:47.000Z", 1, size)
        };
        assert!(left(32771).holds("DSV-INV-007"));
        assert_eq!(
            left(65542).breaks("DSV-INV-007"),
            [("counts-stale", Level::Must)]
        );
    }

    #[test]
    fn counts_are_judged_only_when_an_inventory_is_surely_later_than_the_change() {
        let upload = "UploadArchive: {vault: v, archive: a, content: {text: abc}}";
        let told = |created: &str, date: &str, archives: u64| {
            let case = Case::default()
                .then(CREATE, status(201))
                .then(upload, status(201).with("x-amz-archive-id", "A"));
            let counts = json!({"LastInventoryDate": date, "NumberOfArchives": archives, "SizeInBytes": 32771});
            case.then(DESCRIBE, json(200, description(created, counts)))
        };
        let inventoried =
            |date: &str, archives: u64| told("2013-02-04T17:46:40.000Z", date, archives);
        assert!(
            inventoried("2013-02-04T17:46:41.000Z", 0)
                .said("DSV-INV-005")
                .is_empty()
        );
        assert!(inventoried("2013-02-04T17:46:50.000Z", 1).holds("DSV-INV-005"));
        assert_eq!(
            inventoried("2013-02-04T17:46:50.000Z", 0).breaks("DSV-INV-005"),
            [("counts-stale", Level::Must)]
        );
        let anew = told("2013-02-04T17:46:49.000Z", "2013-02-04T17:46:50.000Z", 0);
        assert!(anew.said("DSV-INV-005").is_empty());
    }
}
