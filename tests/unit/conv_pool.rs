//! Every level against a plain loop in f64.

use proptest::prelude::*;

use super::backward::backward;
use super::forward::{forward, infer};
use super::gradients::{Gradients, Wanted};
use super::problem::{Algorithm, Inputs, Pool, Problem, Window};
use super::saved::Saved;
use crate::cpu::reduce::Reduction;
use crate::cpu::simd::Level;

/// A problem, its inputs, and the gradient of its output.
#[derive(Clone)]
struct Case {
    problem: Problem,
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    gradient: Vec<f32>,
}

impl Case {
    /// Random numbers.
    fn new(problem: Problem, seed: u64) -> Case {
        Case {
            problem,
            input: numbers(problem.batch * problem.image_len(), seed),
            weight: numbers(problem.filters * problem.filter_len(), seed + 1),
            bias: numbers(problem.filters, seed + 2),
            gradient: numbers(problem.batch * problem.output_len(), seed + 3),
        }
    }

    /// Random numbers of which no two sums are equal.
    fn random(problem: Problem, seed: u64) -> Case {
        let mut case = Case::new(problem, seed);
        let Case { input, weight, bias, gradient, .. } = &mut case;
        for (i, values) in [input, weight, bias, gradient].into_iter().enumerate() {
            let finer = numbers(values.len(), seed + 4 + i as u64);
            values.iter_mut().zip(finer).for_each(|(value, finer)| *value += finer / 64.0);
        }
        case
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs { input: &self.input, weight: &self.weight, bias: &self.bias, parameters: &[] }
    }

    fn forward(&self, level: Level) -> (Vec<f32>, Saved) {
        forward(level, &self.problem, self.inputs())
    }

    /// The gradients; of a reduction whose gradient depends on its output, not.
    fn backward(&self, saved: &Saved, wanted: Wanted) -> Gradients {
        let output = vec![0.0; self.gradient.len()];
        backward(&self.problem, self.inputs(), saved, &output, &self.gradient, wanted)
    }

    /// Pairs of an input and a weight that a position multiplies.
    fn pairs(&self, image: usize, filter: usize, position: [usize; 2]) -> Vec<(usize, usize)> {
        let Problem { channels, image: size, kernel, padding, .. } = self.problem;
        let taps =
            (0..channels).flat_map(|c| (0..kernel[0]).flat_map(move |y| (0..kernel[1]).map(move |x| (c, [y, x]))));
        let pair = |(c, tap): (usize, [usize; 2])| {
            // Outside the image there is nothing to multiply.
            let at =
                |axis: usize| (position[axis] + tap[axis]).checked_sub(padding[axis]).filter(|at| *at < size[axis]);
            let input = ((image * channels + c) * size[0] + at(0)?) * size[1] + at(1)?;
            let weight = ((filter * channels + c) * kernel[0] + tap[0]) * kernel[1] + tap[1];
            Some((input, weight))
        };
        taps.filter_map(pair).collect()
    }

    /// Output and gradients by the definition, in f64.
    fn reference(&self) -> Reference {
        let problem = &self.problem;
        let whole = [0, 1].map(|i| problem.image[i] + 2 * problem.padding[i] + 1 - problem.kernel[i]);
        let (window, mean) = match problem.pool {
            Pool::Max(window) => (window, false),
            Pool::Average(window) => (window, true),
            Pool::GlobalMax | Pool::Reduced(Reduction::Max) => (Window { size: whole, stride: whole }, false),
            Pool::GlobalAverage | Pool::Reduced(_) => (Window { size: whole, stride: whole }, true),
            Pool::None { stride, .. } => (Window { size: [1, 1], stride }, false),
        };
        let columns = problem.output_size()[1];
        let mut result = Reference {
            output: vec![],
            input: vec![0.0; self.input.len()],
            weight: vec![0.0; self.weight.len()],
            bias: vec![0.0; self.bias.len()],
        };
        for (i, &gradient) in self.gradient.iter().enumerate() {
            let plane = i / (problem.output_len() / problem.filters);
            let (image, filter) = (plane / problem.filters, plane % problem.filters);
            let pooled = i % (problem.output_len() / problem.filters);
            let corner = [pooled / columns * window.stride[0], pooled % columns * window.stride[1]];
            let positions = (0..window.size[0] * window.size[1])
                .map(|k| [corner[0] + k / window.size[1], corner[1] + k % window.size[1]]);
            let sums: Vec<(f64, _)> = positions
                .map(|position| {
                    let pairs = self.pairs(image, filter, position);
                    let product = |&(i, w): &(usize, usize)| f64::from(self.input[i]) * f64::from(self.weight[w]);
                    let sum = pairs.iter().map(product).sum::<f64>();
                    (sum + f64::from(self.bias[filter]), pairs)
                })
                .collect();
            let best = sums.iter().map(|(sum, _)| *sum).fold(f64::MIN, f64::max);
            let first = sums.iter().position(|(sum, _)| *sum == best);
            let count = sums.len() as f64;
            let relu = sums.iter().map(|(sum, _)| sum.max(0.0));
            result.output.push(if mean { relu.sum::<f64>() / count } else { best.max(0.0) });
            let gradient = f64::from(gradient) / if mean { count } else { 1.0 };
            for (position, (sum, pairs)) in sums.iter().enumerate() {
                if *sum > 0.0 && (mean || Some(position) == first) {
                    result.bias[filter] += gradient;
                    for &(i, w) in pairs {
                        result.input[i] += gradient * f64::from(self.weight[w]);
                        result.weight[w] += gradient * f64::from(self.input[i]);
                    }
                }
            }
        }
        result
    }
}

/// Output and gradients by the definition.
struct Reference {
    output: Vec<f64>,
    input: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

/// Multiples of 1/64 in -1..1, the same for the same seed: their sums of products are exact, so equal
/// positions are equal at every level.
fn numbers(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 57) as f32 / 64.0 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// The largest difference, relative to the largest value.
fn difference(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-30, |max: f64, x| max.max(x.abs()));
    let pairs = found.iter().zip(expected);
    let largest = pairs.map(|(found, expected)| (f64::from(*found) - expected).abs() / scale);
    largest.fold(0.0, |max, x| if x > max || x.is_nan() { x } else { max })
}

fn windows() -> impl Strategy<Value = Window> {
    let axis = || (1usize..4, 1usize..4);
    (axis(), axis()).prop_map(|(y, x)| Window { size: [y.0, x.0], stride: [y.1, x.1] })
}

fn problems() -> impl Strategy<Value = Problem> {
    let pool = prop_oneof![
        windows().prop_map(Pool::Max),
        windows().prop_map(Pool::Average),
        Just(Pool::GlobalMax),
        Just(Pool::GlobalAverage),
        Just(Pool::Reduced(Reduction::Max)),
        Just(Pool::Reduced(Reduction::Mean)),
        [1usize..4, 1..4].prop_map(|stride| Pool::None { stride, depthwise: false }),
        Just(Pool::Max(Window { size: [2, 2], stride: [2, 2] })),
        Just(Pool::Average(Window { size: [2, 2], stride: [2, 2] })),
    ];
    let kernel = prop_oneof![Just((3, 3)), (1usize..6, 1usize..6)];
    let channels = prop_oneof![1usize..8, Just(32), Just(33)];
    let filters = prop_oneof![1usize..20, Just(32), Just(48)];
    (1usize..5, channels, (3usize..16, 3usize..30), filters, kernel, (0usize..3, 0usize..3), pool)
        .prop_map(|(batch, channels, image, filters, kernel, padding, pool)| Problem {
            batch,
            channels,
            image: image.into(),
            filters,
            kernel: kernel.into(),
            padding: padding.into(),
            pool,
            algorithm: Some(Algorithm::Direct),
        })
        .prop_filter("an output of at least one value", Problem::is_valid)
}

/// Problems that Winograd's algorithm knows, in tiles of 2x2 and 4x4, with as many channels and filters as threads work on
/// by themselves, and together.
fn winograd_problems() -> impl Strategy<Value = Problem> {
    let pool = prop_oneof![
        windows().prop_map(Pool::Max),
        windows().prop_map(Pool::Average),
        Just(Pool::GlobalAverage),
        Just(Pool::Reduced(Reduction::Mean)),
        Just(Pool::None { stride: [1, 1], depthwise: false }),
    ];
    let count = || prop_oneof![4 => 1usize..40, 1 => Just(64), 1 => 100usize..200];
    let algorithm = prop_oneof![Just(Algorithm::Winograd2), Just(Algorithm::Winograd4)];
    (1usize..40, count(), (1usize..16, 1usize..16), count(), (0usize..3, 0usize..3), pool, algorithm)
        .prop_map(|(batch, channels, image, filters, padding, pool, algorithm)| Problem {
            batch,
            channels,
            image: image.into(),
            filters,
            kernel: [3, 3],
            padding: padding.into(),
            pool,
            algorithm: Some(algorithm),
        })
        .prop_filter("an output of at least one value, computed in a moment", |problem| {
            problem.is_valid() && problem.batch * problem.image_len() * problem.filters < 1 << 20
        })
}

const BOTH: Wanted = Wanted { input: true, filters: true };

/// Every level, together or alone: alone only the order of additions changes.
fn check(problem: Problem, seed: u64) {
    let case = Case::new(problem, seed);
    let expected = case.reference();
    for level in Level::available() {
        let context = format!("{} {problem:?}", level.name());
        let close = |name: &str, found: &[f32], expected: &[f64]| {
            let difference = difference(found, expected);
            assert!(difference < 1e-5, "{name} differs by {difference:e}: {context}");
        };
        let (output, saved) = case.forward(level);
        close("output", &output, &expected.output);
        let inferred = infer(level, &problem, case.inputs());
        assert_eq!(output, inferred, "{context}");
        for (input, filters) in [(true, true), (true, false), (false, true)] {
            let found = case.backward(&saved, Wanted { input, filters });
            for (name, wanted, found, expected) in [
                ("input", input, found.input, &expected.input),
                ("weight", filters, found.weight, &expected.weight),
                ("bias", filters, found.bias, &expected.bias),
            ] {
                assert_eq!(found.is_some(), wanted, "{name}: {context}");
                found.iter().for_each(|found| close(name, found, expected));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_level_computes_what_the_definition_says(problem in problems(), seed in 0u64..1000) {
        check(problem, seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The gradient is compared at the gates that the forward pass saved: where a sum is close to zero, or two are close
    /// to each other, rounding may open another one.
    #[test]
    fn fewer_multiplications_give_the_same_results(problem in winograd_problems(), seed in 0u64..1000) {
        let case = Case::random(problem, seed);
        let direct = Case { problem: Problem { algorithm: Some(Algorithm::Direct), ..problem }, ..case.clone() };
        let limit = if problem.algorithm == Some(Algorithm::Winograd2) { 1e-5 } else { 1e-4 };
        let expected = case.reference();
        for level in Level::available() {
            let context = format!("{} {problem:?}", level.name());
            let close = |name: &str, found: &[f32], expected: &[f64]| {
                let difference = difference(found, expected);
                assert!(difference < limit, "{name} differs by {difference:e}: {context}");
            };
            let (output, saved) = case.forward(level);
            close("output", &output, &expected.output);
            let inferred = infer(level, &problem, case.inputs());
            assert_eq!(output, inferred, "{context}");
            let expected = direct.backward(&saved, BOTH);
            let wide = |values: Option<Vec<f32>>| -> Vec<f64> { values.unwrap().into_iter().map(f64::from).collect() };
            let (input, weight, bias) = (wide(expected.input), wide(expected.weight), wide(expected.bias));
            for (of_input, of_filters) in [(true, true), (true, false), (false, true)] {
                let found = case.backward(&saved, Wanted { input: of_input, filters: of_filters });
                for (name, wanted, found, expected) in [
                    ("input", of_input, found.input, &input),
                    ("weight", of_filters, found.weight, &weight),
                    ("bias", of_filters, found.bias, &bias),
                ] {
                    assert_eq!(found.is_some(), wanted, "{name}: {context}");
                    found.iter().for_each(|found| close(name, found, expected));
                }
            }
        }
    }
}

/// The shapes of the networks, with the specialised code.
fn stages() -> Vec<Problem> {
    let two = Window { size: [2, 2], stride: [2, 2] };
    let first = |pool| Problem {
        batch: 3,
        channels: 1,
        image: [28, 28],
        filters: 32,
        kernel: [3, 3],
        padding: [0, 0],
        pool,
        algorithm: Some(Algorithm::Direct),
    };
    let second = |pool| Problem { channels: 32, image: [13, 13], ..first(pool) };
    vec![
        first(Pool::Max(two)),
        first(Pool::Average(two)),
        second(Pool::Max(two)),
        second(Pool::Average(two)),
        first(Pool::GlobalMax),
        first(Pool::GlobalAverage),
        first(Pool::Reduced(Reduction::Max)),
        second(Pool::Reduced(Reduction::Mean)),
    ]
}

/// The shapes that Winograd's algorithm knows, once by each thread for itself and once by all together.
fn winograd_stages() -> Vec<Problem> {
    let two = Window { size: [2, 2], stride: [2, 2] };
    let one = Problem { batch: 3, channels: 32, image: [13, 13], filters: 32, ..stages()[0] };
    let many = Problem { channels: 160, image: [6, 6], filters: 200, padding: [1, 1], ..one };
    let algorithms = [Algorithm::Winograd2, Algorithm::Winograd4].map(Some);
    let pools = [Pool::Max(two), Pool::Average(two), Pool::GlobalAverage, Pool::Reduced(Reduction::Mean)];
    let all = [one, many].into_iter().flat_map(|problem| pools.map(|pool| Problem { pool, ..problem }));
    all.flat_map(|problem| algorithms.map(|algorithm| Problem { algorithm, ..problem })).collect()
}

#[test]
fn the_networks_own_shapes_are_right() {
    stages().into_iter().for_each(|problem| check(problem, 7));
}

/// One pixel, which many images must follow before a vector fits.
const ONE_PIXEL: Problem = Problem {
    batch: 1,
    channels: 1,
    image: [1, 1],
    filters: 5,
    kernel: [1, 1],
    padding: [0, 0],
    pool: Pool::GlobalMax,
    algorithm: Some(Algorithm::Direct),
};

#[test]
fn images_of_one_pixel_are_right() {
    [1, 16, 40].into_iter().for_each(|batch| check(Problem { batch, ..ONE_PIXEL }, 3));
}

/// Vectors reach past an image's end into the next image, and use nothing of it.
#[test]
fn an_image_does_not_depend_on_those_that_follow() {
    for stage in stages().into_iter().chain([ONE_PIXEL]).chain(winograd_stages()) {
        let alone = Case::new(Problem { batch: 1, ..stage }, 5);
        let mut followed = Case::new(Problem { batch: 41, ..stage }, 5);
        followed.input.fill(1000.0);
        followed.input[..alone.input.len()].copy_from_slice(&alone.input);
        followed.gradient.fill(0.0);
        followed.gradient[..alone.gradient.len()].copy_from_slice(&alone.gradient);
        (followed.weight, followed.bias) = (alone.weight.clone(), alone.bias.clone());
        for level in Level::available() {
            let run = |case: &Case| {
                let (mut output, saved) = case.forward(level);
                let found = case.backward(&saved, BOTH);
                let (mut input, weight, bias) = (found.input.unwrap(), found.weight.unwrap(), found.bias.unwrap());
                output.truncate(stage.output_len());
                input.truncate(stage.image_len());
                [output, input, weight, bias]
            };
            assert!(run(&alone) == run(&followed), "{} {stage:?}", level.name());
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for stage in stages().into_iter().chain(winograd_stages()) {
        let case = Case::new(Problem { batch: 37, ..stage }, 1);
        for level in Level::available() {
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.unwrap().install(|| {
                    let (output, saved) = case.forward(level);
                    let all = case.backward(&saved, BOTH);
                    [Some(output), all.input, all.weight, all.bias]
                        .map(|values| values.unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>())
                })
            };
            let one = run(1);
            for threads in [2, 3, 16] {
                assert!(run(threads) == one, "{threads} threads, {} {stage:?}", level.name());
            }
        }
    }
}

#[test]
fn a_nan_comes_out_as_nan_and_nothing_else_does() {
    for stage in stages().into_iter().chain(winograd_stages().into_iter().filter(|stage| stage.channels == 32)) {
        let mut case = Case::new(stage, 1);
        case.input[stage.image_len() + 4 * stage.image[1] + 5] = f32::NAN;
        for level in Level::available() {
            let (output, _) = case.forward(level);
            let images = output.chunks_exact(stage.output_len());
            let nans: Vec<usize> = images.map(|image| image.iter().filter(|value| value.is_nan()).count()).collect();
            // Positions 2..=4 by 3..=5 see the pixel: windows 1..=2 by 1..=2, or the image.
            let windows = if stage.output_len() == stage.filters { 1 } else { 4 };
            assert_eq!(nans, [0, windows * stage.filters, 0], "{} {stage:?}", level.name());
        }
    }
}

#[test]
fn sums_that_overflow_are_infinite_or_nan() {
    for stage in stages().into_iter().chain(winograd_stages()) {
        let mut case = Case::new(stage, 1);
        case.input.fill(f32::MAX);
        for level in Level::available() {
            let (output, _) = forward(level, &stage, Inputs { bias: &vec![0.0; stage.filters], ..case.inputs() });
            // A filter whose weights are mostly negative may well give zero.
            let finite = output.iter().filter(|x| x.is_finite() && **x != 0.0).count();
            assert_eq!(finite, 0, "{} {stage:?}", level.name());
            assert!(output.iter().any(|x| !x.is_finite()));
        }
    }
}

#[test]
fn the_first_of_equal_positions_gets_the_gradient() {
    for stage in stages() {
        let (Pool::Max(_) | Pool::GlobalMax | Pool::Reduced(Reduction::Max)) = stage.pool else {
            continue;
        };
        // All positions are equal, so the gradient of the input tells which one won.
        let mut case = Case::new(stage, 1);
        let Case { input, weight, bias, gradient, .. } = &mut case;
        for values in [input, weight, gradient] {
            values.fill(1.0);
        }
        bias.fill(0.0);
        for level in Level::available() {
            let (_, saved) = case.forward(level);
            let found = case.backward(&saved, Wanted { input: true, filters: false });
            let expected = case.reference().input;
            assert_eq!(difference(&found.input.unwrap(), &expected), 0.0, "{}", level.name());
        }
    }
}

/// Where the transforms' sums would overflow though no sum does, the sums are computed product by product.
#[test]
fn images_close_to_the_largest_number_stay_right() {
    for stage in winograd_stages() {
        let mut case = Case::random(stage, 1);
        case.input.iter_mut().for_each(|value| *value = 1e37 * (1.5 + *value));
        // So small that the bound on sums holds: what must be seen is the image.
        case.weight.iter_mut().chain(&mut case.bias).for_each(|value| *value *= 1e-8);
        case.gradient.iter_mut().for_each(|value| *value *= 1e-6);
        let direct = Case { problem: Problem { algorithm: Some(Algorithm::Direct), ..stage }, ..case.clone() };
        for level in Level::available() {
            let ((found, saved), (expected, _)) = (case.forward(level), direct.forward(level));
            assert!(found == expected && found.iter().all(|value| value.is_finite()), "{} {stage:?}", level.name());
            // As large an input comes to the backward pass.
            let (found, expected) = (case.backward(&saved, BOTH), direct.backward(&saved, BOTH));
            assert!(found.weight == expected.weight && found.input == expected.input, "{} {stage:?}", level.name());
        }
    }
}

/// Where the transforms' sums would overflow though no gradient does, they are computed product by product.
#[test]
fn gradients_close_to_the_largest_number_stay_right() {
    for stage in winograd_stages() {
        let mut case = Case::random(stage, 1);
        case.gradient.iter_mut().for_each(|value| *value *= 1e37);
        case.input.iter_mut().for_each(|value| *value *= 1e-3);
        case.weight.iter_mut().for_each(|value| *value *= 1e-3);
        case.bias.iter_mut().for_each(|value| *value *= 1e-6);
        let direct = Problem { algorithm: Some(Algorithm::Direct), ..stage };
        for level in Level::available() {
            let (_, saved) = case.forward(level);
            let found = case.backward(&saved, BOTH);
            let expected = Case { problem: direct, ..case.clone() }.backward(&saved, BOTH);
            assert!(found.input == expected.input && found.weight == expected.weight, "{} {stage:?}", level.name());
        }
    }
}

#[test]
fn an_empty_batch_gives_empty_output_and_zero_gradients() {
    let case = Case::new(Problem { batch: 0, ..stages()[0] }, 1);
    for level in Level::available() {
        let (output, saved) = case.forward(level);
        let all = case.backward(&saved, BOTH);
        assert!(output.is_empty() && all.input.unwrap().is_empty());
        assert!(all.weight.unwrap().iter().all(|&x| x == 0.0));
    }
}
