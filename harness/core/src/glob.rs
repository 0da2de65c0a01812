//! Patterns with stars, as policies and filters write them.

/// Says whether a text is what a pattern means, where `*` stands for any characters and `?` for one. Takes no longer than the product of both lengths.
///
/// ```
/// use crevasse_core::glob::matches;
/// assert!(matches("glacier:*Vault*", "glacier:DescribeVault"));
/// assert!(!matches("glacier:?", "glacier:"));
/// ```
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // The last star, and how far the text goes that it stands for: an earlier star never has to take more.
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[t] => {
                (p, t) = (p + 1, t + 1);
            }
            _ => {
                let Some((after, end)) = star else {
                    return false;
                };
                star = Some((after, end + 1));
                (p, t) = (after, end + 1);
            }
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "vault"),
            ("v?ult", "vault"),
            ("v?ult", "v\u{e4}ult"),
            ("v*t", "vault"),
            ("*a*t", "a vault and a cat"),
            ("**", "vault"),
            ("vault*", "vault"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "vault"),
            ("?", ""),
            ("vault", "vaults"),
            ("v*x", "vault"),
            ("*a*b", "vault"),
            ("aba*ba", "aba"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// By trying every way to share the text out among the stars this would outlast the universe.
    #[test]
    fn many_stars_against_a_long_name_are_soon_decided() {
        let stars = format!("{}b", "*a".repeat(120));
        assert!(!matches(&stars, &"a".repeat(255)));
        assert!(matches(&stars, &format!("{}b", "a".repeat(254))));
    }
}
