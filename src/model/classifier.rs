//! What training and evaluation need of a model.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

/// A module that computes logits from a batch of inputs of any kind.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Tensor, backend::Backend};
/// use burn_pooling::model::Classifier;
///
/// #[derive(Module, Debug)]
/// struct Iris<B: Backend> {
///     output: Linear<B>,
/// }
///
/// impl<B: Backend> Classifier<B> for Iris<B> {
///     type Input = Tensor<B, 2>; // [batch, 4]
///
///     fn logits(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
///         self.output.forward(input)
///     }
/// }
///
/// let device = Default::default();
/// let model = Iris::<burn_flex::Flex> { output: LinearConfig::new(4, 3).init(&device) };
/// assert_eq!(model.logits(Tensor::zeros([5, 4], &device)).dims(), [5, 3]);
/// # }
/// ```
pub trait Classifier<B: Backend>: Module<B> {
    /// A batch of inputs, such as `Tensor<B, 4>` for images.
    type Input;

    /// Returns the logits: the larger, the likelier the class.
    ///
    /// # Shapes
    /// - output: `[batch, classes]`
    fn logits(&self, input: Self::Input) -> Tensor<B, 2>;
}
