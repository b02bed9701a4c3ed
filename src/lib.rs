//! Pooling for [Burn](https://burn.dev): layers, four small CNNs that differ in how they pool, a training loop for any
//! model, and a summary of any module. Everything is generic over the backend.
//!
//! | module | holds |
//! | --- | --- |
//! | [`pooling`] | pooling layers; convolution, normalisation, activation and pooling as one block |
//! | [`model`] | the four networks: max, average, global max, global average |
//! | [`training`] | a reproducible loop over any Burn optimizer and scheduler; Adam; augmentation |
//! | `burn_train` (feature `burn-train`) | the four networks in the learner of Burn's crate `burn-train` |
//! | `exchange` (feature `exchange`) | networks out to PyTorch, Keras and ONNX, and in |
//! | [`run`] | a training run on disk: folder, configuration, report, trained model |
//! | [`explain`] | the maps of one image, and which places of it speak for a class |
//! | `explore` (feature `explore`) | the engine behind the page of `burn-pooling explore` |
//! | [`evaluation`] | accuracy with its interval, confusion matrix |
//! | [`loss`] | cross-entropy, and a trait for a loss of your own |
//! | [`data`] | batches of any data |
//! | [`mnist`] | MNIST, and IDX, `.npz` and picture sets of your own: files, checks, batches |
//! | `picture` (feature `pictures`) | a picture of your own, prepared for a network |
//! | [`transform`] | shifted, rotated and scaled images |
//! | [`summary`] | layers, shapes, parameters and costs of any Burn module, without computing a value |
//! | [`backend`] | backends chosen at run time among those compiled in |
//! | [`profile`], [`limits`] | what each operation of a step takes, and what the machine can do |
//! | [`statistics`] | medians with quartiles, intervals of shares |
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `flex` (default), `ndarray` | backends for the CPU, on which convolution and pooling are one operation |
//! | `wgpu`, `cuda` | backends for the GPU |
//! | `bundled-mnist` (default) | the MNIST files, embedded (11 MB) |
//! | `burn-train` | the networks in that crate's learner |
//! | `exchange` (in `cli`) | networks out to PyTorch, Keras and ONNX, and in |
//! | `server` (in `cli`) | the server of that page |
//! | `explore` (in `server`) | the engine behind the page, a host's requests and answers |
//! | `pictures` (in `explore`) | PNG and JPEG pictures, prepared for a network, and sets of them in class folders |
//! | `npz` (in `cli`) | image sets in NumPy's `.npz` files |
//! | `cli` (default) | what the command needs; a library user turns it off |
//!
//! # Training
//!
//! [`training::fit`] trains any [`model::Classifier`] on any [`data::Data`]; its callback saves and may stop.
//!
//! ```
//! # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::mnist::ImageSets;
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//! use burn_pooling::training::{Control, Learner, Training, TrainingConfig, fit, glorot_uniform};
//!
//! let device = Default::default();
//! let images = ImageSets::load(None)?.train.select(&(0..600).collect::<Vec<_>>());
//! let model = PoolingCnnConfig::new(Variant::Max).init::<Autodiff<Flex>>(&device)?;
//! let config = TrainingConfig { epochs: 2, valid_size: 100, ..Default::default() };
//! let mut learner = Learner::new(glorot_uniform(model, config.seed));
//! fit(&mut learner, &images, &Training::new(config), &device, |_| Ok(Control::Continue))?;
//! assert!(learner.history()[1].train_loss < learner.history()[0].train_loss);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A trained run
//!
//! [`run::load_run`] loads the trained network of a run, with its configuration; [`run`] shows how.

pub mod backend;
#[cfg(feature = "burn-train")]
pub mod burn_train;
mod contain;
mod cpu;
pub mod data;
pub mod evaluation;
#[cfg(all(feature = "exchange", not(target_family = "wasm")))]
pub mod exchange;
pub mod explain;
#[cfg(feature = "explore")]
pub mod explore;
mod hash;
mod layer_scope;
pub mod limits;
pub mod loss;
pub mod mnist;
pub mod model;
#[cfg(feature = "pictures")]
pub mod picture;
pub mod pooling;
pub mod profile;
mod random;
#[cfg(not(target_family = "wasm"))] // folders and their locks
pub mod run;
pub mod statistics;
pub mod summary;
pub mod training;
pub mod transform;

/// The README's examples, compiled and run with the tests.
#[cfg(all(doctest, feature = "flex", feature = "bundled-mnist"))]
#[doc = include_str!("../README.md")]
struct Readme;
