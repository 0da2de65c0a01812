//! The names of the 33 operations.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
