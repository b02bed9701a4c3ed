//! The claims of all experiments, side by side.

use std::path::Path;

use super::results::Report;

/// All experiments, in the order in which they are shown.
pub const EXPERIMENTS: [&str; 8] = [
    "variants",
    "cost",
    "translation",
    "window",
    "input_size",
    "overfitting",
    "information",
    "saliency",
];

/// The reports of all experiments, each in its own folder of `experiments`.
///
/// # Errors
/// If one is absent or no report.
pub fn load_all(experiments: &Path) -> anyhow::Result<Vec<Report>> {
    EXPERIMENTS.iter().map(|name| Report::load(&experiments.join(name))).collect()
}

/// A Markdown table of claims, verdicts, and the figures that decide; `path` leads from the table's file to the folder
/// of the experiments (empty, or with a slash at its end).
pub fn claims_table(reports: &[Report], path: &str) -> String {
    let mut table = String::from(
        "| claim | verdict | the figure that decides | experiment |\n| --- | --- | --- | --- |\n",
    );
    for report in reports {
        for claim in &report.claims {
            let (name, verdict) = (&report.experiment, claim.verdict.words());
            table += &format!(
                "| {} | **{verdict}** | {} | [{name}]({path}{name}/README.md) |\n",
                claim.claim, claim.figure
            );
        }
    }
    table
}
