//! The report in one line: as a badge, and as text for a README.

use super::document::Report;
use super::printable;
use super::words::{MustShares, Share, label, number};
use crevasse_core::verdict::Verdict;

/// Pixels a character takes at 11 px in the font of a badge, on average.
const CHARACTER: usize = 7;
const LEFT: &str = "glacier";

/// Draws a report as an SVG badge: the share of the MUST requirements of supported operations; the title names both shares.
pub fn render(report: &Report) -> String {
    let shares = MustShares::of(&report.summary.must);
    let right = message(shares.of_supported);
    let left_width = LEFT.len() * CHARACTER + 12;
    let right_width = right.chars().count() * CHARACTER + 12;
    let (width, left_middle) = (left_width + right_width, left_width / 2);
    let right_middle = left_width + right_width / 2;
    let (title, color) = (escaped(&one_line(report)), color(report));
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{LEFT}: {right}">
<title>{title}</title>
<clipPath id="round"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)"><rect width="{left_width}" height="20" fill="#444"/><rect x="{left_width}" width="{right_width}" height="20" fill="{color}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left_middle}" y="14" textLength="{}">{LEFT}</text>
<text x="{right_middle}" y="14" textLength="{}">{right}</text>
</g>
</svg>
"##,
        left_width - 12,
        right_width - 12,
    )
}

/// Says in one line what was judged and how it came out, for a vendor's README.
pub fn one_line(report: &Report) -> String {
    let shares = MustShares::of(&report.summary.must);
    let operations = report.summary.operations;
    format!(
        "{}: {} of the MUST requirements of supported operations conform, {} of all; {} of {} operations supported ({} {}, {})",
        printable(&label(report)),
        shares.of_supported.in_words(),
        shares.of_all.in_words(),
        operations.supported,
        operations.total,
        report.tool.name,
        report.tool.version,
        report.run.started.get(..10).unwrap_or_default(),
    )
}

fn message(supported: Share) -> String {
    match supported.percent() {
        Some(percent) => format!("{percent}% of {} MUST conform", supported.of),
        None => "nothing verified".to_owned(),
    }
}

/// Dark enough for white letters.
fn color(report: &Report) -> &'static str {
    let must = &report.summary.must;
    match (
        number(must, Verdict::Conforms),
        number(must, Verdict::Deviates),
    ) {
        (0, _) => "#5f5f5f",
        (_, 0) => "#1a7f37",
        (conform, deviate) if conform >= 9 * deviate => "#8a6100",
        _ => "#b3341f",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_golden_report() {
        insta::assert_snapshot!(render(&sample::report()));
    }

    #[test]
    fn both_shares_are_named() {
        insta::assert_snapshot!(one_line(&sample::report()));
    }

    #[test]
    fn a_hostile_label_is_escaped() {
        let mut report = sample::report();
        report.target.as_mut().unwrap().label = sample::HOSTILE.to_owned();
        let svg = render(&report);
        assert!(!svg.contains("<script>") && !svg.contains('\u{1b}') && !svg.contains('\0'));
    }

    #[test]
    fn nothing_verified_is_not_a_share_of_nothing() {
        let mut report = sample::report();
        report.summary.must.clear();
        assert!(render(&report).contains(">nothing verified</text>"));
    }
}
