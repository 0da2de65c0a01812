//! The reference server: a right Glacier behind HTTP/1.1, driven by the model of `crevasse-core`, and the faults it can be told to have.
//! Refuses to know any check: a server must not grade itself.
//!
//! ```
//! use crevasse_core::wire::{Body, Framing, Headers, Request};
//! use crevasse_reference::{Options, Service};
//!
//! let service = Service::new(Options::default());
//! let mut headers = Headers::default();
//! headers.push("x-amz-glacier-version", "2012-06-01");
//! let request = Request {
//!     method: "PUT".to_owned(),
//!     path: "/-/vaults/photos".to_owned(),
//!     query: String::new(),
//!     headers,
//!     body: Body::Empty,
//!     framing: Framing::Plain,
//! };
//! let reply = service.exchange(&request);
//! let response = reply.response().unwrap();
//! assert_eq!(response.status, 201);
//! assert_eq!(response.headers.value("location"), Some("/123456789012/vaults/photos"));
//! ```
//!
//! Where the documents allow several answers, this server gives one, always the same:
//!
//! | question | answer |
//! |---|---|
//! | inventory job before the first inventory | accepted: an inventory is taken when the job starts (AMB-38) |
//! | `NumberOfArchives`, `SizeInBytes` before it | 0, with `LastInventoryDate` null, as the real service (AMB-05) |
//! | per-archive overhead in `SizeInBytes` | 32,768 bytes (AMB-47) |
//! | DeleteVault of a vault that is not there | 204 (AMB-10) |
//! | DeleteVault of an emptied vault | 204 at once (AMB-11); open uploads go with it |
//! | DeleteArchive of an id never issued | 404 (AMB-39) |
//! | InitiateJob on a deleted archive | 404 (AMB-39) |
//! | an archive deleted while its retrieval is in progress | the job ends Failed (DJ-FAIL-001) |
//! | repeated completion | 201 with the same id, if size and hash are again right (AMB-31) |
//! | repeated abort | 204 (AMB-31) |
//! | `limit` above the maximum | clamped (AMB-18) |
//! | `marker` that no page can have given | 400 (AMB-18) |
//! | contradictory job filters | an empty list (LJ-FILTER-004) |
//! | malformed `Range` | ignored (AMB-21); open-ended and suffix ranges are served (AMB-24), several are ignored |
//! | `Range` that begins beyond the output | 400 (AMB-22) |
//! | `Range` equal to the whole output | 206 (AMB-23) |
//! | concrete total in the `Content-Range` of a part | accepted (UMP-RANGE-007) |
//! | `select` jobs, nonsense topics | 400 (AMB-40, AMB-53) |
//! | `Tier` in an inventory request | accepted and not reported (DJ-INV-005) |
//! | next inventory marker | `InventoryRetrievalParameters.Marker` (AMB-37) |
//! | data retrieval policy | stored and returned, not enforced (AMB-45) |
//! | lock and access policies | a Deny for everybody is enforced (AMB-55) |
//! | upper-case hashes in requests | accepted (TH-ALG-007) |
//! | an account other than one's own | 403 (AMB-32) |
//! | more literal bytes than [`Options::max_store`] | 400 LimitExceededException; generated payloads count nothing |

mod auth;
mod clock;
pub mod fault;
mod http;
mod ids;
mod page;
mod policy;
mod realm;
mod receive;
mod render;
mod route;
mod service;

use std::collections::BTreeMap;
use std::time::Duration;

use crevasse_core::amz_date::Timestamp;
use crevasse_core::sigv4::Credentials;

pub use clock::Clock;
pub use http::{ServerHandle, serve};
pub use render::{Answer, AnswerBody, WireDamage};
pub use route::RequestHead;
pub use service::Service;

/// What a server is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The 12 digits of the account it serves.
    pub account: String,
    /// How long a job takes, in virtual time. By default long enough that a busy client still meets it in progress.
    pub job_delay: Duration,
    /// How long a job of a tier takes instead, by `Expedited`, `Standard` or `Bulk`.
    pub tier_delays: BTreeMap<String, Duration>,
    /// The one pair of keys it lets in; without one it lets in everybody.
    pub require_auth: Option<Credentials>,
    /// What its clock shows when it starts; without one, the real time. Signatures are always judged by the real time.
    pub begins_at: Option<Timestamp>,
    /// How many seconds pass on its clock in one real second; with 0 time stands until it is advanced by hand.
    pub time_scale: f64,
    /// How many bytes of bodies it holds that are not generated payloads.
    pub max_store: u64,
    /// How long it waits for the next bytes of a body before it answers 408.
    pub body_timeout: Duration,
    /// What ids are derived from; without one they differ from run to run.
    pub seed: Option<u64>,
    /// The faults it has.
    pub faults: Vec<&'static fault::Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            job_delay: Duration::from_millis(300),
            tier_delays: BTreeMap::new(),
            require_auth: None,
            begins_at: None,
            time_scale: 1.0,
            max_store: 512 << 20,
            body_timeout: Duration::from_secs(60),
            seed: None,
            faults: Vec::new(),
        }
    }
}
