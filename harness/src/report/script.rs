//! Reproduction as a POSIX script: fresh resources, ids captured from the replies, jobs polled, expected shown beside got.
//! What curl cannot say or sign (raw framing, concurrency, wrong signatures) gets no script.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use crevasse_core::check::{Group, Record};
use crevasse_core::payload::{Content, Payload};
use crevasse_core::scenario::{Action, Signing};
use crevasse_core::sigv4::Credentials;
use crevasse_core::wire::{Body, Framing, Request};

/// What a script says it is about.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The requirement and what is wrong.
    pub title: &'a str,
    /// What the rule demands.
    pub expected: &'a str,
    /// What came when it was found.
    pub got: &'a str,
}

/// Writes the requests of a case as a script; `None` when curl cannot send them.
pub fn script(records: &[Record], claim: Claim<'_>) -> Option<Vec<String>> {
    let sendable = records.iter().all(curl_can_send);
    let any = records.iter().any(|record| record.exchange.is_some());
    (sendable && any).then(|| Script::default().write(records, claim))
}

fn curl_can_send(record: &Record) -> bool {
    let concurrent = matches!(record.group, Some(Group::Together | Group::During));
    let tweak = &record.tweak;
    let plain = tweak.framing == Framing::Plain
        && tweak.signing == Signing::Right
        && tweak.region.is_none();
    !concurrent
        && plain
        && record
            .exchange
            .as_ref()
            .is_none_or(|exchange| describable(&exchange.request.body))
}

fn describable(body: &Body) -> bool {
    !matches!(body, Body::Content(content) if commands(content).is_none())
}

/// What runs sign with on loopback where the environment has no keys: a server may go by the signature without verifying it.
fn keys() -> String {
    let Credentials {
        access_key_id,
        secret_access_key,
        ..
    } = Credentials::nobodys();
    format!(
        ": \"${{AWS_ACCESS_KEY_ID:={access_key_id}}}\" \"${{AWS_SECRET_ACCESS_KEY:={secret_access_key}}}\""
    )
}

const PROLOGUE: &str = r#"set -eu
ENDPOINT=${1:-${AWS_ENDPOINT_URL:-http://127.0.0.1:5000}}
RUN=crevasse-repro-$$
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
call() { # METHOD TARGET [curl options]: the reply's head goes to $WORK/head, its body to $WORK/body
  method=$1; target=$2; shift 2
  if [ -n "${AWS_ACCESS_KEY_ID:-}" ]; then
    set -- --aws-sigv4 "aws:amz:${AWS_REGION:-us-east-1}:glacier" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"
    [ -z "${AWS_SESSION_TOKEN:-}" ] || set -- -H "x-amz-security-token: $AWS_SESSION_TOKEN" "$@"
  fi
  : > "$WORK/head"; : > "$WORK/body"
  curl -sS -g --path-as-is -X "$method" -D "$WORK/head" -o "$WORK/body" -H 'Expect:' "$@" "$ENDPOINT$target" || echo "curl: no complete answer"
}
encoded() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' '%'; }
header() { awk -v name="$1" '{ sub(/\r$/, "") } tolower($1) == name ":" { print $2; exit }' "$WORK/head"; }
show() { # without what a terminal would obey
  { cat "$WORK/head"; head -c 600 "$WORK/body"; } | LC_ALL=C tr -d '\000-\010\013-\037\177'; echo; echo "($(wc -c < "$WORK/body") bytes)"
}"#;

#[derive(Default)]
struct Script {
    lines: Vec<String>,
    /// What the target called things when the case ran, and the shell variable that takes its place.
    names: Vec<(String, String)>,
    bodies: usize,
}

impl Script {
    fn write(mut self, records: &[Record], claim: Claim<'_>) -> Vec<String> {
        self.lines.push("#!/bin/sh".to_owned());
        self.lines.push(format!("# {}", one_line(claim.title)));
        self.lines.extend(PROLOGUE.lines().map(str::to_owned));
        if records.iter().any(is_signed) {
            self.lines.push(keys());
        }
        let mut polled = BTreeSet::new();
        let last = records
            .iter()
            .rposition(|record| record.exchange.is_some())
            .unwrap_or_default();
        for (index, record) in records.iter().enumerate().take(last + 1) {
            let Some(exchange) = &record.exchange else {
                continue;
            };
            self.learn_vault(record);
            if record.group == Some(Group::Await) && index != last {
                if polled.insert(record.step) {
                    self.poll(&exchange.request);
                }
                continue;
            }
            self.request(&exchange.request);
            self.capture(record);
        }
        self.lines.push("show".to_owned());
        self.lines.push(format!(
            "echo {}",
            quoted(&format!("expected: {}", one_line(claim.expected)))
        ));
        self.lines.push(format!(
            "echo {}",
            quoted(&format!("got when it was found: {}", one_line(claim.got)))
        ));
        self.clean_up(records);
        self.lines
    }

    /// Fresh vaults get names of this script's run; literal names stay as they are.
    fn learn_vault(&mut self, record: &Record) {
        let Some(handle) = record.action.vault().map(ToString::to_string) else {
            return;
        };
        let Some(name) = record.bindings.get(&format!("vault:{handle}")) else {
            return;
        };
        if handle.starts_with('=') || self.names.iter().any(|(known, _)| known == name) {
            return;
        }
        let variable = variable("VAULT", &handle);
        let suffix: String = name.rsplit('-').next().unwrap_or("v").to_owned();
        let fresh = if name.len() < 60 {
            format!("\"$RUN-{}\"", one_word(&suffix))
        } else {
            quoted(name)
        };
        self.lines.push(format!("{variable}={fresh}"));
        self.names.push((name.clone(), variable));
    }

    fn request(&mut self, request: &Request) {
        let options = self.options(request);
        let target = self.target(request);
        self.lines
            .push(format!("call {} {target}{options}", request.method));
    }

    fn options(&mut self, request: &Request) -> String {
        let mut options = String::new();
        let telling = |(name, value): &(&str, &str)| is_telling(name, value);
        for (name, value) in request.headers.iter().filter(telling) {
            let value = if value.is_empty() {
                format!("{name};")
            } else {
                format!("{name}: {value}")
            };
            options += &format!(" -H \"{}\"", literal(&value));
        }
        // What curl would add by itself to a body of its command line.
        let untyped = request.headers.value("content-type").is_none();
        if untyped && request.method != "GET" && !matches!(request.body, Body::Content(_)) {
            options += " -H 'Content-Type:'";
        }
        match &request.body {
            Body::Empty if matches!(request.method.as_str(), "PUT" | "POST") => {
                options + " --data-binary ''"
            }
            Body::Empty => options,
            Body::Text(text) => options + &format!(" --data-binary {}", self.document(text)),
            Body::Content(content) => {
                let file = self.body_file(content);
                options + &format!(" -T {file}")
            }
        }
    }

    fn body_file(&mut self, content: &Content) -> String {
        self.bodies += 1;
        let file = format!("\"$WORK/body{}\"", self.bodies);
        let made = commands(content).unwrap_or_default();
        self.lines.push(format!(
            "{{ {}; }} > {file}",
            if made.is_empty() {
                ":".to_owned()
            } else {
                made.join("; ")
            }
        ));
        file
    }

    /// Remembers the id that a reply gave, under the name of its handle.
    fn capture(&mut self, record: &Record) {
        let Some(response) = record
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.reply.response())
        else {
            return;
        };
        let (kind, handle, header) = match &record.action {
            Action::UploadArchive { archive, .. }
            | Action::CompleteMultipartUpload { archive, .. } => {
                ("ARCHIVE", archive, "x-amz-archive-id")
            }
            Action::InitiateMultipartUpload { upload, .. } => {
                ("UPLOAD", upload, "x-amz-multipart-upload-id")
            }
            Action::InitiateJob { job, .. } => ("JOB", job, "x-amz-job-id"),
            Action::InitiateVaultLock { lock, .. } => ("LOCK", lock, "x-amz-lock-id"),
            _ => return,
        };
        if let Some(id) = response.headers.value(header).filter(|id| !id.is_empty()) {
            let variable = variable(kind, handle);
            self.lines.push(format!("{variable}=$(header {header})"));
            self.names.retain(|(known, _)| known != id);
            self.names.push((id.to_owned(), variable));
        }
    }

    fn poll(&mut self, request: &Request) {
        let options = self.options(request);
        let target = self.target(request);
        let call = format!("call {} {target}{options}", request.method);
        self.lines.push(format!(
            "tries=0; until {call}; grep -q '\"Completed\": *true' \"$WORK/body\" || [ $tries -ge 120 ]; do tries=$((tries + 1)); sleep 1; done"
        ));
    }

    fn clean_up(&mut self, records: &[Record]) {
        let version = "-H 'x-amz-glacier-version: 2012-06-01'";
        let made = |kind: &str, names: &[(String, String)]| -> Vec<String> {
            names
                .iter()
                .map(|(_, variable)| variable.clone())
                .filter(|variable| variable.starts_with(kind))
                .collect()
        };
        let vaults = made("VAULT", &self.names);
        let creates = records
            .iter()
            .any(|record| matches!(record.action, Action::CreateVault { .. }));
        if !creates {
            return;
        }
        for vault in vaults {
            for archive in made("ARCHIVE", &self.names) {
                self.lines.push(format!(
                    "call DELETE \"/-/vaults/${vault}/archives/${archive}\" {version} > /dev/null"
                ));
            }
            self.lines.push(format!(
                "call DELETE \"/-/vaults/${vault}\" {version} > /dev/null"
            ));
        }
    }

    /// Path and query as one shell word. Segments and values that are names of the run become variables.
    fn target(&self, request: &Request) -> String {
        word(&request.target(), &['/', '?', '&', '='], |token| {
            let told = percent_decode_str(token).decode_utf8_lossy();
            let variable = self.variable_of(&told)?;
            Some(match told == token {
                true => format!("${{{variable}}}"),
                false => format!("$(encoded \"${variable}\")"),
            })
        })
    }

    /// A body as one shell word. Strings that are names of the run become variables.
    fn document(&self, text: &str) -> String {
        word(text, &['"'], |token| {
            let variable = self.variable_of(token)?;
            Some(format!("${{{variable}}}"))
        })
    }

    fn variable_of(&self, name: &str) -> Option<&str> {
        let known = self.names.iter().find(|(known, _)| known == name);
        known.map(|(_, variable)| variable.as_str())
    }
}

/// A text as one shell word. What stands between these characters may be put in otherwise; everything else is said as it is.
fn word(text: &str, between: &[char], put_in: impl Fn(&str) -> Option<String>) -> String {
    let mut word = String::from('"');
    for piece in text.split_inclusive(between) {
        let token = piece.strip_suffix(between).unwrap_or(piece);
        word += &put_in(token).unwrap_or_else(|| literal(token));
        word += &literal(&piece[token.len()..]);
    }
    word + "\""
}

/// A text as it stands inside of double quotes.
fn literal(text: &str) -> String {
    let mut told = String::new();
    for c in text.chars() {
        if matches!(c, '"' | '$' | '`' | '\\') {
            told.push('\\');
        }
        told.push(c);
    }
    told
}

fn is_signed(record: &Record) -> bool {
    let exchange = record.exchange.as_ref();
    exchange.is_some_and(|exchange| exchange.request.headers.value("authorization").is_some())
}

/// Whether a header carries meaning; the others are curl's business. That of the host only where it is a name: otherwise it is the endpoint's.
fn is_telling(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name == "host" {
        return !value.starts_with(|c: char| c.is_ascii_digit() || c == '[')
            && !value.starts_with("localhost");
    }
    !matches!(
        name.as_str(),
        "authorization"
            | "x-amz-date"
            | "x-amz-security-token"
            | "content-length"
            | "user-agent"
            | "accept"
            | "date"
    )
}

/// Commands that write a content: `None` when one of its payloads has no command.
fn commands(content: &Content) -> Option<Vec<String>> {
    content
        .segments()
        .map(|(payload, range)| {
            let seed = match payload {
                Payload::Generated { seed, .. } => seed.to_string(),
                Payload::Pattern { .. } => "pattern".to_owned(),
                Payload::Zeros { .. } => "zeros".to_owned(),
                Payload::Text(text) => {
                    return (!text.contains('\0')).then(|| format!("printf %s {}", quoted(&text)));
                }
                Payload::Bytes(bytes) if bytes.len() <= 4096 => {
                    let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
                    return Some(format!("printf {}", quoted(&octal)));
                }
                Payload::Bytes(_) => return None,
            };
            Some(format!(
                "crevasse payload {seed} {} --range {range}",
                range.end
            ))
        })
        .collect()
}

fn variable(kind: &str, handle: &str) -> String {
    format!("{kind}_{}", one_word(handle).replace(['-', '.'], "_"))
}

fn one_word(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn one_line(text: &str) -> String {
    super::printable(text).replace('\n', " ")
}

/// A text as one shell word in single quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script that knows an archive by this id.
    fn knowing(id: &str) -> Script {
        Script {
            names: vec![(id.to_owned(), "ARCHIVE_a".to_owned())],
            ..Script::default()
        }
    }

    fn at(path: &str) -> Request {
        Request {
            path: path.to_owned(),
            query: "marker=2012-06-01&limit=1".to_owned(),
            method: "GET".to_owned(),
            headers: Default::default(),
            body: Body::Empty,
            framing: Framing::Plain,
        }
    }

    #[test]
    fn an_id_of_one_digit_stands_for_itself_alone() {
        let script = knowing("2");
        let target = script.target(&at("/-/vaults/v-2/archives/2"));
        assert_eq!(
            target,
            r#""/-/vaults/v-2/archives/${ARCHIVE_a}?marker=2012-06-01&limit=1""#
        );
        let body = script.document(r#"{"ArchiveId":"2","Description":"2 of 22"}"#);
        assert_eq!(
            body,
            r#""{\"ArchiveId\":\"${ARCHIVE_a}\",\"Description\":\"2 of 22\"}""#
        );
    }

    #[test]
    fn an_id_that_a_path_has_to_encode_is_encoded_anew() {
        let target = knowing("a+b/c=").target(&at("/-/vaults/v/archives/a%2Bb%2Fc%3D"));
        assert!(
            target.contains(r#"/archives/$(encoded "$ARCHIVE_a")?"#),
            "{target}"
        );
    }

    #[test]
    fn what_a_target_sent_runs_in_no_shell() {
        let script = knowing("\\");
        let body = script.document("{\"Marker\":\"$(touch /tmp/x) `id` \\\"}");
        assert_eq!(body, r#""{\"Marker\":\"\$(touch /tmp/x) \`id\` \\\"}""#);
    }
}
