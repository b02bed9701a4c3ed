//! What a file says about a network besides its weights.

use serde::Serialize;

use crate::model::PoolingCnnConfig;

/// What an exported file says about the network besides its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Share of the test images that it classifies correctly, 0 to 1, if it was tested.
    pub test_accuracy: Option<f64>,
    /// The names of the classes, if the data came with names.
    pub class_names: Vec<String>,
    /// How a picture becomes an image that the network knows, in a sentence.
    pub preparation: String,
}

/// The metadata of every format.
#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    producer: &'static str,
    variant: &'a str,
    classes: String,
    input: String,
    scaling: &'static str,
    preparation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_accuracy: Option<String>,
}

impl About {
    /// Returns the metadata of a network.
    pub(super) fn metadata<'a>(&'a self, config: &'a PoolingCnnConfig) -> Metadata<'a> {
        let [height, width] = config.image_size;
        let size = match config.is_global() {
            true => "height and width of any size".to_owned(),
            false => format!("height {height}, width {width}"),
        };
        let name = |class: usize| self.class_names.get(class).cloned().unwrap_or_else(|| class.to_string());
        let classes: Vec<String> = (0..config.classes).map(name).collect();
        Metadata {
            producer: env!("CARGO_PKG_NAME"),
            variant: &config.name,
            classes: classes.join(","),
            input: format!("images of {} channel(s), {size}; the batch size is free", config.channels),
            scaling: "pixels from 0 to 1: bytes divided by 255",
            preparation: &self.preparation,
            test_accuracy: self.test_accuracy.map(|accuracy| accuracy.to_string()),
        }
    }
}

impl Metadata<'_> {
    /// Returns the entries as pairs of texts, in their order.
    pub fn entries(&self) -> Vec<(&'static str, &str)> {
        let always = [
            ("producer", self.producer),
            ("variant", self.variant),
            ("classes", &self.classes),
            ("input", &self.input),
            ("scaling", self.scaling),
            ("preparation", self.preparation),
        ];
        always.into_iter().chain(self.test_accuracy.as_deref().map(|accuracy| ("test_accuracy", accuracy))).collect()
    }

    /// Returns how a picture is prepared.
    pub fn preparation(&self) -> &str {
        self.preparation
    }

    /// Returns the entries as one JSON text.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // texts alone
    }
}
