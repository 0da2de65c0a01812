//! Finds `$ref`s that lead back to where they stand, before anything follows them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::SpecError;
use super::document::{Document, Node};

/// Refuses a document in which following `$ref`s never ends.
pub(super) fn refuse(document: &Document<'_>) -> Result<(), SpecError> {
    let mut references = BTreeMap::new();
    collect(&document.root(), &mut references);
    let mut ended = BTreeSet::new();
    for (place, target) in &references {
        if leads_back(target, &references, &mut ended) {
            return Err(document
                .root()
                .below(place)
                .wrong(format!("$refs in a circle, by {target}")));
        }
    }
    Ok(())
}

/// The place of every `$ref` within the document, and the place it leads to.
fn collect(node: &Node<'_>, references: &mut BTreeMap<String, String>) {
    let target = node
        .text("$ref")
        .and_then(|target| target.strip_prefix('#'));
    if let Some(target) = target {
        references.insert(node.pointer.clone(), target.to_owned());
    }
    let below = match node.value {
        Value::Object(_) => node.members().into_iter().map(|(_, node)| node).collect(),
        _ => node.items(),
    };
    below.iter().for_each(|node| collect(node, references));
}

/// Walks what stands below `start` and is referred to from there; `ended` are the places known to come to an end.
fn leads_back(
    start: &str,
    references: &BTreeMap<String, String>,
    ended: &mut BTreeSet<String>,
) -> bool {
    let mut open = BTreeSet::from([start.to_owned()]);
    let mut path = vec![(start.to_owned(), targets(start, references))];
    while let Some((_, ahead)) = path.last_mut() {
        let Some(next) = ahead.pop() else {
            let (ending, _) = path.pop().expect("the last of a path that has one");
            open.remove(&ending);
            ended.insert(ending);
            continue;
        };
        if open.contains(&next) {
            return true;
        }
        if !ended.contains(&next) {
            open.insert(next.clone());
            let ahead = targets(&next, references);
            path.push((next, ahead));
        }
    }
    false
}

/// Where the `$ref`s at or below `place` lead to.
fn targets(place: &str, references: &BTreeMap<String, String>) -> Vec<String> {
    let below = format!("{place}/");
    let at = references.get(place).into_iter();
    let under = references
        .range(below.clone()..)
        .take_while(|(at, _)| at.starts_with(&below));
    at.chain(under.map(|(_, target)| target)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circular(text: &str) -> bool {
        let text = format!("openapi: 3.1.0\n{text}");
        refuse(&Document::read("a", &text).unwrap()).is_err()
    }

    #[test]
    fn circles_of_any_length_are_found() {
        assert!(circular("a: {$ref: '#/a'}"));
        assert!(circular("a: {x: {$ref: '#/a'}}"));
        assert!(circular(
            "a: {x: {$ref: '#/b'}}\nb: [1, {y: {$ref: '#/a/x'}}]"
        ));
        assert!(circular(
            "a: {x: {$ref: '#/b'}}\nb: {y: {$ref: '#/c'}}\nc: {z: {$ref: '#/b'}}"
        ));
        assert!(circular("a: {$ref: '#'}"));
    }

    #[test]
    fn what_is_shared_is_no_circle() {
        assert!(!circular(
            "a: {x: {$ref: '#/b'}, y: {$ref: '#/b'}}\nb: {z: {$ref: '#/c'}}\nc: {w: {$ref: '#/cc'}}\ncc: 1"
        ));
        assert!(!circular("a: {$ref: '#/ab'}\nab: {$ref: 'a.yaml#/a'}"));
    }

    #[test]
    fn many_references_take_little_time() {
        let chain: String = (0..50_000)
            .map(|at| format!("a{at}:\n  $ref: '#/a{}'\n", at + 1))
            .collect();
        assert!(!circular(&chain));
    }
}
