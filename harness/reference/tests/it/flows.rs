//! The main flows, with expectations from the requirements named.

use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::ByteRange;
use crevasse_core::sigv4::{self, Credentials, Scope};
use crevasse_core::treehash::{MIB, sha256, tree_hash};
use crevasse_core::wire::Request;
use crevasse_reference::Options;
use serde_json::{Value, json};

use crate::client::{Client, header};

const ARN: &str = "arn:aws:glacier:us-east-1:123456789012:vaults/v";

fn client() -> Client {
    Client::new(Options::default())
}

fn generated(seed: u64, length: u64) -> Payload {
    Payload::Generated { seed, length }
}

/// CV-*, DSV-*, DV-*.
#[test]
fn a_vault_is_made_described_and_deleted() {
    let client = client();
    let made = client.call("PUT", "/123456789012/vaults/a.b").send();
    assert_eq!(made.status, 201);
    assert_eq!(header(&made, "location"), "/123456789012/vaults/a.b");
    assert_eq!(made.body.length, 0);
    let document = client.document("/-/vaults/a%2Eb");
    assert_eq!(
        document["VaultARN"],
        "arn:aws:glacier:us-east-1:123456789012:vaults/a.b"
    );
    assert_eq!(document["NumberOfArchives"], 0);
    assert_eq!(document["LastInventoryDate"], Value::Null);
    assert_eq!(client.call("DELETE", "/-/vaults/a.b").send().status, 204);
    assert_eq!(client.call("DELETE", "/-/vaults/a.b").send().status, 204);
    let (status, code, message) = client.call("GET", "/-/vaults/a.b").refused();
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(
        message,
        "Vault not found for ARN: arn:aws:glacier:us-east-1:123456789012:vaults/a.b"
    );
}

/// CV-NAME-003, CV-NAME-005.
#[test]
fn illegal_vault_names_are_refused() {
    let client = client();
    for name in ["a%20b", "a%2Fb", "%C3%BC", &"x".repeat(256)] {
        let (status, code, _) = client.call("PUT", &format!("/-/vaults/{name}")).refused();
        assert_eq!(
            (status, code.as_str()),
            (400, "InvalidParameterValueException"),
            "{name}"
        );
    }
}

/// CV-IDEM-002, DV-NONEMPTY-001, DV-NONEMPTY-002.
#[test]
fn making_a_vault_again_keeps_what_is_in_it_and_so_does_a_refused_deletion() {
    let client = client();
    let before = client.document("/-/vaults/v");
    let archive = client.upload(generated(1, 10), None);
    client.wait();
    assert_eq!(client.call("PUT", "/-/vaults/v").send().status, 201);
    assert_eq!(client.document("/-/vaults/v"), before);
    let (status, code, message) = client.call("DELETE", "/-/vaults/v").refused();
    assert_eq!(
        (status, code.as_str()),
        (400, "InvalidParameterValueException")
    );
    assert_eq!(
        message,
        format!("Vault not empty or recently written to: {ARN}")
    );
    let delete = format!("/-/vaults/v/archives/{archive}");
    assert_eq!(client.call("DELETE", &delete).send().status, 204);
    assert_eq!(client.call("DELETE", &delete).send().status, 204);
    assert_eq!(client.call("DELETE", "/-/vaults/v").send().status, 204);
}

/// UA-*: what an upload answers.
#[test]
fn an_upload_returns_id_location_and_the_tree_hash_the_server_computed() {
    let client = client();
    let content = Content::from(generated(1, 3 * MIB + 7));
    let reply = client
        .call("POST", "/-/vaults/v/archives")
        .content(content.clone())
        .send();
    assert_eq!(reply.status, 201);
    let id = header(&reply, "x-amz-archive-id");
    assert_eq!(id.len(), 138);
    assert_eq!(
        header(&reply, "location"),
        format!("/123456789012/vaults/v/archives/{id}")
    );
    assert_eq!(
        header(&reply, "x-amz-sha256-tree-hash"),
        tree_hash(&content.to_bytes()).to_string()
    );
    assert_eq!(reply.body.length, 0);
}

/// UA-HASH-*, UA-SIZE-*, UA-DESC-*.
#[test]
fn uploads_with_wrong_checksums_sizes_and_descriptions_are_refused() {
    let client = client();
    let content = Content::from(generated(1, 2 * MIB));
    let upload = || {
        client
            .call("POST", "/-/vaults/v/archives")
            .content(content.clone())
    };
    let linear = content.sha256().to_string();
    let refusals = [
        (
            upload().header("x-amz-sha256-tree-hash", &linear),
            "Checksum mismatch: expected",
        ),
        (
            upload().header("x-amz-content-sha256", &sha256(b"").to_string()),
            "Invalid x-amz-content-sha256",
        ),
        (
            upload().header("x-amz-sha256-tree-hash", "abc"),
            "Invalid x-amz-sha256-tree-hash: abc",
        ),
        (
            upload().header("x-amz-archive-description", &"x".repeat(1025)),
            "",
        ),
        (upload().header("x-amz-archive-description", "\u{e9}"), ""),
        (
            upload().content(Content::empty()),
            "Invalid Content-Length: 0",
        ),
    ];
    for (call, expected) in refusals {
        let (status, code, message) = call.refused();
        assert_eq!(
            (status, code.as_str()),
            (400, "InvalidParameterValueException"),
            "{message}"
        );
        assert!(message.contains(expected), "{message}");
    }
    for name in ["x-amz-sha256-tree-hash", "x-amz-content-sha256"] {
        let (status, code, message) = upload().without(name).refused();
        assert_eq!(
            (status, code.as_str()),
            (400, "MissingParameterValueException")
        );
        assert_eq!(message, format!("Required parameter missing: {name}"));
    }
    let job = client.job(json!({"Type": "inventory-retrieval"}));
    client.wait();
    let listed = client.output(&job).send().body.json().unwrap();
    assert_eq!(listed["ArchiveList"], json!([]));
}

/// COM-VER-002, COM-ERR-010, SURF-URI-002.
#[test]
fn errors_have_code_message_and_type() {
    let client = client();
    let (status, code, message) = client
        .call("GET", "/-/vaults")
        .without("x-amz-glacier-version")
        .refused();
    assert_eq!(
        (status, code.as_str()),
        (400, "MissingParameterValueException")
    );
    assert_eq!(message, "Required parameter missing: API version");
    let (status, code, _) = client
        .call("POST", "/-/vaults/v/jobs")
        .text("{\"Type\": ")
        .refused();
    assert_eq!((status, code.as_str()), (400, "SerializationException"));
    assert_eq!(client.call("PATCH", "/-/vaults/v").refused().0, 405);
    assert_eq!(client.call("GET", "/-/nothing").refused().0, 404);
    let reply = client.call("GET", "/-/vaults/none").send();
    assert_eq!(header(&reply, "content-type"), "application/json");
    assert_eq!(
        header(&reply, "content-length"),
        reply.body.length.to_string()
    );
}

/// COM-ACC-003, with the message of O-23.
#[test]
fn the_account_of_somebody_else_is_forbidden() {
    let (status, code, message) = client().call("GET", "/000000000000/vaults").refused();
    assert_eq!((status, code.as_str()), (403, "AccessDeniedException"));
    assert_eq!(message, "Access denied for account ID: 000000000000");
}

struct Multipart<'a> {
    client: &'a Client,
    uri: String,
    whole: Content,
}

impl Multipart<'_> {
    fn part(&self, first: u64, last: u64) -> u16 {
        let content = self.whole.slice(ByteRange::inclusive(first, last).unwrap());
        let range = format!("bytes {first}-{last}/*");
        let call = self.client.call("PUT", &self.uri).content(content.clone());
        let reply = call.header("Content-Range", &range).send();
        if reply.status == 204 {
            let hash = tree_hash(&content.to_bytes()).to_string();
            assert_eq!(header(&reply, "x-amz-sha256-tree-hash"), hash);
        }
        reply.status
    }

    fn complete(&self) -> crevasse_core::wire::Response {
        let hash = tree_hash(&self.whole.to_bytes()).to_string();
        let call = self.client.call("POST", &self.uri);
        call.header("x-amz-archive-size", &self.whole.length().to_string())
            .header("x-amz-sha256-tree-hash", &hash)
            .send()
    }
}

fn multipart(client: &Client, length: u64) -> Multipart<'_> {
    let call = client.call("POST", "/-/vaults/v/multipart-uploads");
    let reply = call
        .header("x-amz-part-size", "1048576")
        .header("x-amz-archive-description", "in parts")
        .send();
    assert_eq!(reply.status, 201);
    let id = header(&reply, "x-amz-multipart-upload-id");
    let uri = header(&reply, "location");
    assert_eq!(
        uri,
        format!("/123456789012/vaults/v/multipart-uploads/{id}")
    );
    Multipart {
        client,
        uri,
        whole: Content::from(generated(9, length)),
    }
}

/// UMP-*, LP-*, CMU-*.
#[test]
fn parts_in_any_order_become_one_archive_once() {
    let client = client();
    let upload = multipart(&client, 2 * MIB + 5);
    assert_eq!(upload.part(2 * MIB, 2 * MIB + 4), 204);
    assert_eq!(upload.complete().status, 400, "parts are missing");
    assert_eq!(upload.part(0, MIB - 1), 204);
    assert_eq!(upload.part(MIB, 2 * MIB - 1), 204);
    let listed = client.document(&upload.uri);
    let ranges: Vec<&str> = listed["Parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["RangeInBytes"].as_str().unwrap())
        .collect();
    assert_eq!(ranges, ["0-1048575", "1048576-2097151", "2097152-2097156"]);
    assert_eq!(listed["PartSizeInBytes"], 1_048_576);
    assert_eq!(listed["ArchiveDescription"], "in parts");
    let made = upload.complete();
    assert_eq!(made.status, 201);
    let archive = header(&made, "x-amz-archive-id");
    let again = upload.complete();
    assert_eq!(
        (again.status, header(&again, "x-amz-archive-id")),
        (201, archive.clone())
    );
    assert_eq!(client.call("GET", &upload.uri).refused().0, 404);
    assert_eq!(
        client.document("/-/vaults/v/multipart-uploads")["UploadsList"],
        json!([])
    );
    let job = client.job(json!({"Type": "archive-retrieval", "ArchiveId": archive}));
    client.wait();
    let output = client.output(&job).send();
    assert!(output.body.equals(&upload.whole));
    assert_eq!(header(&output, "x-amz-archive-description"), "in parts");
}

/// UMP-RANGE-003..006.
#[test]
fn parts_out_of_place_are_refused() {
    let client = client();
    let upload = multipart(&client, 4 * MIB);
    assert_eq!(upload.part(1, MIB), 400, "misaligned");
    assert_eq!(upload.part(0, 2 * MIB - 1), 400, "longer than a part");
    let content = upload.whole.slice(ByteRange::new(0, 10).unwrap());
    for range in ["bytes 0-10/*", "bytes 9-0/*", "bytes=0-9/*", "0-9/*"] {
        let call = client.call("PUT", &upload.uri).content(content.clone());
        assert_eq!(
            call.header("Content-Range", range).refused().0,
            400,
            "{range}"
        );
    }
    assert_eq!(client.document(&upload.uri)["Parts"], json!([]));
    assert_eq!(client.call("DELETE", &upload.uri).send().status, 204);
    assert_eq!(client.call("DELETE", &upload.uri).send().status, 204);
}

/// IJ-*, DJ-*, GJO-STATE-001, GJO-STATE-002, GJO-HASH-001.
#[test]
fn an_archive_is_retrieved_after_a_while() {
    let client = client();
    let content = Content::from(generated(3, 3 * MIB + 1));
    let archive = client.upload(generated(3, 3 * MIB + 1), Some("a \"b\" \\c"));
    let job =
        client.job(json!({"Type": "archive-retrieval", "ArchiveId": archive, "Description": null}));
    let uri = format!("/-/vaults/v/jobs/{job}");
    let described = client.document(&uri);
    assert_eq!(described["StatusCode"], "InProgress");
    assert_eq!(described["Completed"], false);
    assert_eq!(described["CompletionDate"], Value::Null);
    assert_eq!(described["Tier"], "Standard");
    assert_eq!(described["RetrievalByteRange"], "0-3145728");
    assert_eq!(described["ArchiveSizeInBytes"], 3_145_729);
    let (status, code, message) = client.output(&job).refused();
    assert_eq!(
        (status, code.as_str()),
        (400, "InvalidParameterValueException")
    );
    assert_eq!(
        message,
        format!("The job is not currently available for download: {job}")
    );
    client.wait();
    let described = client.document(&uri);
    assert_eq!(described["StatusCode"], "Succeeded");
    let hash = tree_hash(&content.to_bytes()).to_string();
    assert_eq!(described["SHA256TreeHash"], hash.as_str());
    assert_eq!(
        client.document("/-/vaults/v/jobs")["JobList"],
        json!([described])
    );
    let output = client.output(&job).send();
    assert_eq!(
        (output.status, header(&output, "content-type")),
        (200, "application/octet-stream".to_owned())
    );
    assert!(output.body.equals(&content));
    assert_eq!(header(&output, "x-amz-sha256-tree-hash"), hash);
    assert_eq!(header(&output, "x-amz-archive-description"), "a \"b\" \\c");
    assert_eq!(header(&output, "accept-ranges"), "bytes");
}

/// GJO-RANGE-*, GJO-HASH-*.
#[test]
fn ranges_of_an_output_carry_a_checksum_only_when_aligned() {
    let client = client();
    let content = Content::from(generated(4, 6 * MIB + MIB / 2));
    let archive = client.upload(generated(4, 6 * MIB + MIB / 2), None);
    let job = client.job(json!({"Type": "archive-retrieval", "ArchiveId": archive}));
    client.wait();
    let part = |first: u64, last: u64| {
        let call = client
            .output(&job)
            .header("Range", &format!("bytes={first}-{last}"));
        let reply = call.send();
        let last = last.min(content.length() - 1);
        assert_eq!(reply.status, 206);
        assert!(
            reply
                .body
                .equals(&content.slice(ByteRange::inclusive(first, last).unwrap()))
        );
        let range = format!("bytes {first}-{last}/6815744");
        assert_eq!(header(&reply, "content-range"), range);
        let hash = reply
            .headers
            .value("x-amz-sha256-tree-hash")
            .map(str::to_owned);
        assert!(
            hash.as_ref()
                .is_none_or(|hash| *hash == reply.body.tree_hash.to_string())
        );
        hash.is_some()
    };
    // The nodes of a tree of 6.5 MiB (treehash-vectors, 5; TH-RANGE-003, TH-RANGE-004).
    assert!(part(0, 4 * MIB - 1));
    assert!(part(MIB, 2 * MIB - 1));
    assert!(part(4 * MIB, 7 * MIB), "clamped to the ragged last node");
    assert!(part(6 * MIB, 6 * MIB + MIB / 2 - 1));
    assert!(!part(MIB, 3 * MIB - 1));
    assert!(!part(2 * MIB, 5 * MIB - 1));
    assert!(!part(0, MIB));
    assert!(!part(5, 5));
    let whole = client.output(&job).header("Range", "bytes 0-9/10").send();
    assert_eq!((whole.status, whole.body.length), (200, 6_815_744));
    let (status, code, _) = client
        .output(&job)
        .header("Range", "bytes=6815744-6815750")
        .refused();
    assert_eq!(
        (status, code.as_str()),
        (400, "InvalidParameterValueException")
    );
}

/// IJ-RANGE-*, GJO-RANGE-001, GJO-RANGE-003, GJO-HASH-003, GJO-HASH-005, DJ-AR-007, DJ-AR-008.
#[test]
fn a_ranged_retrieval_gives_the_range_and_nothing_else() {
    let client = client();
    let content = Content::from(generated(5, 5 * MIB + 10));
    let archive = client.upload(generated(5, 5 * MIB + 10), None);
    let start = |range: &str| {
        client.job(
            json!({"Type": "archive-retrieval", "ArchiveId": archive, "RetrievalByteRange": range}),
        )
    };
    let (aligned, loose) = (start("2097152-4194303"), start("1048576-3145727"));
    client.wait();
    let output = client
        .output(&aligned)
        .header("Range", "bytes=1048576-9999999")
        .send();
    assert_eq!(
        header(&output, "content-range"),
        "bytes 1048576-2097151/2097152"
    );
    let fourth = content.slice(ByteRange::new(3 * MIB, 4 * MIB).unwrap());
    assert!(output.body.equals(&fourth));
    assert_eq!(
        header(&output, "x-amz-sha256-tree-hash"),
        fourth.tree_hash().to_string()
    );
    let output = client.output(&loose).send();
    assert_eq!(output.body.length, 2 * MIB);
    assert_eq!(output.headers.value("x-amz-sha256-tree-hash"), None);
    let described = |job: &str| client.document(&format!("/-/vaults/v/jobs/{job}"));
    let range = content.slice(ByteRange::new(2 * MIB, 4 * MIB).unwrap());
    assert_eq!(
        described(&aligned)["SHA256TreeHash"],
        range.tree_hash().to_string()
    );
    assert_eq!(described(&loose)["SHA256TreeHash"], Value::Null);
    for bad in ["1-1048576", "0-1048576", "0-9999999999", "abc", "1048575-0"] {
        let body =
            json!({"Type": "archive-retrieval", "ArchiveId": archive, "RetrievalByteRange": bad});
        assert_eq!(
            client
                .call("POST", "/-/vaults/v/jobs")
                .json(&body)
                .refused()
                .0,
            400,
            "{bad}"
        );
    }
}

/// DA-EFFECT-001, DA-EFFECT-002.
#[test]
fn what_was_retrieved_outlives_its_archive() {
    let client = client();
    let archive = client.upload(generated(6, 100), None);
    let body = json!({"Type": "archive-retrieval", "ArchiveId": archive});
    let done = client.job(body.clone());
    client.wait();
    let working = client.job(body.clone());
    let delete = format!("/-/vaults/v/archives/{archive}");
    assert_eq!(client.call("DELETE", &delete).send().status, 204);
    client.wait();
    assert_eq!(client.output(&done).send().body.length, 100);
    let described = client.document(&format!("/-/vaults/v/jobs/{working}"));
    assert_eq!(
        (&described["StatusCode"], &described["Completed"]),
        (&json!("Failed"), &json!(true))
    );
    assert_eq!(client.output(&working).refused().0, 400);
    let (status, code, message) = client
        .call("POST", "/-/vaults/v/jobs")
        .json(&body)
        .refused();
    assert_eq!((status, code.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(message, format!("The archive ID was not found: {archive}"));
}

/// INV-*, DSV-INV-005, DJ-INV-002.
#[test]
fn inventories_list_what_there_is_in_json_and_csv() {
    let client = client();
    let one = client.upload(Payload::Text("one".to_owned()), Some("say \"1,2\" \\"));
    let two = client.upload(generated(7, 2 * MIB), None);
    let job = client.job(json!({"Type": "inventory-retrieval"}));
    let csv = client.job(json!({"Type": "inventory-retrieval", "Format": "CSV"}));
    client.upload(generated(8, 5), None);
    client.wait();
    let output = client.output(&job).send();
    assert_eq!(header(&output, "content-type"), "application/json");
    assert_eq!(output.headers.value("x-amz-sha256-tree-hash"), None);
    let inventory = output.body.json().unwrap();
    assert_eq!(inventory["VaultARN"], ARN);
    let archives = inventory["ArchiveList"].as_array().unwrap();
    assert_eq!(
        (
            archives.len(),
            &archives[0]["ArchiveId"],
            &archives[1]["ArchiveId"]
        ),
        (2, &json!(one), &json!(two))
    );
    assert_eq!(archives[1]["ArchiveDescription"], "");
    assert_eq!(
        (&archives[0]["Size"], &archives[0]["SHA256TreeHash"]),
        (&json!(3), &json!(sha256(b"one").to_string()))
    );
    let described = client.document(&format!("/-/vaults/v/jobs/{job}"));
    assert_eq!(described["InventorySizeInBytes"], output.body.length);
    assert_eq!(described["InventoryRetrievalParameters"]["Format"], "JSON");
    let output = client.output(&csv).send();
    assert_eq!(header(&output, "content-type"), "text/csv");
    let text = output.body.text().unwrap();
    assert!(text.starts_with("ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n"));
    assert!(
        text.contains(&format!("{one},\"say \\\"1,2\\\" \\\",")),
        "{text}"
    );
    let vault = client.document("/-/vaults/v");
    assert_eq!(
        (&vault["NumberOfArchives"], &vault["SizeInBytes"]),
        (&json!(2), &json!(2 * MIB + 3 + 65_536))
    );
}

/// IJ-INV-008, IJ-INV-010, IJ-INV-014: also when the marked archive is gone by then.
#[test]
fn an_inventory_is_walked_by_its_marker() {
    let client = client();
    let ids: Vec<String> = (0..5)
        .map(|seed| client.upload(generated(seed, 9), None))
        .collect();
    let mut seen = Vec::new();
    let mut marker = Value::Null;
    loop {
        let parameters = json!({"Limit": "2", "Marker": marker});
        let job = client.job(
            json!({"Type": "inventory-retrieval", "InventoryRetrievalParameters": parameters}),
        );
        client.wait();
        let page = client.output(&job).send().body.json().unwrap();
        let listed = page["ArchiveList"].as_array().unwrap();
        seen.extend(
            listed
                .iter()
                .map(|entry| entry["ArchiveId"].as_str().unwrap().to_owned()),
        );
        marker = client.document(&format!("/-/vaults/v/jobs/{job}"))["InventoryRetrievalParameters"]["Marker"].clone();
        let Some(gone) = marker.as_str() else { break };
        client
            .call("DELETE", &format!("/-/vaults/v/archives/{gone}"))
            .send();
    }
    assert_eq!(seen, ids);
}

/// LV-*, COM-PAGE-*.
#[test]
fn vaults_are_listed_in_ascii_order_ten_at_a_time() {
    let client = client();
    for name in ["b", "B", "a", "-", "0", "_", "c", "d", "e", "f", "g"] {
        assert_eq!(
            client
                .call("PUT", &format!("/-/vaults/{name}"))
                .send()
                .status,
            201
        );
    }
    let names = |page: &Value| -> Vec<String> {
        let list = page["VaultList"].as_array().unwrap();
        list.iter()
            .map(|vault| vault["VaultName"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = client.document("/-/vaults?limit=1000");
    assert_eq!(
        names(&first),
        ["-", "0", "B", "_", "a", "b", "c", "d", "e", "f"]
    );
    let marker = first["Marker"].as_str().unwrap();
    assert_eq!(marker, "arn:aws:glacier:us-east-1:123456789012:vaults/f");
    client.call("DELETE", "/-/vaults/f").send();
    let rest = client.document(&format!("/-/vaults?marker={marker}"));
    assert_eq!(
        (names(&rest), &rest["Marker"]),
        (vec!["g".to_owned(), "v".to_owned()], &Value::Null)
    );
    assert_eq!(names(&client.document("/-/vaults?marker=&limit=1")), ["-"]);
    for bad in ["limit=0", "limit=abc", "marker=nonsense"] {
        assert_eq!(
            client.call("GET", &format!("/-/vaults?{bad}")).refused().0,
            400,
            "{bad}"
        );
    }
}

/// LJ-*.
#[test]
fn jobs_are_listed_filtered_and_then_paged() {
    let client = client();
    let inventory = json!({"Type": "inventory-retrieval"});
    let done: Vec<String> = (0..3).map(|_| client.job(inventory.clone())).collect();
    client.wait();
    let working = client.job(inventory);
    let ids = |query: &str| -> Vec<String> {
        let list = client.document(&format!("/-/vaults/v/jobs?{query}"));
        let jobs = list["JobList"].as_array().unwrap();
        jobs.iter()
            .map(|job| job["JobId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids("statuscode=InProgress"), std::slice::from_ref(&working));
    assert_eq!(ids("completed=true&statuscode=Succeeded").len(), 3);
    assert_eq!(ids("completed=true&statuscode=InProgress").len(), 0);
    assert_eq!(ids("")[0], working, "newest first");
    let mut walked = Vec::new();
    let mut marker = String::new();
    loop {
        let page = client.document(&format!(
            "/-/vaults/v/jobs?completed=true&limit=1&marker={marker}"
        ));
        walked.push(page["JobList"][0]["JobId"].as_str().unwrap().to_owned());
        let Some(next) = page["Marker"].as_str() else {
            break;
        };
        marker = next.to_owned();
    }
    walked.sort();
    let mut done = done;
    done.sort();
    assert_eq!(walked, done);
    let (status, code, _) = client
        .call("GET", "/-/vaults/v/jobs?statuscode=finished")
        .refused();
    assert_eq!(
        (status, code.as_str()),
        (400, "InvalidParameterValueException")
    );
}

/// ATV-*, LTV-*, RTV-*.
#[test]
fn tags_are_merged_limited_and_removed() {
    let client = client();
    let add = |tags: Value| {
        let call = client.call("POST", "/-/vaults/v/tags?operation=add");
        call.json(&json!({ "Tags": tags })).send()
    };
    assert_eq!(client.document("/-/vaults/v/tags"), json!({"Tags": {}}));
    assert_eq!(add(json!({"a": "1", "b": ""})).status, 204);
    assert_eq!(add(json!({"a": "2"})).status, 204);
    assert_eq!(
        client.document("/-/vaults/v/tags"),
        json!({"Tags": {"a": "2", "b": ""}})
    );
    for group in 0..5 {
        let tags: Value = (0..10)
            .map(|n| (format!("t{group}{n}"), json!("x")))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let reply = add(tags);
        match group {
            0..4 => assert_eq!(reply.status, 204),
            _ => {
                assert_eq!(
                    reply.error_code().as_deref(),
                    Some("LimitExceededException")
                );
                assert_eq!(reply.status, 400);
            }
        }
    }
    for operation in ["", "?operation=ad", "?operation=delete"] {
        let call = client.call("POST", &format!("/-/vaults/v/tags{operation}"));
        assert_eq!(
            call.json(&json!({"TagKeys": ["a"]})).refused().0,
            400,
            "{operation}"
        );
    }
    let remove = client.call("POST", "/-/vaults/v/tags?operation=remove");
    assert_eq!(
        remove
            .json(&json!({"TagKeys": ["b", "nothing"]}))
            .send()
            .status,
        204
    );
    assert_eq!(
        client.document("/-/vaults/v/tags")["Tags"]["b"],
        Value::Null
    );
}

const DENY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"glacier:DeleteArchive","Resource":"*"}]}"#;

/// IVL-*, GVL-*, AVL-*, CVL-*, VL-EFFECT-001.
#[test]
fn a_lock_is_tried_aborted_and_completed() {
    let client = client();
    let uri = "/-/vaults/v/lock-policy";
    let initiate = || client.call("POST", uri).json(&json!({ "Policy": DENY }));
    assert_eq!(client.call("GET", uri).refused().0, 404);
    let first = header(&initiate().send(), "x-amz-lock-id");
    assert_eq!(initiate().refused().0, 403);
    let archive = client.upload(generated(1, 1), None);
    let delete = format!("/-/vaults/v/archives/{archive}");
    assert_eq!(client.call("DELETE", &delete).refused().0, 403);
    let lock = client.document(uri);
    assert_eq!(
        (&lock["State"], &lock["Policy"]),
        (&json!("InProgress"), &json!(DENY))
    );
    assert_eq!(client.call("DELETE", uri).send().status, 204);
    let second = header(&initiate().send(), "x-amz-lock-id");
    let complete = |id: &str| client.call("POST", &format!("{uri}/{id}"));
    assert_eq!(complete(&first).refused().0, 400);
    assert_eq!(complete(&second).send().status, 204);
    assert_eq!(complete(&second).send().status, 204);
    assert_eq!(complete(&first).refused().0, 403);
    assert_eq!(client.call("DELETE", uri).refused().0, 403);
    let lock = client.document(uri);
    assert_eq!(
        (&lock["State"], &lock["ExpirationDate"]),
        (&json!("Locked"), &Value::Null)
    );
}

/// CVL-EXP-001.
#[test]
fn a_lock_that_is_not_completed_ends_after_a_day() {
    let client = client();
    let uri = "/-/vaults/v/lock-policy";
    let reply = client
        .call("POST", uri)
        .json(&json!({ "Policy": DENY }))
        .send();
    assert_eq!(reply.status, 201);
    (0..25).for_each(|_| client.wait());
    assert_eq!(client.call("GET", uri).refused().0, 404);
}

/// SAP-*, GAP-*, DAP-*, SVN-*, GVN-*, DVN-*.
#[test]
fn policies_and_notifications_come_back_as_they_were_set() {
    let client = client();
    let policy = "/-/vaults/v/access-policy";
    let (status, _, message) = client.call("GET", policy).refused();
    assert_eq!(
        (status, message),
        (404, format!("No vault access policy is set for: {ARN}"))
    );
    assert_eq!(
        client
            .call("PUT", policy)
            .json(&json!({ "Policy": DENY }))
            .send()
            .status,
        204
    );
    assert_eq!(client.document(policy), json!({ "Policy": DENY }));
    assert_eq!(client.call("DELETE", policy).send().status, 204);
    assert_eq!(client.call("DELETE", policy).send().status, 204);
    let topic = "/-/vaults/v/notification-configuration";
    let (status, _, message) = client.call("GET", topic).refused();
    assert_eq!(
        (status, message),
        (
            404,
            format!("No notification configuration is set for vault: {ARN}")
        )
    );
    let set = json!({"SNSTopic": "arn:aws:sns:us-east-1:123456789012:t", "Events": ["InventoryRetrievalCompleted"]});
    assert_eq!(client.call("PUT", topic).json(&set).send().status, 204);
    assert_eq!(client.document(topic), set);
    let wrong = json!({"SNSTopic": "arn:aws:sns:us-east-1:123456789012:t", "Events": ["Nothing"]});
    assert_eq!(client.call("PUT", topic).json(&wrong).refused().0, 400);
    assert_eq!(client.call("DELETE", topic).send().status, 204);
    assert_eq!(client.call("GET", topic).refused().0, 404);
}

/// SDRP-*, GDRP-*, PPC-*, LPC-*.
#[test]
fn the_account_has_a_retrieval_policy_and_two_units_of_capacity() {
    let client = client();
    let uri = "/-/policies/data-retrieval";
    let rule = |rule: Value| json!({"Policy": {"Rules": [rule]}});
    assert_eq!(client.document(uri), rule(json!({"Strategy": "None"})));
    let hourly =
        rule(json!({"BytesPerHour": 9_223_372_036_854_775_807_u64, "Strategy": "BytesPerHour"}));
    assert_eq!(client.call("PUT", uri).json(&hourly).send().status, 204);
    assert_eq!(client.document(uri), hourly);
    let wrong = rule(json!({"BytesPerHour": 1, "Strategy": "FreeTier"}));
    assert_eq!(client.call("PUT", uri).json(&wrong).refused().0, 400);
    let buy = || client.call("POST", "/-/provisioned-capacity");
    let ids = [
        header(&buy().send(), "x-amz-capacity-id"),
        header(&buy().send(), "x-amz-capacity-id"),
    ];
    assert_eq!(buy().refused().1, "LimitExceededException");
    let listed = client.document("/-/provisioned-capacity");
    assert_eq!(
        listed["ProvisionedCapacityList"][0]["CapacityId"],
        ids[0].as_str()
    );
    assert_eq!(
        listed["ProvisionedCapacityList"][1]["CapacityId"],
        ids[1].as_str()
    );
}

/// CV-NAME-007, LV-SCOPE-001, COM-ACC-005.
#[test]
fn regions_are_worlds_of_their_own() {
    let mut client = client();
    client.region = Some("cn-north-1");
    assert_eq!(client.document("/-/vaults")["VaultList"], json!([]));
    assert_eq!(client.call("PUT", "/-/vaults/w").send().status, 201);
    let vault = client.document("/-/vaults/w");
    assert_eq!(
        vault["VaultARN"],
        "arn:aws-cn:glacier:cn-north-1:123456789012:vaults/w"
    );
    client.region = None;
    assert_eq!(client.call("GET", "/-/vaults/w").refused().0, 404);
}

/// DJ-RETAIN-001, GJO-STATE-005.
#[test]
fn a_job_is_kept_for_a_day() {
    let client = client();
    let job = client.job(json!({"Type": "inventory-retrieval"}));
    (0..24).for_each(|_| client.wait());
    assert_eq!(client.output(&job).send().status, 200);
    (0..3).for_each(|_| client.wait());
    let (status, _, message) = client.output(&job).refused();
    assert_eq!(
        (status, message),
        (404, format!("The job ID was not found: {job}"))
    );
}

/// A policy of this server: bytes that cannot be described are limited.
#[test]
fn a_full_store_takes_generated_payloads_only() {
    let client = Client::new(Options {
        max_store: 1000,
        ..Options::default()
    });
    let upload = |payload| {
        client
            .call("POST", "/-/vaults/v/archives")
            .content(Content::from(payload))
            .send()
    };
    assert_eq!(upload(Payload::Text("x".repeat(1000))).status, 201);
    let reply = upload(Payload::Text("y".to_owned()));
    assert_eq!(
        reply.error_code().as_deref(),
        Some("LimitExceededException")
    );
    assert_eq!(upload(generated(1, 64 * MIB)).status, 201);
}

/// A policy of this server: what is over, or was replaced, makes room for other bytes.
#[test]
fn a_full_store_has_room_again_when_uploads_are_over() {
    let client = Client::new(Options {
        max_store: 2 * MIB + 1000,
        ..Options::default()
    });
    let begin = || {
        let call = client.call("POST", "/-/vaults/v/multipart-uploads");
        let begun = call.header("x-amz-part-size", &MIB.to_string()).send();
        let id = header(&begun, "x-amz-multipart-upload-id");
        format!("/-/vaults/v/multipart-uploads/{id}")
    };
    let put = |upload: &str| {
        let content = Content::from(Payload::Text("x".repeat(MIB as usize)));
        let range = format!("bytes 0-{}/*", MIB - 1);
        let call = client.call("PUT", upload).header("content-range", &range);
        call.content(content).send().status
    };
    let (first, second, third) = (begin(), begin(), begin());
    assert_eq!(put(&first), 204);
    assert_eq!(put(&first), 204);
    assert_eq!(put(&second), 204, "a part that was replaced holds nothing");
    assert_eq!(put(&third), 400, "there is no room for three");
    assert_eq!(client.call("DELETE", &first).send().status, 204);
    assert_eq!(put(&third), 204, "an upload that was aborted holds nothing");
    (0..26).for_each(|_| client.wait());
    let last = begin();
    assert_eq!(put(&last), 204, "an upload that expired holds nothing");
}

fn keys() -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
    }
}

fn signed(mut request: Request, offset_millis: i64) -> Request {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let time = crevasse_core::amz_date::Timestamp(now.as_millis() as i64 + offset_millis);
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
    let value = sigv4::authorization(head, &sha256(b"").to_string(), &keys(), &scope);
    request.headers.push("Authorization", value);
    request
}

/// AUTH-SIG-*.
#[test]
fn signatures_are_enforced_when_asked_for() {
    let client = client();
    let service = crevasse_reference::Service::new(Options {
        require_auth: Some(keys()),
        ..Options::default()
    });
    let answer = |request: &Request| {
        let reply = service.exchange(request);
        let reply = reply.response().unwrap();
        (reply.status, reply.error_code().unwrap_or_default())
    };
    let list = || client.call("GET", "/-/vaults?limit=1").request();
    assert_eq!(
        answer(&list()),
        (400, "MissingAuthenticationTokenException".to_owned())
    );
    assert_eq!(answer(&signed(list(), 0)).0, 200);
    assert_eq!(
        answer(&signed(list(), -600_000)),
        (403, "InvalidSignatureException".to_owned())
    );
    let mut changed = signed(list(), 0);
    changed.query = "limit=2".to_owned();
    assert_eq!(
        answer(&changed),
        (403, "InvalidSignatureException".to_owned())
    );
}
