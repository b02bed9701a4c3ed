//! A path in JSON: as text, or by its bytes where it is no text.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Bytes(OsString),
}

pub(super) fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    let stored = path.clone().map(|path| match path.into_os_string().into_string() {
        Ok(text) => Stored::Text(text),
        Err(bytes) => Stored::Bytes(bytes),
    });
    stored.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let stored = Option::<Stored>::deserialize(deserializer)?;
    Ok(stored.map(|stored| match stored {
        Stored::Text(text) => text.into(),
        Stored::Bytes(bytes) => bytes.into(),
    }))
}
