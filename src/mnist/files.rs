//! Where the four files of a data set come from: bundled, or a folder.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;

use super::dataset::ImageDataset;
use super::error::DataError;
use super::idx::{read_images, read_labels};

/// The usual names: training images and labels, test images and labels.
const NAMES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// A training set and a test set of images of the same shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSets {
    /// For training and validation.
    pub train: ImageDataset,
    /// For the final figures only.
    pub test: ImageDataset,
}

impl ImageSets {
    /// Loads bundled MNIST, or the IDX set in `folder`: the four usual names (`train-images-idx3-ubyte`, ...), plain or
    /// with `.gz`.
    ///
    /// # Errors
    /// [`DataError`] if a file is missing or broken, if the files do not belong together, or if there is no folder and
    /// the feature `bundled-mnist` is off.
    pub fn load(folder: Option<&Path>) -> Result<Self, DataError> {
        // Unpacking is most of a run's start: half of it on another core.
        let [train_names, test_names] = [[NAMES[0], NAMES[1]], [NAMES[2], NAMES[3]]];
        let (train, test) = thread::scope(|scope| {
            let test = scope.spawn(|| load_one(folder, test_names));
            let train = load_one(folder, train_names);
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
}

/// One data set, with the name of its image file.
fn load_one(
    folder: Option<&Path>, [images_name, labels_name]: [&'static str; 2],
) -> Result<(ImageDataset, String), DataError> {
    let (images_file, images) = open(folder, images_name)?;
    let (labels_file, labels) = open(folder, labels_name)?;
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

/// A file's name in errors, and its bytes.
fn open(folder: Option<&Path>, name: &'static str) -> Result<(String, Box<dyn Read>), DataError> {
    let Some(folder) = folder else {
        let bytes = bundled(name).ok_or(DataError::NotBundled)?;
        return Ok((format!("bundled {name}"), Box::new(bytes)));
    };
    let candidates = [folder.join(name), folder.join(format!("{name}.gz"))];
    let path = candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| DataError::Missing {
        folder: folder.display().to_string(),
        name,
        names: NAMES,
    })?;
    let label = path.display().to_string();
    match File::open(&path) {
        Ok(file) => Ok((label, Box::new(file))),
        Err(source) => Err(DataError::Read { file: label, source }),
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
