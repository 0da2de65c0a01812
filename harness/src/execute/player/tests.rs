use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::execute::transport::Arm;
use crate::execute::{Hand, Pace, Target};
use crate::journal::{Journal, Reader, leftovers};
use crevasse_core::spec::Spec;
use crevasse_core::treehash::sha256;
use crevasse_core::wire::{
    FaultKind, Headers, ObservedBody, Reply, Request, Response, TransportFault,
};
use crevasse_reference::{Options, Service};

fn target() -> Target {
    let mut target = Target::new("http://127.0.0.1:9").unwrap();
    target.patience.standard = Duration::from_millis(400);
    target
}

fn session(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Session {
    let spec = Arc::new(Spec::builtin().clone());
    let (pace, prefix) = (Pace::new(2, None), "crevasse-x7k2p9".to_owned());
    Session::new(
        target(),
        Arm::in_process(answer),
        spec,
        pace,
        Journal::discarding(),
        prefix,
    )
}

fn reference(options: Options) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let service = Service::new(options);
    move |request| service.exchange(request)
}

fn scenario(steps: &str) -> Scenario {
    Scenario::parse(&format!("id: a\ntitle: t\nsteps:\n{steps}")).unwrap()
}

async fn records(session: &Session, steps: &str) -> Vec<Record> {
    play(session, "a", &scenario(steps), Vec::new())
        .await
        .records
}

fn status(record: &Record) -> Option<u16> {
    record
        .exchange
        .as_ref()?
        .reply
        .response()
        .map(|response| response.status)
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    Reply::Response(Response {
        status,
        headers: Headers(
            headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        ),
        body: ObservedBody {
            length: body.len() as u64,
            sha256: sha256(body.as_bytes()),
            tree_hash: sha256(body.as_bytes()),
            leaves: vec![sha256(body.as_bytes())],
            prefix: body.as_bytes().into(),
        },
    })
}

fn fault(kind: FaultKind) -> Reply {
    Reply::Fault(TransportFault {
        kind,
        detail: "a fault".to_owned(),
        partial: None,
    })
}

#[tokio::test]
async fn an_archive_travels_from_its_upload_to_the_output_of_its_job() {
    let session = session(reference(Options::default()));
    let steps = "
- CreateVault: {vault: v}
- UploadArchive: {vault: v, archive: a, content: {text: hello}}
- InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}
- AwaitJob: {vault: v, job: j}
- GetJobOutput: {vault: v, job: j}
";
    let performance = play(&session, "a", &scenario(steps), Vec::new()).await;
    let records = &performance.records;
    let output = records.last().unwrap();
    let reply = &output.exchange.as_ref().unwrap().reply;
    assert_eq!(reply.response().unwrap().body.sha256, sha256(b"hello"));
    assert_eq!(output.bindings["vault:v"], "crevasse-x7k2p9-a-v");
    assert!(
        output
            .exchange
            .as_ref()
            .unwrap()
            .request
            .path
            .contains(&output.bindings["job:j"])
    );
    let polls = records
        .iter()
        .filter(|record| record.group == Some(Group::Await));
    assert!(polls.clone().count() >= 1 && polls.clone().all(|poll| poll.step == 3));
    let kinds: Vec<Kind> = performance
        .left
        .iter()
        .map(|resource| resource.kind)
        .collect();
    assert_eq!(kinds, [Kind::Archive, Kind::Vault]);
}

#[tokio::test]
async fn a_job_that_outlasts_patience_ends_its_group_and_says_so() {
    let slow = Options {
        job_delay: Duration::from_secs(3600),
        ..Options::default()
    };
    let steps = "
- CreateVault: {vault: v}
- UploadArchive: {vault: v, archive: a, content: {text: hello}}
- InitiateJob: {vault: v, job: j, body: {Type: archive-retrieval, ArchiveId: '${archive:a}'}}
- AwaitJob: {vault: v, job: j}
";
    let records = records(&session(reference(slow)), steps).await;
    let polls: Vec<&Record> = records
        .iter()
        .filter(|record| record.group.is_some())
        .collect();
    assert!(polls.len() > 2);
    let (last, earlier) = polls.split_last().unwrap();
    assert!(last.blocked.as_ref().unwrap().contains("still in progress"));
    assert!(earlier.iter().all(|poll| poll.blocked.is_none()));
}

#[tokio::test]
async fn what_was_never_made_is_never_asked_for() {
    let steps = "
- DescribeVault: {vault: v}
- CreateVault: {vault: v}
- DescribeJob: {vault: v, job: j}
- DeleteArchive: {vault: v, archive: '?a'}
";
    let records = records(&session(reference(Options::default())), steps).await;
    let blocked: Vec<bool> = records
        .iter()
        .map(|record| record.blocked.is_some())
        .collect();
    assert_eq!(blocked, [true, false, true, true]);
    assert!(
        records
            .iter()
            .all(|record| record.blocked.is_some() == record.exchange.is_none())
    );
}

#[tokio::test]
async fn a_walk_ends_with_the_last_page() {
    let steps = "
- CreateVault: {vault: v}
- InitiateMultipartUpload: {vault: v, upload: a, part_size: '1048576'}
- InitiateMultipartUpload: {vault: v, upload: b, part_size: '1048576'}
- InitiateMultipartUpload: {vault: v, upload: c, part_size: '1048576'}
- Walk: {list: {ListMultipartUploads: {vault: v, page: {limit: '1'}}}}
";
    let records = records(&session(reference(Options::default())), steps).await;
    let pages: Vec<&Record> = records
        .iter()
        .filter(|record| record.group == Some(Group::Walk))
        .collect();
    assert_eq!(pages.len(), 3);
    assert!(
        pages
            .iter()
            .all(|page| page.blocked.is_none() && status(page) == Some(200))
    );
}

#[tokio::test]
async fn a_walk_in_a_circle_ends_where_it_was_before() {
    let session = session(|_| response(200, &[], r#"{"VaultList":[],"Marker":"again"}"#));
    let records = records(&session, "- Walk: {list: {ListVaults: {}}}\n").await;
    assert_eq!(records.len(), 2);
    assert!(records[1].blocked.as_ref().unwrap().contains("second time"));
}

#[tokio::test]
async fn what_happens_at_the_same_time_is_written_down_in_the_order_of_the_scenario() {
    let steps = "
- CreateVault: {vault: v}
- Together:
    steps:
    - UploadArchive: {vault: v, archive: a, content: {text: one}}
    - UploadArchive: {vault: v, archive: b, content: {text: two}}
    - DescribeJob: {vault: v, job: none}
- DeleteArchive: {vault: v, archive: b}
";
    let records = records(&session(reference(Options::default())), steps).await;
    let statuses: Vec<Option<u16>> = records.iter().map(status).collect();
    assert_eq!(statuses, [Some(201), Some(201), Some(201), None, Some(204)]);
    assert!(
        records[1..4]
            .iter()
            .all(|record| record.group == Some(Group::Together) && record.step == 1)
    );
}

#[tokio::test]
async fn a_request_that_is_put_off_is_sent_again_and_what_was_set_aside_is_told() {
    let asked = AtomicUsize::new(0);
    let session = session(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => response(503, &[("retry-after", "0")], ""),
        1 => response(
            400,
            &[("Retry-After", "0")],
            r#"{"code":"ThrottlingException"}"#,
        ),
        _ => response(200, &[], "{}"),
    });
    let records = records(&session, "- ListVaults: {}\n").await;
    let exchange = records[0].exchange.as_ref().unwrap();
    assert_eq!(
        (status(&records[0]), exchange.retried.as_slice()),
        (Some(200), &[503, 400][..])
    );
}

#[tokio::test]
async fn no_capacity_is_an_answer_and_not_a_wish_to_wait() {
    let session = session(|_| response(503, &[], r#"{"code":"InsufficientCapacityException"}"#));
    let records = records(&session, "- ListVaults: {}\n").await;
    assert!(records[0].exchange.as_ref().unwrap().retried.is_empty());
}

#[tokio::test]
async fn a_target_that_reaches_nobody_counts_as_gone_after_a_while() {
    let session = session(|_| fault(FaultKind::Unreachable));
    let steps = "- ListVaults: {}\n".repeat(40);
    let records = records(&session, &steps).await;
    assert!(
        records[0]
            .blocked
            .as_ref()
            .unwrap()
            .contains("could not be reached")
    );
    assert!(session.gone().is_some() && records.len() < 40);
}

#[tokio::test]
async fn a_body_that_is_only_announced_and_asked_for_decides_nothing() {
    let session = session(|request| match request.framing {
        crevasse_core::wire::Framing::Announced(_) => response(100, &[], ""),
        _ => response(201, &[("Location", "/123456789012/vaults/v")], ""),
    });
    let steps = "
- CreateVault: {vault: v}
- UploadArchive: {vault: v, archive: a, content: {text: x}}
  but: {framing: {announced: 5000000000}}
";
    let records = records(&session, steps).await;
    assert!(
        records[1].exchange.is_none() && records[1].blocked.as_ref().unwrap().contains("announced")
    );
}

#[tokio::test]
async fn a_vault_that_may_be_somebodys_is_looked_at_and_never_touched() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let session = session(move |request| {
        seen.lock()
            .unwrap()
            .push(format!("{} {}", request.method, request.path));
        response(200, &[], "{}")
    });
    let steps = "
- DescribeVault: {vault: '=theirs'}
- DeleteVault: {vault: '=theirs'}
- CreateVault: {vault: v, name: {raw: theirs}}
- Other: {method: PATCH, path: '/-/vaults/%74heirs'}
- CreateVault: {vault: w, name: {raw: 'no name'}}
";
    let records = records(&session, steps).await;
    let blocked: Vec<bool> = records
        .iter()
        .map(|record| record.exchange.is_none())
        .collect();
    assert_eq!(blocked, [false, true, true, true, false]);
    assert_eq!(
        *asked.lock().unwrap(),
        ["GET /-/vaults/theirs", "PUT /-/vaults/no%20name"]
    );
}

#[tokio::test]
async fn a_name_of_one_character_is_taken_only_when_nobody_has_it() {
    let session = session(
        |request| match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/-/vaults/q" | "/-/vaults/z") => response(200, &[], "{}"),
            ("GET", _) => response(404, &[], r#"{"code":"ResourceNotFoundException"}"#),
            _ => response(201, &[], ""),
        },
    );
    let steps = "
- CreateVault: {vault: v, name: {length: 1}}
- CreateVault: {vault: w, name: {length: 1}}
- CreateVault: {vault: x, name: {length: 255}}
- CreateVault: {vault: y, name: {length: 3250585}}
";
    let records = records(&session, steps).await;
    let bindings = &records[3].bindings;
    assert_eq!(
        (bindings["vault:v"].as_str(), bindings["vault:w"].as_str()),
        ("j", "x")
    );
    assert!(
        bindings["vault:x"].starts_with("crevasse-x7k2p9-a-xx") && bindings["vault:x"].len() == 255
    );
    assert_eq!(bindings["vault:y"].len(), 3_250_585);
}

#[tokio::test]
async fn everything_is_removed_and_the_journal_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = crate::event::RunStarted {
        run: "x".to_owned(),
        seed: 1,
        profile: crevasse_core::scenario::Profile::Quick,
        endpoint: "http://127.0.0.1:9".to_owned(),
        jobs: 1,
        spec: String::new(),
        spec_digest: String::new(),
        prefix: "crevasse-x7k2p9".to_owned(),
        started: crevasse_core::amz_date::Timestamp(0),
        shard: crate::shard::Shard::WHOLE,
        arguments: Vec::new(),
        options: Vec::new(),
    };
    let journal = Journal::create(folder.path(), &run).unwrap();
    let service = Service::new(Options::default());
    let answer = service.clone();
    let arm = Arm::in_process(move |request| answer.exchange(request));
    let spec = Arc::new(Spec::builtin().clone());
    let hand = Hand::new(
        target(),
        arm,
        spec,
        Pace::new(1, None),
        journal,
        run.prefix.clone(),
    );
    let steps = "
- CreateVault: {vault: v}
- UploadArchive: {vault: v, archive: a, content: {text: one}}
- InitiateMultipartUpload: {vault: v, upload: u, part_size: '1048576'}
";
    let records = hand.play("a", &scenario(steps)).await;
    let lines: Vec<Line> = Reader::open(folder.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(leftovers(&lines), []);
    assert_eq!((hand.leaks(), hand.trouble()), (Vec::new(), None));
    let kept = lines
        .iter()
        .filter(|line| matches!(line, Line::Record { .. }))
        .count();
    assert_eq!(kept, records.len());
    let list = hand
        .ask(&Action::ListVaults {
            page: Default::default(),
        })
        .await
        .unwrap();
    assert_eq!(
        list.body.json().unwrap()["VaultList"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn what_cannot_be_removed_is_a_leak_with_its_reason() {
    let spec = Arc::new(Spec::builtin().clone());
    let arm = Arm::in_process(|request| match request.method.as_str() {
        "DELETE" => response(
            400,
            &[],
            r#"{"code":"InvalidParameterValueException","message":"not empty"}"#,
        ),
        _ => response(201, &[], ""),
    });
    let hand = Hand::new(
        target(),
        arm,
        spec,
        Pace::new(1, None),
        Journal::discarding(),
        "crevasse-t".to_owned(),
    );
    hand.play("a", &scenario("- CreateVault: {vault: v}\n"))
        .await;
    let leaks = hand.leaks();
    assert_eq!(
        (leaks[0].kind.as_str(), leaks[0].name.as_str()),
        ("vault", "crevasse-t-a-v")
    );
    assert_eq!(
        leaks[0].reason,
        "400 InvalidParameterValueException not empty"
    );
}

#[tokio::test]
async fn a_case_that_waits_ends_when_the_run_does() {
    let session = session(reference(Options::default()));
    let cut = session.stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        cut.ask();
    });
    let steps =
        "- CreateVault: {vault: v}\n- Pause: {millis: 3600000}\n- DescribeVault: {vault: v}\n";
    assert_eq!(records(&session, steps).await.len(), 1);
}
