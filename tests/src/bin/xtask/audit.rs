//! What the ordinary tests cannot see: the unsafe code under AddressSanitizer, the licences of what is built.

use anyhow::{Context, Result};

use crate::{
    process::{minutes, output, root, run},
    steps::{LONG, Session},
    toolchain::cargo,
};

/// Runs the tests of the backend, whose unsafe code walks through memory, under AddressSanitizer. The flag is an
/// unstable one, its runtime comes with every compiler.
pub(crate) fn sanitize(_: &mut Session) -> Result<()> {
    let host = host_triple()?;
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "ntkscope-backend", "--target", &host, "--target-dir"]);
    test.arg(root().join("target/sanitize"));
    run(test.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address"), LONG)
}

/// Licences and banned packages, by deny.toml, where cargo-deny is installed: building it takes longer than the whole tests.
pub(crate) fn deny(_: &mut Session) -> Result<()> {
    if crate::process::find("cargo-deny").is_none() {
        println!("cargo-deny is not installed (cargo install cargo-deny): nothing was checked");
        return Ok(());
    }
    run(cargo().args(["deny", "check", "licenses", "bans"]), minutes(5))
}

/// The triple of this machine's compiler.
pub(crate) fn host_triple() -> Result<String> {
    let text = output(std::process::Command::new("rustc").arg("-vV"), minutes(1))?;
    let triple = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(triple.context("rustc -vV names no host")?.to_owned())
}
