//! Handles in the JSON tree of a step: which it makes, which it refers to, and how to refer to others.

use std::collections::BTreeMap;

use serde_json::Value;

/// The kinds of handles, as fields and placeholders call them.
const KINDS: [&str; 6] = ["vault", "archive", "upload", "job", "lock", "unit"];

/// Whether a field holds a handle.
pub(super) fn is_kind(field: &str) -> bool {
    KINDS.contains(&field)
}

/// Handles made so far, by kind.
pub(super) type Known = BTreeMap<&'static str, Vec<String>>;

/// The kind and action that make a handle.
const MADE: [(&str, &str); 7] = [
    ("CreateVault", "vault"),
    ("UploadArchive", "archive"),
    ("CompleteMultipartUpload", "archive"),
    ("InitiateMultipartUpload", "upload"),
    ("InitiateJob", "job"),
    ("InitiateVaultLock", "lock"),
    ("PurchaseProvisionedCapacity", "unit"),
];

/// Takes note of the handles that a step makes.
pub(super) fn note(step: &Value, known: &mut Known) {
    each_made(&mut step.clone(), &mut |kind, handle| {
        let list = known.entry(kind).or_default();
        if !list.contains(handle) {
            list.push(handle.clone());
        }
    });
}

/// Gives what a step makes another name where that one is taken: two archives under one handle could not be told apart.
/// A vault may be made again.
pub(super) fn make_unique(step: &mut Value, known: &mut Known) {
    each_made(step, &mut |kind, handle| {
        // What is made has a name of its own: neither one like another's nor a literal.
        *handle = handle.trim_start_matches(['?', '=']).to_owned();
        let list = known.entry(kind).or_default();
        if !list.contains(handle) {
            list.push(handle.clone());
        } else if kind != "vault" {
            let stem = handle.trim_end_matches(|c: char| c.is_ascii_digit());
            let free = (2..).map(|number| format!("{stem}{number}"));
            let free = free.into_iter().find(|name| !list.contains(name));
            *handle = free.expect("numbers do not run out");
            list.push(handle.clone());
        }
    });
}

/// Offers every reference of a step to `choose`, which may give another handle of that kind.
pub(super) fn rebind(
    step: &mut Value,
    choose: &mut dyn FnMut(&'static str, &str) -> Option<String>,
) {
    let made = made_by(step);
    rebind_within(step, &made, choose);
}

/// The field that names what a step makes, which is no reference.
fn made_by(step: &Value) -> Vec<(&'static str, String)> {
    let mut known = Known::new();
    note(step, &mut known);
    known
        .into_iter()
        .flat_map(|(kind, handles)| handles.into_iter().map(move |handle| (kind, handle)))
        .collect()
}

fn rebind_within(
    value: &mut Value,
    made: &[(&'static str, String)],
    choose: &mut dyn FnMut(&'static str, &str) -> Option<String>,
) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let kind = KINDS.iter().find(|kind| *kind == name);
                match (kind, &mut *member) {
                    (Some(kind), Value::String(handle)) => {
                        let own = made.iter().any(|(k, made)| k == kind && made == handle);
                        if let Some(other) = (!own).then(|| choose(kind, handle)).flatten() {
                            *handle = other;
                        }
                    }
                    _ => rebind_within(member, made, choose),
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rebind_within(item, made, choose)),
        Value::String(text) => rebind_text(text, choose),
        _ => {}
    }
}

/// Placeholders in texts of bodies and paths: `${archive:a}`.
fn rebind_text(text: &mut String, choose: &mut dyn FnMut(&'static str, &str) -> Option<String>) {
    for kind in KINDS {
        let opening = format!("${{{kind}:");
        let Some(start) = text.find(&opening).map(|at| at + opening.len()) else {
            continue;
        };
        let Some(end) = text[start..].find('}').map(|length| start + length) else {
            continue;
        };
        if let Some(other) = choose(kind, &text[start..end]) {
            text.replace_range(start..end, &other);
        }
    }
}

fn each_made(value: &mut Value, visit: &mut dyn FnMut(&'static str, &mut String)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                for (_, kind) in MADE.iter().filter(|(action, _)| action == name) {
                    if let Some(Value::String(handle)) = member.get_mut(kind) {
                        visit(kind, handle);
                    }
                }
                each_made(member, visit);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_made(item, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_step_makes_is_no_reference() {
        let mut step = json!({"UploadArchive": {"vault": "v", "archive": "a"}});
        rebind(&mut step, &mut |kind, _| Some(format!("other-{kind}")));
        assert_eq!(
            step,
            json!({"UploadArchive": {"vault": "other-vault", "archive": "a"}})
        );
    }

    #[test]
    fn what_is_made_twice_gets_two_names_and_a_vault_keeps_its_own() {
        let mut known = Known::new();
        let upload = json!({"UploadArchive": {"vault": "v", "archive": "a1"}});
        let (mut first, mut second) = (upload.clone(), upload);
        make_unique(&mut first, &mut known);
        make_unique(&mut second, &mut known);
        assert_eq!(first["UploadArchive"]["archive"], "a1");
        assert_eq!(second["UploadArchive"]["archive"], "a2");
        let mut vault = json!({"CreateVault": {"vault": "v"}});
        make_unique(&mut vault, &mut known);
        make_unique(&mut vault, &mut known);
        assert_eq!(vault["CreateVault"]["vault"], "v");
    }

    #[test]
    fn placeholders_are_references_and_groups_are_looked_into() {
        let mut step = json!({"Together": {"steps": [
            {"InitiateJob": {"vault": "v", "job": "j", "body": {"ArchiveId": "${archive:a}"}}}]}});
        let mut known = Known::new();
        note(&step, &mut known);
        assert_eq!(known["job"], ["j"]);
        rebind(&mut step, &mut |kind, _| {
            (kind == "archive").then(|| "b".to_owned())
        });
        assert_eq!(
            step["Together"]["steps"][0]["InitiateJob"]["body"]["ArchiveId"],
            "${archive:b}"
        );
    }
}
