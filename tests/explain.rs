//! The explanation of one image agrees with the network that it explains.
#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use burn::module::AutodiffModule;
use burn::tensor::{Tensor, TensorData};
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::explain::{Explanation, explain};
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::training::glorot_uniform;
use common::few_images;

type Network = PoolingCnn<Autodiff<Flex>>;

/// A network with random weights and biases, and the first test image.
fn network_and_image(variant: Variant) -> (Network, Tensor<Flex, 4>) {
    let network = PoolingCnnConfig::new(variant).init(&Default::default()).unwrap();
    (glorot_uniform(network, 7), few_images(1, 1).test.images(&[0], &Default::default()))
}

fn explained(variant: Variant) -> (Network, Tensor<Flex, 4>, Explanation) {
    let (network, image) = network_and_image(variant);
    let explanation = explain(&network, image.clone(), Some(3)).unwrap();
    (network, image, explanation)
}

fn numbers<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-4 * largest, "{what} at {index}: found {found}, expected {expected}");
    }
}

/// By how much the logit of class 3 grows with each feature while the same hidden units are active: the weights of the
/// output, through those of the active hidden units.
fn slopes(network: &PoolingCnn<Flex>, features: Tensor<Flex, 2>) -> Vec<f32> {
    let active = network.hidden.forward(features).greater_elem(0.0).float(); // [1, hidden units]
    let to_class = network.output.weight.val().narrow(1, 3, 1).transpose(); // [1, hidden units]
    numbers((active * to_class).matmul(network.hidden.weight.val().transpose()))
}

#[test]
fn stages_are_those_of_the_network_and_winners_hold_what_was_pooled() {
    for variant in Variant::ALL {
        let (network, image, explanation) = explained(variant);
        let network = network.valid();
        assert_eq!(explanation.image.values, numbers(image.clone()));
        assert_close(&explanation.probabilities, &numbers(network.probabilities(image.clone())), "probabilities");
        for (stage, output) in explanation.stages.iter().zip(network.stage_outputs(image)) {
            assert_eq!(stage.activation.values, numbers(output.activation));
            assert_eq!(stage.pooled.values, numbers(output.pooled));
            let Some(winners) = &stage.winners else { continue };
            let per_channel = stage.pooled.size.iter().product::<usize>();
            let channels = winners.chunks(per_channel).zip(stage.activation.iter());
            let won: Vec<f32> = channels.flat_map(|(winners, map)| winners.iter().map(|&place| map[place])).collect();
            assert_eq!(won, stage.pooled.values);
        }
        let has_winners = explanation.stages.iter().all(|stage| stage.winners.is_some());
        assert_eq!(has_winners, matches!(variant, Variant::Max | Variant::GlobalMax), "{variant}");
    }
}

/// Zhou et al. (2016), equation 2: the maps, weighted by what each says of the class, over the number of places.
#[test]
fn behind_global_average_pooling_the_relevance_is_the_class_activation_map() {
    let (network, image, explanation) = explained(Variant::GlobalAverage);
    let network = network.valid();
    let slopes = slopes(&network, network.features(image));
    let maps = &explanation.stages[0].activation;
    let places = maps.size.iter().product::<usize>();
    let expected: Vec<f32> = (0..places)
        .map(|place| slopes.iter().zip(maps.iter()).map(|(slope, map)| slope * map[place] / places as f32).sum())
        .collect();
    assert_close(&explanation.relevance.values, &expected, "class activation map");
}

#[test]
fn behind_global_max_pooling_only_the_winners_are_relevant() {
    let (network, image, explanation) = explained(Variant::GlobalMax);
    let network = network.valid();
    let slopes = slopes(&network, network.features(image));
    let stage = &explanation.stages[0];
    let mut expected = vec![0.0; stage.activation.size.iter().product()];
    let winners = stage.winners.as_ref().unwrap();
    for ((slope, value), &place) in slopes.iter().zip(&stage.pooled.values).zip(winners) {
        expected[place] += slope * value;
    }
    assert_close(&explanation.relevance.values, &expected, "winners");
}

/// Against differences: the logit with a pixel a little brighter less that with it a little darker.
#[test]
fn gradient_times_input_is_what_a_brighter_pixel_changes() {
    const STEP: f32 = 1e-3;
    for variant in Variant::ALL {
        let (network, image, explanation) = explained(variant);
        let (network, pixels) = (network.valid(), numbers(image));
        let logit = |pixel: usize, change: f32| {
            let mut changed = pixels.clone();
            changed[pixel] += change;
            let image = Tensor::from_data(TensorData::new(changed, [1, 1, 28, 28]), &Default::default());
            numbers(network.forward(image))[3]
        };
        let ink: Vec<usize> = (0..pixels.len()).filter(|&pixel| pixels[pixel] > 0.5).step_by(9).collect();
        let expected: Vec<f32> =
            ink.iter().map(|&at| pixels[at] * (logit(at, STEP) - logit(at, -STEP)) / (2.0 * STEP)).collect();
        let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        for (&pixel, expected) in ink.iter().zip(expected) {
            let found = explanation.gradient_times_input.values[pixel];
            assert!((found - expected).abs() <= 0.1 * largest, "{variant}, {pixel}: {found} against {expected}");
        }
    }
}

#[test]
fn an_image_that_the_network_does_not_take_is_an_error() {
    let (network, _) = network_and_image(Variant::Max);
    let error = explain(&network, Tensor::zeros([1, 1, 20, 28], &Default::default()), None).unwrap_err();
    assert!(error.to_string().contains("28"), "{error}");
    let (network, _) = network_and_image(Variant::GlobalMax);
    assert!(explain(&network, Tensor::zeros([1, 3, 28, 28], &Default::default()), None).is_err());
    let larger = explain(&network, Tensor::ones([1, 1, 40, 30], &Default::default()), None).unwrap();
    assert_eq!(larger.relevance.size, [38, 28]);
}
