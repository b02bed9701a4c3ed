//! Max pooling that tells where each maximum was.
//!
//! Badrinarayanan, Kendall, Cipolla: *SegNet* (2015), whose decoder puts values back to these places; PyTorch's
//! `max_pool2d` with `return_indices`.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::error::{WindowError, expect};
use super::pool_window::PoolWindow;
use super::reduce::places;

/// Reduces each window to its largest value, and returns its place too; [`MaxUnpool2d`](super::MaxUnpool2d) puts values
/// back there.
///
/// A place is the row times the width of the map plus the column. Of equal maxima the first counts and gets the
/// gradient, or the last NaN, as PyTorch's `max_pool2d` has it; on every backend and in every type of numbers. Burn's
/// own operation loses a NaN, and on NdArray the place of minus infinity. Where a dilated window lies between the
/// values of a padded map and reads none of them, the maximum is minus infinity, and its place the first behind the
/// map.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{IndexedMaxPool2d, PoolWindow};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0, 3.0, 5.0]]]], &Default::default());
/// let (pooled, indices) = IndexedMaxPool2d::new(PoolWindow::sliding([1, 2])).forward(map);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [7.0, 5.0]);
/// assert_eq!(indices.into_data().iter::<i64>().collect::<Vec<_>>(), [1, 3]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct IndexedMaxPool2d {
    /// The windows.
    pub window: PoolWindow,
}

impl IndexedMaxPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow) -> Self {
        Self { window }
    }

    /// Pools every channel; returns the maxima and their places.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, pooled height, pooled width]`, both
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error; [`PoolWindow::output_size`] tells beforehand.
    #[track_caller]
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4, Int>) {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the windows do not fit the input.
    pub fn try_forward<B: Backend>(
        &self, input: Tensor<B, 4>,
    ) -> Result<(Tensor<B, 4>, Tensor<B, 4, Int>), WindowError> {
        let ([batch, channels, height, width], device) = (input.dims(), input.device());
        let taps = self.window.taps([height, width])?;
        let [rows, columns] = taps.outputs();
        let (most, shape) = (taps.values()[1].max(1), [batch, channels, rows, columns]);
        if batch * channels == 0 {
            return Ok((input.reshape(shape), Tensor::zeros(shape, &device))); // Burn expands nothing empty.
        }
        let end = Tensor::<B, 3>::full([batch, channels, 1], f32::NEG_INFINITY, &device).cast(input.dtype());
        let flat = Tensor::cat(vec![input.reshape([batch, channels, height * width]), end], 2);
        let data = TensorData::new(places(&taps), [1, 1, taps.windows(), most]);
        let indices = winners(flat.clone().detach(), Tensor::from_data(data, &device));
        let output = flat.gather(2, indices.clone());
        Ok((output.reshape(shape), indices.reshape(shape)))
    }
}

/// Returns the place of each window's largest value.
///
/// # Shapes
/// - flat: `[batch, channels, area + 1]`, the last of which is outside of the map
/// - places: `[1, 1, windows, taps]`, in each window from first to last
/// - output: `[batch, channels, windows]`
fn winners<B: Backend>(flat: Tensor<B, 3>, places: Tensor<B, 4, Int>) -> Tensor<B, 3, Int> {
    let ([batch, channels, end], [_, _, windows, taps]) = (flat.dims(), places.dims());
    let shape = [batch, channels, windows, taps];
    let values = flat.select(2, places.clone().reshape([windows * taps])).reshape(shape);
    let (places, largest) = (places.expand(shape), values.clone().max_dim(3).expand(shape));
    // The maximum may be NaN or not where there is one, by backend; so NaN are looked for by themselves.
    let last_nan = places.clone().mask_fill(values.clone().is_nan().bool_not(), -1).max_dim(3);
    let first = places.mask_fill(values.not_equal(largest), end as i64 - 1).min_dim(3);
    first.mask_where(last_nan.clone().greater_equal_elem(0), last_nan).reshape([batch, channels, windows])
}
