//! The 33 operations by name, and what is known of one.

use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::schema::{Schema, SchemaViolation};
use super::template::UriTemplate;

macro_rules! operation_names {
    ($($name:ident)*) => {
        /// An operation of the Glacier vault API, 2012-06-01.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant is the operation that Amazon calls so")]
        pub enum OperationName {
            $($name,)*
        }

        impl OperationName {
            /// Every operation, in the order of the built-in specification.
            pub const ALL: [Self; 33] = [$(Self::$name,)*];

            /// Spells the name as Amazon does.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

operation_names! {
    CreateVault DeleteVault DescribeVault ListVaults
    UploadArchive DeleteArchive
    InitiateMultipartUpload UploadMultipartPart CompleteMultipartUpload AbortMultipartUpload
    ListParts ListMultipartUploads
    InitiateJob DescribeJob ListJobs GetJobOutput
    SetVaultNotifications GetVaultNotifications DeleteVaultNotifications
    AddTagsToVault ListTagsForVault RemoveTagsFromVault
    InitiateVaultLock GetVaultLock AbortVaultLock CompleteVaultLock
    SetVaultAccessPolicy GetVaultAccessPolicy DeleteVaultAccessPolicy
    SetDataRetrievalPolicy GetDataRetrievalPolicy
    ListProvisionedCapacity PurchaseProvisionedCapacity
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names none of the 33 operations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("find an operation named {0:?}")]
pub struct UnknownOperation(pub String);

impl FromStr for OperationName {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        let named = Self::ALL.into_iter().find(|name| name.as_str() == text);
        named.ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

/// Where a parameter travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

impl Location {
    /// Spells the place as OpenAPI does.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something a request carries beside its body.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name; that of a header compares without case.
    pub name: String,
    /// Where it travels.
    pub location: Location,
    /// Whether every request must carry it.
    pub required: bool,
    /// What its text may be: see [`Schema::text_violations`].
    pub schema: Schema,
}

/// What a request or a successful answer has for a body.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// Nothing.
    None,
    /// Bytes.
    Binary,
    /// A JSON value.
    Json(Schema),
    /// Whatever a job gave: the bytes of an archive, an inventory as CSV, or as JSON after this schema.
    JobOutput(Schema),
}

impl BodyKind {
    /// The schema that a JSON body is bound by.
    pub fn schema(&self) -> Option<&Schema> {
        match self {
            Self::Json(schema) | Self::JobOutput(schema) => Some(schema),
            Self::None | Self::Binary => None,
        }
    }
}

/// A header of a successful answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResponseHeader {
    /// Its name, which compares without case.
    pub name: String,
    /// Whether every success carries it.
    pub required: bool,
    /// When it is sent, in words, where that is not always.
    pub when: Option<String>,
    /// What its text may be.
    pub schema: Schema,
}

impl ResponseHeader {
    /// Lists what is wrong with a value of this header.
    pub fn violations(&self, value: &str) -> Vec<SchemaViolation> {
        self.schema.text_violations(value)
    }
}

/// How a list is walked page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paging {
    /// The query parameter that limits a page.
    pub limit: String,
    /// The query parameter that continues a list.
    pub marker: String,
    /// The member of an answer that holds the marker of the next page, or null.
    pub next: String,
    /// The member that holds the items.
    pub list_member: String,
    /// Items on a page when no limit is sent.
    pub default: u64,
    /// Items on a page at most.
    pub max: u64,
}

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    /// Its name.
    pub name: OperationName,
    /// The HTTP method, in upper case.
    pub method: String,
    /// Its URI.
    pub uri: UriTemplate,
    /// What a request carries beside its body, signature and date aside.
    pub parameters: Vec<Parameter>,
    /// The body of a request.
    pub request_body: BodyKind,
    /// The status of a success.
    pub success_status: u16,
    /// Other statuses of a success: 206 for part of an output, 201 where a page contradicts itself.
    pub other_success: Vec<u16>,
    /// The headers of a success.
    pub response_headers: Vec<ResponseHeader>,
    /// The body of a success.
    pub response_body: BodyKind,
    /// Error codes, each with its statuses, the documented one first.
    pub errors: IndexMap<String, Vec<u16>>,
    /// The JSON body of an error.
    pub error_body: Schema,
    /// How its list is walked, if it is one.
    pub paging: Option<Paging>,
}

impl Operation {
    /// Finds a parameter; the name of a header compares without case.
    pub fn parameter(&self, location: Location, name: &str) -> Option<&Parameter> {
        let same = |known: &str| match location {
            Location::Header => known.eq_ignore_ascii_case(name),
            Location::Path | Location::Query => known == name,
        };
        self.parameters
            .iter()
            .find(|known| known.location == location && same(&known.name))
    }

    /// Finds a header of the successful answer.
    pub fn response_header(&self, name: &str) -> Option<&ResponseHeader> {
        self.response_headers
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// Tells whether `status` is one of its successes.
    pub fn succeeds_with(&self, status: u16) -> bool {
        self.success_status == status || self.other_success.contains(&status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_33_names_and_each_reads_back() {
        for name in OperationName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
        }
        assert!("createVault".parse::<OperationName>().is_err());
    }
}
