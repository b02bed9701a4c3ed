//! Every level against a plain loop in f64.

use proptest::prelude::*;

use super::*;

/// Output and gradients by the definition, in f64.
struct Reference {
    output: Vec<f64>,
    input: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

fn reference(
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: &[f32],
    gradient: &[f32],
) -> Reference {
    let Problem { channels, image: [height, width], filters, kernel, padding, .. } = *problem;
    let convolved = [0, 1].map(|i| problem.image[i] + 2 * padding[i] + 1 - kernel[i]);
    let (window, mean) = match problem.pool {
        Pool::Max(window) => (window, false),
        Pool::Average(window) => (window, true),
        Pool::GlobalMax | Pool::GlobalAverage => {
            (Window { size: convolved, stride: convolved }, problem.pool == Pool::GlobalAverage)
        }
    };
    let pooled = problem.output_size();
    let mut result = Reference {
        output: vec![],
        input: vec![0.0; input.len()],
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; bias.len()],
    };
    // Index pairs (input, weight) under a position.
    let under = |n: usize, f: usize, y: usize, x: usize| {
        let mut pairs = vec![];
        for c in 0..channels {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let (row, column) = ((y + ky), (x + kx));
                    let inside = |at: usize, pad: usize, len: usize| {
                        (pad..pad + len).contains(&at).then(|| at - pad)
                    };
                    if let (Some(row), Some(column)) =
                        (inside(row, padding[0], height), inside(column, padding[1], width))
                    {
                        let image = ((n * channels + c) * height + row) * width + column;
                        let weight = ((f * channels + c) * kernel[0] + ky) * kernel[1] + kx;
                        pairs.push((image, weight));
                    }
                }
            }
        }
        pairs
    };
    for n in 0..problem.batch {
        for f in 0..filters {
            for py in 0..pooled[0] {
                for px in 0..pooled[1] {
                    let mut sums = vec![];
                    for wy in 0..window.size[0] {
                        for wx in 0..window.size[1] {
                            let [y, x] = [py * window.stride[0] + wy, px * window.stride[1] + wx];
                            let pairs = under(n, f, y, x);
                            let sum: f64 = pairs
                                .iter()
                                .map(|&(i, w)| f64::from(input[i]) * f64::from(weight[w]))
                                .sum();
                            sums.push((sum + f64::from(bias[f]), pairs));
                        }
                    }
                    let gradient = f64::from(gradient[result.output.len()]);
                    let reached: Vec<_> = if mean {
                        let relu = sums.iter().map(|(sum, _)| sum.max(0.0));
                        result.output.push(relu.sum::<f64>() / sums.len() as f64);
                        let scale = gradient / sums.len() as f64;
                        sums.iter().map(|sum| (sum, scale)).collect()
                    } else {
                        let best = sums.iter().map(|(sum, _)| *sum).fold(f64::MIN, f64::max);
                        result.output.push(best.max(0.0));
                        let first = sums.iter().find(|(sum, _)| *sum == best);
                        first.into_iter().map(|sum| (sum, gradient)).collect()
                    };
                    for ((sum, pairs), gradient) in reached {
                        if *sum > 0.0 {
                            result.bias[f] += gradient;
                            for &(i, w) in pairs {
                                result.input[i] += gradient * f64::from(weight[w]);
                                result.weight[w] += gradient * f64::from(input[i]);
                            }
                        }
                    }
                }
            }
        }
    }
    result
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
        })
        .prop_filter("an output of at least one value", Problem::is_valid)
}

fn check(problem: &Problem, seed: u64) {
    let input = numbers(problem.batch * problem.image_len(), seed);
    let weight = numbers(problem.filters * problem.filter_len(), seed + 1);
    let bias = numbers(problem.filters, seed + 2);
    let gradient = numbers(problem.batch * problem.output_len(), seed + 3);
    let expected = reference(problem, &input, &weight, &bias, &gradient);
    let wanted = Wanted { input: true, filters: true };
    for level in Level::available() {
        let context = format!("{} {problem:?}", level.name());
        let (output, saved) = forward(level, problem, &input, &weight, Some(&bias));
        let all = backward(problem, &input, &weight, &saved, &gradient, wanted);
        let inferred = infer(level, problem, &input, &weight, Some(&bias));
        assert_eq!(output, inferred, "{context}");
        let [input_gradient, weight_gradient, bias_gradient] =
            [&all.input, &all.weight, &all.bias].map(|gradient| gradient.as_ref().unwrap());
        for (name, found, expected) in [
            ("output", &output, &expected.output),
            ("input", input_gradient, &expected.input),
            ("weight", weight_gradient, &expected.weight),
            ("bias", bias_gradient, &expected.bias),
        ] {
            let difference = difference(found, expected);
            assert!(difference < 1e-5, "{name} differs by {difference:e}: {context}");
        }
        // What is not wanted changes nothing but the order of additions.
        for filters in [true, false] {
            let wanted = Wanted { input: !filters, filters };
            let some = backward(problem, &input, &weight, &saved, &gradient, wanted);
            assert_eq!(some.input.is_some(), !filters);
            assert_eq!(some.weight.is_some(), filters);
            for (found, expected) in [
                (some.input, &expected.input),
                (some.weight, &expected.weight),
                (some.bias, &expected.bias),
            ] {
                let difference = found.map_or(0.0, |found| difference(&found, expected));
                assert!(difference < 1e-5, "alone: differs by {difference:e}: {context}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_level_computes_what_the_definition_says(problem in problems(), seed in 0u64..1000) {
        check(&problem, seed);
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
    };
    let second = |pool| Problem { channels: 32, image: [13, 13], ..first(pool) };
    vec![
        first(Pool::Max(two)),
        first(Pool::Average(two)),
        second(Pool::Max(two)),
        second(Pool::Average(two)),
        first(Pool::GlobalMax),
        first(Pool::GlobalAverage),
    ]
}

#[test]
fn the_networks_own_shapes_are_right() {
    for problem in stages() {
        check(&problem, 7);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for stage in stages() {
        let problem = &Problem { batch: 37, ..stage };
        let input = numbers(problem.batch * problem.image_len(), 1);
        let weight = numbers(problem.filters * problem.filter_len(), 2);
        let bias = numbers(problem.filters, 3);
        let gradient = numbers(problem.batch * problem.output_len(), 4);
        for level in Level::available() {
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.unwrap().install(|| {
                    let wanted = Wanted { input: true, filters: true };
                    let (output, saved) = forward(level, problem, &input, &weight, Some(&bias));
                    let all = backward(problem, &input, &weight, &saved, &gradient, wanted);
                    let all = [Some(output), all.input, all.weight, all.bias];
                    all.map(|values| {
                        values.unwrap().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
                    })
                })
            };
            let one = run(1);
            for threads in [2, 3, 16] {
                assert!(run(threads) == one, "{threads} threads, {} {problem:?}", level.name());
            }
        }
    }
}

#[test]
fn a_nan_comes_out_as_nan_and_nothing_else_does() {
    for stage in stages() {
        let mut input = numbers(stage.batch * stage.image_len(), 1);
        let weight = numbers(stage.filters * stage.filter_len(), 2);
        let bias = numbers(stage.filters, 3);
        let at = |row: usize, column: usize| row * stage.image[1] + column;
        input[stage.image_len() + at(4, 5)] = f32::NAN;
        for level in Level::available() {
            let (output, _) = forward(level, &stage, &input, &weight, Some(&bias));
            let len = stage.output_len();
            let nans = |image: usize| {
                let image = &output[image * len..][..len];
                image.iter().filter(|value| value.is_nan()).count()
            };
            // Positions 2..=4 by 3..=5 see the pixel: windows 1..=2 by 1..=2, or the image.
            let windows = if len == stage.filters { 1 } else { 4 };
            let expected = [0, windows * stage.filters, 0];
            assert_eq!([nans(0), nans(1), nans(2)], expected, "{} {stage:?}", level.name());
        }
    }
}

#[test]
fn sums_that_overflow_are_infinite_or_nan() {
    for stage in stages() {
        let input = vec![f32::MAX; stage.batch * stage.image_len()];
        let weight = numbers(stage.filters * stage.filter_len(), 2);
        for level in Level::available() {
            let (output, _) = forward(level, &stage, &input, &weight, None);
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
        let (Pool::Max(_) | Pool::GlobalMax) = stage.pool else {
            continue;
        };
        // All positions are equal, so the gradient of the input tells which one won.
        let input = vec![1.0; stage.batch * stage.image_len()];
        let weight = vec![1.0; stage.filters * stage.filter_len()];
        let gradient = vec![1.0; stage.batch * stage.output_len()];
        for level in Level::available() {
            let (_, saved) = forward(level, &stage, &input, &weight, None);
            let wanted = Wanted { input: true, filters: false };
            let found = backward(&stage, &input, &weight, &saved, &gradient, wanted);
            let bias = vec![0.0; stage.filters];
            let expected = reference(&stage, &input, &weight, &bias, &gradient).input;
            assert_eq!(difference(&found.input.unwrap(), &expected), 0.0, "{}", level.name());
        }
    }
}

#[test]
fn an_empty_batch_is_no_trouble() {
    let problem = Problem { batch: 0, ..stages()[0] };
    let weight = numbers(problem.filters * problem.filter_len(), 2);
    let wanted = Wanted { input: true, filters: true };
    for level in Level::available() {
        let (output, saved) = forward(level, &problem, &[], &weight, None);
        let all = backward(&problem, &[], &weight, &saved, &[], wanted);
        assert!(output.is_empty() && all.input.unwrap().is_empty());
        assert!(all.weight.unwrap().iter().all(|&x| x == 0.0));
    }
}
