//! The trained networks and the global pooling layers of burn-pooling, for Burn 0.22, whose backend is a matter of the
//! device at run time.
//!
//! | module | holds |
//! | --- | --- |
//! | [`run`] | the trained network of a run's folder |
//! | [`model`] | the networks: max, average, global max, global average, and others of such stages |
//! | [`pooling`] | global pooling layers; convolution, normalisation, activation and pooling as one block |

pub mod model;
pub mod pooling;
pub mod run;

/// The README's example, compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
