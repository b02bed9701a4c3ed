//! A step in burn-train's learner is a step of this crate's.

#![cfg(all(feature = "burn-train", feature = "flex", feature = "bundled-mnist"))]

use burn::data::dataloader::batcher::Batcher;
use burn::module::AutodiffModule;
use burn::optim::SgdConfig;
use burn::tensor::Tensor;
use burn_dataset::Dataset;
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::data::Data;
use burn_pooling::loss::CrossEntropy;
use burn_pooling::mnist::{ImageBatcher, ImageItem, ImageSets};
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::training::{Learner, glorot_uniform};
use burn_train::{InferenceStep, TrainStep};

type Network = PoolingCnn<Autodiff<Flex>>;

const LEARNING_RATE: f64 = 0.1;

#[test]
fn a_step_is_a_step_of_this_crates_learner() {
    let (device, indices) = (Default::default(), Vec::from_iter(0..32));
    let images = ImageSets::load(None).unwrap().train;
    let items = || indices.iter().map(|&index| images.get(index).unwrap()).collect();
    for variant in Variant::ALL {
        let network: Network = glorot_uniform(PoolingCnnConfig::new(variant).init(&device).unwrap(), 1);
        let mut learner = Learner::with_optimizer(network.clone(), SgdConfig::new().init());
        let loss = learner.step(images.gather(&indices, &device), LEARNING_RATE, &CrossEntropy::new()).unwrap();

        let step = TrainStep::step(&network, ImageBatcher.batch(items(), &device));
        let found: f32 = step.item.loss.into_scalar();
        assert!((f64::from(found) - loss).abs() < 1e-6, "{variant}: {found} {loss}");
        let inference = InferenceStep::step(&network.valid(), ImageBatcher.batch(items(), &device));
        assert_eq!(inference.output.into_data(), step.item.output.into_data());
        let mut optimizer = SgdConfig::new().init::<Autodiff<Flex>, Network>();
        let after = network.clone().optimize::<Autodiff<Flex>, _>(&mut optimizer, LEARNING_RATE, step.grads);
        let (change, distance) = (distance(&network, &after), distance(learner.model(), &after));
        assert!(distance < 1e-6 && change > 1e-3, "{variant}: {distance} {change}");
    }
}

/// The largest difference of two networks' logits on an image of one grey.
fn distance(one: &Network, other: &Network) -> f32 {
    let image = Tensor::full([1, 1, 28, 28], 0.5, &Default::default());
    (one.forward(image.clone()) - other.forward(image)).abs().max().into_scalar()
}

#[test]
#[should_panic(expected = "expected images of [1, 2, 2], found one of [1, 1, 4]; resize them")]
fn images_of_several_shapes_are_no_batch() {
    let item = |size| ImageItem { pixels: vec![0; 4], channels: 1, size, label: 0 };
    let items = vec![item([2, 2]), item([1, 4])];
    Batcher::<Flex, _, _>::batch(&ImageBatcher, items, &Default::default());
}
