//! `tract-check MODEL.onnx LOGITS.safetensors IMAGES.gz`: runs an exported network in tract on MNIST images, and compares its
//! logits with those that `burn-pooling evaluate --logits` wrote.

use std::error::Error;
use std::io::Read;
use std::{env, fs};

use flate2::read::GzDecoder;
use safetensors::SafeTensors;
use tract_onnx::prelude::*;

const IMAGES: usize = 10_000;
const BATCH_SIZE: usize = 500;
const LIMIT: f32 = 1e-4;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = env::args().skip(1).collect();
    let [model, logits, images] = &paths[..] else {
        return Err("expected a model, a file of logits and images".into());
    };
    let model = tract_onnx::onnx().model_for_path(model)?;
    let batch = f32::fact([BATCH_SIZE, 1, 28, 28]);
    let model = model.with_input_fact(0, batch.into())?.into_optimized()?.into_runnable()?;
    let mut found: Vec<f32> = Vec::new();
    for pixels in pixels(images)?.chunks(BATCH_SIZE * 784) {
        let input: Tensor = tract_ndarray::Array4::from_shape_vec((BATCH_SIZE, 1, 28, 28), pixels.to_vec())?.into();
        found.extend(model.run(tvec!(input.into()))?[0].to_plain_array_view::<f32>()?);
    }
    let file = fs::read(logits)?;
    let tensor = SafeTensors::deserialize(&file)?.tensor("logits")?;
    let expected =
        tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let differences: Vec<f32> = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).collect();
    let largest = differences.iter().copied().fold(0.0, f32::max);
    println!("tract: largest difference of logits {largest:.1e} over {IMAGES} images");
    // Not a number is no difference below the limit.
    match differences.len() == IMAGES * 10 && differences.iter().all(|&difference| difference < LIMIT) {
        true => Ok(()),
        false => Err(format!("expected {IMAGES} rows of 10 logits, and at most {LIMIT}").into()),
    }
}

/// Grey values 0 to 1 of the first images of an IDX file.
fn pixels(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path)?).read_to_end(&mut bytes)?;
    Ok(bytes[16..].iter().map(|&byte| f32::from(byte) / 255.0).collect())
}
