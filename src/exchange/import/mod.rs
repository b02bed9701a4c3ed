//! A network out of the file of another framework.

mod assemble;
mod chain;
mod file;
mod keras;
mod layer;
mod normalise;
mod onnx;
mod pickle;
mod pytorch;
mod roles;
mod stages;
mod structure;

use std::collections::VecDeque;
use std::path::Path;

pub use file::Import;
pub use structure::{Imported, Match, Structure};

use super::error::ExchangeError;
use super::layout::Layout;
use assemble::assemble;
use roles::roles;

impl Import {
    /// Reads the file at `path`, whose content is `bytes`, in the format that its content tells: PyTorch's, Keras'
    /// or safetensors; ONNX, and what is broken, by its extension.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is in none of these formats, or holds another network.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Self, ExchangeError> {
        let is_archive_of_keras = || keras::is_archive(bytes);
        let is_safetensors = bytes.get(8) == Some(&b'{');
        match (bytes, path.extension().and_then(|extension| extension.to_str())) {
            ([b'P', b'K', ..], _) if is_archive_of_keras() => Self::keras(bytes),
            ([0x89, b'H', b'D', b'F', ..], _) => Self::keras_weights(bytes),
            (_, _) if is_safetensors => Self::safetensors(bytes),
            (_, Some("onnx")) => Self::onnx(bytes, path.parent()),
            (_, Some("keras")) => Self::keras(bytes),
            (_, Some("h5" | "hdf5")) => Self::keras_weights(bytes),
            (_, Some("safetensors")) => Self::safetensors(bytes),
            _ => Self::pytorch(bytes),
        }
    }

    /// Fits the layers to a structure: by their shapes, and by their order where shapes are equal.
    ///
    /// # Errors
    /// [`ExchangeError::Structure`] if the file holds another network; [`ExchangeError::Layout`] or
    /// [`ExchangeError::Stages`] if its shapes allow several.
    pub fn fit(&self, structure: &Structure) -> Result<Imported, ExchangeError> {
        if let (Some(decided), Some(asked)) = (self.layout, structure.layout)
            && decided != asked
        {
            let (expected, found) = (format!("the layout {decided}, which the format has"), asked.to_string());
            return Err(ExchangeError::Structure { expected, found, remedy: "leave the layout out: the file says it" });
        }
        let layouts: Vec<Layout> = match self.layout.or(structure.layout) {
            Some(layout) => vec![layout],
            None => [Layout::PyTorch, Layout::Burn, Layout::Keras].into(),
        };
        // What fits, or would if more were said; and why the others do not, first those whose layers at least follow each other.
        let (mut possible, mut misfits) = (Vec::new(), VecDeque::new());
        for layout in layouts {
            match roles(&self.layers, &structure.network, layout) {
                Ok(roles) => match assemble(&roles, self.stages.as_deref(), structure, layout) {
                    Err(error) if !matches!(error, ExchangeError::Stages(_)) => misfits.push_front(error),
                    result => possible.push((layout, result)),
                },
                Err(error) => misfits.push_back(error),
            }
        }
        match (possible.len(), misfits.pop_front()) {
            (0, Some(error)) => Err(error),
            (1, _) => possible.remove(0).1,
            _ => Err(ExchangeError::Layout(possible.into_iter().map(|(layout, _)| layout).collect())),
        }
    }
}
