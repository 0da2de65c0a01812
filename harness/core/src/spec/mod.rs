//! What the service offers: operations, their parameters, bodies, statuses and errors.

mod operation;

pub use operation::{OperationName, UnknownOperation};

/// Identifies texts: `sha256:` and 64 hex digits.
pub(crate) fn digest(texts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let hex = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    format!("sha256:{hex}")
}
