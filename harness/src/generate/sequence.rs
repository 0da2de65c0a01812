//! Model-based sequences over all operations: the ideal model offers the moves that make sense now, weights lead into deep states,
//! and adversarial twists are mixed in.

use serde_json::{Value, json};

use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::{Expectation, Life, Made, Model, Observed, Vault};
use crevasse_core::payload::Content;
use crevasse_core::scenario::{
    Action, Claim, JsonBody, Naming, Page, RangeClaim, SizeClaim, Step, Tweak,
};
use crevasse_core::treehash::MIB;

use super::{Draw, families, history, values};

/// What can be done next. The weight says how gladly.
type Move = (u32, fn(&mut Draw, &World) -> Option<Step>);

/// What has been asked so far, and what it made of the ideal model.
struct World {
    model: Model,
    steps: Vec<Step>,
    made: u64,
    /// What the names of the vaults end in.
    endings: [&'static str; 3],
}

const VAULTS: [&str; 3] = ["v", "w", "x"];

/// Names that differ plainly, by case alone, or by what follows.
const ENDINGS: [[&str; 3]; 3] = [VAULTS, ["v", "V", "v.v"], ["v", "v_", "v-1"]];

const MOVES: [Move; 26] = [
    (2, create_vault),
    (1, describe_vault),
    (1, delete_vault),
    (1, list_vaults),
    (6, upload_archive),
    (3, delete_archive),
    (4, initiate_upload),
    (9, upload_part),
    (5, complete_upload),
    (2, abort_upload),
    (3, list_parts),
    (1, list_uploads),
    (6, retrieve_archive),
    (2, retrieve_inventory),
    (4, await_job),
    (6, read_output),
    (2, list_jobs),
    (2, add_tags),
    (1, remove_tags),
    (2, initiate_lock),
    (3, move_lock),
    (2, access_policy),
    (2, notifications),
    (2, unknown_ids),
    (6, again),
    (6, flawed),
];

/// A sequence of 8 to 30 steps that begins with a vault, and then an audit of what there is.
pub(super) fn sequence(draw: &mut Draw) -> Vec<Step> {
    let mut world = World {
        model: Model::default(),
        steps: Vec::new(),
        made: 0,
        endings: draw.one_of(&ENDINGS),
    };
    world.take(world.create(0));
    let length = 8 + draw.below(23) as usize;
    // Moves that cannot be made now are drawn again, a bounded number of times.
    for _ in 0..length * 4 {
        if world.steps.len() >= length {
            break;
        }
        let (_, next) = draw.weighted(&MOVES, |(weight, _)| *weight);
        if let Some(step) = next(draw, &world) {
            world.take(step);
        }
    }
    world.audit(draw);
    world.steps
}

impl World {
    fn take(&mut self, step: Step) {
        self.made += 1;
        let now = Timestamp(1000 * self.steps.len() as i64);
        let expectation = self.model.expect(&step.action, &step.tweak, now);
        let accepted = matches!(expectation, Expectation::Accept);
        let made = accepted.then(|| handle(&step.action)).flatten();
        let seen = Observed {
            accepted,
            status: if accepted { 200 } else { 400 },
            made: made.map(|id| Made { id, location: None }),
            sent_at: now,
            done_at: now,
            ..Observed::default()
        };
        self.model
            .observe(&step.action, &step.tweak, &expectation, &seen);
        self.steps.push(step);
    }

    fn must_refuse(&self, step: &Step) -> bool {
        let now = Timestamp(1000 * self.steps.len() as i64);
        let expectation = self.model.expect(&step.action, &step.tweak, now);
        matches!(expectation, Expectation::Refuse(_))
    }

    fn create(&self, vault: usize) -> Step {
        let (handle, ending) = (VAULTS[vault], self.endings[vault]);
        let name = (handle != ending).then(|| Naming::Suffix(ending.to_owned()));
        families::create_named(handle, name)
    }

    /// What was lost on the way, or belongs to another, shows in the end: each vault's inventory and some of its archives are asked for,
    /// and when the jobs are done everything is looked at.
    fn audit(&mut self, draw: &mut Draw) {
        let jobs = self.audit_jobs(draw);
        let begun = jobs
            .iter()
            .map(|(vault, job, body)| families::initiate(vault, job, body.clone()));
        let running = self
            .vaults()
            .into_iter()
            .map(|(vault, _)| list_jobs_of(vault).into());
        let done = jobs.iter().flat_map(|(vault, job, _)| {
            [
                families::wait(vault, job),
                families::output(vault, job, None),
            ]
        });
        let all: Vec<Step> = begun
            .chain(running)
            .chain(done)
            .chain(self.look_around())
            .collect();
        all.into_iter().for_each(|step| self.take(step));
    }

    /// An inventory of each vault, and up to three of its archives or ranges of them: vault, handle and body.
    fn audit_jobs(&self, draw: &mut Draw) -> Vec<(String, String, Value)> {
        let mut jobs = Vec::new();
        for (name, vault) in self.vaults() {
            let format = draw.one_of(&["JSON", "CSV"]);
            let inventory = json!({"Type": "inventory-retrieval", "Format": format});
            let archives = draw.shuffled(
                live_archives(vault)
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            );
            let retrievals = archives.iter().take(3).filter_map(|archive| {
                let size = vault.archives.get(archive)?.content.length();
                let range = draw.once_in(2).then(|| values::aligned_range(draw, size));
                Some(families::retrieval(archive, range))
            });
            let bodies: Vec<Value> = std::iter::once(inventory).chain(retrievals).collect();
            for body in bodies {
                let job = format!("audit{}", jobs.len());
                jobs.push((name.to_owned(), job, body));
            }
        }
        jobs
    }

    /// What there is to see of each vault.
    fn look_around(&self) -> Vec<Step> {
        let whole = Page::default();
        let of = |(name, vault): (&str, &Vault)| {
            let parts = open_uploads(vault)
                .into_iter()
                .map(|upload| Action::ListParts {
                    vault: name.into(),
                    upload: upload.into(),
                    page: whole.clone(),
                });
            let mut seen: Vec<Action> = parts.collect();
            let vault = || name.into();
            seen.extend([
                Action::DescribeVault { vault: vault() },
                Action::ListTagsForVault { vault: vault() },
                Action::GetVaultNotifications { vault: vault() },
                Action::GetVaultAccessPolicy { vault: vault() },
                Action::GetVaultLock { vault: vault() },
                Action::ListMultipartUploads {
                    vault: vault(),
                    page: whole.clone(),
                },
                list_jobs_of(name),
            ]);
            seen
        };
        self.vaults()
            .into_iter()
            .flat_map(of)
            .map(Step::from)
            .collect()
    }

    fn fresh(&self, kind: &str) -> String {
        format!("{kind}{}", self.made)
    }

    fn vaults(&self) -> Vec<(&str, &Vault)> {
        self.model
            .vaults
            .iter()
            .filter(|(_, vault)| vault.life == Life::Live)
            .map(|(handle, vault)| (handle.as_str(), vault))
            .collect()
    }

    fn vault(&self, draw: &mut Draw) -> Option<(&str, &Vault)> {
        let vaults = self.vaults();
        (!vaults.is_empty()).then(|| draw.one_of(&vaults))
    }

    /// A vault and something in it that `inside` finds, by handle.
    fn inside<'a>(
        &'a self,
        draw: &mut Draw,
        inside: fn(&'a Vault) -> Vec<&'a str>,
    ) -> Option<(&'a str, &'a Vault, &'a str)> {
        let all: Vec<_> = self
            .vaults()
            .into_iter()
            .flat_map(|(handle, vault)| {
                inside(vault)
                    .into_iter()
                    .map(move |found| (handle, vault, found))
            })
            .collect();
        (!all.is_empty()).then(|| draw.one_of(&all))
    }
}

fn list_jobs_of(vault: &str) -> Action {
    Action::ListJobs {
        vault: vault.into(),
        page: Page::default(),
        completed: None,
        statuscode: None,
    }
}

/// What was asked before, again.
fn again(draw: &mut Draw, world: &World) -> Option<Step> {
    let index = draw.below(world.steps.len() as u64) as usize;
    let step = history::again(&world.steps[index], |kind| world.fresh(kind));
    Some(step)
}

/// What was asked before, with a flaw: it is refused and changes nothing.
fn flawed(draw: &mut Draw, world: &World) -> Option<Step> {
    let step = again(draw, world)?;
    let flawed = history::flawed(draw, step)?;
    world.must_refuse(&flawed).then_some(flawed)
}

/// The content of an archive that was stored before, here or elsewhere, deleted or not.
fn stored_content(draw: &mut Draw, world: &World) -> Option<Content> {
    let (_, vault, archive) = world.inside(draw, archives)?;
    Some(vault.archives.get(archive)?.content.clone())
}

/// The handle that a step makes.
fn handle(action: &Action) -> Option<String> {
    match action {
        Action::CreateVault { vault, .. } => Some(vault.to_string()),
        Action::UploadArchive { archive, .. } | Action::CompleteMultipartUpload { archive, .. } => {
            Some(archive.clone())
        }
        Action::InitiateMultipartUpload { upload, .. } => Some(upload.clone()),
        Action::InitiateJob { job, .. } => Some(job.clone()),
        Action::InitiateVaultLock { lock, .. } => Some(lock.clone()),
        _ => None,
    }
}

fn archives(vault: &Vault) -> Vec<&str> {
    vault.archives.keys().map(String::as_str).collect()
}

fn live_archives(vault: &Vault) -> Vec<&str> {
    vault
        .archives
        .iter()
        .filter(|(_, archive)| archive.life == Life::Live)
        .map(|(handle, _)| handle.as_str())
        .collect()
}

fn uploads(vault: &Vault) -> Vec<&str> {
    vault.uploads.keys().map(String::as_str).collect()
}

fn open_uploads(vault: &Vault) -> Vec<&str> {
    vault
        .uploads
        .iter()
        .filter(|(_, upload)| upload.life == Life::Live)
        .map(|(handle, _)| handle.as_str())
        .collect()
}

fn jobs(vault: &Vault) -> Vec<&str> {
    vault.jobs.keys().map(String::as_str).collect()
}

/// One of three vaults, sometimes one that is there already.
fn create_vault(draw: &mut Draw, world: &World) -> Option<Step> {
    Some(world.create(draw.below(VAULTS.len() as u64) as usize))
}

fn describe_vault(draw: &mut Draw, world: &World) -> Option<Step> {
    world.vault(draw).map(|(vault, _)| {
        Action::DescribeVault {
            vault: vault.into(),
        }
        .into()
    })
}

fn delete_vault(draw: &mut Draw, world: &World) -> Option<Step> {
    world.vault(draw).map(|(vault, _)| {
        Action::DeleteVault {
            vault: vault.into(),
        }
        .into()
    })
}

fn page(draw: &mut Draw) -> Page {
    Page {
        limit: draw
            .one_of(&[None, Some("1"), Some("2"), Some("3")])
            .map(str::to_owned),
        marker: None,
    }
}

fn walk(list: Action) -> Option<Step> {
    Some(
        Action::Walk {
            list: Box::new(list),
        }
        .into(),
    )
}

fn list_vaults(_: &mut Draw, _: &World) -> Option<Step> {
    walk(Action::ListVaults {
        page: Page {
            limit: Some("10".to_owned()),
            marker: None,
        },
    })
}

fn upload_archive(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    let length = draw.from(values::size(3));
    let mut step = families::upload(draw, vault, &world.fresh("a"), length);
    // Twins: two archives of the same bytes are two.
    if let (true, Action::UploadArchive { content, .. }) = (draw.once_in(5), &mut step.action)
        && let Some(stored) = stored_content(draw, world)
    {
        *content = stored;
    }
    if draw.once_in(6) {
        let claim = draw.one_of(&[0, 1, 2, 3]);
        if let Action::UploadArchive { tree_hash, .. } = &mut step.action {
            *tree_hash = [
                Claim::Flipped,
                Claim::Linear,
                Claim::Absent,
                Claim::Literal("abc".to_owned()),
            ][claim]
                .clone();
        }
    }
    Some(step)
}

fn delete_archive(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _, archive) = world.inside(draw, archives)?;
    Some(
        Action::DeleteArchive {
            vault: elsewhere(draw, world, vault).into(),
            archive: archive.into(),
        }
        .into(),
    )
}

/// Nearly always this vault, sometimes another one, through which nothing of this one may be reached.
fn elsewhere(draw: &mut Draw, world: &World, vault: &str) -> String {
    let (other, _) = if draw.once_in(8) {
        world.vault(draw)
    } else {
        None
    }
    .unwrap_or((vault, world.vaults()[0].1));
    other.to_owned()
}

fn initiate_upload(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    let good = (MIB << draw.below(2)).to_string();
    let part_size = if draw.once_in(8) {
        draw.one_of(&["0", "1048577", "3145728"]).to_owned()
    } else {
        good
    };
    let description = values::description(draw);
    Some(
        Action::InitiateMultipartUpload {
            vault: vault.into(),
            upload: world.fresh("u"),
            part_size: Some(part_size),
            description,
        }
        .into(),
    )
}

/// Mostly a part that is still missing or comes again; sometimes short, long or misplaced.
fn upload_part(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, within, upload) = world.inside(draw, open_uploads)?;
    let size = within.uploads.get(upload)?.part_size;
    let at = draw.below(4) * size + if draw.once_in(12) { MIB / 2 } else { 0 };
    let length = if draw.once_in(4) {
        draw.from(1..=size)
    } else {
        size
    };
    let content = values::payload(draw, length);
    let tree_hash = if draw.once_in(10) {
        Claim::Flipped
    } else {
        Claim::Right
    };
    let mut step = families::part(content, at, tree_hash);
    if let Action::UploadMultipartPart {
        vault: through,
        upload: named,
        range,
        ..
    } = &mut step.action
    {
        *through = elsewhere(draw, world, vault).as_str().into();
        *named = upload.into();
        if draw.once_in(12) {
            *range = RangeClaim::Literal(format!("bytes={at}-{}/*", at + length - 1));
        }
    }
    Some(step)
}

fn complete_upload(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _, upload) = world.inside(draw, uploads)?;
    let size = if draw.once_in(8) {
        SizeClaim::Off(1)
    } else {
        SizeClaim::Right
    };
    let tree_hash = if draw.once_in(8) {
        Claim::Flipped
    } else {
        Claim::Right
    };
    Some(
        Action::CompleteMultipartUpload {
            vault: vault.into(),
            upload: upload.into(),
            archive: world.fresh("a"),
            size,
            tree_hash,
        }
        .into(),
    )
}

fn abort_upload(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _, upload) = world.inside(draw, uploads)?;
    Some(
        Action::AbortMultipartUpload {
            vault: vault.into(),
            upload: upload.into(),
        }
        .into(),
    )
}

fn list_parts(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _, upload) = world.inside(draw, uploads)?;
    walk(Action::ListParts {
        vault: vault.into(),
        upload: upload.into(),
        page: page(draw),
    })
}

fn list_uploads(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    walk(Action::ListMultipartUploads {
        vault: vault.into(),
        page: page(draw),
    })
}

fn retrieve_archive(draw: &mut Draw, world: &World) -> Option<Step> {
    let choose = if draw.once_in(6) {
        archives
    } else {
        live_archives
    };
    let (vault, within, archive) = world.inside(draw, choose)?;
    let size = within.archives.get(archive)?.content.length();
    let range = if draw.once_in(2) {
        None
    } else {
        Some(values::aligned_range(draw, size))
    };
    let body = with_options(draw, families::retrieval(archive, range));
    Some(families::initiate(vault, &world.fresh("j"), body))
}

/// A job's members that need not be there.
fn with_options(draw: &mut Draw, mut body: Value) -> Value {
    if draw.once_in(3) {
        body["Description"] = draw.one_of(&["first", "second", "a,\"b\"\\"]).into();
    }
    if draw.once_in(3) {
        body["SNSTopic"] = draw.one_of(&["${topic:crevasse}", "${topic:other}"]).into();
    }
    if draw.once_in(3) && body["Type"] == "archive-retrieval" {
        body["Tier"] = draw.one_of(&["Expedited", "Standard"]).into();
    }
    body
}

fn retrieve_inventory(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    let format = draw.one_of(&["JSON", "CSV", "XML"]);
    let body = with_options(
        draw,
        json!({"Type": "inventory-retrieval", "Format": format}),
    );
    Some(families::initiate(vault, &world.fresh("j"), body))
}

fn await_job(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _, job) = world.inside(draw, jobs)?;
    Some(
        Action::AwaitJob {
            vault: vault.into(),
            job: job.into(),
        }
        .into(),
    )
}

fn read_output(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, within, job) = world.inside(draw, jobs)?;
    let size = match &within.jobs.get(job)?.kind {
        crevasse_core::model::JobKind::Archive { range, .. } => range.len(),
        _ => 100,
    };
    let range = if draw.once_in(3) {
        None
    } else {
        Some(values::range_header(draw, size))
    };
    let vault = elsewhere(draw, world, vault);
    Some(
        Action::GetJobOutput {
            vault: vault.as_str().into(),
            job: job.into(),
            range,
        }
        .into(),
    )
}

fn list_jobs(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    walk(Action::ListJobs {
        vault: vault.into(),
        page: page(draw),
        completed: draw
            .one_of(&[None, Some("true"), Some("false")])
            .map(str::to_owned),
        statuscode: draw
            .one_of(&[None, None, Some("InProgress"), Some("Succeeded")])
            .map(str::to_owned),
    })
}

fn json_step(make: impl FnOnce(JsonBody) -> Action, body: Value) -> Option<Step> {
    Some(make(JsonBody::Json(body)).into())
}

fn add_tags(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    let tags: serde_json::Map<String, Value> = (0..=draw.below(3))
        .map(|_| {
            let key = draw.one_of(&["a", "b", "c", "A", "_d", "aws:d", ""]);
            let value = draw.from("[a-z]([a-z ]{0,3}[a-z])?|");
            (key.to_owned(), value.into())
        })
        .collect();
    json_step(
        |body| Action::AddTagsToVault {
            vault: vault.into(),
            body,
        },
        json!({"Tags": tags}),
    )
}

fn remove_tags(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    let keys = draw.one_of(&[&["a"][..], &["b"], &["zzz", "a"]]);
    json_step(
        |body| Action::RemoveTagsFromVault {
            vault: vault.into(),
            body,
        },
        json!({"TagKeys": keys}),
    )
}

/// A policy that grants the account what it may do anyway: harmless wherever it is evaluated.
fn policy(vault: &str, number: u64) -> Value {
    let statement = json!({
        "Sid": format!("s{number}"), "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::${account}:root"},
        "Action": "glacier:DescribeVault", "Resource": format!("${{arn:{vault}}}"),
    });
    json!({"Policy": json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()})
}

fn initiate_lock(draw: &mut Draw, world: &World) -> Option<Step> {
    let (vault, _) = world.vault(draw)?;
    let lock = world.fresh("l");
    json_step(
        |body| Action::InitiateVaultLock {
            vault: vault.into(),
            lock,
            body,
        },
        policy(vault, draw.below(5)),
    )
}

/// Looks at a lock or lets it go. Locks are never completed here: that cannot be undone.
fn move_lock(draw: &mut Draw, world: &World) -> Option<Step> {
    let vault = world.vault(draw)?.0.into();
    Some(
        if draw.once_in(2) {
            Action::GetVaultLock { vault }
        } else {
            Action::AbortVaultLock { vault }
        }
        .into(),
    )
}

fn access_policy(draw: &mut Draw, world: &World) -> Option<Step> {
    let (name, _) = world.vault(draw)?;
    let vault = name.into();
    match draw.below(3) {
        0 => json_step(
            |body| Action::SetVaultAccessPolicy { vault, body },
            policy(name, draw.below(5)),
        ),
        1 => Some(Action::GetVaultAccessPolicy { vault }.into()),
        _ => Some(Action::DeleteVaultAccessPolicy { vault }.into()),
    }
}

fn notifications(draw: &mut Draw, world: &World) -> Option<Step> {
    let vault = world.vault(draw)?.0.into();
    let events = draw.one_of(&[
        &["ArchiveRetrievalCompleted"][..],
        &["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"],
    ]);
    match draw.below(3) {
        0 => {
            let topic = draw.one_of(&["${topic:crevasse}", "${topic:other}"]);
            json_step(
                |body| Action::SetVaultNotifications { vault, body },
                json!({"SNSTopic": topic, "Events": events}),
            )
        }
        1 => Some(Action::GetVaultNotifications { vault }.into()),
        _ => Some(Action::DeleteVaultNotifications { vault }.into()),
    }
}

/// Ids that were never issued.
fn unknown_ids(draw: &mut Draw, world: &World) -> Option<Step> {
    let unknown = |handle: &str| format!("?{handle}").as_str().into();
    match draw.below(4) {
        0 => world.inside(draw, jobs).map(|(vault, _, job)| Action::DescribeJob { vault: vault.into(), job: unknown(job) }.into()),
        1 => world.inside(draw, jobs).map(|(vault, _, job)| Action::GetJobOutput { vault: vault.into(), job: unknown(job), range: None }.into()),
        2 => world.inside(draw, uploads).map(|(vault, _, upload)| Action::AbortMultipartUpload { vault: vault.into(), upload: unknown(upload) }.into()),
        _ => world.inside(draw, archives).map(|(vault, _, archive)| {
            let body = json!({"Type": "archive-retrieval", "ArchiveId": format!("${{archive:?{archive}}}")});
            Step { action: families::initiate(vault, &world.fresh("j"), body).action, tweak: Tweak::default() }
        }),
    }
}
