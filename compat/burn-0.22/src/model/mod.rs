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
//! use burn_pooling_compat::run::load_run;
//!
//! let device = Default::default();
//! let (config, model) = load_run("../runs/gmp".as_ref(), &device)?;
//! assert_eq!((config.model.features()?, model.num_params()), (32, 5_834));
//! let images = Tensor::zeros([2, 1, 28, 28], &device); // [batch, channels, height, width]
//! assert_eq!(model.probabilities(images).dims(), [2, 10]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cnn;
mod config;
mod error;

pub use cnn::PoolingCnn;
pub use config::{MAX_NUMBER, MAX_STAGES, PoolingCnnConfig};
pub use error::{ConfigError, ImageError};
