//! The claims of all experiments, side by side.

use super::results::Report;

/// A Markdown table of claims, outcomes, and what was found, one line for each claim and data set.
pub fn claims_table(reports: &[Report]) -> String {
    let mut table =
        String::from("| claim | data | outcome | what was found | experiment |\n| --- | --- | --- | --- | --- |\n");
    for report in reports {
        for claim in &report.claims {
            let (name, outcome) = (&report.experiment, claim.outcome().word());
            let (data, found) = (&report.data, claim.in_short());
            table += &format!("| {} | {data} | **{outcome}** | {found} | [{name}]({name}/README.md) |\n", claim.claim);
        }
    }
    table
}
