//! What a summary says of one layer or operation.

use serde::Serialize;

use super::shape::Dimensions;

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A module that holds the modules and operations of the deeper rows that follow.
    Container,
    /// A module with parameters of its own.
    Layer,
    /// An operation without parameters.
    Operation,
    /// A module whose parameters the forward pass never uses.
    Unused,
}

/// A sliding window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its size along each spatial dimension.
    pub size: Vec<usize>,
    /// Steps between windows.
    pub stride: Vec<usize>,
    /// Steps between the elements of a window.
    pub dilation: Vec<usize>,
}

/// Numbers of parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ParameterCount {
    /// Trained ones.
    pub trainable: usize,
    /// Frozen ones, and statistics such as batch normalisation's running mean.
    pub non_trainable: usize,
}

impl ParameterCount {
    /// Trainable or not.
    pub fn total(self) -> usize {
        self.trainable + self.non_trainable
    }
}

impl std::ops::AddAssign for ParameterCount {
    fn add_assign(&mut self, other: Self) {
        self.trainable += other.trainable;
        self.non_trainable += other.non_trainable;
    }
}

/// One row of a summary, for the summary's batch size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Path in the module, such as `encoder.layers.0.norm_1`; empty for an operation that belongs
    /// to no known module, and for the module itself.
    pub path: String,
    /// Burn type of a module, such as `Conv2d`; name of an operation, such as `Relu`.
    pub kind: String,
    /// What the row stands for.
    pub role: Role,
    /// How many containers it lies in.
    pub depth: usize,
    /// Shape of what goes in.
    pub input: Option<Dimensions>,
    /// Shape of what comes out.
    pub output: Option<Dimensions>,
    /// The window it slides over its input.
    pub window: Option<Window>,
    /// Parameters that no row before has counted; a container's are the sum of its rows.
    pub parameters: ParameterCount,
    /// Whether all its parameters belong to a row before: the module runs again.
    pub shared: bool,
    /// How many times the row runs in a row, as in a loop over time.
    pub repeats: usize,
    /// Multiply-adds of the forward pass.
    pub multiply_adds: u64,
    /// Bytes of the result; a container's are the sum of its rows.
    pub activation_bytes: usize,
    /// How many positions of the input one position of the result sees along each spatial
    /// dimension.
    pub receptive_field: Option<Vec<usize>>,
}

impl Row {
    /// Whether it is a layer or an operation that runs, not a group or a leftover.
    pub fn runs(&self) -> bool {
        matches!(self.role, Role::Layer | Role::Operation)
    }

    /// The last step of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}
