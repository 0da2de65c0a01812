//! Variants of a scenario: steps added, dropped, spliced, repeated, moved, put side by side and twisted, and requests damaged on the wire.
//! Every choice is drawn; the same draws make the same variant.

use serde_json::{Value, json};

use crevasse_core::scenario::{Action, Naming, Ref, Scenario, Step, is_legal_vault_name};

use super::dictionary::{self, Dictionary};
use super::handles::{self, Known};
use crate::generate::Draw;

/// Steps of a variant, at most, those inside of groups included.
const STEPS: usize = 100;
/// Bytes that a variant uploads, at most.
const BYTES: u64 = 24 << 20;
/// How long a variant pauses, at most.
const MILLIS: u64 = 2500;
/// Requests sent together, at most: as many as can be tried in every order.
const TOGETHER: usize = 5;
/// The most there may be of something: tags, items of a page, characters.
const LIMITS: [i64; 6] = [10, 50, 128, 255, 1000, 1024];
/// Draws that may fail before the scenario is taken as it is.
const ATTEMPTS: usize = 8;

type Mutation = fn(&mut Draw, &mut Vec<Value>, &Pool<'_>);

/// What a variant can be made from.
pub(super) struct Pool<'a> {
    /// Words of all seeds.
    pub(super) dictionary: &'a Dictionary,
    /// Another scenario, to splice with.
    pub(super) other: &'a Scenario,
}

const MUTATIONS: [(u32, Mutation); 10] = [
    (3, drop_steps),
    (3, repeat),
    (4, splice),
    (6, add),
    (2, move_step),
    (8, |draw, trees, pool| twist(draw, trees, pool)),
    (3, |draw, trees, pool| tweak(draw, trees, pool)),
    (2, |draw, trees, _| damage(draw, trees)),
    (4, look_back),
    (2, side_by_side),
];

/// A variant of a scenario that can be run: a few mutations on top of each other.
pub(super) fn mutate(draw: &mut Draw, base: &Scenario, pool: &Pool<'_>) -> Scenario {
    for _ in 0..ATTEMPTS {
        let mut trees: Vec<Value> = base.steps.iter().map(dictionary::tree).collect();
        for _ in 0..1 + draw.below(4) {
            let (_, mutation) = draw.weighted(&MUTATIONS, |(weight, _)| *weight);
            mutation(draw, &mut trees, pool);
        }
        let mut known = Known::new();
        for tree in &mut trees {
            handles::make_unique(tree, &mut known);
        }
        make_vaults_plainly(&mut trees);
        let steps: Result<Vec<Step>, _> = trees.into_iter().map(serde_json::from_value).collect();
        if let Ok(steps) = steps
            && is_sound(&steps)
            && steps != base.steps
        {
            return Scenario {
                steps,
                ..base.clone()
            };
        }
    }
    base.clone()
}

/// Of a vault that was made by a damaged or odd request nobody knows whether it is there, so only the last step may be one.
fn make_vaults_plainly(trees: &mut [Value]) {
    let Some((_last, before)) = trees.split_last_mut() else {
        return;
    };
    for tree in before {
        let makes = dictionary::action(tree).is_some_and(|(name, _)| name == "CreateVault");
        if let Some(members) = tree.as_object_mut().filter(|_| makes) {
            members.shift_remove("but");
        }
    }
}

/// Whether steps keep within bounds, and every vault handle has one name of its own, which is one.
fn is_sound(steps: &[Step]) -> bool {
    let mut all = Vec::new();
    flatten(steps, &mut all);
    let bytes: u64 = all.iter().map(|action| bytes(action)).sum();
    let pauses: u64 = all.iter().map(|action| millis(action)).sum();
    let groups = all.iter().all(|action| match action {
        Action::Together { steps } | Action::During { steps, .. } => {
            steps.len() <= TOGETHER && !steps.iter().any(|step| is_group(&step.action))
        }
        _ => true,
    });
    let within = (1..=STEPS).contains(&all.len()) && bytes <= BYTES && pauses <= MILLIS;
    within && groups && names_differ(&all) && all.iter().all(|action| is_named(action))
}

fn flatten<'a>(steps: &'a [Step], all: &mut Vec<&'a Action>) {
    for step in steps {
        all.push(&step.action);
        match &step.action {
            Action::Together { steps } => flatten(steps, all),
            Action::During { slow, steps } => {
                all.push(&slow.action);
                flatten(steps, all);
            }
            _ => {}
        }
    }
}

fn is_group(action: &Action) -> bool {
    action.operation().is_none() && !matches!(action, Action::Other { .. })
}

fn bytes(action: &Action) -> u64 {
    match action {
        Action::UploadArchive { content, .. } | Action::UploadMultipartPart { content, .. } => {
            content.length()
        }
        _ => 0,
    }
}

fn millis(action: &Action) -> u64 {
    match action {
        Action::Pause { millis } => *millis,
        _ => 0,
    }
}

/// Whether the handle of a vault that is made can be part of its name.
fn is_named(action: &Action) -> bool {
    match action {
        Action::CreateVault {
            vault: Ref::Handle(handle),
            name: None,
        } => is_legal_vault_name(handle),
        _ => true,
    }
}

fn names_differ(all: &[&Action]) -> bool {
    let named: Vec<(String, &Option<Naming>)> = all
        .iter()
        .filter_map(|action| match action {
            Action::CreateVault { vault, name } => Some((vault.to_string(), name)),
            _ => None,
        })
        .collect();
    named.iter().enumerate().all(|(place, (handle, name))| {
        named[..place]
            .iter()
            .all(|(other, given)| match other == handle {
                true => given == name,
                false => name.is_none() || given != name,
            })
    })
}

fn place(draw: &mut Draw, length: usize) -> usize {
    draw.below(length as u64) as usize
}

/// A run of one to four steps.
fn stretch(draw: &mut Draw, length: usize) -> std::ops::Range<usize> {
    let start = place(draw, length);
    let end = (start + 1 + place(draw, 4)).min(length);
    start..end
}

fn drop_steps(draw: &mut Draw, trees: &mut Vec<Value>, _: &Pool<'_>) {
    if trees.len() > 1 {
        let stretch = stretch(draw, trees.len());
        trees.drain(stretch);
    }
}

/// The same again: right after, or at the end.
fn repeat(draw: &mut Draw, trees: &mut Vec<Value>, _: &Pool<'_>) {
    if trees.is_empty() {
        return;
    }
    let stretch = stretch(draw, trees.len());
    let again = trees[stretch.clone()].to_vec();
    let at = if draw.once_in(2) {
        stretch.end
    } else {
        trees.len()
    };
    trees.splice(at..at, again);
}

/// A run of another scenario, about what this one has made by then.
fn splice(draw: &mut Draw, trees: &mut Vec<Value>, pool: &Pool<'_>) {
    if pool.other.steps.is_empty() {
        return;
    }
    let start = place(draw, pool.other.steps.len());
    let end = (start + 1 + place(draw, 12)).min(pool.other.steps.len());
    let at = place(draw, trees.len() + 1);
    let mut known = known_before(&trees[..at]);
    let mut run: Vec<Value> = pool.other.steps[start..end]
        .iter()
        .map(dictionary::tree)
        .collect();
    for tree in &mut run {
        settle(draw, tree, &known);
        handles::note(tree, &mut known);
    }
    trees.splice(at..at, run);
}

/// A step of some seed, every action being as likely as any other; often at the end, where there is most to act on.
fn add(draw: &mut Draw, trees: &mut Vec<Value>, pool: &Pool<'_>) {
    let actions = pool.dictionary.steps();
    if actions.is_empty() {
        return;
    }
    let steps = actions.values().nth(place(draw, actions.len()));
    let steps = steps.expect("it is one of them");
    let mut tree = steps[place(draw, steps.len())].clone();
    let at = match draw.once_in(2) {
        true => trees.len(),
        false => (1 + place(draw, trees.len().max(1))).min(trees.len()),
    };
    settle(draw, &mut tree, &known_before(&trees[..at]));
    trees.insert(at, tree);
}

fn known_before(trees: &[Value]) -> Known {
    let mut known = Known::new();
    trees
        .iter()
        .for_each(|tree| handles::note(tree, &mut known));
    known
}

/// Makes a strange step refer to what is there: always where its own reference would lead nowhere.
fn settle(draw: &mut Draw, tree: &mut Value, known: &Known) {
    handles::rebind(tree, &mut |kind, handle| {
        let there = known.get(kind)?;
        let (mark, bare) = match handle.strip_prefix('?') {
            Some(bare) => ("?", bare),
            None => ("", handle),
        };
        let lost = !there.iter().any(|known| known == bare) && !handle.starts_with('=');
        (lost || draw.once_in(8)).then(|| format!("{mark}{}", there[place(draw, there.len())]))
    });
}

fn move_step(draw: &mut Draw, trees: &mut Vec<Value>, _: &Pool<'_>) {
    if trees.len() > 1 {
        let from = place(draw, trees.len());
        let tree = trees.remove(from);
        let to = place(draw, trees.len() + 1);
        trees.insert(to, tree);
    }
}

/// Another value for one field of one step.
fn twist(draw: &mut Draw, trees: &mut [Value], pool: &Pool<'_>) {
    if trees.is_empty() {
        return;
    }
    let at = place(draw, trees.len());
    let known = known_before(&trees[..at]);
    let Some(name) = dictionary::action(&trees[at]).map(|(name, _)| name.clone()) else {
        return;
    };
    let mut fields = &mut trees[at][&name];
    let mut inside = false;
    loop {
        let Some(members) = fields.as_object_mut().filter(|members| !members.is_empty()) else {
            return;
        };
        let field = place(draw, members.len());
        let field = members.keys().nth(field).cloned().unwrap_or_default();
        let deeper = members[&field]
            .as_object()
            .is_some_and(|inner| !inner.is_empty());
        if deeper && draw.once_in(2) {
            fields = &mut members[&field];
            inside = true;
            continue;
        }
        // A member of a document may be null; a field of a step is then not there.
        if inside && draw.once_in(8) {
            members[&field] = Value::Null;
            return;
        }
        match other_value(draw, &field, &members[&field], &known, pool) {
            Some(value) => members[&field] = value,
            None => drop(members.shift_remove(&field)),
        }
        return;
    }
}

/// Another value for a field: a handle of its kind, one it had in some seed, or its own with a small change. None drops the field.
fn other_value(
    draw: &mut Draw,
    field: &str,
    value: &Value,
    known: &Known,
    pool: &Pool<'_>,
) -> Option<Value> {
    if let Some(there) = known.get(field).filter(|there| !there.is_empty()) {
        let handle = &there[place(draw, there.len())];
        let mark = if draw.once_in(6) { "?" } else { "" };
        return Some(json!(format!("{mark}{handle}")));
    }
    let seen = pool.dictionary.values(field);
    match draw.below(8) {
        0 => None,
        1..=5 if !seen.is_empty() => Some(seen[place(draw, seen.len())].clone()),
        // A handle is a name of ours: what it stands for on the wire must stay legal.
        _ if handles::is_kind(field) => Some(value.clone()),
        _ => Some(changed(draw, value)),
    }
}

/// The value with a small change.
fn changed(draw: &mut Draw, value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            let others = [
                0,
                1,
                number.saturating_add(1),
                number.saturating_sub(1),
                number.saturating_mul(2),
                number.saturating_neg(),
                draw.one_of(&LIMITS),
                draw.one_of(&LIMITS) + 1,
            ];
            json!(draw.one_of(&others))
        }
        Value::Bool(value) => json!(!value),
        Value::String(text) => json!(changed_text(draw, text)),
        Value::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            let at = place(draw, items.len());
            if draw.once_in(2) {
                items.remove(at);
            } else {
                items.push(items[at].clone());
            }
            Value::Array(items)
        }
        // The text of a document, cut off.
        Value::Object(members) if !members.is_empty() && draw.once_in(2) => {
            let text = value.to_string();
            let most = place(draw, text.chars().count());
            json!(text.chars().take(most).collect::<String>())
        }
        _ => draw_one(
            draw,
            &[json!(""), json!(0), json!(null), json!([]), json!({})],
        ),
    }
}

fn draw_one(draw: &mut Draw, values: &[Value]) -> Value {
    values[place(draw, values.len())].clone()
}

fn changed_text(draw: &mut Draw, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return "x".to_owned();
    }
    let at = place(draw, characters.len());
    match draw.below(6) {
        0 => characters.truncate(at),
        1 => drop(characters.remove(at)),
        2 => characters.insert(at, characters[at]),
        3 => {
            let upper = characters[at].is_uppercase();
            let letter = characters[at];
            characters[at] = if upper {
                letter.to_ascii_lowercase()
            } else {
                letter.to_ascii_uppercase()
            };
        }
        4 => characters.insert(
            at,
            draw.one_of(&[' ', '/', '%', '-', '0', ',', '"', '\\', 'é']),
        ),
        _ => match characters[at].to_digit(10) {
            Some(digit) => {
                let digit = (digit + 1 + draw.below(9) as u32) % 10;
                characters[at] = char::from_digit(digit, 10).expect("a digit is one");
            }
            None => characters.extend(text.chars()),
        },
    }
    characters.into_iter().take(2000).collect()
}

/// A tweak of some seed on another request.
fn tweak(draw: &mut Draw, trees: &mut [Value], pool: &Pool<'_>) {
    let tweaks = pool.dictionary.tweaks();
    if !tweaks.is_empty() {
        let tweak = tweaks[place(draw, tweaks.len())].clone();
        put_on(draw, trees, tweak);
    }
}

/// A request that is damaged on its way.
fn damage(draw: &mut Draw, trees: &mut [Value]) {
    let framing = match draw.below(8) {
        0 => json!("half"),
        1 => json!("upper_case_names"),
        2 => json!("chunked"),
        _ => json!({"garbled": draw.below(64)}),
    };
    put_on(draw, trees, json!({"framing": framing}));
}

/// Replaces the tweak of a step that is a single request. Another method, or another body where there is one, would make another request
/// of it than its action says; whoever judges could not follow.
fn put_on(draw: &mut Draw, trees: &mut [Value], mut tweak: Value) {
    let suits = |tree: &Value| {
        dictionary::action(tree)
            .is_some_and(|(name, _)| !matches!(name.as_str(), "Together" | "During" | "Pause"))
    };
    let places: Vec<usize> = (0..trees.len()).filter(|at| suits(&trees[*at])).collect();
    if places.is_empty() {
        return;
    }
    let tree = &mut trees[draw.one_of(&places)];
    let fields = dictionary::action(tree).map(|(_, fields)| fields);
    let sends = |field: &str| fields.is_some_and(|fields| fields.get(field).is_some());
    let has_body = sends("body") || sends("content");
    if let Some(members) = tweak.as_object_mut() {
        members.shift_remove("method");
        if has_body {
            members.shift_remove("body");
        }
        // Which of two operations on tags is asked for stands in the query.
        if let Some(query) = members.get_mut("query").and_then(Value::as_object_mut) {
            query.shift_remove("operation");
        }
    }
    tree["but"] = tweak;
}

/// Reads what an earlier step made: what was acknowledged must be there.
fn look_back(draw: &mut Draw, trees: &mut Vec<Value>, _: &Pool<'_>) {
    let known = known_before(trees);
    let Some(vault) = pick(draw, &known, "vault") else {
        return;
    };
    let kinds = ["archive", "upload", "job", "vault"];
    let kind = draw.one_of(&kinds);
    let Some(handle) = pick(draw, &known, kind) else {
        return;
    };
    // The vault a thing was made in is the one its step went through.
    let home = home(trees, kind, &handle).unwrap_or(vault);
    let job = format!("back{}", trees.len());
    trees.extend(readings(draw, kind, &home, &handle, &job));
}

fn pick(draw: &mut Draw, known: &Known, kind: &str) -> Option<String> {
    let there = known.get(kind)?;
    Some(there[place(draw, there.len())].clone())
}

fn home(trees: &[Value], kind: &str, handle: &str) -> Option<String> {
    trees.iter().find_map(|tree| {
        let (_, fields) = dictionary::action(tree)?;
        let found = fields.get(kind)?.as_str()? == handle;
        let vault = fields.get("vault")?.as_str()?;
        found.then(|| vault.to_owned())
    })
}

fn readings(draw: &mut Draw, kind: &str, vault: &str, handle: &str, job: &str) -> Vec<Value> {
    let awaited = |job: &str| {
        [
            json!({"AwaitJob": {"vault": vault, "job": job}}),
            json!({"GetJobOutput": {"vault": vault, "job": job}}),
        ]
    };
    let begun = |body: Value| {
        let begin = json!({"InitiateJob": {"vault": vault, "job": job, "body": body}});
        [begin].into_iter().chain(awaited(job)).collect()
    };
    let named = json!({"vault": vault});
    match kind {
        "archive" => begun(
            json!({"Type": "archive-retrieval", "ArchiveId": format!("${{archive:{handle}}}")}),
        ),
        "upload" => {
            vec![json!({"Walk": {"list": {"ListParts": {"vault": vault, "upload": handle}}}})]
        }
        "job" => awaited(handle).to_vec(),
        _ => match draw.below(8) {
            0 => begun(
                json!({"Type": "inventory-retrieval", "Format": draw.one_of(&["JSON", "CSV"])}),
            ),
            1 => vec![json!({"DescribeVault": named})],
            2 => vec![json!({"ListTagsForVault": named})],
            3 => vec![json!({"Walk": {"list": {"ListJobs": named}}})],
            4 => vec![json!({"Walk": {"list": {"ListMultipartUploads": named}}})],
            5 => vec![json!({"GetVaultNotifications": named})],
            6 => vec![json!({"GetVaultAccessPolicy": named})],
            _ => vec![json!({"GetVaultLock": named})],
        },
    }
}

/// Neighbouring requests sent at the same time, or one around the others.
fn side_by_side(draw: &mut Draw, trees: &mut Vec<Value>, _: &Pool<'_>) {
    if trees.len() < 3 {
        return;
    }
    let start = 1 + place(draw, trees.len() - 2);
    let end = (start + 2 + place(draw, 3)).min(trees.len());
    let steps: Vec<Value> = trees[start..end].to_vec();
    // What is read while something changes may show it or not.
    if !steps.iter().all(changes) {
        return;
    }
    let with_body =
        |tree: &Value| dictionary::action(tree).is_some_and(|(name, _)| name.starts_with("Upload"));
    let group = if with_body(&steps[0]) && draw.once_in(3) {
        json!({"During": {"slow": steps[0], "steps": &steps[1..]}})
    } else {
        json!({"Together": {"steps": steps}})
    };
    trees.splice(start..end, [group]);
}

/// Whether a step is a single request that changes something.
fn changes(tree: &Value) -> bool {
    const VERBS: [&str; 10] = [
        "Create", "Delete", "Upload", "Initiate", "Complete", "Abort", "Set", "Add", "Remove",
        "Purchase",
    ];
    dictionary::action(tree)
        .is_some_and(|(name, _)| VERBS.iter().any(|verb| name.starts_with(verb)))
}

#[cfg(test)]
mod tests {
    use super::super::PURPOSE;
    use super::*;
    use crate::{generate, scenarios};
    use std::collections::BTreeSet;

    fn variants(seed: u64, count: u64) -> Vec<Scenario> {
        let written = scenarios::written();
        let dictionary = Dictionary::of(written);
        (0..count)
            .map(|number| {
                let mut draw = Draw::new(PURPOSE, seed, number);
                let base = &written[place(&mut draw, written.len())];
                let other = &written[place(&mut draw, written.len())];
                let pool = Pool {
                    dictionary: &dictionary,
                    other,
                };
                mutate(&mut draw, base, &pool)
            })
            .collect()
    }

    #[test]
    fn the_same_draws_make_the_same_variant() {
        assert_eq!(variants(7, 60), variants(7, 60));
        assert_ne!(variants(7, 60), variants(8, 60));
    }

    #[test]
    fn variants_keep_within_bounds_and_can_be_written_down() {
        for variant in variants(1, 300) {
            assert!(
                is_sound(&variant.steps)
                    || scenarios::written()
                        .iter()
                        .any(|known| known.steps == variant.steps)
            );
            assert_eq!(Scenario::parse(&variant.to_yaml()).as_ref(), Ok(&variant));
        }
    }

    #[test]
    fn nearly_every_variant_differs_from_what_it_was_made_of() {
        let same = variants(2, 200)
            .iter()
            .filter(|variant| {
                scenarios::written()
                    .iter()
                    .any(|known| known.steps == variant.steps)
            })
            .count();
        assert!(same < 20, "{same}");
    }

    #[test]
    fn generated_cases_can_be_mutated_too() {
        let dictionary = Dictionary::of(scenarios::written());
        let (base, other) = (generate::case(1, 1), generate::case(1, 2));
        let pool = Pool {
            dictionary: &dictionary,
            other: &other,
        };
        let all: BTreeSet<String> = (0..50)
            .map(|number| mutate(&mut Draw::new(PURPOSE, 3, number), &base, &pool).to_yaml())
            .collect();
        assert!(all.len() > 45);
    }

    #[test]
    fn no_tweak_makes_another_request_of_a_step() {
        let text = "id: a\ntitle: t\nsteps:\n- CreateVault: {vault: v}\n- AddTagsToVault: {vault: v, body: {Tags: {a: b}}}\n";
        let base = Scenario::parse(text).unwrap();
        let twisted = json!({"method": "DELETE", "body": "{}", "query": {"operation": "add"}});
        for number in 0..20 {
            let mut trees: Vec<Value> = base.steps.iter().map(dictionary::tree).collect();
            put_on(
                &mut Draw::new(PURPOSE, 1, number),
                &mut trees,
                twisted.clone(),
            );
            assert!(trees.iter().all(|tree| tree["but"].get("method").is_none()));
            assert!(
                trees[1]
                    .get("but")
                    .is_none_or(|but| but.get("body").is_none())
            );
        }
    }

    #[test]
    fn only_the_last_step_makes_a_vault_by_an_odd_request() {
        let oddly = |step: &Step| {
            matches!(step.action, Action::CreateVault { .. }) && step.tweak != Default::default()
        };
        let written = scenarios::written();
        let variants = variants(4, 300);
        let mut new = variants
            .iter()
            .filter(|variant| written.iter().all(|known| known.steps != variant.steps));
        assert!(new.all(|variant| {
            let before = variant
                .steps
                .split_last()
                .map_or(&[][..], |(_, before)| before);
            !before.iter().any(oddly)
        }));
    }

    #[test]
    fn documents_are_cut_off_and_lose_values() {
        let whole = json!({"Type": "inventory-retrieval"});
        let cut = |number| changed(&mut Draw::new(PURPOSE, 1, number), &whole);
        assert!((0..40).any(|number| {
            cut(number)
                .as_str()
                .is_some_and(|text| text.starts_with('{'))
        }));
        let dictionary = Dictionary::default();
        let other = generate::case(1, 1);
        let pool = Pool {
            dictionary: &dictionary,
            other: &other,
        };
        let step = json!({"InitiateJob": {"vault": "v", "job": "j", "body": whole}});
        assert!((0..100).any(|number| {
            let mut trees = vec![step.clone()];
            twist(&mut Draw::new(PURPOSE, 2, number), &mut trees, &pool);
            trees[0]["InitiateJob"]["body"]["Type"].is_null()
                && trees[0]["InitiateJob"]["body"].get("Type").is_some()
        }));
    }

    #[test]
    fn a_vault_whose_handle_is_no_name_is_no_sound_variant() {
        let made = |handle: &str| {
            is_sound(&[Action::CreateVault {
                vault: handle.into(),
                name: None,
            }
            .into()])
        };
        assert!(made("of-v") && made("v.1_"));
        assert!(!made("\"x\\y\"") && !made("a b"));
    }

    #[test]
    fn two_handles_of_one_name_are_no_sound_variant() {
        let text = "id: a\ntitle: t\nsteps:\n- CreateVault: {vault: v, name: {suffix: x}}\n- CreateVault: {vault: w, name: {suffix: x}}\n";
        assert!(!is_sound(&Scenario::parse(text).unwrap().steps));
        assert!(is_sound(
            &Scenario::parse(&text.replace("vault: w", "vault: v"))
                .unwrap()
                .steps
        ));
    }
}
