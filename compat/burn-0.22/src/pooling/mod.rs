//! Pooling layers, and the block that they are a part of.
//!
//! ```
//! use burn::tensor::Tensor;
//! use burn_pooling_compat::pooling::{GlobalAvgPool2d, GlobalMaxPool2d};
//!
//! let maps = Tensor::<4>::from_floats([[[[1.0, 7.0], [3.0, 5.0]]]], &Default::default()); // [1, 1, 2, 2]
//! let largest = GlobalMaxPool2d::new().forward(maps.clone()); // [1, 1]
//! let mean = GlobalAvgPool2d::new().forward(maps); // [1, 1]
//! assert_eq!((largest.into_scalar::<f32>(), mean.into_scalar::<f32>()), (7.0, 4.0));
//! ```

mod activation;
mod blur;
mod conv_pool;
mod global_average;
mod global_max;
mod pool;
mod window;

pub use activation::Activation;
pub use conv_pool::{ConvPool2d, ConvPool2dConfig};
pub use global_average::GlobalAvgPool2d;
pub use global_max::GlobalMaxPool2d;
pub use pool::Pool2d;
pub use window::WindowError;
