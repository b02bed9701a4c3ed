//! Writing to the terminal, or to whoever reads instead of one.

use std::io::{self, IsTerminal, Write};

use burn_pooling::summary::DEFAULT_WIDTH;

/// Prints a line to stdout; a reader that has gone away, such as `head`, is no failure.
pub fn print(line: impl std::fmt::Display) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Prints an error with its causes to stderr, in one line.
pub fn print_error(error: &anyhow::Error) {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // A transparent error repeats what its source says.
        if !text.ends_with(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    let line = text.lines().collect::<Vec<_>>().join(" ");
    let _ = writeln!(io::stderr(), "error: {line}");
}

/// Whether somebody watches.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Returns the width of the terminal, or that of tables where the output goes elsewhere.
pub fn width() -> usize {
    match io::stdout().is_terminal() {
        true => console::Term::stdout().size().1.into(),
        false => DEFAULT_WIDTH,
    }
}
