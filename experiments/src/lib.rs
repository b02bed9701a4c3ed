//! What the experiments share, so that each of them holds only what differs.
//!
//! | module | holds |
//! | --- | --- |
//! | [`options`] | the command line, folders |
//! | [`images`] | subsets, larger canvases, shifted digits |
//! | [`networks`] | the networks that the library has no name for, as configurations of its own |
//! | [`costs`] | what a network costs, by the library's summary |
//! | [`training`] | one network trained with one seed, with early stopping |
//! | [`parallel`] | many trainings at once, with progress |
//! | [`runs`] | every network with every seed, and the figures over the seeds |
//! | [`inference`] | logits, classes and features that a trained network computes |
//! | [`predictions`] | classes beside the true ones: accuracy, consistency |
//! | [`shifts`] | accuracy and consistency for digits that move |
//! | [`speed`] | images per second, measured in turns |
//! | [`matrix`] | numbers in rows and columns, on the host |
//! | [`ridge`] | ridge regression |
//! | [`principal`] | principal components |
//! | [`statistics`] | means with intervals, paired differences |
//! | [`mcnemar`] | McNemar's test of two classifiers |
//! | [`plot`] | SVG: lines, bars, pictures |
//! | [`report`] | `results.json`, tables, the results part of a README |
//!
//! Everything that instantiates Burn's backends is here and not generic: Burn compiles anew in every binary.

pub mod costs;
pub mod images;
pub mod inference;
pub mod matrix;
pub mod mcnemar;
pub mod networks;
pub mod options;
pub mod parallel;
pub mod plot;
pub mod predictions;
pub mod principal;
pub mod report;
pub mod ridge;
pub mod runs;
pub mod shifts;
pub mod speed;
pub mod statistics;
pub mod training;
