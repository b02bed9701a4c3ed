//! What is fuzzed: for each target some inputs that are right, and what is done with any.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::data::Batch;
use burn_pooling::exchange::{ExchangeError, Export, Import, Layout, Structure};
use burn_pooling::loss::CrossEntropy;
use burn_pooling::mnist::{ImageSets, read_images, read_labels, read_npz};
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::pooling::ConvPool2dConfig;
use burn_pooling::run::{DataConfig, Recipe, RunConfig, read_weights, save_weights};
use burn_pooling::training::{AdamConfig, Learner, TrainingConfig, glorot_uniform};
use clap::ValueEnum;
use tempfile::TempDir;

/// Parameters of a network that a configuration may describe and that is then built.
const FEW_PARAMETERS: u64 = 100_000;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// A file of images or labels.
    Idx,
    /// The four files of a data set, each after its length.
    Folder,
    /// A data set in NumPy's `.npz` format.
    Npz,
    /// A run's `config.json`.
    Config,
    /// A run's `checkpoint/state.mpk`.
    Checkpoint,
    /// A run's `model.safetensors`.
    Weights,
    /// A network in an ONNX model.
    Onnx,
    /// A network in Keras' files, with its layers and without.
    Keras,
    /// A state dict that `torch.save` wrote; the right ones are in the corpus.
    Pytorch,
    /// A network's weights in the layout of any framework.
    Safetensors,
}

/// Where files are written for a target that reads files.
pub struct Room(TempDir);

impl Room {
    /// Makes it, in memory where the system has files in memory.
    pub fn new() -> anyhow::Result<Self> {
        let in_memory = Path::new("/dev/shm");
        Ok(Self(if in_memory.is_dir() { tempfile::tempdir_in(in_memory)? } else { tempfile::tempdir()? }))
    }
}

impl Target {
    /// Returns inputs that are right.
    pub fn examples(self) -> anyhow::Result<Vec<Vec<u8>>> {
        Ok(match self {
            Self::Idx => vec![images(0x803, &[3, 4, 5]), images(0x804, &[2, 3, 4, 5]), labels(), gzip(&labels())?],
            Self::Folder => vec![folder(false)?, folder(true)?],
            Self::Npz => npz_files()?,
            Self::Config => configs()?,
            Self::Checkpoint => vec![fresh().checkpoint(), trained().checkpoint()],
            Self::Weights => vec![save_weights(&network::<Flex>())],
            Self::Onnx => vec![export()?.onnx(false)?, export()?.onnx(true)?],
            Self::Keras => vec![export()?.keras()?, hdf5(&export()?.keras()?)],
            Self::Pytorch => Vec::new(),
            Self::Safetensors => [Layout::Burn, Layout::PyTorch, Layout::Keras]
                .map(|layout| export()?.safetensors(layout))
                .into_iter()
                .collect::<Result<_, _>>()?,
        })
    }

    /// Reads an input. It may be refused; it must not panic, nor take much memory.
    pub fn read(self, input: &[u8], room: &Room) {
        match self {
            Self::Idx => {
                let _ = (read_images(input, "images"), read_labels(input, "labels"));
            }
            Self::Folder => read_folder(input, room),
            Self::Npz => {
                if let Ok(sets) = read_npz(Cursor::new(input), "npz") {
                    sets.train.images::<Flex>(&[0], &Default::default());
                }
            }
            Self::Config => read_config(input),
            Self::Checkpoint => {
                if let Ok(mut learner) = fresh().restore(input.to_vec(), &Default::default()) {
                    step(&mut learner);
                }
            }
            Self::Weights => {
                if let Ok(model) = read_weights(network::<Flex>(), input) {
                    model.forward(Tensor::zeros([1, 1, 6, 6], &Default::default()));
                }
            }
            Self::Onnx => read_network(Import::onnx(input, None)),
            Self::Keras => read_network(Import::read("network.keras".as_ref(), input)),
            Self::Pytorch => read_network(Import::pytorch(input)),
            Self::Safetensors => read_network(Import::safetensors(input)),
        }
    }
}

fn images(magic: u32, dimensions: &[u32]) -> Vec<u8> {
    let count: u32 = dimensions.iter().product();
    let header = [magic].into_iter().chain(dimensions.iter().copied()).flat_map(u32::to_be_bytes);
    header.chain((0..count).map(|value| value as u8)).collect()
}

fn labels() -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[0, 1, 2]].concat()
}

fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

const NAMES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

fn folder(compressed: bool) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for name in NAMES {
        let file = if name.contains("images") { images(0x803, &[3, 4, 5]) } else { labels() };
        let file = if compressed { gzip(&file)? } else { file };
        bytes.push(file.len() as u8);
        bytes.extend(file);
    }
    Ok(bytes)
}

fn read_folder(input: &[u8], room: &Room) {
    let mut rest = input;
    for name in NAMES {
        let Some((&len, after)) = rest.split_first() else { return };
        let (file, after) = after.split_at(usize::from(len).min(after.len()));
        fs::write(room.0.path().join(name), file).expect("the folder is this process's own");
        rest = after;
    }
    if let Ok(sets) = ImageSets::load(Some(room.0.path())) {
        let data = DataConfig::of(&sets, None);
        let _ = data.model(Variant::Max).parameters();
        sets.train.images::<Flex>(&[0], &Default::default());
    }
}

/// What NumPy saved for the tests, right and wrong.
fn npz_files() -> anyhow::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/reference/npz");
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths.into_iter().map(fs::read).collect::<Result<_, _>>()?)
}

fn configs() -> anyhow::Result<Vec<Vec<u8>>> {
    let config = |variant| {
        serde_json::to_vec_pretty(&RunConfig {
            model: PoolingCnnConfig::new(variant),
            training: TrainingConfig::default(),
            recipe: Recipe::default(),
            backend: "flex".to_owned(),
            threads: Some(2),
            data: DataConfig {
                folder: Some("data".into()),
                train: 60_000,
                test: 10_000,
                channels: 1,
                image_size: [28, 28],
                classes: 10,
                class_names: Vec::new(),
                digest: None,
                transpose: false,
            },
            history: Vec::new(),
            origin: None,
        })
    };
    Ok(Variant::ALL.into_iter().map(config).collect::<Result<_, _>>()?)
}

fn read_config(input: &[u8]) {
    let Ok(config) = serde_json::from_slice::<RunConfig>(input) else { return };
    let _ = config.training.check(config.data.train);
    let _ = config.recipe.training(&config.training, config.data.train);
    let few = config.model.parameters().is_ok_and(|parameters| parameters <= FEW_PARAMETERS);
    match config.model.init::<Flex>(&Default::default()) {
        // A parameter takes its memory when it is first used.
        Ok(model) if few => drop(save_weights(&model)),
        _ => {}
    }
}

fn network_config() -> PoolingCnnConfig {
    let stage = ConvPool2dConfig::new(2, [3, 3]).with_batch_norm(true).max_pool(2);
    let config = PoolingCnnConfig::new(Variant::Max).with_stages(vec![stage]).with_image_size([6, 6]);
    config.with_hidden_units(3).with_classes(2)
}

/// A network of few weights, with the running statistics of a normalisation.
fn network<B: Backend>() -> PoolingCnn<B> {
    glorot_uniform(network_config().init(&Default::default()).expect("every kernel fits"), 1)
}

fn export() -> Result<Export, ExchangeError> {
    Export::of(&network_config(), &network::<Flex>())
}

/// The HDF5 file in an archive that compresses nothing.
fn hdf5(archive: &[u8]) -> Vec<u8> {
    let start = archive.windows(4).position(|bytes| bytes == b"\x89HDF").unwrap_or(0);
    archive[start..].to_vec()
}

fn read_network(import: Result<Import, ExchangeError>) {
    let structure = Structure { network: network_config(), ..Structure::new(Variant::Max) };
    if let Ok(model) = import.and_then(|import| import.fit(&structure)?.network::<Flex>(&Default::default())) {
        model.forward(Tensor::zeros([1, 1, 6, 6], &Default::default()));
    }
}

type Cnn = Autodiff<Flex>;

fn fresh() -> Learner<Cnn, PoolingCnn<Cnn>> {
    Learner::with_optimizer(network(), AdamConfig::new().init())
}

fn trained() -> Learner<Cnn, PoolingCnn<Cnn>> {
    let mut learner = fresh();
    step(&mut learner);
    learner
}

fn step(learner: &mut Learner<Cnn, PoolingCnn<Cnn>>) {
    let pixels: Vec<f32> = (0..72).map(|value| value as f32 / 72.0).collect();
    let inputs = Tensor::from_data(TensorData::new(pixels, [2, 1, 6, 6]), &Default::default());
    let batch = Batch { inputs, labels: vec![0, 1] };
    learner.step(batch, 1e-3, &CrossEntropy::new()).expect("both labels are classes of the network");
}
