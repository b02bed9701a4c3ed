//! The page's files, which every host serves as they are.

/// A file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageFile {
    /// Its path below the page's address, without a leading slash.
    pub path: &'static str,
    /// Its type, for the header `Content-Type`.
    pub content_type: &'static str,
    /// What it holds.
    pub content: &'static str,
}

macro_rules! files {
    ($($path:literal: $content_type:expr),+ $(,)?) => {
        &[$(PageFile { path: $path, content_type: $content_type, content: include_str!(concat!("page/", $path)) }),+]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files of the page; the first is the one to open. `config.js` tells the page which host it has, here a server; a
/// host without one puts its own in its place.
pub const PAGE: &[PageFile] = files! {
    "index.html": HTML,
    "style.css": CSS,
    "main.js": SCRIPT,
    "config.js": SCRIPT,
    "host.js": SCRIPT,
    "columns.js": SCRIPT,
    "curves.js": SCRIPT,
    "inside.js": SCRIPT,
    "moving.js": SCRIPT,
    "paper.js": SCRIPT,
    "pixels.js": SCRIPT,
    "playground.js": SCRIPT,
    "pooling.js": SCRIPT,
    "training.js": SCRIPT,
    "worker-host.js": SCRIPT,
};
