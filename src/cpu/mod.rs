//! The CPU engine: what the layers compute on backends whose tensors lie in memory.

pub(crate) mod conv_pool;
