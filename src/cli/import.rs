//! `burn-pooling import FILE`: a run of a network that another framework trained.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendTask, run_on};
use burn_pooling::evaluation::evaluate;
use burn_pooling::exchange::{Import, Imported, Layout, Structure};
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::{PoolingCnn, Variant};
use burn_pooling::pooling::{ConvPool2dConfig, Pool2dConfig};
use burn_pooling::run::{Origin, Recipe, Report, RunConfig};
use burn_pooling::training::{Learner, TrainingConfig};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sha2::{Digest, Sha256};

use super::evaluation_table::evaluation_table;
use super::job::create;
use super::options::{DataArgs, DeviceArgs, LoadedData, variant_parser};
use super::{summary, terminal};

#[derive(Args, Debug)]
pub struct ImportArgs {
    /// A state dict of PyTorch (.pt, .pth, .safetensors), a model or weights of Keras (.keras, .h5), or an ONNX model (.onnx):
    /// convolutions and pooling as the variant has them, of any sizes, then two linear layers with a ReLU between
    file: PathBuf,
    /// How the network pools; synonyms: avg, global-max, global-average
    #[arg(long, value_parser = variant_parser())]
    variant: Variant,
    /// Folder of the new run; never overwritten [default: runs/<variant>-<UTC time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Layout of the weights, where their shapes leave it open: burn, pytorch or keras
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(["burn", "pytorch", "keras"]).try_map(|name| name.parse::<Layout>()))]
    layout: Option<Layout>,
    /// Rows and columns of zeros around the input of every convolution, or of each, with commas [default: as the file or its
    /// shapes say]
    #[arg(long, value_name = "ROWSxCOLUMNS", value_parser = padding, value_delimiter = ',')]
    padding: Vec<[usize; 2]>,
    /// Mean that was subtracted from the pixels (0 to 1) in training: one, or one for each channel, with commas
    #[arg(long, value_name = "MEAN", value_delimiter = ',', requires = "std", allow_negative_numbers = true)]
    mean: Vec<f32>,
    /// Standard deviation that they were divided by: as many values as --mean
    #[arg(long, value_name = "DEVIATION", value_delimiter = ',', requires = "mean", allow_negative_numbers = true)]
    std: Vec<f32>,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
}

fn padding(text: &str) -> Result<[usize; 2], String> {
    summary::pair(text).ok_or_else(|| "expected rows x columns, such as 1x1".to_owned())
}

/// Shows where each weight goes, writes the run, and tests it.
pub fn run(args: ImportArgs) -> anyhow::Result<ExitCode> {
    let backend = args.device.backend(None)?;
    args.device.start_threads()?;
    let name = args.file.display();
    let bytes = fs::read(&args.file).with_context(|| format!("{name}: cannot be read"))?;
    let import = Import::read(&args.file, &bytes).with_context(|| name.to_string())?;
    let LoadedData { sets, config: data } = args.data.load(None)?;
    let structure = Structure { network: data.model(args.variant), layout: args.layout, padding: args.padding };
    let mut imported = import.fit(&structure).with_context(|| name.to_string())?;
    print_matches(&imported);
    if !args.mean.is_empty() {
        imported = imported.with_normalisation(&args.mean, &args.std)?;
    }
    print_stages(&imported);
    let file = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    // For fine-tuning: a twelfth of the training images, which of MNIST's are the 5,000 that the command keeps by default.
    let training = TrainingConfig { valid_size: (data.train / 12).max(1), ..TrainingConfig::default() };
    let config = RunConfig {
        model: imported.config().clone(),
        training,
        recipe: Recipe::default(),
        backend: backend.to_string(),
        threads: Some(rayon::current_num_threads()),
        data,
        history: Vec::new(),
        origin: Some(Origin { file, sha256, layout: imported.layout().to_string(), mean: args.mean, std: args.std }),
    };
    run_on(backend, Task { imported: &imported, config, sets: &sets, out: args.out })?
}

/// Prints where each weight comes from.
fn print_matches(imported: &Imported) {
    let shape = |shape: &[usize]| format!("{shape:?}");
    let rows: Vec<[String; 4]> = (imported.matches().iter())
        .map(|found| {
            let from = found.from.clone().unwrap_or_else(|| "none: zeros".to_owned());
            [from, shape(&found.shape), found.to.clone(), shape(&found.shape_in_module)]
        })
        .collect();
    let heading = ["in the file", "shape", "in the network", "shape"].map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&heading]).map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    terminal::print(format_args!("layout: {}\n", imported.layout()));
    for row in std::iter::once(&heading).chain(&rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        terminal::print(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// Prints what the network does, and whether the file says so.
fn print_stages(imported: &Imported) {
    for (index, stage) in imported.config().stages.iter().enumerate() {
        terminal::print(format_args!("stage {}: {}", index + 1, describe(stage)));
    }
    if !imported.is_described() {
        terminal::print_note(
            "the file holds weights alone: strides, activations, pooling, and padding that the shapes leave open, are the \
             variant's",
        );
    }
}

fn describe(stage: &ConvPool2dConfig) -> String {
    let size = |[rows, columns]: [usize; 2]| format!("{rows}x{columns}");
    let ConvPool2dConfig { kernel_size, stride, padding, batch_norm, activation, pool, .. } = *stage;
    let (kernel_size, stride, padding) = (size(kernel_size), size(stride), size(padding));
    let norm = if batch_norm { "batch normalisation, " } else { "" };
    let pool = match pool {
        None => "no pooling".to_owned(),
        Some(Pool2dConfig::Max { kernel_size, stride }) => {
            format!("max pooling {}, stride {}", size(kernel_size), size(stride))
        }
        Some(Pool2dConfig::Average { kernel_size, stride }) => {
            format!("average pooling {}, stride {}", size(kernel_size), size(stride))
        }
        Some(Pool2dConfig::GlobalMax) => "global max pooling".to_owned(),
        Some(Pool2dConfig::GlobalAverage) => "global average pooling".to_owned(),
        Some(Pool2dConfig::BlurredMax) => "blurred max pooling".to_owned(),
        Some(Pool2dConfig::Head(head)) => head.to_string(),
    };
    format!("convolution {kernel_size}, stride {stride}, padding {padding}, {norm}{activation:?}, {pool}")
}

struct Task<'a> {
    imported: &'a Imported,
    config: RunConfig,
    sets: &'a ImageSets,
    out: Option<PathBuf>,
}

impl BackendTask for Task<'_> {
    type Output = anyhow::Result<ExitCode>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let network = self.imported.network::<B::InnerBackend>(&device)?;
        let test = &self.sets.test;
        let [channels, height, width] = test.image_shape();
        network.check_images([test.len(), channels, height, width])?;
        let every: Vec<usize> = (0..test.len()).collect();
        let config = &self.config;
        let evaluation = evaluate(&network, test, &every, config.training.batch_size, &device)?;
        let learner: Learner<B, PoolingCnn<B>> = Learner::new(PoolingCnn::from_inner(network));
        let folder = create(self.out.as_deref(), config, &learner)?;
        folder.write_report(&Report {
            network: config.model.name.clone(),
            backend: config.backend.clone(),
            seed: config.training.seed,
            epochs: 0,
            best_epoch: 0,
            parameters: learner.model().num_params(),
            train_images_per_second: 0.0,
            test: evaluation.clone(),
        })?;
        terminal::print(format_args!("\n{}", evaluation_table(&evaluation, &config.data)));
        terminal::print(format_args!("run: {}", folder.path().display()));
        Ok(ExitCode::SUCCESS)
    }
}
