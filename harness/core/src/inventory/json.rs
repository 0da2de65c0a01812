//! Inventories in JSON.

use serde_json::Value;

use super::{Listed, Listing};

/// Why a text is no JSON inventory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not JSON, or no object.
    #[error("read a JSON object")]
    NotAnObject,
    /// No `ArchiveList`, or none that is an array of objects.
    #[error("find ArchiveList, a list of objects")]
    NoArchiveList,
}

/// Reads an inventory from its text.
///
/// # Errors
/// Only what leaves nothing to read: members that are missing or of the wrong type are `None` in the listing.
///
/// ```
/// use crevasse_core::inventory::parse_json;
/// let text = r#"{"VaultARN": "arn", "InventoryDate": "2011-12-12T14:19:01Z",
///     "ArchiveList": [{"ArchiveId": "A", "ArchiveDescription": "", "CreationDate": "2012-05-15T17:21:39.339Z",
///                      "Size": 2140123, "SHA256TreeHash": "f13b"}]}"#;
/// let listing = parse_json(text).unwrap();
/// assert_eq!(listing.archive("A").unwrap().size, Some(2_140_123));
/// ```
pub fn parse_json(text: &str) -> Result<Listing, JsonFault> {
    let document: Value = serde_json::from_str(text).map_err(|_| JsonFault::NotAnObject)?;
    read_json(&document)
}

/// Reads an inventory from its document.
///
/// # Errors
/// As [`parse_json`].
pub fn read_json(document: &Value) -> Result<Listing, JsonFault> {
    let members = document.as_object().ok_or(JsonFault::NotAnObject)?;
    let list = members
        .get("ArchiveList")
        .and_then(Value::as_array)
        .ok_or(JsonFault::NoArchiveList)?;
    let archives: Option<Vec<Listed>> = list.iter().map(listed).collect();
    Ok(Listing {
        vault_arn: text(document, "VaultARN"),
        date: text(document, "InventoryDate"),
        archives: archives.ok_or(JsonFault::NoArchiveList)?,
    })
}

fn listed(item: &Value) -> Option<Listed> {
    item.is_object().then(|| Listed {
        id: text(item, "ArchiveId"),
        description: text(item, "ArchiveDescription"),
        created: text(item, "CreationDate"),
        size: item.get("Size").and_then(Value::as_u64),
        tree_hash: text(item, "SHA256TreeHash"),
    })
}

fn text(object: &Value, member: &str) -> Option<String> {
    object.get(member)?.as_str().map(str::to_owned)
}
