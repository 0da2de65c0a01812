//! Checks: pure judgements of what was seen, each citing the requirements it judges.
//! Refuses to know how anything was sent, and never says more than the evidence does.

mod account;
mod archive_effects;
mod archives;
mod auth;
#[cfg(test)]
mod by_hand;
mod cause;
mod common;
mod completion;
mod describe_job;
mod documents;
mod errors;
mod evidence;
mod fold;
mod initiate_job;
mod inventory;
mod inventory_csv;
mod inventory_date;
mod inventory_window;
mod job_echo;
mod job_filter;
mod job_hashes;
mod job_outcomes;
mod job_output;
mod job_state;
mod jobs;
mod judgement;
mod list_jobs;
mod listed_parts;
mod location;
mod lock;
mod multipart;
mod notifications;
mod odd_ranges;
mod output;
mod output_hash;
mod output_state;
mod paging;
mod part_list;
mod parts;
mod policies;
pub mod rules;
mod shape;
mod subject;
mod surface;
mod tags;
mod treehash;
mod upload_list;
mod vault_deletion;
mod vault_description;
mod vault_list;
mod vaults;

pub use cause::Cause;
pub use evidence::{Evidence, Group, Observation, Record};
pub use fold::{Judged, judge};
pub use judgement::{Judgement, Judgements, Outcome, Symptom};

/// A judgement by a rule.
///
/// Checks are data: an id, the requirements it may judge, and a function of the evidence. A check that does not apply says nothing.
#[derive(Clone, Copy)]
pub struct Check {
    /// Unique, in kebab-case, part of fingerprints: never renamed.
    pub id: &'static str,
    /// The requirements it judges.
    pub requirements: &'static [&'static str],
    /// The judgement.
    pub judge: fn(&Evidence<'_>, &mut Judgements),
}

impl Check {
    /// Makes one.
    pub const fn new(
        id: &'static str,
        requirements: &'static [&'static str],
        judge: fn(&Evidence<'_>, &mut Judgements),
    ) -> Self {
        Self {
            id,
            requirements,
            judge,
        }
    }
}

/// Every check there is, family by family.
pub fn all() -> impl Iterator<Item = &'static Check> {
    let families = [
        vaults::CHECKS,
        vault_deletion::CHECKS,
        vault_description::CHECKS,
        vault_list::CHECKS,
        archives::CHECKS,
        archive_effects::CHECKS,
        treehash::CHECKS,
        multipart::CHECKS,
        parts::CHECKS,
        completion::CHECKS,
        part_list::CHECKS,
        listed_parts::CHECKS,
        upload_list::CHECKS,
        common::CHECKS,
        errors::CHECKS,
        paging::CHECKS,
        surface::CHECKS,
        auth::CHECKS,
        tags::CHECKS,
        lock::CHECKS,
        policies::CHECKS,
        notifications::CHECKS,
        account::CHECKS,
        initiate_job::CHECKS,
        job_outcomes::CHECKS,
        describe_job::CHECKS,
        job_state::CHECKS,
        job_echo::CHECKS,
        job_hashes::CHECKS,
        list_jobs::CHECKS,
        job_filter::CHECKS,
        job_output::CHECKS,
        odd_ranges::CHECKS,
        output_hash::CHECKS,
        output_state::CHECKS,
        inventory::CHECKS,
        inventory_date::CHECKS,
        inventory_csv::CHECKS,
        inventory_window::CHECKS,
    ];
    families.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::requirement::{Probe, Registry, untested};

    #[test]
    fn checks_have_names_of_their_own_in_kebab_case() {
        let mut seen = BTreeSet::new();
        for check in all() {
            let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(check.id.chars().all(kebab), "{}", check.id);
            assert!(seen.insert(check.id), "{} twice", check.id);
        }
    }

    #[test]
    fn checks_cite_requirements_that_exist() {
        for check in all() {
            assert!(!check.requirements.is_empty(), "{} cites nothing", check.id);
            for id in check.requirements {
                assert!(Registry::builtin().get(*id).is_some(), "{}: {id}", check.id);
            }
        }
    }
    #[test]
    fn what_a_request_can_decide_has_a_check_or_a_reason_why_not() {
        let cited: BTreeSet<&str> = all()
            .flat_map(|check| check.requirements.iter().copied())
            .collect();
        let bare: Vec<&str> = Registry::builtin()
            .iter()
            .filter(|known| matches!(known.probe, Probe::Direct | Probe::Job | Probe::Auth))
            .filter(|known| !untested().contains_key(&known.id))
            .map(|known| known.id.as_str())
            .filter(|id| !cited.contains(id))
            .collect();
        assert!(bare.is_empty(), "nothing judges {}", bare.join(", "));
    }

    #[test]
    fn reasons_are_for_requirements_that_exist() {
        for id in untested().keys() {
            assert!(Registry::builtin().get(id).is_some(), "{id}");
        }
    }
}
