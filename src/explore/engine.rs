//! From requests to answers.

use burn::module::AutodiffModule;
use burn::tensor::{Tensor, backend::AutodiffBackend};

use super::column::{Column, SEED};
use super::error::{EngineError, below};
use super::message::{Answer, Change, Request};
use super::numbers::{Bytes, Numbers};
use crate::explain::explain;
use crate::mnist::{ImageSets, Images};
use crate::model::{PoolingCnn, PoolingCnnConfig, Variant};
use crate::picture::{Invert, Placement, PrepareOptions, prepare};
use crate::random::Random;
use crate::statistics::Spread;
use crate::training::Split;

/// The largest number of steps of one [`Request::Train`].
pub const MOST_STEPS: usize = 500;
/// The largest number of changes of one [`Request::Survey`].
pub const MOST_CHANGES: usize = 128;
/// Validation images.
const VALID_SIZE: usize = 5_000;
/// Measurements of which the median counts, and calls of each: browsers' clocks have steps of 0.1 milliseconds.
const MEASUREMENTS: usize = 7;
const CALLS: usize = 10;

/// Several networks, and the images that they are trained and tried on.
pub struct Engine<B: AutodiffBackend> {
    device: B::Device,
    sets: ImageSets,
    split: Split,
    columns: Vec<Column<B>>,
    clock: fn() -> f64,
    placement: Placement,
}

impl<B: AutodiffBackend> Engine<B> {
    /// Makes an engine of the four variants, untrained. The clock returns seconds since any moment.
    ///
    /// # Errors
    /// [`EngineError::Model`] if the variants do not take images of this size.
    pub fn new(sets: ImageSets, device: B::Device, clock: fn() -> f64) -> Result<Self, EngineError> {
        let columns = Variant::ALL.map(|variant| Column::untrained(variant, &sets.train, &device));
        let columns = columns.into_iter().collect::<Result<_, _>>()?;
        Ok(Self::with_columns(columns, sets, device, clock))
    }

    /// Makes an engine of saved networks, each with a name.
    ///
    /// # Errors
    /// [`EngineError::Image`] if one of them does not take the images, [`EngineError::Classes`] if it has fewer classes.
    pub fn of_networks(
        networks: Vec<(String, PoolingCnnConfig, PoolingCnn<B>)>, sets: ImageSets, device: B::Device,
        clock: fn() -> f64,
    ) -> Result<Self, EngineError> {
        let [channels, height, width] = sets.test.image_shape();
        for (name, config, network) in &networks {
            network.check_images([1, channels, height, width])?;
            let (expected, found) = (sets.classes(), config.classes);
            if found < expected {
                return Err(EngineError::Classes { name: name.clone(), expected, found });
            }
        }
        let columns = networks.into_iter().map(|(name, config, network)| Column::saved(name, config, network));
        Ok(Self::with_columns(columns.collect(), sets, device, clock))
    }

    fn with_columns(columns: Vec<Column<B>>, sets: ImageSets, device: B::Device, clock: fn() -> f64) -> Self {
        let count = sets.train.len();
        let split = Split::new(count, VALID_SIZE.min(count / 10), SEED);
        Self { device, sets, split, columns, clock, placement: Placement::default() }
    }

    /// Sets how pictures are placed; by default as the digits of MNIST.
    pub fn with_placement(self, placement: Placement) -> Self {
        Self { placement, ..self }
    }

    /// Answers a request; [`Answer::Failed`] if it cannot.
    pub fn answer(&mut self, request: Request) -> Answer {
        self.try_answer(request).unwrap_or_else(|error| Answer::Failed { error: error.to_string() })
    }

    fn try_answer(&mut self, request: Request) -> Result<Answer, EngineError> {
        match request {
            Request::Describe => self.describe(),
            Request::Train { network, steps } => self.train(network, steps),
            Request::TestImage { index } => self.test_image(index),
            Request::Prepare { picture, invert, placement } => {
                self.prepare(&picture.0, invert, placement.unwrap_or(self.placement))
            }
            Request::Explain { pixels, class } => self.explain(&pixels, class),
            Request::Survey { pixels, changes } => self.survey(&pixels, &changes),
            Request::Measure { network } => self.measure(network),
        }
    }

    fn describe(&self) -> Result<Answer, EngineError> {
        let networks = self.columns.iter().map(|column| column.describe(self.split.train.len()));
        Ok(Answer::Described {
            networks: networks.collect::<Result<_, _>>()?,
            test_images: self.sets.test.len(),
            image: self.sets.test.image_shape(),
            classes: self.sets.classes(),
            placement: self.placement,
        })
    }

    fn train(&mut self, network: usize, steps: usize) -> Result<Answer, EngineError> {
        below("network", self.columns.len(), network)?;
        below("steps", MOST_STEPS + 1, steps)?;
        let column = &mut self.columns[network];
        let (images, figures) = column.train(&self.sets.train, &self.split, steps, &self.device)?;
        Ok(Answer::Trained { network, images, figures })
    }

    fn test_image(&self, index: usize) -> Result<Answer, EngineError> {
        let test = &self.sets.test;
        below("test image", test.len(), index)?;
        let label = Some(test.labels()[index].into());
        Ok(Answer::Image { pixels: Bytes(test.pixels(index).to_vec()), label, inverted: false, ink: None })
    }

    fn prepare(&self, picture: &[u8], invert: Invert, placement: Placement) -> Result<Answer, EngineError> {
        let [channels, height, width] = self.sets.test.image_shape();
        let options = PrepareOptions { channels, size: [height, width], placement, invert, ..Default::default() };
        let prepared = prepare(picture, &options)?;
        let (inverted, ink) = (prepared.is_inverted, prepared.ink);
        Ok(Answer::Image { pixels: Bytes(prepared.pixels), label: None, inverted, ink })
    }

    fn explain(&self, pixels: &Bytes, class: Option<usize>) -> Result<Answer, EngineError> {
        let class = class.map(|class| below("class", self.sets.classes(), class)).transpose()?;
        self.check(pixels)?;
        let image: Tensor<B::InnerBackend, 4> = self.images(pixels.0.clone()); // [1, channels, height, width]
        let explained = |column: &Column<B>| Ok(explain(column.network(), image.clone(), class)?.into());
        let networks = self.columns.iter().map(explained).collect::<Result<_, EngineError>>()?;
        Ok(Answer::Explained { networks })
    }

    fn survey(&self, pixels: &Bytes, changes: &[Change]) -> Result<Answer, EngineError> {
        below("number of changes", MOST_CHANGES + 1, changes.len())?;
        self.check(pixels)?;
        let images = changes.iter().map(|change| change.apply(&pixels.0, self.sets.test.image_shape()));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        let batch: Tensor<B::InnerBackend, 4> = self.images(images.concat()); // [changes, channels, height, width]
        let probabilities = |column: &Column<B>| {
            let probabilities = column.network().valid().probabilities(batch.clone()); // [changes, classes]
            Numbers(probabilities.into_data().iter::<f32>().collect())
        };
        let networks = self.columns.iter().map(probabilities).collect();
        Ok(Answer::Surveyed { images: images.into_iter().map(Bytes).collect(), networks })
    }

    fn measure(&self, network: usize) -> Result<Answer, EngineError> {
        below("network", self.columns.len(), network)?;
        let network = self.columns[network].network().valid();
        let image = self.images(self.sets.test.pixels(0).to_vec());
        let measure = |_| {
            let start = (self.clock)();
            for _ in 0..CALLS {
                // Reading the result waits for it.
                let _ = network.forward(image.clone()).into_data();
            }
            1e6 * ((self.clock)() - start) / CALLS as f64
        };
        let spread = Spread::of((0..MEASUREMENTS).map(measure).collect());
        Ok(Answer::Measured { microseconds: spread.map_or(0.0, |spread| spread.median) })
    }

    /// Images of the data's size, `[images, channels, height, width]`.
    fn images(&self, pixels: Vec<u8>) -> Tensor<B::InnerBackend, 4> {
        let [channels, height, width] = self.sets.test.image_shape();
        Images { channels, size: [height, width], pixels }.tensor(&self.device)
    }

    fn check(&self, pixels: &Bytes) -> Result<(), EngineError> {
        let expected = self.sets.test.image_shape().iter().product();
        match pixels.0.len() == expected {
            true => Ok(()),
            false => Err(EngineError::Pixels { expected, found: pixels.0.len() }),
        }
    }
}

impl Change {
    /// The changed image, `[channel, row, column]`.
    fn apply(&self, pixels: &[u8], [_, height, width]: [usize; 3]) -> Result<Vec<u8>, EngineError> {
        let transform = self.transform;
        let numbers = [transform.down, transform.right, transform.rotation, transform.scale, self.noise];
        if !numbers.iter().all(|number| number.is_finite()) || transform.scale <= 0.0 {
            return Err(EngineError::Change(format!("{self:?}")));
        }
        let mut random = Random::of_step(SEED, 0, 0);
        let source: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel)).collect();
        let mut target = vec![0.0; source.len()];
        let plane = (height * width).max(1);
        for (source, target) in source.chunks_exact(plane).zip(target.chunks_exact_mut(plane)) {
            transform.resample(source, target, [height, width]);
        }
        let noisy = |value: f32| f64::from(value) + 255.0 * self.noise * random.normal();
        Ok(target.into_iter().map(noisy).map(|value| value.round().clamp(0.0, 255.0) as u8).collect())
    }
}
