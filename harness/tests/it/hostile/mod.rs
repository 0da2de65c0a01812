//! A whole run against each hostile server: bounded, no fault of ours, and named for what it is.

mod server;
mod tricks;

use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::command::{self, crevasse, said};
use server::Hostile;
use tricks::{CASES, Case, ELSEWHERE, NEVER_GREEN, closing, redirect};

fn run(endpoint: &str, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    crevasse()
        .args(["run", "--endpoint", endpoint, "--request-timeout", "500ms"])
        .args(["-n", "0", "--color", "never", "--run-dir"])
        .arg(folder.path())
        .args(more)
        .output()
        .unwrap()
}

fn wrong(case: &Case) -> Option<String> {
    let server = Hostile::after(case.after, case.trick);
    let output = run(&server.endpoint, &["-E", "op(AddTagsToVault)"]);
    let (code, said) = (output.status.code(), said(&output));
    // What a target did before it fell silent may deviate or not: that depends on which requests it met.
    let late = case.after > 0 && code == Some(5);
    let unsettled = case.code == NEVER_GREEN && matches!(code, Some(1 | 5));
    let right = (code == Some(case.code) || late || unsettled)
        && said.contains(case.says)
        && !said.contains("fault of crevasse");
    (!right).then(|| format!("{}: ended {code:?} and said\n{said}\n", case.name))
}

#[test]
fn a_run_against_any_hostile_server_ends_and_says_what_it_met() {
    let halves = [0, 1].map(|half| {
        thread::spawn(move || {
            let cases = CASES
                .iter()
                .enumerate()
                .filter(|(place, _)| place % 2 == half);
            cases
                .filter_map(|(_, case)| wrong(case))
                .collect::<Vec<_>>()
        })
    });
    let wrong: Vec<String> = halves
        .into_iter()
        .flat_map(|half| half.join().unwrap())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_redirect_elsewhere_is_not_followed() {
    let elsewhere = Hostile::after(usize::MAX, server::honest);
    ELSEWHERE.set(elsewhere.endpoint.clone()).unwrap();
    let server = Hostile::after(0, redirect);
    let output = run(&server.endpoint, &["-E", "op(AddTagsToVault)"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(server.requests.load(Ordering::SeqCst) > 0);
    assert_eq!(elsewhere.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn proxies_of_the_environment_are_used_when_asked_for_and_never_else() {
    let proxy = Hostile::after(0, closing);
    let asked = [(&[][..], false), (&["--proxy-from-env"][..], true)];
    for (words, used) in asked {
        let folder = tempfile::tempdir().unwrap();
        let mut command = crevasse();
        command
            .args(["run", "--endpoint", "http://127.0.0.1:9", "--run-dir"])
            .arg(folder.path())
            .args(words)
            .env("http_proxy", &proxy.endpoint)
            .env_remove("no_proxy")
            .env_remove("NO_PROXY");
        assert_eq!(command.output().unwrap().status.code(), Some(6));
        assert_eq!(proxy.requests.load(Ordering::SeqCst) > 0, used);
    }
}

/// What a run with default options makes of a server: a row of a table, and its peak in MiB.
fn measured(case: &Case) -> (String, u64) {
    let server = Hostile::after(case.after, case.trick);
    let (folder, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%M KiB", &command::path(), "run", "-q"])
        .args(["--endpoint", &server.endpoint, "--run-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    let (seconds, said) = (begun.elapsed().as_secs_f64(), said(&output));
    let memory = said.lines().find_map(|line| line.strip_suffix(" KiB"));
    let mib = memory.unwrap().parse::<u64>().unwrap() >> 10;
    let first = said.lines().next().unwrap_or_default();
    let code = output.status.code().unwrap_or(-1);
    let name = case.name;
    let row = format!("| {name} | {first} | {code} | {seconds:.1} | {mib} |");
    (row, mib)
}

/// With `CREVASSE` naming a command: what it makes of each server with its default options, in how many seconds and MiB.
#[test]
#[ignore = "takes minutes; it measures, and asserts memory alone"]
fn no_hostile_server_takes_more_than_128_mib() {
    let next = AtomicUsize::new(0);
    let measure = || {
        let mut over = Vec::new();
        while let Some(case) = CASES.get(next.fetch_add(1, Ordering::SeqCst)) {
            let (row, mib) = measured(case);
            println!("{row}");
            over.extend((mib >= 128).then_some(case.name));
        }
        over
    };
    let over = thread::scope(|scope| {
        let halves = [scope.spawn(measure), scope.spawn(measure)];
        halves.map(|half| half.join().unwrap()).concat()
    });
    assert!(over.is_empty(), "{over:?}");
}
