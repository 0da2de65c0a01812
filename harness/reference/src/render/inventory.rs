//! Vault inventories as texts, in the dialects of the real service (AMB-35).

use crevasse_core::model::{Inventory, InventoryEntry};
use serde_json::{Value, json};

/// Writes an inventory as its job asked for it.
pub(crate) fn text(inventory: &Inventory, format: &str, arn: &str) -> String {
    if format == "CSV" {
        csv(inventory)
    } else {
        json_text(inventory, arn).to_string()
    }
}

fn json_text(inventory: &Inventory, arn: &str) -> Value {
    let archives: Vec<Value> = inventory.entries.iter().map(entry).collect();
    json!({
        "VaultARN": arn,
        "InventoryDate": inventory.date.iso_seconds(),
        "ArchiveList": archives,
    })
}

fn entry(entry: &InventoryEntry) -> Value {
    json!({
        "ArchiveId": entry.id,
        "ArchiveDescription": entry.description,
        "CreationDate": entry.created.iso_seconds(),
        "Size": entry.size,
        "SHA256TreeHash": entry.tree_hash.to_string(),
    })
}

/// Writes an inventory as CSV: a header line, descriptions in quotes, `"` as `\"`, `\` as it is (O-35).
fn csv(inventory: &Inventory) -> String {
    let mut text = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n".to_owned();
    for entry in &inventory.entries {
        let description = entry.description.replace('"', "\\\"");
        let (created, size, hash) = (entry.created.iso_seconds(), entry.size, entry.tree_hash);
        text.push_str(&format!(
            "{},\"{description}\",{created},{size},{hash}\n",
            entry.id
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use crevasse_core::amz_date::Timestamp;
    use crevasse_core::treehash::sha256;

    use super::*;

    fn inventory(description: &str) -> Inventory {
        Inventory {
            date: "2013-03-20T17:03:43.250Z".parse().unwrap(),
            entries: vec![InventoryEntry {
                id: "id".to_owned(),
                description: description.to_owned(),
                created: Timestamp(0),
                size: 1,
                tree_hash: sha256(b"\n"),
            }],
            next: None,
        }
    }

    /// The compact form and whole seconds: O-27a.
    #[test]
    fn json_is_compact_with_whole_seconds_and_an_empty_description() {
        let text = text(&inventory(""), "JSON", "arn:x");
        assert_eq!(
            text,
            r#"{"VaultARN":"arn:x","InventoryDate":"2013-03-20T17:03:43Z","ArchiveList":[{"ArchiveId":"id","ArchiveDescription":"","CreationDate":"1970-01-01T00:00:00Z","Size":1,"SHA256TreeHash":"01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"}]}"#
        );
    }

    /// INV-CSV-004, INV-CSV-005.
    #[test]
    fn csv_escapes_quotes_by_a_backslash_and_backslashes_not_at_all() {
        let text = csv(&inventory(r#"1\"2,"#));
        let line = text.lines().nth(1).unwrap();
        assert!(line.starts_with(r#"id,"1\\"2,","#), "{line}");
    }
}
