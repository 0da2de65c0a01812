//! Guesses what was meant by a word that is not in a list: "did you mean …?"

/// Finds the candidate that `text` was probably meant to be, if one is near. Texts beyond 64 bytes are cut.
///
/// ```
/// use crevasse_core::nearest::nearest;
/// assert_eq!(nearest("InitateJob", ["InitiateJob", "ListJobs"]), Some("InitiateJob"));
/// assert_eq!(nearest("teapot", ["InitiateJob", "ListJobs"]), None);
/// ```
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = 1 + text.len().min(30) / 4;
    let near = candidates
        .into_iter()
        .map(|candidate| (distance(text, candidate), candidate));
    near.filter(|(edits, _)| *edits <= far)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters must be inserted, removed or replaced to turn `a` into `b`, case aside.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (clip(a), clip(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn clip(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(64)]
}
