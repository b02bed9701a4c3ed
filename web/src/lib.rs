//! The engine of `burn-pooling explore` for a Web Worker: requests and answers as JSON text.

use std::sync::OnceLock;

use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::explore::{Answer, Engine, Request};
use burn_pooling::mnist::{ImageDataset, ImageSets, read_images, read_labels};
use wasm_bindgen::prelude::*;
use web_time::Instant;

/// The four variants, untrained, and the images that they are trained on.
#[wasm_bindgen]
pub struct Host(Engine<Autodiff<Flex>>);

#[wasm_bindgen]
impl Host {
    /// Makes the engine from the four IDX files of a data set, unpacked.
    ///
    /// # Errors
    /// If they are no such files, or do not belong together.
    #[wasm_bindgen(constructor)]
    pub fn new(
        train_images: &[u8], train_labels: &[u8], test_images: &[u8], test_labels: &[u8],
    ) -> Result<Host, JsError> {
        console_error_panic_hook::set_once();
        let set = |images: &[u8], labels: &[u8], name: &str| -> Result<ImageDataset, JsError> {
            let images = read_images(images, &format!("{name} images"))?;
            let labels = read_labels(labels, &format!("{name} labels"))?;
            ImageDataset::new(images, labels)
                .map_err(|counts| JsError::new(&format!("{name}: {} images, {} labels", counts.images, counts.labels)))
        };
        let train = set(train_images, train_labels, "training")?;
        let test = set(test_images, test_labels, "test")?;
        if train.image_shape() != test.image_shape() {
            return Err(JsError::new("expected training and test images of one shape"));
        }
        Ok(Self(Engine::new(ImageSets { train, test }, Default::default(), seconds)?))
    }

    /// Answers a request, both as JSON.
    pub fn answer(&mut self, request: &str) -> String {
        let answer = match serde_json::from_str::<Request>(request) {
            Ok(request) => self.0.answer(request),
            Err(error) => Answer::Failed { error: format!("expected a request, found {error}") },
        };
        serde_json::to_string(&answer).unwrap_or_else(|error| format!(r#"{{"answer":"failed","error":"{error}"}}"#))
    }
}

/// Seconds since the first call.
fn seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}
