//! Which network: stages, widths, image size.

use burn::nn::LinearConfig;
use burn::tensor::backend::Backend;
use burn_pooling::model::{PoolingCnn, Variant};
use burn_pooling::pooling::{ConvPool2dConfig, Pool2dConfig, WindowError};
use burn_pooling::training::glorot_uniform;
use serde::{Deserialize, Serialize};

use super::module::{Network, blur_config};

/// Height and width of the convolutions' kernels.
const KERNEL: [usize; 2] = [3, 3];
/// Number of classes.
const CLASSES: usize = 10;

/// How a stage makes its maps smaller after convolution and ReLU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Downsampling {
    /// Not at all.
    None,
    /// By a convolution that takes steps of this size.
    Stride(usize),
    /// By pooling.
    Pool(Pool2dConfig),
    /// The largest of each 2x2 window at stride 1, then a 3x3 binomial blur with stride 2 (Zhang 2019).
    BlurredMax,
}

impl Downsampling {
    /// Max pooling with square windows.
    pub fn max(window: usize, stride: usize) -> Self {
        Self::Pool(Pool2dConfig::Max { window: [window; 2], stride: [stride; 2] })
    }

    /// Average pooling with square windows.
    pub fn average(window: usize, stride: usize) -> Self {
        Self::Pool(Pool2dConfig::Average { window: [window; 2], stride: [stride; 2] })
    }

    /// The pooling that, fused with a convolution of stride 1, computes it (the blur apart): the fused block
    /// convolves only at the positions that a window of 1 keeps.
    pub(super) fn pool(self) -> Pool2dConfig {
        let [window, stride] = match self {
            Self::Pool(pool) => return pool,
            Self::None => [1, 1],
            Self::Stride(stride) => [1, stride],
            Self::BlurredMax => [2, 1],
        };
        Pool2dConfig::Max { window: [window; 2], stride: [stride; 2] }
    }
}

/// Global pooling, as the last stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The maximum of each channel.
    GlobalMax,
    /// The mean of each channel.
    GlobalAverage,
}

impl Head {
    /// Both.
    pub const ALL: [Self; 2] = [Self::GlobalMax, Self::GlobalAverage];

    /// The name of the library's variant: `gmp`, `gap`.
    pub fn name(self) -> &'static str {
        self.variant().name()
    }

    fn downsampling(self) -> Downsampling {
        Downsampling::Pool(match self {
            Self::GlobalMax => Pool2dConfig::GlobalMax,
            Self::GlobalAverage => Pool2dConfig::GlobalAverage,
        })
    }

    fn variant(self) -> Variant {
        match self {
            Self::GlobalMax => Variant::GlobalMax,
            Self::GlobalAverage => Variant::GlobalAverage,
        }
    }
}

/// A network that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// A kernel or window does not fit.
    Window {
        /// The network's name.
        network: String,
        /// What does not fit.
        source: WindowError,
    },
    /// Neither one stage nor two.
    Stages {
        /// The network's name.
        network: String,
        /// How many there are.
        found: usize,
    },
}

impl std::fmt::Display for NetworkError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Window { network, source } => write!(formatter, "{network}: {source}"),
            Self::Stages { network, found } => {
                write!(formatter, "{network}: expected one or two stages, found {found}")
            }
        }
    }
}

impl std::error::Error for NetworkError {}

/// Configuration of a [`Network`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// What tables and plots call it.
    pub name: String,
    /// One or two stages, each a 3x3 convolution with ReLU that ends in this.
    pub stages: Vec<Downsampling>,
    /// Height and width of the images; a network that ends in global pooling takes any other as well.
    pub image_size: [usize; 2],
    /// Filters of each convolution.
    pub filters: usize,
    /// Units of the hidden linear layer.
    pub hidden_units: usize,
}

impl NetworkConfig {
    /// The library's widths, for images of MNIST's size.
    pub fn new(name: impl Into<String>, stages: impl Into<Vec<Downsampling>>) -> Self {
        Self {
            name: name.into(),
            stages: stages.into(),
            image_size: [28, 28],
            filters: 32,
            hidden_units: 128,
        }
    }

    /// One of the library's four, weight for weight.
    pub fn variant(variant: Variant) -> Self {
        let name = variant.name();
        match variant {
            Variant::Max => Self::new(name, [Downsampling::max(2, 2); 2]),
            Variant::Average => Self::new(name, [Downsampling::average(2, 2); 2]),
            Variant::GlobalMax => Self::new(name, [Head::GlobalMax.downsampling()]),
            Variant::GlobalAverage => Self::new(name, [Head::GlobalAverage.downsampling()]),
        }
    }

    /// The library's four.
    pub fn variants() -> Vec<Self> {
        Variant::ALL.map(Self::variant).to_vec()
    }

    /// Two convolutions and no pooling: twenty times the parameters of `max`, nearly all in the first linear layer.
    pub fn without_pooling() -> Self {
        Self::new("none", [Downsampling::None; 2])
    }

    /// Two convolutions of stride 2 in the place of pooling.
    pub fn strided() -> Self {
        Self::new("strided", [Downsampling::Stride(2); 2])
    }

    /// Max pooling with anti-aliasing (Zhang 2019).
    pub fn blurred() -> Self {
        Self::new("blur", [Downsampling::BlurredMax; 2])
    }

    /// As deep as `max`, with its first pooling, but a global head in the place of the second.
    pub fn two_convolutions(head: Head) -> Self {
        let name = format!("{} 2 conv", head.name());
        Self::new(name, [Downsampling::max(2, 2), head.downsampling()])
    }

    /// As many parameters as `max` (111,050 against 113,386): 160 filters, 640 hidden units.
    pub fn widened(head: Head) -> Self {
        let name = format!("{} wide", head.name());
        Self { filters: 160, hidden_units: 640, ..Self::new(name, [head.downsampling()]) }
    }

    /// The same for images of another size.
    pub fn with_image_size(self, image_size: [usize; 2]) -> Self {
        Self { image_size, ..self }
    }

    /// Whether it pools whole channels, and so takes images of any size.
    pub fn is_global(&self) -> bool {
        let global = [Head::GlobalMax, Head::GlobalAverage].map(Head::downsampling);
        (self.stages.last()).is_some_and(|stage| global.contains(stage))
    }

    /// The network: weights Glorot-uniform by `seed` alone, biases zero.
    ///
    /// # Errors
    /// [`NetworkError`] if a window does not fit, or there are no or too many stages.
    pub fn init<B: Backend>(
        &self,
        seed: u64,
        device: &B::Device,
    ) -> Result<Network<B>, NetworkError> {
        let features = self.features()?;
        let mut stages = self.blocks().into_iter().map(|block| block.init(device));
        let cnn = PoolingCnn {
            stage1: stages.next().ok_or_else(|| self.stage_error())?,
            stage2: stages.next(),
            hidden: LinearConfig::new(features, self.hidden_units).init(device),
            output: LinearConfig::new(self.hidden_units, CLASSES).init(device),
            image_size: (!self.is_global()).then_some(self.image_size),
        };
        let blurs = |stage: usize| self.stages.get(stage) == Some(&Downsampling::BlurredMax);
        let network = Network { cnn, blurred: [0, 1].map(blurs) };
        Ok(glorot_uniform(network, seed))
    }

    /// Features that the stages hand to the linear layers.
    ///
    /// # Errors
    /// [`NetworkError`] if a window does not fit, or there are no or too many stages.
    pub fn features(&self) -> Result<usize, NetworkError> {
        if !(1..=2).contains(&self.stages.len()) {
            return Err(self.stage_error());
        }
        let fit = || -> Result<[usize; 2], WindowError> {
            let mut size = self.image_size;
            for (block, stage) in self.blocks().iter().zip(&self.stages) {
                size = block.output_size(size)?;
                if *stage == Downsampling::BlurredMax {
                    size = blur_config(self.filters).output_size(size)?;
                }
            }
            Ok(size)
        };
        let [height, width] =
            fit().map_err(|source| NetworkError::Window { network: self.name.clone(), source })?;
        Ok(self.filters * height * width)
    }

    /// Rows and columns of the image, counted from the top left, that the features depend on: where a stride does not
    /// divide the positions, the last pixels are left out.
    ///
    /// # Errors
    /// [`NetworkError`] if a window does not fit, or there are no or too many stages.
    pub fn seen(&self) -> Result<[usize; 2], NetworkError> {
        self.features()?;
        Ok([0, 1].map(|side| self.seen_along(side)))
    }

    fn seen_along(&self, side: usize) -> usize {
        let mut lengths = vec![self.image_size[side]];
        let mut layers = Vec::new();
        for stage in &self.stages {
            let (window, stride) = match stage.pool() {
                Pool2dConfig::Max { window, stride } | Pool2dConfig::Average { window, stride } => {
                    (window[side], stride[side])
                }
                Pool2dConfig::GlobalMax | Pool2dConfig::GlobalAverage => {
                    (lengths[lengths.len() - 1] + 1 - KERNEL[side], 1)
                }
            };
            let blur = (*stage == Downsampling::BlurredMax).then_some((3, 2, 1));
            let stage = [(KERNEL[side], 1, 0), (window, stride, 0)];
            for (window, stride, padding) in stage.into_iter().chain(blur) {
                let length = lengths[lengths.len() - 1] + 2 * padding;
                lengths.push((length - window) / stride + 1);
                layers.push((window, stride, padding));
            }
        }
        let mut seen = lengths.pop().unwrap_or(0);
        for ((window, stride, padding), length) in layers.into_iter().zip(lengths).rev() {
            seen = ((seen - 1) * stride + window - padding).min(length);
        }
        seen
    }

    fn stage_error(&self) -> NetworkError {
        NetworkError::Stages { network: self.name.clone(), found: self.stages.len() }
    }

    fn blocks(&self) -> Vec<ConvPool2dConfig> {
        let channels = [1, self.filters].map(|inputs| [inputs, self.filters]);
        (channels.into_iter().zip(&self.stages))
            .map(|(channels, stage)| ConvPool2dConfig::new(channels, KERNEL, stage.pool()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;
    use burn_flex::Flex;
    use burn_pooling::model::{Classifier, PoolingCnnConfig};

    use super::*;

    /// Expected values by hand: 28x28 leaves 26, of which five windows of 5 see 25; then 3, of which one window of 2
    /// sees the first two, which saw windows 1 to 4, which saw rows 1 to 20, of which a kernel sees two more.
    #[test]
    fn what_a_stride_leaves_out_is_not_seen() {
        let stages = [Downsampling::max(5, 5), Downsampling::max(2, 2)];
        assert_eq!(NetworkConfig::new("5/5", stages).seen(), Ok([22, 22]));
        let seen = |network: NetworkConfig| network.with_image_size([36, 29]).seen().unwrap();
        assert_eq!(seen(NetworkConfig::variant(Variant::Max)), [34, 26]);
        assert_eq!(seen(NetworkConfig::strided()), [35, 27]);
        assert_eq!(seen(NetworkConfig::blurred()), [36, 29]);
        assert_eq!(seen(NetworkConfig::without_pooling()), [36, 29]);
        assert_eq!(seen(NetworkConfig::variant(Variant::GlobalMax)), [36, 29]);
    }

    /// The library's own weights: `burn_pooling::training::glorot_uniform` of its own configuration.
    #[test]
    fn a_variant_is_the_librarys_weight_for_weight() {
        let device = Default::default();
        let images = Tensor::<Flex, 4>::ones([1, 1, 28, 28], &device);
        for variant in Variant::ALL {
            let config = PoolingCnnConfig::new(variant);
            let expected = glorot_uniform(config.init::<Flex>(&device).unwrap(), 7);
            let found = NetworkConfig::variant(variant).init::<Flex>(7, &device).unwrap();
            let [expected, found] =
                [expected.forward(images.clone()), found.logits(images.clone())]
                    .map(|logits| logits.into_data().to_vec::<f32>().unwrap());
            assert_eq!(found, expected, "{variant}");
        }
    }
}
