//! PyTorch's `.pt` and `.pth` files.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use burn::tensor::DType;
use zip::ZipArchive;

use super::chain::unsupported;
use super::file::Import;
use super::layer::{Layer, LayerKind, layers_of};
use super::pickle::{Pickle, Place, Value};
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::EPSILON;
use crate::exchange::weights::{NamedTensor, numbers};

/// What training scripts call the state dict in a checkpoint of several things.
const KEYS: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// How files of versions before 1.6 begin: a pickle of a long number.
const OLD: &[u8] = b"\x80\x02\x8a\x0a";

impl Import {
    /// Reads a state dict, or a checkpoint with one, from a file that `torch.save` wrote. No code in it is run.
    ///
    /// # Errors
    /// [`ExchangeError`] if it cannot be read, holds no state dict, or holds layers of other kinds.
    pub fn pytorch(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let (pickle, storages) = match bytes.starts_with(OLD) {
            true => old(bytes),
            false => archive(bytes),
        }
        .map_err(content)?;
        let state_dict = state_dict(&pickle).map_err(content)?;
        let mut tensors = Vec::new();
        for (name, place) in state_dict {
            let name = pickle.text(name).ok_or_else(|| content("a tensor without a name".to_owned()))?;
            let tensor = tensor(&pickle, place, &storages).map_err(|found| content(format!("{name}: {found}")))?;
            tensors.extend(tensor.map(|(shape, values)| NamedTensor { name: name.to_owned(), shape, values }));
        }
        let layers = layers_of(tensors, EPSILON)?;
        check_normalisations(&layers)?;
        Ok(Self { layers, stages: None, layout: Some(Layout::PyTorch) })
    }
}

/// Checks that no batch normalisation stands behind a linear layer: a state dict keeps the order of the layers.
fn check_normalisations(layers: &[Layer]) -> Result<(), ExchangeError> {
    let is_behind = |pair: &[Layer]| {
        matches!(pair, [before, layer]
            if matches!(before.kind, LayerKind::Linear { .. }) && matches!(layer.kind, LayerKind::Normalisation { .. }))
    };
    match layers.windows(2).find(|pair| is_behind(pair)) {
        Some(pair) => {
            Err(unsupported(&pair[1].path, format!("batch normalisation behind the linear layer {}", pair[0].path)))
        }
        None => Ok(()),
    }
}

fn content(found: String) -> ExchangeError {
    ExchangeError::Content { expected: "a file of PyTorch with a state dict (model.state_dict())", found }
}

/// The bytes of every storage, by its key.
type Storages = HashMap<String, Vec<u8>>;

/// Reads an archive: a pickle, and a file for each storage.
fn archive(bytes: &[u8]) -> Result<(Pickle, Storages), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let root = names.iter().find_map(|name| name.strip_suffix("data.pkl")).ok_or("no data.pkl")?.to_owned();
    let mut file = |name: &str| -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        let file = archive.by_name(name).map_err(|error| format!("{name}: {error}"))?;
        // Nothing is compressed: no file is larger than the archive.
        file.take(bytes.len() as u64).read_to_end(&mut content).map_err(|error| format!("{name}: {error}"))?;
        Ok(content)
    };
    if file(&format!("{root}byteorder")).is_ok_and(|order| order.starts_with(b"big")) {
        return Err("numbers in big-endian order".to_owned());
    }
    let (pickle, _) = Pickle::read(&file(&format!("{root}data.pkl"))?).map(|(pickle, rest)| (pickle, rest.len()))?;
    let mut storages = Storages::new();
    for name in &names {
        if let Some(key) = name.strip_prefix(&format!("{root}data/")) {
            storages.insert(key.to_owned(), file(name)?);
        }
    }
    Ok((pickle, storages))
}

/// Reads a file of a version before 1.6: three pickles about the file, the object's, one of the storages' keys, and the
/// storages, each behind its number of values.
fn old(bytes: &[u8]) -> Result<(Pickle, Storages), String> {
    let mut rest = bytes;
    for _ in 0..3 {
        rest = Pickle::read(rest)?.1;
    }
    let (pickle, rest) = Pickle::read(rest)?;
    let (keys, mut rest) = Pickle::read(rest)?;
    let sizes = pickle.storages();
    let mut storages = Storages::new();
    for &key in keys.sequence(keys.root).ok_or("no list of storages")? {
        let key = keys.text(key).ok_or("a storage without a name")?;
        let size = sizes.get(key).ok_or("a storage that nothing uses")?;
        let (count, values) = rest.split_at_checked(8).ok_or("an end too early")?;
        let count = u64::from_le_bytes(count.try_into().unwrap_or_default());
        let bytes =
            usize::try_from(count).ok().and_then(|count| count.checked_mul(*size)).ok_or("a storage too large")?;
        let (values, behind) = values.split_at_checked(bytes).ok_or("an end too early")?;
        storages.insert(key.to_owned(), values.to_vec());
        rest = behind;
    }
    Ok((pickle, storages))
}

/// A storage's type: its class, the bytes of a number, and the numbers, if they have fractions.
const TYPES: [(&str, usize, Option<DType>); 10] = [
    ("torch.FloatStorage", 4, Some(DType::F32)),
    ("torch.DoubleStorage", 8, Some(DType::F64)),
    ("torch.HalfStorage", 2, Some(DType::F16)),
    ("torch.BFloat16Storage", 2, Some(DType::BF16)),
    ("torch.LongStorage", 8, None),
    ("torch.IntStorage", 4, None),
    ("torch.ShortStorage", 2, None),
    ("torch.CharStorage", 1, None),
    ("torch.ByteStorage", 1, None),
    ("torch.BoolStorage", 1, None),
];

impl Pickle {
    /// Returns the key and the type of a storage: `('storage', class, key, device, count)`.
    fn storage(&self, place: Place) -> Option<(&str, usize, Option<DType>)> {
        let Value::Persistent(name) = *self.get(place) else { return None };
        let [_, class, key, ..] = *self.sequence(name)? else { return None };
        let class = self.global(class)?;
        let &(_, size, dtype) = TYPES.iter().find(|(name, ..)| *name == class)?;
        Some((self.text(key)?, size, dtype))
    }

    /// Returns the bytes of a number of every storage, by its key.
    fn storages(&self) -> HashMap<&str, usize> {
        let storages = self.places().filter_map(|place| self.storage(place));
        storages.map(|(key, size, _)| (key, size)).collect()
    }

    /// Returns the arguments of what makes a tensor: its storage, first value, sizes, strides.
    fn tensor(&self, place: Place) -> Option<&[Place]> {
        match self.call(place)? {
            ("torch._utils._rebuild_tensor_v2", arguments) => Some(arguments),
            ("torch._utils._rebuild_parameter", &[tensor, ..]) if tensor < place => self.tensor(tensor),
            _ => None,
        }
    }
}

/// Returns the names and places of a state dict's tensors: the file's own, or those of one of its dictionaries.
fn state_dict(pickle: &Pickle) -> Result<Vec<(Place, Place)>, String> {
    let tensors = |place: Place| -> Vec<(Place, Place)> {
        let Value::Dict(entries) = pickle.get(place) else { return Vec::new() };
        entries.iter().copied().filter(|(_, value)| pickle.tensor(*value).is_some()).collect()
    };
    let Value::Dict(entries) = pickle.get(pickle.root) else {
        return Err("an object that is no state dict, which `torch.save(model.state_dict(), file)` writes".to_owned());
    };
    let named =
        |key: &str| entries.iter().find(|(name, _)| pickle.text(*name) == Some(key)).map(|(_, value)| tensors(*value));
    if let Some(known) = KEYS.iter().filter_map(|key| named(key)).find(|tensors| !tensors.is_empty()) {
        return Ok(known);
    }
    let own = tensors(pickle.root);
    if !own.is_empty() {
        return Ok(own);
    }
    let mut all: Vec<_> =
        entries.iter().map(|(_, value)| tensors(*value)).filter(|tensors| !tensors.is_empty()).collect();
    let keys = || entries.iter().filter_map(|(name, _)| pickle.text(*name)).collect::<Vec<_>>().join(", ");
    match all.len() {
        1 => Ok(all.swap_remove(0)),
        0 => Err(format!("no tensors, but {}", keys())),
        _ => Err(format!("several groups of tensors among {}", keys())),
    }
}

type Tensor = (Vec<usize>, Vec<f32>);

/// Returns a tensor's shape and values, in order whatever its strides; `None` if it is not of fractions.
fn tensor(pickle: &Pickle, place: Place, storages: &Storages) -> Result<Option<Tensor>, String> {
    let broken = || "a tensor without storage, sizes or strides".to_owned();
    let Some(&[storage, offset, sizes, strides, ..]) = pickle.tensor(place) else { return Err(broken()) };
    let counts = |place| pickle.sequence(place)?.iter().map(|&place| pickle.count(place)).collect::<Option<Vec<_>>>();
    let (Some((key, size, dtype)), Some(offset)) = (pickle.storage(storage), pickle.count(offset)) else {
        return Err(broken());
    };
    let (Some(shape), Some(strides)) = (counts(sizes), counts(strides)) else { return Err(broken()) };
    let Some(dtype) = dtype else { return Ok(None) };
    let bytes = storages.get(key).ok_or_else(|| format!("no storage {key}"))?;
    let places = places(&shape, &strides, offset, bytes.len() / size).ok_or("more values than the file has")?;
    let ordered = places.into_iter().flat_map(|place| &bytes[place * size..(place + 1) * size]).copied().collect();
    Ok(Some((shape.clone(), numbers(ordered, shape, dtype)?)))
}

/// Returns where each value lies among `count`; `None` if one lies behind them, or there are more.
fn places(shape: &[usize], strides: &[usize], offset: usize, count: usize) -> Option<Vec<usize>> {
    let values = shape.iter().try_fold(1_usize, |values, &size| values.checked_mul(size))?;
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(offset, |last, (&size, &stride)| last.checked_add(size.saturating_sub(1).checked_mul(stride)?))?;
    if shape.len() != strides.len() || values > count || (values > 0 && last >= count) {
        return None;
    }
    Some(shape.iter().zip(strides).fold(vec![offset], |places, (&size, &stride)| {
        places.into_iter().flat_map(|place| (0..size).map(move |index| place + index * stride)).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn values_are_found_by_their_strides() {
        assert_eq!(places(&[2, 3], &[3, 1], 1, 7), Some(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(places(&[2, 3], &[1, 2], 0, 6), Some(vec![0, 2, 4, 1, 3, 5])); // transposed
        assert_eq!(places(&[2, 3], &[3, 1], 1, 6), None);
        assert_eq!(places(&[1 << 40], &[0], 0, 6), None); // one value, repeated
    }
}
