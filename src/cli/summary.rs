//! `burn-pooling summary`: prints the layers of a variant.

use std::process::ExitCode;

use burn_pooling::model::{PoolingCnnConfig, Variant};
use clap::Args;

use super::options::variant_parser;
use super::terminal;

#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// The variant
    #[arg(long, value_parser = variant_parser(), default_value = "max")]
    variant: Variant,
}

pub fn run(args: SummaryArgs) -> anyhow::Result<ExitCode> {
    terminal::print(keras(&PoolingCnnConfig::new(args.variant))?);
    Ok(ExitCode::SUCCESS)
}

pub fn keras(config: &PoolingCnnConfig) -> anyhow::Result<String> {
    Ok(format!("{config}"))
}
