//! Networks with another global pooling at their head: built, trained and stored like the four.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use burn::module::Module;
use burn::tensor::{Distribution, Tensor, Tolerance, backend::Backend};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::exchange::Export;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::pooling::{ConvPool2dConfig, Head, HeadPool2d, Pool2d, Pool2dConfig, WindowError};
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

/// The parameter of a head that learns one.
fn parameter<B: Backend>(pool: &Pool2d<B>) -> Option<Tensor<B, 1>> {
    match pool {
        Pool2d::Head(HeadPool2d::GeneralisedMean(layer)) => Some(layer.power.val()),
        Pool2d::Head(HeadPool2d::LogSumExp(layer)) => Some(layer.sharpness.val()),
        Pool2d::Head(HeadPool2d::Mixed(layer)) => Some(layer.share.val()),
        _ => None,
    }
}

/// Convolution and head as one operation give what Burn's operations give one after the other: values, and all gradients.
/// With few filters, whose vectors are not full, and with as many channels and filters as Winograd's algorithm takes.
#[test]
fn fused_and_composed_agree() {
    let device = Default::default();
    for &head in Head::ALL.iter().filter(|head| **head != Head::Stochastic) {
        for (channels, filters) in [(3, 8), (1, 40), (32, 32)] {
            let config = ConvPool2dConfig::new(filters, [3, 3]).head(head);
            let mut block = config.init::<Autodiff<Flex>>(channels, &device);
            let normal = Distribution::Normal(0.0, 1.0);
            let images = Tensor::<Flex, 4>::random([2, channels, 12, 11], normal, &device);
            let mut run = |fused: bool| {
                block.fused = fused;
                let images = Tensor::<Autodiff<Flex>, 4>::from_inner(images.clone()).require_grad();
                assert_eq!(block.is_fused_for(&images), fused);
                let output = block.forward(images.clone());
                assert_eq!(output.dims(), [2, head.outputs(filters), 1, 1]);
                let gradients = output.clone().powi_scalar(2).sum().backward();
                let of_weight = block.conv.weight.val().grad(&gradients).unwrap().into_data();
                let of_bias = block.conv.bias.as_ref().unwrap().val().grad(&gradients).unwrap().into_data();
                let of_parameter = block.pool.as_ref().and_then(parameter).map(|it| it.grad(&gradients).unwrap());
                let all = [output.into_data(), images.grad(&gradients).unwrap().into_data(), of_weight, of_bias];
                all.into_iter().chain(of_parameter.map(|gradient| gradient.into_data())).collect::<Vec<_>>()
            };
            for (fused, composed) in run(true).into_iter().zip(run(false)) {
                let scale = composed.iter::<f32>().fold(0.0, |largest: f32, value| largest.max(value.abs()));
                fused.assert_approx_eq::<f32>(&composed, Tolerance::absolute(2e-5 * scale));
            }
        }
    }
}

/// A pixel that is not a number reaches the output of its image alone, and every gradient of the filters.
#[test]
fn what_is_no_number_is_not_lost() {
    let device = Default::default();
    for &head in Head::ALL.iter().filter(|head| !matches!(head, Head::Stochastic | Head::Attention)) {
        let block = ConvPool2dConfig::new(8, [3, 3]).head(head).init::<Autodiff<Flex>>(1, &device);
        let images = Tensor::<Autodiff<Flex>, 4>::ones([2, 1, 6, 6], &device);
        let images = images.slice_assign([1..2, 0..1, 2..3, 2..3], Tensor::full([1, 1, 1, 1], f32::NAN, &device));
        let output = block.forward(images);
        let of_image = |image: usize| output.clone().narrow(0, image, 1).is_nan();
        assert!(!of_image(0).any().into_scalar() && of_image(1).all().into_scalar(), "{head}");
        let gradients = output.sum().backward();
        assert!(block.conv.weight.val().grad(&gradients).unwrap().is_nan().all().into_scalar(), "{head}");
    }
}

/// Fewer positions than are to count are an error, not a panic.
#[test]
fn a_map_too_small_for_the_largest_four_is_refused() {
    let device = Default::default();
    let block = ConvPool2dConfig::new(8, [3, 3]).head(Head::TopK).init::<Flex>(1, &device);
    let error = block.try_forward(Tensor::zeros([1, 1, 3, 5], &device)).unwrap_err();
    assert_eq!(error, WindowError::TopK { count: 4, values: 3 });
}

/// Every head learns, its own parameters included, and on any number of threads the same.
#[test]
fn every_head_learns() {
    let device = Default::default();
    let images = few_images(120, 10).train;
    for variant in heads() {
        let train = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                <Flex as burn::tensor::backend::Backend>::seed(&device, 1);
                let model = PoolingCnnConfig::new(variant).init::<Autodiff<Flex>>(&device).unwrap();
                let config = TrainingConfig {
                    epochs: 3,
                    batch_size: 25,
                    valid_size: 20,
                    learning_rate: 3e-3,
                    ..Default::default()
                };
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
