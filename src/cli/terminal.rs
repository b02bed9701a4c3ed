//! Writing to the terminal, or to whoever reads instead of one.

use std::io::{self, IsTerminal, Write};

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

/// Width of the terminal; nothing where the output goes elsewhere.
pub fn columns() -> Option<usize> {
    io::stdout().is_terminal().then(|| console::Term::stdout().size().1.into())
}
