//! Runs as data: a file for each run, named by what decided it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::data::DataKey;

/// A run that is there or is to be: all that decides its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job<S> {
    /// What the settings are called, in progress and in the file's name.
    pub label: String,
    /// Decides the images, the initial weights and their order.
    pub seed: u64,
    /// Everything else.
    pub settings: S,
}

impl<S> Job<S> {
    /// The job in a few words.
    pub fn name(&self) -> String {
        format!("{}, seed {}", self.label, self.seed)
    }
}

/// The runs of one experiment on one data set, a file each.
///
/// A file is written whole or not at all, so that runs may be computed at the same time, and a command that was killed
/// goes on where it was.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    experiment: &'static str,
    data: DataKey,
    /// The files that were read, with the SHA-256 of each.
    read: Mutex<BTreeMap<String, String>>,
}

/// What a file of a run holds.
#[derive(Serialize)]
struct RunFile<'a, S, R> {
    experiment: &'a str,
    data: &'a DataKey,
    #[serde(flatten)]
    job: &'a Job<S>,
    result: R,
}

impl Store {
    /// The runs in `folder`, which need not be there yet.
    pub fn new(folder: PathBuf, experiment: &'static str, data: &DataKey) -> Self {
        Self { folder, experiment, data: data.clone(), read: Mutex::default() }
    }

    /// The result of a run, if it is there.
    ///
    /// # Errors
    /// If its file cannot be read, or holds something else.
    pub fn load<S: Serialize, R: DeserializeOwned>(&self, job: &Job<S>) -> anyhow::Result<Option<R>> {
        let path = self.path(job)?;
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.with_context(|| path.display().to_string())?,
        };
        let result = self.parse(job, &bytes).with_context(|| path.display().to_string())?;
        if let (Ok(mut read), Some(name)) = (self.read.lock(), path.file_name()) {
            read.insert(name.to_string_lossy().into_owned(), sha256(&bytes));
        }
        Ok(Some(result))
    }

    fn parse<S: Serialize, R: DeserializeOwned>(&self, job: &Job<S>, bytes: &[u8]) -> anyhow::Result<R> {
        let mut found: Value = serde_json::from_slice(bytes)?;
        let result = found.get_mut("result").map_or(Value::Null, Value::take);
        ensure!(found == self.described(job)?, "expected the run '{}', found another: remove the file", job.name());
        Ok(serde_json::from_value(result)?)
    }

    /// Keeps the result of a run.
    ///
    /// # Errors
    /// If its file cannot be written.
    pub fn save<S: Serialize, R: Serialize>(&self, job: &Job<S>, result: &R) -> anyhow::Result<()> {
        let path = self.path(job)?;
        let file = RunFile { experiment: self.experiment, data: &self.data, job, result };
        let bytes = serde_json::to_string(&file)? + "\n";
        write_whole(&path, bytes.as_bytes())
    }

    /// The files of all runs that were read, with the SHA-256 of each.
    pub fn digests(&self) -> BTreeMap<String, String> {
        self.read.lock().map_or_else(|_| BTreeMap::new(), |read| read.clone())
    }

    /// The files in the folder that were not read: no job is described by them.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn left_over(&self) -> anyhow::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| self.folder.display().to_string())?,
        };
        let read = self.digests();
        let mut others = Vec::new();
        for entry in entries {
            let entry = entry?;
            if !read.contains_key(entry.file_name().to_string_lossy().as_ref()) {
                others.push(entry.path());
            }
        }
        others.sort();
        Ok(others)
    }

    /// The job's file: its name for people, and the beginning of a hash of all that decides it.
    fn path<S: Serialize>(&self, job: &Job<S>) -> anyhow::Result<PathBuf> {
        let label = job.label.replace(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'), "-");
        let key = sha256(self.described(job)?.to_string().as_bytes());
        Ok(self.folder.join(format!("{label}-seed-{}-{}.json", job.seed, &key[..8])))
    }

    /// All that a run's file holds but the result.
    fn described<S: Serialize>(&self, job: &Job<S>) -> anyhow::Result<Value> {
        let file = RunFile { experiment: self.experiment, data: &self.data, job, result: Value::Null };
        // As it is after a file was read: some numbers are other ones in memory.
        let value: Value = serde_json::from_str(&serde_json::to_string(&file)?)?;
        Ok(value)
    }
}

/// Writes a file in one step: who reads it finds all of it.
///
/// # Errors
/// If it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        let folder = path.parent().context("expected a file in a folder")?;
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        // What a temporary file may not be, the runs of all users are: readable.
        #[cfg(unix)]
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| path.display().to_string())
}

/// The SHA-256 of some bytes, in lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &Path) -> Store {
        let data = DataKey { name: "none".to_owned(), sha256: "0".to_owned() };
        Store::new(folder.to_owned(), "test", &data)
    }

    fn job(rate: f64) -> Job<f64> {
        Job { label: format!("rate {rate}"), seed: 3, settings: rate }
    }

    #[test]
    fn a_run_is_found_again_by_all_that_decides_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder.path().join("runs"));
        assert_eq!(store.load::<_, f64>(&job(0.1)).unwrap(), None);
        store.save(&job(0.1), &0.75).unwrap();
        assert_eq!(store.load(&job(0.1)).unwrap(), Some(0.75));
        assert_eq!(store.load::<_, f64>(&job(0.2)).unwrap(), None);
        assert_eq!(store.load::<_, f64>(&Job { seed: 4, ..job(0.1) }).unwrap(), None);
        assert_eq!((store.digests().len(), store.left_over().unwrap().len()), (1, 0));
        store.save(&job(0.2), &0.5).unwrap();
        assert_eq!(store.left_over().unwrap().len(), 1);
    }

    #[test]
    fn a_run_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.save(&job(0.1), &0.75).unwrap();
        let path = store.path(&job(0.1)).unwrap();
        for (old, new) in [("0.1", "0.2"), ("test", "other"), ("\"result\":0.75", "\"result\":\"text\""), ("}", "")] {
            store.save(&job(0.1), &0.75).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replacen(old, new, 1)).unwrap();
            assert!(store.load::<_, f64>(&job(0.1)).is_err(), "{old} as {new}");
        }
    }
}
