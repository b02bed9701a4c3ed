//! The only place that knows Cargo's features: which backends there are, and code that runs on one of them.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::{Tensor, backend::AutodiffBackend};
//! use burn_pooling::backend::{BackendError, BackendName, BackendTask, run_on};
//!
//! struct Sum;
//!
//! impl BackendTask for Sum {
//!     type Output = f32;
//!
//!     fn run<B: AutodiffBackend>(self, device: B::Device) -> f32 {
//!         Tensor::<B, 1>::ones([4], &device).sum().into_data().iter::<f32>().sum()
//!     }
//! }
//!
//! let backend: BackendName = "flex".parse()?; // chosen while the program runs
//! assert_eq!(run_on(backend, Sum)?, 4.0);
//! # }
//! # Ok::<(), burn_pooling::backend::BackendError>(())
//! ```

use burn::tensor::backend::AutodiffBackend;

pub use burn_autodiff::Autodiff;
#[cfg(feature = "cuda")]
pub use burn_cuda::Cuda;
#[cfg(feature = "flex")]
pub use burn_flex::Flex;
#[cfg(feature = "ndarray")]
pub use burn_ndarray::NdArray;
#[cfg(feature = "wgpu")]
pub use burn_wgpu::Wgpu;

/// A backend by name, compiled in or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", parse_err_ty = BackendError, parse_err_fn = unknown_name)]
pub enum BackendName {
    /// CUDA, on NVIDIA's GPUs.
    Cuda,
    /// WebGPU: Vulkan, Metal, DirectX 12.
    Wgpu,
    /// Burn's own CPU backend.
    Flex,
    /// The CPU backend on the `ndarray` crate.
    NdArray,
}

/// Why the backend is unavailable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// No backend has this name.
    #[error("expected a backend (flex, ndarray, wgpu or cuda), found '{0}'")]
    Unknown(String),
    /// The feature is off.
    #[error(
        "the backend {0} is not compiled in; build with `--features {0}` (compiled in: {compiled})",
        compiled = compiled_names()
    )]
    NotCompiled(BackendName),
    /// All features are off.
    #[error("no backend is compiled in; build with `--features flex`")]
    None,
    /// The environment asks for vector instructions that the processor has not, or that do not exist.
    #[error("{variable}: expected a level of this machine ({expected}), found '{found}'; unset it for the highest")]
    Level {
        /// The environment variable: `BURN_POOLING_SIMD`.
        variable: &'static str,
        /// The levels of this machine, the lowest first.
        expected: String,
        /// The variable's value.
        found: String,
    },
    /// The environment asks for exact convolutions in words that mean nothing.
    #[error("{variable}: expected 1, for convolutions product by product, or 0, found '{found}'")]
    Exact {
        /// The environment variable: `BURN_POOLING_EXACT`.
        variable: &'static str,
        /// The variable's value.
        found: String,
    },
    /// The device does not answer.
    #[error("the backend {backend} finds no device that it can use ({reason}); use another backend{}", cpu_hint())]
    NoDevice {
        /// The backend.
        backend: BackendName,
        /// The driver's error.
        reason: String,
    },
}

impl BackendName {
    /// All of them, the one to prefer first: a GPU that was asked for at build time, then the faster CPU backend.
    pub const ALL: [Self; 4] = [Self::Cuda, Self::Wgpu, Self::Flex, Self::NdArray];

    /// Returns the name on the command line, in files, and of the Cargo feature.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns whether this build has it.
    pub fn is_compiled(self) -> bool {
        match self {
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Flex => cfg!(feature = "flex"),
            Self::NdArray => cfg!(feature = "ndarray"),
        }
    }

    /// Returns the backends of this build, the one to prefer first.
    pub fn compiled() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|name| name.is_compiled())
    }

    /// Returns the backend to use where none is named.
    ///
    /// # Errors
    /// [`BackendError::None`] if this build has none.
    pub fn preferred() -> Result<Self, BackendError> {
        Self::compiled().next().ok_or(BackendError::None)
    }
}

fn unknown_name(name: &str) -> BackendError {
    BackendError::Unknown(name.to_owned())
}

fn compiled_names() -> String {
    let names: Vec<_> = BackendName::compiled().map(BackendName::name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn cpu_hint() -> String {
    let cpu = BackendName::compiled().find(|name| matches!(name, BackendName::Flex | BackendName::NdArray));
    cpu.map_or(String::new(), |name| format!(", such as {name}"))
}

/// A task for a backend that is known only at run time.
pub trait BackendTask {
    /// The result type.
    type Output;

    /// Runs the task; `B::InnerBackend` is the backend without autodiff.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output;
}

/// Runs `task` on the default device of the backend `name`.
///
/// # Errors
/// [`BackendError`] if the backend is not compiled in, has no device that works, or is to use vector instructions that
/// the processor has not; on the CPU also if the environment asks for exact convolutions in words that mean nothing.
pub fn run_on<T: BackendTask>(name: BackendName, task: T) -> Result<T::Output, BackendError> {
    match name {
        #[cfg(feature = "flex")]
        BackendName::Flex => run_on_cpu::<Autodiff<Flex>, T>(task),
        #[cfg(feature = "ndarray")]
        BackendName::NdArray => run_on_cpu::<Autodiff<NdArray>, T>(task),
        #[cfg(feature = "wgpu")]
        BackendName::Wgpu => run_on_gpu::<Autodiff<Wgpu>, T>(name, task),
        #[cfg(feature = "cuda")]
        BackendName::Cuda => run_on_gpu::<Autodiff<Cuda>, T>(name, task),
        #[allow(unreachable_patterns, reason = "reachable where a feature is off")]
        name => {
            drop(task);
            Err(BackendError::NotCompiled(name))
        }
    }
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn run_on_cpu<B: AutodiffBackend, T: BackendTask>(task: T) -> Result<T::Output, BackendError> {
    use crate::cpu::conv_pool::{EXACT_VARIABLE, forced_exact};
    use crate::cpu::simd::{LEVEL_VARIABLE, Level};

    forced_exact().map_err(|found| BackendError::Exact { variable: EXACT_VARIABLE, found })?;
    match Level::forced() {
        Ok(_) => Ok(task.run::<B>(Default::default())),
        Err(found) => {
            let levels: Vec<_> = Level::available().iter().map(Level::name).collect();
            Err(BackendError::Level { variable: LEVEL_VARIABLE, expected: levels.join(", "), found })
        }
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn run_on_gpu<B: AutodiffBackend, T: BackendTask>(backend: BackendName, task: T) -> Result<T::Output, BackendError> {
    let device = B::Device::default();
    match probe::<B>(&device) {
        Ok(()) => Ok(task.run::<B>(device)),
        Err(reason) => Err(BackendError::NoDevice { backend, reason }),
    }
}

/// Computes something small on a device: GPU drivers that find no device panic, which ends here.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn probe<B: AutodiffBackend>(device: &B::Device) -> Result<(), String> {
    use burn::tensor::Tensor;
    use std::panic;

    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        let sum = Tensor::<B, 1>::ones([2], device).sum();
        sum.try_into_data().map(|data| data.iter::<f32>().sum::<f32>())
    }));
    panic::set_hook(hook);
    match result {
        Ok(Ok(2.0)) => Ok(()),
        Ok(Ok(found)) => Err(format!("1 + 1 gave {found}")),
        Ok(Err(error)) => Err(first_line(&error.to_string())),
        Err(panic) => Err(first_line(&message(panic.as_ref()))),
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "its driver failed".to_owned())
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
