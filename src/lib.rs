//! Pooling layers and models for Burn.

pub mod model;
pub mod pooling;
pub mod summary;
