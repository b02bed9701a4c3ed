//! `burn-pooling summary`: prints the layers of a variant, their shapes and costs.

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::str::FromStr;

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::summary::{Column, Comparison, Optimizer, Style, Summary, TraceGrad};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantNames;

use super::options::{UsageError, variant_parser};
use super::terminal;

#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// How the network pools; synonyms: avg, global-max, global-average
    #[arg(long, value_parser = variant_parser(), default_value = "max")]
    variant: Variant,
    /// Height and width of the images
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = image_size, default_value = "28x28")]
    input: [usize; 2],
    /// Batch size, for the memory
    #[arg(long, value_name = "N", default_value = "1")]
    batch_size: NonZeroU32,
    /// Style: wide, keras, markdown or json; as a graph mermaid, dot or svg
    #[arg(long, default_value = "wide")]
    style: Style,
    /// Levels of nested modules to show [default: all]
    #[arg(long, value_name = "N", conflicts_with = "compare")]
    depth: Option<usize>,
    /// Every element of a list, also equal neighbours
    #[arg(long, conflicts_with = "compare")]
    all: bool,
    /// Columns of the wide and the Markdown table, in order
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,...", value_parser = name::<Column>(Column::VARIANTS))]
    #[arg(conflicts_with = "compare")]
    columns: Option<Vec<Column>>,
    /// Optimizer whose memory is estimated
    #[arg(long, ignore_case = true, value_parser = name::<Optimizer>(Optimizer::VARIANTS), default_value = "Adam")]
    #[arg(conflicts_with = "compare")]
    optimizer: Optimizer,
    /// The four variants side by side
    #[arg(long, conflicts_with = "variant")]
    compare: bool,
}

/// Parses one of the names.
fn name<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}

fn image_size(text: &str) -> Result<[usize; 2], String> {
    pair(text).filter(|size| !size.contains(&0)).ok_or_else(|| "expected height x width, such as 28x28".to_owned())
}

/// Parses two numbers with an x between.
pub fn pair(text: &str) -> Option<[usize; 2]> {
    let (height, width) = text.split_once('x')?;
    Some([height.parse().ok()?, width.parse().ok()?])
}

/// Prints the summary.
pub fn run(args: SummaryArgs) -> anyhow::Result<ExitCode> {
    let text = match args.compare {
        true => compare(&args)?,
        false => layers(&args)?,
    };
    terminal::print(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn layers(args: &SummaryArgs) -> anyhow::Result<String> {
    let summary = summarise_variant(args, args.variant)?;
    let mut styled = summary.styled(args.style).width(terminal::width());
    if let Some(depth) = args.depth {
        styled = styled.depth(depth);
    }
    if args.all {
        styled = styled.all();
    }
    if let Some(columns) = &args.columns {
        styled = styled.columns(columns.iter().copied());
    }
    styled = styled.optimizer(args.optimizer);
    Ok(styled.to_string())
}

fn compare(args: &SummaryArgs) -> anyhow::Result<String> {
    let named = |variant: Variant| Ok((variant.name(), summarise_variant(args, variant)?));
    let summaries: Vec<_> = Variant::ALL.into_iter().map(named).collect::<anyhow::Result<_>>()?;
    let comparison = Comparison::of(summaries.iter().map(|(name, summary)| (*name, summary)));
    let styled = comparison.styled(args.style).ok_or_else(|| {
        UsageError(format!("--style {}: expected wide, markdown or json to compare models", args.style))
    })?;
    Ok(styled.width(terminal::width()).to_string())
}

fn summarise_variant(args: &SummaryArgs, variant: Variant) -> anyhow::Result<Summary> {
    let config = PoolingCnnConfig::new(variant).with_image_size(args.input);
    summarise(&config, args.batch_size.get() as usize)
}

/// The table that a training run starts with.
pub fn keras(config: &PoolingCnnConfig) -> anyhow::Result<String> {
    let table = summarise(config, 1)?.styled(Style::Keras).to_string();
    Ok(table.trim_end().to_owned())
}

/// Summarises a network for a batch size.
pub fn summarise(config: &PoolingCnnConfig, batch_size: usize) -> anyhow::Result<Summary> {
    config.parameters()?; // a size that is absurd for a network says more than a tensor that cannot be counted
    let [height, width] = config.image_size;
    Ok(Summary::try_of(
        |device| config.init::<TraceGrad>(device),
        [batch_size, config.channels, height, width],
        |model, images| model.forward(images),
    )?)
}
