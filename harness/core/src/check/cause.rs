//! Which symptoms one person would report together: one cause, over operations, requirements and inputs.
//! Refuses to know fingerprints: what is grouped here may change, what a deviation is called may not.

use super::Symptom;
use crate::model::Refusal;
use crate::spec::OperationName;

/// What several deviations share.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// In kebab-case, with a subject where one family has several causes: `unchecked-parameters/InitiateJob`.
    pub key: String,
    /// A sentence for all of its symptoms together. A cause of one symptom has that symptom's title.
    pub title: String,
}

impl Cause {
    /// The cause of a symptom seen on an operation.
    pub fn of(symptom: &Symptom, operation: Option<OperationName>) -> Self {
        of_refusal(symptom, operation)
            .or_else(|| of_family(symptom))
            .unwrap_or_else(|| Self::alone(symptom))
    }

    fn new(key: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            title: title.into(),
        }
    }

    fn alone(symptom: &Symptom) -> Self {
        let key = match symptom.subject.as_ref() {
            "" => symptom.id.to_string(),
            subject => format!("{}/{subject}", symptom.id),
        };
        Self::new(key, symptom.title.clone())
    }
}

/// What a target failed to look at when it did not refuse as it must.
enum Oversight {
    /// The hashes that come with data.
    Checksum,
    /// Whether the parts of an upload are all there.
    Assembly,
    /// A parameter, header or body of this operation.
    Parameter,
    /// Whether there is such a thing at all.
    Absence(&'static str),
}

fn oversight(refusal: Refusal) -> Option<Oversight> {
    use Refusal as R;
    Some(match refusal {
        R::TreeHashMissing
        | R::TreeHashMalformed
        | R::TreeHashMismatch
        | R::ContentHashMissing
        | R::ContentHashMismatch => Oversight::Checksum,
        R::PartsMissing | R::PartShort | R::NoParts => Oversight::Assembly,
        R::ArchiveUnknown | R::ArchiveDeleted | R::ArchiveForeign => Oversight::Absence("archive"),
        R::JobUnknown | R::JobForeign | R::JobExpired => Oversight::Absence("job"),
        R::UploadUnknown | R::UploadAborted | R::UploadCompleted | R::UploadForeign => {
            Oversight::Absence("upload")
        }
        R::BodyEmpty
        | R::LengthMissing
        | R::DescriptionTooLong
        | R::DescriptionIllegal
        | R::PartSizeMissing
        | R::PartSizeMalformed
        | R::PartSizeInvalid
        | R::PartRangeMissing
        | R::PartRangeMalformed
        | R::PartMisaligned
        | R::PartTooLong
        | R::PartLengthMismatch
        | R::ArchiveSizeMissing
        | R::ArchiveSizeMalformed
        | R::ArchiveSizeMismatch
        | R::JsonMalformed
        | R::MemberOfWrongType
        | R::JobParametersMissing
        | R::JobParametersWrapped
        | R::JobTypeMissing
        | R::JobTypeUnknown
        | R::ArchiveIdMissing
        | R::ArchiveIdUnexpected
        | R::RetrievalRangeMalformed
        | R::RetrievalRangeMisaligned
        | R::RetrievalRangeBeyond
        | R::RetrievalRangeUnexpected
        | R::TierUnknown
        | R::FormatUnknown
        | R::InventoryLimitInvalid
        | R::DateInvalid
        | R::InventoryMarkerInvalid
        | R::JobDescriptionInvalid
        | R::TopicInvalid
        | R::StatusCodeUnknown
        | R::CompletedInvalid
        | R::TagOperationInvalid
        | R::TagsMissing
        | R::TagCountInvalid
        | R::TagKeyLength
        | R::TagValueLength
        | R::TagKeyReserved
        | R::TagCharacters
        | R::TagKeysMissing
        | R::TagKeyCountInvalid
        | R::PolicyMissing
        | R::PolicyInvalid
        | R::PolicyTooLarge
        | R::EventUnknown
        | R::EventsMissing
        | R::TopicMissing
        | R::StrategyUnknown
        | R::BytesPerHourMissing
        | R::BytesPerHourUnexpected
        | R::BytesPerHourInvalid
        | R::RuleCountInvalid
        | R::RetrievalPolicyMissing => Oversight::Parameter,
        _ => return None,
    })
}

/// A refusal that did not come: what it would have been about decides, not each reason by itself.
fn of_refusal(symptom: &Symptom, operation: Option<OperationName>) -> Option<Cause> {
    let refusal = Refusal::ALL
        .iter()
        .find(|refusal| refusal.word() == symptom.subject)?;
    let operation = operation?;
    let cause = match (&*symptom.id, oversight(*refusal)?) {
        ("accepted", Oversight::Checksum) => Cause::new(
            "unchecked-hash",
            "uploads are accepted whose checksums are wrong, malformed or missing",
        ),
        ("accepted", Oversight::Assembly) => Cause::new(
            "unchecked-assembly",
            "multipart uploads are completed although parts are missing or short",
        ),
        ("accepted", Oversight::Parameter) => Cause::new(
            format!("unchecked-parameters/{operation}"),
            format!("{operation} accepts parameters that it must refuse"),
        ),
        ("crashed-refusing", Oversight::Absence(thing)) => Cause::new(
            format!("crashed-on-absent/{thing}"),
            format!("server error instead of a refusal where there is no such {thing}"),
        ),
        ("crashed-refusing", Oversight::Parameter) => Cause::new(
            format!("crashed-on-parameters/{operation}"),
            format!("{operation} ends in a server error over parameters that it must refuse"),
        ),
        _ => return None,
    };
    Some(cause)
}

/// Families of symptoms that come of one thing left undone.
fn of_family(symptom: &Symptom) -> Option<Cause> {
    let cause = match &*symptom.id {
        "member-missing" => {
            let document = symptom.subject.split('.').next().unwrap_or_default();
            Cause::new(
                format!("members-missing/{document}"),
                format!("{document} leaves out members"),
            )
        }
        "tier-ignored" | "inventory-parameters-lost" => Cause::new(
            "members-missing/DescribeJob",
            "DescribeJob leaves out members",
        ),
        "members-omitted" | "members-left-out" => Cause::new("members-omitted", &*symptom.title),
        "member-wrong" if symptom.subject == "DescribeJob.InventorySizeInBytes" => {
            Cause::new("inventory-size-wrong", &*symptom.title)
        }
        "inventory-window-ignored"
        | "inventory-limit-ignored"
        | "inventory-format-ignored"
        | "inventory-marker-ignored"
        | "inventory-marker-missing" => Cause::new(
            "inventory-parameters-ignored",
            "inventory jobs do not follow their parameters",
        ),
        "inventory-imagined" | "last-inventory-date-stale" => Cause::new(
            "last-inventory-date",
            "LastInventoryDate of a vault is not the date of its last inventory",
        ),
        "unknown-archive-accepted" | "unknown-archive-crashes" => Cause::new(
            "unknown-archive-accepted",
            "jobs are begun for archives that were never there",
        ),
        "malformed-range-crashes" | "range-beyond-crashes" => Cause::new(
            "crashed-on-ranges",
            "downloads end in a server error over ranges that are malformed or begin beyond the output",
        ),
        "filter-ignored" => Cause::new("filter-ignored", "filters of ListJobs are ignored"),
        "completion-not-idempotent" | "abort-not-idempotent" => Cause::new(
            "repetition-refused",
            "a request repeated at once is refused",
        ),
        "page-too-large" | "marker-missing" => Cause::new(symptom.id.clone(), &*symptom.title),
        "location-hyphen" | "location-without-account" => Cause::new(
            "location-account",
            "Locations do not begin with the account",
        ),
        "location-wrong" => Cause::new("location-wrong", "Locations do not name what was made"),
        "success-status" => Cause::new(
            "success-status",
            "requests succeed with other statuses than documented",
        ),
        "no-answer-valid" => Cause::new("no-answer-valid", "valid requests get no complete answer"),
        "no-document" => Cause::new("no-document", "answers are no JSON objects"),
        "identifier-missing" => Cause::new(
            "identifier-missing",
            "creations answer without the id of what was made",
        ),
        "date-not-iso" => not_iso(),
        "member-type" if symptom.subject.ends_with("Date") => not_iso(),
        "location-missing" => Cause::new("location-missing", "creations answer without Location"),
        "hash-header-missing" => {
            Cause::new("hash-header-missing", "answers lack x-amz-sha256-tree-hash")
        }
        _ => return None,
    };
    Some(cause)
}

fn not_iso() -> Cause {
    Cause::new("date-not-iso", "dates in bodies are not ISO 8601 in UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(refusal: Refusal) -> Symptom {
        Symptom::new("accepted", refusal.phrase()).about(refusal.word())
    }

    #[test]
    fn parameters_that_one_operation_does_not_check_are_one_cause() {
        let of = |refusal, operation| Cause::of(&accepted(refusal), Some(operation)).key;
        let job = OperationName::InitiateJob;
        assert_eq!(of(Refusal::TierUnknown, job), of(Refusal::DateInvalid, job));
        assert_ne!(
            of(Refusal::TierUnknown, job),
            of(Refusal::DescriptionTooLong, OperationName::UploadArchive)
        );
    }

    #[test]
    fn a_checksum_that_is_not_verified_is_one_cause_over_operations() {
        let of = |operation| Cause::of(&accepted(Refusal::TreeHashMismatch), Some(operation)).key;
        assert_eq!(
            of(OperationName::UploadArchive),
            of(OperationName::UploadMultipartPart)
        );
    }

    #[test]
    fn ranges_that_nobody_serves_crash_in_one_place() {
        let of = |id: &'static str| Cause::of(&Symptom::new(id, "it crashes"), None).key;
        assert_eq!(of("range-beyond-crashes"), of("malformed-range-crashes"));
    }

    #[test]
    fn a_location_without_the_account_is_one_cause_whatever_stands_there() {
        let of = |id: &'static str| Cause::of(&Symptom::new(id, "it is wrong"), None).key;
        assert_eq!(of("location-hyphen"), of("location-without-account"));
    }

    #[test]
    fn a_symptom_of_no_family_is_a_cause_by_itself() {
        let symptom = Symptom::new("crashed", "it crashed").about("ListJobs");
        let cause = Cause::of(&symptom, None);
        assert_eq!(cause.key, "crashed/ListJobs");
        assert_eq!(cause.title, "it crashed");
    }
}
