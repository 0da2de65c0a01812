//! Loads documents that others wrote: finds the operations they define and notes what they get wrong.
//!
//! What an operation must do is never taken from such a document: conversions invent statuses, forget headers and call
//! what is required optional. It is taken from the built-in specification; a document only tells which operations there are.

use indexmap::IndexMap;
use serde_json::Value;

use super::document::{Document, Format, Node};
use super::note::{Note, Notes};
use super::operation::{Operation, OperationName};
use super::survey::{Survey, resolved};
use super::template::UriTemplate;
use super::{Spec, SpecError, circle, digest};

/// How many documents an index may link to.
const MOST_LINKS: usize = 256;
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "head", "patch", "options", "trace",
];
const BESIDE_METHODS: [&str; 4] = ["parameters", "summary", "description", "servers"];

/// Finds the text of a linked document by the last segment of its link.
pub type Resolver<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a document defines an operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Definition {
    /// The operation.
    pub operation: OperationName,
    /// The document.
    pub document: String,
    /// The JSON pointer (RFC 6901) to the definition.
    pub pointer: String,
    /// Its line, from 1.
    pub line: usize,
}

/// What came of a foreign document and those it links to.
pub(super) struct Loaded {
    pub(super) format: Format,
    pub(super) definitions: IndexMap<OperationName, Definition>,
    pub(super) notes: Vec<Note>,
    pub(super) digest: String,
}

impl Loaded {
    /// The specification that judges by the built-in semantics what the document defines.
    pub(super) fn into_spec(self, name: &str) -> Spec {
        let known = &Spec::builtin().operations;
        let operations = self
            .definitions
            .keys()
            .map(|name| (*name, known[name].clone()));
        Spec {
            name: name.to_owned(),
            digest: self.digest,
            operations: operations.collect(),
            foreign: true,
            dropped: self.notes,
        }
    }
}

/// Reads a document, and those it links to if it is an index.
pub(super) fn load(name: &str, text: &str, resolver: Resolver<'_>) -> Result<Loaded, SpecError> {
    let mut document = Document::read(name, text)?;
    let mut loader = Loader {
        definitions: IndexMap::new(),
        notes: Notes::default(),
        texts: vec![text.to_owned()],
    };
    match document.format {
        Format::ApisJson => loader.index(&document, resolver),
        _ => loader.description(&mut document),
    }
    let texts: Vec<&str> = loader.texts.iter().map(String::as_str).collect();
    Ok(Loaded {
        format: document.format,
        digest: digest(&texts),
        definitions: loader.definitions,
        notes: loader.notes.into_vec(),
    })
}

struct Loader {
    definitions: IndexMap<OperationName, Definition>,
    notes: Notes,
    texts: Vec<String>,
}

impl Loader {
    fn index(&mut self, document: &Document<'_>, resolver: Resolver<'_>) {
        let apis = document
            .root()
            .member("apis")
            .map(|apis| apis.items())
            .unwrap_or_default();
        for api in apis {
            if let Some(base) = api.member("baseURL") {
                self.url(&base, "malformed-base-url");
            }
            let properties = api
                .member("properties")
                .map(|list| list.items())
                .unwrap_or_default();
            let links: Vec<Node<'_>> = properties.into_iter().filter(describes).collect();
            if links.is_empty() {
                self.notes.silent(
                    &api,
                    "link-missing",
                    "an API without a link to its description",
                );
            }
            for link in links {
                self.link(&link, resolver);
            }
        }
    }

    fn link(&mut self, link: &Node<'_>, resolver: Resolver<'_>) {
        let url = link.text("url").unwrap_or_default();
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let segment = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        if self.texts.len() > MOST_LINKS {
            return self.notes.ignored(
                link,
                "link-ignored",
                format!("more than {MOST_LINKS} links"),
            );
        }
        let Some(text) = Some(&segment)
            .filter(|segment| !segment.is_empty())
            .and_then(|segment| resolver(segment))
        else {
            return self.notes.wrong(
                link,
                "link-unresolved",
                format!("a link to {segment:?}, which is not at hand"),
            );
        };
        let broken = match Document::read(&segment, &text) {
            Ok(linked) if linked.format == Format::ApisJson => {
                Err("another index, which is not followed".to_owned())
            }
            Ok(mut linked) => {
                self.description(&mut linked);
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(text) = broken {
            self.notes
                .wrong(link, "link-broken", format!("{segment}: {text}"));
        }
        self.texts.push(text);
    }

    fn url(&mut self, node: &Node<'_>, rule: &'static str) {
        if !node.value.as_str().is_some_and(absolute) {
            self.notes
                .wrong(node, rule, format!("{} is no absolute URL", node.value));
        }
    }

    fn description(&mut self, document: &mut Document<'_>) {
        let closing = circle::cut(document);
        let root = document.root();
        for place in closing {
            let text = "a $ref that leads back to where it stands, which is not followed";
            self.notes
                .ignored(&root.below(&place), "ref-in-a-circle", text);
        }
        self.servers(&root);
        for holder in [
            root.member("definitions"),
            root.member("components")
                .and_then(|all| all.member("schemas")),
        ] {
            if let Some(node) = holder.filter(|node| !node.value.is_object()) {
                self.notes.wrong(
                    &node,
                    "definitions-not-a-mapping",
                    "schemas stand by name in a mapping, not in a list",
                );
            }
        }
        let Some(paths) = root.member("paths").filter(|paths| paths.value.is_object()) else {
            return self
                .notes
                .wrong(&root, "no-paths", "a description without paths");
        };
        for (path, item) in paths.members() {
            self.path(&root, path, &item);
        }
    }

    fn servers(&mut self, root: &Node<'_>) {
        let servers = root
            .member("servers")
            .map(|list| list.items())
            .unwrap_or_default();
        if servers.is_empty() && root.text("host").is_none() {
            self.notes
                .silent(root, "no-server", "nothing is said of where the service is");
        }
        for url in servers.iter().filter_map(|server| server.member("url")) {
            self.url(&url, "malformed-server-url");
        }
    }

    fn path(&mut self, root: &Node<'_>, path: &str, item: &Node<'_>) {
        let base = root
            .text("basePath")
            .unwrap_or_default()
            .trim_end_matches('/');
        let template = match UriTemplate::parse(&format!("{base}{path}")) {
            Ok(template) => template,
            Err(text) => {
                return self
                    .notes
                    .wrong(item, "malformed-path", format!("{path:?}: {text}"));
            }
        };
        let Some(item) = &resolved(item, &mut self.notes) else {
            return;
        };
        for (method, node) in item.members() {
            if METHODS.contains(&method) {
                self.operation(root, &template, item, method, &node);
            } else if !BESIDE_METHODS.contains(&method) && !method.starts_with("x-") {
                self.notes.wrong(
                    &node,
                    "not-a-method",
                    format!("{method} is no method of HTTP"),
                );
            }
        }
    }

    fn operation(
        &mut self,
        root: &Node<'_>,
        template: &UriTemplate,
        item: &Node<'_>,
        method: &str,
        node: &Node<'_>,
    ) {
        let alike = |ours: &&Operation| {
            ours.method.eq_ignore_ascii_case(method) && ours.uri.resembles(template)
        };
        let alike: Vec<&Operation> = Spec::builtin().operations.values().filter(alike).collect();
        let Some(ours) = told_apart(&alike, template, node) else {
            let rule = if alike.is_empty() {
                "unknown-operation"
            } else {
                "ambiguous-operation"
            };
            let text = format!(
                "{} {template} is not one operation of the service",
                method.to_ascii_uppercase()
            );
            return self.notes.ignored(node, rule, text);
        };
        let in_path = template.parameters().map(ToOwned::to_owned).collect();
        Survey {
            ours,
            format: node.document().format,
            root,
            item,
            operation: node,
            in_path,
        }
        .run(&mut self.notes);
        let definition = node.definition(ours.name);
        if let Some(first) = self.definitions.get(&ours.name) {
            let text = format!("{} is defined before, in {}", ours.name, first.document);
            return self.notes.ignored(node, "defined-again", text);
        }
        self.definitions.insert(ours.name, definition);
    }
}

/// Of operations with one method and path, the one that a query, a parameter or a name hints at.
fn told_apart<'a>(
    alike: &[&'a Operation],
    template: &UriTemplate,
    node: &Node<'_>,
) -> Option<&'a Operation> {
    if let [] | [_] = alike {
        return alike.first().copied();
    }
    let hints = [template.query().to_vec(), by_parameter(node)];
    let queried = |ours: &&&Operation| {
        hints
            .iter()
            .any(|hint| !hint.is_empty() && ours.uri.query().iter().all(|pair| hint.contains(pair)))
    };
    let names = ["operationId", "summary"]
        .iter()
        .filter_map(|key| node.text(key));
    let names: Vec<String> = names.map(str::to_ascii_lowercase).collect();
    let named = |ours: &&&Operation| {
        ours.uri
            .query()
            .iter()
            .any(|(_, value)| names.iter().any(|name| name.starts_with(value.as_str())))
    };
    alike
        .iter()
        .find(queried)
        .or_else(|| alike.iter().find(named))
        .copied()
}

/// Queries that the parameters of an operation fix to one value.
fn by_parameter(node: &Node<'_>) -> Vec<(String, String)> {
    let parameters = node
        .member("parameters")
        .map(|list| list.items())
        .unwrap_or_default();
    let queries = parameters
        .iter()
        .filter_map(|node| node.resolved().ok())
        .filter(|node| node.text("in") == Some("query"));
    let fixed = |node: Node<'_>| {
        let schema = node.member("schema").unwrap_or_else(|| node.clone());
        let value = schema
            .value
            .get("const")
            .or_else(|| schema.value.pointer("/enum/0"));
        Some((
            node.text("name")?.to_owned(),
            value.and_then(Value::as_str)?.to_owned(),
        ))
    };
    queries.filter_map(fixed).collect()
}

/// Tells whether a property of an API in an index links to its description.
fn describes(property: &Node<'_>) -> bool {
    let kind = property
        .text("type")
        .unwrap_or_default()
        .to_ascii_lowercase();
    kind.contains("openapi") || kind.contains("swagger")
}

/// Tells whether a text is an absolute URL of a web server; variables in braces are allowed in its host.
fn absolute(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]{}".contains(letter);
    !host.is_empty() && !host.starts_with(':') && host.chars().all(legal)
}
