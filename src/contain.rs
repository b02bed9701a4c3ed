//! Runs a model's code so that a panic in it becomes a value.
//!
//! Burn reports a bad shape or a missing operation by panicking. The panic is caught here, and kept from the process's
//! panic hook, so that nothing is printed; other panics reach the hook that was there before.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

/// The message and the place of a panic.
#[derive(Debug)]
pub(crate) struct Panic {
    pub message: String,
    pub location: Option<String>,
}

thread_local! {
    /// `Some` while a contained call runs on this thread; holds the panic's place afterwards.
    static CONTAINED: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `f`, and returns a panic inside as an error.
pub(crate) fn contain<T>(f: impl FnOnce() -> T) -> Result<T, Panic> {
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = || info.location().map(ToString::to_string);
            let note = |contained: &mut Option<_>| contained.as_mut().map(|noted| *noted = place());
            if CONTAINED.with_borrow_mut(note).is_none() {
                previous(info);
            }
        }));
    });
    let outer = CONTAINED.replace(Some(None));
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    let location = CONTAINED.replace(outer).flatten();
    result.map_err(|payload| Panic { message: message(payload.as_ref()), location })
}

fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_string()
}
