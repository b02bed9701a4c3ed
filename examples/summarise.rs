//! The summary of a module that is not of this crate: Burn's transformer encoder.
//!
//! ```text
//! cargo run --release --example summarise
//! ```

use burn::nn::transformer::{TransformerEncoderConfig, TransformerEncoderInput};
use burn_pooling::summary::{Summary, TraceGrad};

fn main() -> anyhow::Result<()> {
    let config = TransformerEncoderConfig::new(128, 512, 4, 2);
    let summary = Summary::of(
        |device| config.init::<TraceGrad>(device),
        [8, 64, 128], // batch, sequence, features
        |encoder, tokens| encoder.forward(TransformerEncoderInput::new(tokens)),
    )?;
    println!("{summary}");
    Ok(())
}
