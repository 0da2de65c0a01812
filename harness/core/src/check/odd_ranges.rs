//! Rules for downloads with a `Range` beyond the output, malformed, or of a form that no document mentions.

use super::output::{Download, Likeness};
use super::rules::{answer, refused_otherwise};
use super::{Check, Evidence, Judgements, Observation, Symptom};
use crate::model::Refusal;
use crate::range::{ByteRange, RangeHeader, Resolved};
use crate::requirement::Level;

/// Ranges that are none, or that nobody documented.
pub(super) const CHECKS: &[Check] = &[
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
];

/// What the body is when taken for the whole output: that, or as long as that where it is not known.
fn as_whole_output(download: &Download<'_>) -> Option<Likeness> {
    let body = &download.response()?.body;
    match &download.output {
        Some(output) => Some(
            ByteRange::whole(output.length())
                .map_or(Likeness::Right, |whole| Likeness::of(body, output, whole)),
        ),
        None => download.job.output_length().map(|length| {
            if body.length == length {
                Likeness::Right
            } else {
                Likeness::Unknown
            }
        }),
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
    let Some(status) = now.status() else {
        return judge_beyond_unanswered(now, first > total, out);
    };
    let invented = || {
        Symptom::new(
            "range-beyond-served",
            "a Range that begins beyond the output is answered with bytes",
        )
    };
    let whole = as_whole_output(&download);
    let kept = match status {
        400..500 => true,
        200 => whole.is_none_or(|like| like == Likeness::Right),
        _ => false,
    };
    let symptom = || match (status, whole) {
        (200, Some(Likeness::WholeArchive)) => Likeness::WholeArchive.symptom(),
        (500.., _) => Symptom::new(
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
        (200, Some(Likeness::Right)) => Likeness::WholeOutput.symptom(),
        (200, Some(like @ Likeness::WholeArchive)) => like.symptom(),
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

/// A connection that ends is no refusal.
fn judge_beyond_unanswered(now: &Observation, far: bool, out: &mut Judgements) {
    let symptom = Symptom::new(
        "range-beyond-unanswered",
        "a Range that begins beyond the output is not answered",
    );
    if far {
        let expected = "4xx: the range begins beyond the output";
        out.violated("GJO-RANGE-006", symptom, expected, answer(now));
    }
}

fn judge_beyond_code(now: &Observation, status: u16, out: &mut Judgements) {
    let code = now.error_code().unwrap_or_default();
    // 416 is an answer of HTTP, and needs no body of Glacier.
    let of_glacier = Some(now).filter(|_| status != 416);
    let symptom = of_glacier
        .and_then(super::errors::common_fault)
        .unwrap_or_else(|| refused_otherwise(Refusal::OutputRangeBeyond));
    let expected = "400 InvalidParameterValueException";
    match (status, code) {
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
    let whole = as_whole_output(&download);
    if status == 200 && whole.is_none() {
        return;
    }
    let kept = status == 400 || (status == 200 && whole == Some(Likeness::Right));
    let symptom = || match status {
        200 if whole == Some(Likeness::WholeArchive) => Likeness::WholeArchive.symptom(),
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
    let whole = as_whole_output(&download);
    let kept = match status {
        400..500 => true,
        200 => whole.is_none_or(|like| like == Likeness::Right),
        206 if header == RangeHeader::Multiple => multipart(),
        206 => download
            .likeness()
            .is_none_or(|like| like == Likeness::Right),
        _ => false,
    };
    let symptom = || match (status, whole) {
        (200, Some(Likeness::WholeArchive)) => Likeness::WholeArchive.symptom(),
        _ => Symptom::new(
            "unusual-range-wrong",
            "an open, suffix or multiple Range is answered with wrong bytes or a server error",
        ),
    };
    out.judge(
        requirement,
        kept,
        symptom,
        "the bytes asked for, the whole output, or 4xx",
        || answer(now),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::by_hand::{Answer, Case, error, json, status};
    use super::is_reversed;
    use crate::requirement::Level;

    const TEXT: &[u8] = b"0123456789";

    /// A whole download of ten bytes, then one with this range.
    fn asked(range: &str, answer: Answer) -> Case {
        Case::default()
            .then("CreateVault: {vault: v}", status(201))
            .then("UploadArchive: {vault: v, archive: a, content: {text: '0123456789'}}", status(201).with("x-amz-archive-id", "A"))
            .then("InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}", status(202).with("x-amz-job-id", "J"))
            .then("DescribeJob: {vault: v, job: j}", json(200, json!({"JobId": "J", "StatusCode": "Succeeded", "Completed": true})))
            .then("GetJobOutput: {vault: v, job: j}", status(200).bytes(TEXT.to_vec()))
            .then(&format!("GetJobOutput: {{vault: v, job: j, range: '{range}'}}"), answer)
    }

    #[test]
    fn beyond_the_output_there_is_an_error_or_all_of_it() {
        let refused = asked(
            "bytes=100-109",
            error(400, "InvalidParameterValueException"),
        );
        assert!(
            ["GJO-RANGE-006", "GJO-RANGE-007", "GJO-RANGE-020"]
                .iter()
                .all(|id| refused.holds(id))
        );
        let unsatisfiable = asked("bytes=100-", status(416));
        assert!(unsatisfiable.holds("GJO-RANGE-020") && unsatisfiable.holds("GJO-RANGE-006"));
        assert_eq!(
            unsatisfiable.breaks("GJO-RANGE-007"),
            [("refused-otherwise", Level::May)]
        );
        let whole = asked("bytes=100-109", status(200).bytes(TEXT.to_vec()));
        assert!(whole.holds("GJO-RANGE-020"));
        assert_eq!(
            whole.breaks("GJO-RANGE-006"),
            [("range-ignored", Level::Should)]
        );
        let invented = asked("bytes=10-19", status(206).bytes(vec![0; 10]));
        assert_eq!(
            invented.breaks("GJO-RANGE-020"),
            [("range-beyond-served", Level::Must)]
        );
        assert!(
            invented.said("GJO-RANGE-006").is_empty(),
            "a start at the end is another matter"
        );
    }

    #[test]
    fn what_is_no_range_is_ignored_or_refused() {
        assert!(asked("items=0-1", status(200).bytes(TEXT.to_vec())).holds("GJO-RANGE-008"));
        assert!(asked("0-100/493", status(400)).holds("GJO-RANGE-008"));
        assert_eq!(
            asked("bytes 0-1/10", status(206).bytes(b"01".to_vec())).breaks("GJO-RANGE-008"),
            [("malformed-range-served", Level::Should)]
        );
        assert!(asked("bytes=5-2", status(400)).holds("GJO-RANGE-014"));
        assert!(
            is_reversed("bytes=10-5") && !is_reversed("bytes=5-10") && !is_reversed("bytes=5-")
        );
    }

    #[test]
    fn unusual_forms_bring_no_wrong_bytes() {
        assert!(asked("bytes=-3", status(206).bytes(b"789".to_vec())).holds("GJO-RANGE-009"));
        assert!(asked("bytes=7-", status(206).bytes(b"789".to_vec())).holds("GJO-RANGE-009"));
        assert!(asked("bytes=7-", status(200).bytes(TEXT.to_vec())).holds("GJO-RANGE-009"));
        assert_eq!(
            asked("bytes=-3", status(206).bytes(b"012".to_vec())).breaks("GJO-RANGE-009"),
            [("unusual-range-wrong", Level::May)]
        );
        let parts = status(206)
            .bytes(b"--x".to_vec())
            .with("content-type", "multipart/byteranges; boundary=x");
        assert!(asked("bytes=0-1,4-5", parts).holds("GJO-RANGE-010"));
    }
}
