//! One error rate for all claims: of many comparisons, some would be decided by chance.

use super::claim::{Claim, Comparison};

/// Adjusts the probabilities of all comparisons for their number, so that with 95 % none is decided by chance.
///
/// Holm: *A simple sequentially rejective multiple test procedure* (1979). The smallest of n is multiplied by n, the next
/// by n - 1, and none is smaller than the one before it.
pub fn adjust<'a>(claims: impl Iterator<Item = &'a mut Claim>) {
    let mut tested: Vec<(f64, &mut Comparison)> = claims
        .flat_map(|claim| &mut claim.comparisons)
        .filter_map(|comparison| Some((comparison.p?, comparison)))
        .collect();
    tested.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (count, mut before) = (tested.len(), 0.0f64);
    for (index, (p, comparison)) in tested.into_iter().enumerate() {
        before = before.max(p * (count - index) as f64).min(1.0);
        comparison.adjusted_p = Some(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: R's `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`.
    #[test]
    fn the_adjustment_is_holms() {
        let comparison = |p| Comparison { sentence: String::new(), p, adjusted_p: p, as_claimed: Some(true) };
        let mut claims = [
            Claim::new("one", [Some(0.01), Some(0.04), None].map(comparison)),
            Claim::new("other", [Some(0.03), Some(0.005)].map(comparison)),
        ];
        adjust(claims.iter_mut());
        let adjusted: Vec<_> = claims.iter().flat_map(|claim| &claim.comparisons).map(|c| c.adjusted_p).collect();
        assert_eq!(adjusted, [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)]);
    }
}
