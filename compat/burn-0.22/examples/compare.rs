//! `compare RUN LOGITS`: whether a run's network predicts for MNIST's 10,000 test images what it does under Burn 0.21, whose
//! logits `burn-pooling evaluate RUN --logits LOGITS` wrote.

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use burn_pooling_compat::run::load_run;
use common::{CLASSES, class, logits, test_images};
use safetensors::SafeTensors;

const LIMIT: f32 = 1e-4;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [run, file] = &arguments[..] else { return Err("expected a run's folder and a file of logits".into()) };
    let (config, model) = load_run(Path::new(run), &Default::default())?;
    let found = logits(&model, &test_images());
    let bytes = fs::read(file)?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let values = tensors.tensor("logits")?.data().as_chunks::<4>().0;
    let expected: Vec<f32> = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    if expected.len() != found.len() {
        return Err(format!("expected {} logits, found {} in {file}", found.len(), expected.len()).into());
    }
    let largest = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    let pairs = found.chunks(CLASSES).zip(expected.chunks(CLASSES));
    let (images, equal) = (pairs.len(), pairs.filter(|(found, expected)| class(found) == class(expected)).count());
    let name = &config.model.name;
    println!("{name}: {equal} of {images} predictions are the same, largest difference of logits {largest:.1e}");
    if equal < images || !found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < LIMIT) {
        return Err(format!("expected the same predictions, and logits that differ by less than {LIMIT}").into());
    }
    Ok(())
}
