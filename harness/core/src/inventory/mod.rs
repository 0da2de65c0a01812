//! Vault inventories as texts: the JSON and the CSV that a finished inventory job hands out, read leniently.
//! Refuses to know what should stand in them.

mod csv;
mod json;

pub use csv::{COLUMNS, CsvFault, CsvField, CsvInventory, CsvRow, parse_csv, written};
pub use json::{JsonFault, parse_json, read_json};

use crate::amz_date::Timestamp;

/// An inventory as it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// `VaultARN`, if it is a string. CSV has none.
    pub vault_arn: Option<String>,
    /// `InventoryDate`, if it is a string. CSV has none.
    pub date: Option<String>,
    /// The archives in the order listed.
    pub archives: Vec<Listed>,
}

/// An archive as an inventory lists it. A member that is absent, null or of the wrong type is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// `ArchiveId`.
    pub id: Option<String>,
    /// `ArchiveDescription`, unescaped.
    pub description: Option<String>,
    /// `CreationDate`, as written.
    pub created: Option<String>,
    /// `Size` in bytes.
    pub size: Option<u64>,
    /// `SHA256TreeHash`, as written.
    pub tree_hash: Option<String>,
}

impl Listing {
    /// The archive of this id, the first one if it is listed more than once.
    pub fn archive(&self, id: &str) -> Option<&Listed> {
        self.archives
            .iter()
            .find(|listed| listed.id.as_deref() == Some(id))
    }

    /// When the inventory was taken, if its date is one.
    pub fn taken(&self) -> Option<Timestamp> {
        Timestamp::parse_utc(self.date.as_ref()?)
    }
}

impl Listed {
    /// When the archive was created, if the date is one.
    pub fn created_at(&self) -> Option<Timestamp> {
        Timestamp::parse_utc(self.created.as_ref()?)
    }
}

#[cfg(test)]
mod tests;
