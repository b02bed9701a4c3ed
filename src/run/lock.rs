//! One process writes into a run's folder at a time.
//!
//! The lock is the operating system's, on an open file: it ends with the process, however that dies.

use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use same_file::Handle;

use super::names::{CHECKPOINT_FOLDER, LOCK, is_unfinished_file};
use super::storage::{StorageError, entries, io_error};

/// The locks of this process, whose parts share them.
static HELD: Mutex<Vec<Weak<Lock>>> = Mutex::new(Vec::new());

/// The right to write into a folder; ends when it is dropped everywhere.
#[derive(Debug)]
pub(super) struct Lock(Handle);

impl Lock {
    /// Locks a folder for this process.
    ///
    /// # Errors
    /// [`StorageError::Locked`] if another process has it.
    pub fn of(folder: &Path) -> Result<Arc<Self>, StorageError> {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|lock| lock.strong_count() > 0);
        if let Some(lock) = held.iter().filter_map(Weak::upgrade).find(|lock| lock.is_of(folder)) {
            return Ok(lock);
        }
        let lock = Arc::new(Self::acquire(folder)?);
        held.push(Arc::downgrade(&lock));
        Ok(lock)
    }

    /// Returns whether no process writes into a folder, this one included.
    pub fn is_free(folder: &Path) -> bool {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        !held.iter().filter_map(Weak::upgrade).any(|lock| lock.is_of(folder)) && Self::acquire(folder).is_ok()
    }

    fn acquire(folder: &Path) -> Result<Self, StorageError> {
        let path = folder.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => StorageError::Gone(folder.to_owned()),
            _ => io_error(&path, "written", source),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::Locked(folder.to_owned())),
            // A file system without locks: then nobody can hold one.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(io_error(&path, "locked", source)),
        }
        // What other processes left unfinished.
        for path in
            [folder, &folder.join(CHECKPOINT_FOLDER)].into_iter().flat_map(|folder| entries(folder, is_unfinished_file))
        {
            let _ = fs::remove_file(path);
        }
        Handle::from_file(file).map(Self).map_err(|source| io_error(&path, "read", source))
    }

    /// Returns whether `folder` is the one that is locked: neither removed nor replaced by another of its name.
    pub fn is_of(&self, folder: &Path) -> bool {
        Handle::from_path(folder.join(LOCK)).is_ok_and(|there| there == self.0)
    }
}
