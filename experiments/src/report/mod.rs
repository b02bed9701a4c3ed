//! What an experiment found: `results.json`, and the README's part that follows from it.

mod claim;
mod index;
mod readme;
mod results;
mod table;

pub use claim::{Claim, Parts, Verdict};
pub use index::{EXPERIMENTS, claims_table, load_all};
pub use readme::replace_results;
pub use results::{PlotFile, Report};
pub use table::{Cell, Column, Table};
