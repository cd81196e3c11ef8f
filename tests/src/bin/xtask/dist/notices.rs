//! The licences of everything that is linked into the program, which they ask to be handed on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{
    process::{minutes, output},
    toolchain::cargo,
};

/// What cargo says of the packages of the workspace.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: String,
    source: Option<String>,
}

/// Name, version and licence of each package from elsewhere that `package` is linked with, and the texts that it comes with;
/// a text that several share stands once.
pub(super) fn notices(package: &str, target: &str) -> Result<String> {
    let tree = ["tree", "--locked", "--package", package, "--edges", "normal", "--target", target];
    let linked = output(cargo().args(tree).args(["--prefix", "none", "--format", "{p}"]), minutes(2))?;
    let metadata = ["metadata", "--locked", "--format-version", "1", "--filter-platform", target];
    let metadata: Metadata = serde_json::from_str(&output(cargo().args(metadata), minutes(2))?)?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut list = String::new();
    // a line is `name vVERSION`, and may go on
    let linked: BTreeSet<_> =
        linked.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    for Package { name, version, license, manifest_path, source } in &metadata.packages {
        if source.is_none() || !linked.contains(&format!("{name} v{version}")) {
            continue;
        }
        let title = format!("{name} {version}");
        list += &format!("{title}: {}\n", license.as_deref().unwrap_or("see below"));
        let folder = Path::new(manifest_path).parent().context("a manifest lies in a folder")?;
        let mut files: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        for file in files {
            let is_licence = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"]
                .iter()
                .any(|word| file.file_name().to_string_lossy().to_uppercase().starts_with(word));
            if is_licence && file.path().is_file() {
                let text = String::from_utf8_lossy(&fs::read(file.path())?).trim().to_owned();
                texts.entry(text).or_default().push(title.clone());
            }
        }
    }
    ensure!(!list.is_empty(), "cargo names no package that {package} is linked with");
    let mut texts: Vec<_> = texts.into_iter().map(|(text, titles)| (titles, text)).collect();
    texts.sort();
    let texts: String =
        texts.iter().map(|(titles, text)| format!("\n---- {} ----\n\n{text}\n", titles.join(", "))).collect();
    let libc = if target.ends_with("musl") { "musl (MIT)" } else { "the GNU C library (LGPL-2.1-or-later)" };
    Ok(format!(
        "{package} is linked with Rust's standard library (MIT OR Apache-2.0), {libc} and these packages, under the licences whose \
         texts follow. With its sources, and Cargo.lock among them, it can be linked anew with other versions.\n\n{list}{texts}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_named_with_its_licence() {
        let notices = notices("ntkscope", "x86_64-unknown-linux-gnu").expect("notices");
        for package in ["faer ", "gemm ", "rayon ", "plotters "] {
            assert!(notices.lines().any(|line| line.starts_with(package) && line.contains("MIT")), "{package}");
        }
        assert!(!notices.lines().any(|line| line.starts_with("divan ")), "a package of the tests alone");
        assert!(notices.contains("Permission is hereby granted"));
    }
}
