//! The experiment window.

fn main() {}
