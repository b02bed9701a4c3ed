//! Signals that ask to end: the first saves and ends, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use burn_pooling::training::Control;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// What a process that was interrupted and has saved exits with.
pub const EXIT_CODE: u8 = 130;

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on, the first signal only asks to stop; another one ends the process with 128 plus its number.
pub fn listen() -> anyhow::Result<()> {
    for signal in SIGNALS.into_iter().filter(|&signal| !is_ignored(signal)) {
        // In this order: the first signal finds the flag down, and raises it.
        flag::register_conditional_shutdown(signal, 128 + signal, STOP.clone())?;
        flag::register(signal, STOP.clone())?;
    }
    Ok(())
}

/// Whether training may go on.
pub fn control() -> Control {
    match STOP.load(Ordering::Relaxed) {
        true => Control::Stop,
        false => Control::Continue,
    }
}

/// From now on there is nothing to save, and every signal ends the process; returns whether one has come before.
pub fn listen_no_more() -> bool {
    STOP.swap(true, Ordering::Relaxed)
}

/// Whether the process was started to ignore a signal, as `nohup` does.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action this only writes the present one, which is read if it was written.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn is_ignored(_signal: i32) -> bool {
    false
}
