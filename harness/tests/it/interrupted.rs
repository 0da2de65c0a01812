//! Runs that are killed, interrupted or out of time: they go on, end as uninterrupted ones do, and leave nothing behind.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crevasse_core::wire::{Body, Framing, Headers, Request};
use crevasse_reference::{Options, ServerHandle, Service, fault, serve};
use serde_json::Value;

use crate::command::{crevasse, said};

/// A reference server of this process.
struct Reference {
    service: Service,
    endpoint: String,
    _handle: ServerHandle,
    _runtime: tokio::runtime::Runtime,
}

impl Reference {
    fn start(options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let service = Service::new(options);
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let handle = runtime.block_on(serve(service.clone(), anywhere)).unwrap();
        Self {
            service,
            endpoint: format!("http://{}", handle.address),
            _handle: handle,
            _runtime: runtime,
        }
    }

    /// The vaults that are there.
    fn vaults(&self) -> Vec<Value> {
        let mut headers = Headers::default();
        headers.push("x-amz-glacier-version", "2012-06-01");
        let reply = self.service.exchange(&Request {
            method: "GET".to_owned(),
            path: "/-/vaults".to_owned(),
            query: String::new(),
            headers,
            body: Body::Empty,
            framing: Framing::Plain,
        });
        let list = reply.response().unwrap().body.json().unwrap();
        list["VaultList"].as_array().unwrap().clone()
    }
}

/// A folder that runs keep their journals in.
struct Runs(tempfile::TempDir);

impl Runs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = crevasse();
        command.args(words).arg("--run-dir").arg(self.0.path());
        command
    }

    fn start(&self, endpoint: &str, words: &[&str]) -> Child {
        let mut command = self.command(&["run", "--endpoint", endpoint, "-n", "4"]);
        command
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn run(&self, endpoint: &str, words: &[&str]) -> Output {
        self.start(endpoint, words).wait_with_output().unwrap()
    }

    /// The id of the only run, once it has begun its journal.
    fn id(&self) -> Option<String> {
        let folders = std::fs::read_dir(self.0.path()).unwrap().flatten();
        let ids = folders.filter(|entry| entry.path().join("journal.jsonl").exists());
        ids.map(|entry| entry.file_name().into_string().unwrap())
            .next()
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join(self.id().unwrap()).join("journal.jsonl")
    }

    fn resume(&self, words: &[&str]) -> Output {
        let id = self.id().unwrap();
        let mut command = self.command(&["run", "--resume", &id]);
        command.args(words).output().unwrap()
    }

    /// The verdicts of the only run, by requirement.
    fn verdicts(&self) -> BTreeMap<String, String> {
        let path = self.0.path().join(self.id().unwrap()).join("report.json");
        let report: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let facts = report["requirements"].as_array().unwrap().iter();
        facts
            .map(|facts| (facts["id"].to_string(), facts["verdict"].to_string()))
            .collect()
    }
}

const FAULT: &str = "archive-hash-linear";
/// Tags, uploads and retrievals; those whose answers depend on how far a job is only where jobs take their time.
const SOME: &str = "topic(tags) | id(UA-HDR-*) | id(GJO-HASH-*)";
const MORE: &str = "topic(tags) | op(GetJobOutput) | op(CompleteMultipartUpload)";

fn faulty(job_delay: Duration) -> Reference {
    Reference::start(Options {
        faults: vec![fault::find(FAULT).unwrap()],
        job_delay,
        ..Options::default()
    })
}

/// Kills runs at so many moments all over their time, and goes on with each.
fn killed(times: u32, filter: &str, job_delay: Duration) {
    let (whole, server) = (Runs::new(), faulty(job_delay));
    let (some, begun) = (["-E", filter], Instant::now());
    assert_eq!(whole.run(&server.endpoint, &some).status.code(), Some(1));
    let (takes, expected) = (begun.elapsed(), whole.verdicts());
    assert!(expected.values().any(|value| value == "\"deviates\""));
    for time in 0..times {
        let (runs, server) = (Runs::new(), faulty(job_delay));
        let mut run = runs.start(&server.endpoint, &some);
        // Multiples of the golden ratio lie all over a range, however many there are.
        sleep(takes.mul_f64((f64::from(time) * 0.618_034 + 0.1).fract()));
        run.kill().unwrap();
        run.wait().unwrap();
        if runs.id().is_none() {
            continue;
        }
        let output = runs.resume(&[]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "kill {time}: {}",
            said(&output)
        );
        assert_eq!(runs.verdicts(), expected, "kill {time}");
        assert_eq!(server.vaults(), Vec::<Value>::new(), "kill {time}");
    }
}

#[test]
fn a_killed_run_goes_on_to_the_verdicts_of_an_uninterrupted_one_and_leaves_nothing() {
    killed(3, SOME, Duration::from_millis(200));
}

#[test]
#[ignore = "takes minutes; the one above is its short form"]
fn fifty_killed_runs_go_on_to_the_verdicts_of_an_uninterrupted_one_and_leave_nothing() {
    killed(50, MORE, Duration::from_millis(600));
}

/// Waits until something is in the journal.
fn until_journalled(runs: &Runs, what: &str) {
    let there = || {
        runs.id().is_some()
            && std::fs::read_to_string(runs.journal()).is_ok_and(|text| text.contains(what))
    };
    let begun = Instant::now();
    while !there() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{what} was never journalled"
        );
        sleep(Duration::from_millis(10));
    }
}

fn slow() -> Reference {
    Reference::start(Options {
        job_delay: Duration::from_secs(3600),
        ..Options::default()
    })
}

#[test]
fn cleanup_removes_what_a_killed_run_left() {
    let (runs, server) = (Runs::new(), slow());
    let mut run = runs.start(&server.endpoint, &["-E", "op(GetJobOutput)"]);
    until_journalled(&runs, "\"kind\":\"job\"");
    while server.vaults().len() < 3 {
        sleep(Duration::from_millis(10));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert_ne!(server.vaults(), Vec::<Value>::new());
    server.service.clock().advance(Duration::from_secs(7200));
    let output = runs
        .command(&["cleanup", &runs.id().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(server.vaults(), Vec::<Value>::new());
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn ctrl_c_ends_with_130_and_leaves_nothing_behind() {
    let (runs, server) = (Runs::new(), slow());
    let run = runs.start(&server.endpoint, &["-E", "op(GetJobOutput)"]);
    until_journalled(&runs, "\"kind\":\"job\"");
    signal(&run, "-INT");
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains("INTERRUPTED"), "{}", said(&output));
    assert_eq!(server.vaults(), Vec::<Value>::new());
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let runs = Runs::new();
    // Nobody answers here, so that cleaning up takes longer than anybody would wait.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut run = runs.start(&endpoint, &["--request-timeout", "1h"]);
    until_journalled(&runs, "header");
    sleep(Duration::from_millis(500));
    signal(&run, "-INT");
    sleep(Duration::from_millis(500));
    signal(&run, "-INT");
    assert_eq!(run.wait().unwrap().code(), Some(130));
}

#[test]
fn a_run_whose_time_is_up_before_its_jobs_goes_on_another_day() {
    let (runs, server) = (Runs::new(), slow());
    let words = [
        "-E",
        "op(GetJobOutput)",
        "--no-reproduce",
        "--max-time",
        "6s",
    ];
    let output = runs.run(&server.endpoint, &words);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(
        said(&output).contains("wait for their jobs"),
        "{}",
        said(&output)
    );
    let id = runs.id().unwrap();
    let mut command = runs.command(&["run", "--resume", &id, "--max-time", "10m"]);
    let mut resumed = command.stdout(Stdio::null()).spawn().unwrap();
    let ended = loop {
        server.service.clock().advance(Duration::from_secs(3600));
        if let Some(ended) = resumed.try_wait().unwrap() {
            break ended;
        }
        sleep(Duration::from_millis(200));
    };
    assert!(matches!(ended.code(), Some(0 | 1)), "{ended}");
    assert!(
        runs.verdicts()
            .values()
            .any(|verdict| verdict == "\"conforms\"")
    );
}

#[test]
fn hours_long_jobs_are_waited_for_on_a_clock_that_runs_fast() {
    let server = Reference::start(Options {
        job_delay: Duration::from_secs(4 * 3600),
        time_scale: 7200.0,
        ..Options::default()
    });
    let runs = Runs::new();
    // Rules about dates are left out: at this speed a slow answer is minutes late.
    let some = ["-E", "id(GJO-STATUS-*) | id(GJO-RANGE-*)"];
    let output = runs.run(&server.endpoint, &some);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(server.vaults(), Vec::<Value>::new());
}

#[test]
fn the_built_in_server_cannot_be_gone_on_with() {
    let runs = Runs::new();
    let words = ["run", "-E", "topic(tags)", "-n", "0"];
    assert_eq!(
        runs.command(&words).output().unwrap().status.code(),
        Some(0)
    );
    let output = runs.resume(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("built-in reference server"));
}
