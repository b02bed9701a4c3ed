//! What can be wrong with class folders of pictures beyond what can be with any data set.

use crate::picture::PictureError;

/// What can be wrong with class folders of pictures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassFolderError {
    /// A folder lacks what makes it part of a data set.
    #[error("{folder}: expected {expected}, found none")]
    Empty {
        /// The folder.
        folder: String,
        /// What is not in it.
        expected: &'static str,
    },
    /// More classes than labels can tell apart.
    #[error("{folder}: expected at most {most} class folders, found {found}")]
    TooManyClasses {
        /// The folder.
        folder: String,
        /// The most that are read.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// Training and test set have different classes.
    #[error(
        "{folder}: expected the classes of {train}, found {}; every class needs a folder in both",
        differing(missing, unexpected)
    )]
    Classes {
        /// The folder of the test set.
        folder: String,
        /// The folder of the training set.
        train: String,
        /// The classes that only the training set has.
        missing: Vec<String>,
        /// The classes that only the test set has.
        unexpected: Vec<String>,
    },
    /// A picture that cannot be decoded.
    #[error("{file}: {reason}")]
    Picture {
        /// The file.
        file: String,
        /// Why.
        reason: PictureError,
    },
    /// A picture of another size.
    #[error(
        "{file}: expected a picture of {}x{} (height x width), the size of {first}, found {}x{}; scale all pictures to \
         one size", expected[0], expected[1], found[0], found[1]
    )]
    Size {
        /// The file.
        file: String,
        /// The file of the first training picture.
        first: String,
        /// Its height and width.
        expected: [usize; 2],
        /// The height and width of this one.
        found: [usize; 2],
    },
}

fn differing(missing: &[String], unexpected: &[String]) -> String {
    let with = |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    [with("no", missing), with("also", unexpected)].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
