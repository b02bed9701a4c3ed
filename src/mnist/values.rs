//! The values behind a header, of which nothing is believed: memory is taken for what is there.

use std::io::{self, Read};

use super::error::DataError;

/// Reads as many values of `size` bytes as the dimensions say, to the end of `reader`; `file` names it in errors.
pub(super) fn read_values(
    reader: impl Read, file: &str, dimensions: &[u64], size: usize,
) -> Result<Vec<u8>, DataError> {
    if dimensions.contains(&0) {
        return Err(DataError::Empty { file: file.to_owned(), dimensions: dimensions.to_vec() });
    }
    let expected = bytes_of(dimensions, size);
    let limit = u64::try_from(expected).unwrap_or(u64::MAX);
    let mut values = Vec::new();
    // One byte beyond the end tells an over-long file, and has a packed one check its sum and what is behind it.
    let mut reader = reader.take(limit.saturating_add(1));
    reader.read_to_end(&mut values).map_err(|source| unreadable(file, source))?;
    if values.len() as u128 != expected {
        let found = match (values.len() as u128) < expected {
            true => format!("only {}", values.len()),
            false => "more".to_owned(),
        };
        let (file, dimensions) = (file.to_owned(), dimensions.to_vec());
        return Err(DataError::Length { file, dimensions, expected, found });
    }
    values.shrink_to_fit();
    Ok(values)
}

/// The bytes that values of such dimensions take, or the largest number where they are more.
pub(super) fn bytes_of(dimensions: &[u64], size: usize) -> u128 {
    dimensions.iter().fold(size as u128, |bytes, &dimension| bytes.saturating_mul(dimension.into()))
}

/// The error of a file that cannot be read.
pub(super) fn unreadable(file: &str, source: io::Error) -> DataError {
    DataError::Read { file: file.to_owned(), source }
}
