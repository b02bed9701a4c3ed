//! The logits of every test image, in a file for other programs.

use std::fs;
use std::path::Path;

use anyhow::Context;
use burn::tensor::backend::Backend;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::PoolingCnn;
use safetensors::{Dtype, tensor::TensorView};

/// Writes a safetensors file with the logits, `[images, classes]`, and the labels, `[images]`.
pub fn write_logits<B: Backend>(
    path: &Path, model: &PoolingCnn<B>, images: &ImageDataset, batch_size: usize, device: &B::Device,
) -> anyhow::Result<()> {
    let indices: Vec<usize> = (0..images.len()).collect();
    let mut logits: Vec<u8> = Vec::new();
    for batch in indices.chunks(batch_size) {
        let batch = model.forward(images.images(batch, device)).into_data(); // [batch, classes]
        logits.extend(batch.iter::<f32>().flat_map(f32::to_le_bytes));
    }
    let classes = logits.len() / 4 / images.len().max(1);
    let tensors = [
        ("logits", TensorView::new(Dtype::F32, vec![images.len(), classes], &logits)?),
        ("labels", TensorView::new(Dtype::U8, vec![images.len()], images.labels())?),
    ];
    let bytes = safetensors::serialize(tensors, None)?;
    fs::write(path, bytes).with_context(|| format!("{}: cannot be written", path.display()))
}
