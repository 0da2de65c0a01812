//! The members a JSON object must have, and of which type. A null member is an absent one.

use serde_json::Value;

use super::{Judgements, Symptom};

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// A non-negative integer.
    Count,
    /// An array.
    List,
}

/// A member of an object.
pub(super) struct Member {
    name: &'static str,
    kind: Kind,
    optional: bool,
}

impl Member {
    /// One that is never null or absent.
    pub(super) const fn required(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            optional: false,
        }
    }

    /// One that is null or absent where it does not apply.
    pub(super) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            optional: true,
        }
    }

    fn fault(&self, object: &Value) -> Option<(&'static str, String)> {
        match object.get(self.name).filter(|value| !value.is_null()) {
            None if self.optional => None,
            None => Some(("member-missing", format!("no {}", self.name))),
            Some(value) if self.kind.fits(value) => None,
            Some(value) => Some(("member-type", format!("{}: {}", self.name, brief(value)))),
        }
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Count => value.as_u64().is_some(),
            Self::List => value.is_array(),
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Count => "a non-negative integer",
            Self::List => "an array",
        }
    }
}

/// Judges that `object` (what `what` calls it, as in `ListParts` or `ListParts.Parts`) has these members. Tells whether it does.
pub(super) fn judge_members(
    requirement: &'static str,
    what: &'static str,
    object: &Value,
    members: &[Member],
    out: &mut Judgements,
) -> bool {
    let mut sound = true;
    for member in members {
        let Some((id, actual)) = member.fault(object) else {
            continue;
        };
        sound = false;
        let title = match id {
            "member-missing" => format!("{what} lacks {}", member.name),
            _ => format!("{} of {what} is not {}", member.name, member.kind.phrase()),
        };
        let symptom = Symptom::new(id, title).about(format!("{what}.{}", member.name));
        out.violated(
            requirement,
            symptom,
            format!("{}: {}", member.name, member.kind.phrase()),
            actual,
        );
    }
    if sound {
        out.held(requirement);
    }
    sound
}

/// A value in at most 60 characters.
pub(super) fn brief(value: &Value) -> String {
    shorten(&value.to_string())
}

/// A text in at most 60 characters.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(member: &Member, object: &Value) -> Option<&'static str> {
        member.fault(object).map(|(id, _)| id)
    }

    #[test]
    fn null_is_absent_and_a_quoted_number_is_no_number() {
        let size = Member::required("Size", Kind::Count);
        assert_eq!(fault(&size, &json!({"Size": 7})), None);
        assert_eq!(fault(&size, &json!({"Size": "7"})), Some("member-type"));
        assert_eq!(fault(&size, &json!({"Size": -7})), Some("member-type"));
        assert_eq!(fault(&size, &json!({"Size": null})), Some("member-missing"));
        let marker = Member::optional("Marker", Kind::Text);
        assert_eq!(fault(&marker, &json!({})), None);
        assert_eq!(fault(&marker, &json!({"Marker": null})), None);
        assert_eq!(fault(&marker, &json!({"Marker": {}})), Some("member-type"));
    }
}
