//! The one door to YAML: size, nesting and aliases are bounded, and errors say where.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};

/// The largest text that is read, in bytes: 16 MiB.
pub(crate) const LARGEST: usize = 16 << 20;
/// What a text may weigh once its aliases are expanded: its bytes, and [`NODE`] for each node.
const HEAVIEST: usize = 64 << 20;
const NODE: usize = 64;
/// The most characters that can begin a node; prose stays far below.
const MOST_INDICATORS: usize = 1 << 18;
/// The most `[` and `{` in YAML: the time to parse them grows with their square.
const MOST_BRACKETS: usize = 20_000;

/// Why a text is not the YAML that was wanted, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct YamlError {
    /// What is wrong; it names the place where one is known.
    pub text: String,
    /// The line and the column, both from 1.
    pub at: Option<(usize, usize)>,
}

impl From<serde_yaml::Error> for YamlError {
    fn from(error: serde_yaml::Error) -> Self {
        Self {
            text: error.to_string(),
            at: error.location().map(|at| (at.line(), at.column())),
        }
    }
}

/// Reads `text` into a type of ours; unknown members are errors where the type denies them.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    tree(text)?;
    Ok(serde_yaml::from_str(text)?)
}

/// Reads `text` into a tree whose keys are all text: `200:` is the key `"200"`.
pub(crate) fn tree(text: &str) -> Result<Value, YamlError> {
    bound(text, MOST_BRACKETS)?;
    let left = Cell::new(HEAVIEST);
    Ok(Node(&left).deserialize(serde_yaml::Deserializer::from_str(text))?)
}

/// Reads JSON under the same bounds.
pub(crate) fn json(text: &str) -> Result<Value, YamlError> {
    bound(text, MOST_INDICATORS)?;
    serde_json::from_str(text).map_err(|error| YamlError {
        at: Some((error.line(), error.column())),
        text: error.to_string(),
    })
}

fn bound(text: &str, most_brackets: usize) -> Result<(), YamlError> {
    let count = |of: &[u8]| text.bytes().filter(|byte| of.contains(byte)).count();
    let text = if text.len() > LARGEST {
        format!(
            "{} bytes are more than the {LARGEST} that are read",
            text.len()
        )
    } else if count(b",-:?[{") > MOST_INDICATORS {
        format!("more than {MOST_INDICATORS} nodes")
    } else if count(b"[{") > most_brackets {
        format!("more than {most_brackets} brackets")
    } else {
        return Ok(());
    };
    Err(YamlError { text, at: None })
}

/// One node of the tree, drawn from a weight that all nodes share.
#[derive(Clone, Copy)]
struct Node<'a>(&'a Cell<usize>);

impl Node<'_> {
    fn draw<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(NODE + bytes);
        self.0
            .set(left.ok_or_else(|| E::custom("the text grows too large"))?);
        Ok(())
    }

    fn number<E: Error>(self, number: Number) -> Result<Value, E> {
        self.draw(0)?;
        Ok(Value::Number(number))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, a list or a scalar without a tag")
    }

    /// An empty document.
    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.draw(0)?;
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.draw(0)?;
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        match Number::from_f64(value) {
            Some(number) => self.number(number),
            None => self.visit_str(&value.to_string()),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.draw(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        self.draw(0)?;
        let mut list = Vec::new();
        while let Some(item) = from.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        self.draw(0)?;
        let mut map = Map::new();
        while let Some(key) = from.next_key_seed(self)? {
            let key = key_text(key).ok_or_else(|| A::Error::custom("a key that is no scalar"))?;
            let value = from.next_value_seed(self)?;
            if let Some(twice) = map.insert(key, value).and(Some("a key that stands twice")) {
                return Err(A::Error::custom(twice));
            }
        }
        Ok(Value::Object(map))
    }
}

fn key_text(key: Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(key.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_become_text() {
        let seen = tree("200: {a: 1}\ntrue: [~, 1.5, -2]").unwrap();
        assert_eq!(seen, json!({"200": {"a": 1}, "true": [null, 1.5, -2]}));
    }

    #[test]
    fn no_text_is_null() {
        assert_eq!(tree("").unwrap(), Value::Null);
    }

    #[test]
    fn an_error_names_line_and_column() {
        assert_eq!(tree("a: 1\nb: @").unwrap_err().at, Some((2, 4)));
        assert_eq!(parse::<Vec<u8>>("- 1\n- x").unwrap_err().at, Some((2, 3)));
    }

    #[test]
    fn a_key_may_not_stand_twice() {
        assert!(
            tree("a: 1\na: 2")
                .unwrap_err()
                .text
                .contains("stands twice")
        );
    }

    #[test]
    fn aliases_cannot_multiply_beyond_the_bound() {
        let mut bomb = format!("a0: &a0 \"{}\"\n", "x".repeat(1 << 16));
        for level in 1..=5 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert!(tree(&bomb).unwrap_err().text.contains("too large"));
    }

    #[test]
    fn an_alias_to_itself_is_an_error() {
        assert!(tree("a: &a [*a]").is_err());
    }

    #[test]
    fn depth_and_size_are_errors() {
        for text in [
            "[".repeat(MOST_BRACKETS),
            "- ".repeat(200),
            "[".repeat(LARGEST + 1),
        ] {
            assert!(tree(&text).is_err());
        }
        assert!(tree(&"-\n".repeat(MOST_INDICATORS + 1)).is_err());
    }
}
