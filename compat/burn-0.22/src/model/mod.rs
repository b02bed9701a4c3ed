//! The networks: one to four stages of convolution and pooling, then two linear layers.
//!
//! | name | stages | parameters |
//! | --- | --- | ---: |
//! | `max` | two of 32 filters of 3x3, ReLU, max pooling 2x2 | 113,386 |
//! | `average` | the same with average pooling | 113,386 |
//! | `gmp` | one of 32 filters of 3x3, ReLU, global max pooling | 5,834 |
//! | `gap` | the same with global average pooling | 5,834 |
//!
//! ```
//! use burn::{module::Module, tensor::Tensor};
//! use burn_pooling_compat::model::{PoolingCnnConfig, Variant};
//!
//! let device = Default::default();
//! let letters = PoolingCnnConfig { classes: 26, ..PoolingCnnConfig::new(Variant::GlobalMax) };
//! let model = letters.init(&device)?;
//! assert_eq!((letters.features()?, model.num_params()), (32, 5_834 + 16 * 129));
//! let images = Tensor::zeros([2, 1, 28, 28], &device); // [batch, channels, height, width]
//! assert_eq!(model.probabilities(images).dims(), [2, 26]);
//! # Ok::<(), burn_pooling_compat::model::ConfigError>(())
//! ```

mod cnn;
mod config;
mod error;
mod limits;
mod variant;

pub use cnn::PoolingCnn;
pub use config::PoolingCnnConfig;
pub use error::{ConfigError, ImageError};
pub use limits::{MAX_NUMBER, MAX_STAGES};
pub use variant::Variant;
