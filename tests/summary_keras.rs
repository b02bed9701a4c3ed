//! The Keras style, letter for letter.

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::summary::{Style, Summary, Trace, TraceGrad};

/// What Keras 2 printed for the four networks.
const GOLDEN: [(Variant, &str); 4] = [
    (Variant::Max, include_str!("golden/keras/max.txt")),
    (Variant::Average, include_str!("golden/keras/average.txt")),
    (Variant::GlobalMax, include_str!("golden/keras/global-max.txt")),
    (Variant::GlobalAverage, include_str!("golden/keras/global-average.txt")),
];

#[test]
fn our_four_networks_print_as_in_keras() {
    for (variant, expected) in GOLDEN {
        let config = PoolingCnnConfig::new(variant);
        let training = Summary::try_of(
            |device| config.init::<TraceGrad>(device),
            [1, 1, 28, 28],
            |model, images| model.forward(images),
        )
        .unwrap();
        assert_eq!(training.styled(Style::Keras).to_string(), expected, "{variant}");

        let inference = Summary::try_of(
            |device| config.init::<Trace>(device),
            [128, 1, 28, 28],
            |model, images| model.forward(images),
        )
        .unwrap();
        assert_eq!(inference.styled(Style::Keras).to_string(), expected, "{variant}");
    }
}
