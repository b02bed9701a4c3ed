//! The experiment translation.

fn main() {}
