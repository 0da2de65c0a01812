//! Defects that the server can be told to have, each with the requirements it breaks.
//! They hook in before the model sees a request, around what the model remembers, and into the answer.

mod common;
mod errors;
mod hook;
mod inventory;
mod jobs;
mod lists;
mod means;
mod output;
mod policies;
mod refusing;
mod tags;
mod treehash;
mod uploads;
mod vaults;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::OnceLock;

pub(crate) use hook::{Decision, Faults, Hook, Memory};

/// Where a fault hooks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seam {
    /// What the server understands, decides or remembers.
    Model,
    /// What it answers.
    Reply,
    /// How the answer travels.
    Wire,
}

impl fmt::Display for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Model => "model",
            Self::Reply => "reply",
            Self::Wire => "wire",
        })
    }
}

/// A defect.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Its name in kebab-case.
    pub id: &'static str,
    /// What is wrong, in one sentence.
    pub sentence: &'static str,
    /// Where it hooks in.
    pub seam: Seam,
    /// The requirements it breaks, by id.
    pub breaks: &'static [&'static str],
    /// The defect it was seen as, as in `B001` of the list of known defects; `own` when it was made up here.
    pub origin: &'static str,
    /// Why no client can tell it from a right server, where that is so.
    pub excuse: Option<&'static str>,
    pub(crate) hooks: &'static [Hook],
}

impl Fault {
    /// The same fault, with the reason why no client can see it.
    const fn excused(mut self, excuse: &'static str) -> Self {
        self.excuse = Some(excuse);
        self
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.id)
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Fault {}

/// Every fault there is.
///
/// ```
/// use crevasse_reference::fault;
/// assert!(fault::all().iter().all(|known| fault::find(known.id) == Some(known)));
/// ```
pub fn all() -> &'static [Fault] {
    static ALL: OnceLock<Vec<Fault>> = OnceLock::new();
    ALL.get_or_init(|| {
        let areas = [
            treehash::FAULTS,
            uploads::FAULTS,
            output::FAULTS,
            jobs::FAULTS,
            inventory::FAULTS,
            vaults::FAULTS,
            lists::FAULTS,
            tags::FAULTS,
            policies::FAULTS,
            errors::FAULTS,
            refusing::FAULTS,
            common::FAULTS,
        ];
        areas.concat()
    })
}

/// The fault of this name.
pub fn find(id: &str) -> Option<&'static Fault> {
    all().iter().find(|fault| fault.id == id)
}
