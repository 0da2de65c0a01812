//! Rules for the parts on a list of parts: which, in what order, and how many on a page.

use std::collections::HashSet;

use serde_json::Value;

use super::part_list::open_upload;
use super::shape::brief;
use super::subject::{
    is_first_page, is_whole_list, items, limit_sent, marker_given, parameter_sent, same_vault,
    success, success_after, text,
};
use super::treehash::wrong_hash;
use super::{Check, Evidence, Group, Judgements, Observation, Symptom};
use crate::model::{Expectation, Part, Refusal, Upload};
use crate::range::{ByteRange, parse_retrieval_range};
use crate::requirement::Level;
use crate::scenario::{Action, RangeClaim};
use crate::spec::OperationName as O;

/// The parts on lists of parts.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "part-list-parts",
        &[
            "LP-PARTS-001",
            "LP-PARTS-002",
            "LP-PARTS-003",
            "UMP-IDEM-001",
            "UMP-HASH-001",
        ],
        judge_parts,
    ),
    Check::new("part-list-unfinished", &["LP-PARTS-003"], judge_unfinished),
    Check::new("part-list-order", &["LP-ORDER-001"], judge_order),
    Check::new(
        "part-list-limit",
        &["LP-LIMIT-001", "LP-LIMIT-002"],
        judge_limit,
    ),
    Check::new("part-list-walk", &["LP-LIMIT-002"], judge_walk),
];

/// The most parts or uploads on a page by their own pages, and by the older texts of the guide (AMB-16).
const PAGE: usize = 50;
/// See [`PAGE`].
const OLD_PAGE: usize = 1000;

/// Every part listed is one that was stored, with its hash; on a whole list none is missing.
fn judge_parts(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some((now, earlier)) = success_after(evidence, O::ListParts) else {
        return;
    };
    let (Some(upload), Some(listed)) = (open_upload(now), items(now, "Parts")) else {
        return;
    };
    for item in listed {
        judge_part(item, now, upload, earlier, out);
    }
    judge_twice(listed, out);
    if is_whole_list(now) && listed.len() <= OLD_PAGE {
        judge_missing(upload, listed, out);
    }
    for refused in
        refused_parts(now, earlier).filter(|range| !upload.parts.contains_key(&range.start))
    {
        if !listed.iter().any(|item| range_of(item) == Some(refused)) {
            out.held("LP-PARTS-003");
            out.held("UMP-HASH-001");
        }
    }
}

/// No range stands twice on a page.
fn judge_twice(listed: &[Value], out: &mut Judgements) {
    let mut told = HashSet::new();
    let again = listed
        .iter()
        .filter_map(range_of)
        .find(|range| !told.insert(*range));
    let Some(range) = again else { return };
    for requirement in ["LP-PARTS-001", "UMP-IDEM-001"] {
        let symptom = Symptom::new(
            "part-listed-twice",
            "a part that was uploaded again is listed twice",
        );
        out.violated(
            requirement,
            symptom,
            format!("one entry for {range}"),
            "several",
        );
    }
}

fn range_of(item: &Value) -> Option<ByteRange> {
    parse_retrieval_range(text(item, "RangeInBytes")?)
}

fn judge_part(
    item: &Value,
    now: &Observation,
    upload: &Upload,
    earlier: &[Observation],
    out: &mut Judgements,
) {
    let Some(range) = range_of(item) else {
        let symptom = Symptom::new(
            "part-range-form",
            "the RangeInBytes of a part is not `first-last`",
        );
        return out.violated(
            "LP-PARTS-001",
            symptom,
            "RangeInBytes: first-last",
            item.get("RangeInBytes")
                .map_or_else(|| "none".to_owned(), brief),
        );
    };
    match upload.parts.get(&range.start) {
        Some(part) if part.range == range => {
            out.held("LP-PARTS-001");
            judge_part_hash(item, part, now, earlier, out);
        }
        Some(part) if part.certain => out.violated(
            "LP-PARTS-001",
            misplaced(),
            format!("RangeInBytes {}", part.range),
            range.to_string(),
        ),
        None if refused_parts(now, earlier).any(|refused| refused == range) => {
            let symptom =
                || Symptom::new("refused-part-stored", "a part that was refused is stored");
            out.violated(
                "LP-PARTS-003",
                symptom(),
                format!("{range} not listed: it was refused"),
                "listed",
            );
            if refused_for_its_hash(now, earlier, range) {
                out.violated(
                    "UMP-HASH-001",
                    symptom(),
                    format!("{range} not stored: its hash was wrong"),
                    "listed",
                );
            }
        }
        // Unfinished parts are the business of their own rule.
        None if now.record.group.is_none() => out.violated(
            "LP-PARTS-001",
            misplaced(),
            "the ranges uploaded",
            format!("{range} too"),
        ),
        _ => {}
    }
}

fn misplaced() -> Symptom {
    Symptom::new(
        "part-range-wrong",
        "parts are listed with other ranges than they were uploaded for",
    )
}

fn judge_part_hash(
    item: &Value,
    part: &Part,
    now: &Observation,
    earlier: &[Observation],
    out: &mut Judgements,
) {
    let told = text(item, "SHA256TreeHash");
    let kept = told.is_some_and(|told| told.parse() == Ok(part.tree_hash));
    let former = former_hash(part, now, earlier);
    let symptom = || match told {
        None => Symptom::new(
            "part-hash-missing",
            "parts are listed without SHA256TreeHash",
        ),
        Some(told)
            if former
                .as_deref()
                .is_some_and(|former| former.eq_ignore_ascii_case(told)) =>
        {
            Symptom::new(
                "part-not-replaced",
                "a part uploaded again does not replace the earlier one",
            )
        }
        Some(told) => wrong_hash(&part.content, told),
    };
    let actual = || told.map_or_else(|| "none".to_owned(), str::to_owned);
    out.judge(
        "LP-PARTS-002",
        kept,
        symptom,
        format!("{} for {}", part.tree_hash, part.range),
        actual,
    );
    if former.is_some() {
        out.judge(
            "UMP-IDEM-001",
            kept,
            symptom,
            format!("the hash of the later data of {}", part.range),
            actual,
        );
    }
}

/// The hash of other data that was uploaded for the same range before.
fn former_hash(part: &Part, now: &Observation, earlier: &[Observation]) -> Option<String> {
    let sent = earlier.iter().filter(|seen| {
        seen.succeeded() && same_vault(seen, now) && seen.action().upload() == now.action().upload()
    });
    sent.filter_map(|seen| match seen.action() {
        Action::UploadMultipartPart {
            range: RangeClaim::At(first),
            content,
            ..
        } if *first == part.range.start => Some(content.tree_hash()),
        _ => None,
    })
    .rfind(|hash| *hash != part.tree_hash)
    .map(|hash| hash.to_string())
}

fn judge_missing(upload: &Upload, listed: &[Value], out: &mut Judgements) {
    let shown: HashSet<ByteRange> = listed.iter().filter_map(range_of).collect();
    let missing = upload
        .parts
        .values()
        .find(|part| part.certain && !shown.contains(&part.range));
    if let Some(part) = missing.filter(|_| shown.len() == listed.len()) {
        let symptom = Symptom::new("parts-dropped", "parts that were stored are not listed");
        out.violated(
            "LP-PARTS-001",
            symptom,
            format!("{} among {} parts", part.range, upload.parts.len()),
            format!("{} parts without it", shown.len()),
        );
    }
}

/// The ranges that parts of this upload were sent for in vain.
fn refused_parts<'a>(
    now: &'a Observation,
    earlier: &'a [Observation],
) -> impl Iterator<Item = ByteRange> + 'a {
    earlier
        .iter()
        .filter(|seen| is_refused_part(seen, now))
        .filter_map(sent_range)
}

fn is_refused_part(seen: &Observation, now: &Observation) -> bool {
    seen.operation == Some(O::UploadMultipartPart)
        && seen.is_refused()
        && same_vault(seen, now)
        && seen.action().upload() == now.action().upload()
}

fn refused_for_its_hash(now: &Observation, earlier: &[Observation], range: ByteRange) -> bool {
    let wrong = Expectation::Refuse(vec![Refusal::TreeHashMismatch]);
    earlier.iter().any(|seen| {
        is_refused_part(seen, now) && seen.expectation == wrong && sent_range(seen) == Some(range)
    })
}

fn sent_range(seen: &Observation) -> Option<ByteRange> {
    match seen.action() {
        Action::UploadMultipartPart {
            range: RangeClaim::At(first),
            content,
            ..
        } => ByteRange::new(*first, first.checked_add(content.length())?),
        _ => None,
    }
}

/// A part of which only half has been sent is not listed.
fn judge_unfinished(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Group {
        group: Group::During,
        members,
        ..
    } = evidence
    else {
        return;
    };
    let Some((slow, others)) = members.split_last() else {
        return;
    };
    let Some(range) = sent_range(slow).filter(|_| slow.expectation == Expectation::Accept) else {
        return;
    };
    for list in others
        .iter()
        .filter(|seen| seen.operation == Some(O::ListParts) && seen.succeeded())
    {
        let known = open_upload(list).is_none_or(|upload| upload.parts.contains_key(&range.start));
        if known || list.action().upload() != slow.action().upload() || !same_vault(list, slow) {
            continue;
        }
        let listed = items(list, "Parts")
            .unwrap_or_default()
            .iter()
            .any(|item| range_of(item) == Some(range));
        let symptom = || {
            Symptom::new(
                "unfinished-part-listed",
                "a part is listed before it is uploaded",
            )
        };
        out.judge(
            "LP-PARTS-003",
            !listed,
            symptom,
            format!("{range} not listed while half of it is missing"),
            || "listed".to_owned(),
        );
    }
}

fn starts(now: &Observation) -> Vec<u64> {
    items(now, "Parts")
        .unwrap_or_default()
        .iter()
        .filter_map(range_of)
        .map(|range| range.start)
        .collect()
}

fn judge_order(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListParts) else {
        return;
    };
    let starts = starts(now);
    let symptom = || {
        Symptom::new(
            "parts-unsorted",
            "parts are not listed in the order of their ranges",
        )
    };
    let swapped = starts.windows(2).find(|pair| pair[0] > pair[1]);
    if starts.len() > 1 {
        out.judge(
            "LP-ORDER-001",
            swapped.is_none(),
            symptom,
            "ranges in ascending order",
            || {
                swapped.map_or_else(String::new, |pair| {
                    format!("{} before {}", pair[0], pair[1])
                })
            },
        );
    }
}

fn judge_limit(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = success(evidence, O::ListParts) else {
        return;
    };
    let (Some(count), Some(upload)) = (items(now, "Parts").map(<[Value]>::len), open_upload(now))
    else {
        return;
    };
    let known = upload.parts.values().filter(|part| part.certain).count();
    judge_page("ListParts", now, count, known, out);
}

/// Judges how many items a page of parts or uploads holds, `known` of them existing.
pub(super) fn judge_page(
    list: &'static str,
    now: &Observation,
    count: usize,
    known: usize,
    out: &mut Judgements,
) {
    let (default, limited) = if list == "ListParts" {
        ("LP-LIMIT-001", "LP-LIMIT-002")
    } else {
        ("LMU-LIMIT-001", "LMU-LIMIT-001")
    };
    let asked = parameter_sent(now, "limit").is_some();
    let too_large = || Symptom::new("page-too-large", "a list is not cut at its limit").about(list);
    let no_marker = || {
        Symptom::new(
            "marker-missing",
            "a page that leaves items out has no Marker",
        )
        .about(list)
    };
    let left_out = is_first_page(now) && known > count && marker_given(now).is_none();
    let without = format!("{count} of {known} items and no Marker");
    match limit_sent(now) {
        Some(most @ 1..=50) if list == "ListParts" && most as usize <= known => {
            if count as u64 > most {
                out.violated(
                    limited,
                    too_large(),
                    format!("at most {most} items"),
                    format!("{count} items"),
                );
            } else {
                out.judge(
                    limited,
                    !left_out,
                    no_marker,
                    "a Marker, since more items exist",
                    || without,
                );
            }
        }
        None if asked => {}
        Some(1..=50) => {}
        _ if count > OLD_PAGE => out.graded(
            default,
            Level::Must,
            too_large(),
            "at most 1000 items",
            format!("{count} items"),
        ),
        _ if known <= PAGE => {}
        _ if left_out => out.graded(
            default,
            Level::Must,
            no_marker(),
            "a Marker, since more items exist",
            without,
        ),
        _ => out.judge(
            default,
            count <= PAGE,
            too_large,
            format!("at most {PAGE} items"),
            || format!("{count} items"),
        ),
    }
}

/// Pages follow each other in the order of the ranges.
fn judge_walk(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Group {
        group: Group::Walk,
        members,
        ..
    } = evidence
    else {
        return;
    };
    let pages = members.len() > 1
        && members
            .iter()
            .all(|seen| seen.operation == Some(O::ListParts) && seen.succeeded());
    let asked_for_one = members
        .first()
        .is_some_and(|first| limit_sent(first) == Some(1));
    if !pages || !asked_for_one {
        return;
    }
    let starts: Vec<u64> = members.iter().flat_map(starts).collect();
    let symptom = || {
        Symptom::new(
            "parts-unsorted",
            "parts are not listed in the order of their ranges",
        )
    };
    out.judge(
        "LP-LIMIT-002",
        starts.is_sorted(),
        symptom,
        "pages in the order of the ranges",
        || format!("{starts:?}"),
    );
}

#[cfg(test)]
mod tests;
