//! The trained network of a run: the folder that `burn-pooling --out` writes.
//!
//! ```
//! use burn::tensor::Tensor;
//! use burn_pooling_compat::run::load_run;
//!
//! let device = Default::default();
//! let (config, model) = load_run("../runs/max".as_ref(), &device)?;
//! assert_eq!(config.model.name, "max");
//! assert_eq!(model.forward(Tensor::zeros([1, 1, 28, 28], &device)).dims(), [1, 10]);
//! # Ok::<(), burn_pooling_compat::run::LoadError>(())
//! ```

mod load;
mod weights;

pub use load::{LoadError, RunConfig, load_run};
pub use weights::WeightsError;
