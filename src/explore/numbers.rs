//! Many numbers in JSON: base64 of their bytes, which a page reads into a typed array.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Numbers, in JSON base64 of 32 bits each, little endian.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers(pub Vec<f32>);

/// Bytes, in JSON base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Bytes(self.0.iter().flat_map(|number| number.to_le_bytes()).collect()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        match rest.is_empty() {
            true => Ok(Self(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())),
            false => Err(D::Error::custom(format!("expected four bytes for each number, found {}", bytes.len()))),
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(&text).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_and_others_are_refused() {
        let numbers = Numbers(vec![1.5, -0.0, f32::MAX]);
        let text = serde_json::to_string(&numbers).unwrap();
        assert_eq!(text, "\"AADAPwAAAID//39/\"");
        assert_eq!(serde_json::from_str::<Numbers>(&text).unwrap(), numbers);
        for wrong in ["\"AADA\"", "\"?\"", "1"] {
            assert!(serde_json::from_str::<Numbers>(wrong).is_err(), "{wrong}");
        }
    }
}
