//! Families of cases that go straight where general fuzzers never get: retrieved ranges, assembled parts, filtered lists, inventories.

use serde_json::{Map, Value, json};

use crevasse_core::payload::Content;
use crevasse_core::range::ByteRange;
use crevasse_core::scenario::{
    Action, Claim, JsonBody, Naming, Page, RangeClaim, Ref, SizeClaim, Step,
};
use crevasse_core::treehash::MIB;

use super::{Draw, values};

pub(super) fn create(vault: &str) -> Step {
    create_named(vault, None)
}

pub(super) fn create_named(vault: &str, name: Option<Naming>) -> Step {
    Action::CreateVault {
        vault: vault.into(),
        name,
    }
    .into()
}

pub(super) fn upload(draw: &mut Draw, vault: &str, archive: &str, length: u64) -> Step {
    let content = values::payload(draw, length);
    Action::UploadArchive {
        vault: vault.into(),
        archive: archive.to_owned(),
        content,
        description: values::description(draw),
        tree_hash: Claim::Right,
        content_sha256: Claim::Right,
    }
    .into()
}

pub(super) fn retrieve(vault: &str, job: &str, archive: &str, range: Option<ByteRange>) -> Step {
    initiate(vault, job, retrieval(archive, range))
}

/// What asks for an archive, or for a range of it.
pub(super) fn retrieval(archive: &str, range: Option<ByteRange>) -> Value {
    let mut body =
        json!({"Type": "archive-retrieval", "ArchiveId": format!("${{archive:{archive}}}")});
    if let Some(range) = range {
        body["RetrievalByteRange"] = json!(range.to_string());
    }
    body
}

pub(super) fn initiate(vault: &str, job: &str, body: Value) -> Step {
    Action::InitiateJob {
        vault: vault.into(),
        job: job.to_owned(),
        body: JsonBody::Json(body),
    }
    .into()
}

pub(super) fn wait(vault: &str, job: &str) -> Step {
    Action::AwaitJob {
        vault: vault.into(),
        job: job.into(),
    }
    .into()
}

pub(super) fn output(vault: &str, job: &str, range: Option<String>) -> Step {
    Action::GetJobOutput {
        vault: vault.into(),
        job: job.into(),
        range,
    }
    .into()
}

/// One archive, some retrievals of parts of it, some downloads of parts of those, and pieces that make up a whole.
pub(super) fn ranges(draw: &mut Draw) -> Vec<Step> {
    let size = draw.from(values::size(7));
    let mut steps = vec![create("v"), upload(draw, "v", "a", size)];
    if draw.once_in(3) {
        let bad = values::misaligned_range(draw, size);
        steps.push(retrieve("v", "refused", "a", bad));
    }
    for number in 0..1 + draw.below(2) {
        let job = format!("j{number}");
        let range = draw
            .once_in(3)
            .then_some(())
            .map_or_else(|| Some(values::aligned_range(draw, size)), |()| None);
        let length = range.map_or(size, |range| range.len());
        steps.extend([retrieve("v", &job, "a", range), wait("v", &job)]);
        steps.extend(
            (0..1 + draw.below(3))
                .map(|_| output("v", &job, Some(values::range_header(draw, length)))),
        );
        if draw.once_in(2) {
            steps.extend(
                values::partition(draw, length)
                    .into_iter()
                    .map(|piece| output("v", &job, Some(values::header(piece)))),
            );
        }
        steps.push(output("v", &job, None));
    }
    steps
}

/// An upload in parts: out of order, some sent twice, sometimes with a flaw that the completion must not overlook.
pub(super) fn multipart(draw: &mut Draw) -> Vec<Step> {
    let part_size = MIB
        << draw
            .weighted(&[(4, 0), (2, 1), (1, 2)], |(weight, _)| *weight)
            .1;
    let count = 1 + draw.below(if part_size == MIB { 5 } else { 3 });
    let total = (count - 1) * part_size + draw.from(1..=part_size);
    let whole = values::payload(draw, total);
    let start = Action::InitiateMultipartUpload {
        vault: "v".into(),
        upload: "u".to_owned(),
        part_size: Some(part_size.to_string()),
        description: values::description(draw),
    };
    let mut steps = vec![create("v"), start.into()];
    steps.extend(parts(draw, &whole, part_size));
    if draw.once_in(3) {
        steps.push(list_parts(draw));
    }
    if draw.once_in(3) {
        let tree_hash = draw.one_of(&[0, 1, 2]);
        let tree_hash = [Claim::Flipped, Claim::OfNothing, Claim::Right][tree_hash].clone();
        let size = if tree_hash == Claim::Right {
            SizeClaim::Off(1)
        } else {
            SizeClaim::Right
        };
        steps.push(complete("refused", size, tree_hash));
    }
    steps.push(complete("a", SizeClaim::Right, Claim::Right));
    if draw.once_in(2) {
        let range = draw.once_in(2).then(|| values::aligned_range(draw, total));
        steps.extend([
            retrieve("v", "j", "a", range),
            wait("v", "j"),
            output("v", "j", None),
        ]);
    }
    steps
}

pub(super) fn complete(archive: &str, size: SizeClaim, tree_hash: Claim) -> Step {
    Action::CompleteMultipartUpload {
        vault: "v".into(),
        upload: "u".into(),
        archive: archive.to_owned(),
        size,
        tree_hash,
    }
    .into()
}

fn list_parts(draw: &mut Draw) -> Step {
    let limit = draw.one_of(&["1", "2", "50"]);
    let page = Page {
        limit: Some(limit.to_owned()),
        marker: None,
    };
    let list = Action::ListParts {
        vault: "v".into(),
        upload: "u".into(),
        page,
    };
    Action::Walk {
        list: Box::new(list),
    }
    .into()
}

fn parts(draw: &mut Draw, whole: &Content, part_size: u64) -> Vec<Step> {
    let all: Vec<ByteRange> = values::pieces(whole.length(), part_size).collect();
    let mut order = draw.shuffled(all.clone());
    if draw.once_in(3) {
        let again = draw.one_of(&all);
        order.push(again);
    }
    if draw.once_in(6) && order.len() > 1 {
        order.pop();
    }
    let claim = |draw: &mut Draw| {
        if draw.once_in(10) {
            Claim::Flipped
        } else {
            Claim::Right
        }
    };
    order
        .into_iter()
        .map(|range| part(whole.slice(range), range.start, claim(draw)))
        .collect()
}

pub(super) fn part(content: Content, at: u64, tree_hash: Claim) -> Step {
    Action::UploadMultipartPart {
        vault: "v".into(),
        upload: "u".into(),
        content,
        range: RangeClaim::At(at),
        tree_hash,
        content_sha256: Claim::Right,
    }
    .into()
}

/// Several jobs, some complete and some not, listed through filters, limits and both.
pub(super) fn job_filters(draw: &mut Draw) -> Vec<Step> {
    let mut steps = vec![create("v"), upload(draw, "v", "a", 1 + 9)];
    let jobs = 2 + draw.below(4);
    for number in 0..jobs {
        let job = format!("j{number}");
        let inventory = draw.once_in(3);
        steps.push(if inventory {
            initiate("v", &job, json!({"Type": "inventory-retrieval"}))
        } else {
            retrieve("v", &job, "a", None)
        });
        if draw.once_in(2) {
            steps.push(wait("v", &job));
        }
    }
    for _ in 0..2 + draw.below(3) {
        let list = Action::ListJobs {
            vault: "v".into(),
            page: Page {
                limit: draw
                    .one_of(&[None, Some("1"), Some("2"), Some("50")])
                    .map(str::to_owned),
                marker: None,
            },
            completed: draw
                .one_of(&[None, Some("true"), Some("false")])
                .map(str::to_owned),
            statuscode: draw
                .one_of(&[None, Some("InProgress"), Some("Succeeded"), Some("Failed")])
                .map(str::to_owned),
        };
        steps.push(
            Action::Walk {
                list: Box::new(list),
            }
            .into(),
        );
    }
    steps
}

/// Archives with descriptions that need quoting, listed as JSON and CSV, whole and in pages.
pub(super) fn inventories(draw: &mut Draw) -> Vec<Step> {
    let mut steps = vec![create("v")];
    let archives = 1 + draw.below(3);
    for number in 0..archives {
        let length = draw.from(1..2048u64);
        steps.push(upload(draw, "v", &format!("a{number}"), length));
    }
    if draw.once_in(3) {
        steps.push(
            Action::DeleteArchive {
                vault: "v".into(),
                archive: "a0".into(),
            }
            .into(),
        );
    }
    for (job, format) in [("json", "JSON"), ("csv", "CSV")] {
        steps.push(initiate(
            "v",
            job,
            json!({"Type": "inventory-retrieval", "Format": format}),
        ));
    }
    let limit = (1 + draw.below(archives)).to_string();
    steps.push(initiate(
        "v",
        "some",
        json!({"Type": "inventory-retrieval", "InventoryRetrievalParameters": {"Limit": limit}}),
    ));
    for job in ["json", "csv", "some"] {
        steps.extend([wait("v", job), output("v", job, None)]);
    }
    steps.push(output("v", "json", Some("bytes=0-9".to_owned())));
    steps
}

/// Tags added, overwritten and removed in any order.
pub(super) fn tags(draw: &mut Draw) -> Vec<Step> {
    let keys = ["a", "A", "key with space", "ключ", "k=v", "x/y+z@w", "0"];
    let mut steps = vec![create("v")];
    for _ in 0..3 + draw.below(5) {
        let chosen: Vec<&str> = (0..1 + draw.below(4)).map(|_| draw.one_of(&keys)).collect();
        let vault: Ref = "v".into();
        steps.push(if draw.once_in(3) {
            let mut keys: Vec<&str> = chosen;
            keys.sort_unstable();
            keys.dedup();
            Action::RemoveTagsFromVault {
                vault,
                body: JsonBody::Json(json!({"TagKeys": keys})),
            }
            .into()
        } else {
            let tags: Map<String, Value> = chosen
                .into_iter()
                .map(|key| (key.to_owned(), json!(draw.from("[a-z0-9 _./=+@-]{0,12}"))))
                .collect();
            Action::AddTagsToVault {
                vault,
                body: JsonBody::Json(json!({"Tags": tags})),
            }
            .into()
        });
        steps.push(Action::ListTagsForVault { vault: "v".into() }.into());
    }
    steps
}
