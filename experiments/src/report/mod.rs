//! What an experiment found: `results.json`, plots, and the README's part that follows from it.

mod claim;
mod family;
mod index;
mod readme;
mod results;
mod table;

pub use claim::{Claim, Comparison, Outcome};
pub use family::adjust;
pub use index::claims_table;
pub use readme::replace_results;
pub use results::{PlotFile, Report};
pub use table::{Cell, Column, Table};
