//! Ctrl-C: once to finish the step and save, twice to leave at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use burn_pooling::training::Control;

static STOP: AtomicBool = AtomicBool::new(false);

/// What a process that was interrupted exits with, by convention.
pub const EXIT_CODE: u8 = 130;

/// From now on, Ctrl-C (and a request to terminate) only asks to stop.
pub fn listen() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            process::exit(EXIT_CODE.into());
        }
    })?;
    Ok(())
}

/// Whether training may go on.
pub fn control() -> Control {
    match STOP.load(Ordering::Relaxed) {
        true => Control::Stop,
        false => Control::Continue,
    }
}
