//! The four small CNNs, which differ in how they pool.
//!
//! | | `max` | `average` | `gmp` | `gap` |
//! | --- | --- | --- | --- | --- |
//! | stage 1 | Conv 32, 3x3 | Conv 32, 3x3 | Conv 32, 3x3 | Conv 32, 3x3 |
//! | | ReLU | ReLU | ReLU | ReLU |
//! | | MaxPool 2x2 | AvgPool 2x2 | GlobalMaxPool | GlobalAvgPool |
//! | stage 2 | Conv 32, 3x3 | Conv 32, 3x3 | | |
//! | | ReLU | ReLU | | |
//! | | MaxPool 2x2 | AvgPool 2x2 | | |
//! | | Flatten: 800 | Flatten: 800 | Flatten: 32 | Flatten: 32 |
//! | hidden | Linear 128, ReLU | Linear 128, ReLU | Linear 128, ReLU | Linear 128, ReLU |
//! | output | Linear 10 | Linear 10 | Linear 10 | Linear 10 |
//! | parameters | 113,386 | 113,386 | 5,834 | 5,834 |
//!
//! [`PoolingCnnConfig::new`] describes each of them in one line; other stages, such as strides instead of pooling, are
//! other configurations of the same [`PoolingCnn`].
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::{module::Module, tensor::Tensor};
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//!
//! let device = Default::default();
//! let model = PoolingCnnConfig::new(Variant::GlobalMax).init::<burn_flex::Flex>(&device)?;
//! assert_eq!(model.num_params(), 5_834);
//! let images = Tensor::zeros([2, 1, 28, 28], &device); // [batch, channels, height, width]
//! assert_eq!(model.features(images.clone()).dims(), [2, 32]);
//! assert_eq!(model.probabilities(images).dims(), [2, 10]);
//! # }
//! # Ok::<(), burn_pooling::model::ModelError>(())
//! ```

mod classifier;
mod cnn;
mod config;
mod error;
mod linear;
mod size;
mod stored;
mod variant;

pub use classifier::Classifier;
pub use cnn::{MAX_STAGES, PoolingCnn, StageOutput};
pub use config::PoolingCnnConfig;
pub use error::{ImageError, ModelError};
pub use linear::Linear;
pub use size::MAX_VALUES;
pub use variant::{UnknownVariant, Variant};
