//! What a configuration may hold.

/// The largest number of stages of a network.
pub const MAX_STAGES: usize = 4;

/// The largest count, side, stride or padding of a configuration: what is larger comes from a broken file, and would end
/// the process instead of being an error.
pub const MAX_NUMBER: usize = 1 << 16;
