//! Bodies that one JSON parser reads and another refuses (RFC 8259, sections 4, 6, 8.2 and 9): nothing is expected of them.

use crate::scenario::{Action, JsonBody};

/// Levels that every parser reads.
const DEPTH: usize = 64;

/// Whether the body of an action is JSON that parsers need not agree on.
pub fn is_disputed(action: &Action) -> bool {
    let body = action.json_body();
    matches!(body, Some(JsonBody::Text(text)) if Scan::default().finds(text))
}

/// Looks at the tokens of a text, well-formed or not.
#[derive(Default)]
struct Scan {
    depth: usize,
    /// Names of members so far, with the depth of their object.
    names: Vec<(usize, String)>,
}

impl Scan {
    fn finds(&mut self, text: &str) -> bool {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let after = &rest[first.len_utf8()..];
            rest = match first {
                '"' => {
                    let Some(end) = end_of_string(after) else {
                        return false;
                    };
                    let (string, behind) = (&after[..end], &after[end + 1..]);
                    if has_lone_surrogate(string) || self.repeats(string, behind) {
                        return true;
                    }
                    behind
                }
                '{' | '[' => {
                    self.depth += 1;
                    after
                }
                '}' | ']' => {
                    self.names.retain(|(depth, _)| *depth < self.depth);
                    self.depth = self.depth.saturating_sub(1);
                    after
                }
                // `true` and `false` have an `e` too, but no digit before it.
                '0'..='9' if after.starts_with(['e', 'E']) => return true,
                _ => after,
            };
            if self.depth > DEPTH {
                return true;
            }
        }
        false
    }

    /// Whether a string is the name of a member that its object has already.
    fn repeats(&mut self, string: &str, behind: &str) -> bool {
        if !behind.trim_start().starts_with(':') {
            return false;
        }
        let name = (self.depth, string.to_owned());
        let known = self.names.contains(&name);
        self.names.push(name);
        known
    }
}

/// Where the quotation mark is that ends a string.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Whether an escape names half a character: any surrogate that is not followed by its other half.
fn has_lone_surrogate(string: &str) -> bool {
    let quoted = format!("\"{string}\"");
    let escapes = string.to_ascii_lowercase().contains("\\ud");
    escapes && serde_json::from_str::<String>(&quoted).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disputed(text: &str) -> bool {
        Scan::default().finds(text)
    }

    #[test]
    fn depth_repetition_and_half_characters_are_disputed() {
        assert!(disputed(&format!(
            "{}{}",
            "[".repeat(1000),
            "]".repeat(1000)
        )));
        assert!(disputed(r#"{"a":1,"a":2}"#));
        assert!(disputed(r#"{"a":{"b":1},"c":{"d":"\ud800"}}"#));
        assert!(disputed(r#"{"a":1e999999}"#));
    }

    #[test]
    fn what_is_plainly_json_or_plainly_not_is_undisputed() {
        for text in [
            r#"{"Tags":{"k":"v"},"Other":[{"k":"v"},{"k":"w"}]}"#,
            r#"{"a":{"k":true},"b":{"k":"\ud83d\ude00"}}"#,
            r#"{"a":"say \"a\": \\"}"#,
            r#"{"Tags":{"k":"v""#,
            "{",
            r#"{"a":1.5}"#,
        ] {
            assert!(!disputed(text), "{text}");
        }
    }
}
