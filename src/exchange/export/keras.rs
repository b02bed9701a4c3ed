//! Keras: the archive `.keras`.

use std::io::{Cursor, Write};

use hdf5_pure::{AttrValue, FileBuilder};
use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::Export;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::{EPSILON, Operation, OperationKind, Pooling, blur_filters};
use crate::pooling::Activation;

/// The version whose format this is.
const VERSION: &str = "3.15.0";

/// A layer of Keras: its class, its options, and its variables in Keras' order.
struct Layer {
    class: &'static str,
    name: String,
    options: Value,
    variables: Vec<(Vec<usize>, Vec<f32>)>,
}

impl Export {
    /// Returns the network as a `.keras` file, a `Sequential` model with channels last, which `keras.saving.load_model`
    /// opens.
    ///
    /// # Shapes
    /// - input: `[batch, height, width, channels]`; with global pooling height and width are free
    /// - output: `[batch, classes]`, the logits
    ///
    /// # Errors
    /// [`ExchangeError::Unwritable`] if the archive cannot be made.
    pub fn keras(&self) -> Result<Vec<u8>, ExchangeError> {
        let mut layers = Vec::new();
        for operation in &self.operations {
            layers.extend(self.layers(operation)?);
        }
        let about = self.about.metadata(&self.config);
        let metadata = json!({ "keras_version": VERSION, env!("CARGO_PKG_NAME"): about });
        let weights = weights(&layers).map_err(unwritable)?;
        let files = [
            ("metadata.json", metadata.to_string().into_bytes()),
            ("config.json", self.model_config(&layers).to_string().into_bytes()),
            ("model.weights.h5", weights),
        ];
        archive(&files).map_err(unwritable)
    }

    fn model_config(&self, layers: &[Layer]) -> Value {
        let [height, width] = self.config.image_size.map(Some);
        let [height, width] = if self.config.is_global() { [None; 2] } else { [height, width] };
        let shape = json!([null, height, width, self.config.channels]);
        let input = json!({ "batch_shape": shape, "dtype": "float32", "name": "images" });
        let layer = |class: &str, config| json!({ "module": "keras.layers", "class_name": class, "config": config, "registered_name": null });
        let layers = layers.iter().map(|Layer { class, options, .. }| layer(class, options.clone()));
        let layers: Vec<Value> = std::iter::once(layer("InputLayer", input)).chain(layers).collect();
        let name: String =
            self.config.name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
        json!({
            "module": "keras",
            "class_name": "Sequential",
            "config": { "name": name, "trainable": true, "dtype": "float32", "layers": layers, "build_input_shape": shape },
            "registered_name": null,
            "build_config": { "input_shape": shape },
        })
    }

    /// Returns the layers that do an operation.
    fn layers(&self, operation: &Operation) -> Result<Vec<Layer>, ExchangeError> {
        let mut variables = Vec::new();
        for weight in operation.weights() {
            variables.push((weight.shape(Layout::Keras), self.weights.get(&weight, Layout::Keras)?));
        }
        let name = operation.path.replace('.', "_");
        let layer = |class, options| Layer::new(class, &name, options);
        Ok(match operation.kind {
            OperationKind::Convolution { filters, kernel_size, stride, padding: [rows, columns], .. } => {
                let conv =
                    layer("Conv2D", json!({ "filters": filters, "kernel_size": kernel_size, "strides": stride }));
                let conv = Layer { variables, ..conv };
                match [rows, columns] {
                    [0, 0] => vec![conv],
                    _ => vec![padding(&name, [rows, columns]), conv],
                }
            }
            OperationKind::Normalisation { .. } => {
                vec![Layer { variables, ..layer("BatchNormalization", json!({ "epsilon": EPSILON })) }]
            }
            OperationKind::Activation(activation) => {
                vec![layer("Activation", json!({ "activation": function(activation) }))]
            }
            OperationKind::Pooling { channels, pool } => pooling(&name, channels, pool),
            OperationKind::Flatten if self.config.is_global() => Vec::new(), // the pooling has left out the two axes
            OperationKind::Flatten => vec![layer("Flatten", json!({}))],
            OperationKind::Linear { outputs, .. } => {
                vec![Layer { variables, ..layer("Dense", json!({ "units": outputs })) }]
            }
        })
    }
}

impl Layer {
    fn new(class: &'static str, name: &str, mut options: Value) -> Self {
        options["name"] = name.into();
        Self { class, name: name.to_owned(), options, variables: Vec::new() }
    }
}

fn function(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "relu",
        Activation::Gelu => "gelu",
        Activation::Tanh => "tanh",
        Activation::Sigmoid => "sigmoid",
        Activation::Identity => "linear",
    }
}

/// Zeros around the maps that the layer `name` takes: Keras' own `same` puts them elsewhere when there is a stride.
fn padding(name: &str, [rows, columns]: [usize; 2]) -> Layer {
    let options = json!({ "padding": [[rows, rows], [columns, columns]] });
    Layer::new("ZeroPadding2D", &format!("{name}_padding"), options)
}

fn pooling(name: &str, channels: usize, pool: Pooling) -> Vec<Layer> {
    let windows = |class, name: &str, size: [usize; 2], strides: [usize; 2]| {
        Layer::new(class, name, json!({ "pool_size": size, "strides": strides }))
    };
    match pool {
        Pooling::Max { kernel_size, stride } => vec![windows("MaxPooling2D", name, kernel_size, stride)],
        Pooling::Average { kernel_size, stride } => vec![windows("AveragePooling2D", name, kernel_size, stride)],
        Pooling::GlobalMax => vec![Layer::new("GlobalMaxPooling2D", name, json!({}))],
        Pooling::GlobalAverage => vec![Layer::new("GlobalAveragePooling2D", name, json!({}))],
        Pooling::BlurredMax => {
            let blur = format!("{name}_blur");
            let options = json!({ "kernel_size": 3, "strides": 2, "use_bias": false, "trainable": false });
            let variables = vec![(vec![3, 3, channels, 1], blur_filters(channels, Layout::Keras))];
            vec![
                windows("MaxPooling2D", name, [2, 2], [1, 1]),
                padding(&blur, [1, 1]),
                Layer { variables, ..Layer::new("DepthwiseConv2D", &blur, options) },
            ]
        }
    }
}

/// Writes the variables: each layer's in a group, which is called as the layer's class, and counted.
fn weights(layers: &[Layer]) -> Result<Vec<u8>, hdf5_pure::Error> {
    let mut file = FileBuilder::new();
    let mut all = file.create_group("layers");
    for (index, layer) in layers.iter().enumerate() {
        let before = layers[..index].iter().filter(|other| other.class == layer.class).count();
        let name = snake_case(layer.class);
        let mut group = all.create_group(&if before == 0 { name } else { format!("{name}_{before}") });
        let mut variables = group.create_group("vars");
        variables.set_attr("name", AttrValue::AsciiString(layer.name.clone()));
        for (number, (shape, values)) in layer.variables.iter().enumerate() {
            let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
            variables.create_dataset(&number.to_string()).with_f32_data(values).with_shape(&shape);
        }
        group.add_group(variables.finish());
        all.add_group(group.finish());
    }
    file.add_group(all.finish());
    file.finish()
}

/// Returns a class's name as Keras' files have it: an underscore between a small and a capital letter, all small.
fn snake_case(class: &str) -> String {
    let mut name = String::new();
    for letter in class.chars() {
        if letter.is_uppercase() && name.ends_with(char::is_lowercase) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn archive(files: &[(&str, Vec<u8>)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored))?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn unwritable(error: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::Unwritable(error.to_string())
}
