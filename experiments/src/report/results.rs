//! An experiment's `results.json`, and what follows from it: plots, and the results part of a README.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claim::Claim;
use super::readme::{empty_readme, replace_results};
use super::table::Table;
use crate::output::Output;
use crate::plot::Plot;
use crate::study::Study;

/// An experiment's `results.json`: everything follows from the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The experiment's name, which is its folder's.
    pub experiment: String,
    /// The data set's name.
    pub data: String,
    /// Whether it is the quick run, whose figures mean nothing.
    pub quick: bool,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Numbers of images and epochs: all that was chosen, but for what stands in the runs.
    pub settings: Value,
    /// What was claimed, and what the figures say.
    pub claims: Vec<Claim>,
    /// The figures over all runs.
    pub tables: Vec<Table>,
    /// The plots beside it.
    pub plots: Vec<PlotFile>,
    /// The files of all runs, with the SHA-256 of each.
    pub runs: BTreeMap<String, String>,
}

/// A plot's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlotFile {
    /// The name of the SVG file.
    pub file: String,
    /// What it shows, for those who cannot see it.
    pub shows: String,
    /// The picture.
    #[serde(skip)]
    pub svg: String,
}

/// The name of a report's file.
const FILE: &str = "results.json";

impl Report {
    /// A report of the runs that `study` has read, with these seeds, without any figures yet.
    ///
    /// # Errors
    /// If the settings cannot be expressed in JSON.
    pub fn new(study: &Study, seeds: &[u64], settings: impl Serialize) -> anyhow::Result<Self> {
        Ok(Self {
            experiment: study.name.to_owned(),
            data: study.data.key.name.clone(),
            quick: study.options.quick,
            seeds: seeds.to_vec(),
            settings: serde_json::to_value(settings)?,
            claims: Vec::new(),
            tables: Vec::new(),
            plots: Vec::new(),
            runs: study.digests(),
        })
    }

    /// Adds a plot as `file`; `shows` says what is to be seen, for those who cannot see it.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub fn draw(&mut self, file: &str, plot: &impl Plot, shows: &str) -> anyhow::Result<()> {
        let svg = plot.svg().with_context(|| file.to_owned())?;
        self.plots.push(PlotFile { file: file.to_owned(), shows: shows.to_owned(), svg });
        Ok(())
    }

    /// Reads `results.json` from an experiment's folder, if it is there; its plots stay where they are.
    ///
    /// # Errors
    /// If the file is no report.
    pub fn load(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
        serde_json::from_str(&text).with_context(|| path.display().to_string()).map(Some)
    }

    /// Puts `results.json`, the plots, and the results part of the README into `folder`; if there is no README, one of
    /// results alone.
    ///
    /// # Errors
    /// If a file cannot be written, or the README has no place for results.
    pub fn put(&self, folder: &Path, output: &mut Output) -> anyhow::Result<()> {
        output.put(&folder.join(FILE), &(serde_json::to_string_pretty(self)? + "\n"))?;
        for plot in self.plots.iter().filter(|plot| !plot.svg.is_empty()) {
            output.put(&folder.join(&plot.file), &plot.svg)?;
        }
        let path = folder.join("README.md");
        let readme = fs::read_to_string(&path).unwrap_or_else(|_| empty_readme(&self.experiment));
        let readme = replace_results(&readme, &self.markdown()).with_context(|| path.display().to_string())?;
        output.put(&path, &readme)
    }

    /// The results part of the experiment's README: claims, plots, tables.
    pub fn markdown(&self) -> String {
        let claims = self.claims.iter().map(Claim::markdown);
        let plots = self.plots.iter().map(|plot| format!("![{}]({})\n", plot.shows, plot.file));
        let tables = self.tables.iter().map(Table::markdown);
        claims.chain(plots).chain(tables).collect::<Vec<_>>().join("\n")
    }
}
