//! What a JSON value may be: the part of JSON Schema that this suite enforces.

use std::fmt;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

/// No more violations than this are listed for one value.
const MOST_VIOLATIONS: usize = 50;

/// A type of JSON; integers are numbers without a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// A list.
    Array,
    /// Members by name.
    Object,
}

impl JsonType {
    const ALL: [Self; 7] = [
        Self::Null,
        Self::Boolean,
        Self::Integer,
        Self::Number,
        Self::String,
        Self::Array,
        Self::Object,
    ];

    /// Spells the type as JSON Schema does.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if integer(number).is_some() => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    fn admits(self, value: Self) -> bool {
        self == value || (self == Self::Number && value == Self::Integer)
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The value of a number without a fraction: `7`, and `7.0` too (JSON Schema, validation, 6.1.1).
fn integer(number: &Number) -> Option<i128> {
    let text = number.to_string();
    let whole = |float: f64| float.fract() == 0.0 && float.abs() < 1e18;
    text.parse().ok().or_else(|| {
        number
            .as_f64()
            .filter(|float| whole(*float))
            .map(|float| float as i128)
    })
}

/// A regular expression that some text must match; unanchored unless it says otherwise.
#[derive(Debug, Clone)]
pub struct Pattern(regex_lite::Regex);

impl Pattern {
    /// Compiles `text`, within bounds that a hostile document cannot exceed.
    ///
    /// # Errors
    /// What the engine cannot enforce, in its own words.
    pub fn new(text: &str) -> Result<Self, String> {
        let compiled = regex_lite::RegexBuilder::new(text)
            .size_limit(1 << 20)
            .build();
        compiled.map(Self).map_err(|error| error.to_string())
    }

    /// Spells the expression.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Tells whether `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// The members that `properties` does not name.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Additional {
    /// Anything goes.
    #[default]
    Any,
    /// There may be none.
    Denied,
    /// Each is bound by this schema.
    Schema(Box<Schema>),
}

/// What a JSON value may be. The default admits everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(default)]
pub struct Schema {
    /// The types it may have; empty means any.
    pub types: Vec<JsonType>,
    /// The members an object must have.
    pub required: Vec<String>,
    /// Members by name.
    pub properties: IndexMap<String, Schema>,
    /// What the names of members are bound by.
    pub property_names: Option<Box<Schema>>,
    /// Members beyond `properties`.
    pub additional: Additional,
    /// The items of a list.
    pub items: Option<Box<Schema>>,
    /// What a text must match.
    pub pattern: Option<Pattern>,
    /// The values it may have; empty means any.
    pub enum_values: Vec<Value>,
    /// The fewest characters of a text.
    pub min_length: Option<u64>,
    /// The most characters of a text.
    pub max_length: Option<u64>,
    /// The least integer.
    pub minimum: Option<i128>,
    /// The greatest integer.
    pub maximum: Option<i128>,
    /// The fewest items.
    pub min_items: Option<u64>,
    /// The most items.
    pub max_items: Option<u64>,
    /// The fewest members.
    pub min_properties: Option<u64>,
    /// The most members.
    pub max_properties: Option<u64>,
}

/// Where a value is not what its schema says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaViolation {
    /// The JSON pointer (RFC 6901) to the value; empty for the whole.
    pub pointer: String,
    /// What it should have been.
    pub expected: String,
    /// What it was, cut to 80 characters.
    pub actual: String,
}

impl Schema {
    /// Tells whether `null` is admitted.
    pub fn nullable(&self) -> bool {
        self.types.is_empty() || self.types.contains(&JsonType::Null)
    }

    /// Lists where `value` is not what this says, in document order; at most 50.
    pub fn violations(&self, value: &Value) -> Vec<SchemaViolation> {
        let mut found = Vec::new();
        self.judge(value, &mut String::new(), &mut found);
        found
    }

    /// Lists what is wrong with `text` as the value of a header, a query parameter or a path segment.
    pub fn text_violations(&self, text: &str) -> Vec<SchemaViolation> {
        let digits = || !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let numeric = self.types.contains(&JsonType::Integer) && digits();
        let number = text
            .parse::<i128>()
            .ok()
            .filter(|_| numeric)
            .and_then(Number::from_i128);
        self.violations(&number.map_or_else(|| text.into(), Value::Number))
    }

    fn judge(&self, value: &Value, at: &mut String, found: &mut Vec<SchemaViolation>) {
        if found.len() >= MOST_VIOLATIONS {
            return;
        }
        let mut note = |expected: String| found.push(violation(at, expected, value));
        let kind = JsonType::of(value);
        if !self.types.is_empty() && !self.types.iter().any(|wanted| wanted.admits(kind)) {
            return note(one_of(&self.types));
        }
        if !self.enum_values.is_empty() && !self.enum_values.contains(value) {
            note(one_of(&self.enum_values));
        }
        match value {
            Value::String(text) => self.judge_text(text).into_iter().for_each(note),
            Value::Number(number) => self.judge_number(number).into_iter().for_each(note),
            Value::Array(items) => self.judge_items(value, items, at, found),
            Value::Object(members) => self.judge_members(value, members, at, found),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn judge_text(&self, text: &str) -> Vec<String> {
        let length = text.chars().count() as u64;
        let unmatched = self
            .pattern
            .as_ref()
            .filter(|pattern| !pattern.is_match(text));
        let pattern = unmatched.map(|pattern| format!("a text matching {}", pattern.as_str()));
        pattern
            .into_iter()
            .chain(within(
                length,
                self.min_length,
                self.max_length,
                "characters",
            ))
            .collect()
    }

    fn judge_number(&self, number: &Number) -> Option<String> {
        let value = integer(number)?;
        match (self.minimum, self.maximum) {
            (Some(least), _) if value < least => Some(format!("at least {least}")),
            (_, Some(most)) if value > most => Some(format!("at most {most}")),
            _ => None,
        }
    }

    fn judge_items(
        &self,
        list: &Value,
        items: &[Value],
        at: &mut String,
        found: &mut Vec<SchemaViolation>,
    ) {
        let wrong = within(items.len() as u64, self.min_items, self.max_items, "items");
        found.extend(wrong.map(|expected| violation(at, expected, list)));
        let Some(schema) = &self.items else { return };
        for (index, item) in items.iter().enumerate() {
            below(at, &index.to_string(), |at| schema.judge(item, at, found));
        }
    }

    fn judge_members(
        &self,
        object: &Value,
        members: &serde_json::Map<String, Value>,
        at: &mut String,
        found: &mut Vec<SchemaViolation>,
    ) {
        let count = members.len() as u64;
        let wrong = within(count, self.min_properties, self.max_properties, "members");
        found.extend(wrong.map(|expected| violation(at, expected, object)));
        for name in self
            .required
            .iter()
            .filter(|name| !members.contains_key(*name))
        {
            found.push(violation(at, format!("a member {name}"), object));
        }
        for (name, value) in members {
            below(at, name, |at| self.judge_member(name, value, at, found));
        }
    }

    fn judge_member(
        &self,
        name: &str,
        value: &Value,
        at: &mut String,
        found: &mut Vec<SchemaViolation>,
    ) {
        if let Some(names) = &self.property_names {
            names.judge(&name.into(), at, found);
        }
        match (self.properties.get(name), &self.additional) {
            (Some(schema), _) => schema.judge(value, at, found),
            (None, Additional::Any) => {}
            (None, Additional::Denied) => found.push(violation(at, "no such member".into(), value)),
            (None, Additional::Schema(schema)) => schema.judge(value, at, found),
        }
    }
}

fn below(at: &mut String, token: &str, judge: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&super::document::escape(token));
    judge(at);
    at.truncate(length);
}

fn within(count: u64, least: Option<u64>, most: Option<u64>, unit: &str) -> Option<String> {
    match (least, most) {
        (Some(least), _) if count < least => Some(format!("at least {least} {unit}")),
        (_, Some(most)) if count > most => Some(format!("at most {most} {unit}")),
        _ => None,
    }
}

fn one_of<T: fmt::Display>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join(" or ")
}

fn violation(at: &str, expected: String, value: &Value) -> SchemaViolation {
    let text = value.to_string();
    let actual = match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    SchemaViolation {
        pointer: at.to_owned(),
        expected,
        actual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(pattern: &str) -> Schema {
        Schema {
            types: vec![JsonType::String],
            pattern: Some(Pattern::new(pattern).unwrap()),
            ..Schema::default()
        }
    }

    fn vault() -> Schema {
        Schema {
            types: vec![JsonType::Object],
            required: vec!["Name".into()],
            properties: IndexMap::from([
                ("Name".to_owned(), text("^[a-z]+$")),
                (
                    "Size".to_owned(),
                    Schema {
                        types: vec![JsonType::Integer, JsonType::Null],
                        minimum: Some(0),
                        ..Schema::default()
                    },
                ),
            ]),
            ..Schema::default()
        }
    }

    fn pointers(schema: &Schema, value: &Value) -> Vec<String> {
        schema
            .violations(value)
            .into_iter()
            .map(|violation| violation.pointer)
            .collect()
    }

    #[test]
    fn a_value_that_fits_has_no_violations() {
        assert_eq!(
            vault().violations(&json!({"Name": "a", "Size": null, "More": []})),
            []
        );
        assert_eq!(vault().violations(&json!({"Name": "a", "Size": 7.0})), []);
        assert_eq!(Schema::default().violations(&json!([1, {"a": null}])), []);
    }

    #[test]
    fn each_violation_points_at_its_value() {
        let seen = pointers(&vault(), &json!({"Name": "A", "Size": -1}));
        assert_eq!(seen, ["/Name", "/Size"]);
        assert_eq!(pointers(&vault(), &json!({"Size": 1.5})), ["", "/Size"]);
        assert_eq!(pointers(&vault(), &json!([])), [""]);
    }

    #[test]
    fn pointers_escape_what_the_rfc_escapes() {
        let schema = Schema {
            additional: Additional::Denied,
            ..Schema::default()
        };
        assert_eq!(pointers(&schema, &json!({"a/b~c": 1})), ["/a~1b~0c"]);
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let schema = Schema {
            max_length: Some(2),
            ..Schema::default()
        };
        assert_eq!(schema.violations(&json!("éé")), []);
        assert_eq!(schema.violations(&json!("ééé")).len(), 1);
    }

    #[test]
    fn members_of_a_map_are_bound_by_name_and_value() {
        let tags = Schema {
            max_properties: Some(1),
            property_names: Some(Box::new(text("^[a-z]$"))),
            additional: Additional::Schema(Box::new(text("^v"))),
            ..Schema::default()
        };
        assert_eq!(tags.violations(&json!({"a": "v"})), []);
        assert_eq!(
            pointers(&tags, &json!({"a": "v", "B": "w"})),
            ["", "/B", "/B"]
        );
    }

    #[test]
    fn a_number_may_come_as_the_text_of_a_header() {
        let size = Schema {
            types: vec![JsonType::Integer],
            maximum: Some(4_294_967_296),
            ..Schema::default()
        };
        assert_eq!(size.text_violations("4294967296"), []);
        for wrong in ["4294967297", "-1", "+1", "", "1.0", "0x1"] {
            assert_eq!(size.text_violations(wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn the_list_of_violations_is_bounded() {
        let schema = Schema {
            items: Some(Box::new(text("^a$"))),
            ..Schema::default()
        };
        assert_eq!(
            schema.violations(&json!(vec!["b"; 1000])).len(),
            MOST_VIOLATIONS
        );
        assert_eq!(
            schema.violations(&json!(["b".repeat(1000)]))[0]
                .actual
                .chars()
                .count(),
            81
        );
    }
}
