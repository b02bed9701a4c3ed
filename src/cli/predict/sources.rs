//! Where the pictures come from: files, folders, standard input.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Extensions of the pictures in a folder, in lower case.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// Where one picture comes from.
pub enum Source {
    File(PathBuf),
    StandardInput,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::StandardInput => formatter.write_str("-"),
        }
    }
}

impl Source {
    /// Returns a name for files that are made of the picture: its own, without the extension.
    pub fn stem(&self) -> String {
        match self {
            Self::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::StandardInput => "stdin".to_owned(),
        }
    }

    /// Reads the picture's bytes: one more than `most` if there are more, as a file may have no end.
    pub fn read(&self, most: usize) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = (most as u64).saturating_add(1);
        let result = match self {
            Self::File(path) => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
            Self::StandardInput => io::stdin().lock().take(most).read_to_end(&mut bytes),
        };
        result.with_context(|| format!("{self}: cannot be read"))?;
        Ok(bytes)
    }
}

/// Returns the pictures that an argument stands for: a folder's, sorted by name, or one.
pub fn sources(argument: &Path) -> Vec<anyhow::Result<Source>> {
    if argument == Path::new("-") {
        return vec![Ok(Source::StandardInput)];
    }
    if !argument.is_dir() {
        return vec![Ok(Source::File(argument.to_owned()))];
    }
    match pictures_in(argument) {
        Ok(paths) => paths.into_iter().map(|path| Ok(Source::File(path))).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn pictures_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.with_context(|| format!("{}: cannot be read", folder.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| is_picture(path)).collect();
    if paths.is_empty() {
        bail!("{}: expected pictures in the folder (.{}), found none", folder.display(), EXTENSIONS.join(", ."));
    }
    paths.sort();
    Ok(paths)
}

/// Whether a file in a folder is meant as a picture; hidden ones are what systems write beside it.
fn is_picture(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    EXTENSIONS.contains(&extension.as_str()) && !is_hidden && path.is_file()
}
