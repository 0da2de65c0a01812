//! What an exchange is about: the vault, upload, archive and job its action names, as the model remembers them.

use serde_json::Value;

use super::{Evidence, Observation};
use crate::amz_date::Timestamp;
use crate::model::{Archive, Expectation, Job, JobKind, Life, Model, Upload, Vault};
use crate::range::whole_number;
use crate::scenario::{Action, Page};
use crate::spec::OperationName;

/// The exchange, when it is a successful `operation` that was allowed to succeed.
pub(super) fn success<'a>(
    evidence: &Evidence<'a>,
    operation: OperationName,
) -> Option<&'a Observation> {
    evidence
        .exchange()
        .filter(|now| now.operation == Some(operation) && succeeded_rightly(now))
}

/// Whether it succeeded and the documents let it.
pub(super) fn succeeded_rightly(now: &Observation) -> bool {
    now.succeeded()
        && now.record.tweak.region.is_none()
        && now.expectation.allows_success()
        && !matches!(now.expectation, Expectation::Blocked(_))
}

/// The exchange with those before it, when it is a successful `operation` that was allowed to succeed.
pub(super) fn success_after<'a>(
    evidence: &Evidence<'a>,
    operation: OperationName,
) -> Option<(&'a Observation, &'a [Observation])> {
    let now = success(evidence, operation)?;
    Some((now, earlier(evidence)))
}

/// The exchanges before the one that is judged.
pub(super) fn earlier<'a>(evidence: &Evidence<'a>) -> &'a [Observation] {
    if let Evidence::Exchange { earlier, .. } = evidence {
        earlier
    } else {
        &[]
    }
}

/// Whether both go through the same vault of the same region.
pub(super) fn same_vault(one: &Observation, other: &Observation) -> bool {
    one.action().vault().is_some()
        && one.action().vault() == other.action().vault()
        && one.record.tweak.region == other.record.tweak.region
}

/// The name of the vault, as sent.
pub(super) fn vault_name(now: &Observation) -> Option<&str> {
    now.binding(&format!("vault:{}", now.action().vault()?))
}

/// The vault of the action, unless what is known of it is in doubt.
pub(super) fn vault<'a>(model: &'a Model, action: &Action) -> Option<&'a Vault> {
    let vault = model.vaults.get(action.vault()?.handle()?)?;
    (vault.life != Life::Doubtful && !vault.doubtful).then_some(vault)
}

/// The vault of the action, when it is known to exist.
pub(super) fn live_vault<'a>(model: &'a Model, action: &Action) -> Option<&'a Vault> {
    vault(model, action).filter(|vault| vault.life == Life::Live)
}

/// The upload of the action in the vault of the action, unless it is in doubt.
pub(super) fn upload<'a>(model: &'a Model, action: &Action) -> Option<&'a Upload> {
    let upload = vault(model, action)?
        .uploads
        .get(action.upload()?.handle()?)?;
    (upload.life != Life::Doubtful).then_some(upload)
}

/// The archive an action deletes, in the vault of the action.
pub(super) fn deleted_archive<'a>(model: &'a Model, action: &Action) -> Option<&'a Archive> {
    let Action::DeleteArchive { archive, .. } = action else {
        return None;
    };
    vault(model, action)?.archives.get(archive.handle()?)
}

/// The job an action names, in the vault of the action, unless it is in doubt.
pub(super) fn job<'a>(model: &'a Model, action: &Action) -> Option<&'a Job> {
    let (Action::DescribeJob { job, .. } | Action::GetJobOutput { job, .. }) = action else {
        return None;
    };
    vault(model, action)?
        .jobs
        .get(job.handle()?)
        .filter(|job| !job.doubtful)
}

/// The retrieval job an action names, the handle of its archive, and the archive.
pub(super) fn retrieval<'a>(
    model: &'a Model,
    action: &Action,
) -> Option<(&'a Job, &'a str, &'a Archive)> {
    let job = job(model, action)?;
    let JobKind::Archive { archive, .. } = &job.kind else {
        return None;
    };
    Some((job, archive, vault(model, action)?.archives.get(archive)?))
}

/// The description an archive or upload request carries.
pub(super) fn description(action: &Action) -> Option<&str> {
    match action {
        Action::UploadArchive { description, .. }
        | Action::InitiateMultipartUpload { description, .. } => description.as_deref(),
        _ => None,
    }
}

/// The paging parameters of a list.
pub(super) fn page(action: &Action) -> Option<&Page> {
    match action {
        Action::ListVaults { page }
        | Action::ListParts { page, .. }
        | Action::ListMultipartUploads { page, .. }
        | Action::ListJobs { page, .. } => Some(page),
        _ => None,
    }
}

/// The limit a list request was sent with, when it is one.
pub(super) fn limit_sent(now: &Observation) -> Option<u64> {
    page(now.action())?;
    whole_number(&parameter_sent(now, "limit")?)
}

/// Whether a list begins at its first item.
pub(super) fn is_first_page(now: &Observation) -> bool {
    marker_sent(now).is_none_or(|marker| marker.is_empty())
}

/// The marker of a list request, decoded.
pub(super) fn marker_sent(now: &Observation) -> Option<String> {
    parameter_sent(now, "marker")
}

/// A query parameter as it was sent, decoded.
pub(super) fn parameter_sent(now: &Observation, wanted: &str) -> Option<String> {
    let value = now.exchange().request.query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == wanted).then_some(value)
    })?;
    Some(
        percent_encoding::percent_decode_str(value)
            .decode_utf8_lossy()
            .into_owned(),
    )
}

/// The marker of a page, when it promises more.
pub(super) fn marker_given(now: &Observation) -> Option<&str> {
    now.member("/Marker")?
        .as_str()
        .filter(|marker| !marker.is_empty())
}

/// Whether a page is the whole list.
pub(super) fn is_whole_list(now: &Observation) -> bool {
    is_first_page(now) && marker_given(now).is_none()
}

/// The items of a page.
pub(super) fn items<'a>(now: &'a Observation, member: &str) -> Option<&'a [Value]> {
    now.member(&format!("/{member}"))?
        .as_array()
        .map(Vec::as_slice)
}

/// A string member of an item.
pub(super) fn text<'a>(item: &'a Value, member: &str) -> Option<&'a str> {
    item.get(member)?.as_str()
}

/// The value of a response header.
pub(super) fn header<'a>(now: &'a Observation, name: &str) -> Option<&'a str> {
    now.response()?.headers.value(name)
}

/// How far the target's clock is ahead of ours at most, in milliseconds, as its `Date` tells; 1 s of it is that header's resolution.
pub(super) fn clock_ahead(now: &Observation) -> Option<i64> {
    let date = Timestamp::parse_http(header(now, "date")?)?;
    Some(date.0 + 1000 - now.exchange().sent_at.0)
}
