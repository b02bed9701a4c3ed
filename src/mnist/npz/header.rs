//! The header of an array (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>): a magic number,
//! the version, the header's length, and a dictionary as Python writes it, with the keys `descr`, `fortran_order` and
//! `shape`.

use std::io::Read;

use super::integer::Integer;
use super::literal::Literals;
use crate::mnist::error::{ArrayError, DataError};
use crate::mnist::values::unreadable;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header: NumPy itself reads no longer one unless told to.
const MOST_BYTES: u32 = 10_000;

/// What an array's values are, and how they lie.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub values: Integer,
    /// Whether the first index changes fastest, not the last.
    pub fortran_order: bool,
    pub shape: Vec<u64>,
}

/// Reads the header in front of an array's values; `file` names it in errors.
pub(super) fn read_header(reader: &mut impl Read, file: &str) -> Result<Header, DataError> {
    let other = |found: String| ArrayError::Header { file: file.to_owned(), found };
    let [.., major, _minor] = take::<8>(reader, file).and_then(|start: [u8; 8]| match start.starts_with(MAGIC) {
        true => Ok(start),
        false => Err(other("another one".to_owned()).into()),
    })?;
    let len = match major {
        1 => u16::from_le_bytes(take(reader, file)?).into(),
        2 | 3 => u32::from_le_bytes(take(reader, file)?),
        _ => return Err(other(format!("version {major} of it")).into()),
    };
    if len > MOST_BYTES {
        return Err(other(format!("a header of {len} bytes, more than {MOST_BYTES}")).into());
    }
    let mut bytes = vec![0; len as usize];
    reader.read_exact(&mut bytes).map_err(|source| unreadable(file, source))?;
    let text = String::from_utf8_lossy(&bytes);
    let (descr, fortran_order, shape) = parse(&text).ok_or_else(|| other(shortened(&text)))?;
    let found = || ArrayError::ValueType { file: file.to_owned(), found: descr.to_owned() };
    Ok(Header { values: Integer::parse(descr).ok_or_else(found)?, fortran_order, shape })
}

fn take<const LEN: usize>(reader: &mut impl Read, file: &str) -> Result<[u8; LEN], DataError> {
    let mut bytes = [0; LEN];
    reader.read_exact(&mut bytes).map_err(|source| unreadable(file, source))?;
    Ok(bytes)
}

/// The values of the three keys, in any order; `None` if it is no such dictionary.
fn parse(text: &str) -> Option<(&str, bool, Vec<u64>)> {
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    let mut rest = Literals(text);
    rest.symbol('{')?;
    while rest.symbol('}').is_none() {
        let key = rest.text()?;
        rest.symbol(':')?;
        let is_first = match key {
            "descr" => descr.replace(rest.text()?).is_none(),
            "fortran_order" => fortran_order.replace(rest.boolean()?).is_none(),
            "shape" => shape.replace(rest.numbers()?).is_none(),
            _ => false,
        };
        let is_closed = rest.0.trim_start().starts_with('}');
        if !is_first || rest.symbol(',').is_none() && !is_closed {
            return None;
        }
    }
    if !rest.0.trim().is_empty() {
        return None;
    }
    Some((descr?, fortran_order?, shape?))
}

fn shortened(header: &str) -> String {
    format!("the header {:?}", header.trim().chars().take(100).collect::<String>())
}
