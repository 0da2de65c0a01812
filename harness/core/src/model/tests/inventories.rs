//! Inventories: when they are taken, and which part of one a job asks for.

use serde_json::{Value, json};

use super::World;
use crate::amz_date::Timestamp;
use crate::model::{Inventory, InventoryEntry};
use crate::treehash::sha256;

const UPLOAD: &str = "UploadArchive: {vault: v, archive: a, content: {pattern: 9}}";

fn taken(world: &mut World) -> Inventory {
    let now = world.now;
    let vault = world.model.vaults.get_mut("v").expect("a vault");
    vault.take_inventory(now).clone()
}

#[test]
fn an_inventory_lists_what_there_is_when_it_is_taken() {
    let mut world = World::after(&[
        "CreateVault: {vault: v}",
        UPLOAD,
        &UPLOAD.replace(": a", ": b"),
        "DeleteArchive: {vault: v, archive: a}",
    ]);
    let inventory = taken(&mut world);
    let listed: Vec<_> = inventory
        .entries
        .iter()
        .map(|entry| (entry.id.as_str(), entry.size, entry.description.as_str()))
        .collect();
    // INV-JSON-007, DA-EFFECT-004, INV-JSON-004.
    assert_eq!(listed, [("id-of-b", 9, "")]);
    // O-29: 32,768 bytes an archive beside its own.
    assert_eq!(inventory.size_in_bytes(), 32_777);
}

#[test]
fn the_date_of_an_inventory_does_not_advance_when_nothing_changed() {
    let mut world = World::after(&["CreateVault: {vault: v}", UPLOAD]);
    let first = taken(&mut world);
    world.later(86_400_000);
    assert_eq!(taken(&mut world).date, first.date, "INV-FRESH-002");
    world.plays("DeleteArchive: {vault: v, archive: a}");
    let last = taken(&mut world);
    assert!(
        last.date > first.date && last.entries.is_empty(),
        "INV-JSON-007"
    );
}

/// Five archives, a minute apart, the first at 12:00:00.250.
fn five() -> Inventory {
    let noon: Timestamp = "2017-02-10T12:00:00.250Z".parse().expect("a time");
    let entries = (0..5).map(|n| InventoryEntry {
        id: n.to_string(),
        description: String::new(),
        created: noon.plus_millis(n * 60_000),
        size: 1,
        tree_hash: sha256(b"x"),
    });
    Inventory {
        date: noon.plus_millis(3_600_000),
        entries: entries.collect(),
        next: None,
    }
}

fn window(parameters: Value) -> (String, Option<String>) {
    let window = five().window(Some(&parameters));
    (
        window
            .entries
            .iter()
            .map(|entry| entry.id.as_str())
            .collect(),
        window.next,
    )
}

#[test]
fn a_window_begins_with_its_start_and_ends_before_its_end() {
    for (requirement, parameters, listed) in [
        (
            "IJ-INV-005",
            json!({"StartDate": "2017-02-10T12:01:00Z"}),
            "1234",
        ),
        (
            "IJ-INV-006",
            json!({"EndDate": "2017-02-10T12:03:00Z"}),
            "012",
        ),
        (
            "IJ-INV-007",
            json!({"StartDate": "2017-02-10T12:00:00Z", "EndDate": "2017-02-10T12:01:00Z"}),
            "0",
        ),
        (
            "IJ-INV-007",
            json!({"StartDate": null, "EndDate": null}),
            "01234",
        ),
        (
            "IJ-INV-007",
            json!({"StartDate": "2017-02-10T12:05:00Z"}),
            "",
        ),
    ] {
        assert_eq!(
            window(parameters.clone()),
            (listed.to_owned(), None),
            "{requirement}: {parameters}"
        );
    }
}

#[test]
fn a_limit_cuts_and_its_marker_goes_on_until_everything_was_listed_once() {
    let mut listed = String::new();
    let mut marker = None::<String>;
    for page in 0..3 {
        let (ids, next) = window(json!({"Limit": "2", "Marker": marker}));
        assert!(ids.len() <= 2, "IJ-INV-008");
        assert_eq!(next.is_none(), page == 2, "IJ-INV-010");
        listed.push_str(&ids);
        marker = next;
    }
    assert_eq!(listed, "01234", "IJ-INV-014");
    let inside = window(
        json!({"Limit": "2", "StartDate": "2017-02-10T12:01:00Z", "EndDate": "2017-02-10T12:04:00Z"}),
    );
    assert_eq!(
        inside,
        ("12".to_owned(), Some("2".to_owned())),
        "IJ-INV-013"
    );
}

#[test]
fn what_is_a_day_old_is_forgotten() {
    let mut world = World::after(&[
        "CreateVault: {vault: v}",
        UPLOAD,
        "InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}",
    ]);
    let done = world.now;
    world
        .model
        .complete_job("v", "j", crate::model::JobStatus::Succeeded, done);
    world.model.forget_expired(done.plus_millis(24 * 3_600_000));
    assert!(
        world.model.vaults["v"].jobs.contains_key("j"),
        "DJ-RETAIN-001"
    );
    world
        .model
        .forget_expired(done.plus_millis(24 * 3_600_000 + 1));
    assert!(world.model.vaults["v"].jobs.is_empty(), "GJO-STATE-005");
}
