//! A model of your own (convolution, batch normalisation, ReLU and pooling as one block, then a linear layer) in a
//! loop of your own, saved in a run's folder and loaded again.
//!
//! ```text
//! cargo run --release --example own_loop -- runs/own
//! ```

use std::path::Path;

use burn::config::Config;
use burn::module::{AutodiffModule, Module};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Tensor, backend::Backend};
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::data::Data;
use burn_pooling::evaluation::evaluate;
use burn_pooling::loss::CrossEntropy;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::Classifier;
use burn_pooling::pooling::{ConvPool2d, ConvPool2dConfig};
use burn_pooling::run::RunFolder;
use burn_pooling::training::{BestBy, Learner, Split, glorot_uniform};

#[derive(Config, Debug)]
struct NetConfig {
    #[config(default = 16)]
    filters: usize,
}

impl NetConfig {
    fn init<B: Backend>(&self, device: &B::Device) -> Net<B> {
        let block = ConvPool2dConfig::new(self.filters, [5, 5]).with_batch_norm(true).max_pool(4);
        // 28x28 images: the convolution leaves 24x24, the pooling 6x6.
        let output = LinearConfig::new(self.filters * 6 * 6, 10).init(device);
        Net { block: block.init(1, device), output }
    }
}

#[derive(Module, Debug)]
struct Net<B: Backend> {
    block: ConvPool2d<B>,
    output: Linear<B>,
}

impl<B: Backend> Classifier<B> for Net<B> {
    type Input = Tensor<B, 4>;

    fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let maps = self.block.forward(images); // [batch, filters, 6, 6]
        self.output.forward(maps.flatten(1, 3)) // [batch, 10]
    }
}

fn main() -> anyhow::Result<()> {
    let (seed, device) = (1, Default::default());
    let images = ImageSets::load(None)?.train;
    let config = NetConfig::new();
    let mut learner = Learner::new(glorot_uniform(config.init::<Autodiff<Flex>>(&device), seed));
    let path = std::env::args().nth(1).unwrap_or("runs/own".to_owned());
    let folder = RunFolder::create(Path::new(&path), &config, &learner)?;

    let split = Split::new(images.len(), 5_000, seed);
    for epoch in 0..2 {
        for indices in split.shuffled(seed, epoch).chunks(128) {
            learner.step(images.gather(indices, &device), 1e-3, &CrossEntropy::new())?;
        }
        let model = learner.model().valid();
        let validation = evaluate(&model, &images, &split.valid, 128, &device)?;
        learner.finish_epoch(Some(&validation), BestBy::Accuracy);
        folder.save(&learner)?;
        println!("epoch {}: validation accuracy {:.4}", epoch + 1, validation.accuracy);
    }

    let config: NetConfig = folder.config()?;
    let model = folder.load_model(config.init::<Flex>(&device))?;
    let again = evaluate(&model, &images, &split.valid, 128, &device)?;
    println!("loaded from {path}: validation accuracy {:.4}", again.accuracy);
    Ok(())
}
