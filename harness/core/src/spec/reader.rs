//! Reads our own dialect of OpenAPI 3.1, and refuses whatever it could not enforce.

use indexmap::IndexMap;
use serde_json::Value;

use super::document::{Document, Format, Node};
use super::operation::{
    BodyKind, Location, Operation, OperationName, Paging, Parameter, ResponseHeader,
};
use super::schema::{Additional, JsonType, Pattern, Schema};
use super::template::UriTemplate;
use super::{Spec, SpecError};

/// How deep schemas may stand in one another.
const DEEPEST: usize = 32;
/// How many schemas one document may expand to.
const MOST_SCHEMAS: usize = 50_000;
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "head"];
const HINTS: [&str; 2] = ["description", "summary"];

type Read<T> = Result<T, SpecError>;

/// Reads every operation of a document, and every component, used or not.
pub(super) fn spec(document: &Document<'_>, digest: String) -> Read<Spec> {
    let root = document.root();
    if document.format != Format::OpenApi31 {
        return Err(root.wrong("a specification of ours is OpenAPI 3.1"));
    }
    only(
        &root,
        &[
            "openapi",
            "info",
            "servers",
            "security",
            "x-common-errors",
            "paths",
            "components",
        ],
    )?;
    security(&root)?;
    let mut reader = Reader {
        schemas: 0,
        common: errors(&root, "x-common-errors")?,
    };
    reader.components(&root)?;
    let mut operations = IndexMap::new();
    for (path, item) in needed(&root, "paths")?.members() {
        for operation in reader.path(path, &item)? {
            let name = operation.name;
            if operations.insert(name, operation).is_some() {
                return Err(item.wrong(format!("{name} is defined twice")));
            }
        }
    }
    Ok(Spec {
        name: name(&needed(&root, "info")?)?,
        digest,
        operations,
        foreign: false,
        dropped: Vec::new(),
    })
}

fn name(info: &Node<'_>) -> Read<String> {
    only(info, &["title", "version", "license"])?;
    Ok(format!(
        "{}-{}",
        text(info, "title")?,
        text(info, "version")?
    ))
}

/// The signature is the one scheme there is.
fn security(root: &Node<'_>) -> Read<()> {
    let asked = needed(root, "security")?;
    if *asked.value != serde_json::json!([{"sigv4": []}]) {
        return Err(asked.wrong("requests are signed by sigv4 and nothing else"));
    }
    let schemes = root
        .member("components")
        .and_then(|components| components.member("securitySchemes"));
    let schemes =
        schemes.ok_or_else(|| asked.wrong("the scheme sigv4 is not among the components"))?;
    only(&schemes, &["sigv4"])
}

struct Reader {
    schemas: usize,
    common: IndexMap<String, Vec<u16>>,
}

impl Reader {
    fn components(&mut self, root: &Node<'_>) -> Read<()> {
        let components = needed(root, "components")?;
        only(
            &components,
            &[
                "securitySchemes",
                "parameters",
                "headers",
                "responses",
                "schemas",
            ],
        )?;
        for (kind, group) in components.members() {
            for (name, node) in group.members() {
                match kind {
                    "parameters" => drop(self.parameter(&node)?),
                    "headers" => drop(self.header(name, &node)?),
                    "responses" => drop(self.response(&node)?),
                    "schemas" => drop(self.schema(&node, 0)?),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &str, item: &Node<'_>) -> Read<Vec<Operation>> {
        only(item, &[&METHODS[..], &["parameters"]].concat())?;
        let uri = UriTemplate::parse(path).map_err(|text| item.wrong(text))?;
        let shared = self.parameters(item)?;
        let methods = item
            .members()
            .into_iter()
            .filter(|(key, _)| METHODS.contains(key));
        methods
            .map(|(method, node)| self.operation(method, &uri, &shared, &node))
            .collect()
    }

    fn operation(
        &mut self,
        method: &str,
        uri: &UriTemplate,
        shared: &[Parameter],
        node: &Node<'_>,
    ) -> Read<Operation> {
        only(
            node,
            &[
                "operationId",
                "parameters",
                "requestBody",
                "responses",
                "x-errors",
                "x-paging",
            ],
        )?;
        let name = text(node, "operationId")?.parse::<OperationName>();
        let mut parameters = shared.to_vec();
        parameters.extend(self.parameters(node)?);
        agree(uri, &parameters).map_err(|text| node.wrong(text))?;
        let answers = self.answers(&needed(node, "responses")?)?;
        let mut all = self.common.clone();
        all.extend(errors(node, "x-errors")?);
        Ok(Operation {
            name: name.map_err(|error| node.wrong(error.to_string()))?,
            method: method.to_ascii_uppercase(),
            uri: uri.clone(),
            parameters,
            request_body: self.request_body(node)?,
            success_status: answers.statuses[0],
            other_success: answers.statuses[1..].to_vec(),
            response_headers: answers.headers,
            response_body: answers.body,
            errors: all,
            error_body: answers.error,
            paging: node
                .member("x-paging")
                .map(|node| paging(&node))
                .transpose()?,
        })
    }

    fn parameters(&mut self, node: &Node<'_>) -> Read<Vec<Parameter>> {
        let listed = node
            .member("parameters")
            .map(|list| list.items())
            .unwrap_or_default();
        listed.iter().map(|node| self.parameter(node)).collect()
    }

    fn parameter(&mut self, node: &Node<'_>) -> Read<Parameter> {
        let node = reference(node)?;
        only(&node, &["name", "in", "required", "schema"])?;
        let place = text(&node, "in")?;
        let locations = [Location::Path, Location::Query, Location::Header];
        let location = locations.into_iter().find(|known| known.as_str() == place);
        Ok(Parameter {
            name: text(&node, "name")?.to_owned(),
            location: location.ok_or_else(|| node.wrong(format!("a parameter in {place}")))?,
            required: flag(&node, "required")?,
            schema: self.schema(&needed(&node, "schema")?, 0)?,
        })
    }

    fn header(&mut self, name: &str, node: &Node<'_>) -> Read<ResponseHeader> {
        let node = reference(node)?;
        only(&node, &["required", "schema", "x-when"])?;
        Ok(ResponseHeader {
            name: name.to_owned(),
            required: flag(&node, "required")?,
            when: node.text("x-when").map(ToOwned::to_owned),
            schema: self.schema(&needed(&node, "schema")?, 0)?,
        })
    }

    fn request_body(&mut self, node: &Node<'_>) -> Read<BodyKind> {
        let Some(body) = node.member("requestBody") else {
            return Ok(BodyKind::None);
        };
        only(&body, &["required", "content"])?;
        if !flag(&body, "required")? {
            return Err(body.wrong("a body that is not required"));
        }
        self.content(&body)
    }

    /// What `content` says: JSON, bytes, or the output of a job where it is both.
    fn content(&mut self, node: &Node<'_>) -> Read<BodyKind> {
        let types = node
            .member("content")
            .map(|content| content.members())
            .unwrap_or_default();
        let (mut json, mut bytes) = (None, false);
        for (media, node) in types {
            only(&node, &["schema"])?;
            let schema = self.schema(&needed(&node, "schema")?, 0)?;
            match media {
                "application/json" => json = Some(schema),
                "text/json" if json.as_ref() == Some(&schema) => {}
                "text/csv" if bytes => {}
                "application/octet-stream" => bytes = true,
                _ => return Err(node.wrong("a media type that is not judged")),
            }
        }
        Ok(match (json, bytes) {
            (None, false) => BodyKind::None,
            (None, true) => BodyKind::Binary,
            (Some(schema), false) => BodyKind::Json(schema),
            (Some(schema), true) => BodyKind::JobOutput(schema),
        })
    }

    fn response(&mut self, node: &Node<'_>) -> Read<(Vec<ResponseHeader>, BodyKind)> {
        let node = reference(node)?;
        only(&node, &["headers", "content"])?;
        let headers = node
            .member("headers")
            .map(|headers| headers.members())
            .unwrap_or_default();
        let mut headers = headers
            .iter()
            .map(|(name, node)| self.header(name, node))
            .collect::<Read<Vec<_>>>()?;
        headers.extend(content_type(&node)?);
        Ok((headers, self.content(&node)?))
    }

    fn answers(&mut self, node: &Node<'_>) -> Read<Answers> {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for (status, node) in node.members() {
            let answer = self.response(&node)?;
            match status.parse::<u16>() {
                Ok(status @ 200..300) => good.push((status, answer)),
                _ if matches!(status, "4XX" | "5XX") => bad.push(answer),
                _ => return Err(node.wrong("a status that is not judged")),
            }
        }
        let (Some((_, (_, body))), Some((_, BodyKind::Json(error)))) = (good.first(), bad.first())
        else {
            return Err(node.wrong("a success is needed, and the JSON of an error"));
        };
        if good.iter().any(|(_, (_, other))| other != body)
            || bad.iter().any(|other| *other != bad[0])
        {
            return Err(node.wrong("successes with different bodies, or different errors"));
        }
        Ok(Answers {
            statuses: good.iter().map(|(status, _)| *status).collect(),
            body: body.clone(),
            error: error.clone(),
            headers: merged(&good),
        })
    }

    fn schema(&mut self, node: &Node<'_>, depth: usize) -> Read<Schema> {
        self.schemas += 1;
        if depth > DEEPEST || self.schemas > MOST_SCHEMAS {
            return Err(node.wrong("schemas without end; a $ref in a circle?"));
        }
        let node = reference(node)?;
        let mut schema = Schema::default();
        for (keyword, value) in node.members() {
            self.keyword(&mut schema, keyword, &value, depth + 1)?;
        }
        Ok(schema)
    }

    fn keyword(
        &mut self,
        schema: &mut Schema,
        keyword: &str,
        node: &Node<'_>,
        depth: usize,
    ) -> Read<()> {
        match keyword {
            "type" => schema.types = types(node)?,
            "enum" => {
                let values = node.items().into_iter().map(|item| item.value.clone());
                schema.enum_values = values.collect();
            }
            "pattern" => schema.pattern = Some(pattern(node)?),
            "required" => schema.required = names(node)?,
            "properties" => {
                for (name, node) in node.members() {
                    schema
                        .properties
                        .insert(name.to_owned(), self.schema(&node, depth)?);
                }
            }
            "propertyNames" => schema.property_names = Some(Box::new(self.schema(node, depth)?)),
            "items" => schema.items = Some(Box::new(self.schema(node, depth)?)),
            "additionalProperties" => {
                schema.additional = match node.value {
                    Value::Bool(true) => Additional::Any,
                    Value::Bool(false) => Additional::Denied,
                    _ => Additional::Schema(Box::new(self.schema(node, depth)?)),
                }
            }
            "minLength" => schema.min_length = Some(count(node)?),
            "maxLength" => schema.max_length = Some(count(node)?),
            "minItems" => schema.min_items = Some(count(node)?),
            "maxItems" => schema.max_items = Some(count(node)?),
            "minProperties" => schema.min_properties = Some(count(node)?),
            "maxProperties" => schema.max_properties = Some(count(node)?),
            "minimum" => schema.minimum = Some(whole(node)?),
            "maximum" => schema.maximum = Some(whole(node)?),
            "contentEncoding" if node.value == "binary" => {}
            _ if HINTS.contains(&keyword) => {}
            _ => return Err(node.wrong(format!("a keyword {keyword} that is not enforced"))),
        }
        Ok(())
    }
}

struct Answers {
    statuses: Vec<u16>,
    headers: Vec<ResponseHeader>,
    body: BodyKind,
    error: Schema,
}

/// The headers of all successes; one that some lack is not required.
fn merged(answers: &[(u16, (Vec<ResponseHeader>, BodyKind))]) -> Vec<ResponseHeader> {
    let mut all: IndexMap<String, (ResponseHeader, Vec<u16>)> = IndexMap::new();
    for (status, (headers, _)) in answers {
        for header in headers {
            let entry = all.entry(header.name.to_ascii_lowercase());
            entry
                .or_insert_with(|| (header.clone(), Vec::new()))
                .1
                .push(*status);
        }
    }
    let somewhere = |(mut header, statuses): (ResponseHeader, Vec<u16>)| {
        if statuses.len() < answers.len() {
            let list: Vec<String> = statuses.iter().map(u16::to_string).collect();
            header.when = header
                .when
                .or_else(|| Some(format!("status {}", list.join(" or "))));
            header.required = false;
        }
        header
    };
    all.into_values().map(somewhere).collect()
}

/// The header that follows from the media types of a body: OpenAPI has it said by them alone.
fn content_type(node: &Node<'_>) -> Read<Option<ResponseHeader>> {
    let types = node
        .member("content")
        .map(|content| content.members())
        .unwrap_or_default();
    let alternatives: Vec<String> = types
        .iter()
        .map(|(media, _)| media.replace('.', r"\."))
        .collect();
    if alternatives.is_empty() {
        return Ok(None);
    }
    let expression = format!(r"(?i)^({})[ \t]*(;.*)?$", alternatives.join("|"));
    let schema = Schema {
        types: vec![JsonType::String],
        pattern: Some(Pattern::new(&expression).map_err(|text| node.wrong(text))?),
        ..Schema::default()
    };
    Ok(Some(ResponseHeader {
        name: "Content-Type".into(),
        required: true,
        when: None,
        schema,
    }))
}

/// The path and its parameters must name each other.
fn agree(uri: &UriTemplate, parameters: &[Parameter]) -> Result<(), String> {
    let declared: Vec<&Parameter> = parameters
        .iter()
        .filter(|known| known.location == Location::Path)
        .collect();
    if let Some(optional) = declared.iter().find(|known| !known.required) {
        return Err(format!(
            "a path parameter {} that is not required",
            optional.name
        ));
    }
    let mut declared: Vec<&str> = declared.iter().map(|known| known.name.as_str()).collect();
    let mut named: Vec<&str> = uri.parameters().collect();
    declared.sort_unstable();
    named.sort_unstable();
    if declared == named {
        return Ok(());
    }
    Err(format!(
        "path parameters {declared:?} where the path names {named:?}"
    ))
}

fn paging(node: &Node<'_>) -> Read<Paging> {
    only(node, &["limit", "marker", "next", "list", "default", "max"])?;
    let name = |key: &str| text(node, key).map(ToOwned::to_owned);
    Ok(Paging {
        limit: name("limit")?,
        marker: name("marker")?,
        next: name("next")?,
        list_member: name("list")?,
        default: count(&needed(node, "default")?)?,
        max: count(&needed(node, "max")?)?,
    })
}

fn errors(node: &Node<'_>, key: &str) -> Read<IndexMap<String, Vec<u16>>> {
    let codes = node
        .member(key)
        .map(|codes| codes.members())
        .unwrap_or_default();
    codes
        .into_iter()
        .map(|(code, node)| Ok((code.to_owned(), statuses(&node)?)))
        .collect()
}

fn statuses(node: &Node<'_>) -> Read<Vec<u16>> {
    let status = |item: Node<'_>| {
        let status = item
            .value
            .as_u64()
            .and_then(|status| u16::try_from(status).ok());
        status
            .filter(|status| (400..600).contains(status))
            .ok_or_else(|| item.wrong("an error status is 400 to 599"))
    };
    let listed = node
        .items()
        .into_iter()
        .map(status)
        .collect::<Read<Vec<_>>>()?;
    if listed.is_empty() {
        Err(node.wrong("an error code without a status"))
    } else {
        Ok(listed)
    }
}

fn types(node: &Node<'_>) -> Read<Vec<JsonType>> {
    let list = node.items();
    let list = if list.is_empty() {
        vec![node.clone()]
    } else {
        list
    };
    let kind = |item: Node<'_>| {
        let kind = item.value.as_str().and_then(JsonType::named);
        kind.ok_or_else(|| item.wrong("a type that JSON does not have"))
    };
    list.into_iter().map(kind).collect()
}

fn names(node: &Node<'_>) -> Read<Vec<String>> {
    let name = |item: Node<'_>| {
        item.value
            .as_str()
            .map(ToOwned::to_owned)
            .ok_or_else(|| item.wrong("a name is a text"))
    };
    node.items().into_iter().map(name).collect()
}

fn pattern(node: &Node<'_>) -> Read<Pattern> {
    let text = node
        .value
        .as_str()
        .ok_or_else(|| node.wrong("a pattern is a text"))?;
    Pattern::new(text).map_err(|text| node.wrong(text))
}

fn count(node: &Node<'_>) -> Read<u64> {
    node.value
        .as_u64()
        .ok_or_else(|| node.wrong("a whole number from 0 is needed"))
}

fn whole(node: &Node<'_>) -> Read<i128> {
    let number = node
        .value
        .as_number()
        .and_then(|number| number.to_string().parse().ok());
    number.ok_or_else(|| node.wrong("a whole number is needed"))
}

fn flag(node: &Node<'_>, key: &str) -> Read<bool> {
    let value = needed(node, key)?;
    value
        .value
        .as_bool()
        .ok_or_else(|| value.wrong("true or false is needed"))
}

fn text<'a>(node: &Node<'a>, key: &str) -> Read<&'a str> {
    node.text(key)
        .ok_or_else(|| node.wrong(format!("a text {key} is needed")))
}

fn needed<'a>(node: &Node<'a>, key: &str) -> Read<Node<'a>> {
    node.member(key)
        .ok_or_else(|| node.wrong(format!("a member {key} is needed")))
}

/// Follows a `$ref`, which stands alone.
fn reference<'a>(node: &Node<'a>) -> Read<Node<'a>> {
    if node.member("$ref").is_some() && node.members().len() > 1 {
        return Err(node.wrong("a $ref with members beside it"));
    }
    let node = node.resolved()?;
    if node.value.is_object() {
        Ok(node)
    } else {
        Err(node.wrong("an object is needed"))
    }
}

/// Refuses members beyond those `known` and those that bind nobody.
fn only(node: &Node<'_>, known: &[&str]) -> Read<()> {
    if !node.value.is_object() {
        return Err(node.wrong("an object is needed"));
    }
    let stranger = node
        .members()
        .into_iter()
        .find(|(key, _)| !known.contains(key) && !HINTS.contains(key));
    stranger.map_or(Ok(()), |(key, node)| {
        Err(node.wrong(format!("a member {key} that is not enforced")))
    })
}
