//! Windows reduced by one operation on the CPU backends, and elsewhere by Burn's, of the values of each window.

use burn::tensor::{Bool, DType, Int, Tensor, TensorData, backend::Backend};

use super::error::WindowError;
use super::pool_window::PoolWindow;
use crate::cpu::reduce::{Reduction, pool};
use crate::cpu::taps::Taps;

/// The values of each window, `[batch, channels, windows, values of the largest window]`, and which lie outside of the map,
/// where a window has fewer.
#[derive(Clone)]
pub(super) struct Unfolded<B: Backend> {
    /// Minus infinity outside of the map.
    pub values: Tensor<B, 4>,
    /// `[1, 1, windows, values]`
    pub outside: Tensor<B, 4, Bool>,
    /// How many values each window has, `[1, 1, windows, 1]`.
    pub count: Tensor<B, 4>,
    /// How many taps, those outside of the map included.
    pub taps: f32,
}

impl<B: Backend> Unfolded<B> {
    /// Returns the values, with others outside of the map.
    pub fn or(&self, other: f32) -> Tensor<B, 4> {
        self.without(self.values.clone(), other)
    }

    /// Returns what was computed of each value, with other results outside of the map.
    pub fn without(&self, results: Tensor<B, 4>, other: f32) -> Tensor<B, 4> {
        let outside = self.outside.clone().expand(results.dims());
        results.mask_fill(outside, other)
    }

    /// Returns the largest value of each window, `[batch, channels, windows, 1]`.
    pub fn largest(&self) -> Tensor<B, 4> {
        self.values.clone().max_dim(3)
    }

    /// Returns the mean of what was computed of each value, `[batch, channels, windows, 1]`.
    pub fn mean(&self, results: Tensor<B, 4>) -> Tensor<B, 4> {
        self.without(results, 0.0).sum_dim(3) / self.count.clone()
    }

    /// Returns shares of the maxima and the rest of the means, `[batch, channels, windows, 1]`.
    pub fn mixed(&self, share: Tensor<B, 4>) -> Tensor<B, 4> {
        share.clone() * self.largest() + (share.neg() + 1.0) * self.mean(self.values.clone())
    }
}

/// A layer that reduces each of its windows by itself.
pub(super) trait Reducing<B: Backend> {
    /// Returns the windows.
    fn window(&self) -> PoolWindow;

    /// Returns what each is reduced to.
    ///
    /// # Errors
    /// [`WindowError`] if a field has a value that has no meaning.
    fn reduction(&self) -> Result<Reduction, WindowError>;

    /// Returns the parameter of each channel, or one for all, if the reduction has one.
    fn parameters(&self, _: &B::Device) -> Option<Tensor<B, 1>> {
        None
    }

    /// Reduces windows by Burn's operations, `[batch, channels, windows, 1]`.
    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4>;
}

/// Pools by such a layer.
pub(super) fn reduce_by<B: Backend>(
    layer: &impl Reducing<B>, input: Tensor<B, 4>,
) -> Result<Tensor<B, 4>, WindowError> {
    let parameters = layer.parameters(&input.device());
    if let Some(parameters) = &parameters {
        check_channels(parameters.dims()[0], &input)?;
    }
    let parameters = parameters.map(|parameters| parameters.unsqueeze_dim(1));
    reduce(&layer.window(), layer.reduction()?, input, parameters, |unfolded| layer.compose(unfolded))
}

/// Reduces each window: in `f32`, or narrower, on a CPU backend by `reduction`, elsewhere by `composed`, which returns
/// `[batch, channels, windows, 1]`.
///
/// `parameters` are `[channels, parameters of a window]`, or `[1, parameters of a window]` for all channels.
pub(super) fn reduce<B: Backend>(
    window: &PoolWindow, reduction: Reduction, input: Tensor<B, 4>, parameters: Option<Tensor<B, 2>>,
    composed: impl FnOnce(Unfolded<B>) -> Tensor<B, 4>,
) -> Result<Tensor<B, 4>, WindowError> {
    if let Some(pooled) = on_cpu(window, reduction, &input, parameters)? {
        return Ok(pooled);
    }
    let [batch, channels, height, width] = input.dims();
    let taps = window.taps([height, width])?;
    let [rows, columns] = taps.outputs();
    if batch * channels == 0 {
        return Ok(input.reshape([batch, channels, rows, columns]));
    }
    let pooled = composed(unfold(&taps, widened(&input))).reshape([batch, channels, rows, columns]);
    Ok(pooled.cast(input.dtype()))
}

/// Takes the largest value of each window.
pub(super) fn largest<B: Backend>(window: &PoolWindow, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
    reduce(window, Reduction::Max, input, None, |unfolded| unfolded.largest())
}

/// Takes the mean of each window.
pub(super) fn mean<B: Backend>(window: &PoolWindow, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
    reduce(window, Reduction::Mean, input, None, |unfolded: Unfolded<B>| unfolded.mean(unfolded.values.clone()))
}

/// Reduces each window by an operation on a CPU backend; `None` elsewhere.
pub(super) fn on_cpu<B: Backend>(
    window: &PoolWindow, reduction: Reduction, input: &Tensor<B, 4>, parameters: Option<Tensor<B, 2>>,
) -> Result<Option<Tensor<B, 4>>, WindowError> {
    let [_, _, height, width] = input.dims();
    let taps = window.taps([height, width])?;
    match (taps.values()[0], reduction) {
        (0, _) => return Err(WindowError::Nothing),
        (values, Reduction::Largest(count)) if !(1..=values).contains(&count) => {
            return Err(WindowError::TopK { count, values });
        }
        _ => {}
    }
    let pooled = pool(reduction, taps, widened(input), parameters);
    Ok(pooled.map(|pooled| if pooled.dtype() == input.dtype() { pooled } else { pooled.cast(input.dtype()) }))
}

/// Returns the values of narrow types in `f32`: sums of them lose too many digits.
pub(super) fn widened<B: Backend>(input: &Tensor<B, 4>) -> Tensor<B, 4> {
    match input.dtype() {
        DType::F16 | DType::BF16 => input.clone().cast(DType::F32),
        _ => input.clone(),
    }
}

/// Returns an error unless there are parameters of each channel, or of all.
pub(super) fn check_channels<B: Backend>(parameters: usize, input: &Tensor<B, 4>) -> Result<(), WindowError> {
    match input.dims()[1] {
        found if parameters != 1 && parameters != found => Err(WindowError::Channels { expected: parameters, found }),
        _ => Ok(()),
    }
}

/// Returns the parameter of each channel, `[channels or 1]`, beside the values of windows.
pub(super) fn beside<B: Backend>(parameter: Tensor<B, 1>, values: &Tensor<B, 4>) -> Tensor<B, 4> {
    let [count] = parameter.dims();
    parameter.cast(values.dtype()).reshape([1, count, 1, 1])
}

/// Returns the values of each window.
pub(super) fn unfold<B: Backend>(taps: &Taps, input: Tensor<B, 4>) -> Unfolded<B> {
    let ([batch, channels, ..], device, dtype) = (input.dims(), input.device(), input.dtype());
    let ([_, most], windows, area) = (taps.values(), taps.windows(), taps.area());
    let flat: Tensor<B, 3> = input.reshape([batch, channels, area]);
    let end = Tensor::<B, 3>::full([batch, channels, 1], f32::NEG_INFINITY, &device).cast(dtype);
    let flat = Tensor::cat(vec![flat, end], 2); // [batch, channels, area + 1]
    let places = places(taps);
    let outside: Vec<bool> = places.iter().map(|&place| place == area as i64).collect();
    let count = |places: &[bool]| places.iter().filter(|outside| !**outside).count() as f32;
    let counts: Vec<f32> = outside.chunks_exact(most).map(count).collect();
    let indices = Tensor::<B, 1, Int>::from_data(TensorData::new(places, [windows * most]), &device);
    Unfolded {
        values: flat.select(2, indices).reshape([batch, channels, windows, most]),
        outside: Tensor::from_data(TensorData::new(outside, [1, 1, windows, most]), &device),
        count: Tensor::<B, 4>::from_data(TensorData::new(counts, [1, 1, windows, 1]), &device).cast(dtype),
        taps: taps.count(),
    }
}

/// Returns the place of each value of each window, `[windows, values of the largest window]`, of at least one; the first
/// behind the map where a window has fewer.
pub(super) fn places(taps: &Taps) -> Vec<i64> {
    let ([down, across], [_, most], width) = (&taps.axes, taps.values(), taps.image[1]);
    let most = most.max(1);
    let mut places = Vec::with_capacity(taps.windows() * most);
    for rows in &down.spans {
        for columns in &across.spans {
            let end = places.len() + most;
            for y in (0..rows.len).map(|i| (rows.first + i * rows.step) * width) {
                places.extend((0..columns.len).map(|i| (y + columns.first + i * columns.step) as i64));
            }
            places.resize(end, taps.area() as i64);
        }
    }
    places
}
