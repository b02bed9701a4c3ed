//! The command `burn-pooling`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
