//! Losses of a classifier's logits: cross-entropy, and a trait for your own.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::{Tensor, backend::Backend};
//! use burn_pooling::backend::Flex;
//! use burn_pooling::loss::{CrossEntropy, Loss, targets};
//!
//! /// The mean squared error of the logits against one-hot targets.
//! struct SquaredError;
//!
//! impl<B: Backend> Loss<B> for SquaredError {
//!     fn forward(&self, logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1> {
//!         let one_hot = targets(labels, &logits.device()).one_hot(logits.dims()[1]).float();
//!         (logits - one_hot).square().mean()
//!     }
//! }
//!
//! let logits = Tensor::<Flex, 2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &Default::default());
//! let squared_error: f32 = SquaredError.forward(logits.clone(), &[0, 1]).into_scalar();
//! assert_eq!(squared_error, 0.5); // (0 + 0 + 1 + 1) / 4
//! let cross_entropy: f32 = CrossEntropy::new().forward(logits, &[0, 1]).into_scalar();
//! assert!((cross_entropy - 0.8133).abs() < 1e-4); // (ln(1 + 1/e) + ln(1 + e)) / 2
//! # }
//! ```

mod cross_entropy;
mod logits;
mod objective;

pub use cross_entropy::{CrossEntropy, CrossEntropyError};
pub use logits::{LabelError, Logits};
pub use objective::{HostLoss, Loss, targets};
