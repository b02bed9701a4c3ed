//! The names of the four networks.

/// One of the four networks, by how it pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Two stages of convolution and max pooling.
    Max,
    /// Two stages of convolution and average pooling.
    Average,
    /// One convolution, then the maximum of each channel.
    GlobalMax,
    /// One convolution, then the mean of each channel.
    GlobalAverage,
}

impl Variant {
    /// All four, in the order in which they are always shown.
    pub const ALL: [Self; 4] = [Self::Max, Self::Average, Self::GlobalMax, Self::GlobalAverage];

    /// Returns the name that files use: `max`, `average`, `gmp`, `gap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Average => "average",
            Self::GlobalMax => "gmp",
            Self::GlobalAverage => "gap",
        }
    }
}
