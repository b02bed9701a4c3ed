//! Spatial pyramid pooling: grids of several sizes over one map, so that maps of any size give vectors of one size.
//!
//! He, Zhang, Ren, Sun: *Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition* (2014),
//! section 2.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use super::error::{WindowError, expect};
use super::pool_window::PoolWindow;
use super::reduce::{largest, mean};

/// What a [`SpatialPyramidPool2d`] reduces each window to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PyramidKind {
    /// The largest value.
    Maximum,
    /// The mean.
    Mean,
}

/// Configuration of a [`SpatialPyramidPool2d`].
#[derive(burn::config::Config, Debug, PartialEq, Eq)]
pub struct SpatialPyramidPool2dConfig {
    /// The levels: `n` stands for `n` by `n` windows. The paper has 1, 2 and 4 among others.
    pub levels: Vec<usize>,
    /// What each window is reduced to.
    #[config(default = "PyramidKind::Maximum")]
    pub kind: PyramidKind,
}

impl SpatialPyramidPool2dConfig {
    /// Creates the layer.
    pub fn init(&self) -> SpatialPyramidPool2d {
        SpatialPyramidPool2d { levels: self.levels.clone(), kind: self.kind }
    }
}

/// Reduces the windows of each level, and puts the levels one after the other.
///
/// A level of `n` has the windows of [`PoolWindow::Adaptive`] with `n` rows and columns: they overlap where `n` does
/// not divide the map, and repeat values where the map is smaller than `n`. Caffe's windows differ then.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::SpatialPyramidPool2dConfig;
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0], [3.0, 5.0]]]], &Default::default());
/// let pooled = SpatialPyramidPool2dConfig::new(vec![1, 2]).init().forward(map);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [7.0, 1.0, 7.0, 3.0, 5.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct SpatialPyramidPool2d {
    /// The levels, in the order of the output: `n` stands for `n` by `n` windows.
    pub levels: Vec<usize>,
    /// What each window is reduced to.
    pub kind: PyramidKind,
}

impl SpatialPyramidPool2d {
    /// Pools every channel at every level; within a level, channel after channel, and row after row.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels * sum of the squares of the levels]`
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error.
    #[track_caller]
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 2> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if height or width is 0, a level is 0, or there is no level.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 2>, WindowError> {
        if self.levels.is_empty() {
            return Err(WindowError::Levels);
        }
        let level = |&level: &usize| Ok(self.level(level, input.clone())?.flatten(1, 3));
        Ok(Tensor::cat(self.levels.iter().map(level).collect::<Result<_, _>>()?, 1))
    }

    /// Returns the windows of a level, `[batch, channels, level, level]`.
    fn level<B: Backend>(&self, level: usize, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let window = PoolWindow::Adaptive { output_size: [level, level] };
        match self.kind {
            PyramidKind::Maximum => largest(&window, input),
            PyramidKind::Mean => mean(&window, input),
        }
    }
}
