//! A training run on disk: its folder, configuration, report and trained model.
//!
//! [`RunFolder`] holds a run of any model; [`RunConfig`], [`Report`] and [`load_run`] are those of the command.
//!
//! ```no_run
//! # #[cfg(feature = "flex")] {
//! use burn_pooling::backend::Flex;
//! use burn_pooling::run::load_run;
//!
//! let (config, model) = load_run::<Flex>("runs/first".as_ref(), &Default::default())?;
//! println!("{} was trained for {} epochs", config.model.name, config.training.epochs);
//! # }
//! # Ok::<(), burn_pooling::run::LoadError>(())
//! ```

mod config;
mod creation;
mod folder;
mod load;
mod lock;
mod manifest;
mod names;
mod path;
mod recipe;
mod report;
mod storage;
mod weights;

pub use config::{Change, DataConfig, Origin, RunConfig};
pub use folder::RunFolder;
pub use load::{LoadError, load_run};
pub use recipe::{OptimizerKind, Recipe, RecipeError};
pub use report::Report;
pub use storage::StorageError;
pub use weights::{WeightsError, load_weights, read_weights, save_weights};
