use crevasse_core::verdict::Verdict;

use super::*;
use crate::report::document::TargetFacts;
use crate::report::sample;
use crate::report::terminal::Style;

/// Another vendor: it keeps its vaults, and breaks what the first one does not.
fn other() -> Report {
    let mut report = sample::report();
    report.target = Some(TargetFacts::named("glaciolus"));
    set(&mut report, "GJO-STATUS-002", Verdict::Conforms);
    set(&mut report, "CV-IDEM-001", Verdict::Deviates);
    report
}

fn set(report: &mut Report, id: &str, verdict: Verdict) {
    let facts = report
        .requirements
        .iter_mut()
        .find(|facts| facts.id.as_str() == id)
        .unwrap();
    facts.verdict = verdict;
    facts.findings.clear();
}

fn ids(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.id.as_str()).collect()
}

#[test]
fn the_golden_matrix() {
    let comparison = Comparison::of(&[sample::report(), other()]).unwrap();
    insta::assert_snapshot!("terminal", comparison.terminal(Style::default()));
    insta::assert_snapshot!("markdown", comparison.markdown());
    insta::assert_snapshot!("json", comparison.json());
}

#[test]
fn differences_come_first_and_only_they_count_as_such() {
    let comparison = Comparison::of(&[sample::report(), other()]).unwrap();
    let differing: Vec<&str> = comparison
        .differences()
        .map(|row| row.id.as_str())
        .collect();
    assert_eq!(differing, ["CV-IDEM-001", "GJO-STATUS-002"]);
    assert!(comparison.requirements[..2].iter().all(|row| row.differs));
    assert_eq!(comparison.changes, None);
}

#[test]
fn two_runs_of_one_vendor_say_what_became_worse_and_better() {
    let before = sample::report();
    let mut after = other();
    after.target = Some(TargetFacts {
        version: Some("5.2".to_owned()),
        ..TargetFacts::named("icebox")
    });
    set(&mut after, "GJO-STATE-006", Verdict::Deviates);
    set(&mut after, "COM-HDR-001", Verdict::Untested);
    set(&mut after, "CVL-STATUS-001", Verdict::Conforms);
    let changes = Comparison::of(&[before, after]).unwrap().changes.unwrap();
    assert_eq!(ids(&changes.regressions), ["CV-IDEM-001"]);
    assert_eq!(ids(&changes.newly_seen), ["GJO-STATE-006"]);
    assert_eq!(ids(&changes.fixes), ["GJO-STATUS-002"]);
    assert_eq!(ids(&changes.newly_untested), ["COM-HDR-001"]);
    assert_eq!(ids(&changes.others), ["CVL-STATUS-001"]);
    assert!(!changes.is_no_worse());
}

#[test]
fn a_requirement_broken_in_another_way_is_no_steady_state() {
    let before = sample::report();
    let mut after = sample::report();
    after.findings[0].fingerprint = "0123456789abcdef".to_owned();
    let changes = Comparison::of(&[before, after]).unwrap().changes.unwrap();
    assert_eq!(ids(&changes.new_symptoms), ["GJO-STATUS-002"]);
}

#[test]
fn the_same_run_twice_changed_nothing() {
    let comparison = Comparison::of(&[sample::report(), sample::report()]).unwrap();
    assert_eq!(comparison.changes, Some(Changes::default()));
    assert_eq!(comparison.columns[1].name, "icebox 5.1 #2");
    assert!(
        comparison
            .terminal(Style::default())
            .contains("nothing changed")
    );
}

#[test]
fn what_one_registry_does_not_hold_is_named_and_not_compared() {
    let mut newer = other();
    newer.spec.registry = "sha256:other".to_owned();
    newer
        .requirements
        .retain(|facts| facts.id.as_str() != "COM-HDR-001");
    let comparison = Comparison::of(&[sample::report(), newer]).unwrap();
    assert!(comparison.remarks[0].starts_with("requirement registries differ: sha256:"));
    assert_eq!(
        comparison.remarks[1],
        "not compared, since not in every report: COM-HDR-001"
    );
    assert!(
        comparison
            .differences()
            .all(|row| row.id.as_str() != "COM-HDR-001")
    );
}

#[test]
fn reports_without_a_common_requirement_are_refused() {
    let mut foreign = other();
    foreign.requirements.clear();
    assert_eq!(
        Comparison::of(&[sample::report(), foreign]),
        Err(CompareError::NothingInCommon)
    );
    assert_eq!(
        Comparison::of(&[sample::report()]),
        Err(CompareError::TooFew(1))
    );
    let mut later = other();
    later.schema = "crevasse.report/2".to_owned();
    assert!(matches!(
        Comparison::of(&[sample::report(), later]),
        Err(CompareError::Schema { .. })
    ));
}

#[test]
fn names_that_do_not_fit_become_numbers_that_the_first_lines_explain() {
    let comparison = Comparison::of(&[sample::report(), other()]).unwrap();
    let narrow = comparison.terminal(Style {
        width: 50,
        ..Style::default()
    });
    assert!(narrow.contains("[2] glaciolus: "));
    assert!(narrow.contains("requirement               [1]"));
}

#[test]
fn no_form_obeys_a_hostile_label() {
    let mut hostile = other();
    hostile.target = Some(TargetFacts::named(sample::HOSTILE));
    let comparison = Comparison::of(&[sample::report(), hostile]).unwrap();
    for text in [comparison.terminal(Style::default()), comparison.markdown()] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
    assert!(!comparison.markdown().contains("<script>"));
}
