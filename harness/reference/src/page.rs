//! Lists in pages: order, markers that outlive their items, and limits.

use crevasse_core::model::Model;
use crevasse_core::scenario::{Action, Marker, Page};

use crate::realm::Place;

/// An item of a list before it is written: where it stands, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Sorts the list, and is what a marker holds.
    pub(crate) key: String,
    /// The handle of the item.
    pub(crate) id: String,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) entries: Vec<Entry>,
    /// The key of the last item, if more follow.
    pub(crate) next: Option<String>,
}

/// The largest page of a list, which is also the default: 10 vaults, 50 of everything else.
pub(crate) fn largest(action: &Action) -> usize {
    if matches!(action, Action::ListVaults { .. }) {
        10
    } else {
        50
    }
}

/// The page that an action asks for, when it is a list in pages.
pub(crate) fn page_of(action: &Action) -> Option<&Page> {
    match action {
        Action::ListVaults { page }
        | Action::ListParts { page, .. }
        | Action::ListMultipartUploads { page, .. }
        | Action::ListJobs { page, .. } => Some(page),
        _ => None,
    }
}

/// The marker that was sent; an empty one is none.
pub(crate) fn marker(page: &Page) -> Option<&str> {
    match &page.marker {
        Some(Marker::Literal(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The key in a marker of the list of `action`; `None` when no page of it can have given the marker.
pub(crate) fn key_in(marker: &str, action: &Action, place: &Place) -> Option<String> {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    match action {
        Action::ListVaults { .. } => {
            let name = marker.strip_prefix(&place.arn(""))?;
            (!name.is_empty()).then(|| name.to_owned())
        }
        Action::ListParts { .. } => digits(marker, 20).then(|| marker.to_owned()),
        _ => {
            let (time, id) = marker.split_once('.')?;
            (digits(time, 20) && !id.is_empty()).then(|| marker.to_owned())
        }
    }
}

/// The marker for a key.
pub(crate) fn marker_for(key: &str, action: &Action, place: &Place) -> String {
    match action {
        Action::ListVaults { .. } => place.arn(key),
        _ => key.to_owned(),
    }
}

/// The items that an action lists, in order and filtered, but not cut.
pub(crate) fn entries(action: &Action, model: &Model) -> Vec<Entry> {
    let mut entries = match action {
        Action::ListVaults { .. } => vaults(model),
        Action::ListParts { vault, upload, .. } => parts(vault.handle(), upload.handle(), model),
        Action::ListMultipartUploads { vault, .. } => uploads(vault.handle(), model),
        Action::ListJobs {
            vault,
            completed,
            statuscode,
            ..
        } => jobs(
            vault.handle(),
            completed.as_deref(),
            statuscode.as_deref(),
            model,
        ),
        _ => Vec::new(),
    };
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries
}

/// Cuts the page after the key out of a list.
pub(crate) fn cut(entries: Vec<Entry>, after: Option<&str>, limit: usize) -> Cut {
    let begin = after.map_or(0, |key| {
        let exact = entries.iter().position(|entry| entry.key == key);
        let beyond = || entries.iter().position(|entry| entry.key.as_str() > key);
        exact
            .map(|at| at + 1)
            .or_else(beyond)
            .unwrap_or(entries.len())
    });
    let more = entries.len() - begin > limit;
    let page: Vec<Entry> = entries.into_iter().skip(begin).take(limit).collect();
    Cut {
        next: page.last().filter(|_| more).map(|last| last.key.clone()),
        entries: page,
    }
}

/// The number of items a page may hold at most; the default where none is asked for, clamped where too many are.
pub(crate) fn limit(page: &Page, largest: usize) -> usize {
    let asked = page
        .limit
        .as_ref()
        .and_then(|limit| limit.parse::<u128>().ok());
    asked.map_or(largest, |limit| {
        usize::try_from(limit).unwrap_or(largest).min(largest)
    })
}

fn vaults(model: &Model) -> Vec<Entry> {
    let live = model
        .vaults
        .iter()
        .filter(|(_, vault)| vault.life == crevasse_core::model::Life::Live);
    live.map(|(id, vault)| Entry {
        key: vault.name.clone(),
        id: id.clone(),
    })
    .collect()
}

/// Parts are known by their first byte.
fn parts(vault: Option<&str>, upload: Option<&str>, model: &Model) -> Vec<Entry> {
    let upload = vault
        .and_then(|vault| model.vaults.get(vault))
        .and_then(|vault| vault.uploads.get(upload?));
    let starts = upload.into_iter().flat_map(|upload| upload.parts.keys());
    starts
        .map(|start| Entry {
            key: format!("{start:020}"),
            id: start.to_string(),
        })
        .collect()
}

fn uploads(vault: Option<&str>, model: &Model) -> Vec<Entry> {
    let vault = vault.and_then(|vault| model.vaults.get(vault));
    let uploads = vault.into_iter().flat_map(|vault| vault.uploads.iter());
    uploads
        .filter(|(_, upload)| upload.life != crevasse_core::model::Life::Gone)
        .map(|(id, upload)| Entry {
            key: format!("{:020}.{id}", upload.created.1.0),
            id: id.clone(),
        })
        .collect()
}

/// Newest first, as the real service (O-42).
fn jobs(
    vault: Option<&str>,
    completed: Option<&str>,
    statuscode: Option<&str>,
    model: &Model,
) -> Vec<Entry> {
    let vault = vault.and_then(|vault| model.vaults.get(vault));
    let jobs = vault.into_iter().flat_map(|vault| vault.jobs.iter());
    jobs.filter(|(_, job)| {
        let state = crate::render::status_code(job.status);
        let done = if state == "InProgress" {
            "false"
        } else {
            "true"
        };
        statuscode.is_none_or(|code| code == state) && completed.is_none_or(|text| text == done)
    })
    .map(|(id, job)| Entry {
        key: format!("{:020}.{id}", i64::MAX - job.created.1.0),
        id: id.clone(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(keys: &[&str]) -> Vec<Entry> {
        let entry = |key: &&str| Entry {
            key: (*key).to_owned(),
            id: (*key).to_owned(),
        };
        keys.iter().map(entry).collect()
    }

    fn keys(cut: &Cut) -> Vec<&str> {
        cut.entries.iter().map(|entry| entry.key.as_str()).collect()
    }

    #[test]
    fn a_page_that_ends_with_the_last_item_promises_no_more() {
        let first = cut(list(&["a", "b", "c"]), None, 2);
        assert_eq!(
            (keys(&first), first.next.as_deref()),
            (vec!["a", "b"], Some("b"))
        );
        let last = cut(list(&["a", "b", "c", "d"]), Some("b"), 2);
        assert_eq!((keys(&last), last.next.as_deref()), (vec!["c", "d"], None));
    }

    #[test]
    fn a_walk_goes_on_where_the_marker_item_was_deleted() {
        let page = cut(list(&["a", "c", "d"]), Some("b"), 2);
        assert_eq!(keys(&page), ["c", "d"]);
    }
}
