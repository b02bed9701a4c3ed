//! What a page asks, and what the engine answers: JSON, with many numbers as base64.

use serde::{Deserialize, Serialize};

use super::numbers::{Bytes, Numbers};
use crate::explain::{Explanation, Maps};
use crate::picture::{Invert, Placement, Rectangle};
use crate::transform::Transform;

/// What a page asks of an [`Engine`](super::Engine).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The networks, their layers, and how far their training is.
    Describe,
    /// Some more steps of training of one network.
    Train {
        /// Which network, from 0.
        network: usize,
        /// Number of steps, at most [`MOST_STEPS`](super::MOST_STEPS).
        steps: usize,
    },
    /// A test image.
    TestImage {
        /// Which, from 0.
        index: usize,
    },
    /// A PNG or JPEG picture, as an image for the networks.
    Prepare {
        /// The file.
        picture: Bytes,
        /// Whether black and white are exchanged.
        #[serde(default)]
        invert: Invert,
        /// How it is placed; by default as the engine's data set needs.
        #[serde(default)]
        placement: Option<Placement>,
    },
    /// What every network does with an image.
    Explain {
        /// The image's pixels, `[channel, row, column]`.
        pixels: Bytes,
        /// The class that the maps of relevance are about; by default, each network's answer.
        #[serde(default)]
        class: Option<usize>,
    },
    /// What every network says of an image that is changed in several ways.
    Survey {
        /// The image's pixels.
        pixels: Bytes,
        /// The changes, at most [`MOST_CHANGES`](super::MOST_CHANGES).
        changes: Vec<Change>,
    },
    /// How long a network takes for one image.
    Measure {
        /// Which network, from 0.
        network: usize,
    },
}

/// A change of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Moved, rotated, scaled.
    pub transform: Transform,
    /// Standard deviation of normal noise, in shares of the distance from black to white; the same at every call.
    pub noise: f64,
}

/// What an [`Engine`](super::Engine) answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::Describe`].
    Described {
        /// The networks, in order.
        networks: Vec<Network>,
        /// Number of test images.
        test_images: usize,
        /// Channels, height and width of the images.
        image: [usize; 3],
        /// Number of classes.
        classes: usize,
        /// How pictures are placed.
        placement: Placement,
    },
    /// To [`Request::Train`].
    Trained {
        /// Which network.
        network: usize,
        /// Images trained on so far.
        images: usize,
        /// Figures on validation images after the steps.
        figures: Figures,
    },
    /// To [`Request::TestImage`] and [`Request::Prepare`].
    Image {
        /// The pixels, `[channel, row, column]`.
        pixels: Bytes,
        /// The class, of a test image.
        label: Option<usize>,
        /// Whether black and white were exchanged.
        inverted: bool,
        /// Where on the picture the ink is.
        ink: Option<Rectangle>,
    },
    /// To [`Request::Explain`]: of each network.
    Explained {
        /// In the order of the networks.
        networks: Vec<Explained>,
    },
    /// To [`Request::Survey`].
    Surveyed {
        /// The changed images.
        images: Vec<Bytes>,
        /// Of each network, the probabilities of each image, `[image, class]`.
        networks: Vec<Numbers>,
    },
    /// To [`Request::Measure`].
    Measured {
        /// Median over several calls, in microseconds.
        microseconds: f64,
    },
    /// The request cannot be answered.
    Failed {
        /// Why, with what to do.
        error: String,
    },
}

/// A network as the page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The variant's name, or the run's.
    pub name: String,
    /// The layers, as in the summary.
    pub layers: Vec<Layer>,
    /// The pooling of each stage.
    pub poolings: Vec<Option<crate::pooling::Pool2dConfig>>,
    /// Number of parameters.
    pub parameters: usize,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
    /// Peak activation memory for one image, in bytes.
    pub memory: usize,
    /// How far the training is; `None` for a saved run.
    pub progress: Option<Progress>,
}

/// A layer or operation of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Path in the network, such as `stage1.pool`.
    pub path: String,
    /// What it is, such as `MaxPool2d`.
    pub kind: String,
    /// The output's shape, without the batch: `[32, 13, 13]`.
    pub output: Vec<usize>,
    /// Number of parameters.
    pub parameters: usize,
}

/// How far the training of a network is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Images trained on so far.
    pub images: usize,
    /// Images of an epoch.
    pub epoch_images: usize,
    /// Figures on validation images, in order.
    pub curve: Vec<Figures>,
}

/// Loss and accuracy on validation images at a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Images trained on before.
    pub images: usize,
    /// Mean loss, in nats.
    pub loss: f64,
    /// Share of correct answers, 0 to 1.
    pub accuracy: f64,
}

/// What a network does with an image: [`Explanation`], with the numbers of the maps as base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// The probability of each class.
    pub probabilities: Vec<f32>,
    /// The class that the maps of relevance are about.
    pub class: usize,
    /// Which places of the last stage speak for it.
    pub relevance: Map,
    /// Which pixels speak for it.
    pub gradient_times_input: Map,
}

/// The maps of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Before pooling.
    pub activation: Map,
    /// After pooling.
    pub pooled: Map,
    /// Where each maximum comes from.
    pub winners: Option<Vec<usize>>,
}

/// [`Maps`] with their numbers as base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// Channels, height and width.
    pub shape: [usize; 3],
    /// The values, `[channel, row, column]`.
    pub values: Numbers,
}

impl From<Maps> for Map {
    fn from(Maps { channels, size: [height, width], values }: Maps) -> Self {
        Self { shape: [channels, height, width], values: Numbers(values) }
    }
}

impl From<Explanation> for Explained {
    fn from(explanation: Explanation) -> Self {
        let Explanation { stages, probabilities, class, relevance, gradient_times_input, .. } = explanation;
        let stage = |stage: crate::explain::StageMaps| Stage {
            activation: stage.activation.into(),
            pooled: stage.pooled.into(),
            winners: stage.winners,
        };
        Self {
            stages: stages.into_iter().map(stage).collect(),
            probabilities,
            class,
            relevance: relevance.into(),
            gradient_times_input: gradient_times_input.into(),
        }
    }
}
