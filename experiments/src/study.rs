//! One experiment on one data set, as it is being made: its runs, computed or read.

use std::cmp::Reverse;
use std::fs;
use std::path::PathBuf;

use anyhow::ensure;
use burn_pooling::run::{read_weights, save_weights};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::DataSet;
use crate::options::{Mode, Options};
use crate::parallel::in_parallel;
use crate::runs::{Runs, Setting};
use crate::store::{Job, Store, sha256, write_whole};
use crate::training::{History, Plan, Trained, train, untrained};

/// One experiment on one data set.
#[derive(Debug)]
pub struct Study<'a> {
    /// The experiment's name, which is its folder's.
    pub name: &'static str,
    /// The command line.
    pub options: &'a Options,
    /// The images.
    pub data: &'a DataSet,
    /// The seeds that count.
    pub seeds: Vec<u64>,
    store: Store,
    networks: PathBuf,
}

impl<'a> Study<'a> {
    /// The experiment `name`, whose runs are in `folder`; networks that several experiments need are kept in `networks`.
    pub fn new(
        name: &'static str, options: &'a Options, data: &'a DataSet, folder: PathBuf, networks: PathBuf,
    ) -> Self {
        let store = Store::new(folder.join("runs"), name, &data.key);
        Self { name, options, data, seeds: options.seeds(), store, networks }
    }

    /// The runs of every setting with every seed; `None` if only a part of them was computed.
    ///
    /// Where nothing is computed, only seeds count with which all settings have been run; if there is none, `None`.
    ///
    /// One seed after the other is computed, and of each the most costly settings first, so that no thread waits for long.
    ///
    /// # Errors
    /// The first error of `work`, or if a run's file is broken.
    pub fn runs<S, R>(
        &self, settings: Vec<Setting<S>>, seeds: &[u64], work: impl Fn(&S, u64) -> anyhow::Result<R> + Sync,
    ) -> anyhow::Result<Option<Runs<S, R>>>
    where
        S: Clone + Serialize + Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let mut order: Vec<&Setting<S>> = settings.iter().collect();
        order.sort_by_key(|setting| Reverse(setting.cost));
        let jobs: Vec<Job<S>> =
            seeds.iter().flat_map(|&seed| order.iter().map(move |setting| setting.job(seed))).collect();
        let mode = self.options.mode();
        if matches!(mode, Mode::Compute | Mode::Shard(_)) {
            self.compute(jobs, mode, work)?;
        }
        if matches!(mode, Mode::Shard(_)) {
            return Ok(None);
        }
        let mut complete = Vec::new();
        for &seed in seeds {
            let load = |setting: &Setting<S>| self.store.load::<S, R>(&setting.job(seed));
            let runs = settings.iter().map(load).collect::<anyhow::Result<Option<Vec<R>>>>()?;
            complete.extend(runs.map(|runs| (seed, runs)));
        }
        Ok((!complete.is_empty()).then(|| Runs::of(settings, complete)))
    }

    /// Computes the runs that are not there.
    fn compute<S, R>(
        &self, jobs: Vec<Job<S>>, mode: Mode, work: impl Fn(&S, u64) -> anyhow::Result<R> + Sync,
    ) -> anyhow::Result<()>
    where
        S: Serialize + Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let mut missing = Vec::new();
        for (index, job) in jobs.into_iter().enumerate() {
            let is_ours = match mode {
                Mode::Shard(shard) => shard.holds(index),
                _ => true,
            };
            if is_ours && self.store.load::<S, R>(&job)?.is_none() {
                missing.push(job);
            }
        }
        let work = |job: &Job<S>| self.store.save(job, &work(&job.settings, job.seed)?);
        in_parallel(self.name, self.options.threads(), &missing, Job::name, work)?;
        Ok(())
    }

    /// A network trained as planned with `seed`: read if another experiment has trained it here, else trained and kept.
    ///
    /// # Errors
    /// If it cannot be trained, read or kept.
    pub fn trained(&self, plan: &Plan, seed: u64) -> anyhow::Result<Trained> {
        let key = sha256(serde_json::to_string(&(&self.data.key.sha256, plan, seed))?.as_bytes());
        let path = |extension: &str| self.networks.join(&key[..16]).with_extension(extension);
        let [weights, history] = ["safetensors", "json"].map(path);
        if let (Ok(weights), Ok(history)) = (fs::read(&weights), fs::read(&history)) {
            let network = read_weights(untrained(&plan.network, seed)?.network, &weights)?;
            let history: History = serde_json::from_slice(&history)?;
            return Ok(Trained { config: plan.network.clone(), network, history });
        }
        let trained = train(plan, &self.data.sets.train, seed)?;
        write_whole(&weights, &save_weights(&trained.network))?;
        write_whole(&history, &serde_json::to_vec(&trained.history)?)?;
        Ok(trained)
    }

    /// Fails if files lie among the runs that belong to no run of this experiment.
    ///
    /// # Errors
    /// With their names.
    pub fn refuse_left_over(&self) -> anyhow::Result<()> {
        let others = self.store.left_over()?;
        let names: Vec<String> = others.iter().map(|path| path.display().to_string()).collect();
        ensure!(names.is_empty(), "expected nothing but runs of {}, found {}: remove", self.name, names.join(", "));
        Ok(())
    }

    /// The files of the runs that were read, with the SHA-256 of each.
    pub fn digests(&self) -> std::collections::BTreeMap<String, String> {
        self.store.digests()
    }
}
