//! The summary of a model of your own: replace `Net` and its forward pass by yours, and the input's shape.
//!
//! ```text
//! cargo run --release --example summarise
//! ```

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_pooling::summary::{Style, Summary, TraceGrad};

#[derive(Module, Debug)]
struct Net<B: Backend> {
    layers: Vec<Conv2d<B>>,
    activation: Relu,
    head: Linear<B>,
}

impl<B: Backend> Net<B> {
    fn new(device: &B::Device) -> Self {
        let conv = |inputs| Conv2dConfig::new([inputs, 16], [3, 3]).init(device);
        let layers = [3, 16, 16].map(conv).into();
        Self { layers, activation: Relu::new(), head: LinearConfig::new(16, 10).init(device) }
    }

    fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let maps = self.layers.iter().fold(images, |x, layer| self.activation.forward(layer.forward(x)));
        self.head.forward(maps.max_dim(3).max_dim(2).flatten(1, 3))
    }
}

fn main() -> anyhow::Result<()> {
    // On `TraceGrad` as the model trains, on `Trace` as it predicts. [batch, channels, height, width]; for token IDs
    // `tokens([8, 128])`, for several inputs a tuple.
    let summary = Summary::of(Net::<TraceGrad>::new, [8, 3, 32, 32], |net, images| net.forward(images))?;
    println!("{summary}");
    println!("{}", summary.styled(Style::Mermaid).depth(1)); // a graph, for Markdown
    Ok(())
}
