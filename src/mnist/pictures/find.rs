//! Which pictures are of which class, as torchvision's `ImageFolder` finds them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::mnist::error::{ClassFolderError, DataError};
use crate::mnist::kind::check_file;
use crate::mnist::values::unreadable;

/// What the folder of the test set is called; the first that is there is meant.
const TEST: [&str; 3] = ["test", "val", "valid"];

/// Labels are bytes.
const MOST_CLASSES: usize = 256;

/// What torchvision takes for a picture, in lower case.
const EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// A picture's file and its class.
pub(super) type Labelled = (PathBuf, u8);

/// The pictures of a data set.
pub(super) struct Found {
    /// The names of the classes, in the order of their labels.
    pub classes: Vec<String>,
    pub train: Vec<Labelled>,
    pub test: Vec<Labelled>,
}

/// Finds the pictures below `folder/train` and `folder/test`.
pub(super) fn find(folder: &Path) -> Result<Found, DataError> {
    let (train, test) = (folder.join("train"), test_folder(folder)?);
    let [classes, of_test] = [&train, &test].map(|part| class_folders(part));
    let (classes, of_test) = (classes?, of_test?);
    if names(&classes) != names(&of_test) {
        let only = |these: &[PathBuf], others: &[PathBuf]| {
            let others = names(others);
            shown(names(these).into_iter().filter(|name| !others.contains(name)))
        };
        let (missing, unexpected) = (only(&classes, &of_test), only(&of_test, &classes));
        let (folder, train) = (test.display().to_string(), train.display().to_string());
        return Err(ClassFolderError::Classes { folder, train, missing, unexpected }.into());
    }
    Ok(Found { train: labelled(&classes)?, test: labelled(&of_test)?, classes: shown(names(&classes).into_iter()) })
}

fn test_folder(folder: &Path) -> Result<PathBuf, DataError> {
    let found = TEST.iter().map(|name| folder.join(name)).find(|path| path.is_dir());
    found.ok_or_else(|| empty(folder, "a folder `test`, `val` or `valid` beside `train`"))
}

/// The folders of the classes in one part, sorted by name.
fn class_folders(part: &Path) -> Result<Vec<PathBuf>, DataError> {
    let folders: Vec<PathBuf> = entries(part)?.into_iter().filter(|path| path.is_dir()).collect();
    match folders.len() {
        0 => Err(empty(part, "a folder of pictures for each class")),
        1..=MOST_CLASSES => Ok(folders),
        found => {
            let folder = part.display().to_string();
            Err(ClassFolderError::TooManyClasses { folder, most: MOST_CLASSES, found }.into())
        }
    }
}

fn names(folders: &[PathBuf]) -> Vec<OsString> {
    folders.iter().map(|folder| folder.file_name().unwrap_or_default().to_owned()).collect()
}

fn shown(names: impl Iterator<Item = OsString>) -> Vec<String> {
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The pictures of all classes, class by class, sorted by name.
fn labelled(classes: &[PathBuf]) -> Result<Vec<Labelled>, DataError> {
    let mut pictures = Vec::new();
    for (folder, label) in classes.iter().zip(0..=u8::MAX) {
        let of_class: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| is_meant(path)).collect();
        of_class.iter().try_for_each(|picture| check_file(picture))?;
        if of_class.is_empty() {
            return Err(empty(folder, "a picture (.png, .jpg or .jpeg)"));
        }
        pictures.extend(of_class.into_iter().map(|picture| (picture, label)));
    }
    Ok(pictures)
}

/// Whether an entry of a class folder is a picture, or a folder: torchvision takes the pictures in there too, so leaving
/// it out would be a loss that nobody sees.
fn is_meant(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    EXTENSIONS.contains(&extension.as_str()) || path.is_dir()
}

/// What is in a folder and not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| unreadable(&folder.display().to_string(), source);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn empty(folder: &Path, expected: &'static str) -> DataError {
    ClassFolderError::Empty { folder: folder.display().to_string(), expected }.into()
}
