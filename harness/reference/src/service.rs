//! The server without a socket: one request in, one answer out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use crevasse_core::amz_date::Timestamp;
use crevasse_core::model::{Expectation, Life, Made, Model, Observed, Refusal};
use crevasse_core::payload::{Content, Payload};
use crevasse_core::range::ContentRange;
use crevasse_core::scenario::{Action, Claim, JsonBody, Ref, SizeClaim, Tweak};
use crevasse_core::spec::OperationName;
use crevasse_core::treehash::sha256;
use crevasse_core::wire::{Body, FaultKind, Framing, Reply, Request, TransportFault};

use crate::fault::{Decision, Faults};
use crate::ids::{self, Ids};
use crate::page::{self, Cut};
use crate::realm::{Place, Realm};
use crate::receive::{self, Received};
use crate::render::{self, Answer, Draft, Effect, Output, Refused, Told};
use crate::route::{self, RequestHead, Route};
use crate::{Clock, Options, auth, clock};

/// How much of a refused body is read so that its sender gets to see the refusal.
const DISCARDED: u64 = 64 << 20;

/// A Glacier server, without a socket. Clones are the same server.
///
/// See the crate for an example.
#[derive(Clone, Debug)]
pub struct Service {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    clock: Clock,
    ids: Ids,
    realms: Mutex<BTreeMap<String, Arc<Mutex<Realm>>>>,
    faults: Faults,
}

/// A request as it is understood.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Whether the body has not come yet.
    pub(crate) early: bool,
    pub(crate) head: RequestHead,
    pub(crate) route: Route,
    pub(crate) region: String,
    /// What is asked for. A request that is no operation is [`Action::Other`].
    pub(crate) action: Action,
    pub(crate) tweak: Tweak,
    /// Bytes of the body that are kept as such.
    pub(crate) held: u64,
    /// What stands for the body in the signature.
    pub(crate) payload_hash: Option<String>,
    /// Another largest page than that of the documents: for faults.
    pub(crate) largest_page: Option<usize>,
}

impl Asked {
    /// The handle of the vault the request goes through; empty when there is none.
    pub(crate) fn vault(&self) -> &str {
        self.action
            .vault()
            .and_then(Ref::handle)
            .unwrap_or_default()
    }

    fn operation(&self) -> Option<OperationName> {
        self.route.operation.as_ref().ok().copied()
    }

    fn stores(&self) -> bool {
        self.operation().is_some_and(route::stores)
    }

    /// Understands the request anew, now that its body has come.
    fn complete(&mut self, received: &Received) {
        self.early = false;
        if let Some(operation) = self.operation() {
            self.action = route::action(operation, &self.route, &self.head, received);
        }
        if let Received::Content(content) = received {
            self.held = kept_as_such(content);
        }
        // A body that means nothing to the operation was signed all the same.
        self.payload_hash = match received {
            Received::Text(text) if !self.stores() => Some(sha256(text.as_bytes()).to_string()),
            _ => self.hash_of_payload(),
        };
    }

    /// What stands for the body in the signature: of an upload the checksum it claims.
    fn hash_of_payload(&self) -> Option<String> {
        if self.stores() {
            return self
                .head
                .headers
                .value("x-amz-content-sha256")
                .map(str::to_owned);
        }
        let text = match self.action.json_body() {
            Some(JsonBody::Text(text)) => text.as_str(),
            _ => "",
        };
        Some(sha256(text.as_bytes()).to_string())
    }
}

impl Service {
    /// Starts a server that knows nothing yet.
    pub fn new(options: Options) -> Self {
        let inner = Inner {
            clock: Clock::from(
                options.begins_at.unwrap_or_else(clock::wall),
                options.time_scale,
            ),
            ids: Ids::new(options.seed),
            realms: Mutex::default(),
            faults: Faults::new(&options.faults),
            options,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Hands out its clock.
    pub fn clock(&self) -> Clock {
        self.inner.clock.clone()
    }

    /// Answers a request whose body still comes. What the head alone forbids is refused before the body is asked for.
    pub async fn call<B>(&self, head: RequestHead, body: B) -> Answer
    where
        B: http_body::Body<Data = Bytes>,
    {
        let patience = self.inner.options.body_timeout;
        let mut asked = self.open(head);
        if let Some(answer) = self.refuse_early(&asked) {
            self.discard(&asked, body).await;
            return answer;
        }
        let received = if asked.stores() {
            receive::content(body, self.room(&asked.region), patience).await
        } else {
            receive::text(body, patience).await
        };
        self.close(&mut asked, &received)
    }

    /// Answers a whole request at once. A described body is taken as its description.
    pub fn exchange(&self, request: &Request) -> Reply {
        let mut asked = self.open(head_of(request));
        if let Some(answer) = self.refuse_early(&asked) {
            return render::reply(&answer);
        }
        if request.framing == Framing::Half {
            return closed();
        }
        let received = match &request.body {
            Body::Content(content) if asked.stores() => self.fitting(content, &asked),
            Body::Content(content) => Received::text(content.to_bytes()),
            Body::Text(text) if asked.stores() => {
                Received::Content(Content::from(Payload::Text(text.clone())))
            }
            Body::Text(text) => Received::Text(text.clone()),
            Body::Empty if asked.stores() => Received::Content(Content::empty()),
            Body::Empty => Received::Text(String::new()),
        };
        render::reply(&self.close(&mut asked, &received))
    }

    fn fitting(&self, content: &Content, asked: &Asked) -> Received {
        if kept_as_such(content) > self.room(&asked.region) {
            Received::Overfull
        } else {
            Received::Content(content.clone())
        }
    }

    /// Bytes that can still be kept as such.
    fn room(&self, region: &str) -> u64 {
        let held = self.locked(&self.realm(region)).holds();
        self.inner.options.max_store.saturating_sub(held)
    }

    fn realm(&self, region: &str) -> Arc<Mutex<Realm>> {
        let mut realms = self
            .inner
            .realms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Mutex::new(Realm::new(!self.inner.faults.is_empty())));
        Arc::clone(realms.entry(region.to_owned()).or_insert_with(new))
    }

    fn locked<'a>(&self, realm: &'a Mutex<Realm>) -> MutexGuard<'a, Realm> {
        realm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Understands a request by its head.
    fn open(&self, head: RequestHead) -> Asked {
        let route = Route::of(&head);
        let (action, tweak) = match route.operation {
            Ok(operation) => (
                route::action(operation, &route, &head, &Received::Awaited),
                route::tweak(operation, &head),
            ),
            Err(_) => (other(&head), Tweak::default()),
        };
        let mut asked = Asked {
            early: true,
            region: auth::region(&head.headers),
            head,
            route,
            action,
            tweak,
            held: 0,
            payload_hash: None,
            largest_page: None,
        };
        asked.payload_hash = asked.hash_of_payload();
        self.inner.faults.request(&mut asked);
        asked
    }

    /// The refusal that the head alone calls for, of uploads and of what is no operation.
    fn refuse_early(&self, asked: &Asked) -> Option<Answer> {
        if asked.operation().is_some() && !asked.stores() {
            return None;
        }
        let now = self.inner.clock.now();
        let realm = self.realm(&asked.region);
        let mut realm = self.locked(&realm);
        realm.pass(now);
        let place = self.place(asked);
        match self.decide(asked, &realm, &place, now) {
            Decision::Refuse(refused) => Some(self.refused(asked, &refused, &place, now)),
            Decision::Accept => None,
        }
    }

    async fn discard<B>(&self, asked: &Asked, body: B)
    where
        B: http_body::Body<Data = Bytes>,
    {
        let waits = asked.head.headers.value("expect").is_some();
        let short = asked
            .head
            .content_length()
            .is_none_or(|length| length <= DISCARDED);
        if !waits && short {
            let patience = self.inner.options.body_timeout.min(Duration::from_secs(2));
            receive::discard(body, patience).await;
        }
    }

    /// Answers, now that the body has come.
    fn close(&self, asked: &mut Asked, received: &Received) -> Answer {
        let now = self.inner.clock.now();
        let place = self.place(asked);
        if let Some(refused) = self.unreceived(asked, received, &place) {
            return self.refused(asked, &refused, &place, now);
        }
        asked.complete(received);
        self.inner.faults.request(asked);
        let place = self.place(asked);
        let realm = self.realm(&asked.region);
        let mut realm = self.locked(&realm);
        realm.pass(now);
        self.inner.faults.before(&mut realm, asked);
        compare_completion(&mut asked.action, &realm.model);
        match self.decide(asked, &realm, &place, now) {
            Decision::Refuse(refused) => self.refused(asked, &refused, &place, now),
            Decision::Accept => self.accepted(asked, &mut realm, &place, now),
        }
    }

    fn unreceived(&self, asked: &Asked, received: &Received, place: &Place) -> Option<Refused> {
        match received {
            Received::TimedOut => Some(refused_for(
                Refusal::RequestTimeout,
                asked,
                &Model::default(),
                place,
            )),
            Received::Overfull => Some(render::limit_of_store()),
            Received::Broken => Some(Refused::with(400, "BadRequest", "The body ended early.")),
            _ => None,
        }
    }

    fn place(&self, asked: &Asked) -> Place {
        Place {
            account: self.inner.options.account.clone(),
            region: asked.region.clone(),
        }
    }

    fn decide(&self, asked: &Asked, realm: &Realm, place: &Place, now: Timestamp) -> Decision {
        let mut reasons = self.at_the_gate(asked);
        if asked.action.operation().is_some() {
            let expected = realm.model.expect(&asked.action, &asked.tweak, now);
            reasons.extend(crate::policy::reasons(
                &asked.action,
                &expected,
                realm,
                place,
            ));
        }
        self.inner.faults.accept(&mut reasons, &asked.action);
        let mut decision = match reasons.first() {
            Some(reason) => Decision::Refuse(refused_for(*reason, asked, &realm.model, place)),
            None => Decision::Accept,
        };
        self.inner.faults.decide(&mut decision, asked, &realm.model);
        decision
    }

    /// Version, signature, account and URI, which come before any operation.
    fn at_the_gate(&self, asked: &Asked) -> Vec<Refusal> {
        let mut reasons = Vec::new();
        match asked.head.headers.value("x-amz-glacier-version") {
            None => reasons.push(Refusal::VersionMissing),
            Some("2012-06-01") => {}
            Some(_) => reasons.push(Refusal::VersionUnknown),
        }
        if let Some(known) = &self.inner.options.require_auth {
            let hash = &asked.payload_hash;
            reasons.extend(auth::refusal(
                &asked.head,
                hash.as_deref(),
                known,
                clock::wall(),
            ));
        }
        let account = asked.route.account();
        if account != "-" && account != self.inner.options.account {
            let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
            reasons.push(if digits {
                Refusal::AccountForeign
            } else {
                Refusal::AccountMalformed
            });
        }
        if asked.action.operation().is_none() {
            reasons.extend(asked.route.operation.as_ref().err());
        }
        reasons
    }

    fn refused(&self, asked: &Asked, refused: &Refused, place: &Place, now: Timestamp) -> Answer {
        let told = Told {
            asked,
            refusal: refused.reason,
            effect: None,
            place,
            now,
            page: None,
            output: None,
        };
        self.finish(render::refusal(refused), &told)
    }

    fn accepted(
        &self,
        asked: &mut Asked,
        realm: &mut Realm,
        place: &Place,
        now: Timestamp,
    ) -> Answer {
        let effect = self.take_effect(asked, realm, place, now);
        self.inner.faults.after(realm, asked, &effect);
        let page = self.page(asked, &realm.model, place);
        let output = output(&asked.action, realm);
        let told = Told {
            asked,
            refusal: None,
            effect: Some(&effect),
            place,
            now,
            page: page.as_ref(),
            output: output.as_ref(),
        };
        let draft = render::success(&told, realm).unwrap_or_else(|| {
            render::refusal(&Refused::with(
                500,
                "ServiceUnavailableException",
                "There is nothing to tell.",
            ))
        });
        self.finish(draft, &told)
    }

    fn page(&self, asked: &Asked, model: &Model, place: &Place) -> Option<Cut> {
        let asked_for = page::page_of(&asked.action)?;
        let mut entries = page::entries(&asked.action, model);
        self.inner.faults.list(&mut entries, asked, model);
        let marker = page::marker(asked_for);
        let after = marker.and_then(|marker| page::key_in(marker, &asked.action, place));
        let largest = page::largest(&asked.action);
        let limit = page::limit(asked_for, asked.largest_page.unwrap_or(largest));
        Some(page::cut(entries, after.as_deref(), limit))
    }

    /// Makes what is to be made, and lets the model follow.
    fn take_effect(
        &self,
        asked: &mut Asked,
        realm: &mut Realm,
        place: &Place,
        now: Timestamp,
    ) -> Effect {
        let made = self.make(&mut asked.action, &realm.model, place);
        let seen = Observed {
            accepted: true,
            status: 200,
            made: made.clone(),
            sent_at: now,
            done_at: now,
            ..Observed::default()
        };
        let expected = Expectation::Accept;
        realm
            .model
            .observe(&asked.action, &asked.tweak, &expected, &seen);
        self.keep_books(asked, realm, place, now);
        Effect { made, now }
    }

    /// Mints the identifier of what an action makes, and writes it into the action.
    fn make(&self, action: &mut Action, model: &Model, place: &Place) -> Option<Made> {
        let ids = &self.inner.ids;
        let vault = action
            .vault()
            .and_then(Ref::handle)
            .unwrap_or_default()
            .to_owned();
        let (id, rest) = match action {
            Action::CreateVault { .. } => (vault.clone(), String::new()),
            Action::UploadArchive { archive, .. } => {
                *archive = ids.make(ids::ARCHIVE);
                (archive.clone(), format!("/archives/{archive}"))
            }
            Action::CompleteMultipartUpload {
                vault,
                upload,
                archive,
                ..
            } => {
                let known = upload
                    .handle()
                    .and_then(|handle| model.upload(vault, handle));
                let first = known.and_then(|(_, upload)| upload.completed.clone());
                *archive = first.unwrap_or_else(|| ids.make(ids::ARCHIVE));
                (archive.clone(), format!("/archives/{archive}"))
            }
            Action::InitiateMultipartUpload { upload, .. } => {
                *upload = ids.make(ids::JOB);
                (upload.clone(), format!("/multipart-uploads/{upload}"))
            }
            Action::InitiateJob { job, .. } => {
                *job = ids.make(ids::JOB);
                (job.clone(), format!("/jobs/{job}"))
            }
            Action::InitiateVaultLock { lock, .. } => {
                *lock = ids.make(ids::LOCK);
                return Some(Made {
                    id: lock.clone(),
                    location: None,
                });
            }
            Action::PurchaseProvisionedCapacity { unit } => {
                *unit = ids.make(ids::CAPACITY);
                return Some(Made {
                    id: unit.clone(),
                    location: None,
                });
            }
            _ => return None,
        };
        Some(Made {
            id,
            location: Some(place.location(&vault, &rest)),
        })
    }

    /// What the model does not follow: who holds how many bytes, what is due, what can be forgotten.
    fn keep_books(&self, asked: &Asked, realm: &mut Realm, place: &Place, now: Timestamp) {
        let vault = asked.vault();
        match &asked.action {
            Action::UploadArchive { archive, .. } => realm.hold(archive, 0, asked.held),
            Action::UploadMultipartPart {
                upload,
                range,
                content,
                ..
            } => {
                let header = range.header(content.length());
                let place = header.and_then(|header| ContentRange::parse(&header));
                let first = place.map_or(0, |place| place.range.first());
                realm.hold(upload.handle().unwrap_or_default(), first, asked.held);
            }
            Action::CompleteMultipartUpload {
                upload, archive, ..
            } => {
                let held = realm.drop_upload(vault, upload.handle().unwrap_or_default());
                if held > 0 {
                    realm.hold(archive, 0, held);
                }
            }
            Action::AbortMultipartUpload { upload, .. } => {
                realm.drop_upload(vault, upload.handle().unwrap_or_default());
            }
            Action::InitiateJob { job, body, .. } => {
                realm.start(vault, job, place, now, self.delay(body));
            }
            // Faults may want what a right server has no more use for.
            Action::DeleteArchive { archive, .. } if self.inner.faults.is_empty() => {
                drop_archive(realm, vault, archive.handle().unwrap_or_default());
            }
            Action::DeleteVault { .. } if self.inner.faults.is_empty() => drop_vault(realm, vault),
            _ => {}
        }
    }

    fn delay(&self, body: &JsonBody) -> Duration {
        let document = body.document().unwrap_or_default();
        let text = |name: &str| document.get(name).and_then(|value| value.as_str());
        let tier = match text("Type") {
            Some("archive-retrieval") => Some(text("Tier").unwrap_or("Standard")),
            _ => None,
        };
        let options = &self.inner.options;
        let own = tier.and_then(|tier| options.tier_delays.get(tier));
        own.copied().unwrap_or(options.job_delay)
    }

    fn finish(&self, mut draft: Draft, told: &Told<'_>) -> Answer {
        draft
            .headers
            .push("x-amzn-RequestId", self.inner.ids.make(ids::REQUEST));
        draft.headers.push("Date", told.now.http());
        self.inner.faults.reply(&mut draft, told);
        draft.finish()
    }
}

fn refused_for(reason: Refusal, asked: &Asked, model: &Model, place: &Place) -> Refused {
    Refused::new(reason, render::message(reason, asked, model, place))
}

/// A request that is no operation.
fn other(head: &RequestHead) -> Action {
    Action::Other {
        method: head.method.clone(),
        path: head.split().0.to_owned(),
        body: JsonBody::Absent,
    }
}

fn output(action: &Action, realm: &Realm) -> Option<Output> {
    let Action::GetJobOutput { vault, job, range } = action else {
        return None;
    };
    let (_, known) = realm.model.job(vault, job.handle()?)?;
    Output::of(known, realm.outputs.get(job.handle()?), range.as_deref())
}

/// Says of a completion whether its size and hash are those of what was uploaded, or of the archive it has already become.
fn compare_completion(action: &mut Action, model: &Model) {
    let Action::CompleteMultipartUpload {
        vault,
        upload,
        size,
        tree_hash,
        ..
    } = action
    else {
        return;
    };
    let known = upload
        .handle()
        .and_then(|handle| model.upload(vault, handle));
    let Some((home, upload)) = known else { return };
    let first = upload
        .completed
        .as_ref()
        .and_then(|id| model.vaults.get(home)?.archives.get(id));
    let (length, right) = match first {
        Some(archive) => (archive.content.length(), archive.tree_hash),
        None => {
            let assembled = upload.assembled();
            (assembled.length(), assembled.tree_hash())
        }
    };
    if matches!(size, SizeClaim::Literal(text) if text.parse() == Ok(length)) {
        *size = SizeClaim::Right;
    }
    if matches!(tree_hash, Claim::Literal(text) if text.parse() == Ok(right)) {
        *tree_hash = Claim::Right;
    }
}

fn drop_archive(realm: &mut Realm, vault: &str, archive: &str) {
    realm.release(archive);
    let known = realm.model.vaults.get_mut(vault);
    if let Some(archive) = known.and_then(|vault| vault.archives.get_mut(archive)) {
        archive.content = Content::empty();
    }
}

fn drop_vault(realm: &mut Realm, vault: &str) {
    if let Some(vault) = realm
        .model
        .vaults
        .get(vault)
        .filter(|vault| vault.life == Life::Gone)
    {
        let owners: Vec<String> = vault.uploads.keys().cloned().collect();
        owners.iter().for_each(|owner| {
            realm.release(owner);
        });
    }
    realm.model.vaults.swap_remove(vault);
}

/// Bytes of a content that no formula makes.
fn kept_as_such(content: &Content) -> u64 {
    let kept = |payload: &Payload| matches!(payload, Payload::Text(_) | Payload::Bytes(_));
    let pieces = content.segments().filter(|(payload, _)| kept(payload));
    pieces.map(|(_, range)| range.len()).sum()
}

fn head_of(request: &Request) -> RequestHead {
    let mut headers = request.headers.clone();
    if request.framing == Framing::UpperCaseNames {
        let names = headers.0.iter_mut().map(|(name, _)| name);
        names.for_each(|name| name.make_ascii_uppercase());
    }
    let unsaid = headers.value("content-length").is_none() && request.framing != Framing::Chunked;
    if unsaid && request.body != Body::Empty {
        headers.push("Content-Length", request.body.length().to_string());
    }
    RequestHead {
        method: request.method.clone(),
        target: request.target(),
        headers,
    }
}

fn closed() -> Reply {
    Reply::Fault(TransportFault {
        kind: FaultKind::Closed,
        detail: "the body ended early".to_owned(),
        partial: None,
    })
}
