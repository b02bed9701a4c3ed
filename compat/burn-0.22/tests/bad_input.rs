//! Files and images that are not what they should be: an error that tells what to do, and no panic.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use burn_pooling_compat::pooling::{GlobalAvgPool2d, GlobalMaxPool2d};
use burn_pooling_compat::run::{LoadError, WeightsError, load_run};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

fn run(name: &str) -> PathBuf {
    Path::new("../runs").join(name)
}

fn config(name: &str) -> Value {
    serde_json::from_slice(&fs::read(run(name).join("config.json")).unwrap()).unwrap()
}

fn weights(name: &str) -> Vec<u8> {
    fs::read(run(name).join("model.safetensors")).unwrap()
}

/// Loads a run of these files.
fn load(test: &str, config: &str, weights: &[u8]) -> Result<(), LoadError> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.json"), config).unwrap();
    fs::write(folder.join("model.safetensors"), weights).unwrap();
    load_run(&folder, &Device::default()).map(|_| ()).inspect_err(|error| assert_helps(&error.to_string()))
}

/// What was expected, what was found, and a remedy.
fn assert_helps(message: &str) {
    assert!(["expected", ", found", "; "].iter().all(|part| message.contains(part)), "{message}");
}

/// The configuration of `mixed` with another value, or one more, at a place.
fn changed(place: &str, value: &Value) -> String {
    let mut config = config("mixed");
    let (parent, key) = place.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[key] = value.clone();
    config.to_string()
}

#[test]
fn a_folder_without_the_files_is_no_run() {
    let error = load_run(Path::new("../runs"), &Device::default()).unwrap_err();
    assert_helps(&error.to_string());
    assert!(matches!(error, LoadError::Read { .. }), "{error}");
}

#[test]
fn what_the_crate_does_not_know_is_never_left_out() {
    for (place, value) in [
        ("/model/dropout", json!(0.5)),
        ("/model/stages/0/dilation", json!([2, 2])),
        ("/model/stages/0/pool", json!("Median")),
        ("/model/stages/3/pool/Max/ceil_mode", json!(true)),
        ("/model/stages/0/activation", json!("relu6")),
        ("/model/stages/0/stride", json!([-1, 1])),
        ("/model/stages/0/padding", json!(1)),
        ("/model", json!({ "variant": "gmp", "filters": 32 })),
    ] {
        let error = load("unknown", &changed(place, &value), &weights("mixed")).unwrap_err();
        assert!(matches!(error, LoadError::Json { .. }), "{place}: {error}");
    }
    let error = load("unknown", "{", &weights("mixed")).unwrap_err();
    assert!(matches!(error, LoadError::Json { .. }), "{error}");
}

#[test]
fn numbers_that_make_no_network_or_another_one_are_errors() {
    const PLACES: [&str; 10] = [
        "channels",
        "hidden_units",
        "classes",
        "image_size",
        "stages/0/filters",
        "stages/0/kernel_size",
        "stages/0/stride",
        "stages/0/padding",
        "stages/2/pool/Average/kernel_size",
        "stages/2/pool/Average/stride",
    ];
    for place in PLACES.map(|place| format!("/model/{place}")) {
        let is_pair = config("mixed").pointer(&place).unwrap().is_array();
        for number in [0, 1 << 16, (1 << 16) + 1, u64::MAX] {
            let value = if is_pair { json!([number, number]) } else { json!(number) };
            let error = load("numbers", &changed(&place, &value), &weights("mixed")).unwrap_err();
            assert!(matches!(error, LoadError::Config { .. } | LoadError::Weights { .. }), "{place} {number}: {error}");
        }
    }
    let stage = config("mixed").pointer("/model/stages/0").cloned().unwrap();
    for count in [0, 5] {
        let error = load("numbers", &changed("/model/stages", &json!(vec![&stage; count])), &[]).unwrap_err();
        assert!(matches!(error, LoadError::Config { .. }), "{count}: {error}");
    }
}

#[test]
fn a_file_of_weights_that_was_cut_or_damaged_is_an_error() {
    let (config, whole) = (config("gap").to_string(), weights("gap"));
    assert!(load("damaged", &config, &whole).is_ok());
    for length in (0..whole.len()).step_by(499) {
        let error = load("damaged", &config, &whole[..length]).unwrap_err();
        assert!(matches!(error, LoadError::Weights { source: WeightsError::Format(_), .. }), "{length}: {error}");
    }
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    for place in 0..header {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        let _ = load("damaged", &config, &damaged); // blanks and metadata may change
    }
}

/// Loads `gap` with one tensor changed, or one removed and one added.
fn with_tensor(name: &str, dtype: Dtype, shape: &[usize], data: &[u8]) -> WeightsError {
    let bytes = weights("gap");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    tensors.insert(name.to_owned(), TensorView::new(dtype, shape.to_vec(), data).unwrap());
    let bytes = safetensors::serialize(tensors, None).unwrap();
    match load("tensor", &config("gap").to_string(), &bytes) {
        Err(LoadError::Weights { source, .. }) => source,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn tensors_that_are_not_the_networks_are_errors() {
    let bias = |value: f32| [value; 10].map(f32::to_le_bytes).concat();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = with_tensor("output.bias", Dtype::F32, &[10], &bias(value));
        assert!(matches!(error, WeightsError::NotFinite(_)), "{error}");
    }
    for (dtype, shape) in
        [(Dtype::I32, [10, 1].as_slice()), (Dtype::F32, &[10, 1]), (Dtype::I32, &[10]), (Dtype::F64, &[5])]
    {
        let error = with_tensor("output.bias", dtype, shape, &bias(1.0));
        assert!(matches!(error, WeightsError::Layout { .. }), "{error}");
    }
    let error = with_tensor("stage2.conv.bias", Dtype::F32, &[10], &bias(1.0));
    assert!(matches!(error, WeightsError::LeftOver(_)), "{error}");
    let error =
        load("missing", &config("gap").to_string(), &fs::read(run("gap").join("expected.safetensors")).unwrap());
    assert!(matches!(error, Err(LoadError::Weights { source: WeightsError::Missing(_), .. })), "{error:?}");
}

#[test]
fn images_that_a_network_does_not_take_are_errors() {
    let [max, gmp] = ["max", "gmp"].map(|name| load_run(&run(name), &Device::default()).unwrap().1);
    for (model, dims) in [(&max, [7, 1, 28, 28]), (&gmp, [7, 1, 28, 28]), (&gmp, [7, 1, 3, 400])] {
        assert_eq!(model.check_images(dims), Ok(()), "{dims:?}");
        let probabilities = model.probabilities(Tensor::ones(dims, &Device::default()));
        assert_eq!(probabilities.sum().into_scalar::<f32>().round(), 7.0, "{dims:?}");
    }
    let large = [1, 1, 1 << 17, 3];
    for (model, dims) in [(&max, [7, 1, 29, 28]), (&max, [7, 3, 28, 28]), (&gmp, [7, 1, 2, 400]), (&gmp, large)] {
        assert_helps(&model.check_images(dims).unwrap_err().to_string());
    }
}

#[test]
#[should_panic(expected = "expected maps of at least 1x1, found 0x5; use larger images")]
fn there_is_no_mean_of_nothing() {
    GlobalAvgPool2d::new().forward(Tensor::zeros([1, 2, 0, 5], &Device::default()));
}

#[test]
#[should_panic(expected = "expected maps of at least 1x1, found 5x0; use larger images")]
fn there_is_no_maximum_of_nothing() {
    GlobalMaxPool2d::new().forward(Tensor::zeros([1, 2, 5, 0], &Device::default()));
}
