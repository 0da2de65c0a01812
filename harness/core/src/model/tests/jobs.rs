//! Jobs: requests, retrieval ranges, states, output.

use serde_json::json;

use super::{World, accept, either, refuse, silent};
use crate::model::{Expectation, Refusal as R};

/// The archive has 6.5 MiB, as the archive of AMB-43 does.
fn world() -> World {
    World::after(&[
        "CreateVault: {vault: v}",
        "CreateVault: {vault: w}",
        "UploadArchive: {vault: v, archive: a, content: {generated: {seed: 1, length: 6.5 MiB}}}",
        "UploadArchive: {vault: v, archive: gone, content: {pattern: 7}}",
        "DeleteArchive: {vault: v, archive: gone}",
    ])
}

fn asked(parameters: &str) -> Expectation {
    world().expects(&format!(
        "InitiateJob: {{vault: v, job: j, body: {parameters}}}"
    ))
}

#[test]
fn a_job_needs_a_type_and_what_goes_with_it() {
    let rows = [
        (
            "IJ-STATUS-001",
            "{Type: archive-retrieval, ArchiveId: '${archive:a}'}",
            accept(),
        ),
        (
            "IJ-BODY-002",
            "{jobParameters: {Type: inventory-retrieval}}",
            refuse(R::JobParametersWrapped),
        ),
        ("IJ-BODY-005", "''", refuse(R::JobParametersMissing)),
        ("IJ-BODY-006", "'{'", refuse(R::JsonMalformed)),
        ("IJ-TYPE-001", "{}", refuse(R::JobTypeMissing)),
        ("IJ-TYPE-001", "{Type: ~}", refuse(R::JobTypeMissing)),
        (
            "IJ-TYPE-002",
            "{Type: retrieval}",
            refuse(R::JobTypeUnknown),
        ),
        (
            "IJ-AR-001",
            "{Type: archive-retrieval}",
            refuse(R::ArchiveIdMissing),
        ),
        (
            "IJ-AR-002",
            "{Type: archive-retrieval, ArchiveId: '${archive:?a}'}",
            refuse(R::ArchiveUnknown),
        ),
        // What stands in a body without a placeholder is an id, not a handle.
        (
            "IJ-AR-002",
            "{Type: archive-retrieval, ArchiveId: a}",
            refuse(R::ArchiveUnknown),
        ),
        (
            "IJ-STATUS-001",
            "{Type: archive-retrieval, ArchiveId: id-of-a}",
            accept(),
        ),
        // "Might" succeed, and then fail (AMB-39).
        (
            "DA-EFFECT-001",
            "{Type: archive-retrieval, ArchiveId: '${archive:gone}'}",
            either(R::ArchiveDeleted),
        ),
        (
            "IJ-TIER-001",
            "{Type: archive-retrieval, ArchiveId: '${archive:a}', Tier: Bulk}",
            accept(),
        ),
        (
            "IJ-TIER-003",
            "{Type: archive-retrieval, ArchiveId: '${archive:a}', Tier: Slow}",
            refuse(R::TierUnknown),
        ),
        (
            "IJ-TIER-005",
            "{Type: archive-retrieval, ArchiveId: '${archive:a}', Tier: Expedited}",
            either(R::CapacityInsufficient),
        ),
        ("IJ-SEL-004", "{Type: select}", silent()),
        (
            "IJ-SNS-001",
            "{Type: archive-retrieval, ArchiveId: '${archive:a}', SNSTopic: '${topic:t}'}",
            either(R::TopicInvalid),
        ),
        (
            "IJ-SNS-004",
            "{Type: archive-retrieval, ArchiveId: '${archive:a}', SNSTopic: nonsense}",
            silent(),
        ),
    ];
    for (requirement, parameters, expected) in rows {
        assert_eq!(asked(parameters), expected, "{requirement}: {parameters}");
    }
    let other = "InitiateJob: {vault: w, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}";
    assert_eq!(
        world().expects(other),
        refuse(R::ArchiveForeign),
        "IJ-AR-003"
    );
}

#[test]
fn a_retrieval_range_is_megabyte_aligned_and_inside_the_archive() {
    let rows = [
        ("IJ-RANGE-001", "0-1048575", accept()),
        ("IJ-RANGE-002", "6291456-6815743", accept()),
        (
            "IJ-RANGE-003",
            "1-1048575",
            refuse(R::RetrievalRangeMisaligned),
        ),
        (
            "IJ-RANGE-004",
            "0-1048576",
            refuse(R::RetrievalRangeMisaligned),
        ),
        // Aligned to megabytes, though to no node of the tree.
        ("IJ-RANGE-005", "1048576-3145727", accept()),
        ("IJ-RANGE-007", "abc", refuse(R::RetrievalRangeMalformed)),
        ("IJ-RANGE-007", "0", refuse(R::RetrievalRangeMalformed)),
        (
            "IJ-RANGE-007",
            "1048575-0",
            refuse(R::RetrievalRangeMalformed),
        ),
        (
            "IJ-RANGE-007",
            "bytes=0-1048575",
            refuse(R::RetrievalRangeMalformed),
        ),
        ("IJ-RANGE-008", "0-7340031", refuse(R::RetrievalRangeBeyond)),
        (
            "IJ-RANGE-008",
            "7340032-8388607",
            refuse(R::RetrievalRangeBeyond),
        ),
        ("IJ-RANGE-009", "0-6815743", accept()),
    ];
    for (requirement, range, expected) in rows {
        let parameters = format!(
            "{{Type: archive-retrieval, ArchiveId: '${{archive:a}}', RetrievalByteRange: '{range}'}}"
        );
        assert_eq!(asked(&parameters), expected, "{requirement}: {range}");
    }
}

#[test]
fn an_inventory_request_has_formats_windows_and_nothing_of_archives() {
    let mut world = world();
    world.plays("InitiateJob: {vault: v, job: first, body: {Type: inventory-retrieval}}");
    let asked = |more: &str| {
        world.expects(&format!(
            "InitiateJob: {{vault: v, job: j, body: {{Type: inventory-retrieval, {more}}}}}"
        ))
    };
    let window = |more: &str| asked(&format!("InventoryRetrievalParameters: {{{more}}}"));
    assert_eq!(asked("Format: CSV"), accept(), "IJ-INV-003");
    assert_eq!(asked("Format: XML"), refuse(R::FormatUnknown), "IJ-INV-004");
    assert_eq!(
        asked("ArchiveId: ~, RetrievalByteRange: ~, SNSTopic: ~, Description: ~"),
        accept(),
        "IJ-BODY-004"
    );
    assert_eq!(
        asked("ArchiveId: '${archive:a}'"),
        refuse(R::ArchiveIdUnexpected),
        "IJ-INV-002"
    );
    assert_eq!(
        asked("RetrievalByteRange: 0-1048575"),
        refuse(R::RetrievalRangeUnexpected),
        "IJ-RANGE-010"
    );
    assert_eq!(
        window("StartDate: '2013-03-20T17:03:43Z', EndDate: '2013-04-20T17:03:43Z', Limit: '3'"),
        accept(),
        "IJ-INV-013"
    );
    assert_eq!(
        window("StartDate: yesterday"),
        refuse(R::DateInvalid),
        "IJ-INV-011"
    );
    assert_eq!(
        window("EndDate: '2013-13-20T17:03:43Z'"),
        refuse(R::DateInvalid),
        "IJ-INV-011"
    );
    assert_eq!(
        window("EndDate: '2013-03-20T17:03:43+01:00'"),
        silent(),
        "IJ-INV-011"
    );
    for limit in ["0", "-1", "few"] {
        assert_eq!(
            window(&format!("Limit: '{limit}'")),
            refuse(R::InventoryLimitInvalid),
            "IJ-INV-009: {limit}"
        );
    }
    assert_eq!(window("Limit: 3"), silent(), "IJ-INV-008");
    for limit in ["+3", &"9".repeat(40)] {
        let limit = format!("Limit: '{limit}'");
        assert_eq!(window(&limit), silent(), "IJ-INV-008: {limit}");
    }
}

#[test]
fn a_vault_that_was_never_inventoried_may_have_no_inventory() {
    let mut world = world();
    let inventory = "InitiateJob: {vault: v, job: i, body: {Type: inventory-retrieval}}";
    assert_eq!(
        world.plays(inventory),
        either(R::InventoryAbsent),
        "IJ-INV-012"
    );
    assert_eq!(world.expects(inventory), accept(), "IJ-INV-001");
}

#[test]
fn a_job_description_has_up_to_1024_printable_bytes() {
    let described = |text: &str| {
        let step = json!({"InitiateJob": {"vault": "v", "job": "j", "body": {"Type": "archive-retrieval", "ArchiveId": "${archive:a}", "Description": text}}});
        world().expects(&step.to_string())
    };
    assert_eq!(described(&"x".repeat(1024)), accept(), "IJ-DESC-001");
    assert_eq!(
        described(&"x".repeat(1025)),
        refuse(R::JobDescriptionInvalid),
        "IJ-DESC-002"
    );
    assert_eq!(
        described("line\nbreak"),
        refuse(R::JobDescriptionInvalid),
        "IJ-DESC-002"
    );
}

/// A job for the whole archive, and the document that says it is done.
fn begun() -> World {
    let mut world = world();
    world.plays("InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}', RetrievalByteRange: 0-1048575}}");
    world
}

fn done(world: &mut World, status: &str) {
    let document = json!({"JobId": "id-of-j", "StatusCode": status, "Completed": true});
    world.answered("DescribeJob: {vault: v, job: j}", 200, Some(document));
}

#[test]
fn a_job_is_seen_in_its_own_vault_only() {
    begun().expects_rows(&[
        ("DJ-STATUS-001", "DescribeJob: {vault: v, job: j}", accept()),
        (
            "DJ-404-001",
            "DescribeJob: {vault: v, job: '?j'}",
            refuse(R::JobUnknown),
        ),
        (
            "DJ-404-002",
            "DescribeJob: {vault: w, job: j}",
            refuse(R::JobForeign),
        ),
        (
            "GJO-404-001",
            "GetJobOutput: {vault: w, job: j}",
            refuse(R::JobForeign),
        ),
        (
            "GJO-STATE-004",
            "GetJobOutput: {vault: v, job: '?j'}",
            refuse(R::JobUnknown),
        ),
        // An empty id lists the jobs.
        ("DJ-LIST-001", "DescribeJob: {vault: v, job: '='}", silent()),
    ]);
}

#[test]
fn output_can_be_had_once_the_job_succeeded() {
    let mut world = begun();
    let output = "GetJobOutput: {vault: v, job: j}";
    // It may have completed since anybody looked.
    world.expects_rows(&[("GJO-STATE-001", output, either(R::JobNotReady))]);
    done(&mut world, "Succeeded");
    world.expects_rows(&[("GJO-STATUS-001", output, accept())]);
    world.plays("DeleteArchive: {vault: v, archive: a}");
    world.expects_rows(&[("DA-EFFECT-002", output, accept())]);
    world.later(23 * 3_600_000);
    world.expects_rows(&[("GJO-STATE-006", output, accept())]);
    world.later(2 * 3_600_000);
    world.expects_rows(&[("GJO-STATE-005 DJ-RETAIN-001", output, either(R::JobExpired))]);
}

#[test]
fn a_failed_job_has_no_output() {
    let mut world = begun();
    done(&mut world, "Failed");
    world.expects_rows(&[(
        "GJO-STATE-003",
        "GetJobOutput: {vault: v, job: j}",
        refuse(R::JobFailed),
    )]);
}

#[test]
fn a_completed_job_never_returns_to_progress() {
    let mut world = begun();
    done(&mut world, "Succeeded");
    done(&mut world, "InProgress");
    world.expects_rows(&[("DJ-STATE-003", "GetJobOutput: {vault: v, job: j}", accept())]);
}

#[test]
fn a_job_for_an_archive_that_was_gone_before_it_never_gives_its_bytes() {
    let mut world = world();
    world.plays("InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:gone}'}}");
    let output = "GetJobOutput: {vault: v, job: j}";
    let early = Expectation::Either(vec![R::JobNotReady, R::JobFailed]);
    world.expects_rows(&[("DA-EFFECT-001", output, early)]);
    let mut wrong = world.clone();
    done(&mut wrong, "Succeeded");
    assert!(
        matches!(wrong.expects(output), Expectation::Blocked(_)),
        "DA-EFFECT-001"
    );
    done(&mut world, "Failed");
    world.expects_rows(&[("DA-EFFECT-001", output, refuse(R::JobFailed))]);
}

/// The job's output is the 1 MiB it retrieves, not the archive (GJO-RANGE-001).
#[test]
fn ranges_of_output_are_followed_ignored_or_refused() {
    let mut world = begun();
    done(&mut world, "Succeeded");
    let rows = [
        ("GJO-STATUS-002", "bytes=0-1023", accept()),
        ("GJO-RANGE-005", "bytes=1048000-2000000", accept()),
        (
            "GJO-RANGE-006",
            "bytes=1048576-2097151",
            either(R::OutputRangeBeyond),
        ),
        (
            "GJO-RANGE-008",
            "bytes 0-1023/4096",
            either(R::OutputRangeMalformed),
        ),
        (
            "GJO-RANGE-008",
            "items=0-1",
            either(R::OutputRangeMalformed),
        ),
        (
            "GJO-RANGE-014",
            "bytes=10-5",
            either(R::OutputRangeMalformed),
        ),
    ];
    for (requirement, range, expected) in rows {
        let text = format!("GetJobOutput: {{vault: v, job: j, range: '{range}'}}");
        assert_eq!(world.expects(&text), expected, "{requirement}: {range}");
    }
}

#[test]
fn lists_of_jobs_are_filtered_by_what_is_documented() {
    let filtered = |filters: &str| begun().expects(&format!("ListJobs: {{vault: v, {filters}}}"));
    assert_eq!(
        filtered("completed: 'true', statuscode: Succeeded"),
        accept(),
        "LJ-FILTER-004"
    );
    assert_eq!(
        filtered("statuscode: finished"),
        refuse(R::StatusCodeUnknown),
        "LJ-FILTER-002"
    );
    assert_eq!(
        filtered("completed: 'yes'"),
        refuse(R::CompletedInvalid),
        "LJ-FILTER-005"
    );
    assert_eq!(
        filtered("completed: 'false', statuscode: Failed"),
        either(R::FilterContradictory),
        "LJ-FILTER-004"
    );
}

#[test]
fn a_list_tells_the_states_of_jobs_too() {
    let mut world = begun();
    let list =
        json!({"JobList": [{"JobId": "id-of-j", "StatusCode": "Succeeded"}], "Marker": null});
    world.answered("ListJobs: {vault: v}", 200, Some(list));
    world.expects_rows(&[("LJ-BODY-001", "GetJobOutput: {vault: v, job: j}", accept())]);
}
