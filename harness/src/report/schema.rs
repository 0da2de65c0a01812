//! The JSON Schema of the report, version 1.

/// The schema, as JSON Schema 2020-12.
pub const JSON_SCHEMA: &str = include_str!("report.schema.json");

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::{Report, sample};

    /// What of a value its schema does not say, or says otherwise: the keywords the schema uses, `pattern` aside.
    struct Checker {
        root: Value,
        complaints: Vec<String>,
    }

    impl Checker {
        fn check(report: &Report) -> Vec<String> {
            let root: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
            let mut checker = Self {
                root: root.clone(),
                complaints: vec![],
            };
            checker.value("", &serde_json::to_value(report).unwrap(), &root);
            checker.complaints
        }

        fn complain(&mut self, place: &str, what: &str) {
            self.complaints.push(format!("{place}: {what}"));
        }

        fn value(&mut self, place: &str, value: &Value, schema: &Value) {
            if let Some(name) = schema["$ref"].as_str() {
                let target = self.root.pointer(name.trim_start_matches('#')).cloned();
                return self.value(
                    place,
                    value,
                    &target.expect("a reference that leads somewhere"),
                );
            }
            if let Some(choices) = schema["anyOf"].as_array() {
                let null = |choice: &&Value| (choice["type"] == "null") == value.is_null();
                let choice = choices.iter().find(null).expect("a choice").clone();
                return self.value(place, value, &choice);
            }
            self.scalar(place, value, schema);
            self.members(place, value, schema);
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                self.value(&format!("{place}/{index}"), item, &schema["items"]);
            }
        }

        fn scalar(&mut self, place: &str, value: &Value, schema: &Value) {
            let kind = schema["type"].as_str();
            if kind.is_some_and(|kind| !is(value, kind)) {
                self.complain(place, &format!("not of type {kind:?}"));
            }
            let constant = !schema["const"].is_null() && schema["const"] != *value;
            let unlisted = schema["enum"]
                .as_array()
                .is_some_and(|list| !list.contains(value));
            if constant || unlisted {
                self.complain(place, "a value that is not foreseen");
            }
        }

        fn members(&mut self, place: &str, value: &Value, schema: &Value) {
            let (Some(object), Some(properties)) =
                (value.as_object(), schema["properties"].as_object())
            else {
                return;
            };
            for required in schema["required"].as_array().into_iter().flatten() {
                if !object.contains_key(required.as_str().unwrap()) {
                    self.complain(place, &format!("{required} is missing"));
                }
            }
            for (name, member) in object {
                match properties.get(name) {
                    Some(schema) => self.value(&format!("{place}/{name}"), member, schema),
                    None => self.complain(place, &format!("{name} is in no schema")),
                }
            }
        }
    }

    fn is(value: &Value, kind: &str) -> bool {
        match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            other => panic!("a type that this test does not know: {other}"),
        }
    }

    #[test]
    fn a_report_is_as_its_schema_says_and_has_no_member_it_does_not_name() {
        assert_eq!(Checker::check(&sample::report()), [""; 0]);
        assert_eq!(Checker::check(&sample::large(30, 3)), [""; 0]);
    }

    #[test]
    fn what_the_schema_does_not_say_is_noticed() {
        let mut report = sample::report();
        report.schema = "crevasse.report/2".to_owned();
        assert_eq!(
            Checker::check(&report),
            ["/schema: a value that is not foreseen"]
        );
    }
}
