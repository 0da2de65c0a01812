//! Rules for the date and the size of inventories.

use serde_json::Value;

use super::inventory::{Inventoried, full_inventory, inventory_format};
use super::jobs::known_job;
use super::output::Download;
use super::subject::{clock_ahead, earlier, success};
use super::{Check, Evidence, Judgements, Symptom};
use crate::amz_date::Timestamp;
use crate::spec::OperationName as O;

/// When inventories were taken, and how large they are.
pub(super) const CHECKS: &[Check] = &[
    Check::new("inventory-size", &["DJ-INV-002", "DJ-INV-006"], judge_size),
    Check::new(
        "inventory-date",
        &["INV-FRESH-001", "INV-FRESH-002", "INV-DATE-001"],
        judge_date,
    ),
    Check::new("vault-inventory-date", &["INV-DATE-001"], judge_vault_date),
];

/// The size that a description tells is the length of the output.
fn judge_size(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let (Some(format), Some(download)) = (inventory_format(now), Download::of(evidence)) else {
        return;
    };
    let (Some(told), Some(response)) = (download.job.output_length(), download.response()) else {
        return;
    };
    let length = response.body.length;
    let symptom = || {
        Symptom::new(
            "inventory-size-wrong",
            "InventorySizeInBytes is not the length of the output",
        )
    };
    let requirements: &[&'static str] = if format == "CSV" {
        &["DJ-INV-002", "DJ-INV-006"]
    } else {
        &["DJ-INV-002"]
    };
    for &requirement in requirements {
        out.judge(
            requirement,
            told == length,
            symptom,
            format!("InventorySizeInBytes: {length}"),
            || told.to_string(),
        );
    }
}

fn judge_date(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(inventory) = Inventoried::of(evidence) else {
        return;
    };
    let (Some(date), Some(ahead)) = (inventory.listing.taken(), clock_ahead(inventory.now)) else {
        return;
    };
    let latest = inventory.now.exchange().done_at.plus_millis(ahead + 1000);
    let symptom = || {
        Symptom::new(
            "inventory-in-future",
            "InventoryDate is later than the download",
        )
    };
    for requirement in ["INV-FRESH-001", "INV-DATE-001"] {
        out.judge(
            requirement,
            date <= latest,
            symptom,
            format!("not after {latest}"),
            || date.to_string(),
        );
    }
    let Some(before) = full_inventory(inventory.now, earlier(evidence)) else {
        return;
    };
    let settled = inventory
        .vault
        .changed_at
        .is_none_or(|changed| before.taken().is_some_and(|taken| taken >= changed));
    let apart = known_job(inventory.now)
        .is_some_and(|job| job.created.0 >= before.now.exchange().done_at.plus_millis(1000));
    // Within one second two inventories may carry one date by chance.
    if settled && apart && inventory.vault.changed_at == before.vault.changed_at {
        out.also_rests_on(before.now.index);
        let symptom = || {
            Symptom::new(
                "inventory-date-advances",
                "InventoryDate advances although no archive was added or deleted",
            )
        };
        let expected = format!(
            "InventoryDate: {}",
            before.listing.date.as_deref().unwrap_or_default()
        );
        out.judge(
            "INV-FRESH-002",
            inventory.listing.date == before.listing.date,
            symptom,
            expected,
            || date.to_string(),
        );
    }
}

/// `LastInventoryDate` is the date of the latest inventory; a later one may have been taken meanwhile.
fn judge_vault_date(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::DescribeVault) else {
        return;
    };
    let Some(inventory) = full_inventory(now, earlier(evidence)) else {
        return;
    };
    let Some(taken) = inventory.listing.taken().map(Timestamp::whole_seconds) else {
        return;
    };
    let told = now.member("/LastInventoryDate").and_then(Value::as_str);
    let date = told
        .and_then(Timestamp::parse_utc)
        .map(Timestamp::whole_seconds);
    out.also_rests_on(inventory.now.index);
    match date {
        Some(date) if date == taken => out.held("INV-DATE-001"),
        Some(date) if date > taken => {
            out.inconclusive("INV-DATE-001", "a later inventory was taken");
        }
        _ => {
            let symptom = Symptom::new(
                "last-inventory-date-stale",
                "LastInventoryDate is not the date of the last inventory",
            );
            out.violated(
                "INV-DATE-001",
                symptom,
                format!("LastInventoryDate: {taken}"),
                told.unwrap_or("null or absent"),
            );
        }
    }
}
