use super::super::sample;
use super::*;

/// What a reader sees, without the style and the script that every page has.
fn body(page: &str) -> &str {
    let start = page.find("<body").unwrap();
    let end = page.rfind("<script>").unwrap();
    &page[start..end]
}

#[test]
fn the_golden_report() {
    insta::assert_snapshot!(body(&render(&sample::report())));
}

#[test]
fn ten_thousand_findings_fit_in_two_megabytes() {
    for per_cause in [1, 25, 10_000] {
        let page = render(&sample::large(10_000, per_cause));
        assert!(
            page.len() < 2_000_000,
            "{} bytes at {per_cause} findings a cause",
            page.len()
        );
        assert!(
            page.contains("id=\"F1\"") && page.contains("F10000"),
            "every finding is there"
        );
    }
}

#[test]
fn three_findings_of_a_cause_are_there_in_full() {
    let page = render(&sample::large(100, 50));
    assert_eq!(page.matches("<details class=\"finding").count(), 6);
}

#[test]
fn nothing_is_asked_of_any_other_file() {
    let page = render(&sample::report());
    for reference in [
        "src=",
        "@import",
        "url(http",
        "href=\"http",
        "<link rel=\"stylesheet\"",
    ] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn what_a_hostile_target_sends_stays_text() {
    let page = render(&sample::report());
    assert_eq!(page.matches("<script>").count(), 1);
    let bad =
        |c: char| c.is_control() && c != '\n' && c != '\t' || matches!(c, '\u{202e}' | '\u{fffe}');
    assert_eq!(page.chars().find(|c| bad(*c)), None);
    assert!(!page.contains("SECRET"));
}

#[test]
fn every_link_leads_somewhere() {
    for report in [sample::report(), sample::large(2_000, 10)] {
        let page = render(&report);
        let ids: std::collections::BTreeSet<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let links = page
            .split("href=\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        let dead: Vec<&str> = links.filter(|link| !ids.contains(link)).collect();
        assert_eq!(dead, [""; 0]);
    }
}
