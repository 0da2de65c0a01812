//! Requests that were under way at the same time, one below the other on a common scale.

use crevasse_core::check::{Group, Record};
use crevasse_core::wire::Exchange;

use super::words::answer;

/// Characters from the beginning of the first request to the end of the last.
const SCALE: u64 = 24;

/// Whether requests of its group overlap.
pub(super) fn overlaps(record: &Record) -> bool {
    matches!(record.group, Some(Group::Together | Group::During))
}

/// A line for each of the requests that overlapped: where it lies between the first beginning and the last end, in milliseconds, and its answer.
/// Requests of different steps have scales of their own.
pub(super) fn time_line<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<String> {
    let sent: Vec<(&Record, &Exchange)> = records
        .into_iter()
        .filter(|record| overlaps(record))
        .filter_map(|record| Some((record, record.exchange.as_ref()?)))
        .collect();
    sent.chunk_by(|(one, _), (other, _)| one.step == other.step)
        .flat_map(drawn)
        .collect()
}

fn drawn(of_step: &[(&Record, &Exchange)]) -> Vec<String> {
    let millis = |from: i64, to: i64| u64::try_from(to - from).unwrap_or(0);
    let began = |exchange: &Exchange| exchange.sent_at.0;
    let first = of_step.iter().map(|(_, it)| began(it)).min().unwrap_or(0);
    let spans: Vec<(u64, u64)> = of_step
        .iter()
        .map(|(_, it)| (millis(first, began(it)), millis(first, it.done_at.0)))
        .collect();
    let whole = spans.iter().map(|(_, end)| *end).max().unwrap_or(0);
    let line = |((record, exchange), (begin, end)): (&(&Record, &Exchange), &(u64, u64))| {
        let name = record
            .action
            .operation()
            .map_or("request".to_owned(), |it| it.to_string());
        format!(
            "{} {begin}-{end} ms {name}: {}",
            bar(*begin, *end, whole),
            answer(exchange)
        )
    };
    of_step.iter().zip(&spans).map(line).collect()
}

/// `..====..`: at least one mark, however short.
fn bar(begin: u64, end: u64, whole: u64) -> String {
    let place = |millis: u64| (millis * SCALE / whole.max(1)).min(SCALE);
    let from = place(begin).min(SCALE - 1);
    let to = place(end).max(from + 1);
    let marks = (0..SCALE).map(|at| if (from..to).contains(&at) { '=' } else { '.' });
    marks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_lies_where_its_request_was_under_way() {
        assert_eq!(bar(0, 24, 24), "=".repeat(24));
        assert_eq!(
            bar(0, 12, 24),
            format!("{}{}", "=".repeat(12), ".".repeat(12))
        );
        assert_eq!(
            bar(12, 24, 24),
            format!("{}{}", ".".repeat(12), "=".repeat(12))
        );
    }

    #[test]
    fn what_took_no_time_is_still_seen() {
        for (begin, end, whole) in [(0, 0, 0), (5, 5, 10), (10, 10, 10)] {
            let bar = bar(begin, end, whole);
            assert_eq!(
                (bar.matches('=').count(), bar.len() as u64),
                (1, SCALE),
                "{bar}"
            );
        }
    }
}
