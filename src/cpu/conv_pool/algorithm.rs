//! How the sums of a convolution and its gradients are computed: by the method that costs least.
//!
//! A cost is the number of multiply-adds of a vector that take as long in the direct forward pass. That of Winograd's
//! algorithm has four parts: the multiplications; the transforms of pixels and of products, for each place of a tile; the
//! transform of the filters, once for a batch, or for a block of it; and that of their gradient. The factors were fitted,
//! at each level, to the times of 212 problems of 1 to 256 channels on images of 7x7 to 56x56, on one thread of a machine
//! (AMD Zen 4). On average over these, what the model chooses took 0.2 to 0.7 % longer than the fastest in the forward
//! pass, and 1.3 to 3.4 % in the backward pass.

use std::sync::OnceLock;

use super::{
    gradients::Wanted,
    problem::{Algorithm, Geometry, Pool},
    runs::Runs,
    winograd::{Four, Plan, Tile, Two},
};
use crate::cpu::simd::Level;

/// The environment variable that, set to 1, has every convolution computed product by product.
///
/// For a CPU backend, [`run_on`](crate::backend::run_on) refuses any value but 1, 0 and none. Code that does not go
/// through it takes others for 0.
pub const EXACT_VARIABLE: &str = "BURN_POOLING_EXACT";

/// Returns whether [`EXACT_VARIABLE`] is set to 1; its value, if that is neither 1 nor 0 nor empty.
pub fn forced_exact() -> Result<bool, String> {
    match std::env::var_os(EXACT_VARIABLE) {
        None => Ok(false),
        Some(value) if value == "1" => Ok(true),
        Some(value) if value == "0" || value.is_empty() => Ok(false),
        Some(value) => Err(value.to_string_lossy().into_owned()),
    }
}

/// Returns the algorithm that the problem names, or that the environment asks for.
fn asked_for(geometry: &Geometry) -> Option<Algorithm> {
    static EXACT: OnceLock<bool> = OnceLock::new();
    let exact = || *EXACT.get_or_init(|| forced_exact().unwrap_or(false));
    geometry.problem.algorithm.or_else(|| exact().then_some(Algorithm::Direct))
}

/// A way to compute gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BackwardMethod {
    /// Window by window: a maximum sends its gradient to one position.
    ByEvent,
    /// Position by position.
    ByPosition,
    /// In tiles of 2x2 outputs.
    Winograd2,
    /// In tiles of 4x4 outputs.
    Winograd4,
}

/// Factors of the costs at a level.
struct Factors {
    /// A multiply-add of Winograd's algorithm.
    multiply: f32,
    /// A vector of transformed pixels.
    pixel: f32,
    /// A vector of products.
    product: f32,
    /// A vector of transformed filters.
    filter: f32,
    /// A vector of the gradient of transformed filters.
    gradient: f32,
    /// A multiply-add by position.
    position: f32,
    /// A multiply-add by event, if every window is active.
    event: f32,
}

impl Factors {
    fn of(level: Level) -> Self {
        match level.lanes() {
            16 => Self {
                multiply: 0.85,
                pixel: 6.0,
                product: 9.0,
                filter: 9.0,
                gradient: 10.0,
                position: 0.9,
                event: 1.8,
            },
            8 => Self {
                multiply: 0.65,
                pixel: 4.5,
                product: 9.0,
                filter: 7.5,
                gradient: 13.0,
                position: 1.0,
                event: 1.6,
            },
            _ => {
                Self { multiply: 1.1, pixel: 0.5, product: 6.5, filter: 2.0, gradient: 7.0, position: 0.8, event: 0.9 }
            }
        }
    }
}

impl Algorithm {
    /// Returns whether nothing on the way to a sum overflows, for pixels and sums of magnitudes up to these; no for NaN.
    pub(super) fn is_finite(self, pixel: f32, sum: f32) -> bool {
        match self {
            Self::Direct => sum < f32::MAX / 4.0,
            // The transforms' factors, in both directions, multiply to less.
            Self::Winograd2 | Self::Winograd4 => pixel < f32::MAX / 1e5 && sum < f32::MAX / 1e5,
        }
    }

    /// Returns the algorithm that the problem names, if it knows the problem, or the cheapest.
    pub(super) fn of(geometry: &Geometry, level: Level) -> Self {
        if !is_possible(geometry) {
            return Self::Direct;
        }
        let costs = Costs { geometry, level, factors: Factors::of(level) };
        asked_for(geometry).unwrap_or_else(|| {
            cheapest([
                (Self::Direct, costs.sums()),
                (Self::Winograd2, costs.forward(Two)),
                (Self::Winograd4, costs.forward(Four)),
            ])
            .0
        })
    }
}

impl BackwardMethod {
    /// Returns the cheapest method of those that the problem allows.
    pub(super) fn of(geometry: &Geometry, level: Level, wanted: Wanted) -> Self {
        let costs = Costs { geometry, level, factors: Factors::of(level) };
        let direct = costs.direct(wanted);
        if !is_possible(geometry) {
            return direct.0;
        }
        match asked_for(geometry) {
            Some(Algorithm::Direct) => direct.0,
            Some(Algorithm::Winograd2) => Self::Winograd2,
            Some(Algorithm::Winograd4) => Self::Winograd4,
            None => {
                cheapest([
                    direct,
                    (Self::Winograd2, costs.backward(Two, wanted)),
                    (Self::Winograd4, costs.backward(Four, wanted)),
                ])
                .0
            }
        }
    }

    /// Returns the cheaper of the two without Winograd's algorithm.
    pub(super) fn direct(geometry: &Geometry, level: Level, wanted: Wanted) -> Self {
        Costs { geometry, level, factors: Factors::of(level) }.direct(wanted).0
    }
}

/// Returns the method that costs least, and its cost.
fn cheapest<T: Copy, const N: usize>(methods: [(T, f32); N]) -> (T, f32) {
    methods.iter().fold(methods[0], |best, &method| if method.1 < best.1 { method } else { best })
}

/// Returns whether Winograd's algorithm knows the problem.
fn is_possible(geometry: &Geometry) -> bool {
    let problem = &geometry.problem;
    let is_whole = match problem.pool {
        Pool::Max(_) | Pool::Average(_) | Pool::GlobalAverage | Pool::Reduced(_) => true,
        Pool::None { stride, depthwise } => stride == [1, 1] && !depthwise,
        // Its winner is found by computing sums again, to the bit.
        Pool::GlobalMax => false,
    };
    is_whole && problem.batch > 0 && problem.kernel == [3, 3] && problem.padding.iter().all(|padding| *padding <= 2)
}

/// What an image costs.
struct Costs<'a> {
    geometry: &'a Geometry,
    level: Level,
    factors: Factors,
}

impl Costs<'_> {
    /// Returns the number of vectors that hold the channels, and the filters.
    fn vectors(&self) -> [f32; 2] {
        let problem = &self.geometry.problem;
        [problem.channels, problem.filters].map(|count| count.div_ceil(self.level.lanes()) as f32)
    }

    fn direct(&self, wanted: Wanted) -> (BackwardMethod, f32) {
        let by_position = (BackwardMethod::ByPosition, self.by_position(wanted));
        match self.geometry.problem.pool {
            Pool::GlobalMax => (BackwardMethod::ByEvent, 0.0),
            Pool::Average(_) | Pool::GlobalAverage => by_position,
            Pool::Max(_) | Pool::None { .. } | Pool::Reduced(_) => {
                cheapest([(BackwardMethod::ByEvent, self.by_event(wanted)), by_position])
            }
        }
    }

    /// Returns the cost of the direct forward pass.
    fn sums(&self) -> f32 {
        let ([rows, columns], [_, filters]) = (self.geometry.positions, self.vectors());
        (rows * columns * self.geometry.problem.filter_len()) as f32 * filters
    }

    fn by_event(&self, wanted: Wanted) -> f32 {
        let problem = &self.geometry.problem;
        // To find an event and to begin with it takes about as long as four multiply-adds.
        let vectors = Runs::new(self.geometry, self.level.lanes()).filter_vectors() + 4;
        self.factors.event * wanted.count() * (self.geometry.windows() * problem.filters * vectors) as f32
    }

    fn by_position(&self, wanted: Wanted) -> f32 {
        let (problem, [rows, columns], [channels, _]) =
            (&self.geometry.problem, self.geometry.positions, self.vectors());
        let taps = (problem.kernel[0] * problem.kernel[1]) as f32;
        let of_image = (rows * columns * problem.filters) as f32 * taps * channels;
        let all = if wanted.filters { self.sums() } else { 0.0 } + if wanted.input { of_image } else { 0.0 };
        self.factors.position * all
    }

    /// Returns the places of all tiles that cover so many outputs, and those of one tile.
    fn places<T: Tile>(_: T, outputs: [usize; 2]) -> [f32; 2] {
        let tiles: usize = outputs.iter().map(|outputs| outputs.div_ceil(T::OUTPUTS)).product();
        [tiles * T::PLACES, T::PLACES].map(|places| places as f32)
    }

    fn forward<T: Tile>(&self, tile: T) -> f32 {
        let ([channels, filters], factors, problem) = (self.vectors(), &self.factors, &self.geometry.problem);
        let [places, of_tile] = Self::places(tile, self.geometry.positions);
        let products = problem.channels as f32 * filters;
        places * (factors.multiply * products + factors.pixel * channels + factors.product * filters)
            + of_tile * factors.filter * products * self.plan(tile).filter_transforms(problem.batch)
    }

    fn plan<T: Tile>(&self, tile: T) -> Plan {
        Plan::of(tile, self.geometry, self.level.lanes())
    }

    fn backward<T: Tile>(&self, tile: T, wanted: Wanted) -> f32 {
        let ([channels, filters], factors, problem) = (self.vectors(), &self.factors, &self.geometry.problem);
        let mut cost = 0.0;
        if wanted.filters {
            let [places, of_tile] = Self::places(tile, self.geometry.positions);
            let products = problem.channels as f32 * filters;
            let transforms = self.plan(tile).gradient_transforms(tile, self.geometry.positions[0]);
            cost += places * (factors.multiply * products + factors.pixel * channels + factors.product * filters)
                + of_tile * factors.gradient * products * transforms;
        }
        if wanted.input {
            let [places, of_tile] = Self::places(tile, problem.image);
            let products = problem.filters as f32 * channels;
            cost += places * (factors.multiply * products + factors.pixel * filters + factors.product * channels)
                + of_tile * factors.filter * products * self.plan(tile).filter_transforms(problem.batch);
        }
        cost
    }
}
