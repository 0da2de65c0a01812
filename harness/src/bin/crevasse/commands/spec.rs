//! `crevasse spec`: what a document defines, gets wrong and cannot express.

use std::path::Path;

use anyhow::Context;
use crevasse::exit;
use crevasse_core::spec::{self, BodyKind, Operation, Severity, Spec as Loaded};
use serde_json::json;

use super::{failed, read};
use crate::args::{Format, Spec, SpecCommand, SpecFile};
use crate::text::wrap;

/// The rule that a link breaks whose document is not at hand.
const UNRESOLVED: &str = "link-unresolved";

pub(crate) fn run(args: &Spec) -> anyhow::Result<u8> {
    match &args.command {
        SpecCommand::Lint(file) => lint(file),
        SpecCommand::Show(file) => show(file),
    }
}

/// Finds linked documents in a folder by the last segment of their links. A name from a document never becomes a path out of it.
pub(crate) fn resolver(dir: Option<&Path>) -> impl Fn(&str) -> Option<String> {
    let dir = dir.map(Path::to_path_buf);
    move |segment: &str| {
        let plain =
            !segment.is_empty() && !segment.contains(['/', '\\']) && !segment.starts_with('.');
        let path = dir.as_ref().filter(|_| plain)?.join(segment);
        std::fs::read_to_string(path).ok()
    }
}

/// Loads what `--spec` names: a folder or a document of the project's own kind strictly, anything else leniently.
pub(crate) fn load(path: &Path, dir: Option<&Path>) -> anyhow::Result<Loaded> {
    if path.is_dir() {
        let file = path.join("openapi.yaml");
        return Loaded::parse_strict(&read(&file)?)
            .with_context(|| format!("failed to load {}", file.display()));
    }
    let loaded = Loaded::load_foreign(&name_of(path), &read(path)?, &resolver(dir));
    loaded.with_context(|| format!("failed to load {}", path.display()))
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn lint(args: &SpecFile) -> anyhow::Result<u8> {
    let (name, text) = match &args.file {
        Some(path) => (name_of(path), read(path)?),
        None => (
            "the built-in specification".to_owned(),
            spec::BUILTIN.to_owned(),
        ),
    };
    let report = spec::lint(&name, &text, &resolver(args.spec_dir.as_deref())).map_err(failed)?;
    if args.format == Format::Json {
        putln!("{:#}", json!(report));
        return Ok(exit::AS_EXPECTED);
    }
    putln!(
        "{name}: {}",
        json!(report.format).as_str().unwrap_or_default()
    );
    putln!("\ndefines {} of 33 operations", report.defines.len());
    for definition in &report.defines {
        putln!(
            "  {:<28} {}:{}",
            definition.operation,
            definition.document,
            definition.line
        );
    }
    for (severity, title) in [
        (Severity::Wrong, "wrong"),
        (Severity::Silent, "silent where the service is not"),
        (Severity::Ignored, "ignored"),
    ] {
        let notes: Vec<_> = report.of(severity).collect();
        if !notes.is_empty() {
            putln!("\n{title} ({})", notes.len());
        }
        notes.iter().for_each(|note| {
            putln!(
                "  {}:{}: {} [{}]",
                note.document,
                note.line,
                crevasse::report::printable(&note.text),
                note.rule
            );
        });
    }
    if args.spec_dir.is_none() && report.notes.iter().any(|note| note.rule == UNRESOLVED) {
        putln!("\n--spec-dir DIR says where the documents that an index links to are found");
    }
    putln!("\ncannot express");
    report
        .inexpressible
        .iter()
        .for_each(|what| putln!("{}", wrap(what, 2)));
    Ok(exit::AS_EXPECTED)
}

fn show(args: &SpecFile) -> anyhow::Result<u8> {
    let foreign = args
        .file
        .as_deref()
        .map(|path| load(path, args.spec_dir.as_deref()))
        .transpose()?;
    let loaded = foreign.as_ref().unwrap_or_else(|| Loaded::builtin());
    if args.format == Format::Json {
        putln!(
            "{:#}",
            loaded
                .operations
                .values()
                .map(described)
                .collect::<serde_json::Value>()
        );
        return Ok(exit::AS_EXPECTED);
    }
    putln!(
        "{} ({} operations, {})",
        loaded.name,
        loaded.operations.len(),
        loaded.digest
    );
    for operation in loaded.operations.values() {
        putln!(
            "\n{}  {} {}  -> {}",
            operation.name,
            operation.method,
            operation.uri,
            operation.success_status
        );
        for parameter in &operation.parameters {
            let required = if parameter.required {
                "required"
            } else {
                "optional"
            };
            putln!(
                "  {:<7} {:<28} {required}",
                format!("{:?}", parameter.location).to_lowercase(),
                parameter.name
            );
        }
        putln!("  body    {}", kind(&operation.request_body));
        for header in &operation.response_headers {
            putln!(
                "  answers {:<28} {}",
                header.name,
                header.when.as_deref().unwrap_or("always")
            );
        }
        putln!("  answers {}", kind(&operation.response_body));
        let errors: Vec<String> = operation
            .errors
            .iter()
            .map(|(code, statuses)| format!("{code} {statuses:?}"))
            .collect();
        putln!("{}", wrap(&format!("errors {}", errors.join(", ")), 2));
    }
    Ok(exit::AS_EXPECTED)
}

fn kind(body: &BodyKind) -> &'static str {
    match body {
        BodyKind::None => "no body",
        BodyKind::Binary => "bytes",
        BodyKind::Json(_) => "a JSON document",
        BodyKind::JobOutput(_) => "the output of a job",
    }
}

fn described(operation: &Operation) -> serde_json::Value {
    let parameters = operation.parameters.iter().map(|parameter| {
        json!({"name": parameter.name, "in": format!("{:?}", parameter.location).to_lowercase(), "required": parameter.required})
    });
    json!({
        "name": operation.name,
        "method": operation.method,
        "uri": operation.uri.to_string(),
        "success_status": operation.success_status,
        "parameters": parameters.collect::<Vec<_>>(),
        "request_body": kind(&operation.request_body),
        "response_body": kind(&operation.response_body),
        "response_headers": operation.response_headers.iter().map(|header| header.name.clone()).collect::<Vec<_>>(),
        "errors": operation.errors,
    })
}
