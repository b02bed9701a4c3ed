//! Keras' `.keras` archives, and the HDF5 files of its weights.

mod reader;

use std::io::{Cursor, Read};

use hdf5_pure::{AttrValue, File};
use serde_json::Value;
use zip::ZipArchive;

use super::file::Import;
use super::layer::{Layer, in_natural_order, layers_of};
use crate::contain::contain;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::weights::NamedTensor;
use reader::{Names, Reader};

/// What Keras' batch normalisation adds to the variance by default.
const KERAS_EPSILON: f32 = 1e-3;

/// How many times as large as the archive a file within it may be: weights hardly shrink.
const MOST_TIMES: u64 = 100;

/// How deep groups may lie in each other.
const MOST_LEVELS: usize = 16;

impl Import {
    /// Reads a `.keras` file of a `Sequential` model, or of a functional one whose layers follow each other. A rescaling of
    /// bytes to 0 to 1 before the first layer is left out: pixels are from 0 to 1 here.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is none, or describes another network.
    pub fn keras(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(content)?;
        let most = MOST_TIMES.saturating_mul(bytes.len() as u64);
        let config: Value = serde_json::from_slice(&file(&mut archive, "config.json", most)?).map_err(content)?;
        let (tensors, _) = tensors(file(&mut archive, "model.weights.h5", most)?)?;
        Reader::read(layers(tensors)?, described(&config)?, Names::Counted)
    }

    /// Reads a `.weights.h5` file, or an `.h5` file of a model or its weights.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is none, or holds layers of other kinds.
    pub fn keras_weights(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let (tensors, config) = tensors(bytes.to_vec())?;
        let layers = layers(tensors)?;
        match config {
            Some(config) => {
                let config: Value = serde_json::from_str(&config).map_err(content)?;
                Reader::read(layers, described(&config)?, Names::Own)
            }
            None => Ok(Self { layers, stages: None, layout: Some(Layout::Keras) }),
        }
    }
}

/// Returns whether this is an archive as Keras writes it; PyTorch's files are archives too.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    ZipArchive::new(Cursor::new(bytes)).is_ok_and(|archive| archive.index_for_name("config.json").is_some())
}

fn content(found: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::Content { expected: "a file of Keras", found: found.to_string() }
}

fn file(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, most: u64) -> Result<Vec<u8>, ExchangeError> {
    let mut bytes = Vec::new();
    let file = archive.by_name(name).map_err(|error| content(format!("{name}: {error}")))?;
    let read = file.take(most).read_to_end(&mut bytes).map_err(content)?;
    match (read as u64) < most {
        true => Ok(bytes),
        false => Err(content(format!("{name} of more than {most} bytes"))),
    }
}

/// The layers of a model's configuration.
fn described(config: &Value) -> Result<&[Value], ExchangeError> {
    config["config"]["layers"].as_array().map(Vec::as_slice).ok_or_else(|| content("no layers"))
}

/// Reads every tensor of an HDF5 file but the optimizer's, and the configuration of its model, if it has one.
fn tensors(bytes: Vec<u8>) -> Result<(Vec<NamedTensor>, Option<String>), ExchangeError> {
    let read = contain(|| {
        let file = File::from_bytes(bytes)?;
        let config = file.root().attrs()?.remove("model_config").and_then(|config| match config {
            AttrValue::VarLenString(text) | AttrValue::VarLenAsciiString(text) => Some(text), // h5py's
            AttrValue::String(text) | AttrValue::AsciiString(text) => Some(text),
            AttrValue::StringSized { value, .. } | AttrValue::AsciiStringSized { value, .. } => Some(value),
            _ => None,
        });
        let mut tensors = Vec::new();
        let mut groups = vec![(String::new(), file.root(), 0)];
        while let Some((path, group, level)) = groups.pop() {
            let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            for name in group.datasets()? {
                let dataset = group.dataset(&name)?;
                let shape = dataset.shape()?.iter().map(|&size| size as usize).collect();
                tensors.push(NamedTensor { name: within(&name), shape, values: dataset.read_f32()? });
            }
            for name in group.groups()? {
                let is_other = path.is_empty() && matches!(name.as_str(), "optimizer" | "optimizer_weights");
                if level < MOST_LEVELS && !is_other {
                    groups.push((within(&name), group.group(&name)?, level + 1));
                }
            }
        }
        Ok::<_, hdf5_pure::Error>((tensors, config))
    });
    read.map_err(|panic| content(panic.message))?.map_err(content)
}

/// Returns the layers with weights, without the counters of random layers such as dropout.
fn layers(tensors: Vec<NamedTensor>) -> Result<Vec<Layer>, ExchangeError> {
    let tensors = tensors.into_iter().filter(|tensor| !tensor.name.contains("seed_generator")).collect();
    Ok(in_natural_order(layers_of(tensors, KERAS_EPSILON)?))
}
