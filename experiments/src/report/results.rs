//! An experiment's `results.json`, and what follows from it: plots, and the results part of a README.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::claim::Claim;
use super::readme::{empty_readme, replace_results};
use super::table::Table;
use crate::plot::Plot;

/// An experiment's `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The experiment's name, which is its folder's.
    pub experiment: String,
    /// Whether it is the quick run, whose figures mean nothing.
    pub quick: bool,
    /// Numbers of images, epochs and seeds, networks: all that was chosen.
    pub settings: Value,
    /// Every run: configuration, seed, figures. The same seeds on the same machine give the same.
    pub runs: Vec<Value>,
    /// What depends on how fast the machine was.
    pub measurements: Vec<Value>,
    /// The figures over all runs.
    pub summary: Vec<Table>,
    /// What was claimed, and what the figures say.
    pub claims: Vec<Claim>,
    /// The plots beside it.
    pub plots: Vec<PlotFile>,
}

/// A plot's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlotFile {
    /// The name of the SVG file.
    pub file: String,
    /// What it shows, for those who cannot see it.
    pub shows: String,
}

/// The name of a report's file.
const FILE: &str = "results.json";

impl Report {
    /// A report without any figures yet.
    pub fn new(experiment: &str, quick: bool, settings: impl Serialize) -> anyhow::Result<Self> {
        Ok(Self {
            experiment: experiment.to_owned(),
            quick,
            settings: serde_json::to_value(settings)?,
            runs: Vec::new(),
            measurements: Vec::new(),
            summary: Vec::new(),
            claims: Vec::new(),
            plots: Vec::new(),
        })
    }

    /// Keeps the figures of every run.
    ///
    /// # Errors
    /// If one cannot be expressed in JSON.
    pub fn with_runs(mut self, runs: impl IntoIterator<Item = impl Serialize>) -> anyhow::Result<Self> {
        self.runs = runs.into_iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Keeps measurements of time.
    ///
    /// # Errors
    /// If one cannot be expressed in JSON.
    pub fn with_measurements(mut self, measurements: &[impl Serialize]) -> anyhow::Result<Self> {
        self.measurements = measurements.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Draws a plot into `file` of the report's folder; `shows` says what is to be seen, for those who cannot see it.
    ///
    /// # Errors
    /// If it cannot be drawn.
    pub fn draw(&mut self, folder: &Path, file: &str, plot: &impl Plot, shows: &str) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let path = folder.join(file);
        plot.draw(&path).with_context(|| path.display().to_string())?;
        self.plots.push(PlotFile { file: file.to_owned(), shows: shows.to_owned() });
        Ok(())
    }

    /// Reads `results.json` from an experiment's folder.
    ///
    /// # Errors
    /// If the file is absent or no report.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Writes `results.json` into `folder`, and the results part of the README there; if there is no README, one of
    /// results alone.
    ///
    /// # Errors
    /// If a file cannot be written, or the README has no place for results.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let json = serde_json::to_string_pretty(self)? + "\n";
        fs::write(folder.join(FILE), json).with_context(|| folder.display().to_string())?;
        let path = folder.join("README.md");
        let readme = match fs::read_to_string(&path) {
            Ok(readme) => readme,
            Err(_) => empty_readme(&self.experiment),
        };
        let readme = replace_results(&readme, &self.markdown())?;
        fs::write(&path, readme).with_context(|| path.display().to_string())
    }

    /// The results part of the experiment's README: verdicts, plots, tables.
    pub fn markdown(&self) -> String {
        let claims = self.claims.iter().map(Claim::markdown);
        let plots = self.plots.iter().map(|plot| format!("![{}]({})\n", plot.shows, plot.file));
        let tables = self.summary.iter().map(Table::markdown);
        claims.chain(plots).chain(tables).collect::<Vec<_>>().join("\n")
    }
}
