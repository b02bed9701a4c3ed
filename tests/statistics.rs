//! Intervals against published values.

use burn_pooling::statistics::wilson95;

#[test]
fn wilson_matches_published_values() {
    // Newcombe: Two-sided confidence intervals for the single proportion (1998), table I, method 3.
    for (correct, count, expected) in
        [(81, 263, [0.2553, 0.3662]), (15, 148, [0.0624, 0.1605]), (0, 20, [0.0, 0.1611]), (1, 29, [0.0061, 0.1718])]
    {
        let found = wilson95(correct, count);
        for end in 0..2 {
            assert!((found[end] - expected[end]).abs() < 5e-5, "{correct}/{count}: {found:?}");
        }
    }
}
