//! The command's reports, from outside: live and from the journal, of whole runs and of damaged journals, and of a target that means harm.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

/// The keys the tests sign with. None of them may turn up anywhere.
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAQWERTYUIOPASDFGH"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "cK7/verySecretAccessKey+0123456789abcdef",
    ),
    (
        "AWS_SESSION_TOKEN",
        "FwoGZXIvYXdz//sessionTokenOfTheTests+/8=",
    ),
];

fn crevasse(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crevasse"))
        .args(args)
        .envs(KEYS)
        .output()
        .expect("the command can be started")
}

/// The reference server with a fault, as a process that ends with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn with(fault: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_crevasse"))
            .args(["serve", "--fault", fault])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command can be started");
        let mut address = String::new();
        let output = process.stdout.take().expect("standard output is piped");
        BufReader::new(output)
            .read_line(&mut address)
            .expect("the server says where it is");
        Self {
            process,
            address: address.trim().to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A run that is over: its folder and what it wrote.
struct Recorded {
    runs: tempfile::TempDir,
    output: Output,
}

impl Recorded {
    fn of(endpoint: &str, more: &[&str]) -> Self {
        let runs = tempfile::tempdir().expect("a folder can be made");
        let (folder, live) = (runs.path().display().to_string(), runs.path().join("live"));
        let live = live.display().to_string();
        let mut args = vec!["run", "--endpoint", endpoint, "--seed", "1"];
        args.extend(["--run-dir", &folder, "--report-dir", &live]);
        args.extend(more);
        let output = crevasse(&args);
        Self { runs, output }
    }

    /// The folder of the run.
    fn folder(&self) -> PathBuf {
        let id = fs::read_to_string(self.runs.path().join("latest")).expect("the run is noted");
        self.runs.path().join(id)
    }

    fn journal(&self) -> String {
        fs::read_to_string(self.folder().join("journal.jsonl")).expect("there is a journal")
    }

    /// Renders all formats from a journal with this text.
    fn rendered(&self, journal: &str, name: &str) -> (PathBuf, Output) {
        let (file, reports) = (self.runs.path().join(format!("{name}.jsonl")), name);
        fs::write(&file, journal).expect("a file can be written");
        let reports = self.runs.path().join(reports);
        let output = crevasse(&[
            "report",
            &file.display().to_string(),
            "--report-dir",
            &reports.display().to_string(),
        ]);
        (reports, output)
    }
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.is_file())
        .map(|path| {
            let bytes = fs::read(&path).expect("a file can be read");
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                bytes,
            )
        })
        .collect();
    files.sort();
    files
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_journal_gives_the_reports_of_the_live_run_byte_for_byte() {
    let server = Server::with("upload-hash-not-compared");
    let run = Recorded::of(&server.address, &["-n", "2", "-E", "op(UploadArchive)"]);
    assert_eq!(run.output.status.code(), Some(1), "{}", stderr(&run.output));
    let (again, output) = run.rendered(&run.journal(), "again");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(output.stdout, run.output.stdout, "the terminal too");
    let (live, again) = (files(&run.runs.path().join("live")), files(&again));
    assert_eq!(live.len(), 7);
    for ((name, live), (_, again)) in live.iter().zip(&again) {
        assert!(live == again, "{name} differs");
    }

    let journal = run.journal();
    let cut = &journal[..journal.len() / 2];
    let (reports, output) = run.rendered(cut, "cut");
    assert_eq!(output.status.code(), Some(5));
    let said = stderr(&output);
    assert!(
        said.contains("the journal stops before the run ended; "),
        "{said}"
    );
    assert!(said.contains("judged cases could be read"), "{said}");
    let report = fs::read_to_string(reports.join("report.json")).unwrap();
    assert!(report.contains("\"verdict\": \"incomplete\"") || report.contains("\"deviates\""));
    assert!(report.contains("\"complete\": false"));

    let mut lines: Vec<&str> = journal.lines().collect();
    lines[9] = "{\"event\":{\"leak\":";
    let (_, output) = run.rendered(&lines.join("\n"), "broken");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("read line 10 of the journal"), "{said}");
    assert!(
        said.contains("; 9 lines with 0 judged cases could be read"),
        "{said}"
    );

    let (_, output) = run.rendered("not a journal\n", "other");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the first line is not that of crevasse.journal/1"));
}

#[test]
fn the_line_that_a_finding_ends_with_plays_it_again_as_it_stands() {
    let server = Server::with("upload-hash-not-compared");
    let run = Recorded::of(&server.address, &["-n", "0", "-E", "UA-HASH-*"]);
    let printed = String::from_utf8_lossy(&run.output.stdout).into_owned();
    let line = printed.lines().find_map(|line| line.split_once("again"));
    let line = line.expect("a finding says how to see it again").1;
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    assert!(words.contains(&server.address.as_str()), "{line}");
    let again = crevasse(&words);
    assert_eq!(again.status.code(), Some(1), "{line}: {}", stderr(&again));

    let report = run.runs.path().join("live/report.json");
    let words = ["replay", "C1", "--from", &report.display().to_string()];
    let by_report = crevasse(&words);
    let said = String::from_utf8_lossy(&by_report.stdout).into_owned();
    assert_eq!(by_report.status.code(), Some(1), "{said}");
    assert!(said.starts_with(&format!("asked: {}\n", server.address)));
    drop(server);
    let gone = crevasse(&words);
    assert_eq!(gone.status.code(), Some(6), "{}", stderr(&gone));
    assert!(stderr(&gone).contains("--endpoint says where it is now"));
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_asked() {
    let server = Server::with("upload-hash-not-compared");
    let run = Recorded::of(&server.address, &["--report", "html=/nonexistent/x.html"]);
    assert_eq!(run.output.status.code(), Some(2));
    assert!(stderr(&run.output).contains("failed to write /nonexistent/x.html"));
    assert!(!run.runs.path().join("latest").exists());
}

/// Changes a report as JSON and writes it beside the others.
fn altered(folder: &Path, name: &str, change: impl Fn(&mut serde_json::Value)) -> String {
    let text = fs::read_to_string(folder.join("report.json")).expect("there is a report");
    let mut report = serde_json::from_str(&text).expect("a report is JSON");
    change(&mut report);
    let file = folder.join(name);
    fs::write(&file, report.to_string()).expect("a file can be written");
    file.display().to_string()
}

#[test]
fn a_comparison_fails_on_what_became_worse_and_names_what_it_cannot_compare() {
    let server = Server::with("upload-hash-not-compared");
    let run = Recorded::of(&server.address, &["-n", "0", "-E", "UA-HASH-*"]);
    let live = run.runs.path().join("live");
    let report = live.join("report.json").display().to_string();
    let folder = run.folder().display().to_string();
    let same = crevasse(&["compare", &report, &folder]);
    assert_eq!(same.status.code(), Some(0), "{}", stderr(&same));

    let better = altered(&live, "better.json", |report| {
        for facts in report["requirements"].as_array_mut().expect("a list") {
            facts["verdict"] = "conforms".into();
        }
    });
    let worse = crevasse(&["compare", &better, &report]);
    assert_eq!(worse.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&worse.stdout).contains("regressions"));
    assert_eq!(
        crevasse(&["compare", &report, &better]).status.code(),
        Some(0)
    );

    let other = altered(&live, "other.json", |report| {
        report["spec"]["registry"] = "sha256:another".into();
        report["requirements"]
            .as_array_mut()
            .expect("a list")
            .remove(0);
    });
    let partly = crevasse(&["compare", &report, &other]);
    let said = String::from_utf8_lossy(&partly.stdout).into_owned();
    assert!(said.contains("requirement registries differ"), "{said}");
    assert!(
        said.contains("not compared, since not in every report: UA-HASH-001"),
        "{said}"
    );

    let nothing = altered(&live, "nothing.json", |report| {
        report["requirements"] = serde_json::json!([]);
    });
    let refused = crevasse(&["compare", &report, &nothing]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("no requirement is in all of them"));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_crevasse"))
        .args(["list", "requirements"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    drop(process.stdout.take());
    let mut said = String::new();
    let mut errors = process.stderr.take().expect("standard error is piped");
    errors.read_to_string(&mut said).expect("text is written");
    let ended = process.wait().expect("the command ends");
    assert_eq!((ended.code(), said.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_said_once_and_ends_with_2() {
    let full = fs::File::create("/dev/full").expect("Linux has one");
    let output = Command::new(env!("CARGO_BIN_EXE_crevasse"))
        .args(["list", "faults"])
        .stdout(full)
        .output()
        .expect("the command can be started");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// What a hostile target mixes into its answers.
const HARM: &str = "</pre></script><script>alert(1)</script>\u{1b}[2J\u{9b}31m\u{7}\u{202e}\u{fffe} ]]> & \"' | ` \u{0}";

/// Answers every request with everything it was sent, and with what may harm a reader; the signatures it saw are kept.
struct Hostile {
    address: String,
    signatures: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let signatures = Arc::default();
        let seen = Arc::clone(&signatures);
        std::thread::spawn(move || {
            for (turn, stream) in listener.incoming().flatten().enumerate() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || answer(stream, turn, &seen));
            }
        });
        Self {
            address,
            signatures,
        }
    }
}

/// One answer a connection. A client that hangs up early is nobody's concern.
fn answer(mut stream: TcpStream, turn: usize, seen: &Mutex<Vec<String>>) {
    let head = head(&mut stream);
    let signature = head.split("Signature=").nth(1).map(|rest| &rest[..64]);
    seen.lock().unwrap().extend(signature.map(str::to_owned));
    let echo: String = head.replace(['\r', '\n'], " ").replace('"', "");
    let mut body =
        serde_json::json!({"code": HARM, "message": echo, "type": "Client", "VaultList": HARM})
            .to_string()
            .into_bytes();
    body.extend_from_slice(b"\xff\xfe\x00");
    let status = ["200 OK", "201 Created", "400 Bad Request", "404 Not Found"][turn % 4];
    let long = if turn % 40 == 7 { 10 << 20 } else { 0 };
    let mut reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nx-echo: {echo}\r\nLocation: /1/vaults/<script>alert(2)</script>\r\nx-long: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        "x".repeat(long),
        body.len()
    )
    .into_bytes();
    reply.extend(body);
    let _ = stream.write_all(&reply);
}

fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut block) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(count) => head.extend_from_slice(&block[..count]),
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

#[test]
fn a_target_that_means_harm_gets_no_secret_and_no_command_into_any_output() {
    let hostile = Hostile::start();
    let run = Recorded::of(
        &hostile.address,
        &[
            "-n",
            "1",
            "-E",
            "op(CreateVault) | op(ListVaults)",
            "--color",
            "never",
        ],
    );
    let live = run.runs.path().join("live");
    let mut outputs = files(&live);
    assert_eq!(outputs.len(), 7, "{}", stderr(&run.output));
    let matrix = |format: &str| {
        format!(
            "{format}={}",
            live.join(format!("matrix.{format}")).display()
        )
    };
    let report = live.join("report.json").display().to_string();
    let compared = crevasse(&[
        "compare",
        &report,
        &report,
        "--report",
        &matrix("json"),
        "--report",
        &matrix("markdown"),
        "--report",
        &matrix("html"),
    ]);
    outputs = files(&live);
    outputs.extend(files(&run.folder()));
    outputs.push(("the terminal".to_owned(), run.output.stdout));
    outputs.push(("the errors".to_owned(), run.output.stderr));
    outputs.push(("the comparison".to_owned(), compared.stdout));

    let signatures = hostile.signatures.lock().unwrap();
    assert!(
        signatures.len() > 10,
        "{} requests were signed",
        signatures.len()
    );
    let secrets: Vec<&str> = KEYS
        .iter()
        .map(|(_, key)| *key)
        .chain(signatures.iter().map(String::as_str))
        .collect();
    for (name, bytes) in &outputs {
        let text = String::from_utf8(bytes.clone()).expect("reports are UTF-8");
        for secret in &secrets {
            assert!(!text.contains(secret), "{name} tells {secret}");
        }
        let raw = |c: char| c.is_control() && !matches!(c, '\n' | '\t') && u32::from(c) < 0x80;
        assert_eq!(text.chars().find(|c| raw(*c)), None, "{name}");
        if !name.contains("json") {
            let hidden = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{202e}' | '\u{fffe}');
            assert_eq!(text.chars().find(|c| hidden(*c)), None, "{name}");
        }
        // What stands between fences is text already.
        let text = match name.ends_with("md") || name.ends_with("markdown") {
            true => text.split("```").step_by(2).collect(),
            false => text,
        };
        let markup = ["html", "xml", "svg", "md", "markdown"];
        if markup.iter().any(|end| name.ends_with(end)) {
            assert!(!text.contains("<script>alert"), "{name}");
        }
    }
}
