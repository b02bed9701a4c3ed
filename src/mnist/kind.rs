//! What a path leads to: opening a named pipe would wait for a writer.

use std::fs::{self, Metadata};
use std::path::Path;

use super::error::DataError;

/// Refuses what is no file.
pub(super) fn check_file(path: &Path) -> Result<(), DataError> {
    match not_a_file(path) {
        None => Ok(()),
        Some(found) => Err(DataError::NotAFile { file: path.display().to_string(), found }),
    }
}

/// What a path leads to if it is no file; `None` also where that is unknown: opening it tells why, and blocks on nothing.
pub(super) fn not_a_file(path: &Path) -> Option<&'static str> {
    let metadata = fs::metadata(path).ok()?;
    (!metadata.is_file()).then(|| describe(&metadata))
}

#[cfg(unix)]
fn describe(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match metadata.file_type() {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe (FIFO)",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn describe(metadata: &Metadata) -> &'static str {
    if metadata.is_dir() { "a folder" } else { "something else" }
}
