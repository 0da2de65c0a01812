//! How contents are written in scenarios and journals: a payload, a slice of one, or several in a row.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::source::{Formula, Piece, Source};
use super::{Content, Payload};
use crate::range::{ByteRange, parse_retrieval_range};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Slice { slice: String, of: Payload },
    Several(Vec<Form>),
    Whole(Payload),
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut forms: Vec<Form> = self.pieces().map(Form::of).collect();
        match forms.pop() {
            Some(only) if forms.is_empty() => only.serialize(to),
            last => Form::Several(forms.into_iter().chain(last).collect()).serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Form::deserialize(from)?
            .content()
            .map_err(serde::de::Error::custom)
    }
}

impl Form {
    fn of(piece: &Piece) -> Self {
        let end = piece.offset + piece.length;
        let of = match &piece.source {
            Source::Formula(Formula::Generated(seed)) => Payload::Generated {
                seed: *seed,
                length: end,
            },
            Source::Formula(Formula::Pattern) => Payload::Pattern { length: end },
            Source::Formula(Formula::Zeros) => Payload::Zeros { length: end },
            Source::Bytes(bytes) => {
                let bytes = &bytes[piece.offset as usize..end as usize];
                return Self::Whole(std::str::from_utf8(bytes).map_or_else(
                    |_| Payload::Bytes(bytes.into()),
                    |text| Payload::Text(text.to_owned()),
                ));
            }
        };
        match ByteRange::new(piece.offset, end) {
            Some(range) if piece.offset > 0 => Self::Slice {
                slice: range.to_string(),
                of,
            },
            _ => Self::Whole(of),
        }
    }

    fn content(self) -> Result<Content, String> {
        match self {
            Self::Whole(payload) => Ok(Content::from(payload)),
            Self::Slice { slice, of } => {
                let within = parse_retrieval_range(&slice).filter(|range| range.end <= of.length());
                let range = within.ok_or_else(|| {
                    format!(
                        "a slice `first-last` within {} bytes expected, not `{slice}`",
                        of.length()
                    )
                })?;
                Ok(Content::from(of).slice(range))
            }
            Self::Several(forms) => {
                let parts = forms
                    .into_iter()
                    .map(Self::content)
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Content::concat(&parts))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(content: &Content) -> Content {
        serde_yaml::from_str(&serde_yaml::to_string(content).unwrap()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let whole = Content::from(Payload::Generated {
            seed: 3,
            length: 5 << 20,
        });
        let middle = whole.slice(ByteRange::new(1 << 20, 3 << 20).unwrap());
        let text = Content::from(Payload::Text("a,b".to_owned()));
        for content in [
            whole,
            middle.clone(),
            Content::concat(&[middle, text]),
            Content::empty(),
        ] {
            assert!(there_and_back(&content) == content, "{content:?}");
        }
    }

    #[test]
    fn a_slice_beyond_the_payload_is_refused() {
        let text = "{slice: 0-10, of: {pattern: 10}}";
        assert!(serde_yaml::from_str::<Content>(text).is_err());
    }
}
