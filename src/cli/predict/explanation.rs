//! Pictures of what a network does with one picture, in files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use burn_pooling::explain::Explanation;
use burn_pooling::explain::drawing::png;
use burn_pooling::explain::panels::{Panel, panels};
use maud::{PreEscaped, html};

use super::sources::Source;
use crate::cli::data_uri::data_uri;

/// Space between the panels of a sheet, in pixels.
const GAP: u32 = 16;
/// Height of a caption, in pixels.
const CAPTION: u32 = 24;
/// The widest row of a sheet, in pixels.
const WIDTH: u32 = 1000;

/// Where explanations are written.
pub struct Explanations {
    folder: PathBuf,
    names: HashSet<String>,
}

impl Explanations {
    /// Creates the folder if it is not there.
    pub fn into(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("{}: cannot be created", folder.display()))?;
        Ok(Self { folder: folder.to_owned(), names: HashSet::new() })
    }

    /// Writes a PNG file for each step, and an SVG file with all of them; returns the latter's path.
    pub fn write(&mut self, source: &Source, explanation: &Explanation) -> anyhow::Result<PathBuf> {
        let name = self.new_name(source);
        let panels = panels(explanation);
        for Panel { name: step, picture, .. } in &panels {
            self.write_file(&format!("{name}-{step}.png"), &png(picture)?)?;
        }
        let title = format!("{source}: {}", explanation.class);
        self.write_file(&format!("{name}.svg"), sheet(&title, &panels)?.as_bytes())
    }

    /// The name of a picture's files: its own, with a number if another picture has had it.
    fn new_name(&mut self, source: &Source) -> String {
        let stem = source.stem();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = [stem.clone()].into_iter().chain(numbered);
        let name = names.find(|name| !self.names.contains(name)).unwrap_or(stem);
        self.names.insert(name.clone());
        name
    }

    fn write_file(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(path)
    }
}

/// All panels in one SVG picture, in rows.
fn sheet(title: &str, panels: &[Panel]) -> anyhow::Result<String> {
    let (mut x, mut y, mut row) = (GAP, 2 * GAP + CAPTION, 0);
    let mut placed = Vec::new();
    for Panel { caption, picture, .. } in panels {
        // A caption of about seven pixels a letter must fit as well.
        let (width, height) = (picture.width().max(7 * caption.len() as u32), picture.height());
        if x > GAP && x + width > WIDTH {
            (x, y, row) = (GAP, y + row + CAPTION + GAP, 0);
        }
        placed.push((x, y, data_uri(picture)?, picture.dimensions(), caption));
        (x, row) = (x + width + GAP, row.max(height));
    }
    let height = y + row + CAPTION + GAP;
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH + GAP) " " (height) } width=(WIDTH + GAP) height=(height)
            font-family="sans-serif" font-size="13" {
            title { (title) }
            rect width="100%" height="100%" fill="white" {}
            text x=(GAP) y=(GAP + 12) font-size="18" { (title) }
            @for (x, y, address, (width, height), caption) in &placed {
                image x=(x) y=(y) width=(width) height=(height) href=(address) style="image-rendering:pixelated" {}
                text x=(x) y=(y + height + 16) { (caption) }
            }
        }
    };
    Ok(html! { (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")) (drawing) }.into_string())
}
