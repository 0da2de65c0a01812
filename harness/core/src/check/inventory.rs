//! Rules for inventories: what a JSON inventory holds, and when it was taken.

use std::collections::BTreeSet;

use serde_json::Value;

use super::documents::sent;
use super::jobs::{begun, given};
use super::output::bytes;
use super::output_state::format_ignored;
use super::shape::{brief, shorten};
use super::subject::{clock_ahead, earlier, live_vault, same_vault, vault_name};
use super::vaults::was_made_again;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::amz_date::Timestamp;
use crate::inventory::{Listed, Listing, parse_csv, read_json};
use crate::model::{Archive, JobKind, Life, Vault};
use crate::requirement::Level;
use crate::spec::OperationName as O;
use crate::treehash::Digest;

/// Inventories.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "inventory-format",
        &["IJ-INV-003", "INV-JSON-001"],
        judge_format,
    ),
    Check::new(
        "inventory-members",
        &["INV-JSON-002", "INV-JSON-004", "INV-JSON-006"],
        judge_members,
    ),
    Check::new(
        "inventory-values",
        &["INV-JSON-003", "INV-JSON-005"],
        judge_values,
    ),
    Check::new("inventory-complete", &["INV-JSON-007"], judge_complete),
    Check::new("inventory-vault", &["INV-JSON-008"], judge_arn),
];

/// An inventory that was downloaded whole.
pub(super) struct Inventoried<'a> {
    pub(super) now: &'a Observation,
    pub(super) vault: &'a Vault,
    /// The parameters of the job, as sent.
    pub(super) asked: Value,
    /// What it lists.
    pub(super) listing: Listing,
    is_json: bool,
}

impl<'a> Inventoried<'a> {
    /// The JSON inventory an exchange brings.
    pub(super) fn of(evidence: &Evidence<'a>) -> Option<Self> {
        Self::seen(evidence.exchange()?, earlier(evidence)).filter(|inventory| inventory.is_json)
    }

    /// The inventory that an exchange brings, in JSON or CSV.
    pub(super) fn seen(now: &'a Observation, earlier: &'a [Observation]) -> Option<Self> {
        let is_json = inventory_format(now)? == "JSON";
        let listing = match now.document.as_deref() {
            Some(document) => read_json(document).ok().filter(|_| is_json)?,
            None => {
                let read = parse_csv(now.response()?.body.text()?);
                let is_csv = !is_json && read.faults.is_empty();
                is_csv.then(|| read.listing())?
            }
        };
        let vault = live_vault(&now.before, now.action())?;
        let asked = begun(now, earlier).and_then(sent)?;
        Some(Self {
            now,
            vault,
            asked,
            listing,
            is_json,
        })
    }

    /// Whether it is of the same archives as an earlier full one: its date says so, or where CSV has none, the vault holds no others.
    pub(super) fn is_of_those_in(&self, full: &Self) -> bool {
        if self.is_json {
            return self.listing.date == full.listing.date;
        }
        let archives = || self.vault.archives.values();
        let listed = |archive: &Archive| full.listing.archive(&archive.id).is_some();
        let as_many = archives().filter(|it| it.life == Life::Live).count();
        let all = archives().all(|it| it.life == Life::Gone || it.life == Life::Live && listed(it));
        all && !self.vault.doubtful && as_many == full.listing.archives.len()
    }

    /// A member of `InventoryRetrievalParameters` that was asked for.
    pub(super) fn window(&self, name: &str) -> Option<&str> {
        given(
            &self.asked,
            &format!("/InventoryRetrievalParameters/{name}"),
        )?
        .as_str()
    }

    /// Whether nothing was left out on purpose.
    pub(super) fn is_full(&self) -> bool {
        ["StartDate", "EndDate", "Limit", "Marker"]
            .iter()
            .all(|name| self.window(name).is_none())
    }

    /// The archive of this id, unless it is in doubt.
    pub(super) fn known(&self, listed: &Listed) -> Option<&'a Archive> {
        known_archive(self.vault, listed.id.as_deref()?)
    }

    /// When it was taken, by our clock and at the earliest.
    pub(super) fn taken(&self) -> Option<Timestamp> {
        Some(self.listing.taken()?.plus_millis(-clock_ahead(self.now)?))
    }
}

/// The archive of this id, unless it is in doubt.
pub(super) fn known_archive<'a>(vault: &'a Vault, id: &str) -> Option<&'a Archive> {
    vault
        .archives
        .values()
        .find(|archive| archive.id == id && archive.life != Life::Doubtful)
}

/// `Format` of the inventory job whose whole output an exchange brings.
pub(super) fn inventory_format(now: &Observation) -> Option<&str> {
    if now.operation != Some(O::GetJobOutput) || !now.succeeded() || super::output::has_range(now) {
        return None;
    }
    match &super::jobs::known_job(now)?.kind {
        JobKind::Inventory { format, .. } => Some(format),
        _ => None,
    }
}

/// The latest inventory of the same vault without any window, before this exchange.
pub(super) fn full_inventory<'a>(
    now: &Observation,
    earlier: &'a [Observation],
) -> Option<Inventoried<'a>> {
    (0..earlier.len()).rev().find_map(|place| {
        let (before, rest) = earlier.split_at(place);
        let seen = Some(&rest[0]).filter(|seen| same_vault(seen, now))?;
        Inventoried::seen(seen, before).filter(|inventory| inventory.is_json && inventory.is_full())
    })
}

fn judge_format(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let (Some(format), Some(response)) = (inventory_format(now), now.response()) else {
        return;
    };
    let actual = || format!("{}, {}", response.media_type(), bytes(&response.body));
    let unreadable = || {
        Symptom::new(
            "inventory-unreadable",
            format!("inventories in {format} cannot be read as that"),
        )
        .about(format.to_owned())
    };
    if format == "CSV" {
        let Some(text) = response.body.text() else {
            return;
        };
        let rows = now.document.is_none() && parse_csv(text).faults.is_empty();
        let symptom = || {
            if now.document.is_some() {
                format_ignored()
            } else {
                unreadable()
            }
        };
        return out.judge("IJ-INV-003", rows, symptom, "a CSV inventory", actual);
    }
    let listing = now.document.as_deref().map(read_json);
    let sound = matches!(listing, Some(Ok(_)));
    out.judge("IJ-INV-003", sound, unreadable, "a JSON inventory", actual);
    let expected = "an object with VaultARN, InventoryDate and ArchiveList";
    let missing = match &listing {
        Some(Ok(listing)) if listing.vault_arn.is_none() => Some("VaultARN"),
        Some(Ok(listing)) if listing.date.is_none() => Some("InventoryDate"),
        Some(Ok(_)) => None,
        _ => return out.violated("INV-JSON-001", unreadable(), expected, actual()),
    };
    let symptom = || {
        let name = missing.unwrap_or_default();
        Symptom::new("member-missing", format!("inventories lack {name}"))
            .about(format!("inventory.{name}"))
    };
    out.judge("INV-JSON-001", missing.is_none(), symptom, expected, || {
        format!("no {}", missing.unwrap_or_default())
    });
}

/// A member of a listed archive, and whether a value fits it.
type Member = (&'static str, fn(&Value) -> bool);

const MEMBERS: &[Member] = &[
    ("ArchiveId", Value::is_string),
    ("ArchiveDescription", |value| {
        value.is_string() || value.is_null()
    }),
    ("CreationDate", Value::is_string),
    ("Size", Value::is_u64),
    ("SHA256TreeHash", Value::is_string),
];

fn judge_members(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(inventory) = Inventoried::of(evidence) else {
        return;
    };
    let items = inventory
        .now
        .member("/ArchiveList")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if items.is_empty() {
        return judge_dates(&inventory, out);
    }
    let odd = items.iter().find_map(|item| {
        MEMBERS
            .iter()
            .find(|(name, fits)| !item.get(name).is_some_and(fits))
            .map(|(name, _)| (*name, item))
    });
    let symptom = || {
        let name = odd.map_or("", |(name, _)| name);
        Symptom::new(
            "inventory-member",
            format!("inventories list archives without {name}, or with one of the wrong type"),
        )
        .about(name)
    };
    let expected =
        "ArchiveId, ArchiveDescription, CreationDate, Size (a number) and SHA256TreeHash";
    let actual = || {
        odd.map_or_else(String::new, |(name, item)| {
            format!("{name}: {}", brief(item.get(name).unwrap_or(&Value::Null)))
        })
    };
    out.judge("INV-JSON-002", odd.is_none(), symptom, expected, actual);
    judge_dates(&inventory, out);
    for (item, listed) in items.iter().zip(&inventory.listing.archives) {
        let plain = inventory.known(listed).is_some_and(|archive| {
            archive
                .description
                .as_deref()
                .unwrap_or_default()
                .is_empty()
        });
        if plain {
            judge_empty_description(item.get("ArchiveDescription"), out);
        }
    }
}

/// Empty is what the service emits; null is tolerated (AMB-35).
fn judge_empty_description(told: Option<&Value>, out: &mut Judgements) {
    let symptom = |id| {
        Symptom::new(
            id,
            "archives without description are not inventoried with an empty one",
        )
    };
    match told {
        Some(Value::String(text)) if text.is_empty() => out.held("INV-JSON-004"),
        Some(Value::Null) => out.graded(
            "INV-JSON-004",
            Level::May,
            symptom("null-description"),
            "an empty string",
            "null",
        ),
        told => {
            let actual = told.map_or_else(|| "absent".to_owned(), brief);
            out.violated(
                "INV-JSON-004",
                symptom("description-invented"),
                "an empty string",
                actual,
            );
        }
    }
}

/// ISO 8601 in UTC, with or without a fraction.
fn judge_dates(inventory: &Inventoried<'_>, out: &mut Judgements) {
    let created = inventory
        .listing
        .archives
        .iter()
        .filter_map(|listed| listed.created.as_deref());
    let odd = inventory
        .listing
        .date
        .as_deref()
        .into_iter()
        .chain(created)
        .find(|text| Timestamp::parse_utc(text).is_none());
    let symptom = || {
        Symptom::new(
            "inventory-date-form",
            "dates in inventories are not ISO 8601 UTC times",
        )
    };
    out.judge(
        "INV-JSON-006",
        odd.is_none(),
        symptom,
        "YYYY-MM-DDThh:mm:ss[.sss]Z",
        || shorten(odd.unwrap_or_default()),
    );
}

const FIVE_MINUTES: i64 = 300_000;

fn judge_values(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(inventory) = Inventoried::of(evidence) else {
        return;
    };
    let ahead = clock_ahead(inventory.now).unwrap_or_default();
    for listed in &inventory.listing.archives {
        let Some(archive) = inventory.known(listed) else {
            continue;
        };
        judge_archive("INV-JSON-003", archive, listed, out);
        let (from, to) = (
            archive.created.0.0 + ahead - FIVE_MINUTES,
            archive.created.1.0 + ahead + FIVE_MINUTES,
        );
        let symptom = || {
            Symptom::new(
                "inventory-creation-date",
                "inventories tell another time than that of the upload",
            )
        };
        let kept = listed
            .created_at()
            .is_some_and(|at| (from..=to).contains(&at.0));
        out.judge(
            "INV-JSON-005",
            kept,
            symptom,
            format!("about {}", archive.created.1.plus_millis(ahead)),
            || listed.created.clone().unwrap_or_default(),
        );
    }
}

/// Size and tree hash of a listed archive are those of the upload.
pub(super) fn judge_archive(
    requirement: &'static str,
    archive: &Archive,
    listed: &Listed,
    out: &mut Judgements,
) {
    let size = archive.content.length();
    if listed.size != Some(size) {
        let symptom = Symptom::new(
            "inventory-archive-size",
            "inventories tell another size than that of the archive",
        );
        let actual = listed
            .size
            .map_or_else(|| "no number".to_owned(), |size| size.to_string());
        return out.violated(requirement, symptom, format!("Size: {size}"), actual);
    }
    let told = listed.tree_hash.as_deref().unwrap_or_default();
    let symptom = || super::treehash::wrong_hash(&archive.content, told);
    let kept = told.parse::<Digest>() == Ok(archive.tree_hash);
    out.judge(
        requirement,
        kept,
        symptom,
        format!("SHA256TreeHash: {}", archive.tree_hash),
        || shorten(told),
    );
}

/// What a full inventory has too few, too many or twice.
fn fault(inventory: &Inventoried<'_>) -> Option<(&'static str, &'static str, String)> {
    let ids: Vec<&str> = inventory
        .listing
        .archives
        .iter()
        .filter_map(|listed| listed.id.as_deref())
        .collect();
    let mut told = BTreeSet::new();
    let repeated = ids.iter().filter(|id| !told.insert(**id)).count();
    let archives = || inventory.vault.archives.values();
    let missing = archives()
        .filter(|archive| archive.life == Life::Live && !told.contains(archive.id.as_str()))
        .count();
    let certain =
        archives().all(|archive| archive.life != Life::Doubtful) && !inventory.vault.doubtful;
    let live =
        |id: &&&str| !archives().any(|archive| archive.life == Life::Live && archive.id == **id);
    let strange = ids.iter().filter(live).count();
    if repeated > 0 {
        Some((
            "inventory-repeats",
            "an inventory lists an archive more than once",
            format!("{repeated} listed again"),
        ))
    } else if missing > 0 {
        Some((
            "inventory-incomplete",
            "an inventory later than the last change leaves out archives",
            format!("{missing} missing"),
        ))
    } else if strange > 0 && certain {
        Some((
            "inventory-stale",
            "an inventory later than the last change lists archives that are not there",
            format!("{strange} too many"),
        ))
    } else {
        None
    }
}

fn judge_complete(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(inventory) = Inventoried::of(evidence).filter(Inventoried::is_full) else {
        return;
    };
    let Some((id, title, actual)) = fault(&inventory) else {
        return out.held("INV-JSON-007");
    };
    let current = inventory
        .vault
        .changed_at
        .is_none_or(|changed| inventory.taken().is_some_and(|taken| taken >= changed));
    let may_be_lost =
        id == "inventory-incomplete" && was_made_again(inventory.now, earlier(evidence));
    if may_be_lost {
        out.inconclusive(
            "INV-JSON-007",
            "the vault was created again, which has a rule of its own",
        );
    } else if current || id == "inventory-repeats" {
        out.violated(
            "INV-JSON-007",
            Symptom::new(id, title),
            "every archive of the vault, once",
            actual,
        );
    } else {
        out.inconclusive(
            "INV-JSON-007",
            "the inventory may be older than the last change",
        );
    }
}

fn judge_arn(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(inventory) = Inventoried::of(evidence) else {
        return;
    };
    let Some(told) = inventory.listing.vault_arn.as_deref() else {
        return;
    };
    let described = earlier(evidence).iter().rev().find(|seen| {
        seen.operation == Some(O::DescribeVault)
            && same_vault(seen, inventory.now)
            && seen.succeeded()
    });
    let known = described
        .and_then(|seen| seen.member("/VaultARN"))
        .and_then(Value::as_str);
    let named =
        vault_name(inventory.now).is_some_and(|name| told.ends_with(&format!(":vaults/{name}")));
    let symptom = || Symptom::new("inventory-vault", "inventories name another vault");
    let expected = known.map_or_else(|| "the ARN of the vault".to_owned(), str::to_owned);
    out.judge(
        "INV-JSON-008",
        named && known.is_none_or(|known| known == told),
        symptom,
        expected,
        || shorten(told),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::by_hand::{Answer, Case, json, status};
    use crate::requirement::Level;

    // SHA-256 of "abc", the first example of FIPS 180-2.
    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn item(id: &str) -> Value {
        json!({"ArchiveId": id, "ArchiveDescription": "", "CreationDate": "2013-02-04T17:46:41Z", "Size": 3, "SHA256TreeHash": HASH})
    }

    fn listing(date: &str, archives: Value) -> Answer {
        json(
            200,
            json!({"VaultARN": "arn:aws:glacier:us-east-1:012345678901:vaults/the-v", "InventoryDate": date, "ArchiveList": archives}),
        )
    }

    /// The output of an inventory job in a vault that holds one archive since 17:46:41.
    fn stored() -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then(
                "UploadArchive: {vault: v, archive: a, content: {text: abc}}",
                status(201).with("x-amz-archive-id", "A"),
            )
    }

    fn listed(case: Case, output: Answer) -> Case {
        let job = json!({"JobId": "I", "StatusCode": "Succeeded", "Completed": true});
        case.then(
            "InitiateJob: {vault: v, job: i, body: {Type: inventory-retrieval}}",
            status(202).with("x-amz-job-id", "I"),
        )
        .then("DescribeJob: {vault: v, job: i}", json(200, job))
        .then("GetJobOutput: {vault: v, job: i}", output)
    }

    fn inventoried(output: Answer) -> Case {
        listed(stored(), output)
    }

    const LATER: &str = "2013-02-04T17:46:43Z";

    #[test]
    fn an_inventory_lists_what_there_is() {
        let right = inventoried(listing(LATER, json!([item("A")])));
        for requirement in [
            "INV-JSON-001",
            "INV-JSON-002",
            "INV-JSON-003",
            "INV-JSON-004",
            "INV-JSON-005",
            "INV-JSON-006",
            "INV-JSON-007",
            "INV-JSON-008",
            "IJ-INV-003",
        ] {
            assert!(
                right.holds(requirement),
                "{requirement}: {:?}",
                right.breaks(requirement)
            );
        }
    }

    #[test]
    fn what_a_vault_lost_when_it_was_created_again_is_for_another_rule() {
        let again = stored().then("CreateVault: {vault: v}", status(201));
        let empty = listed(again, listing("2013-02-04T17:46:50Z", json!([])));
        assert!(empty.breaks("INV-JSON-007").is_empty() && !empty.holds("INV-JSON-007"));
    }

    #[test]
    fn what_is_missing_counts_only_in_a_later_inventory() {
        assert_eq!(
            inventoried(listing(LATER, json!([]))).breaks("INV-JSON-007"),
            [("inventory-incomplete", Level::Must)]
        );
        let early = inventoried(listing("2013-02-04T17:46:41Z", json!([])));
        assert!(early.breaks("INV-JSON-007").is_empty() && !early.holds("INV-JSON-007"));
        let twice = inventoried(listing(
            "2013-02-04T17:46:41Z",
            json!([item("A"), item("A")]),
        ));
        assert_eq!(
            twice.breaks("INV-JSON-007"),
            [("inventory-repeats", Level::Must)]
        );
        let strange = inventoried(listing(LATER, json!([item("A"), item("B")])));
        assert_eq!(
            strange.breaks("INV-JSON-007"),
            [("inventory-stale", Level::Must)]
        );
    }

    #[test]
    fn members_have_their_types() {
        let mut quoted = item("A");
        quoted["Size"] = json!("3");
        assert_eq!(
            inventoried(listing(LATER, json!([quoted]))).breaks("INV-JSON-002"),
            [("inventory-member", Level::Must)]
        );
        let mut plain = item("A");
        plain["ArchiveDescription"] = Value::Null;
        let null = inventoried(listing(LATER, json!([plain])));
        assert!(null.holds("INV-JSON-002"));
        assert_eq!(
            null.breaks("INV-JSON-004"),
            [("null-description", Level::May)]
        );
        let none = inventoried(status(200).bytes(b"<html>".to_vec()));
        assert_eq!(
            none.breaks("INV-JSON-001"),
            [("inventory-unreadable", Level::Must)]
        );
    }
}
