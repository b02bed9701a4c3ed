//! Files that are written, or compared with those that are there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::store::write_whole;

/// Where reports go.
#[derive(Debug)]
pub enum Output {
    /// Into files.
    Write,
    /// Nowhere: the files that differ are remembered.
    Compare(Vec<PathBuf>),
}

impl Output {
    /// Writes a text to a file, or compares the two.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Write => write_whole(path, text.as_bytes()),
            Self::Compare(different) => {
                if fs::read(path).ok().as_deref() != Some(text.as_bytes()) {
                    different.push(path.to_owned());
                }
                Ok(())
            }
        }
    }

    /// Ends a comparison.
    ///
    /// # Errors
    /// If a file differed, with the names of all that did.
    pub fn finish(self) -> anyhow::Result<()> {
        let Self::Compare(different) = self else { return Ok(()) };
        let names: Vec<String> = different.iter().map(|path| path.display().to_string()).collect();
        ensure!(
            names.is_empty(),
            "expected what follows from the runs, found something else in {}: make the reports again",
            names.join(", ")
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_names_the_files_that_differ_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [same, other, absent] = ["same", "other", "absent"].map(|name| folder.path().join(name));
        Output::Write.put(&same, "text").unwrap();
        Output::Write.put(&other, "other text").unwrap();
        let mut output = Output::Compare(Vec::new());
        output.put(&same, "text").unwrap();
        assert!(Output::Compare(Vec::new()).finish().is_ok());
        for path in [&other, &absent] {
            output.put(path, "text").unwrap();
        }
        let error = output.finish().unwrap_err().to_string();
        assert!(error.contains("other") && error.contains("absent") && !error.contains("same"), "{error}");
        assert!(!absent.exists() && fs::read_to_string(&other).unwrap() == "other text");
    }
}
