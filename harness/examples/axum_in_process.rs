//! A toy emulator in axum, judged in this process: no socket is opened. What it gets wrong stands in its baseline.
//!
//! `cargo run -p crevasse --example axum_in_process -- vaults::`

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use crevasse::conformance::Suite;
use serde_json::{Value, json};

const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/axum_in_process.yaml");

fn main() -> std::process::ExitCode {
    Suite::service(router).baseline(BASELINE).main()
}

/// Vaults by name, with the times they were made.
type Vaults = Arc<Mutex<BTreeMap<String, String>>>;

fn router() -> Router {
    Router::new()
        .route("/{account}/vaults", get(list))
        .route(
            "/{account}/vaults/{vault}",
            put(create).get(describe).delete(delete),
        )
        .with_state(Vaults::default())
}

async fn create(State(vaults): State<Vaults>, Path((_, name)): Path<(String, String)>) -> Response {
    let right = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if name.len() > 255 || !name.chars().all(right) {
        return refused(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            "Invalid vault name",
        );
    }
    let location = format!("/{ACCOUNT}/vaults/{name}");
    vaults
        .lock()
        .expect("no handler panics")
        .entry(name)
        .or_insert_with(|| "2012-02-20T17:01:45.198Z".to_owned());
    (
        StatusCode::CREATED,
        [(header::LOCATION, location), request_id()],
    )
        .into_response()
}

async fn describe(
    State(vaults): State<Vaults>,
    Path((_, name)): Path<(String, String)>,
) -> Response {
    let vaults = vaults.lock().expect("no handler panics");
    match vaults.get(&name) {
        Some(made) => document(StatusCode::OK, &description(&name, made)),
        None => refused(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            "Vault not found",
        ),
    }
}

async fn list(State(vaults): State<Vaults>) -> Response {
    let vaults = vaults.lock().expect("no handler panics");
    let all: Vec<Value> = vaults
        .iter()
        .map(|(name, made)| description(name, made))
        .collect();
    document(StatusCode::OK, &json!({"Marker": null, "VaultList": all}))
}

async fn delete(State(vaults): State<Vaults>, Path((_, name)): Path<(String, String)>) -> Response {
    vaults.lock().expect("no handler panics").remove(&name);
    (StatusCode::NO_CONTENT, [request_id()]).into_response()
}

const ACCOUNT: &str = "123456789012";

fn description(name: &str, made: &str) -> Value {
    json!({
        "VaultARN": format!("arn:aws:glacier:us-east-1:{ACCOUNT}:vaults/{name}"),
        "VaultName": name,
        "CreationDate": made,
        "LastInventoryDate": null,
        "NumberOfArchives": 0,
        "SizeInBytes": 0,
    })
}

fn document(status: StatusCode, value: &Value) -> Response {
    let json = (header::CONTENT_TYPE, "application/json".to_owned());
    (status, [json, request_id()], value.to_string()).into_response()
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    document(
        status,
        &json!({"code": code, "message": message, "type": "Client"}),
    )
}

fn request_id() -> (HeaderName, String) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    (
        HeaderName::from_static("x-amzn-requestid"),
        format!("toy-{number:012}"),
    )
}
