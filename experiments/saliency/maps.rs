//! Which places of an image speak for a class.

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::Variant;
use burn_pooling_experiments::inference::LinearWeights;
use burn_pooling_experiments::matrix::Matrix;
use burn_pooling_experiments::training::Trained;

/// Height and width of the convolution's kernel: a place of a map sees so many pixels.
const KERNEL: usize = 3;

/// For each image, how much each place speaks for a class, 0 at places that speak against it or not at all.
pub struct Maps {
    /// A row for each image, of `[height, width]`.
    weights: Matrix,
    /// Height and width of a map.
    size: [usize; 2],
}

impl Maps {
    /// The maps of a network with one convolution and a global head, for one class of each image.
    ///
    /// The layers after the head are linear as far as they are active: the class's logit is a sum over the channels,
    /// and each channel's part belongs to the places that its pooled value comes from. For the average, these are all
    /// places, by their values: the class activation map of Zhou et al., *Learning Deep Features for Discriminative
    /// Localization* (2016), through an active hidden layer. For the maximum, it is the place of the maximum (the
    /// first of equals).
    pub fn of(trained: &Trained, images: &ImageDataset, classes: &[u8]) -> anyhow::Result<Self> {
        let (features, maps) = (trained.features(images)?, trained.first_maps(images)?);
        let layers = trained.linear_layers();
        let average = trained.config.name == Variant::GlobalAverage.name();
        let size = map_size(images);
        let places = size[0] * size[1];
        let mut values = Vec::with_capacity(images.len() * places);
        for ((features, maps), &class) in features.rows().zip(maps.rows()).zip(classes) {
            let mut weights = vec![0.0; places];
            let channels = maps.chunks_exact(places);
            for (channel, slope) in channels.zip(slopes(&layers, features, class.into())) {
                match average {
                    true => (weights.iter_mut().zip(channel)).for_each(|(weight, value)| *weight += slope * value),
                    false => {
                        let place = largest(channel);
                        weights[place] += slope * channel[place];
                    }
                }
            }
            values.extend(weights.into_iter().map(|weight| weight.max(0.0)));
        }
        Ok(Self { weights: Matrix { values, columns: places }, size })
    }

    /// Maps that know nothing: the same weight everywhere.
    pub fn uniform(images: &ImageDataset) -> Self {
        let size = map_size(images);
        let columns = size[0] * size[1];
        Self { weights: Matrix { values: vec![1.0; images.len() * columns], columns }, size }
    }

    /// For each image, the share of its map's weight at `places` (of all images, one after the other); nothing of a
    /// map without weight.
    pub fn shares_on(&self, places: &[bool]) -> Vec<Option<f64>> {
        let share = |(weights, places): (&[f32], &[bool])| {
            let sum = |all: bool| -> f64 {
                let weights = weights.iter().zip(places);
                weights.filter(|(_, chosen)| all || **chosen).map(|(&weight, _)| f64::from(weight)).sum()
            };
            (sum(true) > 0.0).then(|| sum(false) / sum(true))
        };
        let places = places.chunks_exact(self.weights.columns);
        self.weights.rows().zip(places).map(share).collect()
    }

    /// An image's map, its largest weight 255.
    pub fn map(&self, index: usize) -> Vec<u8> {
        let weights = self.of_image(index);
        let largest = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        weights.iter().map(|weight| (255.0 * weight / largest).round() as u8).collect()
    }

    /// The weight of each pixel of an image: that of all places that see it.
    pub fn of_pixels(&self, index: usize) -> Vec<f32> {
        let width = self.size[1];
        let across = width + KERNEL - 1;
        let mut pixels = vec![0.0; (self.size[0] + KERNEL - 1) * across];
        for (place, weight) in self.of_image(index).iter().enumerate() {
            for row in 0..KERNEL {
                for column in 0..KERNEL {
                    pixels[(place / width + row) * across + place % width + column] += weight;
                }
            }
        }
        pixels
    }

    fn of_image(&self, index: usize) -> &[f32] {
        let places = self.weights.columns;
        &self.weights.values[index * places..][..places]
    }
}

/// A map as [`Maps::map`] gives it, over the pixels in the middle of what each place sees, from 0 to 1.
pub fn over_image(map: &[u8], size: [usize; 2]) -> Vec<f32> {
    let (around, width) = (KERNEL / 2, size[1] + 1 - KERNEL);
    let mut pixels = vec![0.0; size[0] * size[1]];
    for (row, line) in map.chunks_exact(width.max(1)).enumerate() {
        for (column, &weight) in line.iter().enumerate() {
            pixels[(row + around) * size[1] + column + around] = f32::from(weight) / 255.0;
        }
    }
    pixels
}

/// Of each place of each image, whether any pixel that it sees is ink (not black).
pub fn on_digit(images: &ImageDataset) -> Vec<bool> {
    let [height, width] = map_size(images);
    let across = images.image_size()[1];
    let sees_ink = |pixels: &[u8], place: usize| {
        let first = place / width * across + place % width;
        let mut rows = pixels[first..].chunks(across).take(KERNEL);
        rows.any(|row| row[..KERNEL].iter().any(|&ink| ink > 0))
    };
    let of_image = |index| (0..height * width).map(move |place| (index, place));
    (0..images.len()).flat_map(of_image).map(|(index, place)| sees_ink(images.pixels(index), place)).collect()
}

fn map_size(images: &ImageDataset) -> [usize; 2] {
    images.image_size().map(|side| side + 1 - KERNEL)
}

/// By how much the class's logit grows with each feature, as long as the same hidden units are active.
fn slopes(layers: &[LinearWeights; 2], features: &[f32], class: usize) -> Vec<f32> {
    let [hidden, output] = layers;
    let mut units = hidden.bias.clone();
    for (feature, weights) in features.iter().zip(hidden.weight.rows()) {
        for (unit, weight) in units.iter_mut().zip(weights) {
            *unit += feature * weight;
        }
    }
    let to_class: Vec<f32> = (units.iter().zip(output.weight.rows()))
        .map(|(&unit, weights)| if unit > 0.0 { weights[class] } else { 0.0 })
        .collect();
    let along = |weights: &[f32]| weights.iter().zip(&to_class).map(|(a, b)| a * b).sum();
    hidden.weight.rows().map(along).collect()
}

fn largest(values: &[f32]) -> usize {
    let better = |best, place| {
        if values[place] > values[best] { place } else { best }
    };
    (0..values.len()).fold(0, better)
}
