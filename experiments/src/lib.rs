//! What the experiments share, so that each of them holds only what differs.
//!
//! | module | holds |
//! | --- | --- |
//! | [`network`] | every network that an experiment trains, by configuration, and what it costs |
//! | [`training`] | one network trained with one seed, with early stopping |
//! | [`parallel`] | many trainings at once, with progress |
//! | [`runs`] | every network with every seed, and the figures over the seeds |
//! | [`images`] | subsets, larger canvases, shifted digits |
//! | [`predictions`] | classes and features of a trained network, accuracy, consistency |
//! | [`principal`] | the few numbers from which many are best guessed |
//! | [`ridge`] | the best linear guess at some numbers from others |
//! | [`shifts`] | what a network says of digits that move |
//! | [`speed`] | images a second, measured in turns |
//! | [`statistics`] | means with intervals, paired differences, McNemar's test |
//! | [`plot`] | SVG: lines, bars, pictures |
//! | [`report`] | `results.json`, tables, the results part of a README |
//! | [`options`] | the command line, folders |
//!
//! Everything that instantiates Burn's backends is here and not generic: Burn compiles anew in every binary.

pub mod images;
pub mod network;
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
