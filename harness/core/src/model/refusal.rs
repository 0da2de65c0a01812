//! Why a request is refused: one word a reason, and the status, code and message a right server gives for it.

/// A reason to refuse a request. Checks map a reason to the requirements it stands for; the reference server to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    // Before any operation.
    /// `x-amz-glacier-version` missing.
    VersionMissing,
    /// `x-amz-glacier-version` is not 2012-06-01.
    VersionUnknown,
    /// No authentication data.
    AuthenticationMissing,
    /// Nobody has this access key.
    KeyUnknown,
    /// The signature does not match, or its scope is wrong.
    SignatureInvalid,
    /// Signed more than five minutes off.
    SignatureExpired,
    /// The session token expired.
    TokenExpired,
    /// The account is not that of the credentials.
    AccountForeign,
    /// The account is not `-` or 12 digits.
    AccountMalformed,
    /// No operation has this URI.
    RouteUnknown,
    /// No operation has this method on this URI.
    MethodUnknown,
    /// A body that is not well-formed JSON.
    JsonMalformed,
    /// A member of the wrong JSON type.
    MemberOfWrongType,
    /// `limit` below 1 or no integer.
    LimitInvalid,
    /// `limit` above the maximum (may also be clamped).
    LimitTooLarge,
    /// `marker` that no page gave.
    MarkerInvalid,
    /// A policy denies it.
    DeniedByPolicy,
    // Vaults.
    /// No vault of this name.
    VaultUnknown,
    /// The name is empty, too long, or has other characters.
    VaultNameInvalid,
    /// It holds archives.
    VaultNotEmpty,
    /// It was written to after its last inventory.
    VaultRecentlyWritten,
    /// 1,000 vaults.
    VaultLimitExceeded,
    // Archives and uploads.
    /// No archive of this id was ever made.
    ArchiveUnknown,
    /// The archive was deleted.
    ArchiveDeleted,
    /// The archive belongs to another vault.
    ArchiveForeign,
    /// A body of zero bytes.
    BodyEmpty,
    /// A body above 4 GiB.
    BodyTooLarge,
    /// No `Content-Length`.
    LengthMissing,
    /// `x-amz-sha256-tree-hash` missing.
    TreeHashMissing,
    /// `x-amz-sha256-tree-hash` is not 64 hexadecimal digits.
    TreeHashMalformed,
    /// `x-amz-sha256-tree-hash` is not that of the body.
    TreeHashMismatch,
    /// `x-amz-content-sha256` missing.
    ContentHashMissing,
    /// `x-amz-content-sha256` is not that of the body.
    ContentHashMismatch,
    /// A description of more than 1,024 characters.
    DescriptionTooLong,
    /// A description with a character outside 0x20-0x7E.
    DescriptionIllegal,
    /// `x-amz-part-size` missing.
    PartSizeMissing,
    /// `x-amz-part-size` is no integer.
    PartSizeMalformed,
    /// `x-amz-part-size` is not a power of two MiB from 1 MiB to 4 GiB.
    PartSizeInvalid,
    /// No upload of this id was ever made.
    UploadUnknown,
    /// The upload was aborted.
    UploadAborted,
    /// The upload was completed.
    UploadCompleted,
    /// The upload belongs to another vault.
    UploadForeign,
    /// `Content-Range` missing.
    PartRangeMissing,
    /// `Content-Range` malformed.
    PartRangeMalformed,
    /// The part does not begin at a multiple of the part size.
    PartMisaligned,
    /// The part is longer than the part size.
    PartTooLong,
    /// `Content-Range` and the length of the body differ.
    PartLengthMismatch,
    /// More than 10,000 parts.
    TooManyParts,
    /// `x-amz-archive-size` missing.
    ArchiveSizeMissing,
    /// `x-amz-archive-size` is no integer, or negative.
    ArchiveSizeMalformed,
    /// `x-amz-archive-size` is not the sum of the parts.
    ArchiveSizeMismatch,
    /// Content ranges are missing.
    PartsMissing,
    /// A part other than the last is shorter than the part size.
    PartShort,
    /// No part was uploaded.
    NoParts,
    // Jobs.
    /// No job of this id was ever made.
    JobUnknown,
    /// The job belongs to another vault.
    JobForeign,
    /// The job is in progress.
    JobNotReady,
    /// The job failed.
    JobFailed,
    /// The job was forgotten, more than 24 hours after its completion.
    JobExpired,
    /// No job parameters.
    JobParametersMissing,
    /// Job parameters inside a `jobParameters` member.
    JobParametersWrapped,
    /// `Type` missing.
    JobTypeMissing,
    /// `Type` is none of the documented ones.
    JobTypeUnknown,
    /// `select`, retired.
    SelectUnsupported,
    /// `ArchiveId` missing.
    ArchiveIdMissing,
    /// `ArchiveId` in an inventory request.
    ArchiveIdUnexpected,
    /// `RetrievalByteRange` malformed.
    RetrievalRangeMalformed,
    /// `RetrievalByteRange` not megabyte aligned.
    RetrievalRangeMisaligned,
    /// `RetrievalByteRange` beyond the archive.
    RetrievalRangeBeyond,
    /// `RetrievalByteRange` in an inventory request.
    RetrievalRangeUnexpected,
    /// `Tier` unknown.
    TierUnknown,
    /// `Format` unknown.
    FormatUnknown,
    /// `InventoryRetrievalParameters.Limit` below 1 or no integer.
    InventoryLimitInvalid,
    /// A date that is none.
    DateInvalid,
    /// An inventory marker that no job gave.
    InventoryMarkerInvalid,
    /// A job description longer than 1,024 bytes or with other characters.
    JobDescriptionInvalid,
    /// An `SNSTopic` that is no topic.
    TopicInvalid,
    /// The vault has no inventory yet.
    InventoryAbsent,
    /// The data retrieval policy forbids it.
    PolicyEnforced,
    /// No capacity for an expedited retrieval.
    CapacityInsufficient,
    /// `Range` begins at or beyond the end of the output.
    OutputRangeBeyond,
    /// `Range` malformed (ignored by the real service).
    OutputRangeMalformed,
    /// `statuscode` unknown.
    StatusCodeUnknown,
    /// `completed` is neither true nor false.
    CompletedInvalid,
    /// `statuscode` and `completed` contradict each other.
    FilterContradictory,
    // Tags.
    /// `operation` is neither add nor remove.
    TagOperationInvalid,
    /// `Tags` missing.
    TagsMissing,
    /// No tag, or more than 10, in one request.
    TagCountInvalid,
    /// More than 50 tags on the vault.
    TagLimitExceeded,
    /// A key of zero or more than 128 characters.
    TagKeyLength,
    /// A value of more than 255 characters.
    TagValueLength,
    /// A key that begins with `aws:`.
    TagKeyReserved,
    /// Other characters in a key or value.
    TagCharacters,
    /// `TagKeys` missing.
    TagKeysMissing,
    /// No key, or more than 10, in one request.
    TagKeyCountInvalid,
    // Policies, locks, notifications.
    /// `Policy` missing.
    PolicyMissing,
    /// `Policy` is not a policy document.
    PolicyInvalid,
    /// `Policy` above 20 KB.
    PolicyTooLarge,
    /// A lock is in progress.
    LockInProgress,
    /// The vault is locked (initiate).
    LockLocked,
    /// A wrong lock id while in progress.
    LockIdWrong,
    /// A wrong lock id while locked.
    LockIdWrongWhenLocked,
    /// No lock to complete.
    LockAbsent,
    /// Abort of a completed lock.
    LockAbortWhenLocked,
    /// Get without a lock.
    NoLock,
    /// Get without an access policy.
    NoAccessPolicy,
    /// Get (or delete) without notification configuration.
    NoNotifications,
    /// An event that is none.
    EventUnknown,
    /// `Events` missing or empty.
    EventsMissing,
    /// `SNSTopic` missing.
    TopicMissing,
    // Account.
    /// Unknown strategy.
    StrategyUnknown,
    /// `BytesPerHour` missing with that strategy.
    BytesPerHourMissing,
    /// `BytesPerHour` with another strategy.
    BytesPerHourUnexpected,
    /// `BytesPerHour` out of 1..2^63-1, or no integer.
    BytesPerHourInvalid,
    /// Not exactly one rule.
    RuleCountInvalid,
    /// `Policy`, `Rules` or `Strategy` missing.
    RetrievalPolicyMissing,
    /// Two units already.
    CapacityLimitExceeded,
    // Transport.
    /// The body did not come in time.
    RequestTimeout,
}
