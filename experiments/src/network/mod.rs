//! The networks: the library's own blocks, in whatever stages an experiment asks for.

mod config;
mod costs;
mod module;

pub use config::{Downsampling, Head, NetworkConfig, NetworkError};
pub use costs::Costs;
pub use module::Network;
