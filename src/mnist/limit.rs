//! How much is unpacked of a file: a few kilobytes can promise terabytes.

use super::error::DataError;

/// So much is unpacked of any file.
const ALWAYS: u64 = 1 << 30;

/// And so many times the packed bytes of a larger one: images of one grey value shrink a thousandfold, MNIST fourfold.
const RATIO: u64 = 100;

/// Checks that `found` bytes are no more than a file of so many packed bytes may hold; `file` names it in errors.
pub(super) fn check_size(file: &str, packed: u64, found: u128) -> Result<(), DataError> {
    let most = ALWAYS.max(packed.saturating_mul(RATIO));
    match found <= most.into() {
        true => Ok(()),
        false => Err(DataError::TooLarge { file: file.to_owned(), packed, most, found }),
    }
}
