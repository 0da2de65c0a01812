//! The remembering machine: what a Glacier service must answer next, given what it acknowledged before.
//! Refuses to know HTTP, checks and clocks: times and identifiers come from whoever saw or made them.

mod expect;
mod inventory;
mod lookup;
mod observe;
mod observed;
mod policy;
mod refusal;
mod state;

pub use expect::is_disputed;
pub use observed::{Made, Observed};
pub use policy::equivalent_policies;
pub use refusal::Refusal;
pub use state::{
    Archive, Capacity, Inventory, InventoryEntry, Job, JobKind, JobStatus, Life, Lock, LockState,
    Model, Part, Upload, Vault,
};

/// What the documents allow as the answer to one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It succeeds.
    Accept,
    /// It is refused, for one of these reasons; the first is what a server says that checks in the usual order.
    Refuse(Vec<Refusal>),
    /// It succeeds or is refused for one of these reasons: the documents allow both, or contradict each other.
    Either(Vec<Refusal>),
    /// The documents are silent: any answer but a failure of the server.
    Silent,
    /// Nothing can be said: what the action needs was never made, or is in doubt.
    Blocked(String),
}

impl Expectation {
    /// The reasons for which it may be refused.
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Refuse(refusals) | Self::Either(refusals) => refusals,
            Self::Accept | Self::Silent | Self::Blocked(_) => &[],
        }
    }

    /// Whether success is allowed.
    pub fn allows_success(&self) -> bool {
        !matches!(self, Self::Refuse(_))
    }
}

#[cfg(test)]
mod tests;
