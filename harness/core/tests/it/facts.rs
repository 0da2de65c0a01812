//! The built-in documents against the collected facts.

use crevasse_core::requirement::Registry;
use crevasse_core::spec::{
    BodyKind, JsonType, Location, Operation, OperationName, Parameter, Schema, Spec,
};
use serde_yaml::Value;

use crate::shared;

fn facts(path: &str) -> Option<Value> {
    shared::text(path).map(|text| serde_yaml::from_str(&text).expect("the facts are YAML"))
}

#[test]
fn ids_levels_and_statements_are_those_of_the_facts() {
    let Some(facts) = facts("facts/requirements.yaml") else {
        return;
    };
    let facts = facts.as_sequence().unwrap();
    assert_eq!(facts.len(), Registry::builtin().len());
    for (fact, ours) in facts.iter().zip(Registry::builtin().iter()) {
        assert_eq!(fact["id"], ours.id.as_str());
        assert_eq!(fact["level"], ours.level.to_string());
        assert_eq!(fact["probe"], ours.probe.to_string());
        let evidence: Vec<String> = ours.evidence.iter().map(ToString::to_string).collect();
        assert_eq!(fact["evidence"], evidence.join("+"));
        let statement = fact["statement"].as_str().unwrap();
        assert_eq!(
            statement.replace("operations.yaml", "openapi.yaml"),
            ours.statement
        );
    }
}

/// What `security` asks for, and no parameter of ours (AWS Signature Version 4).
const SIGNED: [&str; 4] = ["Authorization", "Date", "Host", "x-amz-date"];

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_sequence().map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Calls `compare` for every operation of the facts and ours of the same name.
fn each_operation(compare: impl Fn(&Value, &Operation)) {
    let Some(facts) = facts("facts/operations.yaml") else {
        return;
    };
    let operations = list(&facts, "operations");
    assert_eq!(operations.len(), Spec::builtin().operations.len());
    for fact in operations {
        let name: OperationName = word(fact, "name").parse().unwrap();
        compare(fact, &Spec::builtin().operations[&name]);
    }
}

#[test]
fn methods_uris_and_statuses_are_those_of_the_facts() {
    each_operation(|fact, ours| {
        assert_eq!(word(fact, "http_method"), ours.method);
        assert_eq!(word(fact, "uri_template"), ours.uri.as_str());
        assert_eq!(fact["success_status"], ours.success_status);
        let partial = fact["success_status_partial"].as_u64();
        assert_eq!(partial.is_some(), ours.other_success.contains(&206));
    });
}

#[test]
fn parameters_are_those_of_the_facts() {
    each_operation(|fact, ours| {
        let mut left: Vec<(Location, &str)> = ours
            .parameters
            .iter()
            .map(|p| (p.location, p.name.as_str()))
            .collect();
        for (key, location) in [
            ("path_parameters", Location::Path),
            ("query_parameters", Location::Query),
            ("request_headers", Location::Header),
        ] {
            for expected in list(fact, key)
                .iter()
                .filter(|expected| !SIGNED.contains(&word(expected, "name")))
            {
                let name = word(expected, "name");
                let parameter = ours
                    .parameter(location, name)
                    .unwrap_or_else(|| panic!("{} lacks {name}", ours.name));
                same_parameter(expected, parameter, &format!("{} {name}", ours.name));
                left.retain(|known| *known != (location, name));
            }
        }
        assert_eq!(left, [], "{}", ours.name);
    });
}

fn same_parameter(expected: &Value, parameter: &Parameter, place: &str) {
    assert_eq!(
        expected["required"].as_bool().unwrap_or(false),
        parameter.required,
        "{place}"
    );
    let schema = &parameter.schema;
    if let Some(pattern) = expected["regex"].as_str() {
        assert_eq!(
            Some(pattern),
            schema.pattern.as_ref().map(|ours| ours.as_str()),
            "{place}"
        );
    }
    if expected["allowed"].is_sequence() {
        let allowed: Vec<&str> = list(expected, "allowed")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let ours: Vec<&str> = schema
            .enum_values
            .iter()
            .filter_map(|value| value.as_str())
            .collect();
        assert_eq!(allowed, ours, "{place}");
    }
    for (key, ours) in [("min", schema.minimum), ("max", schema.maximum)] {
        if let Some(bound) = expected[key].as_i64() {
            assert_eq!(Some(i128::from(bound)), ours, "{place}");
        }
    }
}

#[test]
fn errors_and_paging_are_those_of_the_facts() {
    each_operation(|fact, ours| {
        let mut codes: Vec<&str> = ours.errors.keys().map(String::as_str).collect();
        for expected in list(fact, "errors") {
            let code = word(expected, "code");
            assert_eq!(
                expected["http_status"], ours.errors[code][0],
                "{} {code}",
                ours.name
            );
            codes.retain(|known| *known != code);
        }
        assert!(codes.is_empty(), "{} {codes:?}", ours.name);
        let paged = fact["paginated"].is_mapping();
        assert_eq!(paged, ours.paging.is_some(), "{}", ours.name);
        if let Some(paging) = &ours.paging {
            let paginated = &fact["paginated"];
            assert_eq!(paginated["result"], paging.list_member.as_str());
            assert_eq!(paginated["input"], paging.marker.as_str());
            assert_eq!(paginated["output"], paging.next.as_str());
            assert_eq!(paginated["limit"], paging.limit.as_str());
            assert_eq!(paginated["page_size_default"], paging.default);
            assert_eq!(paginated["page_size_max"], paging.max);
        }
    });
}

#[test]
fn response_headers_are_those_of_the_facts() {
    each_operation(|fact, ours| {
        let mut left: Vec<&str> = ours
            .response_headers
            .iter()
            .map(|header| header.name.as_str())
            .collect();
        for expected in list(fact, "response_headers") {
            let name = word(expected, "name");
            let header = ours
                .response_header(name)
                .unwrap_or_else(|| panic!("{} lacks {name}", ours.name));
            let when = word(expected, "when");
            let always = when == "success"
                || when.starts_with("every response")
                || when.ends_with("JSON body");
            // A chunked answer has no length, so it is judged where it is sent (COM-HDR-004).
            assert_eq!(
                always && name != "Content-Length",
                header.required,
                "{} {name}",
                ours.name
            );
            if let Some(pattern) = expected["regex"].as_str() {
                assert_eq!(header.schema.pattern.as_ref().unwrap().as_str(), pattern);
            }
            left.retain(|known| *known != name);
        }
        assert!(left.is_empty(), "{} {left:?}", ours.name);
    });
}

#[test]
fn bodies_are_those_of_the_facts() {
    each_operation(|fact, ours| {
        same_body(
            &fact["request_body"],
            &ours.request_body,
            &format!("{} request", ours.name),
        );
        same_body(
            &fact["response_body"],
            &ours.response_body,
            &format!("{} response", ours.name),
        );
    });
}

fn same_body(expected: &Value, ours: &BodyKind, place: &str) {
    match (word(expected, "kind"), ours) {
        ("none", BodyKind::None) | ("binary", BodyKind::Binary) => {}
        ("json", BodyKind::Json(schema)) => same_members(list(expected, "members"), schema, place),
        ("binary | json | csv", BodyKind::JobOutput(schema)) => {
            same_members(list(expected, "json_inventory_members"), schema, place);
        }
        (kind, _) => panic!("{place} is {kind} and not {ours:?}"),
    }
}

fn same_members(expected: &[Value], schema: &Schema, place: &str) {
    let names: Vec<&str> = expected.iter().map(|member| word(member, "name")).collect();
    let mut sorted = (
        names.clone(),
        schema
            .properties
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1, "{place}");
    for member in expected {
        let name = word(member, "name");
        let place = format!("{place} {name}");
        let ours = &schema.properties[name];
        same_value(member, ours, &place);
        let required = schema.required.iter().any(|required| required == name);
        match (member["required"].as_bool(), member["nullable"].as_bool()) {
            (Some(needed), _) => assert_eq!(needed, required, "{place}"),
            (None, Some(nullable)) => assert!(!(nullable && required), "{place}"),
            (None, None) => {}
        }
    }
}

fn same_value(member: &Value, ours: &Schema, place: &str) {
    let kind = match word(member, "type") {
        kind if kind.starts_with("array") => JsonType::Array,
        kind if kind.starts_with("map") => JsonType::Object,
        "string" => JsonType::String,
        "integer" => JsonType::Integer,
        "boolean" => JsonType::Boolean,
        "object" => JsonType::Object,
        other => panic!("{place} is {other}"),
    };
    assert_eq!(ours.types[0], kind, "{place}");
    if let Some(nullable) = member["nullable"].as_bool() {
        assert_eq!(ours.nullable(), nullable, "{place}");
    }
    // The case of hexadecimal digits is judged by a requirement of its own (TH-ALG, SHOULD).
    let pattern = member["regex"]
        .as_str()
        .map(|text| text.replace("[0-9a-f]", "[0-9A-Fa-f]"));
    if pattern.is_some() {
        assert_eq!(
            pattern.as_deref(),
            ours.pattern.as_ref().map(|ours| ours.as_str()),
            "{place}"
        );
    }
    let values = |schema: &Schema| {
        schema
            .enum_values
            .iter()
            .filter_map(|value| value.as_str().map(ToOwned::to_owned))
            .collect::<Vec<_>>()
    };
    let listed = if kind == JsonType::Array {
        ours.items.as_deref().map(values).unwrap_or_default()
    } else {
        values(ours)
    };
    let wanted: Vec<&str> = list(member, "enum")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(wanted, listed, "{place}");
    if member["items"].is_sequence() {
        same_members(list(member, "items"), ours.items.as_ref().unwrap(), place);
    }
    if member["members"].is_sequence() {
        same_members(list(member, "members"), ours, place);
    }
}
