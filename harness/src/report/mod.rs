//! Reports: every format is a function of the same document, and decides nothing.

pub mod assemble;
pub mod badge;
mod causes;
pub mod compare;
pub mod document;
#[cfg(feature = "cli")]
mod format;
#[cfg(feature = "cli")]
pub mod html;
#[cfg(feature = "cli")]
pub mod junit;
pub mod markdown;
pub mod merge;
#[cfg(test)]
pub(crate) mod sample;
pub mod sarif;
pub mod schema;
pub mod script;
pub mod terminal;
mod time_line;
mod words;

pub use compare::Comparison;
pub use document::Report;
#[cfg(feature = "cli")]
pub use format::{Format, UnknownFormat, write};
pub use words::{MustShares, Share, Weight, replay};
pub(crate) use words::{again, stale as stale_entries, undecided};

/// How many characters of one value a report for people shows.
const SHOWN: usize = 600;

/// What a target sent, made safe to print: control characters, direction marks and what no text may hold escaped, and cut to a length people read.
pub fn printable(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(escaped).collect();
    if let Some((cut, _)) = text.char_indices().nth(SHOWN) {
        shown.push_str(&format!("… ({} bytes more)", text.len() - cut));
    }
    shown
}

/// The same without the cut: for scripts, of which half is worth nothing.
pub fn visible(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

fn escaped(c: char) -> Box<dyn Iterator<Item = char>> {
    let hidden = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let no_character = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    if c.is_control() || hidden || no_character {
        Box::new(c.escape_default())
    } else {
        Box::new(std::iter::once(c))
    }
}

#[cfg(test)]
mod tests;
