//! What the bytes of a checkpoint hold, checked before Burn reads them.
//!
//! Burn's records panic on an invalid parameter ID or tensor shape, and allocate memory for lengths that are only
//! claimed. Here the bytes become a tree that borrows from them; every tensor in it must hold as many bytes as
//! its shape says, and every parameter must have the shape that the model gives it.

use std::collections::BTreeMap;

use burn::module::ParamId;
use rmpv::ValueRef;
use rmpv::decode::read_value_ref_with_max_depth;

/// Nested values: records of modules are as deep as the modules.
const MAX_DEPTH: usize = 128;

/// More dimensions than any tensor has.
const MAX_RANK: usize = 16;

/// The path and shape of every weight of a model.
pub(super) type Shapes = Vec<(String, Vec<usize>)>;

/// The shape of every parameter, by its ID.
type Parameters<'a> = BTreeMap<&'a str, Vec<usize>>;

/// Checks the record of a model, its best model, an optimizer, and a text.
pub(super) fn check(bytes: &[u8], expected: &Shapes) -> Result<(), String> {
    let mut rest = bytes;
    let root = read_value_ref_with_max_depth(&mut rest, MAX_DEPTH).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes after its end", rest.len()));
    }
    check_names(&root)?;
    let Some(ValueRef::Array(items)) = field(&root, "item") else {
        return Err("no list `item`".to_owned());
    };
    let [model, best, optimizer, ValueRef::String(_)] = &items[..] else {
        return Err("another list `item` than model, best model, optimizer and position".to_owned());
    };
    let mut parameters = Parameters::new();
    for model in [model, best] {
        check_value(model, &mut parameters)?;
        check_shapes(model, expected)?;
    }
    check_value(optimizer, &mut Parameters::new())?;
    check_states(optimizer, &parameters)
}

/// Checks that everything is named by text: Burn would take a number for the place of a field.
fn check_names(value: &ValueRef<'_>) -> Result<(), String> {
    match value {
        ValueRef::Map(entries) => entries.iter().try_for_each(|(name, value)| match text(name) {
            Some(_) => check_names(value),
            None => Err(format!("a field named {name}")),
        }),
        ValueRef::Array(values) => values.iter().try_for_each(check_names),
        ValueRef::Ext(..) => Err("a value of a type of its own".to_owned()),
        _ => Ok(()),
    }
}

/// Checks tensors and parameters at any depth, and collects the parameters.
fn check_value<'a>(value: &'a ValueRef<'_>, parameters: &mut Parameters<'a>) -> Result<(), String> {
    match value {
        ValueRef::Map(_) if field(value, "bytes").is_some() => tensor_shape(value).map(|_| ()),
        ValueRef::Map(entries) => {
            if let (Some(id), Some(tensor)) = (field(value, "id"), field(value, "param")) {
                let id = text(id).filter(|id| is_id(id)).ok_or_else(|| format!("the parameter ID {id}"))?;
                parameters.insert(id, tensor_shape(tensor).map_err(|found| format!("parameter {id}: {found}"))?);
            }
            entries.iter().try_for_each(|(_, value)| check_value(value, parameters))
        }
        // Burn would take a list for the fields of a parameter or a tensor, in their order.
        ValueRef::Array(values) if values.iter().any(|value| text(value).is_some()) => {
            Err("a text in a list".to_owned())
        }
        ValueRef::Array(values) => values.iter().try_for_each(|value| check_value(value, parameters)),
        ValueRef::Binary(_) => Err("bytes that are no tensor's".to_owned()),
        _ => Ok(()),
    }
}

/// Returns the shape of a tensor that holds as many bytes as its shape and dtype say.
fn tensor_shape(tensor: &ValueRef<'_>) -> Result<Vec<usize>, String> {
    let Some(ValueRef::Binary(bytes)) = field(tensor, "bytes") else { return Err("a tensor without bytes".to_owned()) };
    let size = field(tensor, "dtype").and_then(element_size).ok_or("a tensor without a known dtype")?;
    let Some(ValueRef::Array(dimensions)) = field(tensor, "shape") else {
        return Err("a tensor without a shape".to_owned());
    };
    let dimension = |value: &ValueRef<'_>| value.as_u64().and_then(|value| usize::try_from(value).ok());
    let shape: Vec<usize> = dimensions.iter().map(dimension).collect::<Option<_>>().ok_or("a shape that is none")?;
    let len = shape.iter().try_fold(size, |len, &dimension| len.checked_mul(dimension));
    match (1..=MAX_RANK).contains(&shape.len()) && len == Some(bytes.len()) {
        true => Ok(shape),
        false => Err(format!("{} bytes for a tensor of shape {shape:?}", bytes.len())),
    }
}

/// Returns the number of bytes of one element of a dtype.
fn element_size(dtype: &ValueRef<'_>) -> Option<usize> {
    match text(dtype) {
        Some("F64" | "I64" | "U64") => Some(8),
        Some("F32" | "Flex32" | "I32" | "U32") => Some(4),
        Some("F16" | "BF16" | "I16" | "U16") => Some(2),
        Some("I8" | "U8") => Some(1),
        Some(_) => None,
        None => match text(field(dtype, "Bool")?)? {
            "U32" => Some(4),
            "Native" | "U8" => Some(1),
            _ => None,
        },
    }
}

/// Checks the shape of every weight that is found at its path.
fn check_shapes(model: &ValueRef<'_>, expected: &Shapes) -> Result<(), String> {
    for (path, expected) in expected {
        let found = path.split('.').try_fold(model, field).and_then(|parameter| field(parameter, "param"));
        match found.map(tensor_shape).transpose()? {
            Some(shape) if shape != *expected => return Err(format!("{path} of shape {shape:?}, not {expected:?}")),
            _ => {}
        }
    }
    Ok(())
}

/// Checks what an optimizer keeps for each parameter: tensors of the parameter's shape.
fn check_states(optimizer: &ValueRef<'_>, parameters: &Parameters<'_>) -> Result<(), String> {
    let ValueRef::Map(states) = optimizer else { return Ok(()) };
    for (id, state) in states {
        let Some(ValueRef::Map(ranks)) = field(state, "V1") else { continue };
        let id = text(id).unwrap_or_default();
        let shape =
            parameters.get(id).ok_or_else(|| format!("an optimizer's state for {id}, which is no parameter"))?;
        for (rank, state) in ranks {
            if text(rank) != Some(&format!("Rank{}", shape.len())) {
                return Err(format!("an optimizer's state of {rank} for a parameter of shape {shape:?}"));
            }
            check_state(state, shape)?;
        }
    }
    Ok(())
}

fn check_state(state: &ValueRef<'_>, expected: &[usize]) -> Result<(), String> {
    let ValueRef::Map(entries) = state else { return Ok(()) };
    if field(state, "bytes").is_none() {
        return entries.iter().try_for_each(|(_, value)| check_state(value, expected));
    }
    match tensor_shape(state)? {
        shape if shape == expected => Ok(()),
        shape => Err(format!("an optimizer's state of shape {shape:?} for a parameter of shape {expected:?}")),
    }
}

fn field<'a, 'b>(value: &'a ValueRef<'b>, name: &str) -> Option<&'a ValueRef<'b>> {
    let ValueRef::Map(entries) = value else { return None };
    entries.iter().find(|(key, _)| text(key) == Some(name)).map(|(_, value)| value)
}

fn text<'a>(value: &'a ValueRef<'_>) -> Option<&'a str> {
    let ValueRef::String(text) = value else { return None };
    text.as_str()
}

/// Returns whether Burn reads a text as a parameter ID: eight bytes in 13 characters.
fn is_id(text: &str) -> bool {
    text.len() == 13 && ParamId::try_deserialize(text).is_some()
}
