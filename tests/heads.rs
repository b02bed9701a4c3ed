//! Networks with another global pooling at their head: built, trained and stored like the four.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use burn::module::Module;
use burn::tensor::{Distribution, Tensor};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::exchange::Export;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::pooling::{ConvPool2dConfig, Head, Pool2dConfig};
use burn_pooling::training::{Control, Learner, Training, TrainingConfig, fit, glorot_uniform};
use common::few_images;

fn heads() -> impl Iterator<Item = Variant> {
    Head::ALL.iter().copied().map(Variant::Head)
}

#[test]
fn names_are_parsed_and_stored() {
    for variant in Variant::with_heads() {
        assert_eq!(variant.name().parse(), Ok(variant));
        let json = serde_json::to_string(&variant).unwrap();
        assert_eq!(json, format!("\"{variant}\""));
        assert_eq!(serde_json::from_str::<Variant>(&json).unwrap(), variant);
        let config = PoolingCnnConfig::new(variant);
        let stored = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<PoolingCnnConfig>(&stored).unwrap(), config);
    }
    let error = "gmean".parse::<Variant>().unwrap_err().to_string();
    let names = "max, average, gmp, gap, gem, lse, lp, mixed, avgmax, concat, soft, stochastic, topk, attention";
    assert_eq!(error, format!("expected a variant ({names}), found 'gmean'"));
}

/// What the configuration says of a network before it is built.
#[test]
fn features_and_parameters_are_those_of_the_network() {
    let device = Default::default();
    for variant in heads() {
        let config = PoolingCnnConfig::new(variant);
        let network = config.init::<Flex>(&device).unwrap();
        assert_eq!(network.num_params() as u64, config.parameters().unwrap(), "{variant}");
        assert!(config.is_global() && network.image_size.is_none());
        for size in [[28, 28], [40, 33]] {
            let images = Tensor::<Flex, 4>::random([3, 1, size[0], size[1]], Distribution::Default, &device);
            assert_eq!(network.features(images.clone()).dims(), [3, config.features().unwrap()], "{variant}");
            assert_eq!(network.forward(images).dims(), [3, 10], "{variant}");
        }
    }
}

/// The convolution before the head is one operation, and gives what Burn's gives.
#[test]
fn fused_and_composed_agree() {
    let device = Default::default();
    for &head in Head::ALL.iter().filter(|head| **head != Head::Stochastic) {
        let mut block = ConvPool2dConfig::new(8, [3, 3]).head(head).init::<Autodiff<Flex>>(3, &device);
        let images = Tensor::<Flex, 4>::random([2, 3, 12, 11], Distribution::Normal(0.0, 1.0), &device);
        let mut run = |fused: bool| {
            block.fused = fused;
            let images = Tensor::<Autodiff<Flex>, 4>::from_inner(images.clone()).require_grad();
            assert_eq!(block.is_fused_for(&images), fused);
            let output = block.forward(images.clone());
            assert_eq!(output.dims(), [2, head.outputs(8), 1, 1]);
            let gradients = output.clone().powi_scalar(2).sum().backward();
            let of_weight = block.conv.weight.val().grad(&gradients).unwrap();
            [output.into_data(), images.grad(&gradients).unwrap().into_data(), of_weight.into_data()]
        };
        for (fused, composed) in run(true).into_iter().zip(run(false)) {
            fused.assert_approx_eq::<f32>(&composed, burn::tensor::Tolerance::rel_abs(1e-4, 1e-5));
        }
    }
}

/// Every head learns, its own parameters included, and on any number of threads the same.
#[test]
fn every_head_learns() {
    let device = Default::default();
    let images = few_images(300, 10).train;
    for variant in heads() {
        let train = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                <Flex as burn::tensor::backend::Backend>::seed(&device, 1);
                let model = PoolingCnnConfig::new(variant).init::<Autodiff<Flex>>(&device).unwrap();
                let config = TrainingConfig { epochs: 3, valid_size: 50, learning_rate: 3e-3, ..Default::default() };
                let mut learner = Learner::new(glorot_uniform(model, config.seed));
                fit(&mut learner, &images, &Training::new(config), &device, |_| Ok(Control::Continue)).unwrap();
                let losses: Vec<f64> = learner.history().iter().map(|epoch| epoch.train_loss).collect();
                losses
            })
        };
        let losses = train(1);
        assert!(losses[2] < losses[0], "{variant}: {losses:?}");
        if variant != Variant::Head(Head::Stochastic) {
            assert_eq!(losses, train(3), "{variant}");
        }
    }
}

/// Other frameworks have no such layer: an error says so, and what to do.
#[test]
fn a_head_is_not_exported() {
    let config = PoolingCnnConfig::new(Variant::Head(Head::GeneralisedMean));
    let network = config.init::<Flex>(&Default::default()).unwrap();
    assert_eq!(
        Export::of(&config, &network).unwrap_err().to_string(),
        "expected a pooling that other frameworks have as a layer, found 'gem'; take the weights of the run's \
         model.safetensors, and write the pooling in that framework"
    );
}

#[test]
fn a_pooling_is_named_by_its_head() {
    let pool = Pool2dConfig::Head(Head::Concatenated);
    assert_eq!(serde_json::to_string(&pool).unwrap(), r#"{"Head":"concat"}"#);
    assert!(pool.is_global());
    assert_eq!((pool.output_channels(32), pool.output_size([26, 26])), (64, Ok([1, 1])));
}
