//! How the bytes of a body are written in a scenario: a payload, a slice of one, or several in a row.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::payload::{Content, Payload};
use crate::range::ByteRange;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Slice { slice: String, of: Payload },
    Several(Vec<Form>),
    Whole(Payload),
}

pub(super) fn serialize<S: Serializer>(content: &Content, to: S) -> Result<S::Ok, S::Error> {
    let mut forms: Vec<Form> = content.segments().map(|(payload, range)| form(payload, range)).collect();
    match forms.pop() {
        Some(only) if forms.is_empty() => only.serialize(to),
        last => Form::Several(forms.into_iter().chain(last).collect()).serialize(to),
    }
}

fn form(payload: &Payload, range: ByteRange) -> Form {
    if range.len() == payload.length() {
        Form::Whole(payload.clone())
    } else {
        Form::Slice { slice: range.to_string(), of: payload.clone() }
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Content, D::Error> {
    content(Form::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn content(form: Form) -> Result<Content, String> {
    match form {
        Form::Whole(payload) => Ok(Content::from(payload)),
        Form::Slice { slice, of } => {
            let range = crate::range::parse_retrieval_range(&slice).filter(|range| range.end <= of.length());
            let range = range.ok_or_else(|| format!("a slice `first-last` within {} bytes expected, not `{slice}`", of.length()))?;
            Ok(Content::from(of).slice(range))
        }
        Form::Several(forms) => {
            let parts = forms.into_iter().map(content).collect::<Result<Vec<_>, _>>()?;
            Ok(Content::concat(&parts))
        }
    }
}
