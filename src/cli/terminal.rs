//! Writing to the terminal, or to whoever reads instead of one.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;

use burn_pooling::summary::DEFAULT_WIDTH;

/// The first failure to print.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

/// Prints a line to stdout. A failure waits for the end of the command, whose work goes on; a reader that has gone away,
/// such as `head`, is none.
pub fn print(line: impl std::fmt::Display) {
    let mut stdout = io::stdout().lock();
    note(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
}

/// Notes the result of printing.
pub fn note(result: io::Result<()>) {
    if let Some(error) = result.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        let _ = FAILURE.set(error);
    }
}

/// Returns why something could not be printed, if so.
pub fn failure() -> Option<&'static io::Error> {
    FAILURE.get()
}

/// Prints a note to stderr: about what is as it should not be, and yet no error.
pub fn print_note(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "note: {line}");
}

/// Returns a path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let path = if path.starts_with('-') { format!("./{path}") } else { path };
    let is_plain = |character: char| character.is_alphanumeric() || "-_./+:=@%".contains(character);
    match path.chars().all(is_plain) && !path.is_empty() {
        true => path,
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
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
