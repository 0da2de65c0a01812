//! Inventories in CSV, in the dialect of the service: a quote is escaped by a backslash, a backslash is not escaped at all
//! (api-initiate-job-post, "Format"), so that a field may end in one. Only descriptions can hold quotes, commas or backslashes.

use super::{Listed, Listing};

/// The columns in their documented order.
pub const COLUMNS: [&str; 5] = [
    "ArchiveId",
    "ArchiveDescription",
    "CreationDate",
    "Size",
    "SHA256TreeHash",
];

const DESCRIPTION: usize = 1;

/// An inventory in CSV, line by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvInventory {
    /// The names in the header line, if there is one.
    pub header: Option<Vec<String>>,
    /// What stands below it.
    pub rows: Vec<CsvRow>,
    /// Lines that are no row of five fields, by number from 1.
    pub faults: Vec<CsvFault>,
}

/// A line that is no row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read line {line} as five fields")]
pub struct CsvFault {
    /// Its number, from 1.
    pub line: usize,
}

/// A line of five fields, in the order of [`COLUMNS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvRow {
    /// The fields.
    pub fields: [CsvField; 5],
}

/// A field as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvField {
    /// Whether it is in quotes.
    pub quoted: bool,
    /// Its text without those quotes, still escaped.
    pub raw: String,
}

impl CsvField {
    fn read(text: &str) -> Self {
        match text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        {
            Some(inner) => Self {
                quoted: true,
                raw: inner.to_owned(),
            },
            None => Self {
                quoted: false,
                raw: text.to_owned(),
            },
        }
    }

    /// What it means.
    pub fn value(&self) -> String {
        if self.quoted {
            self.raw.replace("\\\"", "\"")
        } else {
            self.raw.clone()
        }
    }
}

impl CsvRow {
    /// What the row tells.
    pub fn listed(&self) -> Listed {
        let [id, description, created, size, tree_hash] =
            self.fields.each_ref().map(CsvField::value);
        Listed {
            id: Some(id),
            description: Some(description),
            created: Some(created),
            size: size.parse().ok(),
            tree_hash: Some(tree_hash),
        }
    }

    /// The description as it stands.
    pub fn description(&self) -> &CsvField {
        &self.fields[DESCRIPTION]
    }
}

impl CsvInventory {
    /// What all rows tell.
    pub fn listing(&self) -> Listing {
        Listing {
            archives: self.rows.iter().map(CsvRow::listed).collect(),
            ..Listing::default()
        }
    }

    /// The row of this archive.
    pub fn row(&self, id: &str) -> Option<&CsvRow> {
        self.rows.iter().find(|row| row.fields[0].value() == id)
    }
}

/// Reads an inventory: lines end in LF or CRLF, quotes and the header are optional, and a header may name the columns in any order.
///
/// ```
/// use crevasse_core::inventory::parse_csv;
/// let read = parse_csv("A,\"my, \\\"archive\\\"\",2012-05-15T17:21:39Z,5,f2ca\r\n");
/// assert_eq!(read.listing().archives[0].description.as_deref(), Some("my, \"archive\""));
/// ```
pub fn parse_csv(text: &str) -> CsvInventory {
    let mut read = CsvInventory::default();
    let mut order = [0, 1, 2, 3, 4];
    let lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        if let Some(names) = header(line).filter(|_| read.header.is_none() && read.rows.is_empty())
        {
            order = places(&names).unwrap_or(order);
            read.header = Some(names);
            continue;
        }
        match row(line, order) {
            Some(row) => read.rows.push(row),
            None => read.faults.push(CsvFault { line: index + 1 }),
        }
    }
    read
}

/// Writes a field as the service does: in quotes, quotes escaped by a backslash, backslashes as they are.
pub fn written(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\\\""))
}

fn header(line: &str) -> Option<Vec<String>> {
    let names: Vec<String> = line
        .split(',')
        .map(|field| CsvField::read(field.trim()).value())
        .collect();
    names
        .iter()
        .any(|name| name.eq_ignore_ascii_case(COLUMNS[0]))
        .then_some(names)
}

/// In which place of a line each of the five columns stands.
fn places(names: &[String]) -> Option<[usize; 5]> {
    let mut places = [0; 5];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))?;
    }
    (names.len() == 5).then_some(places)
}

/// Fields before the description are counted from the left and those after it from the right: what is left is the description,
/// whatever stands in it. Nothing else makes sense of a description that ends in a backslash or holds `\",`.
fn row(line: &str, order: [usize; 5]) -> Option<CsvRow> {
    let before = order[DESCRIPTION];
    let mut rest = line;
    let mut fields = Vec::with_capacity(5);
    for _ in 0..before {
        let (field, others) = rest.split_once(',')?;
        fields.push(CsvField::read(field));
        rest = others;
    }
    let mut after = Vec::with_capacity(4);
    for _ in before + 1..5 {
        let (others, field) = rest.rsplit_once(',')?;
        after.push(CsvField::read(field));
        rest = others;
    }
    fields.push(CsvField::read(rest));
    fields.extend(after.into_iter().rev());
    let plain = |place: usize| {
        place == before
            || fields[place]
                .raw
                .bytes()
                .all(|byte| !matches!(byte, b'"' | b'\\'))
    };
    (0..5).all(plain).then(|| CsvRow {
        fields: order.map(|place| fields[place].clone()),
    })
}
