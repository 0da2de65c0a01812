//! Requests that overlap, and then a look at what came of them: some order must explain it, and nothing acknowledged may be lost.

use serde_json::json;

use crevasse_core::scenario::{Action, Claim, JsonBody, Page, SizeClaim, Step};
use crevasse_core::treehash::MIB;

use super::families::{complete, create, initiate, output, part, retrieve, upload, wait};
use super::{Draw, values};

type Race = fn(&mut Draw) -> Vec<Step>;

/// What competes with what.
const RACES: [Race; 8] = [
    uploads,
    parts,
    completions,
    completion_and_abort,
    deletion_and_retrieval,
    creations,
    tags,
    jobs,
];

/// One race, and its outcome as the listings and the stored bytes show it.
pub(super) fn overlap(draw: &mut Draw) -> Vec<Step> {
    draw.one_of(&RACES)(draw)
}

/// Up to five at once: so many the judge can put in every order.
fn several(draw: &mut Draw) -> u64 {
    2 + draw.below(4)
}

fn together(draw: &mut Draw, steps: Vec<Step>) -> Step {
    let steps = draw.shuffled(steps);
    Action::Together { steps }.into()
}

fn walk(list: Action) -> Step {
    let list = Box::new(list);
    Action::Walk { list }.into()
}

/// Archives into one vault: each is in the inventory, and one of them comes back as it was.
fn uploads(draw: &mut Draw) -> Vec<Step> {
    let count = several(draw);
    let all = (0..count)
        .map(|number| {
            let length = draw.from(1..2 * MIB);
            upload(draw, "v", &format!("a{number}"), length)
        })
        .collect();
    let one = format!("a{}", draw.below(count));
    vec![
        create("v"),
        together(draw, all),
        initiate("v", "inventory", json!({"Type": "inventory-retrieval"})),
        retrieve("v", "j", &one, None),
        wait("v", "inventory"),
        output("v", "inventory", None),
        wait("v", "j"),
        output("v", "j", None),
    ]
}

/// An upload that is ready to be completed, its parts sent at once.
fn parts(draw: &mut Draw) -> Vec<Step> {
    let mut steps = assembled(draw);
    steps.push(walk(Action::ListParts {
        vault: "v".into(),
        upload: "u".into(),
        page: Page::default(),
    }));
    steps.push(right_completion("a"));
    steps.extend([
        retrieve("v", "j", "a", None),
        wait("v", "j"),
        output("v", "j", None),
    ]);
    steps
}

fn assembled(draw: &mut Draw) -> Vec<Step> {
    let count = several(draw);
    let length = (count - 1) * MIB + draw.from(1..=MIB);
    let whole = values::payload(draw, length);
    let parts = values::pieces(whole.length(), MIB)
        .map(|range| part(whole.slice(range), range.start, Claim::Right))
        .collect();
    let start = Action::InitiateMultipartUpload {
        vault: "v".into(),
        upload: "u".to_owned(),
        part_size: Some(MIB.to_string()),
        description: None,
    };
    vec![create("v"), start.into(), together(draw, parts)]
}

fn right_completion(archive: &str) -> Step {
    complete(archive, SizeClaim::Right, Claim::Right)
}

/// Two completions of one upload: there is one archive afterwards.
fn completions(draw: &mut Draw) -> Vec<Step> {
    let mut steps = assembled(draw);
    steps.push(together(
        draw,
        vec![right_completion("a"), right_completion("b")],
    ));
    steps.extend(open_uploads_and_inventory());
    steps
}

/// The upload becomes an archive or vanishes, not both.
fn completion_and_abort(draw: &mut Draw) -> Vec<Step> {
    let mut steps = assembled(draw);
    let abort = Action::AbortMultipartUpload {
        vault: "v".into(),
        upload: "u".into(),
    };
    steps.push(together(draw, vec![right_completion("a"), abort.into()]));
    steps.extend(open_uploads_and_inventory());
    steps
}

fn open_uploads_and_inventory() -> [Step; 4] {
    [
        walk(Action::ListMultipartUploads {
            vault: "v".into(),
            page: Page::default(),
        }),
        initiate("v", "inventory", json!({"Type": "inventory-retrieval"})),
        wait("v", "inventory"),
        output("v", "inventory", None),
    ]
}

/// The job begins before the archive goes, or is refused.
fn deletion_and_retrieval(draw: &mut Draw) -> Vec<Step> {
    let delete = Action::DeleteArchive {
        vault: "v".into(),
        archive: "a".into(),
    };
    let length = draw.from(1..MIB);
    let race = vec![delete.into(), retrieve("v", "j", "a", None)];
    vec![
        create("v"),
        upload(draw, "v", "a", length),
        together(draw, race),
        wait("v", "j"),
        output("v", "j", None),
    ]
}

/// A vault made by several at once, before there is something in it or after: it is there, and keeps what it has.
fn creations(draw: &mut Draw) -> Vec<Step> {
    let count = several(draw);
    let all = (0..count).map(|_| create("v")).collect();
    let race = together(draw, all);
    let stored = upload(draw, "v", "a", 1);
    let mut steps = match draw.once_in(2) {
        true => vec![race, stored],
        false => vec![create("v"), stored, race],
    };
    steps.extend([
        Action::DescribeVault { vault: "v".into() }.into(),
        retrieve("v", "j", "a", None),
        wait("v", "j"),
        output("v", "j", None),
    ]);
    steps
}

/// Every tag that was acknowledged is there.
fn tags(draw: &mut Draw) -> Vec<Step> {
    let count = several(draw);
    let all = (0..count)
        .map(|number| {
            let body = JsonBody::Json(json!({"Tags": {format!("key {number}"): "value"}}));
            let vault = "v".into();
            Action::AddTagsToVault { vault, body }.into()
        })
        .collect();
    vec![
        create("v"),
        together(draw, all),
        Action::ListTagsForVault { vault: "v".into() }.into(),
    ]
}

/// Every job that was acknowledged is listed.
fn jobs(draw: &mut Draw) -> Vec<Step> {
    let count = several(draw);
    let all = (0..count)
        .map(|number| retrieve("v", &format!("j{number}"), "a", None))
        .collect();
    let list = Action::ListJobs {
        vault: "v".into(),
        page: Page::default(),
        completed: None,
        statuscode: None,
    };
    vec![
        create("v"),
        upload(draw, "v", "a", 1),
        together(draw, all),
        walk(list),
        wait("v", "j0"),
        output("v", "j0", None),
    ]
}
