//! The experiments, end to end.
