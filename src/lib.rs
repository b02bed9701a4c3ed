//! Pooling layers and models for Burn.
