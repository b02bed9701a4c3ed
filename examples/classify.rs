//! A trained run in an app of your own: loads it and classifies the first test images.
//!
//! ```text
//! cargo run --release -- --variant max --epochs 1 --out runs/first
//! cargo run --release --example classify -- runs/first
//! ```

use std::path::Path;

use burn::tensor::backend::Backend;
use burn_pooling::mnist::{ImageSets, gather};
use burn_pooling::run::load_run;

fn classify<B: Backend>(run: &Path, device: &B::Device) -> Result<(), Box<dyn std::error::Error>> {
    let (config, model) = load_run::<B>(run, device)?;
    let sets = ImageSets::load(config.data.folder.as_deref())?;
    let batch = gather::<B>(&sets.test, &[0, 1, 2, 3, 4], device); // images: [5, 1, height, width]
    let classes = model.probabilities(batch.images).argmax(1); // [5, 1]
    for (class, label) in classes.into_data().iter::<i64>().zip(batch.labels) {
        println!("predicted {class}, labelled {label}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let run = std::env::args().nth(1).ok_or("expected the folder of a run")?;
    classify::<burn_flex::Flex>(Path::new(&run), &Default::default())
}
