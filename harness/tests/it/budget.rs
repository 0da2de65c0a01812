//! What somebody pays who tests their own server with the library: the crates of a build without default features.

use std::collections::BTreeSet;
use std::process::Command;

/// How many crates there may be, our own three included. Raise it only with a reason in the table of dependencies.
const CRATES: usize = 120;

/// The crates that a user of the library builds.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let arguments = [
        "tree",
        "--package=crevasse",
        "--no-default-features",
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
        "--locked",
    ];
    let tree = Command::new(env!("CARGO"))
        .args(arguments)
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let told = String::from_utf8(tree.stderr).expect("cargo speaks UTF-8");
    assert!(tree.status.success(), "{told}");
    let text = String::from_utf8(tree.stdout).expect("cargo speaks UTF-8");
    let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
    text.lines().filter_map(name).collect()
}

#[test]
fn users_of_the_library_build_no_argument_parser_no_templates_and_no_tls() {
    let built = crates(&[]);
    assert!(built.contains("crevasse-core"), "{built:?}");
    for unwanted in [
        "anyhow",
        "axum",
        "clap",
        "clap_builder",
        "indicatif",
        "minijinja",
        "quick-junit",
        "rustls",
        "native-tls",
        "openssl-sys",
        "ring",
        "aws-lc-rs",
    ] {
        assert!(!built.contains(unwanted), "{unwanted} is built");
    }
    assert!(built.len() <= CRATES, "{} crates: {built:?}", built.len());
}

#[test]
fn tls_is_there_for_those_who_ask() {
    assert!(crates(&["--features=tls"]).contains("rustls"));
}
