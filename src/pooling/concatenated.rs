//! Maximum and mean, one after the other in the channels.
//!
//! fastai's `AdaptiveConcatPool2d`, whose order it is; timm's `catavgmax` has the means first.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{largest, mean};

/// Which half of the channels of a [`ConcatPool2d`] comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ConcatOrder {
    /// The maxima, as in fastai.
    MaxFirst,
    /// The means, as in timm.
    AverageFirst,
}

/// Reduces each window to its maximum and its mean, which doubles the channels.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{ConcatOrder, ConcatPool2d, PoolWindow};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0]]]], &Default::default());
/// let pooled = ConcatPool2d::new(PoolWindow::Global, ConcatOrder::MaxFirst).forward(map);
/// assert_eq!(pooled.dims(), [1, 2, 1, 1]);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [7.0, 4.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct ConcatPool2d {
    /// The windows.
    pub window: PoolWindow,
    /// Which half of the channels comes first.
    pub order: ConcatOrder,
}

impl ConcatPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow, order: ConcatOrder) -> Self {
        Self { window, order }
    }

    forward_methods!(generic);
}

impl<B: Backend> Pooling<B> for ConcatPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let (largest, mean) = (largest(&self.window, input.clone())?, mean(&self.window, input)?);
        let halves = match self.order {
            ConcatOrder::MaxFirst => vec![largest, mean],
            ConcatOrder::AverageFirst => vec![mean, largest],
        };
        Ok(Tensor::cat(halves, 1)) // [batch, 2 * channels, pooled height, pooled width]
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
