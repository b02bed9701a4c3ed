//! The layers of a Keras model, one after the other.

use serde_json::Value;

use crate::exchange::error::ExchangeError;
use crate::exchange::import::chain::{Chain, unsupported};
use crate::exchange::import::file::Import;
use crate::exchange::import::layer::{Layer, LayerKind};
use crate::exchange::layout::Layout;
use crate::exchange::operations::blur_filters;
use crate::pooling::{Activation, Pool2dConfig};

/// Checks that a layer of a functional model is used once, behind the one before it. A sequential model says nothing of it.
fn check_follows(layer: &Value, before: Option<&str>) -> Result<(), ExchangeError> {
    let Some(uses) = layer["inbound_nodes"].as_array().filter(|_| before.is_some()) else { return Ok(()) };
    let input = ["/inbound_nodes/0/args/0/config/keras_history/0", "/inbound_nodes/0/0/0"] // Keras 3 and 2
        .into_iter()
        .find_map(|path| layer.pointer(path).and_then(Value::as_str));
    match uses.len() == 1 && input == before {
        true => Ok(()),
        false => {
            Err(unsupported(text(&layer["config"]["name"]), "a layer that does not follow the one before it, once"))
        }
    }
}

/// What the layers with weights are called in a file.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    /// By their kinds, counted in the order of the model.
    Counted,
    /// By the names that they have in the model.
    Own,
}

/// A model's layers, as they are read one after the other.
pub(super) struct Reader {
    /// The layers with weights that are still to come.
    weights: Vec<Layer>,
    names: Names,
    chain: Chain,
    /// The zeros that the next convolution adds.
    padding: Option<[usize; 2]>,
}

impl Reader {
    /// Reads the layers that a model describes; `weights` are those with weights, in the order of their names.
    pub fn read(weights: Vec<Layer>, described: &[Value], names: Names) -> Result<Import, ExchangeError> {
        let mut reader = Self { weights, names, chain: Chain::default(), padding: None };
        for (index, layer) in described.iter().enumerate() {
            let before = index.checked_sub(1).map(|before| text(&described[before]["config"]["name"]));
            check_follows(layer, before)?;
            reader.add(text(&layer["class_name"]), &layer["config"])?;
        }
        reader.check_padding("the end")?;
        reader.chain.finish(Layout::Keras)
    }

    fn add(&mut self, class: &str, config: &Value) -> Result<(), ExchangeError> {
        if let Some(format) = config["data_format"].as_str().filter(|&format| format != "channels_last") {
            return Err(unsupported(class, format!("data_format {format}")));
        }
        if !matches!(class, "Conv2D" | "DepthwiseConv2D") {
            self.check_padding(class)?;
        }
        match class {
            "Conv2D" => self.convolution(config)?,
            "DepthwiseConv2D" => self.blur(config)?,
            "BatchNormalization" => {
                let mut layer = self.take("batch_normalization", config)?;
                if let (LayerKind::Normalisation { epsilon, .. }, Some(said)) =
                    (&mut layer.kind, config["epsilon"].as_f64())
                {
                    *epsilon = said as f32;
                }
                self.chain.normalisation(layer)?;
            }
            "ZeroPadding2D" => self.padding = Some(padding(config)?),
            "MaxPooling2D" => self
                .chain
                .pooling(sliding(class, config, |kernel_size, stride| Pool2dConfig::Max { kernel_size, stride })?)?,
            "AveragePooling2D" => self.chain.pooling(sliding(class, config, |kernel_size, stride| {
                Pool2dConfig::Average { kernel_size, stride }
            })?)?,
            "GlobalMaxPooling2D" => self.chain.pooling(Pool2dConfig::GlobalMax)?,
            "GlobalAveragePooling2D" => self.chain.pooling(Pool2dConfig::GlobalAverage)?,
            "Flatten" => self.chain.flatten(),
            "Dense" => {
                let layer = self.take("dense", config)?;
                self.chain.linear(layer)?;
            }
            "Softmax" => self.chain.softmax(),
            "InputLayer" | "Activation" | "ReLU" => {}
            // Bytes become what this crate's pixels are.
            "Rescaling" if is_scale(config) && self.chain.is_empty() => {}
            // They do nothing after training.
            "Dropout" | "SpatialDropout2D" | "GaussianNoise" | "GaussianDropout" => {}
            _ if class.starts_with("Random") => {}
            _ => return Err(unsupported(class, "a layer that these networks do not have")),
        }
        match class {
            "ReLU" => self.relu(config),
            _ => self.activation(class, config),
        }
    }

    /// Checks that no zeros wait for a convolution.
    fn check_padding(&self, next: &str) -> Result<(), ExchangeError> {
        match self.padding {
            None => Ok(()),
            Some(_) => Err(unsupported("ZeroPadding2D", format!("{next} behind it, not a convolution"))),
        }
    }

    fn relu(&mut self, config: &Value) -> Result<(), ExchangeError> {
        let is_zero = |name: &str| config[name].as_f64().unwrap_or(0.0) == 0.0;
        match config["max_value"].is_null() && is_zero("negative_slope") && is_zero("threshold") {
            true => self.chain.activation(Activation::Relu),
            false => Err(unsupported("ReLU", "max_value, negative_slope or threshold")),
        }
    }

    /// Adds the activation that a layer names.
    fn activation(&mut self, class: &str, config: &Value) -> Result<(), ExchangeError> {
        let activation = match &config["activation"] {
            Value::Null => return Ok(()),
            Value::String(name) => match name.as_str() {
                "linear" => return Ok(()),
                "softmax" => {
                    self.chain.softmax();
                    return Ok(());
                }
                "relu" => Activation::Relu,
                "gelu" => Activation::Gelu,
                "tanh" => Activation::Tanh,
                "sigmoid" => Activation::Sigmoid,
                _ => return Err(unsupported(class, format!("activation {name}"))),
            },
            other => return Err(unsupported(class, format!("activation {other}"))),
        };
        self.chain.activation(activation)
    }

    /// Takes the weights of a layer.
    fn take(&mut self, kind: &str, config: &Value) -> Result<Layer, ExchangeError> {
        let is_next = |layer: &Layer| {
            let name = layer.path.rsplit('/').next().unwrap_or_default();
            match self.names {
                Names::Own => name == text(&config["name"]),
                Names::Counted => {
                    name.strip_prefix(kind).is_some_and(|count| count.is_empty() || count.starts_with('_'))
                }
            }
        };
        let place = self.weights.iter().position(is_next);
        let place = place.ok_or_else(|| unsupported(kind, "a layer without weights in the file"))?;
        Ok(self.weights.remove(place))
    }

    fn convolution(&mut self, config: &Value) -> Result<(), ExchangeError> {
        let [stride, kernel_size, dilation] =
            ["strides", "kernel_size", "dilation_rate"].map(|name| pair(&config[name]));
        let (stride, zeros) = (stride.unwrap_or([1, 1]), self.padding.take());
        if dilation.is_some_and(|dilation| dilation != [1, 1]) || config["groups"].as_u64().unwrap_or(1) != 1 {
            return Err(unsupported("Conv2D", "dilation or groups"));
        }
        let same = kernel_size.filter(|size| stride == [1, 1] && size.iter().all(|size| size % 2 == 1));
        let padding = match (config["padding"].as_str().unwrap_or("valid"), same, zeros) {
            ("valid", _, zeros) => zeros.unwrap_or([0, 0]),
            ("same", Some(size), None) => size.map(|size| size / 2),
            (padding, ..) => return Err(unsupported("Conv2D", format!("padding {padding} that is uneven"))),
        };
        let layer = self.take("conv2d", config)?;
        self.chain.convolution(layer, stride, padding)
    }

    /// A convolution of each channel by itself is the blur of a blurred maximum, or unknown.
    fn blur(&mut self, config: &Value) -> Result<(), ExchangeError> {
        let (layer, zeros) = (self.take("depthwise_conv2d", config)?, self.padding.take());
        let is_blur = match &layer.kind {
            LayerKind::Convolution { weight, bias: None } => {
                matches!(weight.shape[..], [3, 3, channels, 1] if weight.values == blur_filters(channels, Layout::Keras))
            }
            _ => false,
        };
        match is_blur && zeros == Some([1, 1]) && pair(&config["strides"]) == Some([2, 2]) {
            true => self.chain.blur(),
            false => Err(unsupported("DepthwiseConv2D", "another filter than the blur of a blurred maximum")),
        }
    }
}

/// Reads a number, or a pair of numbers.
fn pair(value: &Value) -> Option<[usize; 2]> {
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    match value.as_array() {
        Some(pair) if pair.len() == 2 => Some([number(&pair[0])?, number(&pair[1])?]),
        Some(_) => None,
        None => number(value).map(|number| [number; 2]),
    }
}

/// Whether a rescaling makes pixels from 0 to 1 of bytes.
fn is_scale(config: &Value) -> bool {
    let number = |name: &str| config[name].as_f64();
    number("scale").is_some_and(|scale| (scale * 255.0 - 1.0).abs() < 1e-6) && number("offset") == Some(0.0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Reads the rows and columns of zeros, which must be as many on opposite sides.
fn padding(config: &Value) -> Result<[usize; 2], ExchangeError> {
    let padding = &config["padding"];
    let side = |value: &Value| pair(value).filter(|[before, after]| before == after).map(|[zeros, _]| zeros);
    let sides = match padding[0].is_array() {
        true => side(&padding[0]).zip(side(&padding[1])).map(|(rows, columns)| [rows, columns]),
        false => pair(padding),
    };
    sides.ok_or_else(|| unsupported("ZeroPadding2D", format!("padding {padding}")))
}

fn sliding(
    class: &str, config: &Value, pool: fn([usize; 2], [usize; 2]) -> Pool2dConfig,
) -> Result<Pool2dConfig, ExchangeError> {
    let size = pair(&config["pool_size"]).ok_or_else(|| unsupported(class, "no pool_size"))?;
    let stride = pair(&config["strides"]).unwrap_or(size);
    match config["padding"].as_str().unwrap_or("valid") {
        "valid" => Ok(pool(size, stride)),
        padding => Err(unsupported(class, format!("padding {padding}"))),
    }
}
