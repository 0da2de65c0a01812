//! Reports: every format is a function of the same document, and decides nothing.

pub mod assemble;
pub mod document;
pub mod script;
pub mod terminal;

pub use document::Report;

/// How many characters of one value a report for people shows.
const SHOWN: usize = 600;

/// What a target sent, made safe to print: control characters and direction marks escaped, and cut to a length people read.
pub fn printable(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(escaped).collect();
    if let Some((cut, _)) = text.char_indices().nth(SHOWN) {
        shown.push_str(&format!("… ({} bytes more)", text.len() - cut));
    }
    shown
}

fn escaped(c: char) -> Box<dyn Iterator<Item = char>> {
    let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if c.is_control() || hidden {
        Box::new(c.escape_default())
    } else {
        Box::new(std::iter::once(c))
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escape_sequences_of_a_hostile_target_are_shown_and_not_obeyed() {
        assert_eq!(printable("\u{1b}[2Jgone\r\n"), "\\u{1b}[2Jgone\\r\\n");
        assert_eq!(printable("\u{202e}txt"), "\\u{202e}txt");
    }

    #[test]
    fn a_long_value_is_cut_and_says_so() {
        assert!(printable(&"ä".repeat(1000)).ends_with("… (800 bytes more)"));
    }
}
