//! A trained run in an app of your own: loads it and classifies the first test images.
//!
//! ```text
//! cargo run --release -- --variant max --epochs 1 --out runs/first
//! cargo run --release --example classify -- runs/first
//! ```

use std::path::Path;

use anyhow::Context;
use burn::tensor::backend::Backend;
use burn_pooling::backend::Flex;
use burn_pooling::data::Data;
use burn_pooling::mnist::ImageSets;
use burn_pooling::run::load_run;

fn classify<B: Backend>(run: &Path, device: &B::Device) -> anyhow::Result<()> {
    let (config, model) = load_run::<B>(run, device)?;
    let sets = ImageSets::load(config.data.folder.as_deref())?;
    let batch = Data::<B, _>::gather(&sets.test, &[0, 1, 2, 3, 4], device); // inputs: [5, 1, height, width]
    let classes = model.probabilities(batch.inputs).argmax(1); // [5, 1]
    for (class, label) in classes.into_data().iter::<i64>().zip(batch.labels) {
        println!("predicted {class}, labelled {label}");
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let run = std::env::args().nth(1).context("expected the folder of a run")?;
    classify::<Flex>(Path::new(&run), &Default::default())
}
