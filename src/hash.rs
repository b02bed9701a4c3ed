//! SHA-256 as text.

use sha2::{Digest, Sha256};

/// Returns the hash of what a hasher was fed, in lower-case hexadecimal digits.
pub(crate) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
