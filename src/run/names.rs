//! The names of what lies in a run's folder.

pub(super) const CONFIG: &str = "config.json";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const CHECKPOINT_FOLDER: &str = "checkpoint";
pub(super) const CHECKPOINT: &str = "checkpoint/state.mpk";
pub(super) const REPORT: &str = "report.json";
pub(super) const MANIFEST: &str = "manifest.sha256";

/// Every run has these.
pub(super) const ALWAYS: [&str; 4] = [CHECKPOINT, METRICS, MODEL, CONFIG];

/// An empty file, which stays: two processes could otherwise lock two files of that name.
pub(super) const LOCK: &str = "lock";

/// An empty file in a folder that is not a run yet.
pub(super) const MARK: &str = "unfinished";

/// How the name of a folder starts that is to become a run.
pub(super) const STAGING: &str = ".burn-pooling-";

/// How the name of a file or folder ends that is not finished.
pub(super) const UNFINISHED: &str = ".new";

/// Returns whether a file of this name is one of a run's that was not finished: its own name, something of chance, and
/// the end. Earlier versions put nothing between.
pub(super) fn is_unfinished_file(name: &str) -> bool {
    let known = ALWAYS.into_iter().chain([REPORT, MANIFEST]).filter_map(|path| path.rsplit('/').next());
    let rest = known.into_iter().find_map(|known| name.strip_prefix(known)?.strip_suffix(UNFINISHED));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && !rest[1..].contains('.'))
}
