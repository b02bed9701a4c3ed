//! Where the four files of a data set come from: bundled, or a folder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;

use super::dataset::ImageDataset;
use super::error::DataError;
use super::idx::{read_images, read_labels};
use super::names::{NAMES, find};

/// A training set and a test set of images of the same shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSets {
    /// For training and validation.
    pub train: ImageDataset,
    /// For the final figures only.
    pub test: ImageDataset,
}

impl ImageSets {
    /// Loads bundled MNIST, or the IDX set in `folder`: four files, plain or with `.gz`, under the usual names
    /// (`train-images-idx3-ubyte`, ...), with a dot before `idx`, or with the set's own name before them, as EMNIST has
    /// it (`emnist-letters-train-images-idx3-ubyte`, `emnist-letters-test-images-idx3-ubyte`, ...).
    ///
    /// # Errors
    /// [`DataError`] if a file is missing or broken, if the files do not belong together, if the folder holds several
    /// sets and none under the usual names, or if there is no folder and the feature `bundled-mnist` is off.
    pub fn load(folder: Option<&Path>) -> Result<Self, DataError> {
        // Unpacking is most of a run's start: half of it on another core.
        let [train_images, train_labels, test_images, test_labels] = match folder {
            Some(folder) => find(folder)?.map(Source::File),
            None => NAMES.map(Source::Bundled),
        };
        let (train, test) = thread::scope(|scope| {
            let test = scope.spawn(|| load_one(&test_images, &test_labels));
            let train = load_one(&train_images, &train_labels);
            (train, test.join().expect("the loader does not panic"))
        });
        let ((train, train_file), (test, test_file)) = (train?, test?);
        match (train.image_shape(), test.image_shape()) {
            (of_train, of_test) if of_train == of_test => Ok(Self { train, test }),
            (train, test) => Err(DataError::Shape { train_file, train, test_file, test }),
        }
    }

    /// Returns the number of channels of every image.
    pub fn channels(&self) -> usize {
        self.train.channels()
    }

    /// Returns height and width of every image.
    pub fn image_size(&self) -> [usize; 2] {
        self.train.image_size()
    }

    /// Returns the number of classes: the largest label, in either set, plus one.
    pub fn classes(&self) -> usize {
        self.train.classes().max(self.test.classes())
    }

    /// Returns the classes without an image in either set: one stray label makes all below it classes.
    pub fn unused_classes(&self) -> Vec<usize> {
        let mut used = [false; 256];
        let labels = self.train.labels().iter().chain(self.test.labels());
        labels.for_each(|&label| used[usize::from(label)] = true);
        (0..self.classes()).filter(|&class| !used[class]).collect()
    }

    /// Swaps rows and columns of every image, as EMNIST needs, whose images lie on their sides.
    pub fn transposed(self) -> Self {
        Self { train: self.train.transposed(), test: self.test.transposed() }
    }
}

/// One data set, with the name of its image file.
fn load_one(images: &Source, labels: &Source) -> Result<(ImageDataset, String), DataError> {
    let (images_file, images) = images.open()?;
    let (labels_file, labels) = labels.open()?;
    let images = read_images(images, &images_file)?;
    let labels = read_labels(labels, &labels_file)?;
    let dataset = ImageDataset::new(images, labels).map_err(|counts| DataError::Count {
        images_file: images_file.clone(),
        images: counts.images,
        labels_file,
        labels: counts.labels,
    })?;
    Ok((dataset, images_file))
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
                let name = path.display().to_string();
                match File::open(path) {
                    Ok(file) => Ok((name, Box::new(file))),
                    Err(source) => Err(DataError::Read { file: name, source }),
                }
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
