//! From files of pictures to images of one size.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::RgbImage;
use rayon::prelude::*;

use super::find::Labelled;
use crate::mnist::error::{ClassFolderError, DataError};
use crate::mnist::idx::Images;
use crate::mnist::values::unreadable;
use crate::picture::{Limits, decode};

/// What one picture of a data set may take: 200 MB while it is decoded.
const LIMITS: Limits = Limits { bytes: 64 << 20, side: 4096, pixels: 1 << 24 };

/// Bytes of pictures that are decoded before they are added to the others.
const CHUNK: usize = 1 << 26;

/// The picture whose size all others must have.
pub(super) struct First {
    file: String,
    pub size: [usize; 2],
}

impl First {
    /// Reads the size of the picture in a file.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let picture = read(path)?;
        Ok(Self { file: path.display().to_string(), size: size_of(&picture) })
    }
}

/// Decodes pictures on all threads: grey images if all pixels of all pictures are grey, else images in colour.
pub(super) fn gather(pictures: &[Labelled], first: &First) -> Result<Images, DataError> {
    let [height, width] = first.size;
    let mut images = Images { channels: 1, size: first.size, pixels: Vec::new() };
    for chunk in pictures.chunks((CHUNK / (3 * height * width).max(1)).max(1)) {
        // All of a chunk's results, so that of several errors the first is told.
        let decoded: Vec<_> = chunk.par_iter().map(|(path, _)| read_alike(path, first)).collect();
        for picture in decoded {
            images = with(images, &picture?);
        }
    }
    Ok(images)
}

/// Adds a picture.
fn with(images: Images, picture: &RgbImage) -> Images {
    let is_grey = picture.pixels().all(|pixel| pixel.0 == [pixel[0]; 3]);
    let mut images = if is_grey { images } else { coloured(images) };
    for channel in 0..images.channels {
        images.pixels.extend(picture.pixels().map(|pixel| pixel[channel]));
    }
    images
}

/// Returns images of three channels: those of one channel have it three times.
pub(super) fn coloured(images: Images) -> Images {
    let Images { channels: 1, size: size @ [height, width], pixels } = images else {
        return images;
    };
    let pixels = pixels.chunks((height * width).max(1)).flat_map(|plane| [plane; 3]).flatten().copied().collect();
    Images { channels: 3, size, pixels }
}

/// Reads a picture that must have the first one's size.
fn read_alike(path: &Path, first: &First) -> Result<RgbImage, DataError> {
    let picture = read(path)?;
    match size_of(&picture) {
        size if size == first.size => Ok(picture),
        found => {
            let (file, first, expected) = (path.display().to_string(), first.file.clone(), first.size);
            Err(ClassFolderError::Size { file, first, expected, found }.into())
        }
    }
}

fn size_of(picture: &RgbImage) -> [usize; 2] {
    [picture.height(), picture.width()].map(|side| side as usize)
}

fn read(path: &Path) -> Result<RgbImage, DataError> {
    let file = || path.display().to_string();
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(|source| unreadable(&file(), source))?;
    opened.take(LIMITS.bytes as u64 + 1).read_to_end(&mut bytes).map_err(|source| unreadable(&file(), source))?;
    decode(&bytes, &LIMITS).map_err(|reason| ClassFolderError::Picture { file: file(), reason }.into())
}
