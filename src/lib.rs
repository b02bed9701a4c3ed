//! Pooling for [Burn](https://burn.dev): layers, four small CNNs that differ in how they pool, a training
//! loop, and a summary of any module. Everything is generic over the backend.
//!
//! | module | holds |
//! | --- | --- |
//! | [`pooling`] | global pooling; convolution, ReLU and pooling as one block |
//! | [`model`] | the four networks: max, average, global max, global average |
//! | [`mnist`] | MNIST and every IDX image set: files, checks, batches |
//! | [`training`] | a loop that repeats itself bit for bit and goes on after a crash |
//! | [`evaluation`] | accuracy with its interval, confusion matrix |
//! | [`data`] | batches of any data |
//! | [`loss`] | cross-entropy, and a trait for your own loss |
//! | [`summary`] | layers, shapes, parameters, costs of any Burn module, without running it |
//! | [`backend`] | backends chosen at run time among those compiled in |
//! | [`run`] | a training run's configuration, report and trained model |
//!
//! A network in an app of your own:
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::{Tensor, backend::Backend};
//! use burn_pooling::model::{ModelError, PoolingCnnConfig, Variant};
//!
//! fn digits<B: Backend>(images: Tensor<B, 4>) -> Result<Tensor<B, 2>, ModelError> {
//!     let model = PoolingCnnConfig::new(Variant::GlobalMax).init::<B>(&images.device())?;
//!     Ok(model.probabilities(images)) // [batch, 10]
//! }
//!
//! let images = Tensor::<burn_flex::Flex, 4>::zeros([2, 1, 28, 28], &Default::default());
//! assert_eq!(digits(images)?.dims(), [2, 10]);
//! # }
//! # Ok::<(), burn_pooling::model::ModelError>(())
//! ```

pub mod backend;
mod contain;
mod cpu;
pub mod data;
pub mod evaluation;
pub mod loss;
pub mod mnist;
pub mod model;
pub mod pooling;
mod random;
pub mod run;
pub mod statistics;
pub mod summary;
pub mod training;

/// The README's examples, compiled and run with the tests.
#[cfg(all(doctest, feature = "flex"))]
#[doc = include_str!("../README.md")]
struct Readme;
