//! Runs that are killed, interrupted or out of time: they go on, end as uninterrupted ones do, and leave nothing behind.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crevasse_core::wire::{Body, Framing, Headers, Request};
use crevasse_reference::{Options, ServerHandle, Service, fault, serve};
use serde_json::Value;

use crate::command::{self, crevasse, said};

/// A reference server of this process.
pub(crate) struct Reference {
    service: Service,
    pub(crate) endpoint: String,
    _handle: ServerHandle,
    _runtime: tokio::runtime::Runtime,
}

impl Reference {
    pub(crate) fn start(options: Options) -> Self {
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
    pub(crate) fn vaults(&self) -> Vec<Value> {
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
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        facts
            .map(|facts| (text(&facts["id"]), text(&facts["verdict"])))
            .collect()
    }

    /// Those that do not depend on how busy this machine is.
    fn verdicts_at_any_speed(&self) -> BTreeMap<String, String> {
        let mut verdicts = self.verdicts();
        verdicts.retain(|id, verdict| {
            let depends = matches!(verdict.as_str(), "conforms" | "untested");
            !(depends && BEFORE_JOBS_ARE_DONE.contains(&id.as_str()))
        });
        verdicts
    }
}

const FAULT: &str = "archive-hash-linear";
/// Tags, uploads in parts and retrievals: what is made at once, what takes several requests, and what waits for jobs.
const SOME: [&str; 2] = [
    "-E",
    "topic(tags) | op(CompleteMultipartUpload) | op(GetJobOutput)",
];
/// What only a job still in progress shows. Where this machine is too busy to ask before the job is done, a run rightly leaves it
/// untested, killed or not.
const BEFORE_JOBS_ARE_DONE: [&str; 6] = [
    "DA-EFFECT-003",
    "DJ-AR-009",
    "DJ-FAIL-001",
    "GJO-STATE-001",
    "GJO-STATE-002",
    "GJO-STATE-003",
];

fn faulty() -> Reference {
    Reference::start(Options {
        faults: vec![fault::find(FAULT).unwrap()],
        job_delay: Duration::from_millis(200),
        ..Options::default()
    })
}

/// How long a run takes that nobody kills, and its verdicts.
fn uninterrupted() -> (Duration, BTreeMap<String, String>) {
    let (runs, server, begun) = (Runs::new(), faulty(), Instant::now());
    assert_eq!(runs.run(&server.endpoint, &SOME).status.code(), Some(1));
    let (takes, verdicts) = (begun.elapsed(), runs.verdicts_at_any_speed());
    assert!(verdicts.values().any(|verdict| verdict == "deviates"));
    (takes, verdicts)
}

/// Kills a run at one of many moments all over its time, and goes on with it.
fn killed(time: u32, (takes, expected): &(Duration, BTreeMap<String, String>)) {
    let (runs, server) = (Runs::new(), faulty());
    let mut run = runs.start(&server.endpoint, &SOME);
    // Multiples of the golden ratio lie all over a range, however many there are.
    sleep(takes.mul_f64((f64::from(time) * 0.618_034 + 0.1).fract()));
    run.kill().unwrap();
    run.wait().unwrap();
    let output = runs.resume(&[]);
    let code = output.status.code();
    assert_eq!(code, Some(1), "kill {time}: {}", said(&output));
    assert_eq!(&runs.verdicts_at_any_speed(), expected, "kill {time}");
    assert_eq!(server.vaults(), Vec::<Value>::new(), "kill {time}");
}

/// `CREVASSE_KILLS` asks for more of them.
#[test]
fn a_killed_run_goes_on_to_the_verdicts_of_an_uninterrupted_one_and_leaves_nothing() {
    let times = std::env::var("CREVASSE_KILLS").map_or(3, |times| times.parse().unwrap());
    let expected = uninterrupted();
    (0..times).for_each(|time| killed(time, &expected));
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
fn ctrl_c_or_a_closed_terminal_ends_a_run_with_130_and_leaves_nothing_behind() {
    for name in ["-INT", "-HUP"] {
        let (runs, server) = (Runs::new(), slow());
        let run = runs.start(&server.endpoint, &["-E", "op(GetJobOutput)"]);
        until_journalled(&runs, "\"kind\":\"job\"");
        signal(&run, name);
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", said(&output));
        assert!(said(&output).contains("INTERRUPTED"), "{}", said(&output));
        let id = runs.id().unwrap();
        for hint in [
            format!("run {id} · seed 1 · "),
            format!("--resume {id} --run-dir="),
        ] {
            assert!(said(&output).contains(&hint), "{}", said(&output));
        }
        assert_eq!(server.vaults(), Vec::<Value>::new());
    }
}

#[test]
fn a_full_disk_ends_a_run_that_goes_on_once_there_is_room() {
    let (runs, server) = (Runs::new(), Reference::start(Options::default()));
    // A limit on the size of files stands for the disk: once the signal is ignored, writing fails beyond it.
    let full = format!(
        "trap '' XFSZ; ulimit -f 512; exec {} run -E 'topic(tags)' --endpoint {} --run-dir {}",
        command::path(),
        server.endpoint,
        runs.0.path().display()
    );
    let output = Command::new("sh").args(["-c", &full]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("journal"), "{}", said(&output));
    let resumed = runs.resume(&[]);
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    assert_eq!(server.vaults(), Vec::<Value>::new());
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let runs = Runs::new();
    // Nobody answers here, so that cleaning up takes longer than anybody would wait.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut run = runs.start(&endpoint, &["--request-timeout", "1h"]);
    let _unanswered = silent.accept().unwrap();
    signal(&run, "-INT");
    let said = BufReader::new(run.stderr.take().unwrap()).lines();
    let mut said = said.map(Result::unwrap);
    assert!(said.any(|line| line.starts_with("interrupted")));
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
        "15s",
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
            .any(|verdict| verdict == "conforms")
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
