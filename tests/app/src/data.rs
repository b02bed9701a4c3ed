//! The app's own images, as a Burn data set with its batcher.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use burn_pooling::data::Batch;

/// Textures that are drawn when they are asked for: stripes across, stripes down, a chessboard, or grey.
pub struct Textures {
    /// Number of images.
    pub count: usize,
    /// Height and width.
    pub side: usize,
}

/// The number of textures.
pub const CLASSES: usize = 4;

/// One image: `[3, side, side]`.
#[derive(Clone, Debug)]
pub struct Texture {
    values: Vec<f32>,
    side: usize,
    class: usize,
}

impl Dataset<Texture> for Textures {
    fn get(&self, index: usize) -> Option<Texture> {
        (index < self.count).then(|| {
            let (side, class) = (self.side, index % CLASSES);
            let values = (0..3 * side * side).map(|position| {
                let (channel, row, column) = (position / (side * side), position / side % side, position % side);
                let bright = match class {
                    0 => row % 2 == 0,
                    1 => column % 2 == 0,
                    2 => (row + column) % 2 == 0,
                    _ => true,
                };
                let colour = ((index / CLASSES + channel) % 5 + 1) as f32 / 5.0;
                let noise = (index * 31 + position * 17) % 23;
                colour * f32::from(bright) + noise as f32 / 23.0 - 0.5
            });
            Texture { values: values.collect(), side, class }
        })
    }

    fn len(&self) -> usize {
        self.count
    }
}

/// Stacks textures.
pub struct TextureBatcher;

impl<B: Backend> Batcher<B, Texture, Batch<Tensor<B, 4>>> for TextureBatcher {
    fn batch(&self, items: Vec<Texture>, device: &B::Device) -> Batch<Tensor<B, 4>> {
        let side = items.first().map_or(0, |texture| texture.side);
        let shape = [items.len(), 3, side, side];
        let labels = items.iter().map(|texture| texture.class).collect();
        let values: Vec<f32> = items.into_iter().flat_map(|texture| texture.values).collect();
        Batch { inputs: Tensor::from_data(TensorData::new(values, shape), device), labels }
    }
}
