//! The cross-entropy on the host and as a tensor, with label smoothing and class weights, against PyTorch.

#![cfg(feature = "flex")]

use burn::tensor::{ElementConversion, Tensor};
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::loss::{CrossEntropy, CrossEntropyError, HostLoss, Logits, Loss};

type Backend = Autodiff<Flex>;

const LOGITS: [[f32; 3]; 3] = [[0.5, -2.0, 3.0], [1.0, 1.0, 1.0], [-9.0, 0.0, 3.0]];
const LABELS: [usize; 3] = [2, 0, 1];

/// Label smoothing, class weights, mean and gradient: `torch.nn.functional.cross_entropy` of PyTorch 2.15 in float64,
/// with `label_smoothing` and `weight`, and its `backward()`.
const REFERENCE: [(f32, &[f32], f64, [f64; 9]); 4] = [
    (
        0.0,
        &[],
        1.410_767_579_802_250_8,
        [
            0.025_129_583,
            0.002_062_762,
            -0.027_192_344,
            -0.222_222_22,
            0.111_111_11,
            0.111_111_11,
            1.951e-06,
            -0.317_524_8,
            0.317_522_85,
        ],
    ),
    (
        0.1,
        &[],
        1.560_767_579_802_251,
        [0.014_018_472, -0.009_048_349, -0.004_970_122, -0.2, 0.1, 0.1, -0.011_109_16, -0.295_302_58, 0.306_411_74],
    ),
    (
        0.0,
        &[0.5, 2.0],
        1.923_311_371_270_579_8,
        [
            0.021_539_642,
            0.001_768_082,
            -0.023_307_724,
            -0.095_238_095,
            0.047_619_048,
            0.047_619_048,
            3.344e-06,
            -0.544_328_23,
            0.544_324_89,
        ],
    ),
    (
        0.2,
        &[0.5, 2.0, 1.0],
        2.063_659_755_834_057,
        [
            0.012_733_821,
            -0.036_268_221,
            0.023_534_4,
            -0.063_492_063,
            0.022_222_222,
            0.041_269_841,
            -0.009_520_744,
            -0.470_396_12,
            0.479_916_86,
        ],
    ),
];

#[test]
fn both_ways_agree_with_pytorch() {
    for (smoothing, weights, mean, gradient) in REFERENCE {
        let loss = CrossEntropy::new().with_label_smoothing(smoothing).unwrap();
        let loss = loss.with_class_weights(weights.to_vec()).unwrap();
        let logits = Tensor::<Backend, 2>::from_floats(LOGITS, &Default::default()).require_grad();
        let on_host = Logits::read(logits.clone());
        let as_tensor = loss.forward(logits.clone(), &LABELS);
        let of_tensor = logits.grad(&as_tensor.clone().backward()).unwrap().into_data();
        let of_host = loss.gradient(&on_host, &LABELS);

        assert!((loss.mean(&on_host, &LABELS) - mean).abs() < 1e-6, "smoothing {smoothing}");
        let as_tensor: f64 = as_tensor.into_scalar().elem();
        assert!((as_tensor - mean).abs() < 1e-6, "{as_tensor} instead of {mean}");
        for found in [of_tensor, of_host] {
            for (found, expected) in found.iter::<f64>().zip(gradient) {
                assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
            }
        }
    }
}

/// By hand: two equal logits far above the third leave probability 1/2 each.
#[test]
fn the_mean_survives_large_logits_and_shows_what_is_not_finite() {
    let mean = |logits: [f32; 3], label| {
        let logits = Tensor::<Flex, 2>::from_floats([logits], &Default::default());
        CrossEntropy::new().mean(&Logits::read(logits), &[label])
    };
    assert!((mean([1e4, 1e4, 0.0], 0) - 2f64.ln()).abs() < 1e-12);
    assert!(mean([f32::NAN, 0.0, 0.0], 1).is_nan());
    assert!(!mean([f32::INFINITY, 0.0, 0.0], 1).is_finite());
}

#[test]
fn options_out_of_range_are_refused() {
    for smoothing in [-0.1, 1.0, f32::NAN] {
        let result = CrossEntropy::new().with_label_smoothing(smoothing);
        assert!(matches!(result, Err(CrossEntropyError::Smoothing(_))), "{smoothing}");
    }
    for weight in [-1.0, f32::INFINITY, f32::NAN] {
        let result = CrossEntropy::new().with_class_weights(vec![1.0, weight]);
        assert!(matches!(result, Err(CrossEntropyError::Weight(_))), "{weight}");
    }
}
