//! Claims, the comparisons that test them, and the outcomes.

use serde::{Deserialize, Serialize};

use crate::statistics::Interval;

/// What the figures say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As claimed.
    Supported,
    /// The opposite.
    Contradicted,
    /// The figures allow both.
    Undecided,
}

impl Outcome {
    /// The word, as in `results.json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Contradicted => "contradicted",
            Self::Undecided => "undecided",
        }
    }
}

/// One comparison that tests a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What was found, as a sentence with numbers and units.
    pub sentence: String,
    /// The probability of an estimate at least as far from the threshold if the true value were the threshold, by
    /// Student's t test (1908); `None` of what is known without error.
    pub p: Option<f64>,
    /// That probability, adjusted for the number of all comparisons: see [`adjust`](super::adjust).
    pub adjusted_p: Option<f64>,
    /// Whether the estimate lies on the side of the threshold that is claimed; `None` if it is the threshold.
    pub as_claimed: Option<bool>,
}

/// Adjusted probabilities below this decide.
pub const LEVEL: f64 = 0.05;

impl Comparison {
    /// The claim says that the estimate is above `threshold`.
    pub fn above(estimate: Interval, threshold: f64, sentence: String) -> Self {
        let as_claimed = match estimate.mean.partial_cmp(&threshold) {
            Some(order) if order.is_ne() => Some(order.is_gt()),
            _ => None,
        };
        let p = estimate.p_value(threshold);
        Self { sentence, p, adjusted_p: p, as_claimed }
    }

    /// The claim says that the estimate is below `threshold`.
    pub fn below(estimate: Interval, threshold: f64, sentence: String) -> Self {
        let above = Self::above(estimate, threshold, sentence);
        Self { as_claimed: above.as_claimed.map(|above| !above), ..above }
    }

    /// What this comparison says of the claim.
    pub fn outcome(&self) -> Outcome {
        match self.as_claimed {
            Some(as_claimed) if self.adjusted_p.is_none_or(|p| p < LEVEL) => match as_claimed {
                true => Outcome::Supported,
                false => Outcome::Contradicted,
            },
            _ => Outcome::Undecided,
        }
    }
}

/// A claim about pooling, and the comparisons that test it: one, or several of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim.
    pub claim: String,
    /// The comparisons; the first that decides is shown where there is room for one.
    pub comparisons: Vec<Comparison>,
}

impl Claim {
    /// A claim that these comparisons test.
    pub fn new(claim: &str, comparisons: impl Into<Vec<Comparison>>) -> Self {
        Self { claim: claim.to_owned(), comparisons: comparisons.into() }
    }

    /// *Supported* if all comparisons support it, *contradicted* if one contradicts it, else *undecided*: so is a claim
    /// that nothing tests.
    pub fn outcome(&self) -> Outcome {
        let count = |outcome| self.comparisons.iter().filter(|comparison| comparison.outcome() == outcome).count();
        match (count(Outcome::Supported), count(Outcome::Contradicted)) {
            (_, 1..) => Outcome::Contradicted,
            (supporting @ 1.., _) if supporting == self.comparisons.len() => Outcome::Supported,
            _ => Outcome::Undecided,
        }
    }

    /// The first comparison that has the claim's outcome, and of several how they came out, for a table.
    pub fn in_short(&self) -> String {
        let decides = |comparison: &&Comparison| comparison.outcome() == self.outcome();
        let first = self.comparisons.iter().find(decides).map_or("Nothing was compared.", |first| &first.sentence);
        match self.comparisons.len() {
            0 | 1 => first.to_owned(),
            all => format!("{first} {}", self.counts(all)),
        }
    }

    /// As in "3 of 4 comparisons support the claim, 1 is undecided."
    fn counts(&self, all: usize) -> String {
        let count = |outcome| self.comparisons.iter().filter(|comparison| comparison.outcome() == outcome).count();
        let mut text = format!("{} of {all} comparisons support the claim", count(Outcome::Supported));
        match count(Outcome::Contradicted) {
            0 => {}
            1 => text += ", 1 contradicts it",
            many => text += &format!(", {many} contradict it"),
        }
        match count(Outcome::Undecided) {
            0 => {}
            1 => text += ", 1 is undecided",
            many => text += &format!(", {many} are undecided"),
        }
        text + "."
    }

    /// The claim with its outcome and all its comparisons, in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}: {}.**", self.claim, self.outcome().word());
        match &self.comparisons[..] {
            [only] => text += &format!(" {}{}\n", only.sentence, probability(only)),
            several => {
                text += &format!(" {}\n\n", self.counts(several.len()));
                for comparison in several {
                    let Comparison { sentence, .. } = comparison;
                    text += &format!("- {}: {sentence}{}\n", comparison.outcome().word(), probability(comparison));
                }
            }
        }
        text
    }
}

/// The adjusted probability in brackets, where there is one.
fn probability(comparison: &Comparison) -> String {
    match comparison.adjusted_p {
        None => String::new(),
        Some(p) if p < 0.001 => " (p < 0.001)".to_owned(),
        Some(p) => format!(" (p = {p:.3})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(values: &[f64]) -> Comparison {
        Comparison::above(Interval::of(values), 0.0, "Found.".to_owned())
    }

    const ABOVE: [f64; 4] = [1.0, 1.1, 0.9, 1.0];
    const BELOW: [f64; 4] = [-1.0, -1.1, -0.9, -1.0];
    const BOTH: [f64; 4] = [1.0, -1.1, 0.9, -1.0];

    #[test]
    fn a_comparison_has_three_outcomes() {
        assert_eq!(comparison(&ABOVE).outcome(), Outcome::Supported);
        assert_eq!(comparison(&BELOW).outcome(), Outcome::Contradicted);
        assert_eq!(comparison(&BOTH).outcome(), Outcome::Undecided);
        let below = Comparison::below(Interval::of(&BELOW), 0.0, String::new());
        assert_eq!(below.outcome(), Outcome::Supported);
    }

    #[test]
    fn what_is_known_without_error_decides_unless_nothing_differs() {
        let exact = |value| Comparison::above(Interval::exact(value), 1.0, String::new()).outcome();
        assert_eq!([2.0, 0.5, 1.0].map(exact), [Outcome::Supported, Outcome::Contradicted, Outcome::Undecided]);
        assert_eq!(exact(f64::NAN), Outcome::Undecided);
        // The same value with every seed.
        assert_eq!(comparison(&[1.0; 4]).outcome(), Outcome::Supported);
        assert_eq!(comparison(&[0.0; 4]).outcome(), Outcome::Undecided);
    }

    #[test]
    fn a_claim_is_supported_by_all_and_contradicted_by_one() {
        let claim = |values: &[&[f64]]| {
            let comparisons: Vec<_> = values.iter().map(|values| comparison(values)).collect();
            Claim::new("Claim", comparisons)
        };
        assert_eq!(claim(&[&ABOVE, &ABOVE]).outcome(), Outcome::Supported);
        assert_eq!(claim(&[&ABOVE, &BOTH]).outcome(), Outcome::Undecided);
        assert_eq!(claim(&[]).outcome(), Outcome::Undecided);
        let mixed = claim(&[&ABOVE, &BOTH, &BELOW]);
        assert_eq!(mixed.outcome(), Outcome::Contradicted);
        let counts = "1 of 3 comparisons support the claim, 1 contradicts it, 1 is undecided.";
        assert_eq!(mixed.in_short(), format!("Found. {counts}"));
        assert!(mixed.markdown().starts_with(&format!("**Claim: contradicted.** {counts}\n\n- supported: Found. (p")));
    }
}
