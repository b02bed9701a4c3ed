//! The claims of all experiments, side by side.

use super::results::Report;

/// A Markdown table of claims, outcomes, and what was found, one line for each claim and data set; a report stands in the
/// folder beside it.
pub fn claims_table(reports: &[(String, Report)]) -> String {
    let mut table =
        String::from("| claim | data | outcome | what was found | experiment |\n| --- | --- | --- | --- | --- |\n");
    for (folder, report) in reports {
        for claim in &report.claims {
            let outcome = claim.outcome().word();
            let (data, found) = (&report.data, claim.in_short());
            table +=
                &format!("| {} | {data} | **{outcome}** | {found} | [{folder}]({folder}/README.md) |\n", claim.claim);
        }
    }
    table
}
