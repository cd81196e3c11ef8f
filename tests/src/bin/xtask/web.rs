//! The page: its engine built as WebAssembly, its files in one folder, served on this machine; what holds its bits and its looks.

mod check;
mod serve;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::{
    process::{minutes, root, run},
    toolchain::{self, cargo},
};

pub(crate) use check::{step, trace_digest};
pub(crate) use serve::{Server, serve};

const TARGET: &str = "wasm32-unknown-unknown";
/// Vectors of four f32, which every browser has since 2023. They change no bit: no sum is reordered.
const FLAGS: &str = "-C target-feature=+simd128";
/// Bytes of the engine as it is loaded, packed.
const MOST_BYTES: usize = 150_000;
/// The file that `page/engine.js` unpacks. Not named as a packed file, which a server may unpack on its way.
const ENGINE: &str = "engine.bin";

/// Where everything about the page is built.
fn place() -> PathBuf {
    root().join("target").join("web")
}

/// Builds the page into `target/web/page`, and hands back that folder.
pub(crate) fn build() -> Result<PathBuf> {
    toolchain::native(TARGET)
        .with_context(|| format!("the page needs a Rust from rustup: rustup target add {TARGET}"))?;
    let built = place().join("build");
    let mut rustc = cargo();
    rustc.args(["rustc", "--quiet", "--locked", "--package", "ntkscope-web", "--lib", "--crate-type", "cdylib"]);
    rustc.args(["--profile", "web", "--target", TARGET, "--target-dir"]).arg(&built);
    run(rustc.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", FLAGS), minutes(10))?;
    let page = place().join("page");
    let _ = fs::remove_dir_all(&page);
    fs::create_dir_all(&page)?;
    for entry in fs::read_dir(root().join("host/web/page"))? {
        let entry = entry?;
        fs::copy(entry.path(), page.join(entry.file_name()))?;
    }
    let engine = built.join(TARGET).join("web").join("ntkscope_web.wasm");
    let engine = fs::read(&engine).with_context(|| engine.display().to_string())?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&engine)?;
    let packed = packed.finish()?;
    fs::write(page.join(ENGINE), &packed)?;
    println!("{}: {} bytes, unpacked {}", page.join(ENGINE).display(), packed.len(), engine.len());
    ensure!(
        packed.len() <= MOST_BYTES,
        "the engine has {} bytes; a phone should not load more than {MOST_BYTES}",
        packed.len()
    );
    Ok(page)
}

/// `node` in a folder.
fn node(folder: &Path) -> Command {
    let mut node = Command::new("node");
    node.current_dir(folder);
    node
}
