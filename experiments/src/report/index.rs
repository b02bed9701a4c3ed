//! The claims of all experiments, side by side.

use std::path::Path;

use super::results::Report;

/// All experiments, in the order in which they are shown.
pub const EXPERIMENTS: [&str; 8] =
    ["variants", "cost", "translation", "window", "input_size", "overfitting", "information", "saliency"];

/// The reports of all experiments, each in its own folder of `experiments`.
///
/// # Errors
/// If one is absent or no report.
pub fn load_all(experiments: &Path) -> anyhow::Result<Vec<Report>> {
    EXPERIMENTS.iter().map(|name| Report::load(&experiments.join(name))).collect()
}

/// A Markdown table of claims, verdicts, and the figures that decide, for the README of the experiments.
pub fn claims_table(reports: &[Report]) -> String {
    let mut table =
        String::from("| claim | verdict | the figure that decides | experiment |\n| --- | --- | --- | --- |\n");
    for report in reports {
        for claim in &report.claims {
            let (name, verdict) = (&report.experiment, claim.verdict.words());
            table += &format!("| {} | **{verdict}** | {} | [{name}]({name}/README.md) |\n", claim.claim, claim.figure);
        }
    }
    table
}
