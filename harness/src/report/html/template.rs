//! The templates of pages, and the one gate through which texts enter them: markup escaped, what cannot be seen made visible.

use std::fmt::Write;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Error, Output, State, Value};
use serde::Serialize;

use crevasse_core::treehash::sha256;

use crate::report::escaped;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    let tidy = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    templates.set_syntax(tidy.expect("the usual delimiters do not clash"));
    templates.set_formatter(gate);
    templates.add_global("style", Value::from_safe_string(STYLE.to_owned()));
    templates.add_global("script", Value::from_safe_string(SCRIPT.to_owned()));
    templates.add_global("script_hash", base64(&sha256(SCRIPT.as_bytes()).0));
    let sources = [
        ("base.html", include_str!("base.html")),
        ("report.html", include_str!("report.html")),
        ("finding.html", include_str!("finding.html")),
        ("compare.html", include_str!("../compare/compare.html")),
    ];
    for (name, source) in sources {
        templates
            .add_template(name, source)
            .expect("the templates that are compiled in are well-formed");
    }
    templates
});

/// Fills a template.
pub(in crate::report) fn fill(name: &str, context: impl Serialize) -> String {
    let template = TEMPLATES.get_template(name);
    template
        .and_then(|template| template.render(Serde(context)))
        .expect("the templates that are compiled in name what the views hold")
}

/// Markup made here, not to be escaped again.
pub(in crate::report) fn markup(text: String) -> Value {
    Value::from_safe_string(text)
}

fn gate(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match (value.as_str(), value.kind()) {
        (Some(text), _) if value.is_safe() => out.write_str(text)?,
        (Some(text), _) => {
            for c in text.chars() {
                character(out, c)?;
            }
        }
        (None, ValueKind::None | ValueKind::Undefined) => {}
        _ => write!(out, "{value}")?,
    }
    Ok(())
}

fn character(out: &mut Output<'_>, c: char) -> std::fmt::Result {
    match c {
        '&' => out.write_str("&amp;"),
        '<' => out.write_str("&lt;"),
        '>' => out.write_str("&gt;"),
        '"' => out.write_str("&quot;"),
        '\'' => out.write_str("&#39;"),
        '\n' | '\t' | ' '..='~' => out.write_char(c),
        _ => escaped(c).try_for_each(|c| out.write_char(c)),
    }
}

/// Base 64 of a hash, as a content security policy spells it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let number = (0..3).fold(0, |number, place| {
            number << 8 | usize::from(chunk.get(place).copied().unwrap_or_default())
        });
        let digit = |place: usize| {
            let there = place <= chunk.len();
            if there {
                char::from(DIGITS[number >> (18 - 6 * place) & 63])
            } else {
                '='
            }
        };
        [0, 1, 2, 3].map(digit)
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, coded) in vectors {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }

    #[test]
    fn every_text_passes_the_gate() {
        let shown = TEMPLATES
            .render_str(
                "<i title=\"{{ text }}\">{{ text }}</i>",
                minijinja::context! { text => "a\"'<b>&\u{1b}\u{202e}ä\n" },
            )
            .unwrap();
        let text = "a&quot;&#39;&lt;b&gt;&amp;\\u{1b}\\u{202e}ä\n";
        assert_eq!(shown, format!("<i title=\"{text}\">{text}</i>"));
    }
}
