//! The experiment cost.

fn main() {}
