//! `tract-check MODEL.onnx LOGITS.safetensors IMAGES.gz`: runs an exported network in tract on MNIST images, and compares its
//! logits with those that `burn-pooling evaluate --logits` wrote.

use std::env;
use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use safetensors::SafeTensors;
use tract_onnx::prelude::*;

const IMAGES: usize = 500;
const LIMIT: f32 = 1e-4;

fn main() -> TractResult<()> {
    let paths: Vec<String> = env::args().skip(1).collect();
    let [model, logits, images] = &paths[..] else { bail!("expected a model, a file of logits and images") };
    let model = tract_onnx::onnx().model_for_path(model)?;
    let model = model.with_input_fact(0, f32::fact([IMAGES, 1, 28, 28]).into())?.into_optimized()?.into_runnable()?;
    let input: Tensor = tract_ndarray::Array4::from_shape_vec((IMAGES, 1, 28, 28), pixels(images)?)?.into();
    let output = model.run(tvec!(input.into()))?;
    let file = fs::read(logits)?;
    let tensor = SafeTensors::deserialize(&file)?.tensor("logits")?;
    let expected = tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let found = output[0].to_array_view::<f32>()?;
    let largest = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    println!("tract: largest difference of logits {largest:.1e} over {IMAGES} images");
    ensure!(found.len() == IMAGES * 10 && largest < LIMIT, "expected at most {LIMIT}");
    Ok(())
}

/// Grey values 0 to 1 of the first images of an IDX file.
fn pixels(path: &str) -> TractResult<Vec<f32>> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(path)?).take(16 + IMAGES as u64 * 784).read_to_end(&mut bytes)?;
    Ok(bytes[16..].iter().map(|&byte| f32::from(byte) / 255.0).collect())
}
