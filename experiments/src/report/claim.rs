//! Claims, and how a verdict follows from intervals.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::statistics::Interval;

/// A claim about pooling, with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim.
    pub claim: String,
    /// What came out.
    pub verdict: Verdict,
    /// The figure that decides.
    pub figure: String,
    /// How the verdict follows from the figures.
    pub rule: String,
}

impl Claim {
    /// A claim that `parts` decide; how many of them hold is added to `figure`, a sentence without its full stop, if
    /// there are several.
    pub fn decided(claim: &str, parts: Parts, figure: &str, rule: &str) -> Self {
        Self {
            claim: claim.to_owned(),
            verdict: parts.verdict(),
            figure: match parts.all {
                1 => format!("{figure}."),
                _ => format!("{figure}; {parts}."),
            },
            rule: rule.to_owned(),
        }
    }

    /// The verdict with its figure and its rule, in Markdown.
    pub fn markdown(&self) -> String {
        let Self { claim, verdict, figure, rule } = self;
        format!("**\"{claim}\": {}.** {figure} Rule: {rule}\n", verdict.words())
    }
}

/// Whether a claim holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// In all parts.
    #[serde(rename = "holds")]
    Holds,
    /// In some parts, or under some conditions.
    #[serde(rename = "holds in part")]
    HoldsInPart,
    /// In none.
    #[serde(rename = "does not hold")]
    DoesNotHold,
}

impl Verdict {
    /// The words, as in `results.json`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::HoldsInPart => "holds in part",
            Self::DoesNotHold => "does not hold",
        }
    }
}

/// What became of the parts of a claim.
///
/// Of many parts one would hold by chance: intervals that decide together are widened, see [`Interval::among`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// How many there are.
    pub all: usize,
    /// How many hold.
    pub holding: usize,
    /// Of how many the opposite holds; of the rest nothing is known.
    pub opposite: usize,
}

impl Parts {
    /// Parts that are known without error: it holds, the opposite does, or neither.
    pub fn known(parts: &[Option<bool>]) -> Self {
        let count = |answer| parts.iter().filter(|&&part| part == Some(answer)).count();
        Self { all: parts.len(), holding: count(true), opposite: count(false) }
    }

    /// Each part holds if its interval is above `threshold`, and the opposite if it is below.
    pub fn above(intervals: &[Interval], threshold: f64) -> Self {
        let count = |holds: fn(&Interval, f64) -> bool| {
            let wider = intervals.iter().map(|interval| interval.among(intervals.len()));
            wider.filter(|interval| holds(interval, threshold)).count()
        };
        Self { all: intervals.len(), holding: count(Interval::is_above), opposite: count(Interval::is_below) }
    }

    /// Each part holds if its interval is below `threshold`, and the opposite if it is above.
    pub fn below(intervals: &[Interval], threshold: f64) -> Self {
        let above = Self::above(intervals, threshold);
        Self { holding: above.opposite, opposite: above.holding, ..above }
    }

    /// Of all parts together; a claim without parts does not hold.
    pub fn verdict(self) -> Verdict {
        match self.holding {
            0 => Verdict::DoesNotHold,
            holding if holding == self.all => Verdict::Holds,
            _ => Verdict::HoldsInPart,
        }
    }
}

/// As in "2 of 6 hold, 1 the opposite".
impl fmt::Display for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, holding, opposite } = self;
        write!(formatter, "{holding} of {all} hold, {opposite} the opposite")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(lower: f64, upper: f64) -> Interval {
        Interval { mean: (lower + upper) / 2.0, lower, upper, values: 10 }
    }

    #[test]
    fn every_part_holds_or_its_opposite_or_neither() {
        let parts = Parts::above(&[interval(5.0, 6.0), interval(-1.0, 1.0), interval(-6.0, -5.0)], 0.0);
        assert_eq!(parts.to_string(), "1 of 3 hold, 1 the opposite");
        assert_eq!(parts.verdict(), Verdict::HoldsInPart);
        assert_eq!(Parts::below(&[interval(5.0, 6.0)], 7.0).verdict(), Verdict::Holds);
        assert_eq!(Parts::above(&[interval(5.0, 6.0)], 7.0).verdict(), Verdict::DoesNotHold);
        assert_eq!(Parts::known(&[]).verdict(), Verdict::DoesNotHold);
        let known = Parts::known(&[Some(true), None, Some(true), Some(false)]);
        assert_eq!(known.to_string(), "2 of 4 hold, 1 the opposite");
    }

    #[test]
    fn what_decides_alone_may_not_decide_among_many() {
        let close = interval(0.1, 2.0);
        assert_eq!(Parts::above(&[close], 0.0).holding, 1);
        assert_eq!(Parts::above(&[close; 6], 0.0).holding, 0);
    }
}
