//! Convolutions of 3x3 with fewer multiplications.
//!
//! Winograd's minimal filtering, as Lavin and Gray describe it in *Fast algorithms for convolutional neural networks*
//! (2016): a tile of `M x M` outputs depends on `(M + 2) x (M + 2)` pixels. These and the filter are transformed to as
//! many numbers, multiplied place by place, and the products are transformed to the outputs: `(M + 2)^2` multiplications
//! instead of `9 M^2`. Over all tiles, channels and filters, a place is one product of two matrices.
//!
//! The gradient of the filters is, place by place, the product of the transformed pixels with the gradient of the
//! products, and is transformed back once. What the image gets is a convolution of the gradient with the flipped filters.

mod backward;
mod convolve;
mod filters;
mod forward;
mod layout;
mod of_filters;
mod plan;
mod prepare;
mod product;
mod tile;
mod total;
mod transform;

pub(super) use backward::gradients;
pub(super) use forward::Forward;
pub(super) use plan::Plan;
pub(super) use tile::{Four, Tile, Two};
