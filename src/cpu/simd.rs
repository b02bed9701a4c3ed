//! The machine's vector instructions, chosen while the program runs.
//!
//! A kernel is written once, over [`Lanes`], and compiled once for each level. `pulp` owns the
//! proof that the processor has the instructions, so nothing here is unsafe.

use std::sync::OnceLock;

use pulp::{Scalar128b, Simd, WithSimd};

#[cfg(target_arch = "aarch64")]
use pulp::aarch64::Neon;
#[cfg(target_arch = "wasm32")]
use pulp::wasm::Simd128;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

/// The environment variable that forces a lower level: `avx512`, `avx2`, `neon`, `simd128` or `baseline`.
///
/// [`run_on`](crate::backend::run_on) refuses any other name, and that of a level that the machine has not. Code that
/// does not go through it runs on the highest level then.
pub const LEVEL_VARIABLE: &str = "BURN_POOLING_SIMD";

/// A set of vector instructions that this machine has.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// Vectors of four, without a fused multiply-add: every machine.
    Baseline(Scalar128b),
    /// Vectors of four.
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    /// Vectors of four, without a fused multiply-add.
    #[cfg(target_arch = "wasm32")]
    Simd128(Simd128),
    /// Vectors of eight.
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    /// Vectors of sixteen.
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
}

impl Level {
    /// Returns the levels that this machine has, the lowest first.
    pub fn available() -> Vec<Level> {
        #[cfg_attr(
            not(any(target_arch = "aarch64", target_arch = "wasm32", target_arch = "x86_64")),
            expect(unused_mut)
        )]
        let mut levels = vec![Level::Baseline(Scalar128b)];
        #[cfg(target_arch = "aarch64")]
        levels.extend(Neon::try_new().map(Level::Neon));
        #[cfg(target_arch = "wasm32")]
        levels.extend(Simd128::try_new().map(Level::Simd128));
        #[cfg(target_arch = "x86_64")]
        levels.extend(V3::try_new().map(Level::Avx2));
        #[cfg(target_arch = "x86_64")]
        levels.extend(V4::try_new().map(Level::Avx512));
        levels
    }

    /// Returns the name of the level in [`LEVEL_VARIABLE`].
    pub fn name(&self) -> &'static str {
        match self {
            Level::Baseline(_) => "baseline",
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => "neon",
            #[cfg(target_arch = "wasm32")]
            Level::Simd128(_) => "simd128",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "avx512",
        }
    }

    /// Returns the level in use: the highest, or the one that [`LEVEL_VARIABLE`] names if this machine has it.
    pub fn current() -> Level {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| match Level::forced() {
            Ok(Some(level)) => level,
            _ => Level::available().pop().unwrap_or(Level::Baseline(Scalar128b)),
        })
    }

    /// Returns the level that [`LEVEL_VARIABLE`] names, if it is set and not empty; the name, if no level of this
    /// machine has it.
    pub fn forced() -> Result<Option<Level>, String> {
        let Some(wanted) = std::env::var_os(LEVEL_VARIABLE).filter(|wanted| !wanted.is_empty()) else {
            return Ok(None);
        };
        let level = Level::available().into_iter().find(|level| wanted == level.name());
        level.map(Some).ok_or_else(|| wanted.to_string_lossy().into_owned())
    }

    /// Returns whether a multiplication and an addition round once.
    pub(super) fn is_fused(self) -> bool {
        struct Fused;
        impl Kernel for Fused {
            type Output = bool;
            fn run<S: Lanes>(self, _: S) -> bool {
                S::FUSED
            }
        }
        self.run(Fused)
    }

    /// Returns the number of values in a vector.
    pub(super) fn lanes(self) -> usize {
        struct Count;
        impl Kernel for Count {
            type Output = usize;
            fn run<S: Lanes>(self, _: S) -> usize {
                S::LANES
            }
        }
        self.run(Count)
    }

    /// Runs a kernel, compiled for this level.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            Level::Baseline(simd) => Simd::vectorize(simd, Vectorized(kernel, simd)),
            #[cfg(target_arch = "aarch64")]
            Level::Neon(simd) => Simd::vectorize(simd, Vectorized(kernel, simd)),
            #[cfg(target_arch = "wasm32")]
            Level::Simd128(simd) => Simd::vectorize(simd, Vectorized(kernel, simd)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(simd) => Simd::vectorize(simd, Vectorized(kernel, simd)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(simd) => Simd::vectorize(simd, Vectorized(kernel, simd)),
        }
    }
}

/// Code that is compiled once for each level.
///
/// What it calls must be `#[inline(always)]`: a function of its own is compiled without the level's instructions, and
/// what is passed to it by reference leaves the registers. That holds for the standard library too: `zip`, `windows`,
/// `copy_from_slice` and `fill` rest on generic functions without `#[inline]`, which the compiler places in a codegen
/// unit of their own. So inner loops run over indices of slices that were cut to length before.
pub(super) trait Kernel {
    type Output;
    fn run<S: Lanes>(self, simd: S) -> Self::Output;
}

/// Runs a kernel from within another, as a function of its own: compiled once, however many kernels call it.
#[inline(always)]
pub(super) fn call<S: Lanes, K: Kernel>(simd: S, kernel: K) -> K::Output {
    S::vectorize(simd, Vectorized(kernel, simd))
}

struct Vectorized<K, S>(K, S);

impl<K: Kernel, S: Lanes> WithSimd for Vectorized<K, S> {
    type Output = K::Output;

    #[inline(always)]
    fn with_simd<T: Simd>(self, _: T) -> K::Output {
        self.0.run(self.1)
    }
}

/// Fills a slice: the standard library's own is compiled without the level's instructions.
#[inline(always)]
pub(super) fn fill<T: Copy>(values: &mut [T], value: T) {
    for each in values {
        *each = value;
    }
}

/// What the kernels need of a level, beyond `pulp`'s operations.
pub(super) trait Lanes: Simd {
    /// Number of values in a vector.
    const LANES: usize = Self::F32_LANES;
    /// Neighbouring pixels that a convolution works on at a time, two vectors each: as many as the
    /// registers hold beside two vectors of weights and a pixel.
    const PIXELS: usize;
    /// Whether a multiplication and an addition round once.
    const FUSED: bool = true;

    /// Returns `a * b + c`, rounded once where the level can.
    #[inline(always)]
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        self.mul_add_e_f32s(a, b, c)
    }

    /// Returns a bit for each lane.
    #[inline(always)]
    fn bits(self, mask: Self::m32s) -> u16 {
        let lanes = self.transmute_u32s_m32s(mask);
        let lanes: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&lanes));
        let mut bits = 0;
        for i in 0..Self::LANES {
            bits |= ((lanes[i] & 1) as u16) << i;
        }
        bits
    }

    /// Returns the mask with these bits.
    #[inline(always)]
    fn mask(self, bits: u16) -> Self::m32s {
        const LANE_BITS: [u32; 16] = {
            let mut lanes = [0; 16];
            let mut i = 0;
            while i < 16 {
                lanes[i] = 1 << i;
                i += 1;
            }
            lanes
        };
        let lanes = bytemuck::cast_slice(&LANE_BITS[..Self::LANES]);
        let lanes: Self::u32s = bytemuck::pod_read_unaligned(lanes);
        self.equal_u32s(self.and_u32s(self.splat_u32s(bits.into()), lanes), lanes)
    }

    /// Returns the lanes whose bit is set, zero elsewhere.
    #[inline(always)]
    fn keep(self, bits: u16, values: Self::f32s) -> Self::f32s {
        self.select_f32s(self.mask(bits), values, self.splat_f32s(0.0))
    }

    /// Returns `max(x, 0)`, which is NaN where `x` is.
    #[inline(always)]
    fn relu(self, x: Self::f32s) -> Self::f32s {
        let zero = self.splat_f32s(0.0);
        self.select_f32s(self.less_than_f32s(x, zero), zero, x)
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for V4 {
    const PIXELS: usize = 10;

    #[inline(always)]
    fn bits(self, mask: Self::m32s) -> u16 {
        mask.0
    }

    #[inline(always)]
    fn mask(self, bits: u16) -> Self::m32s {
        pulp::b16(bits)
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for V3 {
    const PIXELS: usize = 5;

    #[inline(always)]
    fn bits(self, mask: Self::m32s) -> u16 {
        self.avx._mm256_movemask_ps(bytemuck::cast(mask)) as u16
    }
}

#[cfg(target_arch = "aarch64")]
impl Lanes for Neon {
    const PIXELS: usize = 10;
}

#[cfg(target_arch = "wasm32")]
impl Lanes for Simd128 {
    const PIXELS: usize = 5;
    const FUSED: bool = false;

    #[inline(always)]
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        self.add_f32s(self.mul_f32s(a, b), c)
    }

    #[inline(always)]
    fn bits(self, mask: Self::m32s) -> u16 {
        self.simd128.i32x4_bitmask(bytemuck::cast(mask)).into()
    }
}

impl Lanes for Scalar128b {
    const PIXELS: usize = 5;
    const FUSED: bool = false;

    #[inline(always)]
    fn multiply_add(self, a: Self::f32s, b: Self::f32s, c: Self::f32s) -> Self::f32s {
        // Its own multiply-add rounds once, which without the instruction is a function call.
        self.add_f32s(self.mul_f32s(a, b), c)
    }
}
