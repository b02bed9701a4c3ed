//! A summary of any Burn module: layers, shapes, parameters, multiply-adds and memory, without computing a value.
//!
//! Burn's modules are generic over the backend, so a summary can be a backend: [`Trace`] computes the shape of every
//! result, records the operation and holds no values. Any module that runs on another backend runs on it, in
//! milliseconds and without memory, however large it is.
//!
//! ```
//! use burn::module::Module;
//! use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
//! use burn::nn::conv::{Conv2d, Conv2dConfig};
//! use burn::tensor::{Tensor, backend::Backend};
//! use burn_pooling::summary::{Style, Summary, TraceGrad};
//!
//! #[derive(Module, Debug)]
//! struct Net<B: Backend> {
//!     conv: Conv2d<B>,
//!     norm: BatchNorm<B>,
//!     activation: Relu,
//!     head: Linear<B>,
//! }
//!
//! impl<B: Backend> Net<B> {
//!     fn new(device: &B::Device) -> Self {
//!         Self {
//!             conv: Conv2dConfig::new([3, 16], [3, 3]).with_padding(PaddingConfig2d::Same).init(device),
//!             norm: BatchNormConfig::new(16).init(device),
//!             activation: Relu::new(),
//!             head: LinearConfig::new(16, 10).init(device),
//!         }
//!     }
//!
//!     fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
//!         let maps = self.activation.forward(self.norm.forward(self.conv.forward(images)));
//!         self.head.forward(maps.mean_dim(3).mean_dim(2).flatten(1, 3))
//!     }
//! }
//!
//! let summary = Summary::of(Net::<TraceGrad>::new, [8, 3, 32, 32], |net, images| net.forward(images))?;
//! let text = summary.styled(Style::Wide).width(80).to_string(); // or println!("{summary}")
//! assert!(text.contains("head: Linear") && text.contains("Multiply-adds          3.54 M"));
//! # Ok::<(), burn_pooling::summary::SummaryError>(())
//! ```
//!
//! A [`Summary`] is data: [`Row`]s and [`Totals`], all of it [`Serialize`](serde::Serialize).
//! [`Summary::styled`] prints it, as a table or as a graph; [`Comparison`] puts several side by side.
//!
//! # Training or inference
//!
//! The backend that the model is built on decides. On [`TraceGrad`] it runs as it trains: dropout drops, batch
//! normalisation takes the batch's statistics, and the costs of the backward pass are measured by running it. On
//! [`Trace`] it runs as it predicts; Burn then does not know which parameters are frozen, and all but running
//! statistics count as trainable. [`Summary::inference`] runs a model of [`TraceGrad`] as it predicts, and knows.
//!
//! # What is counted
//!
//! - **Parameters**: what the module's visitor shows, each [`ParamId`](burn::module::ParamId) once, however often it is
//!   used. Trainable are those that require a gradient; frozen ones and running statistics, which PyTorch calls
//!   buffers, are non-trainable.
//! - **Multiply-adds**: one multiplication and one addition together are one. Convolutions (plain, grouped,
//!   transposed, deformable), linear layers, matrix products and attention count, in both passes. Biases,
//!   activations, pooling, normalisation, embeddings and everything elementwise count nothing. This is half
//!   of what PyTorch's `FlopCounterMode` counts. torchinfo counts biases and normalisations too, a linear
//!   layer once a sample instead of once a position, and a transposed convolution at its output's size.
//! - **Activations**: a row's memory is that of its result. The peak activation memory is the most that inputs and
//!   results take together in an inference pass in which every tensor is freed after its last use; views share storage,
//!   nothing is reused in place, and what a backend computes inside of one activation function is not counted. What
//!   training keeps was alive when the forward pass had run, as Burn's automatic differentiation holds it: inputs and
//!   outputs included.
//! - **Training** is parameters, gradients, what the [`Optimizer`] keeps and the kept activations. What the backward
//!   pass itself needs comes on top.
//! - **Receptive field**: along convolutions and pools; where branches are added, the wider one. The statistics of a
//!   normalisation do not count. It is not known once dimensions change places.
//!
//! All numbers are for the given batch size. The dimensions that follow it are found by running the model with another
//! one, and shown as `N`; [`named`] inputs have a second free dimension, `T`. If another length changes what is run, as
//! in a loop over time, the dimensions that follow it stay numbers.
//!
//! # How layers are found
//!
//! Burn has no hooks. That a layer runs is known by its parameters: an operation that computes with them is the
//! layer's. A container runs from its first layer to its last. What has no parameters lies on the way from one layer to
//! the next: out of the containers that are left, into those that are entered; containers of one type run the same
//! code. There it is a field of its type (`Relu`, `MaxPool2d`, `Dropout`), if there is one. Activations are known by
//! what Burn's own functions record, not by a list. This crate's pooling layers say themselves when they run, and over
//! which windows.
//!
//! Layers, their order, shapes and costs are exact. The indentation of operations without parameters is the likeliest
//! place; where several fields could be an operation, the name ends in `?`. An operation that is no field has no name.
//! A layer's weight in another operation than the layer's, such as a decoder tied to an embedding, is shown under the
//! weight's path. A recurrent layer of a single time step is shown with its operations beside it.
//!
//! Reshapes (but for flattening to a vector), transpositions, casts, constants, random numbers, arithmetic with a
//! single number and what is computed from parameters alone have no rows. Multiply-adds of parameters alone, such as
//! the product of LoRA's two factors, count where their result is used first. A module that runs three times or more in
//! a loop is one row, with the cost of all.
//!
//! # Limits
//!
//! Totals that have no place in 64 bits are an error, and so is a tensor of more than 2^59 elements. A model that reads
//! values back (`into_scalar`, `into_data`) has no summary: the error says so. Quantised tensors and Fourier transforms
//! are missing in Burn's router; a model that uses them is an error too. Panics inside of the model are contained: while
//! it is built and run, its thread's panics do not reach the process's panic hook.

mod call;
mod calls;
mod compare;
mod edges;
mod error;
mod extent;
mod fields;
mod flow;
mod habits;
mod inputs_outputs;
mod loops;
mod memory;
mod naming;
mod operation;
mod pass;
mod pattern;
mod places;
mod receptive;
mod recording;
mod row;
mod rows;
mod shape;
mod style;
mod summarise;
mod totals;
mod trace;
mod tree;
mod visits;

pub use compare::{ComparedModel, Comparison, Stage};
pub use edges::Edge;
pub use error::{Phase, SummaryError};
pub use inputs_outputs::{Axis, Input, Mask, Named, Output, Tokens, mask, named, tokens, unbatched};
pub use operation::Kernel;
pub use recording::TraceDevice;
pub use row::{ParameterCount, Role, Row, Weight};
pub use shape::{Dimension, Dimensions};
pub use style::{Column, DEFAULT_WIDTH, Style, Styled, StyledComparison, UnknownStyle};
pub use summarise::Summary;
pub use totals::{LayerType, Optimizer, Totals, Training};
pub use trace::{Trace, TraceBackend, TraceBridge, TraceChannel, TraceClient, TraceGrad};
