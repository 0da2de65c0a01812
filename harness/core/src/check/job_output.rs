//! Rules for the bytes of a download: its status, its length, and which part of the output it is.

use super::jobs::{asked, begun, retrieval_range_ignored, same_job};
use super::output::{Download, Likeness, bytes, damage};
use super::rules::{answer, not_accepted};
use super::subject::header;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::Expectation;
use crate::range::{ByteRange, ContentRange, RangeHeader, Resolved};
use crate::requirement::Level;
use crate::spec::OperationName as O;

/// Downloads and their ranges.
pub(super) const CHECKS: &[Check] = &[
    Check::new(
        "output-whole",
        &[
            "GJO-STATUS-001",
            "GJO-SIZE-001",
            "GJO-SIZE-002",
            "IJ-AR-004",
            "IJ-RANGE-009",
        ],
        judge_whole,
    ),
    Check::new(
        "output-part",
        &[
            "GJO-STATUS-002",
            "GJO-SIZE-003",
            "GJO-RANGE-001",
            "GJO-RANGE-005",
            "GJO-RANGE-011",
            "GJO-RANGE-013",
        ],
        judge_part,
    ),
    Check::new(
        "output-content-range",
        &["GJO-RANGE-002", "GJO-RANGE-003", "GJO-RANGE-004"],
        judge_content_range,
    ),
    Check::new(
        "output-whole-by-range",
        &["GJO-STATUS-003"],
        judge_whole_by_range,
    ),
    Check::new(
        "output-beyond",
        &["GJO-RANGE-006", "GJO-RANGE-007", "GJO-RANGE-020"],
        judge_beyond,
    ),
    Check::new(
        "output-range-malformed",
        &["GJO-RANGE-008", "GJO-RANGE-014"],
        judge_malformed,
    ),
    Check::new(
        "output-range-open",
        &["GJO-RANGE-009", "GJO-RANGE-010"],
        judge_open,
    ),
    Check::new("output-pieces", &["GJO-RANGE-012"], judge_pieces),
    Check::new("output-length", &["GJO-SIZE-004"], judge_length),
];

fn judge_whole(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence).filter(|download| download.header.is_none()) else {
        return;
    };
    let now = download.now;
    let Some(response) = download.response() else {
        let again = download.earlier.iter().any(|seen| {
            same_job(seen, now) && seen.operation == Some(O::GetJobOutput) && seen.succeeded()
        });
        if now.expectation == Expectation::Accept && !again {
            out.violated(
                "GJO-STATUS-001",
                not_accepted(now),
                "200 and the whole output",
                answer(now),
            );
        }
        return;
    };
    let symptom = || {
        Symptom::new(
            "whole-output-status",
            "a download without Range succeeds with another status than 200",
        )
    };
    out.judge(
        "GJO-STATUS-001",
        response.status == 200,
        symptom,
        "200",
        || answer(now),
    );
    let Some(retrieval) = download.retrieval else {
        return;
    };
    let explicit = begun(now, download.earlier)
        .is_some_and(|began| asked(began, "/RetrievalByteRange").is_some());
    let right = retrieval.content.slice(retrieval.range);
    let kept = response.body.equals(&right);
    let expected = format!("bytes {} of the archive", retrieval.range);
    if retrieval.is_whole() {
        let symptom = || damage(now, retrieval.archive);
        out.judge("GJO-SIZE-001", kept, symptom, expected.clone(), || {
            bytes(&response.body)
        });
        if explicit {
            out.judge("IJ-RANGE-009", kept, symptom, expected, || {
                bytes(&response.body)
            });
        } else {
            out.judge(
                "IJ-AR-004",
                response.body.length == right.length(),
                symptom,
                expected,
                || bytes(&response.body),
            );
        }
    } else if kept || !download.excused("GJO-SIZE-002", out) {
        let symptom = || {
            whole_of_part(&download)
                .unwrap_or(Likeness::Unknown)
                .symptom()
        };
        out.judge("GJO-SIZE-002", kept, symptom, expected, || {
            bytes(&response.body)
        });
    }
}

/// What the whole output of a ranged job is, next to what was stored.
fn whole_of_part(download: &Download<'_>) -> Option<Likeness> {
    let retrieval = download.retrieval?;
    let stored = super::output::Output::Stored(retrieval);
    Some(Likeness::of(
        &download.response()?.body,
        &stored,
        ByteRange::whole(retrieval.range.len())?,
    ))
}

/// Whether the end lies beyond the output.
fn is_clamped(download: &Download<'_>) -> bool {
    match (download.header, download.total()) {
        (Some(RangeHeader::Single { last, .. }), Some(total)) => last >= total,
        _ => false,
    }
}

fn judge_part(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence)
        .filter(|download| matches!(download.header, Some(RangeHeader::Single { .. })))
    else {
        return;
    };
    let now = download.now;
    let Some(asked) = download.asked().filter(|_| download.is_partial()) else {
        if download.is_damaged() && download.response().is_some() {
            download.excused("GJO-STATUS-002", out);
        }
        return;
    };
    let Some(response) = download.response() else {
        if now.expectation == Expectation::Accept {
            out.violated(
                "GJO-STATUS-002",
                not_accepted(now),
                format!("206 with bytes {asked}"),
                answer(now),
            );
        }
        return;
    };
    let like = download
        .likeness()
        .unwrap_or(if response.body.length == asked.len() {
            Likeness::Right
        } else {
            Likeness::Unknown
        });
    let status = || match like {
        Likeness::Right => Symptom::new(
            "partial-status",
            "a part of the output comes with another status than 206",
        ),
        other => other.symptom(),
    };
    out.judge(
        "GJO-STATUS-002",
        response.status == 206,
        status,
        "206",
        || format!("{} with {}", answer(now), bytes(&response.body)),
    );
    let length = response.body.length == asked.len();
    let expected = || format!("{} bytes", asked.len());
    let clamped = is_clamped(&download);
    if !clamped {
        out.judge(
            "GJO-SIZE-003",
            length,
            || like.symptom(),
            expected(),
            || bytes(&response.body),
        );
    }
    judge_place(&download, asked, like, out);
    let right = response.status == 206 && like == Likeness::Right;
    let actual = || format!("{} with {}", answer(now), bytes(&response.body));
    let examples = [
        ("GJO-RANGE-005", clamped),
        ("GJO-RANGE-011", download.retrieval.is_none()),
        ("GJO-RANGE-013", asked.len() == 1 && !clamped),
    ];
    for (requirement, _) in examples.into_iter().filter(|(_, applies)| *applies) {
        out.judge(
            requirement,
            right,
            status,
            format!("206 with {}", expected()),
            actual,
        );
    }
}

/// The bytes are those of the output, counted from its start.
fn judge_place(download: &Download<'_>, asked: ByteRange, like: Likeness, out: &mut Judgements) {
    let (Some(retrieval), Some(response)) = (download.retrieval, download.response()) else {
        return;
    };
    let expected = asked
        .offset_by(retrieval.range.start)
        .map_or_else(String::new, |absolute| {
            format!("bytes {absolute} of the archive")
        });
    if download.retrieval_range_was_ignored() {
        return out.violated(
            "GJO-RANGE-001",
            retrieval_range_ignored(),
            expected,
            bytes(&response.body),
        );
    }
    let known = download
        .output
        .as_ref()
        .is_some_and(|output| output.tree_hash_of(asked).is_some());
    if known {
        out.judge(
            "GJO-RANGE-001",
            like == Likeness::Right,
            || like.symptom(),
            expected,
            || bytes(&response.body),
        );
    }
}

fn judge_content_range(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence) else {
        return;
    };
    let Some(response) = download.response() else {
        return;
    };
    let told = response.headers.value("content-range");
    if response.status == 200 {
        let symptom = || {
            Symptom::new(
                "content-range-on-200",
                "a whole download carries Content-Range",
            )
        };
        out.judge(
            "GJO-RANGE-004",
            told.is_none(),
            symptom,
            "no Content-Range with 200",
            || told.unwrap_or_default().to_owned(),
        );
    }
    let Some(asked) = download.asked().filter(|_| download.header.is_some()) else {
        return;
    };
    let single = matches!(download.header, Some(RangeHeader::Single { .. }));
    if response.status != 206 {
        if single && download.is_partial() && download.likeness() == Some(Likeness::WholeOutput) {
            let expected = format!("206 with Content-Range: bytes {asked}/…");
            out.violated(
                "GJO-RANGE-002",
                Likeness::WholeOutput.symptom(),
                expected.clone(),
                answer(download.now),
            );
            out.violated(
                "GJO-RANGE-003",
                Likeness::WholeOutput.symptom(),
                expected,
                answer(download.now),
            );
        }
        return;
    }
    let read = told.and_then(ContentRange::parse);
    let symptom = |what: &str| match told {
        None => Symptom::new(
            "content-range-missing",
            "a part of the output comes without Content-Range",
        ),
        Some(_) => Symptom::new(
            "content-range-wrong",
            format!("Content-Range tells another {what} than what comes"),
        )
        .about(what.to_owned()),
    };
    let actual = || {
        told.map_or_else(
            || "no Content-Range".to_owned(),
            |text| format!("Content-Range: {text}"),
        )
    };
    let place = read.is_some_and(|read| read.range == asked);
    out.judge(
        "GJO-RANGE-002",
        place,
        || symptom("position"),
        format!("Content-Range: bytes {asked}/…"),
        actual,
    );
    if let (Some(total), Some(read)) = (download.total(), read) {
        out.judge(
            "GJO-RANGE-003",
            read.total == Some(total),
            || symptom("size"),
            format!("Content-Range: …/{total}"),
            actual,
        );
    }
}

/// Either status is documented (AMB-23), with all of the bytes.
fn judge_whole_by_range(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence)
        .filter(|download| matches!(download.header, Some(RangeHeader::Single { .. })))
    else {
        return;
    };
    let now = download.now;
    let whole = download
        .asked()
        .zip(download.total())
        .is_some_and(|(asked, total)| asked.len() == total)
        && !is_clamped(&download);
    if !whole || now.expectation != Expectation::Accept {
        return;
    }
    let Some(response) = download.response() else {
        return out.violated(
            "GJO-STATUS-003",
            not_accepted(now),
            "200 or 206 with all bytes",
            answer(now),
        );
    };
    let like = download.likeness().unwrap_or(Likeness::Right);
    let kept = matches!(response.status, 200 | 206) && like == Likeness::Right;
    out.judge(
        "GJO-STATUS-003",
        kept,
        || like.symptom(),
        "200 or 206 with all bytes",
        || format!("{} with {}", answer(now), bytes(&response.body)),
    );
}

/// Whether the body is the whole output, or as long as that where it is not known.
fn is_whole_output(download: &Download<'_>) -> Option<bool> {
    let body = &download.response()?.body;
    match &download.output {
        Some(output) => Some(
            ByteRange::whole(output.length())
                .is_none_or(|whole| Likeness::of(body, output, whole) == Likeness::Right),
        ),
        None => download
            .job
            .output_length()
            .map(|length| body.length == length),
    }
}

fn judge_beyond(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence)
        .filter(|download| download.resolved() == Some(Resolved::Unsatisfiable))
    else {
        return;
    };
    let (Some(RangeHeader::Single { first, .. } | RangeHeader::From { first }), Some(total)) =
        (download.header, download.total())
    else {
        return;
    };
    let now = download.now;
    if download.is_damaged() {
        return;
    }
    let Some(status) = now.status() else { return };
    let invented = || {
        Symptom::new(
            "range-beyond-served",
            "a Range that begins beyond the output is answered with bytes",
        )
    };
    let whole = is_whole_output(&download);
    let kept = match status {
        400..500 => true,
        200 => whole.unwrap_or(true),
        _ => false,
    };
    let symptom = || match status {
        500.. => Symptom::new(
            "range-beyond-crashes",
            "a Range that begins beyond the output ends in a server error",
        ),
        _ => invented(),
    };
    let expected = "4xx, or 200 with the whole output";
    out.judge("GJO-RANGE-020", kept, symptom, expected, || answer(now));
    if first <= total {
        return;
    }
    let refused = (400..500).contains(&status);
    let symptom = || match (status, whole) {
        (200, Some(true)) => Likeness::WholeOutput.symptom(),
        (500.., _) => Symptom::new(
            "range-beyond-crashes",
            "a Range that begins beyond the output ends in a server error",
        ),
        _ => invented(),
    };
    out.judge(
        "GJO-RANGE-006",
        refused,
        symptom,
        "4xx: the range begins beyond the output",
        || answer(now),
    );
    if refused {
        judge_beyond_code(now, status, out);
    }
}

fn judge_beyond_code(now: &Observation, status: u16, out: &mut Judgements) {
    let code = now
        .response()
        .and_then(|response| response.error_code())
        .unwrap_or_default();
    let symptom = Symptom::new(
        "refused-otherwise",
        "a Range beyond the output is refused with another answer",
    )
    .about("output-range-beyond");
    let expected = "400 InvalidParameterValueException";
    match (status, code.as_str()) {
        (400, "InvalidParameterValueException") => out.held("GJO-RANGE-007"),
        (416, _) => out.graded("GJO-RANGE-007", Level::May, symptom, expected, answer(now)),
        _ => out.violated("GJO-RANGE-007", symptom, expected, answer(now)),
    }
}

/// Whether a text is two numbers the wrong way round.
fn is_reversed(text: &str) -> bool {
    let numbers = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'));
    numbers.and_then(|(first, last)| Some(last.parse::<u64>().ok()? < first.parse::<u64>().ok()?))
        == Some(true)
}

/// What is no range is ignored; 400 is tolerated, a part of the output is not (AMB-21).
fn judge_malformed(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) =
        Download::of(evidence).filter(|download| download.header == Some(RangeHeader::Invalid))
    else {
        return;
    };
    let now = download.now;
    let Some(status) = now.status() else { return };
    let text = now
        .exchange()
        .request
        .headers
        .value("range")
        .unwrap_or_default();
    let requirement = if is_reversed(text) {
        "GJO-RANGE-014"
    } else {
        "GJO-RANGE-008"
    };
    let whole = is_whole_output(&download);
    if status == 200 && whole.is_none() {
        return;
    }
    let kept = status == 400 || (status == 200 && whole == Some(true));
    let symptom = || match status {
        500.. => Symptom::new(
            "malformed-range-crashes",
            "a malformed Range ends in a server error",
        ),
        206 => Symptom::new(
            "malformed-range-served",
            "a malformed Range is answered with a part of the output",
        ),
        _ => Symptom::new(
            "malformed-range-refused",
            "a malformed Range is answered neither with the whole output nor with 400",
        ),
    };
    if download.is_damaged() && !kept {
        return;
    }
    out.judge(
        requirement,
        kept,
        symptom,
        "200 with the whole output (or 400)",
        || answer(now),
    );
}

/// Forms the documents do not mention: served rightly, ignored or refused (AMB-24).
fn judge_open(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence) else {
        return;
    };
    let now = download.now;
    let (Some(header), Some(status)) = (download.header, now.status()) else {
        return;
    };
    let requirement = match header {
        RangeHeader::From { .. } | RangeHeader::Suffix { .. } => "GJO-RANGE-009",
        RangeHeader::Multiple => "GJO-RANGE-010",
        RangeHeader::Single { .. } | RangeHeader::Invalid => return,
    };
    if download.resolved() == Some(Resolved::Unsatisfiable) || download.is_damaged() {
        return;
    }
    let multipart = || {
        now.response()
            .is_some_and(|response| response.media_type() == "multipart/byteranges")
    };
    let kept = match status {
        400..500 => true,
        200 => is_whole_output(&download).unwrap_or(true),
        206 if header == RangeHeader::Multiple => multipart(),
        206 => download
            .likeness()
            .is_none_or(|like| like == Likeness::Right),
        _ => false,
    };
    let symptom = || {
        Symptom::new(
            "unusual-range-wrong",
            "an open, suffix or multiple Range is answered with wrong bytes or a server error",
        )
    };
    out.judge(
        requirement,
        kept,
        symptom,
        "the bytes asked for, the whole output, or 4xx",
        || answer(now),
    );
}

/// The earlier downloads of the same output, by the range they asked for, that together with this one are all of it.
pub(super) fn tiles<'a>(download: &Download<'a>) -> Option<Vec<(ByteRange, &'a Observation)>> {
    let total = download.total()?;
    let last = download
        .asked()
        .filter(|asked| download.is_partial() && asked.end == total && asked.start > 0)?;
    let single = |seen: &'a Observation| {
        let text = seen.exchange().request.headers.value("range")?;
        match crate::range::parse_range_header(text) {
            RangeHeader::Single { first, last } => {
                ByteRange::inclusive(first, last).map(|range| (range, seen))
            }
            _ => None,
        }
    };
    let mut pieces: Vec<(ByteRange, &Observation)> = download
        .earlier
        .iter()
        .filter(|seen| {
            same_job(seen, download.now)
                && seen.operation == Some(O::GetJobOutput)
                && seen.succeeded()
        })
        .filter_map(single)
        .collect();
    pieces.reverse();
    let mut chosen = vec![(last, download.now)];
    while let Some(start) = chosen
        .last()
        .map(|(range, _)| range.start)
        .filter(|start| *start > 0)
    {
        let next = pieces.iter().find(|(range, _)| range.end == start)?;
        chosen.push(*next);
    }
    chosen.reverse();
    Some(chosen)
}

/// Consecutive ranges make up the whole output.
fn judge_pieces(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(download) = Download::of(evidence).filter(|download| download.response().is_some())
    else {
        return;
    };
    let (Some(pieces), Some(output)) = (tiles(&download), &download.output) else {
        return;
    };
    let likeness = |(range, seen): &(ByteRange, &Observation)| {
        seen.response()
            .map(|response| Likeness::of(&response.body, output, *range))
    };
    let odd = pieces
        .iter()
        .filter_map(likeness)
        .find(|like| *like != Likeness::Right);
    for (_, seen) in &pieces {
        out.also_rests_on(seen.index);
    }
    let symptom = || odd.unwrap_or(Likeness::Unknown).symptom();
    out.judge(
        "GJO-RANGE-012",
        odd.is_none(),
        symptom,
        format!("{} pieces that make up the output", pieces.len()),
        || "pieces that do not".to_owned(),
    );
}

fn judge_length(evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence
        .exchange()
        .filter(|now| now.operation == Some(O::GetJobOutput) && now.succeeded())
    else {
        return;
    };
    let Some(response) = now.response() else {
        return;
    };
    let expected = format!("Content-Length: {}", response.body.length);
    match header(now, "content-length") {
        None => {
            let symptom = Symptom::new("length-missing", "a download does not tell its length");
            out.graded(
                "GJO-SIZE-004",
                Level::Should,
                symptom,
                expected,
                "no Content-Length",
            );
        }
        Some(told) => {
            let kept = told.parse() == Ok(response.body.length);
            let symptom = || {
                Symptom::new(
                    "length-wrong",
                    "Content-Length is not the length of the download",
                )
            };
            out.judge("GJO-SIZE-004", kept, symptom, expected, || {
                format!("Content-Length: {told}")
            });
        }
    }
}
