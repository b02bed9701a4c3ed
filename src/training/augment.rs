//! Augmentation: training batches, changed at random before the model sees them.

use std::str::FromStr;

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Batch;
use crate::random::Random;
use crate::transform::Transform;

/// A function that changes a batch; every closure of its type is one.
///
/// The random numbers are those of the seed, the epoch and the step, so that a resumed training sees the same batches.
pub trait Augment<I> {
    /// Changes a batch.
    fn augment(&self, batch: Batch<I>, random: &mut Random) -> Batch<I>;
}

impl<I, F: Fn(Batch<I>, &mut Random) -> Batch<I>> Augment<I> for F {
    fn augment(&self, batch: Batch<I>, random: &mut Random) -> Batch<I> {
        self(batch, random)
    }
}

/// No augmentation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unchanged;

impl<I> Augment<I> for Unchanged {
    fn augment(&self, batch: Batch<I>, _random: &mut Random) -> Batch<I> {
        batch
    }
}

/// Shifts, rotates and scales images and adds noise, each image by its own random numbers.
///
/// Pixels between those of the image are interpolated bilinearly; outside of it all is 0.
///
/// ```
/// use burn_pooling::training::ImageAugmentation;
///
/// let augmentation: ImageAugmentation = "shift=2,rotate=10".parse()?;
/// assert_eq!(augmentation, ImageAugmentation { shift: 2.0, rotate: 10.0, ..Default::default() });
/// # Ok::<(), burn_pooling::training::AugmentationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageAugmentation {
    /// The largest shift down or across, in pixels.
    pub shift: f64,
    /// The largest rotation around the centre, in degrees.
    pub rotate: f64,
    /// The largest change of the size, as a fraction: 0.1 scales by 0.9 to 1.1.
    pub scale: f64,
    /// The standard deviation of the normal noise added to every value.
    pub noise: f64,
}

/// An augmentation that cannot be read or applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AugmentationError {
    /// Not a list of names and numbers.
    #[error("expected augmentations such as shift=2,rotate=10,scale=0.1,noise=0.05, found '{0}'")]
    Syntax(String),
    /// A name stands in the list twice.
    #[error("expected each augmentation once, found '{0}' again")]
    Repeated(String),
    /// A number out of its range.
    #[error("{name}: expected a finite number of at least 0{limit}, found {found}")]
    Range {
        /// Which one.
        name: &'static str,
        /// Its upper limit, in words.
        limit: &'static str,
        /// The number.
        found: String,
    },
}

impl FromStr for ImageAugmentation {
    type Err = AugmentationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut augmentation, mut names) = (Self::default(), Vec::new());
        for part in text.split(',') {
            let syntax = || AugmentationError::Syntax(text.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(syntax)?;
            let name = name.trim();
            if names.contains(&name) {
                return Err(AugmentationError::Repeated(name.to_owned()));
            }
            names.push(name);
            let field = match name {
                "shift" => &mut augmentation.shift,
                "rotate" => &mut augmentation.rotate,
                "scale" => &mut augmentation.scale,
                "noise" => &mut augmentation.noise,
                _ => return Err(syntax()),
            };
            *field = value.trim().parse().map_err(|_| syntax())?;
        }
        augmentation.check()?;
        Ok(augmentation)
    }
}

impl ImageAugmentation {
    /// Checks that every number is finite and not negative, and the scale below 1.
    ///
    /// # Errors
    /// [`AugmentationError::Range`] with the first that is not.
    pub fn check(&self) -> Result<(), AugmentationError> {
        let Self { shift, rotate, scale, noise } = *self;
        let values = [("shift", shift), ("rotate", rotate), ("noise", noise), ("scale", scale)];
        for (name, value) in values {
            if !(value as f32).is_finite() || value < 0.0 || (name == "scale" && value >= 1.0) {
                let limit = if name == "scale" { " and below 1" } else { "" };
                return Err(AugmentationError::Range { name, limit, found: value.to_string() });
            }
        }
        Ok(())
    }

    /// One image's transform, and the noise of its values, none where there is no noise.
    fn draw(&self, random: &mut Random, len: usize) -> (Transform, Vec<f32>) {
        let [down, across, angle, size] = [(); 4].map(|()| random.uniform());
        let transform = Transform {
            down: self.shift * down,
            right: self.shift * across,
            rotation: self.rotate * angle,
            scale: 1.0 + self.scale * size,
        };
        let values = if self.noise > 0.0 { len } else { 0 };
        (transform, (0..values).map(|_| (self.noise * random.normal()) as f32).collect())
    }
}

impl<B: Backend> Augment<Tensor<B, 4>> for ImageAugmentation {
    fn augment(&self, batch: Batch<Tensor<B, 4>>, random: &mut Random) -> Batch<Tensor<B, 4>> {
        let shape = batch.inputs.dims();
        let [images, channels, height, width] = shape;
        let len = channels * height * width;
        if len == 0 || *self == Self::default() {
            return batch;
        }
        // One generator for the batch, read before the threads start: their number changes nothing.
        let draws: Vec<_> = (0..images).map(|_| self.draw(random, len)).collect();
        let is_affine = [self.shift, self.rotate, self.scale].iter().any(|&range| range != 0.0);
        let device = batch.inputs.device();
        let data = batch.inputs.into_data().convert::<f32>();
        let mut values: Vec<f32> = data.into_vec().expect("just converted to f32");
        values.par_chunks_mut(len).zip(draws).for_each(|(image, (transform, noise))| {
            if is_affine {
                let source = image.to_vec();
                let planes = source.chunks_exact(height * width);
                for (plane, target) in planes.zip(image.chunks_exact_mut(height * width)) {
                    transform.resample(plane, target, [height, width]);
                }
            }
            image.iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
        });
        Batch { inputs: Tensor::from_data(TensorData::new(values, shape), &device), ..batch }
    }
}
