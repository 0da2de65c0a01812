//! Where in a text a JSON pointer leads: by layout, so that a note about a parsed tree can name a line.

/// A line without its indentation, and how deep it stands.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

/// The lines of a text, once split.
#[derive(Debug)]
pub(crate) struct Lines<'a>(Vec<Line<'a>>);

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let line = |(number, line): (usize, &'a str)| {
            let text = line.trim_start_matches([' ', '\t']);
            Line {
                number: number + 1,
                indent: line.len() - text.len(),
                text,
            }
        };
        let kept = |line: &Line<'_>| !line.text.is_empty() && !line.text.starts_with('#');
        Self(text.lines().enumerate().map(line).filter(kept).collect())
    }

    /// Finds the line, from 1, where the value under `pointer` begins: exact for block-style YAML and indented JSON; for
    /// what stands on one line or in an unusual layout, the line of the nearest ancestor that can be told.
    pub(crate) fn line(&self, pointer: &str) -> usize {
        let mut block = Block {
            first: None,
            rest: &self.0,
        };
        let mut found = 1;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let Some((line, below)) = block.entry(&token) else {
                break;
            };
            found = line;
            block = below;
        }
        found
    }
}

/// Lines that stand together. The first item of a list may begin on the line of its dash: that line comes apart.
#[derive(Clone, Copy)]
struct Block<'b, 'a> {
    first: Option<Line<'a>>,
    rest: &'b [Line<'a>],
}

impl<'b, 'a> Block<'b, 'a> {
    fn lines(self) -> impl Iterator<Item = Line<'a>> {
        self.first.into_iter().chain(self.rest.iter().copied())
    }

    /// Finds an entry by its key or index; returns its line and what stands below it.
    fn entry(self, token: &str) -> Option<(usize, Self)> {
        let depth = self
            .lines()
            .find(|line| !line.text.starts_with(['{', '[']))?
            .indent;
        let mut entries = self
            .lines()
            .enumerate()
            .filter(|(_, line)| line.indent == depth);
        let listed = self
            .lines()
            .find(|line| line.indent == depth)?
            .text
            .starts_with('-');
        let (at, line) = if listed {
            entries
                .filter(|(_, line)| line.dashed())
                .nth(token.parse().ok()?)?
        } else {
            entries.find(|(_, line)| key(line.text) == Some(token))?
        };
        let rest = &self.rest[at + 1 - usize::from(self.first.is_some())..];
        let below = |next: &&Line<'_>| {
            next.indent > depth || (!listed && next.indent == depth && next.dashed())
        };
        let rest = &rest[..rest.iter().take_while(below).count()];
        Some((
            line.number,
            Block {
                first: line.after_dash().filter(|_| listed),
                rest,
            },
        ))
    }
}

impl<'a> Line<'a> {
    fn dashed(&self) -> bool {
        self.text == "-" || self.text.starts_with("- ")
    }

    fn after_dash(self) -> Option<Self> {
        let text = self.text.strip_prefix('-')?.trim_start();
        let indent = self.indent + self.text.len() - text.len();
        Some(Self {
            indent,
            text,
            ..self
        })
        .filter(|line| !line.text.is_empty())
    }
}

/// The key that a line begins with, without quotes.
fn key(text: &str) -> Option<&str> {
    for quote in ['\'', '"'] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest
                .split_once(quote)
                .filter(|(_, rest)| rest.trim_start().starts_with(':'))
                .map(|(key, _)| key);
        }
    }
    let end = text
        .find(": ")
        .or_else(|| text.strip_suffix(':').map(str::len))?;
    Some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::Lines;

    fn line_of(text: &str, pointer: &str) -> usize {
        Lines::of(text).line(pointer)
    }

    const BLOCK: &str = "\
openapi: 3.0.0
# comment
paths:
  '/{a}/b':
    get:
      parameters:
      - name: x
        in: query
      - in: query
        name: y
      tags:
        - one

        - two
    \"x-y\": {deep: 1}
";

    #[test]
    fn block_entries_are_found_exactly() {
        for (pointer, line) in [
            ("", 1),
            ("/paths", 3),
            ("/paths/~1{a}~1b", 4),
            ("/paths/~1{a}~1b/get/parameters/0", 7),
            ("/paths/~1{a}~1b/get/parameters/1/name", 10),
            ("/paths/~1{a}~1b/get/tags/1", 14),
            ("/paths/~1{a}~1b/x-y/deep", 15),
        ] {
            assert_eq!(line_of(BLOCK, pointer), line, "{pointer}");
        }
    }

    #[test]
    fn indented_json_is_found_by_its_keys() {
        let text = "{\n  \"a\": {\n    \"b\": [\n      1\n    ],\n    \"c\": 2\n  }\n}\n";
        assert_eq!(line_of(text, "/a/b"), 3);
        assert_eq!(line_of(text, "/a/c"), 6);
        assert_eq!(line_of(text, "/a/b/0"), 3);
    }

    #[test]
    fn what_cannot_be_found_is_the_ancestor() {
        assert_eq!(line_of(BLOCK, "/paths/nowhere/at/all"), 3);
        assert_eq!(line_of("", "/a"), 1);
        assert_eq!(line_of("é: 1\n- ☃", "/0/1"), 1);
    }
}
