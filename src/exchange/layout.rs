//! The same weights in the layouts of several frameworks.
//!
//! A weight is a tensor of four axes: outputs, channels, height and width (1 where it has none). A layout is the order in
//! which a framework keeps them, and which of them it joins into one. So every conversion is one rearrangement.
//!
//! | weight | Burn, ONNX | PyTorch | Keras |
//! | --- | --- | --- | --- |
//! | convolution | `[out, in, height, width]` | the same | `[height, width, in, out]` |
//! | linear after flattening | `[channels height width, out]` | `[out, channels height width]` | `[height width channels, out]` |
//! | bias, normalisation | `[out]` | the same | the same |

use strum::{Display, EnumIter, EnumString};

/// An axis of a weight: an index into its [sizes](Weight::sizes).
type Axis = usize;
const OUT: Axis = 0;
const CHANNELS: Axis = 1;
const HEIGHT: Axis = 2;
const WIDTH: Axis = 3;

/// The order in which a framework keeps the axes of its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, EnumString, Display)]
#[strum(serialize_all = "lowercase")]
pub enum Layout {
    /// Burn's, and that of ONNX's `Conv` and `Gemm`.
    Burn,
    /// PyTorch's: linear weights are transposed.
    PyTorch,
    /// Keras', channels last.
    Keras,
}

/// What a weight is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A convolution's kernels.
    Convolution,
    /// The matrix of a linear layer.
    Linear,
    /// One number for each output.
    Vector,
}

/// A weight of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weight {
    /// Its path in the module, such as `stage1.conv.weight`.
    pub name: String,
    /// What it belongs to.
    pub kind: Kind,
    /// Outputs, channels, height, width.
    pub sizes: [usize; 4],
}

impl Weight {
    /// The axes in the order of a layout; those of one group are joined.
    fn groups(&self, layout: Layout) -> &'static [&'static [Axis]] {
        match (self.kind, layout) {
            (Kind::Convolution, Layout::Burn | Layout::PyTorch) => &[&[OUT], &[CHANNELS], &[HEIGHT], &[WIDTH]],
            (Kind::Convolution, Layout::Keras) => &[&[HEIGHT], &[WIDTH], &[CHANNELS], &[OUT]],
            (Kind::Linear, Layout::Burn) => &[&[CHANNELS, HEIGHT, WIDTH], &[OUT]],
            (Kind::Linear, Layout::PyTorch) => &[&[OUT], &[CHANNELS, HEIGHT, WIDTH]],
            (Kind::Linear, Layout::Keras) => &[&[HEIGHT, WIDTH, CHANNELS], &[OUT]],
            (Kind::Vector, _) => &[&[OUT]],
        }
    }

    /// Returns the number of its values.
    pub fn count(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Returns its shape in a layout.
    pub fn shape(&self, layout: Layout) -> Vec<usize> {
        self.groups(layout).iter().map(|group| group.iter().map(|&axis| self.sizes[axis]).product()).collect()
    }

    /// Returns the values of one layout in the order of another.
    ///
    /// # Panics
    /// If there are not as many values as the weight has.
    pub fn rearranged<T: Copy>(&self, values: &[T], from: Layout, to: Layout) -> Vec<T> {
        assert_eq!(values.len(), self.count(), "{}", self.name);
        let strides = self.strides(from);
        let order: Vec<Axis> = self.groups(to).concat();
        let mut places = vec![0];
        for axis in order {
            let steps = move |place: usize| (0..self.sizes[axis]).map(move |index| place + index * strides[axis]);
            places = places.into_iter().flat_map(steps).collect();
        }
        places.into_iter().map(|place| values[place]).collect()
    }

    /// How far apart neighbours along each axis are.
    fn strides(&self, layout: Layout) -> [usize; 4] {
        let mut strides = [0; 4];
        let mut stride = 1;
        for &axis in self.groups(layout).concat().iter().rev() {
            strides[axis] = stride;
            stride *= self.sizes[axis];
        }
        strides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(kind: Kind, sizes: [usize; 4]) -> Weight {
        Weight { name: "weight".to_owned(), kind, sizes }
    }

    #[test]
    fn shapes_are_those_of_the_frameworks() {
        let hidden = weight(Kind::Linear, [128, 32, 5, 5]);
        assert_eq!(hidden.shape(Layout::Burn), [800, 128]);
        assert_eq!(hidden.shape(Layout::PyTorch), [128, 800]);
        assert_eq!(hidden.shape(Layout::Keras), [800, 128]);
        let convolution = weight(Kind::Convolution, [32, 3, 5, 4]);
        assert_eq!(convolution.shape(Layout::Keras), [5, 4, 3, 32]);
    }

    #[test]
    fn a_linear_weight_is_transposed_for_pytorch_and_its_rows_are_reordered_for_keras() {
        // Two channels of 1x2, three outputs; in Burn a row for each of c0w0, c0w1, c1w0, c1w1.
        let linear = weight(Kind::Linear, [3, 2, 1, 2]);
        let burn: Vec<u8> = (0..12).collect();
        assert_eq!(linear.rearranged(&burn, Layout::Burn, Layout::PyTorch), [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
        assert_eq!(linear.rearranged(&burn, Layout::Burn, Layout::Keras), [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]);
    }

    #[test]
    fn there_and_back_is_the_same() {
        for kind in [Kind::Convolution, Kind::Linear] {
            let weight = weight(kind, [3, 4, 2, 5]);
            let values: Vec<usize> = (0..120).collect();
            for layout in [Layout::PyTorch, Layout::Keras] {
                let there = weight.rearranged(&values, Layout::Burn, layout);
                assert_eq!(weight.rearranged(&there, layout, Layout::Burn), values, "{layout:?}");
            }
        }
    }
}
