//! Reading and writing files so that a crash at any moment loses nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a run's folder, or a file of weights, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder of a new run is taken.
    #[error("{}: expected a new folder, found one that is not empty; name another, or resume that run", .0.display())]
    Exists(PathBuf),
    /// The folder holds no run.
    #[error("{}: expected the folder of a run, found no config.json in it", .0.display())]
    NoRun(PathBuf),
    /// A file cannot be read or written.
    #[error("{}: the file cannot be {action}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// The I/O error.
        source: io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{}: expected {expected}, found something else: {found}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong with it.
        found: String,
    },
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, StorageError> {
    fs::read(path).map_err(|source| io_error(path, "read", source))
}

pub(super) fn io_error(path: &Path, action: &'static str, source: io::Error) -> StorageError {
    StorageError::Io { path: path.to_owned(), action, source }
}

/// Replaces a file as a whole or not at all, making its folder where there is none.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    replace_file(path, bytes).map_err(|source| io_error(path, "written", source))
}

fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // One fixed name: what a crash leaves is overwritten the next time.
    let temporary = path.with_added_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    if cfg!(unix) {
        File::open(folder)?.sync_all()?; // the rename itself
    }
    Ok(())
}
