//! The picture of an archive: its MiB leaves, the nodes of the tree above them, and below what was retrieved, asked for and received.

use std::fmt::Write;

use serde::Serialize;

use crevasse_core::check::Record;
use crevasse_core::range::{
    ByteRange, ContentRange, Resolved, parse_range_header, parse_retrieval_range,
};
use crevasse_core::scenario::{Action, Scenario};
use crevasse_core::treehash::{MIB, megabyte_aligned, tree_hash_aligned};
use crevasse_core::wire::Response;

/// Leaves drawn one by one; more are drawn in groups.
const BOXES: u64 = 32;
const WIDTH: f64 = 720.0;
const LEVEL: f64 = 20.0;
const BAR: f64 = 16.0;

/// Byte ranges of an archive, as a finding is about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges {
    /// Bytes in the archive.
    size: u64,
    /// What the job retrieves of it.
    retrieved: ByteRange,
    /// What `Range` asks for, in the archive's own positions.
    asked: Option<ByteRange>,
    /// What came, in the archive's own positions, if it said or if it began at the beginning.
    received: Option<Received>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Received {
    range: Option<ByteRange>,
    words: String,
}

/// A picture with its explanations.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Picture {
    /// The drawing, without texts.
    pub(super) drawing: String,
    /// What it shows, in one sentence.
    pub(super) title: String,
    /// The bars from top to bottom.
    pub(super) bars: Vec<Bar>,
}

/// A bar and what it stands for.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Bar {
    /// `retrieved`, `asked` or `received`.
    pub(super) kind: &'static str,
    /// What it stands for.
    pub(super) words: String,
}

impl Ranges {
    /// Reads them from the exchanges of a finding and the scenario around them; `None` when it is about no part of an archive.
    pub(super) fn of(records: &[Record], scenario: Option<&Scenario>) -> Option<Self> {
        let last = records.last()?;
        let steps: Vec<&Action> = match scenario {
            Some(scenario) => scenario.steps.iter().map(|step| &step.action).collect(),
            None => records.iter().map(|record| &record.action).collect(),
        };
        let (handle, range) = match &last.action {
            Action::GetJobOutput { job, range, .. } => (job.handle()?, range.as_deref()),
            Action::InitiateJob { job, .. } => (job.as_str(), None),
            _ => return None,
        };
        let size = archive_size(&steps, handle)?;
        let part = job(&steps, handle)?
            .get("RetrievalByteRange")
            .and_then(|range| parse_retrieval_range(range.as_str()?));
        if range.is_none() && part.is_none() {
            return None;
        }
        let retrieved = part
            .or(ByteRange::whole(size))
            .filter(|range| range.end <= size)?;
        let asked =
            range.and_then(
                |range| match parse_range_header(range).resolve(retrieved.len()) {
                    Resolved::Partial(range) => range.offset_by(retrieved.start),
                    _ => None,
                },
            );
        let output = matches!(last.action, Action::GetJobOutput { .. });
        let response = last
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.reply.response());
        let received = response
            .filter(|response| output && response.is_success())
            .map(|response| received(response, retrieved));
        Some(Self {
            size,
            retrieved,
            asked,
            received,
        })
    }

    /// Draws them.
    pub(super) fn picture(&self) -> Picture {
        let leaves = self.size.div_ceil(MIB);
        Picture {
            drawing: Drawing::of(self),
            title: format!(
                "The archive of {} in {leaves} leaves of 1 MiB, and what was retrieved, asked for and received of it",
                bytes(self.size)
            ),
            bars: self.bars(),
        }
    }

    fn bars(&self) -> Vec<Bar> {
        let mut bars = vec![Bar {
            kind: "retrieved",
            words: format!(
                "retrieved by the job: {} ({})",
                self.in_words(self.retrieved),
                alignment(self.retrieved, self.size)
            ),
        }];
        bars.extend(self.asked.map(|asked| Bar {
            kind: "asked",
            words: format!(
                "asked for by Range: {} ({})",
                self.in_words(asked),
                alignment(asked, self.size)
            ),
        }));
        bars.extend(self.received.as_ref().map(|received| Bar {
            kind: "received",
            words: format!("received: {}", received.words),
        }));
        bars
    }

    fn in_words(&self, range: ByteRange) -> String {
        format!("bytes {range} of the archive, {}", bytes(range.len()))
    }
}

fn alignment(range: ByteRange, size: u64) -> &'static str {
    match (
        tree_hash_aligned(range, size),
        megabyte_aligned(range, size),
    ) {
        (true, _) => "a node of the tree",
        (false, true) => "on MiB boundaries, no node of the tree",
        _ => "not on MiB boundaries",
    }
}

fn received(response: &Response, retrieved: ByteRange) -> Received {
    let length = response.body.length;
    let claimed = response.headers.value("content-range");
    let first = claimed
        .and_then(ContentRange::parse)
        .map_or(0, |claim| claim.range.start);
    let claim = match claimed {
        Some(text) => format!("Content-Range: {text}"),
        None => "no Content-Range, so drawn from the first byte of the output".to_owned(),
    };
    let start = retrieved.start.saturating_add(first);
    Received {
        range: ByteRange::new(start, start.saturating_add(length)),
        words: format!(
            "{} with status {} and {claim}",
            bytes(length),
            response.status
        ),
    }
}

/// The parameters of the job that has this handle.
fn job(steps: &[&Action], handle: &str) -> Option<serde_json::Value> {
    steps.iter().find_map(|action| match action {
        Action::InitiateJob { job, body, .. } if job == handle => body.document(),
        _ => None,
    })
}

/// The size of the archive that a job retrieves.
fn archive_size(steps: &[&Action], handle: &str) -> Option<u64> {
    let parameters = job(steps, handle)?;
    let named = parameters.get("ArchiveId")?.as_str()?;
    let archive = named.strip_prefix("${archive:")?.strip_suffix('}')?;
    steps.iter().find_map(|action| match action {
        Action::UploadArchive {
            archive: made,
            content,
            ..
        } if made == archive => Some(content.length()),
        Action::CompleteMultipartUpload {
            archive: made,
            upload,
            ..
        } if made == archive => parts(steps, upload.handle()?),
        _ => None,
    })
}

fn parts(steps: &[&Action], of: &str) -> Option<u64> {
    let lengths = steps.iter().filter_map(|action| match action {
        Action::UploadMultipartPart {
            upload, content, ..
        } if upload.handle() == Some(of) => Some(content.length()),
        _ => None,
    });
    lengths.reduce(|sum, length| sum.saturating_add(length))
}

/// `6.5 MiB`, `811 bytes`.
pub(super) fn bytes(number: u64) -> String {
    match number {
        1 => "1 byte".to_owned(),
        _ if number >= MIB && number.is_multiple_of(MIB / 16) => {
            format!("{} MiB", number as f64 / MIB as f64)
        }
        _ => format!("{number} bytes"),
    }
}

struct Drawing {
    size: u64,
    svg: String,
}

/// A node of the tree where it is drawn.
#[derive(Clone, Copy)]
struct Node {
    x: f64,
    y: f64,
    first: u64,
    end: u64,
}

impl Drawing {
    fn of(ranges: &Ranges) -> String {
        let mut drawing = Self {
            size: ranges.size,
            svg: String::new(),
        };
        let top = drawing.tree(ranges);
        let bars = [
            ("retrieved", Some(ranges.retrieved)),
            ("asked", ranges.asked),
            (
                "received",
                ranges.received.as_ref().and_then(|received| received.range),
            ),
        ];
        let mut y = top + 30.0;
        for (kind, range) in bars {
            if let Some(range) = range {
                drawing.bar(kind, range, y);
                y += BAR + 6.0;
            }
        }
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {y}\" aria-hidden=\"true\" focusable=\"false\">{}</svg>",
            drawing.svg
        )
    }

    fn x(&self, byte: u64) -> f64 {
        4.0 + (WIDTH - 8.0) * (byte.min(self.size) as f64 / self.size as f64)
    }

    /// Draws leaves and nodes; says where the leaves begin.
    fn tree(&mut self, ranges: &Ranges) -> f64 {
        let mut unit = MIB;
        while self.size.div_ceil(unit) > BOXES {
            unit *= 2;
        }
        let leaves = self.size.div_ceil(unit).max(1);
        let levels = f64::from(u64::BITS - (leaves - 1).leading_zeros());
        let top = 10.0 + levels * LEVEL;
        let mut row: Vec<Node> = (0..leaves)
            .map(|place| self.leaf(place, unit, top))
            .collect();
        let mut y = top;
        while row.len() > 1 {
            y -= LEVEL;
            row = row
                .chunks(2)
                .map(|pair| self.above(pair, y, ranges))
                .collect();
        }
        top
    }

    fn leaf(&mut self, place: u64, unit: u64, top: f64) -> Node {
        let (first, end) = (place * unit, ((place + 1) * unit).min(self.size));
        let (x, width) = (self.x(first), self.x(end) - self.x(first));
        let class = if place.is_multiple_of(2) {
            "leaf"
        } else {
            "leaf odd"
        };
        self.put(&format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"22\"/>"
        ));
        let middle = x + width / 2.0;
        if width >= 20.0 {
            self.put(&format!(
                "<text x=\"{middle:.1}\" y=\"{}\">{}</text>",
                top + 15.0,
                first / MIB
            ));
        }
        Node {
            x: middle,
            y: top,
            first,
            end,
        }
    }

    /// The node above two, or the lone last one carried up unchanged.
    fn above(&mut self, pair: &[Node], y: f64, ranges: &Ranges) -> Node {
        let [left, right] = *pair else { return pair[0] };
        let node = Node {
            x: f64::midpoint(left.x, right.x),
            y,
            first: left.first,
            end: right.end,
        };
        for child in pair {
            self.put(&format!(
                "<path class=\"edge\" d=\"M{:.1} {} L{:.1} {:.1}\"/>",
                node.x, node.y, child.x, child.y
            ));
        }
        let spans = |range: Option<ByteRange>| {
            range.is_some_and(|range| (range.start, range.end) == (node.first, node.end))
        };
        let class = match (spans(ranges.asked), spans(Some(ranges.retrieved))) {
            (true, _) => "node asked",
            (_, true) => "node retrieved",
            _ => "node",
        };
        self.put(&format!(
            "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y}\" r=\"4\"/>",
            node.x
        ));
        node
    }

    fn bar(&mut self, kind: &str, range: ByteRange, y: f64) {
        let (x, width) = (
            self.x(range.start),
            (self.x(range.end) - self.x(range.start)).max(3.0),
        );
        self.put(&format!("<rect class=\"bar {kind}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\"/>"));
    }

    fn put(&mut self, element: &str) {
        self.svg.write_str(element).expect("a String takes all");
    }
}

#[cfg(test)]
mod tests {
    use crevasse_core::scenario::JsonBody;

    use super::*;
    use crate::report::sample;

    fn ranges() -> Ranges {
        let finding = &sample::report().findings[0];
        let scenario = serde_yaml::from_str(&finding.repro.scenario).unwrap();
        Ranges::of(&finding.exchanges, Some(&scenario)).unwrap()
    }

    #[test]
    fn a_range_of_the_output_is_drawn_where_it_lies_in_the_archive() {
        let ranges = ranges();
        assert_eq!(ranges.size, 6 * MIB + MIB / 2);
        assert_eq!(ranges.retrieved, ByteRange::new(MIB, 5 * MIB).unwrap());
        assert_eq!(ranges.asked, ByteRange::new(MIB, 2 * MIB));
        assert_eq!(ranges.received.unwrap().range, ByteRange::new(MIB, 5 * MIB));
    }

    #[test]
    fn the_bars_say_what_they_are() {
        let bars = ranges().bars();
        let words: Vec<&str> = bars.iter().map(|bar| bar.words.as_str()).collect();
        assert_eq!(
            words,
            [
                "retrieved by the job: bytes 1048576-5242879 of the archive, 4 MiB (on MiB boundaries, no node of the tree)",
                "asked for by Range: bytes 1048576-2097151 of the archive, 1 MiB (a node of the tree)",
                "received: 4 MiB with status 200 and no Content-Range, so drawn from the first byte of the output",
            ]
        );
    }

    #[test]
    fn seven_leaves_have_six_nodes_above_them() {
        let drawing = ranges().picture().drawing;
        assert_eq!(drawing.matches("class=\"leaf").count(), 7);
        assert_eq!(drawing.matches("<circle").count(), 6);
    }

    #[test]
    fn an_archive_of_terabytes_is_drawn_in_a_few_boxes() {
        let ranges = Ranges {
            size: 40 << 40,
            ..ranges()
        };
        let drawing = ranges.picture().drawing;
        assert_eq!(drawing.matches("class=\"leaf").count(), 20);
        assert!(drawing.len() < 8_000, "{}", drawing.len());
    }

    #[test]
    fn what_is_about_no_part_of_an_archive_has_no_picture() {
        let finding = &sample::report().findings[4];
        assert_eq!(Ranges::of(&finding.exchanges, None), None);
        let whole = [Record {
            action: Action::InitiateJob {
                vault: "v".into(),
                job: "j".into(),
                body: JsonBody::Absent,
            },
            ..finding.exchanges[0].clone()
        }];
        assert_eq!(Ranges::of(&whole, None), None);
    }
}
