//! Flags that several commands share.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use burn_pooling::backend::{BackendError, BackendName};
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::Variant;
use burn_pooling::run::{DataConfig, RunConfig, RunFolder, StorageError};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;

use super::terminal;

/// A usage error: exit code 2, as for a flag that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Backend and threads.
#[derive(Args, Clone, Debug, Default)]
pub struct DeviceArgs {
    /// Backend: flex, ndarray, wgpu or cuda [default: a GPU if compiled in, else flex]
    #[arg(long, value_name = "NAME")]
    backend: Option<BackendName>,
    /// Number of CPU threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_THREADS)))]
    threads: Option<u16>,
}

impl DeviceArgs {
    /// Returns the backend to use: the one named, else `fallback`, else the preferred one.
    pub fn backend(&self, fallback: Option<BackendName>) -> anyhow::Result<BackendName> {
        let backend = self.backend.or(fallback).map_or_else(BackendName::preferred, Ok)?;
        match backend.is_compiled() {
            true => Ok(backend),
            false => Err(UsageError(BackendError::NotCompiled(backend).to_string()).into()),
        }
    }

    /// Returns the backend to use with a run: the one named, else the one that it was trained on, if it is compiled in.
    pub fn backend_of(&self, run: &RunConfig) -> anyhow::Result<BackendName> {
        self.backend(run.backend.parse().ok().filter(|name: &BackendName| name.is_compiled()))
    }

    /// Starts the threads that the CPU backends work on; called once, while the process has one thread only.
    pub fn start_threads(&self) -> anyhow::Result<()> {
        if let Some(threads) = self.threads {
            // SAFETY: no other thread is there to read the environment at the same time.
            unsafe { std::env::set_var("MATMUL_NUM_THREADS", threads.to_string()) }; // matrixmultiply, below ndarray
        }
        let threads = self.thread_count()?;
        // This thread is one of them: otherwise it would sleep through every operation, and have to be woken after each.
        // So if it is the only one, no other thread may use the pool: nobody would do its work.
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
        builder.build_global().with_context(|| too_many(threads))
    }

    /// Starts threads of their own, for work that comes from other threads than this.
    pub fn thread_pool(&self) -> anyhow::Result<rayon::ThreadPool> {
        let threads = self.thread_count()?;
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().with_context(|| too_many(threads))
    }

    /// Returns the number of threads, 0 for one per core.
    fn thread_count(&self) -> Result<usize, UsageError> {
        self.threads.map_or_else(threads_of_environment, |threads| Ok(threads.into()))
    }
}

fn too_many(threads: usize) -> String {
    match threads {
        0 => "cannot start a thread per core; try --threads 1".to_owned(),
        threads => format!("cannot start {threads} threads; try a smaller --threads"),
    }
}

const MOST_THREADS: u16 = 1024;

/// Returns the number of threads that the variables of rayon ask for, 0 if they do not: rayon itself would try any
/// number.
fn threads_of_environment() -> Result<usize, UsageError> {
    let set = |variable: &'static str| Some((variable, std::env::var_os(variable).filter(|text| !text.is_empty())?));
    let Some((variable, text)) = ["RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS"].into_iter().find_map(set) else {
        return Ok(0);
    };
    let text = text.to_string_lossy();
    match text.parse() {
        Ok(threads) if threads <= usize::from(MOST_THREADS) => Ok(threads),
        _ => Err(UsageError(format!("{variable}: expected a number of threads up to {MOST_THREADS}, found '{text}'"))),
    }
}

/// Which data.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    /// Another image set: a folder with its four IDX files, plain or .gz; an .npz file with the arrays of Keras' mnist.npz;
    /// or a folder with pictures in train/CLASS/ and test/CLASS/ [default: bundled MNIST; of a run: its own]
    #[arg(long, value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// Swap rows and columns of every image, as EMNIST needs [default: no; of a run: as it was trained]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub transpose: Option<bool>,
}

impl DataArgs {
    /// Loads the data that the flags describe, or else those of the run `of_run`.
    pub fn load(&self, of_run: Option<&DataConfig>) -> anyhow::Result<LoadedData> {
        let folder = self.data_dir.as_deref().or(of_run.and_then(|data| data.folder.as_deref()));
        let transpose = self.transpose.unwrap_or(of_run.is_some_and(|data| data.transpose));
        let sets = ImageSets::load(folder)?;
        let sets = if transpose { sets.transposed() } else { sets };
        let config = DataConfig { transpose, ..DataConfig::of(&sets, folder) };
        Ok(LoadedData { sets, config })
    }
}

/// Images, and how a run describes them.
pub struct LoadedData {
    pub sets: ImageSets,
    pub config: DataConfig,
}

impl LoadedData {
    /// Tells on stderr of images that look like the negatives of those that a run was trained on.
    pub fn warn_of_inversion(&self, run: &DataConfig) {
        let is_other = self.config.digest != run.digest;
        if is_other && self.sets.test.looks_inverted() {
            terminal::print_note(
                "the images have a bright border, as black ink on white paper has it; a network that was trained on white \
                 ink on black, as MNIST is, needs them inverted",
            );
        }
    }

    /// Tells on stderr of classes that a network would have for nothing.
    pub fn warn_of_unused_classes(&self) {
        let (classes, unused) = (self.config.classes, self.sets.unused_classes().len());
        if unused > 0 {
            let verb = if unused == 1 { "has" } else { "have" };
            terminal::print_note(format_args!("{classes} classes, of which {unused} {verb} no image"));
        }
    }
}

/// Whether a run's files are checked.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Do not check the run's files against its manifest: for files that were changed on purpose. A run that is resumed
    /// takes its weights from the checkpoint, and writes the others anew
    #[arg(long)]
    unverified: bool,
}

impl CheckArgs {
    /// A new run has nothing to check.
    pub fn refuse_for_a_new_run(&self) -> anyhow::Result<()> {
        match self.unverified {
            true => Err(UsageError("--unverified: expected --resume with it".to_owned()).into()),
            false => Ok(()),
        }
    }

    /// Opens the folder of a run.
    pub fn open(&self, run: &Path) -> anyhow::Result<RunFolder> {
        if self.unverified {
            return Ok(RunFolder::open_unverified(run)?);
        }
        let folder = RunFolder::open(run).map_err(|error| match error {
            StorageError::Changed { .. } => anyhow::anyhow!("{error}, with --unverified"),
            error => error.into(),
        })?;
        if !folder.is_verified() {
            terminal::print_note(format_args!(
                "{}: the run is of a version that wrote no manifest; its files are not checked",
                run.display()
            ));
        }
        Ok(folder)
    }

    /// Opens the folder of a run that has trained, with its configuration.
    pub fn open_trained(&self, run: &Path) -> anyhow::Result<(RunFolder, RunConfig)> {
        let folder = self.open(run)?;
        let config: RunConfig = folder.config()?;
        if !folder.has_trained() && config.origin.is_none() {
            let run = terminal::quoted(run);
            bail!(
                "{run}: no epoch of this run has ended; wait for the process that trains it, or resume it with: \
                 burn-pooling --resume {run}"
            );
        }
        folder.check_size(config.model.parameters()?)?;
        Ok((folder, config))
    }

    /// Opens several runs that have trained, each with the last part of its path, which tells runs apart.
    pub fn open_all(&self, runs: &[PathBuf]) -> anyhow::Result<Vec<(String, RunFolder, RunConfig)>> {
        let opened = runs.iter().map(|run| {
            let (folder, config) = self.open_trained(run)?;
            let whole = run.canonicalize().unwrap_or_else(|_| run.to_owned());
            let last = whole.file_name().map(|name| name.to_string_lossy().into_owned());
            Ok((last.unwrap_or_else(|| whole.display().to_string()), folder, config))
        });
        opened.collect()
    }
}

/// Parses one of the names by which a type deserializes.
pub fn choice<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    names: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value(name.into()))
}

/// Returns the names of the variants, with their synonyms.
pub fn variant_names() -> impl Iterator<Item = PossibleValue> {
    let aliases = |variant: Variant| variant.aliases().iter().copied();
    let value = move |variant| PossibleValue::new(Variant::name(variant)).aliases(aliases(variant));
    Variant::with_heads().map(value)
}

/// Parses a variant, by its name or a synonym.
pub fn variant_parser() -> impl TypedValueParser<Value = Variant> {
    PossibleValuesParser::new(variant_names()).try_map(|name| name.parse::<Variant>())
}
