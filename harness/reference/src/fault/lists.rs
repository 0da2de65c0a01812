//! Lists that cost a client what is on them: limits, markers and members of parts, uploads, jobs and vaults.

use crevasse_core::scenario::{Action, Marker};
use crevasse_core::spec::OperationName as O;
use serde_json::Value;

use super::means::{asks, done, fault, items};
use super::{Fault, Hook, Seam};
use crate::page;
use crate::render::Told;
use crate::service::Asked;

/// Whether a list asks for pages of a certain length.
fn limited(asked: &Asked) -> bool {
    page::page_of(&asked.action).is_some_and(|page| page.limit.is_some())
}

/// Whether this is a page of parts or uploads that ends before the list does.
fn goes_on(told: &Told<'_>) -> bool {
    let listed = done(told, O::ListParts) || done(told, O::ListMultipartUploads);
    listed && told.page.is_some_and(|page| page.next.is_some())
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "empty-marker-lists-nothing",
        "own",
        Seam::Reply,
        &["LV-MARKER-003"],
        "ListVaults with an empty marker is an empty list",
        &[Hook::Lists(|entries, asked, _, _| {
            let marker = page::page_of(&asked.action).and_then(|page| page.marker.as_ref());
            if asks(asked, O::ListVaults) && marker == Some(&Marker::Literal(String::new())) {
                entries.clear();
            }
        })],
    ),
    fault(
        "limit-of-parts-ignored",
        "own",
        Seam::Model,
        &["LP-LIMIT-002", "COM-PAGE-004"],
        "ListParts takes no notice of limit",
        &[Hook::Request(|asked, _| {
            if let Action::ListParts { page, .. } = &mut asked.action {
                page.limit = None;
            }
        })],
    ),
    fault(
        "fifty-parts-and-no-marker",
        "own",
        Seam::Reply,
        &["LP-LIMIT-001", "LMU-LIMIT-001", "COM-PAGE-010"],
        "parts and uploads are listed up to the fiftieth, and nothing says that there are more",
        &[Hook::Replies(|draft, told, _| {
            if goes_on(told)
                && !limited(told.asked)
                && let Some(marker) = draft.member("/Marker")
            {
                *marker = Value::Null;
            }
        })],
    ),
    fault(
        "parts-paged-backwards",
        "own",
        Seam::Reply,
        &["LP-LIMIT-002"],
        "ListParts with a limit begins with the last part",
        &[Hook::Lists(|entries, asked, _, _| {
            if asks(asked, O::ListParts) && limited(asked) {
                entries.reverse();
            }
        })],
    ),
    fault(
        "uploads-listed-without-their-vault",
        "own",
        Seam::Reply,
        &["LMU-STATUS-001"],
        "ListMultipartUploads tells no VaultARN",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListMultipartUploads) {
                for upload in items(draft).into_iter().flatten() {
                    upload["VaultARN"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "part-list-without-description",
        "own",
        Seam::Reply,
        &["LP-BODY-002", "LMU-BODY-002"],
        "ListParts tells no description where ListMultipartUploads tells one",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListParts)
                && let Some(description) = draft.member("/ArchiveDescription")
            {
                *description = Value::Null;
            }
        })],
    ),
    fault(
        "job-list-under-another-name",
        "own",
        Seam::Reply,
        &["LJ-STATUS-001"],
        "ListJobs lists jobs under Jobs",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListJobs)
                && let Some(document) = draft.document().and_then(Value::as_object_mut)
                && let Some(jobs) = document.shift_remove("JobList")
            {
                document.insert("Jobs".to_owned(), jobs);
            }
        })],
    ),
];
