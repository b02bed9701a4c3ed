//! Networks out and in: what is written is read again as the same network, and what is no such network is refused.
//!
//! `tests/exchange/check.py` compares the files with PyTorch, Keras and ONNX Runtime themselves.

#![cfg(all(feature = "exchange", feature = "flex"))]

use burn::module::Module;
use burn::tensor::{Distribution, Tensor};
use burn_pooling::backend::Flex;
use burn_pooling::exchange::{ExchangeError, Export, Import, Layout, Structure};
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::pooling::{Activation, ConvPool2dConfig, Pool2dConfig};
use proptest::prelude::*;

type Network = PoolingCnn<Flex>;

/// Every format in which a network is written and read, with the reader that its file gets.
const FORMATS: [&str; 6] = ["onnx", "keras", "burn", "pytorch", "layout keras", "keras weights"];

fn network(config: &PoolingCnnConfig) -> Network {
    let network = config.init::<Flex>(&Default::default()).unwrap();
    // Not zeros: a bias that goes astray is to be seen.
    network.map(&mut Shaken)
}

/// Adds noise to every weight; the running variance stays positive.
struct Shaken;

impl burn::module::ModuleMapper<Flex> for Shaken {
    fn map_float<const D: usize>(
        &mut self, param: burn::module::Param<Tensor<Flex, D>>,
    ) -> burn::module::Param<Tensor<Flex, D>> {
        param.map(|values| {
            let noise = Tensor::random(values.dims(), Distribution::Uniform(0.0, 0.1), &values.device());
            values + noise
        })
    }
}

fn read(export: &Export, format: &str) -> Result<Import, ExchangeError> {
    let path = "network.onnx".as_ref();
    match format {
        "onnx" => Import::read(path, &export.onnx(false)?),
        "keras" => Import::read(path, &export.keras()?),
        "burn" => Import::read(path, &export.safetensors(Layout::Burn)?),
        "pytorch" => Import::read(path, &export.safetensors(Layout::PyTorch)?),
        "layout keras" => Import::read(path, &export.safetensors(Layout::Keras)?),
        _ => Import::read(path, &weights_of_keras(&export.keras()?)),
    }
}

/// The HDF5 file within a `.keras` file, in which nothing is compressed.
fn weights_of_keras(archive: &[u8]) -> Vec<u8> {
    let start = archive.windows(4).position(|bytes| bytes == b"\x89HDF").unwrap();
    archive[start..].to_vec()
}

/// The largest difference of the logits of two networks on some images.
fn difference(config: &PoolingCnnConfig, one: &Network, other: &Network) -> f32 {
    let [height, width] = config.image_size;
    let shape = [3, config.channels, height, width];
    let images = Tensor::random(shape, Distribution::Uniform(0.0, 1.0), &Default::default());
    (one.forward(images.clone()) - other.forward(images)).abs().max().into_scalar()
}

fn structure(config: &PoolingCnnConfig) -> Structure {
    Structure { network: config.clone(), ..Structure::new(Variant::Max) }
}

#[test]
fn every_variant_comes_back_from_every_format() {
    for variant in Variant::ALL {
        let config = PoolingCnnConfig::new(variant);
        let network = network(&config);
        let export = Export::of(&config, &network).unwrap();
        for format in FORMATS {
            let imported = read(&export, format).unwrap().fit(&Structure::new(variant)).unwrap();
            assert_eq!(imported.config(), &config, "{variant} {format}");
            let again = imported.network(&Default::default()).unwrap();
            assert_eq!(difference(&config, &network, &again), 0.0, "{variant} {format}");
        }
    }
}

/// Stages that these four networks do not have: what a configuration can say, ONNX and Keras can.
#[test]
fn every_kind_of_stage_comes_back_from_the_formats_that_describe_it() {
    let conv = ConvPool2dConfig::new(5, [3, 2]);
    let odd = Pool2dConfig::Max { kernel_size: [3, 2], stride: [2, 1] };
    let stages = [
        vec![conv.with_batch_norm(true).with_padding([1, 2]).with_stride([1, 2]).with_pool(Some(odd))],
        vec![conv.with_activation(Activation::Gelu).average_pool(2), conv.with_activation(Activation::Tanh)],
        vec![conv.with_activation(Activation::Sigmoid).blurred_max_pool(), conv.with_activation(Activation::Identity)],
        vec![conv.with_batch_norm(true), conv.with_padding([2, 1]).global_average_pool()],
    ];
    for stages in stages {
        let config = PoolingCnnConfig::new(Variant::Max).with_stages(stages).with_channels(3).with_image_size([19, 23]);
        let network = network(&config);
        let export = Export::of(&config, &network).unwrap();
        for format in ["onnx", "keras"] {
            let imported = read(&export, format).unwrap().fit(&structure(&config)).unwrap();
            assert_eq!(imported.config().stages, config.stages, "{format}");
            let again = imported.network(&Default::default()).unwrap();
            assert!(difference(&config, &network, &again) < 1e-5, "{format}: {:?}", config.stages);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Sizes that a file does not name are those of its weights.
    #[test]
    fn sizes_come_from_the_weights(
        variant in prop::sample::select(Variant::ALL.to_vec()), channels in 1..4_usize, filters in 1..9_usize,
        units in 2..20_usize, classes in 2..8_usize, kernel in prop::sample::select(vec![1, 3, 5]),
        format in prop::sample::select(FORMATS.to_vec()), padded in any::<bool>(),
    ) {
        let mut config = PoolingCnnConfig::new(variant).with_image_size([22, 26]).with_hidden_units(units)
            .with_channels(channels).with_classes(classes).with_filters(filters);
        for stage in &mut config.stages {
            stage.kernel_size = [kernel; 2];
            stage.padding = if padded && !variant.is_global() { [kernel / 2; 2] } else { [0, 0] };
        }
        let network = network(&config);
        let wanted = PoolingCnnConfig::new(variant).with_image_size([22, 26]).with_channels(channels).with_classes(classes);
        let import = read(&Export::of(&config, &network).unwrap(), format).unwrap();
        let written = match format { "burn" => Layout::Burn, "pytorch" => Layout::PyTorch, _ => Layout::Keras };
        let mut asked = structure(&wanted);
        let imported = loop {
            match import.fit(&asked) {
                // Squares, and as many features with other paddings: told apart only by who knows.
                Err(ExchangeError::Layout(layouts)) if asked.layout.is_none() => {
                    prop_assert!(layouts.contains(&written));
                    asked.layout = Some(written);
                }
                Err(ExchangeError::Stages(stages)) if asked.padding.is_empty() => {
                    prop_assert!(stages.contains(&config.stages));
                    asked.padding = config.stages.iter().map(|stage| stage.padding).collect();
                }
                result => break result,
            }
        };
        let imported = imported.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(imported.config(), &config);
        prop_assert_eq!(difference(&config, &network, &imported.network(&Default::default()).unwrap()), 0.0);
    }
}

/// A square matrix that is not transposed would load, and classify as if by chance.
#[test]
fn a_layout_that_the_shapes_leave_open_is_asked_for() {
    let config = PoolingCnnConfig::new(Variant::GlobalMax).with_filters(10).with_hidden_units(10);
    let network = network(&config);
    let export = Export::of(&config, &network).unwrap();
    let import = read(&export, "pytorch").unwrap();
    let error = import.fit(&Structure::new(Variant::GlobalMax)).unwrap_err();
    assert!(matches!(&error, ExchangeError::Layout(layouts) if layouts == &[Layout::PyTorch, Layout::Burn]), "{error}");
    let known = Structure { layout: Some(Layout::PyTorch), ..Structure::new(Variant::GlobalMax) };
    let again = import.fit(&known).unwrap().network(&Default::default()).unwrap();
    assert_eq!(difference(&config, &network, &again), 0.0);
}

/// Part of the first convolution, or before it where zeros stand around the normalised image.
#[test]
fn normalisation_becomes_part_of_the_network() {
    for padding in [[0, 0], [1, 2]] {
        let mut config = PoolingCnnConfig::new(Variant::Average).with_channels(2);
        config.stages[0].padding = padding;
        let network = network(&config);
        let imported = read(&Export::of(&config, &network).unwrap(), "onnx").unwrap().fit(&structure(&config)).unwrap();
        let (mean, deviation) = ([0.2, 0.4], [0.5, 0.25]);
        let own = imported.with_normalisation(&mean, &deviation).unwrap().network::<Flex>(&Default::default()).unwrap();
        let images = Tensor::<Flex, 4>::random([2, 2, 28, 28], Distribution::Uniform(0.0, 1.0), &Default::default());
        let of_channel =
            |values: [f32; 2]| Tensor::<Flex, 1>::from_floats(values, &Default::default()).reshape([1, 2, 1, 1]);
        let normalised = (images.clone() - of_channel(mean)) / of_channel(deviation);
        let logits = network.forward(normalised);
        let largest = logits.clone().abs().max().into_scalar();
        let difference = (logits - own.forward(images)).abs().max().into_scalar();
        assert!(difference < 1e-5 * largest, "{difference} of {largest}");
    }
}

#[test]
fn another_network_is_refused_with_what_was_found() {
    let config = PoolingCnnConfig::new(Variant::Max);
    let export = Export::of(&config, &network(&config)).unwrap();
    let refused =
        |format: &str, structure: &Structure| read(&export, format).unwrap().fit(structure).unwrap_err().to_string();
    for format in FORMATS {
        let error = refused(format, &Structure::new(Variant::GlobalMax));
        assert!(error.starts_with("expected") && error.contains("found"), "{format}: {error}");
        if format == "layout keras" {
            continue; // nothing says that it is Keras': what does not fit is told of PyTorch's layout
        }
        let colour = PoolingCnnConfig::new(Variant::Max).with_channels(2);
        assert!(refused(format, &structure(&colour)).contains("convolution of 2 channels"), "{format}");
        let letters = PoolingCnnConfig::new(Variant::Max).with_classes(26);
        assert!(refused(format, &structure(&letters)).contains("26 classes"), "{format}");
        let large = PoolingCnnConfig::new(Variant::Max).with_image_size([32, 32]);
        let error = refused(format, &structure(&large));
        assert!(error.contains("1152 inputs") && error.contains("32x32"), "{format}: {error}");
    }
    let error = refused("onnx", &Structure::new(Variant::Average));
    assert!(error.contains("average pooling") && error.contains("max pooling"), "{error}");
}

/// What weights alone leave open is the variant's own; or the only one that fits; or asked for.
#[test]
fn padding_and_pooling_that_the_weights_leave_open() {
    let conv = ConvPool2dConfig::new(4, [5, 5]);
    let imported = |stages: Vec<ConvPool2dConfig>, structure: Structure| {
        let config = PoolingCnnConfig::new(Variant::Max).with_stages(stages);
        let export = Export::of(&config, &network(&config)).unwrap();
        let imported = read(&export, "pytorch").unwrap().fit(&structure);
        imported.map(|imported| (imported.config().stages.clone(), imported.is_described(), config.stages))
    };
    let max = || Structure::new(Variant::Max);
    // The variant's own; one that fits; one pooling behind two convolutions.
    let same = conv.with_padding([2, 2]).max_pool(2);
    for stages in [vec![conv.max_pool(2); 2], vec![same; 2], vec![conv, conv.max_pool(2)]] {
        let (found, is_described, expected) = imported(stages, max()).unwrap();
        assert_eq!(found, expected);
        assert!(!is_described);
    }
    // 5x5 features: with a padding of 2 before the first convolution, or of 1 before both.
    let uneven = vec![same, conv.max_pool(2)];
    let error = imported(uneven.clone(), max()).unwrap_err();
    assert!(matches!(&error, ExchangeError::Stages(all) if all.contains(&uneven)), "{error}");
    let known = Structure { padding: vec![[2, 2], [0, 0]], ..max() };
    assert_eq!(imported(uneven.clone(), known).unwrap().0, uneven);
}

/// Of a normalisation that belongs to no convolution nothing is lost in silence.
#[test]
fn a_normalisation_that_no_convolution_has_is_refused() {
    let conv = ConvPool2dConfig::new(4, [3, 3]);
    let stages = vec![conv.with_batch_norm(true).max_pool(2), conv.max_pool(2)];
    let config = PoolingCnnConfig::new(Variant::Max).with_stages(stages);
    let export = Export::of(&config, &network(&config)).unwrap();
    for format in ["pytorch", "burn", "keras weights"] {
        let error = read(&export, format).unwrap().fit(&Structure::new(Variant::Max)).unwrap_err().to_string();
        assert!(error.contains("batch normalisation"), "{format}: {error}");
    }
}

#[test]
fn a_tensor_without_values_is_refused() {
    let config = PoolingCnnConfig::new(Variant::GlobalMax);
    let file = Export::of(&config, &network(&config)).unwrap().safetensors(Layout::PyTorch).unwrap();
    let end = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(file[8..end].to_vec()).unwrap();
    let none = header.replacen("[32,1,3,3]", "[0,1,3,3] ", 1);
    assert_ne!(none, header);
    let broken = [&file[..8], none.as_bytes(), &file[end..]].concat();
    assert!(Import::safetensors(&broken).is_err());
}

/// A file that is cut off or has a wrong byte is an error, or another network, but never a panic.
#[test]
fn a_broken_file_is_an_error() {
    let config = PoolingCnnConfig::new(Variant::GlobalMax).with_filters(2).with_hidden_units(3);
    let export = Export::of(&config, &network(&config)).unwrap();
    let files = [export.onnx(true).unwrap(), export.keras().unwrap(), export.safetensors(Layout::PyTorch).unwrap()];
    for (index, file) in files.iter().enumerate() {
        let path = ["a.onnx", "a.keras", "a.safetensors"][index].as_ref();
        let import = |bytes: &[u8]| Import::read(path, bytes)?.fit(&Structure::new(Variant::GlobalMax));
        assert!(import(file).is_ok());
        for end in (0..file.len() - 1).step_by(file.len() / 200) {
            let _ = import(&file[..end]);
        }
        for place in (0..file.len()).step_by(7) {
            let mut broken = file.clone();
            broken[place] ^= 0x55;
            let _ = import(&broken);
        }
        assert!(import(&file[..file.len() / 2]).is_err(), "{index}");
    }
    let error = Import::read("notes.txt".as_ref(), b"no network").unwrap_err().to_string();
    assert!(error.contains("expected a file of PyTorch"), "{error}");
}
