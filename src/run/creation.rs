//! The folder of a new run: there with all its files, or not there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::lock::Lock;
use super::names::{CHECKPOINT_FOLDER, CONFIG, LOCK, MARK, STAGING, UNFINISHED};
use super::storage::{StorageError, entries, flush_folder, io_error, named, parent};

/// How long an unfinished folder may be without its lock.
const UNLOCKED: Duration = Duration::from_secs(60);

/// A folder in which the files of a new run are written.
pub(super) enum Creation {
    /// Beside the new folder, whose name it gets at the end.
    Staged(TempDir, Arc<Lock>),
    /// An empty folder that is there already, such as a mount point, which cannot be replaced. It is no run before its
    /// configuration is in it.
    InPlace(PathBuf, Arc<Lock>),
}

impl Creation {
    /// Begins the folder `path`.
    ///
    /// # Errors
    /// [`StorageError::Exists`] if it is there and not empty.
    pub fn start(path: &Path) -> Result<Self, StorageError> {
        let failed = |source| io_error(path, "written", source);
        let creation = match is_free(path)? {
            true => {
                let lock = Lock::of(path)?;
                // Another process may have been here before the lock.
                is_free(path)?;
                fs::write(path.join(MARK), []).map_err(failed)?;
                Self::InPlace(path.to_owned(), lock)
            }
            false => {
                let parent = parent(path);
                fs::create_dir_all(parent).map_err(failed)?;
                remove_abandoned(parent);
                let staging = named(STAGING, 0o777).tempdir_in(parent).map_err(failed)?;
                let lock = Lock::of(staging.path())?;
                Self::Staged(staging, lock)
            }
        };
        fs::create_dir_all(creation.path().join(CHECKPOINT_FOLDER)).map_err(failed)?;
        Ok(creation)
    }

    /// Returns where the files are to be written.
    pub fn path(&self) -> &Path {
        match self {
            Self::Staged(staging, _) => staging.path(),
            Self::InPlace(path, _) => path,
        }
    }

    /// Gives the folder its name, and returns its lock.
    pub fn finish(self, path: &Path) -> Result<Arc<Lock>, StorageError> {
        let (staging, lock) = match self {
            Self::Staged(staging, lock) => (staging, lock),
            Self::InPlace(path, lock) => {
                // With its configuration it is a run, with the mark or without.
                let _ = fs::remove_file(path.join(MARK));
                return Ok(lock);
            }
        };
        fs::rename(staging.path(), path).map_err(|source| match source.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => StorageError::Exists(path.to_owned()),
            io::ErrorKind::NotADirectory => StorageError::NoFolder(path.to_owned()),
            _ => io_error(path, "written", source),
        })?;
        let _ = staging.keep(); // not there under its old name
        flush_folder(parent(path)).map_err(|source| io_error(path, "written", source))?;
        Ok(lock)
    }
}

/// Returns whether `path` is an empty folder, or one in which the creation of a run was cut off; false if there is
/// nothing.
fn is_free(path: &Path) -> Result<bool, StorageError> {
    match fs::read_dir(path) {
        Ok(entries) => {
            let is_unfinished = path.join(MARK).exists() && !path.join(CONFIG).exists();
            let is_lock = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() == LOCK);
            match is_unfinished || entries.into_iter().all(is_lock) {
                true => Ok(true),
                false => Err(StorageError::Exists(path.to_owned())),
            }
        }
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Ok(false),
            io::ErrorKind::NotADirectory => Err(StorageError::NoFolder(path.to_owned())),
            _ => Err(io_error(path, "read", error)),
        },
    }
}

/// Removes folders that were not finished and whose process has ended.
fn remove_abandoned(parent: &Path) {
    for path in entries(parent, |name| name.starts_with(STAGING) && name.ends_with(UNFINISHED)) {
        let age =
            fs::metadata(&path).and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
        // Its process may be about to lock it.
        let is_abandoned = path.join(LOCK).exists() || age.is_some_and(|age| age > UNLOCKED);
        if is_abandoned && Lock::is_free(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
