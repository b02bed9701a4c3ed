//! NumPy's integers, as they lie in a file.

/// A type of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Integer {
    /// In bytes: 1, 2, 4 or 8.
    pub size: usize,
    is_signed: bool,
    is_big_endian: bool,
}

impl Integer {
    /// The type of such a name, as `|u1` or `<i8`; `None` if it is none of integers.
    pub fn parse(name: &str) -> Option<Self> {
        let mut letters = name.chars();
        let order = letters.next()?;
        let is_signed = match letters.next()? {
            'u' => false,
            'i' => true,
            _ => return None,
        };
        let size = letters.as_str().parse().ok().filter(|size| [1, 2, 4, 8].contains(size))?;
        let is_ordered = ['<', '>'].contains(&order) || order == '|' && size == 1;
        is_ordered.then_some(Self { size, is_signed, is_big_endian: order == '>' })
    }

    /// Returns the values as bytes, or the first that is none.
    pub fn bytes(self, values: Vec<u8>) -> Result<Vec<u8>, i128> {
        if self.size == 1 && !self.is_signed {
            return Ok(values);
        }
        let byte = |value: &[u8]| u8::try_from(self.value(value)).map_err(|_| self.value(value));
        values.chunks_exact(self.size).map(byte).collect()
    }

    fn value(self, bytes: &[u8]) -> i128 {
        let append = |value: i128, &byte: &u8| value << 8 | i128::from(byte);
        let value = match self.is_big_endian {
            true => bytes.iter().fold(0, append),
            false => bytes.iter().rev().fold(0, append),
        };
        let bits = 8 * bytes.len();
        if self.is_signed && value >> (bits - 1) == 1 { value - (1 << bits) } else { value }
    }
}
