//! One archive as large as one likes: up in parts, down in ranges, and every byte of it known without being kept.

use serde_json::json;

use crevasse_core::payload::{ByteCount, Content, Payload};
use crevasse_core::range::ByteRange;
use crevasse_core::scenario::{Action, JsonBody, RangeClaim, Scenario, Step};

/// Parts at most: many enough that none takes long, few enough that requests do not.
const PARTS: u64 = 256;
/// The smallest and the largest part ("Uploading Large Archives in Parts").
const PART: (u64, u64) = (1 << 20, 4 << 30);
/// Bytes asked for at once on the way back, at most.
const PIECE: u64 = 256 << 20;

/// The scenario of an archive of this size.
pub fn large_archive(seed: u64, size: ByteCount) -> Scenario {
    let archive = Content::from(Payload::Generated {
        seed,
        length: size.0,
    });
    let part = size.0.div_ceil(PARTS).next_power_of_two();
    let part = part.clamp(PART.0, PART.1);
    let mut steps = vec![
        Action::CreateVault {
            vault: "v".into(),
            name: None,
        },
        Action::InitiateMultipartUpload {
            vault: "v".into(),
            upload: "u".to_owned(),
            part_size: Some(part.to_string()),
            description: None,
        },
    ];
    steps.extend(ByteRange::parts(size.0, part).map(|range| upload(&archive, range)));
    steps.push(Action::CompleteMultipartUpload {
        vault: "v".into(),
        upload: "u".into(),
        archive: "a".to_owned(),
        size: Default::default(),
        tree_hash: Default::default(),
    });
    let body = json!({"Type": "archive-retrieval", "ArchiveId": "${archive:a}"});
    steps.push(Action::InitiateJob {
        vault: "v".into(),
        job: "j".to_owned(),
        body: JsonBody::Json(body),
    });
    steps.push(Action::AwaitJob {
        vault: "v".into(),
        job: "j".into(),
    });
    let pieces = ByteRange::parts(size.0, PIECE.max(part));
    steps.extend(pieces.map(|range| Action::GetJobOutput {
        vault: "v".into(),
        job: "j".into(),
        range: Some(format!("bytes={}-{}", range.start, range.end - 1)),
    }));
    Scenario {
        id: "large-archive".to_owned(),
        title: format!("an archive of {size} goes up in parts and comes down in ranges"),
        covers: Vec::new(),
        needs: Vec::new(),
        profile: Default::default(),
        steps: steps.into_iter().map(Step::from).collect(),
    }
}

fn upload(archive: &Content, range: ByteRange) -> Action {
    Action::UploadMultipartPart {
        vault: "v".into(),
        upload: "u".into(),
        content: archive.slice(range),
        range: RangeClaim::At(range.start),
        tree_hash: Default::default(),
        content_sha256: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(scenario: &Scenario, wanted: fn(&Action) -> bool) -> usize {
        scenario
            .steps
            .iter()
            .filter(|step| wanted(&step.action))
            .count()
    }

    #[test]
    fn sixteen_gibibytes_go_up_in_256_parts_and_come_down_in_64_ranges() {
        let scenario = large_archive(1, ByteCount(16 << 30));
        let up = count(&scenario, |action| {
            matches!(action, Action::UploadMultipartPart { .. })
        });
        let down = count(&scenario, |action| {
            matches!(action, Action::GetJobOutput { .. })
        });
        assert_eq!((up, down), (256, 64));
    }

    #[test]
    fn a_small_one_is_one_part() {
        let scenario = large_archive(1, ByteCount(5));
        assert_eq!(
            count(&scenario, |action| matches!(
                action,
                Action::UploadMultipartPart { .. }
            )),
            1
        );
    }
}
