//! Makes a failing scenario small enough to read: fewer steps, smaller and rounder payloads and ranges, plainer strings.
//! Refuses to know why it fails: whoever asks says whether a candidate still fails for the same reason.

use std::collections::BTreeSet;

use serde_json::Value;

use crevasse_core::payload::Content;
use crevasse_core::range::ByteRange;
use crevasse_core::scenario::{Action, JsonBody, Need, RangeClaim, Scenario, Step, Tweak};
use crevasse_core::treehash::MIB;

/// A search for the smallest scenario that still fails: the first smaller candidate that does becomes the one to shrink further.
///
/// Whoever searches runs each [`candidate`](Self::candidate) on fresh resources, and tells when it [`fails`](Self::fails) with the same fingerprint.
/// Every candidate that fails makes [`weight`] smaller, so the search ends; it may be left at any time.
pub struct Shrinking {
    waiting: std::vec::IntoIter<Scenario>,
}

impl Shrinking {
    /// A search that begins with a failing scenario, whose step number `decisive` showed it.
    ///
    /// What comes later is tried without first, and what the decisive step does not name.
    pub fn new(scenario: &Scenario, decisive: usize) -> Self {
        let upto = &scenario.steps[..scenario.steps.len().min(decisive + 1)];
        let of = |steps| Scenario {
            steps,
            ..scenario.clone()
        };
        let own = weight(scenario);
        let bold = [makers(upto), upto.to_vec()].into_iter();
        let bold = bold
            .filter(|bolder| shows_its_own(scenario, upto, bolder))
            .map(of)
            .filter(|bolder| weight(bolder) < own);
        let waiting: Vec<Scenario> = bold.chain(candidates(scenario)).collect();
        Self {
            waiting: waiting.into_iter(),
        }
    }

    /// The next one to try; `None` when nothing smaller is left.
    pub fn candidate(&mut self) -> Option<Scenario> {
        self.waiting.next()
    }

    /// This candidate still fails: the search goes on from it.
    pub fn fails(&mut self, candidate: &Scenario) {
        self.waiting = candidates(candidate).into_iter();
    }
}

/// How much there is to read: steps first, then bytes on the wire, then text.
pub fn weight(scenario: &Scenario) -> (usize, u64, usize) {
    let steps = scenario.steps.iter().map(count).sum();
    let bytes = scenario
        .steps
        .iter()
        .map(|step| content(&step.action).map_or(0, Content::length))
        .sum();
    let text = serde_json::to_string(&scenario.steps).map_or(0, |text| text.len());
    (steps, bytes, text)
}

fn count(step: &Step) -> usize {
    match &step.action {
        Action::Together { steps } => 1 + steps.iter().map(count).sum::<usize>(),
        Action::During { slow, steps } => 1 + count(slow) + steps.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Smaller variants, the boldest first. Each weighs less than the scenario itself.
pub fn candidates(scenario: &Scenario) -> Vec<Scenario> {
    let lists = fewer_steps(&scenario.steps)
        .into_iter()
        .chain(one_after_another(&scenario.steps))
        .chain(simpler_steps(&scenario.steps));
    let own = weight(scenario);
    lists
        .filter(|fewer| shows_its_own(scenario, &scenario.steps, fewer))
        .map(|steps| Scenario {
            steps,
            ..scenario.clone()
        })
        .filter(|candidate| weight(candidate) < own)
        .collect()
}

/// Whether a list of vaults at the end has as many of the scenario's own to show as before. Those of other cases would do as well
/// while they are under way, and whoever plays it again has none.
fn shows_its_own(scenario: &Scenario, steps: &[Step], fewer: &[Step]) -> bool {
    let alone = scenario.needs.contains(&Need::Exclusive);
    let made = |steps: &[Step]| -> usize { steps.iter().map(vaults_made).sum() };
    alone || !fewer.last().is_some_and(lists_vaults) || made(fewer) >= made(steps)
}

fn lists_vaults(step: &Step) -> bool {
    let asked = match &step.action {
        Action::Walk { list } => list,
        action => action,
    };
    matches!(asked, Action::ListVaults { .. })
}

fn vaults_made(step: &Step) -> usize {
    match &step.action {
        Action::CreateVault { .. } => 1,
        Action::Together { steps } => steps.iter().map(vaults_made).sum(),
        Action::During { slow, steps } => steps.iter().chain([&**slow]).map(vaults_made).sum(),
        _ => 0,
    }
}

/// The last step, and the earlier ones that made what it names: the first mention of a handle makes it.
fn makers(steps: &[Step]) -> Vec<Step> {
    let Some(last) = steps.last() else {
        return Vec::new();
    };
    let mut needed = handles(last);
    let mut kept = vec![last.clone()];
    for place in (0..steps.len() - 1).rev() {
        let step = &steps[place];
        let before: BTreeSet<_> = steps[..place].iter().flat_map(handles).collect();
        let own = handles(step);
        let makes = own.difference(&before).any(|name| needed.contains(name));
        let awaits = matches!(step.action, Action::AwaitJob { .. }) && own.is_subset(&needed);
        if makes || awaits {
            needed.extend(own);
            kept.push(step.clone());
        }
    }
    kept.reverse();
    kept
}

/// The handles a step names, each with its kind: `archive:a`.
fn handles(step: &Step) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Ok(action) = serde_json::to_value(&step.action) {
        collect_handles("", &action, &mut found);
    }
    found
}

fn collect_handles(key: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(key, value)| collect_handles(key, value, found)),
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_handles(key, value, found)),
        Value::String(text) => {
            let named = text
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'));
            let named = match key {
                "vault" | "archive" | "job" | "upload" | "lock" => Some(format!("{key}:{text}")),
                _ => named.map(str::to_owned),
            };
            // `?a` is an id like that of `a`, which has to be there for it.
            found.extend(named.map(|name| name.replace(":?", ":")));
        }
        _ => {}
    }
}

/// Without a run of steps: halves, quarters, … single ones, from the back.
fn fewer_steps(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut lists = Vec::new();
    let mut size = steps.len() / 2;
    while size > 0 {
        for start in (0..steps.len()).step_by(size).rev() {
            let end = (start + size).min(steps.len());
            lists.push([&steps[..start], &steps[end..]].concat());
        }
        size /= 2;
    }
    lists
}

/// With the steps of one group no longer at once.
fn one_after_another(steps: &[Step]) -> Vec<Vec<Step>> {
    let apart = |(place, step): (usize, &Step)| {
        let apart = match &step.action {
            Action::Together { steps } => steps.clone(),
            Action::During { slow, steps } => [&[(**slow).clone()], &steps[..]].concat(),
            _ => return None,
        };
        Some([&steps[..place], &apart, &steps[place + 1..]].concat())
    };
    steps.iter().enumerate().filter_map(apart).collect()
}

fn simpler_steps(steps: &[Step]) -> Vec<Vec<Step>> {
    let mut lists = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        for simpler in simpler(step) {
            let mut list = steps.to_vec();
            list[place] = simpler;
            lists.push(list);
        }
    }
    lists
}

fn simpler(step: &Step) -> Vec<Step> {
    let mut variants: Vec<Step> = simpler_action(&step.action)
        .into_iter()
        .map(|action| Step {
            action,
            tweak: step.tweak.clone(),
        })
        .collect();
    let plainer = plainer_tweaks(&step.tweak).into_iter().map(|tweak| Step {
        action: step.action.clone(),
        tweak,
    });
    variants.extend(plainer);
    variants
}

/// Without any twist, then without one of them each.
fn plainer_tweaks(tweak: &Tweak) -> Vec<Tweak> {
    let plain = Tweak::default();
    let mut variants = vec![plain.clone()];
    let mut vary = |change: &dyn Fn(&mut Tweak)| {
        let mut variant = tweak.clone();
        change(&mut variant);
        variants.push(variant);
    };
    tweak
        .headers
        .keys()
        .for_each(|name| vary(&|it| drop(it.headers.shift_remove(name))));
    tweak
        .query
        .keys()
        .for_each(|name| vary(&|it| drop(it.query.shift_remove(name))));
    vary(&|it| it.account.clone_from(&plain.account));
    vary(&|it| it.path = None);
    vary(&|it| it.method = None);
    vary(&|it| it.body = None);
    vary(&|it| it.framing.clone_from(&plain.framing));
    vary(&|it| it.signing.clone_from(&plain.signing));
    vary(&|it| it.region = None);
    variants.retain(|variant| variant != tweak);
    variants
}

fn simpler_action(action: &Action) -> Vec<Action> {
    let mut variants = Vec::new();
    let mut vary = |change: &dyn Fn(&mut Action)| {
        let mut variant = action.clone();
        change(&mut variant);
        variants.push(variant);
    };
    match action {
        Action::UploadArchive {
            content,
            description,
            ..
        } => {
            smaller(content)
                .into_iter()
                .for_each(|small| vary(&|a| set_content(a, &small)));
            plainer(description)
                .into_iter()
                .for_each(|plain| vary(&|a| set_description(a, &plain)));
        }
        Action::UploadMultipartPart { content, range, .. } => {
            smaller(content)
                .into_iter()
                .for_each(|small| vary(&|a| set_content(a, &small)));
            if let RangeClaim::At(at) = range {
                [0, at / 2 / MIB * MIB]
                    .iter()
                    .filter(|lower| *lower < at)
                    .for_each(|lower| vary(&|a| set_place(a, *lower)));
            }
        }
        Action::InitiateMultipartUpload { description, .. } => {
            plainer(description)
                .into_iter()
                .for_each(|plain| vary(&|a| set_description(a, &plain)));
        }
        Action::GetJobOutput {
            range: Some(text), ..
        } => {
            let rounder = ["bytes=0-0", "bytes=0-9", "bytes=0-1048575"]
                .into_iter()
                .filter(|round| round.len() < text.len());
            rounder.for_each(|round| vary(&|a| set_header(a, round)));
        }
        Action::Together { steps } => {
            fewer_steps(steps)
                .into_iter()
                .filter(|fewer| fewer.len() > 1)
                .for_each(|fewer| {
                    vary(&|a| {
                        *a = Action::Together {
                            steps: fewer.clone(),
                        }
                    })
                });
        }
        Action::Walk { list } => vary(&|a| a.clone_from(list)),
        _ => {}
    }
    if let Some(body) = body(action) {
        without_members(body)
            .into_iter()
            .for_each(|less| vary(&|a| set_body(a, &less)));
    }
    variants
}

/// The same kind of content with fewer bytes: one, one mebibyte and its edges, whole mebibytes, half.
fn smaller(content: &Content) -> Vec<Content> {
    let length = content.length();
    let sizes = [
        1,
        MIB,
        MIB + 1,
        2 * MIB,
        3 * MIB,
        length / MIB * MIB,
        length / 2,
    ];
    let fits = sizes.into_iter().filter(|size| (1..length).contains(size));
    fits.filter_map(|size| ByteRange::new(0, size).map(|range| content.slice(range)))
        .collect()
}

fn plainer(description: &Option<String>) -> Vec<Option<String>> {
    let Some(text) = description else {
        return Vec::new();
    };
    let halves = text.chars().count() / 2;
    let shorter = [
        text.chars().take(halves).collect::<String>(),
        text.chars().skip(halves).collect(),
        "a".to_owned(),
    ];
    let shorter = shorter
        .into_iter()
        .filter(|short| !short.is_empty() && short.len() < text.len())
        .map(Some);
    std::iter::once(None).chain(shorter).collect()
}

/// Documents with one member less, at the top and one level below.
fn without_members(body: &JsonBody) -> Vec<JsonBody> {
    let JsonBody::Json(Value::Object(members)) = body else {
        return Vec::new();
    };
    let mut less = Vec::new();
    for (name, value) in members {
        let mut without = members.clone();
        without.shift_remove(name);
        less.push(JsonBody::Json(Value::Object(without)));
        if let JsonBody::Json(inner) = &JsonBody::Json(value.clone()) {
            for smaller in without_members(&JsonBody::Json(inner.clone())) {
                let mut with = members.clone();
                if let JsonBody::Json(smaller) = smaller {
                    with[name] = smaller;
                }
                less.push(JsonBody::Json(Value::Object(with)));
            }
        }
    }
    less
}

fn content(action: &Action) -> Option<&Content> {
    match action {
        Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. } => {
            Some(content)
        }
        _ => None,
    }
}

fn set_content(action: &mut Action, to: &Content) {
    if let Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. } =
        action
    {
        content.clone_from(to);
    }
}

fn set_description(action: &mut Action, to: &Option<String>) {
    if let Action::UploadArchive { description, .. }
    | Action::InitiateMultipartUpload { description, .. } = action
    {
        description.clone_from(to);
    }
}

fn set_place(action: &mut Action, at: u64) {
    if let Action::UploadMultipartPart { range, .. } = action {
        *range = RangeClaim::At(at);
    }
}

fn set_header(action: &mut Action, to: &str) {
    if let Action::GetJobOutput { range, .. } = action {
        *range = Some(to.to_owned());
    }
}

fn body(action: &Action) -> Option<&JsonBody> {
    match action {
        Action::InitiateJob { body, .. }
        | Action::AddTagsToVault { body, .. }
        | Action::RemoveTagsFromVault { body, .. }
        | Action::SetVaultNotifications { body, .. } => Some(body),
        _ => None,
    }
}

fn set_body(action: &mut Action, to: &JsonBody) {
    if let Action::InitiateJob { body, .. }
    | Action::AddTagsToVault { body, .. }
    | Action::RemoveTagsFromVault { body, .. }
    | Action::SetVaultNotifications { body, .. } = action
    {
        body.clone_from(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;
    use crevasse_core::payload::Payload;

    fn shrunk(scenario: Scenario, budget: usize, fails: impl Fn(&Scenario) -> bool) -> Scenario {
        let mut smallest = scenario;
        let mut search = Shrinking::new(&smallest, smallest.steps.len() - 1);
        for _ in 0..budget {
            let Some(candidate) = search.candidate() else {
                break;
            };
            if fails(&candidate) {
                search.fails(&candidate);
                smallest = candidate;
            }
        }
        smallest
    }

    #[test]
    fn every_candidate_weighs_less() {
        for scenario in generate::cases(5, 30) {
            let own = weight(&scenario);
            assert!(
                candidates(&scenario)
                    .iter()
                    .all(|candidate| weight(candidate) < own)
            );
        }
    }

    #[test]
    fn what_needs_two_steps_shrinks_to_these_two() {
        let scenario = generate::cases(1, 100)
            .find(|scenario| scenario.id.ends_with("ranges"))
            .unwrap();
        let fails = |candidate: &Scenario| {
            let has = |wanted: fn(&Action) -> bool| {
                candidate.steps.iter().any(|step| wanted(&step.action))
            };
            has(|action| matches!(action, Action::CreateVault { .. }))
                && has(|action| matches!(action, Action::UploadArchive { .. }))
        };
        let small = shrunk(scenario, usize::MAX, fails);
        assert_eq!(small.steps.len(), 2);
        assert_eq!(
            content(&small.steps[1].action).map(Content::length),
            Some(1)
        );
    }

    #[test]
    fn what_the_decisive_step_names_is_tried_first() {
        let scenario = Scenario::parse(
            "id: x
title: x
covers: [CV-NAME-001]
steps:
  - CreateVault: {vault: w}
  - CreateVault: {vault: v}
  - UploadArchive: {vault: v, archive: a, content: {pattern: 1}}
  - UploadArchive: {vault: v, archive: b, content: {pattern: 1}}
  - DescribeVault: {vault: v}
  - InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}
  - AwaitJob: {vault: v, job: j}
  - GetJobOutput: {vault: v, job: j}
  - DeleteVault: {vault: w}
",
        )
        .expect("a scenario");
        let first = Shrinking::new(&scenario, 7).candidate().expect("one");
        let kept = [1, 2, 5, 6, 7].map(|place: usize| scenario.steps[place].clone());
        assert_eq!(first.steps, kept);
    }

    #[test]
    fn what_needs_no_concurrency_is_asked_one_after_another() {
        let steps = "
  - CreateVault: {vault: v}
  - Together: {steps: [{ListJobs: {vault: v}}, {DescribeVault: {vault: v}}]}
";
        let scenario = Scenario::parse(&format!("id: x\ntitle: x\nsteps:{steps}")).unwrap();
        let describes = |candidate: &Scenario| {
            let last = candidate.steps.last().map(|step| &step.action);
            matches!(
                last,
                Some(Action::DescribeVault { .. } | Action::Together { .. })
            )
        };
        let small = shrunk(scenario, usize::MAX, describes);
        let [Step { action, .. }] = small.steps.as_slice() else {
            panic!("{small:?}");
        };
        assert!(matches!(action, Action::DescribeVault { .. }), "{action:?}");
    }

    #[test]
    fn a_twist_that_does_not_matter_goes_and_one_that_does_stays() {
        let steps = "
  - ListVaults: {}
    but: {headers: {x-a: '1', x-b: '2'}, query: {limit: '5'}, region: r}
";
        let scenario = Scenario::parse(&format!("id: x\ntitle: x\nsteps:{steps}")).unwrap();
        let twisted = |candidate: &Scenario| {
            let step = candidate.steps.first();
            step.is_some_and(|step| step.tweak.headers.contains_key("x-b"))
        };
        let small = shrunk(scenario, usize::MAX, twisted);
        let tweak = serde_json::to_value(&small.steps[0].tweak).unwrap();
        assert_eq!(tweak, serde_json::json!({"headers": {"x-b": "2"}}));
    }

    #[test]
    fn a_list_of_vaults_keeps_vaults_of_its_own_to_show() {
        let steps = "
  - CreateVault: {vault: v}
  - CreateVault: {vault: w}
  - DescribeVault: {vault: w}
  - Walk: {list: {ListVaults: {page: {limit: '1'}}}}
  - DeleteVault: {vault: w}
";
        let scenario = Scenario::parse(&format!("id: x\ntitle: x\nsteps:{steps}")).unwrap();
        let lists = |candidate: &Scenario| candidate.steps.last().is_some_and(lists_vaults);
        let small = shrunk(scenario.clone(), usize::MAX, lists);
        assert_eq!(small.steps[..2], scenario.steps[..2]);
        assert_eq!(small.steps.len(), 3);
    }

    #[test]
    fn a_spent_budget_ends_the_search_with_what_was_found() {
        let scenario = generate::case(1, 1);
        assert_eq!(shrunk(scenario.clone(), 0, |_| true), scenario);
        let small = shrunk(scenario.clone(), 1, |_| true);
        assert!(weight(&small) < weight(&scenario));
    }

    #[test]
    fn payloads_stay_what_they_are_and_get_smaller() {
        let large = Content::from(Payload::Pattern {
            length: 5 * MIB + 1,
        });
        assert!(
            smaller(&large)
                .iter()
                .all(|small| *small == large.slice(ByteRange::new(0, small.length()).unwrap()))
        );
    }
}
