//! What can be wrong with an `.npz` file beyond what can be with any data set.

/// What can be wrong with an `.npz` file or an array in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArrayError {
    /// No zip archive, or one that cannot be read.
    #[error(
        "{file}: expected an .npz file, which is a zip archive of arrays, found none ({reason}); save it with \
         `numpy.savez`; for IDX files, name their folder"
    )]
    Archive {
        /// The file.
        file: String,
        /// What its reader says.
        reason: String,
    },
    /// One of the four arrays is absent.
    #[error(
        "{file}: expected an array {name}, found {}; a data set has the arrays x_train, y_train, x_test and y_test",
        listed(found)
    )]
    Missing {
        /// The file.
        file: String,
        /// The array.
        name: &'static str,
        /// The names of the first entries that are there.
        found: Vec<String>,
    },
    /// No header of an array.
    #[error("{file}: expected an array in NumPy's .npy format, found {found}; save it with `numpy.savez`")]
    Header {
        /// The file and the array.
        file: String,
        /// What is there in its place.
        found: String,
    },
    /// No integers.
    #[error(
        "{file}: expected integers, found values of the type '{found}'; convert them with `.astype('uint8')`, pixels \
         scaled to 0 to 255"
    )]
    ValueType {
        /// The file and the array.
        file: String,
        /// NumPy's name of the type.
        found: String,
    },
    /// Another number of dimensions, or channels that do not come last.
    #[error("{file}: expected {expected}, found the shape {found:?}")]
    Shape {
        /// The file and the array.
        file: String,
        /// The shapes that are read.
        expected: &'static str,
        /// The array's shape.
        found: Vec<u64>,
    },
    /// A pixel or a label that is no byte.
    #[error("{file}: expected integers from 0 to 255, found {found}")]
    Value {
        /// The file and the array.
        file: String,
        /// The first that is another.
        found: i128,
    },
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no entry at all".to_owned() } else { names.join(", ") }
}
