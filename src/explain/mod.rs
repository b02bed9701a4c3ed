//! What a network does with one image: the maps of every stage, and which places of the image speak for a class.
//!
//! ```
//! # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::explain::explain;
//! use burn_pooling::mnist::ImageSets;
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//!
//! let device = Default::default();
//! let network = PoolingCnnConfig::new(Variant::GlobalMax).init::<Autodiff<Flex>>(&device)?;
//! let image = ImageSets::load(None)?.test.images::<Flex>(&[0], &device); // [1, 1, 28, 28]
//! let explanation = explain(&network, image, None)?;
//!
//! let stage = &explanation.stages[0];
//! assert_eq!((stage.activation.size, stage.pooled.size), ([26, 26], [1, 1]));
//! // The maximum of the first filter's map, and where it is.
//! let winner = stage.winners.as_ref().unwrap()[0];
//! assert_eq!(stage.activation.values[winner], stage.pooled.values[0]);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "pictures")]
pub mod drawing;
mod maps;
#[cfg(feature = "pictures")]
pub mod panels;

pub use maps::Maps;

use burn::module::AutodiffModule;
use burn::tensor::{Tensor, activation::softmax, backend::AutodiffBackend};
use serde::{Deserialize, Serialize};

use crate::loss::Logits;
use crate::model::{ImageError, PoolingCnn};
use maps::winners;

/// One image on its way through a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The image as the network gets it, `[channels, height, width]`.
    pub image: Maps,
    /// The stages, in order.
    pub stages: Vec<StageMaps>,
    /// The probability of each class.
    pub probabilities: Vec<f32>,
    /// The class that the two maps below are about.
    pub class: usize,
    /// How much each place of the last stage's maps speaks for the class, `[1, height, width]`: activation times the
    /// gradient of the class's logit, summed over the channels. The logit is linear in the pooled values as long as the
    /// same hidden units are active, so these are its parts. Behind global average pooling it is the class activation map
    /// of Zhou et al., *Learning Deep Features for Discriminative Localization* (2016), through the active hidden units;
    /// behind global max pooling, only the place of each channel's maximum counts.
    pub relevance: Maps,
    /// How much each pixel speaks for the class, `[1, height, width]`: gradient times input, summed over the channels
    /// (Shrikumar et al., *Not Just a Black Box*, 2016).
    pub gradient_times_input: Maps,
}

/// The maps of one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageMaps {
    /// Before pooling, `[filters, height, width]`.
    pub activation: Maps,
    /// After pooling, `[filters, pooled height, pooled width]`; without pooling, the activation.
    pub pooled: Maps,
    /// Of a maximum, where in its channel each pooled value comes from: `row * width + column` of the first of the largest
    /// values, `[filters, pooled height, pooled width]`.
    pub winners: Option<Vec<usize>>,
}

/// Follows one image through the network; the maps of relevance are about `class`, or if it is `None`, the likeliest.
///
/// # Shapes
/// - image: `[1, channels, height, width]`, grey values 0 to 1
///
/// # Errors
/// [`ImageError`] if the network does not take the image.
///
/// # Panics
/// If the batch is empty, or there is no such class.
pub fn explain<B: AutodiffBackend>(
    network: &PoolingCnn<B>, image: Tensor<B::InnerBackend, 4>, class: Option<usize>,
) -> Result<Explanation, ImageError> {
    network.check_images(image.dims())?;
    let outputs = network.valid().stage_outputs(image.clone());
    let last = outputs.last().map_or(image.clone(), |output| output.activation.clone());
    let stages = network.stages().zip(outputs).map(|(stage, output)| {
        let activation = Maps::of(output.activation);
        let winners = stage.pool.as_ref().and_then(|pool| winners(pool, &activation));
        StageMaps { activation, pooled: Maps::of(output.pooled), winners }
    });
    let stages = stages.collect();

    let image = Tensor::<B, 4>::from_inner(image).require_grad();
    let logits = network.forward(image.clone());
    let probabilities: Vec<f32> = softmax(logits.clone().inner(), 1).into_data().iter::<f32>().collect();
    let likeliest = || Logits::read(logits.clone().inner()).predictions().next().unwrap_or_default();
    let class = class.unwrap_or_else(likeliest);
    let gradient_times_input = gradient_times_value(&image, logits, class).summed();

    let last = Tensor::<B, 4>::from_inner(last).require_grad();
    let pooled = network.stages().last().map_or(last.clone(), |stage| stage.pooled(last.clone()));
    let logits = network.logits_of_features(pooled.flatten(1, 3));
    let relevance = gradient_times_value(&last, logits, class).summed();
    Ok(Explanation { image: Maps::of(image.inner()), stages, probabilities, class, relevance, gradient_times_input })
}

/// Returns the values times the gradient of one class's logit with respect to them.
fn gradient_times_value<B: AutodiffBackend>(values: &Tensor<B, 4>, logits: Tensor<B, 2>, class: usize) -> Maps {
    let gradients = logits.narrow(1, class, 1).sum().backward();
    let inner = values.clone().inner();
    // Without a gradient the logit does not depend on the values.
    let gradient = values.grad(&gradients).unwrap_or_else(|| inner.zeros_like());
    Maps::of(inner * gradient)
}
