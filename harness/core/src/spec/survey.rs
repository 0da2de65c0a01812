//! Holds an operation of a foreign document against the built-in one and notes where they part.

use std::collections::BTreeSet;

use super::document::{Format, Node};
use super::note::Notes;
use super::operation::{BodyKind, Location, Operation, Parameter};
use super::schema::{Additional, Schema};

/// How deep members are looked for behind `allOf` and its like.
const DEEPEST: usize = 4;
/// The header without which the real service refuses every request.
const VERSION: &str = "x-amz-glacier-version";
/// Headers that belong to a signature, beside those of Amazon's own.
const SIGNATURE: [&str; 3] = ["authorization", "date", "host"];
/// Headers that HTTP itself takes care of.
const PLAIN: [&str; 3] = ["content-length", "content-type", "date"];
const CONSTRAINTS: [&str; 7] = [
    "pattern",
    "enum",
    "const",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
];

/// An operation as a foreign document has it, and as it is.
pub(super) struct Survey<'a> {
    pub(super) ours: &'a Operation,
    pub(super) format: Format,
    pub(super) root: &'a Node<'a>,
    /// The path item, whose parameters all its operations share.
    pub(super) item: &'a Node<'a>,
    pub(super) operation: &'a Node<'a>,
    /// Names in the path, as the document spells them.
    pub(super) in_path: Vec<String>,
}

/// A body as a document has it.
struct Body<'a> {
    node: Node<'a>,
    said: bool,
    media: Vec<&'a str>,
    schema: Option<Node<'a>>,
}

impl<'a> Survey<'a> {
    /// Notes everything there is to say about the operation.
    pub(super) fn run(&self, notes: &mut Notes) {
        let parameters = self.parameters(notes);
        self.declared(&parameters, notes);
        for parameter in &parameters {
            self.parameter(parameter, notes);
        }
        self.request_body(&parameters, notes);
        self.responses(notes);
    }

    /// The parameters of the operation and of its path, resolved; those without a name are noted.
    fn parameters(&self, notes: &mut Notes) -> Vec<Node<'a>> {
        let of = |node: &Node<'a>| {
            node.member("parameters")
                .map(|list| list.items())
                .unwrap_or_default()
        };
        let mut named = Vec::new();
        for node in of(self.item).into_iter().chain(of(self.operation)) {
            match resolved(&node, notes) {
                Some(node) if node.text("name").is_some() => named.push(node),
                Some(node) => notes.wrong(
                    &node,
                    "parameter-without-name",
                    "a parameter without a name",
                ),
                None => {}
            }
        }
        named
    }

    /// Notes what must be declared and is not.
    fn declared(&self, parameters: &[Node<'_>], notes: &mut Notes) {
        if !declares(parameters, Location::Header, VERSION) {
            let text = format!("the header {VERSION}, which every request carries, is not there");
            notes.wrong(self.operation, "version-header-missing", text);
        }
        let undeclared = self.in_path.iter().map(String::as_str);
        let undeclared = undeclared.filter(|name| !declares(parameters, Location::Path, name));
        if let Some(names) = listed(undeclared) {
            let text = format!("the path names {names}, which no parameter declares");
            notes.wrong(self.operation, "path-parameter-undeclared", text);
        }
        let absent = self
            .ours
            .parameters
            .iter()
            .filter(|known| self.may_carry(known));
        let absent = absent.filter(|known| !declares(parameters, known.location, &known.name));
        if let Some(names) = listed(absent.map(|known| known.name.as_str())) {
            let text = format!("nothing is said of the parameters {names}");
            notes.silent(self.operation, "parameter-undefined", text);
        }
    }

    /// Tells whether a document should say something of a parameter: of all but what HTTP or the path takes care of.
    fn may_carry(&self, known: &Parameter) -> bool {
        let in_uri = |known: &Parameter| {
            self.ours
                .uri
                .query()
                .iter()
                .any(|(name, _)| *name == known.name)
        };
        match known.location {
            Location::Path => false,
            Location::Query => !in_uri(known),
            Location::Header => !plain(&known.name) && known.name != VERSION,
        }
    }

    fn parameter(&self, node: &Node<'_>, notes: &mut Notes) {
        let name = node.text("name").unwrap_or_default();
        let location = match node.text("in") {
            Some("query") => Location::Query,
            Some("header") => Location::Header,
            Some("path") if self.in_path.iter().any(|known| known == name) => return,
            Some("body") if self.format == Format::Swagger20 => return,
            _ => {
                return notes.ignored(
                    node,
                    "unknown-parameter",
                    format!("a parameter {name} that is nowhere in the request"),
                );
            }
        };
        match self.ours.parameter(location, name) {
            Some(known) => {
                let required = node.value.get("required") == Some(&true.into());
                if known.required && !required {
                    notes.wrong(
                        node,
                        "required-left-optional",
                        format!("{name} is required and stands here as optional"),
                    );
                }
                let schema = node.member("schema").unwrap_or_else(|| node.clone());
                if bound(&known.schema)
                    && !CONSTRAINTS
                        .iter()
                        .any(|keyword| schema.member(keyword).is_some())
                {
                    notes.silent(
                        node,
                        "parameter-unconstrained",
                        format!("any text will do for {name}"),
                    );
                }
            }
            None => self.stranger(node, name, location, notes),
        }
    }

    /// Notes a parameter that the service does not have.
    fn stranger(&self, node: &Node<'_>, name: &str, location: Location, notes: &mut Notes) {
        let word = name.split(' ').next().unwrap_or_default();
        let has = |body: &BodyKind| body.schema().is_some_and(|schema| mentions(schema, word));
        let respelt = |known: &&Parameter| {
            known.location == location && known.name.eq_ignore_ascii_case(name)
        };
        if signature(name, location) {
            notes.ignored(
                node,
                "signature-parameter",
                format!("{name} belongs to the signature"),
            );
        } else if has(&self.ours.request_body) {
            let text = format!("{name} is a member of the request body, not of the {location}");
            notes.wrong(node, "body-member-as-parameter", text);
        } else if has(&self.ours.response_body) {
            let text = format!("{name} is a member of the response, not of the {location}");
            notes.wrong(node, "response-member-as-parameter", text);
        } else if let Some(known) = self.ours.parameters.iter().find(respelt) {
            notes.wrong(
                node,
                "parameter-misspelt",
                format!("{name} is spelt {}", known.name),
            );
        } else {
            let text = format!("the service has no {location} parameter {name}");
            notes.ignored(node, "unknown-parameter", text);
        }
    }

    fn request_body(&self, parameters: &[Node<'a>], notes: &mut Notes) {
        let Some(body) = self.requested(parameters, notes) else {
            return;
        };
        if self.ours.request_body == BodyKind::None {
            if body.said {
                notes.wrong(&body.node, "body-invented", "the request has no body");
            }
            return;
        }
        if !body.said {
            notes.silent(
                &body.node,
                "body-undefined",
                "nothing is said of the request body",
            );
        }
        match (&self.ours.request_body, &body.schema) {
            (BodyKind::Binary, _) if body.only_json() => {
                let text = "the request body is bytes and stands here as JSON";
                notes.wrong(&body.node, "binary-as-json", text);
            }
            (BodyKind::Json(ours), Some(schema)) if !wrapped(ours, schema, notes) => {
                strange_members(ours, schema, notes);
            }
            _ => {}
        }
    }

    /// The request body as the document has it; none where a `$ref` to it is broken.
    fn requested(&self, parameters: &[Node<'a>], notes: &mut Notes) -> Option<Body<'a>> {
        let node = match self.format {
            Format::Swagger20 => parameters
                .iter()
                .find(|node| node.text("in") == Some("body"))
                .cloned(),
            _ => self
                .operation
                .member("requestBody")
                .map(|node| resolved(&node, notes).ok_or(()))
                .transpose()
                .ok()?,
        };
        let said = node.is_some();
        let node = node.unwrap_or_else(|| self.operation.clone());
        let body = match self.format {
            Format::Swagger20 => Body {
                said,
                media: self.media("consumes"),
                schema: node.member("schema"),
                node,
            },
            _ if said => content(&node),
            _ => Body {
                said,
                media: Vec::new(),
                schema: None,
                node,
            },
        };
        Some(body)
    }

    /// Media types that Swagger 2.0 gives for an operation, or for all.
    fn media(&self, key: &str) -> Vec<&'a str> {
        let listed = self.operation.member(key).or_else(|| self.root.member(key));
        let listed = listed.map(|list| list.items()).unwrap_or_default();
        listed
            .iter()
            .filter_map(|item| item.value.as_str())
            .collect()
    }

    fn responses(&self, notes: &mut Notes) {
        let Some(responses) = self.operation.member("responses") else {
            return notes.silent(
                self.operation,
                "no-response-headers",
                "nothing is said of responses",
            );
        };
        let known: BTreeSet<u16> = self.ours.errors.values().flatten().copied().collect();
        let (mut good, mut invented) = (Vec::new(), Vec::new());
        for (status, node) in responses.members() {
            match status.parse::<u16>() {
                Ok(number @ 200..300) => good.push((number, node)),
                Ok(number) if !known.contains(&number) => invented.push(status),
                _ => {}
            }
        }
        if !invented.is_empty() {
            let text = format!("the service never answers with {}", invented.join(", "));
            notes.wrong(&responses, "status-invented", text);
        }
        let best = good
            .iter()
            .find(|(status, _)| self.ours.succeeds_with(*status))
            .or(good.first());
        let Some((status, node)) = best else {
            return notes.silent(&responses, "success-status", "nothing is said of success");
        };
        if !self.ours.succeeds_with(*status) {
            let text = format!(
                "status {status} where the service answers {}",
                self.ours.success_status
            );
            notes.wrong(node, "success-status", text);
        }
        let good: Vec<Node<'a>> = good
            .iter()
            .filter_map(|(_, node)| resolved(node, notes))
            .collect();
        if let Some(node) = resolved(node, notes) {
            self.response_headers(&node, &good, notes);
            self.response_body(&self.answered(node), notes);
        }
    }

    /// Notes the headers that none of the successes has.
    fn response_headers(&self, node: &Node<'_>, good: &[Node<'_>], notes: &mut Notes) {
        let headers = good.iter().filter_map(|node| node.member("headers"));
        let said: Vec<&str> = headers
            .flat_map(|headers| headers.members())
            .map(|(name, _)| name)
            .collect();
        let absent = |name: &&str| {
            !plain(name) && !said.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        let expected = self
            .ours
            .response_headers
            .iter()
            .map(|header| header.name.as_str());
        if let Some(names) = listed(expected.filter(absent)) {
            let rule = if said.is_empty() {
                "no-response-headers"
            } else {
                "response-header-undefined"
            };
            notes.silent(
                node,
                rule,
                format!("nothing is said of the headers {names}"),
            );
        }
    }

    /// The body of a success as the document has it.
    fn answered(&self, node: Node<'a>) -> Body<'a> {
        match self.format {
            Format::Swagger20 => Body {
                said: node.member("schema").is_some(),
                media: self.media("produces"),
                schema: node.member("schema"),
                node,
            },
            _ => content(&node),
        }
    }

    fn response_body(&self, body: &Body<'_>, notes: &mut Notes) {
        match &self.ours.response_body {
            BodyKind::None => {
                if body.said {
                    notes.wrong(&body.node, "body-invented", "the response has no body");
                }
            }
            BodyKind::JobOutput(_) | BodyKind::Binary if body.only_json() => {
                notes.wrong(
                    &body.node,
                    "binary-as-json",
                    "the output is bytes, CSV or JSON and stands here as JSON",
                );
            }
            BodyKind::Json(ours) => self.response_members(ours, body, notes),
            BodyKind::JobOutput(_) | BodyKind::Binary => {}
        }
    }

    fn response_members(&self, ours: &Schema, body: &Body<'_>, notes: &mut Notes) {
        let Some(schema) = &body.schema else {
            return notes.silent(
                &body.node,
                "response-body-undefined",
                "nothing is said of the response body",
            );
        };
        if wrapped(ours, schema, notes) {
            return;
        }
        let said = members(schema, 0);
        let absent: Vec<&str> = ours
            .properties
            .keys()
            .map(String::as_str)
            .filter(|name| !said.iter().any(|(known, _)| known == name))
            .collect();
        if !absent.is_empty() {
            notes.silent(
                schema,
                "response-member-undefined",
                format!("nothing is said of the members {}", absent.join(", ")),
            );
        }
    }
}

impl Body<'_> {
    fn only_json(&self) -> bool {
        !self.media.is_empty() && self.media.iter().all(|media| media.contains("json"))
    }
}

/// Tells whether the parameters of a document declare this one.
fn declares(parameters: &[Node<'_>], location: Location, name: &str) -> bool {
    let same = |known: &str| match location {
        Location::Header => known.eq_ignore_ascii_case(name),
        Location::Path | Location::Query => known == name,
    };
    let mut here = parameters
        .iter()
        .filter(|node| node.text("in") == Some(location.as_str()));
    here.any(|node| node.text("name").is_some_and(same))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    Some(names.join(", ")).filter(|names| !names.is_empty())
}

fn signature(name: &str, location: Location) -> bool {
    let lower = name.to_ascii_lowercase();
    let signed = SIGNATURE.contains(&lower.as_str()) || lower.starts_with("x-amz-");
    signed && location == Location::Header
}

/// Notes a body whose members stand within one member that the service does not know.
fn wrapped(ours: &Schema, schema: &Node<'_>, notes: &mut Notes) -> bool {
    let known = |name: &str| ours.properties.contains_key(name);
    let outer = members(schema, 0);
    let wrapper = match &outer[..] {
        [(name, inner)] if !known(name) => members(inner, 0)
            .iter()
            .any(|(name, _)| known(name))
            .then_some((name, inner)),
        _ => None,
    };
    if let Some((name, inner)) = wrapper {
        let text =
            format!("the body is wrapped in {name}; its members stand by themselves on the wire");
        notes.wrong(inner, "body-wrapped", text);
    }
    wrapper.is_some()
}

fn strange_members(ours: &Schema, schema: &Node<'_>, notes: &mut Notes) {
    let strange = members(schema, 0).into_iter().map(|(name, _)| name);
    let strange: Vec<&str> = strange
        .filter(|name| !ours.properties.contains_key(*name))
        .collect();
    if !strange.is_empty() {
        let text = format!("the request body has no members {}", strange.join(", "));
        notes.ignored(schema, "unknown-member", text);
    }
}

fn content<'a>(node: &Node<'a>) -> Body<'a> {
    let types = node
        .member("content")
        .map(|content| content.members())
        .unwrap_or_default();
    let schema = types
        .iter()
        .find(|(media, _)| media.contains("json"))
        .or(types.first());
    Body {
        node: node.clone(),
        said: !types.is_empty(),
        media: types.iter().map(|(media, _)| *media).collect(),
        schema: schema.and_then(|(_, node)| node.member("schema")),
    }
}

/// The members that a schema of the document gives an object, by name.
fn members<'a>(schema: &Node<'a>, depth: usize) -> Vec<(&'a str, Node<'a>)> {
    let Ok(schema) = schema.resolved() else {
        return Vec::new();
    };
    let mut found = schema
        .member("properties")
        .map(|node| node.members())
        .unwrap_or_default();
    if depth < DEEPEST {
        let parts = ["allOf", "oneOf", "anyOf"]
            .iter()
            .filter_map(|key| schema.member(key));
        found.extend(
            parts
                .flat_map(|list| list.items())
                .flat_map(|part| members(&part, depth + 1)),
        );
    }
    found
}

/// What a node stands for; a `$ref` that leads nowhere is noted.
pub(super) fn resolved<'a>(node: &Node<'a>, notes: &mut Notes) -> Option<Node<'a>> {
    let seen = node.resolved();
    if seen.is_err() {
        let target = node.text("$ref").unwrap_or_default();
        notes.wrong(
            node,
            "broken-reference",
            format!("{target:?} leads nowhere in this document"),
        );
    }
    seen.ok()
}

fn plain(name: &str) -> bool {
    PLAIN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Tells whether a schema binds a text at all.
fn bound(schema: &Schema) -> bool {
    let Schema {
        pattern,
        enum_values,
        minimum,
        maximum,
        min_length,
        max_length,
        ..
    } = schema;
    let bounds =
        minimum.is_some() || maximum.is_some() || min_length.is_some() || max_length.is_some();
    pattern.is_some() || !enum_values.is_empty() || bounds
}

/// Tells whether an object or one within it has a member of this name.
fn mentions(schema: &Schema, name: &str) -> bool {
    let below = schema.properties.values().chain(schema.items.as_deref());
    let additional = match &schema.additional {
        Additional::Schema(schema) => Some(&**schema),
        Additional::Any | Additional::Denied => None,
    };
    schema.properties.contains_key(name)
        || below.chain(additional).any(|schema| mentions(schema, name))
}
