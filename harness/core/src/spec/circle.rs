//! Finds `$ref`s that lead back to where they stand, before anything follows them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{Document, Node};

/// Takes those `$ref`s out of a document that close a circle, so that following the others comes to an end; returns where they stood.
pub(super) fn cut(document: &mut Document<'_>) -> BTreeSet<String> {
    let mut references = BTreeMap::new();
    collect(&document.root(), &mut references);
    let (mut ended, mut closing) = (BTreeSet::new(), BTreeSet::new());
    for target in references.values() {
        walk(target, &references, &mut ended, &mut closing);
    }
    document.drop_references(&closing);
    closing
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

/// Walks what stands below `start` and is referred to from there; `ended` are the places known to come to an end once the `$ref`s
/// at the places `closing` are taken out.
fn walk(
    start: &str,
    references: &BTreeMap<String, String>,
    ended: &mut BTreeSet<String>,
    closing: &mut BTreeSet<String>,
) {
    if ended.contains(start) {
        return;
    }
    let mut open = BTreeSet::from([start.to_owned()]);
    let mut path = vec![(start.to_owned(), within(start, references))];
    while let Some((_, ahead)) = path.last_mut() {
        let Some((place, target)) = ahead.pop() else {
            let (ending, _) = path.pop().expect("the last of a path that has one");
            open.remove(&ending);
            ended.insert(ending);
            continue;
        };
        if open.contains(target) {
            closing.insert(place.to_owned());
        } else if !ended.contains(target) {
            open.insert(target.to_owned());
            path.push((target.to_owned(), within(target, references)));
        }
    }
}

/// The `$ref`s at or below `place`: where each stands, and where it leads to.
fn within<'a>(place: &str, references: &'a BTreeMap<String, String>) -> Vec<(&'a str, &'a str)> {
    let below = format!("{place}/");
    let at = references.get_key_value(place).into_iter();
    let under = references
        .range(below.clone()..)
        .take_while(|(at, _)| at.starts_with(&below));
    at.chain(under)
        .map(|(at, target)| (at.as_str(), target.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circular(text: &str) -> bool {
        let text = format!("openapi: 3.1.0\n{text}");
        let mut document = Document::read("a", &text).unwrap();
        let found = cut(&mut document);
        assert!(
            cut(&mut document).is_empty(),
            "what is left still leads back"
        );
        !found.is_empty()
    }

    #[test]
    fn no_more_is_cut_than_closes_a_circle() {
        let text = "openapi: 3.1.0\na: {$ref: '#/tree'}\nb: {$ref: '#/tree'}\ntree: {left: {$ref: '#/tree'}, right: {$ref: '#/tree'}, leaf: {$ref: '#/leaf'}}\nleaf: 1";
        let mut document = Document::read("a", text).unwrap();
        let closing = cut(&mut document);
        assert_eq!(Vec::from_iter(closing), ["/tree/left", "/tree/right"]);
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
