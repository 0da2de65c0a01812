//! What symbolic names stand for: bound by the hand when a target gives an id, looked up when a request needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crevasse_core::payload::Content;
use crevasse_core::scenario::{Action, JsonBody, Ref};
use crevasse_core::spec::OperationName;

/// Why a step cannot be sent: a lowercase fragment.
pub(crate) type Obstacle = String;

/// Characters of an id that are changed to make one that was never issued.
const CHANGED: usize = 8;

/// The symbol table of one case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    /// `vault:v`, `archive:a`, `archive:?a`, … to the characters sent.
    bindings: Arc<IndexMap<String, String>>,
    /// `Location` by binding.
    locations: BTreeMap<String, String>,
    /// Parts acknowledged, by upload handle and first byte.
    parts: BTreeMap<String, BTreeMap<u64, Content>>,
    /// Tiers asked for, by job handle.
    tiers: BTreeMap<String, String>,
    /// The `Marker` of the latest reply, by list operation.
    markers: BTreeMap<OperationName, Option<String>>,
    /// Creation dates that inventories told, by archive id.
    created: BTreeMap<String, String>,
    /// Where the inventory of a job goes on, by handle.
    continued: BTreeMap<String, String>,
    /// What the names of vaults begin with.
    stem: String,
    account: Option<String>,
    region: String,
    /// What every `${topic:…}` stands for, where topics must exist.
    topic: Option<String>,
}

impl Symbols {
    /// An empty table. `stem` is what the names of this case's vaults begin with, up to and with a hyphen.
    pub(crate) fn new(stem: String, account: Option<String>, region: String) -> Self {
        let mut symbols = Self {
            stem,
            region,
            ..Self::default()
        };
        if let Some(account) = account {
            symbols.put("account".to_owned(), &account);
            symbols.account = Some(account);
        }
        symbols
    }

    /// The same, with one topic for all.
    pub(crate) fn with_topic(mut self, topic: Option<String>) -> Self {
        self.topic = topic;
        self
    }

    /// The target told the account's number, in a path or an ARN. The first telling counts.
    pub(crate) fn note_account(&mut self, told: &str) {
        let is_number =
            |part: &&str| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit());
        if self.account.is_none()
            && let Some(number) = told.split(['/', ':']).find(is_number)
        {
            self.put("account".to_owned(), number);
            self.account = Some(number.to_owned());
        }
    }

    /// What the names of this case's vaults begin with.
    pub(crate) fn stem(&self) -> &str {
        &self.stem
    }

    /// The account's 12 digits, if they are known.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The table as it stands, to be written beside a request.
    pub(crate) fn bindings(&self) -> Arc<IndexMap<String, String>> {
        Arc::clone(&self.bindings)
    }

    /// What a handle stands for, if it was bound.
    pub(crate) fn bound(&self, kind: &str, handle: &str) -> Option<&str> {
        self.bindings
            .get(&format!("{kind}:{handle}"))
            .map(String::as_str)
    }

    /// Binds a handle, and remembers the `Location` of what it names.
    pub(crate) fn bind(&mut self, kind: &str, handle: &str, id: &str, location: Option<&str>) {
        let key = format!("{kind}:{handle}");
        if let Some(location) = location {
            self.locations.insert(key.clone(), location.to_owned());
        }
        // What was like the former one may be the present one.
        let like = format!("{kind}:?{handle}");
        if self.bindings.contains_key(&like) {
            Arc::make_mut(&mut self.bindings).shift_remove(&like);
        }
        self.put(key, id);
    }

    /// Binds what was bound in an earlier performance of the case.
    pub(crate) fn bind_again(&mut self, bindings: &IndexMap<String, String>) {
        for (key, value) in bindings {
            self.put(key.clone(), value);
        }
    }

    fn put(&mut self, key: String, value: &str) {
        if self.bindings.get(&key).map(String::as_str) != Some(value) {
            Arc::make_mut(&mut self.bindings).insert(key, value.to_owned());
        }
    }

    /// The `Location` the target gave for what a reference names.
    pub(crate) fn location(&self, kind: &str, named: &Ref) -> Option<&str> {
        self.locations
            .get(&format!("{kind}:{named}"))
            .map(String::as_str)
    }

    /// Finds the characters that a reference stands for.
    pub(crate) fn resolve(&mut self, kind: &str, named: &Ref) -> Result<String, Obstacle> {
        let found = match named {
            Ref::Literal(text) => return self.fill(text),
            Ref::Handle(handle) => self.bound(kind, handle).map(str::to_owned),
            Ref::UnknownLike(handle) => self.unknown_like(kind, handle),
        };
        let found = found.ok_or_else(|| format!("the {kind} `{named}` was never made"))?;
        self.put(format!("{kind}:{named}"), &found);
        Ok(found)
    }

    /// An id shaped like that of a handle, but never issued. A vault's keeps our prefix: any other name may be somebody's.
    fn unknown_like(&self, kind: &str, handle: &str) -> Option<String> {
        if let Some(known) = self.bound(kind, &format!("?{handle}")) {
            return Some(known.to_owned());
        }
        if kind != "vault" {
            return self.bound(kind, handle).map(another_id);
        }
        let ours = self
            .bound(kind, handle)
            .filter(|name| name.starts_with(&self.stem));
        let name = ours.map_or_else(|| format!("{}{handle}", self.stem), str::to_owned);
        let tail = another_id(&name[self.stem.len()..]);
        Some(format!("{}{tail}-none", &self.stem))
    }

    /// Replaces each `${…}` that names something of the target; others, such as policy variables, stay.
    pub(crate) fn fill(&mut self, text: &str) -> Result<String, Obstacle> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let stands_for = match after.split_once('}') {
                Some((name, tail)) => self.variable(name)?.map(|value| (value, tail)),
                None => None,
            };
            match stands_for {
                Some((value, tail)) => {
                    filled.push_str(&value);
                    rest = tail;
                }
                None => {
                    filled.push_str("${");
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn variable(&mut self, name: &str) -> Result<Option<String>, Obstacle> {
        let (kind, of) = name.split_once(':').unwrap_or((name, ""));
        match kind {
            "vault" | "archive" | "job" | "upload" | "lock" => {
                self.resolve(kind, &Ref::from(of)).map(Some)
            }
            "account" if of.is_empty() => self.number().map(Some),
            "arn" => {
                let (account, vault) = (self.number()?, self.resolve("vault", &Ref::from(of))?);
                Ok(Some(format!(
                    "arn:aws:glacier:{}:{account}:vaults/{vault}",
                    self.region
                )))
            }
            "topic" => self.topic(of).map(Some),
            "created" => {
                let id = self.resolve("archive", &Ref::from(of))?;
                let date = self.created.get(&id).cloned();
                date.map(Some).ok_or_else(|| {
                    format!("no inventory has told when the archive `{of}` was made")
                })
            }
            "marker" => {
                let marker = self.continued.get(of).cloned();
                marker
                    .map(Some)
                    .ok_or_else(|| format!("the inventory of the job `{of}` does not go on"))
            }
            _ => Ok(None),
        }
    }

    fn topic(&self, name: &str) -> Result<String, Obstacle> {
        if let Some(topic) = &self.topic {
            return Ok(topic.clone());
        }
        let account = self.number()?;
        Ok(format!("arn:aws:sns:{}:{account}:{name}", self.region))
    }

    fn number(&self) -> Result<String, Obstacle> {
        self.account
            .clone()
            .ok_or_else(|| "the target never told the account's number".to_owned())
    }

    /// Writes a JSON body as it is sent; `None` for no body.
    pub(crate) fn body(&mut self, body: &JsonBody) -> Result<Option<String>, Obstacle> {
        match body {
            JsonBody::Absent => Ok(None),
            JsonBody::Text(text) => self.fill(text).map(Some),
            JsonBody::Json(value) => {
                let mut value = value.clone();
                self.fill_value(&mut value)?;
                Ok(Some(value.to_string()))
            }
        }
    }

    fn fill_value(&mut self, value: &mut Value) -> Result<(), Obstacle> {
        match value {
            Value::String(text) if text.contains("${") => *text = self.fill(text)?,
            Value::Array(items) => items
                .iter_mut()
                .try_for_each(|item| self.fill_value(item))?,
            Value::Object(members) => members
                .values_mut()
                .try_for_each(|member| self.fill_value(member))?,
            _ => {}
        }
        Ok(())
    }

    /// A part was acknowledged.
    pub(crate) fn add_part(&mut self, upload: &str, start: u64, content: &Content) {
        self.parts
            .entry(upload.to_owned())
            .or_default()
            .insert(start, content.clone());
    }

    /// The parts of an upload in ascending order, as one content, where it is one; of one that was never issued, those of the one it is like.
    pub(crate) fn assembled(&self, upload: &Ref) -> Content {
        let (Ref::Handle(handle) | Ref::UnknownLike(handle) | Ref::Literal(handle)) = upload;
        let parts: Vec<Content> = self
            .parts
            .get(handle)
            .into_iter()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect();
        Content::try_concat(&parts).unwrap_or_else(Content::empty)
    }

    /// A job was accepted.
    pub(crate) fn note_tier(&mut self, job: &str, tier: Option<&str>) {
        self.tiers
            .extend(tier.map(|tier| (job.to_owned(), tier.to_owned())));
    }

    /// The tier a job was asked for with.
    pub(crate) fn tier(&self, job: &Ref) -> Option<&str> {
        self.tiers.get(job.handle()?).map(String::as_str)
    }

    /// A list was answered.
    pub(crate) fn note_marker(&mut self, list: &Action, marker: Option<String>) {
        self.markers
            .extend(list.operation().map(|list| (list, marker)));
    }

    /// The vault an action names by its characters is one this run made.
    pub(crate) fn own(&mut self, action: &Action) {
        if let Some(Ref::Literal(name)) = action.vault() {
            self.put("vault:own".to_owned(), name);
        }
    }

    /// Whether this is the name of a vault of this case.
    pub(crate) fn is_vault(&self, name: &str) -> bool {
        self.bindings
            .iter()
            .any(|(key, value)| key.starts_with("vault:") && value == name)
    }

    /// The `Marker` of the latest reply of a list operation.
    pub(crate) fn previous_marker(&self, list: OperationName) -> Result<String, Obstacle> {
        let marker = self.markers.get(&list).cloned().flatten();
        marker.ok_or_else(|| format!("the latest answer to {list} gave no Marker"))
    }

    /// An inventory was read.
    pub(crate) fn note_inventory(&mut self, document: &Value) {
        let entries = document.get("ArchiveList").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            self.created
                .extend(text("ArchiveId").zip(text("CreationDate")));
        }
    }

    /// A job was described.
    pub(crate) fn note_description(&mut self, job: &str, document: &Value) {
        let marker = [
            "/NextInventoryRetrievalMarker",
            "/InventoryRetrievalParameters/Marker",
        ]
        .iter()
        .find_map(|place| document.pointer(place)?.as_str());
        match marker {
            Some(marker) => self.continued.insert(job.to_owned(), marker.to_owned()),
            None => self.continued.remove(job),
        };
    }
}

/// Where a part says it begins, when its `Content-Range` is of the documented form.
pub(crate) fn start_of(content_range: &str) -> Option<u64> {
    let (first, _) = content_range.strip_prefix("bytes ")?.split_once('-')?;
    first.parse().ok()
}

/// Changes the last characters of an id into others that occur in it, or at least into others of their kind.
fn another_id(id: &str) -> String {
    let mut characters: Vec<char> = id.chars().collect();
    let places = (0..characters.len())
        .rev()
        .filter(|place| characters[*place].is_ascii_alphanumeric());
    for place in places.take(CHANGED).collect::<Vec<_>>() {
        characters[place] = another(characters[place], id);
    }
    characters.into_iter().collect()
}

fn another(character: char, id: &str) -> char {
    let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase());
    let fits = |c: &char| c.is_ascii_alphanumeric() && *c != character;
    let occurring: BTreeSet<char> = id.chars().filter(fits).collect();
    let alike: Vec<char> = occurring
        .iter()
        .copied()
        .filter(|c| kind(*c) == kind(character))
        .collect();
    let choice = if alike.is_empty() {
        occurring.into_iter().collect()
    } else {
        alike
    };
    let later = choice.iter().find(|c| **c > character);
    later
        .or(choice.first())
        .copied()
        .unwrap_or(if character == '0' { '1' } else { '0' })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::payload::Payload;
    use crevasse_core::range::ByteRange;

    fn symbols() -> Symbols {
        let mut symbols = Symbols::new(
            "crevasse-x7k2p9-a-".to_owned(),
            Some("012345678901".to_owned()),
            "us-east-1".to_owned(),
        );
        symbols.bind(
            "vault",
            "v",
            "crevasse-x7k2p9-a-v",
            Some("/012345678901/vaults/crevasse-x7k2p9-a-v"),
        );
        symbols.bind(
            "archive",
            "a",
            "NkbByEejwEggmBz2fTHgJrg0XBoDfjP4q6iu87-TjhqG6eGoOY9Z8i1",
            None,
        );
        symbols
    }

    #[test]
    fn an_unknown_id_has_the_length_and_alphabet_of_a_known_one() {
        let mut symbols = symbols();
        let known = symbols.resolve("archive", &Ref::from("a")).unwrap();
        let unknown = symbols.resolve("archive", &Ref::from("?a")).unwrap();
        let changed = known
            .chars()
            .zip(unknown.chars())
            .filter(|(a, b)| a != b)
            .count();
        assert!(changed >= 6 && known.len() == unknown.len(), "{unknown}");
        assert!(unknown.chars().all(|c| known.contains(c)));
        assert_eq!(
            symbols.resolve("archive", &Ref::from("?a")).unwrap(),
            unknown
        );
        assert_eq!(symbols.bindings()["archive:?a"], unknown);
        assert!(
            another_id("0a0a0a0a0a0a0a")
                .chars()
                .all(|c| c.is_ascii_hexdigit())
        );
        assert_ne!(another_id("7"), "7");
    }

    #[test]
    fn an_unknown_vault_stays_under_our_prefix_whatever_the_known_one_is_called() {
        let mut symbols = symbols();
        symbols.bind("vault", "short", "x", None);
        for like in ["?v", "?short", "?never-made"] {
            let name = symbols.resolve("vault", &Ref::from(like)).unwrap();
            assert!(
                name.starts_with("crevasse-x7k2p9-a-") && name.len() > 18,
                "{name}"
            );
            assert_ne!(name, "crevasse-x7k2p9-a-v");
        }
    }

    #[test]
    fn variables_are_filled_in_and_policy_variables_stay() {
        let mut symbols = symbols();
        for (text, filled) in [
            ("${vault:v}", "crevasse-x7k2p9-a-v"),
            (
                "${arn:v}/*",
                "arn:aws:glacier:us-east-1:012345678901:vaults/crevasse-x7k2p9-a-v/*",
            ),
            ("${topic:t}", "arn:aws:sns:us-east-1:012345678901:t"),
            (
                "a ${aws:username} ${account} ${",
                "a ${aws:username} 012345678901 ${",
            ),
        ] {
            assert_eq!(symbols.fill(text).as_deref(), Ok(filled));
        }
        for unknown in ["${archive:b}", "${created:a}", "${marker:j}", "${job:?j}"] {
            assert!(symbols.fill(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn dates_and_markers_come_from_what_the_target_told() {
        let mut symbols = symbols();
        let id = symbols.resolve("archive", &Ref::from("a")).unwrap();
        let inventory = serde_json::json!({"ArchiveList": [{"ArchiveId": id, "CreationDate": "2012-05-15T17:19:46.700Z"}]});
        symbols.note_inventory(&inventory);
        assert_eq!(
            symbols.fill("${created:a}").as_deref(),
            Ok("2012-05-15T17:19:46.700Z")
        );
        symbols.note_description(
            "j",
            &serde_json::json!({"InventoryRetrievalParameters": {"Marker": "m"}}),
        );
        assert_eq!(symbols.fill("${marker:j}").as_deref(), Ok("m"));
    }

    #[test]
    fn parts_are_put_together_in_the_order_of_their_places() {
        let mut symbols = symbols();
        let whole = Content::from(Payload::Generated {
            seed: 1,
            length: 3 << 20,
        });
        for start in [2, 0, 1].map(|mib: u64| mib << 20) {
            let range = ByteRange::new(start, start + (1 << 20)).unwrap();
            symbols.add_part("u", start, &whole.slice(range));
        }
        assert_eq!(symbols.assembled(&Ref::from("u")), whole);
        assert_eq!(symbols.assembled(&Ref::from("?u")), whole);
        assert_eq!(symbols.assembled(&Ref::from("other")).length(), 0);
    }

    #[test]
    fn a_bound_json_body_is_written_compactly() {
        let mut symbols = symbols();
        let body = JsonBody::Json(
            serde_json::json!({"Type": "archive-retrieval", "ArchiveId": "${archive:a}", "N": [1, null]}),
        );
        let text = symbols.body(&body).unwrap().unwrap();
        assert!(
            text.starts_with(r#"{"Type":"archive-retrieval","ArchiveId":"NkbB"#),
            "{text}"
        );
        assert!(text.ends_with(r#""N":[1,null]}"#), "{text}");
    }
}
