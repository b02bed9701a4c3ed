//! Runs of several settings with the same seeds, and the figures over the seeds.

use anyhow::Context;

use crate::statistics::Interval;
use crate::store::Job;

/// Settings that are run with every seed.
#[derive(Clone, Debug)]
pub struct Setting<S> {
    /// What they are called.
    pub label: String,
    /// What decides the figures.
    pub settings: S,
    /// How long a run takes, in any unit.
    pub cost: u64,
}

/// The runs of one setting.
#[derive(Clone, Debug)]
pub struct Seeded<S, R> {
    /// What the settings are called.
    pub label: String,
    /// What decided the figures.
    pub settings: S,
    /// A run for each seed, in the seeds' order.
    pub runs: Vec<R>,
}

/// The runs of all settings.
#[derive(Clone, Debug)]
pub struct Runs<S, R> {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The settings with their runs.
    pub all: Vec<Seeded<S, R>>,
}

impl<S: Clone> Setting<S> {
    /// The run with this seed.
    pub fn job(&self, seed: u64) -> Job<S> {
        Job { label: self.label.clone(), seed, settings: self.settings.clone() }
    }
}

impl<S, R> Runs<S, R> {
    /// From the runs of each seed, which stand in the order of the settings.
    pub fn of(settings: Vec<Setting<S>>, by_seed: Vec<(u64, Vec<R>)>) -> Self {
        let seeds = by_seed.iter().map(|(seed, _)| *seed).collect();
        let mut all: Vec<Seeded<S, R>> = (settings.into_iter())
            .map(|Setting { label, settings, .. }| Seeded { label, settings, runs: Vec::new() })
            .collect();
        for (_, runs) in by_seed {
            for (seeded, run) in all.iter_mut().zip(runs) {
                seeded.runs.push(run);
            }
        }
        Self { seeds, all }
    }

    /// The runs of the setting called `label`.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, label: &str) -> anyhow::Result<&Seeded<S, R>> {
        let found = self.all.iter().find(|runs| runs.label == label);
        found.with_context(|| format!("expected runs called '{label}', found none"))
    }
}

impl<S, R> Seeded<S, R> {
    /// A figure of every seed.
    pub fn values(&self, figure: impl Fn(&R) -> f64) -> Vec<f64> {
        self.runs.iter().map(figure).collect()
    }

    /// The mean of a figure over the seeds.
    pub fn mean(&self, figure: impl Fn(&R) -> f64) -> Interval {
        Interval::of(&self.values(figure))
    }

    /// By how much a figure is larger here than there, paired by seed.
    pub fn minus(&self, other: &Self, figure: impl Fn(&R) -> f64) -> Interval {
        Interval::of_differences(&self.values(&figure), &other.values(&figure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_stay_with_their_settings_in_the_order_of_the_seeds() {
        let setting = |label: &str| Setting { label: label.to_owned(), settings: (), cost: 0 };
        let runs = Runs::of(vec![setting("a"), setting("b")], vec![(3, vec!["a3", "b3"]), (4, vec!["a4", "b4"])]);
        assert_eq!(runs.seeds, [3, 4]);
        assert_eq!(runs.all[0].runs, ["a3", "a4"]);
        assert_eq!(runs.get("b").unwrap().runs, ["b3", "b4"]);
        assert!(runs.get("other").is_err());
    }
}
