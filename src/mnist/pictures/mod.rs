//! Data sets of pictures in class folders, as torchvision's `ImageFolder` takes them.

mod find;
mod gather;

use std::path::Path;

use super::error::DataError;
use super::idx::Images;
use super::limit::check_size;
use super::sets::{ImageSets, labelled};
use super::values::{bytes_of, unreadable};
use find::{Found, Labelled, find};
use gather::{First, coloured, gather};

/// Loads the pictures below `folder`; see [the layout](super).
pub(super) fn load(folder: &Path) -> Result<ImageSets, DataError> {
    let Found { classes, train, test } = find(folder)?;
    let first = First::read(&train[0].0)?; // every class has a picture
    check_total(folder, train.iter().chain(&test), first.size)?;
    // One after the other: on a thread of its own, neither could use a pool of one thread, which is the caller.
    let images = [gather(&train, &first)?, gather(&test, &first)?];
    let is_grey = images.iter().all(|images| images.channels == 1);
    let [of_train, of_test] = images.map(|images| if is_grey { images } else { coloured(images) });
    let named = |images: Images, pictures: &[Labelled]| {
        let labels = pictures.iter().map(|&(_, label)| label).collect();
        let name = || folder.display().to_string();
        let (dataset, name) = labelled((images, name()), (labels, name()))?;
        Ok::<_, DataError>((dataset.with_class_names(classes.clone()), name))
    };
    ImageSets::joined(named(of_train, &train)?, named(of_test, &test)?)
}

/// Checks that pictures of one size, three bytes for each pixel, do not take absurdly much more than their files.
fn check_total<'a>(
    folder: &Path, pictures: impl Iterator<Item = &'a Labelled>, [height, width]: [usize; 2],
) -> Result<(), DataError> {
    let (mut count, mut packed) = (0, 0_u64);
    for (path, _) in pictures {
        let metadata = path.metadata().map_err(|source| unreadable(&path.display().to_string(), source))?;
        (count, packed) = (count + 1, packed.saturating_add(metadata.len()));
    }
    check_size(&folder.display().to_string(), packed, bytes_of(&[count, height as u64, width as u64], 3))
}
