//! A summary of any Burn module: layers, shapes, parameters, multiply-adds and memory, without
//! running it.

mod calls;
mod compare;
mod contain;
mod cost;
mod error;
mod fields;
mod flow;
mod input;
mod memory;
mod operation;
mod output;
mod pattern;
mod places;
mod receptive;
mod row;
mod rows;
mod shape;
mod style;
mod summarise;
mod totals;
pub mod trace;
mod tree;

pub use compare::{ComparedModel, Comparison, Stage};
pub use error::{Phase, SummaryError};
pub use input::{Fixed, Input, Mask, Tokens, fixed, mask, tokens};
pub use output::Output;
pub use row::{ParameterCount, Role, Row, Window};
pub use shape::{Dimension, Dimensions};
pub use style::{DEFAULT_WIDTH, Style, Styled, StyledComparison, UnknownStyle};
pub use summarise::Summary;
pub use totals::{Totals, Training};
pub use trace::{Trace, TraceGrad};
