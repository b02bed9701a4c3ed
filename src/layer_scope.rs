//! Which layer runs on this thread, for whoever records its operations: a summary.

use std::any::type_name;
use std::cell::{Cell, RefCell};

/// A run of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerRun {
    /// Tells the runs on a thread apart.
    number: u64,
    /// The layer's type.
    pub name: &'static str,
    /// Kernel size, stride and dilation, `[height, width]` each, if windows slide.
    pub kernel: Option<[[usize; 2]; 3]>,
}

thread_local! {
    static CURRENT: RefCell<Option<LayerRun>> = const { RefCell::new(None) };
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Returns the layer that runs.
pub(crate) fn current() -> Option<LayerRun> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs a layer of type `L`; inside of another one, as a part of that.
pub(crate) fn run_layer<L, R>(kernel: Option<[[usize; 2]; 3]>, run: impl FnOnce() -> R) -> R {
    /// Also where the layer panics.
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.set(None);
        }
    }
    if CURRENT.with_borrow(Option::is_some) {
        return run();
    }
    let number = LAST.get() + 1;
    LAST.set(number);
    CURRENT.set(Some(LayerRun { number, name: short_name::<L>(), kernel }));
    let _leave = Leave;
    run()
}

/// Returns the name of a type, without its path and parameters.
fn short_name<L>() -> &'static str {
    let name = type_name::<L>();
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Outer<T>(#[allow(dead_code)] T);
    struct Inner;

    /// A layer inside of another is a part of it, and after a panic no layer runs.
    #[test]
    fn the_outermost_layer_counts() {
        let name = || current().map(|layer| layer.name);
        let names = run_layer::<Outer<Inner>, _>(None, || run_layer::<Inner, _>(None, name));
        assert_eq!((names, name()), (Some("Outer"), None));
        let panics = || run_layer::<Inner, _>(None, || panic!("on purpose"));
        assert!(crate::contain::contain(panics).is_err());
        assert_eq!(name(), None);
    }

    #[test]
    fn two_runs_of_a_layer_differ() {
        let run = || run_layer::<Inner, _>(None, current);
        assert_ne!(run(), run());
    }
}
