//! The reductions.

/// What a window is reduced to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduction {
    /// The largest value.
    Max,
    /// The mean of so many largest values.
    Largest(usize),
    /// The mean.
    Mean,
    /// A share of the maximum, which is the parameter, and the rest of the mean.
    Mixed,
    /// As [`Mixed`](Self::Mixed), the share being the sigmoid of the values weighted by the parameters, one for each tap.
    Gated,
    /// The sum of the positive values, each weighted by its share of it.
    Expected,
    /// `ln(mean(exp(r x))) / r`, with `r` as the parameter; at 0 the mean.
    LogSumExp,
    /// The sum of the values, each weighted by the softmax over the window.
    Softmax,
    /// `mean(max(x, least)^p)^(1/p)`, with `p` as the parameter.
    PowerMean { least: f32 },
    /// The sum of `|x|^p` to the `1/p`; a window that reaches outside as if it were full of its own mean.
    Norm { p: f32 },
}
