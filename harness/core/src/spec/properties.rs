//! What must hold of the loaders for every input: for property tests and fuzz targets.

use super::{OperationName, Spec, lint};

/// Whatever the bytes are, every loader ends with a specification that is sound, or with an error.
///
/// Bytes that are not UTF-8 are replaced; a link leads back to the document itself, if its last segment is of even length.
///
/// # Panics
/// If a loader panics, if two of them disagree, or if a note points beyond the text.
pub fn any_document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let resolver = |segment: &str| segment.len().is_multiple_of(2).then(|| text.to_string());
    let report = lint("any", &text, &resolver);
    let spec = Spec::load_foreign("any", &text, &resolver);
    match (&report, &spec) {
        (Ok(report), Ok(spec)) => {
            let defined: Vec<OperationName> = report
                .defines
                .iter()
                .map(|definition| definition.operation)
                .collect();
            assert_eq!(defined, spec.operations.keys().copied().collect::<Vec<_>>());
            assert_eq!(report.notes, spec.dropped);
        }
        (Ok(report), Err(_)) => assert_eq!(report.defines, []),
        (Err(ours), Err(theirs)) => assert_eq!(ours, theirs),
        (Err(error), Ok(_)) => panic!("loaded what lint could not {error}"),
    }
    if let Ok(report) = report {
        let last = text.lines().count().max(1);
        let lines = report.notes.iter().map(|note| note.line);
        let mut lines = lines.chain(report.defines.iter().map(|definition| definition.line));
        assert!(lines.all(|line| (1..=last).contains(&line)));
        assert_eq!(
            report.defines.len() + report.lacks.len(),
            OperationName::ALL.len()
        );
    }
    if let Ok(spec) = Spec::parse_strict(&text) {
        assert!(
            spec.operations
                .iter()
                .all(|(name, operation)| *name == operation.name)
        );
    }
}
