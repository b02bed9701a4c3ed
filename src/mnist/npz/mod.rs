//! Data sets in NumPy's `.npz` format, as Keras keeps MNIST (`mnist.npz`): a zip archive of the arrays `x_train`,
//! `y_train`, `x_test` and `y_test`, each in the `.npy` format.

mod array;
mod header;
mod integer;
mod literal;

use std::io::{BufReader, Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{ArrayError, DataError};
use super::sets::{ImageSets, NamedDataset, labelled};
use super::values::unreadable;
use array::Array;

/// Names that an error lists of an archive's entries.
const LISTED: usize = 10;

/// Reads a data set in NumPy's `.npz` format, packed or not, in the layout of Keras' `mnist.npz`; `file` names it in
/// errors.
///
/// The arrays `x_train` and `x_test` are images, `[n, height, width]` or `[n, height, width, channels]`; `y_train` and
/// `y_test` are their labels, `[n]` or `[n, 1]`. Integers of every size and byte order are taken, in C or Fortran order,
/// if their values are 0 to 255; nothing is ever unpickled. Further arrays are ignored.
///
/// # Shapes
/// - images: `[n, channels, height, width]`, whatever the arrays' order
///
/// # Errors
/// [`DataError`] if it is no such file, an array is missing, damaged, or of other values or another shape, or if the
/// arrays do not belong together. Memory is taken for what is there, never for what a header promises; an array of more
/// than a gigabyte is refused if it is more than a hundred times larger than the file.
pub fn read_npz(reader: impl Read + Seek, file: &str) -> Result<ImageSets, DataError> {
    let mut reader = BufReader::new(reader);
    let packed = reader.seek(SeekFrom::End(0)).map_err(|source| unreadable(file, source))?;
    let zip = ZipArchive::new(reader).map_err(|error| unusable(file, error))?;
    let mut archive = Archive { zip, file, packed };
    let train = archive.dataset("x_train", "y_train")?;
    let test = archive.dataset("x_test", "y_test")?;
    ImageSets::joined(train, test)
}

struct Archive<'a, R> {
    zip: ZipArchive<R>,
    file: &'a str,
    /// The length of the file.
    packed: u64,
}

impl<R: Read + Seek> Archive<'_, R> {
    fn dataset(&mut self, images: &'static str, labels: &'static str) -> Result<NamedDataset, DataError> {
        let images = self.array(images)?.into_images()?;
        let labels = self.array(labels)?.into_labels()?;
        labelled(images, labels)
    }

    fn array(&mut self, name: &'static str) -> Result<Array, DataError> {
        let Some(index) = self.zip.index_for_name(&format!("{name}.npy")) else {
            let found = self.zip.file_names_raw().take(LISTED);
            let found = found.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            return Err(ArrayError::Missing { file: self.file.to_owned(), name, found }.into());
        };
        let entry = self.zip.by_index(index).map_err(|error| unusable(self.file, error))?;
        Array::read(entry, format!("{}: {name}", self.file), self.packed)
    }
}

fn unusable(file: &str, error: ZipError) -> DataError {
    match error {
        ZipError::Io(source) => unreadable(file, source),
        error => ArrayError::Archive { file: file.to_owned(), reason: error.to_string() }.into(),
    }
}
