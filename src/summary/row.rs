//! What a summary says of one layer or operation.

use serde::Serialize;

use super::{operation::Kernel, shape::Dimensions};

/// What a row stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A module that holds the modules and operations of the deeper rows that follow.
    Container,
    /// A module with parameters of its own.
    Layer,
    /// An operation without parameters.
    #[default]
    Operation,
    /// A module whose parameters the forward pass never uses.
    Unused,
}

/// Numbers of parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ParameterCount {
    /// Number of trainable parameters.
    pub trainable: usize,
    /// Number of frozen parameters and of statistics such as batch normalisation's running mean.
    pub non_trainable: usize,
}

impl ParameterCount {
    /// Returns the count of so many parameters, all of them trainable or none.
    pub(super) fn new(parameters: usize, trainable: bool) -> Self {
        let (trainable, non_trainable) = if trainable { (parameters, 0) } else { (0, parameters) };
        Self { trainable, non_trainable }
    }

    /// Returns the number of all parameters, trainable or not.
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

/// A tensor of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weight {
    /// Its name in the layer, such as `weight`.
    pub name: String,
    /// Its shape: of a linear layer `[inputs, outputs]`, of a convolution `[outputs, inputs / groups, kernel...]`.
    pub shape: Vec<usize>,
}

/// One row of a summary, for the summary's batch size.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Row {
    /// Path in the module, such as `encoder.layers.0.norm_1`; empty for an operation that belongs
    /// to no known module, and for the module itself.
    pub path: String,
    /// Burn type of a module, such as `Conv2d`; name of an operation, such as `Relu`.
    pub kind: String,
    /// `false` if several fields could be this operation, of which the path names the likeliest.
    pub is_certain: bool,
    /// What the row stands for.
    pub role: Role,
    /// How many containers it lies in.
    pub depth: usize,
    /// Input shape.
    pub input: Option<Dimensions>,
    /// Output shape.
    pub output: Option<Dimensions>,
    /// The tensors of the layer that it computes with.
    pub weights: Vec<Weight>,
    /// The kernel of a convolution or a pool.
    pub kernel: Option<Kernel>,
    /// Parameters that no row before has counted; a container's are the sum of its rows.
    pub parameters: ParameterCount,
    /// Whether all its parameters belong to a row before: the module runs again.
    pub shared: bool,
    /// Number of iterations, if the row stands in a loop over time; otherwise 1.
    pub repeats: usize,
    /// Multiply-adds of the forward pass.
    pub multiply_adds: u64,
    /// Bytes of the output; a container's are the sum of its rows.
    pub activation_bytes: usize,
    /// The receptive field: how many positions of the model's input one position of the output
    /// sees along each spatial dimension.
    pub receptive_field: Option<Vec<usize>>,
}

impl Row {
    /// Returns whether it is a layer or an operation that runs, not a container or unused.
    pub fn runs(&self) -> bool {
        matches!(self.role, Role::Layer | Role::Operation)
    }
}
