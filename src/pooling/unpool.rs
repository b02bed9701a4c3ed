//! Max unpooling: values go back to the places of the maxima.
//!
//! Zeiler, Fergus: *Visualizing and Understanding Convolutional Networks* (2013), section 2.1, and Badrinarayanan,
//! Kendall, Cipolla: *SegNet* (2015).

use burn::module::Module;
use burn::tensor::{IndexingUpdateOp, Int, Tensor, backend::Backend};

use super::error::{WindowError, expect};
use super::pool_window::PoolWindow;

/// Puts each value to the place that [`IndexedMaxPool2d`](super::IndexedMaxPool2d) told, and 0 elsewhere.
///
/// Where overlapping windows chose one place, it holds the value once, not their sum, and each of them gets its whole
/// gradient, as PyTorch's `MaxUnpool2d` has it. Of different values, which no pooling gives, the last stays on the CPU
/// backends; on others any may.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::{Int, Tensor};
/// use burn_pooling::pooling::{MaxUnpool2d, PoolWindow};
///
/// let device = Default::default();
/// let values = Tensor::<burn_flex::Flex, 4>::from_floats([[[[7.0, 5.0]]]], &device);
/// let indices = Tensor::<burn_flex::Flex, 4, Int>::from_ints([[[[1, 3]]]], &device);
/// let unpool = MaxUnpool2d::new(PoolWindow::sliding([1, 2]));
/// let map = unpool.forward(values.clone(), indices.clone(), None);
/// assert_eq!(map.into_data().to_vec::<f32>().unwrap(), [0.0, 7.0, 0.0, 5.0]);
/// let map = unpool.forward(values, indices, Some([1, 5])); // the fifth column had no window
/// assert_eq!(map.into_data().to_vec::<f32>().unwrap(), [0.0, 7.0, 0.0, 5.0, 0.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct MaxUnpool2d {
    /// The windows of the pooling.
    pub window: PoolWindow,
}

impl MaxUnpool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow) -> Self {
        Self { window }
    }

    /// Puts the values to their places in a map of `output_size`, height and width.
    ///
    /// That is the size of the map that was pooled: places are counted in its rows. Without it, sliding windows take
    /// the smallest map without `ceil_mode` that gives as many values: `(count - 1) stride - 2 padding + kernel
    /// size`, of which dilation is a part.
    ///
    /// # Shapes
    /// - values, indices: `[batch, channels, pooled height, pooled width]`
    /// - output: `[batch, channels, height, width]`
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error.
    #[track_caller]
    pub fn forward<B: Backend>(
        &self, values: Tensor<B, 4>, indices: Tensor<B, 4, Int>, output_size: Option<[usize; 2]>,
    ) -> Tensor<B, 4> {
        expect(self.try_forward(values, indices, output_size))
    }

    /// Does the same, or returns why it cannot. It reads the smallest and the largest index, for which a GPU has to
    /// wait.
    ///
    /// # Errors
    /// [`WindowError`] if the indices have another shape than the values, one lies outside of the map, the windows of
    /// such a map do not give as many values, or windows that do not slide come without its size.
    pub fn try_forward<B: Backend>(
        &self, values: Tensor<B, 4>, indices: Tensor<B, 4, Int>, output_size: Option<[usize; 2]>,
    ) -> Result<Tensor<B, 4>, WindowError> {
        let (shape, device) = (values.dims(), values.device());
        let [batch, channels, rows, columns] = shape;
        if indices.dims() != shape {
            return Err(WindowError::Indices { values: shape.to_vec(), indices: indices.dims().to_vec() });
        }
        let size @ [height, width] = self.size([rows, columns], output_size)?;
        let (planes, area, count) = (batch * channels, height * width, values.shape().num_elements());
        if planes == 0 {
            return Ok(values.reshape([batch, channels, height, width])); // There is no smallest index.
        }
        check_range(&indices, size)?;
        let plane = Tensor::<B, 1, Int>::arange(0..planes as i64, &device) * area as i64;
        let places = indices.cast(plane.dtype()) + plane.reshape([batch, channels, 1, 1]);
        let (places, values) = (places.reshape([count, 1]), values.reshape([count]));
        let map = Tensor::<B, 1>::zeros([planes * area], &device).cast(values.dtype());
        let map = map.scatter_nd::<2, 1>(places, values, IndexingUpdateOp::Assign);
        Ok(map.reshape([batch, channels, height, width]))
    }

    /// Returns the size of the map that was pooled to this many rows and columns.
    fn size(&self, pooled: [usize; 2], given: Option<[usize; 2]>) -> Result<[usize; 2], WindowError> {
        let size = given.or_else(|| self.usual_size(pooled)).ok_or(WindowError::NoSize)?;
        match self.window.output_size(size)? {
            expected if expected != pooled => Err(WindowError::Pooled { size, expected, found: pooled }),
            _ => Ok(size),
        }
    }

    /// Returns the size of the smallest map whose whole windows give this many rows and columns.
    fn usual_size(&self, pooled: [usize; 2]) -> Option<[usize; 2]> {
        let PoolWindow::Sliding { kernel_size, stride, padding, dilation, .. } = self.window else {
            return None;
        };
        Some([0, 1].map(|side| {
            let start = pooled[side].saturating_sub(1).saturating_mul(stride[side]);
            let reach = kernel_size[side].saturating_sub(1).saturating_mul(dilation[side]).saturating_add(1);
            start.saturating_add(reach).saturating_sub(padding[side].saturating_mul(2))
        }))
    }
}

/// Returns an error if an index lies outside of the map; not every backend looks.
fn check_range<B: Backend>(indices: &Tensor<B, 4, Int>, size: [usize; 2]) -> Result<(), WindowError> {
    let ends = Tensor::cat(vec![indices.clone().min(), indices.clone().max()], 0).into_data();
    let outside = ends.iter::<i64>().find(|&index| !(0..(size[0] * size[1]) as i64).contains(&index));
    outside.map_or(Ok(()), |index| Err(WindowError::Index { index, size }))
}
