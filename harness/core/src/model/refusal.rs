//! Why a request is refused: one word a reason, and the status and code a right server gives for it.

macro_rules! refusals {
    ($($name:ident $status:literal $code:ident $word:literal $phrase:literal;)*) => {
        /// A reason to refuse a request. Checks map a reason to the requirements it stands for; the reference server to its answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Refusal {
            $(#[doc = concat!("It is refused because ", $phrase, ".")] $name,)*
        }

        impl Refusal {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The status a right server answers with (api-error-responses; where documents differ, the guide).
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The `code` of the error body.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => stringify!($code),)* }
            }

            /// The reason in kebab-case: part of fingerprints, never renamed.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The reason as it fits after "because" or "although".
            pub const fn phrase(self) -> &'static str {
                match self { $(Self::$name => $phrase,)* }
            }
        }
    };
}

refusals! {
    VersionMissing 400 MissingParameterValueException "version-missing" "x-amz-glacier-version is missing";
    VersionUnknown 400 InvalidParameterValueException "version-unknown" "x-amz-glacier-version is not 2012-06-01";
    AuthenticationMissing 400 MissingAuthenticationTokenException "authentication-missing" "there is no authentication data";
    KeyUnknown 400 UnrecognizedClientException "key-unknown" "nobody has this access key";
    SignatureInvalid 403 InvalidSignatureException "signature-invalid" "the signature does not match";
    SignatureExpired 403 InvalidSignatureException "signature-expired" "it was signed more than five minutes off";
    TokenExpired 403 ExpiredTokenException "token-expired" "the session token expired";
    AccountForeign 403 AccessDeniedException "account-foreign" "the account is not that of the credentials";
    AccountMalformed 400 BadRequest "account-malformed" "the account is neither - nor 12 digits";
    RouteUnknown 404 ResourceNotFoundException "route-unknown" "no operation has this URI";
    MethodUnknown 405 BadRequest "method-unknown" "no operation has this method on this URI";
    JsonMalformed 400 SerializationException "json-malformed" "the body is not well-formed JSON";
    MemberOfWrongType 400 SerializationException "member-of-wrong-type" "a member has the wrong JSON type";
    LimitInvalid 400 InvalidParameterValueException "limit-invalid" "limit is below 1 or no integer";
    LimitTooLarge 400 InvalidParameterValueException "limit-too-large" "limit is above the maximum";
    MarkerInvalid 400 InvalidParameterValueException "marker-invalid" "no page gave this marker";
    DeniedByPolicy 403 AccessDeniedException "denied-by-policy" "a policy denies it";
    VaultUnknown 404 ResourceNotFoundException "vault-unknown" "there is no vault of this name";
    VaultNameInvalid 400 InvalidParameterValueException "vault-name-invalid" "the vault name is empty, too long or has other characters";
    VaultNotEmpty 400 InvalidParameterValueException "vault-not-empty" "the vault holds archives";
    VaultRecentlyWritten 400 InvalidParameterValueException "vault-recently-written" "the vault was written to after its last inventory";
    VaultLimitExceeded 400 LimitExceededException "vault-limit-exceeded" "there are 1,000 vaults already";
    ArchiveUnknown 404 ResourceNotFoundException "archive-unknown" "no archive of this id was ever made";
    ArchiveDeleted 404 ResourceNotFoundException "archive-deleted" "the archive was deleted";
    ArchiveForeign 400 InvalidParameterValueException "archive-foreign" "the archive belongs to another vault";
    BodyEmpty 400 InvalidParameterValueException "body-empty" "the body has zero bytes";
    BodyTooLarge 400 InvalidParameterValueException "body-too-large" "the body is above 4 GiB";
    LengthMissing 400 MissingParameterValueException "length-missing" "there is no Content-Length";
    TreeHashMissing 400 MissingParameterValueException "tree-hash-missing" "x-amz-sha256-tree-hash is missing";
    TreeHashMalformed 400 InvalidParameterValueException "tree-hash-malformed" "x-amz-sha256-tree-hash is not 64 hexadecimal digits";
    TreeHashMismatch 400 InvalidParameterValueException "tree-hash-mismatch" "the tree hash is not that of the data";
    ContentHashMissing 400 MissingParameterValueException "content-hash-missing" "x-amz-content-sha256 is missing";
    ContentHashMismatch 400 InvalidParameterValueException "content-hash-mismatch" "x-amz-content-sha256 is not that of the body";
    DescriptionTooLong 400 InvalidParameterValueException "description-too-long" "the description has more than 1,024 characters";
    DescriptionIllegal 400 InvalidParameterValueException "description-illegal" "the description has a character outside 0x20-0x7E";
    PartSizeMissing 400 MissingParameterValueException "part-size-missing" "x-amz-part-size is missing";
    PartSizeMalformed 400 InvalidParameterValueException "part-size-malformed" "x-amz-part-size is no integer";
    PartSizeInvalid 400 InvalidParameterValueException "part-size-invalid" "the part size is not a power of two MiB from 1 MiB to 4 GiB";
    UploadUnknown 404 ResourceNotFoundException "upload-unknown" "no upload of this id was ever made";
    UploadAborted 404 ResourceNotFoundException "upload-aborted" "the upload was aborted";
    UploadCompleted 404 ResourceNotFoundException "upload-completed" "the upload was completed";
    UploadForeign 404 ResourceNotFoundException "upload-foreign" "the upload belongs to another vault";
    PartRangeMissing 400 MissingParameterValueException "part-range-missing" "Content-Range is missing";
    PartRangeMalformed 400 InvalidParameterValueException "part-range-malformed" "Content-Range is malformed";
    PartMisaligned 400 InvalidParameterValueException "part-misaligned" "the part does not begin at a multiple of the part size";
    PartTooLong 400 InvalidParameterValueException "part-too-long" "the part is longer than the part size";
    PartLengthMismatch 400 InvalidParameterValueException "part-length-mismatch" "Content-Range and the length of the body differ";
    TooManyParts 400 InvalidParameterValueException "too-many-parts" "there would be more than 10,000 parts";
    ArchiveSizeMissing 400 MissingParameterValueException "archive-size-missing" "x-amz-archive-size is missing";
    ArchiveSizeMalformed 400 InvalidParameterValueException "archive-size-malformed" "x-amz-archive-size is no whole number";
    ArchiveSizeMismatch 400 InvalidParameterValueException "archive-size-mismatch" "x-amz-archive-size is not the sum of the parts";
    PartsMissing 400 InvalidParameterValueException "parts-missing" "content ranges are missing";
    PartShort 400 InvalidParameterValueException "part-short" "a part other than the last is shorter than the part size";
    NoParts 400 InvalidParameterValueException "no-parts" "no part was uploaded";
    JobUnknown 404 ResourceNotFoundException "job-unknown" "no job of this id was ever made";
    JobForeign 404 ResourceNotFoundException "job-foreign" "the job belongs to another vault";
    JobNotReady 400 InvalidParameterValueException "job-not-ready" "the job is in progress";
    JobFailed 400 InvalidParameterValueException "job-failed" "the job failed";
    JobExpired 404 ResourceNotFoundException "job-expired" "the job was forgotten after more than 24 hours";
    JobParametersMissing 400 MissingParameterValueException "job-parameters-missing" "there are no job parameters";
    JobParametersWrapped 400 InvalidParameterValueException "job-parameters-wrapped" "the job parameters are inside a jobParameters member";
    JobTypeMissing 400 MissingParameterValueException "job-type-missing" "Type is missing";
    JobTypeUnknown 400 InvalidParameterValueException "job-type-unknown" "Type is none of the documented ones";
    SelectUnsupported 400 InvalidParameterValueException "select-unsupported" "select is retired";
    ArchiveIdMissing 400 MissingParameterValueException "archive-id-missing" "ArchiveId is missing";
    ArchiveIdUnexpected 400 InvalidParameterValueException "archive-id-unexpected" "an inventory request has an ArchiveId";
    RetrievalRangeMalformed 400 InvalidParameterValueException "retrieval-range-malformed" "RetrievalByteRange is malformed";
    RetrievalRangeMisaligned 400 InvalidParameterValueException "retrieval-range-misaligned" "RetrievalByteRange is not megabyte aligned";
    RetrievalRangeBeyond 400 InvalidParameterValueException "retrieval-range-beyond" "RetrievalByteRange is beyond the archive";
    RetrievalRangeUnexpected 400 InvalidParameterValueException "retrieval-range-unexpected" "an inventory request has a RetrievalByteRange";
    TierUnknown 400 InvalidParameterValueException "tier-unknown" "the tier is unknown";
    FormatUnknown 400 InvalidParameterValueException "format-unknown" "the format is unknown";
    InventoryLimitInvalid 400 InvalidParameterValueException "inventory-limit-invalid" "the inventory limit is below 1 or no integer";
    DateInvalid 400 InvalidParameterValueException "date-invalid" "a date is none";
    InventoryMarkerInvalid 400 InvalidParameterValueException "inventory-marker-invalid" "no job gave this inventory marker";
    JobDescriptionInvalid 400 InvalidParameterValueException "job-description-invalid" "the job description is longer than 1,024 bytes or has other characters";
    TopicInvalid 400 InvalidParameterValueException "topic-invalid" "SNSTopic is no topic";
    InventoryAbsent 404 ResourceNotFoundException "inventory-absent" "the vault has no inventory yet";
    PolicyEnforced 400 PolicyEnforcedException "policy-enforced" "the data retrieval policy forbids it";
    CapacityInsufficient 503 InsufficientCapacityException "capacity-insufficient" "there is no capacity for expedited retrievals";
    OutputRangeBeyond 400 InvalidParameterValueException "output-range-beyond" "Range begins at or beyond the end of the output";
    OutputRangeMalformed 400 InvalidParameterValueException "output-range-malformed" "Range is malformed";
    StatusCodeUnknown 400 InvalidParameterValueException "status-code-unknown" "statuscode is unknown";
    CompletedInvalid 400 InvalidParameterValueException "completed-invalid" "completed is neither true nor false";
    FilterContradictory 400 InvalidParameterValueException "filter-contradictory" "statuscode and completed contradict each other";
    TagOperationInvalid 400 InvalidParameterValueException "tag-operation-invalid" "operation is neither add nor remove";
    TagsMissing 400 MissingParameterValueException "tags-missing" "Tags is missing";
    TagCountInvalid 400 InvalidParameterValueException "tag-count-invalid" "one request has no tag, or more than 10";
    TagLimitExceeded 400 LimitExceededException "tag-limit-exceeded" "the vault would have more than 50 tags";
    TagKeyLength 400 InvalidParameterValueException "tag-key-length" "a tag key has zero or more than 128 characters";
    TagValueLength 400 InvalidParameterValueException "tag-value-length" "a tag value has more than 255 characters";
    TagKeyReserved 400 InvalidParameterValueException "tag-key-reserved" "a tag key begins with aws:";
    TagCharacters 400 InvalidParameterValueException "tag-characters" "a tag has other characters";
    TagKeysMissing 400 MissingParameterValueException "tag-keys-missing" "TagKeys is missing";
    TagKeyCountInvalid 400 InvalidParameterValueException "tag-key-count-invalid" "one request has no key, or more than 10";
    PolicyMissing 400 MissingParameterValueException "policy-missing" "Policy is missing";
    PolicyInvalid 400 InvalidParameterValueException "policy-invalid" "Policy is not a policy document";
    PolicyTooLarge 400 InvalidParameterValueException "policy-too-large" "Policy is above 20 KB";
    LockInProgress 403 AccessDeniedException "lock-in-progress" "a lock is in progress";
    LockLocked 403 AccessDeniedException "lock-locked" "the vault is locked";
    LockIdWrong 400 InvalidParameterValueException "lock-id-wrong" "the lock id is wrong";
    LockIdWrongWhenLocked 403 AccessDeniedException "lock-id-wrong-when-locked" "the lock id is wrong and the vault is locked";
    LockAbsent 404 ResourceNotFoundException "lock-absent" "there is no lock to complete";
    LockAbortWhenLocked 403 AccessDeniedException "lock-abort-when-locked" "the lock is completed";
    NoLock 404 ResourceNotFoundException "no-lock" "there is no lock";
    NoAccessPolicy 404 ResourceNotFoundException "no-access-policy" "there is no access policy";
    NoNotifications 404 ResourceNotFoundException "no-notifications" "there is no notification configuration";
    EventUnknown 400 InvalidParameterValueException "event-unknown" "an event is none";
    EventsMissing 400 MissingParameterValueException "events-missing" "Events is missing or empty";
    TopicMissing 400 MissingParameterValueException "topic-missing" "SNSTopic is missing";
    StrategyUnknown 400 InvalidParameterValueException "strategy-unknown" "the strategy is unknown";
    BytesPerHourMissing 400 MissingParameterValueException "bytes-per-hour-missing" "BytesPerHour is missing";
    BytesPerHourUnexpected 400 InvalidParameterValueException "bytes-per-hour-unexpected" "BytesPerHour goes with another strategy";
    BytesPerHourInvalid 400 InvalidParameterValueException "bytes-per-hour-invalid" "BytesPerHour is out of 1..2^63-1 or no integer";
    RuleCountInvalid 400 InvalidParameterValueException "rule-count-invalid" "there is not exactly one rule";
    RetrievalPolicyMissing 400 MissingParameterValueException "retrieval-policy-missing" "Policy, Rules or Strategy is missing";
    CapacityLimitExceeded 400 LimitExceededException "capacity-limit-exceeded" "there are two units already";
    RequestTimeout 408 RequestTimeoutException "request-timeout" "the body did not come in time";
}
