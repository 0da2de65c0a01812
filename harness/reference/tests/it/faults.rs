//! Every fault changes what a client sees: one long conversation is held with a right server and with each faulty one.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use crevasse_core::amz_date::Timestamp;
use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::ByteRange;
use crevasse_core::sigv4::{self, Credentials, Scope};
use crevasse_core::treehash::{MIB, sha256};
use crevasse_core::wire::{FaultKind, Framing, Reply, Request, Response};
use crevasse_reference::fault::{self, Fault};
use crevasse_reference::{Options, Service};
use serde_json::{Value, json};

use crate::client::{Call, Client};

/// Needs requests at the same time, which a conversation has not: see the test of its own.
const CONCURRENT: &str = "descriptions-crossed-under-load";

#[test]
fn every_fault_shows_in_a_conversation() {
    let right = converse(&[]);
    let silent: Vec<&str> = heard()
        .iter()
        .filter(|(_, text)| **text == right)
        .map(|(id, _)| *id)
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn a_conversation_with_a_right_server_is_always_the_same() {
    let (one, other) = (converse(&[]), converse(&[]));
    let differing = one
        .lines()
        .zip(other.lines())
        .find(|(one, other)| one != other);
    assert_eq!(differing, None);
}

#[test]
fn no_two_faults_look_alike() {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let alike: Vec<(&str, &str)> = heard()
        .iter()
        .filter_map(|(id, text)| Some((seen.insert(text, id)?, *id)))
        .collect();
    assert!(alike.is_empty(), "{alike:?}");
}

/// What is heard of each fault, in conversations held side by side.
fn heard() -> &'static BTreeMap<&'static str, String> {
    static HEARD: OnceLock<BTreeMap<&'static str, String>> = OnceLock::new();
    HEARD.get_or_init(|| {
        let faults: Vec<&'static Fault> = fault::all()
            .iter()
            .filter(|fault| fault.id != CONCURRENT)
            .collect();
        let share = |faults: &[&'static Fault]| {
            faults
                .iter()
                .map(|fault| (fault.id, converse(&[*fault])))
                .collect::<Vec<_>>()
        };
        std::thread::scope(|scope| {
            let shares: Vec<_> = faults
                .chunks(faults.len().div_ceil(4))
                .map(|faults| scope.spawn(move || share(faults)))
                .collect();
            shares
                .into_iter()
                .flat_map(|share| share.join().unwrap())
                .collect()
        })
    })
}

/// A generated content; its hashes are computed once for all conversations.
fn generated(seed: u64, length: u64) -> Content {
    static MADE: Mutex<BTreeMap<(u64, u64), Content>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    made.entry((seed, length))
        .or_insert_with(|| Content::from(Payload::Generated { seed, length }))
        .clone()
}

fn text(text: &str) -> Content {
    Content::from(Payload::Text(text.to_owned()))
}

fn converse(faults: &[&'static Fault]) -> String {
    let options = || Options {
        faults: faults.to_vec(),
        begins_at: Some("2026-03-20T17:03:43.250Z".parse().unwrap()),
        ..Options::default()
    };
    let mut talk = Talk {
        client: Client::started(options()),
        text: String::new(),
    };
    talk.about_vaults();
    talk.about_archives();
    talk.about_parts();
    talk.about_jobs();
    talk.about_outputs();
    talk.about_inventories();
    talk.about_lists();
    talk.about_tags();
    talk.about_policies();
    talk.about_the_account();
    talk.about_what_is_right_and_seldom_asked();
    talk.about_signatures(options());
    talk.text
}

/// A conversation and what was heard in it.
struct Talk {
    client: Client,
    text: String,
}

impl Talk {
    fn call(&self, method: &str, target: &str) -> Call<'_> {
        self.client.call(method, target)
    }

    /// Sends a request, notes what came, and hands it out.
    fn hear(&mut self, request: &Request) -> Option<Response> {
        let reply = self.client.service.exchange(request);
        self.note(&format!("{} {}", request.method, request.target()), &reply);
        match reply {
            Reply::Response(response) => Some(response),
            Reply::Fault(fault) => fault.partial.map(|partial| *partial),
        }
    }

    fn note(&mut self, asked: &str, reply: &Reply) {
        let heard = match reply {
            Reply::Response(response) => written(response),
            Reply::Fault(fault) => {
                let kind: FaultKind = fault.kind;
                format!(
                    "{kind:?} {}",
                    fault
                        .partial
                        .as_ref()
                        .map_or_else(String::new, |partial| written(partial))
                )
            }
        };
        self.text.push_str(&format!("{asked}\n{heard}\n"));
    }

    fn get(&mut self, target: &str) -> Value {
        let request = self.call("GET", target).request();
        self.hear(&request)
            .and_then(|response| response.body.json())
            .unwrap_or_default()
    }

    fn put(&mut self, method: &str, target: &str, document: &Value) -> Option<Response> {
        let request = self.call(method, target).json(document).request();
        self.hear(&request)
    }

    fn plainly(&mut self, method: &str, target: &str) -> Option<Response> {
        let request = self.call(method, target).request();
        self.hear(&request)
    }

    fn upload(&mut self, payload: Content, headers: &[(&str, &str)]) -> String {
        let call = self.call("POST", "/-/vaults/v/archives").content(payload);
        let call = headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value));
        let request = call.request();
        id(self.hear(&request), "x-amz-archive-id")
    }

    fn without(&mut self, payload: Content, name: &str) {
        let call = self.call("POST", "/-/vaults/v/archives").content(payload);
        let request = call.without(name).request();
        self.hear(&request);
    }

    fn job(&mut self, parameters: &Value) -> String {
        id(
            self.put("POST", "/-/vaults/v/jobs", parameters),
            "x-amz-job-id",
        )
    }

    fn output(&mut self, job: &str, range: Option<&str>) {
        let call = self.client.output(job);
        let request = match range {
            Some(range) => call.header("Range", range).request(),
            None => call.request(),
        };
        self.hear(&request);
    }

    fn describe(&mut self, job: &str) -> Value {
        self.get(&format!("/-/vaults/v/jobs/{job}"))
    }

    fn about_vaults(&mut self) {
        for name in [
            "v",
            "w",
            "B",
            "a",
            "x.y",
            &"n".repeat(255),
            &"n".repeat(256),
            "a%20b",
            "%C3%BC",
        ] {
            self.plainly("PUT", &format!("/-/vaults/{name}"));
        }
        self.put(
            "POST",
            "/-/vaults/v/tags?operation=add",
            &json!({"Tags": {"first": "tag"}}),
        );
        self.client.wait();
        self.plainly("PUT", "/-/vaults/v");
        self.get("/-/vaults/v/tags");
        self.plainly("PUT", "/-/vaults/V");
        self.plainly("PUT", "/123456789012/vaults/digits");
        for target in [
            "/-/vaults/digits",
            "/-/vaults/v",
            "/-/vaults/x%2Ey",
            "/-/vaults/none",
            "/123456789012/vaults/v",
            "/000000000000/vaults/v",
            "/-/vaults/v/jobs?x=1",
        ] {
            self.get(target);
        }
        let unversioned = self
            .call("GET", "/-/vaults/v")
            .without("x-amz-glacier-version")
            .request();
        self.hear(&unversioned);
        let mut shouted = self.call("GET", "/-/vaults/v").request();
        shouted.framing = Framing::UpperCaseNames;
        self.hear(&shouted);
        self.client.region = Some("cn-north-1");
        self.get("/-/vaults");
        self.plainly("PUT", "/-/vaults/c");
        self.get("/-/vaults/c");
        self.client.region = None;
        for name in ["none", "digits"] {
            self.plainly("DELETE", &format!("/-/vaults/{name}"));
        }
        self.plainly("PUT", "/-/vaults/gone");
        self.put(
            "POST",
            "/-/vaults/gone/tags?operation=add",
            &json!({"Tags": {"left": "over"}}),
        );
        self.put(
            "PUT",
            "/-/vaults/gone/access-policy",
            &json!({"Policy": policy("glacier:UploadArchive")}),
        );
        self.plainly("DELETE", "/-/vaults/gone");
        self.get("/-/vaults?limit=10");
        self.plainly("PUT", "/-/vaults/gone");
        self.get("/-/vaults/gone/tags");
        self.get("/-/vaults/gone/access-policy");
        for _ in 0..12 {
            self.get("/-/vaults/v");
        }
    }

    fn about_archives(&mut self) {
        let odd = generated(1, 4 * MIB + 3);
        let linear = odd.sha256().to_string();
        let wrong = sha256(b"wrong").to_string();
        for length in [1, 100, MIB, 2 * MIB, 3 * MIB, 4 * MIB + 1] {
            let archive = self.upload(generated(length, length), &[]);
            if length != 2 * MIB && length <= 3 * MIB {
                self.retrieve(&archive);
            }
        }
        for claim in [
            linear.as_str(),
            &wrong,
            "abc",
            &odd.tree_hash().to_string().to_uppercase(),
        ] {
            self.upload(odd.clone(), &[("x-amz-sha256-tree-hash", claim)]);
        }
        let small = text("small");
        self.upload(small.clone(), &[("x-amz-sha256-tree-hash", &wrong)]);
        self.upload(generated(4, 3 * MIB), &[("x-amz-sha256-tree-hash", &wrong)]);
        self.upload(small.clone(), &[("x-amz-content-sha256", &wrong)]);
        self.without(small.clone(), "x-amz-sha256-tree-hash");
        self.without(small.clone(), "x-amz-content-sha256");
        self.upload(text(""), &[]);
        let mut chunked = self
            .call("POST", "/-/vaults/v/archives")
            .content(small.clone())
            .without("Content-Length")
            .request();
        chunked.framing = Framing::Chunked;
        self.hear(&chunked);
        let descriptions = [
            "x".repeat(1024),
            "x".repeat(1025),
            "\u{e9}".to_owned(),
            "a%41+b".to_owned(),
            r#"say \"1,2" \"#.to_owned(),
            "y".repeat(300),
        ];
        for description in &descriptions {
            let archive = self.upload(small.clone(), &[("x-amz-archive-description", description)]);
            self.retrieve(&archive);
        }
        self.get("/-/vaults/v");
        self.plainly("DELETE", "/-/vaults/v");
        let missing = self
            .call("POST", "/-/vaults/none/archives")
            .content(small.clone())
            .request();
        self.hear(&missing);
        self.upload(small.clone(), &[]);
        let archive = self.upload(small, &[("x-amz-archive-description", "gone")]);
        for vault in ["w", "v", "v"] {
            self.plainly("DELETE", &format!("/-/vaults/{vault}/archives/{archive}"));
        }
        self.retrieve(&archive);
    }

    fn about_what_is_right_and_seldom_asked(&mut self) {
        for target in [
            "/-/vaults?marker=",
            "/-/vaults/w/multipart-uploads",
            "/-/vaults/w/jobs",
        ] {
            self.get(target);
        }
        self.about_uploads_side_by_side();
        self.about_many_parts();
        self.about_an_emptied_vault();
        let large = self.upload(generated(31, 4 * MIB), &[]);
        self.job(&json!({"Type": "archive-retrieval", "ArchiveId": large,
            "RetrievalByteRange": "1048576-3145727"}));
        self.job(&json!({"Type": "inventory-retrieval"}));
        let twice = [("x-amz-archive-description", "twice the same")];
        self.upload(text("once"), &twice);
        let archive = self.upload(text("and again"), &twice);
        let target = format!("/-/vaults/v/archives/{archive}");
        self.put("PUT", &target, &json!({"description": "changed"}));
        self.retrieve(&archive);
        let events = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"];
        let configuration =
            json!({"SNSTopic": "arn:aws:sns:us-east-1:123456789012:t", "Events": events});
        self.put(
            "PUT",
            "/-/vaults/w/notification-configuration",
            &configuration,
        );
        for strategy in ["FreeTier", "None"] {
            let policy = json!({"Policy": {"Rules": [{"Strategy": strategy}]}});
            self.put("PUT", "/-/policies/data-retrieval", &policy);
        }
        self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive}));
        self.about_edges();
    }

    /// Sizes and places that not every integer holds, names by their first and last characters, a range too early, and two vaults
    /// with a topic each.
    fn about_edges(&mut self) {
        for name in ["-x", "x%0A"] {
            self.plainly("PUT", &format!("/-/vaults/{name}"));
        }
        let large = self.begin(Some("2147483648"));
        self.parts(&large);
        let far = self.begin(Some("1048576"));
        let range = [("Content-Range", "bytes 4294967296-4294967298/*")];
        self.part("v", &far, text("far"), &range);
        self.parts(&far);
        let archive = self.upload(generated(90, 16 * MIB + 1), &[]);
        let job = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive}));
        self.output(&job, Some("bytes=0-9"));
        self.inventory(json!({}));
        let uri = |vault: &str| format!("/-/vaults/{vault}/notification-configuration");
        for vault in ["v", "w"] {
            let topic = format!("arn:aws:sns:us-east-1:123456789012:{vault}");
            let events = ["ArchiveRetrievalCompleted"];
            let configuration = json!({"SNSTopic": topic, "Events": events});
            self.put("PUT", &uri(vault), &configuration);
        }
        self.get(&uri("v"));
        self.about_seconds();
    }

    /// An inventory asked for early though there is another, the twin of a deleted archive, and tags that are too many only together.
    fn about_seconds(&mut self) {
        let early = self.job(&json!({"Type": "inventory-retrieval"}));
        self.output(&early, None);
        let (one, other) = (
            self.upload(text("twin"), &[]),
            self.upload(text("twin"), &[]),
        );
        self.plainly("DELETE", &format!("/-/vaults/v/archives/{one}"));
        self.retrieve(&other);
        self.plainly("PUT", "/-/vaults/tagged");
        for hundreds in 1..=6 {
            let tags: serde_json::Map<String, Value> = (1..=9)
                .map(|n| (format!("k{}", 100 * hundreds + n), json!("x")))
                .collect();
            let target = "/-/vaults/tagged/tags?operation=add";
            self.put("POST", target, &json!({"Tags": tags}));
        }
        self.about_places_taken_and_empty();
    }

    /// What is refused where something is already, and where nothing is.
    fn about_places_taken_and_empty(&mut self) {
        self.get("/-/vaults/tagged/jobs?statuscode=finished");
        let long = json!({"Tags": {"fresh": "x".repeat(300)}});
        self.put("POST", "/-/vaults/w/tags?operation=add", &long);
        let call = self.call("POST", "/-/vaults/v/multipart-uploads");
        let call = call.header("x-amz-archive-description", "completed at once");
        let request = call.header("x-amz-part-size", "1048576").request();
        let upload = id(self.hear(&request), "x-amz-multipart-upload-id");
        let (content, range) = (text("first"), ("Content-Range", "bytes 0-4/*"));
        let right = content.tree_hash().to_string();
        self.part("v", &upload, content, &[range]);
        let wrong = [range, ("x-amz-sha256-tree-hash", &right)];
        self.part("v", &upload, text("other"), &wrong);
        self.parts(&upload);
        self.complete(&upload, Some("5"), Some(&right));
        self.inventory(json!({}));
    }

    /// Uploads in two vaults, one of them small and one with a part that does not come whole.
    fn about_uploads_side_by_side(&mut self) {
        let (small, other) = (self.begin(Some("1048576")), self.begin(Some("1048576")));
        let elsewhere = self.call("POST", "/-/vaults/w/multipart-uploads");
        let request = elsewhere.header("x-amz-part-size", "1048576").request();
        self.hear(&request);
        self.get("/-/vaults/v/multipart-uploads");
        self.get("/-/vaults/w/multipart-uploads?limit=1");
        let content = text("small");
        let first = [("Content-Range", "bytes 0-4/*")];
        self.part("v", &small, content.clone(), &first);
        self.complete(&small, Some("5"), Some(&content.tree_hash().to_string()));
        let target = format!("/-/vaults/v/multipart-uploads/{other}");
        let call = self.call("PUT", &target).content(content.clone());
        let mut half = call.header("Content-Range", "bytes 0-4/*").request();
        half.framing = Framing::Half;
        self.hear(&half);
        self.parts(&other);
        self.part("v", &other, content, &first);
        self.plainly("DELETE", &target);
    }

    /// An upload of more parts than a page holds, begun with a description that is none.
    fn about_many_parts(&mut self) {
        let call = self.call("POST", "/-/vaults/w/multipart-uploads");
        let call = call.header("x-amz-archive-description", "\u{e9}");
        let request = call.header("x-amz-part-size", "1048576").request();
        self.hear(&request);
        let call = self.call("POST", "/-/vaults/w/multipart-uploads");
        let request = call.header("x-amz-part-size", "1048576").request();
        let upload = id(self.hear(&request), "x-amz-multipart-upload-id");
        for start in (0..51).map(|index| index * MIB) {
            let range = format!("bytes {start}-{start}/*");
            self.part("w", &upload, text("x"), &[("Content-Range", &range)]);
        }
        self.get(&format!("/-/vaults/w/multipart-uploads/{upload}"));
    }

    /// A vault that had an archive once, and is inventoried again before its end.
    fn about_an_emptied_vault(&mut self) {
        self.plainly("PUT", "/-/vaults/once");
        let call = self.call("POST", "/-/vaults/once/archives");
        let request = call.content(text("once")).request();
        let archive = id(self.hear(&request), "x-amz-archive-id");
        self.plainly("DELETE", &format!("/-/vaults/once/archives/{archive}"));
        let inventory = json!({"Type": "inventory-retrieval"});
        self.put("POST", "/-/vaults/once/jobs", &inventory);
        self.client.wait();
        self.get("/-/vaults/once");
        self.plainly("DELETE", "/-/vaults/once");
    }

    /// Retrieves an archive to the end.
    fn retrieve(&mut self, archive: &str) {
        let job = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive}));
        self.client.wait();
        self.output(&job, None);
        self.describe(&job);
    }

    fn begin(&mut self, size: Option<&str>) -> String {
        let call = self.call("POST", "/-/vaults/v/multipart-uploads");
        let request = match size {
            Some(size) => call.header("x-amz-part-size", size).request(),
            None => call.request(),
        };
        id(self.hear(&request), "x-amz-multipart-upload-id")
    }

    fn part(&mut self, vault: &str, upload: &str, content: Content, headers: &[(&str, &str)]) {
        let call = self
            .call(
                "PUT",
                &format!("/-/vaults/{vault}/multipart-uploads/{upload}"),
            )
            .content(content);
        let request = headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value))
            .request();
        self.hear(&request);
    }

    fn complete(&mut self, upload: &str, size: Option<&str>, hash: Option<&str>) -> String {
        let call = self.call("POST", &format!("/-/vaults/v/multipart-uploads/{upload}"));
        let call = size
            .into_iter()
            .fold(call, |call, size| call.header("x-amz-archive-size", size));
        let call = hash.into_iter().fold(call, |call, hash| {
            call.header("x-amz-sha256-tree-hash", hash)
        });
        let request = call.request();
        id(self.hear(&request), "x-amz-archive-id")
    }

    fn parts(&mut self, upload: &str) {
        self.get(&format!("/-/vaults/v/multipart-uploads/{upload}"));
    }

    fn about_parts(&mut self) {
        for size in [
            "1048576",
            "4294967296",
            "3145728",
            "524288",
            "8589934592",
            "1048577",
            "0",
            "abc",
        ] {
            let upload = self.begin(Some(size));
            self.plainly("DELETE", &format!("/-/vaults/v/multipart-uploads/{upload}"));
        }
        self.begin(None);
        self.about_one_upload();
        self.about_gaps();
        self.about_places();
        self.get("/-/vaults/v/multipart-uploads");
    }

    fn about_one_upload(&mut self) {
        let call = self.call("POST", "/-/vaults/v/multipart-uploads");
        let request = call
            .header("x-amz-part-size", "2097152")
            .header("x-amz-archive-description", "in parts")
            .request();
        let upload = id(self.hear(&request), "x-amz-multipart-upload-id");
        let whole = generated(21, 2 * MIB + 5);
        let piece = |index: u64| {
            whole.slice(
                ByteRange::new(index * 2 * MIB, ((index + 1) * 2 * MIB).min(whole.length()))
                    .unwrap(),
            )
        };
        let range = |index: u64| {
            format!(
                "bytes {}-{}/*",
                index * 2 * MIB,
                ((index + 1) * 2 * MIB).min(whole.length()) - 1
            )
        };
        let stale = text("stale");
        self.part("v", &upload, stale, &[("Content-Range", &range(1))]);
        self.client.wait();
        for index in [1, 0] {
            self.part(
                "v",
                &upload,
                piece(index),
                &[("Content-Range", &range(index))],
            );
        }
        self.parts(&upload);
        self.get(&format!("/-/vaults/v/multipart-uploads/{upload}?limit=1"));
        self.get("/-/vaults/v/multipart-uploads");
        let (size, hash) = (whole.length().to_string(), whole.tree_hash().to_string());
        let wrong = sha256(b"wrong").to_string();
        self.complete(&upload, Some(&size), Some(&sha256(b"").to_string()));
        self.complete(&upload, Some(&size), Some(&wrong));
        self.complete(&upload, Some(&size), None);
        self.complete(&upload, None, Some(&hash));
        self.complete(&upload, Some("12"), Some(&hash));
        self.complete(&upload, Some("many"), Some(&hash));
        let archive = self.complete(&upload, Some(&size), Some(&hash));
        self.complete(&upload, Some(&size), Some(&hash));
        self.parts(&upload);
        self.part("v", &upload, piece(0), &[("Content-Range", &range(0))]);
        self.get("/-/vaults/v/multipart-uploads");
        self.plainly("DELETE", &format!("/-/vaults/v/multipart-uploads/{upload}"));
        self.retrieve(&archive);
    }

    /// Completions that fail, each of an upload of its own.
    fn about_gaps(&mut self) {
        let piece = generated(31, MIB);
        let short = generated(32, 10);
        let cases: [&[(&Content, u64)]; 4] = [
            &[],
            &[(&piece, 0), (&piece, 2 * MIB)],
            &[(&piece, MIB)],
            &[(&short, 0), (&piece, MIB)],
        ];
        for parts in cases {
            let upload = self.begin(Some("1048576"));
            for (content, start) in parts {
                let range = format!("bytes {start}-{}/*", start + content.length() - 1);
                self.part(
                    "v",
                    &upload,
                    (*content).clone(),
                    &[("Content-Range", &range)],
                );
            }
            let joined = Content::concat(
                &parts
                    .iter()
                    .map(|(content, _)| (*content).clone())
                    .collect::<Vec<_>>(),
            );
            let archive = self.complete(
                &upload,
                Some(&joined.length().to_string()),
                Some(&joined.tree_hash().to_string()),
            );
            self.retrieve(&archive);
        }
    }

    /// Parts that are refused.
    fn about_places(&mut self) {
        let upload = self.begin(Some("1048576"));
        let text = text("some text");
        let long = generated(41, 2 * MIB);
        let wrong = sha256(b"wrong").to_string();
        for range in [
            "bytes 0-8/*",
            "bytes 0-9/*",
            "bytes 5-13/*",
            "bytes=0-8/*",
            "8-0",
        ] {
            self.part("v", &upload, text.clone(), &[("Content-Range", range)]);
        }
        self.part("v", &upload, text.clone(), &[]);
        self.part(
            "v",
            &upload,
            long,
            &[("Content-Range", "bytes 0-2097151/*")],
        );
        self.part(
            "v",
            &upload,
            text.clone(),
            &[
                ("Content-Range", "bytes 0-8/*"),
                ("x-amz-sha256-tree-hash", &wrong),
            ],
        );
        for _ in 0..2 {
            self.part(
                "v",
                &upload,
                text.clone(),
                &[
                    ("Content-Range", "bytes 0-8/*"),
                    ("x-amz-content-sha256", &wrong),
                ],
            );
        }
        for range in ["bytes 10485760-10485768/*", "bytes 2097152-2097160/*"] {
            self.part("v", &upload, text.clone(), &[("Content-Range", range)]);
        }
        self.part(
            "w",
            &upload,
            text.clone(),
            &[("Content-Range", "bytes 0-8/*")],
        );
        self.parts(&upload);
        let uri = format!("/-/vaults/v/multipart-uploads/{upload}");
        let bare = self
            .call("PUT", &uri)
            .content(text.clone())
            .without("x-amz-sha256-tree-hash")
            .header("Content-Range", "bytes 0-8/*")
            .request();
        self.hear(&bare);
        self.plainly("DELETE", &uri);
        self.plainly("DELETE", &uri);
        self.parts(&upload);
        self.part("v", &upload, text, &[("Content-Range", "bytes 0-8/*")]);
        self.plainly("DELETE", "/-/vaults/v/multipart-uploads/none");
        self.parts("none");
    }

    fn about_jobs(&mut self) {
        let length = 5 * MIB + MIB / 2;
        let archive = self.upload(
            generated(51, length),
            &[("x-amz-archive-description", "kept")],
        );
        let retrieval = |more: Value| {
            merged(
                json!({"Type": "archive-retrieval", "ArchiveId": archive}),
                more,
            )
        };
        let mut refused = vec![
            json!({}),
            json!({"Type": "nothing"}),
            json!({"Type": null}),
            json!({"Type": "archive-retrieval"}),
            json!({"jobParameters": {"Type": "inventory-retrieval"}}),
            json!({"Type": "archive-retrieval", "ArchiveId": "a".repeat(138)}),
            json!({"Type": "inventory-retrieval", "ArchiveId": archive}),
            json!({"Type": "inventory-retrieval", "RetrievalByteRange": "0-1048575"}),
            json!({"Type": "inventory-retrieval", "Format": "XML"}),
            json!({"Type": "inventory-retrieval", "InventoryRetrievalParameters": {"Limit": "0"}}),
            json!({"Type": "inventory-retrieval", "InventoryRetrievalParameters": {"StartDate": "yesterday"}}),
            json!({"Type": "inventory-retrieval", "Description": "x".repeat(1025)}),
        ];
        refused.extend(
            [
                "1048575-2097151",
                "1-1048576",
                "0-1000",
                "0-10737418239",
                "abc",
            ]
            .map(|range| retrieval(json!({"RetrievalByteRange": range}))),
        );
        refused.push(retrieval(json!({"Tier": "Slow"})));
        for parameters in &refused {
            let job = self.job(parameters);
            self.describe(&job);
        }
        let empty = self.call("POST", "/-/vaults/v/jobs").request();
        self.hear(&empty);
        let malformed = self
            .call("POST", "/-/vaults/v/jobs")
            .text("{\"Type\":")
            .request();
        self.hear(&malformed);
        let foreign = self.put("POST", "/-/vaults/w/jobs", &retrieval(json!({})));
        drop(foreign);
        self.put(
            "POST",
            "/-/vaults/none/jobs",
            &json!({"Type": "inventory-retrieval"}),
        );
        let form = self
            .call("POST", "/-/vaults/v/jobs")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .json(&retrieval(json!({})))
            .request();
        self.hear(&form);
        let topic = "arn:aws:sns:us-east-1:123456789012:t";
        let accepted = [
            retrieval(json!({"Description": "d".repeat(300), "SNSTopic": topic, "Tier": "Bulk"})),
            retrieval(
                json!({"Description": null, "RetrievalByteRange": null, "Tier": "Expedited"}),
            ),
            retrieval(json!({"RetrievalByteRange": "0-5767167"})),
            retrieval(json!({"RetrievalByteRange": "4194304-5767167"})),
            retrieval(json!({"RetrievalByteRange": "1048576-3145727"})),
            retrieval(json!({"RetrievalByteRange": "2097152-4194303"})),
            retrieval(json!({})),
            retrieval(json!({})),
            json!({"Type": "inventory-retrieval", "Format": "CSV"}),
        ];
        let jobs: Vec<String> = accepted
            .iter()
            .map(|parameters| self.job(parameters))
            .collect();
        jobs.iter().for_each(|job| {
            self.describe(job);
        });
        self.output(&jobs[0], None);
        self.output(&jobs[8], None);
        self.get("/-/vaults/v/jobs?completed=false&limit=5");
        self.client.wait();
        jobs.iter().for_each(|job| {
            self.describe(job);
        });
        self.describe(&jobs[0]);
        self.describe(&jobs[0]);
        self.get(&format!("/123456789012/vaults/v/jobs/{}", jobs[0]));
        self.get("/-/vaults/v/jobs");
        for job in ["x".repeat(92), jobs[0].clone()] {
            self.get(&format!("/-/vaults/w/jobs/{job}"));
            self.get(&format!("/-/vaults/w/jobs/{job}/output"));
        }
    }

    fn about_outputs(&mut self) {
        let length = 5 * MIB + MIB / 2;
        let archive = self.upload(
            generated(61, length),
            &[("x-amz-archive-description", "a b")],
        );
        let plain = self.upload(text("plain"), &[]);
        let whole = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive}));
        let node = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive, "RetrievalByteRange": "2097152-4194303"}));
        let loose = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive, "RetrievalByteRange": "1048576-3145727"}));
        let short = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": plain}));
        let late = self.job(&json!({"Type": "inventory-retrieval"}));
        self.client.wait();
        let ranges = [
            "bytes=0-1048575",
            "bytes=1048576-2097151",
            "bytes=1048576-3145727",
            "bytes=0-4194303",
            "bytes=4194304-9999999",
            "bytes=5242880-5767167",
            "bytes=5-5",
            "bytes=1000-2000000",
            "bytes=0-5767167",
            "bytes 0-9/10",
            "bytes=6815744-6815750",
        ];
        for range in ranges {
            self.output(&whole, Some(range));
        }
        for (job, range) in [
            (&node, "bytes=1048576-2097151"),
            (&loose, "bytes=0-1048575"),
            (&late, "bytes=1-20"),
        ] {
            self.output(job, Some(range));
            self.output(job, None);
        }
        for job in [&whole, &short, &node, &short] {
            self.output(job, None);
        }
        let dying = self.job(&json!({"Type": "archive-retrieval", "ArchiveId": archive}));
        self.plainly("DELETE", &format!("/-/vaults/v/archives/{archive}"));
        self.client.wait();
        self.output(&dying, None);
        self.output(&whole, None);
        self.output(&late, None);
        self.describe(&dying);
        self.retrieve(&archive);
    }

    fn inventory(&mut self, parameters: Value) -> Value {
        let job = self.job(&merged(json!({"Type": "inventory-retrieval"}), parameters));
        self.client.wait();
        self.output(&job, None);
        self.describe(&job)
    }

    fn about_inventories(&mut self) {
        self.inventory(json!({}));
        self.get("/-/vaults/v");
        self.get("/-/vaults");
        self.inventory(json!({}));
        self.inventory(json!({"Format": "CSV"}));
        self.inventory(json!({"Format": "CSV", "InventoryRetrievalParameters": {"Limit": "1"}}));
        let mut times = Vec::new();
        for seed in 0..3 {
            self.client.wait();
            times.push(self.client.clock.now().iso_seconds());
            self.upload(generated(70 + seed, 9), &[]);
        }
        let window = |parameters: Value| json!({"InventoryRetrievalParameters": parameters});
        self.inventory(window(json!({"StartDate": times[1]})));
        self.inventory(window(json!({"EndDate": times[2]})));
        self.inventory(window(json!({"StartDate": times[0], "EndDate": times[2]})));
        self.inventory(window(json!({"StartDate": times[0], "Limit": "2"})));
        let first = self.inventory(window(json!({"Limit": "2"})));
        self.inventory(window(
            json!({"Limit": "2", "Marker": first["InventoryRetrievalParameters"]["Marker"]}),
        ));
        let archive = self.upload(generated(80, 9), &[]);
        self.inventory(json!({}));
        self.get("/-/vaults/v");
        self.plainly("DELETE", &format!("/-/vaults/v/archives/{archive}"));
        self.inventory(json!({}));
        self.get("/-/vaults/v");
    }

    fn about_lists(&mut self) {
        for number in 0..60 {
            self.put(
                "POST",
                "/-/vaults/w/jobs",
                &json!({"Type": "inventory-retrieval", "Description": format!("{number}")}),
            );
        }
        self.client.wait();
        self.put(
            "POST",
            "/-/vaults/w/jobs",
            &json!({"Type": "inventory-retrieval"}),
        );
        for query in [
            "",
            "limit=1000",
            "limit=1",
            "limit=0",
            "limit=61",
            "statuscode=InProgress",
            "completed=true&limit=2",
            "completed=true&statuscode=InProgress",
            "statuscode=Succeeded&limit=2",
            "statuscode=finished",
            "completed=maybe",
            "statuscode=Failed",
        ] {
            self.get(&format!("/-/vaults/w/jobs?{query}"));
        }
        self.get("/-/vaults/none/jobs");
        for name in 0..12 {
            self.plainly("PUT", &format!("/-/vaults/list{name}"));
        }
        for query in [
            "", "limit=3", "limit=1", "limit=10", "limit=20", "marker=", "limit=0",
        ] {
            self.get(&format!("/-/vaults?{query}"));
        }
        self.walk("/-/vaults?limit=4", "VaultList");
        self.walk("/-/vaults/w/jobs?limit=20", "JobList");
        self.get("/-/vaults/a/multipart-uploads");
        self.get("/-/vaults/a/jobs");
    }

    /// Follows markers for a few pages.
    fn walk(&mut self, target: &str, _: &str) {
        let mut marker = String::new();
        for _ in 0..6 {
            let page = self.get(&format!("{target}&marker={marker}"));
            let Some(next) = page["Marker"].as_str().filter(|next| !next.is_empty()) else {
                break;
            };
            next.clone_into(&mut marker);
        }
    }

    fn tag(&mut self, operation: &str, document: Value) {
        self.put("POST", &format!("/-/vaults/v/tags{operation}"), &document);
        self.get("/-/vaults/v/tags");
    }

    fn about_tags(&mut self) {
        self.get("/-/vaults/v/tags");
        let add = "?operation=add";
        let tags = |tags: Value| json!({ "Tags": tags });
        let many = |count: usize, from: usize| {
            Value::from(
                (0..count)
                    .map(|n| (format!("k{}", from + n), json!("x")))
                    .collect::<serde_json::Map<_, _>>(),
            )
        };
        for sent in [
            json!({"a": "1", "b": ""}),
            json!({"a": "2", "Key": "x", "key": "y"}),
            json!({}),
            many(11, 100),
            json!({"": "x"}),
            json!({"k".repeat(128): "x"}),
            json!({"k".repeat(129): "x"}),
            json!({"c": "x".repeat(255)}),
            json!({"c": "x".repeat(300)}),
            json!({"aws:x": "y"}),
            json!({"good": "1", "x*": "y"}),
            json!({"\u{e9}": "x"}),
            json!({"\u{e9}".repeat(100): "\u{fc}".repeat(200)}),
        ] {
            self.tag(add, tags(sent));
        }
        self.tag(add, json!({}));
        for (operation, document) in [
            ("", json!({"TagKeys": ["a"]})),
            ("?operation=address", tags(json!({"q": "1"}))),
            ("?operation=remove", json!({"TagKeys": ["nothing"]})),
            ("?operation=remove", json!({"TagKeys": []})),
            ("?operation=remove", json!({"TagKeys": ["a", "b"]})),
        ] {
            self.tag(operation, document);
        }
        for group in 0..5 {
            self.tag(add, tags(many(9, group * 9)));
        }
        let held = self.get("/-/vaults/v/tags")["Tags"]
            .as_object()
            .map_or(0, serde_json::Map::len);
        self.tag(
            add,
            tags(many(50_usize.saturating_sub(held).clamp(1, 10), 500)),
        );
        self.tag(add, tags(many(1, 0)));
        self.tag(add, tags(many(1, 600)));
        self.get("/-/vaults/w/tags");
    }

    fn about_policies(&mut self) {
        let lock = "/-/vaults/v/lock-policy";
        let deny = json!({"Policy": policy("glacier:DeleteArchive")});
        self.get(lock);
        self.plainly("DELETE", lock);
        self.plainly("POST", &format!("{lock}/nothing"));
        let large = policy(&"x".repeat(3000));
        for body in [
            json!({}),
            json!({"Policy": "none"}),
            json!({"Policy": "x".repeat(21_000)}),
        ] {
            self.put("POST", lock, &body);
            self.plainly("DELETE", lock);
        }
        let archive = self.upload(text("locked"), &[]);
        let first = id(self.put("POST", lock, &deny), "x-amz-lock-id");
        self.get(lock);
        self.put("POST", lock, &deny);
        self.plainly("DELETE", &format!("/-/vaults/v/archives/{archive}"));
        self.put(
            "PUT",
            "/-/vaults/v/access-policy",
            &json!({"Policy": policy("glacier:InitiateJob2")}),
        );
        self.get(lock);
        self.plainly("DELETE", lock);
        self.get(lock);
        self.plainly("DELETE", &format!("/-/vaults/v/archives/{archive}"));
        let second = id(self.put("POST", lock, &deny), "x-amz-lock-id");
        for lock_id in [first.as_str(), "nothing", &second, &second, "nothing"] {
            self.plainly("POST", &format!("{lock}/{lock_id}"));
            self.get(lock);
        }
        let archive = self.upload(text("locked too"), &[]);
        self.plainly("DELETE", &format!("/-/vaults/v/archives/{archive}"));
        self.put("POST", lock, &deny);
        self.plainly("DELETE", lock);
        self.get(lock);
        self.about_access_policies(&large);
        self.about_notifications();
    }

    fn about_access_policies(&mut self, large: &str) {
        let uri = "/-/vaults/w/access-policy";
        self.get(uri);
        self.plainly("DELETE", uri);
        for body in [
            json!({"Policy": policy("glacier:A")}),
            json!({"Policy": policy("glacier:B")}),
            json!({"Policy": large}),
            json!({"Policy": "{}"}),
            json!({}),
        ] {
            self.put("PUT", uri, &body);
            self.get(uri);
        }
        self.plainly("DELETE", uri);
        self.get(uri);
    }

    fn about_notifications(&mut self) {
        let uri = "/-/vaults/w/notification-configuration";
        self.get(uri);
        let topic = "arn:aws:sns:us-east-1:123456789012:t";
        let events = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"];
        for body in [
            json!({"SNSTopic": topic, "Events": events}),
            json!({"SNSTopic": topic, "Events": [events[0]]}),
            json!({"SNSTopic": topic, "Events": [events[1]]}),
            json!({"SNSTopic": topic, "Events": ["Nothing"]}),
            json!({"SNSTopic": topic, "Events": []}),
            json!({"Events": events}),
        ] {
            self.put("PUT", uri, &body);
            self.get(uri);
        }
        self.plainly("DELETE", uri);
        self.get(uri);
    }

    fn about_the_account(&mut self) {
        let uri = "/-/policies/data-retrieval";
        self.get(uri);
        let rule = |rule: Value| json!({"Policy": {"Rules": [rule]}});
        for body in [
            rule(
                json!({"Strategy": "BytesPerHour", "BytesPerHour": 9_223_372_036_854_775_807_u64}),
            ),
            rule(json!({"Strategy": "BytesPerHour"})),
            rule(json!({"Strategy": "None", "BytesPerHour": 5})),
            rule(json!({"Strategy": "BytesPerHour", "BytesPerHour": 0})),
            rule(json!({"Strategy": "Never"})),
            json!({"Policy": {"Rules": [{"Strategy": "None"}, {"Strategy": "None"}]}}),
            rule(json!({"Strategy": "None"})),
        ] {
            self.put("PUT", uri, &body);
            self.get(uri);
        }
        for _ in 0..3 {
            self.plainly("POST", "/-/provisioned-capacity");
            self.get("/-/provisioned-capacity");
        }
    }

    /// The same server with keys.
    fn about_signatures(&mut self, options: Options) {
        let keys = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
        };
        let service = Service::new(Options {
            require_auth: Some(keys.clone()),
            seed: Some(2),
            ..options
        });
        let wrong = [
            keys.clone(),
            Credentials {
                access_key_id: "AKIDNOBODY".to_owned(),
                ..keys.clone()
            },
            Credentials {
                secret_access_key: "other".to_owned(),
                ..keys
            },
        ];
        let mut requests = vec![self.call("GET", "/-/vaults?limit=1").request()];
        requests.extend(
            wrong
                .iter()
                .map(|keys| signed(self.call("GET", "/-/vaults?limit=1").request(), keys)),
        );
        for description in ["plain", "two  spaces"] {
            let call = self.call("POST", "/-/vaults/v/archives");
            let call = call.content(text("signed"));
            let call = call.header("x-amz-archive-description", description);
            requests.push(signed(call.request(), &wrong[0]));
        }
        for request in requests {
            let reply = service.exchange(&request);
            self.note("signed", &reply);
        }
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    for (name, value) in other.as_object().into_iter().flatten() {
        one[name] = value.clone();
    }
    one
}

fn policy(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}]}).to_string()
}

fn id(response: Option<Response>, header: &str) -> String {
    let id = response.and_then(|response| response.headers.value(header).map(str::to_owned));
    id.unwrap_or_else(|| "none".to_owned())
}

fn written(response: &Response) -> String {
    let headers: Vec<String> = response
        .headers
        .iter()
        .map(|(name, value)| {
            if name == "Date" && Timestamp::parse_http(value).is_some() {
                "Date: some".to_owned()
            } else {
                format!("{name}: {value}")
            }
        })
        .collect();
    let body = response
        .body
        .text()
        .map_or_else(|| response.body.sha256.to_string(), str::to_owned);
    format!("{} {} {body}", response.status, headers.join(" | "))
}

fn signed(mut request: Request, keys: &Credentials) -> Request {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let time = Timestamp(now.as_millis() as i64);
    request.headers.push("Host", "localhost");
    request.headers.push("x-amz-date", time.basic());
    let scope = Scope {
        time,
        region: "us-east-1".to_owned(),
        service: "glacier".to_owned(),
    };
    let head = sigv4::Head {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers: &request.headers,
    };
    let empty = sha256(b"").to_string();
    let hash = request.headers.value("x-amz-content-sha256");
    let value = sigv4::authorization(head, hash.unwrap_or(&empty), keys, &scope);
    request.headers.push("Authorization", value);
    request
}
