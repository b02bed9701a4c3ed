//! Where a data set comes from: bundled, a folder of one of two layouts, or a file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;

use super::error::DataError;
use super::idx::{read_images, read_labels};
use super::names::{NAMES, find};
use super::sets::{ImageSets, NamedDataset, labelled};

impl ImageSets {
    /// Loads bundled MNIST, or the data set at `path`, in one of [three layouts](super).
    ///
    /// A folder that holds IDX files is read as such, whatever else is in it.
    ///
    /// # Errors
    /// [`DataError`] if `path` leads to no data set, if a file is missing or broken, if the files do not belong together,
    /// if a folder holds several IDX sets and none under the usual names, or if this build was made without the feature
    /// that reads it.
    pub fn load(path: Option<&Path>) -> Result<Self, DataError> {
        let Some(path) = path else {
            return load_idx(&NAMES.map(Source::Bundled));
        };
        if path.is_file() {
            return load_file(path);
        }
        match find(path)? {
            Some(files) => load_idx(&files.map(Source::File)),
            None if path.join("train").is_dir() => load_pictures(path),
            None => Err(DataError::NoSet { folder: path.display().to_string(), names: NAMES }),
        }
    }
}

/// Loads the IDX files of training images and labels, test images and labels.
fn load_idx([train_images, train_labels, test_images, test_labels]: &[Source; 4]) -> Result<ImageSets, DataError> {
    // Unpacking is most of a run's start: half of it on another core.
    let (train, test) = thread::scope(|scope| {
        let test = scope.spawn(|| load_one(test_images, test_labels));
        let train = load_one(train_images, train_labels);
        (train, test.join().expect("the loader does not panic"))
    });
    ImageSets::joined(train?, test?)
}

fn load_one(images: &Source, labels: &Source) -> Result<NamedDataset, DataError> {
    let (images_file, images) = images.open()?;
    let (labels_file, labels) = labels.open()?;
    let images = read_images(images, &images_file)?;
    let labels = read_labels(labels, &labels_file)?;
    labelled((images, images_file), (labels, labels_file))
}

#[cfg(feature = "npz")]
fn load_file(path: &Path) -> Result<ImageSets, DataError> {
    let (name, file) = open(path)?;
    super::npz::read_npz(file, &name)
}

#[cfg(not(feature = "npz"))]
fn load_file(path: &Path) -> Result<ImageSets, DataError> {
    Err(DataError::NotBuilt { path: path.display().to_string(), found: "a file", feature: "npz" })
}

#[cfg(feature = "pictures")]
fn load_pictures(folder: &Path) -> Result<ImageSets, DataError> {
    super::pictures::load(folder)
}

#[cfg(not(feature = "pictures"))]
fn load_pictures(folder: &Path) -> Result<ImageSets, DataError> {
    Err(DataError::NotBuilt { path: folder.display().to_string(), found: "a folder `train`", feature: "pictures" })
}

/// Opens a file, with its name in errors.
fn open(path: &Path) -> Result<(String, File), DataError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => Ok((name, file)),
        Err(source) => Err(DataError::Read { file: name, source }),
    }
}

/// Where a file comes from.
enum Source {
    Bundled(&'static str),
    File(PathBuf),
}

impl Source {
    /// The file's name in errors, and its bytes.
    fn open(&self) -> Result<(String, Box<dyn Read>), DataError> {
        match self {
            Self::Bundled(name) => {
                let bytes = bundled(name).ok_or(DataError::NotBundled)?;
                Ok((format!("bundled {name}"), Box::new(bytes)))
            }
            Self::File(path) => {
                let (name, file) = open(path)?;
                Ok((name, Box::new(file)))
            }
        }
    }
}

#[cfg(not(feature = "bundled-mnist"))]
fn bundled(_name: &str) -> Option<&'static [u8]> {
    None
}

#[cfg(feature = "bundled-mnist")]
fn bundled(name: &str) -> Option<&'static [u8]> {
    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/", $name, ".gz"))
        };
    }
    Some(match name {
        "train-images-idx3-ubyte" => file!("train-images-idx3-ubyte"),
        "train-labels-idx1-ubyte" => file!("train-labels-idx1-ubyte"),
        "t10k-images-idx3-ubyte" => file!("t10k-images-idx3-ubyte"),
        "t10k-labels-idx1-ubyte" => file!("t10k-labels-idx1-ubyte"),
        _ => return None,
    })
}
