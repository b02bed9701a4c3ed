//! What the experiments share, so that each of them holds only what differs.
//!
//! | module | holds |
//! | --- | --- |
//! | [`options`] | the command line, folders |
//! | [`data`] | the data sets |
//! | [`images`] | subsets, larger canvases, shifted digits |
//! | [`networks`] | the networks that the library has no name for, as configurations of its own |
//! | [`protocol`] | learning rates and epochs of networks that are trained until they have converged |
//! | [`training`] | one network trained with one seed |
//! | [`dropout`] | dropout whose masks the seed decides |
//! | [`study`] | one experiment on one data set: its runs, computed or read |
//! | [`runs`] | the runs of several settings, and the figures over the seeds |
//! | [`store`] | a file for each run |
//! | [`parallel`] | many runs at once, with progress |
//! | [`inference`] | logits, classes and features that a trained network computes |
//! | [`predictions`] | classes beside the true ones: accuracy, consistency |
//! | [`costs`] | what a network costs, by the library's summary |
//! | [`shifts`] | accuracy and consistency for digits that move |
//! | [`speed`] | images per second, measured in turns |
//! | [`numbers`] | numbers as people write them |
//! | [`matrix`], [`ridge`], [`principal`] | numbers in rows and columns, ridge regression, principal components |
//! | [`statistics`], [`mcnemar`] | means with intervals, paired differences, tests |
//! | [`plot`] | SVG: lines, bars, pictures |
//! | [`report`] | claims and outcomes, `results.json`, tables, the results part of a README |
//! | [`output`] | files that are written, or compared with those that are there |
//!
//! Everything that instantiates Burn's backends is here and not generic: Burn compiles anew in every binary.

pub mod costs;
pub mod data;
pub mod dropout;
pub mod images;
pub mod inference;
pub mod matrix;
pub mod mcnemar;
pub mod networks;
pub mod numbers;
pub mod options;
pub mod output;
pub mod parallel;
pub mod plot;
pub mod predictions;
pub mod principal;
pub mod protocol;
pub mod report;
pub mod ridge;
pub mod runs;
pub mod shifts;
pub mod speed;
pub mod statistics;
pub mod store;
pub mod study;
pub mod timing;
pub mod training;
