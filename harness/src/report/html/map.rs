//! The map: every operation with a small mark for each requirement about it.

use serde::Serialize;

use crevasse_core::requirement::{Level, RequirementId};
use crevasse_core::spec::OperationName::{self, *};
use crevasse_core::verdict::Verdict;

use crate::report::compare::names;
use crate::report::document::{Report, RequirementFacts};
use crate::report::printable;
use crate::report::words::mark;

/// The operations as people think of them.
const FAMILIES: [(&str, &[OperationName]); 10] = [
    (
        "Vaults",
        &[CreateVault, DescribeVault, ListVaults, DeleteVault],
    ),
    ("Archives", &[UploadArchive, DeleteArchive]),
    (
        "Multipart uploads",
        &[
            InitiateMultipartUpload,
            UploadMultipartPart,
            CompleteMultipartUpload,
            AbortMultipartUpload,
            ListParts,
            ListMultipartUploads,
        ],
    ),
    ("Jobs", &[InitiateJob, DescribeJob, ListJobs, GetJobOutput]),
    (
        "Notifications",
        &[
            SetVaultNotifications,
            GetVaultNotifications,
            DeleteVaultNotifications,
        ],
    ),
    (
        "Tags",
        &[AddTagsToVault, ListTagsForVault, RemoveTagsFromVault],
    ),
    (
        "Vault lock",
        &[
            InitiateVaultLock,
            GetVaultLock,
            AbortVaultLock,
            CompleteVaultLock,
        ],
    ),
    (
        "Access policy",
        &[
            SetVaultAccessPolicy,
            GetVaultAccessPolicy,
            DeleteVaultAccessPolicy,
        ],
    ),
    (
        "Data retrieval policy",
        &[SetDataRetrievalPolicy, GetDataRetrievalPolicy],
    ),
    (
        "Provisioned capacity",
        &[ListProvisionedCapacity, PurchaseProvisionedCapacity],
    ),
];

/// Operations that belong together.
#[derive(Serialize)]
pub(super) struct Family {
    name: &'static str,
    rows: Vec<Row>,
}

/// An operation with its requirements.
#[derive(Serialize)]
struct Row {
    operation: String,
    /// `supported`, `missing`, or nothing where nobody looked.
    state: &'static str,
    reason: String,
    marks: Vec<Mark>,
}

/// A requirement as a mark.
#[derive(Serialize)]
struct Mark {
    id: RequirementId,
    verdict: &'static str,
    mark: &'static str,
    level: Level,
    /// The fragment it leads to.
    leads_to: String,
}

/// The map of a report.
pub(super) fn of(report: &Report) -> Vec<Family> {
    let general = Row {
        operation: "All operations".to_owned(),
        state: "",
        reason: String::new(),
        marks: marks(report, true, |facts| names(facts).next().is_none()),
    };
    let mut families = vec![Family {
        name: "Every request",
        rows: vec![general],
    }];
    families.extend(FAMILIES.iter().map(|(name, operations)| {
        Family {
            name,
            rows: operations
                .iter()
                .map(|operation| row(report, *operation))
                .collect(),
        }
    }));
    families
}

fn row(report: &Report, operation: OperationName) -> Row {
    let probe = report
        .operations
        .iter()
        .find(|facts| facts.name == operation);
    let there = probe.is_none_or(|facts| facts.supported);
    Row {
        operation: operation.to_string(),
        state: match probe {
            Some(facts) if facts.supported => "supported",
            Some(_) => "missing",
            None => "",
        },
        reason: probe
            .map(|facts| printable(&facts.reason))
            .unwrap_or_default(),
        marks: marks(report, there, |facts| {
            names(facts).any(|name| name == operation)
        }),
    }
}

/// The marks of requirements. One of several operations was judged by those that are there: it says nothing of one that is not.
fn marks(report: &Report, there: bool, about: impl Fn(&RequirementFacts) -> bool) -> Vec<Mark> {
    report
        .requirements
        .iter()
        .filter(|facts| about(facts))
        .map(|facts| match there {
            true => of_requirement(facts),
            false => of_requirement(&RequirementFacts {
                verdict: Verdict::Unsupported,
                ..facts.clone()
            }),
        })
        .collect()
}

fn of_requirement(facts: &RequirementFacts) -> Mark {
    let broken = matches!(facts.verdict, Verdict::Deviates | Verdict::Waived);
    let finding = facts.findings.first().filter(|_| broken);
    Mark {
        id: facts.id.clone(),
        verdict: facts.verdict.as_str(),
        mark: mark(facts.verdict),
        level: facts.level,
        leads_to: finding.cloned().unwrap_or_else(|| facts.id.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_is_in_one_family() {
        let mapped: Vec<_> = FAMILIES
            .iter()
            .flat_map(|(_, operations)| operations.iter())
            .collect();
        assert_eq!(mapped.len(), OperationName::ALL.len());
        assert_eq!(
            mapped.into_iter().collect::<BTreeSet<_>>().len(),
            OperationName::ALL.len()
        );
    }
}
