//! Rules for the bytes of a download: its status, its length, and which part of the output it is.

use super::common::{ended, wrong_length};
use super::jobs::{asked, begun, retrieval_range_ignored, same_job};
use super::output::{Download, Likeness, bytes, damage};
use super::rules::{answer, not_accepted};
use super::subject::live_vault;
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Life};
use crate::range::{ByteRange, ContentRange, RangeHeader};
use crate::requirement::Level;
use crate::spec::OperationName as O;
use crate::wire::Response;

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
        // That an output outlives its archive is another rule.
        let lost = download
            .retrieval
            .is_some_and(|retrieval| is_gone(now, retrieval.archive));
        if now.expectation == Expectation::Accept && !again && !lost {
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
    let kept = whole_of_part(&download) == Some(Likeness::Right);
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
                response.body.length == retrieval.range.len(),
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

fn is_gone(now: &Observation, archive: &str) -> bool {
    live_vault(&now.before, now.action())
        .and_then(|vault| vault.archives.get(archive))
        .is_some_and(|archive| archive.life == Life::Gone)
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
    let Some(asked) = download.asked().filter(|_| download.is_partial()) else {
        if download.is_damaged() && download.response().is_some() {
            download.excused("GJO-STATUS-002", out);
        }
        return;
    };
    let Some(part) = Part::of(&download, asked) else {
        return judge_missing_part(&download, asked, out);
    };
    part.judge_status(out);
    part.judge_length(out);
    judge_place(&download, asked, part.like, out);
    part.judge_examples(out);
}

/// A part of the output was due, and no success came.
fn judge_missing_part(download: &Download<'_>, asked: ByteRange, out: &mut Judgements) {
    let now = download.now;
    if now.expectation != Expectation::Accept {
        return;
    }
    let (requirement, symptom) = if now.is_refused() && is_clamped(download) {
        ("GJO-RANGE-005", range_not_clamped())
    } else {
        ("GJO-STATUS-002", not_accepted(now))
    };
    let expected = format!("206 with bytes {asked}");
    out.violated(requirement, symptom, expected, answer(now));
}

/// What came where a part of the output was asked for.
struct Part<'a> {
    download: &'a Download<'a>,
    asked: ByteRange,
    response: &'a Response,
    like: Likeness,
}

impl<'a> Part<'a> {
    fn of(download: &'a Download<'a>, asked: ByteRange) -> Option<Self> {
        let response = download.response()?;
        let of_its_length = if response.body.length == asked.len() {
            Likeness::Right
        } else {
            Likeness::Unknown
        };
        Some(Self {
            download,
            asked,
            response,
            like: download.likeness().unwrap_or(of_its_length),
        })
    }

    fn told(&self) -> String {
        format!(
            "{} with {}",
            answer(self.download.now),
            bytes(&self.response.body)
        )
    }

    /// What is wrong where the status may be all that is.
    fn symptom(&self) -> Symptom {
        match self.like {
            Likeness::Right => Symptom::new(
                "partial-status",
                "a part of the output comes with another status than 206",
            ),
            other => other.symptom(),
        }
    }

    fn judge_status(&self, out: &mut Judgements) {
        out.judge(
            "GJO-STATUS-002",
            self.response.status == 206,
            || self.symptom(),
            "206",
            || self.told(),
        );
    }

    fn judge_length(&self, out: &mut Judgements) {
        if !is_clamped(self.download) {
            out.judge(
                "GJO-SIZE-003",
                self.response.body.length == self.asked.len(),
                || self.like.symptom(),
                format!("{} bytes", self.asked.len()),
                || bytes(&self.response.body),
            );
        }
    }

    /// Rules about parts of one kind or another.
    fn judge_examples(&self, out: &mut Judgements) {
        let clamped = is_clamped(self.download);
        let right = self.response.status == 206 && self.like == Likeness::Right;
        let examples = [
            ("GJO-RANGE-005", clamped),
            ("GJO-RANGE-011", self.download.retrieval.is_none()),
            ("GJO-RANGE-013", self.asked.len() == 1 && !clamped),
        ];
        for (requirement, _) in examples.into_iter().filter(|(_, applies)| *applies) {
            out.judge(
                requirement,
                right,
                || self.symptom(),
                format!("206 with {} bytes", self.asked.len()),
                || self.told(),
            );
        }
    }
}

fn range_not_clamped() -> Symptom {
    Symptom::new(
        "range-not-clamped",
        "a Range that ends beyond the output is refused",
    )
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
        judge_none_told(told, out);
    }
    let Some(asked) = download.asked().filter(|_| download.header.is_some()) else {
        return;
    };
    if response.status == 206 {
        judge_told(&download, asked, told, out);
    } else {
        judge_whole_for_part(&download, asked, out);
    }
}

/// A whole download has no place in another.
fn judge_none_told(told: Option<&str>, out: &mut Judgements) {
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

/// Where the whole output comes for a part of it, nothing tells which part it is.
fn judge_whole_for_part(download: &Download<'_>, asked: ByteRange, out: &mut Judgements) {
    let single = matches!(download.header, Some(RangeHeader::Single { .. }));
    if !single || !download.is_partial() || download.likeness() != Some(Likeness::WholeOutput) {
        return;
    }
    for requirement in ["GJO-RANGE-002", "GJO-RANGE-003"] {
        let expected = format!("206 with Content-Range: bytes {asked}/…");
        let symptom = Likeness::WholeOutput.symptom();
        out.violated(requirement, symptom, expected, answer(download.now));
    }
}

/// `Content-Range` tells the place of the part and the size of the whole.
fn judge_told(download: &Download<'_>, asked: ByteRange, told: Option<&str>, out: &mut Judgements) {
    let read = told.and_then(ContentRange::parse);
    let actual = || {
        told.map_or_else(
            || "no Content-Range".to_owned(),
            |text| format!("Content-Range: {text}"),
        )
    };
    out.judge(
        "GJO-RANGE-002",
        read.is_some_and(|read| read.range == asked),
        || told_wrongly(told, "position"),
        format!("Content-Range: bytes {asked}/…"),
        actual,
    );
    if let (Some(total), Some(read)) = (download.total(), read) {
        out.judge(
            "GJO-RANGE-003",
            read.total == Some(total),
            || told_wrongly(told, "size"),
            format!("Content-Range: …/{total}"),
            actual,
        );
    }
}

fn told_wrongly(told: Option<&str>, what: &'static str) -> Symptom {
    match told {
        None => Symptom::new(
            "content-range-missing",
            "a part of the output comes without Content-Range",
        ),
        Some(_) => Symptom::new(
            "content-range-wrong",
            format!("Content-Range tells another {what} than what comes"),
        )
        .about(what),
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
            .map(|response| Likeness::of_answer(response, output, *range))
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
        .filter(|now| now.operation == Some(O::GetJobOutput))
    else {
        return;
    };
    let Some(response) = ended(now).filter(|response| response.is_success()) else {
        return;
    };
    let expected = format!("Content-Length: {}", response.body.length);
    match response.headers.value("content-length") {
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
            out.judge("GJO-SIZE-004", kept, wrong_length, expected, || {
                format!("Content-Length: {told}")
            });
        }
    }
}

#[cfg(test)]
mod tests;
