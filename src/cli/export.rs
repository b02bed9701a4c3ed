//! `burn-pooling export RUN --to FORMAT`: a saved run's network in the files of other frameworks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendTask, run_on};
use burn_pooling::exchange::{About, Export, Layout};
use burn_pooling::run::{DataConfig, Report, RunConfig, RunFolder};
use clap::{Args, ValueEnum};

use super::options::{CheckArgs, DeviceArgs, UsageError};
use super::terminal;

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Folder of the run
    run: PathBuf,
    /// Format of the file
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// File to write; one that is there is replaced. For PyTorch, Python code is written beside it, with the extension .py
    /// [default: <run>.onnx, <run>.keras, <run>.safetensors (with <run>.py), or for safetensors <run>.burn.safetensors]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Let the ONNX model return probabilities, not logits
    #[arg(long)]
    softmax: bool,
    #[command(flatten)]
    check: CheckArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An ONNX model
    Onnx,
    /// A state dict in a safetensors file, and Python code with the module
    #[value(name = "pytorch")]
    PyTorch,
    /// A .keras file
    Keras,
    /// The weights in Burn's layouts
    Safetensors,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Keras => "keras",
            Self::PyTorch => "safetensors",
            Self::Safetensors => "burn.safetensors",
        }
    }
}

/// Writes the network of the best epoch.
pub fn run(args: ExportArgs) -> anyhow::Result<ExitCode> {
    if args.softmax && args.to != Format::Onnx {
        return Err(UsageError("--softmax: expected --to onnx with it".to_owned()).into());
    }
    let mut opened = args.check.open_all(std::slice::from_ref(&args.run))?;
    let (name, folder, config) = opened.pop().context("expected a run")?;
    let backend = DeviceArgs::default().backend_of(&config)?;
    let about = about(&folder, &config)?;
    let export = run_on(backend, Task { folder: &folder, config: &config })??.with_about(about);
    let out = args.out.unwrap_or_else(|| format!("{name}.{}", args.to.extension()).into());
    let bytes = match args.to {
        Format::Onnx => export.onnx(args.softmax)?,
        Format::PyTorch => export.safetensors(Layout::PyTorch)?,
        Format::Keras => export.keras()?,
        Format::Safetensors => export.safetensors(Layout::Burn)?,
    };
    if args.to == Format::PyTorch {
        let weights = out.file_name().context("--out: expected a file")?.to_string_lossy();
        write_module(&out, &export.pytorch_module(&weights))?;
    }
    write(&out, &bytes)?;
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("{}: cannot be written", path.display()))?;
    terminal::print(format_args!("{} ({} KB)", path.display(), bytes.len().div_ceil(1000)));
    Ok(())
}

/// Writes the Python code beside the weights, in the place of nothing but such code.
fn write_module(weights: &Path, module: &str) -> anyhow::Result<()> {
    let path = weights.with_extension("py");
    if path == weights {
        return Err(UsageError(
            "--out: expected a file of weights, such as one with the extension .safetensors".into(),
        )
        .into());
    }
    let is_ours = |text: String| module.lines().next().is_some_and(|first| text.starts_with(first));
    if path.exists() && !fs::read_to_string(&path).is_ok_and(is_ours) {
        bail!("{}: expected nothing, or a module of an export, found another file; name another --out", path.display());
    }
    write(&path, module.as_bytes())
}

fn about(folder: &RunFolder, config: &RunConfig) -> anyhow::Result<About> {
    let report: Option<Report> = folder.report()?;
    Ok(About {
        test_accuracy: report.map(|report| report.test.accuracy),
        class_names: config.data.class_names.clone(),
        preparation: preparation(&config.data),
    })
}

fn preparation(data: &DataConfig) -> String {
    match data.is_mnist() {
        true => {
            "one white digit on black, in 28x28 pixels: scaled so that it fits 20x20, with its centre of mass in the \
                 middle; `burn-pooling predict` prepares pictures so"
                .to_owned()
        }
        false => "an image like those of the data set that the network was trained on".to_owned(),
    }
}

struct Task<'a> {
    folder: &'a RunFolder,
    config: &'a RunConfig,
}

impl BackendTask for Task<'_> {
    type Output = anyhow::Result<Export>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let model = self.folder.load_model(self.config.model.init::<B::InnerBackend>(&device)?)?;
        Ok(Export::of(&self.config.model, &model)?)
    }
}
