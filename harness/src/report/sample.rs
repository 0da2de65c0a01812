//! Reports to test formats with: a golden one, written by hand, with a hostile target in it; and one of any size; and what findings are made of.

use std::sync::Arc;

use indexmap::IndexMap;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::check::{Judgement, Outcome, Record, Symptom};
use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::parse_retrieval_range;
use crevasse_core::requirement::{Level, Registry, RequirementId};
use crevasse_core::scenario::{Action, Scenario};
use crevasse_core::spec::OperationName;
use crevasse_core::treehash::{MIB, hash_leaves, sha256, tree_hash};
use crevasse_core::verdict::Verdict;
use crevasse_core::wire::{
    Body, Exchange, Framing, Headers, ObservedBody, Reply, Request, Response,
};

use super::document::*;

/// What a hostile target sends: markup, terminal escapes, what XML forbids, and text that runs backwards.
pub(crate) const HOSTILE: &str =
    "</pre><script>alert(1)</script>\u{1b}[2J\u{0}\u{fffe}\u{202e}| `]]>";

/// The scenario behind the golden findings about ranges.
const SCENARIO: &str = r#"id: output-ranges
title: a range of the output of a ranged retrieval
steps:
- CreateVault:
    vault: v
- UploadArchive:
    vault: v
    archive: a
    content:
      generated:
        seed: 42
        length: 6.5 MiB
- InitiateJob:
    vault: v
    job: j
    body:
      Type: archive-retrieval
      ArchiveId: ${archive:a}
      RetrievalByteRange: 1048576-5242879
- AwaitJob:
    vault: v
    job: j
- GetJobOutput:
    vault: v
    job: j
    range: bytes=0-1048575
"#;

/// A judgement that an operation broke a demand.
pub(crate) fn broken(operation: OperationName, symptom: Symptom) -> Judgement {
    Judgement {
        requirement: RequirementId::of("DV-STATUS-001"),
        check: "success-status",
        operation: Some(operation),
        outcome: Outcome::Violated {
            symptom,
            grade: Level::Must,
            expected: "204".to_owned(),
            actual: "200".to_owned(),
        },
        records: vec![2],
    }
}

/// The golden report.
pub(crate) fn report() -> Report {
    let findings = findings();
    let causes = vec![
        cause(
            "C1",
            "range-ignored",
            "the Range header is ignored",
            &findings,
        ),
        cause(
            "C2",
            "not-json",
            "an error does not come as JSON",
            &findings,
        ),
        cause(
            "C3",
            "vault-changed",
            "creating a vault again changes it",
            &findings,
        ),
        cause("C4", "accept-ranges", "Accept-Ranges is missing", &findings),
    ];
    let requirements = requirements(&findings);
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool {
            name: "crevasse".to_owned(),
            version: "0.1.0".to_owned(),
        },
        spec: SpecFacts {
            name: "glacier-2012-06-01".to_owned(),
            digest: format!("sha256:{}", sha256(b"spec")),
            registry: Registry::builtin().digest().to_owned(),
        },
        run: RunFacts {
            id: "20261124T190000Z-42".to_owned(),
            seed: 42,
            profile: "standard".to_owned(),
            endpoint: "http://127.0.0.1:5000".to_owned(),
            jobs: 2,
            started: "2026-11-24T19:00:00Z".to_owned(),
            seconds: 3.2,
            complete: true,
            built_in: false,
            shard: crate::shard::Shard::WHOLE,
            options: Vec::new(),
        },
        target: Some(TargetFacts {
            version: Some("5.1".to_owned()),
            ..TargetFacts::named("icebox")
        }),
        summary: summary(&requirements, &findings, causes.len()),
        operations: operations(),
        requirements,
        findings,
        causes,
        leaks: vec![LeakFacts {
            kind: "vault".to_owned(),
            name: format!("cv-{HOSTILE}"),
            reason: "DELETE answers 500".to_owned(),
        }],
        stale: vec![StaleFacts {
            entry: "LV-ORDER-001".to_owned(),
            reason: "fixed in 5.1".to_owned(),
        }],
        notes: vec!["the specification describes 2 responses that cannot be enforced".to_owned()],
    }
}

/// A report about every requirement, with this many findings, each `per_cause` of them of one cause.
pub(crate) fn large(count: usize, per_cause: usize) -> Report {
    let mut report = report();
    let models = report.findings.clone();
    let rules: Vec<_> = Registry::builtin().iter().collect();
    report.findings = (0..count)
        .map(|place| {
            let rule = rules[place % rules.len()];
            let mut finding = models[place % models.len()].clone();
            finding.id = format!("F{}", place + 1);
            finding.requirements = vec![rule.id.clone()];
            finding.operation = rule.operations.first().copied();
            finding.cause = format!("C{}", place / per_cause + 1);
            finding.fingerprint = sha256(finding.id.as_bytes()).to_string()[..16].to_owned();
            finding
        })
        .collect();
    report.causes = report
        .findings
        .chunks(per_cause)
        .map(|findings| CauseFacts {
            id: findings[0].cause.clone(),
            symptom: "sample".to_owned(),
            title: findings[0].title.clone(),
            level: findings[0].level,
            findings: findings.iter().map(|finding| finding.id.clone()).collect(),
            operations: findings
                .iter()
                .filter_map(|finding| finding.operation)
                .take(5)
                .collect(),
        })
        .collect();
    report.requirements = everything(&report.findings);
    report.summary = summary(&report.requirements, &report.findings, report.causes.len());
    report.operations = OperationName::ALL
        .into_iter()
        .map(|name| operation(name, name != OperationName::CompleteVaultLock))
        .collect();
    report
}

fn everything(findings: &[FindingFacts]) -> Vec<RequirementFacts> {
    let verdicts = [
        Verdict::Conforms,
        Verdict::Conforms,
        Verdict::Conforms,
        Verdict::Untested,
        Verdict::Conforms,
        Verdict::Inconclusive,
    ];
    let rules = Registry::builtin().iter().enumerate();
    rules
        .map(|(place, rule)| {
            let broken = findings
                .iter()
                .any(|finding| finding.requirements[0] == rule.id);
            requirement(
                rule.id.as_str(),
                if broken {
                    Verdict::Deviates
                } else {
                    verdicts[place % verdicts.len()]
                },
                findings,
            )
        })
        .collect()
}

fn findings() -> Vec<FindingFacts> {
    let ranged = |id: &str, requirement: &str, title: &str, expected: &str, actual: &str| {
        finding(id, requirement, "C1", title, expected, actual, story())
    };
    let got = "200 with 4194304 bytes and no Content-Range";
    let mut findings = vec![
        ranged(
            "F1",
            "GJO-STATUS-002",
            "a Range is answered 200 with everything",
            "206",
            got,
        ),
        ranged(
            "F2",
            "GJO-SIZE-003",
            "a Range is answered with other bytes than asked for",
            "1048576 bytes",
            got,
        ),
        ranged(
            "F3",
            "GJO-RANGE-002",
            "Content-Range is missing",
            "Content-Range: bytes 0-1048575/4194304",
            got,
        ),
        ranged(
            "F4",
            "GJO-RANGE-011",
            "a Range of an inventory is ignored",
            "206",
            "200 with 811 bytes",
        ),
        finding(
            "F5",
            "COM-HDR-005",
            "C2",
            &format!("an error does not come as JSON {HOSTILE}"),
            "application/json",
            &format!("text/html: {HOSTILE}"),
            vec![hostile()],
        ),
        finding(
            "F6",
            "CV-IDEM-002",
            "C3",
            "creating a vault again changes its CreationDate",
            "2026-11-24T19:00:00.000Z",
            "2026-11-24T19:00:01.000Z",
            vec![],
        ),
        finding(
            "F7",
            "GJO-ACCEPT-001",
            "C4",
            "Accept-Ranges is missing",
            "Accept-Ranges: bytes",
            "no such header",
            vec![],
        ),
    ];
    findings[5].fails = false;
    findings[5].waived = Some("tracked as icebox 17".to_owned());
    findings[5].repro = Repro {
        scenario: "id: vault-twice\ntitle: creating a vault again changes nothing\nsteps: []\n"
            .to_owned(),
        curl: vec![],
    };
    findings[6].fails = false;
    findings
}

fn finding(
    id: &str,
    requirement: &str,
    cause: &str,
    title: &str,
    expected: &str,
    actual: &str,
    exchanges: Vec<Record>,
) -> FindingFacts {
    let rule = Registry::builtin()
        .get(requirement)
        .expect("a requirement of the registry");
    FindingFacts {
        id: id.to_owned(),
        fingerprint: sha256(format!("{requirement} {id}").as_bytes()).to_string()[..16].to_owned(),
        title: title.to_owned(),
        requirements: vec![rule.id.clone()],
        level: rule.level,
        fails: rule.level == Level::Must,
        operation: rule.operations.first().copied(),
        check: "sample".to_owned(),
        rule: rule.statement.clone(),
        source: rule.source.clone(),
        expected: expected.to_owned(),
        actual: actual.to_owned(),
        count: 3,
        reproduced: "3/3".to_owned(),
        waived: None,
        cause: cause.to_owned(),
        case: "output-ranges".to_owned(),
        exchanges,
        repro: Repro {
            curl: vec!["#!/bin/sh".to_owned(), format!("# {title}"), "call GET \"/-/vaults/${VAULT_v}/jobs/${JOB_j}/output\" -H \"range: bytes=0-1048575\"".to_owned()],
            scenario: SCENARIO.to_owned(),
        },
    }
}

fn cause(id: &str, symptom: &str, title: &str, findings: &[FindingFacts]) -> CauseFacts {
    let about: Vec<_> = findings
        .iter()
        .filter(|finding| finding.cause == id)
        .collect();
    let mut operations: Vec<_> = about
        .iter()
        .filter_map(|finding| finding.operation)
        .collect();
    operations.dedup();
    CauseFacts {
        id: id.to_owned(),
        symptom: symptom.to_owned(),
        title: title.to_owned(),
        level: about
            .iter()
            .map(|finding| finding.level)
            .max()
            .expect("a cause has findings"),
        findings: about.iter().map(|finding| finding.id.clone()).collect(),
        operations,
    }
}

fn requirements(findings: &[FindingFacts]) -> Vec<RequirementFacts> {
    let judged = [
        ("COM-HDR-001", Verdict::Conforms),
        ("COM-HDR-005", Verdict::Deviates),
        ("CV-IDEM-001", Verdict::Conforms),
        ("CV-IDEM-002", Verdict::Waived),
        ("GJO-STATUS-001", Verdict::Conforms),
        ("GJO-STATUS-002", Verdict::Deviates),
        ("GJO-SIZE-003", Verdict::Deviates),
        ("GJO-RANGE-002", Verdict::Deviates),
        ("GJO-RANGE-009", Verdict::Untested),
        ("GJO-RANGE-011", Verdict::Deviates),
        ("GJO-ACCEPT-001", Verdict::Deviates),
        ("GJO-STATE-006", Verdict::Inconclusive),
        ("CVL-STATUS-001", Verdict::Unsupported),
    ];

    judged
        .iter()
        .map(|(id, verdict)| requirement(id, *verdict, findings))
        .collect()
}

fn requirement(id: &str, verdict: Verdict, findings: &[FindingFacts]) -> RequirementFacts {
    let rule = Registry::builtin()
        .get(id)
        .expect("a requirement of the registry");
    let operations: Vec<_> = rule.operations.iter().map(ToString::to_string).collect();
    let evidence: Vec<_> = rule.evidence.iter().map(ToString::to_string).collect();
    let about = findings
        .iter()
        .filter(|finding| finding.requirements[0] == rule.id);
    RequirementFacts {
        id: rule.id.clone(),
        operation: if operations.is_empty() {
            "(all operations)".to_owned()
        } else {
            operations.join(", ")
        },
        level: rule.level,
        evidence: evidence.join("+"),
        verdict,
        held: if verdict == Verdict::Conforms { 12 } else { 0 },
        violated: if matches!(verdict, Verdict::Deviates | Verdict::Waived) {
            3
        } else {
            0
        },
        findings: about.map(|finding| finding.id.clone()).collect(),
        witness: (verdict == Verdict::Conforms).then(|| "output-ranges#4".to_owned()),
        reason: (verdict == Verdict::Inconclusive).then(|| "needs 24 hours".to_owned()),
        unsettled: false,
    }
}

fn operations() -> Vec<OperationFacts> {
    let there = [
        OperationName::CreateVault,
        OperationName::GetJobOutput,
        OperationName::CompleteVaultLock,
    ];
    there
        .into_iter()
        .map(|name| operation(name, name != OperationName::CompleteVaultLock))
        .collect()
}

fn operation(name: OperationName, supported: bool) -> OperationFacts {
    let reason = if supported {
        "a probe was answered as documented"
    } else {
        "answers 404 with HTML"
    };
    OperationFacts {
        name,
        supported,
        reason: reason.to_owned(),
        expected: false,
    }
}

fn summary(requirements: &[RequirementFacts], findings: &[FindingFacts], causes: usize) -> Summary {
    let counts = |level: Level| -> Counts {
        let of = |verdict| {
            requirements
                .iter()
                .filter(|facts| facts.level == level && facts.verdict == verdict)
                .count()
        };
        Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict, of(verdict)))
            .collect()
    };
    Summary {
        verdict: "deviates".to_owned(),
        exit_code: 1,
        cases: 20,
        exchanges: 140,
        findings: findings.len(),
        causes,
        must: counts(Level::Must),
        should: counts(Level::Should),
        may: counts(Level::May),
        operations: OperationCounts {
            total: 33,
            supported: 32,
            exercised: 31,
        },
    }
}

/// The exchanges of [`SCENARIO`] with a target that ignores `Range`.
fn story() -> Vec<Record> {
    let scenario: Scenario =
        serde_yaml::from_str(SCENARIO).expect("the sample scenario is well-formed");
    let archive = Content::from(Payload::Generated {
        seed: 42,
        length: 6 * MIB + MIB / 2,
    });
    let job = r#"{"Action":"ArchiveRetrieval","ArchiveSizeInBytes":6815744,"Completed":true,"RetrievalByteRange":"1048576-5242879","StatusCode":"Succeeded"}"#;
    let answers = [
        ("PUT", "/-/vaults/cv-v", 201, ""),
        ("POST", "/-/vaults/cv-v/archives", 201, ""),
        ("POST", "/-/vaults/cv-v/jobs", 202, ""),
        ("GET", "/-/vaults/cv-v/jobs/j1", 200, job),
        ("GET", "/-/vaults/cv-v/jobs/j1/output", 200, ""),
    ];
    let steps = scenario.steps.into_iter().enumerate().zip(answers);
    let mut records: Vec<Record> = steps
        .map(|((step, it), (method, path, status, body))| {
            record(
                step,
                it.action,
                request(method, path),
                response(
                    status,
                    &[("date", "Tue, 24 Nov 2026 19:00:00 GMT")],
                    body.as_bytes(),
                ),
            )
        })
        .collect();
    edit(&mut records[1]).0.body = Body::Content(archive.clone());
    edit(&mut records[2]).0.body = Body::Text(
        r#"{"Type":"archive-retrieval","ArchiveId":"a1","RetrievalByteRange":"1048576-5242879"}"#
            .to_owned(),
    );
    let (asked, output) = edit(&mut records[4]);
    asked.headers.push("Range", "bytes=0-1048575");
    let hashed = archive
        .slice(parse_retrieval_range("1048576-5242879").expect("a range"))
        .hashed();
    output
        .headers
        .push("Content-Type", "application/octet-stream");
    output.body = ObservedBody {
        length: 4 * MIB,
        sha256: hashed.sha256,
        tree_hash: hashed.tree_hash,
        leaves: vec![],
        prefix: [0xd3, 0x07, 0xff, 0x00].into(),
    };
    records
}

fn hostile() -> Record {
    let html = format!("<html>{HOSTILE}");
    let response = response(
        404,
        &[("content-type", "text/html"), ("x-evil", HOSTILE)],
        html.as_bytes(),
    );
    record(
        0,
        Action::DescribeVault { vault: "v".into() },
        request("GET", "/-/vaults/cv-v"),
        response,
    )
}

fn edit(record: &mut Record) -> (&mut Request, &mut Response) {
    match record.exchange.as_mut() {
        Some(Exchange {
            request,
            reply: Reply::Response(response),
            ..
        }) => (request, response),
        _ => unreachable!("sample records hold whole exchanges"),
    }
}

fn record(step: usize, action: Action, request: Request, response: Response) -> Record {
    let begun = Timestamp(1_795_546_800_000);
    let exchange = Exchange {
        request,
        reply: Reply::Response(response),
        sent_at: begun,
        done_at: begun.plus_millis(3),
        retried: vec![],
    };
    Record {
        step,
        action,
        tweak: Default::default(),
        group: None,
        bindings: Arc::new(IndexMap::new()),
        exchange: Some(exchange),
        blocked: None,
    }
}

fn request(method: &str, path: &str) -> Request {
    let fields = [
        ("x-amz-glacier-version", "2012-06-01"),
        ("x-amz-date", "20261124T190000Z"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDSECRET"),
        ("x-amz-security-token", "TOKENSECRET"),
    ];
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: headers(&fields),
        body: Body::Empty,
        framing: Framing::Plain,
    }
}

fn response(status: u16, fields: &[(&str, &str)], body: &[u8]) -> Response {
    let body = ObservedBody {
        length: body.len() as u64,
        sha256: sha256(body),
        tree_hash: tree_hash(body),
        leaves: hash_leaves(&[body]),
        prefix: body.into(),
    };
    Response {
        status,
        headers: headers(fields),
        body,
    }
}

fn headers(fields: &[(&str, &str)]) -> Headers {
    Headers(
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
}
