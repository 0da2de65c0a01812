//! Inventories: what they list, and how it is written.

use crevasse_core::model::Life;
use crevasse_core::scenario::Action;
use crevasse_core::spec::OperationName as O;
use serde_json::{Value, json};

use super::means::{asks, fault, rewrite_csv, rewrite_inventory, text, vault};
use super::{Fault, Hook, Seam};
use crate::realm::Realm;
use crate::service::Asked;

/// Alters the list of the inventory that a job just prepared.
fn relist(realm: &mut Realm, asked: &Asked, alter: impl FnOnce(&mut Vec<Value>)) {
    if asks(asked, O::InitiateJob) {
        rewrite_inventory(realm, asked, |inventory| {
            if let Some(list) = inventory["ArchiveList"].as_array_mut() {
                alter(list);
            }
        });
    }
}

/// Alters every entry of the inventory that a job just prepared.
fn restate(realm: &mut Realm, asked: &Asked, alter: impl FnMut(&mut Value)) {
    relist(realm, asked, |list| list.iter_mut().for_each(alter));
}

/// Alters every line of the CSV inventory that a job just prepared, but the header.
fn rewrite_lines(realm: &mut Realm, asked: &Asked, alter: fn(&str) -> String) {
    rewrite_csv(realm, asked, |csv| {
        let line = |(index, line): (usize, &str)| {
            if index == 0 {
                line.to_owned()
            } else {
                alter(line)
            }
        };
        csv.lines()
            .enumerate()
            .map(|pair| line(pair) + "\n")
            .collect()
    });
}

/// A line before its description, the description without quotes, and the rest.
fn fields(line: &str) -> Option<(&str, &str, &str)> {
    let (id, rest) = line.split_once(",\"")?;
    // Date, size and hash hold no comma, so the last three commas end the description.
    let end = rest.rmatch_indices(',').nth(2)?.0;
    Some((id, rest[..end].strip_suffix('"')?, &rest[end..]))
}

fn redescribe(line: &str, written: fn(&str) -> String) -> String {
    match fields(line) {
        Some((id, description, rest)) => format!("{id},{}{rest}", written(description)),
        None => line.to_owned(),
    }
}

fn unescaped(description: &str) -> String {
    description.replace("\\\"", "\"")
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "inventory-always-empty",
        "B083",
        Seam::Model,
        &["INV-JSON-007"],
        "inventories list nothing",
        &[Hook::After(|realm, asked, _, _| {
            relist(realm, asked, Vec::clear);
        })],
    ),
    fault(
        "inventory-loses-its-last-archive",
        "own",
        Seam::Model,
        &["INV-JSON-007"],
        "an inventory of two archives or more ends before the last",
        &[Hook::After(|realm, asked, _, _| {
            relist(realm, asked, |list| {
                if list.len() > 1 {
                    list.pop();
                }
            });
        })],
    ),
    fault(
        "inventory-repeats-its-first-archive",
        "own",
        Seam::Model,
        &["INV-JSON-007"],
        "an inventory of more than three archives lists the first twice",
        &[Hook::After(|realm, asked, _, _| {
            relist(realm, asked, |list| {
                if list.len() > 3 {
                    let first = list[0].clone();
                    list.push(first);
                }
            });
        })],
    ),
    fault(
        "inventory-forgets-multipart-archives",
        "own",
        Seam::Model,
        &["INV-JSON-007"],
        "archives made of parts are not in inventories",
        &[Hook::After(|realm, asked, _, memory| {
            if let Action::CompleteMultipartUpload { archive, .. } = &asked.action {
                memory.keep(archive, Value::Bool(true));
            }
            relist(realm, asked, |list| {
                list.retain(|entry| memory.kept(text(entry, "ArchiveId")).is_none());
            });
        })],
    ),
    fault(
        "inventory-keeps-deleted-archives",
        "own",
        Seam::Model,
        &["DA-EFFECT-004", "INV-JSON-007"],
        "deleted archives stay in inventories",
        &[Hook::After(|realm, asked, _, _| {
            let gone: Vec<Value> = vault(realm, asked)
                .into_iter()
                .flat_map(|vault| vault.archives.values())
                .filter(|archive| archive.life == Life::Gone)
                .map(|archive| {
                    json!({
                        "ArchiveId": archive.id,
                        "ArchiveDescription": archive.description.clone().unwrap_or_default(),
                        "CreationDate": archive.created.1.iso_seconds(),
                        "Size": archive.content.length(),
                        "SHA256TreeHash": archive.tree_hash.to_string(),
                    })
                })
                .collect();
            relist(realm, asked, |list| list.extend(gone));
        })],
    ),
    fault(
        "missing-description-null",
        "B092",
        Seam::Model,
        &["INV-JSON-004"],
        "the description of an archive that has none is null in inventories",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                if entry["ArchiveDescription"] == "" {
                    entry["ArchiveDescription"] = Value::Null;
                }
            });
        })],
    ),
    fault(
        "inventory-without-descriptions",
        "own",
        Seam::Model,
        &["UA-DESC-007"],
        "inventories tell no descriptions",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                entry["ArchiveDescription"] = "".into();
            });
        })],
    ),
    fault(
        "inventory-hash-linear",
        "own",
        Seam::Model,
        &["INV-JSON-003"],
        "SHA256TreeHash in inventories is the plain SHA-256",
        &[Hook::After(|realm, asked, _, _| {
            let archives = vault(realm, asked)
                .map(|vault| vault.archives.clone())
                .unwrap_or_default();
            restate(realm, asked, |entry| {
                if let Some(archive) = archives.get(text(entry, "ArchiveId")) {
                    entry["SHA256TreeHash"] = archive.content.sha256().to_string().into();
                }
            });
        })],
    ),
    fault(
        "inventory-size-with-overhead",
        "own",
        Seam::Model,
        &["INV-JSON-003"],
        "Size in inventories includes the overhead of 32,768 bytes",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                entry["Size"] = (entry["Size"].as_u64().unwrap_or_default() + 32_768).into();
            });
        })],
    ),
    fault(
        "inventory-entry-size-as-text",
        "own",
        Seam::Model,
        &["INV-JSON-003"],
        "Size in inventories is a string",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                entry["Size"] = entry["Size"].to_string().into();
            });
        })],
    ),
    fault(
        "inventory-dates-a-day-early",
        "own",
        Seam::Model,
        &["INV-JSON-005"],
        "CreationDate in inventories is a day early",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                let date: Option<crevasse_core::amz_date::Timestamp> =
                    text(entry, "CreationDate").parse().ok();
                if let Some(date) = date {
                    entry["CreationDate"] = date.plus_millis(-86_400_000).iso_seconds().into();
                }
            });
        })],
    ),
    fault(
        "inventory-dates-as-numbers",
        "own",
        Seam::Model,
        &["INV-JSON-002", "INV-JSON-006"],
        "dates in inventories are seconds since 1970",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                let date: Option<crevasse_core::amz_date::Timestamp> =
                    text(entry, "CreationDate").parse().ok();
                if let Some(date) = date {
                    entry["CreationDate"] = (date.0 / 1000).into();
                }
            });
        })],
    ),
    fault(
        "inventory-sizes-wrap-at-sixteen-mib",
        "own",
        Seam::Model,
        &["INV-JSON-003"],
        "inventories tell sizes in 24 bits",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                if let Some(size) = entry["Size"].as_u64() {
                    entry["Size"] = (size % (1 << 24)).into();
                }
            });
        })],
    ),
    fault(
        "inventory-without-arn",
        "own",
        Seam::Model,
        &["INV-JSON-001", "INV-JSON-008"],
        "inventories name the vault instead of its ARN",
        &[Hook::After(|realm, asked, _, _| {
            if asks(asked, O::InitiateJob) {
                let name = asked.vault().to_owned();
                rewrite_inventory(realm, asked, |inventory| {
                    inventory["VaultARN"] = name.into();
                });
            }
        })],
    ),
    fault(
        "inventory-members-misspelt",
        "own",
        Seam::Model,
        &["INV-JSON-002"],
        "the hash in inventories is called TreeHash",
        &[Hook::After(|realm, asked, _, _| {
            restate(realm, asked, |entry| {
                let hash = entry
                    .as_object_mut()
                    .and_then(|entry| entry.shift_remove("SHA256TreeHash"));
                entry["TreeHash"] = hash.unwrap_or_default();
            });
        })],
    ),
    fault(
        "inventory-in-the-future",
        "own",
        Seam::Model,
        &["INV-DATE-001"],
        "InventoryDate is an hour ahead",
        &[Hook::After(|realm, asked, effect, _| {
            if asks(asked, O::InitiateJob) {
                let later = effect.now.plus_millis(3_600_000).iso_seconds();
                rewrite_inventory(realm, asked, |inventory| {
                    inventory["InventoryDate"] = later.into();
                });
            }
        })],
    ),
    fault(
        "inventory-date-always-new",
        "own",
        Seam::Model,
        &["INV-FRESH-002"],
        "InventoryDate advances although nothing changed",
        &[Hook::Before(|realm, asked, _| {
            if asks(asked, O::InitiateJob)
                && let Some(vault) = vault(realm, asked)
            {
                vault.inventory = None;
            }
        })],
    ),
    fault(
        "csv-doubles-quotes",
        "B086",
        Seam::Model,
        &["INV-CSV-004"],
        "a quotation mark in a CSV inventory is doubled",
        &[Hook::After(|realm, asked, _, _| {
            rewrite_lines(realm, asked, |line| {
                redescribe(line, |description| {
                    format!("\"{}\"", unescaped(description).replace('"', "\"\""))
                })
            });
        })],
    ),
    fault(
        "csv-escapes-backslashes",
        "own",
        Seam::Model,
        &["INV-CSV-005"],
        "a backslash in a CSV inventory is doubled",
        &[Hook::After(|realm, asked, _, _| {
            rewrite_lines(realm, asked, |line| {
                redescribe(line, |description| {
                    format!(
                        "\"{}\"",
                        unescaped(description)
                            .replace('\\', "\\\\")
                            .replace('"', "\\\"")
                    )
                })
            });
        })],
    ),
    fault(
        "csv-never-quotes",
        "own",
        Seam::Model,
        &["INV-CSV-003"],
        "fields of a CSV inventory are never quoted",
        &[Hook::After(|realm, asked, _, _| {
            rewrite_lines(realm, asked, |line| redescribe(line, unescaped));
        })],
    ),
    fault(
        "csv-without-header",
        "own",
        Seam::Model,
        &["INV-CSV-002"],
        "a CSV inventory begins with its first archive",
        &[Hook::After(|realm, asked, _, _| {
            rewrite_csv(realm, asked, |csv| {
                csv.split_once('\n')
                    .map(|(_, rest)| rest.to_owned())
                    .unwrap_or_default()
            });
        })],
    ),
    fault(
        "csv-columns-swapped",
        "own",
        Seam::Model,
        &["INV-CSV-001"],
        "Size and SHA256TreeHash stand in each other's column",
        &[Hook::After(|realm, asked, _, _| {
            rewrite_lines(realm, asked, |line| {
                match line.rsplitn(3, ',').collect::<Vec<_>>().as_slice() {
                    [hash, size, rest] => format!("{rest},{hash},{size}"),
                    _ => line.to_owned(),
                }
            });
        })],
    ),
    fault(
        "csv-separated-by-semicolons",
        "own",
        Seam::Model,
        &["INV-CSV-001"],
        "a CSV inventory is separated by semicolons",
        &[Hook::After(|realm, asked, _, _| {
            rewrite_csv(realm, asked, |csv| csv.replace(',', ";"));
        })],
    ),
];
