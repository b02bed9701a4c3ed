//! Every network with every seed, and the figures over the seeds.

use std::cmp::Reverse;

use anyhow::Context;
use burn_pooling::model::PoolingCnnConfig;

use crate::costs::Costs;
use crate::parallel::in_parallel;
use crate::statistics::Interval;

/// The runs of one network, one for each seed in the seeds' order.
#[derive(Clone, Debug)]
pub struct NetworkRuns<R> {
    /// The network.
    pub network: PoolingCnnConfig,
    /// What it costs.
    pub costs: Costs,
    /// The figures of each seed.
    pub runs: Vec<R>,
}

/// The runs of all networks, in the networks' order.
#[derive(Clone, Debug)]
pub struct Runs<R>(pub Vec<NetworkRuns<R>>);

/// Does `work` for every network with every seed, `threads` at a time, the most costly networks first.
///
/// # Errors
/// The first error of `work`, or if a network cannot be built.
pub fn each_seed<R: Send>(
    title: &str, threads: usize, networks: &[PoolingCnnConfig], seeds: &[u64],
    work: impl Fn(&PoolingCnnConfig, u64) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Runs<R>> {
    let mut all = (networks.iter())
        .map(|network| {
            Ok(NetworkRuns {
                network: network.clone(),
                costs: Costs::of(network)?,
                runs: Vec::with_capacity(seeds.len()),
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&index| Reverse(all[index].costs.multiply_adds));
    let jobs: Vec<_> = (order.iter()).flat_map(|&index| seeds.iter().map(move |&seed| (index, seed))).collect();
    let label = |&(index, seed): &(usize, u64)| format!("{}, seed {seed}", networks[index].name);
    let results = in_parallel(title, threads, &jobs, label, |&(index, seed)| work(&networks[index], seed))?;
    for ((index, _), result) in jobs.into_iter().zip(results) {
        all[index].runs.push(result);
    }
    Ok(Runs(all))
}

impl<R> Runs<R> {
    /// The runs of the network called `name`.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(&self, name: &str) -> anyhow::Result<&NetworkRuns<R>> {
        let found = self.0.iter().find(|runs| runs.network.name == name);
        found.with_context(|| format!("no network is called '{name}'"))
    }

    /// Every run, network by network.
    pub fn all(&self) -> impl Iterator<Item = &R> {
        self.0.iter().flat_map(|runs| &runs.runs)
    }
}

impl<R> NetworkRuns<R> {
    /// A figure of every seed.
    pub fn values(&self, figure: impl Fn(&R) -> f64) -> Vec<f64> {
        self.runs.iter().map(figure).collect()
    }

    /// The mean of a figure over the seeds.
    pub fn mean(&self, figure: impl Fn(&R) -> f64) -> Interval {
        Interval::of(&self.values(figure))
    }

    /// By how much a figure is larger here than with `other`, paired by seed.
    pub fn ahead_of(&self, other: &Self, figure: impl Fn(&R) -> f64) -> Interval {
        Interval::of_differences(&self.values(&figure), &other.values(&figure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{strided, without_pooling};

    #[test]
    fn runs_stay_with_their_network_in_the_order_of_the_seeds() {
        let networks = [strided(), without_pooling()];
        let runs = each_seed("test", 2, &networks, &[3, 4], |network, seed| Ok((network.name.clone(), seed))).unwrap();
        let expected = |name: &str| [3, 4].map(|seed| (name.to_owned(), seed));
        assert_eq!(runs.0[0].runs, expected("strided"));
        assert_eq!(runs.of("none").unwrap().runs, expected("none"));
        assert!(runs.of("other").is_err());
    }
}
