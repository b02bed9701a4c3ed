//! The bridge between Burn's tensors and plain slices, on the backends whose tensors lie in the memory of the host.
//!
//! A backend is recognised by its type, so that layers generic over the backend can ask for a fast path and get
//! `None` where there is none. [`apply`] runs an [`Operation`] on slices, and records it in Burn's graph of gradients.

mod backend;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod dispatch;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod operation;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod recorded;

pub use backend::{is_cpu, tensor};
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use dispatch::apply;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use operation::Operation;
