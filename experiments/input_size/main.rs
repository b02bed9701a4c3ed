//! The experiment input_size.

fn main() {}
