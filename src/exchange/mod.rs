//! Networks out to PyTorch, Keras and ONNX, and in from there.
//!
//! The same weights stand in another order in every framework, under other names:
//!
//! | weight | Burn, ONNX | PyTorch | Keras |
//! | --- | --- | --- | --- |
//! | convolution | `[out, in, height, width]` | the same | `[height, width, in, out]` |
//! | linear layer behind a flattening | `[channels height width, out]` | `[out, channels height width]` | `[height width channels, out]` |
//! | linear layer | `[in, out]` | `[out, in]` | `[in, out]` |
//! | scale and shift of batch normalisation | `gamma`, `beta` | `weight`, `bias` | `gamma`, `beta` |
//!
//! A linear layer that is not rearranged may load without an error, and then classifies as if by chance: [`Export`] and
//! [`Import`] rearrange every weight.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn_pooling::backend::Flex;
//! use burn_pooling::exchange::{Export, Import, Structure};
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//!
//! let (config, device) = (PoolingCnnConfig::new(Variant::GlobalMax), Default::default());
//! let model = config.init::<Flex>(&device)?;
//! let onnx = Export::of(&config, &model)?.onnx(false)?;
//!
//! let import = Import::onnx(&onnx, None)?.fit(&Structure::new(Variant::GlobalMax))?;
//! assert_eq!(import.config().stages, config.stages);
//! let again = import.network::<Flex>(&device)?;
//! assert_eq!(again.stage1.conv.weight.to_data(), model.stage1.conv.weight.to_data());
//! # }
//! # Ok::<(), burn_pooling::exchange::ExchangeError>(())
//! ```

mod about;
mod error;
mod export;
mod import;
mod layout;
mod operations;
mod weights;

pub use about::About;
pub use error::ExchangeError;
pub use export::Export;
pub use import::{Import, Imported, Match, Structure};
pub use layout::Layout;
