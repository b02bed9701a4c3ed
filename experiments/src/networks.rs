//! The networks of the experiments, beside the library's four: configurations of the library's network.

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::pooling::{ConvPool2dConfig, Pool2dConfig};

/// The variants that pool whole channels.
pub const HEADS: [Variant; 2] = [Variant::GlobalMax, Variant::GlobalAverage];

/// The library's four.
pub fn variants() -> Vec<PoolingCnnConfig> {
    Variant::ALL.map(PoolingCnnConfig::new).to_vec()
}

/// The stage that all of them are made of, without its pooling: 32 filters of 3x3, and ReLU.
pub fn convolution() -> ConvPool2dConfig {
    ConvPool2dConfig::new(32, [3, 3])
}

/// Max pooling with square windows.
pub fn max_pool(kernel_size: usize, stride: usize) -> Pool2dConfig {
    Pool2dConfig::Max { kernel_size: [kernel_size; 2], stride: [stride; 2] }
}

/// These stages, with the linear layers of `max`.
pub fn of_stages(name: impl Into<String>, stages: impl Into<Vec<ConvPool2dConfig>>) -> PoolingCnnConfig {
    PoolingCnnConfig::new(Variant::Max).with_name(name).with_stages(stages)
}

/// Two convolutions and no pooling: twenty times the parameters of `max`, nearly all in the first linear layer.
pub fn without_pooling() -> PoolingCnnConfig {
    of_stages("none", [convolution(); 2])
}

/// Two convolutions of stride 2 in the place of pooling.
pub fn strided() -> PoolingCnnConfig {
    of_stages("strided", [convolution().with_stride([2, 2]); 2])
}

/// Every max pooling replaced by a convolution of the same window and stride, with ReLU (Springenberg et al. 2015): as
/// many features as `max`, two more convolutions.
pub fn all_convolutional() -> PoolingCnnConfig {
    let instead = ConvPool2dConfig::new(32, [2, 2]).with_stride([2, 2]);
    of_stages("all conv", [convolution(), instead, convolution(), instead])
}

/// Max pooling with anti-aliasing (Zhang 2019).
pub fn blurred() -> PoolingCnnConfig {
    of_stages("blur", [convolution().blurred_max_pool(); 2])
}

/// Two convolutions without any stride before the global pooling of `head`.
pub fn two_convolutions(head: Variant) -> PoolingCnnConfig {
    deeper(head, "2 conv", convolution())
}

/// As deep as `max`, with its first pooling of stride 2, but the global pooling of `head` in the place of the second.
pub fn two_convolutions_strided(head: Variant) -> PoolingCnnConfig {
    deeper(head, "2 conv stride 2", convolution().max_pool(2))
}

fn deeper(head: Variant, what: &str, first: ConvPool2dConfig) -> PoolingCnnConfig {
    let mut network = PoolingCnnConfig::new(head).with_name(format!("{head} {what}"));
    network.stages.insert(0, first);
    network
}

/// As many parameters as `max` (111,050 against 113,386): 160 filters, 640 hidden units.
pub fn widened(head: Variant) -> PoolingCnnConfig {
    PoolingCnnConfig::new(head).with_name(format!("{head} wide")).with_filters(160).with_hidden_units(640)
}

/// All networks that are trained on whole data sets, in the order in which they are shown.
pub fn all() -> Vec<PoolingCnnConfig> {
    let [max, average, gmp, gap] = Variant::ALL.map(PoolingCnnConfig::new);
    let mut networks = vec![max, average, without_pooling(), strided(), all_convolutional(), gmp, gap];
    for make in [two_convolutions_strided, two_convolutions, widened] {
        networks.extend(HEADS.map(make));
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by hand: 28x28 leaves 26, of which five windows of 5 see 25; then 3, of which one window of 2
    /// sees the first two, which saw windows 1 to 4, which saw rows 1 to 20, of which a kernel sees two more.
    #[test]
    fn what_a_stride_leaves_out_is_not_seen() {
        let stages = [convolution().max_pool(5), convolution().max_pool(2)];
        assert_eq!(of_stages("5/5", stages).seen(), Ok([22, 22]));
        let seen = |network: PoolingCnnConfig| network.with_image_size([36, 29]).seen().unwrap();
        assert_eq!(seen(PoolingCnnConfig::new(Variant::Max)), [34, 26]);
        assert_eq!(seen(strided()), [35, 27]);
        assert_eq!(seen(blurred()), [36, 29]);
        assert_eq!(seen(without_pooling()), [36, 29]);
        assert_eq!(seen(PoolingCnnConfig::new(Variant::GlobalMax)), [36, 29]);
    }

    #[test]
    fn a_convolution_in_the_place_of_pooling_leaves_as_many_features() {
        let max = PoolingCnnConfig::new(Variant::Max);
        assert_eq!(all_convolutional().features(), max.features());
    }
}
