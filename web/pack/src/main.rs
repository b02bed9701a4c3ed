//! Puts the page without a server into a folder: the page's files, the engine as WebAssembly, and the data.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use flate2::{Compression, write::GzEncoder};
use wasm_bindgen_cli_support::Bindgen;

const ENGINE: &str = "burn_pooling_web";

fn main() -> anyhow::Result<()> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tool lies in web/pack")?;
    let dist = web.join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::create_dir_all(&dist)?;
    let engine = web.join(format!("target/wasm32-unknown-unknown/release/{ENGINE}.wasm"));
    Bindgen::new()
        .input_path(engine)
        .web(true)?
        .omit_default_module_path(false)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&dist)?;
    copy_files(&web.join("../src/explore/page"), &dist)?;
    fs::copy(web.join("worker.js"), dist.join("worker.js"))?;
    fs::write(dist.join("config.js"), "export const host = \"worker\";\n")?;
    let (size, packed) = sizes(&dist)?;
    println!("web/dist: {} KB, {} KB as gzip, without the data", size / 1000, packed / 1000);
    copy_files(&web.join("../data/mnist"), &dist.join("data"))
}

fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The bytes of the files of a folder, as they are and as a host sends them.
fn sizes(folder: &Path) -> anyhow::Result<(usize, usize)> {
    let mut sizes = (0, 0);
    for entry in fs::read_dir(folder)? {
        let content = fs::read(entry?.path())?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&content)?;
        sizes = (sizes.0 + content.len(), sizes.1 + packed.finish()?.len());
    }
    Ok(sizes)
}
