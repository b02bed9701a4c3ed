//! Why a run cannot be used, and files that are replaced as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::names::UNFINISHED;

/// Why a run's folder, or a file of weights, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder of a new run is taken.
    #[error("{}: expected a new folder, found one that is not empty; name another, or resume that run", .0.display())]
    Exists(PathBuf),
    /// What has the name of the folder of a new run is no folder.
    #[error("{}: expected a new folder, found a file; name another", .0.display())]
    NoFolder(PathBuf),
    /// The folder holds no run.
    #[error("{}: expected the folder of a run, found no config.json in it", .0.display())]
    NoRun(PathBuf),
    /// Another process has the run.
    #[error("{}: another process trains this run; wait until it has ended", .0.display())]
    Locked(PathBuf),
    /// The folder was there, and is not there any more.
    #[error(
        "{}: the folder of the run, or the file `lock` in it, was removed, moved or replaced while the run used it; the run \
         ends here", .0.display()
    )]
    Gone(PathBuf),
    /// A file is not what was written, by the manifest.
    #[error(
        "{}: expected the file as it was written (by {manifest}), found {found}; restore it from a copy, or open the run \
         unverified if the change was on purpose",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The name of the manifest.
        manifest: &'static str,
        /// `other content` or `no file`.
        found: &'static str,
    },
    /// A file cannot be read or written.
    #[error("{}: cannot be {action}", path.display())]
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

/// Replaces a file as a whole or not at all. Its folder must be there: one that somebody has removed is not made again.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    replace_file(path, bytes).map_err(|source| io_error(path, "written", source))
}

fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = parent(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Under a name of its own: another process never writes into the same file. It is removed if anything fails.
    let mut file = named(&format!("{name}."), 0o666).tempfile_in(folder).map_err(without_path)?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    flush_folder(folder)
}

/// Returns a builder of files or folders that are not finished, with the permissions `mode` less the user's mask.
pub(super) fn named(prefix: &str, mode: u32) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(UNFINISHED);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// Makes what was renamed in a folder outlast a power failure.
pub(super) fn flush_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

/// Returns the folder that a path lies in.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the paths of those entries of a folder whose names are wanted.
pub(super) fn entries(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(move |entry| entry.file_name().to_str().is_some_and(&is_wanted)).map(|entry| entry.path())
}

/// Returns an error without the path that `tempfile` adds to it.
fn without_path(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|error| error.source()?.downcast_ref::<io::Error>());
    inner.and_then(io::Error::raw_os_error).map_or(error, io::Error::from_raw_os_error)
}
