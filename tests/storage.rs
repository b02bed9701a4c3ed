//! Files of weights and checkpoints whose bytes are not what they should be: an error each, and no panic.

#![cfg(feature = "flex")]

use std::collections::HashMap;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::data::Batch;
use burn_pooling::loss::CrossEntropy;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::pooling::ConvPool2dConfig;
use burn_pooling::run::{read_weights, save_weights};
use burn_pooling::training::{AdamConfig, Learner, glorot_uniform};
use rmpv::Value;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// A network of few weights, with the running statistics of a normalisation.
fn network<B: burn::tensor::backend::Backend>() -> PoolingCnn<B> {
    let stage = ConvPool2dConfig::new(2, [3, 3]).with_batch_norm(true).max_pool(2);
    let config = PoolingCnnConfig::new(Variant::Max).with_stages(vec![stage]).with_image_size([6, 6]);
    glorot_uniform(config.with_hidden_units(3).with_classes(2).init(&Default::default()).unwrap(), 1)
}

type Tensors = HashMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// A file of weights with its tensors changed.
fn changed(change: impl FnOnce(&mut Tensors)) -> Vec<u8> {
    let bytes = save_weights(&network::<Flex>());
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let owned = |(name, tensor): (String, TensorView<'_>)| {
        (name, (tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec()))
    };
    let mut tensors: Tensors = file.tensors().into_iter().map(owned).collect();
    change(&mut tensors);
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

const BIAS: &str = "output.bias";

#[test]
fn weights_come_back_as_they_were_saved() {
    let model = network::<Flex>();
    let bytes = save_weights(&model);
    assert_eq!(save_weights(&read_weights(network::<Flex>(), &bytes).unwrap()), bytes);
}

#[test]
fn weights_of_half_and_of_double_precision_are_converted() {
    let values = [0.5_f32, -1.25];
    let halves = [0x3800_u16, 0xbd00].map(u16::to_le_bytes).concat();
    let brain = values.map(|value| (value.to_bits() >> 16) as u16).map(u16::to_le_bytes).concat();
    let doubles = values.map(|value| f64::from(value).to_le_bytes()).concat();
    for (dtype, data) in [(Dtype::F16, halves), (Dtype::BF16, brain), (Dtype::F64, doubles)] {
        let file = changed(|tensors| {
            tensors.insert(BIAS.to_owned(), (dtype, vec![2], data));
        });
        let model = read_weights(network::<Flex>(), &file).unwrap();
        let bias = model.output.bias.as_ref().unwrap().val().into_data();
        assert_eq!(bias.to_vec::<f32>().unwrap(), values, "{dtype:?}");
        model.forward(Tensor::zeros([1, 1, 6, 6], &Default::default()));
    }
}

#[test]
fn weights_of_another_type_shape_or_name_are_refused_and_harm_nothing() {
    let bytes = |value: f32| value.to_le_bytes();
    for (name, dtype, shape, data, expected) in [
        (BIAS, Dtype::I32, vec![2], vec![0_u8; 8], "dtype I32"),
        (BIAS, Dtype::U8, vec![2], vec![0; 2], "dtype U8"),
        (BIAS, Dtype::BOOL, vec![2], vec![1; 2], "dtype BOOL"),
        (BIAS, Dtype::I64, vec![2], vec![0; 16], "dtype I64"),
        (BIAS, Dtype::F32, vec![1, 2], vec![0; 8], "shape [1, 2]"),
        (BIAS, Dtype::F32, vec![0], vec![], "shape [0]"),
        (BIAS, Dtype::F32, vec![2], [bytes(0.0), bytes(f32::NAN)].concat(), "not a number"),
        ("output.other", Dtype::F32, vec![1], vec![0; 4], "also output.other"),
    ] {
        let file = changed(|tensors| {
            tensors.insert(name.to_owned(), (dtype, shape, data));
        });
        // As often as it took for the memory to be corrupted, when the module was dropped twice.
        for _ in 0..20 {
            let error = read_weights(network::<Flex>(), &file).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(expected), "{expected}: {error}");
        }
    }
    let without = changed(|tensors| {
        tensors.remove(BIAS);
    });
    assert!(read_weights(network::<Flex>(), &without).unwrap_err().to_string().contains("no output.bias"));
}

#[test]
fn every_weight_that_is_infinite_or_no_number_is_found() {
    let names: Vec<String> = {
        let bytes = save_weights(&network::<Flex>());
        SafeTensors::deserialize(&bytes).unwrap().names().into_iter().map(str::to_owned).collect()
    };
    assert!(names.iter().any(|name| name.contains("running_var")), "{names:?}");
    for (name, value) in names.iter().zip([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().cycle()) {
        let file = changed(|tensors| {
            let data = &mut tensors.get_mut(name).unwrap().2;
            let last = data.len() - 4;
            data[last..].copy_from_slice(&value.to_le_bytes());
        });
        let error = read_weights(network::<Flex>(), &file).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(name.as_str()), "{error}");
    }
}

type Cnn = Autodiff<Flex>;

fn fresh() -> Learner<Cnn, PoolingCnn<Cnn>> {
    Learner::with_optimizer(network(), AdamConfig::new().init())
}

fn step(learner: &mut Learner<Cnn, PoolingCnn<Cnn>>) {
    let pixels = (0..72).map(|value| value as f32 / 72.0).collect();
    let inputs = Tensor::from_data(TensorData::new::<f32, _>(pixels, [2, 1, 6, 6]), &Default::default());
    learner.step(Batch { inputs, labels: vec![0, 1] }, 1e-3, &CrossEntropy::new()).unwrap();
}

/// A checkpoint after two steps.
fn checkpoint() -> Vec<u8> {
    let mut learner = fresh();
    step(&mut learner);
    step(&mut learner);
    learner.checkpoint()
}

fn error_of(checkpoint: Vec<u8>) -> Option<String> {
    let mut learner = match fresh().restore(checkpoint, &Default::default()) {
        Ok(learner) => learner,
        Err(error) => return Some(error.to_string()),
    };
    step(&mut learner);
    None
}

/// A checkpoint with one value, which a path of names and numbers leads to, replaced.
fn with(path: &[&str], value: Value) -> Vec<u8> {
    let mut root = rmpv::decode::read_value(&mut &checkpoint()[..]).unwrap();
    let mut place = &mut root;
    for name in path {
        let is_named = |(key, _): &(Value, Value)| *name == "*" || key.as_str() == Some(name);
        place = match place {
            Value::Map(entries) => {
                let index = entries.iter().position(is_named).expect("a field of that name");
                &mut entries[index].1
            }
            Value::Array(values) => &mut values[name.parse::<usize>().unwrap()],
            _ => panic!("nothing has {name}"),
        };
    }
    *place = value;
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &root).unwrap();
    bytes
}

#[test]
fn a_checkpoint_that_is_none_is_an_error_that_says_what_is_wrong() {
    const WEIGHT: [&str; 5] = ["item", "0", "output", "bias", "param"];
    let weight = |field: &'static str| [&WEIGHT[..], &[field]].concat();
    let state = |field: &'static str| vec!["item", "2", "*", "V1", "*", "moment_1", field];
    let list = |values: &[u64]| Value::Array(values.iter().map(|&value| value.into()).collect());
    let position = |text: &str| with(&["item", "3"], text.into());
    let counts = |step: usize, iterations: usize, confusion: &str, best_epoch: usize| {
        let tally = format!(r#"{{"loss_sum": 0, "confusion": {confusion}}}"#);
        position(&format!(
            r#"{{"step": {step}, "iterations": {iterations}, "tally": {tally}, "seconds": 0, "history": [],
                "best_epoch": {best_epoch}}}"#
        ))
    };
    assert_eq!((error_of(checkpoint()), error_of(counts(2, 2, "[[4]]", 0))), (None, None));
    for (bytes, expected) in [
        (with(&WEIGHT[..4], Value::Array(vec!["9lu987ilii8pe".into(), Value::Nil])), "a text in a list"),
        (with(&["item", "0", "output", "bias", "id"], "!".into()), "the parameter ID"),
        (with(&["item", "1", "output", "bias", "id"], "9lu987ilii8pe9lu987ilii8pe".into()), "the parameter ID"),
        (with(&weight("shape"), list(&[])), "of shape []"),
        (with(&weight("shape"), list(&[u64::MAX, 2])), "of shape"),
        (with(&weight("shape"), list(&[1, 2])), "of shape [1, 2]"),
        (with(&weight("shape"), list(&[1 << 40])), "8 bytes for a tensor of shape"),
        (with(&weight("dtype"), "I64".into()), "8 bytes for a tensor of shape"),
        (with(&weight("dtype"), "Q4".into()), "known dtype"),
        (with(&weight("bytes"), Value::Binary(f32::NAN.to_le_bytes().repeat(2))), "not a number"),
        (with(&weight("bytes"), list(&[1, 2])), "without bytes"),
        (with(&["item", "0", "output"], Value::Map(vec![(0.into(), 1.into())])), "a field named 0"),
        (with(&["item", "0", "output", "weight"], Value::Nil), "something else"),
        (with(&state("shape"), list(&[1, 1])), "shape"),
        (
            with(
                &["item", "2"],
                Value::Map(vec![("9lu987ilii8pe".into(), { Value::Map(vec![("V1".into(), Value::Map(vec![]))]) })]),
            ),
            "no parameter",
        ),
        (position("{}"), "missing field"),
        (counts(2, 2, "[]", 0), "position"),
        (counts(9, 2, "[[4]]", 0), "position"),
        (counts(2, 99_999_999_999, "[[4]]", 0), "position"),
        (counts(2, 2, "[[1], [1, 2]]", 0), "position"),
        (counts(2, 2, "[[4]]", 1), "position"),
        ([checkpoint(), vec![0]].concat(), "1 bytes after its end"),
        ([0x91_u8].repeat(100_000), "depth"),
        (vec![0xdd, 0xff, 0xff, 0xff, 0xff], "expected a checkpoint"),
    ] {
        let error = error_of(bytes).unwrap_or_default();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn no_flipped_bit_and_no_cut_makes_a_checkpoint_or_a_file_of_weights_panic() {
    let (checkpoint, weights) = (checkpoint(), save_weights(&network::<Flex>()));
    for position in 0..checkpoint.len().max(weights.len()) {
        for (whole, is_checkpoint) in [(&checkpoint, true), (&weights, false)] {
            if position >= whole.len() {
                continue;
            }
            let mut flipped = whole.clone();
            flipped[position] ^= 1 << (position % 8);
            for bytes in [flipped, whole[..position].to_vec()] {
                match is_checkpoint {
                    true => drop(error_of(bytes)),
                    false => drop(read_weights(network::<Flex>(), &bytes).map(|model| model.num_params())),
                }
            }
        }
    }
}
