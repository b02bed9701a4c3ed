//! What a run's files hold, as SHA-256, in the format that `sha256sum --check` reads.
//!
//! A file is replaced in three steps, each of which is whole or not there after a crash: the manifest allows the new
//! content beside the old one, the file changes, the manifest allows the new content alone. So at every moment each
//! file is one that the manifest allows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::names::{ALWAYS, MANIFEST, REPORT};
use super::storage::{StorageError, io_error, replace};
use crate::hash::hex;

/// The contents that each file may have, by its name in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest(BTreeMap<String, Vec<String>>);

impl Manifest {
    /// Reads the manifest of a folder; `None` if there is none, as in the folders of earlier versions.
    pub fn read(folder: &Path) -> Result<Option<Self>, StorageError> {
        let path = folder.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error(&path, "read", source)),
        };
        let content = |found| StorageError::Content {
            path: path.clone(),
            expected: "a line of a SHA-256 and a name for each file of the run",
            found,
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut manifest = Self::default();
        for line in text.lines() {
            let entry = line.split_once("  ").filter(|(hash, _)| is_hash(hash));
            let (hash, name) = entry.ok_or_else(|| content(format!("{line:?}")))?;
            manifest.0.entry(name.to_owned()).or_default().push(hash.to_owned());
        }
        match ALWAYS.into_iter().find(|name| !manifest.0.contains_key(*name)) {
            None => Ok(Some(manifest)),
            Some(name) => Err(content(format!("none for {name}"))),
        }
    }

    /// Returns the manifest of the files as they are, for a folder without one.
    pub fn of(folder: &Path) -> Result<Self, StorageError> {
        let mut manifest = Self::default();
        for name in ALWAYS.into_iter().chain([REPORT]) {
            let path = folder.join(name);
            match hash_file(&path) {
                Ok(hash) => drop(manifest.0.insert(name.to_owned(), vec![hash])),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(io_error(&path, "read", source)),
            }
        }
        Ok(manifest)
    }

    /// Writes it into a folder.
    pub fn write(&self, folder: &Path) -> Result<(), StorageError> {
        let lines = self.0.iter().flat_map(|(name, hashes)| hashes.iter().map(move |hash| format!("{hash}  {name}\n")));
        replace(&folder.join(MANIFEST), lines.collect::<String>().as_bytes())
    }

    /// Allows one more content of a file that is listed. One that is not listed is new, and allowed once it is there.
    pub fn allow(&mut self, name: &str, bytes: &[u8]) {
        let hash = hash(bytes);
        if let Some(hashes) = self.0.get_mut(name).filter(|hashes| !hashes.contains(&hash)) {
            hashes.push(hash);
        }
    }

    /// Allows one content of a file and no other.
    pub fn set(&mut self, name: &str, bytes: &[u8]) {
        self.0.insert(name.to_owned(), vec![hash(bytes)]);
    }

    /// Checks every file that is listed.
    pub fn verify(&self, folder: &Path) -> Result<(), StorageError> {
        self.0.iter().try_for_each(|(name, hashes)| {
            let path = folder.join(name);
            let found = match hash_file(&path) {
                Ok(hash) if hashes.contains(&hash) => return Ok(()),
                Ok(_) => "other content",
                Err(error) if error.kind() == io::ErrorKind::NotFound => "no file",
                Err(source) => return Err(io_error(&path, "read", source)),
            };
            Err(StorageError::Changed { path, manifest: MANIFEST, found })
        })
    }
}

fn hash(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

/// Hashes a file of any size.
fn hash_file(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hex(hasher))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
