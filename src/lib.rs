//! Pooling layers and models for Burn.

pub mod backend;
pub mod evaluation;
pub mod mnist;
pub mod model;
pub mod pooling;
mod random;
pub mod run;
pub mod summary;
pub mod training;
